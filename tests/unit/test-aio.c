/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AioContext: descriptors, bottom halves, wake-ups across threads, spinning.
 * Under the thread sanitizer the cross-thread cases prove the orderings.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/aio.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "qemu/timer.h"

#include <poll.h>
#include <sys/socket.h>

typedef struct Fixture {
    AioContext *ctx;
    int fd[2];                  /* a socket pair */
    unsigned reads, writes, calls;
    GString *trail;
    QEMUBH *bh;
    EventNotifier e;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->ctx = aio_context_new(&error_abort);
    f->trail = g_string_new(NULL);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
                               f->fd), ==, 0);
    g_assert_cmpint(event_notifier_init(&f->e, false), ==, 0);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    aio_context_free(f->ctx);
    close(f->fd[0]);
    close(f->fd[1]);
    event_notifier_cleanup(&f->e);
    g_string_free(f->trail, TRUE);
}

/* Blocking rounds until *@counter is @want; a lost wake-up ends in the test's
 * time limit. */
static void poll_until(AioContext *ctx, unsigned *counter, unsigned want)
{
    while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < want) {
        aio_poll(ctx, true);
    }
}

static void read_all(void *opaque)
{
    Fixture *f = opaque;
    char buf[64];

    while (read(f->fd[0], buf, sizeof(buf)) > 0) {
        /* more */
    }
    f->reads++;
}

static void count_write(void *opaque)
{
    Fixture *f = opaque;

    f->writes++;
}

static void count_call(void *opaque)
{
    Fixture *f = opaque;

    f->calls++;
}

static void put_byte(Fixture *f)
{
    g_assert_cmpint(write(f->fd[1], "x", 1), ==, 1);
}

/* -- Descriptors ---------------------------------------------------------- */

static void test_nothing(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], read_all, NULL, NULL, f);
    g_assert_false(aio_poll(f->ctx, false));
    g_assert_cmpuint(f->reads, ==, 0);
}

static void test_read(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], read_all, NULL, NULL, f);
    put_byte(f);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->reads, ==, 1);
    g_assert_false(aio_poll(f->ctx, false));
}

static void test_removed(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], read_all, NULL, NULL, f);
    put_byte(f);
    aio_set_fd_handler(f->ctx, f->fd[0], NULL, NULL, NULL, NULL);
    g_assert_false(aio_poll(f->ctx, false));
    g_assert_cmpuint(f->reads, ==, 0);
}

static void test_read_and_write(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], read_all, count_write, NULL, f);
    put_byte(f);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->reads, ==, 1);
    g_assert_cmpuint(f->writes, ==, 1);
}

static void test_hangup(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], read_all, NULL, NULL, f);
    shutdown(f->fd[1], SHUT_RDWR);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->reads, ==, 1);
}

static void remove_self(void *opaque)
{
    Fixture *f = opaque;

    f->reads++;
    aio_set_fd_handler(f->ctx, f->fd[0], NULL, NULL, NULL, NULL);
    aio_set_fd_handler(f->ctx, f->fd[1], NULL, NULL, NULL, NULL);
}

static void test_removes_itself_and_peer(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], remove_self, remove_self, NULL, f);
    aio_set_fd_handler(f->ctx, f->fd[1], remove_self, remove_self, NULL, f);
    put_byte(f);
    g_assert_cmpint(write(f->fd[0], "x", 1), ==, 1);
    g_assert_true(aio_poll(f->ctx, true));
    /* Four events were seen; the first one took the others away. */
    g_assert_cmpuint(f->reads, ==, 1);
    g_assert_false(aio_poll(f->ctx, false));
}

static void replace_by_other(void *opaque)
{
    Fixture *f = opaque;

    read_all(f);
    aio_set_fd_handler(f->ctx, f->fd[0], NULL, NULL, NULL, NULL);
    aio_set_fd_handler(f->ctx, f->fd[0], NULL, count_write, NULL, f);
}

static void test_replaced_in_handler(Fixture *f, gconstpointer unused)
{
    aio_set_fd_handler(f->ctx, f->fd[0], replace_by_other, NULL, NULL, f);
    put_byte(f);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->writes, ==, 0);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->writes, ==, 1);
    g_assert_cmpuint(f->reads, ==, 1);
}

