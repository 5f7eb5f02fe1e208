/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mpqemu wire: what is a message, and how a stream is cut into them. */
#include "qemu/osdep.h"
#include <sys/eventfd.h>
#include <sys/socket.h>
#include "hw/remote/mpqemu-link.h"
#include "qemu/sockets.h"

typedef struct World {
    MPQemuChannel ch;
    int peer;
} World;

static void world_init(World *w)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    ==, 0);
    mpqemu_channel_init(&w->ch, fds[0]);
    w->peer = fds[1];
}

static void world_end(World *w)
{
    mpqemu_channel_close(&w->ch);
    qemu_close(&w->peer);
}

static int count_fds(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    int n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

static MPQemuMsg good(int cmd)
{
    MPQemuMsg msg = { .cmd = cmd };

    switch (cmd) {
    case MPQEMU_CMD_SYNC_SYSMEM:
        msg.size = 192;
        msg.num_fds = 1;
        break;
    case MPQEMU_CMD_RET:
        msg.size = 8;
        break;
    case MPQEMU_CMD_PCI_CFGREAD:
    case MPQEMU_CMD_PCI_CFGWRITE:
        msg.size = 12;
        msg.data.pci_conf_data.len = 4;
        break;
    case MPQEMU_CMD_BAR_READ:
    case MPQEMU_CMD_BAR_WRITE:
        msg.size = 24;
        msg.data.bar_access.size = 8;
        msg.data.bar_access.memory = 1;
        break;
    case MPQEMU_CMD_SET_IRQFD:
        msg.num_fds = 2;
        break;
    case MPQEMU_CMD_SET_UNPLUGFD:
    case MPQEMU_CMD_SET_MAILBOX:
        msg.num_fds = 1;
        break;
    }
    return msg;
}

static void assert_valid(const MPQemuMsg *msg, bool want)
{
    g_autoptr(Error) err = NULL;

    g_assert_cmpint(mpqemu_msg_valid(msg, &err), ==, want);
    g_assert_cmpint(err == NULL, ==, want);
}

static void test_valid(void)
{
    for (int cmd = 0; cmd < MPQEMU_CMD_MAX; cmd++) {
        MPQemuMsg msg = good(cmd);

        assert_valid(&msg, true);
        msg.size ^= 4;
        assert_valid(&msg, false);
        msg = good(cmd);
        msg.num_fds = cmd == MPQEMU_CMD_SYNC_SYSMEM ? 0 : msg.num_fds + 1;
        assert_valid(&msg, false);
    }
    for (int cmd = -2; cmd < 1000; cmd++) {
        MPQemuMsg msg = { .cmd = cmd };

        if (cmd < 0 || cmd >= MPQEMU_CMD_MAX) {
            assert_valid(&msg, false);
        }
    }
}

static void test_lengths(void)
{
    for (int64_t len = -1; len < 20; len++) {
        MPQemuMsg msg = good(MPQEMU_CMD_PCI_CFGREAD);
        bool right = len == 1 || len == 2 || len == 4;

        msg.data.pci_conf_data.len = len;
        assert_valid(&msg, right);
        msg = good(MPQEMU_CMD_BAR_WRITE);
        msg.data.bar_access.size = len;
        assert_valid(&msg, right || len == 8);
    }
    for (int memory = 0; memory < 256; memory++) {
        MPQemuMsg msg = good(MPQEMU_CMD_BAR_READ);

        msg.data.bar_access.memory = memory;
        assert_valid(&msg, memory <= 1);
    }
}

static void test_byte_by_byte(void)
{
    MPQemuMsg sent = good(MPQEMU_CMD_BAR_WRITE), got;
    const char *bytes = (const char *)&sent;
    World w;

    world_init(&w);
    sent.data.bar_access.val = 0x1122334455667788ULL;
    for (unsigned i = 0; i < 40; i++) {
        g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EAGAIN);
        g_assert_cmpint(send(w.peer, bytes + i, 1, 0), ==, 1);
    }
    g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, 1);
    g_assert_cmpmem(&got, 40, &sent, 40);
    g_assert_cmpint(got.num_fds, ==, 0);
    world_end(&w);
}

static void send_all(int fd, const MPQemuMsg *msg)
{
    struct iovec iov = { (void *)msg, 16 + msg->size };

    g_assert_cmpint(socket_send_fds(fd, &iov, 1, msg->fds, msg->num_fds, 1000),
                    ==, 0);
}

static void test_fds_belong_to_their_message(void)
{
    MPQemuMsg plain = good(MPQEMU_CMD_PCI_CFGREAD);
    MPQemuMsg irq = good(MPQEMU_CMD_SET_IRQFD), got;
    int before = count_fds();
    World w;

    world_init(&w);
    irq.fds[0] = eventfd(0, 0);
    irq.fds[1] = eventfd(0, 0);
    send_all(w.peer, &plain);
    send_all(w.peer, &plain);
    send_all(w.peer, &irq);
    send_all(w.peer, &plain);
    mpqemu_msg_close_fds(&irq);
    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, 1);
        g_assert_cmpint(got.num_fds, ==, i == 2 ? 2 : 0);
        mpqemu_msg_close_fds(&got);
    }
    g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EAGAIN);
    world_end(&w);
    g_assert_cmpint(count_fds(), ==, before);
}

