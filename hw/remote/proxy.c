/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-pci-proxy-dev: stands on the guest's PCI bus for a device whose model runs
 * in another process.
 *
 * At realize it learns from the other side what the device is: ids, class,
 * interrupt pin, each BAR's kind and size, the ROM.  From then on it forwards
 * config accesses, BAR accesses and reset; gives up the big lock while it
 * waits; keeps the other side's view of guest RAM true; and has the device's
 * interrupts delivered by the kernel, at the GSI to which the chipset routes
 * the pin.
 *
 * A process that dies, hangs or talks nonsense leaves a dead device: reads are
 * all ones, writes are dropped, the line is down, and the operator is told
 * once.
 */
#include "qemu/osdep.h"
#include <sys/epoll.h>
#include "hw/remote/proxy.h"
#include "hw/remote/socket.h"
#include "monitor/monitor.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "system/kvm.h"

/* -- Waiting without the big lock ---------------------------------------- */

static void wait_begin(PCIProxyDev *dev)
{
    object_ref(dev);
    bql_unlock();
}

static void wait_end(PCIProxyDev *dev)
{
    bql_lock();
    object_unref(dev);
}

/* -- Config space -------------------------------------------------------- */

static uint32_t proxy_read_config(PCIDevice *pci_dev, uint32_t addr, int len)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);
    uint32_t val;
    bool ok;

    wait_begin(dev);
    ok = dev->link->ops->config_read(dev->link, addr, len, &val);
    wait_end(dev);
    return ok ? val : MAKE_64BIT_MASK(0, len * 8);
}

static void proxy_write_config(PCIDevice *pci_dev, uint32_t addr, uint32_t val,
                               int len)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);

    wait_begin(dev);
    dev->link->ops->config_write(dev->link, addr, val, len);
    wait_end(dev);
    /* BARs and the command register decide what is mapped here, too. */
    pci_default_write_config(pci_dev, addr, val, len);
}

/* -- BARs ---------------------------------------------------------------- */

static MemTxResult region_read(void *opaque, hwaddr offset, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    ProxyMemoryRegion *r = opaque;
    PCIProxyDev *dev = r->dev;
    hwaddr base = dev->parent_dev.io_regions[r->nr].addr;
    bool ok;

    wait_begin(dev);
    ok = dev->link->ops->region_read(dev->link, r->memory, base, offset, size,
                                     data);
    wait_end(dev);
    return ok ? MEMTX_OK : MEMTX_ERROR;
}

static MemTxResult region_write(void *opaque, hwaddr offset, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    ProxyMemoryRegion *r = opaque;
    PCIProxyDev *dev = r->dev;
    hwaddr base = dev->parent_dev.io_regions[r->nr].addr;
    bool ok;

    wait_begin(dev);
    ok = dev->link->ops->region_write(dev->link, r->memory, base, offset, size,
                                      data);
    wait_end(dev);
    return ok ? MEMTX_OK : MEMTX_ERROR;
}

