/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: I/O commands and the way of their data, PRP entries and lists. */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"
#include <sys/resource.h>

#define DNR NVME_DNR
#define NULL_DISK "driver=null-co,size=16M,if=none,id=disk"

/* Bytes that tell where on the disk they belong. */
static void fill(uint8_t *p, uint64_t len, uint64_t seed)
{
    uint64_t i;

    for (i = 0; i < len; i++) {
        p[i] = (seed + i) * 167 + ((seed + i) >> 8) * 31;
    }
}

static NvmeTest *start_filled(const char *props)
{
    NvmeTest *t = nt_start(NULL, props);
    g_autofree uint8_t *all = g_malloc(NT_DISK);
    int fd = open(t->path, O_WRONLY | O_CLOEXEC);

    fill(all, NT_DISK, 0);
    g_assert_cmpint(pwrite(fd, all, NT_DISK, 0), ==, NT_DISK);
    close(fd);
    return t;
}

static void disk_read(NvmeTest *t, void *buf, uint64_t len, uint64_t offset)
{
    int fd = open(t->path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(pread(fd, buf, len, offset), ==, len);
    close(fd);
}

static void check(const uint8_t *p, uint64_t len, uint64_t offset)
{
    g_autofree uint8_t *expected = g_malloc(len);

    fill(expected, len, offset);
    g_assert_cmpmem(p, len, expected, len);
}

/* -- PRP ------------------------------------------------------------------- */

typedef struct Layout {
    const char *what;
    unsigned mps;
    unsigned offset;            /* in the first page */
    unsigned list_offset;       /* of the first list, in its page */
    unsigned blocks;
    bool adjacent;              /* pages in a row, else every other one */
} Layout;

static const Layout layouts[] = {
    { "one block", 0, 0, 0, 1, false },
    { "end of a page", 0, 3584, 0, 1, false },
    { "one page", 0, 0, 0, 8, false },
    { "one page at an offset", 0, 512, 0, 8, false },
    { "at dword 1", 0, 4, 0, 8, false },
    { "last dword", 0, 4092, 0, 1, false },
    { "two pages", 0, 0, 0, 16, false },
    { "a list of two", 0, 0, 0, 24, false },
    { "a list of two at an offset", 0, 1024, 0, 17, false },
    { "list at an offset", 0, 0, 2048, 64, false },
    { "list of one entry and another list", 0, 0, 4088, 64, false },
    { "list of two entries and another list", 0, 0, 4080, 64, false },
    { "many pages", 0, 0, 0, 1024, false },
    { "many pages at an offset", 0, 2052, 8, 1024, false },
    { "chained lists", 0, 0, 4096 - 100 * 8, 1024, false },
    { "adjacent pages", 0, 0, 0, 1024, true },
    { "adjacent pages at an offset", 0, 3084, 0, 1024, true },
    { "8 KiB pages", 1, 512, 0, 100, false },
    { "64 KiB pages", 4, 4096, 65536 - 16, 1024, false },
};

/* Writes PRP entries for @l; the pages are in @pages. */
static void make_prps(NvmeTest *t, const Layout *l, NvmeCmd *cmd,
                      GArray *pages)
{
    uint64_t page = 4096ULL << l->mps, len = l->blocks * 512ULL;
    uint64_t n = DIV_ROUND_UP(l->offset + len, page), i, addr, list, *entry;

    t->free = ROUND_UP(t->free, page);
    for (i = 0; i < n; i++) {
        addr = nt_alloc(t, page);
        g_array_append_val(pages, addr);
        if (!l->adjacent) {
            nt_alloc(t, page);
        }
    }
#define PAGE(i) g_array_index(pages, uint64_t, i)
    cmd->prp1 = PAGE(0) + l->offset;
    cmd->prp2 = 0xdeadbeef;             /* reserved, unless ... */
    if (n == 2) {
        cmd->prp2 = PAGE(1);
    } else if (n > 2) {
        list = nt_alloc(t, page) + l->list_offset;
        cmd->prp2 = list;
        for (i = 1; i < n; i++) {
            entry = nt_ptr(t, list);
            if ((list & (page - 1)) == page - 8 && i != n - 1) {
                list = nt_alloc(t, page);
                *entry = list;
                entry = nt_ptr(t, list);
            }
            *entry = PAGE(i);
            list += 8;
        }
    }
}

static void gather(NvmeTest *t, const Layout *l, GArray *pages, uint8_t *buf,
                   bool to_pages)
{
    uint64_t page = 4096ULL << l->mps, left = l->blocks * 512ULL;
    uint64_t at = l->offset, i;

    for (i = 0; left; i++) {
        uint64_t n = MIN(left, page - at);
        uint8_t *p = nt_ptr(t, PAGE(i) + at);

        memcpy(to_pages ? p : buf, to_pages ? buf : p, n);
        buf += n;
        left -= n;
        at = 0;
    }
}

static void test_layout(gconstpointer data)
{
    const Layout *l = data;
    NvmeTest *t = nt_new(NULL, "mdts=9");
    g_autoptr(GArray) pages = g_array_new(false, false, sizeof(uint64_t));
    uint64_t len = l->blocks * 512ULL, lba = 3;
    g_autofree uint8_t *buf = g_malloc(len), *disk = g_malloc(len);
    NvmeCmd cmd = { .nsid = 1, .cdw10 = lba, .cdw12 = l->blocks - 1 };

    nt_enable_with(t, 32, l->mps);
    t->free = ROUND_UP(t->free, 64 * KiB);
    t->q[1] = (NvmeTestQueue){ .sq_size = 8, .cq_size = 8,
                               .sq = nt_alloc(t, 64 * KiB),
                               .cq = nt_alloc(t, 64 * KiB) };
    nt_create_at(t, 1, 3);

    make_prps(t, l, &cmd, pages);
    fill(buf, len, lba * 512);
    gather(t, l, pages, buf, true);
    cmd.opcode = NVME_NVM_WRITE;
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    disk_read(t, disk, len, lba * 512);
    g_assert_cmpmem(disk, len, buf, len);

    cmd.opcode = NVME_NVM_COMPARE;
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    memset(disk, 0, len);
    gather(t, l, pages, disk, true);
    g_assert_cmphex(nt_do(t, 1, cmd), ==, NVME_COMPARE_FAILURE | DNR);

    cmd.opcode = NVME_NVM_READ;
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    gather(t, l, pages, disk, false);
    g_assert_cmpmem(disk, len, buf, len);
    /* And not a byte beyond. */
    if (l->offset) {
        g_assert_cmphex(((uint8_t *)nt_ptr(t, cmd.prp1))[-1], ==, 0);
    }
    nt_free(t);
}

static void test_prp_errors(void)
{
    NvmeTest *t = start_filled(NULL);
    uint64_t buf = nt_alloc(t, 64 * 4096), list = nt_alloc(t, 4096);
    uint64_t *e = nt_ptr(t, list);
    struct {
        uint64_t prp1, prp2;
        unsigned blocks;
        uint64_t entry[2];
        uint16_t status;
    } wrong[] = {
        { buf + 1, 0, 1, { 0 }, NVME_INVALID_PRP_OFFSET },
        { buf + 2, 0, 1, { 0 }, NVME_INVALID_PRP_OFFSET },
        { buf, buf + 4096 + 4, 16, { 0 }, NVME_INVALID_PRP_OFFSET },
        { buf, buf + 4096 + 512, 16, { 0 }, NVME_INVALID_PRP_OFFSET },
        { buf, list + 4, 32, { buf, buf }, NVME_INVALID_PRP_OFFSET },
        { buf, list, 24, { buf + 8, buf }, NVME_INVALID_PRP_OFFSET },
        { buf, list, 24, { buf, buf + 2048 }, NVME_INVALID_PRP_OFFSET },
        { buf, list + 4088, 24, { 0 }, NVME_INVALID_PRP_OFFSET },
        { buf, NT_HOLE, 24, { 0 }, NVME_DATA_TRAS_ERROR },
        { NT_HOLE, 0, 1, { 0 }, NVME_DATA_TRAS_ERROR },
        { ~0ULL << 12, 0, 1, { 0 }, NVME_DATA_TRAS_ERROR },
        { buf, ~0ULL << 12, 16, { 0 }, NVME_DATA_TRAS_ERROR },
        { buf, NT_HOLE, 16, { 0 }, NVME_DATA_TRAS_ERROR },
        { buf, list, 24, { buf, NT_HOLE }, NVME_DATA_TRAS_ERROR },
        /* Runs into the end of RAM. */
        { NT_RAM2 + NT_RAM2_SIZE - 4096, NT_RAM2 + NT_RAM2_SIZE, 16, { 0 },
          NVME_DATA_TRAS_ERROR },
    };
    unsigned i;

    e[511] = list + 8;          /* a chain to a list at an offset */
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        e[0] = wrong[i].entry[0];
        e[1] = wrong[i].entry[1];
        g_test_message("%u", i);
        g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, wrong[i].blocks,
                              wrong[i].prp1, wrong[i].prp2),
                        ==, wrong[i].status | DNR);
        g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, wrong[i].blocks,
                              wrong[i].prp1, wrong[i].prp2),
                        ==, wrong[i].status | DNR);
    }
    /* Nothing of that reached the disk. */
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8, buf, 0), ==, 0);
    check(nt_ptr(t, buf), 4096, 0);
    nt_free(t);
}

