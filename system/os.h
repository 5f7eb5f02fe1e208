/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process as the operator wants it: daemon, PID file, sandbox. */
#ifndef SYSTEM_OS_H
#define SYSTEM_OS_H

#include "qapi/error.h"

/**
 * os_daemonize - go on in a child, in a session of its own.
 *
 * The parent waits for os_daemon_ready() and exits with 0, or with 1 if the
 * child ends before.  Before any thread is made.
 */
bool os_daemonize(Error **errp);
/* Has it been done, and is the terminal still to be left? */
bool os_is_daemon(void);
/* Goes to "/"; only before that do relative paths mean what they did. */
void os_daemon_leave_folder(void);
/* Does so, too, leaves the terminal and lets the parent go; nothing without os_daemonize. */
void os_daemon_ready(void);

/* -run-with user=NAME|UID:GID,chroot=DIR: checks the argument ... */
bool os_run_with_parse(const char *arg, Error **errp);
/* ... and goes there, and becomes that user, for ever.  When all is open. */
bool os_run_with_apply(Error **errp);
/* The steps of it: the user's groups, while there are files that know names;
 * the root; the user, after which nothing more can be given up. */
bool os_run_with_prepare(Error **errp);
bool os_run_with_root(Error **errp);
bool os_run_with_user(Error **errp);
bool os_run_with_has_user(void);

/* Writes this process's id to @path and locks it against another's use; the
 * file is removed at exit. */
bool os_write_pidfile(const char *path, Error **errp);

/* What the operator says of -sandbox; by default only a device process has
 * one, of what can be had (sandbox-device.c). */
typedef enum SandboxMode { SANDBOX_DEFAULT, SANDBOX_OFF, SANDBOX_ON }
    SandboxMode;
SandboxMode os_sandbox_mode(void);
/* -sandbox: checks the argument ... */
bool os_sandbox_parse(const char *arg, Error **errp);
/* ... says what of it has no effect in a device process ... */
void os_sandbox_check_boxed_in(void);
/* ... or confines this process and what it starts. */
bool os_sandbox_apply(Error **errp);

#endif
