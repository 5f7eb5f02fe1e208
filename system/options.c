/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: what each option takes and where it goes.
 *
 * Reading it changes nothing but start_config and a few switches, so that a
 * wrong option is refused before anything is opened; vl.c then builds the
 * machine from it.  An option that upstream has and this program has not is
 * refused by name, never ignored.
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/i386/cpu.h"
#include "hw/qdev-properties.h"
#include "chardev/char.h"
#include "monitor/qmp.h"
#include "options.h"
#include "os.h"
#include "hw/rtc/mc146818rtc.h"
#include "qemu/datadir.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/option.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "system/system.h"

StartConfig start_config;

/* -- Handlers ------------------------------------------------------------ */

/* The option that is being read, as it was typed. */
static char *typed;

static void add(GPtrArray *list, JsonObject *opts)
{
    StartOption *o = g_new0(StartOption, 1);

    o->opts = opts;
    o->text = g_strdup(typed);
    g_ptr_array_add(list, o);
}

/* Appends what there is to say of @name, or of all if that is NULL; false: there
 * is nothing of that name. */
typedef bool HelpFn(GString *out, const char *name, Error **errp);

static bool print_help(HelpFn *help, const char *name, Error **errp)
{
    g_autoptr(GString) out = g_string_new(NULL);
    bool ok = help(out, name, errp);

    fputs(out->str, stdout);
    return ok;
}

/* Adds the parsed argument to a list; "help" prints by @help and exits. */
static bool keep(GPtrArray *list, const char *arg, const char *implied,
                 HelpFn *help, Error **errp)
{
    bool wants_help = false;
    JsonObject *opts = keyval_parse(arg, implied, help ? &wants_help : NULL,
                                    errp);

    if (!opts) {
        return false;
    }
    if (wants_help) {
        if (print_help(help, json_object_get_string_member_with_default(
                opts, implied, NULL), errp)) {
            exit(0);
        }
        json_object_unref(opts);
        return false;
    }
    add(list, opts);
    return true;
}

/* Several -machine or -smp are one: later members win. */
static bool merge(JsonObject **into, const char *arg, const char *implied,
                  Error **errp)
{
    JsonObject *opts = keyval_parse(arg, implied, NULL, errp);
    g_autoptr(GList) names = NULL;

    if (!opts) {
        return false;
    }
    names = json_object_get_members(opts);
    for (GList *l = names; *into && l; l = l->next) {
        json_object_set_member(*into, l->data,
                               json_object_dup_member(opts, l->data));
    }
    if (*into) {
        json_object_unref(opts);
    } else {
        *into = opts;
    }
    return true;
}

static bool only(const char *arg, const char *allowed, const char *why,
                 Error **errp)
{
    if (g_strcmp0(arg, allowed)) {
        error_setg(errp, "'%s' is not available: %s; use '%s'", arg, why,
                   allowed);
        return false;
    }
    return true;
}

static bool set_once(char **where, const char *arg)
{
    g_free(*where);
    *where = g_strdup(arg);
    return true;
}

static bool opt_help(const char *arg, Error **errp)
{
    if (options_print_help(arg, errp)) {
        exit(0);
    }
    return false;
}

static bool opt_version(const char *arg, Error **errp)
{
    /* Management reads the first line as upstream prints it. */
    printf("QEMU emulator version " QEMU_COMPAT_VERSION " (mpqemu "
           QEMU_VERSION ")\n");
    exit(0);
}

static bool opt_machine(const char *arg, Error **errp)
{
    g_autofree char *type = g_strndup(arg, strcspn(arg, ","));

    if (is_help(type)) {
        print_help(machine_help, NULL, NULL);
        exit(0);
    }
    if (!strcmp(arg + strlen(type), ",help")) {
        if (print_help(machine_help, type, errp)) {
            exit(0);
        }
        return false;
    }
    return merge(&start_config.machine, arg, "type", errp);
}

static bool machine_prop(const char *name, const char *arg)
{
    json_object_set_string_member(start_config.machine, name, arg);
    return true;
}

static bool opt_kernel(const char *arg, Error **errp)
{
    return machine_prop("kernel", arg);
}

static bool opt_initrd(const char *arg, Error **errp)
{
    return machine_prop("initrd", arg);
}

