/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe I/O commands (NVM Express 1.4, section 6): Flush, Write, Read, Compare,
 * Write Zeroes, Dataset Management, Verify; and Format NVM (5.23), which works
 * on the same namespace.
 *
 * A command with several block requests is a chain of steps: each runs when
 * its request is done and sends the next or completes the command.  A step
 * may find that the command has been aborted; a controller reset ends it
 * without another.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "nvme.h"

#define NVME_VERIFY_CHUNK (256 * KiB)
#define NVME_FORMAT_CHUNK (64 * MiB)

unsigned nvme_lba_shift(const NvmeCtrl *n)
{
    return n->state.lbaf ? 12 : 9;
}

uint64_t nvme_nsze(const NvmeCtrl *n)
{
    return n->capacity >> nvme_lba_shift(n);
}

/* -- Block requests -------------------------------------------------------- */

static void nvme_blk_done(BlockRequest *blk, int ret)
{
    NvmeRequest *req = container_of(blk, NvmeRequest, blk);
    NvmeCtrl *n = req->n;

    n->blk_in_flight--;
    if (n->state.resetting) {
        /* The guest's memory may have another use already. */
        nvme_drained(n);
        return;
    }
    n->busy = true;
    req->step(req, ret);
    nvme_post_first(n);
    nvme_leave(n);
}

/* @iov: the guest's memory or a buffer; NULL for what transfers no data. */
static void submit(NvmeRequest *req, BlockOp op, uint32_t flags,
                   uint64_t offset, uint64_t bytes, const struct iovec *iov,
                   unsigned niov, NvmeStep *step)
{
    req->blk = (BlockRequest){
        .op = op,
        .flags = flags,
        .offset = offset,
        .bytes = bytes,
        .iov = iov,
        .niov = niov,
        .done = nvme_blk_done,
    };
    req->step = step;
    req->n->blk_in_flight++;
    blk_submit(req->n->blk, &req->blk);
}

static uint16_t blk_status(NvmeRequest *req, int ret)
{
    bool is_read = req->blk.op == BLK_READ;

    switch (-ret) {
    case 0:
        return NVME_SUCCESS;
    case ENOSPC:
        return NVME_CAP_EXCEEDED;
    case EROFS:
        return NVME_NS_WRITE_PROTECTED | NVME_DNR;
    case ENOMEM:
        return NVME_INTERNAL_DEV_ERROR;
    }
    if (req->blk.op == BLK_FLUSH) {
        return NVME_INTERNAL_DEV_ERROR;
    }
    req->n->state.media_errors++;
    return is_read ? NVME_UNRECOVERED_READ : NVME_WRITE_FAULT;
}

/* The end of a command that transferred nothing, or from the guest. */
static void step_complete(NvmeRequest *req, int ret)
{
    nvme_data_unmap(req, false);
    nvme_buffer_free(req->n, &req->scratch);
    nvme_complete(req, blk_status(req, ret));
}

/* True if the command has been asked to end, and has. */
static bool step_aborted(NvmeRequest *req, int ret)
{
    if (ret == 0 && req->abort) {
        nvme_data_unmap(req, false);
        nvme_buffer_free(req->n, &req->scratch);
        nvme_complete(req, NVME_CMD_ABORT_REQ);
        return true;
    }
    return false;
}

/* -- What they have in common ---------------------------------------------- */

static uint16_t check_writable(NvmeCtrl *n)
{
    return blk_is_read_only(n->blk) ? NVME_NS_WRITE_PROTECTED | NVME_DNR
                                    : NVME_SUCCESS;
}

/* The byte range of SLBA and NLB into req->offset and req->left. */
static uint16_t check_range(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    uint64_t slba = cmd->cdw10 | (uint64_t)cmd->cdw11 << 32;
    uint64_t nlb = NVME_RW_NLB(cmd->cdw12), nsze = nvme_nsze(n);

    if (slba >= nsze || nlb > nsze - slba) {
        return nvme_error(req, NVME_LBA_RANGE, NVME_AT(cdw10, 0));
    }
    req->offset = slba << nvme_lba_shift(n);
    req->left = nlb << nvme_lba_shift(n);
    return NVME_SUCCESS;
}

