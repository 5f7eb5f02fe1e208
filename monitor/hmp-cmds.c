/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor: what is there (info), devices, memory and ports.  Lists
 * that QMP has too are made from QMP's answers.
 */
#include "qemu/osdep.h"
#include "block/block.h"
#include "chardev/char.h"
#include "hw/i386/cpu.h"
#include "hw/qdev-core.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"
#include "qemu/option.h"
#include "system/kvm.h"
#include "system/memory.h"
#include "system/system.h"

#include <linux/kvm.h>

static void print_error(GString *out, Error *err)
{
    g_string_append_printf(out, "Error: %s\n", error_get_pretty(err));
    error_free(err);
}

/* -- info ---------------------------------------------------------------- */

static void info_version(GString *out, const char *arg)
{
    g_string_append(out, QEMU_COMPAT_VERSION " (mpqemu " QEMU_VERSION ")\n");
}

static void info_name(GString *out, const char *arg)
{
    if (qemu_name) {
        g_string_append_printf(out, "%s\n", qemu_name);
    }
}

static void info_uuid(GString *out, const char *arg)
{
    g_string_append_printf(out, "%s\n", qemu_uuid ?:
                           "00000000-0000-0000-0000-000000000000");
}

static void info_kvm(GString *out, const char *arg)
{
    g_string_append_printf(out, "kvm support: %s\n",
                           kvm_enabled() ? "enabled" : "disabled");
}

static void info_network(GString *out, const char *arg)
{
    g_string_append(out, "no network back ends\n");
}

static void info_qtree(GString *out, const char *arg)
{
    qdev_tree_info(out);
}

static void print_object(GString *out, Object *obj, int depth);

typedef struct TreeWalk {
    GString *out;
    int depth;
} TreeWalk;

static int print_child(Object *child, void *opaque)
{
    TreeWalk *walk = opaque;

    print_object(walk->out, child, walk->depth + 1);
    return 0;
}

static void print_object(GString *out, Object *obj, int depth)
{
    TreeWalk walk = { out, depth };

    g_string_append_printf(out, "%*s/%s (%s)\n", 2 * depth, "",
                           object_get_canonical_path_component(obj) ?: "",
                           object_get_typename(obj));
    object_child_foreach(obj, print_child, &walk);
}

static void info_qom_tree(GString *out, const char *arg)
{
    Object *obj = object_resolve_path(*arg ? arg : "/machine", NULL);

    if (obj) {
        print_object(out, obj, 0);
    } else {
        g_string_append_printf(out, "Path '%s' could not be resolved.\n", arg);
    }
}

static void info_mtree(GString *out, const char *arg)
{
    bool flat = !strcmp(arg, "-f");

    if (*arg && !flat) {
        g_string_append(out, "info mtree: takes -f, or nothing\n");
        return;
    }
    g_string_append(out, "memory:\n");
    mtree_info(out, &address_space_memory, flat);
    g_string_append(out, "I/O:\n");
    mtree_info(out, &address_space_io, flat);
}

static void info_chardev(GString *out, const char *arg)
{
    g_autoptr(JsonNode) answer = qemu_chr_query();
    JsonArray *list = json_node_get_array(answer);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *c = json_array_get_object_element(list, i);

        g_string_append_printf(out, "%s: filename=%s\n", qmp_str(c, "label"),
                               qmp_str(c, "filename"));
    }
}

static void info_block(GString *out, const char *arg)
{
    g_autoptr(JsonNode) answer = blk_query();
    JsonArray *list = json_node_get_array(answer);

    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *b = json_array_get_object_element(list, i);
        JsonObject *node = json_object_get_object_member(b, "inserted");
        const char *device = qmp_str(b, "device");

        g_string_append_printf(out, "%s%s(%s): %s (%s%s)\n", device,
            *device ? " " : "", qmp_str(node, "node-name"),
            qmp_str(node, "file"), qmp_str(node, "drv"),
            json_object_get_boolean_member(node, "ro") ? ", read-only" : "");
        g_string_append_printf(out, "    Attached to: %s\n",
                               qmp_str(b, "qdev") ?: "nothing");
    }
}

/* -- CPUs ---------------------------------------------------------------- */

static void info_cpus(GString *out, const char *arg)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        g_string_append_printf(out, "%c CPU #%d: thread_id=%d\n",
                               cpu->cpu_index ? ' ' : '*', cpu->cpu_index,
                               cpu->thread_id);
    }
}

