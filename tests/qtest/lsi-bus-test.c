/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SCSI bus of the LSI53C895A: selection, phases, where data goes, and what
 * comes of a phase that was not awaited.
 */
#include <string.h>

#include "lsi.h"

static void test_selection(QWorld *w)
{
    scsi_start(w);
    LSI_RUN(w, SELECT_ATN(0), INT(1));
    g_assert_cmphex(lsi_get(w, SCNTL1, 1) & 0x10, ==, 0x10);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1) & 8, ==, 8);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1) & 7, ==, MSG_OUT);
    g_assert_cmphex(lsi_get(w, SSTAT2, 1), ==, 0);
    g_assert_cmphex(lsi_get(w, SBCL, 1), ==, 0xa8 | MSG_OUT);   /* with ATN */
    g_assert_cmphex(lsi_get(w, DSTAT, 1), ==, SIR);
    lsi_put(w, SCNTL1, 0x08, 1);
    g_assert_cmphex(lsi_get(w, SIST0, 2), ==, RST);
    g_assert_cmphex(lsi_get(w, SCNTL1, 1) & 0x10, ==, 0);
    /* Without ATN there is no IDENTIFY. */
    lsi_put(w, SCNTL1, 0, 1);
    scsi_prepare(w, SCSI_CDB(0x03, 0, 0, 0, 18), "", 0);
    LSI_RUN(w, SELECT(0), MOVE(COMMAND, 6, LSI_CDB), MOVE(IN, 18, LSI_DATA),
            ENDING, INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
    g_assert_cmphex(qtest_read(w->main, LSI_DATA, 1), ==, 0x70);
    g_assert_cmphex(qtest_read(w->main, LSI_DATA + 12, 1), ==, 0x29);
}

static void test_selection_by_register(QWorld *w)
{
    scsi_start(w);
    lsi_put(w, SDID, 1, 1);
    lsi_put(w, SCNTL0, 0xf0, 1);                /* START, WATN */
    g_assert_cmphex(lsi_get(w, SCNTL1, 1) & 0x10, ==, 0x10);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1) & 7, ==, MSG_OUT);
    lsi_put(w, SCNTL0, 0xf0, 1);                /* once more: connected */
    g_assert_cmphex(lsi_get(w, SIST0, 1), ==, UDC);
    lsi_put(w, SCNTL1, 0x08, 1);
    g_assert_cmphex(lsi_get(w, SIST0, 2), ==, RST);
}

static void test_selection_timeout(QWorld *w)
{
    scsi_start(w);
    for (unsigned id = 2; id < 16; id++) {
        LSI_RUN(w, SELECT_ATN(id), MOVE(MSG_OUT, 1, LSI_MSGOUT), INT(1));
        lsi_check_sist(w, STO);
    }
    LSI_RUN(w, SELECT_ATN(9), WAIT_RESEL(LSI_SCRIPT), INT(1));
    lsi_check_sist(w, STO);
    LSI_RUN(w, SELECT_ATN(9), 0x83090000, 0, INT(1));   /* when MSG IN */
    lsi_check_sist(w, STO);
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
}

