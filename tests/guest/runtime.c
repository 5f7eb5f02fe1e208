/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial output, PCI by ports 0xcf8 and 0xcfc, the PIRQ routers of ICH9 and
 * PIIX3, two 8259s, an I/O APIC and the local APIC of one CPU.
 */
#include "guest.h"

/* -- Output -------------------------------------------------------------- */

#define COM1 0x3f8

static void serial_init(void)
{
    outb(COM1 + 1, 0);          /* polled */
    outb(COM1 + 3, 0x80);
    outb(COM1 + 0, 1);          /* 115200 baud */
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);          /* 8n1 */
    outb(COM1 + 2, 1);
    outb(COM1 + 4, 3);
}

void put_char(char c)
{
    if (c == '\n') {
        put_char('\r');
    }
    while (!(inb(COM1 + 5) & 0x20)) {
    }
    outb(COM1, c);
}

char get_char(void)
{
    while (!(inb(COM1 + 5) & 1)) {
    }
    return inb(COM1);
}

static void put_number(unsigned n, unsigned base)
{
    char digits[10];
    int i = 0;

    do {
        digits[i++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    while (i) {
        put_char(digits[--i]);
    }
}

static void put_text(const char *s)
{
    while (*s) {
        put_char(*s++);
    }
}

static void print_list(const char *format, va_list list)
{
    for (; *format; format++) {
        if (*format != '%') {
            put_char(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            put_text(va_arg(list, const char *));
            break;
        case 'c':
            put_char(va_arg(list, int));
            break;
        case 'u':
            put_number(va_arg(list, unsigned), 10);
            break;
        case 'x':
            put_number(va_arg(list, unsigned), 16);
            break;
        default:
            put_char(*format);
        }
    }
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
}

void guest_exit(bool good)
{
    outb(0x501, good ? 16 : 17);
    for (;;) {
        asm volatile("cli; hlt");
    }
}

void give_up(const char *format, ...)
{
    va_list list;

    print("\n@@ gave-up ");
    va_start(list, format);
    print_list(format, list);
    va_end(list);
    print("\n");
    guest_exit(false);
}

/* -- The command line ---------------------------------------------------- */

const char *command_line = "";

bool text_starts(const char *text, const char *with)
{
    while (*with) {
        if (*text++ != *with++) {
            return false;
        }
    }
    return true;
}

unsigned option(const char *name, unsigned other)
{
    for (const char *s = command_line; *s; s++) {
        const char *digit = s;
        const char *rest = name;

        if (s != command_line && s[-1] != ' ') {
            continue;
        }
        while (*rest && *digit == *rest) {
            digit++;
            rest++;
        }
        if (!*rest && *digit == '=') {
            unsigned val = 0;

            while (*++digit >= '0' && *digit <= '9') {
                val = val * 10 + *digit - '0';
            }
            return val;
        }
    }
    return other;
}

/* -- PCI ----------------------------------------------------------------- */

static void pci_select(unsigned devfn, unsigned addr)
{
    outl(0xcf8, 0x80000000u | devfn << 8 | (addr & 0xfc));
}

uint32_t pci_read(unsigned devfn, unsigned addr, unsigned size)
{
    uint16_t port = 0xcfc + (addr & 3);

    pci_select(devfn, addr);
    return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

void pci_write(unsigned devfn, unsigned addr, unsigned size, uint32_t val)
{
    uint16_t port = 0xcfc + (addr & 3);

    pci_select(devfn, addr);
    if (size == 1) {
        outb(port, val);
    } else if (size == 2) {
        outw(port, val);
    } else {
        outl(port, val);
    }
}

/* -- The chipset's interrupt router -------------------------------------- */

#define ICH9 DEVFN(31, 0)
#define PIIX3 DEVFN(1, 0)
#define RCBA 0xfed1c000u

bool is_q35;

/* The register that routes a slot's pins, an offset to RCBA; 0: none does. */
static unsigned pin_register(unsigned slot)
{
    static const uint16_t registers[] = {
        0x3150, 0x314c, 0x3148, 0x3146, 0x3144, 0, 0x3140
    };

    return slot < 25 ? 0 : registers[slot - 25];
}

static uint32_t pin_routes(unsigned slot)
{
    unsigned reg = pin_register(slot);

    return mmio_read32(RCBA + (reg & ~3u)) >> (reg & 2) * 8;
}

unsigned pirq_of(unsigned slot, unsigned pin)
{
    if (!is_q35) {
        return (slot + 3 + pin) & 3;
    }
    if (pin_register(slot)) {
        return pin_routes(slot) >> 4 * pin & 7;
    }
    return 4 + (slot == 30 ? pin : ((slot + pin) & 3));
}

void route_pirq(unsigned pirq, uint8_t isa_irq)
{
    if (is_q35) {
        pci_write(ICH9, (pirq < 4 ? 0x60 : 0x64) + pirq, 1, isa_irq);
    } else {
        pci_write(PIIX3, 0x60 + pirq, 1, isa_irq);
    }
}

void route_pin(unsigned slot, unsigned pin, unsigned pirq)
{
    unsigned reg = pin_register(slot), shift = (reg & 2) * 8 + 4 * pin;
    uint32_t val = mmio_read32(RCBA + (reg & ~3u));

    mmio_write32(RCBA + (reg & ~3u), (val & ~(7u << shift)) | pirq << shift);
}

static void chipset_init(void)
{
    uint32_t id = pci_read(DEVFN(0, 0), PCI_VENDOR_ID, 4);

    if (id == 0x29c08086) {
        is_q35 = true;
        pci_write(ICH9, 0xf0, 4, RCBA | 1);
    } else if (id != 0x12378086) {
        give_up("host bridge 0x%x is neither q35 nor pc", id);
    }
    for (unsigned pirq = 0; pirq < (is_q35 ? 8 : 4); pirq++) {
        route_pirq(pirq, ROUTE_NOWHERE);
    }
}

/* -- Interrupt controllers ----------------------------------------------- */

enum { PIC_VECTOR = 0x20, TICK_VECTOR = 0x40, APIC_VECTOR = 0x50,
       SPURIOUS_VECTOR = 0xff };

#define IOAPIC 0xfec00000u
#define LAPIC 0xfee00000u
#define LAPIC_EOI (LAPIC + 0xb0)

volatile unsigned ticks;

static uint16_t pic_open = 1 << 2;      /* the cascade */

static void pic_mask(void)
{
    outb(0x21, ~pic_open);
    outb(0xa1, ~(pic_open >> 8));
}

static void ioapic_write(unsigned reg, uint32_t val)
{
    mmio_write32(IOAPIC, reg);
    mmio_write32(IOAPIC + 0x10, val);
}

static void ioapic_set(unsigned line, bool open)
{
    /* Physical destination 0, fixed; level, and high as PCI's lines are when
     * they have passed the chipset's router. */
    ioapic_write(0x11 + 2 * line, 0);
    ioapic_write(0x10 + 2 * line, (APIC_VECTOR + line) | 1 << 15 |
                 (open ? 0 : 1 << 16));
}

void line_open(int via, unsigned line)
{
    if (via == VIA_APIC) {
        ioapic_set(line, true);
    } else {
        pic_open |= 1 << line;
        pic_mask();
    }
}

void line_close(int via, unsigned line)
{
    if (via == VIA_APIC) {
        ioapic_set(line, false);
    } else {
        pic_open &= ~(1 << line);
        pic_mask();
    }
}

static void pic_init(void)
{
    static const uint8_t setup[][2] = {
        { 0x20, 0x11 }, { 0x21, PIC_VECTOR }, { 0x21, 4 }, { 0x21, 1 },
        { 0xa0, 0x11 }, { 0xa1, PIC_VECTOR + 8 }, { 0xa1, 2 }, { 0xa1, 1 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(setup); i++) {
        outb(setup[i][0], setup[i][1]);
    }
    pic_mask();
    /* Level for 3 to 7, 9 to 12, 14 and 15: what a PIRQ can be put on. */
    outb(0x4d0, 0xf8);
    outb(0x4d1, 0xde);
}

static void apic_init(void)
{
    mmio_write32(LAPIC + 0x80, 0);                      /* priority */
    mmio_write32(LAPIC + 0xf0, 0x100 | SPURIOUS_VECTOR);
    mmio_write32(LAPIC + 0x350, 0x700);                 /* LINT0: 8259 */
    mmio_write32(LAPIC + 0x360, 0x10000);
    for (unsigned line = 0; line < LINES; line++) {
        ioapic_set(line, false);
    }
    mmio_write32(LAPIC + 0x3e0, 0xb);                   /* count by 1 */
    mmio_write32(LAPIC + 0x320, 1 << 17 | TICK_VECTOR); /* periodic */
    mmio_write32(LAPIC + 0x380, 10000000);
}

void interrupt_controllers_init(void)
{
    pic_init();
    apic_init();
}

static bool pic_in_service(unsigned irq)
{
    uint16_t port = irq < 8 ? 0x20 : 0xa0;

    outb(port, 0x0b);
    return inb(port) & 1 << (irq & 7);
}

static void pic_interrupt(unsigned irq)
{
    if ((irq & 7) == 7 && !pic_in_service(irq)) {
        if (irq == 15) {
            outb(0x20, 0x20);
        }
        return;
    }
    line_interrupt(VIA_PIC, irq);
    if (irq >= 8) {
        outb(0xa0, 0x20);
    }
    outb(0x20, 0x20);
}

void guest_interrupt(unsigned vector, unsigned where);

void guest_interrupt(unsigned vector, unsigned where)
{
    if (vector == TICK_VECTOR) {
        ticks++;
        mmio_write32(LAPIC_EOI, 0);
    } else if (vector >= PIC_VECTOR && vector < PIC_VECTOR + 16) {
        pic_interrupt(vector - PIC_VECTOR);
    } else if (vector >= APIC_VECTOR && vector < APIC_VECTOR + LINES) {
        line_interrupt(VIA_APIC, vector - APIC_VECTOR);
        mmio_write32(LAPIC_EOI, 0);
    } else if (vector != SPURIOUS_VECTOR) {
        give_up("vector %u at 0x%x", vector, where);
    }
}

/* -- The start ----------------------------------------------------------- */

static struct {
    uint16_t low, selector, type, high;
} idt[256];

extern const char vectors[];

static void idt_init(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } pointer = { sizeof(idt) - 1, (uint32_t)idt };

    for (unsigned i = 0; i < 256; i++) {
        uint32_t addr = (uint32_t)vectors + 16 * i;

        idt[i].low = addr;
        idt[i].selector = 8;
        idt[i].type = 0x8e00;           /* interrupt gate */
        idt[i].high = addr >> 16;
    }
    asm volatile("lidt %0" : : "m"(pointer));
}

void guest_start(const uint32_t *multiboot_info);

void guest_start(const uint32_t *multiboot_info)
{
    serial_init();
    idt_init();
    if (multiboot_info[0] & 4) {
        command_line = (const char *)multiboot_info[4];
    }
    chipset_init();
    payload();
    guest_exit(true);
}
