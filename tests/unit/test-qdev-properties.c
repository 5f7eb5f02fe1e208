/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of devices: every kind, its default, its limits, -global. */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "hw/qdev-properties.h"

#define TYPE_GADGET "test-gadget"
OBJECT_DECLARE_SIMPLE_TYPE(Gadget, GADGET)

struct Gadget {
    DeviceState parent_obj;
    bool b;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32, bits;
    uint64_t u64, size;
    int32_t i32, devfn;
    OnOffAuto auto_;
    char *str;
    Object *friend;
    int fd;
    uint16_t limited;
    /* of the child class */
    uint32_t extra;
};

static const Property gadget_props[] = {
    DEFINE_PROP_BOOL("b", Gadget, b, true),
    DEFINE_PROP_UINT8("u8", Gadget, u8, 200),
    DEFINE_PROP_UINT16("u16", Gadget, u16, 60000),
    DEFINE_PROP_UINT32("u32", Gadget, u32, 4000000000u),
    DEFINE_PROP_UINT64("u64", Gadget, u64, UINT64_MAX),
    DEFINE_PROP_SIZE("size", Gadget, size, 4 * MiB),
    DEFINE_PROP_INT32("i32", Gadget, i32, -5),
    DEFINE_PROP_PCI_DEVFN("addr", Gadget, devfn, -1),
    DEFINE_PROP_ON_OFF_AUTO("auto", Gadget, auto_, ON_OFF_AUTO_AUTO),
    DEFINE_PROP_BIT("bit0", Gadget, bits, 0, true),
    DEFINE_PROP_BIT("bit31", Gadget, bits, 31, false),
    DEFINE_PROP_STRING("str", Gadget, str),
    DEFINE_PROP_LINK("friend", Gadget, friend, TYPE_GADGET, Object *),
    DEFINE_PROP_FD("fd", Gadget, fd),
    DEFINE_PROP_UINT16("limited", Gadget, limited, 16, .min = 16, .max = 4096),
    { }
};

static const Property gizmo_props[] = {
    DEFINE_PROP_UINT32("extra", Gadget, extra, 9),
    DEFINE_PROP_UINT8("u8", Gadget, u8, 100),       /* another default */
    { }
};

static void gadget_class_init(ObjectClass *oc, void *data)
{
    device_class_set_props(DEVICE_CLASS(oc), gadget_props);
}

static void gizmo_class_init(ObjectClass *oc, void *data)
{
    device_class_set_props(DEVICE_CLASS(oc), gizmo_props);
}

static const TypeInfo gadget_types[] = {
    {
        .name = TYPE_GADGET, .parent = TYPE_DEVICE,
        .instance_size = sizeof(Gadget), .class_init = gadget_class_init,
    }, {
        .name = "test-gizmo", .parent = TYPE_GADGET,
        .class_init = gizmo_class_init,
    }, {
        .name = "test-gizmo-plain", .parent = "test-gizmo",
    },
};
DEFINE_TYPES(gadget_types)

static void check_defaults(Gadget *g)
{
    g_assert_true(g->b);
    g_assert_cmpuint(g->u16, ==, 60000);
    g_assert_cmpuint(g->u32, ==, 4000000000u);
    g_assert_cmpuint(g->u64, ==, UINT64_MAX);
    g_assert_cmpuint(g->size, ==, 4 * MiB);
    g_assert_cmpint(g->i32, ==, -5);
    g_assert_cmpint(g->devfn, ==, -1);
    g_assert_cmpint(g->auto_, ==, ON_OFF_AUTO_AUTO);
    g_assert_cmphex(g->bits, ==, 1);
    g_assert_null(g->str);
    g_assert_null(g->friend);
    g_assert_cmpint(g->fd, ==, -1);
    g_assert_cmpint(g->limited, ==, 16);
}

static void test_defaults(void)
{
    g_autoptr(Gadget) gadget = GADGET(qdev_new(TYPE_GADGET));
    g_autoptr(Gadget) gizmo = GADGET(qdev_new("test-gizmo"));
    g_autoptr(Gadget) plain = GADGET(qdev_new("test-gizmo-plain"));

    check_defaults(gadget);
    check_defaults(gizmo);
    check_defaults(plain);
    g_assert_cmpuint(gadget->u8, ==, 200);
    g_assert_cmpuint(gizmo->u8, ==, 100);
    g_assert_cmpuint(plain->u8, ==, 100);
    g_assert_cmpuint(gadget->extra, ==, 0);
    g_assert_cmpuint(plain->extra, ==, 9);
}

