/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP about the object model: the tree, its types and their properties. */
#include "qemu/osdep.h"
#include "hw/qdev-core.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"

static Object *resolve(JsonObject *args, Error **errp)
{
    const char *path = qmp_str(args, "path");
    bool ambiguous = false;
    Object *obj = object_resolve_path(path, &ambiguous);

    if (!obj && ambiguous) {
        error_setg(errp, "Path '%s' is ambiguous: give it from the root", path);
    } else if (!obj) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  path);
    }
    return obj;
}

static void add_property(ObjectProperty *prop, void *opaque)
{
    JsonObject *p = json_object_new();

    json_object_set_string_member(p, "name", prop->name);
    json_object_set_string_member(p, "type", prop->type);
    if (prop->description) {
        json_object_set_string_member(p, "description", prop->description);
    }
    if (prop->defval) {
        json_object_set_member(p, "default-value",
                               json_node_copy(prop->defval));
    }
    json_array_add_object_element(opaque, p);
}

static JsonNode *qom_list(JsonObject *args, Monitor *mon, Error **errp)
{
    Object *obj = resolve(args, errp);
    JsonArray *list;

    if (!obj) {
        return NULL;
    }
    list = json_array_new();
    object_property_foreach(obj, add_property, list);
    return qmp_take_array(list);
}

static JsonNode *qom_get(JsonObject *args, Monitor *mon, Error **errp)
{
    Object *obj = resolve(args, errp);

    return obj ? object_property_get(obj, qmp_str(args, "property"), errp)
               : NULL;
}

static JsonNode *qom_set(JsonObject *args, Monitor *mon, Error **errp)
{
    Object *obj = resolve(args, errp);

    if (obj) {
        object_property_set(obj, qmp_str(args, "property"),
                            json_object_get_member(args, "value"), errp);
    }
    return NULL;
}

static JsonNode *qom_list_types(JsonObject *args, Monitor *mon, Error **errp)
{
    bool abstract = args && json_object_get_boolean_member_with_default(
        args, "abstract", false);
    g_autoptr(GSList) classes =
        object_class_get_list(qmp_str(args, "implements"), abstract);
    JsonArray *list = json_array_new();

    for (GSList *l = classes; l; l = l->next) {
        ObjectClass *parent = object_class_get_parent(l->data);
        JsonObject *type = json_object_new();

        json_object_set_string_member(type, "name",
                                      object_class_get_name(l->data));
        if (object_class_is_abstract(l->data)) {
            json_object_set_boolean_member(type, "abstract", true);
        }
        if (parent) {
            json_object_set_string_member(type, "parent",
                                          object_class_get_name(parent));
        }
        json_array_add_object_element(list, type);
    }
    return qmp_take_array(list);
}

static JsonNode *list_properties(ObjectClass *klass)
{
    JsonArray *list = json_array_new();

    object_class_property_foreach(klass, add_property, list);
    return qmp_take_array(list);
}

static JsonNode *qom_list_properties(JsonObject *args, Monitor *mon,
                                     Error **errp)
{
    const char *name = qmp_str(args, "typename");
    ObjectClass *klass = object_class_by_name(name);

    if (!klass) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Class '%s' not found",
                  name);
        return NULL;
    }
    return list_properties(klass);
}

static JsonNode *device_list_properties(JsonObject *args, Monitor *mon,
                                        Error **errp)
{
    const char *name = qmp_str(args, "typename");
    ObjectClass *klass = object_class_by_name(name);

    if (!klass) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  name);
        return NULL;
    }
    if (!object_class_dynamic_cast(klass, TYPE_DEVICE) ||
        object_class_is_abstract(klass)) {
        error_setg(errp, "Parameter 'typename' expects a non-abstract device "
                   "type");
        return NULL;
    }
    return list_properties(klass);
}

static const QMPMember path_args[] = { { "path", "str" }, { } };
static const QMPMember get_args[] = {
    { "path", "str" }, { "property", "str" }, { }
};
static const QMPMember set_args[] = {
    { "path", "str" }, { "property", "str" }, { "value", "any" }, { }
};
static const QMPMember types_args[] = {
    { "implements", "str", true, "a parent type or an interface" },
    { "abstract", "bool", true, "abstract types, too" }, { }
};
static const QMPMember typename_args[] = { { "typename", "str" }, { } };

static const QMPCommand qom_commands[] = {
    { "qom-list", path_args, "[ObjectPropertyInfo]", qom_list,
      "The properties of an object; its children are among them." },
    { "qom-get", get_args, "any", qom_get, "The value of a property." },
    { "qom-set", set_args, NULL, qom_set, "Sets a property." },
    { "qom-list-types", types_args, "[ObjectTypeInfo]", qom_list_types,
      "The types that there are." },
    { "qom-list-properties", typename_args, "[ObjectPropertyInfo]",
      qom_list_properties, "The properties of a type." },
    { "device-list-properties", typename_args, "[ObjectPropertyInfo]",
      device_list_properties, "The properties of a type of device." },
    { }
};
QMP_TABLE(commands, qom_commands)

static const QMPMember property_info[] = {
    { "name", "str" }, { "type", "str" }, { "description", "str", true },
    { "default-value", "any", true }, { }
};
static const QMPMember type_info[] = {
    { "name", "str" }, { "abstract", "bool", true }, { "parent", "str", true },
    { }
};
static const QMPType qom_types[] = {
    { "ObjectPropertyInfo", NULL, property_info },
    { "ObjectTypeInfo", NULL, type_info },
    { }
};
QMP_TABLE(types, qom_types)