/* A chain of lists that leads to itself comes to an end. */
static void test_prp_loop(void)
{
    NvmeTest *t = nt_start(NULL_DISK, "mdts=0");
    uint64_t buf = nt_alloc(t, 4096), list = nt_alloc(t, 4096);
    uint64_t *e = nt_ptr(t, list);
    unsigned i;

    for (i = 0; i < 511; i++) {
        e[i] = buf;
    }
    e[511] = list;
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 0x5000, buf, list + 4088),
                    ==, 0);
    nt_free(t);
}

/* Across two blocks of RAM; registers are out of reach. */
static void test_other_memory(void)
{
    NvmeTest *t = start_filled(NULL);
    uint64_t buf = nt_alloc(t, 4096), i;
    uint8_t *ram2 = memory_region_get_ram_ptr(&t->ram2);

    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 16, NT_RAM2 - 4096, NT_RAM2),
                    ==, 0);
    check(t->host + NT_RAM - 4096, 4096, 0);
    check(ram2, 4096, 4096);

    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 8, 8, NT_MMIO + 0x100,
                          NT_MMIO + 0x1000), ==, NVME_DATA_TRAS_ERROR | DNR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 8, 16, buf, NT_MMIO), ==,
                    NVME_DATA_TRAS_ERROR | DNR);
    for (i = 0; i < 0x2000; i++) {
        g_assert_cmphex(t->registers[i], ==, 0);
    }
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 100, 8, NT_MMIO, 0), ==,
                    NVME_DATA_TRAS_ERROR | DNR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 100, 8, buf, 0), ==, 0);
    check(nt_ptr(t, buf), 4096, 100 * 512);
    nt_free(t);
}

