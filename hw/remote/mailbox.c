/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mailbox of a link: one word of state, moved by compare and exchange, so
 * that both sides agree on who answers how.
 *
 *     empty --proxy--> posted --device--> taken --device--> answered
 *       ^                |                  |                  |
 *       |<----proxy------'                  '--proxy--> by socket
 *       '<----proxy-------------------------------------'
 *
 * Only the proxy empties it.  A proxy that has waited long enough takes its
 * request back, or, if the device is at work on it, has the answer sent by the
 * socket, where it can sleep.
 *
 * The device says when its thread sleeps.  It says so first and then looks a
 * last time; the proxy posts first and then looks whether it sleeps.  Both in
 * sequentially consistent order, so at least one sees the other.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "hw/remote/mailbox.h"

enum { EMPTY, POSTED, TAKEN, ANSWERED, BY_SOCKET };

#define MAILBOX_SIZE 4096
#define REQUEST_SIZE (MPQEMU_MSG_HDR_SIZE + sizeof(BarAccessMsg))

struct Mailbox {
    /* One cache line: it moves twice for a request and its answer. */
    uint32_t state;
    uint32_t pad;
    uint64_t request[REQUEST_SIZE / sizeof(uint64_t)];
    uint64_t answer;

    uint32_t awake __attribute__((aligned(64)));
};

QEMU_BUILD_BUG_ON(offsetof(Mailbox, request) != 8);
QEMU_BUILD_BUG_ON(offsetof(Mailbox, answer) != 48);
QEMU_BUILD_BUG_ON(offsetof(Mailbox, awake) != 64);

static Mailbox *map(int fd, Error **errp)
{
    void *at = mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                    0);

    if (at == MAP_FAILED) {
        error_setg_errno(errp, errno, "Cannot map a mailbox");
        return NULL;
    }
    return at;
}

Mailbox *mailbox_new(int *fd, Error **errp)
{
    Mailbox *mb = NULL;

    *fd = memfd_create("mailbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0 || ftruncate(*fd, MAILBOX_SIZE) < 0 ||
        fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
                                F_SEAL_SEAL) < 0) {
        error_setg_errno(errp, errno, "Cannot create a mailbox");
    } else {
        mb = map(*fd, errp);
    }
    if (!mb) {
        qemu_close(fd);
    }
    return mb;
}

Mailbox *mailbox_map(int fd, Error **errp)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;

    if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
        error_setg(errp, "a mailbox that is no memory, or can be shortened");
        return NULL;
    }
    if (fstat(fd, &st) < 0 || st.st_size != MAILBOX_SIZE) {
        error_setg(errp, "a mailbox that has not %d bytes", MAILBOX_SIZE);
        return NULL;
    }
    return map(fd, errp);
}

void mailbox_unmap(Mailbox *mb)
{
    if (mb) {
        munmap(mb, MAILBOX_SIZE);
    }
}

static bool move(Mailbox *mb, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&mb->state, &from, to, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint32_t state(Mailbox *mb)
{
    return __atomic_load_n(&mb->state, __ATOMIC_ACQUIRE);
}

void mailbox_clear(Mailbox *mb)
{
    __atomic_store_n(&mb->state, EMPTY, __ATOMIC_RELEASE);
}

bool mailbox_post(Mailbox *mb, const MPQemuMsg *msg)
{
    uint64_t request[G_N_ELEMENTS(mb->request)] = { 0 };

    if (!__atomic_load_n(&mb->awake, __ATOMIC_RELAXED)) {
        return false;
    }
    memcpy(request, msg, MPQEMU_MSG_HDR_SIZE + msg->size);
    for (unsigned i = 0; i < G_N_ELEMENTS(request); i++) {
        __atomic_store_n(&mb->request[i], request[i], __ATOMIC_RELAXED);
    }
    __atomic_store_n(&mb->state, POSTED, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&mb->awake, __ATOMIC_SEQ_CST)) {
        return true;
    }
    /* It went to sleep meanwhile, unless its last look has found this. */
    return !move(mb, POSTED, EMPTY);
}

int mailbox_look(Mailbox *mb, uint64_t *value)
{
    switch (state(mb)) {
    case POSTED:
    case TAKEN:
        return 0;
    case ANSWERED:
        *value = __atomic_load_n(&mb->answer, __ATOMIC_RELAXED);
        mailbox_clear(mb);
        return 1;
    default:
        return -EPROTO;
    }
}

int mailbox_give_up(Mailbox *mb, uint64_t *value)
{
    int ret;

    if (move(mb, POSTED, EMPTY)) {
        return -ECANCELED;
    }
    if (move(mb, TAKEN, BY_SOCKET)) {
        return -EINPROGRESS;
    }
    ret = mailbox_look(mb, value);
    return ret ? ret : -EPROTO;         /* the states only go forward */
}

bool mailbox_take(Mailbox *mb, MPQemuMsg *msg)
{
    uint64_t request[G_N_ELEMENTS(mb->request)];

    if (state(mb) != POSTED || !move(mb, POSTED, TAKEN)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(request); i++) {
        request[i] = __atomic_load_n(&mb->request[i], __ATOMIC_RELAXED);
    }
    memcpy(msg, request, sizeof(request));
    msg->num_fds = 0;
    return true;
}

int mailbox_answer(Mailbox *mb, uint64_t value)
{
    __atomic_store_n(&mb->answer, value, __ATOMIC_RELAXED);
    if (move(mb, TAKEN, ANSWERED)) {
        return 1;
    }
    return state(mb) == BY_SOCKET ? 0 : -EPROTO;
}

bool mailbox_set_awake(Mailbox *mb, bool awake)
{
    __atomic_store_n(&mb->awake, awake, __ATOMIC_SEQ_CST);
    return awake || __atomic_load_n(&mb->state, __ATOMIC_SEQ_CST) != POSTED;
}
