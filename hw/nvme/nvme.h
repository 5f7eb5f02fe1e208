/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVM Express controller's own header: its state and what its files call
 * of each other.  Everything runs in the device's context.
 *
 * A command's way: a doorbell write puts its queue in the ring of active
 * queues; nvme_process() fetches commands from these in turn into free slots
 * and executes them.  A command ends in nvme_complete(), at once or from the
 * back end, and waits at its completion queue until nvme_process() or the
 * bottom half writes all that are waiting and interrupts once.
 */
#ifndef HW_NVME_INTERNAL_H
#define HW_NVME_INTERNAL_H

#include "block/block.h"
#include "hw/nvme/nvme-spec.h"
#include "hw/pci/pci.h"
#include "qemu/aio.h"

#define TYPE_NVME "nvme"
OBJECT_DECLARE_SIMPLE_TYPE(NvmeCtrl, NVME)

#define NVME_NSID 1             /* the only namespace */
#define NVME_MAX_IOQPAIRS 64
#define NVME_QUEUES (NVME_MAX_IOQPAIRS + 1)
#define NVME_DOORBELLS (2 * NVME_QUEUES)
#define NVME_MAX_VECTORS 2048
#define NVME_MAX_QUEUE_ENTRIES 2048
#define NVME_MPSMAX 4           /* pages of 4 to 64 KiB */
#define NVME_MAX_PAGE (4 * KiB << NVME_MPSMAX)
#define NVME_ADMIN_SLOTS 32
#define NVME_IO_SLOTS 512
#define NVME_SLOTS (NVME_ADMIN_SLOTS + NVME_IO_SLOTS)
#define NVME_ERROR_LOG_ENTRIES 64
#define NVME_AERL_MAX 15        /* half of the admin slots */
#define NVME_AER_QUEUE_MAX 256
#define NVME_MDTS_MAX 16        /* 256 MiB: more than 65536 blocks hold */
#define NVME_LBAFS 2
#define NVME_TEMPERATURE 323            /* kelvin */
#define NVME_TEMPERATURE_WARNING 343
#define NVME_TEMPERATURE_CRITICAL 373

/* -- State: what the guest can see or cause.  No pointers. ----------------- */

typedef struct NvmeRegs {
    uint64_t cap;
    uint32_t vs, intms, cc, csts, aqa;
    uint64_t asq, acq;
} NvmeRegs;

typedef struct NvmeSQState {
    uint64_t addr;
    uint16_t size;              /* entries; 0: there is no such queue */
    uint16_t head, tail;
    uint16_t cqid;
    uint8_t prio;
    bool deleting;              /* gone once its commands are complete */
} NvmeSQState;

typedef struct NvmeCQState {
    uint64_t addr;
    uint16_t size;              /* entries; 0: there is no such queue */
    uint16_t head, tail;
    uint16_t vector;
    bool ien;
    bool phase;                 /* of the entries written now */
} NvmeCQState;

/* A command between its fetch and its completion entry. */
typedef struct NvmeSlotState {
    bool busy;
    bool done;                  /* status and dw0 hold; not posted yet */
    uint16_t sqid;
    uint16_t status;
    uint32_t dw0;
    NvmeCmd cmd;
} NvmeSlotState;

typedef struct NvmeEvent {
    uint8_t type, info, log;
} NvmeEvent;

