/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI core: config space, BARs, addresses, host access.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_host.h"
#include "pci-world.h"

#define MEM_IO (PCI_COMMAND_MEMORY | PCI_COMMAND_IO)

/* -- Base address registers ----------------------------------------------- */

static void test_bar_sizing(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_COMMAND, MEM_IO, 2);
    cfg_write(d, PCI_BASE_ADDRESS_0, UINT32_MAX, 4);
    cfg_write(d, PCI_BASE_ADDRESS_1, UINT32_MAX, 4);
    cfg_write(d, PCI_BASE_ADDRESS_2, UINT32_MAX, 4);
    cfg_write(d, PCI_BASE_ADDRESS_3, UINT32_MAX, 4);
    cfg_write(d, PCI_BASE_ADDRESS_4, UINT32_MAX, 4);
    cfg_write(d, PCI_ROM_ADDRESS, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_0, 4), ==, 0xfffff000);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_1, 4), ==, 0xfffffffd);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_2, 4), ==, 0xfff0000c);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_3, 4), ==, 0xffffffff);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_4, 4), ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_ROM_ADDRESS, 4), ==, 0);
    /* What is being sized is not decoded. */
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, PCI_BAR_UNMAPPED);
    g_assert_cmphex(pci_get_bar_addr(d, 1), ==, PCI_BAR_UNMAPPED);
    g_assert_cmphex(pci_get_bar_addr(d, 2), ==, PCI_BAR_UNMAPPED);
    g_assert_cmphex(pci_get_bar_addr(d, 4), ==, PCI_BAR_UNMAPPED);
    world_clear(&w);
}

static void test_bar_command(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0001000, 4);
    cfg_write(d, PCI_BASE_ADDRESS_1, 0xc004, 4);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001000, 4), ==, UINT32_MAX);
    g_assert_cmphex(as_read(&w.io_as, 0xc004, 4), ==, UINT32_MAX);

    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001000, 4), ==, 0xb0);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001ffc, 4), ==, 0xb0);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0002000, 4), ==, UINT32_MAX);
    g_assert_cmphex(as_read(&w.io_as, 0xc004, 4), ==, UINT32_MAX);

    cfg_write(d, PCI_COMMAND, PCI_COMMAND_IO, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001000, 4), ==, UINT32_MAX);
    g_assert_cmphex(as_read(&w.io_as, 0xc004, 4), ==, 0xb1);
    g_assert_cmphex(as_read(&w.io_as, 0xc008, 4), ==, UINT32_MAX);

    /* The low byte alone has the enable bits. */
    cfg_write(d, PCI_COMMAND, MEM_IO, 1);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001000, 4), ==, 0xb0);
    g_assert_cmphex(as_read(&w.io_as, 0xc004, 4), ==, 0xb1);
    world_clear(&w);
}

static void test_bar_moves(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_COMMAND, MEM_IO, 2);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0000000, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, 0xe0000000);
    cfg_write(d, PCI_BASE_ADDRESS_0 + 2, 0xd012, 2);    /* one half only */
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, 0xd0120000);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 4), ==, UINT32_MAX);
    g_assert_cmphex(as_read(&w.mem_as, 0xd0120000, 4), ==, 0xb0);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, PCI_BAR_UNMAPPED);
    g_assert_cmphex(as_read(&w.mem_as, 0xd0120000, 4), ==, UINT32_MAX);
    world_clear(&w);
}

static void test_bar_64(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    cfg_write(d, PCI_BASE_ADDRESS_2, 0x40000000, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 2), ==, 0x40000000);
    cfg_write(d, PCI_BASE_ADDRESS_3, 0x38, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 2), ==, 0x3840000000);
    g_assert_cmphex(as_read(&w.mem_as, 0x3840000000, 4), ==, 0xb2);
    g_assert_cmphex(as_read(&w.mem_as, 0x40000000, 4), ==, UINT32_MAX);
    /* Further than any CPU can reach. */
    cfg_write(d, PCI_BASE_ADDRESS_3, 0x00100000, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 2), ==, PCI_BAR_UNMAPPED);
    cfg_write(d, PCI_BASE_ADDRESS_3, 0x000fffff, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 2), ==, 0xfffff40000000);
    world_clear(&w);
}

