/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SCSI bus: addresses of devices, resets, and the commands that a target
 * answers for all of its logical units or for one that does not exist
 * (SAM-3, SPC-3).  Devices come and go at run time; parallel SCSI has no way to
 * tell the guest, which has to look.
 */
#include "qemu/osdep.h"
#include "hw/scsi/scsi.h"
#include "migration/vmstate.h"
#include "qemu/aio.h"
#include "qemu/bswap.h"

/* -- Addresses ------------------------------------------------------------ */

SCSIDevice *scsi_device_find(SCSIBus *bus, unsigned channel, unsigned target,
                             unsigned lun)
{
    DeviceState *qdev;

    QTAILQ_FOREACH(qdev, &bus->qbus.children, sibling) {
        SCSIDevice *dev = SCSI_DEVICE(qdev);

        if (dev->channel == channel && dev->id == (int)target &&
            dev->lun == (int)lun) {
            return dev;
        }
    }
    return NULL;
}

bool scsi_bus_has_target(SCSIBus *bus, unsigned channel, unsigned target)
{
    DeviceState *qdev;

    QTAILQ_FOREACH(qdev, &bus->qbus.children, sibling) {
        SCSIDevice *dev = SCSI_DEVICE(qdev);

        if (dev->channel == channel && dev->id == (int)target) {
            return true;
        }
    }
    return false;
}

static bool check_number(SCSIBus *bus, SCSIDevice *dev, const char *name,
                         int64_t value, unsigned max, Error **errp)
{
    /* -1: to be chosen. */
    if (value > max || value < -1) {
        error_setg(errp, "%s: property '%s' is %" PRId64 ": on bus '%s' it "
                   "must be from 0 to %u", object_get_typename(OBJECT(dev)),
                   name, value, bus->qbus.name, max);
        return false;
    }
    return true;
}

static bool choose_lun(SCSIBus *bus, SCSIDevice *dev)
{
    for (dev->lun = 0; dev->lun <= bus->info->max_lun; dev->lun++) {
        if (!scsi_device_find(bus, dev->channel, dev->id, dev->lun)) {
            return true;
        }
    }
    dev->lun = -1;
    return false;
}

static bool choose_id(SCSIBus *bus, SCSIDevice *dev)
{
    int lun = dev->lun < 0 ? 0 : dev->lun;

    for (dev->id = 0; dev->id <= bus->info->max_target; dev->id++) {
        if (dev->id != bus->info->initiator &&
            !scsi_device_find(bus, dev->channel, dev->id, lun)) {
            dev->lun = lun;
            return true;
        }
    }
    dev->id = -1;
    return false;
}

static bool scsi_bus_check_address(BusState *qbus, DeviceState *qdev,
                                   Error **errp)
{
    SCSIBus *bus = SCSI_BUS(qbus);
    SCSIDevice *dev = SCSI_DEVICE(qdev);
    const SCSIBusInfo *info = bus->info;

    if (!check_number(bus, dev, "channel", dev->channel, info->max_channel,
                      errp) ||
        !check_number(bus, dev, "scsi-id", dev->id, info->max_target, errp) ||
        !check_number(bus, dev, "lun", dev->lun, info->max_lun, errp)) {
        return false;
    }
    if (dev->id == info->initiator) {
        error_setg(errp, "%s: scsi-id %d of bus '%s' is the host adapter's",
                   object_get_typename(OBJECT(dev)), dev->id, qbus->name);
        return false;
    }
    if (dev->id < 0) {
        if (!choose_id(bus, dev)) {
            error_setg(errp, "No scsi-id is free on bus '%s'", qbus->name);
            return false;
        }
    } else if (dev->lun < 0) {
        if (!choose_lun(bus, dev)) {
            error_setg(errp, "No lun is free at scsi-id %d of bus '%s'",
                       dev->id, qbus->name);
            return false;
        }
    } else if (scsi_device_find(bus, dev->channel, dev->id, dev->lun)) {
        error_setg(errp, "lun already used: scsi-id %d, lun %d of bus '%s'",
                   dev->id, dev->lun, qbus->name);
        return false;
    }
    return true;
}

