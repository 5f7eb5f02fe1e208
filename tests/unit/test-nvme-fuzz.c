/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe under a guest that does anything: random registers, doorbells, config
 * space, commands and data addresses, its own registers among these, resets
 * and changes of memory, from fixed seeds.  Whatever came before, after a
 * reset the disk must work.
 */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"

#define STEPS 4000
#define ARENA 0x80000           /* where queues and data lie */

typedef struct Fuzz {
    NvmeTest *t;
    GRand *rand;
    bool ram2_gone;
} Fuzz;

static uint32_t below(Fuzz *f, uint32_t n)
{
    return g_rand_int(f->rand) % n;
}

static uint32_t one_of(Fuzz *f, const uint32_t *list, unsigned n)
{
    return list[below(f, n)];
}
#define ONE_OF(f, ...) \
    one_of(f, (const uint32_t[]){ __VA_ARGS__ }, \
           ARRAY_SIZE(((const uint32_t[]){ __VA_ARGS__ })))

static uint64_t any_address(Fuzz *f)
{
    static const uint64_t bases[] = {
        ARENA, ARENA, ARENA, ARENA, ARENA, NT_RAM2 - 8192, NT_RAM2,
        NT_RAM2 + NT_RAM2_SIZE - 4096, NT_HOLE, NT_MMIO, NT_CONFIG, NT_BAR,
        NT_BAR + 0x1000, NT_MSIX_BAR, 0xfee00000, ~0ULL << 14,
    };
    uint64_t a = bases[below(f, ARRAY_SIZE(bases))]
        + (uint64_t)below(f, 16) * 4096;

    switch (below(f, 8)) {
    case 0:
        return a + below(f, 4096);
    case 1:
        return a + below(f, 1024) * 4;
    case 2:
        return a + 4096 - 8 * (1 + below(f, 4));
    default:
        return a;
    }
}

static NvmeCmd any_command(Fuzz *f, bool admin)
{
    NvmeCmd c;
    uint8_t *p = (uint8_t *)&c;
    unsigned i;

    for (i = 0; i < sizeof(c); i++) {
        p[i] = below(f, 4) ? 0 : below(f, 256);
    }
    c.prp1 = any_address(f);
    c.prp2 = any_address(f);
    c.cid = below(f, 64);
    c.nsid = ONE_OF(f, 1, 1, 1, 1, 1, 0, 2, 0xffffffff);
    c.flags = below(f, 16) ? 0 : c.flags;
    if (admin) {
        c.opcode = ONE_OF(f, 0, 1, 1, 1, 2, 4, 5, 5, 5, 6, 6, 8, 9, 10, 12,
                          0x80, 0x18, 0x7c, 0x7c, below(f, 256));
        c.cdw10 = ONE_OF(f, c.cdw10, below(f, 16) | below(f, 64) << 16,
                         below(f, 16), below(f, 16) | below(f, 8) << 8);
        c.cdw11 = ONE_OF(f, c.cdw11, below(f, 8) << 16 | below(f, 4),
                         below(f, 8) << 16 | 3, below(f, 8) << 16 | 3);
        if (c.opcode == NVME_ADM_CREATE_CQ || c.opcode == NVME_ADM_CREATE_SQ) {
            c.prp1 &= ~4095ULL;
        }
    } else {
        c.opcode = ONE_OF(f, 0, 1, 2, 2, 2, 2, 4, 5, 8, 9, 12,
                          below(f, 256));
        c.cdw10 = ONE_OF(f, c.cdw10, below(f, 8192), below(f, 64));
        c.cdw11 = ONE_OF(f, c.cdw11, 0, 0, 0, 4);
        c.cdw12 = ONE_OF(f, c.cdw12, below(f, 16), below(f, 256),
                         below(f, 16) | 1u << 30);
    }
    return c;
}

/* PRP lists and DSM ranges are whatever is in memory: make that plausible. */
static void scribble(Fuzz *f)
{
    uint64_t at = ARENA + (uint64_t)below(f, 16) * 4096, i;
    uint64_t *p = nt_ptr(f->t, at);

    for (i = 0; i < 512; i++) {
        p[i] = below(f, 32) ? any_address(f) & ~4095ULL : any_address(f);
    }
}

