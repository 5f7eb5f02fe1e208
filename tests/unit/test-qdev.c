/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices and buses: realize and what undoes it, reset, device_add, unplug. */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "hw/qdev-properties.h"

/* -- A bus with four slots, a host that has it, a card, a plug handler ---- */

#define TYPE_TBUS "TBUS"
typedef struct TestBus {
    BusState parent_obj;
} TestBus;

#define TYPE_THOST "test-host"
OBJECT_DECLARE_SIMPLE_TYPE(TestHost, THOST)
struct TestHost {
    DeviceState parent_obj;
    qemu_irq out[2];
    int in_level[3];
};

#define TYPE_TCARD "test-card"
OBJECT_DECLARE_SIMPLE_TYPE(TestCard, TCARD)
struct TestCard {
    DeviceState parent_obj;
    int32_t slot;
    char *fail;
};

#define TYPE_THANDLER "test-handler"
typedef struct TestHandler {
    Object parent_obj;
    DeviceState *asked;
    char *refuse;
} TestHandler;
DECLARE_INSTANCE_CHECKER(TestHandler, THANDLER, TYPE_THANDLER)

static GString *journal;
static int alive;

static void note(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
static void note(const char *fmt, ...)
{
    va_list ap;

    if (journal->len) {
        g_string_append_c(journal, ' ');
    }
    va_start(ap, fmt);
    g_string_append_vprintf(journal, fmt, ap);
    va_end(ap);
}

static void check_journal(const char *want)
{
    g_assert_cmpstr(journal->str, ==, want);
    g_string_truncate(journal, 0);
}

static const char *id_of(DeviceState *dev)
{
    return dev->id ?: "-";
}

static bool tbus_check_address(BusState *bus, DeviceState *dev, Error **errp)
{
    DeviceState *other;

    QTAILQ_FOREACH(other, &bus->children, sibling) {
        if (TCARD(other)->slot == TCARD(dev)->slot) {
            error_setg(errp, "slot %d is taken", TCARD(dev)->slot);
            return false;
        }
    }
    return true;
}

static char *tbus_fw_path(DeviceState *dev)
{
    return g_strdup_printf("card@%x", TCARD(dev)->slot);
}

static void tbus_reset(BusState *bus)
{
    note("reset-bus");
}

static bool tbus_realize(BusState *bus, Error **errp)
{
    note("realize-bus");
    return true;
}

static void tbus_unrealize(BusState *bus)
{
    note("unrealize-bus");
}

static void tbus_class_init(ObjectClass *oc, void *data)
{
    BusClass *bc = BUS_CLASS(oc);

    bc->check_address = tbus_check_address;
    bc->get_fw_dev_path = tbus_fw_path;
    bc->reset = tbus_reset;
    bc->realize = tbus_realize;
    bc->unrealize = tbus_unrealize;
    bc->max_dev = 4;
}

static void thost_in(void *opaque, int n, int level)
{
    THOST(opaque)->in_level[n] = level;
}

static bool thost_realize(DeviceState *dev, Error **errp)
{
    note("realize-host");
    qbus_new(TYPE_TBUS, dev, NULL);
    return true;
}

static void thost_unrealize(DeviceState *dev)
{
    note("unrealize-host");
}

static void thost_reset(DeviceState *dev)
{
    note("reset-host");
}

static void thost_init(Object *obj)
{
    alive++;
    qdev_init_gpio_in(DEVICE(obj), thost_in, 2);
    qdev_init_gpio_in(DEVICE(obj), thost_in, 1);
    qdev_init_gpio_out_named(DEVICE(obj), THOST(obj)->out, "sync", 2);
}

static void test_finalize(Object *obj)
{
    alive--;
}

static void thost_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = thost_realize;
    dc->unrealize = thost_unrealize;
    dc->reset = thost_reset;
    dc->fw_name = "host@0";
    dc->categories = 1 << DEVICE_CATEGORY_BRIDGE;
}

static bool tcard_realize(DeviceState *dev, Error **errp)
{
    note("realize-%s", id_of(dev));
    if (!g_strcmp0(TCARD(dev)->fail, "realize")) {
        error_setg(errp, "the card is broken");
        return false;
    }
    return true;
}

