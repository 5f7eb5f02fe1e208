/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory regions and address spaces.
 *
 * A MemoryRegion is RAM, ROM, registers (MemoryRegionOps), an alias of part of
 * another, or a container of these; overlaps are settled by priority.  An
 * AddressSpace shows a root region flattened: a sorted list of ranges that
 * dispatch searches.
 *
 * A tree of regions and the address spaces on it belong to one owner (the BQL
 * in the main process, a link's thread in a remote one), which makes all
 * calls; different trees share nothing, so owners do not meet.  A change
 * rebuilds only address spaces that can see the changed region.
 */
#ifndef SYSTEM_MEMORY_H
#define SYSTEM_MEMORY_H

#include "qapi/error.h"
#include "qemu/queue.h"
#include "qemu/event_notifier.h"

/* Result of an access: 0 or bits. */
typedef uint32_t MemTxResult;
#define MEMTX_OK 0u
#define MEMTX_ERROR (1u << 0)           /* the device answered with an error */
#define MEMTX_DECODE_ERROR (1u << 1)    /* nothing there */

typedef struct MemTxAttrs {
    unsigned requester_id:16;   /* PCI bus, device, function */
    bool memory:1;              /* RAM and ROM only: registers are an error */
} MemTxAttrs;
#define MEMTXATTRS_UNSPECIFIED ((MemTxAttrs){ 0 })

enum device_endian { DEVICE_NATIVE_ENDIAN, DEVICE_LITTLE_ENDIAN };

typedef struct MemoryRegionOps {
    uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);
    /* Instead of the above where an access can fail. */
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr addr, uint64_t *data,
                                   unsigned size, MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr addr, uint64_t data,
                                    unsigned size, MemTxAttrs attrs);
    enum device_endian endianness;
    struct {                    /* what the guest may do; 0: 1 and 4 */
        unsigned min_access_size, max_access_size;
        bool unaligned;
    } valid;
    struct {                    /* what the model handles; others are split
                                   or widened */
        unsigned min_access_size, max_access_size;
        bool unaligned;
    } impl;
} MemoryRegionOps;

/* Host memory behind RAM regions, shared by reference count, so that I/O in
 * flight keeps it mapped when its region goes. */
struct RAMBlock {
    int ref;                    /* atomic */
    uint8_t *host;
    uint64_t size;              /* bytes, a multiple of the host page */
    uint64_t mapped;            /* bytes, a multiple of the file's page */
    int fd;                     /* memfd or file, or -1 */
    uint64_t fd_offset;         /* where in @fd it begins */
    bool shared;                /* MAP_SHARED */
    bool discard;               /* contents may go when the last user has */
    MapGuard *guard;            /* or NULL: ram_block_guard() */
    unsigned *counter;          /* atomic: one less when this goes; or NULL */
    char *name;
};

struct MemoryRegion {
    const MemoryRegionOps *ops;
    void *opaque;
    Object *owner;              /* referenced while an access runs; or NULL */
    char *name;
    uint64_t size;              /* bytes; UINT64_MAX: all 2^64 */
    hwaddr addr;                /* in the container */
    int priority;
    bool enabled;
    bool readonly;              /* ROM: writes are dropped */
    bool terminates;            /* RAM or ops, not a container or alias */
    MemoryRegion *write_to;     /* takes the writes to this one, or NULL */
    hwaddr write_offset;
    RAMBlock *ram;              /* or NULL */
    MemoryRegion *alias;        /* or NULL */
    hwaddr alias_offset;
    MemoryRegion *container;
    QTAILQ_HEAD(, MemoryRegion) subregions;     /* highest priority first */
    QTAILQ_ENTRY(MemoryRegion) subregions_link;
    QLIST_HEAD(, MemoryRegion) aliases;         /* that show this region */
    QLIST_ENTRY(MemoryRegion) aliases_link;
    QLIST_HEAD(, AddressSpace) address_spaces;  /* whose root this is */
    struct MemoryRegionIoeventfd *ioeventfds;
    unsigned ioeventfd_nb;
};

struct MemoryRegionSection {
    MemoryRegion *mr;
    AddressSpace *address_space;
    hwaddr offset_within_region;
    hwaddr offset_within_address_space;
    uint64_t size;
    bool readonly;
};

/* Told of the flattened view, range by range: on a change first every
 * region_del, then every region_add (or region_nop), between begin and
 * commit.  Owner's thread. */
struct MemoryListener {
    const char *name;
    void (*begin)(MemoryListener *l);
    void (*commit)(MemoryListener *l);
    void (*region_add)(MemoryListener *l, MemoryRegionSection *section);
    void (*region_del)(MemoryListener *l, MemoryRegionSection *section);
    void (*region_nop)(MemoryListener *l, MemoryRegionSection *section);
    void (*eventfd_add)(MemoryListener *l, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e);
    void (*eventfd_del)(MemoryListener *l, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e);
    int priority;               /* lower hears of additions first */
    AddressSpace *address_space;
    QTAILQ_ENTRY(MemoryListener) link;
};

typedef struct FlatView FlatView;
struct AddressSpace {
    char *name;
    MemoryRegion *root;
    FlatView *current_map;
    GArray *ioeventfds;         /* of those that the view shows */
    QTAILQ_HEAD(, MemoryListener) listeners;
    QLIST_ENTRY(AddressSpace) root_link;        /* in root->address_spaces */
    bool dirty;                 /* on the thread's list of pending updates */
    QLIST_ENTRY(AddressSpace) pending_link;
};

