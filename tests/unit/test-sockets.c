/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets, and descriptors that travel with messages. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/iov.h"
#include "qemu/sockets.h"

#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

typedef struct Fixture {
    char *dir, *path;
    int fd[2];
    int open_before;
} Fixture;

static int count_open(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    int n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

static void set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("test-sockets-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "sock", NULL);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, f->fd), ==, 0);
    f->open_before = count_open();
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_assert_cmpint(count_open(), ==, f->open_before);  /* none leaked */
    close(f->fd[0]);
    close(f->fd[1]);
    g_unlink(f->path);
    g_rmdir(f->dir);
    g_free(f->path);
    g_free(f->dir);
}

static void test_connect(Fixture *f, gconstpointer unused)
{
    int server = unix_listen(f->path, &error_abort);
    int client = unix_connect(f->path, &error_abort);
    int peer = unix_accept(server, &error_abort);
    char c = 0;

    g_assert_cmpint(write(client, "q", 1), ==, 1);
    g_assert_cmpint(read(peer, &c, 1), ==, 1);
    g_assert_cmpint(c, ==, 'q');
    g_assert_true(fd_is_unix_stream(peer, &error_abort));
    g_assert_cmpint(fcntl(peer, F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(fcntl(client, F_GETFD), ==, FD_CLOEXEC);
    close(server);
    close(client);
    close(peer);
}

static void test_listen_again(Fixture *f, gconstpointer unused)
{
    int first = unix_listen(f->path, &error_abort);
    int second;

    close(first);               /* as a killed server: the file stays */
    second = unix_listen(f->path, &error_abort);
    close(second);
}

static void test_only_own_path_is_removed(Fixture *f, gconstpointer unused)
{
    int first = unix_listen(f->path, &error_abort), second;
    UnixSocketFile of_first = unix_socket_file(f->path), of_second;

    second = unix_listen(f->path, &error_abort);
    of_second = unix_socket_file(f->path);
    unix_socket_remove(f->path, of_first);
    close(first);
    close(unix_connect(f->path, &error_abort));
    unix_socket_remove(f->path, of_second);
    close(second);
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
    unix_socket_remove(f->path, unix_socket_file(f->path));
    g_assert_true(g_file_set_contents(f->path, "precious", -1, NULL));
    unix_socket_remove(f->path, of_second);
    unix_socket_remove(f->path, unix_socket_file(f->path));
    g_assert_true(g_file_test(f->path, G_FILE_TEST_IS_REGULAR));
}

static void test_listen_keeps_files(Fixture *f, gconstpointer unused)
{
    g_autoptr(Error) err = NULL;

    g_assert_true(g_file_set_contents(f->path, "precious", -1, NULL));
    g_assert_cmpint(unix_listen(f->path, &err), ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(err), f->path));
    g_assert_true(g_file_test(f->path, G_FILE_TEST_IS_REGULAR));
}

static void test_bad_paths(Fixture *f, gconstpointer unused)
{
    g_autofree char *longer = g_strnfill(108, 'x');
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;
    g_autoptr(Error) e3 = NULL;

    g_assert_cmpint(unix_listen(longer, &e1), ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(e1), "at most 107 bytes"));
    g_assert_cmpint(unix_connect("", &e2), ==, -1);
    g_assert_nonnull(e2);
    g_assert_cmpint(unix_connect(f->path, &e3), ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(e3), "No such file"));
}

static void test_kinds(Fixture *f, gconstpointer unused)
{
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;
    g_autoptr(Error) e3 = NULL;
    int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
    int file = open("/dev/null", O_RDWR);

    g_assert_true(fd_is_socket(f->fd[0]));
    g_assert_true(fd_is_socket(datagram));
    g_assert_false(fd_is_socket(file));
    g_assert_false(fd_is_unix_stream(datagram, &e1));
    g_assert_false(fd_is_unix_stream(file, &e2));
    close(file);
    g_assert_false(fd_is_unix_stream(file, &e3));
    g_assert_nonnull(strstr(error_get_pretty(e3), "not open"));
    g_assert_false(fd_is_socket(file));
    close(datagram);
}

