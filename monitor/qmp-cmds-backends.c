/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP about back ends: disks (-blockdev) and character devices (-chardev). */
#include "qemu/osdep.h"
#include "block/io-error.h"
#include "monitor/monitor.h"
#include "block/block.h"
#include "chardev/char.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"

/* -- Disks --------------------------------------------------------------- */

static JsonNode *query_block(JsonObject *args, Monitor *mon, Error **errp)
{
    return blk_query();
}

static JsonNode *query_blockstats(JsonObject *args, Monitor *mon,
                                  Error **errp)
{
    /* What query-nodes adds in upstream: nodes that nobody uses. */
    return blk_query_stats();
}

static JsonNode *query_nodes(JsonObject *args, Monitor *mon, Error **errp)
{
    return blk_query_nodes();
}

static JsonNode *qmp_blockdev_add(JsonObject *args, Monitor *mon,
                                  Error **errp)
{
    blockdev_add(args, errp);
    return NULL;
}

static JsonNode *qmp_blockdev_del(JsonObject *args, Monitor *mon,
                                  Error **errp)
{
    blockdev_del(qmp_str(args, "node-name"), errp);
    return NULL;
}

static const QMPMember blockdev_add_args[] = {
    { "driver", "str", false, "'raw', 'file', 'host_device' or 'null-co'" },
    { "node-name", "str", true },
    { "+file", "BlockdevOptionsFile" },
    { "+host_device", "BlockdevOptionsFile" },
    { "*", "any", true, "as -blockdev has them" }, { }
};
static const char *const aio_values[] = { "threads", "io_uring", NULL };
static const QMPMember file_options[] = {
    { "filename", "str" }, { "aio", "BlockdevAioOptions", true }, { }
};
static const QMPMember node_args[] = { { "node-name", "str" }, { } };
static const QMPMember stats_args[] = {
    { "query-nodes", "bool", true }, { }
};
static const QMPMember nodes_args[] = { { "flat", "bool", true }, { } };

static const QMPMember image_info[] = {
    { "filename", "str" }, { "format", "str" }, { "virtual-size", "int" },
    { "actual-size", "int", true }, { "dirty-flag", "bool", true }, { }
};
static const QMPMember cache_info[] = {
    { "writeback", "bool" }, { "direct", "bool" }, { "no-flush", "bool" }, { }
};
static const QMPMember device_info[] = {
    { "file", "str" }, { "node-name", "str", true }, { "ro", "bool" },
    { "drv", "str" }, { "encrypted", "bool" }, { "detect_zeroes", "str" },
    { "bps", "int" }, { "bps_rd", "int" }, { "bps_wr", "int" },
    { "iops", "int" }, { "iops_rd", "int" }, { "iops_wr", "int" },
    { "backing_file_depth", "int" }, { "write_threshold", "int" },
    { "image", "ImageInfo" }, { "cache", "BlockdevCacheInfo" }, { }
};
static const QMPMember block_info[] = {
    { "device", "str", false, "id of -drive; empty for a -blockdev" },
    { "qdev", "str", true, "id or path of the device that uses it" },
    { "type", "str" }, { "removable", "bool" }, { "locked", "bool" },
    { "inserted", "BlockDeviceInfo", true }, { "io-status", "str", true }, { }
};
#define COUNTERS(x)                                                     \
    { x "_operations", "int" }, { x "_total_time_ns", "int" },          \
    { "failed_" x "_operations", "int" },                               \
    { "invalid_" x "_operations", "int" }
