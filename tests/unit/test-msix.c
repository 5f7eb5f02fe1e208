/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI and MSI-X: registers, masks, pending bits, and the messages sent.
 */
#include "qemu/osdep.h"
#include "pci-world.h"

#define APIC 0xfee00000u
#define TABLE 0xe0000000u       /* the exclusive BAR in these tests */
#define PBA (TABLE + 0x800)

static MSIMessage sent[16];
static int nr_sent;

static void record(MSIMessage msg)
{
    g_assert_cmpint(nr_sent, <, ARRAY_SIZE(sent));
    sent[nr_sent++] = msg;
}

static PCIDevice *dev_new(World *w)
{
    PCIDevice *d;

    nr_sent = 0;
    world_init(w, TYPE_PCI_BUS);
    d = pci_create_simple(w->bus, -1, TYPE_TEST_DEV);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2);
    return d;
}

/* -- MSI ------------------------------------------------------------------- */

static void test_msi_registers(void)
{
    static const struct {
        bool bit64, mask;
        uint16_t flags;
        uint8_t size;
    } kinds[] = {
        { false, false, 0x0006, 10 }, { true, false, 0x0086, 14 },
        { false, true, 0x0106, 20 }, { true, true, 0x0186, 24 },
    };
    World w;
    int i, j;

    for (i = 0; i < ARRAY_SIZE(kinds); i++) {
        PCIDevice *d = dev_new(&w);
        int taken = 0;

        g_assert_cmpint(msi_init(d, 0x60, 8, kinds[i].bit64, kinds[i].mask,
                                 &error_abort), ==, 0);
        for (j = 0x40; j < 0x100; j++) {
            taken += d->used[j] != 0;
        }
        g_assert_cmpint(taken, ==, kinds[i].size);
        g_assert_cmphex(cfg_read(d, 0x62, 2), ==, kinds[i].flags);
        cfg_write(d, 0x62, 0xffff, 2);
        g_assert_cmphex(cfg_read(d, 0x62, 2), ==, kinds[i].flags | 0x71);
        for (j = 0x64; j < 0x60 + kinds[i].size; j += 2) {
            cfg_write(d, j, 0xffff, 2);
        }
        g_assert_cmphex(cfg_read(d, 0x64, 4), ==, 0xfffffffc);
        if (kinds[i].mask) {
            g_assert_cmphex(cfg_read(d, 0x60 + kinds[i].size - 8, 4), ==, 0xff);
            g_assert_cmphex(cfg_read(d, 0x60 + kinds[i].size - 4, 4), ==, 0);
        }
        pci_device_reset(d);
        g_assert_cmphex(cfg_read(d, 0x62, 2), ==, kinds[i].flags);
        g_assert_cmphex(cfg_read(d, 0x64, 4), ==, 0);
        world_clear(&w);
    }
}

static void test_msi_vectors(void)
{
    World w;
    PCIDevice *d = dev_new(&w);

    msi_init(d, 0x60, 4, true, false, &error_abort);
    msi_notify(d, 0);
    g_assert_cmpint(nr_sent, ==, 0);
    cfg_write(d, 0x64, APIC | 0x1000, 4);
    cfg_write(d, 0x6c, 0x4147, 2);
    cfg_write(d, 0x62, PCI_MSI_FLAGS_ENABLE | 2 << 4, 2);
    g_assert_true(msi_enabled(d));
    msi_notify(d, 2);
    g_assert_cmpint(nr_sent, ==, 1);
    g_assert_cmphex(sent[0].address, ==, APIC | 0x1000);
    g_assert_cmphex(sent[0].data, ==, 0x4146);
    /* Given two of its four vectors: it shares them. */
    cfg_write(d, 0x62, PCI_MSI_FLAGS_ENABLE | 1 << 4, 2);
    cfg_write(d, 0x6c, 0x4140, 2);
    msi_notify(d, 3);
    g_assert_cmphex(sent[1].data, ==, 0x4141);
    /* More than it asked for means no more than it asked for. */
    cfg_write(d, 0x62, PCI_MSI_FLAGS_ENABLE | 7 << 4, 2);
    msi_notify(d, 3);
    g_assert_cmphex(sent[2].data, ==, 0x4143);
    g_assert_cmpint(nr_sent, ==, 3);
    world_clear(&w);
}

