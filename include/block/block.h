/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk back ends (-drive if=none, -blockdev) and the requests that a device
 * model sends them.  A back end runs in the context of its device
 * (blk_set_context at realize), completes in it, and allocates nothing per
 * request: the BlockRequest is part of the model's own command structure.
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
    /* @ret: 0 or -errno (-EIO, -ENOSPC, -EROFS, -ENOTSUP, ...) */
    void (*done)(BlockRequest *req, int ret);

    /* The back end's own. */
    BlockBackend *blk;
    uint64_t progress;
    int state;
    int64_t start_ns;
    struct iovec cut[2];
    QTAILQ_ENTRY(BlockRequest) link;
};

typedef struct BlockStats {
    uint64_t ops[5], bytes[5], errors[5], total_ns[5];  /* by BlockOp */
} BlockStats;

/* -- Making them --------------------------------------------------------- */

/* @opts as -drive has them: file, format, if, id, readonly, cache, discard,
 * aio, werror, rerror, media, node-name, snapshot refused. */
BlockBackend *drive_new(JsonObject *opts, Error **errp);
/* As -blockdev and blockdev-add: driver raw over driver file or host_device,
 * nested ("file.driver", ...) or by node name. */
bool blockdev_add(JsonObject *opts, Error **errp);
bool blockdev_del(const char *node_name, Error **errp);
BlockBackend *blk_by_name(const char *id_or_node);      /* NULL if none */

/* A device takes a back end for itself; one device each. */
bool blk_attach_dev(BlockBackend *blk, Object *dev, Error **errp);
void blk_detach_dev(BlockBackend *blk);
/* Where requests come from and complete; no request in flight. */
bool blk_set_context(BlockBackend *blk, AioContext *ctx, Error **errp);

/* -- Use ----------------------------------------------------------------- */

uint64_t blk_getlength(BlockBackend *blk);              /* bytes */
bool blk_is_read_only(BlockBackend *blk);
bool blk_enable_write_cache(BlockBackend *blk);         /* cache.writeback */
uint32_t blk_request_alignment(BlockBackend *blk);      /* 1, 512 or 4096 */
bool blk_can_discard(BlockBackend *blk);
const char *blk_name(BlockBackend *blk);
const char *blk_filename(BlockBackend *blk);
const BlockStats *blk_get_stats(BlockBackend *blk);
void blk_set_write_cache(BlockBackend *blk, bool on);

/* Queues @req; it is submitted with others before the context sleeps, and
 * req->done runs in the context, never inside this call. */
void blk_submit(BlockBackend *blk, BlockRequest *req);
/* Runs the context until nothing is in flight here. */
void blk_drain(BlockBackend *blk);
unsigned blk_in_flight(BlockBackend *blk);

/* query-block, query-blockstats, query-named-block-nodes */
JsonNode *blk_query(void);
JsonNode *blk_query_stats(void);
JsonNode *blk_query_nodes(void);

#endif