static void test_closed_descriptor(void)
{
    if (g_test_subprocess()) {
        AioContext *ctx = aio_context_new(&error_abort);
        Fixture f = { .ctx = ctx };
        int fd = dup(0);

        aio_set_fd_handler(ctx, fd, count_call, NULL, NULL, &f);
        close(fd);
        g_assert_false(aio_poll(ctx, false));
        g_assert_false(aio_poll(ctx, false));
        g_assert_cmpuint(f.calls, ==, 0);
        aio_context_free(ctx);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*was closed while it was watched*");
}

static void notifier_handler(EventNotifier *e)
{
    Fixture *f = container_of(e, Fixture, e);

    g_assert_true(event_notifier_test_and_clear(e));
    f->calls++;
}

static void test_event_notifier(Fixture *f, gconstpointer unused)
{
    aio_set_event_notifier(f->ctx, &f->e, notifier_handler);
    g_assert_false(aio_poll(f->ctx, false));
    event_notifier_set(&f->e);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->calls, ==, 1);
    aio_set_event_notifier(f->ctx, &f->e, NULL);
    event_notifier_set(&f->e);
    g_assert_false(aio_poll(f->ctx, false));
}

static void poll_inside(void *opaque)
{
    Fixture *f = opaque;

    aio_set_fd_handler(f->ctx, f->fd[0], read_all, NULL, NULL, f);
    /* Wait for what is behind us in both queues. */
    while (!f->reads || !f->writes) {
        aio_poll(f->ctx, true);
    }
    f->calls++;
}

static void test_nested(Fixture *f, gconstpointer unused)
{
    aio_bh_schedule_oneshot(f->ctx, poll_inside, f);
    aio_bh_schedule_oneshot(f->ctx, count_write, f);
    put_byte(f);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->calls, ==, 1);
    g_assert_cmpuint(f->writes, ==, 1);
}

/* -- Bottom halves -------------------------------------------------------- */

static void test_bh_once(Fixture *f, gconstpointer unused)
{
    f->bh = aio_bh_new(f->ctx, count_call, f);
    qemu_bh_schedule(f->bh);
    qemu_bh_schedule(f->bh);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_false(aio_poll(f->ctx, false));
    g_assert_cmpuint(f->calls, ==, 1);
    qemu_bh_schedule(f->bh);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->calls, ==, 2);
    qemu_bh_delete(f->bh);
}

static void test_bh_cancel(Fixture *f, gconstpointer unused)
{
    f->bh = aio_bh_new(f->ctx, count_call, f);
    qemu_bh_schedule(f->bh);
    qemu_bh_cancel(f->bh);
    g_assert_false(aio_poll(f->ctx, false));
    qemu_bh_schedule(f->bh);
    qemu_bh_cancel(f->bh);
    qemu_bh_schedule(f->bh);
    g_assert_true(aio_poll(f->ctx, false));
    g_assert_cmpuint(f->calls, ==, 1);
    qemu_bh_delete(f->bh);
}

static void test_bh_delete_scheduled(Fixture *f, gconstpointer unused)
{
    f->bh = aio_bh_new(f->ctx, count_call, f);
    qemu_bh_schedule(f->bh);
    qemu_bh_delete(f->bh);
    g_assert_false(aio_poll(f->ctx, false));
    g_assert_cmpuint(f->calls, ==, 0);
}

static void bh_delete_self(void *opaque)
{
    Fixture *f = opaque;

    f->calls++;
    qemu_bh_schedule(f->bh);
    qemu_bh_delete(f->bh);
}

static void test_bh_delete_inside(Fixture *f, gconstpointer unused)
{
    f->bh = aio_bh_new(f->ctx, bh_delete_self, f);
    qemu_bh_schedule(f->bh);
    g_assert_true(aio_poll(f->ctx, false));
    g_assert_false(aio_poll(f->ctx, false));
    g_assert_cmpuint(f->calls, ==, 1);
}

typedef struct Letter {
    Fixture *f;
    char c;
} Letter;

