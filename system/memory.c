/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of memory regions, its flattened views, and who hears of changes.
 *
 * A region knows its container, the aliases that show it and the address
 * spaces whose root it is.  Climbing those from a changed region reaches just
 * the address spaces that can see it; they wait on a list of the calling
 * thread until the outermost transaction ends, and are then flattened anew.
 * Nothing here is global but that list, so owners of different trees never
 * meet.
 */
#include "qemu/osdep.h"
#include "qom/object.h"
#include "flatview.h"

/* Wide and signed: an alias can place offset 0 of its target below 0. */
typedef __int128 WideAddr;

typedef struct MemoryRegionIoeventfd {
    hwaddr addr;                /* in the region; in a view: absolute */
    unsigned size;
    bool match_data;
    uint64_t data;
    EventNotifier *e;
    MemoryRegion *mr;
} MemoryRegionIoeventfd;

static __thread unsigned transaction_depth;
static __thread QLIST_HEAD(, AddressSpace) pending;

AddressSpace address_space_memory;
AddressSpace address_space_io;
static MemoryRegion system_memory;
static MemoryRegion system_io;

MemoryRegion *get_system_memory(void)
{
    return &system_memory;
}

MemoryRegion *get_system_io(void)
{
    return &system_io;
}

void memory_init(void)
{
    memory_region_init(&system_memory, NULL, "system", UINT64_MAX);
    address_space_init(&address_space_memory, &system_memory, "memory");
    memory_region_init(&system_io, NULL, "io", 0x10000);
    address_space_init(&address_space_io, &system_io, "I/O");
}

/* -- Flattening ---------------------------------------------------------- */

static hwaddr region_last(const MemoryRegion *mr)
{
    return mr->size == UINT64_MAX ? UINT64_MAX : mr->size - 1;
}

/* What regions on the way down say of writes. */
typedef struct Writes {
    bool readonly;
    MemoryRegion *to;           /* or NULL: to the region itself */
    WideAddr base;              /* where offset 0 of @to would lie */
} Writes;

static void view_insert(GArray *view, unsigned at, const MemoryRegion *mr,
                        WideAddr base, hwaddr start, hwaddr last, Writes w)
{
    FlatRange range = {
        .start = start, .last = last, .mr = (MemoryRegion *)mr,
        .offset = (hwaddr)(start - base), .readonly = w.readonly || w.to,
        .write_to = w.to,
        .write_offset = w.to ? (hwaddr)(start - w.base) : 0,
    };

    g_array_insert_val(view, at, range);
}

/* Puts @mr wherever [lo, hi] is not taken yet. */
static void view_fill(GArray *view, const MemoryRegion *mr, WideAddr base,
                      hwaddr lo, hwaddr hi, Writes w)
{
    unsigned i = 0;

    for (;;) {
        FlatRange *next;

        while (i < view->len && g_array_index(view, FlatRange, i).last < lo) {
            i++;
        }
        next = i < view->len ? &g_array_index(view, FlatRange, i) : NULL;
        if (!next || next->start > hi) {
            view_insert(view, i, mr, base, lo, hi, w);
            return;
        }
        if (next->start > lo) {
            hwaddr gap_last = next->start - 1;
            hwaddr taken_last = next->last;

            view_insert(view, i, mr, base, lo, gap_last, w);
            i++;
            if (taken_last >= hi) {
                return;
            }
            lo = taken_last + 1;
        } else {
            if (next->last >= hi) {
                return;
            }
            lo = next->last + 1;
        }
    }
}

/* @base: where offset 0 of @mr lies; only [lo, hi] is of interest. */
static void render(GArray *view, const MemoryRegion *mr, WideAddr base,
                   hwaddr lo, hwaddr hi, Writes w)
{
    WideAddr last = base + region_last(mr);
    const MemoryRegion *sub;

    if (!mr->enabled || !mr->size || last < lo || base > (WideAddr)hi) {
        return;
    }
    if (base > (WideAddr)lo) {
        lo = base;
    }
    if (last < (WideAddr)hi) {
        hi = last;
    }
    w.readonly |= mr->readonly;
    if (mr->write_to) {
        w.to = mr->write_to;
        w.base = base - mr->write_offset;
    }
    if (mr->alias) {
        render(view, mr->alias, base - mr->alias_offset, lo, hi, w);
        return;
    }
    QTAILQ_FOREACH(sub, &mr->subregions, subregions_link) {
        render(view, sub, base + sub->addr, lo, hi, w);
    }
    if (mr->terminates) {
        view_fill(view, mr, base, lo, hi, w);
    }
}

