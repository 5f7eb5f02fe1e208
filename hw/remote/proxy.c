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
 * once.  If it was reached by a path, another may take its place there
 * (proxy-return.c).
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
#include "qemu/timer.h"
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

/*
 * What the specification (PCI 3.0, 6.2.1, 6.2.4) lets nobody change while a
 * device exists.  The class is not among it: IDE controllers change theirs.
 */
static bool is_constant(uint32_t addr, int len)
{
    static const struct {
        uint8_t first, end;
    } constant[] = {
        { PCI_VENDOR_ID, PCI_COMMAND },
        { PCI_REVISION_ID, PCI_CLASS_PROG },
        { PCI_SUBSYSTEM_VENDOR_ID, PCI_ROM_ADDRESS },
        { PCI_INTERRUPT_PIN, PCI_INTERRUPT_PIN + 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(constant); i++) {
        if (addr >= constant[i].first && addr + len <= constant[i].end) {
            return true;
        }
    }
    return false;
}

static uint32_t fetch_config(PCIProxyDev *dev, uint32_t addr, int len)
{
    uint32_t val;
    bool ok;

    wait_begin(dev);
    ok = dev->link->ops->config_read(dev->link, addr, len, &val);
    wait_end(dev);
    return ok ? val : MAKE_64BIT_MASK(0, len * 8);
}

static uint32_t proxy_read_config(PCIDevice *pci_dev, uint32_t addr, int len)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);

    if (is_constant(addr, len) && !proxy_link_is_dead(dev->link)) {
        return pci_default_read_config(pci_dev, addr, len);
    }
    return fetch_config(dev, addr, len);
}

static void proxy_write_config(PCIDevice *pci_dev, uint32_t addr, uint32_t val,
                               int len)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);
    unsigned returns;
    bool ok;

    /* What a dead process did not take is for the one that has come in the
     * meantime, which was programmed before this write. */
    do {
        returns = dev->returns;
        wait_begin(dev);
        ok = dev->link->ops->config_write(dev->link, addr, val, len);
        wait_end(dev);
    } while (!ok && returns != dev->returns);
    /* BARs and the command register decide what is mapped here, too; unless
     * the device was unplugged meanwhile, and has no registers any more. */
    if (DEVICE(dev)->realized) {
        pci_default_write_config(pci_dev, addr, val, len);
    }
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

/* -- What the device is --------------------------------------------------- */

static void add_region(PCIProxyDev *dev, int nr, const ProxyBar *bar)
{
    ProxyMemoryRegion *r = &dev->region[nr];
    g_autofree char *name = g_strdup_printf("%s-region-%d", TYPE_PCI_PROXY_DEV,
                                            nr);

    r->dev = dev;
    r->nr = nr;
    r->memory = !(bar->type & PCI_BASE_ADDRESS_SPACE_IO);
    memory_region_init_io(&r->mr, OBJECT(dev), &region_ops, r, name,
                          bar->size);
    pci_register_bar(&dev->parent_dev, nr, bar->type, &r->mr);
}

