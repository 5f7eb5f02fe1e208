/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-testdev: counts accesses, with and without an eventfd in between.
 *
 * BAR 0 is memory, BAR 1 is I/O space.  Each begins with a header (little
 * endian): a guest writes a test's number to byte 0, reads from the header
 * which access the test wants (width, offset, data) and makes it; the header
 * counts the right ones.  A width of 0 says that there is no such test.
 * Registers as in upstream's docs/specs/pci-testdev.  membar=SIZE adds an
 * empty memory BAR 2 of that size.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "migration/vmstate.h"
#include "qemu/aio.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"

#define TYPE_PCI_TESTDEV "pci-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(PCITestDev, PCI_TESTDEV)

#define TESTDEV_MEM_SIZE 2048
#define TESTDEV_IO_SIZE 256
#define TESTDEV_DATA 0xfa       /* what every test wants to be written */

/* The header, by the offsets of its fields. */
enum {
    HEADER_TEST = 0,           /* written: begins a test */
    HEADER_WIDTH = 1,
    HEADER_OFFSET = 4,
    HEADER_DATA = 8,
    HEADER_COUNT = 12,
    HEADER_NAME = 16,
    HEADER_SIZE = 64,
};

typedef enum TestKind { NO_EVENTFD, WILDCARD, DATAMATCH, NUM_TESTS } TestKind;
static const char *const test_names[NUM_TESTS] = {
    "no-eventfd", "wildcard-eventfd", "datamatch-eventfd",
};

typedef struct TestBar {
    MemoryRegion mr;
    PCITestDev *dev;
    EventNotifier hit[NUM_TESTS];   /* of the two kinds that have one */
    const char *prefix;
} TestBar;

struct PCITestDev {
    PCIDevice parent_obj;
    TestBar bar[2];
    MemoryRegion membar;
    uint64_t membar_size;       /* property, bytes */
    struct {
        uint32_t test[2];       /* under way in each BAR; NUM_TESTS: none */
        uint32_t count[2];
    } regs;
};

static const VMStateDescription vmstate_testdev = {
    .name = "pci-testdev",
    .version_id = 1,
    .fields = (const VMStateField[]){
        VMSTATE_UINT_ARRAY(regs.test, PCITestDev),
        VMSTATE_UINT_ARRAY(regs.count, PCITestDev),
        VMSTATE_END_OF_LIST()
    },
};

static int bar_nr(const TestBar *bar)
{
    return bar - bar->dev->bar;
}

static hwaddr test_offset(TestKind kind)
{
    return HEADER_SIZE + kind * sizeof(uint32_t);
}

static void fill_header(TestBar *bar, uint8_t *header)
{
    uint32_t test = bar->dev->regs.test[bar_nr(bar)];

    memset(header, 0, HEADER_SIZE);
    header[HEADER_TEST] = test;
    if (test < NUM_TESTS) {
        header[HEADER_WIDTH] = 1;
        stl_le_p(header + HEADER_OFFSET, test_offset(test));
        stl_le_p(header + HEADER_DATA, TESTDEV_DATA);
        stl_le_p(header + HEADER_COUNT, bar->dev->regs.count[bar_nr(bar)]);
        snprintf((char *)header + HEADER_NAME,
                 HEADER_SIZE - HEADER_NAME, "%s-%s", bar->prefix,
                 test_names[test]);
    }
}

static uint64_t testdev_read(void *opaque, hwaddr addr, unsigned size)
{
    uint8_t header[HEADER_SIZE];

    if (addr > sizeof(header) - size) {
        return 0;
    }
    fill_header(opaque, header);
    return ldn_le_p(header + addr, size);
}

static void testdev_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    TestBar *bar = opaque;
    uint32_t *test = &bar->dev->regs.test[bar_nr(bar)];
    uint32_t *count = &bar->dev->regs.count[bar_nr(bar)];

    if (addr == HEADER_TEST) {
        *test = MIN(val & 0xff, NUM_TESTS);
        *count = 0;
    } else if (*test < NUM_TESTS && addr == test_offset(*test) && size == 1 &&
               val == TESTDEV_DATA) {
        (*count)++;
    }
}

static void count_hit(TestBar *bar, EventNotifier *e, TestKind kind)
{
    if (event_notifier_test_and_clear(e) &&
        bar->dev->regs.test[bar_nr(bar)] == kind) {
        bar->dev->regs.count[bar_nr(bar)]++;
    }
}

static void wildcard_hit(EventNotifier *e)
{
    count_hit(container_of(e, TestBar, hit[WILDCARD]), e, WILDCARD);
}

static void datamatch_hit(EventNotifier *e)
{
    count_hit(container_of(e, TestBar, hit[DATAMATCH]), e, DATAMATCH);
}

