/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buses: where devices stand.  A bus belongs to a device (a bridge, a host
 * adapter) or, like the system bus, to the machine; it holds a reference to
 * each of its devices.
 */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "qemu/thread.h"
#include "hw/qdev-core.h"
#include "qdev-internal.h"

/* Every bus, the oldest first: the machine's before those of its devices. */
static QTAILQ_HEAD(, BusState) all_buses = QTAILQ_HEAD_INITIALIZER(all_buses);
static GHashTable *auto_names;          /* type -> next number */
static QemuMutex bus_lock = { PTHREAD_MUTEX_INITIALIZER };

/* -- Making -------------------------------------------------------------- */

static char *bus_auto_name(BusState *bus, DeviceState *parent)
{
    const char *type = object_get_typename(OBJECT(bus));
    g_autofree char *lower = NULL;
    int n;

    if (parent && parent->id) {
        return g_strdup_printf("%s.%d", parent->id, parent->num_child_bus);
    }
    lower = g_ascii_strdown(type, -1);
    QEMU_LOCK_GUARD(&bus_lock);
    if (!auto_names) {
        auto_names = g_hash_table_new(g_str_hash, g_str_equal);
    }
    n = GPOINTER_TO_INT(g_hash_table_lookup(auto_names, type));
    g_hash_table_insert(auto_names, (void *)type, GINT_TO_POINTER(n + 1));
    return g_strdup_printf("%s.%d", lower, n);
}

static void qbus_attach(BusState *bus, DeviceState *parent, const char *name)
{
    bus->parent = parent;
    bus->name = name ? g_strdup(name) : bus_auto_name(bus, parent);
    if (parent) {
        QTAILQ_INSERT_TAIL(&parent->child_bus, bus, sibling);
        parent->num_child_bus++;
        /* A device's id may be the name of one of its properties. */
        object_property_add_child(OBJECT(parent),
                                  object_property_find(OBJECT(parent),
                                                       bus->name)
                                  ? "bus[*]" : bus->name, OBJECT(bus));
        object_unref(bus);      /* the parent's reference is the one left */
    }
    qemu_mutex_lock(&bus_lock);
    QTAILQ_INSERT_TAIL(&all_buses, bus, all);
    qemu_mutex_unlock(&bus_lock);
}

BusState *qbus_new(const char *type, DeviceState *parent, const char *name)
{
    BusState *bus = BUS(object_new(type));

    qbus_attach(bus, parent, name);
    return bus;
}

void qbus_init(void *bus, size_t size, const char *type, DeviceState *parent,
               const char *name)
{
    object_initialize(bus, size, type);
    qbus_attach(bus, parent, name);
}

bool qbus_realize(BusState *bus, Error **errp)
{
    BusClass *bc = BUS_GET_CLASS(bus);

    if (!bus->realized) {
        if (bc->realize && !bc->realize(bus, errp)) {
            return false;
        }
        bus->realized = true;
    }
    return true;
}

/* Takes away the devices, then the bus's own. */
void qbus_unrealize(BusState *bus)
{
    BusClass *bc = BUS_GET_CLASS(bus);
    DeviceState *dev;

    while ((dev = QTAILQ_LAST(&bus->children, DeviceChildren))) {
        qdev_unparent(dev);
    }
    if (bus->realized) {
        bus->realized = false;
        if (bc->unrealize) {
            bc->unrealize(bus);
        }
    }
}

static void bus_unparent(Object *obj)
{
    BusState *bus = BUS(obj);

    qbus_unrealize(bus);
    if (bus->parent) {
        QTAILQ_REMOVE(&bus->parent->child_bus, bus, sibling);
        bus->parent->num_child_bus--;
        bus->parent = NULL;
    }
}

static void bus_instance_init(Object *obj)
{
    QTAILQ_INIT(&BUS(obj)->children);
}

static void bus_instance_finalize(Object *obj)
{
    BusState *bus = BUS(obj);

    assert(QTAILQ_EMPTY(&bus->children));
    if (bus->name) {
        qemu_mutex_lock(&bus_lock);
        QTAILQ_REMOVE(&all_buses, bus, all);
        qemu_mutex_unlock(&bus_lock);
    }
    g_free(bus->name);
}

static bool bus_get_realized(Object *obj, Error **errp)
{
    return BUS(obj)->realized;
}

static void bus_class_init(ObjectClass *oc, void *data)
{
    oc->unparent = bus_unparent;
    object_class_property_add_bool(oc, "realized", bus_get_realized, NULL);
}

void qbus_set_hotplug_handler(BusState *bus, Object *handler)
{
    bus->hotplug_handler = handler ? HOTPLUG_HANDLER(handler) : NULL;
}

/* -- Plugging ------------------------------------------------------------ */

static bool bus_is_full(BusState *bus)
{
    BusClass *bc = BUS_GET_CLASS(bus);
    DeviceState *dev;
    int n = 0;

    QTAILQ_FOREACH(dev, &bus->children, sibling) {
        n++;
    }
    return bus->full || (bc->max_dev && n >= bc->max_dev);
}