static void dump_cpu(CPUState *cpu, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "CPU#%d\n", cpu->cpu_index);
    x86_cpu_dump_state(cpu, out);
}

static void info_registers(GString *out, const char *arg)
{
    bool all = !strcmp(arg, "-a");
    CPUState *cpu;

    if (*arg && !all) {
        g_string_append(out, "info registers: takes -a for all CPUs, or "
                        "nothing\n");
        return;
    }
    if (!kvm_enabled()) {
        g_string_append(out, "there are no registers without KVM\n");
        return;
    }
    CPU_FOREACH(cpu) {
        if (all || !cpu->cpu_index) {
            run_on_cpu(cpu, dump_cpu, out);
        }
    }
}

/* -- Devices ------------------------------------------------------------- */

static void hmp_device_add(GString *out, const char *arg)
{
    Error *err = NULL;
    g_autoptr(JsonObject) opts = keyval_parse(arg, "driver", NULL, &err);

    if (!opts || !qdev_device_add(opts, &err)) {
        print_error(out, err);
    }
}

static void hmp_device_del(GString *out, const char *arg)
{
    DeviceState *dev = qdev_find_by_id(arg);
    Error *err = NULL;

    if (!dev) {
        g_string_append_printf(out, "Error: Device '%s' not found\n", arg);
    } else if (!qdev_unplug(dev, &err)) {
        print_error(out, err);
    }
}

/* -- Memory and ports ---------------------------------------------------- */

typedef struct Format {
    uint64_t count;
    unsigned size;              /* bytes of an item */
    char base;                  /* x, d, u, o, c */
    uint64_t addr;
} Format;

static bool parse_number(const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(text, &end, 0);
    return end != text && !*end && !errno;
}

/* "/8xw 0x7c00": how many, base and size in any order, and where. */
static bool parse_format(GString *out, const char *arg, Format *f)
{
    static const char sizes[] = "bhwg";

    *f = (Format){ .count = 1, .size = 4, .base = 'x' };
    if (*arg == '/') {
        if (g_ascii_isdigit(*++arg)) {
            char *end;

            f->count = g_ascii_strtoull(arg, &end, 10);
            arg = end;
        }
        for (; *arg && *arg != ' '; arg++) {
            const char *size = strchr(sizes, *arg);

            if (size) {
                f->size = 1u << (size - sizes);
            } else if (strchr("xduoc", *arg)) {
                f->base = *arg;
            } else {
                g_string_append_printf(out, "'%c' is neither a format (x d u "
                                       "o c) nor a size (b h w g)\n", *arg);
                return false;
            }
        }
        while (*arg == ' ') {
            arg++;
        }
    }
    if (!parse_number(arg, &f->addr)) {
        g_string_append_printf(out, "'%s' is not an address\n", arg);
        return false;
    }
    if (!f->count || f->count > 65536) {
        g_string_append(out, "from 1 to 65536 items can be shown\n");
        return false;
    }
    return true;
}

static void print_item(GString *out, const Format *f, uint64_t v)
{
    int64_t s = (int64_t)(v << (64 - 8 * f->size)) >> (64 - 8 * f->size);

    switch (f->base) {
    case 'd':
        g_string_append_printf(out, " %" PRId64, s);
        break;
    case 'u':
        g_string_append_printf(out, " %" PRIu64, v);
        break;
    case 'o':
        g_string_append_printf(out, " 0%" PRIo64, v);
        break;
    case 'c':
        g_string_append_printf(out, " '%c'", g_ascii_isprint(v) ? (char)v
                                                                : '.');
        break;
    default:
        g_string_append_printf(out, " 0x%0*" PRIx64, 2 * (int)f->size, v);
    }
}

typedef struct Translation {
    uint64_t addr;
    bool ok;
} Translation;

static void translate(CPUState *cpu, void *opaque)
{
    Translation *t = opaque;
    struct kvm_translation tr = { .linear_address = t->addr };

    t->ok = kvm_vcpu_ioctl(cpu, KVM_TRANSLATE, &tr) == 0 && tr.valid;
    t->addr = tr.physical_address;
}

/* Where the first CPU finds the byte at a linear address. */
static bool to_physical(uint64_t linear, uint64_t *physical)
{
    Translation t = { linear };

    if (!kvm_enabled() || QTAILQ_EMPTY(&cpus)) {
        return false;
    }
    run_on_cpu(QTAILQ_FIRST(&cpus), translate, &t);
    *physical = t.addr;
    return t.ok;
}

