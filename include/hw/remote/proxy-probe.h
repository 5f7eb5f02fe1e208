/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proxy learns of its device over the link, before a guest sees it. */
#ifndef HW_REMOTE_PROXY_PROBE_H
#define HW_REMOTE_PROXY_PROBE_H

#include "hw/pci/pci.h"
#include "hw/remote/proxy-link.h"

#define PROXY_ID_REGISTERS 3
/* Offsets of what ProxyShape.ids has, 4 bytes each. */
extern const uint8_t proxy_id_registers[PROXY_ID_REGISTERS];

typedef struct ProxyBar {
    uint64_t size;              /* bytes; 0: there is none */
    uint8_t type;               /* PCI_BASE_ADDRESS_* bits */
} ProxyBar;

/* Two devices of one shape are the same for a guest's driver. */
typedef struct ProxyShape {
    uint32_t ids[PROXY_ID_REGISTERS];
    uint8_t pin;                /* PCI_INTERRUPT_PIN */
    ProxyBar bars[PCI_NUM_REGIONS];     /* the last: the ROM */
} ProxyShape;

/* Asks; may block for four times the link's timeout, as may proxy_replay()
 * with it.  False with @errp: the link is gone, the answers are too slow, or
 * they make no PCI device. */
bool proxy_probe(ProxyLink *link, ProxyShape *shape, Error **errp);
bool proxy_shape_equal(const ProxyShape *a, const ProxyShape *b);

/* Writes what a guest may have programmed into a standard header (@header, 64
 * bytes) to the device of the other side. */
bool proxy_replay(ProxyLink *link, const uint8_t *header, Error **errp);

#endif