typedef struct NvmeState {
    NvmeRegs regs;
    bool resetting;             /* EN is 0, RDY still 1: I/O is draining */
    NvmeSQState sq[NVME_QUEUES];
    NvmeCQState cq[NVME_QUEUES];
    NvmeSlotState slot[NVME_SLOTS];

    uint32_t feat[NVME_FID_COUNT];      /* by feature identifier */
    uint32_t temp_under;        /* the other temperature threshold */
    uint64_t no_coalescing[NVME_MAX_VECTORS / 64];      /* bit per vector */
    uint64_t timestamp;         /* ms, as the host set it */
    uint64_t timestamp_at;      /* clock then */
    bool timestamp_by_host;

    NvmeEvent event[NVME_AER_QUEUE_MAX];        /* not yet reported */
    uint16_t event_nr;
    uint8_t event_masked;       /* bit per type: reported, log not yet read */
    bool ns_changed;            /* in the Changed Namespace List */

    /* Doorbell buffers, by doorbell: 2 * queue id, + 1 for its head. */
    bool dbbuf;                 /* they are in use, at these addresses */
    uint64_t dbbuf_shadow, dbbuf_eventidx;
    uint32_t shadow[NVME_DOORBELLS];    /* what the host's had last */
    uint8_t shadowed[NVME_DOORBELLS];   /* 1: by it the host has rung */

    /* Survive a controller reset. */
    uint8_t lbaf;               /* index of the namespace's LBA format */
    NvmeErrorLog error_log[NVME_ERROR_LOG_ENTRIES];     /* ring */
    uint64_t error_count;
    uint64_t blocks_read, blocks_written;       /* of 512 bytes */
    uint64_t host_reads, host_writes;
    uint64_t media_errors, unsafe_shutdowns;
} NvmeState;

extern const VMStateDescription vmstate_nvme;

/* -- Host resources -------------------------------------------------------- */

typedef struct NvmeRequest NvmeRequest;
QTAILQ_HEAD(NvmeRequestList, NvmeRequest);

/* A run of guest addresses. */
typedef struct NvmeSg {
    uint64_t addr, len;
} NvmeSg;

#define NVME_BLOCKS 8

typedef struct NvmeData {
    /* Guest memory as the back end sees it ... */
    struct iovec *iov;          /* NvmeCtrl.iov_max of them */
    unsigned niov;
    RAMBlock *block[NVME_BLOCKS];       /* referenced while in use */
    unsigned nblock;
    /* ... or, where it cannot be mapped, a copy and what it copies. */
    struct iovec bounce;
    NvmeSg *sg;
    unsigned nsg;
} NvmeData;

/* Goes on with a command after its block request: @ret 0 or -errno. */
typedef void NvmeStep(NvmeRequest *req, int ret);

struct NvmeRequest {
    BlockRequest blk;
    NvmeStep *step;
    NvmeCtrl *n;
    NvmeSlotState *s;
    NvmeData data;
    struct iovec scratch;       /* second buffer of Compare, Verify, DSM */
    struct iovec part;          /* of it, in use */
    uint64_t offset, left;      /* bytes still to do, of those that loop */
    uint16_t error_location;    /* of the parameter at fault */
    bool abort;                 /* an Abort has asked for it */
    QTAILQ_ENTRY(NvmeRequest) link;     /* free, done or waits for an event */
    QTAILQ_ENTRY(NvmeRequest) hash_link;
};

typedef struct NvmeSQ {
    QTAILQ_ENTRY(NvmeSQ) link;  /* in NvmeCtrl.active */
    bool active;
    unsigned in_flight;         /* slots */
    NvmeRequest *deleter;       /* the Delete command that waits for them */
} NvmeSQ;

typedef struct NvmeCQ {
    struct NvmeRequestList done;        /* waiting to be posted */
    QTAILQ_ENTRY(NvmeCQ) link;  /* in NvmeCtrl.dirty */
    bool dirty;
} NvmeCQ;

#define NVME_HASH 256

struct NvmeCtrl {
    PCIDevice parent_obj;

    /* Properties */
    BlockBackend *blk;
    char *serial;
    uint32_t max_ioqpairs, num_queues, logical_block_size, aer_max_queued;
    uint16_t msix_qsize;
    uint8_t mdts, aerl;
    bool dbcs;                  /* Doorbell Buffer Config is offered */

    NvmeState state;

    MemoryRegion iomem;
    QEMUBH *bh;
    bool msix;                  /* the device has MSI-X */
    bool write_cache;           /* as the drive was configured */
    bool busy;                  /* the device is at work; see nvme_leave() */
    bool reset_pending;         /* a reset that came while busy */
    int64_t power_on_ms;

    uint64_t capacity;          /* bytes */
    uint64_t page_size;         /* CC.MPS */
    uint64_t max_transfer;      /* MDTS in bytes; UINT64_MAX: no limit */