static bool opt_append(const char *arg, Error **errp)
{
    return machine_prop("append", arg);
}

/* Names and texts have dots of their own. */
static bool keep_flat(GPtrArray *list, const char *arg, const char *implied,
                      Error **errp)
{
    JsonObject *opts = keyval_parse_flat(arg, implied, NULL, errp);

    if (opts) {
        add(list, opts);
    }
    return opts;
}

static bool opt_smbios(const char *arg, Error **errp)
{
    return keep_flat(start_config.smbios, arg, NULL, errp);
}

static bool opt_fw_cfg(const char *arg, Error **errp)
{
    return keep_flat(start_config.fw_cfg, arg, "name", errp);
}

static bool opt_bios(const char *arg, Error **errp)
{
    return machine_prop("firmware", arg);
}

static bool opt_L(const char *arg, Error **errp)
{
    g_autofree char *dirs = NULL;

    if (is_help(arg)) {
        dirs = qemu_data_dirs("\n");
        puts(dirs);
        exit(0);
    }
    qemu_add_data_dir(arg);
    return true;
}

static bool opt_cpu(const char *arg, Error **errp)
{
    if (is_help(arg)) {
        x86_cpu_list();
        exit(0);
    }
    return set_once(&start_config.cpu, arg);
}

static bool opt_accel(const char *arg, Error **errp)
{
    return keep(start_config.accels, arg, "accel", accel_help, errp);
}

static bool opt_enable_kvm(const char *arg, Error **errp)
{
    return opt_accel("kvm", errp);
}

static bool opt_smp(const char *arg, Error **errp)
{
    return merge(&start_config.smp, arg, "cpus", errp);
}

static bool opt_m(const char *arg, Error **errp)
{
    return merge(&start_config.mem, arg, "size", errp);
}

static bool opt_numa(const char *arg, Error **errp)
{
    if (start_config.numa_node) {
        error_setg(errp, "more than one NUMA node is not available");
        return false;
    }
    return merge(&start_config.numa_node, arg, "type", errp);
}

static bool opt_boot(const char *arg, Error **errp)
{
    return merge(&start_config.boot, arg, "order", errp);
}

static bool opt_object(const char *arg, Error **errp)
{
    return keep(start_config.objects, arg, "qom-type", user_creatable_help,
                errp);
}

static bool opt_device(const char *arg, Error **errp)
{
    return keep(start_config.devices, arg, "driver", qdev_help, errp);
}

static bool opt_global(const char *arg, Error **errp)
{
    g_ptr_array_add(start_config.globals, g_strdup(arg));
    return true;
}

static bool opt_drive(const char *arg, Error **errp)
{
    const StartOption *last;

    if (!keep_flat(start_config.drives, arg, NULL, errp)) {
        return false;
    }
    last = g_ptr_array_index(start_config.drives,
                             start_config.drives->len - 1);
    if (is_help(json_object_get_string_member_with_default(
            last->opts, "format", ""))) {
        puts("Supported formats: raw null-co");
        exit(0);
    }
    return true;
}

static bool opt_blockdev(const char *arg, Error **errp)
{
    return keep(start_config.blockdevs, arg, "driver", NULL, errp);
}

static bool opt_chardev(const char *arg, Error **errp)
{
    return keep(start_config.chardevs, arg, "backend", qemu_chr_help, errp);
}

static bool opt_serial(const char *arg, Error **errp)
{
    g_ptr_array_add(start_config.serials, g_strdup(arg));
    return true;
}

static bool opt_parallel(const char *arg, Error **errp)
{
    return only(arg, "none", "there is no parallel port", errp);
}

static bool add_monitor(const char *arg, const char *mode, bool pretty,
                        Error **errp)
{
    JsonObject *opts = json_object_new();

    json_object_set_string_member(opts, "short", arg);
    json_object_set_string_member(opts, "mode", mode);
    json_object_set_string_member(opts, "pretty", pretty ? "on" : "off");
    add(start_config.monitors, opts);
    return true;
}

static bool opt_monitor(const char *arg, Error **errp)
{
    return !strcmp(arg, "none") || add_monitor(arg, "readline", false, errp);
}

