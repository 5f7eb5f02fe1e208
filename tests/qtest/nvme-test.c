/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVMe controller by its registers and queues, local and behind a proxy:
 * every register, every command, and what is answered to wrong fields (NVM
 * Express 1.4).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "libqtest.h"

#define BAR 0xfe000000
#define DISK_SIZE (1 << 20)

/* -- A driver of one admin and one I/O queue, by polling ------------------- */

enum { CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30 };
enum { SQ0 = 0x100000, CQ0 = 0x101000, SQ1 = 0x102000, CQ1 = 0x103000,
       DATA = 0x110000 };
#define ENTRIES 16

typedef struct Queue {
    int nr;
    uint64_t sq, cq;
    unsigned tail, head, phase;
} Queue;

/* The result of the last command: dword 0 of its completion. */
static uint32_t result;

static void submit(QWorld *w, Queue *q, const uint32_t *sqe)
{
    qtest_memwrite(w->main, q->sq + 64 * q->tail, sqe, 64);
    q->tail = (q->tail + 1) % ENTRIES;
    qtest_write(w->main, BAR + 0x1000 + 8 * q->nr, q->tail, 4);
}

/* The next completion's status, without the phase. */
static unsigned complete(QWorld *w, Queue *q)
{
    uint16_t status;

    qtest_until(w->main, ((status = qtest_read(w->main, q->cq + 16 * q->head +
                                               14, 2)) & 1) == q->phase);
    result = qtest_read(w->main, q->cq + 16 * q->head, 4);
    q->head = (q->head + 1) % ENTRIES;
    q->phase ^= q->head == 0;
    qtest_write(w->main, BAR + 0x1004 + 8 * q->nr, q->head, 4);
    return status >> 1;
}

/* Its completion's status, without the phase. */
static unsigned command(QWorld *w, Queue *q, uint32_t opcode, uint32_t nsid,
                        uint64_t prp, uint32_t dw10, uint32_t dw11,
                        uint32_t dw12)
{
    uint32_t sqe[16] = { opcode | (q->tail + 1) << 16, nsid };

    memcpy(&sqe[6], &prp, 8);
    sqe[10] = dw10;
    sqe[11] = dw11;
    sqe[12] = dw12;
    submit(w, q, sqe);
    return complete(w, q);
}

static Queue nvme_start(QWorld *w)
{
    qpci_set_bar(&w->dev, 0, BAR);
    qpci_enable(&w->dev);
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

/* The process may not write files any more: guest and operator are told. */
static void test_error(QWorld *w)
{
    Queue admin = nvme_start(w), io = nvme_io_queue(w, &admin);
    QTestState *owner = w->remote ? w->remote : w->main;
    struct rlimit old, none = { 0 };

    g_assert_cmpint(prlimit(qtest_pid(owner), RLIMIT_FSIZE, NULL, &old), ==, 0);
    none.rlim_max = old.rlim_max;
    g_assert_cmpint(prlimit(qtest_pid(owner), RLIMIT_FSIZE, &none, NULL), ==,
                    0);
    g_assert_cmphex(command(w, &io, 1, 1, DATA, 0, 0, 7), ==, 0x2280);
    if (!w->remote) {                   /* that one has no monitor */
        g_assert_cmpint(qtest_qmp_events(owner, "BLOCK_IO_ERROR", true), ==,
                        1);
    }
    g_assert_cmpint(prlimit(qtest_pid(owner), RLIMIT_FSIZE, &old, NULL), ==, 0);
    g_assert_cmphex(command(w, &io, 1, 1, DATA, 0, 0, 7), ==, 0);
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

/* -- Registers ------------------------------------------------------------ */

static void test_registers(QWorld *w)
{
    uint64_t cap;

    qpci_set_bar(&w->dev, 0, BAR);
    qpci_enable(&w->dev);
    cap = qtest_read(w->main, BAR, 8);
    g_assert_cmphex(cap & 0xffff, ==, 2047);            /* MQES */
    g_assert_cmphex(cap >> 16 & 1, ==, 1);              /* CQR */
    g_assert_cmphex(cap >> 37 & 1, ==, 1);              /* the NVM set */
    g_assert_cmphex(cap >> 48 & 0xf, ==, 0);            /* from 4 KiB on */
    g_assert_cmphex(qtest_read(w->main, BAR, 4), ==, (uint32_t)cap);
    g_assert_cmphex(qtest_read(w->main, BAR + 4, 4), ==, cap >> 32);
    g_assert_cmphex(qtest_read(w->main, BAR + 8, 4), ==, 0x00010400);
    /* Read only. */
    for (unsigned at = 0; at < 12; at += 4) {
        uint32_t was = qtest_read(w->main, BAR + at, 4);

        qtest_write(w->main, BAR + at, ~was, 4);
        g_assert_cmphex(qtest_read(w->main, BAR + at, 4), ==, was);
    }
    qtest_write(w->main, BAR + CSTS, 0xffffffff, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + CSTS, 4), ==, 0);
    /* Kept where they have bits. */
    qtest_write(w->main, BAR + AQA, 0xffffffff, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + AQA, 4), ==, 0x0fff0fff);
    qtest_write(w->main, BAR + ASQ, 0x123456789abcdef0, 8);
    g_assert_cmphex(qtest_read(w->main, BAR + ASQ, 8), ==, 0x123456789abcd000);
    qtest_write(w->main, BAR + ACQ, 0xffffffff, 4);
    qtest_write(w->main, BAR + ACQ + 4, 0x55, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + ACQ, 8), ==, 0x55fffff000);
    /* One set of interrupt masks, two ways to it. */
    qtest_write(w->main, BAR + 0x0c, 0x00ff00ff, 4);
    qtest_write(w->main, BAR + 0x10, 0x000000f0, 4);
    g_assert_cmphex(qtest_read(w->main, BAR + 0x0c, 4), ==, 0x00ff000f);
    g_assert_cmphex(qtest_read(w->main, BAR + 0x10, 4), ==, 0x00ff000f);
    /* Nothing there; accesses of other sizes change nothing. */
    for (unsigned at = 0x38; at < 0x1000; at += 0x3c8) {
        qtest_write(w->main, BAR + at, 0xffffffff, 4);
        g_assert_cmphex(qtest_read(w->main, BAR + at, 4), ==, 0);
    }
    qtest_write(w->main, BAR + AQA, 0, 1);
    qtest_write(w->main, BAR + AQA, 0, 2);
    g_assert_cmphex(qtest_read(w->main, BAR + AQA, 4), ==, 0x0fff0fff);
    g_assert_cmphex(qtest_read(w->main, BAR + 8, 2), ==, 0x0400);
    g_assert_cmphex(qtest_read(w->main, BAR + 10, 1), ==, 0x01);
    /* Doorbells are not to be read. */
    g_assert_cmphex(qtest_read(w->main, BAR + 0x1000, 4), ==, 0);
}

