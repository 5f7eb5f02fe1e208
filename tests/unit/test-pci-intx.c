/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt pins of PCI devices: sharing, swizzling, routes, INTx Disable. */
#include "qemu/osdep.h"
#include "pci-world.h"

static void test_intx_shared(void)
{
    World w;
    PCIDevice *a, *b;

    world_init(&w, TYPE_PCI_BUS);
    a = pci_create_simple(w.bus, PCI_DEVFN(4, 0), TYPE_TEST_DEV);
    b = pci_create_simple(w.bus, PCI_DEVFN(8, 0), TYPE_TEST_DEV);
    pci_set_irq(a, 1);
    pci_set_irq(a, 1);
    g_assert_cmpint(w.level[0], ==, 1);
    g_assert_cmpint(w.changes, ==, 1);
    pci_set_irq(b, 1);
    pci_set_irq(a, 0);
    pci_set_irq(a, 0);
    g_assert_cmpint(w.level[0], ==, 1);
    g_assert_cmpint(pci_bus_get_irq_level(w.bus, 0), ==, 1);
    g_assert_cmpint(w.changes, ==, 1);
    pci_set_irq(b, 0);
    g_assert_cmpint(w.level[0], ==, 0);
    g_assert_cmpint(w.changes, ==, 2);
    g_assert_cmpint(pci_bus_get_irq_level(w.bus, 0), ==, 0);
    g_assert_cmpint(pci_bus_get_irq_level(w.bus, 4), ==, 0);
    world_clear(&w);
}

static void test_intx_disable(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, PCI_DEVFN(4, 0), TYPE_TEST_DEV);
    pci_set_irq(d, 1);
    g_assert_cmphex(cfg_read(d, PCI_STATUS, 2), ==, PCI_STATUS_INTERRUPT);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
    g_assert_cmpint(w.level[0], ==, 0);
    /* Status tells of the device, not of the pin. */
    g_assert_cmphex(cfg_read(d, PCI_STATUS, 2), ==, PCI_STATUS_INTERRUPT);
    pci_set_irq(d, 0);
    g_assert_cmphex(cfg_read(d, PCI_STATUS, 2), ==, 0);
    pci_set_irq(d, 1);
    g_assert_cmpint(w.level[0], ==, 0);
    cfg_write(d, PCI_COMMAND + 1, 0, 1);
    g_assert_cmpint(w.level[0], ==, 1);
    pci_set_irq(d, 0);
    g_assert_cmpint(w.level[0], ==, 0);
    g_assert_cmpint(w.changes, ==, 4);
    world_clear(&w);
}

static void test_intx_unplug(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, PCI_DEVFN(4, 0), TYPE_TEST_DEV);
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0000000, 4);
    cfg_write(d, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    pci_set_irq(d, 1);
    qdev_unparent(DEVICE(d));
    g_assert_cmpint(w.level[0], ==, 0);
    g_assert_null(w.bus->devices[PCI_DEVFN(4, 0)]);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0000000, 4), ==, UINT32_MAX);
    g_assert_cmphex(pci_data_read(w.bus, 4 << 11, 4), ==, UINT32_MAX);
    world_clear(&w);
}

static void test_intx_no_pin(void)
{
    World w;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    d = pci_create_simple(w.bus, -1, TYPE_TEST_DEV);
    pci_config_set_interrupt_pin(d->config, 0);
    g_assert_cmpint(pci_intx(d), ==, -1);
    pci_set_irq(d, 1);
    g_assert_cmpint(w.changes, ==, 0);
    pci_config_set_interrupt_pin(d->config, 77);
    g_assert_cmpint(pci_intx(d), ==, -1);
    world_clear(&w);
}

static void test_intx_bridge(void)
{
    World w;
    PCIBus *below;
    PCIDevice *d;

    world_init(&w, TYPE_PCI_BUS);
    new_bridge(&w, PCI_DEVFN(2, 0), &below);
    d = pci_create_simple(below, PCI_DEVFN(3, 0), TYPE_TEST_DEV);
    /* (slot 3 + INTA) of the bridge in slot 2: line 1. */
    pci_set_irq(d, 1);
    g_assert_cmpint(w.level[1], ==, 1);
    g_assert_cmpint(w.changes, ==, 1);
    pci_set_irq(d, 0);
    g_assert_cmpint(w.level[1], ==, 0);
    world_clear(&w);
}

static int shift_by;

static int shifted_map(PCIDevice *dev, int pin)
{
    return (pin + shift_by) % PCI_NUM_PINS;
}

