/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI fixed hardware of the ICH9 and the PIIX4 (ACPI 6.4, 4.8; Intel
 * 316972, 13.8.3; Intel 290562, 7.2).
 *
 * Sleep states other than S5 are not offered, so their types do nothing.
 * SMI_EN says from reset on that its APM bit is set, from which firmware
 * knows that system management mode is not there to be used.
 */
#include "qemu/osdep.h"
#include "hw/acpi/acpi.h"
#include "qemu/bitops.h"
#include "system/runstate.h"

#define PM1_EN_MASK (ACPI_PM1_TMR | ACPI_PM1_GBL | ACPI_PM1_PWRBTN \
                     | ACPI_PM1_SLPBTN | ACPI_PM1_RTC)
#define PM1_STS_MASK (PM1_EN_MASK | ACPI_PM1_WAK)
#define PM1_CNT_MASK 0x1c03             /* SCI_EN, BM_RLD, SLP_TYP */
#define TMR_MASK 0xffffff
#define TMR_HALF 0x800000               /* bit 23 flips each so many ticks */
#define SMI_EN_APMC_EN (1 << 5)

const ACPIPMModel acpi_pm_ich9 = {
    .name = "ich9-pm",
    .io_size = 128,
    .gpe_bytes = 8,
    .gpe_offset = 0x20,
    .smi_offset = 0x30,
    .apm_enable = 0x02,
    .apm_disable = 0x03,
};

const ACPIPMModel acpi_pm_piix4 = {
    .name = "piix4-pm",
    .io_size = 64,
    .gpe_bytes = 2,
    .gpe_fixed_port = 0xafe0,
    .apm_enable = 0xf1,
    .apm_disable = 0xf0,
};

const VMStateDescription vmstate_acpi_pm = {
    .name = "acpi-pm",
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(pm1_sts, ACPIPMRegs),
        VMSTATE_UINT16(pm1_en, ACPIPMRegs),
        VMSTATE_UINT16(pm1_cnt, ACPIPMRegs),
        VMSTATE_UINT64(tmr_overflow, ACPIPMRegs),
        VMSTATE_BUFFER(gpe_sts, ACPIPMRegs),
        VMSTATE_BUFFER(gpe_en, ACPIPMRegs),
        VMSTATE_UINT32(smi_en, ACPIPMRegs),
        VMSTATE_UINT32(smi_sts, ACPIPMRegs),
        VMSTATE_BUFFER(apm, ACPIPMRegs),
        VMSTATE_END_OF_LIST()
    },
};

/* -- Timer and SCI ------------------------------------------------------- */

static uint64_t pm_ticks(void)
{
    return (unsigned __int128)qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)
        * ACPI_PM_TIMER_HZ / NANOSECONDS_PER_SECOND;
}