static void test_msi_mask(void)
{
    World w;
    PCIDevice *d = dev_new(&w);

    msi_init(d, 0x60, 2, false, true, &error_abort);
    cfg_write(d, 0x64, APIC, 4);
    cfg_write(d, 0x68, 0x40, 2);
    cfg_write(d, 0x6c, 0x3, 4);
    cfg_write(d, 0x62, PCI_MSI_FLAGS_ENABLE | 1 << 4, 2);
    msi_notify(d, 1);
    msi_notify(d, 1);
    g_assert_cmpint(nr_sent, ==, 0);
    g_assert_cmphex(cfg_read(d, 0x70, 4), ==, 2);
    cfg_write(d, 0x6c, 0x2, 1);
    g_assert_cmpint(nr_sent, ==, 0);
    cfg_write(d, 0x6c, 0x0, 1);
    g_assert_cmpint(nr_sent, ==, 1);
    g_assert_cmphex(sent[0].data, ==, 0x41);
    g_assert_cmphex(cfg_read(d, 0x70, 4), ==, 0);
    world_clear(&w);
}

static void write_sends(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    msi_notify(opaque, 0);
}

static const MemoryRegionOps sends_ops = { .write = write_sends };

/* A message is a write of the device's: no mastering, no message. */
static void test_msi_is_a_write(void)
{
    World w;
    PCIDevice *d = dev_new(&w);
    MemoryRegion ram, regs;

    memory_region_init_ram(&ram, NULL, "ram", 0x1000, &error_abort);
    memory_region_add_subregion(&w.mem, 0x1000, &ram);
    msi_init(d, 0x60, 1, true, false, &error_abort);
    cfg_write(d, 0x64, APIC, 4);
    cfg_write(d, 0x6c, 0x41, 2);
    cfg_write(d, 0x62, PCI_MSI_FLAGS_ENABLE, 2);
    cfg_write(d, PCI_COMMAND, 0, 2);
    msi_notify(d, 0);
    g_assert_cmpint(nr_sent, ==, 0);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    cfg_write(d, 0x64, 0x1010, 4);
    msi_notify(d, 0);
    g_assert_cmpint(nr_sent, ==, 0);
    g_assert_cmphex(as_read(&w.mem_as, 0x1010, 4), ==, 0x41);
    /* A register may not send the next from within the first. */
    memory_region_init_io(&regs, NULL, &sends_ops, d, "sends", 0x1000);
    memory_region_add_subregion(&w.mem, 0x2000, &regs);
    cfg_write(d, 0x64, 0x2010, 4);
    msi_notify(d, 0);
    g_assert_cmpint(nr_sent, ==, 0);
    cfg_write(d, 0x64, APIC, 4);
    cfg_write(d, 0x68, 1, 4);           /* 4 GiB above the APICs */
    msi_notify(d, 0);
    g_assert_cmpint(nr_sent, ==, 0);
    memory_region_finalize(&ram);
    memory_region_finalize(&regs);
    world_clear(&w);
}

static void test_enable_lowers_intx(void)
{
    World w;
    PCIDevice *d = dev_new(&w);

    msi_init(d, 0x60, 1, false, false, &error_abort);
    msix_init_exclusive_bar(d, 2, 4, &error_abort);
    pci_set_irq(d, 1);
    cfg_write(d, 0x62, PCI_MSI_FLAGS_ENABLE, 2);
    g_assert_cmpint(w.level[0], ==, 0);
    cfg_write(d, 0x62, 0, 2);
    pci_set_irq(d, 1);
    cfg_write(d, d->msix_cap + 3, 0x80, 1);
    g_assert_cmpint(w.level[0], ==, 0);
    world_clear(&w);
}

static void test_broken(void)
{
    World w;
    PCIDevice *d = dev_new(&w);
    Error *err = NULL;

    msi_nonbroken = false;
    g_assert_cmpint(msi_init(d, 0, 1, true, false, &err), ==, -ENOTSUP);
    g_assert_nonnull(err);
    g_clear_pointer(&err, error_free);
    g_assert_cmpint(msix_init_exclusive_bar(d, 1, 4, &err), ==, -ENOTSUP);
    g_assert_nonnull(err);
    g_clear_pointer(&err, error_free);
    msi_nonbroken = true;
    g_assert_false(msi_enabled(d));
    g_assert_false(msix_present(d));
    g_assert_cmphex(cfg_read(d, PCI_CAPABILITY_LIST, 1), ==, 0);
    /* None of these finds anything to do. */
    msi_notify(d, 0);
    msix_notify(d, 0);
    msi_reset(d);
    msix_reset(d);
    msix_uninit(d);
    g_assert_cmpint(nr_sent, ==, 0);
    world_clear(&w);
}

