/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -drive and -blockdev: what is refused, in which words, and that nothing
 * stays behind; what is accepted, and what it means.
 */
#include "qemu/osdep.h"
#include "block/block-int.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"

/* "$D" in options and messages. */
static char *dir;

typedef struct Refused {
    const char *opts;
    const char *error;
    const char *hint;           /* part of it, or NULL */
} Refused;

static char *expand(const char *s)
{
    g_auto(GStrv) parts = g_strsplit(s, "$D", -1);

    return g_strjoinv(dir, parts);
}

static void *make_drive(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse_flat(arg, NULL, NULL, errp);

    return opts ? drive_new(opts, errp) : NULL;
}

static void *make_blockdev(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "driver", NULL, errp);

    return opts && blockdev_add(opts, errp) ? opts : NULL;
}

static void assert_refused(const Refused *c, unsigned n,
                           void *(*make)(const char *, Error **))
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *opts = expand(c[i].opts);
        g_autofree char *error = expand(c[i].error);
        Error *err = NULL;

        if (make(opts, &err)) {
            g_error("accepted: %s", opts);
        }
        g_assert_nonnull(err);
        if (!g_str_equal(error_get_pretty(err), error)) {
            g_error("%s:\n  is   %s\n  want %s", opts, error_get_pretty(err),
                    error);
        }
        if (c[i].hint && (!error_get_hint(err) ||
                          !strstr(error_get_hint(err), c[i].hint))) {
            g_error("%s:\n  hint %s\n  want %s", opts, error_get_hint(err),
                    c[i].hint);
        }
        error_free(err);
        g_assert_true(QTAILQ_EMPTY(&block_backends));
    }
}

#define IMAGE "if=none,format=raw,file=$D/disk"
#define NOT_HERE(x) "Parameter '" x "' is not supported: "

#define SIZE "Parameter 'size' expects a multiple of 512 from 512 to 2^63 - 512"

