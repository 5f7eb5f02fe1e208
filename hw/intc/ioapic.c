/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O APIC: 24 pins, a redirection entry each.  Intel 82093AA data sheet; the
 * differences are KVM's: version 11h, polarity has no effect, and Remote IRR is
 * cleared when an entry is made edge-triggered.
 *
 * Only the delivery modes "fixed" and "lowest priority" exist.
 */
#include "qemu/osdep.h"
#include "hw/intc/irqchip.h"
#include "migration/vmstate.h"
#include "qemu/bitops.h"

enum { REG_ID, REG_VERSION, REG_ARBITRATION, REG_REDIRECTION = 0x10 };
enum { OFFSET_SELECT = 0x00, OFFSET_WINDOW = 0x10, IOAPIC_SIZE = 0x1000 };

#define VERSION (0x11 | (IOAPIC_PINS - 1) << 16)
#define ENTRY_LOGICAL BIT(11)
#define ENTRY_STATUS BIT(12)
#define ENTRY_REMOTE_IRR BIT(14)
#define ENTRY_LEVEL BIT(15)
#define ENTRY_MASK BIT(16)
#define ENTRY_READ_ONLY (ENTRY_STATUS | ENTRY_REMOTE_IRR)
#define ENTRY_LOW 0x1ffff
#define ENTRY_HIGH 0xff000000

struct IOAPICState {
    DeviceState parent_obj;
    MemoryRegion io, *space;
    bool (*deliver)(const APICMessage *msg);
    IRQChipAcked *acked;
    struct {
        uint8_t select;
        uint32_t id;
        uint32_t lines;         /* levels of the pins */
        uint64_t entry[IOAPIC_PINS];
    } regs;
};

/* -- Pins ----------------------------------------------------------------- */

static void service(IOAPICState *s, int pin)
{
    uint64_t *entry = &s->regs.entry[pin];
    APICMessage msg = {
        .dest = *entry >> 56,
        .logical = *entry & ENTRY_LOGICAL,
        .mode = extract64(*entry, 8, 3),
        .vector = *entry,
        .level = *entry & ENTRY_LEVEL,
    };

    if (*entry & (ENTRY_MASK | ENTRY_REMOTE_IRR)) {
        return;
    }
    if (msg.level) {
        /* Before: the CPU may end it at once. */
        *entry |= ENTRY_REMOTE_IRR;
        if (!s->deliver(&msg)) {
            *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
        }
    } else {
        s->deliver(&msg);
    }
}

static bool level_waits(IOAPICState *s, int pin)
{
    return (s->regs.lines & BIT(pin)) && (s->regs.entry[pin] & ENTRY_LEVEL);
}

static void set_pin(void *opaque, int n, int level)
{
    IOAPICState *s = opaque;
    int pin = n ? n : 2;        /* the timer; the cascade goes nowhere */
    bool was = s->regs.lines & BIT(pin);

    if (n == 2) {
        return;
    }
    s->regs.lines = deposit32(s->regs.lines, pin, 1, !!level);
    if (level && !was) {
        service(s, pin);
    }
}

void ioapic_end(IOAPICState *s, uint8_t vector)
{
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &s->regs.entry[pin];

        if ((uint8_t)*entry != vector) {
            continue;
        }
        /* May lower the line. */
        s->acked(pin == 2 ? 0 : pin);
        if (*entry & ENTRY_LEVEL) {
            *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
            if (level_waits(s, pin)) {
                service(s, pin);
            }
        }
    }
}

/* -- Registers ------------------------------------------------------------- */

static uint32_t read_entry(IOAPICState *s, unsigned reg)
{
    unsigned pin = (reg - REG_REDIRECTION) / 2;

    if (reg < REG_REDIRECTION || pin >= IOAPIC_PINS) {
        return 0;
    }
    return s->regs.entry[pin] >> (reg & 1 ? 32 : 0);
}

