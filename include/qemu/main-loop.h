/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main loop of a process and the big lock (BQL).
 *
 * The BQL guards all emulation state of the main process: vCPU threads take it
 * to dispatch an exit, the main loop holds it whenever it runs a callback.  The
 * main loop serves GLib sources and one AioContext, qemu_get_aio_context(),
 * whose handlers run under the BQL.
 */
#ifndef QEMU_MAIN_LOOP_H
#define QEMU_MAIN_LOOP_H

#include "qemu/aio.h"
#include "qemu/thread.h"

/* Called once, first, from main(); the caller then holds the BQL. */
void qemu_init_main_loop(void);

/* The context of everything that has no thread of its own.  Any thread. */
AioContext *qemu_get_aio_context(void);

/* One round of the main loop: sleeps (without the BQL) until something is due,
 * serves it.  Main thread, BQL held. */
void main_loop_wait(bool nonblocking);

void bql_lock(void);
void bql_unlock(void);
bool bql_locked(void);          /* by the calling thread */
/* Waits for @cond, giving up the BQL meanwhile. */
void bql_cond_wait(QemuCond *cond);

#endif
