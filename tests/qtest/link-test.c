/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link as its operator sees it: what is counted at either end, options that
 * are refused, and a device that hangs.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libqtest.h"

#define BAR 0xfe000000

/* -- Counting ------------------------------------------------------------- */

/* Member @name (of @group, if that is not NULL) of the only link. */
static int64_t counted(QTestState *s, const char *group, const char *name)
{
    JsonNode *reply = qtest_qmp(s, "x-query-remote");
    JsonArray *links = json_node_get_array(reply);
    JsonObject *link;
    int64_t n;

    g_assert_cmpuint(json_array_get_length(links), ==, 1);
    link = json_array_get_object_element(links, 0);
    if (group) {
        link = json_object_get_object_member(link, group);
    }
    n = json_object_get_int_member(link, name);
    json_node_unref(reply);
    return n;
}

static char *info(QTestState *s)
{
    JsonNode *reply = qtest_qmp(s, "{\"execute\": \"human-monitor-command\", "
                                "\"arguments\": {\"command-line\": "
                                "\"info remote\"}}");
    char *text = g_strdup(json_node_get_string(reply));

    json_node_unref(reply);
    return text;
}

static void test_counts(void)
{
    g_autofree char *dir = g_dir_make_tmp("link-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "device", NULL);
    g_autofree char *text = NULL, *text2 = NULL;
    QTestState *remote = qtest_spawn(true, NULL, "-machine x-remote "
        "-nodefaults -display none -device edu,id=d -object x-remote-object,"
        "id=o,devid=d,socket.type=unix,socket.path=%s", path);
    QTestState *s = qtest_init("-object memory-backend-memfd,id=ram,size=64M "
        "-m 64M -machine q35,memory-backend=ram -device x-pci-proxy-dev,id=p,"
        "addr=4.0,socket.type=unix,socket.path=%s,reconnect-ms=0", path);
    QTestState *ends[2] = { s, remote };
    QPCIDevice d = { s, 0, QPCI_DEVFN(4, 0) };
    int64_t before[2][3];

    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    for (int i = 0; i < 2; i++) {
        before[i][0] = counted(ends[i], "region-read", "count");
        before[i][1] = counted(ends[i], "region-write", "count");
        before[i][2] = counted(ends[i], "config-read", "count");
    }
    for (int n = 0; n < 5; n++) {
        qtest_read(s, BAR + 4, 4);
        qtest_write(s, BAR + 4, n, 4);
        qtest_write(s, BAR + 4, n, 4);
        qpci_read(&d, 0x3c, 1);
    }
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(counted(ends[i], "region-read", "count"), ==,
                        before[i][0] + 5);
        g_assert_cmpint(counted(ends[i], "region-write", "count"), ==,
                        before[i][1] + 10);
        g_assert_cmpint(counted(ends[i], "config-read", "count"), ==,
                        before[i][2] + 5);
        g_assert_cmpint(counted(ends[i], "region-read", "p99-ns"), >=,
                        counted(ends[i], "region-read", "p50-ns"));
        g_assert_cmpint(counted(ends[i], NULL, "memory-tables"), >=, 1);
    }
    qtest_write(s, BAR + 0x60, 1, 4);           /* raise */
    g_assert_cmpint(counted(remote, NULL, "raised"), ==, 1);
    text = info(s);
    g_assert_nonnull(strstr(text, "p (proxy): connected"));
    g_assert_nonnull(strstr(text, "region-read"));
    text2 = info(remote);
    g_assert_nonnull(strstr(text2, "d (remote): connected"));
    g_free(text);
    qtest_expect_stderr(s, "is gone");
    qtest_qmp_ok(remote, "quit");
    g_assert_cmpint(qtest_wait(remote), ==, 0);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    text = info(s);
    g_assert_nonnull(strstr(text, "p (proxy): gone"));
    qtest_quit(s);
    unlink(path);
    rmdir(dir);
}

static void test_no_links(void)
{
    QTestState *s = qtest_init("-machine q35");
    g_autofree char *text = info(s);

    g_assert_nonnull(strstr(text, "no links"));
    qtest_quit(s);
}

/* -- Properties ----------------------------------------------------------- */

