/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mailbox of a link, beside a process that writes to the page between any
 * two accesses to it.  The lower bit of the first byte chooses who is tested:
 * 0 the device's process (edu), 1 the proxy's end of the link.  The next byte
 * is how often it looks before it sleeps.
 *
 * What the other side does is a list of steps, in order: operations with bit 7
 * set.  Before each, wait = bits 3-6 accesses of the tested side pass.
 *
 *     kind = bits 0-2:
 *     0 val(1)            what an honest one does next; a proxy that has
 *                         nothing to wait for posts: val % 4: 0 a read of the
 *                         interrupt line, 1 a write of val / 4 there, 2 a
 *                         reset, 3 a read of the ID
 *     1 at(1) val(1)      word at % 18 of the page becomes val
 *     2 at(1) val(4)      the same
 *     3                   a proxy waits no longer; a device goes to sleep, or
 *                         wakes up
 *     4 val(4)            a lie by the socket: RET of val
 *     5 at(2) val(4)      a word anywhere in the page
 *
 * A device's process is honest when no step is left.  The other operations
 * happen in turn, u = bits 3-6:
 *
 *     kind                the proxy is asked for   the device is sent
 *     0 at(1)             a config read of 1 << u % 3 bytes
 *     1 at(1) val(4)      a config write
 *     2 at(2)             a read of 1 << u % 4 bytes at BAR 0
 *     3 at(2) val(4)      a write there
 *     4                   a reset
 *     5                   a memory table (u even) or interrupt descriptors
 *     6                   a mailbox; for the device u % 8: 0 another, 1 the
 *                         same again, 2 one that is not sealed, 3 of two
 *                         pages, 4 an eventfd, 5 two of them
 *     7 val(1)            looks, from now on
 *
 * The device looks for what comes awake or, if bit 6 is set, after it went to
 * sleep.  A failed link must say why.  Without a lie nothing fails: each
 * request has one answer, its own, and none is left lying.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include "fuzz.h"
#include "mailbox.h"
#include "hw/boards.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "hw/remote/machine.h"
#include "hw/remote/message.h"
#include "hw/remote/proxy-link.h"
#include "qemu/aio.h"
#include "qemu/bitops.h"
#include "qemu/sockets.h"
#include "qemu/spin.h"
#include "qemu/timer.h"

#define MOST_STEPS 300
#define MOST_EVENTS 60
#define BAR 0xe0000000u
#define EDU_ID 0x11e81234
/* Honest steps after which an answer must have come. */
#define MOST_PATIENCE 100

enum { EMPTY, POSTED, TAKEN, ANSWERED, BY_SOCKET };
enum { WORD_STATE = 0, WORD_REQUEST = 2, WORD_ANSWER = 12, WORD_AWAKE = 16 };

typedef struct Action {
    uint8_t kind, u;            /* of a step: wait */
    uint32_t at, val;
} Action;

static struct {
    RemoteLink device;
    uint64_t fresh_config[PCI_CONFIG_SPACE_SIZE / 8];
    int ram_fd, irq_fd;
    int event_fd;               /* the next event is due */
    int clock;                  /* microseconds */

    /* Of the input that runs. */
    bool is_proxy;              /* who is tested */
    Action steps[MOST_STEPS], events[MOST_EVENTS];
    unsigned num_steps, num_events, step, event;
    unsigned passed;            /* accesses since the last step */
    unsigned patience, looks;   /* from now on; left of this spin */
    bool busy;                  /* with a step */
    bool lied;
    MPQemuChannel peer;
    int mailbox_fd;             /* the device's; -1: none */
    volatile uint32_t *page;    /* as the other side maps it, or NULL */
    unsigned answers;           /* to the request under way */

    /* The other side is the proxy. */
    unsigned asked;             /* by the socket, without an answer yet */
    bool posted;                /* and not answered yet */
    uint8_t line, old_line;     /* what the interrupt line reads as, and did
                                   before what was posted */
    uint64_t expected;          /* the answer to what was posted */

    /* The other side is the device. */
    bool taken;
    MPQemuMsg request;          /* what was */
    uint32_t answer;            /* the last */
    unsigned gone;
} f;

