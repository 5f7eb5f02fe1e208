/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-debugcon: one port; what is written to it goes to a character back end,
 * and reading it gives a fixed value by which a guest knows that it is there.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "chardev/char.h"
#include "hw/isa/isa.h"

#define TYPE_ISA_DEBUGCON "isa-debugcon"
OBJECT_DECLARE_SIMPLE_TYPE(DebugconState, ISA_DEBUGCON)

struct DebugconState {
    ISADevice parent_obj;
    MemoryRegion io;
    Chardev *chardev;
    CharBackend chr;
    uint32_t iobase, readback;
};

static uint64_t debugcon_read(void *opaque, hwaddr addr, unsigned size)
{
    DebugconState *s = opaque;

    return s->readback;
}

static void debugcon_write(void *opaque, hwaddr addr, uint64_t val,
                           unsigned size)
{
    DebugconState *s = opaque;
    uint8_t ch = val;

    qemu_chr_fe_write_all(&s->chr, &ch, 1);
}

static const MemoryRegionOps debugcon_ops = {
    .read = debugcon_read,
    .write = debugcon_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
};

static bool debugcon_realize(DeviceState *dev, Error **errp)
{
    DebugconState *s = ISA_DEBUGCON(dev);

    if (s->iobase > UINT16_MAX) {
        error_setg(errp, "isa-debugcon: iobase 0x%x is above 0xffff",
                   s->iobase);
        return false;
    }
    if (s->chardev && !qemu_chr_fe_init(&s->chr, s->chardev, errp)) {
        return false;
    }
    memory_region_init_io(&s->io, OBJECT(dev), &debugcon_ops, s,
                          TYPE_ISA_DEBUGCON, 1);
    isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase);
    return true;
}

static void debugcon_unrealize(DeviceState *dev)
{
    DebugconState *s = ISA_DEBUGCON(dev);

    memory_region_finalize(&s->io);
    qemu_chr_fe_deinit(&s->chr);
}

static const Property debugcon_props[] = {
    DEFINE_PROP_UINT32("iobase", DebugconState, iobase, 0xe9,
        .description = "its port"),
    DEFINE_PROP_CHR("chardev", DebugconState, chardev,
        .description = "id of the back end"),
    DEFINE_PROP_UINT32("readback", DebugconState, readback, 0xe9,
        .description = "what reads give"),
    { }
};

static void debugcon_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "debug console port";
    dc->categories = BIT(DEVICE_CATEGORY_MISC);
    dc->realize = debugcon_realize;
    dc->unrealize = debugcon_unrealize;
    device_class_set_props(dc, debugcon_props);
}

static const TypeInfo debugcon_types[] = {
    {
        .name = TYPE_ISA_DEBUGCON,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(DebugconState),
        .class_init = debugcon_class_init,
    },
};
DEFINE_TYPES(debugcon_types)
