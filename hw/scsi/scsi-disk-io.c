/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of block devices that work on the medium (SBC-3, 5): the data of
 * READ and WRITE goes between the drive and the adapter's memory directly.
 */
#include "qemu/osdep.h"
#include "scsi-disk.h"
#include "qemu/iov.h"

/* -- Blocks in a CDB ------------------------------------------------------ */

/* First block and number of blocks, by the length of the CDB. */
static void get_range(const SCSIRequest *req, uint64_t *lba, uint64_t *n)
{
    const uint8_t *c = req->cdb;

    switch (req->cdb_len) {
    case 6:
        *lba = ldl_be_p(c) & 0x1fffff;
        *n = c[4] ?: 256;
        break;
    case 12:
        *lba = ldl_be_p(c + 2);
        *n = ldl_be_p(c + 6);
        break;
    case 16:
        *lba = ldq_be_p(c + 2);
        *n = ldl_be_p(c + 10);
        break;
    default:
        *lba = ldl_be_p(c + 2);
        *n = ldw_be_p(c + 7);
        break;
    }
}

static bool check_range(SCSIDisk *s, SCSIRequest *req, uint64_t lba,
                        uint64_t n)
{
    if (lba > s->blocks || n > s->blocks - lba) {
        scsi_check_lba(req, SENSE_LBA_OUT_OF_RANGE, MAX(lba, s->blocks));
        return false;
    }
    return true;
}

/* Protection information is not supported: bits 7 to 5 of byte 1. */
static bool check_protect(SCSIRequest *req)
{
    if (req->cdb_len > 6 && req->cdb[1] & 0xe0) {
        scsi_bad_cdb(req, 1, 7);
        return false;
    }
    return true;
}

static void io_failed(SCSIRequest *req, int ret, bool write)
{
    SCSIDisk *s = scsi_disk(req);
    uint64_t lba = (req->offset + req->done) / s->logical_block_size;

    switch (ret) {
    case -ENOSPC:
        scsi_check_lba(req, SENSE_SPACE_ALLOC_FAILED, lba);
        break;
    case -EPERM:
    case -EROFS:
        scsi_check(req, SENSE_WRITE_PROTECTED);
        break;
    case -EIO:
        scsi_check_lba(req, write ? SENSE_WRITE_ERROR : SENSE_READ_ERROR,
                       lba);
        break;
    default:
        scsi_check(req, SENSE_TARGET_FAILURE);
        break;
    }
}

static uint32_t write_flags(SCSIDisk *s, bool fua)
{
    return fua || !s->state.wce ? BLK_REQ_FUA : 0;
}

/* -- READ, WRITE ---------------------------------------------------------- */

static void read_written(SCSIRequest *req, int ret)
{
    if (ret < 0) {
        io_failed(req, ret, req->mode == SCSI_XFER_TO_DEV);
    } else {
        scsi_part_done(req);
    }
}

static void read_write_transfer(SCSIRequest *req)
{
    scsi_submit(req, scsi_disk(req)->blk,
                req->mode == SCSI_XFER_TO_DEV ? BLK_WRITE : BLK_READ,
                req->offset + req->done, req->part_bytes, req->part,
                req->part_niov, req->flags, read_written);
}

void scsi_read_write(SCSIDisk *s, SCSIRequest *req)
{
    bool write = (req->cdb[0] & 0x0f) != 0x08;
    bool verify = (req->cdb[0] & 0x0f) == 0x0e;
    uint64_t lba, n;

    get_range(req, &lba, &n);
    if (!check_protect(req) || !check_range(s, req, lba, n)) {
        return;
    }
    if (!n) {
        scsi_good(req);
        return;
    }
    req->offset = lba * s->logical_block_size;
    req->flags = write ? write_flags(s, verify || (req->cdb_len > 6 &&
                                                   req->cdb[1] & 8)) : 0;
    req->mode = write ? SCSI_XFER_TO_DEV : SCSI_XFER_FROM_DEV;
    req->xfer = n * s->logical_block_size;
    req->transfer = read_write_transfer;
}

void scsi_seek(SCSIDisk *s, SCSIRequest *req)
{
    uint64_t lba = req->cdb_len == 6 ? ldl_be_p(req->cdb) & 0x1fffff
                                     : ldl_be_p(req->cdb + 2);

    if (check_range(s, req, lba, 1)) {
        scsi_good(req);
    }
}

