/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a proxy must do for any device: identity, every kind of BAR, every
 * access, config space, reset, bus mastering, memory that comes and goes.
 * Each case runs on a local device too: the guest must not tell them apart.
 */
#include <string.h>

#include "libqtest.h"

#define BAR 0xfe000000
#define IO_BAR 0xc000
#define ALL(size) ((size) == 8 ? UINT64_MAX : (1ULL << (8 * (size))) - 1)

static void start(QWorld *w)
{
    qpci_set_bar(&w->dev, 0, BAR);
    qpci_enable(&w->dev);
}

/* -- Identity and config space ---------------------------------------------- */

static void test_edu_identity(QWorld *w)
{
    g_assert_cmphex(qpci_read(&w->dev, 0, 4), ==, 0x11e81234);
    g_assert_cmphex(qpci_read(&w->dev, 8, 4), ==, 0x00ff0010);
    g_assert_cmphex(qpci_read(&w->dev, 0x0e, 1), ==, 0);
    g_assert_cmphex(qpci_read(&w->dev, 0x3d, 1), ==, 1);
}

static void test_only_its_function(QWorld *w)
{
    QPCIDevice other = w->dev;

    for (int fn = 1; fn < 8; fn++) {
        other.devfn = QPCI_DEVFN(4, fn);
        g_assert_cmphex(qpci_read(&other, 0, 4), ==, 0xffffffff);
    }
}

/* Every byte of config space, by each size that mechanism 1 has. */
static void test_config_sizes_agree(QWorld *w)
{
    for (int at = 0; at < 256; at += 4) {
        uint32_t whole = qpci_read(&w->dev, at, 4);

        for (int i = 0; i < 4; i++) {
            g_assert_cmphex(qpci_read(&w->dev, at + i, 1), ==,
                            whole >> (8 * i) & 0xff);
        }
        for (int i = 0; i < 4; i += 2) {
            g_assert_cmphex(qpci_read(&w->dev, at + i, 2), ==,
                            whole >> (8 * i) & 0xffff);
        }
    }
}

static void test_last_bytes_of_config(QWorld *w)
{
    for (unsigned size = 1; size <= 4; size *= 2) {
        for (int at = 0xfc; at < 0x100; at++) {
            qpci_write(&w->dev, at, 0xffffffff, size);
            qpci_read(&w->dev, at, size);
        }
    }
    test_edu_identity(w);
}

static void test_read_only_registers(QWorld *w)
{
    static const uint8_t regs[] = { 0x00, 0x08, 0x2c };

    for (unsigned i = 0; i < G_N_ELEMENTS(regs); i++) {
        uint32_t was = qpci_read(&w->dev, regs[i], 4);

        qpci_write(&w->dev, regs[i], ~was, 4);
        g_assert_cmphex(qpci_read(&w->dev, regs[i], 4), ==, was);
    }
    qpci_write(&w->dev, 0x3c, 0x5a, 1);
    g_assert_cmphex(qpci_read(&w->dev, 0x3c, 2), ==, 0x015a);
}

/* -- BARs -------------------------------------------------------------------- */

static void test_edu_bars(QWorld *w)
{
    uint8_t type;

    g_assert_cmphex(qpci_bar_size(&w->dev, 0, &type), ==, 0x100000);
    g_assert_cmphex(type, ==, 0);
    for (int nr = 1; nr < 7; nr++) {
        g_assert_cmphex(qpci_bar_size(&w->dev, nr, &type), ==, 0);
    }
}

static void check_testdev_bars(QWorld *w, uint64_t membar)
{
    uint8_t type = 0xff;

    g_assert_cmphex(qpci_bar_size(&w->dev, 0, &type), ==, 2048);
    g_assert_cmphex(type, ==, 0);
    g_assert_cmphex(qpci_bar_size(&w->dev, 1, &type), ==, 256);
    g_assert_cmphex(type, ==, 1);
    g_assert_cmphex(qpci_bar_size(&w->dev, 2, &type), ==, membar);
    if (membar) {
        g_assert_cmphex(type, ==, 0xc);
        qpci_set_bar(&w->dev, 2, 0x900000000);
        g_assert_cmphex(qpci_read(&w->dev, 0x18, 4), ==, 0xc);
        g_assert_cmphex(qpci_read(&w->dev, 0x1c, 4), ==, 9 & -(membar >> 32 ?
                                                               membar >> 32
                                                               : 1));
    }
}