static bool opt_qmp(const char *arg, Error **errp)
{
    if (is_help(arg)) {
        g_autofree char *text = qmp_reference();

        fputs(text, stdout);
        exit(0);
    }
    return add_monitor(arg, "control", false, errp);
}

static bool opt_qmp_pretty(const char *arg, Error **errp)
{
    return add_monitor(arg, "control", true, errp);
}

static bool opt_mon(const char *arg, Error **errp)
{
    return keep(start_config.monitors, arg, "chardev", NULL, errp);
}

static bool opt_name(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "guest", NULL, errp);
    bool ignored_by_nature = false;     /* threads are always named */

    return opts && keyval_take_str(opts, "guest", &qemu_name, errp) &&
           keyval_take_bool(opts, "debug-threads", &ignored_by_nature, errp) &&
           keyval_check_empty(opts, "-name", (const char *const[]){
               "guest", "debug-threads", NULL }, errp);
}

static bool opt_uuid(const char *arg, Error **errp)
{
    if (!g_uuid_string_is_valid(arg)) {
        error_setg(errp, "'%s' is not a UUID, such as "
                   "550e8400-e29b-41d4-a716-446655440000", arg);
        return false;
    }
    return set_once(&qemu_uuid, arg);
}

static bool opt_rtc(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);

    start_config.rtc_given = true;
    return opts && rtc_configure(opts, errp);
}

static bool opt_nodefaults(const char *arg, Error **errp)
{
    start_config.nodefaults = true;
    return true;
}

static bool opt_no_user_config(const char *arg, Error **errp)
{
    /* No configuration file is ever read unasked. */
    return true;
}

static bool opt_no_hpet(const char *arg, Error **errp)
{
    /* No machine has one. */
    return true;
}

static bool opt_nographic(const char *arg, Error **errp)
{
    start_config.nographic = true;
    return true;
}

static bool opt_display(const char *arg, Error **errp)
{
    return only(arg, "none", "there is no display", errp);
}

static bool opt_vga(const char *arg, Error **errp)
{
    return only(arg, "none", "there is no display", errp);
}

static bool opt_audio(const char *arg, Error **errp)
{
    return only(arg, "none", "there is no sound", errp);
}

static bool opt_net(const char *arg, Error **errp)
{
    return only(arg, "none", "network devices are added with -device", errp);
}

static bool opt_no_reboot(const char *arg, Error **errp)
{
    reboot_action = REBOOT_ACTION_SHUTDOWN;
    return true;
}

static bool opt_no_shutdown(const char *arg, Error **errp)
{
    shutdown_action = SHUTDOWN_ACTION_PAUSE;
    return true;
}

static bool opt_action(const char *arg, Error **errp)
{
    return runstate_set_actions(arg, errp);
}

static bool opt_qtest(const char *arg, Error **errp)
{
    return set_once(&start_config.qtest, arg);
}

static bool opt_qtest_log(const char *arg, Error **errp)
{
    return set_once(&start_config.qtest_log, arg);
}

static bool opt_S(const char *arg, Error **errp)
{
    start_config.start_stopped = true;
    return true;
}

static bool opt_d(const char *arg, Error **errp)
{
    if (is_help(arg)) {
        qemu_log_print_help();
        exit(0);
    }
    return qemu_log_set_mask(arg, errp);
}

static bool opt_D(const char *arg, Error **errp)
{
    return qemu_log_set_file(arg, errp);
}

static bool opt_trace(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = NULL;
    g_autofree char *pattern = NULL;

    if (is_help(arg)) {
        trace_event_list();
        exit(0);
    }
    opts = keyval_parse(arg, "enable", NULL, errp);
    return opts && keyval_take_str(opts, "enable", &pattern, errp) &&
           keyval_check_empty(opts, "-trace", (const char *const[]){
               "enable", NULL }, errp) &&
           trace_event_enable(pattern, errp);
}

static bool opt_msg(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    bool timestamp = false;

    if (!opts || !keyval_take_bool(opts, "timestamp", &timestamp, errp)) {
        return false;
    }
    error_set_timestamp(timestamp);
    return keyval_take_bool(opts, "guest-name", &start_config.msg_guest_name,
                            errp) &&
           keyval_check_empty(opts, "-msg", (const char *const[]){
               "timestamp", "guest-name", NULL }, errp);
}

