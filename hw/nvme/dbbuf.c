/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe doorbell buffers (NVM Express 1.4, sections 5.7 and 7.13): the host
 * rings by a write to its memory, and by the register only where that takes
 * the doorbell past the value in EventIdx.
 *
 * While the context is awake it looks at the shadow doorbells, and EventIdx is
 * left alone: the host passes it once a turn of the queue at most.  Before the
 * context sleeps EventIdx becomes what each doorbell has now, so that the next
 * ring is one of the register, and the shadows are looked at a last time.
 * Either the host sees the new EventIdx, or its ring is seen here.
 *
 * Only a shadow that changes is a ring: Linux never uses those of the admin
 * queues, and nothing is said about what a buffer has in it at first.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "hw/pci/msi.h"
#include "nvme.h"

/* @len bytes of a buffer, or NULL: its memory is not there (any more), or the
 * function may not master the bus. */
static uint32_t *buffer_map(NvmeCtrl *n, uint64_t addr, uint64_t len,
                            bool is_write, RAMBlock **block)
{
    uint64_t got = len;
    uint32_t *p = pci_dma_map(&n->parent_obj, addr, &got, is_write, block);

    if (p && got < len) {
        address_space_unmap(*block);
        p = NULL;
    }
    return p;
}

static uint32_t *shadow_map(NvmeCtrl *n, RAMBlock **block)
{
    return buffer_map(n, n->state.dbbuf_shadow,
                      2 * sizeof(uint32_t) * n->queue_end, false, block);
}

static uint32_t shadow_read(const uint32_t *shadow, unsigned doorbell)
{
    return le32_to_cpu(__atomic_load_n(&shadow[doorbell], __ATOMIC_SEQ_CST));
}

static bool in_use(const NvmeCtrl *n)
{
    return n->state.dbbuf && nvme_running(n) && !nvme_asleep(n);
}

static bool exists(const NvmeCtrl *n, unsigned doorbell)
{
    return doorbell & 1 ? n->state.cq[doorbell >> 1].size
                        : n->state.sq[doorbell >> 1].size;
}

/* -- Rings ----------------------------------------------------------------- */

static void ring(NvmeCtrl *n, unsigned doorbell, uint32_t value)
{
    trace_event("nvme_shadow_doorbell", "%cq %u value %u",
                doorbell & 1 ? 'c' : 's', doorbell >> 1, value);
    n->state.shadow[doorbell] = value;
    n->state.shadowed[doorbell] = 1;
    if (!nvme_ring(n, doorbell, value)) {
        nvme_bad_doorbell(n, NVME_AER_INFO_ERR_INVALID_DB_VALUE,
                          n->state.dbbuf_shadow + 4 * doorbell, value);
    }
}

static bool look_at(NvmeCtrl *n, const uint32_t *shadow)
{
    bool found = false, heads = false;
    unsigned i;

    for (i = 0; i < 2 * n->queue_end; i++) {
        uint32_t value = shadow_read(shadow, i);

        if (value != n->state.shadow[i] && exists(n, i)) {
            ring(n, i, value);
            found = true;
            heads |= i & 1;
        }
    }
    if (heads) {
        nvme_irq_update(n);
    }
    return found;
}

/* False: there is nothing to look at. */
static bool look_into_memory(NvmeCtrl *n, bool *found)
{
    const uint32_t *shadow;
    RAMBlock *block;

    *found = false;
    if (!in_use(n) || !(shadow = shadow_map(n, &block))) {
        return false;
    }
    *found = look_at(n, shadow);
    address_space_unmap(block);
    return true;
}

bool nvme_dbbuf_rung(NvmeCtrl *n, unsigned doorbell)
{
    bool found;

    return look_into_memory(n, &found) && n->state.shadowed[doorbell];
}

/* -- The context ----------------------------------------------------------- */

/* Commands are fetched by the bottom half, not within a look. */
static bool schedule_work(NvmeCtrl *n)
{
    if (QTAILQ_EMPTY(&n->active) && QTAILQ_EMPTY(&n->dirty)) {
        return false;
    }
    qemu_bh_schedule(n->bh);
    return true;
}

/* A head alone is no work: the context spins on. */
static bool look(void *opaque)
{
    NvmeCtrl *n = opaque;
    bool found;

    return look_into_memory(n, &found) && found && schedule_work(n);
}

/* Whether it matters here, now, that the host takes entries off: it waits for
 * the pin to go down, or a command waits for room. */
