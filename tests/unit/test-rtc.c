/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CMOS clock: time of day in every format, setting it, flags and
 * interrupts, nonsense. */
#include "qemu/osdep.h"
#include "hw/rtc/mc146818rtc.h"
#include "qemu/bswap.h"
#include "qemu/option.h"
#include "isa-world.h"

#define SECOND NANOSECONDS_PER_SECOND
#define IRQ RTC_ISA_IRQ
/* Saturday, 29 February 2020, 23:59:58 UTC */
#define BASE 1583020798

static RTCState *rtc;

static uint8_t cmos_read(uint8_t index)
{
    outb(0x70, index);
    return inb(0x71);
}

static void cmos_write(uint8_t index, uint8_t val)
{
    outb(0x70, index);
    outb(0x71, val);
}

static void set_up(void)
{
    rtc_config = (RTCConfig) {
        .clock = QEMU_CLOCK_VIRTUAL, .has_base = true, .base = BASE,
    };
    rtc = mc146818_rtc_init(isa_bus, &error_abort);
    /* To the beginning of a second. */
    clock_step(SECOND - qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) % SECOND);
    cmos_write(0x0a, 0x26);
    cmos_write(0x0b, 0x82);
    cmos_write(0, 0x58);
    cmos_write(2, 0x59);
    cmos_write(4, 0x23);
    cmos_write(7, 0x29);
    cmos_write(8, 0x02);
    cmos_write(9, 0x20);
    cmos_write(0x32, 0x20);
    cmos_write(0x0a, 0x66);
    cmos_write(0x0a, 0x26);
    cmos_write(0x0b, 0x02);             /* half into the second */
    cmos_read(0x0c);
    memset(isa_line, 0, sizeof(isa_line));
}

static void tear_down(void)
{
    qdev_unparent(DEVICE(rtc));
}

/* hours:minutes:seconds and day, month, year as they stand there. */
static void assert_time(uint32_t hms, uint32_t dmy)
{
    g_assert_cmphex(cmos_read(4) << 16 | cmos_read(2) << 8 | cmos_read(0), ==,
                    hms);
    g_assert_cmphex(cmos_read(7) << 24 | cmos_read(8) << 16
                    | cmos_read(0x32) << 8 | cmos_read(9), ==, dmy);
}

/* -- Tests --------------------------------------------------------------- */

static void test_starts_at_base(void)
{
    rtc_config = (RTCConfig) {
        .clock = QEMU_CLOCK_VIRTUAL, .has_base = true, .base = BASE,
    };
    rtc = mc146818_rtc_init(isa_bus, &error_abort);
    assert_time(0x235958, 0x29022020);
    g_assert_cmphex(cmos_read(6), ==, 7);
    g_assert_cmphex(cmos_read(0x0d), ==, 0x80);
    tear_down();
}

static void test_follows_host_clock(void)
{
    time_t t;
    struct tm tm;

    rtc_config = (RTCConfig) { .clock = QEMU_CLOCK_HOST };
    rtc = mc146818_rtc_init(isa_bus, &error_abort);
    t = time(NULL);
    gmtime_r(&t, &tm);
    /* The hour may just turn: both are right then. */
    if (tm.tm_min < 59 && tm.tm_min > 0) {
        g_assert_cmphex(cmos_read(4), ==, tm.tm_hour / 10 << 4
                        | tm.tm_hour % 10);
    }
    g_assert_cmphex(cmos_read(0x32), ==, 0x20);
    tear_down();
}

static void test_runs_over_month(void)
{
    set_up();
    assert_time(0x235958, 0x29022020);
    clock_step(SECOND / 2 + SECOND);
    assert_time(0x000000, 0x01032020);
    tear_down();
}

static void test_binary_and_twelve_hours(void)
{
    set_up();
    cmos_write(0x0b, 0x06);             /* binary, 24 hours */
    assert_time(23 << 16 | 59 << 8 | 58, 29 << 24 | 2 << 16 | 20 << 8 | 20);
    cmos_write(0x0b, 0x00);             /* BCD, 12 hours */
    assert_time(0x915958, 0x29022020);
    clock_step(2 * SECOND);
    g_assert_cmphex(cmos_read(4), ==, 0x12);        /* 12 AM */
    cmos_write(4, 0x92);                            /* 12 PM */
    cmos_write(0x0b, 0x02);
    g_assert_cmphex(cmos_read(4), ==, 0x12);
    tear_down();
}

static void test_set_freezes(void)
{
    set_up();
    cmos_write(0x0b, 0x82);
    clock_step(10 * SECOND);
    assert_time(0x235958, 0x29022020);
    g_assert_cmphex(cmos_read(0x0a) & 0x80, ==, 0);
    cmos_write(2, 0x10);
    cmos_write(0, 0x00);
    cmos_write(0x0b, 0x02);
    assert_time(0x231000, 0x29022020);
    clock_step(3 * SECOND);
    assert_time(0x231003, 0x29022020);
    tear_down();
}

