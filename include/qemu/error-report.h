/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for the operator, on standard error (or the monitor that runs the
 * current command), as "qemu-system-x86_64: TEXT".  Any thread.
 */
#ifndef QEMU_ERROR_REPORT_H
#define QEMU_ERROR_REPORT_H

void error_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void warn_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void info_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* The text that goes with the last report, as it is, on lines of its own. */
void error_print_hint(const char *hint);

/* Reports the first time that *@printed is false, and sets it. */
bool error_report_once_cond(bool *printed, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);
#define error_report_once(...) \
    ({ static bool once_; error_report_once_cond(&once_, __VA_ARGS__); })

/* The reports of this thread go to @fn, as bare lines without the program's
 * name, until it is NULL: the human monitor while it runs a command. */
void error_set_sink(void (*fn)(void *opaque, const char *line), void *opaque);

/* -msg timestamp=on, guest-name=on (@name: the guest's; NULL switches off).
 * Before threads are started. */
void error_set_timestamp(bool on);
void error_set_guest_name(const char *name);
/* The last component of @argv0 is what messages begin with. */
void error_set_progname(const char *argv0);
const char *error_get_progname(void);

#endif
