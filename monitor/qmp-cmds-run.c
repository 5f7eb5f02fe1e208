/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP: the session itself, the run state, devices and objects. */
#include "qemu/osdep.h"
#include "hw/qdev-core.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "system/system.h"

static JsonNode *qmp_capabilities(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonArray *enable = args && json_object_has_member(args, "enable")
        ? json_object_get_array_member(args, "enable") : NULL;

    if (enable && json_array_get_length(enable)) {
        error_setg(errp, "Capability '%s' is not available",
                   json_array_get_string_element(enable, 0));
    }
    return NULL;
}

static JsonNode *query_version(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *version = json_object_new(), *qemu = json_object_new();
    g_auto(GStrv) part = g_strsplit(QEMU_COMPAT_VERSION, ".", 3);
    static const char *const names[] = { "major", "minor", "micro" };

    for (int i = 0; i < 3; i++) {
        json_object_set_int_member(qemu, names[i], atoi(part[i]));
    }
    json_object_set_object_member(version, "qemu", qemu);
    json_object_set_string_member(version, "package",
                                  "mpqemu " QEMU_VERSION);
    return qmp_take_object(version);
}

static JsonNode *query_status(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *status = json_object_new();

    json_object_set_string_member(status, "status",
                                  RunState_str(runstate_get()));
    json_object_set_boolean_member(status, "running", runstate_is_running());
    json_object_set_boolean_member(status, "singlestep", false);
    return qmp_take_object(status);
}

static JsonNode *query_name(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *name = json_object_new();

    if (qemu_name) {
        json_object_set_string_member(name, "name", qemu_name);
    }
    return qmp_take_object(name);
}

static JsonNode *query_uuid(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *uuid = json_object_new();

    json_object_set_string_member(uuid, "UUID", qemu_uuid ?:
                                  "00000000-0000-0000-0000-000000000000");
    return qmp_take_object(uuid);
}

static JsonNode *query_kvm(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *kvm = json_object_new();

    json_object_set_boolean_member(kvm, "enabled", kvm_enabled());
    json_object_set_boolean_member(kvm, "present",
                                   access("/dev/kvm", F_OK) == 0);
    return qmp_take_object(kvm);
}

static void add_command_name(const QMPCommand *cmd, void *opaque)
{
    JsonObject *entry = json_object_new();

    json_object_set_string_member(entry, "name", cmd->name);
    json_array_add_object_element(opaque, entry);
}

static JsonNode *query_commands(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonArray *list = json_array_new();

    qmp_for_each_command(add_command_name, list);
    return qmp_take_array(list);
}

static JsonNode *qmp_stop(JsonObject *args, Monitor *mon, Error **errp)
{
    vm_stop(RUN_STATE_PAUSED);
    return NULL;
}

static JsonNode *qmp_cont(JsonObject *args, Monitor *mon, Error **errp)
{
    if (runstate_needs_reset()) {
        error_setg(errp, "Resetting the Virtual Machine is required");
        return NULL;
    }
    vm_start();
    return NULL;
}

static JsonNode *qmp_quit(JsonObject *args, Monitor *mon, Error **errp)
{
    shutdown_action = SHUTDOWN_ACTION_POWEROFF;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return NULL;
}

static JsonNode *qmp_system_reset(JsonObject *args, Monitor *mon, Error **errp)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return NULL;
}

static JsonNode *qmp_system_powerdown(JsonObject *args, Monitor *mon,
                                      Error **errp)
{
    qemu_system_powerdown_request();
    return NULL;
}

static JsonNode *qmp_device_add(JsonObject *args, Monitor *mon, Error **errp)
{
    qdev_device_add(args, errp);
    return NULL;
}

static JsonNode *qmp_device_del(JsonObject *args, Monitor *mon, Error **errp)
{
    const char *id = qmp_str(args, "id");
    DeviceState *dev = qdev_find_by_id(id);

    if (!dev) {
        error_set(errp, ERROR_CLASS_DEVICE_NOT_FOUND, "Device '%s' not found",
                  id);
        return NULL;
    }
    qdev_unplug(dev, errp);
    return NULL;
}

