/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine driven by a test instead of CPUs; see accel/qtest/. */
#ifndef SYSTEM_QTEST_H
#define SYSTEM_QTEST_H

#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "hw/pci/msi.h"

/* -accel qtest is in use: the virtual clock is the test's. */
bool qtest_enabled(void);

/**
 * qtest_server_init - serve upstream's qtest protocol.
 * @chardev: a back end as -serial takes it; connected at once, heard when the
 *           machine is complete
 * @log: file that gets every line, "none", or NULL for standard error
 *
 * False with @errp set.  Main thread, once.
 */
bool qtest_server_init(const char *chardev, const char *log, Error **errp);

/* -- The interrupt chips of -accel qtest (AccelOps' calls; BQL) ------------ */

bool qtest_irqchip_create(MachineState *ms, Error **errp);
void qtest_set_gsi(int gsi, int level);
void qtest_send_msi(MSIMessage msg);
int qtest_add_irqfd(int gsi, EventNotifier *e, EventNotifier *resample);
int qtest_remove_irqfd(int gsi, EventNotifier *e);

#endif
