/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Property tables of devices: the kinds that need nothing but the field, and
 * what all kinds share (defaults, -global, "too late" once realized).
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "hw/qdev-properties.h"
#include "qdev-internal.h"

/* -- Integers ------------------------------------------------------------ */

static uint64_t uint_load(const void *p, size_t size)
{
    uint64_t v = 0;

    memcpy(&v, p, size);        /* the host is little-endian */
    return v;
}

static bool uint_set(Object *obj, const Property *prop, JsonNode *value,
                     size_t size, Error **errp)
{
    uint64_t max = prop->max ?: UINT64_MAX >> (64 - 8 * size);
    uint64_t v;

    if (!prop->min) {
        if (!json_node_to_uint(value, prop->name, max, &v, errp)) {
            return false;
        }
    } else if (!json_node_to_uint(value, prop->name, max, &v, NULL) ||
               v < prop->min) {
        error_setg(errp, "Parameter '%s' expects a number from %" PRIu64
                   " to %" PRIu64, prop->name, prop->min, max);
        return false;
    }
    memcpy(object_field_prop_ptr(obj, prop), &v, size);
    return true;
}

#define DEFINE_UINT_INFO(bits)                                              \
static JsonNode *uint##bits##_prop_get(Object *obj, const Property *prop,   \
                                       Error **errp)                        \
{                                                                           \
    return json_node_new_uint(uint_load(object_field_prop_ptr(obj, prop),   \
                                        bits / 8));                         \
}                                                                           \
static bool uint##bits##_prop_set(Object *obj, const Property *prop,        \
                                  JsonNode *value, Error **errp)            \
{                                                                           \
    return uint_set(obj, prop, value, bits / 8, errp);                      \
}                                                                           \
static void uint##bits##_prop_default(Object *obj, const Property *prop)    \
{                                                                           \
    memcpy(object_field_prop_ptr(obj, prop), &prop->defval, bits / 8);      \
}                                                                           \
const PropertyInfo qdev_prop_uint##bits = {                                 \
    .type = "uint" #bits,                                                   \
    .get = uint##bits##_prop_get,                                           \
    .set = uint##bits##_prop_set,                                           \
    .set_default = uint##bits##_prop_default,                               \
};
DEFINE_UINT_INFO(8)
DEFINE_UINT_INFO(16)
DEFINE_UINT_INFO(32)
DEFINE_UINT_INFO(64)

static JsonNode *int32_prop_get(Object *obj, const Property *prop,
                                Error **errp)
{
    return json_node_new_int(*(int32_t *)object_field_prop_ptr(obj, prop));
}

static bool int32_prop_set(Object *obj, const Property *prop, JsonNode *value,
                           Error **errp)
{
    int64_t min = prop->max ? (int64_t)prop->min : INT32_MIN;
    int64_t max = prop->max ? (int64_t)prop->max : INT32_MAX;
    int64_t v;

    if (!json_node_to_int(value, prop->name, min, max, &v, errp)) {
        return false;
    }
    *(int32_t *)object_field_prop_ptr(obj, prop) = v;
    return true;
}

const PropertyInfo qdev_prop_int32 = {
    .type = "int32",
    .get = int32_prop_get,
    .set = int32_prop_set,
    .set_default = uint32_prop_default,
};

static bool size_prop_set(Object *obj, const Property *prop, JsonNode *value,
                          Error **errp)
{
    uint64_t max = prop->max ?: UINT64_MAX;
    uint64_t v;

    if (!json_node_to_size(value, prop->name, &v, errp)) {
        return false;
    }
    if (v < prop->min || v > max) {
        error_setg(errp, "Parameter '%s' expects a size from %" PRIu64 " to %"
                   PRIu64 " bytes", prop->name, prop->min, max);
        return false;
    }
    *(uint64_t *)object_field_prop_ptr(obj, prop) = v;
    return true;
}

const PropertyInfo qdev_prop_size = {
    .type = "size",
    .get = uint64_prop_get,
    .set = size_prop_set,
    .set_default = uint64_prop_default,
};

/* -- On and off ---------------------------------------------------------- */

static JsonNode *bool_prop_get(Object *obj, const Property *prop, Error **errp)
{
    return json_node_new_bool(*(bool *)object_field_prop_ptr(obj, prop));
}

