/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x-pci-proxy-dev: a PCI device whose model runs in another process. */
#ifndef HW_REMOTE_PROXY_H
#define HW_REMOTE_PROXY_H

#include "hw/pci/pci.h"
#include "hw/remote/proxy-link.h"
#include "hw/remote/proxy-memory-listener.h"
#include "hw/remote/proxy-probe.h"

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
    uint32_t reconnect_ms;      /* property; 0: a process gone is gone */

    ProxyLink *link;
    ProxyMemoryListener listener;
    bool listening;
    ProxyMemoryRegion region[PCI_NUM_REGIONS];
    EventNotifier intr;         /* the irqfd */
    EventNotifier resample;
    EventNotifier unplug;       /* the other side wants the device back */
    QEMUTimer *unplug_timer;    /* until it is listened to again */
    int64_t unplug_tell_ms;     /* not before then */
    int gsi;                    /* where the irqfd is; -1: nowhere */
    bool told_no_irq;           /* that it can be nowhere, since it last was */
    int hangup_fd;              /* epoll: readable when the peer has gone */
    bool gone;                  /* reported, interrupts taken away */
    unsigned returns;           /* of the process, or another in its place */
    ProxyShape shape;           /* what the device is */
    struct ProxyReturn *returning;      /* NULL: never gone */
};

/* -- Between proxy.c and proxy-return.c, main loop ------------------------- */

typedef struct ProxyReturn ProxyReturn;

/* The process is gone: looks for another in its place, if that is wanted. */
void proxy_return_start(PCIProxyDev *dev);
void proxy_return_stop(PCIProxyDev *dev);
/* It is there, the device programmed as @dev's header says: @dev's link goes on
 * with the connection of @link, which is freed. */
void proxy_take_over(PCIProxyDev *dev, ProxyLink *link);

#endif
