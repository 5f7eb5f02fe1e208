/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that writes anything to every register, config byte and queue of a
 * device, and lets its time pass, for $GARBAGE_SECONDS a world (2).  Whatever
 * it did: each access is answered in time, both processes live, say nothing,
 * hold as many descriptors as before, and after a reset the device is there.
 *
 * $GARBAGE_SEED replays a run, as far as time allows: the same accesses.  An
 * argument names the only device to be tested.
 */
#include <stdlib.h>
#include <string.h>

#include "libqtest.h"

#define ARENA 0x100000u         /* guest memory that commands and data are in */
#define ARENA_PAGES 64
#define BARS 0xfd000000u
#define PORTS 0xc000u
#define ROUND 400               /* steps from one reset to the next */

typedef struct Device Device;

typedef struct Garbage {
    QWorld *w;
    GRand *rand;
    const Device *device;
    uint64_t bar[6];            /* address; 0: none */
    uint32_t size[6];
    uint8_t type[6];
    unsigned bars[6], nr_bars;
    unsigned tail[4];
} Garbage;

struct Device {
    const char *name, *device, *backend, *children;
    /* What a driver does after a reset, and one thing that a driver of
     * another planet does later. */
    void (*prepare)(Garbage *g);
    void (*work)(Garbage *g);
};

/* -- Numbers --------------------------------------------------------------- */

static uint32_t below(Garbage *g, uint32_t n)
{
    return g_rand_int(g->rand) % n;
}

static uint64_t any_address(Garbage *g)
{
    static const uint64_t far[] = {
        0, 0xa0000, 0xf0000, 64u << 20, 0xfee00000, 0x100000000, BARS,
        UINT64_MAX - 4095,
    };
    uint64_t at = below(g, 8) ? ARENA + below(g, ARENA_PAGES) * 4096
                              : far[below(g, G_N_ELEMENTS(far))];

    return below(g, 3) ? at : at + below(g, 4096);
}

static uint64_t any_number(Garbage *g)
{
    switch (below(g, 7)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return 1ull << below(g, 64);
    case 3:
        return below(g, 64);
    case 4:
        return any_address(g);
    default:
        return (uint64_t)g_rand_int(g->rand) << 32 | g_rand_int(g->rand);
    }
}

/* -- What any device has --------------------------------------------------- */

static void map(Garbage *g)
{
    for (unsigned i = 0; i < g->nr_bars; i++) {
        qpci_set_bar(&g->w->dev, g->bars[i], g->bar[g->bars[i]]);
    }
    qpci_enable(&g->w->dev);
}

static void find_bars(Garbage *g)
{
    for (unsigned nr = 0; nr < 6; nr++) {
        uint64_t size = qpci_bar_size(&g->w->dev, nr, &g->type[nr]);

        if (size) {
            g->bars[g->nr_bars++] = nr;
            g->size[nr] = size;
            g->bar[nr] = g->type[nr] & 1 ? PORTS + 0x400 * nr
                                         : BARS + 0x200000 * nr;
            nr += (g->type[nr] & 7) == 4;
        }
    }
    g_assert_cmpuint(g->nr_bars, >, 0);
}

static void bar_put(Garbage *g, unsigned nr, uint32_t at, uint64_t val,
                    unsigned size)
{
    if (g->type[nr] & 1) {
        qtest_out(g->w->main, g->bar[nr] + at, val, size > 4 ? 4 : size);
    } else {
        qtest_write(g->w->main, g->bar[nr] + at, val, size);
    }
}

static void any_bar_access(Garbage *g)
{
    unsigned nr = g->bars[below(g, g->nr_bars)], size = 1 << below(g, 4);
    uint32_t at = below(g, 4) ? below(g, 256) : below(g, g->size[nr]);

    at %= g->size[nr];
    if (below(g, 4)) {
        at &= ~(size - 1);
    }
    if (below(g, 3)) {
        bar_put(g, nr, at, any_number(g), size);
    } else if (g->type[nr] & 1) {
        qtest_in(g->w->main, g->bar[nr] + at, size > 4 ? 4 : size);
    } else {
        qtest_read(g->w->main, g->bar[nr] + at, size);
    }
}

static void any_config_access(Garbage *g)
{
    uint8_t at = below(g, 256);
    unsigned size = 1 << below(g, 3);

    if (below(g, 2)) {
        qpci_write(&g->w->dev, at & ~(size - 1), any_number(g), size);
    } else {
        qpci_read(&g->w->dev, at & ~(size - 1), size);
    }
}

static void any_memory(Garbage *g)
{
    uint64_t words[64];
    unsigned n = 1 + below(g, G_N_ELEMENTS(words));

    for (unsigned i = 0; i < n; i++) {
        words[i] = any_number(g);
    }
    qtest_memwrite(g->w->main, ARENA + below(g, ARENA_PAGES) * 4096 +
                   below(g, 400) * 8, words, n * 8);
}

/* -- nvme ------------------------------------------------------------------ */

