/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: admin commands, features, log pages, asynchronous events. */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"

#define DNR NVME_DNR

static uint16_t get_log(NvmeTest *t, uint8_t lid, bool retain, uint64_t buf,
                        uint32_t len, uint64_t offset)
{
    uint32_t numd = len / 4 - 1;

    return nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_GET_LOG_PAGE, .nsid = 0xffffffff, .prp1 = buf,
        .cdw10 = lid | retain << 15 | numd << 16, .cdw11 = numd >> 16,
        .cdw12 = offset, .cdw13 = offset >> 32 });
}

/* -- Every invalid field has its status ------------------------------------ */

typedef struct BadCommand {
    const char *what;
    NvmeCmd cmd;                /* prp1 of 1: a buffer */
    uint16_t status;
    uint16_t location;          /* in the error log: byte, bit << 8 */
} BadCommand;

#define AT(field, bit) \
    (offsetof(NvmeCmd, field) + (bit) / 8 + ((bit) % 8 << 8))
#define CREATE_CQ(...) { .opcode = NVME_ADM_CREATE_CQ, __VA_ARGS__ }
#define CREATE_SQ(...) { .opcode = NVME_ADM_CREATE_SQ, __VA_ARGS__ }
#define IDENTIFY(...) { .opcode = NVME_ADM_IDENTIFY, .prp1 = 1, __VA_ARGS__ }
#define SET(fid, ...) \
    { .opcode = NVME_ADM_SET_FEATURES, .cdw10 = fid, __VA_ARGS__ }
#define GET(fid, ...) \
    { .opcode = NVME_ADM_GET_FEATURES, .cdw10 = fid, __VA_ARGS__ }
#define LOG(lid, ...) \
    { .opcode = NVME_ADM_GET_LOG_PAGE, .prp1 = 1, .cdw10 = lid, __VA_ARGS__ }
#define FORMAT(...) { .opcode = NVME_ADM_FORMAT_NVM, __VA_ARGS__ }