static bool head_matters(const NvmeCtrl *n, unsigned cqid)
{
    const NvmeCQState *cq = &n->state.cq[cqid];

    return (cq->ien && cq->head != cq->tail && !msix_enabled(&n->parent_obj))
        || n->stalled || !QTAILQ_EMPTY(&n->cq[cqid].done);
}

static void set_eventidx(NvmeCtrl *n, uint32_t *eventidx, unsigned doorbell,
                         uint16_t value)
{
    if (n->eventidx[doorbell] != value) {
        n->eventidx[doorbell] = value;
        /* In one order with the host's: its store of a shadow and its load of
         * this, this store and the load of the shadow after it. */
        (void)__atomic_exchange_n(&eventidx[doorbell], cpu_to_le32(value),
                                  __ATOMIC_SEQ_CST);
    }
}

static bool arm(void *opaque)
{
    NvmeCtrl *n = opaque;
    uint32_t *shadow, *eventidx;
    RAMBlock *shadow_block = NULL, *eventidx_block = NULL;
    bool found = false;
    unsigned i;

    if (!in_use(n)) {
        return true;
    }
    shadow = shadow_map(n, &shadow_block);
    eventidx = buffer_map(n, n->state.dbbuf_eventidx,
                          2 * sizeof(*eventidx) * n->queue_end, true,
                          &eventidx_block);
    if (shadow && eventidx) {
        for (i = 0; i < n->queue_end; i++) {
            if (n->state.sq[i].size) {
                set_eventidx(n, eventidx, 2 * i, n->state.sq[i].tail);
            }
            if (n->state.cq[i].size && head_matters(n, i)) {
                set_eventidx(n, eventidx, 2 * i + 1, n->state.cq[i].head);
            }
        }
        found = look_at(n, shadow);
    }
    if (shadow) {
        address_space_unmap(shadow_block);
    }
    if (eventidx) {
        address_space_unmap(eventidx_block);
    }
    if (found) {
        schedule_work(n);
    }
    return !found;              /* a later head would not be asked for */
}

void nvme_dbbuf_rearm(NvmeCtrl *n)
{
    if (n->state.dbbuf) {
        aio_rearm_poller(n->ctx, &n->poller);
    }
}

/* -- On and off ------------------------------------------------------------ */

void nvme_dbbuf_forget(NvmeCtrl *n, unsigned doorbell)
{
    uint32_t *shadow;
    RAMBlock *block;

    n->state.shadow[doorbell] = 0;
    n->state.shadowed[doorbell] = 0;
    n->eventidx[doorbell] = UINT32_MAX;
    if (n->state.dbbuf && (shadow = shadow_map(n, &block))) {
        n->state.shadow[doorbell] = shadow_read(shadow, doorbell);
        address_space_unmap(block);
    }
}

static bool is_page(NvmeCtrl *n, uint64_t addr)
{
    RAMBlock *block;

    if ((addr & (n->page_size - 1))
        || !buffer_map(n, addr, n->page_size, true, &block)) {
        return false;
    }
    address_space_unmap(block);
    return true;
}

uint16_t nvme_dbbuf_config(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    unsigned i;

    if (!n->dbcs) {
        return nvme_error(req, NVME_INVALID_OPCODE, NVME_AT(opcode, 0));
    }
    if (!is_page(n, cmd->prp1)) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(prp1, 0));
    }
    if (!is_page(n, cmd->prp2) || cmd->prp2 == cmd->prp1) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(prp2, 0));
    }
    trace_event("nvme_doorbell_buffers", "shadow 0x%" PRIx64 " eventidx 0x%"
                PRIx64, cmd->prp1, cmd->prp2);
    if (!n->state.dbbuf) {
        aio_add_poller(n->ctx, &n->poller);
    }
    n->state.dbbuf = true;
    n->state.dbbuf_shadow = cmd->prp1;
    n->state.dbbuf_eventidx = cmd->prp2;
    for (i = 0; i < 2 * n->queue_end; i++) {
        nvme_dbbuf_forget(n, i);
    }
    return NVME_SUCCESS;
}

void nvme_dbbuf_reset(NvmeCtrl *n)
{
    if (n->state.dbbuf) {
        aio_remove_poller(n->ctx, &n->poller);
    }
    n->state.dbbuf = false;
    n->state.dbbuf_shadow = n->state.dbbuf_eventidx = 0;
}

void nvme_dbbuf_init(NvmeCtrl *n)
{
    QEMU_BUILD_BUG_ON(NVME_DOORBELLS * sizeof(uint32_t) > 4096);
    n->ctx = qdev_get_context(DEVICE(n));
    n->poller = (AioPoller){ .look = look, .arm = arm, .opaque = n };
}
