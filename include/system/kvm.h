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
    void (*kick_vcpu)(CPUState *cpu);           /* leaves the guest soon */
} AccelOps;

extern const AccelOps *accel;
void accel_register(const AccelOps *ops);
/* "kvm", "kvm,opt=..", "qtest"; false: @errp names what is there. */
bool accel_configure(MachineState *ms, JsonObject *opts, Error **errp);

int kvm_irqchip_add_irqfd_notifier_gsi(EventNotifier *n, EventNotifier *rn,
                                       int gsi);
int kvm_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int gsi);

/* KVM only. */
int kvm_vm_ioctl(unsigned long request, void *arg);     /* or -errno */
int kvm_ioctl(unsigned long request, void *arg);
int kvm_check_extension(int cap);

#endif
