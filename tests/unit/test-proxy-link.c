/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's end of a link beside a peer that the test plays: what is posted
 * while a request waits, how a link dies, how it lives on.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "hw/remote/mailbox.h"
#include "hw/remote/proxy-link.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "qemu/timer.h"

#define LIMIT_MS 30000
/* For what a busy machine leaves to luck: that both are awake. */
#define LUCK_US (100 * G_USEC_PER_SEC)

typedef struct World {
    ProxyLink *link;
    MPQemuChannel peer;
    int gone;
    int fds_before;
} World;

static int count_fds(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    int n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

static void on_gone(void *opaque)
{
    World *w = opaque;

    w->gone++;
}

static ProxyLink *new_spinning_link(World *w, unsigned timeout_ms,
                                    int64_t spin_ns)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    ==, 0);
    mpqemu_channel_init(&w->peer, fds[1]);
    return mpqemu_proxy_link_new(fds[0], timeout_ms, spin_ns, on_gone, w);
}

static ProxyLink *new_link(World *w, unsigned timeout_ms)
{
    return new_spinning_link(w, timeout_ms, 0);
}

static void world_init(World *w, unsigned timeout_ms)
{
    *w = (World){ .fds_before = count_fds() };
    w->link = new_link(w, timeout_ms);
}

static void world_end(World *w)
{
    w->link->ops->free(w->link);
    mpqemu_channel_close(&w->peer);
    g_assert_cmpint(count_fds(), ==, w->fds_before);
}

/* The peer's next message. */
static MPQemuMsg peer_recv(World *w)
{
    struct pollfd pfd = { .fd = w->peer.fd, .events = POLLIN };
    MPQemuMsg msg;
    int ret;

    while ((ret = mpqemu_channel_recv(&w->peer, &msg)) == -EAGAIN) {
        g_assert_cmpint(poll(&pfd, 1, LIMIT_MS), ==, 1);
    }
    g_assert_cmpint(ret, ==, 1);
    return msg;
}

static void peer_hears_nothing(World *w)
{
    MPQemuMsg msg;

    g_assert_cmpint(mpqemu_channel_recv(&w->peer, &msg), ==, -EAGAIN);
}

static void peer_send(World *w, MPQemuMsg msg)
{
    g_assert_cmpint(mpqemu_channel_send(&w->peer, &msg, LIMIT_MS), ==, 0);
}

static void peer_answers(World *w, uint64_t value, uint32_t pad)
{
    peer_send(w, (MPQemuMsg){ .cmd = MPQEMU_CMD_RET, .pad = pad, .size = 8,
                              .data.u64 = value });
}

/* -- A request under way -------------------------------------------------- */

typedef struct Asking {
    QemuThread thread;
    ProxyLink *link;
    uint32_t value;
    bool ok;
} Asking;

static void *ask_thread(void *opaque)
{
    Asking *a = opaque;

    a->ok = a->link->ops->config_read(a->link, 0, 4, &a->value);
    return NULL;
}

/* Returns when the peer has the question. */
static void ask(World *w, Asking *a)
{
    a->link = w->link;
    g_assert_true(qemu_thread_create(&a->thread, "asking", ask_thread, a,
                                     &error_abort));
    g_assert_cmpint(peer_recv(w).cmd, ==, MPQEMU_CMD_PCI_CFGREAD);
}

