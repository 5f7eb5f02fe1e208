/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x-pci-proxy-dev: a PCI device whose model runs in another process. */
#ifndef HW_REMOTE_PROXY_H
#define HW_REMOTE_PROXY_H

#include "hw/pci/pci.h"
#include "hw/remote/proxy-link.h"
#include "hw/remote/proxy-memory-listener.h"

#define TYPE_PCI_PROXY_DEV "x-pci-proxy-dev"
OBJECT_DECLARE_SIMPLE_TYPE(PCIProxyDev, PCI_PROXY_DEV)

/* A BAR or the ROM: registers whose accesses go over the link. */
typedef struct ProxyMemoryRegion {
    PCIProxyDev *dev;
    MemoryRegion mr;
    bool memory;
    uint8_t nr;                 /* region number; PCI_ROM_SLOT: the ROM */
} ProxyMemoryRegion;

struct PCIProxyDev {
    PCIDevice parent_dev;

    int fd;                     /* property; the link's once realized */
    char *socket_path;          /* property, where there is no fd */
    uint32_t connect_timeout;   /* property, ms; a hot plug tries once */
    uint32_t timeout;           /* property, ms */
    uint32_t poll_max_ns;       /* property */

    ProxyLink *link;
    ProxyMemoryListener listener;
    bool listening;
    ProxyMemoryRegion region[PCI_NUM_REGIONS];
    EventNotifier intr;         /* the irqfd */
    EventNotifier resample;
    int gsi;                    /* where the irqfd is; -1: nowhere */
    int hangup_fd;              /* epoll: readable when the peer has gone */
    bool gone;                  /* reported, interrupts taken away */
};

#endif
