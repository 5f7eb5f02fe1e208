/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ISA bus: fixed ports and 16 interrupt lines. */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "system/memory.h"

#define ISA_NUM_IRQS 16
#define TYPE_ISA_BUS "ISA"
#define TYPE_ISA_DEVICE "isa-device"
struct ISABus {
    BusState parent_obj;
    MemoryRegion *address_space;
    MemoryRegion *address_space_io;
    qemu_irq *irqs;             /* ISA_NUM_IRQS of them */
};
struct ISADevice {
    DeviceState parent_obj;
};
DECLARE_INSTANCE_CHECKER(ISABus, ISA_BUS, TYPE_ISA_BUS)
DECLARE_INSTANCE_CHECKER(ISADevice, ISA_DEVICE, TYPE_ISA_DEVICE)

/* The bus "isa.0" below @parent, for devices in @mem and @io. */
ISABus *isa_bus_new(DeviceState *parent, MemoryRegion *mem, MemoryRegion *io);
/* @irqs: ISA_NUM_IRQS lines, kept. */
void isa_bus_irqs(ISABus *bus, qemu_irq *irqs);
ISABus *isa_bus_from_device(ISADevice *dev);
/* NULL for a number that ISA does not have. */
qemu_irq isa_get_irq(ISADevice *dev, unsigned irq);
ISADevice *isa_new(const char *type);
bool isa_realize_and_unref(ISADevice *dev, ISABus *bus, Error **errp);
/* To be called in realize, when nothing can fail any more. */
void isa_register_ioport(ISADevice *dev, MemoryRegion *io, uint16_t start);

#endif
