/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What aio.c, timer.c and main-loop.c share of an AioContext. */
#ifndef UTIL_AIO_INTERNAL_H
#define UTIL_AIO_INTERNAL_H

#include "qemu/aio.h"
#include "qemu/spin.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

typedef struct AioHandler AioHandler;
typedef QTAILQ_HEAD(TimerList, QEMUTimer) TimerList;

struct AioContext {
    /* Any thread, atomically. */
    bool notified;              /* there is something to look at */
    int sleepers;               /* threads in, or about to enter, ppoll() */
    QEMUBH *bh_new;             /* stack of scheduled bottom halves */
    const void *owner;          /* thread that ran the context last */

    /* The rest is the owner's. */
    bool is_main;
    EventNotifier notifier;
    QTAILQ_HEAD(, AioHandler) handlers;
    QTAILQ_HEAD(, AioHandler) ready;    /* descriptors with events to serve */
    int walking;                /* depth of loops over @handlers */
    bool stale;                 /* @pfds does not show @handlers */
    struct pollfd *pfds;        /* [0] is the notifier */
    AioHandler **pfd_handlers;
    unsigned npfds, pfds_room;

    QEMUBH *bh_run, **bh_run_tail;      /* queue of those to run now */

    TimerList timers[QEMU_CLOCK_MAX];   /* by time */
    uint64_t timer_seq;                 /* counts armings */

    AioPollFn *submit;
    void *submit_opaque;
    bool (*sleep)(void *opaque, bool sleep);
    void *sleep_opaque;
    QTAILQ_HEAD(, AioPoller) pollers;

    AdaptiveSpin spin;          /* before a sleep */
    int64_t fds_checked_ns;

    QTAILQ_ENTRY(AioContext) entry;     /* of all contexts */
};

/* How long this thread may sleep: 0, nanoseconds, or -1 for ever. */
int64_t aio_compute_timeout(AioContext *ctx);
/* Says that the owner sleeps from here to aio_leave_sleep(); false if it must
 * not, because it has been notified or its hook objects. */
bool aio_enter_sleep(AioContext *ctx);
void aio_leave_sleep(AioContext *ctx);
void aio_kick_all(void);
/* The descriptors to sleep on. */
const struct pollfd *aio_get_pollfds(AioContext *ctx, unsigned *n);
/* True if something completed meanwhile. */
bool aio_submit(AioContext *ctx);
/* Runs what is due; @check_fds: ask the kernel for ready descriptors first. */
bool aio_run(AioContext *ctx, bool check_fds);

int64_t timers_timeout(AioContext *ctx);
bool timers_run(AioContext *ctx);

#endif