static void write_letter(void *opaque)
{
    Letter *l = opaque;

    g_string_append_c(l->f->trail, l->c);
}

static void test_bh_order(Fixture *f, gconstpointer unused)
{
    Letter l[3] = { { f, 'a' }, { f, 'b' }, { f, 'c' } };

    for (int i = 0; i < 3; i++) {
        aio_bh_schedule_oneshot(f->ctx, write_letter, &l[i]);
    }
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpstr(f->trail->str, ==, "abc");
}

static void bh_again(void *opaque)
{
    Fixture *f = opaque;

    f->calls++;
    qemu_bh_schedule(f->bh);
}

static void test_bh_no_starving(Fixture *f, gconstpointer unused)
{
    f->bh = aio_bh_new(f->ctx, bh_again, f);
    qemu_bh_schedule(f->bh);
    aio_set_fd_handler(f->ctx, f->fd[0], read_all, NULL, NULL, f);
    put_byte(f);
    aio_poll(f->ctx, true);
    aio_poll(f->ctx, true);
    g_assert_cmpuint(f->reads, ==, 1);
    g_assert_cmpuint(f->calls, ==, 2);
    qemu_bh_delete(f->bh);
}

static bool submit_and_complete(void *opaque)
{
    count_call(opaque);
    return true;
}

/* Memory that another thread writes: looked at before handlers, armed before a
 * sleep, and none when something came meanwhile. */
static bool poller_look(void *opaque)
{
    Fixture *f = opaque;

    g_string_append_c(f->trail, 'l');
    return false;
}

static bool poller_arm(void *opaque)
{
    Fixture *f = opaque;

    g_string_append_c(f->trail, 'a');
    return f->calls++ > 0;
}

static void poller_read(void *opaque)
{
    Fixture *f = opaque;

    g_string_append_c(f->trail, 'r');
    read_all(f);
}

static void test_poller(Fixture *f, gconstpointer unused)
{
    AioPoller p = { .look = poller_look, .arm = poller_arm, .opaque = f };

    aio_add_poller(f->ctx, &p);
    aio_set_fd_handler(f->ctx, f->fd[0], poller_read, NULL, NULL, f);
    aio_poll(f->ctx, true);             /* does not sleep, or this hangs */
    g_assert_cmpstr(f->trail->str, ==, "al");
    g_assert_cmpint(write(f->fd[1], "", 1), ==, 1);
    aio_poll(f->ctx, true);
    g_assert_cmpstr(f->trail->str, ==, "alalr");
    aio_poll(f->ctx, false);
    g_assert_cmpstr(f->trail->str, ==, "alalrl");
    aio_rearm_poller(f->ctx, &p);       /* nobody sleeps */
    aio_remove_poller(f->ctx, &p);
    aio_poll(f->ctx, false);
    g_assert_cmpstr(f->trail->str, ==, "alalrl");
}

/* What the hook has completed its caller wants to see: no sleep. */
static void test_submit_hook(Fixture *f, gconstpointer unused)
{
    aio_set_submit_hook(f->ctx, submit_and_complete, f);
    g_assert_true(aio_poll(f->ctx, true));
    g_assert_cmpuint(f->calls, ==, 1);
    aio_set_submit_hook(f->ctx, NULL, NULL);
    aio_poll(f->ctx, false);
    g_assert_cmpuint(f->calls, ==, 1);
}

/* -- Threads -------------------------------------------------------------- */

enum { N_THREADS = 3, N_ROUNDS = 2000 };

typedef struct Sender {
    QemuThread thread;
    AioContext *ctx;
    QEMUBH *bh;
    unsigned sent;              /* written by the sender before each schedule */
    unsigned seen;              /* by the bottom half */
    unsigned *total;
} Sender;

static void sender_bh(void *opaque)
{
    Sender *s = opaque;

    s->seen = __atomic_load_n(&s->sent, __ATOMIC_RELAXED);
}

static void sender_oneshot(void *opaque)
{
    unsigned *total = opaque;

    ++*total;                   /* by the owner only */
}