    NvmeSQ sq[NVME_QUEUES];
    NvmeCQ cq[NVME_QUEUES];
    unsigned queue_end;         /* no queue has this id or above */
    QTAILQ_HEAD(, NvmeSQ) active;       /* round robin: the first is next */
    QTAILQ_HEAD(, NvmeCQ) dirty;        /* with something to post */
    bool stalled;               /* a queue waits for a slot or a full CQ */

    AioContext *ctx;
    AioPoller poller;           /* added while doorbell buffers are in use */
    uint32_t eventidx[NVME_DOORBELLS];  /* as in the guest's memory */

    NvmeRequest *requests;      /* NVME_SLOTS, admin's first */
    struct iovec *iovs;
    unsigned iov_max;
    struct NvmeRequestList free_admin, free_io;
    struct NvmeRequestList hash[NVME_HASH];     /* busy, by (sqid, cid) */
    struct NvmeRequestList aers;        /* Asynchronous Event Requests */
    unsigned aer_nr;
    unsigned blk_in_flight;     /* block requests, shutdown's included */
    unsigned io_in_flight;      /* commands from I/O queues not complete */
    NvmeRequest *format;        /* a Format NVM at work or waiting */
    bool format_started;
    BlockRequest shutdown;
    bool shutdown_busy;

    uint64_t *prp_list;         /* one page of PRP list */
    NvmeSg *sg;                 /* of the command being looked at */
    unsigned nsg, sg_max;
    uint64_t buffers;           /* bytes of bounce and scratch in use */
};

static inline NvmeCmd *nvme_cmd(NvmeRequest *req)
{
    return &req->s->cmd;
}
static inline bool nvme_is_admin(const NvmeRequest *req)
{
    return req->s->sqid == 0;
}

/* A status, and which byte and bit of the command is at fault. */
static inline uint16_t nvme_error(NvmeRequest *req, uint16_t status,
                                  unsigned byte, unsigned bit)
{
    req->error_location = byte | bit << 8;
    return status | NVME_DNR;
}
#define NVME_AT(field, bit) offsetof(NvmeCmd, field) + (bit) / 8, (bit) % 8

/* What a command's function returns when it completes later. */
#define NVME_NO_COMPLETE 0xffff

typedef struct NvmeOp {
    uint16_t (*fn)(NvmeCtrl *n, NvmeRequest *req);      /* NULL: none such */
    uint32_t effects;           /* NVME_EFFECTS_*, without CSUPP */
} NvmeOp;

/* -- ctrl.c: registers, reset, PCI ----------------------------------------- */

/* The controller cannot go on: CSTS.CFS until a reset. */
void nvme_fatal(NvmeCtrl *n);
/* Everything as after power-on, but for what is non-volatile. */
void nvme_reset(NvmeCtrl *n);
/* In D3hot a function answers config accesses alone. */
bool nvme_asleep(const NvmeCtrl *n);
/* No block request is left: ends a controller reset that waits for that. */
void nvme_drained(NvmeCtrl *n);

/* -- queue.c --------------------------------------------------------------- */

void nvme_queues_init(NvmeCtrl *n);
/* Whether commands are taken. */
bool nvme_running(const NvmeCtrl *n);
/* Drops all queues and commands; no block request may be in flight. */
void nvme_queues_reset(NvmeCtrl *n);
/* A write of a doorbell at @addr of the BAR. */
void nvme_doorbell(NvmeCtrl *n, uint64_t addr, uint32_t value);
/* The same of a doorbell of a queue that exists, from wherever: queues become
 * active or dirty.  False: the host cannot mean that. */
bool nvme_ring(NvmeCtrl *n, unsigned doorbell, uint16_t value);
/* An event for the host: @value is none for the doorbell at @addr. */
void nvme_bad_doorbell(NvmeCtrl *n, uint8_t info, uint64_t addr,
                       uint32_t value);
/* Fetches, executes, posts, interrupts; what is left, from the bottom half. */
void nvme_process(NvmeCtrl *n);
void nvme_bh(void *opaque);
/* Ends n->busy: whatever the device's own work leads to, it does not begin
 * again from within, and a reset waits. */
