/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scsi-hd and scsi-cd behind the LSI53C895A, local and remote: every command,
 * what wrong fields get, sense data, vital product data (SPC-3, SBC-3, MMC-5).
 */
#include <string.h>

#include "lsi.h"

#define BLOCKS 2048             /* of the disk; 512 of the disc */
#define MOST 8192               /* what an IN may bring */

typedef struct Row {
    uint8_t cdb[16];
    unsigned phase;
    uint32_t len;               /* OUT: of the data; IN: of the answer */
    uint8_t key, asc, ascq;
} Row;

static void run_rows(QWorld *w, unsigned id, const Row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const Row *r = &rows[i];
        uint32_t len = r->phase == IN ? MOST : r->len;
        uint8_t status = scsi_command(w, id, 0, r->cdb, r->phase, len);
        uint32_t moved = scsi_moved(w);

        if (status != (r->key ? 2 : 0)) {
            g_error("row %u: %02x %02x %02x ...: status %02x", i, r->cdb[0],
                    r->cdb[1], r->cdb[2], status);
        }
        if (!r->key) {
            if (moved != r->len) {
                g_error("row %u: %02x %02x %02x ...: %u bytes, not %u", i,
                        r->cdb[0], r->cdb[1], r->cdb[2], moved, r->len);
            }
            continue;
        }
        scsi_good(w, id, SCSI_CDB(0x03, 0, 0, 0, 252), IN, MOST);
        g_assert_cmpuint(scsi_moved(w), ==, 18);
        if (scsi_data(w, 2, 1) != r->key ||
            scsi_data(w, 12, 2) != (r->asc << 8 | r->ascq)) {
            g_error("row %u: %02x %02x %02x ...: sense %02x %04x", i,
                    r->cdb[0], r->cdb[1], r->cdb[2],
                    (unsigned)scsi_data(w, 2, 1),
                    (unsigned)scsi_data(w, 12, 2));
        }
    }
}
#define RUN(w, id, rows) run_rows(w, id, rows, G_N_ELEMENTS(rows))

#define BAD_FIELD 5, 0x24, 0
#define BAD_OPCODE 5, 0x20, 0
#define BAD_LBA 5, 0x21, 0
#define BAD_PARAM 5, 0x26, 0
#define BAD_LENGTH 5, 0x1a, 0

/* -- What both have ------------------------------------------------------- */

