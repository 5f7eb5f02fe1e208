/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX4 power management: function 3 of the i440FX machine's PIIX. */
#ifndef HW_ACPI_PIIX4_H
#define HW_ACPI_PIIX4_H

#include "hw/acpi/acpi.h"
#include "hw/pci/pci.h"

#define TYPE_PIIX4_PM "PIIX4_PM"
#define PIIX4_PMBASE 0x40
#define PIIX4_PMREGMISC 0x80
#define PIIX4_PMREGMISC_PMIOSE 0x01

/* @sci: ISA line 9.  The device, or NULL with @errp set. */
PCIDevice *piix4_pm_init(PCIBus *bus, int devfn, qemu_irq sci, Error **errp);

#endif