/* More pieces than an I/O vector holds. */
static void test_scattered(void)
{
    NvmeTest *t = start_filled("mdts=0");
    uint64_t list = nt_alloc(t, 5 * 4096), pages = nt_alloc(t, 16 * MiB);
    uint64_t *e = nt_ptr(t, list);
    unsigned i, at = 0;

    /* 1023 entries: every third page, so that none touches the next. */
    for (i = 0; i < 1023; i++) {
        if (at % 512 == 511 && i != 1022) {
            e[at] = list + (at + 1) * 8;
            at++;
        }
        e[at++] = pages + (uint64_t)((i * 3 + 3) % 4096) * 4096;
    }
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8192, pages, list), ==, 0);
    check(nt_ptr(t, pages), 4096, 0);
    for (i = 0; i < 1023; i++) {
        check(nt_ptr(t, pages + (uint64_t)((i * 3 + 3) % 4096) * 4096), 4096,
              (i + 1) * 4096);
    }
    nt_free(t);
}

/* The disk as the target of its own data: refused, and nothing breaks. */
static void test_own_registers(void)
{
    NvmeTest *t = start_filled(NULL);
    uint64_t buf = nt_alloc(t, 4096);

    memset(nt_ptr(t, buf), 0, 4096);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 8, buf, 0), ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 1, NT_BAR + NVME_REG_CC, 0), ==,
                    NVME_DATA_TRAS_ERROR | DNR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8, NT_BAR + 0x1000, 0), ==,
                    NVME_DATA_TRAS_ERROR | DNR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 1, NT_BAR, 0), ==,
                    NVME_DATA_TRAS_ERROR | DNR);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_IDENTIFY, .prp1 = NT_BAR, .prp2 = NT_BAR + 4096,
        .cdw10 = 1 }), ==, NVME_DATA_TRAS_ERROR | DNR);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    nt_free(t);
}

