/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket: a UNIX or TCP stream.  A server (server=on) serves one client after
 * the other; a client connects at the start, and again every reconnect=N
 * seconds when the connection is lost.  fd=N is an inherited socket: one that
 * listens for a server, a connected one otherwise.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "qemu/timer.h"
#include "char-internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

typedef struct SocketChardev {
    Chardev parent;
    char *path, *host, *port;
    char *address;              /* for messages, e.g. "unix:PATH,server=on" */
    bool server, wait;
    bool delay;                 /* leave Nagle's algorithm on */
    uint64_t reconnect;         /* seconds; 0: never */
    int listen_fd;
    UnixSocketFile file;        /* where it listens, if at @path */
    int pending_fd;             /* connecting */
    QEMUTimer *timer;
    bool failed_before;         /* the next failure is no news */
} SocketChardev;

static void show_state(SocketChardev *s)
{
    Chardev *chr = &s->parent;

    g_free(chr->filename);
    chr->filename = g_strconcat(chr->open ? "" : "disconnected:", s->address,
                                NULL);
}

static void unwatch(int *fd)
{
    if (*fd >= 0) {
        aio_set_fd_handler(qemu_get_aio_context(), *fd, NULL, NULL, NULL,
                           NULL);
    }
}

static void socket_connected(SocketChardev *s, int fd)
{
    Chardev *chr = &s->parent;
    int on = 1;

    s->failed_before = false;
    if (!s->delay) {
        /* Fails on a UNIX socket, which does not delay anyway. */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    chr_io_set_fds(chr, fd, fd);
    chr_set_open(chr, true);
    show_state(s);
    chr_io_update(chr);
}

/* -- Server --------------------------------------------------------------- */

static void on_client(void *opaque)
{
    SocketChardev *s = opaque;
    int fd = unix_accept(s->listen_fd, NULL);

    if (fd >= 0) {
        unwatch(&s->listen_fd);
        socket_connected(s, fd);
    }
}

static void expect_client(SocketChardev *s)
{
    aio_set_fd_handler(qemu_get_aio_context(), s->listen_fd, on_client, NULL,
                       NULL, s);
}

static bool start_server(SocketChardev *s, Error **errp)
{
    if (s->listen_fd < 0) {
        s->listen_fd = s->path ? unix_listen(s->path, errp)
                               : inet_listen(s->host, s->port, errp);
    }
    if (s->listen_fd < 0) {
        return false;
    }
    if (s->path) {
        s->file = unix_socket_file(s->path);
    }
    if (s->wait) {
        int fd;

        info_report("Chardev '%s': waiting for a connection on %s",
                    s->parent.label, s->address);
        fd = unix_accept(s->listen_fd, errp);
        if (fd < 0) {
            return false;
        }
        socket_connected(s, fd);
    } else {
        expect_client(s);
    }
    /* A client may be gone again between the event and accept(). */
    qemu_set_blocking(s->listen_fd, false);
    return true;
}

/* -- Client --------------------------------------------------------------- */

static void try_later(SocketChardev *s, const char *why)
{
    if (!s->failed_before) {
        warn_report("Chardev '%s': %s; trying again every %" PRIu64
                    " seconds", s->parent.label, why, s->reconnect);
        s->failed_before = true;
    }
    timer_mod(s->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
              (int64_t)s->reconnect * 1000);
}

static void on_tcp_connected(void *opaque)
{
    SocketChardev *s = opaque;
    int err = socket_error(s->pending_fd);
    int fd = s->pending_fd;

    unwatch(&s->pending_fd);
    s->pending_fd = -1;
    if (err) {
        close(fd);
        try_later(s, g_strerror(err));
    } else {
        socket_connected(s, fd);
    }
}

static void on_reconnect_timer(void *opaque)
{
    SocketChardev *s = opaque;
    Error *err = NULL;
    int fd;

    if (s->path) {
        fd = unix_connect(s->path, &err);
        if (fd >= 0) {
            socket_connected(s, fd);
        }
    } else {
        /* Across a network it may take minutes: not while all wait. */
        fd = inet_connect(s->host, s->port, true, &err);
        if (fd >= 0) {
            s->pending_fd = fd;
            aio_set_fd_handler(qemu_get_aio_context(), fd, NULL,
                               on_tcp_connected, NULL, s);
        }
    }
    if (fd < 0) {
        try_later(s, error_get_pretty(err));
        error_free(err);
    }
}

static bool start_client(SocketChardev *s, int inherited, Error **errp)
{
    int fd = inherited;

    if (s->reconnect) {
        on_reconnect_timer(s);
        return true;
    }
    if (fd < 0) {
        fd = s->path ? unix_connect(s->path, errp)
                     : inet_connect(s->host, s->port, false, errp);
    }
    if (fd < 0) {
        return false;
    }
    socket_connected(s, fd);
    return true;
}

/* -- Both ----------------------------------------------------------------- */

static void socket_hangup(Chardev *chr)
{
    SocketChardev *s = (SocketChardev *)chr;

    chr_io_close_fds(chr);
    chr_set_open(chr, false);
    show_state(s);
    if (s->server) {
        expect_client(s);
    } else if (s->reconnect) {
        timer_mod(s->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                  (int64_t)s->reconnect * 1000);
    }
}

static bool take_options(SocketChardev *s, JsonObject *opts, bool *has_wait,
                         uint64_t *fd, Error **errp)
{
    *has_wait = json_object_has_member(opts, "wait");
    return keyval_take_str(opts, "path", &s->path, errp) &&
           keyval_take_str(opts, "host", &s->host, errp) &&
           keyval_take_str(opts, "port", &s->port, errp) &&
           keyval_take_bool(opts, "server", &s->server, errp) &&
           keyval_take_bool(opts, "wait", &s->wait, errp) &&
           keyval_take_bool(opts, "delay", &s->delay, errp) &&
           keyval_take_uint(opts, "reconnect", 3600, &s->reconnect, errp) &&
           keyval_take_uint(opts, "fd", INT_MAX, fd, errp);
}

static bool check_options(SocketChardev *s, bool has_wait, bool has_fd,
                          Error **errp)
{
    if (!!s->path + (s->host || s->port) + has_fd != 1) {
        error_setg(errp, "A socket needs one of 'path', 'host' with 'port', "
                   "and 'fd'");
    } else if (!s->path && !has_fd && !s->port) {
        error_setg(errp, "Parameter 'port' is missing");
    } else if (has_wait && !s->server) {
        error_setg(errp, "Parameter 'wait' needs server=on");
    } else if (s->reconnect && (s->server || has_fd)) {
        error_setg(errp, "Parameter 'reconnect' is for a client that has "
                   "'path' or 'host'");
    } else {
        return true;
    }
    return false;
}

static bool check_inherited(SocketChardev *s, int fd, Error **errp)
{
    int listening = 0;
    socklen_t len = sizeof(listening);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0) {
        error_setg_errno(errp, errno, "Descriptor %d is not a socket", fd);
        return false;
    }
    if (!!listening != s->server) {
        error_setg(errp, "Descriptor %d is %s, which %s server=on", fd,
                   listening ? "a listening socket" : "a connected socket",
                   listening ? "needs" : "excludes");
        return false;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return true;
}

static char *describe(const SocketChardev *s, int fd)
{
    const char *server = s->server ? ",server=on" : "";

    if (s->path) {
        return g_strdup_printf("unix:%s%s", s->path, server);
    }
    if (fd >= 0) {
        return g_strdup_printf("fd:%d%s", fd, server);
    }
    return g_strdup_printf("tcp:%s:%s%s", s->host ? s->host : "", s->port,
                           server);
}

static bool socket_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    SocketChardev *s = (SocketChardev *)chr;
    uint64_t number = UINT64_MAX;
    bool has_wait;
    int fd;

    chr->is_socket = true;
    s->listen_fd = s->pending_fd = -1;
    s->wait = true;
    if (!take_options(s, opts, &has_wait, &number, errp) ||
        !check_options(s, has_wait, number != UINT64_MAX, errp)) {
        return false;
    }
    fd = number == UINT64_MAX ? -1 : (int)number;
    if (fd >= 0 && !check_inherited(s, fd, errp)) {
        return false;
    }
    s->timer = aio_timer_new(qemu_get_aio_context(), QEMU_CLOCK_REALTIME,
                             SCALE_MS, on_reconnect_timer, s);
    s->address = describe(s, fd);
    show_state(s);
    if (s->server) {
        s->listen_fd = fd;
        return start_server(s, errp);
    }
    return start_client(s, fd, errp);
}

static void socket_close(Chardev *chr)
{
    SocketChardev *s = (SocketChardev *)chr;

    if (s->server && s->path && s->listen_fd >= 0) {
        unix_socket_remove(s->path, s->file);
    }
    unwatch(&s->listen_fd);
    unwatch(&s->pending_fd);
    qemu_close(&s->listen_fd);
    qemu_close(&s->pending_fd);
    timer_free(s->timer);
    g_free(s->path);
    g_free(s->host);
    g_free(s->port);
    g_free(s->address);
}

const ChardevOps chr_socket_ops = {
    .name = "socket",
    .help = "path=PATH | host=HOST,port=PORT[,delay=on|off] | fd=N"
            "[,server=on|off][,wait=on|off][,reconnect=SECONDS]",
    .size = sizeof(SocketChardev),
    .params = (const char *const[]) {
        "path", "host", "port", "server", "wait", "delay", "reconnect", "fd",
        NULL,
    },
    .open = socket_open,
    .close = socket_close,
    .hangup = socket_hangup,
};
