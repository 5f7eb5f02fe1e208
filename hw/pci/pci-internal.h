/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of hw/pci share among themselves. */
#ifndef HW_PCI_PCI_INTERNAL_H
#define HW_PCI_PCI_INTERNAL_H

#include "hw/pci/pci.h"

/* Config space made and filled from the class; and its end. */
void pci_config_alloc(PCIDevice *dev);
void pci_config_free(PCIDevice *dev);
/* The standard header as it is after reset. */
void pci_config_reset(PCIDevice *dev);
/* Puts each BAR where config space says. */
void pci_update_mappings(PCIDevice *dev);
void pci_unmap_bars(PCIDevice *dev);

/* Tells the bus what the pin drives, if that changed. */
void pci_update_intx(PCIDevice *dev);

bool pci_add_option_rom(PCIDevice *dev, Error **errp);
void pci_del_option_rom(PCIDevice *dev);

/* Calls @fn for each PCI bus right below @bus; stops at what is not NULL. */
PCIBus *pci_each_child_bus(PCIBus *bus, PCIBus *(*fn)(PCIBus *, void *),
                           void *opaque);

/* BusClass hooks and the text behind them. */
char *pci_get_dev_path(DeviceState *qdev);
char *pci_get_fw_dev_path(DeviceState *qdev);
void pci_print_dev(GString *out, DeviceState *qdev, int indent);

#endif
