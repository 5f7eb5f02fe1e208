/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that meet by a path: a device's process that dies and comes back,
 * one that outlives its machine, one that takes its device away.
 */
#include <glib/gstdio.h>

#include "libqtest.h"

#define BAR 0xfe000000
#define LIVENESS (BAR + 4)

static char *dir, *path;

/* Who waits for the path may have come, and the path be gone, before a look
 * at it; but the socket keeps its name. */
static bool path_is_served(void)
{
    g_autofree char *sockets = NULL;

    g_assert_true(g_file_get_contents("/proc/net/unix", &sockets, NULL, NULL));
    return strstr(sockets, path);
}

/* @objects: properties of the x-remote-object besides id, device, path. */
static QTestState *remote_new(bool drive, const char *device,
                              const char *object)
{
    QTestState *s;

    g_remove(path);
    /* Out of the box, that it may listen at another path later. */
    s = qtest_spawn(drive, NULL, "-machine x-remote -nodefaults -sandbox off "
                                "-display none -device %s,id=d -object "
                                "x-remote-object,id=o,devid=d,socket.type=unix,"
                                "socket.path=%s%s", device, path, object);

    qtest_until(s, path_is_served());
    return s;
}

static QTestState *main_new(const char *proxy)
{
    return qtest_init("-object memory-backend-memfd,id=ram,size=64M -m 64M "
                      "-machine pc,memory-backend=ram -device x-pci-proxy-dev,"
                      "id=p,addr=4.0,socket.type=unix,socket.path=%s%s", path,
                      proxy);
}

static QPCIDevice device_of(QTestState *s)
{
    return (QPCIDevice){ s, 0, QPCI_DEVFN(4, 0) };
}

static void check_works(QTestState *s)
{
    qtest_write(s, LIVENESS, 4, 4);
    g_assert_cmphex(qtest_read(s, LIVENESS, 4), ==, 0xfffffffb);
}

static void kill_remote(QTestState *remote)
{
    qtest_qmp_ok(remote, "quit");
    g_assert_cmpint(qtest_wait(remote), ==, 0);
}

static void test_comes_back(void)
{
    QTestState *remote = remote_new(true, "edu", ""), *s;
    QPCIDevice d;

    s = main_new(",reconnect-ms=10");
    d = device_of(s);
    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    check_works(s);
    for (unsigned n = 1; n <= 3; n++) {
        qtest_expect_stderr(s, "p: the device's process is gone");
        qtest_expect_stderr(s, "p: the device's process is back");
        kill_remote(remote);
        qtest_until(s, qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true) == n);
        g_assert_cmphex(qpci_read(&d, 0, 4), ==, 0xffffffff);
        g_assert_cmphex(qtest_read(s, LIVENESS, 4), ==, 0xffffffff);
        remote = remote_new(true, "edu", "");
        qtest_until(s, qtest_qmp_events(s, "X_PCI_PROXY_DEV_BACK", true) == n);
        /* Reset, and where the guest had put it. */
        g_assert_cmphex(qtest_read(s, LIVENESS, 4), ==, 0);
        check_works(s);
    }
    qtest_quit(s);
    g_assert_cmpint(qtest_wait(remote), ==, 0);
}

