/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Property kinds that stand for something the operator has opened: disks and
 * character back ends.  Linked with the back ends, above the device core.
 */
#include "qemu/osdep.h"
#include "block/block.h"
#include "chardev/char.h"
#include "hw/qdev-properties.h"

/* -- Disks --------------------------------------------------------------- */

static JsonNode *drive_get(Object *obj, const Property *prop, Error **errp)
{
    BlockBackend **field = object_field_prop_ptr(obj, prop);

    return json_node_new_str(*field ? blk_name(*field) : "");
}

static void drive_release(Object *obj, const Property *prop)
{
    BlockBackend **field = object_field_prop_ptr(obj, prop);

    if (*field) {
        blk_detach_dev(*field);
        *field = NULL;
    }
}

static bool drive_assign(Object *obj, const Property *prop, BlockBackend *blk,
                         Error **errp)
{
    BlockBackend **field = object_field_prop_ptr(obj, prop);

    if (*field == blk) {
        return true;
    }
    if (blk && !blk_attach_dev(blk, obj, errp)) {
        return false;
    }
    drive_release(obj, prop);
    *field = blk;
    return true;
}

static bool drive_set(Object *obj, const Property *prop, JsonNode *value,
                      Error **errp)
{
    const char *name = json_node_to_str(value, prop->name, errp);
    BlockBackend *blk = NULL;

    if (!name) {
        return false;
    }
    if (*name) {
        blk = blk_by_name(name);
        if (!blk) {
            error_setg(errp, "Property '%s.%s': there is no -drive with id "
                       "'%s' and no -blockdev with that node name",
                       object_get_typename(obj), prop->name, name);
            return false;
        }
    }
    return drive_assign(obj, prop, blk, errp);
}

const PropertyInfo qdev_prop_drive = {
    .type = "str",
    .description = "Node name or ID of a block device to use as a backend",
    .get = drive_get,
    .set = drive_set,
    .release = drive_release,
};

bool qdev_prop_set_drive_err(DeviceState *dev, const char *name,
                             BlockBackend *value, Error **errp)
{
    return object_property_set_str(OBJECT(dev), name,
                                   value ? blk_name(value) : "", errp);
}

/* -- Character back ends ------------------------------------------------- */

static JsonNode *chr_get(Object *obj, const Property *prop, Error **errp)
{
    Chardev **field = object_field_prop_ptr(obj, prop);

    return json_node_new_str(*field ? qemu_chr_label(*field) : "");
}

/* The front end that the device makes at realize is what holds it. */
static bool chr_set(Object *obj, const Property *prop, JsonNode *value,
                    Error **errp)
{
    Chardev **field = object_field_prop_ptr(obj, prop);
    const char *name = json_node_to_str(value, prop->name, errp);
    Chardev *chr = NULL;

    if (!name) {
        return false;
    }
    if (*name) {
        chr = qemu_chr_find(name);
        if (!chr) {
            error_setg(errp, "Property '%s.%s': there is no -chardev with id "
                       "'%s'", object_get_typename(obj), prop->name, name);
            return false;
        }
    }
    *field = chr;
    return true;
}

const PropertyInfo qdev_prop_chr = {
    .type = "str",
    .description = "ID of a chardev to use as a backend",
    .get = chr_get,
    .set = chr_set,
};

void qdev_prop_set_chr(DeviceState *dev, const char *name, Chardev *value)
{
    object_property_set_str(OBJECT(dev), name,
                            value ? qemu_chr_label(value) : "", &error_abort);
}