static void test_bar_edges(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_COMMAND, MEM_IO, 2);
    cfg_write(d, PCI_BASE_ADDRESS_1, 0xfffc, 4);    /* the last ports */
    g_assert_cmphex(pci_get_bar_addr(d, 1), ==, 0xfffc);
    cfg_write(d, PCI_BASE_ADDRESS_1, 0x10000, 4);   /* beyond them */
    g_assert_cmphex(pci_get_bar_addr(d, 1), ==, PCI_BAR_UNMAPPED);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xffffe000, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, 0xffffe000);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xffffffff, 4);
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, PCI_BAR_UNMAPPED);
    world_clear(&w);
}

static PCIDevice *dev_with_rom(World *w, const char *contents, uint32_t romsize,
                               Error **errp)
{
    g_autofree char *path = NULL;
    PCIDevice *d = pci_new(-1, TYPE_TEST_DEV);
    int fd = g_file_open_tmp("rom-XXXXXX", &path, NULL);
    bool ok;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, contents, -1, NULL));
    qdev_prop_set_string(DEVICE(d), "romfile", path);
    qdev_prop_set_uint32(DEVICE(d), "romsize", romsize);
    ok = pci_realize_and_unref(d, w->bus, errp);
    unlink(path);
    return ok ? d : NULL;
}

static void test_rom(void)
{
    g_autofree char *big = g_strnfill(5000, 'x');
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = dev_with_rom(&w, "U\xaa rom", 0, &error_abort);
    cfg_write(d, PCI_ROM_ADDRESS, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(d, PCI_ROM_ADDRESS, 4), ==, 0xfffff801);
    cfg_write(d, PCI_ROM_ADDRESS, 0xe0000000, 4);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 2), ==, 0xffff);
    cfg_write(d, PCI_ROM_ADDRESS, 0xe0000001, 4);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 2), ==, 0xaa55);
    as_write(&w.mem_as, 0xe0000000, 0, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 2), ==, 0xaa55);
    cfg_write(d, PCI_COMMAND, 0, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 2), ==, 0xffff);

    d = dev_with_rom(&w, big, 0, &error_abort);
    g_assert_cmpuint(memory_region_size(&d->rom), ==, 8192);
    d = dev_with_rom(&w, big, 65536, &error_abort);
    g_assert_cmpuint(memory_region_size(&d->rom), ==, 65536);
    world_clear(&w);
}

static void test_rom_refused(void)
{
    g_autofree char *big = g_strnfill(5000, 'x');
    World w;
    PCIDevice *d;
    Error *err = NULL;

    world_init(&w, TYPE_PCI_BUS);
    g_assert_null(dev_with_rom(&w, big, 4096, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "larger than romsize 4096"));
    g_clear_pointer(&err, error_free);
    g_assert_null(dev_with_rom(&w, big, 5001, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "power of two"));
    g_clear_pointer(&err, error_free);
    g_assert_null(dev_with_rom(&w, "", 0, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "empty"));
    g_clear_pointer(&err, error_free);

    d = pci_new(-1, TYPE_TEST_DEV);
    qdev_prop_set_uint32(DEVICE(d), "romsize", 4096);
    g_assert_false(pci_realize_and_unref(d, w.bus, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "without a romfile"));
    g_clear_pointer(&err, error_free);

    d = pci_new(-1, TYPE_TEST_DEV);
    qdev_prop_set_string(DEVICE(d), "romfile", "/nonexistent/rom");
    g_assert_false(pci_realize_and_unref(d, w.bus, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "/nonexistent/rom"));
    g_clear_pointer(&err, error_free);
    g_assert_null(w.bus->devices[0]);
    world_clear(&w);
}

/* -- Config space ---------------------------------------------------------- */