/* The first nanosecond at which the tick counter shows @ticks. */
static int64_t pm_ticks_to_ns(uint64_t ticks)
{
    return ((unsigned __int128)ticks * NANOSECONDS_PER_SECOND
            + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;
}

static void pm_set_overflow(ACPIPMRegs *r)
{
    r->tmr_overflow = (pm_ticks() / TMR_HALF + 1) * TMR_HALF;
}

static bool pm_event_pending(const ACPIPMState *s)
{
    const ACPIPMRegs *r = &s->regs;

    if (r->pm1_sts & r->pm1_en) {
        return true;
    }
    for (int i = 0; i < s->model->gpe_bytes; i++) {
        if (r->gpe_sts[i] & r->gpe_en[i]) {
            return true;
        }
    }
    return false;
}

/* After any change of status or enable. */
static void pm_update(void *opaque)
{
    ACPIPMState *s = opaque;
    ACPIPMRegs *r = &s->regs;

    if (pm_ticks() >= r->tmr_overflow) {
        r->pm1_sts |= ACPI_PM1_TMR;
        pm_set_overflow(r);
    }
    if ((r->pm1_en & ACPI_PM1_TMR) && !(r->pm1_sts & ACPI_PM1_TMR)) {
        timer_mod_ns(s->timer, pm_ticks_to_ns(r->tmr_overflow));
    } else {
        timer_del(s->timer);
    }
    qemu_set_irq(s->sci,
                 (r->pm1_cnt & ACPI_PM1_SCI_EN) && pm_event_pending(s));
}

void acpi_pm_set_sci(ACPIPMState *s, qemu_irq sci)
{
    qemu_irq_lower(s->sci);
    s->sci = sci;
    pm_update(s);
}

void acpi_pm_raise_gpe(ACPIPMState *s, unsigned bit)
{
    assert(bit < 8 * s->model->gpe_bytes);
    s->regs.gpe_sts[bit / 8] |= 1 << bit % 8;
    pm_update(s);
}

void acpi_pm_power_button(ACPIPMState *s)
{
    s->regs.pm1_sts |= ACPI_PM1_PWRBTN;
    pm_update(s);
}

static void pm_powerdown(void *opaque)
{
    acpi_pm_power_button(opaque);
}

/* -- Registers ----------------------------------------------------------- */

/* Registers may be accessed in parts: the bits that an access is about. */
static uint64_t pm_mask(hwaddr addr, unsigned size)
{
    return MAKE_64BIT_MASK(addr * 8, size * 8);
}

static uint64_t pm_evt_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPMState *s = opaque;

    pm_update(s);
    return ((uint32_t)s->regs.pm1_en << 16 | s->regs.pm1_sts) >> addr * 8;
}

static void pm_evt_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    ACPIPMState *s = opaque;
    uint32_t mask = pm_mask(addr, size);

    val = val << addr * 8 & mask;
    pm_update(s);
    s->regs.pm1_sts &= ~val;
    s->regs.pm1_en = ((s->regs.pm1_en & ~(mask >> 16)) | val >> 16)
        & PM1_EN_MASK;
    pm_update(s);
}

static uint64_t pm_cnt_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((ACPIPMState *)opaque)->regs.pm1_cnt >> addr * 8;
}

static void pm_cnt_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    ACPIPMState *s = opaque;
    uint16_t mask = pm_mask(addr, size);
    int type;

    val = (s->regs.pm1_cnt & ~mask) | (val << addr * 8 & mask);
    s->regs.pm1_cnt = val & PM1_CNT_MASK;
    pm_update(s);
    type = val >> ACPI_PM1_SLP_TYP_SHIFT & ACPI_PM1_SLP_TYP_MASK;
    if ((val & ACPI_PM1_SLP_EN) && type == s->model->s5_type) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static uint64_t pm_tmr_read(void *opaque, hwaddr addr, unsigned size)
{
    return (pm_ticks() & TMR_MASK) >> addr * 8;
}

static void pm_write_ignored(void *opaque, hwaddr addr, uint64_t val,
                             unsigned size)
{
}

static uint64_t pm_gpe_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPMState *s = opaque;
    unsigned n = s->model->gpe_bytes;

    return addr < n ? s->regs.gpe_sts[addr] : s->regs.gpe_en[addr - n];
}

static void pm_gpe_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    ACPIPMState *s = opaque;
    unsigned n = s->model->gpe_bytes;

    if (addr < n) {
        s->regs.gpe_sts[addr] &= ~val;
    } else {
        s->regs.gpe_en[addr - n] = val;
    }
    pm_update(s);
}

static uint64_t pm_smi_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPMState *s = opaque;

    return ((uint64_t)s->regs.smi_sts << 32 | s->regs.smi_en) >> addr * 8;
}

static void pm_smi_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    ACPIPMState *s = opaque;
    uint64_t mask = pm_mask(addr, size);

    val = val << addr * 8 & mask;
    s->regs.smi_en = (s->regs.smi_en & ~mask) | val | SMI_EN_APMC_EN;
    s->regs.smi_sts &= ~(val >> 32);
}

