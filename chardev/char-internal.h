/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the back ends share.  A back end is one or two descriptors, which char-io.c
 * serves, and how to get them; or a mux. */
#ifndef CHARDEV_CHAR_INTERNAL_H
#define CHARDEV_CHAR_INTERNAL_H

#include "chardev/char.h"
#include "qapi/error.h"
#include "qemu/aio.h"
#include "qemu/queue.h"

#define CHR_MAX_MSGFDS 16

typedef struct ChardevOps {
    const char *name;
    const char *help;           /* its parameters, for "help" */
    size_t size;                /* of the structure that begins with Chardev */
    const char *const *params;  /* their names */
    /* Takes its parameters out of @opts.  On failure close() follows. */
    bool (*open)(Chardev *chr, JsonObject *opts, Error **errp);
    void (*close)(Chardev *chr);            /* or NULL */
    /* The other end is gone: default is to say CLOSED and read no more. */
    void (*hangup)(Chardev *chr);
    /* Instead of char-io.c's, or NULL */
    int (*write)(Chardev *chr, CharBackend *be, const uint8_t *buf, int len,
                 bool all);
    bool (*attach)(Chardev *chr, CharBackend *be, Error **errp);
    void (*detach)(Chardev *chr, CharBackend *be);
    void (*handlers_set)(Chardev *chr, CharBackend *be);
    void (*accept_input)(Chardev *chr, CharBackend *be);
} ChardevOps;

struct Chardev {
    const ChardevOps *ops;
    char *label;
    char *filename;             /* as query-chardev shows it */
    CharBackend *be;            /* the front end, or NULL */
    bool open;                  /* somebody is connected */

    int fd_in, fd_out;          /* -1: none; may be the same */
    bool is_socket;             /* recvmsg() and sendmsg() */
    bool direct;                /* write() on fd_out does not block */
    bool broken;                /* write() failed: output is dropped */
    QEMUBH *broken_bh;          /* tells so outside of the front end's call */
    bool eof;                   /* no more input */
    bool paused;                /* the front end takes nothing now */
    bool want_writable;         /* it waits for room */
    int watched_in, watched_out;    /* descriptors with handlers, or -1 */
    GByteArray *queue;          /* output of write_all() */
    size_t queue_head;          /* what of it has been written */
    int msgfds[CHR_MAX_MSGFDS];
    int nmsgfds;

    int log_fd;                 /* -1: none */
    QTAILQ_ENTRY(Chardev) entry;
};

extern const ChardevOps chr_null_ops, chr_file_ops, chr_pipe_ops, chr_fd_ops,
    chr_stdio_ops, chr_pty_ops, chr_socket_ops, chr_mux_ops;

/* -- char.c -- */
Chardev *chr_alloc(const ChardevOps *ops, const char *label);
void chr_free(Chardev *chr);
extern void (*chr_quit)(void);

/* -- char-fe.c -- */
void chr_event(Chardev *chr, QEMUChrEvent event);
/* Somebody has connected or gone: says so if that is news. */
void chr_set_open(Chardev *chr, bool open);
void chr_log(Chardev *chr, const uint8_t *buf, size_t len);

/* -- char-io.c -- */
/* Takes both descriptors over (they may be equal, or -1). */
void chr_io_set_fds(Chardev *chr, int fd_in, int fd_out);
void chr_io_close_fds(Chardev *chr);        /* drops what is queued */
int chr_io_write(Chardev *chr, const uint8_t *buf, int len, bool all);
/* Watches what is to be watched now. */
void chr_io_update(Chardev *chr);
/* Lets a front end go on that waits for room (or for nothing any more). */
void chr_io_tell_writable(Chardev *chr);
void chr_io_broken(void *opaque);           /* Chardev's broken_bh */
void chr_io_drop_msgfds(Chardev *chr);
/* Writes queued output; waits up to @deadline (monotonic us, -1: none). */
void chr_io_drain(Chardev *chr, size_t until, gint64 deadline);
/* A descriptor for the file of @fd that does not block, if its kind can; else
 * a duplicate.  -1 with @errp. */
int chr_io_reopen(int fd, int flags, Error **errp);

/* -- char-mux.c -- */
Chardev *chr_mux_new(const char *label, Chardev *base);

#endif