static void test_blocking(Fixture *f, gconstpointer unused)
{
    char c;

    g_assert_cmpint(qemu_set_blocking(f->fd[0], false), ==, 0);
    g_assert_cmpint(read(f->fd[0], &c, 1), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
    g_assert_cmpint(qemu_set_blocking(f->fd[0], true), ==, 0);
    g_assert_cmpint(fcntl(f->fd[0], F_GETFL) & O_NONBLOCK, ==, 0);
    g_assert_cmpint(qemu_set_blocking(-1, true), ==, -EBADF);
}

static void test_fds_travel(Fixture *f, gconstpointer unused)
{
    int e = eventfd(5, EFD_CLOEXEC);
    struct iovec iov[2] = { { (char *)"hea", 3 }, { (char *)"der", 3 } };
    uint64_t value = 0;
    char buf[16];
    int fds[2] = { -1, -1 }, nfds = 2;

    g_assert_cmpint(socket_send_fds(f->fd[0], iov, 2, &e, 1, -1), ==, 0);
    g_assert_cmpint(socket_recv_fds(f->fd[1], buf, sizeof(buf), fds, &nfds,
                                    0), ==, 6);
    g_assert_cmpmem(buf, 6, "header", 6);
    g_assert_cmpint(nfds, ==, 1);
    g_assert_cmpint(fcntl(fds[0], F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(read(fds[0], &value, 8), ==, 8);
    g_assert_cmpuint(value, ==, 5);
    close(fds[0]);
    close(e);
}

static void test_many_fds(Fixture *f, gconstpointer unused)
{
    struct iovec iov = { (char *)"x", 1 };
    int fds[253], nfds = 253;
    char c;

    for (int i = 0; i < 253; i++) {
        fds[i] = f->fd[0];
    }
    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, fds, 254, -1), ==,
                    -EINVAL);
    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, fds, 253, -1), ==, 0);
    g_assert_cmpint(socket_recv_fds(f->fd[1], &c, 1, fds, &nfds, 0), ==, 1);
    g_assert_cmpint(nfds, ==, 253);
    for (int i = 0; i < 253; i++) {
        close(fds[i]);
    }
}

static void test_too_many_fds(Fixture *f, gconstpointer unused)
{
    struct iovec iov = { (char *)"x", 1 };
    int fds[4] = { f->fd[0], f->fd[0], f->fd[0], f->fd[0] };
    int room[2], nfds = 2;
    char c;

    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, fds, 4, -1), ==, 0);
    g_assert_cmpint(socket_recv_fds(f->fd[1], &c, 1, room, &nfds, 0), ==,
                    -EMSGSIZE);
    g_assert_cmpint(nfds, ==, 0);

    /* Who expects none gets none. */
    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, fds, 1, -1), ==, 0);
    g_assert_cmpint(socket_recv_fds(f->fd[1], &c, 1, NULL, NULL, 0), ==,
                    -EMSGSIZE);
}

static void test_fds_need_bytes(Fixture *f, gconstpointer unused)
{
    struct iovec iov = { (char *)"", 0 };

    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, f->fd, 1, -1), ==,
                    -EINVAL);
    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, NULL, 0, -1), ==, 0);
}

enum { BIG = 4 * 1024 * 1024 };

static gpointer read_big(gpointer opaque)
{
    Fixture *f = opaque;
    g_autofree uint8_t *buf = g_malloc(BIG);
    size_t got = 0;
    int fds[1], nfds, total_fds = 0;

    while (got < BIG) {
        ssize_t n;

        nfds = 1;
        n = socket_recv_fds(f->fd[1], buf + got, BIG - got, fds, &nfds, 0);
        g_assert_cmpint(n, >, 0);
        got += n;
        total_fds += nfds;
        if (nfds) {
            close(fds[0]);
        }
    }
    for (size_t i = 0; i < BIG; i++) {
        g_assert_cmpuint(buf[i], ==, i / 7 % 251);
    }
    return GINT_TO_POINTER(total_fds);
}

