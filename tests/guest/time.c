/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What accesses to an NVMe controller and its interrupts cost a guest, in
 * cycles of its time stamp counter: for each kind a line
 *
 *     @@ KIND median=M low=P10 high=P90 n=N
 *
 * On the command line, how often: access=N, irq=N.  A read of a block is timed
 * from before its doorbell to when the guest sees it complete in memory
 * (io-polled), and to the handler of its interrupt in a guest that sleeps
 * (io-asleep): the difference is the interrupt's way.  irq-running is the time
 * from the last look that saw no completion to the handler, in a guest that
 * runs meanwhile; eoi-reraise that from one end of interrupt to the next
 * handler, when the level stays.  idle=1 sleeps for ever at the end.
 */
#include "guest.h"

#define BAR 0xfe800000u
#define SAMPLES 4000
#define ENTRIES 8
#define LAPIC_TICKS 0xfee00380u /* 0: no ticks */

enum { REG_VS = 0x08, REG_INTMS = 0x0c, REG_CC = 0x14, REG_CSTS = 0x1c,
       REG_AQA = 0x24, REG_ASQ = 0x28, REG_ACQ = 0x30, REG_DB = 0x1000 };

typedef struct Command {
    uint32_t opcode_cid, nsid, reserved[4], prp1[2], prp2[2], cdw[6];
} Command;

typedef struct Completion {
    uint32_t dw0, dw1;
    uint16_t sqhd, sqid, cid;
    volatile uint16_t status;
} Completion;

typedef struct Queue {
    unsigned id, tail, head, phase;
    Command *sq;
    Completion *cq;
} Queue;

static uint32_t samples[SAMPLES];
static unsigned n_samples;
static uint8_t memory[6][4096] __attribute__((aligned(4096)));
static Queue admin = { 0, 0, 0, 1, (Command *)memory[0],
                       (Completion *)memory[1] };
static Queue io = { 1, 0, 0, 1, (Command *)memory[2],
                    (Completion *)memory[3] };
static unsigned devfn, line;

static inline uint32_t cycles(void)
{
    uint32_t low, high;

    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low;
}

static void sample(uint32_t val)
{
    if (n_samples < SAMPLES) {
        samples[n_samples++] = val;
    }
}

static void report(const char *kind)
{
    unsigned n = n_samples;

    for (unsigned gap = n / 2; gap; gap /= 2) {
        for (unsigned i = gap; i < n; i++) {
            uint32_t val = samples[i];
            unsigned j = i;

            for (; j >= gap && samples[j - gap] > val; j -= gap) {
                samples[j] = samples[j - gap];
            }
            samples[j] = val;
        }
    }
    if (!n) {
        give_up("%s: nothing was measured", kind);
    }
    print("@@ %s median=%u low=%u high=%u n=%u\n", kind, samples[n / 2],
          samples[n / 10], samples[n - 1 - n / 10], n);
    n_samples = 0;
}

/* -- Accesses ------------------------------------------------------------ */

/* The first few teach whoever waits adaptively. */
#define MEASURE(kind, n, access)                                \
    do {                                                        \
        for (unsigned i_ = 0; i_ < (n) + (n) / 8; i_++) {       \
            uint32_t start_ = cycles();                         \
                                                                \
            access;                                             \
            if (i_ >= (n) / 8) {                                \
                sample(cycles() - start_);                      \
            }                                                   \
        }                                                       \
        report(kind);                                           \
    } while (0)

static void measure_accesses(unsigned n)
{
    MEASURE("mmio-read", n, mmio_read32(BAR + REG_VS));
    MEASURE("mmio-write", n, mmio_write32(BAR + REG_INTMS, 0));
    pci_read(devfn, PCI_COMMAND, 4);
    MEASURE("config-read", n, inl(0xcfc));
    pci_read(devfn, PCI_VENDOR_ID, 4);
    MEASURE("config-read-id", n, inl(0xcfc));
}

/* -- The controller ------------------------------------------------------ */

static void put(Queue *q, unsigned opcode, unsigned nsid, const void *data,
                uint32_t cdw10, uint32_t cdw11)
{
    q->sq[q->tail] = (Command){
        .opcode_cid = opcode, .nsid = nsid, .prp1 = { (uint32_t)data },
        .cdw = { cdw10, cdw11 },
    };
    q->tail = (q->tail + 1) % ENTRIES;
    mmio_write32(BAR + REG_DB + 8 * q->id, q->tail);
}

