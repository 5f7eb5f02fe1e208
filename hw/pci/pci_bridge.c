/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every PCI-to-PCI bridge does: bus numbers, windows, secondary reset.
 * PCI-to-PCI Bridge 1.2, 3.2.5 and 4.
 *
 * I/O is 16 bits wide; there is no VGA forwarding and no ISA mode, and all of
 * what devices below do by themselves goes upstream.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci/pci_bridge.h"

#define MEM_ADDRESS_BITS 52         /* as for BARs */

/* -- Windows --------------------------------------------------------------- */

/* Shows [base, limit] of the secondary space at the same place above. */
static void set_window(MemoryRegion *window, bool decoded, uint64_t base,
                       uint64_t limit)
{
    limit = MIN(limit, BIT_ULL(MEM_ADDRESS_BITS) - 1);
    if (!decoded || base > limit) {
        memory_region_set_enabled(window, false);
        return;
    }
    memory_region_set_address(window, base);
    memory_region_set_alias_offset(window, base);
    memory_region_set_size(window, limit - base + 1);
    memory_region_set_enabled(window, true);
}

static uint64_t mem_field(const uint8_t *config, int reg)
{
    return (uint64_t)(pci_get_word(config + reg) & 0xfff0) << 16;
}

static void update_windows(PCIBridge *br)
{
    const uint8_t *c = br->parent_obj.config;
    uint16_t cmd = pci_get_word(c + PCI_COMMAND);
    bool mem = cmd & PCI_COMMAND_MEMORY;
    uint64_t high_base = pci_get_long(c + PCI_PREF_BASE_UPPER32);
    uint64_t high_limit = pci_get_long(c + PCI_PREF_LIMIT_UPPER32);

    memory_region_transaction_begin();
    set_window(&br->window_io, cmd & PCI_COMMAND_IO,
               (c[PCI_IO_BASE] & 0xf0) << 8,
               (c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff);
    set_window(&br->window_mem, mem, mem_field(c, PCI_MEMORY_BASE),
               mem_field(c, PCI_MEMORY_LIMIT) | 0xfffff);
    set_window(&br->window_pref, mem,
               high_base << 32 | mem_field(c, PCI_PREF_MEMORY_BASE),
               high_limit << 32 | mem_field(c, PCI_PREF_MEMORY_LIMIT) |
               0xfffff);
    memory_region_transaction_commit();
}

static void init_window(PCIBridge *br, MemoryRegion *window, const char *name,
                        MemoryRegion *below, MemoryRegion *above)
{
    memory_region_init_alias(window, OBJECT(br), name, below, 0, 0);
    memory_region_set_enabled(window, false);
    memory_region_add_subregion_overlap(above, 0, window, 1);
}

/* -- Config space ------------------------------------------------------------ */

static void number_one(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    dev->requester_id = pci_requester_id(dev);
}

void pci_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                             int len)
{
    PCIBridge *br = PCI_BRIDGE(dev);
    uint16_t was = pci_get_word(dev->config + PCI_BRIDGE_CONTROL);
    uint16_t now;

    pci_default_write_config(dev, addr, val, len);
    if (addr > PCI_BRIDGE_CONTROL + 1) {
        return;
    }
    update_windows(br);
    pci_for_each_device(br->sec_bus, number_one, NULL);
    now = pci_get_word(dev->config + PCI_BRIDGE_CONTROL);
    if (now & ~was & PCI_BRIDGE_CTL_BUS_RESET) {
        bus_cold_reset(&br->sec_bus->qbus);
    }
}

/* The windows' registers are not defined after reset; closed is kindest. */
void pci_bridge_reset(PCIBridge *br)
{
    uint8_t *c = br->parent_obj.config;

    memset(c + PCI_PRIMARY_BUS, 0, 4);
    c[PCI_IO_BASE] = 0xf0;
    c[PCI_IO_LIMIT] = 0;
    pci_set_word(c + PCI_MEMORY_BASE, 0xfff0);
    pci_set_word(c + PCI_MEMORY_LIMIT, 0);
    pci_set_word(c + PCI_PREF_MEMORY_BASE, 0xfff0 | PCI_PREF_RANGE_TYPE_64);
    pci_set_word(c + PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
    pci_set_quad(c + PCI_PREF_BASE_UPPER32, 0);
    pci_set_word(c + PCI_BRIDGE_CONTROL, 0);
    update_windows(br);
}

/* -- Life ------------------------------------------------------------------- */

void pci_bridge_init(PCIBridge *br, const char *bus_type)
{
    PCIDevice *dev = &br->parent_obj;
    PCIBus *bus = PCI_BUS(qbus_new(bus_type, DEVICE(br), dev->qdev.id));

    memory_region_init(&br->mem, OBJECT(br), "bridge-mem", UINT64_MAX);
    memory_region_init(&br->io, OBJECT(br), "bridge-io", 0x10000);
    init_window(br, &br->window_mem, "bridge-window-mem", &br->mem,
                dev->space_mem);
    init_window(br, &br->window_pref, "bridge-window-pref", &br->mem,
                dev->space_mem);
    init_window(br, &br->window_io, "bridge-window-io", &br->io,
                dev->space_io);
    bus->parent_dev = dev;
    bus->address_space_mem = &br->mem;
    bus->address_space_io = &br->io;
    br->sec_bus = bus;
    pci_bridge_reset(br);
}

void pci_bridge_exit(PCIBridge *br)
{
    memory_region_finalize(&br->window_mem);
    memory_region_finalize(&br->window_pref);
    memory_region_finalize(&br->window_io);
    memory_region_finalize(&br->mem);
    memory_region_finalize(&br->io);
}

static void pci_bridge_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    DEVICE_CLASS(klass)->categories = BIT(DEVICE_CATEGORY_BRIDGE);
    pc->is_bridge = true;
    pc->class_id = 0x0604;
    pc->config_write = pci_bridge_write_config;
}

static const TypeInfo pci_bridge_types[] = {
    {
        .name = TYPE_PCI_BRIDGE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCIBridge),
        .abstract = true,
        .class_init = pci_bridge_class_init,
    },
};
DEFINE_TYPES(pci_bridge_types)