static void test_config_bounds(void)
{
    static const struct {
        const char *type;
        uint32_t size;
    } kinds[] = { { TYPE_TEST_DEV, 0x100 }, { TYPE_TEST_PCIE_DEV, 0x1000 } };
    World w;
    PCIDevice *d;
    int i;

    world_init(&w, TYPE_PCIE_BUS);
    for (i = 0; i < ARRAY_SIZE(kinds); i++) {
        uint32_t size = kinds[i].size, last = size - 1;

        d = pci_create_simple(w.bus, -1, kinds[i].type);
        g_assert_cmphex(d->config_size, ==, size);
        memset(d->wmask + size - 4, 0xff, 4);
        cfg_write(d, size - 4, 0x44332211, 4);
        g_assert_cmphex(cfg_read(d, last, 1), ==, 0x44);
        /* The part that is there is read and written. */
        g_assert_cmphex(cfg_read(d, last, 2), ==, 0xff44);
        g_assert_cmphex(cfg_read(d, last, 4), ==, 0xffffff44);
        g_assert_cmphex(cfg_read(d, last - 2, 4), ==, 0xff443322);
        cfg_write(d, last - 1, 0xa4a3a2a1, 4);
        g_assert_cmphex(cfg_read(d, size - 4, 4), ==, 0xa2a12211);

        g_assert_cmphex(cfg_read(d, size, 4), ==, UINT32_MAX);
        g_assert_cmphex(cfg_read(d, UINT32_MAX, 4), ==, UINT32_MAX);
        g_assert_cmphex(cfg_read(d, UINT32_MAX - 3, 4), ==, UINT32_MAX);
        cfg_write(d, size, 0, 4);
        cfg_write(d, UINT32_MAX, 0, 4);
        /* Sizes that no bus has. */
        g_assert_cmphex(cfg_read(d, 0, 3), ==, UINT32_MAX);
        g_assert_cmphex(cfg_read(d, 0, 0), ==, UINT32_MAX);
        g_assert_cmphex(cfg_read(d, 0, -1), ==, UINT32_MAX);
        g_assert_cmphex(cfg_read(d, 0, 8), ==, UINT32_MAX);
        cfg_write(d, size - 4, 0, 3);
        cfg_write(d, size - 4, 0, 64);
        g_assert_cmphex(cfg_read(d, size - 4, 4), ==, 0xa2a12211);
    }
    g_assert_cmphex(pci_data_read(w.bus, 0xffff00, 4), ==, UINT32_MAX);
    pci_data_write(w.bus, 0xffff00, 0, 4);
    world_clear(&w);
}

static void test_config_masks(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_VENDOR_ID, 0, 4);
    cfg_write(d, PCI_CLASS_REVISION, 0, 4);
    cfg_write(d, PCI_SUBSYSTEM_VENDOR_ID, 0, 4);
    cfg_write(d, PCI_HEADER_TYPE, 0xff, 1);
    cfg_write(d, PCI_INTERRUPT_PIN, 3, 1);
    cfg_write(d, 0x40, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(d, PCI_VENDOR_ID, 4), ==, 0x56781234);
    g_assert_cmphex(cfg_read(d, PCI_CLASS_REVISION, 4), ==, 0x01000009);
    g_assert_cmphex(cfg_read(d, PCI_SUBSYSTEM_VENDOR_ID, 4), ==, 0x11001af4);
    g_assert_cmphex(cfg_read(d, PCI_HEADER_TYPE, 1), ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_INTERRUPT_PIN, 1), ==, 1);
    g_assert_cmphex(cfg_read(d, 0x40, 4), ==, 0);

    cfg_write(d, PCI_INTERRUPT_LINE, 11, 1);
    g_assert_cmphex(cfg_read(d, PCI_INTERRUPT_LINE, 1), ==, 11);

    /* A one clears an error, a zero does not. */
    pci_set_word(d->config + PCI_STATUS, PCI_STATUS_DETECTED_PARITY |
                 PCI_STATUS_REC_MASTER_ABORT);
    cfg_write(d, PCI_STATUS, PCI_STATUS_REC_MASTER_ABORT, 2);
    g_assert_cmphex(cfg_read(d, PCI_STATUS, 2), ==, PCI_STATUS_DETECTED_PARITY);
    world_clear(&w);
}