/* With queues 1 to 3 in use, of max_ioqpairs=8 and msix_qsize=4. */
static const BadCommand bad_commands[] = {
    { "opcode", { .opcode = 0x7f }, NVME_INVALID_OPCODE, AT(opcode, 0) },
    { "vendor opcode", { .opcode = 0xc0 }, NVME_INVALID_OPCODE,
      AT(opcode, 0) },
    { "keep alive", { .opcode = NVME_ADM_KEEP_ALIVE }, NVME_INVALID_OPCODE,
      AT(opcode, 0) },
    { "firmware commit", { .opcode = NVME_ADM_FW_COMMIT },
      NVME_INVALID_OPCODE, AT(opcode, 0) },
    { "firmware download", { .opcode = NVME_ADM_FW_DOWNLOAD },
      NVME_INVALID_OPCODE, AT(opcode, 0) },
    { "fused", { .opcode = NVME_ADM_IDENTIFY, .flags = 1, .prp1 = 1,
                 .cdw10 = 1 }, NVME_INVALID_FIELD, AT(flags, 0) },
    { "SGL", { .opcode = NVME_ADM_IDENTIFY, .flags = 0x40, .prp1 = 1,
               .cdw10 = 1 }, NVME_INVALID_FIELD, AT(flags, 6) },

    { "CQ 0", CREATE_CQ(.prp1 = 1, .cdw10 = 7 << 16, .cdw11 = 1),
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "CQ beyond", CREATE_CQ(.prp1 = 1, .cdw10 = 7 << 16 | 9, .cdw11 = 1),
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "CQ in use", CREATE_CQ(.prp1 = 1, .cdw10 = 7 << 16 | 1, .cdw11 = 1),
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "CQ of one entry", CREATE_CQ(.prp1 = 1, .cdw10 = 4, .cdw11 = 1),
      NVME_INVALID_QUEUE_SIZE, AT(cdw10, 16) },
    { "CQ too large", CREATE_CQ(.prp1 = 1, .cdw10 = 2048 << 16 | 4,
                                .cdw11 = 1),
      NVME_INVALID_QUEUE_SIZE, AT(cdw10, 16) },
    { "CQ not contiguous", CREATE_CQ(.prp1 = 1, .cdw10 = 7 << 16 | 4),
      NVME_INVALID_FIELD, AT(cdw11, 0) },
    { "CQ at an offset", CREATE_CQ(.prp1 = 0x200010, .cdw10 = 7 << 16 | 4,
                                   .cdw11 = 1),
      NVME_INVALID_PRP_OFFSET, AT(prp1, 0) },
    { "CQ's vector", CREATE_CQ(.prp1 = 1, .cdw10 = 7 << 16 | 4,
                               .cdw11 = 4 << 16 | 3),
      NVME_INVALID_IRQ_VECTOR, AT(cdw11, 16) },

    { "SQ 0", CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16, .cdw11 = 1 << 16 | 1),
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "SQ beyond", CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16 | 9,
                             .cdw11 = 1 << 16 | 1),
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "SQ in use", CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16 | 3,
                             .cdw11 = 1 << 16 | 1),
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "SQ of one entry", CREATE_SQ(.prp1 = 1, .cdw10 = 4,
                                   .cdw11 = 1 << 16 | 1),
      NVME_INVALID_QUEUE_SIZE, AT(cdw10, 16) },
    { "SQ too large", CREATE_SQ(.prp1 = 1, .cdw10 = 0xffffu << 16 | 4,
                                .cdw11 = 1 << 16 | 1),
      NVME_INVALID_QUEUE_SIZE, AT(cdw10, 16) },
    { "SQ not contiguous", CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16 | 4,
                                     .cdw11 = 1 << 16),
      NVME_INVALID_FIELD, AT(cdw11, 0) },
    { "SQ at an offset", CREATE_SQ(.prp1 = 0x200fff, .cdw10 = 7 << 16 | 4,
                                   .cdw11 = 1 << 16 | 1),
      NVME_INVALID_PRP_OFFSET, AT(prp1, 0) },
    { "SQ on CQ 0", CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16 | 4, .cdw11 = 1),
      NVME_INVALID_QID, AT(cdw11, 16) },
    { "SQ on CQ beyond", CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16 | 4,
                                   .cdw11 = 9 << 16 | 1),
      NVME_INVALID_QID, AT(cdw11, 16) },
    { "SQ on CQ that is not there",
      CREATE_SQ(.prp1 = 1, .cdw10 = 7 << 16 | 4, .cdw11 = 5 << 16 | 1),
      NVME_INVALID_CQID, AT(cdw11, 16) },

    { "delete SQ 0", { .opcode = NVME_ADM_DELETE_SQ }, NVME_INVALID_QID,
      AT(cdw10, 0) },
    { "delete SQ that is not there",
      { .opcode = NVME_ADM_DELETE_SQ, .cdw10 = 4 }, NVME_INVALID_QID,
      AT(cdw10, 0) },
    { "delete SQ beyond", { .opcode = NVME_ADM_DELETE_SQ, .cdw10 = 0xffff },
      NVME_INVALID_QID, AT(cdw10, 0) },
    { "delete CQ 0", { .opcode = NVME_ADM_DELETE_CQ }, NVME_INVALID_QID,
      AT(cdw10, 0) },
    { "delete CQ that is not there",
      { .opcode = NVME_ADM_DELETE_CQ, .cdw10 = 4 }, NVME_INVALID_QID,
      AT(cdw10, 0) },
    { "delete CQ in use", { .opcode = NVME_ADM_DELETE_CQ, .cdw10 = 2 },
      NVME_INVALID_QUEUE_DEL, AT(cdw10, 0) },

    { "identify ns 0", IDENTIFY(.cdw10 = 0), NVME_INVALID_NSID, AT(nsid, 0) },
    { "identify ns 2", IDENTIFY(.nsid = 2), NVME_INVALID_NSID, AT(nsid, 0) },
    { "identify ns broadcast", IDENTIFY(.nsid = 0xffffffff),
      NVME_INVALID_NSID, AT(nsid, 0) },
    { "list from the end", IDENTIFY(.nsid = 0xfffffffe, .cdw10 = 2),
      NVME_INVALID_NSID, AT(nsid, 0) },
    { "descriptors of ns 2", IDENTIFY(.nsid = 2, .cdw10 = 3),
      NVME_INVALID_NSID, AT(nsid, 0) },
    { "CNS 4", IDENTIFY(.cdw10 = 4), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "CNS 6", IDENTIFY(.cdw10 = 6), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "CNS 10h", IDENTIFY(.cdw10 = 0x10), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "identify to a byte", { .opcode = NVME_ADM_IDENTIFY, .prp1 = 0x200001,
                              .cdw10 = 1 },
      NVME_INVALID_PRP_OFFSET, AT(prp1, 0) },
    { "identify, second page at an offset",
      { .opcode = NVME_ADM_IDENTIFY, .prp1 = 0x200800, .prp2 = 0x201004,
        .cdw10 = 1 }, NVME_INVALID_PRP_OFFSET, AT(prp2, 0) },
    { "identify to a hole", { .opcode = NVME_ADM_IDENTIFY, .prp1 = NT_HOLE,
                              .cdw10 = 1 }, NVME_DATA_TRAS_ERROR, 0xffff },

    { "abort on no queue", { .opcode = NVME_ADM_ABORT, .cdw10 = 4 },
      NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "abort on queue beyond", { .opcode = NVME_ADM_ABORT, .cdw10 = 0xffff },
      NVME_INVALID_FIELD, AT(cdw10, 0) },

    { "get feature 0", GET(0), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "get feature 3", GET(3), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "get feature 0dh", GET(0x0d), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "get feature ffh", GET(0xff), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "get, select 4", GET(1 | 4 << 8), NVME_INVALID_FIELD, AT(cdw10, 8) },
    { "get error recovery, ns 0", GET(5), NVME_INVALID_NSID, AT(nsid, 0) },
    { "get error recovery, all ns", GET(5, .nsid = 0xffffffff),
      NVME_INVALID_NSID, AT(nsid, 0) },
    { "get temperature, sensor 1", GET(4, .cdw11 = 1 << 16),
      NVME_INVALID_FIELD, AT(cdw11, 16) },
    { "get temperature, all", GET(4, .cdw11 = 15 << 16), NVME_INVALID_FIELD,
      AT(cdw11, 16) },
    { "get temperature, THSEL", GET(4, .cdw11 = 2 << 20), NVME_INVALID_FIELD,
      AT(cdw11, 16) },
    { "get vector", GET(9, .cdw11 = 4), NVME_INVALID_FIELD, AT(cdw11, 0) },

    { "set feature 0", SET(0), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "set feature 0fh", SET(0x0f), NVME_INVALID_FIELD, AT(cdw10, 0) },
    { "set and save", SET(1u | 1u << 31), NVME_FID_NOT_SAVEABLE,
      AT(cdw10, 31) },
    { "set for ns 2", SET(1, .nsid = 2), NVME_INVALID_NSID, AT(nsid, 0) },
    { "set for a namespace", SET(1, .nsid = 1), NVME_FEAT_NOT_NS_SPEC,
      AT(nsid, 0) },
    { "set error recovery, ns 0", SET(5), NVME_INVALID_NSID, AT(nsid, 0) },
    { "set DULBE", SET(5, .nsid = 1, .cdw11 = 1 << 16), NVME_INVALID_FIELD,
      AT(cdw11, 16) },
    { "set power state 1", SET(2, .cdw11 = 1), NVME_INVALID_FIELD,
      AT(cdw11, 0) },
    { "set temperature, sensor 1", SET(4, .cdw11 = 1 << 16),
      NVME_INVALID_FIELD, AT(cdw11, 16) },
    { "set temperature, THSEL", SET(4, .cdw11 = 3 << 20), NVME_INVALID_FIELD,
      AT(cdw11, 16) },
    { "set queues, ffffh SQs", SET(7, .cdw11 = 0xffff), NVME_INVALID_FIELD,
      AT(cdw11, 0) },
    { "set queues, ffffh CQs", SET(7, .cdw11 = 0xffff0000),
      NVME_INVALID_FIELD, AT(cdw11, 0) },
    { "set queues too late", SET(7, .cdw11 = 1 << 16 | 1), NVME_CMD_SEQ_ERROR,
      0xffff },
    { "set vector", SET(9, .cdw11 = 4), NVME_INVALID_FIELD, AT(cdw11, 0) },

    { "log 0", LOG(0), NVME_INVALID_LOG_ID, AT(cdw10, 0) },
    { "log 6", LOG(6), NVME_INVALID_LOG_ID, AT(cdw10, 0) },
    { "log c0h", LOG(0xc0), NVME_INVALID_LOG_ID, AT(cdw10, 0) },
    { "SMART of ns 2", LOG(2, .nsid = 2), NVME_INVALID_NSID, AT(nsid, 0) },
    { "log offset 2", LOG(1, .cdw12 = 2), NVME_INVALID_FIELD, AT(cdw12, 0) },
    { "log offset beyond", LOG(2, .cdw12 = 516), NVME_INVALID_FIELD,
      AT(cdw12, 0) },
    { "log offset far beyond", LOG(2, .cdw13 = 1), NVME_INVALID_FIELD,
      AT(cdw12, 0) },
    { "log larger than MDTS", LOG(1, .cdw11 = 0xffff), NVME_INVALID_FIELD,
      AT(cdw10, 16) },

    { "format ns 0", FORMAT(.nsid = 0), NVME_INVALID_NSID, AT(nsid, 0) },
    { "format ns 2", FORMAT(.nsid = 2), NVME_INVALID_NSID, AT(nsid, 0) },
    { "format 2", FORMAT(.nsid = 1, .cdw10 = 2), NVME_INVALID_FORMAT,
      AT(cdw10, 0) },
    { "format with PI", FORMAT(.nsid = 1, .cdw10 = 1 << 5),
      NVME_INVALID_FORMAT, AT(cdw10, 5) },
    { "crypto erase", FORMAT(.nsid = 1, .cdw10 = 2 << 9), NVME_INVALID_FIELD,
      AT(cdw10, 9) },
    { "erase 7", FORMAT(.nsid = 1, .cdw10 = 7 << 9), NVME_INVALID_FIELD,
      AT(cdw10, 9) },
};

