/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: the PCI function, registers, queues, interrupts and resets. */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"
#include "migration/vmstate.h"

#define DB_SQ(q) (NVME_REG_DOORBELLS + 8 * (q))
#define DB_CQ(q) (NVME_REG_DOORBELLS + 8 * (q) + 4)

static NvmeCmd identify(uint64_t prp1)
{
    return (NvmeCmd){ .opcode = NVME_ADM_IDENTIFY, .prp1 = prp1, .cdw10 = 1 };
}

static NvmeCmd flush(void)
{
    return (NvmeCmd){ .opcode = NVME_NVM_FLUSH, .nsid = 1 };
}

/* -- Registers and PCI ------------------------------------------------------ */

static void test_reset_values(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    uint64_t cap = nt_read64(t, NVME_REG_CAP);

    g_assert_cmpuint(cap & 0xffff, ==, 2047);
    g_assert_cmpuint(cap >> 16 & 1, ==, 1);
    g_assert_cmpuint(cap >> 24 & 0xff, >, 0);
    g_assert_cmpuint(cap >> 32 & 0xf, ==, 0);
    g_assert_cmpuint(cap >> 37 & 0xff, ==, 1);
    g_assert_cmpuint(cap >> 48 & 0xf, ==, 0);
    g_assert_cmpuint(cap >> 52 & 0xf, ==, 4);
    g_assert_cmphex(nt_read(t, NVME_REG_VS), ==, 0x10400);
    g_assert_cmphex(nt_read(t, NVME_REG_INTMS), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CC), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_AQA), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CMBLOC), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CMBLOC + 4), ==, 0);
    nt_free(t);
}

static void test_access_sizes(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    uint64_t v64 = 0x1122334455667fffULL;
    uint16_t v16 = 0;
    uint8_t v8 = 0xff;

    g_assert_cmphex(nt_read64(t, NVME_REG_CAP), ==,
                    nt_read(t, 0) | (uint64_t)nt_read(t, 4) << 32);
    address_space_read(&t->as, NT_BAR + NVME_REG_VS + 2,
                       MEMTXATTRS_UNSPECIFIED, &v16, 2);
    g_assert_cmphex(v16, ==, 1);
    address_space_read(&t->as, NT_BAR + NVME_REG_VS + 1,
                       MEMTXATTRS_UNSPECIFIED, &v8, 1);
    g_assert_cmphex(v8, ==, 4);
    address_space_write(&t->as, NT_BAR + NVME_REG_ASQ, MEMTXATTRS_UNSPECIFIED,
                        &v64, 8);
    g_assert_cmphex(nt_read64(t, NVME_REG_ASQ), ==, 0x1122334455667000ULL);
    v8 = 0xff;
    address_space_write(&t->as, NT_BAR + NVME_REG_ASQ + 3,
                        MEMTXATTRS_UNSPECIFIED, &v8, 1);
    g_assert_cmphex(nt_read64(t, NVME_REG_ASQ), ==, 0x1122334455667000ULL);
    nt_free(t);
}

static void test_read_only(void)
{
    static const uint16_t regs[] = {
        NVME_REG_CAP, NVME_REG_CAP + 4, NVME_REG_VS, 0x18, NVME_REG_CSTS,
        NVME_REG_NSSR, NVME_REG_CMBLOC, 0x3c, 0x40, 0xffc,
    };
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(regs); i++) {
        uint32_t v = nt_read(t, regs[i]);

        nt_write(t, regs[i], ~v);
        g_assert_cmphex(nt_read(t, regs[i]), ==, v);
    }
    nt_write(t, NVME_REG_AQA, 0xffffffff);
    g_assert_cmphex(nt_read(t, NVME_REG_AQA), ==, 0x0fff0fff);
    nt_write(t, NVME_REG_CC, 0xfffffffe & ~0xc000);
    g_assert_cmphex(nt_read(t, NVME_REG_CC), ==, 0x00ff3ff0);
    nt_free(t);
}

static void test_pci_identity(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    const uint8_t *c = t->dev->config;

    g_assert_cmphex(pci_get_word(c), ==, 0x1b36);
    g_assert_cmphex(pci_get_word(c + PCI_DEVICE_ID), ==, 0x0010);
    g_assert_cmphex(pci_get_word(c + PCI_CLASS_DEVICE), ==, 0x0108);
    g_assert_cmphex(c[PCI_CLASS_PROG], ==, 2);
    g_assert_cmphex(c[PCI_INTERRUPT_PIN], ==, 1);
    g_assert_cmpuint(pci_find_capability(t->dev, PCI_CAP_ID_PM), !=, 0);
    g_assert_cmpuint(pci_find_capability(t->dev, PCI_CAP_ID_EXP), !=, 0);
    g_assert_true(msix_present(t->dev));
    nt_free(t);
}

