/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's state described once, field by field: what the guest can see or
 * cause, kept in a struct without pointers.  Reset, `info device`, tests, and
 * later saving and taking over work from the description.
 */
#ifndef MIGRATION_VMSTATE_H
#define MIGRATION_VMSTATE_H

#include <json-glib/json-glib.h>

typedef enum VMStateKind {
    VMS_UINT,                   /* of .size 1, 2, 4 or 8 */
    VMS_BOOL,
    VMS_BUFFER,                 /* .size bytes */
    VMS_STRUCT,                 /* described by .vmsd */
} VMStateKind;

typedef struct VMStateField {
    const char *name;           /* NULL ends a table */
    VMStateKind kind;
    size_t offset;
    size_t size;                /* of one element */
    size_t num;                 /* of elements; 0 or 1: a scalar */
    const VMStateDescription *vmsd;
} VMStateField;

struct VMStateDescription {
    const char *name;
    int version_id;
    const VMStateField *fields;
};

#define VMSTATE_FIELD_(f, s, k, n, elem, v)                             \
    { .name = #f, .kind = (k), .offset = offsetof(s, f),                \
      .size = sizeof(elem), .num = (n), .vmsd = (v) }
#define VMSTATE_UINT(f, s) \
    VMSTATE_FIELD_(f, s, VMS_UINT, 0, ((s *)0)->f, NULL)
#define VMSTATE_UINT8(f, s) VMSTATE_UINT(f, s)
#define VMSTATE_UINT16(f, s) VMSTATE_UINT(f, s)
#define VMSTATE_UINT32(f, s) VMSTATE_UINT(f, s)
#define VMSTATE_UINT64(f, s) VMSTATE_UINT(f, s)
#define VMSTATE_BOOL(f, s) VMSTATE_FIELD_(f, s, VMS_BOOL, 0, ((s *)0)->f, NULL)
#define VMSTATE_BUFFER(f, s) \
    VMSTATE_FIELD_(f, s, VMS_BUFFER, 0, ((s *)0)->f, NULL)
#define VMSTATE_UINT_ARRAY(f, s)                                        \
    VMSTATE_FIELD_(f, s, VMS_UINT, ARRAY_SIZE(((s *)0)->f),             \
                   ((s *)0)->f[0], NULL)
#define VMSTATE_STRUCT(f, s, v) \
    VMSTATE_FIELD_(f, s, VMS_STRUCT, 0, ((s *)0)->f, v)
#define VMSTATE_STRUCT_ARRAY(f, s, v)                                   \
    VMSTATE_FIELD_(f, s, VMS_STRUCT, ARRAY_SIZE(((s *)0)->f),           \
                   ((s *)0)->f[0], v)
#define VMSTATE_END_OF_LIST() { .name = NULL }

/* Every field zero. */
void vmstate_clear(const VMStateDescription *vmsd, void *opaque);
/* { "field": value, ... }; buffers as hexadecimal strings. */
JsonNode *vmstate_to_json(const VMStateDescription *vmsd, const void *opaque);

#endif
