/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes: what -drive and -blockdev made.  Names, who uses what, the checks
 * that every request passes, and statistics.
 *
 * A raw node stands on a file, host_device or null-co node and shares its
 * file; only one of them can be used, the upper one.  Statistics are written
 * by the context's owner and read by anybody.
 */
#include "qemu/osdep.h"
#include "block/io-error.h"
#include "qemu/timer.h"
#include "block/block-int.h"
#include "qemu/iov.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"

BlockBackendList block_backends = QTAILQ_HEAD_INITIALIZER(block_backends);

/* -- Nodes ----------------------------------------------------------------*/

static BlockBackend *find(const char *name, bool ids, bool nodes)
{
    BlockBackend *blk;

    QTAILQ_FOREACH(blk, &block_backends, link) {
        if ((ids && blk->name && g_str_equal(blk->name, name)) ||
            (nodes && g_str_equal(blk->node_name, name))) {
            return blk;
        }
    }
    return NULL;
}

bool blk_any(void)
{
    return !QTAILQ_EMPTY(&block_backends);
}

BlockBackend *blk_by_name(const char *id_or_node)
{
    BlockBackend *blk = find(id_or_node, true, false);

    return blk ? blk : find(id_or_node, false, true);
}

static bool check_names(const char *name, const char *node_name, Error **errp)
{
    if (name && !id_wellformed(name)) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        error_append_hint(errp, "Identifiers consist of letters, digits, '-', "
                          "'.', '_', starting with a letter.\n");
        return false;
    }
    if (name && find(name, true, false)) {
        error_setg(errp, "Duplicate ID '%s' for drive", name);
        return false;
    }
    if (name && find(name, false, true)) {
        error_setg(errp, "Device name '%s' conflicts with an existing node "
                   "name", name);
        return false;
    }
    if (node_name && (!id_wellformed(node_name) || strlen(node_name) > 31)) {
        error_setg(errp, "Invalid node-name: '%s'", node_name);
        error_append_hint(errp, "Node names consist of up to 31 letters, "
                          "digits, '-', '.', '_', starting with a letter.\n");
        return false;
    }
    if (node_name && find(node_name, false, true)) {
        error_setg(errp, "Duplicate nodes with node-name='%s'", node_name);
        return false;
    }
    if (node_name && (find(node_name, true, false) ||
                      (name && g_str_equal(name, node_name)))) {
        error_setg(errp, "node-name=%s is conflicting with a device id",
                   node_name);
        return false;
    }
    return true;
}

BlockBackend *blk_new(const char *driver, const char *name,
                      const char *node_name, Error **errp)
{
    static unsigned generated;
    BlockBackend *blk;

    if (!check_names(name, node_name, errp)) {
        return NULL;
    }
    blk = g_new0(BlockBackend, 1);
    blk->driver = driver;
    blk->name = g_strdup(name);
    blk->node_name = node_name ? g_strdup(node_name)
                               : g_strdup_printf("#block%03u", generated++);
    blk->write_cache = true;
    QTAILQ_INIT(&blk->held);
    QTAILQ_INSERT_TAIL(&block_backends, blk, link);
    return blk;
}

void blk_set_child(BlockBackend *blk, BlockBackend *child)
{
    blk->child = child;
    blk->file = child->file;
    blk->length = child->length;
    blk->read_zeroes = child->read_zeroes;
    blk->latency_ns = child->latency_ns;
    child->parent = blk;
}

void blk_free(BlockBackend *blk)
{
    if (!blk) {
        return;
    }
    assert(!blk->in_flight && !blk->parent);
    blk_set_context(blk, NULL, NULL);
    if (blk->child) {
        blk->child->parent = NULL;
        if (blk->child->implicit) {
            blk_free(blk->child);
        }
    } else {
        block_file_close(blk->file);
    }
    QTAILQ_REMOVE(&block_backends, blk, link);
    g_free(blk->name);
    g_free(blk->node_name);
    g_free(blk);
}

bool blockdev_del(const char *node_name, Error **errp)
{
    BlockBackend *blk = find(node_name, false, true);

    if (!blk) {
        error_setg(errp, "Failed to find node with node-name='%s'",
                   node_name);
        return false;
    }
    if (blk->name || blk->implicit) {
        error_setg(errp, "Node %s is not owned by the monitor", node_name);
        return false;
    }
    if (blk->dev) {
        error_setg(errp, "Node %s is in use", node_name);
        return false;
    }
    if (blk->parent) {
        error_setg(errp, "Block device %s is in use", node_name);
        error_append_hint(errp, "It is the file of node '%s'.\n",
                          blk->parent->node_name);
        return false;
    }
    blk_free(blk);
    return true;
}