static void tcard_unrealize(DeviceState *dev)
{
    note("unrealize-%s", id_of(dev));
}

static void tcard_reset(DeviceState *dev)
{
    note("reset-%s", id_of(dev));
}

static void tcard_init(Object *obj)
{
    alive++;
}

static const Property tcard_props[] = {
    DEFINE_PROP_INT32("slot", TestCard, slot, -1),
    DEFINE_PROP_STRING("fail", TestCard, fail),
    { }
};

static void tcard_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->bus_type = TYPE_TBUS;
    dc->realize = tcard_realize;
    dc->unrealize = tcard_unrealize;
    dc->reset = tcard_reset;
    dc->desc = "a card for tests";
    dc->categories = 1 << DEVICE_CATEGORY_STORAGE;
    device_class_set_props(dc, tcard_props);
}

static void soldered_class_init(ObjectClass *oc, void *data)
{
    DEVICE_CLASS(oc)->user_creatable = false;
}

static void fixed_class_init(ObjectClass *oc, void *data)
{
    DEVICE_CLASS(oc)->hotpluggable = false;
}

static bool handler_pre_plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    note("pre_plug");
    if (!g_strcmp0(THANDLER(h)->refuse, "pre_plug")) {
        error_setg(errp, "refused before");
        return false;
    }
    return true;
}

static bool handler_plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    g_assert_true(dev->realized);
    note("plug");
    if (!g_strcmp0(THANDLER(h)->refuse, "plug")) {
        error_setg(errp, "refused after");
        return false;
    }
    return true;
}

static bool handler_unplug_request(HotplugHandler *h, DeviceState *dev,
                                   Error **errp)
{
    note("request");
    if (!g_strcmp0(THANDLER(h)->refuse, "request")) {
        error_setg(errp, "not now");
        return false;
    }
    THANDLER(h)->asked = dev;
    return true;
}

static void handler_unplug(HotplugHandler *h, DeviceState *dev)
{
    note("unplug");
}

static void handler_class_init(ObjectClass *oc, void *data)
{
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(oc);

    hc->pre_plug = handler_pre_plug;
    hc->plug = handler_plug;
    hc->unplug_request = handler_unplug_request;
    hc->unplug = handler_unplug;
}

static const TypeInfo test_types[] = {
    {
        .name = TYPE_TBUS, .parent = TYPE_BUS,
        .instance_size = sizeof(TestBus), .class_init = tbus_class_init,
    }, {
        .name = TYPE_THOST, .parent = TYPE_DEVICE,
        .instance_size = sizeof(TestHost), .instance_init = thost_init,
        .instance_finalize = test_finalize, .class_init = thost_class_init,
    }, {
        .name = TYPE_TCARD, .parent = TYPE_DEVICE,
        .instance_size = sizeof(TestCard), .instance_init = tcard_init,
        .instance_finalize = test_finalize, .class_init = tcard_class_init,
    }, {
        .name = "test-soldered", .parent = TYPE_TCARD,
        .class_init = soldered_class_init,
    }, {
        .name = "test-fixed", .parent = TYPE_TCARD,
        .class_init = fixed_class_init,
    }, {
        .name = "test-ethereal", .parent = TYPE_TCARD, .abstract = true,
    }, {
        .name = TYPE_THANDLER, .parent = TYPE_OBJECT,
        .instance_size = sizeof(TestHandler), .class_init = handler_class_init,
        .interfaces = (const InterfaceInfo[]) { { TYPE_HOTPLUG_HANDLER }, { } },
    },
};
DEFINE_TYPES(test_types)

/* -- Helpers ------------------------------------------------------------- */

static void check_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_get_pretty(err), ==, text);
    error_free(err);
}

static DeviceState *add(const char *text, Error **errp)
{
    g_autoptr(JsonNode) node = json_parse(text, &error_abort);

    return qdev_device_add(json_node_get_object(node), errp);
}

static void check_refused(const char *opts, const char *text)
{
    Error *err = NULL;
    int before = alive;

    g_assert_null(add(opts, &err));
    check_error(err, text);
    g_assert_cmpint(alive, ==, before);
}