/* Each row: a value as JSON, the property, what is read back as JSON; or the
 * error. */
static const struct {
    const char *name, *value, *back, *error;
} rows[] = {
    { "b", "false", "false" },
    { "b", "'on'", "true" },
    { "b", "'maybe'", NULL, "Parameter 'b' expects 'on' or 'off'" },
    { "b", "1", NULL, "Parameter 'b' expects a boolean" },
    { "u8", "255", "255" },
    { "u8", "'0x1f'", "31" },
    { "u8", "256", NULL, "Parameter 'u8' expects a number from 0 to 255" },
    { "u8", "'256'", NULL,
      "Parameter 'u8' expects a number from 0 to 255, not '256'" },
    { "u8", "-1", NULL, "Parameter 'u8' expects a number from 0 to 255" },
    { "u8", "'8k'", NULL,
      "Parameter 'u8' expects a number from 0 to 255, not '8k'" },
    { "u8", "''", NULL,
      "Parameter 'u8' expects a number from 0 to 255, not ''" },
    { "u8", "1.5", NULL, "Parameter 'u8' expects an integer" },
    { "u8", "null", NULL, "Parameter 'u8' expects an integer" },
    { "u16", "65535", "65535" },
    { "u16", "65536", NULL, "Parameter 'u16' expects a number from 0 to "
      "65535" },
    { "u32", "4294967295", "4294967295" },
    { "u64", "'18446744073709551615'", "\"18446744073709551615\"" },
    { "u64", "'18446744073709551616'", NULL, "Parameter 'u64' expects a "
      "number from 0 to 18446744073709551615, not '18446744073709551616'" },
    { "size", "'3G'", "3221225472" },
    { "size", "4096", "4096" },
    { "size", "-4096", NULL, "Parameter 'size' expects a size: bytes, or a "
      "string with suffix k, M, G or T" },
    { "i32", "-2147483648", "-2147483648" },
    { "i32", "'-7'", "-7" },
    { "i32", "2147483648", NULL, "Parameter 'i32' expects a number from "
      "-2147483648 to 2147483647" },
    { "auto", "'on'", "\"on\"" },
    { "auto", "false", "\"off\"" },
    { "auto", "'perhaps'", NULL, "Parameter 'auto' expects one of 'auto', "
      "'on', 'off'; not 'perhaps'" },
    { "bit31", "true", "true" },
    { "bit0", "'off'", "false" },
    { "str", "'a,b'", "\"a,b\"" },
    { "str", "7", NULL, "Parameter 'str' expects a string" },
    { "str", "{}", NULL, "Parameter 'str' expects a string" },
    { "limited", "4096", "4096" },
    { "limited", "15", NULL, "Parameter 'limited' expects a number from 16 "
      "to 4096" },
    { "limited", "4097", NULL, "Parameter 'limited' expects a number from 16 "
      "to 4096" },
    { "addr", "'4'", "32" },
    { "addr", "'04.0'", "32" },
    { "addr", "'1f.7'", "255" },
    { "addr", "'0x4'", "32" },
    { "addr", "'0x1f.0x7'", "255" },
    { "addr", "10", "10" },
    { "addr", "256", NULL, "Parameter 'addr' expects a number from -1 to 255" },
#define BAD_ADDR(text) { "addr", "'" text "'", NULL, "Parameter 'addr' " \
      "expects slot or slot.function in hexadecimal, 0 to 1f and 0 to 7, " \
      "such as '4' or '1f.2'; not '" text "'" }
    BAD_ADDR(""), BAD_ADDR("20"), BAD_ADDR("4.8"), BAD_ADDR("4."),
    BAD_ADDR("4.0x"), BAD_ADDR("-1"), BAD_ADDR("0x"), BAD_ADDR("004"),
    BAD_ADDR("4. 1"), BAD_ADDR(".1"),
};

