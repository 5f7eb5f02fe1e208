/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices as an operator asks for them: -device and device_add, device_del,
 * their help, and `info qtree`.
 */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "hw/qdev-core.h"
#include "qdev-internal.h"

/* Short names that upstream's users know. */
static const struct {
    const char *alias, *type;
} aliases[] = {
    { "lsi", "lsi53c895a" },
};

static const char *alias_of(const char *type)
{
    for (int i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (!strcmp(aliases[i].type, type)) {
            return aliases[i].alias;
        }
    }
    return NULL;
}

static ObjectClass *driver_lookup(const char *driver)
{
    for (int i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (!strcmp(aliases[i].alias, driver)) {
            driver = aliases[i].type;
        }
    }
    return object_class_dynamic_cast(object_class_by_name(driver),
                                     TYPE_DEVICE);
}

/* -- device_add ---------------------------------------------------------- */

static void driver_unknown(const char *driver, Error **errp)
{
    g_autoptr(GSList) list = object_class_get_list(TYPE_DEVICE, false);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (GSList *l = list; l; l = l->next) {
        if (DEVICE_CLASS(l->data)->user_creatable) {
            g_ptr_array_add(names, (void *)object_class_get_name(l->data));
        }
    }
    g_ptr_array_add(names, NULL);
    near = nearest_spelling(driver, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "'%s' is not a valid device model name; did you mean "
                   "'%s'?", driver, near);
    } else {
        error_setg(errp, "'%s' is not a valid device model name", driver);
    }
}

static DeviceClass *driver_class(const char *driver, Error **errp)
{
    ObjectClass *oc = driver_lookup(driver);

    if (!oc || object_class_is_abstract(oc)) {
        driver_unknown(driver, errp);
        return NULL;
    }
    if (!DEVICE_CLASS(oc)->user_creatable) {
        error_setg(errp, "'%s' is part of a machine: it cannot be added as a "
                   "device", driver);
        return NULL;
    }
    if (qdev_hotplug && !DEVICE_CLASS(oc)->hotpluggable) {
        error_setg(errp, "Device '%s' does not support hotplugging", driver);
        return NULL;
    }
    return DEVICE_CLASS(oc);
}

/* The string member @key, NULL if there is none; false if it is no string. */
static bool opts_str(JsonObject *opts, const char *key, const char **out,
                     Error **errp)
{
    JsonNode *node = json_object_get_member(opts, key);

    *out = NULL;
    if (node) {
        *out = json_node_to_str(node, key, errp);
        return *out != NULL;
    }
    return true;
}

static BusState *device_find_bus(DeviceClass *dc, const char *name,
                                 Error **errp)
{
    const char *driver = object_class_get_name(OBJECT_CLASS(dc));
    BusState *bus;

    if (name) {
        bus = qbus_find(name, errp);
    } else if (!dc->bus_type) {
        return sysbus_get_default();
    } else {
        bus = qbus_find_by_type(NULL, dc->bus_type);
        if (!bus && qbus_any_of_type(dc->bus_type)) {
            error_setg(errp, "Every '%s' bus is full; there is no room for "
                       "device '%s'", dc->bus_type, driver);
        } else if (!bus) {
            error_setg(errp, "No '%s' bus found for device '%s'",
                       dc->bus_type, driver);
        }
    }
    if (bus && qdev_hotplug && !bus->hotplug_handler) {
        error_setg(errp, "Bus '%s' does not support hotplugging", bus->name);
        return NULL;
    }
    return bus;
}

static bool device_place(DeviceState *dev, const char *id, Error **errp)
{
    Object *parent;

    if (!id) {
        parent = container_get(object_get_root(), "/machine/peripheral-anon");
        object_property_add_child(parent, "device[*]", OBJECT(dev));
        return true;
    }
    if (!id_wellformed(id)) {
        error_setg(errp, "Parameter 'id' expects an identifier: a letter, then "
                   "letters, digits, '-', '.' or '_'; not '%s'", id);
        return false;
    }
    parent = container_get(object_get_root(), "/machine/peripheral");
    if (object_property_find(parent, id)) {
        error_setg(errp, "Duplicate device ID '%s'", id);
        return false;
    }
    dev->id = g_strdup(id);
    object_property_add_child(parent, id, OBJECT(dev));
    return true;
}

/* Members of -device that are about the device, not of it. */
static const char *const not_properties[] = { "driver", "id", "bus", NULL };