static void test_testdev_bars(QWorld *w)
{
    const char *size = strstr(w->config->device, "membar=");

    check_testdev_bars(w, size ? g_ascii_strtoull(size + 7, NULL, 0) : 0);
}

static void test_bar_moves(QWorld *w)
{
    static const uint32_t places[] = {
        0xe0000000, 0xfe000000, 0xc0100000, 0xfea00000, 0xe0000000,
    };

    qpci_enable(&w->dev);
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        qpci_set_bar(&w->dev, 0, places[i]);
        g_assert_cmphex(qtest_read(w->main, places[i], 4), ==, 0x010000ed);
        if (i) {
            g_assert_cmphex(qtest_read(w->main, places[i - 1], 4), ==,
                            0xffffffff);
        }
    }
}

static void test_decoding_off(QWorld *w)
{
    start(w);
    qpci_write(&w->dev, 4, 5, 2);
    g_assert_cmphex(qtest_read(w->main, BAR, 4), ==, 0xffffffff);
    qpci_write(&w->dev, 4, 7, 2);
    g_assert_cmphex(qtest_read(w->main, BAR, 4), ==, 0x010000ed);
}

static void test_io_bar(QWorld *w)
{
    qpci_set_bar(&w->dev, 1, IO_BAR);
    qpci_enable(&w->dev);
    qtest_out(w->main, IO_BAR, 0, 1);
    for (unsigned size = 1; size <= 4; size *= 2) {
        g_assert_cmphex(qtest_in(w->main, IO_BAR + 4, size), ==, 0x40);
        g_assert_cmphex(qtest_in(w->main, IO_BAR + 8, size), ==, 0xfa);
    }
    qtest_out(w->main, IO_BAR + 0x40, 0xfa, 1);
    g_assert_cmphex(qtest_in(w->main, IO_BAR + 12, 4), ==, 1);
    qpci_write(&w->dev, 4, 6, 2);
    g_assert_cmphex(qtest_in(w->main, IO_BAR + 12, 4), ==, 0xffffffff);
}

/* The test device's header, by every size at every offset. */
static void test_access_sizes(QWorld *w)
{
    uint8_t header[32];

    start(w);
    qtest_write(w->main, BAR, 0, 1);
    for (unsigned i = 0; i < sizeof(header); i++) {
        header[i] = qtest_read(w->main, BAR + i, 1);
    }
    g_assert_cmpstr((char *)header + 16, ==, "mmio-no-eventfd");
    for (unsigned size = 2; size <= 8; size *= 2) {
        for (unsigned at = 0; at + size <= sizeof(header); at += size) {
            uint64_t want = 0;

            memcpy(&want, header + at, size);
            g_assert_cmphex(qtest_read(w->main, BAR + at, size), ==, want);
        }
    }
}

static void test_counts_right_writes(QWorld *w)
{
    for (int test = 0; test < 3; test++) {
        start(w);
        qtest_write(w->main, BAR, test, 1);
        for (int i = 0; i < 5; i++) {
            qtest_write(w->main, BAR + 0x40 + 4 * test, 0xfa, 1);
        }
        qtest_until(w->main, qtest_read(w->main, BAR + 12, 4) >= 1);
        g_assert_cmphex(qtest_read(w->main, BAR + 4, 4), ==, 0x40 + 4 * test);
    }
    qtest_write(w->main, BAR, 3, 1);
    g_assert_cmphex(qtest_read(w->main, BAR + 1, 1), ==, 0);
}

/* -- Reset -------------------------------------------------------------------- */

static void test_reset(QWorld *w)
{
    start(w);
    qtest_write(w->main, BAR + 4, 0x1234, 4);
    qpci_write(&w->dev, 0x3c, 11, 1);
    qtest_qmp_ok(w->main, "system_reset");
    qtest_qmp_events(w->main, "RESET", true);
    g_assert_cmphex(qpci_read(&w->dev, 0x10, 4), ==, 0);
    g_assert_cmphex(qpci_read(&w->dev, 4, 2), ==, 0);
    g_assert_cmphex(qpci_read(&w->dev, 0x3c, 1), ==, 0);
    g_assert_cmphex(qtest_read(w->main, BAR, 4), ==, 0xffffffff);
    start(w);
    g_assert_cmphex(qtest_read(w->main, BAR + 4, 4), ==, 0);
    qtest_write(w->main, BAR + 4, 1, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + 4, 4), ==, 0xfffffffe);
}

/* -- DMA ---------------------------------------------------------------------- */

#define BUFFER 0x40000

