/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each link has counted: x-query-remote and `info remote`, at either end.
 */
#include "qemu/osdep.h"
#include "hw/remote/proxy.h"
#include "hw/remote/remote-obj.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"

/* Interrupts pass a proxy by, from the irqfd to KVM: there is nothing to count. */
static void remove_interrupts(JsonObject *link)
{
    json_object_remove_member(link, "raised");
    json_object_remove_member(link, "resampled");
    json_object_remove_member(link, "reraised");
}

/* Members that both ends have. */
static JsonObject *describe(const char *role, const char *id, pid_t peer,
                            const char *state, const LinkStats *stats)
{
    JsonObject *link = link_stats_to_json(stats);

    json_object_set_string_member(link, "role", role);
    json_object_set_string_member(link, "id", id ?: "");
    json_object_set_string_member(link, "state", state);
    json_object_set_int_member(link, "peer-pid", peer);
    return link;
}

static const char *remote_state(const RemoteObject *o)
{
    return o->running ? "connected" : o->listen_fd >= 0 ? "listening"
                                                         : "closed";
}

static int add_link(Object *obj, void *opaque)
{
    JsonArray *list = opaque;

    if (object_dynamic_cast(obj, TYPE_PCI_PROXY_DEV)) {
        PCIProxyDev *dev = PCI_PROXY_DEV(obj);
        JsonObject *link;

        if (!dev->link) {
            return 0;
        }
        link = describe("proxy", qdev_get_printable_name(DEVICE(dev)),
                        dev->link->peer_pid,
                        proxy_link_is_dead(dev->link) ? "gone" : "connected",
                        &dev->link->stats);
        remove_interrupts(link);
        json_object_set_int_member(link, "gsi", dev->gsi);
        json_array_add_object_element(list, link);
    } else if (object_dynamic_cast(obj, TYPE_REMOTE_OBJECT)) {
        RemoteObject *o = REMOTE_OBJECT(obj);
        JsonObject *link = describe("remote", o->devid, o->link.peer_pid,
                                    remote_state(o), &o->link.stats);

        json_array_add_object_element(list, link);
    }
    return 0;
}

static JsonArray *all_links(void)
{
    JsonArray *list = json_array_new();

    object_child_foreach_recursive(object_get_root(), add_link, list);
    return list;
}

static JsonNode *query_remote(JsonObject *args, Monitor *mon, Error **errp)
{
    return qmp_take_array(all_links());
}

static void print_link(GString *out, JsonObject *link)
{
    g_string_append_printf(out, "%s (%s): %s, connected by pid %" G_GINT64_FORMAT,
        json_object_get_string_member(link, "id"),
        json_object_get_string_member(link, "role"),
        json_object_get_string_member(link, "state"),
        json_object_get_int_member(link, "peer-pid"));
    if (json_object_has_member(link, "gsi")) {
        g_string_append_printf(out, ", gsi %" G_GINT64_FORMAT,
                               json_object_get_int_member(link, "gsi"));
    }
    g_string_append(out, "\n    ");
    if (json_object_has_member(link, "raised")) {
        g_string_append_printf(out, "interrupts raised %" G_GINT64_FORMAT
            ", resampled %" G_GINT64_FORMAT ", raised again %"
            G_GINT64_FORMAT "; ",
            json_object_get_int_member(link, "raised"),
            json_object_get_int_member(link, "resampled"),
            json_object_get_int_member(link, "reraised"));
    }
    g_string_append_printf(out, "memory tables %" G_GINT64_FORMAT
        ", accesses by the mailbox %" G_GINT64_FORMAT "\n",
        json_object_get_int_member(link, "memory-tables"),
        json_object_get_int_member(link, "by-mailbox"));
    for (int kind = 0; kind < LINK_ACCESS_MAX; kind++) {
        JsonObject *access =
            json_object_get_object_member(link, link_access_name(kind));

        g_string_append_printf(out, "    %-13s %10" G_GINT64_FORMAT
            "   half below %" G_GINT64_FORMAT " ns, 99 %% below %"
            G_GINT64_FORMAT " ns\n", link_access_name(kind),
            json_object_get_int_member(access, "count"),
            json_object_get_int_member(access, "p50-ns"),
            json_object_get_int_member(access, "p99-ns"));
    }
}

static void hmp_info_remote(GString *out, const char *arg)
{
    JsonArray *list = all_links();

    for (guint i = 0; i < json_array_get_length(list); i++) {
        print_link(out, json_array_get_object_element(list, i));
    }
    if (!json_array_get_length(list)) {
        g_string_append(out, "no links\n");
    }
    json_array_unref(list);
}

static const QMPMember access_info[] = {
    { "count", "int" }, { "p50-ns", "int" }, { "p99-ns", "int" }, { }
};
static const QMPMember remote_info[] = {
    { "role", "str", false, "'proxy' or 'remote'" },
    { "id", "str", false, "of the device" },
    { "state", "str", false, "'connected', 'gone', 'listening' or 'closed'" },
    { "peer-pid", "int", false, "process that made the connection; 0: unknown" },
    { "gsi", "int", true, "where interrupts are delivered; -1: nowhere" },
    { "raised", "int", true, "signals of the irqfd (remote)" },
    { "resampled", "int", true, "ends of interrupt seen (remote)" },
    { "reraised", "int", true, "of those, with the level high (remote)" },
    { "memory-tables", "int" },
    { "by-mailbox", "int", false, "accesses that passed the socket by" },
    { "config-read", "RemoteAccessInfo" },
    { "config-write", "RemoteAccessInfo" },
    { "region-read", "RemoteAccessInfo" },
    { "region-write", "RemoteAccessInfo" },
    { "reset", "RemoteAccessInfo" },
    { }
};
static const QMPType remote_types[] = {
    { "RemoteAccessInfo", NULL, access_info },
    { "RemoteInfo", NULL, remote_info },
    { }
};
QMP_TABLE(types, remote_types)

static const QMPCommand remote_commands[] = {
    { "x-query-remote", NULL, "[RemoteInfo]", query_remote,
      "State and counters of each link to a device process or a proxy." },
    { }
};
QMP_TABLE(commands, remote_commands)

static const QMPMember gone_members[] = {
    { "device", "str", true, "id of the x-pci-proxy-dev" },
    { "reason", "str", false, "how that was noticed" }, { }
};
static const QMPMember back_members[] = {
    { "device", "str", true, "id of the x-pci-proxy-dev" }, { }
};
static const QMPEvent remote_events[] = {
    { "X_PCI_PROXY_DEV_GONE", gone_members,
      "A device's process is gone: the device reads as ones." },
    { "X_PCI_PROXY_DEV_BACK", back_members,
      "Another process has taken its place: the device has been reset." },
    { }
};
QMP_TABLE(events, remote_events)

static const HMPCommand remote_hmp[] = {
    { "info remote", NULL, "show links to other processes", hmp_info_remote },
    { }
};
HMP_TABLE(remote_hmp)
