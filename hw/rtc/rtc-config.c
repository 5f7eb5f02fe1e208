/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -rtc: which time the guest's clock shows at the start, and by which clock of
 * the host it runs on.
 */
#include "qemu/osdep.h"
#include "hw/rtc/mc146818rtc.h"
#include "qemu/option.h"

RTCConfig rtc_config = { .clock = QEMU_CLOCK_HOST };

/* "2024-02-29T12:30:00" or the day alone, UTC. */
static bool parse_date(const char *text, int64_t *seconds)
{
    g_autofree char *full = strchr(text, 'T')
        ? g_strconcat(text, "Z", NULL) : g_strconcat(text, "T00:00:00Z", NULL);
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(full, NULL);

    if (date) {
        *seconds = g_date_time_to_unix(date);
    }
    return date != NULL;
}

static bool set_base(const char *base, Error **errp)
{
    rtc_config.localtime = !g_strcmp0(base, "localtime");
    rtc_config.has_base = base && !rtc_config.localtime && strcmp(base, "utc");
    if (rtc_config.has_base && !parse_date(base, &rtc_config.base)) {
        error_setg(errp, "base=%s: expects utc, localtime or a date such as "
                   "2006-06-17T16:01:21 or 2006-06-17", base);
        return false;
    }
    return true;
}

static bool set_clock(const char *clock, Error **errp)
{
    static const struct { const char *name; QEMUClockType type; } clocks[] = {
        { "host", QEMU_CLOCK_HOST }, { "rt", QEMU_CLOCK_REALTIME },
        { "vm", QEMU_CLOCK_VIRTUAL },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(clocks); i++) {
        if (!strcmp(clock ?: "host", clocks[i].name)) {
            rtc_config.clock = clocks[i].type;
            return true;
        }
    }
    error_setg(errp, "clock=%s: expects host, rt or vm", clock);
    return false;
}

bool rtc_configure(JsonObject *opts, Error **errp)
{
    g_autofree char *base = NULL, *clock = NULL, *driftfix = NULL;

    if (!keyval_take_str(opts, "base", &base, errp) ||
        !keyval_take_str(opts, "clock", &clock, errp) ||
        !keyval_take_str(opts, "driftfix", &driftfix, errp) ||
        !keyval_check_empty(opts, "-rtc", (const char *const[]){
            "base", "clock", "driftfix", NULL }, errp)) {
        return false;
    }
    rtc_config.slew = !g_strcmp0(driftfix, "slew");
    if (driftfix && strcmp(driftfix, "none") && !rtc_config.slew) {
        error_setg(errp, "driftfix=%s: expects none or slew", driftfix);
        return false;
    }
    return set_base(base, errp) && set_clock(clock, errp);
}
