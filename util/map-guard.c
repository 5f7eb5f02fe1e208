/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mapping of a file that somebody else can shorten: the next access to what
 * is gone is SIGBUS.  For a guarded mapping that is no end of the process.  The
 * handler puts empty memory in its place, so that the access goes on, marks the
 * guard and tells; whoever uses the mapping looks at the mark and gives up what
 * it was for.
 *
 * The handler takes no lock: guards are a table of fixed size, whose entries
 * are taken and released by atomic stores.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qapi/error.h"
#include "qemu/bitops.h"
#include "qemu/event_notifier.h"
#include "qemu/map-guard.h"

#define MAX_GUARDS 4096         /* links of a bus, times regions of a table */
/* Replaced at once, unless a huge page is more: little, as private memory is
 * limited, files are not. */
#define PIECE ((uint64_t)MiB)

struct MapGuard {
    int taken;
    uintptr_t host;             /* 0: nothing is guarded now */
    uint64_t size, piece;
    int lost;
};

static MapGuard guards[MAX_GUARDS];
static EventNotifier *told;     /* or NULL */

static MapGuard *find(uintptr_t addr)
{
    for (unsigned i = 0; i < MAX_GUARDS; i++) {
        MapGuard *g = &guards[i];
        uintptr_t host = __atomic_load_n(&g->host, __ATOMIC_ACQUIRE);

        if (host && addr >= host && addr - host < g->size) {
            return g;
        }
    }
    return NULL;
}

static bool put_empty(uintptr_t at, uint64_t size)
{
    return mmap((void *)at, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* A huge page that the mapping ends in is mapped, also anew, as a whole. */
static bool replace(MapGuard *g, uint64_t offset)
{
    uint64_t start = QEMU_ALIGN_DOWN(offset, g->piece);
    uint64_t size = MIN(g->piece, g->size - start);

    return put_empty(g->host + start, size) ||
           (size < g->piece && g->piece > PIECE &&
            put_empty(g->host + start, g->piece));
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    MapGuard *g = find((uintptr_t)info->si_addr);

    if (!g || info->si_code <= 0 ||
        !replace(g, (uintptr_t)info->si_addr - g->host)) {
        /* Made again, the access ends the process as it should. */
        signal(SIGBUS, SIG_DFL);
    } else {
        __atomic_store_n(&g->lost, true, __ATOMIC_RELEASE);
        if (told) {
            event_notifier_set(told);
        }
    }
    errno = saved_errno;
}

void map_guard_init(EventNotifier *lost)
{
    struct sigaction act = { .sa_sigaction = on_sigbus,
                             .sa_flags = SA_SIGINFO };

    told = lost ?: told;
    sigaction(SIGBUS, &act, NULL);
}

/* A file of huge pages is mapped, also anew, by whole ones. */
static uint64_t piece_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && is_power_of_2(st.st_blksize)
           ? MAX(PIECE, (uint64_t)st.st_blksize) : PIECE;
}

MapGuard *map_guard_new(void *host, uint64_t size, int fd, Error **errp)
{
    for (unsigned i = 0; i < MAX_GUARDS; i++) {
        MapGuard *g = &guards[i];
        int no = false;

        if (__atomic_compare_exchange_n(&g->taken, &no, true, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            g->size = size;
            g->piece = piece_of(fd);
            g->lost = false;
            __atomic_store_n(&g->host, (uintptr_t)host, __ATOMIC_RELEASE);
            return g;
        }
    }
    error_setg(errp, "more than %d mappings of files that others can shorten",
               MAX_GUARDS);
    return NULL;
}

void map_guard_free(MapGuard *guard)
{
    if (guard) {
        __atomic_store_n(&guard->host, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&guard->taken, false, __ATOMIC_RELEASE);
    }
}

bool map_guard_lost(const MapGuard *guard)
{
    return guard && __atomic_load_n(&guard->lost, __ATOMIC_ACQUIRE);
}
