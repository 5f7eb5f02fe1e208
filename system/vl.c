/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of the program, phase by phase: options; back ends; the machine;
 * devices; what refers to devices; monitors; the first reset; go.
 */
#include "qemu/osdep.h"
#include "block/block.h"
#include "chardev/char.h"
#include "hw/boards.h"
#include "hw/i386/pc.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/qdev-properties.h"
#include "monitor/monitor.h"
#include "options.h"
#include "os.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "system/kvm.h"
#include "system/memory.h"
#include "system/qtest.h"
#include "system/runstate.h"
#include "system/sandbox.h"
#include "system/system.h"

char *qemu_name, *qemu_uuid;

/* -- When the machine is complete ---------------------------------------- */

typedef struct ReadyHook {
    void (*fn)(void *opaque);
    void *opaque;
} ReadyHook;

static GArray *ready_hooks;
static bool machine_is_ready;

void qemu_add_machine_ready(void (*fn)(void *opaque), void *opaque)
{
    ReadyHook hook = { fn, opaque };

    if (machine_is_ready) {
        fn(opaque);
        return;
    }
    if (!ready_hooks) {
        ready_hooks = g_array_new(false, false, sizeof(ReadyHook));
    }
    g_array_append_val(ready_hooks, hook);
}

static void run_ready_hooks(void)
{
    machine_is_ready = true;
    for (unsigned i = 0; ready_hooks && i < ready_hooks->len; i++) {
        ReadyHook *hook = &g_array_index(ready_hooks, ReadyHook, i);

        hook->fn(hook->opaque);
    }
}

/* -- Back ends ----------------------------------------------------------- */

static GPtrArray *serials;
static int serials_asked;       /* by the machine: one more than the last */

Chardev *serial_hd(int i)
{
    serials_asked = MAX(serials_asked, i + 1);
    return serials && i < serials->len ? g_ptr_array_index(serials, i) : NULL;
}

static bool for_each(GPtrArray *list,
                     bool (*make)(JsonObject *opts, Error **errp),
                     Error **errp)
{
    for (unsigned i = 0; i < list->len; i++) {
        StartOption *o = g_ptr_array_index(list, i);

        if (!make(o->opts, errp)) {
            error_prepend(errp, "%s: ", o->text);
            return false;
        }
    }
    return true;
}

static bool make_chardev(JsonObject *opts, Error **errp)
{
    return qemu_chr_new_from_opts(opts, errp) != NULL;
}

static bool make_qtest(Error **errp)
{
    if (start_config.qtest_log && !start_config.qtest) {
        error_setg(errp, "-qtest-log: there is nothing to log without "
                   "-qtest");
        return false;
    }
    return !start_config.qtest ||
           qtest_server_init(start_config.qtest, start_config.qtest_log,
                             errp);
}

static bool make_drive(JsonObject *opts, Error **errp)
{
    return drive_new(opts, errp) != NULL;
}

static bool make_object(JsonObject *opts, Error **errp)
{
    return user_creatable_add(opts, errp) != NULL;
}

static bool make_fw_cfg(JsonObject *opts, Error **errp)
{
    return fw_cfg_option(fw_cfg_find(), opts, errp);
}

static bool make_device(JsonObject *opts, Error **errp)
{
    return qdev_device_add(opts, errp) != NULL;
}

/* "mon:..." shares its back end between the serial line and a monitor. */
static bool make_monitor_on(Chardev *chr, Error **errp)
{
    g_autoptr(JsonObject) opts = json_object_new();

    json_object_set_string_member(opts, "chardev", qemu_chr_label(chr));
    return monitor_new(opts, errp);
}

static bool make_serials(Error **errp)
{
    GPtrArray *wanted = start_config.serials;

    serials = g_ptr_array_new();
    if (!wanted->len && !start_config.nodefaults && start_config.nographic) {
        g_ptr_array_add(wanted, g_strdup("mon:stdio"));
    }
    for (unsigned i = 0; i < wanted->len; i++) {
        g_autofree char *label = g_strdup_printf("serial%u", i);
        const char *desc = g_ptr_array_index(wanted, i);
        Chardev *chr = qemu_chr_new(label, desc, errp);

        if (!chr && strcmp(desc, "none")) {
            error_prepend(errp, "-serial %s: ", desc);
            return false;
        }
        g_ptr_array_add(serials, chr);
        if (g_str_has_prefix(desc, "mon:") && !make_monitor_on(chr, errp)) {
            return false;
        }
    }
    return true;
}

