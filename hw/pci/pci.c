/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI buses and the life of the devices on them: addresses, spaces, lookup.
 * Config space is in pci-config.c, interrupt pins are in pci-intx.c.
 *
 * PCI Local Bus 3.0, 3.2.2.3 (addresses, functions).  One domain.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/msi.h"
#include "pci-internal.h"

static PCIBus *primary_bus;

/* -- Buses --------------------------------------------------------------- */

PCIBus *pci_root_bus_new(DeviceState *parent, const char *name,
                         MemoryRegion *mem, MemoryRegion *io,
                         uint8_t devfn_min, const char *type)
{
    PCIBus *bus = PCI_BUS(qbus_new(type, parent, name));

    bus->devfn_min = devfn_min;
    bus->address_space_mem = mem;
    bus->address_space_io = io;
    return bus;
}

void pci_bus_setup_spaces(PCIBus *bus, pci_setup_spaces_fn setup,
                          void (*release)(PCIBus *, void *, PCIDevice *),
                          void *opaque)
{
    bus->setup_spaces = setup;
    bus->release_spaces = release;
    bus->setup_spaces_opaque = opaque;
}

void pci_set_primary_bus(PCIBus *bus)
{
    primary_bus = bus;
}

PCIBus *pci_find_primary_bus(void)
{
    return primary_bus;
}

bool pci_bus_is_express(const PCIBus *bus)
{
    return object_dynamic_cast(OBJECT(bus), TYPE_PCIE_BUS) != NULL;
}

bool pci_bus_is_root(const PCIBus *bus)
{
    return bus->parent_dev == NULL;
}

PCIBus *pci_get_bus(const PCIDevice *dev)
{
    return (PCIBus *)dev->qdev.parent_bus;
}

PCIBus *pci_device_root_bus(const PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);

    while (bus->parent_dev) {
        bus = pci_get_bus(bus->parent_dev);
    }
    return bus;
}

int pci_bus_num(PCIBus *bus)
{
    return bus->parent_dev ? bus->parent_dev->config[PCI_SECONDARY_BUS] : 0;
}

void pci_for_each_device(PCIBus *bus, void (*fn)(PCIBus *, PCIDevice *, void *),
                         void *opaque)
{
    int devfn;

    object_ref(bus);            /* @fn may reset, see device_cold_reset() */
    for (devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (bus->devices[devfn]) {
            fn(bus, bus->devices[devfn], opaque);
        }
    }
    object_unref(bus);
}

PCIBus *pci_each_child_bus(PCIBus *bus, PCIBus *(*fn)(PCIBus *, void *),
                           void *opaque)
{
    BusState *child;
    PCIDevice *dev;
    PCIBus *found;
    int devfn;

    for (devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        dev = bus->devices[devfn];
        if (!dev || !PCI_DEVICE_GET_CLASS(dev)->is_bridge) {
            continue;
        }
        QTAILQ_FOREACH(child, &dev->qdev.child_bus, sibling) {
            found = fn(PCI_BUS(child), opaque);
            if (found) {
                return found;
            }
        }
    }
    return NULL;
}

/* A bridge passes on what is meant for the buses it says are behind it. */
static PCIBus *find_below(PCIBus *bus, void *opaque)
{
    const uint8_t *config = bus->parent_dev->config;
    int wanted = *(int *)opaque;

    if (wanted < config[PCI_SECONDARY_BUS] ||
        wanted > config[PCI_SUBORDINATE_BUS]) {
        return NULL;
    }
    return wanted == config[PCI_SECONDARY_BUS] ?
        bus : pci_each_child_bus(bus, find_below, opaque);
}

PCIBus *pci_find_bus_nr(PCIBus *root, int bus_num)
{
    if (!root || pci_bus_num(root) == bus_num) {
        return root;
    }
    return pci_each_child_bus(root, find_below, &bus_num);
}

PCIDevice *pci_find_device(PCIBus *root, int bus_num, uint8_t devfn)
{
    PCIBus *bus = pci_find_bus_nr(root, bus_num);

    return bus ? bus->devices[devfn] : NULL;
}

