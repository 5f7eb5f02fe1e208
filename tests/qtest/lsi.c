/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver of the LSI53C895A and of what is on its bus; see lsi.h. */
#include <stdio.h>
#include <string.h>

#include "lsi.h"

/* -- The chip ------------------------------------------------------------- */

void lsi_map(QWorld *w)
{
    qpci_set_bar(&w->dev, 0, LSI_IO);
    qpci_set_bar(&w->dev, 1, LSI_REGS);
    qpci_set_bar(&w->dev, 2, LSI_RAM);
    qpci_enable(&w->dev);
}

void lsi_init(QWorld *w)
{
    lsi_map(w);
    lsi_put(w, DIEN, 0x7d, 1);
    lsi_put(w, SIEN0, 0x8f, 1);
    lsi_put(w, SIEN1, 0x07, 1);
    lsi_put(w, SCNTL2, 0x80, 1);        /* disconnects must be expected */
    lsi_put(w, DSA, LSI_TABLE, 4);
}

uint32_t lsi_get(QWorld *w, unsigned reg, unsigned size)
{
    return qtest_read(w->main, LSI_REGS + reg, size);
}

void lsi_put(QWorld *w, unsigned reg, uint32_t val, unsigned size)
{
    qtest_write(w->main, LSI_REGS + reg, val, size);
}

void lsi_load(QWorld *w, uint64_t addr, const uint32_t *words, unsigned n)
{
    qtest_memwrite(w->main, addr, words, 4 * n);
}

void lsi_wait(QWorld *w)
{
    qtest_until(w->main, lsi_get(w, ISTAT0, 1) & 0x07);
}

bool lsi_irq(QWorld *w)
{
    return qpci_read(&w->dev, 6, 2) & 8;
}

static void check(QWorld *w, uint16_t sist, uint8_t dstat)
{
    uint8_t istat = lsi_get(w, ISTAT0, 1) & 3;

    g_assert_true(lsi_irq(w));
    g_assert_cmphex(lsi_get(w, ISTAT1, 1) & 2, ==, 0);          /* stopped */
    g_assert_cmphex(lsi_get(w, SIST0, 2), ==, sist);
    g_assert_cmphex(lsi_get(w, DSTAT, 1), ==, dstat);
    g_assert_cmphex(istat, ==, (sist ? 2 : 0) | (dstat != 0x80));
    g_assert_cmphex(lsi_get(w, ISTAT0, 1) & 3, ==, 0);
    g_assert_false(lsi_irq(w));
}

void lsi_check_int(QWorld *w, uint32_t n)
{
    g_assert_cmphex(lsi_get(w, DSPS, 4), ==, n);
    check(w, 0, SIR);
}

void lsi_check_dstat(QWorld *w, uint8_t dstat)
{
    check(w, 0, dstat);
}

void lsi_check_sist(QWorld *w, uint16_t sist)
{
    check(w, sist, 0x80);
}

uint8_t lsi_reset_value(unsigned reg)
{
    switch (reg) {
    case SCNTL0:
        return 0xc0;
    case GPREG:
        return 0x7f;
    case DSTAT:
        return 0x80;
    case SSTAT2:
        return 0x02;
    case 0x19:
        return 0xf0;
    case CTEST2:
        return 0x31;
    case 0x46:
    case 0x47:
        return 0x0f;
    case 0x52:
        return 0xe0;
    default:
        return 0;
    }
}

void lsi_check_reset_values(QWorld *w)
{
    for (unsigned reg = 0; reg < 0x100; reg++) {
        if (lsi_get(w, reg, 1) != lsi_reset_value(reg)) {
            g_error("register 0x%02x: 0x%02x, not 0x%02x", reg,
                    lsi_get(w, reg, 1), lsi_reset_value(reg));
        }
    }
}

/* -- SCSI ----------------------------------------------------------------- */

void scsi_start(QWorld *w)
{
    lsi_init(w);
    for (unsigned id = 0; id < 2; id++) {
        scsi_command(w, id, 0, SCSI_CDB(0), IN, 0);
        scsi_good(w, id, SCSI_CDB(0), IN, 0);
    }
    lsi_put(w, CCNTL0, 0, 1);
}

void scsi_prepare(QWorld *w, const uint8_t *cdb, const char *msgout,
                       unsigned len)
{
    qtest_memwrite(w->main, LSI_CDB, cdb, 16);
    qtest_memwrite(w->main, LSI_MSGOUT, msgout, len);
    qtest_memset(w->main, LSI_MSGIN, 0xee, 16);
    qtest_write(w->main, LSI_STATUS, 0xee, 1);
}

/* IDENTIFY, command, data if there is any, status; a phase that is another
 * than awaited leads to the status by the phase mismatch jump. */
