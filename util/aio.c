/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AioContext: ppoll(2) over descriptors, timers and bottom halves.
 *
 * Waking up: who has work for a context publishes it, sets `notified`, and
 * then writes the notifier only if a thread sleeps.  The owner announces its
 * sleep in `sleepers` and only then looks at `notified` a last time.  Both do
 * their two steps in sequentially consistent order, so at least one of them
 * sees the other.
 *
 * Handlers may call aio_poll() again.  So nothing that a loop needs is on its
 * stack: events to serve wait in ctx->ready, bottom halves in ctx->bh_run, and
 * removed handlers stay allocated while any loop walks over the list.
 *
 * Spinning: what arrives soon after the last event is awaited awake, because a
 * wake-up costs more than most of what is done here.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "aio-internal.h"

/* While handlers' io_poll functions bring work, or none yet, the other
 * descriptors are looked at this often. */
#define FDS_CHECK_NS (10 * SCALE_US)
struct AioHandler {
    int fd;
    bool deleted;
    bool is_ready;              /* in ctx->ready */
    short revents;
    IOHandler *io_read, *io_write;
    AioPollFn *io_poll;
    void *opaque;
    void (*notify)(EventNotifier *e);
    EventNotifier *notifier;
    QTAILQ_ENTRY(AioHandler) entry;
    QTAILQ_ENTRY(AioHandler) ready_entry;
};

enum {
    BH_PENDING = 1,             /* in bh_new or bh_run */
    BH_SCHEDULED = 2,           /* to be called when taken out */
    BH_DELETED = 4,             /* to be freed when taken out */
    BH_ONESHOT = 8,             /* to be freed after its call */
};

struct QEMUBH {
    AioContext *ctx;
    QEMUBHFunc *cb;
    void *opaque;
    QEMUBH *next;
    unsigned flags;
};

static QemuMutex contexts_lock = { PTHREAD_MUTEX_INITIALIZER };
static QTAILQ_HEAD(, AioContext) contexts =
    QTAILQ_HEAD_INITIALIZER(contexts);

/* Its address tells threads apart. */
static __thread char this_thread;

/* -- Life ----------------------------------------------------------------- */

AioContext *aio_context_new(Error **errp)
{
    AioContext *ctx = g_new0(AioContext, 1);
    int ret = event_notifier_init(&ctx->notifier, false);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "Cannot create an event notifier");
        g_free(ctx);
        return NULL;
    }
    QTAILQ_INIT(&ctx->handlers);
    QTAILQ_INIT(&ctx->ready);
    QTAILQ_INIT(&ctx->pollers);
    ctx->stale = true;
    ctx->bh_run_tail = &ctx->bh_run;
    for (int i = 0; i < QEMU_CLOCK_MAX; i++) {
        QTAILQ_INIT(&ctx->timers[i]);
    }
    qemu_mutex_lock(&contexts_lock);
    QTAILQ_INSERT_TAIL(&contexts, ctx, entry);
    qemu_mutex_unlock(&contexts_lock);
    return ctx;
}

static void collect_bhs(AioContext *ctx);

void aio_context_free(AioContext *ctx)
{
    AioHandler *h, *next_h;
    QEMUBH *bh, *next_bh;

    if (!ctx) {
        return;
    }
    qemu_mutex_lock(&contexts_lock);
    QTAILQ_REMOVE(&contexts, ctx, entry);
    qemu_mutex_unlock(&contexts_lock);

    QTAILQ_FOREACH_SAFE(h, &ctx->handlers, entry, next_h) {
        g_free(h);
    }
    collect_bhs(ctx);
    for (bh = ctx->bh_run; bh; bh = next_bh) {
        next_bh = bh->next;
        bh->flags &= ~BH_PENDING;
        if (bh->flags & (BH_DELETED | BH_ONESHOT)) {
            g_free(bh);
        }
    }
    event_notifier_cleanup(&ctx->notifier);
    g_free(ctx->pfds);
    g_free(ctx->pfd_handlers);
    g_free(ctx);
}

bool aio_context_is_owner(AioContext *ctx)
{
    const void *owner;

    if (ctx->is_main) {
        return bql_locked();
    }
    owner = __atomic_load_n(&ctx->owner, __ATOMIC_RELAXED);
    return !owner || owner == &this_thread;
}