/* What a device process is: a bus without messages. */
static void test_no_msix(void)
{
    NvmeTest *t;

    msi_nonbroken = false;
    t = nt_start(NULL, NULL);
    g_assert_false(msix_present(t->dev));
    g_assert_cmphex(nt_do(t, 1, flush()), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_CQ, .prp1 = nt_alloc(t, 4096),
        .cdw10 = 15 << 16 | 2, .cdw11 = 1 << 16 | 3 }),
        ==, NVME_INVALID_IRQ_VECTOR | NVME_DNR);
    msi_nonbroken = true;
    nt_free(t);
}

static void test_d3(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned pm = pci_find_capability(t->dev, PCI_CAP_ID_PM);

    nt_enable(t);
    nt_cfg_write(t, pm + PCI_PM_CTRL, 3, 2);
    g_assert_cmphex(nt_read(t, NVME_REG_VS), ==, 0xffffffff);
    nt_write(t, NVME_REG_CC, 0);
    nt_cfg_write(t, pm + PCI_PM_CTRL, 0, 2);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    nt_free(t);
}

static void test_bad_properties(void)
{
    static const char *const wrong[][2] = {
        { "serial=s", "drive" },
        { "drive=disk", "serial" },
        { "drive=disk,serial=", "serial" },
        { "drive=disk,serial=123456789012345678901", "serial" },
        { "drive=disk,serial=s,max_ioqpairs=0", "max_ioqpairs" },
        { "drive=disk,serial=s,max_ioqpairs=65", "max_ioqpairs" },
        { "drive=disk,serial=s,num_queues=1", "num_queues" },
        { "drive=disk,serial=s,msix_qsize=0", "msix_qsize" },
        { "drive=disk,serial=s,msix_qsize=2049", "msix_qsize" },
        { "drive=disk,serial=s,mdts=17", "mdts" },
        { "drive=disk,serial=s,aerl=16", "aerl" },
        { "drive=disk,serial=s,aer_max_queued=0", "aer_max_queued" },
        { "drive=disk,serial=s,logical_block_size=1024",
          "logical_block_size" },
    };
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned i;

    qdev_unparent(DEVICE(t->dev));
    object_unref(t->dev);
    t->dev = NULL;
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_false(nt_try(t, wrong[i][0], &err));
        g_assert_nonnull(strstr(error_get_pretty(err), wrong[i][1]));
    }
    /* And the drive is free again for a right one. */
    g_assert_true(nt_try(t, "drive=disk,serial=s,num_queues=3,mdts=0",
                         &error_abort));
    nt_free(t);
}

/* -- Enabling ---------------------------------------------------------------- */

static void test_enable_invalid(void)
{
    /* CC, AQA, low bits of ASQ and ACQ that are wrong in one way each */
    static const struct {
        uint32_t cc, aqa, asq, acq;
    } wrong[] = {
        { 1 | 1 << 4, 0x001f001f, 0, 0 },       /* CSS */
        { 1 | 5 << 7, 0x001f001f, 0, 0 },       /* MPS */
        { 1 | 1 << 11, 0x001f001f, 0, 0 },      /* AMS */
        { 1, 0x001f0000, 0, 0 },
        { 1, 0x0000001f, 0, 0 },
        { 1 | 1 << 7, 0x001f001f, 0x1000, 0 },
        { 1 | 1 << 7, 0x001f001f, 0, 0x1000 },
    };
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        nt_write(t, NVME_REG_AQA, wrong[i].aqa);
        nt_write(t, NVME_REG_ASQ, 0x100000 + wrong[i].asq);
        nt_write(t, NVME_REG_ACQ, 0x110000 + wrong[i].acq);
        nt_write(t, NVME_REG_CC, wrong[i].cc);
        g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_CFS);
        nt_write(t, DB_SQ(0), 1);
        nt_disable(t);
    }
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, identify(nt_alloc(t, 4096))), ==, 0);
    nt_free(t);
}

