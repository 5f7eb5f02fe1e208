/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work on a device's state by its description: clear it, show it. */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "qom/object.h"

void vmstate_clear(const VMStateDescription *vmsd, void *opaque)
{
    for (const VMStateField *f = vmsd->fields; f->name; f++) {
        char *p = (char *)opaque + f->offset;
        size_t num = MAX(f->num, 1);

        if (f->kind != VMS_STRUCT) {
            memset(p, 0, num * f->size);
            continue;
        }
        for (size_t i = 0; i < num; i++) {
            vmstate_clear(f->vmsd, p + i * f->size);
        }
    }
}

static JsonNode *buffer_to_json(const uint8_t *p, size_t size)
{
    g_autofree char *hex = g_malloc(2 * size + 1);

    hex[0] = '\0';
    for (size_t i = 0; i < size; i++) {
        snprintf(hex + 2 * i, 3, "%02x", p[i]);
    }
    return json_node_new_str(hex);
}

static JsonNode *element_to_json(const VMStateField *f, const char *p)
{
    uint64_t v = 0;

    switch (f->kind) {
    case VMS_STRUCT:
        return vmstate_to_json(f->vmsd, p);
    case VMS_BUFFER:
        return buffer_to_json((const uint8_t *)p, f->size);
    case VMS_BOOL:
        return json_node_new_bool(*(const bool *)p);
    case VMS_UINT:
        break;
    }
    assert(f->size <= sizeof(v));
    memcpy(&v, p, f->size);     /* the host is little-endian */
    return json_node_new_uint(v);
}

JsonNode *vmstate_to_json(const VMStateDescription *vmsd, const void *opaque)
{
    JsonObject *out = json_object_new();
    JsonNode *node = json_node_alloc();

    for (const VMStateField *f = vmsd->fields; f->name; f++) {
        const char *p = (const char *)opaque + f->offset;
        JsonArray *array;

        if (!f->num) {
            json_object_set_member(out, f->name, element_to_json(f, p));
            continue;
        }
        array = json_array_sized_new(f->num);
        for (size_t i = 0; i < f->num; i++) {
            json_array_add_element(array, element_to_json(f, p + i * f->size));
        }
        json_object_set_array_member(out, f->name, array);
    }
    json_node_init_object(node, out);
    json_object_unref(out);
    return node;
}
