/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Q35 host bridge: Intel 316966 "3 Series Chipset Family", 5.1 (device 0).
 *
 * What virtual machines' firmware and operating systems use of it: the
 * PCI Express window, the attribute map, SMRAM without system management mode,
 * and the tops of memory, which are set from RAM's size and are read-only.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci-host/q35.h"
#include "system/runstate.h"

#define PCIEXBAR_LENGTH 0x6             /* 256, 128, 64 MiB, reserved */
#define PCIEXBAR_BASE 0xff0000000ULL    /* bits 35-28 */
#define PCIEXBAR_BASE_128 0x8000000ULL  /* bit 27, with 128 MiB or less */
#define PCIEXBAR_BASE_64 0x4000000ULL   /* bit 26, with 64 MiB */

/* -- The PCI Express window ---------------------------------------------- */

static uint32_t pciexbar_size(uint64_t reg)
{
    switch (reg & PCIEXBAR_LENGTH) {
    case 0 << 1:
        return 256 * MiB;
    case 1 << 1:
        return 128 * MiB;
    case 2 << 1:
        return 64 * MiB;
    }
    return 0;
}

static void update_pciexbar(MCHPCIState *mch)
{
    PCIDevice *d = &mch->parent_obj;
    Q35PCIHost *host = Q35_HOST_DEVICE(pci_get_bus(d)->qbus.parent);
    PCIHostState *s = &host->parent_obj;
    uint64_t reg = pci_get_quad(d->config + MCH_PCIEXBAR);
    uint32_t size = pciexbar_size(reg);
    uint64_t base = reg & (PCIEXBAR_BASE | PCIEXBAR_BASE_128 |
                           PCIEXBAR_BASE_64) & ~((uint64_t)size - 1);

    /* A reserved length has no bits of a base. */
    if (!(reg & MCH_PCIEXBAR_ENABLE) || !base) {
        base = PCI_BAR_UNMAPPED;
    }
    if (base != s->mmcfg_base || size != s->mmcfg_size) {
        pcie_host_mmcfg_update(s, host->mem.system, base, size);
    }
}

/* -- Function 0 ---------------------------------------------------------- */

static void mch_update(MCHPCIState *mch)
{
    const uint8_t *config = mch->parent_obj.config;

    update_pciexbar(mch);
    pam_update(&mch->pam, config + MCH_PAM0, config[MCH_SMRAM]);
}

static void mch_write_config(PCIDevice *d, uint32_t addr, uint32_t val, int len)
{
    uint8_t smram = d->config[MCH_SMRAM];

    pci_default_write_config(d, addr, val, len);
    d->config[MCH_SMRAM] = smram_written(smram, d->config[MCH_SMRAM]);
    if (addr + len > MCH_PCIEXBAR && addr <= MCH_SMRAM) {
        mch_update(MCH_PCI_DEVICE(d));
    }
}

static void mch_reset(DeviceState *dev)
{
    MCHPCIState *mch = MCH_PCI_DEVICE(dev);
    uint8_t *config = mch->parent_obj.config;

    memset(config + MCH_PAM0, 0, PAM_REGISTERS);
    config[MCH_SMRAM] = SMRAM_C_BASE_SEG;
    pci_set_quad(config + MCH_PCIEXBAR, MCH_PCIEXBAR_DEFAULT);
    mch_update(mch);
}

static bool mch_realize(PCIDevice *d, Error **errp)
{
    MCHPCIState *mch = MCH_PCI_DEVICE(d);
    Q35PCIHost *host = Q35_HOST_DEVICE(pci_get_bus(d)->qbus.parent);
    uint64_t below_4g = host->mem.below_4g;

    pci_set_word(d->config + MCH_TOLUD, below_4g / MiB << 4);
    pci_set_word(d->config + MCH_TOM,
                 memory_region_size(host->mem.ram) / (64 * MiB));
    pci_set_quad(d->wmask + MCH_PCIEXBAR,
                 PCIEXBAR_BASE | PCIEXBAR_BASE_128 | PCIEXBAR_BASE_64 |
                 PCIEXBAR_LENGTH | MCH_PCIEXBAR_ENABLE);
    pam_init_wmask(d->wmask + MCH_PAM0, d->wmask + MCH_SMRAM);
    pam_init(&mch->pam, OBJECT(d), &host->mem);
    return true;
}

static void mch_exit(PCIDevice *d)
{
    pam_finalize(&MCH_PCI_DEVICE(d)->pam);
}

static void mch_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->desc = "Host bridge";
    dc->categories = BIT(DEVICE_CATEGORY_BRIDGE);
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->reset = mch_reset;
    pc->realize = mch_realize;
    pc->exit = mch_exit;
    pc->config_write = mch_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = 0x29c0;
    pc->revision = 2;
    pc->class_id = 0x0600;
}

/* -- The host bridge ------------------------------------------------------ */

static void request_reset(void)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
}

static bool q35_host_realize(DeviceState *dev, Error **errp)
{
    Q35PCIHost *host = Q35_HOST_DEVICE(dev);
    PCIHostState *s = &host->parent_obj;

    s->reset_request = request_reset;
    s->bus = pci_root_bus_new(dev, "pcie.0", host->mem.pci, host->mem.io, 0,
                              TYPE_PCIE_BUS);
    pci_host_init_io(s, host->mem.io);
    host->mch = MCH_PCI_DEVICE(pci_new(0, TYPE_MCH_PCI_DEVICE));
    object_property_add_child(OBJECT(dev), "mch", OBJECT(host->mch));
    return pci_realize_and_unref(&host->mch->parent_obj, s->bus, errp);
}

static void q35_host_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->realize = q35_host_realize;
}

PCIBus *q35_host_new(const ChipsetMemory *mem, Error **errp)
{
    Q35PCIHost *host = Q35_HOST_DEVICE(qdev_new(TYPE_Q35_HOST_DEVICE));
    DeviceState *dev = DEVICE(host);

    host->mem = *mem;
    if (!qdev_realize_and_unref(dev, sysbus_get_default(), errp)) {
        return NULL;
    }
    return host->parent_obj.bus;
}

static const TypeInfo q35_types[] = {
    {
        .name = TYPE_Q35_HOST_DEVICE,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(Q35PCIHost),
        .class_init = q35_host_class_init,
    }, {
        .name = TYPE_MCH_PCI_DEVICE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(MCHPCIState),
        .class_init = mch_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { }
        },
    },
};
DEFINE_TYPES(q35_types)
