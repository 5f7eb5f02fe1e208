/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of a link. */
#include "qemu/osdep.h"
#include "hw/remote/link-stats.h"
#include "qemu/bitops.h"

static const char *const access_names[LINK_ACCESS_MAX] = {
    "config-read", "config-write", "region-read", "region-write", "reset",
};

static uint64_t load(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

const char *link_access_name(LinkAccess kind)
{
    return access_names[kind];
}

void link_stats_access(LinkStats *stats, LinkAccess kind, int64_t ns)
{
    unsigned bucket = ns > 0 ? 63 - clz64(ns) : 0;

    link_stats_inc(&stats->accesses[kind]);
    link_stats_inc(&stats->latency[kind][MIN(bucket,
                                             LINK_LATENCY_BUCKETS - 1)]);
}

uint64_t link_stats_percentile(const LinkStats *stats, LinkAccess kind,
                               unsigned percent)
{
    uint64_t total = 0, seen = 0;

    for (unsigned b = 0; b < LINK_LATENCY_BUCKETS; b++) {
        total += load(&stats->latency[kind][b]);
    }
    for (unsigned b = 0; total && b < LINK_LATENCY_BUCKETS; b++) {
        seen += load(&stats->latency[kind][b]);
        if (seen * 100 >= total * percent) {
            return 2ULL << b;
        }
    }
    return 0;
}

JsonObject *link_stats_to_json(const LinkStats *stats)
{
    JsonObject *out = json_object_new();

    for (int kind = 0; kind < LINK_ACCESS_MAX; kind++) {
        JsonObject *access = json_object_new();

        json_object_set_int_member(access, "count",
                                   load(&stats->accesses[kind]));
        json_object_set_int_member(access, "p50-ns",
                                   link_stats_percentile(stats, kind, 50));
        json_object_set_int_member(access, "p99-ns",
                                   link_stats_percentile(stats, kind, 99));
        json_object_set_object_member(out, access_names[kind], access);
    }
    json_object_set_int_member(out, "by-mailbox", load(&stats->by_mailbox));
    json_object_set_int_member(out, "memory-tables",
                               load(&stats->memory_tables));
    json_object_set_int_member(out, "raised", load(&stats->raised));
    json_object_set_int_member(out, "resampled", load(&stats->resampled));
    json_object_set_int_member(out, "reraised", load(&stats->reraised));
    return out;
}