static void test_unread_fds_are_closed(void)
{
    MPQemuMsg irq = good(MPQEMU_CMD_SET_IRQFD), got;
    int before = count_fds();
    World w;

    world_init(&w);
    irq.fds[0] = eventfd(0, 0);
    irq.fds[1] = eventfd(0, 0);
    /* A header that announces more than comes. */
    irq.size = 8;
    irq.cmd = MPQEMU_CMD_RET;
    {
        struct iovec iov = { &irq, 16 };

        socket_send_fds(w.peer, &iov, 1, irq.fds, 2, 1000);
    }
    close(irq.fds[0]);
    close(irq.fds[1]);
    g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EAGAIN);
    world_end(&w);
    g_assert_cmpint(count_fds(), ==, before);
}

/* Descriptors for a message that has some already: there is no such sender. */
static void test_fds_twice(void)
{
    MPQemuMsg irq = good(MPQEMU_CMD_SET_IRQFD), got;
    int before = count_fds();
    World w;

    for (int cut = 1; cut < 16; cut += 7) {
        struct iovec first = { &irq, cut };
        struct iovec second = { (char *)&irq + cut, 16 - cut };

        world_init(&w);
        irq.fds[0] = eventfd(0, 0);
        irq.fds[1] = eventfd(0, 0);
        g_assert_cmpint(socket_send_fds(w.peer, &first, 1, irq.fds, 2, 1000),
                        ==, 0);
        g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EAGAIN);
        g_assert_cmpint(socket_send_fds(w.peer, &second, 1, irq.fds, 2, 1000),
                        ==, 0);
        g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EPROTO);
        close(irq.fds[0]);
        close(irq.fds[1]);
        world_end(&w);
        g_assert_cmpint(count_fds(), ==, before);
    }
}

static void test_nine_fds(void)
{
    MPQemuMsg msg = good(MPQEMU_CMD_SYNC_SYSMEM), got;
    char control[CMSG_SPACE(9 * sizeof(int))] = { 0 };
    struct iovec iov = { &msg, 16 + 192 };
    struct msghdr mh = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
    int before = count_fds(), fds[9];
    World w;

    world_init(&w);
    for (int i = 0; i < 9; i++) {
        fds[i] = w.peer;
    }
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(c), fds, sizeof(fds));
    g_assert_cmpint(sendmsg(w.peer, &mh, 0), ==, 208);
    g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EMSGSIZE);
    world_end(&w);
    g_assert_cmpint(count_fds(), ==, before);
}

static void test_too_long(void)
{
    uint64_t sizes[] = { 193, 4096, UINT32_MAX, INT64_MAX, UINT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        MPQemuMsg msg = { .cmd = MPQEMU_CMD_RET, .size = sizes[i] }, got;
        World w;

        world_init(&w);
        g_assert_cmpint(send(w.peer, &msg, 16, 0), ==, 16);
        g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, -EPROTO);
        world_end(&w);
    }
}

static void test_end_of_stream(void)
{
    MPQemuMsg msg = good(MPQEMU_CMD_RET), got;
    World w;

    for (unsigned cut = 0; cut <= 24; cut++) {
        world_init(&w);
        if (cut) {
            g_assert_cmpint(send(w.peer, &msg, cut, 0), ==, cut);
        }
        qemu_close(&w.peer);
        if (cut == 24) {
            g_assert_cmpint(mpqemu_channel_recv(&w.ch, &got), ==, 1);
        }
        /* The first call takes the fragment, the second meets the end. */
        int ret = mpqemu_channel_recv(&w.ch, &got);
        if (ret == -EAGAIN) {
            ret = mpqemu_channel_recv(&w.ch, &got);
        }
        g_assert_cmpint(ret, ==, cut == 0 || cut == 24 ? 0 : -EPROTO);
        world_end(&w);
    }
}

static void test_full_socket(void)
{
    MPQemuMsg msg = good(MPQEMU_CMD_SYNC_SYSMEM);
    World w;
    int ret;

    world_init(&w);
    msg.num_fds = 0;
    do {
        ret = mpqemu_channel_send(&w.ch, &msg, 10);
    } while (ret == 0);
    g_assert_cmpint(ret, ==, -ETIMEDOUT);
    qemu_close(&w.peer);
    g_assert_cmpint(mpqemu_channel_send(&w.ch, &msg, 10), ==, -EPIPE);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mpqemu/valid-messages-and-no-others", test_valid);
    g_test_add_func("/mpqemu/access-lengths-are-powers-of-two", test_lengths);
    g_test_add_func("/mpqemu/message-in-single-bytes", test_byte_by_byte);
    g_test_add_func("/mpqemu/descriptors-belong-to-their-message",
                    test_fds_belong_to_their_message);
    g_test_add_func("/mpqemu/unread-descriptors-are-closed",
                    test_unread_fds_are_closed);
    g_test_add_func("/mpqemu/descriptors-twice-are-refused-and-closed",
                    test_fds_twice);
    g_test_add_func("/mpqemu/nine-descriptors-are-refused-and-closed",
                    test_nine_fds);
    g_test_add_func("/mpqemu/payload-past-192-bytes-is-refused",
                    test_too_long);
    g_test_add_func("/mpqemu/end-inside-a-message-is-an-error",
                    test_end_of_stream);
    g_test_add_func("/mpqemu/full-socket-times-out", test_full_socket);
    return g_test_run();
}
