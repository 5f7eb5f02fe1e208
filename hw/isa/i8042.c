/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller of a PC (Intel 8042 with the AT's and PS/2's
 * firmware; IBM PS/2 Hardware Interface Technical Reference) with nothing
 * plugged in: it answers its own commands, tells that keyboard and mouse time
 * out, and resets the machine.
 */
#include "qemu/osdep.h"
#include "hw/isa/isa.h"
#include "hw/isa/pc-ports.h"
#include "migration/vmstate.h"
#include "system/runstate.h"

OBJECT_DECLARE_SIMPLE_TYPE(I8042State, I8042)

#define KBD_IRQ 1

enum {
    STS_OBF = 0x01, STS_SYSTEM = 0x04, STS_COMMAND = 0x08,
    STS_UNLOCKED = 0x10, STS_TIMEOUT = 0x40,

    MODE_KBD_INT = 0x01, MODE_SYSTEM = 0x04, MODE_KBD_OFF = 0x10,
    MODE_AUX_OFF = 0x20,

    CMD_READ_MODE = 0x20, CMD_WRITE_MODE = 0x60, CMD_AUX_OFF = 0xa7,
    CMD_AUX_ON = 0xa8, CMD_AUX_TEST = 0xa9, CMD_SELF_TEST = 0xaa,
    CMD_KBD_TEST = 0xab, CMD_KBD_OFF = 0xad, CMD_KBD_ON = 0xae,
    CMD_READ_INPORT = 0xc0, CMD_READ_OUTPORT = 0xd0, CMD_WRITE_OUTPORT = 0xd1,
    CMD_WRITE_KBD_OBUF = 0xd2, CMD_WRITE_AUX_OBUF = 0xd3,
    CMD_WRITE_AUX = 0xd4, CMD_PULSE = 0xf0,

    OUTPORT_NO_RESET = 0x01, OUTPORT_A20 = 0x02, OUTPORT_OBF = 0x10,
    SELF_TEST_OK = 0x55, TEST_CLOCK_LOW = 0x01, DEVICE_RESEND = 0xfe,
};

typedef struct I8042Regs {
    uint8_t status, mode, outport, obuf;
    uint8_t command;            /* whose data byte is to come, or 0 */
} I8042Regs;

struct I8042State {
    ISADevice parent_obj;
    MemoryRegion data_io, cmd_io;
    qemu_irq irq;
    I8042Regs regs;
};

static const VMStateDescription vmstate_i8042_regs = {
    .name = "i8042/regs",
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(status, I8042Regs),
        VMSTATE_UINT8(mode, I8042Regs),
        VMSTATE_UINT8(outport, I8042Regs),
        VMSTATE_UINT8(obuf, I8042Regs),
        VMSTATE_UINT8(command, I8042Regs),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_i8042 = {
    .name = TYPE_I8042,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(regs, I8042State, &vmstate_i8042_regs),
        VMSTATE_END_OF_LIST()
    },
};

static void i8042_update_irq(I8042State *s)
{
    I8042Regs *r = &s->regs;

    qemu_set_irq(s->irq, (r->status & STS_OBF) && (r->mode & MODE_KBD_INT));
}

/* Puts a byte where the guest reads it. */
static void i8042_answer(I8042State *s, uint8_t byte, uint8_t status)
{
    I8042Regs *r = &s->regs;

    r->obuf = byte;
    r->status = (r->status & ~STS_TIMEOUT) | STS_OBF | status;
    i8042_update_irq(s);
}

