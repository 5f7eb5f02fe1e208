/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCSI devices as an adapter sees them: commands, pages, sense data. */
#include "qemu/osdep.h"
#include "hw/scsi/scsi.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"

#define BLOCKS 2048
#define MEMORY (64 * 1024)

typedef struct World {
    DeviceState *hba;
    SCSIBus bus;
    char *path;
    SCSIDevice *dev;
    bool complete, transferred;
    uint8_t status;
    uint64_t done;              /* bytes of data */
    uint8_t mem[MEMORY];
} World;

static World *w;

static void transferred(SCSIRequest *req)
{
    w->transferred = true;
}

static void complete(SCSIRequest *req)
{
    w->complete = true;
    w->status = req->status;
    scsi_req_free(req);
}

static const SCSIBusInfo info = {
    .max_target = 15, .max_lun = 7, .initiator = 7,
    .transferred = transferred, .complete = complete,
};

static const TypeInfo hba_type = {
    .name = "test-hba", .parent = TYPE_DEVICE,
};

static SCSIDevice *add(const char *type, const char *props, Error **errp)
{
    DeviceState *dev = qdev_new(type);
    g_auto(GStrv) list = g_strsplit(props, ",", -1);
    bool ok = true;

    for (unsigned i = 0; list[i] && ok; i++) {
        g_auto(GStrv) kv = g_strsplit(list[i], "=", 2);

        ok = object_property_set_str(OBJECT(dev), kv[0], kv[1], errp);
    }
    ok = ok && qdev_realize(dev, &w->bus.qbus, errp);
    object_unref(dev);
    return ok ? SCSI_DEVICE(dev) : NULL;
}

static void world_new(const char *drive)
{
    g_autoptr(JsonObject) opts = NULL;
    g_autofree char *text = NULL;
    int fd;

    w = g_new0(World, 1);
    fd = g_file_open_tmp("scsi-XXXXXX", &w->path, NULL);
    g_assert_cmpint(ftruncate(fd, BLOCKS * 512), ==, 0);
    close(fd);
    text = g_strdup_printf("file=%s,format=raw,if=none,id=disk,%s", w->path,
                           drive);
    opts = keyval_parse_flat(text, NULL, NULL, &error_abort);
    drive_new(opts, &error_abort);
    w->hba = qdev_new("test-hba");
    qdev_realize(w->hba, NULL, &error_abort);
    scsi_bus_init(&w->bus, sizeof(w->bus), w->hba, &info);
    qbus_realize(&w->bus.qbus, &error_abort);
}

static void world_free(void)
{
    qdev_unparent(w->hba);
    object_unref(w->hba);
    blk_close_all();
    unlink(w->path);
    g_free(w->path);
    g_free(w);
}

/* A command from start to end, its data in pieces of @piece bytes. */
static uint8_t run_at(unsigned target, unsigned lun, uint64_t piece,
                      const uint8_t *cdb, unsigned len)
{
    SCSIRequest *req = scsi_req_new(&w->bus, 0, target, lun, 0, NULL);
    int64_t end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    w->complete = false;
    w->done = 0;
    scsi_req_start(req, cdb, len);
    while (!w->complete) {
        struct iovec iov = { w->mem + w->done, 0 };

        w->transferred = false;
        if (req->mode != SCSI_XFER_NONE) {
            iov.iov_len = MIN(piece, req->xfer - w->done);
            g_assert_cmpuint(w->done + iov.iov_len, <=, MEMORY);
            w->done += iov.iov_len;
            scsi_req_transfer(req, &iov, 1, iov.iov_len);
        }
        while (!w->complete && !w->transferred) {
            g_assert_cmpint(g_get_monotonic_time(), <, end);
            aio_poll(qemu_get_aio_context(), true);
        }
    }
    return w->status;
}

#define RUN(...) ({                                                     \
    const uint8_t cdb_[16] = { __VA_ARGS__ };                           \
    run_at(0, 0, MEMORY, cdb_, 16); })
#define GOOD(...) g_assert_cmphex(RUN(__VA_ARGS__), ==, SCSI_GOOD)

