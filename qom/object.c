/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object model: types, classes, casts, and the life of an object.
 *
 * Types are registered before main(); a class is made when it is first asked
 * for, by whichever thread asks.  One recursive lock guards the registry and
 * the making of classes.  Casts take no lock: an object points to a class
 * that is complete, and so are the classes above it.
 */
#include "qemu/osdep.h"
#include <pthread.h>
#include "qom/object.h"
#include "qom/qom-internal.h"

#define CAST_CACHE_SIZE 8

struct TypeImpl {
    TypeInfo info;
    Type parent;
    size_t instance_size;
    size_t class_size;
    ObjectClass *klass;                 /* complete, or NULL */
    ObjectClass *unfinished;            /* while class_init runs */
    GPtrArray *interfaces;              /* InterfaceClass, or NULL */
    GPtrArray *properties;              /* ObjectProperty, or NULL */
    /* Names, by address, to which casts of this class succeeded. */
    const char *cast_cache[CAST_CACHE_SIZE];
    unsigned cast_next;
};

static pthread_mutex_t type_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static GHashTable *type_table;          /* name -> TypeImpl */

static ObjectClass *type_get_class(Type type);

static G_NORETURN G_GNUC_PRINTF(1, 2) void type_bug(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("qom: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

/* -- Registry ------------------------------------------------------------ */

Type type_register_static(const TypeInfo *info)
{
    Type type = g_new0(struct TypeImpl, 1);

    type->info = *info;
    pthread_mutex_lock(&type_lock);
    if (!type_table) {
        type_table = g_hash_table_new(g_str_hash, g_str_equal);
    }
    if (!g_hash_table_insert(type_table, (void *)info->name, type)) {
        type_bug("type '%s' is registered twice", info->name);
    }
    pthread_mutex_unlock(&type_lock);
    return type;
}

void type_register_static_array(const TypeInfo *infos, int nr)
{
    for (int i = 0; i < nr; i++) {
        type_register_static(&infos[i]);
    }
}

static Type type_by_name(const char *name)
{
    Type type;

    pthread_mutex_lock(&type_lock);
    type = type_table ? g_hash_table_lookup(type_table, name) : NULL;
    pthread_mutex_unlock(&type_lock);
    return type;
}

static bool type_is(Type type, const char *name)
{
    for (; type; type = type->parent) {
        if (type->info.name == name || !strcmp(type->info.name, name)) {
            return true;
        }
    }
    return false;
}

/* -- Classes ------------------------------------------------------------- */

static InterfaceClass *type_find_interface(Type type, const char *name)
{
    for (unsigned i = 0; type->interfaces && i < type->interfaces->len; i++) {
        InterfaceClass *ic = g_ptr_array_index(type->interfaces, i);

        if (type_is(ic->parent_class.type, name)) {
            return ic;
        }
    }
    return NULL;
}

/* A class's own copy of an interface, with what @from has filled in. */
static void type_add_interface(Type type, ObjectClass *klass,
                               const ObjectClass *from)
{
    InterfaceClass *ic = g_memdup2(from, from->type->class_size);

    ic->concrete_class = klass;
    if (!type->interfaces) {
        type->interfaces = g_ptr_array_new();
    }
    g_ptr_array_add(type->interfaces, ic);
}

static void type_add_interfaces(Type type, ObjectClass *klass)
{
    GPtrArray *inherited = type->parent ? type->parent->interfaces : NULL;

    for (unsigned i = 0; inherited && i < inherited->len; i++) {
        type_add_interface(type, klass, g_ptr_array_index(inherited, i));
    }
    for (const InterfaceInfo *i = type->info.interfaces; i && i->type; i++) {
        Type iface = type_by_name(i->type);

        if (!iface) {
            type_bug("type '%s' has unknown interface '%s'", type->info.name,
                     i->type);
        }
        if (!type_find_interface(type, i->type)) {
            type_add_interface(type, klass, type_get_class(iface));
        }
    }
}

static void type_make_class(Type type)
{
    ObjectClass *klass;
    size_t inherit = 0;

    if (type->info.parent) {
        type->parent = type_by_name(type->info.parent);
        if (!type->parent) {
            type_bug("type '%s' has unknown parent '%s'", type->info.name,
                     type->info.parent);
        }
        type_get_class(type->parent);
        inherit = type->parent->class_size;
    }
    type->class_size = type->info.class_size ?: inherit;
    type->instance_size = type->info.instance_size;
    if (!type->instance_size && type->parent) {
        type->instance_size = type->parent->instance_size;
    }
    if (type->class_size < MAX(inherit, sizeof(ObjectClass)) ||
        (type->parent && type->instance_size < type->parent->instance_size)) {
        type_bug("type '%s' is smaller than its parent", type->info.name);
    }

    klass = g_malloc0(type->class_size);
    if (type->parent) {
        memcpy(klass, type->parent->klass, inherit);
    }
    klass->type = type;
    type->unfinished = klass;
    type_add_interfaces(type, klass);
    if (type->info.class_init) {
        type->info.class_init(klass, type->info.class_data);
    }
    type->unfinished = NULL;
    __atomic_store_n(&type->klass, klass, __ATOMIC_RELEASE);
}

static ObjectClass *type_get_class(Type type)
{
    ObjectClass *klass = __atomic_load_n(&type->klass, __ATOMIC_ACQUIRE);

    if (klass) {
        return klass;
    }
    pthread_mutex_lock(&type_lock);
    if (!type->klass && !type->unfinished) {
        type_make_class(type);
    }
    klass = type->klass ?: type->unfinished;
    pthread_mutex_unlock(&type_lock);
    return klass;
}

ObjectClass *object_class_by_name(const char *name)
{
    Type type = type_by_name(name);

    return type ? type_get_class(type) : NULL;
}

const char *object_class_get_name(const ObjectClass *klass)
{
    return klass->type->info.name;
}

ObjectClass *object_class_get_parent(ObjectClass *klass)
{
    Type parent = klass->type->parent;

    return parent ? type_get_class(parent) : NULL;
}

bool object_class_is_abstract(const ObjectClass *klass)
{
    return klass->type->info.abstract || type_is(klass->type, TYPE_INTERFACE);
}

GPtrArray *type_properties(Type type)
{
    return type->properties;
}

GPtrArray *type_properties_ensure(Type type)
{
    if (!type->properties) {
        type->properties = g_ptr_array_new();
    }
    return type->properties;
}

static int class_compare_name(const void *a, const void *b)
{
    return strcmp(object_class_get_name(a), object_class_get_name(b));
}

/* Whether the type is or implements @name, from what was registered: to ask a
 * class would mean to make it. */
static bool type_claims(Type type, const char *name)
{
    for (; type; type = type->info.parent ? type_by_name(type->info.parent)
                                          : NULL) {
        const InterfaceInfo *i = type->info.interfaces;

        if (!strcmp(type->info.name, name)) {
            return true;
        }
        for (; i && i->type; i++) {
            if (type_claims(type_by_name(i->type), name)) {
                return true;
            }
        }
    }
    return false;
}

GSList *object_class_get_list(const char *implements, bool include_abstract)
{
    g_autoptr(GList) types = NULL;
    GSList *list = NULL;

    pthread_mutex_lock(&type_lock);
    types = g_hash_table_get_values(type_table);
    for (GList *l = types; l; l = l->next) {
        ObjectClass *klass;

        if (implements && !type_claims(l->data, implements)) {
            continue;
        }
        klass = type_get_class(l->data);
        if (include_abstract || !object_class_is_abstract(klass)) {
            list = g_slist_prepend(list, klass);
        }
    }
    pthread_mutex_unlock(&type_lock);
    return g_slist_sort(list, class_compare_name);
}

/* -- Casts --------------------------------------------------------------- */

ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *type)
{
    if (!klass) {
        return NULL;
    }
    if (type_is(klass->type, type)) {
        return klass;
    }
    return (ObjectClass *)type_find_interface(klass->type, type);
}

/* Only the casts that the macros make come here: their names are constants,
 * so an address that was right once is right for ever. */
static bool cast_cached(Type type, const char *name)
{
    for (int i = 0; i < CAST_CACHE_SIZE; i++) {
        if (__atomic_load_n(&type->cast_cache[i], __ATOMIC_RELAXED) == name) {
            return true;
        }
    }
    return false;
}

static void cast_remember(Type type, const char *name)
{
    unsigned i = __atomic_fetch_add(&type->cast_next, 1, __ATOMIC_RELAXED);

    __atomic_store_n(&type->cast_cache[i % CAST_CACHE_SIZE], name,
                     __ATOMIC_RELAXED);
}

static bool type_is_cached(Type type, const char *name)
{
    if (likely(cast_cached(type, name))) {
        return true;
    }
    if (type_is(type, name)) {
        cast_remember(type, name);
        return true;
    }
    return false;
}

ObjectClass *object_class_dynamic_cast_assert(ObjectClass *klass,
                                              const char *type)
{
    InterfaceClass *ic;

    if (!klass || type_is_cached(klass->type, type)) {
        return klass;
    }
    ic = type_find_interface(klass->type, type);
    if (!ic) {
        type_bug("class '%s' is not a '%s'", klass->type->info.name, type);
    }
    return &ic->parent_class;
}

Object *object_dynamic_cast(Object *obj, const char *type)
{
    return obj && object_class_dynamic_cast(obj->klass, type) ? obj : NULL;
}

Object *object_dynamic_cast_assert(Object *obj, const char *type)
{
    if (obj && !type_is_cached(obj->klass->type, type) &&
        !type_find_interface(obj->klass->type, type)) {
        type_bug("object %p of type '%s' is not a '%s'", obj,
                 obj->klass->type->info.name, type);
    }
    return obj;
}

/* -- Objects ------------------------------------------------------------- */

static void object_run_init(Object *obj, Type type)
{
    if (type->parent) {
        object_run_init(obj, type->parent);
    }
    if (type->info.instance_init) {
        type->info.instance_init(obj);
    }
}

static void object_run_post_init(Object *obj, Type type)
{
    if (type->parent) {
        object_run_post_init(obj, type->parent);
    }
    if (type->info.instance_post_init) {
        type->info.instance_post_init(obj);
    }
}

static void object_init_with_class(Object *obj, ObjectClass *klass)
{
    if (object_class_is_abstract(klass)) {
        type_bug("type '%s' is abstract", object_class_get_name(klass));
    }
    memset(obj, 0, klass->type->instance_size);
    obj->klass = klass;
    obj->ref = 1;
    object_run_init(obj, klass->type);
    object_run_post_init(obj, klass->type);
}

void object_initialize(void *obj, size_t size, const char *type)
{
    ObjectClass *klass = object_class_by_name(type);

    if (!klass) {
        type_bug("unknown type '%s'", type);
    }
    if (size < klass->type->instance_size) {
        type_bug("type '%s' needs %zu bytes, not %zu", type,
                 klass->type->instance_size, size);
    }
    object_init_with_class(obj, klass);
}

Object *object_new(const char *type)
{
    ObjectClass *klass = object_class_by_name(type);
    Object *obj;

    if (!klass) {
        type_bug("unknown type '%s'", type);
    }
    obj = g_malloc(klass->type->instance_size);
    object_init_with_class(obj, klass);
    obj->free = g_free;
    return obj;
}

static void object_finalize(Object *obj)
{
    object_property_del_all(obj);
    for (Type type = obj->klass->type; type; type = type->parent) {
        if (type->info.instance_finalize) {
            type->info.instance_finalize(obj);
        }
    }
    g_free(obj->name);
    if (obj->free) {
        obj->free(obj);
    }
}

Object *object_ref(void *opaque)
{
    Object *obj = opaque;

    if (obj) {
        __atomic_fetch_add(&obj->ref, 1, __ATOMIC_RELAXED);
    }
    return obj;
}

void object_unref(void *opaque)
{
    Object *obj = opaque;

    if (obj) {
        int old = __atomic_fetch_sub(&obj->ref, 1, __ATOMIC_ACQ_REL);

        assert(old > 0);
        if (old == 1) {
            assert(!obj->parent);
            object_finalize(obj);
        }
    }
}

const char *object_get_typename(const Object *obj)
{
    return obj->klass->type->info.name;
}

ObjectClass *object_get_class(Object *obj)
{
    return obj->klass;
}

static void object_class_init(ObjectClass *klass, void *data)
{
    object_add_class_properties(klass);
}

static const TypeInfo base_types[] = {
    {
        .name = TYPE_OBJECT,
        .instance_size = sizeof(Object),
        .class_size = sizeof(ObjectClass),
        .class_init = object_class_init,
        .abstract = true,
    }, {
        .name = TYPE_INTERFACE,
        .class_size = sizeof(InterfaceClass),
        .abstract = true,
    },
};
DEFINE_TYPES(base_types)