uint32_t pci_data_read(PCIBus *root, uint32_t addr, int len)
{
    PCIDevice *dev = pci_find_device(root, (addr >> 16) & 0xff, addr >> 8);

    return pci_host_config_read_common(dev, addr & 0xff, len);
}

void pci_data_write(PCIBus *root, uint32_t addr, uint32_t val, int len)
{
    PCIDevice *dev = pci_find_device(root, (addr >> 16) & 0xff, addr >> 8);

    pci_host_config_write_common(dev, addr & 0xff, val, len);
}

static void reset_one(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    pci_config_reset(dev);
}

static void pci_bus_reset(BusState *qbus)
{
    pci_for_each_device(PCI_BUS(qbus), reset_one, NULL);
}

static void pci_bus_finalize(Object *obj)
{
    PCIBus *bus = PCI_BUS(obj);

    g_free(bus->irq_count);
    if (primary_bus == bus) {
        primary_bus = NULL;
    }
}

static void pci_bus_class_init(ObjectClass *klass, void *data)
{
    BusClass *bc = BUS_CLASS(klass);

    bc->reset = pci_bus_reset;
    bc->get_dev_path = pci_get_dev_path;
    bc->get_fw_dev_path = pci_get_fw_dev_path;
    bc->print_dev = pci_print_dev;
}

/* -- Addresses ----------------------------------------------------------- */

static bool slot_is_free(PCIBus *bus, int slot)
{
    int fn;

    for (fn = 0; fn < PCI_FUNC_MAX; fn++) {
        if (bus->devices[PCI_DEVFN(slot, fn)]) {
            return false;
        }
    }
    return true;
}

/* One slot only hangs off a PCI Express link. */
static int bus_slots(PCIBus *bus)
{
    return bus->parent_dev && pci_bus_is_express(bus) ? 1 : PCI_SLOT_MAX;
}

static bool choose_devfn(PCIBus *bus, PCIDevice *dev, Error **errp)
{
    int slot;

    for (slot = PCI_SLOT(bus->devfn_min); slot < bus_slots(bus); slot++) {
        if (slot_is_free(bus, slot)) {
            dev->devfn = PCI_DEVFN(slot, 0);
            return true;
        }
    }
    error_setg(errp, "PCI: no slot is free for %s on bus '%s'",
               object_get_typename(OBJECT(dev)), bus->qbus.name);
    return false;
}

/* Software looks for functions 1 to 7 only where function 0 has the
 * multi-function bit (3.2.2.3.4). */
static bool check_functions(PCIBus *bus, PCIDevice *dev, Error **errp)
{
    int slot = PCI_SLOT(dev->devfn), fn;
    PCIDevice *other;

    if (PCI_FUNC(dev->devfn)) {
        other = bus->devices[PCI_DEVFN(slot, 0)];
        if (other && !other->multifunction) {
            error_setg(errp, "PCI: %02x.0 is not a multifunction device, so "
                       "%02x.%x is not possible", slot, slot,
                       PCI_FUNC(dev->devfn));
            return false;
        }
        return true;
    }
    if (dev->multifunction) {
        return true;
    }
    for (fn = 1; fn < PCI_FUNC_MAX; fn++) {
        if (bus->devices[PCI_DEVFN(slot, fn)]) {
            error_setg(errp, "PCI: %02x.0 must be multifunction=on, since "
                       "%02x.%x is there already", slot, slot, fn);
            return false;
        }
    }
    return true;
}

