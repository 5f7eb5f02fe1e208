/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a device's register to the guest's interrupt controllers and back: the
 * same rules for a device in the machine and for one in another process, whose
 * interrupts come by irqfd and resamplefd.
 */
#include "libqtest.h"

#define BAR1 0xfe000000
#define BAR2 0xfe200000
enum { STATUS = 0x24, RAISE = 0x60, ACK = 0x64 };
#define VECTOR 0x61

typedef struct Board {
    const char *machine;
    int south;                  /* devfn of the PIRQ router */
    uint8_t route;              /* register that routes slots 4 and 8, INTA */
    int gsi;                    /* without a route; -1: nowhere */
} Board;

static const Board boards[] = {
    { "q35", QPCI_DEVFN(0x1f, 0), 0x68, 20 },
    { "pc", QPCI_DEVFN(1, 0), 0x63, -1 },
};

static const Board *board(QWorld *w)
{
    return &boards[g_str_equal(w->config->machine, "pc")];
}

/* A second device, in the machine, where the first may be in a process. */
#define LOCAL_SECOND "-device edu,addr=8.0"

static void start(QWorld *w)
{
    qpci_set_bar(&w->dev, 0, BAR1);
    qpci_enable(&w->dev);
    if (w->config->device2 || w->config->extra) {
        qpci_set_bar(&w->dev2, 0, BAR2);
        qpci_enable(&w->dev2);
    }
    apic_init(w->main);
    pic_init(w->main);
}

static void raise_irq(QWorld *w, uint64_t bar)
{
    qtest_write(w->main, bar + RAISE, 1, 4);
}

static void ack_irq(QWorld *w, uint64_t bar)
{
    qtest_write(w->main, bar + ACK, 1, 4);
}

/* What a driver's handler does, and then the system. */
static void end_apic(QWorld *w, uint64_t bar)
{
    ack_irq(w, bar);
    apic_end(w->main);
}

static void end_pic(QWorld *w, uint64_t bar, int irq)
{
    ack_irq(w, bar);
    pic_end(w->main, irq);
}

/* What is on its way arrives while the device is asked something. */
static void settle(QWorld *w)
{
    for (int i = 0; i < 20; i++) {
        qtest_read(w->main, BAR1 + STATUS, 4);
    }
}

/* A new route asks the device for its level: a question that comes after the
 * next raise would make an interrupt more. */
static void set_route(QWorld *w, uint8_t val)
{
    QPCIDevice south = { w->main, 0, board(w)->south };

    qpci_write(&south, board(w)->route, val, 1);
    settle(w);
}

/*
 * Nothing is in service, and nothing comes.
 *
 * KVM carries an irqfd's signal by a worker, which may be late: a level that was
 * gone before comes once, and with its end is gone.  So there is quiet at last,
 * which there is never if a level stays.
 */
static void quiet(QWorld *w)
{
    settle(w);
    if (!w->config->kvm) {
        g_assert_false(apic_in_service(w->main, VECTOR));
        return;
    }
    for (int i = 0; apic_in_service(w->main, VECTOR); i++) {
        g_assert_cmpint(i, <, 20);
        apic_end(w->main);
        settle(w);
    }
}

static void quiet_pic(QWorld *w)
{
    int irq;

    settle(w);
    for (int i = 0; (irq = pic_take(w->main)) >= 0; i++) {
        g_assert_true(w->config->kvm);
        g_assert_cmpint(i, <, 20);
        pic_end(w->main, irq);
        settle(w);
    }
}

static void taken(QWorld *w)
{
    qtest_until(w->main, apic_in_service(w->main, VECTOR));
}

/* Where slots 4 and 8 interrupt by I/O APIC: on pc by way of a route. */
static int apic_pin(QWorld *w)
{
    if (board(w)->gsi >= 0) {
        return board(w)->gsi;
    }
    set_route(w, 11);
    return 11;
}

