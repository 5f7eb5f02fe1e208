/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LSI53C895A as a driver sees it: small scripts, registers, resets. */
#include "qemu/osdep.h"
#include "block/block.h"
#include "hw/pci/pci.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "qemu/timer.h"

#define RAM (4 * MiB)
#define BAR 0xe0000000u
#define RAM_BAR 0xe0002000u
#define SCRIPT 0x1000u          /* where scripts, */
#define DATA 0x10000u           /* data, */
#define AREA 0x8000u            /* CDB 0, message 0x20, status 0x40 are */

typedef struct World {
    MemoryRegion mem, io, ram;
    AddressSpace as;
    PCIBus *bus;
    PCIDevice *dev;
    uint8_t *host;
    int irq;
} World;

static World *w;

static void set_irq(void *opaque, int n, int level)
{
    w->irq = level;
}

static int map_irq(PCIDevice *dev, int pin)
{
    return pin;
}

static void put(uint32_t reg, uint32_t v, int len)
{
    address_space_write(&w->as, BAR + reg, MEMTXATTRS_UNSPECIFIED, &v, len);
}

static uint32_t get(uint32_t reg, int len)
{
    uint32_t v = 0;

    address_space_read(&w->as, BAR + reg, MEMTXATTRS_UNSPECIFIED, &v, len);
    return v;
}

static void world_new(void)
{
    g_autoptr(JsonObject) opts = keyval_parse_flat(
        "file=null-co://,format=null-co,size=1M,read-zeroes=on,if=none,"
        "id=disk", NULL, NULL, &error_abort);
    DeviceState *hd;

    w = g_new0(World, 1);
    memory_region_init(&w->mem, NULL, "mem", UINT64_MAX);
    memory_region_init(&w->io, NULL, "io", 0x10000);
    memory_region_init_ram(&w->ram, NULL, "ram", RAM, &error_abort);
    memory_region_add_subregion(&w->mem, 0, &w->ram);
    address_space_init(&w->as, &w->mem, "test");
    w->host = memory_region_get_ram_ptr(&w->ram);
    w->bus = pci_root_bus_new(NULL, "pci", &w->mem, &w->io, 0, TYPE_PCI_BUS);
    w->bus->dma_as = &w->as;
    pci_bus_irqs(w->bus, set_irq, w, PCI_NUM_PINS);
    pci_bus_map_irqs(w->bus, map_irq);
    qbus_realize(&w->bus->qbus, &error_abort);
    drive_new(opts, &error_abort);
    w->dev = pci_create_simple(w->bus, -1, "lsi53c895a");
    hd = qdev_new("scsi-hd");
    object_property_set_str(OBJECT(hd), "drive", "disk", &error_abort);
    qdev_realize_and_unref(hd, QTAILQ_FIRST(&w->dev->qdev.child_bus),
                           &error_abort);
    pci_host_config_write_common(w->dev, PCI_BASE_ADDRESS_1, BAR, 4);
    pci_host_config_write_common(w->dev, PCI_BASE_ADDRESS_2, RAM_BAR, 4);
    pci_host_config_write_common(w->dev, PCI_COMMAND, PCI_COMMAND_MEMORY |
                                 PCI_COMMAND_MASTER, 2);
    put(0x39, 0x7f, 1);                         /* DIEN */
    put(0x40, 0x8f, 1);                         /* SIEN0 */
    put(0x41, 0x04, 1);                         /* SIEN1 */
}

static void world_free(void)
{
    qdev_unparent(DEVICE(w->dev));
    blk_close_all();
    object_unparent(OBJECT(w->bus));
    object_unref(w->bus);
    address_space_destroy(&w->as);
    memory_region_finalize(&w->ram);
    memory_region_finalize(&w->io);
    memory_region_finalize(&w->mem);
    g_free(w);
}

static void start(const uint32_t *script, size_t len)
{
    memcpy(w->host + SCRIPT, script, len);
    put(0x2c, SCRIPT, 4);
}

static void wait_irq(void)
{
    int64_t end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (!w->irq) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        aio_poll(qemu_get_aio_context(), true);
    }
}