static bool same_file(int a, int b)
{
    struct stat sa, sb;

    return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

static int memfd(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* None waits for the request, and of each kind the last is what counts. */
static void test_posted_while_busy(void)
{
    ProxyMemRegion old = { .gpa = 1, .size = 2, .offset = 3 };
    ProxyMemRegion new = { .gpa = 4, .size = 5, .offset = 6 };
    const ProxyLinkOps *ops;
    int a, b, c, d;
    MPQemuMsg msg;
    Asking asking;
    World w;

    world_init(&w, LIMIT_MS);
    ops = w.link->ops;
    /* Files, since all eventfds have one inode. */
    a = memfd();
    b = memfd();
    c = memfd();
    d = memfd();
    ask(&w, &asking);
    old.fd = a;
    new.fd = b;
    ops->set_memory(w.link, &old, 1);
    ops->set_irqfd(w.link, a, b);
    ops->set_memory(w.link, &new, 1);
    ops->set_irqfd(w.link, c, d);
    ops->set_unplugfd(w.link, a);       /* it has not said it knows that */
    peer_hears_nothing(&w);
    peer_answers(&w, 0xabcd, MPQEMU_PAD_MAGIC | MPQEMU_KNOWS_UNPLUG);
    qemu_thread_join(&asking.thread);
    g_assert_true(asking.ok);
    g_assert_cmphex(asking.value, ==, 0xabcd);

    msg = peer_recv(&w);
    g_assert_cmpint(msg.cmd, ==, MPQEMU_CMD_SYNC_SYSMEM);
    g_assert_cmpint(msg.num_fds, ==, 1);
    g_assert_cmpuint(msg.data.sync_sysmem.gpas[0], ==, 4);
    g_assert_cmpuint(msg.data.sync_sysmem.sizes[0], ==, 5);
    g_assert_cmpuint(msg.data.sync_sysmem.offsets[0], ==, 6);
    g_assert_true(same_file(msg.fds[0], b));
    mpqemu_msg_close_fds(&msg);
    msg = peer_recv(&w);
    g_assert_cmpint(msg.cmd, ==, MPQEMU_CMD_SET_IRQFD);
    g_assert_true(same_file(msg.fds[0], c));
    g_assert_true(same_file(msg.fds[1], d));
    mpqemu_msg_close_fds(&msg);
    peer_hears_nothing(&w);
    g_assert_cmpuint(w.link->stats.memory_tables, ==, 1);

    ops->set_unplugfd(w.link, a);
    msg = peer_recv(&w);
    g_assert_cmpint(msg.cmd, ==, MPQEMU_CMD_SET_UNPLUGFD);
    g_assert_true(same_file(msg.fds[0], a));
    mpqemu_msg_close_fds(&msg);
    close(a);
    close(b);
    close(c);
    close(d);
    world_end(&w);
}

/* -- Ends ------------------------------------------------------------------ */

static void assert_dead(World *w, const char *why)
{
    uint32_t val;

    g_assert_true(proxy_link_is_dead(w->link));
    if (!strstr(w->link->why, why)) {
        g_error("'%s' instead of '%s'", w->link->why, why);
    }
    g_assert_cmpint(w->gone, ==, 1);
    /* What comes after is refused, and said no more. */
    g_assert_false(w->link->ops->config_read(w->link, 0, 4, &val));
    w->link->ops->set_irqfd(w->link, w->peer.fd, w->peer.fd);
    g_assert_cmpint(w->gone, ==, 1);
}

static void test_posts_while_it_ends(void)
{
    ProxyMemRegion region = { .size = 4096 };
    Asking asking;
    World w;

    world_init(&w, LIMIT_MS);
    ask(&w, &asking);
    region.fd = w.peer.fd;
    w.link->ops->set_memory(w.link, &region, 1);
    w.link->ops->set_irqfd(w.link, w.peer.fd, w.peer.fd);
    mpqemu_channel_close(&w.peer);
    /* What was posted holds the peer's socket open. */
    w.link->ops->shutdown(w.link);
    qemu_thread_join(&asking.thread);
    g_assert_false(asking.ok);
    g_assert_true(proxy_link_is_dead(w.link));
    g_assert_cmpint(w.gone, ==, 1);
    g_assert_cmpstr(w.link->why, ==, "it closed the connection");
    world_end(&w);
}

/* With tables, each of another size; returns how many have been sent when the
 * last has to wait. */
static unsigned fill_socket(World *w, int fd, uint64_t *size)
{
    ProxyMemRegion region = { .fd = fd };
    unsigned before;

    do {
        before = w->link->stats.memory_tables;
        region.size = ++*size;
        w->link->ops->set_memory(w->link, &region, 1);
    } while (w->link->stats.memory_tables != before);
    return before;
}

static void test_takes_nothing(void)
{
    uint64_t size = 0;
    int fd = memfd();
    uint32_t val;
    World w;

    world_init(&w, 20);
    fill_socket(&w, fd, &size);
    /* That waits for nobody; a question does. */
    g_assert_false(proxy_link_is_dead(w.link));
    g_assert_false(w.link->ops->config_read(w.link, 0, 4, &val));
    assert_dead(&w, "it took no request for 20 ms");
    world_end(&w);
    close(fd);
}

static void test_full_socket(void)
{
    uint64_t size = 0, seen = 0;
    int fd = memfd();
    unsigned sent;
    MPQemuMsg msg;
    Asking asking;
    World w;

    world_init(&w, LIMIT_MS);
    sent = fill_socket(&w, fd, &size);
    g_assert_cmpuint(sent, >=, 2);
    g_assert_cmpuint(sent, <=, 32);
    for (int i = 0; i < 1000; i++) {
        ProxyMemRegion region = { .fd = fd, .size = ++size };

        w.link->ops->set_memory(w.link, &region, 1);
    }
    w.link->ops->set_irqfd(w.link, fd, fd);
    g_assert_cmpuint(w.link->stats.memory_tables, ==, sent);

    /* The peer reads on: then the last arrives, without a question. */
    while (seen != size) {
        main_loop_wait(true);
        if (mpqemu_channel_recv(&w.peer, &msg) == 1) {
            g_assert_cmpint(msg.cmd, ==, MPQEMU_CMD_SYNC_SYSMEM);
            seen = msg.data.sync_sysmem.sizes[0];
            mpqemu_msg_close_fds(&msg);
        }
    }
    g_assert_cmpuint(w.link->stats.memory_tables, ==, sent + 1);
    main_loop_wait(true);
    msg = peer_recv(&w);
    g_assert_cmpint(msg.cmd, ==, MPQEMU_CMD_SET_IRQFD);
    mpqemu_msg_close_fds(&msg);

    /* Or before a question. */
    fill_socket(&w, fd, &size);
    asking.link = w.link;
    g_assert_true(qemu_thread_create(&asking.thread, "asking", ask_thread,
                                     &asking, &error_abort));
    while ((msg = peer_recv(&w)).cmd == MPQEMU_CMD_SYNC_SYSMEM) {
        seen = msg.data.sync_sysmem.sizes[0];
        mpqemu_msg_close_fds(&msg);
    }
    g_assert_cmpint(msg.cmd, ==, MPQEMU_CMD_PCI_CFGREAD);
    g_assert_cmpuint(seen, ==, size);
    peer_answers(&w, 1, 0);
    qemu_thread_join(&asking.thread);
    g_assert_true(asking.ok);

    /* One that ends is not watched any more. */
    fill_socket(&w, fd, &size);
    world_end(&w);
    close(fd);
}

static void test_answers_nothing(void)
{
    Asking asking;
    World w;

    world_init(&w, 20);
    ask(&w, &asking);
    qemu_thread_join(&asking.thread);
    g_assert_false(asking.ok);
    assert_dead(&w, "it did not answer within 20 ms");
    world_end(&w);
}

static void wrong_answer(MPQemuMsg answer, const char *why)
{
    Asking asking;
    World w;

    world_init(&w, LIMIT_MS);
    ask(&w, &asking);
    peer_send(&w, answer);
    qemu_thread_join(&asking.thread);
    g_assert_false(asking.ok);
    assert_dead(&w, why);
    world_end(&w);
}

static void test_wrong_answers(void)
{
    wrong_answer((MPQemuMsg){ .cmd = MPQEMU_CMD_DEVICE_RESET },
                 "DEVICE_RESET instead of RET");
    wrong_answer((MPQemuMsg){ .cmd = MPQEMU_CMD_PCI_CFGREAD, .size = 12,
                              .data.pci_conf_data.len = 4 },
                 "PCI_CFGREAD instead of RET");
    wrong_answer((MPQemuMsg){ .cmd = MPQEMU_CMD_RET },
                 "RET of 0 bytes, not 8");
    wrong_answer((MPQemuMsg){ .cmd = MPQEMU_CMD_RET, .size = 9 },
                 "bad answer: RET with a payload of 9 bytes");
}

static void test_no_descriptors(void)
{
    struct rlimit was, none;
    ProxyMemRegion region = { .size = 4096 };
    World w;

    world_init(&w, LIMIT_MS);
    region.fd = w.peer.fd;
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &was), ==, 0);
    none = (struct rlimit){ 0, was.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    g_assert_cmpint(w.link->ops->set_irqfd(w.link, w.peer.fd, w.peer.fd), <,
                    0);
    g_assert_false(proxy_link_is_dead(w.link));
    w.link->ops->set_memory(w.link, &region, 1);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &was), ==, 0);
    assert_dead(&w, "no descriptors left for SYNC_SYSMEM: ");
    world_end(&w);
}

