/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character back ends (-chardev) and the front ends that use them.  Each back
 * end is served by the main context; one front end each, except where mux=on.
 */
#ifndef CHARDEV_CHAR_H
#define CHARDEV_CHAR_H

#include "qom/object.h"

typedef enum QEMUChrEvent {
    CHR_EVENT_OPENED,
    CHR_EVENT_CLOSED,
    CHR_EVENT_BREAK,
} QEMUChrEvent;

/* A front end's hold on a back end; all callbacks in the main context. */
typedef struct CharBackend {
    Chardev *chr;
    int (*can_read)(void *opaque);      /* how many bytes it takes now */
    void (*read)(void *opaque, const uint8_t *buf, int size);
    void (*event)(void *opaque, QEMUChrEvent event);
    void *opaque;
    bool focus;                         /* of a mux */
} CharBackend;

/* -- Back ends ----------------------------------------------------------- */

/* "stdio", "file,path=x", "socket,path=..,server=on,wait=off", "pipe", "null",
 * "pty", "fd"; members "backend", "id", ... (keyval_parse "backend"). */
Chardev *qemu_chr_new_from_opts(JsonObject *opts, Error **errp);
/* The short form of -serial and -monitor: "stdio", "null", "file:x",
 * "unix:path,server=on", "pipe:x", "pty", "mon:stdio", "chardev:id", "none" (which
 * gives NULL without an error). */
Chardev *qemu_chr_new(const char *label, const char *desc, Error **errp);
Chardev *qemu_chr_find(const char *id);
bool qemu_chr_delete(const char *id, Error **errp);
const char *qemu_chr_label(const Chardev *chr);
/* query-chardev: [{label, filename, frontend-open}] */
JsonNode *qemu_chr_query(void);
void qemu_chr_print_help(void);
void qemu_chr_cleanup(void);            /* terminal modes back, files closed */

/* -- Front ends ---------------------------------------------------------- */

bool qemu_chr_fe_init(CharBackend *be, Chardev *chr, Error **errp);
void qemu_chr_fe_deinit(CharBackend *be);
void qemu_chr_fe_set_handlers(CharBackend *be, int (*can_read)(void *),
                              void (*read)(void *, const uint8_t *, int),
                              void (*event)(void *, QEMUChrEvent),
                              void *opaque);
/* Bytes taken, or -1 with errno EAGAIN; never blocks. */
int qemu_chr_fe_write(CharBackend *be, const uint8_t *buf, int len);
/* All of it: what the back end does not take now is queued. */
int qemu_chr_fe_write_all(CharBackend *be, const uint8_t *buf, int len);
void qemu_chr_fe_accept_input(CharBackend *be); /* can_read has grown */
/* Descriptors that came with the last read (sockets): how many. */
int qemu_chr_fe_get_msgfds(CharBackend *be, int *fds, int num);
bool qemu_chr_fe_backend_connected(const CharBackend *be);

#endif
