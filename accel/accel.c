/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choice of the accelerator: -accel NAME or -machine accel=NAME:NAME..., tried
 * in order.  And the calls that reach the one in use.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "system/kvm.h"

bool kvm_allowed;
const AccelOps *accel;

static const AccelOps *known[8];

/* How many irqfds each GSI has; no accelerator takes one at a higher GSI. */
static unsigned irqfds[24];

void accel_register(const AccelOps *ops)
{
    for (int i = 0; i < ARRAY_SIZE(known); i++) {
        if (!known[i]) {
            known[i] = ops;
            return;
        }
    }
    g_assert_not_reached();
}

static const AccelOps *accel_find(const char *name)
{
    for (int i = 0; i < ARRAY_SIZE(known) && known[i]; i++) {
        if (!strcmp(known[i]->name, name)) {
            return known[i];
        }
    }
    return NULL;
}

static char *accel_names(void)
{
    GString *names = g_string_new("");

    for (int i = 0; i < ARRAY_SIZE(known) && known[i]; i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "", known[i]->name);
    }
    return g_string_free(names, false);
}

bool accel_help(GString *out, const char *name, Error **errp)
{
    g_string_append(out, "Accelerators that can be chosen:\n");
    for (int i = 0; i < ARRAY_SIZE(known) && known[i]; i++) {
        g_string_append_printf(out, "%s\n", known[i]->name);
    }
    return true;
}

static bool accel_try(MachineState *ms, const char *name, Error **errp)
{
    const AccelOps *ops = accel_find(name);

    if (!ops) {
        g_autofree char *names = accel_names();

        if (!strcmp(name, "tcg")) {
            error_setg(errp, "accelerator 'tcg' is not part of this program, "
                       "which runs guests on /dev/kvm only (available: %s)",
                       names);
        } else {
            error_setg(errp, "invalid accelerator '%s' (available: %s)",
                       name, names);
        }
        return false;
    }
    if (ops->init && !ops->init(ms, errp)) {
        return false;
    }
    accel = ops;
    return true;
}

bool accel_configure(MachineState *ms, JsonObject *opts, Error **errp)
{
    static const char *const keys[] = { "accel", NULL };
    g_autofree char *list = NULL;
    g_auto(GStrv) names = NULL;
    g_autoptr(Error) first = NULL;

    if (opts && (!keyval_take_str(opts, "accel", &list, errp) ||
                 !keyval_check_empty(opts, "-accel", keys, errp))) {
        return false;
    }
    names = g_strsplit(list ?: "kvm", ":", 0);
    for (char **n = names; *n; n++) {
        Error *err = NULL;

        if (accel_try(ms, *n, &err)) {
            if (first) {
                warn_report("%s; using accelerator '%s'",
                            error_get_pretty(first), *n);
            }
            return true;
        }
        if (first) {
            error_append_hint(&first, "%s\n", error_get_pretty(err));
            error_free(err);
        } else {
            first = err;
        }
    }
    if (!first) {
        error_setg(&first, "-accel: no accelerator is named");
    }
    error_propagate(errp, g_steal_pointer(&first));
    return false;
}

int kvm_irqchip_add_irqfd_notifier_gsi(EventNotifier *n, EventNotifier *rn,
                                       int gsi)
{
    int ret = accel && accel->add_irqfd ? accel->add_irqfd(gsi, n, rn)
                                        : -ENOSYS;

    if (ret == 0) {
        irqfds[gsi]++;
    }
    return ret;
}

int kvm_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int gsi)
{
    int ret = accel && accel->remove_irqfd ? accel->remove_irqfd(gsi, n)
                                           : -ENOSYS;

    if (ret == 0 && irqfds[gsi]) {
        irqfds[gsi]--;
    }
    return ret;
}

unsigned kvm_irqchip_irqfds(int gsi)
{
    assert(gsi >= 0 && gsi < ARRAY_SIZE(irqfds));
    return irqfds[gsi];
}
