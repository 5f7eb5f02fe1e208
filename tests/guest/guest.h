/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the payloads of tests/guest stand on: 32-bit programs that run without
 * an operating system, loaded by -kernel of any emulator that takes multiboot.
 *
 * One CPU.  Interrupts are off at the start; a payload handles those that it
 * opens.  Output goes to the first serial port, the verdict to isa-debug-exit
 * at its default ports.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* -- Accesses ------------------------------------------------------------ */

/* outb() and inb(), and so on. */
#define PORT_ACCESSES(suffix, type)                                     \
    static inline void out##suffix(uint16_t port, type val)             \
    {                                                                   \
        asm volatile("out" #suffix " %0, %1"                            \
                     : : "a"(val), "Nd"(port) : "memory");              \
    }                                                                   \
                                                                        \
    static inline type in##suffix(uint16_t port)                        \
    {                                                                   \
        type val;                                                       \
                                                                        \
        asm volatile("in" #suffix " %1, %0"                             \
                     : "=a"(val) : "Nd"(port) : "memory");              \
        return val;                                                     \
    }
PORT_ACCESSES(b, uint8_t)
PORT_ACCESSES(w, uint16_t)
PORT_ACCESSES(l, uint32_t)

/* Plain moves: one access of this size each, whatever the compiler thinks. */
static inline uint32_t mmio_read32(uint32_t addr)
{
    uint32_t val;

    asm volatile("movl (%1), %0" : "=r"(val) : "r"(addr) : "memory");
    return val;
}

static inline void mmio_write32(uint32_t addr, uint32_t val)
{
    asm volatile("movl %0, (%1)" : : "r"(val), "r"(addr) : "memory");
}

static inline void interrupts_off(void)
{
    asm volatile("cli" : : : "memory");
}

static inline void interrupts_on(void)
{
    asm volatile("sti" : : : "memory");
}

/* Opens interrupts and sleeps until one was handled; none is missed between
 * the two.  Call with interrupts off; they are off again afterwards. */
static inline void sleep_for_interrupt(void)
{
    asm volatile("sti; hlt; cli" : : : "memory");
}

/* -- Output -------------------------------------------------------------- */

void put_char(char c);
/* %s %c %u %x (unsigned int), %% */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The next character that came on the serial port; waits. */
char get_char(void);

/* Ends the emulator: status 33 if all is well, 35 if not. */
void guest_exit(bool good) __attribute__((noreturn));
/* Says why and ends the emulator with status 35. */
void give_up(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* -- The command line ---------------------------------------------------- */

bool text_starts(const char *text, const char *with);
/* Value of NAME=NUMBER on the command line, or other. */
unsigned option(const char *name, unsigned other);
/* What the loader was told. */
extern const char *command_line;

/* -- PCI ----------------------------------------------------------------- */

#define PCI_VENDOR_ID 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 0x001
#define PCI_COMMAND_MEMORY 0x002
#define PCI_COMMAND_MASTER 0x004
#define PCI_COMMAND_INTX_DISABLE 0x400
#define PCI_STATUS 0x06
#define PCI_STATUS_INTERRUPT 0x08
#define PCI_BASE_ADDRESS_0 0x10
#define PCI_INTERRUPT_PIN 0x3d

/* slot << 3 | function, on bus 0 */
#define DEVFN(slot, fn) ((slot) << 3 | (fn))

/* size is 1, 2 or 4; addr a multiple of it. */
uint32_t pci_read(unsigned devfn, unsigned addr, unsigned size);
void pci_write(unsigned devfn, unsigned addr, unsigned size, uint32_t val);

/* -- The chipset's interrupt router -------------------------------------- */

#define ROUTE_NOWHERE 0x80

/* Whether this is a q35; a pc otherwise. */
extern bool is_q35;

/* The PIRQ, 0 for A, that a pin (0 for INTA) of a slot is wired to. */
unsigned pirq_of(unsigned slot, unsigned pin);
/* Puts a PIRQ on an ISA interrupt, or ROUTE_NOWHERE. */
void route_pirq(unsigned pirq, uint8_t isa_irq);
/* q35, slots 25 to 29 and 31: puts a slot's pin on a PIRQ. */
void route_pin(unsigned slot, unsigned pin, unsigned pirq);

/* -- Interrupt controllers ----------------------------------------------- */

enum { LINES = 24 };            /* ISA interrupts 0 to 15, or GSIs 0 to 23 */

enum { VIA_PIC, VIA_APIC, VIAS };

/* Prepares both controllers with every line masked and level-triggered, and
 * starts the tick. */
void interrupt_controllers_init(void);
/* Opens or closes a line at one of the controllers. */
void line_open(int via, unsigned line);
void line_close(int via, unsigned line);

/* Ticks of 10 ms since the start. */
extern volatile unsigned ticks;

/* To be defined by the payload: serves a line's interrupt; the controller is
 * told of its end when this returns.  Interrupts are off. */
void line_interrupt(int via, unsigned line);

/* To be defined by the payload: interrupts are off. */
void payload(void);

#endif
