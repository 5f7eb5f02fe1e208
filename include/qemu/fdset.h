/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of descriptors (add-fd, -add-fd): what "/dev/fdset/N" names.  Main
 * thread. */
#ifndef QEMU_FDSET_H
#define QEMU_FDSET_H

#include "qapi/error.h"

typedef struct FdSetMember {
    int64_t set;
    int fd;
    char *opaque;               /* the client's own word, or NULL */
} FdSetMember;

/* Takes @fd over.  *@set: its number; -1 makes a new set and stores which. */
bool fdset_add(int fd, int64_t *set, const char *opaque, Error **errp);
/* Closes @fd of @set; -1: all of them.  False if there is none such. */
bool fdset_remove(int64_t set, int fd);
/* Member @i of all, by set, then in order of addition; NULL after the last. */
const FdSetMember *fdset_member(unsigned i);

/**
 * qemu_open - open a file, or "/dev/fdset/N".
 * @flags, @mode: as open() has them; the descriptor is close-on-exec
 *
 * Of a set it is a duplicate of the member that was opened for the same
 * access; O_APPEND, O_DIRECT and O_NONBLOCK are then set as in @flags.  -1 with
 * errno: EACCES if no member is for that access, ENOENT if there is no set.
 */
int qemu_open(const char *path, int flags, mode_t mode);

/* Whether @path names a set rather than a file. */
bool qemu_is_fdset(const char *path);

#endif