static void dma(QWorld *w, uint64_t addr, unsigned count, bool to_guest)
{
    qtest_write(w->main, BAR + 0x80, to_guest ? BUFFER : addr, 8);
    qtest_write(w->main, BAR + 0x88, to_guest ? addr : BUFFER, 8);
    qtest_write(w->main, BAR + 0x90, count, 8);
    qtest_write(w->main, BAR + 0x98, to_guest ? 3 : 1, 8);
    qtest_until(w->main, !(qtest_read(w->main, BAR + 0x98, 8) & 1));
}

/* Through the device's buffer: from where the guest can write, to @addr. */
static void check_dma(QWorld *w, uint64_t addr, unsigned count, bool reaches)
{
    g_autofree uint8_t *data = g_malloc(count), *got = g_malloc(count);
    static unsigned calls;

    calls++;

    for (unsigned i = 0; i < count; i++) {
        data[i] = i * 7 + 3 + calls;
    }
    qtest_memset(w->main, addr, 0xee, count);
    qtest_memwrite(w->main, 0x10000, data, count);
    dma(w, 0x10000, count, false);
    dma(w, addr, count, true);
    qtest_memread(w->main, addr, got, count);
    g_assert_cmpint(!memcmp(data, got, count), ==, reaches);
}

static void test_dma_sizes(QWorld *w)
{
    static const unsigned sizes[] = { 1, 2, 3, 7, 8, 511, 512, 4095, 4096 };

    start(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_dma(w, 0x20000, sizes[i], true);
        check_dma(w, 0x20001, sizes[i], true);
    }
}

static void test_dma_last_byte_of_ram(QWorld *w)
{
    uint8_t got[4], hole[4] = { 0xff, 0xff, 0xff, 0xff };

    start(w);
    check_dma(w, (64 << 20) - 16, 16, true);
    /* Out of RAM: nothing is written, and ones are read. */
    dma(w, 64 << 20, 16, true);
    dma(w, 64 << 20, 4, false);
    dma(w, 0x30000, 4, true);
    qtest_memread(w->main, 0x30000, got, 4);
    g_assert_cmpint(memcmp(got, hole, 4), ==, 0);
}

static void test_dma_far_away(QWorld *w)
{
    static const uint64_t far[] = {
        0x80000000, 0xfee00000, 0x100000000, 0x7fffffffffff, UINT64_MAX - 15,
        UINT64_MAX,
    };

    start(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(far); i++) {
        dma(w, far[i], 16, true);
        dma(w, far[i], 16, false);
    }
    check_dma(w, 0x20000, 64, true);
}

static void test_bus_master_off(QWorld *w)
{
    uint32_t val = 0;

    start(w);
    check_dma(w, 0x20000, 64, true);
    qtest_memset(w->main, 0x20000, 0xee, 64);
    qpci_write(&w->dev, 4, 3, 2);
    dma(w, 0x20000, 64, true);
    qtest_memread(w->main, 0x20000, &val, 4);
    g_assert_cmphex(val, ==, 0xeeeeeeee);
    qpci_write(&w->dev, 4, 7, 2);
    check_dma(w, 0x20000, 64, true);
}

static void test_above_4g(QWorld *w)
{
    start(w);
    check_dma(w, 0x100000000, 4096, true);
    check_dma(w, 0x100000000 + (1 << 20), 4096, true);
    check_dma(w, 0x20000, 4096, true);
}

/* -- A memory table that changes ------------------------------------------------ */

static uint8_t pam_register(QWorld *w)
{
    return g_str_equal(w->config->machine, "pc") ? 0x59 : 0x90;
}

static void set_pam(QWorld *w, int nr, uint8_t val)
{
    QPCIDevice host = { w->main, 0, 0 };

    qpci_write(&host, pam_register(w) + nr, val, 1);
}

static void test_pam_opens_and_closes(QWorld *w)
{
    start(w);
    for (int round = 0; round < 3; round++) {
        set_pam(w, 1, 0x33);            /* C0000h to C7FFFh is RAM */
        check_dma(w, 0xc0000, 4096, true);
        check_dma(w, 0xc4000 - 100, 200, true);
        set_pam(w, 1, 0x11);            /* RAM to be read */
        check_dma(w, 0xc0000, 4096, false);
        set_pam(w, 1, 0x13);            /* the first half to be written, too */
        check_dma(w, 0xc0000, 4096, true);
        check_dma(w, 0xc4000, 4096, false);
        set_pam(w, 1, 0);
    }
    check_dma(w, 0x20000, 4096, true);
}

/* Segments in turn give more pieces than the wire has room for: the largest
 * are shared, and no more than the rest is lost. */
