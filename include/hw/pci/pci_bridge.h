/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI-to-PCI bridges (PCI-to-PCI Bridge 1.2): a secondary bus and the windows
 * by which its addresses are reached from the primary one.
 *
 * A bridge's class sets is_bridge and calls these from its own functions.
 */
#ifndef HW_PCI_PCI_BRIDGE_H
#define HW_PCI_PCI_BRIDGE_H

#include "hw/pci/pci.h"

#define TYPE_PCI_BRIDGE "base-pci-bridge"

typedef struct PCIBridge {
    PCIDevice parent_obj;
    PCIBus *sec_bus;
    MemoryRegion mem, io;                           /* the secondary bus's */
    MemoryRegion window_mem, window_pref, window_io;  /* shown on the primary */
} PCIBridge;
DECLARE_INSTANCE_CHECKER(PCIBridge, PCI_BRIDGE, TYPE_PCI_BRIDGE)

/**
 * pci_bridge_init - make the secondary bus, at the beginning of realize.
 * @bus_type: TYPE_PCI_BUS or TYPE_PCIE_BUS
 * The bus is called as the bridge's id, or BRIDGETYPE.N if it has none.
 */
void pci_bridge_init(PCIBridge *br, const char *bus_type);
void pci_bridge_exit(PCIBridge *br);
/* The whole write, in place of pci_default_write_config(). */
void pci_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                             int len);
void pci_bridge_reset(PCIBridge *br);

#endif