/* A host on the system bus, with id @id: its bus is "ID.0". */
static DeviceState *make_host(const char *id)
{
    g_autofree char *opts = g_strdup_printf(
        "{'driver':'test-host','id':'%s'}", id);

    return add(opts, &error_abort);
}

static BusState *bus_of(DeviceState *host)
{
    return QTAILQ_FIRST(&host->child_bus);
}

static void begin(void)
{
    journal = g_string_new(NULL);
    g_assert_cmpint(alive, ==, 0);
}

static void end(void)
{
    g_assert_cmpint(alive, ==, 0);
    g_string_free(journal, TRUE);
    journal = NULL;
}

/* -- Life ---------------------------------------------------------------- */

static void test_realize(void)
{
    DeviceState *host, *card;
    g_autofree char *path = NULL, *fw = NULL;

    begin();
    host = qdev_new(TYPE_THOST);
    g_assert_true(qdev_realize(host, sysbus_get_default(), &error_abort));
    check_journal("realize-host realize-bus");
    g_assert_true(object_property_get_bool(OBJECT(host), "realized",
                                           &error_abort));
    g_assert_nonnull(strstr(qdev_get_printable_name(host),
                            "/machine/unattached/device["));
    g_assert_true(bus_of(host)->realized);
    g_assert_cmpstr(bus_of(host)->name, ==, "tbus.0");

    card = qdev_new(TYPE_TCARD);
    TCARD(card)->slot = 2;
    g_assert_true(qdev_realize_and_unref(card, bus_of(host), &error_abort));
    g_assert_true(card->parent_bus == bus_of(host));
    g_assert_true(qdev_get_context(card) == qemu_get_aio_context());
    fw = qdev_get_fw_dev_path(card);
    g_assert_cmpstr(fw, ==, "/host@0/card@2");
    path = object_property_get_str(OBJECT(card), "parent_bus", &error_abort);
    g_assert_true(g_str_has_suffix(path, "/tbus.0"));
    check_journal("realize--");

    /* All goes with the host. */
    qdev_unparent(host);
    object_unref(host);
    check_journal("unrealize-- unrealize-bus unrealize-host");
    end();
}

static void test_realize_fails(void)
{
    DeviceState *host, *card;
    Error *err = NULL;

    begin();
    host = make_host("h");
    card = qdev_new(TYPE_TCARD);
    TCARD(card)->fail = g_strdup("realize");
    g_assert_false(qdev_realize(card, bus_of(host), &err));
    check_error(err, "the card is broken");
    g_assert_null(card->parent_bus);
    g_assert_null(OBJECT(card)->parent);
    g_assert_true(QTAILQ_EMPTY(&bus_of(host)->children));
    g_assert_cmpint(OBJECT(card)->ref, ==, 1);

    /* It can be tried again. */
    g_assert_true(object_property_set_str(OBJECT(card), "fail", "",
                                          &error_abort));
    g_assert_true(qdev_realize_and_unref(card, bus_of(host), &error_abort));
    qdev_unparent(host);
    end();
}

static void test_wrong_bus(void)
{
    DeviceState *host, *card;
    Error *err = NULL;

    begin();
    host = make_host("h");
    card = qdev_new(TYPE_TCARD);
    g_assert_false(qdev_realize(card, sysbus_get_default(), &err));
    check_error(err, "Device 'test-card' plugs into a bus of type 'TBUS'; "
                "'main-system-bus' is of type 'System'");
    object_unref(card);
    qdev_unparent(host);
    end();
}

static void test_unrealize(void)
{
    DeviceState *host, *card;

    begin();
    host = make_host("h");
    card = qdev_new(TYPE_TCARD);
    g_assert_true(qdev_realize(card, bus_of(host), &error_abort));
    qdev_unrealize(card);
    g_assert_false(card->realized);
    g_assert_null(card->parent_bus);
    qdev_unparent(card);
    g_assert_cmpint(OBJECT(card)->ref, ==, 1);
    object_unref(card);
    qdev_unparent(host);
    end();
}

