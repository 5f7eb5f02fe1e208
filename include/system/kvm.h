/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM as the rest of the machine sees it.  Without -accel kvm the irqfd calls
 * are answered by the accelerator in use (qtest's userspace chip), so a caller
 * never asks which one it is.
 */
#ifndef SYSTEM_KVM_H
#define SYSTEM_KVM_H

#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "hw/irq.h"
#include "hw/pci/msi.h"

extern bool kvm_allowed;
#define kvm_enabled() (kvm_allowed)

/* What an accelerator does for the machine. */
typedef struct AccelOps {
    const char *name;
    /* Opens it and makes the VM. */
    bool (*init)(MachineState *ms, Error **errp);
    /* Interrupt chips; afterwards the GSI lines exist. */
    bool (*irqchip_create)(MachineState *ms, Error **errp);
    void (*set_gsi)(int gsi, int level);
    void (*send_msi)(MSIMessage msg);
    /* @e raises @gsi; @resample (or NULL) is signalled when the guest has
     * ended it and the line was lowered.  0 or -errno.  BQL. */
    int (*add_irqfd)(int gsi, EventNotifier *e, EventNotifier *resample);
    int (*remove_irqfd)(int gsi, EventNotifier *e);
    /* Starts a vCPU's thread. */
    bool (*create_vcpu)(CPUState *cpu, Error **errp);
    void (*destroy_vcpu)(CPUState *cpu);        /* its thread has ended */
    /* Makes the vCPU leave the guest; async-signal-safe, any thread. */
    void (*kick_vcpu)(CPUState *cpu);
    int (*max_vcpus)(void);
} AccelOps;

/* Calls that an accelerator leaves NULL are not made. */
extern const AccelOps *accel;
void accel_register(const AccelOps *ops);
/* The first that works of "kvm:qtest" in @opts (or NULL: "kvm"); false: @errp
 * says why none does. */
bool accel_configure(MachineState *ms, JsonObject *opts, Error **errp);
/* "-accel help", whatever @name is. */
bool accel_help(GString *out, const char *name, Error **errp);

int kvm_irqchip_add_irqfd_notifier_gsi(EventNotifier *n, EventNotifier *rn,
                                       int gsi);
int kvm_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int gsi);
/* How many are at @gsi. */
unsigned kvm_irqchip_irqfds(int gsi);

/* KVM only; each returns what the ioctl did, or -errno. */
int kvm_ioctl(unsigned long request, void *arg);
int kvm_vm_ioctl(unsigned long request, void *arg);
/* The vCPU stands still or the caller is its thread. */
int kvm_vcpu_ioctl(CPUState *cpu, unsigned long request, void *arg);
int kvm_check_extension(int cap);       /* of the VM; 0: it has it not */
struct kvm_cpuid2;
/* What guests may be shown; lives as long as the VM. */
const struct kvm_cpuid2 *kvm_get_supported_cpuid(void);

/* Guest addresses that KVM uses for itself: below the firmware, to be kept
 * out of RAM and shown as reserved. */
#define KVM_IDENTITY_BASE 0xfeffc000ULL
#define KVM_RESERVED_END 0xff000000ULL

#endif
