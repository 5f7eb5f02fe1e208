/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character back ends: files, pipes, sockets, and those who read slowly. */
#include "qemu/osdep.h"
#include "char-world.h"
#include "qapi/error.h"
#include "qemu/sockets.h"

#include <sys/socket.h>

/* -- Making them ---------------------------------------------------------- */

static void test_refused(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *opts;
        const char *words;
    } cases[] = {
        { "nul,id=a", "did you mean 'null'" },
        { "null", "'id' is missing" },
        { "id=a", "'backend' is missing" },
        { "null,id=1a", "expects an identifier" },
        { "null,id=a,path=/x", "Invalid parameter 'path'" },
        { "socket,id=a,path=/x,sever=on", "did you mean 'server'" },
        { "file,id=a", "'path' is missing" },
        { "file,id=a,path=/", "Cannot open '/'" },
        { "file,id=a,path=/dev/null,append=maybe", "'append' expects 'on'" },
        { "socket,id=a", "needs one of 'path'" },
        { "socket,id=a,path=/x,port=1", "needs one of 'path'" },
        { "socket,id=a,host=h", "'port' is missing" },
        { "socket,id=a,path=/x,wait=off", "'wait' needs server=on" },
        { "socket,id=a,path=/x,server=on,reconnect=1", "is for a client" },
        { "socket,id=a,fd=0", "Descriptor 0" },
        { "socket,id=a,path=/nonexistent", "Cannot connect" },
        { "fd,id=a,fd=999", "Descriptor 999 is not open" },
        { "pipe,id=a,path=/nonexistent", "Cannot open" },
        { "null,id=a,logappend=on", "needs 'logfile'" },
        { "null,id=a,logfile=/", "log file '/'" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_null(make(&err, "%s", cases[i].opts));
        if (!strstr(error_get_pretty(err), cases[i].words)) {
            g_error("%s: %s", cases[i].opts, error_get_pretty(err));
        }
        g_assert_null(qemu_chr_find("a"));
    }
}

static void test_found_and_deleted(Fixture *f, gconstpointer unused)
{
    Chardev *chr = make(&error_abort, "null,id=a");
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;
    g_autoptr(Error) e3 = NULL;
    g_autoptr(Error) e4 = NULL;

    g_assert_true(qemu_chr_find("a") == chr);
    g_assert_cmpstr(qemu_chr_label(chr), ==, "a");
    g_assert_null(make(&e1, "null,id=a"));
    g_assert_nonnull(strstr(error_get_pretty(e1), "already exists"));
    fe_attach(&f->fe, chr);
    g_assert_cmpstr(f->fe.events->str, ==, "O");
    g_assert_false(qemu_chr_fe_init(&f->fe2.be, chr, &e2));
    g_assert_nonnull(strstr(error_get_pretty(e2), "busy"));
    g_assert_false(qemu_chr_delete("a", &e3));
    qemu_chr_fe_deinit(&f->fe.be);
    g_assert_true(qemu_chr_delete("a", &error_abort));
    g_assert_false(qemu_chr_delete("a", &e4));
    g_assert_nonnull(strstr(error_get_pretty(e4), "not found"));
}

static void test_short_forms(Fixture *f, gconstpointer unused)
{
    g_autofree char *file = g_strconcat("file:", f->path, NULL);
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;
    g_autoptr(Error) e3 = NULL;
    Chardev *chr;

    g_assert_null(qemu_chr_new("s0", "none", &error_abort));
    chr = qemu_chr_new("s0", "null", &error_abort);
    g_assert_true(qemu_chr_new("s1", "chardev:s0", &error_abort) == chr);
    g_assert_nonnull(qemu_chr_new("s2", file, &error_abort));
    assert_file(f->path, "");
    g_assert_null(qemu_chr_new("s3", "chardev:nix", &e1));
    g_assert_nonnull(strstr(error_get_pretty(e1), "'nix' not found"));
    g_assert_null(qemu_chr_new("s3", "telnet::1", &e2));
    g_assert_nonnull(strstr(error_get_pretty(e2), "telnet::1"));
    g_assert_null(qemu_chr_new("s3", "tcp:7", &e3));
    g_assert_nonnull(strstr(error_get_pretty(e3), "tcp:HOST:PORT"));
}