DeviceState *qdev_device_add(JsonObject *opts, Error **errp)
{
    const char *driver, *id, *bus_name;
    DeviceState *dev;
    DeviceClass *dc;
    BusState *bus;
    bool ok;

    if (!opts_str(opts, "driver", &driver, errp) ||
        !opts_str(opts, "id", &id, errp) ||
        !opts_str(opts, "bus", &bus_name, errp)) {
        return NULL;
    }
    if (!driver) {
        error_setg(errp, "Parameter 'driver' is missing");
        return NULL;
    }
    dc = driver_class(driver, errp);
    bus = dc ? device_find_bus(dc, bus_name, errp) : NULL;
    if (!bus) {
        return NULL;
    }

    dev = qdev_new(object_class_get_name(OBJECT_CLASS(dc)));
    dev->opts = json_object_ref(opts);
    ok = device_place(dev, id, errp) &&
         object_set_properties(OBJECT(dev), opts, not_properties, errp) &&
         qdev_realize(dev, bus, errp);
    if (!ok) {
        object_unparent(OBJECT(dev));
    }
    object_unref(dev);          /* the tree has it, or it is gone */
    return ok ? dev : NULL;
}

/* -- device_del ---------------------------------------------------------- */

/* A guest that was starting may have missed the request.  Less would undo it:
 * a button pressed twice within 5 s takes the first back (PCI Express Base
 * 3.0, 6.7.1.5). */
#define ASK_AGAIN_US (6 * G_USEC_PER_SEC)

bool qdev_unplug(DeviceState *dev, Error **errp)
{
    BusState *bus = dev->parent_bus;
    HotplugHandlerClass *hc;

    if (!DEVICE_GET_CLASS(dev)->hotpluggable) {
        error_setg(errp, "Device '%s' does not support hotplugging",
                   qdev_get_printable_name(dev));
        return false;
    }
    if (!bus || !bus->hotplug_handler) {
        error_setg(errp, "Bus '%s' does not support hotplugging",
                   bus ? bus->name : "");
        return false;
    }
    if (dev->pending_unplug &&
        g_get_monotonic_time() < dev->unplug_asked_us + ASK_AGAIN_US) {
        error_setg(errp, "Device %s is already in the process of unplug",
                   qdev_get_printable_name(dev));
        return false;
    }
    hc = HOTPLUG_HANDLER_GET_CLASS(bus->hotplug_handler);
    if (!hc->unplug_request) {
        qdev_unplug_complete(dev);
        return true;
    }
    /* Before the call: the handler may complete it at once. */
    dev->pending_unplug = true;
    dev->unplug_asked_us = g_get_monotonic_time();
    object_ref(dev);
    if (!hc->unplug_request(bus->hotplug_handler, dev, errp)) {
        dev->pending_unplug = false;
        object_unref(dev);
        return false;
    }
    object_unref(dev);
    return true;
}

void qdev_unplug_complete(DeviceState *dev)
{
    BusState *bus = dev->parent_bus;

    if (!dev->realized) {
        return;                 /* a guest that was faster than its plugging */
    }
    if (dev->resetting) {
        dev->leaves_after_reset = true;
        return;
    }
    if (bus && bus->hotplug_handler) {
        HotplugHandlerClass *hc =
            HOTPLUG_HANDLER_GET_CLASS(bus->hotplug_handler);

        if (hc->unplug) {
            hc->unplug(bus->hotplug_handler, dev);
        }
    }
    qdev_unparent(dev);
}

void qdev_unplug_refused(DeviceState *dev)
{
    g_autofree char *path = NULL;

    if (dev->pending_unplug) {
        dev->pending_unplug = false;
        path = object_get_canonical_path(OBJECT(dev));
        if (qdev_kept_hook) {
            qdev_kept_hook(dev->id, path);
        }
    }
}

/* -- Help ---------------------------------------------------------------- */

static const char *const category_names[DEVICE_CATEGORY_MAX + 1] = {
    [DEVICE_CATEGORY_BRIDGE] = "Controller/Bridge/Hub",
    [DEVICE_CATEGORY_STORAGE] = "Storage",
    [DEVICE_CATEGORY_NETWORK] = "Network",
    [DEVICE_CATEGORY_INPUT] = "Input",
    [DEVICE_CATEGORY_DISPLAY] = "Display",
    [DEVICE_CATEGORY_MISC] = "Misc",
    [DEVICE_CATEGORY_CPU] = "CPU",
    [DEVICE_CATEGORY_MAX] = "Uncategorized",
};

