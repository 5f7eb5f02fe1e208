/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: queues, doorbells, arbitration, interrupts. */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"

/* -- Queues ---------------------------------------------------------------- */

static void test_wrap(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned i;

    nt_enable_with(t, 2, 0);
    nt_create_pair(t, 1, 3);
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
    }
    nt_free(t);
}

static void test_sq_head_pointer(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    NvmeCqe cqe;
    unsigned i;

    for (i = 1; i <= 5; i++) {
        nt_put(t, 1, nt_flush());
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
    *q = (NvmeTestQueue){ .sq = nt_alloc(t, 4096), .cq = nt_alloc(t, 4096),
                          .sq_size = 32, .cq_size = 4 };
    nt_create_at(t, 1, 3);
    t->cid = 0;
    for (i = 0; i < 20; i++) {
        nt_put(t, 1, nt_flush());
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
            nt_put(t, q, nt_flush());
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
        { NT_DB_SQ(2), 1, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { NT_DB_CQ(2), 1, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { NT_DB_SQ(64), 0, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { NT_DB_SQ(65), 0, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { 0x1ff8, 0, NVME_AER_INFO_ERR_INVALID_DB_REGISTER },
        { NT_DB_SQ(1), 64, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { NT_DB_SQ(1), 0xffff, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { NT_DB_CQ(1), 64, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { NT_DB_CQ(1), 1, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
        { NT_DB_CQ(1), 63, NVME_AER_INFO_ERR_INVALID_DB_VALUE },
    };
    NvmeTest *t = nt_start(NULL, NULL);
    unsigned i;

    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        nt_write(t, wrong[i].reg, wrong[i].value);
        expect_event(t, wrong[i].info);
    }
    /* The same values again are no change and no error. */
    nt_write(t, NT_DB_SQ(1), 0);
    nt_write(t, NT_DB_CQ(1), 0);
    nt_run();
    g_assert_false(nt_poll(t, 0, &(NvmeCqe){ 0 }));
    g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
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
        nt_put(t, 1, nt_flush());
    }
    nt_ring(t, 1);
    nt_wait_for(((NvmeCqe *)nt_ptr(t, q->cq))[62].status & 1);
    nt_put(t, 1, nt_flush());
    nt_put(t, 1, nt_flush());
    nt_ring(t, 1);              /* two wait */
    nt_write(t, NT_DB_SQ(1), 0);   /* 62 more do not fit */
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
    g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
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
        nt_put(t, 1, nt_flush());
    }
    nt_ring(t, 1);
    nt_wait_for(((NvmeCqe *)nt_ptr(t, q->cq))[2].status & 1);
    for (i = 0; i < 3; i++) {
        nt_put(t, 1, nt_flush());
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
    nt_write(t, NT_DB_SQ(0), 1);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                    NVME_CSTS_RDY | NVME_CSTS_CFS);
    nt_write(t, NT_DB_SQ(0), 2);
    nt_disable(t);

    /* Completions that go nowhere. */
    nt_enable(t);
    nt_disable(t);
    nt_write(t, NVME_REG_ACQ, NT_HOLE);
    nt_write(t, NVME_REG_CC, NVME_CC_EN | 6 << 16 | 4 << 20);
    t->q[0].tail = 0;
    nt_submit(t, 0, nt_identify(nt_alloc(t, 4096)));
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                    NVME_CSTS_RDY | NVME_CSTS_CFS);
    nt_disable(t);
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, nt_identify(nt_alloc(t, 4096))), ==, 0);
    nt_free(t);
}

/* A queue may lie in two pieces of RAM, but not in registers. */
static void test_queue_across_blocks(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    NvmeTestQueue *q = &t->q[1];
    unsigned j;

    nt_enable(t);
    *q = (NvmeTestQueue){ .sq = nt_alloc(t, 8192), .cq = NT_RAM2 - 4096,
                          .sq_size = 128, .cq_size = 512 };
    nt_create_at(t, 1, 3);
    for (j = 0; j < 600; j++) {
        g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
    }
    t->q[2] = (NvmeTestQueue){ .sq = NT_MMIO + 0x1000, .cq = NT_MMIO + 0x4000,
                               .sq_size = 64, .cq_size = 64 };
    nt_create_at(t, 2, 3);
    nt_write(t, NT_DB_SQ(2), 1);
    nt_run();
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==,
                    NVME_CSTS_RDY | NVME_CSTS_CFS);
    nt_free(t);
}

/* -- Interrupts ------------------------------------------------------------ */

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
        nt_put(t, 1, nt_flush());
    }
    nt_ring(t, 1);
    nt_wait_for(((NvmeCqe *)nt_ptr(t, q->cq))[2].status & 1);
    nt_run();
    g_assert_cmpint(t->irq, ==, 1);
    /* Both queues drive the line; it stays until the last entry is taken. */
    nt_submit(t, 0, nt_identify(nt_alloc(t, 4096)));
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
    uint64_t cq = nt_alloc(t, 4096);

    nt_enable(t);
    t->q[1] = (NvmeTestQueue){ .sq = nt_alloc(t, 4096), .cq = cq,
                               .sq_size = 8, .cq_size = 8 };
    nt_create_at(t, 1, 1);
    nt_submit(t, 1, nt_flush());
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
    unsigned i;

    msix_entry(t, 0, false);
    msix_entry(t, 5, true);
    msix_control(t, PCI_MSIX_FLAGS_ENABLE);
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, nt_identify(nt_alloc(t, 4096))), ==, 0);
    g_assert_cmpuint(t->msi, ==, 1);
    g_assert_cmphex(t->msi_data, ==, 0x40);
    t->q[1] = (NvmeTestQueue){ .sq = nt_alloc(t, 4096),
                               .cq = nt_alloc(t, 4096), .sq_size = 16,
                               .cq_size = 16 };
    nt_create_at(t, 1, 5 << 16 | 3);

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    msi_nonbroken = true;
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
    return g_test_run();
}