/* The model on the other side knows which accesses it takes. */
static const MemoryRegionOps region_ops = {
    .read_with_attrs = region_read,
    .write_with_attrs = region_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

/* -- Learning what the device is ----------------------------------------- */

static bool probe_read(PCIProxyDev *dev, uint32_t addr, unsigned len,
                       uint32_t *val, Error **errp)
{
    if (!dev->link->ops->config_read(dev->link, addr, len, val)) {
        error_setg(errp, "the device's process did not say what the device "
                   "is: %s", dev->link->why);
        return false;
    }
    return true;
}

static bool probe_write(PCIProxyDev *dev, uint32_t addr, uint32_t val,
                        Error **errp)
{
    if (!dev->link->ops->config_write(dev->link, addr, val, 4)) {
        error_setg(errp, "the device's process did not take a write: %s",
                   dev->link->why);
        return false;
    }
    return true;
}

/* What a base address register answers when all ones were written to it; the
 * register is put back. */
static bool probe_mask(PCIProxyDev *dev, uint32_t addr, uint32_t ones,
                       uint32_t *was, uint32_t *mask, Error **errp)
{
    return probe_read(dev, addr, 4, was, errp) &&
           probe_write(dev, addr, ones, errp) &&
           probe_read(dev, addr, 4, mask, errp) &&
           probe_write(dev, addr, *was, errp);
}

static bool size_is_right(uint64_t size, uint64_t min, uint64_t max, int nr,
                          Error **errp)
{
    if (!is_power_of_2(size) || size < min || size > max) {
        error_setg(errp, "the device's process says that region %d has 0x%"
                   PRIx64 " bytes, which no PCI device can have", nr, size);
        return false;
    }
    return true;
}

static void add_region(PCIProxyDev *dev, int nr, uint8_t type, uint64_t size)
{
    ProxyMemoryRegion *r = &dev->region[nr];
    g_autofree char *name = g_strdup_printf("%s-region-%d", TYPE_PCI_PROXY_DEV,
                                            nr);

    r->dev = dev;
    r->nr = nr;
    r->memory = !(type & PCI_BASE_ADDRESS_SPACE_IO);
    memory_region_init_io(&r->mr, OBJECT(dev), &region_ops, r, name, size);
    pci_register_bar(&dev->parent_dev, nr, type, &r->mr);
}

/* Adds BAR @nr if there is one; @two is set if it takes the next as well. */
static bool probe_bar(PCIProxyDev *dev, int nr, bool *two, Error **errp)
{
    uint32_t addr = PCI_BASE_ADDRESS_0 + 4 * nr, was, mask, high_was, high;
    uint64_t size, max = 0x80000000;
    uint8_t type;

    *two = false;
    if (!probe_mask(dev, addr, UINT32_MAX, &was, &mask, errp)) {
        return false;
    }
    if (!mask || mask == UINT32_MAX) {
        return true;
    }
    if (mask & PCI_BASE_ADDRESS_SPACE_IO) {
        mask = (mask & PCI_BASE_ADDRESS_IO_MASK) | ~0xffffu;
        if (!size_is_right(-(uint64_t)(int32_t)mask, 4, 0x10000, nr, errp)) {
            return false;
        }
        add_region(dev, nr, PCI_BASE_ADDRESS_SPACE_IO,
                   -(uint64_t)(int32_t)mask);
        return true;
    }
    type = mask & ~(uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    size = -(uint64_t)(int64_t)(int32_t)(mask &
                                         (uint32_t)PCI_BASE_ADDRESS_MEM_MASK);
    if (type & PCI_BASE_ADDRESS_MEM_TYPE_64) {
        if (nr == 5) {
            error_setg(errp, "the device's process says that the last BAR has "
                       "64 bits");
            return false;
        }
        if (!probe_mask(dev, addr + 4, UINT32_MAX, &high_was, &high, errp)) {
            return false;
        }
        size = -((uint64_t)high << 32 |
                 (mask & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK));
        max = 1ULL << 62;
        *two = true;
    }
    if (!size_is_right(size, 16, max, nr, errp)) {
        return false;
    }
    add_region(dev, nr, type, size);
    return true;
}

static bool probe_rom(PCIProxyDev *dev, Error **errp)
{
    uint32_t was, mask;

    /* The enable bit stays off: a ROM that is shown would hide a BAR. */
    if (!probe_mask(dev, PCI_ROM_ADDRESS, (uint32_t)PCI_ROM_ADDRESS_MASK, &was,
                    &mask, errp)) {
        return false;
    }
    mask &= (uint32_t)PCI_ROM_ADDRESS_MASK;
    if (!mask || mask == (uint32_t)PCI_ROM_ADDRESS_MASK) {
        /* Nothing there, or no more than a register. */
        return true;
    }
    if (!size_is_right(-(uint64_t)(int64_t)(int32_t)mask, 2048, 0x1000000,
                       PCI_ROM_SLOT, errp)) {
        return false;
    }
    add_region(dev, PCI_ROM_SLOT, 0, -(uint64_t)(int64_t)(int32_t)mask);
    return true;
}

/* Registers that say what a device is never change while it exists. */
static bool probe_ids(PCIProxyDev *dev, Error **errp)
{
    static const uint8_t constant[] = {
        PCI_VENDOR_ID, PCI_CLASS_REVISION, PCI_SUBSYSTEM_VENDOR_ID,
    };
    uint8_t *config = dev->parent_dev.config;
    uint32_t val;

    for (size_t i = 0; i < ARRAY_SIZE(constant); i++) {
        if (!probe_read(dev, constant[i], 4, &val, errp)) {
            return false;
        }
        pci_set_long(config + constant[i], val);
    }
    if (pci_get_word(config + PCI_VENDOR_ID) == 0xffff) {
        error_setg(errp, "the device's process has no device to show");
        return false;
    }
    if (!probe_read(dev, PCI_HEADER_TYPE, 1, &val, errp)) {
        return false;
    }
    if ((val & 0x7f) != PCI_HEADER_TYPE_NORMAL) {
        error_setg(errp, "the device's process has a bridge (header type %u), "
                   "which cannot be proxied", val & 0x7f);
        return false;
    }
    if (!probe_read(dev, PCI_INTERRUPT_PIN, 1, &val, errp)) {
        return false;
    }
    if (val > PCI_NUM_PINS) {
        error_setg(errp, "the device's process says that the interrupt pin is "
                   "%u, which is none of INTA to INTD", val);
        return false;
    }
    config[PCI_INTERRUPT_PIN] = val;
    return true;
}

static bool probe_device(PCIProxyDev *dev, Error **errp)
{
    if (!probe_ids(dev, errp)) {
        return false;
    }
    for (int nr = 0; nr < PCI_ROM_SLOT; nr++) {
        bool two;

        if (!probe_bar(dev, nr, &two, errp)) {
            return false;
        }
        nr += two;
    }
    return probe_rom(dev, errp);
}

/* -- Interrupts ---------------------------------------------------------- */

static void leave_gsi(PCIProxyDev *dev)
{
    if (dev->gsi >= 0) {
        kvm_irqchip_remove_irqfd_notifier_gsi(&dev->intr, dev->gsi);
        dev->gsi = -1;
    }
}

/*
 * Moves the irqfd to where the chipset routes the pin now.  Leaving a GSI
 * takes the device's level off it, and a signal may have been on its way; so
 * both are forgotten and the other side is asked, as by the guest's EOI, to
 * raise again if its level is high.
 */
static void follow_route(PCIDevice *pci_dev)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);
    PCIINTxRoute route;
    int gsi, ret;

    if (dev->gone || pci_intx(pci_dev) < 0) {
        return;
    }
    route = pci_device_route_intx_to_irq(pci_dev, pci_intx(pci_dev));
    gsi = route.mode == PCI_INTX_ENABLED ? route.irq : -1;
    if (gsi == dev->gsi) {
        return;
    }
    trace_event("proxy_route", "%s gsi %d -> %d",
                qdev_get_printable_name(DEVICE(dev)), dev->gsi, gsi);
    leave_gsi(dev);
    event_notifier_test_and_clear(&dev->intr);
    if (gsi < 0) {
        return;
    }
    ret = kvm_irqchip_add_irqfd_notifier_gsi(&dev->intr, &dev->resample, gsi);
    if (ret < 0) {
        error_report("%s: no interrupts: cannot have them delivered at GSI "
                     "%d: %s", qdev_get_printable_name(DEVICE(dev)), gsi,
                     strerror(-ret));
        return;
    }
    dev->gsi = gsi;
    /* The other side may have made writes to it wait. */
    qemu_set_blocking(dev->resample.fd, false);
    event_notifier_set(&dev->resample);
}

