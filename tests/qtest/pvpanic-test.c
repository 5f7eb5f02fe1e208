/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvpanic: what a guest writes, what the operator hears. */
#include "libqtest.h"

#define PORT 0x505
#define BAR 0xfe000000
#define RUNNING "{'execute': 'query-status'}"

static char *status(QTestState *s)
{
    g_autoptr(JsonNode) ret = qtest_qmp(s, RUNNING);

    return g_strdup(json_object_get_string_member(json_node_get_object(ret),
                                                  "status"));
}

static void assert_panicked(QTestState *s)
{
    g_autofree char *state = NULL;

    g_assert_cmpuint(qtest_qmp_events(s, "GUEST_PANICKED", true), ==, 1);
    g_assert_cmpuint(qtest_qmp_events(s, "STOP", true), ==, 1);
    state = status(s);
    g_assert_cmpstr(state, ==, "guest-panicked");
    qtest_quit(s);
}

static QTestState *start(const char *machine, const char *device)
{
    QTestState *s = qtest_init("-machine %s -m 16M -device %s "
                               "-action panic=pause", machine, device);

    qtest_qmp_ok(s, "{'execute': 'cont'}");
    return s;
}

static void test_port(void)
{
    QTestState *s = start("pc", "pvpanic");

    g_assert_cmphex(qtest_in(s, PORT, 1), ==, 3);
    qtest_out(s, PORT, 0xfc, 1);                /* nothing that is known */
    qtest_out(s, PORT, 2, 1);
    g_assert_cmpuint(qtest_qmp_events(s, "GUEST_CRASHLOADED", true), ==, 1);
    g_assert_cmpuint(qtest_qmp_events(s, "GUEST_PANICKED", false), ==, 0);
    qtest_out(s, PORT, 1, 1);
    assert_panicked(s);
}

static void test_port_moved(void)
{
    QTestState *s = start("q35", "pvpanic,ioport=0x600,events=1");

    g_assert_cmphex(qtest_in(s, 0x600, 1), ==, 1);
    qtest_out(s, 0x600, 2, 1);                  /* not taken */
    qtest_out(s, 0x600, 3, 1);
    g_assert_cmpuint(qtest_qmp_events(s, "GUEST_CRASHLOADED", false), ==, 0);
    assert_panicked(s);
}

static void test_pci(void)
{
    QTestState *s = start("q35", "pvpanic-pci,addr=4");
    QPCIDevice dev = { s, 0, QPCI_DEVFN(4, 0) };
    uint8_t type;

    g_assert_cmphex(qpci_read(&dev, 0, 4), ==, 0x00111b36);
    g_assert_cmphex(qpci_read(&dev, 8, 4) >> 16, ==, 0x0880);
    g_assert_cmphex(qpci_bar_size(&dev, 0, &type), ==, 16);
    qpci_set_bar(&dev, 0, BAR);
    qpci_enable(&dev);
    g_assert_cmphex(qtest_read(s, BAR, 1), ==, 3);
    g_assert_cmphex(qtest_read(s, BAR + 1, 1), ==, 0);
    qtest_write(s, BAR + 1, 1, 1);
    g_assert_cmpuint(qtest_qmp_events(s, "GUEST_PANICKED", false), ==, 0);
    qtest_write(s, BAR, 1, 1);
    assert_panicked(s);
}

static void test_refused(void)
{
    static const struct { const char *args, *words; } bad[] = {
        { "-accel qtest -machine pc -device pvpanic,ioport=0x10000",
          "ioport 0x10000" },
        { "-accel qtest -machine pc -device pvpanic,events=4", "'events'" },
        { "-accel qtest -machine pc -device pvpanic "
          "-device pvpanic,ioport=0x600", "only one" },
        { "-machine x-remote -device pvpanic-pci", "main process" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        QTestState *s = qtest_spawn(false, NULL, "-nodefaults -display none "
                                    "%s", bad[i].args);

        qtest_expect_stderr(s, bad[i].words);
        g_assert_cmpint(qtest_wait(s), ==, 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pvpanic/port", test_port);
    g_test_add_func("/pvpanic/another-port", test_port_moved);
    g_test_add_func("/pvpanic/pci", test_pci);
    g_test_add_func("/pvpanic/wrong-use-is-refused", test_refused);
    return g_test_run();
}
