/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APIC of the first CPU: takes vectors from the I/O APIC, messages and
 * itself, and ends them.  Intel SDM volume 3, chapter 11.
 *
 * It belongs to a CPU that does not run.  So it behaves as one that always has
 * interrupts enabled and takes at once what priority allows: such a vector
 * stands in ISR until it is ended; one that has to wait stands in IRR.
 * There is no timer; LVT entries are kept and deliver nothing.
 */
#include "qemu/osdep.h"
#include "hw/intc/irqchip.h"
#include "migration/vmstate.h"
#include "qemu/bitops.h"

/* Offsets / 16. */
enum {
    REG_ID = 0x02, REG_VERSION = 0x03, REG_TPR = 0x08, REG_PPR = 0x0a,
    REG_EOI = 0x0b, REG_LDR = 0x0d, REG_DFR = 0x0e, REG_SVR = 0x0f,
    REG_ISR = 0x10, REG_TMR = 0x18, REG_IRR = 0x20, REG_ESR = 0x28,
    REG_ICR = 0x30, REG_ICR_HIGH = 0x31, REG_LVT = 0x32, REG_LVT_LAST = 0x37,
};
enum { MODE_FIXED = 0, MODE_LOWEST = 1 };

#define APIC_VERSION 0x50014
#define SVR_ENABLE BIT(8)
#define LVT_MASK BIT(16)
#define APIC_SIZE 0x1000

struct APICState {
    DeviceState parent_obj;
    MemoryRegion io, *space;
    void (*ended)(uint8_t vector);
    struct {
        uint32_t tpr, ldr, dfr, svr, icr, icr_high;
        uint32_t isr[8], tmr[8], irr[8];
        uint32_t lvt[6];
    } regs;
};

/* -- Vectors --------------------------------------------------------------- */

static int highest(const uint32_t *bits)
{
    for (int i = 7; i >= 0; i--) {
        if (bits[i]) {
            return 32 * i + 31 - __builtin_clz(bits[i]);
        }
    }
    return -1;
}

static void assign(uint32_t *bits, uint8_t vector, bool val)
{
    bits[vector / 32] = deposit32(bits[vector / 32], vector % 32, 1, val);
}

static uint8_t processor_priority(APICState *s)
{
    int in_service = MAX(highest(s->regs.isr), 0);

    return (s->regs.tpr & 0xf0) >= (in_service & 0xf0) ? s->regs.tpr
                                                       : in_service & 0xf0;
}

static void take_what_may(APICState *s)
{
    int vector = highest(s->regs.irr);

    while (vector >= 0 && vector >> 4 > processor_priority(s) >> 4) {
        assign(s->regs.irr, vector, false);
        assign(s->regs.isr, vector, true);
        vector = highest(s->regs.irr);
    }
}

static bool is_for_us(APICState *s, const APICMessage *msg)
{
    uint8_t ldr = s->regs.ldr >> 24;

    if (!msg->logical) {
        return msg->dest == 0 || msg->dest == 0xff;
    }
    if (s->regs.dfr >> 28 == 0xf) {
        return ldr & msg->dest;
    }
    return (msg->dest >> 4 == 0xf || msg->dest >> 4 == ldr >> 4) &&
           (ldr & msg->dest & 0xf);
}

bool apic_deliver(APICState *s, const APICMessage *msg)
{
    if ((msg->mode != MODE_FIXED && msg->mode != MODE_LOWEST) ||
        !(s->regs.svr & SVR_ENABLE) || msg->vector < 16 ||
        !is_for_us(s, msg)) {
        return false;
    }
    assign(s->regs.tmr, msg->vector, msg->level);
    assign(s->regs.irr, msg->vector, true);
    take_what_may(s);
    return true;
}

static void end_interrupt(APICState *s)
{
    int vector = highest(s->regs.isr);

    if (vector >= 0) {
        assign(s->regs.isr, vector, false);
        s->ended(vector);
        take_what_may(s);
    }
}

/* -- Registers ------------------------------------------------------------- */

static void send_ipi(APICState *s)
{
    APICMessage msg = {
        .dest = s->regs.icr_high >> 24,
        .logical = s->regs.icr & BIT(11),
        .mode = extract32(s->regs.icr, 8, 3),
        .vector = s->regs.icr,
    };

    switch (extract32(s->regs.icr, 18, 2)) {
    case 1:                     /* self */
    case 2:                     /* all */
        msg.logical = false;
        msg.dest = 0xff;
        break;
    case 3:                     /* all others: there are none */
        return;
    }
    apic_deliver(s, &msg);
}