static void test_reset(void)
{
    DeviceState *host;

    begin();
    host = make_host("h");
    add("{'driver':'test-card','id':'a','slot':0}", &error_abort);
    add("{'driver':'test-card','id':'b','slot':1}", &error_abort);
    g_string_truncate(journal, 0);
    bus_cold_reset(sysbus_get_default());
    check_journal("reset-a reset-b reset-bus reset-host");
    device_cold_reset(qdev_find_by_id("b"));
    check_journal("reset-b");
    qdev_unparent(host);
    end();
}

static int walk_dev(DeviceState *dev, void *opaque)
{
    note("%s", id_of(dev));
    return opaque && !strcmp(id_of(dev), opaque) ? 7 : 0;
}

static int walk_bus(BusState *bus, void *opaque)
{
    note("%s", bus->name);
    return 0;
}

static void test_walk(void)
{
    DeviceState *host;

    begin();
    host = make_host("h");
    add("{'driver':'test-card','id':'a','slot':0}", &error_abort);
    add("{'driver':'test-card','id':'b','slot':1}", &error_abort);
    g_string_truncate(journal, 0);
    g_assert_cmpint(qbus_walk(sysbus_get_default(), walk_dev, walk_bus, NULL),
                    ==, 0);
    check_journal("main-system-bus h h.0 a b");
    g_assert_cmpint(qbus_walk(sysbus_get_default(), walk_dev, NULL,
                              (void *)"a"), ==, 7);
    check_journal("h a");
    qdev_unparent(host);
    end();
}

static void test_gpio(void)
{
    DeviceState *a, *b;

    begin();
    a = make_host("ha");
    b = make_host("hb");
    qemu_irq_raise(THOST(a)->out[0]);           /* not connected */
    qdev_connect_gpio_out_named(a, "sync", 0, qdev_get_gpio_in(b, 2));
    qdev_connect_gpio_out_named(a, "sync", 1, qdev_get_gpio_in(b, 0));
    qemu_irq_raise(THOST(a)->out[0]);
    g_assert_cmpint(THOST(b)->in_level[2], ==, 1);
    g_assert_cmpint(THOST(b)->in_level[0], ==, 0);
    qemu_irq_raise(THOST(a)->out[1]);
    g_assert_cmpint(THOST(b)->in_level[0], ==, 1);
    qdev_unparent(a);
    qdev_unparent(b);
    end();
}

static void test_context(void)
{
    AioContext *own = aio_context_new(&error_abort);
    DeviceState *host;

    begin();
    host = make_host("h");
    add("{'driver':'test-card','id':'a','slot':0}", &error_abort);
    host->context = own;
    g_assert_true(qdev_get_context(qdev_find_by_id("a")) == own);
    host->context = NULL;
    qdev_unparent(host);
    aio_context_free(own);
    end();
}

/* -- device_add ---------------------------------------------------------- */

static void test_add(void)
{
    DeviceState *host, *card;
    g_autofree char *path = NULL, *anon = NULL;

    begin();
    host = make_host("h");
    g_assert_cmpstr(bus_of(host)->name, ==, "h.0");
    card = add("{'driver':'test-card','id':'c1','bus':'h.0','slot':'3'}",
               &error_abort);
    g_assert_true(qdev_find_by_id("c1") == card);
    g_assert_cmpint(TCARD(card)->slot, ==, 3);
    g_assert_cmpstr(json_object_get_string_member(card->opts, "slot"), ==,
                    "3");
    path = object_get_canonical_path(OBJECT(card));
    g_assert_cmpstr(path, ==, "/machine/peripheral/c1");
    g_assert_cmpstr(qdev_get_printable_name(card), ==, "c1");
    card = add("{'driver':'test-card'}", &error_abort);
    anon = object_get_canonical_path(OBJECT(card));
    g_assert_cmpstr(anon, ==, "/machine/peripheral-anon/device[0]");
    g_assert_null(qdev_find_by_id("c2"));
    g_assert_null(qdev_find_by_id("type"));
    qdev_unparent(host);
    g_assert_null(qdev_find_by_id("c1"));
    end();
}

