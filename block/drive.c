/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -drive: a raw node with a drive's id over a file, block device or null-co
 * node, in one option.
 *
 * An image whose format is not given is probed.  Found to be raw, it is used
 * as such, except that the guest cannot write to its first sector what would
 * make it an image of another format the next time (HOW_GUARD).
 */
#include "qemu/osdep.h"
#include "block/options.h"
#include "qemu/error-report.h"
#include "qemu/option.h"

#define KEYS                                                            \
    "file", "format", "driver", "if", "id", "readonly", "read-only",    \
    "auto-read-only", "cache", "cache.direct", "cache.no-flush",        \
    "cache.writeback", "discard", "werror", "rerror", "media",          \
    "node-name", "file.driver", "file.node-name"

static const char *const file_keys[] = {
    KEYS, "aio", "file.filename", "file.locking", NULL
};
static const char *const null_keys[] = {
    KEYS, "size", "read-zeroes", "latency-ns", NULL
};

typedef struct DriveOptions {
    char *id;
    bool cdrom;
    bool write_cache;
    int on_read_error, on_write_error;
} DriveOptions;

static bool take_if(JsonObject *flat, Error **errp)
{
    static const char *const values[] = {
        "none", "ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio",
        "xen", NULL
    };
    int i = -1;

    if (!block_take_choice(flat, "if", values, &i, errp)) {
        return false;
    }
    if (i != 0) {
        error_setg(errp, "A drive needs if=none here");
        error_append_hint(errp, "Its device is an option of its own: "
                          "-drive if=none,id=ID,... -device "
                          "DRIVER,drive=ID\n");
        return false;
    }
    return true;
}

/* cache=MODE is only a default for the cache.* options. */
static bool take_cache(JsonObject *flat, DriveOptions *d, BlockNodeOptions *o,
                       Error **errp)
{
    static const char *const names[] = {
        "writeback", "none", "off", "writethrough", "directsync", "unsafe",
        NULL
    };
    static const struct {
        bool write_cache, direct, no_flush;
    } modes[] = {
        { true, false, false },
        { true, true, false },
        { true, true, false },
        { false, false, false },
        { false, true, false },
        { true, false, true },
    };
    int i = 0;

    if (!block_take_choice(flat, "cache", names, &i, errp)) {
        return false;
    }
    d->write_cache = modes[i].write_cache;
    o->direct = modes[i].direct;
    o->no_flush = modes[i].no_flush;
    return keyval_take_bool(flat, "cache.writeback", &d->write_cache, errp);
}

static bool take_error_action(JsonObject *flat, const char *key, int *out,
                              Error **errp)
{
    static const char *const values[] = {
        [BLOCK_ERROR_REPORT] = "report", [BLOCK_ERROR_IGNORE] = "ignore",
        "enospc", "stop", NULL
    };
    int i = *out;

    if (!block_take_choice(flat, key, values, &i, errp)) {
        return false;
    }
    if (i > BLOCK_ERROR_IGNORE) {
        error_setg(errp, "%s=%s is not supported: an error does not stop the "
                   "machine here; use %s=report or %s=ignore", key, values[i],
                   key, key);
        return false;
    }
    *out = i;
    return true;
}

static bool take_media(JsonObject *flat, DriveOptions *d, BlockNodeOptions *o,
                       Error **errp)
{
    static const char *const values[] = { "disk", "cdrom", NULL };
    int i = 0;

    if (!block_take_choice(flat, "media", values, &i, errp)) {
        return false;
    }
    d->cdrom = o->read_only = i == 1;
    return true;
}

static bool take_drive(JsonObject *flat, DriveOptions *d, BlockNodeOptions *o,
                       Error **errp)
{
    static unsigned unnamed;

    if (!keyval_take_str(flat, "id", &d->id, errp) || !take_if(flat, errp) ||
        !take_media(flat, d, o, errp) ||
        !keyval_take_bool(flat, "readonly", &o->read_only, errp) ||
        !take_cache(flat, d, o, errp) ||
        !take_error_action(flat, "werror", &d->on_write_error, errp) ||
        !take_error_action(flat, "rerror", &d->on_read_error, errp) ||
        !block_take_off(flat, "snapshot", errp) ||
        !block_take_off(flat, "copy-on-read", errp) ||
        !block_take_common(flat, "", o, errp)) {
        return false;
    }
    if (!d->id) {
        do {
            g_free(d->id);
            d->id = g_strdup_printf("none%u", unnamed++);
        } while (blk_by_name(d->id));
    }
    return true;
}

/* "format" and "driver" are one option.  @o->driver stays NULL: to be probed.
 * "driver=null-co" is the driver of what the raw node stands on. */
