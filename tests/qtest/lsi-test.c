/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers and interrupts of the LSI53C895A, local and behind a proxy
 * (LSI53C895A Technical Manual, version 2.2, chapter 4).
 */
#include <string.h>

#include "lsi.h"

/* -- Registers ------------------------------------------------------------ */

/* What can be written; all others read as after reset. */
static bool writable(unsigned reg, uint8_t *mask)
{
    static const struct { uint8_t first, last, mask; } regs[] = {
        { SCNTL2, SDID, 0xff }, { DSA, DSA + 3, 0xff }, { 0x16, 0x17, 0xff },
        { 0x18, 0x18, 0xff }, { TEMP, TEMP + 3, 0xff },
        { DBC, DBC + 3, 0xff }, { DNAD, DNAD + 3, 0xff },
        { DSP, DSP + 2, 0xff }, { DSPS, DSPS + 3, 0xff },
        { SCRATCHA, SCRATCHA + 3, 0xff }, { 0x3a, 0x3a, 0xff },
        { 0x44, 0x45, 0xff }, { 0x46, 0x46, 0x0f }, { 0x47, 0x48, 0xff },
        { 0x4a, 0x4b, 0xff }, { 0x54, 0x55, 0xff }, { CCNTL0, CCNTL1, 0xff },
        { SCRATCHB, 0xdf, 0xff },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(regs); i++) {
        if (reg >= regs[i].first && reg <= regs[i].last) {
            *mask = regs[i].mask;
            return true;
        }
    }
    return false;
}

static void test_reset_values(QWorld *w)
{
    uint8_t type;

    g_assert_cmphex(qpci_read(&w->dev, 0, 4), ==, 0x00121000);
    g_assert_cmphex(qpci_read(&w->dev, 8, 4) >> 16, ==, 0x0100);
    g_assert_cmphex(qpci_bar_size(&w->dev, 0, &type), ==, 0x100);
    g_assert_cmphex(type, ==, 1);
    g_assert_cmphex(qpci_bar_size(&w->dev, 1, &type), ==, 0x400);
    g_assert_cmphex(qpci_bar_size(&w->dev, 2, &type), ==, 0x2000);
    lsi_map(w);
    lsi_check_reset_values(w);
}

static void test_writable_bits(QWorld *w)
{
    uint8_t mask;

    lsi_map(w);
    for (unsigned reg = 0; reg < 0x100; reg++) {
        for (unsigned v = 1; v < 0x100 && writable(reg, &mask); v <<= 1) {
            lsi_put(w, reg, v, 1);
            g_assert_cmphex(lsi_get(w, reg, 1), ==, v & mask);
            lsi_put(w, reg, 0, 1);
        }
    }
    lsi_put(w, ISTAT0, 0x40, 1);                /* software reset */
    lsi_check_reset_values(w);
}

static void test_read_only(QWorld *w)
{
    static const uint8_t regs[] = {
        GPREG, SSID, SBCL, DSTAT, SSTAT1, SSTAT2, 0x19, DFIFO, 0x3c, 0x3d,
        0x3e, 0x3f, SIST0, SIST1, 0x4c, 0x50, 0x51, 0x52, 0x53, 0x58, 0x59,
        0x5a, 0x5b, 0xe0, 0xef, 0xff,
    };

    lsi_map(w);
    for (unsigned i = 0; i < sizeof(regs); i++) {
        lsi_put(w, regs[i], 0xff, 1);
        g_assert_cmphex(lsi_get(w, regs[i], 1), ==, lsi_reset_value(regs[i]));
        lsi_put(w, regs[i], 0, 1);
        g_assert_cmphex(lsi_get(w, regs[i], 1), ==, lsi_reset_value(regs[i]));
    }
}

