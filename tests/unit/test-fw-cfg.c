/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fw_cfg: items, the directory, DMA, and a guest that asks for nonsense. */
#include "qemu/osdep.h"
#include "hw/nvram/fw_cfg.h"
#include "qemu/bswap.h"
#include "isa-world.h"

#define RAM_SIZE (1 * MiB)
#define DMA_AT 0x1000           /* where the tests put the control structure */
#define BUF_AT 0x2000

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

static MemoryRegion ram;
static FWCfgState *fw;
static uint8_t blob[300], writable[8];
static unsigned written;

static void note_written(void *opaque)
{
    written++;
}

static void set_up(void)
{
    for (int i = 0; i < sizeof(blob); i++) {
        blob[i] = i * 7;
    }
    memset(writable, 0xee, sizeof(writable));
    written = 0;
    memset(memory_region_get_ram_ptr(&ram), 0xcc, RAM_SIZE);
    fw = fw_cfg_init_io_dma(get_system_io(), &address_space_memory);
    fw_cfg_add_i16(fw, FW_CFG_NB_CPUS, 4);
    fw_cfg_add_i64(fw, FW_CFG_RAM_SIZE, 0x123456789aULL);
    fw_cfg_add_string(fw, FW_CFG_CMDLINE_DATA, "root=x");
    fw_cfg_add_i32(fw, FW_CFG_IRQ0_OVERRIDE, 1);
    fw_cfg_add_file(fw, "opt/zebra", blob, sizeof(blob));
    fw_cfg_add_file(fw, "etc/aardvark", blob, 3);
    fw_cfg_add_file_writable(fw, "etc/guest", writable, sizeof(writable),
                             note_written, NULL);
}

static void tear_down(void)
{
    qdev_unparent((DeviceState *)fw);
    g_assert_null(fw_cfg_find());
}

static void select_key(uint16_t key)
{
    port_out(0x510, key, 2);
}

static uint64_t read_be(unsigned n)
{
    uint64_t v = 0;

    while (n--) {
        v = v << 8 | inb(0x511);
    }
    return v;
}

static uint8_t *guest_ram(hwaddr addr)
{
    return (uint8_t *)memory_region_get_ram_ptr(&ram) + addr;
}

/* Runs one transfer; returns the control word that the guest finds. */
static uint32_t dma(uint32_t control, uint32_t len, uint64_t addr)
{
    stl_be_p(guest_ram(DMA_AT), control);
    stl_be_p(guest_ram(DMA_AT + 4), len);
    stq_be_p(guest_ram(DMA_AT + 8), addr);
    port_out(0x514, 0, 4);
    port_out(0x518, htobe32(DMA_AT), 4);
    return ldl_be_p(guest_ram(DMA_AT));
}

/* The key of a file, from the directory. */
static uint16_t file_key(const char *name, uint32_t *size)
{
    uint16_t found = 0;
    char last[56] = "";
    uint32_t n;

    select_key(FW_CFG_FILE_DIR);
    n = read_be(4);
    while (n--) {
        uint32_t len = read_be(4);
        uint16_t key = read_be(2);
        char this[56];

        g_assert_cmphex(read_be(2), ==, 0);
        for (int i = 0; i < sizeof(this); i++) {
            this[i] = inb(0x511);
        }
        g_assert_cmpint(strcmp(last, this), <, 0);      /* sorted */
        memcpy(last, this, sizeof(this));
        if (!strcmp(this, name)) {
            found = key;
            *size = len;
        }
    }
    return found;
}

/* -- Tests --------------------------------------------------------------- */

static void test_signature_and_id(void)
{
    set_up();
    select_key(FW_CFG_SIGNATURE);
    g_assert_cmphex(read_be(4), ==, 0x51454d55);
    select_key(FW_CFG_ID);
    g_assert_cmphex(read_be(4), ==, 0x03000000);
    g_assert_cmphex(port_in(0x514, 4), ==, ldl_le_p("QEMU"));
    g_assert_cmphex(port_in(0x518, 4), ==, ldl_le_p(" CFG"));
    tear_down();
}

