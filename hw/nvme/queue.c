/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe queues (NVM Express 1.4, sections 4.1, 4.6, 4.13, 7.5): doorbells,
 * fetching with round robin arbitration, posting completions, interrupts.
 *
 * One call fetches NVME_BATCH commands at most, the bottom half goes on from
 * there, so that no guest holds the context for itself.  Commands wait in the
 * guest's memory while all slots are taken or their completion queue is full.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/msi.h"
#include "nvme.h"

#define NVME_BATCH 64

static unsigned sq_entries(const NvmeSQState *sq)
{
    return (sq->tail + sq->size - sq->head) % sq->size;
}

static unsigned cq_entries(const NvmeCQState *cq)
{
    return (cq->tail + cq->size - cq->head) % cq->size;
}

static bool cq_full(const NvmeCQState *cq)
{
    return cq_entries(cq) == cq->size - 1;
}

bool nvme_running(const NvmeCtrl *n)
{
    const NvmeState *st = &n->state;

    return (st->regs.csts & (NVME_CSTS_RDY | NVME_CSTS_CFS)) == NVME_CSTS_RDY
        && !st->resetting;
}

/* -- Slots ----------------------------------------------------------------- */

static struct NvmeRequestList *hash_list(NvmeCtrl *n, uint16_t sqid,
                                         uint16_t cid)
{
    return &n->hash[(sqid * 37u + cid) % NVME_HASH];
}

NvmeRequest *nvme_find_request(NvmeCtrl *n, uint16_t sqid, uint16_t cid)
{
    NvmeRequest *req;

    QTAILQ_FOREACH(req, hash_list(n, sqid, cid), hash_link) {
        if (req->s->sqid == sqid && req->s->cmd.cid == cid) {
            return req;
        }
    }
    return NULL;
}

static struct NvmeRequestList *free_list(NvmeCtrl *n, uint16_t sqid)
{
    return sqid ? &n->free_io : &n->free_admin;
}

static void request_begin(NvmeCtrl *n, NvmeRequest *req, uint16_t sqid)
{
    NvmeSlotState *s = req->s;

    QTAILQ_REMOVE(free_list(n, sqid), req, link);
    s->busy = true;
    s->done = false;
    s->sqid = sqid;
    s->dw0 = 0;
    req->abort = false;
    req->error_location = 0xffff;
    n->sq[sqid].in_flight++;
    n->io_in_flight += sqid != 0;
    QTAILQ_INSERT_TAIL(hash_list(n, sqid, s->cmd.cid), req, hash_link);
}

static void cq_set_dirty(NvmeCtrl *n, uint16_t cqid)
{
    NvmeCQ *cq = &n->cq[cqid];

    if (!cq->dirty) {
        cq->dirty = true;
        QTAILQ_INSERT_TAIL(&n->dirty, cq, link);
    }
}

static void sq_set_active(NvmeCtrl *n, uint16_t sqid)
{
    const NvmeSQState *s = &n->state.sq[sqid];
    NvmeSQ *sq = &n->sq[sqid];

    if (!sq->active && s->size && !s->deleting && s->head != s->tail) {
        sq->active = true;
        QTAILQ_INSERT_TAIL(&n->active, sq, link);
    }
}

static void sq_remove(NvmeCtrl *n, uint16_t sqid)
{
    NvmeSQ *sq = &n->sq[sqid];

    if (sq->active) {
        sq->active = false;
        QTAILQ_REMOVE(&n->active, sq, link);
    }
    n->state.sq[sqid] = (NvmeSQState){ 0 };
}

/* The command has left: its slot is free, and its queue may be too. */
static void request_end(NvmeCtrl *n, NvmeRequest *req)
{
    uint16_t sqid = req->s->sqid;
    NvmeSQ *sq = &n->sq[sqid];
    NvmeRequest *deleter;

    QTAILQ_REMOVE(hash_list(n, sqid, req->s->cmd.cid), req, hash_link);
    req->s->busy = false;
    QTAILQ_INSERT_HEAD(free_list(n, sqid), req, link);
    if (--sq->in_flight == 0 && sq->deleter) {
        deleter = sq->deleter;
        sq->deleter = NULL;
        sq_remove(n, sqid);
        nvme_complete(deleter, NVME_SUCCESS);
    }
}

