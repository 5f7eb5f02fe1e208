/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first include of every source file: the C library, GLib, and the few
 * macros that every room uses.
 */
#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include "config-host.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "qemu/compiler.h"
#include "qemu/typedefs.h"

#define KiB (1ULL << 10)
#define MiB (1ULL << 20)
#define GiB (1ULL << 30)
#define TiB (1ULL << 40)

#define NANOSECONDS_PER_SECOND 1000000000LL
#define SCALE_NS 1
#define SCALE_US 1000
#define SCALE_MS 1000000

#define ARRAY_SIZE(x) G_N_ELEMENTS(x)
#define ROUND_UP(n, d) ((((n) + (d) - 1) / (d)) * (d))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define QEMU_IS_ALIGNED(n, m) (((n) % (m)) == 0)
#define QEMU_ALIGN_DOWN(n, m) ((n) / (m) * (m))
#define QEMU_ALIGN_UP(n, m) ROUND_UP(n, m)

/* Calls that a signal may interrupt, repeated until they are not. */
#define RETRY_ON_EINTR(expr) TEMP_FAILURE_RETRY(expr)

/**
 * qemu_close - close a descriptor and set it to -1; -1 is ignored.
 * @fd: the variable that holds it
 */
static inline void qemu_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

#endif
