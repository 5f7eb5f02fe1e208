/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts of the LSI53C895A that need no target: every class of instructions
 * (LSI53C895A Technical Manual, version 2.2, chapter 5).
 */
#include <string.h>

#include "lsi.h"

/* Every operator with and without carry, on every byte of a sample. */
static void test_operators(QWorld *w)
{
    static const uint8_t sample[] = { 0x00, 0x01, 0x5a, 0x7f, 0x80, 0xff };

    lsi_init(w);
    for (unsigned op = 0; op < 8; op++) {
        for (unsigned i = 0; i < 36; i++) {
            uint8_t a = sample[i / 6], b = sample[i % 6], want;
            bool carry = i & 1, out = carry;

            switch (op) {
            case 0: want = b; break;
            case 1: want = a << 1 | carry; out = a >> 7; break;
            case 2: want = a | b; break;
            case 3: want = a ^ b; break;
            case 4: want = a & b; break;
            case 5: want = a >> 1 | carry << 7; out = a & 1; break;
            case 6: want = a + b; out = a + b > 255; break;
            default:
                want = a + b + carry;
                out = a + b + carry > 255;
            }
            lsi_put(w, SCRATCHA, a, 4);
            LSI_RUN(w, carry ? 0x58000400 : 0x60000400, 0,
                    TO_REG(op, SCRATCHA, b),
                    JUMP(CARRY | IF, LSI_SCRIPT + 32), INT(0), INT(1));
            g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, want);
            lsi_check_int(w, out);
        }
    }
}

static void test_sfbr(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, SCRATCHA, 0x00000f0a, 4);
    LSI_RUN(w, TO_SFBR(6, SCRATCHA, 5),                 /* a + 5 = f */
            FROM_SFBR(2, SCRATCHA + 2, 0x40),           /* f | 40 */
            0x7c800000 | (SCRATCHA + 1) << 16, 0,       /* & SFBR */
            INT(1));
    g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, 0x004f0f0a);
    g_assert_cmphex(lsi_get(w, SFBR, 1), ==, 0x0f);
    lsi_check_int(w, 1);
    /* Bit 7 of the instruction is bit 7 of the register's number. */
    LSI_RUN(w, 0x78000080 | 0x21 << 16 | 0x66 << 8, 0, INT(2));
    g_assert_cmphex(lsi_get(w, MMRS + 1, 1), ==, 0x66);
    lsi_check_int(w, 2);
}

static void test_conditions(QWorld *w)
{
    static const struct { uint32_t cond; bool taken; } cases[] = {
        { 0, false },                           /* nothing compared */
        { IF, true },
        { IF | DATA_IS(0x35), true }, { IF | DATA_IS(0x36), false },
        { IF_NOT | DATA_IS(0x35), false }, { IF_NOT | DATA_IS(0x36), true },
        { IF | DATA_IS(0x37) | 0x02 << 8, true },       /* masked */
        { IF | DATA_IS(0x00) | 0xff << 8, true },
        { IF | CARRY, true }, { IF_NOT | CARRY, false },
        { IF | CARRY | DATA_IS(0x35), true },
        { IF | CARRY | DATA_IS(0x36), false },
        { IF_NOT | CARRY | DATA_IS(0x36), false },
        { IF | 0x00020000, false },             /* DATA OUT: no phase */
        { IF_NOT | 0x00020000, true },
    };

    lsi_init(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        LSI_RUN(w, TO_REG(0, SCRATCHA, 0x35), TO_SFBR(2, SCRATCHA, 0),
                SET_CARRY, JUMP(cases[i].cond, LSI_SCRIPT + 40),
                INT(0x100 + i), INT(0x200 + i));
        lsi_check_int(w, (cases[i].taken ? 0x200 : 0x100) + i);
        LSI_RUN(w, TO_REG(0, SCRATCHA, 0x35), TO_SFBR(2, SCRATCHA, 0),
                SET_CARRY, 0x98000000 | cases[i].cond, 0x300 + i,
                INT(0x400 + i));
        lsi_check_int(w, (cases[i].taken ? 0x300 : 0x400) + i);
    }
}

static void test_call_return(QWorld *w)
{
    lsi_init(w);
    LSI_LOAD(w, LSI_RAM, TO_REG(6, SCRATCHA, 1), 0x90080000, 0);
    lsi_put(w, SCRATCHA, 0, 4);
    LSI_RUN(w, 0x88080000, LSI_RAM, 0x88080000, LSI_RAM,
            0x88000000, LSI_RAM,                /* never */
            0x80880000, 8, INT(1),              /* relative, over it */
            0x80880000, 8, INT(2), INT(3));
    lsi_check_int(w, 3);
    g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, 2);
    g_assert_cmphex(lsi_get(w, TEMP, 4), ==, LSI_SCRIPT + 16);
    LSI_RUN(w, 0x80080000, LSI_SCRIPT + 24, INT(4), INT(5),
            0x80880000, 0x00fffff0);            /* backwards */
    lsi_check_int(w, 4 + 1);
}

