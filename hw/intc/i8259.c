/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two 8259A interrupt controllers as a PC has them: 15 lines, ports 20h, A0h
 * and the edge/level registers 4D0h.  Intel 8259A data sheet; 82371SB, 3.4.
 *
 * There is no CPU to acknowledge an interrupt: software takes it with the poll
 * command (OCW3), which does all that the CPU's acknowledge cycle does.
 */
#include "qemu/osdep.h"
#include "hw/intc/irqchip.h"
#include "migration/vmstate.h"
#include "qemu/bitops.h"

enum { CASCADE = 2 };
enum { ICW1_START = 0x10, ICW1_SINGLE = 2, ICW1_ICW4 = 1 };
enum { ICW4_SFNM = 0x10, ICW4_AEOI = 2 };
enum { OCW3 = 8, OCW3_POLL = 4, OCW3_READ = 2, OCW3_READ_ISR = 1,
       OCW3_SET_MASK = 0x40, OCW3_MASK = 0x20 };
enum { OCW2_ROTATE = 0x80, OCW2_SPECIFIC = 0x40, OCW2_EOI = 0x20 };

/* What the guest can see. */
typedef struct PicRegs {
    uint8_t irr, isr, imr;
    uint8_t lines;              /* levels of the pins */
    uint8_t elcr;               /* level-triggered pins */
    uint8_t base;               /* vector of pin 0 */
    uint8_t first;              /* pin of the highest priority */
    uint8_t icw;                /* which initialisation word is next; 0: none */
    uint8_t icw1;
    bool read_isr, poll, special_mask, sfnm, aeoi, rotate_aeoi;
} PicRegs;

typedef struct Pic {
    I8259State *pair;
    int nr;                     /* 0 is the master */
    MemoryRegion io, elcr_io;
} Pic;

struct I8259State {
    DeviceState parent_obj;
    MemoryRegion *space;
    IRQChipAcked *acked;
    Pic pic[2];
    PicRegs regs[2];
};

static const uint8_t elcr_mask[2] = { 0xf8, 0xde };

/* -- Priorities ---------------------------------------------------------- */

/* Rank of the most urgent of @pins: 0 first, 8 for none. */
static int rank(const PicRegs *r, uint8_t pins)
{
    int n = 0;

    while (n < 8 && !(pins & BIT((r->first + n) & 7))) {
        n++;
    }
    return n;
}

/* The pin whose interrupt is asked for now, or -1. */
static int requested(const PicRegs *r, bool master)
{
    uint8_t in_service = r->isr;
    int n = rank(r, r->irr & ~r->imr);

    if (r->special_mask) {
        in_service &= ~r->imr;
    }
    if (r->sfnm && master) {
        in_service &= ~BIT(CASCADE);    /* its other pins may follow */
    }
    return n < rank(r, in_service) ? (r->first + n) & 7 : -1;
}

static void update_cascade(I8259State *s)
{
    s->regs[0].irr = deposit32(s->regs[0].irr, CASCADE, 1,
                               requested(&s->regs[1], false) >= 0);
}

static void set_pin(void *opaque, int n, int level)
{
    I8259State *s = opaque;
    PicRegs *r = &s->regs[n / 8];
    uint8_t bit = BIT(n % 8);

    if (n == CASCADE) {
        return;
    }
    if (level) {
        if ((r->elcr & bit) || !(r->lines & bit)) {
            r->irr |= bit;
        }
        r->lines |= bit;
    } else {
        /* An edge stays latched until it is taken. */
        r->irr &= ~(r->elcr & bit);
        r->lines &= ~bit;
    }
    update_cascade(s);
}

/* -- Begin and end of an interrupt ----------------------------------------- */

static void end_pin(I8259State *s, int nr, int pin)
{
    if (s->regs[nr].isr & BIT(pin)) {
        s->regs[nr].isr &= ~BIT(pin);
        s->acked(8 * nr + pin);
    }
}

