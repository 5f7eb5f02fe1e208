/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make up the x86 CPU share among themselves. */
#ifndef HW_I386_CPU_INTERNAL_H
#define HW_I386_CPU_INTERNAL_H

#include "qemu/bitops.h"
#include "hw/i386/cpu.h"

/* The entry of a table, or NULL. */
const struct kvm_cpuid_entry2 *
x86_cpuid_find(const struct kvm_cpuid2 *t, uint32_t leaf, uint32_t index);
/* A register of it, 0 if there is no such entry. */
uint32_t x86_cpuid_reg(const struct kvm_cpuid2 *t, uint32_t leaf,
                       uint32_t index, X86Register reg);
bool x86_config_has(const X86CPUConfig *cfg, const char *feature);

uint32_t x86_cpu_signature(const X86CPUConfig *cfg);   /* leaf 1 EAX */

/* Every key and feature by name, with the type of its value. */
void x86_cpu_config_foreach(void (*fn)(const char *name, const char *type,
                                       void *opaque), void *opaque);
/* The value of one of these. */
JsonNode *x86_cpu_config_get(const X86CPUConfig *cfg, const char *name);
/* What the filter took away, as a list of names. */
JsonNode *x86_cpu_config_unavailable(const X86CPUConfig *cfg);

/* cpu-kvm.c: a vCPU that KVM has just made gets its CPUID; its state is kept
 * as what it is to be after each reset. */
bool x86_kvm_init_vcpu(X86CPU *cpu, Error **errp);
void x86_kvm_reset_vcpu(X86CPU *cpu);
/* All RAM cached, as firmware leaves it. */
void x86_kvm_enable_mtrrs(X86CPU *cpu);
void x86_kvm_fini_vcpu(X86CPU *cpu);

#endif
