/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of the LSI53C895A that disconnect, wait in queues and are aborted;
 * messages; resets.
 */
#include <string.h>

#include "lsi.h"

#define LATENCY_MS 200          /* of slow drives */

/* -- Disconnecting and queues --------------------------------------------- */

#define DISCONNECTS MOVE(MSG_IN, 2, LSI_MSGIN), CLEAR_ACK, WAIT_DISC
#define RESELECTED MOVE(MSG_IN, 1, LSI_MSGIN + 4)

static void test_disconnect(QWorld *w)
{
    scsi_start(w);
    qtest_memset(w->main, LSI_DATA, 0xaa, 4096);
    scsi_prepare(w, READ10(200, 8), "\xc0", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), MOVE(IN, 4096, LSI_DATA), DISCONNECTS,
            WAIT_RESEL(0), RESELECTED, CLEAR_ACK, ENDING, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN + 4, 1), ==, 0x80);
    g_assert_cmphex(lsi_get(w, SSID, 1), ==, 0x80);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
    g_assert_cmphex(qtest_read(w->main, LSI_DATA + 4095, 1), ==, 0);
    /* No data but time: SAVE DATA POINTERS is not needed. */
    scsi_prepare(w, SCSI_CDB(0x35), "\xc0", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), MOVE(MSG_IN, 1, LSI_MSGIN), CLEAR_ACK,
            WAIT_DISC, WAIT_RESEL(0), RESELECTED, CLEAR_ACK, ENDING, INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
}

/* What reselected while others were to be selected: tags of each target. */
static uint32_t finished[2];

/* The script that goes on with who reselects. */
#define RESELECTION MOVE(MSG_IN, 3, LSI_MSGIN + 8), CLEAR_ACK, \
    MOVE(STATUS, 1, LSI_STATUS + 1), MOVE(MSG_IN, 1, LSI_MSGIN + 11), \
    CLEAR_ACK, WAIT_DISC, INT(0x51)

static void check_reselection(QWorld *w)
{
    unsigned id = lsi_get(w, SSID, 1) & 0xf;
    uint8_t tag = qtest_read(w->main, LSI_MSGIN + 10, 1);

    lsi_check_int(w, 0x51);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN + 8, 2), ==, 0x2080);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS + 1, 1), ==, 0);
    g_assert_cmphex(finished[id] & 1u << tag, ==, 0);
    finished[id] |= 1u << tag;
}

/* Sends a tagged read of block @tag, which disconnects. */
static void tagged_read(QWorld *w, unsigned id, uint8_t type, uint8_t tag)
{
    char msg[3] = { '\xc0', type, tag };

    LSI_LOAD(w, LSI_SCRIPT + 0x1000, RESELECTION);
    for (;;) {
        scsi_prepare(w, READ10(tag, 1), msg, 3);
        LSI_RUN(w, SELECT_ATN(id), MOVE(MSG_OUT, 3, LSI_MSGOUT),
                MOVE(COMMAND, 10, LSI_CDB),
                MOVE(IN, id ? 2048 : 512, LSI_DATA + 0x1000 * tag),
                DISCONNECTS, INT(0x50));
        if (lsi_get(w, DSPS, 4) == 0x50) {
            break;
        }
        check_reselection(w);
    }
    lsi_check_int(w, 0x50);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN, 2), ==, 0x0402);
}

/* Takes all that reselect until these are in finished[]. */
static void take(QWorld *w, uint32_t tags0, uint32_t tags1)
{
    while ((tags0 & ~finished[0]) || (tags1 & ~finished[1])) {
        LSI_RUN(w, WAIT_RESEL(0), RESELECTION);
        check_reselection(w);
    }
    g_assert_cmphex(finished[0], ==, tags0);
    g_assert_cmphex(finished[1], ==, tags1);
    finished[0] = finished[1] = 0;
}

static void test_tagged_queue(QWorld *w)
{
    scsi_start(w);
    for (unsigned i = 0; i < 16; i++) {
        qtest_memset(w->main, LSI_DATA + 512 * i, 0x40 + i, 512);
    }
    scsi_good(w, 0, SCSI_CDB(0x2a, [8] = 16), OUT, 16 * 512);
    lsi_put(w, CCNTL0, 0, 1);
    for (unsigned tag = 0; tag < 16; tag++) {
        tagged_read(w, 0, 0x20 + tag % 3, tag);
    }
    /* The other target's do not get in their way. */
    for (unsigned tag = 16; tag < 20; tag++) {
        tagged_read(w, 1, 0x20, tag);
    }
    take(w, 0xffff, 0xf0000);
    for (unsigned tag = 0; tag < 16; tag++) {
        g_assert_cmphex(qtest_read(w->main, LSI_DATA + 0x1000 * tag + 511, 1),
                        ==, 0x40 + tag);
    }
}