static void test_integers_are_little_endian(void)
{
    set_up();
    select_key(FW_CFG_NB_CPUS);
    g_assert_cmphex(read_be(2), ==, 0x0400);
    select_key(FW_CFG_RAM_SIZE);
    g_assert_cmphex(read_be(8), ==, 0x9a78563412000000);
    select_key(FW_CFG_IRQ0_OVERRIDE);
    g_assert_cmphex(read_be(4), ==, 0x01000000);
    tear_down();
}

static void test_past_the_end_is_zero(void)
{
    set_up();
    select_key(FW_CFG_CMDLINE_DATA);
    g_assert_cmphex(read_be(8), ==, 0x726f6f743d780000);
    for (int i = 0; i < 1000; i++) {
        g_assert_cmphex(inb(0x511), ==, 0);
    }
    select_key(FW_CFG_CMDLINE_DATA);
    g_assert_cmphex(inb(0x511), ==, 'r');
    tear_down();
}

static void test_no_such_key(void)
{
    static const uint16_t keys[] = {
        0x3fff, 0x4000, 0x8fff, 0xbfff, 0xffff, 0x7fff, 0x8010, 0x60,
    };

    set_up();
    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        select_key(keys[i]);
        if (keys[i] != 0x4000) {        /* that is the signature's old alias */
            g_assert_cmphex(read_be(4), ==, 0);
            g_assert_cmphex(dma(READ, 4, BUF_AT), ==, 0);
            g_assert_cmphex(ldl_be_p(guest_ram(BUF_AT)), ==, 0);
            g_assert_cmphex(dma(WRITE, 4, BUF_AT), ==, ERROR);
        }
    }
    tear_down();
}

static void test_directory(void)
{
    uint32_t size = 0;

    set_up();
    g_assert_cmphex(file_key("opt/zebra", &size), !=, 0);
    g_assert_cmpuint(size, ==, sizeof(blob));
    select_key(file_key("etc/aardvark", &size));
    g_assert_cmpuint(size, ==, 3);
    g_assert_cmphex(read_be(4), ==, 0x00070e00);
    g_assert_cmphex(file_key("none", &size), ==, 0);
    fw_cfg_modify_file(fw, "etc/aardvark", blob + 1, 2);
    select_key(file_key("etc/aardvark", &size));
    g_assert_cmpuint(size, ==, 2);
    g_assert_cmphex(read_be(4), ==, 0x070e0000);
    tear_down();
}

static void test_data_port_does_not_write(void)
{
    uint32_t size;

    set_up();
    select_key(file_key("etc/guest", &size));
    outb(0x511, 0x11);
    outb(0x510, 0x11);
    g_assert_cmphex(writable[0], ==, 0xee);
    g_assert_cmphex(inb(0x511), ==, 0xee);
    tear_down();
}

static void test_dma_read(void)
{
    uint32_t size, key;

    set_up();
    key = file_key("opt/zebra", &size);
    g_assert_cmphex(dma(key << 16 | SELECT | READ, size, BUF_AT), ==, 0);
    g_assert_cmpmem(guest_ram(BUF_AT), size, blob, size);
    /* Goes on where it was; skips; a byte port after it does, too. */
    g_assert_cmphex(dma(key << 16 | SELECT | READ, 10, BUF_AT), ==, 0);
    g_assert_cmphex(dma(SKIP, 5, 0), ==, 0);
    g_assert_cmphex(dma(READ, 1, BUF_AT), ==, 0);
    g_assert_cmphex(*guest_ram(BUF_AT), ==, blob[15]);
    g_assert_cmphex(inb(0x511), ==, blob[16]);
    tear_down();
}

static void test_dma_read_past_the_end(void)
{
    uint32_t size, key;

    set_up();
    key = file_key("etc/aardvark", &size);
    g_assert_cmphex(dma(key << 16 | SELECT | READ, 6, BUF_AT), ==, 0);
    g_assert_cmpmem(guest_ram(BUF_AT), 7, "\0\7\16\0\0\0\xcc", 7);
    g_assert_cmphex(dma(key << 16 | SELECT | SKIP, UINT32_MAX, 0), ==, 0);
    g_assert_cmphex(dma(SKIP, UINT32_MAX, 0), ==, 0);
    g_assert_cmphex(dma(READ, 2, BUF_AT), ==, 0);
    g_assert_cmpmem(guest_ram(BUF_AT), 3, "\0\0\16", 3);
    tear_down();
}