static bool init_interrupts(PCIProxyDev *dev, Error **errp)
{
    int ret = event_notifier_init(&dev->intr, false);

    if (ret == 0) {
        ret = event_notifier_init(&dev->resample, false);
    }
    if (ret < 0) {
        error_setg_errno(errp, -ret, "no eventfd for interrupts");
        return false;
    }
    dev->link->ops->set_irqfd(dev->link, dev->intr.fd, dev->resample.fd);
    return true;
}

/* -- The end of the other side ------------------------------------------- */

static void stop_watching(PCIProxyDev *dev)
{
    if (dev->hangup_fd >= 0) {
        aio_set_fd_handler(qemu_get_aio_context(), dev->hangup_fd, NULL, NULL,
                           NULL, NULL);
        qemu_close(&dev->hangup_fd);
    }
}

/* Main loop. */
static void handle_gone(void *opaque)
{
    PCIProxyDev *dev = opaque;
    JsonObject *data;

    if (!dev->gone && DEVICE(dev)->realized) {
        dev->gone = true;
        error_report("%s: the device's process is gone: %s",
                     qdev_get_printable_name(DEVICE(dev)), dev->link->why);
        leave_gsi(dev);
        stop_watching(dev);
        data = json_object_new();
        if (DEVICE(dev)->id) {
            json_object_set_string_member(data, "device", DEVICE(dev)->id);
        }
        json_object_set_string_member(data, "reason", dev->link->why);
        monitor_event("X_PCI_PROXY_DEV_GONE", data);
    }
    object_unref(dev);
}

/* Any thread. */
static void link_gone(void *opaque)
{
    PCIProxyDev *dev = opaque;

    object_ref(dev);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), handle_gone, dev);
}

/* An access finds out why; there is always one to be made. */
static void hung_up(void *opaque)
{
    PCIProxyDev *dev = opaque;

    stop_watching(dev);
    proxy_read_config(&dev->parent_dev, PCI_VENDOR_ID, 2);
}

/* An epoll descriptor is readable when what it watches has hung up, and is not
 * woken by each reply as the socket itself would be. */
static bool watch_hangup(PCIProxyDev *dev, Error **errp)
{
    struct epoll_event ev = { .events = EPOLLRDHUP };

    dev->hangup_fd = epoll_create1(EPOLL_CLOEXEC);
    if (dev->hangup_fd < 0 ||
        epoll_ctl(dev->hangup_fd, EPOLL_CTL_ADD, dev->fd, &ev) < 0) {
        error_setg_errno(errp, errno, "cannot watch the connection");
        return false;
    }
    aio_set_fd_handler(qemu_get_aio_context(), dev->hangup_fd, hung_up, NULL,
                       NULL, dev);
    return true;
}