static void test_access_sizes(QWorld *w)
{
    lsi_map(w);
    for (unsigned at = 0; at < 12; at++) {
        lsi_put(w, SCRATCHC + at, at + 1, 1);
    }
    for (unsigned at = 0; at < 8; at++) {
        g_assert_cmphex(lsi_get(w, SCRATCHC + at, 2), ==,
                        0x0201 + 0x101 * at);
        g_assert_cmphex(lsi_get(w, SCRATCHC + at, 4), ==,
                        0x04030201 + 0x1010101 * at);
        /* The same registers by I/O, and once more every 256 bytes. */
        g_assert_cmphex(qtest_in(w->main, LSI_IO + SCRATCHC + at, 1), ==,
                        at + 1);
        g_assert_cmphex(lsi_get(w, 0x300 + SCRATCHC + at, 1), ==, at + 1);
    }
    qtest_out(w->main, LSI_IO + SCRATCHC, 0x11223344, 4);
    g_assert_cmphex(lsi_get(w, SCRATCHC, 4), ==, 0x11223344);
    g_assert_cmphex(qtest_in(w->main, LSI_IO + SCRATCHC, 2), ==, 0x3344);
    qtest_out(w->main, LSI_IO + SCRATCHC, 0x55, 2);
    g_assert_cmphex(qtest_in(w->main, LSI_IO + SCRATCHC, 4), ==, 0x11220055);
}

static void test_script_ram(QWorld *w)
{
    uint8_t data[256], got[256];

    lsi_map(w);
    for (unsigned at = 0; at < 0x2000; at += 0x7f8) {
        qtest_write(w->main, LSI_RAM + at, 0x1122334455667788 + at, 8);
        g_assert_cmphex(qtest_read(w->main, LSI_RAM + at, 8), ==,
                        0x1122334455667788 + at);
        g_assert_cmphex(qtest_read(w->main, LSI_RAM + at + 4, 4), ==,
                        0x11223344);
    }
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i * 7;
    }
    qtest_memwrite(w->main, LSI_RAM + 0x101, data, sizeof(data));
    qtest_memread(w->main, LSI_RAM + 0x101, got, sizeof(got));
    g_assert_cmpint(memcmp(data, got, sizeof(data)), ==, 0);
    qtest_write(w->main, LSI_RAM + 0x1fff, 0x5a, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_RAM + 0x1fff, 1), ==, 0x5a);
}

static void test_signals(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, ISTAT0, 0x30, 1);                /* SIGP, SEM */
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0x30);
    g_assert_cmphex(lsi_get(w, CTEST2, 1) & 0x40, ==, 0x40);
    g_assert_cmphex(lsi_get(w, CTEST2, 1) & 0x40, ==, 0);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0x10);
    lsi_put(w, ISTAT0, 0, 1);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0);
}

static void test_bars_in_scratch(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, SCRATCHA, 0x12345678, 4);
    lsi_put(w, CTEST2, 0x08, 1);                /* PCICIE */
    g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, LSI_REGS);
    g_assert_cmphex(lsi_get(w, SCRATCHB, 4), ==, LSI_RAM);
    lsi_put(w, CTEST2, 0, 1);
    g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, 0x12345678);
}

static void test_dma_fifo_is_empty(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, DBC, 0x3a5, 4);
    g_assert_cmphex(lsi_get(w, DFIFO, 1), ==, 0x25);
    lsi_put(w, CTEST5, 0x20, 1);                /* DFS: a larger one */
    g_assert_cmphex(lsi_get(w, DFIFO, 1), ==, 0xa5);
    g_assert_cmphex(lsi_get(w, CTEST5, 1), ==, 0x23);
}

static void test_general_timer(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, STIME1, 5, 1);                   /* 2 ms */
    qtest_until(w->main, (qtest_clock_step(w->main, 100000),
                          lsi_get(w, ISTAT0, 1) & 2));
    lsi_check_sist(w, GEN);
    /* Another process's clock goes on by itself: long enough for that. */
    lsi_put(w, STIME1, 15, 1);                  /* 2 s */
    lsi_put(w, STIME1, 0, 1);                   /* off */
    qtest_clock_step(w->main, 3000000000);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0);
}

/* -- Interrupts ----------------------------------------------------------- */

static void test_int_and_mask(QWorld *w)
{
    lsi_init(w);
    LSI_RUN(w, INT(0x12345678));
    lsi_check_int(w, 0x12345678);
    lsi_put(w, DIEN, 0, 1);
    LSI_START(w, INT(2));
    qtest_until(w->main, lsi_get(w, ISTAT0, 1) == 1);
    g_assert_false(lsi_irq(w));
    lsi_put(w, DIEN, 0x04, 1);                  /* now it is wanted */
    g_assert_true(lsi_irq(w));
    lsi_put(w, DCNTL, 0x02, 1);                 /* IRQD */
    g_assert_false(lsi_irq(w));
    lsi_put(w, DCNTL, 0, 1);
    lsi_check_int(w, 2);
}