static bool probe_device(PCIProxyDev *dev, Error **errp)
{
    ProxyShape *shape = &dev->shape;
    uint8_t *config = dev->parent_dev.config;

    if (!proxy_probe(dev->link, shape, errp)) {
        return false;
    }
    for (int i = 0; i < PROXY_ID_REGISTERS; i++) {
        pci_set_long(config + proxy_id_registers[i], shape->ids[i]);
    }
    config[PCI_INTERRUPT_PIN] = shape->pin;
    for (int nr = 0; nr < PCI_NUM_REGIONS; nr++) {
        if (shape->bars[nr].size) {
            add_region(dev, nr, &shape->bars[nr]);
        }
    }
    return true;
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
 * A new irqfd and resamplefd.  The latter is as after the guest's EOI: the other
 * side is to raise again if its level is high.  It is not written to, because
 * who shares an eventfd can make writes to it wait; and who had the two before
 * has no interrupt any more.  Returns 0 or -errno, then without any.
 */
static int renew_irqfds(PCIProxyDev *dev)
{
    int ret;

    event_notifier_cleanup(&dev->intr);
    event_notifier_cleanup(&dev->resample);
    ret = event_notifier_init(&dev->intr, false);
    if (ret == 0) {
        ret = event_notifier_init(&dev->resample, true);
    }
    if (ret < 0) {
        event_notifier_cleanup(&dev->intr);
    }
    return ret;
}

static int send_irqfds(PCIProxyDev *dev)
{
    return dev->link->ops->set_irqfd(dev->link, dev->intr.fd,
                                     dev->resample.fd);
}

/*
 * Has the device's interrupt delivered where the chipset routes the pin now.
 * Leaving a GSI takes the device's level off it, and a signal may have been on
 * its way: all begins anew.
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
    if (gsi < 0) {
        return;
    }
    ret = renew_irqfds(dev);
    if (ret == 0) {
        ret = kvm_irqchip_add_irqfd_notifier_gsi(&dev->intr, &dev->resample,
                                                 gsi);
    }
    if (ret == 0) {
        dev->gsi = gsi;
        ret = send_irqfds(dev);
    }
    if (ret == 0) {
        dev->told_no_irq = false;
        return;
    }
    leave_gsi(dev);
    if (!dev->told_no_irq) {
        dev->told_no_irq = true;
        error_report("%s: no interrupts: cannot have them delivered at GSI "
                     "%d: %s", qdev_get_printable_name(DEVICE(dev)), gsi,
                     strerror(-ret));
    }
}

static bool init_interrupts(PCIProxyDev *dev, Error **errp)
{
    int ret = renew_irqfds(dev);

    if (ret == 0) {
        ret = event_notifier_init(&dev->unplug, false);
    }
    if (ret == 0) {
        ret = send_irqfds(dev);
    }
    if (ret < 0) {
        error_setg_errno(errp, -ret, "no eventfd for the device");
        return false;
    }
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
        proxy_return_start(dev);
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
    fetch_config(dev, PCI_VENDOR_ID, 2);
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

/* -- Its return, and its wish to go ---------------------------------------- */

/* A process that asks without end is heard, and told of, now and then. */
#define UNPLUG_HEARD_MS 1000
#define UNPLUG_TOLD_MS 60000

/* Main loop: what remote_object's device_del has asked for. */
static void asked_to_unplug(EventNotifier *e)
{
    PCIProxyDev *dev = container_of(e, PCIProxyDev, unplug);
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
    g_autoptr(Error) err = NULL;

    if (!event_notifier_test_and_clear(e)) {
        return;
    }
    aio_set_event_notifier(qemu_get_aio_context(), e, NULL);
    timer_mod(dev->unplug_timer, now + UNPLUG_HEARD_MS);
    if (!qdev_unplug(DEVICE(dev), &err) && now >= dev->unplug_tell_ms) {
        dev->unplug_tell_ms = now + UNPLUG_TOLD_MS;
        warn_report("%s: the device's process asks for it to be unplugged: %s",
                    qdev_get_printable_name(DEVICE(dev)),
                    error_get_pretty(err));
    }
}

static void hear_unplug(void *opaque)
{
    PCIProxyDev *dev = opaque;

    aio_set_event_notifier(qemu_get_aio_context(), &dev->unplug,
                           asked_to_unplug);
}

void proxy_take_over(PCIProxyDev *dev, ProxyLink *link)
{
    g_autoptr(Error) err = NULL;
    JsonObject *data = json_object_new();

    dev->fd = link->ops->get_fd(link);
    dev->link->ops->take_over(dev->link, link);
    dev->gone = false;
    dev->returns++;
    proxy_memory_listener_resend(&dev->listener);
    dev->link->ops->set_unplugfd(dev->link, dev->unplug.fd);
    dev->link->ops->open_mailbox(dev->link);
    if (!watch_hangup(dev, &err)) {
        warn_report_err(g_steal_pointer(&err));
    }
    follow_route(&dev->parent_dev);
    info_report("%s: the device's process is back",
                qdev_get_printable_name(DEVICE(dev)));
    if (DEVICE(dev)->id) {
        json_object_set_string_member(data, "device", DEVICE(dev)->id);
    }
    monitor_event("X_PCI_PROXY_DEV_BACK", data);
}

/* -- Life ---------------------------------------------------------------- */

static void proxy_exit(PCIDevice *pci_dev)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(pci_dev);

    proxy_return_stop(dev);
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
    g_clear_pointer(&dev->unplug_timer, timer_free);
    if (dev->unplug.fd >= 0) {
        aio_set_event_notifier(qemu_get_aio_context(), &dev->unplug, NULL);
    }
    event_notifier_cleanup(&dev->intr);
    event_notifier_cleanup(&dev->resample);
    event_notifier_cleanup(&dev->unplug);
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
    dev->intr.fd = dev->resample.fd = dev->unplug.fd = -1;
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
    dev->unplug_timer = aio_timer_new(qemu_get_aio_context(),
                                      QEMU_CLOCK_REALTIME, SCALE_MS,
                                      hear_unplug, dev);
    hear_unplug(dev);
    dev->link->ops->set_unplugfd(dev->link, dev->unplug.fd);
    dev->link->ops->open_mailbox(dev->link);
    pci_device_set_intx_routing_notifier(pci_dev, follow_route);
    follow_route(pci_dev);
    return true;
}

static void proxy_reset(DeviceState *qdev)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(qdev);
    unsigned returns;
    bool ok;

    do {                        /* as in proxy_write_config() */
        returns = dev->returns;
        wait_begin(dev);
        ok = dev->link->ops->reset(dev->link);
        wait_end(dev);
    } while (!ok && returns != dev->returns);
}

static void proxy_init(Object *obj)
{
    PCI_PROXY_DEV(obj)->fd = -1;
}

static void proxy_finalize(Object *obj)
{
    PCIProxyDev *dev = PCI_PROXY_DEV(obj);

    for (int nr = 0; nr < PCI_NUM_REGIONS; nr++) {
        memory_region_finalize(&dev->region[nr].mr);
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
    DEFINE_PROP_FD("fd", PCIProxyDev, fd,
        .description = "connected UNIX stream socket, by number or by name (getfd)"),
    DEFINE_PROP_UINT32("connect-timeout", PCIProxyDev, connect_timeout, 5000,
        .description = "ms to wait for who listens at the path"),
    DEFINE_PROP_UINT32("timeout", PCIProxyDev, timeout, 10000,
        .description = "ms after which a process that does not answer is gone"),
    DEFINE_PROP_UINT32("poll-max-ns", PCIProxyDev, poll_max_ns, 100000,
        .description = "longest time to spin for an answer; 0: never"),
    DEFINE_PROP_UINT32("reconnect-ms", PCIProxyDev, reconnect_ms, 1000,
        .description = "ms between looks for a process that went away; 0: none"),
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
