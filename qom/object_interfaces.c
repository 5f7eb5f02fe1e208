/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -object: objects that an operator makes, under /objects. */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "qom/object.h"

static const TypeInfo user_creatable_types[] = {
    {
        .name = TYPE_USER_CREATABLE,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(UserCreatableClass),
    },
};
DEFINE_TYPES(user_creatable_types)

/* A member that must be there and must be a string. */
static const char *opts_need_str(JsonObject *opts, const char *key,
                                 Error **errp)
{
    if (!json_object_has_member(opts, key)) {
        error_setg(errp, "Parameter '%s' is missing", key);
        return NULL;
    }
    return json_node_to_str(json_object_get_member(opts, key), key, errp);
}

static ObjectClass *user_creatable_class(const char *type, Error **errp)
{
    ObjectClass *klass = object_class_by_name(type);
    g_autoptr(GSList) list = NULL;
    g_autoptr(GPtrArray) names = NULL;
    const char *near;

    if (klass && object_class_dynamic_cast(klass, TYPE_USER_CREATABLE) &&
        !object_class_is_abstract(klass)) {
        return klass;
    }
    if (klass) {
        error_setg(errp, "Objects of type '%s' cannot be made by -object",
                   type);
        return NULL;
    }
    names = g_ptr_array_new();
    list = object_class_get_list(TYPE_USER_CREATABLE, false);
    for (GSList *l = list; l; l = l->next) {
        g_ptr_array_add(names, (void *)object_class_get_name(l->data));
    }
    g_ptr_array_add(names, NULL);
    near = nearest_spelling(type, (const char *const *)names->pdata);
    if (near) {
        error_setg(errp, "'%s' is not a valid object type; did you mean '%s'?",
                   type, near);
    } else {
        error_setg(errp, "'%s' is not a valid object type", type);
    }
    return NULL;
}

/* Members of -object that are about the object, not of it. */
static const char *const not_properties[] = { "qom-type", "id", NULL };

Object *user_creatable_add(JsonObject *opts, Error **errp)
{
    const char *type = opts_need_str(opts, "qom-type", errp);
    const char *id = type ? opts_need_str(opts, "id", errp) : NULL;
    UserCreatableClass *ucc;
    ObjectClass *klass;
    Object *obj;

    if (!id) {
        return NULL;
    }
    klass = user_creatable_class(type, errp);
    if (!klass) {
        return NULL;
    }
    if (!id_wellformed(id)) {
        error_setg(errp, "Parameter 'id' expects an identifier: a letter, then "
                   "letters, digits, '-', '.' or '_'; not '%s'", id);
        return NULL;
    }
    if (object_property_find(object_get_objects_root(), id)) {
        error_setg(errp, "There is an object with id '%s' already", id);
        return NULL;
    }

    obj = object_new(type);
    if (!object_set_properties(obj, opts, not_properties, errp)) {
        object_unref(obj);
        return NULL;
    }
    object_property_add_child(object_get_objects_root(), id, obj);
    object_unref(obj);
    ucc = USER_CREATABLE_GET_CLASS(obj);
    if (ucc->complete && !ucc->complete(USER_CREATABLE(obj), errp)) {
        object_unparent(obj);
        return NULL;
    }
    return obj;
}

bool user_creatable_del(const char *id, Error **errp)
{
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);
    UserCreatableClass *ucc;

    if (!object_dynamic_cast(obj, TYPE_USER_CREATABLE)) {
        error_setg(errp, "object '%s' not found", id);
        return false;
    }
    ucc = USER_CREATABLE_GET_CLASS(obj);
    if (ucc->can_be_deleted && !ucc->can_be_deleted(USER_CREATABLE(obj))) {
        error_setg(errp, "object '%s' is in use, can not be deleted", id);
        return false;
    }
    object_unparent(obj);
    return true;
}

/* -- Help ---------------------------------------------------------------- */

static void help_collect(ObjectProperty *prop, void *opaque)
{
    if (prop->set) {
        g_ptr_array_add(opaque, prop);
    }
}

static int help_compare(const void *a, const void *b)
{
    const ObjectProperty *const *pa = a, *const *pb = b;

    return strcmp((*pa)->name, (*pb)->name);
}

static void help_line(GString *out, const ObjectProperty *prop)
{
    int start = out->len;

    g_string_append_printf(out, "  %s=<%s>", prop->name, prop->type);
    if (prop->description || prop->defval) {
        g_string_append_printf(out, "%*s - %s",
                               MAX(0, 24 - (int)(out->len - start)), "",
                               prop->description ?: "");
    }
    if (prop->defval) {
        g_autofree char *def = json_text(prop->defval, false);

        g_string_append_printf(out, "%s(default: %s)",
                               prop->description ? " " : "", def);
    }
    g_string_append_c(out, '\n');
}

void object_class_help(GString *out, ObjectClass *klass)
{
    g_autoptr(GPtrArray) props = g_ptr_array_new();

    object_class_property_foreach(klass, help_collect, props);
    g_ptr_array_sort(props, help_compare);
    for (unsigned i = 0; i < props->len; i++) {
        help_line(out, g_ptr_array_index(props, i));
    }
}

bool user_creatable_help(GString *out, const char *type, Error **errp)
{
    g_autoptr(GSList) list = NULL;
    ObjectClass *klass;

    if (!type) {
        list = object_class_get_list(TYPE_USER_CREATABLE, false);
        g_string_append(out, "List of user creatable objects:\n");
        for (GSList *l = list; l; l = l->next) {
            g_string_append_printf(out, "  %s\n",
                                   object_class_get_name(l->data));
        }
        return true;
    }
    klass = user_creatable_class(type, errp);
    if (klass) {
        g_string_append_printf(out, "%s options:\n", type);
        object_class_help(out, klass);
    }
    return klass != NULL;
}
