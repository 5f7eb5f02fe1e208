/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device of the other process is: asked over a link, checked, and put
 * into a ProxyShape.  Everything that a PCI device cannot be is refused here.
 */
#include "qemu/osdep.h"
#include "hw/remote/proxy-probe.h"
#include "qemu/bitops.h"
#include "qemu/timer.h"

/* All questions together may take that many times what one may. */
#define PROBE_TIMES 3
#define PROBE_MIN_MS 1000

static int64_t probe_ms(const ProxyLink *link)
{
    return MAX((int64_t)link->timeout_ms * PROBE_TIMES, PROBE_MIN_MS);
}

static bool in_time(ProxyLink *link, Error **errp)
{
    if (qemu_clock_get_ms(QEMU_CLOCK_REALTIME) > link->probe_until_ms) {
        error_setg(errp, "the device's process takes too long to say what the "
                   "device is: more than %" PRId64 " ms", probe_ms(link));
        return false;
    }
    return true;
}

static bool probe_read(ProxyLink *link, uint32_t addr, unsigned len,
                       uint32_t *val, Error **errp)
{
    if (!link->ops->config_read(link, addr, len, val)) {
        error_setg(errp, "the device's process did not say what the device "
                   "is: %s", link->why);
        return false;
    }
    return in_time(link, errp);
}

static bool probe_write(ProxyLink *link, uint32_t addr, uint32_t val,
                        unsigned len, Error **errp)
{
    if (!link->ops->config_write(link, addr, val, len)) {
        error_setg(errp, "the device's process did not take a write: %s",
                   link->why);
        return false;
    }
    return in_time(link, errp);
}

/* What a base address register answers when all ones were written to it; the
 * register is put back. */
static bool probe_mask(ProxyLink *link, uint32_t addr, uint32_t ones,
                       uint32_t *mask, Error **errp)
{
    uint32_t was;

    return probe_read(link, addr, 4, &was, errp) &&
           probe_write(link, addr, ones, 4, errp) &&
           probe_read(link, addr, 4, mask, errp) &&
           probe_write(link, addr, was, 4, errp);
}

static bool size_is_right(uint64_t size, uint64_t min, uint64_t max, int nr,
                          Error **errp)
{
    if (!is_power_of_2(size) || size < min || size > max) {
        error_setg(errp, "the device's process says that region %d has 0x%"
                   PRIx64 " bytes, which no PCI device can have", nr, size);
        return false;
    }
    return true;
}

/* How many bytes a register decodes of which @bits can be written. */
static uint64_t decodes(uint32_t bits)
{
    return -(uint64_t)(int32_t)bits;
}

