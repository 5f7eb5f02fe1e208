/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parity on the SCSI bus of the LSI53C895A: what targets make of bytes that
 * the chip sends with the wrong one, what either side says of an error, and
 * the chip's own check, which only its loopback mode can let fail.
 */
#include <string.h>

#include "lsi.h"

/* SCNTL1.AESP, from within a script. */
#define EVEN TO_REG(2, SCNTL1, 0x04)
#define ODD TO_REG(4, SCNTL1, 0xfb)
#define SET_ATN 0x58000008, 0

static void test_selection(QWorld *w)
{
    scsi_start(w);
    LSI_RUN(w, EVEN, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT), INT(1));
    lsi_check_sist(w, STO);
    lsi_put(w, SCNTL1, 0, 1);
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
}

static void test_messages_again(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0), "\x80\x08", 2);
    LSI_RUN(w, SELECT_ATN(0), EVEN, MOVE(MSG_OUT, 2, LSI_MSGOUT), ODD,
            MOVE(MSG_OUT, 1, LSI_MSGOUT), MOVE(COMMAND, 6, LSI_CDB), ENDING,
            INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
    /* Who does not send them again sees that the phase is still this one. */
    scsi_prepare(w, SCSI_CDB(0), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), EVEN, MOVE(MSG_OUT, 1, LSI_MSGOUT), ODD,
            MOVE(COMMAND, 6, LSI_CDB), INT(2));
    lsi_check_sist(w, MA);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1) & 7, ==, MSG_OUT);
}

static void check_aborted(QWorld *w, uint8_t asc)
{
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0x02);
    scsi_good(w, 0, SCSI_CDB(0x03, 0, 0, 0, 18), IN, 18);
    g_assert_cmphex(scsi_data(w, 2, 1), ==, 0x0b);
    g_assert_cmphex(scsi_data(w, 12, 2), ==, asc << 8);
}

static void test_command(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, READ10(0, 1), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT), EVEN,
            MOVE(COMMAND, 10, LSI_CDB), ODD, ENDING, INT(1));
    lsi_check_int(w, 1);
    check_aborted(w, 0x47);
}

/* None of the data comes to the medium. */
static void test_data_out(QWorld *w)
{
    scsi_start(w);
    qtest_memset(w->main, LSI_DATA, 0x3c, 1024);
    scsi_good(w, 0, SCSI_CDB(0x2a, [5] = 3, [8] = 2), OUT, 1024);
    qtest_memset(w->main, LSI_DATA, 0xc3, 1024);
    scsi_prepare(w, SCSI_CDB(0x2a, [5] = 3, [8] = 2), "\x80", 1);
    LSI_LOAD(w, LSI_SCRIPT + 0x800, ODD, ENDING, INT(1));
    lsi_put(w, PMJAD1, LSI_SCRIPT + 0x800, 4);
    lsi_put(w, CCNTL0, 0x80, 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 10, LSI_CDB), MOVE(OUT, 512, LSI_DATA), EVEN,
            MOVE(OUT, 512, LSI_DATA + 512), INT(2));
    lsi_check_int(w, 1);
    check_aborted(w, 0x47);
    scsi_good(w, 0, READ10(3, 2), IN, 1024);
    g_assert_cmphex(scsi_data(w, 0, 4), ==, 0x3c3c3c3c);
    g_assert_cmphex(scsi_data(w, 1020, 4), ==, 0x3c3c3c3c);
}

/* The initiator's word that it got something wrong ends the command, before
 * its data and between them. */
static void test_initiator_detected_error(QWorld *w)
{
    scsi_start(w);
    for (unsigned moved = 0; moved <= 512; moved += 512) {
        scsi_prepare(w, READ10(0, 2), "\x80\x05", 2);
        LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
                MOVE(COMMAND, 10, LSI_CDB),
                moved ? 0x09000200 : 0x80000000, LSI_DATA, SET_ATN,
                MOVE(MSG_OUT, 1, LSI_MSGOUT + 1), ENDING, INT(1));
        lsi_check_int(w, 1);
        check_aborted(w, 0x48);
    }
    /* With its status there is nothing more to end. */
    scsi_prepare(w, SCSI_CDB(0), "\x80\x05", 2);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB), SET_ATN,
            MOVE(MSG_OUT, 1, LSI_MSGOUT + 1), ENDING, INT(2));
    lsi_check_int(w, 2);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
}

static void test_message_parity_error(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0), "\x80\x01\x03\x01\x19\x1f\x09", 7);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 6, LSI_MSGOUT),
            MOVE(MSG_IN, 3, LSI_MSGIN + 8), SET_ATN,
            MOVE(MSG_OUT, 1, LSI_MSGOUT + 6), MOVE(MSG_IN, 5, LSI_MSGIN),
            CLEAR_ACK, MOVE(COMMAND, 6, LSI_CDB), MOVE(STATUS, 1, LSI_STATUS),
            MOVE(MSG_IN, 1, LSI_MSGIN + 12), CLEAR_ACK, WAIT_DISC, INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN, 4), ==, 0x19010301);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN + 4, 1), ==, 0x00);
    g_assert_cmphex(qtest_read(w->main, LSI_STATUS, 1), ==, 0);
}

