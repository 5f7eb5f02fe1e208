/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What remote.c needs to know of the device that it plays with. */
#ifndef TESTS_FUZZ_DEVICE_H
#define TESTS_FUZZ_DEVICE_H

#include "fuzz.h"

/* Guest memory: the first half from 0, the second from FUZZ_RAM_SIZE. */
#define FUZZ_RAM_SIZE (256 * KiB)

typedef struct FuzzDevice {
    const char *args;           /* a remote process with a device of id "d" */
    void (*prepare)(void);      /* as a driver does first; or NULL */
    /* Reads operands and makes the device do something that takes a driver
     * several steps; @kind: 0 to 2, @s: 0 to 15; or NULL. */
    void (*command)(FuzzInput *in, unsigned kind, unsigned s);
} FuzzDevice;

/* Defined by fuzz-NAME's file. */
extern const FuzzDevice fuzz_device;

/* For its functions: a write to the first BAR; guest memory, after all that
 * was written so far is done. */
void fuzz_bar_write(uint64_t at, unsigned size, uint64_t val);
void *fuzz_ram(uint64_t at);

#endif
