/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NVM Express 1.4 controller with one namespace, as a PCI device.
 *
 * This file: the PCI function, its registers (section 3.1), reset and
 * shutdown (7.3, 7.6).  Data goes by PRP; no SGLs, metadata, protection
 * information, controller memory buffer or namespace management.
 *
 * The same device stands in the main process or in one of its own; where
 * there is no MSI-X (msi_nonbroken), it has its INTx pin.
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"
#include "nvme.h"

#define NVME_PM_CAP 0x60
#define NVME_PCIE_CAP 0x80
#define NVME_MSIX_BAR 4
#define NVME_SERIAL_MAX 20

/* -- Enabling, resetting (3.1.5, 7.3) -------------------------------------- */

void nvme_fatal(NvmeCtrl *n)
{
    qemu_log_mask(LOG_GUEST_ERROR, "nvme: a queue is not in accessible "
                  "memory: the controller stops until it is reset\n");
    n->state.regs.csts |= NVME_CSTS_CFS;
}

static bool admin_queue_valid(const NvmeRegs *r, uint64_t page)
{
    return NVME_CC_CSS(r->cc) == 0 && NVME_CC_AMS(r->cc) == 0
        && NVME_CC_MPS(r->cc) <= NVME_MPSMAX
        && NVME_AQA_ASQS(r->aqa) >= 2 && NVME_AQA_ACQS(r->aqa) >= 2
        && !((r->asq | r->acq) & (page - 1));
}

static void ctrl_enable(NvmeCtrl *n)
{
    NvmeRegs *r = &n->state.regs;

    n->page_size = 4 * KiB << NVME_CC_MPS(r->cc);
    if (!admin_queue_valid(r, n->page_size)) {
        qemu_log_mask(LOG_GUEST_ERROR, "nvme: cannot be enabled: CC 0x%x AQA "
                      "0x%x ASQ 0x%" PRIx64 " ACQ 0x%" PRIx64 "\n", r->cc,
                      r->aqa, r->asq, r->acq);
        r->csts |= NVME_CSTS_CFS;
        return;
    }
    n->state.sq[0] = (NvmeSQState){
        .addr = r->asq,
        .size = NVME_AQA_ASQS(r->aqa),
    };
    n->state.cq[0] = (NvmeCQState){
        .addr = r->acq,
        .size = NVME_AQA_ACQS(r->aqa),
        .ien = true,
        .phase = true,
    };
    n->queue_end = 1;
    if (!NVME_CC_SHN(r->cc)) {
        r->csts &= ~NVME_CSTS_SHST_MASK;
    }
    r->csts |= NVME_CSTS_RDY;
    trace_event("nvme_enabled", "cc 0x%x", r->cc);
}

/* What a reset leaves of the controller; nothing is in flight any more. */
static void ctrl_clear(NvmeCtrl *n)
{
    NvmeState *st = &n->state;

    qemu_bh_cancel(n->bh);
    nvme_queues_reset(n);
    nvme_features_reset(n);
    st->event_nr = 0;
    st->event_masked = 0;
    st->ns_changed = false;
    st->resetting = false;
    st->regs.intms = 0;
    nvme_irq_update(n);
}

static void ctrl_reset_end(NvmeCtrl *n)
{
    NvmeRegs *r = &n->state.regs;

    ctrl_clear(n);
    /* A shutdown that was asked for together with the reset still counts. */
    r->csts = NVME_CC_SHN(r->cc) ? r->csts & NVME_CSTS_SHST_MASK : 0;
    trace_event("nvme_reset", "cc 0x%x", r->cc);
    if (r->cc & NVME_CC_EN) {
        ctrl_enable(n);
    }
}

void nvme_drained(NvmeCtrl *n)
{
    if (n->state.resetting && n->blk_in_flight == 0) {
        ctrl_reset_end(n);
    }
}

/* RDY stays until no I/O can touch the guest's memory any more. */
static void ctrl_disable(NvmeCtrl *n)
{
    n->state.resetting = true;
    nvme_drained(n);
}