void nvme_leave(NvmeCtrl *n);
/* The command is done; @req is the caller's no more.  n->busy. */
void nvme_complete(NvmeRequest *req, uint16_t status);
/* INTx to the level that queues and masks call for. */
void nvme_irq_update(NvmeCtrl *n);
/* Posts what is complete if the host has seen all before: it takes a while to
 * answer an interrupt, and what completes meanwhile needs no other.  A message
 * (MSI-X) would be sent twice, so there it does nothing. */
void nvme_post_first(NvmeCtrl *n);
/* A busy command, or NULL. */
NvmeRequest *nvme_find_request(NvmeCtrl *n, uint16_t sqid, uint16_t cid);
/* Deletes a submission queue; false: commands are in flight, and @req (the
 * Delete command) completes with the last of them. */
bool nvme_sq_delete(NvmeCtrl *n, uint16_t sqid, NvmeRequest *req);

/* -- admin.c, io.c --------------------------------------------------------- */

extern const NvmeOp nvme_admin_ops[256], nvme_io_ops[256];
uint16_t nvme_execute(NvmeCtrl *n, NvmeRequest *req);
uint16_t nvme_format(NvmeCtrl *n, NvmeRequest *req);
uint16_t nvme_flush(NvmeCtrl *n, NvmeRequest *req);
/* The last I/O command is complete: a Format that waited begins. */
void nvme_format_ready(NvmeCtrl *n);

unsigned nvme_lba_shift(const NvmeCtrl *n);
uint64_t nvme_nsze(const NvmeCtrl *n);                  /* blocks */

/* -- dbbuf.c: doorbell buffers --------------------------------------------- */

uint16_t nvme_dbbuf_config(NvmeCtrl *n, NvmeRequest *req);
void nvme_dbbuf_init(NvmeCtrl *n);
/* They are not in use any more. */
void nvme_dbbuf_reset(NvmeCtrl *n);
/* A queue has been made: what its doorbell in memory has now is no ring. */
void nvme_dbbuf_forget(NvmeCtrl *n, unsigned doorbell);
/* The register of a doorbell has been written: looks at what is in memory, and
 * gives whether that is what counts. */
bool nvme_dbbuf_rung(NvmeCtrl *n, unsigned doorbell);
/* What the host is to ring for has changed, perhaps while the loop sleeps. */
void nvme_dbbuf_rearm(NvmeCtrl *n);

/* -- features.c, log.c ----------------------------------------------------- */

uint16_t nvme_get_features(NvmeCtrl *n, NvmeRequest *req);
uint16_t nvme_set_features(NvmeCtrl *n, NvmeRequest *req);
void nvme_features_reset(NvmeCtrl *n);
uint8_t nvme_critical_warning(NvmeCtrl *n);             /* of SMART */

uint16_t nvme_get_log_page(NvmeCtrl *n, NvmeRequest *req);
void nvme_log_error(NvmeCtrl *n, uint16_t sqid, uint16_t cid, uint16_t status,
                    uint16_t location, uint64_t lba, uint32_t nsid);
uint16_t nvme_async_event_request(NvmeCtrl *n, NvmeRequest *req);
/* @req waits no longer for an event. */
void nvme_aer_remove(NvmeCtrl *n, NvmeRequest *req);
void nvme_event(NvmeCtrl *n, uint8_t type, uint8_t info, uint8_t log);
void nvme_report_events(NvmeCtrl *n);

/* -- dma.c ----------------------------------------------------------------- */

/**
 * nvme_data_map - the command's data buffer as an I/O vector in req->data.
 * @len: bytes, not 0
 * @to_guest: the command writes to the guest
 * Returns a status; after success nvme_data_unmap() is due.
 */
uint16_t nvme_data_map(NvmeRequest *req, uint64_t len, bool to_guest);
/* @copy: the guest gets what was read, where that went to a copy so far. */
uint16_t nvme_data_unmap(NvmeRequest *req, bool copy);
/* Copy a whole small structure. */
uint16_t nvme_data_to_guest(NvmeRequest *req, const void *buf, uint64_t len);
uint16_t nvme_data_from_guest(NvmeRequest *req, void *buf, uint64_t len);
/* Page-aligned memory within the controller's budget, or false. */
bool nvme_buffer_alloc(NvmeCtrl *n, struct iovec *iov, uint64_t len);
void nvme_buffer_free(NvmeCtrl *n, struct iovec *iov);

#endif
