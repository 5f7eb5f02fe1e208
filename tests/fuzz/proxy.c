/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-pci-proxy-dev and a remote process that lies.  A proxy is plugged into a
 * pc; everything that the other side ever says is in its socket before the
 * first question, and the end of the stream comes after it.  An operation is
 * something that the other side says if bit 7 is set:
 *
 *     r = bits 3-6, kind = bits 0-2:
 *     0          r + 1 times RET 0
 *     1          r + 1 times RET of all ones
 *     2 val(1), 3 val(4), 4 val(8)    r % 4 + 1 times RET of that
 *     5          RET without a payload; r odd: RET 0 of one that knows the
 *                commands of the bits of r
 *     6 n(1)     n bytes as they are; r odd: all that follows is said by the
 *                process that comes back (below)
 *     7 val(4)   RET with r descriptors
 *
 * or else what happens in the machine once the proxy is there:
 *
 *     u = bits 4-6, kind = bits 0-3:
 *     0 addr(1) val(4)    config write of 1 << u % 3 bytes
 *     1 addr(1)           config read
 *     2 at(4) val(4)      memory write of 1 << u % 4 bytes at 0xe0000000 + at
 *     3 at(4)             memory read
 *     4 port(2) val(4)    port write of 1 << u % 3 bytes
 *     5 port(2)           port read
 *     6 n(1) addr(1) val(1)    config write of the host bridge (u even) or of
 *                         the ISA bridge: shadow memory, interrupt routing
 *     7                   u: 0 reset, 1 irqfd, 2 resamplefd, 3 the main loop,
 *                         4 the other side asks to be unplugged, 5 the other
 *                         side, if it is gone, is there again
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "fuzz.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "hw/remote/mpqemu-link.h"
#include "hw/remote/proxy.h"
#include "hw/remote/proxy-probe.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "system/memory.h"
#include "system/runstate.h"

#define MOST_REPLIES 150
#define MOST_EVENTS 60

typedef struct Event {
    uint8_t kind, u;
    uint32_t at, val;
} Event;

static int some_fd;
static int peer;
static int again, again_peer;   /* the second connection; -1: none */
static unsigned replies;

static void say(const void *data, unsigned len, int num_fds)
{
    struct iovec iov = { (void *)data, len };
    int fds[16];

    for (int i = 0; i < num_fds; i++) {
        fds[i] = some_fd;
    }
    if (len && replies++ < MOST_REPLIES) {
        socket_send_fds(peer, &iov, 1, fds, num_fds, 1);
    }
}

static void say_ret(uint64_t val, uint64_t size, uint32_t pad, int num_fds)
{
    uint64_t msg[3] = { MPQEMU_CMD_RET | (uint64_t)pad << 32, size, val };

    say(msg, MPQEMU_MSG_HDR_SIZE + size, num_fds);
}

/* What is said from now on is said there. */
static void come_back(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        fuzz_fail("no socket: %s", strerror(errno));
    }
    shutdown(peer, SHUT_WR);
    again = pair[0];
    again_peer = peer;
    peer = pair[1];
    replies = 0;
}

static void reply(FuzzInput *in, uint8_t byte)
{
    unsigned kind = byte & 7, r = byte >> 3 & 15, n, len;
    static const uint8_t width[8] = { [2] = 1, 4, 8, [7] = 4 };
    uint64_t val = fuzz_get(in, width[kind]);
    const uint8_t *p;

    switch (kind) {
    case 5:
        say_ret(0, r & 1 ? 8 : 0, r & 1 ? MPQEMU_PAD_MAGIC | r : 0, 0);
        break;
    case 6:
        p = fuzz_bytes(in, fuzz_get(in, 1), &len);
        say(p, len, 0);
        if (r & 1 && again < 0) {
            come_back();
        }
        break;
    case 7:
        say_ret(val, 8, 0, r);
        break;
    default:
        n = kind < 2 ? r + 1 : r % 4 + 1;
        while (n--) {
            say_ret(kind == 1 ? UINT64_MAX : val, 8, 0, 0);
        }
        break;
    }
}

static Event event(FuzzInput *in, uint8_t byte)
{
    static const uint8_t at[8] = { 1, 1, 4, 4, 2, 2, 1, 0 },
                         val[8] = { 4, 0, 4, 0, 4, 0, 1, 0 };
    Event e = { .kind = byte & 7, .u = byte >> 4 & 7 };

    e.at = fuzz_get(in, at[e.kind]);
    e.val = fuzz_get(in, val[e.kind]);
    return e;
}

static void access_space(AddressSpace *as, uint64_t addr, uint32_t val,
                         unsigned size, bool is_write)
{
    uint64_t buf = val;

    address_space_rw(as, addr, MEMTXATTRS_UNSPECIFIED, &buf, size, is_write);
}

