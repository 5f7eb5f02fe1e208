/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices: from qdev_new() over realize to the end, and reset.
 *
 * A device that is realized has three holds on it: its parent in the object
 * tree, its bus, and whoever took a reference.  Leaving the tree undoes all.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/qdev-core.h"
#include "migration/vmstate.h"
#include "qdev-internal.h"

bool qdev_hotplug;
void (*qdev_deleted_hook)(const char *id, const char *path);
void (*qdev_kept_hook)(const char *id, const char *path);

/* -- Making -------------------------------------------------------------- */

DeviceState *qdev_new(const char *type)
{
    return DEVICE(object_new(type));
}

static void device_init(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    QTAILQ_INIT(&dev->child_bus);
    QTAILQ_INIT(&dev->gpios);
    dev->hotplugged = qdev_hotplug;
    qdev_props_set_defaults(dev);
}

static void device_post_init(Object *obj)
{
    qdev_props_set_globals(DEVICE(obj));
}

static void device_finalize(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    assert(!dev->parent_bus && QTAILQ_EMPTY(&dev->child_bus));
    qdev_props_release(dev);
    qdev_free_gpios(dev);
    g_clear_pointer(&dev->opts, json_object_unref);
    error_free(dev->init_error);
    g_free(dev->path);
    g_free(dev->id);
}

/* -- Realizing ----------------------------------------------------------- */

static HotplugHandlerClass *device_hotplug_class(DeviceState *dev)
{
    BusState *bus = dev->parent_bus;

    return bus && bus->hotplug_handler ?
           HOTPLUG_HANDLER_GET_CLASS(bus->hotplug_handler) : NULL;
}

static bool device_pre_plug(DeviceState *dev, Error **errp)
{
    HotplugHandlerClass *hc = device_hotplug_class(dev);

    return !hc || !hc->pre_plug ||
           hc->pre_plug(dev->parent_bus->hotplug_handler, dev, errp);
}

static bool device_plug(DeviceState *dev, Error **errp)
{
    HotplugHandlerClass *hc = device_hotplug_class(dev);

    return !hc || !hc->plug ||
           hc->plug(dev->parent_bus->hotplug_handler, dev, errp);
}

static bool device_realize_buses(DeviceState *dev, Error **errp)
{
    BusState *bus;

    QTAILQ_FOREACH(bus, &dev->child_bus, sibling) {
        if (!qbus_realize(bus, errp)) {
            return false;
        }
    }
    return true;
}

/* The reverse of the model's realize and what came after it. */
static void device_take_down(DeviceState *dev)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);
    BusState *bus;

    QTAILQ_FOREACH(bus, &dev->child_bus, sibling) {
        qbus_unrealize(bus);
    }
    if (dc->unrealize) {
        dc->unrealize(dev);
    }
    dev->realized = false;
}

/* On its bus already. */
static bool device_realize_plugged(DeviceState *dev, Error **errp)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);

    if (!device_pre_plug(dev, errp) ||
        (dc->realize && !dc->realize(dev, errp))) {
        return false;
    }
    if (!device_realize_buses(dev, errp)) {
        device_take_down(dev);
        return false;
    }
    if (dev->hotplugged) {
        device_cold_reset(dev);
    }
    dev->realized = true;
    if (!device_plug(dev, errp)) {
        device_take_down(dev);
        return false;
    }
    return true;
}

static int64_t bootindex_of(DeviceState *dev)
{
    return object_property_find(OBJECT(dev), "bootindex") ?
        object_property_get_int(OBJECT(dev), "bootindex", &error_abort) : -1;
}

static int has_bootindex(DeviceState *dev, void *opaque)
{
    return bootindex_of(dev) == *(int64_t *)opaque;
}

/* Of two devices with one place in the boot order, which would be first? */
static bool check_bootindex(DeviceState *dev, Error **errp)
{
    int64_t index = bootindex_of(dev);

    if (index < -1) {
        error_setg(errp, "bootindex %" PRId64 " is no place in the boot order, "
                   "which begins at 0", index);
        return false;
    }
    if (index >= 0 &&
        qbus_walk(sysbus_get_default(), has_bootindex, NULL, &index)) {
        error_setg(errp, "bootindex %" PRId64 " has another device already",
                   index);
        return false;
    }
    return true;
}

bool qdev_realize(DeviceState *dev, BusState *bus, Error **errp)
{
    bool placed = false;

    assert(!dev->realized && !dev->parent_bus);
    if (dev->init_error) {
        error_propagate(errp, error_copy(dev->init_error));
        return false;
    }
    if (!check_bootindex(dev, errp) ||
        (bus && !qbus_plug(bus, dev, errp))) {
        return false;
    }
    if (!OBJECT(dev)->parent) {
        object_property_add_child(container_get(object_get_root(),
                                                "/machine/unattached"),
                                  "device[*]", OBJECT(dev));
        placed = true;
    }
    if (!device_realize_plugged(dev, errp)) {
        qbus_unplug(dev);
        if (placed) {
            object_unparent(OBJECT(dev));
        }
        return false;
    }
    return true;
}

bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, Error **errp)
{
    bool ok = qdev_realize(dev, bus, errp);

    object_unref(dev);
    return ok;
}

void qdev_unrealize(DeviceState *dev)
{
    if (dev->realized) {
        object_ref(dev);
        device_take_down(dev);
        qbus_unplug(dev);
        object_unref(dev);
    }
}

static void device_unparent(Object *obj)
{
    DeviceState *dev = DEVICE(obj);
    bool was_realized = dev->realized;
    BusState *bus;

    qdev_unrealize(dev);
    while ((bus = QTAILQ_LAST(&dev->child_bus, ChildBuses))) {
        object_unparent(OBJECT(bus));
    }
    if (was_realized && qdev_deleted_hook) {
        g_autofree char *path = object_get_canonical_path(obj);

        qdev_deleted_hook(dev->id, path);
    }
}