static void test_bus_master(void)
{
    World w;
    PCIDevice *d;
    MemoryRegion ram;
    uint32_t v = 0;

    world_init(&w, TYPE_PCI_BUS);
    memory_region_init_ram(&ram, NULL, "ram", 0x1000, &error_abort);
    memory_region_add_subregion(&w.mem, 0x1000, &ram);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    as_write(&w.mem_as, 0x1000, 0x12345678, 4);

    g_assert_cmphex(pci_dma_read(d, 0x1000, &v, 4), !=, MEMTX_OK);
    g_assert_cmphex(v, ==, UINT32_MAX);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    g_assert_cmphex(pci_dma_read(d, 0x1000, &v, 4), ==, MEMTX_OK);
    g_assert_cmphex(v, ==, 0x12345678);
    cfg_write(d, PCI_COMMAND, 0, 2);
    v = 0;
    g_assert_cmphex(pci_dma_write(d, 0x1000, &v, 4), !=, MEMTX_OK);
    g_assert_cmphex(as_read(&w.mem_as, 0x1000, 4), ==, 0x12345678);

    /* Registers are out of reach. */
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0000000, 4);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 4), ==, 0xb0);
    g_assert_cmphex(pci_dma_read(d, 0xe0000000, &v, 4), !=, MEMTX_OK);
    g_assert_cmphex(v, ==, UINT32_MAX);

    memory_region_finalize(&ram);
    world_clear(&w);
}

static void test_reset(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    cfg_write(d, PCI_COMMAND, 0xffff, 2);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0000000, 4);
    cfg_write(d, PCI_BASE_ADDRESS_1, 0xc000, 4);
    cfg_write(d, PCI_BASE_ADDRESS_3, 0x12, 4);
    cfg_write(d, PCI_INTERRUPT_LINE, 10, 1);
    cfg_write(d, PCI_COMMAND, MEM_IO | PCI_COMMAND_MASTER, 2);
    pci_set_irq(d, 1);
    g_assert_cmpint(w.level[0], ==, 1);

    pci_device_reset(d);
    g_assert_cmpint(TEST_DEV(d)->resets, ==, 1);
    g_assert_cmpint(w.level[0], ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_COMMAND, 4), ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_0, 4), ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_1, 4), ==, 1);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_2, 4), ==, 0xc);
    g_assert_cmphex(cfg_read(d, PCI_BASE_ADDRESS_3, 4), ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_INTERRUPT_LINE, 2), ==, 0x100);
    g_assert_cmphex(pci_get_bar_addr(d, 0), ==, PCI_BAR_UNMAPPED);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 4), ==, UINT32_MAX);

    /* And all devices of the bus by the bus's. */
    cfg_write(d, PCI_COMMAND, MEM_IO, 2);
    bus_cold_reset(&w.bus->qbus);
    g_assert_cmpint(TEST_DEV(d)->resets, ==, 2);
    g_assert_cmphex(cfg_read(d, PCI_COMMAND, 2), ==, 0);
    world_clear(&w);
}

/* -- Capabilities ---------------------------------------------------------- */

