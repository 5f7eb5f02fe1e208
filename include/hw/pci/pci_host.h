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
    /* The south bridge's reset control at 0xcf9, which only byte accesses
     * reach.  The chipset sets the function; NULL: there is none. */
    uint8_t reset_control;
    void (*reset_request)(void);
} PCIHostState;

#define TYPE_PCI_HOST_BRIDGE "pci-host-bridge"
DECLARE_INSTANCE_CHECKER(PCIHostState, PCI_HOST_BRIDGE, TYPE_PCI_HOST_BRIDGE)

#define PCI_RESET_CONTROL_CPU 0x04      /* set: resets now */
#define PCI_RESET_CONTROL_KINDS 0x0a    /* which reset that is */

/* Makes conf_mem and data_mem and puts them at I/O 0xcf8 and 0xcfc. */
void pci_host_init_io(PCIHostState *s, MemoryRegion *io);
/* ECAM at @base of @mem, or nowhere when @base is PCI_BAR_UNMAPPED. */
void pcie_host_mmcfg_update(PCIHostState *s, MemoryRegion *mem, uint64_t base,
                            uint32_t size);

#endif