static void test_bus_mastering_off(void)
{
    NvmeTest *t = nt_start(NULL, NULL);

    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    nt_submit(t, 1, nt_flush());
    nt_run();
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                    NVME_CSTS_RDY | NVME_CSTS_CFS);
    nt_disable(t);
    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    nt_enable(t);
    nt_free(t);
}

/* Memory that goes while a transfer is under way stays until its end. */
static void test_memory_removed(void)
{
    NvmeTest *t = start_filled(NULL);
    unsigned i;

    for (i = 0; i < 16; i++) {
        nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_READ, .nsid = 1,
                                .prp1 = NT_RAM2 + i * 4096, .cdw12 = 7 });
    }
    nt_ring(t, 1);
    memory_region_del_subregion(&t->mem, &t->ram2);
    memory_region_finalize(&t->ram2);
    for (i = 0; i < 16; i++) {
        NvmeCqe cqe = nt_wait(t, 1);

        g_assert_cmphex(nt_status(&cqe), ==, 0);
    }
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 1, NT_RAM2, 0), ==,
                    NVME_DATA_TRAS_ERROR | DNR);
    memory_region_init_ram(&t->ram2, NULL, "ram2", NT_RAM2_SIZE, &error_abort);
    memory_region_add_subregion(&t->mem, NT_RAM2, &t->ram2);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 1, NT_RAM2, 0), ==, 0);
    nt_free(t);
}

/* -- Commands -------------------------------------------------------------- */