/* The initiator's own role cannot be changed to a target's. */
static void test_target_role(QWorld *w)
{
    scsi_start(w);
    LSI_RUN(w, 0x58000200, 0, SELECT(0), INT(1));
    lsi_check_sist(w, STO);
    LSI_RUN(w, WAIT_DISC, 0x60000200, 0, INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(lsi_get(w, SCNTL0, 1) & 1, ==, 0);
    LSI_START(w, 0x58000200, 0, WAIT_RESEL(LSI_SCRIPT), INT(3));
    g_assert_cmphex(lsi_get(w, ISTAT1, 1) & 2, ==, 2);  /* waits for ever */
    lsi_put(w, ISTAT0, 0x80, 1);
    lsi_put(w, ISTAT0, 0, 1);
    lsi_check_dstat(w, ABRT);
}

static void test_table_indirect(QWorld *w)
{
    const uint32_t table[] = {
        0x00000000 | 1 << 16 | 0x55 << 8, 0,    /* SCNTL3, id 1, SXFER */
        1, LSI_MSGOUT, 6, LSI_CDB, 36, LSI_DATA, 1, LSI_STATUS, 1, LSI_MSGIN,
    };

    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0x12, 0, 0, 0, 36), "\x80", 1);
    qtest_memwrite(w->main, LSI_TABLE, table, sizeof(table));
    LSI_RUN(w, 0x47000000, 0x1000,              /* relative too */
            0x1e000000, 8, 0x1a000000, 16, 0x19000000, 24, 0x1b000000, 32,
            0x1f000000, 40, CLEAR_ACK, WAIT_DISC, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(lsi_get(w, SXFER, 1), ==, 0x55);
    g_assert_cmphex(lsi_get(w, SDID, 1), ==, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
    g_assert_cmphex(qtest_read(w->main, LSI_DATA, 1), ==, 0x05);    /* a CD */
    /* Tables and indirect addresses where nothing is. */
    lsi_put(w, DSA, 0xd0000000, 4);
    LSI_RUN(w, 0x47000000, 0x1000);
    lsi_check_dstat(w, BF);
    LSI_RUN(w, 0x1e000000, 8);
    lsi_check_dstat(w, BF);
    LSI_RUN(w, 0x2e000001, 0xd0000000);
    lsi_check_dstat(w, BF);
}

static void test_indirect_and_chained(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0x12, 0, 0, 0, 36), "\x80", 1);
    qtest_write(w->main, LSI_TABLE, LSI_CDB, 4);
    LSI_RUN(w, SELECT_ATN(0), CHMOV(MSG_OUT, 1, LSI_MSGOUT),
            0x2a000006, LSI_TABLE,              /* indirect */
            CHMOV(IN, 7, LSI_DATA), CHMOV(IN, 13, LSI_DATA + 7),
            MOVE(IN, 16, LSI_DATA + 20), ENDING, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(scsi_data(w, 8, 4), ==, 0x51454d55);        /* QEMU */
    g_assert_cmphex(scsi_data(w, 32, 4), ==, 0x322e352b);       /* 2.5+ */
}

static void test_scattered_data(QWorld *w)
{
    uint32_t script[2 * 300 + 20], n = 0;
    static uint8_t data[65536], got[65536];

    scsi_start(w);
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i * 11 + (i >> 9);
    }
    qtest_memwrite(w->main, LSI_DATA, data, sizeof(data));
    scsi_good(w, 0, SCSI_CDB(0x2a, 0, 0, 0, 0, 16, 0, 0, 128), OUT, 65536);
    scsi_prepare(w, READ10(16, 128), "\x80", 1);
    memcpy(script, (uint32_t[]){ SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                                 MOVE(COMMAND, 10, LSI_CDB) }, 24);
    n = 6;
    /* 256 pieces of 256 bytes, each in a page of its own. */
    for (unsigned i = 0; i < 256; i++) {
        script[n++] = 0x09000100;
        script[n++] = 0x400000 + (255 - i) * 4096 + i;
    }
    memcpy(script + n, (uint32_t[]){ ENDING, INT(1) }, 40);
    lsi_load(w, LSI_SCRIPT, script, n + 10);
    lsi_put(w, DSP, LSI_SCRIPT, 4);
    lsi_wait(w);
    lsi_check_int(w, 1);
    for (unsigned i = 0; i < 256; i++) {
        qtest_memread(w->main, 0x400000 + (255 - i) * 4096 + i,
                      got + i * 256, 256);
    }
    g_assert_cmpint(memcmp(data, got, sizeof(data)), ==, 0);
}

/* Data in the chip's own RAM, and across the end of memory. */
static void test_data_elsewhere(QWorld *w)
{
    scsi_start(w);
    qtest_memset(w->main, LSI_RAM, 0x5a, 1024);
    scsi_prepare(w, SCSI_CDB(0x2a, [5] = 7, [8] = 2), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), MOVE(OUT, 1024, LSI_RAM), ENDING,
            INT(1));
    lsi_check_int(w, 1);
    qtest_memset(w->main, LSI_RAM, 0, 1024);
    scsi_prepare(w, READ10(7, 2), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), MOVE(IN, 1024, LSI_RAM + 64), ENDING,
            INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(qtest_read(w->main, LSI_RAM + 63, 2), ==, 0x5a00);
    g_assert_cmphex(qtest_read(w->main, LSI_RAM + 64 + 1023, 2), ==, 0x005a);
    scsi_prepare(w, SCSI_CDB(0x2a, [5] = 7, [8] = 2), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), MOVE(OUT, 1024, 0xd0000000), ENDING,
            INT(3));
    lsi_check_dstat(w, BF);
    lsi_put(w, SCNTL1, 0x08, 1);
    lsi_put(w, SCNTL1, 0x00, 1);
    lsi_get(w, SIST0, 2);
    scsi_command(w, 0, 0, SCSI_CDB(0), IN, 0);
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
}

