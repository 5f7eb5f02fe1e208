/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines: a handler, what it belongs to, and its number there. */
#include "qemu/osdep.h"
#include "hw/irq.h"

struct IRQState {
    qemu_irq_handler handler;
    void *opaque;
    int n;
    /* Set by qemu_irq_intercept: who sees each change first. */
    qemu_irq_handler observer;
    void *observer_opaque;
    bool swallow;
};

void qemu_set_irq(qemu_irq irq, int level)
{
    if (!irq) {
        return;
    }
    if (unlikely(irq->observer)) {
        irq->observer(irq->observer_opaque, irq->n, level);
        if (irq->swallow) {
            return;
        }
    }
    irq->handler(irq->opaque, irq->n, level);
}

qemu_irq qemu_allocate_irq(qemu_irq_handler handler, void *opaque, int n)
{
    qemu_irq irq = g_new0(struct IRQState, 1);

    irq->handler = handler;
    irq->opaque = opaque;
    irq->n = n;
    return irq;
}

void qemu_free_irq(qemu_irq irq)
{
    g_free(irq);
}

qemu_irq *qemu_allocate_irqs(qemu_irq_handler handler, void *opaque, int n)
{
    qemu_irq *irqs = g_new(qemu_irq, n);

    for (int i = 0; i < n; i++) {
        irqs[i] = qemu_allocate_irq(handler, opaque, i);
    }
    return irqs;
}

void qemu_free_irqs(qemu_irq *irqs, int n)
{
    for (int i = 0; i < n; i++) {
        qemu_free_irq(irqs[i]);
    }
    g_free(irqs);
}

static void irq_set_inverted(void *opaque, int n, int level)
{
    qemu_set_irq(opaque, !level);
}

qemu_irq qemu_irq_invert(qemu_irq irq)
{
    return qemu_allocate_irq(irq_set_inverted, irq, 0);
}

void qemu_irq_intercept(qemu_irq irq, qemu_irq_handler handler, void *opaque,
                        bool forward)
{
    irq->observer = handler;
    irq->observer_opaque = opaque;
    irq->swallow = !forward;
}