static void test_page_sizes(void)
{
    unsigned mps;

    for (mps = 0; mps <= 4; mps++) {
        NvmeTest *t = nt_new(NULL, NULL);
        uint64_t buf;

        nt_enable_with(t, 8, mps);
        g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
        buf = nt_alloc(t, 64 * KiB);
        g_assert_cmphex(nt_do(t, 0, identify(buf)), ==, 0);
        g_assert_cmpmem(nt_ptr(t, buf + 4), 8, "test0001", 8);
        nt_free(t);
    }
}

static void test_shutdown(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    unsigned shn;

    for (shn = 1; shn <= 2; shn++) {
        nt_write(t, NVME_REG_CC, nt_read(t, NVME_REG_CC) | shn << 14);
        g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                        NVME_CSTS_RDY | NVME_CSTS_SHST_OCCURRING);
        nt_wait_for(nt_read(t, NVME_REG_CSTS)
                    == (NVME_CSTS_RDY | NVME_CSTS_SHST_COMPLETE));
        nt_disable(t);
        nt_enable(t);
    }
    /* Together with the end of EN, and after it. */
    nt_write(t, NVME_REG_CC, 1 << 14);
    nt_wait_for(nt_read(t, NVME_REG_CSTS) == NVME_CSTS_SHST_COMPLETE);
    nt_write(t, NVME_REG_CC, 0);
    nt_enable(t);
    nt_free(t);
}

/* -- Queues -------------------------------------------------------------------- */

static void test_wrap(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned i;

    nt_enable_with(t, 2, 0);
    nt_create_pair(t, 1, 3);
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(nt_do(t, 1, flush()), ==, 0);
    }
    nt_free(t);
}

static void test_sq_head_pointer(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    NvmeCqe cqe;
    unsigned i;

    for (i = 1; i <= 5; i++) {
        nt_put(t, 1, flush());
    }
    nt_ring(t, 1);
    for (i = 1; i <= 5; i++) {
        cqe = nt_wait(t, 1);
        g_assert_cmpuint(cqe.sqhd, ==, 5);
        g_assert_cmpuint(cqe.sqid, ==, 1);
        g_assert_cmphex(cqe.dw1, ==, 0);
    }
    nt_free(t);
}

/* The controller holds completions back, and commands with them. */
static void test_cq_full(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    NvmeTestQueue *q = &t->q[1];
    uint16_t seen[32] = { 0 };
    NvmeCqe *ring;
    unsigned i;

    nt_enable(t);
    q->cq = nt_alloc(t, 4096);
    q->sq = nt_alloc(t, 4096);
    q->cq_size = 4;
    q->sq_size = 32;
    q->phase = true;
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_CQ, .prp1 = q->cq, .cdw10 = 3 << 16 | 1,
        .cdw11 = 3 }), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_SQ, .prp1 = q->sq, .cdw10 = 31 << 16 | 1,
        .cdw11 = 1 << 16 | 1 }), ==, 0);
    t->cid = 0;
    for (i = 0; i < 20; i++) {
        nt_put(t, 1, flush());
    }
    nt_ring(t, 1);
    nt_run();
    ring = nt_ptr(t, q->cq);
    nt_wait_for(ring[2].status & 1);
    nt_run();
    g_assert_cmphex(ring[3].status, ==, 0);
    for (i = 0; i < 20; i++) {
        seen[nt_wait(t, 1).cid]++;
    }
    for (i = 0; i < 20; i++) {
        g_assert_cmpuint(seen[i], ==, 1);
    }
    nt_free(t);
}

/* More commands than the controller has slots for. */
static void test_deep_queues(void)
{
    NvmeTest *t = nt_new("driver=null-co,size=16M,if=none,id=disk", NULL);
    unsigned q, i;

    nt_enable(t);
    for (q = 1; q <= 2; q++) {
        nt_create_pair(t, q, 1024);
        for (i = 0; i < 1000; i++) {
            nt_put(t, q, flush());
        }
    }
    nt_ring(t, 1);
    nt_ring(t, 2);
    for (q = 1; q <= 2; q++) {
        for (i = 0; i < 1000; i++) {
            NvmeCqe cqe = nt_wait(t, q);

            g_assert_cmphex(nt_status(&cqe), ==, 0);
        }
    }
    nt_free(t);
}

