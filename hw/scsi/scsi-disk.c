/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scsi-hd and scsi-cd: logical units on a drive (SPC-3, SBC-3, MMC-5).  Here:
 * properties, life, and which command goes where.  Reservations, formatting,
 * self-tests other than the default one and raw CD sectors are refused.
 */
#include "qemu/osdep.h"
#include "scsi-disk.h"
#include "migration/vmstate.h"
#include "qemu/bitops.h"

static const VMStateField state_fields[] = {
    VMSTATE_BOOL(wce, SCSIDiskState),
    VMSTATE_BOOL(stopped, SCSIDiskState),
    VMSTATE_BOOL(tray_open, SCSIDiskState),
    VMSTATE_BOOL(tray_locked, SCSIDiskState),
    VMSTATE_BOOL(media_event, SCSIDiskState),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_state = {
    .name = "scsi-disk-state", .version_id = 1, .fields = state_fields,
};
static const VMStateField disk_fields[] = {
    VMSTATE_STRUCT(parent_obj.unit, SCSIDisk, &vmstate_scsi_unit),
    VMSTATE_STRUCT(state, SCSIDisk, &vmstate_state),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_disk = {
    .name = "scsi-disk", .version_id = 1, .fields = disk_fields,
};

void scsi_pad(uint8_t *to, const char *text, unsigned len)
{
    size_t have = MIN(strlen(text), len);

    memset(to, ' ', len);
    memcpy(to, text, have);
}

bool scsi_has_medium(const SCSIDisk *s)
{
    return s->blk && !s->state.tray_open;
}

/* -- Small commands ------------------------------------------------------- */

static void nothing_to_do(SCSIDisk *s, SCSIRequest *req)
{
    scsi_good(req);
}

static void request_sense(SCSIDisk *s, SCSIRequest *req)
{
    scsi_request_sense(req);
}

static void report_luns(SCSIDisk *s, SCSIRequest *req)
{
    scsi_report_luns(req);
}

static void started_or_stopped(SCSIDisk *s, SCSIRequest *req)
{
    bool start = req->cdb[4] & 1, load_eject = req->cdb[4] & 2;

    if (load_eject && !(s->cd || s->removable)) {
        scsi_bad_cdb(req, 4, 1);
        return;
    }
    if (load_eject && !start && !s->state.tray_open) {
        if (s->state.tray_locked) {
            scsi_check(req, SENSE_REMOVAL_PREVENTED);
            return;
        }
        s->state.tray_open = true;
    } else if (load_eject && start && s->state.tray_open) {
        s->state.tray_open = false;
        if (s->blk) {
            s->state.media_event = true;
            scsi_unit_attention(req->dev, SENSE_MEDIUM_CHANGED);
        }
    }
    s->state.stopped = !start && !load_eject;
    scsi_good(req);
}

static void start_stop_flushed(SCSIRequest *req, int ret)
{
    if (ret < 0) {
        scsi_check(req, SENSE_WRITE_ERROR);
    } else {
        started_or_stopped(scsi_disk(req), req);
    }
}

static void start_stop_unit(SCSIDisk *s, SCSIRequest *req)
{
    /* What POWER CONDITIONS ask for needs nothing done. */
    if (req->cdb[4] & 0xf0) {
        scsi_good(req);
    } else if (!(req->cdb[4] & 1) && scsi_has_medium(s)) {
        scsi_submit(req, s->blk, BLK_FLUSH, 0, 0, NULL, 0, 0,
                    start_stop_flushed);
    } else {
        started_or_stopped(s, req);
    }
}

static void prevent_allow_removal(SCSIDisk *s, SCSIRequest *req)
{
    s->state.tray_locked = req->cdb[4] & 1;
    scsi_good(req);
}

static void send_diagnostic(SCSIDisk *s, SCSIRequest *req)
{
    if (req->cdb[1] & 0xe0) {
        scsi_bad_cdb(req, 1, 7);
    } else if (ldw_be_p(req->cdb + 3)) {
        scsi_bad_cdb(req, 3, -1);
    } else {
        scsi_good(req);
    }
}

/* -- Which command goes where --------------------------------------------- */

#define RD (CMD_ALL | CMD_MEDIUM)
#define WR (CMD_HD | CMD_MEDIUM | CMD_WRITES)

static const SCSICommand commands[256] = {
    [0x00] = { nothing_to_do, CMD_ALL | CMD_MEDIUM },   /* TEST UNIT READY */
    [0x01] = { nothing_to_do, CMD_ALL | CMD_MEDIUM },   /* REZERO UNIT */
    [0x03] = { request_sense, CMD_ALL | CMD_ANYTIME },
    [0x08] = { scsi_read_write, RD },                   /* READ (6) */
    [0x0a] = { scsi_read_write, WR },                   /* WRITE (6) */
    [0x0b] = { scsi_seek, RD },                         /* SEEK (6) */
    [0x12] = { scsi_inquiry, CMD_ALL | CMD_ANYTIME },
    [0x15] = { scsi_mode_select, CMD_ALL },             /* (6) */
    [0x16] = { nothing_to_do, CMD_ALL },                /* RESERVE (6) */
    [0x17] = { nothing_to_do, CMD_ALL },                /* RELEASE (6) */
    [0x1a] = { scsi_mode_sense, CMD_ALL },              /* (6) */
    [0x1b] = { start_stop_unit, CMD_ALL },
    [0x1d] = { send_diagnostic, CMD_ALL },
    [0x1e] = { prevent_allow_removal, CMD_ALL },
    [0x25] = { scsi_read_capacity10, RD },
    [0x28] = { scsi_read_write, RD },                   /* READ (10) */
    [0x2a] = { scsi_read_write, WR },                   /* WRITE (10) */
    [0x2b] = { scsi_seek, RD },                         /* SEEK (10) */
    [0x2e] = { scsi_read_write, WR },       /* WRITE AND VERIFY (10) */
    [0x2f] = { scsi_verify, RD },                       /* VERIFY (10) */
    [0x35] = { scsi_sync_cache, CMD_ALL | CMD_MEDIUM },     /* (10) */
    [0x41] = { scsi_write_same, WR },                   /* (10) */
    [0x42] = { scsi_unmap, WR },
    [0x43] = { scsi_cd_read_toc, CMD_CD | CMD_MEDIUM },
    [0x46] = { scsi_cd_get_configuration, CMD_CD | CMD_ANYTIME },
    [0x4a] = { scsi_cd_get_event_status, CMD_CD | CMD_ANYTIME },
    [0x51] = { scsi_cd_read_disc_info, CMD_CD | CMD_MEDIUM },
    [0x55] = { scsi_mode_select, CMD_ALL },             /* (10) */
    [0x56] = { nothing_to_do, CMD_ALL },                /* RESERVE (10) */
    [0x57] = { nothing_to_do, CMD_ALL },                /* RELEASE (10) */
    [0x5a] = { scsi_mode_sense, CMD_ALL },              /* (10) */
    [0x88] = { scsi_read_write, RD & ~CMD_CD },         /* READ (16) */
    [0x8a] = { scsi_read_write, WR },                   /* WRITE (16) */
    [0x8e] = { scsi_read_write, WR },       /* WRITE AND VERIFY (16) */
    [0x8f] = { scsi_verify, RD & ~CMD_CD },             /* VERIFY (16) */
    [0x91] = { scsi_sync_cache, CMD_HD | CMD_MEDIUM },      /* (16) */
    [0x93] = { scsi_write_same, WR },                   /* (16) */
    [0x9e] = { scsi_service_action_in, RD },
    [0xa0] = { report_luns, CMD_ALL | CMD_ANYTIME },
    [0xa8] = { scsi_read_write, RD },                   /* READ (12) */
    [0xaa] = { scsi_read_write, WR },                   /* WRITE (12) */
    [0xae] = { scsi_read_write, WR },       /* WRITE AND VERIFY (12) */
    [0xaf] = { scsi_verify, RD },                       /* VERIFY (12) */
    [0xbb] = { scsi_cd_set_speed, CMD_CD },
    [0xbd] = { scsi_cd_mechanism_status, CMD_CD },
};

static bool medium_is_ready(SCSIDisk *s, SCSIRequest *req)
{
    if (!scsi_has_medium(s)) {
        scsi_check(req, s->state.tray_open ? SENSE_NO_MEDIUM_TRAY_OPEN
                                           : SENSE_NO_MEDIUM);
        return false;
    }
    if (s->state.stopped) {
        scsi_check(req, SENSE_INIT_COMMAND_REQUIRED);
        return false;
    }
    return true;
}

static void disk_execute(SCSIRequest *req)
{
    SCSIDisk *s = scsi_disk(req);
    const SCSICommand *cmd = &commands[req->cdb[0]];

    req->execute = NULL;
    if (!cmd->fn || !(cmd->flags & (s->cd ? CMD_CD : CMD_HD))) {
        if (!scsi_report_attention(req)) {
            scsi_check(req, SENSE_INVALID_OPCODE);
        }
        return;
    }
    if (!(cmd->flags & CMD_ANYTIME) && scsi_report_attention(req)) {
        return;
    }
    if (req->cdb[req->cdb_len - 1] & 0x04) {    /* NACA */
        scsi_bad_cdb(req, req->cdb_len - 1, 2);
        return;
    }
    if ((cmd->flags & CMD_MEDIUM) && !medium_is_ready(s, req)) {
        return;
    }
    if ((cmd->flags & CMD_WRITES) && blk_is_read_only(s->blk)) {
        scsi_check(req, SENSE_WRITE_PROTECTED);
        return;
    }
    cmd->fn(s, req);
}

/* -- Life ----------------------------------------------------------------- */

static bool check_text(SCSIDisk *s, const char *name, const char *value,
                       unsigned max, Error **errp)
{
    if (value && strlen(value) > max) {
        error_setg(errp, "%s: property '%s' is longer than %u characters: "
                   "'%s'", object_get_typename(OBJECT(s)), name, max, value);
        return false;
    }
    return true;
}

static bool check_block_size(SCSIDisk *s, const char *name, uint32_t size,
                             uint32_t min, uint32_t max, Error **errp)
{
    if (!is_power_of_2(size) || size < min || size > max) {
        error_setg(errp, "%s: property '%s' is %u: it must be a power of two "
                   "from %u to %u", object_get_typename(OBJECT(s)), name,
                   size, min, max);
        return false;
    }
    return true;
}

static bool check_properties(SCSIDisk *s, Error **errp)
{
    uint32_t block = s->cd ? 2048 : s->logical_block_size;

    if (!s->blk && !s->cd) {
        error_setg(errp, "scsi-hd: property 'drive' is missing: it names the "
                   "-drive or -blockdev to use");
        return false;
    }
    if (s->cd) {
        s->logical_block_size = s->physical_block_size = block;
    }
    return check_text(s, "serial", s->serial, SCSI_SERIAL_MAX, errp) &&
        check_text(s, "vendor", s->vendor, 8, errp) &&
        check_text(s, "product", s->product, 16, errp) &&
        check_text(s, "ver", s->version, 4, errp) &&
        check_text(s, "device_id", s->device_id, SCSI_DEVICE_ID_MAX, errp) &&
        check_block_size(s, "logical_block_size", block, 512, 4096, errp) &&
        check_block_size(s, "physical_block_size", s->physical_block_size,
                         block, 2 * MiB, errp);
}

static bool disk_realize(SCSIDevice *dev, Error **errp)
{
    SCSIDisk *s = SCSI_DISK(dev);

    if (!check_properties(s, errp)) {
        return false;
    }
    if (!s->blk) {
        return true;
    }
    s->blocks = blk_getlength(s->blk) / s->logical_block_size;
    if (!s->blocks) {
        error_setg(errp, "%s: drive '%s' is smaller than one block of %u "
                   "bytes", object_get_typename(OBJECT(s)), blk_name(s->blk),
                   s->logical_block_size);
        return false;
    }
    s->state.wce = s->write_cache == ON_OFF_AUTO_AUTO ?
                   blk_enable_write_cache(s->blk) :
                   s->write_cache == ON_OFF_AUTO_ON;
    return blk_set_context(s->blk, qdev_get_context(&dev->qdev), errp);
}

static void disk_drain(SCSIDevice *dev)
{
    SCSIDisk *s = SCSI_DISK(dev);

    if (s->blk) {
        blk_drain(s->blk);
    }
}

static void disk_unrealize(SCSIDevice *dev)
{
    SCSIDisk *s = SCSI_DISK(dev);

    if (s->blk) {
        blk_set_context(s->blk, NULL, NULL);
    }
}

/* The adapter has been reset before, or is about to be: what is in flight is
 * its business. */
static void disk_reset(DeviceState *qdev)
{
    SCSIDisk *s = SCSI_DISK(qdev);
    bool wce = s->blk && (s->write_cache == ON_OFF_AUTO_AUTO ?
                          blk_enable_write_cache(s->blk) :
                          s->write_cache == ON_OFF_AUTO_ON);

    vmstate_clear(&vmstate_disk, s);
    s->state.wce = wce;
    scsi_unit_attention(&s->parent_obj, SENSE_POWER_ON);
}

static const Property disk_props[] = {
    DEFINE_PROP_DRIVE("drive", SCSIDisk, blk,
        .description = "id of the disk"),
    DEFINE_PROP_STRING("serial", SCSIDisk, serial,
        .description = "serial number"),
    DEFINE_PROP_STRING("vendor", SCSIDisk, vendor,
        .description = "8 characters"),
    DEFINE_PROP_STRING("product", SCSIDisk, product,
        .description = "16 characters"),
    DEFINE_PROP_STRING("ver", SCSIDisk, version,
        .description = "revision, 4 characters"),
    DEFINE_PROP_STRING("device_id", SCSIDisk, device_id,
        .description = "identifier in VPD page 83h"),
    DEFINE_PROP_UINT64("wwn", SCSIDisk, wwn, 0,
        .description = "world wide name; 0: none"),
    DEFINE_PROP_ON_OFF_AUTO("write-cache", SCSIDisk, write_cache,
                            ON_OFF_AUTO_AUTO),
    { }
};

static const Property hd_props[] = {
    DEFINE_PROP_UINT32("logical_block_size", SCSIDisk, logical_block_size,
                       512,
        .description = "bytes of a block"),
    DEFINE_PROP_UINT32("physical_block_size", SCSIDisk, physical_block_size,
                       512,
        .description = "bytes that the medium writes at once"),
    DEFINE_PROP_UINT16("rotation_rate", SCSIDisk, rotation_rate, 0,
        .description = "per minute; 1: no rotating medium, 0: unknown"),
    DEFINE_PROP_BOOL("removable", SCSIDisk, removable, false,
        .description = "the medium can be taken out"),
    { }
};

static void disk_class_init(ObjectClass *oc, void *data)
{
    SCSIDeviceClass *sc = SCSI_DEVICE_CLASS(oc);
    DeviceClass *dc = DEVICE_CLASS(oc);

    sc->realize = disk_realize;
    sc->unrealize = disk_unrealize;
    sc->execute = disk_execute;
    sc->drain = disk_drain;
    dc->reset = disk_reset;
    dc->vmsd = &vmstate_disk;
    dc->fw_name = "disk";
    device_class_set_props(dc, disk_props);
}

static void hd_class_init(ObjectClass *oc, void *data)
{
    DEVICE_CLASS(oc)->desc = "SCSI disk";
    device_class_set_props(DEVICE_CLASS(oc), hd_props);
}

static void cd_class_init(ObjectClass *oc, void *data)
{
    DEVICE_CLASS(oc)->desc = "SCSI CD-ROM drive";
}

static void cd_instance_init(Object *obj)
{
    SCSI_DISK(obj)->cd = SCSI_DISK(obj)->removable = true;
}

static const TypeInfo disk_types[] = {
    {
        .name = TYPE_SCSI_DISK,
        .parent = TYPE_SCSI_DEVICE,
        .instance_size = sizeof(SCSIDisk),
        .class_init = disk_class_init,
        .abstract = true,
    }, {
        .name = "scsi-hd",
        .parent = TYPE_SCSI_DISK,
        .class_init = hd_class_init,
    }, {
        .name = "scsi-cd",
        .parent = TYPE_SCSI_DISK,
        .instance_init = cd_instance_init,
        .class_init = cd_class_init,
    },
};
DEFINE_TYPES(disk_types)