static bool opt_daemonize(const char *arg, Error **errp)
{
    start_config.daemonize = true;
    return true;
}

static bool opt_pidfile(const char *arg, Error **errp)
{
    return set_once(&start_config.pidfile, arg);
}

static bool opt_overcommit(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    bool mem_lock = false, cpu_pm = false;

    if (!opts || !keyval_take_bool(opts, "mem-lock", &mem_lock, errp) ||
        !keyval_take_bool(opts, "cpu-pm", &cpu_pm, errp) ||
        !keyval_check_empty(opts, "-overcommit", (const char *const[]){
            "mem-lock", "cpu-pm", NULL }, errp)) {
        return false;
    }
    if (mem_lock || cpu_pm) {
        error_setg(errp, "%s=on is not available", mem_lock ? "mem-lock"
                                                            : "cpu-pm");
        return false;
    }
    return true;
}

/* An audio back end that plays nothing is all that nobody can hear. */
static bool opt_audiodev(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "driver", NULL, errp);
    g_autofree char *driver = NULL, *id = NULL;

    return opts && keyval_take_str(opts, "driver", &driver, errp) &&
           keyval_take_str(opts, "id", &id, errp) &&
           keyval_check_empty(opts, "-audiodev", (const char *const[]){
               "driver", "id", NULL }, errp) &&
           only(driver, "none", "there are no sound devices", errp);
}

/* Who has no terminal cannot use it. */
static bool check_daemon(Error **errp)
{
    const StartConfig *c = &start_config;
    bool terminal = c->nographic && !c->nodefaults && !c->serials->len;

    for (unsigned i = 0; i < c->serials->len; i++) {
        const char *desc = g_ptr_array_index(c->serials, i);

        terminal |= !strcmp(desc, "stdio") || !strcmp(desc, "mon:stdio");
    }
    for (unsigned i = 0; i < c->monitors->len + c->chardevs->len; i++) {
        bool of_monitor = i < c->monitors->len;
        StartOption *o = of_monitor ? g_ptr_array_index(c->monitors, i)
            : g_ptr_array_index(c->chardevs, i - c->monitors->len);

        terminal |= !g_strcmp0(json_object_get_string_member_with_default(
            o->opts, of_monitor ? "short" : "backend", NULL), "stdio");
    }
    if (c->daemonize && terminal) {
        error_setg(errp, "-daemonize: a daemon has no standard input for "
                   "'stdio'%s", c->nographic ? "; give -display none instead "
                   "of -nographic, or -nodefaults" : "");
        return false;
    }
    return true;
}

/* -- The table ----------------------------------------------------------- */

static const QEMUOption machine_options[] = {
    { "machine", "[type=]NAME[,PROP=VALUE...]",
      "choose the machine ('help' lists them)", opt_machine },
    { "M", "NAME[,PROP=VALUE...]", NULL, opt_machine },
    { "accel", "NAME", "choose the accelerator: kvm or qtest", opt_accel },
    { "enable-kvm", NULL, "the same as -accel kvm", opt_enable_kvm },
    { "cpu", "MODEL[,+FEAT][,-FEAT][,FEAT=on|off]",
      "choose the CPU ('help' lists models)", opt_cpu },
    { "smp", "[cpus=]N[,sockets=N][,dies=N][,cores=N][,threads=N]",
      "number of CPUs and their topology", opt_smp },
    { "m", "[size=]SIZE", "guest memory, in MiB or with a suffix", opt_m },
    { "numa", "node,memdev=ID", "guest memory from a back end", opt_numa },
    { "name", "NAME", "name of the guest", opt_name },
    { "uuid", "UUID", "its UUID", opt_uuid },
    { "boot", "[order=]DRIVES[,once=DRIVES][,menu=on|off][,splash-time=MS]"
      "[,reboot-timeout=MS][,strict=on|off]", "what firmware boots from",
      opt_boot },
    { "rtc", "[base=utc|localtime|DATE][,clock=host|rt|vm]"
      "[,driftfix=none|slew]",
      "the guest's clock", opt_rtc },
    { "nodefaults", NULL, "no devices but those asked for", opt_nodefaults },
    { "readconfig", "FILE", "read options from a file", opt_readconfig },
    { "no-user-config", NULL, NULL, opt_no_user_config },
    { "no-hpet", NULL, NULL, opt_no_hpet },
    { }
};