static const Row common[] = {
    { { 0x00 } }, { { 0x01 } },
    { { 0x00, [5] = 4 }, .key = 5, .asc = 0x24 },               /* NACA */
    { { 0x12, 0, 0, 0, 36 }, IN, 36 }, { { 0x12, 0, 0, 0, 255 }, IN, 96 },
    { { 0x12, 0, 0, 1, 0 }, IN, 96 }, { { 0x12, 0, 0, 0, 0 }, IN, 0 },
    { { 0x12, 0, 1, 0, 36 }, IN, 0, BAD_FIELD },
    { { 0x12, 2, 0, 0, 36 }, IN, 0, BAD_FIELD },
    { { 0x12, 1, 0x42, 0, 36 }, IN, 0, BAD_FIELD },
    { { 0x03, 0, 0, 0, 18 }, IN, 18 }, { { 0x03, 0, 0, 0, 7 }, IN, 7 },
    { { 0x03, 1, 0, 0, 252 }, IN, 8 },                          /* DESC */
    { { 0xa0, [9] = 16 }, IN, 16 }, { { 0xa0, 0, 2, [9] = 255 }, IN, 16 },
    { { 0xa0, 0, 1, [9] = 255 }, IN, 8 },
    { { 0xa0, [9] = 15 }, IN, 0, BAD_FIELD },
    { { 0xa0, 0, 3, [9] = 255 }, IN, 0, BAD_FIELD },
    { { 0x16 } }, { { 0x17 } }, { { 0x56 } }, { { 0x57 } }, { { 0x1d } },
    { { 0x1d, 4 } }, { { 0x1d, 0x20 }, IN, 0, BAD_FIELD },
    { { 0x1d, 0, 0, 0, 8 }, IN, 0, BAD_FIELD },
    { { 0x25 }, IN, 8 }, { { 0x25, [2] = 1 }, IN, 0, BAD_FIELD },
    { { 0x25, [2] = 1, [8] = 1 }, IN, 8 },                      /* PMI */
    { { 0x9e, 0x10, [13] = 32 }, IN, 32 }, { { 0x9e, 0x10, [13] = 12 }, IN, 12 },
    { { 0x9e, 0x11, [13] = 32 }, IN, 0, BAD_FIELD },
    { { 0x1b, 0, 0, 0, 0 } }, { { 0x00 }, IN, 0, 2, 0x04, 0x02 },   /* stop */
    { { 0x28, [8] = 1 }, IN, 0, 2, 0x04, 0x02 },
    { { 0x1b, 1, 0, 0, 1 } }, { { 0x00 } }, { { 0x1b, 0, 0, 0, 0x30 } },
    { { 0x1e, 0, 0, 0, 1 } }, { { 0x1e } },
    { { 0x35 } }, { { 0x35, 2 } },                              /* IMMED */
    { { 0x35, [4] = 0x10 }, IN, 0, BAD_LBA },
    { { 0x5e, [8] = 8 }, IN, 0, BAD_OPCODE },   /* persistent reservations */
    { { 0x5f, [8] = 24 }, IN, 0, BAD_OPCODE },
    { { 0x04 }, IN, 0, BAD_OPCODE }, { { 0xff }, IN, 0, BAD_OPCODE },
    { { 0x7f }, IN, 0, BAD_OPCODE }, { { 0x3b }, IN, 0, BAD_OPCODE },
    { { 0x1a, 0, 0x3f, 0, 3 }, IN, 3 },
    { { 0x1a, 0, 0x3f, 0xff, 4 }, IN, 4 },
    { { 0x1a, 0, 0x3f, 1, 255 }, IN, 0, BAD_FIELD },
    { { 0x1a, 0, 0x3e, 0, 255 }, IN, 0, BAD_FIELD },
    { { 0x1a, 0, 0xc8, 0, 255 }, IN, 0, 5, 0x39, 0 },           /* saved */
    { { 0x5a, 0, 0x3f, [8] = 8 }, IN, 8 },
    { { 0x5a, 0, 0x3e, [8] = 8 }, IN, 0, BAD_FIELD },
    { { 0x15, 0x10 } }, { { 0x55, 0x10 } },
    { { 0x15, 0, 0, 0, 4 }, OUT, 4, BAD_FIELD },                /* not PF */
    { { 0x15, 0x11, 0, 0, 4 }, OUT, 4, BAD_FIELD },             /* SP */
    { { 0x15, 0x10, 0, 0, 3 }, OUT, 3, BAD_LENGTH },
    { { 0x55, 0x10, [8] = 7 }, OUT, 7, BAD_LENGTH },
    { { 0x55, 0x10, [7] = 0xff }, OUT, 0, BAD_FIELD },
};

static void start(QWorld *w)
{
    scsi_start(w);
    qtest_memset(w->main, LSI_DATA, 0, MOST);
}

static void test_disk_common(QWorld *w)
{
    start(w);
    RUN(w, 0, common);
}

static void test_disc_common(QWorld *w)
{
    start(w);
    RUN(w, 1, common);
}

/* -- The disk ------------------------------------------------------------- */

