/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adaptive waiting.
 *
 * Each spin that ended in time earns credit, each that did not costs some; as
 * long as there is credit waits begin awake.  Without credit they sleep at
 * once, and one in a growing number is a trial.  So a spin that helps in one
 * wait of four goes on, and where it never helps it costs next to nothing.
 *
 * Who is waited for may be on the spinner's own CPU: the kernel puts one that is
 * woken beside its waker.  So a spinner gives way now and then; as long as both
 * stay awake the kernel also moves one of them to a CPU that has nothing to do.
 *
 * On a busy machine giving way lets others run for milliseconds, and who has
 * used up its share awake is not put before them when it is woken.  A gap in
 * the clock tells: then waits sleep for a while, the longer the sooner the next
 * gap comes after that.
 */
#include "qemu/osdep.h"
#include "qemu/spin.h"
#include "qemu/timer.h"
#include <sched.h>

#define EARNS 3
#define CREDIT_MAX 24
#define PASS_MIN 4
#define PASS_MAX 512
/* A spin lasts for a multiple of what was usual, if that is less than the
 * bound, but at least for this. */
#define LIMIT_MIN_NS (20 * SCALE_US)
#define USUAL_TIMES 4
#define YIELD_NS (4 * SCALE_US)
/* No look takes this long, unless something else ran meanwhile. */
#define GAP_NS (100 * SCALE_US)
#define GAP_TIMES 16
#define BUSY_MIN_NS (5 * SCALE_MS)
#define BUSY_MAX_NS (1000 * SCALE_MS)

void adaptive_spin_init(AdaptiveSpin *s, int64_t max_ns)
{
    cpu_set_t cpus;

    *s = (AdaptiveSpin) { .max_ns = MAX(max_ns, 0), .pass_next = PASS_MIN };
    if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
        CPU_COUNT(&cpus) < 2) {
        s->max_ns = 0;
    }
}

bool adaptive_spin_begin(AdaptiveSpin *s, int64_t now_ns)
{
    if (!s->max_ns) {
        return false;
    }
    if (now_ns < s->sleep_until_ns) {
        return false;
    }
    s->limit_ns = s->max_ns;
    if (s->credit) {
        s->limit_ns = MIN(s->limit_ns,
                          MAX(s->usual_ns * USUAL_TIMES, LIMIT_MIN_NS));
    } else if (s->pass) {
        s->pass--;
        return false;
    }
    s->start_ns = s->last_ns = s->yielded_ns = now_ns;
    return true;
}

static void pass_some(AdaptiveSpin *s)
{
    s->credit = 0;
    s->pass = s->pass_next;
    s->pass_next = MIN(s->pass_next * 2, PASS_MAX);
}

static bool was_away(AdaptiveSpin *s, int64_t now_ns)
{
    int64_t gap = now_ns - s->last_ns;

    if (gap <= GAP_NS) {
        return false;
    }
    s->busy_ns = now_ns - s->sleep_until_ns < 4 * s->busy_ns
        ? MIN(s->busy_ns * 2, BUSY_MAX_NS) : BUSY_MIN_NS;
    s->sleep_until_ns = now_ns + MAX(s->busy_ns, gap * GAP_TIMES);
    return true;
}

bool adaptive_spin_more(AdaptiveSpin *s, int64_t now_ns)
{
    if (was_away(s, now_ns)) {
        return false;
    }
    s->last_ns = now_ns;
    if (now_ns - s->start_ns >= s->limit_ns) {
        if (s->credit > 1) {
            s->credit--;
        } else {
            pass_some(s);
        }
        return false;
    }
    if (now_ns - s->yielded_ns >= YIELD_NS) {
        sched_yield();
        now_ns = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        if (was_away(s, now_ns)) {
            return false;
        }
        s->yielded_ns = s->last_ns = now_ns;
    }
    return true;
}

void adaptive_spin_paid(AdaptiveSpin *s, int64_t now_ns)
{
    int64_t took = now_ns - s->start_ns;

    if (was_away(s, now_ns)) {
        return;
    }
    s->usual_ns += (took - s->usual_ns) / 8;
    s->credit = MIN(s->credit + EARNS, CREDIT_MAX);
    if (s->credit == CREDIT_MAX) {
        s->pass_next = PASS_MIN;
    }
}