static void test_queue_full(QWorld *w)
{
    unsigned n, back;

    scsi_start(w);
    lsi_put(w, CCNTL0, 0xa0, 1);
    LSI_LOAD(w, LSI_SCRIPT + 0x800, ENDING, INT(0x52));
    lsi_put(w, PMJAD1, LSI_SCRIPT + 0x800, 4);
    scsi_prepare(w, READ10(0, 1), "\xc0\x20", 2);
    LSI_LOAD(w, LSI_SCRIPT, SELECT_ATN(0), MOVE(MSG_OUT, 3, LSI_MSGOUT),
             MOVE(COMMAND, 10, LSI_CDB), MOVE(IN, 512, LSI_DATA), DISCONNECTS,
             INT(0x50));
    for (n = 0; n < 1000; n++) {
        qtest_write(w->main, LSI_MSGOUT + 2, n, 1);
        lsi_put(w, DSP, LSI_SCRIPT, 4);
        lsi_wait(w);
        g_assert_cmphex(lsi_get(w, DSTAT, 1), ==, SIR);
        if (lsi_get(w, DSPS, 4) == 0x52) {
            break;
        }
        g_assert_cmphex(lsi_get(w, DSPS, 4), ==, 0x50);
    }
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0x28);
    for (back = 0; back < n; back++) {
        LSI_RUN(w, WAIT_RESEL(0), RESELECTION);
        lsi_check_int(w, 0x51);
        g_assert_cmphex(qtest_read(w->main, LSI_STATUS + 1, 1), ==, 0);
    }
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
}

static void test_reselect_interrupts(QWorld *w)
{
    scsi_start(w);
    tagged_read(w, 0, 0x20, 9);
    lsi_put(w, SIEN0, 0x9f, 1);                 /* RSL */
    lsi_wait(w);                                /* without a script */
    lsi_check_sist(w, RSL);
    LSI_RUN(w, MOVE(MSG_IN, 3, LSI_MSGIN), CLEAR_ACK, ENDING, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
}

/* A selection loses against who reselects, and jumps. */
static void test_selection_lost(QWorld *w)
{
    scsi_start(w);
    tagged_read(w, 0, 0x20, 3);
    LSI_LOAD(w, LSI_SCRIPT + 0x1000, MOVE(MSG_IN, 3, LSI_MSGIN), CLEAR_ACK,
             ENDING, INT(0x61));
    for (unsigned i = 0; i < 1000; i++) {
        scsi_prepare(w, SCSI_CDB(0x03, 0, 0, 0, 18), "\x80", 1);
        LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                MOVE(COMMAND, 6, LSI_CDB), MOVE(IN, 18, LSI_DATA), ENDING,
                INT(0x60));
        lsi_get(w, DSTAT, 1);
        g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
        if (lsi_get(w, DSPS, 4) == 0x61) {
            return;
        }
    }
    g_error("never reselected");
}

static void test_sigp(QWorld *w)
{
    scsi_start(w);
    LSI_LOAD(w, LSI_SCRIPT + 0x400, INT(0x71));
    LSI_START(w, WAIT_RESEL(LSI_SCRIPT + 0x400), INT(1));
    g_assert_cmphex(lsi_get(w, ISTAT1, 1) & 2, ==, 2);
    lsi_put(w, ISTAT0, 0x20, 1);
    lsi_wait(w);
    lsi_check_int(w, 0x71);
    /* Set before; relative. */
    LSI_RUN(w, 0x54000000, 0x3f8, INT(1));
    lsi_check_int(w, 0x71);
    g_assert_cmphex(lsi_get(w, CTEST2, 1) & 0x40, ==, 0x40);
    LSI_START(w, 0x54000000, 0x3f8, INT(1));
    lsi_put(w, ISTAT0, 0x20, 1);
    lsi_wait(w);
    lsi_check_int(w, 0x71);
}

static void test_unexpected_disconnect(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB), MOVE(STATUS, 1, LSI_STATUS),
            MOVE(MSG_IN, 2, LSI_MSGIN), INT(1));
    lsi_check_sist(w, UDC);
    /* A driver that forgot its connection. */
    LSI_RUN(w, SELECT_ATN(0), SELECT_ATN(1), INT(1));
    lsi_check_sist(w, UDC);
    scsi_good(w, 1, SCSI_CDB(0), IN, 0);
}

/* -- Messages ------------------------------------------------------------- */

