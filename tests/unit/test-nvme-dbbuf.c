/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe doorbell buffers: who rings when, what a host may put there, and that
 * no ring is lost between a host that looks at EventIdx and a loop that goes
 * to sleep.
 */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"
#include "qemu/thread.h"

#define NULL_DISK "driver=null-co,size=16M,if=none,id=disk"
#define RINGS 20000

typedef struct Buffers {
    uint64_t shadow, eventidx;  /* guest addresses */
} Buffers;

static uint16_t config(NvmeTest *t, uint64_t prp1, uint64_t prp2)
{
    return nt_do(t, 0, (NvmeCmd){ .opcode = NVME_ADM_DBBUF_CONFIG,
                                  .prp1 = prp1, .prp2 = prp2 });
}

static void use_buffers(NvmeTest *t, Buffers *b)
{
    b->shadow = nt_alloc(t, 4096);
    b->eventidx = nt_alloc(t, 4096);
    g_assert_cmphex(config(t, b->shadow, b->eventidx), ==, 0);
}

static NvmeTest *start(Buffers *b)
{
    NvmeTest *t = nt_start(NULL_DISK, "dbcs=on");

    use_buffers(t, b);
    return t;
}

static uint32_t *entry(NvmeTest *t, uint64_t page, unsigned doorbell)
{
    return (uint32_t *)nt_ptr(t, page) + doorbell;
}

static void set_shadow(NvmeTest *t, const Buffers *b, unsigned doorbell,
                       uint32_t value)
{
    __atomic_store_n(entry(t, b->shadow, doorbell), value, __ATOMIC_SEQ_CST);
}

static uint32_t get_eventidx(NvmeTest *t, const Buffers *b, unsigned doorbell)
{
    return __atomic_load_n(entry(t, b->eventidx, doorbell), __ATOMIC_SEQ_CST);
}

/* Takes @n completions of pair 1 off the queue, without the register. */
static void take(NvmeTest *t, unsigned n)
{
    NvmeTestQueue *q = &t->q[1];

    while (n--) {
        NvmeCqe *cqe = (NvmeCqe *)nt_ptr(t, q->cq) + q->head;

        g_assert_cmpuint(cqe->status & 1, ==, q->phase);
        g_assert_cmphex(nt_status(cqe), ==, 0);
        q->head = (q->head + 1) % q->cq_size;
        q->phase ^= q->head == 0;
    }
}

static bool complete(NvmeTest *t, unsigned n)
{
    NvmeTestQueue *q = &t->q[1];
    unsigned last = q->head + n - 1;
    NvmeCqe *cqe = (NvmeCqe *)nt_ptr(t, q->cq) + last % q->cq_size;

    return (cqe->status & 1) == (q->phase ^ (last >= q->cq_size));
}

/* Sleeps once, at least: the tick wakes. */
static void sleep_once(void)
{
    nt_run();
    nt_sleep(nt_deadline());
}

/* -- The command ----------------------------------------------------------- */

static void test_offered(void)
{
    NvmeTest *t = nt_start(NULL_DISK, NULL);
    uint64_t buf = nt_alloc(t, 4096), page = nt_alloc(t, 8192);
    const NvmeIdCtrl *id = nt_ptr(t, buf);
    const NvmeEffectsLog *log = nt_ptr(t, buf);
    const NvmeCmd effects = {
        .opcode = NVME_ADM_GET_LOG_PAGE, .prp1 = buf,
        .cdw10 = 1023 << 16 | NVME_LOG_CMD_EFFECTS,
    };

    g_assert_cmphex(nt_do(t, 0, nt_identify(buf)), ==, 0);
    g_assert_cmphex(id->oacs & NVME_OACS_DBBUF, ==, 0);
    g_assert_cmphex(nt_do(t, 0, effects), ==, 0);
    g_assert_cmphex(log->acs[NVME_ADM_DBBUF_CONFIG], ==, 0);
    g_assert_cmphex(config(t, page, page + 4096), ==,
                    NVME_INVALID_OPCODE | NVME_DNR);
    nt_free(t);

    t = nt_start(NULL_DISK, "dbcs=on");
    id = nt_ptr(t, buf);
    log = nt_ptr(t, buf);
    g_assert_cmphex(nt_do(t, 0, nt_identify(buf)), ==, 0);
    g_assert_cmphex(id->oacs & NVME_OACS_DBBUF, ==, NVME_OACS_DBBUF);
    g_assert_cmphex(nt_do(t, 0, effects), ==, 0);
    g_assert_cmphex(log->acs[NVME_ADM_DBBUF_CONFIG], ==, NVME_EFFECTS_CSUPP);
    nt_free(t);
}

