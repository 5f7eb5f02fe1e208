/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest RAM as KVM's memory slots, and ioeventfds, both kept as the flattened
 * address spaces show them.
 *
 * A change of the memory map is gathered and applied at its commit.  Where a
 * range is replaced (shadow RAM switched between ROM and RAM), vCPUs are held
 * out of the guest meanwhile: one that fetched or wrote there in between would
 * find nothing.
 *
 * RAM that KVM does not take (not on page boundaries, beyond the physical
 * address bits) works all the same, one exit an access.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "system/memory.h"
#include "kvm-int.h"

typedef struct Slot {
    hwaddr gpa;
    uint64_t size;
    void *host;
    uint32_t id;
    bool readonly;
} Slot;

static GArray *slots;           /* of Slot: what KVM has */
static GArray *removed, *added; /* of Slot: this change */
static unsigned max_slots;
static bool any_length;         /* ioeventfds for writes of every size */

/* The whole pages of a section of RAM; false if there are none. */
static bool section_pages(const MemoryRegionSection *s, Slot *slot)
{
    uint64_t page = getpagesize();
    hwaddr start = s->offset_within_address_space;
    hwaddr first = (start + page - 1) & ~(page - 1);
    uint64_t skip = first - start;
    uint8_t *host;

    if (!memory_region_is_ram(s->mr) || first < start || skip >= s->size) {
        return false;
    }
    host = (uint8_t *)memory_region_get_ram_ptr(s->mr) +
           s->offset_within_region + skip;
    *slot = (Slot){
        .gpa = first, .size = (s->size - skip) & ~(page - 1), .host = host,
        .readonly = s->readonly,
    };
    return slot->size && !((uintptr_t)host & (page - 1));
}

static bool overlap(const Slot *a, const Slot *b)
{
    return a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size;
}

static int tell_kvm(const Slot *slot, bool present)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot->id, .guest_phys_addr = slot->gpa,
        .memory_size = present ? slot->size : 0,
        .userspace_addr = (uintptr_t)slot->host,
        .flags = slot->readonly ? KVM_MEM_READONLY : 0,
    };

    trace_event("kvm_set_user_memory", "slot %u gpa 0x%" PRIx64 " size 0x%"
                PRIx64 " flags %u", region.slot,
                (uint64_t)region.guest_phys_addr,
                (uint64_t)region.memory_size, region.flags);
    return kvm_vm_ioctl(KVM_SET_USER_MEMORY_REGION, &region);
}

static void slot_remove(const Slot *gone)
{
    for (unsigned i = 0; i < slots->len; i++) {
        Slot *s = &g_array_index(slots, Slot, i);

        if (s->gpa == gone->gpa && s->size == gone->size) {
            int ret = tell_kvm(s, false);

            if (ret < 0) {
                error_report("KVM does not give up memory at 0x%" PRIx64
                             ": %s", s->gpa, strerror(-ret));
                abort();        /* else the guest would keep freed memory */
            }
            g_array_remove_index_fast(slots, i);
            return;
        }
    }
}

static bool id_used(uint32_t id)
{
    for (unsigned i = 0; i < slots->len; i++) {
        if (g_array_index(slots, Slot, i).id == id) {
            return true;
        }
    }
    return false;
}

static void slot_add(Slot slot)
{
    int ret = -ENOSPC;

    while (id_used(slot.id)) {
        slot.id++;
    }
    if (slot.id < max_slots) {
        ret = tell_kvm(&slot, true);
    }
    if (ret < 0) {
        error_report_once("KVM does not take %" PRIu64 " bytes of memory at 0x%"
                          PRIx64 " (%s): access to it will be slow",
                          slot.size, slot.gpa, strerror(-ret));
        return;
    }
    g_array_append_val(slots, slot);
}

/* -- Listening ----------------------------------------------------------- */

static void region_add(MemoryListener *l, MemoryRegionSection *section)
{
    Slot slot;

    if (section_pages(section, &slot)) {
        g_array_append_val(added, slot);
    }
}

static void region_del(MemoryListener *l, MemoryRegionSection *section)
{
    Slot slot;

    if (section_pages(section, &slot)) {
        g_array_append_val(removed, slot);
    }
}

static bool anything_replaced(void)
{
    for (unsigned i = 0; i < removed->len; i++) {
        for (unsigned j = 0; j < added->len; j++) {
            if (overlap(&g_array_index(removed, Slot, i),
                        &g_array_index(added, Slot, j))) {
                return true;
            }
        }
    }
    return false;
}

static void commit(MemoryListener *l)
{
    bool hold = anything_replaced();

    if (hold) {
        kvm_inhibit_begin();
    }
    for (unsigned i = 0; i < removed->len; i++) {
        slot_remove(&g_array_index(removed, Slot, i));
    }
    for (unsigned i = 0; i < added->len; i++) {
        slot_add(g_array_index(added, Slot, i));
    }
    if (hold) {
        kvm_inhibit_end();
    }
    g_array_set_size(removed, 0);
    g_array_set_size(added, 0);
}

static void set_ioeventfd(MemoryRegionSection *s, bool pio, bool match_data,
                          uint64_t data, EventNotifier *e, bool assign)
{
    struct kvm_ioeventfd io = {
        .datamatch = data, .addr = s->offset_within_address_space,
        .len = s->size, .fd = event_notifier_get_fd(e),
        .flags = (match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0) |
                 (pio ? KVM_IOEVENTFD_FLAG_PIO : 0) |
                 (assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
    };

    if (!io.len && !any_length) {
        return;
    }
    /* Where KVM does not do it, the exit's dispatch signals. */
    kvm_vm_ioctl(KVM_IOEVENTFD, &io);
}

static void mem_eventfd_add(MemoryListener *l, MemoryRegionSection *s,
                            bool match_data, uint64_t data, EventNotifier *e)
{
    set_ioeventfd(s, false, match_data, data, e, true);
}

static void mem_eventfd_del(MemoryListener *l, MemoryRegionSection *s,
                            bool match_data, uint64_t data, EventNotifier *e)
{
    set_ioeventfd(s, false, match_data, data, e, false);
}

static void io_eventfd_add(MemoryListener *l, MemoryRegionSection *s,
                           bool match_data, uint64_t data, EventNotifier *e)
{
    set_ioeventfd(s, true, match_data, data, e, true);
}

static void io_eventfd_del(MemoryListener *l, MemoryRegionSection *s,
                           bool match_data, uint64_t data, EventNotifier *e)
{
    set_ioeventfd(s, true, match_data, data, e, false);
}

static MemoryListener memory_listener = {
    .name = "kvm-memory",
    .commit = commit,
    .region_add = region_add,
    .region_del = region_del,
    .eventfd_add = mem_eventfd_add,
    .eventfd_del = mem_eventfd_del,
};

static MemoryListener io_listener = {
    .name = "kvm-io",
    .eventfd_add = io_eventfd_add,
    .eventfd_del = io_eventfd_del,
};

bool kvm_memory_init(Error **errp)
{
    max_slots = kvm_check_extension(KVM_CAP_NR_MEMSLOTS) ?: 32;
    any_length = kvm_check_extension(KVM_CAP_IOEVENTFD_ANY_LENGTH);
    slots = g_array_new(false, false, sizeof(Slot));
    removed = g_array_new(false, false, sizeof(Slot));
    added = g_array_new(false, false, sizeof(Slot));
    memory_listener_register(&memory_listener, &address_space_memory);
    memory_listener_register(&io_listener, &address_space_io);
    return true;
}
