/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on the board besides PCI: power management, fw_cfg by DMA, the
 * clock's alarm, the reset port and the memory map; q35 and pc.
 */
#include <string.h>

#include "libqtest.h"

#define PM 0x600

typedef struct Board {
    const char *machine;
    uint8_t devfn, enable, bit;
} Board;

/* Where a function decodes its PM registers, and which bit lets it. */
static const Board boards[] = {
    { "q35", QPCI_DEVFN(0x1f, 0), 0x44, 0x80 },
    { "pc", QPCI_DEVFN(1, 3), 0x80, 0x01 },
};

static void pm_on(QTestState *s, const Board *b)
{
    QPCIDevice d = { s, 0, b->devfn };

    g_assert_cmphex(qtest_in(s, PM, 2), ==, 0xffff);
    qpci_write(&d, 0x40, PM | 1, 4);
    qpci_write(&d, b->enable, b->bit, 1);
    g_assert_cmphex(qpci_read(&d, 0x40, 4), ==, PM | 1);
}

/* -- Power management ------------------------------------------------------ */

static void test_pm_timer(QTestState *s, const Board *b)
{
    uint32_t before, after;

    pm_on(s, b);
    before = qtest_in(s, PM + 8, 4);
    g_assert_cmphex(qtest_in(s, PM + 8, 4), ==, before);    /* it stands */
    qtest_clock_step(s, 1000000000);
    after = qtest_in(s, PM + 8, 4);
    g_assert_cmpint((int)((after - before) & 0xffffff), >=, 3579545 - 1);
    g_assert_cmpint((int)((after - before) & 0xffffff), <=, 3579545 + 1);
    qtest_out(s, PM + 8, 0, 4);                 /* read only */
    g_assert_cmphex(qtest_in(s, PM + 8, 4), ==, after);
}

static void test_pm_overflow_interrupts(QTestState *s, const Board *b)
{
    pm_on(s, b);
    qtest_irq_intercept_in(s, "ioapic");
    qtest_out(s, PM, 0xffff, 2);
    qtest_out(s, PM + 2, 1, 2);                 /* TMR_EN */
    qtest_out(s, PM + 4, 1, 2);                 /* SCI_EN */
    g_assert_false(qtest_get_irq(s, 9));
    qtest_clock_step(s, 3000000000);            /* bit 23 flips by then */
    g_assert_cmphex(qtest_in(s, PM, 2) & 1, ==, 1);
    g_assert_true(qtest_get_irq(s, 9));
    qtest_out(s, PM, 0xfffe, 2);                /* others do not clear it */
    g_assert_true(qtest_get_irq(s, 9));
    qtest_out(s, PM, 1, 2);
    g_assert_cmphex(qtest_in(s, PM, 2) & 1, ==, 0);
    g_assert_false(qtest_get_irq(s, 9));
}

static void test_pm_button(QTestState *s, const Board *b)
{
    pm_on(s, b);
    qtest_irq_intercept_in(s, "ioapic");
    qtest_out(s, PM + 2, 0x100, 2);
    qtest_out(s, PM + 4, 1, 2);
    qtest_qmp_ok(s, "system_powerdown");
    qtest_until(s, qtest_get_irq(s, 9));
    g_assert_cmphex(qtest_in(s, PM, 2) & 0x100, ==, 0x100);
    qtest_out(s, PM, 0x100, 2);
    g_assert_false(qtest_get_irq(s, 9));
}

static void test_pm_registers(QTestState *s, const Board *b)
{
    pm_on(s, b);
    qtest_out(s, PM + 2, 0xffff, 2);
    g_assert_cmphex(qtest_in(s, PM + 2, 2), ==, 0x0721);
    qtest_out(s, PM + 2, 0, 1);
    g_assert_cmphex(qtest_in(s, PM + 2, 2), ==, 0x0700);
    qtest_out(s, PM + 4, 0xdfff, 2);            /* all but SLP_EN */
    g_assert_cmphex(qtest_in(s, PM + 4, 2), ==, 0x1c03);
    /* By ACPI's port, as firmware and kernels switch it. */
    qtest_out(s, 0xb2, b->devfn == QPCI_DEVFN(1, 3) ? 0xf0 : 0x03, 1);
    g_assert_cmphex(qtest_in(s, PM + 4, 2) & 1, ==, 0);
    qtest_out(s, 0xb2, b->devfn == QPCI_DEVFN(1, 3) ? 0xf1 : 0x02, 1);
    g_assert_cmphex(qtest_in(s, PM + 4, 2) & 1, ==, 1);
    qtest_out(s, 0xb3, 0x5a, 1);
    g_assert_cmphex(qtest_in(s, 0xb3, 1), ==, 0x5a);
    for (unsigned at = 0; at < 64; at++) {
        qtest_in(s, PM + at, 1);
        qtest_out(s, PM + at, at == 5 ? 0 : 0xff, 1);
    }
}