static JsonNode *qmp_object_add(JsonObject *args, Monitor *mon, Error **errp)
{
    user_creatable_add(args, errp);
    return NULL;
}

static JsonNode *qmp_object_del(JsonObject *args, Monitor *mon, Error **errp)
{
    user_creatable_del(qmp_str(args, "id"), errp);
    return NULL;
}

static JsonNode *qmp_hmp(JsonObject *args, Monitor *mon, Error **errp)
{
    g_autofree char *out = hmp_run(qmp_str(args, "command-line"));

    return json_node_init_string(json_node_alloc(), out);
}

static const QMPMember capabilities_args[] = {
    { "enable", "[str]", true, "capabilities to use; there are none" }, { }
};
static const QMPMember id_args[] = { { "id", "str" }, { } };
static const QMPMember hmp_args[] = {
    { "command-line", "str" }, { "cpu-index", "int", true }, { }
};
static const QMPMember device_add_args[] = {
    { "driver", "str" }, { "bus", "str", true }, { "id", "str", true },
    { "*", "any", true, "properties of the device" }, { }
};
static const QMPMember object_add_args[] = {
    { "qom-type", "str" }, { "id", "str" },
    { "*", "any", true, "properties of the object" }, { }
};

static const char *const device_add_features[] = {
    "json-cli", "json-cli-hotplug", NULL
};

static const QMPCommand run_commands[] = {
    { "qmp_capabilities", capabilities_args, NULL, qmp_capabilities,
      "Ends the negotiation, after which every command may be used.", true },
    { "query-version", NULL, "VersionInfo", query_version,
      "Version of the program." },
    { "query-status", NULL, "StatusInfo", query_status,
      "Whether the guest runs, and why not." },
    { "query-name", NULL, "NameInfo", query_name, "The guest's name." },
    { "query-uuid", NULL, "UuidInfo", query_uuid, "The guest's UUID." },
    { "query-kvm", NULL, "KvmInfo", query_kvm, "Whether KVM is used." },
    { "query-commands", NULL, "[CommandInfo]", query_commands,
      "The names of all commands." },
    { "stop", NULL, NULL, qmp_stop, "Stops the guest's CPUs." },
    { "cont", NULL, NULL, qmp_cont, "Lets them go on." },
    { "quit", NULL, NULL, qmp_quit, "Ends the program." },
    { "system_reset", NULL, NULL, qmp_system_reset, "Resets the machine." },
    { "system_powerdown", NULL, NULL, qmp_system_powerdown,
      "Presses the power button." },
    { "device_add", device_add_args, NULL, qmp_device_add, "Plugs a device.",
      .features = device_add_features },
    { "device_del", id_args, NULL, qmp_device_del,
      "Asks the guest to release a device; DEVICE_DELETED follows." },
    { "object-add", object_add_args, NULL, qmp_object_add,
      "Makes an object." },
    { "object-del", id_args, NULL, qmp_object_del, "Removes an object." },
    { "human-monitor-command", hmp_args, "str", qmp_hmp,
      "Runs a line of the human monitor." },
    { }
};
QMP_TABLE(commands, run_commands)

static const QMPMember version_triple[] = {
    { "major", "int" }, { "minor", "int" }, { "micro", "int" }, { }
};
static const QMPMember version_info[] = {
    { "qemu", "VersionTriple" }, { "package", "str" }, { }
};
static const QMPMember status_info[] = {
    { "status", "str" }, { "running", "bool" }, { "singlestep", "bool" }, { }
};
static const QMPMember name_info[] = { { "name", "str", true }, { } };
static const QMPMember uuid_info[] = { { "UUID", "str" }, { } };
static const QMPMember kvm_info[] = {
    { "enabled", "bool" }, { "present", "bool" }, { }
};
static const QMPMember command_info[] = { { "name", "str" }, { } };

static const QMPType run_types[] = {
    { "VersionTriple", NULL, version_triple },
    { "VersionInfo", NULL, version_info },
    { "StatusInfo", NULL, status_info },
    { "NameInfo", NULL, name_info },
    { "UuidInfo", NULL, uuid_info },
    { "KvmInfo", NULL, kvm_info },
    { "CommandInfo", NULL, command_info },
    { }
};
QMP_TABLE(types, run_types)
