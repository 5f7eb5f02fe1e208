/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our proxy's link and a guest's NVMe driver in one program, to measure a remote
 * process of whatever make by what it does on the wire:
 *
 *     bench-nvme --fd N [--pid PID] [--spin NS] JOB...
 *
 * N is a connected socket; a JOB is OPERATION:BYTES:DEPTH:SECONDS with
 * operation randread, randwrite, read or write, or registers:4:1:SECONDS, which
 * reads a register again and again.  Each prints a line of JSON,
 * with the CPU seconds that process PID used meanwhile.  With --ask further
 * jobs are lines of standard input, done as they come.
 *
 * It behaves as Linux' driver does on an interrupt line: sleeps on the irqfd,
 * takes what is complete, rings the completion doorbell once, ends the
 * interrupt as KVM does (what was signalled meanwhile is forgotten, then the
 * resamplefd is written), puts new commands on the queue and rings once for
 * all of them.  --spin is poll-max-ns of our proxy; 0: it sleeps for each answer,
 * as the distribution's does.
 *
 * NVM Express 1.4.
 */
#include "qemu/osdep.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include "hw/nvme/nvme-spec.h"
#include "hw/pci/pci.h"
#include "hw/remote/proxy-link.h"

#define BAR 0xfe000000u
#define RAM (64 * MiB)
#define ADMIN_SQ 0x1000u
#define ADMIN_CQ 0x2000u
#define BUFFER 0x3000u
#define IO_SQ 0x10000u
#define IO_CQ 0x20000u
#define LISTS 0x30000u          /* of PRPs, a page a command */
#define DATA 0x200000u
#define ADMIN_ENTRIES 8
#define IO_ENTRIES 512
#define PAGE 4096u
#define LIMIT_S 10
#define REGISTERS 0xff          /* no opcode */

typedef struct Job {
    char text[40];
    uint8_t opcode;
    bool sequential;
    unsigned bytes, depth;
    double seconds;
} Job;

typedef struct Queue {
    unsigned id, entries;
    NvmeCmd *sq;
    volatile NvmeCqe *cq;
    unsigned tail, head;
    unsigned phase;
} Queue;

static int pid, spin_ns = 100000;
static ProxyLink *proxy;
static int irqfd, resamplefd;
static uint8_t *ram;
static unsigned lba_shift;
static uint64_t disk_bytes, doorbells, interrupts;

static int64_t now_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* -- The wire ------------------------------------------------------------- */

static void gone(void *opaque)
{
    g_error("the device's process: %s", proxy->why);
}

static uint32_t config(unsigned addr, unsigned len)
{
    uint32_t val = 0;

    proxy->ops->config_read(proxy, addr, len, &val);
    return val;
}

static void set_config(unsigned addr, uint32_t val, unsigned len)
{
    proxy->ops->config_write(proxy, addr, val, len);
}

static uint64_t get(unsigned reg, unsigned size)
{
    uint64_t val = 0;

    proxy->ops->region_read(proxy, true, BAR, reg, size, &val);
    return val;
}

static void set(unsigned reg, uint64_t val, unsigned size)
{
    proxy->ops->region_write(proxy, true, BAR, reg, size, val);
}

static void join(int fd)
{
    ProxyMemRegion memory = {
        .size = RAM, .fd = memfd_create("guest", MFD_CLOEXEC),
    };

    if (ftruncate(memory.fd, RAM) < 0) {
        g_error("memory: %s", g_strerror(errno));
    }
    ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
               memory.fd, 0);
    irqfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    resamplefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    proxy = mpqemu_proxy_link_new(fd, LIMIT_S * 1000, spin_ns, gone, NULL);
    proxy->ops->set_memory(proxy, &memory, 1);
    proxy->ops->set_irqfd(proxy, irqfd, resamplefd);
    config(PCI_VENDOR_ID, 4);           /* it says what it knows */
    proxy->ops->open_mailbox(proxy);
    close(memory.fd);
}