/* Enabling with wrong parameters is a fatal status, until a reset. */
static void test_wrong_enable(QWorld *w)
{
    static const struct { uint32_t aqa, cc; uint64_t asq; } wrong[] = {
        { 0x000f000f, 0x00460011, SQ0 },        /* command set 1 */
        { 0x000f000f, 0x00460801, SQ0 },        /* arbitration 1 */
        { 0x000f000f, 0x00460781, SQ0 },        /* pages of 128 MiB */
        { 0x000f0000, 0x00460001, SQ0 },        /* a queue of one */
        { 0x0000000f, 0x00460001, SQ0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        qpci_set_bar(&w->dev, 0, BAR);
        qpci_enable(&w->dev);
        qtest_write(w->main, BAR + AQA, wrong[i].aqa, 4);
        qtest_write(w->main, BAR + ASQ, wrong[i].asq, 8);
        qtest_write(w->main, BAR + ACQ, CQ0, 8);
        qtest_write(w->main, BAR + CC, wrong[i].cc, 4);
        qtest_until(w->main, qtest_read(w->main, BAR + CSTS, 4) & 2);
        g_assert_cmphex(qtest_read(w->main, BAR + CSTS, 4) & 1, ==, 0);
        qtest_write(w->main, BAR + CC, 0, 4);
        qtest_until(w->main, !(qtest_read(w->main, BAR + CSTS, 4) & 3));
    }
    nvme_start(w);
}

static void test_shutdown(QWorld *w)
{
    for (unsigned how = 1; how <= 2; how++) {
        Queue admin = nvme_start(w), io = nvme_io_queue(w, &admin);

        g_assert_cmphex(command(w, &io, 1, 1, DATA, 0, 0, 7), ==, 0);
        qtest_write(w->main, BAR + CC, 0x460001 | how << 14, 4);
        qtest_until(w->main, (qtest_read(w->main, BAR + CSTS, 4) & 0xc) == 8);
        qtest_write(w->main, BAR + CC, 0, 4);
        qtest_until(w->main, !(qtest_read(w->main, BAR + CSTS, 4) & 0xd));
    }
}

static void test_wrong_doorbells(QWorld *w)
{
    static const struct { unsigned at; uint32_t val, size; } wrong[] = {
        { 0x1000, ENTRIES, 4 }, { 0x1000, 0xffffffff, 4 },
        { 0x1004, ENTRIES, 4 }, { 0x1010, 1, 4 }, { 0x1014, 1, 4 },
        { 0x1001, 1, 1 }, { 0x1002, 1, 2 }, { 0x13f8, 1, 4 },
    };
    Queue admin = nvme_start(w);

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        qtest_write(w->main, BAR + wrong[i].at, wrong[i].val, wrong[i].size);
        g_assert_cmphex(command(w, &admin, 6, 0, DATA, 1, 0, 0), ==, 0);
        g_assert_cmphex(qtest_read(w->main, BAR + CSTS, 4), ==, 1);
    }
}