/* Runs a script until it interrupts. */
#define SCRIPTS(...) do {                                       \
        const uint32_t script_[] = { __VA_ARGS__ };             \
        start(script_, sizeof(script_));                        \
        wait_irq();                                             \
    } while (0)
#define INT(n) 0x98080000, (n)

static void stopped_by_int(uint32_t n)
{
    g_assert_cmphex(get(0x42, 2), ==, 0);
    g_assert_cmphex(get(0x0c, 1), ==, 0x84);
    g_assert_cmphex(get(0x30, 4), ==, n);
    g_assert_cmpint(w->irq, ==, 0);
}

static void test_registers(void)
{
    world_new();
    SCRIPTS(0x78340500, 0,              /* scratcha = 5 */
            0x7e340300, 0,              /* += 3 */
            0x7a340000 | 0x40 << 8, 0,  /* |= 0x40 */
            0x74340f00, 0,              /* sfbr = & 0xf */
            0x6a350000, 0,              /* scratcha1 = sfbr */
            INT(7));
    stopped_by_int(7);
    g_assert_cmphex(get(0x34, 2), ==, 0x0848);
    SCRIPTS(0x60000400, 0,              /* clear carry */
            0x79340000, 0,              /* shift left */
            0x7d350000, 0,              /* shift right */
            INT(1));
    stopped_by_int(1);
    g_assert_cmphex(get(0x34, 2), ==, 0x0490);
    world_free();
}

static void test_control(void)
{
    world_new();
    SCRIPTS(0x88080000, SCRIPT + 24,    /* call */
            INT(2), 0, 0,
            0x90080000, 0);             /* return */
    stopped_by_int(2);
    SCRIPTS(0x80880000, 8,              /* jump relative, over INT 1 */
            INT(1),
            0x80000000, 0xdead0000,     /* no operation */
            0x7c080000 | 0x08 << 16, 0,
            0x800c00ff, 0,              /* jump if sfbr is 0xff: not */
            INT(3));
    stopped_by_int(3);
    SCRIPTS(0x98180000, 9, INT(4));     /* on the fly */
    g_assert_cmphex(get(0x14, 1) & 0x05, ==, 0x05);
    put(0x14, 0x04, 1);
    stopped_by_int(4);
    SCRIPTS(0xb8080000, 0);             /* no such opcode */
    g_assert_cmphex(get(0x0c, 1), ==, 0x81);
    put(0x3b, 0x10, 1);                 /* single step */
    SCRIPTS(0x80000000, 0, INT(5));
    g_assert_cmphex(get(0x0c, 1), ==, 0x88);
    put(0x3b, 0x14, 1);
    g_assert_cmphex(get(0x0c, 1), ==, 0x84);
    world_free();
}

static void test_memory(void)
{
    world_new();
    memcpy(w->host + DATA, "0123456789abcdef", 16);
    SCRIPTS(0xc0000010, DATA, RAM_BAR + 0x100,
            0xc0000010, RAM_BAR + 0x100, DATA + 0x100,
            0xe1340004, DATA + 0x104,   /* load */
            0xe0340004, DATA + 0x200,   /* store */
            INT(6));
    stopped_by_int(6);
    g_assert_cmpint(memcmp(w->host + DATA + 0x100, "0123456789abcdef", 16),
                    ==, 0);
    g_assert_cmpint(memcmp(w->host + DATA + 0x200, "4567", 4), ==, 0);
    SCRIPTS(0xe1340004, 0xf0000000);    /* nothing there */
    g_assert_cmphex(get(0x0c, 1), ==, 0xa0);
    world_free();
}

/* A whole command with @len bytes of data, by one connection. */
static void command(const uint8_t *cdb, uint8_t identify, uint32_t move,
                    uint32_t len)
{
    memcpy(w->host + AREA, cdb, 10);
    w->host[AREA + 0x20] = identify;
    w->host[AREA + 0x40] = 0xee;
    SCRIPTS(0x41000000, 0,
            0x0e000001, AREA + 0x20,
            0x0a00000a, AREA,
            move | len, DATA,
            0x0b000001, AREA + 0x40,
            0x0f000001, AREA + 0x41,
            0x60000040, 0,
            0x48000000, 0,
            INT(8));
}

