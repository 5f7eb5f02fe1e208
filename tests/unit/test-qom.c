/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object model: classes, casts, properties, the tree, -object. */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "qemu/thread.h"
#include "qom/object.h"

/* -- Types --------------------------------------------------------------- */

#define TYPE_SHAPE "test-shape"
OBJECT_DECLARE_TYPE(Shape, ShapeClass, SHAPE)
#define TYPE_BOX "test-box"
OBJECT_DECLARE_SIMPLE_TYPE(Box, BOX)
#define TYPE_PAINTABLE "test-paintable"
typedef struct Paintable Paintable;
typedef struct PaintableClass {
    InterfaceClass parent_class;
    const char *(*colour)(Paintable *);
} PaintableClass;
DECLARE_OBJ_CHECKERS(Paintable, PaintableClass, PAINTABLE, TYPE_PAINTABLE)

struct Shape {
    Object parent_obj;
    GString *log;
    char *label;
    bool visible;
    uint64_t area;
    Object *neighbour;
};
struct ShapeClass {
    ObjectClass parent_class;
    int sides;
    int inherited;
};
struct Box {
    Shape parent_obj;
    int depth;
};

static GString *journal;

static void note(const char *what)
{
    if (journal) {
        g_string_append_printf(journal, "%s ", what);
    }
}

static char *shape_get_label(Object *obj, Error **errp)
{
    return g_strdup(SHAPE(obj)->label);
}

static bool shape_set_label(Object *obj, const char *v, Error **errp)
{
    if (!*v) {
        error_setg(errp, "a label cannot be empty");
        return false;
    }
    g_free(SHAPE(obj)->label);
    SHAPE(obj)->label = g_strdup(v);
    return true;
}

static bool shape_get_visible(Object *obj, Error **errp)
{
    return SHAPE(obj)->visible;
}

static bool shape_set_visible(Object *obj, bool v, Error **errp)
{
    SHAPE(obj)->visible = v;
    return true;
}

static uint64_t shape_get_area(Object *obj, Error **errp)
{
    return SHAPE(obj)->area;
}

static bool shape_set_area(Object *obj, uint64_t v, Error **errp)
{
    SHAPE(obj)->area = v;
    return true;
}

static void shape_init(Object *obj)
{
    note("shape-init");
    object_property_add_link(obj, "neighbour", TYPE_SHAPE,
                             &SHAPE(obj)->neighbour);
}

static void shape_post_init(Object *obj)
{
    note("shape-post");
}

static void shape_finalize(Object *obj)
{
    note("shape-end");
    g_free(SHAPE(obj)->label);
}

static void shape_class_init(ObjectClass *oc, void *data)
{
    SHAPE_CLASS(oc)->sides = 3;
    SHAPE_CLASS(oc)->inherited = 7;
    object_class_property_add_str(oc, "label", shape_get_label,
                                  shape_set_label);
    object_class_property_set_description(oc, "label", "what it says");
    object_class_property_add_bool(oc, "visible", shape_get_visible,
                                   shape_set_visible);
    object_class_property_add_uint64(oc, "area", false, shape_get_area,
                                     shape_set_area);
    object_class_property_add_uint64(oc, "room", true, shape_get_area,
                                     shape_set_area);
    object_class_property_add_uint64(oc, "fixed", false, shape_get_area, NULL);
}

static void box_init(Object *obj)
{
    note("box-init");
    BOX(obj)->depth = 1;
}

static void box_post_init(Object *obj)
{
    note("box-post");
}

static void box_finalize(Object *obj)
{
    note("box-end");
}

static const char *box_colour(Paintable *p)
{
    return BOX(p)->depth ? "red" : "none";
}

static bool box_complete(UserCreatable *uc, Error **errp)
{
    if (SHAPE(uc)->area == 13) {
        error_setg(errp, "13 is no area");
        return false;
    }
    return true;
}

static bool box_can_be_deleted(UserCreatable *uc)
{
    return !SHAPE(uc)->visible;
}

static void box_class_init(ObjectClass *oc, void *data)
{
    SHAPE_CLASS(oc)->sides = 4;
    PAINTABLE_CLASS(oc)->colour = box_colour;
    USER_CREATABLE_CLASS(oc)->complete = box_complete;
    USER_CREATABLE_CLASS(oc)->can_be_deleted = box_can_be_deleted;
}

