/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for the operator.  Each is put together first and written by one
 * call, so that lines of several threads or processes do not mix.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"

static char *progname;
static char *guest_name;
static bool timestamps;

static __thread void (*sink)(void *opaque, const char *line);
static __thread void *sink_opaque;

static void emit(const char *text)
{
    if (sink) {
        sink(sink_opaque, text);
    } else {
        fputs(text, stderr);
    }
}

static void report(const char *kind, const char *fmt, va_list ap)
{
    g_autoptr(GString) s = g_string_new(NULL);

    if (!sink) {
        if (timestamps) {
            /* Not GLib's clock: see monitor_event(). */
            int64_t ns = qemu_clock_get_ns(QEMU_CLOCK_HOST);
            g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc(
                ns / NANOSECONDS_PER_SECOND);
            g_autoptr(GDateTime) now = g_date_time_add(
                second, ns % NANOSECONDS_PER_SECOND / SCALE_US);
            g_autofree char *text = g_date_time_format_iso8601(now);

            g_string_append_printf(s, "%s ", text);
        }
        if (guest_name) {
            g_string_append_printf(s, "%s ", guest_name);
        }
        g_string_append_printf(s, "%s: ", error_get_progname());
    }
    g_string_append(s, kind);
    g_string_append_vprintf(s, fmt, ap);
    g_string_append_c(s, '\n');
    emit(s->str);
}

void error_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("", fmt, ap);
    va_end(ap);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("warning: ", fmt, ap);
    va_end(ap);
}

void info_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("info: ", fmt, ap);
    va_end(ap);
}

void error_print_hint(const char *hint)
{
    bool whole = g_str_has_suffix(hint, "\n");
    g_autofree char *line = g_strconcat(hint, whole ? NULL : "\n", NULL);

    emit(line);
}

bool error_report_once_cond(bool *printed, const char *fmt, ...)
{
    va_list ap;

    if (__atomic_exchange_n(printed, true, __ATOMIC_RELAXED)) {
        return false;
    }
    va_start(ap, fmt);
    report("", fmt, ap);
    va_end(ap);
    return true;
}

void error_set_sink(void (*fn)(void *opaque, const char *line), void *opaque)
{
    sink = fn;
    sink_opaque = opaque;
}

void error_set_timestamp(bool on)
{
    timestamps = on;
}

void error_set_guest_name(const char *name)
{
    g_free(guest_name);
    guest_name = g_strdup(name);
}

void error_set_progname(const char *argv0)
{
    g_free(progname);
    progname = g_path_get_basename(argv0);
}

const char *error_get_progname(void)
{
    return progname ? progname : program_invocation_short_name;
}
