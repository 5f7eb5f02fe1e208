/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors and where they go; messages; the log. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/log.h"

#include <glib/gstdio.h>

static void test_set(void)
{
    g_autoptr(Error) err = NULL;

    error_setg(&err, "value %d of '%s'", 7, "x");
    g_assert_cmpstr(error_get_pretty(err), ==, "value 7 of 'x'");
    g_assert_cmpint(error_get_class(err), ==, ERROR_CLASS_GENERIC_ERROR);
    g_assert_null(error_get_hint(err));
}

static void test_class(void)
{
    g_autoptr(Error) err = NULL;

    error_set(&err, ERROR_CLASS_DEVICE_NOT_FOUND, "no");
    g_assert_cmpstr(ErrorClass_str(error_get_class(err)), ==,
                    "DeviceNotFound");
    g_assert_cmpstr(ErrorClass_str(ERROR_CLASS_GENERIC_ERROR), ==,
                    "GenericError");
    g_assert_cmpstr(ErrorClass_str(ERROR_CLASS_KVM_MISSING_CAP), ==,
                    "KVMMissingCap");
}

static void test_errno(void)
{
    g_autoptr(Error) err = NULL;

    errno = EBUSY;
    error_setg_errno(&err, ENOENT, "Cannot open '%s'", "f");
    g_assert_cmpint(errno, ==, EBUSY);
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Cannot open 'f': No such file or directory");
}

static void test_first_counts(void)
{
    g_autoptr(Error) err = NULL;
    Error *second = NULL;

    error_setg(&err, "first");
    error_setg(&err, "second");
    error_setg(&second, "third");
    error_propagate(&err, second);
    g_assert_cmpstr(error_get_pretty(err), ==, "first");
}

static void test_unwanted(void)
{
    Error *err = NULL;

    error_setg(NULL, "nobody reads this");
    error_append_hint(NULL, "nor this");
    error_setg(&err, "freed");
    error_propagate(NULL, err);
    error_propagate(&err, NULL);
}

static void test_prepend(void)
{
    g_autoptr(Error) err = NULL;
    g_autoptr(Error) out = NULL;
    Error *copy;

    error_prepend(&err, "no error, no text");
    g_assert_null(err);
    error_setg(&err, "inner");
    error_prepend(&err, "%s: ", "outer");
    error_append_hint(&err, "Try %d.\n", 1);
    error_append_hint(&err, "Or %d.\n", 2);
    copy = error_copy(err);
    error_propagate_prepend(&out, copy, "more ");
    g_assert_cmpstr(error_get_pretty(out), ==, "more outer: inner");
    g_assert_cmpstr(error_get_hint(out), ==, "Try 1.\nOr 2.\n");
    g_assert_cmpstr(error_get_pretty(err), ==, "outer: inner");
}

static void test_fatal(void)
{
    if (g_test_subprocess()) {
        error_set_progname("/usr/bin/prog");
        error_setg(&error_fatal, "it is broken");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("prog: it is broken\n");
}

static void test_abort(void)
{
    if (g_test_subprocess()) {
        Error *err = NULL;

        error_setg(&err, "cannot be");
        error_propagate(&error_abort, err);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*test_abort() at *test-error.c:*cannot be\n");
}

static void report_all(void)
{
    Error *err = NULL;
    static bool once;

    error_set_progname("prog");
    error_report("an error");
    warn_report("a warning");
    info_report("an info");
    g_assert_true(error_report_once_cond(&once, "once"));
    g_assert_false(error_report_once_cond(&once, "twice"));
    for (int i = 0; i < 2; i++) {
        error_report_once("one time");
    }
    error_setg(&err, "with hint");
    error_append_hint(&err, "the hint");
    error_report_err(err);
    err = NULL;
    error_setg(&err, "a mild one");
    warn_report_err(err);
    error_set_guest_name("guest");
    error_report("named");
    error_set_guest_name(NULL);
    error_set_timestamp(true);
    error_report("timed");
    error_set_timestamp(false);
}

static void test_reports(void)
{
    if (g_test_subprocess()) {
        report_all();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("prog: an error\n"
                              "prog: warning: a warning\n"
                              "prog: info: an info\n"
                              "prog: once\n"
                              "prog: one time\n"
                              "prog: with hint\nthe hint\n"
                              "prog: warning: a mild one\n"
                              "guest prog: named\n"
                              "20*-*-*T*Z prog: timed\n");
}

static void sink_append(void *opaque, const char *line)
{
    g_string_append(opaque, line);
}

static void test_sink(void)
{
    g_autoptr(GString) s = g_string_new(NULL);

    error_set_sink(sink_append, s);
    error_report("to the monitor");
    error_print_hint("help");
    error_set_sink(NULL, NULL);
    g_assert_cmpstr(s->str, ==, "to the monitor\nhelp\n");
}

/* -- Log ------------------------------------------------------------------ */

static void trace_a(int value)
{
    trace_event("test_alpha", "value %d", value);
    trace_event("test_beta", "no value");
}

static void log_all(void)
{
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;

    trace_a(1);
    qemu_log_mask(LOG_UNIMP, "hidden\n");
    g_assert_true(qemu_log_set_mask("unimp,trace:test_al*", &error_abort));
    trace_a(2);
    qemu_log_mask(LOG_UNIMP, "shown\n");
    qemu_log_mask(LOG_GUEST_ERROR, "hidden too\n");
    g_assert_true(trace_event_enable("*beta", &error_abort));
    g_assert_true(trace_event_enable("-test_alpha", &error_abort));
    trace_a(3);
    g_assert_false(qemu_log_set_mask("unimp,nonsense", &e1));
    g_assert_nonnull(strstr(error_get_pretty(e1), "'nonsense'"));
    g_assert_false(trace_event_enable("nothing*", &e2));
    g_assert_nonnull(strstr(error_get_pretty(e2), "'nothing*'"));
}

static void test_log(void)
{
    if (g_test_subprocess()) {
        log_all();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("test_alpha value 2\nshown\n"
                              "test_beta no value\n");
}

static void test_log_file(void)
{
    g_autofree char *dir = g_dir_make_tmp("test-error-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    g_autofree char *text = NULL;
    g_autoptr(Error) err = NULL;

    g_assert_true(qemu_log_set_file(path, &error_abort));
    qemu_log("line %d\n", 1);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "line 1\n");
    g_assert_false(qemu_log_set_file(dir, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), dir));
    g_assert_true(qemu_log_set_file(NULL, &error_abort));
    g_unlink(path);
    g_rmdir(dir);
}

static void test_trace_list(void)
{
    if (g_test_subprocess()) {
        trace_event_list();
        qemu_log_print_help();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*test_alpha\ntest_beta\n*guest_errors*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/text", test_set);
    g_test_add_func("/error/class", test_class);
    g_test_add_func("/error/errno-appended-and-kept", test_errno);
    g_test_add_func("/error/first-counts", test_first_counts);
    g_test_add_func("/error/unwanted-is-freed", test_unwanted);
    g_test_add_func("/error/prepend-and-hint", test_prepend);
    g_test_add_func("/error/fatal-exits", test_fatal);
    g_test_add_func("/error/abort-says-where", test_abort);
    g_test_add_func("/report/format", test_reports);
    g_test_add_func("/report/sink-of-monitor", test_sink);
    g_test_add_func("/log/mask-and-trace", test_log);
    g_test_add_func("/log/file", test_log_file);
    g_test_add_func("/log/lists", test_trace_list);
    return g_test_run();
}