static bool range_continues(const FlatRange *a, const FlatRange *b)
{
    hwaddr step = b->start - a->start;

    return a->mr == b->mr && a->readonly == b->readonly &&
           a->last + 1 == b->start && a->offset + step == b->offset &&
           a->write_to == b->write_to &&
           (!a->write_to || a->write_offset + step == b->write_offset);
}

static FlatView *flatview_new(MemoryRegion *root)
{
    GArray *ranges = g_array_new(false, false, sizeof(FlatRange));
    FlatView *view = g_new0(FlatView, 1);

    if (root) {
        render(ranges, root, 0, 0, UINT64_MAX, (Writes){ 0 });
    }
    for (unsigned i = 1; i < ranges->len;) {
        FlatRange *a = &g_array_index(ranges, FlatRange, i - 1);
        FlatRange *b = &g_array_index(ranges, FlatRange, i);

        if (range_continues(a, b)) {
            a->last = b->last;
            g_array_remove_index(ranges, i);
        } else {
            i++;
        }
    }
    view->nr = ranges->len;
    view->ranges = (FlatRange *)g_array_free(ranges, false);
    return view;
}

static void flatview_free(FlatView *view)
{
    g_free(view->ranges);
    g_free(view);
}

FlatRange *flatview_find(FlatView *view, hwaddr addr, hwaddr *gap_last)
{
    unsigned lo = 0, hi = view->nr;

    if (view->recent < view->nr) {
        FlatRange *r = &view->ranges[view->recent];

        if (addr >= r->start && addr <= r->last) {
            return r;
        }
    }
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        FlatRange *r = &view->ranges[mid];

        if (addr < r->start) {
            hi = mid;
        } else if (addr > r->last) {
            lo = mid + 1;
        } else {
            view->recent = mid;
            return r;
        }
    }
    if (gap_last) {
        *gap_last = lo < view->nr ? view->ranges[lo].start - 1 : UINT64_MAX;
    }
    return NULL;
}

/* -- Telling the listeners ----------------------------------------------- */

static bool range_equal(const FlatRange *a, const FlatRange *b)
{
    return a->start == b->start && a->last == b->last && a->mr == b->mr &&
           a->offset == b->offset && a->readonly == b->readonly &&
           a->write_to == b->write_to && a->write_offset == b->write_offset;
}

static bool view_has(const FlatView *view, const FlatRange *r)
{
    unsigned lo = 0, hi = view->nr;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (view->ranges[mid].start < r->start) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < view->nr && range_equal(&view->ranges[lo], r);
}

static MemoryRegionSection section_of(AddressSpace *as, const FlatRange *r)
{
    uint64_t span = r->last - r->start;

    return (MemoryRegionSection){
        .mr = r->mr, .address_space = as, .offset_within_region = r->offset,
        .offset_within_address_space = r->start,
        .size = span == UINT64_MAX ? UINT64_MAX : span + 1,
        .readonly = r->readonly,
    };
}

static GArray *ioeventfds_in(FlatView *view)
{
    GArray *fds = g_array_new(false, false, sizeof(MemoryRegionIoeventfd));

    for (unsigned i = 0; i < view->nr; i++) {
        const FlatRange *r = &view->ranges[i];

        for (unsigned j = 0; j < r->mr->ioeventfd_nb; j++) {
            MemoryRegionIoeventfd fd = r->mr->ioeventfds[j];

            if (fd.addr >= r->offset &&
                fd.addr - r->offset <= r->last - r->start) {
                fd.addr = r->start + (fd.addr - r->offset);
                fd.mr = r->mr;
                g_array_append_val(fds, fd);
            }
        }
    }
    return fds;
}

static bool ioeventfd_equal(const MemoryRegionIoeventfd *a,
                            const MemoryRegionIoeventfd *b)
{
    return a->addr == b->addr && a->size == b->size &&
           a->match_data == b->match_data &&
           (!a->match_data || a->data == b->data) && a->e == b->e;
}

static bool ioeventfds_have(const GArray *fds, const MemoryRegionIoeventfd *fd)
{
    for (unsigned i = 0; i < fds->len; i++) {
        if (ioeventfd_equal(&g_array_index(fds, MemoryRegionIoeventfd, i),
                            fd)) {
            return true;
        }
    }
    return false;
}

