/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host bridge of a remote process.  It has a bus and nothing else: no
 * config ports, no windows.  What a link may touch is decided here, when a
 * function is realized: its BARs go into containers of its own, its DMA comes
 * out of a container of its own, and its events run in a context of its own.
 *
 * A device may come and go at any time.  One that a link serves goes when the
 * machine at the other end has let go of it.
 */
#include "qemu/osdep.h"
#include "hw/pci-host/remote.h"
#include "qemu/aio.h"

static bool remote_setup_spaces(PCIBus *bus, void *opaque, PCIDevice *dev,
                                Error **errp)
{
    RemotePCIHost *host = opaque;
    RemoteDevice *rd = g_new0(RemoteDevice, 1);

    rd->ctx = aio_context_new(errp);
    if (!rd->ctx) {
        g_free(rd);
        return false;
    }
    rd->pci_dev = dev;
    memory_region_init(&rd->mem, NULL, "remote-bars", UINT64_MAX);
    memory_region_init(&rd->io, NULL, "remote-ports", 0x10000);
    memory_region_init(&rd->dma, NULL, "remote-dma", UINT64_MAX);
    address_space_init(&rd->mem_as, &rd->mem, "remote-bars");
    address_space_init(&rd->io_as, &rd->io, "remote-ports");
    address_space_init(&rd->dma_as, &rd->dma, "remote-dma");
    dev->space_mem = &rd->mem;
    dev->space_io = &rd->io;
    dev->dma_as = &rd->dma_as;
    dev->qdev.context = rd->ctx;
    host->devices[dev->devfn] = rd;
    return true;
}

static void remote_release_spaces(PCIBus *bus, void *opaque, PCIDevice *dev)
{
    RemotePCIHost *host = opaque;
    RemoteDevice *rd = host->devices[dev->devfn];

    host->devices[dev->devfn] = NULL;
    dev->qdev.context = NULL;
    address_space_destroy(&rd->mem_as);
    address_space_destroy(&rd->io_as);
    address_space_destroy(&rd->dma_as);
    memory_region_finalize(&rd->mem);
    memory_region_finalize(&rd->io);
    memory_region_finalize(&rd->dma);
    aio_context_free(rd->ctx);
    g_free(rd);
}

RemoteDevice *remote_device_of(PCIDevice *pci_dev)
{
    RemotePCIHost *host = REMOTE_PCIHOST(pci_get_bus(pci_dev)->qbus.parent);

    return host->devices[pci_dev->devfn];
}

bool remote_device_released(RemoteDevice *rd)
{
    DeviceState *dev = &rd->pci_dev->qdev;

    if (!dev->pending_unplug) {
        return false;
    }
    rd->owner = NULL;
    qdev_unplug_complete(dev);
    return true;
}

static bool remote_unplug_request(HotplugHandler *h, DeviceState *dev,
                                  Error **errp)
{
    RemoteDevice *rd = remote_device_of(PCI_DEVICE(dev));

    if (rd->owner) {
        return rd->ask_release(rd->owner, errp);
    }
    qdev_unplug_complete(dev);
    return true;
}

static bool remote_pcihost_realize(DeviceState *dev, Error **errp)
{
    RemotePCIHost *host = REMOTE_PCIHOST(dev);

    /* The containers of the bus itself stay empty: no function uses them. */
    host->bus = pci_root_bus_new(dev, "remote-pci", NULL, NULL, 0,
                                 TYPE_PCI_BUS);
    pci_bus_setup_spaces(host->bus, remote_setup_spaces,
                         remote_release_spaces, host);
    qbus_set_hotplug_handler(&host->bus->qbus, OBJECT(host));
    return true;
}

static void remote_pcihost_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(oc);

    hc->unplug_request = remote_unplug_request;
    dc->realize = remote_pcihost_realize;
    dc->user_creatable = false;
    dc->desc = "PCI bus of a remote process";
}

static const TypeInfo remote_pcihost_types[] = {
    {
        .name = TYPE_REMOTE_PCIHOST,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(RemotePCIHost),
        .class_init = remote_pcihost_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_HOTPLUG_HANDLER }, { } },
    },
};
DEFINE_TYPES(remote_pcihost_types)