static bool check_devfn(PCIBus *bus, PCIDevice *dev, Error **errp)
{
    const char *type = object_get_typename(OBJECT(dev));
    PCIDevice *other;

    if (dev->devfn < 0) {
        return choose_devfn(bus, dev, errp);
    }
    if (dev->devfn >= PCI_DEVFN_MAX || PCI_SLOT(dev->devfn) >= bus_slots(bus)) {
        error_setg(errp, "PCI: bus '%s' has no slot %x for %s (it has %d)",
                   bus->qbus.name, dev->devfn >> 3, type, bus_slots(bus));
        return false;
    }
    other = bus->devices[dev->devfn];
    if (other) {
        error_setg(errp, "PCI: slot %d function %d not available for %s, in "
                   "use by %s%s%s", PCI_SLOT(dev->devfn),
                   PCI_FUNC(dev->devfn), type,
                   object_get_typename(OBJECT(other)),
                   other->qdev.id ? ",id=" : "", other->qdev.id ?: "");
        return false;
    }
    return check_functions(bus, dev, errp);
}

/* -- Life of a device ---------------------------------------------------- */

static bool attach_spaces(PCIBus *bus, PCIDevice *dev, Error **errp)
{
    PCIBus *root = pci_device_root_bus(dev);
    MemoryRegion *dma_root;

    dev->space_mem = bus->address_space_mem;
    dev->space_io = bus->address_space_io;
    dev->dma_as = root->dma_as ? root->dma_as : &address_space_memory;
    if (root->setup_spaces &&
        !root->setup_spaces(bus, root->setup_spaces_opaque, dev, errp)) {
        return false;
    }

    /* What the device sees while it may not master the bus: nothing. */
    dma_root = dev->dma_as->root;
    memory_region_init(&dev->bus_master_container, OBJECT(dev),
                       "bus master container", UINT64_MAX);
    memory_region_init_alias(&dev->bus_master_enable_region, OBJECT(dev),
                             "bus master", dma_root, 0,
                             memory_region_size(dma_root));
    memory_region_set_enabled(&dev->bus_master_enable_region, false);
    memory_region_add_subregion(&dev->bus_master_container, 0,
                                &dev->bus_master_enable_region);
    address_space_init(&dev->bus_master_as, &dev->bus_master_container,
                       object_get_typename(OBJECT(dev)));
    return true;
}

static void detach_spaces(PCIBus *bus, PCIDevice *dev)
{
    PCIBus *root = pci_device_root_bus(dev);

    address_space_destroy(&dev->bus_master_as);
    memory_region_finalize(&dev->bus_master_enable_region);
    memory_region_finalize(&dev->bus_master_container);
    if (root->release_spaces) {
        root->release_spaces(bus, root->setup_spaces_opaque, dev);
    }
    dev->space_mem = dev->space_io = NULL;
    dev->dma_as = NULL;
}

/* Everything but the model: the reverse of what pci_qdev_realize does before
 * it calls the model.  No BAR is mapped any more. */
static void leave_bus(PCIBus *bus, PCIDevice *dev)
{
    dev->intx_level = false;
    pci_update_intx(dev);
    pci_del_option_rom(dev);
    memset(dev->io_regions, 0, sizeof(dev->io_regions));
    bus->devices[dev->devfn] = NULL;
    detach_spaces(bus, dev);
    pci_config_free(dev);
    dev->intx_routing_notifier = NULL;
}

static bool is_conventional(PCIDevice *dev)
{
    return object_dynamic_cast(OBJECT(dev), INTERFACE_CONVENTIONAL_PCI_DEVICE);
}

static bool pci_qdev_realize(DeviceState *qdev, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);
    PCIBus *bus = pci_get_bus(dev);
    int32_t asked = dev->devfn;

    if (!check_devfn(bus, dev, errp)) {
        dev->devfn = asked;
        return false;
    }
    /* A device of both kinds is of the bus's kind. */
    dev->config_size = PCI_CONFIG_SPACE_SIZE;
    if (object_dynamic_cast(OBJECT(dev), INTERFACE_PCIE_DEVICE) &&
        (pci_bus_is_express(bus) || !is_conventional(dev))) {
        dev->config_size = PCIE_CONFIG_SPACE_SIZE;
    }
    if (!attach_spaces(bus, dev, errp)) {
        dev->devfn = asked;
        return false;
    }
    pci_config_alloc(dev);
    bus->devices[dev->devfn] = dev;
    dev->requester_id = pci_requester_id(dev);
    dev->enabled = true;

    if (pc->realize && !pc->realize(dev, errp)) {
        leave_bus(bus, dev);
        dev->devfn = asked;
        return false;
    }
    if (!pci_add_option_rom(dev, errp)) {
        if (pc->exit) {
            pc->exit(dev);
        }
        leave_bus(bus, dev);
        dev->devfn = asked;
        return false;
    }
    return true;
}