static void test_vpd(QWorld *w)
{
    static const Row rows[] = {
        { { 0x12, 1, 0x00, 0, 255 }, IN, 10 },
        { { 0x12, 1, 0x80, 0, 255 }, IN, 6 },
        { { 0x12, 1, 0x83, 0, 255 }, IN, 4 + 6 + 12 },
        { { 0x12, 1, 0xb0, 0, 255 }, IN, 64 },
        { { 0x12, 1, 0xb1, 0, 255 }, IN, 64 },
        { { 0x12, 1, 0xb2, 0, 255 }, IN, 8 },
        { { 0x12, 1, 0xb2, 0, 5 }, IN, 5 },
        { { 0x12, 1, 0x81, 0, 255 }, IN, 0, BAD_FIELD },
    };

    start(w);
    RUN(w, 0, rows);
    scsi_good(w, 0, SCSI_CDB(0x12, 1, 0x00, 0, 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 2, 8), ==, 0x0006008083b0b1b2);
    scsi_good(w, 0, SCSI_CDB(0x12, 1, 0x80, 0, 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 0, 6), ==, 0x008000025331);    /* S1 */
    scsi_good(w, 0, SCSI_CDB(0x12, 1, 0x83, 0, 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 4 + 6 + 4, 8), ==, 0x5000c50015ea71ac);
    scsi_good(w, 0, SCSI_CDB(0x12, 1, 0xb1, 0, 255), IN, MOST);
    g_assert_cmpuint(scsi_data(w, 4, 2), ==, 7200);
    scsi_good(w, 0, SCSI_CDB(0x12, 1, 0xb2, 0, 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 5, 1), ==, 0xe0);
    scsi_good(w, 0, SCSI_CDB(0x12, 0, 0, 0, 96), IN, MOST);
    g_assert_cmphex(scsi_data(w, 8, 8), ==, 0x41434d4520202020); /* ACME */
    g_assert_cmphex(scsi_data(w, 32, 4), ==, 0x312e3020);        /* 1.0 */
    scsi_good(w, 0, SCSI_CDB(0x25), IN, 8);
    g_assert_cmphex(scsi_data(w, 0, 8), ==, (BLOCKS - 1ull) << 32 | 512);
    scsi_good(w, 0, SCSI_CDB(0x9e, 0x10, [13] = 32), IN, 32);
    g_assert_cmpuint(scsi_data(w, 0, 8), ==, BLOCKS - 1);
    g_assert_cmphex(scsi_data(w, 13, 2), ==, 0x0380);
    scsi_good(w, 0, SCSI_CDB(0xa0, [9] = 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 0, 4), ==, 8);
}

/* Each way to write, read by each way to read. */
static void test_write_read(QWorld *w)
{
    static const struct { uint8_t op, len, lba, n; } writes[] = {
        { 0x0a, 6, 3, 4 }, { 0x2a, 10, 5, 8 }, { 0xaa, 12, 5, 9 },
        { 0x8a, 16, 9, 13 }, { 0x2e, 10, 5, 8 }, { 0xae, 12, 5, 9 },
        { 0x8e, 16, 9, 13 },
    }, reads[] = {
        { 0x08, 6, 3, 4 }, { 0x28, 10, 5, 8 }, { 0xa8, 12, 5, 9 },
        { 0x88, 16, 9, 13 },
    };
    uint8_t data[2048], got[2048];

    start(w);
    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++) {
        uint8_t cdb[16] = { writes[i].op };

        cdb[writes[i].lba] = 10 + i;
        cdb[writes[i].n] = 4;
        for (unsigned b = 0; b < sizeof(data); b++) {
            data[b] = b * 5 + i;
        }
        qtest_memwrite(w->main, LSI_DATA, data, sizeof(data));
        scsi_good(w, 0, cdb, OUT, 2048);
        for (unsigned j = 0; j < G_N_ELEMENTS(reads); j++) {
            uint8_t read[16] = { reads[j].op };

            read[reads[j].lba] = 10 + i;
            read[reads[j].n] = 4;
            qtest_memset(w->main, LSI_DATA, 0, sizeof(data));
            scsi_good(w, 0, read, IN, 2048);
            qtest_memread(w->main, LSI_DATA, got, sizeof(got));
            g_assert_cmpint(memcmp(data, got, sizeof(data)), ==, 0);
        }
        /* VERIFY with the data, each length; then with one bit changed. */
        for (unsigned j = 1; j < G_N_ELEMENTS(reads); j++) {
            uint8_t verify[16] = { reads[j].op + 7, 2 };

            verify[reads[j].lba] = 10 + i;
            verify[reads[j].n] = 4;
            qtest_memwrite(w->main, LSI_DATA, data, sizeof(data));
            scsi_good(w, 0, verify, OUT, 2048);
            qtest_write(w->main, LSI_DATA + 1500, data[1500] ^ 1, 1);
            scsi_fails(w, 0, verify, OUT, 2048, 0xe, 0x1d, 0);
        }
    }
}