static void test_divider_reset_starts_half_a_second_before(void)
{
    set_up();                           /* did just that */
    clock_step(SECOND / 2 - SCALE_US);
    assert_time(0x235958, 0x29022020);
    clock_step(2 * SCALE_US);
    assert_time(0x235959, 0x29022020);
    tear_down();
}

static void test_update_in_progress(void)
{
    set_up();
    clock_step(SECOND / 2 - 300 * SCALE_US);
    g_assert_cmphex(cmos_read(0x0a), ==, 0x26);
    clock_step(100 * SCALE_US);
    g_assert_cmphex(cmos_read(0x0a), ==, 0xa6);
    clock_step(200 * SCALE_US);
    g_assert_cmphex(cmos_read(0x0a), ==, 0x26);
    tear_down();
}

static void test_update_interrupt(void)
{
    set_up();
    cmos_write(0x0b, 0x12);
    clock_step(SECOND / 2 - SCALE_US);
    g_assert_cmpint(isa_line[IRQ].level, ==, 0);
    clock_step(2 * SCALE_US);
    g_assert_cmpint(isa_line[IRQ].level, ==, 1);
    g_assert_cmphex(cmos_read(0x0c) & ~0x40, ==, 0x90);
    g_assert_cmpint(isa_line[IRQ].level, ==, 0);
    g_assert_cmphex(cmos_read(0x0c), ==, 0);
    clock_step(3 * SECOND);             /* not acknowledged: once */
    g_assert_cmpint(isa_line[IRQ].raised, ==, 2);
    tear_down();
}

static void test_alarm(void)
{
    set_up();
    cmos_write(1, 0x01);
    cmos_write(3, 0xc0);                /* any minute and hour */
    cmos_write(5, 0xff);
    cmos_write(0x0b, 0x22);
    clock_step(SECOND);
    g_assert_cmpint(isa_line[IRQ].level, ==, 0);
    clock_step(2 * SECOND);
    g_assert_cmpint(isa_line[IRQ].level, ==, 1);
    g_assert_cmphex(cmos_read(0), ==, 0x01);
    g_assert_cmphex(cmos_read(0x0c) & ~0x40, ==, 0xb0);
    clock_step(59 * SECOND);
    g_assert_cmpint(isa_line[IRQ].level, ==, 0);
    clock_step(SECOND);
    g_assert_cmpint(isa_line[IRQ].level, ==, 1);
    tear_down();
}

static void test_alarm_that_never_rings(void)
{
    set_up();
    cmos_write(1, 0x75);
    cmos_write(0x0b, 0x22);
    clock_step(2 * 86400 * SECOND);
    g_assert_cmpint(isa_line[IRQ].raised, ==, 0);
    g_assert_cmphex(cmos_read(0x0c) & 0x20, ==, 0);
    tear_down();
}

static void test_alarm_flag_without_interrupt(void)
{
    set_up();
    cmos_write(5, 0x00);
    cmos_write(3, 0x00);
    cmos_write(1, 0x00);
    clock_step(3 * SECOND);
    g_assert_cmphex(cmos_read(0x0c), ==, 0x70);     /* and no IRQF */
    g_assert_cmpint(isa_line[IRQ].raised, ==, 0);
    tear_down();
}

/* A guest that comes late to 64 Hz gets each tick (to a minute of them), or
 * one for all. */
static void test_late(void)
{
    for (int slew = 0; slew < 2; slew++) {
        int ticks = 0;

        set_up();
        rtc_config.slew = slew;
        cmos_write(0x0a, 0x2a);
        cmos_write(0x0b, 0x42);
        cmos_read(0x0c);
        clock_step(SECOND / 8 + SCALE_MS);
        while (isa_line[IRQ].level) {
            g_assert_cmphex(cmos_read(0x0c) & 0xc0, ==, 0xc0);
            ticks++;
        }
        g_assert_cmpint(ticks, ==, slew ? 8 : 1);
        clock_step(1000 * SECOND);
        for (ticks = 0; isa_line[IRQ].level; ticks++) {
            cmos_read(0x0c);
        }
        g_assert_cmpint(ticks, ==, slew ? 60 * 64 + 1 : 1);
        clock_step(SECOND / 64);
        g_assert_true(isa_line[IRQ].level);
        tear_down();
    }
}

static void test_periodic(void)
{
    unsigned n = 0;

    set_up();
    cmos_write(0x0b, 0x42);             /* 1024 Hz */
    for (int i = 0; i < 1024; i++) {
        clock_step(SECOND / 1024 + 1);
        n += (cmos_read(0x0c) & 0xc0) == 0xc0;
    }
    g_assert_cmpuint(n, >=, 1020);
    g_assert_cmpint(isa_line[IRQ].raised, ==, n);
    cmos_write(0x0a, 0x20);             /* no rate */
    cmos_read(0x0c);
    clock_step(SECOND);
    g_assert_cmphex(cmos_read(0x0c) & 0x40, ==, 0);
    tear_down();
}