void nvme_complete(NvmeRequest *req, uint16_t status)
{
    NvmeCtrl *n = req->n;
    NvmeSlotState *s = req->s;
    uint16_t cqid = n->state.sq[s->sqid].cqid;

    if (status && (status & 0x7ff) != NVME_CMD_ABORT_REQ) {
        nvme_log_error(n, s->sqid, s->cmd.cid, status, req->error_location,
                       s->sqid ? s->cmd.cdw10 | (uint64_t)s->cmd.cdw11 << 32
                               : 0,
                       s->cmd.nsid);
        status |= NVME_MORE;
    }
    trace_event("nvme_complete", "sqid %u cid %u status 0x%x dw0 0x%x",
                s->sqid, s->cmd.cid, status, s->dw0);
    s->status = status;
    s->done = true;
    QTAILQ_INSERT_TAIL(&n->cq[cqid].done, req, link);
    cq_set_dirty(n, cqid);
    if (!nvme_is_admin(req) && --n->io_in_flight == 0) {
        nvme_format_ready(n);
    }
}

/* -- Posting (4.6) --------------------------------------------------------- */

/* Host memory of the entries from the tail on, up to the end of the ring. */
static void *cq_map(NvmeCtrl *n, const NvmeCQState *cq, RAMBlock **block,
                    unsigned *room)
{
    uint64_t len = (uint64_t)(cq->size - cq->tail) * sizeof(NvmeCqe);
    void *p = pci_dma_map(&n->parent_obj,
                          cq->addr + cq->tail * sizeof(NvmeCqe), &len, true,
                          block);

    *room = p ? len / sizeof(NvmeCqe) : 0;
    return p;
}

static void cqe_store(void *host, const NvmeCqe *cqe)
{
    uint64_t w[2];

    /* A guest that polls the phase must find the rest in place. */
    memcpy(w, cqe, sizeof(w));
    memcpy(host, &w[0], sizeof(w[0]));
    __atomic_store_n((uint64_t *)host + 1, w[1], __ATOMIC_RELEASE);
}

/* Writes what waits, as far as there is room; true if that was anything. */
static bool cq_post(NvmeCtrl *n, uint16_t cqid)
{
    NvmeCQState *cq = &n->state.cq[cqid];
    struct NvmeRequestList *done = &n->cq[cqid].done;
    NvmeRequest *req, *next;
    RAMBlock *block = NULL;
    NvmeCqe *host = NULL;
    unsigned room = 0;
    bool posted = false;

    while ((req = QTAILQ_FIRST(done)) && !cq_full(cq)) {
        NvmeSlotState *s = req->s;
        NvmeCqe cqe = {
            .dw0 = s->dw0,
            .sqhd = n->state.sq[s->sqid].head,
            .sqid = s->sqid,
            .cid = s->cmd.cid,
            .status = s->status << 1 | cq->phase,
        };

        if (!room) {
            address_space_unmap(block);
            block = NULL;
            host = cq_map(n, cq, &block, &room);
        }
        if (room) {
            cqe_store(host++, &cqe);
            room--;
        } else if (pci_dma_write(&n->parent_obj,
                                 cq->addr + cq->tail * sizeof(cqe), &cqe,
                                 sizeof(cqe)) != MEMTX_OK) {
            nvme_fatal(n);
            break;
        }
        if (++cq->tail == cq->size) {
            cq->tail = 0;
            cq->phase = !cq->phase;
            room = 0;
        }
        posted = true;
        QTAILQ_REMOVE(done, req, link);
        request_end(n, req);
    }
    address_space_unmap(block);

    /* A queue's deletion must not wait for room that may never come. */
    if (cq_full(cq)) {
        QTAILQ_FOREACH_SAFE(req, done, link, next) {
            if (n->state.sq[req->s->sqid].deleting) {
                QTAILQ_REMOVE(done, req, link);
                request_end(n, req);
            }
        }
    }
    return posted;
}