#define BYTES(x) { x "_bytes", "int" }, { x "_merged", "int" }
static const QMPMember device_stats[] = {
    COUNTERS("rd"), BYTES("rd"), COUNTERS("wr"), BYTES("wr"),
    COUNTERS("flush"), COUNTERS("unmap"), BYTES("unmap"),
    { "wr_highest_offset", "int" }, { "account_invalid", "bool" },
    { "account_failed", "bool" }, { }
};
static const QMPMember specific_stats[] = {
    { "driver", "str", false, "file or host_device" },
    { "discard-nb-ok", "int" }, { "discard-nb-failed", "int" },
    { "discard-bytes-ok", "int" }, { }
};
static const QMPMember block_stats[] = {
    { "device", "str", true }, { "qdev", "str", true },
    { "node-name", "str", true }, { "stats", "BlockDeviceStats" },
    { "driver-specific", "BlockStatsSpecific", true },
    { "parent", "BlockStats", true }, { }
};
static const QMPType block_types[] = {
    { "BlockdevAioOptions", aio_values, NULL },
    { "BlockdevOptionsFile", NULL, file_options },
    { "ImageInfo", NULL, image_info },
    { "BlockdevCacheInfo", NULL, cache_info },
    { "BlockDeviceInfo", NULL, device_info },
    { "BlockInfo", NULL, block_info },
    { "BlockDeviceStats", NULL, device_stats },
    { "BlockStatsSpecific", NULL, specific_stats },
    { "BlockStats", NULL, block_stats },
    { }
};
QMP_TABLE(types, block_types)

/* -- Character devices --------------------------------------------------- */

static JsonNode *query_chardev(JsonObject *args, Monitor *mon, Error **errp)
{
    return qemu_chr_query();
}

/* The nested form (backend.data.addr.data) is taken apart into what -chardev
 * has flat. */
static bool flatten(JsonObject *from, JsonObject *to, Error **errp)
{
    g_autoptr(GList) names = json_object_get_members(from);

    for (GList *l = names; l; l = l->next) {
        JsonNode *value = json_object_get_member(from, l->data);

        if (JSON_NODE_HOLDS_VALUE(value)) {
            json_object_set_member(to, l->data, json_node_copy(value));
        } else if (JSON_NODE_HOLDS_OBJECT(value) &&
                   !strcmp(l->data, "addr")) {
            JsonObject *addr = json_node_get_object(value);
            JsonNode *data = json_object_get_member(addr, "data");

            if (!data || !JSON_NODE_HOLDS_OBJECT(data)) {
                error_setg(errp, "Parameter 'backend.data.addr.data' is "
                           "missing");
                return false;
            }
            if (!g_strcmp0(qmp_str(addr, "type"), "fd")) {
                json_object_set_string_member(
                    to, "fd", qmp_str(json_node_get_object(data), "str"));
            } else if (!flatten(json_node_get_object(data), to, errp)) {
                return false;
            }
        } else {
            error_setg(errp, "Parameter 'backend.data.%s' is unexpected",
                       (char *)l->data);
            return false;
        }
    }
    return true;
}

static JsonNode *chardev_add(JsonObject *args, Monitor *mon, Error **errp)
{
    g_autoptr(JsonObject) opts = json_object_new();
    JsonObject *backend = json_object_get_object_member(args, "backend");
    const char *type = qmp_str(backend, "type"), *id = qmp_str(args, "id");
    JsonNode *data = json_object_get_member(backend, "data");
    JsonObject *result;
    Chardev *chr;

    if (data && !JSON_NODE_HOLDS_OBJECT(data)) {
        error_setg(errp, "Invalid parameter type for 'backend.data', "
                   "expected: object");
        return NULL;
    }
    if (data && !flatten(json_node_get_object(data), opts, errp)) {
        return NULL;
    }
    /* Where the command line's names differ. */
    if (json_object_has_member(opts, "out")) {
        json_object_set_string_member(opts, "path", qmp_str(opts, "out"));
        json_object_remove_member(opts, "out");
    }
    if (!strcmp(type, "socket") && !json_object_has_member(opts, "server")) {
        json_object_set_boolean_member(opts, "server", true);
    }
    if (!strcmp(type, "socket") && !json_object_has_member(opts, "wait") &&
        json_object_get_boolean_member_with_default(opts, "server", true)) {
        json_object_set_boolean_member(opts, "wait", false);
    }
    json_object_set_string_member(opts, "backend", type);
    json_object_set_string_member(opts, "id", id);
    if (qemu_chr_find(id)) {
        error_setg(errp, "Chardev with id '%s' already exists", id);
        return NULL;
    }
    chr = qemu_chr_new_from_opts(opts, errp);
    if (!chr) {
        return NULL;
    }
    result = json_object_new();
    if (!strcmp(type, "pty")) {
        g_autoptr(JsonNode) all = qemu_chr_query();
        JsonArray *list = json_node_get_array(all);

        for (guint i = 0; i < json_array_get_length(list); i++) {
            JsonObject *c = json_array_get_object_element(list, i);
            const char *name = qmp_str(c, "filename");

            if (!strcmp(qmp_str(c, "label"), id)) {
                json_object_set_string_member(result, "pty",
                    g_str_has_prefix(name, "pty:") ? name + 4 : name);
            }
        }
    }
    return qmp_take_object(result);
}