/* -- Commands ------------------------------------------------------------- */

enum { A, IO };                 /* which queue */
#define LAST (DISK_SIZE / 512 - 1)

/* In the order in which they are given; all but the last four words of a
 * command, and its status. */
typedef struct Row {
    int queue;
    uint32_t opcode, nsid;
    uint64_t prp;
    uint32_t dw10, dw11, dw12;
    unsigned status;
} Row;

static const Row admin_rows[] = {
    /* Identify */
    { A, 0x06, 1, DATA, 0, 0, 0, 0 }, { A, 0x06, 0, DATA, 1, 0, 0, 0 },
    { A, 0x06, 0, DATA, 2, 0, 0, 0 }, { A, 0x06, 1, DATA, 3, 0, 0, 0 },
    { A, 0x06, 2, DATA, 0, 0, 0, 0x0b }, { A, 0x06, 0, DATA, 0, 0, 0, 0x0b },
    { A, 0x06, 0xfffffffe, DATA, 2, 0, 0, 0x0b },
    { A, 0x06, 2, DATA, 3, 0, 0, 0x0b }, { A, 0x06, 1, DATA, 9, 0, 0, 0x02 },
    { A, 0x06, 1, DATA, 0xff, 0, 0, 0x02 },
    { A, 0x06, 1, DATA + 2, 0, 0, 0, 0x13 },
    /* Create and delete I/O queues */
    { A, 0x05, 0, CQ1, 0x000f0001, 0x00000000, 0, 0x02 },       /* PC */
    { A, 0x05, 0, CQ1, 0x000f0000, 1, 0, 0x101 },               /* 0 */
    { A, 0x05, 0, CQ1, 0x000fffff, 1, 0, 0x101 },
    { A, 0x05, 0, CQ1, 0x00000001, 1, 0, 0x102 },
    { A, 0x05, 0, CQ1, 0xffff0001, 1, 0, 0x102 },
    { A, 0x05, 0, CQ1 + 64, 0x000f0001, 1, 0, 0x13 },
    { A, 0x05, 0, CQ1, 0x000f0001, 0xffff0001, 0, 0x108 },      /* vector */
    { A, 0x01, 0, SQ1, 0x000f0001, 0x00010001, 0, 0x100 },      /* no CQ */
    { A, 0x05, 0, CQ1, 0x000f0001, 1, 0, 0 },
    { A, 0x05, 0, CQ1, 0x000f0001, 1, 0, 0x101 },               /* again */
    { A, 0x01, 0, SQ1, 0x000f0001, 0x00000001, 0, 0x101 },      /* CQ 0 */
    { A, 0x01, 0, SQ1, 0x000f0001, 0x00010000, 0, 0x02 },
    { A, 0x01, 0, SQ1, 0x00000001, 0x00010001, 0, 0x102 },
    { A, 0x01, 0, SQ1 + 64, 0x000f0001, 0x00010001, 0, 0x13 },
    { A, 0x01, 0, SQ1, 0x000f0000, 0x00010001, 0, 0x101 },
    { A, 0x01, 0, SQ1, 0x000f0001, 0x00010001, 0, 0 },
    { A, 0x01, 0, SQ1, 0x000f0001, 0x00010001, 0, 0x101 },
    { A, 0x09, 0, 0, 7, 0, 0, 0x0c },           /* queues are in use */
    { A, 0x04, 0, 0, 1, 0, 0, 0x10c }, { A, 0x04, 0, 0, 2, 0, 0, 0x101 },
    { A, 0x04, 0, 0, 0, 0, 0, 0x101 }, { A, 0x00, 0, 0, 0, 0, 0, 0x101 },
    { A, 0x00, 0, 0, 2, 0, 0, 0x101 }, { A, 0x00, 0, 0, 1, 0, 0, 0 },
    { A, 0x00, 0, 0, 1, 0, 0, 0x101 }, { A, 0x04, 0, 0, 1, 0, 0, 0 },
    { A, 0x04, 0, 0, 1, 0, 0, 0x101 },
    /* Get Log Page */
    { A, 0x02, 0, DATA, 0x000f0001, 0, 0, 0 },          /* errors */
    { A, 0x02, 0xffffffff, DATA, 0x007f0002, 0, 0, 0 }, /* health */
    { A, 0x02, 1, DATA, 0x007f0002, 0, 0, 0 },
    { A, 0x02, 2, DATA, 0x007f0002, 0, 0, 0x0b },
    { A, 0x02, 0, DATA, 0x007f0003, 0, 0, 0 },          /* firmware */
    { A, 0x02, 0, DATA, 0x03ff0004, 0, 0, 0 },          /* namespaces */
    { A, 0x02, 0, DATA, 0x03ff0005, 0, 0, 0 },          /* effects */
    { A, 0x02, 0, DATA, 0x000f0000, 0, 0, 0x109 },
    { A, 0x02, 0, DATA, 0x000f0006, 0, 0, 0x109 },
    { A, 0x02, 0, DATA, 0x000f00ff, 0, 0, 0x109 },
    { A, 0x02, 0, DATA, 0x000f0001, 0, 2, 0x02 },       /* offsets */
    { A, 0x02, 0, DATA, 0x000f0003, 0, 0x10000, 0x02 },
    { A, 0x02, 0, DATA, 0xffff0001, 0xffff, 0, 0x02 },  /* longer than MDTS */
    { A, 0x02, 0, DATA + 1, 0x000f0001, 0, 0, 0x13 },
    /* Get Features: current, default, saved, capabilities */
    { A, 0x0a, 0, 0, 0x001, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x101, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x201, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x301, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x401, 0, 0, 0x02 }, { A, 0x0a, 0, 0, 0x000, 0, 0, 0x02 },
    { A, 0x0a, 0, 0, 0x002, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x003, 0, 0, 0x02 },
    { A, 0x0a, 0, 0, 0x004, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x104, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x004, 0x100000, 0, 0 },           /* the lower one */
    { A, 0x0a, 0, 0, 0x104, 0x100000, 0, 0 },
    { A, 0x0a, 0, 0, 0x004, 0x010000, 0, 0x02 },        /* sensor 1 */
    { A, 0x0a, 0, 0, 0x004, 0x200000, 0, 0x02 },
    { A, 0x0a, 1, 0, 0x005, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x005, 0, 0, 0x0b },
    { A, 0x0a, 0, 0, 0x006, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x007, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x008, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x009, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x109, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x009, 0xffff, 0, 0x02 },
    { A, 0x0a, 0, 0, 0x00a, 0, 0, 0 }, { A, 0x0a, 0, 0, 0x00b, 0, 0, 0 },
    { A, 0x0a, 0, DATA, 0x00e, 0, 0, 0 }, { A, 0x0a, 0, DATA, 0x10e, 0, 0, 0 },
    { A, 0x0a, 0, 0, 0x0ff, 0, 0, 0x02 },
    /* Set Features */
    { A, 0x09, 0, 0, 0x01, 0x03, 0, 0 }, { A, 0x09, 0, 0, 0x02, 0, 0, 0 },
    { A, 0x09, 0, 0, 0x02, 1, 0, 0x02 },                /* power state 1 */
    { A, 0x09, 0, 0, 0x04, 400, 0, 0 },
    { A, 0x09, 0, 0, 0x04, 0x100000 | 200, 0, 0 },
    { A, 0x09, 0, 0, 0x04, 0x0f0000 | 400, 0, 0 },      /* all sensors */
    { A, 0x09, 0, 0, 0x04, 0x200000, 0, 0x02 },
    { A, 0x09, 0, 0, 0x04, 0x050000, 0, 0x02 },
    { A, 0x09, 1, 0, 0x05, 5, 0, 0 }, { A, 0x09, 0, 0, 0x05, 5, 0, 0x0b },
    { A, 0x09, 1, 0, 0x05, 0x10000, 0, 0x02 },          /* DULBE */
    { A, 0x09, 1, 0, 0x06, 0, 0, 0x10f }, { A, 0x09, 0, 0, 0x06, 0, 0, 0 },
    { A, 0x09, 0, 0, 0x06, 1, 0, 0 },
    { A, 0x09, 0, 0, 0x07, 0x00030003, 0, 0 },
    { A, 0x09, 0, 0, 0x07, 0xffff0003, 0, 0x02 },
    { A, 0x09, 0, 0, 0x07, 0x0003ffff, 0, 0x02 },
    { A, 0x09, 0, 0, 0x08, 0x1234, 0, 0 },
    { A, 0x09, 0, 0, 0x09, 0x10000, 0, 0 }, { A, 0x09, 0, 0, 0x09, 0, 0, 0 },
    { A, 0x09, 0, 0, 0x09, 0xffff, 0, 0x02 },
    { A, 0x09, 0, 0, 0x0a, 1, 0, 0 }, { A, 0x09, 0, 0, 0x0b, 0x1ff, 0, 0 },
    { A, 0x09, 0, DATA, 0x0e, 0, 0, 0 },
    { A, 0x09, 0, 0, 0x80000001, 3, 0, 0x10d },         /* to be saved */
    { A, 0x09, 2, 0, 0x01, 0, 0, 0x0b }, { A, 0x09, 0, 0, 0x03, 0, 0, 0x02 },
    { A, 0x09, 0, 0, 0xc0, 0, 0, 0x02 },
    /* Abort */
    { A, 0x08, 0, 0, 0x12340000, 0, 0, 0 },             /* no such command */
    { A, 0x08, 0, 0, 0x00000001, 0, 0, 0x02 },          /* no such queue */
    { A, 0x08, 0, 0, 0x0000ffff, 0, 0, 0x02 },
    /* Format NVM */
    { A, 0x80, 1, 0, 2, 0, 0, 0x10a }, { A, 0x80, 1, 0, 0x20, 0, 0, 0x10a },
    { A, 0x80, 1, 0, 0x400, 0, 0, 0x02 }, { A, 0x80, 2, 0, 0, 0, 0, 0x0b },
    { A, 0x80, 0, 0, 0, 0, 0, 0x0b },
    { A, 0x80, 1, 0, 1, 0, 0, 0 }, { A, 0x80, 0xffffffff, 0, 0, 0, 0, 0 },
    /* Flags of a command: fused, SGLs */
    { A, 0x106, 0, DATA, 1, 0, 0, 0x02 }, { A, 0x4006, 0, DATA, 1, 0, 0, 0x02 },
    { A, 0x8006, 0, DATA, 1, 0, 0, 0x02 },
};