static void post_all(NvmeCtrl *n)
{
    bool intx = false;
    NvmeCQ *cq;
    unsigned i;

    while ((cq = QTAILQ_FIRST(&n->dirty)) && nvme_running(n)) {
        const NvmeCQState *s = &n->state.cq[cq - n->cq];

        QTAILQ_REMOVE(&n->dirty, cq, link);
        cq->dirty = false;
        if (s->size && cq_post(n, cq - n->cq) && s->ien) {
            if (msix_enabled(&n->parent_obj)) {
                msix_notify(&n->parent_obj, s->vector);
            } else {
                intx = true;
            }
        }
        if (n->stalled) {
            n->stalled = false;
            for (i = 0; i < NVME_QUEUES; i++) {
                sq_set_active(n, i);
            }
        }
    }
    if (intx) {
        nvme_irq_update(n);
    }
}

void nvme_post_first(NvmeCtrl *n)
{
    const NvmeCQ *cq = QTAILQ_FIRST(&n->dirty);

    if (cq && !msix_enabled(&n->parent_obj) &&
        !cq_entries(&n->state.cq[cq - n->cq])) {
        post_all(n);
    }
}

void nvme_irq_update(NvmeCtrl *n)
{
    bool level = false;
    unsigned i;

    if (!msix_enabled(&n->parent_obj)) {
        for (i = 0; i < n->queue_end && !level; i++) {
            const NvmeCQState *cq = &n->state.cq[i];

            level = cq->ien && cq->head != cq->tail
                && !(n->state.regs.intms >> (cq->vector & 31) & 1);
        }
    }
    pci_set_irq(&n->parent_obj, level);
}

/* -- Fetching (4.13) ------------------------------------------------------- */

/* Takes up to @max commands off the queue; how many it took. */
static unsigned sq_run(NvmeCtrl *n, uint16_t sqid, unsigned max)
{
    NvmeSQState *sq = &n->state.sq[sqid];
    unsigned todo = MIN(max, MIN(sq_entries(sq), sq->size - sq->head));
    uint64_t len = (uint64_t)todo * sizeof(NvmeCmd);
    hwaddr addr = sq->addr + sq->head * sizeof(NvmeCmd);
    RAMBlock *block = NULL;
    const NvmeCmd *host = pci_dma_map(&n->parent_obj, addr, &len, false,
                                      &block);
    unsigned i;

    if (host && len >= sizeof(*host)) {
        todo = MIN(todo, len / sizeof(*host));
    } else {
        address_space_unmap(block);
        host = NULL;
        block = NULL;
        todo = 1;
    }
    for (i = 0; i < todo && nvme_running(n); i++) {
        NvmeRequest *req = QTAILQ_FIRST(free_list(n, sqid));
        uint16_t status;

        if (!req || cq_full(&n->state.cq[sq->cqid])) {
            n->stalled = true;
            break;
        }
        if (host) {
            req->s->cmd = host[i];
        } else if (pci_dma_read(&n->parent_obj, addr, &req->s->cmd,
                                sizeof(NvmeCmd)) != MEMTX_OK) {
            nvme_fatal(n);
            break;
        }
        if (++sq->head == sq->size) {
            sq->head = 0;
        }
        status = nvme_find_request(n, sqid, req->s->cmd.cid)
            ? NVME_CID_CONFLICT : NVME_SUCCESS;
        request_begin(n, req, sqid);
        trace_event("nvme_fetch", "sqid %u cid %u opcode 0x%x nsid 0x%x", sqid,
                    req->s->cmd.cid, req->s->cmd.opcode, req->s->cmd.nsid);
        status = status ? nvme_error(req, status, NVME_AT(cid, 0))
                        : nvme_execute(n, req);
        if (status != NVME_NO_COMPLETE) {
            nvme_complete(req, status);
        }
    }
    address_space_unmap(block);
    return i;
}

