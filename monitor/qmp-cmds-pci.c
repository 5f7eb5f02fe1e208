/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP and the human monitor about PCI: what stands on the buses, and that an
 * unplugged device has gone. */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"

/* -- query-pci --------------------------------------------------------------- */

static JsonNode *qmp_query_pci(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonArray *buses = json_array_new();
    PCIBus *bus = pci_find_primary_bus();

    if (bus) {
        json_array_add_element(buses, pci_bus_to_json(bus));
    }
    return json_node_init_array(json_node_alloc(), buses);
}

static const QMPMember range_members[] = {
    { "base", "int" }, { "limit", "int" }, { }
};
static const QMPMember region_members[] = {
    { "bar", "int" },
    { "type", "str", false, "'io' or 'memory'" },
    { "address", "int", false, "-1: not decoded" },
    { "size", "int" },
    { "prefetch", "bool", true },
    { "mem_type_64", "bool", true },
    { }
};
static const QMPMember bus_members[] = {
    { "number", "int" },
    { "secondary", "int" },
    { "subordinate", "int" },
    { "io_range", "PciMemoryRange" },
    { "memory_range", "PciMemoryRange" },
    { "prefetchable_range", "PciMemoryRange" },
    { }
};
static const QMPMember bridge_members[] = {
    { "bus", "PciBusInfo" }, { "devices", "[PciDeviceInfo]", true }, { }
};
static const QMPMember class_members[] = {
    { "desc", "str", true }, { "class", "int" }, { }
};
static const QMPMember id_members[] = {
    { "device", "int" },
    { "vendor", "int" },
    { "subsystem", "int", true },
    { "subsystem-vendor", "int", true },
    { }
};
static const QMPMember device_members[] = {
    { "bus", "int" },
    { "slot", "int" },
    { "function", "int" },
    { "class_info", "PciDeviceClass" },
    { "id", "PciDeviceId" },
    { "irq", "int", true, "what the guest wrote to Interrupt Line" },
    { "irq_pin", "int", false, "1 for INTA; 0: none" },
    { "qdev_id", "str" },
    { "pci_bridge", "PciBridgeInfo", true },
    { "regions", "[PciMemoryRegion]" },
    { }
};
static const QMPMember info_members[] = {
    { "bus", "int" }, { "devices", "[PciDeviceInfo]" }, { }
};
static const QMPType pci_types[] = {
    { "PciMemoryRange", NULL, range_members },
    { "PciMemoryRegion", NULL, region_members },
    { "PciBusInfo", NULL, bus_members },
    { "PciBridgeInfo", NULL, bridge_members },
    { "PciDeviceClass", NULL, class_members },
    { "PciDeviceId", NULL, id_members },
    { "PciDeviceInfo", NULL, device_members },
    { "PciInfo", NULL, info_members },
    { }
};
QMP_TABLE(types, pci_types)

static const QMPCommand pci_commands[] = {
    { "query-pci", NULL, "[PciInfo]", qmp_query_pci,
      "The PCI buses and the devices on them." },
    { }
};
QMP_TABLE(commands, pci_commands)

/* -- info pci ------------------------------------------------------------------ */

static void print_device(PCIBus *bus, PCIDevice *dev, void *opaque);

static void print_bus(GString *out, PCIBus *bus)
{
    pci_for_each_device(bus, print_device, out);
}

static void print_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    GString *out = opaque;
    DeviceState *qdev = DEVICE(dev);
    BusState *child;

    g_string_append_printf(out, "%s, id \"%s\"\n",
                           object_get_typename(OBJECT(dev)), qdev->id ?: "");
    BUS_GET_CLASS(&bus->qbus)->print_dev(out, qdev, 2);
    QTAILQ_FOREACH(child, &qdev->child_bus, sibling) {
        if (object_dynamic_cast(OBJECT(child), TYPE_PCI_BUS)) {
            print_bus(out, PCI_BUS(child));
        }
    }
}

static void hmp_info_pci(GString *out, const char *arg)
{
    PCIBus *bus = pci_find_primary_bus();

    if (bus) {
        print_bus(out, bus);
    } else {
        g_string_append(out, "this machine has no PCI bus\n");
    }
}

static const HMPCommand pci_hmp[] = {
    { "info pci", NULL, "show PCI devices", hmp_info_pci },
    { }
};
HMP_TABLE(pci_hmp)

/* -- DEVICE_DELETED, DEVICE_UNPLUG_GUEST_ERROR ----------------------------------- */

static void tell_of_device(const char *event, const char *id, const char *path)
{
    JsonObject *data = json_object_new();

    if (id) {
        json_object_set_string_member(data, "device", id);
    }
    json_object_set_string_member(data, "path", path ?: "");
    monitor_event(event, data);
}

static void device_deleted(const char *id, const char *path)
{
    tell_of_device("DEVICE_DELETED", id, path);
}

static void device_kept(const char *id, const char *path)
{
    tell_of_device("DEVICE_UNPLUG_GUEST_ERROR", id, path);
}

static const QMPMember unplug_members[] = {
    { "device", "str", true, "its id" }, { "path", "str" }, { }
};
static const QMPEvent device_events[] = {
    { "DEVICE_DELETED", unplug_members,
      "A device that was to be unplugged is gone." },
    { "DEVICE_UNPLUG_GUEST_ERROR", unplug_members,
      "The guest keeps a device in a PCI Express slot: it has taken back that "
      "the slot is to be switched off." },
    { }
};
QMP_TABLE(events, device_events)

static void __attribute__((constructor)) hear_of_unplugging(void)
{
    qdev_deleted_hook = device_deleted;
    qdev_kept_hook = device_kept;
}
