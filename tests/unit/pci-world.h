/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A root bus with spaces of its own and a device with every kind of BAR, for
 * the tests of hw/pci. */
#ifndef TESTS_UNIT_PCI_WORLD_H
#define TESTS_UNIT_PCI_WORLD_H

#include "qemu/bitops.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"

#define TYPE_TEST_DEV "test-pci-dev"        /* conventional, 256 bytes */
#define TYPE_TEST_PCIE_DEV "test-pcie-dev"  /* express, 4 KiB */
#define TYPE_TEST_BRIDGE "test-pci-bridge"
#define TYPE_TEST_BROKEN "test-pci-broken"  /* cannot be realized */

#define BAR0_SIZE 0x1000            /* memory, 32 bits */
#define BAR1_SIZE 0x4               /* I/O, the smallest there is */
#define BAR2_SIZE 0x100000          /* memory, 64 bits, prefetchable */

typedef struct TestDev {
    PCIDevice parent_obj;
    MemoryRegion bar0, bar1, bar2;
    int resets, notified;
} TestDev;

static inline TestDev *TEST_DEV(PCIDevice *dev)
{
    return (TestDev *)dev;
}

typedef struct World {
    MemoryRegion mem, io;
    AddressSpace mem_as, io_as;
    PCIBus *bus;
    int level[8], changes;
} World;

/* BARs read as their number. */
static uint64_t bar_read(void *opaque, hwaddr addr, unsigned size)
{
    return GPOINTER_TO_UINT(opaque);
}

static void bar_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
}

static const MemoryRegionOps bar_ops = {
    .read = bar_read,
    .write = bar_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static bool test_dev_realize(PCIDevice *dev, Error **errp)
{
    TestDev *t = TEST_DEV(dev);

    memory_region_init_io(&t->bar0, OBJECT(dev), &bar_ops,
                          GUINT_TO_POINTER(0xb0), "bar0", BAR0_SIZE);
    memory_region_init_io(&t->bar1, OBJECT(dev), &bar_ops,
                          GUINT_TO_POINTER(0xb1), "bar1", BAR1_SIZE);
    memory_region_init_io(&t->bar2, OBJECT(dev), &bar_ops,
                          GUINT_TO_POINTER(0xb2), "bar2", BAR2_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &t->bar0);
    pci_register_bar(dev, 1, PCI_BASE_ADDRESS_SPACE_IO, &t->bar1);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &t->bar2);
    pci_config_set_interrupt_pin(dev->config, 1);
    return true;
}

static void test_dev_exit(PCIDevice *dev)
{
    TestDev *t = TEST_DEV(dev);

    msix_uninit(dev);
    memory_region_finalize(&t->bar0);
    memory_region_finalize(&t->bar1);
    memory_region_finalize(&t->bar2);
}

/* What another CPU does while the next device to be reset has given up the
 * lock, as a proxy does. */
static void (*test_dev_meanwhile)(void);

static void test_dev_reset(DeviceState *dev)
{
    void (*meanwhile)(void) = test_dev_meanwhile;

    TEST_DEV(PCI_DEVICE(dev))->resets++;
    pci_irq_deassert(PCI_DEVICE(dev));
    test_dev_meanwhile = NULL;
    if (meanwhile) {
        meanwhile();
    }
}

/* An INTx routing notifier that counts. */
static inline void test_dev_notified(PCIDevice *dev)
{
    TEST_DEV(dev)->notified++;
}

static void test_dev_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    DEVICE_CLASS(klass)->reset = test_dev_reset;
    pc->realize = test_dev_realize;
    pc->exit = test_dev_exit;
    pc->vendor_id = 0x1234;
    pc->device_id = 0x5678;
    pc->revision = 9;
    pc->class_id = 0x0100;
}