/* -- Time is what the input says ------------------------------------------- */

int64_t __real_qemu_clock_get_ns(QEMUClockType type);
int64_t __wrap_qemu_clock_get_ns(QEMUClockType type);
void __wrap_adaptive_spin_init(AdaptiveSpin *s, int64_t max_ns);
bool __wrap_adaptive_spin_begin(AdaptiveSpin *s, int64_t now_ns);
bool __wrap_adaptive_spin_more(AdaptiveSpin *s, int64_t now_ns);
void __wrap_adaptive_spin_paid(AdaptiveSpin *s, int64_t now_ns);

int64_t __wrap_qemu_clock_get_ns(QEMUClockType type)
{
    return type == QEMU_CLOCK_REALTIME ? ++f.clock * (int64_t)SCALE_US
                                       : __real_qemu_clock_get_ns(type);
}

void __wrap_adaptive_spin_init(AdaptiveSpin *s, int64_t max_ns)
{
    *s = (AdaptiveSpin){ .max_ns = max_ns };
}

bool __wrap_adaptive_spin_begin(AdaptiveSpin *s, int64_t now_ns)
{
    f.looks = f.patience;
    return s->max_ns > 0;
}

bool __wrap_adaptive_spin_more(AdaptiveSpin *s, int64_t now_ns)
{
    return f.looks && f.looks--;
}

void __wrap_adaptive_spin_paid(AdaptiveSpin *s, int64_t now_ns)
{
}

/* -- The page -------------------------------------------------------------- */

static void unmap_page(void)
{
    if (f.page) {
        munmap((void *)f.page, 4096);
    }
    f.page = NULL;
}

static bool map_page(int fd)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    unmap_page();
    f.page = at == MAP_FAILED ? NULL : at;
    return f.page;
}

static MPQemuMsg any_request(unsigned kind, unsigned u, uint32_t at,
                             uint32_t val)
{
    static const int cmds[] = {
        MPQEMU_CMD_PCI_CFGREAD, MPQEMU_CMD_PCI_CFGWRITE, MPQEMU_CMD_BAR_READ,
        MPQEMU_CMD_BAR_WRITE, MPQEMU_CMD_DEVICE_RESET,
    };
    MPQemuMsg msg = { .cmd = cmds[kind] };

    if (kind < 2) {
        msg.size = sizeof(PciConfDataMsg);
        msg.data.pci_conf_data = (PciConfDataMsg){ at, val, 1 << u % 3 };
    } else if (kind < 4) {
        msg.size = sizeof(BarAccessMsg);
        msg.data.bar_access = (BarAccessMsg){
            .addr = BAR + at, .val = val, .size = 1 << u % 4, .memory = 1,
        };
    }
    return msg;
}

static void say(const MPQemuMsg *msg)
{
    /* It may have closed, and nothing waits for it to read. */
    mpqemu_channel_send(&f.peer, msg, 0);
}

static void say_ret(uint64_t val, uint64_t size)
{
    say(&(MPQemuMsg){
        .cmd = MPQEMU_CMD_RET, .size = size, .data.u64 = val,
        .pad = MPQEMU_PAD_MAGIC | MPQEMU_KNOWS_UNPLUG | MPQEMU_KNOWS_MAILBOX,
    });
}

/* -- A proxy as the other side --------------------------------------------- */

static void take_replies(void)
{
    MPQemuMsg msg;

    while (f.peer.fd >= 0 && mpqemu_channel_recv(&f.peer, &msg) == 1) {
        if (msg.cmd != MPQEMU_CMD_RET || msg.num_fds ||
            (msg.size && msg.size != sizeof(uint64_t))) {
            fuzz_fail("a reply of command %d with %" PRIu64 " bytes", msg.cmd,
                      msg.size);
        }
        if (!f.lied && !f.asked) {
            fuzz_fail("a reply that nobody waits for");
        }
        f.asked -= f.asked > 0;
        if (f.posted && f.page[WORD_STATE] == BY_SOCKET) {
            if (!f.lied && msg.size && msg.data.u64 != f.expected) {
                fuzz_fail("%" PRIx64 " by the socket, not %" PRIx64,
                          msg.data.u64, f.expected);
            }
            f.posted = false;
            f.page[WORD_STATE] = EMPTY;
        }
    }
}

