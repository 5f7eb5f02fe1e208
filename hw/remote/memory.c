/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's RAM in a remote process: the table that the proxy sends becomes
 * the DMA address space of that proxy's device, and of no other.
 *
 * Memory that stays in the table keeps its mapping, so that a guest which
 * toggles shadow RAM costs no mmap of gigabytes; I/O in flight holds a
 * reference to what it uses (RAMBlock).  The other side can take memory away
 * that it did not seal: that costs it the link (util/map-guard.c).
 */
#include "qemu/osdep.h"
#include "hw/remote/memory.h"
#include "qemu/map-guard.h"

/* Pieces of memory that a link may have, with those of earlier tables that its
 * device is still at: what a process has of them is for all its links. */
#define MAX_BLOCKS 64

static bool entry_valid(const SyncSysmemMsg *m, int i, int fd, Error **errp)
{
    uint64_t page = sysconf(_SC_PAGESIZE), end;
    struct stat st;

    if (!m->sizes[i] || m->sizes[i] % page || m->offsets[i] % page ||
        m->gpas[i] % page) {
        error_setg(errp, "memory region %d: address %" PRIx64 ", size %"
                   PRIx64 " or offset %" PRIx64 " is not in whole pages", i,
                   m->gpas[i], m->sizes[i], m->offsets[i]);
        return false;
    }
    if (__builtin_add_overflow(m->gpas[i], m->sizes[i], &end) ||
        __builtin_add_overflow(m->offsets[i], m->sizes[i], &end)) {
        error_setg(errp, "memory region %d: size %" PRIx64 " wraps around", i,
                   m->sizes[i]);
        return false;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_setg(errp, "memory region %d: its descriptor is no memory", i);
        return false;
    }
    if (end > (uint64_t)st.st_size) {
        error_setg(errp, "memory region %d: needs %" PRIx64 " bytes of a "
                   "descriptor that has %jx", i, end, (intmax_t)st.st_size);
        return false;
    }
    for (int j = 0; j < i; j++) {
        if (m->gpas[i] < m->gpas[j] + m->sizes[j] &&
            m->gpas[j] < m->gpas[i] + m->sizes[i]) {
            error_setg(errp, "memory regions %d and %d overlap", j, i);
            return false;
        }
    }
    return true;
}

/* The block of the present table that is the same memory, or NULL. */
static RAMBlock *find_mapped(RemoteDevice *rd, int fd, uint64_t offset,
                             uint64_t size)
{
    struct stat wanted, st;

    if (fstat(fd, &wanted) < 0) {
        return NULL;
    }
    for (unsigned i = 0; i < rd->nr_ram; i++) {
        RAMBlock *block = rd->ram[i].ram;

        if (block->size == size && block->fd_offset == offset &&
            fstat(block->fd, &st) == 0 && st.st_dev == wanted.st_dev &&
            st.st_ino == wanted.st_ino) {
            return ram_block_ref(block);
        }
    }
    return NULL;
}

static RAMBlock *map_entry(RemoteDevice *rd, MPQemuMsg *msg, int i,
                           Error **errp)
{
    SyncSysmemMsg *m = &msg->data.sync_sysmem;
    RAMBlock *block = find_mapped(rd, msg->fds[i], m->offsets[i],
                                  m->sizes[i]);

    if (!block && __atomic_load_n(&rd->blocks, __ATOMIC_RELAXED)
                  >= MAX_BLOCKS) {
        error_setg(errp, "more than %d pieces of memory, with those of "
                   "earlier tables that are in use", MAX_BLOCKS);
    } else if (!block) {
        block = ram_block_new("guest RAM", m->sizes[i], msg->fds[i],
                              m->offsets[i], true, false, errp);
        if (block) {
            msg->fds[i] = -1;
            block->counter = &rd->blocks;
            __atomic_fetch_add(&rd->blocks, 1, __ATOMIC_RELAXED);
            if (!ram_block_guard(block, errp)) {
                ram_block_unref(block);
                block = NULL;
            }
        }
    }
    return block;
}

bool remote_sysmem_lost(const RemoteDevice *rd)
{
    for (unsigned i = 0; i < rd->nr_ram; i++) {
        if (map_guard_lost(rd->ram[i].ram->guard)) {
            return true;
        }
    }
    return false;
}

void remote_sysmem_clear(RemoteDevice *rd)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < rd->nr_ram; i++) {
        memory_region_finalize(&rd->ram[i]);
    }
    memory_region_transaction_commit();
    g_clear_pointer(&rd->ram, g_free);
    rd->nr_ram = 0;
}

/* A piece that leaves the table stays while it is used, its descriptor not. */
static void close_old_fds(RemoteDevice *rd, RAMBlock *const *blocks)
{
    for (unsigned i = 0; i < rd->nr_ram; i++) {
        bool stays = false;

        for (unsigned j = 0; j < REMOTE_MAX_FDS && !stays; j++) {
            stays = blocks[j] == rd->ram[i].ram;
        }
        if (!stays) {
            qemu_close(&rd->ram[i].ram->fd);
        }
    }
}

bool remote_sysmem_reconfig(RemoteDevice *rd, MPQemuMsg *msg, Error **errp)
{
    SyncSysmemMsg *m = &msg->data.sync_sysmem;
    RAMBlock *blocks[REMOTE_MAX_FDS] = { NULL };
    bool ok = true;

    for (int i = 0; ok && i < msg->num_fds; i++) {
        ok = entry_valid(m, i, msg->fds[i], errp);
    }
    for (int i = 0; ok && i < msg->num_fds; i++) {
        blocks[i] = map_entry(rd, msg, i, errp);
        ok = blocks[i] != NULL;
    }
    if (ok) {
        close_old_fds(rd, blocks);
        memory_region_transaction_begin();
        remote_sysmem_clear(rd);
        rd->nr_ram = msg->num_fds;
        rd->ram = g_new0(MemoryRegion, rd->nr_ram);
        for (unsigned i = 0; i < rd->nr_ram; i++) {
            memory_region_init_ram_block(&rd->ram[i], NULL, "remote-mem",
                                         blocks[i]);
            memory_region_add_subregion(&rd->dma, m->gpas[i], &rd->ram[i]);
        }
        memory_region_transaction_commit();
    }
    for (int i = 0; i < msg->num_fds; i++) {
        ram_block_unref(blocks[i]);
    }
    mpqemu_msg_close_fds(msg);
    return ok;
}
