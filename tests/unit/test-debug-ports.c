/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa-debugcon and isa-debug-exit. */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "hw/isa/isa.h"
#include "qemu/bswap.h"
#include "system/runstate.h"
#include "isa-world.h"

static int exit_code = -1;
void qemu_system_shutdown_request_with_code(ShutdownCause cause, int code)
{
    g_assert_cmpint(cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    exit_code = code;
}

static ISADevice *make(const char *type, uint32_t iobase)
{
    ISADevice *dev = isa_new(type);

    if (iobase) {
        qdev_prop_set_uint32(&dev->parent_obj, "iobase", iobase);
    }
    return dev;
}

static void test_debugcon(void)
{
    g_autofree char *dir = g_dir_make_tmp("debugcon-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "out", NULL);
    g_autofree char *desc = g_strconcat("file:", path, NULL);
    g_autofree char *text = NULL;
    Chardev *chr = qemu_chr_new("out", desc, &error_abort);
    ISADevice *dev = make("isa-debugcon", 0);

    qdev_prop_set_chr(&dev->parent_obj, "chardev", chr);
    isa_realize_and_unref(dev, isa_bus, &error_abort);
    g_assert_cmphex(inb(0xe9), ==, 0xe9);
    for (const char *s = "hello\n"; *s; s++) {
        outb(0xe9, *s);
    }
    qdev_unparent(&dev->parent_obj);
    g_assert_true(qemu_chr_delete("out", &error_abort));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "hello\n");
    unlink(path);
    rmdir(dir);
}

static void test_debugcon_without_back_end(void)
{
    ISADevice *dev = make("isa-debugcon", 0x402);

    isa_realize_and_unref(dev, isa_bus, &error_abort);
    outb(0x402, 'x');
    g_assert_cmphex(inb(0x402), ==, 0xe9);
    qdev_unparent(&dev->parent_obj);
}

static void test_debug_exit(void)
{
    ISADevice *dev = make("isa-debug-exit", 0xf4);

    qdev_prop_set_uint32(&dev->parent_obj, "iosize", 4);
    isa_realize_and_unref(dev, isa_bus, &error_abort);
    outb(0xf4, 0);
    g_assert_cmpint(exit_code, ==, 1);
    port_out(0xf4, 0x10, 4);
    g_assert_cmpint(exit_code, ==, 0x21);
    port_out(0xf4, 0xffffffff, 4);
    g_assert_cmpint(exit_code, ==, 0xff);
    qdev_unparent(&dev->parent_obj);
}

static void test_bad_ports(void)
{
    static const struct { const char *type; uint32_t iobase; } bad[] = {
        { "isa-debugcon", 0x10000 }, { "isa-debug-exit", 0xffff },
        { "isa-debug-exit", 0xffffffff },
    };

    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_false(isa_realize_and_unref(make(bad[i].type, bad[i].iobase),
                                             isa_bus, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "iobase"));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_world_init();
    g_test_add_func("/debugcon/writes-its-back-end", test_debugcon);
    g_test_add_func("/debugcon/without-back-end",
                    test_debugcon_without_back_end);
    g_test_add_func("/debug-exit/status-is-twice-plus-one", test_debug_exit);
    g_test_add_func("/debug-ports/bad-ports-are-refused", test_bad_ports);
    return g_test_run();
}