/* While one queue has ever more to do, the other one gets its turn. */
static void test_round_robin(void)
{
    NvmeTest *t = nt_start("driver=null-co,size=16M,if=none,id=disk", NULL);
    uint64_t buf = nt_alloc(t, 4096);
    unsigned i, q, done[4] = { 0 };
    NvmeCqe cqe;

    /* Arbitration burst 2^2. */
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_SET_FEATURES, .cdw10 = NVME_FID_ARBITRATION,
        .cdw11 = 2 }), ==, 0);
    nt_create_pair(t, 2, 256);
    nt_create_pair(t, 3, 256);
    for (i = 0; i < 200; i++) {
        /* Commands that complete where they are executed: in order. */
        nt_put(t, 2, (NvmeCmd){ .opcode = 0x7f, .prp1 = buf });
        nt_put(t, 3, (NvmeCmd){ .opcode = 0x7f, .prp1 = buf });
    }
    nt_ring(t, 2);              /* takes 64 */
    nt_ring(t, 3);              /* takes 32 of each */
    for (q = 2; q <= 3; q++) {
        for (i = 0; i < 200; i++) {
            done[q] += ((NvmeCqe *)nt_ptr(t, t->q[q].cq))[i].status & 1;
        }
    }
    g_assert_cmpuint(done[2], ==, 96);
    g_assert_cmpuint(done[3], ==, 32);
    for (q = 2; q <= 3; q++) {
        for (i = 0; i < 200; i++) {
            cqe = nt_wait(t, q);
            g_assert_cmphex(nt_status(&cqe), ==,
                            NVME_INVALID_OPCODE | NVME_DNR);
        }
    }
    nt_free(t);
}

static void expect_event(NvmeTest *t, uint8_t info)
{
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCqe cqe = nt_wait(t, 0);

    g_assert_cmphex(nt_status(&cqe), ==, 0);
    g_assert_cmphex(cqe.dw0, ==, NVME_AER_TYPE_ERROR | info << 8
                                 | NVME_LOG_ERROR_INFO << 16);
    /* Reading the log lets the next one through. */
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_GET_LOG_PAGE, .prp1 = buf,
        .cdw10 = 15 << 16 | NVME_LOG_ERROR_INFO }), ==, 0);
    g_assert_cmphex(ldw_le_p(nt_ptr(t, buf + 8)), ==, 0xffff);
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
}

static void test_bad_doorbells(void)
{
    static const struct {
        uint32_t reg, value;
        uint8_t info;
    } wrong[] = {
        { DB_SQ(2), 1, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { DB_CQ(2), 1, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { DB_SQ(64), 0, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { DB_SQ(65), 0, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { 0x1ff8, 0, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { DB_SQ(1), 64, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { DB_SQ(1), 0xffff, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { DB_CQ(1), 64, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { DB_CQ(1), 1, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { DB_CQ(1), 63, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
    };
    NvmeTest *t = nt_start(NULL, NULL);
    unsigned i;

    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        nt_write(t, wrong[i].reg, wrong[i].value);
        expect_event(t, wrong[i].info);
    }
    /* The same values again are no change and no error. */
    nt_write(t, DB_SQ(1), 0);
    nt_write(t, DB_CQ(1), 0);
    nt_run();
    g_assert_false(nt_poll(t, 0, &(NvmeCqe){ 0 }));
    g_assert_cmphex(nt_do(t, 1, flush()), ==, 0);
    nt_free(t);
}

/* More entries than the queue has room for: the doorbell overtook the head. */
static void test_sq_overrun(void)
{
    NvmeTest *t = nt_start("driver=null-co,size=16M,if=none,id=disk", NULL);
    NvmeTestQueue *q = &t->q[1];
    unsigned i;

    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    /* Stop the queue: its completion queue is full and nobody takes. */
    for (i = 0; i < 63; i++) {
        nt_put(t, 1, flush());
    }
    nt_ring(t, 1);
    nt_wait_for(((NvmeCqe *)nt_ptr(t, q->cq))[62].status & 1);
    nt_put(t, 1, flush());
    nt_put(t, 1, flush());
    nt_ring(t, 1);              /* two wait */
    nt_write(t, DB_SQ(1), 0);   /* 62 more do not fit */
    expect_event(t, NVME_AER_INFO_ERR_INVALID_DB_VALUE);
    for (i = 0; i < 65; i++) {
        nt_wait(t, 1);
    }
    nt_free(t);
}

static void test_delete_with_commands(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 64 * 4096);
    NvmeCqe cqe;
    unsigned i, got = 0;

    for (i = 0; i < 32; i++) {
        nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_READ, .nsid = 1,
                                .prp1 = buf + i * 4096, .cdw10 = i * 8,
                                .cdw12 = 7 });
    }
    nt_ring(t, 1);
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_DELETE_SQ, .cdw10 = 1 });
    /* Not before its commands are complete. */
    g_assert_false(nt_poll(t, 0, &cqe));
    cqe = nt_wait(t, 0);
    g_assert_cmphex(nt_status(&cqe), ==, 0);
    while (nt_poll(t, 1, &cqe)) {
        got++;
    }
    g_assert_cmpuint(got, ==, 32);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){ .opcode = NVME_ADM_DELETE_CQ,
                                           .cdw10 = 1 }), ==, 0);
    nt_create_pair(t, 1, 8);
    g_assert_cmphex(nt_do(t, 1, flush()), ==, 0);
    nt_free(t);
}

/* Nobody takes completions any more; the deletion comes to an end anyway. */
static void test_delete_with_full_cq(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    NvmeTestQueue *q = &t->q[1];
    unsigned i;

    nt_enable(t);
    nt_create_pair(t, 1, 4);
    for (i = 0; i < 3; i++) {
        nt_put(t, 1, flush());
    }
    nt_ring(t, 1);
    nt_wait_for(((NvmeCqe *)nt_ptr(t, q->cq))[2].status & 1);
    for (i = 0; i < 3; i++) {
        nt_put(t, 1, flush());
    }
    nt_ring(t, 1);
    nt_run();
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){ .opcode = NVME_ADM_DELETE_SQ,
                                           .cdw10 = 1 }), ==, 0);
    nt_free(t);
}

