/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a request to its answer; the checks that every command shares. */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"
#include "qemu/option.h"

static GHashTable *commands;    /* name -> QMPCommand */

void qmp_register_commands(const QMPCommand *table)
{
    if (!commands) {
        commands = g_hash_table_new(g_str_hash, g_str_equal);
    }
    for (; table->name; table++) {
        g_hash_table_insert(commands, (void *)table->name, (void *)table);
    }
}

const QMPCommand *qmp_find_command(const char *name)
{
    return g_hash_table_lookup(commands, name);
}

void qmp_for_each_command(void (*fn)(const QMPCommand *cmd, void *opaque),
                          void *opaque)
{
    GList *names = g_list_sort(g_hash_table_get_keys(commands),
                               (GCompareFunc)strcmp);

    for (GList *l = names; l; l = l->next) {
        fn(qmp_find_command(l->data), opaque);
    }
    g_list_free(names);
}

const char *qmp_str(JsonObject *args, const char *name)
{
    return args ? json_object_get_string_member_with_default(args, name, NULL)
                : NULL;
}

JsonNode *qmp_take_object(JsonObject *obj)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, obj);
    return node;
}

JsonNode *qmp_take_array(JsonArray *list)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, list);
    return node;
}

JsonNode *qmp_greeting(void)
{
    JsonObject *greeting = json_object_new(), *qmp = json_object_new();
    const QMPCommand *version = qmp_find_command("query-version");

    json_object_set_member(qmp, "version",
                           version->handler(NULL, NULL, &error_abort));
    json_object_set_array_member(qmp, "capabilities", json_array_new());
    json_object_set_object_member(greeting, "QMP", qmp);
    return qmp_take_object(greeting);
}

JsonNode *qmp_error_answer(JsonNode *id, const Error *err)
{
    JsonObject *answer = json_object_new(), *error = json_object_new();

    json_object_set_string_member(error, "class",
                                  ErrorClass_str(error_get_class(err)));
    json_object_set_string_member(error, "desc", error_get_pretty(err));
    json_object_set_object_member(answer, "error", error);
    if (id) {
        json_object_set_member(answer, "id", json_node_copy(id));
    }
    return qmp_take_object(answer);
}

static JsonNode *run(JsonObject *request, Monitor *mon, bool *ready,
                     Error **errp)
{
    const char *name = NULL;
    JsonObject *args = NULL;
    const QMPCommand *cmd;
    g_autoptr(GList) members = json_object_get_members(request);

    for (GList *l = members; l; l = l->next) {
        JsonNode *value = json_object_get_member(request, l->data);

        if (!strcmp(l->data, "execute")) {
            if (json_node_get_value_type(value) != G_TYPE_STRING) {
                error_setg(errp, "QMP input member 'execute' must be a "
                           "string");
                return NULL;
            }
            name = json_node_get_string(value);
        } else if (!strcmp(l->data, "arguments")) {
            if (!JSON_NODE_HOLDS_OBJECT(value)) {
                error_setg(errp, "QMP input member 'arguments' must be an "
                           "object");
                return NULL;
            }
            args = json_node_get_object(value);
        } else if (strcmp(l->data, "id")) {
            error_setg(errp, "QMP input member '%s' is unexpected",
                       (char *)l->data);
            return NULL;
        }
    }
    if (!name) {
        error_setg(errp, "QMP input lacks member 'execute'");
        return NULL;
    }
    cmd = qmp_find_command(name);
    if (!cmd) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND,
                  "The command %s has not been found", name);
        return NULL;
    }
    if (*ready == cmd->before_capabilities) {
        error_set(errp, ERROR_CLASS_COMMAND_NOT_FOUND, *ready
                  ? "Capabilities negotiation is already complete, command "
                    "ignored" : "Expecting capabilities negotiation with "
                    "'qmp_capabilities'");
        return NULL;
    }
    if (!qmp_check_args(cmd, args, errp)) {
        return NULL;
    }
    return cmd->handler(args, mon, errp);
}

JsonNode *qmp_dispatch(JsonNode *request, Monitor *mon, bool *ready)
{
    g_autoptr(Error) err = NULL;
    JsonNode *id = NULL, *result = NULL;
    JsonObject *answer;

    if (!JSON_NODE_HOLDS_OBJECT(request)) {
        error_setg(&err, "QMP input must be a JSON object");
        return qmp_error_answer(NULL, err);
    }
    id = json_object_get_member(json_node_get_object(request), "id");
    result = run(json_node_get_object(request), mon, ready, &err);
    if (err) {
        if (result) {
            json_node_unref(result);
        }
        return qmp_error_answer(id, err);
    }
    if (!g_strcmp0(qmp_str(json_node_get_object(request), "execute"),
                   "qmp_capabilities")) {
        *ready = true;
    }
    answer = json_object_new();
    json_object_set_member(answer, "return",
                           result ?: qmp_take_object(json_object_new()));
    if (id) {
        json_object_set_member(answer, "id", json_node_copy(id));
    }
    return qmp_take_object(answer);
}