static void test_invalid_fields(void)
{
    static const struct {
        const char *what;
        NvmeCmd cmd;
        uint16_t status;
    } wrong[] = {
        { "opcode", { .opcode = 0x7f, .nsid = 1 }, NVME_INVALID_OPCODE },
        { "write uncorrectable",
          { .opcode = NVME_NVM_WRITE_UNCORRECTABLE, .nsid = 1 },
          NVME_INVALID_OPCODE },
        { "reservation", { .opcode = 0x0d, .nsid = 1 }, NVME_INVALID_OPCODE },
        { "fused", { .opcode = NVME_NVM_COMPARE, .nsid = 1, .flags = 1 },
          NVME_INVALID_FIELD },
        { "SGL", { .opcode = NVME_NVM_READ, .nsid = 1, .flags = 0x80 },
          NVME_INVALID_FIELD },
        { "ns 0", { .opcode = NVME_NVM_READ }, NVME_INVALID_NSID },
        { "ns 2", { .opcode = NVME_NVM_READ, .nsid = 2 }, NVME_INVALID_NSID },
        { "all ns", { .opcode = NVME_NVM_READ, .nsid = 0xffffffff },
          NVME_INVALID_FIELD },
        { "flush ns 0", { .opcode = NVME_NVM_FLUSH }, NVME_INVALID_NSID },
        { "first LBA beyond",
          { .opcode = NVME_NVM_READ, .nsid = 1, .cdw10 = NT_DISK / 512 },
          NVME_LBA_RANGE },
        { "last LBA beyond",
          { .opcode = NVME_NVM_WRITE, .nsid = 1, .cdw10 = NT_DISK / 512 - 1,
            .cdw12 = 1 }, NVME_LBA_RANGE },
        { "LBA far beyond",
          { .opcode = NVME_NVM_COMPARE, .nsid = 1, .cdw11 = 0x80000000 },
          NVME_LBA_RANGE },
        { "LBA that overflows",
          { .opcode = NVME_NVM_READ, .nsid = 1, .cdw10 = 0xffffffff,
            .cdw11 = 0xffffffff, .cdw12 = 1 }, NVME_LBA_RANGE },
        { "LBA whose byte overflows",
          { .opcode = NVME_NVM_WRITE_ZEROES, .nsid = 1,
            .cdw11 = 0x00800000 }, NVME_LBA_RANGE },
        { "zeroes beyond",
          { .opcode = NVME_NVM_WRITE_ZEROES, .nsid = 1, .cdw10 = 0,
            .cdw12 = NT_DISK / 512 }, NVME_LBA_RANGE },
        { "verify beyond",
          { .opcode = NVME_NVM_VERIFY, .nsid = 1, .cdw10 = 1,
            .cdw12 = NT_DISK / 512 - 1 }, NVME_LBA_RANGE },
        { "read larger than MDTS",
          { .opcode = NVME_NVM_READ, .nsid = 1, .cdw12 = 32 },
          NVME_INVALID_FIELD },
        { "write larger than MDTS",
          { .opcode = NVME_NVM_WRITE, .nsid = 1, .cdw12 = 0xffff },
          NVME_INVALID_FIELD },
        { "compare larger than MDTS",
          { .opcode = NVME_NVM_COMPARE, .nsid = 1, .cdw12 = 32 },
          NVME_INVALID_FIELD },
    };
    NvmeTest *t = nt_start(NULL, "mdts=2");
    uint64_t buf = nt_alloc(t, 4 * 4096);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        NvmeCmd cmd = wrong[i].cmd;

        cmd.prp1 = buf;
        g_test_message("%s", wrong[i].what);
        g_assert_cmphex(nt_do(t, 1, cmd), ==, wrong[i].status | DNR);
    }
    g_assert_cmpuint(blk_get_stats(blk_by_name("disk"))->ops[BLK_READ], ==, 0);
    g_assert_cmpuint(blk_get_stats(blk_by_name("disk"))->ops[BLK_WRITE], ==, 0);
    nt_free(t);
}

static void test_whole_disk(gconstpointer data)
{
    unsigned size = GPOINTER_TO_UINT(data);
    g_autofree char *props = g_strdup_printf("logical_block_size=%u", size);
    NvmeTest *t = start_filled(props);
    uint64_t buf = nt_alloc(t, 4096), lba, n = 4096 / size;

    for (lba = 0; lba < NT_DISK / size; lba += n * 13) {
        n = MIN(n, NT_DISK / size - lba);
        g_assert_cmphex(nt_rw(t, NVME_NVM_READ, lba, n, buf, 0), ==, 0);
        check(nt_ptr(t, buf), n * size, lba * size);
    }
    lba = NT_DISK / size - 1;
    fill(nt_ptr(t, buf), size, 99);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, lba, 1, buf, 0), ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, lba, 1, buf, 0), ==, 0);
    check(nt_ptr(t, buf), size, 99);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, lba, 2, buf, 0), ==,
                    NVME_LBA_RANGE | DNR);
    nt_free(t);
}

static void test_fua_and_flush(void)
{
    NvmeTest *t = start_filled(NULL);
    const BlockStats *s = blk_get_stats(blk_by_name("disk"));
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCmd cmd = { .opcode = NVME_NVM_READ, .nsid = 1, .prp1 = buf,
                    .cdw12 = NVME_RW_FUA | 7 };

    /* What it reads is on stable storage first. */
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    g_assert_cmpuint(s->ops[BLK_FLUSH], ==, 1);
    check(nt_ptr(t, buf), 4096, 0);
    cmd.opcode = NVME_NVM_WRITE;
    cmd.cdw10 = 64;
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
    g_assert_cmphex(nt_do(t, 1, (NvmeCmd){ .opcode = NVME_NVM_FLUSH,
                                           .nsid = 0xffffffff }), ==, 0);
    g_assert_cmpuint(s->ops[BLK_FLUSH], ==, 3);
    nt_free(t);
}

