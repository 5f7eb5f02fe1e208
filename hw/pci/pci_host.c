/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How software reaches config space: CONFIG_ADDRESS and CONFIG_DATA (PCI Local
 * Bus 3.0, 3.2.2.3.2), and ECAM (PCI Express Base 3.0, 7.2.2).
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci/pci_host.h"

#define CONFIG_ADDRESS_PORT 0xcf8
#define CONFIG_DATA_PORT 0xcfc
#define CONFIG_ENABLE 0x80000000u
#define CONFIG_ADDRESS_BITS 0x80fffffcu

/* Only a dword access is one to CONFIG_ADDRESS; others are ordinary I/O, of
 * which the byte at 0xcf9 is the reset control. */
static bool is_reset_control(PCIHostState *s, hwaddr addr, unsigned size)
{
    return s->reset_request && addr == 1 && size == 1;
}

static uint64_t conf_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHostState *s = opaque;

    if (is_reset_control(s, addr, size)) {
        return s->reset_control;
    }
    return size == 4 ? s->config_reg : UINT32_MAX;
}

static void conf_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    PCIHostState *s = opaque;

    if (size == 4) {
        s->config_reg = val & CONFIG_ADDRESS_BITS;
    } else if (is_reset_control(s, addr, size)) {
        s->reset_control = val & PCI_RESET_CONTROL_KINDS;
        if (val & PCI_RESET_CONTROL_CPU) {
            s->reset_request();
        }
    }
}

static const MemoryRegionOps conf_ops = {
    .read = conf_read,
    .write = conf_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

static uint64_t data_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHostState *s = opaque;

    if (!(s->config_reg & CONFIG_ENABLE)) {
        return UINT32_MAX;
    }
    return pci_data_read(s->bus, s->config_reg | (addr & 3), size);
}

static void data_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    PCIHostState *s = opaque;

    if (s->config_reg & CONFIG_ENABLE) {
        pci_data_write(s->bus, s->config_reg | (addr & 3), val, size);
    }
}

static const MemoryRegionOps data_ops = {
    .read = data_read,
    .write = data_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
};

void pci_host_init_io(PCIHostState *s, MemoryRegion *io)
{
    memory_region_init_io(&s->conf_mem, OBJECT(s), &conf_ops, s,
                          "pci-conf-idx", 4);
    memory_region_init_io(&s->data_mem, OBJECT(s), &data_ops, s,
                          "pci-conf-data", 4);
    memory_region_add_subregion(io, CONFIG_ADDRESS_PORT, &s->conf_mem);
    memory_region_add_subregion(io, CONFIG_DATA_PORT, &s->data_mem);
}

/* -- ECAM: bus in bits 20-27, device and function in 12-19 ---------------- */

static PCIDevice *ecam_device(PCIHostState *s, hwaddr addr)
{
    return pci_find_device(s->bus, addr >> 20, addr >> 12);
}

static uint64_t ecam_read(void *opaque, hwaddr addr, unsigned size)
{
    return pci_host_config_read_common(ecam_device(opaque, addr),
                                       addr & 0xfff, size);
}

static void ecam_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    pci_host_config_write_common(ecam_device(opaque, addr), addr & 0xfff, val,
                                 size);
}

static const MemoryRegionOps ecam_ops = {
    .read = ecam_read,
    .write = ecam_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

void pcie_host_mmcfg_update(PCIHostState *s, MemoryRegion *mem, uint64_t base,
                            uint32_t size)
{
    memory_region_transaction_begin();
    if (s->mmcfg_base != PCI_BAR_UNMAPPED) {
        memory_region_del_subregion(mem, &s->mmcfg);
    }
    s->mmcfg_base = base;
    s->mmcfg_size = size;
    if (base != PCI_BAR_UNMAPPED) {
        memory_region_set_size(&s->mmcfg, size);
        memory_region_add_subregion_overlap(mem, base, &s->mmcfg, 0);
    }
    memory_region_transaction_commit();
}

static void pci_host_init(Object *obj)
{
    PCIHostState *s = PCI_HOST_BRIDGE(obj);

    s->mmcfg_base = PCI_BAR_UNMAPPED;
    memory_region_init_io(&s->mmcfg, obj, &ecam_ops, s, "pcie-mmcfg",
                          PCI_BUS_MAX * MiB);
}

static void pci_host_finalize(Object *obj)
{
    PCIHostState *s = PCI_HOST_BRIDGE(obj);

    memory_region_finalize(&s->mmcfg);
    memory_region_finalize(&s->conf_mem);
    memory_region_finalize(&s->data_mem);
}

static void pci_host_reset(DeviceState *dev)
{
    PCIHostState *s = PCI_HOST_BRIDGE(dev);

    s->config_reg = 0;
    s->reset_control = 0;
}

static void pci_host_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->fw_name = "pci@i0cf8";
    dc->reset = pci_host_reset;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->categories = BIT(DEVICE_CATEGORY_BRIDGE);
}

static const TypeInfo pci_host_types[] = {
    {
        .name = TYPE_PCI_HOST_BRIDGE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(PCIHostState),
        .instance_init = pci_host_init,
        .instance_finalize = pci_host_finalize,
        .abstract = true,
        .class_init = pci_host_class_init,
    },
};
DEFINE_TYPES(pci_host_types)