static void post_request(uint32_t val)
{
    static const uint8_t kinds[4] = { 0, 1, 4, 0 };
    bool id = val % 4 == 3;
    MPQemuMsg msg = any_request(kinds[val % 4], id ? 2 : 0,
                                id ? PCI_VENDOR_ID : PCI_INTERRUPT_LINE,
                                val / 4);

    memcpy((void *)&f.page[WORD_REQUEST], &msg, 40);
    f.page[WORD_STATE] = POSTED;
    f.posted = true;
    f.old_line = f.line;
    f.expected = id ? EDU_ID : val % 4 ? 0 : f.line;
    if (val % 4 == 1 || val % 4 == 2) {
        f.line = val % 4 == 1 ? val / 4 : 0;
    }
}

static void proxy_does(uint32_t val)
{
    take_replies();
    if (!f.page) {
        return;
    }
    if (f.posted && f.page[WORD_STATE] == ANSWERED) {
        if (!f.lied && f.asked) {
            fuzz_fail("an answer in the mailbox that was to be sent");
        }
        uint64_t got = f.page[WORD_ANSWER] |
                       (uint64_t)f.page[WORD_ANSWER + 1] << 32;

        if (!f.lied && got != f.expected) {
            fuzz_fail("%" PRIx64 " in the mailbox, not %" PRIx64, got,
                      f.expected);
        }
        f.posted = false;
        f.page[WORD_STATE] = EMPTY;
    } else if (!f.posted && !f.asked && f.page[WORD_AWAKE]) {
        post_request(val);
    }
}

static void proxy_gives_up(void)
{
    uint32_t state = f.page ? f.page[WORD_STATE] : EMPTY;

    if (f.posted && state == TAKEN) {
        f.page[WORD_STATE] = BY_SOCKET;
        f.asked++;
    } else if (f.posted && state == POSTED) {
        f.line = f.old_line;
        f.page[WORD_STATE] = EMPTY;
        f.posted = false;
    }
}

/* -- A device as the other side -------------------------------------------- */

static void answer_by_socket(int cmd)
{
    say_ret(++f.answer, cmd == MPQEMU_CMD_DEVICE_RESET ? 0 : 8);
    f.answers++;
}

static bool take_message(void)
{
    MPQemuMsg msg;

    if (mpqemu_channel_recv(&f.peer, &msg) != 1) {
        return false;
    }
    if (msg.cmd == MPQEMU_CMD_SET_MAILBOX) {
        if (!map_page(msg.fds[0])) {
            fuzz_fail("a mailbox without a page");
        }
        f.page[WORD_AWAKE] = 1;
    } else if (msg.cmd != MPQEMU_CMD_SYNC_SYSMEM &&
               msg.cmd != MPQEMU_CMD_SET_IRQFD) {
        answer_by_socket(msg.cmd);
    }
    mpqemu_msg_close_fds(&msg);
    return true;
}

static void device_takes(void)
{
    if (f.page[WORD_STATE] == POSTED) {
        memcpy(&f.request, (void *)&f.page[WORD_REQUEST], 40);
        f.page[WORD_STATE] = TAKEN;
        f.taken = true;
    }
}

static void device_does(void)
{
    if (f.taken && f.page[WORD_STATE] == TAKEN) {
        f.page[WORD_ANSWER] = ++f.answer;
        f.page[WORD_ANSWER + 1] = 0;
        f.page[WORD_STATE] = ANSWERED;
        f.answers++;
        f.taken = false;
    } else if (f.taken && f.page[WORD_STATE] == BY_SOCKET) {
        answer_by_socket(f.request.cmd);
        f.taken = false;
    } else if (!take_message() && f.page && f.page[WORD_AWAKE]) {
        device_takes();
    }
}

static void device_turns(void)
{
    if (f.page) {
        f.page[WORD_AWAKE] = !f.page[WORD_AWAKE];
        device_takes();         /* a last look */
    }
}

/* -- Steps ----------------------------------------------------------------- */

