/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mpqemu wire format: what a valid message is, and the channel that cuts
 * a byte stream into messages.
 *
 * A channel receives all that is there in one call.  The kernel ends a receive
 * after the bytes that descriptors were sent with, so descriptors belong to
 * the last message that begins in what was received.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/socket.h>
#include "hw/remote/mpqemu-link.h"
#include "qemu/sockets.h"

QEMU_BUILD_BUG_ON(offsetof(MPQemuMsg, data) != MPQEMU_MSG_HDR_SIZE);
QEMU_BUILD_BUG_ON(sizeof(SyncSysmemMsg) != MPQEMU_MSG_PAYLOAD_MAX);
QEMU_BUILD_BUG_ON(sizeof(PciConfDataMsg) != 12);
QEMU_BUILD_BUG_ON(sizeof(BarAccessMsg) != 24);

static const struct {
    const char *name;
    uint64_t size;
    int min_fds, max_fds;
} commands[MPQEMU_CMD_MAX] = {
    [MPQEMU_CMD_SYNC_SYSMEM] =
        { "SYNC_SYSMEM", sizeof(SyncSysmemMsg), 1, REMOTE_MAX_FDS },
    [MPQEMU_CMD_RET] = { "RET", sizeof(uint64_t), 0, 0 },
    [MPQEMU_CMD_PCI_CFGWRITE] = { "PCI_CFGWRITE", sizeof(PciConfDataMsg) },
    [MPQEMU_CMD_PCI_CFGREAD] = { "PCI_CFGREAD", sizeof(PciConfDataMsg) },
    [MPQEMU_CMD_BAR_WRITE] = { "BAR_WRITE", sizeof(BarAccessMsg) },
    [MPQEMU_CMD_BAR_READ] = { "BAR_READ", sizeof(BarAccessMsg) },
    [MPQEMU_CMD_SET_IRQFD] = { "SET_IRQFD", 0, 2, 2 },
    [MPQEMU_CMD_DEVICE_RESET] = { "DEVICE_RESET", 0 },
    [MPQEMU_CMD_SET_UNPLUGFD] = { "SET_UNPLUGFD", 0, 1, 1 },
    [MPQEMU_CMD_SET_MAILBOX] = { "SET_MAILBOX", 0, 1, 1 },
};

const char *mpqemu_cmd_name(int cmd)
{
    return cmd >= 0 && cmd < MPQEMU_CMD_MAX ? commands[cmd].name : "unknown";
}

static bool is_access_size(int64_t size, int64_t max)
{
    return size >= 1 && size <= max && !(size & (size - 1));
}

bool mpqemu_msg_valid(const MPQemuMsg *msg, Error **errp)
{
    const PciConfDataMsg *conf = &msg->data.pci_conf_data;
    const BarAccessMsg *bar = &msg->data.bar_access;

    if (msg->cmd < 0 || msg->cmd >= MPQEMU_CMD_MAX) {
        error_setg(errp, "unknown command %d", msg->cmd);
        return false;
    }
    if (msg->size != commands[msg->cmd].size &&
        !(msg->cmd == MPQEMU_CMD_RET && !msg->size)) {
        error_setg(errp, "%s with a payload of %" PRIu64 " bytes, not %"
                   PRIu64, commands[msg->cmd].name, msg->size,
                   commands[msg->cmd].size);
        return false;
    }
    if (msg->num_fds < commands[msg->cmd].min_fds ||
        msg->num_fds > commands[msg->cmd].max_fds) {
        error_setg(errp, "%s with %d descriptors, not %d to %d",
                   commands[msg->cmd].name, msg->num_fds,
                   commands[msg->cmd].min_fds, commands[msg->cmd].max_fds);
        return false;
    }
    switch (msg->cmd) {
    case MPQEMU_CMD_PCI_CFGREAD:
    case MPQEMU_CMD_PCI_CFGWRITE:
        if (!is_access_size(conf->len, 4)) {
            error_setg(errp, "%s of %d bytes", commands[msg->cmd].name,
                       conf->len);
            return false;
        }
        return true;
    case MPQEMU_CMD_BAR_READ:
    case MPQEMU_CMD_BAR_WRITE:
        if (!is_access_size(bar->size, 8)) {
            error_setg(errp, "%s of %u bytes", commands[msg->cmd].name,
                       bar->size);
            return false;
        }
        if (bar->memory > 1) {
            error_setg(errp, "%s in space %u, neither 0 nor 1",
                       commands[msg->cmd].name, bar->memory);
            return false;
        }
        return true;
    default:
        return true;
    }
}

