/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory regions, flattening, dispatch, listeners, RAM blocks. */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include <linux/memfd.h>
#include "qemu/bswap.h"
#include "system/hostmem.h"
#include "system/memory.h"

typedef struct Access {
    hwaddr addr;
    uint64_t data;
    unsigned size;
    bool write;
} Access;

typedef struct Regs {
    MemoryRegion mr;
    Access log[32];
    int n;
    MemTxResult result;
} Regs;

static MemTxResult regs_read(void *opaque, hwaddr addr, uint64_t *data,
                             unsigned size, MemTxAttrs attrs)
{
    Regs *r = opaque;

    r->log[r->n++ % 32] = (Access){ addr, 0, size, false };
    *data = 0x8877665544332211ULL >> (addr % 8 * 8);
    return r->result;
}

static MemTxResult regs_write(void *opaque, hwaddr addr, uint64_t data,
                              unsigned size, MemTxAttrs attrs)
{
    Regs *r = opaque;

    r->log[r->n++ % 32] = (Access){ addr, data, size, true };
    return r->result;
}

static const MemoryRegionOps ops_any = {
    .read_with_attrs = regs_read, .write_with_attrs = regs_write,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};
static const MemoryRegionOps ops_dword = {
    .read_with_attrs = regs_read, .write_with_attrs = regs_write,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};
static const MemoryRegionOps ops_default = {
    .read_with_attrs = regs_read, .write_with_attrs = regs_write,
};

typedef struct World {
    MemoryRegion root;
    AddressSpace as;
} World;

static void world_init(World *w)
{
    memory_region_init(&w->root, NULL, "root", UINT64_MAX);
    address_space_init(&w->as, &w->root, "test");
}

static void world_end(World *w)
{
    address_space_destroy(&w->as);
    memory_region_finalize(&w->root);
}

static void regs_init(Regs *r, const MemoryRegionOps *ops, uint64_t size)
{
    *r = (Regs){ .n = 0 };
    memory_region_init_io(&r->mr, NULL, ops, r, "regs", size);
}

static uint64_t read_as(AddressSpace *as, hwaddr addr, unsigned size)
{
    uint64_t v = 0;

    address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, &v, size);
    return v;
}

static void test_priority(void)
{
    MemoryRegion low, high;
    World w;

    world_init(&w);
    memory_region_init_ram(&low, NULL, "low", 0x4000, &error_abort);
    memory_region_init_ram(&high, NULL, "high", 0x1000, &error_abort);
    memset(memory_region_get_ram_ptr(&low), 1, 0x4000);
    memset(memory_region_get_ram_ptr(&high), 2, 0x1000);
    memory_region_add_subregion_overlap(&w.root, 0x2000, &high, 1);
    memory_region_add_subregion(&w.root, 0x1000, &low);
    g_assert_cmphex(read_as(&w.as, 0x1fff, 2), ==, 0x0201);
    g_assert_cmphex(read_as(&w.as, 0x2fff, 2), ==, 0x0102);
    g_assert_cmphex(read_as(&w.as, 0x0fff, 2), ==, 0x01ff);
    g_assert_cmphex(read_as(&w.as, 0x4fff, 2), ==, 0xff01);
    memory_region_set_enabled(&high, false);
    g_assert_cmphex(read_as(&w.as, 0x1fff, 2), ==, 0x0101);
    memory_region_del_subregion(&w.root, &low);
    g_assert_cmphex(read_as(&w.as, 0x1000, 1), ==, 0xff);
    memory_region_finalize(&low);
    memory_region_finalize(&high);
    world_end(&w);
}

