/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device process gives up before it serves anybody (-sandbox). */
#ifndef SYSTEM_SANDBOX_H
#define SYSTEM_SANDBOX_H

#include "qapi/error.h"

/* The tables of system calls, as docs/system/sandbox.md has them. */
void sandbox_print_help(void);

/**
 * sandbox_enter - give up what a device process does not need, for ever.
 *
 * Does what "-run-with" says, too; an empty root takes the place of chroot=.
 * To be called once, when everything is open, before there is a second thread.
 * What the system does not allow is reported on standard error in one line,
 * or, after "-sandbox on", is the error: false with @errp.
 */
bool sandbox_enter(Error **errp);

/* A thread of a main process gives up what a guest has no use for; ends the
 * process if that cannot be.  For qemu_thread_set_box(). */
void sandbox_guest_thread(void);

#endif
