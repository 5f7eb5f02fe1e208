/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mailbox of a link, both sides played by the test: who answers how, and
 * what either makes of a page that the other scribbles on.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include "hw/remote/mailbox.h"
#include "qemu/thread.h"

#define REQUESTS 20000

/* What a scribbler finds in the page (docs/interop/mpqemu.md). */
enum { EMPTY, POSTED, TAKEN, ANSWERED, BY_SOCKET };

typedef struct Pair {
    Mailbox *proxy, *device;
    uint32_t *state;
} Pair;

static void pair_init(Pair *p)
{
    int fd;

    p->proxy = mailbox_new(&fd, &error_abort);
    p->device = mailbox_map(fd, &error_abort);
    p->state = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(p->state != MAP_FAILED);
    close(fd);
}

static void pair_end(Pair *p)
{
    mailbox_unmap(p->proxy);
    mailbox_unmap(p->device);
    munmap(p->state, 4096);
}

static MPQemuMsg request(uint64_t n)
{
    return (MPQemuMsg){
        .cmd = MPQEMU_CMD_BAR_WRITE, .size = sizeof(BarAccessMsg),
        .data.bar_access = { .addr = n, .val = ~n, .size = 4, .memory = 1 },
    };
}

static bool post(Pair *p, uint64_t n)
{
    MPQemuMsg msg = request(n);

    return mailbox_post(p->proxy, &msg);
}

/* Posted, and taken if @take. */
static void posted(Pair *p, bool take)
{
    MPQemuMsg msg;

    g_assert_true(mailbox_set_awake(p->device, true));
    g_assert_true(post(p, 1));
    g_assert_true(!take || mailbox_take(p->device, &msg));
}

static void test_request_and_answer(void)
{
    MPQemuMsg msg, want = request(0x1234567890);
    uint64_t value = 0;
    Pair p;

    pair_init(&p);
    mailbox_set_awake(p.device, true);
    g_assert_false(mailbox_take(p.device, &msg));
    g_assert_true(post(&p, 0x1234567890));
    g_assert_cmpint(mailbox_look(p.proxy, &value), ==, 0);
    memset(&msg, 0xff, sizeof(msg));
    g_assert_true(mailbox_take(p.device, &msg));
    g_assert_cmpint(memcmp(&msg, &want, MPQEMU_MSG_HDR_SIZE + want.size), ==,
                    0);
    g_assert_cmpint(msg.num_fds, ==, 0);
    g_assert_false(mailbox_take(p.device, &msg));
    g_assert_cmpint(mailbox_look(p.proxy, &value), ==, 0);
    g_assert_cmpint(mailbox_answer(p.device, 0xfeed), ==, 1);
    g_assert_cmpint(mailbox_look(p.proxy, &value), ==, 1);
    g_assert_cmphex(value, ==, 0xfeed);
    g_assert_true(post(&p, 2));
    pair_end(&p);
}

static void test_asleep(void)
{
    MPQemuMsg msg;
    Pair p;

    pair_init(&p);
    g_assert_false(post(&p, 1));        /* it has not looked yet */
    mailbox_set_awake(p.device, true);
    g_assert_true(mailbox_set_awake(p.device, false));
    g_assert_false(post(&p, 1));
    g_assert_false(mailbox_take(p.device, &msg));
    posted(&p, false);
    g_assert_false(mailbox_set_awake(p.device, false));
    g_assert_true(mailbox_take(p.device, &msg));
    pair_end(&p);
}

static void test_taken_back(void)
{
    uint64_t value;
    MPQemuMsg msg;
    Pair p;

    pair_init(&p);
    posted(&p, false);
    g_assert_cmpint(mailbox_give_up(p.proxy, &value), ==, -ECANCELED);
    g_assert_false(mailbox_take(p.device, &msg));
    g_assert_true(post(&p, 2));
    pair_end(&p);
}

static void test_answer_by_socket(void)
{
    uint64_t value;
    Pair p;

    pair_init(&p);
    posted(&p, true);
    g_assert_cmpint(mailbox_give_up(p.proxy, &value), ==, -EINPROGRESS);
    g_assert_cmpint(mailbox_answer(p.device, 1), ==, 0);
    mailbox_clear(p.proxy);
    g_assert_true(post(&p, 2));
    pair_end(&p);
}

static void test_answered_meanwhile(void)
{
    uint64_t value = 0;
    Pair p;

    pair_init(&p);
    posted(&p, true);
    g_assert_cmpint(mailbox_answer(p.device, 5), ==, 1);
    g_assert_cmpint(mailbox_give_up(p.proxy, &value), ==, 1);
    g_assert_cmpuint(value, ==, 5);
    pair_end(&p);
}

static void test_nonsense(void)
{
    static const uint32_t to_proxy[] = { EMPTY, BY_SOCKET, 5, UINT32_MAX };
    static const uint32_t to_device[] = { EMPTY, POSTED, ANSWERED, 5,
                                          UINT32_MAX };
    uint64_t value;
    Pair p;

    pair_init(&p);
    for (int i = 0; i < G_N_ELEMENTS(to_proxy); i++) {
        posted(&p, false);
        *p.state = to_proxy[i];
        g_assert_cmpint(mailbox_look(p.proxy, &value), ==, -EPROTO);
        g_assert_cmpint(mailbox_give_up(p.proxy, &value), ==, -EPROTO);
    }
    for (int i = 0; i < G_N_ELEMENTS(to_device); i++) {
        posted(&p, true);
        *p.state = to_device[i];
        g_assert_cmpint(mailbox_answer(p.device, 0), ==, -EPROTO);
    }
    pair_end(&p);
}