/* -- Interrupts ----------------------------------------------------------- */

static void wait_interrupt(void)
{
    struct pollfd pfd = { irqfd, POLLIN };
    uint64_t count;

    if (read(irqfd, &count, sizeof(count)) < 0) {
        if (poll(&pfd, 1, LIMIT_S * 1000) != 1) {
            g_error("no interrupt in %d s", LIMIT_S);
        }
        if (read(irqfd, &count, sizeof(count)) < 0) {
            g_error("irqfd: %s", g_strerror(errno));
        }
    }
    interrupts++;
}

static void end_interrupt(void)
{
    uint64_t count = 1, lost;

    if (read(irqfd, &lost, sizeof(lost)) < 0 && errno != EAGAIN) {
        g_error("irqfd: %s", g_strerror(errno));
    }
    if (write(resamplefd, &count, sizeof(count)) < 0) {
        g_error("resamplefd: %s", g_strerror(errno));
    }
}

/* -- The driver ----------------------------------------------------------- */

static void put(Queue *q, NvmeCmd cmd)
{
    q->sq[q->tail] = cmd;
    q->tail = (q->tail + 1) % q->entries;
}

static void ring_sq(Queue *q)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    set(NVME_REG_DOORBELLS + 8 * q->id, q->tail, 4);
    doorbells++;
}

static void ring_cq(Queue *q)
{
    set(NVME_REG_DOORBELLS + 8 * q->id + 4, q->head, 4);
    doorbells++;
}

/* The next completion's cid, or -1. */
static int take(Queue *q)
{
    volatile NvmeCqe *cqe = &q->cq[q->head];
    uint16_t status = __atomic_load_n(&cqe->status, __ATOMIC_ACQUIRE);

    if ((status & 1) != q->phase) {
        return -1;
    }
    if (status >> 1) {
        g_error("command %u ends with status 0x%x", cqe->cid, status >> 1);
    }
    if (++q->head == q->entries) {
        q->head = 0;
        q->phase ^= 1;
    }
    return cqe->cid;
}

static void admin(Queue *q, NvmeCmd cmd)
{
    put(q, cmd);
    ring_sq(q);
    do {
        wait_interrupt();
        end_interrupt();
    } while (take(q) < 0);
    ring_cq(q);
}

static Queue queue(unsigned id, unsigned entries, unsigned sq, unsigned cq)
{
    return (Queue){
        .id = id, .entries = entries, .phase = 1,
        .sq = (NvmeCmd *)(ram + sq), .cq = (NvmeCqe *)(ram + cq),
    };
}

static void await_ready(unsigned ready)
{
    int64_t end = now_ns(CLOCK_MONOTONIC) + LIMIT_S * INT64_C(1000000000);

    while ((get(NVME_REG_CSTS, 4) & NVME_CSTS_RDY) != ready) {
        if (now_ns(CLOCK_MONOTONIC) > end) {
            g_error("the controller does not get ready");
        }
    }
}

