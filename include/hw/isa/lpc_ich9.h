/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ICH9's LPC bridge, function 1f.0 of machine "q35": ISA bus, interrupt
 * router, power management. */
#ifndef HW_ISA_LPC_ICH9_H
#define HW_ISA_LPC_ICH9_H

#include "hw/acpi/acpi.h"
#include "hw/isa/isa.h"
#include "hw/isa/pirq.h"
#include "hw/pci/pci.h"

#define TYPE_ICH9_LPC_DEVICE "ICH9-LPC"
#define ICH9_LPC_DEVFN PCI_DEVFN(0x1f, 0)
#define ICH9_NUM_PIRQS 8
#define ICH9_GSI_BASE 16            /* PIRQA in APIC mode */
/* Output lines 0 to 23: the interrupt controllers' inputs. */
#define ICH9_GPIO_GSI "gsi"

#define ICH9_LPC_PMBASE 0x40
#define ICH9_LPC_ACPI_CTRL 0x44
#define ICH9_LPC_ACPI_CTRL_EN 0x80
#define ICH9_LPC_ACPI_CTRL_SCI 0x07
#define ICH9_LPC_PIRQA_ROUT 0x60    /* to PIRQD */
#define ICH9_LPC_PIRQE_ROUT 0x68    /* to PIRQH */
#define ICH9_LPC_RCBA 0xf0
#define ICH9_LPC_RCBA_EN 0x1

#define ICH9_CC_SIZE 0x4000         /* chipset configuration, at RCBA */
#define ICH9_CC_D31IR 0x3140        /* 16 bits; INTA in bits 2-0, ... */
#define ICH9_CC_D29IR 0x3144
#define ICH9_CC_D28IR 0x3146
#define ICH9_CC_D27IR 0x3148
#define ICH9_CC_D26IR 0x314c
#define ICH9_CC_D25IR 0x3150
#define ICH9_CC_GCS 0x3410
#define ICH9_CC_GCS_NO_REBOOT 0x20

typedef struct ICH9LPCState {
    PCIDevice parent_obj;
    GSILines gsi;
    uint8_t pirq_levels;            /* bit per PIRQ */
    bool sci_level;
    uint8_t cc[ICH9_CC_SIZE];       /* chipset configuration registers */
    ACPIPMState pm;
    MemoryRegion cc_mem;
    ISABus *isa_bus;                /* for the machine; its irqs are its own */
} ICH9LPCState;
DECLARE_INSTANCE_CHECKER(ICH9LPCState, ICH9_LPC_DEVICE, TYPE_ICH9_LPC_DEVICE)

#endif