static void refuse(int fd, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_null(mailbox_map(fd, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, why);
    close(fd);
}

static int memory(off_t size, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
    return fd;
}

static void test_no_mailbox(void)
{
    const char *not_sealed =
        "a mailbox that is no memory, or can be shortened";
    const char *not_page = "a mailbox that has not 4096 bytes";

    refuse(open("/dev/null", O_RDWR | O_CLOEXEC), not_sealed);
    refuse(memory(4096, 0), not_sealed);
    refuse(memory(4096, F_SEAL_GROW), not_sealed);
    refuse(memory(0, F_SEAL_SHRINK), not_page);
    refuse(memory(8192, F_SEAL_SHRINK), not_page);
    refuse(memory(4096, F_SEAL_SHRINK | F_SEAL_WRITE),
           "Cannot map a mailbox: Operation not permitted");
    g_assert_null(mailbox_map(-1, NULL));
}

static void test_no_descriptors(void)
{
    g_autoptr(Error) err = NULL;
    struct rlimit was, none;
    int fd = 0;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &was), ==, 0);
    none = (struct rlimit){ 0, was.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    g_assert_null(mailbox_new(&fd, &err));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &was), ==, 0);
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "Cannot create a mailbox: Too many open files");
    g_assert_cmpint(fd, ==, -1);
}

/* -- Two threads ------------------------------------------------------------ */

typedef struct Race {
    Pair pair;
    uint64_t by_socket;         /* the answer, or 0; atomic */
    bool end;                   /* atomic */
} Race;

/* Answers n with n + 1, looking away at every third look. */
static void *device_thread(void *opaque)
{
    Race *r = opaque;
    unsigned looks = 0;
    MPQemuMsg msg;

    while (!__atomic_load_n(&r->end, __ATOMIC_ACQUIRE)) {
        mailbox_set_awake(r->pair.device, true);
        if (++looks % 3 == 0 && mailbox_set_awake(r->pair.device, false)) {
            sched_yield();
            continue;
        }
        if (mailbox_take(r->pair.device, &msg)) {
            uint64_t value = msg.data.bar_access.addr + 1;

            g_assert_cmphex(msg.data.bar_access.val, ==, ~(value - 1));
            if (!mailbox_answer(r->pair.device, value)) {
                __atomic_store_n(&r->by_socket, value, __ATOMIC_RELEASE);
            }
        }
    }
    return NULL;
}

static uint64_t await_socket(Race *r)
{
    uint64_t value;

    while (!(value = __atomic_exchange_n(&r->by_socket, 0,
                                         __ATOMIC_ACQ_REL))) {
        sched_yield();
    }
    return value;
}

/* Each request is answered once, the way that both sides agree on. */
static void test_two_threads(void)
{
    Race r = { .end = false };
    QemuThread device;

    pair_init(&r.pair);
    g_assert_true(qemu_thread_create(&device, "device", device_thread, &r,
                                     &error_abort));
    for (uint64_t n = 1; n <= REQUESTS; n++) {
        uint64_t value = 0;
        int ret = -ECANCELED;

        if (post(&r.pair, n)) {
            int patience = n % 50;

            do {
                ret = mailbox_look(r.pair.proxy, &value);
            } while (!ret && patience--);
            ret = ret ? ret : mailbox_give_up(r.pair.proxy, &value);
        }
        if (ret == -EINPROGRESS) {
            value = await_socket(&r);
            mailbox_clear(r.pair.proxy);
        } else if (ret != -ECANCELED) {
            g_assert_cmpint(ret, ==, 1);
        }
        g_assert_cmpuint(value, ==, ret == -ECANCELED ? 0 : n + 1);
        g_assert_cmpuint(__atomic_load_n(&r.by_socket, __ATOMIC_ACQUIRE), ==,
                         0);
    }
    __atomic_store_n(&r.end, true, __ATOMIC_RELEASE);
    qemu_thread_join(&device);
    pair_end(&r.pair);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailbox/request-and-answer", test_request_and_answer);
    g_test_add_func("/mailbox/nothing-is-left-for-one-that-sleeps",
                    test_asleep);
    g_test_add_func("/mailbox/what-nobody-took-is-taken-back",
                    test_taken_back);
    g_test_add_func("/mailbox/a-late-answer-goes-by-the-socket",
                    test_answer_by_socket);
    g_test_add_func("/mailbox/answered-just-when-given-up",
                    test_answered_meanwhile);
    g_test_add_func("/mailbox/nonsense-is-told-apart", test_nonsense);
    g_test_add_func("/mailbox/only-a-sealed-page-is-one", test_no_mailbox);
    g_test_add_func("/mailbox/without-descriptors-there-is-none",
                    test_no_descriptors);
    g_test_add_func("/mailbox/two-threads-agree-on-each-answer",
                    test_two_threads);
    return g_test_run();
}
