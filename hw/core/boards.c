/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines: what -machine takes for every one of them, how they are found by
 * name, and their RAM.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "hw/boards.h"

MachineState *current_machine;

/* -- Finding ------------------------------------------------------------- */

MachineClass *find_machine(const char *name)
{
    g_autoptr(GSList) list = object_class_get_list(TYPE_MACHINE, false);

    for (GSList *l = list; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);

        if (!g_strcmp0(mc->name, name) || !g_strcmp0(mc->alias, name)) {
            return mc;
        }
    }
    return NULL;
}

static void help_machine_line(GString *out, const char *name, MachineClass *mc,
                              const char *alias_of)
{
    g_string_append_printf(out, "%-20s %s", name, mc->desc ?: "");
    if (alias_of) {
        g_string_append_printf(out, " (alias of %s)\n", alias_of);
    } else {
        g_string_append(out, mc->is_default ? " (default)\n" : "\n");
    }
}

bool machine_help(GString *out, const char *name, Error **errp)
{
    g_autoptr(GSList) list = NULL;
    MachineClass *mc;

    if (!name) {
        g_string_append(out, "Supported machines are:\n");
        list = object_class_get_list(TYPE_MACHINE, false);
        for (GSList *l = list; l; l = l->next) {
            mc = MACHINE_CLASS(l->data);
            if (mc->alias) {
                help_machine_line(out, mc->alias, mc, mc->name);
            }
            help_machine_line(out, mc->name, mc, NULL);
        }
        return true;
    }
    mc = find_machine(name);
    if (!mc) {
        error_setg(errp, "There is no machine '%s'", name);
        return false;
    }
    if (mc->no_cpus) {
        g_string_append_printf(out, "%s has no options\n", mc->name);
        return true;
    }
    g_string_append_printf(out, "%s options:\n", mc->name);
    object_class_help(out, OBJECT_CLASS(mc));
    return true;
}

/* -- RAM ----------------------------------------------------------------- */

/* One that other processes can map, as proxies need it. */
static HostMemoryBackend *ram_backend_default(MachineState *ms, Error **errp)
{
    g_autoptr(JsonObject) opts = json_object_new();

    json_object_set_string_member(opts, "qom-type",
                                  TYPE_MEMORY_BACKEND_MEMFD);
    json_object_set_string_member(opts, "id", "pc.ram");
    json_object_set_int_member(opts, "size", ms->ram_size);
    json_object_set_boolean_member(opts, "share", true);
    return (HostMemoryBackend *)user_creatable_add(opts, errp);
}

static HostMemoryBackend *ram_backend_named(MachineState *ms, Error **errp)
{
    const char *id = ms->memory_backend;
    Object *obj = object_resolve_path_component(object_get_objects_root(), id);
    HostMemoryBackend *backend;

    if (!object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)) {
        error_setg(errp, obj ? "Object '%s' is not a memory backend"
                             : "Memory backend '%s' not found", id);
        return NULL;
    }
    backend = MEMORY_BACKEND(obj);
    if (backend->is_mapped) {
        error_setg(errp, "Memory backend '%s' is in use already", id);
        return NULL;
    }
    if (backend->readonly) {
        error_setg(errp, "Memory backend '%s' is read-only: a guest writes to "
                   "its memory", id);
        return NULL;
    }
    if (!ms->ram_size) {
        ms->ram_size = backend->size;
    }
    if (ms->ram_size != backend->size) {
        error_setg(errp, "Memory backend '%s' has %" PRIu64 " bytes, but -m "
                   "asks for %" PRIu64, id, backend->size, ms->ram_size);
        return NULL;
    }
    return backend;
}

bool machine_create_ram(MachineState *ms, Error **errp)
{
    HostMemoryBackend *backend;
    RAMBlock *block;

    if (ms->memory_backend) {
        backend = ram_backend_named(ms, errp);
    } else {
        if (!ms->ram_size) {
            ms->ram_size = MACHINE_GET_CLASS(ms)->default_ram_size;
        }
        backend = ram_backend_default(ms, errp);
    }
    if (!backend) {
        return false;
    }
    backend->is_mapped = true;
    ms->ram_backend = backend;
    ms->ram = host_memory_backend_get_memory(backend);
    block = ms->ram->ram;
    /* Advice: a kernel without KSM refuses it, and nothing is lost. */
    if (!ms->mem_merge) {
        madvise(block->host, block->size, MADV_UNMERGEABLE);
    }
    if (!ms->dump_guest_core) {
        madvise(block->host, block->size, MADV_DONTDUMP);
    }
    return true;
}

/* -- -machine ------------------------------------------------------------ */

#define MACHINE_STR_PROPERTY(prop, field)                               \
static char *machine_get_##prop(Object *obj, Error **errp)              \
{                                                                       \
    return g_strdup(MACHINE(obj)->field);                               \
}                                                                       \
static bool machine_set_##prop(Object *obj, const char *v, Error **errp) \
{                                                                       \
    g_free(MACHINE(obj)->field);                                        \
    MACHINE(obj)->field = *v ? g_strdup(v) : NULL;                      \
    return true;                                                        \
}
MACHINE_STR_PROPERTY(kernel, kernel_filename)
MACHINE_STR_PROPERTY(initrd, initrd_filename)
MACHINE_STR_PROPERTY(append, kernel_cmdline)
MACHINE_STR_PROPERTY(firmware, firmware)
MACHINE_STR_PROPERTY(memory_backend, memory_backend)