/* Doorbells in memory, if the page is a buffer of these. */
static void ring(Fuzz *f)
{
    uint32_t *p = nt_ptr(f->t, ARENA + (uint64_t)below(f, 16) * 4096);

    p[below(f, 8)] = below(f, 8) ? below(f, 64) : g_rand_int(f->rand);
}

static void enable(Fuzz *f)
{
    NvmeTest *t = f->t;

    nt_write(t, NVME_REG_CC, 0);
    nt_write(t, NVME_REG_AQA, below(f, 8) ? 0x001f001f : g_rand_int(f->rand));
    nt_write(t, NVME_REG_ASQ, below(f, 8) ? ARENA + below(f, 4) * 4096
                                          : any_address(f));
    nt_write(t, NVME_REG_ACQ, below(f, 8) ? ARENA + (4 + below(f, 4)) * 4096
                                          : any_address(f));
    nt_write(t, NVME_REG_CC, 0x460001 | (below(f, 8) ? 0 : below(f, 6) << 7));
}

static void some_commands(Fuzz *f)
{
    NvmeTest *t = f->t;
    unsigned i, qid = below(f, 4), slot = below(f, 64);
    /* Queue memory of this test's making: any of the first pages. */
    uint64_t page = ARENA + (uint64_t)below(f, 16) * 4096;

    for (i = 0; i < 32; i++) {
        NvmeCmd c = any_command(f, qid == 0);

        memcpy(nt_ptr(t, page + (slot + i) % 64 * sizeof(c)), &c, sizeof(c));
    }
    nt_write(t, NVME_REG_DOORBELLS + 8 * qid, below(f, 32));
}

/* What a driver does first, so that I/O commands have queues to come by. */
static void enable_with_pairs(Fuzz *f)
{
    NvmeTest *t = f->t;
    NvmeCmd *sq = nt_ptr(t, ARENA);
    unsigned i, q;

    nt_write(t, NVME_REG_CC, 0);
    nt_write(t, NVME_REG_AQA, 0x001f001f);
    nt_write(t, NVME_REG_ASQ, ARENA);
    nt_write(t, NVME_REG_ACQ, ARENA + 4096);
    nt_write(t, NVME_REG_CC, 0x460001);
    for (i = 0; i < 6; i++) {
        q = 1 + i / 2;
        sq[i] = (NvmeCmd){
            .opcode = i & 1 ? NVME_ADM_CREATE_SQ : NVME_ADM_CREATE_CQ,
            .cid = i,
            .prp1 = ARENA + (2 + i) * 4096,
            .cdw10 = 63 << 16 | q,
            .cdw11 = i & 1 ? q << 16 | 1 : (below(f, 2) ? q << 16 : 0) | 3,
        };
    }
    sq[6] = (NvmeCmd){
        .opcode = NVME_ADM_DBBUF_CONFIG, .cid = 6,
        .prp1 = ARENA + (8 + below(f, 4)) * 4096,
        .prp2 = ARENA + (12 + below(f, 4)) * 4096,
    };
    nt_write(t, NVME_REG_DOORBELLS, 6 + below(f, 2));
    for (i = 0; i < 4; i++) {
        nt_write(t, NVME_REG_DOORBELLS + 4, 6);
        ring(f);
        some_commands(f);
    }
}

static void config(Fuzz *f)
{
    NvmeTest *t = f->t;
    unsigned msix = pci_find_capability(t->dev, PCI_CAP_ID_MSIX);
    unsigned pm = pci_find_capability(t->dev, PCI_CAP_ID_PM);

    switch (below(f, 12)) {
    case 0:
        nt_cfg_write(t, t->dev->exp_cap + PCI_EXP_DEVCTL,
                     g_rand_int(f->rand), 2);
        break;
    case 1:
        nt_cfg_write(t, PCI_COMMAND, below(f, 0x800), 2);
        break;
    case 2:
    case 3:
        nt_cfg_write(t, msix + PCI_MSIX_FLAGS, below(f, 4) << 14, 2);
        break;
    case 4:
        nt_cfg_write(t, pm + PCI_PM_CTRL, below(f, 4), 2);
        break;
    case 5:
        nt_cfg_write(t, below(f, 256), g_rand_int(f->rand), 1 << below(f, 3));
        break;
    case 6:
        pci_device_reset(t->dev);
        break;
    }
    nt_pci_enable(t);
    nt_cfg_write(t, pm + PCI_PM_CTRL, 0, 2);
}