static const Refused drives[] = {
    /* Files */
    { "if=none,format=raw", "A block device must be specified for \"file\"" },
    { "if=none,format=raw,file=",
      "A block device must be specified for \"file\"" },
    { "if=none,format=raw,file=$D/none",
      "Could not open '$D/none': No such file or directory" },
    { "if=none,file=$D/disk/x",
      "Could not open '$D/disk/x': Not a directory" },
    { "if=none,format=raw,file=$D",
      "'file' driver requires '$D' to be a regular file" },
    { "if=none,format=raw,file=/dev/null",
      "'file' driver requires '/dev/null' to be a regular file" },
    { "if=none,format=raw,file=$D/fifo",
      "'file' driver requires '$D/fifo' to be a regular file" },
    { "if=none,format=raw,file.driver=host_device,file=$D/disk",
      "'host_device' driver requires '$D/disk' to be a block device" },
    { "if=none,format=raw,file=$D/empty",
      "Could not open '$D/empty': It is empty" },
    { "if=none,format=raw,cache=none,file=$D/odd",
      "Could not open '$D/odd': its size is not a multiple of 512, which "
      "direct access (cache.direct=on, cache=none) needs" },
    { IMAGE ",file.filename=$D/disk",
      "Cannot specify both 'file' and 'file.filename'" },
    { "if=none,file=nbd:localhost:10809", "Unknown protocol 'nbd'",
      "write ./nbd:localhost:10809 for a file of that name" },
    { "if=none,file=json:{}", "Unknown protocol 'json'" },
    { "if=none,file=$D/disk,file.driver=nbd",
      "Driver 'nbd' is not supported here; file.driver takes one of: file, "
      "host_device, null-co" },
    { "if=none,file=$D/disk,file.driver=floppy",
      "Parameter 'file.driver' does not accept value 'floppy'; it takes one "
      "of: file, host_device, null-co" },
    /* Formats */
    { "if=none,file=$D/qcow2",
      "Image '$D/qcow2' has the format 'qcow2'; only raw images are opened "
      "here", "qemu-nbd -c /dev/nbd0 -f qcow2" },
    { "if=none,readonly=on,file=$D/qcow2",
      "Image '$D/qcow2' has the format 'qcow2'; only raw images are opened "
      "here", "qemu-img convert -O raw" },
    { "if=none,file=$D/vpc",
      "Image '$D/vpc' has the format 'vpc'; only raw images are opened here" },
    { "if=none,file=$D/vdi",
      "Image '$D/vdi' has the format 'vdi'; only raw images are opened here" },
    { "if=none,format=qcow2,file=$D/qcow2",
      "Format 'qcow2' is not opened here; only raw images are",
      "qemu-nbd -c /dev/nbd0 -f qcow2" },
    { "if=none,format=rwa,file=$D/disk",
      "Parameter 'format' does not accept value 'rwa'; it takes one of: raw, "
      "null-co" },
    { "if=none,format=file,file=$D/disk",
      "Parameter 'format' does not accept value 'file'; it takes one of: raw, "
      "null-co" },
    { IMAGE ",driver=raw", "Cannot specify both 'driver' and 'format'" },
    /* Choices */
    { "format=raw,file=$D/disk", "A drive needs if=none here",
      "-device DRIVER,drive=ID" },
    { "if=virtio,format=raw,file=$D/disk", "A drive needs if=none here" },
    { "if=nonee,format=raw,file=$D/disk",
      "Parameter 'if' does not accept value 'nonee'; it takes one of: none, "
      "ide, scsi, floppy, pflash, mtd, sd, virtio, xen" },
    { IMAGE ",cache=maybe",
      "Parameter 'cache' does not accept value 'maybe'; it takes one of: "
      "writeback, none, off, writethrough, directsync, unsafe" },
    { IMAGE ",aio=native",
      "aio=native (Linux AIO) is not supported here; use aio=io_uring or "
      "aio=threads" },
    { IMAGE ",aio=posix",
      "Parameter 'aio' does not accept value 'posix'; it takes one of: "
      "io_uring, threads, native" },
    { IMAGE ",discard=trim",
      "Parameter 'discard' does not accept value 'trim'; it takes one of: "
      "ignore, unmap, off, on" },
    { IMAGE ",media=tape",
      "Parameter 'media' does not accept value 'tape'; it takes one of: disk, "
      "cdrom" },
    { IMAGE ",werror=enospc",
      "werror=enospc is not supported: an error does not stop the machine "
      "here; use werror=report or werror=ignore" },
    { IMAGE ",rerror=stop",
      "rerror=stop is not supported: an error does not stop the machine here; "
      "use rerror=report or rerror=ignore" },
    { IMAGE ",rerror=retry",
      "Parameter 'rerror' does not accept value 'retry'; it takes one of: "
      "report, ignore, enospc, stop" },
    { IMAGE ",file.locking=maybe",
      "Parameter 'file.locking' does not accept value 'maybe'; it takes one "
      "of: off, on, auto" },
    { IMAGE ",readonly=perhaps",
      "Parameter 'readonly' expects 'on' or 'off'" },
    { IMAGE ",cache.direct=1",
      "Parameter 'cache.direct' expects 'on' or 'off'" },
    { IMAGE ",snapshot=on", "Parameter 'snapshot' can only be 'off' here" },
    { IMAGE ",copy-on-read=on",
      "Parameter 'copy-on-read' can only be 'off' here" },
    { IMAGE ",detect-zeroes=unmap",
      "Parameter 'detect-zeroes' can only be 'off' here" },
    { IMAGE ",detect-zeroes=x",
      "Parameter 'detect-zeroes' expects 'on' or 'off'" },
    { "if=none,driver=null-co,size=lots",
      "Parameter 'size' expects a size below 2^64 such as 512M or 1.5G, not "
      "'lots'" },
    { "if=none,driver=null-co,size=16E",
      "Parameter 'size' expects a size below 2^64 such as 512M or 1.5G, not "
      "'16E'" },
    { "if=none,driver=null-co,size=18446744073709551615",
      SIZE },
    { "if=none,driver=null-co,size=0",
      SIZE },
    { "if=none,driver=null-co,size=1000", SIZE },
    /* QEMU's, and not here */
    { IMAGE ",serial=x", NOT_HERE("serial")
      "give it to the device: -device ...,serial=" },
    { IMAGE ",index=0", NOT_HERE("index")
      "with if=none the device decides where the disk is" },
    { IMAGE ",throttling.bps-total=1", NOT_HERE("throttling.bps-total")
      "throttling is not supported here" },
    { IMAGE ",iops=1", NOT_HERE("iops") "throttling is not supported here" },
    { IMAGE ",offset=512", NOT_HERE("offset")
      "a part of an image is not supported here" },
    { IMAGE ",backing.file.filename=x", NOT_HERE("backing.file.filename")
      "a raw image has no backing file" },
    { IMAGE ",file.drop-cache=on", NOT_HERE("file.drop-cache")
      "the page cache is left alone here" },
    { "if=none,driver=null-co,size=1M,latency-ns=10000000001",
      "Parameter 'latency-ns' expects a number from 0 to 10000000000, not "
      "'10000000001'" },
    /* Unknown */
    { IMAGE ",foo=1", "Invalid parameter 'foo' for -drive",
      "Its parameters are: file, format," },
    { IMAGE ",chache=none",
      "Invalid parameter 'chache' for -drive; did you mean 'cache'?" },
    { IMAGE ",file.lock=on",
      "Invalid parameter 'file.lock' for -drive; did you mean "
      "'file.locking'?" },
    { IMAGE ",size=1M", "Invalid parameter 'size' for -drive" },
    { "if=none,driver=null-co,aio=threads",
      "Invalid parameter 'aio' for -drive" },
    /* Names */
    { IMAGE ",id=1b", "Parameter 'id' expects an identifier",
      "starting with a letter" },
    { IMAGE ",node-name=1b", "Invalid node-name: '1b'" },
    { IMAGE ",node-name=a2345678901234567890123456789012",
      "Invalid node-name: 'a2345678901234567890123456789012'" },
    { IMAGE ",id=a,node-name=a",
      "node-name=a is conflicting with a device id" },
};