/* So that KVM can map it by huge pages: it begins at one in the guest. */
static void test_huge_page_alignment(void)
{
    static const uint64_t sizes[] = {
        2 * MiB, 2 * MiB + 4096, 3 * MiB, 64 * MiB,
    };

    for (int i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        uint64_t size = sizes[i / 2];
        int fd = i % 2 ? memfd_create("test", MFD_CLOEXEC) : -1;
        RAMBlock *block;

        g_assert_true(fd < 0 || !ftruncate(fd, size));
        block = ram_block_new("test", size, fd, 0, fd >= 0, false,
                              &error_abort);
        g_assert_cmphex((uintptr_t)block->host % (2 * MiB), ==, 0);
        memset(block->host, 1, size);
        ram_block_unref(block);
    }
}

/* The kernel maps the whole of the last one, and needs to have none for that. */
static void test_huge_pages_overwrite_nothing(void)
{
    uint64_t size = 2 * MiB + 4096, beside_size = 4 * MiB + 4096;
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
    uint8_t *beside;
    RAMBlock *block;

    if (fd < 0 || ftruncate(fd, 4 * MiB)) {
        g_test_skip("this kernel has no huge pages");
        return;
    }
    /* Whatever is mapped next comes below it, where there is room. */
    beside = mmap(NULL, beside_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(beside != MAP_FAILED);
    memset(beside, 0x5a, beside_size);
    block = ram_block_new("test", size, fd, 0, true, false, NULL);
    for (uint64_t i = 0; i < beside_size; i++) {
        g_assert_cmpint(beside[i], ==, 0x5a);
    }
    ram_block_unref(block);
    munmap(beside, beside_size);
    close(fd);
}

/* Pages of address space that this process has. */
static long address_space(void)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    return atol(text);
}

static void test_huge_pages_are_given_back(void)
{
    static const uint64_t sizes[] = {
        4096, 2 * MiB - 4096, 2 * MiB, 2 * MiB + 4096, 4 * MiB,
    };
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
    long before = address_space();

    if (fd < 0 || ftruncate(fd, 4 * MiB)) {
        g_test_skip("this kernel has no huge pages");
        return;
    }
    for (int i = 0; i < 50; i++) {
        uint64_t size = sizes[i % ARRAY_SIZE(sizes)];
        int block_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        RAMBlock *block = ram_block_new("test", size, block_fd, 0, true, false,
                                        &error_abort);

        g_assert_cmpuint(block->size, ==, size);
        g_assert_cmphex((uintptr_t)block->host % (2 * MiB), ==, 0);
        ram_block_unref(block);
    }
    /* Of a page at a time, it would be 100 MiB. */
    g_assert_cmpint(address_space() - before, <, 20 * MiB / 4096);
    close(fd);
}

static void test_unmappable_block(void)
{
    int folder = open("/", O_RDONLY | O_CLOEXEC);
    Error *err = NULL;

    g_assert_null(ram_block_new("test", UINT64_MAX - 4095, -1, 0, false,
                                false, &err));
    g_assert_nonnull(err);
    error_free(err);
    err = NULL;
    g_assert_null(ram_block_new("test", 4 * MiB, folder, 0, true, false,
                                &err));
    g_assert_nonnull(err);
    error_free(err);
    close(folder);
}

static void test_alias(void)
{
    MemoryRegion ram, alias;
    World w;

    world_init(&w);
    memory_region_init_ram(&ram, NULL, "ram", 0x3000, &error_abort);
    stl_le_p((uint8_t *)memory_region_get_ram_ptr(&ram) + 0x1004, 0xabcd);
    memory_region_init_alias(&alias, NULL, "alias", &ram, 0x1000, 0x1000);
    memory_region_add_subregion(&w.root, 0xfffffffffffff000ULL, &alias);
    g_assert_cmphex(read_as(&w.as, 0xfffffffffffff004ULL, 4), ==, 0xabcd);
    memory_region_set_readonly(&alias, true);
    g_assert_cmpint(address_space_write(&w.as, 0xfffffffffffff004ULL,
                                        MEMTXATTRS_UNSPECIFIED, "x", 1), ==,
                    MEMTX_ERROR);
    g_assert_cmphex(read_as(&w.as, 0xfffffffffffff004ULL, 4), ==, 0xabcd);
    memory_region_set_alias_offset(&alias, 0);
    g_assert_cmphex(read_as(&w.as, 0xfffffffffffff004ULL, 4), ==, 0);
    /* The target goes first: the alias shows nothing any more. */
    memory_region_finalize(&ram);
    g_assert_cmphex(read_as(&w.as, 0xfffffffffffff004ULL, 1), ==, 0xff);
    memory_region_finalize(&alias);
    world_end(&w);
}