static void test_negotiation(QWorld *w)
{
    static const struct { const char *out; unsigned len; const char *in;
                          unsigned in_len; } cases[] = {
        { "\x80\x01\x03\x01\x19\x1f", 6, "\x01\x03\x01\x19\x00", 5 }, /* SDTR */
        { "\x80\x01\x02\x03\x01", 5, "\x01\x02\x03\x00", 4 },         /* WDTR */
        { "\x80\x01\x06\x04\x0a\x00\x1f\x01\x02", 9, "\x07", 1 },     /* PPR */
        { "\x80\x01\x03\x03\x01\x00", 6, "\x07", 1 },   /* of another length */
        { "\x80\x11", 2, "\x07", 1 },                   /* reserved */
        { "\x80\x01\x00", 3, "\x07", 1 },               /* of 256 bytes */
    };

    scsi_start(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        char got[8];

        scsi_prepare(w, SCSI_CDB(0), cases[i].out, cases[i].len);
        LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, cases[i].len, LSI_MSGOUT),
                MOVE(MSG_IN, cases[i].in_len, LSI_MSGIN), CLEAR_ACK,
                MOVE(COMMAND, 6, LSI_CDB), MOVE(STATUS, 1, LSI_STATUS),
                MOVE(MSG_IN, 1, LSI_MSGIN + 8), CLEAR_ACK, WAIT_DISC, INT(i));
        lsi_check_int(w, i);
        qtest_memread(w->main, LSI_MSGIN, got, sizeof(got));
        g_assert_cmpint(memcmp(got, cases[i].in, cases[i].in_len), ==, 0);
        g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
    }
}

static void test_messages_in_pieces(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0), "\x80\x01\x03\x01\x19\x1f\x08", 7);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 2, LSI_MSGOUT),
            MOVE(MSG_OUT, 1, LSI_MSGOUT + 2), MOVE(MSG_OUT, 2, LSI_MSGOUT + 3),
            MOVE(MSG_OUT, 2, LSI_MSGOUT + 5), MOVE(MSG_IN, 1, LSI_MSGIN),
            CLEAR_ACK, MOVE(MSG_IN, 4, LSI_MSGIN + 1), CLEAR_ACK,
            MOVE(COMMAND, 6, LSI_CDB), MOVE(STATUS, 1, LSI_STATUS),
            MOVE(MSG_IN, 1, LSI_MSGIN + 8), CLEAR_ACK, WAIT_DISC, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN, 4), ==, 0x19010301);
}

/* ATN in the middle: the target asks what it is. */
static void test_attention(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0x12, 0, 0, 0, 36), "\x80\x08\x09\x07", 4);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB), 0x58000008, 0,           /* SET ATN */
            MOVE(MSG_OUT, 3, LSI_MSGOUT + 1), MOVE(IN, 36, LSI_DATA),
            MOVE(STATUS, 1, LSI_STATUS), MOVE(MSG_IN, 1, LSI_MSGIN),
            CLEAR_ACK, WAIT_DISC, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
    /* By the register, against the rest of a message of the target. */
    scsi_prepare(w, SCSI_CDB(0), "\x80\x01\x03\x01\x19\x1f", 6);
    qtest_write(w->main, LSI_MSGOUT + 8, 0x07, 1);      /* MESSAGE REJECT */
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 6, LSI_MSGOUT),
            MOVE(MSG_IN, 1, LSI_MSGIN), TO_REG(2, SOCL, 8),
            MOVE(MSG_OUT, 1, LSI_MSGOUT + 8), MOVE(COMMAND, 6, LSI_CDB),
            ENDING, INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
}

/* Sends a message that frees the bus. */
static void last_message(QWorld *w, unsigned id, const char *msg, unsigned len)
{
    lsi_put(w, SCNTL2, 0, 1);                   /* it is expected */
    qtest_memwrite(w->main, LSI_MSGOUT, msg, len);
    LSI_RUN(w, SELECT_ATN(id), MOVE(MSG_OUT, len, LSI_MSGOUT), WAIT_DISC,
            INT(0x77));
    lsi_check_int(w, 0x77);
    g_assert_cmphex(lsi_get(w, SCNTL1, 1) & 0x10, ==, 0);
    lsi_put(w, SCNTL2, 0x80, 1);
}

/* Nobody reselects any more. */
static void check_quiet(QWorld *w)
{
    gint64 end = g_get_monotonic_time() + 2000 * LATENCY_MS;

    LSI_START(w, WAIT_RESEL(0), INT(1));
    while (g_get_monotonic_time() < end) {
        g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0);
        g_usleep(100 * LATENCY_MS);
    }
    lsi_put(w, ISTAT0, 0x80, 1);
    lsi_put(w, ISTAT0, 0, 1);
    lsi_check_dstat(w, ABRT);
}