static const TypeInfo test_types[] = {
    {
        .name = "test-crate", .parent = TYPE_BOX,   /* before its parent */
    }, {
        .name = TYPE_PAINTABLE, .parent = TYPE_INTERFACE,
        .class_size = sizeof(PaintableClass),
    }, {
        .name = TYPE_SHAPE, .parent = TYPE_OBJECT,
        .instance_size = sizeof(Shape), .class_size = sizeof(ShapeClass),
        .instance_init = shape_init, .instance_post_init = shape_post_init,
        .instance_finalize = shape_finalize, .class_init = shape_class_init,
        .abstract = true,
    }, {
        .name = TYPE_BOX, .parent = TYPE_SHAPE,
        .instance_size = sizeof(Box),
        .instance_init = box_init, .instance_post_init = box_post_init,
        .instance_finalize = box_finalize, .class_init = box_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_PAINTABLE }, { TYPE_USER_CREATABLE }, { }
        },
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

static JsonObject *opts_of(const char *text)
{
    g_autoptr(JsonNode) node = json_parse(text, &error_abort);

    return json_object_ref(json_node_get_object(node));
}

/* -- Tests --------------------------------------------------------------- */

static void test_order(void)
{
    journal = g_string_new(NULL);
    object_unref(object_new(TYPE_BOX));
    g_assert_cmpstr(journal->str, ==, "shape-init box-init shape-post box-post "
                    "box-end shape-end ");
    g_string_free(journal, TRUE);
    journal = NULL;
}

static void test_class(void)
{
    g_autoptr(Box) box = BOX(object_new("test-crate"));
    ObjectClass *crate = object_get_class(OBJECT(box));

    g_assert_cmpint(SHAPE_GET_CLASS(box)->sides, ==, 4);
    g_assert_cmpint(SHAPE_GET_CLASS(box)->inherited, ==, 7);
    g_assert_cmpstr(object_get_typename(OBJECT(box)), ==, "test-crate");
    g_assert_true(object_class_get_parent(crate) ==
                  object_class_by_name(TYPE_BOX));
    g_assert_null(object_class_by_name("test-nothing"));
    g_assert_true(object_class_is_abstract(object_class_by_name(TYPE_SHAPE)));
    g_assert_true(object_class_is_abstract(
                      object_class_by_name(TYPE_PAINTABLE)));
    g_assert_false(object_class_is_abstract(crate));
}

static void test_interface(void)
{
    g_autoptr(Box) box = BOX(object_new("test-crate"));
    ObjectClass *crate = object_get_class(OBJECT(box));
    PaintableClass *pc = PAINTABLE_GET_CLASS(box);

    g_assert_cmpstr(pc->colour(PAINTABLE(box)), ==, "red");
    g_assert_true(pc->parent_class.concrete_class == crate);
    g_assert_true(PAINTABLE_CLASS(object_class_by_name(TYPE_BOX)) != pc);
    g_assert_nonnull(object_dynamic_cast(OBJECT(box), TYPE_PAINTABLE));
    g_assert_null(object_dynamic_cast(OBJECT(box), "container"));
    g_assert_null(object_dynamic_cast(NULL, TYPE_BOX));
    g_assert_null(object_class_dynamic_cast(object_class_by_name(TYPE_SHAPE),
                                            TYPE_PAINTABLE));
}

static void test_list(void)
{
    g_autoptr(GSList) some = object_class_get_list(TYPE_SHAPE, false);
    g_autoptr(GSList) all = object_class_get_list(TYPE_SHAPE, true);
    g_autoptr(GSList) painted = object_class_get_list(TYPE_PAINTABLE, false);

    /* test-shape and race-base */
    g_assert_cmpint(g_slist_length(all), ==, g_slist_length(some) + 2);
    g_assert_cmpstr(object_class_get_name(all->data), ==, "race-0");
    g_assert_cmpint(g_slist_length(painted), ==, 2);
    g_assert_cmpstr(object_class_get_name(painted->data), ==, TYPE_BOX);
    g_assert_cmpstr(object_class_get_name(painted->next->data), ==,
                    "test-crate");
}