/* Each -serial has a port, or serves a monitor at least. */
static bool check_serials(MachineClass *mc, Error **errp)
{
    for (unsigned i = serials_asked; i < serials->len; i++) {
        const char *desc = g_ptr_array_index(start_config.serials, i);

        if (g_ptr_array_index(serials, i) && !g_str_has_prefix(desc, "mon:")) {
            error_setg(errp, "-serial %s: machine '%s' has %d serial ports",
                       desc, mc->name, serials_asked);
            return false;
        }
    }
    return true;
}

/* An object that serves a device comes after the devices. */
static bool is_late(JsonObject *opts)
{
    return !g_strcmp0(json_object_get_string_member_with_default(
                          opts, "qom-type", NULL), "x-remote-object");
}

static bool make_objects(bool late, Error **errp)
{
    g_autoptr(GPtrArray) now = g_ptr_array_new();

    for (unsigned i = 0; i < start_config.objects->len; i++) {
        StartOption *o = g_ptr_array_index(start_config.objects, i);

        if (is_late(o->opts) == late) {
            g_ptr_array_add(now, o);
        }
    }
    return for_each(now, make_object, errp);
}

/* -- The machine --------------------------------------------------------- */

static bool apply_globals(Error **errp)
{
    for (unsigned i = 0; i < start_config.globals->len; i++) {
        const char *text = g_ptr_array_index(start_config.globals, i);
        const char *eq = strchr(text, '=');
        g_autofree char *left = g_strndup(text, eq ? eq - text : 0);
        char *dot = strrchr(left, '.');

        if (!eq || !dot || dot == left || !dot[1]) {
            error_setg(errp, "-global %s: expects DRIVER.PROPERTY=VALUE",
                       text);
            return false;
        }
        *dot = '\0';
        if (!qdev_prop_register_global(left, dot + 1, eq + 1, errp)) {
            return false;
        }
    }
    return true;
}

static bool select_machine(MachineClass **out, Error **errp)
{
    g_autofree char *type = NULL;

    if (!keyval_take_str(start_config.machine, "type", &type, errp)) {
        return false;
    }
    *out = find_machine(type ?: "pc");
    if (!*out) {
        const char *near = nearest_spelling(type, (const char *const[]){
            "q35", "pc", "x-remote", "none", NULL });

        error_setg(errp, "-machine %s: no such machine%s%s%s", type,
                   near ? "; did you mean '" : " ('-machine help' lists them)",
                   near ?: "", near ? "'?" : "");
    }
    return *out != NULL;
}

static bool configure_memory(MachineState *ms, Error **errp)
{
    uint64_t size = MACHINE_GET_CLASS(ms)->default_ram_size, max = 0, slots = 0;
    JsonObject *opts = start_config.mem;

    if (!opts) {
        return true;            /* the backend's size, or the machine's */
    }
    if (!keyval_take_size(opts, "size", MiB, &size, errp) ||
        !keyval_take_size(opts, "maxmem", MiB, &max, errp) ||
        !keyval_take_uint(opts, "slots", 256, &slots, errp) ||
        !keyval_check_empty(opts, "-m", (const char *const[]){
            "size", "maxmem", "slots", NULL }, errp)) {
        error_prepend(errp, "-m: ");
        return false;
    }
    if (slots || (max && max != size)) {
        error_setg(errp, "-m: memory hot plug (slots=, maxmem=) is not "
                   "available");
        return false;
    }
    if (!size) {
        error_setg(errp, "-m: a guest needs memory");
        return false;
    }
    ms->ram_size = ROUND_UP(size, 8192);
    return true;
}

/* The only node has every CPU, so cpus= can only say "0-N". */
static bool check_numa_cpus(MachineState *ms, const char *text, Error **errp)
{
    unsigned last = ms->smp_cpus - 1;
    g_autofree char *all = g_strdup_printf("0-%u", last);

    if (strcmp(text, all) && (last || strcmp(text, "0"))) {
        error_setg(errp, "-numa: cpus=%s: the only node has all CPUs: %s",
                   text, all);
        return false;
    }
    return true;
}

