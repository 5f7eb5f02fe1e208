/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One engine serves all back ends of a context.  Requests queue up until the
 * context is about to sleep or spin; then each goes to the ring or to the
 * thread pool, and the batch to the kernel by one system call.  Results are
 * handed out from the context's handlers, so done() never runs inside
 * blk_submit().
 *
 * done() may submit, drain and run the loop again: nothing here holds on to
 * a list while it calls it.
 */
#include "qemu/osdep.h"
#include "block/block-int.h"
#include "qemu/error-report.h"
#include "qemu/thread.h"
#include "qemu/timer.h"

#define FINISH_BUDGET 256     /* then it is the turn of the context's others */
#define MAX_ROUNDS 4
/* When the kernel has no room for a request, without saying when it has. */
#define RETRY_NS SCALE_MS
/* Larger requests are left to the kernel's threads. */
#define COPY_MAX (128 * KiB)
/* It is the context's others' turn when a part of what waits is copied, but so
 * much at least: a guest that has been interrupted for the first requests of a
 * batch can ring for the next while the rest is copied. */
#define TURN_PART 4
#define TURN_MIN (32 * KiB)

static QTAILQ_HEAD(, BlockEngine) engines = QTAILQ_HEAD_INITIALIZER(engines);
static QemuMutex engines_lock = { PTHREAD_MUTEX_INITIALIZER };

/* -- Requests -------------------------------------------------------------*/

static void finish_later(BlockEngine *e, BlockRequest *req, int ret)
{
    req->ret = ret;
    QTAILQ_INSERT_TAIL(&e->finished, req, link);
    qemu_bh_schedule(e->bh);
}

void block_engine_queue(BlockEngine *e, BlockRequest *req, int ret)
{
    if (ret <= 0) {
        finish_later(e, req, ret);
        return;
    }
    QTAILQ_INSERT_TAIL(&e->queue, req, link);
    /* The caller is perhaps a vCPU that holds the big lock. */
    aio_kick_sleeper(e->ctx);
}

void block_engine_requeue(BlockEngine *e, BlockRequest *req)
{
    QTAILQ_INSERT_HEAD(&e->queue, req, link);
}

static void to_pool(BlockEngine *e, BlockRequest *req)
{
    if (!e->pool) {
        e->pool = block_pool_new(e->bh, &e->bell);
    }
    block_pool_submit(e->pool, req);
}

/* True if @req has to wait for others of its node. */
static bool hold(BlockBackend *blk, BlockRequest *req)
{
    return blk->alone || !QTAILQ_EMPTY(&blk->held) ||
           ((req->how & HOW_ALONE) && blk->running);
}

/* -- null-co that takes its time ------------------------------------------*/

static int64_t due(const BlockRequest *req)
{
    return req->start_ns + req->blk->latency_ns;
}

static void finish_due(void *opaque)
{
    BlockEngine *e = opaque;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    BlockRequest *req;

    while ((req = QTAILQ_FIRST(&e->slow)) && due(req) <= now) {
        QTAILQ_REMOVE(&e->slow, req, link);
        finish_later(e, req, 0);
    }
    if (req) {
        timer_mod(e->slow_timer, due(req));
    }
}

static void finish_slowly(BlockEngine *e, BlockRequest *req)
{
    BlockRequest *after;

    QTAILQ_FOREACH(after, &e->slow, link) {
        if (due(after) > due(req)) {
            break;
        }
    }
    if (after) {
        QTAILQ_INSERT_BEFORE(after, req, link);
    } else {
        QTAILQ_INSERT_TAIL(&e->slow, req, link);
    }
    timer_mod(e->slow_timer, due(QTAILQ_FIRST(&e->slow)));
}

/* -- The queue ------------------------------------------------------------*/

/*
 * A file on tmpfs is memory: reading it is a copy, which takes less time than
 * any way to have it done by others.  (The kernel would hand it to a thread,
 * because tmpfs cannot promise not to wait: pages may be swapped out.)
 */
static bool is_copy(const BlockRequest *req)
{
    const BlockFile *file = req->blk->file;

    return file && file->in_memory && file->aio == BLOCK_AIO_DEFAULT &&
           req->op <= BLK_WRITE && req->bytes <= COPY_MAX &&
           !(req->how & (HOW_POOL | HOW_ALONE | HOW_BOUNCE));
}

