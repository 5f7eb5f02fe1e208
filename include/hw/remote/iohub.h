/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOHUB: the interrupt controller of a remote process.
 *
 * Each device function has an interrupt line of its own (a pirq) and, once its
 * proxy has sent them, two eventfds: the irqfd, on which KVM raises the guest's
 * line, and the resamplefd, by which KVM tells that the guest has ended the
 * interrupt and the line was lowered.
 *
 * The contract: the irqfd is signalled when a line's count of raises goes from
 * 0 to 1, when the resamplefd fires while the count is not 0, and when
 * descriptors arrive while it is not 0; never otherwise.
 */
#ifndef HW_REMOTE_IOHUB_H
#define HW_REMOTE_IOHUB_H

#include "hw/pci/pci.h"
#include "hw/remote/link-stats.h"
#include "qemu/thread.h"

#define REMOTE_IOHUB_NB_PIRQS PCI_DEVFN_MAX

typedef struct RemoteIOHubLine {
    QemuMutex irq_level_lock;   /* guards the level and the irqfd */
    unsigned irq_level;         /* raises not yet lowered */
    EventNotifier irqfd;        /* fd -1: not sent yet */
    EventNotifier resamplefd;
    AioContext *ctx;            /* where the resamplefd is watched */
    LinkStats *stats;           /* of the link, or NULL */
} RemoteIOHubLine;

typedef struct RemoteIOHubState {
    RemoteIOHubLine lines[REMOTE_IOHUB_NB_PIRQS];
} RemoteIOHubState;

void remote_iohub_init(RemoteIOHubState *iohub);
/* No handler of a line may run any more. */
void remote_iohub_finalize(RemoteIOHubState *iohub);

/* A function's pins all are its own pirq, its devfn. */
int remote_iohub_map_irq(PCIDevice *pci_dev, int intx);
/* Counts a raise (@level 1) or a lower (0) of @pirq.  Any thread. */
void remote_iohub_set_irq(void *opaque, int pirq, int level);

/**
 * remote_iohub_set_fds - the proxy's descriptors for a line.
 * @irqfd, @resamplefd: taken over, replacing those before
 * @ctx: where the resamplefd is watched; its owner calls
 */
void remote_iohub_set_fds(RemoteIOHubState *iohub, int pirq, int irqfd,
                          int resamplefd, AioContext *ctx, LinkStats *stats);
/* The link has ended: closes the descriptors.  Owner of the context. */
void remote_iohub_clear_fds(RemoteIOHubState *iohub, int pirq);

#endif
