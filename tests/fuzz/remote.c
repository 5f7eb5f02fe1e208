/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A remote process with one device: what another process may send it and what
 * a guest may have in its memory, through the code that serves a link.
 *
 * The first byte chooses what is done before (0: all of it): bit 0 no memory
 * table, bit 1 no interrupt descriptors, bit 2 BARs and command register are
 * left alone, bit 3 no initialization by FuzzDevice.prepare.  Then, s being
 * the upper four bits of the operation's byte:
 *
 *     op 0  addr(1) val(4)     config write of 1 << s % 3 bytes
 *     op 1  addr(1)            config read of 1 << s % 3 bytes
 *     op 2  at(2) val(2)       write 1 << s % 4 bytes to BAR s / 4 at @at
 *     op 3  at(2)              read 1 << s % 4 bytes there
 *     op 4  at(2) n(1) bytes   guest memory at 8 * @at becomes these bytes
 *     op 5  at(2) n(1) val(8)  guest memory there becomes n times @val
 *     op 6  us(2)              time goes on
 *     op 7                     s: 0 device reset; 1, 2 resample; 3 SET_IRQFD
 *     op 8  rows               SYNC_SYSMEM of s % 9 rows of gpa(2) size(1)
 *                              offset(1), in pages; s > 8: of wrong kind
 *     op 9                     SET_IRQFD: s % 4 descriptors, s / 4: which;
 *                              s = 15: SET_UNPLUGFD
 *     op 10 addr(8) val(8)     BAR write of 1 << s % 4 bytes, memory if s / 8
 *     op 11 cmd(1) n(1) bytes  a message with that payload
 *     op 12 at(2) val(8)       as 2, with all of the value
 *     op 13-15 ...             FuzzDevice.command
 *
 * Replies must be replies, and a link that ends leaves a device as new.
 */
#include "qemu/osdep.h"
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include "fuzz.h"
#include "fuzz-device.h"
#include "hw/qdev-properties.h"
#include "hw/remote/machine.h"
#include "hw/remote/message.h"
#include "qemu/aio.h"
#include "qemu/sockets.h"
#include "qemu/timer.h"

#define MOST_OPS 200
#define MOST_BARS 4
/* Messages that a batch may have, so that one receive takes them. */
#define BATCH_BYTES 700
#define SETTLE_ROUNDS 24

static struct {
    PCIDevice *pci_dev;
    RemoteLink link;
    uint8_t *ram;
    int ram_fd;
    int nr_bars, bars[MOST_BARS];
    uint64_t fresh_config[PCI_CONFIG_SPACE_SIZE / 8];

    /* Of the input that runs. */
    FuzzInput *in;
    int peer;                           /* the other end of the link */
    int irqfd, resamplefd;              /* -1: none */
    uint8_t batch[BATCH_BYTES + 256];
    unsigned batched;
    unsigned replied;                   /* bytes of the reply not yet whole */
    uint8_t reply[64];
} f;

/* -- The link, from the other side ---------------------------------------- */

static void take_replies(void)
{
    for (;;) {
        ssize_t n = recv(f.peer, f.reply + f.replied,
                         sizeof(f.reply) - f.replied, MSG_DONTWAIT);
        uint64_t size, whole;

        if (n <= 0) {
            return;
        }
        f.replied += n;
        while (f.replied >= MPQEMU_MSG_HDR_SIZE) {
            memcpy(&size, f.reply + 8, sizeof(size));
            whole = MPQEMU_MSG_HDR_SIZE + size;
            if (f.reply[0] != MPQEMU_CMD_RET || (size && size != 8)) {
                fuzz_fail("a reply of command %d with %" PRIu64 " bytes",
                          f.reply[0], size);
            }
            if (f.replied < whole) {
                break;
            }
            f.replied -= whole;
            memmove(f.reply, f.reply + whole, f.replied);
        }
    }
}

static void settle(void)
{
    fuzz_settle(f.link.rd->ctx, SETTLE_ROUNDS);
    take_replies();
}

static void flush_batch(void)
{
    if (f.batched && f.link.open) {
        send(f.peer, f.batch, f.batched, MSG_NOSIGNAL | MSG_DONTWAIT);
        f.batched = 0;
        settle();
    }
}

static void post(int cmd, const void *payload, unsigned size)
{
    uint64_t head[2] = { (uint8_t)cmd, size };

    memcpy(f.batch + f.batched, head, sizeof(head));
    f.batched += sizeof(head);
    if (size) {
        memcpy(f.batch + f.batched, payload, size);
        f.batched += size;
    }
    if (f.batched >= BATCH_BYTES - 40) {
        flush_batch();
    }
}

static void post_with_fds(int cmd, const void *payload, unsigned size,
                          const int *fds, int num_fds)
{
    uint64_t head[2] = { (uint8_t)cmd, size };
    struct iovec iov[2] = {
        { head, sizeof(head) }, { (void *)payload, size },
    };

    flush_batch();
    if (f.link.open) {
        socket_send_fds(f.peer, iov, size ? 2 : 1, fds, num_fds, 1);
        settle();
    }
}

