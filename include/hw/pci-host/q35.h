/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Q35's north bridge (MCH): host bridge device and its function 0. */
#ifndef HW_PCI_HOST_Q35_H
#define HW_PCI_HOST_Q35_H

#include "hw/pci/pci_host.h"
#include "hw/pci-host/pam.h"

#define TYPE_Q35_HOST_DEVICE "q35-pcihost"
#define TYPE_MCH_PCI_DEVICE "mch"

#define MCH_TOM 0xa0            /* 16 bits, in units of 64 MiB */
#define MCH_TOLUD 0xb0          /* 16 bits, bits 15-4 in MiB */
#define MCH_PCIEXBAR 0x60       /* 64 bits */
#define MCH_PCIEXBAR_ENABLE 0x1
#define MCH_PCIEXBAR_DEFAULT 0xb0000000ULL
#define MCH_PAM0 0x90
#define MCH_SMRAM 0x9d

typedef struct MCHPCIState {
    PCIDevice parent_obj;
    PAMState pam;
} MCHPCIState;
DECLARE_INSTANCE_CHECKER(MCHPCIState, MCH_PCI_DEVICE, TYPE_MCH_PCI_DEVICE)

typedef struct Q35PCIHost {
    PCIHostState parent_obj;
    ChipsetMemory mem;          /* set by the machine before realize */
    MCHPCIState *mch;
} Q35PCIHost;
DECLARE_INSTANCE_CHECKER(Q35PCIHost, Q35_HOST_DEVICE, TYPE_Q35_HOST_DEVICE)

/**
 * q35_host_new - make and realize the host bridge with bus "pcie.0".
 * @mem: the machine's spaces; RAM must be in mem->system at priority 0, and
 *       mem->pci below it at a negative one
 * Returns the bus, or NULL with @errp set.
 */
PCIBus *q35_host_new(const ChipsetMemory *mem, Error **errp);

#endif