static JsonNode *chardev_remove(JsonObject *args, Monitor *mon, Error **errp)
{
    qemu_chr_delete(qmp_str(args, "id"), errp);
    return NULL;
}

static const QMPMember chardev_add_args[] = {
    { "id", "str" }, { "backend", "ChardevBackend" }, { }
};
static const QMPMember chardev_id_args[] = { { "id", "str" }, { } };
static const QMPMember chardev_backend[] = {
    { "type", "str" }, { "data", "any", true, "what -chardev has" }, { }
};
static const QMPMember chardev_info[] = {
    { "label", "str" }, { "filename", "str" }, { "frontend-open", "bool" },
    { }
};
static const QMPMember chardev_return[] = {
    { "pty", "str", true, "the terminal's name" }, { }
};
static const QMPType chardev_types[] = {
    { "ChardevBackend", NULL, chardev_backend },
    { "ChardevInfo", NULL, chardev_info },
    { "ChardevReturn", NULL, chardev_return },
    { }
};
QMP_TABLE(types, chardev_types)

static const QMPCommand backend_commands[] = {
    { "query-block", NULL, "[BlockInfo]", query_block,
      "Disks that devices use." },
    { "query-blockstats", stats_args, "[BlockStats]", query_blockstats,
      "What each disk has done." },
    { "query-named-block-nodes", nodes_args, "[BlockDeviceInfo]", query_nodes,
      "Every block node." },
    { "blockdev-add", blockdev_add_args, NULL, qmp_blockdev_add,
      "Opens a disk image." },
    { "blockdev-del", node_args, NULL, qmp_blockdev_del,
      "Closes one that no device uses." },
    { "query-chardev", NULL, "[ChardevInfo]", query_chardev,
      "Character devices." },
    { "chardev-add", chardev_add_args, "ChardevReturn", chardev_add,
      "Makes a character device." },
    { "chardev-remove", chardev_id_args, NULL, chardev_remove,
      "Removes one that nothing uses." },
    { }
};
QMP_TABLE(commands, backend_commands)

/* -- BLOCK_IO_ERROR ---------------------------------------------------------- */

static void io_error(const BlockIOError *e)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "device", e->device ?: "");
    json_object_set_string_member(data, "node-name", e->node ?: "");
    json_object_set_string_member(data, "operation",
                                  e->read ? "read" : "write");
    json_object_set_string_member(data, "action",
                                  e->ignored ? "ignore" : "report");
    json_object_set_boolean_member(data, "nospace", e->error == ENOSPC);
    json_object_set_string_member(data, "reason", strerror(e->error));
    monitor_event("BLOCK_IO_ERROR", data);
}

static const char *const operations[] = { "read", "write", NULL };
static const char *const error_actions[] = { "ignore", "report", "stop", NULL };
static const QMPType io_error_types[] = {
    { "IoOperationType", operations },
    { "BlockErrorAction", error_actions },
    { }
};
QMP_TABLE(types, io_error_types)

static const QMPMember io_error_members[] = {
    { "device", "str", false, "id of -drive; empty for a -blockdev" },
    { "node-name", "str", true },
    { "operation", "IoOperationType" },
    { "action", "BlockErrorAction" },
    { "nospace", "bool", true, "the host's file system is full" },
    { "reason", "str", false, "for people" }, { }
};
static const QMPEvent io_error_events[] = {
    { "BLOCK_IO_ERROR", io_error_members,
      "A request of a disk's failed; told once a second at the most." },
    { }
};
QMP_TABLE(events, io_error_events)

static void __attribute__((constructor)) hear_of_io_errors(void)
{
    blk_io_error_hook = io_error;
}