/* A property of @path as JSON text. */
static char *property(QTestState *s, const char *path, const char *name)
{
    JsonNode *node = qtest_qmp(s, "{\"execute\": \"qom-get\", \"arguments\": "
                               "{\"path\": \"%s\", \"property\": \"%s\"}}",
                               path, name);
    char *text = json_to_string(node, false);

    json_node_unref(node);
    return text;
}

static void test_properties(void)
{
    g_autofree char *dir = g_dir_make_tmp("link-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "device", NULL);
    g_autofree char *want = g_strdup_printf(
        "{\"type\":\"unix\",\"path\":\"%s\"}", path);
    QTestState *remote = qtest_spawn(true, NULL, "-machine x-remote "
        "-nodefaults -display none -device edu,id=d -object x-remote-object,"
        "id=o,devid=d,poll-max-ns=5,socket.type=unix,socket.path=%s", path);
    QTestState *s = qtest_init("-object memory-backend-memfd,id=ram,size=64M "
        "-m 64M -machine q35,memory-backend=ram -device x-pci-proxy-dev,id=p,"
        "timeout=77,socket.type=unix,socket.path=%s", path);
    const struct { QTestState *s; const char *path, *name, *want; } gets[] = {
        { remote, "/objects/o", "devid", "\"d\"" },
        { remote, "/objects/o", "auto-shutdown", "true" },
        { remote, "/objects/o", "poll-max-ns", "5" },
        { remote, "/objects/o", "fd", "-1" },
        { remote, "/objects/o", "socket", want },
        { s, "p", "timeout", "77" },
        { s, "p", "socket", want },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(gets); i++) {
        g_autofree char *got = property(gets[i].s, gets[i].path, gets[i].name);

        g_assert_cmpstr(got, ==, gets[i].want);
    }
    qtest_quit(s);
    g_assert_cmpint(qtest_wait(remote), ==, 0);
    unlink(path);
    rmdir(dir);
}

/* -- A device that hangs -------------------------------------------------- */

/* An access returns all ones after the timeout, the next at once. */
static void test_hung_device_is_given_up(void)
{
    int pair[2], keep[2] = { -1, -1 }, there[2] = { -1, -1 };
    QTestState *remote, *s;
    QPCIDevice d;
    gint64 begin;

    g_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    keep[0] = pair[0];
    there[0] = pair[1];
    remote = qtest_spawn(true, there, "-machine x-remote -nodefaults -display "
                         "none -device edu,id=d -object x-remote-object,id=o,"
                         "devid=d,fd=%d", there[0]);
    s = qtest_spawn(true, keep, "-accel qtest -display none -nodefaults "
                    "-object memory-backend-memfd,id=ram,size=64M -m 64M "
                    "-machine q35,memory-backend=ram -device x-pci-proxy-dev,"
                    "id=p,addr=4.0,timeout=300,fd=%d", keep[0]);
    close(pair[0]);
    close(pair[1]);
    d = (QPCIDevice){ s, 0, QPCI_DEVFN(4, 0) };
    qpci_set_bar(&d, 0, BAR);
    qpci_enable(&d);
    qtest_stop(remote);
    begin = g_get_monotonic_time();
    qtest_expect_stderr(s, "gone");
    g_assert_cmphex(qtest_read(s, BAR + 4, 4), ==, 0xffffffff);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 300000);
    begin = g_get_monotonic_time();
    for (int i = 0; i < 20; i++) {
        g_assert_cmphex(qtest_read(s, BAR + 4, 4), ==, 0xffffffff);
    }
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 3000000);
    qtest_qmp_events(s, "X_PCI_PROXY_DEV_GONE", true);
    qtest_continue(remote);
    qtest_quit(s);
    g_assert_cmpint(qtest_wait(remote), ==, 0);
}

/* -- Options that are refused --------------------------------------------- */

#define REMOTE "-machine x-remote -nodefaults -device edu,id=d "
#define OBJECT REMOTE "-object x-remote-object,id=o,"
#define MAIN "-accel qtest -display none -nodefaults -object " \
    "memory-backend-memfd,id=ram,size=64M -m 64M " \
    "-machine q35,memory-backend=ram -device x-pci-proxy-dev,id=p"
#define LONG "/tmp/0123456789012345678901234567890123456789012345678901234567" \
    "8901234567890123456789012345678901234567890123456789"