static void test_illegal(QWorld *w)
{
    static const uint32_t bad[] = {
        0xa0080000, 0xb8080000,         /* transfer control */
        0x09000000,                     /* a block move of nothing */
        0xe0340000, 0xe0340005,         /* store 0 or 5 bytes */
        0xe0360003,                     /* across a dword */
    };

    lsi_init(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        LSI_RUN(w, bad[i], LSI_DATA, INT(1));
        g_assert_cmphex(lsi_get(w, DSP, 4), ==, LSI_SCRIPT + 8);
        lsi_check_dstat(w, IID);
    }
    LSI_RUN(w, 0xe0340002, LSI_DATA + 1, INT(1));       /* not aligned alike */
    lsi_check_dstat(w, IID);
    LSI_RUN(w, 0xc0000000, LSI_DATA, LSI_DATA, INT(1)); /* of 0 bytes */
    lsi_check_dstat(w, IID);
}

static void test_zero_is_skipped(QWorld *w)
{
    lsi_init(w);
    LSI_RUN(w, 0, 0, 0, INT(9));
    lsi_check_int(w, 9);
}

static void test_memory_move(QWorld *w)
{
    static uint8_t data[70000], got[70000];
    static const uint32_t sizes[] = { 1, 3, 4, 4095, 4096, 4097, 70000 };

    lsi_init(w);
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i ^ i >> 8;
    }
    qtest_memwrite(w->main, LSI_DATA + 1, data, sizeof(data));
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        qtest_memset(w->main, 0x200000, 0, sizeof(got));
        LSI_RUN(w, 0xc0000000 | sizes[i], LSI_DATA + 1, 0x200003, INT(i));
        lsi_check_int(w, i);
        qtest_memread(w->main, 0x200003, got, sizes[i]);
        g_assert_cmpint(memcmp(data, got, sizes[i]), ==, 0);
        g_assert_cmphex(qtest_read(w->main, 0x200003 + sizes[i], 1), ==, 0);
    }
    /* To its own registers and RAM, and from them. */
    LSI_RUN(w, 0xc0000004, LSI_DATA + 1, LSI_REGS + SCRATCHC,
            0xc0000008, LSI_DATA + 1, LSI_RAM + 0x1ff8,
            0xc0000004, LSI_REGS + SCRATCHC, LSI_RAM + 0x1000,
            0xc0000004, LSI_RAM + 0x1000, LSI_DATA, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_DATA, 4), ==, 0x03020100);
    g_assert_cmphex(qtest_read(w->main, LSI_RAM + 0x1ff8, 8), ==,
                    0x0706050403020100);
    /* Where nothing is. */
    LSI_RUN(w, 0xc0000004, 0xd0000000, LSI_DATA, INT(2));
    lsi_check_dstat(w, BF);
    LSI_RUN(w, 0xc0000004, LSI_DATA, 0xd0000000, INT(2));
    lsi_check_dstat(w, BF);
    lsi_put(w, DMODE, 0x20, 1);                 /* from I/O space: no */
    LSI_RUN(w, 0xc0000004, LSI_DATA, LSI_DATA, INT(2));
    lsi_check_dstat(w, BF);
}

static void test_load_store(QWorld *w)
{
    lsi_init(w);
    qtest_write(w->main, LSI_DATA, 0x44332211, 4);
    qtest_write(w->main, LSI_TABLE + 8, 0x88776655, 4);
    qtest_write(w->main, LSI_TABLE - 4, 0xccbbaa99, 4);
    for (unsigned n = 1; n <= 4; n++) {
        for (unsigned at = 0; at + n <= 4; at++) {
            uint32_t mask = 0xffffffffu >> (32 - 8 * n) << 8 * at;

            lsi_put(w, SCRATCHA, 0, 4);
            qtest_write(w->main, LSI_DATA + 16, 0, 4);
            LSI_RUN(w, 0xe1000000 | (SCRATCHA + at) << 16 | n, LSI_DATA + at,
                    0xe0000000 | (SCRATCHA + at) << 16 | n,
                    LSI_DATA + 16 + at, INT(n));
            lsi_check_int(w, n);
            g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, 0x44332211 & mask);
            g_assert_cmphex(qtest_read(w->main, LSI_DATA + 16, 4), ==,
                            0x44332211 & mask);
        }
    }
    /* Relative to DSA, forwards and backwards. */
    LSI_RUN(w, 0xf1340004, 8, 0xf0340004, 12, 0xf1340004, 0x00fffffc, INT(5));
    lsi_check_int(w, 5);
    g_assert_cmphex(qtest_read(w->main, LSI_TABLE + 12, 4), ==, 0x88776655);
    g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, 0xccbbaa99);
    LSI_RUN(w, 0xe1340004, 0xd0000000, INT(6));
    lsi_check_dstat(w, BF);
    LSI_RUN(w, 0xe0340004, 0xd0000000, INT(6));
    lsi_check_dstat(w, BF);
    /* A store that software resets the chip ends the script. */
    qtest_write(w->main, LSI_DATA, 0x40, 1);
    LSI_START(w, 0xe1140001, LSI_DATA, INT(7));
    qtest_until(w->main, !(lsi_get(w, ISTAT1, 1) & 2));
    lsi_check_reset_values(w);
}