static void test_long_message(Fixture *f, gconstpointer unused)
{
    g_autofree uint8_t *buf = g_malloc(BIG);
    struct iovec iov[3] = {
        { buf, 1 }, { buf + 1, BIG / 2 }, { buf + 1 + BIG / 2, BIG / 2 - 1 },
    };
    GThread *thread;

    for (size_t i = 0; i < BIG; i++) {
        buf[i] = i / 7 % 251;
    }
    thread = g_thread_new("reader", read_big, f);
    g_assert_cmpint(socket_send_fds(f->fd[0], iov, 3, f->fd, 1, -1), ==, 0);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(thread)), ==, 1);
    g_assert_cmpuint(iov[1].iov_len, ==, BIG / 2);      /* left as it was */
}

static void test_timeout(Fixture *f, gconstpointer unused)
{
    g_autofree uint8_t *buf = g_malloc0(BIG);
    struct iovec iov = { buf, BIG };
    gint64 start = g_get_monotonic_time();

    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, NULL, 0, 20), ==,
                    -ETIMEDOUT);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 19000);
}

static void test_peer_gone(Fixture *f, gconstpointer unused)
{
    struct iovec iov = { (char *)"x", 1 };
    int nfds = 0;
    char c;

    shutdown(f->fd[1], SHUT_RDWR);
    g_assert_cmpint(socket_send_fds(f->fd[0], &iov, 1, NULL, 0, -1), ==,
                    -EPIPE);
    g_assert_cmpint(socket_recv_fds(f->fd[0], &c, 1, NULL, &nfds, 0), ==, 0);
}

static void test_recv_flags(Fixture *f, gconstpointer unused)
{
    int fd, nfds = 1;
    char c;

    g_assert_cmpint(socket_recv_fds(f->fd[0], &c, 1, &fd, &nfds,
                                    MSG_DONTWAIT), ==, -EAGAIN);
    g_assert_cmpint(nfds, ==, 0);
}

static void test_inet(Fixture *f, gconstpointer unused)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    int server = inet_listen("127.0.0.1", "0", &error_abort);
    g_autofree char *port = NULL;
    g_autoptr(Error) err = NULL;
    int client, peer;
    uint16_t be;

    g_assert_cmpint(getsockname(server, (struct sockaddr *)&ss, &len), ==, 0);
    be = ((struct sockaddr_in *)&ss)->sin_port;
    port = g_strdup_printf("%u", GUINT16_FROM_BE(be));
    client = inet_connect("127.0.0.1", port, true, &error_abort);
    peer = unix_accept(server, &error_abort);
    g_assert_cmpint(socket_error(client), ==, 0);
    g_assert_cmpint(fcntl(client, F_GETFL) & O_NONBLOCK, !=, 0);
    close(client);
    close(peer);
    close(server);
    g_assert_cmpint(inet_connect("127.0.0.1", port, false, &err), ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(err), port));
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/sockets/listen-connect-accept", test_connect);
    ADD("/sockets/old-socket-replaced", test_listen_again);
    ADD("/sockets/only-its-own-path-is-removed",
        test_only_own_path_is_removed);
    ADD("/sockets/other-file-kept", test_listen_keeps_files);
    ADD("/sockets/bad-path-named", test_bad_paths);
    ADD("/sockets/kinds-told-apart", test_kinds);
    ADD("/sockets/blocking-set-and-cleared", test_blocking);
    ADD("/sockets/fds/travel-with-first-byte", test_fds_travel);
    ADD("/sockets/fds/up-to-253", test_many_fds);
    ADD("/sockets/fds/surplus-closed", test_too_many_fds);
    ADD("/sockets/fds/need-bytes", test_fds_need_bytes);
    ADD("/sockets/long-message-whole-with-one-fd", test_long_message);
    ADD("/sockets/full-socket-times-out", test_timeout);
    ADD("/sockets/peer-gone-is-no-signal", test_peer_gone);
    ADD("/sockets/recv-does-not-block-if-asked", test_recv_flags);
    ADD("/sockets/tcp", test_inet);
    return g_test_run();
}
