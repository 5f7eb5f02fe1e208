/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings of files that others can shorten (util/map-guard.c).
 */
#ifndef QEMU_MAP_GUARD_H
#define QEMU_MAP_GUARD_H

#include "qemu/typedefs.h"

/* From now on SIGBUS in what is guarded is survived, and *@lost set when there
 * was one (NULL: as before).  Main thread; may be called again. */
void map_guard_init(EventNotifier *lost);
/* Guards @size bytes at @host, a shared mapping of @fd: what the file does not
 * have any more reads as zero, and the mapping is lost.  NULL: too many.  Any
 * thread. */
MapGuard *map_guard_new(void *host, uint64_t size, int fd, Error **errp);
/* Before the memory is unmapped.  NULL is ignored. */
void map_guard_free(MapGuard *guard);
/* Part of it was replaced, and what is written there reaches no file.  NULL is
 * never lost. */
bool map_guard_lost(const MapGuard *guard);

#endif