static void shutdown_done(BlockRequest *blk, int ret)
{
    NvmeCtrl *n = container_of(blk, NvmeCtrl, shutdown);
    NvmeRegs *r = &n->state.regs;

    n->blk_in_flight--;
    n->shutdown_busy = false;
    if (NVME_CC_SHN(r->cc)) {
        r->csts = (r->csts & ~NVME_CSTS_SHST_MASK) | NVME_CSTS_SHST_COMPLETE;
    }
    nvme_drained(n);
}

static void ctrl_shutdown(NvmeCtrl *n)
{
    NvmeRegs *r = &n->state.regs;

    r->csts = (r->csts & ~NVME_CSTS_SHST_MASK) | NVME_CSTS_SHST_OCCURRING;
    if (!n->shutdown_busy) {
        n->shutdown_busy = true;
        n->shutdown = (BlockRequest){ .op = BLK_FLUSH, .done = shutdown_done };
        n->blk_in_flight++;
        blk_submit(n->blk, &n->shutdown);
    }
}

void nvme_reset(NvmeCtrl *n)
{
    NvmeRegs *r = &n->state.regs;

    if (n->busy) {
        n->reset_pending = true;
        return;
    }
    if ((r->csts & NVME_CSTS_RDY) && !NVME_CC_SHN(r->cc)) {
        n->state.unsafe_shutdowns++;
    }
    /* Whoever resets a function may use its memory at once, so this waits. */
    r->cc = 0;
    n->state.resetting = true;
    blk_drain(n->blk);
    ctrl_clear(n);
    n->parent_obj.config[NVME_PM_CAP + PCI_PM_CTRL] &= ~PCI_PM_CTRL_STATE_MASK;
    pcie_cap_deverr_reset(&n->parent_obj);
    *r = (NvmeRegs){
        .cap = NVME_CAP_MQES(NVME_MAX_QUEUE_ENTRIES - 1) | NVME_CAP_CQR
            | NVME_CAP_TO(15) | NVME_CAP_CSS_NVM | NVME_CAP_MPSMAX(NVME_MPSMAX),
        .vs = NVME_VS_1_4,
    };
}

/* -- Registers (3.1) ------------------------------------------------------- */

static void write_intms(NvmeCtrl *n, uint32_t val)
{
    n->state.regs.intms |= val;
    nvme_irq_update(n);
}

static void write_intmc(NvmeCtrl *n, uint32_t val)
{
    n->state.regs.intms &= ~val;
    nvme_irq_update(n);
}

static void write_cc(NvmeCtrl *n, uint32_t val)
{
    NvmeRegs *r = &n->state.regs;
    uint32_t old = r->cc;

    r->cc = val & NVME_CC_WRITABLE;
    trace_event("nvme_cc", "0x%x -> 0x%x", old, r->cc);
    if (NVME_CC_SHN(r->cc) && !NVME_CC_SHN(old)) {
        ctrl_shutdown(n);
    }
    if (old & ~r->cc & NVME_CC_EN) {
        ctrl_disable(n);
    } else if (r->cc & ~old & NVME_CC_EN && !n->state.resetting) {
        ctrl_enable(n);
    }
}

typedef struct NvmeReg {
    uint16_t addr;
    uint16_t field;             /* in NvmeRegs */
    uint32_t wmask;
    void (*write)(NvmeCtrl *n, uint32_t val);   /* instead of wmask */
} NvmeReg;

#define LOW(f) offsetof(NvmeRegs, f)
#define HIGH(f) offsetof(NvmeRegs, f) + 4

/* All others read as zero. */
static const NvmeReg nvme_regs[] = {
    { NVME_REG_CAP, LOW(cap), 0, NULL },
    { NVME_REG_CAP + 4, HIGH(cap), 0, NULL },
    { NVME_REG_VS, LOW(vs), 0, NULL },
    { NVME_REG_INTMS, LOW(intms), 0, write_intms },
    { NVME_REG_INTMC, LOW(intms), 0, write_intmc },
    { NVME_REG_CC, LOW(cc), 0, write_cc },
    { NVME_REG_CSTS, LOW(csts), 0, NULL },
    { NVME_REG_AQA, LOW(aqa), 0x0fff0fff, NULL },
    { NVME_REG_ASQ, LOW(asq), 0xfffff000, NULL },
    { NVME_REG_ASQ + 4, HIGH(asq), 0xffffffff, NULL },
    { NVME_REG_ACQ, LOW(acq), 0xfffff000, NULL },
    { NVME_REG_ACQ + 4, HIGH(acq), 0xffffffff, NULL },
};