static uint64_t apic_read(void *opaque, hwaddr addr, unsigned size)
{
    APICState *s = opaque;
    unsigned reg = addr >> 4;

    if (addr & 0xf) {
        return 0;
    }
    switch (reg) {
    case REG_VERSION:
        return APIC_VERSION;
    case REG_TPR:
        return s->regs.tpr;
    case REG_PPR:
        return processor_priority(s);
    case REG_LDR:
        return s->regs.ldr;
    case REG_DFR:
        return s->regs.dfr;
    case REG_SVR:
        return s->regs.svr;
    case REG_ISR ... REG_ISR + 7:
        return s->regs.isr[reg - REG_ISR];
    case REG_TMR ... REG_TMR + 7:
        return s->regs.tmr[reg - REG_TMR];
    case REG_IRR ... REG_IRR + 7:
        return s->regs.irr[reg - REG_IRR];
    case REG_ICR:
        return s->regs.icr;
    case REG_ICR_HIGH:
        return s->regs.icr_high;
    case REG_LVT ... REG_LVT_LAST:
        return s->regs.lvt[reg - REG_LVT];
    default:
        return 0;               /* REG_ID: the first CPU's */
    }
}

static void apic_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    APICState *s = opaque;
    unsigned reg = addr >> 4;

    if (addr & 0xf) {
        return;
    }
    switch (reg) {
    case REG_TPR:
        s->regs.tpr = val & 0xff;
        take_what_may(s);
        break;
    case REG_EOI:
        end_interrupt(s);
        break;
    case REG_LDR:
        s->regs.ldr = val & 0xff000000;
        break;
    case REG_DFR:
        s->regs.dfr = val | 0x0fffffff;
        break;
    case REG_SVR:
        s->regs.svr = val & 0x1ff;
        break;
    case REG_ICR:
        s->regs.icr = val & 0xccfff;
        send_ipi(s);
        break;
    case REG_ICR_HIGH:
        s->regs.icr_high = val & 0xff000000;
        break;
    case REG_LVT ... REG_LVT_LAST:
        s->regs.lvt[reg - REG_LVT] = val & 0x7ffff;
        if (!(s->regs.svr & SVR_ENABLE)) {
            s->regs.lvt[reg - REG_LVT] |= LVT_MASK;
        }
        break;
    }
}

static const MemoryRegionOps apic_ops = {
    .read = apic_read,
    .write = apic_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* -- Life ----------------------------------------------------------------- */

static void apic_reset(DeviceState *dev)
{
    APICState *s = APIC(dev);

    memset(&s->regs, 0, sizeof(s->regs));
    s->regs.dfr = UINT32_MAX;
    s->regs.svr = 0xff;
    for (int i = 0; i < ARRAY_SIZE(s->regs.lvt); i++) {
        s->regs.lvt[i] = LVT_MASK;
    }
}

static bool apic_realize(DeviceState *dev, Error **errp)
{
    APICState *s = APIC(dev);

    memory_region_init_io(&s->io, OBJECT(dev), &apic_ops, s, "apic",
                          APIC_SIZE);
    memory_region_add_subregion(s->space, APIC_BASE, &s->io);
    return true;
}

APICState *apic_new(Object *parent, MemoryRegion *mem,
                    void (*ended)(uint8_t vector))
{
    APICState *s = APIC(qdev_new(TYPE_APIC));

    s->space = mem;
    s->ended = ended;
    object_property_add_child(parent, TYPE_APIC, OBJECT(s));
    qdev_realize_and_unref(DEVICE(s), NULL, &error_abort);
    return s;
}

static const VMStateDescription vmstate_apic = {
    .name = TYPE_APIC,
    .version_id = 1,
    .fields = (const VMStateField[]){
        VMSTATE_UINT32(regs.tpr, APICState),
        VMSTATE_UINT32(regs.ldr, APICState),
        VMSTATE_UINT32(regs.dfr, APICState),
        VMSTATE_UINT32(regs.svr, APICState),
        VMSTATE_UINT32(regs.icr, APICState),
        VMSTATE_UINT32(regs.icr_high, APICState),
        VMSTATE_UINT_ARRAY(regs.isr, APICState),
        VMSTATE_UINT_ARRAY(regs.tmr, APICState),
        VMSTATE_UINT_ARRAY(regs.irr, APICState),
        VMSTATE_UINT_ARRAY(regs.lvt, APICState),
        VMSTATE_END_OF_LIST()
    },
};

static void apic_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = apic_realize;
    dc->reset = apic_reset;
    dc->vmsd = &vmstate_apic;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->desc = "Local APIC";
}

static const TypeInfo apic_types[] = {
    {
        .name = TYPE_APIC,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(APICState),
        .class_init = apic_class_init,
    },
};
DEFINE_TYPES(apic_types)
