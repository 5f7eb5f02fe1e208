/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that a caller can report, return or answer to.  A function that can
 * fail takes `Error **errp` last and also says so by its return value (false,
 * NULL or negative), which is what callers test.
 *
 * errp may be NULL (the caller does not want the text), &error_abort (it
 * cannot fail), &error_fatal (report and exit 1), or the address of a NULL
 * Error *.  Any thread.
 */
#ifndef QAPI_ERROR_H
#define QAPI_ERROR_H

/* QMP's error classes. */
typedef enum ErrorClass {
    ERROR_CLASS_GENERIC_ERROR,
    ERROR_CLASS_COMMAND_NOT_FOUND,
    ERROR_CLASS_DEVICE_NOT_ACTIVE,
    ERROR_CLASS_DEVICE_NOT_FOUND,
    ERROR_CLASS_KVM_MISSING_CAP,
} ErrorClass;

extern Error *error_abort;
extern Error *error_fatal;

/* Behind the macros below: they add where the error was made, which
 * error_abort prints.  @os_error: 0, or what strerror() is appended of. */
void error_set_at(Error **errp, const char *file, int line, const char *func,
                  ErrorClass cls, int os_error, const char *fmt, ...)
    G_GNUC_PRINTF(7, 8);

#define error_set(errp, cls, ...) \
    error_set_at(errp, __FILE__, __LINE__, __func__, cls, 0, __VA_ARGS__)

#define error_setg(errp, ...) \
    error_set(errp, ERROR_CLASS_GENERIC_ERROR, __VA_ARGS__)

/* "TEXT: strerror(os_error)" */
#define error_setg_errno(errp, os_error, ...)                           \
    error_set_at(errp, __FILE__, __LINE__, __func__,                    \
                 ERROR_CLASS_GENERIC_ERROR, os_error, __VA_ARGS__)

/* What is said of EPERM from now on: why this process may do so little. */
void error_set_eperm_text(const char *text);

/* Takes @local_err (may be NULL) and stores it in @errp as error_set would. */
void error_propagate(Error **errp, Error *local_err);
/* The same with a text put before it. */
void error_propagate_prepend(Error **errp, Error *local_err,
                             const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* Puts text before the message of *errp, where errp is a real address. */
void error_prepend(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Adds a line that is printed after the message, not part of it in QMP. */
void error_append_hint(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

const char *error_get_pretty(const Error *err);
const char *error_get_hint(const Error *err);        /* may be NULL */
ErrorClass error_get_class(const Error *err);
const char *ErrorClass_str(ErrorClass cls);          /* "GenericError", ... */
Error *error_copy(const Error *err);
void error_free(Error *err);                         /* NULL is ignored */

/* Print as error_report() does, and free. */
void error_report_err(Error *err);
void warn_report_err(Error *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Error, error_free)

#endif
