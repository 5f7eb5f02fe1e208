/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an address space shows, flattened: disjoint ranges in order. */
#ifndef SYSTEM_FLATVIEW_H
#define SYSTEM_FLATVIEW_H

#include "system/memory.h"

typedef struct FlatRange {
    hwaddr start, last;         /* both inside */
    MemoryRegion *mr;
    hwaddr offset;              /* in @mr, of @start */
    bool readonly;
    MemoryRegion *write_to;     /* takes writes instead; or NULL */
    hwaddr write_offset;        /* in @write_to, of @start */
} FlatRange;

struct FlatView {
    FlatRange *ranges;
    unsigned nr;
    unsigned recent;            /* where the last look-up ended */
};

/* The range that holds @addr, or NULL.  Then *@gap_last (if not NULL) is the
 * last address of the hole. */
FlatRange *flatview_find(FlatView *view, hwaddr addr, hwaddr *gap_last);

/* Who wants to be signalled instead of this write, or NULL. */
EventNotifier *memory_region_find_eventfd(MemoryRegion *mr, hwaddr addr,
                                          uint64_t data, unsigned size);

#endif
