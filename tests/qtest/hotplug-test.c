/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI hot plug by ACPI on machine pc: registers, event, both kinds of device. */
#include "libqtest.h"

enum { UP = 0xae00, DOWN = 0xae04, EJECT = 0xae08, REMOVABLE = 0xae0c,
       BUS = 0xae10, GPE_STS = 0xafe0 };
#define SLOT(n) (1u << (n))
#define GPE_HOTPLUG 2

static const QWorldConfig one_edu = { .machine = "pc", .device = "edu" };

static void take_event(QTestState *s)
{
    g_assert_cmphex(qtest_in(s, GPE_STS, 2) & GPE_HOTPLUG, ==, GPE_HOTPLUG);
    qtest_out(s, GPE_STS, GPE_HOTPLUG, 2);
    g_assert_cmphex(qtest_in(s, GPE_STS, 2) & GPE_HOTPLUG, ==, 0);
}

static void add_edu(QTestState *s, const char *id, const char *addr, bool multi)
{
    qtest_qmp_ok(s, "{\"execute\": \"device_add\", \"arguments\": "
                 "{\"driver\": \"edu\", \"id\": \"%s\", \"addr\": \"%s\", "
                 "\"multifunction\": %s}}", id, addr,
                 multi ? "true" : "false");
}

static void del(QTestState *s, const char *id)
{
    qtest_qmp_ok(s, "{\"execute\": \"device_del\", \"arguments\": "
                 "{\"id\": \"%s\"}}", id);
}

static bool there(QPCIDevice *d)
{
    return qpci_read(d, 0, 4) != 0xffffffff;
}

static void test_card_comes(QWorld *w)
{
    QPCIDevice card = { w->main, 0, QPCI_DEVFN(6, 0) };

    g_assert_cmphex(qtest_in(w->main, UP, 4), ==, 0);
    g_assert_false(there(&card));
    add_edu(w->main, "c", "6", false);
    take_event(w->main);
    g_assert_true(there(&card));
    g_assert_cmphex(qtest_in(w->main, UP, 4), ==, SLOT(6));
    g_assert_cmphex(qtest_in(w->main, UP, 4), ==, 0);
    g_assert_cmphex(qtest_in(w->main, DOWN, 4), ==, 0);
}

static void test_card_goes_when_the_guest_agrees(QWorld *w)
{
    del(w->main, "d1");
    take_event(w->main);
    g_assert_cmphex(qtest_in(w->main, DOWN, 4), ==, SLOT(4));
    g_assert_cmphex(qtest_in(w->main, UP, 4), ==, 0);
    g_assert_true(there(&w->dev));
    g_assert_cmpint(qtest_qmp_events(w->main, "DEVICE_DELETED", false), ==, 0);
    qtest_out(w->main, EJECT, SLOT(4), 4);
    g_assert_false(there(&w->dev));
    g_assert_cmphex(qtest_in(w->main, DOWN, 4), ==, 0);
    g_assert_cmpint(qtest_qmp_events(w->main, "DEVICE_DELETED", true), ==, 1);
    if (w->remote) {
        g_assert_cmpint(qtest_wait(w->remote), ==, 0);
        w->remote = NULL;
    }
}

static void test_reset_is_agreement(QWorld *w)
{
    del(w->main, "d1");
    qtest_qmp_ok(w->main, "system_reset");
    qtest_until(w->main, !there(&w->dev));
    g_assert_cmphex(qtest_in(w->main, DOWN, 4), ==, 0);
}

static void test_guest_ejects_by_itself(QWorld *w)
{
    qtest_out(w->main, EJECT, SLOT(4), 4);
    g_assert_false(there(&w->dev));
    qtest_qmp_events(w->main, "DEVICE_DELETED", true);
}

static void test_chipset_stays(QWorld *w)
{
    QPCIDevice host = { w->main, 0, 0 }, isa = { w->main, 0, QPCI_DEVFN(1, 0) };

    g_assert_cmphex(qtest_in(w->main, REMOVABLE, 4), ==, ~(SLOT(0) | SLOT(1)));
    qtest_out(w->main, EJECT, ~SLOT(4), 4);
    g_assert_true(there(&host));
    g_assert_true(there(&isa));
    g_assert_true(there(&w->dev));
}

static void test_other_bus_is_empty(QWorld *w)
{
    del(w->main, "d1");
    qtest_out(w->main, BUS, 1, 4);
    g_assert_cmphex(qtest_in(w->main, BUS, 4), ==, 1);
    g_assert_cmphex(qtest_in(w->main, DOWN, 4), ==, 0);
    g_assert_cmphex(qtest_in(w->main, REMOVABLE, 4), ==, 0);
    qtest_out(w->main, EJECT, SLOT(4), 4);
    g_assert_true(there(&w->dev));
    qtest_out(w->main, BUS, 0, 4);
    g_assert_cmphex(qtest_in(w->main, DOWN, 4), ==, SLOT(4));
}

static void test_function_0_completes_a_card(QWorld *w)
{
    add_edu(w->main, "f1", "7.1", false);
    g_assert_cmphex(qtest_in(w->main, UP, 4), ==, 0);
    add_edu(w->main, "f0", "7.0", true);
    g_assert_cmphex(qtest_in(w->main, UP, 4), ==, SLOT(7));
    qtest_out(w->main, EJECT, SLOT(7), 4);
    qtest_until(w->main,
                qtest_qmp_events(w->main, "DEVICE_DELETED", true) >= 2);
    add_edu(w->main, "f1", "7.1", false);
}

/* The guest's half of PCI Express hot plug, as far as it takes it back. */
static void test_guest_keeps_a_card(void)
{
    enum { CONTROL = 0x40 + 0x18, ON = 0x100, BLINK = 0x200 };
    QTestState *s = qtest_init("-machine q35 -device pcie-root-port,id=port,"
                               "addr=4,chassis=1,slot=1 "
                               "-device edu,id=card,bus=port");
    QPCIDevice port = { s, 0, QPCI_DEVFN(4, 0) };

    g_assert_cmphex(qpci_read(&port, CONTROL, 2) & 0x700, ==, ON);
    del(s, "card");
    qpci_write(&port, CONTROL, BLINK, 2);
    g_assert_cmpint(qtest_qmp_events(s, "DEVICE_UNPLUG_GUEST_ERROR", false), ==,
                    0);
    qpci_write(&port, CONTROL, ON, 2);
    g_assert_cmpint(qtest_qmp_events(s, "DEVICE_UNPLUG_GUEST_ERROR", true), ==,
                    1);
    g_assert_cmpint(qtest_qmp_events(s, "DEVICE_DELETED", false), ==, 0);
    qtest_quit(s);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*fn)(QWorld *w); } cases[] = {
        { "card-comes", test_card_comes },
        { "card-goes-when-the-guest-agrees",
          test_card_goes_when_the_guest_agrees },
        { "reset-is-agreement", test_reset_is_agreement },
        { "guest-ejects-by-itself", test_guest_ejects_by_itself },
        { "chipset-stays", test_chipset_stays },
        { "other-bus-is-empty", test_other_bus_is_empty },
        { "function-0-completes-a-card", test_function_0_completes_a_card },
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hotplug/q35/guest-keeps-a-card", test_guest_keeps_a_card);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        qworld_add_tests("hotplug/pc", cases[i].name, &one_edu, cases[i].fn);
    }
    return g_test_run();
}
