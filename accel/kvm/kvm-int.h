/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of accel/kvm share among themselves. */
#ifndef ACCEL_KVM_INT_H
#define ACCEL_KVM_INT_H

#include <linux/kvm.h>
#include "system/cpus.h"
#include "system/kvm.h"

#define KVM_SIG_IPI SIGUSR1

/* kvm-memory.c: guest RAM and ioeventfds from the address spaces. */
bool kvm_memory_init(Error **errp);

/* kvm-irq.c */
bool kvm_irqchip_init(MachineState *ms, Error **errp);
void kvm_set_gsi(int gsi, int level);
void kvm_send_msi(MSIMessage msg);
int kvm_add_irqfd(int gsi, EventNotifier *e, EventNotifier *resample);
int kvm_remove_irqfd(int gsi, EventNotifier *e);

/* kvm-cpus.c */
void kvm_cpus_init(void);
bool kvm_create_vcpu(CPUState *cpu, Error **errp);
void kvm_destroy_vcpu(CPUState *cpu);
void kvm_kick_vcpu(CPUState *cpu);
/* Between the two no vCPU is in the guest.  BQL. */
void kvm_inhibit_begin(void);
void kvm_inhibit_end(void);

#endif