static void check_sense(uint8_t key, uint8_t asc, uint8_t ascq)
{
    GOOD(0x03, 0, 0, 0, 252);
    g_assert_cmphex(w->mem[2], ==, key);
    g_assert_cmphex(w->mem[12], ==, asc);
    g_assert_cmphex(w->mem[13], ==, ascq);
}
#define FAILS(key, asc, ascq, ...) do {                                 \
        g_assert_cmphex(RUN(__VA_ARGS__), ==, SCSI_CHECK_CONDITION);    \
        check_sense(key, asc, ascq);                                    \
    } while (0)

static void hd(const char *drive, const char *props)
{
    g_autofree char *all = g_strconcat("drive=disk,serial=S1", props, NULL);

    world_new(drive);
    w->dev = add("scsi-hd", all, &error_abort);
    FAILS(6, 0x29, 0, 0x00);
    GOOD(0x00);
}

static void cd(const char *props)
{
    world_new("media=cdrom");
    w->dev = add("scsi-cd", props, &error_abort);
    FAILS(6, 0x29, 0, 0x00);
}

static void test_inquiry(void)
{
    hd("discard=unmap", ",wwn=0x5000c50015ea71ac,rotation_rate=7200,"
       "vendor=ACME,product=DISK,ver=1.0");
    GOOD(0x12, 0, 0, 0, 255);
    g_assert_cmpuint(w->done, ==, 96);
    g_assert_cmpint(memcmp(w->mem + 8, "ACME    DISK            1.0 ", 28), ==,
                    0);
    GOOD(0x12, 0, 0, 0, 5);
    g_assert_cmpuint(w->done, ==, 5);
    FAILS(5, 0x24, 0, 0x12, 0, 1, 0, 255);
    g_assert_cmphex(w->mem[15], ==, 0xc0);
    g_assert_cmphex(ldw_be_p(w->mem + 16), ==, 2);
    GOOD(0x12, 1, 0x00, 0, 255);
    g_assert_cmpint(memcmp(w->mem + 2, "\0\6\x00\x80\x83\xb0\xb1\xb2", 8), ==,
                    0);
    GOOD(0x12, 1, 0x80, 0, 255);
    g_assert_cmpint(memcmp(w->mem + 3, "\2S1", 3), ==, 0);
    GOOD(0x12, 1, 0x83, 0, 255);
    g_assert_cmphex(ldq_be_p(w->mem + 4 + 6 + 4), ==, 0x5000c50015ea71ac);
    GOOD(0x12, 1, 0xb0, 0, 255);
    g_assert_cmphex(ldl_be_p(w->mem + 20), ==, UINT32_MAX);
    GOOD(0x12, 1, 0xb1, 0, 255);
    g_assert_cmpuint(ldw_be_p(w->mem + 4), ==, 7200);
    GOOD(0x12, 1, 0xb2, 0, 255);
    g_assert_cmphex(w->mem[5], ==, 0xe0);
    FAILS(5, 0x24, 0, 0x12, 1, 0xb7, 0, 255);
    world_free();
}

static void test_capacity(void)
{
    hd("discard=unmap", ",physical_block_size=4096");
    GOOD(0x25);
    g_assert_cmpuint(ldl_be_p(w->mem), ==, BLOCKS - 1);
    g_assert_cmpuint(ldl_be_p(w->mem + 4), ==, 512);
    GOOD(0x9e, 0x10, [13] = 32);
    g_assert_cmpuint(ldq_be_p(w->mem), ==, BLOCKS - 1);
    g_assert_cmphex(w->mem[13], ==, 3);
    g_assert_cmphex(w->mem[14], ==, 0x80);
    FAILS(5, 0x24, 0, 0x9e, 0x11, [13] = 32);
    world_free();
}

/* Writes blocks 3 to 6 by one command and reads them by another. */
static void write_read(const uint8_t *write, const uint8_t *read)
{
    static uint8_t pattern = 1;

    pattern++;
    memset(w->mem, pattern, 2048);
    g_assert_cmphex(run_at(0, 0, 700, write, 16), ==, SCSI_GOOD);
    g_assert_cmpuint(w->done, ==, 2048);
    memset(w->mem, 0, 2048);
    g_assert_cmphex(run_at(0, 0, 1000, read, 16), ==, SCSI_GOOD);
    for (int i = 0; i < 2048; i++) {
        g_assert_cmphex(w->mem[i], ==, pattern);
    }
}
#define WRITE_READ(w_, r_) write_read((const uint8_t[16])w_, \
                                      (const uint8_t[16])r_)