static void scribble(unsigned word, uint32_t val)
{
    if (f.page) {
        f.page[word] = val;
        f.lied = true;
    }
}

static void do_step(const Action *s)
{
    switch (s->kind) {
    case 1:
    case 2:
        scribble(s->at % 18, s->val);
        break;
    case 3:
        (f.is_proxy ? device_turns : proxy_gives_up)();
        break;
    case 4:
        say_ret(s->val, 8);
        f.lied = true;
        break;
    case 5:
        scribble(s->at % 1024, s->val);
        break;
    default:
        if (f.is_proxy) {
            device_does();
        } else {
            proxy_does(s->val);
        }
        break;
    }
}

static bool next_step(void)
{
    if (f.step == f.num_steps) {
        return false;
    }
    f.passed = 0;
    do_step(&f.steps[f.step++]);
    return true;
}

void fuzz_meanwhile(void)
{
    if (f.busy) {
        return;
    }
    f.busy = true;
    while (f.step < f.num_steps && f.passed >= f.steps[f.step].u) {
        next_step();
    }
    if (f.step == f.num_steps && f.is_proxy) {
        device_does();
    }
    f.passed++;
    f.busy = false;
}

/* The proxy sleeps until its socket has something, or is closed. */
int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                 const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                 const sigset_t *mask);

int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                 const sigset_t *mask)
{
    static const struct timespec now;
    int ret = 0;

    if (!f.is_proxy) {
        if (!timeout && !f.lied && f.posted && f.page[WORD_STATE] == POSTED) {
            fuzz_fail("it sleeps over a request");
        }
        return __real_ppoll(fds, n, timeout, mask);
    }
    if (f.busy) {
        return __real_ppoll(fds, n, timeout, mask);
    }
    f.busy = true;
    for (int i = 0; !ret && i < MOST_PATIENCE; ) {
        if (!next_step()) {
            device_does();
            i++;
        }
        ret = __real_ppoll(fds, n, &now, mask);
    }
    f.busy = false;
    if (!ret) {
        f.lied = true;
        shutdown(f.peer.fd, SHUT_WR);
        ret = __real_ppoll(fds, n, timeout, mask);
    }
    return ret;
}

/* -- The proxy's end is tested --------------------------------------------- */

static void on_gone(void *opaque)
{
    f.gone++;
}

/* True if the link did what it was asked; *@val as read. */
static bool ask(ProxyLink *link, const Action *e, uint64_t *val)
{
    unsigned conf_len = 1 << e->u % 3, len = 1 << e->u % 4;
    uint32_t val32 = 0;
    bool ok;

    switch (e->kind) {
    case 0:
        ok = link->ops->config_read(link, e->at, conf_len, &val32);
        *val = val32;
        return ok;
    case 1:
        return link->ops->config_write(link, e->at, e->val, conf_len);
    case 2:
        return link->ops->region_read(link, true, BAR, e->at, len, val);
    case 3:
        return link->ops->region_write(link, true, BAR, e->at, len, e->val);
    default:
        return link->ops->reset(link);
    }
}

static void ask_and_check(ProxyLink *link, const Action *e)
{
    uint64_t val = 0, mask = e->kind ? UINT64_MAX
                                     : MAKE_64BIT_MASK(0, 8 << e->u % 3);
    bool read = e->kind == 0 || e->kind == 2, ok;

    f.answers = 0;
    ok = ask(link, e, &val);
    if (f.lied) {
        return;
    }
    if (!ok) {
        fuzz_fail("a request failed: %s", link->why);
    }
    if (f.answers != 1 || (read && val != (f.answer & mask))) {
        fuzz_fail("%" PRIx64 " from %u answers, the last %x", val, f.answers,
                  f.answer);
    }
}

static void post_to_device(ProxyLink *link, unsigned u)
{
    ProxyMemRegion region = { .size = 4096, .fd = f.ram_fd };

    if (u & 1) {
        link->ops->set_irqfd(link, f.irq_fd, f.irq_fd);
    } else {
        link->ops->set_memory(link, &region, 1);
    }
}