/* -- I/O APIC --------------------------------------------------------------- */

static int start_apic(QWorld *w)
{
    int pin;

    start(w);
    pin = apic_pin(w);
    apic_route(w->main, pin, VECTOR, true);
    return pin;
}

static void test_raise_take_end(QWorld *w)
{
    int pin = start_apic(w);

    g_assert_false(apic_in_service(w->main, VECTOR));
    raise_irq(w, BAR1);
    taken(w);
    g_assert_true(apic_remote_irr(w->main, pin));
    end_apic(w, BAR1);
    quiet(w);
    qtest_until(w->main, !apic_remote_irr(w->main, pin));
}

static void test_many_times(QWorld *w)
{
    start_apic(w);
    for (int i = 0; i < 50; i++) {
        raise_irq(w, BAR1);
        taken(w);
        end_apic(w, BAR1);
    }
    quiet(w);
}

static void test_end_while_high(QWorld *w)
{
    start_apic(w);
    raise_irq(w, BAR1);
    for (int i = 0; i < 10; i++) {
        taken(w);
        apic_end(w->main);
    }
    taken(w);
    end_apic(w, BAR1);
    quiet(w);
}

static void test_raised_twice_taken_once(QWorld *w)
{
    start_apic(w);
    raise_irq(w, BAR1);
    qtest_write(w->main, BAR1 + RAISE, 2, 4);
    taken(w);
    ack_irq(w, BAR1);
    qtest_write(w->main, BAR1 + ACK, 2, 4);
    apic_end(w->main);
    quiet(w);
    g_assert_false(apic_waiting(w->main, VECTOR));
}

static void test_raise_between_ack_and_end(QWorld *w)
{
    start_apic(w);
    raise_irq(w, BAR1);
    taken(w);
    ack_irq(w, BAR1);
    raise_irq(w, BAR1);
    settle(w);
    apic_end(w->main);
    taken(w);
    end_apic(w, BAR1);
    quiet(w);
}

static void test_masked_waits(QWorld *w)
{
    int pin = start_apic(w);

    apic_mask(w->main, pin);
    raise_irq(w, BAR1);
    quiet(w);
    apic_route(w->main, pin, VECTOR, true);
    taken(w);
    end_apic(w, BAR1);
}

static void test_priority_waits(QWorld *w)
{
    start_apic(w);
    qtest_write(w->main, 0xfee00080, 0x60, 4);
    raise_irq(w, BAR1);
    qtest_until(w->main, apic_waiting(w->main, VECTOR));
    g_assert_false(apic_in_service(w->main, VECTOR));
    qtest_write(w->main, 0xfee00080, 0x50, 4);
    g_assert_true(apic_in_service(w->main, VECTOR));
    end_apic(w, BAR1);
}

static void test_line_is_seen(QWorld *w)
{
    int pin = start_apic(w);

    qtest_irq_intercept_in(w->main, "ioapic");
    raise_irq(w, BAR1);
    qtest_wait_irq(w->main, pin, true);
    end_apic(w, BAR1);
    qtest_wait_irq(w->main, pin, false);
}

static void test_disable_bit(QWorld *w)
{
    start_apic(w);
    qpci_write(&w->dev, 4, 0x407, 2);
    raise_irq(w, BAR1);
    quiet(w);
    g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 8);
    qpci_write(&w->dev, 4, 7, 2);
    taken(w);
    end_apic(w, BAR1);
    g_assert_cmphex(qpci_read(&w->dev, 6, 2) & 8, ==, 0);
}

static void test_reset_lowers(QWorld *w)
{
    start_apic(w);
    raise_irq(w, BAR1);
    taken(w);
    qtest_qmp_ok(w->main, "system_reset");
    qtest_qmp_events(w->main, "RESET", true);
    start_apic(w);
    g_assert_cmphex(qtest_read(w->main, BAR1 + STATUS, 4), ==, 0);
    /* A level that the chip still holds goes with the next end. */
    settle(w);
    if (apic_in_service(w->main, VECTOR)) {
        apic_end(w->main);
    }
    quiet(w);
}

