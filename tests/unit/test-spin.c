/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adaptive waiting, with a clock of the test's own.  The bound is so short that
 * nothing here gives way to others.
 */
#include "qemu/osdep.h"
#include "qemu/spin.h"
#include "qemu/timer.h"

#define BOUND (3 * SCALE_US)

static AdaptiveSpin s;
static int64_t now;

static void setup(void)
{
    adaptive_spin_init(&s, BOUND);
    s.max_ns = BOUND;           /* however many CPUs there are */
    now = 1000 * SCALE_MS;
}

/* One wait for what comes after @took ns; true if it began awake. */
static bool wait_for(int64_t took)
{
    bool awake;

    now += SCALE_US;
    awake = adaptive_spin_begin(&s, now);
    if (awake && took < BOUND) {
        g_assert_true(adaptive_spin_more(&s, now + took));
        adaptive_spin_paid(&s, now + took);
    } else if (awake) {
        g_assert_false(adaptive_spin_more(&s, now + BOUND));
    }
    now += took;
    return awake;
}

static unsigned awake_of(unsigned n, int64_t took)
{
    unsigned awake = 0;

    while (n--) {
        awake += wait_for(took);
    }
    return awake;
}

static void test_bound_of_nothing(void)
{
    adaptive_spin_init(&s, 0);
    g_assert_cmpuint(awake_of(100, 0), ==, 0);
}

static void test_goes_on_while_it_pays(void)
{
    setup();
    g_assert_cmpuint(awake_of(100, SCALE_US), ==, 100);
}

static void test_one_of_three_is_enough(void)
{
    unsigned awake = 0;

    setup();
    awake_of(20, SCALE_US);
    for (int i = 0; i < 300; i++) {
        awake += wait_for(i % 3 ? 50 * SCALE_US : SCALE_US);
    }
    g_assert_cmpuint(awake, ==, 300);
}

static void test_sleeps_when_it_never_pays(void)
{
    setup();
    awake_of(20, SCALE_US);
    awake_of(100, SCALE_MS);
    /* Trials only, and those rarer and rarer. */
    g_assert_cmpuint(awake_of(10000, SCALE_MS), <, 30);
}

static void test_is_tried_again(void)
{
    setup();
    awake_of(1000, SCALE_MS);
    awake_of(1024, SCALE_US);
    g_assert_cmpuint(awake_of(100, SCALE_US), ==, 100);
}

static void test_busy_machine_is_left_alone(void)
{
    int64_t slept[3];

    setup();
    awake_of(20, SCALE_US);
    for (int i = 0; i < 3; i++) {
        int64_t lost;

        g_assert_true(adaptive_spin_begin(&s, now));
        now += SCALE_MS;        /* something else ran */
        g_assert_false(adaptive_spin_more(&s, now));
        lost = now;
        while (!wait_for(SCALE_US)) {
            /* asleep */
        }
        slept[i] = now - lost;
    }
    g_assert_cmpint(slept[0], >=, 5 * SCALE_MS);
    g_assert_cmpint(slept[2], >, slept[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spin/bound-of-nothing-never", test_bound_of_nothing);
    g_test_add_func("/spin/goes-on-while-it-pays",
                    test_goes_on_while_it_pays);
    g_test_add_func("/spin/one-of-three-is-enough",
                    test_one_of_three_is_enough);
    g_test_add_func("/spin/sleeps-when-it-never-pays",
                    test_sleeps_when_it_never_pays);
    g_test_add_func("/spin/is-tried-again", test_is_tried_again);
    g_test_add_func("/spin/busy-machine-is-left-alone",
                    test_busy_machine_is_left_alone);
    return g_test_run();
}