static void test_capabilities(void)
{
    World w;
    PCIDevice *d;
    Error *err = NULL;
    int a, b, i;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, 0x20, TYPE_TEST_DEV);
    g_assert_cmphex(pci_find_capability(d, PCI_CAP_ID_VNDR), ==, 0);
    g_assert_cmphex(cfg_read(d, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, ==, 0);

    a = pci_add_capability(d, PCI_CAP_ID_VNDR, 0x50, 9, &error_abort);
    b = pci_add_capability(d, PCI_CAP_ID_PM, 0, 8, &error_abort);
    g_assert_cmphex(a, ==, 0x50);
    g_assert_cmphex(b, ==, 0x40);
    g_assert_cmphex(cfg_read(d, PCI_CAPABILITY_LIST, 1), ==, 0x40);
    g_assert_cmphex(cfg_read(d, 0x40, 2), ==, 0x5001);
    g_assert_cmphex(cfg_read(d, 0x50, 2), ==, 0x0009);
    g_assert_cmphex(pci_find_capability(d, PCI_CAP_ID_VNDR), ==, 0x50);
    g_assert_cmphex(cfg_read(d, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, !=, 0);
    /* 0x48 has room for 8; 0x59 is free but no dword. */
    g_assert_cmphex(pci_add_capability(d, PCI_CAP_ID_VPD, 0, 9, &error_abort),
                    ==, 0x5c);

    g_assert_cmpint(pci_add_capability(d, 0x42, 0x54, 4, &err), ==, -EINVAL);
    g_assert_nonnull(strstr(error_get_pretty(err), "overlaps"));
    g_clear_pointer(&err, error_free);
    g_assert_cmpint(pci_add_capability(d, 0x42, 0x3c, 4, NULL), ==, -EINVAL);
    g_assert_cmpint(pci_add_capability(d, 0x42, 0xfc, 5, NULL), ==, -EINVAL);
    g_assert_cmpint(pci_add_capability(d, 0x42, 0x71, 2, NULL), ==, -EINVAL);
    g_assert_cmpint(pci_add_capability(d, 0x42, 0, 255, NULL), ==, -ENOSPC);
    g_assert_cmpint(pci_add_capability(d, 0x42, 0xfc, 4, NULL), ==, 0xfc);

    for (i = 0; pci_add_capability(d, 0x43, 0, 4, NULL) > 0; i++) {
        g_assert_cmpint(i, <, 48);
    }
    world_clear(&w);
}

static void test_express(void)
{
    World root, conventional_root;
    PCIDevice *d;

    world_init(&root, TYPE_PCIE_BUS);
    d = pci_create_simple(root.bus, -1, TYPE_TEST_PCIE_DEV);
    g_assert_cmphex(pcie_endpoint_cap_init(d, 0x80), ==, 0x80);
    g_assert_cmphex(cfg_read(d, 0x82, 2), ==, 0x0092);  /* integrated, v2 */
    g_assert_cmphex(cfg_read(d, 0x80 + PCI_EXP_LNKCAP, 4), ==, 0);
    cfg_write(d, 0x80 + PCI_EXP_DEVCTL, 0xffff, 2);
    g_assert_cmphex(cfg_read(d, 0x80 + PCI_EXP_DEVCTL, 2), ==, 0x78ff);
    pcie_cap_deverr_reset(d);
    g_assert_cmphex(cfg_read(d, 0x80 + PCI_EXP_DEVCTL, 2), ==, 0x78f0);
    world_clear(&root);

    world_init(&conventional_root, TYPE_PCI_BUS);
    d = pci_create_simple(conventional_root.bus, -1, TYPE_TEST_PCIE_DEV);
    g_assert_cmphex(pcie_endpoint_cap_init(d, 0x80), ==, 0);
    g_assert_cmphex(pci_find_capability(d, PCI_CAP_ID_EXP), ==, 0);
    world_clear(&conventional_root);
}

/* -- Addresses ------------------------------------------------------------- */

static void assert_refused(PCIDevice *dev, PCIBus *bus, const char *why)
{
    Error *err = NULL;

    g_assert_false(pci_realize_and_unref(dev, bus, &err));
    if (!strstr(error_get_pretty(err), why)) {
        g_error("\"%s\" is not in \"%s\"", why, error_get_pretty(err));
    }
    error_free(err);
}

static void test_addresses(void)
{
    World w;
    PCIDevice *d;
    int i;

    world_init(&w, TYPE_PCI_BUS);
    w.bus->devfn_min = PCI_DEVFN(2, 0);
    d = pci_create_simple(w.bus, -1, TYPE_TEST_DEV);
    g_assert_cmphex(d->devfn, ==, PCI_DEVFN(2, 0));
    g_assert_cmphex(pci_requester_id(d), ==, PCI_DEVFN(2, 0));
    assert_refused(pci_new(PCI_DEVFN(2, 0), TYPE_TEST_DEV), w.bus,
                   "slot 2 function 0 not available");
    assert_refused(pci_new(PCI_DEVFN(2, 1), TYPE_TEST_DEV), w.bus,
                   "not a multifunction device");
    pci_create_simple(w.bus, PCI_DEVFN(3, 5), TYPE_TEST_DEV);
    assert_refused(pci_new(PCI_DEVFN(3, 0), TYPE_TEST_DEV), w.bus,
                   "multifunction=on");
    d = pci_new_multifunction(PCI_DEVFN(3, 0), TYPE_TEST_DEV);
    g_assert_true(pci_realize_and_unref(d, w.bus, &error_abort));
    g_assert_cmphex(cfg_read(d, PCI_HEADER_TYPE, 1), ==, 0x80);
    pci_create_simple(w.bus, PCI_DEVFN(3, 7), TYPE_TEST_DEV);

    for (i = 4; i < PCI_SLOT_MAX; i++) {
        d = pci_create_simple(w.bus, -1, TYPE_TEST_DEV);
        g_assert_cmphex(d->devfn, ==, PCI_DEVFN(i, 0));
    }
    assert_refused(pci_new(-1, TYPE_TEST_DEV), w.bus, "no slot is free");
    assert_refused(pci_new(PCI_DEVFN_MAX, TYPE_TEST_DEV), w.bus, "has no slot");
    world_clear(&w);
}

static void test_realize_failure(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    assert_refused(pci_new(-1, TYPE_TEST_BROKEN), w.bus, "broken on purpose");
    g_assert_null(w.bus->devices[0]);
    g_assert_true(QTAILQ_EMPTY(&w.bus->qbus.children));
    d = pci_create_simple(w.bus, -1, TYPE_TEST_DEV);
    g_assert_cmphex(d->devfn, ==, 0);
    world_clear(&w);
}

static MemoryRegion own_mem;
static AddressSpace own_as;
static int spaces_out;

static bool give_spaces(PCIBus *bus, void *opaque, PCIDevice *dev, Error **errp)
{
    if (opaque) {
        error_setg(errp, "no spaces");
        return false;
    }
    dev->space_mem = &own_mem;
    dev->dma_as = &own_as;
    spaces_out++;
    return true;
}

static void take_spaces(PCIBus *bus, void *opaque, PCIDevice *dev)
{
    spaces_out--;
}

static void test_own_spaces(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    memory_region_init(&own_mem, NULL, "own", UINT64_MAX);
    address_space_init(&own_as, &own_mem, "own");
    pci_bus_setup_spaces(w.bus, give_spaces, take_spaces, NULL);
    d = pci_create_simple(w.bus, -1, TYPE_TEST_DEV);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0000000, 4);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(as_read(&own_as, 0xe0000000, 4), ==, 0xb0);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 4), ==, UINT32_MAX);
    assert_refused(pci_new(-1, TYPE_TEST_BROKEN), w.bus, "broken on purpose");
    g_assert_cmpint(spaces_out, ==, 1);
    pci_bus_setup_spaces(w.bus, give_spaces, take_spaces, &w);
    assert_refused(pci_new(-1, TYPE_TEST_DEV), w.bus, "no spaces");
    g_assert_cmpint(spaces_out, ==, 1);
    world_clear(&w);
    g_assert_cmpint(spaces_out, ==, 0);
    address_space_destroy(&own_as);
    memory_region_finalize(&own_mem);
}

