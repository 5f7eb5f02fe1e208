/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Started and driven as upstream's libqtest does it: the test listens on two
 * paths, the emulator connects to both, and is ended by SIGTERM.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#define LIMIT_MS 30000

typedef struct Client {
    char *dir, *qtest_path, *qmp_path;
    int listen[2];
    FILE *qtest, *qmp;
    pid_t pid;
} Client;

static int listen_at(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    g_assert(!listen(fd, 1));
    return fd;
}

static FILE *accept_one(int fd)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    struct timeval limit = { .tv_sec = LIMIT_MS / 1000 };
    FILE *file;

    g_assert_cmpint(poll(&pfd, 1, LIMIT_MS), ==, 1);
    fd = accept(fd, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    file = fdopen(fd, "r");             /* read only: written by dprintf */
    g_assert_nonnull(file);
    return file;
}

static Client *client_new(const char *log, const char *args, const char *last)
{
    const char *program = g_getenv("QTEST_QEMU_BINARY");
    g_autofree char *line = NULL;
    Client *c = g_new0(Client, 1);

    c->dir = g_dir_make_tmp("upstream-XXXXXX", NULL);
    c->qtest_path = g_strdup_printf("%s/qtest.sock", c->dir);
    c->qmp_path = g_strdup_printf("%s/qtest.qmp", c->dir);
    c->listen[0] = listen_at(c->qtest_path);
    c->listen[1] = listen_at(c->qmp_path);
    line = g_strdup_printf("exec %s -qtest unix:%s -qtest-log %s -chardev "
                           "socket,path=%s,id=char0 -mon chardev=char0,"
                           "mode=control -display none -audio none %s %s",
                           program, c->qtest_path, log, c->qmp_path, args,
                           last);
    c->pid = fork();
    if (!c->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/bin/sh", "sh", "-c", line, NULL);
        _exit(1);
    }
    c->qtest = accept_one(c->listen[0]);
    c->qmp = accept_one(c->listen[1]);
    return c;
}

static void expect(FILE *f, const char *words)
{
    char line[4096];

    do {
        if (!fgets(line, sizeof(line), f)) {
            g_error("end of file instead of: %s", words);
        }
    } while (g_str_has_prefix(line, "IRQ"));
    if (!strstr(line, words)) {
        g_error("not '%s' but: %s", words, line);
    }
}

static void ask(FILE *f, const char *line, const char *answer)
{
    g_assert_cmpint(dprintf(fileno(f), "%s\n", line), >, 0);
    expect(f, answer);
}

static void client_free(Client *c)
{
    int status;

    kill(c->pid, SIGTERM);
    g_assert_cmpint(waitpid(c->pid, &status, 0), ==, c->pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    fclose(c->qtest);
    fclose(c->qmp);
    close(c->listen[0]);
    close(c->listen[1]);
    g_remove(c->qtest_path);
    g_remove(c->qmp_path);
    g_rmdir(c->dir);
    g_free(c->dir);
    g_free(c->qtest_path);
    g_free(c->qmp_path);
    g_free(c);
}

static void check_works(Client *c)
{
    expect(c->qmp, "{\"QMP\":");
    ask(c->qmp, "{\"execute\": \"qmp_capabilities\"}", "{\"return\":");
    ask(c->qtest, "endianness", "OK little");
    ask(c->qtest, "outl 0xcf8 0x80000000", "OK");
    ask(c->qtest, "inw 0xcfc", "OK 0x8086");
    ask(c->qtest, "writeq 0x100000 0x1122334455667788", "OK");
    ask(c->qtest, "readq 0x100000", "OK 0x1122334455667788");
    ask(c->qtest, "read 0x100000 0x4", "OK 0x88776655");
    ask(c->qtest, "clock_step", "OK ");
    ask(c->qtest, "irq_intercept_in ioapic", "OK");
    ask(c->qmp, "{ 'execute': 'query-status', 'id': 7 }", "\"return\":");
}

static const struct {
    const char *name, *log, *args, *last;
} starts[] = {
    { "as-of-10", "/dev/null", "-machine q35", "-accel qtest" },
    { "as-of-6", "/dev/null", "-M pc -m 64", "-accel qtest" },
    { "as-of-2", "/dev/null", "-machine pc", "-machine accel=qtest" },
    { "log-to-a-descriptor", "/dev/fd/2 2>/dev/null", "-machine q35",
      "-accel qtest" },
    { "kvm-or-tcg-or-qtest", "/dev/null", "-machine q35 -nodefaults",
      "-accel qtest -S" },
};

static void run_start(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    Client *c = client_new(starts[i].log, starts[i].args, starts[i].last);

    check_works(c);
    client_free(c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autofree char *path = g_strdup_printf("/upstream/%s",
                                                starts[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), run_start);
    }
    return g_test_run();
}