static void test_queue_in_hole(void)
{
    NvmeTest *t = nt_new(NULL, NULL);

    nt_enable(t);
    nt_write(t, NVME_REG_CC, 0);
    nt_wait_for(nt_read(t, NVME_REG_CSTS) == 0);
    nt_write(t, NVME_REG_ASQ, NT_HOLE);
    nt_write(t, NVME_REG_CC, NVME_CC_EN | 6 << 16 | 4 << 20);
    nt_write(t, DB_SQ(0), 1);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                    NVME_CSTS_RDY | NVME_CSTS_CFS);
    nt_write(t, DB_SQ(0), 2);
    nt_disable(t);

    /* Completions that go nowhere. */
    nt_enable(t);
    nt_disable(t);
    nt_write(t, NVME_REG_ACQ, NT_HOLE);
    nt_write(t, NVME_REG_CC, NVME_CC_EN | 6 << 16 | 4 << 20);
    t->q[0].tail = 0;
    nt_submit(t, 0, identify(nt_alloc(t, 4096)));
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                    NVME_CSTS_RDY | NVME_CSTS_CFS);
    nt_disable(t);
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, identify(nt_alloc(t, 4096))), ==, 0);
    nt_free(t);
}

/* A queue may lie in two pieces of RAM, or in registers. */
static void test_queue_across_blocks(void)
{
    static const uint64_t at[] = { NT_RAM2 - 2048, NT_MMIO + 0x1000 };
    unsigned i, j;

    for (i = 0; i < ARRAY_SIZE(at); i++) {
        NvmeTest *t = nt_new(NULL, NULL);
        uint64_t base = QEMU_ALIGN_DOWN(at[i], 4096);
        NvmeTestQueue *q = &t->q[1];

        nt_enable(t);
        *q = (NvmeTestQueue){ .sq = base, .cq = base + 0x4000, .sq_size = 128,
                              .cq_size = 128, .phase = true };
        if (i == 0) {
            q->cq = NT_RAM2 - 4096;
            q->sq = nt_alloc(t, 8192);
            q->cq_size = 512;
        }
        g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
            .opcode = NVME_ADM_CREATE_CQ, .prp1 = q->cq,
            .cdw10 = (q->cq_size - 1) << 16 | 1, .cdw11 = 3 }), ==, 0);
        g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
            .opcode = NVME_ADM_CREATE_SQ, .prp1 = q->sq,
            .cdw10 = (q->sq_size - 1) << 16 | 1, .cdw11 = 1 << 16 | 1 }),
            ==, 0);
        for (j = 0; j < 600; j++) {
            g_assert_cmphex(nt_do(t, 1, flush()), ==, 0);
        }
        nt_free(t);
    }
}

/* -- Interrupts ------------------------------------------------------------------ */