static bool configure_numa(MachineState *ms, Error **errp)
{
    g_autofree char *type = NULL, *memdev = NULL, *cpus_text = NULL;
    JsonObject *opts = start_config.numa_node;
    uint64_t nodeid = 0;

    if (!opts) {
        return true;
    }
    if (!keyval_take_str(opts, "type", &type, errp) ||
        !keyval_take_str(opts, "memdev", &memdev, errp) ||
        !keyval_take_str(opts, "cpus", &cpus_text, errp) ||
        !keyval_take_uint(opts, "nodeid", 0, &nodeid, errp) ||
        !keyval_check_empty(opts, "-numa", (const char *const[]){
            "type", "memdev", "nodeid", "cpus", NULL }, errp)) {
        error_prepend(errp, "-numa: ");
        return false;
    }
    if (g_strcmp0(type, "node") || !memdev) {
        error_setg(errp, "-numa: only 'node,memdev=ID' is available");
        return false;
    }
    if (ms->memory_backend) {
        error_setg(errp, "-numa node,memdev=%s: -machine memory-backend=%s "
                   "gives the memory already", memdev, ms->memory_backend);
        return false;
    }
    if (cpus_text && !check_numa_cpus(ms, cpus_text, errp)) {
        return false;
    }
    ms->memory_backend = g_steal_pointer(&memdev);
    return true;
}

/* Levels that are not given: sockets take what remains. */
static bool configure_smp(MachineState *ms, Error **errp)
{
    uint64_t cpus_nr = 0, max = 0;
    uint64_t sockets = 0, dies = 1, cores = 0, threads = 0;
    JsonObject *opts = start_config.smp;
    bool asked = opts && json_object_has_member(opts, "cpus");
    uint64_t product;

    if (opts && (!keyval_take_uint(opts, "cpus", 4096, &cpus_nr, errp) ||
                 !keyval_take_uint(opts, "maxcpus", 4096, &max, errp) ||
                 !keyval_take_uint(opts, "sockets", 4096, &sockets, errp) ||
                 !keyval_take_uint(opts, "dies", 4096, &dies, errp) ||
                 !keyval_take_uint(opts, "cores", 4096, &cores, errp) ||
                 !keyval_take_uint(opts, "threads", 4096, &threads, errp) ||
                 !keyval_check_empty(opts, "-smp", (const char *const[]){
                     "cpus", "maxcpus", "sockets", "dies", "cores", "threads",
                     NULL }, errp))) {
        error_prepend(errp, "-smp: ");
        return false;
    }
    if (asked && !cpus_nr) {
        error_setg(errp, "-smp: a guest needs at least one CPU");
        return false;
    }
    dies = dies ?: 1;
    if (!cpus_nr) {
        cpus_nr = max ?: (sockets ?: 1) * dies * (cores ?: 1) * (threads ?: 1);
    }
    threads = threads ?: 1;
    cores = cores ?: sockets ? MAX(cpus_nr / (sockets * dies * threads), 1) : 1;
    sockets = sockets ?: MAX(cpus_nr / (dies * cores * threads), 1);
    product = sockets * dies * cores * threads;
    if (max && max != cpus_nr) {
        error_setg(errp, "-smp: maxcpus=%" PRIu64 ": CPU hot plug is not "
                   "available; it must be cpus", max);
        return false;
    }
    if (product != cpus_nr) {
        error_setg(errp, "-smp: %" PRIu64 " CPUs are not sockets (%" PRIu64
                   ") * dies (%" PRIu64 ") * cores (%" PRIu64 ") * threads (%"
                   PRIu64 ")", cpus_nr, sockets, dies, cores, threads);
        return false;
    }
    ms->smp_cpus = ms->smp_max_cpus = cpus_nr;
    ms->smp_sockets = sockets;
    ms->smp_dies = dies;
    ms->smp_cores = cores;
    ms->smp_threads = threads;
    return true;
}