/* A window that shows registers and ROM; what is written to it is RAM's. */
static void test_writes_elsewhere(void)
{
    MemoryRegion space, rom, window, ram;
    RAMBlock *block;
    uint64_t len = 4;
    World w;
    Regs r;

    world_init(&w);
    regs_init(&r, &ops_any, 0x1000);
    memory_region_init(&space, NULL, "space", 0x10000);
    memory_region_init_ram(&rom, NULL, "rom", 0x1000, &error_abort);
    memory_region_init_ram(&ram, NULL, "ram", 0x4000, &error_abort);
    memory_region_add_subregion(&space, 0x8000, &r.mr);
    memory_region_add_subregion(&space, 0x9000, &rom);
    memory_region_init_alias(&window, NULL, "window", &space, 0x8000, 0x2000);
    memory_region_add_subregion(&w.root, 0x50000, &window);
    memory_region_set_write_to(&window, &ram, 0x1000);
    /* One write over both. */
    address_space_write(&w.as, 0x50ffe, MEMTXATTRS_UNSPECIFIED, "abcd", 4);
    g_assert_cmpmem((char *)memory_region_get_ram_ptr(&ram) + 0x1ffe, 4,
                    "abcd", 4);
    g_assert_cmpint(r.n, ==, 0);
    g_assert_cmphex(read_as(&w.as, 0x51000, 4), ==, 0);
    g_assert_cmphex(read_as(&w.as, 0x50000, 4), ==, 0x44332211);
    g_assert_null(address_space_map(&w.as, 0x51000, &len, true, &block));
    memory_region_set_write_to(&window, NULL, 0);
    address_space_write(&w.as, 0x51000, MEMTXATTRS_UNSPECIFIED, "x", 1);
    g_assert_cmphex(read_as(&w.as, 0x51000, 1), ==, 'x');
    memory_region_finalize(&window);
    memory_region_finalize(&space);
    memory_region_finalize(&r.mr);
    memory_region_finalize(&rom);
    memory_region_finalize(&ram);
    world_end(&w);
}

static void test_split_and_widen(void)
{
    Regs any, dword, plain;
    World w;

    world_init(&w);
    regs_init(&any, &ops_any, 0x100);
    regs_init(&dword, &ops_dword, 0x100);
    regs_init(&plain, &ops_default, 0x100);
    memory_region_add_subregion(&w.root, 0x1000, &any.mr);
    memory_region_add_subregion(&w.root, 0x2000, &dword.mr);
    memory_region_add_subregion(&w.root, 0x3000, &plain.mr);

    g_assert_cmphex(read_as(&w.as, 0x1000, 8), ==, 0x8877665544332211ULL);
    g_assert_cmpint(any.n, ==, 1);
    g_assert_cmphex(read_as(&w.as, 0x2000, 8), ==, 0x8877665544332211ULL);
    g_assert_cmpint(dword.n, ==, 2);
    g_assert_cmphex(read_as(&w.as, 0x2003, 1), ==, 0x44);
    g_assert_cmpint(dword.log[2].size, ==, 4);
    g_assert_cmphex(dword.log[2].addr, ==, 0);
    /* What is not aligned comes in aligned pieces. */
    any.n = 0;
    g_assert_cmphex(read_as(&w.as, 0x1003, 4), ==, 0x77665544);
    g_assert_cmpint(any.n, ==, 3);
    g_assert_cmpint(any.log[0].size, ==, 1);
    g_assert_cmpint(any.log[1].size, ==, 2);
    g_assert_cmpint(any.log[2].size, ==, 1);
    memory_region_finalize(&any.mr);
    memory_region_finalize(&dword.mr);
    memory_region_finalize(&plain.mr);
    world_end(&w);
}