static void test_wrong_cast(void)
{
    if (g_test_subprocess()) {
        BOX(object_new("container"));
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*'container'*'test-box'*");
}

static void test_embedded(void)
{
    Box box;

    object_initialize(&box, sizeof(box), TYPE_BOX);
    g_assert_cmpint(box.depth, ==, 1);
    object_unref(&box);
}

static void test_values(void)
{
    g_autoptr(Box) box = BOX(object_new(TYPE_BOX));
    Object *obj = OBJECT(box);
    g_autofree char *label = NULL;
    Error *err = NULL;

    g_assert_true(object_property_set_str(obj, "label", "hi", &error_abort));
    label = object_property_get_str(obj, "label", &error_abort);
    g_assert_cmpstr(label, ==, "hi");
    g_assert_false(object_property_set_str(obj, "label", "", &err));
    check_error(err, "a label cannot be empty");

    g_assert_true(object_property_set_bool(obj, "visible", true, &error_abort));
    g_assert_true(object_property_get_bool(obj, "visible", &error_abort));
    g_assert_true(object_property_set_str(obj, "visible", "off",
                                          &error_abort));
    g_assert_false(object_property_get_bool(obj, "visible", &error_abort));
    err = NULL;
    g_assert_false(object_property_set_int(obj, "visible", 1, &err));
    check_error(err, "Parameter 'visible' expects a boolean");

    g_assert_true(object_property_set_int(obj, "area", 5, &error_abort));
    g_assert_cmpint(object_property_get_int(obj, "area", &error_abort), ==, 5);
    g_assert_true(object_property_set_str(obj, "area", "0x10", &error_abort));
    g_assert_cmpint(box->parent_obj.area, ==, 16);
    g_assert_true(object_property_set_str(obj, "room", "2M", &error_abort));
    g_assert_cmpint(box->parent_obj.area, ==, 2 * MiB);
    err = NULL;
    g_assert_false(object_property_set_int(obj, "area", -1, &err));
    error_free(err);
    err = NULL;
    g_assert_false(object_property_set_bool(obj, "area", true, &err));
    check_error(err, "Parameter 'area' expects an integer");
    err = NULL;
    g_assert_false(object_property_set_int(obj, "fixed", 1, &err));
    check_error(err, "Property 'test-box.fixed' is read-only");
    g_assert_cmpint(box->parent_obj.area, ==, 2 * MiB);

    /* All 64 bits come back as they went in. */
    box->parent_obj.area = UINT64_MAX - 1;
    {
        g_autoptr(JsonNode) node = object_property_get(obj, "area",
                                                       &error_abort);
        box->parent_obj.area = 0;
        g_assert_true(object_property_set(obj, "area", node, &error_abort));
        g_assert_cmpuint(box->parent_obj.area, ==, UINT64_MAX - 1);
    }
}

static void test_unknown(void)
{
    g_autoptr(Box) box = BOX(object_new(TYPE_BOX));
    Error *err = NULL;

    g_assert_false(object_property_set_str(OBJECT(box), "lable", "x", &err));
    check_error(err, "Property 'test-box.lable' not found; did you mean "
                "'label'?");
    err = NULL;
    g_assert_null(object_property_get(OBJECT(box), "zzzzzzzz", &err));
    check_error(err, "Property 'test-box.zzzzzzzz' not found");
}

static void count_property(ObjectProperty *prop, void *opaque)
{
    g_string_append_printf(opaque, "%s ", prop->name);
}

static void test_foreach(void)
{
    g_autoptr(Box) box = BOX(object_new(TYPE_BOX));
    GString *names = g_string_new(NULL);

    object_property_foreach(OBJECT(box), count_property, names);
    g_assert_cmpstr(names->str, ==,
                    "neighbour label visible area room fixed type ");
    g_string_free(names, TRUE);
}

static void count_release(Object *obj, const char *name, void *opaque)
{
    ++*(int *)opaque;
}

/* Past a certain number, a hash finds them: before and after, the same. */
static void test_many(void)
{
    Object *obj = object_new("container");
    int released = 0;

    for (int i = 0; i < 100; i++) {
        object_property_add(obj, "p[*]", "x", NULL, NULL, count_release,
                            &released);
    }
    g_assert_nonnull(object_property_find(obj, "p[0]"));
    g_assert_nonnull(object_property_find(obj, "p[99]"));
    g_assert_null(object_property_find(obj, "p[100]"));
    object_property_del(obj, "p[50]");
    g_assert_null(object_property_find(obj, "p[50]"));
    g_assert_cmpint(released, ==, 1);
    g_assert_cmpstr(object_property_add(obj, "p[*]", "x", NULL, NULL, NULL,
                                        NULL)->name, ==, "p[50]");
    object_unref(obj);
    g_assert_cmpint(released, ==, 100);
}

static int count_child(Object *child, void *opaque)
{
    ++*(int *)opaque;
    return 0;
}

static int remove_child(Object *child, void *opaque)
{
    object_unparent(child);
    return 0;
}

static void test_tree(void)
{
    Object *house = container_get(object_get_root(), "/house/ground");
    Box *a = BOX(object_new(TYPE_BOX)), *b = BOX(object_new(TYPE_BOX));
    g_autofree char *path = NULL;
    bool ambiguous;
    int n = 0;

    g_assert_null(object_get_canonical_path(OBJECT(a)));
    object_property_add_child(house, "box[*]", OBJECT(a));
    object_property_add_child(house, "box[*]", OBJECT(b));
    path = object_get_canonical_path(OBJECT(b));
    g_assert_cmpstr(path, ==, "/house/ground/box[1]");
    g_assert_cmpstr(object_get_canonical_path_component(OBJECT(a)), ==,
                    "box[0]");
    g_assert_true(object_resolve_path(path, NULL) == OBJECT(b));
    g_assert_true(object_resolve_path("box[1]", &ambiguous) == OBJECT(b));
    g_assert_false(ambiguous);
    g_assert_true(object_resolve_path("ground/box[0]", NULL) == OBJECT(a));
    g_assert_null(object_resolve_path("/box[0]", &ambiguous));
    g_assert_null(object_resolve_path_type("", TYPE_BOX, &ambiguous));
    g_assert_true(ambiguous);
    g_assert_true(object_resolve_path("/", NULL) == object_get_root());

    object_child_foreach(house, count_child, &n);
    g_assert_cmpint(n, ==, 2);
    n = 0;
    object_child_foreach_recursive(object_get_root(), count_child, &n);
    g_assert_cmpint(n, ==, 4);

    object_child_foreach(house, remove_child, NULL);
    g_assert_null(object_resolve_path("box[1]", NULL));
    g_assert_null(OBJECT(a)->parent);
    g_assert_cmpint(OBJECT(a)->ref, ==, 1);
    object_unref(a);
    object_unref(b);
    object_unparent(object_resolve_path("/house", NULL));
}

static void test_link(void)
{
    Object *root = container_get(object_get_root(), "/links");
    Box *a = BOX(object_new(TYPE_BOX)), *b = BOX(object_new(TYPE_BOX));
    Error *err = NULL;

    object_property_add_child(root, "a", OBJECT(a));
    g_assert_false(object_property_set_link(OBJECT(a), "neighbour", OBJECT(b),
                                            &err));
    error_free(err);
    object_property_add_child(root, "b", OBJECT(b));
    object_unref(a);
    object_unref(b);
    g_assert_true(object_property_set_link(OBJECT(a), "neighbour", OBJECT(b),
                                           &error_abort));
    g_assert_true(a->parent_obj.neighbour == OBJECT(b));
    g_assert_cmpint(OBJECT(b)->ref, ==, 2);
    g_assert_true(object_property_get_link(OBJECT(a), "neighbour",
                                           &error_abort) == OBJECT(b));
    g_assert_true(object_resolve_path("/links/a/neighbour/neighbour", NULL)
                  == NULL);
    err = NULL;
    g_assert_false(object_property_set_str(OBJECT(a), "neighbour", "/links",
                                           &err));
    check_error(err, "Parameter 'neighbour': object '/links' is not of type "
                "'test-shape'");
    err = NULL;
    g_assert_false(object_property_set_str(OBJECT(a), "neighbour", "nobody",
                                           &err));
    check_error(err, "Parameter 'neighbour': object 'nobody' not found");
    g_assert_true(object_property_set_link(OBJECT(a), "neighbour", NULL,
                                           &error_abort));
    g_assert_cmpint(OBJECT(b)->ref, ==, 1);
    g_assert_true(object_property_set_str(OBJECT(a), "neighbour", "b",
                                          &error_abort));
    object_unparent(root);
}

static void test_user_creatable(void)
{
    g_autoptr(JsonObject) good = opts_of("{'qom-type':'test-box','id':'u1',"
                                         "'area':3,'label':'x'}");
    Object *obj = user_creatable_add(good, &error_abort);
    g_autofree char *path = object_get_canonical_path(obj);
    Error *err = NULL;

    g_assert_cmpstr(path, ==, "/objects/u1");
    g_assert_cmpint(SHAPE(obj)->area, ==, 3);
    g_assert_null(user_creatable_add(good, &err));
    check_error(err, "There is an object with id 'u1' already");
    SHAPE(obj)->visible = true;
    err = NULL;
    g_assert_false(user_creatable_del("u1", &err));
    check_error(err, "object 'u1' is in use, can not be deleted");
    SHAPE(obj)->visible = false;
    g_assert_true(user_creatable_del("u1", &error_abort));
    err = NULL;
    g_assert_false(user_creatable_del("u1", &err));
    check_error(err, "object 'u1' not found");
    /* A property of the container is no object. */
    err = NULL;
    g_assert_false(user_creatable_del("type", &err));
    error_free(err);
}

static void test_user_creatable_bad(void)
{
    static const struct {
        const char *opts, *error;
    } bad[] = {
        { "{'id':'u'}", "Parameter 'qom-type' is missing" },
        { "{'qom-type':'test-box'}", "Parameter 'id' is missing" },
        { "{'qom-type':'test-bux','id':'u'}",
          "'test-bux' is not a valid object type; did you mean 'test-box'?" },
        { "{'qom-type':'container','id':'u'}",
          "Objects of type 'container' cannot be made by -object" },
        { "{'qom-type':3,'id':'u'}",
          "Parameter 'qom-type' expects a string" },
        { "{'qom-type':'test-box','id':'3u'}",
          "Parameter 'id' expects an identifier: a letter, then letters, "
          "digits, '-', '.' or '_'; not '3u'" },
        { "{'qom-type':'test-box','id':'u','aera':1}",
          "Property 'test-box.aera' not found; did you mean 'area'?" },
        { "{'qom-type':'test-box','id':'u','area':13}", "13 is no area" },
    };

    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autoptr(JsonObject) opts = opts_of(bad[i].opts);
        Error *err = NULL;

        g_assert_null(user_creatable_add(opts, &err));
        check_error(err, bad[i].error);
        g_assert_null(object_resolve_path("/objects/u", NULL));
    }
}