static void test_ranges(QWorld *w)
{
    static const Row rows[] = {
        { { 0x28, [4] = 0x07, 0xff, [8] = 1 }, IN, 512 },
        { { 0x28, [4] = 0x07, 0xff, [8] = 2 }, IN, 0, BAD_LBA },
        { { 0x28, [4] = 0x08, 0x00, [8] = 1 }, IN, 0, BAD_LBA },
        { { 0x28, [4] = 0x08, 0x00, [8] = 0 }, IN, 0 },
        { { 0x28, [8] = 0 }, IN, 0 },
        { { 0x08, 0, 0x07, 0xff, 1 }, IN, 512 },
        { { 0x08, 0, 0x07, 0xff, 0 }, IN, 0, BAD_LBA },         /* of 256 */
        { { 0x08, 0x1f, 0xff, 0xff, 1 }, IN, 0, BAD_LBA },
        { { 0xa8, [2] = 0xff, 0xff, 0xff, 0xff, [9] = 1 }, IN, 0, BAD_LBA },
        { { 0xa8, [6] = 0xff, 0xff, 0xff, 0xff }, IN, 0, BAD_LBA },
        { { 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            [13] = 1 }, IN, 0, BAD_LBA },
        { { 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0xff, 0xff }, IN, 0, BAD_LBA },
        { { 0x28, 0x20, [8] = 1 }, IN, 0, BAD_FIELD },          /* PROTECT */
        { { 0x2a, 0x20, [8] = 1 }, OUT, 512, BAD_FIELD },
        { { 0x2a, [4] = 0x08, [8] = 1 }, OUT, 512, BAD_LBA },
        { { 0x2a, 8, [8] = 1 }, OUT, 512 },                     /* FUA */
        { { 0x0b, 0, 0x07, 0xff } }, { { 0x0b, 0, 0x08 }, IN, 0, BAD_LBA },
        { { 0x2b, [4] = 0x07 } }, { { 0x2b, [4] = 0x08 }, IN, 0, BAD_LBA },
        { { 0x2f, 0, [8] = 4 } }, { { 0x2f, 4, [8] = 4 }, IN, 0, BAD_FIELD },
        { { 0x2f, 0x20, [8] = 4 }, IN, 0, BAD_FIELD },
        { { 0x2f, 0, [4] = 0x08, [8] = 4 }, IN, 0, BAD_LBA },
        { { 0x8f, 0, [13] = 1 } }, { { 0xaf, 0, [9] = 1 } },
        { { 0x91 } }, { { 0x91, [8] = 0x09 }, IN, 0, BAD_LBA },
        { { 0x1b, 0, 0, 0, 2 }, IN, 0, BAD_FIELD },     /* nothing to eject */
        { { 0x43, [8] = 12 }, IN, 0, BAD_OPCODE },      /* of discs */
        { { 0x46, [8] = 8 }, IN, 0, BAD_OPCODE },
        { { 0x4a, 1, [8] = 8 }, IN, 0, BAD_OPCODE },
        { { 0x51, [8] = 34 }, IN, 0, BAD_OPCODE },
        { { 0xbb }, IN, 0, BAD_OPCODE }, { { 0xbd }, IN, 0, BAD_OPCODE },
    };

    start(w);
    RUN(w, 0, rows);
    /* Which block it was. */
    scsi_command(w, 0, 0, SCSI_CDB(0x28, [4] = 0x09, 0x87, [8] = 1), IN, 512);
    scsi_good(w, 0, SCSI_CDB(0x03, 0, 0, 0, 18), IN, 18);
    g_assert_cmphex(scsi_data(w, 0, 1), ==, 0xf0);
    g_assert_cmphex(scsi_data(w, 3, 4), ==, 0x987);
    /* ... in descriptor format, too. */
    scsi_command(w, 0, 0, SCSI_CDB(0x28, [4] = 0x09, 0x87, [8] = 1), IN, 512);
    scsi_good(w, 0, SCSI_CDB(0x03, 1, 0, 0, 252), IN, MOST);
    g_assert_cmphex(scsi_data(w, 0, 4), ==, 0x72052100);
    g_assert_cmphex(scsi_data(w, 8 + 8, 4), ==, 0x987);
    /* Which field. */
    scsi_command(w, 0, 0, SCSI_CDB(0x12, 1, 0x42, 0, 36), IN, 36);
    scsi_good(w, 0, SCSI_CDB(0x03, 0, 0, 0, 18), IN, 18);
    g_assert_cmphex(scsi_data(w, 15, 3), ==, 0xc00002);
}

