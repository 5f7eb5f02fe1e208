/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines: whoever holds a qemu_irq may set its level; a handler
 * answers.  Called by the owner of the device behind the line. */
#ifndef HW_IRQ_H
#define HW_IRQ_H

typedef void (*qemu_irq_handler)(void *opaque, int n, int level);

void qemu_set_irq(qemu_irq irq, int level);             /* NULL is ignored */
static inline void qemu_irq_raise(qemu_irq irq)
{
    qemu_set_irq(irq, 1);
}
static inline void qemu_irq_lower(qemu_irq irq)
{
    qemu_set_irq(irq, 0);
}
static inline void qemu_irq_pulse(qemu_irq irq)
{
    qemu_set_irq(irq, 1);
    qemu_set_irq(irq, 0);
}
/* An array of @n lines, numbered from 0; and its end. */
qemu_irq *qemu_allocate_irqs(qemu_irq_handler handler, void *opaque, int n);
void qemu_free_irqs(qemu_irq *irqs, int n);
qemu_irq qemu_allocate_irq(qemu_irq_handler handler, void *opaque, int n);
void qemu_free_irq(qemu_irq irq);
qemu_irq qemu_irq_invert(qemu_irq irq);
/* qtest: see and pass on (or, @forward false, swallow) each change. */
void qemu_irq_intercept(qemu_irq irq, qemu_irq_handler handler, void *opaque,
                        bool forward);

#endif
