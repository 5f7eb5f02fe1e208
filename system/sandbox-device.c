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

/*
 * The order matters: limits are read from /proc, name spaces take rights that
 * are dropped next, and each step makes calls that the filter ends.
 */
static void enter_device_process(void)
{
    sandbox_no_new_privileges();
    sandbox_close_inherited();
    sandbox_limits();
    sandbox_namespaces();
    sandbox_no_files();
    sandbox_no_capabilities();
    sandbox_allow_listed();
    error_set_eperm_text("Not permitted: a device process opens nothing "
                         "after its start; give it what it needs on the "
                         "command line or by getfd, or '-sandbox off'");
}

bool sandbox_enter(Error **errp)
{
    if (os_sandbox_mode() == SANDBOX_OFF ||
        (os_sandbox_mode() == SANDBOX_DEFAULT && SANITIZED)) {
        return true;
    }
    enter_device_process();
    if (missing && os_sandbox_mode() == SANDBOX_ON) {
        error_setg(errp, "-sandbox on: not to be had here: %s", missing->str);
        return false;
    }
    if (missing) {
        warn_report("sandbox: going on without: %s", missing->str);
    }
    return true;
}