/* BAR @nr, if there is one; @two is set if it takes the next as well. */
static bool probe_bar(ProxyLink *link, int nr, ProxyBar *bar, bool *two,
                      Error **errp)
{
    uint32_t addr = PCI_BASE_ADDRESS_0 + 4 * nr, mask, high;
    uint64_t max = 0x80000000;

    *two = false;
    if (!probe_mask(link, addr, UINT32_MAX, &mask, errp)) {
        return false;
    }
    if (!mask || mask == UINT32_MAX) {
        return true;
    }
    if (mask & PCI_BASE_ADDRESS_SPACE_IO) {
        mask = (mask & PCI_BASE_ADDRESS_IO_MASK) | ~0xffffu;
        bar->type = PCI_BASE_ADDRESS_SPACE_IO;
        bar->size = decodes(mask);
        return size_is_right(bar->size, 4, 0x10000, nr, errp);
    }
    bar->type = mask & ~(uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    mask &= (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    bar->size = decodes(mask);
    if (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64) {
        if (nr == 5) {
            error_setg(errp, "the device's process says that the last BAR has "
                       "64 bits");
            return false;
        }
        if (!probe_mask(link, addr + 4, UINT32_MAX, &high, errp)) {
            return false;
        }
        bar->size = -((uint64_t)high << 32 | mask);
        max = 1ULL << 62;
        *two = true;
    }
    return size_is_right(bar->size, 16, max, nr, errp);
}

static bool probe_rom(ProxyLink *link, ProxyBar *rom, Error **errp)
{
    uint32_t mask;

    /* The enable bit stays off: a ROM that is shown would hide a BAR. */
    if (!probe_mask(link, PCI_ROM_ADDRESS, (uint32_t)PCI_ROM_ADDRESS_MASK,
                    &mask, errp)) {
        return false;
    }
    mask &= (uint32_t)PCI_ROM_ADDRESS_MASK;
    if (!mask || mask == (uint32_t)PCI_ROM_ADDRESS_MASK) {
        /* Nothing there, or no more than a register. */
        return true;
    }
    rom->size = decodes(mask);
    return size_is_right(rom->size, 2048, 0x1000000, PCI_ROM_SLOT, errp);
}

/* Registers that say what a device is never change while it exists. */
const uint8_t proxy_id_registers[PROXY_ID_REGISTERS] = {
    PCI_VENDOR_ID, PCI_CLASS_REVISION, PCI_SUBSYSTEM_VENDOR_ID,
};

static bool probe_ids(ProxyLink *link, ProxyShape *shape, Error **errp)
{
    uint32_t val;

    for (int i = 0; i < PROXY_ID_REGISTERS; i++) {
        if (!probe_read(link, proxy_id_registers[i], 4, &shape->ids[i],
                        errp)) {
            return false;
        }
    }
    if ((shape->ids[0] & 0xffff) == 0xffff) {
        error_setg(errp, "the device's process has no device to show");
        return false;
    }
    if (!probe_read(link, PCI_HEADER_TYPE, 1, &val, errp)) {
        return false;
    }
    if ((val & 0x7f) != PCI_HEADER_TYPE_NORMAL) {
        error_setg(errp, "the device's process has a bridge (header type %u), "
                   "which cannot be proxied", val & 0x7f);
        return false;
    }
    if (!probe_read(link, PCI_INTERRUPT_PIN, 1, &val, errp)) {
        return false;
    }
    if (val > PCI_NUM_PINS) {
        error_setg(errp, "the device's process says that the interrupt pin is "
                   "%u, which is none of INTA to INTD", val);
        return false;
    }
    shape->pin = val;
    return true;
}

bool proxy_probe(ProxyLink *link, ProxyShape *shape, Error **errp)
{
    memset(shape, 0, sizeof(*shape));
    link->probe_until_ms = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                           probe_ms(link);
    if (!probe_ids(link, shape, errp)) {
        return false;
    }
    for (int nr = 0; nr < PCI_ROM_SLOT; nr++) {
        bool two;

        if (!probe_bar(link, nr, &shape->bars[nr], &two, errp)) {
            return false;
        }
        nr += two;
    }
    return probe_rom(link, &shape->bars[PCI_ROM_SLOT], errp);
}

bool proxy_shape_equal(const ProxyShape *a, const ProxyShape *b)
{
    for (int nr = 0; nr < PCI_NUM_REGIONS; nr++) {
        if (a->bars[nr].size != b->bars[nr].size ||
            a->bars[nr].type != b->bars[nr].type) {
            return false;
        }
    }
    return !memcmp(a->ids, b->ids, sizeof(a->ids)) && a->pin == b->pin;
}

bool proxy_replay(ProxyLink *link, const uint8_t *header, Error **errp)
{
    /* The command last: it decides what is decoded. */
    static const struct { uint8_t addr, len; } registers[] = {
        { PCI_CACHE_LINE_SIZE, 2 },
        { PCI_BASE_ADDRESS_0, 4 }, { PCI_BASE_ADDRESS_1, 4 },
        { PCI_BASE_ADDRESS_2, 4 }, { PCI_BASE_ADDRESS_3, 4 },
        { PCI_BASE_ADDRESS_4, 4 }, { PCI_BASE_ADDRESS_5, 4 },
        { PCI_ROM_ADDRESS, 4 }, { PCI_INTERRUPT_LINE, 1 },
        { PCI_COMMAND, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        if (!probe_write(link, registers[i].addr,
                         ldn_le_p(header + registers[i].addr,
                                  registers[i].len),
                         registers[i].len, errp)) {
            return false;
        }
    }
    return true;
}