static void test_bounds(void)
{
    uint64_t v;
    Regs r;

    regs_init(&r, &ops_any, 0x100);
    g_assert_cmpint(memory_region_dispatch_read(&r.mr, 0xfc, &v, 8,
                                                MEMTXATTRS_UNSPECIFIED), ==,
                    MEMTX_DECODE_ERROR);
    g_assert_cmphex(v, ==, UINT64_MAX);
    g_assert_cmpint(memory_region_dispatch_read(&r.mr, UINT64_MAX, &v, 1,
                                                MEMTXATTRS_UNSPECIFIED), ==,
                    MEMTX_DECODE_ERROR);
    g_assert_cmphex(v, ==, 0xff);
    g_assert_cmpint(memory_region_dispatch_write(&r.mr, 1, 0, 2,
                                                 MEMTXATTRS_UNSPECIFIED), ==,
                    MEMTX_DECODE_ERROR);
    g_assert_cmpint(r.n, ==, 0);
    r.result = MEMTX_ERROR;
    memory_region_dispatch_read(&r.mr, 0, &v, 4, MEMTXATTRS_UNSPECIFIED);
    g_assert_cmphex(v, ==, 0xffffffff);
    memory_region_finalize(&r.mr);
}

/* Who asks for memory alone gets no register, whatever is beside it. */
static void test_memory_only(void)
{
    MemTxAttrs memory = { .memory = true };
    World w;
    Regs r = { .n = 0 };
    MemoryRegion ram;
    uint64_t v[2] = { 1, 2 };

    world_init(&w);
    memory_region_init_ram(&ram, NULL, "ram", 0x1000, &error_abort);
    memory_region_init_io(&r.mr, NULL, &ops_any, &r, "regs", 0x1000);
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_add_subregion(&w.root, 0x1000, &r.mr);

    g_assert_cmpint(address_space_write(&w.as, 0xff8, memory, v, 16), ==,
                    MEMTX_ERROR);
    g_assert_cmpint(address_space_read(&w.as, 0xff8, memory, v, 16), ==,
                    MEMTX_ERROR);
    g_assert_cmphex(v[0], ==, 1);
    g_assert_cmphex(v[1], ==, UINT64_MAX);
    g_assert_cmpint(r.n, ==, 0);
    g_assert_cmpint(address_space_write(&w.as, 0x1000, MEMTXATTRS_UNSPECIFIED,
                                        v, 8), ==, MEMTX_OK);
    g_assert_cmpint(r.n, ==, 1);

    memory_region_finalize(&ram);
    memory_region_finalize(&r.mr);
    world_end(&w);
}

static void test_wrap(void)
{
    uint8_t buf[16];
    MemoryRegion ram;
    World w;

    world_init(&w);
    memory_region_init_ram(&ram, NULL, "ram", 0x1000, &error_abort);
    memory_region_add_subregion(&w.root, UINT64_MAX - 0xfff, &ram);
    memset(buf, 0, sizeof(buf));
    g_assert_cmpint(address_space_read(&w.as, UINT64_MAX - 7,
                                       MEMTXATTRS_UNSPECIFIED, buf, 16), ==,
                    MEMTX_DECODE_ERROR);
    g_assert_cmphex(buf[7], ==, 0);
    g_assert_cmphex(buf[8], ==, 0xff);
    g_assert_cmpint(address_space_read(&w.as, UINT64_MAX - 7,
                                       MEMTXATTRS_UNSPECIFIED, buf, 8), ==,
                    MEMTX_OK);
    memory_region_finalize(&ram);
    world_end(&w);
}