static void test_invalid_fields(void)
{
    NvmeTest *t = nt_new(NULL, "max_ioqpairs=8,msix_qsize=4");
    uint64_t buf, log;
    NvmeErrorLog *e;
    unsigned i;

    nt_cfg_write(t, pci_find_capability(t->dev, PCI_CAP_ID_MSIX)
                    + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    nt_enable(t);
    for (i = 1; i <= 3; i++) {
        nt_create_pair(t, i, 8);
    }
    buf = nt_alloc(t, 4096);
    log = nt_alloc(t, 4096);
    for (i = 0; i < ARRAY_SIZE(bad_commands); i++) {
        const BadCommand *bad = &bad_commands[i];
        NvmeCmd cmd = bad->cmd;
        uint16_t status, cid = t->cid;

        if (cmd.prp1 == 1) {
            cmd.prp1 = buf;
        }
        status = nt_do(t, 0, cmd);
        g_test_message("%s: 0x%x", bad->what, status);
        g_assert_cmphex(status, ==, bad->status | DNR);
        /* And an entry in the log that says where. */
        g_assert_cmphex(get_log(t, NVME_LOG_ERROR_INFO, false, log, 64, 0),
                        ==, 0);
        e = nt_ptr(t, log);
        g_assert_cmpuint(e->error_count, ==, i + 1);
        g_assert_cmpuint(e->sqid, ==, 0);
        g_assert_cmpuint(e->cid, ==, cid);
        g_assert_cmphex(e->status >> 1, ==, bad->status | DNR);
        g_assert_cmphex(e->param_error_location, ==, bad->location);
    }
    nt_free(t);
}

static void test_entry_sizes(void)
{
    NvmeTest *t = nt_new(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);

    nt_enable(t);
    nt_write(t, NVME_REG_CC, NVME_CC_EN);       /* IOSQES and IOCQES 0 */
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)CREATE_CQ(
        .prp1 = buf, .cdw10 = 7 << 16 | 1, .cdw11 = 1)),
        ==, NVME_INVALID_QUEUE_SIZE | DNR);
    nt_write(t, NVME_REG_CC, NVME_CC_EN | 4 << 20);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)CREATE_CQ(
        .prp1 = buf, .cdw10 = 7 << 16 | 1, .cdw11 = 1)), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)CREATE_SQ(
        .prp1 = buf, .cdw10 = 7 << 16 | 1, .cdw11 = 1 << 16 | 1)),
        ==, NVME_INVALID_QUEUE_SIZE | DNR);
    nt_free(t);
}

