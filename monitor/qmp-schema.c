/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of QMP, and whether a command's arguments are of theirs. */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"

static GHashTable *types;       /* name -> QMPType */
static GPtrArray *events;       /* of QMPEvent */

void qmp_register_types(const QMPType *table)
{
    if (!types) {
        types = g_hash_table_new(g_str_hash, g_str_equal);
    }
    for (; table->name; table++) {
        g_hash_table_insert(types, (void *)table->name, (void *)table);
    }
}

void qmp_register_events(const QMPEvent *table)
{
    if (!events) {
        events = g_ptr_array_new();
    }
    for (; table->name; table++) {
        g_ptr_array_add(events, (void *)table);
    }
}

const QMPType *qmp_find_type(const char *name)
{
    return types ? g_hash_table_lookup(types, name) : NULL;
}

void qmp_for_each_type(void (*fn)(const QMPType *type, void *opaque),
                       void *opaque)
{
    g_autoptr(GList) names = types ? g_hash_table_get_keys(types) : NULL;

    names = g_list_sort(names, (GCompareFunc)strcmp);
    for (GList *l = names; l; l = l->next) {
        fn(qmp_find_type(l->data), opaque);
    }
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const QMPEvent *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

void qmp_for_each_event(void (*fn)(const QMPEvent *event, void *opaque),
                        void *opaque)
{
    if (events) {
        g_ptr_array_sort(events, by_name);
    }
    for (guint i = 0; events && i < events->len; i++) {
        fn(g_ptr_array_index(events, i), opaque);
    }
}

static bool check_value(const char *type, JsonNode *value, const char *name,
                        Error **errp);

/* Members of @obj against @members; @path is put before names. */
static bool check_members(const QMPMember *members, JsonObject *obj,
                          const char *path, Error **errp)
{
    g_autoptr(GList) names = obj ? json_object_get_members(obj) : NULL;
    bool any = false;

    for (const QMPMember *m = members; m && m->name; m++) {
        any |= !strcmp(m->name, "*");
        if (!m->optional && !strchr("*+", m->name[0]) &&
            (!obj || !json_object_has_member(obj, m->name))) {
            error_setg(errp, "Parameter '%s%s' is missing", path, m->name);
            return false;
        }
    }
    for (GList *l = names; l; l = l->next) {
        const QMPMember *m = members;
        g_autofree char *full = g_strconcat(path, l->data, NULL);

        while (m && m->name && strcmp(m->name, l->data)) {
            m++;
        }
        if (m && m->name) {
            if (!check_value(m->type, json_object_get_member(obj, l->data),
                             full, errp)) {
                return false;
            }
        } else if (!any) {
            error_setg(errp, "Parameter '%s' is unexpected", full);
            return false;
        }
    }
    return true;
}

static bool is_basic(const char *type, JsonNode *value, bool *known)
{
    GType got = JSON_NODE_HOLDS_VALUE(value) ? json_node_get_value_type(value)
                                             : G_TYPE_INVALID;

    *known = true;
    if (!strcmp(type, "any")) {
        return true;
    }
    if (!strcmp(type, "str")) {
        return got == G_TYPE_STRING;
    }
    if (!strcmp(type, "int")) {
        return got == G_TYPE_INT64;
    }
    if (!strcmp(type, "bool")) {
        return got == G_TYPE_BOOLEAN;
    }
    if (!strcmp(type, "number")) {
        return got == G_TYPE_INT64 || got == G_TYPE_DOUBLE;
    }
    if (!strcmp(type, "null")) {
        return JSON_NODE_HOLDS_NULL(value);
    }
    *known = false;
    return false;
}

static const char *expected(const char *type)
{
    static const char *const words[][2] = {
        { "str", "string" }, { "int", "integer" }, { "bool", "boolean" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(words[i][0], type)) {
            return words[i][1];
        }
    }
    return type[0] == '[' ? "array" : type;
}

static bool check_list(const char *type, JsonNode *value, const char *name,
                       Error **errp)
{
    g_autofree char *element = g_strndup(type + 1, strlen(type) - 2);
    JsonArray *array = json_node_get_array(value);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        g_autofree char *path = g_strdup_printf("%s[%u]", name, i);

        if (!check_value(element, json_array_get_element(array, i), path,
                         errp)) {
            return false;
        }
    }
    return true;
}

static bool check_enum(const QMPType *type, JsonNode *value, const char *name,
                       Error **errp)
{
    const char *text = json_node_get_value_type(value) == G_TYPE_STRING
                     ? json_node_get_string(value) : NULL;

    for (int i = 0; text && type->values[i]; i++) {
        if (!strcmp(type->values[i], text)) {
            return true;
        }
    }
    if (text) {
        error_setg(errp, "Parameter '%s' does not accept value '%s'", name,
                   text);
    } else {
        error_setg(errp, "Invalid parameter type for '%s', expected: string",
                   name);
    }
    return false;
}

static bool check_value(const char *type, JsonNode *value, const char *name,
                        Error **errp)
{
    const QMPType *named;
    bool known;

    if (is_basic(type, value, &known)) {
        return true;
    }
    if (!known && type[0] == '[' && JSON_NODE_HOLDS_ARRAY(value)) {
        return check_list(type, value, name, errp);
    }
    named = known ? NULL : qmp_find_type(type);
    if (named && named->values && JSON_NODE_HOLDS_VALUE(value)) {
        return check_enum(named, value, name, errp);
    }
    if (named && named->members && JSON_NODE_HOLDS_OBJECT(value)) {
        g_autofree char *path = g_strconcat(name, ".", NULL);

        return check_members(named->members, json_node_get_object(value), path,
                             errp);
    }
    error_setg(errp, "Invalid parameter type for '%s', expected: %s", name,
               named ? named->values ? "string" : "object" : expected(type));
    return false;
}

bool qmp_check_args(const QMPCommand *cmd, JsonObject *args, Error **errp)
{
    return check_members(cmd->args, args, "", errp);
}
