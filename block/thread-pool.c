/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that do requests one at a time, for what io_uring has no operation
 * or is not allowed.  Each context has its own pool, so that a slow disk of
 * one device delays no other's.  Threads start when requests wait and end
 * when none came for a while; the context's owner joins them.
 */
#include "qemu/osdep.h"
#include "block/block-int.h"
#include "qemu/thread.h"

#define MAX_THREADS 16
unsigned block_pool_idle_ms = 5000;

typedef struct Worker Worker;
struct Worker {
    BlockPool *pool;
    QemuThread thread;
    QTAILQ_ENTRY(Worker) link;
};
typedef QTAILQ_HEAD(WorkerList, Worker) WorkerList;

struct BlockPool {
    QEMUBH *bh;                 /* scheduled when something is to collect */
    EventNotifier *bell;

    QemuMutex lock;             /* guards what follows */
    QemuCond cond;              /* work, stop, or one ended after stop */
    BlockRequestList queue, done;
    unsigned queued, idle, threads;
    bool stop, watched;
    WorkerList ended;           /* not yet joined */
};

BlockPool *block_pool_new(QEMUBH *bh, EventNotifier *bell)
{
    BlockPool *pool = g_new0(BlockPool, 1);

    pool->bh = bh;
    pool->bell = bell;
    qemu_mutex_init(&pool->lock);
    qemu_cond_init(&pool->cond);
    QTAILQ_INIT(&pool->queue);
    QTAILQ_INIT(&pool->done);
    QTAILQ_INIT(&pool->ended);
    return pool;
}

/* The next request, or NULL when the thread is to end.  Locked. */
static BlockRequest *next_request(BlockPool *pool)
{
    BlockRequest *req;
    bool in_time = true;

    while (QTAILQ_EMPTY(&pool->queue)) {
        if (pool->stop || !in_time) {
            return NULL;
        }
        pool->idle++;
        in_time = qemu_cond_timedwait(&pool->cond, &pool->lock, block_pool_idle_ms);
        pool->idle--;
    }
    req = QTAILQ_FIRST(&pool->queue);
    QTAILQ_REMOVE(&pool->queue, req, link);
    pool->queued--;
    return req;
}

/* Locked. */
static void put_done(BlockPool *pool, BlockRequest *req)
{
    QTAILQ_INSERT_TAIL(&pool->done, req, link);
    qemu_bh_schedule(pool->bh);
    if (pool->watched) {
        event_notifier_set(pool->bell);
    }
}

static void *worker_run(void *opaque)
{
    Worker *w = opaque;
    BlockPool *pool = w->pool;
    void *bounce = NULL;
    BlockRequest *req;

    qemu_thread_serve_guest();
    qemu_mutex_lock(&pool->lock);
    while ((req = next_request(pool))) {
        qemu_mutex_unlock(&pool->lock);
        req->ret = block_file_do(req, &bounce);
        qemu_mutex_lock(&pool->lock);
        put_done(pool, req);
    }
    pool->threads--;
    QTAILQ_INSERT_TAIL(&pool->ended, w, link);
    if (pool->stop) {
        qemu_cond_broadcast(&pool->cond);
    } else {
        qemu_bh_schedule(pool->bh);
    }
    qemu_mutex_unlock(&pool->lock);
    free(bounce);
    return NULL;
}

/* Locked.  False if the system has no more threads for us. */
static bool start_worker(BlockPool *pool)
{
    Worker *w = g_new0(Worker, 1);

    w->pool = pool;
    if (!qemu_thread_create(&w->thread, "block", worker_run, w, NULL)) {
        g_free(w);
        return false;
    }
    pool->threads++;
    return true;
}

void block_pool_submit(BlockPool *pool, BlockRequest *req)
{
    void *bounce = NULL;

    qemu_mutex_lock(&pool->lock);
    if (pool->queued < pool->idle || pool->threads == MAX_THREADS ||
        start_worker(pool) || pool->threads) {
        QTAILQ_INSERT_TAIL(&pool->queue, req, link);
        pool->queued++;
        qemu_cond_signal(&pool->cond);
        qemu_mutex_unlock(&pool->lock);
        return;
    }
    qemu_mutex_unlock(&pool->lock);

    /* No thread at all: late is better than never. */
    req->ret = block_file_do(req, &bounce);
    free(bounce);
    qemu_mutex_lock(&pool->lock);
    put_done(pool, req);
    qemu_mutex_unlock(&pool->lock);
}

void block_pool_collect(BlockPool *pool, BlockRequestList *list)
{
    WorkerList ended = QTAILQ_HEAD_INITIALIZER(ended);
    Worker *w, *next;

    qemu_mutex_lock(&pool->lock);
    TAILQ_CONCAT(list, &pool->done, link);
    TAILQ_CONCAT(&ended, &pool->ended, link);
    qemu_mutex_unlock(&pool->lock);

    QTAILQ_FOREACH_SAFE(w, &ended, link, next) {
        qemu_thread_join(&w->thread);
        g_free(w);
    }
}

void block_pool_watch(BlockPool *pool, bool watch)
{
    qemu_mutex_lock(&pool->lock);
    pool->watched = watch;
    if (watch && !QTAILQ_EMPTY(&pool->done)) {
        event_notifier_set(pool->bell);
    }
    qemu_mutex_unlock(&pool->lock);
}

void block_pool_free(BlockPool *pool)
{
    BlockRequestList rest = QTAILQ_HEAD_INITIALIZER(rest);

    qemu_mutex_lock(&pool->lock);
    pool->stop = true;
    qemu_cond_broadcast(&pool->cond);
    while (pool->threads) {
        qemu_cond_wait(&pool->cond, &pool->lock);
    }
    qemu_mutex_unlock(&pool->lock);
    block_pool_collect(pool, &rest);
    assert(QTAILQ_EMPTY(&rest));
    qemu_cond_destroy(&pool->cond);
    qemu_mutex_destroy(&pool->lock);
    g_free(pool);
}