static void test_query(Fixture *f, gconstpointer unused)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonNode) node = NULL;

    make(&error_abort, "null,id=a");
    fe_attach(&f->fe, make(&error_abort,
                           "{\"backend\":\"socket\",\"id\":\"b\","
                           "\"path\":\"%s\",\"server\":true,\"wait\":false}",
                           f->path));
    node = qemu_chr_query();
    text = json_text(node, false);
    g_assert_nonnull(strstr(text, "{\"label\":\"a\",\"filename\":\"null\","
                            "\"frontend-open\":false}"));
    g_assert_nonnull(strstr(text, "\"disconnected:unix:"));
    g_assert_nonnull(strstr(text, ",server=on\",\"frontend-open\":true}"));
}

/* -- Files, pipes, descriptors -------------------------------------------- */

static void test_null(Fixture *f, gconstpointer unused)
{
    fe_attach(&f->fe, make(&error_abort, "null,id=a"));
    g_assert_cmpint(fe_say(&f->fe, "hello"), ==, 5);
    g_assert_true(qemu_chr_fe_backend_connected(&f->fe.be));
}

static void test_no_back_end(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(fe_say(&f->fe, "hello"), ==, 5);
    g_assert_false(qemu_chr_fe_backend_connected(&f->fe.be));
    qemu_chr_fe_accept_input(&f->fe.be);
    g_assert_cmpint(qemu_chr_fe_get_msgfds(&f->fe.be, NULL, 0), ==, 0);
}

static void test_file(Fixture *f, gconstpointer unused)
{
    g_autofree char *input = g_build_filename(f->dir, "in", NULL);

    g_assert_true(g_file_set_contents(input, "abc", -1, NULL));
    g_assert_true(g_file_set_contents(f->path, "old ", -1, NULL));
    fe_attach(&f->fe, make(&error_abort,
                           "file,id=a,path=%s,append=on,input-path=%s",
                           f->path, input));
    g_assert_cmpint(fe_say(&f->fe, "new"), ==, 3);
    assert_file(f->path, "old new");
    WAIT_FOR(strchr(f->fe.events->str, 'C'));
    g_assert_cmpstr(f->fe.got->str, ==, "abc");
    qemu_chr_fe_deinit(&f->fe.be);
    make(&error_abort, "file,id=b,path=%s", f->path);
    assert_file(f->path, "");
}

static void test_log(Fixture *f, gconstpointer unused)
{
    g_assert_true(g_file_set_contents(f->path, "old ", -1, NULL));
    fe_attach(&f->fe, make(&error_abort, "null,id=a,logfile=%s,logappend=on",
                           f->path));
    fe_say(&f->fe, "hello");
    assert_file(f->path, "old hello");
    qemu_chr_fe_deinit(&f->fe.be);
    fe_attach(&f->fe, make(&error_abort, "null,id=b,logfile=%s", f->path));
    qemu_chr_fe_write_all(&f->fe.be, (const uint8_t *)"x", 1);
    assert_file(f->path, "x");
}

static void test_pipe(Fixture *f, gconstpointer unused)
{
    g_autofree char *in = g_strconcat(f->path, ".in", NULL);
    g_autofree char *out = g_strconcat(f->path, ".out", NULL);
    char buf[16];
    int w, r;

    g_assert_cmpint(mkfifo(in, 0600), ==, 0);
    g_assert_cmpint(mkfifo(out, 0600), ==, 0);
    fe_attach(&f->fe, make(&error_abort, "pipe,id=a,path=%s", f->path));
    w = open(in, O_WRONLY);
    r = open(out, O_RDONLY);
    g_assert_cmpint(write(w, "to", 2), ==, 2);
    WAIT_FOR(f->fe.got->len == 2);
    close(w);                   /* writers come and go */
    w = open(in, O_WRONLY);
    g_assert_cmpint(write(w, "gether", 6), ==, 6);
    WAIT_FOR(f->fe.got->len == 8);
    g_assert_cmpstr(f->fe.got->str, ==, "together");
    fe_say(&f->fe, "answer");
    g_assert_cmpint(read(r, buf, sizeof(buf)), ==, 6);
    g_assert_cmpstr(f->fe.events->str, ==, "O");
    close(w);
    close(r);
}

