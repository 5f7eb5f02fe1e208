/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-command-line-options: the options by the names of upstream's option
 * groups, and of each the keys that its syntax line shows.
 */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "options.h"

/* "[size=]SIZE[,slots=N]" has the keys size and slots. */
static JsonArray *keys_of(const char *syntax)
{
    JsonArray *list = json_array_new();
    const char *start = syntax;

    for (const char *p = syntax; p && *p; p++) {
        if (g_ascii_islower(*p) || (p > start && strchr("-_.", *p))) {
            continue;
        }
        if (*p == '=' && p > start) {
            g_autofree char *name = g_strndup(start, p - start);
            JsonObject *key = json_object_new();

            json_object_set_string_member(key, "name", name);
            json_object_set_string_member(key, "type", "string");
            json_array_add_object_element(list, key);
        }
        start = p + 1;
    }
    return list;
}

static JsonNode *query_options(JsonObject *args, Monitor *mon, Error **errp)
{
    const char *wanted = args ? json_object_get_string_member_with_default(
        args, "option", NULL) : NULL;
    JsonArray *list = json_array_new();

    for (int t = 0; option_topics[t]; t++) {
        for (const QEMUOption *o = option_topics[t]->options; o->name; o++) {
            const char *name = options_group_of(o->name);
            JsonObject *entry;

            if (wanted && strcmp(wanted, name)) {
                continue;
            }
            entry = json_object_new();
            json_object_set_string_member(entry, "option", name);
            json_object_set_array_member(entry, "parameters",
                                         keys_of(o->syntax));
            json_array_add_object_element(list, entry);
        }
    }
    if (wanted && !json_array_get_length(list)) {
        json_array_unref(list);
        error_setg(errp, "invalid option name: %s", wanted);
        return NULL;
    }
    return qmp_take_array(list);
}

static const QMPMember option_args[] = { { "option", "str", true }, { } };
static const QMPMember key_info[] = {
    { "name", "str" }, { "type", "str" }, { }
};
static const QMPMember option_info[] = {
    { "option", "str" }, { "parameters", "[CommandLineParameterInfo]" }, { }
};
static const QMPType option_types[] = {
    { "CommandLineParameterInfo", NULL, key_info },
    { "CommandLineOptionInfo", NULL, option_info },
    { }
};
QMP_TABLE(types, option_types)

static const QMPCommand option_commands[] = {
    { "query-command-line-options", option_args, "[CommandLineOptionInfo]",
      query_options, "The options of the command line and their keys." },
    { }
};
QMP_TABLE(commands, option_commands)