static void pci_qdev_unrealize(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);

    /* Out of the guest's reach before the model goes. */
    pci_unmap_bars(dev);
    if (pc->exit) {
        pc->exit(dev);
    }
    leave_bus(pci_get_bus(dev), dev);
}

uint16_t pci_requester_id(PCIDevice *dev)
{
    return PCI_BUILD_BDF(pci_dev_bus_num(dev), dev->devfn);
}

PCIDevice *pci_new(int devfn, const char *type)
{
    DeviceState *dev = qdev_new(type);

    PCI_DEVICE(dev)->devfn = devfn;
    return PCI_DEVICE(dev);
}

PCIDevice *pci_new_multifunction(int devfn, const char *type)
{
    PCIDevice *dev = pci_new(devfn, type);

    dev->multifunction = true;
    return dev;
}

bool pci_realize_and_unref(PCIDevice *dev, PCIBus *bus, Error **errp)
{
    return qdev_realize_and_unref(&dev->qdev, &bus->qbus, errp);
}

PCIDevice *pci_create_simple(PCIBus *bus, int devfn, const char *type)
{
    PCIDevice *dev = pci_new(devfn, type);

    pci_realize_and_unref(dev, bus, &error_fatal);
    return dev;
}

void pci_device_reset(PCIDevice *dev)
{
    object_ref(dev);
    device_cold_reset(&dev->qdev);
    if (dev->config) {          /* or it has left, see device_cold_reset() */
        pci_config_reset(dev);
    }
    object_unref(dev);
}

void pci_set_power(PCIDevice *dev, bool on)
{
    if (dev->enabled != on) {
        object_ref(dev);
        pci_device_reset(dev);
        dev->enabled = on && dev->config;
        object_unref(dev);
    }
}

static const Property pci_props[] = {
    DEFINE_PROP_PCI_DEVFN("addr", PCIDevice, devfn, -1,
        .description = "slot, or slot.function, in hexadecimal"),
    DEFINE_PROP_STRING("romfile", PCIDevice, romfile,
        .description = "option ROM; empty: without"),
    DEFINE_PROP_UINT32("romsize", PCIDevice, romsize, 0,
        .description = "bytes of the ROM; 0: those of the file"),
    DEFINE_PROP_INT32("rombar", PCIDevice, rombar, 1,
        .description = "0: the ROM has no BAR"),
    DEFINE_PROP_BOOL("multifunction", PCIDevice, multifunction, false,
        .description = "the slot has more functions than this one"),
    DEFINE_PROP_INT32("bootindex", PCIDevice, bootindex, -1,
        .description = "place in firmware's boot order"),
    { }
};

static void pci_device_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pci_qdev_realize;
    dc->unrealize = pci_qdev_unrealize;
    dc->bus_type = TYPE_PCI_BUS;
    device_class_set_props(dc, pci_props);
}

static const TypeInfo pci_types[] = {
    {
        .name = TYPE_PCI_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(PCIBus),
        .instance_finalize = pci_bus_finalize,
        .class_size = sizeof(PCIBusClass),
        .class_init = pci_bus_class_init,
    }, {
        .name = TYPE_PCIE_BUS,
        .parent = TYPE_PCI_BUS,
    }, {
        .name = INTERFACE_PCIE_DEVICE,
        .parent = TYPE_INTERFACE,
    }, {
        .name = INTERFACE_CONVENTIONAL_PCI_DEVICE,
        .parent = TYPE_INTERFACE,
    }, {
        .name = TYPE_PCI_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(PCIDevice),
        .abstract = true,
        .class_size = sizeof(PCIDeviceClass),
        .class_init = pci_device_class_init,
    },
};
DEFINE_TYPES(pci_types)