static void test_above_4g(QWorld *w)
{
    static const uint64_t high = 0x100000000;
    const uint32_t table[] = { 512, 0x3000, 512, 0x3200,
                               512 | 0x01 << 24, 0x3400 };

    scsi_start(w);
    qtest_memset(w->main, LSI_DATA, 0xa5, 2048);
    scsi_good(w, 0, SCSI_CDB(0x2a, [5] = 1, [8] = 4), OUT, 2048);
    qtest_memwrite(w->main, LSI_TABLE, table, sizeof(table));
    scsi_prepare(w, READ10(1, 4), "\x80", 1);
    lsi_put(w, DBMS, 0, 4);
    lsi_put(w, SCRATCHC, 0, 4);
    /* Direct: a third word has the upper half. */
    lsi_put(w, CCNTL1, 0x01, 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT), 0,
            MOVE(COMMAND, 10, LSI_CDB), 0, MOVE(IN, 2048, 0x2000), 1,
            MOVE(STATUS, 1, LSI_STATUS), 0, MOVE(MSG_IN, 1, LSI_MSGIN), 0,
            CLEAR_ACK, WAIT_DISC, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, high + 0x2000 + 2040, 8), ==,
                    0xa5a5a5a5a5a5a5a5);
    g_assert_cmphex(qtest_read(w->main, 0x2000 + 2040, 8), ==, 0);
    /* Tables: a selector names the register with the upper half. */
    static const uint8_t selectors[] = { 0, 1, 15, 16, 17, 18, 19, 20, 21 };
    static const uint8_t regs[] = { SCRATCHC, SCRATCHC + 4, 0x9c, MMRS, MMWS,
                                    SFS, DRS, SBMS, DBMS };
    for (unsigned i = 0; i < sizeof(selectors); i++) {
        uint32_t to = 0x8000 + 0x1000 * i;
        /* The chip takes scripts and tables by SFS and DRS themselves. */
        bool own = regs[i] == SFS || regs[i] == DRS;

        if (own) {
            continue;
        }
        lsi_put(w, CCNTL1, 0x02, 1);
        lsi_put(w, regs[i], 1, 4);
        qtest_write(w->main, LSI_TABLE, 2048 | (uint32_t)selectors[i] << 24,
                    4);
        qtest_write(w->main, LSI_TABLE + 4, to, 4);
        scsi_prepare(w, READ10(1, 4), "\x80", 1);
        if (regs[i] == SBMS) {
            /* It is above all other block moves, too: by tables only. */
            lsi_put(w, regs[i], 0, 4);
            continue;
        }
        LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                MOVE(COMMAND, 10, LSI_CDB), 0x19000000, 0, ENDING, INT(2));
        lsi_check_int(w, 2);
        g_assert_cmphex(qtest_read(w->main, high + to + 2040, 8), ==,
                        0xa5a5a5a5a5a5a5a5);
        g_assert_cmphex(qtest_read(w->main, to + 2040, 8), ==, 0);
        lsi_put(w, regs[i], 0, 4);
    }
    /* ... or the entry's highest byte is the upper half. */
    lsi_put(w, CCNTL1, 0x06, 1);
    qtest_write(w->main, LSI_TABLE, 2048 | 0x01 << 24, 4);
    qtest_write(w->main, LSI_TABLE + 4, 0x7000, 4);
    scsi_prepare(w, READ10(1, 4), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), 0x19000000, 0, ENDING, INT(3));
    lsi_check_int(w, 3);
    g_assert_cmphex(qtest_read(w->main, high + 0x7000 + 2040, 8), ==,
                    0xa5a5a5a5a5a5a5a5);
    /* Memory moves, loads, stores and scripts by their own selectors. */
    lsi_put(w, CCNTL1, 0, 1);
    lsi_put(w, MMRS, 1, 4);
    lsi_put(w, MMWS, 1, 4);
    LSI_RUN(w, 0xc0000004, 0x7000, 0x9000, 0xe1340004, 0x9000, INT(4));
    lsi_check_int(w, 4);
    g_assert_cmphex(lsi_get(w, SCRATCHA, 4), ==, 0xa5a5a5a5);
    LSI_LOAD(w, high + 0x4000, INT(5));
    lsi_put(w, SFS, 1, 4);
    lsi_put(w, DSP, 0x4000, 4);
    lsi_wait(w);
    lsi_check_int(w, 5);
}

/* -- Phases --------------------------------------------------------------- */