static bool bool_prop_set(Object *obj, const Property *prop, JsonNode *value,
                          Error **errp)
{
    return json_node_to_bool(value, prop->name,
                             object_field_prop_ptr(obj, prop), errp);
}

static void bool_prop_default(Object *obj, const Property *prop)
{
    *(bool *)object_field_prop_ptr(obj, prop) = prop->defval;
}

const PropertyInfo qdev_prop_bool = {
    .type = "bool",
    .description = "on/off",
    .get = bool_prop_get,
    .set = bool_prop_set,
    .set_default = bool_prop_default,
};

static JsonNode *bit_prop_get(Object *obj, const Property *prop, Error **errp)
{
    uint32_t *field = object_field_prop_ptr(obj, prop);

    return json_node_new_bool(*field & (1u << prop->bitnr));
}

static void bit_assign(Object *obj, const Property *prop, bool on)
{
    uint32_t *field = object_field_prop_ptr(obj, prop);

    *field = (*field & ~(1u << prop->bitnr)) | ((uint32_t)on << prop->bitnr);
}

static bool bit_prop_set(Object *obj, const Property *prop, JsonNode *value,
                         Error **errp)
{
    bool on;

    if (!json_node_to_bool(value, prop->name, &on, errp)) {
        return false;
    }
    bit_assign(obj, prop, on);
    return true;
}

static void bit_prop_default(Object *obj, const Property *prop)
{
    bit_assign(obj, prop, prop->defval);
}

const PropertyInfo qdev_prop_bit = {
    .type = "bool",
    .description = "on/off",
    .get = bit_prop_get,
    .set = bit_prop_set,
    .set_default = bit_prop_default,
};

static const char *const on_off_auto_names[] = {
    [ON_OFF_AUTO_AUTO] = "auto",
    [ON_OFF_AUTO_ON] = "on",
    [ON_OFF_AUTO_OFF] = "off",
    NULL
};

/* Enumerations: the field is an int-sized index into info->values. */
static JsonNode *enum_prop_get(Object *obj, const Property *prop, Error **errp)
{
    unsigned v = uint_load(object_field_prop_ptr(obj, prop), sizeof(int));

    return json_node_new_str(prop->info->values[v]);
}

static bool enum_prop_set(Object *obj, const Property *prop, JsonNode *value,
                          Error **errp)
{
    const char *const *values = prop->info->values;
    g_autofree char *all = NULL;
    const char *text;

    if (JSON_NODE_HOLDS_VALUE(value) &&
        json_node_get_value_type(value) == G_TYPE_BOOLEAN) {
        text = json_node_get_boolean(value) ? "on" : "off";
    } else {
        text = json_node_to_str(value, prop->name, errp);
    }
    if (!text) {
        return false;
    }
    for (int i = 0; values[i]; i++) {
        if (!strcmp(values[i], text)) {
            memcpy(object_field_prop_ptr(obj, prop), &i, sizeof(i));
            return true;
        }
    }
    all = g_strjoinv("', '", (char **)values);
    error_setg(errp, "Parameter '%s' expects one of '%s'; not '%s'",
               prop->name, all, text);
    return false;
}

const PropertyInfo qdev_prop_on_off_auto = {
    .type = "OnOffAuto",
    .description = "on/off/auto",
    .values = on_off_auto_names,
    .get = enum_prop_get,
    .set = enum_prop_set,
    .set_default = uint32_prop_default,
};

/* -- Strings and links --------------------------------------------------- */

static JsonNode *string_prop_get(Object *obj, const Property *prop,
                                 Error **errp)
{
    char **field = object_field_prop_ptr(obj, prop);

    return json_node_new_str(*field ?: "");
}

static bool string_prop_set(Object *obj, const Property *prop,
                            JsonNode *value, Error **errp)
{
    char **field = object_field_prop_ptr(obj, prop);
    const char *text = json_node_to_str(value, prop->name, errp);

    if (!text) {
        return false;
    }
    g_free(*field);
    *field = g_strdup(text);
    return true;
}

static void string_prop_release(Object *obj, const Property *prop)
{
    g_clear_pointer((char **)object_field_prop_ptr(obj, prop), g_free);
}