/* How many bytes the turn has that begins; the queue is not empty. */
static uint64_t turn_bytes(BlockEngine *e)
{
    uint64_t bytes = 0;
    BlockRequest *req;

    QTAILQ_FOREACH(req, &e->queue, link) {
        bytes += req->bytes;
        if (bytes >= TURN_PART * COPY_MAX) {
            return COPY_MAX;
        }
    }
    return MAX(bytes / TURN_PART, TURN_MIN);
}

static bool turn_is_over(const BlockEngine *e)
{
    return e->turn_end && e->copied >= e->turn_end;
}

static void copy(BlockEngine *e, BlockRequest *req, int64_t now)
{
    void *unused = NULL;
    int ret = 0;

    if (!e->turn_end) {
        e->turn_end = e->copied + turn_bytes(e);
    }
    QTAILQ_REMOVE(&e->queue, req, link);
    e->copied += req->bytes;
    if (!block_file_copy(req, now)) {
        ret = block_file_do(req, &unused);
    }
    block_engine_done(e, req, ret, qemu_clock_get_ns(QEMU_CLOCK_REALTIME));
}

/* Takes @req off the queue, or returns false: the ring is full. */
static bool dispatch(BlockEngine *e, BlockRequest *req, int64_t now)
{
    BlockBackend *blk = req->blk;

    if (!(req->how & HOW_RUNNING)) {
        if (hold(blk, req)) {
            QTAILQ_REMOVE(&e->queue, req, link);
            QTAILQ_INSERT_TAIL(&blk->held, req, link);
            return true;
        }
        req->how |= HOW_RUNNING;
        req->start_ns = now;
        blk->running++;
        blk->alone = req->how & HOW_ALONE;
    }
    if (is_copy(req)) {
        copy(e, req, now);
        return true;
    }
    if (blk->file && e->ring && !(req->how & HOW_POOL)) {
        return block_ring_add(e->ring, req);
    }
    QTAILQ_REMOVE(&e->queue, req, link);
    if (blk->file) {
        to_pool(e, req);
    } else if (blk->latency_ns) {
        finish_slowly(e, req);
    } else {
        finish_later(e, req, 0);
    }
    return true;
}

static void dispatch_all(BlockEngine *e)
{
    BlockRequest *req;
    int64_t now;

    if (!QTAILQ_EMPTY(&e->queue)) {
        now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        while ((req = QTAILQ_FIRST(&e->queue)) && !turn_is_over(e) &&
               dispatch(e, req, now)) {
            /* the next one */
        }
    }
}

/*
 * Called once per loop before it sleeps.  What the page cache has is complete
 * at once, and done() may have brought more: a few rounds without going
 * through the loop, then the others of the context have their turn.
 */
static bool submit_queue(void *opaque)
{
    BlockEngine *e = opaque;
    uint64_t before = e->copied;
    unsigned rounds = 0;
    bool progress = false;

    e->turn_end = 0;
    do {
        dispatch_all(e);
        if (!e->ring || (block_ring_submit(e->ring) &&
                         !block_ring_reap(e->ring))) {
            break;
        }
        progress = true;
    } while (!QTAILQ_EMPTY(&e->queue) && !turn_is_over(e) &&
             ++rounds < MAX_ROUNDS);
    return progress || e->copied != before;
}

/* What waited for a request that has left its node is due again. */
static void release_held(BlockEngine *e, BlockBackend *blk)
{
    BlockRequest *req = QTAILQ_FIRST(&blk->held);

    if (!req || blk->alone || ((req->how & HOW_ALONE) && blk->running)) {
        return;
    }
    while ((req = QTAILQ_LAST(&blk->held, BlockRequestList))) {
        QTAILQ_REMOVE(&blk->held, req, link);
        QTAILQ_INSERT_HEAD(&e->queue, req, link);
    }
}

void block_engine_done(BlockEngine *e, BlockRequest *req, int ret,
                       int64_t now_ns)
{
    BlockBackend *blk = req->blk;

    if (req->how & HOW_RUNNING) {
        blk->running--;
        if (req->how & HOW_ALONE) {
            blk->alone = false;
        }
        release_held(e, blk);
    }
    blk_complete(req, ret, now_ns);
}

static bool run_finished(BlockEngine *e)
{
    unsigned budget = FINISH_BUDGET;
    BlockRequest *req;
    int64_t now;

    if (e->pool) {
        block_pool_collect(e->pool, &e->finished);
    }
    if (QTAILQ_EMPTY(&e->finished)) {
        return false;
    }
    now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    while ((req = QTAILQ_FIRST(&e->finished)) && budget--) {
        QTAILQ_REMOVE(&e->finished, req, link);
        block_engine_done(e, req, req->ret, now);
    }
    if (req) {
        qemu_bh_schedule(e->bh);
    }
    return true;
}

