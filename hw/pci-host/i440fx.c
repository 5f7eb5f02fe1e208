/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 440FX host bridge: Intel 290549 "82441FX PCI and Memory Controller", 3.2.
 *
 * What virtual machines' firmware uses of it: the attribute map, and SMRAM
 * without system management mode.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci-host/i440fx.h"
#include "system/runstate.h"

static void pmc_update(PCII440FXState *pmc)
{
    const uint8_t *config = pmc->parent_obj.config;

    pam_update(&pmc->pam, config + I440FX_PAM0, config[I440FX_SMRAM]);
}

static void pmc_write_config(PCIDevice *d, uint32_t addr, uint32_t val, int len)
{
    uint8_t smram = d->config[I440FX_SMRAM];

    pci_default_write_config(d, addr, val, len);
    d->config[I440FX_SMRAM] = smram_written(smram, d->config[I440FX_SMRAM]);
    if (addr + len > I440FX_PAM0 && addr <= I440FX_SMRAM) {
        pmc_update(I440FX_PCI_DEVICE(d));
    }
}

static void pmc_reset(DeviceState *dev)
{
    PCII440FXState *pmc = I440FX_PCI_DEVICE(dev);
    uint8_t *config = pmc->parent_obj.config;

    memset(config + I440FX_PAM0, 0, PAM_REGISTERS);
    config[I440FX_SMRAM] = SMRAM_C_BASE_SEG;
    pmc_update(pmc);
}

static bool pmc_realize(PCIDevice *d, Error **errp)
{
    PCII440FXState *pmc = I440FX_PCI_DEVICE(d);
    I440FXState *host = I440FX_PCI_HOST_BRIDGE(pci_get_bus(d)->qbus.parent);

    pam_init_wmask(d->wmask + I440FX_PAM0, d->wmask + I440FX_SMRAM);
    pam_init(&pmc->pam, OBJECT(d), &host->mem);
    return true;
}

static void pmc_exit(PCIDevice *d)
{
    pam_finalize(&I440FX_PCI_DEVICE(d)->pam);
}

static void pmc_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->desc = "Host bridge";
    dc->categories = BIT(DEVICE_CATEGORY_BRIDGE);
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->reset = pmc_reset;
    pc->realize = pmc_realize;
    pc->exit = pmc_exit;
    pc->config_write = pmc_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = 0x1237;
    pc->revision = 2;
    pc->class_id = 0x0600;
}

static void request_reset(void)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
}

static bool i440fx_host_realize(DeviceState *dev, Error **errp)
{
    I440FXState *host = I440FX_PCI_HOST_BRIDGE(dev);
    PCIHostState *s = &host->parent_obj;

    s->reset_request = request_reset;
    s->bus = pci_root_bus_new(dev, "pci.0", host->mem.pci, host->mem.io, 0,
                              TYPE_PCI_BUS);
    pci_host_init_io(s, host->mem.io);
    host->pmc = I440FX_PCI_DEVICE(pci_new(0, TYPE_I440FX_PCI_DEVICE));
    object_property_add_child(OBJECT(dev), "pmc", OBJECT(host->pmc));
    return pci_realize_and_unref(&host->pmc->parent_obj, s->bus, errp);
}

static void i440fx_host_class_init(ObjectClass *klass, void *data)
{
    DEVICE_CLASS(klass)->realize = i440fx_host_realize;
}

PCIBus *i440fx_host_new(const ChipsetMemory *mem, Error **errp)
{
    I440FXState *host =
        I440FX_PCI_HOST_BRIDGE(qdev_new(TYPE_I440FX_PCI_HOST_BRIDGE));
    DeviceState *dev = DEVICE(host);

    host->mem = *mem;
    if (!qdev_realize_and_unref(dev, sysbus_get_default(), errp)) {
        return NULL;
    }
    return host->parent_obj.bus;
}

static const TypeInfo i440fx_types[] = {
    {
        .name = TYPE_I440FX_PCI_HOST_BRIDGE,
        .parent = TYPE_PCI_HOST_BRIDGE,
        .instance_size = sizeof(I440FXState),
        .class_init = i440fx_host_class_init,
    }, {
        .name = TYPE_I440FX_PCI_DEVICE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCII440FXState),
        .class_init = pmc_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { }
        },
    },
};
DEFINE_TYPES(i440fx_types)