static bool take_format(JsonObject *flat, BlockNodeOptions *o,
                        BlockNodeOptions *co, Error **errp)
{
    g_autofree char *driver = NULL;
    const char *key = "format";

    if (!keyval_take_str(flat, "driver", &driver, errp) ||
        !keyval_take_str(flat, "format", &o->driver, errp)) {
        return false;
    }
    if (driver && o->driver) {
        error_setg(errp, "Cannot specify both 'driver' and 'format'");
        return false;
    }
    if (driver) {
        key = "driver";
        o->driver = g_steal_pointer(&driver);
    }
    if (!o->driver || g_str_equal(o->driver, "raw")) {
        return true;
    }
    if (g_str_equal(o->driver, "null-co")) {
        co->driver = g_strdup(o->driver);
        return true;
    }
    return block_unknown_driver(key, o->driver, "raw, null-co", errp);
}

/* "file:x" and the like: a colon before any slash. */
static bool strip_protocol(BlockNodeOptions *co, Error **errp)
{
    char *colon = strchr(co->filename, ':');
    g_autofree char *protocol = NULL;
    static const char *const here[] = {
        "file", "host_device", "null-co", NULL
    };

    if (!colon || memchr(co->filename, '/', colon - co->filename)) {
        return true;
    }
    protocol = g_strndup(co->filename, colon - co->filename);
    if (!g_strv_contains(here, protocol)) {
        error_setg(errp, "Unknown protocol '%s'", protocol);
        error_append_hint(errp, "Only file, host_device and null-co are "
                          "supported here; write ./%s for a file of that "
                          "name.\n", co->filename);
        return false;
    }
    g_free(co->driver);
    co->driver = g_steal_pointer(&protocol);
    memmove(co->filename, colon + 1, strlen(colon));
    return true;
}

/* What the raw node stands on. */
static bool take_file(JsonObject *flat, BlockNodeOptions *co, Error **errp)
{
    g_autofree char *name = NULL;
    struct stat st;

    if (!keyval_take_str(flat, "file.driver", &co->driver, errp) ||
        !keyval_take_str(flat, "file", &co->filename, errp) ||
        !keyval_take_str(flat, "file.filename", &name, errp)) {
        return false;
    }
    if (name && co->filename) {
        error_setg(errp, "Cannot specify both 'file' and 'file.filename'");
        return false;
    }
    if (name) {
        co->filename = g_steal_pointer(&name);
    } else if (co->filename && !strip_protocol(co, errp)) {
        return false;
    }
    if (co->driver && g_str_equal(co->driver, "null-co")) {
        return true;
    }
    if (!co->filename || !*co->filename) {
        error_setg(errp, "A block device must be specified for \"file\"");
        return false;
    }
    if (!co->driver) {
        co->driver = g_strdup(!stat(co->filename, &st) &&
                              S_ISBLK(st.st_mode) ? "host_device" : "file");
    }
    if (!g_str_equal(co->driver, "file") &&
        !g_str_equal(co->driver, "host_device")) {
        return block_unknown_driver("file.driver", co->driver,
                                    "file, host_device, null-co", errp);
    }
    return true;
}

/* aio, locking, size, read-zeroes and latency-ns stand with or without "file.". */
static bool take_file_options(JsonObject *flat, BlockNodeOptions *co,
                              Error **errp)
{
    return block_take_protocol(flat, "", co, errp) &&
           block_take_protocol(flat, "file.", co, errp) &&
           block_take_common(flat, "file.", co, errp) &&
           keyval_check_empty(flat, "-drive",
                              g_str_equal(co->driver, "null-co") ?
                              null_keys : file_keys, errp);
}

static bool check_format(BlockBackend *blk, Error **errp)
{
    const char *format;

    if (!block_format_probe_file(blk->file, &format, errp)) {
        return false;
    }
    if (format) {
        block_format_refuse(errp, blk->file->filename, format);
        return false;
    }
    if (!blk->read_only) {
        warn_report("The format of image '%s' was not given and taken for "
                    "raw; give format=raw, or the guest cannot write what "
                    "looks like another format to its first sector",
                    blk->file->filename);
        blk->guard = true;
    }
    return true;
}

BlockBackend *drive_new(JsonObject *opts, Error **errp)
{
    g_autoptr(JsonObject) flat = json_object_new();
    g_auto(BlockNodeOptions) o = { .locking = true };
    g_auto(BlockNodeOptions) co = { .locking = true, .size = 1 * GiB };
    DriveOptions d = { .write_cache = true };
    g_autofree char *id = NULL;
    BlockBackend *blk;
    bool ok;

    block_flatten(opts, "", flat);
    ok = take_drive(flat, &d, &o, errp);
    id = d.id;
    if (!ok || !take_format(flat, &o, &co, errp) ||
        !take_file(flat, &co, errp)) {
        return NULL;
    }
    co.read_only = o.read_only;
    co.auto_read_only = o.auto_read_only;
    co.direct = o.direct;
    co.no_flush = o.no_flush;
    co.discard = o.discard;
    if (!take_file_options(flat, &co, errp)) {
        return NULL;
    }
    blk = block_make_raw(&o, id, &co, errp);
    if (!blk) {
        return NULL;
    }
    if (!o.driver && blk->file && !check_format(blk, errp)) {
        blk_free(blk);
        return NULL;
    }
    blk->write_cache = d.write_cache;
    blk->removable = d.cdrom;
    blk->on_read_error = d.on_read_error;
    blk->on_write_error = d.on_write_error;
    return blk;
}