const PropertyInfo qdev_prop_string = {
    .type = "str",
    .get = string_prop_get,
    .set = string_prop_set,
    .release = string_prop_release,
};

static JsonNode *link_prop_get(Object *obj, const Property *prop, Error **errp)
{
    Object **field = object_field_prop_ptr(obj, prop);
    g_autofree char *path = *field ? object_get_canonical_path(*field) : NULL;

    return json_node_new_str(path ?: "");
}

static bool link_prop_set(Object *obj, const Property *prop, JsonNode *value,
                          Error **errp)
{
    Object **field = object_field_prop_ptr(obj, prop);
    Object *target;

    if (!object_resolve_link(value, prop->name, prop->link_type, &target,
                             errp)) {
        return false;
    }
    object_ref(target);
    object_unref(*field);
    *field = target;
    return true;
}

static void link_prop_release(Object *obj, const Property *prop)
{
    g_clear_pointer((Object **)object_field_prop_ptr(obj, prop), object_unref);
}

const PropertyInfo qdev_prop_link = {
    .type = "link",
    .get = link_prop_get,
    .set = link_prop_set,
    .release = link_prop_release,
};

/* -- PCI addresses and descriptors --------------------------------------- */

/* At most @max hexadecimal digits, with or without "0x"; -1 if none. */
static int parse_hex(const char **text, int max)
{
    int val = 0, digits = 0;

    if ((*text)[0] == '0' && ((*text)[1] | 0x20) == 'x') {
        *text += 2;
    }
    for (; g_ascii_isxdigit(**text) && digits < max; (*text)++, digits++) {
        val = val << 4 | g_ascii_xdigit_value(**text);
    }
    return digits ? val : -1;
}

/* "S" or "S.F", each as people and libvirt write it: "4", "04.0", "0x4.0x1" */
static bool parse_devfn(const char *text, int32_t *devfn)
{
    int slot = parse_hex(&text, 2), fn = 0;

    if (*text == '.') {
        text++;
        fn = parse_hex(&text, 1);
    }
    if (*text || slot < 0 || slot > 0x1f || fn < 0 || fn > 7) {
        return false;
    }
    *devfn = slot << 3 | fn;
    return true;
}

static bool pci_devfn_prop_set(Object *obj, const Property *prop,
                               JsonNode *value, Error **errp)
{
    int32_t *field = object_field_prop_ptr(obj, prop);
    int64_t v;

    if (!JSON_NODE_HOLDS_VALUE(value) ||
        json_node_get_value_type(value) != G_TYPE_STRING) {
        if (!json_node_to_int(value, prop->name, -1, 255, &v, errp)) {
            return false;
        }
        *field = v;
        return true;
    }
    if (!parse_devfn(json_node_get_string(value), field)) {
        error_setg(errp, "Parameter '%s' expects slot or slot.function in "
                   "hexadecimal, 0 to 1f and 0 to 7, such as '4' or '1f.2'; "
                   "not '%s'", prop->name, json_node_get_string(value));
        return false;
    }
    return true;
}

const PropertyInfo qdev_prop_pci_devfn = {
    .type = "int32",
    .description = "Slot and optional function number, example: 06.0 or 06",
    .get = int32_prop_get,
    .set = pci_devfn_prop_set,
    .set_default = uint32_prop_default,
};

int (*qdev_fd_lookup)(const char *name, Error **errp);

