/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvpanic: a register by which a guest says that it has crashed.
 *
 * A read gives the events that the host takes, one bit each; a write reports
 * some: bit 0, the kernel has panicked; bit 1, it has loaded a crash kernel
 * that goes on.  Other bits mean nothing.  As in upstream's docs/specs/pvpanic.
 *
 * "pvpanic" is an I/O port, told to the guest by ACPI (QEMU0001) and fw_cfg;
 * "pvpanic-pci" has the register in BAR 0.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/isa/isa.h"
#include "hw/misc/pvpanic.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "system/runstate.h"

#define TYPE_PVPANIC_PCI "pvpanic-pci"
OBJECT_DECLARE_SIMPLE_TYPE(PVPanicISA, PVPANIC_ISA)
OBJECT_DECLARE_SIMPLE_TYPE(PVPanicPCI, PVPANIC_PCI)

#define PVPANIC_PANICKED BIT(0)
#define PVPANIC_CRASHLOADED BIT(1)
#define PVPANIC_ALL (PVPANIC_PANICKED | PVPANIC_CRASHLOADED)
#define PVPANIC_BAR_SIZE 16         /* the least that a memory BAR can be */

typedef struct PVPanic {
    MemoryRegion mr;
    uint8_t events;             /* property: those that the host takes */
} PVPanic;

struct PVPanicISA {
    ISADevice parent_obj;
    PVPanic pvpanic;
    uint32_t ioport;
};

struct PVPanicPCI {
    PCIDevice parent_obj;
    PVPanic pvpanic;
};

static uint64_t pvpanic_read(void *opaque, hwaddr addr, unsigned size)
{
    PVPanic *p = opaque;

    return addr == 0 ? p->events : 0;
}

static void pvpanic_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    PVPanic *p = opaque;

    val &= addr == 0 ? p->events : 0;
    if (val & PVPANIC_PANICKED) {
        qemu_system_guest_panicked();
    } else if (val & PVPANIC_CRASHLOADED) {
        qemu_system_guest_crashloaded();
    }
}

static const MemoryRegionOps pvpanic_ops = {
    .read = pvpanic_read,
    .write = pvpanic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 2 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static bool pvpanic_init(PVPanic *p, Object *owner, unsigned size,
                         Error **errp)
{
    if (current_machine && MACHINE_GET_CLASS(current_machine)->no_cpus) {
        error_setg(errp, "%s stops the guest of its own process, and this "
                   "machine has none: give it to the main process",
                   object_get_typename(owner));
        return false;
    }
    if (p->events & ~PVPANIC_ALL) {
        error_setg(errp, "property 'events' has bits besides %u (panicked) "
                   "and %u (crash kernel loaded): 0x%x",
                   (unsigned)PVPANIC_PANICKED, (unsigned)PVPANIC_CRASHLOADED,
                   p->events);
        return false;
    }
    memory_region_init_io(&p->mr, owner, &pvpanic_ops, p, "pvpanic", size);
    return true;
}

/* -- ISA ------------------------------------------------------------------ */

uint16_t pvpanic_port(ISABus *bus)
{
    DeviceState *dev;

    QTAILQ_FOREACH(dev, &bus->parent_obj.children, sibling) {
        if (object_dynamic_cast(OBJECT(dev), TYPE_PVPANIC_ISA)) {
            return PVPANIC_ISA(dev)->ioport;
        }
    }
    return 0;
}

static bool pvpanic_isa_realize(DeviceState *dev, Error **errp)
{
    PVPanicISA *s = PVPANIC_ISA(dev);
    FWCfgState *fw_cfg = fw_cfg_find();

    if (s->ioport < 1 || s->ioport > 0xffff) {
        error_setg(errp, "pvpanic: ioport 0x%x is no port of 1 to 0xffff",
                   s->ioport);
        return false;
    }
    if (pvpanic_port(isa_bus_from_device(ISA_DEVICE(dev))) != s->ioport) {
        error_setg(errp, "a machine has only one device 'pvpanic'");
        return false;
    }
    if (!pvpanic_init(&s->pvpanic, OBJECT(dev), 1, errp)) {
        return false;
    }
    isa_register_ioport(ISA_DEVICE(dev), &s->pvpanic.mr, s->ioport);
    if (fw_cfg) {
        uint16_t *port = g_new(uint16_t, 1);

        *port = cpu_to_le16(s->ioport);
        fw_cfg_take_file(fw_cfg, "etc/pvpanic-port", port, sizeof(*port));
    }
    return true;
}

static void pvpanic_isa_unrealize(DeviceState *dev)
{
    memory_region_finalize(&PVPANIC_ISA(dev)->pvpanic.mr);
}

static const Property pvpanic_isa_props[] = {
    DEFINE_PROP_UINT32("ioport", PVPanicISA, ioport, 0x505,
        .description = "its port"),
    DEFINE_PROP_UINT8("events", PVPanicISA, pvpanic.events, PVPANIC_ALL,
        .description = "events it tells of: 1 panicked, 2 crash kernel loaded"),
    { }
};

static void pvpanic_isa_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "port by which a guest says that it crashed";
    dc->categories = BIT(DEVICE_CATEGORY_MISC);
    dc->hotpluggable = false;
    dc->realize = pvpanic_isa_realize;
    dc->unrealize = pvpanic_isa_unrealize;
    device_class_set_props(dc, pvpanic_isa_props);
}

/* -- PCI ------------------------------------------------------------------ */

static bool pvpanic_pci_realize(PCIDevice *dev, Error **errp)
{
    PVPanicPCI *s = PVPANIC_PCI(dev);

    if (!pvpanic_init(&s->pvpanic, OBJECT(dev), PVPANIC_BAR_SIZE, errp)) {
        return false;
    }
    pci_register_bar(dev, 0, 0, &s->pvpanic.mr);
    return true;
}

static void pvpanic_pci_finalize(Object *obj)
{
    PVPanicPCI *s = PVPANIC_PCI(obj);

    if (s->pvpanic.mr.name) {
        memory_region_finalize(&s->pvpanic.mr);
    }
}

static const Property pvpanic_pci_props[] = {
    DEFINE_PROP_UINT8("events", PVPanicPCI, pvpanic.events, PVPANIC_ALL,
        .description = "events it tells of: 1 panicked, 2 crash kernel loaded"),
    { }
};

static void pvpanic_pci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = pvpanic_pci_realize;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = 0x0011;
    pc->revision = 1;
    pc->class_id = 0x0880;
    dc->desc = "register by which a guest says that it crashed";
    dc->categories = BIT(DEVICE_CATEGORY_MISC);
    device_class_set_props(dc, pvpanic_pci_props);
}

static const TypeInfo pvpanic_types[] = {
    {
        .name = TYPE_PVPANIC_ISA,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(PVPanicISA),
        .class_init = pvpanic_isa_class_init,
    }, {
        .name = TYPE_PVPANIC_PCI,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PVPanicPCI),
        .instance_finalize = pvpanic_pci_finalize,
        .class_init = pvpanic_pci_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(pvpanic_types)