static void test_cid_conflict(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    NvmeCqe cqe;

    t->cid = 7;
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    t->cid = 7;
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)GET(1)), ==, NVME_CID_CONFLICT | DNR);

    /* The same identifier on another queue is another command. */
    t->cid = 7;
    g_assert_cmphex(nt_rw(t, NVME_NVM_FLUSH, 0, 1, 0, 0), ==, 0);
    t->cid = 9;
    nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_FLUSH, .nsid = 1 });
    t->cid = 9;
    nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_FLUSH, .nsid = 1 });
    nt_ring(t, 1);
    cqe = nt_wait(t, 1);
    g_assert_cmphex(nt_status(&cqe), ==, NVME_CID_CONFLICT | DNR);
    cqe = nt_wait(t, 1);
    g_assert_cmphex(nt_status(&cqe), ==, 0);
    nt_free(t);
}

/* -- Identify -------------------------------------------------------------- */

static void *identify(NvmeTest *t, uint32_t nsid, uint32_t cns)
{
    uint64_t buf = nt_alloc(t, 4096);

    memset(nt_ptr(t, buf), 0xee, 4096);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_IDENTIFY, .nsid = nsid, .prp1 = buf,
        .cdw10 = cns }), ==, 0);
    return nt_ptr(t, buf);
}

static void test_identify(void)
{
    NvmeTest *t = nt_start(NULL, "mdts=5,aerl=2");
    NvmeIdCtrl *c = identify(t, 0, NVME_CNS_CTRL);
    NvmeIdNs *ns = identify(t, 1, NVME_CNS_NS);
    uint32_t *list = identify(t, 0, NVME_CNS_ACTIVE_NS_LIST);
    uint8_t *d = identify(t, 1, NVME_CNS_NS_DESC_LIST);
    unsigned i, set = 0;

    g_assert_cmphex(c->vid, ==, 0x1b36);
    g_assert_cmphex(c->ssvid, ==, 0x1af4);
    g_assert_cmpmem(c->sn, 20, "test0001            ", 20);
    g_assert_cmpuint(c->mdts, ==, 5);
    g_assert_cmpuint(c->aerl, ==, 2);
    g_assert_cmphex(c->ver, ==, 0x10400);
    g_assert_cmphex(c->sqes, ==, 0x66);
    g_assert_cmphex(c->cqes, ==, 0x44);
    g_assert_cmpuint(c->nn, ==, 1);
    g_assert_cmpuint(c->sgls, ==, 0);
    g_assert_cmpuint(c->fuses, ==, 0);
    g_assert_cmpstr(c->subnqn, ==, "nqn.2019-08.org.qemu:test0001");

    g_assert_cmpuint(ns->nsze, ==, NT_DISK / 512);
    g_assert_cmpuint(ns->ncap, ==, NT_DISK / 512);
    g_assert_cmpuint(ns->nuse, ==, NT_DISK / 512);
    g_assert_cmpuint(ns->nlbaf, ==, 1);
    g_assert_cmpuint(ns->flbas, ==, 0);
    g_assert_cmpuint(ns->lbaf[0].lbads, ==, 9);
    g_assert_cmpuint(ns->lbaf[1].lbads, ==, 12);
    g_assert_cmpuint(ns->lbaf[2].lbads, ==, 0);
    g_assert_cmphex(ns->fpi, ==, 0x80);
    g_assert_cmpuint(ns->nsattr, ==, 0);

    g_assert_cmpuint(list[0], ==, 1);
    g_assert_cmpuint(list[1], ==, 0);
    list = identify(t, 1, NVME_CNS_ACTIVE_NS_LIST);
    g_assert_cmpuint(list[0], ==, 0);

    g_assert_cmpuint(d[0], ==, NVME_NIDT_UUID);
    g_assert_cmpuint(d[1], ==, 16);
    for (i = 4; i < 20; i++) {
        set += d[i] != 0;
    }
    g_assert_cmpuint(set, >, 0);
    g_assert_cmphex(d[4 + 6] >> 4, ==, 5);
    g_assert_cmphex(d[4 + 8] >> 6, ==, 2);
    g_assert_cmpuint(d[20], ==, 0);
    nt_free(t);
}