#define QUEUE(q) (ARENA + 0x2000 * (q))
#define ENTRIES 32

static void nvme_prepare(Garbage *g)
{
    memset(g->tail, 0, sizeof(g->tail));
    bar_put(g, 0, 0x14, 0, 4);
    bar_put(g, 0, 0x24, (ENTRIES - 1) << 16 | (ENTRIES - 1), 4);
    bar_put(g, 0, 0x28, QUEUE(0), 8);
    bar_put(g, 0, 0x30, QUEUE(0) + 0x1000, 8);
    bar_put(g, 0, 0x14, 0x460001, 4);
}

static void nvme_work(Garbage *g)
{
    static const uint8_t admin[] = { 0, 1, 1, 1, 2, 4, 5, 5, 5, 6, 6, 8, 9, 10,
                                     12, 0x80, 0x18 };
    static const uint8_t io[] = { 0, 1, 1, 2, 2, 2, 4, 5, 8, 9, 12 };
    unsigned q = below(g, 4), id = 1 + below(g, 3);
    uint8_t opcode = !below(g, 8) ? below(g, 256)
                   : q ? io[below(g, sizeof(io))]
                   : admin[below(g, sizeof(admin))];
    uint32_t sqe[16] = {
        opcode | (below(g, 16) ? 0 : below(g, 256) << 8) | below(g, 64) << 16,
        below(g, 8) ? 1 : any_number(g),
    };
    uint64_t prp[2] = { any_address(g), any_address(g) };

    for (int i = 10; i < 16; i++) {
        sqe[i] = below(g, 3) ? below(g, 32) : any_number(g);
    }
    if (q == 0 && (opcode == 1 || opcode == 5) && below(g, 8)) {
        /* A queue that can be. */
        prp[0] = QUEUE(id) + (opcode == 5 ? 0x1000 : 0);
        sqe[10] = (ENTRIES - 1) << 16 | id;
        sqe[11] = opcode == 1 ? id << 16 | 1 : below(g, 2) ? 3 : id << 16 | 3;
    }
    memcpy(&sqe[6], prp, sizeof(prp));
    qtest_memwrite(g->w->main, QUEUE(q) + 64 * g->tail[q], sqe, sizeof(sqe));
    g->tail[q] = (g->tail[q] + 1) % ENTRIES;
    bar_put(g, 0, 0x1000 + 8 * q, g->tail[q], 4);
    bar_put(g, 0, 0x1004 + 8 * q, below(g, ENTRIES), 4);
}

/* -- lsi53c895a, with a disk and a CD -------------------------------------- */

#define SCRIPT (ARENA + 0x8000)
#define AREA (ARENA + 0x9000)

static uint32_t any_instruction(Garbage *g)
{
    uint32_t op = g_rand_int(g->rand);

    return below(g, 4) ? op & 0xff0003ff : op;
}

/* Any command to either target, by a script that would do for a good one. */
static void lsi_command(Garbage *g)
{
    static const uint8_t common[] = {
        0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x35,
        0x42, 0x43, 0x46, 0x4a, 0x51, 0x55, 0x5a, 0x88, 0x8a, 0x93, 0x9e, 0xa0,
        0xa8, 0xbd,
    };
    uint32_t len = below(g, 2) ? below(g, 256) : below(g, 0x8000);
    const uint32_t script[] = {
        0x41000000 | below(g, 3) << 16, SCRIPT + 0x200,
        0x0e000000 | (1 + below(g, 3)), AREA + 0x20,
        0x0a000000 | (6 + below(g, 11)), AREA,
        0x08000000 | below(g, 2) << 24 | len, ARENA + 0x10000,
        0x0b000001, AREA + 0x40, 0x0f000001, AREA + 0x41,
        0x60000040, 0, 0x48000000, 0, 0x98080000, 8,
    };
    uint8_t area[0x24];

    for (unsigned i = 0; i < sizeof(area); i++) {
        area[i] = below(g, 3) ? 0 : below(g, 256);
    }
    area[0] = below(g, 8) ? common[below(g, sizeof(common))] : area[0];
    area[0x20] = 0x80 | below(g, 2) << 6 | (below(g, 8) ? 0 : below(g, 8));
    area[0x21] = 0x20 + below(g, 3);
    qtest_memwrite(g->w->main, AREA, area, sizeof(area));
    qtest_memwrite(g->w->main, SCRIPT, script, sizeof(script));
    bar_put(g, 1, 0x2c, SCRIPT, 4);
}

static void lsi_work(Garbage *g)
{
    uint32_t words[32];

    if (below(g, 2)) {
        lsi_command(g);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i += 2) {
        words[i] = any_instruction(g);
        words[i + 1] = below(g, 2) ? any_address(g) : any_number(g);
    }
    qtest_memwrite(g->w->main, SCRIPT, words, sizeof(words));
    bar_put(g, 1, 0x2c, SCRIPT, 4);
    if (!below(g, 4)) {
        bar_put(g, 1, 0x14, 0x80, 1);           /* abort */
        bar_put(g, 1, 0x14, 0, 1);
    }
}