/* The parity of what was taken in last. */
static void test_latched(QWorld *w)
{
    scsi_start(w);
    scsi_prepare(w, SCSI_CDB(0), "\x80", 1);
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB), MOVE(STATUS, 1, LSI_STATUS), INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(lsi_get(w, SIDL, 1), ==, 0x00);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1), ==, 0x08 | MSG_IN);
    lsi_put(w, SCNTL1, 0x08, 1);
    lsi_put(w, SCNTL1, 0x00, 1);
    lsi_check_sist(w, RST);
    /* The reset is a unit attention: CHECK CONDITION. */
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, 6, LSI_CDB), MOVE(STATUS, 1, LSI_STATUS), INT(1));
    lsi_check_int(w, 1);
    g_assert_cmphex(lsi_get(w, SIDL, 1), ==, 0x02);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1), ==, MSG_IN);
}

/* A byte, or two, to itself. */
static void loop(QWorld *w, uint16_t data)
{
    lsi_put(w, SOCL, 0x01, 1);
    lsi_put(w, SODL, data, 2);
    g_assert_cmphex(lsi_get(w, SBDL, 2), ==, data);
    lsi_put(w, SOCL, 0x81, 1);
    g_assert_cmphex(lsi_get(w, SBCL, 1) & 0xf7, ==, 0x81);
    g_assert_cmphex(lsi_get(w, SIDL, 2), ==, data);
}

/* SDP0 and SDP1, now and as latched. */
static void check_parity_lines(QWorld *w, bool low, bool high)
{
    g_assert_cmphex(lsi_get(w, SSTAT0, 1) & 0x01, ==, low);
    g_assert_cmphex(lsi_get(w, SSTAT1, 1) & 0x08, ==, low << 3);
    g_assert_cmphex(lsi_get(w, SSTAT2, 1) & 0x01, ==, high);
    g_assert_cmphex(lsi_get(w, SSTAT2, 1) & 0x08, ==, high << 3);
}

static void test_loopback(QWorld *w)
{
    scsi_start(w);
    lsi_put(w, SIEN0, 0x00, 1);
    lsi_put(w, STEST2, 0x10, 1);                /* SLB */
    /* Nobody is there. */
    LSI_RUN(w, SELECT_ATN(0), MOVE(MSG_OUT, 1, LSI_MSGOUT), INT(1));
    lsi_check_sist(w, STO);
    lsi_put(w, SCNTL1, 0x40, 1);                /* ADB */
    lsi_put(w, SCNTL0, 0xca, 1);                /* EPC, AAP */
    loop(w, 0x0100);
    check_parity_lines(w, true, false);
    loop(w, 0x03fe);
    check_parity_lines(w, false, true);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0);

    lsi_put(w, SCNTL1, 0x44, 1);                /* AESP */
    loop(w, 0x0100);
    check_parity_lines(w, false, true);
    g_assert_cmphex(lsi_get(w, SBCL, 1), ==, 0x89);     /* ATN */
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0x02);
    g_assert_false(lsi_irq(w));
    lsi_put(w, SIEN0, 0x01, 1);
    g_assert_true(lsi_irq(w));
    lsi_put(w, SCNTL1, 0x4c, 1);                /* a bus reset behind it */
    lsi_put(w, SCNTL1, 0x44, 1);
    g_assert_cmphex(lsi_get(w, SIST0, 1), ==, 0x01);
    g_assert_cmphex(lsi_get(w, SIST0, 1), ==, RST);
    g_assert_false(lsi_irq(w));

    lsi_put(w, SCNTL0, 0xc8, 1);                /* no ATN for it */
    loop(w, 0x0007);
    g_assert_cmphex(lsi_get(w, SBCL, 1), ==, 0x81);
    lsi_check_sist(w, 0x01);
    lsi_put(w, SCNTL0, 0xc0, 1);                /* no check */
    loop(w, 0x0007);
    g_assert_cmphex(lsi_get(w, ISTAT0, 1), ==, 0);

    /* Back to the bus. */
    lsi_put(w, SCNTL1, 0x00, 1);
    lsi_put(w, STEST2, 0x00, 1);
    lsi_put(w, SOCL, 0x00, 1);
    g_assert_cmphex(lsi_get(w, SBDL, 2), ==, 0);
    g_assert_cmphex(lsi_get(w, SSTAT0, 1), ==, 0);
    lsi_put(w, SIEN0, 0x8f, 1);
    scsi_command(w, 0, 0, SCSI_CDB(0), IN, 0);          /* reset attention */
    scsi_good(w, 0, SCSI_CDB(0), IN, 0);
}

static const LSITest tests[] = {
    { "parity/wrong-at-selection-nobody-answers", test_selection },
    { "parity/wrong-messages-are-asked-for-again", test_messages_again },
    { "parity/wrong-command-is-aborted", test_command },
    { "parity/wrong-data-stays-off-the-medium", test_data_out },
    { "parity/initiator-detected-error", test_initiator_detected_error },
    { "parity/message-parity-error", test_message_parity_error },
    { "parity/latched", test_latched },
    { "parity/loopback", test_loopback },
};

int main(int argc, char **argv)
{
    return lsi_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