static void test_can_read_respected(Fixture *f, gconstpointer unused)
{
    int fd[2];

    g_assert_cmpint(pipe(fd), ==, 0);
    fe_attach(&f->fe, make(&error_abort, "fd,id=a,fd=%d", fd[0]));
    f->fe.room = 3;
    g_assert_cmpint(write(fd[1], "abcdef", 6), ==, 6);
    WAIT_FOR(f->fe.got->len == 3);
    settle();
    g_assert_cmpstr(f->fe.got->str, ==, "abc");
    f->fe.room = 10;
    qemu_chr_fe_accept_input(&f->fe.be);
    WAIT_FOR(f->fe.got->len == 6);
    close(fd[1]);
    WAIT_FOR(strchr(f->fe.events->str, 'C'));
    g_assert_cmpstr(f->fe.got->str, ==, "abcdef");
}

/* -- Sockets -------------------------------------------------------------- */

static void test_server(Fixture *f, gconstpointer unused)
{
    FrontEnd *fe = serve(f);

    g_assert_cmpint(fe_say(fe, "lost"), ==, 4);
    for (int i = 0; i < 2; i++) {
        int fd = unix_connect(f->path, &error_abort);

        g_string_set_size(fe->got, 0);
        g_string_set_size(fe->events, 0);
        g_assert_cmpint(write(fd, "ping", 4), ==, 4);
        WAIT_FOR(fe->got->len == 4);
        g_assert_cmpint(fe_say(fe, "pong"), ==, 4);
        expect_bytes(fd, "pong");
        close(fd);
        WAIT_FOR(fe->events->len == 2);
        g_assert_cmpstr(fe->events->str, ==, "OC");
    }
    qemu_chr_fe_deinit(&fe->be);
    qemu_chr_delete("a", &error_abort);
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

static void test_client(Fixture *f, gconstpointer unused)
{
    int server = unix_listen(f->path, &error_abort);
    int fd;

    fe_attach(&f->fe, make(&error_abort, "socket,id=a,path=%s", f->path));
    g_assert_cmpstr(f->fe.events->str, ==, "O");
    fd = unix_accept(server, &error_abort);
    fe_say(&f->fe, "hello");
    expect_bytes(fd, "hello");
    close(fd);
    WAIT_FOR(strchr(f->fe.events->str, 'C'));
    close(server);
}

static void test_reconnect(Fixture *f, gconstpointer unused)
{
    int server, fd;

    fe_attach(&f->fe, make(&error_abort, "socket,id=a,path=%s,reconnect=1",
                           f->path));
    g_assert_cmpstr(f->fe.events->str, ==, "");
    server = unix_listen(f->path, &error_abort);
    WAIT_FOR(f->fe.events->len == 1);
    fd = unix_accept(server, &error_abort);
    close(fd);
    WAIT_FOR(f->fe.events->len == 3);
    g_assert_cmpstr(f->fe.events->str, ==, "OCO");
    close(server);
}

static void test_tcp(Fixture *f, gconstpointer unused)
{
    Chardev *chr = NULL;
    g_autofree char *desc = NULL;
    int fd;

    for (int port = 20000 + getpid() % 20000; !chr; port++) {
        g_free(desc);
        desc = g_strdup_printf("tcp:127.0.0.1:%d,server,nowait", port);
        chr = qemu_chr_new("a", desc, NULL);
        if (chr) {
            g_autofree char *text = g_strdup_printf("%d", port);

            fd = inet_connect("127.0.0.1", text, false, &error_abort);
        }
    }
    fe_attach(&f->fe, chr);
    WAIT_FOR(f->fe.events->len == 1);
    fe_say(&f->fe, "hello");
    expect_bytes(fd, "hello");
    close(fd);
}

static void test_inherited(Fixture *f, gconstpointer unused)
{
    int server = unix_listen(f->path, &error_abort);
    int pair[2], fd;
    g_autoptr(Error) err = NULL;

    g_assert_null(make(&err, "socket,id=a,fd=%d", server));
    g_assert_nonnull(strstr(error_get_pretty(err), "needs server=on"));
    fe_attach(&f->fe, make(&error_abort,
                           "socket,id=a,fd=%d,server=on,wait=off", server));
    fd = unix_connect(f->path, &error_abort);
    WAIT_FOR(f->fe.events->len == 1);
    close(fd);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    fe_attach(&f->fe2, make(&error_abort, "socket,id=b,fd=%d", pair[0]));
    g_assert_cmpstr(f->fe2.events->str, ==, "O");
    close(pair[1]);
    WAIT_FOR(strchr(f->fe2.events->str, 'C'));
}

static void test_descriptors(Fixture *f, gconstpointer unused)
{
    FrontEnd *fe = serve(f);
    int client = unix_connect(f->path, &error_abort);
    struct iovec iov = { (char *)"x", 1 };
    int sent[3], got[4] = { -1, -1, -1, -1 };

    for (int i = 0; i < 3; i++) {
        sent[i] = open("/dev/null", O_RDONLY);
    }
    g_assert_cmpint(socket_send_fds(client, &iov, 1, sent, 3, -1), ==, 0);
    WAIT_FOR(fe->got->len == 1);
    g_assert_cmpint(qemu_chr_fe_get_msgfds(&fe->be, got, 1), ==, 1);
    g_assert_cmpint(qemu_chr_fe_get_msgfds(&fe->be, got + 1, 1), ==, 1);
    /* The third is closed by the next read. */
    g_assert_cmpint(write(client, "y", 1), ==, 1);
    WAIT_FOR(fe->got->len == 2);
    g_assert_cmpint(qemu_chr_fe_get_msgfds(&fe->be, got + 2, 2), ==, 0);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(fcntl(got[i], F_GETFD), ==, FD_CLOEXEC);
        close(got[i]);
    }
    for (int i = 0; i < 3; i++) {
        close(sent[i]);
    }
    close(client);
}

