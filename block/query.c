/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-block, query-blockstats, query-named-block-nodes: members named and
 * typed as in QEMU's QAPI schema; the mandatory ones and those that mean
 * something here.
 */
#include "qemu/osdep.h"
#include "block/block-int.h"
#include "qom/object.h"

static void add_str(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void add_bool(JsonBuilder *b, const char *name, bool value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

static void add_int(JsonBuilder *b, const char *name, int64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void begin_object(JsonBuilder *b, const char *name)
{
    if (name) {
        json_builder_set_member_name(b, name);
    }
    json_builder_begin_object(b);
}

static bool is_format(BlockBackend *blk)
{
    return blk->child != NULL;
}

/* What a user calls a back end: a drive, or what a device has. */
static bool is_backend(BlockBackend *blk)
{
    return blk->name || blk->dev;
}

/* The id of -device, or the path of a device without one. */
static void add_qdev(JsonBuilder *b, BlockBackend *blk)
{
    static const char named[] = "/machine/peripheral/";
    g_autofree char *path = NULL;

    if (blk->dev && (path = object_get_canonical_path(blk->dev))) {
        add_str(b, "qdev", g_str_has_prefix(path, named)
                           ? path + strlen(named) : path);
    }
}

static void add_image(JsonBuilder *b, BlockBackend *blk)
{
    struct stat st;

    begin_object(b, "image");
    add_str(b, "filename", blk_filename(blk));
    add_str(b, "format", blk->driver);
    add_int(b, "virtual-size", blk->length);
    if (blk->file && fstat(blk->file->fd, &st) == 0) {
        add_int(b, "actual-size", (int64_t)st.st_blocks * 512);
    }
    add_bool(b, "dirty-flag", false);
    json_builder_end_object(b);
}

/* BlockDeviceInfo */
static void add_node(JsonBuilder *b, BlockBackend *blk)
{
    static const char *const limits[] = {
        "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr",
        "backing_file_depth", "write_threshold",
    };

    add_str(b, "file", blk_filename(blk));
    add_str(b, "node-name", blk->node_name);
    add_bool(b, "ro", blk->read_only);
    add_str(b, "drv", blk->driver);
    add_bool(b, "encrypted", false);
    add_str(b, "detect_zeroes", "off");
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        add_int(b, limits[i], 0);
    }
    add_image(b, blk);
    begin_object(b, "cache");
    add_bool(b, "writeback", blk->write_cache);
    add_bool(b, "direct", blk->file && blk->file->direct);
    add_bool(b, "no-flush", blk->file && blk->file->no_flush);
    json_builder_end_object(b);
}

static void add_names(JsonBuilder *b, BlockBackend *blk)
{
    add_str(b, "device", blk->name ? blk->name : "");
    add_qdev(b, blk);
}

/* An array with what @add says of each that @of chooses (NULL: all). */
static JsonNode *list_of(bool (*of)(BlockBackend *blk),
                         void (*add)(JsonBuilder *b, BlockBackend *blk))
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    BlockBackend *blk;

    json_builder_begin_array(b);
    QTAILQ_FOREACH(blk, &block_backends, link) {
        if (!of || of(blk)) {
            begin_object(b, NULL);
            add(b, blk);
            json_builder_end_object(b);
        }
    }
    json_builder_end_array(b);
    return json_builder_get_root(b);
}

/* BlockInfo */
static void add_backend(JsonBuilder *b, BlockBackend *blk)
{
    add_names(b, blk);
    add_str(b, "type", "unknown");
    add_bool(b, "removable", blk->removable);
    add_bool(b, "locked", false);
    begin_object(b, "inserted");
    add_node(b, blk);
    json_builder_end_object(b);
    add_str(b, "io-status", "ok");
}

JsonNode *blk_query(void)
{
    return list_of(is_backend, add_backend);
}

static uint64_t counter(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* BlockDeviceStats: prefixes by BlockOp; write zeroes count as writes.  What
 * failed is accounted where a device is, not below it. */
static void add_stats(JsonBuilder *b, BlockBackend *blk, bool account)
{
    static const struct {
        BlockOp op, also;
        const char *name;
        bool has_bytes;
    } rows[] = {
        { BLK_READ, BLK_READ, "rd", true },
        { BLK_WRITE, BLK_WRITE_ZEROES, "wr", true },
        { BLK_FLUSH, BLK_FLUSH, "flush", false },
        { BLK_DISCARD, BLK_DISCARD, "unmap", true },
    };
    const BlockStats *s = &blk->stats;
    char key[40];

#define ADD(fmt, field) do {                                            \
        uint64_t n_ = counter(&s->field[rows[i].op]);                   \
                                                                        \
        if (rows[i].also != rows[i].op) {                               \
            n_ += counter(&s->field[rows[i].also]);                     \
        }                                                               \
        g_snprintf(key, sizeof(key), fmt, rows[i].name);                \
        add_int(b, key, n_);                                            \
    } while (0)

    begin_object(b, "stats");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ADD("%s_operations", ops);
        ADD("%s_total_time_ns", total_ns);
        ADD("failed_%s_operations", errors);
        if (rows[i].has_bytes) {
            ADD("%s_bytes", bytes);
            g_snprintf(key, sizeof(key), "%s_merged", rows[i].name);
            add_int(b, key, 0);
        }
        g_snprintf(key, sizeof(key), "invalid_%s_operations", rows[i].name);
        add_int(b, key, 0);
    }
#undef ADD
    add_int(b, "wr_highest_offset", counter(&blk->highest_write));
    add_bool(b, "account_invalid", account);
    add_bool(b, "account_failed", account);
    json_builder_end_object(b);
}

/* BlockStatsSpecific, of drivers that have it. */
static void add_driver_stats(JsonBuilder *b, const char *driver,
                             const BlockStats *s)
{
    if (!g_strcmp0(driver, "file") || !g_strcmp0(driver, "host_device")) {
        begin_object(b, "driver-specific");
        add_str(b, "driver", driver);
        add_int(b, "discard-nb-ok", counter(&s->ops[BLK_DISCARD]));
        add_int(b, "discard-nb-failed", counter(&s->errors[BLK_DISCARD]));
        add_int(b, "discard-bytes-ok", counter(&s->bytes[BLK_DISCARD]));
        json_builder_end_object(b);
    }
}

/* BlockStats */
static void add_backend_stats(JsonBuilder *b, BlockBackend *blk)
{
    add_names(b, blk);
    add_str(b, "node-name", blk->node_name);
    add_stats(b, blk, true);
    if (!is_format(blk)) {
        add_driver_stats(b, blk->driver, &blk->stats);
    } else {
        begin_object(b, "parent");
        add_str(b, "node-name", blk->child->node_name);
        add_stats(b, blk->child, false);
        add_driver_stats(b, blk->child->driver, &blk->stats);
        json_builder_end_object(b);
    }
}

JsonNode *blk_query_stats(void)
{
    return list_of(is_backend, add_backend_stats);
}

JsonNode *blk_query_nodes(void)
{
    return list_of(NULL, add_node);
}
