/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input and output of a back end's descriptors.  They do not block, or are
 * asked first; output that nobody takes yet waits in the queue.
 */
#include "qemu/osdep.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "char-internal.h"

#include <poll.h>
#include <sys/socket.h>

#define QUEUE_MAX (1 * MiB)     /* beyond it somebody has to wait */
#define QUEUE_HOLD (64 * KiB)   /* beyond it no input is taken */

static size_t queued(const Chardev *chr)
{
    return chr->queue->len - chr->queue_head;
}

int chr_io_reopen(int fd, int flags, Error **errp)
{
    struct stat st;
    int copy = -1;

    /*
     * O_NONBLOCK belongs to the open file, which the shell that started us may
     * share; so a new one is opened where that can be done: terminals, pipes.
     * Regular files do not block, and sockets can be asked not to.
     */
    if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) ||
                                S_ISCHR(st.st_mode))) {
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

        copy = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    }
    if (copy < 0) {
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    if (copy < 0) {
        error_setg_errno(errp, errno, "Cannot use descriptor %d", fd);
    }
    return copy;
}

static bool writable_now(int fd)
{
    return fd_wait(fd, POLLOUT, 0) > 0;
}

/* -- Output --------------------------------------------------------------- */

/* Writes what is taken at once.  Bytes or -errno; -EAGAIN: none. */
static ssize_t write_some(Chardev *chr, const uint8_t *buf, size_t len)
{
    ssize_t n;

    if (chr->is_socket) {
        n = RETRY_ON_EINTR(send(chr->fd_out, buf, len,
                                MSG_NOSIGNAL | MSG_DONTWAIT));
    } else {
        if (!chr->direct) {
            /* If it blocks all the same, this much fits when it is ready. */
            if (!writable_now(chr->fd_out)) {
                return -EAGAIN;
            }
            len = MIN(len, PIPE_BUF);
        }
        n = RETRY_ON_EINTR(write(chr->fd_out, buf, len));
    }
    return n < 0 ? -errno : n;
}

static void drop_queue(Chardev *chr)
{
    g_byte_array_set_size(chr->queue, 0);
    chr->queue_head = 0;
}

/*
 * Output is dropped until the next connection.  Input may still be waiting to be
 * read, and its end is then noticed there.
 */
static void output_failed(Chardev *chr, int err)
{
    /* That a socket's peer has gone is no news for the operator. */
    if (!chr->is_socket) {
        error_report("Chardev '%s': cannot write: %s; output is dropped from "
                     "now on", chr->label, g_strerror(err));
    }
    drop_queue(chr);
    chr->broken = true;
    qemu_bh_schedule(chr->broken_bh);
}

void chr_io_tell_writable(Chardev *chr)
{
    CharBackend *be = chr->be;

    if (chr->want_writable) {
        chr->want_writable = false;
        if (be && be->writable) {
            be->writable(be->opaque);
        }
    }
}

void chr_io_broken(void *opaque)
{
    Chardev *chr = opaque;

    if (!chr->broken) {
        return;
    }
    chr_io_tell_writable(chr);
    chr_io_update(chr);
    if (!chr->be || !chr->be->read) {
        if (chr->ops->hangup) {
            chr->ops->hangup(chr);
        } else {
            chr_set_open(chr, false);
        }
    }
}

/* Writes until it is not taken.  Returns how many of @len; all if it fails. */
static size_t write_much(Chardev *chr, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write_some(chr, buf + done, len - done);

        if (n == -EAGAIN) {
            break;
        }
        if (n < 0) {
            output_failed(chr, -n);
            return len;
        }
        done += n;
    }
    return done;
}

static void write_queue(Chardev *chr)
{
    if (!queued(chr) || chr->fd_out < 0) {
        return;
    }
    chr->queue_head += write_much(chr, chr->queue->data + chr->queue_head,
                                  queued(chr));
    if (chr->queue_head >= chr->queue->len) {
        g_byte_array_set_size(chr->queue, 0);
        chr->queue_head = 0;
    } else if (chr->queue_head > QUEUE_HOLD) {
        g_byte_array_remove_range(chr->queue, 0, chr->queue_head);
        chr->queue_head = 0;
    }
}

void chr_io_drain(Chardev *chr, size_t until, gint64 deadline)
{
    while (queued(chr) > until && chr->fd_out >= 0) {
        size_t before = queued(chr);
        int ms = -1, events;

        if (deadline >= 0) {
            ms = (deadline - g_get_monotonic_time()) / 1000;
            if (ms <= 0) {
                return;
            }
        }
        events = fd_wait(chr->fd_out, POLLOUT, ms);
        write_queue(chr);
        if (queued(chr) == before &&
            (events < 0 || events & (POLLHUP | POLLERR))) {
            output_failed(chr, EPIPE);
        }
    }
}

/* The reader is a mebibyte behind. */
static void queue_is_full(Chardev *chr)
{
    if (chr->is_socket) {
        error_report("Chardev '%s': its client does not read; disconnected",
                     chr->label);
        shutdown(chr->fd_out, SHUT_RDWR);
        output_failed(chr, EPIPE);
    } else {
        chr_io_drain(chr, QUEUE_MAX, -1);
    }
}

