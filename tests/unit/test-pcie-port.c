/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bridges' windows, and root ports with their hot-plug slots.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "pci-world.h"

#define EXP 0x40                        /* where a port's capability is */
#define SLTCTL (EXP + PCI_EXP_SLTCTL)
#define SLTSTA (EXP + PCI_EXP_SLTSTA)
#define LNKSTA (EXP + PCI_EXP_LNKSTA)
#define SLOT_OFF (PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF)
#define SLOT_ON PCI_EXP_SLTCTL_PWR_IND_ON

static MSIMessage last_msg;
static int messages;

static void record(MSIMessage msg)
{
    last_msg = msg;
    messages++;
}

static PCIDevice *port_new(World *w, int chassis, Error **errp)
{
    PCIDevice *d = pci_new(-1, "pcie-root-port");

    qdev_prop_set_uint8(DEVICE(d), "chassis", chassis);
    return pci_realize_and_unref(d, w->bus, errp) ? d : NULL;
}

static PCIBus *below(PCIDevice *port)
{
    return PCI_BRIDGE(port)->sec_bus;
}

/* The windows: memory 0xe0000000, prefetchable 0x800000000, I/O 0xc000. */
static void port_program(PCIDevice *port)
{
    cfg_write(port, PCI_PRIMARY_BUS, 0x00010100, 4);
    cfg_write(port, PCI_MEMORY_BASE, 0xe010e000, 4);
    cfg_write(port, PCI_PREF_MEMORY_BASE, 0x00f00000, 4);
    cfg_write(port, PCI_PREF_BASE_UPPER32, 8, 4);
    cfg_write(port, PCI_PREF_LIMIT_UPPER32, 8, 4);
    cfg_write(port, PCI_IO_BASE, 0xc0c0, 2);
    cfg_write(port, PCI_COMMAND, 7, 2);
}

static void dev_program(PCIDevice *d)
{
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0001000, 4);
    cfg_write(d, PCI_BASE_ADDRESS_1, 0xc010, 4);
    cfg_write(d, PCI_BASE_ADDRESS_2, 0x00100000, 4);
    cfg_write(d, PCI_BASE_ADDRESS_3, 8, 4);
    cfg_write(d, PCI_COMMAND, 7, 2);
}

static void test_windows(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    d = pci_create_simple(below(port), 0, TYPE_TEST_PCIE_DEV);
    device_cold_reset(DEVICE(port));
    dev_program(d);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001000, 4), ==, UINT32_MAX);
    port_program(port);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0001000, 4), ==, 0xb0);
    g_assert_cmphex(as_read(&w.mem_as, 0x800100000, 4), ==, 0xb2);
    g_assert_cmphex(as_read(&w.io_as, 0xc010, 4), ==, 0xb1);
    g_assert_cmphex(pci_requester_id(d), ==, 0x100);
    g_assert_cmphex(d->requester_id, ==, 0x100);

    /* Outside of the window is outside of the bridge. */
    cfg_write(d, PCI_BASE_ADDRESS_0, 0xe0200000, 4);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0200000, 4), ==, UINT32_MAX);
    cfg_write(port, PCI_MEMORY_LIMIT, 0xe020, 2);
    g_assert_cmphex(as_read(&w.mem_as, 0xe0200000, 4), ==, 0xb0);
    cfg_write(port, PCI_MEMORY_BASE, 0xe0f0, 2);        /* base > limit */
    g_assert_cmphex(as_read(&w.mem_as, 0xe0200000, 4), ==, UINT32_MAX);
    cfg_write(port, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    g_assert_cmphex(as_read(&w.io_as, 0xc010, 4), ==, UINT32_MAX);
    /* The whole of the space does not wrap to nothing or worse. */
    cfg_write(port, PCI_PREF_MEMORY_BASE, 0xfff00000, 4);
    cfg_write(port, PCI_PREF_BASE_UPPER32, 0, 4);
    cfg_write(port, PCI_PREF_LIMIT_UPPER32, UINT32_MAX, 4);
    g_assert_cmphex(as_read(&w.mem_as, 0x800100000, 4), ==, 0xb2);

    device_cold_reset(DEVICE(port));
    g_assert_cmphex(as_read(&w.mem_as, 0x800100000, 4), ==, UINT32_MAX);
    world_clear(&w);
}

