/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -blockdev, and what -drive has in common with it.  Options become a flat
 * object with dotted names, from which known ones are taken; what is left is
 * refused by name, and so is what QEMU has and this program has not, with the
 * reason.
 */
#include "qemu/osdep.h"
#include "block/options.h"
#include "qemu/option.h"

void block_node_options_clear(BlockNodeOptions *o)
{
    g_free(o->driver);
    g_free(o->node_name);
    g_free(o->filename);
    g_free(o->child);
}

static const char *const driver_names[] = {
    "raw", "file", "host_device", "null-co", NULL
};

/* The entry of @names that is @s, as a constant, or NULL. */
static const char *constant(const char *const *names, const char *s)
{
    for (; *names; names++) {
        if (g_str_equal(*names, s)) {
            return *names;
        }
    }
    return NULL;
}

/* -- Reading --------------------------------------------------------------*/

void block_flatten(JsonObject *from, const char *prefix, JsonObject *to)
{
    JsonObjectIter it;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&it, from);
    while (json_object_iter_next(&it, &name, &node)) {
        g_autofree char *key = g_strconcat(prefix, name, NULL);

        if (JSON_NODE_HOLDS_OBJECT(node)) {
            g_autofree char *deeper = g_strconcat(key, ".", NULL);

            block_flatten(json_node_get_object(node), deeper, to);
        } else {
            json_object_set_member(to, key, json_node_copy(node));
        }
    }
}

/* One of @values (NULL-terminated); *@index is left alone if missing. */
bool block_take_choice(JsonObject *flat, const char *key,
                        const char *const *values, int *index, Error **errp)
{
    g_autofree char *value = NULL;
    g_autofree char *list = NULL;

    if (!keyval_take_str(flat, key, &value, errp)) {
        return false;
    }
    if (!value) {
        return true;
    }
    for (int i = 0; values[i]; i++) {
        if (g_str_equal(values[i], value)) {
            *index = i;
            return true;
        }
    }
    list = g_strjoinv(", ", (char **)values);
    error_setg(errp, "Parameter '%s' does not accept value '%s'; it takes "
               "one of: %s", key, value, list);
    return false;
}

static bool take_discard(JsonObject *flat, const char *key, bool *out,
                         Error **errp)
{
    static const char *const values[] = {
        "ignore", "unmap", "off", "on", NULL
    };
    int i = *out;

    if (!block_take_choice(flat, key, values, &i, errp)) {
        return false;
    }
    *out = i & 1;
    return true;
}

static bool take_locking(JsonObject *flat, const char *key, bool *out,
                         Error **errp)
{
    static const char *const values[] = { "off", "on", "auto", NULL };
    int i = *out;

    if (!block_take_choice(flat, key, values, &i, errp)) {
        return false;
    }
    *out = i != 0;
    return true;
}

static bool take_aio(JsonObject *flat, const char *key, BlockAio *out,
                     Error **errp)
{
    static const char *const values[] = {
        "io_uring", "threads", "native", NULL
    };
    static const BlockAio meaning[] = {
        BLOCK_AIO_IO_URING, BLOCK_AIO_THREADS
    };
    int i = -1;

    if (!block_take_choice(flat, key, values, &i, errp)) {
        return false;
    }
    if (i == 2) {
        error_setg(errp, "%s=native (Linux AIO) is not supported here; use "
                   "%s=io_uring or %s=threads", key, key, key);
        return false;
    }
    if (i >= 0) {
        *out = meaning[i];
    }
    if (i == 0 && !block_ring_available()) {
        error_setg(errp, "%s=io_uring is not possible: the system does not "
                   "allow io_uring; use %s=threads", key, key);
        return false;
    }
    return true;
}

/* Options whose only value here is "off". */
bool block_take_off(JsonObject *flat, const char *key, Error **errp)
{
    JsonNode *node = json_object_get_member(flat, key);
    bool on = false;

    if (!node) {
        return true;
    }
    if (json_node_get_value_type(node) == G_TYPE_STRING &&
        g_str_equal(json_node_get_string(node), "unmap")) {
        on = true;              /* detect-zeroes has three */
    } else if (!keyval_take_bool(flat, key, &on, errp)) {
        return false;
    }
    if (on) {
        error_setg(errp, "Parameter '%s' can only be 'off' here", key);
        return false;
    }
    return true;
}

typedef struct Refusal {
    const char *key;            /* "x." refuses the whole group */
    const char *why;
} Refusal;