static void take(I8259State *s, int nr, int pin)
{
    PicRegs *r = &s->regs[nr];

    r->isr |= BIT(pin);
    r->irr &= ~BIT(pin) | r->elcr;
    if (r->aeoi) {
        if (r->rotate_aeoi) {
            r->first = (pin + 1) & 7;
        }
        end_pin(s, nr, pin);
    }
    update_cascade(s);
}

static uint8_t poll_answer(I8259State *s, int nr)
{
    int pin = requested(&s->regs[nr], nr == 0);

    s->regs[nr].poll = false;
    if (pin < 0) {
        return 7;
    }
    take(s, nr, pin);
    return 0x80 | pin;
}

static void write_ocw2(I8259State *s, int nr, uint8_t val)
{
    PicRegs *r = &s->regs[nr];
    int n = rank(r, r->isr), pin = (r->first + n) & 7;

    if (val & OCW2_SPECIFIC) {
        pin = val & 7;
    } else if (!(val & OCW2_EOI)) {
        r->rotate_aeoi = val & OCW2_ROTATE;
        return;
    } else if (n == 8) {
        return;
    }
    if ((val & (OCW2_ROTATE | OCW2_SPECIFIC | OCW2_EOI)) == OCW2_SPECIFIC) {
        return;                 /* no operation */
    }
    if (val & OCW2_ROTATE) {
        r->first = (pin + 1) & 7;
    }
    if (val & OCW2_EOI) {
        end_pin(s, nr, pin);
    }
}

/* -- Ports ---------------------------------------------------------------- */

static void start_init(I8259State *s, int nr, uint8_t val)
{
    PicRegs *r = &s->regs[nr];
    uint8_t in_service = r->isr;

    *r = (PicRegs){
        .irr = r->lines & r->elcr, .lines = r->lines, .elcr = r->elcr,
        .base = r->base, .icw = 2, .icw1 = val, .isr = in_service,
    };
    for (int pin = 0; pin < 8; pin++) {
        end_pin(s, nr, pin);
    }
}

static void write_ocw3(PicRegs *r, uint8_t val)
{
    r->poll = val & OCW3_POLL;
    if (val & OCW3_READ) {
        r->read_isr = val & OCW3_READ_ISR;
    }
    if (val & OCW3_SET_MASK) {
        r->special_mask = val & OCW3_MASK;
    }
}

static void write_data(PicRegs *r, uint8_t val)
{
    int then_icw4 = r->icw1 & ICW1_ICW4 ? 4 : 0;

    switch (r->icw) {
    case 2:
        r->base = val & 0xf8;
        r->icw = r->icw1 & ICW1_SINGLE ? then_icw4 : 3;
        break;
    case 3:
        r->icw = then_icw4;     /* the wiring is fixed */
        break;
    case 4:
        r->sfnm = val & ICW4_SFNM;
        r->aeoi = val & ICW4_AEOI;
        r->icw = 0;
        break;
    default:
        r->imr = val;
    }
}

static uint64_t pic_read(void *opaque, hwaddr addr, unsigned size)
{
    Pic *pic = opaque;
    PicRegs *r = &pic->pair->regs[pic->nr];

    if (r->poll) {
        return poll_answer(pic->pair, pic->nr);
    }
    return addr ? r->imr : r->read_isr ? r->isr : r->irr;
}

static void pic_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    Pic *pic = opaque;
    I8259State *s = pic->pair;
    PicRegs *r = &s->regs[pic->nr];

    if (addr) {
        write_data(r, val);
    } else if (val & ICW1_START) {
        start_init(s, pic->nr, val);
    } else if (val & OCW3) {
        write_ocw3(r, val);
    } else {
        write_ocw2(s, pic->nr, val);
    }
    update_cascade(s);
}

static uint64_t elcr_read(void *opaque, hwaddr addr, unsigned size)
{
    Pic *pic = opaque;

    return pic->pair->regs[pic->nr].elcr;
}