static void config_write(uint32_t addr, uint32_t val, int len)
{
    PciConfDataMsg msg = { addr, val, len };

    post(MPQEMU_CMD_PCI_CFGWRITE, &msg, sizeof(msg));
}

static void bar_message(int cmd, bool memory, uint64_t addr, unsigned size,
                        uint64_t val)
{
    BarAccessMsg msg = {
        .addr = addr, .val = val, .size = size, .memory = memory,
    };

    post(cmd, &msg, sizeof(msg));
}

static uint64_t bar_base(int nr)
{
    return f.pci_dev->io_regions[nr].type & PCI_BASE_ADDRESS_SPACE_IO ?
           0xc000 + 0x400 * nr : 0xe0000000 + 0x1000000u * nr;
}

static void bar_access(int cmd, int which, uint64_t at, unsigned size,
                       uint64_t val)
{
    int nr = f.bars[which % f.nr_bars];
    const PCIIORegion *r = &f.pci_dev->io_regions[nr];

    bar_message(cmd, !(r->type & PCI_BASE_ADDRESS_SPACE_IO),
                bar_base(nr) + at % r->size, size, val);
}

void fuzz_bar_write(uint64_t at, unsigned size, uint64_t val)
{
    bar_access(MPQEMU_CMD_BAR_WRITE, 0, at, size, val);
}

void *fuzz_ram(uint64_t at)
{
    flush_batch();
    return f.ram + at;
}

/* -- Operations ------------------------------------------------------------ */

static void default_memory(void)
{
    /* The second half begins after a hole. */
    SyncSysmemMsg msg = {
        .gpas = { 0, FUZZ_RAM_SIZE },
        .sizes = { FUZZ_RAM_SIZE / 2, FUZZ_RAM_SIZE / 2 },
        .offsets = { 0, FUZZ_RAM_SIZE / 2 },
    };

    post_with_fds(MPQEMU_CMD_SYNC_SYSMEM, &msg, sizeof(msg),
                  (int[]){ f.ram_fd, f.ram_fd }, 2);
}

static void any_memory(unsigned s)
{
    SyncSysmemMsg msg = { 0 };
    int fds[REMOTE_MAX_FDS], n = s % 9;

    for (int i = 0; i < MIN(n, REMOTE_MAX_FDS); i++) {
        msg.gpas[i] = fuzz_get(f.in, 2) << 12;
        msg.sizes[i] = fuzz_get(f.in, 1) << 12;
        msg.offsets[i] = fuzz_get(f.in, 1) << 12;
        fds[i] = s > 8 ? f.irqfd : f.ram_fd;
        if (s == 15) {
            msg.gpas[i] = ~msg.gpas[i];
        }
    }
    if (fds[0] >= 0 || !n) {
        post_with_fds(MPQEMU_CMD_SYNC_SYSMEM, &msg, sizeof(msg), fds, n);
    }
}

static void set_irqfd(int num_fds, unsigned kind)
{
    int fds[3] = { f.irqfd, f.resamplefd, f.ram_fd };

    if (f.irqfd >= 0) {
        if (kind) {
            fds[kind & 1] = f.ram_fd;
        }
        post_with_fds(MPQEMU_CMD_SET_IRQFD, NULL, 0, fds, num_fds);
    }
}

static void fill_memory(uint64_t at, unsigned n, uint64_t val)
{
    at = at * 8 % FUZZ_RAM_SIZE;
    n = MIN(n * 8, FUZZ_RAM_SIZE - at) / 8;
    for (unsigned i = 0; i < n; i++) {
        memcpy(f.ram + at + 8 * i, &val, 8);
    }
}

static void copy_memory(uint64_t at, unsigned n)
{
    const uint8_t *p = fuzz_bytes(f.in, n, &n);

    at = at * 8 % FUZZ_RAM_SIZE;
    memcpy(f.ram + at, p, MIN(n, FUZZ_RAM_SIZE - at));
}

static void other(unsigned s)
{
    switch (s) {
    case 0:
        post(MPQEMU_CMD_DEVICE_RESET, NULL, 0);
        break;
    case 1:
    case 2:
        flush_batch();
        if (f.resamplefd >= 0) {
            eventfd_write(f.resamplefd, 1);
        }
        settle();
        break;
    case 3:
        set_irqfd(2, 0);
        break;
    default:
        flush_batch();
        settle();
        break;
    }
}

