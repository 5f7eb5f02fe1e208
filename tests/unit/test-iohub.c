/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOHUB against its contract (include/hw/remote/iohub.h), by hand-made cases
 * and by random schedules beside a small model of KVM's resampler.
 *
 * The model: a GSI line that the irqfd sets; the guest takes an interrupt when
 * the line is up and ends it some time later; at the end the line goes down
 * and the resamplefd fires (arch/x86/kvm: kvm_notify_acked_irq).
 */
#include "qemu/osdep.h"
#include "hw/remote/iohub.h"
#include "qemu/aio.h"

typedef struct World {
    RemoteIOHubState hub;
    AioContext *ctx;
    EventNotifier irqfd, resamplefd;    /* KVM's ends */
    LinkStats stats;
} World;

static void world_init(World *w)
{
    memset(w, 0, sizeof(*w));
    remote_iohub_init(&w->hub);
    w->ctx = aio_context_new(&error_abort);
    w->irqfd.fd = w->resamplefd.fd = -1;
}

static void new_fds(World *w, int pirq)
{
    event_notifier_cleanup(&w->irqfd);
    event_notifier_cleanup(&w->resamplefd);
    g_assert_cmpint(event_notifier_init(&w->irqfd, false), ==, 0);
    g_assert_cmpint(event_notifier_init(&w->resamplefd, false), ==, 0);
    remote_iohub_set_fds(&w->hub, pirq, dup(w->irqfd.fd),
                         dup(w->resamplefd.fd), w->ctx, &w->stats);
}

static void world_end(World *w)
{
    remote_iohub_finalize(&w->hub);
    event_notifier_cleanup(&w->irqfd);
    event_notifier_cleanup(&w->resamplefd);
    aio_context_free(w->ctx);
}

static bool signalled(World *w)
{
    return event_notifier_test_and_clear(&w->irqfd);
}

static void eoi(World *w)
{
    event_notifier_set(&w->resamplefd);
    while (aio_poll(w->ctx, false)) {
    }
}

static void test_first_raise_only(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 8);
    remote_iohub_set_irq(&w.hub, 8, 1);
    g_assert_true(signalled(&w));
    remote_iohub_set_irq(&w.hub, 8, 1);
    g_assert_false(signalled(&w));
    g_assert_cmpuint(w.stats.raised, ==, 1);
    world_end(&w);
}

static void test_until_last_lower(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 8);
    for (int i = 0; i < 3; i++) {
        remote_iohub_set_irq(&w.hub, 8, 1);
    }
    g_assert_true(signalled(&w));
    remote_iohub_set_irq(&w.hub, 8, 0);
    remote_iohub_set_irq(&w.hub, 8, 0);
    eoi(&w);
    g_assert_true(signalled(&w));
    remote_iohub_set_irq(&w.hub, 8, 0);
    eoi(&w);
    g_assert_false(signalled(&w));
    g_assert_cmpuint(w.stats.resampled, ==, 2);
    g_assert_cmpuint(w.stats.reraised, ==, 1);
    world_end(&w);
}

static void test_lower_below_zero(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 0);
    remote_iohub_set_irq(&w.hub, 0, 0);
    remote_iohub_set_irq(&w.hub, 0, 0);
    remote_iohub_set_irq(&w.hub, 0, 1);
    g_assert_true(signalled(&w));
    world_end(&w);
}

static void test_raise_before_fds(void)
{
    World w;

    world_init(&w);
    remote_iohub_set_irq(&w.hub, 255, 1);
    new_fds(&w, 255);
    g_assert_true(signalled(&w));
    remote_iohub_set_irq(&w.hub, 255, 0);
    new_fds(&w, 255);
    g_assert_false(signalled(&w));
    world_end(&w);
}

static void test_second_fds_replace(void)
{
    EventNotifier old_resample;
    World w;

    world_init(&w);
    new_fds(&w, 3);
    remote_iohub_set_irq(&w.hub, 3, 1);
    g_assert_true(signalled(&w));
    event_notifier_init_fd(&old_resample, dup(w.resamplefd.fd));
    new_fds(&w, 3);
    /* The new owner of the line has not seen the level yet. */
    g_assert_true(signalled(&w));
    event_notifier_set(&old_resample);
    aio_poll(w.ctx, false);
    g_assert_false(signalled(&w));
    eoi(&w);
    g_assert_true(signalled(&w));
    event_notifier_cleanup(&old_resample);
    world_end(&w);
}