static void test_write_zeroes(void)
{
    static const uint32_t flags[] = { 0, NVME_WZ_DEAC, NVME_RW_FUA };
    NvmeTest *t = start_filled(NULL);
    uint8_t disk[4 * 512], zero[2 * 512] = { 0 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(flags); i++) {
        uint64_t lba = 100 + i * 10;

        g_assert_cmphex(nt_do(t, 1, (NvmeCmd){
            .opcode = NVME_NVM_WRITE_ZEROES, .nsid = 1, .cdw10 = lba + 1,
            .cdw12 = flags[i] | 1 }), ==, 0);
        disk_read(t, disk, sizeof(disk), lba * 512);
        check(disk, 512, lba * 512);
        g_assert_cmpmem(disk + 512, 1024, zero, 1024);
        check(disk + 1536, 512, lba * 512 + 1536);
    }
    /* More than MDTS, as nothing is transferred. */
    g_assert_cmphex(nt_do(t, 1, (NvmeCmd){
        .opcode = NVME_NVM_WRITE_ZEROES, .nsid = 1, .cdw12 = 4095 }), ==, 0);
    disk_read(t, disk, 512, 4095 * 512);
    g_assert_cmpmem(disk, 512, zero, 512);
    nt_free(t);
}

static void test_compare(void)
{
    NvmeTest *t = start_filled(NULL);
    uint64_t buf = nt_alloc(t, 2 * 4096);

    fill(nt_ptr(t, buf), 8192, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_COMPARE, 0, 16, buf, buf + 4096), ==, 0);
    ((uint8_t *)nt_ptr(t, buf))[8191] ^= 1;
    g_assert_cmphex(nt_rw(t, NVME_NVM_COMPARE, 0, 16, buf, buf + 4096), ==,
                    NVME_COMPARE_FAILURE | DNR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_COMPARE, 0, 15, buf, buf + 4096), ==, 0);
    nt_free(t);
}

static void test_verify(void)
{
    NvmeTest *t = start_filled(NULL);
    const BlockStats *s = blk_get_stats(blk_by_name("disk"));

    g_assert_cmphex(nt_do(t, 1, (NvmeCmd){
        .opcode = NVME_NVM_VERIFY, .nsid = 1, .cdw12 = NT_DISK / 512 - 1 }),
        ==, 0);
    g_assert_cmpuint(s->bytes[BLK_READ], ==, NT_DISK);
    nt_free(t);
}

