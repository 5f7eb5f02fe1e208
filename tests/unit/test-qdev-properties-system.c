/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties that name a disk or a character back end. */
#include "qemu/osdep.h"
#include "block/block.h"
#include "chardev/char.h"
#include "hw/qdev-properties.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"

#define TYPE_CONSUMER "test-consumer"
OBJECT_DECLARE_SIMPLE_TYPE(Consumer, CONSUMER)
struct Consumer {
    DeviceState parent_obj;
    BlockBackend *blk;
    Chardev *chr;
};

static const Property consumer_props[] = {
    DEFINE_PROP_DRIVE("drive", Consumer, blk),
    DEFINE_PROP_CHR("chardev", Consumer, chr),
    { }
};

static void consumer_class_init(ObjectClass *oc, void *data)
{
    device_class_set_props(DEVICE_CLASS(oc), consumer_props);
}

static const TypeInfo consumer_types[] = {
    {
        .name = TYPE_CONSUMER, .parent = TYPE_DEVICE,
        .instance_size = sizeof(Consumer), .class_init = consumer_class_init,
    },
};
DEFINE_TYPES(consumer_types)

static JsonObject *opts_of(const char *text, const char *implied)
{
    return keyval_parse(text, implied, NULL, &error_abort);
}

static char *make_disk(const char *id)
{
    char *path = g_strdup_printf("%s/disk-XXXXXX", g_get_tmp_dir());
    int fd = g_mkstemp(path);
    g_autofree char *text = g_strdup_printf(
        "file=%s,format=raw,if=none,id=%s", path, id);
    g_autoptr(JsonObject) opts = opts_of(text, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, 1 * MiB), ==, 0);
    close(fd);
    g_assert_nonnull(drive_new(opts, &error_abort));
    return path;
}

static void check_value(Consumer *c, const char *prop, const char *want)
{
    g_autofree char *got = object_property_get_str(OBJECT(c), prop,
                                                   &error_abort);

    g_assert_cmpstr(got, ==, want);
}

static void test_drive(void)
{
    Consumer *a = CONSUMER(qdev_new(TYPE_CONSUMER));
    g_autoptr(Consumer) b = CONSUMER(qdev_new(TYPE_CONSUMER));
    g_autofree char *path0 = make_disk("disk0"), *path1 = make_disk("disk1");
    Error *err = NULL;

    check_value(a, "drive", "");
    g_assert_true(object_property_set_str(OBJECT(a), "drive", "disk0",
                                          &error_abort));
    g_assert_true(a->blk == blk_by_name("disk0"));
    check_value(a, "drive", "disk0");
    /* The same again is no conflict with itself. */
    g_assert_true(qdev_prop_set_drive_err(DEVICE(a), "drive", a->blk,
                                          &error_abort));

    g_assert_false(object_property_set_str(OBJECT(b), "drive", "disk0", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "disk0"));
    error_free(err);
    g_assert_null(b->blk);

    /* Another one gives the first free; so does the device's end. */
    g_assert_true(object_property_set_str(OBJECT(a), "drive", "disk1",
                                          &error_abort));
    g_assert_true(object_property_set_str(OBJECT(b), "drive", "disk0",
                                          &error_abort));
    object_unref(a);
    g_assert_true(object_property_set_str(OBJECT(b), "drive", "disk1",
                                          &error_abort));
    check_value(b, "drive", "disk1");

    err = NULL;
    g_assert_false(object_property_set_str(OBJECT(b), "drive", "disk9", &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "Property "
                    "'test-consumer.drive': there is no -drive with id 'disk9' "
                    "and no -blockdev with that node name");
    error_free(err);
    check_value(b, "drive", "disk1");
    unlink(path0);
    unlink(path1);
}

static void test_chardev(void)
{
    g_autoptr(Consumer) c = CONSUMER(qdev_new(TYPE_CONSUMER));
    g_autoptr(JsonObject) opts = opts_of("null,id=chr0", "backend");
    Chardev *chr = qemu_chr_new_from_opts(opts, &error_abort);
    Error *err = NULL;

    g_assert_true(object_property_set_str(OBJECT(c), "chardev", "chr0",
                                          &error_abort));
    g_assert_true(c->chr == chr);
    check_value(c, "chardev", "chr0");
    g_assert_false(object_property_set_str(OBJECT(c), "chardev", "chr1",
                                           &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "Property "
                    "'test-consumer.chardev': there is no -chardev with id "
                    "'chr1'");
    error_free(err);
    qdev_prop_set_chr(DEVICE(c), "chardev", NULL);
    g_assert_null(c->chr);
    qdev_prop_set_chr(DEVICE(c), "chardev", chr);
    g_assert_true(c->chr == chr);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    g_test_add_func("/qdev-properties-system/one-device-a-drive", test_drive);
    g_test_add_func("/qdev-properties-system/chardev-by-id", test_chardev);
    return g_test_run();
}
