/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What host bridges share: the 0xcf8/0xcfc pair and ECAM. */
#ifndef HW_PCI_PCI_HOST_H
#define HW_PCI_PCI_HOST_H

#include "hw/pci/pci.h"

typedef struct PCIHostState {
    DeviceState parent_obj;
    MemoryRegion conf_mem;      /* CONFIG_ADDRESS, 4 bytes */
    MemoryRegion data_mem;      /* CONFIG_DATA, 4 bytes */
    MemoryRegion mmcfg;         /* ECAM, 1 MiB a bus */
    uint32_t config_reg;
    uint64_t mmcfg_base;        /* PCI_BAR_UNMAPPED: off */
    uint32_t mmcfg_size;
    PCIBus *bus;
} PCIHostState;

#define TYPE_PCI_HOST_BRIDGE "pci-host-bridge"
DECLARE_INSTANCE_CHECKER(PCIHostState, PCI_HOST_BRIDGE, TYPE_PCI_HOST_BRIDGE)

/* Makes conf_mem and data_mem and puts them at I/O 0xcf8 and 0xcfc. */
void pci_host_init_io(PCIHostState *s, MemoryRegion *io);
/* ECAM at @base of @mem, or nowhere when @base is PCI_BAR_UNMAPPED. */
void pcie_host_mmcfg_update(PCIHostState *s, MemoryRegion *mem, uint64_t base,
                            uint32_t size);

#endif