void aio_context_leave(AioContext *ctx)
{
    __atomic_store_n(&ctx->owner, NULL, __ATOMIC_RELEASE);
}

void aio_context_set_poll_params(AioContext *ctx, int64_t max_ns)
{
    adaptive_spin_init(&ctx->spin, max_ns);
}

void aio_set_submit_hook(AioContext *ctx, AioPollFn *fn, void *opaque)
{
    ctx->submit = fn;
    ctx->submit_opaque = opaque;
}

void aio_set_sleep_hook(AioContext *ctx, bool (*fn)(void *opaque, bool sleep),
                        void *opaque)
{
    ctx->sleep = fn;
    ctx->sleep_opaque = opaque;
}

bool aio_submit(AioContext *ctx)
{
    return ctx->submit && ctx->submit(ctx->submit_opaque);
}

/* -- Waking up ------------------------------------------------------------ */

void aio_notify(AioContext *ctx)
{
    if (!__atomic_exchange_n(&ctx->notified, true, __ATOMIC_SEQ_CST) &&
        __atomic_load_n(&ctx->sleepers, __ATOMIC_SEQ_CST)) {
        event_notifier_set(&ctx->notifier);
    }
}

static bool is_notified(AioContext *ctx)
{
    return __atomic_load_n(&ctx->notified, __ATOMIC_SEQ_CST);
}

void aio_add_poller(AioContext *ctx, AioPoller *p)
{
    QTAILQ_INSERT_TAIL(&ctx->pollers, p, link);
    aio_kick_sleeper(ctx);
}

void aio_remove_poller(AioContext *ctx, AioPoller *p)
{
    QTAILQ_REMOVE(&ctx->pollers, p, link);
}

void aio_rearm_poller(AioContext *ctx, AioPoller *p)
{
    /* One that has been notified arms all before it sleeps again. */
    if (__atomic_load_n(&ctx->sleepers, __ATOMIC_SEQ_CST) &&
        !is_notified(ctx) && !p->arm(p->opaque)) {
        aio_notify(ctx);
    }
}

static bool look_around(AioContext *ctx)
{
    bool found = false;
    AioPoller *p;

    QTAILQ_FOREACH(p, &ctx->pollers, link) {
        found |= p->look(p->opaque);
    }
    return found;
}

static bool arm_pollers(AioContext *ctx)
{
    bool armed = true;
    AioPoller *p;

    QTAILQ_FOREACH(p, &ctx->pollers, link) {
        armed &= p->arm(p->opaque);
    }
    return armed;
}

bool aio_enter_sleep(AioContext *ctx)
{
    bool armed = arm_pollers(ctx);

    __atomic_fetch_add(&ctx->sleepers, 1, __ATOMIC_SEQ_CST);
    return armed && !is_notified(ctx) &&
           (!ctx->sleep || ctx->sleep(ctx->sleep_opaque, true));
}

void aio_leave_sleep(AioContext *ctx)
{
    __atomic_fetch_sub(&ctx->sleepers, 1, __ATOMIC_SEQ_CST);
    if (ctx->sleep) {
        ctx->sleep(ctx->sleep_opaque, false);
    }
}

void aio_kick_sleeper(AioContext *ctx)
{
    /* While the owner is awake it looks at everything before it sleeps. */
    if (__atomic_load_n(&ctx->sleepers, __ATOMIC_SEQ_CST)) {
        aio_notify(ctx);
    }
}

void aio_kick_all(void)
{
    AioContext *ctx;

    QEMU_LOCK_GUARD(&contexts_lock);
    QTAILQ_FOREACH(ctx, &contexts, entry) {
        aio_notify(ctx);
    }
}

/* -- Bottom halves -------------------------------------------------------- */

static QEMUBH *bh_new(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                      unsigned flags)
{
    QEMUBH *bh = g_new(QEMUBH, 1);

    *bh = (QEMUBH) {
        .ctx = ctx, .cb = cb, .opaque = opaque, .flags = flags,
    };
    return bh;
}

QEMUBH *aio_bh_new(AioContext *ctx, QEMUBHFunc *cb, void *opaque)
{
    return bh_new(ctx, cb, opaque, 0);
}

