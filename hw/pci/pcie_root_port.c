/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcie-root-port: a port of the root complex with one slot, into which a device
 * can be plugged while the guest runs (PCI Express Base 3.0, 1.3.1 and 6.7).
 *
 * A device that is plugged appears when the guest has powered the slot; one
 * that is to go leaves when the guest has switched the slot off, or with the
 * next reset if the guest does not care.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"

#define TYPE_PCIE_ROOT_PORT "pcie-root-port"
OBJECT_DECLARE_SIMPLE_TYPE(PCIERootPort, PCIE_ROOT_PORT)

#define EXP_CAP_OFFSET 0x40
#define NR_VECTORS 1
#define MSIX_BAR 0
#define SLOT_MAX 0x1fff

struct PCIERootPort {
    PCIBridge parent_obj;
    PCIESlotState slot;
    uint8_t port_nr;
    uint8_t chassis;
    uint16_t slot_nr;
    bool hotplug;
};

static PCIDevice *port_dev(PCIERootPort *p)
{
    return &p->parent_obj.parent_obj;
}

/* -- What is in the slot ------------------------------------------------------- */

static bool occupied(PCIERootPort *p)
{
    return p->parent_obj.sec_bus->devices[0] != NULL;
}

static void power_one(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    pci_set_power(dev, *(bool *)opaque);
}

static void update_power(PCIERootPort *p)
{
    bool on = !p->hotplug || pcie_slot_powered(port_dev(p));

    pci_for_each_device(p->parent_obj.sec_bus, power_one, &on);
}

/* All functions; function 0 last, as it came last. */
static void eject(PCIERootPort *p, bool only_pending)
{
    PCIBus *bus = p->parent_obj.sec_bus;
    int fn;

    for (fn = PCI_FUNC_MAX - 1; fn >= 0; fn--) {
        PCIDevice *dev = bus->devices[fn];

        if (dev && (!only_pending || dev->qdev.pending_unplug)) {
            qdev_unplug_complete(DEVICE(dev));
        }
    }
}

static void keep_one(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    qdev_unplug_refused(DEVICE(dev));
}

static bool port_plug(HotplugHandler *h, DeviceState *dev, Error **errp)
{
    PCIERootPort *p = PCIE_ROOT_PORT(h);
    PCIDevice *d = PCI_DEVICE(dev);

    if (!dev->hotplugged) {
        return true;                /* reset will see it */
    }
    pci_set_power(d, pcie_slot_powered(port_dev(p)));
    if (PCI_FUNC(d->devfn) == 0) {
        pcie_slot_set_present(port_dev(p), &p->slot, true);
        /* Whoever puts a card in presses the button, too: where there is one,
         * Linux listens to nothing else. */
        pcie_slot_push_button(port_dev(p), &p->slot);
    }
    return true;
}

static bool port_unplug_request(HotplugHandler *h, DeviceState *dev,
                                Error **errp)
{
    PCIERootPort *p = PCIE_ROOT_PORT(h);

    if (pcie_slot_busy(port_dev(p))) {
        error_setg(errp, "Hot-unplug failed: guest is busy (power indicator "
                   "blinking)");
        return false;
    }
    if (!pcie_slot_powered(port_dev(p))) {
        eject(p, false);            /* the guest does not use it */
        return true;
    }
    pcie_slot_push_button(port_dev(p), &p->slot);
    return true;
}

static void port_unplug(HotplugHandler *h, DeviceState *dev)
{
    PCIERootPort *p = PCIE_ROOT_PORT(h);

    if (PCI_FUNC(PCI_DEVICE(dev)->devfn) == 0) {
        pcie_slot_set_present(port_dev(p), &p->slot, false);
    }
}

/* -- The port ------------------------------------------------------------------ */

static void port_write_config(PCIDevice *d, uint32_t addr, uint32_t val,
                              int len)
{
    PCIERootPort *p = PCIE_ROOT_PORT(d);
    uint16_t old_ctl = pcie_slot_control(d);

    pci_bridge_write_config(d, addr, val, len);
    if (!d->config) {
        return;                     /* it has left, while its bus was reset */
    }
    if (pcie_slot_written(d, &p->slot, old_ctl)) {
        eject(p, false);
    } else if (pcie_slot_kept(d, old_ctl)) {
        pci_for_each_device(p->parent_obj.sec_bus, keep_one, NULL);
    }
    update_power(p);
}