static void test_dsm(void)
{
    NvmeTest *t = start_filled(NULL);
    const BlockStats *s = blk_get_stats(blk_by_name("disk"));
    uint64_t buf = nt_alloc(t, 4096);
    NvmeDsmRange *r = nt_ptr(t, buf);
    NvmeCmd cmd = { .opcode = NVME_NVM_DSM, .nsid = 1, .prp1 = buf,
                    .cdw10 = 2, .cdw11 = NVME_DSM_AD };
    uint8_t disk[4096], zero[4096] = { 0 };
    unsigned i;

    r[0] = (NvmeDsmRange){ .slba = 8, .nlb = 8 };
    r[1] = (NvmeDsmRange){ .slba = 77, .nlb = 0 };
    r[2] = (NvmeDsmRange){ .slba = 80, .nlb = 16 };
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    g_assert_cmpuint(s->ops[BLK_DISCARD], ==, 2);
    g_assert_cmpuint(s->bytes[BLK_DISCARD], ==, 24 * 512);
    disk_read(t, disk, 4096, 4096);
    g_assert_cmpmem(disk, 4096, zero, 4096);
    disk_read(t, disk, 4096, 2 * 4096);
    check(disk, 4096, 2 * 4096);

    /* Advice about access deallocates nothing. */
    cmd.cdw11 = 3;
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    g_assert_cmpuint(s->ops[BLK_DISCARD], ==, 2);

    /* If one range is wrong none is deallocated. */
    cmd.cdw11 = NVME_DSM_AD;
    r[2] = (NvmeDsmRange){ .slba = NT_DISK / 512 - 1, .nlb = 2 };
    g_assert_cmphex(nt_do(t, 1, cmd), ==, NVME_LBA_RANGE | DNR);
    r[2] = (NvmeDsmRange){ .slba = ~0ULL, .nlb = 0xffffffff };
    g_assert_cmphex(nt_do(t, 1, cmd), ==, NVME_LBA_RANGE | DNR);
    g_assert_cmpuint(s->ops[BLK_DISCARD], ==, 2);
    cmd.prp1 = NT_HOLE;
    g_assert_cmphex(nt_do(t, 1, cmd), ==, NVME_DATA_TRAS_ERROR | DNR);

    cmd.prp1 = buf;
    cmd.cdw10 = 255;
    for (i = 0; i < 256; i++) {
        r[i] = (NvmeDsmRange){ .slba = i * 8, .nlb = 8 };
    }
    g_assert_cmphex(nt_do(t, 1, cmd), ==, 0);
    g_assert_cmpuint(s->ops[BLK_DISCARD], ==, 258);
    nt_free(t);
}

/* A deletion of the queue ends a long chain of requests early. */
static void test_abort_chain(void)
{
    NvmeTest *t = nt_start("driver=null-co,size=1G,if=none,id=disk,"
                           "discard=unmap", NULL);
    const BlockStats *s = blk_get_stats(blk_by_name("disk"));
    NvmeCqe cqe;
    uint16_t cid;

    cid = nt_submit(t, 1, (NvmeCmd){ .opcode = NVME_NVM_VERIFY, .nsid = 1,
                                     .cdw12 = 0xffff });
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_ABORT, .cdw10 = (uint32_t)cid << 16 | 1 }), ==, 0);
    cqe = nt_wait(t, 1);
    g_assert_cmphex(nt_status(&cqe), ==, NVME_CMD_ABORT_REQ);
    g_assert_cmpuint(s->ops[BLK_READ], ==, 1);
    nt_free(t);
}

static void test_read_only(void)
{
    g_autofree char *path = NULL, *drive = NULL;
    int fd = g_file_open_tmp("nvme-XXXXXX", &path, NULL);
    uint64_t buf;
    NvmeDsmRange *r;
    NvmeIdNs *ns;
    NvmeTest *t;

    g_assert_cmpint(ftruncate(fd, NT_DISK), ==, 0);
    close(fd);
    drive = g_strdup_printf("file=%s,format=raw,if=none,id=disk,readonly=on",
                            path);
    t = nt_start(drive, NULL);
    buf = nt_alloc(t, 4096);
    r = nt_ptr(t, buf);
    r->nlb = 1;
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8, buf, 0), ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 8, buf, 0), ==,
                    NVME_NS_WRITE_PROTECTED | DNR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE_ZEROES, 0, 8, 0, 0), ==,
                    NVME_NS_WRITE_PROTECTED | DNR);
    g_assert_cmphex(nt_do(t, 1, (NvmeCmd){
        .opcode = NVME_NVM_DSM, .nsid = 1, .prp1 = buf,
        .cdw11 = NVME_DSM_AD }), ==, NVME_NS_WRITE_PROTECTED | DNR);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_FORMAT_NVM, .nsid = 1 }), ==,
        NVME_NS_WRITE_PROTECTED | DNR);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_IDENTIFY, .nsid = 1, .prp1 = buf }), ==, 0);
    ns = nt_ptr(t, buf);
    g_assert_cmphex(ns->nsattr, ==, NVME_NSATTR_WRITE_PROTECTED);
    nt_free(t);
    unlink(path);
}