/* -- Sharing ---------------------------------------------------------------- */

static void test_shared_both_are_served(QWorld *w)
{
    start_apic(w);
    raise_irq(w, BAR1);
    raise_irq(w, BAR2);
    taken(w);
    settle(w);
    end_apic(w, BAR1);
    taken(w);                   /* the other still wants it */
    end_apic(w, BAR2);
    quiet(w);
}

static void test_shared_second_while_first_in_service(QWorld *w)
{
    start_apic(w);
    raise_irq(w, BAR1);
    taken(w);
    ack_irq(w, BAR1);
    raise_irq(w, BAR2);
    settle(w);
    apic_end(w->main);
    taken(w);
    g_assert_cmphex(qtest_read(w->main, BAR1 + STATUS, 4), ==, 0);
    g_assert_cmphex(qtest_read(w->main, BAR2 + STATUS, 4), ==, 1);
    end_apic(w, BAR2);
    quiet(w);
}

/* Each is heard whose level rose before the pin was looked at. */
static void test_shared_unmasked(QWorld *w)
{
    static const struct { bool first, second; } raised[] = {
        { true, true }, { true, false }, { false, true },
    };
    int pin = start_apic(w);

    for (unsigned i = 0; i < G_N_ELEMENTS(raised); i++) {
        apic_mask(w->main, pin);
        if (raised[i].first) {
            raise_irq(w, BAR1);
        }
        if (raised[i].second) {
            raise_irq(w, BAR2);
        }
        quiet(w);
        apic_route(w->main, pin, VECTOR, true);
        taken(w);
        if (raised[i].first && raised[i].second) {
            end_apic(w, BAR1);
            taken(w);
        }
        ack_irq(w, BAR1);
        end_apic(w, BAR2);
        quiet(w);
    }
}

static void end_process(QWorld *w)
{
    qtest_expect_stderr(w->main, "the device's process is gone");
    qtest_kill(w->remote);
    w->remote = NULL;
    qtest_qmp_events(w->main, "X_PCI_PROXY_DEV_GONE", true);
}

/* Its level goes with it, before anybody has taken the interrupt. */
static void test_process_ends(QWorld *w)
{
    start(w);
    set_route(w, 11);
    pic_unmask(w->main, 11, true);
    qtest_out(w->main, 0xa1, 0xff, 1);
    raise_irq(w, BAR1);
    settle(w);
    end_process(w);
    pic_unmask(w->main, 11, true);
    settle(w);
    g_assert_cmpint(pic_take(w->main), ==, -1);
}

static void test_process_ends_beside_another(QWorld *w)
{
    int pin = start_apic(w);

    apic_mask(w->main, pin);
    raise_irq(w, BAR1);
    raise_irq(w, BAR2);
    settle(w);
    end_process(w);
    apic_route(w->main, pin, VECTOR, true);
    taken(w);
    end_apic(w, BAR2);
    quiet(w);
}

/* -- 8259s ------------------------------------------------------------------ */

static void taken_by_pic(QWorld *w, int irq)
{
    int got;

    qtest_until(w->main, (got = pic_take(w->main)) >= 0);
    g_assert_cmpint(got, ==, irq);
}

static void serve_by_pic(QWorld *w, int irq)
{
    pic_unmask(w->main, irq, true);
    raise_irq(w, BAR1);
    taken_by_pic(w, irq);
    pic_end(w->main, irq);
    taken_by_pic(w, irq);       /* still high */
    end_pic(w, BAR1, irq);
    quiet_pic(w);
}

static void test_routed_to(QWorld *w, int irq)
{
    start(w);
    set_route(w, irq);
    serve_by_pic(w, irq);
}

