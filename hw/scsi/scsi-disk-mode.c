/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode parameters (SPC-3, 6.7 to 6.10 and 7.4; SBC-3, 6.5; MMC-5, 7).  Only
 * the write cache can be switched.
 */
#include "qemu/osdep.h"
#include "scsi-disk.h"

/* -- Pages: each fills what follows the header and returns its length ----- */

/* @mask: which bits can be changed instead of the values. */
typedef unsigned ModePageFn(SCSIDisk *s, uint8_t *p, bool mask);

static unsigned page_error_recovery(SCSIDisk *s, uint8_t *p, bool mask)
{
    if (!mask) {
        p[0] = 0x80;            /* AWRE */
        p[1] = s->cd ? 0x20 : 0;
    }
    return 10;
}

/* Heads and sectors that make cylinders of a size BIOSes like. */
#define HEADS 16
#define SECTORS 63

static unsigned page_rigid_geometry(SCSIDisk *s, uint8_t *p, bool mask)
{
    uint64_t cylinders = MIN(s->blocks / (HEADS * SECTORS) ?: 1, 0xffffff);

    if (!mask) {
        stw_be_p(p, cylinders >> 8);
        p[2] = cylinders;
        p[3] = HEADS;
        stw_be_p(p + 18, s->rotation_rate > 1 ? s->rotation_rate : 5400);
    }
    return 22;
}

static unsigned page_caching(SCSIDisk *s, uint8_t *p, bool mask)
{
    if (mask || s->state.wce) {
        p[0] = s->cd ? 0 : 0x04;        /* WCE */
    }
    return 18;
}

static unsigned page_control(SCSIDisk *s, uint8_t *p, bool mask)
{
    if (!mask) {
        p[1] = 0x10;            /* commands may be reordered */
    }
    return 10;
}

static unsigned page_cd_audio(SCSIDisk *s, uint8_t *p, bool mask)
{
    return 14;
}

static unsigned page_exceptions(SCSIDisk *s, uint8_t *p, bool mask)
{
    return 10;
}

static unsigned page_cd_capabilities(SCSIDisk *s, uint8_t *p, bool mask)
{
    if (!mask) {
        p[0] = 0x3b;            /* reads CD-R, CD-RW, DVD-ROM, -R, -RAM */
        p[2] = 0x70;            /* multi-session, mode 2 forms 1 and 2 */
        p[4] = 0x2d | (s->state.tray_locked ? 0x02 : 0);
        stw_be_p(p + 6, 50 * 176);      /* KB/s: 50x */
        stw_be_p(p + 10, 512);          /* buffer, KiB */
        stw_be_p(p + 12, 16 * 176);
    }
    return 20;
}

static const struct ModePage {
    uint8_t code;
    bool hd, cd;
    ModePageFn *fill;
} mode_pages[] = {
    { 0x01, true, true, page_error_recovery },
    { 0x04, true, false, page_rigid_geometry },
    { 0x08, true, true, page_caching },
    { 0x0a, true, true, page_control },
    { 0x0e, false, true, page_cd_audio },
    { 0x1c, true, false, page_exceptions },
    { 0x2a, false, true, page_cd_capabilities },
};

static bool has_page(const SCSIDisk *s, const struct ModePage *page)
{
    return s->cd ? page->cd : page->hd;
}

/* -- MODE SENSE ----------------------------------------------------------- */

enum { MODE_CURRENT, MODE_CHANGEABLE, MODE_DEFAULT, MODE_SAVED };

static unsigned block_descriptor(SCSIDisk *s, uint8_t *p)
{
    memset(p, 0, 8);
    stl_be_p(p, s->blocks > 0xffffff ? 0 : s->blocks);
    stl_be_p(p + 4, s->logical_block_size);
    return 8;
}

