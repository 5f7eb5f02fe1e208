/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of qom/ share and nobody else sees. */
#ifndef QOM_INTERNAL_H
#define QOM_INTERNAL_H

#include "qom/object.h"

/* A set of properties: a class's, or those added to one object. */
ObjectProperty *property_new(const char *name, const char *type,
                             ObjectPropertyGet *get, ObjectPropertySet *set,
                             ObjectPropertyRelease *release, void *opaque);
void property_free(ObjectProperty *prop);

/* The class's own properties, in order of addition; NULL: none. */
GPtrArray *type_properties(Type type);
GPtrArray *type_properties_ensure(Type type);

/* The class properties that every object has. */
void object_add_class_properties(ObjectClass *klass);
/* Releases the object's own properties, the last added first. */
void object_property_del_all(Object *obj);

/* The child behind a "child<>" property, else NULL. */
Object *property_child(const ObjectProperty *prop);

#endif