/* Tells @l of what is in @fds and not in @others. */
static void tell_ioeventfds(AddressSpace *as, MemoryListener *l,
                            const GArray *fds, const GArray *others, bool add)
{
    void (*tell)(MemoryListener *, MemoryRegionSection *, bool, uint64_t,
                 EventNotifier *) = add ? l->eventfd_add : l->eventfd_del;

    for (unsigned i = 0; tell && i < fds->len; i++) {
        MemoryRegionIoeventfd *fd =
            &g_array_index(fds, MemoryRegionIoeventfd, i);
        MemoryRegionSection section = {
            .mr = fd->mr, .address_space = as,
            .offset_within_address_space = fd->addr, .size = fd->size,
        };

        if (!others || !ioeventfds_have(others, fd)) {
            tell(l, &section, fd->match_data, fd->data, fd->e);
        }
    }
}

static void tell_ranges(AddressSpace *as, MemoryListener *l, FlatView *from,
                        FlatView *to)
{
    for (unsigned i = 0; l->region_del && from && i < from->nr; i++) {
        if (!to || !view_has(to, &from->ranges[i])) {
            MemoryRegionSection section = section_of(as, &from->ranges[i]);

            l->region_del(l, &section);
        }
    }
    for (unsigned i = 0; to && i < to->nr; i++) {
        MemoryRegionSection section = section_of(as, &to->ranges[i]);

        if (from && view_has(from, &to->ranges[i])) {
            if (l->region_nop) {
                l->region_nop(l, &section);
            }
        } else if (l->region_add) {
            l->region_add(l, &section);
        }
    }
}

static void tell(AddressSpace *as, MemoryListener *l, FlatView *from,
                 FlatView *to, const GArray *old_fds, const GArray *new_fds)
{
    if (l->begin) {
        l->begin(l);
    }
    if (old_fds) {
        tell_ioeventfds(as, l, old_fds, new_fds, false);
    }
    tell_ranges(as, l, from, to);
    if (new_fds) {
        tell_ioeventfds(as, l, new_fds, old_fds, true);
    }
    if (l->commit) {
        l->commit(l);
    }
}

static void address_space_update(AddressSpace *as)
{
    FlatView *old_view = as->current_map;
    GArray *old_fds = as->ioeventfds;
    MemoryListener *l;

    as->current_map = flatview_new(as->root);
    as->ioeventfds = ioeventfds_in(as->current_map);
    QTAILQ_FOREACH(l, &as->listeners, link) {
        tell(as, l, old_view, as->current_map, old_fds, as->ioeventfds);
    }
    flatview_free(old_view);
    g_array_free(old_fds, true);
}

static void forget_pending(AddressSpace *as)
{
    if (as->dirty) {
        as->dirty = false;
        QLIST_REMOVE(as, pending_link);
    }
}

static void apply_pending(void)
{
    AddressSpace *as;

    while (!transaction_depth && (as = QLIST_FIRST(&pending))) {
        forget_pending(as);
        address_space_update(as);
    }
}

static void mark_viewers(MemoryRegion *mr)
{
    AddressSpace *as;
    MemoryRegion *alias;

    QLIST_FOREACH(as, &mr->address_spaces, root_link) {
        if (!as->dirty) {
            as->dirty = true;
            QLIST_INSERT_HEAD(&pending, as, pending_link);
        }
    }
    QLIST_FOREACH(alias, &mr->aliases, aliases_link) {
        mark_viewers(alias);
    }
    if (mr->container) {
        mark_viewers(mr->container);
    }
}

static void region_changed(MemoryRegion *mr)
{
    mark_viewers(mr);
    apply_pending();
}

void memory_region_transaction_begin(void)
{
    transaction_depth++;
}

void memory_region_transaction_commit(void)
{
    assert(transaction_depth > 0);
    transaction_depth--;
    apply_pending();
}

/* -- Regions ------------------------------------------------------------- */

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name,
                        uint64_t size)
{
    memset(mr, 0, sizeof(*mr));
    mr->owner = owner;
    mr->name = g_strdup(name);
    mr->size = size;
    mr->enabled = true;
    QTAILQ_INIT(&mr->subregions);
    QLIST_INIT(&mr->aliases);
    QLIST_INIT(&mr->address_spaces);
}

void memory_region_init_io(MemoryRegion *mr, Object *owner,
                           const MemoryRegionOps *ops, void *opaque,
                           const char *name, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->ops = ops;
    mr->opaque = opaque;
    mr->terminates = true;
}