static void help_device_line(GString *out, ObjectClass *oc)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    const char *name = object_class_get_name(oc);

    g_string_append_printf(out, "name \"%s\"", name);
    if (dc->bus_type) {
        g_string_append_printf(out, ", bus %s", dc->bus_type);
    }
    if (alias_of(name)) {
        g_string_append_printf(out, ", alias \"%s\"", alias_of(name));
    }
    if (dc->desc) {
        g_string_append_printf(out, ", desc \"%s\"", dc->desc);
    }
    g_string_append_c(out, '\n');
}

static void help_category(GString *out, GSList *list, int category)
{
    bool any = false;

    for (; list; list = list->next) {
        DeviceClass *dc = DEVICE_CLASS(list->data);
        bool in = category == DEVICE_CATEGORY_MAX ?
                  !dc->categories : dc->categories & (1u << category);

        if (in && dc->user_creatable) {
            if (!any) {
                g_string_append_printf(out, "%s%s devices:\n",
                                       out->len ? "\n" : "",
                                       category_names[category]);
            }
            any = true;
            help_device_line(out, list->data);
        }
    }
}

bool qdev_help(GString *out, const char *driver, Error **errp)
{
    g_autoptr(GSList) list = NULL;
    DeviceClass *dc;

    if (!driver) {
        list = object_class_get_list(TYPE_DEVICE, false);
        for (int i = 0; i <= DEVICE_CATEGORY_MAX; i++) {
            help_category(out, list, i);
        }
        return true;
    }
    dc = driver_class(driver, errp);
    if (dc) {
        g_string_append_printf(out, "%s options:\n", driver);
        object_class_help(out, OBJECT_CLASS(dc));
    }
    return dc != NULL;
}

/* -- info qtree ---------------------------------------------------------- */

typedef struct TreeInfo {
    GString *out;
    int indent;
    Object *obj;
} TreeInfo;

static void tree_bus(BusState *bus, void *opaque);

static void tree_property(ObjectProperty *prop, void *opaque)
{
    TreeInfo *t = opaque;
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *text = NULL;

    if (!prop->get || !prop->set || g_str_has_prefix(prop->type, "link<")) {
        return;
    }
    node = object_property_get(t->obj, prop->name, NULL);
    if (node) {
        text = json_text(node, false);
        g_string_append_printf(t->out, "%*s%s = %s\n", t->indent, "",
                               prop->name, text);
    }
}

static void tree_device(GString *out, DeviceState *dev, int indent)
{
    TreeInfo t = { out, indent + 2, OBJECT(dev) };
    NamedGPIOList *pins;
    BusState *bus;

    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", indent, "",
                           object_get_typename(OBJECT(dev)), dev->id ?: "");
    QTAILQ_FOREACH(pins, &dev->gpios, node) {
        if (pins->num_in) {
            g_string_append_printf(out, "%*sgpio-in \"%s\" %d\n", t.indent, "",
                                   pins->name ?: "", pins->num_in);
        }
        if (pins->num_out) {
            g_string_append_printf(out, "%*sgpio-out \"%s\" %d\n", t.indent,
                                   "", pins->name ?: "", pins->num_out);
        }
    }
    object_class_property_foreach(object_get_class(OBJECT(dev)), tree_property,
                                  &t);
    if (dev->parent_bus && BUS_GET_CLASS(dev->parent_bus)->print_dev) {
        BUS_GET_CLASS(dev->parent_bus)->print_dev(out, dev, t.indent);
    }
    QTAILQ_FOREACH(bus, &dev->child_bus, sibling) {
        tree_bus(bus, &t);
    }
}

static void tree_bus(BusState *bus, void *opaque)
{
    TreeInfo *t = opaque;
    DeviceState *dev;

    g_string_append_printf(t->out, "%*sbus: %s\n%*stype %s\n", t->indent, "",
                           bus->name, t->indent + 2, "",
                           object_get_typename(OBJECT(bus)));
    QTAILQ_FOREACH(dev, &bus->children, sibling) {
        tree_device(t->out, dev, t->indent + 2);
    }
}

void qdev_tree_info(GString *out)
{
    TreeInfo t = { out, 0, NULL };

    qbus_foreach_root(tree_bus, &t);
}
