/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back ends that only have to open something: null, file (a regular file or a
 * device for output, another for input), pipe (two FIFOs, PATH.in and PATH.out,
 * or one), fd (an inherited descriptor).
 */
#include "qemu/osdep.h"
#include "qemu/fdset.h"
#include "qemu/sockets.h"
#include "char-internal.h"

static bool null_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    chr->open = true;           /* without descriptors: all is dropped */
    return true;
}

const ChardevOps chr_null_ops = {
    .name = "null",
    .help = "takes all, gives nothing",
    .size = sizeof(Chardev),
    .open = null_open,
};

static int open_path(const char *path, int flags, Error **errp)
{
    int fd = qemu_open(path, flags | O_NOCTTY, 0666);

    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot open '%s'", path);
    }
    return fd;
}

static bool need(const char *value, const char *param, Error **errp)
{
    if (!value || !*value) {
        error_setg(errp, "Parameter '%s' is missing", param);
        return false;
    }
    return true;
}

static bool file_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    g_autofree char *path = NULL;
    g_autofree char *input = NULL;
    bool append = false;
    int in = -1, out;

    if (!keyval_take_str(opts, "path", &path, errp) ||
        !keyval_take_str(opts, "input-path", &input, errp) ||
        !keyval_take_bool(opts, "append", &append, errp) ||
        !need(path, "path", errp)) {
        return false;
    }
    if (input) {
        in = open_path(input, O_RDONLY | O_NONBLOCK, errp);
        if (in < 0) {
            return false;
        }
    }
    out = open_path(path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC),
                    errp);
    chr_io_set_fds(chr, in, out);
    chr->open = true;
    return out >= 0;
}

const ChardevOps chr_file_ops = {
    .name = "file",
    .help = "path=PATH[,append=on|off][,input-path=PATH]",
    .size = sizeof(Chardev),
    .params = (const char *const[]) { "path", "append", "input-path", NULL },
    .open = file_open,
};

static bool pipe_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    g_autofree char *path = NULL;
    g_autofree char *in_path = NULL;
    g_autofree char *out_path = NULL;
    /* Opened both ways, a FIFO waits for nobody and never ends. */
    int flags = O_RDWR | O_NONBLOCK;
    int in, out;

    if (!keyval_take_str(opts, "path", &path, errp) ||
        !need(path, "path", errp)) {
        return false;
    }
    in_path = g_strconcat(path, ".in", NULL);
    out_path = g_strconcat(path, ".out", NULL);
    in = open_path(in_path, flags, NULL);
    out = open_path(out_path, flags, NULL);
    if (in < 0 || out < 0) {
        qemu_close(&in);
        qemu_close(&out);
        in = out = open_path(path, flags, errp);
    }
    if (in < 0) {
        error_append_hint(errp, "It needs %s and %s, or %s, made by "
                          "mkfifo(1).\n", in_path, out_path, path);
        return false;
    }
    chr_io_set_fds(chr, in, out);
    chr->open = true;
    return true;
}

const ChardevOps chr_pipe_ops = {
    .name = "pipe",
    .help = "path=PATH (FIFOs PATH.in and PATH.out, or PATH)",
    .size = sizeof(Chardev),
    .params = (const char *const[]) { "path", NULL },
    .open = pipe_open,
};

static bool fd_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    uint64_t number = UINT64_MAX;
    int fd, access;

    if (!keyval_take_uint(opts, "fd", INT_MAX, &number, errp)) {
        return false;
    }
    if (number == UINT64_MAX) {
        error_setg(errp, "Parameter 'fd' is missing");
        return false;
    }
    access = fcntl(number, F_GETFL);
    if (access < 0) {
        error_setg(errp, "Descriptor %d is not open", (int)number);
        return false;
    }
    access &= O_ACCMODE;
    fd = chr_io_reopen(number, access, errp);
    if (fd < 0) {
        return false;
    }
    if (number > 2) {
        close(number);          /* or its other end would never see ours gone */
    }
    chr->is_socket = fd_is_socket(fd);
    chr_io_set_fds(chr, access == O_WRONLY ? -1 : fd,
                   access == O_RDONLY ? -1 : fd);
    chr->open = true;
    return true;
}

const ChardevOps chr_fd_ops = {
    .name = "fd",
    .help = "fd=N (inherited; as it was opened, for input, output or both)",
    .size = sizeof(Chardev),
    .params = (const char *const[]) { "fd", NULL },
    .open = fd_open,
};
