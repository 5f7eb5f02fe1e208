/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvme: remote.c with an enabled controller.  A command, op 13 to 15, is
 * s % 4: the queue, then n(1) and n bytes of a submission queue entry (the
 * rest is 0).  Queue q has its submissions at 0x2000 * q, its completions a page
 * after, 32 entries each: that is where seeds create the I/O queues too.
 */
#include "qemu/osdep.h"
#include "fuzz-device.h"

#define ENTRIES 32
#define SQE 64

static unsigned tail[4];

static void prepare(void)
{
    memset(tail, 0, sizeof(tail));
    fuzz_bar_write(0x24, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    fuzz_bar_write(0x28, 8, 0);
    fuzz_bar_write(0x30, 8, 0x1000);
    fuzz_bar_write(0x14, 4, 0x460001);
}

static void command(FuzzInput *in, unsigned kind, unsigned s)
{
    unsigned q = s % 4, len = fuzz_get(in, 1);
    const uint8_t *p = fuzz_bytes(in, MIN(len, SQE), &len);
    uint8_t *entry = fuzz_ram(0x2000 * q + SQE * tail[q]);

    memset(entry, 0, SQE);
    memcpy(entry, p, len);
    tail[q] = (tail[q] + 1) % ENTRIES;
    fuzz_bar_write(0x1000 + 8 * q, 4, tail[q]);
    if (kind == 1) {
        /* What has come is seen. */
        fuzz_ram(0);
        fuzz_bar_write(0x1004 + 8 * q, 4, tail[q]);
    }
}

const FuzzDevice fuzz_device = {
    .args = "-machine x-remote -nodefaults -blockdev driver=null-co,"
            "node-name=disk,size=1048576,read-zeroes=on "
            "-device nvme,id=d,drive=disk,serial=fuzz",
    .prepare = prepare,
    .command = command,
};