static const Row io_rows[] = {
    { IO, 0x00, 1, 0, 0, 0, 0, 0 },                     /* Flush */
    { IO, 0x00, 0xffffffff, 0, 0, 0, 0, 0 },
    { IO, 0x00, 0, 0, 0, 0, 0, 0x0b }, { IO, 0x00, 2, 0, 0, 0, 0, 0x0b },
    { IO, 0x01, 1, DATA, 0, 0, 7, 0 },                  /* Write */
    { IO, 0x01, 1, DATA, 0, 0, 0x40000007, 0 },         /* FUA */
    { IO, 0x01, 1, DATA, LAST, 0, 0, 0 },
    { IO, 0x01, 1, DATA, LAST, 0, 1, 0x80 },
    { IO, 0x01, 1, DATA, LAST + 1, 0, 0, 0x80 },
    { IO, 0x01, 1, DATA, 0xffffffff, 0xffffffff, 0, 0x80 },
    { IO, 0x01, 0xffffffff, DATA, 0, 0, 0, 0x02 },
    { IO, 0x01, 2, DATA, 0, 0, 0, 0x0b },
    { IO, 0x01, 1, DATA + 1, 0, 0, 0, 0x13 },
    { IO, 0x01, 1, DATA, 0, 0, 0xffff, 0x02 },          /* beyond MDTS */
    { IO, 0x02, 1, DATA, 0, 0, 7, 0 },                  /* Read */
    { IO, 0x02, 1, DATA, LAST, 0, 0, 0 },
    { IO, 0x02, 1, DATA, LAST, 0, 1, 0x80 },
    { IO, 0x02, 2, DATA, 0, 0, 0, 0x0b },
    { IO, 0x02, 1, DATA + 3, 0, 0, 0, 0x13 },
    { IO, 0x05, 1, DATA, 0, 0, 7, 0 },                  /* Compare */
    { IO, 0x05, 1, DATA + 0x3000, 0, 0, 0, 0x285 },
    { IO, 0x05, 1, DATA, LAST, 0, 1, 0x80 },
    { IO, 0x08, 1, 0, 0, 0, 7, 0 },                     /* Write Zeroes */
    { IO, 0x08, 1, 0, 8, 0, 0x02000007, 0 },            /* DEAC */
    { IO, 0x08, 1, 0, LAST, 0, 7, 0x80 },
    { IO, 0x0c, 1, 0, 0, 0, 0x7ff, 0 },                 /* Verify */
    { IO, 0x0c, 1, 0, LAST, 0, 1, 0x80 },
    { IO, 0x09, 1, DATA + 0x4000, 1, 4, 0, 0 },         /* Dataset */
    { IO, 0x09, 1, DATA + 0x4000, 1, 0, 0, 0 },         /* advice only */
    { IO, 0x09, 1, DATA + 0x5000, 0, 4, 0, 0x80 },
    { IO, 0x101, 1, DATA, 0, 0, 0, 0x02 },              /* fused */
    { IO, 0x4001, 1, DATA, 0, 0, 0, 0x02 },             /* an SGL */
    { IO, 0x02, 1, DATA, 0, 0, 7, 0 },
};