static void port_reset(DeviceState *dev)
{
    PCIERootPort *p = PCIE_ROOT_PORT(dev);

    /* What the guest was asked to let go is gone when it starts anew. */
    eject(p, true);
    pci_bridge_reset(&p->parent_obj);
    pcie_cap_deverr_reset(port_dev(p));
    pcie_slot_reset(port_dev(p), &p->slot, occupied(p));
    update_power(p);
}

/* Another port that says it is this one's slot. */
static bool slot_is_taken(PCIERootPort *p, PCIBus *bus)
{
    Object *other;
    int devfn;

    for (devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        other = object_dynamic_cast(OBJECT(bus->devices[devfn]),
                                    TYPE_PCIE_ROOT_PORT);
        if (other && other != OBJECT(p) &&
            PCIE_ROOT_PORT(other)->chassis == p->chassis &&
            PCIE_ROOT_PORT(other)->slot_nr == p->slot_nr) {
            return true;
        }
    }
    return false;
}

static bool check_place(PCIERootPort *p, Error **errp)
{
    PCIBus *bus = pci_get_bus(port_dev(p));

    if (!pci_bus_is_express(bus) || !pci_bus_is_root(bus)) {
        error_setg(errp, "pcie-root-port: bus '%s' is no PCI Express root bus",
                   bus->qbus.name);
        return false;
    }
    if (p->slot_nr > SLOT_MAX) {
        error_setg(errp, "pcie-root-port: slot %u: 0 to %d are possible",
                   p->slot_nr, SLOT_MAX);
        return false;
    }
    if (slot_is_taken(p, bus)) {
        error_setg(errp, "pcie-root-port: chassis %u slot %u is another port "
                   "already; choose other 'chassis' and 'slot'", p->chassis,
                   p->slot_nr);
        return false;
    }
    return true;
}

static bool port_realize(PCIDevice *d, Error **errp)
{
    PCIERootPort *p = PCIE_ROOT_PORT(d);

    if (!check_place(p, errp)) {
        return false;
    }
    pci_bridge_init(&p->parent_obj, TYPE_PCIE_BUS);
    pcie_root_port_cap_init(d, EXP_CAP_OFFSET, p->port_nr, p->slot_nr,
                            p->hotplug);
    pci_config_set_interrupt_pin(d->config, 1);
    if (msi_nonbroken &&
        msix_init_exclusive_bar(d, NR_VECTORS, MSIX_BAR, errp) < 0) {
        pci_bridge_exit(&p->parent_obj);
        return false;
    }
    if (p->hotplug) {
        qbus_set_hotplug_handler(&p->parent_obj.sec_bus->qbus, OBJECT(p));
    }
    pcie_slot_reset(d, &p->slot, false);
    return true;
}

static void port_exit(PCIDevice *d)
{
    msix_uninit(d);
    pci_bridge_exit(PCI_BRIDGE(d));
}

static const Property port_props[] = {
    DEFINE_PROP_UINT8("port", PCIERootPort, port_nr, 0,
        .description = "number of the port"),
    DEFINE_PROP_UINT8("chassis", PCIERootPort, chassis, 0,
        .description = "with slot: the name of the slot"),
    DEFINE_PROP_UINT16("slot", PCIERootPort, slot_nr, 0,
        .description = "with chassis: the name of the slot"),
    DEFINE_PROP_BOOL("hotplug", PCIERootPort, hotplug, true,
        .description = "the guest may be given another card"),
    { }
};

static void port_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    dc->desc = "PCI Express Root Port";
    dc->hotpluggable = false;
    dc->reset = port_reset;
    device_class_set_props(dc, port_props);
    pc->realize = port_realize;
    pc->exit = port_exit;
    pc->config_write = port_write_config;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_PCIE_RP;
    hc->plug = port_plug;
    hc->unplug_request = port_unplug_request;
    hc->unplug = port_unplug;
}

static const TypeInfo port_types[] = {
    {
        .name = TYPE_PCIE_ROOT_PORT,
        .parent = TYPE_PCI_BRIDGE,
        .instance_size = sizeof(PCIERootPort),
        .class_init = port_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    },
};
DEFINE_TYPES(port_types)
