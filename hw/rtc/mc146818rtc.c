/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MC146818A real-time clock with 114 bytes of memory (Motorola MC146818A data
 * sheet), as PCs have it: century in byte 0x32, ports 0x70 and 0x71, line 8.
 *
 * The time of day is a clock of the host plus an offset and is computed when
 * it is looked at; so are the flags of register C.  A timer runs only while
 * an interrupt is enabled, and for the next one due.  Daylight saving (DSE)
 * and the square wave output do nothing, as on every later PC chipset.
 */
#include "qemu/osdep.h"
#include "hw/rtc/mc146818rtc.h"
#include "migration/vmstate.h"
#include "qemu/bitops.h"

DECLARE_INSTANCE_CHECKER(RTCState, MC146818_RTC, TYPE_MC146818_RTC)

enum {
    RTC_SECONDS, RTC_SECONDS_ALARM, RTC_MINUTES, RTC_MINUTES_ALARM,
    RTC_HOURS, RTC_HOURS_ALARM, RTC_DAY_OF_WEEK, RTC_DAY_OF_MONTH, RTC_MONTH,
    RTC_YEAR, RTC_REG_A, RTC_REG_B, RTC_REG_C, RTC_REG_D,

    REG_A_UIP = 0x80, REG_A_DIVIDER = 0x70, REG_A_RATE = 0x0f,
    DIVIDER_32KHZ = 0x20, DIVIDER_RESET = 0x60,

    REG_B_SET = 0x80, REG_B_PIE = 0x40, REG_B_AIE = 0x20, REG_B_UIE = 0x10,
    REG_B_SQWE = 0x08, REG_B_DM = 0x04, REG_B_24H = 0x02,

    REG_C_IRQF = 0x80, REG_C_PF = 0x40, REG_C_AF = 0x20, REG_C_UF = 0x10,
    REG_C_FLAGS = REG_C_PF | REG_C_AF | REG_C_UF,

    REG_D_VRT = 0x80,
    HOUR_PM = 0x80,
    ALARM_ANY = 0xc0,
};

#define CMOS_SIZE 128
#define SLEW_NS (60 * NANOSECONDS_PER_SECOND)   /* made up for at most */
#define UIP_NS 244000               /* UIP leads the update by 244 us */
#define SECOND NANOSECONDS_PER_SECOND
#define XTAL_HZ 32768

typedef struct RTCRegs {
    uint8_t cmos[CMOS_SIZE];        /* the time in it counts only while the
                                       clock stands */
    uint8_t index;
    int64_t phase_ns;               /* added to the host's clock, < 1 s */
    int64_t offset_s;               /* added to the seconds of that */
    int64_t seen_s;                 /* guest time to which UF, AF are known */
    int64_t periods_seen;           /* periods up to which PF is known */
} RTCRegs;

struct RTCState {
    ISADevice parent_obj;
    MemoryRegion io;
    qemu_irq irq;
    QEMUTimer *timer;
    RTCRegs regs;
};

