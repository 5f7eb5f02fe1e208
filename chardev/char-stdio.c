/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stdio: standard input and output.  A terminal is put into raw mode (output
 * processing stays, and Ctrl-C too unless signal=off), again when the process
 * is continued, and back when the back end is closed or the process exits.
 */
#include "qemu/osdep.h"
#include "char-internal.h"

#include <termios.h>

static Chardev *stdio_user;     /* the one that there can be */
static struct termios saved_tty, raw_tty;
static volatile sig_atomic_t tty_is_raw;

static void restore_tty(void)
{
    if (tty_is_raw) {
        tty_is_raw = 0;
        tcsetattr(0, TCSANOW, &saved_tty);
    }
}

/* The shell has restored its own mode when we were stopped. */
static void on_continue(int sig)
{
    int err = errno;

    if (tty_is_raw) {
        tcsetattr(0, TCSANOW, &raw_tty);
    }
    errno = err;
}

static void make_tty_raw(bool signals)
{
    static bool registered;
    struct sigaction act = { .sa_handler = on_continue, .sa_flags = SA_RESTART };

    if (tcgetattr(0, &saved_tty) < 0) {
        return;                 /* not a terminal */
    }
    raw_tty = saved_tty;
    cfmakeraw(&raw_tty);
    raw_tty.c_oflag |= OPOST;
    if (signals) {
        raw_tty.c_lflag |= ISIG;
    }
    tty_is_raw = 1;
    tcsetattr(0, TCSANOW, &raw_tty);
    sigaction(SIGCONT, &act, NULL);
    if (!registered) {
        registered = true;
        atexit(restore_tty);
    }
}

static bool stdio_open(Chardev *chr, JsonObject *opts, Error **errp)
{
    bool signals = true;
    int in, out;

    if (!keyval_take_bool(opts, "signal", &signals, errp)) {
        return false;
    }
    if (stdio_user) {
        error_setg(errp, "stdio is already used by chardev '%s'",
                   stdio_user->label);
        return false;
    }
    in = chr_io_reopen(0, O_RDONLY, errp);
    if (in < 0) {
        return false;
    }
    out = chr_io_reopen(1, O_WRONLY, errp);
    chr_io_set_fds(chr, in, out);
    if (out < 0) {
        return false;
    }
    stdio_user = chr;
    make_tty_raw(signals);
    chr->open = true;
    return true;
}

static void stdio_close(Chardev *chr)
{
    if (stdio_user == chr) {
        stdio_user = NULL;
        restore_tty();
    }
}

const ChardevOps chr_stdio_ops = {
    .name = "stdio",
    .help = "[signal=on|off]",
    .size = sizeof(Chardev),
    .params = (const char *const[]) { "signal", NULL },
    .open = stdio_open,
    .close = stdio_close,
};