/* -- VERIFY --------------------------------------------------------------- */

static void verify_next(SCSIRequest *req);

/* Whether the list from byte @at on begins with @len bytes at @buf. */
static bool iov_matches(const struct iovec *iov, unsigned niov, uint64_t at,
                        const uint8_t *buf, uint64_t len)
{
    for (unsigned i = 0; i < niov && len; i++) {
        uint64_t l;

        if (at >= iov[i].iov_len) {
            at -= iov[i].iov_len;
            continue;
        }
        l = MIN(len, iov[i].iov_len - at);
        if (memcmp((uint8_t *)iov[i].iov_base + at, buf, l)) {
            return false;
        }
        buf += l;
        len -= l;
        at = 0;
    }
    return true;
}

static void verify_read(SCSIRequest *req, int ret)
{
    uint64_t len = req->iov[0].iov_len;

    if (ret < 0) {
        io_failed(req, ret, false);
        return;
    }
    if (req->mode == SCSI_XFER_TO_DEV &&
        !iov_matches(req->part, req->part_niov,
                     req->part_bytes - req->bytes, req->buf, len)) {
        scsi_check(req, SENSE_MISCOMPARE);
        return;
    }
    req->bytes -= len;
    verify_next(req);
}

static void verify_next(SCSIRequest *req)
{
    uint64_t at = req->offset + req->done + req->part_bytes - req->bytes;

    if (!req->bytes) {
        scsi_part_done(req);
        return;
    }
    req->iov[0].iov_base = req->buf;
    req->iov[0].iov_len = MIN(req->bytes, SCSI_BUF_SIZE);
    scsi_submit(req, scsi_disk(req)->blk, BLK_READ, at, req->iov[0].iov_len,
                req->iov, 1, 0, verify_read);
}

static void verify_transfer(SCSIRequest *req)
{
    req->bytes = req->part_bytes;
    verify_next(req);
}

void scsi_verify(SCSIDisk *s, SCSIRequest *req)
{
    unsigned bytchk = req->cdb[1] >> 1 & 3;
    uint64_t lba, n;

    get_range(req, &lba, &n);
    if (!check_protect(req) || !check_range(s, req, lba, n)) {
        return;
    }
    if (bytchk > 1) {
        scsi_bad_cdb(req, 1, 2);
        return;
    }
    if (!n || !bytchk) {
        scsi_good(req);         /* the medium has no defects of its own */
        return;
    }
    req->offset = lba * s->logical_block_size;
    req->mode = SCSI_XFER_TO_DEV;
    req->xfer = n * s->logical_block_size;
    req->transfer = verify_transfer;
}

/* -- SYNCHRONIZE CACHE ---------------------------------------------------- */

static void done_or_failed(SCSIRequest *req, int ret)
{
    if (ret < 0) {
        io_failed(req, ret, true);
    } else {
        scsi_good(req);
    }
}

void scsi_sync_cache(SCSIDisk *s, SCSIRequest *req)
{
    uint64_t lba, n;

    get_range(req, &lba, &n);
    req->offset = 0;
    if (check_range(s, req, lba, n)) {
        scsi_submit(req, s->blk, BLK_FLUSH, 0, 0, NULL, 0, 0, done_or_failed);
    }
}

/* -- UNMAP ---------------------------------------------------------------- */

#define UNMAP_DESCRIPTOR 16

static void unmap_next(SCSIRequest *req, int ret)
{
    SCSIDisk *s = scsi_disk(req);
    unsigned len = MIN(ldw_be_p(req->buf + 2), req->xfer - 8);
    const uint8_t *d = req->buf + 8 + req->index * UNMAP_DESCRIPTOR;
    uint64_t lba, n;

    if (ret < 0) {
        io_failed(req, ret, true);
        return;
    }
    if (req->index >= len / UNMAP_DESCRIPTOR) {
        scsi_good(req);
        return;
    }
    req->index++;
    lba = ldq_be_p(d);
    n = ldl_be_p(d + 8);
    if (check_range(s, req, lba, n)) {
        scsi_submit(req, s->blk, BLK_DISCARD, lba * s->logical_block_size,
                    n * s->logical_block_size, NULL, 0, 0, unmap_next);
    }
}