static void test_interrupts_and_dma_come_back(void)
{
    QTestState *remote = remote_new(true, "edu", ""), *s;
    QPCIDevice d;

    s = main_new(",reconnect-ms=10");
    d = device_of(s);
    pic_init(s);
    pic_unmask(s, 11, true);
    qtest_out(s, 0xcf8, 0x80000860, 4);     /* PIRQ A to D to line 11 */
    qtest_out(s, 0xcfc, 0x0b0b0b0b, 4);
    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    qtest_expect_stderr(s, "is gone");
    qtest_expect_stderr(s, "is back");
    kill_remote(remote);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    remote = remote_new(true, "edu", "");
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_BACK", true);
    qtest_write(s, BAR + 0x60, 1, 4);       /* raise */
    qtest_until(s, pic_take(s) == 11);
    qtest_write(s, BAR + 0x64, 1, 4);
    pic_end(s, 11);
    qtest_write(s, 0x100000, 0x1234, 4);
    qtest_write(s, BAR + 0x80, 0x100000, 8);
    qtest_write(s, BAR + 0x88, 0x40000, 8);
    qtest_write(s, BAR + 0x90, 4, 8);
    qtest_write(s, BAR + 0x98, 1, 8);       /* to the device */
    qtest_until(s, !(qtest_read(s, BAR + 0x98, 8) & 1));
    qtest_write(s, BAR + 0x80, 0x40000, 8);
    qtest_write(s, BAR + 0x88, 0x200000, 8);
    qtest_write(s, BAR + 0x98, 3, 8);       /* and back */
    qtest_until(s, !(qtest_read(s, BAR + 0x98, 8) & 1));
    g_assert_cmphex(qtest_read(s, 0x200000, 4), ==, 0x1234);
    qtest_quit(s);
    g_assert_cmpint(qtest_wait(remote), ==, 0);
}

static void test_other_device_is_refused(void)
{
    QTestState *remote = remote_new(true, "edu", ""), *s;
    QPCIDevice d;

    s = main_new(",reconnect-ms=10");
    d = device_of(s);
    qtest_expect_stderr(s, "is gone");
    qtest_expect_stderr(s, "it is another device (1b36:0005)");
    qtest_expect_stderr(s, "is back");
    kill_remote(remote);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    remote = remote_new(false, "pci-testdev", "");
    g_assert_cmpint(qtest_wait(remote), ==, 0);
    g_assert_cmphex(qpci_read(&d, 0, 4), ==, 0xffffffff);
    remote = remote_new(false, "edu", "");
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_BACK", true);
    qtest_quit(s);
    g_assert_cmpint(qtest_wait(remote), ==, 0);
}

/* Its level was up, and nobody will take it down any more. */
static void test_line_goes_down_with_it(void)
{
    QTestState *remote = remote_new(true, "edu", ""), *s;
    QPCIDevice d;

    s = main_new(",reconnect-ms=0");
    d = device_of(s);
    pic_init(s);
    pic_unmask(s, 11, true);
    qtest_out(s, 0xcf8, 0x80000860, 4);
    qtest_out(s, 0xcfc, 0x0b0b0b0b, 4);
    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    qtest_write(s, BAR + 0x60, 1, 4);           /* raise */
    qtest_out(s, 0xa0, 0x0a, 1);                /* show IRR */
    qtest_until(s, qtest_in(s, 0xa0, 1) == 1 << 3);
    qtest_expect_stderr(s, "is gone");
    kill_remote(remote);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    g_assert_cmphex(qtest_in(s, 0xa0, 1), ==, 0);
    g_assert_cmpint(pic_take(s), ==, -1);
    qtest_quit(s);
}

static void test_gone_for_good_if_so_asked(void)
{
    QTestState *remote = remote_new(true, "edu", ""), *s;

    s = main_new(",reconnect-ms=0");
    qtest_expect_stderr(s, "is gone");
    kill_remote(remote);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    remote = remote_new(true, "edu", "");
    qtest_clock_step(s, 5000000000);
    g_assert_cmpint(qtest_qmp_events(s, "X_PCI_PROXY_DEV_BACK", false), ==, 0);
    qtest_quit(s);
    kill_remote(remote);
}

static void test_unplugged_while_it_is_away(void)
{
    QTestState *remote = remote_new(true, "edu", ""), *s;
    QPCIDevice d;

    s = main_new(",reconnect-ms=1");
    d = device_of(s);
    qtest_expect_stderr(s, "is gone");
    kill_remote(remote);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    qtest_out(s, 0xae08, 1 << 4, 4);
    qtest_qmp_events(s, "DEVICE_DELETED", true);
    g_assert_cmphex(qpci_read(&d, 0, 4), ==, 0xffffffff);
    qtest_quit(s);
}