static void nothing(void *opaque)
{
}

/* As proxy-return.c does it, without its thread and its waiting. */
static void try_return(PCIProxyDev *dev)
{
    Error *err = NULL;
    ProxyLink *link;
    ProxyShape shape;

    fuzz_settle(qemu_get_aio_context(), 8);
    if (!dev->gone || again < 0) {
        return;
    }
    link = mpqemu_proxy_link_new(again, 1, 0, nothing, NULL);
    again = -1;
    if (proxy_probe(link, &shape, &err) &&
        proxy_shape_equal(&shape, &dev->shape) &&
        proxy_replay(link, PCI_DEVICE(dev)->config, &err)) {
        proxy_take_over(dev, link);
        return;
    }
    error_free(err);
    link->ops->free(link);
}

static void happen(PCIProxyDev *dev, const Event *e)
{
    PCIDevice *pci_dev = PCI_DEVICE(dev);
    unsigned size = 1 << e->u % 3;

    switch (e->kind) {
    case 0:
        pci_host_config_write_common(pci_dev, e->at, e->val, size);
        break;
    case 1:
        pci_host_config_read_common(pci_dev, e->at, size);
        break;
    case 2:
    case 3:
        access_space(&address_space_memory, 0xe0000000ull + e->at, e->val,
                     1 << e->u % 4, e->kind == 2);
        break;
    case 4:
    case 5:
        access_space(&address_space_io, e->at, e->val, size, e->kind == 4);
        break;
    case 6:
        access_space(&address_space_io, 0xcf8, 0x80000000 | (e->u & 1) << 11 |
                     (e->at & 0xfc), 4, true);
        access_space(&address_space_io, 0xcfc + (e->at & 3), e->val, 1, true);
        break;
    default:
        if (e->u == 0) {
            pci_device_reset(pci_dev);
        } else if (e->u == 1) {
            event_notifier_set(&dev->intr);
        } else if (e->u == 2) {
            event_notifier_set(&dev->resample);
        } else if (e->u == 4 && dev->unplug.fd >= 0) {
            event_notifier_set(&dev->unplug);
        } else if (e->u == 5) {
            try_return(dev);
        }
        fuzz_settle(qemu_get_aio_context(), 8);
        break;
    }
}

/* With what ports and registers have of the last input. */
static void reset_machine(void)
{
    memory_region_transaction_begin();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    memory_region_transaction_commit();
}

static DeviceState *plug(int fd)
{
    g_autoptr(JsonObject) opts = json_object_new();
    g_autofree char *text = g_strdup_printf("%d", fd);
    DeviceState *dev;
    Error *err = NULL;

    json_object_set_string_member(opts, "driver", TYPE_PCI_PROXY_DEV);
    json_object_set_string_member(opts, "id", "d");
    json_object_set_string_member(opts, "addr", "4");
    json_object_set_string_member(opts, "timeout", "1");
    json_object_set_string_member(opts, "poll-max-ns", "0");
    json_object_set_string_member(opts, "fd", text);
    dev = qdev_device_add(opts, &err);
    if (!dev) {
        error_report_err(err);
    }
    return dev;
}

void fuzz_one(FuzzInput *in)
{
    Event events[MOST_EVENTS];
    unsigned num_events = 0;
    DeviceState *dev;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        fuzz_fail("no socket: %s", strerror(errno));
    }
    peer = pair[1];
    again = again_peer = -1;
    replies = 0;
    while (fuzz_more(in) && num_events < MOST_EVENTS) {
        uint8_t byte = fuzz_get(in, 1);

        if (byte & 0x80) {
            reply(in, byte);
        } else {
            events[num_events++] = event(in, byte);
        }
    }
    shutdown(peer, SHUT_WR);
    dev = plug(pair[0]);
    /* The guest may give it back. */
    for (unsigned i = 0; dev && i < num_events; i++) {
        happen(PCI_PROXY_DEV(dev), &events[i]);
        dev = qdev_find_by_id("d");
    }
    if (dev) {
        qdev_unplug_complete(dev);
    }
    reset_machine();
    fuzz_settle(qemu_get_aio_context(), 16);
    close(peer);
    qemu_close(&again);
    qemu_close(&again_peer);
}

void fuzz_init(void)
{
    fuzz_start_emulator("-accel qtest -display none -nodefaults -object "
                        "memory-backend-memfd,id=ram,size=8M -m 8M "
                        "-machine pc,memory-backend=ram");
    /* The bus is not one for hot plug; so the machine is never complete. */
    qdev_hotplug = false;
    some_fd = fuzz_memfd(4096);
}