static void *sender_thread(void *opaque)
{
    Sender *s = opaque;

    for (unsigned i = 1; i <= N_ROUNDS; i++) {
        __atomic_store_n(&s->sent, i, __ATOMIC_RELAXED);
        qemu_bh_schedule(s->bh);
        aio_bh_schedule_oneshot(s->ctx, sender_oneshot, s->total);
    }
    return NULL;
}

static void run_senders(AioContext *ctx)
{
    Sender senders[N_THREADS];
    unsigned total = 0;

    for (int i = 0; i < N_THREADS; i++) {
        Sender *s = &senders[i];

        *s = (Sender) { .ctx = ctx, .total = &total };
        s->bh = aio_bh_new(ctx, sender_bh, s);
        g_assert_true(qemu_thread_create(&s->thread, "sender", sender_thread,
                                         s, &error_abort));
    }
    poll_until(ctx, &total, N_THREADS * N_ROUNDS);
    for (int i = 0; i < N_THREADS; i++) {
        qemu_thread_join(&senders[i].thread);
        /* The last schedule came before the last one-shot, so it has run. */
        g_assert_cmpuint(senders[i].seen, ==, N_ROUNDS);
        qemu_bh_delete(senders[i].bh);
    }
}

static void test_bh_threads(Fixture *f, gconstpointer unused)
{
    run_senders(f->ctx);
}

static void test_bh_threads_spinning(Fixture *f, gconstpointer unused)
{
    aio_context_set_poll_params(f->ctx, 50 * SCALE_US);
    run_senders(f->ctx);
}

/* Two contexts in two threads hand a token to and fro: each wake-up that is
 * lost hangs the test. */
typedef struct Player {
    AioContext *ctx;
    struct Player *other;
    unsigned calls;
} Player;

static void play(void *opaque)
{
    Player *p = opaque;

    if (++p->calls <= N_ROUNDS) {
        aio_bh_schedule_oneshot(p->other->ctx, play, p->other);
    }
}

static void *player_thread(void *opaque)
{
    Player *p = opaque;

    poll_until(p->ctx, &p->calls, N_ROUNDS);
    return NULL;
}

static void test_ping_pong(void)
{
    Player a = { .ctx = aio_context_new(&error_abort) };
    Player b = { .ctx = aio_context_new(&error_abort), .other = &a };
    QemuThread thread;

    a.other = &b;
    aio_bh_schedule_oneshot(a.ctx, play, &a);
    g_assert_true(qemu_thread_create(&thread, "player", player_thread, &a,
                                     &error_abort));
    player_thread(&b);
    qemu_thread_join(&thread);
    aio_context_free(a.ctx);
    aio_context_free(b.ctx);
}

static void test_notify_awake(Fixture *f, gconstpointer unused)
{
    /* Remembered until the next sleep, which then is none: or this hangs. */
    aio_notify(f->ctx);
    aio_notify(f->ctx);
    g_assert_false(aio_poll(f->ctx, true));
    aio_notify(f->ctx);
    g_assert_false(aio_poll(f->ctx, true));
}

/* -- Spinning ------------------------------------------------------------- */

static bool poll_byte(void *opaque)
{
    Fixture *f = opaque;
    char c;

    if (read(f->fd[0], &c, 1) == 1) {
        f->calls++;
        return true;
    }
    return false;
}

static void *byte_thread(void *opaque)
{
    Fixture *f = opaque;

    for (int i = 0; i < N_ROUNDS; i++) {
        char c = 0;

        put_byte(f);
        while (read(f->fd[1], &c, 1) != 1) {
            struct pollfd p = { f->fd[1], POLLIN, 0 };

            poll(&p, 1, -1);
        }
    }
    return NULL;
}

static bool poll_byte_answer(void *opaque)
{
    Fixture *f = opaque;
    bool got = poll_byte(f);

    if (got) {
        g_assert_cmpint(write(f->fd[0], "y", 1), ==, 1);
    }
    return got;
}

static void read_byte_answer(void *opaque)
{
    poll_byte_answer(opaque);
}