static void operation(unsigned op, unsigned s)
{
    PciConfDataMsg conf;
    uint64_t at, val;
    unsigned len, cmd;
    const uint8_t *p;

    switch (op) {
    case 0:
        at = fuzz_get(f.in, 1);
        config_write(at, fuzz_get(f.in, 4), 1 << s % 3);
        break;
    case 1:
        conf = (PciConfDataMsg){ .addr = fuzz_get(f.in, 1), .len = 1 << s % 3 };
        post(MPQEMU_CMD_PCI_CFGREAD, &conf, sizeof(conf));
        break;
    case 2:
    case 12:
        at = fuzz_get(f.in, 2);
        val = fuzz_get(f.in, op == 2 ? 2 : 8);
        bar_access(MPQEMU_CMD_BAR_WRITE, s / 4, at, 1 << s % 4, val);
        break;
    case 3:
        bar_access(MPQEMU_CMD_BAR_READ, s / 4, fuzz_get(f.in, 2), 1 << s % 4,
                   0);
        break;
    case 4:
    case 5:
        flush_batch();
        at = fuzz_get(f.in, 2);
        len = fuzz_get(f.in, 1);
        if (op == 4) {
            copy_memory(at, len);
        } else {
            fill_memory(at, len, fuzz_get(f.in, 8));
        }
        break;
    case 6:
        flush_batch();
        qemu_clock_virtual_set_ns(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                                  fuzz_get(f.in, 2) * SCALE_US);
        settle();
        break;
    case 7:
        other(s);
        break;
    case 8:
        any_memory(s);
        break;
    case 9:
        if (s == 15) {
            post_with_fds(MPQEMU_CMD_SET_UNPLUGFD, NULL, 0, &f.resamplefd, 1);
        } else {
            set_irqfd(s % 4, s / 4);
        }
        break;
    case 10:
        at = fuzz_get(f.in, 8);
        bar_message(MPQEMU_CMD_BAR_WRITE, s / 8, at, 1 << s % 4,
                    fuzz_get(f.in, 8));
        break;
    case 11:
        cmd = fuzz_get(f.in, 1);
        len = fuzz_get(f.in, 1);
        p = fuzz_bytes(f.in, MIN(len, 200), &len);
        post(cmd, p, len);
        break;
    default:
        if (fuzz_device.command) {
            fuzz_device.command(f.in, op - 13, s);
        }
        break;
    }
}

static void prepare(uint8_t without)
{
    if (!(without & 1)) {
        default_memory();
    }
    if (!(without & 2)) {
        set_irqfd(2, 0);
    }
    if (!(without & 4)) {
        for (int i = 0; i < f.nr_bars; i++) {
            config_write(PCI_BASE_ADDRESS_0 + 4 * f.bars[i],
                         bar_base(f.bars[i]), 4);
        }
        config_write(PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                     PCI_COMMAND_MASTER, 2);
    }
    if (!(without & 8) && fuzz_device.prepare) {
        fuzz_device.prepare();
    }
}

/* In the device's context, in which the link is served at the same time. */
static void run_input(void *opaque)
{
    prepare(fuzz_get(f.in, 1));
    for (int n = 0; f.link.open && fuzz_more(f.in) && n < MOST_OPS; n++) {
        uint8_t byte = fuzz_get(f.in, 1);

        operation(byte & 15, byte >> 4);
    }
    flush_batch();
    settle();
    /* The end, as the link sees it. */
    qemu_close(&f.peer);
}

/* -- One input and the next ----------------------------------------------- */

void fuzz_one(FuzzInput *in)
{
    int pair[2];

    f.in = in;
    f.batched = f.replied = 0;
    f.irqfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    f.resamplefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        fuzz_fail("no socket: %s", strerror(errno));
    }
    f.peer = pair[1];
    mpqemu_channel_init(&f.link.ch, pair[0]);
    f.link.open = true;
    f.link.more = false;
    aio_bh_schedule_oneshot(f.link.rd->ctx, run_input, NULL);
    remote_link_serve(&f.link);
    if (memcmp(f.fresh_config, f.pci_dev->config, sizeof(f.fresh_config))) {
        fuzz_fail("config space is not as it was before the link");
    }
    close(f.irqfd);
    close(f.resamplefd);
    memset(f.ram, 0, FUZZ_RAM_SIZE);
}

void fuzz_init(void)
{
    RemoteMachineState *ms;

    fuzz_start_emulator(fuzz_device.args);
    ms = REMOTE_MACHINE(current_machine);
    f.pci_dev = PCI_DEVICE(qdev_find_by_id("d"));
    remote_link_init(&f.link);
    f.link.name = "fuzz";
    f.link.rd = remote_device_of(f.pci_dev);
    f.link.iohub = &ms->iohub;
    memcpy(f.fresh_config, f.pci_dev->config, sizeof(f.fresh_config));
    for (int i = 0; i < PCI_ROM_SLOT && f.nr_bars < MOST_BARS; i++) {
        if (f.pci_dev->io_regions[i].size) {
            f.bars[f.nr_bars++] = i;
        }
    }
    f.ram_fd = fuzz_memfd(FUZZ_RAM_SIZE);
    f.ram = mmap(NULL, FUZZ_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                 f.ram_fd, 0);
    if (f.ram == MAP_FAILED) {
        fuzz_fail("no memory");
    }
}
