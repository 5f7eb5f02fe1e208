/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a disk says of itself: INQUIRY with vital product data (SPC-3, 6.4 and
 * 7.6; SBC-3, 6.6) and READ CAPACITY (SBC-3, 5.12 and 5.13).
 */
#include "qemu/osdep.h"
#include "scsi-disk.h"

#define VENDOR "QEMU"
#define VERSION "2.5+"

/* -- Vital product data: each returns the bytes after the header ---------- */

static unsigned vpd_serial(SCSIDisk *s, uint8_t *p)
{
    unsigned len = strlen(s->serial);

    memcpy(p, s->serial, len);
    return len;
}

static unsigned vpd_identification(SCSIDisk *s, uint8_t *p)
{
    const char *name = s->device_id ?: s->serial;
    unsigned at = 0, len;

    if (!name && s->blk) {
        name = blk_name(s->blk);
    }
    if (name && *name) {
        len = MIN(strlen(name), SCSI_DEVICE_ID_MAX);
        p[0] = 0x02;            /* ASCII */
        p[1] = 0x00;            /* vendor specific */
        p[2] = 0;
        p[3] = len;
        memcpy(p + 4, name, len);
        at += 4 + len;
    }
    if (s->wwn) {
        p[at] = 0x01;           /* binary */
        p[at + 1] = 0x03;       /* NAA */
        p[at + 2] = 0;
        p[at + 3] = 8;
        stq_be_p(p + at + 4, s->wwn);
        at += 12;
    }
    return at;
}

static unsigned vpd_block_limits(SCSIDisk *s, uint8_t *p)
{
    memset(p, 0, 60);
    if (blk_can_discard(s->blk)) {
        stl_be_p(p + 16, UINT32_MAX);           /* blocks to unmap */
        stl_be_p(p + 20, (SCSI_BUF_SIZE - 8) / 16);     /* descriptors */
        stl_be_p(p + 24, s->physical_block_size / s->logical_block_size);
    }
    return 60;
}

static unsigned vpd_characteristics(SCSIDisk *s, uint8_t *p)
{
    memset(p, 0, 60);
    stw_be_p(p, s->rotation_rate);
    return 60;
}

static unsigned vpd_provisioning(SCSIDisk *s, uint8_t *p)
{
    memset(p, 0, 4);
    if (blk_can_discard(s->blk)) {
        p[1] = 0xe0;            /* LBPU, LBPWS, LBPWS10 */
        p[2] = 0x02;            /* thin */
    }
    return 4;
}

static const struct VpdPage {
    uint8_t code;
    bool disk_only;
    unsigned (*fill)(SCSIDisk *s, uint8_t *p);
} vpd_pages[] = {
    { 0x80, false, vpd_serial },
    { 0x83, false, vpd_identification },
    { 0xb0, true, vpd_block_limits },
    { 0xb1, true, vpd_characteristics },
    { 0xb2, true, vpd_provisioning },
};

static bool has_page(const SCSIDisk *s, const struct VpdPage *page)
{
    return !(page->disk_only && s->cd) && (page->code != 0x80 || s->serial);
}

static void inquiry_vpd(SCSIDisk *s, SCSIRequest *req, uint16_t alloc)
{
    uint8_t code = req->cdb[2], *p = req->buf;
    unsigned len = 0;
    int found = -1;

    for (unsigned i = 0; i < ARRAY_SIZE(vpd_pages); i++) {
        if (vpd_pages[i].code == code && has_page(s, &vpd_pages[i])) {
            found = i;
        }
    }
    if (code == 0x00) {
        p[4 + len++] = 0x00;
        for (unsigned i = 0; i < ARRAY_SIZE(vpd_pages); i++) {
            if (has_page(s, &vpd_pages[i])) {
                p[4 + len++] = vpd_pages[i].code;
            }
        }
    } else if (found >= 0) {
        len = vpd_pages[found].fill(s, p + 4);
    } else {
        scsi_bad_cdb(req, 2, -1);
        return;
    }
    p[0] = s->cd ? 0x05 : 0x00;
    p[1] = code;
    stw_be_p(p + 2, len);
    scsi_data_in(req, len + 4, alloc);
}

/* -- INQUIRY -------------------------------------------------------------- */

#define INQUIRY_SIZE 96

static void inquiry_standard(SCSIDisk *s, SCSIRequest *req, uint16_t alloc)
{
    uint8_t *p = req->buf;

    memset(p, 0, INQUIRY_SIZE);
    p[0] = s->cd ? 0x05 : 0x00;
    p[1] = s->removable ? 0x80 : 0x00;
    p[2] = 0x05;                /* SPC-3 */
    p[3] = 0x12;                /* HISUP, response data format 2 */
    p[4] = INQUIRY_SIZE - 5;
    p[7] = 0x02;                /* CMDQUE */
    scsi_pad(p + 8, s->vendor ?: VENDOR, 8);
    scsi_pad(p + 16, s->product ?: (s->cd ? "QEMU CD-ROM" : "QEMU HARDDISK"),
             16);
    scsi_pad(p + 32, s->version ?: VERSION, 4);
    stw_be_p(p + 58, 0x0060);   /* SAM-3 */
    stw_be_p(p + 60, 0x0300);   /* SPC-3 */
    stw_be_p(p + 62, s->cd ? 0x0430 : 0x04c0);  /* MMC-5, SBC-3 */
    scsi_data_in(req, INQUIRY_SIZE, alloc);
}

void scsi_inquiry(SCSIDisk *s, SCSIRequest *req)
{
    uint16_t alloc = ldw_be_p(req->cdb + 3);

    if (req->cdb[1] & 0x02) {           /* CmdDt, obsolete */
        scsi_bad_cdb(req, 1, 1);
    } else if (req->cdb[1] & 0x01) {
        inquiry_vpd(s, req, alloc);
    } else if (req->cdb[2]) {
        scsi_bad_cdb(req, 2, -1);
    } else {
        inquiry_standard(s, req, alloc);
    }
}

/* -- READ CAPACITY -------------------------------------------------------- */

void scsi_read_capacity10(SCSIDisk *s, SCSIRequest *req)
{
    if (!(req->cdb[8] & 1) && ldl_be_p(req->cdb + 2)) {
        scsi_bad_cdb(req, 2, -1);
        return;
    }
    stl_be_p(req->buf, MIN(s->blocks - 1, UINT32_MAX));
    stl_be_p(req->buf + 4, s->logical_block_size);
    scsi_data_in(req, 8, 8);
}

void scsi_service_action_in(SCSIDisk *s, SCSIRequest *req)
{
    uint8_t *p = req->buf;
    uint32_t per = s->physical_block_size / s->logical_block_size;

    if ((req->cdb[1] & 0x1f) != 0x10) {         /* READ CAPACITY (16) */
        scsi_bad_cdb(req, 1, 4);
        return;
    }
    memset(p, 0, 32);
    stq_be_p(p, s->blocks - 1);
    stl_be_p(p + 8, s->logical_block_size);
    p[13] = __builtin_ctz(per) & 0xf;
    if (blk_can_discard(s->blk)) {
        p[14] = 0x80;           /* LBPME */
    }
    scsi_data_in(req, 32, ldl_be_p(req->cdb + 10));
}
