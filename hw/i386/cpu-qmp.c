/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP about CPU models: which there are, whether this host runs them, and what
 * a model with some properties stands for.
 *
 * A static expansion is in terms of "base", which has no features; a full one
 * keeps the name.  Both list every property.
 */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "qemu/option.h"
#include "system/kvm.h"
#include "cpu-internal.h"

static const struct kvm_cpuid2 *supported(void)
{
    return kvm_enabled() ? kvm_get_supported_cpuid() : NULL;
}

/* The configuration of a model here; what KVM lacks is in cfg->filtered. */
static bool config_here(X86CPUConfig *cfg, Error **errp)
{
    cfg->check = cfg->enforce = false;
    return !supported() || x86_cpu_config_filter(cfg, supported(), errp);
}

static JsonNode *query_cpu_definitions(JsonObject *args, Monitor *mon,
                                       Error **errp)
{
    JsonArray *list = json_array_new();

    for (const X86CPUModel *m = x86_cpu_models; m->name; m++) {
        g_autofree char *type = g_strconcat(m->name, X86_CPU_TYPE_SUFFIX,
                                            NULL);
        JsonObject *def = json_object_new();
        X86CPUConfig cfg;

        json_object_set_string_member(def, "name", m->name);
        json_object_set_string_member(def, "typename", type);
        json_object_set_boolean_member(def, "migration-safe", !m->host);
        json_object_set_boolean_member(def, "static",
                                       !strcmp(m->name, "base"));
        json_object_set_boolean_member(def, "deprecated", false);
        if (x86_cpu_config_parse(&cfg, m->name, supported(), NULL) &&
            config_here(&cfg, NULL)) {
            json_object_set_member(def, "unavailable-features",
                                   x86_cpu_config_unavailable(&cfg));
        }
        json_array_add_object_element(list, def);
    }
    return qmp_take_array(list);
}

static bool set_props(X86CPUConfig *cfg, JsonObject *props, Error **errp)
{
    g_autoptr(GList) names = props ? json_object_get_members(props) : NULL;

    for (GList *l = names; l; l = l->next) {
        JsonNode *value = json_object_get_member(props, l->data);
        g_autofree char *text = NULL;

        if (!JSON_NODE_HOLDS_VALUE(value)) {
            error_setg(errp, "Invalid parameter type for 'model.props.%s', "
                       "expected: a number, a string or a boolean",
                       (char *)l->data);
            return false;
        }
        if (json_node_get_value_type(value) == G_TYPE_STRING) {
            text = json_node_dup_string(value);
        } else {
            text = json_text(value, false);     /* a boolean: "true" */
        }
        if (!x86_cpu_config_set(cfg, l->data, text, errp)) {
            return false;
        }
    }
    return true;
}

typedef struct Expansion {
    const X86CPUConfig *cfg;
    JsonObject *props;
} Expansion;

static void add_prop(const char *name, const char *type, void *opaque)
{
    /* How a model is checked, not what it is. */
    static const char *const of_the_start[] = { "check", "enforce", NULL };
    Expansion *e = opaque;

    if (!g_strv_contains(of_the_start, name)) {
        json_object_set_member(e->props, name,
                               x86_cpu_config_get(e->cfg, name));
    }
}

static JsonNode *query_expansion(JsonObject *args, Monitor *mon, Error **errp)
{
    bool full = !strcmp(json_object_get_string_member(args, "type"), "full");
    JsonObject *model = json_object_get_object_member(args, "model");
    const char *name = json_object_get_string_member(model, "name");
    JsonObject *given = json_object_has_member(model, "props")
        ? json_object_get_object_member(model, "props") : NULL;
    JsonObject *result, *expanded;
    X86CPUConfig cfg;
    Expansion e;

    if (strchr(name, ',')) {
        error_setg(errp, "'%s' is not the name of a CPU model", name);
        return NULL;
    }
    if (!x86_cpu_config_parse(&cfg, name, supported(), errp) ||
        !set_props(&cfg, given, errp) || !config_here(&cfg, errp)) {
        return NULL;
    }
    e = (Expansion){ &cfg, json_object_new() };
    x86_cpu_config_foreach(add_prop, &e);
    expanded = json_object_new();
    json_object_set_string_member(expanded, "name", full ? name : "base");
    json_object_set_object_member(expanded, "props", e.props);
    result = json_object_new();
    json_object_set_object_member(result, "model", expanded);
    return qmp_take_object(result);
}

static const char *const expansion_types[] = { "static", "full", NULL };
static const QMPMember model_info[] = {
    { "name", "str" }, { "props", "any", true, "an object" }, { }
};
static const QMPMember expansion_info[] = {
    { "model", "CpuModelInfo" }, { }
};
static const QMPMember definition_info[] = {
    { "name", "str" },
    { "migration-safe", "bool", true },
    { "static", "bool", false, "whether it is the same on every host" },
    { "unavailable-features", "[str]", true, "what this host lacks of it" },
    { "typename", "str" },
    { "alias-of", "str", true },
    { "deprecated", "bool" },
    { }
};
static const QMPType cpu_model_types[] = {
    { "CpuModelExpansionType", expansion_types },
    { "CpuModelInfo", NULL, model_info },
    { "CpuModelExpansionInfo", NULL, expansion_info },
    { "CpuDefinitionInfo", NULL, definition_info },
    { }
};
QMP_TABLE(types, cpu_model_types)

static const QMPMember expansion_args[] = {
    { "type", "CpuModelExpansionType" }, { "model", "CpuModelInfo" }, { }
};
static const QMPCommand cpu_model_commands[] = {
    { "query-cpu-definitions", NULL, "[CpuDefinitionInfo]",
      query_cpu_definitions, "The CPU models that -cpu can choose." },
    { "query-cpu-model-expansion", expansion_args, "CpuModelExpansionInfo",
      query_expansion, "What a CPU model with some properties stands for." },
    { }
};
QMP_TABLE(commands, cpu_model_commands)
