/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties: those of classes, shared by all their objects, and those added
 * to one object.  An object's own come first when a name is looked up, then
 * its class's, then its parents'.
 */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "qom/object.h"
#include "qom/qom-internal.h"

/* From this many on, an object's properties are found by hash. */
#define INDEX_FROM 16

ObjectProperty *property_new(const char *name, const char *type,
                             ObjectPropertyGet *get, ObjectPropertySet *set,
                             ObjectPropertyRelease *release, void *opaque)
{
    ObjectProperty *prop = g_new0(ObjectProperty, 1);

    prop->name = g_strdup(name);
    prop->type = g_strdup(type);
    prop->get = get;
    prop->set = set;
    prop->release = release;
    prop->opaque = opaque;
    return prop;
}

void property_free(ObjectProperty *prop)
{
    g_free(prop->name);
    g_free(prop->type);
    g_free(prop->description);
    g_clear_pointer(&prop->defval, json_node_unref);
    g_free(prop);
}

static ObjectProperty *property_search(GPtrArray *props, const char *name)
{
    for (unsigned i = 0; props && i < props->len; i++) {
        ObjectProperty *prop = g_ptr_array_index(props, i);

        if (!strcmp(prop->name, name)) {
            return prop;
        }
    }
    return NULL;
}

static ObjectProperty *property_own(Object *obj, const char *name)
{
    if (obj->property_index) {
        return g_hash_table_lookup(obj->property_index, name);
    }
    return property_search(obj->properties, name);
}

/* -- Adding and removing ------------------------------------------------- */

/* "disk[*]" becomes the first "disk[N]" that is free. */
static char *property_free_name(Object *obj, const char *name)
{
    int stem;

    if (!g_str_has_suffix(name, "[*]")) {
        return g_strdup(name);
    }
    stem = strlen(name) - strlen("[*]");
    for (unsigned n = 0;; n++) {
        char *full = g_strdup_printf("%.*s[%u]", stem, name, n);

        if (!object_property_find(obj, full)) {
            return full;
        }
        g_free(full);
    }
}

ObjectProperty *object_property_add(Object *obj, const char *name,
                                    const char *type, ObjectPropertyGet *get,
                                    ObjectPropertySet *set,
                                    ObjectPropertyRelease *release,
                                    void *opaque)
{
    g_autofree char *full = property_free_name(obj, name);
    ObjectProperty *prop;

    if (object_property_find(obj, full)) {
        fprintf(stderr, "qom: object of type '%s' has a property '%s' already\n",
                object_get_typename(obj), full);
        abort();
    }
    prop = property_new(full, type, get, set, release, opaque);
    if (!obj->properties) {
        obj->properties = g_ptr_array_new();
    }
    g_ptr_array_add(obj->properties, prop);
    if (obj->property_index) {
        g_hash_table_insert(obj->property_index, prop->name, prop);
    } else if (obj->properties->len == INDEX_FROM) {
        obj->property_index = g_hash_table_new(g_str_hash, g_str_equal);
        for (unsigned i = 0; i < obj->properties->len; i++) {
            ObjectProperty *p = g_ptr_array_index(obj->properties, i);

            g_hash_table_insert(obj->property_index, p->name, p);
        }
    }
    return prop;
}

static void property_remove(Object *obj, ObjectProperty *prop)
{
    g_ptr_array_remove(obj->properties, prop);
    if (obj->property_index) {
        g_hash_table_remove(obj->property_index, prop->name);
    }
    if (prop->release) {
        prop->release(obj, prop->name, prop->opaque);
    }
    property_free(prop);
}

void object_property_del(Object *obj, const char *name)
{
    ObjectProperty *prop = property_own(obj, name);

    if (prop) {
        property_remove(obj, prop);
    }
}

void object_property_del_all(Object *obj)
{
    /* What a release takes away itself is gone from the array too. */
    while (obj->properties && obj->properties->len) {
        property_remove(obj, g_ptr_array_index(obj->properties,
                                               obj->properties->len - 1));
    }
    g_clear_pointer(&obj->property_index, g_hash_table_destroy);
    g_clear_pointer(&obj->properties, g_ptr_array_unref);
}

ObjectProperty *object_class_property_add(ObjectClass *klass, const char *name,
                                          const char *type,
                                          ObjectPropertyGet *get,
                                          ObjectPropertySet *set,
                                          void *opaque)
{
    ObjectProperty *prop = property_new(name, type, get, set, NULL, opaque);
    GPtrArray *props = type_properties_ensure(klass->type);

    assert(!property_search(props, name));
    g_ptr_array_add(props, prop);
    return prop;
}

void object_class_property_set_description(ObjectClass *klass,
                                           const char *name, const char *text)
{
    ObjectProperty *prop = object_class_property_find(klass, name);

    g_free(prop->description);
    prop->description = g_strdup(text);
}

/* -- Finding ------------------------------------------------------------- */