#define C(...) { __VA_ARGS__ }

static void test_read_write(void)
{
    hd("cache=writeback", "");
    WRITE_READ(C(0x0a, 0, 0, 3, 4), C(0x08, 0, 0, 3, 4));
    WRITE_READ(C(0x2a, 8, 0, 0, 0, 3, 0, 0, 4),
               C(0x28, 0, 0, 0, 0, 3, 0, 0, 4));
    WRITE_READ(C(0xaa, [5] = 3, [9] = 4), C(0xa8, [5] = 3, [9] = 4));
    WRITE_READ(C(0x8a, [9] = 3, [13] = 4), C(0x88, [9] = 3, [13] = 4));
    WRITE_READ(C(0x2e, [5] = 3, [8] = 4), C(0x28, [5] = 3, [8] = 4));
    GOOD(0x28);                                 /* nothing */
    GOOD(0x2f, 2, [5] = 3, [8] = 4);            /* VERIFY, BYTCHK */
    w->mem[1000] ^= 1;
    FAILS(0xe, 0x1d, 0, 0x2f, 2, [5] = 3, [8] = 4);
    GOOD(0x35);
    GOOD(0x91);
    GOOD(0x2b);
    FAILS(5, 0x21, 0, 0x28, 0, 0, 0, 0x07, 0xff, 0, 0, 2);
    FAILS(5, 0x21, 0, 0x88, 0, [2] = 0xff, [3] = 0xff, [4] = 0xff,
          [5] = 0xff, [6] = 0xff, [7] = 0xff, [8] = 0xff, [9] = 0xff,
          [13] = 1);
    FAILS(5, 0x24, 0, 0x28, 0x20, [8] = 1);     /* RDPROTECT */
    world_free();
}

static void test_unmap_write_same(void)
{
    hd("discard=unmap", "");
    memset(w->mem, 0x5a, 512);
    GOOD(0x41, 0, [5] = 8, [8] = 16);
    GOOD(0x28, 0, [5] = 23, [8] = 1);
    g_assert_cmphex(w->mem[511], ==, 0x5a);
    GOOD(0x93, 9, [9] = 8, [13] = 4);           /* UNMAP, NDOB */
    GOOD(0x28, 0, [5] = 11, [8] = 1);
    g_assert_cmphex(w->mem[0], ==, 0);
    memset(w->mem, 0, 24);
    stw_be_p(w->mem, 22);
    stw_be_p(w->mem + 2, 16);
    stq_be_p(w->mem + 8, 16);
    stl_be_p(w->mem + 16, 4);
    GOOD(0x42, [8] = 24);
    stq_be_p(w->mem + 8, BLOCKS);
    FAILS(5, 0x21, 0, 0x42, [8] = 24);
    stw_be_p(w->mem, 100);
    FAILS(5, 0x26, 0, 0x42, [8] = 24);
    world_free();
    hd("discard=ignore", "");
    FAILS(5, 0x20, 0, 0x42, [8] = 24);
    FAILS(5, 0x24, 0, 0x93, 8, [13] = 4);
    world_free();
}

static void test_mode(void)
{
    hd("cache=writeback", "");
    GOOD(0x1a, 0, 0x08, 0, 255);
    g_assert_cmpuint(w->mem[0] + 1u, ==, w->done);
    g_assert_cmphex(w->mem[4 + 8 + 2], ==, 0x04);
    w->mem[0] = 0;
    w->mem[4 + 8 + 2] = 0;                      /* WCE off */
    GOOD(0x15, 0x10, 0, 0, w->done);
    GOOD(0x5a, 8, 0x48, [8] = 255);             /* changeable */
    g_assert_cmphex(w->mem[8 + 2], ==, 0x04);
    GOOD(0x5a, 8, 0x08, [8] = 255);
    g_assert_cmphex(w->mem[8 + 2], ==, 0);
    w->mem[8 + 3] = 1;
    FAILS(5, 0x26, 0, 0x55, 0x10, [8] = w->done);
    g_assert_cmpuint(ldw_be_p(w->mem + 16), ==, 8 + 3);
    GOOD(0x1a, 0, 0x3f, 0, 255);
    FAILS(5, 0x24, 0, 0x1a, 0, 0x2a, 0, 255);
    FAILS(5, 0x39, 0, 0x1a, 0, 0xc8, 0, 255);
    FAILS(5, 0x1a, 0, 0x15, 0x10, 0, 0, 2);
    world_free();
}