static void test_dma_hostile(void)
{
    uint32_t size, key;

    set_up();
    key = file_key("opt/zebra", &size) << 16 | SELECT;
    /* Beyond RAM, across its end, around the end of the world. */
    g_assert_cmphex(dma(key | READ, 4, RAM_SIZE), ==, ERROR);
    g_assert_cmphex(dma(key | READ, 300, RAM_SIZE - 2), ==, ERROR);
    g_assert_cmphex(dma(key | READ, 300, UINT64_MAX - 2), ==, ERROR);
    g_assert_cmphex(dma(key | READ, UINT32_MAX, UINT64_MAX), ==, ERROR);
    g_assert_cmphex(dma(key | READ, UINT32_MAX, BUF_AT), ==, ERROR);
    /* Nothing at all. */
    g_assert_cmphex(dma(key | READ, 0, RAM_SIZE), ==, 0);
    /* The control structure itself is nowhere: no crash, no answer. */
    port_out(0x514, 0xffffffff, 4);
    port_out(0x518, 0xffffffff, 4);
    port_out(0x518, htobe32(RAM_SIZE - 8), 4);
    g_assert_cmphex(ldl_be_p(guest_ram(RAM_SIZE - 8)), ==, ERROR);
    tear_down();
}

static void test_dma_write(void)
{
    uint32_t size, key;

    set_up();
    key = file_key("etc/guest", &size) << 16 | SELECT;
    memcpy(guest_ram(BUF_AT), "abcdefghi", 9);
    g_assert_cmphex(dma(key | WRITE, 8, BUF_AT), ==, 0);
    g_assert_cmpmem(writable, 8, "abcdefgh", 8);
    g_assert_cmpuint(written, ==, 1);
    /* Not beyond its end, not from nowhere, not into another. */
    g_assert_cmphex(dma(key | WRITE, 9, BUF_AT), ==, ERROR);
    g_assert_cmphex(dma(key | SKIP, 6, 0), ==, 0);
    g_assert_cmphex(dma(WRITE, 3, BUF_AT), ==, ERROR);
    g_assert_cmphex(dma(WRITE, UINT32_MAX, BUF_AT), ==, ERROR);
    g_assert_cmphex(dma(key | WRITE, 4, RAM_SIZE), ==, ERROR);
    key = file_key("opt/zebra", &size) << 16 | SELECT;
    g_assert_cmphex(dma(key | WRITE, 4, BUF_AT), ==, ERROR);
    g_assert_cmphex(blob[1], ==, 7);
    g_assert_cmpuint(written, ==, 1);
    tear_down();
}

static void test_random(void)
{
    uint32_t size;

    set_up();
    file_key("etc/guest", &size);
    for (int i = 0; i < 10000; i++) {
        select_key(g_test_rand_int());
        inb(0x511);
        dma(g_test_rand_int() & ~(g_test_rand_int() & 0xffe00000),
            g_test_rand_int() >> g_test_rand_int_range(8, 31),
            g_test_rand_int() & 0x1fffff);
        port_in(0x510 + g_test_rand_int_range(0, 12),
                1 << g_test_rand_int_range(0, 3));
    }
    tear_down();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_world_init();
    memory_region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_add_subregion(get_system_memory(), 0, &ram);
    g_test_add_func("/fw-cfg/signature-and-id", test_signature_and_id);
    g_test_add_func("/fw-cfg/integers-are-little-endian",
                    test_integers_are_little_endian);
    g_test_add_func("/fw-cfg/past-the-end-is-zero", test_past_the_end_is_zero);
    g_test_add_func("/fw-cfg/no-such-key-is-empty", test_no_such_key);
    g_test_add_func("/fw-cfg/directory-is-sorted", test_directory);
    g_test_add_func("/fw-cfg/data-port-does-not-write",
                    test_data_port_does_not_write);
    g_test_add_func("/fw-cfg/dma-read", test_dma_read);
    g_test_add_func("/fw-cfg/dma-read-past-the-end",
                    test_dma_read_past_the_end);
    g_test_add_func("/fw-cfg/dma-hostile", test_dma_hostile);
    g_test_add_func("/fw-cfg/dma-write", test_dma_write);
    g_test_add_func("/fw-cfg/random-accesses-are-harmless", test_random);
    return g_test_run();
}
