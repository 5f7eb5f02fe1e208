/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt routing: every level that the edu devices of this machine raise is
 * taken once, wherever the guest routes it and whoever shares the line.
 *
 * A handler serves one cause of one device and ends the interrupt; what is
 * still high must then be delivered again.  So the number of interrupts taken
 * is the number of levels raised, also where devices share a line.
 *
 * On the command line, how often: single=N one device alone, shared=N all at
 * once, moves=N changes of routes.  strays=1 says that this KVM's APICs now and
 * then deliver an interrupt twice, as one that interprets 32-bit code does
 * (whichever emulator uses it): those that nobody claims are then no failure.
 */
#include "edu.h"

typedef struct Device {
    Edu edu;
    unsigned pirq;
    int via;
    unsigned line;
    bool listening;             /* the handler asks it */
    unsigned raised, handled;
} Device;

static Device devices[EDU_MAX];
static unsigned n_devices;

static unsigned taken, unclaimed;
static Device *alone;           /* the only one that can be the cause */

/* ISA interrupts that no other device of these machines has. */
static const uint8_t free_irqs[] = { 10, 11, 5, 3 };

static unsigned verdicts, failures;
static bool strays;

#define FOR_EACH(d) for (Device *d = devices; d < devices + n_devices; d++)

static uint32_t get(Device *d, unsigned reg)
{
    return mmio_read32(d->edu.bar + reg);
}

static void set(Device *d, unsigned reg, uint32_t val)
{
    mmio_write32(d->edu.bar + reg, val);
}

/* -- Taking interrupts --------------------------------------------------- */

static bool serve(Device *d)
{
    uint32_t causes = d == alone ? 1 : get(d, EDU_IRQ_STATUS);

    if (!causes) {
        return false;
    }
    set(d, EDU_IRQ_ACK, causes & -causes);
    d->handled++;
    return true;
}

void line_interrupt(int via, unsigned line)
{
    taken++;
    FOR_EACH(d) {
        if (d->listening && d->via == via && d->line == line && serve(d)) {
            return;
        }
    }
    if (++unclaimed > 1000) {
        give_up("storm: line %u of %s", line,
                via == VIA_PIC ? "PIC" : "IO-APIC");
    }
}

static void raise(Device *d, uint32_t causes)
{
    set(d, EDU_IRQ_RAISE, causes);
    for (; causes; causes &= causes - 1) {
        d->raised++;
    }
}

/* Until all that was raised is handled; false if it takes 3 seconds. */
static bool wait_all(void)
{
    unsigned start = ticks;

    FOR_EACH(d) {
        while (d->handled < d->raised) {
            sleep_for_interrupt();
            if (ticks - start > 300) {
                return false;
            }
        }
    }
    return true;
}

/* Interrupts that come now have no cause to be found. */
static void expect_quiet(Device *device)
{
    unsigned start = ticks;

    device->listening = false;
    while (ticks - start < 2) {
        sleep_for_interrupt();
    }
    device->listening = true;
}

static void pass_ticks(unsigned n)
{
    unsigned start = ticks;

    while (ticks - start < n) {
        sleep_for_interrupt();
    }
}

/* -- Verdicts ------------------------------------------------------------ */

static void begin(void)
{
    taken = unclaimed = 0;
    alone = NULL;
    FOR_EACH(d) {
        d->raised = d->handled = 0;
        d->listening = true;
    }
}

/*
 * Where several processes raise one line, a raise may reach the controller so
 * late that another interrupt has served its cause: nobody claims that one.
 * It is harmless, and at most one a level; a device alone on its line never
 * does it.
 */
static void end(const char *name, int via, bool shared, bool good)
{
    static const char *const by[VIAS] = { "pic", "apic" };
    unsigned raised = 0, handled = 0;

    good &= wait_all();
    pass_ticks(3);
    FOR_EACH(d) {
        raised += d->raised;
        handled += d->handled;
        if (d->handled != d->raised) {
            print("# slot %u raised %u, handled %u\n", d->edu.slot, d->raised,
                  d->handled);
        }
    }
    good &= raised && handled == raised && taken == raised + unclaimed;
    if (!strays || via == VIA_PIC) {
        good &= shared ? unclaimed < raised : !unclaimed;
    }
    print("@@ %s %s-%s raised=%u handled=%u taken=%u unclaimed=%u\n",
          good ? "ok" : "bad", name, by[via], raised, handled, taken,
          unclaimed);
    verdicts++;
    failures += !good;
}