static Queue start_controller(void)
{
    Queue a = queue(0, ADMIN_ENTRIES, ADMIN_SQ, ADMIN_CQ);
    const uint8_t *id = ram + BUFFER;
    uint64_t blocks;

    if (config(8, 4) >> 8 != 0x010802) {
        g_error("the device is no NVMe controller");
    }
    /* Upstream's receiver makes what it gets wait. */
    fcntl(irqfd, F_SETFL, O_NONBLOCK);
    fcntl(resamplefd, F_SETFL, O_NONBLOCK);
    set_config(0x10, BAR, 4);
    set_config(0x14, 0, 4);
    set_config(0x04, 6, 2);
    set(NVME_REG_CC, 0, 4);
    await_ready(0);
    set(NVME_REG_AQA, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1), 4);
    set(NVME_REG_ASQ, ADMIN_SQ, 8);
    set(NVME_REG_ACQ, ADMIN_CQ, 8);
    set(NVME_REG_CC, NVME_SQES << 16 | NVME_CQES << 20 | NVME_CC_EN, 4);
    await_ready(NVME_CSTS_RDY);
    admin(&a, (NvmeCmd){ .opcode = NVME_ADM_IDENTIFY, .nsid = 1,
                         .prp1 = BUFFER });
    memcpy(&blocks, id, sizeof(blocks));
    lba_shift = id[128 + 4 * (id[26] & 15) + 2];
    disk_bytes = blocks << lba_shift;
    admin(&a, (NvmeCmd){ .opcode = NVME_ADM_CREATE_CQ, .prp1 = IO_CQ,
                         .cdw10 = (IO_ENTRIES - 1) << 16 | 1, .cdw11 = 3 });
    admin(&a, (NvmeCmd){ .opcode = NVME_ADM_CREATE_SQ, .prp1 = IO_SQ,
                         .cdw10 = (IO_ENTRIES - 1) << 16 | 1,
                         .cdw11 = 1 << 16 | 1 });
    return queue(1, IO_ENTRIES, IO_SQ, IO_CQ);
}

/* -- Jobs ----------------------------------------------------------------- */

static uint64_t next_offset(const Job *job)
{
    static uint64_t state = 88172645463325252, at;
    uint64_t places = disk_bytes / job->bytes;

    if (job->sequential) {
        return at++ % places * job->bytes;
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % places * job->bytes;
}

static void put_io(Queue *q, const Job *job, unsigned cid)
{
    uint64_t data = DATA + (uint64_t)cid * job->bytes;
    uint64_t list = LISTS + (uint64_t)cid * PAGE;
    uint64_t lba = next_offset(job) >> lba_shift;

    put(q, (NvmeCmd){
        .opcode = job->opcode, .cid = cid, .nsid = 1, .prp1 = data,
        .prp2 = job->bytes > 2 * PAGE ? list
              : job->bytes > PAGE ? data + PAGE : 0,
        .cdw10 = lba, .cdw11 = lba >> 32,
        .cdw12 = (job->bytes >> lba_shift) - 1,
    });
}

static void fill_list(const Job *job, unsigned cid)
{
    uint64_t *list = (uint64_t *)(ram + LISTS + cid * PAGE);

    for (unsigned i = 1; i < job->bytes / PAGE; i++) {
        list[i - 1] = DATA + (uint64_t)cid * job->bytes + i * PAGE;
    }
}

static double cpu_seconds(void)
{
    clockid_t clock;

    return pid && clock_getcpuclockid(pid, &clock) == 0 ? now_ns(clock) / 1e9
                                                        : 0;
}

static void run_registers(const Job *job)
{
    int64_t begin = now_ns(CLOCK_MONOTONIC), ns;
    double cpu = cpu_seconds();
    uint64_t done = 0;

    do {
        get(NVME_REG_VS, 4);
        done++;
        ns = now_ns(CLOCK_MONOTONIC) - begin;
    } while (ns < job->seconds * 1e9);
    printf("{\"job\": \"%s\", \"ns\": %.0f, \"cpu_per_million\": %.3f}\n",
           job->text, (double)ns / done,
           (cpu_seconds() - cpu) * 1e6 / done);
    fflush(stdout);
}

static void run(Queue *q, const Job *job)
{
    int64_t begin, end, ns;
    uint64_t done = 0;
    unsigned busy = job->depth;
    double cpu, own;

    for (unsigned i = 0; i < job->depth; i++) {
        fill_list(job, i);
    }
    doorbells = interrupts = 0;
    cpu = cpu_seconds();
    own = now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
    begin = now_ns(CLOCK_MONOTONIC);
    end = begin + job->seconds * 1e9;
    for (unsigned i = 0; i < job->depth; i++) {
        put_io(q, job, i);
    }
    ring_sq(q);
    while (busy) {
        bool go_on = now_ns(CLOCK_MONOTONIC) < end;
        unsigned taken = 0, tail = q->tail;
        int cid;

        wait_interrupt();
        while ((cid = take(q)) >= 0) {
            taken++;
            if (go_on) {
                put_io(q, job, cid);
            } else {
                busy--;
            }
        }
        if (taken) {
            ring_cq(q);
        }
        end_interrupt();
        if (q->tail != tail) {
            ring_sq(q);
        }
        done += taken;
    }
    ns = now_ns(CLOCK_MONOTONIC) - begin;
    cpu = cpu_seconds() - cpu;
    own = now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9 - own;
    printf("{\"job\": \"%s\", \"iops\": %.0f, \"mbps\": %.1f, "
           "\"cpu_per_million\": %.3f, \"client_per_million\": %.3f, "
           "\"doorbells_per_io\": %.3f, \"interrupts_per_io\": %.3f}\n",
           job->text, done * 1e9 / ns, (double)done * job->bytes * 1e3 / ns,
           cpu * 1e6 / done, own * 1e6 / done, (double)doorbells / done,
           (double)interrupts / done);
    fflush(stdout);
}

static bool parse_job(const char *text, Job *job)
{
    static const struct {
        const char *name;
        uint8_t opcode;
        bool sequential;
    } kinds[] = {
        { "randread", NVME_NVM_READ, false },
        { "randwrite", NVME_NVM_WRITE, false },
        { "read", NVME_NVM_READ, true },
        { "write", NVME_NVM_WRITE, true },
        { "registers", REGISTERS, false },
    };
    char name[16];

    if (sscanf(text, "%15[a-z]:%u:%u:%lf", name, &job->bytes, &job->depth,
               &job->seconds) != 4 ||
        !job->depth || job->depth >= IO_ENTRIES || !job->bytes ||
        (job->bytes % PAGE && job->bytes != 4) || job->bytes > 128 * KiB ||
        (uint64_t)job->bytes * job->depth > RAM - DATA) {
        return false;
    }
    g_strlcpy(job->text, text, sizeof(job->text));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (g_str_equal(name, kinds[i].name) &&
            (job->bytes == 4) == (kinds[i].opcode == REGISTERS)) {
            job->opcode = kinds[i].opcode;
            job->sequential = kinds[i].sequential;
            return true;
        }
    }
    return false;
}