static const NvmeReg *find_reg(hwaddr addr)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(nvme_regs); i++) {
        if (nvme_regs[i].addr == addr) {
            return &nvme_regs[i];
        }
    }
    return NULL;
}

/* The state of registers is little-endian in memory, as the host is. */
static uint32_t *reg_field(NvmeCtrl *n, const NvmeReg *reg)
{
    return (uint32_t *)((uint8_t *)&n->state.regs + reg->field);
}

static uint32_t reg_read(NvmeCtrl *n, hwaddr addr)
{
    const NvmeReg *reg = find_reg(addr);

    return reg ? *reg_field(n, reg) : 0;
}

static void reg_write(NvmeCtrl *n, hwaddr addr, uint32_t val)
{
    const NvmeReg *reg = find_reg(addr);
    uint32_t *field;

    if (reg && reg->write) {
        reg->write(n, val);
    } else if (reg && reg->wmask) {
        field = reg_field(n, reg);
        *field = (*field & ~reg->wmask) | (val & reg->wmask);
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "nvme: write of 0x%x to read-only or "
                      "unknown register 0x%" PRIx64 "\n", val, addr);
    }
}

bool nvme_asleep(const NvmeCtrl *n)
{
    return n->parent_obj.config[NVME_PM_CAP + PCI_PM_CTRL]
        & PCI_PM_CTRL_STATE_MASK;
}

static MemTxResult nvme_mmio_read(void *opaque, hwaddr addr, uint64_t *data,
                                  unsigned size, MemTxAttrs attrs)
{
    NvmeCtrl *n = opaque;
    uint64_t v = 0;

    if (n->busy || nvme_asleep(n)) {
        return MEMTX_ERROR;
    }
    if (addr < NVME_REG_DOORBELLS) {
        v = reg_read(n, addr & ~3ULL) >> (addr & 3) * 8;
        if (size == 8) {
            v |= (uint64_t)reg_read(n, addr + 4) << 32;
        }
    }
    *data = v;
    return MEMTX_OK;
}

static MemTxResult nvme_mmio_write(void *opaque, hwaddr addr, uint64_t data,
                                   unsigned size, MemTxAttrs attrs)
{
    NvmeCtrl *n = opaque;

    if (n->busy || nvme_asleep(n)) {
        return MEMTX_ERROR;
    }
    if (addr >= NVME_REG_DOORBELLS && size == 4) {
        nvme_doorbell(n, addr, data);
    } else if (addr < NVME_REG_DOORBELLS && size >= 4) {
        reg_write(n, addr, data);
        if (size == 8) {
            reg_write(n, addr + 4, data >> 32);
        }
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "nvme: write of %u bytes at 0x%" PRIx64
                      " ignored\n", size, addr);
    }
    return MEMTX_OK;
}

static const MemoryRegionOps nvme_mmio_ops = {
    .read_with_attrs = nvme_mmio_read,
    .write_with_attrs = nvme_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* -- Config space ---------------------------------------------------------- */

static void nvme_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                              int len)
{
    NvmeCtrl *n = NVME(dev);
    /* The byte of Device Control that has Initiate Function Level Reset. */
    uint32_t devctl = dev->exp_cap + PCI_EXP_DEVCTL + 1;

    pci_default_write_config(dev, addr, val, len);
    if (dev->exp_cap && addr <= devctl && addr + len > devctl
        && (val >> (devctl - addr) * 8 & PCI_EXP_DEVCTL_BCR_FLR >> 8)) {
        pci_device_reset(dev);
    } else {
        nvme_irq_update(n);     /* MSI-X may be on or off now */
        nvme_dbbuf_rearm(n);     /* and bus mastering */
    }
}

