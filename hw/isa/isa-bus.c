/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ISA bus: devices with ports and interrupt lines of their own choice,
 * no discovery and no hot plug.
 */
#include "qemu/osdep.h"
#include "hw/isa/isa.h"

ISABus *isa_bus_new(DeviceState *parent, MemoryRegion *mem, MemoryRegion *io)
{
    ISABus *bus = ISA_BUS(qbus_new(TYPE_ISA_BUS, parent, "isa.0"));

    bus->address_space = mem;
    bus->address_space_io = io;
    return bus;
}

void isa_bus_irqs(ISABus *bus, qemu_irq *irqs)
{
    bus->irqs = irqs;
}

ISABus *isa_bus_from_device(ISADevice *dev)
{
    return ISA_BUS(dev->parent_obj.parent_bus);
}

qemu_irq isa_get_irq(ISADevice *dev, unsigned irq)
{
    ISABus *bus = isa_bus_from_device(dev);

    return bus->irqs && irq < ISA_NUM_IRQS ? bus->irqs[irq] : NULL;
}

ISADevice *isa_new(const char *type)
{
    return ISA_DEVICE(qdev_new(type));
}

bool isa_realize_and_unref(ISADevice *dev, ISABus *bus, Error **errp)
{
    return qdev_realize_and_unref(&dev->parent_obj, &bus->parent_obj, errp);
}

void isa_register_ioport(ISADevice *dev, MemoryRegion *io, uint16_t start)
{
    memory_region_add_subregion(isa_bus_from_device(dev)->address_space_io,
                                start, io);
}

static void isa_device_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->bus_type = TYPE_ISA_BUS;
    dc->hotpluggable = false;
}

static const TypeInfo isa_types[] = {
    {
        .name = TYPE_ISA_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(ISABus),
    }, {
        .name = TYPE_ISA_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(ISADevice),
        .abstract = true,
        .class_init = isa_device_class_init,
    },
};
DEFINE_TYPES(isa_types)
