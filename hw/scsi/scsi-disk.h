/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scsi-hd and scsi-cd: what their files share. */
#ifndef HW_SCSI_SCSI_DISK_H
#define HW_SCSI_SCSI_DISK_H

#include "hw/scsi/scsi.h"
#include "qemu/bswap.h"

#define TYPE_SCSI_DISK "scsi-disk-base"
OBJECT_DECLARE_SIMPLE_TYPE(SCSIDisk, SCSI_DISK)

#define SCSI_SERIAL_MAX 36
#define SCSI_DEVICE_ID_MAX 200

typedef struct SCSIDiskState {
    bool wce;                   /* write cache enabled */
    bool stopped;               /* by START STOP UNIT */
    bool tray_open;
    bool tray_locked;           /* removal prevented */
    bool media_event;           /* to be told by GET EVENT STATUS */
} SCSIDiskState;

struct SCSIDisk {
    SCSIDevice parent_obj;

    BlockBackend *blk;          /* NULL: a drive without a disc */
    char *serial, *vendor, *product, *version, *device_id;
    uint64_t wwn;
    uint32_t logical_block_size, physical_block_size;
    uint16_t rotation_rate;
    bool removable;
    OnOffAuto write_cache;

    SCSIDiskState state;

    bool cd;
    uint64_t blocks;            /* of the medium */
};

/* Who has a command, and what it needs before it runs. */
enum {
    CMD_HD = 1 << 0,
    CMD_CD = 1 << 1,
    CMD_ALL = CMD_HD | CMD_CD,
    CMD_ANYTIME = 1 << 2,       /* a unit attention does not stop it */
    CMD_MEDIUM = 1 << 3,        /* a medium, and the unit started */
    CMD_WRITES = 1 << 4,
};

typedef void SCSICommandFn(SCSIDisk *s, SCSIRequest *req);

typedef struct SCSICommand {
    SCSICommandFn *fn;
    unsigned flags;
} SCSICommand;

static inline SCSIDisk *scsi_disk(SCSIRequest *req)
{
    return (SCSIDisk *)req->dev;
}

/* @text, with blanks to @len bytes. */
void scsi_pad(uint8_t *to, const char *text, unsigned len);
bool scsi_has_medium(const SCSIDisk *s);

/* scsi-disk-io.c */
SCSICommandFn scsi_read_write, scsi_verify, scsi_sync_cache, scsi_unmap,
    scsi_write_same, scsi_seek;
/* scsi-disk-info.c */
SCSICommandFn scsi_inquiry, scsi_read_capacity10, scsi_service_action_in;
/* scsi-disk-mode.c */
SCSICommandFn scsi_mode_sense, scsi_mode_select;
/* scsi-cd.c */
SCSICommandFn scsi_cd_read_toc, scsi_cd_get_configuration,
    scsi_cd_get_event_status, scsi_cd_read_disc_info,
    scsi_cd_mechanism_status, scsi_cd_set_speed;

#endif
