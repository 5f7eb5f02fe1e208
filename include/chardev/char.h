/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character back ends (-chardev) and the front ends that use them.  Each back
 * end is served by the main context; one front end each, except where mux=on.
 * All functions are for the main loop or the BQL holder.
 *
 * A slow reader never loses what was written, and never stops the main loop as
 * long as there is another way:
 * - qemu_chr_fe_write() takes what the back end takes at once.  A front end that
 *   can let the guest wait (a UART) uses it, and the writable handler.
 * - qemu_chr_fe_write_all() queues the rest.  While much is queued, nothing is
 *   read from that back end, so a monitor is asked nothing that it could not
 *   answer.  Should 1 MiB be waiting all the same, a socket's client is
 *   disconnected, and for any other reader the machine waits, as it would for a
 *   terminal held by Ctrl-S.
 * What is written while nobody is connected is gone, as on an open cable.
 */
#ifndef CHARDEV_CHAR_H
#define CHARDEV_CHAR_H

#include "qemu/option.h"

typedef enum QEMUChrEvent {
    CHR_EVENT_OPENED,       /* there is somebody at the other end */
    CHR_EVENT_CLOSED,       /* not any more, or no more input */
    CHR_EVENT_BREAK,
    CHR_EVENT_MUX_IN,       /* this front end got the focus of a mux again (the
                               first time it is OPENED) */
    CHR_EVENT_MUX_OUT,      /* lost it */
} QEMUChrEvent;

/* A front end's hold on a back end; all callbacks in the main context. */
typedef struct CharBackend {
    Chardev *chr;
    int (*can_read)(void *opaque);      /* how many bytes it takes now */
    void (*read)(void *opaque, const uint8_t *buf, int size);
    void (*event)(void *opaque, QEMUChrEvent event);
    void (*writable)(void *opaque);
    void *opaque;
    bool focus;                         /* of a mux */
} CharBackend;

/* -- Back ends ----------------------------------------------------------- */

/**
 * qemu_chr_new_from_opts - make a back end.
 * @opts: "backend" (or "type"), "id", "mux", "logfile", "logappend", and what
 *        the back end has (keyval_parse() with "backend" implied); members that
 *        are known are taken out
 *
 * Refuses parameters that the back end does not have.  Returns NULL with @errp
 * set.  A socket with server=on and without wait=off waits here for a client.
 */
Chardev *qemu_chr_new_from_opts(JsonObject *opts, Error **errp);

/**
 * qemu_chr_new - make a back end of the short form of -serial and -monitor.
 * @label: the new back end's id
 * @desc: "stdio", "null", "pty", "file:PATH", "pipe:PATH", "fd:N",
 *        "unix:PATH[,OPTION...]", "tcp:HOST:PORT[,OPTION...]", "chardev:ID" (one
 *        that exists), or "mon:DESC" (the same with mux=on: the caller adds
 *        the monitor)
 *
 * "none" gives NULL without an error.
 */
Chardev *qemu_chr_new(const char *label, const char *desc, Error **errp);
Chardev *qemu_chr_find(const char *id);         /* NULL: there is none */
bool qemu_chr_any(void);                        /* is there one? */
bool qemu_chr_delete(const char *id, Error **errp);
const char *qemu_chr_label(const Chardev *chr);
/* query-chardev: [{label, filename, frontend-open}] */
JsonNode *qemu_chr_query(void);
/* "-chardev help" (NULL) and "-chardev BACKEND,help"; false: no such kind. */
bool qemu_chr_help(GString *out, const char *backend, Error **errp);
/* Ctrl-a x of a mux calls @quit; without one, it is exit(0). */
void qemu_chr_set_quit_handler(void (*quit)(void));
/* Sends what is queued (for a second at most), closes all, restores terminals;
 * front ends must not use them any more. */
void qemu_chr_cleanup(void);

/* -- Front ends ---------------------------------------------------------- */

/* Refused if another has it, unless it is a mux.  @be is zeroed memory. */
bool qemu_chr_fe_init(CharBackend *be, Chardev *chr, Error **errp);
void qemu_chr_fe_deinit(CharBackend *be);       /* harmless without a back end */
/* May call @event (OPENED) and later @read; all NULL: input waits. */
void qemu_chr_fe_set_handlers(CharBackend *be, int (*can_read)(void *),
                              void (*read)(void *, const uint8_t *, int),
                              void (*event)(void *, QEMUChrEvent),
                              void *opaque);
/* @writable is called with the opaque of the handlers, once after each time that
 * qemu_chr_fe_write() took less than all, when there is room. */
void qemu_chr_fe_set_writable(CharBackend *be,
                              void (*writable)(void *opaque));
/* Bytes taken, or -1 with errno EAGAIN; never blocks.  Without a back end, or
 * somebody connected, all are taken. */
int qemu_chr_fe_write(CharBackend *be, const uint8_t *buf, int len);
/* All of it: what the back end does not take now is queued.  Returns @len. */
int qemu_chr_fe_write_all(CharBackend *be, const uint8_t *buf, int len);
/* To be called when can_read has grown from 0. */
void qemu_chr_fe_accept_input(CharBackend *be);
/* Takes over descriptors that came with the last read (sockets): how many.
 * Those not taken before the next read are closed. */
int qemu_chr_fe_get_msgfds(CharBackend *be, int *fds, int num);
bool qemu_chr_fe_backend_connected(const CharBackend *be);

#endif
