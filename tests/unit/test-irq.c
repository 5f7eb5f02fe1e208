/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines. */
#include "qemu/osdep.h"
#include "hw/irq.h"

typedef struct Sink {
    int calls, n, level;
} Sink;

static void sink_set(void *opaque, int n, int level)
{
    Sink *s = opaque;

    s->calls++;
    s->n = n;
    s->level = level;
}

static void test_levels(void)
{
    Sink sink = { 0 };
    qemu_irq *irqs = qemu_allocate_irqs(sink_set, &sink, 4);

    qemu_irq_raise(irqs[2]);
    g_assert_cmpint(sink.n, ==, 2);
    g_assert_cmpint(sink.level, ==, 1);
    qemu_irq_lower(irqs[3]);
    g_assert_cmpint(sink.n, ==, 3);
    g_assert_cmpint(sink.level, ==, 0);
    qemu_irq_pulse(irqs[0]);
    g_assert_cmpint(sink.calls, ==, 4);
    g_assert_cmpint(sink.level, ==, 0);
    qemu_free_irqs(irqs, 4);
}

static void test_unconnected(void)
{
    qemu_set_irq(NULL, 1);
}

static void test_invert(void)
{
    Sink sink = { 0 };
    qemu_irq line = qemu_allocate_irq(sink_set, &sink, 9);
    qemu_irq inverted = qemu_irq_invert(line);

    qemu_irq_lower(inverted);
    g_assert_cmpint(sink.level, ==, 1);
    qemu_set_irq(inverted, 5);
    g_assert_cmpint(sink.level, ==, 0);
    g_assert_cmpint(sink.n, ==, 9);
    qemu_free_irq(inverted);
    qemu_free_irq(line);
}

static void test_intercept(void)
{
    Sink sink = { 0 }, watcher = { 0 };
    qemu_irq line = qemu_allocate_irq(sink_set, &sink, 3);

    qemu_irq_intercept(line, sink_set, &watcher, true);
    qemu_irq_raise(line);
    g_assert_cmpint(watcher.n, ==, 3);
    g_assert_cmpint(sink.level, ==, 1);
    qemu_irq_intercept(line, sink_set, &watcher, false);
    qemu_irq_lower(line);
    g_assert_cmpint(watcher.calls, ==, 2);
    g_assert_cmpint(sink.calls, ==, 1);
    qemu_irq_intercept(line, NULL, NULL, true);
    qemu_irq_lower(line);
    g_assert_cmpint(watcher.calls, ==, 2);
    g_assert_cmpint(sink.calls, ==, 2);
    qemu_free_irq(line);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/irq/levels-reach-their-line", test_levels);
    g_test_add_func("/irq/no-line-is-no-harm", test_unconnected);
    g_test_add_func("/irq/invert", test_invert);
    g_test_add_func("/irq/intercept-sees-first-and-may-swallow",
                    test_intercept);
    return g_test_run();
}