static void test_secondary_reset(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    d = pci_create_simple(below(port), 0, TYPE_TEST_PCIE_DEV);
    device_cold_reset(DEVICE(port));
    TEST_DEV(d)->resets = 0;
    dev_program(d);
    cfg_write(port, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    g_assert_cmpint(TEST_DEV(d)->resets, ==, 1);
    g_assert_cmphex(cfg_read(d, PCI_COMMAND, 2), ==, 0);
    cfg_write(port, PCI_BRIDGE_CONTROL, 0, 2);
    g_assert_cmpint(TEST_DEV(d)->resets, ==, 1);
    world_clear(&w);
}

static PCIDevice *ejected_port;

static void switch_off(void)
{
    cfg_write(ejected_port, SLTCTL, SLOT_OFF, 2);
    /* The model that is at work goes when it has done that. */
    g_assert_nonnull(below(ejected_port)->devices[0]);
    g_assert_null(below(ejected_port)->devices[1]);
    g_assert_null(below(ejected_port)->devices[2]);
}

/* A slot of three functions; resets of the first give up the lock. */
static PCIDevice *full_port(World *w)
{
    PCIDevice *port = port_new(w, 1, &error_abort);

    for (int fn = 0; fn < 3; fn++) {
        PCIDevice *d = pci_new_multifunction(PCI_DEVFN(0, fn),
                                             TYPE_TEST_PCIE_DEV);

        pci_realize_and_unref(d, below(port), &error_abort);
    }
    bus_cold_reset(&w->bus->qbus);
    cfg_write(port, SLTCTL, SLOT_ON, 2);
    ejected_port = port;
    test_dev_meanwhile = switch_off;
    return port;
}

static void assert_empty(PCIDevice *port)
{
    for (int fn = 0; fn < 3; fn++) {
        g_assert_null(below(port)->devices[fn]);
    }
    g_assert_cmphex(cfg_read(port, SLTSTA, 2) & PCI_EXP_SLTSTA_PDS, ==, 0);
}

static void test_ejected_in_reset(void)
{
    World w;
    PCIDevice *port;

    world_init(&w, TYPE_PCIE_BUS);
    port = full_port(&w);
    cfg_write(port, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    assert_empty(port);
    world_clear(&w);

    /* Power goes, by which each is reset; the indicator stays. */
    world_init(&w, TYPE_PCIE_BUS);
    port = full_port(&w);
    cfg_write(port, SLTCTL, SLOT_ON | PCI_EXP_SLTCTL_PCC, 2);
    assert_empty(port);
    world_clear(&w);

    world_init(&w, TYPE_PCIE_BUS);
    port = full_port(&w);
    bus_cold_reset(&w.bus->qbus);
    assert_empty(port);
    world_clear(&w);
}

static void port_leaves(void)
{
    qdev_unplug_complete(DEVICE(ejected_port));
    g_assert_nonnull(below(ejected_port)->devices[0]);
}

static void test_port_leaves_in_reset(void)
{
    World w;
    PCIDevice *port;

    world_init(&w, TYPE_PCIE_BUS);
    port = full_port(&w);
    test_dev_meanwhile = port_leaves;
    cfg_write(port, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    g_assert_null(w.bus->devices[0]);
    port = full_port(&w);
    test_dev_meanwhile = port_leaves;
    bus_cold_reset(&w.bus->qbus);
    g_assert_null(w.bus->devices[0]);
    world_clear(&w);
}

static void test_intx_through(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);       /* slot 0 */
    d = pci_create_simple(below(port), 0, TYPE_TEST_PCIE_DEV);
    pci_set_irq(d, 1);
    g_assert_cmpint(w.level[0], ==, 1);
    qdev_unparent(DEVICE(d));
    g_assert_cmpint(w.level[0], ==, 0);
    world_clear(&w);
}

static void test_slot_after_reset(void)
{
    World w;
    PCIDevice *full, *empty;

    world_init(&w, TYPE_PCIE_BUS);
    full = port_new(&w, 1, &error_abort);
    empty = port_new(&w, 2, &error_abort);
    pci_create_simple(below(full), 0, TYPE_TEST_PCIE_DEV);
    bus_cold_reset(&w.bus->qbus);
    g_assert_cmphex(cfg_read(full, SLTSTA, 2), ==, PCI_EXP_SLTSTA_PDS);
    g_assert_cmphex(cfg_read(full, SLTCTL, 2) & SLOT_OFF, ==, SLOT_ON);
    g_assert_cmphex(cfg_read(full, LNKSTA, 2) & PCI_EXP_LNKSTA_DLLLA, !=, 0);
    g_assert_cmphex(cfg_read(empty, SLTSTA, 2), ==, 0);
    g_assert_cmphex(cfg_read(empty, SLTCTL, 2) & SLOT_OFF, ==, SLOT_OFF);
    g_assert_cmphex(cfg_read(empty, LNKSTA, 2) & PCI_EXP_LNKSTA_DLLLA, ==, 0);
    g_assert_cmphex(cfg_read(full, EXP + PCI_EXP_FLAGS, 2), ==, 0x0142);
    world_clear(&w);
}

static PCIDevice *plug(PCIDevice *port)
{
    PCIDevice *d = pci_new(0, TYPE_TEST_PCIE_DEV);

    DEVICE(d)->hotplugged = true;
    pci_realize_and_unref(d, below(port), &error_abort);
    return d;
}

static void leaves_before_it_is_there(void)
{
    qdev_unplug_complete(DEVICE(below(ejected_port)->devices[0]));
}

static void test_ejected_while_plugged(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    bus_cold_reset(&w.bus->qbus);
    ejected_port = port;
    test_dev_meanwhile = leaves_before_it_is_there;
    d = plug(port);
    g_assert_null(test_dev_meanwhile);
    g_assert_true(below(port)->devices[0] == d);
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));
    g_assert_null(below(port)->devices[0]);
    world_clear(&w);
}