/* Somebody has closed the descriptor, and its number is another file's. */
static void test_no_socket_any_more(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    Asking asking;
    uint32_t val;
    int socket;
    World w;

    world_init(&w, LIMIT_MS);
    dup2(null, w.link->ops->get_fd(w.link));
    g_assert_false(w.link->ops->config_read(w.link, 0, 4, &val));
    assert_dead(&w, "PCI_CFGREAD could not be sent: Socket operation");
    world_end(&w);

    world_init(&w, LIMIT_MS);
    socket = dup(w.link->ops->get_fd(w.link));
    ask(&w, &asking);
    dup2(null, w.link->ops->get_fd(w.link));
    peer_answers(&w, 0, 0);
    qemu_thread_join(&asking.thread);
    g_assert_false(asking.ok);
    assert_dead(&w, "no answer: Socket operation on non-socket");
    close(socket);
    world_end(&w);
    close(null);
}

/* -- The mailbox ------------------------------------------------------------ */

#define TAKEN 2         /* the state, in docs/interop/mpqemu.md */

typedef struct Looker {
    World *w;
    QemuThread thread;
    uint32_t knows;
    uint32_t *page;             /* of the mailbox; its first word is the state */
    Mailbox *mailbox;
    bool scribbles;
    unsigned taken, late;       /* by the mailbox; of those, answered by the
                                   socket (atomic) */
} Looker;

