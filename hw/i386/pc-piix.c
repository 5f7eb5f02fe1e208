/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machine "pc": i440FX host bridge, PIIX3, PIIX4's power management. */
#include "qemu/osdep.h"
#include "hw/acpi/piix4.h"
#include "hw/i386/pc.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"

#define PIIX3_DEVFN PCI_DEVFN(1, 0)
#define PIIX4_PM_DEVFN PCI_DEVFN(1, 3)

static bool piix_init_chipset(PCMachineState *pcms, const ChipsetMemory *mem,
                              Error **errp)
{
    DeviceState *piix3;
    qemu_irq sci;

    pcms->bus = i440fx_host_new(mem, errp);
    if (!pcms->bus) {
        return false;
    }
    pcms->south = pci_new_multifunction(PIIX3_DEVFN, TYPE_PIIX3_DEVICE);
    piix3 = &pcms->south->qdev;
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        qdev_connect_gpio_out_named(piix3, PIIX3_GPIO_GSI, i, pcms->gsi[i]);
    }
    if (!pci_realize_and_unref(pcms->south, pcms->bus, errp)) {
        return false;
    }
    pcms->isa_bus = PIIX3_DEVICE(pcms->south)->isa_bus;
    sci = qdev_get_gpio_in_named(piix3, PIIX3_GPIO_SCI, 0);
    pcms->pm = piix4_pm_init(pcms->bus, PIIX4_PM_DEVFN, sci, errp);
    return pcms->pm != NULL;
}

static void piix_program_chipset(PCMachineState *pcms)
{
    pam_open_all(pci_find_device(pcms->bus, 0, 0), I440FX_PAM0);
    pci_host_config_write_common(pcms->pm, PIIX4_PMBASE, ACPI_PMBASE, 4);
    pci_host_config_write_common(pcms->pm, PIIX4_PMREGMISC,
                                 PIIX4_PMREGMISC_PMIOSE, 1);
}

static void piix_class_init(ObjectClass *klass, void *data)
{
    PCMachineClass *pc = PC_MACHINE_CLASS(klass);

    pc_machine_class_set(pc, "pc-i440fx-7.2", "pc",
                         "Standard PC (i440FX + PIIX, 1996)");
    pc->parent_class.is_default = true;
    pc->parent_class.max_cpus = 255;
    pc->product = "Standard PC (i440FX + PIIX, 1996)";
    pc->pm_model = &acpi_pm_piix4;
    pc->init_chipset = piix_init_chipset;
    pc->program_chipset = piix_program_chipset;
}

static const TypeInfo piix_types[] = {
    {
        .name = MACHINE_TYPE_NAME("pc-i440fx-7.2"),
        .parent = TYPE_PC_MACHINE,
        .class_init = piix_class_init,
    },
};
DEFINE_TYPES(piix_types)
