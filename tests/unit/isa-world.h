/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ISA bus on the machine's I/O space, with lines that are watched, and a
 * virtual clock that moves only by hand. */
#ifndef TESTS_ISA_WORLD_H
#define TESTS_ISA_WORLD_H

#include "hw/isa/isa.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"

static ISABus *isa_bus;
static struct {
    int level;
    unsigned raised;            /* times it went up */
} isa_line[ISA_NUM_IRQS];

static void isa_line_changed(void *opaque, int n, int level)
{
    isa_line[n].raised += level && !isa_line[n].level;
    isa_line[n].level = level;
}

static void isa_world_init(void)
{
    static qemu_irq *irqs;

    qemu_init_main_loop();
    memory_init();
    qemu_clock_virtual_manual();
    irqs = qemu_allocate_irqs(isa_line_changed, NULL, ISA_NUM_IRQS);
    isa_bus = isa_bus_new(NULL, get_system_memory(), get_system_io());
    isa_bus_irqs(isa_bus, irqs);
}

G_GNUC_UNUSED
static uint64_t port_in(uint16_t port, unsigned size)
{
    uint8_t buf[8] = { 0 };

    address_space_read(&address_space_io, port, MEMTXATTRS_UNSPECIFIED, buf,
                       size);
    return ldn_le_p(buf, size);
}

G_GNUC_UNUSED
static uint8_t inb(uint16_t port)
{
    return port_in(port, 1);
}

G_GNUC_UNUSED
static void port_out(uint16_t port, uint64_t val, unsigned size)
{
    uint8_t buf[8];

    stn_le_p(buf, size, val);
    address_space_write(&address_space_io, port, MEMTXATTRS_UNSPECIFIED, buf,
                        size);
}

G_GNUC_UNUSED
static void outb(uint16_t port, uint8_t val)
{
    port_out(port, val, 1);
}

/* Lets @ns of guest time pass, running each timer when it is due. */
G_GNUC_UNUSED
static void clock_step(int64_t ns)
{
    AioContext *ctx = qemu_get_aio_context();
    int64_t end = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns;

    for (;;) {
        int64_t due = aio_next_deadline(ctx, QEMU_CLOCK_VIRTUAL);

        if (due < 0 || due > end) {
            break;
        }
        qemu_clock_virtual_set_ns(
            MAX(due, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)));
        main_loop_wait(true);
    }
    qemu_clock_virtual_set_ns(end);
    main_loop_wait(true);
}

#endif
