/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOHUB: from a device's INTx level to the guest's interrupt controller, by
 * way of two eventfds that KVM holds the other ends of.
 *
 * A raise is one write.  The level is counted, so that several raisers of one
 * line may overlap; only the first raise is signalled, because the line then
 * stays up in the guest until it has ended the interrupt.  KVM lowers it then
 * and fires the resamplefd: if the count is not 0 the device still wants
 * attention, and the line goes up again.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/aio.h"
#include "hw/remote/iohub.h"

static void line_signal(RemoteIOHubLine *line)
{
    if (line->irqfd.fd >= 0) {
        event_notifier_set(&line->irqfd);
        if (line->stats) {
            link_stats_inc(&line->stats->raised);
        }
    }
}

int remote_iohub_map_irq(PCIDevice *pci_dev, int intx)
{
    return pci_dev->devfn;
}

void remote_iohub_set_irq(void *opaque, int pirq, int level)
{
    RemoteIOHubState *iohub = opaque;
    RemoteIOHubLine *line = &iohub->lines[pirq];

    assert(pirq >= 0 && pirq < REMOTE_IOHUB_NB_PIRQS);
    QEMU_LOCK_GUARD(&line->irq_level_lock);
    if (level) {
        if (line->irq_level++ == 0) {
            trace_event("remote_iohub_raise", "pirq %d", pirq);
            line_signal(line);
        }
    } else if (line->irq_level) {
        line->irq_level--;
    }
}

static void line_resample(EventNotifier *e)
{
    RemoteIOHubLine *line = container_of(e, RemoteIOHubLine, resamplefd);

    if (!event_notifier_test_and_clear(e)) {
        return;
    }
    QEMU_LOCK_GUARD(&line->irq_level_lock);
    if (line->stats) {
        link_stats_inc(&line->stats->resampled);
    }
    trace_event("remote_iohub_resample", "level %u", line->irq_level);
    if (line->irq_level) {
        line_signal(line);
        if (line->stats) {
            link_stats_inc(&line->stats->reraised);
        }
    }
}

void remote_iohub_clear_fds(RemoteIOHubState *iohub, int pirq)
{
    RemoteIOHubLine *line = &iohub->lines[pirq];

    QEMU_LOCK_GUARD(&line->irq_level_lock);
    if (line->irqfd.fd < 0) {
        return;
    }
    aio_set_event_notifier(line->ctx, &line->resamplefd, NULL);
    event_notifier_cleanup(&line->irqfd);
    event_notifier_cleanup(&line->resamplefd);
    line->ctx = NULL;
    line->stats = NULL;
}

void remote_iohub_set_fds(RemoteIOHubState *iohub, int pirq, int irqfd,
                          int resamplefd, AioContext *ctx, LinkStats *stats)
{
    RemoteIOHubLine *line = &iohub->lines[pirq];

    remote_iohub_clear_fds(iohub, pirq);
    QEMU_LOCK_GUARD(&line->irq_level_lock);
    event_notifier_init_fd(&line->irqfd, irqfd);
    event_notifier_init_fd(&line->resamplefd, resamplefd);
    line->ctx = ctx;
    line->stats = stats;
    aio_set_event_notifier(ctx, &line->resamplefd, line_resample);
    /* It asks for the level, perhaps; one answer is enough. */
    event_notifier_test_and_clear(&line->resamplefd);
    if (line->irq_level) {
        line_signal(line);
    }
}

void remote_iohub_init(RemoteIOHubState *iohub)
{
    memset(iohub, 0, sizeof(*iohub));
    for (int pirq = 0; pirq < REMOTE_IOHUB_NB_PIRQS; pirq++) {
        qemu_mutex_init(&iohub->lines[pirq].irq_level_lock);
        iohub->lines[pirq].irqfd.fd = -1;
        iohub->lines[pirq].resamplefd.fd = -1;
    }
}

void remote_iohub_finalize(RemoteIOHubState *iohub)
{
    for (int pirq = 0; pirq < REMOTE_IOHUB_NB_PIRQS; pirq++) {
        remote_iohub_clear_fds(iohub, pirq);
        qemu_mutex_destroy(&iohub->lines[pirq].irq_level_lock);
    }
}
