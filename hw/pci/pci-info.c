/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices and buses told to people and programs: class names, firmware paths
 * (IEEE 1275 PCI binding, 2.5 for the names), query-pci, `info qtree`.
 */
#include "qemu/osdep.h"
#include "pci-internal.h"

typedef struct PCIClassName {
    uint16_t class_id;
    uint16_t mask;
    const char *desc;
    const char *fw_name;        /* NULL: "pciVVVV,DDDD" */
} PCIClassName;

/* The first that matches counts. */
static const PCIClassName class_names[] = {
    { 0x0001, 0xffff, "VGA controller", "display" },
    { 0x0100, 0xffff, "SCSI controller", "scsi" },
    { 0x0101, 0xffff, "IDE controller", "ide" },
    { 0x0102, 0xffff, "Floppy controller", "fdc" },
    { 0x0103, 0xffff, "IPI controller", "ipi" },
    { 0x0104, 0xffff, "RAID controller", "raid" },
    { 0x0106, 0xffff, "SATA controller", NULL },
    { 0x0107, 0xffff, "SAS controller", NULL },
    { 0x0108, 0xffff, "NVM controller", NULL },
    { 0x0180, 0xffff, "Storage controller", NULL },
    { 0x0200, 0xffff, "Ethernet controller", "ethernet" },
    { 0x0201, 0xffff, "Token Ring controller", "token-ring" },
    { 0x0280, 0xffff, "Network controller", NULL },
    { 0x0300, 0xff00, "VGA controller", "display" },
    { 0x0400, 0xffff, "Video controller", "video" },
    { 0x0401, 0xffff, "Audio controller", "sound" },
    { 0x0403, 0xffff, "Audio controller", "sound" },
    { 0x0500, 0xffff, "RAM controller", "memory" },
    { 0x0501, 0xffff, "Flash controller", "flash" },
    { 0x0600, 0xffff, "Host bridge", "host" },
    { 0x0601, 0xffff, "ISA bridge", "isa" },
    { 0x0602, 0xffff, "EISA bridge", "eisa" },
    { 0x0604, 0xffff, "PCI bridge", "pci-bridge" },
    { 0x0680, 0xffff, "Bridge", NULL },
    { 0x0700, 0xffff, "Serial port", "serial" },
    { 0x0701, 0xffff, "Parallel port", "parallel" },
    { 0x0c03, 0xffff, "USB controller", "usb" },
    { 0x0c05, 0xffff, "SMBus", NULL },
};

static const PCIClassName *find_class(uint16_t class_id)
{
    int i;

    for (i = 0; i < ARRAY_SIZE(class_names); i++) {
        if ((class_id & class_names[i].mask) == class_names[i].class_id) {
            return &class_names[i];
        }
    }
    return NULL;
}

static uint16_t class_of(PCIDevice *dev)
{
    return pci_get_word(dev->config + PCI_CLASS_DEVICE);
}

/* -- BusClass hooks ------------------------------------------------------- */

/* "0000:00:04.0", with ":slot.function" for each bridge passed. */
char *pci_get_dev_path(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev), *bridge = pci_get_bus(dev)->parent_dev;
    g_autofree char *above = bridge ? pci_get_dev_path(&bridge->qdev) :
        g_strdup("0000:00");

    return g_strdup_printf("%s:%02x.%x", above, PCI_SLOT(dev->devfn),
                           PCI_FUNC(dev->devfn));
}

/* "scsi@4" or "pci8086,5845@4,1" */
char *pci_get_fw_dev_path(DeviceState *qdev)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    const PCIClassName *known = find_class(class_of(dev));
    GString *s = g_string_new(NULL);

    if (known && known->fw_name) {
        g_string_append(s, known->fw_name);
    } else {
        g_string_append_printf(s, "pci%04x,%04x",
                               pci_get_word(dev->config + PCI_VENDOR_ID),
                               pci_get_word(dev->config + PCI_DEVICE_ID));
    }
    g_string_append_printf(s, "@%x", PCI_SLOT(dev->devfn));
    if (PCI_FUNC(dev->devfn)) {
        g_string_append_printf(s, ",%x", PCI_FUNC(dev->devfn));
    }
    return g_string_free(s, FALSE);
}

static void print_bars(GString *out, PCIDevice *dev, int indent)
{
    int i;

    for (i = 0; i < PCI_NUM_REGIONS; i++) {
        const PCIIORegion *r = &dev->io_regions[i];

        if (!r->size) {
            continue;
        }
        g_string_append_printf(out, "%*sbar %d: %s, %" PRIu64 " bytes, ",
                               indent, "", i,
                               r->type & PCI_BASE_ADDRESS_SPACE_IO ?
                               "i/o" : "mem", r->size);
        if (r->addr == PCI_BAR_UNMAPPED) {
            g_string_append(out, "not mapped\n");
        } else {
            g_string_append_printf(out, "at 0x%" PRIx64 "\n", r->addr);
        }
    }
}

void pci_print_dev(GString *out, DeviceState *qdev, int indent)
{
    PCIDevice *dev = PCI_DEVICE(qdev);
    const PCIClassName *known = find_class(class_of(dev));

    if (!dev->config) {
        return;
    }
    g_string_append_printf(out, "%*sclass %04x (%s), addr %02x:%02x.%x, "
                           "pci id %04x:%04x\n", indent, "", class_of(dev),
                           known ? known->desc : "other",
                           pci_dev_bus_num(dev), PCI_SLOT(dev->devfn),
                           PCI_FUNC(dev->devfn),
                           pci_get_word(dev->config + PCI_VENDOR_ID),
                           pci_get_word(dev->config + PCI_DEVICE_ID));
    print_bars(out, dev, indent);
}