static void test_map(void)
{
    uint64_t len = 0x10000;
    MemoryRegion ram;
    RAMBlock *block;
    uint8_t *p;
    World w;

    world_init(&w);
    memory_region_init_ram(&ram, NULL, "ram", 0x2000, &error_abort);
    memory_region_add_subregion(&w.root, 0x1000, &ram);
    p = address_space_map(&w.as, 0x2800, &len, true, &block);
    g_assert_nonnull(p);
    g_assert_cmphex(len, ==, 0x800);
    /* The region goes while I/O is under way: the memory stays. */
    memory_region_finalize(&ram);
    p[0x7ff] = 1;
    address_space_unmap(block);
    len = 1;
    g_assert_null(address_space_map(&w.as, 0x2800, &len, true, &block));
    world_end(&w);
}

typedef struct Told {
    MemoryListener l;
    GString *text;
} Told;

static void told_add(MemoryListener *l, MemoryRegionSection *s)
{
    g_string_append_printf(container_of(l, Told, l)->text, "+%" PRIx64 ":%"
                           PRIx64 " ", s->offset_within_address_space,
                           s->size);
}

static void told_del(MemoryListener *l, MemoryRegionSection *s)
{
    g_string_append_printf(container_of(l, Told, l)->text, "-%" PRIx64 ":%"
                           PRIx64 " ", s->offset_within_address_space,
                           s->size);
}

static void told_fd(MemoryListener *l, MemoryRegionSection *s, bool match,
                    uint64_t data, EventNotifier *e)
{
    g_string_append_printf(container_of(l, Told, l)->text, "fd%" PRIx64 " ",
                           s->offset_within_address_space);
}

static void expect(Told *t, const char *text)
{
    g_assert_cmpstr(t->text->str, ==, text);
    g_string_truncate(t->text, 0);
}

static void test_listener(void)
{
    Told t = { .l = { .region_add = told_add, .region_del = told_del,
                      .eventfd_add = told_fd, .eventfd_del = told_fd },
               .text = g_string_new("") };
    EventNotifier e;
    MemoryRegion ram;
    Regs r;
    World w;

    world_init(&w);
    memory_region_init_ram(&ram, NULL, "ram", 0x4000, &error_abort);
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_listener_register(&t.l, &w.as);
    expect(&t, "+0:4000 ");
    regs_init(&r, &ops_any, 0x1000);
    memory_region_transaction_begin();
    memory_region_add_subregion_overlap(&w.root, 0x1000, &r.mr, 1);
    expect(&t, "");
    memory_region_transaction_commit();
    expect(&t, "-0:4000 +0:1000 +1000:1000 +2000:2000 ");
    g_assert_cmpint(event_notifier_init(&e, false), ==, 0);
    memory_region_add_eventfd(&r.mr, 0x10, 4, true, 7, &e);
    expect(&t, "fd1010 ");
    address_space_write(&w.as, 0x1010, MEMTXATTRS_UNSPECIFIED, "\7\0\0\0", 4);
    g_assert_true(event_notifier_test_and_clear(&e));
    g_assert_cmpint(r.n, ==, 0);
    address_space_write(&w.as, 0x1010, MEMTXATTRS_UNSPECIFIED, "\6\0\0\0", 4);
    g_assert_cmpint(r.n, ==, 1);
    memory_region_set_address(&r.mr, 0x3000);
    expect(&t, "fd1010 -0:1000 -1000:1000 -2000:2000 +0:3000 +3000:1000 "
           "fd3010 ");
    memory_region_del_eventfd(&r.mr, 0x10, 4, true, 7, &e);
    expect(&t, "fd3010 ");
    memory_listener_unregister(&t.l);
    expect(&t, "-0:3000 -3000:1000 ");
    memory_region_finalize(&r.mr);
    memory_region_finalize(&ram);
    event_notifier_cleanup(&e);
    g_string_free(t.text, true);
    world_end(&w);
}