/* -- Routes -------------------------------------------------------------- */

static void close_all(void)
{
    FOR_EACH(d) {
        line_close(d->via, d->line);
    }
}

/* Routes a device; those on the same PIRQ go with it. */
static void put(Device *device, int via, uint8_t isa_irq)
{
    unsigned line = isa_irq;

    if (via == VIA_APIC && is_q35) {
        line = 16 + device->pirq;
        isa_irq = ROUTE_NOWHERE;
    }
    route_pirq(device->pirq, isa_irq);
    FOR_EACH(d) {
        if (d->pirq == device->pirq) {
            d->via = via;
            d->line = line;
        }
    }
}

/* Each PIRQ on a line of its own, as far as that goes. */
static void put_all(int via)
{
    close_all();
    FOR_EACH(d) {
        put(d, via, free_irqs[d->pirq & 3]);
    }
    FOR_EACH(d) {
        line_open(via, d->line);
    }
}

/* -- What must hold ------------------------------------------------------ */

static void test_single(int via, unsigned rounds)
{
    put_all(via);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        Device *one = &devices[i % n_devices];

        alone = strays && via == VIA_APIC ? NULL : one;
        FOR_EACH(d) {
            d->listening = d == one;
        }
        raise(one, 1);
        if (!wait_all()) {
            break;
        }
    }
    end("each-level-once", via, false, true);
}

static void test_stays_high(int via, unsigned rounds)
{
    put_all(via);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        FOR_EACH(d) {
            raise(d, 0xff);
            wait_all();
        }
    }
    end("high-after-eoi-again", via, false, true);
}

static void raise_together(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        FOR_EACH(d) {
            raise(d, 1);
        }
        if (!wait_all()) {
            break;
        }
    }
}

static void test_together(int via, unsigned rounds)
{
    put_all(via);
    begin();
    raise_together(rounds);
    end("all-at-once", via, true, true);
}

static void test_one_line(int via, unsigned rounds)
{
    if (is_q35 && via == VIA_APIC) {
        return;                 /* there a PIRQ has its own line */
    }
    close_all();
    FOR_EACH(d) {
        put(d, via, 11);
    }
    line_open(via, 11);
    begin();
    raise_together(rounds);
    end("all-pins-on-one-line", via, true, true);
}

/* Raised while its line is closed, delivered when it opens. */
static void test_closed(int via, unsigned rounds)
{
    put_all(via);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        FOR_EACH(d) {
            line_close(via, d->line);
            raise(d, 1);
            expect_quiet(d);
            line_open(via, d->line);
            wait_all();
        }
    }
    end("closed-line-waits", via, false, true);
}