static void test_unmap(QWorld *w)
{
    static const Row rows[] = {
        { { 0x42 } }, { { 0x42, [8] = 24 }, OUT, 24 },
        { { 0x42, [8] = 8 }, OUT, 8, BAD_PARAM },       /* shorter than told */
        { { 0x42, 1, [8] = 24 }, OUT, 24, BAD_FIELD },
        { { 0x42, [8] = 7 }, OUT, 7, BAD_LENGTH },
        { { 0x41, [5] = 8, [8] = 16 }, OUT, 512 },      /* WRITE SAME (10) */
        { { 0x41, 8, [5] = 8, [8] = 16 }, OUT, 512 },
        { { 0x41, 0x10, [8] = 16 }, OUT, 512, BAD_FIELD },
        { { 0x41, 4, [8] = 16 }, OUT, 512, BAD_FIELD },
        { { 0x41, 2, [8] = 16 }, OUT, 512, BAD_FIELD },
        { { 0x41, 0x20, [8] = 16 }, OUT, 512, BAD_FIELD },
        { { 0x41, [4] = 0x08, [8] = 1 }, OUT, 512, BAD_LBA },
        { { 0x93, [9] = 8, [13] = 4 }, OUT, 512 },      /* (16) */
        { { 0x93, 1, [9] = 8, [13] = 4 } },             /* NDOB */
        { { 0x93, 9, [9] = 8, [13] = 4 } },
        { { 0x93, [8] = 0x07, 0xff }, OUT, 512 },       /* to the end */
        { { 0x93, [8] = 0x09 }, OUT, 512, BAD_LBA },
    };

    start(w);
    scsi_put(w, 0, 22, 2);
    scsi_put(w, 2, 16, 2);
    scsi_put(w, 8, 100, 8);
    scsi_put(w, 16, 4, 4);
    RUN(w, 0, rows);
    scsi_put(w, 0, 22, 2);
    scsi_put(w, 2, 16, 2);
    scsi_put(w, 8, BLOCKS - 1, 8);
    scsi_put(w, 16, 2, 4);
    scsi_fails(w, 0, SCSI_CDB(0x42, [8] = 24), OUT, 24, BAD_LBA);
    qtest_memset(w->main, LSI_DATA, 0x5a, 512);
    scsi_good(w, 0, SCSI_CDB(0x41, [5] = 32, [8] = 8), OUT, 512);
    scsi_good(w, 0, SCSI_CDB(0x28, [5] = 39, [8] = 1), IN, 512);
    g_assert_cmphex(scsi_data(w, 504, 8), ==, 0x5a5a5a5a5a5a5a5a);
    scsi_good(w, 0, SCSI_CDB(0x93, 9, [9] = 32, [13] = 8), OUT, 0);
    scsi_good(w, 0, SCSI_CDB(0x28, [5] = 39, [8] = 1), IN, 512);
    g_assert_cmphex(scsi_data(w, 504, 8), ==, 0);
}

/* -- Mode pages ------------------------------------------------------------ */