static bool bridge_realize(PCIDevice *dev, Error **errp)
{
    PCIBus *above = pci_get_bus(dev);
    PCIBus *bus = PCI_BUS(qbus_new(TYPE_PCI_BUS, DEVICE(dev), "below"));

    bus->parent_dev = dev;
    bus->address_space_mem = above->address_space_mem;
    bus->address_space_io = above->address_space_io;
    return true;
}

static void bridge_class_init(ObjectClass *klass, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = bridge_realize;
    pc->is_bridge = true;
    pc->class_id = 0x0604;
}

static bool broken_realize(PCIDevice *dev, Error **errp)
{
    test_dev_realize(dev, errp);
    test_dev_exit(dev);
    error_setg(errp, "broken on purpose");
    return false;
}

static void broken_class_init(ObjectClass *klass, void *data)
{
    PCI_DEVICE_CLASS(klass)->realize = broken_realize;
}

static const InterfaceInfo conventional[] = {
    { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
};
static const InterfaceInfo express[] = { { INTERFACE_PCIE_DEVICE }, { } };

static const TypeInfo test_types[] = {
    {
        .name = TYPE_TEST_DEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(TestDev),
        .class_init = test_dev_class_init,
        .interfaces = conventional,
    }, {
        .name = TYPE_TEST_PCIE_DEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(TestDev),
        .class_init = test_dev_class_init,
        .interfaces = express,
    }, {
        .name = TYPE_TEST_BRIDGE,
        .parent = TYPE_PCI_DEVICE,
        .class_init = bridge_class_init,
        .interfaces = conventional,
    }, {
        .name = TYPE_TEST_BROKEN,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(TestDev),
        .class_init = broken_class_init,
        .interfaces = conventional,
    },
};
DEFINE_TYPES(test_types)

static inline void world_set_irq(void *opaque, int irq, int level)
{
    World *w = opaque;

    w->level[irq] = level;
    w->changes++;
}

static inline void world_init(World *w, const char *bus_type)
{
    memset(w, 0, sizeof(*w));
    memory_region_init(&w->mem, NULL, "mem", UINT64_MAX);
    memory_region_init(&w->io, NULL, "io", 0x10000);
    address_space_init(&w->mem_as, &w->mem, "mem");
    address_space_init(&w->io_as, &w->io, "io");
    w->bus = pci_root_bus_new(NULL, "pci.test", &w->mem, &w->io, 0, bus_type);
    w->bus->dma_as = &w->mem_as;
    qbus_realize(&w->bus->qbus, &error_abort);
    pci_bus_irqs(w->bus, world_set_irq, w, PCI_NUM_PINS);
}

static inline void world_clear(World *w)
{
    int i;

    for (i = 0; i < PCI_DEVFN_MAX; i++) {
        if (w->bus->devices[i]) {
            qdev_unparent(DEVICE(w->bus->devices[i]));
        }
    }
    object_unref(w->bus);
    address_space_destroy(&w->mem_as);
    address_space_destroy(&w->io_as);
    memory_region_finalize(&w->mem);
    memory_region_finalize(&w->io);
}

/* -- The guest's side ----------------------------------------------------- */

static inline uint32_t cfg_read(PCIDevice *d, uint32_t reg, int len)
{
    return pci_host_config_read_common(d, reg, len);
}

static inline void cfg_write(PCIDevice *d, uint32_t reg, uint32_t val, int len)
{
    pci_host_config_write_common(d, reg, val, len);
}

static inline uint32_t as_read(AddressSpace *as, hwaddr addr, int len)
{
    uint32_t v = 0;

    address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, &v, len);
    return v;
}

static inline void as_write(AddressSpace *as, hwaddr addr, uint32_t v, int len)
{
    address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED, &v, len);
}

static inline PCIDevice *new_bridge(World *w, int devfn, PCIBus **below)
{
    PCIDevice *bridge = pci_create_simple(w->bus, devfn, TYPE_TEST_BRIDGE);

    *below = PCI_BUS(QTAILQ_FIRST(&DEVICE(bridge)->child_bus));
    return bridge;
}

#endif