static void test_bad_buffers(void)
{
    NvmeTest *t = nt_start(NULL_DISK, "dbcs=on");
    uint64_t good = nt_alloc(t, 4096), other = nt_alloc(t, 4096);
    const uint64_t bad[] = {
        good + 4, good + 2048, NT_HOLE, NT_MMIO, NT_CONFIG, NT_BAR,
        NT_RAM2 + NT_RAM2_SIZE, ~0xfffULL,
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmphex(config(t, bad[i], good), ==,
                        NVME_INVALID_FIELD | NVME_DNR);
        g_assert_cmphex(config(t, good, bad[i]), ==,
                        NVME_INVALID_FIELD | NVME_DNR);
    }
    g_assert_cmphex(config(t, good, good), ==, NVME_INVALID_FIELD | NVME_DNR);
    /* None of these changed anything. */
    nt_put(t, 1, nt_flush());
    *entry(t, good, 2) = 1;
    nt_run();
    g_assert_false(complete(t, 1));
    *entry(t, good, 2) = 0;
    g_assert_cmphex(config(t, good, other), ==, 0);
    nt_free(t);
}

/* A page is what CC.MPS says, all of it. */
static void test_large_pages(void)
{
    NvmeTest *t = nt_new(NULL_DISK, "dbcs=on");
    uint64_t page;

    nt_enable_with(t, 32, 2);
    t->free = ROUND_UP(t->free, 16384);
    page = nt_alloc(t, 32768);
    g_assert_cmphex(config(t, page + 4096, page + 16384), ==,
                    NVME_INVALID_FIELD | NVME_DNR);
    g_assert_cmphex(config(t, page, page + 16384), ==, 0);
    nt_free(t);
}

/* -- Rings ----------------------------------------------------------------- */

static void test_awake(void)
{
    Buffers b;
    NvmeTest *t = start(&b);
    unsigned i;

    /* Three turns of the queue, and the register never. */
    for (i = 0; i < 3 * 64; i++) {
        nt_put(t, 1, nt_flush());
        set_shadow(t, &b, 2, t->q[1].tail);
        nt_run();
        g_assert_cmpint(t->irq, ==, 1);
        take(t, 1);
        set_shadow(t, &b, 3, t->q[1].head);
        nt_run();
        g_assert_cmpint(t->irq, ==, 0);
    }
    g_assert_cmpuint(t->irq_raised, >=, 3 * 64);
    nt_free(t);
}

static void test_asleep(void)
{
    Buffers b;
    NvmeTest *t = start(&b);

    nt_put(t, 1, nt_flush());
    nt_put(t, 1, nt_flush());
    set_shadow(t, &b, 2, 2);
    sleep_once();
    g_assert_true(complete(t, 2));
    g_assert_cmpuint(get_eventidx(t, &b, 2), ==, 2);
    /* The pin is up: its end is worth an access. */
    g_assert_cmpint(t->irq, ==, 1);
    g_assert_cmpuint(get_eventidx(t, &b, 3), ==, 0);
    take(t, 2);
    set_shadow(t, &b, 3, 2);
    nt_write(t, NT_DB_CQ(1), 2);
    g_assert_cmpint(t->irq, ==, 0);
    nt_free(t);
}

/* What the host does not use rings by the register, as Linux's admin queue. */
static void test_register(void)
{
    Buffers b;
    NvmeTest *t = start(&b);
    unsigned i;

    for (i = 0; i < 100; i++) {
        g_assert_cmphex(nt_do(t, 0, nt_identify(nt_alloc(t, 4096))), ==, 0);
        g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
    }
    /* Once it does, memory has what counts. */
    nt_put(t, 1, nt_flush());
    nt_put(t, 1, nt_flush());
    set_shadow(t, &b, 2, t->q[1].tail);
    nt_write(t, NT_DB_SQ(1), t->q[1].tail - 1);
    nt_run();
    g_assert_true(complete(t, 2));
    nt_free(t);
}

