/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -machine x-remote: a bus for device models, the IOHUB behind it, and nothing
 * that a guest would need.  The links are x-remote-object's.
 */
#include "qemu/osdep.h"
#include "hw/remote/machine.h"
#include "qemu/error-report.h"
#include "qemu/map-guard.h"

static bool remote_machine_init(MachineState *ms, Error **errp)
{
    RemoteMachineState *s = REMOTE_MACHINE(ms);
    DeviceState *host = qdev_new(TYPE_REMOTE_PCIHOST);

    map_guard_init(NULL);
    remote_iohub_init(&s->iohub);
    object_property_add_child(OBJECT(s), "remote-pcihost", OBJECT(host));
    if (!qdev_realize_and_unref(host, sysbus_get_default(), errp)) {
        return false;
    }
    s->host = REMOTE_PCIHOST(host);
    pci_bus_irqs_uncounted(s->host->bus, remote_iohub_set_irq, &s->iohub);
    pci_bus_map_irqs(s->host->bus, remote_iohub_map_irq);
    pci_set_primary_bus(s->host->bus);
    return true;
}

static bool remote_machine_ready(MachineState *ms, Error **errp)
{
    if (!REMOTE_MACHINE(ms)->served) {
        warn_report("no x-remote-object: nobody reaches the devices of this "
                    "process until one is added");
    }
    return true;
}

static void remote_machine_class_init(ObjectClass *oc, void *data)
{
    MachineClass *mc = MACHINE_CLASS(oc);

    mc->name = "x-remote";
    mc->desc = "Device models for x-pci-proxy-dev of another process";
    mc->init = remote_machine_init;
    mc->ready = remote_machine_ready;
    mc->no_cpus = true;
    mc->boxed_in = true;
}

static const TypeInfo remote_machine_types[] = {
    {
        .name = TYPE_REMOTE_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(RemoteMachineState),
        .class_init = remote_machine_class_init,
    },
};
DEFINE_TYPES(remote_machine_types)
