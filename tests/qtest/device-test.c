/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device models by their registers, local and behind a proxy: edu, nvme. */
#include <stdio.h>
#include <string.h>

#include "libqtest.h"

#define BAR 0xfe000000
#define DISK_SIZE (1 << 20)

static void start(QWorld *w)
{
    qpci_set_bar(&w->dev, 0, BAR);
    qpci_enable(&w->dev);
}

/* -- edu ---------------------------------------------------------------------- */

static void test_edu_factorials(QWorld *w)
{
    uint32_t want = 1;

    start(w);
    for (uint32_t n = 1; n < 40; n++) {
        want *= n;
        qtest_write(w->main, BAR + 8, n, 4);
        qtest_until(w->main, !(qtest_read(w->main, BAR + 0x20, 4) & 1));
        g_assert_cmphex(qtest_read(w->main, BAR + 8, 4), ==, want);
    }
}

static void test_edu_interrupt_status(QWorld *w)
{
    start(w);
    for (int bit = 0; bit < 32; bit++) {
        qtest_write(w->main, BAR + 0x60, 1u << bit, 4);
        g_assert_cmphex(qtest_read(w->main, BAR + 0x24, 4), ==, 1u << bit);
        qtest_write(w->main, BAR + 0x64, 1u << bit, 4);
        g_assert_cmphex(qtest_read(w->main, BAR + 0x24, 4), ==, 0);
    }
}

static void test_edu_no_registers(QWorld *w)
{
    start(w);
    for (unsigned at = 0x100; at < 0x100000; at += 0xff0) {
        g_assert_cmphex(qtest_read(w->main, BAR + (at & ~3), 4), ==,
                        0xffffffff);
    }
}

/* -- nvme: a driver of one admin and one I/O queue, by polling -------------------- */

enum { CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30 };
enum { SQ0 = 0x100000, CQ0 = 0x101000, SQ1 = 0x102000, CQ1 = 0x103000,
       DATA = 0x110000 };
#define ENTRIES 16

typedef struct Queue {
    int nr;
    uint64_t sq, cq;
    unsigned tail, head, phase;
} Queue;

/* Its completion's status, without the phase. */
static unsigned command(QWorld *w, Queue *q, uint8_t opcode, uint32_t nsid,
                        uint64_t prp, uint32_t dw10, uint32_t dw11,
                        uint32_t dw12)
{
    uint32_t sqe[16] = { opcode | (q->tail + 1) << 16, nsid };
    uint16_t status;

    memcpy(&sqe[6], &prp, 8);
    sqe[10] = dw10;
    sqe[11] = dw11;
    sqe[12] = dw12;
    qtest_memwrite(w->main, q->sq + 64 * q->tail, sqe, sizeof(sqe));
    q->tail = (q->tail + 1) % ENTRIES;
    qtest_write(w->main, BAR + 0x1000 + 8 * q->nr, q->tail, 4);
    qtest_until(w->main, ((status = qtest_read(w->main, q->cq + 16 * q->head +
                                               14, 2)) & 1) == q->phase);
    q->head = (q->head + 1) % ENTRIES;
    q->phase ^= q->head == 0;
    qtest_write(w->main, BAR + 0x1004 + 8 * q->nr, q->head, 4);
    return status >> 1;
}

static Queue nvme_start(QWorld *w)
{
    start(w);
    qtest_memset(w->main, SQ0, 0, 0x4000);
    qtest_write(w->main, BAR + AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1), 4);
    qtest_write(w->main, BAR + ASQ, SQ0, 8);
    qtest_write(w->main, BAR + ACQ, CQ0, 8);
    qtest_write(w->main, BAR + CC, 0x460001, 4);
    qtest_until(w->main, qtest_read(w->main, BAR + CSTS, 4) & 1);
    return (Queue){ 0, SQ0, CQ0, .phase = 1 };
}

static Queue nvme_io_queue(QWorld *w, Queue *admin)
{
    g_assert_cmphex(command(w, admin, 5, 0, CQ1, (ENTRIES - 1) << 16 | 1, 1,
                            0), ==, 0);
    g_assert_cmphex(command(w, admin, 1, 0, SQ1, (ENTRIES - 1) << 16 | 1,
                            1 << 16 | 1, 0), ==, 0);
    return (Queue){ 1, SQ1, CQ1, .phase = 1 };
}

