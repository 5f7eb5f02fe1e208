/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EventNotifier: set, cleared, shared. */
#include "qemu/osdep.h"
#include "qemu/event_notifier.h"

#include <poll.h>

static bool is_readable(const EventNotifier *e)
{
    struct pollfd p = { event_notifier_get_fd(e), POLLIN, 0 };

    return poll(&p, 1, 0) == 1;
}

static void test_set_and_clear(void)
{
    EventNotifier e;

    g_assert_cmpint(event_notifier_init(&e, false), ==, 0);
    g_assert_false(is_readable(&e));
    g_assert_false(event_notifier_test_and_clear(&e));
    g_assert_cmpint(event_notifier_set(&e), ==, 0);
    g_assert_cmpint(event_notifier_set(&e), ==, 0);
    g_assert_true(is_readable(&e));
    g_assert_true(event_notifier_test_and_clear(&e));
    g_assert_false(event_notifier_test_and_clear(&e));
    event_notifier_cleanup(&e);
}

static void test_active(void)
{
    EventNotifier e;

    g_assert_cmpint(event_notifier_init(&e, true), ==, 0);
    g_assert_true(event_notifier_test_and_clear(&e));
    event_notifier_cleanup(&e);
    g_assert_cmpint(e.fd, ==, -1);
    event_notifier_cleanup(&e);
}

static void test_flags(void)
{
    EventNotifier e;

    g_assert_cmpint(event_notifier_init(&e, false), ==, 0);
    g_assert_cmpint(fcntl(e.fd, F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(fcntl(e.fd, F_GETFL) & O_NONBLOCK, !=, 0);
    event_notifier_cleanup(&e);
}

static void test_full(void)
{
    EventNotifier e;
    uint64_t most = UINT64_MAX - 1;

    g_assert_cmpint(event_notifier_init(&e, false), ==, 0);
    g_assert_cmpint(write(e.fd, &most, sizeof(most)), ==, sizeof(most));
    g_assert_cmpint(event_notifier_set(&e), ==, 0);     /* it is set already */
    g_assert_true(event_notifier_test_and_clear(&e));
    g_assert_false(event_notifier_test_and_clear(&e));
    event_notifier_cleanup(&e);
}

static void test_shared(void)
{
    EventNotifier e, other;

    g_assert_cmpint(event_notifier_init(&e, false), ==, 0);
    event_notifier_init_fd(&other, dup(e.fd));
    event_notifier_set(&other);
    g_assert_true(event_notifier_test_and_clear(&e));
    g_assert_false(event_notifier_test_and_clear(&other));
    event_notifier_cleanup(&other);
    event_notifier_cleanup(&e);
}

static void test_bad(void)
{
    EventNotifier e = { -1 };

    g_assert_cmpint(event_notifier_set(&e), ==, -EBADF);
    g_assert_false(event_notifier_test_and_clear(&e));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/event-notifier/set-twice-clear-once",
                    test_set_and_clear);
    g_test_add_func("/event-notifier/active-from-the-start", test_active);
    g_test_add_func("/event-notifier/nonblocking-close-on-exec", test_flags);
    g_test_add_func("/event-notifier/full-counts-as-set", test_full);
    g_test_add_func("/event-notifier/shared", test_shared);
    g_test_add_func("/event-notifier/bad-descriptor", test_bad);
    return g_test_run();
}
