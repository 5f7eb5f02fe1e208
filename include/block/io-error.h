/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of a request that failed; for the event BLOCK_IO_ERROR. */
#ifndef BLOCK_IO_ERROR_H
#define BLOCK_IO_ERROR_H

#include <stdbool.h>

typedef struct BlockIOError {
    const char *device;         /* id of -drive, or NULL */
    const char *node;
    bool read;
    bool ignored;               /* the guest sees a success: rerror, werror */
    int error;                  /* errno */
} BlockIOError;

/* Set by the monitor.  Any thread; at most once a second for each disk. */
extern void (*blk_io_error_hook)(const BlockIOError *e);

#endif