static void elcr_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    Pic *pic = opaque;
    PicRegs *r = &pic->pair->regs[pic->nr];
    uint8_t was = r->elcr;

    r->elcr = val & elcr_mask[pic->nr];
    /* A pin that has become level-triggered shows its level. */
    r->irr = (r->irr & ~(r->elcr & ~was)) | (r->lines & r->elcr & ~was);
    update_cascade(pic->pair);
}

static const MemoryRegionOps pic_ops = {
    .read = pic_read,
    .write = pic_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

static const MemoryRegionOps elcr_ops = {
    .read = elcr_read,
    .write = elcr_write,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* -- Life ----------------------------------------------------------------- */

static void i8259_reset(DeviceState *dev)
{
    I8259State *s = I8259(dev);

    for (int nr = 0; nr < 2; nr++) {
        s->regs[nr] = (PicRegs){ .lines = s->regs[nr].lines };
    }
}

static bool i8259_realize(DeviceState *dev, Error **errp)
{
    I8259State *s = I8259(dev);

    for (int nr = 0; nr < 2; nr++) {
        Pic *pic = &s->pic[nr];

        pic->pair = s;
        pic->nr = nr;
        memory_region_init_io(&pic->io, OBJECT(dev), &pic_ops, pic, "pic", 2);
        memory_region_add_subregion(s->space, nr ? 0xa0 : 0x20, &pic->io);
        memory_region_init_io(&pic->elcr_io, OBJECT(dev), &elcr_ops, pic,
                              "elcr", 1);
        memory_region_add_subregion(s->space, 0x4d0 + nr, &pic->elcr_io);
    }
    return true;
}

static void i8259_init(Object *obj)
{
    qdev_init_gpio_in(DEVICE(obj), set_pin, I8259_PINS);
}

I8259State *i8259_new(Object *parent, MemoryRegion *io, IRQChipAcked *acked)
{
    I8259State *s = I8259(qdev_new(TYPE_I8259));

    s->space = io;
    s->acked = acked;
    object_property_add_child(parent, TYPE_I8259, OBJECT(s));
    qdev_realize_and_unref(DEVICE(s), NULL, &error_abort);
    return s;
}

#define PIC_FIELDS(n)                                                       \
    VMSTATE_UINT8(regs[n].irr, I8259State),                                 \
    VMSTATE_UINT8(regs[n].isr, I8259State),                                 \
    VMSTATE_UINT8(regs[n].imr, I8259State),                                 \
    VMSTATE_UINT8(regs[n].lines, I8259State),                               \
    VMSTATE_UINT8(regs[n].elcr, I8259State),                                \
    VMSTATE_UINT8(regs[n].base, I8259State),                                \
    VMSTATE_UINT8(regs[n].first, I8259State),                               \
    VMSTATE_UINT8(regs[n].icw, I8259State),                                 \
    VMSTATE_UINT8(regs[n].icw1, I8259State),                                \
    VMSTATE_BOOL(regs[n].read_isr, I8259State),                             \
    VMSTATE_BOOL(regs[n].poll, I8259State),                                 \
    VMSTATE_BOOL(regs[n].special_mask, I8259State),                         \
    VMSTATE_BOOL(regs[n].sfnm, I8259State),                                 \
    VMSTATE_BOOL(regs[n].aeoi, I8259State),                                 \
    VMSTATE_BOOL(regs[n].rotate_aeoi, I8259State)

static const VMStateDescription vmstate_i8259 = {
    .name = TYPE_I8259,
    .version_id = 1,
    .fields = (const VMStateField[]){
        PIC_FIELDS(0), PIC_FIELDS(1), VMSTATE_END_OF_LIST()
    },
};

static void i8259_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->realize = i8259_realize;
    dc->reset = i8259_reset;
    dc->vmsd = &vmstate_i8259;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->desc = "Two 8259A interrupt controllers";
}

static const TypeInfo i8259_types[] = {
    {
        .name = TYPE_I8259,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(I8259State),
        .instance_init = i8259_init,
        .class_init = i8259_class_init,
    },
};
DEFINE_TYPES(i8259_types)
