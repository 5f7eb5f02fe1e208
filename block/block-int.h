/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of block/:
 *
 *   drive.c, options.c   what the operator wrote becomes nodes
 *   block-backend.c  nodes: names, users, checks of a request, statistics
 *   engine.c         one per context: queue, dispatch, completion
 *   io_uring.c       reads, writes and flushes by the context's ring
 *   thread-pool.c    everything else, by threads that call file.c
 *   file.c           an open file: alignment, locks, a request done at once
 *   format.c         formats recognised by their first bytes
 */
#ifndef BLOCK_INT_H
#define BLOCK_INT_H

#include "block/block.h"
#include "qemu/aio.h"

typedef QTAILQ_HEAD(BlockRequestList, BlockRequest) BlockRequestList;
typedef struct BlockEngine BlockEngine;
typedef struct BlockRing BlockRing;
typedef struct BlockPool BlockPool;

typedef enum BlockAio {
    BLOCK_AIO_DEFAULT,          /* io_uring if the system lets us */
    BLOCK_AIO_IO_URING,
    BLOCK_AIO_THREADS,
} BlockAio;

/* What blk_submit decided about a request (BlockRequest.how). */
enum {
    HOW_FUA = 1 << 0,           /* stable when done */
    HOW_POOL = 1 << 1,          /* the ring has no way to do it */
    HOW_BOUNCE = 1 << 2,        /* not aligned as the file demands */
    HOW_ALONE = 1 << 3,         /* reads, modifies and writes: no other
                                   request of the node beside it */
    HOW_GUARD = 1 << 4,         /* must not become another format */
    HOW_RUNNING = 1 << 5,       /* was dispatched */
};

/* -- Files (file.c) -------------------------------------------------------*/

typedef struct BlockFile {
    char *filename;
    int fd;
    bool is_device;
    bool read_only;
    bool direct, no_flush;
    bool locking;
    bool in_memory;             /* on tmpfs */
    uint8_t *map;               /* all bytes of such a file, or NULL */
    MapGuard *map_guard;
    int64_t noted_ns;           /* when the kernel last saw a write */
    BlockAio aio;
    uint32_t align;             /* of offsets and lengths; 1 if not direct */
    uint32_t mem_align;
    uint64_t bytes;             /* the file's own size */
    uint64_t length;            /* in whole sectors of 512 bytes */
    int slot;                   /* in the ring's table of files, or -1 */
} BlockFile;

typedef struct BlockFileOptions {
    const char *filename;
    bool is_device;             /* driver host_device, not file */
    bool read_only, auto_read_only;
    bool direct, no_flush;
    bool locking;
    bool discard;               /* holes may be made in it */
    BlockAio aio;
} BlockFileOptions;

BlockFile *block_file_open(const BlockFileOptions *o, Error **errp);
void block_file_close(BlockFile *file);     /* NULL is ignored */
/* OFD locks as QEMU's own processes take them on an image. */
bool block_file_lock(BlockFile *file, bool write, Error **errp);
void block_file_unlock(BlockFile *file);

/* What is still to do of a read or write: a list of *n elements, which is the
 * caller's or req->cut. */
const struct iovec *block_req_rest(BlockRequest *req, unsigned *n);
/* Accounts for a transfer that returned @n.  1: go on; 0: complete; else
 * -errno. */
int block_req_advance(BlockRequest *req, ssize_t n);

/* Does @req in the calling thread.  *@bounce is kept from call to call, and
 * freed by the caller; NULL at first. */
int block_file_do(BlockRequest *req, void **bounce);
/* Does a read or write of memory without the kernel, if it can; all of @req's
 * memory is valid.  The engine's thread; @now_ns is about now. */
bool block_file_copy(BlockRequest *req, int64_t now_ns);

/* -- Formats (format.c) ---------------------------------------------------*/

#define BLOCK_PROBE_SIZE 2048

/* The name of the format that an image of @length bytes with these first and
 * last bytes has, or NULL: raw. */
const char *block_format_probe(const uint8_t *head, size_t head_len,
                               const uint8_t *tail, size_t tail_len);
/* The same for an open file. */
bool block_format_probe_file(BlockFile *file, const char **format,
                             Error **errp);
/* QEMU's other formats and protocols, NULL-terminated. */
extern const char *const block_other_formats[], *const block_other_protocols[];
void block_format_refuse(Error **errp, const char *filename,
                         const char *format);

/* -- Nodes (block-backend.c) ----------------------------------------------*/

typedef enum BlockErrorAction {
    BLOCK_ERROR_REPORT,
    BLOCK_ERROR_IGNORE,
} BlockErrorAction;