/* -- Life ---------------------------------------------------------------- */

static void proxy_exit(PCIDevice *pci_dev)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);

    pci_device_set_intx_routing_notifier(pci_dev, NULL);
    leave_gsi(dev);
    stop_watching(dev);
    if (dev->listening) {
        proxy_memory_listener_deconfigure(&dev->listener);
        dev->listening = false;
    }
    if (dev->link) {
        dev->link->ops->shutdown(dev->link);
    }
    event_notifier_cleanup(&dev->intr);
    event_notifier_cleanup(&dev->resample);
}

static bool proxy_realize(PCIDevice *pci_dev, Error **errp)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);
    const char *name = qdev_get_printable_name(DEVICE(dev));

    if (!remote_socket_check(dev->fd, dev->socket_path, errp)) {
        return false;
    }
    if (!dev->timeout) {
        error_setg(errp, "property 'timeout' must be at least 1 ms");
        return false;
    }
    if (dev->fd < 0) {
        /* The machine is not held up while a guest runs. */
        dev->fd = remote_socket_connect(dev->socket_path, DEVICE(dev)->hotplugged
                                        ? 0 : dev->connect_timeout, errp);
        if (dev->fd < 0) {
            return false;
        }
    }
    dev->gsi = -1;
    dev->hangup_fd = -1;
    dev->intr.fd = dev->resample.fd = -1;
    dev->link = mpqemu_proxy_link_new(dev->fd, dev->timeout, dev->poll_max_ns,
                                      link_gone, dev);
    /* Everything of the table and the interrupt is sent before the first
     * question, as upstream's remote expects. */
    dev->listening = proxy_memory_listener_configure(&dev->listener, dev->link,
                                                     &address_space_memory,
                                                     name, errp);
    if (!dev->listening || !init_interrupts(dev, errp) ||
        !probe_device(dev, errp) || !watch_hangup(dev, errp)) {
        proxy_exit(pci_dev);
        return false;
    }
    pci_device_set_intx_routing_notifier(pci_dev, follow_route);
    follow_route(pci_dev);
    return true;
}

static void proxy_reset(DeviceState *qdev)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(qdev);

    wait_begin(dev);
    dev->link->ops->reset(dev->link);
    wait_end(dev);
}

static void proxy_init(Object *obj)
{
    PCI_PROXY_DEV(obj)->fd = -1;
}

static void proxy_finalize(Object *obj)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(obj);

    for (int nr = 0; nr < PCI_NUM_REGIONS; nr++) {
        if (dev->region[nr].dev) {
            memory_region_finalize(&dev->region[nr].mr);
        }
    }
    if (dev->link) {
        /* The link owns the descriptor. */
        dev->link->ops->free(dev->link);
        dev->fd = -1;
    }
    g_free(dev->socket_path);
}

static JsonNode *get_socket(Object *obj, const char *name, void *opaque,
                            Error **errp)
{
    return remote_socket_get(PCI_PROXY_DEV(obj)->socket_path);
}

static bool set_socket(Object *obj, const char *name, JsonNode *value,
                       void *opaque, Error **errp)
{
    if (DEVICE(obj)->realized) {
        error_setg(errp, "property 'socket' cannot be changed any more");
        return false;
    }
    return remote_socket_set(value, &PCI_PROXY_DEV(obj)->socket_path, errp);
}

static const Property proxy_props[] = {
    DEFINE_PROP_FD("fd", PCIProxyDev, fd),
    DEFINE_PROP_UINT32("connect-timeout", PCIProxyDev, connect_timeout, 5000),
    DEFINE_PROP_UINT32("timeout", PCIProxyDev, timeout, 10000),
    DEFINE_PROP_UINT32("poll-max-ns", PCIProxyDev, poll_max_ns, 50000),
    { }
};

static void proxy_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = proxy_realize;
    pc->exit = proxy_exit;
    pc->config_read = proxy_read_config;
    pc->config_write = proxy_write_config;
    dc->reset = proxy_reset;
    dc->desc = "PCI device that runs in another process";
    dc->categories = 1 << DEVICE_CATEGORY_MISC;
    device_class_set_props(dc, proxy_props);
    object_class_property_add(oc, "socket", "SocketAddress", get_socket,
                              set_socket, NULL);
    object_class_property_set_description(oc, "socket",
        "where the other process listens: socket.type=unix,socket.path=PATH");
}

static const TypeInfo proxy_types[] = {
    {
        .name = TYPE_PCI_PROXY_DEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PCIProxyDev),
        .instance_init = proxy_init,
        .instance_finalize = proxy_finalize,
        .class_init = proxy_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(proxy_types)
