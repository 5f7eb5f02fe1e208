/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pty: a pseudo terminal whose name is printed.  The kernel says when the last
 * program closes it (POLLHUP) but not when the next one opens it: inotify does.
 * Until then the master is not watched, and output is dropped.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "char-internal.h"

#include <sys/inotify.h>
#include <termios.h>

typedef struct PtyChardev {
    Chardev parent;
    int inotify_fd;
} PtyChardev;

static bool somebody_there(const Chardev *chr)
{
    return fd_wait(chr->fd_in, 0, 0) == 0;
}

static void pty_hangup(Chardev *chr)
{
    /* Only until the next one comes. */
    chr->eof = chr->broken = false;
    if (!somebody_there(chr)) {
        chr_set_open(chr, false);
        chr_io_update(chr);
    }
}

static void pty_opened_or_closed(void *opaque)
{
    PtyChardev *pty = opaque;
    Chardev *chr = &pty->parent;
    char events[1024] __attribute__((aligned(8)));

    while (read(pty->inotify_fd, events, sizeof(events)) > 0) {
        /* What counts is how it is now. */
    }
    if (somebody_there(chr)) {
        chr_set_open(chr, true);
        chr_io_update(chr);
    } else if (!chr->be || !chr->be->read) {
        pty_hangup(chr);        /* else when all has been read */
    }
}

/* Opens the other side once: it must be raw for whoever comes, and from then
 * on POLLHUP tells whether somebody has. */
static bool prepare_slave(const char *name, Error **errp)
{
    struct termios tty;
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot open '%s'", name);
        return false;
    }
    tcgetattr(fd, &tty);
    cfmakeraw(&tty);
    tcsetattr(fd, TCSANOW, &tty);
    close(fd);
    return true;
}

static bool pty_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    PtyChardev *pty = (PtyChardev *)chr;
    char name[64];
    int fd;

    pty->inotify_fd = -1;
    fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    chr_io_set_fds(chr, fd, fd);
    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 ||
        ptsname_r(fd, name, sizeof(name)) != 0) {
        error_setg_errno(errp, errno, "Cannot make a pseudo terminal");
        return false;
    }
    if (!prepare_slave(name, errp)) {
        return false;
    }
    pty->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (pty->inotify_fd < 0 ||
        inotify_add_watch(pty->inotify_fd, name, IN_OPEN | IN_CLOSE) < 0) {
        error_setg_errno(errp, errno, "Cannot watch '%s'", name);
        return false;
    }
    aio_set_fd_handler(qemu_get_aio_context(), pty->inotify_fd,
                       pty_opened_or_closed, NULL, NULL, pty);
    g_free(chr->filename);
    chr->filename = g_strdup_printf("pty:%s", name);
    printf("char device redirected to %s (label %s)\n", name, chr->label);
    fflush(stdout);
    return true;
}

static void pty_close(Chardev *chr)
{
    PtyChardev *pty = (PtyChardev *)chr;

    if (pty->inotify_fd >= 0) {
        aio_set_fd_handler(qemu_get_aio_context(), pty->inotify_fd, NULL,
                           NULL, NULL, NULL);
        qemu_close(&pty->inotify_fd);
    }
}

const ChardevOps chr_pty_ops = {
    .name = "pty",
    .help = "(its name is printed)",
    .size = sizeof(PtyChardev),
    .open = pty_open,
    .close = pty_close,
    .hangup = pty_hangup,
};
