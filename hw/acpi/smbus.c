/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBus host controller (Intel 290562, 7.3; Intel 316972, 19.2).  Nothing is
 * connected, so every transfer ends at once with a device error: no
 * acknowledge.
 */
#include "qemu/osdep.h"
#include "hw/acpi/smbus.h"

enum {
    HST_STS = 0, HST_CNT = 2, HST_CMD = 3, HST_ADD = 4, HST_D0 = 5, HST_D1 = 6,

    STS_BUSY = 1 << 0, STS_DEV_ERR = 1 << 2, STS_FAILED = 1 << 4,
    STS_INUSE = 1 << 6,
    STS_W1C = 0xfe,

    CNT_INTREN = 1 << 0, CNT_KILL = 1 << 1, CNT_START = 1 << 6,
};

const VMStateDescription vmstate_pm_smbus = {
    .name = "pm-smbus",
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(status, PMSMBusRegs),
        VMSTATE_UINT8(control, PMSMBusRegs),
        VMSTATE_UINT8(command, PMSMBusRegs),
        VMSTATE_UINT8(address, PMSMBusRegs),
        VMSTATE_UINT8(data0, PMSMBusRegs),
        VMSTATE_UINT8(data1, PMSMBusRegs),
        VMSTATE_END_OF_LIST()
    },
};

static void smbus_update_irq(PMSMBus *s)
{
    qemu_set_irq(s->irq, (s->regs.control & CNT_INTREN)
                 && (s->regs.status & (STS_DEV_ERR | STS_FAILED)));
}

static uint8_t *smbus_plain_reg(PMSMBusRegs *r, hwaddr addr)
{
    switch (addr) {
    case HST_CMD:
        return &r->command;
    case HST_ADD:
        return &r->address;
    case HST_D0:
        return &r->data0;
    case HST_D1:
        return &r->data1;
    default:
        return NULL;
    }
}

static uint64_t smbus_read(void *opaque, hwaddr addr, unsigned size)
{
    PMSMBusRegs *r = &((PMSMBus *)opaque)->regs;
    uint8_t *reg = smbus_plain_reg(r, addr);
    uint8_t val;

    if (reg) {
        return *reg;
    }
    if (addr == HST_STS) {
        val = r->status;
        r->status |= STS_INUSE;     /* a semaphore between its users */
        return val;
    }
    return addr == HST_CNT ? r->control : 0;
}

static void smbus_write(void *opaque, hwaddr addr, uint64_t val,
                        unsigned size)
{
    PMSMBus *s = opaque;
    PMSMBusRegs *r = &s->regs;
    uint8_t *reg = smbus_plain_reg(r, addr);

    if (reg) {
        *reg = val;
    } else if (addr == HST_STS) {
        r->status &= ~(val & STS_W1C);
    } else if (addr == HST_CNT) {
        r->control = val & ~CNT_START;
        if (val & CNT_KILL) {
            r->status |= STS_FAILED;
        } else if (val & CNT_START) {
            r->status |= STS_DEV_ERR;
        }
    }
    smbus_update_irq(s);
}

static const MemoryRegionOps smbus_ops = {
    .read = smbus_read,
    .write = smbus_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

void pm_smbus_reset(PMSMBus *s)
{
    s->regs = (PMSMBusRegs) { 0 };
    smbus_update_irq(s);
}

void pm_smbus_init(PMSMBus *s, DeviceState *dev, qemu_irq irq)
{
    s->irq = irq;
    memory_region_init_io(&s->io, OBJECT(dev), &smbus_ops, s, "pm-smbus",
                          PM_SMBUS_IO_SIZE);
}