/* The same for commands that transfer this data: MDTS, PRP. */
static uint16_t check_transfer(NvmeCtrl *n, NvmeRequest *req, bool to_guest)
{
    uint64_t len = (uint64_t)NVME_RW_NLB(nvme_cmd(req)->cdw12)
        << nvme_lba_shift(n);
    uint16_t status;

    if (len > n->max_transfer) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw12, 0));
    }
    status = check_range(n, req);
    return status ? status : nvme_data_map(req, len, to_guest);
}

/* -- Read, Write ----------------------------------------------------------- */

static void read_done(NvmeRequest *req, int ret)
{
    uint16_t status = blk_status(req, ret);
    uint16_t dma = nvme_data_unmap(req, ret == 0);

    nvme_complete(req, status ? status : dma);
}

static void read_start(NvmeRequest *req, int ret)
{
    if (ret) {
        step_complete(req, ret);
        return;
    }
    submit(req, BLK_READ, 0, req->offset, req->left, req->data.iov,
           req->data.niov, read_done);
}

static uint16_t nvme_read(NvmeCtrl *n, NvmeRequest *req)
{
    uint16_t status = check_transfer(n, req, true);

    if (status) {
        return status;
    }
    n->state.host_reads++;
    n->state.blocks_read += req->left >> 9;
    if ((nvme_cmd(req)->cdw12 & NVME_RW_FUA)
        && blk_enable_write_cache(n->blk)) {
        /* What is read must be on stable storage, so it goes there first. */
        submit(req, BLK_FLUSH, 0, 0, 0, NULL, 0, read_start);
    } else {
        read_start(req, 0);
    }
    return NVME_NO_COMPLETE;
}

static uint32_t fua_flag(const NvmeRequest *req)
{
    return req->s->cmd.cdw12 & NVME_RW_FUA ? BLK_REQ_FUA : 0;
}

static uint16_t nvme_write(NvmeCtrl *n, NvmeRequest *req)
{
    uint16_t status = check_writable(n);

    if (!status) {
        status = check_transfer(n, req, false);
    }
    if (status) {
        return status;
    }
    n->state.host_writes++;
    n->state.blocks_written += req->left >> 9;
    submit(req, BLK_WRITE, fua_flag(req), req->offset, req->left,
           req->data.iov, req->data.niov, step_complete);
    return NVME_NO_COMPLETE;
}

/* -- Flush, Write Zeroes --------------------------------------------------- */

uint16_t nvme_flush(NvmeCtrl *n, NvmeRequest *req)
{
    submit(req, BLK_FLUSH, 0, 0, 0, NULL, 0, step_complete);
    return NVME_NO_COMPLETE;
}

static uint16_t nvme_write_zeroes(NvmeCtrl *n, NvmeRequest *req)
{
    uint16_t status = check_writable(n);
    uint32_t flags = fua_flag(req);

    if (!status) {
        status = check_range(n, req);
    }
    if (status) {
        return status;
    }
    if (nvme_cmd(req)->cdw12 & NVME_WZ_DEAC) {
        flags |= BLK_REQ_MAY_UNMAP;
    }
    submit(req, BLK_WRITE_ZEROES, flags, req->offset, req->left, NULL, 0,
           step_complete);
    return NVME_NO_COMPLETE;
}

/* -- Compare, Verify ------------------------------------------------------- */

static void compare_done(NvmeRequest *req, int ret)
{
    const uint8_t *disk = req->scratch.iov_base;
    uint16_t status = blk_status(req, ret);
    unsigned i;

    for (i = 0; i < req->data.niov && !status; i++) {
        const struct iovec *v = &req->data.iov[i];

        if (memcmp(disk, v->iov_base, v->iov_len)) {
            status = NVME_COMPARE_FAILURE | NVME_DNR;
        }
        disk += v->iov_len;
    }
    nvme_data_unmap(req, false);
    nvme_buffer_free(req->n, &req->scratch);
    nvme_complete(req, status);
}

