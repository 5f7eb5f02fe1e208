/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which table of guest RAM a device's process is sent, and when. */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "hw/remote/proxy-memory-listener.h"

#define PAGE 0x1000
#define MAX_REGIONS 3

typedef struct World {
    ProxyLink link;
    MemoryRegion root;
    AddressSpace as;
    ProxyMemoryListener pml;
    int fd;
    ProxyMemRegion table[MAX_REGIONS];
    unsigned nr, tables;
} World;

static void record(ProxyLink *link, const ProxyMemRegion *regions,
                   unsigned nr)
{
    World *w = container_of(link, World, link);

    g_assert_cmpuint(nr, >, 0);
    g_assert_cmpuint(nr, <=, MAX_REGIONS);
    memcpy(w->table, regions, nr * sizeof(*regions));
    w->nr = nr;
    w->tables++;
}

static const ProxyLinkOps ops = {
    .max_mem_regions = MAX_REGIONS, .set_memory = record,
};

static void world_init(World *w)
{
    memset(w, 0, sizeof(*w));
    w->link.ops = &ops;
    w->fd = memfd_create("ram", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(w->fd, 64 * PAGE), ==, 0);
    memory_region_init(&w->root, NULL, "root", UINT64_MAX);
    address_space_init(&w->as, &w->root, "test");
    g_assert_true(proxy_memory_listener_configure(&w->pml, &w->link, &w->as,
                                                  "p", &error_abort));
}

static void world_end(World *w)
{
    unsigned tables = w->tables;

    proxy_memory_listener_deconfigure(&w->pml);
    /* The process is being left: it is told nothing any more. */
    g_assert_cmpuint(w->tables, ==, tables);
    address_space_destroy(&w->as);
    memory_region_finalize(&w->root);
    close(w->fd);
}

static void init_ram(World *w, MemoryRegion *mr, uint64_t page, uint64_t pages,
                     bool shared)
{
    RAMBlock *block = ram_block_new("ram", pages * PAGE, dup(w->fd),
                                    page * PAGE, shared, false, &error_abort);

    memory_region_init_ram_block(mr, NULL, "ram", block);
    ram_block_unref(block);
}

static void add(World *w, uint64_t addr, MemoryRegion *mr)
{
    memory_region_add_subregion(&w->root, addr, mr);
}

static void del(World *w, MemoryRegion *mr)
{
    memory_region_del_subregion(&w->root, mr);
    memory_region_finalize(mr);
}

static void assert_entry(World *w, unsigned i, uint64_t gpa, uint64_t size,
                         uint64_t offset)
{
    struct stat want, got;

    g_assert_cmpuint(i, <, w->nr);
    g_assert_cmphex(w->table[i].gpa, ==, gpa);
    g_assert_cmphex(w->table[i].size, ==, size);
    g_assert_cmphex(w->table[i].offset, ==, offset);
    g_assert_cmpint(fstat(w->fd, &want), ==, 0);
    g_assert_cmpint(fstat(w->table[i].fd, &got), ==, 0);
    g_assert_cmpuint(want.st_ino, ==, got.st_ino);
}

static void test_in_order(void)
{
    MemoryRegion high, low;
    World w;

    world_init(&w);
    g_assert_cmpuint(w.tables, ==, 0);
    init_ram(&w, &high, 8, 2, true);
    init_ram(&w, &low, 0, 4, true);
    add(&w, 1ULL << 32, &high);
    add(&w, PAGE, &low);
    g_assert_cmpuint(w.tables, ==, 2);
    g_assert_cmpuint(w.nr, ==, 2);
    assert_entry(&w, 0, PAGE, 4 * PAGE, 0);
    assert_entry(&w, 1, 1ULL << 32, 2 * PAGE, 8 * PAGE);
    del(&w, &low);
    g_assert_cmpuint(w.tables, ==, 3);
    g_assert_cmpuint(w.nr, ==, 1);
    assert_entry(&w, 0, 1ULL << 32, 2 * PAGE, 8 * PAGE);
    /* A table without regions is no message. */
    del(&w, &high);
    g_assert_cmpuint(w.tables, ==, 3);
    world_end(&w);
}

