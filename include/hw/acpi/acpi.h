/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI fixed hardware of both chipsets (ACPI 6.4, 4.8; ICH9 datasheet,
 * 13.8; PIIX4 datasheet, 7): PM1 event and control blocks, the power
 * management timer, one general purpose event block and the APM command ports
 * by which an operating system switches ACPI on.
 *
 * A chipset function embeds an ACPIPMState, maps its regions where its config
 * space says, and gives it the SCI line.  There is no system management mode:
 * a command in the APM port is obeyed by the chip itself.
 */
#ifndef HW_ACPI_ACPI_H
#define HW_ACPI_ACPI_H

#include "hw/qdev-core.h"
#include "migration/vmstate.h"
#include "qemu/timer.h"
#include "system/memory.h"

#define ACPI_PM_TIMER_HZ 3579545

/* PM1 status and enable */
#define ACPI_PM1_TMR 0x0001
#define ACPI_PM1_GBL 0x0020
#define ACPI_PM1_PWRBTN 0x0100
#define ACPI_PM1_SLPBTN 0x0200
#define ACPI_PM1_RTC 0x0400
#define ACPI_PM1_WAK 0x8000         /* status only */
/* PM1 control */
#define ACPI_PM1_SCI_EN 0x0001
#define ACPI_PM1_SLP_TYP_SHIFT 10
#define ACPI_PM1_SLP_TYP_MASK 7
#define ACPI_PM1_SLP_EN 0x2000

#define ACPI_APM_PORT 0xb2          /* command; status follows it */
#define ACPI_GPE_MAX 8              /* bytes of status, and of enable */

/* What differs between the chipsets. */
typedef struct ACPIPMModel {
    const char *name;
    uint8_t io_size;                /* bytes */
    uint8_t gpe_bytes;              /* of status; as many of enable follow */
    uint8_t gpe_offset;             /* in io; 0: outside, see gpe_fixed_port */
    uint16_t gpe_fixed_port;
    uint8_t smi_offset;             /* SMI_EN and SMI_STS in io; 0: none */
    uint8_t apm_enable, apm_disable;
    uint8_t s5_type;                /* SLP_TYP that switches off */
} ACPIPMModel;

extern const ACPIPMModel acpi_pm_ich9, acpi_pm_piix4;

/* All that the guest can see. */
typedef struct ACPIPMRegs {
    uint16_t pm1_sts, pm1_en, pm1_cnt;
    uint64_t tmr_overflow;          /* ticks at which bit 23 flips next */
    uint8_t gpe_sts[ACPI_GPE_MAX], gpe_en[ACPI_GPE_MAX];
    uint32_t smi_en, smi_sts;
    uint8_t apm[2];
} ACPIPMRegs;
extern const VMStateDescription vmstate_acpi_pm;

typedef struct ACPIPMState {
    /* For the chipset to map. */
    MemoryRegion io;                /* model->io_size bytes, at PMBASE */
    MemoryRegion apm;               /* 2 bytes, at I/O ACPI_APM_PORT */
    MemoryRegion gpe;               /* in io, or at model->gpe_fixed_port */
    /* Its own. */
    MemoryRegion rest, evt, cnt, tmr, smi;
    const ACPIPMModel *model;
    ACPIPMRegs regs;
    QEMUTimer *timer;
    qemu_irq sci;
} ACPIPMState;

/**
 * acpi_pm_init - make the regions; none is mapped yet.
 * @dev: the function that it is part of, being realized
 * @sci: level, high while an enabled event is pending and SCI_EN is set
 */
void acpi_pm_init(ACPIPMState *s, DeviceState *dev, const ACPIPMModel *model,
                  qemu_irq sci);
void acpi_pm_reset(ACPIPMState *s);
/* The SCI moves to another line (ACPI_CNTL): the level goes with it. */
void acpi_pm_set_sci(ACPIPMState *s, qemu_irq sci);
/* General purpose event @bit (0 to 8 * gpe_bytes - 1) has happened. */
void acpi_pm_raise_gpe(ACPIPMState *s, unsigned bit);
/* The power button, as qemu_system_powerdown_request() presses it. */
void acpi_pm_power_button(ACPIPMState *s);

#endif