static const VMStateDescription vmstate_rtc_regs = {
    .name = "mc146818rtc/regs",
    .fields = (const VMStateField[]) {
        VMSTATE_BUFFER(cmos, RTCRegs),
        VMSTATE_UINT8(index, RTCRegs),
        VMSTATE_UINT(phase_ns, RTCRegs),
        VMSTATE_UINT(offset_s, RTCRegs),
        VMSTATE_UINT(seen_s, RTCRegs),
        VMSTATE_UINT(periods_seen, RTCRegs),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_rtc = {
    .name = TYPE_MC146818_RTC,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(regs, RTCState, &vmstate_rtc_regs),
        VMSTATE_END_OF_LIST()
    },
};

/* -- Time of day --------------------------------------------------------- */

static bool rtc_in_divider_reset(const RTCRegs *r)
{
    return (r->cmos[RTC_REG_A] & REG_A_DIVIDER) >= DIVIDER_RESET;
}

static bool rtc_is_running(const RTCRegs *r)
{
    return !(r->cmos[RTC_REG_B] & REG_B_SET) && !rtc_in_divider_reset(r);
}

/* The divider chain: only its reset moves it, and its second is the guest's. */
static int64_t rtc_chain_ns(const RTCRegs *r)
{
    return qemu_clock_get_ns(rtc_config.clock) + r->phase_ns;
}

/* Seconds since 1970 as the guest sees them; any year from 0 to 25755. */
static int64_t rtc_now(const RTCRegs *r)
{
    return rtc_chain_ns(r) / SECOND + r->offset_s;
}

/* Makes it @now, @fraction_ns into the second. */
static void rtc_set_now(RTCRegs *r, int64_t now, int64_t fraction_ns)
{
    int64_t clock = qemu_clock_get_ns(rtc_config.clock);

    r->phase_ns = (fraction_ns + SECOND - clock % SECOND) % SECOND;
    r->offset_s = now - rtc_chain_ns(r) / SECOND;
    r->seen_s = now;
}

static uint8_t rtc_encode(const RTCRegs *r, int v)
{
    return r->cmos[RTC_REG_B] & REG_B_DM ? v : v / 10 << 4 | v % 10;
}

static int rtc_decode(const RTCRegs *r, uint8_t v)
{
    return r->cmos[RTC_REG_B] & REG_B_DM ? v : (v >> 4) * 10 + (v & 0xf);
}

static uint8_t rtc_encode_hour(const RTCRegs *r, int hour)
{
    if (r->cmos[RTC_REG_B] & REG_B_24H) {
        return rtc_encode(r, hour);
    }
    return rtc_encode(r, hour % 12 ? hour % 12 : 12)
        | (hour >= 12 ? HOUR_PM : 0);
}

static int rtc_decode_hour(const RTCRegs *r, uint8_t v)
{
    if (r->cmos[RTC_REG_B] & REG_B_24H) {
        return rtc_decode(r, v);
    }
    return rtc_decode(r, v & ~HOUR_PM) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* Guest time -> the time bytes. */
static void rtc_store_time(RTCRegs *r)
{
    time_t t = rtc_now(r);
    struct tm tm;
    int year;

    gmtime_r(&t, &tm);
    year = tm.tm_year + 1900;
    r->cmos[RTC_SECONDS] = rtc_encode(r, tm.tm_sec);
    r->cmos[RTC_MINUTES] = rtc_encode(r, tm.tm_min);
    r->cmos[RTC_HOURS] = rtc_encode_hour(r, tm.tm_hour);
    r->cmos[RTC_DAY_OF_WEEK] = rtc_encode(r, tm.tm_wday + 1);
    r->cmos[RTC_DAY_OF_MONTH] = rtc_encode(r, tm.tm_mday);
    r->cmos[RTC_MONTH] = rtc_encode(r, tm.tm_mon + 1);
    r->cmos[RTC_YEAR] = rtc_encode(r, year % 100);
    r->cmos[RTC_CENTURY] = rtc_encode(r, year / 100 % 100);
}

/* The time bytes -> seconds; nonsense is carried over (minute 75 is 1:15). */
static int64_t rtc_load_time(const RTCRegs *r)
{
    struct tm tm = {
        .tm_sec = rtc_decode(r, r->cmos[RTC_SECONDS]),
        .tm_min = rtc_decode(r, r->cmos[RTC_MINUTES]),
        .tm_hour = rtc_decode_hour(r, r->cmos[RTC_HOURS]),
        .tm_mday = rtc_decode(r, r->cmos[RTC_DAY_OF_MONTH]),
        .tm_mon = rtc_decode(r, r->cmos[RTC_MONTH]) - 1,
        .tm_year = rtc_decode(r, r->cmos[RTC_CENTURY]) * 100
            + rtc_decode(r, r->cmos[RTC_YEAR]) - 1900,
    };

    return timegm(&tm);
}

/* -- Events -------------------------------------------------------------- */

/* Nanoseconds of a period, or 0 while there is none. */
static int64_t rtc_period_ns(const RTCRegs *r)
{
    int rate = r->cmos[RTC_REG_A] & REG_A_RATE;

    if (!rate || (r->cmos[RTC_REG_A] & REG_A_DIVIDER) != DIVIDER_32KHZ) {
        return 0;
    }
    if (rate <= 2) {
        rate += 7;              /* the divider chain has no faster tap */
    }
    return (SECOND << (rate - 1)) / XTAL_HZ;
}

static int64_t rtc_periods(const RTCRegs *r)
{
    int64_t period = rtc_period_ns(r);

    return period ? qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) / period : 0;
}

static bool alarm_field_matches(uint8_t alarm, int alarm_value, int value)
{
    return (alarm & ALARM_ANY) == ALARM_ANY || alarm_value == value;
}

/* Seconds from @now to the next alarm, 1 to 86400; 0 if there is none. */
static int rtc_alarm_wait(const RTCRegs *r, int64_t now)
{
    const int day = 24 * 3600;
    uint8_t h = r->cmos[RTC_HOURS_ALARM], m = r->cmos[RTC_MINUTES_ALARM],
        s = r->cmos[RTC_SECONDS_ALARM];
    int start = (now % day + day) % day, t = start + 1;

    while (t <= start + day) {
        if (!alarm_field_matches(h, rtc_decode_hour(r, h), t / 3600 % 24)) {
            t += 3600 - t % 3600;
        } else if (!alarm_field_matches(m, rtc_decode(r, m), t / 60 % 60)) {
            t += 60 - t % 60;
        } else if (!alarm_field_matches(s, rtc_decode(r, s), t % 60)) {
            t++;
        } else {
            return t - start;
        }
    }
    return 0;
}

/* Takes what the chain has counted; true if there is a period to tell of.
 * driftfix=slew: each period that passes is an interrupt of its own, also if
 * the guest comes to it late. */
static bool rtc_take_periods(RTCRegs *r)
{
    int64_t periods = rtc_periods(r), seen = r->periods_seen;

    if (periods <= seen) {
        r->periods_seen = periods;
        return false;
    }
    r->periods_seen = periods;
    if (rtc_config.slew && r->cmos[RTC_REG_B] & REG_B_PIE) {
        if (!(r->cmos[RTC_REG_C] & REG_C_PF)) {
            seen++;
        }
        r->periods_seen = MAX(seen, periods - SLEW_NS / rtc_period_ns(r));
    }
    return true;
}

/* Register C as it is now. */
static void rtc_update_flags(RTCState *s)
{
    RTCRegs *r = &s->regs;
    int64_t now = rtc_now(r);
    uint8_t flags = r->cmos[RTC_REG_C] & REG_C_FLAGS;

    if (rtc_take_periods(r)) {
        flags |= REG_C_PF;
    }
    if (rtc_is_running(r) && now > r->seen_s) {
        int alarm = rtc_alarm_wait(r, r->seen_s);

        flags |= REG_C_UF;
        if (alarm && r->seen_s + alarm <= now) {
            flags |= REG_C_AF;
        }
    }
    r->seen_s = now;
    /* Flags and enables have the same bits. */
    r->cmos[RTC_REG_C] = flags | (flags & r->cmos[RTC_REG_B] ? REG_C_IRQF : 0);
    qemu_set_irq(s->irq, !!(r->cmos[RTC_REG_C] & REG_C_IRQF));
}

/* Sets the timer for the next flag whose interrupt is enabled and not yet
 * pending. */
static void rtc_arm_timer(RTCState *s)
{
    RTCRegs *r = &s->regs;
    uint8_t wanted = r->cmos[RTC_REG_B] & ~r->cmos[RTC_REG_C];
    int64_t virtual = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    int64_t fraction = rtc_chain_ns(r) % SECOND, period = rtc_period_ns(r);
    int64_t wait = INT64_MAX;

    if ((wanted & REG_B_PIE) && period) {
        wait = period - virtual % period;
    }
    if (rtc_is_running(r)) {
        if (wanted & REG_B_UIE) {
            wait = MIN(wait, SECOND - fraction);
        }
        if (wanted & REG_B_AIE) {
            int alarm = rtc_alarm_wait(r, rtc_now(r));

            if (alarm) {
                wait = MIN(wait, alarm * SECOND - fraction);
            }
        }
    }
    if (wait == INT64_MAX) {
        timer_del(s->timer);
    } else {
        timer_mod_ns(s->timer, virtual + wait);
    }
}

static void rtc_refresh(void *opaque)
{
    RTCState *s = opaque;

    rtc_update_flags(s);
    rtc_arm_timer(s);
}

/* -- Registers ----------------------------------------------------------- */

static bool is_time_byte(unsigned index)
{
    return index == RTC_CENTURY
        || (index <= RTC_YEAR && (index >= RTC_DAY_OF_WEEK || !(index & 1)));
}

static void rtc_write_time(RTCRegs *r, uint8_t val)
{
    if (rtc_is_running(r)) {
        rtc_store_time(r);
        r->cmos[r->index] = val;
        rtc_set_now(r, rtc_load_time(r), rtc_chain_ns(r) % SECOND);
    } else {
        r->cmos[r->index] = val;
    }
}

/* Registers A and B decide whether the clock runs and how bytes are coded. */
static void rtc_write_control(RTCRegs *r, uint8_t val)
{
    bool was_running = rtc_is_running(r);
    bool was_in_reset = rtc_in_divider_reset(r);

    if (was_running) {
        rtc_store_time(r);
    }
    r->cmos[r->index] = val;
    if (r->cmos[RTC_REG_B] & REG_B_SET) {
        r->cmos[RTC_REG_B] &= ~REG_B_UIE;
    }
    if (was_in_reset && !rtc_in_divider_reset(r)) {
        /* The chain starts so that an update comes half a second later. */
        rtc_set_now(r, rtc_now(r), SECOND / 2);
    }
    if (!was_running && rtc_is_running(r)) {
        rtc_set_now(r, rtc_load_time(r), rtc_chain_ns(r) % SECOND);
    }
    r->periods_seen = rtc_periods(r);
}

static void rtc_write_data(RTCState *s, uint8_t val)
{
    RTCRegs *r = &s->regs;

    rtc_update_flags(s);
    if (r->index == RTC_REG_A) {
        rtc_write_control(r, val & ~REG_A_UIP);
    } else if (r->index == RTC_REG_B) {
        rtc_write_control(r, val);
    } else if (is_time_byte(r->index)) {
        rtc_write_time(r, val);
    } else if (r->index != RTC_REG_C && r->index != RTC_REG_D) {
        r->cmos[r->index] = val;
    }
    rtc_refresh(s);
}

static uint8_t rtc_read_data(RTCState *s)
{
    RTCRegs *r = &s->regs;
    uint8_t val;

    if (r->index == RTC_REG_A) {
        bool uip = rtc_is_running(r)
            && rtc_chain_ns(r) % SECOND >= SECOND - UIP_NS;

        return r->cmos[RTC_REG_A] | (uip ? REG_A_UIP : 0);
    }
    if (r->index == RTC_REG_C) {
        rtc_update_flags(s);
        val = r->cmos[RTC_REG_C];
        r->cmos[RTC_REG_C] = 0;
        qemu_irq_lower(s->irq);     /* the next may be there already */
        rtc_refresh(s);
        return val;
    }
    if (is_time_byte(r->index) && rtc_is_running(r)) {
        rtc_store_time(r);
    }
    return r->cmos[r->index];
}

static void rtc_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    RTCState *s = opaque;

    if (addr == 0) {
        s->regs.index = val & (CMOS_SIZE - 1);  /* bit 7 masks NMI */
    } else {
        rtc_write_data(s, val);
    }
}

