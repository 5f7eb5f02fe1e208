/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk back ends: many requests at once, requests made in the completion of
 * others, and drives that move between contexts and threads.
 */
#include "qemu/osdep.h"
#include "block-world.h"
#include "block/block-int.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"

/* -- Many, and from within ------------------------------------------------*/

static void test_many(Fixture *f, gconstpointer way)
{
    enum { N = 3000 };
    g_autofree TestRequest *t = g_new0(TestRequest, N);
    uint8_t *buf = aligned_buf(N * 4096);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < N; i++) {
            t[i].iov = (struct iovec) { buf + i * 4096, 4096 };
            t[i].req = (BlockRequest) {
                .op = i % 7 == 0 ? BLK_FLUSH : BLK_READ,
                .offset = i % 256 * 4096, .bytes = 4096,
                .iov = &t[i].iov, .niov = 1,
            };
            start_request(f->blk, &t[i]);
        }
        g_assert_cmpuint(blk_in_flight(f->blk), ==, N);
        blk_drain(f->blk);
        for (unsigned i = 0; i < N; i++) {
            g_assert_true(t[i].done);
            g_assert_cmpint(t[i].ret, ==, 0);
        }
        g_assert_cmpuint(blk_get_stats(f->blk)->ops[BLK_READ] +
                         blk_get_stats(f->blk)->ops[BLK_FLUSH], ==, N);
    }
    free(buf);
}

static void resubmit(BlockRequest *req, int ret)
{
    TestRequest *t = container_of(req, TestRequest, req);

    g_assert_cmpint(ret, ==, 0);
    if (t->left--) {
        blk_submit(req->blk, req);
    } else {
        t->done = true;
    }
}

static void test_resubmit(Fixture *f, gconstpointer way)
{
    TestRequest t[4] = { };
    uint8_t *buf = aligned_buf(4 * 4096);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < 4; i++) {
            t[i].left = 500;
            t[i].iov = (struct iovec) { buf + i * 4096, 4096 };
            t[i].req = (BlockRequest) {
                .op = BLK_READ, .bytes = 4096, .iov = &t[i].iov, .niov = 1,
                .done = resubmit,
            };
            start_request(f->blk, &t[i]);
        }
        blk_drain(f->blk);
        for (unsigned i = 0; i < 4; i++) {
            g_assert_true(t[i].done);
        }
    }
    free(buf);
}

static void drain_inside(BlockRequest *req, int ret)
{
    blk_drain(req->blk);
    g_assert_cmpuint(blk_in_flight(req->blk), ==, 0);
    on_done(req, ret);
}

/* A device that is reset by what it reads. */
static void test_drain_inside(Fixture *f, gconstpointer way)
{
    enum { N = 40 };
    TestRequest t[N] = { };
    uint8_t *buf = aligned_buf(N * 4096);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < N; i++) {
            t[i].iov = (struct iovec) { buf + i * 4096, 4096 };
            t[i].req = (BlockRequest) {
                .op = i % 3 ? BLK_READ : BLK_WRITE_ZEROES, .bytes = 4096,
                .offset = i * 4096, .iov = &t[i].iov, .niov = 1,
                .done = i % 5 ? NULL : drain_inside,
            };
            start_request(f->blk, &t[i]);
        }
        /* Some that fail at once, too. */
        t[1].req.op = BLK_READ;
        blk_drain(f->blk);
        for (unsigned i = 0; i < N; i++) {
            g_assert_true(t[i].done);
            g_assert_cmpint(t[i].ret, ==, 0);
        }
    }
    free(buf);
}

/* Served by the loop alone, without draining. */
static void test_loop(Fixture *f, gconstpointer way)
{
    TestRequest t = { .req = { .op = BLK_READ, .bytes = 4096, .iov = &t.iov,
                               .niov = 1 } };

    t.iov = (struct iovec) { aligned_buf(4096), 4096 };
    if (open_with(f, "")) {
        start_request(f->blk, &t);
        while (!t.done) {
            if (f->way->main_loop) {
                main_loop_wait(false);
            } else {
                aio_poll(f->ctx, true);
            }
        }
        g_assert_cmpint(t.ret, ==, 0);
    }
    free(t.iov.iov_base);
}

static void test_spin(Fixture *f, gconstpointer way)
{
    aio_context_set_poll_params(f->ctx, 50 * SCALE_US);
    for (unsigned i = 0; i < 20 && !g_test_failed(); i++) {
        if (f->blk) {
            blk_free(f->blk);
            f->blk = NULL;
        }
        test_loop(f, way);
    }
}

