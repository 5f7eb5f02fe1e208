/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EventNotifier: an eventfd(2) of which only "set" and "clear" are used. */
#include "qemu/osdep.h"
#include "qemu/event_notifier.h"

#include <sys/eventfd.h>

int event_notifier_init(EventNotifier *e, bool active)
{
    e->fd = eventfd(active, EFD_NONBLOCK | EFD_CLOEXEC);
    return e->fd < 0 ? -errno : 0;
}

void event_notifier_init_fd(EventNotifier *e, int fd)
{
    e->fd = fd;
}

void event_notifier_cleanup(EventNotifier *e)
{
    qemu_close(&e->fd);
}

int event_notifier_get_fd(const EventNotifier *e)
{
    return e->fd;
}

int event_notifier_set(EventNotifier *e)
{
    uint64_t one = 1;

    if (RETRY_ON_EINTR(write(e->fd, &one, sizeof(one))) < 0 &&
        errno != EAGAIN) {
        return -errno;
    }
    return 0;
}

bool event_notifier_test_and_clear(EventNotifier *e)
{
    uint64_t count;
    struct iovec iov = { &count, sizeof(count) };

    /* One read empties the counter; none is there if it fails.  O_NONBLOCK
     * belongs to whoever else has the eventfd, too: upstream clears it on
     * descriptors that it receives. */
    return RETRY_ON_EINTR(preadv2(e->fd, &iov, 1, -1, RWF_NOWAIT)) ==
           sizeof(count);
}
