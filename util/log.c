/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log (-d, -D) and the switches of the trace points.  Trace points are
 * found through the linker: each is an element of the section trace_events,
 * whose ends the linker names.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/log.h"
#include "qemu/thread.h"

int qemu_loglevel;

static QemuMutex log_lock = { PTHREAD_MUTEX_INITIALIZER };
static FILE *log_file;          /* NULL: standard error */

static const struct {
    int mask;
    const char *name;
    const char *help;
} log_items[] = {
    { LOG_GUEST_ERROR, "guest_errors", "what the guest did wrong" },
    { LOG_UNIMP, "unimp", "functions that are not implemented" },
    { LOG_TRACE, "trace", "trace points: trace:PATTERN (as -trace PATTERN)" },
};

/* Weak: a program without a trace point has no such section. */
extern TraceEvent trace_begin[] __asm__("__start_trace_events")
    __attribute__((weak, visibility("hidden")));
extern TraceEvent trace_end[] __asm__("__stop_trace_events")
    __attribute__((weak, visibility("hidden")));

void qemu_log(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    qemu_mutex_lock(&log_lock);
    vfprintf(log_file ? log_file : stderr, fmt, ap);
    qemu_mutex_unlock(&log_lock);
    va_end(ap);
}

static bool add_item(const char *item, int *mask, Error **errp)
{
    if (g_str_has_prefix(item, "trace:")) {
        *mask |= LOG_TRACE;
        return trace_event_enable(item + strlen("trace:"), errp);
    }
    for (size_t i = 0; i < ARRAY_SIZE(log_items); i++) {
        if (log_items[i].mask != LOG_TRACE &&
            g_str_equal(item, log_items[i].name)) {
            *mask |= log_items[i].mask;
            return true;
        }
    }
    error_setg(errp, "Unknown log item '%s' (\"help\" lists them)", item);
    return false;
}

bool qemu_log_set_mask(const char *items, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(items, ",", -1);
    int mask = 0;

    for (char **w = words; *w; w++) {
        if (!add_item(*w, &mask, errp)) {
            return false;
        }
    }
    __atomic_store_n(&qemu_loglevel, mask, __ATOMIC_RELAXED);
    return true;
}

bool qemu_log_set_file(const char *path, Error **errp)
{
    FILE *f = NULL, *old;

    if (path) {
        f = fopen(path, "we");
        if (!f) {
            error_setg_errno(errp, errno, "Cannot open log file '%s'", path);
            return false;
        }
        setvbuf(f, NULL, _IOLBF, 0);
    }
    qemu_mutex_lock(&log_lock);
    old = log_file;
    log_file = f;
    qemu_mutex_unlock(&log_lock);
    if (old) {
        fclose(old);
    }
    return true;
}

void qemu_log_print_help(void)
{
    printf("Log items (comma separated):\n");
    for (size_t i = 0; i < ARRAY_SIZE(log_items); i++) {
        printf("%-15s %s\n", log_items[i].name, log_items[i].help);
    }
}

bool trace_event_enable(const char *pattern, Error **errp)
{
    bool on = pattern[0] != '-';
    const char *glob = pattern + !on;
    bool found = false;

    for (TraceEvent *ev = trace_begin; ev < trace_end; ev++) {
        if (g_pattern_match_simple(glob, ev->name)) {
            __atomic_store_n(&ev->on, on, __ATOMIC_RELAXED);
            found = true;
        }
    }
    if (!found) {
        error_setg(errp, "No trace point matches '%s' (\"help\" lists them)",
                   glob);
    }
    return found;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void trace_event_list(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *last = "";

    for (TraceEvent *ev = trace_begin; ev < trace_end; ev++) {
        g_ptr_array_add(names, (void *)ev->name);
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        /* One name may stand at several places. */
        if (strcmp(name, last)) {
            printf("%s\n", name);
        }
        last = name;
    }
}