static void test_input_before_hangup(Fixture *f, gconstpointer unused)
{
    FrontEnd *fe = serve(f);
    int fd = unix_connect(f->path, &error_abort);

    /* Somebody pipes a command into us and is gone; our greeting fails. */
    g_assert_cmpint(write(fd, "quit", 4), ==, 4);
    close(fd);
    fe->room = 0;
    WAIT_FOR(fe->events->len == 1);
    g_assert_cmpint(fe_say(fe, "greeting"), ==, 8);
    settle();
    fe->room = 10;
    qemu_chr_fe_accept_input(&fe->be);
    WAIT_FOR(fe->events->len == 2);
    g_assert_cmpstr(fe->got->str, ==, "quit");
}

/* -- Slow readers --------------------------------------------------------- */

static void test_backpressure(Fixture *f, gconstpointer unused)
{
    static const uint8_t block[4096];
    FrontEnd *fe = serve(f);
    int fd = unix_connect(f->path, &error_abort);
    char buf[65536];
    uint64_t sent = 0, got = 0;
    int n;

    WAIT_FOR(fe->events->len == 1);
    while ((n = qemu_chr_fe_write(&fe->be, block, sizeof(block))) > 0) {
        sent += n;
    }
    g_assert_cmpint(errno, ==, EAGAIN);
    settle();
    g_assert_cmpuint(fe->writable, ==, 0);
    qemu_set_blocking(fd, false);
    while (!fe->writable || got < sent) {
        ssize_t r = read(fd, buf, sizeof(buf));

        got += MAX(r, 0);
        main_loop_wait(true);
    }
    g_assert_cmpuint(fe->writable, ==, 1);
    g_assert_cmpuint(got, ==, sent);
    close(fd);
}