static const MemoryRegionOps testdev_ops = {
    .read = testdev_read,
    .write = testdev_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

static bool bar_init(PCITestDev *d, int nr, const char *prefix, uint64_t size,
                     Error **errp)
{
    AioContext *ctx = qdev_get_context(DEVICE(d));
    TestBar *bar = &d->bar[nr];

    bar->dev = d;
    bar->prefix = prefix;
    for (TestKind kind = WILDCARD; kind < NUM_TESTS; kind++) {
        int ret = event_notifier_init(&bar->hit[kind], false);

        if (ret < 0) {
            error_setg_errno(errp, -ret, "eventfd");
            return false;
        }
    }
    memory_region_init_io(&bar->mr, OBJECT(d), &testdev_ops, bar, prefix,
                          size);
    memory_region_add_eventfd(&bar->mr, test_offset(WILDCARD), 1, false, 0,
                              &bar->hit[WILDCARD]);
    memory_region_add_eventfd(&bar->mr, test_offset(DATAMATCH), 1, true,
                              TESTDEV_DATA, &bar->hit[DATAMATCH]);
    aio_set_event_notifier(ctx, &bar->hit[WILDCARD], wildcard_hit);
    aio_set_event_notifier(ctx, &bar->hit[DATAMATCH], datamatch_hit);
    pci_register_bar(&d->parent_obj, nr,
                     nr ? PCI_BASE_ADDRESS_SPACE_IO : 0, &bar->mr);
    return true;
}

static void testdev_exit(PCIDevice *pci_dev)
{
    PCITestDev *d = PCI_TESTDEV(pci_dev);
    AioContext *ctx = qdev_get_context(DEVICE(d));

    for (int nr = 0; nr < 2; nr++) {
        for (TestKind kind = WILDCARD; kind < NUM_TESTS; kind++) {
            if (d->bar[nr].hit[kind].fd >= 0) {
                aio_set_event_notifier(ctx, &d->bar[nr].hit[kind], NULL);
                event_notifier_cleanup(&d->bar[nr].hit[kind]);
            }
        }
    }
}

static bool testdev_realize(PCIDevice *pci_dev, Error **errp)
{
    PCITestDev *d = PCI_TESTDEV(pci_dev);

    if (d->membar_size && (!is_power_of_2(d->membar_size) ||
                           d->membar_size < 16)) {
        error_setg(errp, "property 'membar' must be a power of two of at "
                   "least 16, not %" PRIu64, d->membar_size);
        return false;
    }
    for (int nr = 0; nr < 2; nr++) {
        d->bar[nr].hit[WILDCARD].fd = d->bar[nr].hit[DATAMATCH].fd = -1;
    }
    if (!bar_init(d, 0, "mmio", TESTDEV_MEM_SIZE, errp) ||
        !bar_init(d, 1, "portio", TESTDEV_IO_SIZE, errp)) {
        testdev_exit(pci_dev);
        return false;
    }
    if (d->membar_size) {
        memory_region_init(&d->membar, OBJECT(d), "membar", d->membar_size);
        pci_register_bar(pci_dev, 2, PCI_BASE_ADDRESS_MEM_PREFETCH |
                         PCI_BASE_ADDRESS_MEM_TYPE_64, &d->membar);
    }
    return true;
}

static void testdev_finalize(Object *obj)
{
    PCITestDev *d = PCI_TESTDEV(obj);

    memory_region_finalize(&d->bar[0].mr);
    memory_region_finalize(&d->bar[1].mr);
    memory_region_finalize(&d->membar);
}

static void testdev_reset(DeviceState *dev)
{
    PCITestDev *d = PCI_TESTDEV(dev);

    vmstate_clear(&vmstate_testdev, d);
    d->regs.test[0] = d->regs.test[1] = NUM_TESTS;
}

static const Property testdev_props[] = {
    DEFINE_PROP_SIZE("membar", PCITestDev, membar_size, 0,
        .description = "size of a memory BAR of its own; 0: none"),
    { }
};

static void testdev_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = testdev_realize;
    pc->exit = testdev_exit;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = 0x0005;
    pc->class_id = 0x00ff;
    dc->reset = testdev_reset;
    dc->vmsd = &vmstate_testdev;
    dc->desc = "Device that counts accesses";
    dc->categories = 1 << DEVICE_CATEGORY_MISC;
    device_class_set_props(dc, testdev_props);
}

static const TypeInfo testdev_types[] = {
    {
        .name = TYPE_PCI_TESTDEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCITestDev),
        .instance_finalize = testdev_finalize,
        .class_init = testdev_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(testdev_types)