static bool add_capabilities(NvmeCtrl *n, Error **errp)
{
    PCIDevice *dev = &n->parent_obj;
    Error *err = NULL;
    uint8_t *cap;
    int ret;

    if (pci_add_capability(dev, PCI_CAP_ID_PM, NVME_PM_CAP, PCI_PM_SIZEOF,
                           errp) < 0) {
        return false;
    }
    cap = dev->config + NVME_PM_CAP;
    pci_set_word(cap + PCI_PM_PMC, 3);          /* version 1.2 */
    pci_set_word(cap + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(dev->wmask + NVME_PM_CAP + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK);

    ret = pcie_endpoint_cap_init(dev, NVME_PCIE_CAP);
    if (ret < 0) {
        error_setg(errp, "nvme: no room for the PCI Express capability");
        return false;
    }
    if (dev->exp_cap) {
        cap = dev->config + dev->exp_cap + PCI_EXP_DEVCAP;
        pci_set_long(cap, pci_get_long(cap) | PCI_EXP_DEVCAP_FLR);
    }

    ret = msix_init_exclusive_bar(dev, n->msix_qsize, NVME_MSIX_BAR, &err);
    if (ret < 0 && ret != -ENOTSUP) {
        error_propagate(errp, err);
        return false;
    }
    error_free(err);
    n->msix = ret == 0;
    return true;
}

/* -- Life ------------------------------------------------------------------ */

static bool check_range(Error **errp, const char *name, uint64_t value,
                        uint64_t min, uint64_t max)
{
    if (value < min || value > max) {
        error_setg(errp, "nvme: property '%s' is %" PRIu64 ": it must be from "
                   "%" PRIu64 " to %" PRIu64, name, value, min, max);
        return false;
    }
    return true;
}

static bool check_properties(NvmeCtrl *n, Error **errp)
{
    if (!n->blk) {
        error_setg(errp, "nvme: property 'drive' is missing: it names the "
                   "-drive or -blockdev to use");
        return false;
    }
    if (!n->serial || !*n->serial) {
        error_setg(errp, "nvme: property 'serial' is missing: 1 to %d "
                   "characters that tell this disk from others",
                   NVME_SERIAL_MAX);
        return false;
    }
    if (strlen(n->serial) > NVME_SERIAL_MAX) {
        error_setg(errp, "nvme: property 'serial' is longer than %d "
                   "characters: '%s'", NVME_SERIAL_MAX, n->serial);
        return false;
    }
    if (n->num_queues) {
        if (!check_range(errp, "num_queues", n->num_queues, 2, NVME_QUEUES)) {
            return false;
        }
        n->max_ioqpairs = n->num_queues - 1;
    }
    if (n->logical_block_size != 512 && n->logical_block_size != 4096) {
        error_setg(errp, "nvme: property 'logical_block_size' is %u: it must "
                   "be 512 or 4096", n->logical_block_size);
        return false;
    }
    n->capacity = blk_getlength(n->blk);
    if (!n->capacity || blk_image_bytes(n->blk) % n->logical_block_size) {
        error_setg(errp, "nvme: drive '%s' has %" PRIu64 " bytes, which are "
                   "not whole blocks of %u", blk_name(n->blk),
                   blk_image_bytes(n->blk), n->logical_block_size);
        return false;
    }
    return check_range(errp, "max_ioqpairs", n->max_ioqpairs, 1,
                       NVME_MAX_IOQPAIRS)
        && check_range(errp, "msix_qsize", n->msix_qsize, 1, NVME_MAX_VECTORS)
        && check_range(errp, "mdts", n->mdts, 0, NVME_MDTS_MAX)
        && check_range(errp, "aerl", n->aerl, 0, NVME_AERL_MAX)
        && check_range(errp, "aer_max_queued", n->aer_max_queued, 1,
                       NVME_AER_QUEUE_MAX);
}

static void nvme_exit(PCIDevice *dev)
{
    NvmeCtrl *n = NVME(dev);

    n->state.regs.cc = 0;
    n->state.resetting = true;
    blk_drain(n->blk);
    nvme_queues_reset(n);
    blk_set_write_cache(n->blk, n->write_cache);
    blk_set_context(n->blk, NULL, NULL);
    g_clear_pointer(&n->bh, qemu_bh_delete);
    msix_uninit(dev);
    memory_region_finalize(&n->iomem);
    g_clear_pointer(&n->requests, g_free);
    g_clear_pointer(&n->iovs, g_free);
    g_clear_pointer(&n->prp_list, g_free);
    g_clear_pointer(&n->sg, g_free);
}

static bool nvme_realize(PCIDevice *dev, Error **errp)
{
    NvmeCtrl *n = NVME(dev);
    AioContext *ctx = qdev_get_context(DEVICE(n));
    uint64_t bar_size;

    if (!check_properties(n, errp) || !blk_set_context(n->blk, ctx, errp)) {
        return false;
    }
    pci_config_set_prog_interface(dev->config, 0x02);
    pci_config_set_interrupt_pin(dev->config, 1);
    if (!add_capabilities(n, errp)) {
        blk_set_context(n->blk, NULL, NULL);
        return false;
    }
    bar_size = pow2ceil(NVME_REG_DOORBELLS + 8 * (n->max_ioqpairs + 1));
    memory_region_init_io(&n->iomem, OBJECT(n), &nvme_mmio_ops, n, "nvme",
                          bar_size);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY
                             | PCI_BASE_ADDRESS_MEM_TYPE_64, &n->iomem);

    n->max_transfer = n->mdts ? 4 * KiB << n->mdts : UINT64_MAX;
    n->iov_max = n->mdts && n->mdts < 10 ? (1u << n->mdts) + 1 : IOV_MAX;
    n->write_cache = blk_enable_write_cache(n->blk);
    n->power_on_ms = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
    n->state = (NvmeState){ .lbaf = n->logical_block_size == 4096 };
    n->bh = aio_bh_new(ctx, nvme_bh, n);
    n->prp_list = g_malloc(NVME_MAX_PAGE);
    n->sg_max = 256;
    n->sg = g_new(NvmeSg, n->sg_max);
    nvme_dbbuf_init(n);
    nvme_queues_init(n);
    nvme_reset(n);
    return true;
}

