/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to address spaces, and the host memory behind RAM.
 *
 * A look-up is by the view's last hit and then by bisection; nothing is
 * allocated.  The view is looked up anew for each part of an access, since a
 * register write may change it.  A region's owner is referenced while its
 * handler runs: a handler of the main process may give up the big lock.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/map-guard.h"
#include "qom/object.h"
#include "flatview.h"

/* -- One access to one region -------------------------------------------- */

static bool access_valid(const MemoryRegion *mr, hwaddr addr, unsigned size)
{
    const MemoryRegionOps *ops = mr->ops;
    unsigned max = ops->valid.max_access_size ?: 4;

    if (size > mr->size || addr > mr->size - size) {
        return false;
    }
    if (!ops->valid.unaligned && (addr & (size - 1))) {
        return false;
    }
    return size >= ops->valid.min_access_size && size <= max;
}

static uint64_t ones(unsigned size)
{
    return MAKE_64BIT_MASK(0, size * 8);
}

static MemTxResult ops_read(MemoryRegion *mr, hwaddr addr, uint64_t *data,
                            unsigned size, MemTxAttrs attrs)
{
    if (mr->ops->read_with_attrs) {
        return mr->ops->read_with_attrs(mr->opaque, addr, data, size, attrs);
    }
    if (!mr->ops->read) {
        *data = UINT64_MAX;
        return MEMTX_OK;
    }
    *data = mr->ops->read(mr->opaque, addr, size);
    return MEMTX_OK;
}

static MemTxResult ops_write(MemoryRegion *mr, hwaddr addr, uint64_t data,
                             unsigned size, MemTxAttrs attrs)
{
    if (mr->ops->write_with_attrs) {
        return mr->ops->write_with_attrs(mr->opaque, addr, data, size, attrs);
    }
    if (mr->ops->write) {
        mr->ops->write(mr->opaque, addr, data, size);
    }
    return MEMTX_OK;
}

/* The size in which the model wants a guest's access of @size: larger ones
 * are split, smaller ones widened. */
static unsigned impl_size(const MemoryRegion *mr, unsigned size)
{
    unsigned min = mr->ops->impl.min_access_size ?: 1;
    unsigned max = mr->ops->impl.max_access_size ?: 4;

    return MAX(min, MIN(size, max));
}

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *data, unsigned size,
                                        MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    Object *owner = mr->owner;
    uint64_t value = 0;
    unsigned step;

    if (mr->ram) {
        if (size > mr->size || addr > mr->size - size) {
            *data = ones(size);
            return MEMTX_DECODE_ERROR;
        }
        *data = ldn_le_p(mr->ram->host + addr, size);
        return MEMTX_OK;
    }
    if (!mr->ops || !access_valid(mr, addr, size)) {
        *data = ones(size);
        return MEMTX_DECODE_ERROR;
    }
    if (owner) {
        object_ref(owner);
    }
    step = impl_size(mr, size);
    if (step > size) {
        unsigned shift = (addr & (step - 1)) * 8;

        result = ops_read(mr, addr & ~(hwaddr)(step - 1), &value, step, attrs);
        value >>= shift;
    } else {
        for (unsigned i = 0; i < size; i += step) {
            uint64_t part = 0;

            result |= ops_read(mr, addr + i, &part, step, attrs);
            value |= (part & ones(step)) << (i * 8);
        }
    }
    if (owner) {
        object_unref(owner);
    }
    *data = result ? ones(size) : value & ones(size);
    return result;
}

MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t data, unsigned size,
                                         MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    Object *owner = mr->owner;
    unsigned step;

    if (mr->ram) {
        if (mr->readonly || size > mr->size || addr > mr->size - size) {
            return MEMTX_ERROR;
        }
        stn_le_p(mr->ram->host + addr, size, data);
        return MEMTX_OK;
    }
    if (!mr->ops || !access_valid(mr, addr, size)) {
        return MEMTX_DECODE_ERROR;
    }
    if (mr->ioeventfd_nb) {
        EventNotifier *e = memory_region_find_eventfd(mr, addr, data, size);

        if (e) {
            return event_notifier_set(e) ? MEMTX_ERROR : MEMTX_OK;
        }
    }
    if (owner) {
        object_ref(owner);
    }
    step = impl_size(mr, size);
    if (step > size) {
        result = ops_write(mr, addr, data, step, attrs);
    } else {
        for (unsigned i = 0; i < size; i += step) {
            result |= ops_write(mr, addr + i, (data >> (i * 8)) & ones(step),
                                step, attrs);
        }
    }
    if (owner) {
        object_unref(owner);
    }
    return result;
}