static void test_identify_4k(void)
{
    NvmeTest *t = nt_start(NULL, "logical_block_size=4096");
    NvmeIdNs *ns = identify(t, 1, NVME_CNS_NS);

    g_assert_cmpuint(ns->nsze, ==, NT_DISK / 4096);
    g_assert_cmpuint(ns->flbas, ==, 1);
    nt_free(t);
}

/* -- Features -------------------------------------------------------------- */

static uint16_t get(NvmeTest *t, uint8_t fid, unsigned sel, uint32_t cdw11)
{
    return nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_GET_FEATURES, .nsid = fid == 5 ? 1 : 0,
        .cdw10 = fid | sel << 8, .cdw11 = cdw11 });
}

static uint16_t set(NvmeTest *t, uint8_t fid, uint32_t cdw11)
{
    return nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_SET_FEATURES, .nsid = fid == 5 ? 1 : 0,
        .cdw10 = fid, .cdw11 = cdw11 });
}

static void test_features(void)
{
    static const struct {
        uint8_t fid;
        uint32_t defval, set, get, where;       /* where: cdw11 of Get */
    } table[] = {
        { NVME_FID_ARBITRATION, 7, 0x04030205, 0x04030205, 0 },
        { NVME_FID_POWER_MANAGEMENT, 0, 0x20, 0x20, 0 },
        { NVME_FID_TEMPERATURE_THRESHOLD, 343, 400, 400, 0 },
        { NVME_FID_TEMPERATURE_THRESHOLD, 0, 1 << 20 | 9, 9, 1 << 20 },
        { NVME_FID_ERROR_RECOVERY, 0, 0x1234, 0x1234, 0 },
        { NVME_FID_VOLATILE_WRITE_CACHE, 1, 0, 0, 0 },
        { NVME_FID_INTERRUPT_COALESCING, 0, 0x0102, 0x0102, 0 },
        { NVME_FID_INTERRUPT_VECTOR_CONF, 1 << 16, 0, 0, 0 },
        { NVME_FID_INTERRUPT_VECTOR_CONF, 64, 1 << 16 | 64, 1 << 16 | 64, 64 },
        { NVME_FID_WRITE_ATOMICITY, 0, 1, 1, 0 },
        { NVME_FID_ASYNC_EVENT_CONF, 0, 0xffffffff, 0x1ff, 0 },
    };
    NvmeTest *t = nt_new(NULL, NULL);
    unsigned i;

    nt_enable(t);
    for (i = 0; i < ARRAY_SIZE(table); i++) {
        uint8_t fid = table[i].fid;
        uint32_t w = table[i].where;

        g_assert_cmphex(get(t, fid, NVME_SEL_CURRENT, w), ==, 0);
        g_assert_cmphex(t->dw0, ==, table[i].defval);
        g_assert_cmphex(set(t, fid, table[i].set), ==, 0);
        g_assert_cmphex(get(t, fid, NVME_SEL_CURRENT, w), ==, 0);
        g_assert_cmphex(t->dw0, ==, table[i].get);
        g_assert_cmphex(get(t, fid, NVME_SEL_DEFAULT, w), ==, 0);
        g_assert_cmphex(t->dw0, ==, table[i].defval);
        g_assert_cmphex(get(t, fid, NVME_SEL_SAVED, w), ==, 0);
        g_assert_cmphex(t->dw0, ==, table[i].defval);
        g_assert_cmphex(get(t, fid, NVME_SEL_CAPABILITIES, w), ==, 0);
        g_assert_cmphex(t->dw0, ==, NVME_FEAT_CAP_CHANGE
                                    | (fid == 5 ? NVME_FEAT_CAP_NS : 0));
    }
    /* A reset brings the defaults back. */
    nt_disable(t);
    nt_enable(t);
    for (i = 0; i < ARRAY_SIZE(table); i++) {
        g_assert_cmphex(get(t, table[i].fid, 0, table[i].where), ==, 0);
        g_assert_cmphex(t->dw0, ==, table[i].defval);
    }
    nt_free(t);
}

static void test_number_of_queues(void)
{
    NvmeTest *t = nt_new(NULL, "max_ioqpairs=4");

    nt_enable(t);
    g_assert_cmphex(set(t, NVME_FID_NUMBER_OF_QUEUES, 1 << 16 | 1), ==, 0);
    g_assert_cmphex(t->dw0, ==, 3 << 16 | 3);
    g_assert_cmphex(get(t, NVME_FID_NUMBER_OF_QUEUES, 0, 0), ==, 0);
    g_assert_cmphex(t->dw0, ==, 3 << 16 | 3);
    nt_create_pair(t, 4, 8);
    nt_free(t);
}

static void test_write_cache(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    BlockBackend *blk = blk_by_name("disk");

    g_assert_true(blk_enable_write_cache(blk));
    g_assert_cmphex(set(t, NVME_FID_VOLATILE_WRITE_CACHE, 0), ==, 0);
    g_assert_false(blk_enable_write_cache(blk));
    g_assert_cmpuint(blk_get_stats(blk)->ops[BLK_FLUSH], ==, 1);
    nt_disable(t);
    g_assert_true(blk_enable_write_cache(blk));
    nt_free(t);
}

