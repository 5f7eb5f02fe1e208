/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of descriptors: what "/dev/fdset/N" names.  Main thread. */
#ifndef MONITOR_FDSET_H
#define MONITOR_FDSET_H

#include "qapi/error.h"

/* Takes @fd over.  *@set: its number; -1 makes a new set and stores which. */
bool fdset_add(int fd, int64_t *set, const char *opaque, Error **errp);
/* A duplicate of the member of @set that was opened with the access mode of
 * @flags; -1 with @errp set. */
int fdset_dup(int64_t set, int flags, Error **errp);

#endif
