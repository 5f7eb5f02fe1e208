/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PIIX3: ISA bridge and PIRQ router of machine "pc", function 01.0. */
#ifndef HW_ISA_PIIX3_H
#define HW_ISA_PIIX3_H

#include "hw/isa/isa.h"
#include "hw/isa/pirq.h"
#include "hw/pci/pci.h"

#define TYPE_PIIX3_DEVICE "PIIX3"
#define PIIX3_NUM_PIRQS 4
#define PIIX3_PIRQCA 0x60           /* to PIRQCD, a byte each */
/* Output lines 0 to 15: the interrupt controllers' inputs. */
#define PIIX3_GPIO_GSI "gsi"
/* Input line: the SCI of function 3, which comes out as GSI 9. */
#define PIIX3_GPIO_SCI "sci"

typedef struct PIIX3State {
    PCIDevice parent_obj;
    GSILines gsi;
    uint8_t pirq_levels;            /* bit per PIRQ */
    bool sci_level;
    ISABus *isa_bus;                /* for the machine; its irqs are its own */
} PIIX3State;
DECLARE_INSTANCE_CHECKER(PIIX3State, PIIX3_DEVICE, TYPE_PIIX3_DEVICE)

#endif