static void test_timestamp(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096), v;

    stq_le_p(nt_ptr(t, buf), 0xffff000001000000ULL);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)SET(NVME_FID_TIMESTAMP,
                                             .prp1 = buf)), ==, 0);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)GET(NVME_FID_TIMESTAMP,
                                             .prp1 = buf)), ==, 0);
    v = ldq_le_p(nt_ptr(t, buf));
    g_assert_cmphex(v >> 48, ==, 2);            /* set by the host */
    v &= 0xffffffffffffULL;
    g_assert_cmpuint(v, >=, 0x1000000);
    g_assert_cmpuint(v, <, 0x1000000 + 60 * 1000);
    nt_disable(t);
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)GET(NVME_FID_TIMESTAMP,
                                             .prp1 = buf)), ==, 0);
    v = ldq_le_p(nt_ptr(t, buf));
    g_assert_cmpuint(v, <, 60 * 1000);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)SET(NVME_FID_TIMESTAMP,
                                             .prp1 = NT_HOLE)),
                    ==, NVME_DATA_TRAS_ERROR | DNR);
    nt_free(t);
}

/* -- Log pages ------------------------------------------------------------- */

static void test_smart(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t data = nt_alloc(t, 8 * 4096), buf = nt_alloc(t, 4096);
    NvmeSmartLog *log = nt_ptr(t, buf);
    unsigned i;

    for (i = 0; i < 126; i++) {         /* 1008 blocks of 512 bytes */
        g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 8, data, 0), ==, 0);
    }
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 1, data, 0), ==, 0);
    nt_do(t, 0, (NvmeCmd){ .opcode = 0x7f });
    g_assert_cmphex(get_log(t, NVME_LOG_SMART_INFO, false, buf, 512, 0), ==, 0);
    g_assert_cmpuint(log->critical_warning, ==, 0);
    g_assert_cmpuint(log->temperature, ==, 323);
    g_assert_cmpuint(log->data_units_read[0], ==, 2);
    g_assert_cmpuint(log->data_units_written[0], ==, 1);
    g_assert_cmpuint(log->host_read_commands[0], ==, 126);
    g_assert_cmpuint(log->host_write_commands[0], ==, 1);
    g_assert_cmpuint(log->error_log_entries[0], ==, 1);
    nt_free(t);
}

static void test_log_parts(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t whole = nt_alloc(t, 4096), part = nt_alloc(t, 4096);
    uint32_t *effects = nt_ptr(t, whole);
    uint8_t *p;

    g_assert_cmphex(get_log(t, NVME_LOG_FW_SLOT_INFO, false, whole, 512, 0),
                    ==, 0);
    p = nt_ptr(t, whole);
    g_assert_cmpuint(p[0], ==, 1);
    g_assert_cmpuint(p[8], !=, 0);
    g_assert_cmphex(get_log(t, NVME_LOG_CMD_EFFECTS, false, whole, 4096, 0),
                    ==, 0);
    g_assert_cmphex(effects[NVME_ADM_IDENTIFY], ==, NVME_EFFECTS_CSUPP);
    g_assert_cmphex(effects[NVME_ADM_KEEP_ALIVE], ==, 0);
    g_assert_cmphex(effects[256 + NVME_NVM_WRITE], ==,
                    NVME_EFFECTS_CSUPP | NVME_EFFECTS_LBCC);
    g_assert_cmphex(get_log(t, NVME_LOG_CMD_EFFECTS, false, part, 64, 1020),
                    ==, 0);
    g_assert_cmpmem(nt_ptr(t, part), 64, nt_ptr(t, whole + 1020), 64);
    /* Past the end nothing is transferred. */
    memset(nt_ptr(t, part), 0xaa, 4096);
    g_assert_cmphex(get_log(t, NVME_LOG_CMD_EFFECTS, false, part, 64, 4064),
                    ==, 0);
    g_assert_cmphex(((uint8_t *)nt_ptr(t, part))[31], ==, 0);
    g_assert_cmphex(((uint8_t *)nt_ptr(t, part))[32], ==, 0xaa);
    g_assert_cmphex(get_log(t, NVME_LOG_CMD_EFFECTS, false, part, 64, 4096),
                    ==, 0);
    nt_free(t);
}

static void test_error_log_wraps(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);
    NvmeErrorLog *log = nt_ptr(t, buf);
    unsigned i;

    for (i = 0; i < 100; i++) {
        nt_do(t, 0, (NvmeCmd){ .opcode = 0x7f });
    }
    g_assert_cmphex(get_log(t, NVME_LOG_ERROR_INFO, false, buf, 4096, 0),
                    ==, 0);
    for (i = 0; i < 64; i++) {
        g_assert_cmpuint(log[i].error_count, ==, 100 - i);
    }
    nt_free(t);
}

/* -- Asynchronous events --------------------------------------------------- */

static void test_aer_limit(void)
{
    NvmeTest *t = nt_start(NULL, "aerl=1");
    NvmeCqe cqe;
    unsigned i;

    for (i = 0; i < 2; i++) {
        nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    }
    nt_run();
    g_assert_false(nt_poll(t, 0, &cqe));
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT }),
                    ==, NVME_AER_LIMIT_EXCEEDED);
    nt_free(t);
}

