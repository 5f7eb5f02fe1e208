/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object memory-backend-ram, -memfd, -file: guest RAM that the operator
 * describes.
 *
 * A memfd is sealed against shrinking once it has its size, so that neither
 * this process nor one that maps it too can be cut off from its pages.  What
 * cannot be sealed is guarded: util/map-guard.c, ram-lost.c.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include <linux/memfd.h>
#include "qemu/bitops.h"
#include "qemu/fdset.h"
#include "system/hostmem.h"

typedef struct HostMemoryBackendMemfd {
    HostMemoryBackend parent_obj;
    bool seal;
    bool hugetlb;
    uint64_t hugetlbsize;       /* bytes; 0: the kernel's default */
} HostMemoryBackendMemfd;
DECLARE_INSTANCE_CHECKER(HostMemoryBackendMemfd, MEMORY_BACKEND_MEMFD,
                         TYPE_MEMORY_BACKEND_MEMFD)

typedef struct HostMemoryBackendFile {
    HostMemoryBackend parent_obj;
    char *mem_path;
    uint64_t offset;            /* bytes, where in the file */
    bool discard_data;
} HostMemoryBackendFile;
DECLARE_INSTANCE_CHECKER(HostMemoryBackendFile, MEMORY_BACKEND_FILE,
                         TYPE_MEMORY_BACKEND_FILE)

MemoryRegion *host_memory_backend_get_memory(HostMemoryBackend *backend)
{
    return &backend->mr;
}

static bool can_be_shortened(const RAMBlock *block)
{
    int seals = block->fd < 0 ? F_SEAL_SHRINK : fcntl(block->fd, F_GET_SEALS);

    return seals < 0 || !(seals & F_SEAL_SHRINK);
}

static bool backend_complete(UserCreatable *uc, Error **errp)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(uc);
    HostMemoryBackendClass *bc = MEMORY_BACKEND_GET_CLASS(uc);
    uint64_t page = sysconf(_SC_PAGESIZE);
    const char *id = object_get_canonical_path_component(OBJECT(uc));
    RAMBlock *block;

    if (!backend->size) {
        error_setg(errp, "memory backend '%s': property 'size' is missing",
                   id ?: "");
        return false;
    }
    if (backend->size % page) {
        error_setg(errp, "memory backend '%s': size %" PRIu64 " is not a "
                   "multiple of the page size, %" PRIu64, id ?: "",
                   backend->size, page);
        return false;
    }
    block = bc->alloc(backend, errp);
    if (!block) {
        return false;
    }
    if (can_be_shortened(block) && !ram_block_guard(block, errp)) {
        ram_block_unref(block);
        return false;
    }
    if (backend->merge) {
        madvise(block->host, block->size, MADV_MERGEABLE);
    }
    if (!backend->dump) {
        madvise(block->host, block->size, MADV_DONTDUMP);
    }
    if (backend->prealloc &&
        madvise(block->host, block->size, MADV_POPULATE_WRITE)) {
        error_setg_errno(errp, errno, "memory backend '%s': cannot "
                         "preallocate %" PRIu64 " bytes", id ?: "",
                         block->size);
        ram_block_unref(block);
        return false;
    }
    memory_region_init_ram_block(&backend->mr, OBJECT(backend),
                                 id ?: "ram", block);
    ram_block_unref(block);
    return true;
}

static bool backend_can_be_deleted(UserCreatable *uc)
{
    return !MEMORY_BACKEND(uc)->is_mapped;
}

static void backend_finalize(Object *obj)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    if (backend->mr.ram) {
        memory_region_finalize(&backend->mr);
    }
}

/* -- What is behind each ------------------------------------------------- */

static const char *backend_name(HostMemoryBackend *backend)
{
    return object_get_canonical_path_component(OBJECT(backend)) ?: "ram";
}

static RAMBlock *ram_alloc(HostMemoryBackend *backend, Error **errp)
{
    return ram_block_new(backend_name(backend), backend->size, -1, 0,
                         backend->share, false, errp);
}

