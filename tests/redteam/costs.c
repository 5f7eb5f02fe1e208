/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a system call costs where x-redteam is, in its box or without: the
 * calls of a device process that serves, and a vCPU's.  Each is made ARG0
 * times in a way that does nothing, so that what remains is the way into the
 * kernel and the filter; the result is nanoseconds.
 */
#include "qemu/osdep.h"
#include <linux/futex.h>
#include <linux/kvm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include "redteam.h"

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

#define NO_FD (-1)
#define COST(name, ...)                                         \
    static int64_t time_##name(RedTeam *r)                      \
    {                                                           \
        int64_t begin = now_ns();                               \
                                                                \
        for (uint64_t i = 0; i < r->arg[0]; i++) {              \
            syscall(SYS_##name, ##__VA_ARGS__);                 \
        }                                                       \
        return now_ns() - begin;                                \
    }

static struct timespec no_time;
static struct msghdr no_message;
static int no_waiter;

COST(recvmsg, NO_FD, &no_message, MSG_DONTWAIT)
COST(sendto, NO_FD, NULL, 0, 0, NULL, 0)
COST(sendmsg, NO_FD, &no_message, 0)
COST(write, NO_FD, NULL, 0)
COST(ppoll, NULL, 0, &no_time, NULL, 0)
COST(sched_yield)
COST(futex, &no_waiter, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0)
COST(io_uring_enter, NO_FD, 0, 0, 0, NULL, 0)
COST(preadv, NO_FD, NULL, 0, 0)
COST(pwritev2, NO_FD, NULL, 0, 0, 0, 0)
COST(clock_gettime, CLOCK_MONOTONIC, &no_time)
COST(ioctl, NO_FD, KVM_RUN, 0)

const Attempt cost_attempts[] = {
    { "time recvmsg", time_recvmsg },
    { "time sendto", time_sendto },
    { "time sendmsg", time_sendmsg },
    { "time write", time_write },
    { "time ppoll", time_ppoll },
    { "time sched_yield", time_sched_yield },
    { "time futex", time_futex },
    { "time io_uring_enter", time_io_uring_enter },
    { "time preadv", time_preadv },
    { "time pwritev2", time_pwritev2 },
    { "time clock_gettime", time_clock_gettime },
    { "time ioctl", time_ioctl },
    { }
};
