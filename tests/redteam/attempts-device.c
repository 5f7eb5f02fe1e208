/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attempts of x-redteam: what an attacker would do with what the process has,
 * its devices and links.
 */
#include "qemu/osdep.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "qemu/bswap.h"
#include "redteam.h"

/* -- Exhaustion: the result is how much it got ---------------------------- */

#define PIECE (64 * MiB)

static int64_t eat_memory(RedTeam *r)
{
    enum { MOST = 64 };         /* 4 GiB */
    void *pieces[MOST];
    int64_t got = 0;

    while (got < MOST) {
        pieces[got] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pieces[got] == MAP_FAILED) {
            break;
        }
        got++;
    }
    for (int i = 0; i < got; i++) {
        munmap(pieces[i], PIECE);
    }
    return got * (PIECE / MiB);
}

static int64_t eat_descriptors(RedTeam *r)
{
    enum { MOST = 4096 };
    g_autofree int *fds = g_new(int, MOST);
    int64_t got = 0;

    while (got < MOST && (fds[got] = fcntl(0, F_DUPFD, 3)) >= 0) {
        got++;
    }
    for (int i = 0; i < got; i++) {
        close(fds[i]);
    }
    return got;
}

static void *sleeper(void *opaque)
{
    int *gate = opaque;

    while (!__atomic_load_n(gate, __ATOMIC_RELAXED)) {
        syscall(SYS_futex, gate, 128 /* wait, private */, 0, NULL, NULL, 0);
    }
    return NULL;
}

static int64_t eat_threads(RedTeam *r)
{
    enum { MOST = 4096 };
    g_autofree pthread_t *threads = g_new(pthread_t, MOST);
    pthread_attr_t attr;
    int64_t got = 0;
    int gate = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, MiB);
    while (got < MOST &&
           pthread_create(&threads[got], &attr, sleeper, &gate) == 0) {
        got++;
    }
    __atomic_store_n(&gate, 1, __ATOMIC_RELAXED);
    syscall(SYS_futex, &gate, 129 /* wake, private */, INT_MAX, NULL, NULL, 0);
    for (int i = 0; i < got; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_attr_destroy(&attr);
    return got;
}

static int64_t raise_interrupts(RedTeam *r)
{
    int64_t end = g_get_monotonic_time() + (int64_t)r->arg[0] * 1000, n = 0;

    for (; g_get_monotonic_time() < end; n++) {
        pci_set_irq(&r->parent_obj, n & 1);
    }
    pci_set_irq(&r->parent_obj, 0);
    return n;
}

/* In the thread of its link, as a loop in a device model would. */
static int64_t hang(RedTeam *r)
{
    int64_t end = g_get_monotonic_time() + (int64_t)r->arg[0] * 1000;

    while (g_get_monotonic_time() < end) {
    }
    return 0;
}

/* -- Memory that is not its guest's --------------------------------------- */

static int64_t dma_read(RedTeam *r)
{
    uint64_t value;

    return pci_dma_read(&r->parent_obj, r->arg[0], &value, sizeof(value))
           ? -EFAULT : 0;
}

static int64_t dma_write(RedTeam *r)
{
    uint64_t value = ldq_le_p("redteam!");

    return pci_dma_write(&r->parent_obj, r->arg[0], &value, sizeof(value))
           ? -EFAULT : 0;
}

/* An address of this process is none of the guest's. */
static int64_t dma_own_memory(RedTeam *r)
{
    uint64_t value;

    return pci_dma_read(&r->parent_obj, (uintptr_t)r, &value, sizeof(value))
           ? -EFAULT : 0;
}

/* -- The proxy: ARG0 is the link's descriptor ----------------------------- */

static int64_t send_garbage(RedTeam *r)
{
    uint8_t noise[512];

    memset(noise, 0xa5, sizeof(noise));
    for (int i = 0; i < 100; i++) {
        if (send((int)r->arg[0], noise, sizeof(noise),
                 MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            break;
        }
    }
    return 0;
}

static int64_t send_descriptors(RedTeam *r)
{
    union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    uint64_t reply[3] = { 1, 8, 0 };
    struct iovec iov = { reply, sizeof(reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    int fd = 0;

    memset(&control, 0, sizeof(control));
    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    return sys_result(sendmsg((int)r->arg[0], &msg, MSG_NOSIGNAL));
}

static int64_t crash(RedTeam *r)
{
    *(volatile int *)NULL = 0;
    return 0;
}

static int64_t fail_assertion(RedTeam *r)
{
    abort();
}

const Attempt device_attempts[] = {
    { "eat memory", eat_memory },
    { "eat descriptors", eat_descriptors },
    { "eat threads", eat_threads },
    { "raise interrupts without end", raise_interrupts },
    { "hang", hang },
    { "DMA read", dma_read },
    { "DMA write", dma_write },
    { "DMA read of its own memory", dma_own_memory },
    { "send garbage to the proxy", send_garbage },
    { "send descriptors to the proxy", send_descriptors },
    { "crash", crash },
    { "fail an assertion", fail_assertion },
    { }
};