static void test_help(void)
{
    GString *out = g_string_new(NULL);

    user_creatable_help(out, NULL, &error_abort);
    g_assert_nonnull(strstr(out->str, "\n  test-box\n"));
    g_string_truncate(out, 0);
    user_creatable_help(out, TYPE_BOX, &error_abort);
    g_assert_nonnull(strstr(out->str, "test-box options:\n"));
    g_assert_nonnull(strstr(out->str, "  label=<string>"));
    g_assert_nonnull(strstr(out->str, " - what it says\n"));
    g_assert_null(strstr(out->str, "fixed"));
    g_assert_false(user_creatable_help(out, "container", NULL));
    g_string_free(out, TRUE);
}

/* -- Threads ------------------------------------------------------------- */

#define RACES 64

static const TypeInfo race_types[] = {
    { .name = "race-base", .parent = TYPE_SHAPE, .abstract = true },
#define RACE(n) { .name = "race-" #n, .parent = "race-base" }
    RACE(0), RACE(1), RACE(2), RACE(3), RACE(4), RACE(5), RACE(6), RACE(7),
};
DEFINE_TYPES(race_types)

static void *race_thread(void *opaque)
{
    Object *shared = opaque;

    for (int i = 0; i < RACES; i++) {
        g_autofree char *name = g_strdup_printf("race-%d", i % 8);
        Object *obj = object_new(name);

        g_assert_cmpint(SHAPE_GET_CLASS(obj)->inherited, ==, 7);
        g_assert_true(object_property_set_int(obj, "area", i, &error_abort));
        object_unref(obj);
        object_ref(shared);
        g_assert_true(SHAPE(shared) != NULL);
        object_unref(shared);
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(Object) shared = object_new(TYPE_BOX);
    QemuThread threads[4];

    for (int i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_create(&threads[i], "race", race_thread, shared,
                           &error_abort);
    }
    for (int i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_join(&threads[i]);
    }
    g_assert_cmpint(shared->ref, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* First, while no class is made. */
    g_test_add_func("/qom/classes-are-made-once-by-any-thread", test_threads);
    g_test_add_func("/qom/parents-begin-first-and-end-last", test_order);
    g_test_add_func("/qom/a-class-inherits", test_class);
    g_test_add_func("/qom/each-class-has-its-own-interfaces", test_interface);
    g_test_add_func("/qom/class-list-is-sorted", test_list);
    g_test_add_func("/qom/a-wrong-cast-aborts-with-both-names",
                    test_wrong_cast);
    g_test_add_func("/qom/embedded-objects-are-not-freed", test_embedded);
    g_test_add_func("/qom/property/values", test_values);
    g_test_add_func("/qom/property/unknown-names-suggest", test_unknown);
    g_test_add_func("/qom/property/order", test_foreach);
    g_test_add_func("/qom/property/many", test_many);
    g_test_add_func("/qom/tree/paths", test_tree);
    g_test_add_func("/qom/tree/links-hold-references", test_link);
    g_test_add_func("/qom/user-creatable/add-and-del", test_user_creatable);
    g_test_add_func("/qom/user-creatable/bad-input-leaves-nothing",
                    test_user_creatable_bad);
    g_test_add_func("/qom/user-creatable/help", test_help);
    return g_test_run();
}