static void test_neighbour_untouched(void)
{
    Told t = { .l = { .region_add = told_add, .region_del = told_del },
               .text = g_string_new("") };
    MemoryRegion other;
    World a, b;

    world_init(&a);
    world_init(&b);
    memory_listener_register(&t.l, &b.as);
    memory_region_init_ram(&other, NULL, "ram", 0x1000, &error_abort);
    memory_region_add_subregion(&a.root, 0, &other);
    expect(&t, "");
    memory_listener_unregister(&t.l);
    memory_region_finalize(&other);
    world_end(&a);
    world_end(&b);
    g_string_free(t.text, true);
}

static Object *backend(const char *json, Error **errp)
{
    g_autoptr(JsonParser) parser = json_parser_new();

    g_assert_true(json_parser_load_from_data(parser, json, -1, NULL));
    return user_creatable_add(json_node_get_object(
        json_parser_get_root(parser)), errp);
}

static void test_memfd_is_sealed(void)
{
    Object *obj = backend("{'qom-type':'memory-backend-memfd','id':'m0',"
                          "'size':'64k'}", &error_abort);
    MemoryRegion *mr = host_memory_backend_get_memory(MEMORY_BACKEND(obj));
    int fd = memory_region_get_fd(mr);

    g_assert_cmpuint(memory_region_size(mr), ==, 65536);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, 4096), ==, -1);
    g_assert_true(mr->ram->shared);
    g_assert_true(user_creatable_del("m0", &error_abort));
}

static void test_backend_refusals(void)
{
    static const char *const wrong[][2] = {
        { "{'qom-type':'memory-backend-ram','id':'m1'}", "'size' is missing" },
        { "{'qom-type':'memory-backend-ram','id':'m1','size':100}",
          "multiple of the page size" },
        { "{'qom-type':'memory-backend-file','id':'m1','size':4096}",
          "'mem-path' is missing" },
        { "{'qom-type':'memory-backend-file','id':'m1','size':4096,"
          "'mem-path':'/nonexistent/x'}", "No such file" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error *err = NULL;

        g_assert_null(backend(wrong[i][0], &err));
        g_assert_nonnull(strstr(error_get_pretty(err), wrong[i][1]));
        error_free(err);
    }
}

static void test_finalize_before_init(void)
{
    MemoryRegion mr = { 0 };

    memory_region_finalize(&mr);
    memory_region_init(&mr, NULL, "twice", 16);
    memory_region_finalize(&mr);
    memory_region_finalize(&mr);
    g_assert_null(mr.name);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/higher-priority-hides", test_priority);
    g_test_add_func("/memory/ram-begins-at-a-huge-page",
                    test_huge_page_alignment);
    g_test_add_func("/memory/huge-pages-overwrite-nothing",
                    test_huge_pages_overwrite_nothing);
    g_test_add_func("/memory/huge-pages-are-given-back",
                    test_huge_pages_are_given_back);
    g_test_add_func("/memory/what-cannot-be-mapped-is-an-error",
                    test_unmappable_block);
    g_test_add_func("/memory/finalize-before-init-does-nothing",
                    test_finalize_before_init);
    g_test_add_func("/memory/alias-shows-its-target", test_alias);
    g_test_add_func("/memory/writes-may-go-elsewhere", test_writes_elsewhere);
    g_test_add_func("/memory/accesses-split-and-widen", test_split_and_widen);
    g_test_add_func("/memory/out-of-bounds-reads-as-ones", test_bounds);
    g_test_add_func("/memory/memory-alone-is-no-register", test_memory_only);
    g_test_add_func("/memory/end-of-address-space", test_wrap);
    g_test_add_func("/memory/mapping-outlives-region", test_map);
    g_test_add_func("/memory/listener-hears-the-difference", test_listener);
    g_test_add_func("/memory/trees-do-not-meet", test_neighbour_untouched);
    g_test_add_func("/hostmem/memfd-cannot-shrink", test_memfd_is_sealed);
    g_test_add_func("/hostmem/wrong-backends-are-refused",
                    test_backend_refusals);
    return g_test_run();
}
