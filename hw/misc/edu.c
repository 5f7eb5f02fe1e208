/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edu: a PCI device for learning to write drivers, and devices.
 *
 * It inverts a number, computes factorials in the background, copies between
 * guest memory and a buffer of its own, and raises an interrupt for each of
 * these on request.  Registers as in upstream's docs/specs/edu; it is the
 * example of docs/devel/writing-a-device.md.
 */
#include "qemu/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci.h"
#include "migration/vmstate.h"
#include "qemu/aio.h"
#include "qemu/bitops.h"

#define TYPE_EDU "edu"
OBJECT_DECLARE_SIMPLE_TYPE(EduState, EDU)

#define EDU_BAR_SIZE MiB
#define EDU_ID 0x010000ed       /* major 1, minor 0 */

enum {
    EDU_REG_ID = 0x00,
    EDU_REG_LIVENESS = 0x04,
    EDU_REG_FACTORIAL = 0x08,
    EDU_REG_STATUS = 0x20,
    EDU_REG_IRQ_STATUS = 0x24,
    EDU_REG_IRQ_RAISE = 0x60,
    EDU_REG_IRQ_ACK = 0x64,
    EDU_REG_DMA_SRC = 0x80,
    EDU_REG_DMA_DST = 0x88,
    EDU_REG_DMA_COUNT = 0x90,
    EDU_REG_DMA_CMD = 0x98,
};

#define EDU_STATUS_COMPUTING 0x01
#define EDU_STATUS_IRQ_FACT 0x80

#define EDU_DMA_RUN 0x1
#define EDU_DMA_TO_PCI 0x2      /* from the buffer to guest memory */
#define EDU_DMA_IRQ 0x4

#define EDU_IRQ_FACT 0x001
#define EDU_IRQ_DMA 0x100

/* Where the buffer is, as the DMA registers name it. */
#define EDU_DMA_START 0x40000
#define EDU_DMA_SIZE 4096

/* What the guest can see. */
typedef struct EduRegs {
    uint32_t liveness;
    uint32_t factorial;
    uint32_t status;
    uint32_t irq_status;
    uint64_t dma_src, dma_dst, dma_count, dma_cmd;
    uint8_t dma_buf[EDU_DMA_SIZE];
} EduRegs;

struct EduState {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    QEMUBH *factorial_bh, *dma_bh;
    uint64_t dma_mask;          /* property: addresses the device can name */
    EduRegs regs;
};

static const VMStateDescription vmstate_edu = {
    .name = "edu",
    .version_id = 1,
    .fields = (const VMStateField[]){
        VMSTATE_UINT32(regs.liveness, EduState),
        VMSTATE_UINT32(regs.factorial, EduState),
        VMSTATE_UINT32(regs.status, EduState),
        VMSTATE_UINT32(regs.irq_status, EduState),
        VMSTATE_UINT64(regs.dma_src, EduState),
        VMSTATE_UINT64(regs.dma_dst, EduState),
        VMSTATE_UINT64(regs.dma_count, EduState),
        VMSTATE_UINT64(regs.dma_cmd, EduState),
        VMSTATE_BUFFER(regs.dma_buf, EduState),
        VMSTATE_END_OF_LIST()
    },
};

/* -- Interrupts ---------------------------------------------------------- */

static void edu_raise(EduState *edu, uint32_t why)
{
    edu->regs.irq_status |= why;
    if (!edu->regs.irq_status) {
        return;
    }
    if (msi_enabled(&edu->parent_obj)) {
        msi_notify(&edu->parent_obj, 0);
    } else {
        pci_set_irq(&edu->parent_obj, 1);
    }
}

static void edu_ack(EduState *edu, uint32_t why)
{
    edu->regs.irq_status &= ~why;
    if (!edu->regs.irq_status && !msi_enabled(&edu->parent_obj)) {
        pci_set_irq(&edu->parent_obj, 0);
    }
}

/* -- What runs in the background ----------------------------------------- */

static void edu_compute(void *opaque)
{
    EduState *edu = opaque;
    uint32_t n = edu->regs.factorial, result = 1;

    /* From 34! on every product is 0 modulo 2^32. */
    if (n >= 34) {
        result = 0;
    } else {
        for (; n > 1; n--) {
            result *= n;
        }
    }
    edu->regs.factorial = result;
    edu->regs.status &= ~EDU_STATUS_COMPUTING;
    if (edu->regs.status & EDU_STATUS_IRQ_FACT) {
        edu_raise(edu, EDU_IRQ_FACT);
    }
}

/* Offset in the buffer of what a DMA register names; false: not in it. */
static bool edu_buffer_range(uint64_t addr, uint64_t count, uint64_t *offset)
{
    *offset = addr - EDU_DMA_START;
    return addr >= EDU_DMA_START && *offset <= EDU_DMA_SIZE &&
           count <= EDU_DMA_SIZE - *offset;
}

static void edu_dma(void *opaque)
{
    EduState *edu = opaque;
    EduRegs *r = &edu->regs;
    bool to_pci = r->dma_cmd & EDU_DMA_TO_PCI;
    uint64_t offset;

    if (edu_buffer_range(to_pci ? r->dma_src : r->dma_dst, r->dma_count,
                         &offset)) {
        pci_dma_rw(&edu->parent_obj,
                   (to_pci ? r->dma_dst : r->dma_src) & edu->dma_mask,
                   r->dma_buf + offset, r->dma_count, to_pci);
    }
    r->dma_cmd &= ~(uint64_t)EDU_DMA_RUN;
    if (r->dma_cmd & EDU_DMA_IRQ) {
        edu_raise(edu, EDU_IRQ_DMA);
    }
}