/* Each of the 256, with descriptors of its own. */
static void test_every_line(void)
{
    g_autofree EventNotifier *irqfds = g_new0(EventNotifier,
                                              REMOTE_IOHUB_NB_PIRQS);
    g_autofree EventNotifier *resamplefds = g_new0(EventNotifier,
                                                   REMOTE_IOHUB_NB_PIRQS);
    World w;

    world_init(&w);
    for (int i = 0; i < REMOTE_IOHUB_NB_PIRQS; i++) {
        g_assert_cmpint(event_notifier_init(&irqfds[i], false), ==, 0);
        g_assert_cmpint(event_notifier_init(&resamplefds[i], false), ==, 0);
        /* The hub's own: of two ends, 1024 descriptors would not do. */
        remote_iohub_set_fds(&w.hub, i, irqfds[i].fd, resamplefds[i].fd,
                             w.ctx, NULL);
    }
    for (int i = 0; i < REMOTE_IOHUB_NB_PIRQS; i++) {
        remote_iohub_set_irq(&w.hub, i, 1);
        for (int j = 0; j < REMOTE_IOHUB_NB_PIRQS; j++) {
            g_assert_cmpint(event_notifier_test_and_clear(&irqfds[j]), ==,
                            i == j);
        }
    }
    for (int i = 0; i < REMOTE_IOHUB_NB_PIRQS; i++) {
        /* An odd line is low when its interrupt ends. */
        if (i % 2) {
            remote_iohub_set_irq(&w.hub, i, 0);
        }
        event_notifier_set(&resamplefds[i]);
        while (aio_poll(w.ctx, false)) {
        }
        for (int j = 0; j < REMOTE_IOHUB_NB_PIRQS; j++) {
            g_assert_cmpint(event_notifier_test_and_clear(&irqfds[j]), ==,
                            i == j && i % 2 == 0);
        }
    }
    world_end(&w);
}

static void test_lines_are_apart(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 16);
    for (int pirq = 0; pirq < REMOTE_IOHUB_NB_PIRQS; pirq++) {
        if (pirq != 16) {
            remote_iohub_set_irq(&w.hub, pirq, 1);
        }
    }
    g_assert_false(signalled(&w));
    eoi(&w);
    g_assert_false(signalled(&w));
    remote_iohub_set_irq(&w.hub, 16, 1);
    g_assert_true(signalled(&w));
    world_end(&w);
}

static void test_cleared_is_silent(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 1);
    remote_iohub_clear_fds(&w.hub, 1);
    remote_iohub_set_irq(&w.hub, 1, 1);
    eoi(&w);
    g_assert_false(signalled(&w));
    remote_iohub_clear_fds(&w.hub, 1);
    world_end(&w);
}

/* One EOI wakes both that watch the descriptor, and one of them gets it. */
static void test_eoi_of_another(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 1);
    remote_iohub_set_fds(&w.hub, 2, dup(w.irqfd.fd), dup(w.resamplefd.fd),
                         w.ctx, &w.stats);
    remote_iohub_set_irq(&w.hub, 1, 1);
    remote_iohub_set_irq(&w.hub, 2, 1);
    g_assert_true(signalled(&w));
    eoi(&w);
    g_assert_true(signalled(&w));
    g_assert_cmpuint(w.stats.resampled, ==, 1);
    g_assert_cmpuint(w.stats.reraised, ==, 1);
    world_end(&w);
}

/* Their other ends are closed: nobody hears, and nobody is hurt. */
static void test_dead_fds(void)
{
    World w;

    world_init(&w);
    new_fds(&w, 7);
    event_notifier_cleanup(&w.irqfd);
    event_notifier_cleanup(&w.resamplefd);
    for (int i = 0; i < 3; i++) {
        remote_iohub_set_irq(&w.hub, 7, 1);
        g_assert_false(aio_poll(w.ctx, false));
        remote_iohub_set_irq(&w.hub, 7, 0);
    }
    remote_iohub_set_irq(&w.hub, 7, 1);
    new_fds(&w, 7);
    g_assert_true(signalled(&w));
    eoi(&w);
    g_assert_true(signalled(&w));
    world_end(&w);
}

