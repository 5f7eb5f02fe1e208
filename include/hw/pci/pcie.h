/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI Express capability (PCI Express Base 3.0, 7.8). */
#ifndef HW_PCI_PCIE_H
#define HW_PCI_PCIE_H

#include "hw/pci/pci.h"

/* Endpoint capability at @offset (0: anywhere); an integrated endpoint when the
 * bus is the root bus.  Does nothing on a conventional bus.  Offset or -errno. */
int pcie_endpoint_cap_init(PCIDevice *dev, uint8_t offset);
void pcie_cap_deverr_reset(PCIDevice *dev);

#endif