static void test_queue(Fixture *f, gconstpointer unused)
{
    g_autofree uint8_t *big = g_malloc(2 * MiB);
    FrontEnd *fe = serve(f);
    int fd = unix_connect(f->path, &error_abort);
    size_t got = 0;

    for (size_t i = 0; i < 2 * MiB; i++) {
        big[i] = i / 5 % 251;
    }
    WAIT_FOR(fe->events->len == 1);
    /* However long, one answer is queued; input waits meanwhile. */
    g_assert_cmpint(qemu_chr_fe_write_all(&fe->be, big, 2 * MiB), ==, 2 * MiB);
    g_assert_cmpint(write(fd, "next", 4), ==, 4);
    settle();
    g_assert_cmpuint(fe->got->len, ==, 0);
    qemu_set_blocking(fd, false);
    while (got < 2 * MiB) {
        uint8_t buf[65536];
        ssize_t n = read(fd, buf, sizeof(buf));

        if (n > 0) {
            g_assert_cmpint(memcmp(buf, big + got, n), ==, 0);
            got += n;
        }
        main_loop_wait(true);
    }
    WAIT_FOR(fe->got->len == 4);
    close(fd);
}

static void test_dead_client(Fixture *f, gconstpointer unused)
{
    g_autofree uint8_t *big = g_malloc0(2 * MiB);
    FrontEnd *fe = serve(f);
    int dead = unix_connect(f->path, &error_abort), fd;

    WAIT_FOR(fe->events->len == 1);
    qemu_chr_fe_write_all(&fe->be, big, 2 * MiB);
    qemu_chr_fe_write_all(&fe->be, big, 1);
    WAIT_FOR(fe->events->len == 2);
    /* The next one is served. */
    fd = unix_connect(f->path, &error_abort);
    WAIT_FOR(fe->events->len == 3);
    g_assert_cmpstr(fe->events->str, ==, "OCO");
    fe_say(fe, "hello");
    expect_bytes(fd, "hello");
    close(fd);
    close(dead);
}

static void test_cleanup_flushes(Fixture *f, gconstpointer unused)
{
    int fd[2];
    char buf[65536];
    size_t sent = 0, got = 0;
    ssize_t n;

    g_assert_cmpint(pipe(fd), ==, 0);
    fe_attach(&f->fe, make(&error_abort, "fd,id=a,fd=%d", fd[1]));
    while ((n = qemu_chr_fe_write(&f->fe.be, (uint8_t *)buf, 1000)) > 0) {
        sent += n;
    }
    qemu_chr_fe_write_all(&f->fe.be, (uint8_t *)"end", 3);
    /* Room for some; the rest is what cleanup has to write. */
    got += read(fd[0], buf, sizeof(buf));
    qemu_chr_cleanup();
    while ((n = read(fd[0], buf, sizeof(buf))) > 0) {
        got += n;
        if (!memcmp(buf + n - 3, "end", 3)) {
            break;
        }
    }
    g_assert_cmpuint(got, ==, sent + 3);
    close(fd[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    ADD("/char/bad-options-refused-by-name", test_refused);
    ADD("/char/found-busy-deleted", test_found_and_deleted);
    ADD("/char/short-forms", test_short_forms);
    ADD("/char/query", test_query);
    ADD("/char/null-takes-all", test_null);
    ADD("/char/without-back-end-harmless", test_no_back_end);
    ADD("/char/file", test_file);
    ADD("/char/log-of-output", test_log);
    ADD("/char/pipe", test_pipe);
    ADD("/char/can-read-respected", test_can_read_respected);
    ADD("/char/socket/server-serves-one-after-the-other", test_server);
    ADD("/char/socket/client", test_client);
    ADD("/char/socket/reconnect", test_reconnect);
    ADD("/char/socket/tcp", test_tcp);
    ADD("/char/socket/inherited", test_inherited);
    ADD("/char/socket/descriptors", test_descriptors);
    ADD("/char/socket/input-read-before-hangup", test_input_before_hangup);
    ADD("/char/slow/backpressure-loses-nothing", test_backpressure);
    ADD("/char/slow/queue-holds-input", test_queue);
    ADD("/char/slow/dead-client-disconnected", test_dead_client);
    ADD("/char/slow/cleanup-writes-the-rest", test_cleanup_flushes);
    return g_test_run();
}
