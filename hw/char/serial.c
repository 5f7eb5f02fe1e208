/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-serial: a 16550A UART (National Semiconductor PC16550D) with a character
 * back end as the other end of its cable.
 *
 * Characters leave as fast as the back end takes them, whatever the divisor
 * says; only the receiver's time-out interrupt knows the line speed.  A back
 * end that takes nothing keeps the transmitter full, as a peer's flow control
 * would; one that is not connected swallows everything.  The modem lines show
 * a peer that is ready.  OUT2 does not gate the interrupt.
 */
#include "qemu/osdep.h"
#include "hw/char/serial.h"
#include "migration/vmstate.h"
#include "qemu/bitops.h"
#include "qemu/timer.h"
#include "system/system.h"

OBJECT_DECLARE_SIMPLE_TYPE(SerialState, ISA_SERIAL)

#define UART_CLOCK_HZ 1843200       /* 16 * 115200 */
#define UART_FIFO 16

enum {
    REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR,
    REG_FCR = REG_IIR,
};

enum {
    IER_RDA = 1 << 0, IER_THRE = 1 << 1, IER_RLS = 1 << 2, IER_MS = 1 << 3,
    IER_MASK = 0x0f,

    IIR_MS = 0x00, IIR_NONE = 0x01, IIR_THRE = 0x02, IIR_RDA = 0x04,
    IIR_RLS = 0x06, IIR_TIMEOUT = 0x0c, IIR_FIFOS = 0xc0,

    FCR_ENABLE = 1 << 0, FCR_CLEAR_RCVR = 1 << 1, FCR_CLEAR_XMIT = 1 << 2,

    LCR_STOP = 1 << 2, LCR_PARITY = 1 << 3, LCR_DLAB = 1 << 7,

    MCR_DTR = 1 << 0, MCR_RTS = 1 << 1, MCR_OUT1 = 1 << 2, MCR_OUT2 = 1 << 3,
    MCR_LOOP = 1 << 4, MCR_MASK = 0x1f,

    LSR_DR = 1 << 0, LSR_OE = 1 << 1, LSR_PE = 1 << 2, LSR_FE = 1 << 3,
    LSR_BI = 1 << 4, LSR_THRE = 1 << 5, LSR_TEMT = 1 << 6,
    LSR_ERRORS = LSR_OE | LSR_PE | LSR_FE | LSR_BI,

    MSR_DELTA = 0x0f, MSR_TERI = 1 << 2,
    MSR_CTS = 1 << 4, MSR_DSR = 1 << 5, MSR_RI = 1 << 6, MSR_DCD = 1 << 7,
};

typedef struct SerialFifo {
    uint8_t data[UART_FIFO];
    uint8_t head, count;
} SerialFifo;

typedef struct SerialRegs {
    uint16_t divisor;
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
    bool thre_pending;          /* the THRE interrupt, until IIR is read */
    bool timeout_pending;
    SerialFifo rcvr, xmit;      /* one deep while FIFOs are off */
} SerialRegs;

struct SerialState {
    ISADevice parent_obj;
    MemoryRegion io;
    Chardev *chardev;
    CharBackend chr;
    uint32_t index, iobase, isairq;
    qemu_irq irq;
    SerialRegs regs;
    QEMUTimer *timeout_timer;
};

