/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI hot plug by ACPI: ports through which the DSDT learns which slots of the
 * root bus have got a card or are to lose one, and ejects.
 */
#ifndef HW_ACPI_PCIHP_H
#define HW_ACPI_PCIHP_H

#include "hw/pci/pci.h"
#include "migration/vmstate.h"

#define ACPI_PCIHP_PORT 0xae00
#define ACPI_PCIHP_SIZE 0x14
#define ACPI_PCIHP_GPE 1            /* the event behind which the DSDT looks */

/* A bit a slot. */
typedef struct ACPIPCIHPRegs {
    uint32_t up;                    /* came; the guest has not looked yet */
    uint32_t down;                  /* the guest is asked to let it go */
    uint32_t bus;                   /* selected; 0 is the only one there */
} ACPIPCIHPRegs;
extern const VMStateDescription vmstate_acpi_pcihp;

typedef struct ACPIPCIHPState {
    MemoryRegion io;                /* for the chipset to map */
    ACPIPCIHPRegs regs;
    PCIBus *bus;
} ACPIPCIHPState;

void acpi_pcihp_init(ACPIPCIHPState *s, Object *owner, PCIBus *bus);
/* Ejects what was asked to go: a guest that starts anew does not miss it. */
void acpi_pcihp_reset(ACPIPCIHPState *s);

/* For a hot-plug handler, which raises ACPI_PCIHP_GPE if the first returns true,
 * and after the second. */
bool acpi_pcihp_plug(ACPIPCIHPState *s, PCIDevice *dev);
void acpi_pcihp_unplug_request(ACPIPCIHPState *s, PCIDevice *dev);

#endif