/* Full, so that a signal would have to wait: it is as good as one. */
static void test_full_irqfd(void)
{
    uint64_t value = UINT64_MAX - 1;
    World w;

    world_init(&w);
    new_fds(&w, 7);
    g_assert_cmpint(write(w.irqfd.fd, &value, 8), ==, 8);
    remote_iohub_set_irq(&w.hub, 7, 1);
    g_assert_true(signalled(&w));
    eoi(&w);
    g_assert_true(signalled(&w));
    world_end(&w);
}

/* -- Another thread raises ----------------------------------------------- */

#define ROUNDS 20000

static void *raiser(void *opaque)
{
    World *w = opaque;

    for (int i = 0; i < ROUNDS; i++) {
        remote_iohub_set_irq(&w->hub, 5, 1);
        remote_iohub_set_irq(&w->hub, 5, 0);
    }
    remote_iohub_set_irq(&w->hub, 5, 1);
    return NULL;
}

static void test_other_thread(void)
{
    QemuThread thread;
    World w;

    world_init(&w);
    new_fds(&w, 5);
    g_assert_true(qemu_thread_create(&thread, "raiser", raiser, &w,
                                     &error_abort));
    for (int i = 0; i < ROUNDS; i++) {
        signalled(&w);
        event_notifier_set(&w.resamplefd);
        aio_poll(w.ctx, false);
    }
    qemu_thread_join(&thread);
    signalled(&w);
    eoi(&w);
    g_assert_true(signalled(&w));
    world_end(&w);
}

/* Descriptors change under a raiser: those that are last get the level. */
static void test_new_fds_during_raises(void)
{
    QemuThread thread;
    World w;

    world_init(&w);
    new_fds(&w, 5);
    g_assert_true(qemu_thread_create(&thread, "raiser", raiser, &w,
                                     &error_abort));
    for (int i = 0; i < ROUNDS / 20; i++) {
        new_fds(&w, 5);
        event_notifier_set(&w.resamplefd);
        aio_poll(w.ctx, false);
    }
    qemu_thread_join(&thread);
    new_fds(&w, 5);
    g_assert_true(signalled(&w));
    remote_iohub_set_irq(&w.hub, 5, 0);
    new_fds(&w, 5);
    g_assert_false(signalled(&w));
    world_end(&w);
}

/* -- Random schedules ---------------------------------------------------- */

typedef enum Step {
    RAISE, LOWER, GUEST_TAKES, GUEST_EOI, RESAMPLE_ARRIVES, NEW_FDS, RESTART,
    STEPS,
} Step;

static const char *const step_names[STEPS] = {
    "raise", "lower", "guest takes", "EOI", "resample arrives", "new fds",
    "remote restarts",
};

typedef struct Model {
    unsigned level;             /* what the device wants */
    bool line;                  /* KVM's side of the line */
    bool in_service;            /* taken, not ended */
    bool resample_due;          /* fired, not yet seen by the IOHUB */
} Model;

static void kvm_sees_irqfd(World *w, Model *m)
{
    if (signalled(w)) {
        m->line = true;
    }
}

static void step(World *w, Model *m, Step s)
{
    switch (s) {
    case RAISE:
        remote_iohub_set_irq(&w->hub, 0, 1);
        m->level++;
        break;
    case LOWER:
        if (m->level) {
            remote_iohub_set_irq(&w->hub, 0, 0);
            m->level--;
        }
        break;
    case GUEST_TAKES:
        m->in_service |= m->line;
        break;
    case GUEST_EOI:
        if (m->in_service) {
            m->in_service = false;
            m->line = false;
            m->resample_due = true;
        }
        break;
    case RESAMPLE_ARRIVES:
        if (m->resample_due) {
            m->resample_due = false;
            eoi(w);
        }
        break;
    case RESTART:
        /* The device is reset and its line with it. */
        while (m->level) {
            remote_iohub_set_irq(&w->hub, 0, 0);
            m->level--;
        }
        remote_iohub_clear_fds(&w->hub, 0);
        /* Its proxy sends new descriptors. */
        /* fall through */
    case NEW_FDS:
        new_fds(w, 0);
        /* The old ones leave the GSI, which takes the level off it. */
        m->line = false;
        m->resample_due = false;
        m->in_service = false;
        break;
    default:
        g_assert_not_reached();
    }
}

