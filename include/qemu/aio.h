/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AioContext: an event loop that one thread runs (descriptors, timers, bottom
 * halves, block I/O), with adaptive polling before it sleeps.
 *
 * A device registers everything with its own context (qdev_get_context()) and
 * thereby never runs in two threads at once: in the main process the context
 * is the main loop's and the big lock is held; in a remote process it is that
 * of the link's thread.
 *
 * Unless said otherwise functions are for the owner: the thread that runs the
 * context, or the BQL holder for the main context.  Handlers may add and
 * remove handlers, themselves included.
 */
#ifndef QEMU_AIO_H
#define QEMU_AIO_H

#include <poll.h>

#include "qemu/event_notifier.h"
#include "qemu/queue.h"

typedef void IOHandler(void *opaque);
/* Looks without a system call (or with the cheapest) whether there is work and
 * does it; true if it did. */
typedef bool AioPollFn(void *opaque);
typedef void QEMUBHFunc(void *opaque);
typedef void QEMUTimerCB(void *opaque);

AioContext *aio_context_new(Error **errp);
/* Timers and bottom halves of it are freed before; NULL is ignored. */
void aio_context_free(AioContext *ctx);

/**
 * aio_set_fd_handler - watch a descriptor.
 * @io_read: called when readable or hung up, or NULL
 * @io_write: called when writable, or NULL
 * @io_poll: called while the context spins, or NULL
 * All three NULL stops watching, which is due before the descriptor is closed.
 * The descriptor stays the caller's.  An error on it calls either function.
 */
void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                        IOHandler *io_write, AioPollFn *io_poll, void *opaque);
/* @handler clears the notifier itself; NULL stops watching. */
void aio_set_event_notifier(AioContext *ctx, EventNotifier *e,
                            void (*handler)(EventNotifier *e));

/**
 * aio_poll - run what is due.
 * @blocking: sleep until something is
 * Returns true if any handler, timer or bottom half ran; a blocking call may
 * also return false, when woken without cause.  Submits queued block I/O of
 * this context before it sleeps.  Of the context's thread, a handler included.
 */
bool aio_poll(AioContext *ctx, bool blocking);

/* ppoll(2); @timeout_ns negative: without end. */
int aio_ppoll(struct pollfd *pfds, unsigned n, int64_t timeout_ns);
/* Makes the context leave its sleep.  Any thread, async-signal-safe. */
void aio_notify(AioContext *ctx);
/* For the owner who changed what a sleep depends on: costs nothing unless the
 * main loop sleeps just now (the caller is then a vCPU that holds the BQL). */
void aio_kick_sleeper(AioContext *ctx);

/**
 * aio_context_set_poll_params - bound the spin before each sleep.
 * @max_ns: 0 switches spinning off.  The time actually spent adapts itself to
 * what arrives: it grows while spinning pays and shrinks to nothing when idle.
 * It stays off on a machine with one CPU, and in the main loop.
 */
void aio_context_set_poll_params(AioContext *ctx, int64_t max_ns);

/* A function to be called once per loop before it sleeps or spins, e.g. to
 * submit a batch; removed by passing NULL for @fn.  It returns true if it also
 * completed something: then the loop does not sleep. */
void aio_set_submit_hook(AioContext *ctx, AioPollFn *fn, void *opaque);

/* A function to be called with true before the context sleeps, and with false
 * after that; it returns whether sleeping is all right.  NULL removes it. */
void aio_set_sleep_hook(AioContext *ctx, bool (*fn)(void *opaque, bool sleep),
                        void *opaque);

/*
 * Memory that somebody else writes without a notification while the context is
 * awake.  Both functions are called often, and must be quick: they may schedule
 * bottom halves, but neither run the loop nor add or remove pollers.
 */
typedef struct AioPoller {
    /* Whether there is work now: then it has been scheduled. */
    AioPollFn *look;
    /* Before each sleep: makes the other side notify from now on, and looks a
     * last time.  False: something came, and the context must not sleep. */
    AioPollFn *arm;
    void *opaque;
    QTAILQ_ENTRY(AioPoller) link;
} AioPoller;

/* @p is the caller's, until it is removed. */
void aio_add_poller(AioContext *ctx, AioPoller *p);
void aio_remove_poller(AioContext *ctx, AioPoller *p);
/* What @p was armed for is over.  For the owner, as aio_kick_sleeper(): arms it
 * again if the main loop sleeps just now. */
void aio_rearm_poller(AioContext *ctx, AioPoller *p);

/* Bottom halves: scheduled from any thread, run once by the owner, in order.
 * Cancelled and deleted (at any moment, NULL is ignored) by the owner. */
QEMUBH *aio_bh_new(AioContext *ctx, QEMUBHFunc *cb, void *opaque);
void qemu_bh_schedule(QEMUBH *bh);
void qemu_bh_cancel(QEMUBH *bh);
void qemu_bh_delete(QEMUBH *bh);
/* Allocates; for cold paths only. */
void aio_bh_schedule_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque);

/* Whether the calling thread runs the context (main context: holds the BQL);
 * true for all while nobody runs it. */
bool aio_context_is_owner(AioContext *ctx);
/* The calling thread has run it for the last time. */
void aio_context_leave(AioContext *ctx);

#endif
