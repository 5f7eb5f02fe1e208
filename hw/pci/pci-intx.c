/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INTx pins: from a device's level, through the swizzles of the bridges above
 * it, to a line of the root bus; and where the chipset routes that line.
 *
 * PCI Local Bus 3.0, 2.2.6, 6.2.2 (Interrupt Disable), 6.2.3 (Interrupt
 * Status); PCI-to-PCI Bridge 1.2, 9.1.
 */
#include "qemu/osdep.h"
#include "pci-internal.h"

/* -- Levels -------------------------------------------------------------- */

/* The root bus's name for a device's pin; *@bus becomes the root bus. */
static int root_irq(PCIDevice *dev, int pin, PCIBus **bus)
{
    for (;;) {
        *bus = pci_get_bus(dev);
        if ((*bus)->map_irq) {
            pin = (*bus)->map_irq(dev, pin);
        } else {
            pin = pci_swizzle(PCI_SLOT(dev->devfn), pin);
        }
        if (!(*bus)->parent_dev) {
            return pin;
        }
        dev = (*bus)->parent_dev;
    }
}

static void change_level(PCIDevice *dev, int pin, bool level)
{
    PCIBus *bus;
    int irq = root_irq(dev, pin, &bus);

    if (!bus->set_irq || irq < 0) {
        return;
    }
    if (!bus->irq_count) {
        bus->set_irq(bus->irq_opaque, irq, level);
        return;
    }
    if (irq >= bus->nirq) {
        return;
    }
    bus->irq_count[irq] += level ? 1 : -1;
    if (bus->irq_count[irq] == level) {     /* the first up, the last down */
        bus->set_irq(bus->irq_opaque, irq, level);
    }
}

void pci_update_intx(PCIDevice *dev)
{
    bool drive = dev->intx_level && !pci_irq_disabled(dev);
    int pin = pci_intx(dev);

    if (dev->intx_level) {
        dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    } else {
        dev->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
    }
    if (drive != dev->intx_driven && pin >= 0) {
        dev->intx_driven = drive;
        change_level(dev, pin, drive);
    }
}

void pci_set_irq(PCIDevice *dev, int level)
{
    if (dev->intx_level != !!level) {
        dev->intx_level = level;
        pci_update_intx(dev);
    }
}

int pci_intx(PCIDevice *dev)
{
    uint8_t pin = dev->config[PCI_INTERRUPT_PIN];

    return pin <= PCI_NUM_PINS ? pin - 1 : -1;
}

bool pci_irq_disabled(PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
}

/* -- The bus's side ------------------------------------------------------ */

void pci_bus_irqs(PCIBus *bus, pci_set_irq_fn set_irq, void *opaque, int nirq)
{
    g_free(bus->irq_count);
    bus->set_irq = set_irq;
    bus->irq_opaque = opaque;
    bus->nirq = nirq;
    bus->irq_count = g_new0(int, nirq);
}

void pci_bus_irqs_uncounted(PCIBus *bus, pci_set_irq_fn set_irq, void *opaque)
{
    g_clear_pointer(&bus->irq_count, g_free);
    bus->set_irq = set_irq;
    bus->irq_opaque = opaque;
    bus->nirq = 0;
}

void pci_bus_map_irqs(PCIBus *bus, pci_map_irq_fn map_irq)
{
    bus->map_irq = map_irq;
}

void pci_bus_set_route_irq_fn(PCIBus *bus, pci_route_irq_fn fn)
{
    bus->route_intx_to_irq = fn;
}

static void count_one(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    PCIBus *root;
    int irq;

    if (dev->intx_driven) {
        irq = root_irq(dev, pci_intx(dev), &root);
        if (irq >= 0 && irq < root->nirq) {
            root->irq_count[irq]++;
        }
    }
}

static PCIBus *count_below(PCIBus *bus, void *opaque)
{
    pci_for_each_device(bus, count_one, NULL);
    pci_each_child_bus(bus, count_below, NULL);
    return NULL;
}

void pci_bus_remap_irqs(PCIBus *bus)
{
    g_autofree int *before = bus->irq_count;
    int i;

    assert(pci_bus_is_root(bus));
    if (!before) {
        return;
    }
    bus->irq_count = g_new0(int, bus->nirq);
    count_below(bus, NULL);
    for (i = 0; i < bus->nirq; i++) {
        if (!before[i] != !bus->irq_count[i]) {
            bus->set_irq(bus->irq_opaque, i, bus->irq_count[i] > 0);
        }
    }
}

int pci_bus_get_irq_level(PCIBus *bus, int irq_num)
{
    return bus->irq_count && irq_num >= 0 && irq_num < bus->nirq &&
           bus->irq_count[irq_num] > 0;
}

/* -- Routing ------------------------------------------------------------- */

PCIINTxRoute pci_device_route_intx_to_irq(PCIDevice *dev, int pin)
{
    PCIBus *bus;
    int irq = root_irq(dev, pin, &bus);

    if (!bus->route_intx_to_irq) {
        return (PCIINTxRoute){ PCI_INTX_DISABLED, -1 };
    }
    return bus->route_intx_to_irq(bus->irq_opaque, irq);
}

bool pci_intx_route_changed(const PCIINTxRoute *a, const PCIINTxRoute *b)
{
    return a->mode != b->mode || a->irq != b->irq;
}

void pci_device_set_intx_routing_notifier(PCIDevice *dev,
                                          PCIINTxRoutingNotifier notifier)
{
    dev->intx_routing_notifier = notifier;
}

static void notify_one(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    if (dev->intx_routing_notifier) {
        dev->intx_routing_notifier(dev);
    }
}

static PCIBus *notify_below(PCIBus *bus, void *opaque)
{
    pci_bus_fire_intx_routing_notifier(bus);
    return NULL;
}

void pci_bus_fire_intx_routing_notifier(PCIBus *bus)
{
    pci_for_each_device(bus, notify_one, NULL);
    pci_each_child_bus(bus, notify_below, NULL);
}
