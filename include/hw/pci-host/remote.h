/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host bridge of a remote process: a bus on which each function has
 * memory, I/O and DMA spaces, and a thread, of its own. */
#ifndef HW_PCI_HOST_REMOTE_H
#define HW_PCI_HOST_REMOTE_H

#include "hw/pci/pci.h"

#define TYPE_REMOTE_PCIHOST "remote-pcihost"
OBJECT_DECLARE_SIMPLE_TYPE(RemotePCIHost, REMOTE_PCIHOST)

/* What a function sees instead of a machine; its context's owner's. */
typedef struct RemoteDevice {
    PCIDevice *pci_dev;
    AioContext *ctx;
    MemoryRegion mem, io;       /* where its BARs are */
    AddressSpace mem_as, io_as;
    MemoryRegion dma;           /* its VM's RAM, as the link says */
    AddressSpace dma_as;
    MemoryRegion *ram;          /* in @dma, one a table entry */
    unsigned nr_ram;
    unsigned blocks;            /* of @ram, and those that I/O still uses */
    /* The x-remote-object that has it, and how it is asked to let it go: true
     * if that takes until remote_device_released(), false with @errp if it is
     * not possible.  Main thread. */
    void *owner;
    bool (*ask_release)(void *owner, Error **errp);
} RemoteDevice;

struct RemotePCIHost {
    DeviceState parent_obj;
    PCIBus *bus;
    RemoteDevice *devices[PCI_DEVFN_MAX];
};

/* The main thread, from realize of the device on. */
RemoteDevice *remote_device_of(PCIDevice *pci_dev);

/* Its owner has no more use for it now: a device that was to be deleted is
 * gone when this returns true. */
bool remote_device_released(RemoteDevice *rd);

#endif