static void test_aer_abort(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint16_t cid = nt_submit(t, 0,
                             (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    uint16_t abort = nt_submit(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_ABORT, .cdw10 = (uint32_t)cid << 16 });
    NvmeCqe cqe = nt_wait(t, 0);

    g_assert_cmpuint(cqe.cid, ==, cid);
    g_assert_cmphex(nt_status(&cqe), ==, NVME_CMD_ABORT_REQ);
    cqe = nt_wait(t, 0);
    g_assert_cmpuint(cqe.cid, ==, abort);
    g_assert_cmphex(nt_status(&cqe), ==, 0);
    g_assert_cmphex(cqe.dw0, ==, 0);
    /* What is not there, or is the Abort itself, is not aborted. */
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ABORT,
                                           .cdw10 = 0x77770001 }), ==, 0);
    g_assert_cmphex(t->dw0, ==, 1);
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd){
        .opcode = NVME_ADM_ABORT, .cdw10 = (uint32_t)t->cid << 16 }), ==, 0);
    g_assert_cmphex(t->dw0, ==, 1);
    nt_free(t);
}

/* One event of a type at a time, until its log has been read. */
static void test_temperature_events(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCqe cqe;
    unsigned i;

    for (i = 0; i < 3; i++) {
        nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    }
    g_assert_cmphex(set(t, NVME_FID_TEMPERATURE_THRESHOLD, 300), ==, 0);
    nt_run();
    g_assert_false(nt_poll(t, 0, &cqe));        /* not asked for */
    g_assert_cmphex(set(t, NVME_FID_ASYNC_EVENT_CONF,
                        NVME_SMART_TEMPERATURE), ==, 0);

    nt_submit(t, 0, (NvmeCmd)SET(NVME_FID_TEMPERATURE_THRESHOLD,
                                 .cdw11 = 310));
    cqe = nt_wait(t, 0);
    g_assert_cmphex(cqe.dw0, ==, NVME_AER_TYPE_SMART | 1 << 8
                                 | NVME_LOG_SMART_INFO << 16);
    nt_wait(t, 0);
    g_assert_cmphex(set(t, NVME_FID_TEMPERATURE_THRESHOLD, 1 << 20 | 400),
                    ==, 0);
    nt_run();
    g_assert_false(nt_poll(t, 0, &cqe));        /* masked */
    g_assert_cmphex(get_log(t, NVME_LOG_SMART_INFO, true, buf, 512, 0), ==, 0);
    g_assert_cmphex(*(uint8_t *)nt_ptr(t, buf), ==, NVME_SMART_TEMPERATURE);
    g_assert_false(nt_poll(t, 0, &cqe));        /* retained */
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_GET_LOG_PAGE, .prp1 = buf,
                               .cdw10 = NVME_LOG_SMART_INFO });
    cqe = nt_wait(t, 0);
    g_assert_cmphex(cqe.dw0 & 0xff, ==, NVME_AER_TYPE_SMART);
    nt_wait(t, 0);
    nt_free(t);
}

static void test_event_queue_limit(void)
{
    NvmeTest *t = nt_start(NULL, "aer_max_queued=2");
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCqe cqe;
    unsigned i;

    for (i = 0; i < 5; i++) {
        nt_write(t, NVME_REG_DOORBELLS + 8 * 9, 1);
    }
    for (i = 0; i < 2; i++) {
        nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
        cqe = nt_wait(t, 0);
        g_assert_cmphex(cqe.dw0, ==, NVME_LOG_ERROR_INFO << 16);
        g_assert_cmphex(get_log(t, NVME_LOG_ERROR_INFO, false, buf, 64, 0),
                        ==, 0);
    }
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    nt_run();
    g_assert_false(nt_poll(t, 0, &cqe));
    nt_free(t);
}

/* -- Format ---------------------------------------------------------------- */

static void test_format(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);
    uint32_t *list = nt_ptr(t, buf);
    NvmeIdNs *ns;
    NvmeCqe cqe;

    g_assert_cmphex(set(t, NVME_FID_ASYNC_EVENT_CONF, NVME_OAES_NS_ATTR),
                    ==, 0);
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ASYNC_EVENT });
    memset(nt_ptr(t, buf), 0x77, 4096);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 5, 8, buf, 0), ==, 0);

    nt_submit(t, 0, (NvmeCmd)FORMAT(.nsid = 1, .cdw10 = 1 << 9 | 1));
    /* It has begun: I/O waits for its end, the command does not. */
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 1, buf, 0), ==,
                    NVME_FORMAT_IN_PROGRESS);
    cqe = nt_wait(t, 0);
    g_assert_cmphex(nt_status(&cqe), ==, 0);
    g_assert_cmphex(cqe.dw0, ==, 0);
    cqe = nt_wait(t, 0);
    g_assert_cmphex(cqe.dw0, ==, NVME_AER_TYPE_NOTICE
                                 | NVME_LOG_CHANGED_NSLIST << 16);
    g_assert_cmphex(get_log(t, NVME_LOG_CHANGED_NSLIST, true, buf, 4096, 0),
                    ==, 0);
    g_assert_cmpuint(list[0], ==, 1);
    g_assert_cmphex(get_log(t, NVME_LOG_CHANGED_NSLIST, false, buf, 4096, 0),
                    ==, 0);
    g_assert_cmpuint(list[0], ==, 1);
    g_assert_cmphex(get_log(t, NVME_LOG_CHANGED_NSLIST, false, buf, 4096, 0),
                    ==, 0);
    g_assert_cmpuint(list[0], ==, 0);

    ns = identify(t, 1, NVME_CNS_NS);
    g_assert_cmpuint(ns->nsze, ==, NT_DISK / 4096);
    g_assert_cmpuint(ns->flbas, ==, 1);
    memset(nt_ptr(t, buf), 0xff, 4096);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 1, buf, 0), ==, 0);
    g_assert_cmpuint(list[0] | list[1023], ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, NT_DISK / 4096, 1, buf, 0), ==,
                    NVME_LBA_RANGE | DNR);
    /* The format outlives a reset. */
    nt_disable(t);
    nt_enable(t);
    ns = identify(t, 1, NVME_CNS_NS);
    g_assert_cmpuint(ns->flbas, ==, 1);
    nt_free(t);
}