int qdev_fd_from_json(JsonNode *value, const char *name, Error **errp)
{
    const char *text = NULL;
    int64_t fd;
    int flags;

    if (JSON_NODE_HOLDS_VALUE(value) &&
        json_node_get_value_type(value) == G_TYPE_STRING) {
        text = json_node_get_string(value);
    }
    if (text && !g_ascii_isdigit(*text)) {
        if (!qdev_fd_lookup) {
            error_setg(errp, "Parameter '%s' expects the number of an open "
                       "file descriptor; not '%s'", name, text);
            return -1;
        }
        return qdev_fd_lookup(text, errp);
    }
    if (!json_node_to_int(value, name, 0, INT_MAX, &fd, errp)) {
        return -1;
    }
    flags = fcntl(fd, F_GETFD);
    if (flags < 0) {
        error_setg(errp, "Parameter '%s': file descriptor %d is not open",
                   name, (int)fd);
        return -1;
    }
    /* Were it refused later, nobody could be told. */
    if (fd == STDERR_FILENO) {
        error_setg(errp, "Parameter '%s': file descriptor %d is for messages",
                   name, (int)fd);
        return -1;
    }
    /* What was inherited cannot have it: the program's own, or taken. */
    if (flags & FD_CLOEXEC) {
        error_setg(errp, "Parameter '%s': file descriptor %d is in use "
                   "already", name, (int)fd);
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static void fd_prop_release(Object *obj, const Property *prop)
{
    qemu_close(object_field_prop_ptr(obj, prop));
}

static bool fd_prop_set(Object *obj, const Property *prop, JsonNode *value,
                        Error **errp)
{
    int *field = object_field_prop_ptr(obj, prop);
    int fd = qdev_fd_from_json(value, prop->name, errp);

    if (fd >= 0) {
        qemu_close(field);
        *field = fd;
    }
    return fd >= 0;
}

static void fd_prop_default(Object *obj, const Property *prop)
{
    *(int *)object_field_prop_ptr(obj, prop) = prop->defval;
}

const PropertyInfo qdev_prop_fd = {
    .type = "str",
    .description = "Number or name (getfd) of an open file descriptor",
    .get = int32_prop_get,
    .set = fd_prop_set,
    .set_default = fd_prop_default,
    .release = fd_prop_release,
};

/* -- Tables -------------------------------------------------------------- */

static JsonNode *device_prop_get(Object *obj, const char *name, void *opaque,
                                 Error **errp)
{
    const Property *prop = opaque;

    return prop->info->get(obj, prop, errp);
}

static bool device_prop_set(Object *obj, const char *name, JsonNode *value,
                            void *opaque, Error **errp)
{
    const Property *prop = opaque;

    if (DEVICE(obj)->realized) {
        error_setg(errp, "Property '%s.%s' can be set only before the device "
                   "'%s' is realized", object_get_typename(obj), name,
                   qdev_get_printable_name(DEVICE(obj)));
        return false;
    }
    return prop->info->set(obj, prop, value, errp);
}

/* The default as its reader would see it; for help.  All ones in a field
 * without a sign, and any descriptor, say that there is none. */
static JsonNode *prop_default_node(const Property *prop)
{
    const PropertyInfo *info = prop->info;

    if (!prop->set_default || info == &qdev_prop_fd ||
        (info == &qdev_prop_uint32 && prop->defval == UINT32_MAX) ||
        (g_str_has_prefix(info->type, "int") && prop->defval == -1)) {
        return NULL;
    }
    if (info->values) {
        return json_node_new_str(info->values[prop->defval]);
    }
    if (!strcmp(info->type, "bool")) {
        return json_node_new_bool(prop->defval);
    }
    return g_str_has_prefix(info->type, "int") ?
           json_node_new_int(prop->defval) : json_node_new_uint(prop->defval);
}

void device_class_set_props(DeviceClass *dc, const Property *props)
{
    ObjectClass *oc = OBJECT_CLASS(dc);

    dc->props = props;
    for (const Property *p = props; p->name; p++) {
        g_autofree char *link = p->link_type ?
            g_strdup_printf("link<%s>", p->link_type) : NULL;
        ObjectProperty *op;

        op = object_class_property_add(oc, p->name, link ?: p->info->type,
                                       p->info->get ? device_prop_get : NULL,
                                       p->info->set ? device_prop_set : NULL,
                                       (void *)p);
        op->defval = prop_default_node(p);
        op->description = g_strdup(p->description ?: p->info->description);
    }
}

/* Calls @fn for the properties of the device's class and those above it, the
 * parents' first.  A class without a table of its own shows its parent's. */
static void device_props_foreach(DeviceState *dev, ObjectClass *oc,
                                 void (*fn)(Object *, const Property *))
{
    ObjectClass *parent = object_class_get_parent(oc);
    const Property *inherited = NULL;

    if (object_class_dynamic_cast(parent, TYPE_DEVICE)) {
        device_props_foreach(dev, parent, fn);
        inherited = DEVICE_CLASS(parent)->props;
    }
    if (DEVICE_CLASS(oc)->props != inherited) {
        for (const Property *p = DEVICE_CLASS(oc)->props; p->name; p++) {
            fn(OBJECT(dev), p);
        }
    }
}

static void prop_set_default(Object *obj, const Property *prop)
{
    if (prop->set_default) {
        prop->info->set_default(obj, prop);
    }
}

static void prop_release(Object *obj, const Property *prop)
{
    if (prop->info->release) {
        prop->info->release(obj, prop);
    }
}

void qdev_props_set_defaults(DeviceState *dev)
{
    device_props_foreach(dev, object_get_class(OBJECT(dev)), prop_set_default);
}

void qdev_props_release(DeviceState *dev)
{
    device_props_foreach(dev, object_get_class(OBJECT(dev)), prop_release);
}

/* -- Programmers' setters ------------------------------------------------ */

void qdev_prop_set_bit(DeviceState *dev, const char *name, bool value)
{
    object_property_set_bool(OBJECT(dev), name, value, &error_abort);
}

void qdev_prop_set_uint8(DeviceState *dev, const char *name, uint8_t value)
{
    object_property_set_int(OBJECT(dev), name, value, &error_abort);
}

void qdev_prop_set_uint16(DeviceState *dev, const char *name, uint16_t value)
{
    object_property_set_int(OBJECT(dev), name, value, &error_abort);
}

void qdev_prop_set_uint32(DeviceState *dev, const char *name, uint32_t value)
{
    object_property_set_int(OBJECT(dev), name, value, &error_abort);
}

void qdev_prop_set_uint64(DeviceState *dev, const char *name, uint64_t value)
{
    g_autoptr(JsonNode) node = json_node_new_uint(value);

    object_property_set(OBJECT(dev), name, node, &error_abort);
}

void qdev_prop_set_int32(DeviceState *dev, const char *name, int32_t value)
{
    object_property_set_int(OBJECT(dev), name, value, &error_abort);
}

void qdev_prop_set_string(DeviceState *dev, const char *name,
                          const char *value)
{
    object_property_set_str(OBJECT(dev), name, value, &error_abort);
}

/* -- -global ------------------------------------------------------------- */

typedef struct GlobalProperty {
    char *driver, *prop, *value;
    bool used;
} GlobalProperty;

static GPtrArray *globals;      /* made before the first device, then fixed */

bool qdev_prop_register_global(const char *driver, const char *prop,
                               const char *value, Error **errp)
{
    ObjectClass *oc = object_class_by_name(driver);
    GlobalProperty *g;

    if (!oc || !object_class_dynamic_cast(oc, TYPE_DEVICE)) {
        error_setg(errp, "-global %s.%s=%s: '%s' is not a device type", driver,
                   prop, value, driver);
        return false;
    }
    g = g_new0(GlobalProperty, 1);
    g->driver = g_strdup(driver);
    g->prop = g_strdup(prop);
    g->value = g_strdup(value);
    if (!globals) {
        globals = g_ptr_array_new();
    }
    g_ptr_array_add(globals, g);
    return true;
}

void qdev_props_set_globals(DeviceState *dev)
{
    for (unsigned i = 0; globals && i < globals->len; i++) {
        GlobalProperty *g = g_ptr_array_index(globals, i);
        Error *err = NULL;

        if (!object_dynamic_cast(OBJECT(dev), g->driver) ||
            !object_property_find(OBJECT(dev), g->prop)) {
            continue;
        }
        __atomic_store_n(&g->used, true, __ATOMIC_RELAXED);
        if (!object_property_set_str(OBJECT(dev), g->prop, g->value, &err)) {
            error_prepend(&err, "-global %s.%s=%s: ", g->driver, g->prop,
                          g->value);
            error_propagate(dev->init_error ? NULL : &dev->init_error, err);
        }
    }
}

void qdev_prop_check_globals(void)
{
    for (unsigned i = 0; globals && i < globals->len; i++) {
        GlobalProperty *g = g_ptr_array_index(globals, i);

        if (!__atomic_load_n(&g->used, __ATOMIC_RELAXED)) {
            warn_report("-global %s.%s=%s changed nothing: no such device was "
                        "made, or it has no such property", g->driver,
                        g->prop, g->value);
        }
    }
}
