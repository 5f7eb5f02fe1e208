/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"
#include "char-world.h"
#include "qapi/error.h"
#include "qemu/sockets.h"

#include <glib/gstdio.h>

static int fe_can_read(void *opaque)
{
    return ((FrontEnd *)opaque)->room;
}

static void fe_read(void *opaque, const uint8_t *buf, int size)
{
    FrontEnd *fe = opaque;

    g_assert_cmpint(size, <=, fe->room);
    fe->room -= size;
    g_string_append_len(fe->got, (const char *)buf, size);
}

static void fe_event(void *opaque, QEMUChrEvent event)
{
    FrontEnd *fe = opaque;

    g_string_append_c(fe->events, "OCBIU"[event]);
}

static void fe_writable(void *opaque)
{
    FrontEnd *fe = opaque;

    fe->writable++;
}

void fe_attach(FrontEnd *fe, Chardev *chr)
{
    fe->room = 1000;
    g_assert_true(qemu_chr_fe_init(&fe->be, chr, &error_abort));
    qemu_chr_fe_set_handlers(&fe->be, fe_can_read, fe_read, fe_event, fe);
    qemu_chr_fe_set_writable(&fe->be, fe_writable);
}

void fe_set_up(FrontEnd *fe)
{
    memset(fe, 0, sizeof(*fe));
    fe->got = g_string_new(NULL);
    fe->events = g_string_new(NULL);
}

static void fe_tear_down(FrontEnd *fe)
{
    qemu_chr_fe_deinit(&fe->be);
    g_string_free(fe->got, TRUE);
    g_string_free(fe->events, TRUE);
}

void char_set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("test-char-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "x", NULL);
    fe_set_up(&f->fe);
    fe_set_up(&f->fe2);
}

void char_tear_down(Fixture *f, gconstpointer unused)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    const char *name;

    fe_tear_down(&f->fe);
    fe_tear_down(&f->fe2);
    qemu_chr_cleanup();
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);

        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_free(f->path);
    g_free(f->dir);
}

void settle(void)
{
    for (int i = 0; i < 5; i++) {
        main_loop_wait(true);
    }
}

Chardev *make(Error **errp, const char *fmt, ...)
{
    g_autoptr(JsonObject) opts = NULL;
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    opts = keyval_parse(text, "backend", NULL, &error_abort);
    return qemu_chr_new_from_opts(opts, errp);
}

int fe_say(FrontEnd *fe, const char *text)
{
    return qemu_chr_fe_write(&fe->be, (const uint8_t *)text, strlen(text));
}

void assert_file(const char *path, const char *want)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, want);
}

FrontEnd *serve(Fixture *f)
{
    fe_attach(&f->fe, make(&error_abort,
                           "socket,id=a,path=%s,server=on,wait=off",
                           f->path));
    g_assert_cmpstr(f->fe.events->str, ==, "");
    g_assert_false(qemu_chr_fe_backend_connected(&f->fe.be));
    return &f->fe;
}

void expect_bytes(int fd, const char *want)
{
    size_t len = strlen(want);
    g_autofree char *buf = g_malloc0(len + 1);
    size_t got = 0;

    qemu_set_blocking(fd, false);
    while (got < len) {
        ssize_t n = read(fd, buf + got, len - got);

        g_assert_cmpint(n, !=, 0);
        if (n > 0) {
            got += n;
        } else {
            main_loop_wait(true);
        }
    }
    g_assert_cmpstr(buf, ==, want);
}
