/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the south bridges' interrupt routers share: a register for each PIRQ
 * that names an ISA interrupt, and the machine's GSI lines they end on.
 */
#ifndef HW_ISA_PIRQ_H
#define HW_ISA_PIRQ_H

#include "hw/irq.h"
#include "qemu/bitops.h"

#define PIRQ_ROUTE_DISABLED 0x80    /* reset value of a route register */
#define PIRQ_ROUTE_MASK 0x8f
/* 0, 1, 2, 8 and 13 are not for PCI devices (reserved values). */
#define PIRQ_ISA_IRQS 0xdef8
#define GSI_LINES 24

typedef struct GSILines {
    qemu_irq line[GSI_LINES];       /* connected by the machine */
    uint32_t driven;                /* bit per line */
} GSILines;

/* The ISA interrupt that a route register names, or -1. */
static inline int pirq_isa_irq(uint8_t route)
{
    bool usable = !(route & PIRQ_ROUTE_DISABLED) &&
                  (PIRQ_ISA_IRQS >> (route & 0xf) & 1);

    return usable ? route & 0xf : -1;
}

/* Makes the lines as @levels says; those that stay as they were hear nothing.
 * A level that moves is up at its new place before it is down at the old. */
static inline void gsi_lines_drive(GSILines *s, uint32_t levels)
{
    uint32_t raise = levels & ~s->driven, lower = s->driven & ~levels;

    s->driven = levels;
    for (; raise; raise &= raise - 1) {
        qemu_set_irq(s->line[ctz32(raise)], 1);
    }
    for (; lower; lower &= lower - 1) {
        qemu_set_irq(s->line[ctz32(lower)], 0);
    }
}

#endif
