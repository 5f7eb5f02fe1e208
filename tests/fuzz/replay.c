/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a target over files, or over the files of folders (if there are such),
 * without libFuzzer: a test for each.  replay-NAME FILE|FOLDER... */
#include "qemu/osdep.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int number;

static bool replay(const char *path)
{
    g_autoptr(GError) err = NULL;
    g_autofree char *text = NULL, *name = g_path_get_basename(path);
    g_autofree uint8_t *exact = NULL;
    gsize len;

    if (!g_file_get_contents(path, &text, &len, &err)) {
        printf("Bail out! %s\n", err->message);
        return false;
    }
    /* A copy that ends where the input does. */
    exact = g_memdup2(text, len);
    printf("# %s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(exact, len);
    printf("ok %d - %s\n", ++number, name);
    fflush(stdout);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool replay_folder(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(files, g_build_filename(path, name, NULL));
    }
    g_ptr_array_sort(files, by_name);
    for (unsigned i = 0; i < files->len; i++) {
        if (!replay(g_ptr_array_index(files, i))) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        bool file = g_file_test(argv[i], G_FILE_TEST_IS_REGULAR);

        if (!(file ? replay : replay_folder)(argv[i])) {
            return 1;
        }
    }
    printf("1..%d\n", number);
    return 0;
}