static bool configure_boot(MachineState *ms, Error **errp)
{
    JsonObject *opts = start_config.boot;
    g_autofree char *splash = NULL, *retry = NULL;
    int64_t splash_ms = -1, retry_ms = -1;

    if (!opts) {
        return true;
    }
    if (!keyval_take_str(opts, "order", &ms->boot_order, errp) ||
        !keyval_take_str(opts, "once", &ms->boot_once, errp) ||
        !keyval_take_bool(opts, "menu", &ms->boot_menu, errp) ||
        !keyval_take_bool(opts, "strict", &ms->boot_strict, errp) ||
        !keyval_take_str(opts, "splash-time", &splash, errp) ||
        !keyval_take_str(opts, "reboot-timeout", &retry, errp) ||
        !keyval_check_empty(opts, "-boot", (const char *const[]){
            "order", "once", "menu", "strict", "splash-time", "reboot-timeout", NULL },
            errp) ||
        (splash && !qemu_parse_int("splash-time", splash, 0, UINT16_MAX,
                                   &splash_ms, errp)) ||
        (retry && !qemu_parse_int("reboot-timeout", retry, -1, UINT16_MAX,
                                  &retry_ms, errp))) {
        error_prepend(errp, "-boot: ");
        return false;
    }
    ms->boot_splash_ms = splash_ms;
    ms->boot_retry_ms = retry_ms;
    return true;
}

/* The first of the -accel options that works, or -machine accel=.  A machine
 * without CPUs needs none: whoever asks what there is learns of its absence. */
static bool configure_accel(MachineState *ms, Error **errp)
{
    bool optional = MACHINE_GET_CLASS(ms)->no_cpus;
    GPtrArray *choices = start_config.accels;
    g_autofree char *of_machine = NULL;

    if (!keyval_take_str(start_config.machine, "accel", &of_machine, errp)) {
        return false;
    }
    if (of_machine && choices->len) {
        error_setg(errp, "-machine accel=%s and -accel exclude each other",
                   of_machine);
        return false;
    }
    if (!choices->len && (of_machine || !optional)) {
        g_autoptr(JsonObject) opts = json_object_new();

        json_object_set_string_member(opts, "accel", of_machine ?: "kvm");
        return accel_configure(ms, opts, optional ? NULL : errp) || optional;
    }
    for (unsigned i = 0; i < choices->len; i++) {
        StartOption *o = g_ptr_array_index(choices, i);
        bool last = i + 1 == choices->len;

        if (accel_configure(ms, o->opts, last && !optional ? errp : NULL)) {
            return true;
        }
    }
    return optional;
}

/* Options that only a guest can have a use for; every property of -machine is
 * one, and -kernel and its like are such properties. */
static bool check_no_guest(MachineClass *mc, Error **errp)
{
    const struct { const char *option; bool given; } of_guest[] = {
        { "-cpu", start_config.cpu }, { "-smp", start_config.smp },
        { "-m", start_config.mem }, { "-numa", start_config.numa_node },
        { "-smbios", start_config.smbios->len },
        { "-fw_cfg", start_config.fw_cfg->len },
        { "-boot", start_config.boot }, { "-rtc", start_config.rtc_given },
        { "-kernel", json_object_has_member(start_config.machine, "kernel") },
        { "-initrd", json_object_has_member(start_config.machine, "initrd") },
        { "-append", json_object_has_member(start_config.machine, "append") },
        { "-bios", json_object_has_member(start_config.machine, "firmware") },
    };
    g_autoptr(GList) properties = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(of_guest); i++) {
        if (of_guest[i].given) {
            error_setg(errp, "%s: machine '%s' has no guest; give it to the "
                       "process that has", of_guest[i].option, mc->name);
            return false;
        }
    }
    properties = json_object_get_members(start_config.machine);
    if (properties) {
        error_setg(errp, "-machine %s,%s=: this machine has no options",
                   mc->name, (char *)properties->data);
    }
    return !properties;
}

static bool check_kernel(MachineState *ms, Error **errp)
{
    if (!ms->kernel_filename && (ms->initrd_filename || ms->kernel_cmdline)) {
        error_setg(errp, "%s needs -kernel",
                   ms->initrd_filename ? "-initrd" : "-append");
        return false;
    }
    return true;
}

static bool check_cpu_count(MachineState *ms, Error **errp)
{
    int max = MACHINE_GET_CLASS(ms)->max_cpus;

    if (accel && accel->max_vcpus && accel->max_vcpus() < max) {
        max = accel->max_vcpus();
    }
    if (ms->smp_cpus > max) {
        error_setg(errp, "-smp: %u CPUs are more than this machine can have, "
                   "%d", ms->smp_cpus, max);
        return false;
    }
    return true;
}