static const VMStateDescription vmstate_serial_fifo = {
    .name = "serial/fifo",
    .fields = (const VMStateField[]) {
        VMSTATE_BUFFER(data, SerialFifo),
        VMSTATE_UINT8(head, SerialFifo),
        VMSTATE_UINT8(count, SerialFifo),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_serial_regs = {
    .name = "serial/regs",
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(divisor, SerialRegs),
        VMSTATE_UINT8(ier, SerialRegs),
        VMSTATE_UINT8(fcr, SerialRegs),
        VMSTATE_UINT8(lcr, SerialRegs),
        VMSTATE_UINT8(mcr, SerialRegs),
        VMSTATE_UINT8(lsr, SerialRegs),
        VMSTATE_UINT8(msr, SerialRegs),
        VMSTATE_UINT8(scr, SerialRegs),
        VMSTATE_BOOL(thre_pending, SerialRegs),
        VMSTATE_BOOL(timeout_pending, SerialRegs),
        VMSTATE_STRUCT(rcvr, SerialRegs, &vmstate_serial_fifo),
        VMSTATE_STRUCT(xmit, SerialRegs, &vmstate_serial_fifo),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_serial = {
    .name = TYPE_ISA_SERIAL,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(regs, SerialState, &vmstate_serial_regs),
        VMSTATE_END_OF_LIST()
    },
};

static void fifo_push(SerialFifo *f, uint8_t c)
{
    f->data[(f->head + f->count++) % UART_FIFO] = c;
}

static uint8_t fifo_pop(SerialFifo *f)
{
    uint8_t c = f->data[f->head];

    f->head = (f->head + 1) % UART_FIFO;
    f->count--;
    return c;
}

static unsigned fifo_depth(const SerialRegs *r)
{
    return r->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned rcvr_trigger(const SerialRegs *r)
{
    static const uint8_t level[] = { 1, 4, 8, 14 };

    return r->fcr & FCR_ENABLE ? level[r->fcr >> 6] : 1;
}

/* -- Interrupt ----------------------------------------------------------- */

static uint8_t serial_interrupt_id(const SerialRegs *r)
{
    if ((r->ier & IER_RLS) && (r->lsr & LSR_ERRORS)) {
        return IIR_RLS;
    }
    if ((r->ier & IER_RDA) && r->rcvr.count >= rcvr_trigger(r)) {
        return IIR_RDA;
    }
    if ((r->ier & IER_RDA) && r->timeout_pending) {
        return IIR_TIMEOUT;
    }
    if ((r->ier & IER_THRE) && r->thre_pending) {
        return IIR_THRE;
    }
    if ((r->ier & IER_MS) && (r->msr & MSR_DELTA)) {
        return IIR_MS;
    }
    return IIR_NONE;
}

static void serial_update_irq(SerialState *s)
{
    qemu_set_irq(s->irq, serial_interrupt_id(&s->regs) != IIR_NONE);
}

/* -- Receiver ------------------------------------------------------------ */

static void serial_arm_timeout(SerialState *s)
{
    SerialRegs *r = &s->regs;
    unsigned bits = 1 + 5 + (r->lcr & 3) + !!(r->lcr & LCR_PARITY) + 1
        + !!(r->lcr & LCR_STOP);
    int64_t character = NANOSECONDS_PER_SECOND * 16 * bits
        * MAX(r->divisor, 1) / UART_CLOCK_HZ;

    r->timeout_pending = false;
    if ((r->fcr & FCR_ENABLE) && r->rcvr.count) {
        timer_mod_ns(s->timeout_timer,
                     qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 4 * character);
    } else {
        timer_del(s->timeout_timer);
    }
}

static void serial_timeout(void *opaque)
{
    SerialState *s = opaque;

    s->regs.timeout_pending = s->regs.rcvr.count > 0;
    serial_update_irq(s);
}

static void serial_receive_char(SerialState *s, uint8_t c)
{
    SerialRegs *r = &s->regs;

    if (r->rcvr.count >= fifo_depth(r)) {
        r->lsr |= LSR_OE;
        if (!(r->fcr & FCR_ENABLE)) {
            r->rcvr.data[r->rcvr.head] = c;
        }
    } else {
        fifo_push(&r->rcvr, c);
    }
    r->lsr |= LSR_DR;
    serial_arm_timeout(s);
}

static int serial_can_receive(void *opaque)
{
    SerialRegs *r = &((SerialState *)opaque)->regs;

    if (r->mcr & MCR_LOOP) {
        return 0;               /* the cable is off while looped back */
    }
    return fifo_depth(r) - MIN(r->rcvr.count, fifo_depth(r));
}

static void serial_receive(void *opaque, const uint8_t *buf, int size)
{
    SerialState *s = opaque;

    for (int i = 0; i < size; i++) {
        serial_receive_char(s, buf[i]);
    }
    serial_update_irq(s);
}

static void serial_event(void *opaque, QEMUChrEvent event)
{
    SerialState *s = opaque;

    if (event == CHR_EVENT_BREAK && !(s->regs.mcr & MCR_LOOP)) {
        serial_receive_char(s, 0);
        s->regs.lsr |= LSR_BI;
        serial_update_irq(s);
    }
}

static uint8_t serial_read_rbr(SerialState *s)
{
    SerialRegs *r = &s->regs;
    uint8_t c = 0;

    if (r->rcvr.count) {
        c = fifo_pop(&r->rcvr);
    }
    if (!r->rcvr.count) {
        r->lsr &= ~LSR_DR;
    }
    serial_arm_timeout(s);
    serial_update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
    return c;
}

/* -- Transmitter --------------------------------------------------------- */

/* True if the character is gone; else the back end calls serial_xmit. */
static bool serial_send_char(SerialState *s, uint8_t c)
{
    if (s->regs.mcr & MCR_LOOP) {
        serial_receive_char(s, c);
        return true;
    }
    return qemu_chr_fe_write(&s->chr, &c, 1) > 0;
}

static void serial_xmit(void *opaque)
{
    SerialState *s = opaque;
    SerialRegs *r = &s->regs;

    while (r->xmit.count && serial_send_char(s, r->xmit.data[r->xmit.head])) {
        fifo_pop(&r->xmit);
    }
    if (!r->xmit.count && !(r->lsr & LSR_THRE)) {
        r->lsr |= LSR_THRE | LSR_TEMT;
        r->thre_pending = true;
    }
    serial_update_irq(s);
}

static void serial_write_thr(SerialState *s, uint8_t c)
{
    SerialRegs *r = &s->regs;

    if (r->xmit.count >= fifo_depth(r)) {
        if (r->fcr & FCR_ENABLE) {
            return;             /* the guest did not look: it is lost */
        }
        fifo_pop(&r->xmit);
    }
    fifo_push(&r->xmit, c);
    r->lsr &= ~(LSR_THRE | LSR_TEMT);
    r->thre_pending = false;
    /* An edge-triggered controller must see the line fall in between. */
    serial_update_irq(s);
    serial_xmit(s);
}

/* -- Registers ----------------------------------------------------------- */

static void serial_write_fcr(SerialState *s, uint8_t val)
{
    SerialRegs *r = &s->regs;

    if ((val ^ r->fcr) & FCR_ENABLE) {
        val |= FCR_CLEAR_RCVR | FCR_CLEAR_XMIT;
    }
    r->fcr = val & FCR_ENABLE ? val & (0xc0 | FCR_ENABLE) : 0;
    if (val & FCR_CLEAR_RCVR) {
        r->rcvr.count = 0;
        r->lsr &= ~LSR_DR;
        serial_arm_timeout(s);
    }
    if ((val & FCR_CLEAR_XMIT) && r->xmit.count) {
        r->xmit.count = 0;
        serial_xmit(s);
    }
    serial_update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
}

/* The modem's lines as they are now; what changed is noted. */
static void serial_update_msr(SerialRegs *r)
{
    uint8_t lines = MSR_DCD | MSR_DSR | MSR_CTS;
    uint8_t changed;

    if (r->mcr & MCR_LOOP) {
        lines = (r->mcr & MCR_RTS ? MSR_CTS : 0)
            | (r->mcr & MCR_DTR ? MSR_DSR : 0)
            | (r->mcr & MCR_OUT1 ? MSR_RI : 0)
            | (r->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    changed = (lines ^ r->msr) >> 4;
    if ((changed & MSR_TERI) && (lines & MSR_RI)) {
        changed &= ~MSR_TERI;   /* only its falling edge counts */
    }
    r->msr = lines | (r->msr & MSR_DELTA) | changed;
}

static void serial_write_mcr(SerialState *s, uint8_t val)
{
    s->regs.mcr = val & MCR_MASK;
    serial_update_msr(&s->regs);
    serial_update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
}

static void serial_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    SerialState *s = opaque;
    SerialRegs *r = &s->regs;

    if (addr <= REG_IER && (r->lcr & LCR_DLAB)) {
        r->divisor = deposit32(r->divisor, addr * 8, 8, val);
        return;
    }
    switch (addr) {
    case REG_DATA:
        serial_write_thr(s, val);
        break;
    case REG_IER:
        /* Enabling it while the transmitter is empty raises it at once. */
        if ((val & ~r->ier & IER_THRE) && (r->lsr & LSR_THRE)) {
            r->thre_pending = true;
        }
        r->ier = val & IER_MASK;
        serial_update_irq(s);
        break;
    case REG_FCR:
        serial_write_fcr(s, val);
        break;
    case REG_LCR:
        r->lcr = val;
        break;
    case REG_MCR:
        serial_write_mcr(s, val);
        break;
    case REG_SCR:
        r->scr = val;
        break;
    }
}

static uint64_t serial_read(void *opaque, hwaddr addr, unsigned size)
{
    SerialState *s = opaque;
    SerialRegs *r = &s->regs;
    uint8_t val;

    if (addr <= REG_IER && (r->lcr & LCR_DLAB)) {
        return extract32(r->divisor, addr * 8, 8);
    }
    switch (addr) {
    case REG_DATA:
        return serial_read_rbr(s);
    case REG_IER:
        return r->ier;
    case REG_IIR:
        val = serial_interrupt_id(r);
        if (val == IIR_THRE) {
            r->thre_pending = false;
            serial_update_irq(s);
        }
        return val | (r->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
    case REG_LCR:
        return r->lcr;
    case REG_MCR:
        return r->mcr;
    case REG_LSR:
        val = r->lsr;
        r->lsr &= ~LSR_ERRORS;
        serial_update_irq(s);
        return val;
    case REG_MSR:
        val = r->msr;
        r->msr &= ~MSR_DELTA;
        serial_update_irq(s);
        return val;
    default:
        return r->scr;
    }
}

static const MemoryRegionOps serial_ops = {
    .read = serial_read,
    .write = serial_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* -- Device -------------------------------------------------------------- */

static void serial_reset(DeviceState *dev)
{
    SerialState *s = ISA_SERIAL(dev);

    timer_del(s->timeout_timer);
    s->regs = (SerialRegs) {
        .divisor = 12,          /* 9600 */
        .lsr = LSR_THRE | LSR_TEMT,
        .mcr = MCR_OUT2,
        .msr = MSR_DCD | MSR_DSR | MSR_CTS,
    };
    serial_update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
}

static bool serial_check_props(SerialState *s, Error **errp)
{
    static const uint16_t iobase[MAX_ISA_SERIAL_PORTS] = {
        0x3f8, 0x2f8, 0x3e8, 0x2e8
    };
    static uint32_t next;

    if (s->index == UINT32_MAX) {
        s->index = next;
    }
    if (s->index >= MAX_ISA_SERIAL_PORTS) {
        error_setg(errp, "isa-serial: index must be 0 to %d: a machine has at "
                   "most %d ISA serial ports", MAX_ISA_SERIAL_PORTS - 1,
                   MAX_ISA_SERIAL_PORTS);
        return false;
    }
    if (s->iobase == UINT32_MAX) {
        s->iobase = iobase[s->index];
    }
    if (s->isairq == UINT32_MAX) {
        s->isairq = s->index & 1 ? 3 : 4;
    }
    if (s->iobase > 0xfff8) {
        error_setg(errp, "isa-serial: iobase 0x%x leaves no room for 8 ports "
                   "below 0x10000", s->iobase);
        return false;
    }
    if (s->isairq >= ISA_NUM_IRQS) {
        error_setg(errp, "isa-serial: irq %u is not below %d", s->isairq,
                   ISA_NUM_IRQS);
        return false;
    }
    next = s->index + 1;
    return true;
}

static bool serial_realize(DeviceState *dev, Error **errp)
{
    SerialState *s = ISA_SERIAL(dev);

    if (!serial_check_props(s, errp)
        || (s->chardev && !qemu_chr_fe_init(&s->chr, s->chardev, errp))) {
        return false;
    }
    s->irq = isa_get_irq(ISA_DEVICE(dev), s->isairq);
    s->timeout_timer = aio_timer_new(qdev_get_context(dev),
                                     QEMU_CLOCK_VIRTUAL, SCALE_NS,
                                     serial_timeout, s);
    serial_reset(dev);
    memory_region_init_io(&s->io, OBJECT(dev), &serial_ops, s, "serial", 8);
    isa_register_ioport(ISA_DEVICE(dev), &s->io, s->iobase);
    qemu_chr_fe_set_handlers(&s->chr, serial_can_receive, serial_receive,
                             serial_event, s);
    qemu_chr_fe_set_writable(&s->chr, serial_xmit);
    return true;
}

static void serial_unrealize(DeviceState *dev)
{
    SerialState *s = ISA_SERIAL(dev);

    memory_region_finalize(&s->io);
    qemu_chr_fe_deinit(&s->chr);
    g_clear_pointer(&s->timeout_timer, timer_free);
}

bool serial_hds_isa_init(ISABus *bus, int from, int to, Error **errp)
{
    for (int i = from; i < to; i++) {
        Chardev *chr = serial_hd(i);

        if (chr) {
            ISADevice *dev = isa_new(TYPE_ISA_SERIAL);

            qdev_prop_set_uint32(&dev->parent_obj, "index", i);
            qdev_prop_set_chr(&dev->parent_obj, "chardev", chr);
            if (!isa_realize_and_unref(dev, bus, errp)) {
                return false;
            }
        }
    }
    return true;
}

static const Property serial_props[] = {
    DEFINE_PROP_UINT32("index", SerialState, index, UINT32_MAX,
        .description = "0 to 3: COM1 to COM4"),
    DEFINE_PROP_UINT32("iobase", SerialState, iobase, UINT32_MAX,
        .description = "first of eight ports"),
    DEFINE_PROP_UINT32("irq", SerialState, isairq, UINT32_MAX,
        .description = "ISA line"),
    DEFINE_PROP_CHR("chardev", SerialState, chardev,
        .description = "id of the back end"),
    { }
};

static void serial_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "16550A serial port";
    dc->categories = BIT(DEVICE_CATEGORY_INPUT);
    dc->realize = serial_realize;
    dc->unrealize = serial_unrealize;
    dc->reset = serial_reset;
    dc->vmsd = &vmstate_serial;
    device_class_set_props(dc, serial_props);
}

static const TypeInfo serial_types[] = {
    {
        .name = TYPE_ISA_SERIAL,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(SerialState),
        .class_init = serial_class_init,
    },
};
DEFINE_TYPES(serial_types)