static void test_serves_one_machine_after_another(void)
{
    QTestState *remote = remote_new(true, "edu", ",auto-shutdown=off");

    for (int i = 0; i < 3; i++) {
        QTestState *s = main_new("");
        QPCIDevice d = device_of(s);

        qpci_set_bar(&d, 0, BAR);
        qpci_enable(&d);
        g_assert_cmphex(qtest_read(s, LIVENESS, 4), ==, 0);
        check_works(s);
        qtest_quit(s);
    }
    kill_remote(remote);
    g_remove(path);             /* nobody there any more */
}

static void del(QTestState *s, const char *id)
{
    qtest_qmp_ok(s, "{\"execute\": \"device_del\", \"arguments\": "
                 "{\"id\": \"%s\"}}", id);
}

/* The guest is asked by the machine's usual means. */
static void test_removed_in_its_process(void)
{
    QTestState *remote = remote_new(true, "edu", ",auto-shutdown=off"), *s;
    QPCIDevice d;

    s = main_new("");
    d = device_of(s);
    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    del(remote, "d");
    qtest_until(s, qtest_in(s, 0xae04, 4) == 1 << 4);
    check_works(s);
    g_assert_cmpint(qtest_qmp_events(remote, "DEVICE_DELETED", false), ==, 0);
    qtest_out(s, 0xae08, 1 << 4, 4);
    qtest_qmp_events(s, "DEVICE_DELETED", true);
    qtest_qmp_events(remote, "DEVICE_DELETED", true);
    g_assert_cmphex(qpci_read(&d, 0, 4), ==, 0xffffffff);
    /* Another takes its place. */
    qtest_qmp_ok(remote, "{\"execute\": \"object-del\", \"arguments\": "
                 "{\"id\": \"o\"}}");
    qtest_qmp_ok(remote, "{\"execute\": \"device_add\", \"arguments\": "
                 "{\"driver\": \"edu\", \"id\": \"d\"}}");
    qtest_qmp_ok(remote, "{\"execute\": \"object-add\", \"arguments\": "
                 "{\"qom-type\": \"x-remote-object\", \"id\": \"o\", "
                 "\"devid\": \"d\", \"auto-shutdown\": false, "
                 "\"socket\": {\"type\": \"unix\", \"path\": \"%s\"}}}", path);
    qtest_qmp_ok(s, "{\"execute\": \"device_add\", \"arguments\": "
                 "{\"driver\": \"x-pci-proxy-dev\", \"id\": \"q\", "
                 "\"addr\": \"4\", "
                 "\"socket\": {\"type\": \"unix\", \"path\": \"%s\"}}}", path);
    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    check_works(s);
    qtest_quit(s);
    kill_remote(remote);
}

static void test_removed_while_nobody_has_it(void)
{
    QTestState *remote = remote_new(true, "edu", ",auto-shutdown=off");

    del(remote, "d");
    qtest_qmp_events(remote, "DEVICE_DELETED", true);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    kill_remote(remote);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("qtest-XXXXXX", NULL);
    path = g_build_filename(dir, "device", NULL);
    g_test_add_func("/return/comes-back", test_comes_back);
    g_test_add_func("/return/interrupts-and-dma-come-back",
                    test_interrupts_and_dma_come_back);
    g_test_add_func("/return/other-device-is-refused",
                    test_other_device_is_refused);
    g_test_add_func("/return/line-goes-down-with-it",
                    test_line_goes_down_with_it);
    g_test_add_func("/return/gone-for-good-if-so-asked",
                    test_gone_for_good_if_so_asked);
    g_test_add_func("/return/unplugged-while-it-is-away",
                    test_unplugged_while_it_is_away);
    g_test_add_func("/return/serves-one-machine-after-another",
                    test_serves_one_machine_after_another);
    g_test_add_func("/return/removed-in-its-process",
                    test_removed_in_its_process);
    g_test_add_func("/return/removed-while-nobody-has-it",
                    test_removed_while_nobody_has_it);
    status = g_test_run();
    g_remove(path);
    g_rmdir(dir);
    return status;
}