static void test_phase_mismatch(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0x12, 0, 0, 0, 36), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB), MOVE(IN, 100, LSI_DATA), INT(1));
    g_assert_cmphex(lsi_get(w, DBC, 4) & 0xffffff, ==, 64);
    g_assert_cmphex(lsi_get(w, DNAD, 4), ==, LSI_DATA + 36);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1) & 7, ==, STATUS);
    lsi_check_sist(w, MA);
    /* The driver goes on where the bus is. */
    LSI_RUN(w, ENDING, INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
}

static void test_phase_mismatch_jump(QWorld *w)
{
    scsi_start(w);
    LSI_LOAD(w, LSI_SCRIPT + 0x400, INT(0x11));
    LSI_LOAD(w, LSI_SCRIPT + 0x480, INT(0x12));
    lsi_put(w, PMJAD1, LSI_SCRIPT + 0x400, 4);
    lsi_put(w, PMJAD2, LSI_SCRIPT + 0x480, 4);
    for (unsigned by_direction = 0; by_direction < 2; by_direction++) {
        for (unsigned in = 0; in < 2; in++) {
            lsi_put(w, CCNTL0, by_direction ? 0xc0 : 0x80, 1);
            scsi_prepare(w, in ? SCSI_CDB(0x12, 0, 0, 0, 36)
                             : SCSI_CDB(0x15, 0x10, 0, 0, 4), "\x80", 1);
            qtest_memset(w->main, LSI_DATA, 0, 8);
            LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                    MOVE(COMMAND, 6, LSI_CDB), MOVE(in, 100, LSI_DATA),
                    INT(1));
            lsi_check_int(w, by_direction && in ? 0x12 : 0x11);
            g_assert_cmphex(lsi_get(w, RBC, 4) & 0xffffff, ==,
                            in ? 64 : 96);
            g_assert_cmphex(lsi_get(w, UA, 4), ==,
                            LSI_DATA + (in ? 36 : 4));
            LSI_RUN(w, ENDING, INT(2));
            lsi_check_int(w, 2);
        }
    }
    /* Outside data phases an interrupt, unless ENNDJ. */
    for (unsigned ctl = 0x80; ctl <= 0xa0; ctl += 0x20) {
        lsi_put(w, CCNTL0, ctl, 1);
        scsi_prepare(w, SCSI_CDB(0), "\x80", 1);
        LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                MOVE(COMMAND, 6, LSI_CDB), MOVE(MSG_IN, 1, LSI_MSGIN), INT(1));
        if (ctl == 0x80) {
            lsi_check_sist(w, MA);
        } else {
            lsi_check_int(w, 0x11);
        }
        LSI_RUN(w, ENDING, INT(2));
        lsi_check_int(w, 2);
    }
}

/* JUMP ... WHEN and IF each phase of a command. */
static void test_phase_conditions(QWorld *w)
{
#define WHEN(phase) 0x80030000u | (phase) << 24
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0x12, 0, 0, 0, 36), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0),
            WHEN(MSG_OUT), LSI_SCRIPT, MOVE(MSG_OUT, 1, LSI_MSGOUT),
            WHEN(COMMAND), LSI_SCRIPT, MOVE(COMMAND, 6, LSI_CDB),
            WHEN(IN), LSI_SCRIPT, MOVE(IN, 36, LSI_DATA),
            WHEN(STATUS), LSI_SCRIPT, MOVE(STATUS, 1, LSI_STATUS),
            WHEN(MSG_IN), LSI_SCRIPT, MOVE(MSG_IN, 1, LSI_MSGIN),
            CLEAR_ACK, WAIT_DISC, INT(1));
    lsi_check_int(w, 1);
    scsi_prepare(w, SCSI_CDB(0x15, 0x10, 0, 0, 4), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB),
            0x800a0000, LSI_SCRIPT + 40, INT(2),        /* if DATA OUT */
            MOVE(OUT, 4, LSI_DATA), ENDING, INT(3));
    lsi_check_int(w, 3);
}

static const LSITest tests[] = {
    { "bus/selection", test_selection },
    { "bus/selection-by-register", test_selection_by_register },
    { "bus/nobody-there-times-out", test_selection_timeout },
    { "bus/no-target-role", test_target_role },
    { "bus/table-indirect", test_table_indirect },
    { "bus/indirect-and-chained-moves", test_indirect_and_chained },
    { "bus/scattered-data", test_scattered_data },
    { "bus/data-in-script-ram-and-nowhere", test_data_elsewhere },
    { "bus/above-4g", test_above_4g, "4G" },
    { "bus/phase-mismatch-interrupts", test_phase_mismatch },
    { "bus/phase-mismatch-jumps", test_phase_mismatch_jump },
    { "bus/phase-conditions", test_phase_conditions },
};

int main(int argc, char **argv)
{
    return lsi_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
