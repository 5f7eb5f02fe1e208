/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each end of a link counts.  One thread at a time writes (the request's
 * or the link's); any thread reads, without a lock.
 */
#ifndef HW_REMOTE_LINK_STATS_H
#define HW_REMOTE_LINK_STATS_H

#include <json-glib/json-glib.h>

typedef enum LinkAccess {
    LINK_CONFIG_READ,
    LINK_CONFIG_WRITE,
    LINK_REGION_READ,
    LINK_REGION_WRITE,
    LINK_RESET,
    LINK_ACCESS_MAX,
} LinkAccess;

/* Bucket b counts latencies of [2^b, 2^(b+1)) ns; the last has the rest. */
#define LINK_LATENCY_BUCKETS 36

typedef struct LinkStats {
    uint64_t accesses[LINK_ACCESS_MAX];
    uint64_t latency[LINK_ACCESS_MAX][LINK_LATENCY_BUCKETS];
    uint64_t by_mailbox;        /* accesses that passed the socket by */
    uint64_t memory_tables;     /* changes of the memory table */
    uint64_t raised;            /* signals of the irqfd */
    uint64_t resampled;         /* ends of interrupt seen */
    uint64_t reraised;          /* of those, with the level still high */
} LinkStats;

static inline void link_stats_inc(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* Counts one access that took @ns. */
void link_stats_access(LinkStats *stats, LinkAccess kind, int64_t ns);
/* The latency in ns below which @percent of the accesses of @kind stayed (the
 * upper end of the bucket); 0 if there were none.  Any thread. */
uint64_t link_stats_percentile(const LinkStats *stats, LinkAccess kind,
                               unsigned percent);
const char *link_access_name(LinkAccess kind);          /* "config-read" */
/* All of it, as x-query-remote shows it.  Any thread. */
JsonObject *link_stats_to_json(const LinkStats *stats);

#endif