static bool make_machine(Error **errp)
{
    MachineClass *mc;
    MachineState *ms;

    if (!select_machine(&mc, errp)) {
        return false;
    }
    ms = current_machine =
        MACHINE(object_new(object_class_get_name(OBJECT_CLASS(mc))));
    object_property_add_child(object_get_root(), "machine", OBJECT(ms));
    if (!configure_accel(ms, errp)) {
        return false;
    }
    if (mc->no_cpus) {
        return check_no_guest(mc, errp) &&
               (!mc->init || mc->init(ms, errp)) && check_serials(mc, errp);
    }
    if (!object_set_properties(OBJECT(ms), start_config.machine, NULL, errp)) {
        error_prepend(errp, "-machine %s: ", mc->name);
        return false;
    }
    if (start_config.nographic) {
        ms->graphics = false;
    }
    ms->cpu_type = g_strdup(start_config.cpu);
    return check_kernel(ms, errp) && configure_memory(ms, errp) &&
           configure_smp(ms, errp) && configure_numa(ms, errp) &&
           configure_boot(ms, errp) && check_cpu_count(ms, errp) &&
           machine_create_ram(ms, errp) && ram_lost_init(errp) &&
           mc->init(ms, errp) && check_serials(mc, errp);
}

/* -- Main ---------------------------------------------------------------- */

/* A device process whose predecessor has just been killed: see docs/system/disks.md. */
#define LOCK_WAIT_MS 5000

static bool start(Error **errp)
{
    blk_lock_wait_ms = LOCK_WAIT_MS;
    if (!for_each(start_config.chardevs, make_chardev, errp) ||
        !make_serials(errp) || !make_qtest(errp) ||
        !for_each(start_config.monitors, monitor_new, errp) ||
        !make_objects(false, errp) ||
        !for_each(start_config.blockdevs, blockdev_add, errp) ||
        !for_each(start_config.drives, make_drive, errp) ||
        !apply_globals(errp) ||
        !for_each(start_config.smbios, pc_smbios_option, errp) ||
        !make_machine(errp) ||
        !for_each(start_config.devices, make_device, errp) ||
        !make_objects(true, errp)) {
        return false;
    }
    qdev_prop_check_globals();
    qdev_hotplug = true;
    blk_lock_wait_ms = 0;
    return (!MACHINE_GET_CLASS(current_machine)->ready ||
            MACHINE_GET_CLASS(current_machine)->ready(current_machine,
                                                      errp)) &&
           for_each(start_config.fw_cfg, make_fw_cfg, errp);
}

/* A device process gives up more, when everything is open.  Only before
 * select_machine(), which takes the type away. */
static bool boxed_in(void)
{
    const char *type =
        json_object_get_string_member_with_default(start_config.machine,
                                                   "type", "pc");
    MachineClass *mc = find_machine(type);

    return mc && mc->boxed_in;
}

static bool confine(Error **errp)
{
    if (boxed_in()) {
        os_sandbox_check_boxed_in();
        return true;
    }
    return os_sandbox_apply(errp);
}

/* As the operator wants it, before there are threads. */
static bool become_process(Error **errp)
{
    return (!start_config.daemonize || os_daemonize(errp)) &&
           (!start_config.pidfile ||
            os_write_pidfile(start_config.pidfile, errp)) && confine(errp);
}

/* Ctrl-a x of a console. */
static void quit_by_operator(void)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_SIGNAL);
}

bool qemu_init(int argc, char **argv)
{
    Error *err = NULL;

    error_set_progname(argv[0]);
    /* A peer that has gone is an error of the write, not a signal. */
    signal(SIGPIPE, SIG_IGN);
    if (!options_parse(argc, argv, &err) || !become_process(&err)) {
        error_report_err(err);
        return false;
    }
    qemu_init_main_loop();
    qemu_chr_set_quit_handler(quit_by_operator);
    memory_init();
    if (!start(&err)) {
        error_report_err(err);
        qemu_chr_cleanup();
        return false;
    }
    os_setup_signal_handling();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    if (MACHINE_GET_CLASS(current_machine)->boxed_in
        ? !sandbox_enter(&err) : !os_run_with_apply(&err)) {
        error_report_err(err);
        qemu_chr_cleanup();
        return false;
    }
    run_ready_hooks();
    if (!start_config.start_stopped) {
        vm_start();
    }
    os_daemon_ready();
    return true;
}