void memory_region_init_ram_block(MemoryRegion *mr, Object *owner,
                                  const char *name, RAMBlock *block)
{
    memory_region_init(mr, owner, name, block->size);
    mr->ram = ram_block_ref(block);
    mr->terminates = true;
}

bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name,
                            uint64_t size, Error **errp)
{
    uint64_t whole = ROUND_UP(size, (uint64_t)sysconf(_SC_PAGESIZE));
    RAMBlock *block = ram_block_new(name, whole, -1, 0, false, false, errp);

    if (!block) {
        return false;
    }
    memory_region_init_ram_block(mr, owner, name, block);
    ram_block_unref(block);
    mr->size = size;
    return true;
}

bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name,
                            uint64_t size, Error **errp)
{
    if (!memory_region_init_ram(mr, owner, name, size, errp)) {
        return false;
    }
    mr->readonly = true;
    return true;
}

void memory_region_init_alias(MemoryRegion *mr, Object *owner,
                              const char *name, MemoryRegion *orig,
                              hwaddr offset, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->alias = orig;
    mr->alias_offset = offset;
    QLIST_INSERT_HEAD(&orig->aliases, mr, aliases_link);
}

void memory_region_finalize(MemoryRegion *mr)
{
    MemoryRegion *sub;

    assert(QLIST_EMPTY(&mr->address_spaces));
    memory_region_transaction_begin();
    while ((sub = QTAILQ_FIRST(&mr->subregions))) {
        memory_region_del_subregion(mr, sub);
    }
    if (mr->container) {
        memory_region_del_subregion(mr->container, mr);
    }
    while ((sub = QLIST_FIRST(&mr->aliases))) {
        /* What showed this region shows nothing from now on. */
        mark_viewers(sub);
        QLIST_REMOVE(sub, aliases_link);
        sub->alias = NULL;
    }
    if (mr->alias) {
        QLIST_REMOVE(mr, aliases_link);
        mr->alias = NULL;
    }
    memory_region_transaction_commit();
    ram_block_unref(mr->ram);
    mr->ram = NULL;
    g_clear_pointer(&mr->ioeventfds, g_free);
    mr->ioeventfd_nb = 0;
    g_clear_pointer(&mr->name, g_free);
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                         MemoryRegion *sub, int priority)
{
    MemoryRegion *other;

    assert(!sub->container);
    sub->container = mr;
    sub->addr = offset;
    sub->priority = priority;
    QTAILQ_FOREACH(other, &mr->subregions, subregions_link) {
        if (priority >= other->priority) {
            break;
        }
    }
    if (other) {
        QTAILQ_INSERT_BEFORE(other, sub, subregions_link);
    } else {
        QTAILQ_INSERT_TAIL(&mr->subregions, sub, subregions_link);
    }
    region_changed(mr);
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset,
                                 MemoryRegion *sub)
{
    memory_region_add_subregion_overlap(mr, offset, sub, 0);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub)
{
    assert(sub->container == mr);
    QTAILQ_REMOVE(&mr->subregions, sub, subregions_link);
    sub->container = NULL;
    region_changed(mr);
}

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    if (mr->enabled != enabled) {
        mr->enabled = enabled;
        region_changed(mr);
    }
}

void memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    if (mr->readonly != readonly) {
        mr->readonly = readonly;
        region_changed(mr);
    }
}

void memory_region_set_write_to(MemoryRegion *mr, MemoryRegion *to,
                                hwaddr offset)
{
    assert(!to || (to->ram && offset <= to->size &&
                   mr->size <= to->size - offset));
    if (mr->write_to != to || mr->write_offset != offset) {
        mr->write_to = to;
        mr->write_offset = offset;
        region_changed(mr);
    }
}

void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    if (mr->addr != addr) {
        mr->addr = addr;
        region_changed(mr);
    }
}

void memory_region_set_size(MemoryRegion *mr, uint64_t size)
{
    assert(!mr->ram || size <= mr->ram->size);
    if (mr->size != size) {
        mr->size = size;
        region_changed(mr);
    }
}

void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset)
{
    assert(mr->alias);
    if (mr->alias_offset != offset) {
        mr->alias_offset = offset;
        region_changed(mr);
    }
}

