/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CMOS clock and its battery-backed bytes. */
#ifndef HW_RTC_MC146818RTC_H
#define HW_RTC_MC146818RTC_H

#include "hw/isa/isa.h"
#include "qemu/timer.h"
#include <json-glib/json-glib.h>

#define TYPE_MC146818_RTC "mc146818rtc"
#define RTC_ISA_IRQ 8
#define RTC_CENTURY 0x32

typedef struct RTCState RTCState;

/* -rtc: what the guest's clock shows when the machine starts and how it runs
 * on.  The default is UTC by the host's clock. */
typedef struct RTCConfig {
    QEMUClockType clock;        /* HOST, REALTIME ("rt") or VIRTUAL ("vm") */
    bool localtime;             /* base=localtime */
    bool has_base;              /* base=DATE: */
    int64_t base;               /* seconds since 1970 */
    bool slew;                  /* driftfix=slew: late ticks are made up for */
} RTCConfig;
extern RTCConfig rtc_config;

/* -rtc: members "base" ("utc", "localtime", "YYYY-MM-DD[Thh:mm:ss]"), "clock",
 * "driftfix"; sets rtc_config.  False with @errp naming what is wrong. */
bool rtc_configure(JsonObject *opts, Error **errp);

/* At ports 0x70 and 0x71, line 8. */
RTCState *mc146818_rtc_init(ISABus *bus, Error **errp);
/* The 128 bytes as the machine sets them for firmware. */
void mc146818rtc_set_cmos_data(RTCState *s, int addr, uint8_t val);

#endif
