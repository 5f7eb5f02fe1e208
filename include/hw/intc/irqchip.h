/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt controllers in user space, for a machine without KVM's.  Each is a
 * device on no bus; all calls and callbacks with the BQL.
 */
#ifndef HW_INTC_IRQCHIP_H
#define HW_INTC_IRQCHIP_H

#include "hw/qdev-core.h"
#include "system/memory.h"

/* The guest has ended the interrupt of @pin. */
typedef void IRQChipAcked(int pin);

/* What an I/O APIC or a message asks of local APICs. */
typedef struct APICMessage {
    uint8_t dest;
    bool logical;               /* @dest is a logical address */
    uint8_t mode;               /* delivery mode, 0 to 7 */
    uint8_t vector;
    bool level;                 /* triggered: its end is to be broadcast */
} APICMessage;

/* -- Two 8259s, the second on pin 2 of the first ------------------------- */

#define TYPE_I8259 "i8259"
OBJECT_DECLARE_SIMPLE_TYPE(I8259State, I8259)
#define I8259_PINS 16           /* inputs; pin 2 is the cascade's */

/* With ports in @io. */
I8259State *i8259_new(Object *parent, MemoryRegion *io, IRQChipAcked *acked);

/* -- I/O APIC ------------------------------------------------------------- */

#define TYPE_IOAPIC "ioapic"
OBJECT_DECLARE_SIMPLE_TYPE(IOAPICState, IOAPIC)
#define IOAPIC_PINS 24          /* inputs; input 0 is pin 2, as on a PC */
#define IOAPIC_BASE 0xfec00000

/* @deliver: false if no local APIC has taken it. */
IOAPICState *ioapic_new(Object *parent, MemoryRegion *mem,
                        bool (*deliver)(const APICMessage *msg),
                        IRQChipAcked *acked);
/* A local APIC has ended @vector. */
void ioapic_end(IOAPICState *s, uint8_t vector);

/* -- The local APIC of the first CPU --------------------------------------- */

#define TYPE_APIC "apic"
OBJECT_DECLARE_SIMPLE_TYPE(APICState, APIC)
#define APIC_BASE 0xfee00000

/* @ended: a vector's EOI. */
APICState *apic_new(Object *parent, MemoryRegion *mem,
                    void (*ended)(uint8_t vector));
bool apic_deliver(APICState *s, const APICMessage *msg);

#endif