#define MACHINE_BOOL_PROPERTY(prop)                                     \
static bool machine_get_##prop(Object *obj, Error **errp)               \
{                                                                       \
    return MACHINE(obj)->prop;                                          \
}                                                                       \
static bool machine_set_##prop(Object *obj, bool v, Error **errp)       \
{                                                                       \
    MACHINE(obj)->prop = v;                                             \
    return true;                                                        \
}
MACHINE_BOOL_PROPERTY(mem_merge)
MACHINE_BOOL_PROPERTY(dump_guest_core)
MACHINE_BOOL_PROPERTY(graphics)

/* What no machine has; management says so. */
static bool machine_get_absent(Object *obj, Error **errp)
{
    return false;
}

#define MACHINE_ABSENT_PROPERTY(prop, what)                             \
static bool machine_set_##prop(Object *obj, bool v, Error **errp)       \
{                                                                       \
    if (v) {                                                            \
        error_setg(errp, "Parameter '" #prop "' can only be 'off': no " \
                   what " is modelled");                                \
    }                                                                   \
    return !v;                                                          \
}
MACHINE_ABSENT_PROPERTY(usb, "USB host controller")
MACHINE_ABSENT_PROPERTY(hpet, "HPET")
MACHINE_ABSENT_PROPERTY(smm, "system management mode")
MACHINE_ABSENT_PROPERTY(vmport, "VMware port")

static char *machine_get_irqchip(Object *obj, Error **errp)
{
    return g_strdup("on");
}

static bool machine_set_irqchip(Object *obj, const char *v, Error **errp)
{
    if (strcmp(v, "on")) {
        error_setg(errp, "Parameter 'kernel_irqchip' can only be 'on': devices "
                   "of other processes signal the chips in the kernel");
        return false;
    }
    return true;
}

static const struct {
    const char *name, *description;
    char *(*get)(Object *, Error **);
    bool (*set)(Object *, const char *, Error **);
} machine_strings[] = {
    { "kernel", "Linux kernel image file",
      machine_get_kernel, machine_set_kernel },
    { "initrd", "Linux initial ramdisk file",
      machine_get_initrd, machine_set_initrd },
    { "append", "Linux kernel command line",
      machine_get_append, machine_set_append },
    { "firmware", "Firmware image file",
      machine_get_firmware, machine_set_firmware },
    { "memory-backend", "ID of the memory backend that is the machine's RAM",
      machine_get_memory_backend, machine_set_memory_backend },
    { "kernel_irqchip", "Have the interrupt chips in KVM (on only)",
      machine_get_irqchip, machine_set_irqchip },
};

static const struct {
    const char *name, *description;
    bool (*get)(Object *, Error **);
    bool (*set)(Object *, bool, Error **);
} machine_bools[] = {
    { "mem-merge", "Let KSM merge equal pages of guest memory",
      machine_get_mem_merge, machine_set_mem_merge },
    { "dump-guest-core", "Include guest memory in a core dump",
      machine_get_dump_guest_core, machine_set_dump_guest_core },
    { "graphics", "Firmware has a screen (off: a serial console)",
      machine_get_graphics, machine_set_graphics },
    { "usb", "Have a USB host controller (off only)",
      machine_get_absent, machine_set_usb },
    { "hpet", "Have an HPET (off only)",
      machine_get_absent, machine_set_hpet },
    { "smm", "Have system management mode (off only)",
      machine_get_absent, machine_set_smm },
    { "vmport", "Have the port of VMware's tools (off only)",
      machine_get_absent, machine_set_vmport },
};

static void machine_class_init(ObjectClass *oc, void *data)
{
    for (int i = 0; i < ARRAY_SIZE(machine_strings); i++) {
        object_class_property_add_str(oc, machine_strings[i].name,
                                      machine_strings[i].get,
                                      machine_strings[i].set);
        object_class_property_set_description(oc, machine_strings[i].name,
                                              machine_strings[i].description);
    }
    for (int i = 0; i < ARRAY_SIZE(machine_bools); i++) {
        object_class_property_add_bool(oc, machine_bools[i].name,
                                       machine_bools[i].get,
                                       machine_bools[i].set);
        object_class_property_set_description(oc, machine_bools[i].name,
                                              machine_bools[i].description);
    }
}

static void machine_init(Object *obj)
{
    MachineState *ms = MACHINE(obj);

    ms->mem_merge = true;
    ms->dump_guest_core = true;
    ms->graphics = true;
    ms->boot_splash_ms = -1;
    ms->boot_retry_ms = -1;
    /* Where devices without a better place go. */
    container_get(obj, "unattached");
    container_get(obj, "peripheral");
    container_get(obj, "peripheral-anon");
}

static void machine_finalize(Object *obj)
{
    MachineState *ms = MACHINE(obj);

    g_free(ms->cpu_type);
    g_free(ms->kernel_filename);
    g_free(ms->initrd_filename);
    g_free(ms->kernel_cmdline);
    g_free(ms->firmware);
    g_free(ms->boot_order);
    g_free(ms->boot_once);
    g_free(ms->memory_backend);
}

/* "none": for asking what this program can do. */
static void null_machine_class_init(ObjectClass *oc, void *data)
{
    MachineClass *mc = MACHINE_CLASS(oc);

    mc->name = "none";
    mc->desc = "empty machine";
    mc->max_cpus = 1;
    mc->no_cpus = true;
}

static const TypeInfo machine_types[] = {
    {
        .name = TYPE_MACHINE,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(MachineState),
        .instance_init = machine_init,
        .instance_finalize = machine_finalize,
        .class_size = sizeof(MachineClass),
        .class_init = machine_class_init,
        .abstract = true,
    }, {
        .name = MACHINE_TYPE_NAME("none"),
        .parent = TYPE_MACHINE,
        .class_init = null_machine_class_init,
    },
};
DEFINE_TYPES(machine_types)