/* As an operating system does it, up to the device being there. */
static void test_plug(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    bus_cold_reset(&w.bus->qbus);
    cfg_write(port, SLTCTL, SLOT_OFF | PCI_EXP_SLTCTL_HPIE |
              PCI_EXP_SLTCTL_PDCE, 2);
    d = plug(port);
    g_assert_cmphex(cfg_read(port, SLTSTA, 2), ==, PCI_EXP_SLTSTA_PDS |
                    PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_ABP);
    g_assert_cmpint(w.level[0], ==, 1);
    g_assert_cmphex(cfg_read(d, 0, 4), ==, UINT32_MAX);     /* no power yet */
    cfg_write(port, SLTSTA, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_ABP, 2);
    g_assert_cmpint(w.level[0], ==, 0);
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK, 2);
    g_assert_cmphex(cfg_read(d, 0, 4), ==, 0x56781234);
    g_assert_cmphex(cfg_read(port, LNKSTA, 2) & PCI_EXP_LNKSTA_DLLLA, !=, 0);
    g_assert_cmphex(cfg_read(port, SLTSTA, 2), ==,
                    PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_DLLSC);
    world_clear(&w);
}

static void test_plug_by_msix(void)
{
    World w;
    PCIDevice *port;

    msi_nonbroken = true;
    msi_set_sender(record);
    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    bus_cold_reset(&w.bus->qbus);
    cfg_write(port, PCI_BASE_ADDRESS_0, 0xd0000000, 4);
    cfg_write(port, PCI_COMMAND, 7, 2);
    as_write(&w.mem_as, 0xd0000000, 0xfee00000, 4);
    as_write(&w.mem_as, 0xd0000008, 0x31, 4);
    as_write(&w.mem_as, 0xd000000c, 0, 4);
    cfg_write(port, port->msix_cap + 2, PCI_MSIX_FLAGS_ENABLE, 2);
    cfg_write(port, SLTCTL, SLOT_OFF | PCI_EXP_SLTCTL_HPIE |
              PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_ABPE, 2);
    messages = 0;
    plug(port);
    g_assert_cmpint(messages, ==, 1);
    g_assert_cmphex(last_msg.data, ==, 0x31);
    g_assert_cmpint(w.level[0], ==, 0);
    /* One message until the events are cleared. */
    cfg_write(port, SLTCTL + 1, 0, 1);
    g_assert_cmpint(messages, ==, 1);
    world_clear(&w);
    msi_nonbroken = false;
}