static void run_proxy(int fd)
{
    ProxyLink *link = mpqemu_proxy_link_new(fd, 10000, 1000, on_gone, NULL);
    MPQemuMsg msg;

    /* It gets to know that there are mailboxes. */
    say_ret(0, 8);
    link->ops->config_write(link, 0, 0, 4);
    mpqemu_channel_recv(&f.peer, &msg);
    link->ops->open_mailbox(link);
    for (unsigned i = 0; i < f.num_events; i++) {
        const Action *e = &f.events[i];

        if (e->kind < 5) {
            ask_and_check(link, e);
        } else if (e->kind == 5) {
            post_to_device(link, e->u);
        } else if (e->kind == 6) {
            link->ops->open_mailbox(link);
        } else {
            f.patience = e->val;
        }
    }
    if (f.gone != proxy_link_is_dead(link) || (f.gone && !link->why[0])) {
        fuzz_fail("gone %u times: '%s'", f.gone, link->why);
    }
    link->ops->free(link);
}

/* -- The device's side is tested ------------------------------------------- */

static void send_fds(int cmd, const void *payload, unsigned size, int fd,
                     int num_fds)
{
    uint64_t head[2] = { cmd, size };
    struct iovec iov[2] = { { head, sizeof(head) }, { (void *)payload, size } };
    int fds[2] = { fd, fd };

    socket_send_fds(f.peer.fd, iov, size ? 2 : 1, fds, num_fds, 0);
}

static void send_post(unsigned u)
{
    SyncSysmemMsg table = { .sizes = { 4096 } };

    if (u & 1) {
        send_fds(MPQEMU_CMD_SET_IRQFD, NULL, 0, f.irq_fd, 2);
    } else {
        send_fds(MPQEMU_CMD_SYNC_SYSMEM, &table, sizeof(table), f.ram_fd, 1);
    }
}

static int make_mailbox(uint64_t size, bool seal)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, size) < 0 ||
        (seal && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)) {
        fuzz_fail("no memory file: %s", strerror(errno));
    }
    return fd;
}

static void send_mailbox(unsigned u)
{
    /* What was posted in the old one may never be looked at. */
    f.lied |= f.posted || (u >= 2 && u <= 5);
    if (u != 1) {
        qemu_close(&f.mailbox_fd);
    }
    if (f.mailbox_fd < 0) {
        f.mailbox_fd = u == 4 ? eventfd(0, EFD_CLOEXEC)
                              : make_mailbox(u == 3 ? 8192 : 4096, u != 2);
    }
    send_fds(MPQEMU_CMD_SET_MAILBOX, NULL, 0, f.mailbox_fd, u == 5 ? 2 : 1);
    f.lied |= !map_page(f.mailbox_fd);
    f.posted = false;
}

static void send_request(const Action *e)
{
    MPQemuMsg msg = any_request(e->kind, e->u, e->at, e->val);

    /* Whoever writes the line both ways does not know what it will read. */
    f.lied |= f.posted || (e->kind == 1 && e->at > PCI_INTERRUPT_LINE - 4 &&
                           e->at <= PCI_INTERRUPT_LINE);
    if (e->kind == 4) {
        f.line = 0;
    }
    f.asked++;
    say(&msg);
}

/* Three more times around, without the other side. */
static bool finished(void)
{
    if (f.event < f.num_events) {
        return false;
    }
    f.step = f.num_steps;
    if (f.event++ < f.num_events + 3) {
        return false;
    }
    if (!f.lied && f.posted && f.page[WORD_STATE] == POSTED) {
        fuzz_fail("a request was left lying");
    }
    mpqemu_channel_close(&f.peer);
    return true;
}

static bool happen(const Action *e)
{
    if (e->kind < 5) {
        send_request(e);
    } else if (e->kind == 5) {
        send_post(e->u);
    } else if (e->kind == 6) {
        send_mailbox(e->u % 8);
    } else {
        f.patience = e->val;
    }
    return e->u & 8;
}

static void next_event(void *opaque)
{
    eventfd_t value;
    bool sleep;

    eventfd_read(f.event_fd, &value);
    if (!f.device.open) {
        return;
    }
    take_replies();
    if (finished()) {
        return;
    }
    sleep = f.event < f.num_events ? happen(&f.events[f.event++])
                                   : f.event & 1;
    if (sleep) {
        eventfd_write(f.event_fd, 1);
    } else {
        aio_bh_schedule_oneshot(f.device.rd->ctx, next_event, NULL);
    }
}

