/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machine "q35": Q35 host bridge and ICH9, PCI Express. */
#include "qemu/osdep.h"
#include "hw/i386/pc.h"
#include "hw/isa/lpc_ich9.h"
#include "hw/pci-host/q35.h"

static bool q35_init_chipset(PCMachineState *pcms, const ChipsetMemory *mem,
                             Error **errp)
{
    pcms->bus = q35_host_new(mem, errp);
    if (!pcms->bus) {
        return false;
    }
    pcms->south = pcms->pm = pci_new_multifunction(ICH9_LPC_DEVFN,
                                                   TYPE_ICH9_LPC_DEVICE);
    for (int i = 0; i < PC_GSIS; i++) {
        qdev_connect_gpio_out_named(&pcms->south->qdev, ICH9_GPIO_GSI, i,
                                    pcms->gsi[i]);
    }
    if (!pci_realize_and_unref(pcms->south, pcms->bus, errp)) {
        return false;
    }
    pcms->isa_bus = ICH9_LPC_DEVICE(pcms->south)->isa_bus;
    return true;
}

static void q35_program_chipset(PCMachineState *pcms)
{
    PCIDevice *mch = pci_find_device(pcms->bus, 0, 0);
    PCIDevice *lpc = pcms->south;

    pci_host_config_write_common(mch, MCH_PCIEXBAR + 4, 0, 4);
    pci_host_config_write_common(mch, MCH_PCIEXBAR, MCH_PCIEXBAR_DEFAULT
                                 | MCH_PCIEXBAR_ENABLE, 4);
    pam_open_all(mch, MCH_PAM0);
    pci_host_config_write_common(lpc, ICH9_LPC_PMBASE, ACPI_PMBASE, 4);
    pci_host_config_write_common(lpc, ICH9_LPC_ACPI_CTRL,
                                 ICH9_LPC_ACPI_CTRL_EN, 1);
}

static void q35_class_init(ObjectClass *klass, void *data)
{
    PCMachineClass *pc = PC_MACHINE_CLASS(klass);

    pc_machine_class_set(pc, "pc-q35-7.2", "q35",
                         "Standard PC (Q35 + ICH9, 2009)");
    pc->q35 = true;
    pc->product = "Standard PC (Q35 + ICH9, 2009)";
    pc->pm_model = &acpi_pm_ich9;
    pc->init_chipset = q35_init_chipset;
    pc->program_chipset = q35_program_chipset;
}

static const TypeInfo q35_types[] = {
    {
        .name = MACHINE_TYPE_NAME("pc-q35-7.2"),
        .parent = TYPE_PC_MACHINE,
        .class_init = q35_class_init,
    },
};
DEFINE_TYPES(q35_types)