static void i8042_set_outport(I8042State *s, uint8_t val)
{
    s->regs.outport = val & ~OUTPORT_OBF;
    if (!(val & OUTPORT_NO_RESET)) {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static void i8042_command(I8042State *s, uint8_t cmd)
{
    I8042Regs *r = &s->regs;

    r->status |= STS_COMMAND;
    r->command = 0;
    switch (cmd) {
    case CMD_READ_MODE:
        i8042_answer(s, r->mode, 0);
        break;
    case CMD_WRITE_MODE:
    case CMD_WRITE_OUTPORT:
    case CMD_WRITE_KBD_OBUF:
    case CMD_WRITE_AUX_OBUF:
    case CMD_WRITE_AUX:
        r->command = cmd;
        break;
    case CMD_AUX_OFF:
        r->mode |= MODE_AUX_OFF;
        break;
    case CMD_AUX_ON:
        r->mode &= ~MODE_AUX_OFF;
        break;
    case CMD_AUX_TEST:
        i8042_answer(s, TEST_CLOCK_LOW, 0);     /* there is no such port */
        break;
    case CMD_SELF_TEST:
        r->status |= STS_SYSTEM;
        i8042_answer(s, SELF_TEST_OK, 0);
        break;
    case CMD_KBD_TEST:
        i8042_answer(s, 0, 0);
        break;
    case CMD_KBD_OFF:
        r->mode |= MODE_KBD_OFF;
        break;
    case CMD_KBD_ON:
        r->mode &= ~MODE_KBD_OFF;
        break;
    case CMD_READ_INPORT:
        i8042_answer(s, 0x80, 0);               /* not locked */
        break;
    case CMD_READ_OUTPORT:
        i8042_answer(s, r->outport
                     | (r->status & STS_OBF ? OUTPORT_OBF : 0), 0);
        break;
    default:
        if (cmd >= CMD_PULSE && !(cmd & OUTPORT_NO_RESET)) {
            qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        }
    }
}

static void i8042_data(I8042State *s, uint8_t val)
{
    I8042Regs *r = &s->regs;
    uint8_t cmd = r->command;

    r->status &= ~STS_COMMAND;
    r->command = 0;
    switch (cmd) {
    case CMD_WRITE_MODE:
        r->mode = val;
        r->status = (r->status & ~STS_SYSTEM)
            | (val & MODE_SYSTEM ? STS_SYSTEM : 0);
        i8042_update_irq(s);
        break;
    case CMD_WRITE_OUTPORT:
        i8042_set_outport(s, val);
        break;
    case CMD_WRITE_KBD_OBUF:
    case CMD_WRITE_AUX_OBUF:
        /* Without the mark of a mouse's byte: there is no mouse port. */
        i8042_answer(s, val, 0);
        break;
    default:
        /* For the keyboard or the mouse, which do not pick it up. */
        i8042_answer(s, DEVICE_RESEND, STS_TIMEOUT);
    }
}

static uint64_t i8042_data_read(void *opaque, hwaddr addr, unsigned size)
{
    I8042State *s = opaque;

    s->regs.status &= ~(STS_OBF | STS_TIMEOUT);
    i8042_update_irq(s);
    return s->regs.obuf;
}

static void i8042_data_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned size)
{
    i8042_data(opaque, val);
}

static uint64_t i8042_status_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((I8042State *)opaque)->regs.status;
}

static void i8042_cmd_write(void *opaque, hwaddr addr, uint64_t val,
                            unsigned size)
{
    i8042_command(opaque, val);
}

static const MemoryRegionOps i8042_data_ops = {
    .read = i8042_data_read,
    .write = i8042_data_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
};

static const MemoryRegionOps i8042_cmd_ops = {
    .read = i8042_status_read,
    .write = i8042_cmd_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
};

static void i8042_reset(DeviceState *dev)
{
    I8042State *s = I8042(dev);

    s->regs = (I8042Regs) {
        .status = STS_COMMAND | STS_UNLOCKED,
        .mode = MODE_KBD_OFF | MODE_AUX_OFF,
        .outport = OUTPORT_NO_RESET | OUTPORT_A20,
    };
    i8042_update_irq(s);
}

static bool i8042_realize(DeviceState *dev, Error **errp)
{
    I8042State *s = I8042(dev);

    s->irq = isa_get_irq(ISA_DEVICE(dev), KBD_IRQ);
    memory_region_init_io(&s->data_io, OBJECT(dev), &i8042_data_ops, s,
                          "i8042-data", 1);
    memory_region_init_io(&s->cmd_io, OBJECT(dev), &i8042_cmd_ops, s,
                          "i8042-cmd", 1);
    isa_register_ioport(ISA_DEVICE(dev), &s->data_io, 0x60);
    isa_register_ioport(ISA_DEVICE(dev), &s->cmd_io, 0x64);
    return true;
}

static void i8042_unrealize(DeviceState *dev)
{
    I8042State *s = I8042(dev);

    memory_region_finalize(&s->data_io);
    memory_region_finalize(&s->cmd_io);
}

static void i8042_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->user_creatable = false;
    dc->realize = i8042_realize;
    dc->unrealize = i8042_unrealize;
    dc->reset = i8042_reset;
    dc->vmsd = &vmstate_i8042;
}

static const TypeInfo i8042_types[] = {
    {
        .name = TYPE_I8042,
        .parent = TYPE_ISA_DEVICE,
        .instance_size = sizeof(I8042State),
        .class_init = i8042_class_init,
    },
};
DEFINE_TYPES(i8042_types)
