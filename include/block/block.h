/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk back ends (-drive if=none, -blockdev) and the requests that a device
 * model sends them.  A back end runs in the context of its device
 * (blk_set_context at realize), completes in it, and allocates nothing per
 * request: the BlockRequest is part of the model's own command structure.
 *
 * Making, naming, attaching and deleting are for the main thread; submitting,
 * draining and moving are for the owner of the context (see qemu/aio.h).
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "qapi/error.h"
#include "qemu/queue.h"
#include <json-glib/json-glib.h>

typedef enum BlockOp {
    BLK_READ,
    BLK_WRITE,
    BLK_FLUSH,          /* all that completed before is on stable storage */
    BLK_DISCARD,
    BLK_WRITE_ZEROES,   /* reads as zero afterwards */
    BLK_OP_MAX,
} BlockOp;

enum {
    BLK_REQ_FUA = 1 << 0,           /* on stable storage when complete */
    BLK_REQ_MAY_UNMAP = 1 << 1,     /* zeroes may be holes */
};

typedef struct BlockRequest BlockRequest;
struct BlockRequest {
    /* Filled in by the caller. */
    BlockOp op;
    uint32_t flags;
    uint64_t offset, bytes;
    const struct iovec *iov;        /* reads and writes: bytes in all; lives
                                       until done */
    unsigned niov;
    /* @ret: 0 or -errno (-EIO, -ENOSPC, -EPERM, ...).  The request is the
     * caller's again and may be submitted anew from here. */
    void (*done)(BlockRequest *req, int ret);

    /* The back end's own. */
    BlockBackend *blk;
    uint64_t progress;              /* bytes done */
    int64_t start_ns;
    int ret;
    unsigned how;
    struct iovec cut;               /* rest of an element done in part */
    QTAILQ_ENTRY(BlockRequest) link;
};

typedef struct BlockStats {
    uint64_t ops[BLK_OP_MAX], bytes[BLK_OP_MAX], errors[BLK_OP_MAX],
             total_ns[BLK_OP_MAX];
} BlockStats;

/* -- Making them --------------------------------------------------------- */

/* As -drive has it; @opts is only read: from keyval_parse_flat(), or nested.
 * Keys: file, format, if, id, readonly, auto-read-only, cache, cache.direct,
 * cache.no-flush, cache.writeback, discard, aio, werror, rerror, media,
 * node-name, file.locking; size, read-zeroes, latency-ns for driver null-co. */
BlockBackend *drive_new(JsonObject *opts, Error **errp);
/* As -blockdev and blockdev-add: driver raw over driver file or host_device,
 * nested ("file.driver", ...) or by node name; null-co.  @opts is only read. */
bool blockdev_add(JsonObject *opts, Error **errp);
bool blockdev_del(const char *node_name, Error **errp);
BlockBackend *blk_by_name(const char *id_or_node);      /* NULL if none */
bool blk_any(void);                             /* is there one? */
/* For so long a device waits for an image that another process has locked: the
 * kernel keeps the files of a killed process's ring until its requests have
 * ended, and some time longer.  0 except at the start. */
extern unsigned blk_lock_wait_ms;
/* At exit: unlocks the images that nobody uses any more, for the next process
 * may come at once, and the kernel gives a ring's files back some time later.
 * An image with requests in flight stays locked until they are done. */
void blk_unlock_all(void);
/* At exit: frees every back end.  The devices are gone. */
void blk_close_all(void);

/**
 * blk_attach_dev - a device takes a back end for itself; one device each.
 *
 * Locks the image against other processes: fails when another one writes it,
 * or, unless it is read-only here, uses it in any way.
 */
bool blk_attach_dev(BlockBackend *blk, Object *dev, Error **errp);
/* Nothing may be in flight.  Leaves the context. */
void blk_detach_dev(BlockBackend *blk);
/* Where requests come from and complete; no request in flight.  NULL: none.
 * Before that it is the main loop's. */
bool blk_set_context(BlockBackend *blk, AioContext *ctx, Error **errp);

/* -- Use ----------------------------------------------------------------- */

/* Bytes of the image itself, before it is padded to whole sectors. */
uint64_t blk_image_bytes(BlockBackend *blk);
uint64_t blk_getlength(BlockBackend *blk);              /* bytes */
bool blk_is_read_only(BlockBackend *blk);
bool blk_enable_write_cache(BlockBackend *blk);         /* cache.writeback */
/* What offsets and lengths should be multiples of: 1, 512 or 4096.  Others
 * work, slowly. */
uint32_t blk_request_alignment(BlockBackend *blk);
bool blk_can_discard(BlockBackend *blk);
const char *blk_name(BlockBackend *blk);    /* id, or node name without one */
const char *blk_filename(BlockBackend *blk);
const BlockStats *blk_get_stats(BlockBackend *blk);
/* Off: every write submitted from now on is stable when it completes. */
void blk_set_write_cache(BlockBackend *blk, bool on);

/* Queues @req; it is submitted with others before the context sleeps, and
 * req->done runs in the context, never inside this call. */
void blk_submit(BlockBackend *blk, BlockRequest *req);
/* Waits until nothing is in flight here.  For the context's owner, and for the
 * main context whoever has the BQL.  done() is called of this and of the
 * context's other back ends; nothing else of the context runs. */
void blk_drain(BlockBackend *blk);
unsigned blk_in_flight(BlockBackend *blk);

/* query-block, query-blockstats, query-named-block-nodes */
JsonNode *blk_query(void);
JsonNode *blk_query_stats(void);
JsonNode *blk_query_nodes(void);

#endif