/* From here on @bh may be run and freed at any moment. */
static void bh_push(AioContext *ctx, QEMUBH *bh)
{
    bh->next = __atomic_load_n(&ctx->bh_new, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&ctx->bh_new, &bh->next, bh, true,
                                        __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
        /* bh->next now has the value found */
    }
    aio_notify(ctx);
}

void qemu_bh_schedule(QEMUBH *bh)
{
    AioContext *ctx = bh->ctx;

    /* Release and acquire: what the caller wrote before is seen by the call. */
    if (!(__atomic_fetch_or(&bh->flags, BH_PENDING | BH_SCHEDULED,
                            __ATOMIC_ACQ_REL) & BH_PENDING)) {
        bh_push(ctx, bh);
    }
}

void qemu_bh_cancel(QEMUBH *bh)
{
    __atomic_fetch_and(&bh->flags, ~BH_SCHEDULED, __ATOMIC_ACQ_REL);
}

void qemu_bh_delete(QEMUBH *bh)
{
    if (bh && !(__atomic_fetch_or(&bh->flags, BH_DELETED, __ATOMIC_ACQ_REL) &
                BH_PENDING)) {
        g_free(bh);
    }
}

void aio_bh_schedule_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque)
{
    bh_push(ctx, bh_new(ctx, cb, opaque,
                        BH_PENDING | BH_SCHEDULED | BH_ONESHOT));
}

/* Moves what was scheduled, newest first, to the end of the queue, in order. */
static void collect_bhs(AioContext *ctx)
{
    QEMUBH *bh = __atomic_exchange_n(&ctx->bh_new, NULL, __ATOMIC_ACQUIRE);
    QEMUBH *first = NULL, *last = bh;

    while (bh) {
        QEMUBH *next = bh->next;

        bh->next = first;
        first = bh;
        bh = next;
    }
    if (first) {
        *ctx->bh_run_tail = first;
        ctx->bh_run_tail = &last->next;
    }
}

static bool run_bhs(AioContext *ctx)
{
    bool progress = false;
    QEMUBH *bh;

    collect_bhs(ctx);
    while ((bh = ctx->bh_run)) {
        QEMUBHFunc *cb = bh->cb;
        void *opaque = bh->opaque;
        unsigned flags;

        ctx->bh_run = bh->next;
        if (!ctx->bh_run) {
            ctx->bh_run_tail = &ctx->bh_run;
        }
        flags = __atomic_fetch_and(&bh->flags, ~(BH_PENDING | BH_SCHEDULED),
                                   __ATOMIC_ACQ_REL);
        if (flags & (BH_DELETED | BH_ONESHOT)) {
            g_free(bh);
        }
        if ((flags & BH_SCHEDULED) && !(flags & BH_DELETED)) {
            progress = true;
            cb(opaque);
        }
    }
    return progress;
}

/* -- Descriptors ---------------------------------------------------------- */

static void run_notifier(void *opaque)
{
    AioHandler *h = opaque;

    h->notify(h->notifier);
}

static AioHandler *find_handler(AioContext *ctx, int fd)
{
    AioHandler *h;

    QTAILQ_FOREACH(h, &ctx->handlers, entry) {
        if (h->fd == fd && !h->deleted) {
            return h;
        }
    }
    return NULL;
}

static void unready(AioContext *ctx, AioHandler *h)
{
    if (h->is_ready) {
        QTAILQ_REMOVE(&ctx->ready, h, ready_entry);
        h->is_ready = false;
    }
    h->revents = 0;
}

/* Takes @h out of use; it is freed when nobody walks over it. */
static void retire(AioContext *ctx, AioHandler *h)
{
    unready(ctx, h);
    h->deleted = true;
    ctx->stale = true;
}

static AioHandler *set_handler(AioContext *ctx, int fd)
{
    AioHandler *h = find_handler(ctx, fd);

    if (!h) {
        h = g_new0(AioHandler, 1);
        h->fd = fd;
        QTAILQ_INSERT_TAIL(&ctx->handlers, h, entry);
    }
    ctx->stale = true;
    return h;
}

void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                        IOHandler *io_write, AioPollFn *io_poll, void *opaque)
{
    AioHandler *h;

    if (!io_read && !io_write && !io_poll) {
        h = find_handler(ctx, fd);
        if (h) {
            retire(ctx, h);
        }
    } else {
        h = set_handler(ctx, fd);
        h->io_read = io_read;
        h->io_write = io_write;
        h->io_poll = io_poll;
        h->opaque = opaque;
    }
    aio_kick_sleeper(ctx);
}