static void check_pages(QWorld *w, unsigned id, const uint8_t *pages)
{
    for (unsigned i = 0; pages[i]; i++) {
        uint32_t len;

        scsi_good(w, id, SCSI_CDB(0x5a, 8, pages[i], [8] = 255), IN, MOST);
        len = scsi_moved(w);
        g_assert_cmpuint(scsi_data(w, 0, 2) + 2, ==, len);
        g_assert_cmphex(scsi_data(w, 8, 1), ==, pages[i]);
        g_assert_cmpuint(8 + 2 + scsi_data(w, 9, 1), ==, len);
        /* What is there can be written back. */
        scsi_put(w, 0, 0, 2);
        scsi_good(w, id, SCSI_CDB(0x55, 0x10, [8] = len), OUT, len);
        /* Most of what is not cannot. */
        scsi_put(w, 8 + 2 + 2, scsi_data(w, 8 + 2 + 2, 1) ^ 0xff, 1);
        scsi_fails(w, id, SCSI_CDB(0x55, 0x10, [8] = len), OUT, len,
                   BAD_PARAM);
        scsi_good(w, id, SCSI_CDB(0x5a, 8, pages[i] | 0x40, [8] = 255), IN,
                  MOST);                        /* changeable */
        scsi_good(w, id, SCSI_CDB(0x5a, 8, pages[i] | 0x80, [8] = 255), IN,
                  MOST);                        /* default */
    }
}

static void test_disk_modes(QWorld *w)
{
    start(w);
    check_pages(w, 0, (const uint8_t[]){ 0x01, 0x04, 0x08, 0x0a, 0x1c, 0 });
    scsi_good(w, 0, SCSI_CDB(0x1a, 0, 0x08, 0, 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 2, 2), ==, 0x1008);    /* DPOFUA, one block */
    g_assert_cmphex(scsi_data(w, 4, 8), ==, (uint64_t)BLOCKS << 32 | 512);
    g_assert_cmphex(scsi_data(w, 14, 1), ==, 0x04);     /* WCE */
    scsi_put(w, 0, 0, 1);
    scsi_put(w, 14, 0, 1);
    scsi_good(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 32), OUT, 32);
    scsi_good(w, 0, SCSI_CDB(0x1a, 8, 0x08, 0, 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 6, 1), ==, 0);
    scsi_good(w, 0, SCSI_CDB(0x2a, [8] = 1), OUT, 512); /* through */
    /* Wrong lists: a page that is not there, lengths, a block size. */
    scsi_put(w, 0, 0, 4);
    scsi_put(w, 4, 0x2a12, 2);
    scsi_fails(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 24), OUT, 24, BAD_PARAM);
    scsi_put(w, 4, 0x0811, 2);
    scsi_fails(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 24), OUT, 24, BAD_PARAM);
    scsi_put(w, 4, 0x0812, 2);
    scsi_fails(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 20), OUT, 20, BAD_LENGTH);
    scsi_put(w, 0, 8, 4);
    scsi_fails(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 8), OUT, 8, BAD_LENGTH);
    scsi_put(w, 4, 1024, 8);
    scsi_fails(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 12), OUT, 12, BAD_PARAM);
    scsi_put(w, 0, 7, 4);
    scsi_fails(w, 0, SCSI_CDB(0x15, 0x10, 0, 0, 12), OUT, 12, BAD_PARAM);
}

static void test_disc_modes(QWorld *w)
{
    start(w);
    check_pages(w, 1, (const uint8_t[]){ 0x01, 0x08, 0x0e, 0x2a, 0 });
}

/* -- The disc ------------------------------------------------------------- */