static PCIDevice *occupied_port(World *w, PCIDevice **d)
{
    PCIDevice *port = port_new(w, 1, &error_abort);

    *d = pci_create_simple(below(port), 0, TYPE_TEST_PCIE_DEV);
    bus_cold_reset(&w->bus->qbus);
    cfg_write(port, SLTCTL, SLOT_ON | PCI_EXP_SLTCTL_HPIE |
              PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE, 2);
    return port;
}

static void test_unplug(void)
{
    World w;
    PCIDevice *port, *d;
    Error *err = NULL;

    world_init(&w, TYPE_PCIE_BUS);
    port = occupied_port(&w, &d);
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));
    g_assert_cmphex(cfg_read(port, SLTSTA, 2), ==,
                    PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_ABP);
    g_assert_cmpint(w.level[0], ==, 1);
    g_assert_true(below(port)->devices[0] == d);
    g_assert_false(qdev_unplug(DEVICE(d), &err));       /* it was asked */
    g_clear_pointer(&err, error_free);

    cfg_write(port, SLTSTA, PCI_EXP_SLTSTA_ABP, 2);
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK, 2);
    g_assert_true(below(port)->devices[0] == d);
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK | PCI_EXP_SLTCTL_PCC,
              2);
    g_assert_cmphex(cfg_read(d, 0, 4), ==, UINT32_MAX);
    g_assert_true(below(port)->devices[0] == d);
    cfg_write(port, SLTCTL, SLOT_OFF, 2);
    g_assert_null(below(port)->devices[0]);
    g_assert_cmphex(cfg_read(port, SLTSTA, 2) & PCI_EXP_SLTSTA_PDS, ==, 0);
    world_clear(&w);
}

static void test_unplug_busy(void)
{
    World w;
    PCIDevice *port, *d;
    Error *err = NULL;

    world_init(&w, TYPE_PCIE_BUS);
    port = occupied_port(&w, &d);
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK, 2);
    g_assert_false(qdev_unplug(DEVICE(d), &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "busy"));
    error_free(err);
    g_assert_true(below(port)->devices[0] == d);
    cfg_write(port, SLTCTL, SLOT_ON, 2);
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));
    world_clear(&w);
}

static unsigned kept;

static void count_kept(const char *id, const char *path)
{
    kept++;
}

static void test_unplug_taken_back(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = occupied_port(&w, &d);
    qdev_kept_hook = count_kept;
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK, 2);
    cfg_write(port, SLTCTL, SLOT_ON, 2);
    g_assert_cmpuint(kept, ==, 0);              /* nobody asked */
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK, 2);
    g_assert_cmpuint(kept, ==, 0);
    cfg_write(port, SLTCTL, SLOT_ON, 2);
    g_assert_cmpuint(kept, ==, 1);
    g_assert_true(below(port)->devices[0] == d);
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));    /* at once */
    cfg_write(port, SLTCTL, PCI_EXP_SLTCTL_PWR_IND_BLINK, 2);
    cfg_write(port, SLTCTL, SLOT_OFF, 2);
    g_assert_cmpuint(kept, ==, 1);
    g_assert_null(below(port)->devices[0]);
    qdev_kept_hook = NULL;
    world_clear(&w);
}

