/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine whose guest does anything, as through qtest: accesses to ports,
 * registers and memory, and time that passes.  First the firmware's part is
 * played: each function of slots 4 to 7 has its BARs, at 0xe0000000 + 2 MiB *
 * slot + 512 KiB * nr or port 0x1000 * slot + 0x100 * nr, and may do all; power
 * management is at port 0x600, the SMBus at 0x700, q35's ECAM at 0xb0000000.
 * Then, s being the upper four bits of the operation's byte:
 *
 *     op 0  port(2) val(4)      write 1 << s % 3 bytes to a port
 *     op 1  port(2)             read
 *     op 2  at(2) val(4)        write 1 << s % 4 bytes of a register, at
 *                               places[s / 4 of 4 + 4 * upper two bits of at]
 *     op 3  at(2)               read there
 *     op 4  devfn(1) addr(1) val(4)    config write, 1 << s % 3 bytes
 *     op 5  devfn(1) addr(1)    config read
 *     op 6  at(2) n(1) bytes    RAM at 16 * @at becomes these bytes
 *     op 7  us(2)               time goes on (s odd: 1000 times as much)
 *     op 8  slot at(2) val(4)   write to BAR s / 4 of slot 4 + slot(1) % 4
 *     op 9  slot at(2)          read there
 *     op 10 addr(8) val(8)      write 1 << s % 4 bytes anywhere
 *     op 11 addr(8)             read
 *     op 12                     the system is reset
 */
#include "qemu/osdep.h"
#include "fuzz.h"
#include "hw/boards.h"
#include "hw/pci/pci.h"
#include "machine.h"
#include "qemu/aio.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/memory.h"
#include "system/runstate.h"

#define MOST_OPS 200
#define BARS 0xe0000000ull
/* pc: what is ejected does not come back. */
#define EJECT 0xae08

/* 16 KiB each: what @at reaches. */
static const uint64_t places[16] = {
    0xfee00000, 0xfec00000, 0xfed00000, 0xb0000000,     /* b: ECAM of q35 */
    0xa0000, 0xc0000, 0xe0000, 0xf0000,
    0xfed1c000, 0xfffc0000, 0xb0020000, 0xb0040000,
    0xffffc000, 0x7fc000, 0x800000, 0xb00f8000,
};

static void access_space(AddressSpace *as, uint64_t addr, uint64_t val,
                         unsigned size, bool is_write)
{
    address_space_rw(as, addr, MEMTXATTRS_UNSPECIFIED, &val, size, is_write);
}

static void port(uint16_t addr, uint32_t val, unsigned size, bool is_write)
{
    access_space(&address_space_io, addr, val, size, is_write);
}

static void config(uint8_t devfn, uint8_t addr, uint32_t val, unsigned size,
                   bool is_write)
{
    port(0xcf8, 0x80000000 | devfn << 8 | (addr & 0xfc), 4, true);
    port(0xcfc + (addr & 3), val, size, is_write);
}

static uint64_t bar_address(unsigned slot, int nr, bool io)
{
    return io ? 0x1000 * slot + 0x100 * nr
              : BARS + 0x200000 * slot + 0x80000 * nr;
}

/* The chipsets of both machines; one of them has no such functions. */
static const struct {
    uint8_t devfn, addr;
    uint32_t val;
} chipset[] = {
    { 0x0b, 0x40, 0x601 }, { 0x0b, 0x80, 1 }, { 0x0b, 0x90, 0x701 },
    { 0x0b, 0xd2, 1 }, { 0xf8, 0x40, 0x601 }, { 0xf8, 0x44, 0x80 },
    { 0xf8, 0xf0, 0xfed1c001 }, { 0xfb, 0x20, 0x701 }, { 0xfb, 0x40, 1 },
    { 0x00, 0x64, 0 }, { 0x00, 0x60, 0xb0000001 },
};

/* Of slots 4 to 7, by their BARs; the same always. */
static bool is_io[4][4];

static bool read_bar_is_io(unsigned slot, int nr)
{
    uint32_t low = 0;

    port(0xcf8, 0x80000000 | slot << 11 | (PCI_BASE_ADDRESS_0 + 4 * nr), 4,
         true);
    address_space_read(&address_space_io, 0xcfc, MEMTXATTRS_UNSPECIFIED, &low,
                       4);
    return low & PCI_BASE_ADDRESS_SPACE_IO;
}

