/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP about what this program has not: management asks for it all the same,
 * and gets the answer that QEMU gives when a machine has none of it.
 */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"

static JsonNode *empty_list(JsonObject *args, Monitor *mon, Error **errp)
{
    return qmp_take_array(json_array_new());
}

static JsonNode *no_migration(JsonObject *args, Monitor *mon, Error **errp)
{
    return NULL;
}

/* Whether MIGRATION events are wanted: libvirt starts no machine that would not
 * take this wish. */
static bool migration_events;

static JsonNode *query_migrate_capabilities(JsonObject *args, Monitor *mon,
                                            Error **errp)
{
    JsonArray *list = json_array_new();
    JsonObject *events = json_object_new();

    json_object_set_string_member(events, "capability", "events");
    json_object_set_boolean_member(events, "state", migration_events);
    json_array_add_object_element(list, events);
    return qmp_take_array(list);
}

static JsonNode *migrate_set_capabilities(JsonObject *args, Monitor *mon,
                                          Error **errp)
{
    JsonArray *list = json_object_get_array_member(args, "capabilities");

    for (guint i = 0; i < json_array_get_length(list); i++) {
        migration_events = json_object_get_boolean_member(
            json_array_get_object_element(list, i), "state");
    }
    return NULL;
}

static JsonNode *no_balloon(JsonObject *args, Monitor *mon, Error **errp)
{
    error_set(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE,
              "No balloon device has been activated");
    return NULL;
}

static JsonNode *no_vnc(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonObject *vnc = json_object_new();

    json_object_set_boolean_member(vnc, "enabled", false);
    return qmp_take_object(vnc);
}

static JsonNode *no_display(JsonObject *args, Monitor *mon, Error **errp)
{
    const char *protocol = qmp_str(args, "protocol");

    error_set(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE, "%s is not in use",
              !g_strcmp0(protocol, "spice") ? "SPICE" : "VNC");
    return NULL;
}

static JsonNode *rx_filter(JsonObject *args, Monitor *mon, Error **errp)
{
    const char *name = qmp_str(args, "name");

    if (name) {
        error_setg(errp, "invalid net client name: %s", name);
        return NULL;
    }
    return empty_list(args, mon, errp);
}

static const char *const protocols[] = { "vnc", "spice", NULL };
static const QMPMember vnc_info[] = { { "enabled", "bool" }, { } };
static const char *const migration_capabilities[] = { "events", NULL };
static const QMPMember capability_status[] = {
    { "capability", "MigrationCapability" }, { "state", "bool" }, { }
};
static const QMPMember none[] = { { } };
static const QMPType absent_types[] = {
    { "DisplayProtocol", protocols },
    { "VncInfo", NULL, vnc_info },
    { "MigrationInfo", NULL, none, "Empty: there has been no migration." },
    { "MigrationCapability", migration_capabilities },
    { "MigrationCapabilityStatus", NULL, capability_status },
    { "BalloonInfo", NULL, none },
    { }
};
QMP_TABLE(types, absent_types)

static const QMPMember capabilities_args[] = {
    { "capabilities", "[MigrationCapabilityStatus]" }, { }
};
static const QMPMember balloon_args[] = { { "value", "int" }, { } };
static const QMPMember password_args[] = {
    { "protocol", "DisplayProtocol" }, { "password", "str" },
    { "connected", "str", true }, { "display", "str", true }, { }
};
static const QMPMember expire_args[] = {
    { "protocol", "DisplayProtocol" }, { "time", "str" },
    { "display", "str", true }, { }
};
static const QMPMember change_args[] = { { "password", "str" }, { } };
static const QMPMember rx_args[] = { { "name", "str", true }, { } };

static const QMPCommand absent_commands[] = {
    { "query-iothreads", NULL, "[any]", empty_list,
      "Threads for I/O that -object makes: none." },
    { "query-memory-devices", NULL, "[any]", empty_list,
      "Plugged memory: none." },
    { "query-block-jobs", NULL, "[any]", empty_list, "Block jobs: none." },
    { "query-jobs", NULL, "[any]", empty_list, "Jobs: none." },
    { "query-tpm", NULL, "[any]", empty_list, "TPM devices: none." },
    { "query-tpm-models", NULL, "[str]", empty_list,
      "Models of TPM devices: none." },
    { "query-tpm-types", NULL, "[str]", empty_list,
      "Back ends of TPM devices: none." },
    { "query-vnc-servers", NULL, "[any]", empty_list, "VNC servers: none." },
    { "query-rx-filter", rx_args, "[any]", rx_filter,
      "Receive filters of network cards: none." },
    { "query-migrate", NULL, "MigrationInfo", no_migration,
      "The state of a migration: none." },
    { "query-migrate-capabilities", NULL, "[MigrationCapabilityStatus]",
      query_migrate_capabilities, "What migration can do: nearly nothing." },
    { "migrate-set-capabilities", capabilities_args, NULL,
      migrate_set_capabilities, "Chooses among that." },
    { "query-balloon", NULL, "BalloonInfo", no_balloon,
      "Fails: there is no balloon." },
    { "balloon", balloon_args, NULL, no_balloon,
      "Fails: there is no balloon." },
    { "query-vnc", NULL, "VncInfo", no_vnc, "The VNC server: not there." },
    { "set_password", password_args, NULL, no_display,
      "Fails: there is no remote display." },
    { "expire_password", expire_args, NULL, no_display,
      "Fails: there is no remote display." },
    { "change-vnc-password", change_args, NULL, no_display,
      "Fails: there is no remote display." },
    { }
};
QMP_TABLE(commands, absent_commands)