static char *scsi_get_dev_path(DeviceState *qdev)
{
    SCSIDevice *dev = SCSI_DEVICE(qdev);
    g_autofree char *hba = qdev_get_dev_path(qdev->parent_bus->parent);

    return g_strdup_printf("%s%s%u:%d:%d", hba ?: "", hba ? "/" : "",
                           dev->channel, dev->id, dev->lun);
}

static char *scsi_get_fw_dev_path(DeviceState *qdev)
{
    SCSIDevice *dev = SCSI_DEVICE(qdev);

    return g_strdup_printf("channel@%x/%s@%x,%x", dev->channel,
                           DEVICE_GET_CLASS(qdev)->fw_name ?:
                           object_get_typename(OBJECT(qdev)),
                           dev->id, dev->lun);
}

static void scsi_print_dev(GString *out, DeviceState *qdev, int indent)
{
    SCSIDevice *dev = SCSI_DEVICE(qdev);

    g_string_append_printf(out, "%*saddr = %u:%d:%d\n", indent, "",
                           dev->channel, dev->id, dev->lun);
}

/* -- The bus -------------------------------------------------------------- */

void scsi_bus_init(SCSIBus *bus, size_t size, DeviceState *hba,
                   const SCSIBusInfo *info)
{
    qbus_init(bus, size, TYPE_SCSI_BUS, hba, NULL);
    bus->info = info;
    qbus_set_hotplug_handler(&bus->qbus, OBJECT(bus));
}

/* A bus belongs to its adapter's context.  Where another thread runs that, as
 * in a remote process that serves a machine, the bus stays as it is. */
static bool check_context(SCSIBus *bus, DeviceState *dev, Error **errp)
{
    DeviceState *hba = bus->qbus.parent;

    if (aio_context_is_owner(qdev_get_context(hba))) {
        return true;
    }
    error_setg(errp, "%s: nothing can be plugged into or unplugged from bus "
               "'%s' while its adapter serves a machine in a process of its "
               "own", object_get_typename(OBJECT(dev)), bus->qbus.name);
    return false;
}

static bool scsi_bus_pre_plug(HotplugHandler *h, DeviceState *dev,
                              Error **errp)
{
    return !dev->hotplugged || check_context(SCSI_BUS(h), dev, errp);
}

static bool scsi_bus_unplug_request(HotplugHandler *h, DeviceState *dev,
                                    Error **errp)
{
    if (!check_context(SCSI_BUS(h), dev, errp)) {
        return false;
    }
    qdev_unplug_complete(dev);
    return true;
}

static void cancel_matching(SCSIBus *bus, unsigned channel, int target)
{
    SCSIRequest *req;

    for (;;) {
        QTAILQ_FOREACH(req, &bus->active, link) {
            if (!req->cancelled && (target < 0 || (req->channel == channel &&
                                                   req->target == target))) {
                break;
            }
        }
        if (!req) {
            return;
        }
        scsi_req_cancel(req);
    }
}

static void attention(SCSIBus *bus, unsigned channel, int target,
                      SCSISense sense)
{
    DeviceState *qdev;

    QTAILQ_FOREACH(qdev, &bus->qbus.children, sibling) {
        SCSIDevice *dev = SCSI_DEVICE(qdev);

        if (target < 0 || (dev->channel == channel && dev->id == target)) {
            dev->unit.sense[0] = 0;
            scsi_unit_attention(dev, sense);
        }
    }
}

void scsi_bus_reset(SCSIBus *bus)
{
    cancel_matching(bus, 0, -1);
    attention(bus, 0, -1, SENSE_BUS_RESET);
}

void scsi_target_reset(SCSIBus *bus, unsigned channel, unsigned target)
{
    cancel_matching(bus, channel, target);
    attention(bus, channel, target, SENSE_TARGET_RESET);
}

static void scsi_bus_instance_init(Object *obj)
{
    SCSIBus *bus = SCSI_BUS(obj);

    QTAILQ_INIT(&bus->active);
    QTAILQ_INIT(&bus->free);
}

static void scsi_bus_finalize(Object *obj)
{
    SCSIBus *bus = SCSI_BUS(obj);
    SCSIRequest *req;

    assert(QTAILQ_EMPTY(&bus->active));
    while ((req = QTAILQ_FIRST(&bus->free))) {
        QTAILQ_REMOVE(&bus->free, req, link);
        free(req->buf);
        g_free(req);
    }
}

