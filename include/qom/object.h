/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object model: types with single inheritance and interfaces, reference
 * counted objects, properties, and one composition tree under "/".
 *
 * A property's value travels as a JsonNode.  A setter accepts the JSON type
 * that fits it, or a string, which it parses (that is what a command line
 * gives).  Objects are for the owner (see hw/qdev-core.h); reference counts
 * are atomic.
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

#include <json-glib/json-glib.h>
#include "qapi/error.h"
#include "qemu/module.h"

#define TYPE_OBJECT "object"
#define TYPE_INTERFACE "interface"

typedef struct TypeImpl *Type;
typedef struct TypeInfo TypeInfo;
typedef struct InterfaceInfo InterfaceInfo;
typedef struct ObjectProperty ObjectProperty;

struct ObjectClass {
    Type type;
    /* Called as the object leaves its parent, before references go. */
    void (*unparent)(Object *obj);
};

struct Object {
    ObjectClass *klass;
    void (*free)(void *);       /* how the memory goes back, or NULL */
    GPtrArray *properties;      /* its own, in order of addition; or NULL */
    GHashTable *property_index; /* name -> ObjectProperty, once many; or NULL */
    int ref;
    Object *parent;
    char *name;                 /* in the parent */
};

struct InterfaceClass {
    ObjectClass parent_class;
    ObjectClass *concrete_class;
};

struct InterfaceInfo {
    const char *type;
};

struct TypeInfo {
    const char *name;
    const char *parent;
    size_t instance_size;       /* 0: the parent's */
    void (*instance_init)(Object *obj);         /* parent's runs before */
    void (*instance_post_init)(Object *obj);
    void (*instance_finalize)(Object *obj);     /* parent's runs after */
    bool abstract;
    size_t class_size;
    void (*class_init)(ObjectClass *klass, void *data);
    void *class_data;
    const InterfaceInfo *interfaces;            /* ends with { NULL } */
};

Type type_register_static(const TypeInfo *info);
void type_register_static_array(const TypeInfo *infos, int nr);
#define DEFINE_TYPES(array)                                     \
    static void do_register_##array(void)                       \
    {                                                           \
        type_register_static_array(array, ARRAY_SIZE(array));   \
    }                                                           \
    type_init(do_register_##array)

ObjectClass *object_class_by_name(const char *name);    /* NULL if unknown */
const char *object_class_get_name(const ObjectClass *klass);
ObjectClass *object_class_get_parent(ObjectClass *klass);
bool object_class_is_abstract(const ObjectClass *klass);
/* klass if it is or implements @type, else NULL. */
ObjectClass *object_class_dynamic_cast(ObjectClass *klass, const char *type);
/* The same, but a wrong type is a bug: aborts naming both types. */
ObjectClass *object_class_dynamic_cast_assert(ObjectClass *klass,
                                              const char *type);
/* All classes that are @implements (NULL: all), sorted by name; free with
 * g_slist_free. */
GSList *object_class_get_list(const char *implements, bool include_abstract);

Object *object_new(const char *type);                   /* reference of 1 */
void object_initialize(void *obj, size_t size, const char *type);
Object *object_ref(void *obj);
void object_unref(void *obj);                           /* NULL is ignored */
/* Leaves its parent, which drops the parent's reference. */
void object_unparent(Object *obj);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_unref)
const char *object_get_typename(const Object *obj);
ObjectClass *object_get_class(Object *obj);
Object *object_dynamic_cast(Object *obj, const char *type);
Object *object_dynamic_cast_assert(Object *obj, const char *type);

#define OBJECT(obj) ((Object *)(obj))
#define OBJECT_CLASS(klass) ((ObjectClass *)(klass))
#define OBJECT_CHECK(type, obj, name) \
    ((type *)object_dynamic_cast_assert(OBJECT(obj), (name)))
#define OBJECT_CLASS_CHECK(type, klass, name) \
    ((type *)object_class_dynamic_cast_assert(OBJECT_CLASS(klass), (name)))
#define OBJECT_GET_CLASS(type, obj, name) \
    OBJECT_CLASS_CHECK(type, object_get_class(OBJECT(obj)), name)
#define INTERFACE_CHECK(type, obj, name) \
    ((type *)object_dynamic_cast_assert(OBJECT(obj), (name)))

#define DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPENAME)      \
    static inline G_GNUC_UNUSED InstanceType *OBJ_NAME(const void *obj) \
    {                                                                   \
        return OBJECT_CHECK(InstanceType, obj, TYPENAME);               \
    }
