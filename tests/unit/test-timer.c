/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers and clocks. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/thread.h"
#include "qemu/timer.h"

typedef struct Fixture {
    AioContext *ctx;
    GString *trail;
} Fixture;

typedef struct Alarm {
    Fixture *f;
    QEMUTimer *t;
    char c;
    int again;                  /* how often it arms itself anew */
    int64_t period;
} Alarm;

static void ring(void *opaque)
{
    Alarm *a = opaque;

    g_string_append_c(a->f->trail, a->c);
    if (a->again) {
        a->again--;
        timer_mod_ns(a->t, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + a->period);
    }
}

static Alarm new_alarm(Fixture *f, char c)
{
    return (Alarm) { .f = f, .c = c };
}

static void arm(Alarm *a, QEMUClockType type, int64_t expire)
{
    if (!a->t) {
        a->t = aio_timer_new(a->f->ctx, type, SCALE_NS, ring, a);
    }
    timer_mod(a->t, expire);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    f->ctx = aio_context_new(&error_abort);
    f->trail = g_string_new(NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    aio_context_free(f->ctx);
    g_string_free(f->trail, TRUE);
}

static int64_t now(QEMUClockType type)
{
    return qemu_clock_get_ns(type);
}

static void test_order(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a'), b = new_alarm(f, 'b');
    Alarm c = new_alarm(f, 'c'), d = new_alarm(f, 'd');
    int64_t t = now(QEMU_CLOCK_REALTIME);

    arm(&c, QEMU_CLOCK_REALTIME, t + 3);
    arm(&a, QEMU_CLOCK_REALTIME, t + 1);
    arm(&d, QEMU_CLOCK_REALTIME, t + 3);        /* same time: as armed */
    arm(&b, QEMU_CLOCK_REALTIME, t + 2);
    g_assert_cmpint(aio_next_deadline(f->ctx, QEMU_CLOCK_REALTIME), ==, t + 1);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpstr(f->trail->str, ==, "abcd");
    g_assert_cmpint(aio_next_deadline(f->ctx, QEMU_CLOCK_REALTIME), ==, -1);
    timer_free(a.t);
    timer_free(b.t);
    timer_free(c.t);
    timer_free(d.t);
}

static void test_not_early(Fixture *f, gconstpointer unused)
{
    static const QEMUClockType types[] = {
        QEMU_CLOCK_REALTIME, QEMU_CLOCK_HOST,
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        Alarm a = new_alarm(f, 'a');
        int64_t due = now(types[i]) + 3 * SCALE_MS;

        g_string_set_size(f->trail, 0);
        arm(&a, types[i], due);
        g_assert_true(timer_pending(a.t));
        g_assert_cmpint(timer_expire_time_ns(a.t), ==, due);
        while (!f->trail->len) {
            aio_poll(f->ctx, true);
        }
        g_assert_cmpint(now(types[i]), >=, due);
        g_assert_false(timer_pending(a.t));
        g_assert_cmpint(timer_expire_time_ns(a.t), ==, -1);
        timer_free(a.t);
    }
}

static void test_deleted(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a'), b = new_alarm(f, 'b');

    arm(&a, QEMU_CLOCK_REALTIME, 1);
    arm(&b, QEMU_CLOCK_REALTIME, 1);
    timer_del(a.t);
    timer_del(a.t);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpstr(f->trail->str, ==, "b");
    timer_free(a.t);
    timer_free(b.t);
    timer_free(NULL);
}

static void test_scale(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a');
    QEMUTimer *t = aio_timer_new(f->ctx, QEMU_CLOCK_REALTIME, SCALE_MS, ring,
                                 &a);

    timer_mod(t, 5);
    g_assert_cmpint(timer_expire_time_ns(t), ==, 5000000);
    timer_mod(t, INT64_MAX);                    /* never */
    g_assert_cmpint(timer_expire_time_ns(t), ==, INT64_MAX);
    g_assert_false(aio_poll(f->ctx, false));
    timer_mod(t, INT64_MIN);                    /* long ago */
    g_assert_true(aio_poll(f->ctx, true));
    timer_free(t);
}

static void rearm_in_past(void *opaque)
{
    Alarm *a = opaque;

    g_string_append_c(a->f->trail, a->c);
    timer_mod_ns(a->t, 1);
}

static void test_past_does_not_hang(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a'), b = new_alarm(f, 'b');

    a.t = aio_timer_new(f->ctx, QEMU_CLOCK_REALTIME, 1, rearm_in_past, &a);
    timer_mod(a.t, 1);
    arm(&b, QEMU_CLOCK_REALTIME, 2);
    /* One round: each once, and the other is not kept off. */
    g_assert_true(aio_poll(f->ctx, false));
    g_assert_cmpstr(f->trail->str, ==, "ab");
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpstr(f->trail->str, ==, "aba");
    timer_free(a.t);
    timer_free(b.t);
}

static void free_self(void *opaque)
{
    Alarm *a = opaque;

    g_string_append_c(a->f->trail, a->c);
    timer_free(a->t);
}

static void test_frees_itself(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a');

    a.t = aio_timer_new(f->ctx, QEMU_CLOCK_REALTIME, 1, free_self, &a);
    timer_mod(a.t, 1);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_false(aio_poll(f->ctx, false));
}

/* The virtual clock is one of the process: these cases run in this order. */
static void test_virtual_stop(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a');
    int64_t t;

    g_assert_cmpint(now(QEMU_CLOCK_VIRTUAL), ==, 0);
    arm(&a, QEMU_CLOCK_VIRTUAL, 0);
    g_assert_false(aio_poll(f->ctx, false));    /* due, but the clock stands */
    qemu_clock_virtual_enable(true);
    g_assert_true(aio_poll(f->ctx, true));
    arm(&a, QEMU_CLOCK_VIRTUAL, now(QEMU_CLOCK_VIRTUAL) + 1 * SCALE_MS);
    while (f->trail->len < 2) {
        aio_poll(f->ctx, true);
    }
    qemu_clock_virtual_enable(false);
    t = now(QEMU_CLOCK_VIRTUAL);
    g_assert_cmpint(t, >, 0);
    g_assert_cmpint(now(QEMU_CLOCK_VIRTUAL), ==, t);
    qemu_clock_virtual_enable(true);
    /* It goes on from where it stood. */
    g_assert_cmpint(now(QEMU_CLOCK_VIRTUAL), >=, t);
    g_assert_cmpint(now(QEMU_CLOCK_VIRTUAL), <, t + 10 * 1000000000LL);
    timer_free(a.t);
}

typedef struct Reader {
    QemuThread thread;
    bool stop;
} Reader;

static void *read_clock(void *opaque)
{
    Reader *r = opaque;
    int64_t last = 0;

    while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
        int64_t t = now(QEMU_CLOCK_VIRTUAL);

        g_assert_cmpint(t, >=, last);
        last = t;
    }
    return NULL;
}