static void test_add_bad(void)
{
    DeviceState *host;

    begin();
    check_refused("{'driver':'test-card'}",
                  "No 'TBUS' bus found for device 'test-card'");
    host = make_host("h");
    check_refused("{'id':'x'}", "Parameter 'driver' is missing");
    check_refused("{'driver':['test-card']}",
                  "Parameter 'driver' expects a string");
    check_refused("{'driver':'test-crad'}", "'test-crad' is not a valid device "
                  "model name; did you mean 'test-card'?");
    check_refused("{'driver':'qqqqqqqqqqqqqqq'}",
                  "'qqqqqqqqqqqqqqq' is not a valid device model name");
    check_refused("{'driver':'container'}",
                  "'container' is not a valid device model name");
    check_refused("{'driver':'test-ethereal'}", "'test-ethereal' is not a "
                  "valid device model name");
    check_refused("{'driver':'test-soldered'}", "'test-soldered' is part of a "
                  "machine: it cannot be added as a device");
    check_refused("{'driver':'test-card','bus':'h.1'}",
                  "Bus 'h.1' not found; did you mean 'h.0'?");
    check_refused("{'driver':'test-card','bus':'main-system-bus'}",
                  "Device 'test-card' plugs into a bus of type 'TBUS'; "
                  "'main-system-bus' is of type 'System'");
    check_refused("{'driver':'test-card','id':'h'}",
                  "Duplicate device ID 'h'");
    check_refused("{'driver':'test-card','id':'a b'}",
                  "Parameter 'id' expects an identifier: a letter, then "
                  "letters, digits, '-', '.' or '_'; not 'a b'");
    check_refused("{'driver':'test-card','slto':1}",
                  "Property 'test-card.slto' not found; did you mean 'slot'?");
    check_refused("{'driver':'test-card','slot':'x'}",
                  "Parameter 'slot' expects a number from -2147483648 to "
                  "2147483647, not 'x'");
    check_refused("{'driver':'test-card','realized':true}",
                  "Property 'test-card.realized' is read-only");
    check_refused("{'driver':'test-card','id':'x','fail':'realize'}",
                  "the card is broken");
    g_assert_null(qdev_find_by_id("x"));
    g_assert_true(QTAILQ_EMPTY(&bus_of(host)->children));

    add("{'driver':'test-card','slot':0}", &error_abort);
    check_refused("{'driver':'test-card','slot':0}", "slot 0 is taken");
    add("{'driver':'test-card','slot':1}", &error_abort);
    add("{'driver':'test-card','slot':2}", &error_abort);
    add("{'driver':'test-card','slot':3}", &error_abort);
    check_refused("{'driver':'test-card','slot':4}", "Every 'TBUS' bus is "
                  "full; there is no room for device 'test-card'");
    check_refused("{'driver':'test-card','slot':4,'bus':'h.0'}",
                  "Bus 'h.0' is full");
    /* A second bus has room. */
    make_host("i");
    g_assert_cmpstr(add("{'driver':'test-card','slot':4}", &error_abort)
                    ->parent_bus->name, ==, "i.0");
    qdev_unparent(qdev_find_by_id("i"));
    qdev_unparent(host);
    end();
}

/* -- Hot plug ------------------------------------------------------------ */

static char *deleted;

static void on_deleted(const char *id, const char *path)
{
    g_free(deleted);
    deleted = g_strdup_printf("%s %s", id ?: "-", path);
}