static uint16_t nvme_compare(NvmeCtrl *n, NvmeRequest *req)
{
    uint16_t status = check_transfer(n, req, false);

    if (status) {
        return status;
    }
    if (!nvme_buffer_alloc(n, &req->scratch, req->left)) {
        nvme_data_unmap(req, false);
        return NVME_INTERNAL_DEV_ERROR;
    }
    n->state.host_reads++;
    n->state.blocks_read += req->left >> 9;
    submit(req, BLK_READ, 0, req->offset, req->left, &req->scratch, 1,
           compare_done);
    return NVME_NO_COMPLETE;
}

static void verify_step(NvmeRequest *req, int ret)
{
    uint64_t len = MIN(req->left, NVME_VERIFY_CHUNK);

    if (step_aborted(req, ret)) {
        return;
    }
    if (ret || req->left == 0) {
        step_complete(req, ret);
        return;
    }
    req->part.iov_base = req->scratch.iov_base;
    req->part.iov_len = len;
    req->offset += len;
    req->left -= len;
    submit(req, BLK_READ, 0, req->offset - len, len, &req->part, 1,
           verify_step);
}

static uint16_t nvme_verify(NvmeCtrl *n, NvmeRequest *req)
{
    uint16_t status = check_range(n, req);

    if (status) {
        return status;
    }
    if (!nvme_buffer_alloc(n, &req->scratch,
                           MIN(req->left, NVME_VERIFY_CHUNK))) {
        return NVME_INTERNAL_DEV_ERROR;
    }
    n->state.blocks_read += req->left >> 9;
    verify_step(req, 0);
    return NVME_NO_COMPLETE;
}

/* -- Dataset Management (6.7) ---------------------------------------------- */

/* The next range that is not empty; req->offset is the index. */
static void dsm_step(NvmeRequest *req, int ret)
{
    NvmeCtrl *n = req->n;
    const NvmeDsmRange *range = req->scratch.iov_base;
    unsigned shift = nvme_lba_shift(n);

    /* Deallocation is advice; a back end may have no way to do it. */
    if (ret == -ENOTSUP) {
        ret = 0;
    }
    if (step_aborted(req, ret)) {
        return;
    }
    while (req->left && range[req->offset].nlb == 0) {
        req->offset++;
        req->left--;
    }
    if (ret || req->left == 0) {
        step_complete(req, ret);
        return;
    }
    range += req->offset++;
    req->left--;
    submit(req, BLK_DISCARD, 0, range->slba << shift,
           (uint64_t)range->nlb << shift, NULL, 0, dsm_step);
}

static uint16_t nvme_dsm(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    unsigned i, nr = NVME_DSM_NR(cmd->cdw10);
    bool deallocate = cmd->cdw11 & NVME_DSM_AD;
    uint64_t nsze = nvme_nsze(n);
    const NvmeDsmRange *range;
    uint16_t status = deallocate ? check_writable(n) : NVME_SUCCESS;

    if (status) {
        return status;
    }
    if (!nvme_buffer_alloc(n, &req->scratch, nr * sizeof(*range))) {
        return NVME_INTERNAL_DEV_ERROR;
    }
    range = req->scratch.iov_base;
    status = nvme_data_from_guest(req, req->scratch.iov_base,
                                  nr * sizeof(*range));
    for (i = 0; i < nr && !status; i++) {
        if (range[i].slba > nsze || range[i].nlb > nsze - range[i].slba) {
            status = NVME_LBA_RANGE | NVME_DNR;
        }
    }
    if (status || !deallocate || !blk_can_discard(n->blk)) {
        nvme_buffer_free(n, &req->scratch);
        return status;
    }
    req->offset = 0;
    req->left = nr;
    dsm_step(req, 0);
    return NVME_NO_COMPLETE;
}

/* -- Format NVM (5.23) ----------------------------------------------------- */

static void format_end(NvmeRequest *req, uint16_t status)
{
    req->n->format = NULL;
    nvme_complete(req, status);
}