static void take(NvmeTest *t, unsigned qid, unsigned n)
{
    while (n--) {
        nt_wait(t, qid);
    }
}

static void test_intx(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    NvmeTestQueue *q = &t->q[1];
    unsigned i;

    g_assert_cmpint(t->irq, ==, 0);
    for (i = 0; i < 3; i++) {
        nt_put(t, 1, flush());
    }
    nt_ring(t, 1);
    nt_wait_for(((NvmeCqe *)nt_ptr(t, q->cq))[2].status & 1);
    nt_run();
    g_assert_cmpint(t->irq, ==, 1);
    /* Both queues drive the line; it stays until the last entry is taken. */
    nt_submit(t, 0, identify(nt_alloc(t, 4096)));
    take(t, 1, 3);
    g_assert_cmpint(t->irq, ==, 1);
    nt_write(t, NVME_REG_INTMS, 1);
    g_assert_cmpint(t->irq, ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_INTMC), ==, 1);
    nt_write(t, NVME_REG_INTMC, 1);
    g_assert_cmpint(t->irq, ==, 1);
    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER
                                 | PCI_COMMAND_INTX_DISABLE, 2);
    g_assert_cmpint(t->irq, ==, 0);
    nt_cfg_write(t, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    g_assert_cmpint(t->irq, ==, 1);
    take(t, 0, 1);
    g_assert_cmpint(t->irq, ==, 0);
    g_assert_cmpuint(t->msi, ==, 0);
    nt_free(t);
}

static void test_ien_off(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    uint64_t cq = nt_alloc(t, 4096), sq = nt_alloc(t, 4096);

    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_CQ, .prp1 = cq, .cdw10 = 7 << 16 | 1,
        .cdw11 = 1 }), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_SQ, .prp1 = sq, .cdw10 = 7 << 16 | 1,
        .cdw11 = 1 << 16 | 1 }), ==, 0);
    t->q[1] = (NvmeTestQueue){ .sq = sq, .cq = cq, .sq_size = 8, .cq_size = 8,
                               .phase = true };
    nt_submit(t, 1, flush());
    nt_wait_for(((NvmeCqe *)nt_ptr(t, cq))[0].status & 1);
    nt_run();
    g_assert_cmpint(t->irq, ==, 0);
    nt_free(t);
}

static void msix_entry(NvmeTest *t, unsigned vector, bool masked)
{
    uint32_t e[4] = { 0xfee00000, 0, 0x40 + vector, masked };

    address_space_write(&t->as, NT_MSIX_BAR + vector * 16,
                        MEMTXATTRS_UNSPECIFIED, e, sizeof(e));
}

static void msix_control(NvmeTest *t, uint16_t flags)
{
    nt_cfg_write(t, pci_find_capability(t->dev, PCI_CAP_ID_MSIX)
                    + PCI_MSIX_FLAGS, flags, 2);
}

static void test_msix(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    NvmeTestQueue *q = &t->q[1];
    unsigned i;

    msix_entry(t, 0, false);
    msix_entry(t, 5, true);
    msix_control(t, PCI_MSIX_FLAGS_ENABLE);
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, identify(nt_alloc(t, 4096))), ==, 0);
    g_assert_cmpuint(t->msi, ==, 1);
    g_assert_cmphex(t->msi_data, ==, 0x40);
    *q = (NvmeTestQueue){ .sq = nt_alloc(t, 4096), .cq = nt_alloc(t, 4096),
                          .sq_size = 16, .cq_size = 16, .phase = true };
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_CQ, .prp1 = q->cq, .cdw10 = 15 << 16 | 1,
        .cdw11 = 5 << 16 | 3 }), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_CREATE_SQ, .prp1 = q->sq, .cdw10 = 15 << 16 | 1,
        .cdw11 = 1 << 16 | 1 }), ==, 0);

    /* Masked: pending; sent once unmasked.  One message for the batch. */
    t->msi = 0;
    for (i = 0; i < 4; i++) {
        nt_put(t, 1, (NvmeCmd){ .opcode = 0x7f });
    }
    nt_ring(t, 1);
    nt_run();
    g_assert_cmpuint(t->msi, ==, 0);
    msix_entry(t, 5, false);
    g_assert_cmpuint(t->msi, ==, 1);
    g_assert_cmphex(t->msi_data, ==, 0x45);
    take(t, 1, 4);
    for (i = 0; i < 4; i++) {
        nt_put(t, 1, (NvmeCmd){ .opcode = 0x7f });
    }
    nt_ring(t, 1);
    nt_run();
    g_assert_cmpuint(t->msi, ==, 2);
    g_assert_cmpint(t->irq, ==, 0);
    take(t, 1, 4);

    /* Without MSI-X the pin serves the same queue. */
    msix_control(t, 0);
    nt_submit(t, 1, (NvmeCmd){ .opcode = 0x7f });
    g_assert_cmpint(t->irq, ==, 1);
    msix_control(t, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmpint(t->irq, ==, 0);
    nt_free(t);
}