static void dump_memory(GString *out, const char *arg, bool virtual)
{
    unsigned per_line;
    Format f;

    if (!parse_format(out, arg, &f)) {
        return;
    }
    per_line = 16 / f.size;
    for (uint64_t i = 0; i < f.count; i++) {
        uint64_t addr = f.addr + i * f.size, value = 0;

        if (i % per_line == 0) {
            g_string_append_printf(out, "%s%016" PRIx64 ":", i ? "\n" : "",
                                   addr);
        }
        /* Byte by byte: an item may stand across two pages. */
        for (unsigned b = 0; b < f.size; b++) {
            uint64_t where = addr + b;
            uint8_t byte = 0;

            if ((virtual && !to_physical(where, &where)) ||
                address_space_read(&address_space_memory, where,
                                   MEMTXATTRS_UNSPECIFIED, &byte, 1)) {
                g_string_append_printf(out, "\nCannot access memory at 0x%"
                                       PRIx64 "\n", addr);
                return;
            }
            value |= (uint64_t)byte << (8 * b);
        }
        print_item(out, &f, value);
    }
    g_string_append_c(out, '\n');
}

static void hmp_xp(GString *out, const char *arg)
{
    dump_memory(out, arg, false);
}

static void hmp_x(GString *out, const char *arg)
{
    dump_memory(out, arg, true);
}

static void hmp_i(GString *out, const char *arg)
{
    uint8_t bytes[4] = { 0 };
    uint32_t value = 0;
    Format f;

    if (!parse_format(out, arg, &f)) {
        return;
    }
    if (f.size > 4 || f.count != 1 || f.addr > 0xffff) {
        g_string_append(out, "a port is from 0 to 0xffff, and read as b, h "
                        "or w\n");
        return;
    }
    address_space_read(&address_space_io, f.addr, MEMTXATTRS_UNSPECIFIED,
                       bytes, f.size);
    for (unsigned b = 0; b < f.size; b++) {
        value |= (uint32_t)bytes[b] << (8 * b);
    }
    g_string_append_printf(out, "port%c[0x%04" PRIx64 "] =",
                           "bwl"[f.size / 2], f.addr);
    print_item(out, &f, value);
    g_string_append_c(out, '\n');
}

static void hmp_o(GString *out, const char *arg)
{
    const char *space = strrchr(arg, ' ');
    g_autofree char *left = g_strndup(arg, space ? space - arg : 0);
    uint8_t bytes[4];
    uint64_t value;
    Format f;

    g_strchomp(left);
    if (!space || (*left == '/' && !strchr(left, ' ')) ||
        !parse_number(space + 1, &value)) {
        g_string_append(out, "o: takes a port and a value\n");
        return;
    }
    if (!parse_format(out, left, &f)) {
        return;
    }
    if (f.size > 4 || f.count != 1 || f.addr > 0xffff) {
        g_string_append(out, "a port is from 0 to 0xffff, and written as b, "
                        "h or w\n");
        return;
    }
    for (unsigned b = 0; b < f.size; b++) {
        bytes[b] = value >> (8 * b);
    }
    address_space_write(&address_space_io, f.addr, MEMTXATTRS_UNSPECIFIED,
                        bytes, f.size);
}

static const HMPCommand cmds[] = {
    { "info version", NULL, "show the version", info_version },
    { "info name", NULL, "show the guest's name", info_name },
    { "info uuid", NULL, "show the guest's UUID", info_uuid },
    { "info kvm", NULL, "show whether KVM is used", info_kvm },
    { "info network", NULL, "show network back ends", info_network },
    { "info qtree", NULL, "show buses and devices", info_qtree },
    { "info qom-tree", "[path]", "show objects", info_qom_tree },
    { "info mtree", "[-f]", "show memory (-f: as it is seen)", info_mtree },
    { "info chardev", NULL, "show character devices", info_chardev },
    { "info block", NULL, "show disks", info_block },
    { "info cpus", NULL, "show CPUs", info_cpus },
    { "info registers", "[-a]", "show registers (-a: of all CPUs)",
      info_registers },
    { "device_add", "driver[,prop=value...]", "plug a device",
      hmp_device_add },
    { "device_del", "id", "ask the guest to release a device",
      hmp_device_del },
    { "xp", "[/fmt] addr", "show physical memory", hmp_xp },
    { "x", "[/fmt] addr", "show memory as the first CPU sees it", hmp_x },
    { "i", "[/fmt] port", "read an I/O port", hmp_i },
    { "o", "[/fmt] port value", "write an I/O port", hmp_o },
    { }
};
HMP_TABLE(cmds)
