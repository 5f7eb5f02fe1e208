/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link as the remote process serves it: one thread, in which the device and
 * everything that belongs to it runs.  Each request costs one receive and one
 * send, or passes by the mailbox while both sides are awake.  Whatever the
 * other side sends, it reaches only this link's device.
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "hw/remote/message.h"
#include "qemu/aio.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/sockets.h"
#include "qemu/timer.h"

/* How long the other side may leave a reply unread. */
#define REPLY_TIMEOUT_MS 10000
/* Requests served in one go before the device's other events get a turn. */
#define REQUESTS_IN_A_ROW 64
/* With a mailbox, one look in so many is at the socket. */
#define SOCKET_LOOKS 64

/* Somebody who connects again and again is told of that often at once, and
 * then once in so many milliseconds. */
#define TELL_AT_ONCE 16
#define TELL_MS 10000

static bool may_tell(RemoteLink *link)
{
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
    int64_t next = MAX(link->tell_ms, now - TELL_AT_ONCE * TELL_MS) + TELL_MS;

    if (next > now) {
        link->untold++;
        return false;
    }
    link->tell_ms = next;
    return true;
}

static void G_GNUC_PRINTF(2, 3) link_close(RemoteLink *link, const char *fmt,
                                           ...)
{
    if (fmt && may_tell(link)) {
        g_autofree char *why = NULL, *more = NULL;
        va_list ap;

        va_start(ap, fmt);
        why = g_strdup_vprintf(fmt, ap);
        va_end(ap);
        if (link->untold) {
            more = g_strdup_printf(" (as %u before it)", link->untold);
            link->untold = 0;
        }
        error_report("%s: %s; the link is closed%s", link->name, why,
                     more ?: "");
    }
    link->open = false;
}

static void reply(RemoteLink *link, uint64_t value, uint64_t size)
{
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_RET, .size = size, .data.u64 = value,
        .pad = MPQEMU_PAD_MAGIC | MPQEMU_KNOWS_UNPLUG | MPQEMU_KNOWS_MAILBOX,
    };
    int ret = 0;

    if (link->by_mailbox) {
        link->by_mailbox = false;
        ret = mailbox_answer(link->mailbox, value);
        if (ret > 0) {
            link_stats_inc(&link->stats.by_mailbox);
            return;
        }
    }
    if (!ret) {
        ret = mpqemu_channel_send(&link->ch, &msg, REPLY_TIMEOUT_MS);
    }
    if (ret == -EPROTO) {
        link_close(link, "nonsense in the mailbox");
    } else if (ret == -EPIPE || ret == -ECONNRESET) {
        link_close(link, NULL);
    } else if (ret < 0) {
        link_close(link, "a reply could not be sent: %s", strerror(-ret));
    }
}

/* -- One function a command ---------------------------------------------- */

static void process_config_write(RemoteLink *link, MPQemuMsg *msg)
{
    PciConfDataMsg *conf = &msg->data.pci_conf_data;

    pci_host_config_write_common(link->rd->pci_dev, conf->addr, conf->val,
                                 conf->len);
    reply(link, 0, sizeof(uint64_t));
}

static void process_config_read(RemoteLink *link, MPQemuMsg *msg)
{
    PciConfDataMsg *conf = &msg->data.pci_conf_data;
    uint32_t val = pci_host_config_read_common(link->rd->pci_dev, conf->addr,
                                               conf->len);

    reply(link, val & MAKE_64BIT_MASK(0, conf->len * 8), sizeof(uint64_t));
}

static MemTxResult bar_access(RemoteLink *link, BarAccessMsg *bar, void *buf,
                              bool is_write)
{
    AddressSpace *as = bar->memory ? &link->rd->mem_as : &link->rd->io_as;

    return address_space_rw(as, bar->addr, MEMTXATTRS_UNSPECIFIED, buf,
                            bar->size, is_write);
}

static void process_bar_write(RemoteLink *link, MPQemuMsg *msg)
{
    BarAccessMsg *bar = &msg->data.bar_access;
    uint8_t buf[sizeof(uint64_t)];
    MemTxResult result;

    stn_le_p(buf, sizeof(buf), bar->val);
    result = bar_access(link, bar, buf, true);
    reply(link, result ? UINT64_MAX : 0, sizeof(uint64_t));
}

static void process_bar_read(RemoteLink *link, MPQemuMsg *msg)
{
    BarAccessMsg *bar = &msg->data.bar_access;
    uint8_t buf[sizeof(uint64_t)] = { 0 };
    uint64_t value = UINT64_MAX;

    if (!bar_access(link, bar, buf, false)) {
        value = ldn_le_p(buf, sizeof(buf));
    }
    reply(link, value, sizeof(uint64_t));
}