static void scsi_bus_class_init(ObjectClass *oc, void *data)
{
    BusClass *bc = BUS_CLASS(oc);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(oc);

    hc->pre_plug = scsi_bus_pre_plug;
    hc->unplug_request = scsi_bus_unplug_request;
    bc->check_address = scsi_bus_check_address;
    bc->get_dev_path = scsi_get_dev_path;
    bc->get_fw_dev_path = scsi_get_fw_dev_path;
    bc->print_dev = scsi_print_dev;
}

/* -- Devices -------------------------------------------------------------- */

static bool scsi_device_realize(DeviceState *qdev, Error **errp)
{
    SCSIDevice *dev = SCSI_DEVICE(qdev);

    scsi_unit_attention(dev, SENSE_POWER_ON);
    return SCSI_DEVICE_GET_CLASS(dev)->realize(dev, errp);
}

/* What it was doing ends as if there had been no unit. */
static void scsi_device_unrealize(DeviceState *qdev)
{
    SCSIDevice *dev = SCSI_DEVICE(qdev);
    SCSIBus *bus = SCSI_BUS(qdev->parent_bus);
    SCSIRequest *req;

    QTAILQ_FOREACH(req, &bus->active, link) {
        if (req->dev == dev) {
            req->cancelled = true;
        }
    }
    SCSI_DEVICE_GET_CLASS(dev)->drain(dev);
    do {
        QTAILQ_FOREACH(req, &bus->active, link) {
            if (req->dev == dev) {
                req->dev = NULL;
                scsi_check(req, SENSE_LUN_NOT_SUPPORTED);
                break;
            }
        }
    } while (req);
    SCSI_DEVICE_GET_CLASS(dev)->unrealize(dev);
}

static void scsi_device_class_init(ObjectClass *oc, void *data)
{
    static const Property props[] = {
        DEFINE_PROP_UINT32("channel", SCSIDevice, channel, 0,
            .description = "always 0"),
        DEFINE_PROP_INT32("scsi-id", SCSIDevice, id, -1,
            .description = "address on the bus"),
        DEFINE_PROP_INT32("lun", SCSIDevice, lun, -1,
            .description = "logical unit"),
        DEFINE_PROP_INT32("bootindex", SCSIDevice, bootindex, -1,
            .description = "place in firmware's boot order"),
        { }
    };
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->bus_type = TYPE_SCSI_BUS;
    dc->realize = scsi_device_realize;
    dc->unrealize = scsi_device_unrealize;
    dc->categories = 1 << DEVICE_CATEGORY_STORAGE;
    device_class_set_props(dc, props);
}

static const VMStateField unit_fields[] = {
    VMSTATE_BUFFER(sense, SCSIUnitState),
    VMSTATE_UINT8(ua_asc, SCSIUnitState),
    VMSTATE_UINT8(ua_ascq, SCSIUnitState),
    VMSTATE_END_OF_LIST()
};
const VMStateDescription vmstate_scsi_unit = {
    .name = "scsi-unit", .version_id = 1, .fields = unit_fields,
};

/* -- What a target answers ------------------------------------------------ */

void scsi_report_luns(SCSIRequest *req)
{
    uint32_t alloc = ldl_be_p(req->cdb + 6);
    unsigned lun, n = 0;

    if (req->cdb[2] > 2) {
        scsi_bad_cdb(req, 2, -1);
        return;
    }
    if (alloc < 16) {
        scsi_bad_cdb(req, 6, -1);
        return;
    }
    memset(req->buf, 0, 8);
    for (lun = 0; lun <= req->bus->info->max_lun && req->cdb[2] != 1; lun++) {
        /* LUN 0 is always there to be asked. */
        if (lun && !scsi_device_find(req->bus, req->channel, req->target,
                                     lun)) {
            continue;
        }
        n += 8;
        memset(req->buf + n, 0, 8);
        req->buf[n + 1] = lun;
    }
    stl_be_p(req->buf, n);
    scsi_data_in(req, n + 8, alloc);
}

/* In descriptor format: the fixed format's information, if any, and field
 * pointer become descriptors (SPC-3, 4.5.2). */