static void test_spin_serves(Fixture *f, gconstpointer unused)
{
    QemuThread thread;

    aio_context_set_poll_params(f->ctx, 100 * SCALE_US);
    aio_set_fd_handler(f->ctx, f->fd[0], read_byte_answer, NULL,
                       poll_byte_answer, f);
    g_assert_true(qemu_thread_create(&thread, "bytes", byte_thread, f,
                                     &error_abort));
    poll_until(f->ctx, &f->calls, N_ROUNDS);
    qemu_thread_join(&thread);
    g_assert_cmpuint(f->calls, ==, N_ROUNDS);
}

static int64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static void test_idle_uses_no_cpu(Fixture *f, gconstpointer unused)
{
    QEMUTimer *t = aio_timer_new(f->ctx, QEMU_CLOCK_REALTIME, SCALE_MS,
                                 count_call, f);
    int64_t used;

    /* 50 idle waits of 2 ms with a spin of up to 1 ms allowed. */
    aio_context_set_poll_params(f->ctx, 1 * SCALE_MS);
    used = cpu_ns();
    for (unsigned i = 1; i <= 50; i++) {
        timer_mod(t, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + 2);
        poll_until(f->ctx, &f->calls, i);
    }
    used = cpu_ns() - used;
    /* 25 ms of spinning if it did not adapt. */
    g_assert_cmpint(used, <, 20 * SCALE_MS);
    timer_free(t);
}

/* -- Main loop ------------------------------------------------------------ */

static unsigned main_calls;

static void main_bh(void *opaque)
{
    g_assert_true(bql_locked());
    main_calls++;
}

static gboolean main_idle(gpointer opaque)
{
    g_assert_true(bql_locked());
    main_calls++;
    return G_SOURCE_REMOVE;
}

static void *main_sender(void *opaque)
{
    for (int i = 0; i < N_ROUNDS; i++) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), main_bh, NULL);
    }
    g_idle_add(main_idle, NULL);
    return NULL;
}

static void test_main_loop(void)
{
    QemuThread thread;

    main_calls = 0;
    g_assert_true(bql_locked());
    g_assert_true(qemu_thread_create(&thread, "sender", main_sender, NULL,
                                     &error_abort));
    while (main_calls < N_ROUNDS + 1) {
        main_loop_wait(false);
    }
    qemu_thread_join(&thread);
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    ADD("/aio/nothing-is-no-progress", test_nothing);
    ADD("/aio/read-handler-called", test_read);
    ADD("/aio/removed-handler-not-called", test_removed);
    ADD("/aio/both-functions-called", test_read_and_write);
    ADD("/aio/hangup-is-readable", test_hangup);
    ADD("/aio/handler-removes-itself-and-peer",
        test_removes_itself_and_peer);
    ADD("/aio/handler-replaced-inside", test_replaced_in_handler);
    ADD("/aio/poller-armed-before-sleep", test_poller);
    g_test_add_func("/aio/closed-descriptor-dropped", test_closed_descriptor);
    ADD("/aio/event-notifier", test_event_notifier);
    ADD("/aio/nested-poll-sees-all", test_nested);
    ADD("/aio/bh/scheduled-twice-runs-once", test_bh_once);
    ADD("/aio/bh/cancelled-does-not-run", test_bh_cancel);
    ADD("/aio/bh/deleted-while-scheduled", test_bh_delete_scheduled);
    ADD("/aio/bh/deleted-inside", test_bh_delete_inside);
    ADD("/aio/bh/in-order", test_bh_order);
    ADD("/aio/bh/does-not-starve-descriptors", test_bh_no_starving);
    ADD("/aio/submit-hook-once-a-round", test_submit_hook);
    ADD("/aio/notify-while-awake-is-kept", test_notify_awake);
    ADD("/aio/threads/no-bh-lost", test_bh_threads);
    ADD("/aio/threads/no-bh-lost-while-spinning", test_bh_threads_spinning);
    g_test_add_func("/aio/threads/no-wakeup-lost", test_ping_pong);
    ADD("/aio/spin/serves-by-polling", test_spin_serves);
    ADD("/aio/spin/idle-uses-no-cpu", test_idle_uses_no_cpu);
    g_test_add_func("/main-loop/bh-and-glib-under-bql", test_main_loop);
    return g_test_run();
}