static void run_rows(QWorld *w, Queue *queues, const Row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const Row *r = &rows[i];
        unsigned status = command(w, &queues[r->queue], r->opcode, r->nsid,
                                  r->prp, r->dw10, r->dw11, r->dw12);

        if ((status & 0x7ff) != r->status) {
            g_error("row %u: opcode 0x%x nsid 0x%x cdw10 0x%x cdw11 0x%x "
                    "cdw12 0x%x: status 0x%x, not 0x%x", i, r->opcode,
                    r->nsid, r->dw10, r->dw11, r->dw12, status & 0x7ff,
                    r->status);
        }
    }
}

static void test_admin_commands(QWorld *w)
{
    Queue admin = nvme_start(w);

    run_rows(w, &admin, admin_rows, G_N_ELEMENTS(admin_rows));
}

static void test_io_commands(QWorld *w)
{
    Queue admin = nvme_start(w), queues[] = { admin, { 0 } };

    queues[IO] = nvme_io_queue(w, &queues[A]);
    qtest_memset(w->main, DATA, 0, 0x3000);
    qtest_memset(w->main, DATA + 0x3000, 0xff, 0x1000);
    qtest_write(w->main, DATA + 0x4000 + 4, 8, 4);      /* blocks of range 0 */
    qtest_write(w->main, DATA + 0x4000 + 8, 0, 8);
    qtest_write(w->main, DATA + 0x4000 + 20, 8, 4);
    qtest_write(w->main, DATA + 0x4000 + 24, LAST - 7, 8);
    qtest_write(w->main, DATA + 0x5000 + 4, 2, 4);
    qtest_write(w->main, DATA + 0x5000 + 8, LAST, 8);
    run_rows(w, queues, io_rows, G_N_ELEMENTS(io_rows));
}