static const Refusal refusals[] = {
    { "serial", "give it to the device: -device ...,serial=" },
    { "addr", "give it to the device: -device ...,addr=" },
    { "cyls", "a disk's geometry belongs to its device" },
    { "heads", "a disk's geometry belongs to its device" },
    { "secs", "a disk's geometry belongs to its device" },
    { "trans", "a disk's geometry belongs to its device" },
    { "boot", "give the device a bootindex" },
    { "index", "with if=none the device decides where the disk is" },
    { "bus", "with if=none the device decides where the disk is" },
    { "unit", "with if=none the device decides where the disk is" },
    { "offset", "a part of an image is not supported here" },
    { "backing", "a raw image has no backing file" },
    { "backing.", "a raw image has no backing file" },
    { "encrypt.", "encrypted images are not supported here" },
    { "password-secret", "encrypted images are not supported here" },
    { "throttling.", "throttling is not supported here" },
    { "throttling-group", "throttling is not supported here" },
    { "group", "throttling is not supported here" },
    { "bps", "throttling is not supported here" },
    { "bps_rd", "throttling is not supported here" },
    { "bps_wr", "throttling is not supported here" },
    { "iops", "throttling is not supported here" },
    { "iops_rd", "throttling is not supported here" },
    { "iops_wr", "throttling is not supported here" },
    { "force-share", "use locking=off (-drive: file.locking=off)" },
    { "pr-manager", "persistent reservations are not supported here" },
    { "drop-cache", "the page cache is left alone here" },
    { "aio-max-batch", "batches have no limit here" },
    { "x-check-cache-dropped", "the page cache is left alone here" },
    { "stats-account-invalid", "statistics have no such choice here" },
    { "stats-account-failed", "statistics have no such choice here" },
    { "stats-intervals", "statistics have no such choice here" },
    { "stats-intervals.", "statistics have no such choice here" },
};

static bool check_refusals(JsonObject *flat, const char *prefix, Error **errp)
{
    g_autoptr(GList) keys = json_object_get_members(flat);

    for (GList *k = keys; k; k = k->next) {
        const char *key = k->data;

        if (!g_str_has_prefix(key, prefix)) {
            continue;
        }
        for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
            const Refusal *r = &refusals[i];
            const char *name = key + strlen(prefix);
            bool group = g_str_has_suffix(r->key, ".");

            if (group ? g_str_has_prefix(name, r->key)
                      : g_str_equal(name, r->key)) {
                error_setg(errp, "Parameter '%s' is not supported: %s",
                           key, r->why);
                return false;
            }
        }
    }
    return true;
}

/* The options of any node, under @prefix ("" or "file."). */
bool block_take_common(JsonObject *flat, const char *prefix, BlockNodeOptions *o,
                        Error **errp)
{
#define KEY(name) ({ g_snprintf(key, sizeof(key), "%s" name, prefix); key; })
    char key[64];

    return check_refusals(flat, prefix, errp) &&
           keyval_take_str(flat, KEY("node-name"), &o->node_name, errp) &&
           keyval_take_bool(flat, KEY("read-only"), &o->read_only, errp) &&
           keyval_take_bool(flat, KEY("auto-read-only"), &o->auto_read_only,
                            errp) &&
           keyval_take_bool(flat, KEY("cache.direct"), &o->direct, errp) &&
           keyval_take_bool(flat, KEY("cache.no-flush"), &o->no_flush,
                            errp) &&
           take_discard(flat, KEY("discard"), &o->discard, errp) &&
           block_take_off(flat, KEY("detect-zeroes"), errp);
}

#define MAX_LATENCY_NS 10000000000

/* The options of driver file, host_device or null-co. */
bool block_take_protocol(JsonObject *flat, const char *prefix,
                          BlockNodeOptions *o, Error **errp)
{
    char key[64];

    if (g_str_equal(o->driver, "null-co")) {
        return keyval_take_size(flat, KEY("size"), 1, &o->size, errp) &&
               keyval_take_bool(flat, KEY("read-zeroes"), &o->read_zeroes,
                                errp) &&
               keyval_take_uint(flat, KEY("latency-ns"), MAX_LATENCY_NS,
                                &o->latency_ns, errp);
    }
    return keyval_take_str(flat, KEY("filename"), &o->filename, errp) &&
           take_aio(flat, KEY("aio"), &o->aio, errp) &&
           take_locking(flat, KEY("locking"), &o->locking, errp);
#undef KEY
}

/* -- Making nodes ---------------------------------------------------------*/