static void play_firmware(void)
{
    /* One change of the memory map instead of twenty. */
    memory_region_transaction_begin();
    for (size_t i = 0; i < ARRAY_SIZE(chipset); i++) {
        config(chipset[i].devfn, chipset[i].addr, chipset[i].val, 4, true);
    }
    for (unsigned slot = 4; slot < 8; slot++) {
        for (int nr = 0; nr < 4; nr++) {
            /* The upper half of nvme's, which has 64 bits, stays 0. */
            if (slot != 4 || nr != 1) {
                config(slot << 3, PCI_BASE_ADDRESS_0 + 4 * nr,
                       bar_address(slot, nr, is_io[slot - 4][nr]), 4, true);
            }
        }
        config(slot << 3, PCI_COMMAND, 7, 2, true);
    }
    memory_region_transaction_commit();
}

static void settle(void)
{
    fuzz_settle(qemu_get_aio_context(), 16);
}

static void bar(FuzzInput *in, unsigned s, bool is_write)
{
    unsigned slot = 4 + fuzz_get(in, 1) % 4, at = fuzz_get(in, 2);
    uint32_t val = is_write ? fuzz_get(in, 4) : 0;
    unsigned size = 1 << s % 4;

    if (is_io[slot - 4][s / 4]) {
        port(bar_address(slot, s / 4, true) + at % 256, val, MIN(size, 4),
             is_write);
    } else {
        access_space(&address_space_memory, bar_address(slot, s / 4, false) +
                     at, val, size, is_write);
    }
}

static void reset(void)
{
    memory_region_transaction_begin();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    memory_region_transaction_commit();
}

static void operation(FuzzInput *in, unsigned op, unsigned s)
{
    bool is_write = !(op & 1);
    uint64_t at, val;
    uint8_t devfn;
    const uint8_t *p;
    unsigned len;

    switch (op) {
    case 0:
    case 1:
        at = fuzz_get(in, 2);
        val = is_write ? fuzz_get(in, 4) : 0;
        if (!is_write || at + 4 <= EJECT || at > EJECT + 3) {
            port(at, val, 1 << s % 3, is_write);
        }
        break;
    case 2:
    case 3:
        at = fuzz_get(in, 2);
        val = is_write ? fuzz_get(in, 4) : 0;
        access_space(&address_space_memory,
                     places[s / 4 + 4 * (at >> 14)] + (at & 0x3fff), val,
                     1 << s % 4, is_write);
        break;
    case 4:
    case 5:
        devfn = fuzz_get(in, 1);
        at = fuzz_get(in, 1);
        val = is_write ? fuzz_get(in, 4) : 0;
        config(devfn, at, val, 1 << s % 3, is_write);
        break;
    case 6:
        at = fuzz_get(in, 2) * 16;
        p = fuzz_bytes(in, fuzz_get(in, 1), &len);
        address_space_write(&address_space_memory, at, MEMTXATTRS_UNSPECIFIED,
                            p, len);
        break;
    case 7:
        at = fuzz_get(in, 2) * (s & 1 ? SCALE_MS : SCALE_US);
        qemu_clock_virtual_set_ns(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + at);
        settle();
        break;
    case 8:
    case 9:
        bar(in, s, is_write);
        break;
    case 10:
    case 11:
        at = fuzz_get(in, 8);
        val = is_write ? fuzz_get(in, 8) : 0;
        access_space(&address_space_memory, at, val, 1 << s % 4, is_write);
        break;
    case 12:
        settle();
        reset();
        break;
    default:
        settle();
        break;
    }
}

/* Memory that was written to is as new, and costs what was used of it. */
static void clear_ram(void)
{
    fallocate(memory_region_get_fd(current_machine->ram),
              FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
              current_machine->ram_size);
}

void fuzz_one(FuzzInput *in)
{
    play_firmware();
    for (int n = 0; fuzz_more(in) && n < MOST_OPS; n++) {
        uint8_t byte = fuzz_get(in, 1);

        operation(in, byte & 15, byte >> 4);
    }
    settle();
    reset();
    settle();
    clear_ram();
}

void fuzz_init(void)
{
    fuzz_start_emulator(fuzz_machine);
    for (unsigned slot = 4; slot < 8; slot++) {
        for (int nr = 0; nr < 4; nr++) {
            is_io[slot - 4][nr] = read_bar_is_io(slot, nr);
        }
    }
}