static void test_pm_moves(QTestState *s, const Board *b)
{
    QPCIDevice d = { s, 0, b->devfn };

    pm_on(s, b);
    qtest_out(s, PM + 2, 0x100, 2);
    qpci_write(&d, 0x40, 0xb000 | 1, 4);
    g_assert_cmphex(qtest_in(s, PM + 2, 2), ==, 0xffff);
    g_assert_cmphex(qtest_in(s, 0xb002, 2), ==, 0x100);
    qpci_write(&d, b->enable, 0, 1);
    g_assert_cmphex(qtest_in(s, 0xb002, 2), ==, 0xffff);
}

static void test_pm_soft_off(QTestState *s, const Board *b)
{
    pm_on(s, b);
    g_assert_cmpint(qtest_qmp_events(s, "SHUTDOWN", false), ==, 0);
    qtest_out(s, PM + 4, 0x2000, 2);            /* SLP_EN, S5 */
    qtest_qmp_events(s, "SHUTDOWN", true);
}

/* -- fw_cfg by DMA --------------------------------------------------------- */

#define DMA_AT 0x10000
#define DMA_TO 0x20000
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8,
       DMA_WRITE = 16 };

/* What the control word is afterwards. */
static uint32_t dma(QTestState *s, uint32_t control, uint32_t len,
                    uint64_t addr)
{
    uint32_t words[4] = { GUINT32_TO_BE(control), GUINT32_TO_BE(len),
                          GUINT32_TO_BE(addr >> 32), GUINT32_TO_BE(addr) };

    qtest_memwrite(s, DMA_AT, words, sizeof(words));
    qtest_out(s, 0x514, 0, 4);
    qtest_out(s, 0x518, GUINT32_TO_BE(DMA_AT), 4);
    return GUINT32_FROM_BE(qtest_read(s, DMA_AT, 4));
}

static void test_fw_cfg_dma(QTestState *s, const Board *b)
{
    /* "QEMU CFG", from the address port. */
    g_assert_cmphex(qtest_in(s, 0x514, 4), ==, 0x554d4551);
    g_assert_cmphex(qtest_in(s, 0x518, 4), ==, 0x47464320);
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_READ, 4, DMA_TO), ==, 0);
    g_assert_cmphex(qtest_read(s, DMA_TO, 4), ==, 0x554d4551);
    /* Beyond an item's end are zeroes. */
    qtest_memset(s, DMA_TO, 0xff, 16);
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_READ, 8, DMA_TO), ==, 0);
    g_assert_cmphex(qtest_read(s, DMA_TO, 8), ==, 0x554d4551);
    g_assert_cmphex(qtest_read(s, DMA_TO + 8, 1), ==, 0xff);
    /* In parts, and over some of it. */
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_SKIP, 2, 0), ==, 0);
    g_assert_cmphex(dma(s, DMA_READ, 1, DMA_TO), ==, 0);
    g_assert_cmphex(dma(s, DMA_READ, 1, DMA_TO + 1), ==, 0);
    g_assert_cmphex(qtest_read(s, DMA_TO, 2), ==, 0x554d);
    /* What is not to be written, what is not there, where no memory is. */
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_WRITE, 4, DMA_TO) & 1, ==, 1);
    g_assert_cmphex(dma(s, 0x3fffu << 16 | DMA_SELECT | DMA_READ, 4, DMA_TO),
                    ==, 0);
    g_assert_cmphex(qtest_read(s, DMA_TO, 4), ==, 0);
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_READ, 4, 0xd0000000) & 1, ==, 1);
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_READ, 4, UINT64_MAX - 1) & 1, ==,
                    1);
    g_assert_cmphex(dma(s, DMA_SELECT, 0, 0), ==, 0);
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_READ, 4, DMA_TO), ==, 0);
    /* The request itself is nowhere. */
    qtest_out(s, 0x514, GUINT32_TO_BE(0x7fffffff), 4);
    qtest_out(s, 0x518, GUINT32_TO_BE(0xfffffff0), 4);
    g_assert_cmphex(dma(s, DMA_SELECT | DMA_READ, 4, DMA_TO), ==, 0);
}

static void test_fw_cfg_directory(QTestState *s, const Board *b)
{
    bool found = false;
    uint32_t n;

    dma(s, 0x19u << 16 | DMA_SELECT | DMA_READ, 4, DMA_TO);
    n = GUINT32_FROM_BE(qtest_read(s, DMA_TO, 4));
    g_assert_cmpuint(n, >, 3);
    for (uint32_t i = 0; i < n; i++) {
        struct { uint32_t size; uint16_t select, pad; char name[56]; } f;
        char last[56] = "";

        g_assert_cmphex(dma(s, DMA_READ, 64, DMA_TO), ==, 0);
        qtest_memread(s, DMA_TO, &f, sizeof(f));
        g_assert_cmpstr(last, <, f.name);
        found |= !strcmp(f.name, "etc/acpi/tables");
        g_assert_cmpuint(GUINT16_FROM_BE(f.select), >=, 0x20);
    }
    g_assert_true(found);
}

/* -- The clock ------------------------------------------------------------- */

static uint8_t cmos(QTestState *s, uint8_t reg)
{
    qtest_out(s, 0x70, reg, 1);
    return qtest_in(s, 0x71, 1);
}