/* All that are not offered say so, and the controller goes on. */
static void test_other_opcodes(QWorld *w)
{
    static const uint8_t known[2][12] = {
        { 0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c, 0x80 },
        { 0x00, 0x01, 0x02, 0x05, 0x08, 0x09, 0x0c },
    };
    Queue admin = nvme_start(w), queues[] = { admin, { 0 } };

    queues[IO] = nvme_io_queue(w, &queues[A]);
    for (unsigned q = 0; q < 2; q++) {
        for (unsigned opcode = 0; opcode < 256; opcode++) {
            if (memchr(known[q], opcode, sizeof(known[q]))) {
                continue;
            }
            g_assert_cmphex(command(w, &queues[q], opcode, 1, DATA, 0, 0, 0) &
                            0x7ff, ==, 1);
        }
    }
    g_assert_cmphex(command(w, &queues[A], 6, 0, DATA, 1, 0, 0), ==, 0);
}

static void test_features_are_kept(QWorld *w)
{
    Queue admin = nvme_start(w);

    g_assert_cmphex(command(w, &admin, 0x09, 0, 0, 0x08, 0xabcd, 0), ==, 0);
    g_assert_cmphex(command(w, &admin, 0x0a, 0, 0, 0x08, 0, 0), ==, 0);
    g_assert_cmphex(result, ==, 0xabcd);
    g_assert_cmphex(command(w, &admin, 0x0a, 0, 0, 0x108, 0, 0), ==, 0);
    g_assert_cmphex(result, ==, 0);                     /* the default */
    g_assert_cmphex(command(w, &admin, 0x09, 0, 0, 0x07, 0x00030003, 0), ==,
                    0);
    g_assert_cmphex(result, ==, 0x003f003f);            /* 64 queues */
    qtest_write(w->main, DATA, 0x123456789a, 8);
    g_assert_cmphex(command(w, &admin, 0x09, 0, DATA, 0x0e, 0, 0), ==, 0);
    g_assert_cmphex(command(w, &admin, 0x0a, 0, DATA + 8, 0x0e, 0, 0), ==, 0);
    g_assert_cmpuint(qtest_read(w->main, DATA + 8, 6 + 2) & 0xffffffffffff, >=,
                     0x123456789a);
    /* A reset of the controller brings all defaults back. */
    qtest_write(w->main, BAR + CC, 0, 4);
    qtest_until(w->main, !(qtest_read(w->main, BAR + CSTS, 4) & 1));
    admin = nvme_start(w);
    g_assert_cmphex(command(w, &admin, 0x0a, 0, 0, 0x08, 0, 0), ==, 0);
    g_assert_cmphex(result, ==, 0);
}

