/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX4 function 3: power management and SMBus (Intel 290562, 7).  The general
 * purpose events stand at 0xafe0 and the registers of PCI hot plug at 0xae00,
 * where QEMU's machines have them; it is the hot-plug handler of its bus.
 */
#include "qemu/osdep.h"
#include "hw/acpi/pcihp.h"
#include "hw/acpi/piix4.h"
#include "hw/acpi/smbus.h"

OBJECT_DECLARE_SIMPLE_TYPE(PIIX4PMState, PIIX4_PM)

#define DEVACTB_APMC 0x5b           /* bit 1: the APM ports are decoded */
#define SMBBA 0x90
#define SMBHSTCFG 0xd2
#define SMBHSTCFG_ENABLE 0x01

struct PIIX4PMState {
    PCIDevice parent_obj;
    ACPIPMState pm;
    PMSMBus smb;
    ACPIPCIHPState pcihp;
    qemu_irq sci;
};

static const VMStateDescription vmstate_piix4_pm = {
    .name = TYPE_PIIX4_PM,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(pm.regs, PIIX4PMState, &vmstate_acpi_pm),
        VMSTATE_STRUCT(smb.regs, PIIX4PMState, &vmstate_pm_smbus),
        VMSTATE_STRUCT(pcihp.regs, PIIX4PMState, &vmstate_acpi_pcihp),
        VMSTATE_END_OF_LIST()
    },
};

/* Puts both blocks where config space says. */
static void piix4_pm_map(PIIX4PMState *s)
{
    const uint8_t *c = s->parent_obj.config;

    memory_region_transaction_begin();
    memory_region_set_enabled(&s->pm.io, c[PIIX4_PMREGMISC]
                              & PIIX4_PMREGMISC_PMIOSE);
    memory_region_set_address(&s->pm.io,
                              pci_get_long(c + PIIX4_PMBASE) & 0xffc0);
    memory_region_set_enabled(&s->smb.io, c[SMBHSTCFG] & SMBHSTCFG_ENABLE);
    memory_region_set_address(&s->smb.io, pci_get_long(c + SMBBA) & 0xfff0);
    memory_region_transaction_commit();
}

static void piix4_pm_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                                  int len)
{
    pci_default_write_config(dev, addr, val, len);
    if (addr >= PIIX4_PMBASE) {
        piix4_pm_map(PIIX4_PM(dev));
    }
}

static void piix4_pm_reset(DeviceState *dev)
{
    PIIX4PMState *s = PIIX4_PM(dev);
    uint8_t *c = s->parent_obj.config;

    pci_set_long(c + PIIX4_PMBASE, PCI_BASE_ADDRESS_SPACE_IO);
    c[PIIX4_PMREGMISC] = 0;
    pci_set_long(c + SMBBA, PCI_BASE_ADDRESS_SPACE_IO);
    c[SMBHSTCFG] = 0;
    /* Firmware takes this as: system management mode is set up already. */
    c[DEVACTB_APMC] = 0x02;
    acpi_pm_reset(&s->pm);
    pm_smbus_reset(&s->smb);
    acpi_pcihp_reset(&s->pcihp);
    piix4_pm_map(s);
}

static bool piix4_pm_realize(PCIDevice *dev, Error **errp)
{
    PIIX4PMState *s = PIIX4_PM(dev);
    MemoryRegion *io = dev->space_io;

    pci_config_set_interrupt_pin(dev->config, 1);
    pci_set_word(dev->wmask + PIIX4_PMBASE, 0xffc0);
    dev->wmask[PIIX4_PMREGMISC] = PIIX4_PMREGMISC_PMIOSE;
    pci_set_word(dev->wmask + SMBBA, 0xfff0);
    dev->wmask[SMBHSTCFG] = 0x0f;
    dev->wmask[DEVACTB_APMC] = 0x02;

    acpi_pm_init(&s->pm, &dev->qdev, &acpi_pm_piix4, s->sci);
    pm_smbus_init(&s->smb, &dev->qdev, NULL);
    memory_region_set_enabled(&s->pm.io, false);
    memory_region_add_subregion(io, 0, &s->pm.io);
    memory_region_add_subregion(io, s->pm.model->gpe_fixed_port, &s->pm.gpe);
    memory_region_add_subregion(io, ACPI_APM_PORT, &s->pm.apm);
    memory_region_set_enabled(&s->smb.io, false);
    memory_region_add_subregion(io, 0, &s->smb.io);
    acpi_pcihp_init(&s->pcihp, OBJECT(dev), pci_get_bus(dev));
    memory_region_add_subregion(io, ACPI_PCIHP_PORT, &s->pcihp.io);
    qbus_set_hotplug_handler(&pci_get_bus(dev)->qbus, OBJECT(dev));
    return true;
}

static bool piix4_pm_plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    PIIX4PMState *s = PIIX4_PM(h);

    if (acpi_pcihp_plug(&s->pcihp, PCI_DEVICE(dev))) {
        acpi_pm_raise_gpe(&s->pm, ACPI_PCIHP_GPE);
    }
    return true;
}

static bool piix4_pm_unplug_request(HotplugHandler *h, DeviceState *dev,
                                    Error **errp)
{
    PIIX4PMState *s = PIIX4_PM(h);

    acpi_pcihp_unplug_request(&s->pcihp, PCI_DEVICE(dev));
    acpi_pm_raise_gpe(&s->pm, ACPI_PCIHP_GPE);
    return true;
}

PCIDevice *piix4_pm_init(PCIBus *bus, int devfn, qemu_irq sci, Error **errp)
{
    PCIDevice *dev = pci_new(devfn, TYPE_PIIX4_PM);

    PIIX4_PM(dev)->sci = sci;
    return pci_realize_and_unref(dev, bus, errp) ? dev : NULL;
}

static void piix4_pm_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    dc->desc = "PIIX4 power management";
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->reset = piix4_pm_reset;
    dc->vmsd = &vmstate_piix4_pm;
    pc->realize = piix4_pm_realize;
    pc->config_write = piix4_pm_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = 0x7113;         /* 82371AB PIIX4 ACPI */
    pc->class_id = 0x0680;          /* bridge, other */
    pc->revision = 3;
    hc->plug = piix4_pm_plug;
    hc->unplug_request = piix4_pm_unplug_request;
}

static const TypeInfo piix4_pm_types[] = {
    {
        .name = TYPE_PIIX4_PM,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PIIX4PMState),
        .class_init = piix4_pm_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    },
};
DEFINE_TYPES(piix4_pm_types)