void nvme_process(NvmeCtrl *n)
{
    unsigned budget = NVME_BATCH;
    unsigned ab = extract32(n->state.feat[NVME_FID_ARBITRATION], 0, 3);
    unsigned burst = ab == NVME_AB_NO_LIMIT ? NVME_BATCH : 1u << ab;
    NvmeSQ *sq;

    if (n->busy) {
        qemu_bh_schedule(n->bh);
        return;
    }
    n->busy = true;
    while (budget && nvme_running(n) && (sq = QTAILQ_FIRST(&n->active))) {
        uint16_t sqid = sq - n->sq;
        bool stalled = n->stalled;

        QTAILQ_REMOVE(&n->active, sq, link);
        sq->active = false;
        n->stalled = false;
        budget -= sq_run(n, sqid, MIN(burst, budget));
        /* One that cannot go on is set active when there is room again. */
        if (!n->stalled) {
            sq_set_active(n, sqid);
        }
        n->stalled |= stalled;
    }
    post_all(n);
    nvme_leave(n);
}

void nvme_bh(void *opaque)
{
    nvme_process(opaque);
}

void nvme_leave(NvmeCtrl *n)
{
    n->busy = false;
    if (n->reset_pending) {
        n->reset_pending = false;
        nvme_reset(n);
    }
    if (nvme_running(n)
        && (!QTAILQ_EMPTY(&n->active) || !QTAILQ_EMPTY(&n->dirty))) {
        qemu_bh_schedule(n->bh);
    }
}

/* -- Doorbells (3.1.16, 3.1.17) -------------------------------------------- */

void nvme_bad_doorbell(NvmeCtrl *n, uint8_t info, uint64_t addr,
                       uint32_t value)
{
    qemu_log_mask(LOG_GUEST_ERROR, "nvme: invalid %s: 0x%x at 0x%" PRIx64 "\n",
                  info == NVME_AER_INFO_ERR_INVALID_DB_VALUE
                  ? "doorbell value" : "doorbell register", value, addr);
    nvme_log_error(n, 0xffff, 0xffff, 0, 0xffff, 0, 0);
    nvme_event(n, NVME_AER_TYPE_ERROR, info, NVME_LOG_ERROR_INFO);
}

/* The host has taken entries off the queue; false: as many it did not have. */
static bool cq_head(NvmeCtrl *n, uint16_t cqid, uint16_t head)
{
    NvmeCQState *cq = &n->state.cq[cqid];

    if (head >= cq->size
        || (head + cq->size - cq->head) % cq->size > cq_entries(cq)) {
        return false;
    }
    cq->head = head;
    if (!QTAILQ_EMPTY(&n->cq[cqid].done) || n->stalled) {
        cq_set_dirty(n, cqid);
    }
    return true;
}

/* The host has put entries on the queue; false: more than it has room for. */
static bool sq_tail(NvmeCtrl *n, uint16_t sqid, uint16_t tail)
{
    NvmeSQState *sq = &n->state.sq[sqid];

    if (tail >= sq->size
        || (tail + sq->size - sq->tail) % sq->size
           > sq->size - 1 - sq_entries(sq)) {
        return false;
    }
    sq->tail = tail;
    sq_set_active(n, sqid);
    return true;
}

bool nvme_ring(NvmeCtrl *n, unsigned doorbell, uint16_t value)
{
    return doorbell & 1 ? cq_head(n, doorbell >> 1, value)
                        : sq_tail(n, doorbell >> 1, value);
}