static void test_command(void)
{
    const uint8_t inquiry[10] = { 0x12, 0, 0, 0, 36 };
    const uint8_t read[10] = { 0x28, [8] = 8 };

    world_new();
    command(inquiry, 0x80, 0x09000000, 36);
    stopped_by_int(8);
    g_assert_cmphex(w->host[AREA + 0x40], ==, 0);
    g_assert_cmpint(memcmp(w->host + DATA + 8, "QEMU", 4), ==, 0);
    /* The unit attention comes instead of the data: phase mismatch. */
    command(read, 0x80, 0x09000000, 4096);
    g_assert_cmphex(get(0x42, 2), ==, 0x80);
    g_assert_cmphex(get(0x24, 4) & 0xffffff, ==, 4096);
    /* The next selection finds the bus busy; then it is free. */
    command(read, 0x80, 0x09000000, 4096);
    g_assert_cmphex(get(0x42, 2), ==, 0x04);
    memset(w->host + DATA, 0xaa, 4096);
    command(read, 0x80, 0x09000000, 4096);
    stopped_by_int(8);
    g_assert_cmphex(w->host[AREA + 0x40], ==, 0);
    g_assert_cmphex(w->host[DATA + 4095], ==, 0);
    /* Less data than the move is for: to where PMJAD1 says. */
    put(0x56, 0x80, 1);
    put(0xc0, SCRIPT + 0x800, 4);
    memcpy(w->host + SCRIPT + 0x800, (uint32_t[]){ INT(10) }, 8);
    command(inquiry, 0x80, 0x09000000, 100);
    stopped_by_int(10);
    g_assert_cmpuint(get(0xc8, 4) & 0xffffff, ==, 64);
    g_assert_cmphex(get(0xcc, 4), ==, DATA + 36);
    world_free();
}

static void test_timeout(void)
{
    world_new();
    SCRIPTS(0x41050000, 0, 0x9f030000, 1, INT(2));
    g_assert_cmphex(get(0x14, 1) & 3, ==, 2);
    g_assert_cmphex(get(0x42, 2), ==, 0x0400);
    g_assert_cmphex(get(0x2c, 4), ==, SCRIPT + 16);
    world_free();
}

/* Disconnects with data in flight; reselects with its tag and the status. */
static void test_reselect(void)
{
    const uint8_t tur[10] = { 0 };
    const uint8_t read[10] = { 0x28, [8] = 8 };

    world_new();
    command(tur, 0x80, 0x80000000, 0);
    stopped_by_int(8);
    memcpy(w->host + AREA, read, 10);
    memcpy(w->host + AREA + 0x20, "\xc0\x20\x55", 3);
    memset(w->host + DATA, 0xaa, 4096);
    SCRIPTS(0x41000000, 0,
            0x0e000003, AREA + 0x20,
            0x0a00000a, AREA,
            0x09001000, DATA,
            0x0f000002, AREA + 0x50,
            0x48000000, 0,
            0x50000000, SCRIPT + 0x400,
            0x0f000003, AREA + 0x60,
            0x0b000001, AREA + 0x40,
            0x0f000001, AREA + 0x41,
            INT(8));
    stopped_by_int(8);
    g_assert_cmpint(memcmp(w->host + AREA + 0x50, "\x02\x04", 2), ==, 0);
    g_assert_cmpint(memcmp(w->host + AREA + 0x60, "\x80\x20\x55", 3), ==, 0);
    g_assert_cmphex(w->host[AREA + 0x40], ==, 0);
    g_assert_cmphex(w->host[DATA + 4095], ==, 0);
    /* Nobody reselects: SIGP leads on. */
    memcpy(w->host + SCRIPT + 0x400, (uint32_t[]){ INT(11) }, 8);
    start((const uint32_t[]){ 0x50000000, SCRIPT + 0x400 }, 8);
    g_assert_cmpint(w->irq, ==, 0);
    put(0x14, 0x20, 1);
    wait_irq();
    stopped_by_int(11);
    world_free();
}

