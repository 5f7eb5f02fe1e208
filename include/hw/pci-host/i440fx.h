/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 440FX's north bridge (PMC): host bridge device and its function 0. */
#ifndef HW_PCI_HOST_I440FX_H
#define HW_PCI_HOST_I440FX_H

#include "hw/pci/pci_host.h"
#include "hw/pci-host/pam.h"

#define TYPE_I440FX_PCI_HOST_BRIDGE "i440FX-pcihost"
#define TYPE_I440FX_PCI_DEVICE "i440FX"

#define I440FX_PAM0 0x59
#define I440FX_SMRAM 0x72

typedef struct PCII440FXState {
    PCIDevice parent_obj;
    PAMState pam;
} PCII440FXState;
DECLARE_INSTANCE_CHECKER(PCII440FXState, I440FX_PCI_DEVICE,
                         TYPE_I440FX_PCI_DEVICE)

typedef struct I440FXState {
    PCIHostState parent_obj;
    ChipsetMemory mem;          /* set by the machine before realize */
    PCII440FXState *pmc;
} I440FXState;
DECLARE_INSTANCE_CHECKER(I440FXState, I440FX_PCI_HOST_BRIDGE,
                         TYPE_I440FX_PCI_HOST_BRIDGE)

/* As q35_host_new(), with bus "pci.0". */
PCIBus *i440fx_host_new(const ChipsetMemory *mem, Error **errp);

#endif
