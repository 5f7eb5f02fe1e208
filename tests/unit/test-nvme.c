/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe: the PCI function, properties, registers and resets. */
#include "qemu/osdep.h"
#include "nvme-driver.h"
#include "hw/pci/msi.h"
#include "migration/vmstate.h"


/* -- Registers and PCI ----------------------------------------------------- */

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
    g_assert_cmphex(nt_do(t, 1, nt_flush()), ==, 0);
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

/* -- Enabling -------------------------------------------------------------- */

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
        nt_write(t, NT_DB_SQ(0), 1);
        nt_disable(t);
    }
    nt_enable(t);
    g_assert_cmphex(nt_do(t, 0, nt_identify(nt_alloc(t, 4096))), ==, 0);
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
        g_assert_cmphex(nt_do(t, 0, nt_identify(buf)), ==, 0);
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

/* -- Reset ----------------------------------------------------------------- */

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
    nt_write(t, NT_DB_SQ(1), 1);           /* gone with the reset */
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
    nt_write(t, NT_DB_SQ(0), 5);           /* of no queue yet */
    t->q[0].head = t->q[0].tail = 0;
    t->q[0].phase = true;
    nt_run();
    nt_wait_for(nt_read(t, NVME_REG_CSTS) == NVME_CSTS_RDY);
    g_assert_cmphex(nt_do(t, 0, nt_identify(buf)), ==, 0);
    nt_free(t);
}

/* The disk's own data would reset it, or take it out of its slot, by a write
 * to config space: that is out of its reach. */
static void test_config_by_dma(void)
{
    NvmeTest *t = nt_start(NULL, NULL);
    uint64_t buf = nt_alloc(t, 4096);
    unsigned devctl = t->dev->exp_cap + PCI_EXP_DEVCTL;

    stw_le_p(nt_ptr(t, buf + devctl), PCI_EXP_DEVCTL_BCR_FLR);
    g_assert_cmphex(nt_rw(t, NVME_NVM_WRITE, 0, 1, buf, 0), ==, 0);
    g_assert_cmphex(nt_rw(t, NVME_NVM_READ, 0, 1, NT_CONFIG, 0), ==,
                    NVME_DATA_TRAS_ERROR | NVME_DNR);
    g_assert_cmphex(nt_read(t, NVME_REG_CSTS), ==, NVME_CSTS_RDY);
    g_assert_cmphex(pci_get_word(t->dev->config + PCI_COMMAND), ==,
                    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
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
    for (i = 0; i < RESET_KINDS; i++) {
        g_autofree char *path = g_strdup_printf(
            "/nvme/reset/%s-leaves-memory-alone", kinds[i]);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_reset_in_flight);
    }
    g_test_add_func("/nvme/reset/clears", test_reset_clears);
    g_test_add_func("/nvme/reset/enable-while-draining",
                    test_enable_while_draining);
    g_test_add_func("/nvme/reset/not-by-own-dma", test_config_by_dma);
    g_test_add_func("/nvme/state/described", test_state_described);
    return g_test_run();
}