static RAMBlock *memfd_alloc(HostMemoryBackend *backend, Error **errp)
{
    HostMemoryBackendMemfd *m = MEMORY_BACKEND_MEMFD(backend);
    unsigned flags = MFD_CLOEXEC | (m->seal ? MFD_ALLOW_SEALING : 0);
    RAMBlock *block;
    int fd;

    if (m->hugetlbsize &&
        (!m->hugetlb || !is_power_of_2(m->hugetlbsize))) {
        error_setg(errp, "memory-backend-memfd '%s': hugetlbsize %s",
                   backend_name(backend), m->hugetlb ?
                   "must be a power of two" : "needs hugetlb=on");
        return NULL;
    }
    if (m->hugetlb) {
        flags |= MFD_HUGETLB;
        if (m->hugetlbsize) {
            flags |= (unsigned)ctz64(m->hugetlbsize) << MFD_HUGE_SHIFT;
        }
    }
    fd = memfd_create(backend_name(backend), flags);
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot make a memfd for '%s'",
                         backend_name(backend));
        return NULL;
    }
    if (ftruncate(fd, backend->size) < 0) {
        error_setg_errno(errp, errno, "cannot give '%s' %" PRIu64 " bytes",
                         backend_name(backend), backend->size);
        close(fd);
        return NULL;
    }
    if (m->seal && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
                         F_SEAL_SEAL) < 0) {
        error_setg_errno(errp, errno, "cannot seal the memory of '%s'",
                         backend_name(backend));
        close(fd);
        return NULL;
    }
    block = ram_block_new(backend_name(backend), backend->size, fd, 0,
                          backend->share, false, errp);
    if (!block) {
        close(fd);
    }
    return block;
}

/* A folder gets an unnamed file in it; anything else is opened or, unless it
 * is a set of descriptors, made. */
static int file_open(HostMemoryBackendFile *f, bool *fresh, Error **errp)
{
    bool readonly = f->parent_obj.readonly;
    int fd = qemu_open(f->mem_path, readonly ? O_RDONLY : O_RDWR, 0);

    *fresh = false;
    if (fd < 0 && errno == EISDIR) {
        g_autofree char *path = g_build_filename(f->mem_path,
                                                 "qemu-ram-XXXXXX", NULL);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            unlink(path);
            *fresh = true;
        }
    } else if (fd < 0 && errno == ENOENT && !readonly &&
               !qemu_is_fdset(f->mem_path)) {
        fd = open(f->mem_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        *fresh = fd >= 0;
    }
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot open memory file '%s'",
                         f->mem_path);
    }
    return fd;
}

static RAMBlock *file_alloc(HostMemoryBackend *backend, Error **errp)
{
    HostMemoryBackendFile *f = MEMORY_BACKEND_FILE(backend);
    RAMBlock *block;
    struct stat st;
    uint64_t end;
    bool fresh;
    int fd;

    if (!f->mem_path) {
        error_setg(errp, "memory-backend-file '%s': property 'mem-path' is "
                   "missing", backend_name(backend));
        return NULL;
    }
    if (f->offset % sysconf(_SC_PAGESIZE) ||
        __builtin_add_overflow(f->offset, backend->size, &end) ||
        end > INT64_MAX) {
        error_setg(errp, "memory-backend-file '%s': offset %" PRIu64
                   " is not a multiple of the page size, or too large",
                   backend_name(backend), f->offset);
        return NULL;
    }
    fd = file_open(f, &fresh, errp);
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))) {
        error_setg(errp, "memory file '%s' is not a file that can be mapped",
                   f->mem_path);
        goto fail;
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < end) {
        if (st.st_size && !fresh) {
            error_setg(errp, "memory file '%s' has %jd bytes, fewer than the "
                       "%" PRIu64 " that '%s' needs", f->mem_path,
                       (intmax_t)st.st_size, end, backend_name(backend));
            goto fail;
        }
        if (ftruncate(fd, end) < 0) {
            error_setg_errno(errp, errno, "cannot give memory file '%s' "
                             "%" PRIu64 " bytes", f->mem_path, end);
            goto fail;
        }
    }
    block = ram_block_new(backend_name(backend), backend->size, fd, f->offset,
                          backend->share, backend->readonly, errp);
    if (block) {
        block->discard = f->discard_data;
        return block;
    }
fail:
    close(fd);
    return NULL;
}

/* -- Properties ---------------------------------------------------------- */

/* Each plain property is a field at an offset, as in a device's table. */
typedef struct FieldProp {
    const char *name;
    enum { FIELD_BOOL, FIELD_SIZE, FIELD_STR } kind;
    size_t offset;
    const char *description;
} FieldProp;

static JsonNode *field_get(Object *obj, const char *name, void *opaque,
                           Error **errp)
{
    const FieldProp *p = opaque;
    char *at = (char *)obj + p->offset;

    switch (p->kind) {
    case FIELD_BOOL:
        return json_node_new_bool(*(bool *)at);
    case FIELD_SIZE:
        return json_node_new_uint(*(uint64_t *)at);
    default:
        return json_node_new_str(*(char **)at ?: "");
    }
}

static bool field_set(Object *obj, const char *name, JsonNode *value,
                      void *opaque, Error **errp)
{
    const FieldProp *p = opaque;
    char *at = (char *)obj + p->offset;
    const char *text;

    if (MEMORY_BACKEND(obj)->mr.ram) {
        error_setg(errp, "property '%s' cannot change once the memory is made",
                   name);
        return false;
    }
    switch (p->kind) {
    case FIELD_BOOL:
        return json_node_to_bool(value, name, (bool *)at, errp);
    case FIELD_SIZE:
        return json_node_to_size(value, name, (uint64_t *)at, errp);
    default:
        text = json_node_to_str(value, name, errp);
        if (!text) {
            return false;
        }
        g_free(*(char **)at);
        *(char **)at = g_strdup(text);
        return true;
    }
}