static uint64_t pm_rest_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static uint64_t pm_apm_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((ACPIPMState *)opaque)->regs.apm[addr];
}

static void pm_apm_write(void *opaque, hwaddr addr, uint64_t val,
                         unsigned size)
{
    ACPIPMState *s = opaque;

    s->regs.apm[addr] = val;
    if (addr == 0 && val == s->model->apm_enable) {
        s->regs.pm1_cnt |= ACPI_PM1_SCI_EN;
    } else if (addr == 0 && val == s->model->apm_disable) {
        s->regs.pm1_cnt &= ~ACPI_PM1_SCI_EN;
    }
    pm_update(s);
}

#define PM_OPS(name_, read_, write_, max_)                              \
    static const MemoryRegionOps name_ = {                              \
        .read = read_,                                                  \
        .write = write_,                                                \
        .endianness = DEVICE_LITTLE_ENDIAN,                             \
        .valid = { .min_access_size = 1, .max_access_size = 4 },        \
        .impl = { .min_access_size = 1, .max_access_size = max_ },      \
    }
PM_OPS(pm_evt_ops, pm_evt_read, pm_evt_write, 4);
PM_OPS(pm_cnt_ops, pm_cnt_read, pm_cnt_write, 2);
PM_OPS(pm_tmr_ops, pm_tmr_read, pm_write_ignored, 4);
PM_OPS(pm_gpe_ops, pm_gpe_read, pm_gpe_write, 1);
PM_OPS(pm_smi_ops, pm_smi_read, pm_smi_write, 4);
PM_OPS(pm_apm_ops, pm_apm_read, pm_apm_write, 1);
PM_OPS(pm_rest_ops, pm_rest_read, pm_write_ignored, 4);

/* -- Life ---------------------------------------------------------------- */

void acpi_pm_reset(ACPIPMState *s)
{
    s->regs = (ACPIPMRegs) { .smi_en = SMI_EN_APMC_EN };
    pm_set_overflow(&s->regs);
    pm_update(s);
}

void acpi_pm_init(ACPIPMState *s, DeviceState *dev, const ACPIPMModel *model,
                  qemu_irq sci)
{
    Object *owner = OBJECT(dev);

    s->model = model;
    s->sci = sci;
    s->timer = aio_timer_new(qdev_get_context(dev), QEMU_CLOCK_VIRTUAL,
                             SCALE_NS, pm_update, s);

    memory_region_init(&s->io, owner, model->name, model->io_size);
    memory_region_init_io(&s->rest, owner, &pm_rest_ops, s, "acpi-reserved",
                          model->io_size);
    memory_region_add_subregion_overlap(&s->io, 0, &s->rest, -1);
    memory_region_init_io(&s->evt, owner, &pm_evt_ops, s, "acpi-evt", 4);
    memory_region_add_subregion(&s->io, 0, &s->evt);
    memory_region_init_io(&s->cnt, owner, &pm_cnt_ops, s, "acpi-cnt", 2);
    memory_region_add_subregion(&s->io, 4, &s->cnt);
    memory_region_init_io(&s->tmr, owner, &pm_tmr_ops, s, "acpi-tmr", 4);
    memory_region_add_subregion(&s->io, 8, &s->tmr);
    memory_region_init_io(&s->gpe, owner, &pm_gpe_ops, s, "acpi-gpe0",
                          2 * model->gpe_bytes);
    if (model->gpe_offset) {
        memory_region_add_subregion(&s->io, model->gpe_offset, &s->gpe);
    }
    memory_region_init_io(&s->smi, owner, &pm_smi_ops, s, "acpi-smi", 8);
    if (model->smi_offset) {
        memory_region_add_subregion(&s->io, model->smi_offset, &s->smi);
    }
    memory_region_init_io(&s->apm, owner, &pm_apm_ops, s, "apm", 2);

    acpi_pm_reset(s);
    qemu_register_powerdown_notifier(pm_powerdown, s);
}