static void test_values(void)
{
    for (int i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autoptr(Object) obj = OBJECT(qdev_new(TYPE_GADGET));
        g_autofree char *text = g_strdup_printf("[%s]", rows[i].value);
        g_autoptr(JsonNode) list = json_parse(text, &error_abort);
        JsonNode *value = json_array_get_element(json_node_get_array(list), 0);
        g_autoptr(Error) err = NULL;
        bool ok = object_property_set(obj, rows[i].name, value, &err);

        if (rows[i].error) {
            g_assert_false(ok);
            g_assert_cmpstr(error_get_pretty(err), ==, rows[i].error);
            if (strcmp(rows[i].name, "u8")) {
                check_defaults(GADGET(obj));    /* nothing half done */
            }
        } else {
            g_autoptr(JsonNode) node = NULL;
            g_autofree char *back = NULL;

            g_assert_true(ok && !err);
            node = object_property_get(obj, rows[i].name, &error_abort);
            back = json_text(node, false);
            g_assert_cmpstr(back, ==, rows[i].back);
            /* What was read can be written. */
            g_assert_true(object_property_set(obj, rows[i].name, node,
                                              &error_abort));
        }
    }
}

static void test_neighbours(void)
{
    g_autoptr(Gadget) g = GADGET(qdev_new(TYPE_GADGET));

    qdev_prop_set_bit(DEVICE(g), "bit31", true);
    g_assert_cmphex(g->bits, ==, 0x80000001);
    qdev_prop_set_bit(DEVICE(g), "bit0", false);
    g_assert_cmphex(g->bits, ==, 0x80000000);
    qdev_prop_set_uint8(DEVICE(g), "u8", 1);
    qdev_prop_set_uint16(DEVICE(g), "u16", 2);
    qdev_prop_set_uint32(DEVICE(g), "u32", 3);
    qdev_prop_set_uint64(DEVICE(g), "u64", 1ULL << 63);
    qdev_prop_set_int32(DEVICE(g), "i32", -4);
    qdev_prop_set_string(DEVICE(g), "str", "x");
    g_assert_cmpuint(g->u8, ==, 1);
    g_assert_cmpuint(g->u16, ==, 2);
    g_assert_cmpuint(g->u32, ==, 3);
    g_assert_cmpuint(g->u64, ==, 1ULL << 63);
    g_assert_cmpint(g->i32, ==, -4);
    g_assert_cmpstr(g->str, ==, "x");
    g_assert_cmpuint(g->size, ==, 4 * MiB);
}

static void test_link(void)
{
    Object *root = container_get(object_get_root(), "/linked");
    Gadget *a = GADGET(qdev_new(TYPE_GADGET));
    g_autoptr(Gadget) b = GADGET(qdev_new(TYPE_GADGET));

    object_property_add_child(root, "a", OBJECT(a));
    object_unref(a);
    object_property_set_link(OBJECT(b), "friend", OBJECT(a), &error_abort);
    g_assert_true(b->friend == OBJECT(a));
    object_unparent(root);
    /* The link alone keeps it. */
    g_assert_cmpint(b->friend->ref, ==, 1);
    g_assert_cmpuint(GADGET(b->friend)->u8, ==, 200);
}