#define RAW "driver=raw,node-name=n,file.driver=file,file.filename=$D/disk"

static const Refused blockdevs[] = {
    { "node-name=n", "Parameter 'driver' is missing" },
    { "rawx,node-name=n",
      "Parameter 'driver' does not accept value 'rawx'; it takes one of: raw, "
      "file, host_device, null-co" },
    { "qcow2,node-name=n,file.driver=file,file.filename=$D/qcow2",
      "Format 'qcow2' is not opened here; only raw images are" },
    { "nbd,node-name=n",
      "Driver 'nbd' is not supported here; driver takes one of: raw, file, "
      "host_device, null-co" },
    { "raw,node-name=n", "Parameter 'file' is missing" },
    { "raw,node-name=n,file=other",
      "Cannot find device='other' nor node-name='other'" },
    { "raw,node-name=n,file.driver=raw",
      "Parameter 'file.driver' does not accept value 'raw'; it takes one of: "
      "file, host_device, null-co" },
    { "raw,node-name=n,file.driver=file",
      "Parameter 'file.filename' is missing" },
    { "raw,node-name=n,file.filename=$D/disk",
      "Parameter 'file' is missing" },
    { "file,node-name=n", "Parameter 'filename' is missing" },
    { "file,filename=$D/disk",
      "'node-name' must be specified for the root node" },
    { "file,node-name=1n,filename=$D/disk", "Invalid node-name: '1n'" },
    { "file,node-name=n,filename=$D/none",
      "Could not open '$D/none': No such file or directory" },
    { "file,node-name=n,filename=/dev/null",
      "'file' driver requires '/dev/null' to be a regular file" },
    { "host_device,node-name=n,filename=$D/disk",
      "'host_device' driver requires '$D/disk' to be a block device" },
    { RAW ",foo=1", "Invalid parameter 'foo' for driver raw" },
    { RAW ",file.bogus=1", "Invalid parameter 'file.bogus' for driver raw" },
    { RAW ",filename=x",
      "Invalid parameter 'filename' for driver raw", "file.filename" },
    { RAW ",readonly=on",
      "Invalid parameter 'readonly' for driver raw; did you mean "
      "'read-only'?" },
    { RAW ",cache.direct=maybe",
      "Parameter 'cache.direct' expects 'on' or 'off'" },
    { RAW ",file.aio=native",
      "file.aio=native (Linux AIO) is not supported here; use "
      "file.aio=io_uring or file.aio=threads" },
    { RAW ",file.read-only=on",
      "Block node 'file' is read-only; the raw node over it needs "
      "read-only=on" },
    { RAW ",force-share=on", NOT_HERE("force-share")
      "use locking=off (-drive: file.locking=off)" },
    { RAW ",size=4096", "Invalid parameter 'size' for driver raw" },
    { "{\"driver\": \"raw\", \"node-name\": \"n\", \"file\": [1]}",
      "Parameter 'file' expects a string" },
    { "{\"driver\": \"file\", \"node-name\": \"n\", \"filename\": 7}",
      "Parameter 'filename' expects a string" },
    { "{\"driver\": \"file\", \"node-name\": \"n\", \"filename\": "
      "\"$D/disk\", \"read-only\": 1}",
      "Parameter 'read-only' expects 'on' or 'off'" },
};

static void test_refused_drives(void)
{
    assert_refused(drives, ARRAY_SIZE(drives), make_drive);
}