/* -- Reset -------------------------------------------------------------------------- */

enum { RESET_CC, RESET_FLR, RESET_DEVICE, RESET_UNPLUG, RESET_KINDS };

static void put_reads(NvmeTest *t, uint64_t buf, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_READ, .nsid = 1,
                                .prp1 = buf + i * 4096, .cdw10 = i * 8,
                                .cdw12 = 7 });
    }
    nt_ring(t, 1);
}

static void do_reset(NvmeTest *t, unsigned kind)
{
    switch (kind) {
    case RESET_CC:
        nt_disable(t);
        break;
    case RESET_FLR:
        nt_cfg_write(t, t->dev->exp_cap + PCI_EXP_DEVCTL,
                     PCI_EXP_DEVCTL_BCR_FLR, 2);
        break;
    case RESET_DEVICE:
        pci_device_reset(t->dev);
        break;
    case RESET_UNPLUG:
        qdev_unparent(DEVICE(t->dev));
        object_unref(t->dev);
        t->dev = NULL;
        break;
    }
}

/* From the moment a reset is complete the memory is the guest's alone. */
static void test_reset_in_flight(gconstpointer data)
{
    unsigned kind = GPOINTER_TO_UINT(data), rounds, i;
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 32 * 4096);

    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 8, buf, 0), ==, 0);
    for (rounds = 0; rounds < 8; rounds++) {
        uint64_t cq = t->q[1].cq;

        put_reads(t, buf, 32);
        for (i = 0; i < rounds; i++) {
            aio_poll(qemu_get_aio_context(), false);
        }
        do_reset(t, kind);
        memset(t->host, 0x5a, NT_RAM);
        nt_run();
        g_assert_cmphex(t->host[0], ==, 0x5a);
        g_assert_cmpint(memcmp(t->host, t->host + 1, NT_RAM - 1), ==, 0);
        g_assert_cmpint(t->irq, ==, 0);
        if (kind == RESET_UNPLUG) {
            break;
        }
        memset(nt_ptr(t, cq), 0, 4096);
        t->free = 0x100000;
        nt_pci_enable(t);
        nt_enable(t);
        nt_create_pair(t, 1, 64);
        buf = nt_alloc(t, 32 * 4096);
        g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8, buf, 0), ==, 0);
    }
    nt_free(t);
}

static void test_reset_clears(void)
{
    NvmeTest *t = nt_start(NULL, NULL);

    nt_write(t, NVME_REG_INTMS, 1);
    nt_disable(t);
    g_assert_cmphex(nt_read(t, NVME_REG_INTMS), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_AQA), ==, 0x001f001f);
    g_assert_cmphex(nt_read64(t, NVME_REG_ACQ), ==, t->q[0].cq);
    nt_enable(t);
    nt_write(t, DB_SQ(1), 1);           /* gone with the reset */
    nt_create_pair(t, 1, 8);
    do_reset(t, RESET_FLR);
    nt_pci_enable(t);
    g_assert_cmphex(nt_read(t, NVME_REG_AQA), ==, 0);
    g_assert_cmphex(nt_read64(t, NVME_REG_ACQ), ==, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CC), ==, 0);
    nt_free(t);
}

/* EN is set again before RDY has gone. */
static void test_enable_while_draining(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 32 * 4096);

    put_reads(t, buf, 32);
    nt_write(t, NVME_REG_CC, 0);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    memset(nt_ptr(t, t->q[0].cq), 0, 512);
    nt_write(t, NVME_REG_CC, NVME_CC_EN | 6 << 16 | 4 << 20);
    nt_write(t, DB_SQ(0), 5);           /* of no queue yet */
    t->q[0].head = t->q[0].tail = 0;
    t->q[0].phase = true;
    nt_run();
    nt_wait_for(nt_read(t, NVME_REG_CSTS) == NVME_CSTS_RDY);
    g_assert_cmphex(nt_do(t, 0, identify(buf)), ==, 0);
    nt_free(t);
}