void mpqemu_msg_close_fds(MPQemuMsg *msg)
{
    for (int i = 0; i < msg->num_fds; i++) {
        qemu_close(&msg->fds[i]);
    }
    msg->num_fds = 0;
}

void mpqemu_channel_init(MPQemuChannel *ch, int fd)
{
    memset(ch, 0, sizeof(*ch));
    ch->fd = fd;
    qemu_set_blocking(fd, false);
}

void mpqemu_channel_close(MPQemuChannel *ch)
{
    for (int i = 0; i < ch->num_fds; i++) {
        qemu_close(&ch->fds[i]);
    }
    ch->num_fds = 0;
    ch->have = 0;
    qemu_close(&ch->fd);
}

/* The length of the message at @at, as far as it is known: 0 while its header
 * is not whole, -EPROTO if no message can be that long. */
static int64_t message_length(const MPQemuChannel *ch, unsigned at)
{
    uint64_t size;

    if (ch->have - at < MPQEMU_MSG_HDR_SIZE) {
        return 0;
    }
    memcpy(&size, ch->buf + at + offsetof(MPQemuMsg, size), sizeof(size));
    if (size > MPQEMU_MSG_PAYLOAD_MAX) {
        return -EPROTO;
    }
    return MPQEMU_MSG_HDR_SIZE + size;
}

static unsigned last_message_start(const MPQemuChannel *ch)
{
    unsigned at = 0;

    for (;;) {
        int64_t length = message_length(ch, at);

        if (length <= 0 || at + length >= ch->have) {
            return at;
        }
        at += length;
    }
}

static int channel_fill(MPQemuChannel *ch)
{
    int fds[REMOTE_MAX_FDS], num_fds = REMOTE_MAX_FDS;
    ssize_t n = socket_recv_fds(ch->fd, ch->buf + ch->have,
                                sizeof(ch->buf) - ch->have, fds, &num_fds,
                                MSG_DONTWAIT);

    if (n <= 0) {
        /* A stream that ends inside a message is broken, not finished. */
        return n == 0 && ch->have ? -EPROTO : n;
    }
    ch->have += n;
    if (num_fds && ch->num_fds) {
        for (int i = 0; i < num_fds; i++) {
            close(fds[i]);
        }
        return -EPROTO;
    }
    if (num_fds) {
        memcpy(ch->fds, fds, num_fds * sizeof(*fds));
        ch->num_fds = num_fds;
        ch->fds_at = last_message_start(ch);
    }
    return 1;
}

static int channel_take(MPQemuChannel *ch, MPQemuMsg *msg)
{
    int64_t length = message_length(ch, 0);

    if (length < 0) {
        return length;
    }
    if (!length || ch->have < length) {
        return -EAGAIN;
    }
    memcpy(msg, ch->buf, length);
    msg->num_fds = 0;
    if (ch->num_fds && ch->fds_at < length) {
        memcpy(msg->fds, ch->fds, ch->num_fds * sizeof(*ch->fds));
        msg->num_fds = ch->num_fds;
        ch->num_fds = 0;
    }
    ch->have -= length;
    ch->fds_at -= MIN(ch->fds_at, length);
    if (ch->have) {
        memmove(ch->buf, ch->buf + length, ch->have);
    }
    return 1;
}

int mpqemu_channel_recv(MPQemuChannel *ch, MPQemuMsg *msg)
{
    int ret = channel_take(ch, msg);

    if (ret != -EAGAIN) {
        return ret;
    }
    ret = channel_fill(ch);
    return ret > 0 ? channel_take(ch, msg) : ret;
}

int mpqemu_channel_send(MPQemuChannel *ch, const MPQemuMsg *msg,
                        int timeout_ms)
{
    struct iovec iov = {
        .iov_base = (void *)msg, .iov_len = MPQEMU_MSG_HDR_SIZE + msg->size,
    };

    if (!msg->num_fds) {
        ssize_t n = send(ch->fd, msg, iov.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n == (ssize_t)iov.iov_len) {
            return 0;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
        if (n > 0) {
            iov.iov_base = (char *)iov.iov_base + n;
            iov.iov_len -= n;
        }
    }
    return socket_send_fds(ch->fd, &iov, 1, msg->fds, msg->num_fds,
                           timeout_ms);
}
