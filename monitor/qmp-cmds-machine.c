/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP about machines: which there are, and what the present one has of memory
 * and CPUs.  Nothing of it can be plugged while the guest runs, and the
 * answers say so.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/i386/cpu.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"

static JsonNode *query_target(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *target = json_object_new();

    json_object_set_string_member(target, "arch", "x86_64");
    return qmp_take_object(target);
}

static JsonNode *query_machines(JsonObject *args, Monitor *mon, Error **errp)
{
    g_autoptr(GSList) classes = object_class_get_list(TYPE_MACHINE, false);
    JsonArray *list = json_array_new();

    for (GSList *l = classes; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);
        JsonObject *m = json_object_new();

        json_object_set_string_member(m, "name", mc->name);
        if (mc->alias) {
            json_object_set_string_member(m, "alias", mc->alias);
        }
        if (mc->is_default) {
            json_object_set_boolean_member(m, "is-default", true);
        }
        json_object_set_int_member(m, "cpu-max", mc->max_cpus ?: 1);
        json_object_set_boolean_member(m, "hotpluggable-cpus", false);
        json_object_set_boolean_member(m, "numa-mem-supported", false);
        json_object_set_boolean_member(m, "deprecated", false);
        json_object_set_boolean_member(m, "acpi", !mc->no_cpus);
        if (!mc->no_cpus) {
            g_autofree char *cpu = g_strconcat(mc->default_cpu ?: "qemu64",
                                               X86_CPU_TYPE_SUFFIX, NULL);

            json_object_set_string_member(m, "default-cpu-type", cpu);
            json_object_set_string_member(m, "default-ram-id", "pc.ram");
        }
        json_array_add_object_element(list, m);
    }
    return qmp_take_array(list);
}

static JsonNode *query_current_machine(JsonObject *args, Monitor *mon,
                                       Error **errp)
{
    JsonObject *m = json_object_new();

    json_object_set_boolean_member(m, "wakeup-suspend-support", false);
    return qmp_take_object(m);
}

/* -- CPUs ---------------------------------------------------------------- */

static JsonObject *cpu_props(unsigned index)
{
    const MachineState *ms = current_machine;
    JsonObject *props = json_object_new();

    json_object_set_int_member(props, "socket-id", index /
        (ms->smp_dies * ms->smp_cores * ms->smp_threads));
    json_object_set_int_member(props, "die-id",
        index / (ms->smp_cores * ms->smp_threads) % ms->smp_dies);
    json_object_set_int_member(props, "core-id",
        index / ms->smp_threads % ms->smp_cores);
    json_object_set_int_member(props, "thread-id", index % ms->smp_threads);
    return props;
}

static JsonNode *query_cpus_fast(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonArray *list = json_array_new();
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        g_autofree char *path = object_get_canonical_path(OBJECT(cpu));
        JsonObject *c = json_object_new();

        json_object_set_int_member(c, "cpu-index", cpu->cpu_index);
        json_object_set_string_member(c, "qom-path", path ?: "");
        json_object_set_int_member(c, "thread-id", cpu->thread_id);
        json_object_set_object_member(c, "props", cpu_props(cpu->cpu_index));
        json_object_set_string_member(c, "target", "x86_64");
        json_array_add_object_element(list, c);
    }
    return qmp_take_array(list);
}

static JsonNode *query_hotpluggable_cpus(JsonObject *args, Monitor *mon,
                                         Error **errp)
{
    JsonArray *list = json_array_new();
    CPUState *cpu;

    if (!current_machine || QTAILQ_EMPTY(&cpus)) {
        json_array_unref(list);
        error_setg(errp, "machine does not support hot-plugging CPUs");
        return NULL;
    }
    CPU_FOREACH(cpu) {
        g_autofree char *path = object_get_canonical_path(OBJECT(cpu));
        JsonObject *c = json_object_new();

        json_object_set_string_member(c, "type",
                                      object_get_typename(OBJECT(cpu)));
        json_object_set_int_member(c, "vcpus-count", 1);
        json_object_set_object_member(c, "props", cpu_props(cpu->cpu_index));
        json_object_set_string_member(c, "qom-path", path ?: "");
        json_array_add_object_element(list, c);
    }
    return qmp_take_array(list);
}

/* -- Memory -------------------------------------------------------------- */

static JsonNode *query_memory_size(JsonObject *args, Monitor *mon,
                                   Error **errp)
{
    JsonObject *m = json_object_new();

    json_object_set_int_member(m, "base-memory",
                               current_machine ? current_machine->ram_size : 0);
    json_object_set_int_member(m, "plugged-memory", 0);
    return qmp_take_object(m);
}

