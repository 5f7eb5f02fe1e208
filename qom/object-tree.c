/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The composition tree: each object but the root belongs to one parent, which
 * holds a reference and shows it as a "child<>" property.  Links point across
 * the tree by path.
 */
#include "qemu/osdep.h"
#include <pthread.h>
#include "qom/object.h"
#include "qom/qom-internal.h"

#define TYPE_CONTAINER "container"

/* -- Children ------------------------------------------------------------ */

static JsonNode *child_get(Object *obj, const char *name, void *opaque,
                           Error **errp)
{
    g_autofree char *path = object_get_canonical_path(opaque);

    return json_node_new_str(path ?: "");
}

static void child_release(Object *obj, const char *name, void *opaque)
{
    Object *child = opaque;

    if (child->klass->unparent) {
        child->klass->unparent(child);
    }
    child->parent = NULL;
    g_clear_pointer(&child->name, g_free);
    object_unref(child);
}

Object *property_child(const ObjectProperty *prop)
{
    return prop->release == child_release ? prop->opaque : NULL;
}

ObjectProperty *object_property_add_child(Object *parent, const char *name,
                                          Object *child)
{
    g_autofree char *type = g_strdup_printf("child<%s>",
                                            object_get_typename(child));
    ObjectProperty *prop;

    assert(!child->parent);
    prop = object_property_add(parent, name, type, child_get, NULL,
                               child_release, object_ref(child));
    child->parent = parent;
    child->name = g_strdup(prop->name);
    return prop;
}

void object_unparent(Object *obj)
{
    if (obj->parent) {
        g_autofree char *name = g_strdup(obj->name);

        object_property_del(obj->parent, name);
    }
}

/* The children at this moment, referenced: a caller may add and remove. */
static GPtrArray *object_children(Object *obj)
{
    GPtrArray *children = g_ptr_array_new_with_free_func(object_unref);

    for (unsigned i = 0; obj->properties && i < obj->properties->len; i++) {
        Object *child = property_child(g_ptr_array_index(obj->properties, i));

        if (child) {
            g_ptr_array_add(children, object_ref(child));
        }
    }
    return children;
}

static int child_foreach(Object *obj, bool recurse,
                         int (*fn)(Object *child, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) children = object_children(obj);
    int ret = 0;

    for (unsigned i = 0; i < children->len && !ret; i++) {
        Object *child = g_ptr_array_index(children, i);

        ret = fn(child, opaque);
        if (!ret && recurse) {
            ret = child_foreach(child, true, fn, opaque);
        }
    }
    return ret;
}

int object_child_foreach(Object *obj, int (*fn)(Object *child, void *opaque),
                         void *opaque)
{
    return child_foreach(obj, false, fn, opaque);
}

int object_child_foreach_recursive(Object *obj,
                                   int (*fn)(Object *child, void *opaque),
                                   void *opaque)
{
    return child_foreach(obj, true, fn, opaque);
}

/* -- Links --------------------------------------------------------------- */

typedef struct Link {
    Object **target;
    char *type;
} Link;

static JsonNode *link_get(Object *obj, const char *name, void *opaque,
                          Error **errp)
{
    Link *link = opaque;
    g_autofree char *path = NULL;

    if (*link->target) {
        path = object_get_canonical_path(*link->target);
    }
    return json_node_new_str(path ?: "");
}

static bool link_set(Object *obj, const char *name, JsonNode *value,
                     void *opaque, Error **errp)
{
    Link *link = opaque;
    Object *target;

    if (!object_resolve_link(value, name, link->type, &target, errp)) {
        return false;
    }
    object_ref(target);
    object_unref(*link->target);
    *link->target = target;
    return true;
}

static void link_release(Object *obj, const char *name, void *opaque)
{
    Link *link = opaque;

    object_unref(*link->target);
    *link->target = NULL;
    g_free(link->type);
    g_free(link);
}

void object_property_add_link(Object *obj, const char *name, const char *type,
                              Object **target)
{
    g_autofree char *shown = g_strdup_printf("link<%s>", type);
    Link *link = g_new(Link, 1);

    link->target = target;
    link->type = g_strdup(type);
    object_property_add(obj, name, shown, link_get, link_set, link_release,
                        link);
}