/* The disk's own data resets it: it writes to its config space. */
static void test_reset_by_dma(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);
    unsigned devctl = t->dev->exp_cap + PCI_EXP_DEVCTL;

    stw_le_p(nt_ptr(t, buf + PCI_COMMAND),
             PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    stw_le_p(nt_ptr(t, buf + devctl), PCI_EXP_DEVCTL_BCR_FLR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 1, buf, 0), ==, 0);
    nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_READ, .nsid = 1,
                            .prp1 = NT_CONFIG });
    put_reads(t, buf, 16);
    nt_wait_for(!(pci_get_word(t->dev->config + PCI_COMMAND)
                  & PCI_COMMAND_MASTER));
    nt_run();
    nt_pci_enable(t);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, 0);
    nt_enable(t);
    nt_create_pair(t, 1, 8);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8, buf, 0), ==, 0);
    nt_free(t);
}

static void test_state_described(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    DeviceClass *dc = DEVICE_GET_CLASS(t->dev);
    g_autoptr(JsonNode) node = vmstate_to_json(dc->vmsd, t->dev);
    JsonObject *state = json_object_get_object_member(
        json_node_get_object(node), "state");
    JsonObject *regs = json_object_get_object_member(state, "regs");
    JsonArray *sq = json_object_get_array_member(state, "sq");

    g_assert_cmphex(json_object_get_int_member(regs, "csts"), ==, 1);
    g_assert_cmpuint(json_object_get_int_member(
        json_array_get_object_element(sq, 1), "size"), ==, 64);
    nt_free(t);
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = { "cc", "flr", "device", "unplug" };
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    msi_nonbroken = true;
    g_test_add_func("/nvme/registers/reset-values", test_reset_values);
    g_test_add_func("/nvme/registers/access-sizes", test_access_sizes);
    g_test_add_func("/nvme/registers/read-only-stay", test_read_only);
    g_test_add_func("/nvme/pci/identity", test_pci_identity);
    g_test_add_func("/nvme/pci/intx-alone-without-messages", test_no_msix);
    g_test_add_func("/nvme/pci/d3-answers-nothing", test_d3);
    g_test_add_func("/nvme/properties/wrong-ones-are-named",
                    test_bad_properties);
    g_test_add_func("/nvme/enable/invalid-is-fatal-until-reset",
                    test_enable_invalid);
    g_test_add_func("/nvme/enable/page-sizes", test_page_sizes);
    g_test_add_func("/nvme/shutdown", test_shutdown);
    g_test_add_func("/nvme/queue/wraps", test_wrap);
    g_test_add_func("/nvme/queue/sq-head-pointer", test_sq_head_pointer);
    g_test_add_func("/nvme/queue/full-cq-holds-back", test_cq_full);
    g_test_add_func("/nvme/queue/more-than-slots", test_deep_queues);
    g_test_add_func("/nvme/queue/round-robin", test_round_robin);
    g_test_add_func("/nvme/queue/bad-doorbells-are-events",
                    test_bad_doorbells);
    g_test_add_func("/nvme/queue/overrun-is-refused", test_sq_overrun);
    g_test_add_func("/nvme/queue/delete-waits-for-commands",
                    test_delete_with_commands);
    g_test_add_func("/nvme/queue/delete-with-full-cq",
                    test_delete_with_full_cq);
    g_test_add_func("/nvme/queue/in-a-hole-is-fatal", test_queue_in_hole);
    g_test_add_func("/nvme/queue/across-blocks", test_queue_across_blocks);
    g_test_add_func("/nvme/irq/intx-level", test_intx);
    g_test_add_func("/nvme/irq/ien-off", test_ien_off);
    g_test_add_func("/nvme/irq/msix", test_msix);
    for (i = 0; i < RESET_KINDS; i++) {
        g_autofree char *path = g_strdup_printf(
            "/nvme/reset/%s-leaves-memory-alone", kinds[i]);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_reset_in_flight);
    }
    g_test_add_func("/nvme/reset/clears", test_reset_clears);
    g_test_add_func("/nvme/reset/enable-while-draining",
                    test_enable_while_draining);
    g_test_add_func("/nvme/reset/by-own-dma", test_reset_by_dma);
    g_test_add_func("/nvme/state/described", test_state_described);
    return g_test_run();
}
