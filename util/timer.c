/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers.  Each AioContext has one list of timers a clock, sorted
 * by time; there are a few dozen at most.
 *
 * The virtual clock is the monotonic clock minus an offset while it runs and a
 * constant while it stands.  Readers are any thread and take no lock: they
 * repeat if a writer was about (the count is odd, or has changed).
 *
 * Limit: a sleep is not shortened when somebody sets the wall clock, so a timer
 * of QEMU_CLOCK_HOST notices that at the next wake-up only.
 */
#include "qemu/osdep.h"
#include "qemu/thread.h"
#include "aio-internal.h"

struct QEMUTimer {
    AioContext *ctx;
    QEMUClockType type;
    int scale;
    QEMUTimerCB *cb;
    void *opaque;
    int64_t expire;             /* ns; -1: not pending */
    uint64_t seq;               /* which arming of the context this was */
    QTAILQ_ENTRY(QEMUTimer) entry;
};

typedef enum VirtualMode {
    VIRTUAL_STOPPED,
    VIRTUAL_RUNNING,
    VIRTUAL_MANUAL,
} VirtualMode;

static QemuMutex virtual_lock = { PTHREAD_MUTEX_INITIALIZER };  /* writers */
static struct {
    unsigned count;
    VirtualMode mode;
    int64_t ns;                 /* running: the offset; else the time */
} virtual_clock;

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

/* Mode and time as they were together at one moment. */
static VirtualMode virtual_read(int64_t *ns)
{
    unsigned before, after;
    VirtualMode mode;

    do {
        before = __atomic_load_n(&virtual_clock.count, __ATOMIC_ACQUIRE);
        mode = __atomic_load_n(&virtual_clock.mode, __ATOMIC_ACQUIRE);
        *ns = __atomic_load_n(&virtual_clock.ns, __ATOMIC_ACQUIRE);
        if (mode == VIRTUAL_RUNNING) {
            /* Inside, or the clock could have been stopped at an earlier time
             * than is read here, and would then seem to go back. */
            *ns = clock_ns(CLOCK_MONOTONIC) - *ns;
            __builtin_ia32_lfence();
        }
        after = __atomic_load_n(&virtual_clock.count, __ATOMIC_RELAXED);
    } while (before != after || (before & 1));
    return mode;
}

static int64_t virtual_get_ns(void)
{
    int64_t ns;

    virtual_read(&ns);
    return ns;
}

/* Goes on from the present time in @mode; virtual_lock is held. */
static void virtual_set_mode(VirtualMode mode)
{
    VirtualMode old = virtual_clock.mode;
    int64_t host, ns = virtual_clock.ns;

    /* No reader takes a time from here on. */
    __atomic_fetch_add(&virtual_clock.count, 1, __ATOMIC_SEQ_CST);
    host = clock_ns(CLOCK_MONOTONIC);
    if ((old == VIRTUAL_RUNNING) != (mode == VIRTUAL_RUNNING)) {
        ns = host - ns;
    }
    __atomic_store_n(&virtual_clock.mode, mode, __ATOMIC_RELEASE);
    __atomic_store_n(&virtual_clock.ns, ns, __ATOMIC_RELEASE);
    __atomic_fetch_add(&virtual_clock.count, 1, __ATOMIC_RELEASE);
}

int64_t qemu_clock_get_ns(QEMUClockType type)
{
    switch (type) {
    case QEMU_CLOCK_VIRTUAL:
        return virtual_get_ns();
    case QEMU_CLOCK_HOST:
        return clock_ns(CLOCK_REALTIME);
    default:
        return clock_ns(CLOCK_MONOTONIC);
    }
}

void qemu_clock_virtual_enable(bool run)
{
    qemu_mutex_lock(&virtual_lock);
    if (virtual_clock.mode != VIRTUAL_MANUAL) {
        virtual_set_mode(run ? VIRTUAL_RUNNING : VIRTUAL_STOPPED);
    }
    qemu_mutex_unlock(&virtual_lock);
    aio_kick_all();
}

void qemu_clock_virtual_manual(void)
{
    qemu_mutex_lock(&virtual_lock);
    virtual_set_mode(VIRTUAL_MANUAL);
    qemu_mutex_unlock(&virtual_lock);
    aio_kick_all();
}

void qemu_clock_virtual_set_ns(int64_t ns)
{
    qemu_mutex_lock(&virtual_lock);
    assert(virtual_clock.mode == VIRTUAL_MANUAL);
    if (ns > virtual_clock.ns) {
        __atomic_store_n(&virtual_clock.ns, ns, __ATOMIC_RELEASE);
    }
    qemu_mutex_unlock(&virtual_lock);
    aio_kick_all();
}

