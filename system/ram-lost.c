/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest RAM in a file that somebody else shortens.  The process goes on
 * (util/map-guard.c), the guest cannot, with memory gone that it had written:
 * the VM stops as after an error of KVM, and the operator is told of which file.
 * Noticed where memory is used: by an access of this process, or by the vCPU
 * that KVM cannot let run on.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "qemu/map-guard.h"
#include "system/hostmem.h"
#include "system/runstate.h"

static EventNotifier lost;

static bool is_short(const RAMBlock *block)
{
    struct stat st;

    return block->fd >= 0 && fstat(block->fd, &st) == 0 &&
           S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size < block->fd_offset + block->size;
}

static int look(Object *obj, void *opaque)
{
    HostMemoryBackend *backend = (HostMemoryBackend *)
        object_dynamic_cast(obj, TYPE_MEMORY_BACKEND);
    RAMBlock *block = backend ? backend->mr.ram : NULL;

    if (block && !backend->lost &&
        (map_guard_lost(block->guard) || is_short(block))) {
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", block->fd);
        g_autofree char *path = g_file_read_link(link, NULL);

        backend->lost = true;
        error_report("memory of the guest is lost: the file of '%s', %s, has "
                     "been shortened; the guest is stopped", block->name,
                     path ?: "whose name is not known");
        vm_stop(RUN_STATE_INTERNAL_ERROR);
    }
    return 0;
}

static void on_lost(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
    object_child_foreach(object_get_objects_root(), look, NULL);
}

bool ram_lost_init(Error **errp)
{
    int ret = event_notifier_init(&lost, false);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot watch the guest's memory");
        return false;
    }
    aio_set_event_notifier(qemu_get_aio_context(), &lost, on_lost);
    map_guard_init(&lost);
    return true;
}

void ram_lost_check(void)
{
    event_notifier_set(&lost);
}