static void test_hotplug(void)
{
    Object *handler = object_new(TYPE_THANDLER);
    DeviceState *host, *card;
    Error *err = NULL;

    begin();
    host = make_host("h");
    add("{'driver':'test-card','id':'cold','slot':0}", &error_abort);
    qdev_hotplug = true;
    check_refused("{'driver':'test-card'}",
                  "Bus 'h.0' does not support hotplugging");
    g_assert_false(qdev_unplug(qdev_find_by_id("cold"), &err));
    check_error(err, "Bus 'h.0' does not support hotplugging");
    g_assert_false(object_property_get_bool(OBJECT(qdev_find_by_id("cold")),
                                            "hotpluggable", &error_abort));

    qbus_set_hotplug_handler(bus_of(host), handler);
    check_refused("{'driver':'test-fixed'}",
                  "Device 'test-fixed' does not support hotplugging");
    g_string_truncate(journal, 0);
    card = add("{'driver':'test-card','id':'hot','slot':1}", &error_abort);
    g_assert_true(card->hotplugged);
    check_journal("pre_plug realize-hot reset-hot plug");

    THANDLER(handler)->refuse = (char *)"pre_plug";
    check_refused("{'driver':'test-card','id':'x','slot':2}",
                  "refused before");
    check_journal("pre_plug");
    THANDLER(handler)->refuse = (char *)"plug";
    check_refused("{'driver':'test-card','id':'x','slot':2}", "refused after");
    check_journal("pre_plug realize-x reset-x plug unrealize-x");

    THANDLER(handler)->refuse = (char *)"request";
    err = NULL;
    g_assert_false(qdev_unplug(card, &err));
    check_error(err, "not now");
    g_assert_false(card->pending_unplug);
    THANDLER(handler)->refuse = NULL;
    g_assert_true(qdev_unplug(card, &error_abort));
    g_assert_true(card->pending_unplug);
    err = NULL;
    g_assert_false(qdev_unplug(card, &err));
    check_error(err, "Device hot is already in the process of unplug");
    g_string_truncate(journal, 0);

    qdev_deleted_hook = on_deleted;
    g_assert_true(THANDLER(handler)->asked == card);
    qdev_unplug_complete(card);
    check_journal("unplug unrealize-hot");
    g_assert_cmpstr(deleted, ==, "hot /machine/peripheral/hot");
    g_clear_pointer(&deleted, g_free);
    qdev_deleted_hook = NULL;
    qdev_hotplug = false;
    qdev_unparent(host);
    object_unref(handler);
    end();
}

/* -- Help ---------------------------------------------------------------- */

static void check_has(GString *out, const char *text)
{
    if (!strstr(out->str, text)) {
        g_error("'%s' is not in:\n%s", text, out->str);
    }
}

static void test_help(void)
{
    GString *out = g_string_new(NULL);
    DeviceState *host;
    Error *err = NULL;

    begin();
    qdev_help(out, NULL, &error_abort);
    check_has(out, "Controller/Bridge/Hub devices:\nname \"test-host\"\n");
    check_has(out, "\nStorage devices:\n");
    check_has(out, "name \"test-card\", bus TBUS, desc \"a card for tests\"\n");
    g_assert_null(strstr(out->str, "soldered"));
    g_string_truncate(out, 0);
    qdev_help(out, "test-card", &error_abort);
    check_has(out, "test-card options:\n  fail=<str>\n  slot=<int32>");
    g_assert_null(strstr(out->str, "realized"));
    g_string_truncate(out, 0);
    g_assert_false(qdev_help(out, "test-crad", &err));
    check_error(err, "'test-crad' is not a valid device model name; did you "
                "mean 'test-card'?");

    host = make_host("h");
    add("{'driver':'test-card','id':'a','slot':3}", &error_abort);
    g_string_truncate(out, 0);
    qdev_tree_info(out);
    check_has(out, "bus: main-system-bus\n  type System\n"
              "  dev: test-host, id \"h\"\n    gpio-in \"\" 3\n"
              "    gpio-out \"sync\" 2\n    bus: h.0\n      type TBUS\n"
              "      dev: test-card, id \"a\"\n        slot = 3\n"
              "        fail = \"\"\n");
    qdev_unparent(host);
    g_string_free(out, TRUE);
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    g_test_add_func("/qdev/realize/parent-bus-children", test_realize);
    g_test_add_func("/qdev/realize/failure-leaves-it-unplugged",
                    test_realize_fails);
    g_test_add_func("/qdev/realize/wrong-bus-is-refused", test_wrong_bus);
    g_test_add_func("/qdev/realize/undone", test_unrealize);
    g_test_add_func("/qdev/reset-children-first", test_reset);
    g_test_add_func("/qdev/walk-parents-first", test_walk);
    g_test_add_func("/qdev/gpio", test_gpio);
    g_test_add_func("/qdev/context-of-the-nearest-parent", test_context);
    g_test_add_func("/qdev/add/names-and-places", test_add);
    g_test_add_func("/qdev/add/bad-input-leaves-nothing", test_add_bad);
    g_test_add_func("/qdev/hotplug", test_hotplug);
    g_test_add_func("/qdev/help", test_help);
    return g_test_run();
}