void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    mr->ioeventfds = g_renew(MemoryRegionIoeventfd, mr->ioeventfds,
                             mr->ioeventfd_nb + 1);
    mr->ioeventfds[mr->ioeventfd_nb++] = (MemoryRegionIoeventfd){
        .addr = addr, .size = size, .match_data = match_data, .data = data,
        .e = e,
    };
    region_changed(mr);
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    MemoryRegionIoeventfd gone = {
        .addr = addr, .size = size, .match_data = match_data, .data = data,
        .e = e,
    };

    for (unsigned i = 0; i < mr->ioeventfd_nb; i++) {
        if (ioeventfd_equal(&mr->ioeventfds[i], &gone)) {
            mr->ioeventfds[i] = mr->ioeventfds[--mr->ioeventfd_nb];
            region_changed(mr);
            return;
        }
    }
}

EventNotifier *memory_region_find_eventfd(MemoryRegion *mr, hwaddr addr,
                                          uint64_t data, unsigned size)
{
    for (unsigned i = 0; i < mr->ioeventfd_nb; i++) {
        MemoryRegionIoeventfd *fd = &mr->ioeventfds[i];

        if (fd->addr == addr && (!fd->size || fd->size == size) &&
            (!fd->match_data || fd->data == data)) {
            return fd->e;
        }
    }
    return NULL;
}

/* -- Address spaces ------------------------------------------------------ */

void address_space_init(AddressSpace *as, MemoryRegion *root,
                        const char *name)
{
    memset(as, 0, sizeof(*as));
    as->name = g_strdup(name);
    as->root = root;
    QTAILQ_INIT(&as->listeners);
    QLIST_INSERT_HEAD(&root->address_spaces, as, root_link);
    as->current_map = flatview_new(root);
    as->ioeventfds = ioeventfds_in(as->current_map);
}

void address_space_destroy(AddressSpace *as)
{
    assert(QTAILQ_EMPTY(&as->listeners));
    forget_pending(as);
    QLIST_REMOVE(as, root_link);
    flatview_free(as->current_map);
    as->current_map = NULL;
    g_array_free(as->ioeventfds, true);
    g_clear_pointer(&as->name, g_free);
}

void memory_listener_register(MemoryListener *l, AddressSpace *as)
{
    MemoryListener *other;

    l->address_space = as;
    QTAILQ_FOREACH(other, &as->listeners, link) {
        if (l->priority < other->priority) {
            break;
        }
    }
    if (other) {
        QTAILQ_INSERT_BEFORE(other, l, link);
    } else {
        QTAILQ_INSERT_TAIL(&as->listeners, l, link);
    }
    tell(as, l, NULL, as->current_map, NULL, as->ioeventfds);
}

void memory_listener_unregister(MemoryListener *l)
{
    AddressSpace *as = l->address_space;

    if (!as) {
        return;
    }
    QTAILQ_REMOVE(&as->listeners, l, link);
    l->address_space = NULL;
    tell(as, l, as->current_map, NULL, as->ioeventfds, NULL);
}

/* -- info mtree ---------------------------------------------------------- */

static const char *region_kind(const MemoryRegion *mr, bool readonly)
{
    return mr->ram ? readonly ? "rom" : "ram" : mr->ops ? "i/o" : "container";
}

static void mtree_print(GString *out, const MemoryRegion *mr, hwaddr base,
                        unsigned level)
{
    const MemoryRegion *sub;

    g_string_append_printf(out, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, ",
                           2 + 2 * level, "", base, base + region_last(mr),
                           mr->priority);
    if (mr->alias) {
        g_string_append_printf(out, "alias): %s @%s %016" PRIx64 "-%016" PRIx64,
                               mr->name, mr->alias->name, mr->alias_offset,
                               mr->alias_offset + region_last(mr));
    } else {
        g_string_append_printf(out, "%s): %s", region_kind(mr, mr->readonly),
                               mr->name);
    }
    g_string_append(out, mr->enabled ? "\n" : " [disabled]\n");
    QTAILQ_FOREACH(sub, &mr->subregions, subregions_link) {
        mtree_print(out, sub, base + sub->addr, level + 1);
    }
}

void mtree_info(GString *out, AddressSpace *as, bool flat)
{
    g_string_append_printf(out, "address-space: %s\n", as->name);
    if (!flat) {
        mtree_print(out, as->root, 0, 0);
        return;
    }
    for (unsigned i = 0; i < as->current_map->nr; i++) {
        const FlatRange *r = &as->current_map->ranges[i];

        g_string_append_printf(out, "  %016" PRIx64 "-%016" PRIx64
                               " (%s): %s @%016" PRIx64 "\n", r->start,
                               r->last, region_kind(r->mr, r->readonly),
                               r->mr->name, r->offset);
    }
}