static void test_refused(void)
{
    hd("readonly=on", "");
    FAILS(7, 0x27, 0, 0x2a, [8] = 1);
    FAILS(5, 0x20, 0, 0x5e);                    /* PERSISTENT RESERVE */
    FAILS(5, 0x20, 0, 0x5f);
    FAILS(5, 0x20, 0, 0x43);
    FAILS(5, 0x20, 0, 0xff);
    FAILS(5, 0x24, 0, 0x00, [5] = 4);           /* NACA */
    GOOD(0x1b, 0, 0, 0, 0);                     /* stop */
    FAILS(2, 0x04, 2, 0x28, [8] = 1);
    GOOD(0x1b, 0, 0, 0, 1);
    GOOD(0x28, [8] = 1);
    GOOD(0x1d);
    GOOD(0x16);
    /* Sense data goes with the command after it. */
    g_assert_cmphex(RUN(0xff), ==, SCSI_CHECK_CONDITION);
    GOOD(0x00);
    check_sense(0, 0, 0);
    world_free();
}

static void test_target(void)
{
    const uint8_t inquiry[16] = { 0x12, 0, 0, 0, 36 }, tur[16] = { 0 };
    const uint8_t sense[16] = { 0x03, 1, 0, 0, 252 };

    hd("cache=writeback", "");
    GOOD(0xa0, [9] = 16);
    g_assert_cmpuint(ldl_be_p(w->mem), ==, 8);
    FAILS(5, 0x24, 0, 0xa0, [9] = 15);
    g_assert_cmphex(run_at(0, 3, 100, inquiry, 16), ==, SCSI_GOOD);
    g_assert_cmphex(w->mem[0], ==, 0x7f);
    g_assert_cmphex(run_at(0, 3, 100, tur, 16), ==, SCSI_CHECK_CONDITION);
    g_assert_cmphex(run_at(0, 3, 100, sense, 16), ==, SCSI_GOOD);
    g_assert_cmphex(w->mem[0], ==, 0x72);
    g_assert_cmphex(w->mem[2], ==, 0x25);
    scsi_bus_reset(&w->bus);
    FAILS(6, 0x29, 2, 0x00);
    GOOD(0x00);
    scsi_target_reset(&w->bus, 0, 0);
    FAILS(6, 0x29, 3, 0x00);
    world_free();
}

/* Unplugged while one command waits for the adapter to take its data and the
 * next one's data is on its way. */
static void test_unplug(void)
{
    const uint8_t read[16] = { 0x28, [8] = 2 }, tur[16] = { 0 };
    const uint8_t sense[16] = { 0x03, 0, 0, 0, 252 };
    struct iovec iov = { NULL, 512 };
    SCSIRequest *req;

    for (int moving = 0; moving < 2; moving++) {
        hd("cache=writeback", "");
        iov.iov_base = w->mem;
        req = scsi_req_new(&w->bus, 0, 0, 0, 0, NULL);
        scsi_req_start(req, read, 16);
        g_assert_cmpuint(req->xfer, ==, 1024);
        if (moving) {
            scsi_req_transfer(req, &iov, 1, iov.iov_len);
        }
        w->complete = w->transferred = false;
        g_assert_true(qdev_unplug(&w->dev->qdev, &error_abort));
        g_assert_true(w->complete);
        g_assert_false(w->transferred);
        g_assert_cmphex(w->status, ==, SCSI_CHECK_CONDITION);
        g_assert_false(scsi_bus_has_target(&w->bus, 0, 0));
        g_assert_cmphex(run_at(0, 0, 100, tur, 16), ==, SCSI_CHECK_CONDITION);
        g_assert_cmphex(run_at(0, 0, 100, sense, 16), ==, SCSI_GOOD);
        g_assert_cmphex(w->mem[12], ==, 0x25);
        w->dev = add("scsi-hd", "drive=disk,scsi-id=0", &error_abort);
        FAILS(6, 0x29, 0, 0x00);
        GOOD(0x00);
        world_free();
    }
}