static const char *const kind_names[] = {
    [FIELD_BOOL] = "bool", [FIELD_SIZE] = "size", [FIELD_STR] = "str",
};

static void add_fields(ObjectClass *oc, const FieldProp *props, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        object_class_property_add(oc, props[i].name, kind_names[props[i].kind],
                                  field_get, field_set, (void *)&props[i]);
        object_class_property_set_description(oc, props[i].name,
                                              props[i].description);
    }
}

#define BACKEND(f) offsetof(HostMemoryBackend, f)
static const FieldProp backend_props[] = {
    { "size", FIELD_SIZE, BACKEND(size), "bytes of memory" },
    { "share", FIELD_BOOL, BACKEND(share), "other processes may map it" },
    { "prealloc", FIELD_BOOL, BACKEND(prealloc), "take all pages at once" },
    { "merge", FIELD_BOOL, BACKEND(merge), "let KSM merge equal pages" },
    { "dump", FIELD_BOOL, BACKEND(dump), "include it in core dumps" },
    { "x-use-canonical-path-for-ramblock-id", FIELD_BOOL,
      BACKEND(canonical_id), "name of the memory in migration streams" },
};
#define MEMFD(f) offsetof(HostMemoryBackendMemfd, f)
static const FieldProp memfd_props[] = {
    { "seal", FIELD_BOOL, MEMFD(seal), "nobody can shrink it" },
    { "hugetlb", FIELD_BOOL, MEMFD(hugetlb), "use huge pages" },
    { "hugetlbsize", FIELD_SIZE, MEMFD(hugetlbsize), "of one huge page" },
};
#define MEMFILE(f) offsetof(HostMemoryBackendFile, f)
static const FieldProp file_props[] = {
    { "mem-path", FIELD_STR, MEMFILE(mem_path), "file, or folder for one" },
    { "offset", FIELD_SIZE, MEMFILE(offset), "where in the file it begins" },
    { "discard-data", FIELD_BOOL, MEMFILE(discard_data),
      "drop the contents at the end" },
    { "readonly", FIELD_BOOL, BACKEND(readonly), "map it read-only" },
};

static void backend_init(Object *obj)
{
    HostMemoryBackend *backend = MEMORY_BACKEND(obj);

    backend->dump = true;
    backend->merge = true;
}

static void backend_class_init(ObjectClass *oc, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(oc);

    ucc->complete = backend_complete;
    ucc->can_be_deleted = backend_can_be_deleted;
    add_fields(oc, backend_props, ARRAY_SIZE(backend_props));
}

static void ram_class_init(ObjectClass *oc, void *data)
{
    MEMORY_BACKEND_CLASS(oc)->alloc = ram_alloc;
}

static void memfd_init(Object *obj)
{
    MEMORY_BACKEND(obj)->share = true;
    MEMORY_BACKEND_MEMFD(obj)->seal = true;
}

static void memfd_class_init(ObjectClass *oc, void *data)
{
    MEMORY_BACKEND_CLASS(oc)->alloc = memfd_alloc;
    add_fields(oc, memfd_props, ARRAY_SIZE(memfd_props));
}

static void file_finalize(Object *obj)
{
    g_free(MEMORY_BACKEND_FILE(obj)->mem_path);
}

static void file_class_init(ObjectClass *oc, void *data)
{
    MEMORY_BACKEND_CLASS(oc)->alloc = file_alloc;
    add_fields(oc, file_props, ARRAY_SIZE(file_props));
}

static const TypeInfo hostmem_types[] = {
    {
        .name = TYPE_MEMORY_BACKEND,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(HostMemoryBackend),
        .instance_init = backend_init,
        .instance_finalize = backend_finalize,
        .class_size = sizeof(HostMemoryBackendClass),
        .class_init = backend_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { } },
    },
    {
        .name = TYPE_MEMORY_BACKEND_RAM,
        .parent = TYPE_MEMORY_BACKEND,
        .class_init = ram_class_init,
    },
    {
        .name = TYPE_MEMORY_BACKEND_MEMFD,
        .parent = TYPE_MEMORY_BACKEND,
        .instance_size = sizeof(HostMemoryBackendMemfd),
        .instance_init = memfd_init,
        .class_init = memfd_class_init,
    },
    {
        .name = TYPE_MEMORY_BACKEND_FILE,
        .parent = TYPE_MEMORY_BACKEND,
        .instance_size = sizeof(HostMemoryBackendFile),
        .instance_finalize = file_finalize,
        .class_init = file_class_init,
    },
};
DEFINE_TYPES(hostmem_types)
