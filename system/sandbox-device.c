/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device process gives up before it serves anybody (-sandbox).
 *
 * A device process (-machine x-remote) gives up all that its devices do not
 * need, without being asked: who takes it over through a device model holds
 * the descriptors it had and nothing else.  Where the kernel or the caller's
 * rights stand in the way the rest is done all the same, and one line says
 * what is missing.  Other processes: sandbox.c.
 *
 * Which calls: sandbox-calls.c; everything else: sandbox-kernel.c.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "os.h"
#include "sandbox-internal.h"
#include "system/sandbox.h"

static GString *missing;

/*
 * The run-time of a sanitizer opens files and traces its own process at the
 * end; a build with one is for tests of everything else.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

void sandbox_missing(const char *fmt, ...)
{
    va_list ap;

    if (!missing) {
        missing = g_string_new(NULL);
    }
    if (missing->len) {
        g_string_append(missing, ", ");
    }
    va_start(ap, fmt);
    g_string_append_vprintf(missing, fmt, ap);
    va_end(ap);
}

/* The root that the operator wants is not needed if there is an empty one. */
static bool leave_root(Error **errp)
{
    return sandbox_root_is_empty() || os_run_with_root(errp);
}

/*
 * The order matters: limits are read from /proc, name spaces take rights that
 * are dropped next, and each step makes calls that the filter ends.  Another
 * user cannot be become in a name space for users, nor that be entered after a
 * chroot().
 */
static bool enter_device_process(Error **errp)
{
    sandbox_no_new_privileges();
    sandbox_close_inherited();
    sandbox_limits();
    if (!os_run_with_prepare(errp)) {
        return false;
    }
    if (os_run_with_has_user()) {
        sandbox_namespaces_of_root();
        if (!leave_root(errp) || !os_run_with_user(errp)) {
            return false;
        }
        sandbox_namespaces();
    } else {
        sandbox_namespaces();
        if (!leave_root(errp)) {
            return false;
        }
    }
    os_daemon_leave_folder();
    sandbox_no_files();
    sandbox_no_capabilities();
    sandbox_allow_listed();
    error_set_eperm_text("Not permitted: a device process opens nothing "
                         "after its start; give it what it needs on the "
                         "command line or by getfd, or '-sandbox off'");
    return true;
}

bool sandbox_enter(Error **errp)
{
    if (os_sandbox_mode() == SANDBOX_OFF ||
        (os_sandbox_mode() == SANDBOX_DEFAULT && SANITIZED)) {
        return os_run_with_apply(errp);
    }
    if (!enter_device_process(errp)) {
        return false;
    }
    if (missing && os_sandbox_mode() == SANDBOX_ON) {
        error_setg(errp, "-sandbox on: not to be had here: %s", missing->str);
        return false;
    }
    if (missing) {
        warn_report("sandbox: going on without: %s", missing->str);
    }
    return true;
}
