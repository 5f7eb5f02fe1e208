/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvme: remote.c with an enabled controller that has I/O queue 1.  Queue q has
 * its submissions at 0x2000 * q, its completions a page after, 32 entries each;
 * q is s % 4:
 *
 *     op 13  n(1) and n bytes of a submission queue entry; the rest is 0
 *     op 14  the same; then all completions count as seen
 *     op 15  opcode(1) prp1(2) prp2(2) cdw10(2) cdw11(2) cdw12(2) cdw13(1): to
 *            namespace 1; an address is 256 * prp
 */
#include "qemu/osdep.h"
#include "fuzz-device.h"

#define ENTRIES 32
#define SQE 64

static unsigned tail[4];

static void submit(unsigned q, const void *p, unsigned len)
{
    uint8_t *entry = fuzz_ram(0x2000 * q + SQE * tail[q]);

    memset(entry, 0, SQE);
    memcpy(entry, p, len);
    tail[q] = (tail[q] + 1) % ENTRIES;
    fuzz_bar_write(0x1000 + 8 * q, 4, tail[q]);
}

static void seen(unsigned q)
{
    fuzz_ram(0);
    fuzz_bar_write(0x1004 + 8 * q, 4, tail[q]);
}

static void prepare(void)
{
    const uint32_t create_cq[SQE / 4] = {
        [0] = 5, [6] = 0x3000, [10] = (ENTRIES - 1) << 16 | 1, [11] = 3,
    };
    const uint32_t create_sq[SQE / 4] = {
        [0] = 1, [6] = 0x2000, [10] = (ENTRIES - 1) << 16 | 1,
        [11] = 1 << 16 | 1,
    };

    memset(tail, 0, sizeof(tail));
    fuzz_bar_write(0x24, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    fuzz_bar_write(0x28, 8, 0);
    fuzz_bar_write(0x30, 8, 0x1000);
    fuzz_bar_write(0x14, 4, 0x460001);
    submit(0, create_cq, SQE);
    submit(0, create_sq, SQE);
    seen(0);
}

static void short_command(FuzzInput *in, unsigned q)
{
    uint32_t entry[SQE / 4] = { fuzz_get(in, 1), 1 };

    entry[6] = fuzz_get(in, 2) << 8;
    entry[8] = fuzz_get(in, 2) << 8;
    entry[10] = fuzz_get(in, 2);
    entry[11] = fuzz_get(in, 2);
    entry[12] = fuzz_get(in, 2);
    entry[13] = fuzz_get(in, 1);
    submit(q, entry, SQE);
    seen(q);
}

static void command(FuzzInput *in, unsigned kind, unsigned s)
{
    unsigned q = s % 4, len;
    const uint8_t *p;

    if (kind == 2) {
        short_command(in, q);
        return;
    }
    len = fuzz_get(in, 1);
    p = fuzz_bytes(in, MIN(len, SQE), &len);
    submit(q, p, len);
    if (kind == 1) {
        seen(q);
    }
}

const FuzzDevice fuzz_device = {
    .args = "-machine x-remote -nodefaults -blockdev driver=null-co,"
            "node-name=disk,size=1048576,read-zeroes=on,discard=unmap "
            "-device nvme,id=d,drive=disk,serial=fuzz,dbcs=on",
    .prepare = prepare,
    .command = command,
};