static uint64_t rtc_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 0 ? 0xff : rtc_read_data(opaque);
}

static const MemoryRegionOps rtc_ops = {
    .read = rtc_read,
    .write = rtc_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

void mc146818rtc_set_cmos_data(RTCState *s, int addr, uint8_t val)
{
    assert(addr > RTC_REG_D && addr < CMOS_SIZE && addr != RTC_CENTURY);
    s->regs.cmos[addr] = val;
}

/* -- Device -------------------------------------------------------------- */

static void rtc_reset(DeviceState *dev)
{
    RTCState *s = MC146818_RTC(dev);
    RTCRegs *r = &s->regs;

    r->cmos[RTC_REG_B] &= ~(REG_B_PIE | REG_B_AIE | REG_B_UIE | REG_B_SQWE);
    rtc_update_flags(s);
    r->cmos[RTC_REG_C] = 0;
    rtc_refresh(s);
}

/* What -rtc base= says. */
static int64_t rtc_start_time(time_t host)
{
    if (rtc_config.has_base) {
        return rtc_config.base;
    }
    if (rtc_config.localtime) {
        struct tm tm;

        localtime_r(&host, &tm);
        return host + tm.tm_gmtoff;
    }
    return host;
}

static bool rtc_realize(DeviceState *dev, Error **errp)
{
    RTCState *s = MC146818_RTC(dev);
    RTCRegs *r = &s->regs;
    int64_t host = qemu_clock_get_ns(QEMU_CLOCK_HOST);

    s->irq = isa_get_irq(ISA_DEVICE(dev), RTC_ISA_IRQ);
    s->timer = aio_timer_new(qdev_get_context(dev), QEMU_CLOCK_VIRTUAL,
                             SCALE_NS, rtc_refresh, s);
    r->cmos[RTC_REG_A] = DIVIDER_32KHZ | 6;     /* 1024 Hz */
    r->cmos[RTC_REG_B] = REG_B_24H;
    r->cmos[RTC_REG_D] = REG_D_VRT;
    rtc_set_now(r, rtc_start_time(host / SECOND), host % SECOND);
    r->periods_seen = rtc_periods(r);
    memory_region_init_io(&s->io, OBJECT(dev), &rtc_ops, s, "rtc", 2);
    isa_register_ioport(ISA_DEVICE(dev), &s->io, 0x70);
    return true;
}

static void rtc_unrealize(DeviceState *dev)
{
    RTCState *s = MC146818_RTC(dev);

    memory_region_finalize(&s->io);
    g_clear_pointer(&s->timer, timer_free);
}

RTCState *mc146818_rtc_init(ISABus *bus, Error **errp)
{
    ISADevice *dev = isa_new(TYPE_MC146818_RTC);

    return isa_realize_and_unref(dev, bus, errp) ? MC146818_RTC(dev) : NULL;
}

static void rtc_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "CMOS clock";
    dc->user_creatable = false;
    dc->realize = rtc_realize;
    dc->unrealize = rtc_unrealize;
    dc->reset = rtc_reset;
    dc->vmsd = &vmstate_rtc;
}

static const TypeInfo rtc_types[] = {
    {
        .name = TYPE_MC146818_RTC,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(RTCState),
        .class_init = rtc_class_init,
    },
};
DEFINE_TYPES(rtc_types)
