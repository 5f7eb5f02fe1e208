/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character back ends of people: terminals, and several that share one. */
#include "qemu/osdep.h"
#include "char-world.h"
#include "qapi/error.h"
#include "qemu/sockets.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

/* -- Terminals ------------------------------------------------------------ */

static void test_pty(Fixture *f, gconstpointer unused)
{
    g_autoptr(JsonNode) node = NULL;
    const char *name;
    struct termios tty;
    int out = dup(1), notice = open(f->path, O_WRONLY | O_CREAT, 0600);
    g_autofree char *want = NULL;
    Chardev *chr;

    fflush(stdout);
    dup2(notice, 1);
    chr = make(&error_abort, "pty,id=a");
    dup2(out, 1);
    close(out);
    close(notice);
    node = qemu_chr_query();
    name = json_object_get_string_member(
        json_array_get_object_element(json_node_get_array(node), 0),
        "filename");
    g_assert_true(g_str_has_prefix(name, "pty:/"));
    name += 4;
    want = g_strdup_printf("char device redirected to %s (label a)\n", name);
    assert_file(f->path, want);
    fe_attach(&f->fe, chr);
    g_assert_cmpint(fe_say(&f->fe, "lost"), ==, 4);
    for (unsigned i = 0; i < 2; i++) {
        int fd = open(name, O_RDWR | O_NOCTTY);

        WAIT_FOR(f->fe.events->len == 2 * i + 1);
        g_assert_cmpint(tcgetattr(fd, &tty), ==, 0);
        g_assert_cmpint(tty.c_lflag & (ICANON | ECHO), ==, 0);
        g_assert_cmpint(write(fd, "ping", 4), ==, 4);
        WAIT_FOR(f->fe.got->len == 4 * (i + 1));
        fe_say(&f->fe, "pong");
        expect_bytes(fd, "pong");
        close(fd);
        WAIT_FOR(f->fe.events->len == 2 * i + 2);
    }
    g_assert_cmpstr(f->fe.events->str, ==, "OCOC");
}

/* In a child whose standard input and output are a terminal. */
static void stdio_child(int tty)
{
    struct termios t;
    Chardev *chr;
    FrontEnd fe;

    dup2(tty, 0);
    dup2(tty, 1);
    fe_set_up(&fe);
    chr = qemu_chr_new("s", "mon:stdio", &error_abort);
    fe_attach(&fe, chr);
    tcgetattr(0, &t);
    g_assert_cmpint(t.c_lflag & (ICANON | ECHO | ISIG), ==, 0);
    g_assert_cmpint(t.c_oflag & OPOST, !=, 0);
    g_assert_cmpint(fcntl(0, F_GETFL) & O_NONBLOCK, ==, 0);
    fe_say(&fe, "hello\n");
    WAIT_FOR(0);                /* Ctrl-a x ends it */
}

static void test_stdio(Fixture *f, gconstpointer unused)
{
    char name[64], buf[256];
    struct termios before, after;
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
    size_t got = 0;
    pid_t child;

    g_assert_cmpint(grantpt(master) | unlockpt(master), ==, 0);
    g_assert_cmpint(ptsname_r(master, name, sizeof(name)), ==, 0);
    slave = open(name, O_RDWR | O_NOCTTY);
    tcgetattr(slave, &before);
    child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        stdio_child(slave);
        _exit(99);
    }
    memset(buf, 0, sizeof(buf));
    while (!strstr(buf, "hello\r\n") && got < sizeof(buf) - 1) {
        ssize_t n = read(master, buf + got, sizeof(buf) - 1 - got);

        g_assert_cmpint(n, >, 0);
        got += n;
    }
    g_assert_cmpint(write(master, "\001x", 2), ==, 2);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    tcgetattr(slave, &after);
    g_assert_cmpuint(after.c_lflag, ==, before.c_lflag);
    g_assert_cmpuint(after.c_iflag, ==, before.c_iflag);
    close(slave);
    close(master);
}

/* -- Mux ------------------------------------------------------------------ */

static int mux_quits;

static void count_quit(void)
{
    mux_quits++;
}