static void process_reset(RemoteLink *link, MPQemuMsg *msg)
{
    pci_device_reset(link->rd->pci_dev);
    reply(link, 0, 0);
}

static void process_sysmem(RemoteLink *link, MPQemuMsg *msg)
{
    g_autoptr(Error) err = NULL;

    if (!remote_sysmem_reconfig(link->rd, msg, &err)) {
        link_close(link, "%s", error_get_pretty(err));
        return;
    }
    link_stats_inc(&link->stats.memory_tables);
}

/* Of anonymous inodes only an eventfd (and fanotify) looks for what is to be
 * written; it must find nothing, because even adding 0 is an interrupt for KVM. */
static bool is_eventfd(int fd)
{
    void *volatile nowhere = NULL;
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == 0 &&
           qemu_set_blocking(fd, false) == 0 &&
           write(fd, nowhere, sizeof(uint64_t)) < 0 && errno == EFAULT;
}

bool process_set_irqfd_msg(RemoteLink *link, MPQemuMsg *msg, Error **errp)
{
    PCIDevice *pci_dev = link->rd->pci_dev;

    if (!is_eventfd(msg->fds[0]) || !is_eventfd(msg->fds[1])) {
        error_setg(errp, "SET_IRQFD with a descriptor that is no eventfd");
        return false;
    }
    remote_iohub_set_fds(link->iohub, remote_iohub_map_irq(pci_dev, 0),
                         msg->fds[0], msg->fds[1], link->rd->ctx,
                         &link->stats);
    msg->num_fds = 0;
    return true;
}

static void process_irqfd(RemoteLink *link, MPQemuMsg *msg)
{
    g_autoptr(Error) err = NULL;

    if (!process_set_irqfd_msg(link, msg, &err)) {
        link_close(link, "%s", error_get_pretty(err));
    }
}

/* In the link's thread: a stranger's descriptor may make it wait. */
static void tell_unplug(void *opaque)
{
    RemoteLink *link = opaque;
    EventNotifier e = { .fd = link->unplug_fd };

    event_notifier_set(&e);
}

static void set_unplug_fd(RemoteLink *link, int fd)
{
    QEMU_LOCK_GUARD(&link->unplug_lock);
    qemu_close(&link->unplug_fd);
    link->unplug_fd = fd;
    g_clear_pointer(&link->unplug_bh, qemu_bh_delete);
    if (fd >= 0) {
        link->unplug_bh = aio_bh_new(link->rd->ctx, tell_unplug, link);
    }
}

static void process_unplugfd(RemoteLink *link, MPQemuMsg *msg)
{
    if (!is_eventfd(msg->fds[0])) {
        link_close(link, "SET_UNPLUGFD with a descriptor that is no eventfd");
        return;
    }
    set_unplug_fd(link, msg->fds[0]);
    msg->num_fds = 0;
}

static bool mailbox_sleep(void *opaque, bool sleep)
{
    RemoteLink *link = opaque;

    return mailbox_set_awake(link->mailbox, !sleep);
}

static void set_mailbox(RemoteLink *link, Mailbox *mb)
{
    mailbox_unmap(link->mailbox);
    link->mailbox = mb;
    aio_set_sleep_hook(link->rd->ctx, mb ? mailbox_sleep : NULL, link);
    if (mb) {
        mailbox_set_awake(mb, true);
    }
}

static void process_mailbox(RemoteLink *link, MPQemuMsg *msg)
{
    g_autoptr(Error) err = NULL;
    Mailbox *mb = mailbox_map(msg->fds[0], &err);

    if (mb) {
        set_mailbox(link, mb);
    } else {
        link_close(link, "%s", error_get_pretty(err));
    }
}

bool remote_link_ask_unplug(RemoteLink *link)
{
    QEMU_LOCK_GUARD(&link->unplug_lock);
    if (link->unplug_bh) {
        qemu_bh_schedule(link->unplug_bh);
    }
    return link->unplug_bh;
}

static const struct {
    void (*process)(RemoteLink *link, MPQemuMsg *msg);
    LinkAccess kind;            /* LINK_ACCESS_MAX: not counted as one */
} requests[MPQEMU_CMD_MAX] = {
    [MPQEMU_CMD_SYNC_SYSMEM] = { process_sysmem, LINK_ACCESS_MAX },
    [MPQEMU_CMD_PCI_CFGWRITE] = { process_config_write, LINK_CONFIG_WRITE },
    [MPQEMU_CMD_PCI_CFGREAD] = { process_config_read, LINK_CONFIG_READ },
    [MPQEMU_CMD_BAR_WRITE] = { process_bar_write, LINK_REGION_WRITE },
    [MPQEMU_CMD_BAR_READ] = { process_bar_read, LINK_REGION_READ },
    [MPQEMU_CMD_SET_IRQFD] = { process_irqfd, LINK_ACCESS_MAX },
    [MPQEMU_CMD_DEVICE_RESET] = { process_reset, LINK_RESET },
    [MPQEMU_CMD_SET_UNPLUGFD] = { process_unplugfd, LINK_ACCESS_MAX },
    [MPQEMU_CMD_SET_MAILBOX] = { process_mailbox, LINK_ACCESS_MAX },
};