ObjectProperty *object_class_property_find(ObjectClass *klass,
                                           const char *name)
{
    for (; klass; klass = object_class_get_parent(klass)) {
        ObjectProperty *prop = property_search(type_properties(klass->type),
                                               name);
        if (prop) {
            return prop;
        }
    }
    return NULL;
}

ObjectProperty *object_property_find(Object *obj, const char *name)
{
    ObjectProperty *prop = property_own(obj, name);

    return prop ?: object_class_property_find(object_get_class(obj), name);
}

static void property_collect_settable(ObjectProperty *prop, void *opaque)
{
    if (prop->set) {
        g_ptr_array_add(opaque, prop->name);
    }
}

ObjectProperty *object_property_find_err(Object *obj, const char *name,
                                         Error **errp)
{
    ObjectProperty *prop = object_property_find(obj, name);
    g_autoptr(GPtrArray) names = NULL;
    const char *near;

    if (prop) {
        return prop;
    }
    names = g_ptr_array_new();
    object_property_foreach(obj, property_collect_settable, names);
    g_ptr_array_add(names, NULL);
    near = nearest_spelling(name, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "Property '%s.%s' not found; did you mean '%s'?",
                   object_get_typename(obj), name, near);
    } else {
        error_setg(errp, "Property '%s.%s' not found",
                   object_get_typename(obj), name);
    }
    return NULL;
}

static void property_array_foreach(GPtrArray *props, ObjectPropertyIter *fn,
                                   void *opaque)
{
    for (unsigned i = 0; props && i < props->len; i++) {
        fn(g_ptr_array_index(props, i), opaque);
    }
}

void object_class_property_foreach(ObjectClass *klass, ObjectPropertyIter *fn,
                                   void *opaque)
{
    for (; klass; klass = object_class_get_parent(klass)) {
        property_array_foreach(type_properties(klass->type), fn, opaque);
    }
}

void object_property_foreach(Object *obj, ObjectPropertyIter *fn, void *opaque)
{
    property_array_foreach(obj->properties, fn, opaque);
    object_class_property_foreach(object_get_class(obj), fn, opaque);
}

/* -- Values -------------------------------------------------------------- */

JsonNode *object_property_get(Object *obj, const char *name, Error **errp)
{
    ObjectProperty *prop = object_property_find_err(obj, name, errp);

    if (!prop) {
        return NULL;
    }
    if (!prop->get) {
        error_setg(errp, "Property '%s.%s' cannot be read",
                   object_get_typename(obj), name);
        return NULL;
    }
    return prop->get(obj, name, prop->opaque, errp);
}

bool object_property_set(Object *obj, const char *name, JsonNode *value,
                         Error **errp)
{
    ObjectProperty *prop = object_property_find_err(obj, name, errp);

    if (!prop) {
        return false;
    }
    if (!prop->set) {
        error_setg(errp, "Property '%s.%s' is read-only",
                   object_get_typename(obj), name);
        return false;
    }
    return prop->set(obj, name, value, prop->opaque, errp);
}

bool object_property_set_str(Object *obj, const char *name, const char *value,
                             Error **errp)
{
    g_autoptr(JsonNode) node = json_node_new_str(value);

    return object_property_set(obj, name, node, errp);
}

bool object_property_set_bool(Object *obj, const char *name, bool value,
                              Error **errp)
{
    g_autoptr(JsonNode) node = json_node_new_bool(value);

    return object_property_set(obj, name, node, errp);
}

bool object_property_set_int(Object *obj, const char *name, int64_t value,
                             Error **errp)
{
    g_autoptr(JsonNode) node = json_node_new_int(value);

    return object_property_set(obj, name, node, errp);
}

bool object_property_set_link(Object *obj, const char *name, Object *value,
                              Error **errp)
{
    g_autofree char *path = value ? object_get_canonical_path(value)
                                  : g_strdup("");

    if (!path) {
        error_setg(errp, "Property '%s.%s': an object of type '%s' that is not "
                   "in the object tree cannot be linked to",
                   object_get_typename(obj), name, object_get_typename(value));
        return false;
    }
    return object_property_set_str(obj, name, path, errp);
}

char *object_property_get_str(Object *obj, const char *name, Error **errp)
{
    g_autoptr(JsonNode) node = object_property_get(obj, name, errp);

    return node ? g_strdup(json_node_to_str(node, name, errp)) : NULL;
}

bool object_property_get_bool(Object *obj, const char *name, Error **errp)
{
    g_autoptr(JsonNode) node = object_property_get(obj, name, errp);
    bool value = false;

    return node && json_node_to_bool(node, name, &value, errp) && value;
}

int64_t object_property_get_int(Object *obj, const char *name, Error **errp)
{
    g_autoptr(JsonNode) node = object_property_get(obj, name, errp);
    int64_t value;

    if (!node || !json_node_to_int(node, name, INT64_MIN, INT64_MAX, &value,
                                   errp)) {
        return -1;
    }
    return value;
}