void blk_close_all(void)
{
    BlockBackend *blk;

    while ((blk = QTAILQ_FIRST(&block_backends))) {
        while (blk->parent) {
            blk = blk->parent;
        }
        if (blk->dev) {
            blk_detach_dev(blk);
        }
        blk_free(blk);
    }
}

/* -- Users ----------------------------------------------------------------*/

bool blk_attach_dev(BlockBackend *blk, Object *dev, Error **errp)
{
    if (blk->dev) {
        error_setg(errp, "Drive '%s' is already in use by another device",
                   blk_name(blk));
        return false;
    }
    if (blk->parent) {
        error_setg(errp, "Node '%s' is in use: it is the file of node '%s'",
                   blk->node_name, blk->parent->node_name);
        return false;
    }
    if (blk->file && !block_file_lock(blk->file, !blk->read_only, errp)) {
        return false;
    }
    blk->dev = dev;
    return true;
}

void blk_detach_dev(BlockBackend *blk)
{
    assert(!blk->in_flight);
    blk_set_context(blk, NULL, NULL);
    if (blk->file) {
        block_file_unlock(blk->file);
    }
    blk->dev = NULL;
}

void blk_unlock_all(void)
{
    BlockBackend *blk;

    QTAILQ_FOREACH(blk, &block_backends, link) {
        /* One that a thread still serves is that thread's. */
        if (blk->dev && blk->file &&
            (!blk->engine || aio_context_is_owner(blk->engine->ctx)) &&
            !blk->in_flight) {
            block_file_unlock(blk->file);
        }
    }
}

bool blk_set_context(BlockBackend *blk, AioContext *ctx, Error **errp)
{
    BlockEngine *engine = NULL;

    if (blk->engine && blk->engine->ctx == ctx) {
        return true;
    }
    if (blk->in_flight) {
        error_setg(errp, "Drive '%s' has %u requests in flight",
                   blk_name(blk), blk->in_flight);
        return false;
    }
    if (ctx) {
        engine = block_engine_get(ctx, blk->file, errp);
        if (!engine) {
            return false;
        }
    }
    if (blk->engine) {
        block_engine_put(blk->engine, blk->file);
    }
    blk->engine = engine;
    return true;
}

uint64_t blk_image_bytes(BlockBackend *blk)
{
    return blk->file ? blk->file->bytes : blk->length;
}

uint64_t blk_getlength(BlockBackend *blk)
{
    return blk->length;
}

bool blk_is_read_only(BlockBackend *blk)
{
    return blk->read_only;
}

bool blk_enable_write_cache(BlockBackend *blk)
{
    return blk->write_cache;
}

void blk_set_write_cache(BlockBackend *blk, bool on)
{
    blk->write_cache = on;
}

uint32_t blk_request_alignment(BlockBackend *blk)
{
    return blk->file ? blk->file->align : 1;
}

bool blk_can_discard(BlockBackend *blk)
{
    return !blk->read_only && blk->discard;
}

const char *blk_name(BlockBackend *blk)
{
    return blk->name ? blk->name : blk->node_name;
}

const char *blk_filename(BlockBackend *blk)
{
    return blk->file ? blk->file->filename : "null-co://";
}

const BlockStats *blk_get_stats(BlockBackend *blk)
{
    return &blk->stats;
}

unsigned blk_in_flight(BlockBackend *blk)
{
    return blk->in_flight;
}

/* -- Requests -------------------------------------------------------------*/

static bool aligned(BlockFile *file, BlockRequest *req)
{
    return !((req->offset | req->bytes) & (file->align - 1));
}

static bool iov_is_aligned(BlockFile *file, BlockRequest *req)
{
    for (unsigned i = 0; i < req->niov; i++) {
        if (((uintptr_t)req->iov[i].iov_base & (file->mem_align - 1)) ||
            (req->iov[i].iov_len & (file->align - 1))) {
            return false;
        }
    }
    return true;
}

