/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI and MSI-X (PCI Local Bus 3.0, 6.8).  A machine where messages can be
 * delivered sets msi_nonbroken; elsewhere *_init fails with -ENOTSUP. */
#ifndef HW_PCI_MSI_H
#define HW_PCI_MSI_H

#include "hw/pci/pci.h"

extern bool msi_nonbroken;

int msi_init(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool bit64,
             bool per_vector_mask, Error **errp);       /* 0 or -errno */
void msi_uninit(PCIDevice *dev);
bool msi_enabled(const PCIDevice *dev);
void msi_notify(PCIDevice *dev, unsigned vector);
void msi_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len);
void msi_reset(PCIDevice *dev);

/* Table and PBA in one BAR of their own. */
int msix_init_exclusive_bar(PCIDevice *dev, unsigned nentries, uint8_t bar_nr,
                            Error **errp);
int msix_init(PCIDevice *dev, unsigned nentries, MemoryRegion *table_bar,
              uint8_t table_bar_nr, unsigned table_offset,
              MemoryRegion *pba_bar, uint8_t pba_bar_nr, unsigned pba_offset,
              uint8_t cap_pos, Error **errp);
void msix_uninit(PCIDevice *dev);
bool msix_enabled(const PCIDevice *dev);
bool msix_present(const PCIDevice *dev);
void msix_notify(PCIDevice *dev, unsigned vector);      /* or pends it */
void msix_write_config(PCIDevice *dev, uint32_t addr, uint32_t val, int len);
void msix_reset(PCIDevice *dev);

/* How the machine delivers a message; set by it once. */
void msi_set_sender(void (*send)(MSIMessage msg));
/* @msg as a memory write of @dev. */
void msi_send_message(PCIDevice *dev, MSIMessage msg);

#endif