static void run_device(int fd)
{
    RemoteLink *link = &f.device;

    mpqemu_channel_init(&link->ch, fd);
    link->open = true;
    link->more = false;
    link->looks = 0;
    send_request(&(Action){ .kind = 1, .u = 2, .at = PCI_BASE_ADDRESS_0,
                            .val = BAR });
    send_request(&(Action){ .kind = 1, .u = 1, .at = PCI_COMMAND,
                            .val = PCI_COMMAND_MEMORY });
    send_mailbox(0);
    aio_set_fd_handler(link->rd->ctx, f.event_fd, next_event, NULL, NULL, NULL);
    eventfd_write(f.event_fd, 1);
    remote_link_serve(link);
    aio_set_fd_handler(link->rd->ctx, f.event_fd, NULL, NULL, NULL, NULL);
    fuzz_settle(link->rd->ctx, 2);
    if (!f.lied && f.peer.fd >= 0) {
        fuzz_fail("the link was closed");
    }
    if (link->mailbox) {
        fuzz_fail("a mailbox without a link");
    }
    if (memcmp(f.fresh_config, link->rd->pci_dev->config,
               sizeof(f.fresh_config))) {
        fuzz_fail("config space is not as it was before the link");
    }
}

/* -- One input and the next ------------------------------------------------ */

static Action action(FuzzInput *in, uint8_t byte)
{
    static const uint8_t at[2][8] = { { 1, 1, 2, 2, 0, 0, 0, 0 },
                                      { 0, 1, 1, 0, 0, 2, 0, 0 } },
                         val[2][8] = { { 0, 4, 0, 4, 0, 0, 0, 1 },
                                       { 1, 1, 4, 0, 4, 4, 1, 1 } };
    Action a = { .kind = byte & 7, .u = byte >> 3 & 15 };

    a.at = fuzz_get(in, at[byte >> 7][a.kind]);
    a.val = fuzz_get(in, val[byte >> 7][a.kind]);
    return a;
}

static void read_input(FuzzInput *in)
{
    f.is_proxy = fuzz_get(in, 1) & 1;
    f.patience = fuzz_get(in, 1);
    while (fuzz_more(in)) {
        uint8_t byte = fuzz_get(in, 1);
        Action a = action(in, byte);

        if (byte & 0x80 && f.num_steps < MOST_STEPS) {
            f.steps[f.num_steps++] = a;
        } else if (!(byte & 0x80) && f.num_events < MOST_EVENTS) {
            f.events[f.num_events++] = a;
        }
    }
}

void fuzz_one(FuzzInput *in)
{
    int pair[2];

    f.num_steps = f.num_events = f.step = f.event = f.passed = 0;
    f.lied = f.busy = f.taken = f.posted = false;
    f.answer = f.gone = f.asked = f.line = f.clock = 0;
    f.mailbox_fd = -1;
    f.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    read_input(in);
    if (f.event_fd < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        fuzz_fail("no descriptor: %s", strerror(errno));
    }
    mpqemu_channel_init(&f.peer, pair[1]);
    (f.is_proxy ? run_proxy : run_device)(pair[0]);
    mpqemu_channel_close(&f.peer);
    unmap_page();
    qemu_close(&f.mailbox_fd);
    close(f.event_fd);
}

void fuzz_init(void)
{
    PCIDevice *pci_dev;
    RemoteLink *link = &f.device;

    fuzz_start_emulator("-machine x-remote -nodefaults -device edu,id=d");
    pci_dev = PCI_DEVICE(qdev_find_by_id("d"));
    remote_link_init(link);
    link->name = "fuzz";
    link->rd = remote_device_of(pci_dev);
    link->iohub = &REMOTE_MACHINE(current_machine)->iohub;
    aio_context_set_poll_params(link->rd->ctx, 1000);
    memcpy(f.fresh_config, pci_dev->config, sizeof(f.fresh_config));
    f.ram_fd = fuzz_memfd(4096);
    f.irq_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}