static void test_intx_remap(void)
{
    World w;
    PCIBus *below;
    PCIDevice *a, *b;

    world_init(&w, TYPE_PCI_BUS);
    pci_bus_map_irqs(w.bus, shifted_map);
    shift_by = 0;
    a = pci_create_simple(w.bus, -1, TYPE_TEST_DEV);
    new_bridge(&w, PCI_DEVFN(2, 0), &below);
    b = pci_create_simple(below, 0, TYPE_TEST_DEV);
    pci_set_irq(a, 1);
    pci_set_irq(b, 1);
    g_assert_cmpint(w.level[0], ==, 1);
    shift_by = 2;
    pci_bus_remap_irqs(w.bus);
    g_assert_cmpint(w.level[0], ==, 0);
    g_assert_cmpint(w.level[2], ==, 1);
    pci_set_irq(a, 0);
    g_assert_cmpint(w.level[2], ==, 1);
    pci_set_irq(b, 0);
    g_assert_cmpint(w.level[2], ==, 0);
    world_clear(&w);
}

static int devfn_map(PCIDevice *dev, int pin)
{
    return PCI_SLOT(dev->devfn);
}

static void test_intx_uncounted(void)
{
    World w;
    PCIDevice *a, *b;

    world_init(&w, TYPE_PCI_BUS);
    pci_bus_irqs_uncounted(w.bus, world_set_irq, &w);
    pci_bus_map_irqs(w.bus, devfn_map);
    a = pci_create_simple(w.bus, PCI_DEVFN(6, 0), TYPE_TEST_DEV);
    b = pci_create_simple(w.bus, PCI_DEVFN(7, 0), TYPE_TEST_DEV);
    pci_set_irq(a, 1);
    pci_set_irq(b, 1);
    g_assert_cmpint(w.level[6], ==, 1);
    g_assert_cmpint(w.level[7], ==, 1);
    pci_set_irq(a, 0);
    g_assert_cmpint(w.level[6], ==, 0);
    g_assert_cmpint(w.level[7], ==, 1);
    pci_bus_remap_irqs(w.bus);      /* nothing to count */
    pci_set_irq(b, 0);
    g_assert_cmpint(w.changes, ==, 4);
    world_clear(&w);
}

static PCIINTxRoute test_route(void *opaque, int pin)
{
    return (PCIINTxRoute){ PCI_INTX_ENABLED, 100 + pin };
}

static void test_intx_routing(void)
{
    World w;
    PCIBus *below;
    PCIDevice *a, *b, *c;
    PCIINTxRoute r, s;

    world_init(&w, TYPE_PCI_BUS);
    new_bridge(&w, PCI_DEVFN(2, 0), &below);
    a = pci_create_simple(w.bus, PCI_DEVFN(5, 0), TYPE_TEST_DEV);
    b = pci_create_simple(w.bus, PCI_DEVFN(6, 0), TYPE_TEST_DEV);
    c = pci_create_simple(below, PCI_DEVFN(3, 0), TYPE_TEST_DEV);
    g_assert_cmpint(pci_device_route_intx_to_irq(a, 0).mode, ==,
                    PCI_INTX_DISABLED);
    pci_bus_set_route_irq_fn(w.bus, test_route);
    r = pci_device_route_intx_to_irq(a, 0);
    g_assert_cmpint(r.mode, ==, PCI_INTX_ENABLED);
    g_assert_cmpint(r.irq, ==, 101);
    s = pci_device_route_intx_to_irq(c, 0);
    g_assert_cmpint(s.irq, ==, 101);
    g_assert_false(pci_intx_route_changed(&r, &s));
    s = pci_device_route_intx_to_irq(b, 0);
    g_assert_true(pci_intx_route_changed(&r, &s));

    pci_device_set_intx_routing_notifier(a, test_dev_notified);
    pci_device_set_intx_routing_notifier(c, test_dev_notified);
    pci_bus_fire_intx_routing_notifier(w.bus);
    g_assert_cmpint(TEST_DEV(a)->notified, ==, 1);
    g_assert_cmpint(TEST_DEV(b)->notified, ==, 0);
    g_assert_cmpint(TEST_DEV(c)->notified, ==, 1);
    pci_device_set_intx_routing_notifier(a, NULL);
    pci_bus_fire_intx_routing_notifier(w.bus);
    g_assert_cmpint(TEST_DEV(a)->notified, ==, 1);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_init();
    g_test_add_func("/pci/intx/shared-line-is-the-or", test_intx_shared);
    g_test_add_func("/pci/intx/disable-bit-hides-the-level",
                    test_intx_disable);
    g_test_add_func("/pci/intx/unplug-takes-the-level-along",
                    test_intx_unplug);
    g_test_add_func("/pci/intx/no-pin-no-interrupt", test_intx_no_pin);
    g_test_add_func("/pci/intx/bridges-swizzle", test_intx_bridge);
    g_test_add_func("/pci/intx/level-moves-when-remapped", test_intx_remap);
    g_test_add_func("/pci/intx/uncounted-passes-each-device",
                    test_intx_uncounted);
    g_test_add_func("/pci/intx/routing-notifier-reaches-all",
                    test_intx_routing);
    return g_test_run();
}