/* -- MSI-X ------------------------------------------------------------------ */

static PCIDevice *msix_dev_new(World *w, unsigned nentries)
{
    PCIDevice *d = dev_new(w);

    msix_init_exclusive_bar(d, nentries, 4, &error_abort);
    cfg_write(d, PCI_BASE_ADDRESS_4, TABLE, 4);
    return d;
}

static void msix_control(PCIDevice *d, uint8_t val)
{
    cfg_write(d, d->msix_cap + PCI_MSIX_FLAGS + 1, val, 1);
}

static void set_vector(World *w, unsigned vector, uint32_t data, uint32_t ctrl)
{
    as_write(&w->mem_as, TABLE + 16 * vector, APIC, 4);
    as_write(&w->mem_as, TABLE + 16 * vector + 8, data, 4);
    as_write(&w->mem_as, TABLE + 16 * vector + 12, ctrl, 4);
}

static void test_msix_layout(void)
{
    static const struct {
        unsigned nentries;
        uint64_t bar_size, pba;
    } sizes[] = {
        { 1, 0x1000, 0x800 }, { 128, 0x1000, 0x800 }, { 129, 0x2000, 0x1000 },
        { 2048, 0x10000, 0x8000 },
    };
    World w;
    int i;

    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        PCIDevice *d = msix_dev_new(&w, sizes[i].nentries);

        g_assert_cmphex(d->io_regions[4].size, ==, sizes[i].bar_size);
        g_assert_cmphex(cfg_read(d, d->msix_cap + PCI_MSIX_FLAGS, 2), ==,
                        sizes[i].nentries - 1);
        g_assert_cmphex(cfg_read(d, d->msix_cap + PCI_MSIX_TABLE, 4), ==, 4);
        g_assert_cmphex(cfg_read(d, d->msix_cap + PCI_MSIX_PBA, 4), ==,
                        sizes[i].pba | 4);
        /* Each vector starts masked, to the last. */
        g_assert_cmphex(as_read(&w.mem_as, TABLE + sizes[i].nentries * 16 - 4,
                                4), ==, 1);
        world_clear(&w);
    }
}

static void test_msix_send(void)
{
    World w;
    PCIDevice *d = msix_dev_new(&w, 4);

    set_vector(&w, 3, 0x77, 0);
    msix_notify(d, 3);
    g_assert_cmpint(nr_sent, ==, 0);    /* off: nothing, not even pending */
    msix_control(d, 0x80);
    g_assert_cmpint(nr_sent, ==, 0);
    msix_notify(d, 3);
    g_assert_cmpint(nr_sent, ==, 1);
    g_assert_cmphex(sent[0].address, ==, APIC);
    g_assert_cmphex(sent[0].data, ==, 0x77);
    msix_notify(d, 4);                  /* no such vector */
    msix_notify(d, UINT_MAX);
    g_assert_cmpint(nr_sent, ==, 1);
    world_clear(&w);
}

static void test_msix_pending(void)
{
    World w;
    PCIDevice *d = msix_dev_new(&w, 70);

    msix_control(d, 0x80);
    set_vector(&w, 69, 0x55, 1);
    msix_notify(d, 69);
    g_assert_cmpint(nr_sent, ==, 0);
    g_assert_cmphex(as_read(&w.mem_as, PBA + 8, 4), ==, 1 << 5);
    as_write(&w.mem_as, PBA + 8, 0, 4);         /* cannot be written */
    g_assert_cmphex(as_read(&w.mem_as, PBA + 8, 4), ==, 1 << 5);
    set_vector(&w, 69, 0x56, 0);
    g_assert_cmpint(nr_sent, ==, 1);
    g_assert_cmphex(sent[0].data, ==, 0x56);
    g_assert_cmphex(as_read(&w.mem_as, PBA + 8, 4), ==, 0);
    world_clear(&w);
}

