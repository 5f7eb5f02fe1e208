/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SMBus host controller in PIIX4 and ICH9, with no device on its bus. */
#ifndef HW_ACPI_SMBUS_H
#define HW_ACPI_SMBUS_H

#include "hw/qdev-core.h"
#include "migration/vmstate.h"
#include "system/memory.h"

#define PM_SMBUS_IO_SIZE 32

typedef struct PMSMBusRegs {
    uint8_t status, control, command, address, data0, data1;
} PMSMBusRegs;
extern const VMStateDescription vmstate_pm_smbus;

typedef struct PMSMBus {
    MemoryRegion io;            /* PM_SMBUS_IO_SIZE bytes, for SMBBA */
    PMSMBusRegs regs;
    qemu_irq irq;               /* or NULL */
} PMSMBus;

void pm_smbus_init(PMSMBus *s, DeviceState *dev, qemu_irq irq);
void pm_smbus_reset(PMSMBus *s);

#endif
