/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets share.  A target is one .c file that defines fuzz_init()
 * and fuzz_one(); it is linked twice, with libFuzzer (fuzz-NAME, configure
 * --enable-fuzzing) and with replay.c, which runs given files (replay-NAME, in
 * every build).
 *
 * An input is a sequence of operations: a byte that says which, then operands
 * of fixed length, little endian.  What is missing at the end reads as 0.  So
 * any bytes are a valid input, and to insert, remove or change one leaves most
 * of the others with their meaning.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "qapi/error.h"

typedef struct FuzzInput {
    const uint8_t *p, *end;
} FuzzInput;

/* -- What a target defines ------------------------------------------------ */

/* Once, in the thread that runs the inputs. */
void fuzz_init(void);
/* One input.  Whatever it does is undone before it returns: the next one finds
 * everything as the first did.  Same input, same run. */
void fuzz_one(FuzzInput *in);

/* -- Reading an input ----------------------------------------------------- */

static inline bool fuzz_more(const FuzzInput *in)
{
    return in->p < in->end;
}

/* @len bytes (at most 8) as a number. */
uint64_t fuzz_get(FuzzInput *in, unsigned len);
/* Up to @max bytes from where the input is; *@len: how many there are. */
const uint8_t *fuzz_bytes(FuzzInput *in, unsigned max, unsigned *len);

/* -- The program around a target ------------------------------------------ */

/* Starts the emulator in this process, up to its main loop, with these
 * arguments (separated by spaces).  Its virtual clock stands still but for
 * qemu_clock_virtual_set_ns(), and what it reports goes nowhere, unless
 * $FUZZ_VERBOSE is set.  To be called by fuzz_init(). */
void fuzz_start_emulator(const char *args);
/* Runs what is due in @ctx, at most @rounds times. */
void fuzz_settle(AioContext *ctx, int rounds);
/* A file of @size zero bytes without a name. */
int fuzz_memfd(uint64_t size);
/* Says why and aborts: something that must hold does not. */
void G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN fuzz_fail(const char *fmt, ...);

#endif