static unsigned sense_descriptors(uint8_t *out, const uint8_t *fixed)
{
    unsigned len = 8;

    memset(out, 0, 64);
    out[0] = 0x72;
    out[1] = fixed[2] & 0xf;
    out[2] = fixed[12];
    out[3] = fixed[13];
    if (fixed[0] & 0x80) {
        out[len] = 0x00;
        out[len + 1] = 0x0a;
        out[len + 2] = 0x80;
        memcpy(out + len + 8, fixed + 3, 4);
        len += 12;
    }
    if (fixed[15] & 0x80) {
        out[len] = 0x02;
        out[len + 1] = 0x06;
        memcpy(out + len + 4, fixed + 15, 3);
        len += 8;
    }
    out[7] = len - 8;
    return len;
}

void scsi_request_sense(SCSIRequest *req)
{
    uint8_t sense[SCSI_SENSE_SIZE] = { 0x70, [7] = SCSI_SENSE_SIZE - 8 };
    SCSIUnitState *unit = req->dev ? &req->dev->unit : NULL;
    unsigned len = sizeof(sense);

    if (!unit) {
        sense[2] = SENSE_LUN_NOT_SUPPORTED.key;
        sense[12] = SENSE_LUN_NOT_SUPPORTED.asc;
    } else if (unit->sense[0]) {
        memcpy(sense, unit->sense, sizeof(sense));
        unit->sense[0] = 0;
    } else if (unit->ua_asc) {
        sense[2] = SENSE_POWER_ON.key;
        sense[12] = unit->ua_asc;
        sense[13] = unit->ua_ascq;
        unit->ua_asc = unit->ua_ascq = 0;
    }
    if (req->cdb[1] & 1) {
        len = sense_descriptors(req->buf, sense);
    } else {
        memcpy(req->buf, sense, len);
    }
    scsi_data_in(req, len, req->cdb[4]);
}

static void no_unit_inquiry(SCSIRequest *req)
{
    if (req->cdb[1] & 1) {
        scsi_bad_cdb(req, 1, 0);
        return;
    }
    memset(req->buf, 0, 36);
    req->buf[0] = 0x7f;         /* not capable of a unit here */
    req->buf[2] = 5;
    req->buf[3] = 2;
    req->buf[4] = 36 - 5;
    memset(req->buf + 8, ' ', 28);
    scsi_data_in(req, 36, ldw_be_p(req->cdb + 3));
}

/* For a logical unit that is not there. */
static void no_unit_execute(SCSIRequest *req)
{
    switch (req->cdb[0]) {
    case 0x03:
        scsi_request_sense(req);
        break;
    case 0x12:
        no_unit_inquiry(req);
        break;
    case 0xa0:
        scsi_report_luns(req);
        break;
    default:
        scsi_check(req, SENSE_LUN_NOT_SUPPORTED);
        break;
    }
}

void scsi_req_start(SCSIRequest *req, const uint8_t *cdb, unsigned len)
{
    unsigned want = scsi_cdb_length(cdb[0]);

    req->cdb_len = MIN(MIN(want ?: len, len), SCSI_CDB_MAX);
    memcpy(req->cdb, cdb, req->cdb_len);
    memset(req->cdb + req->cdb_len, 0, SCSI_CDB_MAX - req->cdb_len);
    if (req->dev) {
        /* Sense data is that of the command before (SPC-3, 6.27). */
        if (req->cdb[0] != 0x03) {
            req->dev->unit.sense[0] = 0;
        }
        SCSI_DEVICE_GET_CLASS(req->dev)->execute(req);
    } else {
        no_unit_execute(req);
    }
}

static const TypeInfo scsi_types[] = {
    {
        .name = TYPE_SCSI_BUS,
        .parent = TYPE_BUS,
        .instance_size = sizeof(SCSIBus),
        .instance_init = scsi_bus_instance_init,
        .instance_finalize = scsi_bus_finalize,
        .class_init = scsi_bus_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_HOTPLUG_HANDLER }, { } },
    }, {
        .name = TYPE_SCSI_DEVICE,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(SCSIDevice),
        .class_size = sizeof(SCSIDeviceClass),
        .class_init = scsi_device_class_init,
        .abstract = true,
    },
};
DEFINE_TYPES(scsi_types)