/* What it takes to do @req; all of it is read by other threads later on. */
static unsigned choose_how(BlockBackend *blk, BlockRequest *req)
{
    BlockFile *file = blk->file;
    bool is_write = req->op == BLK_WRITE || req->op == BLK_WRITE_ZEROES;
    bool has_data = req->op == BLK_READ || req->op == BLK_WRITE;
    unsigned how = 0;

    if (file->aio == BLOCK_AIO_THREADS || !blk->engine->ring ||
        req->op == BLK_DISCARD || req->op == BLK_WRITE_ZEROES) {
        how |= HOW_POOL;
    }
    if ((req->flags & BLK_REQ_FUA || !blk->write_cache) && !file->no_flush &&
        req->op != BLK_READ) {
        how |= HOW_FUA;
    }
    if (file->align > 1) {
        if (!aligned(file, req)) {
            how |= HOW_POOL | HOW_BOUNCE | (is_write ? HOW_ALONE : 0);
        } else if (has_data && !iov_is_aligned(file, req)) {
            how |= HOW_POOL | HOW_BOUNCE;
        }
    }
    if (blk->guard && req->op == BLK_WRITE && req->offset < 512) {
        how |= HOW_POOL | HOW_BOUNCE | HOW_ALONE | HOW_GUARD;
    }
    return how;
}

/* 1: to be done; else the result there and then. */
static int check_request(BlockBackend *blk, BlockRequest *req)
{
    if (req->op == BLK_FLUSH) {
        return blk->file && !blk->file->no_flush && !blk->read_only;
    }
    if (req->op != BLK_READ && blk->read_only) {
        return -EROFS;
    }
    if (req->offset > blk->length || req->bytes > blk->length - req->offset) {
        return -EIO;
    }
    if (req->op <= BLK_WRITE && iov_size(req->iov, req->niov) != req->bytes) {
        return -EINVAL;
    }
    if (req->op == BLK_DISCARD && !blk_can_discard(blk)) {
        return 0;
    }
    if (!req->bytes) {
        return 0;
    }
    if (!blk->file && req->op == BLK_READ && blk->read_zeroes) {
        iov_memset(req->iov, req->niov, 0, 0, req->bytes);
    }
    return 1;
}

void blk_submit(BlockBackend *blk, BlockRequest *req)
{
    int ret;

    if (unlikely(!blk->engine)) {
        blk_set_context(blk, qemu_get_aio_context(), &error_abort);
    }
    blk->in_flight++;
    req->blk = blk;
    req->progress = 0;
    req->how = 0;
    ret = check_request(blk, req);
    if (ret > 0 && blk->file) {
        req->how = choose_how(blk, req);
    }
    block_engine_queue(blk->engine, req, ret);
}

static void count(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

void (*blk_io_error_hook)(const BlockIOError *e);

static void tell_error(BlockBackend *blk, bool read, bool ignored, int error)
{
    BlockIOError e = {
        .device = blk->name, .node = blk->node_name, .read = read,
        .ignored = ignored, .error = error,
    };
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);

    if (blk_io_error_hook && (!blk->told_error_ns || now - blk->told_error_ns
                              >= NANOSECONDS_PER_SECOND)) {
        blk->told_error_ns = now;
        blk_io_error_hook(&e);
    }
}

void blk_complete(BlockRequest *req, int ret, int64_t now_ns)
{
    BlockBackend *blk = req->blk;
    BlockStats *s = &blk->stats;
    BlockErrorAction action = req->op == BLK_READ ? blk->on_read_error
                                                  : blk->on_write_error;

    blk->in_flight--;
    if (ret < 0) {
        count(&s->errors[req->op], 1);
        tell_error(blk, req->op == BLK_READ, action == BLOCK_ERROR_IGNORE,
                   -ret);
        if (action == BLOCK_ERROR_IGNORE) {
            ret = 0;
        }
    } else {
        count(&s->ops[req->op], 1);
        count(&s->bytes[req->op], req->op == BLK_FLUSH ? 0 : req->bytes);
        if (req->how & HOW_RUNNING) {
            count(&s->total_ns[req->op], now_ns - req->start_ns);
        }
        if (req->op == BLK_WRITE &&
            req->offset + req->bytes > blk->highest_write) {
            __atomic_store_n(&blk->highest_write, req->offset + req->bytes,
                             __ATOMIC_RELAXED);
        }
    }
    req->done(req, ret);
}

void blk_drain(BlockBackend *blk)
{
    while (blk->in_flight) {
        block_engine_wait(blk->engine);
    }
}