static void test_too_late(void)
{
    DeviceState *dev = qdev_new(TYPE_GADGET);
    Error *err = NULL;

    g_assert_true(qdev_realize(dev, NULL, &error_abort));
    g_assert_false(object_property_set_int(OBJECT(dev), "u8", 1, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'test-gadget.u8' can be "
                            "set only before the device"));
    error_free(err);
    g_assert_cmpuint(GADGET(dev)->u8, ==, 200);
    qdev_unparent(dev);
    object_unref(dev);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int named_fd = -1;

static int lookup_fd(const char *name, Error **errp)
{
    if (strcmp(name, "mine")) {
        error_setg(errp, "no descriptor is called '%s'", name);
        return -1;
    }
    return named_fd;
}

static void test_fd(void)
{
    Gadget *g = GADGET(qdev_new(TYPE_GADGET));
    int a = open("/dev/null", O_RDONLY), b = dup(a);
    Error *err = NULL;

    object_property_set_int(OBJECT(g), "fd", a, &error_abort);
    g_assert_cmpint(g->fd, ==, a);
    /* One owner: a second one would close it under the first. */
    g_assert_false(object_property_set_int(OBJECT(g), "fd", a, &err));
    g_assert_true(g_str_has_suffix(error_get_pretty(err), "is in use already"));
    error_free(err);
    err = NULL;
    g_assert_true(is_open(a));
    object_property_set_int(OBJECT(g), "fd", b, &error_abort);
    g_assert_false(is_open(a));
    g_assert_false(object_property_set_int(OBJECT(g), "fd", a, &err));
    g_assert_true(g_str_has_suffix(error_get_pretty(err), "is not open"));
    error_free(err);
    g_assert_cmpint(g->fd, ==, b);

    err = NULL;
    g_assert_false(object_property_set_str(OBJECT(g), "fd", "mine", &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "Parameter 'fd' expects the "
                    "number of an open file descriptor; not 'mine'");
    error_free(err);
    named_fd = open("/dev/null", O_RDONLY);
    qdev_fd_lookup = lookup_fd;
    err = NULL;
    g_assert_false(object_property_set_str(OBJECT(g), "fd", "yours", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "no descriptor is called 'yours'");
    error_free(err);
    g_assert_cmpint(g->fd, ==, b);
    object_property_set_str(OBJECT(g), "fd", "mine", &error_abort);
    g_assert_cmpint(g->fd, ==, named_fd);
    qdev_fd_lookup = NULL;
    object_unref(g);
    g_assert_false(is_open(named_fd));
}

static void test_globals(void)
{
    DeviceState *dev;
    Error *err = NULL;

    g_assert_false(qdev_prop_register_global("nobody", "x", "1", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "-global nobody.x=1: 'nobody' is not a device type");
    error_free(err);

    g_assert_true(qdev_prop_register_global(TYPE_GADGET, "u16", "7",
                                            &error_abort));
    g_assert_true(qdev_prop_register_global("test-gizmo", "u32", "8",
                                            &error_abort));
    dev = qdev_new("test-gizmo-plain");
    g_assert_cmpuint(GADGET(dev)->u16, ==, 7);
    g_assert_cmpuint(GADGET(dev)->u32, ==, 8);
    object_unref(dev);
    dev = qdev_new(TYPE_GADGET);
    g_assert_cmpuint(GADGET(dev)->u16, ==, 7);
    g_assert_cmpuint(GADGET(dev)->u32, ==, 4000000000u);
    object_unref(dev);

    /* A wrong value is told when the device is to be used. */
    g_assert_true(qdev_prop_register_global("test-gizmo", "u8", "300",
                                            &error_abort));
    dev = qdev_new("test-gizmo");
    err = NULL;
    g_assert_false(qdev_realize(dev, NULL, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "-global test-gizmo.u8=300: "
                    "Parameter 'u8' expects a number from 0 to 255, not '300'");
    error_free(err);
    object_unref(dev);
}

static void test_globals_unused(void)
{
    if (g_test_subprocess()) {
        qdev_prop_register_global(TYPE_GADGET, "nothing", "1", &error_abort);
        qdev_prop_register_global(TYPE_GADGET, "u8", "1", &error_abort);
        object_unref(qdev_new(TYPE_GADGET));
        qdev_prop_check_globals();
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*-global test-gadget.nothing=1*");
    g_test_trap_assert_stderr_unmatched("*test-gadget.u8*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qdev-properties/defaults-of-class-and-parents",
                    test_defaults);
    g_test_add_func("/qdev-properties/values-and-limits", test_values);
    g_test_add_func("/qdev-properties/fields-do-not-touch-neighbours",
                    test_neighbours);
    g_test_add_func("/qdev-properties/link-keeps-its-target", test_link);
    g_test_add_func("/qdev-properties/fixed-once-realized", test_too_late);
    g_test_add_func("/qdev-properties/fd-is-owned", test_fd);
    g_test_add_func("/qdev-properties/unused-globals-are-named",
                    test_globals_unused);
    g_test_add_func("/qdev-properties/globals-reach-children", test_globals);
    return g_test_run();
}