/* NULL, or what is wrong now.  @was: signals counted before the step. */
static const char *broken(World *w, Model *m, Step s, uint64_t was,
                          unsigned level_before)
{
    uint64_t signals = w->stats.raised - was;

    if (signals > 1) {
        return "signalled twice in one step";
    }
    if (signals && !m->level) {
        return "signalled while the level is low";
    }
    if (signals && s == RAISE && level_before) {
        return "signalled on a raise that is not the first";
    }
    kvm_sees_irqfd(w, m);
    if (m->level && !m->line && !m->in_service && !m->resample_due) {
        return "level lost: high, and nothing will tell the guest";
    }
    return NULL;
}

/* Returns at which step a rule broke, or -1. */
static int run_schedule(uint64_t seed, int steps, bool print)
{
    g_autoptr(GRand) rnd = g_rand_new_with_seed_array(
        (guint32[]){ seed, seed >> 32 }, 2);
    Model m = { 0 };
    int at = -1;
    World w;

    world_init(&w);
    new_fds(&w, 0);
    for (int i = 0; i < steps && at < 0; i++) {
        /* Descriptors change rarely beside the rest. */
        Step s = g_rand_int_range(rnd, 0, 64) ? g_rand_int_range(rnd, 0, NEW_FDS)
                                              : g_rand_int_range(rnd, 0, STEPS);
        uint64_t was = w.stats.raised;
        unsigned level = m.level;
        const char *why;

        step(&w, &m, s);
        why = broken(&w, &m, s, was, level);
        if (print) {
            g_printerr("  %4d %-18s level %u line %d in-service %d\n", i,
                       step_names[s], m.level, m.line, m.in_service);
        }
        if (why) {
            at = i;
            g_printerr("%s\n", why);
        }
    }
    world_end(&w);
    return at;
}

static void test_random_schedules(void)
{
    const char *replay = g_getenv("IOHUB_SEED");
    uint64_t total = g_getenv("IOHUB_STEPS")
        ? g_ascii_strtoull(g_getenv("IOHUB_STEPS"), NULL, 0) : 10000000;
    uint64_t seed = replay ? g_ascii_strtoull(replay, NULL, 0) : 1;

    for (uint64_t done = 0; done < total; done += 1000, seed++) {
        int at = run_schedule(seed, 1000, false);

        if (at >= 0) {
            run_schedule(seed, at + 1, true);
            g_error("replay with IOHUB_SEED=%" PRIu64, seed);
        }
        if (replay) {
            break;
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/iohub/signal-on-first-raise-only",
                    test_first_raise_only);
    g_test_add_func("/iohub/level-stays-until-last-lower",
                    test_until_last_lower);
    g_test_add_func("/iohub/lower-of-a-low-line-is-nothing",
                    test_lower_below_zero);
    g_test_add_func("/iohub/raise-before-descriptors-is-kept",
                    test_raise_before_fds);
    g_test_add_func("/iohub/second-descriptors-replace-the-first",
                    test_second_fds_replace);
    g_test_add_func("/iohub/256-lines-are-apart", test_lines_are_apart);
    g_test_add_func("/iohub/each-of-256-lines-has-its-own-descriptors",
                    test_every_line);
    g_test_add_func("/iohub/eoi-that-another-has-taken-is-nothing",
                    test_eoi_of_another);
    g_test_add_func("/iohub/dead-descriptors-hurt-nobody", test_dead_fds);
    g_test_add_func("/iohub/full-descriptor-makes-nobody-wait",
                    test_full_irqfd);
    g_test_add_func("/iohub/no-descriptors-no-signal",
                    test_cleared_is_silent);
    g_test_add_func("/iohub/raise-from-another-thread", test_other_thread);
    g_test_add_func("/iohub/new-descriptors-during-raises",
                    test_new_fds_during_raises);
    g_test_add_func("/iohub/random-schedules-lose-no-level",
                    test_random_schedules);
    return g_test_run();
}
