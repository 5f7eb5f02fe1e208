/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device models by their registers, local and behind a proxy: edu. */
#include "libqtest.h"

#define BAR 0xfe000000

static void start(QWorld *w)
{
    qpci_set_bar(&w->dev, 0, BAR);
    qpci_enable(&w->dev);
}

/* -- edu ---------------------------------------------------------------------- */

static void test_edu_factorials(QWorld *w)
{
    uint32_t want = 1;

    start(w);
    for (uint32_t n = 1; n < 40; n++) {
        want *= n;
        qtest_write(w->main, BAR + 8, n, 4);
        qtest_until(w->main, !(qtest_read(w->main, BAR + 0x20, 4) & 1));
        g_assert_cmphex(qtest_read(w->main, BAR + 8, 4), ==, want);
    }
}

static void test_edu_interrupt_status(QWorld *w)
{
    start(w);
    for (int bit = 0; bit < 32; bit++) {
        qtest_write(w->main, BAR + 0x60, 1u << bit, 4);
        g_assert_cmphex(qtest_read(w->main, BAR + 0x24, 4), ==, 1u << bit);
        qtest_write(w->main, BAR + 0x64, 1u << bit, 4);
        g_assert_cmphex(qtest_read(w->main, BAR + 0x24, 4), ==, 0);
    }
}

static void test_edu_no_registers(QWorld *w)
{
    start(w);
    for (unsigned at = 0x100; at < 0x100000; at += 0xff0) {
        g_assert_cmphex(qtest_read(w->main, BAR + (at & ~3), 4), ==,
                        0xffffffff);
    }
}

static uint8_t find_capability(QPCIDevice *d, uint8_t id)
{
    uint8_t at = 0;

    if (qpci_read(d, 0x06, 2) & 0x10) {
        at = qpci_read(d, 0x34, 1);
        while (at && qpci_read(d, at, 1) != id) {
            at = qpci_read(d, at + 1, 1);
        }
    }
    return at;
}

/* Messages where there are any; the wire between processes has none. */
static void test_edu_msi(QWorld *w)
{
    uint8_t msi = find_capability(&w->dev, 5), vector = 0x61;

    start(w);
    g_assert_cmpint(msi != 0, ==, !w->remote);
    g_assert_cmpint(qpci_read(&w->dev, 0x3d, 1), ==, 1);
    if (w->remote) {
        return;
    }
    apic_init(w->main);
    qpci_write(&w->dev, msi + 4, 0xfee00000, 4);
    qpci_write(&w->dev, msi + 8, 0, 4);
    qpci_write(&w->dev, msi + 12, vector, 2);
    qpci_write(&w->dev, msi + 2, qpci_read(&w->dev, msi + 2, 2) | 1, 2);
    qtest_write(w->main, BAR + 0x60, 1, 4);
    g_assert_true(apic_in_service(w->main, vector));
    /* A message, not a level: it does not come again by itself. */
    apic_end(w->main);
    g_assert_false(apic_in_service(w->main, vector));
    qtest_write(w->main, BAR + 0x64, 1, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + 0x24, 4), ==, 0);
}

static const struct {
    const char *suite, *name, *device;
    void (*fn)(QWorld *w);
} tests[] = {
    { "edu", "factorials", "edu", test_edu_factorials },
    { "edu", "interrupt-status", "edu", test_edu_interrupt_status },
    { "edu", "messages-where-there-are-any", "edu", test_edu_msi },
    { "edu", "nothing-between-registers", "edu", test_edu_no_registers },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        QWorldConfig config = {
            .machine = "q35", .device = tests[i].device,
        };

        qworld_add_tests(tests[i].suite, tests[i].name, &config, tests[i].fn);
    }
    return g_test_run();
}