static void test_endless(void)
{
    world_new();
    start((const uint32_t[]){ 0x80080000, SCRIPT }, 8);
    for (int i = 0; i < 1000; i++) {
        aio_poll(qemu_get_aio_context(), false);
    }
    g_assert_cmphex(get(0x15, 1), ==, 2);
    put(0x14, 0x80, 1);                         /* abort */
    g_assert_cmphex(get(0x15, 1), ==, 0);
    g_assert_cmphex(get(0x0c, 1), ==, 0x90);
    /* One that moves itself along memory. */
    start((const uint32_t[]){ 0xc000000c, SCRIPT, SCRIPT + 12 }, 12);
    for (int i = 0; i < 300; i++) {
        aio_poll(qemu_get_aio_context(), false);
    }
    device_cold_reset(DEVICE(w->dev));
    g_assert_cmphex(get(0x15, 1), ==, 0);
    g_assert_cmpint(w->irq, ==, 0);
    world_free();
}

static void test_reset_in_flight(void)
{
    const uint8_t tur[10] = { 0 };
    const uint8_t read[10] = { 0x28, [8] = 8 };

    for (int how = 0; how < 3; how++) {
        world_new();
        command(tur, 0x80, 0x80000000, 0);
        get(0x42, 2);
        get(0x0c, 1);
        memcpy(w->host + AREA, read, 10);
        w->host[AREA + 0x20] = how == 1 ? 0xc0 : 0x80;
        start((const uint32_t[]){
            0x41000000, 0, 0x0e000001, AREA + 0x20, 0x0a00000a, AREA,
            0x09001000, DATA, 0x0f000002, AREA + 0x50, 0x50000000, 0 }, 48);
        if (how == 0) {
            put(0x01, 0x08, 1);
            g_assert_cmphex(get(0x42, 2) & 0x02, ==, 0x02);
        } else if (how == 1) {
            put(0x14, 0x40, 1);
        } else {
            device_cold_reset(DEVICE(w->dev));
        }
        g_assert_cmphex(get(0x15, 1), ==, 0);
        g_assert_cmphex(get(0x01, 1) & 0x10, ==, 0);
        world_free();
    }
}

static void test_fuzz(void)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

        world_new();
        for (int round = 0; round < 60; round++) {
            for (int i = 0; i < 256; i++) {
                uint32_t v = g_rand_int(rand);

                /* Every other word leads somewhere. */
                stl_le_p(w->host + SCRIPT + 4 * i,
                         i & 1 ? v & 0x1ffff : v);
            }
            for (int i = 0; i < 20; i++) {
                unsigned reg = g_rand_int_range(rand, 0, 0x100);

                put(reg, g_rand_int(rand), 1 << g_rand_int_range(rand, 0, 3));
                get(g_rand_int_range(rand, 0, 0x100), 1);
            }
            put(0x2c, SCRIPT + 8 * g_rand_int_range(rand, 0, 100), 4);
            for (int i = 0; i < 3; i++) {
                aio_poll(qemu_get_aio_context(), false);
            }
        }
        device_cold_reset(DEVICE(w->dev));
        g_assert_cmphex(get(0x00, 1), ==, 0xc0);
        world_free();
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    qemu_clock_virtual_enable(true);
    g_test_add_func("/lsi/registers-are-computed-with", test_registers);
    g_test_add_func("/lsi/jumps-calls-and-interrupts", test_control);
    g_test_add_func("/lsi/memory-moves-loads-stores", test_memory);
    g_test_add_func("/lsi/command-in-one-connection", test_command);
    g_test_add_func("/lsi/nobody-at-the-id-is-a-timeout", test_timeout);
    g_test_add_func("/lsi/disconnects-and-reselects", test_reselect);
    g_test_add_func("/lsi/endless-scripts-hold-up-nobody", test_endless);
    g_test_add_func("/lsi/reset-with-io-in-flight", test_reset_in_flight);
    g_test_add_func("/lsi/garbage-does-no-harm", test_fuzz);
    return g_test_run();
}