void scsi_mode_sense(SCSIDisk *s, SCSIRequest *req)
{
    bool six = req->cdb_len == 6;
    unsigned want = req->cdb[2] & 0x3f, control = req->cdb[2] >> 6;
    unsigned header = six ? 4 : 8, len = header, bd = 0;
    uint8_t *p = req->buf, specific = s->cd ? 0 : 0x10;     /* DPOFUA */
    bool any = want == 0x3f;

    if (req->cdb[3] && req->cdb[3] != 0xff) {
        scsi_bad_cdb(req, 3, -1);       /* no subpages */
        return;
    }
    if (control == MODE_SAVED) {
        scsi_check(req, SENSE_SAVING_NOT_SUPPORTED);
        return;
    }
    memset(p, 0, 512);
    if (!s->cd && !(req->cdb[1] & 8)) {
        bd = block_descriptor(s, p + header);
        len += bd;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++) {
        const struct ModePage *page = &mode_pages[i];

        if (has_page(s, page) && (want == 0x3f || want == page->code)) {
            p[len] = page->code;
            p[len + 1] = page->fill(s, p + len + 2,
                                    control == MODE_CHANGEABLE);
            len += 2 + p[len + 1];
            any = true;
        }
    }
    if (!any) {
        scsi_bad_cdb(req, 2, 5);
        return;
    }
    if (s->blk && blk_is_read_only(s->blk) && !s->cd) {
        specific |= 0x80;
    }
    if (six) {
        p[0] = len - 1;
        p[2] = specific;
        p[3] = bd;
        scsi_data_in(req, len, req->cdb[4]);
    } else {
        stw_be_p(p, len - 2);
        p[3] = specific;
        stw_be_p(p + 6, bd);
        scsi_data_in(req, len, ldw_be_p(req->cdb + 7));
    }
}

/* -- MODE SELECT ---------------------------------------------------------- */

/* Only bits that can be changed may differ from the present values. */
static bool check_page(SCSIDisk *s, SCSIRequest *req, unsigned at)
{
    const uint8_t *given = req->buf + at;
    uint8_t now[64] = { 0 }, mask[64] = { 0 };

    for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++) {
        const struct ModePage *page = &mode_pages[i];
        unsigned len;

        if (!has_page(s, page) || page->code != (given[0] & 0x3f)) {
            continue;
        }
        len = page->fill(s, now, false);
        page->fill(s, mask, true);
        if (given[1] != len) {
            scsi_bad_param(req, at + 1, -1);
            return false;
        }
        for (unsigned b = 0; b < len; b++) {
            if ((given[2 + b] ^ now[b]) & ~mask[b]) {
                scsi_bad_param(req, at + 2 + b, -1);
                return false;
            }
        }
        return true;
    }
    scsi_bad_param(req, at, 5);
    return false;
}

static void wce_off(SCSIRequest *req, int ret)
{
    if (ret < 0) {
        scsi_check(req, SENSE_WRITE_ERROR);
    } else {
        scsi_good(req);
    }
}

static void mode_select_execute(SCSIRequest *req)
{
    SCSIDisk *s = scsi_disk(req);
    bool six = req->cdb_len == 6, wce = s->state.wce;
    unsigned header = six ? 4 : 8, bd, at;
    const uint8_t *p = req->buf;

    if (req->xfer < header) {
        scsi_check(req, SENSE_PARAM_LIST_LENGTH);
        return;
    }
    bd = six ? p[3] : ldw_be_p(p + 6);
    if (bd != 0 && bd != 8) {
        scsi_bad_param(req, six ? 3 : 6, -1);
        return;
    }
    if (header + bd > req->xfer) {
        scsi_check(req, SENSE_PARAM_LIST_LENGTH);
        return;
    }
    if (bd && (ldl_be_p(p + header + 4) & 0xffffff) != s->logical_block_size) {
        scsi_bad_param(req, header + 5, -1);
        return;
    }
    for (at = header + bd; at < req->xfer; at += 2 + p[at + 1]) {
        if (at + 2 > req->xfer || at + 2 + p[at + 1] > req->xfer) {
            scsi_check(req, SENSE_PARAM_LIST_LENGTH);
            return;
        }
        if (!check_page(s, req, at)) {
            return;
        }
        if ((p[at] & 0x3f) == 0x08) {
            wce = p[at + 2] & 0x04;
        }
    }
    if (s->state.wce && !wce) {
        s->state.wce = false;
        scsi_submit(req, s->blk, BLK_FLUSH, 0, 0, NULL, 0, 0, wce_off);
    } else {
        s->state.wce = wce;
        scsi_good(req);
    }
}

void scsi_mode_select(SCSIDisk *s, SCSIRequest *req)
{
    unsigned len = req->cdb_len == 6 ? req->cdb[4] : ldw_be_p(req->cdb + 7);

    if (req->cdb[1] & 0x01) {           /* SP: nothing can be saved */
        scsi_bad_cdb(req, 1, 0);
    } else if (!(req->cdb[1] & 0x10)) { /* PF: no other format */
        scsi_bad_cdb(req, 1, 4);
    } else if (len > SCSI_BUF_SIZE) {
        scsi_bad_cdb(req, 7, -1);
    } else if (!len) {
        scsi_good(req);
    } else {
        scsi_data_out(req, len, mode_select_execute);
    }
}