/* Raised while the command register forbids it. */
static void test_intx_disable(int via, unsigned rounds)
{
    bool good = true;

    put_all(via);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        FOR_EACH(d) {
            unsigned devfn = DEVFN(d->edu.slot, 0);
            uint16_t cmd = pci_read(devfn, PCI_COMMAND, 2);

            pci_write(devfn, PCI_COMMAND, 2, cmd | PCI_COMMAND_INTX_DISABLE);
            raise(d, 1);
            expect_quiet(d);
            good &= !!(pci_read(devfn, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
            pci_write(devfn, PCI_COMMAND, 2, cmd);
            wait_all();
            good &= !(pci_read(devfn, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
        }
    }
    end("intx-disable-waits", via, false, good);
}

/* Raised while its PIRQ is routed nowhere. */
static void test_nowhere(unsigned rounds)
{
    put_all(VIA_PIC);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        FOR_EACH(d) {
            unsigned line = d->line;

            route_pirq(d->pirq, ROUTE_NOWHERE);
            raise(d, 1);
            expect_quiet(d);
            put(d, VIA_PIC, line);
            wait_all();
        }
    }
    end("nowhere-waits", VIA_PIC, false, true);
}

/* A route changes while the level is high, and while it is low. */
static void test_moves(int via, unsigned rounds)
{
    put_all(via);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        Device *d = &devices[i % n_devices];
        bool high = i & 1;

        line_close(d->via, d->line);
        if (high) {
            raise(d, 1);
        }
        if (i % 3 == 0) {
            route_pirq(d->pirq, ROUTE_NOWHERE);
        }
        put(d, via, free_irqs[(i / 2) % ARRAY_SIZE(free_irqs)]);
        line_open(d->via, d->line);
        if (!high) {
            raise(d, 1);
        }
        if (!wait_all()) {
            break;
        }
    }
    end("route-moves", via, false, true);
}

/* From one controller to the other and back. */
static void test_controllers(unsigned rounds)
{
    put_all(VIA_PIC);
    begin();
    for (unsigned i = 0; i < rounds; i++) {
        Device *d = &devices[i / 2 % n_devices];

        line_close(d->via, d->line);
        if (i % 3) {
            raise(d, 1);
        }
        put(d, d->via == VIA_PIC ? VIA_APIC : VIA_PIC,
            free_irqs[d->pirq & 3]);
        line_open(d->via, d->line);
        raise(d, 2);
        if (!wait_all()) {
            break;
        }
    }
    end("controllers-change", VIA_APIC, false, true);
}

/* q35: the pins of slots 25 to 29 move between PIRQs, also onto ones that
 * other devices have. */
static void test_pins(unsigned rounds)
{
    bool any = false;

    put_all(VIA_APIC);
    begin();
    FOR_EACH(d) {
        if (!is_q35 || d->edu.slot < 25 || d->edu.slot >= 30) {
            continue;
        }
        any = true;
        for (unsigned i = 0; i < rounds; i++) {
            /* All but the devices' own level are low: the line may be open
             * where it is shared. */
            line_close(VIA_APIC, d->line);
            if (i & 1) {
                raise(d, 1);
            }
            d->pirq = i % 8;
            route_pin(d->edu.slot, 0, d->pirq);
            d->line = 16 + d->pirq;
            line_open(VIA_APIC, d->line);
            raise(d, 2);
            if (!wait_all()) {
                break;
            }
        }
        /* Onto that of the first device, and both at once. */
        d->pirq = devices[0].pirq;
        route_pin(d->edu.slot, 0, d->pirq);
        d->line = devices[0].line;
        line_open(VIA_APIC, d->line);
    }
    if (any) {
        FOR_EACH(d) {
            line_open(VIA_APIC, d->line);
        }
        raise_together(rounds);
        end("pins-move", VIA_APIC, true, true);
    }
}

/* -- The whole ----------------------------------------------------------- */

static void find_devices(void)
{
    static Edu edus[EDU_MAX];

    n_devices = edu_find(edus);
    for (unsigned i = 0; i < n_devices; i++) {
        Device *d = &devices[i];

        d->edu = edus[i];
        d->pirq = pirq_of(d->edu.slot, 0);
        set(d, EDU_IRQ_ACK, ~0u);
        set(d, EDU_LIVENESS, 0x1000 + i);
    }
    FOR_EACH(d) {
        if (get(d, EDU_LIVENESS) != ~(0x1000u + (d - devices))) {
            give_up("slot %u: another device answers", d->edu.slot);
        }
    }
    if (!n_devices) {
        give_up("there is no edu");
    }
}

void payload(void)
{
    unsigned single = option("single", 200), shared = option("shared", 100);
    unsigned moves = option("moves", 100);

    strays = option("strays", 0);
    interrupt_controllers_init();
    find_devices();
    print("@@ devices %u\n", n_devices);
    for (int via = 0; via < VIAS; via++) {
        test_stays_high(via, shared / 8 + 1);
        if (single) {
            test_single(via, single);
        }
        if (shared) {
            test_together(via, shared);
            test_one_line(via, shared);
        }
        test_closed(via, 2);
        test_intx_disable(via, 2);
        if (moves) {
            test_moves(via, moves);
        }
    }
    test_nowhere(2);
    if (moves) {
        test_controllers(moves);
        test_pins(moves);
    }
    print("@@ done %u verdicts, %u failures\n", verdicts, failures);
    guest_exit(!failures);
}
