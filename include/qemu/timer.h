/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers.  A timer belongs to an AioContext and fires in it.
 * Times are nanoseconds.
 */
#ifndef QEMU_TIMER_H
#define QEMU_TIMER_H

#include "qemu/aio.h"

typedef enum QEMUClockType {
    QEMU_CLOCK_REALTIME,    /* monotonic, runs always */
    QEMU_CLOCK_VIRTUAL,     /* stands while the VM is stopped; under qtest it
                               moves only by qtest's clock commands */
    QEMU_CLOCK_HOST,        /* wall clock */
    QEMU_CLOCK_MAX,
} QEMUClockType;

/* Any thread. */
int64_t qemu_clock_get_ns(QEMUClockType type);
static inline int64_t qemu_clock_get_us(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_US;
}
static inline int64_t qemu_clock_get_ms(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_MS;
}

/* Stop and go of the virtual clock, which stands at 0 until it is first
 * enabled.  Its timers wait while it stands.  Any thread. */
void qemu_clock_virtual_enable(bool run);
/* qtest: the virtual clock is set by hand from now on and not stopped. */
void qemu_clock_virtual_manual(void);
/* Never goes back.  All contexts are woken for what is due by it. */
void qemu_clock_virtual_set_ns(int64_t ns);
/* When the next timer of this clock in @ctx is due, absolute; -1 if none. */
int64_t aio_next_deadline(AioContext *ctx, QEMUClockType type);

QEMUTimer *aio_timer_new(AioContext *ctx, QEMUClockType type, int scale,
                         QEMUTimerCB *cb, void *opaque);
void timer_free(QEMUTimer *t);                      /* NULL is ignored */
/* @expire: absolute, in units of the timer's scale. */
void timer_mod(QEMUTimer *t, int64_t expire);
void timer_mod_ns(QEMUTimer *t, int64_t expire_ns);
void timer_del(QEMUTimer *t);
bool timer_pending(const QEMUTimer *t);
int64_t timer_expire_time_ns(const QEMUTimer *t);   /* -1 if not pending */

#endif