static void set_cmos(QTestState *s, uint8_t reg, uint8_t val)
{
    qtest_out(s, 0x70, reg, 1);
    qtest_out(s, 0x71, val, 1);
}

static void test_rtc_alarm(QTestState *s, const Board *b)
{
    qtest_irq_intercept_in(s, "ioapic");
    set_cmos(s, 0x0a, 0x26);                    /* 32768 Hz */
    set_cmos(s, 0x0b, 0x86);                    /* set; binary, 24 hours */
    set_cmos(s, 0x00, 58);
    set_cmos(s, 0x02, 59);
    set_cmos(s, 0x04, 23);
    set_cmos(s, 0x07, 31);
    set_cmos(s, 0x08, 12);
    set_cmos(s, 0x09, 29);
    set_cmos(s, 0x01, 0);
    set_cmos(s, 0x03, 0);
    set_cmos(s, 0x05, 0);
    set_cmos(s, 0x0b, 0x26);                    /* alarm */
    g_assert_false(qtest_get_irq(s, 8));
    for (unsigned i = 0; i < 11 && cmos(s, 0) != 59; i++) {
        qtest_clock_step(s, 100000000);
    }
    g_assert_cmpuint(cmos(s, 0), ==, 59);
    for (unsigned i = 0; i < 11 && !qtest_get_irq(s, 8); i++) {
        qtest_clock_step(s, 100000000);
    }
    g_assert_true(qtest_get_irq(s, 8));
    g_assert_cmphex(cmos(s, 0x0c) & 0xa0, ==, 0xa0);
    g_assert_false(qtest_get_irq(s, 8));
    g_assert_cmpuint(cmos(s, 0), ==, 0);
    g_assert_cmpuint(cmos(s, 4), ==, 0);
    g_assert_cmpuint(cmos(s, 7), ==, 1);
    g_assert_cmpuint(cmos(s, 8), ==, 1);
    g_assert_cmpuint(cmos(s, 9), ==, 30);
    g_assert_cmphex(cmos(s, 0x0d), ==, 0x80);
    set_cmos(s, 0x3f, 0x77);                    /* memory */
    g_assert_cmphex(cmos(s, 0x3f), ==, 0x77);
    g_assert_cmphex(cmos(s, 0xbf), ==, 0x77);   /* bit 7 is the NMI's */
}

/* -- Reset, memory --------------------------------------------------------- */

static void test_reset_port(QTestState *s, const Board *b)
{
    qtest_write(s, 0x1000, 0x55, 1);
    for (unsigned i = 1; i <= 2; i++) {
        pm_on(s, b);
        qtest_out(s, 0xcf9, i == 1 ? 0x06 : 0x0e, 1);
        qtest_until(s, qtest_qmp_events(s, "RESET", true) == i);
        qtest_until(s, qtest_in(s, PM, 2) == 0xffff);
    }
    g_assert_cmphex(qtest_read(s, 0x1000, 1), ==, 0x55);
}

/* 6 GiB: some below the hole, the rest above 4 GiB. */
static void test_memory_map(QTestState *s, const Board *b)
{
    static const uint64_t g = 1 << 30;
    uint64_t low = g_str_equal(b->machine, "q35") ? 2 * g : 3 * g;
    uint64_t last = 4 * g + 6 * g - low - 8;

    qtest_write(s, low - 8, 0x1111, 8);
    g_assert_cmphex(qtest_read(s, low - 8, 8), ==, 0x1111);
    qtest_write(s, low, 0x2222, 8);
    g_assert_cmphex(qtest_read(s, low, 8), !=, 0x2222);
    qtest_write(s, 4 * g, 0x3333, 8);
    g_assert_cmphex(qtest_read(s, 4 * g, 8), ==, 0x3333);
    qtest_write(s, last, 0x4444, 8);
    g_assert_cmphex(qtest_read(s, last, 8), ==, 0x4444);
    qtest_write(s, last + 8, 0x5555, 8);
    g_assert_cmphex(qtest_read(s, last + 8, 8), !=, 0x5555);
}

static const struct {
    const char *name;
    void (*fn)(QTestState *s, const Board *b);
    const char *args;
} tests[] = {
    { "pm-timer", test_pm_timer },
    { "pm-overflow-interrupts", test_pm_overflow_interrupts },
    { "pm-button", test_pm_button },
    { "pm-registers", test_pm_registers },
    { "pm-moves", test_pm_moves },
    { "pm-soft-off", test_pm_soft_off, "-no-shutdown" },
    { "fw-cfg-dma", test_fw_cfg_dma },
    { "fw-cfg-directory", test_fw_cfg_directory },
    { "rtc-alarm", test_rtc_alarm, "-rtc clock=vm" },
    { "reset-port", test_reset_port },
    { "memory-map", test_memory_map, "-m 6G" },
};

static void run_test(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    const Board *b = &boards[i & 1];
    QTestState *s = qtest_init("-machine %s %s", b->machine,
                               tests[i / 2].args ?: "");

    tests[i / 2].fn(s, b);
    qtest_quit(s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/board/%s/%s",
                                                boards[i & 1].machine,
                                                tests[i / 2].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), run_test);
    }
    return g_test_run();
}