static void write_entry(IOAPICState *s, unsigned reg, uint32_t val)
{
    unsigned pin = (reg - REG_REDIRECTION) / 2;
    uint64_t *entry;

    if (reg < REG_REDIRECTION || pin >= IOAPIC_PINS) {
        return;
    }
    entry = &s->regs.entry[pin];
    if (reg & 1) {
        *entry = (uint32_t)*entry | (uint64_t)(val & ENTRY_HIGH) << 32;
        return;
    }
    val = (val & ENTRY_LOW & ~ENTRY_READ_ONLY) | (*entry & ENTRY_READ_ONLY);
    if (!(val & ENTRY_LEVEL)) {
        val &= ~ENTRY_REMOTE_IRR;
    }
    *entry = (*entry & ~(uint64_t)UINT32_MAX) | val;
    if (level_waits(s, pin)) {
        service(s, pin);
    }
}

static uint64_t ioapic_read(void *opaque, hwaddr addr, unsigned size)
{
    IOAPICState *s = opaque;

    if (addr == OFFSET_SELECT) {
        return s->regs.select;
    }
    if (addr != OFFSET_WINDOW) {
        return 0;
    }
    switch (s->regs.select) {
    case REG_ID:
    case REG_ARBITRATION:
        return s->regs.id;
    case REG_VERSION:
        return VERSION;
    default:
        return read_entry(s, s->regs.select);
    }
}

static void ioapic_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    IOAPICState *s = opaque;

    if (addr == OFFSET_SELECT) {
        s->regs.select = val;
    } else if (addr == OFFSET_WINDOW && s->regs.select == REG_ID) {
        s->regs.id = val & 0x0f000000;
    } else if (addr == OFFSET_WINDOW) {
        write_entry(s, s->regs.select, val);
    }
}

static const MemoryRegionOps ioapic_ops = {
    .read = ioapic_read,
    .write = ioapic_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* -- Life ----------------------------------------------------------------- */

static void ioapic_reset(DeviceState *dev)
{
    IOAPICState *s = IOAPIC(dev);
    uint32_t lines = s->regs.lines;

    memset(&s->regs, 0, sizeof(s->regs));
    s->regs.lines = lines;
    for (int pin = 0; pin < IOAPIC_PINS; pin++) {
        s->regs.entry[pin] = ENTRY_MASK;
    }
}

static bool ioapic_realize(DeviceState *dev, Error **errp)
{
    IOAPICState *s = IOAPIC(dev);

    memory_region_init_io(&s->io, OBJECT(dev), &ioapic_ops, s, "ioapic",
                          IOAPIC_SIZE);
    memory_region_add_subregion(s->space, IOAPIC_BASE, &s->io);
    return true;
}

static void ioapic_init(Object *obj)
{
    qdev_init_gpio_in(DEVICE(obj), set_pin, IOAPIC_PINS);
}

IOAPICState *ioapic_new(Object *parent, MemoryRegion *mem,
                        bool (*deliver)(const APICMessage *msg),
                        IRQChipAcked *acked)
{
    IOAPICState *s = IOAPIC(qdev_new(TYPE_IOAPIC));

    s->space = mem;
    s->deliver = deliver;
    s->acked = acked;
    object_property_add_child(parent, TYPE_IOAPIC, OBJECT(s));
    qdev_realize_and_unref(DEVICE(s), NULL, &error_abort);
    return s;
}

static const VMStateDescription vmstate_ioapic = {
    .name = TYPE_IOAPIC,
    .version_id = 1,
    .fields = (const VMStateField[]){
        VMSTATE_UINT8(regs.select, IOAPICState),
        VMSTATE_UINT32(regs.id, IOAPICState),
        VMSTATE_UINT32(regs.lines, IOAPICState),
        VMSTATE_UINT_ARRAY(regs.entry, IOAPICState),
        VMSTATE_END_OF_LIST()
    },
};

static void ioapic_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = ioapic_realize;
    dc->reset = ioapic_reset;
    dc->vmsd = &vmstate_ioapic;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->desc = "I/O APIC";
}

static const TypeInfo ioapic_types[] = {
    {
        .name = TYPE_IOAPIC,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(IOAPICState),
        .instance_init = ioapic_init,
        .class_init = ioapic_class_init,
    },
};
DEFINE_TYPES(ioapic_types)