static void test_single_step(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, DCNTL, 0x10, 1);
    LSI_RUN(w, TO_REG(0, SCRATCHA, 1), TO_REG(0, SCRATCHA, 2), INT(1));
    for (unsigned i = 1; i <= 2; i++) {
        g_assert_cmphex(lsi_get(w, SCRATCHA, 1), ==, i);
        g_assert_cmphex(lsi_get(w, DSP, 4), ==, LSI_SCRIPT + 8 * i);
        lsi_check_dstat(w, SSI);
        lsi_put(w, DCNTL, 0x14, 1);             /* STD */
        lsi_wait(w);
    }
    lsi_check_int(w, 1);
}

static void test_manual_start(QWorld *w)
{
    lsi_init(w);
    lsi_put(w, DMODE, 0x01, 1);                 /* MAN */
    LSI_START(w, INT(7));
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0);
    lsi_put(w, DCNTL, 0x04, 1);
    lsi_wait(w);
    lsi_check_int(w, 7);
}

static void test_endless(QWorld *w)
{
    lsi_init(w);
    LSI_START(w, TO_REG(6, SCRATCHA, 1), JUMP(IF, LSI_SCRIPT));
    for (unsigned i = 0; i < 300; i++) {
        lsi_get(w, SCRATCHC, 4);
    }
    g_assert_cmphex(lsi_get(w, ISTAT1, 1) & 2, ==, 2);
    qpci_read(&w->dev, 0, 4);
    lsi_put(w, ISTAT0, 0x80, 1);
    lsi_put(w, ISTAT0, 0, 1);
    lsi_check_dstat(w, ABRT);
    /* One that copies itself forwards, until memory ends. */
    LSI_START(w, 0xc000000c, LSI_SCRIPT, LSI_SCRIPT + 12);
    lsi_put(w, ISTAT0, 0x80, 1);
    lsi_put(w, ISTAT0, 0, 1);
    lsi_wait(w);
    g_assert_cmphex(lsi_get(w, DSTAT, 1) & 0x7f, !=, 0);
}

static void test_self_modifying(QWorld *w)
{
    lsi_init(w);
    qtest_write(w->main, LSI_DATA, 0x77, 4);
    LSI_RUN(w, 0xc0000004, LSI_DATA, LSI_SCRIPT + 16, INT(1));
    lsi_check_int(w, 0x77);
}

static void test_bus_master_off(QWorld *w)
{
    lsi_init(w);
    qpci_write(&w->dev, 4, 3, 2);
    LSI_RUN(w, INT(1));
    lsi_check_dstat(w, BF);
    /* What needs no bus goes on: a script in its own RAM. */
    LSI_LOAD(w, LSI_RAM, TO_REG(0, SCRATCHA, 5), INT(2));
    lsi_put(w, DSP, LSI_RAM, 4);
    lsi_wait(w);
    lsi_check_int(w, 2);
    qpci_write(&w->dev, 4, 7, 2);
    LSI_RUN(w, INT(3));
    lsi_check_int(w, 3);
}

static const LSITest tests[] = {
    { "scripts/operators-and-carry", test_operators },
    { "scripts/first-byte-register", test_sfbr },
    { "scripts/conditions", test_conditions },
    { "scripts/call-return-relative", test_call_return },
    { "scripts/illegal-ones-interrupt", test_illegal },
    { "scripts/zero-is-passed-over", test_zero_is_skipped },
    { "scripts/memory-move", test_memory_move },
    { "scripts/load-store", test_load_store },
    { "scripts/single-step", test_single_step },
    { "scripts/manual-start", test_manual_start },
    { "scripts/endless", test_endless },
    { "scripts/self-modifying", test_self_modifying },
    { "scripts/bus-master-off", test_bus_master_off },
};

int main(int argc, char **argv)
{
    return lsi_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