static void test_disc(QWorld *w)
{
    static const Row rows[] = {
        { { 0x43, 0, [8] = 255 }, IN, 20 }, { { 0x43, 2, [8] = 255 }, IN, 20 },
        { { 0x43, 0, 0, [6] = 0xaa, [8] = 255 }, IN, 12 },
        { { 0x43, 0, 0, [6] = 2, [8] = 255 }, IN, 0, BAD_FIELD },
        { { 0x43, 0, 1, [8] = 255 }, IN, 12 },          /* sessions */
        { { 0x43, 2, 2, [8] = 255 }, IN, 48 },          /* raw */
        { { 0x43, 0, [8] = 255, 0x40 }, IN, 12 },       /* as of old */
        { { 0x43, 0, 3, [8] = 255 }, IN, 0, BAD_FIELD },
        { { 0x46, [8] = 255 }, IN, 40 },
        { { 0x46, 2, 0, 3, [8] = 255 }, IN, 16 },
        { { 0x46, 3, [8] = 255 }, IN, 0, BAD_FIELD },
        { { 0x4a, 1, 0, 0, 0x10, [8] = 255 }, IN, 8 },
        { { 0x4a, 1, 0, 0, 0x02, [8] = 255 }, IN, 4 },
        { { 0x4a, 0, 0, 0, 0x10, [8] = 255 }, IN, 0, BAD_FIELD },
        { { 0x51, [8] = 255 }, IN, 34 },
        { { 0x51, 1, [8] = 255 }, IN, 0, BAD_FIELD },
        { { 0xbd, [9] = 255 }, IN, 8 }, { { 0xbb } },
        { { 0x28, [8] = 2 }, IN, 4096 },
        { { 0xa8, [9] = 1 }, IN, 2048 }, { { 0x08, [4] = 1 }, IN, 2048 },
        { { 0x28, [4] = 0x02, [8] = 1 }, IN, 0, BAD_LBA },
        { { 0x2a, [8] = 1 }, OUT, 2048, BAD_OPCODE },
        { { 0x0a, [4] = 1 }, OUT, 2048, BAD_OPCODE },
        { { 0x42, [8] = 24 }, OUT, 24, BAD_OPCODE },
        { { 0x41, [8] = 1 }, OUT, 2048, BAD_OPCODE },
        { { 0x88, [13] = 1 }, IN, 0, BAD_OPCODE },
        { { 0x1e, 0, 0, 0, 1 } },                       /* locked */
        { { 0x1b, 0, 0, 0, 2 }, IN, 0, 5, 0x53, 2 },
        { { 0x1e } }, { { 0x1b, 0, 0, 0, 2 } },         /* ejected */
        { { 0x00 }, IN, 0, 2, 0x3a, 2 },
        { { 0x28, [8] = 1 }, IN, 0, 2, 0x3a, 2 },
        { { 0x43, [8] = 12 }, IN, 0, 2, 0x3a, 2 },
        { { 0x46, [8] = 8 }, IN, 8 }, { { 0xbd, [9] = 8 }, IN, 8 },
        { { 0x1b, 0, 0, 0, 3 } },                       /* and back */
        { { 0x00 }, IN, 0, 6, 0x28, 0 }, { { 0x00 } },
        { { 0x4a, 1, 0, 0, 0x10, [8] = 8 }, IN, 8 },
    };

    start(w);
    RUN(w, 1, rows);
    scsi_good(w, 1, SCSI_CDB(0x25), IN, 8);
    g_assert_cmphex(scsi_data(w, 0, 8), ==, 511ull << 32 | 2048);
    scsi_good(w, 1, SCSI_CDB(0x12, 0, 0, 0, 96), IN, MOST);
    g_assert_cmphex(scsi_data(w, 0, 2), ==, 0x0580);
    scsi_good(w, 1, SCSI_CDB(0x43, 2, [8] = 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 0, 4), ==, 0x00120101);
    g_assert_cmphex(scsi_data(w, 8, 4), ==, 0x00000200);        /* 0:2:0 */
}

/* -- Units and media that are not there ------------------------------------ */