void aio_set_event_notifier(AioContext *ctx, EventNotifier *e,
                            void (*handler)(EventNotifier *e))
{
    AioHandler *h;

    if (!handler) {
        aio_set_fd_handler(ctx, e->fd, NULL, NULL, NULL, NULL);
        return;
    }
    h = set_handler(ctx, e->fd);
    h->notify = handler;
    h->notifier = e;
    aio_set_fd_handler(ctx, e->fd, run_notifier, NULL, NULL, h);
}

static short wanted_events(const AioHandler *h)
{
    return (h->io_read ? POLLIN : 0) | (h->io_write ? POLLOUT : 0);
}

static void rebuild_pollfds(AioContext *ctx)
{
    AioHandler *h, *next;
    unsigned n = 1;

    QTAILQ_FOREACH_SAFE(h, &ctx->handlers, entry, next) {
        if (h->deleted && !ctx->walking) {
            QTAILQ_REMOVE(&ctx->handlers, h, entry);
            g_free(h);
        } else {
            n++;
        }
    }
    if (n > ctx->pfds_room) {
        ctx->pfds_room = n * 2;
        ctx->pfds = g_renew(struct pollfd, ctx->pfds, ctx->pfds_room);
        ctx->pfd_handlers = g_renew(AioHandler *, ctx->pfd_handlers,
                                    ctx->pfds_room);
    }
    ctx->pfds[0] = (struct pollfd) { ctx->notifier.fd, POLLIN, 0 };
    n = 1;
    QTAILQ_FOREACH(h, &ctx->handlers, entry) {
        /* Without a function to call, a hangup would be reported for ever. */
        if (!h->deleted && wanted_events(h)) {
            ctx->pfds[n] = (struct pollfd) { h->fd, wanted_events(h), 0 };
            ctx->pfd_handlers[n++] = h;
        }
    }
    ctx->npfds = n;
    /* Those that a walk has kept are to be freed some time. */
    ctx->stale = ctx->walking;
}

const struct pollfd *aio_get_pollfds(AioContext *ctx, unsigned *n)
{
    if (ctx->stale) {
        rebuild_pollfds(ctx);
    }
    *n = ctx->npfds;
    return ctx->pfds;
}

int aio_ppoll(struct pollfd *pfds, unsigned n, int64_t timeout_ns)
{
    struct timespec ts = {
        .tv_sec = timeout_ns / NANOSECONDS_PER_SECOND,
        .tv_nsec = timeout_ns % NANOSECONDS_PER_SECOND,
    };

    return ppoll(pfds, n, timeout_ns < 0 ? NULL : &ts, NULL);
}

/* Waits for descriptors up to @timeout ns; those with events become ready. */
static bool wait_fds(AioContext *ctx, int64_t timeout)
{
    bool found = false;
    unsigned n;

    aio_get_pollfds(ctx, &n);
    if (timeout) {
        if (!aio_enter_sleep(ctx)) {
            timeout = 0;
        }
        if (aio_ppoll(ctx->pfds, n, timeout) <= 0) {
            n = 0;
        }
        aio_leave_sleep(ctx);
    } else if (aio_ppoll(ctx->pfds, n, 0) <= 0) {
        n = 0;
    }
    if (n && ctx->pfds[0].revents) {
        event_notifier_test_and_clear(&ctx->notifier);
    }
    for (unsigned i = 1; i < n; i++) {
        AioHandler *h = ctx->pfd_handlers[i];
        short revents = ctx->pfds[i].revents;

        if (!revents) {
            continue;
        }
        if (revents & POLLNVAL) {
            error_report("Descriptor %d was closed while it was watched",
                         h->fd);
            retire(ctx, h);
            continue;
        }
        h->revents = revents;
        if (!h->is_ready) {
            h->is_ready = true;
            QTAILQ_INSERT_TAIL(&ctx->ready, h, ready_entry);
        }
        found = true;
    }
    return found;
}

/*
 * Serves ctx->ready.  A handler stays in the list while it still has a function
 * to be called, so that whatever the first call does to it is known here.
 */