static void memory(Fuzz *f)
{
    NvmeTest *t = f->t;

    if (f->ram2_gone) {
        memory_region_add_subregion(&t->mem, NT_RAM2, &t->ram2);
    } else {
        memory_region_del_subregion(&t->mem, &t->ram2);
    }
    f->ram2_gone = !f->ram2_gone;
}

static void step(Fuzz *f)
{
    NvmeTest *t = f->t;
    uint64_t v = (uint64_t)g_rand_int(f->rand) << 32 | g_rand_int(f->rand);

    switch (below(f, 40)) {
    case 0:
        enable(f);
        break;
    case 1:
        enable_with_pairs(f);
        break;
    case 2:
        address_space_write(&t->as, NT_BAR + below(f, 0x2000),
                            MEMTXATTRS_UNSPECIFIED, &v, 1 + below(f, 8));
        break;
    case 3:
        address_space_read(&t->as, NT_BAR + below(f, 0x2000),
                           MEMTXATTRS_UNSPECIFIED, &v, 1 + below(f, 8));
        break;
    case 4:
        nt_write(t, below(f, 16) * 4, g_rand_int(f->rand));
        break;
    case 5:
        config(f);
        break;
    case 6:
        memory(f);
        break;
    case 7:
        nt_write(t, NVME_REG_CC, 0x460000 | below(f, 4) << 14 | below(f, 2));
        break;
    case 8:
    case 9:
    case 10:
        scribble(f);
        break;
    case 11:
        v = any_address(f) >> 2;
        address_space_write(&t->as, NT_MSIX_BAR + below(f, 0x800),
                            MEMTXATTRS_UNSPECIFIED, &v, 4);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
        nt_write(t, NVME_REG_DOORBELLS + 4 * below(f, 8), below(f, 64));
        break;
    case 18:
    case 19:
    case 20:
    case 21:
    case 22:
    case 23:
        aio_poll(qemu_get_aio_context(), false);
        break;
    case 24:
    case 25:
    case 26:
    case 27:
        ring(f);
        break;
    default:
        some_commands(f);
    }
}

static void test_seed(gconstpointer data)
{
    unsigned seed = GPOINTER_TO_UINT(data), i;
    Fuzz f = { .rand = g_rand_new_with_seed(seed) };
    uint64_t buf;
    NvmeTest *t;

    f.t = t = nt_new(seed & 1 ? "driver=null-co,size=16M,if=none,id=disk,"
                                "read-zeroes=on,discard=unmap" : NULL,
                     seed & 2 ? "mdts=0,max_ioqpairs=3,dbcs=on"
                              : seed & 4 ? "msix_qsize=5"
                                         : "msix_qsize=5,dbcs=on");
    for (i = 0; i < STEPS; i++) {
        step(&f);
    }
    if (f.ram2_gone) {
        memory(&f);
    }
    pci_device_reset(t->dev);
    nt_pci_enable(t);
    nt_cfg_write(t, pci_find_capability(t->dev, PCI_CAP_ID_MSIX)
                    + PCI_MSIX_FLAGS, 0, 2);
    nt_enable(t);
    nt_create_pair(t, 1, 8);
    buf = nt_alloc(t, 4096);
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(nt_rw(t, NVME_NVM_READ, i, 1, buf, 0), ==, 0);
    }
    g_assert_cmpint(t->irq, ==, 0);
    nt_free(t);
    g_rand_free(f.rand);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    msi_nonbroken = true;
    for (i = 0; i < 12; i++) {
        g_autofree char *path = g_strdup_printf("/nvme/fuzz/%u", i);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_seed);
    }
    return g_test_run();
}