struct BlockBackend {
    char *name;                 /* -drive's id, or NULL */
    char *node_name;
    const char *driver;         /* raw, file, host_device, null-co */
    bool implicit;              /* made for its parent, deleted with it */
    BlockBackend *child, *parent;
    BlockFile *file;            /* the child's too; NULL: null-co */
    uint64_t length;
    bool read_only;
    bool write_cache;
    bool discard;               /* this node and its child pass it on */
    bool guard;                 /* raw by guess: see HOW_GUARD */
    bool read_zeroes;           /* null-co */
    uint64_t latency_ns;        /* null-co */
    bool removable;             /* media=cdrom */
    BlockErrorAction on_read_error, on_write_error;

    Object *dev;
    BlockEngine *engine;
    unsigned in_flight;         /* submitted, done not yet called */
    unsigned running;           /* dispatched of these */
    bool alone;                 /* one of them is HOW_ALONE */
    BlockRequestList held;      /* wait for it, or for being alone */
    BlockStats stats;
    uint64_t highest_write;
    int64_t told_error_ns;      /* when blk_io_error_hook was last called */
    QTAILQ_ENTRY(BlockBackend) link;
};

typedef QTAILQ_HEAD(BlockBackendList, BlockBackend) BlockBackendList;
extern BlockBackendList block_backends;

/* Fails if a name is taken.  @node_name NULL: "#blockN". */
BlockBackend *blk_new(const char *driver, const char *name,
                      const char *node_name, Error **errp);
void blk_free(BlockBackend *blk);
void blk_set_child(BlockBackend *blk, BlockBackend *child);
/* Counts it and calls done; for block_engine_done only. */
void blk_complete(BlockRequest *req, int ret, int64_t now_ns);

/* -- Engines --------------------------------------------------------------*/

struct BlockEngine {
    AioContext *ctx;
    unsigned refs;
    BlockRequestList queue;     /* not yet dispatched */
    BlockRequestList finished;  /* done not yet called */
    BlockRequestList slow;      /* of null-co with a latency, first due first */
    QEMUTimer *slow_timer;
    QEMUBH *bh;
    uint64_t copied;            /* bytes, ever */
    uint64_t turn_end;          /* of these, where it is others' turn; or 0 */
    BlockRing *ring;            /* NULL: no file here wants one */
    BlockPool *pool;            /* NULL: not yet needed */
    EventNotifier bell;         /* rung by the pool while it is watched */
    QTAILQ_ENTRY(BlockEngine) link;
};

/* With a ring if @aio wants one and may have one. */
BlockEngine *block_engine_get(AioContext *ctx, BlockFile *file, Error **errp);
void block_engine_put(BlockEngine *e, BlockFile *file);
/* Takes a request on; @ret <= 0: with that result, 1: to be done. */
void block_engine_queue(BlockEngine *e, BlockRequest *req, int ret);
/* A result is there: @req leaves its node and done is called. */
void block_engine_done(BlockEngine *e, BlockRequest *req, int ret,
                       int64_t now_ns);
/* Gets on with its requests, sleeping if there is nothing else to do, without
 * entering the loop: nothing but done() is called. */
void block_engine_wait(BlockEngine *e);
/* Before the queue's others. */
void block_engine_requeue(BlockEngine *e, BlockRequest *req);

bool block_ring_available(void);
BlockRing *block_ring_new(BlockEngine *e, Error **errp);
void block_ring_free(BlockRing *ring);
/* Takes @req off the engine's queue; false: full, later then. */
bool block_ring_add(BlockRing *ring, BlockRequest *req);
/* False: the kernel refuses the ring; its requests are in the queue again. */
bool block_ring_submit(BlockRing *ring);
bool block_ring_reap(BlockRing *ring);
/* Readable when there is something to reap; -1: never. */
int block_ring_fd(BlockRing *ring);
/* The kernel had no room for all: submit again soon. */
bool block_ring_is_behind(BlockRing *ring);
void block_ring_forget(BlockRing *ring, BlockFile *file);

/* After this time without work a thread ends. */
extern unsigned block_pool_idle_ms;
BlockPool *block_pool_new(QEMUBH *bh, EventNotifier *bell);
void block_pool_free(BlockPool *pool);      /* idle; joins its threads */
/* The thread that did it leaves the result in req->ret. */
void block_pool_submit(BlockPool *pool, BlockRequest *req);
/* Moves what is done to @list. */
void block_pool_collect(BlockPool *pool, BlockRequestList *list);
/* From now on, or no more, the bell rings when a request is done; at once if
 * there is something to collect. */
void block_pool_watch(BlockPool *pool, bool watch);

#endif
