/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a proxy asks of the device's process, whatever the wire is.
 *
 * Each call that returns bool gives false when the other side is gone, now or
 * since earlier; on the first time @gone is called, from the thread that found
 * out.  Any thread may call, at the same time: one request is in flight, the
 * others wait.  Calls may block up to the timeout, so callers do not hold the
 * big lock, except for set_memory and set_irqfd, which never wait.
 */
#ifndef HW_REMOTE_PROXY_LINK_H
#define HW_REMOTE_PROXY_LINK_H

#include "qapi/error.h"
#include "hw/remote/link-stats.h"

typedef struct ProxyLink ProxyLink;

/* A range of guest memory in a descriptor that the other side may map. */
typedef struct ProxyMemRegion {
    uint64_t gpa, size, offset;         /* bytes */
    int fd;                             /* the caller's */
} ProxyMemRegion;

typedef struct ProxyLinkOps {
    unsigned max_mem_regions;
    bool (*config_read)(ProxyLink *link, uint32_t addr, unsigned len,
                        uint32_t *val);
    bool (*config_write)(ProxyLink *link, uint32_t addr, uint32_t val,
                         unsigned len);
    /* @base: where the guest has put the region; @offset: in it */
    bool (*region_read)(ProxyLink *link, bool memory, uint64_t base,
                        uint64_t offset, unsigned size, uint64_t *val);
    bool (*region_write)(ProxyLink *link, bool memory, uint64_t base,
                         uint64_t offset, unsigned size, uint64_t val);
    bool (*reset)(ProxyLink *link);
    /* The whole table, instead of the one before. */
    void (*set_memory)(ProxyLink *link, const ProxyMemRegion *regions,
                       unsigned nr);
    /* The descriptors stay the caller's, and open.  -errno: there are none left
     * to do it with. */
    int (*set_irqfd)(ProxyLink *link, int irqfd, int resamplefd);
    /* Asks to be told by @fd, an eventfd, when the other side wants the device
     * unplugged; without effect if it cannot say so.  After the first answer;
     * @fd stays the caller's. */
    void (*set_unplugfd)(ProxyLink *link, int fd);
    /* Offers a way without system calls, if both sides have one.  After the
     * first answer of a connection, once. */
    void (*open_mailbox)(ProxyLink *link);
    int (*get_fd)(ProxyLink *link);     /* the socket, to be watched only */
    /* A dead link lives again by the connection of @from, which is freed. */
    void (*take_over)(ProxyLink *link, ProxyLink *from);
    /* Ends the connection; requests under way fail.  Idempotent. */
    void (*shutdown)(ProxyLink *link);
    void (*free)(ProxyLink *link);
} ProxyLinkOps;

struct ProxyLink {
    const ProxyLinkOps *ops;
    LinkStats stats;
    void (*gone)(void *opaque);
    void *opaque;
    pid_t peer_pid;                     /* 0: unknown */
    unsigned timeout_ms;                /* of a request */
    int64_t probe_until_ms;             /* proxy_probe()'s */
    bool dead;                          /* atomic */
    char why[128];                      /* set before @gone is called */
};

static inline bool proxy_link_is_dead(const ProxyLink *link)
{
    return __atomic_load_n(&link->dead, __ATOMIC_ACQUIRE);
}

/**
 * mpqemu_proxy_link_new - a link in mpqemu's format.
 * @fd: connected UNIX stream socket, taken over
 * @timeout_ms: how long a request may take before the other side counts as
 *              hung
 * @spin_ns: bound of spinning for a reply before sleeping; 0: none
 *
 * Never fails: a socket that is none yields a dead link at the first request.
 * Main thread.
 */
ProxyLink *mpqemu_proxy_link_new(int fd, unsigned timeout_ms, int64_t spin_ns,
                                 void (*gone)(void *opaque), void *opaque);

#endif