static void test_aliases_are_joined(void)
{
    MemoryRegion ram, again, a, b, c;
    World w;

    world_init(&w);
    init_ram(&w, &ram, 16, 8, true);
    memory_region_init_ram_block(&again, NULL, "again", ram.ram);
    memory_region_init_alias(&a, NULL, "a", &ram, 0, 2 * PAGE);
    memory_region_init_alias(&b, NULL, "b", &again, 2 * PAGE, PAGE);
    memory_region_init_alias(&c, NULL, "c", &ram, 7 * PAGE, PAGE);
    memory_region_transaction_begin();
    add(&w, 0, &a);
    add(&w, 2 * PAGE, &b);
    add(&w, 3 * PAGE, &c);
    memory_region_transaction_commit();
    g_assert_cmpuint(w.tables, ==, 1);
    g_assert_cmpuint(w.nr, ==, 2);
    assert_entry(&w, 0, 0, 3 * PAGE, 16 * PAGE);
    /* Beside them, but another piece of the memory. */
    assert_entry(&w, 1, 3 * PAGE, PAGE, 23 * PAGE);
    del(&w, &a);
    del(&w, &b);
    del(&w, &c);
    memory_region_finalize(&again);
    memory_region_finalize(&ram);
    world_end(&w);
}

static void test_left_out(void)
{
    MemoryRegion shared, private, anonymous, rom;
    World w;

    world_init(&w);
    init_ram(&w, &shared, 0, 1, true);
    init_ram(&w, &private, 8, 1, false);
    init_ram(&w, &rom, 4, 1, true);
    memory_region_set_readonly(&rom, true);
    memory_region_init_ram(&anonymous, NULL, "own", PAGE, &error_abort);
    add(&w, 0, &private);
    add(&w, PAGE, &anonymous);
    add(&w, 2 * PAGE, &rom);
    g_assert_cmpuint(w.tables, ==, 0);
    add(&w, 3 * PAGE, &shared);
    g_assert_cmpuint(w.tables, ==, 1);
    g_assert_cmpuint(w.nr, ==, 1);
    assert_entry(&w, 0, 3 * PAGE, PAGE, 0);
    /* None of them was in it, so there is nothing to tell. */
    del(&w, &private);
    del(&w, &anonymous);
    del(&w, &rom);
    g_assert_cmpuint(w.tables, ==, 1);
    del(&w, &shared);
    world_end(&w);
}

static void test_largest(void)
{
    static const uint8_t pages[] = { 4, 1, 3, 2, 5 };
    MemoryRegion ram[ARRAY_SIZE(pages)];
    World w;

    world_init(&w);
    memory_region_transaction_begin();
    for (int i = 0; i < ARRAY_SIZE(pages); i++) {
        init_ram(&w, &ram[i], 8 * i, pages[i], true);
        add(&w, 0x100000 * i, &ram[i]);
    }
    memory_region_transaction_commit();
    g_assert_cmpuint(w.tables, ==, 1);
    g_assert_cmpuint(w.nr, ==, 3);
    assert_entry(&w, 0, 0, 4 * PAGE, 0);
    assert_entry(&w, 1, 0x200000, 3 * PAGE, 16 * PAGE);
    assert_entry(&w, 2, 0x400000, 5 * PAGE, 32 * PAGE);
    g_assert_true(w.pml.told_too_many);
    /* There is room again. */
    del(&w, &ram[0]);
    del(&w, &ram[4]);
    assert_entry(&w, 0, 0x100000, PAGE, 8 * PAGE);
    assert_entry(&w, 1, 0x200000, 3 * PAGE, 16 * PAGE);
    assert_entry(&w, 2, 0x300000, 2 * PAGE, 24 * PAGE);
    for (int i = 1; i < 4; i++) {
        del(&w, &ram[i]);
    }
    world_end(&w);
}

static void test_again(void)
{
    MemoryRegion ram;
    World w;

    world_init(&w);
    init_ram(&w, &ram, 0, 4, true);
    add(&w, 0, &ram);
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    g_assert_cmpuint(w.tables, ==, 1);
    w.nr = 0;
    proxy_memory_listener_resend(&w.pml);
    g_assert_cmpuint(w.tables, ==, 2);
    assert_entry(&w, 0, 0, 4 * PAGE, 0);
    del(&w, &ram);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_init();
    g_test_add_func("/proxy-memory/regions-are-in-order", test_in_order);
    g_test_add_func("/proxy-memory/neighbours-are-joined",
                    test_aliases_are_joined);
    g_test_add_func("/proxy-memory/what-cannot-be-shared-is-left-out",
                    test_left_out);
    g_test_add_func("/proxy-memory/the-largest-are-sent", test_largest);
    g_test_add_func("/proxy-memory/another-process-gets-it-again", test_again);
    return g_test_run();
}
