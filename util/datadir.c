/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folders where images of firmware are looked for. */
#include "qemu/osdep.h"
#include "qemu/datadir.h"

static GPtrArray *added;

static const char *data_dir(unsigned i)
{
    unsigned n = added ? added->len : 0;

    return i < n ? g_ptr_array_index(added, i) :
           i == n ? CONFIG_FIRMWARE_PATH : NULL;
}

void qemu_add_data_dir(const char *path)
{
    if (!added) {
        added = g_ptr_array_new_with_free_func(g_free);
    }
    g_ptr_array_add(added, g_strdup(path));
}

char *qemu_data_dirs(const char *separator)
{
    GString *all = g_string_new(data_dir(0));
    const char *dir;

    for (unsigned i = 1; (dir = data_dir(i)); i++) {
        g_string_append_printf(all, "%s%s", separator, dir);
    }
    return g_string_free(all, FALSE);
}

char *qemu_find_data_file(const char *name)
{
    const char *dir;

    for (unsigned i = 0; *name && (dir = data_dir(i)); i++) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (!access(path, F_OK)) {
            return g_steal_pointer(&path);
        }
    }
    return NULL;
}