static void test_on_the_fly(QWorld *w)
{
    lsi_init(w);
    LSI_START(w, 0x98180000, 1, INT(3));
    qtest_until(w->main, lsi_get(w, ISTAT0, 1) == 5);   /* INTF, DIP */
    lsi_put(w, ISTAT0, 0, 1);                   /* 0 does not clear it */
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 5);
    lsi_put(w, ISTAT0, 4, 1);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 1);
    lsi_check_int(w, 3);
}

static void test_dstat_stacks(QWorld *w)
{
    lsi_init(w);
    LSI_RUN(w, INT(1));
    lsi_put(w, ISTAT0, 0x80, 1);                /* ABRT, behind SIR */
    lsi_put(w, ISTAT0, 0, 1);
    g_assert_cmphex(lsi_get(w, DSTAT, 1), ==, SIR);
    g_assert_true(lsi_irq(w));
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 1);
    lsi_check_dstat(w, ABRT);
}

static void test_sist_stacks(QWorld *w)
{
    lsi_init(w);
    LSI_RUN(w, SELECT_ATN(5), WAIT_DISC, INT(1));       /* nobody */
    lsi_put(w, SCNTL1, 0x08, 1);                /* bus reset, behind STO */
    g_assert_cmphex(lsi_get(w, SSTAT0, 1), ==, 0x02);
    lsi_put(w, SCNTL1, 0, 1);
    g_assert_cmphex(lsi_get(w, SSTAT0, 1), ==, 0);
    g_assert_cmphex(lsi_get(w, SIST0, 1), ==, 0);
    g_assert_cmphex(lsi_get(w, SIST1, 1), ==, STO >> 8);
    g_assert_true(lsi_irq(w));
    lsi_put(w, SIEN0, RST | MA, 1);
    lsi_check_sist(w, RST);
}

static void test_both_kinds(QWorld *w)
{
    lsi_init(w);
    LSI_RUN(w, INT(1));
    lsi_put(w, SIEN0, RST, 1);
    lsi_put(w, SCNTL1, 0x08, 1);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 3);
    g_assert_cmphex(lsi_get(w, DSTAT, 1), ==, SIR);
    g_assert_true(lsi_irq(w));
    lsi_check_sist(w, RST);
}

/* Those of SIEN that do not stop a script unless they are wanted. */
static void test_nonfatal(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, SIEN1, 0, 1);
    lsi_put(w, STIME1, 1, 1);
    qtest_until(w->main, (qtest_clock_step(w->main, 200000),
                          lsi_get(w, ISTAT0, 1) == 0));
    LSI_RUN(w, INT(4));
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 1);
    lsi_put(w, SIEN1, 2, 1);
    qtest_until(w->main, (qtest_clock_step(w->main, 200000),
                          lsi_get(w, ISTAT0, 1) == 3));
    g_assert_cmphex(lsi_get(w, SIST1, 1), ==, 2);
    lsi_check_int(w, 4);
}

static const LSITest tests[] = {
    { "registers/reset-values", test_reset_values },
    { "registers/writable-bits", test_writable_bits },
    { "registers/read-only-ones-stay", test_read_only },
    { "registers/access-sizes", test_access_sizes },
    { "registers/script-ram", test_script_ram },
    { "registers/signals", test_signals },
    { "registers/bars-in-scratch", test_bars_in_scratch },
    { "registers/dma-fifo-is-empty", test_dma_fifo_is_empty },
    { "registers/general-timer", test_general_timer },
    { "interrupts/int-and-its-mask", test_int_and_mask },
    { "interrupts/on-the-fly", test_on_the_fly },
    { "interrupts/dstat-stacks", test_dstat_stacks },
    { "interrupts/sist-stacks", test_sist_stacks },
    { "interrupts/both-kinds-at-once", test_both_kinds },
    { "interrupts/nonfatal-do-not-stop", test_nonfatal },
};

int main(int argc, char **argv)
{
    return lsi_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