/* Timers of a clock that stands still wait, even those that were due. */
static bool clock_ticks(QEMUClockType type)
{
    return type != QEMU_CLOCK_VIRTUAL ||
           __atomic_load_n(&virtual_clock.mode, __ATOMIC_ACQUIRE) !=
           VIRTUAL_STOPPED;
}

int64_t aio_next_deadline(AioContext *ctx, QEMUClockType type)
{
    QEMUTimer *t = QTAILQ_FIRST(&ctx->timers[type]);

    return t ? t->expire : -1;
}

/* How long until the next one of @type is due, -1 if sleeping cannot help. */
static int64_t clock_timeout(AioContext *ctx, QEMUClockType type)
{
    QEMUTimer *t = QTAILQ_FIRST(&ctx->timers[type]);
    int64_t left;

    if (!t || !clock_ticks(type)) {
        return -1;
    }
    left = t->expire - qemu_clock_get_ns(type);
    if (left <= 0) {
        return 0;
    }
    if (type == QEMU_CLOCK_VIRTUAL &&
        __atomic_load_n(&virtual_clock.mode, __ATOMIC_ACQUIRE) ==
        VIRTUAL_MANUAL) {
        return -1;              /* who sets it, notifies */
    }
    return left;
}

int64_t timers_timeout(AioContext *ctx)
{
    int64_t timeout = -1;

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        int64_t left = clock_timeout(ctx, type);

        if (left >= 0 && (timeout < 0 || left < timeout)) {
            timeout = left;
        }
    }
    return timeout;
}

/*
 * The first that is due, of those armed before @seq: one that arms itself for
 * the past again is served in the next round of the loop.
 */
static QEMUTimer *first_due(AioContext *ctx, QEMUClockType type, int64_t now,
                            uint64_t seq)
{
    QEMUTimer *t;

    QTAILQ_FOREACH(t, &ctx->timers[type], entry) {
        if (t->expire > now) {
            break;
        }
        if (t->seq < seq) {
            return t;
        }
    }
    return NULL;
}

bool timers_run(AioContext *ctx)
{
    bool progress = false;
    QEMUTimer *t;

    for (int type = 0; type < QEMU_CLOCK_MAX; type++) {
        uint64_t seq = ctx->timer_seq;
        int64_t now;

        if (QTAILQ_EMPTY(&ctx->timers[type]) || !clock_ticks(type)) {
            continue;
        }
        now = qemu_clock_get_ns(type);
        while ((t = first_due(ctx, type, now, seq))) {
            timer_del(t);
            progress = true;
            t->cb(t->opaque);
        }
    }
    return progress;
}

QEMUTimer *aio_timer_new(AioContext *ctx, QEMUClockType type, int scale,
                         QEMUTimerCB *cb, void *opaque)
{
    QEMUTimer *t = g_new0(QEMUTimer, 1);

    t->ctx = ctx;
    t->type = type;
    t->scale = scale;
    t->cb = cb;
    t->opaque = opaque;
    t->expire = -1;
    return t;
}

void timer_free(QEMUTimer *t)
{
    if (t) {
        timer_del(t);
        g_free(t);
    }
}

void timer_mod_ns(QEMUTimer *t, int64_t expire_ns)
{
    TimerList *list = &t->ctx->timers[t->type];
    QEMUTimer *after;

    timer_del(t);
    t->expire = MAX(expire_ns, 0);
    t->seq = t->ctx->timer_seq++;
    /* From the end: most timers are armed for later than the others. */
    for (after = QTAILQ_LAST(list, TimerList);
         after && after->expire > t->expire;
         after = TAILQ_PREV(after, TimerList, entry)) {
        /* look further */
    }
    if (after) {
        QTAILQ_INSERT_AFTER(list, after, t, entry);
    } else {
        QTAILQ_INSERT_HEAD(list, t, entry);
        aio_kick_sleeper(t->ctx);
    }
}

void timer_mod(QEMUTimer *t, int64_t expire)
{
    int64_t ns;

    /* Beyond the end of time is never, which is what the caller meant. */
    if (__builtin_mul_overflow(expire, (int64_t)t->scale, &ns)) {
        ns = expire < 0 ? 0 : INT64_MAX;
    }
    timer_mod_ns(t, ns);
}

void timer_del(QEMUTimer *t)
{
    if (t->expire >= 0) {
        QTAILQ_REMOVE(&t->ctx->timers[t->type], t, entry);
        t->expire = -1;
    }
}

bool timer_pending(const QEMUTimer *t)
{
    return t->expire >= 0;
}

int64_t timer_expire_time_ns(const QEMUTimer *t)
{
    return t->expire;
}