static void test_abort(QWorld *w)
{
    scsi_start(w);
    tagged_read(w, 0, 0x20, 1);
    tagged_read(w, 0, 0x20, 2);
    tagged_read(w, 1, 0x20, 3);
    last_message(w, 0, "\x80\x20\x01\x0d", 4);          /* ABORT TASK 1 */
    take(w, 1 << 2, 1 << 3);
    check_quiet(w);
    tagged_read(w, 0, 0x20, 4);
    tagged_read(w, 0, 0x20, 5);
    last_message(w, 0, "\x80\x06", 2);                  /* ABORT TASK SET */
    check_quiet(w);
    tagged_read(w, 0, 0x20, 6);
    last_message(w, 0, "\x80\x0e", 2);                  /* CLEAR TASK SET */
    check_quiet(w);
    /* No unit attention comes of these. */
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
    lsi_put(w, CCNTL0, 0, 1);
    /* The other logical unit's are not touched. */
    tagged_read(w, 0, 0x20, 7);
    last_message(w, 0, "\x81\x06", 2);
    take(w, 1 << 7, 0);
}

/* In the middle of its data phase. */
static void test_abort_connected(QWorld *w)
{
    scsi_start(w);
    for (unsigned i = 0; i < 3; i++) {
        char msg[] = { '\x80', "\x06\x0d\x0c"[i] };

        scsi_prepare(w, READ10(0, 8), msg, 2);
        LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                MOVE(COMMAND, 10, LSI_CDB), MOVE(IN, 512, LSI_DATA),
                0x58000008, 0, 0x7c027f00, 0,           /* SDU off */
                MOVE(MSG_OUT, 1, LSI_MSGOUT + 1), WAIT_DISC, INT(i));
        lsi_check_int(w, i);
        lsi_put(w, SCNTL2, 0x80, 1);
    }
    scsi_fails(w, 0, SCSI_CDB(0), IN, 0, 6, 0x29, 0x03);
}

static void test_target_reset(QWorld *w)
{
    scsi_start(w);
    tagged_read(w, 0, 0x20, 1);
    tagged_read(w, 0, 0x20, 2);
    tagged_read(w, 1, 0x20, 3);
    last_message(w, 0, "\x80\x0c", 2);
    take(w, 0, 1 << 3);
    check_quiet(w);
    scsi_fails(w, 0, SCSI_CDB(0), IN, 0, 6, 0x29, 0x03);
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
    scsi_good(w, 1, SCSI_CDB(0), IN, 0);
}

static void test_bus_reset(QWorld *w)
{
    scsi_start(w);
    tagged_read(w, 0, 0x20, 1);
    tagged_read(w, 1, 0x20, 2);
    lsi_put(w, SCNTL1, 0x08, 1);
    g_assert_cmphex(lsi_get(w, SSTAT0, 1) & 2, ==, 2);
    lsi_put(w, SCNTL1, 0, 1);
    lsi_check_sist(w, RST);
    check_quiet(w);
    for (unsigned id = 0; id < 2; id++) {
        scsi_fails(w, id, SCSI_CDB(0), IN, 0, 6, 0x29, 0x02);
        scsi_good(w, id, SCSI_CDB(0), IN, 0);
    }
}

static void test_device_reset(QWorld *w)
{
    scsi_start(w);
    tagged_read(w, 0, 0x20, 1);
    LSI_START(w, JUMP(IF, LSI_SCRIPT));
    qtest_qmp_ok(w->main, "system_reset");
    qtest_until(w->main, !(qpci_read(&w->dev, 4, 2) & 7));
    lsi_map(w);
    lsi_check_reset_values(w);
    lsi_init(w);
    scsi_fails(w, 0, SCSI_CDB(0), IN, 0, 6, 0x29, 0x00);
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
}

static const LSITest tests[] = {
    { "bus/disconnect-reselect", test_disconnect },
    { "bus/tagged-queue", test_tagged_queue },
    { "bus/queue-full", test_queue_full, .ms = 2000 },
    { "bus/reselect-interrupts", test_reselect_interrupts },
    { "bus/selection-lost-to-reselection", test_selection_lost },
    { "bus/sigp-leads-on", test_sigp },
    { "bus/unexpected-disconnect", test_unexpected_disconnect },
    { "messages/negotiation", test_negotiation },
    { "messages/in-pieces", test_messages_in_pieces },
    { "messages/attention", test_attention },
    { "messages/abort", test_abort, .ms = LATENCY_MS },
    { "messages/abort-while-connected", test_abort_connected },
    { "messages/target-reset", test_target_reset, .ms = LATENCY_MS },
    { "bus/bus-reset", test_bus_reset, .ms = LATENCY_MS },
    { "bus/device-reset", test_device_reset, .ms = LATENCY_MS },
};

int main(int argc, char **argv)
{
    return lsi_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