/* Asynchronous events: outstanding, too many, aborted, and one that comes. */
static void test_events(QWorld *w)
{
    Queue admin = nvme_start(w);
    uint32_t sqe[16] = { 0x0c };

    for (unsigned i = 0; i < 4; i++) {
        sqe[0] = 0x0c | (0x100 + i) << 16;
        submit(w, &admin, sqe);
    }
    g_assert_cmphex(command(w, &admin, 0x0c, 0, 0, 0, 0, 0) & 0x7ff, ==,
                    0x105);
    /* The aborted one completes, and so does the abort. */
    sqe[0] = 0x08 | 0x200 << 16;
    sqe[10] = 0x101 << 16;
    submit(w, &admin, sqe);
    g_assert_cmphex(complete(w, &admin) & 0x7ff, ==, 0x07);
    g_assert_cmphex(complete(w, &admin), ==, 0);
    g_assert_cmphex(result, ==, 0);
    /* A doorbell that is wrong is an event, if it goes beyond the queue. */
    qtest_write(w->main, BAR + 0x1000, ENTRIES + 5, 4);
    g_assert_cmphex(complete(w, &admin), ==, 0);
    g_assert_cmphex(result & 0xffff, ==, 0x0100);
    g_assert_cmphex(command(w, &admin, 2, 0, DATA, 0x000f0001, 0, 0), ==, 0);
    /* Too warm, if the host says that this is warm. */
    g_assert_cmphex(command(w, &admin, 9, 0, 0, 0x0b, 0xff, 0), ==, 0);
    sqe[0] = 0x09 | 0x300 << 16;
    sqe[10] = 0x04;
    sqe[11] = 100;
    submit(w, &admin, sqe);
    g_assert_cmphex(complete(w, &admin), ==, 0);
    g_assert_cmphex(complete(w, &admin), ==, 0);
}

/* 4 KiB blocks after Format, and 512 again. */
static void test_format(QWorld *w)
{
    Queue admin = nvme_start(w), io = nvme_io_queue(w, &admin);

    qtest_memset(w->main, DATA, 0x77, 4096);
    g_assert_cmphex(command(w, &io, 1, 1, DATA, 0, 0, 7), ==, 0);
    g_assert_cmphex(command(w, &admin, 0x80, 1, 0, 1, 0, 0), ==, 0);
    g_assert_cmphex(command(w, &admin, 6, 1, DATA + 0x1000, 0, 0, 0), ==, 0);
    g_assert_cmpuint(qtest_read(w->main, DATA + 0x1000, 8), ==,
                     DISK_SIZE / 4096);
    g_assert_cmphex(qtest_read(w->main, DATA + 0x1000 + 26, 1), ==, 1);
    g_assert_cmphex(command(w, &io, 2, 1, DATA, 0, 0, 0), ==, 0);
    g_assert_cmphex(qtest_read(w->main, DATA + 4088, 8), ==, 0);
    g_assert_cmphex(command(w, &io, 2, 1, DATA, DISK_SIZE / 4096, 0, 0) &
                    0x7ff, ==, 0x80);
    g_assert_cmphex(command(w, &admin, 0x80, 1, 0, 0, 0, 0), ==, 0);
}

/* Transfers by one page, two, and lists of pages; a list with a hole. */
static void test_page_lists(QWorld *w)
{
    static uint8_t data[131072], got[131072];
    Queue admin = nvme_start(w), io = nvme_io_queue(w, &admin);
    uint64_t list[32];

    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i * 7 + (i >> 8);
    }
    for (unsigned pages = 1; pages <= 32; pages = pages * 2 + (pages == 1)) {
        uint32_t sqe[16] = { 1 | 0x400 << 16, 1 };
        uint64_t prp1 = 0x200000, prp2 = 0x300000;

        qtest_memwrite(w->main, prp1, data, 4096);
        for (unsigned i = 1; i < pages; i++) {
            list[i - 1] = 0x400000 + (32 - i) * 8192;
            qtest_memwrite(w->main, list[i - 1], data + 4096 * i, 4096);
        }
        qtest_memwrite(w->main, prp2, list, sizeof(list));
        prp2 = pages == 2 ? list[0] : prp2;
        memcpy(&sqe[6], &prp1, 8);
        memcpy(&sqe[8], &prp2, 8);
        sqe[12] = pages * 8 - 1;
        submit(w, &io, sqe);
        g_assert_cmphex(complete(w, &io), ==, 0);
        for (unsigned i = 0; i < pages; i++) {
            g_assert_cmphex(command(w, &io, 2, 1, DATA, i * 8, 0, 7), ==, 0);
            qtest_memread(w->main, DATA, got, 4096);
            g_assert_cmpint(memcmp(got, data + 4096 * i, 4096), ==, 0);
        }
    }
    /* An entry that is not at a page, one where no memory is. */
    for (unsigned i = 0; i < 2; i++) {
        uint32_t sqe[16] = { 1 | 0x500 << 16, 1 };
        uint64_t prp1 = 0x200000, prp2 = 0x300000;

        list[2] = i ? 0xd0000000 : 0x400010;
        qtest_memwrite(w->main, prp2, list, sizeof(list));
        memcpy(&sqe[6], &prp1, 8);
        memcpy(&sqe[8], &prp2, 8);
        sqe[12] = 8 * 8 - 1;
        submit(w, &io, sqe);
        g_assert_cmphex(complete(w, &io) & 0x7ff, ==, i ? 0x04 : 0x13);
    }
    g_assert_cmphex(command(w, &io, 2, 1, DATA, 0, 0, 7), ==, 0);
}

