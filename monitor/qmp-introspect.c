/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables, told to programs (query-qmp-schema, in the form that QEMU's
 * documentation of introspection describes) and to people (-qmp help).
 * Members named "*" stand for any and are not in the schema; those named
 * "+VALUE" are its variants, by the first member.
 */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"

/* -- For programs -------------------------------------------------------- */

static const char *const builtins[][2] = {
    { "str", "string" }, { "int", "int" }, { "bool", "boolean" },
    { "number", "number" }, { "any", "value" }, { "null", "null" },
};
#define NO_MEMBERS "q_empty"

typedef struct Schema {
    JsonArray *list;
    GHashTable *arrays;         /* names of those in @list */
} Schema;

static JsonObject *new_entity(Schema *s, const char *meta, const char *name)
{
    JsonObject *e = json_object_new();

    json_object_set_string_member(e, "meta-type", meta);
    json_object_set_string_member(e, "name", name);
    json_array_add_object_element(s->list, e);
    return e;
}

/* A type that something refers to; lists come into being by that. */
static const char *refer(Schema *s, const char *type)
{
    if (type[0] == '[' && g_hash_table_add(s->arrays, (void *)type)) {
        g_autofree char *element = g_strndup(type + 1, strlen(type) - 2);

        json_object_set_string_member(new_entity(s, "array", type),
                                      "element-type", refer(s, element));
    }
    return type;
}

static void add_object(Schema *s, const char *name, const QMPMember *members)
{
    JsonArray *list = json_array_new(), *variants = json_array_new();
    JsonObject *e = new_entity(s, "object", name);

    json_object_set_array_member(e, "members", list);
    for (const QMPMember *m = members; m && m->name; m++) {
        JsonObject *member;

        if (!strcmp(m->name, "*")) {
            continue;
        }
        member = json_object_new();
        if (m->name[0] == '+') {
            json_object_set_string_member(member, "case", m->name + 1);
            json_object_set_string_member(member, "type", m->type);
            json_array_add_object_element(variants, member);
            continue;
        }
        json_object_set_string_member(member, "name", m->name);
        json_object_set_string_member(member, "type", refer(s, m->type));
        if (m->optional) {
            json_object_set_null_member(member, "default");
        }
        json_array_add_object_element(list, member);
    }
    if (json_array_get_length(variants)) {
        json_object_set_string_member(e, "tag", members->name);
        json_object_set_array_member(e, "variants", variants);
    } else {
        json_array_unref(variants);
    }
}

static void add_enum(Schema *s, const QMPType *type)
{
    JsonArray *members = json_array_new(), *values = json_array_new();
    JsonObject *e = new_entity(s, "enum", type->name);

    for (int i = 0; type->values[i]; i++) {
        JsonObject *member = json_object_new();

        json_object_set_string_member(member, "name", type->values[i]);
        json_array_add_object_element(members, member);
        json_array_add_string_element(values, type->values[i]);
    }
    json_object_set_array_member(e, "members", members);
    json_object_set_array_member(e, "values", values);
}

static void add_type(const QMPType *type, void *opaque)
{
    if (type->values) {
        add_enum(opaque, type);
    } else {
        add_object(opaque, type->name, type->members);
    }
}

/* The name of the type of a command's arguments or an event's data. */
static char *arg_type(Schema *s, const char *name, const QMPMember *members)
{
    char *type;

    if (!members) {
        return g_strdup(NO_MEMBERS);
    }
    type = g_strdup_printf("q_obj_%s-arg", name);
    add_object(s, type, members);
    return type;
}

static void add_command(const QMPCommand *cmd, void *opaque)
{
    Schema *s = opaque;
    g_autofree char *arg = arg_type(s, cmd->name, cmd->args);
    JsonObject *e = new_entity(s, "command", cmd->name);

    json_object_set_string_member(e, "arg-type", arg);
    json_object_set_string_member(e, "ret-type", cmd->returns
                                  ? refer(s, cmd->returns) : NO_MEMBERS);
    json_object_set_boolean_member(e, "allow-oob", false);
    if (cmd->features) {
        JsonArray *features = json_array_new();

        for (int i = 0; cmd->features[i]; i++) {
            json_array_add_string_element(features, cmd->features[i]);
        }
        json_object_set_array_member(e, "features", features);
    }
}

static void add_event(const QMPEvent *event, void *opaque)
{
    g_autofree char *arg = arg_type(opaque, event->name, event->data);

    json_object_set_string_member(new_entity(opaque, "event", event->name),
                                  "arg-type", arg);
}

static JsonNode *query_schema(JsonObject *args, Monitor *mon, Error **errp)
{
    Schema s = {
        json_array_new(), g_hash_table_new(g_str_hash, g_str_equal),
    };

    qmp_for_each_command(add_command, &s);
    qmp_for_each_event(add_event, &s);
    qmp_for_each_type(add_type, &s);
    for (unsigned i = 0; i < ARRAY_SIZE(builtins); i++) {
        json_object_set_string_member(
            new_entity(&s, "builtin", builtins[i][0]), "json-type",
            builtins[i][1]);
    }
    add_object(&s, NO_MEMBERS, NULL);
    g_hash_table_destroy(s.arrays);
    return qmp_take_array(s.list);
}

static const QMPCommand schema_commands[] = {
    { "query-qmp-schema", NULL, "[any]", query_schema,
      "Every command, event and type, for programs." },
    { }
};
QMP_TABLE(commands, schema_commands)

/* -- For people ---------------------------------------------------------- */

static void print_members(GString *out, const QMPMember *members)
{
    for (const QMPMember *m = members; m && m->name; m++) {
        if (m->name[0] == '+') {
            g_string_append_printf(out, "- if `%s` is `%s`: those of %s\n",
                                   members->name, m->name + 1, m->type);
            continue;
        }
        g_string_append_printf(out, "- `%s`: %s%s%s%s\n",
                               strcmp(m->name, "*") ? m->name : "...", m->type,
                               m->optional ? ", optional" : "",
                               m->doc ? " -- " : "", m->doc ?: "");
    }
    if (members) {
        g_string_append_c(out, '\n');
    }
}

static void print_command(const QMPCommand *cmd, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "### %s\n\n%s", cmd->name, cmd->doc);
    if (cmd->returns) {
        g_string_append_printf(out, " Returns %s.", cmd->returns);
    }
    g_string_append(out, "\n\n");
    print_members(out, cmd->args);
}

static void print_event(const QMPEvent *event, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "### %s\n\n%s\n\n", event->name, event->doc);
    print_members(out, event->data);
}

static void print_type(const QMPType *type, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "### %s\n\n%s%s", type->name, type->doc ?: "",
                           type->doc ? "\n\n" : "");
    if (type->values) {
        g_string_append(out, "One of");
        for (int i = 0; type->values[i]; i++) {
            g_string_append_printf(out, "%s `%s`", i ? "," : "",
                                   type->values[i]);
        }
        g_string_append(out, ".\n\n");
    }
    print_members(out, type->members);
}

char *qmp_reference(void)
{
    GString *out = g_string_new(
        "# QMP reference\n\n"
        "What `-qmp help` prints. Types: str, int, bool, number, any; [T] is "
        "a list of T.\n\n## Commands\n\n");

    qmp_for_each_command(print_command, out);
    g_string_append(out, "## Events\n\n");
    qmp_for_each_event(print_event, out);
    g_string_append(out, "## Types\n\n");
    qmp_for_each_type(print_type, out);
    g_string_truncate(out, out->len - 1);
    return g_string_free(out, false);
}