/* -- Registers ----------------------------------------------------------- */

static uint64_t *edu_dma_reg(EduState *edu, hwaddr addr)
{
    switch (addr) {
    case EDU_REG_DMA_SRC:
        return &edu->regs.dma_src;
    case EDU_REG_DMA_DST:
        return &edu->regs.dma_dst;
    case EDU_REG_DMA_COUNT:
        return &edu->regs.dma_count;
    case EDU_REG_DMA_CMD:
        return &edu->regs.dma_cmd;
    default:
        return NULL;
    }
}

static uint64_t edu_read(void *opaque, hwaddr addr, unsigned size)
{
    EduState *edu = opaque;
    uint64_t *dma = edu_dma_reg(edu, addr);

    if (dma) {
        return *dma;
    }
    if (size != 4) {
        return UINT64_MAX;
    }
    switch (addr) {
    case EDU_REG_ID:
        return EDU_ID;
    case EDU_REG_LIVENESS:
        return edu->regs.liveness;
    case EDU_REG_FACTORIAL:
        return edu->regs.factorial;
    case EDU_REG_STATUS:
        return edu->regs.status;
    case EDU_REG_IRQ_STATUS:
        return edu->regs.irq_status;
    default:
        return UINT64_MAX;
    }
}

static void edu_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    EduState *edu = opaque;
    EduRegs *r = &edu->regs;
    uint64_t *dma = edu_dma_reg(edu, addr);

    if (dma) {
        /* The registers of a transfer stand while it runs. */
        if (!(r->dma_cmd & EDU_DMA_RUN)) {
            *dma = val;
            if (addr == EDU_REG_DMA_CMD && val & EDU_DMA_RUN) {
                qemu_bh_schedule(edu->dma_bh);
            }
        }
        return;
    }
    if (size != 4) {
        return;
    }
    switch (addr) {
    case EDU_REG_LIVENESS:
        r->liveness = ~val;
        break;
    case EDU_REG_FACTORIAL:
        if (!(r->status & EDU_STATUS_COMPUTING)) {
            r->factorial = val;
            r->status |= EDU_STATUS_COMPUTING;
            qemu_bh_schedule(edu->factorial_bh);
        }
        break;
    case EDU_REG_STATUS:
        r->status = deposit32(r->status, 7, 1, val >> 7);
        break;
    case EDU_REG_IRQ_RAISE:
        edu_raise(edu, val);
        break;
    case EDU_REG_IRQ_ACK:
        edu_ack(edu, val);
        break;
    }
}

static const MemoryRegionOps edu_ops = {
    .read = edu_read,
    .write = edu_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};

/* -- Life ---------------------------------------------------------------- */

static bool edu_realize(PCIDevice *pci_dev, Error **errp)
{
    EduState *edu = EDU(pci_dev);
    AioContext *ctx = qdev_get_context(DEVICE(pci_dev));
    int ret;

    pci_config_set_interrupt_pin(pci_dev->config, 1);
    ret = msi_init(pci_dev, 0, 1, true, false, NULL);
    if (ret && ret != -ENOTSUP) {
        error_setg_errno(errp, -ret, "MSI");
        return false;
    }
    memory_region_init_io(&edu->mmio, OBJECT(edu), &edu_ops, edu, "edu-mmio",
                          EDU_BAR_SIZE);
    pci_register_bar(pci_dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &edu->mmio);
    edu->factorial_bh = aio_bh_new(ctx, edu_compute, edu);
    edu->dma_bh = aio_bh_new(ctx, edu_dma, edu);
    return true;
}

static void edu_exit(PCIDevice *pci_dev)
{
    EduState *edu = EDU(pci_dev);

    qemu_bh_delete(edu->factorial_bh);
    qemu_bh_delete(edu->dma_bh);
    msi_uninit(pci_dev);
}

static void edu_finalize(Object *obj)
{
    memory_region_finalize(&EDU(obj)->mmio);
}

static void edu_reset(DeviceState *dev)
{
    EduState *edu = EDU(dev);

    qemu_bh_cancel(edu->factorial_bh);
    qemu_bh_cancel(edu->dma_bh);
    pci_set_irq(&edu->parent_obj, 0);
    vmstate_clear(&vmstate_edu, edu);
}

static const Property edu_props[] = {
    DEFINE_PROP_UINT64("dma_mask", EduState, dma_mask, 0x0fffffff,
        .description = "addresses that its DMA reaches"),
    { }
};

static void edu_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = edu_realize;
    pc->exit = edu_exit;
    pc->vendor_id = PCI_VENDOR_ID_QEMU;
    pc->device_id = 0x11e8;
    pc->revision = 0x10;
    pc->class_id = 0x00ff;
    dc->reset = edu_reset;
    dc->vmsd = &vmstate_edu;
    dc->desc = "Device for learning";
    dc->categories = 1 << DEVICE_CATEGORY_MISC;
    device_class_set_props(dc, edu_props);
}

static const TypeInfo edu_types[] = {
    {
        .name = TYPE_EDU,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(EduState),
        .instance_finalize = edu_finalize,
        .class_init = edu_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(edu_types)