/* -- Any access to an address space -------------------------------------- */

/* How much of @len at @addr goes to the region in one piece. */
static unsigned piece(const MemoryRegion *mr, hwaddr addr, uint64_t len)
{
    unsigned size = mr->ops && mr->ops->valid.max_access_size
                  ? mr->ops->valid.max_access_size : 4;

    if (!mr->ops || !mr->ops->valid.unaligned) {
        unsigned aligned = 1u << MIN(ctz64(addr), 3);

        size = MIN(size, aligned);
    }
    while (size > len) {
        size /= 2;
    }
    return size;
}

/* One store where the size allows, so that the guest sees no half of it. */
static void ram_copy(void *to, const void *from, uint64_t len)
{
    switch (len) {
    case 1:
        memcpy(to, from, 1);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    default:
        memcpy(to, from, len);
    }
}

MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                             void *buf, uint64_t len, bool is_write)
{
    MemTxResult result = MEMTX_OK;
    uint8_t *p = buf;

    while (len) {
        hwaddr gap_last = 0, offset;
        FlatRange *r = flatview_find(as->current_map, addr, &gap_last);
        uint64_t n = MIN(len - 1, (r ? r->last : gap_last) - addr) + 1;

        if (!r) {
            result |= MEMTX_DECODE_ERROR;
            if (!is_write) {
                memset(p, 0xff, n);
            }
        } else if (is_write && r->write_to) {
            ram_copy(r->write_to->ram->host + r->write_offset +
                     (addr - r->start), p, n);
        } else if (offset = r->offset + (addr - r->start), r->mr->ram) {
            uint8_t *host = r->mr->ram->host + offset;

            if (!is_write) {
                ram_copy(p, host, n);
            } else if (r->readonly) {
                result |= MEMTX_ERROR;
            } else {
                ram_copy(host, p, n);
            }
        } else if (attrs.memory) {
            result |= MEMTX_ERROR;
            if (!is_write) {
                memset(p, 0xff, n);
            }
        } else {
            uint64_t value;

            n = piece(r->mr, offset, n);
            if (is_write) {
                value = ldn_le_p(p, n);
                result |= memory_region_dispatch_write(r->mr, offset, value, n,
                                                       attrs);
            } else {
                result |= memory_region_dispatch_read(r->mr, offset, &value, n,
                                                      attrs);
                stn_le_p(p, n, value);
            }
        }
        if (addr + n < addr && n < len) {
            /* Past the end of the address space there is nothing. */
            if (!is_write) {
                memset(p + n, 0xff, len - n);
            }
            return result | MEMTX_DECODE_ERROR;
        }
        addr += n;
        p += n;
        len -= n;
    }
    return result;
}

MemTxResult address_space_read(AddressSpace *as, hwaddr addr,
                               MemTxAttrs attrs, void *buf, uint64_t len)
{
    return address_space_rw(as, addr, attrs, buf, len, false);
}

MemTxResult address_space_write(AddressSpace *as, hwaddr addr,
                                MemTxAttrs attrs, const void *buf,
                                uint64_t len)
{
    return address_space_rw(as, addr, attrs, (void *)buf, len, true);
}

MemTxResult address_space_set(AddressSpace *as, hwaddr addr, uint8_t c,
                              uint64_t len, MemTxAttrs attrs)
{
    MemTxResult result = MEMTX_OK;
    uint8_t fill[512];

    memset(fill, c, sizeof(fill));
    while (len) {
        uint64_t n = MIN(len, sizeof(fill));

        result |= address_space_write(as, addr, attrs, fill, n);
        addr += n;
        len -= n;
    }
    return result;
}

void *address_space_map(AddressSpace *as, hwaddr addr, uint64_t *plen,
                        bool is_write, RAMBlock **block)
{
    FlatRange *r = flatview_find(as->current_map, addr, NULL);

    if (!r || !r->mr->ram || (is_write && r->readonly) || !*plen) {
        return NULL;
    }
    *plen = MIN(*plen - 1, r->last - addr) + 1;
    *block = ram_block_ref(r->mr->ram);
    return r->mr->ram->host + r->offset + (addr - r->start);
}

