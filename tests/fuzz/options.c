/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from an operator or a management program.  The first byte says where
 * it comes in, the rest is the text:
 *
 *     0 -device   1 -object   2 -blockdev   3 key=value as such
 *     4 a QMP request   5 the human monitor   6 a number   7 JSON as such
 *
 * What succeeds is taken back.  Text that would reach other files, descriptors
 * or much memory of whoever fuzzes, or end the program, is left out.
 */
#include "qemu/osdep.h"
#include "block/block.h"
#include "fuzz.h"
#include "hw/qdev-properties.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "../../monitor/monitor-internal.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "qom/object.h"
#include "system/memory.h"
#include "system/runstate.h"
#include "text.h"

static Monitor mon;

/* -- What the text is given to -------------------------------------------- */

/* Who fails says why. */
static void refused(Error *err)
{
    if (!err || !error_get_pretty(err)[0]) {
        fuzz_fail("a failure without a word");
    }
    error_report_err(err);
}

static void with_keyval(const char *text, const char *implied,
                        void (*use)(JsonObject *opts))
{
    Error *err = NULL;
    g_autoptr(JsonObject) opts = keyval_parse(text, implied, NULL, &err);

    if (opts) {
        use(opts);
    } else {
        refused(err);
    }
}

static void use_device(JsonObject *opts)
{
    Error *err = NULL;

    if (!qdev_device_add(opts, &err)) {
        refused(err);
    }
}

static void use_object(JsonObject *opts)
{
    Error *err = NULL;

    if (!user_creatable_add(opts, &err)) {
        refused(err);
    }
}

static void use_blockdev(JsonObject *opts)
{
    const char *name = json_object_get_string_member_with_default(
        opts, "node-name", NULL);
    Error *err = NULL;

    if (!blockdev_add(opts, &err)) {
        refused(err);
    } else if (!blockdev_del(name, &err)) {
        fuzz_fail("a node that nobody uses: %s", error_get_pretty(err));
    }
}

/* Each way to read a member, as options have them. */
static void use_members(JsonObject *opts)
{
    static const char *const known[] = { "b", "n", "s", "size", NULL };
    g_autofree char *str = NULL;
    uint64_t n, size;
    bool b;

    keyval_take_bool(opts, "b", &b, NULL);
    keyval_take_uint(opts, "n", 1000, &n, NULL);
    keyval_take_str(opts, "s", &str, NULL);
    keyval_take_size(opts, "size", MiB, &size, NULL);
    keyval_check_empty(opts, "fuzz", known, NULL);
}

static void parse_keyval(const char *text)
{
    g_autoptr(JsonObject) flat = NULL;
    bool help;

    with_keyval(text, "s", use_members);
    flat = keyval_parse_flat(text, "s", &help, NULL);
    if (flat) {
        use_members(flat);
    }
}

static void parse_number(const char *text)
{
    uint64_t u;
    int64_t i;
    bool b;

    qemu_parse_bool("x", text, &b, NULL);
    qemu_parse_int("x", text, -5, 1000, &i, NULL);
    qemu_parse_uint("x", text, UINT64_MAX, &u, NULL);
    qemu_parse_size("x", text, 1, &u, NULL);
    qemu_parse_size("x", text, MiB, &u, NULL);
    id_wellformed(text);
}

static void parse_json(const char *text)
{
    g_autoptr(JsonNode) node = json_parse(text, NULL);
    g_autofree char *again = node ? json_text(node, false) : NULL;

    if (again) {
        g_autoptr(JsonNode) same = json_parse(again, NULL);

        if (!same) {
            fuzz_fail("what was written is not read: %s", again);
        }
    }
}

static void qmp_request(const char *text)
{
    g_autoptr(JsonNode) request = json_parse(text, NULL), answer = NULL;
    bool ready = text[0] != ' ';

    if (request) {
        monitor_set_current(&mon);
        answer = qmp_dispatch(request, &mon, &ready);
        monitor_set_current(NULL);
    }
}

static void human_line(const char *text)
{
    g_free(hmp_run(text));
    /* It may have written to a port. */
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
}

/* -- One input ------------------------------------------------------------- */

void fuzz_one(FuzzInput *in)
{
    unsigned way = fuzz_get(in, 1) % 8;
    g_autofree char *text = g_strndup((const char *)in->p, in->end - in->p);

    if (way < 6 && way != 3 && fuzz_text_dangerous(text)) {
        return;
    }
    switch (way) {
    case 0:
        with_keyval(text, "driver", use_device);
        break;
    case 1:
        with_keyval(text, "qom-type", use_object);
        break;
    case 2:
        with_keyval(text, NULL, use_blockdev);
        break;
    case 3:
        parse_keyval(text);
        break;
    case 4:
        qmp_request(text);
        break;
    case 5:
        human_line(text);
        break;
    case 6:
        parse_number(text);
        break;
    default:
        parse_json(text);
        break;
    }
    fuzz_take_back();
    vm_start();
    fuzz_settle(qemu_get_aio_context(), 16);
}

void fuzz_init(void)
{
    fuzz_start_emulator("-accel qtest -display none -nodefaults -m 2M "
                        "-machine pc -blockdev driver=null-co,node-name=b0,"
                        "size=65536 -blockdev driver=null-co,node-name=b1,"
                        "size=65536,read-only=on -device lsi53c895a,id=lsi");
    /* As on the command line: every bus takes devices. */
    qdev_hotplug = false;
}
