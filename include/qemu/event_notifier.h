/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EventNotifier: an eventfd that two threads, processes or KVM share. */
#ifndef QEMU_EVENT_NOTIFIER_H
#define QEMU_EVENT_NOTIFIER_H

struct EventNotifier {
    int fd;                     /* -1: none */
};

/* Non-blocking, close-on-exec.  Returns 0 or -errno. */
int event_notifier_init(EventNotifier *e, bool active);
/* Takes @fd over. */
void event_notifier_init_fd(EventNotifier *e, int fd);
void event_notifier_cleanup(EventNotifier *e);
int event_notifier_get_fd(const EventNotifier *e);
/* 0, or -errno; a counter that is full already counts as set.  Any thread. */
int event_notifier_set(EventNotifier *e);
/* True if it was set.  Any thread. */
bool event_notifier_test_and_clear(EventNotifier *e);

#endif
