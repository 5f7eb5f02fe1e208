/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -d ITEMS, -D FILE: what the guest did wrong, what is not implemented; and
 * trace points (-trace PATTERN).  One line an event, off by default.  Any
 * thread.
 */
#ifndef QEMU_LOG_H
#define QEMU_LOG_H

enum {
    LOG_GUEST_ERROR = 1 << 0,
    LOG_UNIMP = 1 << 1,
    LOG_TRACE = 1 << 2,
};

extern int qemu_loglevel;

void qemu_log(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
#define qemu_log_mask(mask, ...)                \
    do {                                        \
        if (unlikely(__atomic_load_n(&qemu_loglevel, __ATOMIC_RELAXED) & \
                     (mask))) {                 \
            qemu_log(__VA_ARGS__);              \
        }                                       \
    } while (0)

/* "guest_errors,unimp,trace:PATTERN"; replaces the mask.  "help" is for the
 * caller to see: qemu_log_print_help(). */
bool qemu_log_set_mask(const char *items, Error **errp);
/* Lines go to @path (created or emptied) from now on; NULL: standard error. */
bool qemu_log_set_file(const char *path, Error **errp);
void qemu_log_print_help(void);

/*
 * A trace point: trace_event("remote_iohub_raise", "pirq %d", pirq);
 * While it is off it costs one predictable branch.  The linker collects all
 * of them in one section, which is what -trace searches.
 */
typedef struct TraceEvent {
    const char *name;
    bool on;
} __attribute__((aligned(16))) TraceEvent;

/* Switches on those whose name matches the glob, or off if it begins with
 * '-'; false if none does.  Any thread. */
bool trace_event_enable(const char *pattern, Error **errp);
void trace_event_list(void);                        /* "-trace help" */

#define trace_event(name_, fmt, ...)                                         \
    do {                                                                     \
        static TraceEvent ev_ __attribute__((section("trace_events"), used)) \
            = { .name = name_ };                                             \
        if (unlikely(__atomic_load_n(&ev_.on, __ATOMIC_RELAXED))) {          \
            qemu_log(name_ " " fmt "\n", ##__VA_ARGS__);                     \
        }                                                                    \
    } while (0)

#endif