static void test_idle_needs_no_timer(void)
{
    set_up();
    g_assert_cmpint(aio_next_deadline(qemu_get_aio_context(),
                                      QEMU_CLOCK_VIRTUAL), ==, -1);
    tear_down();
}

static void test_reset_keeps_time_and_bytes(void)
{
    set_up();
    cmos_write(0x40, 0x5a);
    cmos_write(0x0b, 0x72);
    clock_step(SECOND);
    g_assert_cmpint(isa_line[IRQ].level, ==, 1);
    device_cold_reset(DEVICE(rtc));
    g_assert_cmpint(isa_line[IRQ].level, ==, 0);
    g_assert_cmphex(cmos_read(0x0b), ==, 0x02);
    g_assert_cmphex(cmos_read(0x40), ==, 0x5a);
    assert_time(0x235959, 0x29022020);
    tear_down();
}

/* Whatever is written, it answers, runs and stays cheap. */
static void test_random_writes(void)
{
    set_up();
    for (int i = 0; i < 200000; i++) {
        cmos_write(g_test_rand_int() & 0xff, g_test_rand_int() & 0xff);
        cmos_read(g_test_rand_int() & 0x3f);
        if (!(i % 1000)) {
            clock_step(g_test_rand_int_range(0, 10 * SCALE_MS));
        }
    }
    tear_down();
}

/* -rtc: good ones and what they give; bad ones name the member at fault. */
static void test_options(void)
{
    static const struct { const char *arg, *error; RTCConfig want; } cases[] = {
        { "base=utc", NULL, { QEMU_CLOCK_HOST } },
        { "base=localtime,clock=vm", NULL, { QEMU_CLOCK_VIRTUAL, true } },
        { "base=2020-02-29T23:59:58,clock=rt,driftfix=none", NULL,
          { QEMU_CLOCK_REALTIME, false, true, BASE } },
        { "base=2020-02-29", NULL,
          { QEMU_CLOCK_HOST, false, true, BASE - 86398 } },
        { "base=2020-02-30", "base=2020-02-30" },
        { "base=soon", "base=soon" },
        { "clock=sun", "clock=sun" },
        { "driftfix=slew", NULL, { QEMU_CLOCK_HOST, .slew = true } },
        { "driftfix=fast", "driftfix=fast" },
        { "bass=utc", "bass" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(JsonObject) opts = keyval_parse(cases[i].arg, NULL, NULL,
                                                  &error_abort);
        g_autoptr(Error) err = NULL;
        bool ok = rtc_configure(opts, &err);

        g_assert_true(ok == !cases[i].error);
        if (!ok) {
            g_assert_nonnull(strstr(error_get_pretty(err), cases[i].error));
            continue;
        }
        g_assert_cmpint(rtc_config.clock, ==, cases[i].want.clock);
        g_assert_true(rtc_config.slew == cases[i].want.slew);
        g_assert_true(rtc_config.localtime == cases[i].want.localtime);
        g_assert_true(rtc_config.has_base == cases[i].want.has_base);
        if (rtc_config.has_base) {
            g_assert_cmpint(rtc_config.base, ==, cases[i].want.base);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_world_init();
    g_test_add_func("/rtc/options", test_options);
    g_test_add_func("/rtc/starts-at-base", test_starts_at_base);
    g_test_add_func("/rtc/follows-host-clock", test_follows_host_clock);
    g_test_add_func("/rtc/runs-over-month", test_runs_over_month);
    g_test_add_func("/rtc/binary-and-twelve-hours",
                    test_binary_and_twelve_hours);
    g_test_add_func("/rtc/set-freezes", test_set_freezes);
    g_test_add_func("/rtc/divider-reset-starts-half-a-second-before",
                    test_divider_reset_starts_half_a_second_before);
    g_test_add_func("/rtc/update-in-progress", test_update_in_progress);
    g_test_add_func("/rtc/update-interrupt", test_update_interrupt);
    g_test_add_func("/rtc/alarm", test_alarm);
    g_test_add_func("/rtc/alarm-that-never-rings",
                    test_alarm_that_never_rings);
    g_test_add_func("/rtc/alarm-flag-without-interrupt",
                    test_alarm_flag_without_interrupt);
    g_test_add_func("/rtc/periodic", test_periodic);
    g_test_add_func("/rtc/late-ticks", test_late);
    g_test_add_func("/rtc/idle-needs-no-timer", test_idle_needs_no_timer);
    g_test_add_func("/rtc/reset-keeps-time-and-bytes",
                    test_reset_keeps_time_and_bytes);
    g_test_add_func("/rtc/random-writes-are-harmless", test_random_writes);
    return g_test_run();
}