Object *object_property_get_link(Object *obj, const char *name, Error **errp)
{
    g_autofree char *path = object_property_get_str(obj, name, errp);

    return path && *path ? object_resolve_path(path, NULL) : NULL;
}

bool object_set_properties(Object *obj, JsonObject *props,
                           const char *const *except, Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(props);

    for (GList *l = names; l; l = l->next) {
        JsonNode *value = json_object_get_member(props, l->data);

        if (!(except && g_strv_contains(except, l->data)) &&
            !object_property_set(obj, l->data, value, errp)) {
            return false;
        }
    }
    return true;
}

/* -- Typed class properties ---------------------------------------------- */

typedef struct TypedAccessors {
    union {
        char *(*str)(Object *, Error **);
        bool (*boolean)(Object *, Error **);
        uint64_t (*uint64)(Object *, Error **);
    } get;
    union {
        bool (*str)(Object *, const char *, Error **);
        bool (*boolean)(Object *, bool, Error **);
        bool (*uint64)(Object *, uint64_t, Error **);
    } set;
} TypedAccessors;

static JsonNode *property_get_str(Object *obj, const char *name, void *opaque,
                                  Error **errp)
{
    TypedAccessors *a = opaque;
    Error *err = NULL;
    g_autofree char *value = a->get.str(obj, &err);

    if (err) {
        error_propagate(errp, err);
        return NULL;
    }
    return json_node_new_str(value ?: "");
}

static bool property_set_str(Object *obj, const char *name, JsonNode *value,
                             void *opaque, Error **errp)
{
    TypedAccessors *a = opaque;
    const char *str = json_node_to_str(value, name, errp);

    return str && a->set.str(obj, str, errp);
}

static JsonNode *property_get_bool(Object *obj, const char *name, void *opaque,
                                   Error **errp)
{
    TypedAccessors *a = opaque;
    Error *err = NULL;
    bool value = a->get.boolean(obj, &err);

    if (err) {
        error_propagate(errp, err);
        return NULL;
    }
    return json_node_new_bool(value);
}

static bool property_set_bool(Object *obj, const char *name, JsonNode *value,
                              void *opaque, Error **errp)
{
    TypedAccessors *a = opaque;
    bool v;

    return json_node_to_bool(value, name, &v, errp) &&
           a->set.boolean(obj, v, errp);
}

static JsonNode *property_get_uint64(Object *obj, const char *name,
                                     void *opaque, Error **errp)
{
    TypedAccessors *a = opaque;
    Error *err = NULL;
    uint64_t value = a->get.uint64(obj, &err);

    if (err) {
        error_propagate(errp, err);
        return NULL;
    }
    return json_node_new_uint(value);
}

static bool property_set_uint64(Object *obj, const char *name, JsonNode *value,
                                void *opaque, Error **errp)
{
    TypedAccessors *a = opaque;
    uint64_t v;

    return json_node_to_uint(value, name, UINT64_MAX, &v, errp) &&
           a->set.uint64(obj, v, errp);
}

static bool property_set_size(Object *obj, const char *name, JsonNode *value,
                              void *opaque, Error **errp)
{
    TypedAccessors *a = opaque;
    uint64_t v;

    return json_node_to_size(value, name, &v, errp) &&
           a->set.uint64(obj, v, errp);
}

void object_class_property_add_str(ObjectClass *klass, const char *name,
                                   char *(*get)(Object *, Error **),
                                   bool (*set)(Object *, const char *,
                                               Error **))
{
    TypedAccessors *a = g_new0(TypedAccessors, 1);

    a->get.str = get;
    a->set.str = set;
    object_class_property_add(klass, name, "string",
                              get ? property_get_str : NULL,
                              set ? property_set_str : NULL, a);
}

void object_class_property_add_bool(ObjectClass *klass, const char *name,
                                    bool (*get)(Object *, Error **),
                                    bool (*set)(Object *, bool, Error **))
{
    TypedAccessors *a = g_new0(TypedAccessors, 1);

    a->get.boolean = get;
    a->set.boolean = set;
    object_class_property_add(klass, name, "bool",
                              get ? property_get_bool : NULL,
                              set ? property_set_bool : NULL, a);
}

void object_class_property_add_uint64(ObjectClass *klass, const char *name,
                                      bool is_size,
                                      uint64_t (*get)(Object *, Error **),
                                      bool (*set)(Object *, uint64_t,
                                                  Error **))
{
    TypedAccessors *a = g_new0(TypedAccessors, 1);
    ObjectPropertySet *setter = is_size ? property_set_size
                                        : property_set_uint64;

    a->get.uint64 = get;
    a->set.uint64 = set;
    object_class_property_add(klass, name, is_size ? "size" : "uint64",
                              get ? property_get_uint64 : NULL,
                              set ? setter : NULL, a);
}

static char *object_get_type(Object *obj, Error **errp)
{
    return g_strdup(object_get_typename(obj));
}

void object_add_class_properties(ObjectClass *klass)
{
    object_class_property_add_str(klass, "type", object_get_type, NULL);
}