static void test_nvme_identify(QWorld *w)
{
    Queue admin = nvme_start(w);
    char serial[21] = "";
    uint64_t blocks;

    g_assert_cmphex(command(w, &admin, 6, 0, DATA, 1, 0, 0), ==, 0);
    qtest_memread(w->main, DATA + 4, serial, 20);
    g_assert_cmpstr(g_strchomp(serial), ==, "qtest");
    g_assert_cmphex(command(w, &admin, 6, 1, DATA, 0, 0, 0), ==, 0);
    blocks = qtest_read(w->main, DATA, 8);
    g_assert_cmpuint(blocks, ==, DISK_SIZE / 512);
}

static void test_nvme_write_read(QWorld *w)
{
    Queue admin = nvme_start(w), io = nvme_io_queue(w, &admin);
    uint8_t data[4096], got[4096];

    for (int round = 0; round < 40; round++) {
        for (unsigned i = 0; i < sizeof(data); i++) {
            data[i] = i * 13 + round;
        }
        qtest_memwrite(w->main, DATA, data, sizeof(data));
        g_assert_cmphex(command(w, &io, 1, 1, DATA, round * 8, 0, 7), ==, 0);
        g_assert_cmphex(command(w, &io, 2, 1, DATA + 0x1000, round * 8, 0, 7),
                        ==, 0);
        qtest_memread(w->main, DATA + 0x1000, got, sizeof(got));
        g_assert_cmpint(memcmp(data, got, sizeof(data)), ==, 0);
    }
    g_assert_cmphex(command(w, &io, 0, 1, 0, 0, 0, 0), ==, 0);      /* flush */
}

static void test_nvme_refuses(QWorld *w)
{
    Queue admin = nvme_start(w), io = nvme_io_queue(w, &admin);

    g_assert_cmphex(command(w, &admin, 0x7f, 0, 0, 0, 0, 0) & 0x7ff, ==, 1);
    g_assert_cmphex(command(w, &io, 0x7f, 1, 0, 0, 0, 0) & 0x7ff, ==, 1);
    g_assert_cmphex(command(w, &io, 2, 1, DATA, DISK_SIZE / 512, 0, 0) & 0x7ff,
                    ==, 0x80);                  /* LBA out of range */
    g_assert_cmphex(command(w, &io, 2, 99, DATA, 0, 0, 0) & 0x7ff, ==, 0x0b);
    g_assert_cmphex(command(w, &io, 2, 1, DATA, 0, 0, 0), ==, 0);
}

static void test_nvme_reset(QWorld *w)
{
    for (int i = 0; i < 3; i++) {
        Queue admin = nvme_start(w);

        g_assert_cmphex(command(w, &admin, 6, 0, DATA, 1, 0, 0), ==, 0);
        qtest_write(w->main, BAR + CC, 0x460000, 4);
        qtest_until(w->main, !(qtest_read(w->main, BAR + CSTS, 4) & 1));
    }
}

static const struct {
    const char *suite, *name, *device;
    void (*fn)(QWorld *w);
} tests[] = {
    { "edu", "factorials", "edu", test_edu_factorials },
    { "edu", "interrupt-status", "edu", test_edu_interrupt_status },
    { "edu", "nothing-between-registers", "edu", test_edu_no_registers },
    { "nvme", "identify", "nvme,serial=qtest,drive=disk", test_nvme_identify },
    { "nvme", "write-read", "nvme,serial=qtest,drive=disk",
      test_nvme_write_read },
    { "nvme", "refuses", "nvme,serial=qtest,drive=disk", test_nvme_refuses },
    { "nvme", "reset", "nvme,serial=qtest,drive=disk", test_nvme_reset },
};

int main(int argc, char **argv)
{
    g_autofree char *disk = NULL, *backend = NULL, *path = NULL;
    g_autofree char *zeroes = g_malloc0(DISK_SIZE);
    int status;

    g_test_init(&argc, &argv, NULL);
    path = g_strdup_printf("%s/qtest-disk-%s", g_get_tmp_dir(),
                           disk = g_uuid_string_random());
    g_assert_true(g_file_set_contents(path, zeroes, DISK_SIZE, NULL));
    /* io_uring gives locks back some time after a process has ended. */
    backend = g_strdup_printf("-drive if=none,id=disk,format=raw,"
                              "file.locking=off,file=%s",
                              path);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        QWorldConfig config = {
            .machine = "q35", .device = tests[i].device,
            .backend = g_str_equal(tests[i].suite, "nvme") ? backend : NULL,
        };

        qworld_add_tests(tests[i].suite, tests[i].name, &config, tests[i].fn);
    }
    status = g_test_run();
    remove(path);
    return status;
}