/* Two drives share a context's engine; each may leave it. */
static void test_share_context(Fixture *f, gconstpointer way)
{
    g_autofree char *path = make_file(SIZE);
    uint8_t *buf = aligned_buf(4096);
    BlockBackend *other;

    if (open_with(f, "")) {
        other = open_drive(path, f->way->opts);
        blk_set_context(other, f->ctx, &error_abort);
        memset(buf, 1, 4096);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, 4096, 0), ==, 0);
        memset(buf, 2, 4096);
        g_assert_cmpint(do_io(other, BLK_WRITE, 0, buf, 4096, 0), ==, 0);
        blk_set_context(f->blk, NULL, &error_abort);
        g_assert_cmpint(do_io(other, BLK_READ, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpuint(buf[0], ==, 2);
        blk_set_context(f->blk, f->ctx, &error_abort);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpuint(buf[0], ==, 1);
    }
    unlink(path);
    free(buf);
}

/* -- Contexts and threads -------------------------------------------------*/

/* A drive moves from its thread's context to the main loop's and back. */
static void test_move(Fixture *f, gconstpointer way)
{
    TestRequest t = { .req = { .op = BLK_READ, .bytes = 4096, .iov = &t.iov,
                               .niov = 1 } };
    QemuThread thread;
    Error *err = NULL;

    if (f->way->main_loop || !open_with(f, "")) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        AioContext *ctx = aio_context_new(&error_abort);

        blk_set_context(f->blk, ctx, &error_abort);
        qemu_thread_create(&thread, "test", run_reads, f, &error_abort);
        qemu_thread_join(&thread);
        blk_set_context(f->blk, qemu_get_aio_context(), &error_abort);
        run_reads(f);
        aio_context_free(ctx);
    }
    t.iov = (struct iovec) { aligned_buf(4096), 4096 };
    start_request(f->blk, &t);
    g_assert_false(blk_set_context(f->blk, f->ctx, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "in flight"));
    error_free(err);
    blk_drain(f->blk);
    free(t.iov.iov_base);
}

typedef struct Orphans {
    Fixture *f;
    TestRequest t[32];
    uint8_t *buf;
} Orphans;

static void *leave_requests(void *opaque)
{
    Orphans *o = opaque;

    for (unsigned i = 0; i < ARRAY_SIZE(o->t); i++) {
        TestRequest *t = &o->t[i];

        t->iov = (struct iovec) { o->buf + i * 4096, 4096 };
        t->req = (BlockRequest) {
            .op = i % 4 ? BLK_READ : i % 8 ? BLK_FLUSH : BLK_WRITE_ZEROES,
            .offset = i * 4096, .bytes = 4096, .iov = &t->iov, .niov = 1,
        };
        start_request(o->f->blk, t);
        if (i == 16) {
            aio_poll(o->f->ctx, false);
        }
    }
    aio_poll(o->f->ctx, false);
    return NULL;
}

/* The thread of a context ends with requests in flight; another drains. */
static void test_orphans(Fixture *f, gconstpointer way)
{
    Orphans o = { .f = f, .buf = aligned_buf(32 * 4096) };
    QemuThread thread;

    if (!f->way->main_loop && open_with(f, "")) {
        for (unsigned round = 0; round < 5; round++) {
            qemu_thread_create(&thread, "test", leave_requests, &o,
                               &error_abort);
            qemu_thread_join(&thread);
            blk_drain(f->blk);
            for (unsigned i = 0; i < ARRAY_SIZE(o.t); i++) {
                g_assert_true(o.t[i].done);
                g_assert_cmpint(o.t[i].ret, ==, 0);
            }
        }
    }
    free(o.buf);
}

/* -- Waiting, and what goes on meanwhile ------------------------------------*/

static void count_call(void *opaque)
{
    ++*(unsigned *)opaque;
}

/* Reads, and every third what only threads do. */
static void start_reads(BlockBackend *blk, TestRequest *t, unsigned n,
                        uint8_t *buf)
{
    for (unsigned i = 0; i < n; i++) {
        t[i] = (TestRequest) { .iov = { buf + i * 4096, 4096 } };
        t[i].req = (BlockRequest) {
            .op = i % 3 ? BLK_READ : BLK_WRITE_ZEROES, .offset = i * 4096,
            .bytes = 4096, .iov = &t[i].iov, .niov = 1,
        };
        start_request(blk, &t[i]);
    }
}

/* A device that is reset has no business with the context's others. */
static void test_drain_alone(Fixture *f, gconstpointer way)
{
    TestRequest t[32];
    uint8_t *buf = aligned_buf(ARRAY_SIZE(t) * 4096);
    unsigned calls = 0;

    if (open_with(f, "")) {
        aio_bh_schedule_oneshot(f->ctx, count_call, &calls);
        start_reads(f->blk, t, ARRAY_SIZE(t), buf);
        blk_drain(f->blk);
        for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
            g_assert_true(t[i].done);
        }
        g_assert_cmpuint(calls, ==, 0);
        while (aio_poll(f->ctx, false)) {
            /* the rest */
        }
        g_assert_cmpuint(calls, ==, 1);
    }
    free(buf);
}