int chr_io_write(Chardev *chr, const uint8_t *buf, int len, bool all)
{
    size_t done = 0;

    if (chr->open && chr->fd_out >= 0) {
        write_queue(chr);
    }
    if (all && queued(chr) > QUEUE_MAX) {
        queue_is_full(chr);
    }
    if (!chr->open || chr->fd_out < 0 || chr->broken) {
        chr_log(chr, buf, len);
        return len;
    }
    if (!queued(chr)) {
        done = write_much(chr, buf, len);
    }
    if (done < len) {
        if (all) {
            g_byte_array_append(chr->queue, buf + done, len - done);
            done = len;
        } else {
            chr->want_writable = true;
        }
        chr_io_update(chr);
    }
    chr_log(chr, buf, done);
    if (!done) {
        errno = EAGAIN;
        return -1;
    }
    return done;
}

static void on_writable(void *opaque)
{
    Chardev *chr = opaque;

    write_queue(chr);
    if (!queued(chr)) {
        chr_io_tell_writable(chr);
    }
    chr_io_update(chr);
}

/* -- Input ---------------------------------------------------------------- */

void chr_io_drop_msgfds(Chardev *chr)
{
    while (chr->nmsgfds) {
        close(chr->msgfds[--chr->nmsgfds]);
    }
}

static ssize_t read_some(Chardev *chr, void *buf, size_t len)
{
    ssize_t n;

    if (chr->is_socket) {
        chr_io_drop_msgfds(chr);
        chr->nmsgfds = CHR_MAX_MSGFDS;
        return socket_recv_fds(chr->fd_in, buf, len, chr->msgfds,
                               &chr->nmsgfds, MSG_DONTWAIT);
    }
    n = RETRY_ON_EINTR(read(chr->fd_in, buf, len));
    return n < 0 ? -errno : n;
}

static void input_ended(Chardev *chr)
{
    if (chr->ops->hangup) {
        chr->ops->hangup(chr);
    } else {
        chr->eof = true;
        chr_io_update(chr);
        chr_event(chr, CHR_EVENT_CLOSED);
    }
}

static void on_readable(void *opaque)
{
    Chardev *chr = opaque;
    CharBackend *be = chr->be;
    uint8_t buf[4096];
    int room = be && be->read && be->can_read ? be->can_read(be->opaque) : 0;
    ssize_t n;

    if (room <= 0) {
        chr->paused = true;
        chr_io_update(chr);
        return;
    }
    n = read_some(chr, buf, MIN(room, sizeof(buf)));
    if (n > 0) {
        be->read(be->opaque, buf, n);
    } else if (n != -EAGAIN) {
        input_ended(chr);
    }
}

/* -- Watching ------------------------------------------------------------- */

static void watch(int fd, int *watched, IOHandler *in, IOHandler *out,
                  Chardev *chr)
{
    int now = in || out ? fd : -1;

    if (*watched >= 0 && *watched != now) {
        aio_set_fd_handler(qemu_get_aio_context(), *watched, NULL, NULL,
                           NULL, NULL);
    }
    if (now >= 0) {
        aio_set_fd_handler(qemu_get_aio_context(), now, in, out, NULL, chr);
    }
    *watched = now;
}

void chr_io_update(Chardev *chr)
{
    bool want_in = chr->open && chr->fd_in >= 0 && !chr->eof &&
                   !chr->paused && chr->be && chr->be->read &&
                   queued(chr) <= QUEUE_HOLD;
    bool want_out = chr->open && chr->fd_out >= 0 && !chr->broken &&
                    (queued(chr) || chr->want_writable);
    IOHandler *in = want_in ? on_readable : NULL;
    IOHandler *out = want_out ? on_writable : NULL;

    if (chr->fd_in == chr->fd_out) {
        watch(chr->fd_in, &chr->watched_in, in, out, chr);
    } else {
        watch(chr->fd_in, &chr->watched_in, in, NULL, chr);
        watch(chr->fd_out, &chr->watched_out, NULL, out, chr);
    }
}

void chr_io_set_fds(Chardev *chr, int fd_in, int fd_out)
{
    struct stat st;

    chr->fd_in = fd_in;
    chr->fd_out = fd_out;
    chr->eof = false;
    chr->paused = false;
    chr->broken = false;
    chr->direct = fd_out >= 0 && ((fcntl(fd_out, F_GETFL) & O_NONBLOCK) ||
                                  (fstat(fd_out, &st) == 0 &&
                                   S_ISREG(st.st_mode)));
}

void chr_io_close_fds(Chardev *chr)
{
    watch(-1, &chr->watched_in, NULL, NULL, chr);
    watch(-1, &chr->watched_out, NULL, NULL, chr);
    if (chr->fd_out != chr->fd_in) {
        qemu_close(&chr->fd_out);
    }
    qemu_close(&chr->fd_in);
    chr->fd_out = -1;
    chr_io_drop_msgfds(chr);
    drop_queue(chr);
}