bool qbus_plug(BusState *bus, DeviceState *dev, Error **errp)
{
    BusClass *bc = BUS_GET_CLASS(bus);
    const char *wants = DEVICE_GET_CLASS(dev)->bus_type ?: TYPE_SYSTEM_BUS;

    if (!object_dynamic_cast(OBJECT(bus), wants)) {
        error_setg(errp, "Device '%s' plugs into a bus of type '%s'; '%s' is "
                   "of type '%s'", object_get_typename(OBJECT(dev)), wants,
                   bus->name, object_get_typename(OBJECT(bus)));
        return false;
    }
    if (bus_is_full(bus)) {
        error_setg(errp, "Bus '%s' is full", bus->name);
        return false;
    }
    if (bc->check_address && !bc->check_address(bus, dev, errp)) {
        return false;
    }
    dev->parent_bus = bus;
    object_ref(dev);
    QTAILQ_INSERT_TAIL(&bus->children, dev, sibling);
    return true;
}

void qbus_unplug(DeviceState *dev)
{
    if (dev->parent_bus) {
        QTAILQ_REMOVE(&dev->parent_bus->children, dev, sibling);
        dev->parent_bus = NULL;
        object_unref(dev);
    }
}

/* -- Walking and finding ------------------------------------------------- */

static int qdev_walk(DeviceState *dev, int (*devfn)(DeviceState *, void *),
                     int (*busfn)(BusState *, void *), void *opaque)
{
    BusState *bus, *next;
    int ret = devfn ? devfn(dev, opaque) : 0;

    QTAILQ_FOREACH_SAFE(bus, &dev->child_bus, sibling, next) {
        ret = ret ?: qbus_walk(bus, devfn, busfn, opaque);
    }
    return ret;
}

int qbus_walk(BusState *bus, int (*devfn)(DeviceState *, void *),
              int (*busfn)(BusState *, void *), void *opaque)
{
    DeviceState *dev, *next;
    int ret = busfn ? busfn(bus, opaque) : 0;

    QTAILQ_FOREACH_SAFE(dev, &bus->children, sibling, next) {
        ret = ret ?: qdev_walk(dev, devfn, busfn, opaque);
    }
    return ret;
}

BusState *qbus_find(const char *name, Error **errp)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;
    BusState *bus;

    QEMU_LOCK_GUARD(&bus_lock);
    QTAILQ_FOREACH(bus, &all_buses, all) {
        if (!strcmp(bus->name, name)) {
            return bus;
        }
        g_ptr_array_add(names, bus->name);
    }
    g_ptr_array_add(names, NULL);
    near = nearest_spelling(name, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "Bus '%s' not found; did you mean '%s'?", name, near);
    } else {
        error_setg(errp, "Bus '%s' not found", name);
    }
    return NULL;
}

typedef struct TypeSearch {
    const char *type;
    BusState *found;
} TypeSearch;

static int bus_match_type(BusState *bus, void *opaque)
{
    TypeSearch *s = opaque;

    if (object_dynamic_cast(OBJECT(bus), s->type) && !bus_is_full(bus)) {
        s->found = bus;
    }
    return s->found != NULL;
}

BusState *qbus_find_by_type(BusState *root, const char *type)
{
    TypeSearch s = { .type = type };
    BusState *bus;

    if (root) {
        qbus_walk(root, NULL, bus_match_type, &s);
        return s.found;
    }
    QEMU_LOCK_GUARD(&bus_lock);
    QTAILQ_FOREACH(bus, &all_buses, all) {
        if (bus_match_type(bus, &s)) {
            break;
        }
    }
    return s.found;
}

bool qbus_any_of_type(const char *type)
{
    BusState *bus;

    QEMU_LOCK_GUARD(&bus_lock);
    QTAILQ_FOREACH(bus, &all_buses, all) {
        if (object_dynamic_cast(OBJECT(bus), type)) {
            return true;
        }
    }
    return false;
}

void qbus_foreach_root(void (*fn)(BusState *bus, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) roots = g_ptr_array_new_with_free_func(object_unref);
    BusState *bus;

    qemu_mutex_lock(&bus_lock);
    QTAILQ_FOREACH(bus, &all_buses, all) {
        if (!bus->parent || !bus->parent->parent_bus) {
            g_ptr_array_add(roots, object_ref(bus));
        }
    }
    qemu_mutex_unlock(&bus_lock);
    for (unsigned i = 0; i < roots->len; i++) {
        fn(g_ptr_array_index(roots, i), opaque);
    }
}

/* -- The machine's own bus ----------------------------------------------- */

BusState *sysbus_get_default(void)
{
    static BusState *sysbus;

    if (!sysbus) {
        sysbus = qbus_new(TYPE_SYSTEM_BUS, NULL, "main-system-bus");
        object_property_add_child(container_get(object_get_root(),
                                                "/machine/unattached"),
                                  "sysbus", OBJECT(sysbus));
        qbus_realize(sysbus, &error_abort);
    }
    return sysbus;
}

static const TypeInfo bus_types[] = {
    {
        .name = TYPE_BUS,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(BusState),
        .instance_init = bus_instance_init,
        .instance_finalize = bus_instance_finalize,
        .class_size = sizeof(BusClass),
        .class_init = bus_class_init,
        .abstract = true,
    }, {
        .name = TYPE_SYSTEM_BUS,
        .parent = TYPE_BUS,
    },
};
DEFINE_TYPES(bus_types)