void address_space_unmap(RAMBlock *block)
{
    ram_block_unref(block);
}

/* -- Host memory --------------------------------------------------------- */

/* What host and guest can map by one entry of their page tables. */
#define HUGE_PAGE ((uint64_t)2 * MiB)
#define HUGEST_PAGE ((uint64_t)GiB)

/* By what the file may be mapped, and so has to be unmapped. */
static uint64_t file_page(int fd)
{
    uint64_t page = sysconf(_SC_PAGESIZE);
    struct stat st;

    if (fd >= 0 && !fstat(fd, &st) && is_power_of_2(st.st_blksize)) {
        page = MAX(page, MIN((uint64_t)st.st_blksize, HUGEST_PAGE));
    }
    return page;
}

/*
 * As mmap(), of *@size: guest RAM begins at a multiple of a huge page in the
 * guest, too, and only where both do is it one for KVM.  Of a file on hugetlbfs
 * the kernel maps the last page as a whole, and unmaps none in part; so *@size
 * becomes that of whole ones.  Another file may call its blocks as large:
 * then what is behind its end is kept free.
 */
static void *map_aligned(uint64_t *size, int prot, int flags, int fd,
                         off_t offset)
{
    uint64_t page = file_page(fd), normal = sysconf(_SC_PAGESIZE);
    uint64_t align = *size < HUGE_PAGE ? page : MAX(page, HUGE_PAGE);
    uint64_t whole, end;
    uint8_t *room, *host;

    if (align == normal || *size > UINT64_MAX - 2 * align) {
        return mmap(NULL, *size, prot, flags, fd, offset);
    }
    whole = ROUND_UP(*size, align) + align;
    room = mmap(NULL, whole, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) {
        return room;
    }
    host = (uint8_t *)ROUND_UP((uintptr_t)room, align);
    if (mmap(host, *size, prot, flags | MAP_FIXED, fd, offset) == MAP_FAILED) {
        int saved_errno = errno;

        munmap(room, whole);
        errno = saved_errno;
        return MAP_FAILED;
    }
    *size = ROUND_UP(*size, page);
    end = host - room + *size;
    if (host > room) {
        munmap(room, host - room);
    }
    if (whole > end) {
        munmap(room + end, whole - end);
    }
    return host;
}

RAMBlock *ram_block_new(const char *name, uint64_t size, int fd,
                        uint64_t fd_offset, bool shared, bool readonly,
                        Error **errp)
{
    int flags = (shared ? MAP_SHARED : MAP_PRIVATE) |
                (fd < 0 ? MAP_ANONYMOUS : 0) | MAP_NORESERVE;
    uint64_t mapped = size;
    void *host = map_aligned(&mapped, PROT_READ | (readonly ? 0 : PROT_WRITE),
                             flags, fd, fd < 0 ? 0 : (off_t)fd_offset);
    RAMBlock *block;

    if (host == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map %" PRIu64 " bytes for '%s'",
                         size, name);
        return NULL;
    }
    if (size >= HUGE_PAGE) {
        /* Where the host leaves it to programs; else harmless. */
        madvise(host, size, MADV_HUGEPAGE);
    }
    block = g_new0(RAMBlock, 1);
    block->ref = 1;
    block->host = host;
    block->size = size;
    block->mapped = mapped;
    block->fd = fd;
    block->fd_offset = fd_offset;
    block->shared = shared;
    block->name = g_strdup(name);
    return block;
}

bool ram_block_guard(RAMBlock *block, Error **errp)
{
    block->guard = map_guard_new(block->host, block->size, block->fd, errp);
    return block->guard;
}

RAMBlock *ram_block_ref(RAMBlock *block)
{
    __atomic_fetch_add(&block->ref, 1, __ATOMIC_RELAXED);
    return block;
}

void ram_block_unref(RAMBlock *block)
{
    if (!block || __atomic_sub_fetch(&block->ref, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    if (block->discard) {
        madvise(block->host, block->size, MADV_REMOVE);
    }
    if (block->counter) {
        __atomic_fetch_sub(block->counter, 1, __ATOMIC_RELAXED);
    }
    map_guard_free(block->guard);
    munmap(block->host, block->mapped);
    qemu_close(&block->fd);
    g_free(block->name);
    g_free(block);
}