static BlockBackend *make_protocol(const BlockNodeOptions *o, const char *name,
                                   Error **errp)
{
    BlockBackend *blk = blk_new(constant(driver_names, o->driver), name,
                                o->node_name, errp);

    if (!blk) {
        return NULL;
    }
    blk->read_only = o->read_only;
    blk->discard = o->discard;
    if (g_str_equal(o->driver, "null-co")) {
        if (!o->size || o->size % 512 || o->size > INT64_MAX) {
            error_setg(errp, "Parameter 'size' expects a multiple of 512 "
                       "from 512 to 2^63 - 512");
            blk_free(blk);
            return NULL;
        }
        blk->length = o->size;
        blk->latency_ns = o->latency_ns;
        blk->read_zeroes = o->read_zeroes;
        return blk;
    }
    BlockFileOptions fo = {
        .filename = o->filename,
        .is_device = g_str_equal(o->driver, "host_device"),
        .read_only = o->read_only,
        .auto_read_only = o->auto_read_only,
        .direct = o->direct,
        .no_flush = o->no_flush,
        .locking = o->locking,
        .discard = o->discard,
        .aio = o->aio,
    };
    blk->file = block_file_open(&fo, errp);
    if (!blk->file) {
        blk_free(blk);
        return NULL;
    }
    blk->read_only = blk->file->read_only;
    blk->length = blk->file->length;
    return blk;
}

/* A raw node over @child, which it takes over if that was made for it. */
static BlockBackend *make_raw(const BlockNodeOptions *o, const char *name,
                              BlockBackend *child, Error **errp)
{
    BlockBackend *blk;

    if (child->read_only && !o->read_only && !o->auto_read_only) {
        error_setg(errp, "Block node '%s' is read-only; the raw node over it "
                   "needs read-only=on",
                   child->implicit ? "file" : child->node_name);
        return NULL;
    }
    blk = blk_new("raw", name, o->node_name, errp);
    if (!blk) {
        return NULL;
    }
    blk_set_child(blk, child);
    blk->read_only = o->read_only || child->read_only;
    blk->discard = o->discard && child->discard;
    return blk;
}

BlockBackend *block_make_raw(const BlockNodeOptions *o, const char *name,
                                       const BlockNodeOptions *co, Error **errp)
{
    BlockBackend *child = make_protocol(co, NULL, errp);
    BlockBackend *blk;

    if (!child) {
        return NULL;
    }
    child->implicit = true;
    blk = make_raw(o, name, child, errp);
    if (!blk) {
        blk_free(child);
    }
    return blk;
}

bool block_unknown_driver(const char *key, const char *driver,
                          const char *choices, Error **errp)
{
    if (constant(block_other_formats, driver)) {
        error_setg(errp, "Format '%s' is not opened here; only raw images "
                   "are", driver);
        error_append_hint(errp, "Serve the image as a raw device with "
                          "'qemu-nbd -c /dev/nbd0 -f %s NAME' and use "
                          "/dev/nbd0,\nor convert it with 'qemu-img convert "
                          "-O raw NAME NEW'.\n", driver);
    } else if (constant(block_other_protocols, driver)) {
        error_setg(errp, "Driver '%s' is not supported here; %s takes one "
                   "of: %s", driver, key, choices);
    } else {
        error_setg(errp, "Parameter '%s' does not accept value '%s'; it "
                   "takes one of: %s", key, driver, choices);
    }
    return false;
}

/* -- -blockdev ------------------------------------------------------------*/

#define COMMON_KEYS(p)                                                  \
    p "driver", p "node-name", p "read-only", p "auto-read-only",       \
    p "cache.direct", p "cache.no-flush", p "discard", p "detect-zeroes"
#define FILE_KEYS(p) p "filename", p "aio", p "locking"
#define NULL_KEYS(p) p "size", p "read-zeroes", p "latency-ns"

static const char *const file_keys[] = {
    COMMON_KEYS(""), FILE_KEYS(""), NULL
};
static const char *const null_keys[] = {
    COMMON_KEYS(""), NULL_KEYS(""), NULL
};
static const char *const raw_keys[] = {
    COMMON_KEYS(""), "file", NULL
};
static const char *const raw_file_keys[] = {
    COMMON_KEYS(""), COMMON_KEYS("file."), FILE_KEYS("file."), NULL
};
static const char *const raw_null_keys[] = {
    COMMON_KEYS(""), COMMON_KEYS("file."), NULL_KEYS("file."), NULL
};

/* @raw_ok: it may be a format. */
static bool take_driver(JsonObject *flat, const char *key, bool raw_ok,
                        BlockNodeOptions *o, Error **errp)
{
    const char *choices = raw_ok ? "raw, file, host_device, null-co"
                                 : "file, host_device, null-co";

    if (!keyval_take_str(flat, key, &o->driver, errp)) {
        return false;
    }
    if (!o->driver) {
        error_setg(errp, "Parameter '%s' is missing", key);
        return false;
    }
    if (!constant(driver_names, o->driver) ||
        (!raw_ok && g_str_equal(o->driver, "raw"))) {
        return block_unknown_driver(key, o->driver, choices, errp);
    }
    return true;
}