/* The admin queue may use them too, and EventIdx holds for it. */
static void test_admin(void)
{
    Buffers b;
    NvmeTest *t = start(&b);
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCqe cqe;

    sleep_once();
    g_assert_cmpuint(get_eventidx(t, &b, 0), ==, t->q[0].tail);
    nt_put(t, 0, nt_identify(buf));
    set_shadow(t, &b, 0, t->q[0].tail);
    nt_run();
    g_assert_true(nt_poll(t, 0, &cqe));
    g_assert_cmphex(nt_status(&cqe), ==, 0);
    nt_free(t);
}

/* A queue of later: what its doorbells have before it is there is no ring. */
static void test_new_queue(void)
{
    Buffers b;
    NvmeTest *t = start(&b);

    set_shadow(t, &b, 4, 7);
    set_shadow(t, &b, 5, 0xffffffff);
    nt_run();
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    nt_create_pair(t, 2, 16);
    nt_run();
    g_assert_false(nt_poll(t, 0, &(NvmeCqe){ 0 }));
    nt_put(t, 2, nt_flush());
    set_shadow(t, &b, 4, 1);
    nt_run();
    g_assert_cmpuint(((NvmeCqe *)nt_ptr(t, t->q[2].cq))->status, ==, 1);
    nt_free(t);
}

/* The completion queue is full and the loop asleep: a head in memory, and the
 * register where EventIdx asks for it, let it go on. */
static void test_full_cq(void)
{
    Buffers b;
    NvmeTest *t = nt_new(NULL_DISK, "dbcs=on");
    unsigned i;

    nt_enable(t);
    t->q[1] = (NvmeTestQueue){
        .sq = nt_alloc(t, 4096), .cq = nt_alloc(t, 4096), .sq_size = 32,
        .cq_size = 4,
    };
    nt_create_at(t, 1, 1);              /* no interrupts */
    use_buffers(t, &b);
    for (i = 0; i < 8; i++) {
        nt_put(t, 1, nt_flush());
    }
    set_shadow(t, &b, 2, 8);
    sleep_once();
    g_assert_true(complete(t, 3));
    g_assert_cmpuint(get_eventidx(t, &b, 3), ==, 0);
    take(t, 2);
    set_shadow(t, &b, 3, 2);
    nt_write(t, NT_DB_CQ(1), 2);
    nt_run();
    take(t, 3);
    set_shadow(t, &b, 3, t->q[1].head);
    nt_run();
    take(t, 3);
    nt_free(t);
}

/* -- Nonsense -------------------------------------------------------------- */

static void expect_event(NvmeTest *t)
{
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCqe cqe = nt_wait(t, 0);

    g_assert_cmphex(cqe.dw0, ==, NVME_AER_TYPE_ERROR
                    | NVME_AER_INFO_ERR_INVALID_DB_VALUE << 8
                    | NVME_LOG_ERROR_INFO << 16);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_GET_LOG_PAGE, .prp1 = buf,
        .cdw10 = 15 << 16 | NVME_LOG_ERROR_INFO }), ==, 0);
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    nt_run();
    g_assert_false(nt_poll(t, 0, &cqe));
}

static void test_garbage(void)
{
    static const struct {
        unsigned doorbell;
        uint32_t value;
    } wrong[] = {
        { 2, 64 }, { 2, 0xffff }, { 2, 0xffffffff }, { 3, 64 }, { 3, 1 },
        { 3, 63 }, { 3, 0x10000040 },
    };
    Buffers b;
    NvmeTest *t = start(&b);
    unsigned i;

    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        set_shadow(t, &b, wrong[i].doorbell, wrong[i].value);
        expect_event(t);
    }
    /* The register of one that the host uses in memory: no value either. */
    nt_write(t, NT_DB_SQ(1), 64);
    expect_event(t);
    /* There is no such queue: nobody looks. */
    set_shadow(t, &b, 40, 5);
    nt_run();
    g_assert_false(nt_poll(t, 0, &(NvmeCqe){ 0 }));
    nt_put(t, 1, nt_flush());
    set_shadow(t, &b, 2, 1);
    nt_run();
    g_assert_true(complete(t, 1));
    nt_free(t);
}