static void test_interrupt(QWorld *w)
{
    Queue admin;
    uint32_t sqe[16] = { 6 | 0x100 << 16 };
    uint64_t prp = DATA;

    admin = nvme_start(w);
    memcpy(&sqe[6], &prp, 8);
    sqe[10] = 1;
    for (unsigned i = 0; i < 20; i++) {
        submit(w, &admin, sqe);
        qtest_until(w->main, qpci_read(&w->dev, 6, 2) & 8);
        qtest_write(w->main, BAR + 0x0c, 1, 4);         /* INTMS */
        g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 0);
        qtest_write(w->main, BAR + 0x10, 1, 4);
        g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 8);
        g_assert_cmphex(complete(w, &admin), ==, 0);
        g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 0);
    }
}

/* One CPU resets, another has taken a completion and not yet rung the head. */
static void test_reset_lowers_pin(QWorld *w)
{
    uint32_t sqe[16] = { 6 | 0x100 << 16 };
    uint64_t prp = DATA;

    memcpy(&sqe[6], &prp, 8);
    sqe[10] = 1;
    for (unsigned i = 0; i < 3; i++) {
        Queue admin = nvme_start(w);

        g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 0);
        submit(w, &admin, sqe);
        qtest_until(w->main, qpci_read(&w->dev, 6, 2) & 8);
        qtest_write(w->main, BAR + CC, 0x460000, 4);
        qtest_until(w->main, !(qtest_read(w->main, BAR + CSTS, 4) & 1));
        g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 0);
        qtest_write(w->main, BAR + 0x1004, 1, 4);
        g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 0);
    }
}

static const struct {
    const char *name;
    void (*fn)(QWorld *w);
} tests[] = {
    { "identify", test_nvme_identify },
    { "write-read", test_nvme_write_read },
    { "refuses", test_nvme_refuses },
    { "reset", test_nvme_reset },
    { "registers", test_registers },
    { "wrong-enable-is-fatal", test_wrong_enable },
    { "shutdown", test_shutdown },
    { "wrong-doorbells", test_wrong_doorbells },
    { "admin-commands-and-wrong-fields", test_admin_commands },
    { "io-commands-and-wrong-fields", test_io_commands },
    { "other-opcodes-are-invalid", test_other_opcodes },
    { "features-are-kept", test_features_are_kept },
    { "events", test_events },
    { "format", test_format },
    { "page-lists", test_page_lists },
    { "interrupt-and-mask", test_interrupt },
    { "errors-are-told", test_error },
    { "reset-lowers-the-pin", test_reset_lowers_pin },
};

int main(int argc, char **argv)
{
    g_autofree char *disk = NULL, *backend = NULL, *path = NULL;
    g_autofree char *zeroes = g_malloc0(DISK_SIZE);
    int status;

    g_test_init(&argc, &argv, NULL);
    signal(SIGXFSZ, SIG_IGN);           /* inherited: see test_error() */
    path = g_strdup_printf("%s/qtest-disk-%s", g_get_tmp_dir(),
                           disk = g_uuid_string_random());
    g_assert_true(g_file_set_contents(path, zeroes, DISK_SIZE, NULL));
    /* io_uring gives locks back some time after a process has ended. */
    backend = g_strdup_printf("-drive if=none,id=disk,format=raw,discard=unmap,"
                              "file.locking=off,file=%s", path);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        QWorldConfig config = {
            .machine = i & 1 ? "pc" : "q35",
            .device = "nvme,serial=qtest,drive=disk", .backend = backend,
        };

        qworld_add_tests("nvme", tests[i].name, &config, tests[i].fn);
    }
    status = g_test_run();
    remove(path);
    return status;
}