/* A device's thread that never sleeps, looks at the socket now and then, and
 * answers config reads with their address.  Every other one from the mailbox
 * is answered only when the proxy waits for it no longer, or has gone. */
static void *looker_thread(void *opaque)
{
    Looker *k = opaque;
    unsigned looks = 0;
    MPQemuMsg msg;
    int ret;

    do {
        ret = !k->mailbox || ++looks % 64 == 0
            ? mpqemu_channel_recv(&k->w->peer, &msg) : -EAGAIN;
        if (ret == 1 && msg.cmd == MPQEMU_CMD_SET_MAILBOX) {
            k->mailbox = mailbox_map(msg.fds[0], &error_abort);
            k->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                           msg.fds[0], 0);
            g_assert_true(k->page != MAP_FAILED);
            mpqemu_msg_close_fds(&msg);
            mailbox_set_awake(k->mailbox, true);
        } else if (ret == 1 && msg.cmd == MPQEMU_CMD_SYNC_SYSMEM) {
            mpqemu_msg_close_fds(&msg);
        } else if (ret == 1) {
            peer_answers(k->w, msg.data.pci_conf_data.addr,
                         MPQEMU_PAD_MAGIC | k->knows);
        } else if (k->mailbox && mailbox_take(k->mailbox, &msg)) {
            uint32_t state = TAKEN;
            char byte;

            /* Whatever was sent before has been heard. */
            g_assert_cmpint(recv(k->w->peer.fd, &byte, 1,
                                 MSG_PEEK | MSG_DONTWAIT), <=, 0);
            /* A proxy that has just gone to sleep would not see it. */
            if (k->scribbles &&
                __atomic_compare_exchange_n(k->page, &state, 77, false,
                                            __ATOMIC_SEQ_CST,
                                            __ATOMIC_SEQ_CST)) {
                continue;
            }
            k->taken++;
            while (k->taken % 2 &&
                   __atomic_load_n(k->page, __ATOMIC_ACQUIRE) == TAKEN) {
                sched_yield();
            }
            if (!mailbox_answer(k->mailbox, msg.data.pci_conf_data.addr)) {
                __atomic_fetch_add(&k->late, 1, __ATOMIC_RELAXED);
                peer_answers(k->w, msg.data.pci_conf_data.addr, 0);
            }
        }
        sched_yield();
    } while (ret == -EAGAIN || ret == 1);
    return NULL;
}

static void looker_start(Looker *k, World *w)
{
    uint32_t val;

    *w = (World){ .fds_before = count_fds() };
    w->link = new_spinning_link(w, LIMIT_MS, SCALE_MS);
    k->w = w;
    g_assert_true(qemu_thread_create(&k->thread, "looker", looker_thread, k,
                                     &error_abort));
    g_assert_true(w->link->ops->config_read(w->link, 4, 4, &val));
    g_assert_cmpuint(val, ==, 4);
    w->link->ops->open_mailbox(w->link);
}

static void looker_end(Looker *k)
{
    k->w->link->ops->shutdown(k->w->link);
    qemu_thread_join(&k->thread);
    if (k->page) {
        munmap(k->page, 4096);
    }
    mailbox_unmap(k->mailbox);
    world_end(k->w);
}

static bool one_cpu(void)
{
    if (g_get_num_processors() < 2) {
        g_test_skip("this machine has one CPU, where nobody waits awake");
        return true;
    }
    return false;
}

static void test_mailbox(void)
{
    Looker k = { .knows = MPQEMU_KNOWS_MAILBOX };
    gint64 end = g_get_monotonic_time() + LUCK_US;
    ProxyMemRegion memory = { .size = 4096 };
    uint64_t by_mailbox;
    uint32_t val;
    World w;

    if (one_cpu()) {
        return;
    }
    looker_start(&k, &w);
    memory.fd = memfd();
    for (uint32_t n = 0; __atomic_load_n(&k.late, __ATOMIC_RELAXED) < 3 ||
                         w.link->stats.by_mailbox < 3; n++) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        if (n % 4 == 0) {
            w.link->ops->set_memory(w.link, &memory, 1);
        }
        g_assert_true(w.link->ops->config_read(w.link, n, 4, &val));
        g_assert_cmpuint(val, ==, n);
    }
    by_mailbox = w.link->stats.by_mailbox;
    close(memory.fd);
    looker_end(&k);
    g_assert_cmpuint(k.taken, ==, k.late + by_mailbox);
}