static const struct {
    const char *name, *args, *error, *hint;
} refused[] = {
    { "object-without-devid", OBJECT "fd=S", "'devid' is missing" },
    { "object-of-no-device", OBJECT "devid=x,fd=S", "no device has the id" },
    { "object-without-link", OBJECT "devid=d", "'fd' is missing" },
    { "object-fd-and-path", OBJECT "devid=d,fd=S,socket.type=unix,"
      "socket.path=/tmp/x", "exclude each other" },
    { "object-fd-closed", OBJECT "devid=d,fd=399", "fd=399" },
    { "object-fd-no-socket", OBJECT "devid=d,fd=0", "fd=0" },
    { "object-fd-words", OBJECT "devid=d,fd=words", "fd" },
    { "object-path-type", OBJECT "devid=d,socket.type=inet,socket.path=x",
      "must be 'unix'" },
    { "object-path-no-type", OBJECT "devid=d,socket.path=x", "must be 'unix'" },
    { "object-path-missing", OBJECT "devid=d,socket.type=unix",
      "'socket.path' is missing" },
    { "object-path-empty", OBJECT "devid=d,socket.type=unix,socket.path=",
      "'socket.path' is missing" },
    { "object-path-long", OBJECT "devid=d,socket.type=unix,socket.path=" LONG,
      "too long" },
    { "object-path-nowhere", OBJECT "devid=d,socket.type=unix,"
      "socket.path=/nonexistent/x", "/nonexistent/x" },
    { "object-path-other", OBJECT "devid=d,socket.type=unix,socket.path=x,"
      "socket.port=5", "port", "type, path" },
    { "object-socket-text", OBJECT "devid=d,socket=x", "socket" },
    { "object-twice", OBJECT "devid=d,fd=S -object x-remote-object,id=o2,"
      "devid=d,socket.type=unix,socket.path=/tmp/x", "another" },
    { "object-fd-twice", OBJECT "devid=d,fd=S -object x-remote-object,id=o2,"
      "devid=d,fd=S", "in use already" },
    { "object-of-no-pci-device", "-machine x-remote -nodefaults -device "
      "lsi53c895a,id=l -device scsi-cd,id=d,bus=l.0 -object x-remote-object,"
      "id=o,devid=d,fd=S", "not a PCI device" },
    { "object-poll-time", OBJECT "devid=d,fd=S,poll-max-ns=1000000001",
      "poll-max-ns" },
    { "object-on-q35", "-accel qtest -machine q35 -nodefaults -display none "
      "-device edu,id=d -object x-remote-object,id=o,devid=d,fd=S",
      "needs -machine x-remote" },
    { "proxy-without-link", MAIN, "'fd' is missing" },
    { "proxy-fd-closed", MAIN ",fd=399", "fd=399" },
    { "proxy-fd-no-socket", MAIN ",fd=0", "fd=0" },
    { "proxy-fd-and-path", MAIN ",fd=S,socket.type=unix,socket.path=/tmp/x",
      "exclude each other" },
    { "proxy-path-nobody", MAIN ",connect-timeout=20,socket.type=unix,"
      "socket.path=/nonexistent/x", "/nonexistent/x" },
    { "proxy-no-timeout", MAIN ",fd=S,timeout=0", "'timeout'" },
    { "proxy-peer-closed", MAIN ",fd=S", "" },
};

static void run_refused(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    int pair[2], fds[2] = { -1, -1 };
    g_autofree char *args = NULL, *number = NULL;
    g_auto(GStrv) parts = g_strsplit(refused[i].args, "fd=S", 0);
    QTestState *s;

    g_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    number = g_strdup_printf("fd=%d", pair[1]);
    args = g_strjoinv(number, parts);
    fds[0] = pair[1];
    s = qtest_spawn(false, fds, "%s", args);
    close(pair[0]);
    close(pair[1]);
    qtest_expect_stderr(s, refused[i].error);
    if (refused[i].hint) {
        qtest_expect_stderr(s, refused[i].hint);
    }
    g_assert_cmpint(qtest_wait(s), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/counts", test_counts);
    g_test_add_func("/link/none", test_no_links);
    g_test_add_func("/link/properties", test_properties);
    g_test_add_func("/link/hung-device-is-given-up",
                    test_hung_device_is_given_up);
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *path = g_strdup_printf("/link/refused/%s",
                                                refused[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), run_refused);
    }
    return g_test_run();
}
