/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving end of a wire: bytes and descriptors of any kind, cut anywhere.
 *
 *     op 0-3 n bytes   n (1 byte) bytes, with op descriptors
 *     op 4 cmd size    a header: command (1), padding 0, size of payload (2)
 *     op 5 n bytes     n bytes, with n % 10 descriptors
 *     op 6             receive what there is
 *     op 7             a header with any 16 bytes
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "fuzz.h"
#include "hw/remote/mpqemu-link.h"
#include "qemu/sockets.h"

#define MOST_FDS 10

static int some_fd;

void fuzz_init(void)
{
    some_fd = fuzz_memfd(4096);
}

static void take_all(MPQemuChannel *ch, bool *open)
{
    MPQemuMsg msg;
    int ret;

    while (*open && (ret = mpqemu_channel_recv(ch, &msg)) != -EAGAIN) {
        if (ret <= 0) {
            *open = false;
            return;
        }
        if (msg.num_fds < 0 || msg.num_fds > REMOTE_MAX_FDS ||
            msg.size > MPQEMU_MSG_PAYLOAD_MAX) {
            fuzz_fail("a message of %d descriptors, %" PRIu64 " bytes",
                      msg.num_fds, msg.size);
        }
        mpqemu_msg_valid(&msg, NULL);
        mpqemu_msg_close_fds(&msg);
    }
}

static void send_bytes(int fd, const uint8_t *p, unsigned len, int num_fds)
{
    int fds[MOST_FDS];
    struct iovec iov = { (void *)p, len };

    for (int i = 0; i < num_fds; i++) {
        fds[i] = some_fd;
    }
    if (len) {
        socket_send_fds(fd, &iov, 1, fds, num_fds, 1);
    }
}

void fuzz_one(FuzzInput *in)
{
    MPQemuChannel ch;
    bool open = true;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        fuzz_fail("no socket: %s", strerror(errno));
    }
    mpqemu_channel_init(&ch, pair[0]);
    for (int n = 0; open && fuzz_more(in) && n < 100; n++) {
        unsigned op = fuzz_get(in, 1) & 7, len;
        uint8_t header[MPQEMU_MSG_HDR_SIZE] = { 0 };
        const uint8_t *p;

        switch (op) {
        case 4:
            header[0] = fuzz_get(in, 1);
            header[8] = fuzz_get(in, 1);
            header[9] = fuzz_get(in, 1);
            send_bytes(pair[1], header, sizeof(header), 0);
            break;
        case 6:
            take_all(&ch, &open);
            break;
        case 7:
            p = fuzz_bytes(in, MPQEMU_MSG_HDR_SIZE, &len);
            send_bytes(pair[1], p, len, 0);
            break;
        default:
            p = fuzz_bytes(in, fuzz_get(in, 1), &len);
            send_bytes(pair[1], p, len, op == 5 ? len % MOST_FDS : op);
            break;
        }
    }
    close(pair[1]);
    take_all(&ch, &open);
    mpqemu_channel_close(&ch);
}
