/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, locks, conditions. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"

typedef struct Shared {
    QemuMutex lock;
    QemuCond cond;
    QemuThread thread;
    unsigned count;
    unsigned turn;
} Shared;

static void set_up(Shared *s, gconstpointer unused)
{
    qemu_mutex_init(&s->lock);
    qemu_cond_init(&s->cond);
    s->count = s->turn = 0;
}

static void tear_down(Shared *s, gconstpointer unused)
{
    qemu_cond_destroy(&s->cond);
    qemu_mutex_destroy(&s->lock);
}

static void *count_guarded(void *opaque)
{
    Shared *s = opaque;

    for (int i = 0; i < 10000; i++) {
        QEMU_LOCK_GUARD(&s->lock);
        s->count++;
    }
    return s;
}

static void test_mutex(Shared *s, gconstpointer unused)
{
    QemuThread threads[3];

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        g_assert_true(qemu_thread_create(&threads[i], "counter",
                                         count_guarded, s, &error_abort));
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        g_assert_true(qemu_thread_join(&threads[i]) == s);
    }
    g_assert_cmpuint(s->count, ==, 30000);
}

static void *try_lock(void *opaque)
{
    Shared *s = opaque;
    bool got = qemu_mutex_trylock(&s->lock);

    if (got) {
        qemu_mutex_unlock(&s->lock);
    }
    return got ? s : NULL;
}

static void test_trylock(Shared *s, gconstpointer unused)
{
    qemu_mutex_lock(&s->lock);
    g_assert_true(qemu_thread_create(&s->thread, "try", try_lock, s,
                                     &error_abort));
    g_assert_null(qemu_thread_join(&s->thread));
    qemu_mutex_unlock(&s->lock);
    g_assert_nonnull(try_lock(s));
}

static void test_guard_ends(Shared *s, gconstpointer unused)
{
    for (int i = 0; i < 2; i++) {
        QEMU_LOCK_GUARD(&s->lock);
        if (i == 0) {
            continue;
        }
        s->count++;
    }
    g_assert_nonnull(try_lock(s));
}

/* Two threads take turns. */
static void take_turns(Shared *s, unsigned me)
{
    qemu_mutex_lock(&s->lock);
    for (int i = 0; i < 1000; i++) {
        while (s->turn != me) {
            qemu_cond_wait(&s->cond, &s->lock);
        }
        s->count++;
        s->turn = !me;
        qemu_cond_signal(&s->cond);
    }
    qemu_mutex_unlock(&s->lock);
}

static void *second(void *opaque)
{
    take_turns(opaque, 1);
    return NULL;
}

static void test_cond(Shared *s, gconstpointer unused)
{
    g_assert_true(qemu_thread_create(&s->thread, "second", second, s,
                                     &error_abort));
    take_turns(s, 0);
    qemu_thread_join(&s->thread);
    g_assert_cmpuint(s->count, ==, 2000);
}

static void test_timedwait(Shared *s, gconstpointer unused)
{
    gint64 start = g_get_monotonic_time();
    bool woken;

    qemu_mutex_lock(&s->lock);
    do {
        woken = qemu_cond_timedwait(&s->cond, &s->lock, 10);
    } while (woken);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 9000);
    qemu_mutex_unlock(&s->lock);
}

static void *wake(void *opaque)
{
    Shared *s = opaque;

    qemu_mutex_lock(&s->lock);
    s->turn = 1;
    qemu_cond_broadcast(&s->cond);
    qemu_mutex_unlock(&s->lock);
    return NULL;
}

static void test_timedwait_woken(Shared *s, gconstpointer unused)
{
    qemu_mutex_lock(&s->lock);
    g_assert_true(qemu_thread_create(&s->thread, "wake", wake, s,
                                     &error_abort));
    while (!s->turn) {
        g_assert_true(qemu_cond_timedwait(&s->cond, &s->lock, 60000));
    }
    qemu_mutex_unlock(&s->lock);
    qemu_thread_join(&s->thread);
}

static void *look_around(void *opaque)
{
    Shared *s = opaque;
    char name[16];
    sigset_t mask;

    pthread_getname_np(pthread_self(), name, sizeof(name));
    g_assert_cmpstr(name, ==, "a-very-long-thr");
    qemu_mutex_lock(&s->lock);          /* until create has returned */
    qemu_mutex_unlock(&s->lock);
    g_assert_true(qemu_thread_is_self(&s->thread));
    g_assert_false(bql_locked());
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    g_assert_true(sigismember(&mask, SIGTERM));
    return NULL;
}

static void test_identity(Shared *s, gconstpointer unused)
{
    sigset_t mask;

    qemu_mutex_lock(&s->lock);
    g_assert_true(qemu_thread_create(&s->thread, "a-very-long-thread-name",
                                     look_around, s, &error_abort));
    g_assert_false(qemu_thread_is_self(&s->thread));
    qemu_mutex_unlock(&s->lock);
    qemu_thread_join(&s->thread);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    g_assert_false(sigismember(&mask, SIGTERM));
}

static void *count_bql(void *opaque)
{
    Shared *s = opaque;

    for (int i = 0; i < 1000; i++) {
        bql_lock();
        g_assert_true(bql_locked());
        s->count++;
        bql_unlock();
        g_assert_false(bql_locked());
    }
    return NULL;
}

static void test_bql(Shared *s, gconstpointer unused)
{
    g_assert_true(qemu_thread_create(&s->thread, "bql", count_bql, s,
                                     &error_abort));
    count_bql(s);
    qemu_thread_join(&s->thread);
    g_assert_cmpuint(s->count, ==, 2000);
}

static int boxes;

static void enter_box(void)
{
    __atomic_fetch_add(&boxes, 1, __ATOMIC_RELAXED);
}

static void *work_for_guest(void *opaque)
{
    QemuThread child;

    qemu_thread_serve_guest();
    qemu_thread_serve_guest();
    if (opaque) {
        g_assert_true(qemu_thread_create(&child, "child", work_for_guest, NULL,
                                         &error_abort));
        qemu_thread_join(&child);
    }
    return NULL;
}

/* A thread that one in the box makes is in it, and could not enter it. */
static void test_box(Shared *s, gconstpointer unused)
{
    qemu_thread_set_box(enter_box);
    for (int i = 1; i <= 2; i++) {
        g_assert_true(qemu_thread_create(&s->thread, "guest", work_for_guest,
                                         s, &error_abort));
        qemu_thread_join(&s->thread);
        g_assert_cmpint(boxes, ==, i);
    }
    qemu_thread_set_box(NULL);
}

#define ADD(path, fn) g_test_add(path, Shared, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/thread/mutex-excludes", test_mutex);
    ADD("/thread/trylock", test_trylock);
    ADD("/thread/guard-ends-with-its-block", test_guard_ends);
    ADD("/thread/cond", test_cond);
    ADD("/thread/timedwait-times-out", test_timedwait);
    ADD("/thread/timedwait-woken", test_timedwait_woken);
    ADD("/thread/name-signals-identity", test_identity);
    ADD("/thread/bql", test_bql);
    ADD("/thread/box-is-entered-once-and-inherited", test_box);
    return g_test_run();
}