static void test_scribbled_mailbox(void)
{
    Looker k = { .knows = MPQEMU_KNOWS_MAILBOX, .scribbles = true };
    gint64 end = g_get_monotonic_time() + LUCK_US;
    uint32_t val;
    World w;

    if (one_cpu()) {
        return;
    }
    looker_start(&k, &w);
    while (w.link->ops->config_read(w.link, 8, 4, &val)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    assert_dead(&w, "bad answer: nonsense in the mailbox");
    looker_end(&k);
}

/* One that has not said that it knows it is sent none. */
static void test_no_mailbox(void)
{
    Looker k = { .knows = MPQEMU_KNOWS_UNPLUG };
    uint32_t val;
    World w;

    looker_start(&k, &w);
    for (uint32_t n = 0; n < 100; n++) {
        g_assert_true(w.link->ops->config_read(w.link, n, 4, &val));
    }
    g_assert_cmpuint(w.link->stats.by_mailbox, ==, 0);
    looker_end(&k);
    g_assert_null(k.page);
}

/* -- A second life ---------------------------------------------------------- */

static void test_lives_on(void)
{
    ProxyLink *other;
    Asking asking;
    uint32_t val;
    World w;

    world_init(&w, LIMIT_MS);
    mpqemu_channel_close(&w.peer);
    g_assert_false(w.link->ops->config_read(w.link, 0, 4, &val));
    g_assert_cmpint(w.gone, ==, 1);
    other = new_link(&w, LIMIT_MS);
    w.link->ops->take_over(w.link, other);
    g_assert_false(proxy_link_is_dead(w.link));
    ask(&w, &asking);
    peer_answers(&w, 7, 0);
    qemu_thread_join(&asking.thread);
    g_assert_true(asking.ok);
    g_assert_cmpuint(asking.value, ==, 7);
    g_assert_cmpint(w.gone, ==, 1);
    world_end(&w);
}

/* What takes its place has gone meanwhile: that is told again. */
static void test_lives_on_not_for_long(void)
{
    ProxyLink *other;
    uint32_t val;
    World w;

    world_init(&w, LIMIT_MS);
    mpqemu_channel_close(&w.peer);
    g_assert_false(w.link->ops->config_read(w.link, 0, 4, &val));
    other = new_link(&w, LIMIT_MS);
    peer_send(&w, (MPQemuMsg){ .cmd = MPQEMU_CMD_DEVICE_RESET });
    g_assert_false(other->ops->config_read(other, 0, 4, &val));
    w.gone = 0;
    w.link->ops->take_over(w.link, other);
    g_assert_cmpstr(w.link->why, ==, "bad answer: DEVICE_RESET instead of RET");
    g_assert_cmpint(w.gone, ==, 0);
    w.link->ops->set_irqfd(w.link, w.peer.fd, w.peer.fd);
    assert_dead(&w, "it closed the connection");
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    g_test_add_func("/proxy-link/the-last-posted-while-busy-is-sent",
                    test_posted_while_busy);
    g_test_add_func("/proxy-link/posted-while-it-ends-is-closed",
                    test_posts_while_it_ends);
    g_test_add_func("/proxy-link/peer-that-takes-nothing-is-gone",
                    test_takes_nothing);
    g_test_add_func("/proxy-link/posting-waits-for-nobody",
                    test_full_socket);
    g_test_add_func("/proxy-link/peer-that-answers-nothing-is-gone",
                    test_answers_nothing);
    g_test_add_func("/proxy-link/wrong-answers-end-it", test_wrong_answers);
    g_test_add_func("/proxy-link/no-descriptors-left-ends-it",
                    test_no_descriptors);
    g_test_add_func("/proxy-link/no-socket-any-more-ends-it",
                    test_no_socket_any_more);
    g_test_add_func("/proxy-link/mailbox-and-socket-give-one-answer-each",
                    test_mailbox);
    g_test_add_func("/proxy-link/scribbled-mailbox-ends-it",
                    test_scribbled_mailbox);
    g_test_add_func("/proxy-link/no-mailbox-for-one-that-knows-none",
                    test_no_mailbox);
    g_test_add_func("/proxy-link/lives-on-by-another-connection",
                    test_lives_on);
    g_test_add_func("/proxy-link/the-other-connection-is-dead-too",
                    test_lives_on_not_for_long);
    return g_test_run();
}