static void nvme_device_reset(DeviceState *dev)
{
    nvme_reset(NVME(dev));
}

static const Property nvme_props[] = {
    DEFINE_PROP_DRIVE("drive", NvmeCtrl, blk,
        .description = "id of the disk"),
    DEFINE_PROP_STRING("serial", NvmeCtrl, serial,
        .description = "serial number; required"),
    DEFINE_PROP_UINT32("num_queues", NvmeCtrl, num_queues, 0,
        .description = "queues with the admin queue; use max_ioqpairs"),
    DEFINE_PROP_UINT32("max_ioqpairs", NvmeCtrl, max_ioqpairs,
                       NVME_MAX_IOQPAIRS,
        .description = "most pairs of I/O queues"),
    DEFINE_PROP_UINT16("msix_qsize", NvmeCtrl, msix_qsize, 65,
        .description = "interrupt vectors"),
    DEFINE_PROP_UINT8("mdts", NvmeCtrl, mdts, 7,
        .description = "largest transfer: 2^N pages of 4 KiB; 0: any"),
    DEFINE_PROP_UINT32("logical_block_size", NvmeCtrl, logical_block_size, 512,
        .description = "bytes of a block"),
    DEFINE_PROP_UINT8("aerl", NvmeCtrl, aerl, 3,
        .description = "most event requests waiting, minus 1"),
    DEFINE_PROP_UINT32("aer_max_queued", NvmeCtrl, aer_max_queued, 64,
        .description = "most events kept for later"),
    DEFINE_PROP_BOOL("dbcs", NvmeCtrl, dbcs, false,
        .description = "offer doorbells in memory (see the page on NVMe)"),
    { }
};

static void nvme_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = nvme_realize;
    pc->exit = nvme_exit;
    pc->config_write = nvme_write_config;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT;
    pc->device_id = PCI_DEVICE_ID_REDHAT_NVME;
    pc->class_id = 0x0108;      /* mass storage, non-volatile memory */
    pc->revision = 2;
    dc->categories = 1 << DEVICE_CATEGORY_STORAGE;
    dc->desc = "Non-Volatile Memory Express";
    dc->reset = nvme_device_reset;
    dc->vmsd = &vmstate_nvme;
    device_class_set_props(dc, nvme_props);
}

static const TypeInfo nvme_types[] = {
    {
        .name = TYPE_NVME,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(NvmeCtrl),
        .class_init = nvme_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_PCIE_DEVICE },
            { }
        },
    },
};
DEFINE_TYPES(nvme_types)