static int add_memdev(Object *obj, void *opaque)
{
    HostMemoryBackend *backend =
        (HostMemoryBackend *)object_dynamic_cast(obj, TYPE_MEMORY_BACKEND);
    static const char *const flags[] = {
        "merge", "dump", "prealloc", "share", "reserve",
    };
    JsonObject *m;

    if (!backend) {
        return 0;
    }
    m = json_object_new();
    json_object_set_string_member(m, "id",
                                  object_get_canonical_path_component(obj));
    json_object_set_int_member(m, "size", backend->size);
    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        if (object_property_find(obj, flags[i])) {
            json_object_set_boolean_member(m, flags[i],
                object_property_get_bool(obj, flags[i], &error_abort));
        }
    }
    json_array_add_object_element(opaque, m);
    return 0;
}

static JsonNode *query_memdev(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonArray *list = json_array_new();

    object_child_foreach(object_get_objects_root(), add_memdev, list);
    return qmp_take_array(list);
}

/* -- Tables -------------------------------------------------------------- */

static const QMPCommand machine_commands[] = {
    { "query-target", NULL, "TargetInfo", query_target,
      "The architecture of the guest's processor." },
    { "query-machines", NULL, "[MachineInfo]", query_machines,
      "The machines that -machine can choose." },
    { "query-current-machine", NULL, "CurrentMachineParams",
      query_current_machine, "What the present machine can do." },
    { "query-cpus-fast", NULL, "[CpuInfoFast]", query_cpus_fast,
      "The guest's CPUs; the guest is not disturbed." },
    { "query-hotpluggable-cpus", NULL, "[HotpluggableCPU]",
      query_hotpluggable_cpus,
      "The places for CPUs; all are taken from the start." },
    { "query-memory-size-summary", NULL, "MemoryInfo", query_memory_size,
      "How much memory the guest has." },
    { "query-memdev", NULL, "[Memdev]", query_memdev, "Memory back ends." },
    { }
};
QMP_TABLE(commands, machine_commands)

static const QMPMember target_info[] = { { "arch", "str" }, { } };
static const QMPMember machine_info[] = {
    { "name", "str" },
    { "alias", "str", true },
    { "is-default", "bool", true },
    { "cpu-max", "int" },
    { "hotpluggable-cpus", "bool" },
    { "numa-mem-supported", "bool" },
    { "deprecated", "bool" },
    { "default-cpu-type", "str", true },
    { "default-ram-id", "str", true, "id of the memory back end that is made "
      "where none is named" },
    { "acpi", "bool" },
    { }
};
static const QMPMember current_machine_params[] = {
    { "wakeup-suspend-support", "bool" }, { }
};
static const QMPMember cpu_properties[] = {
    { "node-id", "int", true }, { "socket-id", "int", true },
    { "die-id", "int", true }, { "core-id", "int", true },
    { "thread-id", "int", true }, { }
};
static const QMPMember cpu_info_fast[] = {
    { "cpu-index", "int" }, { "qom-path", "str" },
    { "thread-id", "int", false, "of the host's thread that runs it" },
    { "props", "CpuInstanceProperties", true }, { "target", "str" }, { }
};
static const QMPMember hotpluggable_cpu[] = {
    { "type", "str" }, { "vcpus-count", "int" },
    { "props", "CpuInstanceProperties" }, { "qom-path", "str", true }, { }
};
static const QMPMember memory_info[] = {
    { "base-memory", "int", false, "bytes" },
    { "plugged-memory", "int", true }, { }
};
static const QMPMember memdev[] = {
    { "id", "str", true }, { "size", "int" }, { "merge", "bool", true },
    { "dump", "bool", true }, { "prealloc", "bool", true },
    { "share", "bool", true }, { "reserve", "bool", true }, { }
};
static const QMPType machine_types[] = {
    { "TargetInfo", NULL, target_info },
    { "MachineInfo", NULL, machine_info },
    { "CurrentMachineParams", NULL, current_machine_params },
    { "CpuInstanceProperties", NULL, cpu_properties },
    { "CpuInfoFast", NULL, cpu_info_fast },
    { "HotpluggableCPU", NULL, hotpluggable_cpu },
    { "MemoryInfo", NULL, memory_info },
    { "Memdev", NULL, memdev },
    { }
};
QMP_TABLE(types, machine_types)