static void test_msix_function_mask(void)
{
    World w;
    PCIDevice *d = msix_dev_new(&w, 3);

    set_vector(&w, 0, 0x10, 0);
    set_vector(&w, 1, 0x11, 1);
    set_vector(&w, 2, 0x12, 0);
    msix_control(d, 0xc0);
    msix_notify(d, 0);
    msix_notify(d, 1);
    msix_notify(d, 2);
    g_assert_cmpint(nr_sent, ==, 0);
    g_assert_cmphex(as_read(&w.mem_as, PBA, 4), ==, 7);
    msix_control(d, 0x80);
    g_assert_cmpint(nr_sent, ==, 2);
    g_assert_cmphex(sent[0].data, ==, 0x10);
    g_assert_cmphex(sent[1].data, ==, 0x12);
    g_assert_cmphex(as_read(&w.mem_as, PBA, 4), ==, 2);

    pci_device_reset(d);
    g_assert_false(msix_enabled(d));
    cfg_write(d, PCI_BASE_ADDRESS_4, TABLE, 4);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(as_read(&w.mem_as, PBA, 4), ==, 0);
    g_assert_cmphex(as_read(&w.mem_as, TABLE, 4), ==, 0);
    g_assert_cmphex(as_read(&w.mem_as, TABLE + 12, 4), ==, 1);
    world_clear(&w);
}

static void test_msix_access(void)
{
    World w;
    PCIDevice *d = msix_dev_new(&w, 2);
    uint64_t v = 0x00000001fee01000;

    /* Eight bytes at once, and nothing smaller than four. */
    address_space_write(&w.mem_as, TABLE + 16, MEMTXATTRS_UNSPECIFIED, &v, 8);
    g_assert_cmphex(as_read(&w.mem_as, TABLE + 16, 4), ==, 0xfee01000);
    g_assert_cmphex(as_read(&w.mem_as, TABLE + 20, 4), ==, 1);
    v = 0;
    g_assert_cmpint(memory_region_dispatch_write(&d->msix_table_mmio, 16, 0, 1,
                                                 MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_DECODE_ERROR);
    g_assert_cmphex(as_read(&w.mem_as, TABLE + 32, 4), ==, UINT32_MAX);
    world_clear(&w);
}

static void test_msix_placement(void)
{
    static const struct {
        unsigned nentries, table, pba;
        const char *why;
    } bad[] = {
        { 0, 0, 0x800, "0 MSI-X vectors" },
        { 2049, 0, 0x800, "2049 MSI-X vectors" },
        { 16, 0xf08, 0x800, "do not fit" },
        { 16, 0, 0xffc, "do not fit" },
        { 16, 0, 0x1000, "do not fit" },
        { 16, 0, 0xf8, "do not fit" },
        { 16, 0x804, 0, "do not fit" },
    };
    World w;
    PCIDevice *d = dev_new(&w);
    MemoryRegion *bar = &TEST_DEV(d)->bar0;
    Error *err = NULL;
    int i;

    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(msix_init(d, bad[i].nentries, bar, 0, bad[i].table, bar,
                                  0, bad[i].pba, 0, &err), ==, -EINVAL);
        if (!strstr(error_get_pretty(err), bad[i].why)) {
            g_error("%d: %s", i, error_get_pretty(err));
        }
        g_clear_pointer(&err, error_free);
        g_assert_false(msix_present(d));
    }
    /* In a BAR that has other registers, too. */
    g_assert_cmpint(msix_init(d, 16, bar, 0, 0x800, bar, 0, 0x900, 0xb0,
                              &error_abort), ==, 0);
    g_assert_cmphex(d->msix_cap, ==, 0xb0);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xd0000000, 4);
    g_assert_cmphex(as_read(&w.mem_as, 0xd0000000, 4), ==, 0xb0);
    g_assert_cmphex(as_read(&w.mem_as, 0xd000080c, 4), ==, 1);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_init();
    msi_nonbroken = true;
    msi_set_sender(record);
    g_test_add_func("/msi/registers", test_msi_registers);
    g_test_add_func("/msi/vector-in-the-low-bits", test_msi_vectors);
    g_test_add_func("/msi/masked-stays-pending", test_msi_mask);
    g_test_add_func("/msi/is-a-memory-write", test_msi_is_a_write);
    g_test_add_func("/msi/enable-takes-intx-down", test_enable_lowers_intx);
    g_test_add_func("/msi/refused-where-it-cannot-work", test_broken);
    g_test_add_func("/msix/layout-of-the-bar", test_msix_layout);
    g_test_add_func("/msix/sends-when-on", test_msix_send);
    g_test_add_func("/msix/masked-stays-pending", test_msix_pending);
    g_test_add_func("/msix/function-mask-and-reset", test_msix_function_mask);
    g_test_add_func("/msix/access-sizes", test_msix_access);
    g_test_add_func("/msix/table-and-pba-must-fit", test_msix_placement);
    return g_test_run();
}