static inline bool is_complete(const Queue *q)
{
    return (q->cq[q->head].status & 1) == q->phase;
}

static void take(Queue *q)
{
    if (q->cq[q->head].status >> 1) {
        give_up("status 0x%x", q->cq[q->head].status >> 1);
    }
    if (++q->head == ENTRIES) {
        q->head = 0;
        q->phase ^= 1;
    }
    mmio_write32(BAR + REG_DB + 8 * q->id + 4, q->head);
}

static void admin_command(unsigned opcode, const void *data, uint32_t cdw10,
                          uint32_t cdw11)
{
    put(&admin, opcode, 0, data, cdw10, cdw11);
    while (!is_complete(&admin)) {
    }
    take(&admin);
}

static void await_ready(unsigned ready)
{
    while ((mmio_read32(BAR + REG_CSTS) & 1) != ready) {
    }
}

static void start_controller(void)
{
    mmio_write32(BAR + REG_CC, 0);
    await_ready(0);
    mmio_write32(BAR + REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    mmio_write32(BAR + REG_ASQ, (uint32_t)admin.sq);
    mmio_write32(BAR + REG_ASQ + 4, 0);
    mmio_write32(BAR + REG_ACQ, (uint32_t)admin.cq);
    mmio_write32(BAR + REG_ACQ + 4, 0);
    mmio_write32(BAR + REG_CC, 6 << 16 | 4 << 20 | 1);
    await_ready(1);
    admin_command(5, io.cq, (ENTRIES - 1) << 16 | 1, 3);
    admin_command(1, io.sq, (ENTRIES - 1) << 16 | 1, 1 << 16 | 1);
}

/* -- Interrupts ---------------------------------------------------------- */

static volatile uint32_t looked, ended;
static volatile unsigned repeats, handled;

void line_interrupt(int via, unsigned number)
{
    uint32_t now = cycles();

    if (number != line || !is_complete(&io)) {
        return;
    }
    if (repeats) {
        if (ended) {
            sample(now - ended);
        }
        if (--repeats) {
            /* The level stays, so it comes again after the end. */
            ended = cycles();
            return;
        }
    } else {
        sample(now - looked);
    }
    take(&io);
    ended = 0;
    handled++;
}

static void read_block(void)
{
    put(&io, 2, 1, memory[4], 0, 0);
}

static void measure_interrupts(unsigned n)
{
    unsigned was;

    line = 16 + pirq_of(devfn >> 3, 0);
    interrupt_controllers_init();
    mmio_write32(LAPIC_TICKS, 0);
    for (unsigned i = 0; i < n; i++) {
        uint32_t start = cycles();

        read_block();
        while (!is_complete(&io)) {
        }
        sample(cycles() - start);
        take(&io);
    }
    report("io-polled");
    line_open(VIA_APIC, line);
    for (unsigned i = 0; i < n; i++) {
        was = handled;
        looked = cycles();
        read_block();
        while (handled == was) {
            sleep_for_interrupt();
        }
    }
    report("io-asleep");
    for (unsigned i = 0; i < n; i++) {
        was = handled;
        looked = cycles();
        read_block();
        interrupts_on();
        while (handled == was) {
            uint32_t now = cycles();

            if (!is_complete(&io)) {
                looked = now;
            }
        }
        interrupts_off();
    }
    report("irq-running");
    for (unsigned i = 0; i < n / 16 + 1; i++) {
        was = handled;
        repeats = 17;
        read_block();
        while (handled == was) {
            sleep_for_interrupt();
        }
    }
    report("eoi-reraise");
}

void payload(void)
{
    unsigned accesses = option("access", 0), irqs = option("irq", 0);

    while (pci_read(devfn, 8, 4) >> 8 != 0x010802) {
        devfn += 8;
        if (devfn > 0xff) {
            give_up("there is no NVMe controller");
        }
    }
    pci_write(devfn, PCI_COMMAND, 2, 0);
    pci_write(devfn, PCI_BASE_ADDRESS_0, 4, BAR);
    pci_write(devfn, PCI_BASE_ADDRESS_0 + 4, 4, 0);
    pci_write(devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    if (accesses) {
        measure_accesses(accesses);
    }
    if (irqs) {
        start_controller();
        measure_interrupts(irqs);
    }
    print("@@ done\n");
    if (option("idle", 0)) {
        for (;;) {
            asm volatile("cli; hlt");
        }
    }
    guest_exit(true);
}
