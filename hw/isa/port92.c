/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System control port A (I/O 0x92): a rising bit 0 resets the machine; bit 1,
 * the A20 gate, is kept and read back but gates nothing, since no guest that
 * KVM can run wants memory to wrap at 1 MiB.
 */
#include "qemu/osdep.h"
#include "hw/isa/isa.h"
#include "hw/isa/pc-ports.h"
#include "migration/vmstate.h"
#include "system/runstate.h"

OBJECT_DECLARE_SIMPLE_TYPE(Port92State, PORT92)

enum { FAST_RESET = 1 << 0, A20 = 1 << 1 };

struct Port92State {
    ISADevice parent_obj;
    MemoryRegion io;
    uint8_t value;
};

static const VMStateDescription vmstate_port92 = {
    .name = TYPE_PORT92,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(value, Port92State),
        VMSTATE_END_OF_LIST()
    },
};

static uint64_t port92_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((Port92State *)opaque)->value;
}

static void port92_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    Port92State *s = opaque;
    uint8_t rising = val & ~s->value;

    s->value = val;
    if (rising & FAST_RESET) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static const MemoryRegionOps port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static void port92_reset(DeviceState *dev)
{
    PORT92(dev)->value = A20;
}

static bool port92_realize(DeviceState *dev, Error **errp)
{
    Port92State *s = PORT92(dev);

    memory_region_init_io(&s->io, OBJECT(dev), &port92_ops, s, TYPE_PORT92, 1);
    isa_register_ioport(ISA_DEVICE(dev), &s->io, 0x92);
    return true;
}

static void port92_unrealize(DeviceState *dev)
{
    memory_region_finalize(&PORT92(dev)->io);
}

static void port92_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->user_creatable = false;
    dc->realize = port92_realize;
    dc->unrealize = port92_unrealize;
    dc->reset = port92_reset;
    dc->vmsd = &vmstate_port92;
}

static const TypeInfo port92_types[] = {
    {
        .name = TYPE_PORT92,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(Port92State),
        .class_init = port92_class_init,
    },
};
DEFINE_TYPES(port92_types)
