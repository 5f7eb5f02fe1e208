/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's end of a link in mpqemu's format.
 *
 * A request costs one send and, while the answer comes within the spin, one
 * successful receive (qemu/spin.h).  If the other side has taken a mailbox and
 * is awake, it costs no system call at all.
 *
 * Memory tables and descriptors have no answer, and are sent by
 * whoever holds the request lock: a caller that finds it taken leaves them
 * for the holder, so that setting them never waits for a slow device.  What a
 * device's process leaves unread until the socket is full waits here, of each
 * kind the last, for the next request or for the socket to have room.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/socket.h>
#include "hw/remote/mailbox.h"
#include "hw/remote/proxy-link.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "qemu/spin.h"
#include "qemu/thread.h"
#include "qemu/timer.h"

/* Some ten tables, and not as many descriptors on the way as the kernel allows
 * a user. */
#define SEND_BUFFER (8 * KiB)

/* What has no answer, in the order in which a device needs it. */
enum { POST_MEMORY, POST_IRQFD, POST_UNPLUGFD, POST_MAILBOX, POST_MAX };

typedef struct MPQemuProxyLink {
    ProxyLink parent;
    MPQemuChannel ch;
    AdaptiveSpin spin;          /* for an answer */
    Mailbox *mailbox;           /* or NULL */
    bool unheard;               /* something was sent that has no answer, and
                                   the socket has had none since */

    QemuMutex request_lock;     /* guards the above; one request at a time */
    QemuMutex pending_lock;     /* guards parent.why and what follows; held
                                   briefly */
    struct {
        bool pending;
        MPQemuMsg msg;          /* has duplicates of the descriptors */
    } posts[POST_MAX];
    Mailbox *new_mailbox;       /* becomes @mailbox when it is sent */
    uint32_t knows;             /* MPQEMU_KNOWS_*, from a RET; atomic */
    bool wants_room;            /* the socket is watched; big lock */
} MPQemuProxyLink;

static MPQemuProxyLink *impl(ProxyLink *link)
{
    return container_of(link, MPQemuProxyLink, parent);
}

static void G_GNUC_PRINTF(2, 3) link_dies(MPQemuProxyLink *l,
                                          const char *fmt, ...)
{
    bool first;
    va_list ap;

    qemu_mutex_lock(&l->pending_lock);
    first = !l->parent.dead;
    if (first) {
        va_start(ap, fmt);
        vsnprintf(l->parent.why, sizeof(l->parent.why), fmt, ap);
        va_end(ap);
        __atomic_store_n(&l->parent.dead, true, __ATOMIC_RELEASE);
    }
    qemu_mutex_unlock(&l->pending_lock);
    if (first) {
        shutdown(l->ch.fd, SHUT_RDWR);
        l->parent.gone(l->parent.opaque);
    }
}

/* -- Sending ------------------------------------------------------------- */

static int try_send(MPQemuProxyLink *l, const MPQemuMsg *msg,
                    unsigned timeout_ms)
{
    int ret = proxy_link_is_dead(&l->parent)
        ? -EPIPE : mpqemu_channel_send(&l->ch, msg, timeout_ms);

    if (ret == -EPIPE || ret == -ECONNRESET) {
        link_dies(l, "it closed the connection");
    } else if (ret == -ETIMEDOUT && timeout_ms) {
        link_dies(l, "it took no request for %u ms", timeout_ms);
    } else if (ret < 0 && ret != -ETIMEDOUT) {
        link_dies(l, "%s could not be sent: %s", mpqemu_cmd_name(msg->cmd),
                  strerror(-ret));
    }
    return ret;
}

static bool send_msg(MPQemuProxyLink *l, const MPQemuMsg *msg)
{
    return try_send(l, msg, l->parent.timeout_ms) == 0;
}

/* The first that waits, or POST_MAX.  Pending lock. */
static int first_post(MPQemuProxyLink *l)
{
    int i = 0;

    while (i < POST_MAX && !l->posts[i].pending) {
        i++;
    }
    return i;
}

/* POST_MAX: there is none. */
static int take_post(MPQemuProxyLink *l, MPQemuMsg *msg)
{
    QEMU_LOCK_GUARD(&l->pending_lock);
    int i = first_post(l);

    if (i < POST_MAX) {
        *msg = l->posts[i].msg;
        l->posts[i].pending = false;
    }
    return i;
}

