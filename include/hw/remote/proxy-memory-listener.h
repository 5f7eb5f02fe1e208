/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest RAM as a table for a device's process, kept true. */
#ifndef HW_REMOTE_PROXY_MEMORY_LISTENER_H
#define HW_REMOTE_PROXY_MEMORY_LISTENER_H

#include "system/memory.h"
#include "hw/remote/proxy-link.h"

typedef struct ProxyMemoryListener {
    MemoryListener listener;
    ProxyLink *link;
    GArray *sections;           /* of ProxyMemRegion, by address */
    bool changed;
    bool told_too_many;
    const char *name;           /* of the proxy, for messages */
} ProxyMemoryListener;

/* False with @errp if @as has RAM that cannot be shared.  BQL. */
bool proxy_memory_listener_configure(ProxyMemoryListener *pml,
                                     ProxyLink *link, AddressSpace *as,
                                     const char *name, Error **errp);
/* The table once more, to another process.  BQL. */
void proxy_memory_listener_resend(ProxyMemoryListener *pml);
void proxy_memory_listener_deconfigure(ProxyMemoryListener *pml);

#endif