static void unmap_execute(SCSIRequest *req)
{
    uint64_t len = req->xfer;

    if (len < 8) {
        scsi_check(req, SENSE_PARAM_LIST_LENGTH);
    } else if (ldw_be_p(req->buf) + 2u > len) {
        scsi_bad_param(req, 0, -1);
    } else if (ldw_be_p(req->buf + 2) + 8u > len) {
        scsi_bad_param(req, 2, -1);
    } else {
        req->offset = req->done = 0;
        req->index = 0;
        unmap_next(req, 0);
    }
}

void scsi_unmap(SCSIDisk *s, SCSIRequest *req)
{
    unsigned len = ldw_be_p(req->cdb + 7);

    if (!blk_can_discard(s->blk)) {
        scsi_check(req, SENSE_INVALID_OPCODE);
    } else if (req->cdb[1] & 1) {               /* ANCHOR */
        scsi_bad_cdb(req, 1, 0);
    } else if (len > SCSI_BUF_SIZE) {
        scsi_bad_cdb(req, 7, -1);
    } else if (!len) {
        scsi_good(req);
    } else {
        scsi_data_out(req, len, unmap_execute);
    }
}

/* -- WRITE SAME ----------------------------------------------------------- */

static bool is_zero(const uint8_t *p, size_t len)
{
    return !*p && !memcmp(p, p + 1, len - 1);
}

static void write_same_next(SCSIRequest *req, int ret)
{
    SCSIDisk *s = scsi_disk(req);
    uint64_t len = MIN(req->bytes, SCSI_IOV * (uint64_t)SCSI_BUF_SIZE);
    uint64_t at = req->offset;
    unsigned n = 0;

    if (ret < 0) {
        req->done = 0;
        io_failed(req, ret, true);
        return;
    }
    if (!len) {
        scsi_good(req);
        return;
    }
    for (uint64_t left = len; left; left -= req->iov[n++].iov_len) {
        req->iov[n].iov_base = req->buf;
        req->iov[n].iov_len = MIN(left, SCSI_BUF_SIZE);
    }
    req->offset += len;
    req->bytes -= len;
    scsi_submit(req, s->blk, BLK_WRITE, at, len, req->iov, n, req->flags,
                write_same_next);
}

static void write_same_execute(SCSIRequest *req)
{
    SCSIDisk *s = scsi_disk(req);
    uint32_t block = s->logical_block_size;
    bool unmap = req->cdb[1] & 8;

    if (is_zero(req->buf, block)) {
        req->done = 0;
        scsi_submit(req, s->blk, BLK_WRITE_ZEROES, req->offset, req->bytes,
                    NULL, 0, req->flags | (unmap ? BLK_REQ_MAY_UNMAP : 0),
                    done_or_failed);
        return;
    }
    for (unsigned at = block; at < SCSI_BUF_SIZE; at += block) {
        memcpy(req->buf + at, req->buf, block);
    }
    write_same_next(req, 0);
}

void scsi_write_same(SCSIDisk *s, SCSIRequest *req)
{
    bool no_data = req->cdb_len == 16 && req->cdb[1] & 1;
    uint64_t lba, n;

    get_range(req, &lba, &n);
    if (!check_protect(req)) {
        return;
    }
    if (req->cdb[1] & 0x16) {           /* ANCHOR, PBDATA, LBDATA */
        scsi_bad_cdb(req, 1, req->cdb[1] & 0x10 ? 4 : req->cdb[1] & 4 ? 2 : 1);
        return;
    }
    if ((req->cdb[1] & 8) && !blk_can_discard(s->blk)) {
        scsi_bad_cdb(req, 1, 3);
        return;
    }
    if (!check_range(s, req, lba, n)) {
        return;
    }
    n = n ?: s->blocks - lba;           /* 0: to the end (WSNZ is 0) */
    req->offset = lba * s->logical_block_size;
    req->bytes = n * s->logical_block_size;
    req->flags = write_flags(s, false);
    if (!n) {
        scsi_good(req);
    } else if (no_data) {
        memset(req->buf, 0, s->logical_block_size);
        write_same_execute(req);
    } else {
        scsi_data_out(req, s->logical_block_size, write_same_execute);
    }
}