/* Unless there is a newer one by now. */
static void put_post_back(MPQemuProxyLink *l, int i, MPQemuMsg *msg)
{
    QEMU_LOCK_GUARD(&l->pending_lock);

    if (l->posts[i].pending) {
        mpqemu_msg_close_fds(msg);
    } else {
        l->posts[i].msg = *msg;
        l->posts[i].pending = true;
    }
}

static void sent_post(MPQemuProxyLink *l, int i)
{
    if (i == POST_MEMORY) {
        link_stats_inc(&l->parent.stats.memory_tables);
    } else if (i == POST_MAILBOX) {
        mailbox_unmap(l->mailbox);
        l->mailbox = g_steal_pointer(&l->new_mailbox);
    }
}

/* Sends what waits; false if the socket is full and that is not to be waited
 * for.  Request lock. */
static bool flush_pending(MPQemuProxyLink *l, bool wait)
{
    MPQemuMsg msg;
    int i;

    while ((i = take_post(l, &msg)) < POST_MAX) {
        int ret = try_send(l, &msg, wait ? l->parent.timeout_ms : 0);

        if (ret == -ETIMEDOUT && !wait) {
            put_post_back(l, i, &msg);
            return false;
        }
        if (!ret) {
            sent_post(l, i);
        }
        l->unheard = true;
        mpqemu_msg_close_fds(&msg);
    }
    return true;
}

static bool has_pending(MPQemuProxyLink *l)
{
    QEMU_LOCK_GUARD(&l->pending_lock);
    return first_post(l) < POST_MAX;
}

/* Whoever gets the lock sends; a holder looks again after it let go, so what
 * is posted while it is held is never left behind.  As flush_pending(). */
static bool flush_unless_busy(MPQemuProxyLink *l, bool wait)
{
    bool ok = true;

    while (ok && has_pending(l) && qemu_mutex_trylock(&l->request_lock)) {
        ok = flush_pending(l, wait);
        qemu_mutex_unlock(&l->request_lock);
    }
    return ok;
}

/* -- Room in the socket: big lock ------------------------------------------ */

static void leave_room(MPQemuProxyLink *l)
{
    if (l->wants_room) {
        l->wants_room = false;
        aio_set_fd_handler(qemu_get_aio_context(), l->ch.fd, NULL, NULL, NULL,
                           NULL);
    }
}

static void flush_at_once(MPQemuProxyLink *l);

static void has_room(void *opaque)
{
    MPQemuProxyLink *l = opaque;

    leave_room(l);
    flush_at_once(l);
}

static void flush_at_once(MPQemuProxyLink *l)
{
    if (!flush_unless_busy(l, false) && !l->wants_room) {
        l->wants_room = true;
        aio_set_fd_handler(qemu_get_aio_context(), l->ch.fd, NULL, has_room,
                           NULL, l);
    }
}

/* 0, or -errno: no descriptor is left for @msg. */
static int try_to_post(MPQemuProxyLink *l, int what, MPQemuMsg *msg)
{
    for (int i = 0; i < msg->num_fds; i++) {
        msg->fds[i] = fcntl(msg->fds[i], F_DUPFD_CLOEXEC, 0);
        if (msg->fds[i] < 0) {
            int err = errno;

            msg->num_fds = i;
            mpqemu_msg_close_fds(msg);
            return -err;
        }
    }
    qemu_mutex_lock(&l->pending_lock);
    if (l->posts[what].pending) {
        mpqemu_msg_close_fds(&l->posts[what].msg);
    }
    l->posts[what].msg = *msg;
    l->posts[what].pending = true;
    qemu_mutex_unlock(&l->pending_lock);
    flush_at_once(l);
    return 0;
}

/* What the other side cannot do without. */
static void post(MPQemuProxyLink *l, int what, MPQemuMsg *msg)
{
    int ret = try_to_post(l, what, msg);

    if (ret < 0) {
        link_dies(l, "no descriptors left for %s: %s",
                  mpqemu_cmd_name(msg->cmd), strerror(-ret));
    }
}

static void link_set_memory(ProxyLink *link, const ProxyMemRegion *regions,
                            unsigned nr)
{
    MPQemuProxyLink *l = impl(link);
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_SYNC_SYSMEM, .size = sizeof(SyncSysmemMsg),
        .num_fds = nr,
    };

    for (unsigned i = 0; i < nr; i++) {
        msg.data.sync_sysmem.gpas[i] = regions[i].gpa;
        msg.data.sync_sysmem.sizes[i] = regions[i].size;
        msg.data.sync_sysmem.offsets[i] = regions[i].offset;
        msg.fds[i] = regions[i].fd;
    }
    post(l, POST_MEMORY, &msg);
}

