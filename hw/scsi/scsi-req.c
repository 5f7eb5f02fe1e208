/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCSI requests: where they come from, how data moves, how they end, and sense
 * data (SPC-3, 4.5).
 */
#include "qemu/osdep.h"
#include "hw/scsi/scsi.h"
#include "qemu/bswap.h"
#include "qemu/iov.h"

/* -- Life ----------------------------------------------------------------- */

unsigned scsi_cdb_length(uint8_t opcode)
{
    static const uint8_t lengths[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

    return lengths[opcode >> 5];
}

SCSIRequest *scsi_req_new(SCSIBus *bus, unsigned channel, unsigned target,
                          unsigned lun, uint32_t tag, void *hba_private)
{
    SCSIRequest *req = QTAILQ_FIRST(&bus->free);

    if (req) {
        QTAILQ_REMOVE(&bus->free, req, link);
    } else if (bus->nr_reqs < SCSI_REQS_MAX) {
        req = g_new0(SCSIRequest, 1);
        req->buf = aligned_alloc(4096, SCSI_BUF_SIZE);
        if (!req->buf) {
            g_free(req);
            return NULL;
        }
        bus->nr_reqs++;
    } else {
        return NULL;
    }
    req->bus = bus;
    req->dev = scsi_device_find(bus, channel, target, lun);
    req->hba_private = hba_private;
    req->tag = tag;
    req->channel = channel;
    req->target = target;
    req->lun = lun;
    req->mode = SCSI_XFER_NONE;
    req->xfer = req->done = 0;
    req->status = SCSI_GOOD;
    req->cancelled = false;
    req->flags = 0;
    QTAILQ_INSERT_TAIL(&bus->active, req, link);
    return req;
}

void scsi_req_free(SCSIRequest *req)
{
    QTAILQ_REMOVE(&req->bus->active, req, link);
    QTAILQ_INSERT_HEAD(&req->bus->free, req, link);
}

/* Its memory is not used any more. */
static void stop(SCSIRequest *req)
{
    req->cancelled = true;
    if (req->in_blk) {
        SCSI_DEVICE_GET_CLASS(req->dev)->drain(req->dev);
    }
}

void scsi_req_cancel(SCSIRequest *req)
{
    stop(req);
    scsi_req_free(req);
}

void scsi_req_fail(SCSIRequest *req, SCSISense sense)
{
    stop(req);
    scsi_check(req, sense);
}

static void finish(SCSIRequest *req, uint8_t status)
{
    req->status = status;
    req->bus->info->complete(req);
}

void scsi_good(SCSIRequest *req)
{
    finish(req, SCSI_GOOD);
}

/* -- Data ----------------------------------------------------------------- */

void scsi_req_transfer(SCSIRequest *req, const struct iovec *iov,
                       unsigned niov, uint64_t bytes)
{
    assert(bytes && bytes <= req->xfer - req->done);
    req->part = iov;
    req->part_niov = niov;
    req->part_bytes = bytes;
    req->transfer(req);
}

void scsi_part_done(SCSIRequest *req)
{
    req->done += req->part_bytes;
    if (req->done < req->xfer) {
        req->bus->info->transferred(req);
    } else if (req->execute) {
        req->execute(req);
    } else {
        scsi_good(req);
    }
}

static void buffer_transfer(SCSIRequest *req)
{
    if (req->mode == SCSI_XFER_FROM_DEV) {
        iov_from_buf(req->part, req->part_niov, 0, req->buf + req->done,
                     req->part_bytes);
    } else {
        iov_to_buf(req->part, req->part_niov, 0, req->buf + req->done,
                   req->part_bytes);
    }
    scsi_part_done(req);
}

void scsi_data_in(SCSIRequest *req, uint64_t len, uint64_t alloc)
{
    assert(len <= SCSI_BUF_SIZE);
    req->mode = SCSI_XFER_FROM_DEV;
    req->xfer = MIN(len, alloc);
    req->transfer = buffer_transfer;
    req->execute = NULL;
    if (!req->xfer) {
        scsi_good(req);
    }
}

void scsi_data_out(SCSIRequest *req, unsigned len,
                   void (*execute)(SCSIRequest *req))
{
    assert(len && len <= SCSI_BUF_SIZE);
    req->mode = SCSI_XFER_TO_DEV;
    req->xfer = len;
    req->transfer = buffer_transfer;
    req->execute = execute;
}

static void submitted_done(BlockRequest *blk, int ret)
{
    SCSIRequest *req = container_of(blk, SCSIRequest, blk);

    req->in_blk = false;
    if (!req->cancelled) {
        req->step(req, ret);
    }
}

void scsi_submit(SCSIRequest *req, BlockBackend *blk, BlockOp op,
                 uint64_t offset, uint64_t bytes, const struct iovec *iov,
                 unsigned niov, uint32_t flags,
                 void (*step)(SCSIRequest *req, int ret))
{
    req->step = step;
    req->in_blk = true;
    req->blk.op = op;
    req->blk.flags = flags;
    req->blk.offset = offset;
    req->blk.bytes = bytes;
    req->blk.iov = iov;
    req->blk.niov = niov;
    req->blk.done = submitted_done;
    blk_submit(blk, &req->blk);
}

/* -- Sense data ----------------------------------------------------------- */

static uint8_t *set_sense(SCSIRequest *req, SCSISense s)
{
    /* Where there is no unit, REQUEST SENSE always says the same. */
    uint8_t *sense = req->dev ? req->dev->unit.sense : req->buf;

    memset(sense, 0, SCSI_SENSE_SIZE);
    sense[0] = 0x70;
    sense[2] = s.key;
    sense[7] = SCSI_SENSE_SIZE - 8;
    sense[12] = s.asc;
    sense[13] = s.ascq;
    return sense;
}

void scsi_check(SCSIRequest *req, SCSISense sense)
{
    set_sense(req, sense);
    finish(req, SCSI_CHECK_CONDITION);
}

static void check_field(SCSIRequest *req, SCSISense s, bool in_cdb,
                        unsigned byte, int bit)
{
    uint8_t *sense = set_sense(req, s);

    sense[15] = 0x80 | (in_cdb ? 0x40 : 0) | (bit < 0 ? 0 : 0x08 | bit);
    stw_be_p(sense + 16, byte);
    finish(req, SCSI_CHECK_CONDITION);
}

void scsi_bad_cdb(SCSIRequest *req, unsigned byte, int bit)
{
    check_field(req, SENSE_INVALID_FIELD, true, byte, bit);
}

void scsi_bad_param(SCSIRequest *req, unsigned byte, int bit)
{
    check_field(req, SENSE_INVALID_PARAM, false, byte, bit);
}

void scsi_check_lba(SCSIRequest *req, SCSISense s, uint64_t lba)
{
    uint8_t *sense = set_sense(req, s);

    if (lba <= UINT32_MAX) {
        sense[0] |= 0x80;
        stl_be_p(sense + 3, lba);
    }
    finish(req, SCSI_CHECK_CONDITION);
}

/* A reset says more than whatever else was to be told. */
void scsi_unit_attention(SCSIDevice *dev, SCSISense sense)
{
    SCSIUnitState *unit = &dev->unit;
    bool power_on = unit->ua_asc == SENSE_POWER_ON.asc && !unit->ua_ascq;

    if (!power_on && (unit->ua_asc != SENSE_POWER_ON.asc ||
                      sense.asc == SENSE_POWER_ON.asc)) {
        unit->ua_asc = sense.asc;
        unit->ua_ascq = sense.ascq;
    }
}

bool scsi_report_attention(SCSIRequest *req)
{
    SCSIUnitState *unit = &req->dev->unit;
    SCSISense s = { SENSE_POWER_ON.key, unit->ua_asc, unit->ua_ascq };

    if (!unit->ua_asc) {
        return false;
    }
    unit->ua_asc = unit->ua_ascq = 0;
    scsi_check(req, s);
    return true;
}
