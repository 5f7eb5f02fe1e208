/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -accel qtest: a machine without running CPUs.  Its vCPUs exist and never
 * execute; a test makes the accesses that a guest would make (server.c), moves
 * the virtual clock, and sees interrupts in chips of our own (irqchip.c).
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "system/kvm.h"
#include "system/qtest.h"

static bool enabled;

bool qtest_enabled(void)
{
    return enabled;
}

static bool qtest_init(MachineState *ms, Error **errp)
{
    enabled = true;
    qemu_clock_virtual_manual();
    return true;
}

static int qtest_max_vcpus(void)
{
    return 288;                 /* as many as a machine can have */
}

static const AccelOps qtest_accel = {
    .name = "qtest",
    .init = qtest_init,
    .irqchip_create = qtest_irqchip_create,
    .set_gsi = qtest_set_gsi,
    .send_msi = qtest_send_msi,
    .add_irqfd = qtest_add_irqfd,
    .remove_irqfd = qtest_remove_irqfd,
    .max_vcpus = qtest_max_vcpus,
};

static void register_qtest(void)
{
    accel_register(&qtest_accel);
}
type_init(register_qtest)
