/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines: their names, properties and RAM. */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "hw/boards.h"

static void check_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_get_pretty(err), ==, text);
    error_free(err);
}

static void check_has(GString *out, const char *text)
{
    if (!strstr(out->str, text)) {
        g_error("'%s' is not in:\n%s", text, out->str);
    }
}

static bool tmach_init(MachineState *ms, Error **errp)
{
    return machine_create_ram(ms, errp);
}

static void tmach_class_init(ObjectClass *oc, void *data)
{
    MachineClass *mc = MACHINE_CLASS(oc);

    mc->name = "test-1.0";
    mc->alias = "test";
    mc->desc = "a machine for tests";
    mc->init = tmach_init;
    mc->default_ram_size = 2 * MiB;
}

static const TypeInfo tmach_types[] = {
    {
        .name = MACHINE_TYPE_NAME("test-1.0"), .parent = TYPE_MACHINE,
        .class_init = tmach_class_init,
    },
};
DEFINE_TYPES(tmach_types)

static void test_machine_names(void)
{
    GString *out = g_string_new(NULL);

    g_assert_cmpstr(find_machine("test")->name, ==, "test-1.0");
    g_assert_true(find_machine("test-1.0") == find_machine("test"));
    g_assert_true(find_machine("none")->no_cpus);
    g_assert_null(find_machine("tset"));
    g_assert_null(find_machine("machine"));
    machine_help(out, NULL, &error_abort);
    check_has(out, "Supported machines are:\n");
    check_has(out, "\nnone                 empty machine\n");
    check_has(out, "\ntest                 a machine for tests "
              "(alias of test-1.0)\n");
    g_string_truncate(out, 0);
    machine_help(out, "test", &error_abort);
    g_assert_false(machine_help(out, "tset", NULL));
    check_has(out, "test-1.0 options:\n  append=<string>");
    g_string_free(out, TRUE);
}

static void test_machine_ram(void)
{
    MachineState *ms = MACHINE(object_new(MACHINE_TYPE_NAME("test-1.0")));
    g_autoptr(JsonNode) backend = json_parse(
        "{'qom-type':'memory-backend-ram','id':'m0','size':'1M'}",
        &error_abort);
    Error *err = NULL;

    g_assert_true(machine_create_ram(ms, &error_abort));
    g_assert_cmpuint(ms->ram_size, ==, 2 * MiB);
    g_assert_true(ms->ram->ram->shared);
    g_assert_cmpint(memory_region_get_fd(ms->ram), >=, 0);
    object_unref(ms);
    g_assert_false(user_creatable_del("pc.ram", NULL));     /* in use */

    ms = MACHINE(object_new(MACHINE_TYPE_NAME("test-1.0")));
    object_property_set_str(OBJECT(ms), "memory-backend", "m0", &error_abort);
    g_assert_false(machine_create_ram(ms, &err));
    check_error(err, "Memory backend 'm0' not found");
    user_creatable_add(json_node_get_object(backend), &error_abort);
    ms->ram_size = 2 * MiB;
    err = NULL;
    g_assert_false(machine_create_ram(ms, &err));
    check_error(err, "Memory backend 'm0' has 1048576 bytes, but -m asks for "
                "2097152");
    ms->ram_size = 0;
    g_assert_true(machine_create_ram(ms, &error_abort));
    g_assert_cmpuint(ms->ram_size, ==, MiB);
    err = NULL;
    g_assert_false(machine_create_ram(ms, &err));
    check_error(err, "Memory backend 'm0' is in use already");
    object_unref(ms);
}

static void test_machine_props(void)
{
    MachineState *ms = MACHINE(object_new(MACHINE_TYPE_NAME("none")));
    Object *obj = OBJECT(ms);
    Error *err = NULL;

    object_property_set_str(obj, "kernel", "vmlinuz", &error_abort);
    object_property_set_str(obj, "append", "quiet", &error_abort);
    g_assert_cmpstr(ms->kernel_filename, ==, "vmlinuz");
    g_assert_cmpstr(ms->kernel_cmdline, ==, "quiet");
    g_assert_true(ms->mem_merge && ms->dump_guest_core);
    object_property_set_str(obj, "dump-guest-core", "off", &error_abort);
    g_assert_false(ms->dump_guest_core);
    object_property_set_str(obj, "usb", "off", &error_abort);
    g_assert_false(object_property_set_str(obj, "usb", "on", &err));
    check_error(err, "Parameter 'usb' can only be 'off': no USB host "
                "controller is modelled");
    err = NULL;
    object_property_set_str(obj, "kernel_irqchip", "on", &error_abort);
    g_assert_false(object_property_set_str(obj, "kernel_irqchip", "split",
                                           &err));
    check_error(err, "Parameter 'kernel_irqchip' can only be 'on': devices of "
                "other processes signal the chips in the kernel");
    err = NULL;
    g_assert_false(object_property_set_str(obj, "kernal", "x", &err));
    check_error(err, "Property 'none-machine.kernal' not found; did you mean "
                "'kernel'?");
    object_unref(ms);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    g_test_add_func("/machine/names", test_machine_names);
    g_test_add_func("/machine/ram", test_machine_ram);
    g_test_add_func("/machine/properties", test_machine_props);
    return g_test_run();
}