static const QEMUOption kernel_options[] = {
    { "kernel", "FILE", "bzImage, PVH or multiboot kernel to enter",
      opt_kernel },
    { "initrd", "FILE", "its initial RAM disk", opt_initrd },
    { "append", "TEXT", "its command line", opt_append },
    { "bios", "FILE", "firmware to run", opt_bios },
    { "L", "FOLDER", "where it and ROMs are ('help' lists)",
      opt_L },
    { "smbios", "type=N[,FIELD=VALUE...] | file=FILE",
      "SMBIOS: types 0 to 4, 17, or a structure", opt_smbios },
    { "fw_cfg", "[name=]opt/NAME,string=TEXT|file=FILE",
      "a file for firmware and guest", opt_fw_cfg },
    { }
};

static const QEMUOption device_options[] = {
    { "device", "DRIVER[,PROP=VALUE...]",
      "add a device: 'help', 'DRIVER,help'",
      opt_device },
    { "object", "TYPE,id=ID[,PROP=VALUE...]",
      "make an object: 'help', 'TYPE,help'", opt_object },
    { "global", "DRIVER.PROP=VALUE", "change a property's default",
      opt_global },
    { "drive", "if=none,id=ID,file=FILE,format=raw[,...]",
      "a disk image for -device", opt_drive },
    { "blockdev", "driver=raw,node-name=ID,file.driver=file,...",
      "the same in upstream's other form", opt_blockdev },
    { "chardev", "BACKEND,id=ID[,...]", "other end: 'help', 'BACKEND,help'",
      opt_chardev },
    { "serial", "BACKEND", "a serial port", opt_serial },
    { "add-fd", "fd=N,set=N[,opaque=TEXT]",
      "an inherited descriptor as /dev/fdset/SET", opt_add_fd },
    { "parallel", "none", NULL, opt_parallel },
    { "nographic", NULL, "serial port and monitor on this terminal",
      opt_nographic },
    { "display", "none", NULL, opt_display },
    { "vga", "none", NULL, opt_vga },
    { "audiodev", "none,id=ID", NULL, opt_audiodev },
    { "audio", "none", NULL, opt_audio },
    { "net", "none", NULL, opt_net },
    { "nic", "none", NULL, opt_net },
    { }
};

static const QEMUOption control_options[] = {
    { "monitor", "BACKEND", "human monitor", opt_monitor },
    { "qmp", "BACKEND", "QMP monitor ('help' describes its commands)",
      opt_qmp },
    { "qmp-pretty", "BACKEND", NULL, opt_qmp_pretty },
    { "mon", "[chardev=]ID[,mode=readline|control]",
      "either monitor on a -chardev", opt_mon },
    { "qtest", "BACKEND", "be driven by a test (docs/devel/testing.md)",
      opt_qtest },
    { "qtest-log", "FILE", "where it is logged instead of standard error",
      opt_qtest_log },
    { "S", NULL, "do not start the CPUs", opt_S },
    { "no-reboot", NULL, "exit instead of rebooting", opt_no_reboot },
    { "no-shutdown", NULL, "stop instead of exiting at shutdown",
      opt_no_shutdown },
    { "action", "EVENT=ACTION[,...]",
      "what follows on reboot, shutdown and panic", opt_action },
    { }
};

static const QEMUOption process_options[] = {
    { "d", "ITEM[,...]", "log items ('help' lists them)", opt_d },
    { "D", "FILE", "log to a file instead of standard error", opt_D },
    { "trace", "[enable=]PATTERN", "log trace points ('help' lists them)",
      opt_trace },
    { "msg", "[timestamp=on|off][,guest-name=on|off]",
      "the time and the guest's name before messages", opt_msg },
    { "daemonize", NULL, "go on in the background once started",
      opt_daemonize },
    { "pidfile", "FILE", "where the process's id is written", opt_pidfile },
    { "sandbox", "on|off[,obsolete=allow|deny]"
      "[,elevateprivileges=allow|deny|children][,spawn=allow|deny]"
      "[,resourcecontrol=allow|deny]", "give up system calls",
      os_sandbox_parse },
    { "run-with", "[user=NAME|UID:GID][,chroot=DIR]",
      "another user, another root folder",
      os_run_with_parse },
    { "overcommit", "[mem-lock=off][,cpu-pm=off]", NULL, opt_overcommit },
    { "help", "?[TOPIC|OPTION]", "this text, or a part of it", opt_help },
    { "h", "?[TOPIC|OPTION]", NULL, opt_help },
    { "version", NULL, "version of this program", opt_version },
    { }
};