/* A mux on a socket pair; returns the other end. */
static int make_mux(Fixture *f)
{
    int pair[2];
    Chardev *chr;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    chr = make(&error_abort, "socket,id=m,fd=%d,mux=on", pair[0]);
    fe_attach(&f->fe, chr);
    fe_attach(&f->fe2, chr);
    return pair[1];
}

static void put(int fd, const char *text)
{
    g_assert_cmpint(write(fd, text, strlen(text)), ==, strlen(text));
}

static void test_mux_focus(Fixture *f, gconstpointer unused)
{
    int fd = make_mux(f);

    settle();
    /* Only who has the focus in the end is told. */
    g_assert_cmpstr(f->fe.events->str, ==, "");
    g_assert_cmpstr(f->fe2.events->str, ==, "O");
    g_assert_true(f->fe2.be.focus);
    g_assert_false(f->fe.be.focus);
    put(fd, "two\001cone\001ctwo\001\001");
    WAIT_FOR(f->fe2.got->len == 7);
    g_assert_cmpstr(f->fe.got->str, ==, "one");
    g_assert_cmpstr(f->fe2.got->str, ==, "twotwo\001");
    g_assert_cmpstr(f->fe.events->str, ==, "OU");
    g_assert_cmpstr(f->fe2.events->str, ==, "OUI");
    fe_say(&f->fe, "a");
    fe_say(&f->fe2, "b");
    expect_bytes(fd, "ab");
    qemu_chr_fe_deinit(&f->fe2.be);
    put(fd, "x");
    WAIT_FOR(f->fe.got->len == 4);
    close(fd);
    WAIT_FOR(strchr(f->fe.events->str, 'C'));
}

static void test_mux_escapes(Fixture *f, gconstpointer unused)
{
    int fd = make_mux(f);

    qemu_chr_set_quit_handler(count_quit);
    mux_quits = 0;
    settle();
    put(fd, "\001b\001x\001hz");
    WAIT_FOR(f->fe2.got->len == 1);
    g_assert_cmpstr(f->fe2.events->str, ==, "OB");
    g_assert_cmpint(mux_quits, ==, 1);
    expect_bytes(fd, "QEMU: Terminated\r\n\r\nC-a h");
    qemu_chr_set_quit_handler(NULL);
    close(fd);
}

static void test_mux_slow_front_end(Fixture *f, gconstpointer unused)
{
    int fd = make_mux(f);
    g_autofree char *many = g_strnfill(300, 'm');

    /* The escape works even if who has the focus does not read. */
    f->fe2.room = 0;
    put(fd, "kept\001cother");
    WAIT_FOR(f->fe.got->len == 5);
    g_assert_cmpuint(f->fe2.got->len, ==, 0);
    f->fe2.room = 1000;
    qemu_chr_fe_accept_input(&f->fe2.be);
    g_assert_cmpstr(f->fe2.got->str, ==, "kept");

    /* More than it can keep waits in the socket. */
    f->fe.room = 0;
    put(fd, many);
    settle();
    f->fe.room = 1000;
    qemu_chr_fe_accept_input(&f->fe.be);
    WAIT_FOR(f->fe.got->len == 305);
    close(fd);
}

static void test_mux_limit(Fixture *f, gconstpointer unused)
{
    Chardev *chr = make(&error_abort, "null,id=m,mux=on");
    CharBackend be[5] = { 0 };
    g_autoptr(Error) err = NULL;

    for (int i = 0; i < 4; i++) {
        g_assert_true(qemu_chr_fe_init(&be[i], chr, &error_abort));
    }
    g_assert_false(qemu_chr_fe_init(&be[4], chr, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "4 front ends"));
    g_assert_false(qemu_chr_delete("m", NULL));
    for (int i = 0; i < 4; i++) {
        qemu_chr_fe_deinit(&be[i]);
    }
    g_assert_true(qemu_chr_delete("m", &error_abort));
    g_assert_null(qemu_chr_find("m-base"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    ADD("/char/pty-comes-and-goes", test_pty);
    ADD("/char/stdio-terminal-restored", test_stdio);
    ADD("/char/mux/focus", test_mux_focus);
    ADD("/char/mux/escapes", test_mux_escapes);
    ADD("/char/mux/slow-front-end", test_mux_slow_front_end);
    ADD("/char/mux/limit", test_mux_limit);
    return g_test_run();
}