static int link_set_irqfd(ProxyLink *link, int irqfd, int resamplefd)
{
    MPQemuProxyLink *l = impl(link);
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_SET_IRQFD, .fds = { irqfd, resamplefd },
        .num_fds = 2,
    };

    return try_to_post(l, POST_IRQFD, &msg);
}

static bool knows(MPQemuProxyLink *l, uint32_t what)
{
    return __atomic_load_n(&l->knows, __ATOMIC_ACQUIRE) & what;
}

static void link_set_unplugfd(ProxyLink *link, int fd)
{
    MPQemuProxyLink *l = impl(link);
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_SET_UNPLUGFD, .fds = { fd }, .num_fds = 1,
    };

    if (knows(l, MPQEMU_KNOWS_UNPLUG)) {
        post(l, POST_UNPLUGFD, &msg);
    }
}

static void link_open_mailbox(ProxyLink *link)
{
    MPQemuProxyLink *l = impl(link);
    MPQemuMsg msg = { .cmd = MPQEMU_CMD_SET_MAILBOX, .num_fds = 1 };
    int fd;

    if (!l->spin.max_ns || !knows(l, MPQEMU_KNOWS_MAILBOX)) {
        return;
    }
    /* Without one, requests go on by the socket. */
    l->new_mailbox = mailbox_new(&fd, NULL);
    if (l->new_mailbox) {
        msg.fds[0] = fd;
        post(l, POST_MAILBOX, &msg);
        close(fd);
    }
}

/* -- Asking -------------------------------------------------------------- */

/* Looks for the answer as long as that is worth it; as mpqemu_channel_recv. */
static int spin_for_reply(MPQemuProxyLink *l, MPQemuMsg *msg, int64_t begin)
{
    int64_t now = begin;
    int ret;

    do {
        ret = mpqemu_channel_recv(&l->ch, msg);
        if (ret != -EAGAIN) {
            adaptive_spin_paid(&l->spin, now);
            return ret;
        }
        now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    } while (adaptive_spin_more(&l->spin, now));
    return ret;
}

static bool receive_reply(MPQemuProxyLink *l, MPQemuMsg *msg, int64_t begin,
                          bool awake)
{
    int64_t deadline = begin + (int64_t)l->parent.timeout_ms * SCALE_MS;
    int ret = awake ? spin_for_reply(l, msg, begin) : -EAGAIN;

    while (ret == -EAGAIN) {
        int64_t now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        struct pollfd pfd = { .fd = l->ch.fd, .events = POLLIN };
        struct timespec left = { (deadline - now) / NANOSECONDS_PER_SECOND,
                                 (deadline - now) % NANOSECONDS_PER_SECOND };

        if (now >= deadline) {
            link_dies(l, "it did not answer within %u ms",
                      l->parent.timeout_ms);
            return false;
        }
        ppoll(&pfd, 1, &left, NULL);
        ret = mpqemu_channel_recv(&l->ch, msg);
    }
    if (ret == 0 || ret == -ECONNRESET) {
        link_dies(l, "it closed the connection");
    } else if (ret == -EPROTO || ret == -EMSGSIZE) {
        link_dies(l, "its answer is no message");
    } else if (ret < 0) {
        link_dies(l, "no answer: %s", strerror(-ret));
    }
    return ret > 0;
}

static bool reply_valid(MPQemuProxyLink *l, const MPQemuMsg *reply,
                        uint64_t size)
{
    g_autoptr(Error) err = NULL;

    if (!mpqemu_msg_valid(reply, &err)) {
        link_dies(l, "bad answer: %s", error_get_pretty(err));
        return false;
    }
    if (reply->cmd != MPQEMU_CMD_RET) {
        link_dies(l, "bad answer: %s instead of RET",
                  mpqemu_cmd_name(reply->cmd));
        return false;
    }
    if (reply->size != size) {
        link_dies(l, "bad answer: RET of %" PRIu64 " bytes, not %" PRIu64,
                  reply->size, size);
        return false;
    }
    if ((reply->pad & MPQEMU_PAD_MAGIC_MASK) == MPQEMU_PAD_MAGIC) {
        __atomic_store_n(&l->knows, reply->pad & ~MPQEMU_PAD_MAGIC_MASK,
                         __ATOMIC_RELEASE);
    }
    return true;
}