static const QEMUOptionTopic machine_topic = { "machine", "Machine", machine_options };
static const QEMUOptionTopic kernel_topic = {
    "kernel", "Kernel and firmware", kernel_options
};
static const QEMUOptionTopic device_topic = {
    "devices", "Devices and back ends", device_options
};
static const QEMUOptionTopic control_topic = {
    "control", "Control", control_options
};
static const QEMUOptionTopic process_topic = {
    "process", "Process and debugging", process_options
};
const QEMUOptionTopic *const option_topics[] = {
    &machine_topic, &kernel_topic, &device_topic, &control_topic,
    &process_topic, NULL,
};

/* -- Reading it ---------------------------------------------------------- */

static bool unknown_option(const char *arg, const char *name, Error **errp)
{
    const char *near = options_nearest(name), *why = option_absent(name);

    if (why) {
        error_setg(errp, "%s: this option is not available: %s", arg, why);
        return false;
    }
    error_setg(errp, near ? "%s: invalid option (did you mean -%s?)"
               : "%s: invalid option", arg, near);
    return false;
}

static void start_option_free(gpointer data)
{
    StartOption *o = data;

    json_object_unref(o->opts);
    g_free(o->text);
    g_free(o);
}

static GPtrArray *list_of_opts(void)
{
    return g_ptr_array_new_with_free_func(start_option_free);
}

static void config_init(void)
{
    start_config = (StartConfig){
        .machine = json_object_new(),
        .accels = list_of_opts(), .objects = list_of_opts(),
        .smbios = list_of_opts(), .fw_cfg = list_of_opts(),
        .chardevs = list_of_opts(), .drives = list_of_opts(),
        .blockdevs = list_of_opts(), .devices = list_of_opts(),
        .monitors = list_of_opts(),
        .serials = g_ptr_array_new_with_free_func(g_free),
        .globals = g_ptr_array_new_with_free_func(g_free),
    };
}

bool options_handle(const char *name, const char *arg, Error **errp)
{
    /* What upstream has "help" for, and here is no more than the syntax. */
    static const char *const helped[] = { "boot", "display", "smp", NULL };

    g_free(typed);
    typed = g_strdup_printf("-%s%s%s", name, arg ? " " : "", arg ?: "");
    if (arg && is_help(arg) && g_strv_contains(helped, name)) {
        options_print_help(name, NULL);
        exit(0);
    }
    return options_find(name)->handle(arg, errp);
}

bool options_takes_keyval(const char *name)
{
    const QEMUOption *o = options_find(name);

    return o && o->syntax && strchr(o->syntax, '=');
}

bool options_parse(int argc, char **argv, Error **errp)
{
    config_init();
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *arg = NULL;
        const QEMUOption *o;

        if (name[0] != '-') {
            error_setg(errp, "%s: not an option; a disk image is given with "
                       "-drive", name);
            return false;
        }
        name += name[1] == '-' ? 2 : 1;
        o = options_find(name);
        if (!o) {
            return unknown_option(argv[i], name, errp);
        }
        if (o->syntax && *o->syntax == '?') {
            arg = i + 1 < argc && argv[i + 1][0] != '-' ? argv[++i] : NULL;
        } else if (o->syntax) {
            if (i + 1 == argc) {
                error_setg(errp, "%s: requires an argument: %s", argv[i],
                           o->syntax);
                return false;
            }
            arg = argv[++i];
        }
        if (!options_handle(name, arg, errp)) {
            error_prepend(errp, "-%s%s%s: ", name, arg ? " " : "", arg ?: "");
            return false;
        }
    }
    error_set_guest_name(start_config.msg_guest_name ? qemu_name : NULL);
    return check_daemon(errp);
}