/* -- edu ------------------------------------------------------------------- */

static void edu_work(Garbage *g)
{
    bar_put(g, 0, 0x80, any_address(g), 8);
    bar_put(g, 0, 0x88, below(g, 2) ? 0x40000 + below(g, 4096) : any_address(g),
            8);
    bar_put(g, 0, 0x90, below(g, 2) ? below(g, 4097) : any_number(g), 8);
    bar_put(g, 0, 0x98, below(g, 8), 8);
}

static const Device devices[] = {
    { .name = "edu", .device = "edu", .work = edu_work },
    {
        .name = "lsi53c895a", .device = "lsi53c895a", .work = lsi_work,
        .backend = "-blockdev driver=null-co,node-name=hd,size=1048576,"
                   "read-zeroes=on -blockdev driver=null-co,node-name=cd,"
                   "size=1048576,read-zeroes=on,read-only=on",
        .children = "-device scsi-hd,drive=hd,scsi-id=0 "
                    "-device scsi-cd,drive=cd,scsi-id=1",
    },
    {
        .name = "nvme", .device = "nvme,drive=hd,serial=garbage",
        .backend = "-blockdev driver=null-co,node-name=hd,size=1048576,"
                   "read-zeroes=on",
        .prepare = nvme_prepare, .work = nvme_work,
    },
    { .name = "pci-testdev", .device = "pci-testdev,membar=64K" },
};

/* -- The test -------------------------------------------------------------- */

static const char *env(const char *name, const char *otherwise)
{
    return g_getenv(name) ?: otherwise;
}

static void step(Garbage *g)
{
    switch (below(g, 16)) {
    case 0:
    case 1:
        any_config_access(g);
        break;
    case 2:
        any_memory(g);
        break;
    case 3:
        qtest_clock_step(g->w->main, below(g, 200000000));
        break;
    case 4:
        map(g);
        break;
    case 5 ... 9:
        if (g->device->work) {
            g->device->work(g);
            break;
        }
        /* fall through */
    default:
        any_bar_access(g);
        break;
    }
}

/* A system reset, after which it must be the device that it was. */
static void start_again(Garbage *g, uint32_t id)
{
    qtest_qmp_ok(g->w->main, "{'execute': 'system_reset'}");
    qtest_until(g->w->main, !(qpci_read(&g->w->dev, 4, 2) & 7));
    g_assert_cmphex(qpci_read(&g->w->dev, 0, 4), ==, id);
    map(g);
    g_assert_cmphex(qpci_read(&g->w->dev, 4, 2) & 7, ==, 7);
    if (g->device->prepare) {
        g->device->prepare(g);
    }
}

static void run_garbage(QWorld *w, const Device *device)
{
    uint32_t seed = strtoul(env("GARBAGE_SEED", "0"), NULL, 0) ?:
                    g_random_int();
    gint64 end = g_get_monotonic_time() +
                 atof(env("GARBAGE_SECONDS", "2")) * G_USEC_PER_SEC;
    Garbage g = { .w = w, .rand = g_rand_new_with_seed(seed),
                  .device = device };
    unsigned long steps = 0;
    int main_fds, remote_fds = 0;
    uint32_t id;

    g_test_message("GARBAGE_SEED=%u", seed);
    id = qpci_read(&w->dev, 0, 4);
    find_bars(&g);
    start_again(&g, id);
    main_fds = qtest_open_fds(w->main);
    remote_fds = w->remote ? qtest_open_fds(w->remote) : 0;
    do {
        for (int i = 0; i < ROUND; i++) {
            step(&g);
        }
        steps += ROUND;
        start_again(&g, id);
    } while (g_get_monotonic_time() < end);
    g_test_message("%lu steps", steps);
    g_assert_cmpint(qtest_open_fds(w->main), ==, main_fds);
    if (w->remote) {
        g_assert_cmpint(qtest_open_fds(w->remote), ==, remote_fds);
    }
    g_rand_free(g.rand);
}

/* One function for each of devices[], as a world's test has no argument. */
static void garbage_edu(QWorld *w)
{
    run_garbage(w, &devices[0]);
}

static void garbage_lsi(QWorld *w)
{
    run_garbage(w, &devices[1]);
}

static void garbage_nvme(QWorld *w)
{
    run_garbage(w, &devices[2]);
}

static void garbage_testdev(QWorld *w)
{
    run_garbage(w, &devices[3]);
}

int main(int argc, char **argv)
{
    static void (*const tests[])(QWorld *w) = {
        garbage_edu, garbage_lsi, garbage_nvme, garbage_testdev,
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(devices); i++) {
        const Device *d = &devices[i];

        if (argc > 1 && strcmp(argv[1], d->name)) {
            continue;
        }
        qworld_add_tests("garbage", d->name, &(QWorldConfig){
            .machine = "q35", .device = d->device, .backend = d->backend,
            .children = d->children }, tests[i]);
    }
    return g_test_run();
}