static void format_step(NvmeRequest *req, int ret)
{
    NvmeCtrl *n = req->n;
    uint64_t chunk = MIN(n->capacity - req->offset, NVME_FORMAT_CHUNK);

    if (ret) {
        format_end(req, blk_status(req, ret));
    } else if (req->abort) {
        format_end(req, NVME_CMD_ABORT_REQ);
    } else if (chunk == 0) {
        n->state.lbaf = nvme_cmd(req)->cdw10 & 0xf;
        n->state.ns_changed = true;
        format_end(req, NVME_SUCCESS);
        nvme_event(n, NVME_AER_TYPE_NOTICE,
                   NVME_AER_INFO_NOTICE_NS_ATTR_CHANGED,
                   NVME_LOG_CHANGED_NSLIST);
    } else {
        req->offset += chunk;
        submit(req, BLK_WRITE_ZEROES, BLK_REQ_MAY_UNMAP, req->offset - chunk,
               chunk, NULL, 0, format_step);
    }
}

void nvme_format_ready(NvmeCtrl *n)
{
    if (n->format && !n->format_started) {
        n->format_started = true;
        format_step(n->format, 0);
    }
}

uint16_t nvme_format(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    unsigned lbaf = extract32(cmd->cdw10, 0, 4);
    unsigned pi = extract32(cmd->cdw10, 5, 3);
    unsigned ses = extract32(cmd->cdw10, 9, 3);

    if (cmd->nsid != NVME_NSID && cmd->nsid != NVME_NSID_BROADCAST) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    /* Crypto erase, 2, is not offered. */
    if (ses > 1) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw10, 9));
    }
    if (pi) {
        return nvme_error(req, NVME_INVALID_FORMAT, NVME_AT(cdw10, 5));
    }
    if (lbaf >= NVME_LBAFS || n->capacity < 4096) {
        return nvme_error(req, NVME_INVALID_FORMAT, NVME_AT(cdw10, 0));
    }
    if (check_writable(n)) {
        return check_writable(n);
    }
    if (n->format) {
        return NVME_FORMAT_IN_PROGRESS;
    }
    n->format = req;
    n->format_started = false;
    req->offset = 0;
    if (n->io_in_flight == 0) {
        nvme_format_ready(n);
    }
    return NVME_NO_COMPLETE;
}

/* -- Dispatch -------------------------------------------------------------- */

const NvmeOp nvme_io_ops[256] = {
    [NVME_NVM_FLUSH] = { nvme_flush, 0 },
    [NVME_NVM_WRITE] = { nvme_write, NVME_EFFECTS_LBCC },
    [NVME_NVM_READ] = { nvme_read, 0 },
    [NVME_NVM_COMPARE] = { nvme_compare, 0 },
    [NVME_NVM_WRITE_ZEROES] = { nvme_write_zeroes, NVME_EFFECTS_LBCC },
    [NVME_NVM_DSM] = { nvme_dsm, NVME_EFFECTS_LBCC },
    [NVME_NVM_VERIFY] = { nvme_verify, 0 },
};

static uint16_t check_io_nsid(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);

    if (cmd->nsid == NVME_NSID_BROADCAST) {
        return cmd->opcode == NVME_NVM_FLUSH ? NVME_SUCCESS
            : nvme_error(req, NVME_INVALID_FIELD, NVME_AT(nsid, 0));
    }
    return cmd->nsid == NVME_NSID ? NVME_SUCCESS
        : nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
}

uint16_t nvme_execute(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    bool admin = nvme_is_admin(req);
    const NvmeOp *op = admin ? &nvme_admin_ops[cmd->opcode]
                             : &nvme_io_ops[cmd->opcode];
    uint16_t status;

    if (!op->fn) {
        return nvme_error(req, NVME_INVALID_OPCODE, NVME_AT(opcode, 0));
    }
    /* Neither fused commands nor SGLs are offered. */
    if (NVME_CMD_FUSE(cmd->flags)) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(flags, 0));
    }
    if (NVME_CMD_PSDT(cmd->flags)) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(flags, 6));
    }
    if (!admin) {
        status = check_io_nsid(n, req);
        if (status) {
            return status;
        }
        if (n->format) {
            return NVME_FORMAT_IN_PROGRESS;
        }
    }
    return op->fn(n, req);
}