uint8_t scsi_command(QWorld *w, unsigned target, unsigned lun,
                     const uint8_t *cdb, unsigned phase, uint32_t len)
{
    static const uint8_t lengths[8] = { 6, 10, 10, 6, 16, 12, 6, 10 };
    const uint32_t status = LSI_SCRIPT + 0x800;
    const uint32_t nothing = 0x80000000;

    qtest_memwrite(w->main, LSI_CDB, cdb, 16);
    qtest_write(w->main, LSI_MSGOUT, 0x80 | lun, 1);
    qtest_write(w->main, LSI_STATUS, 0xee, 1);
    LSI_LOAD(w, status,
             MOVE(STATUS, 1, LSI_STATUS), MOVE(MSG_IN, 1, LSI_MSGIN),
             CLEAR_ACK, WAIT_DISC, INT(0xc0de));
    lsi_put(w, CCNTL0, 0x80, 1);                /* ENPMJ */
    lsi_put(w, PMJAD1, status, 4);
    lsi_put(w, 0xdc, 0, 4);                     /* CSBC: bytes moved */
    LSI_RUN(w, SELECT_ATN(target), MOVE(MSG_OUT, 1, LSI_MSGOUT),
            MOVE(COMMAND, lengths[cdb[0] >> 5], LSI_CDB),
            len ? 0x08000000 | phase << 24 | len : nothing, LSI_DATA,
            0x80080000, status);
    lsi_check_int(w, 0xc0de);
    g_assert_cmphex(qtest_read(w->main, LSI_MSGIN, 1), ==, 0);
    return qtest_read(w->main, LSI_STATUS, 1);
}

uint32_t scsi_moved(QWorld *w)
{
    static const uint8_t lengths[8] = { 6, 10, 10, 6, 16, 12, 6, 10 };
    unsigned cdb = lengths[qtest_read(w->main, LSI_CDB, 1) >> 5];

    /* Message out, command, data, status, message in. */
    return lsi_get(w, 0xdc, 4) - 3 - cdb;
}

void scsi_good(QWorld *w, unsigned target, const uint8_t *cdb, unsigned phase,
               uint32_t len)
{
    uint8_t status = scsi_command(w, target, 0, cdb, phase, len);

    if (status) {
        g_error("command %02x %02x %02x ...: status %02x, sense %02x %02x %02x",
                cdb[0], cdb[1], cdb[2], status, 0, 0, 0);
    }
}

void scsi_fails(QWorld *w, unsigned target, const uint8_t *cdb, unsigned phase,
                uint32_t len, uint8_t key, uint8_t asc, uint8_t ascq)
{
    g_assert_cmphex(scsi_command(w, target, 0, cdb, phase, len), ==, 0x02);
    scsi_good(w, target, SCSI_CDB(0x03, 0, 0, 0, 18), IN, 18);
    g_assert_cmphex(scsi_data(w, 2, 1), ==, key);
    g_assert_cmphex(scsi_data(w, 12, 2), ==, asc << 8 | ascq);
}

uint64_t scsi_data(QWorld *w, unsigned at, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v = v << 8 | qtest_read(w->main, LSI_DATA + at + i, 1);
    }
    return v;
}

void scsi_put(QWorld *w, unsigned at, uint64_t val, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        qtest_write(w->main, LSI_DATA + at + i, val >> 8 * (size - 1 - i), 1);
    }
}

/* -- Tests ---------------------------------------------------------------- */

#define DISK_SIZE (1 << 20)

int lsi_main(int argc, char **argv, const LSITest *tests, unsigned n)
{
    g_autofree char *disk = NULL, *backend = NULL, *path = NULL;
    g_autofree char *zeroes = g_malloc0(DISK_SIZE);
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    int status;

    g_test_init(&argc, &argv, NULL);
    path = g_strdup_printf("%s/qtest-lsi-%s", g_get_tmp_dir(),
                           disk = g_uuid_string_random());
    g_assert_true(g_file_set_contents(path, zeroes, DISK_SIZE, NULL));
    backend = g_strdup_printf(
        "-drive if=none,id=disk,format=raw,discard=unmap,file.locking=off,"
        "file=%s -drive if=none,id=cd,format=raw,media=cdrom,file.locking=off,"
        "file=%s", path, path);
    for (unsigned i = 0; i < n; i++) {
        char *slow = g_strdup_printf(
            "-drive if=none,id=disk,driver=null-co,size=1M,latency-ns=%u000000"
            " -drive if=none,id=cd,driver=null-co,size=1M,latency-ns=%u000000",
            tests[i].ms, tests[i].ms);
        QWorldConfig config = {
            .machine = i & 1 ? "pc" : "q35", .memory = tests[i].memory,
            .device = "lsi53c895a",
            .backend = tests[i].ms ? slow : backend,
            .children = tests[i].children ?:
                        "-device scsi-hd,bus=d1.0,scsi-id=0,drive=disk "
                        "-device scsi-cd,bus=d1.0,scsi-id=1,drive=cd",
        };

        g_ptr_array_add(kept, slow);
        qworld_add_tests("lsi", tests[i].name, &config, tests[i].fn);
    }
    status = g_test_run();
    remove(path);
    return status;
}