static void test_virtual_monotonic(Fixture *f, gconstpointer unused)
{
    Reader r = { .stop = false };

    g_assert_true(qemu_thread_create(&r.thread, "reader", read_clock, &r,
                                     &error_abort));
    for (int i = 0; i < 5000; i++) {
        qemu_clock_virtual_enable(i & 1);
    }
    qemu_clock_virtual_enable(true);
    __atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
    qemu_thread_join(&r.thread);
}

typedef struct Sleeper {
    Fixture *f;
    QemuThread thread;
    Alarm alarm;
    unsigned polls;
} Sleeper;

static void *sleep_for_timer(void *opaque)
{
    Sleeper *s = opaque;

    while (!s->f->trail->len) {
        aio_poll(s->f->ctx, true);
        s->polls++;
    }
    return NULL;
}

static void test_manual(Fixture *f, gconstpointer unused)
{
    Alarm a = new_alarm(f, 'a');
    int64_t t;

    qemu_clock_virtual_manual();
    t = now(QEMU_CLOCK_VIRTUAL);
    arm(&a, QEMU_CLOCK_VIRTUAL, t + 100);
    qemu_clock_virtual_set_ns(t + 99);
    g_assert_false(aio_poll(f->ctx, false));
    g_assert_cmpint(now(QEMU_CLOCK_VIRTUAL), ==, t + 99);
    qemu_clock_virtual_enable(false);           /* stops nothing now */
    qemu_clock_virtual_set_ns(t + 100);
    g_assert_true(aio_poll(f->ctx, true));
    qemu_clock_virtual_set_ns(t + 50);          /* never back */
    g_assert_cmpint(now(QEMU_CLOCK_VIRTUAL), ==, t + 100);

    a.again = 1;
    a.period = 10;
    arm(&a, QEMU_CLOCK_VIRTUAL, t + 110);
    qemu_clock_virtual_set_ns(t + 110);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpint(aio_next_deadline(f->ctx, QEMU_CLOCK_VIRTUAL), ==, t + 120);
    timer_free(a.t);
}

static void test_manual_wakes(Fixture *f, gconstpointer unused)
{
    Sleeper s = { .f = f, .alarm = new_alarm(f, 'a') };
    int64_t t = now(QEMU_CLOCK_VIRTUAL);

    arm(&s.alarm, QEMU_CLOCK_VIRTUAL, t + 1000);
    g_assert_true(qemu_thread_create(&s.thread, "sleeper", sleep_for_timer,
                                     &s, &error_abort));
    qemu_clock_virtual_set_ns(t + 1000);
    qemu_thread_join(&s.thread);
    g_assert_cmpuint(s.polls, <=, 3);           /* it slept meanwhile */
    timer_free(s.alarm.t);
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/timer/in-order-of-time", test_order);
    ADD("/timer/not-early", test_not_early);
    ADD("/timer/deleted-does-not-fire", test_deleted);
    ADD("/timer/scale-and-overflow", test_scale);
    ADD("/timer/armed-for-the-past-does-not-hang", test_past_does_not_hang);
    ADD("/timer/frees-itself", test_frees_itself);
    ADD("/clock/virtual-1-stands-while-stopped", test_virtual_stop);
    ADD("/clock/virtual-2-never-goes-back", test_virtual_monotonic);
    ADD("/clock/virtual-3-by-hand", test_manual);
    ADD("/clock/virtual-4-by-hand-wakes-sleepers", test_manual_wakes);
    return g_test_run();
}