static void test_refused_blockdevs(void)
{
    assert_refused(blockdevs, ARRAY_SIZE(blockdevs), make_blockdev);
}

static void add_drive(const char *arg)
{
    g_autofree char *opts = expand(arg);

    make_drive(opts, &error_abort);
}

static void add_blockdev(const char *arg)
{
    g_autofree char *opts = expand(arg);

    make_blockdev(opts, &error_abort);
}

static void refuse(void *(*make)(const char *, Error **), const char *arg,
                   const char *text)
{
    g_autofree char *opts = expand(arg);
    Error *err = NULL;

    g_assert_null(make(opts, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, text);
    error_free(err);
}

static void refuse_del(const char *name, const char *text)
{
    Error *err = NULL;

    g_assert_false(blockdev_del(name, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, text);
    error_free(err);
}

/* -- What belongs together ------------------------------------------------*/

static void test_names(void)
{
    add_drive(IMAGE ",id=a,node-name=an");
    add_blockdev("file,node-name=n,filename=$D/disk");
    refuse(make_drive, IMAGE ",id=a", "Duplicate ID 'a' for drive");
    refuse(make_drive, IMAGE ",id=n",
           "Device name 'n' conflicts with an existing node name");
    refuse(make_drive, IMAGE ",id=b,node-name=n",
           "Duplicate nodes with node-name='n'");
    refuse(make_drive, IMAGE ",id=b,node-name=a",
           "node-name=a is conflicting with a device id");
    refuse(make_blockdev, "file,node-name=n,filename=$D/disk",
           "Duplicate nodes with node-name='n'");
    refuse(make_blockdev, "file,node-name=a,filename=$D/disk",
           "node-name=a is conflicting with a device id");
    g_assert_true(blk_by_name("a") == blk_by_name("an"));
    g_assert_cmpstr(blk_name(blk_by_name("an")), ==, "a");
    g_assert_cmpstr(blk_name(blk_by_name("n")), ==, "n");
    g_assert_null(blk_by_name("b"));
    blk_close_all();
}

static void test_layers(void)
{
    Object *dev = (Object *)&dir;       /* only compared */
    Error *err = NULL;

    add_blockdev("file,node-name=f,filename=$D/disk,cache.direct=off");
    add_blockdev("file,node-name=ro,filename=$D/disk,read-only=on");
    refuse(make_blockdev, "raw,node-name=n,file=ro",
           "Block node 'ro' is read-only; the raw node over it needs "
           "read-only=on");
    refuse(make_blockdev, "raw,node-name=n,file=f,cache.direct=on",
           "Parameter 'cache.direct' contradicts that of node 'f', which "
           "decides");
    refuse(make_blockdev, "raw,node-name=n,file=f,cache.no-flush=on",
           "Parameter 'cache.no-flush' contradicts that of node 'f', which "
           "decides");
    add_blockdev("raw,node-name=r,file=f,cache.direct=off");
    add_blockdev("raw,node-name=rr,file=ro,read-only=on");
    g_assert_true(blk_is_read_only(blk_by_name("rr")));
    refuse(make_blockdev, "raw,node-name=n,file=f", "Node 'f' is in use");
    refuse(make_blockdev, "raw,node-name=n,file=r",
           "Node 'r' is a raw node itself; the file of a raw node is a file, "
           "host_device or null-co node");
    g_assert_false(blk_attach_dev(blk_by_name("f"), dev, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Node 'f' is in use: it is the file of node 'r'");
    error_free(err);
    refuse_del("x", "Failed to find node with node-name='x'");
    refuse_del("f", "Block device f is in use");
    blk_attach_dev(blk_by_name("r"), dev, &error_abort);
    refuse_del("r", "Node r is in use");
    blk_detach_dev(blk_by_name("r"));
    g_assert_true(blockdev_del("r", &error_abort));
    g_assert_true(blockdev_del("f", &error_abort));
    g_assert_null(blk_by_name("f"));
    add_drive(IMAGE ",id=d,node-name=dn");
    refuse_del("dn", "Node dn is not owned by the monitor");
    blk_close_all();
    g_assert_true(QTAILQ_EMPTY(&block_backends));
}

/* -- What is accepted -----------------------------------------------------*/

static void test_cache_modes(void)
{
    static const struct {
        const char *opts;
        bool write_cache, direct, no_flush;
    } c[] = {
        { "", true, false, false },
        { ",cache=writeback", true, false, false },
        { ",cache=none", true, true, false },
        { ",cache=off", true, true, false },
        { ",cache=writethrough", false, false, false },
        { ",cache=directsync", false, true, false },
        { ",cache=unsafe", true, false, true },
        { ",cache=none,cache.direct=off", true, false, false },
        { ",cache.writeback=off,cache.no-flush=on", false, false, true },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        g_autofree char *arg = g_strconcat(IMAGE ",id=d", c[i].opts, NULL);
        g_autofree char *opts = expand(arg);
        Error *err = NULL;
        BlockBackend *blk = make_drive(opts, &err);

        if (!blk && c[i].direct &&
            strstr(error_get_pretty(err), "direct access")) {
            g_test_message("%s", error_get_pretty(err));
            error_free(err);
            continue;
        }
        g_assert_nonnull(blk);
        g_assert_cmpint(blk_enable_write_cache(blk), ==, c[i].write_cache);
        g_assert_cmpint(blk->file->direct, ==, c[i].direct);
        g_assert_cmpint(blk->file->no_flush, ==, c[i].no_flush);
        g_assert_cmpint(blk_request_alignment(blk) > 1, ==, c[i].direct);
        blk_close_all();
    }
}

static void test_drive_forms(void)
{
    static const char *const forms[] = {
        IMAGE ",id=d",
        "if=none,id=d,driver=raw,file.driver=file,file.filename=$D/disk",
        "if=none,id=d,driver=raw,file=file:$D/disk",
        IMAGE ",id=d,readonly=off,file.locking=auto,media=disk,werror=ignore,"
        "rerror=report,discard=on,snapshot=off,detect-zeroes=off,aio=threads",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
        g_autofree char *path = g_build_filename(dir, "disk", NULL);

        add_drive(forms[i]);
        g_assert_cmpstr(blk_filename(blk_by_name("d")), ==, path);
        g_assert_false(blk_is_read_only(blk_by_name("d")));
        blk_close_all();
    }
    add_drive("if=none,id=d,media=cdrom,format=raw,file=$D/disk");
    g_assert_true(blk_is_read_only(blk_by_name("d")));
    add_drive("if=none,file=null-co://,size=1k");
    g_assert_true(g_str_has_prefix(
        blk_name(QTAILQ_LAST(&block_backends, BlockBackendList)), "none"));
    g_assert_cmpuint(blk_getlength(
        QTAILQ_LAST(&block_backends, BlockBackendList)), ==, 1024);
    add_drive("if=none,id=q,format=raw,file=$D/qcow2");
    blk_close_all();
}

static void test_discard(void)
{
    static const struct {
        const char *opts;
        bool can;
    } c[] = {
        { RAW, false },
        { RAW ",discard=unmap", true },
        { RAW ",discard=unmap,file.discard=ignore", false },
        { RAW ",file.discard=unmap", false },
        { RAW ",discard=unmap,read-only=on", false },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        add_blockdev(c[i].opts);
        g_assert_cmpint(blk_can_discard(blk_by_name("n")), ==, c[i].can);
        blk_close_all();
    }
}

/* As libvirt gives them. */
static void test_json(void)
{
    add_blockdev("{\"driver\":\"file\",\"filename\":\"$D/disk\","
                 "\"node-name\":\"libvirt-1-storage\",\"cache\":"
                 "{\"direct\":false,\"no-flush\":false},"
                 "\"auto-read-only\":true,\"discard\":\"unmap\"}");
    add_blockdev("{\"node-name\":\"libvirt-1-format\","
                 "\"read-only\":false,\"cache\":{\"direct\":false,"
                 "\"no-flush\":false},\"driver\":\"raw\","
                 "\"file\":\"libvirt-1-storage\"}");
    g_assert_cmpuint(blk_getlength(blk_by_name("libvirt-1-format")), ==,
                     1 * MiB);
    blk_close_all();
}

static JsonObject *only_object(JsonNode *array, unsigned i)
{
    return json_array_get_object_element(json_node_get_array(array), i);
}

static void test_queries(void)
{
    g_autoptr(JsonNode) info = NULL, stats = NULL, nodes = NULL;
    JsonObject *inserted;

    add_drive(IMAGE ",id=d,node-name=dn,cache=writethrough,readonly=on");
    add_blockdev("null-co,node-name=z");
    info = blk_query();
    g_assert_cmpuint(json_array_get_length(json_node_get_array(info)), ==, 1);
    g_assert_cmpstr(json_object_get_string_member(only_object(info, 0),
                                                  "device"), ==, "d");
    inserted = json_object_get_object_member(only_object(info, 0),
                                             "inserted");
    g_assert_cmpstr(json_object_get_string_member(inserted, "drv"), ==,
                    "raw");
    g_assert_true(json_object_get_boolean_member(inserted, "ro"));
    g_assert_false(json_object_get_boolean_member(
        json_object_get_object_member(inserted, "cache"), "writeback"));
    g_assert_cmpint(json_object_get_int_member(
        json_object_get_object_member(inserted, "image"), "virtual-size"), ==,
        1 * MiB);
    stats = blk_query_stats();
    g_assert_cmpint(json_object_get_int_member(
        json_object_get_object_member(only_object(stats, 0), "stats"),
        "rd_operations"), ==, 0);
    nodes = blk_query_nodes();
    g_assert_cmpuint(json_array_get_length(json_node_get_array(nodes)), ==,
                     3);
    blk_close_all();
}

/* -- Formats --------------------------------------------------------------*/

static void test_formats(void)
{
    static const struct {
        const char *format;
        char head[24], tail[9];
        unsigned at;
    } c[] = {
        { NULL, "", "" },
        { NULL, "QFI", "" },
        { "qcow", "QFI\xfb\0\0\0\1", "" },
        { "qcow2", "QFI\xfb\0\0\0\2", "" },
        { "qcow2", "QFI\xfb\0\0\0\3", "" },
        { "qed", "QED", "" },
        { "vmdk", "KDMV", "" },
        { "vmdk", "COWD", "" },
        { "vmdk", "# Disk DescriptorFile", "" },
        { "vdi", "\x7f\x10\xda\xbe", "", 64 },
        { "vhdx", "vhdxfile", "" },
        { "luks", "LUKS\xba\xbe", "" },
        { "vpc", "conectix", "" },
        { "vpc", "", "conectix" },
        { "dmg", "", "koly" },
        { "parallels", "WithoutFreeSpace", "" },
        { "parallels", "WithouFreSpacExt", "" },
        { "bochs", "Bochs Virtual HD Image", "" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        uint8_t head[512] = { }, tail[512] = { };

        memcpy(head + c[i].at, c[i].head, sizeof(c[i].head));
        memcpy(tail, c[i].tail, sizeof(c[i].tail));
        g_assert_cmpstr(block_format_probe(head, 512, tail, 512), ==,
                        c[i].format);
    }
    /* Images shorter than a signature. */
    g_assert_null(block_format_probe((const uint8_t *)"QFI\xfb", 3, NULL,
                                     0));
}

/* -- The folder -----------------------------------------------------------*/

static void put(const char *name, uint64_t size, uint64_t at, const char *s)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    g_assert_cmpint(pwrite(fd, s, strlen(s), at), ==, strlen(s));
    close(fd);
}

static const char *const names[] = {
    "disk", "empty", "odd", "qcow2", "vpc", "vdi", "fifo"
};

int main(int argc, char **argv)
{
    g_autofree char *fifo = NULL;
    int ret;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    dir = g_dir_make_tmp("test-blockdev-options-XXXXXX", NULL);
    g_assert_nonnull(dir);
    put("disk", 1 * MiB, 0, "");
    put("empty", 0, 0, "");
    put("odd", 1000, 0, "");
    put("qcow2", 65536, 0, "QFI\xfb");
    put("vpc", 65536, 65536 - 512, "conectix");
    put("vdi", 65536, 64, "\x7f\x10\xda\xbe");
    fifo = g_build_filename(dir, "fifo", NULL);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);

    g_test_add_func("/blockdev-options/drive-refuses-in-these-words",
                    test_refused_drives);
    g_test_add_func("/blockdev-options/blockdev-refuses-in-these-words",
                    test_refused_blockdevs);
    g_test_add_func("/blockdev-options/names-are-unique", test_names);
    g_test_add_func("/blockdev-options/layers-have-one-user", test_layers);
    g_test_add_func("/blockdev-options/cache-modes", test_cache_modes);
    g_test_add_func("/blockdev-options/drive-forms", test_drive_forms);
    g_test_add_func("/blockdev-options/discard-needs-every-layer",
                    test_discard);
    g_test_add_func("/blockdev-options/as-libvirt-gives-them", test_json);
    g_test_add_func("/blockdev-options/queries", test_queries);
    g_test_add_func("/blockdev-options/formats-by-signature", test_formats);
    ret = g_test_run();

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);

        unlink(path);
    }
    rmdir(dir);
    g_free(dir);
    return ret;
}
