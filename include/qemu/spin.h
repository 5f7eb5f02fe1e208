/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether, and how long, to wait awake before sleeping: learnt from whether
 * that paid.  One waiter's, without a lock.
 */
#ifndef QEMU_SPIN_H
#define QEMU_SPIN_H

typedef struct AdaptiveSpin {
    int64_t max_ns;             /* bound; 0: never awake */
    int64_t usual_ns;           /* of spins that paid, on average */
    unsigned credit;            /* 0: sleep, but for a trial now and then */
    unsigned pass;              /* waits until the next trial */
    unsigned pass_next;         /* and after that one, should it fail */
    int64_t sleep_until_ns;     /* the machine is busy: all waits sleep */
    int64_t busy_ns;            /* for how long, the last time */
    /* Of the spin under way. */
    int64_t start_ns, last_ns, yielded_ns, limit_ns;
} AdaptiveSpin;

/* On a single CPU the bound is 0, whatever @max_ns is: there, spinning keeps
 * away just what it waits for. */
void adaptive_spin_init(AdaptiveSpin *s, int64_t max_ns);

/* Before each wait, at the time @now_ns: true if it is to begin with a spin. */
bool adaptive_spin_begin(AdaptiveSpin *s, int64_t now_ns);
/* After each look that found nothing: true to look again, false to sleep. */
bool adaptive_spin_more(AdaptiveSpin *s, int64_t now_ns);
/* After the look that found it. */
void adaptive_spin_paid(AdaptiveSpin *s, int64_t now_ns);

#endif