static void engine_bh(void *opaque)
{
    run_finished(opaque);
}

/* -- Without the loop -----------------------------------------------------*/

static bool step(BlockEngine *e)
{
    bool progress = submit_queue(e);

    if (!QTAILQ_EMPTY(&e->slow)) {
        finish_due(e);
    }
    progress |= run_finished(e);
    return (e->ring && block_ring_reap(e->ring)) || progress;
}

/* Until a request is complete or may be tried again. */
static void sleep_for_result(BlockEngine *e)
{
    struct pollfd fds[] = {
        { .fd = event_notifier_get_fd(&e->bell), .events = POLLIN },
        { .fd = e->ring ? block_ring_fd(e->ring) : -1, .events = POLLIN },
    };
    int64_t timeout = -1;

    if (!QTAILQ_EMPTY(&e->slow)) {
        timeout = due(QTAILQ_FIRST(&e->slow)) -
                  qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        timeout = MAX(timeout, 0);
    }
    if (e->ring && block_ring_is_behind(e->ring)) {
        timeout = RETRY_NS;
    }
    if (e->pool) {
        block_pool_watch(e->pool, true);
    }
    aio_ppoll(fds, ARRAY_SIZE(fds), timeout);
    if (e->pool) {
        block_pool_watch(e->pool, false);
        event_notifier_test_and_clear(&e->bell);
    }
}

void block_engine_wait(BlockEngine *e)
{
    if (!step(e)) {
        sleep_for_result(e);
    }
    if (!QTAILQ_EMPTY(&e->queue)) {
        qemu_bh_schedule(e->bh);        /* the loop may be asleep meanwhile */
    }
}

/* -- Engines --------------------------------------------------------------*/

static BlockEngine *engine_new(AioContext *ctx, Error **errp)
{
    BlockEngine *e = g_new0(BlockEngine, 1);
    int ret = event_notifier_init(&e->bell, false);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "Cannot create an event notifier");
        g_free(e);
        return NULL;
    }
    e->ctx = ctx;
    QTAILQ_INIT(&e->queue);
    QTAILQ_INIT(&e->finished);
    QTAILQ_INIT(&e->slow);
    e->slow_timer = aio_timer_new(ctx, QEMU_CLOCK_REALTIME, SCALE_NS, finish_due,
                                  e);
    e->bh = aio_bh_new(ctx, engine_bh, e);
    aio_set_submit_hook(ctx, submit_queue, e);
    QTAILQ_INSERT_TAIL(&engines, e, link);
    return e;
}

static void engine_free(BlockEngine *e)
{
    assert(QTAILQ_EMPTY(&e->queue) && QTAILQ_EMPTY(&e->finished));
    QTAILQ_REMOVE(&engines, e, link);
    if (e->ring) {
        block_ring_free(e->ring);
    }
    if (e->pool) {
        block_pool_free(e->pool);
    }
    aio_set_submit_hook(e->ctx, NULL, NULL);
    event_notifier_cleanup(&e->bell);
    timer_free(e->slow_timer);
    qemu_bh_delete(e->bh);
    g_free(e);
}

BlockEngine *block_engine_get(AioContext *ctx, BlockFile *file, Error **errp)
{
    QEMU_LOCK_GUARD(&engines_lock);
    Error *err = NULL;
    BlockEngine *e;

    QTAILQ_FOREACH(e, &engines, link) {
        if (e->ctx == ctx) {
            break;
        }
    }
    if (!e) {
        e = engine_new(ctx, errp);
        if (!e) {
            return NULL;
        }
    }
    if (file && file->aio != BLOCK_AIO_THREADS && !e->ring) {
        e->ring = block_ring_new(e, &err);
        if (!e->ring && file->aio == BLOCK_AIO_IO_URING) {
            error_propagate(errp, err);
            if (!e->refs) {
                engine_free(e);
            }
            return NULL;
        }
        error_free(err);
    }
    e->refs++;
    return e;
}

void block_engine_put(BlockEngine *e, BlockFile *file)
{
    QEMU_LOCK_GUARD(&engines_lock);

    if (e->ring && file) {
        block_ring_forget(e->ring, file);
    }
    if (!--e->refs) {
        engine_free(e);
    }
}