/* The main process's two, made by memory_init(). */
extern AddressSpace address_space_memory;
extern AddressSpace address_space_io;
MemoryRegion *get_system_memory(void);
MemoryRegion *get_system_io(void);
void memory_init(void);

/* -- Regions ------------------------------------------------------------- */

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name,
                        uint64_t size);
void memory_region_init_io(MemoryRegion *mr, Object *owner,
                           const MemoryRegionOps *ops, void *opaque,
                           const char *name, uint64_t size);
/* Anonymous, private memory of its own. */
bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name,
                            uint64_t size, Error **errp);
bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name,
                            uint64_t size, Error **errp);
/* Shows @block (takes a reference of its own). */
void memory_region_init_ram_block(MemoryRegion *mr, Object *owner,
                                  const char *name, RAMBlock *block);
void memory_region_init_alias(MemoryRegion *mr, Object *owner,
                              const char *name, MemoryRegion *orig,
                              hwaddr offset, uint64_t size);
/* Leaves its container, frees what init took.  Not while an AddressSpace has
 * it as its root; nothing happens if it is all zeroes, as before init. */
void memory_region_finalize(MemoryRegion *mr);

static inline uint64_t memory_region_size(const MemoryRegion *mr)
{
    return mr->size;
}
static inline bool memory_region_is_ram(const MemoryRegion *mr)
{
    return mr->ram != NULL;
}
static inline void *memory_region_get_ram_ptr(const MemoryRegion *mr)
{
    return mr->ram->host;
}
/* -1 if it is not RAM with a descriptor. */
static inline int memory_region_get_fd(const MemoryRegion *mr)
{
    return mr->ram ? mr->ram->fd : -1;
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset,
                                 MemoryRegion *sub);
void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                         MemoryRegion *sub, int priority);
void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub);
void memory_region_set_enabled(MemoryRegion *mr, bool enabled);
void memory_region_set_readonly(MemoryRegion *mr, bool readonly);
/* Writes to @mr, and to all that it contains or shows, go to @to from @offset
 * on, which is RAM; reads and code are @mr's.  NULL: writes are @mr's again. */
void memory_region_set_write_to(MemoryRegion *mr, MemoryRegion *to,
                                hwaddr offset);
void memory_region_set_address(MemoryRegion *mr, hwaddr addr);
void memory_region_set_size(MemoryRegion *mr, uint64_t size);
void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);
/* Gathers changes of the calling thread; the outermost commit applies. */
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);

/* A guest's write of @size bytes (0: any) at @addr signals @e in KVM instead
 * of the model; @match_data: only the value @data does. */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e);
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e);

/* One access inside one region; @size 1, 2, 4 or 8.  A failed read gives all
 * ones. */
MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *data, unsigned size,
                                        MemTxAttrs attrs);
MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t data, unsigned size,
                                         MemTxAttrs attrs);

/* -- Address spaces ------------------------------------------------------ */

void address_space_init(AddressSpace *as, MemoryRegion *root,
                        const char *name);
void address_space_destroy(AddressSpace *as);

/* Any length, across regions; what cannot be read is filled with ones. */
MemTxResult address_space_read(AddressSpace *as, hwaddr addr,
                               MemTxAttrs attrs, void *buf, uint64_t len);
MemTxResult address_space_write(AddressSpace *as, hwaddr addr,
                                MemTxAttrs attrs, const void *buf,
                                uint64_t len);
MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                             void *buf, uint64_t len, bool is_write);
MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                              uint64_t len, MemTxAttrs attrs);

/**
 * address_space_map - direct access to guest RAM for I/O.
 * @plen: in: wanted, out: mapped bytes (may be less, at a region's end)
 * @block: set to the memory's block, referenced; give it to
 *         address_space_unmap()
 *
 * Returns a host address, or NULL if @addr is not (writable, when @is_write)
 * RAM.  Never allocates.
 */
void *address_space_map(AddressSpace *as, hwaddr addr, uint64_t *plen,
                        bool is_write, RAMBlock **block);
void address_space_unmap(RAMBlock *block);          /* any thread */


/* Hears the present view at once as additions. */
void memory_listener_register(MemoryListener *l, AddressSpace *as);
void memory_listener_unregister(MemoryListener *l);     /* and its removal */

/* `info mtree`: appends the tree or (@flat) the flattened view. */
void mtree_info(GString *out, AddressSpace *as, bool flat);

/* -- RAM blocks ---------------------------------------------------------- */

/* Map @size bytes: of @fd from @fd_offset (the block takes @fd over, unless it
 * fails), or anonymous memory when @fd is -1. */
RAMBlock *ram_block_new(const char *name, uint64_t size, int fd,
                        uint64_t fd_offset, bool shared, bool readonly,
                        Error **errp);
RAMBlock *ram_block_ref(RAMBlock *block);
void ram_block_unref(RAMBlock *block);              /* NULL is ignored */

/* Guards a new block until it is freed: map_guard_new().  Any thread. */
bool ram_block_guard(RAMBlock *block, Error **errp);

#endif