/* As mailbox_give_up(); an answer that came in time is 1. */
static int spin_for_mailbox(MPQemuProxyLink *l, uint64_t *value, int64_t begin)
{
    int64_t now = begin;
    int ret;

    do {
        ret = mailbox_look(l->mailbox, value);
        if (ret) {
            adaptive_spin_paid(&l->spin, now);
            return ret;
        }
        now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    } while (adaptive_spin_more(&l->spin, now));
    return mailbox_give_up(l->mailbox, value);
}

static bool ask_by_socket(MPQemuProxyLink *l, const MPQemuMsg *msg,
                          MPQemuMsg *reply, uint64_t reply_size,
                          int64_t begin, bool awake)
{
    bool ok = send_msg(l, msg) && receive_reply(l, reply, begin, awake) &&
              reply_valid(l, reply, reply_size);

    l->unheard &= !ok;
    return ok;
}

/* A request and its answer.  Request lock. */
static bool ask(MPQemuProxyLink *l, const MPQemuMsg *msg, MPQemuMsg *reply,
                uint64_t reply_size, int64_t begin)
{
    bool awake = adaptive_spin_begin(&l->spin, begin), ok;

    /* What was sent before must be known before what the mailbox has. */
    if (!awake || !l->mailbox || l->unheard ||
        !mailbox_post(l->mailbox, msg)) {
        return ask_by_socket(l, msg, reply, reply_size, begin, awake);
    }
    switch (spin_for_mailbox(l, &reply->data.u64, begin)) {
    case 1:
        link_stats_inc(&l->parent.stats.by_mailbox);
        return true;
    case -ECANCELED:
        return ask_by_socket(l, msg, reply, reply_size, begin, false);
    case -EINPROGRESS:
        ok = receive_reply(l, reply, begin, false) &&
             reply_valid(l, reply, reply_size);
        mailbox_clear(l->mailbox);
        return ok;
    default:
        link_dies(l, "bad answer: nonsense in the mailbox");
        return false;
    }
}

static bool request(ProxyLink *link, MPQemuMsg *msg, LinkAccess kind,
                    uint64_t *val)
{
    uint64_t reply_size = kind == LINK_RESET ? 0 : sizeof(uint64_t);
    MPQemuProxyLink *l = impl(link);
    MPQemuMsg reply = { .num_fds = 0 };
    int64_t begin, took;
    bool ok;

    if (proxy_link_is_dead(link)) {
        return false;
    }
    qemu_mutex_lock(&l->request_lock);
    flush_pending(l, true);
    begin = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
    ok = ask(l, msg, &reply, reply_size, begin);
    mpqemu_msg_close_fds(&reply);
    if (ok) {
        took = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - begin;
        link_stats_access(&link->stats, kind, took);
    }
    qemu_mutex_unlock(&l->request_lock);
    flush_unless_busy(l, true);
    if (ok && val) {
        *val = reply.data.u64;
    }
    trace_event("mpqemu_proxy_request", "%s ok %d value %" PRIx64,
                mpqemu_cmd_name(msg->cmd), ok, reply.data.u64);
    return ok;
}

static bool link_config_read(ProxyLink *link, uint32_t addr, unsigned len,
                             uint32_t *val)
{
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_PCI_CFGREAD, .size = sizeof(PciConfDataMsg),
        .data.pci_conf_data = { .addr = addr, .len = len },
    };
    uint64_t got;

    if (!request(link, &msg, LINK_CONFIG_READ, &got)) {
        return false;
    }
    *val = got & MAKE_64BIT_MASK(0, len * 8);
    return true;
}

static bool link_config_write(ProxyLink *link, uint32_t addr, uint32_t val,
                              unsigned len)
{
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_PCI_CFGWRITE, .size = sizeof(PciConfDataMsg),
        .data.pci_conf_data = { .addr = addr, .val = val, .len = len },
    };

    return request(link, &msg, LINK_CONFIG_WRITE, NULL);
}

static bool link_region_read(ProxyLink *link, bool memory, uint64_t base,
                             uint64_t offset, unsigned size, uint64_t *val)
{
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_BAR_READ, .size = sizeof(BarAccessMsg),
        .data.bar_access = {
            .addr = base + offset, .size = size, .memory = memory,
        },
    };

    return request(link, &msg, LINK_REGION_READ, val);
}