/* -- The loop ------------------------------------------------------------ */

static void process(RemoteLink *link, MPQemuMsg *msg)
{
    g_autoptr(Error) err = NULL;
    int64_t begin;

    link->serving = true;
    if (!mpqemu_msg_valid(msg, &err)) {
        link_close(link, "bad message: %s", error_get_pretty(err));
    } else if (!requests[msg->cmd].process) {
        link_close(link, "bad message: %s is no request",
                   mpqemu_cmd_name(msg->cmd));
    } else {
        begin = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        requests[msg->cmd].process(link, msg);
        if (requests[msg->cmd].kind != LINK_ACCESS_MAX) {
            link_stats_access(&link->stats, requests[msg->cmd].kind,
                              qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - begin);
        }
        trace_event("remote_link_request", "%s %s", link->name,
                    mpqemu_cmd_name(msg->cmd));
    }
    mpqemu_msg_close_fds(msg);
    link->serving = false;
}

/* Not by a device that polls while it serves a request: one at a time, or a
 * flood of requests would be as many calls deep. */
static bool may_serve(RemoteLink *link)
{
    return link->open && !link->serving;
}

static bool serve_mailbox(RemoteLink *link)
{
    MPQemuMsg msg;

    if (!may_serve(link) || !link->mailbox ||
        !mailbox_take(link->mailbox, &msg)) {
        return false;
    }
    link->by_mailbox = true;
    process(link, &msg);
    link->by_mailbox = false;   /* also if there was no answer */
    return true;
}

/* Serves what one receive brings.  True if that was anything. */
static bool serve_arrived(RemoteLink *link)
{
    MPQemuMsg msg;
    int n = 0;

    if (!may_serve(link)) {
        return false;           /* or closed by the handler before this */
    }
    do {
        int ret = mpqemu_channel_recv(&link->ch, &msg);

        if (ret == -EAGAIN) {
            break;
        }
        n++;
        if (ret > 0) {
            process(link, &msg);
        } else if (ret == 0 || ret == -ECONNRESET) {
            link_close(link, NULL);
        } else if (ret == -EPROTO) {
            link_close(link, "what arrived is no message");
        } else {
            link_close(link, "receiving failed: %s", strerror(-ret));
        }
    } while (link->open && link->ch.have && n < REQUESTS_IN_A_ROW);
    link->more = n == REQUESTS_IN_A_ROW;
    return n > 0;
}

static void serve_readable(void *opaque)
{
    serve_arrived(opaque);
}

static bool serve_awake(void *opaque)
{
    RemoteLink *link = opaque;

    return serve_mailbox(link) ||
           ((!link->mailbox || ++link->looks % SOCKET_LOOKS == 0) &&
            serve_arrived(link));
}

void remote_link_serve(RemoteLink *link)
{
    RemoteDevice *rd = link->rd;

    aio_set_fd_handler(rd->ctx, link->ch.fd, serve_readable, NULL,
                       serve_awake, link);
    while (link->open) {
        aio_poll(rd->ctx, !link->more);
        /* What came when the thread was about to sleep, or busy. */
        serve_mailbox(link);
        if (link->open && remote_sysmem_lost(rd)) {
            link_close(link, "guest memory was taken away while it was used");
        }
        if (link->open && link->more) {
            /* Left in the channel, where no poll() sees it. */
            serve_arrived(link);
        }
    }
    aio_set_fd_handler(rd->ctx, link->ch.fd, NULL, NULL, NULL, NULL);
    pci_device_reset(rd->pci_dev);
    remote_iohub_clear_fds(link->iohub, remote_iohub_map_irq(rd->pci_dev, 0));
    remote_sysmem_clear(rd);
    set_unplug_fd(link, -1);
    set_mailbox(link, NULL);
    mpqemu_channel_close(&link->ch);
    aio_context_leave(rd->ctx);
}

void remote_link_init(RemoteLink *link)
{
    qemu_mutex_init(&link->unplug_lock);
    link->unplug_fd = -1;
}

void remote_link_finalize(RemoteLink *link)
{
    qemu_mutex_destroy(&link->unplug_lock);
}