static bool need_filename(const BlockNodeOptions *o, const char *prefix,
                          Error **errp)
{
    if (!o->filename && !g_str_equal(o->driver, "null-co")) {
        error_setg(errp, "Parameter '%sfilename' is missing", prefix);
        return false;
    }
    return true;
}

/* A node by its name for a raw node to stand on. */
static BlockBackend *find_child(const BlockNodeOptions *o, Error **errp)
{
    BlockBackend *child = blk_by_name(o->child);

    if (!child) {
        error_setg(errp, "Cannot find device='%s' nor node-name='%s'",
                   o->child, o->child);
        return NULL;
    }
    if (g_str_equal(child->driver, "raw")) {
        error_setg(errp, "Node '%s' is a raw node itself; the file of a raw "
                   "node is a file, host_device or null-co node", o->child);
        return NULL;
    }
    if (child->dev || child->parent) {
        error_setg(errp, "Node '%s' is in use", o->child);
        return NULL;
    }
    return child;
}

/*
 * What the page cache does is a matter of the file; a raw node over it may
 * repeat that, but not contradict.
 */
static bool check_cache(JsonObject *flat, const BlockNodeOptions *o,
                        BlockBackend *child, bool direct_given,
                        bool no_flush_given, Error **errp)
{
    BlockFile *file = child->file;
    const char *which = NULL;

    if (direct_given && o->direct != (file && file->direct)) {
        which = "direct";
    } else if (no_flush_given && o->no_flush != (file && file->no_flush)) {
        which = "no-flush";
    }
    if (which) {
        error_setg(errp, "Parameter 'cache.%s' contradicts that of node '%s', "
                   "which decides", which, child->node_name);
        return false;
    }
    return true;
}

static bool add_raw(JsonObject *flat, BlockNodeOptions *o, bool direct_given,
                    bool no_flush_given, Error **errp)
{
    g_auto(BlockNodeOptions) co = {
        .read_only = o->read_only,
        .auto_read_only = o->auto_read_only,
        .direct = o->direct,
        .no_flush = o->no_flush,
        .discard = o->discard,
        .locking = true,
    };
    BlockBackend *child;

    if (!keyval_take_str(flat, "file", &o->child, errp)) {
        return false;
    }
    if (o->child) {
        child = find_child(o, errp);
        if (!child ||
            !keyval_check_empty(flat, "driver raw", raw_keys, errp) ||
            !check_cache(flat, o, child, direct_given, no_flush_given,
                         errp)) {
            return false;
        }
        return make_raw(o, NULL, child, errp);
    }
    if (!json_object_has_member(flat, "file.driver")) {
        error_setg(errp, "Parameter 'file' is missing");
        return false;
    }
    return take_driver(flat, "file.driver", false, &co, errp) &&
           block_take_common(flat, "file.", &co, errp) &&
           block_take_protocol(flat, "file.", &co, errp) &&
           keyval_check_empty(flat, "driver raw",
                              g_str_equal(co.driver, "null-co") ?
                              raw_null_keys : raw_file_keys, errp) &&
           need_filename(&co, "file.", errp) &&
           block_make_raw(o, NULL, &co, errp);
}

bool blockdev_add(JsonObject *opts, Error **errp)
{
    g_autoptr(JsonObject) flat = json_object_new();
    g_auto(BlockNodeOptions) o = { .locking = true, .size = 1 * GiB };
    g_autofree char *what = NULL;
    bool direct_given, no_flush_given;

    block_flatten(opts, "", flat);
    direct_given = json_object_has_member(flat, "cache.direct");
    no_flush_given = json_object_has_member(flat, "cache.no-flush");
    if (!take_driver(flat, "driver", true, &o, errp) ||
        !block_take_common(flat, "", &o, errp)) {
        return false;
    }
    if (!o.node_name) {
        error_setg(errp, "'node-name' must be specified for the root node");
        return false;
    }
    if (g_str_equal(o.driver, "raw")) {
        return add_raw(flat, &o, direct_given, no_flush_given, errp);
    }
    what = g_strdup_printf("driver %s", o.driver);
    return block_take_protocol(flat, "", &o, errp) &&
           keyval_check_empty(flat, what, g_str_equal(o.driver, "null-co") ?
                              null_keys : file_keys, errp) &&
           need_filename(&o, "", errp) &&
           make_protocol(&o, NULL, errp);
}
