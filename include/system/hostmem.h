/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory-backend-ram, -memfd and -file: RAM made by -object, owned by it. */
#ifndef SYSTEM_HOSTMEM_H
#define SYSTEM_HOSTMEM_H

#include "qom/object.h"
#include "system/memory.h"

#define TYPE_MEMORY_BACKEND "memory-backend"
#define TYPE_MEMORY_BACKEND_RAM "memory-backend-ram"
#define TYPE_MEMORY_BACKEND_MEMFD "memory-backend-memfd"
#define TYPE_MEMORY_BACKEND_FILE "memory-backend-file"

struct HostMemoryBackend {
    Object parent_obj;
    uint64_t size;              /* bytes */
    bool share;
    bool prealloc;
    bool merge, dump;           /* KSM may merge it; core dumps have it */
    bool canonical_id;
    bool readonly;              /* only a file can be: it is no RAM then */
    bool is_mapped;             /* used by a machine or device */
    bool lost;                  /* the operator was told of it: ram-lost.c */
    MemoryRegion mr;
};

typedef struct HostMemoryBackendClass {
    ObjectClass parent_class;
    /* Opens what is behind it; returns the block or NULL with @errp. */
    RAMBlock *(*alloc)(HostMemoryBackend *backend, Error **errp);
} HostMemoryBackendClass;
DECLARE_OBJ_CHECKERS(HostMemoryBackend, HostMemoryBackendClass,
                     MEMORY_BACKEND, TYPE_MEMORY_BACKEND)

MemoryRegion *host_memory_backend_get_memory(HostMemoryBackend *backend);

#endif