#define DECLARE_CLASS_CHECKERS(ClassType, OBJ_NAME, TYPENAME)           \
    static inline G_GNUC_UNUSED ClassType *                             \
    OBJ_NAME##_CLASS(const void *klass)                                 \
    {                                                                   \
        return OBJECT_CLASS_CHECK(ClassType, klass, TYPENAME);          \
    }                                                                   \
    static inline G_GNUC_UNUSED ClassType *                             \
    OBJ_NAME##_GET_CLASS(const void *obj)                               \
    {                                                                   \
        return OBJECT_GET_CLASS(ClassType, obj, TYPENAME);              \
    }
#define OBJECT_DECLARE_SIMPLE_TYPE(InstanceType, OBJ_NAME)              \
    typedef struct InstanceType InstanceType;                           \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(InstanceType, object_unref)           \
    DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPE_##OBJ_NAME)
#define OBJECT_DECLARE_TYPE(InstanceType, ClassType, OBJ_NAME)          \
    typedef struct InstanceType InstanceType;                           \
    typedef struct ClassType ClassType;                                 \
    G_DEFINE_AUTOPTR_CLEANUP_FUNC(InstanceType, object_unref)           \
    DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPE_##OBJ_NAME)   \
    DECLARE_CLASS_CHECKERS(ClassType, OBJ_NAME, TYPE_##OBJ_NAME)
/* For structures whose typedef exists already (qemu/typedefs.h). */
#define DECLARE_OBJ_CHECKERS(InstanceType, ClassType, OBJ_NAME, TYPENAME) \
    DECLARE_INSTANCE_CHECKER(InstanceType, OBJ_NAME, TYPENAME)          \
    DECLARE_CLASS_CHECKERS(ClassType, OBJ_NAME, TYPENAME)

/* -- Properties ---------------------------------------------------------- */

/* A getter returns a new node; a setter returns false with @errp set. */
typedef JsonNode *ObjectPropertyGet(Object *obj, const char *name,
                                    void *opaque, Error **errp);
typedef bool ObjectPropertySet(Object *obj, const char *name, JsonNode *value,
                               void *opaque, Error **errp);
typedef void ObjectPropertyRelease(Object *obj, const char *name,
                                   void *opaque);

struct ObjectProperty {
    char *name;
    char *type;                 /* "bool", "uint32", "child<x>", "link<x>" */
    char *description;
    ObjectPropertyGet *get;     /* NULL: cannot be read */
    ObjectPropertySet *set;     /* NULL: cannot be set */
    ObjectPropertyRelease *release;
    void *opaque;
    JsonNode *defval;           /* or NULL */
};

ObjectProperty *object_property_add(Object *obj, const char *name,
                                    const char *type, ObjectPropertyGet *get,
                                    ObjectPropertySet *set,
                                    ObjectPropertyRelease *release,
                                    void *opaque);
ObjectProperty *object_class_property_add(ObjectClass *klass, const char *name,
                                          const char *type,
                                          ObjectPropertyGet *get,
                                          ObjectPropertySet *set,
                                          void *opaque);
void object_class_property_set_description(ObjectClass *klass,
                                           const char *name, const char *text);
void object_property_del(Object *obj, const char *name);
/* NULL with @errp: "Property 'T.N' not found", with the nearest spelling. */
ObjectProperty *object_property_find_err(Object *obj, const char *name,
                                         Error **errp);
ObjectProperty *object_property_find(Object *obj, const char *name);
ObjectProperty *object_class_property_find(ObjectClass *klass,
                                           const char *name);

/* Typed adders: the common kinds without writing accessors. */
void object_class_property_add_str(ObjectClass *klass, const char *name,
                                   char *(*get)(Object *, Error **),
                                   bool (*set)(Object *, const char *,
                                               Error **));
void object_class_property_add_bool(ObjectClass *klass, const char *name,
                                    bool (*get)(Object *, Error **),
                                    bool (*set)(Object *, bool, Error **));
/* A uint64 (or, is_size, one that takes suffixes). */
void object_class_property_add_uint64(ObjectClass *klass, const char *name,
                                      bool is_size,
                                      uint64_t (*get)(Object *, Error **),
                                      bool (*set)(Object *, uint64_t,
                                                  Error **));

/* Every property of the object, its class and parents, in that order. */
typedef void ObjectPropertyIter(ObjectProperty *prop, void *opaque);
void object_property_foreach(Object *obj, ObjectPropertyIter *fn,
                             void *opaque);
void object_class_property_foreach(ObjectClass *klass, ObjectPropertyIter *fn,
                                   void *opaque);

JsonNode *object_property_get(Object *obj, const char *name, Error **errp);
bool object_property_set(Object *obj, const char *name, JsonNode *value,
                         Error **errp);
bool object_property_set_str(Object *obj, const char *name, const char *value,
                             Error **errp);
bool object_property_set_bool(Object *obj, const char *name, bool value,
                              Error **errp);
bool object_property_set_int(Object *obj, const char *name, int64_t value,
                             Error **errp);
bool object_property_set_link(Object *obj, const char *name, Object *value,
                              Error **errp);
char *object_property_get_str(Object *obj, const char *name, Error **errp);
bool object_property_get_bool(Object *obj, const char *name, Error **errp);
int64_t object_property_get_int(Object *obj, const char *name, Error **errp);
Object *object_property_get_link(Object *obj, const char *name, Error **errp);

/* Conversions for setters: from the JSON type or from a string. */
bool json_node_to_bool(JsonNode *node, const char *name, bool *out,
                       Error **errp);
bool json_node_to_int(JsonNode *node, const char *name, int64_t min,
                      int64_t max, int64_t *out, Error **errp);
bool json_node_to_uint(JsonNode *node, const char *name, uint64_t max,
                       uint64_t *out, Error **errp);
bool json_node_to_size(JsonNode *node, const char *name, uint64_t *out,
                       Error **errp);
/* The node's string, or NULL with @errp; lives as long as the node. */
const char *json_node_to_str(JsonNode *node, const char *name, Error **errp);
JsonNode *json_node_new_bool(bool v);
JsonNode *json_node_new_int(int64_t v);
JsonNode *json_node_new_uint(uint64_t v);
JsonNode *json_node_new_str(const char *v);

/* -- Composition tree ---------------------------------------------------- */

/* "name[*]" takes the first free number.  The parent takes a reference. */
ObjectProperty *object_property_add_child(Object *parent, const char *name,
                                          Object *child);
/* A link property whose target is kept in *@target with a reference. */
void object_property_add_link(Object *obj, const char *name, const char *type,
                              Object **target);
/* For setters of links: the object of @type that @value names by path, NULL
 * for "" (true); false with @errp if there is none.  No reference is taken. */
bool object_resolve_link(JsonNode *value, const char *name, const char *type,
                         Object **target, Error **errp);
Object *object_get_root(void);                      /* "/" */
Object *object_get_objects_root(void);              /* "/objects" */
/* A container object at @path, made if missing. */
Object *container_get(Object *root, const char *path);
char *object_get_canonical_path(const Object *obj);         /* NULL: none */
const char *object_get_canonical_path_component(const Object *obj);
/* By absolute path, or by a partial one that only one object has. */
Object *object_resolve_path(const char *path, bool *ambiguous);
/* The child or link target that @parent has under @part, or NULL. */
Object *object_resolve_path_component(Object *parent, const char *part);
Object *object_resolve_path_type(const char *path, const char *type,
                                 bool *ambiguous);
/* Calls @fn for each child; stops and returns what is not 0. */
int object_child_foreach(Object *obj, int (*fn)(Object *child, void *opaque),
                         void *opaque);
int object_child_foreach_recursive(Object *obj,
                                   int (*fn)(Object *child, void *opaque),
                                   void *opaque);

/* -- -object ------------------------------------------------------------- */

#define TYPE_USER_CREATABLE "user-creatable"
typedef struct UserCreatable UserCreatable;
typedef struct UserCreatableClass {
    InterfaceClass parent_class;
    /* After all properties are set; false refuses the object. */
    bool (*complete)(UserCreatable *uc, Error **errp);
    bool (*can_be_deleted)(UserCreatable *uc);      /* NULL: yes */
} UserCreatableClass;
DECLARE_OBJ_CHECKERS(UserCreatable, UserCreatableClass, USER_CREATABLE,
                     TYPE_USER_CREATABLE)

/**
 * user_creatable_add - make an object under /objects.
 * @opts: members "qom-type" and "id", the rest are properties
 * Returns the object (the tree holds it), or NULL with @errp set.
 */
Object *user_creatable_add(JsonObject *opts, Error **errp);
bool user_creatable_del(const char *id, Error **errp);
/* "-object help" (NULL) and "-object TYPE,help"; false: no such type. */
bool user_creatable_help(GString *out, const char *type, Error **errp);
/* Appends a line for each property of @klass that can be set, by name. */
void object_class_help(GString *out, ObjectClass *klass);
/* Sets every member of @props on @obj but those named in @except (or NULL);
 * the first that fails names itself. */
bool object_set_properties(Object *obj, JsonObject *props,
                           const char *const *except, Error **errp);

#endif