/* The file refuses what is written; the next command has better luck. */
static void test_write_error(void)
{
    struct rlimit old, small = { 1 * MiB, RLIM_INFINITY };
    g_autofree char *path = NULL, *drive = NULL;
    int fd = g_file_open_tmp("nvme-XXXXXX", &path, NULL);
    uint64_t buf;
    NvmeTest *t;

    g_assert_cmpint(ftruncate(fd, NT_DISK), ==, 0);
    close(fd);
    drive = g_strdup_printf("file=%s,format=raw,if=none,id=disk,aio=threads",
                            path);
    t = nt_start(drive, NULL);
    buf = nt_alloc(t, 4096);
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    small.rlim_max = old.rlim_max;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 2 * MiB / 512, 8, buf, 0), ==,
                    NVME_WRITE_FAULT);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 2 * MiB / 512, 8, buf, 0), ==, 0);
    nt_free(t);
    unlink(path);
}

/* Commands beside each other, each with data of its own. */
static void test_many_at_once(void)
{
    NvmeTest *t = start_filled(NULL);
    uint64_t buf = nt_alloc(t, 63 * 4096);
    unsigned round, i;

    for (round = 0; round < 5; round++) {
        memset(nt_ptr(t, buf), 0, 63 * 4096);
        for (i = 0; i < 63; i++) {
            nt_put(t, 1, (NvmeCmd){
                .opcode = NVME_NVM_READ, .nsid = 1, .prp1 = buf + i * 4096,
                .cdw10 = (i * 37 + round) % 1000 * 8, .cdw12 = 7 });
        }
        nt_ring(t, 1);
        for (i = 0; i < 63; i++) {
            NvmeCqe cqe = nt_wait(t, 1);

            g_assert_cmphex(nt_status(&cqe), ==, 0);
        }
        for (i = 0; i < 63; i++) {
            check(nt_ptr(t, buf + i * 4096), 4096,
                  (i * 37 + round) % 1000 * 4096);
        }
    }
    nt_free(t);
}

int main(int argc, char **argv)
{
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    msi_nonbroken = true;
    for (i = 0; i < ARRAY_SIZE(layouts); i++) {
        g_autofree char *path = g_strdup_printf("/nvme/prp/%s",
                                                layouts[i].what);

        g_strdelimit(path, " ", '-');
        g_test_add_data_func(path, &layouts[i], test_layout);
    }
    g_test_add_func("/nvme/prp/errors", test_prp_errors);
    g_test_add_func("/nvme/prp/loop-ends", test_prp_loop);
    g_test_add_func("/nvme/dma/other-memory", test_other_memory);
    g_test_add_func("/nvme/dma/scattered", test_scattered);
    g_test_add_func("/nvme/dma/own-registers", test_own_registers);
    g_test_add_func("/nvme/dma/bus-mastering-off", test_bus_mastering_off);
    g_test_add_func("/nvme/dma/memory-removed", test_memory_removed);
    g_test_add_func("/nvme/io/invalid-fields", test_invalid_fields);
    g_test_add_data_func("/nvme/io/whole-disk-512", GUINT_TO_POINTER(512),
                         test_whole_disk);
    g_test_add_data_func("/nvme/io/whole-disk-4096", GUINT_TO_POINTER(4096),
                         test_whole_disk);
    g_test_add_func("/nvme/io/fua-and-flush", test_fua_and_flush);
    g_test_add_func("/nvme/io/write-zeroes", test_write_zeroes);
    g_test_add_func("/nvme/io/compare", test_compare);
    g_test_add_func("/nvme/io/verify", test_verify);
    g_test_add_func("/nvme/io/deallocate", test_dsm);
    g_test_add_func("/nvme/io/abort-ends-a-chain", test_abort_chain);
    g_test_add_func("/nvme/io/read-only", test_read_only);
    g_test_add_func("/nvme/io/write-error", test_write_error);
    g_test_add_func("/nvme/io/many-at-once", test_many_at_once);
    return g_test_run();
}