/* It begins when the commands before it are complete. */
static void test_format_waits(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);
    NvmeCqe cqe;
    unsigned i;

    for (i = 0; i < 8; i++) {
        nt_put(t, 1, (NvmeCmd){ .opcode = NVME_NVM_READ, .nsid = 1,
                                .prp1 = buf, .cdw12 = 7 });
    }
    nt_ring(t, 1);
    nt_submit(t, 0, (NvmeCmd)FORMAT(.nsid = 0xffffffff, .cdw10 = 1));
    g_assert_cmphex(nt_do(t, 0, (NvmeCmd)FORMAT(.nsid = 1)), ==,
                    NVME_FORMAT_IN_PROGRESS);
    for (i = 0; i < 8; i++) {
        cqe = nt_wait(t, 1);
        g_assert_cmphex(nt_status(&cqe), ==, 0);
    }
    cqe = nt_wait(t, 0);
    g_assert_cmphex(nt_status(&cqe), ==, 0);
    nt_free(t);
}

static void test_format_reset(void)
{
    NvmeTest *t = nt_start("driver=null-co,size=1G,if=none,id=disk", NULL);
    NvmeIdNs *ns;

    nt_submit(t, 0, (NvmeCmd)FORMAT(.nsid = 1, .cdw10 = 1));
    nt_disable(t);
    nt_enable(t);
    nt_create_pair(t, 1, 8);
    ns = identify(t, 1, NVME_CNS_NS);
    g_assert_cmpuint(ns->flbas, ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_FLUSH, 0, 1, 0, 0), ==, 0);
    nt_free(t);
}

static void test_format_abort(void)
{
    NvmeTest *t = nt_start("driver=null-co,size=1G,if=none,id=disk", NULL);
    uint16_t cid = nt_submit(t, 0, (NvmeCmd)FORMAT(.nsid = 1, .cdw10 = 1));
    NvmeIdNs *ns = identify(t, 1, NVME_CNS_NS);
    NvmeCqe cqe;

    g_assert_cmphex(ns->fpi, >=, 0x80 | 90);
    nt_submit(t, 0, (NvmeCmd){ .opcode = NVME_ADM_ABORT,
                               .cdw10 = (uint32_t)cid << 16 });
    nt_wait(t, 0);
    cqe = nt_wait(t, 0);
    g_assert_cmpuint(cqe.cid, ==, cid);
    g_assert_cmphex(nt_status(&cqe), ==, NVME_CMD_ABORT_REQ);
    nt_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    msi_nonbroken = true;
    g_test_add_func("/nvme/admin/invalid-fields", test_invalid_fields);
    g_test_add_func("/nvme/admin/entry-sizes", test_entry_sizes);
    g_test_add_func("/nvme/admin/cid-conflict", test_cid_conflict);
    g_test_add_func("/nvme/identify/structures", test_identify);
    g_test_add_func("/nvme/identify/4k", test_identify_4k);
    g_test_add_func("/nvme/features/values", test_features);
    g_test_add_func("/nvme/features/number-of-queues", test_number_of_queues);
    g_test_add_func("/nvme/features/write-cache", test_write_cache);
    g_test_add_func("/nvme/features/timestamp", test_timestamp);
    g_test_add_func("/nvme/log/smart", test_smart);
    g_test_add_func("/nvme/log/parts", test_log_parts);
    g_test_add_func("/nvme/log/errors-wrap", test_error_log_wraps);
    g_test_add_func("/nvme/events/limit", test_aer_limit);
    g_test_add_func("/nvme/events/abort", test_aer_abort);
    g_test_add_func("/nvme/events/temperature", test_temperature_events);
    g_test_add_func("/nvme/events/queue-limit", test_event_queue_limit);
    g_test_add_func("/nvme/format/changes-blocks", test_format);
    g_test_add_func("/nvme/format/waits-for-io", test_format_waits);
    g_test_add_func("/nvme/format/ends-with-reset", test_format_reset);
    g_test_add_func("/nvme/format/abort", test_format_abort);
    return g_test_run();
}