/* -- query-pci ------------------------------------------------------------ */

static void add_int(JsonBuilder *b, const char *name, int64_t v)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, v);
}

static void add_range(JsonBuilder *b, const char *name, uint64_t base,
                      uint64_t limit)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    add_int(b, "base", base);
    add_int(b, "limit", limit);
    json_builder_end_object(b);
}

static void add_regions(JsonBuilder *b, PCIDevice *dev)
{
    int i;

    json_builder_begin_array(b);
    for (i = 0; i < PCI_NUM_REGIONS; i++) {
        const PCIIORegion *r = &dev->io_regions[i];
        bool io = r->type & PCI_BASE_ADDRESS_SPACE_IO;

        if (!r->size) {
            continue;
        }
        json_builder_begin_object(b);
        add_int(b, "bar", i);
        json_builder_set_member_name(b, "type");
        json_builder_add_string_value(b, io ? "io" : "memory");
        add_int(b, "address", r->addr);
        add_int(b, "size", r->size);
        if (!io) {
            json_builder_set_member_name(b, "prefetch");
            json_builder_add_boolean_value(
                b, r->type & PCI_BASE_ADDRESS_MEM_PREFETCH);
            json_builder_set_member_name(b, "mem_type_64");
            json_builder_add_boolean_value(
                b, r->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
        }
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void add_device(PCIBus *bus, PCIDevice *dev, void *opaque);

static PCIBus *add_devices_below(PCIBus *bus, void *opaque)
{
    JsonBuilder *b = opaque;

    json_builder_set_member_name(b, "devices");
    json_builder_begin_array(b);
    pci_for_each_device(bus, add_device, b);
    json_builder_end_array(b);
    return bus;
}

static void add_bridge(JsonBuilder *b, PCIDevice *dev)
{
    const uint8_t *c = dev->config;
    BusState *child = QTAILQ_FIRST(&dev->qdev.child_bus);
    uint64_t pref_base = pci_get_word(c + PCI_PREF_MEMORY_BASE) & 0xfff0,
        pref_limit = pci_get_word(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0;

    json_builder_set_member_name(b, "bus");
    json_builder_begin_object(b);
    add_int(b, "number", c[PCI_PRIMARY_BUS]);
    add_int(b, "secondary", c[PCI_SECONDARY_BUS]);
    add_int(b, "subordinate", c[PCI_SUBORDINATE_BUS]);
    add_range(b, "io_range", (c[PCI_IO_BASE] & 0xf0) << 8,
              (c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff);
    add_range(b, "memory_range",
              (uint64_t)(pci_get_word(c + PCI_MEMORY_BASE) & 0xfff0) << 16,
              (uint64_t)pci_get_word(c + PCI_MEMORY_LIMIT) << 16 | 0xfffff);
    add_range(b, "prefetchable_range",
              (uint64_t)pci_get_long(c + PCI_PREF_BASE_UPPER32) << 32 |
              pref_base << 16,
              (uint64_t)pci_get_long(c + PCI_PREF_LIMIT_UPPER32) << 32 |
              pref_limit << 16 | 0xfffff);
    json_builder_end_object(b);
    if (child) {
        add_devices_below(PCI_BUS(child), b);
    }
}

static void add_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    JsonBuilder *b = opaque;
    const uint8_t *c = dev->config;
    bool bridge = PCI_DEVICE_GET_CLASS(dev)->is_bridge;
    const PCIClassName *known = find_class(class_of(dev));

    json_builder_begin_object(b);
    add_int(b, "bus", pci_bus_num(bus));
    add_int(b, "slot", PCI_SLOT(dev->devfn));
    add_int(b, "function", PCI_FUNC(dev->devfn));
    json_builder_set_member_name(b, "qdev_id");
    json_builder_add_string_value(b, dev->qdev.id ? dev->qdev.id : "");

    json_builder_set_member_name(b, "class_info");
    json_builder_begin_object(b);
    add_int(b, "class", class_of(dev));
    if (known) {
        json_builder_set_member_name(b, "desc");
        json_builder_add_string_value(b, known->desc);
    }
    json_builder_end_object(b);

    json_builder_set_member_name(b, "id");
    json_builder_begin_object(b);
    add_int(b, "vendor", pci_get_word(c + PCI_VENDOR_ID));
    add_int(b, "device", pci_get_word(c + PCI_DEVICE_ID));
    if (!bridge) {
        add_int(b, "subsystem-vendor",
                pci_get_word(c + PCI_SUBSYSTEM_VENDOR_ID));
        add_int(b, "subsystem", pci_get_word(c + PCI_SUBSYSTEM_ID));
    }
    json_builder_end_object(b);

    if (c[PCI_INTERRUPT_PIN]) {
        add_int(b, "irq", c[PCI_INTERRUPT_LINE]);
    }
    add_int(b, "irq_pin", c[PCI_INTERRUPT_PIN]);
    if (bridge) {
        json_builder_set_member_name(b, "pci_bridge");
        json_builder_begin_object(b);
        add_bridge(b, dev);
        json_builder_end_object(b);
    }
    json_builder_set_member_name(b, "regions");
    add_regions(b, dev);
    json_builder_end_object(b);
}

JsonNode *pci_bus_to_json(PCIBus *bus)
{
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    add_int(b, "bus", pci_bus_num(bus));
    add_devices_below(bus, b);
    json_builder_end_object(b);
    return json_builder_get_root(b);
}