/* Whatever is there, for ever: the loop gets on with what else there is. */
static void *scribble(void *opaque)
{
    void **arg = opaque;
    uint32_t *page = arg[0], n = 0;

    while (!__atomic_load_n((bool *)arg[1], __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&page[2 + n % 2], n * 2654435761u, __ATOMIC_SEQ_CST);
        n++;
    }
    return NULL;
}

static void test_scribbler(void)
{
    Buffers b;
    NvmeTest *t = start(&b);
    bool stop = false;
    void *arg[] = { nt_ptr(t, b.shadow), &stop };
    QemuThread thread;
    unsigned i;

    qemu_thread_create(&thread, "scribble", scribble, arg, &error_abort);
    for (i = 0; i < 200; i++) {
        g_assert_cmphex(nt_do(t, 0, nt_identify(nt_alloc(t, 4096))), ==, 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    qemu_thread_join(&thread);
    nt_disable(t);
    nt_enable(t);
    nt_create_pair(t, 1, 64);
    g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
    nt_free(t);
}

static void test_reset(void)
{
    Buffers b;
    NvmeTest *t = start(&b);

    nt_disable(t);
    nt_enable(t);
    nt_create_pair(t, 1, 64);
    memset(nt_ptr(t, b.eventidx), 0x55, 4096);
    nt_put(t, 1, nt_flush());
    set_shadow(t, &b, 2, 1);
    sleep_once();
    g_assert_false(complete(t, 1));
    g_assert_cmphex(get_eventidx(t, &b, 2), ==, 0x55555555);
    nt_ring(t, 1);
    nt_run();
    take(t, 1);
    nt_free(t);
}

static void test_memory_gone(void)
{
    NvmeTest *t = nt_start(NULL_DISK, "dbcs=on");
    uint32_t *shadow = memory_region_get_ram_ptr(&t->ram2);

    g_assert_cmphex(config(t, NT_RAM2, NT_RAM2 + 4096), ==, 0);
    nt_put(t, 1, nt_flush());
    shadow[2] = 1;
    nt_run();
    take(t, 1);
    memory_region_del_subregion(&t->mem, &t->ram2);
    nt_put(t, 1, nt_flush());
    shadow[2] = 2;
    sleep_once();
    g_assert_false(complete(t, 1));
    /* The register is what there is left. */
    nt_ring(t, 1);
    nt_run();
    take(t, 1);
    memory_region_add_subregion(&t->mem, NT_RAM2, &t->ram2);
    nt_put(t, 1, nt_flush());
    shadow[2] = 3;
    nt_run();
    take(t, 1);
    nt_free(t);
}

static void test_no_mastering(void)
{
    Buffers b;
    NvmeTest *t = start(&b);

    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    nt_put(t, 1, nt_flush());
    set_shadow(t, &b, 2, 1);
    sleep_once();
    g_assert_false(complete(t, 1));
    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    nt_run();
    take(t, 1);
    nt_free(t);
}

/* -- A host of its own thread ---------------------------------------------- */

typedef struct Host {
    NvmeTest *t;
    Buffers b;
    unsigned depth;
    unsigned registers;         /* written */
    bool done;
} Host;

/* As Linux does it. */
static void host_ring(Host *h, unsigned doorbell, uint16_t value)
{
    NvmeTest *t = h->t;
    uint32_t *shadow = entry(t, h->b.shadow, doorbell);
    uint16_t old = __atomic_load_n(shadow, __ATOMIC_RELAXED), event;

    (void)__atomic_exchange_n(shadow, value, __ATOMIC_SEQ_CST);
    event = get_eventidx(t, &h->b, doorbell);
    if ((uint16_t)(value - event - 1) < (uint16_t)(value - old)) {
        bql_lock();
        nt_write(t, NVME_REG_DOORBELLS + 4 * doorbell, value);
        bql_unlock();
        h->registers++;
    }
}

static bool host_take(Host *h)
{
    NvmeTestQueue *q = &h->t->q[1];
    uint64_t *cqe = nt_ptr(h->t, q->cq + q->head * sizeof(NvmeCqe));

    if ((__atomic_load_n(cqe + 1, __ATOMIC_ACQUIRE) >> 48 & 1) != q->phase) {
        return false;
    }
    q->head = (q->head + 1) % q->cq_size;
    q->phase ^= q->head == 0;
    return true;
}

static void *host(void *opaque)
{
    Host *h = opaque;
    NvmeTestQueue *q = &h->t->q[1];
    unsigned put = 0, taken = 0, turn = 0, i;

    while (taken < RINGS) {
        int64_t deadline = nt_deadline();
        unsigned n = MIN(1 + turn++ * 7 % h->depth, RINGS - put);

        for (i = 0; i < n; i++, put++) {
            NvmeCmd cmd = nt_flush();

            cmd.cid = put & 0x3ff;
            memcpy(nt_ptr(h->t, q->sq + q->tail * sizeof(cmd)), &cmd,
                   sizeof(cmd));
            q->tail = (q->tail + 1) % q->sq_size;
            host_ring(h, 2, q->tail);
        }
        while (taken < put) {
            if (host_take(h)) {
                taken++;
                /* Not at each: some wait for room. */
                if (taken == put || taken % 3 == 0) {
                    host_ring(h, 3, q->head);
                }
            } else {
                g_assert_cmpint(g_get_monotonic_time(), <, deadline);
                sched_yield();
            }
        }
    }
    __atomic_store_n(&h->done, true, __ATOMIC_RELEASE);
    aio_notify(qemu_get_aio_context());
    return NULL;
}

typedef struct Race {
    unsigned depth, cq_size;
    bool interrupts;            /* each, and its end, are rings of their own */
} Race;

static void test_race(gconstpointer data)
{
    const Race *race = data;
    Host h = { .depth = race->depth };
    QemuThread thread;

    h.t = nt_new(NULL_DISK, "dbcs=on");
    nt_enable(h.t);
    h.t->q[1] = (NvmeTestQueue){
        .sq = nt_alloc(h.t, 4096), .cq = nt_alloc(h.t, 4096), .sq_size = 40,
        .cq_size = race->cq_size,
    };
    nt_create_at(h.t, 1, race->interrupts ? 3 : 1);
    use_buffers(h.t, &h.b);
    qemu_thread_create(&thread, "host", host, &h, &error_abort);
    while (!__atomic_load_n(&h.done, __ATOMIC_ACQUIRE)) {
        main_loop_wait(false);
    }
    qemu_thread_join(&thread);
    g_test_message("%u registers written for %u commands", h.registers, RINGS);
    nt_free(h.t);
}

int main(int argc, char **argv)
{
    static const Race races[] = {
        { 1, 64, true }, { 4, 64, false }, { 32, 64, false }, { 32, 12, true },
        { 32, 4, false },
    };
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    msi_nonbroken = true;
    g_test_add_func("/nvme/dbbuf/offered-on-request", test_offered);
    g_test_add_func("/nvme/dbbuf/bad-buffers-are-refused", test_bad_buffers);
    g_test_add_func("/nvme/dbbuf/pages-of-cc-mps", test_large_pages);
    g_test_add_func("/nvme/dbbuf/awake-memory-rings", test_awake);
    g_test_add_func("/nvme/dbbuf/asleep-eventidx-asks", test_asleep);
    g_test_add_func("/nvme/dbbuf/the-register-still-rings", test_register);
    g_test_add_func("/nvme/dbbuf/admin-queue-too", test_admin);
    g_test_add_func("/nvme/dbbuf/a-new-queue-has-not-rung", test_new_queue);
    g_test_add_func("/nvme/dbbuf/full-cq-goes-on", test_full_cq);
    g_test_add_func("/nvme/dbbuf/garbage-is-an-event", test_garbage);
    g_test_add_func("/nvme/dbbuf/scribbler-holds-nobody", test_scribbler);
    g_test_add_func("/nvme/dbbuf/reset-ends-it", test_reset);
    g_test_add_func("/nvme/dbbuf/memory-that-goes", test_memory_gone);
    g_test_add_func("/nvme/dbbuf/no-bus-master-no-look", test_no_mastering);
    for (i = 0; i < ARRAY_SIZE(races); i++) {
        g_autofree char *path = g_strdup_printf(
            "/nvme/dbbuf/no-ring-is-lost/%u-of-%u%s", races[i].depth,
            races[i].cq_size, races[i].interrupts ? "-interrupts" : "");

        g_test_add_data_func(path, &races[i], test_race);
    }
    return g_test_run();
}
