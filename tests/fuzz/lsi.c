/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lsi53c895a with a disk and a CD: remote.c, and whole SCSI commands.  Op 13 to
 * 15 is s % 2: the target, s / 2 % 2: data goes in, s / 4: tagged; then
 * n(1), n bytes of CDB (16 at most), and length(2) of the data at DATA.
 */
#include "qemu/osdep.h"
#include "fuzz-device.h"

#define SCRIPT 0x1000
#define AREA 0x8000             /* CDB, messages at 0x20, status at 0x40 */
#define DATA 0x10000

static void command(FuzzInput *in, unsigned kind, unsigned s)
{
    unsigned len = fuzz_get(in, 1);
    const uint8_t *p = fuzz_bytes(in, MIN(len, 16), &len);
    uint32_t bytes = fuzz_get(in, 2);
    uint8_t *area = fuzz_ram(AREA);
    /* No move has no bytes: a jump that never is taken instead. */
    uint32_t move = !bytes ? 0x80000000 : bytes |
                    (s & 2 ? 0x09000000 : 0x08000000);
    const uint8_t messages[3] = { s / 4 == 3 ? 0xc0 : 0x80, 0x20, s };
    const uint32_t script[] = {
        0x41000000 | (s % 2) << 16, 0,          /* select with attention */
        0x0e000000 | (s >= 4 ? 3 : 1), AREA + 0x20,
        0x0a000000 | len, AREA,
        move, DATA,
        0x0b000001, AREA + 0x40,                /* status */
        0x0f000001, AREA + 0x41,                /* message */
        0x60000040, 0, 0x48000000, 0,           /* acknowledge, disconnected */
        0x98080000, 8,                          /* interrupt */
    };
    const uint32_t patient[] = {
        0x41000000 | (s % 2) << 16, 0,
        0x0e000003, AREA + 0x20,
        0x0a000000 | len, AREA,
        0x0f000002, AREA + 0x50,                /* save pointers, disconnect */
        0x48000000, 0,
        0x50000000, SCRIPT + 0x400,             /* wait for reselection */
        0x0f000003, AREA + 0x60,
        move, DATA,
        0x0b000001, AREA + 0x40,
        0x0f000001, AREA + 0x41,
        0x60000040, 0, 0x48000000, 0, 0x98080000, 8,
    };

    memset(area, 0, 16);
    memcpy(area, p, len);
    memcpy(area + 0x20, messages, sizeof(messages));
    if (kind == 2) {
        memcpy(fuzz_ram(SCRIPT), patient, sizeof(patient));
    } else {
        memcpy(fuzz_ram(SCRIPT), script, sizeof(script));
    }
    fuzz_bar_write(0x2c, 4, SCRIPT);
    if (kind == 1) {
        /* Then what led to an interrupt is read: SIST0, SIST1. */
        fuzz_ram(0);
        fuzz_bar_write(0x14, 1, 0x10);
    }
}

const FuzzDevice fuzz_device = {
    .args = "-machine x-remote -nodefaults "
            "-blockdev driver=null-co,node-name=disk,size=1048576,"
            "read-zeroes=on,discard=unmap "
            "-blockdev driver=null-co,node-name=cd,size=1048576,"
            "read-zeroes=on,read-only=on "
            "-device lsi53c895a,id=d -device scsi-hd,drive=disk,scsi-id=0,"
            "serial=fuzz "
            "-device scsi-cd,drive=cd,scsi-id=1",
    .command = command,
};