#define ROUTED(n) \
    static void test_routed_to_##n(QWorld *w) { test_routed_to(w, n); }
ROUTED(3) ROUTED(4) ROUTED(5) ROUTED(6) ROUTED(7) ROUTED(9) ROUTED(10)
ROUTED(11) ROUTED(12) ROUTED(14) ROUTED(15)

/* Of the values that a route register takes, some are reserved. */
static void test_reserved_routes(QWorld *w)
{
    static const uint8_t reserved[] = { 0, 1, 2, 8, 13, 0x80, 0x8b };

    start(w);
    for (unsigned i = 3; i < 16; i++) {
        if (i != 8 && i != 13) {
            pic_unmask(w->main, i, true);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(reserved); i++) {
        set_route(w, reserved[i]);
        raise_irq(w, BAR1);
        quiet_pic(w);
        ack_irq(w, BAR1);
    }
}

static void test_moves_while_high(QWorld *w)
{
    start(w);
    set_route(w, 11);
    pic_unmask(w->main, 10, true);
    pic_unmask(w->main, 11, true);
    raise_irq(w, BAR1);
    taken_by_pic(w, 11);
    set_route(w, 10);
    pic_end(w->main, 11);
    taken_by_pic(w, 10);
    end_pic(w, BAR1, 10);
    quiet_pic(w);
}

static void test_raised_without_a_route(QWorld *w)
{
    start(w);
    set_route(w, 0x80);
    pic_unmask(w->main, 5, true);
    raise_irq(w, BAR1);
    quiet_pic(w);
    set_route(w, 5);
    taken_by_pic(w, 5);
    end_pic(w, BAR1, 5);
}

/* Raised and lowered while nobody could see it. */
static void test_gone_before_a_route(QWorld *w)
{
    start(w);
    set_route(w, 0x80);
    pic_unmask(w->main, 5, true);
    raise_irq(w, BAR1);
    settle(w);
    ack_irq(w, BAR1);
    set_route(w, 5);
    quiet_pic(w);
    raise_irq(w, BAR1);
    taken_by_pic(w, 5);
    end_pic(w, BAR1, 5);
}

static void test_from_pic_to_apic(QWorld *w)
{
    start(w);
    set_route(w, 11);
    serve_by_pic(w, 11);
    /* What an operating system does that has found the I/O APIC. */
    qtest_out(w->main, 0x21, 0xff, 1);
    qtest_out(w->main, 0xa1, 0xff, 1);
    if (board(w)->gsi >= 0) {
        set_route(w, 0x80);
    }
    apic_route(w->main, board(w)->gsi < 0 ? 11 : board(w)->gsi, VECTOR, true);
    raise_irq(w, BAR1);
    taken(w);
    apic_end(w->main);
    taken(w);
    end_apic(w, BAR1);
    quiet(w);
}

static void test_shared_on_pic(QWorld *w)
{
    start(w);
    set_route(w, 10);
    pic_unmask(w->main, 10, true);
    raise_irq(w, BAR1);
    raise_irq(w, BAR2);
    settle(w);
    taken_by_pic(w, 10);
    end_pic(w, BAR2, 10);
    taken_by_pic(w, 10);
    end_pic(w, BAR1, 10);
    quiet_pic(w);
}

static void test_initialised_while_in_service(QWorld *w)
{
    start(w);
    set_route(w, 11);
    pic_unmask(w->main, 11, true);
    raise_irq(w, BAR1);
    taken_by_pic(w, 11);
    pic_init(w->main);
    pic_unmask(w->main, 11, true);
    taken_by_pic(w, 11);
    end_pic(w, BAR1, 11);
}

/*
 * KVM's chips have no lines to look at, and its 8259 still holds in service what
 * it held when it is initialised: two rules are of our chips only.
 */
enum { ONE, TWO, ONE_REMOTE, MIXED };

static const struct {
    const char *name;
    int devices;
    void (*fn)(QWorld *w);
    bool ours;
} tests[] = {
    { "raise-take-end", ONE, test_raise_take_end },
    { "many-times", ONE, test_many_times },
    { "ended-while-high-comes-again", ONE, test_end_while_high },
    { "raised-twice-is-taken-once", ONE, test_raised_twice_taken_once },
    { "raise-between-ack-and-end-is-not-lost", ONE,
      test_raise_between_ack_and_end },
    { "masked-pin-waits", ONE, test_masked_waits },
    { "task-priority-holds-back", ONE, test_priority_waits },
    { "line-is-seen-at-the-chip", ONE, test_line_is_seen, true },
    { "disable-bit-hides-the-level", ONE, test_disable_bit },
    { "reset-lowers", ONE, test_reset_lowers },
    { "shared-both-are-served", TWO, test_shared_both_are_served },
    { "shared-second-while-first-in-service", TWO,
      test_shared_second_while_first_in_service },
    { "shared-on-8259", TWO, test_shared_on_pic },
    { "shared-unmasked-while-high", TWO, test_shared_unmasked },
    { "mixed-both-are-served", MIXED, test_shared_both_are_served },
    { "mixed-second-while-first-in-service", MIXED,
      test_shared_second_while_first_in_service },
    { "mixed-unmasked-while-high", MIXED, test_shared_unmasked },
    { "mixed-on-8259", MIXED, test_shared_on_pic },
    { "line-goes-down-with-its-process", ONE_REMOTE, test_process_ends },
    { "line-stays-for-the-other", MIXED, test_process_ends_beside_another },
    { "routed-to-3", ONE, test_routed_to_3 },
    { "routed-to-4", ONE, test_routed_to_4 },
    { "routed-to-5", ONE, test_routed_to_5 },
    { "routed-to-6", ONE, test_routed_to_6 },
    { "routed-to-7", ONE, test_routed_to_7 },
    { "routed-to-9", ONE, test_routed_to_9 },
    { "routed-to-10", ONE, test_routed_to_10 },
    { "routed-to-11", ONE, test_routed_to_11 },
    { "routed-to-12", ONE, test_routed_to_12 },
    { "routed-to-14", ONE, test_routed_to_14 },
    { "routed-to-15", ONE, test_routed_to_15 },
    { "reserved-routes-go-nowhere", ONE, test_reserved_routes },
    { "level-moves-with-the-route", ONE, test_moves_while_high },
    { "level-waits-for-a-route", ONE, test_raised_without_a_route },
    { "level-gone-before-a-route-is-nothing", ONE, test_gone_before_a_route },
    { "from-8259-to-apic", ONE, test_from_pic_to_apic },
    { "8259-initialised-while-in-service", ONE,
      test_initialised_while_in_service, true },
};

static void add_tests(const Board *b, bool kvm)
{
    g_autofree char *suite = g_strdup_printf("interrupt/%s%s",
                                             kvm ? "kvm-" : "", b->machine);

    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        QWorldConfig config = {
            .machine = b->machine, .device = "edu",
            .device2 = tests[i].devices == TWO ? "edu" : NULL,
            .extra = tests[i].devices == MIXED ? LOCAL_SECOND : NULL,
            .only_remote = tests[i].devices >= ONE_REMOTE, .kvm = kvm,
        };

        if (!kvm || !tests[i].ours) {
            qworld_add_tests(suite, tests[i].name, &config, tests[i].fn);
        }
    }
}

/* Once with our chips, once with the kernel's: "kvm" on the command line. */
int main(int argc, char **argv)
{
    bool kvm;

    g_test_init(&argc, &argv, NULL);
    kvm = argc > 1 && g_str_equal(argv[1], "kvm");
    for (unsigned b = 0; b < G_N_ELEMENTS(boards); b++) {
        add_tests(&boards[b], kvm);
    }
    return g_test_run();
}