typedef struct Waiter {
    BlockBackend *blk, *slow;
    uint8_t *buf;
    unsigned rounds;
} Waiter;

static void *drain_beside(void *opaque)
{
    Waiter *w = opaque;
    TestRequest t[33];

    bql_lock();
    for (; w->rounds < 50; w->rounds++) {
        start_reads(w->slow, t, 1, w->buf);
        start_reads(w->blk, t + 1, ARRAY_SIZE(t) - 1, w->buf);
        blk_drain(w->blk);
        for (unsigned i = 1; i < ARRAY_SIZE(t); i++) {
            g_assert_true(t[i].done);
        }
        /* What is left is the main thread's, who must not sleep over it. */
        while (!t[0].done) {
            bql_unlock();
            g_thread_yield();
            bql_lock();
        }
    }
    aio_notify(qemu_get_aio_context());
    bql_unlock();
    return NULL;
}

/* A vCPU drains what the main thread sleeps on. */
static void test_drain_beside(Fixture *f, gconstpointer way)
{
    Waiter w = { .buf = aligned_buf(32 * 4096) };
    QemuThread thread;

    if (f->way->main_loop && open_with(f, "")) {
        w.blk = f->blk;
        w.slow = drive_add("driver=null-co,size=1M,if=none,id=slow,"
                           "latency-ns=300000", &error_abort);
        blk_set_context(w.slow, f->ctx, &error_abort);
        qemu_thread_create(&thread, "test", drain_beside, &w, &error_abort);
        while (w.rounds < 50) {
            main_loop_wait(false);
        }
        bql_unlock();
        qemu_thread_join(&thread);
        bql_lock();
    }
    free(w.buf);
}

/* -- The drive of no disk ----------------------------------------------------*/

static void test_null_latency(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    BlockBackend *slow = drive_add("driver=null-co,size=1M,if=none,id=slow,"
                                   "latency-ns=20000000", &error_abort);
    BlockBackend *fast = drive_add("driver=null-co,size=1M,if=none,id=fast,"
                                   "latency-ns=1000000", &error_abort);
    uint8_t buf[512];
    TestRequest t[3];
    int64_t begin = g_get_monotonic_time();

    for (int i = 0; i < 3; i++) {
        t[i] = (TestRequest){ .req = { .op = BLK_WRITE, .bytes = 512,
                                       .iov = &t[i].iov, .niov = 1 },
                              .iov = { buf, 512 } };
        blk_set_context(i == 1 ? fast : slow, ctx, &error_abort);
        start_request(i == 1 ? fast : slow, &t[i]);
    }
    blk_drain(fast);
    g_assert_true(t[1].done && !t[0].done && !t[2].done);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 1000);
    blk_drain(slow);
    g_assert_true(t[0].done && t[2].done);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 20000);
    blk_close_all();
    aio_context_free(ctx);
}

static void test_null(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    BlockBackend *blk = drive_add("driver=null-co,size=64M,read-zeroes=on,"
                                  "if=none,id=n", &error_abort);
    uint8_t buf[512];
    TestRequest t = { .req = { .op = BLK_READ, .bytes = 512, .iov = &t.iov,
                               .niov = 1, .done = resubmit },
                      .iov = { buf, 512 }, .left = 1000 };

    blk_set_context(blk, ctx, &error_abort);
    g_assert_cmpuint(blk_getlength(blk), ==, 64 * MiB);
    memset(buf, 0xaa, 512);
    start_request(blk, &t);
    blk_drain(blk);
    g_assert_true(t.done && is_zero(buf, 512));
    g_assert_cmpint(do_io(blk, BLK_WRITE, 0, buf, 512, 0), ==, 0);
    g_assert_cmpint(do_io(blk, BLK_FLUSH, 0, NULL, 0, 0), ==, 0);
    g_assert_cmpint(do_io(blk, BLK_READ, 64 * MiB, buf, 512, 0), ==, -EIO);
    blk_close_all();
    aio_context_free(ctx);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    add_ways("more-than-the-ring-holds", test_many);
    add_ways("resubmit-from-done", test_resubmit);
    add_ways("drain-from-done", test_drain_inside);
    add_ways("served-by-the-loop", test_loop);
    add_ways("served-while-spinning", test_spin);
    add_ways("two-in-one-context", test_share_context);
    add_ways("moves-between-contexts", test_move);
    add_ways("thread-ends-with-requests", test_orphans);
    add_ways("drain-runs-nothing-else", test_drain_alone);
    add_ways("drain-beside-the-main-thread", test_drain_beside);
    g_test_add_func("/block/null-completes", test_null);
    g_test_add_func("/block/null-takes-its-time", test_null_latency);
    return g_test_run();
}