static void test_absent(QWorld *w)
{
    static const Row empty[] = {
        { { 0x12, 0, 0, 0, 96 }, IN, 96 }, { { 0x00 }, IN, 0, 2, 0x3a, 0 },
        { { 0x28, [8] = 1 }, IN, 0, 2, 0x3a, 0 }, { { 0x46, [8] = 8 }, IN, 8 },
        { { 0x1b, 0, 0, 0, 2 } }, { { 0x1b, 0, 0, 0, 3 } },
        { { 0x00 }, IN, 0, 2, 0x3a, 0 },
        { { 0x4a, 1, 0, 0, 0x10, [8] = 8 }, IN, 8 },
    };

    start(w);
    scsi_command(w, 2, 0, SCSI_CDB(0), IN, 0);
    RUN(w, 2, empty);
    /* Logical unit 3 of the disk: there is none. */
    g_assert_cmphex(scsi_command(w, 0, 3, SCSI_CDB(0), IN, 0), ==, 2);
    g_assert_cmphex(scsi_command(w, 0, 3, SCSI_CDB(0x03, 0, 0, 0, 18), IN, 18),
                    ==, 0);
    g_assert_cmphex(scsi_data(w, 12, 1), ==, 0x25);
    g_assert_cmphex(scsi_command(w, 0, 3, SCSI_CDB(0x12, 0, 0, 0, 36), IN, 36),
                    ==, 0);
    g_assert_cmphex(scsi_data(w, 0, 1), ==, 0x7f);
    g_assert_cmphex(scsi_command(w, 0, 3, SCSI_CDB(0x12, 1, 0, 0, 36), IN, 36),
                    ==, 2);
    g_assert_cmphex(scsi_command(w, 0, 3, SCSI_CDB(0xa0, [9] = 16), IN, 16),
                    ==, 0);
    /* Unit 1 is another disk, read only. */
    g_assert_cmphex(scsi_command(w, 0, 1, SCSI_CDB(0), IN, 0), ==, 2);
    g_assert_cmphex(scsi_command(w, 0, 1, SCSI_CDB(0x2a, [8] = 1), OUT, 512),
                    ==, 2);
    g_assert_cmphex(scsi_command(w, 0, 1, SCSI_CDB(0x03, 0, 0, 0, 18), IN, 18),
                    ==, 0);
    g_assert_cmphex(scsi_data(w, 12, 1), ==, 0x27);
    g_assert_cmphex(scsi_command(w, 0, 1, SCSI_CDB(0x1a, 0, 0x3f, 0, 4), IN, 4),
                    ==, 0);
    g_assert_cmphex(scsi_data(w, 2, 1) & 0x80, ==, 0x80);
    scsi_good(w, 0, SCSI_CDB(0xa0, [9] = 255), IN, MOST);
    g_assert_cmphex(scsi_data(w, 0, 4), ==, 16);
}

#define DISK "-device scsi-hd,bus=d1.0,scsi-id=0,lun=0,drive=disk,serial=S1," \
    "wwn=0x5000c50015ea71ac,rotation_rate=7200,vendor=ACME,product=DISK," \
    "ver=1.0,physical_block_size=4096 "
#define BOTH DISK "-device scsi-cd,bus=d1.0,scsi-id=1,drive=cd"

static const LSITest tests[] = {
    { "scsi/disk/common", test_disk_common, .children = BOTH },
    { "scsi/disc/common", test_disc_common, .children = BOTH },
    { "scsi/disk/vital-product-data", test_vpd, .children = BOTH },
    { "scsi/disk/written-is-read", test_write_read, .children = BOTH },
    { "scsi/disk/ranges-and-fields", test_ranges, .children = BOTH },
    { "scsi/disk/unmap-and-write-same", test_unmap, .children = BOTH },
    { "scsi/disk/mode-pages", test_disk_modes, .children = BOTH },
    { "scsi/disc/mode-pages", test_disc_modes, .children = BOTH },
    { "scsi/disc/commands", test_disc, .children = BOTH },
    { "scsi/absent-units-and-media", test_absent, .children = BOTH
      " -device scsi-cd,bus=d1.0,scsi-id=2 "
      "-drive if=none,id=ro,driver=null-co,size=1M,read-only=on "
      "-device scsi-hd,bus=d1.0,scsi-id=0,lun=1,drive=ro" },
};

int main(int argc, char **argv)
{
    return lsi_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