static void test_cd(void)
{
    cd("drive=disk");
    GOOD(0x12, 0, 0, 0, 96);
    g_assert_cmphex(w->mem[0], ==, 5);
    g_assert_cmphex(w->mem[1], ==, 0x80);
    GOOD(0x25);
    g_assert_cmpuint(ldl_be_p(w->mem), ==, BLOCKS / 4 - 1);
    g_assert_cmpuint(ldl_be_p(w->mem + 4), ==, 2048);
    GOOD(0x43, 0, [8] = 255);
    g_assert_cmpuint(w->done, ==, 20);
    g_assert_cmpuint(ldl_be_p(w->mem + 16), ==, BLOCKS / 4);
    GOOD(0x43, 2, 2, [8] = 255);
    FAILS(5, 0x24, 0, 0x43, 0, 7, [8] = 255);
    GOOD(0x46, [8] = 255);
    g_assert_cmphex(ldw_be_p(w->mem + 6), ==, 8);
    GOOD(0x4a, 1, 0, 0, 0x10, [8] = 255);
    GOOD(0x51, [8] = 255);
    GOOD(0x5a, 0, 0x2a, [8] = 255);
    GOOD(0xbb);
    GOOD(0xbd, [9] = 255);
    FAILS(5, 0x20, 0, 0x2a, [8] = 1);
    GOOD(0x1e, 0, 0, 0, 1);
    FAILS(5, 0x53, 2, 0x1b, 0, 0, 0, 2);
    GOOD(0x1e);
    GOOD(0x1b, 0, 0, 0, 2);                     /* eject */
    FAILS(2, 0x3a, 2, 0x00);
    GOOD(0x1b, 0, 0, 0, 3);                     /* load */
    FAILS(6, 0x28, 0, 0x00);
    GOOD(0x28, [8] = 1);
    world_free();
    cd("scsi-id=0");                            /* no disc */
    FAILS(2, 0x3a, 0, 0x00);
    FAILS(2, 0x3a, 0, 0x28, [8] = 1);
    world_free();
}

static void refuse(const char *type, const char *props, const char *what)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(add(type, props, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), what));
}

static void test_addresses(void)
{
    SCSIDevice *dev;
    g_autofree char *path = NULL;

    world_new("cache=writeback");
    refuse("scsi-hd", "scsi-id=0", "drive");
    refuse("scsi-cd", "scsi-id=7", "adapter");
    refuse("scsi-cd", "scsi-id=16", "scsi-id");
    refuse("scsi-cd", "scsi-id=-2", "must be from 0 to 15");
    refuse("scsi-cd", "lun=8", "lun");
    refuse("scsi-cd", "channel=1", "channel");
    refuse("scsi-cd", "bootindex=-2", "bootindex -2");
    refuse("scsi-hd", "drive=disk,logical_block_size=513",
           "logical_block_size");
    for (int i = 0; i < 15; i++) {
        dev = add("scsi-cd", "lun=0", &error_abort);
        g_assert_cmpint(dev->id, ==, i < 7 ? i : i + 1);
    }
    refuse("scsi-cd", "lun=0", "free");
    refuse("scsi-cd", "scsi-id=3,lun=0", "already used");
    dev = add("scsi-cd", "scsi-id=3", &error_abort);
    g_assert_cmpint(dev->lun, ==, 1);
    path = qdev_get_fw_dev_path(&dev->qdev);
    g_assert_true(g_str_has_suffix(path, "/channel@0/disk@3,1"));
    world_free();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    type_register_static(&hba_type);
    g_test_add_func("/scsi/inquiry-and-every-vpd-page", test_inquiry);
    g_test_add_func("/scsi/capacity-is-the-drives", test_capacity);
    g_test_add_func("/scsi/what-is-written-is-read", test_read_write);
    g_test_add_func("/scsi/unmap-and-write-same", test_unmap_write_same);
    g_test_add_func("/scsi/mode-pages-change-only-the-cache", test_mode);
    g_test_add_func("/scsi/refusals-say-why", test_refused);
    g_test_add_func("/scsi/absent-units-and-resets", test_target);
    g_test_add_func("/scsi/unplugged-with-commands-in-flight", test_unplug);
    g_test_add_func("/scsi/cd-and-empty-tray", test_cd);
    g_test_add_func("/scsi/addresses-are-checked-or-chosen", test_addresses);
    return g_test_run();
}
