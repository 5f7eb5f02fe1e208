/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the device's process informed of where guest RAM is: collects the RAM
 * that an address space shows, joins neighbours that are one piece of one
 * descriptor, and sends the table when it has changed.
 *
 * Read-only memory is left out, since a device must not write it.  The wire
 * has room for a few regions; if there are more, the largest are sent, and the
 * device cannot reach the others.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/remote/proxy-memory-listener.h"
#include "qemu/error-report.h"
#include "qemu/log.h"

static bool is_guest_ram(const MemoryRegionSection *section)
{
    return memory_region_is_ram(section->mr) && !section->readonly;
}

/* RAM of a device's own (a ROM being copied, say) has no descriptor; only the
 * machine's RAM has to have one, and configure() checks that. */
static bool to_region(const MemoryRegionSection *section, ProxyMemRegion *r)
{
    RAMBlock *block = section->mr->ram;

    if (!is_guest_ram(section) || block->fd < 0 || !block->shared) {
        return false;
    }
    *r = (ProxyMemRegion){
        .gpa = section->offset_within_address_space,
        .size = section->size,
        .offset = block->fd_offset + section->offset_within_region,
        .fd = block->fd,
    };
    return true;
}

static void region_add(MemoryListener *listener, MemoryRegionSection *section)
{
    ProxyMemoryListener *pml = container_of(listener, ProxyMemoryListener,
                                            listener);
    ProxyMemRegion region;
    unsigned i;

    if (!to_region(section, &region)) {
        return;
    }
    for (i = 0; i < pml->sections->len; i++) {
        if (g_array_index(pml->sections, ProxyMemRegion, i).gpa > region.gpa) {
            break;
        }
    }
    g_array_insert_val(pml->sections, i, region);
    pml->changed = true;
}

static void region_del(MemoryListener *listener, MemoryRegionSection *section)
{
    ProxyMemoryListener *pml = container_of(listener, ProxyMemoryListener,
                                            listener);
    ProxyMemRegion region;

    if (!to_region(section, &region)) {
        return;
    }
    for (unsigned i = 0; i < pml->sections->len; i++) {
        ProxyMemRegion *r = &g_array_index(pml->sections, ProxyMemRegion, i);

        if (r->gpa == region.gpa && r->fd == region.fd) {
            g_array_remove_index(pml->sections, i);
            pml->changed = true;
            return;
        }
    }
}

static GArray *join_neighbours(const GArray *sections)
{
    GArray *table = g_array_new(false, false, sizeof(ProxyMemRegion));

    for (unsigned i = 0; i < sections->len; i++) {
        ProxyMemRegion *r = &g_array_index(sections, ProxyMemRegion, i);
        ProxyMemRegion *last = table->len
            ? &g_array_index(table, ProxyMemRegion, table->len - 1) : NULL;

        if (last && last->fd == r->fd && last->gpa + last->size == r->gpa &&
            last->offset + last->size == r->offset) {
            last->size += r->size;
        } else {
            g_array_append_val(table, *r);
        }
    }
    return table;
}

static void drop_smallest(GArray *table)
{
    unsigned smallest = 0;

    for (unsigned i = 1; i < table->len; i++) {
        if (g_array_index(table, ProxyMemRegion, i).size <
            g_array_index(table, ProxyMemRegion, smallest).size) {
            smallest = i;
        }
    }
    g_array_remove_index(table, smallest);
}

static void commit(MemoryListener *listener)
{
    ProxyMemoryListener *pml = container_of(listener, ProxyMemoryListener,
                                            listener);
    unsigned max = pml->link->ops->max_mem_regions;
    GArray *table;

    if (!pml->changed) {
        return;
    }
    pml->changed = false;
    table = join_neighbours(pml->sections);
    if (table->len > max) {
        if (!pml->told_too_many) {
            pml->told_too_many = true;
            warn_report("%s: guest RAM is in %u pieces and only %u can be "
                        "shared: the device cannot reach the smallest",
                        pml->name, table->len, max);
        }
        while (table->len > max) {
            drop_smallest(table);
        }
    }
    trace_event("proxy_memory_table", "%s %u regions", pml->name, table->len);
    if (table->len) {
        pml->link->ops->set_memory(pml->link,
                                   (const ProxyMemRegion *)table->data,
                                   table->len);
    }
    g_array_free(table, true);
}

static bool ram_is_shareable(Error **errp)
{
    MachineState *ms = current_machine;

    if (ms && MACHINE_GET_CLASS(ms)->no_cpus) {
        error_setg(errp, "machine '%s' has no guest: a proxy belongs to the "
                   "process that has (-machine q35 or pc)",
                   MACHINE_GET_CLASS(ms)->name);
        return false;
    }
    if (ms && ms->ram && (ms->ram->ram->fd < 0 || !ms->ram->ram->shared)) {
        error_setg(errp, "guest RAM cannot be shared with a device's process: "
                   "use -object memory-backend-memfd,id=ID,size=SIZE and "
                   "-machine memory-backend=ID (or memory-backend-file with "
                   "share=on)");
        return false;
    }
    return true;
}

bool proxy_memory_listener_configure(ProxyMemoryListener *pml,
                                     ProxyLink *link, AddressSpace *as,
                                     const char *name, Error **errp)
{
    if (!ram_is_shareable(errp)) {
        return false;
    }
    *pml = (ProxyMemoryListener){
        .link = link, .name = name,
        .sections = g_array_new(false, false, sizeof(ProxyMemRegion)),
        .listener = {
            .name = "proxy", .region_add = region_add,
            .region_del = region_del, .commit = commit, .priority = 10,
        },
    };
    memory_listener_register(&pml->listener, as);
    return true;
}

void proxy_memory_listener_resend(ProxyMemoryListener *pml)
{
    pml->changed = true;
    commit(&pml->listener);
}

void proxy_memory_listener_deconfigure(ProxyMemoryListener *pml)
{
    /* The other side is being left: what unregistering takes away here is not
     * told to it. */
    pml->listener.commit = NULL;
    memory_listener_unregister(&pml->listener);
    g_array_free(pml->sections, true);
    pml->sections = NULL;
}
