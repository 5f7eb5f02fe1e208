/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mpqemu wire format (docs/interop/mpqemu.md) and the channel that carries
 * it.  A channel is one thread's at a time.
 */
#ifndef HW_REMOTE_MPQEMU_LINK_H
#define HW_REMOTE_MPQEMU_LINK_H

#include "qapi/error.h"

#define REMOTE_MAX_FDS 8
#define MPQEMU_MSG_HDR_SIZE 16
#define MPQEMU_MSG_PAYLOAD_MAX 192

typedef enum MPQemuCmd {
    MPQEMU_CMD_SYNC_SYSMEM,
    MPQEMU_CMD_RET,
    MPQEMU_CMD_PCI_CFGWRITE,
    MPQEMU_CMD_PCI_CFGREAD,
    MPQEMU_CMD_BAR_WRITE,
    MPQEMU_CMD_BAR_READ,
    MPQEMU_CMD_SET_IRQFD,
    MPQEMU_CMD_DEVICE_RESET,
    MPQEMU_CMD_SET_UNPLUGFD,            /* if MPQEMU_KNOWS_UNPLUG */
    MPQEMU_CMD_SET_MAILBOX,             /* if MPQEMU_KNOWS_MAILBOX */
    MPQEMU_CMD_MAX,
} MPQemuCmd;

/* In the padding of a RET, where upstream has zero: the upper half says that
 * the lower half says which commands that are not upstream's are known. */
#define MPQEMU_PAD_MAGIC 0x4d500000
#define MPQEMU_PAD_MAGIC_MASK 0xffff0000
#define MPQEMU_KNOWS_UNPLUG 1
#define MPQEMU_KNOWS_MAILBOX 2

typedef struct SyncSysmemMsg {
    uint64_t gpas[REMOTE_MAX_FDS];      /* guest physical addresses */
    uint64_t sizes[REMOTE_MAX_FDS];     /* bytes */
    uint64_t offsets[REMOTE_MAX_FDS];   /* bytes into the descriptor */
} SyncSysmemMsg;

typedef struct PciConfDataMsg {
    uint32_t addr;
    uint32_t val;
    int32_t len;                        /* 1, 2 or 4 */
} PciConfDataMsg;

typedef struct BarAccessMsg {
    uint64_t addr;                      /* guest physical, or port */
    uint64_t val;
    uint32_t size;                      /* 1, 2, 4 or 8 */
    uint8_t memory;                     /* 1 memory space, 0 I/O space */
    uint8_t pad[3];
} BarAccessMsg;

typedef struct MPQemuMsg {
    int32_t cmd;
    uint32_t pad;
    uint64_t size;                      /* of the payload */
    union {
        uint64_t u64;
        SyncSysmemMsg sync_sysmem;
        PciConfDataMsg pci_conf_data;
        BarAccessMsg bar_access;
    } data;

    /* Not on the wire. */
    int fds[REMOTE_MAX_FDS];
    int num_fds;
} MPQemuMsg;

/**
 * mpqemu_msg_valid - every check that a message allows by itself.
 * @msg: as received; a receiver does nothing with it before this
 *
 * Command, payload size, number of descriptors, lengths and flags of the
 * payload.  Returns false with @errp saying which field is wrong.
 */
bool mpqemu_msg_valid(const MPQemuMsg *msg, Error **errp);
/* Closes the descriptors that nobody took. */
void mpqemu_msg_close_fds(MPQemuMsg *msg);
const char *mpqemu_cmd_name(int cmd);

/* What was read and not yet handed out; one receive call takes all that has
 * arrived, so that a request costs one. */
typedef struct MPQemuChannel {
    int fd;
    unsigned have;                      /* bytes in buf */
    unsigned fds_at;                    /* start in buf of the message that
                                           fds came with */
    int num_fds;
    int fds[REMOTE_MAX_FDS];
    uint8_t buf[4 * (MPQEMU_MSG_HDR_SIZE + MPQEMU_MSG_PAYLOAD_MAX)];
} MPQemuChannel;

/* Takes @fd, a connected stream socket, over and makes it non-blocking. */
void mpqemu_channel_init(MPQemuChannel *ch, int fd);
void mpqemu_channel_close(MPQemuChannel *ch);

/**
 * mpqemu_channel_recv - the next message, without waiting.
 * @msg: filled in; its descriptors are the caller's
 *
 * Returns 1; 0 at end of file; -EAGAIN when no whole message is there yet;
 * another -errno when the stream is broken (-EPROTO: it is not this format).
 */
int mpqemu_channel_recv(MPQemuChannel *ch, MPQemuMsg *msg);

/* Sends @msg with its descriptors, which stay the caller's.  Waits at most
 * @timeout_ms for room.  0 or -errno. */
int mpqemu_channel_send(MPQemuChannel *ch, const MPQemuMsg *msg,
                        int timeout_ms);

#endif