static void test_unplug_off_or_reset(void)
{
    World w;
    PCIDevice *port, *d;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    bus_cold_reset(&w.bus->qbus);
    d = plug(port);                     /* the slot has no power */
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));
    g_assert_null(below(port)->devices[0]);
    world_clear(&w);

    world_init(&w, TYPE_PCIE_BUS);
    port = occupied_port(&w, &d);
    g_assert_true(qdev_unplug(DEVICE(d), &error_abort));
    bus_cold_reset(&w.bus->qbus);
    g_assert_null(below(port)->devices[0]);
    g_assert_cmphex(cfg_read(port, SLTSTA, 2), ==, 0);
    world_clear(&w);
}

static void test_places(void)
{
    World w;
    PCIDevice *port, *d;
    Error *err = NULL;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    g_assert_null(port_new(&w, 1, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "chassis 1 slot 0"));
    g_clear_pointer(&err, error_free);
    d = pci_new(PCI_DEVFN(1, 0), TYPE_TEST_PCIE_DEV);
    g_assert_false(pci_realize_and_unref(d, below(port), &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "has no slot 1"));
    g_clear_pointer(&err, error_free);
    world_clear(&w);

    world_init(&w, TYPE_PCI_BUS);
    g_assert_null(port_new(&w, 1, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "no PCI Express root bus"));
    error_free(err);
    world_clear(&w);
}

/* A guest may write anything to a port, occupied or not. */
static void test_nonsense(void)
{
    World w;
    PCIDevice *port;
    int i;

    world_init(&w, TYPE_PCIE_BUS);
    port = port_new(&w, 1, &error_abort);
    bus_cold_reset(&w.bus->qbus);
    for (i = 0; i < 20000; i++) {
        int len = 1 << g_test_rand_int_range(0, 3);

        cfg_write(port, g_test_rand_int_range(0, 0x104), g_test_rand_int(),
                  len);
        if (i % 64 == 0 && !below(port)->devices[0]) {
            plug(port);
        }
    }
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_init();
    g_test_add_func("/pcie-port/windows", test_windows);
    g_test_add_func("/pcie-port/secondary-bus-reset", test_secondary_reset);
    g_test_add_func("/pcie-port/ejected-while-it-is-reset",
                    test_ejected_in_reset);
    g_test_add_func("/pcie-port/leaves-while-its-bus-is-reset",
                    test_port_leaves_in_reset);
    g_test_add_func("/pcie-port/ejected-while-it-is-plugged",
                    test_ejected_while_plugged);
    g_test_add_func("/pcie-port/intx-passes-through", test_intx_through);
    g_test_add_func("/pcie-port/slot-after-reset", test_slot_after_reset);
    g_test_add_func("/pcie-port/plug", test_plug);
    g_test_add_func("/pcie-port/plug-by-msix", test_plug_by_msix);
    g_test_add_func("/pcie-port/unplug-when-guest-switches-off", test_unplug);
    g_test_add_func("/pcie-port/unplug-refused-while-busy", test_unplug_busy);
    g_test_add_func("/pcie-port/unplug-taken-back-by-the-guest",
                    test_unplug_taken_back);
    g_test_add_func("/pcie-port/unplug-at-once-when-unused",
                    test_unplug_off_or_reset);
    g_test_add_func("/pcie-port/places", test_places);
    g_test_add_func("/pcie-port/any-config-write-is-survived", test_nonsense);
    return g_test_run();
}
