/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error objects.  What happens to an error is decided by the address that the
 * caller gave: nothing (NULL), stored, printed with exit(1) (error_fatal), or
 * printed with abort() (error_abort).
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"

struct Error {
    char *msg;
    char *hint;
    ErrorClass cls;
    const char *file, *func;    /* where it was made; string literals */
    int line;
};

Error *error_abort;
Error *error_fatal;

static const char *const class_names[] = {
    [ERROR_CLASS_GENERIC_ERROR] = "GenericError",
    [ERROR_CLASS_COMMAND_NOT_FOUND] = "CommandNotFound",
    [ERROR_CLASS_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
    [ERROR_CLASS_DEVICE_NOT_FOUND] = "DeviceNotFound",
    [ERROR_CLASS_KVM_MISSING_CAP] = "KVMMissingCap",
};

/* Hands @err over to whoever @errp stands for. */
static void deliver(Error **errp, Error *err)
{
    if (errp == &error_abort) {
        fprintf(stderr, "Unexpected error in %s() at %s:%d:\n",
                err->func, err->file, err->line);
        error_report("%s", err->msg);
        abort();
    }
    if (errp == &error_fatal) {
        error_report_err(err);
        exit(1);
    }
    if (errp && !*errp) {
        *errp = err;
    } else {
        error_free(err);        /* unwanted, or not the first: that counts */
    }
}

static const char *eperm_text;

void error_set_eperm_text(const char *text)
{
    eperm_text = text;
}

static const char *os_error_text(int os_error)
{
    return os_error == EPERM && eperm_text ? eperm_text : g_strerror(os_error);
}

void error_set_at(Error **errp, const char *file, int line, const char *func,
                  ErrorClass cls, int os_error, const char *fmt, ...)
{
    int saved_errno = errno;
    Error *err;
    va_list ap;

    if (!errp) {
        return;
    }
    err = g_new0(Error, 1);
    err->cls = cls;
    err->file = file;
    err->line = line;
    err->func = func;
    va_start(ap, fmt);
    err->msg = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (os_error) {
        g_autofree char *text = err->msg;

        err->msg = g_strdup_printf("%s: %s", text, os_error_text(os_error));
    }
    deliver(errp, err);
    errno = saved_errno;
}

void error_propagate(Error **errp, Error *local_err)
{
    if (local_err) {
        deliver(errp, local_err);
    }
}

static void prepend(Error *err, const char *fmt, va_list ap)
{
    g_autofree char *front = g_strdup_vprintf(fmt, ap);
    g_autofree char *back = err->msg;

    err->msg = g_strconcat(front, back, NULL);
}

void error_propagate_prepend(Error **errp, Error *local_err,
                             const char *fmt, ...)
{
    va_list ap;

    if (local_err) {
        va_start(ap, fmt);
        prepend(local_err, fmt, ap);
        va_end(ap);
        deliver(errp, local_err);
    }
}

void error_prepend(Error **errp, const char *fmt, ...)
{
    va_list ap;

    if (errp && *errp) {
        va_start(ap, fmt);
        prepend(*errp, fmt, ap);
        va_end(ap);
    }
}

void error_append_hint(Error **errp, const char *fmt, ...)
{
    g_autofree char *more = NULL;
    g_autofree char *old = NULL;
    va_list ap;

    if (!errp || !*errp) {
        return;
    }
    va_start(ap, fmt);
    more = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    old = (*errp)->hint;
    (*errp)->hint = g_strconcat(old ? old : "", more, NULL);
}

const char *error_get_pretty(const Error *err)
{
    return err->msg;
}

const char *error_get_hint(const Error *err)
{
    return err->hint;
}

ErrorClass error_get_class(const Error *err)
{
    return err->cls;
}

const char *ErrorClass_str(ErrorClass cls)
{
    assert((size_t)cls < ARRAY_SIZE(class_names));
    return class_names[cls];
}

Error *error_copy(const Error *err)
{
    Error *copy = g_memdup2(err, sizeof(*err));

    copy->msg = g_strdup(err->msg);
    copy->hint = g_strdup(err->hint);
    return copy;
}

void error_free(Error *err)
{
    if (err) {
        g_free(err->msg);
        g_free(err->hint);
        g_free(err);
    }
}

void error_report_err(Error *err)
{
    error_report("%s", err->msg);
    if (err->hint) {
        error_print_hint(err->hint);
    }
    error_free(err);
}

void warn_report_err(Error *err)
{
    warn_report("%s", err->msg);
    if (err->hint) {
        error_print_hint(err->hint);
    }
    error_free(err);
}