static void test_bridge_buses(void)
{
    World w;
    PCIBus *below;
    PCIDevice *bridge, *d;

    world_init(&w, TYPE_PCI_BUS);
    bridge = new_bridge(&w, PCI_DEVFN(2, 0), &below);
    d = pci_create_simple(below, PCI_DEVFN(3, 0), TYPE_TEST_DEV);
    g_assert_cmphex(cfg_read(bridge, PCI_HEADER_TYPE, 1), ==, 1);
    g_assert_true(pci_device_root_bus(d) == w.bus);
    /* Not numbered yet: bus 0 stays the root. */
    g_assert_true(pci_find_bus_nr(w.bus, 0) == w.bus);
    g_assert_null(pci_find_bus_nr(w.bus, 1));
    cfg_write(bridge, PCI_PRIMARY_BUS, 0x030100, 4);
    g_assert_true(pci_find_bus_nr(w.bus, 1) == below);
    g_assert_null(pci_find_bus_nr(w.bus, 3));
    g_assert_null(pci_find_bus_nr(w.bus, 4));
    g_assert_true(pci_find_device(w.bus, 1, PCI_DEVFN(3, 0)) == d);
    g_assert_cmphex(pci_data_read(w.bus, 1 << 16 | 3 << 11, 4), ==, 0x56781234);
    g_assert_cmphex(pci_requester_id(d), ==, 0x118);
    world_clear(&w);
}

/* -- Host access ----------------------------------------------------------- */

static PCIHostState *host_new(World *w)
{
    static const TypeInfo info = {
        .name = "test-pci-host",
        .parent = TYPE_PCI_HOST_BRIDGE,
    };
    PCIHostState *s;

    if (!object_class_by_name(info.name)) {
        type_register_static(&info);
    }
    s = PCI_HOST_BRIDGE(object_new(info.name));
    s->bus = w->bus;
    pci_host_init_io(s, &w->io);
    return s;
}

static void host_free(PCIHostState *s)
{
    object_unref(s);
}