static bool run_ready(AioContext *ctx)
{
    bool progress = false;
    AioHandler *h;

    while ((h = QTAILQ_FIRST(&ctx->ready))) {
        IOHandler *fn = h->io_write;
        void *opaque = h->opaque;
        short left = 0;

        if (h->io_read && (h->revents & (POLLIN | POLLHUP | POLLERR))) {
            fn = h->io_read;
            left = h->io_write ? h->revents & POLLOUT : 0;
        }
        if (left) {
            h->revents = left;
        } else {
            unready(ctx, h);
        }
        if (fn) {
            progress = true;
            fn(opaque);
        }
    }
    return progress;
}

/* -- The loop ------------------------------------------------------------- */

int64_t aio_compute_timeout(AioContext *ctx)
{
    if (is_notified(ctx) || ctx->bh_run || !QTAILQ_EMPTY(&ctx->ready)) {
        return 0;
    }
    return timers_timeout(ctx);
}

static bool run_poll_fns(AioContext *ctx)
{
    bool progress = false;
    AioHandler *h;

    ctx->walking++;
    QTAILQ_FOREACH(h, &ctx->handlers, entry) {
        if (!h->deleted && h->io_poll && h->io_poll(h->opaque)) {
            progress = true;
        }
    }
    ctx->walking--;
    return progress;
}

/*
 * Waits awake, up to @timeout ns (-1: without end) or as long as that is worth
 * it.  Returns true if something came: then *@progress tells if it has been
 * served already.
 */
static bool spin(AioContext *ctx, int64_t timeout, bool *progress)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME), start = now;

    if (!adaptive_spin_begin(&ctx->spin, now)) {
        return false;
    }
    do {
        *progress = run_poll_fns(ctx);
        *progress |= look_around(ctx);
        if (*progress || is_notified(ctx)) {
            adaptive_spin_paid(&ctx->spin, now);
            return true;
        }
        if (now - ctx->fds_checked_ns >= FDS_CHECK_NS) {
            ctx->fds_checked_ns = now;
            if (wait_fds(ctx, 0)) {
                adaptive_spin_paid(&ctx->spin, now);
                return true;
            }
        }
        __builtin_ia32_pause();
        now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        if (timeout >= 0 && now - start >= timeout) {
            return true;
        }
    } while (adaptive_spin_more(&ctx->spin, now));
    return false;
}

/* Spins and sleeps until something is there.  True if it has been served. */
static bool wait_adaptively(AioContext *ctx, int64_t timeout)
{
    bool progress = false;
    int64_t begin;

    if (!ctx->spin.max_ns) {
        wait_fds(ctx, timeout);
        return false;
    }
    begin = timeout > 0 ? qemu_clock_get_ns(QEMU_CLOCK_REALTIME) : 0;
    if (!spin(ctx, timeout, &progress)) {
        if (timeout > 0) {
            timeout -= qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - begin;
            timeout = MAX(timeout, 0);
        }
        wait_fds(ctx, timeout);
    }
    return progress;
}

bool aio_run(AioContext *ctx, bool check_fds)
{
    bool progress = false;

    if (check_fds) {
        wait_fds(ctx, 0);
    }
    /* Before handlers look at what depends on it. */
    look_around(ctx);
    /* First forget the notification, then look: what comes later sets it.  An
     * exchange, to see also what those published who found it set. */
    (void)__atomic_exchange_n(&ctx->notified, false, __ATOMIC_SEQ_CST);
    progress |= run_bhs(ctx);
    progress |= run_ready(ctx);
    progress |= timers_run(ctx);
    return progress;
}

bool aio_poll(AioContext *ctx, bool blocking)
{
    bool progress, check_fds = true;
    int64_t timeout;

    __atomic_store_n(&ctx->owner, &this_thread, __ATOMIC_RELAXED);
    progress = aio_submit(ctx);
    timeout = blocking && !progress ? aio_compute_timeout(ctx) : 0;
    if (timeout) {
        progress = wait_adaptively(ctx, timeout);
        check_fds = false;
    }
    if (blocking && progress) {
        int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

        /* Busy with what is polled for; the others must not starve. */
        check_fds = now - ctx->fds_checked_ns >= FDS_CHECK_NS;
        if (check_fds) {
            ctx->fds_checked_ns = now;
        }
    }
    return aio_run(ctx, check_fds) || progress;
}