void qdev_unparent(DeviceState *dev)
{
    object_unparent(OBJECT(dev));
}

AioContext *qdev_get_context(DeviceState *dev)
{
    while (dev) {
        if (dev->context) {
            return dev->context;
        }
        dev = dev->parent_bus ? dev->parent_bus->parent : NULL;
    }
    return qemu_get_aio_context();
}

/* -- Reset --------------------------------------------------------------- */

/*
 * A model may give up the big lock while it is reset, or serve monitors while
 * it waits for its I/O, and be ejected meanwhile: it leaves when the reset has
 * ended.  Its neighbours leave at once, and are not reset any more.
 */

static void reset_begin(DeviceState *dev)
{
    object_ref(dev);
    dev->resetting++;
}

static void reset_end(DeviceState *dev)
{
    if (!--dev->resetting && dev->leaves_after_reset) {
        dev->leaves_after_reset = false;
        qdev_unplug_complete(dev);
    }
    object_unref(dev);
}

void device_cold_reset(DeviceState *dev)
{
    DeviceClass *dc = DEVICE_GET_CLASS(dev);
    BusState *bus;

    reset_begin(dev);
    QTAILQ_FOREACH(bus, &dev->child_bus, sibling) {
        bus_cold_reset(bus);
    }
    if (dc->reset) {
        dc->reset(dev);
    }
    reset_end(dev);
}

void bus_cold_reset(BusState *bus)
{
    BusClass *bc = BUS_GET_CLASS(bus);
    g_autoptr(GPtrArray) children =
        g_ptr_array_new_with_free_func(object_unref);
    DeviceState *dev;

    if (bus->parent) {
        reset_begin(bus->parent);
    }
    QTAILQ_FOREACH(dev, &bus->children, sibling) {
        g_ptr_array_add(children, object_ref(dev));
    }
    for (guint i = 0; i < children->len; i++) {
        dev = g_ptr_array_index(children, i);
        if (dev->parent_bus == bus) {
            device_cold_reset(dev);
        }
    }
    if (bc->reset) {
        bc->reset(bus);
    }
    if (bus->parent) {
        reset_end(bus->parent);
    }
}

/* -- Names --------------------------------------------------------------- */

DeviceState *qdev_find_by_id(const char *id)
{
    Object *peripheral = object_resolve_path("/machine/peripheral", NULL);
    Object *obj = peripheral ?
                  object_resolve_path_component(peripheral, id) : NULL;

    return (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);
}

char *qdev_get_dev_path(DeviceState *dev)
{
    BusClass *bc = dev->parent_bus ? BUS_GET_CLASS(dev->parent_bus) : NULL;

    return bc && bc->get_dev_path ? bc->get_dev_path(dev) : NULL;
}

char *qdev_get_fw_dev_path(DeviceState *dev)
{
    BusState *bus = dev->parent_bus;
    BusClass *bc = bus ? BUS_GET_CLASS(bus) : NULL;
    g_autofree char *above = NULL, *own = NULL;

    if (bus && bus->parent) {
        above = qdev_get_fw_dev_path(bus->parent);
    }
    if (bc && bc->get_fw_dev_path) {
        own = bc->get_fw_dev_path(dev);
    } else {
        own = g_strdup(DEVICE_GET_CLASS(dev)->fw_name ?:
                       object_get_typename(OBJECT(dev)));
    }
    return g_strdup_printf("%s/%s", above ?: "", own);
}

const char *qdev_get_printable_name(DeviceState *dev)
{
    if (dev->id) {
        return dev->id;
    }
    g_free(dev->path);
    dev->path = object_get_canonical_path(OBJECT(dev));
    return dev->path ?: object_get_typename(OBJECT(dev));
}

/* -- The class ----------------------------------------------------------- */

static bool device_get_realized(Object *obj, Error **errp)
{
    return DEVICE(obj)->realized;
}

static bool device_get_hotplugged(Object *obj, Error **errp)
{
    return DEVICE(obj)->hotplugged;
}

static bool device_get_hotpluggable(Object *obj, Error **errp)
{
    DeviceState *dev = DEVICE(obj);

    return DEVICE_GET_CLASS(dev)->hotpluggable &&
           (!dev->parent_bus || dev->parent_bus->hotplug_handler);
}

static JsonNode *device_get_parent_bus(Object *obj, const char *name,
                                       void *opaque, Error **errp)
{
    BusState *bus = DEVICE(obj)->parent_bus;
    g_autofree char *path = bus ? object_get_canonical_path(OBJECT(bus))
                                : NULL;

    return json_node_new_str(path ?: "");
}

static void device_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->user_creatable = true;
    dc->hotpluggable = true;
    oc->unparent = device_unparent;
    object_class_property_add_bool(oc, "realized", device_get_realized, NULL);
    object_class_property_add_bool(oc, "hotplugged", device_get_hotplugged,
                                   NULL);
    object_class_property_add_bool(oc, "hotpluggable",
                                   device_get_hotpluggable, NULL);
    object_class_property_add(oc, "parent_bus", "link<" TYPE_BUS ">",
                              device_get_parent_bus, NULL, NULL);
}

static const TypeInfo device_types[] = {
    {
        .name = TYPE_DEVICE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(DeviceState),
        .instance_init = device_init,
        .instance_post_init = device_post_init,
        .instance_finalize = device_finalize,
        .class_size = sizeof(DeviceClass),
        .class_init = device_class_init,
        .abstract = true,
    }, {
        .name = TYPE_HOTPLUG_HANDLER,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(HotplugHandlerClass),
    },
};
DEFINE_TYPES(device_types)
