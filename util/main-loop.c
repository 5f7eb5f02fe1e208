/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop: GLib's default main context and the main AioContext in one
 * ppoll(2), which is the only moment without the big lock.  It does not spin:
 * the functions to be called while spinning would need the lock.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "aio-internal.h"

#include <sys/prctl.h>

/* GLib's poll records are the system's. */
QEMU_BUILD_BUG_ON(sizeof(GPollFD) != sizeof(struct pollfd));
QEMU_BUILD_BUG_ON(offsetof(GPollFD, revents) !=
                  offsetof(struct pollfd, revents));

static QemuMutex bql = { PTHREAD_MUTEX_INITIALIZER };
static __thread bool bql_is_mine;

static AioContext *main_ctx;
static GArray *main_fds;        /* of GPollFD: GLib's, then the context's */

void bql_lock(void)
{
    assert(!bql_is_mine);
    qemu_mutex_lock(&bql);
    bql_is_mine = true;
}

void bql_unlock(void)
{
    assert(bql_is_mine);
    bql_is_mine = false;
    qemu_mutex_unlock(&bql);
}

bool bql_locked(void)
{
    return bql_is_mine;
}

void bql_cond_wait(QemuCond *cond)
{
    assert(bql_is_mine);
    bql_is_mine = false;
    qemu_cond_wait(cond, &bql);
    bql_is_mine = true;
}

void qemu_init_main_loop(void)
{
    bql_lock();
    main_ctx = aio_context_new(&error_fatal);
    main_ctx->is_main = true;
    main_fds = g_array_new(false, false, sizeof(GPollFD));
    /* No other thread may run GLib's default context. */
    if (!g_main_context_acquire(g_main_context_default())) {
        g_assert_not_reached();
    }
    /* Sleep as long as asked, not up to 50 us more; threads inherit it. */
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

AioContext *qemu_get_aio_context(void)
{
    return main_ctx;
}

/* What GLib wants to sleep on, for *@timeout ms, goes to main_fds. */
static int glib_query(GMainContext *glib, int priority, int *timeout)
{
    int n;

    g_array_set_size(main_fds, MAX(main_fds->len, 8));
    while ((n = g_main_context_query(glib, priority, timeout,
                                     (GPollFD *)main_fds->data,
                                     main_fds->len)) > (int)main_fds->len) {
        g_array_set_size(main_fds, n);
    }
    g_array_set_size(main_fds, n);
    return n;
}

/* Sleeps without the lock; true if a descriptor of the context has events. */
static bool sleep_unlocked(int64_t timeout, int glib_n)
{
    struct pollfd *pfds;
    const struct pollfd *aio_pfds;
    bool aio_ready = false;
    unsigned aio_n;
    int ret;

    aio_pfds = aio_get_pollfds(main_ctx, &aio_n);
    g_array_append_vals(main_fds, aio_pfds, aio_n);
    pfds = (struct pollfd *)main_fds->data;

    /* Before the lock is left: who then changes a timer sees a sleeper. */
    if (!aio_enter_sleep(main_ctx)) {
        timeout = 0;
    }
    bql_unlock();
    ret = aio_ppoll(pfds, main_fds->len, timeout);
    bql_lock();
    aio_leave_sleep(main_ctx);

    for (unsigned i = 0; i < main_fds->len; i++) {
        if (ret <= 0) {
            pfds[i].revents = 0;    /* interrupted: they are not set */
        } else if (i >= glib_n && pfds[i].revents) {
            aio_ready = true;
        }
    }
    return aio_ready;
}

void main_loop_wait(bool nonblocking)
{
    GMainContext *glib = g_main_context_default();
    int priority, glib_ms, glib_n;
    int64_t timeout;
    bool aio_ready;

    nonblocking |= aio_submit(main_ctx);
    g_main_context_prepare(glib, &priority);
    glib_n = glib_query(glib, priority, &glib_ms);

    timeout = nonblocking ? 0 : aio_compute_timeout(main_ctx);
    if (glib_ms >= 0 && (timeout < 0 || timeout > glib_ms * SCALE_MS)) {
        timeout = (int64_t)glib_ms * SCALE_MS;
    }
    aio_ready = sleep_unlocked(timeout, glib_n);

    if (g_main_context_check(glib, priority, (GPollFD *)main_fds->data,
                             glib_n)) {
        g_main_context_dispatch(glib);
    }
    aio_run(main_ctx, aio_ready);
}
