/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What targets share whose input is commands in words. */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "qom/object.h"
#include "text.h"

bool fuzz_text_dangerous(const char *text)
{
    static const char *const words[] = {
        "fd", "/", "\\u", "prealloc", "chardev", "socket", "file", "qom-set",
        "remote", "drive_", "block_", "log", "save", "dump", "screen", "pid",
        "null-aio", "ram",
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

static int collect(Object *child, void *opaque)
{
    g_ptr_array_add(opaque, child);
    return 0;
}

static void take_back(const char *where)
{
    Object *parent = container_get(object_get_root(), where);
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    object_child_foreach(parent, collect, list);
    for (unsigned i = 0; i < list->len; i++) {
        Object *obj = g_ptr_array_index(list, i);

        if (object_dynamic_cast(obj, TYPE_DEVICE)) {
            if (g_strcmp0(DEVICE(obj)->id, "lsi")) {
                qdev_unplug_complete(DEVICE(obj));
            }
        } else {
            object_unparent(obj);
        }
    }
}

void fuzz_take_back(void)
{
    take_back("/machine/peripheral");
    take_back("/machine/peripheral-anon");
    take_back("/objects");
}
