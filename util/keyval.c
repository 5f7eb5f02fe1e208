/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option arguments, "key=value,..." or JSON, as JsonObjects, and the reader
 * that takes them apart.  Keys are names of letters, digits, '-' and '_' (as
 * in upstream's keyval syntax, without its list indices), joined by dots.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/option.h"

/* The text up to an unpaired comma; *@p ends behind that comma. */
static char *take_value(const char **p)
{
    g_autoptr(GString) s = g_string_new(NULL);
    const char *c = *p;

    for (; *c; c++) {
        if (*c == ',') {
            if (c[1] != ',') {
                c++;
                break;
            }
            c++;
        }
        g_string_append_c(s, *c);
    }
    *p = c;
    return g_string_free(g_steal_pointer(&s), FALSE);
}

static bool key_ok(const char *key)
{
    bool at_start = true;

    for (; *key; key++) {
        if (*key == '.') {
            if (at_start) {
                return false;
            }
            at_start = true;
        } else if (g_ascii_isalnum(*key) || *key == '-' || *key == '_') {
            at_start = false;
        } else {
            return false;
        }
    }
    return !at_start;
}

/* Stores @value under a dotted @key, making the objects in between. */
static bool store(JsonObject *obj, const char *key, const char *value,
                  Error **errp)
{
    g_auto(GStrv) parts = NULL;
    JsonNode *node;
    char **p;

    if (!key_ok(key)) {
        error_setg(errp, "Invalid parameter '%s'", key);
        return false;
    }
    parts = g_strsplit(key, ".", -1);
    for (p = parts; p[1]; p++) {
        node = json_object_get_member(obj, *p);
        if (!node) {
            json_object_set_object_member(obj, *p, json_object_new());
            node = json_object_get_member(obj, *p);
        }
        if (!JSON_NODE_HOLDS_OBJECT(node)) {
            error_setg(errp, "Parameter '%s' is both a value and a group "
                       "(in '%s')", *p, key);
            return false;
        }
        obj = json_node_get_object(node);
    }
    node = json_object_get_member(obj, *p);
    if (node && JSON_NODE_HOLDS_OBJECT(node)) {
        error_setg(errp, "Parameter '%s' is both a value and a group", key);
        return false;
    }
    json_object_set_string_member(obj, *p, value);
    return true;
}

typedef bool StoreFn(JsonObject *obj, const char *key, const char *value,
                     Error **errp);

/* Stores @value under @key as it is. */
static bool store_flat(JsonObject *obj, const char *key, const char *value,
                       Error **errp)
{
    if (!key_ok(key)) {
        error_setg(errp, "Invalid parameter '%s'", key);
        return false;
    }
    json_object_set_string_member(obj, key, value);
    return true;
}

bool is_help(const char *arg)
{
    return g_str_equal(arg, "help") || g_str_equal(arg, "?");
}

/* One element of the list; *@p ends behind it. */
static bool take_element(JsonObject *obj, const char **p, StoreFn *store_fn,
                         const char *implied_key, bool *help, Error **errp)
{
    size_t n = strcspn(*p, "=,");
    g_autofree char *key = NULL;
    g_autofree char *value = NULL;

    if ((*p)[n] == '=') {
        key = g_strndup(*p, n);
        *p += n + 1;
        value = take_value(p);
        return store_fn(obj, key, value, errp);
    }
    value = take_value(p);
    if (is_help(value)) {
        if (!help) {
            error_setg(errp, "There is no help for this option");
            return false;
        }
        *help = true;
        return true;
    }
    if (implied_key) {
        return store_fn(obj, implied_key, value, errp);
    }
    if (g_str_has_prefix(value, "no") && value[2]) {
        return store_fn(obj, value + 2, "off", errp);
    }
    return store_fn(obj, value, "on", errp);
}

static JsonObject *parse_json_object(const char *str, Error **errp)
{
    g_autoptr(JsonNode) root = json_parse(str, errp);

    if (!root) {
        return NULL;
    }
    if (!JSON_NODE_HOLDS_OBJECT(root)) {
        error_setg(errp, "A JSON object is expected");
        return NULL;
    }
    return json_node_dup_object(root);
}

static JsonObject *parse_list(const char *str, StoreFn *store_fn,
                              const char *implied_key, bool *help,
                              Error **errp)
{
    g_autoptr(JsonObject) obj = json_object_new();
    const char *p = str;

    if (help) {
        *help = false;
    }
    while (*p) {
        if (!take_element(obj, &p, store_fn, p == str ? implied_key : NULL,
                          help, errp)) {
            return NULL;
        }
    }
    return g_steal_pointer(&obj);
}

JsonObject *keyval_parse(const char *str, const char *implied_key, bool *help,
                         Error **errp)
{
    if (str[0] == '{') {
        if (help) {
            *help = false;
        }
        return parse_json_object(str, errp);
    }
    return parse_list(str, store, implied_key, help, errp);
}

JsonObject *keyval_parse_flat(const char *str, const char *implied_key,
                              bool *help, Error **errp)
{
    return parse_list(str, store_flat, implied_key, help, errp);
}

/*
 * The text of a member that came as key=value, or NULL if it is of another
 * JSON type.
 */
static const char *node_text(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == G_TYPE_STRING ?
           json_node_get_string(node) : NULL;
}

static bool node_is(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

bool keyval_take_str(JsonObject *opts, const char *key, char **out,
                     Error **errp)
{
    JsonNode *node = json_object_get_member(opts, key);

    if (!node) {
        return true;
    }
    if (!node_text(node)) {
        error_setg(errp, "Parameter '%s' expects a string", key);
        return false;
    }
    g_free(*out);
    *out = g_strdup(node_text(node));
    json_object_remove_member(opts, key);
    return true;
}

bool keyval_take_bool(JsonObject *opts, const char *key, bool *out,
                      Error **errp)
{
    JsonNode *node = json_object_get_member(opts, key);

    if (!node) {
        return true;
    }
    if (node_is(node, G_TYPE_BOOLEAN)) {
        *out = json_node_get_boolean(node);
    } else {
        const char *text = node_text(node);

        if (!qemu_parse_bool(key, text ? text : "", out, errp)) {
            return false;
        }
    }
    json_object_remove_member(opts, key);
    return true;
}

bool keyval_take_uint(JsonObject *opts, const char *key, uint64_t max,
                      uint64_t *out, Error **errp)
{
    JsonNode *node = json_object_get_member(opts, key);
    g_autofree char *number = NULL;
    const char *text;

    if (!node) {
        return true;
    }
    text = node_text(node);
    if (node_is(node, G_TYPE_INT64)) {
        text = number = g_strdup_printf("%" PRId64,
                                        (int64_t)json_node_get_int(node));
    }
    if (!qemu_parse_uint(key, text ? text : "", max, out, errp)) {
        return false;
    }
    json_object_remove_member(opts, key);
    return true;
}

bool keyval_take_size(JsonObject *opts, const char *key,
                      uint64_t default_unit, uint64_t *out, Error **errp)
{
    JsonNode *node = json_object_get_member(opts, key);
    const char *text;

    if (!node) {
        return true;
    }
    if (node_is(node, G_TYPE_INT64)) {
        /* A JSON number has no unit to guess: bytes. */
        return keyval_take_uint(opts, key, UINT64_MAX, out, errp);
    }
    text = node_text(node);
    if (!qemu_parse_size(key, text ? text : "", default_unit, out, errp)) {
        return false;
    }
    json_object_remove_member(opts, key);
    return true;
}

bool keyval_check_empty(JsonObject *opts, const char *what,
                        const char *const *known, Error **errp)
{
    g_autoptr(GList) members = json_object_get_members(opts);
    const char *name, *near;

    if (!members) {
        return true;
    }
    name = members->data;
    near = known ? nearest_spelling(name, known) : NULL;
    if (near) {
        error_setg(errp, "Invalid parameter '%s' for %s; did you mean '%s'?",
                   name, what, near);
    } else {
        error_setg(errp, "Invalid parameter '%s' for %s", name, what);
        if (known) {
            g_autofree char *list = g_strjoinv(", ", (char **)known);

            error_append_hint(errp, "Its parameters are: %s\n", list);
        }
    }
    return false;
}