static bool link_region_write(ProxyLink *link, bool memory, uint64_t base,
                              uint64_t offset, unsigned size, uint64_t val)
{
    MPQemuMsg msg = {
        .cmd = MPQEMU_CMD_BAR_WRITE, .size = sizeof(BarAccessMsg),
        .data.bar_access = {
            .addr = base + offset, .val = val, .size = size, .memory = memory,
        },
    };

    return request(link, &msg, LINK_REGION_WRITE, NULL);
}

static bool link_reset(ProxyLink *link)
{
    MPQemuMsg msg = { .cmd = MPQEMU_CMD_DEVICE_RESET };

    return request(link, &msg, LINK_RESET, NULL);
}

/* -- Life ---------------------------------------------------------------- */

static void link_shutdown(ProxyLink *link)
{
    /* The socket's end wakes a request that waits; the descriptor itself
     * stays until free, so that its number is not used for another. */
    shutdown(impl(link)->ch.fd, SHUT_RDWR);
}

static void drop_posts(MPQemuProxyLink *l)
{
    for (int i = 0; i < POST_MAX; i++) {
        if (l->posts[i].pending) {
            mpqemu_msg_close_fds(&l->posts[i].msg);
            l->posts[i].pending = false;
        }
    }
    mailbox_unmap(g_steal_pointer(&l->new_mailbox));
}

/* Ends all that is the connection's. */
static void disconnect(MPQemuProxyLink *l)
{
    leave_room(l);
    drop_posts(l);
    mailbox_unmap(g_steal_pointer(&l->mailbox));
    mpqemu_channel_close(&l->ch);
}

static void link_free(ProxyLink *link)
{
    MPQemuProxyLink *l = impl(link);

    disconnect(l);
    qemu_mutex_destroy(&l->request_lock);
    qemu_mutex_destroy(&l->pending_lock);
    g_free(l);
}

static int link_get_fd(ProxyLink *link)
{
    return impl(link)->ch.fd;
}

static void link_take_over(ProxyLink *link, ProxyLink *from)
{
    MPQemuProxyLink *l = impl(link), *f = impl(from);

    /* A request that found the link dead may be on its way out. */
    qemu_mutex_lock(&l->request_lock);
    qemu_mutex_lock(&l->pending_lock);
    disconnect(l);
    l->ch = f->ch;
    f->ch = (MPQemuChannel){ .fd = -1 };
    l->knows = f->knows;
    l->unheard = f->unheard;
    adaptive_spin_init(&l->spin, l->spin.max_ns);
    link->peer_pid = from->peer_pid;
    if (proxy_link_is_dead(from)) {
        /* It has gone again: as if it had gone on this link. */
        memcpy(link->why, from->why, sizeof(link->why));
        shutdown(l->ch.fd, SHUT_RDWR);
    }
    __atomic_store_n(&link->dead, false, __ATOMIC_RELEASE);
    qemu_mutex_unlock(&l->pending_lock);
    qemu_mutex_unlock(&l->request_lock);
    link_free(from);
}

static const ProxyLinkOps mpqemu_proxy_link_ops = {
    /* Upstream's receiver refuses a message with all REMOTE_MAX_FDS. */
    .max_mem_regions = REMOTE_MAX_FDS - 1,
    .config_read = link_config_read,
    .config_write = link_config_write,
    .region_read = link_region_read,
    .region_write = link_region_write,
    .reset = link_reset,
    .set_memory = link_set_memory,
    .set_irqfd = link_set_irqfd,
    .set_unplugfd = link_set_unplugfd,
    .open_mailbox = link_open_mailbox,
    .get_fd = link_get_fd,
    .take_over = link_take_over,
    .shutdown = link_shutdown,
    .free = link_free,
};

ProxyLink *mpqemu_proxy_link_new(int fd, unsigned timeout_ms, int64_t spin_ns,
                                 void (*gone)(void *opaque), void *opaque)
{
    MPQemuProxyLink *l = g_new0(MPQemuProxyLink, 1);
    int buffer = SEND_BUFFER;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    l->parent.ops = &mpqemu_proxy_link_ops;
    l->parent.gone = gone;
    l->parent.opaque = opaque;
    l->parent.peer_pid = socket_peer_pid(fd);
    l->parent.timeout_ms = timeout_ms;
    adaptive_spin_init(&l->spin, MIN(spin_ns, timeout_ms * (int64_t)SCALE_MS));
    qemu_mutex_init(&l->request_lock);
    qemu_mutex_init(&l->pending_lock);
    mpqemu_channel_init(&l->ch, fd);
    return &l->parent;
}