static void test_host_ports(void)
{
    World w;
    PCIHostState *s;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    s = host_new(&w);
    d = pci_create_simple(w.bus, PCI_DEVFN(4, 0), TYPE_TEST_DEV);
    as_write(&w.io_as, 0xcf8, 0x80002000, 4);
    g_assert_cmphex(as_read(&w.io_as, 0xcf8, 4), ==, 0x80002000);
    g_assert_cmphex(as_read(&w.io_as, 0xcfc, 4), ==, 0x56781234);
    g_assert_cmphex(as_read(&w.io_as, 0xcfe, 2), ==, 0x5678);
    g_assert_cmphex(as_read(&w.io_as, 0xcff, 1), ==, 0x56);
    /* Only a dword sets the address, and two bits of it are not kept. */
    as_write(&w.io_as, 0xcf8, 0xff, 1);
    as_write(&w.io_as, 0xcfa, 0xffff, 2);
    g_assert_cmphex(as_read(&w.io_as, 0xcf8, 4), ==, 0x80002000);
    g_assert_cmphex(as_read(&w.io_as, 0xcf8, 2), ==, 0xffff);
    as_write(&w.io_as, 0xcf8, 0x8000203f, 4);
    g_assert_cmphex(as_read(&w.io_as, 0xcf8, 4), ==, 0x8000203c);
    as_write(&w.io_as, 0xcfc, 0x0b, 1);
    g_assert_cmphex(d->config[PCI_INTERRUPT_LINE], ==, 0x0b);
    /* The last dword, and no device, and switched off. */
    as_write(&w.io_as, 0xcf8, 0x800020fc, 4);
    g_assert_cmphex(as_read(&w.io_as, 0xcff, 1), ==, 0);
    as_write(&w.io_as, 0xcf8, 0x80002800, 4);
    g_assert_cmphex(as_read(&w.io_as, 0xcfc, 4), ==, UINT32_MAX);
    as_write(&w.io_as, 0xcf8, 0x00002000, 4);
    g_assert_cmphex(as_read(&w.io_as, 0xcfc, 4), ==, UINT32_MAX);
    as_write(&w.io_as, 0xcfc, 0, 4);
    host_free(s);
    world_clear(&w);
}

static int resets;

static void count_reset(void)
{
    resets++;
}

static void test_host_reset_control(void)
{
    World w;
    PCIHostState *s;

    world_init(&w, TYPE_PCI_BUS);
    s = host_new(&w);
    s->reset_request = count_reset;
    as_write(&w.io_as, 0xcf9, 0x02, 1);
    g_assert_cmpint(resets, ==, 0);
    g_assert_cmphex(as_read(&w.io_as, 0xcf9, 1), ==, 0x02);
    as_write(&w.io_as, 0xcf9, 0x06, 1);
    g_assert_cmpint(resets, ==, 1);
    as_write(&w.io_as, 0xcf9, 0x0e, 1);
    g_assert_cmpint(resets, ==, 2);
    /* CONFIG_ADDRESS does not reset, whatever is in its second byte. */
    as_write(&w.io_as, 0xcf8, 0x80000600, 4);
    as_write(&w.io_as, 0xcf8, 0x0600, 2);
    g_assert_cmpint(resets, ==, 2);
    host_free(s);
    world_clear(&w);
}

static void test_host_ecam(void)
{
    const uint64_t base = 0xb0000000;
    World w;
    PCIHostState *s;
    PCIDevice *a, *b;

    world_init(&w, TYPE_PCIE_BUS);
    s = host_new(&w);
    a = pci_create_simple(w.bus, PCI_DEVFN(1, 0), TYPE_TEST_PCIE_DEV);
    b = pci_create_simple(w.bus, PCI_DEVFN(31, 7), TYPE_TEST_DEV);
    pcie_host_mmcfg_update(s, &w.mem, base, 256 * MiB);
    g_assert_cmphex(as_read(&w.mem_as, base + 0x8000, 4), ==, 0x56781234);
    g_assert_cmphex(as_read(&w.mem_as, base + 0xff000, 4), ==, 0x56781234);
    a->wmask[0xfff] = 0xff;
    as_write(&w.mem_as, base + 0x8fff, 0x5a, 1);
    g_assert_cmphex(a->config[0xfff], ==, 0x5a);
    g_assert_cmphex(as_read(&w.mem_as, base + 0x8ffc, 4), ==, 0x5a000000);
    g_assert_cmphex(b->config_size, ==, 0x100);
    g_assert_cmphex(as_read(&w.mem_as, base + 0xff100, 4), ==, UINT32_MAX);
    g_assert_cmphex(as_read(&w.mem_as, base + 256 * MiB - 4, 4), ==,
                    UINT32_MAX);
    pcie_host_mmcfg_update(s, &w.mem, 0xe0000000, 64 * MiB);
    g_assert_cmphex(as_read(&w.mem_as, base + 0x8000, 4), ==, UINT32_MAX);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0008000, 4), ==, 0x56781234);
    host_free(s);
    world_clear(&w);
}