static bool do_job(Queue *q, const char *text)
{
    Job job;

    if (!parse_job(text, &job)) {
        g_printerr("bench-nvme: %s is no OPERATION:BYTES:DEPTH:SECONDS\n",
                   text);
        return false;
    }
    if (job.opcode == REGISTERS) {
        run_registers(&job);
    } else {
        run(q, &job);
    }
    return true;
}

int main(int argc, char **argv)
{
    int fd = -1;
    gboolean asks = false;
    GOptionEntry entries[] = {
        { "fd", 0, 0, G_OPTION_ARG_INT, &fd, "connected socket", "N" },
        { "pid", 0, 0, G_OPTION_ARG_INT, &pid, "whose CPU time", "PID" },
        { "spin", 0, 0, G_OPTION_ARG_INT, &spin_ns, "for an answer", "NS" },
        { "ask", 0, 0, G_OPTION_ARG_NONE, &asks, "read jobs", NULL },
        { }
    };
    g_autoptr(GOptionContext) gctx = g_option_context_new("JOB...");
    g_autoptr(GError) gerr = NULL;
    char line[80];
    bool ok = true;
    Queue q;

    g_option_context_add_main_entries(gctx, entries, NULL);
    if (!g_option_context_parse(gctx, &argc, &argv, &gerr) || fd < 0) {
        g_printerr("bench-nvme: %s\n", gerr ? gerr->message : "no --fd");
        return 1;
    }
    join(fd);
    q = start_controller();
    for (int i = 1; ok && i < argc; i++) {
        ok = do_job(&q, argv[i]);
    }
    while (ok && asks && fgets(line, sizeof(line), stdin)) {
        ok = do_job(&q, g_strchomp(line));
    }
    return ok ? 0 : 1;
}