bool object_resolve_link(JsonNode *value, const char *name, const char *type,
                         Object **target, Error **errp)
{
    const char *path = json_node_to_str(value, name, errp);
    bool ambiguous = false;

    if (!path) {
        return false;
    }
    *target = NULL;
    if (!*path) {
        return true;
    }
    *target = object_resolve_path_type(path, type, &ambiguous);
    if (*target) {
        return true;
    }
    if (ambiguous) {
        error_setg(errp, "Parameter '%s': '%s' names more than one object; "
                   "give its full path", name, path);
    } else if (object_resolve_path(path, NULL)) {
        error_setg(errp, "Parameter '%s': object '%s' is not of type '%s'",
                   name, path, type);
    } else {
        error_setg(errp, "Parameter '%s': object '%s' not found", name, path);
    }
    return false;
}

/* -- Root and containers ------------------------------------------------- */

static const TypeInfo container_type[] = {
    {
        .name = TYPE_CONTAINER,
        .parent = TYPE_OBJECT,
    },
};
DEFINE_TYPES(container_type)

static Object *root;

static void make_root(void)
{
    root = object_new(TYPE_CONTAINER);
}

Object *object_get_root(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_root);
    return root;
}

Object *object_get_objects_root(void)
{
    return container_get(object_get_root(), "/objects");
}

Object *object_resolve_path_component(Object *obj, const char *component)
{
    ObjectProperty *prop = object_property_find(obj, component);
    Object *child;

    if (!prop) {
        return NULL;
    }
    child = property_child(prop);
    if (!child && g_str_has_prefix(prop->type, "link<")) {
        child = object_property_get_link(obj, component, NULL);
    }
    return child;
}

Object *container_get(Object *from, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *obj = from;

    for (char **p = parts; *p; p++) {
        Object *child;

        if (!**p) {
            continue;
        }
        child = object_resolve_path_component(obj, *p);
        if (!child) {
            child = object_new(TYPE_CONTAINER);
            object_property_add_child(obj, *p, child);
            object_unref(child);
        }
        obj = child;
    }
    return obj;
}

/* -- Paths --------------------------------------------------------------- */

const char *object_get_canonical_path_component(const Object *obj)
{
    return obj->name;
}

char *object_get_canonical_path(const Object *obj)
{
    GString *path = g_string_new(NULL);

    for (; obj->parent; obj = obj->parent) {
        g_string_prepend(path, obj->name);
        g_string_prepend_c(path, '/');
    }
    if (obj != object_get_root()) {
        g_string_free(path, TRUE);
        return NULL;
    }
    if (!path->len) {
        g_string_append_c(path, '/');
    }
    return g_string_free(path, FALSE);
}

static Object *path_walk(Object *obj, char **parts, const char *type)
{
    for (; obj && *parts; parts++) {
        if (**parts) {
            obj = object_resolve_path_component(obj, *parts);
        }
    }
    return object_dynamic_cast(obj, type);
}

typedef struct PartialMatch {
    char **parts;
    const char *type;
    Object *found;
} PartialMatch;

static int partial_try(Object *obj, void *opaque)
{
    PartialMatch *m = opaque;
    Object *found = path_walk(obj, m->parts, m->type);

    if (found && m->found && found != m->found) {
        return 1;
    }
    m->found = found ?: m->found;
    return 0;
}

Object *object_resolve_path_type(const char *path, const char *type,
                                 bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    PartialMatch m = { .parts = parts, .type = type };
    bool several;

    if (ambiguous) {
        *ambiguous = false;
    }
    if (path[0] == '/') {
        return path_walk(object_get_root(), parts, type);
    }
    several = partial_try(object_get_root(), &m) ||
              object_child_foreach_recursive(object_get_root(), partial_try,
                                             &m);
    if (ambiguous) {
        *ambiguous = several;
    }
    return several ? NULL : m.found;
}

Object *object_resolve_path(const char *path, bool *ambiguous)
{
    return object_resolve_path_type(path, TYPE_OBJECT, ambiguous);
}
