/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of CD-ROM drives (MMC-5, 6).  The disc has one session with one
 * data track; a medium too large for a CD is shown as a DVD-ROM.
 */
#include "qemu/osdep.h"
#include "scsi-disk.h"

#define CD_MAX_BLOCKS (80 * 60 * 75)
#define PROFILE_CD_ROM 0x0008
#define PROFILE_DVD_ROM 0x0010

/* Minute, second, frame; a disc begins two seconds before block 0. */
static void put_address(uint8_t *p, uint64_t lba, bool msf)
{
    if (msf) {
        lba += 150;
        p[0] = 0;
        p[1] = lba / 75 / 60;
        p[2] = lba / 75 % 60;
        p[3] = lba % 75;
    } else {
        stl_be_p(p, lba);
    }
}

/* -- READ TOC/PMA/ATIP ---------------------------------------------------- */

static unsigned toc_entry(uint8_t *p, uint8_t track, uint64_t lba, bool msf)
{
    p[0] = 0;
    p[1] = 0x14;                /* data track, ADR 1 */
    p[2] = track;
    p[3] = 0;
    put_address(p + 4, lba, msf);
    return 8;
}

#define LEAD_OUT 0xaa

static unsigned toc_tracks(SCSIDisk *s, SCSIRequest *req, bool msf)
{
    uint8_t *p = req->buf, from = req->cdb[6];
    unsigned len = 4;

    if (from > 1 && from != LEAD_OUT) {
        return 0;
    }
    p[2] = p[3] = 1;
    if (from <= 1) {
        len += toc_entry(p + len, 1, 0, msf);
    }
    return len + toc_entry(p + len, LEAD_OUT, s->blocks, msf);
}

static unsigned toc_session(SCSIDisk *s, SCSIRequest *req, bool msf)
{
    req->buf[2] = req->buf[3] = 1;
    return 4 + toc_entry(req->buf + 4, 1, 0, msf);
}

static unsigned toc_full_entry(uint8_t *p, uint8_t point, uint8_t m, uint8_t sec,
                               uint8_t f)
{
    memset(p, 0, 11);
    p[0] = 1;                   /* session */
    p[1] = 0x14;
    p[3] = point;
    p[8] = m;
    p[9] = sec;
    p[10] = f;
    return 11;
}

static unsigned toc_full(SCSIDisk *s, SCSIRequest *req, bool msf)
{
    uint8_t *p = req->buf, end[4], begin[4];
    unsigned len = 4;

    put_address(end, s->blocks, true);
    put_address(begin, 0, true);
    p[2] = p[3] = 1;
    len += toc_full_entry(p + len, 0xa0, 1, 0, 0);
    len += toc_full_entry(p + len, 0xa1, 1, 0, 0);
    len += toc_full_entry(p + len, 0xa2, end[1], end[2], end[3]);
    return len + toc_full_entry(p + len, 1, begin[1], begin[2], begin[3]);
}

void scsi_cd_read_toc(SCSIDisk *s, SCSIRequest *req)
{
    static unsigned (*const formats[])(SCSIDisk *, SCSIRequest *, bool) = {
        toc_tracks, toc_session, toc_full,
    };
    /* Older initiators put it in the control byte. */
    unsigned format = req->cdb[2] & 0xf ?: req->cdb[9] >> 6, len;

    if (format >= ARRAY_SIZE(formats)) {
        scsi_bad_cdb(req, 2, 3);
        return;
    }
    len = formats[format](s, req, req->cdb[1] & 2);
    if (!len) {
        scsi_bad_cdb(req, 6, -1);
        return;
    }
    stw_be_p(req->buf, len - 2);
    scsi_data_in(req, len, ldw_be_p(req->cdb + 7));
}

/* -- What drive and disc can do ------------------------------------------- */

void scsi_cd_get_configuration(SCSIDisk *s, SCSIRequest *req)
{
    uint16_t profile = !scsi_has_medium(s) ? 0 :
        s->blocks > CD_MAX_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
    unsigned type = req->cdb[1] & 3, from = ldw_be_p(req->cdb + 2), len = 8;
    /* Feature descriptors: profile list, core, removable medium. */
    const uint8_t features[][12] = {
        { 0x00, 0x00, 0x03, 8,
          PROFILE_DVD_ROM >> 8, PROFILE_DVD_ROM,
          profile == PROFILE_DVD_ROM, 0,
          PROFILE_CD_ROM >> 8, PROFILE_CD_ROM,
          profile == PROFILE_CD_ROM, 0 },
        { 0x00, 0x01, 0x0b, 8, 0, 0, 0, 1, 1 },     /* on SCSI */
        { 0x00, 0x03, 0x0b, 4, 0x29 },  /* tray, eject, lock */
    };

    if (type == 3) {
        scsi_bad_cdb(req, 1, 1);
        return;
    }
    memset(req->buf, 0, 8);
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        unsigned code = ldw_be_p(features[i]);

        if (type == 2 ? code == from : code >= from) {
            memcpy(req->buf + len, features[i], 4 + features[i][3]);
            len += 4 + features[i][3];
        }
    }
    stl_be_p(req->buf, len - 4);
    stw_be_p(req->buf + 6, profile);
    scsi_data_in(req, len, ldw_be_p(req->cdb + 7));
}

#define EVENT_MEDIA 4

void scsi_cd_get_event_status(SCSIDisk *s, SCSIRequest *req)
{
    uint8_t *p = req->buf;
    unsigned len = 4;

    if (!(req->cdb[1] & 1)) {           /* nothing comes on its own */
        scsi_bad_cdb(req, 1, 0);
        return;
    }
    memset(p, 0, 8);
    p[2] = 0x80;                        /* no event of these classes */
    p[3] = 1 << EVENT_MEDIA;
    if (req->cdb[4] & 1 << EVENT_MEDIA) {
        p[2] = EVENT_MEDIA;
        p[4] = s->state.media_event ? 2 : 0;    /* new medium */
        p[5] = (s->state.tray_open ? 1 : 0) | (scsi_has_medium(s) ? 2 : 0);
        s->state.media_event = false;
        len = 8;
    }
    stw_be_p(p, len - 2);
    scsi_data_in(req, len, ldw_be_p(req->cdb + 7));
}

void scsi_cd_read_disc_info(SCSIDisk *s, SCSIRequest *req)
{
    uint8_t *p = req->buf;

    if (req->cdb[1] & 7) {
        scsi_bad_cdb(req, 1, 2);
        return;
    }
    memset(p, 0, 34);
    stw_be_p(p, 32);
    p[2] = 0x0e;                /* complete, last session complete */
    p[3] = p[4] = p[5] = p[6] = 1;
    p[7] = 0x20;                /* unrestricted use */
    scsi_data_in(req, 34, ldw_be_p(req->cdb + 7));
}

void scsi_cd_mechanism_status(SCSIDisk *s, SCSIRequest *req)
{
    memset(req->buf, 0, 8);
    req->buf[1] = s->state.tray_open ? 0x10 : 0;
    scsi_data_in(req, 8, ldw_be_p(req->cdb + 8));
}

void scsi_cd_set_speed(SCSIDisk *s, SCSIRequest *req)
{
    scsi_good(req);
}