void nvme_doorbell(NvmeCtrl *n, uint64_t addr, uint32_t value)
{
    uint64_t doorbell = (addr - NVME_REG_DOORBELLS) >> 2, qid = doorbell >> 1;
    bool is_cq = doorbell & 1;
    unsigned size = 0;

    if (!nvme_running(n)) {
        return;
    }
    trace_event("nvme_doorbell", "%cq %" PRIu64 " value %u",
                is_cq ? 'c' : 's', qid, value);
    value &= 0xffff;
    if (qid < NVME_QUEUES) {
        size = is_cq ? n->state.cq[qid].size : n->state.sq[qid].size;
    }
    if (!size) {
        nvme_bad_doorbell(n, NVME_AER_INFO_ERR_INVALID_DB_REGISTER, addr,
                          value);
    } else if (!(nvme_dbbuf_rung(n, doorbell) && value < size)
               && !nvme_ring(n, doorbell, value)) {
        nvme_bad_doorbell(n, NVME_AER_INFO_ERR_INVALID_DB_VALUE, addr, value);
    }
    if (is_cq && size) {
        nvme_irq_update(n);
    }
    if (!QTAILQ_EMPTY(&n->active) || !QTAILQ_EMPTY(&n->dirty)) {
        nvme_process(n);
    }
    nvme_dbbuf_rearm(n);
}

/* -- Life ------------------------------------------------------------------ */

bool nvme_sq_delete(NvmeCtrl *n, uint16_t sqid, NvmeRequest *req)
{
    NvmeSQ *sq = &n->sq[sqid];
    unsigned i;

    if (sq->in_flight == 0) {
        sq_remove(n, sqid);
        return true;
    }
    n->state.sq[sqid].deleting = true;
    if (sq->active) {
        sq->active = false;
        QTAILQ_REMOVE(&n->active, sq, link);
    }
    sq->deleter = req;
    for (i = NVME_ADMIN_SLOTS; i < NVME_SLOTS; i++) {
        if (n->state.slot[i].busy && n->state.slot[i].sqid == sqid) {
            n->requests[i].abort = true;
        }
    }
    cq_set_dirty(n, n->state.sq[sqid].cqid);
    return false;
}

void nvme_queues_reset(NvmeCtrl *n)
{
    unsigned i;

    nvme_dbbuf_reset(n);
    QTAILQ_INIT(&n->active);
    QTAILQ_INIT(&n->dirty);
    QTAILQ_INIT(&n->free_admin);
    QTAILQ_INIT(&n->free_io);
    QTAILQ_INIT(&n->aers);
    n->aer_nr = 0;
    n->queue_end = 0;
    n->stalled = false;
    n->io_in_flight = 0;
    n->format = NULL;
    for (i = 0; i < NVME_HASH; i++) {
        QTAILQ_INIT(&n->hash[i]);
    }
    for (i = 0; i < NVME_QUEUES; i++) {
        n->state.sq[i] = (NvmeSQState){ 0 };
        n->state.cq[i] = (NvmeCQState){ 0 };
        n->sq[i] = (NvmeSQ){ 0 };
        n->cq[i].dirty = false;
        QTAILQ_INIT(&n->cq[i].done);
    }
    for (i = 0; i < NVME_SLOTS; i++) {
        NvmeRequest *req = &n->requests[i];

        nvme_data_unmap(req, false);
        nvme_buffer_free(n, &req->scratch);
        req->s->busy = false;
        QTAILQ_INSERT_TAIL(i < NVME_ADMIN_SLOTS ? &n->free_admin : &n->free_io,
                           req, link);
    }
}

void nvme_queues_init(NvmeCtrl *n)
{
    unsigned i;

    n->requests = g_new0(NvmeRequest, NVME_SLOTS);
    n->iovs = g_new0(struct iovec, (size_t)NVME_SLOTS * n->iov_max);
    for (i = 0; i < NVME_SLOTS; i++) {
        NvmeRequest *req = &n->requests[i];

        req->n = n;
        req->s = &n->state.slot[i];
        req->data.iov = n->iovs + (size_t)i * n->iov_max;
    }
    nvme_queues_reset(n);
}
