/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Property values as JsonNodes: from the JSON type that fits, or from the
 * string that a command line gives, and back.
 *
 * json-glib has no unsigned integers: what exceeds INT64_MAX travels as a
 * decimal string, which the readers take like any other.
 */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "qom/object.h"

static bool is_value(JsonNode *node, GType type)
{
    return JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

/* The text of a string node, else NULL. */
static const char *node_text(JsonNode *node)
{
    return is_value(node, G_TYPE_STRING) ? json_node_get_string(node) : NULL;
}

bool json_node_to_bool(JsonNode *node, const char *name, bool *out,
                       Error **errp)
{
    const char *text = node_text(node);

    if (text) {
        return qemu_parse_bool(name, text, out, errp);
    }
    if (!is_value(node, G_TYPE_BOOLEAN)) {
        error_setg(errp, "Parameter '%s' expects a boolean", name);
        return false;
    }
    *out = json_node_get_boolean(node);
    return true;
}

bool json_node_to_int(JsonNode *node, const char *name, int64_t min,
                      int64_t max, int64_t *out, Error **errp)
{
    const char *text = node_text(node);
    int64_t v;

    if (text) {
        return qemu_parse_int(name, text, min, max, out, errp);
    }
    if (!is_value(node, G_TYPE_INT64)) {
        error_setg(errp, "Parameter '%s' expects an integer", name);
        return false;
    }
    v = json_node_get_int(node);
    if (v < min || v > max) {
        error_setg(errp, "Parameter '%s' expects a number from %" PRId64
                   " to %" PRId64, name, min, max);
        return false;
    }
    *out = v;
    return true;
}

bool json_node_to_uint(JsonNode *node, const char *name, uint64_t max,
                       uint64_t *out, Error **errp)
{
    const char *text = node_text(node);

    if (text) {
        return qemu_parse_uint(name, text, max, out, errp);
    }
    if (!is_value(node, G_TYPE_INT64)) {
        error_setg(errp, "Parameter '%s' expects an integer", name);
        return false;
    }
    if (json_node_get_int(node) < 0 || json_node_get_int(node) > max) {
        error_setg(errp, "Parameter '%s' expects a number from 0 to %"
                   PRIu64, name, max);
        return false;
    }
    *out = json_node_get_int(node);
    return true;
}

bool json_node_to_size(JsonNode *node, const char *name, uint64_t *out,
                       Error **errp)
{
    const char *text = node_text(node);

    if (text) {
        return qemu_parse_size(name, text, 1, out, errp);
    }
    if (!is_value(node, G_TYPE_INT64) || json_node_get_int(node) < 0) {
        error_setg(errp, "Parameter '%s' expects a size: bytes, or a string "
                   "with suffix k, M, G or T", name);
        return false;
    }
    *out = json_node_get_int(node);
    return true;
}

const char *json_node_to_str(JsonNode *node, const char *name, Error **errp)
{
    const char *text = node_text(node);

    if (!text) {
        error_setg(errp, "Parameter '%s' expects a string", name);
    }
    return text;
}

JsonNode *json_node_new_bool(bool v)
{
    return json_node_init_boolean(json_node_alloc(), v);
}

JsonNode *json_node_new_int(int64_t v)
{
    return json_node_init_int(json_node_alloc(), v);
}

JsonNode *json_node_new_uint(uint64_t v)
{
    g_autofree char *text = NULL;

    if (v <= INT64_MAX) {
        return json_node_new_int(v);
    }
    text = g_strdup_printf("%" PRIu64, v);
    return json_node_new_str(text);
}

JsonNode *json_node_new_str(const char *v)
{
    return json_node_init_string(json_node_alloc(), v);
}