/* -- For people and programs ----------------------------------------------- */

static void test_names(void)
{
    World w;
    PCIBus *below;
    PCIDevice *bridge, *d;
    g_autofree char *path = NULL, *fw = NULL, *json = NULL;
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GString) text = g_string_new(NULL);

    world_init(&w, TYPE_PCI_BUS);
    bridge = new_bridge(&w, PCI_DEVFN(2, 0), &below);
    cfg_write(bridge, PCI_PRIMARY_BUS, 0x010100, 4);
    d = pci_create_simple(below, PCI_DEVFN(3, 1), TYPE_TEST_DEV);
    path = BUS_GET_CLASS(&below->qbus)->get_dev_path(DEVICE(d));
    fw = BUS_GET_CLASS(&below->qbus)->get_fw_dev_path(DEVICE(d));
    g_assert_cmpstr(path, ==, "0000:00:02.0:03.1");
    g_assert_cmpstr(fw, ==, "scsi@3,1");
    BUS_GET_CLASS(&below->qbus)->print_dev(text, DEVICE(d), 2);
    g_assert_nonnull(strstr(text->str, "(SCSI controller), addr 01:03.1, "
                            "pci id 1234:5678\n"));
    g_assert_nonnull(strstr(text->str, "bar 1: i/o, 4 bytes, not mapped\n"));
    node = pci_bus_to_json(w.bus);
    json = json_to_string(node, false);
    g_assert_nonnull(strstr(json, "\"secondary\":1"));
    g_assert_nonnull(strstr(json, "\"bus\":1,\"slot\":3,\"function\":1"));
    g_assert_nonnull(strstr(json, "{\"bar\":2,\"type\":\"memory\",\"address\":"
                            "-1,\"size\":1048576,\"prefetch\":true,"
                            "\"mem_type_64\":true}"));
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_init();
    g_test_add_func("/pci/bar/write-ones-tells-the-size", test_bar_sizing);
    g_test_add_func("/pci/bar/decoded-when-command-says", test_bar_command);
    g_test_add_func("/pci/bar/moves-with-each-write", test_bar_moves);
    g_test_add_func("/pci/bar/64-bit-is-one-address", test_bar_64);
    g_test_add_func("/pci/bar/ends-of-the-spaces", test_bar_edges);
    g_test_add_func("/pci/rom/shown-when-enabled", test_rom);
    g_test_add_func("/pci/rom/bad-image-is-refused", test_rom_refused);
    g_test_add_func("/pci/config/nothing-beyond-the-last-byte",
                    test_config_bounds);
    g_test_add_func("/pci/config/only-what-masks-allow", test_config_masks);
    g_test_add_func("/pci/config/bus-master-gates-dma", test_bus_master);
    g_test_add_func("/pci/config/reset", test_reset);
    g_test_add_func("/pci/capability/placed-without-overlap",
                    test_capabilities);
    g_test_add_func("/pci/capability/express-on-express-only", test_express);
    g_test_add_func("/pci/address/rules", test_addresses);
    g_test_add_func("/pci/address/failed-realize-leaves-nothing",
                    test_realize_failure);
    g_test_add_func("/pci/address/spaces-of-its-own", test_own_spaces);
    g_test_add_func("/pci/address/buses-behind-bridges", test_bridge_buses);
    g_test_add_func("/pci/host/config-ports", test_host_ports);
    g_test_add_func("/pci/host/reset-control-is-a-byte",
                    test_host_reset_control);
    g_test_add_func("/pci/host/ecam", test_host_ecam);
    g_test_add_func("/pci/info/names-and-json", test_names);
    return g_test_run();
}