static void test_many_pieces(QWorld *w)
{
    if (w->remote) {
        qtest_expect_stderr(w->main, "only 7 can be shared");
    }
    start(w);
    for (int nr = 1; nr < 7; nr++) {
        set_pam(w, nr, 0x13);
    }
    check_dma(w, 0x20000, 4096, true);
    check_dma(w, 0x100000000, 4096, true);
    check_dma(w, 0x1000000, 4096, true);
    for (int nr = 1; nr < 7; nr++) {
        set_pam(w, nr, 0x33);
    }
    check_dma(w, 0xc0000, 4096, true);
    check_dma(w, 0xec000, 4096, true);
    for (int nr = 1; nr < 7; nr++) {
        set_pam(w, nr, 0);
    }
    check_dma(w, 0x20000, 4096, true);
}

static void test_two_devices_each_its_own(QWorld *w)
{
    start(w);
    qpci_set_bar(&w->dev2, 0, 0xfe200000);
    qpci_enable(&w->dev2);
    qtest_write(w->main, BAR + 4, 1, 4);
    qtest_write(w->main, 0xfe200004, 2, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + 4, 4), ==, ~1u);
    g_assert_cmphex(qtest_read(w->main, 0xfe200004, 4), ==, ~2u);
    check_dma(w, 0x20000, 4096, true);
}

#define EDU "edu,dma_mask=0xffffffffffffffff"
static const struct {
    const char *name, *device, *memory, *device2;
    void (*fn)(QWorld *w);
} tests[] = {
    { "identity", EDU, NULL, NULL, test_edu_identity },
    { "only-its-function-answers", EDU, NULL, NULL, test_only_its_function },
    { "config-sizes-agree", EDU, NULL, NULL, test_config_sizes_agree },
    { "last-bytes-of-config", EDU, NULL, NULL, test_last_bytes_of_config },
    { "read-only-registers", EDU, NULL, NULL, test_read_only_registers },
    { "memory-bar", EDU, NULL, NULL, test_edu_bars },
    { "memory-and-io-bar", "pci-testdev", NULL, NULL, test_testdev_bars },
    { "64-bit-bar-of-16", "pci-testdev,membar=16", NULL, NULL,
      test_testdev_bars },
    { "64-bit-bar-of-4k", "pci-testdev,membar=4096", NULL, NULL,
      test_testdev_bars },
    { "64-bit-bar-of-1M", "pci-testdev,membar=1048576", NULL, NULL,
      test_testdev_bars },
    { "64-bit-bar-of-2G", "pci-testdev,membar=2147483648", NULL, NULL,
      test_testdev_bars },
    { "bar-moves", EDU, NULL, NULL, test_bar_moves },
    { "decoding-off", EDU, NULL, NULL, test_decoding_off },
    { "io-bar", "pci-testdev", NULL, NULL, test_io_bar },
    { "access-sizes", "pci-testdev", NULL, NULL, test_access_sizes },
    { "right-writes-are-counted", "pci-testdev", NULL, NULL,
      test_counts_right_writes },
    { "reset", EDU, NULL, NULL, test_reset },
    { "dma-sizes", EDU, NULL, NULL, test_dma_sizes },
    { "dma-to-the-last-byte-of-ram", EDU, NULL, NULL,
      test_dma_last_byte_of_ram },
    { "dma-where-nothing-is", EDU, NULL, NULL, test_dma_far_away },
    { "bus-master-off", EDU, NULL, NULL, test_bus_master_off },
    { "ram-above-4g", EDU, "4G", NULL, test_above_4g },
    { "pam-opens-and-closes", EDU, NULL, NULL, test_pam_opens_and_closes },
    { "more-pieces-than-the-wire-has", EDU, "4G", NULL, test_many_pieces },
    { "two-devices-each-its-own", EDU, NULL, EDU,
      test_two_devices_each_its_own },
};

int main(int argc, char **argv)
{
    static const char *const machines[] = { "q35", "pc" };

    g_test_init(&argc, &argv, NULL);
    for (unsigned m = 0; m < G_N_ELEMENTS(machines); m++) {
        g_autofree char *suite = g_strdup_printf("proxy/%s", machines[m]);

        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
            QWorldConfig config = {
                .machine = machines[m], .device = tests[i].device,
                .memory = tests[i].memory, .device2 = tests[i].device2,
            };

            qworld_add_tests(suite, tests[i].name, &config, tests[i].fn);
        }
    }
    return g_test_run();
}
