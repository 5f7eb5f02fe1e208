/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI fixed hardware: timer, buttons, events, SCI, switching off; and the
 * SMBus without devices, port 92, the keyboard controller. */
#include "qemu/osdep.h"
#include "hw/acpi/acpi.h"
#include "hw/acpi/smbus.h"
#include "hw/isa/pc-ports.h"
#include "qemu/bswap.h"
#include "system/runstate.h"
#include "isa-world.h"

#define PM 0x600
enum { STS = 0, EN = 2, CNT = 4, TMR = 8, GPE = 0x20, SMI_EN = 0x30 };

static ACPIPMState pm;
static PMSMBus smb;
static int sci;
static unsigned resets, shutdowns;

/* What the run state would do is only counted here. */
void qemu_system_reset_request(ShutdownCause cause)
{
    g_assert_cmpint(cause, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    resets++;
}

void qemu_system_shutdown_request(ShutdownCause cause)
{
    g_assert_cmpint(cause, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    shutdowns++;
}

static void (*power_button)(void *opaque);
static void *power_button_opaque;
void qemu_register_powerdown_notifier(void (*fn)(void *opaque), void *opaque)
{
    power_button = fn;
    power_button_opaque = opaque;
}

static void set_sci(void *opaque, int n, int level)
{
    sci = level;
}

static void set_up(void)
{
    acpi_pm_reset(&pm);
    resets = shutdowns = 0;
    sci = 0;
}

static uint16_t pm_in(int reg)
{
    return port_in(PM + reg, 2);
}

static void pm_out(int reg, uint16_t v)
{
    port_out(PM + reg, v, 2);
}

/* -- Tests --------------------------------------------------------------- */

static void test_timer_rate(void)
{
    uint32_t a, b;

    set_up();
    a = port_in(PM + TMR, 4);
    clock_step(NANOSECONDS_PER_SECOND);
    b = port_in(PM + TMR, 4);
    g_assert_cmpuint((b - a) & 0xffffff, ==, 3579545);
    port_out(PM + TMR, 0, 4);
    g_assert_cmpuint(port_in(PM + TMR, 4), ==, b);
    g_assert_cmpuint(port_in(PM + TMR, 4) >> 24, ==, 0);
}

static void test_timer_overflow(void)
{
    set_up();
    pm_out(CNT, ACPI_PM1_SCI_EN);
    pm_out(EN, ACPI_PM1_TMR);
    g_assert_cmpint(sci, ==, 0);
    clock_step(2400LL * SCALE_MS);        /* bit 23 flips each 2.343 s */
    g_assert_cmpint(sci, ==, 1);
    g_assert_cmphex(pm_in(STS), ==, ACPI_PM1_TMR);
    pm_out(STS, ACPI_PM1_TMR);
    g_assert_cmpint(sci, ==, 0);
    clock_step(2400LL * SCALE_MS);
    g_assert_cmpint(sci, ==, 1);
}

static void test_timer_overflow_without_interrupt(void)
{
    set_up();
    g_assert_cmpint(aio_next_deadline(qemu_get_aio_context(),
                                      QEMU_CLOCK_VIRTUAL), ==, -1);
    clock_step(3000LL * SCALE_MS);
    g_assert_cmphex(pm_in(STS), ==, ACPI_PM1_TMR);
    g_assert_cmpint(sci, ==, 0);
}

static void test_power_button(void)
{
    set_up();
    pm_out(CNT, ACPI_PM1_SCI_EN);
    pm_out(EN, ACPI_PM1_PWRBTN);
    power_button(power_button_opaque);
    g_assert_cmpint(sci, ==, 1);
    g_assert_cmphex(pm_in(STS), ==, ACPI_PM1_PWRBTN);
    pm_out(STS, ACPI_PM1_PWRBTN);
    g_assert_cmpint(sci, ==, 0);
}

/* Pressed before there is an operating system: it waits. */
static void test_power_button_waits(void)
{
    set_up();
    power_button(power_button_opaque);
    g_assert_cmpint(sci, ==, 0);
    pm_out(EN, ACPI_PM1_PWRBTN);
    g_assert_cmpint(sci, ==, 0);
    outb(ACPI_APM_PORT, acpi_pm_ich9.apm_enable);
    g_assert_cmphex(pm_in(CNT), ==, ACPI_PM1_SCI_EN);
    g_assert_cmpint(sci, ==, 1);
    outb(ACPI_APM_PORT, acpi_pm_ich9.apm_disable);
    g_assert_cmpint(sci, ==, 0);
    g_assert_cmphex(inb(ACPI_APM_PORT), ==, acpi_pm_ich9.apm_disable);
}

static void test_byte_accesses(void)
{
    set_up();
    outb(PM + EN + 1, 0x05);            /* power button, RTC */
    outb(PM + EN, 0xff);
    g_assert_cmphex(pm_in(EN), ==, 0x0521);
    power_button(power_button_opaque);
    outb(PM + STS, 0xff);
    g_assert_cmphex(pm_in(STS), ==, ACPI_PM1_PWRBTN);
    g_assert_cmphex(port_in(PM + STS, 4), ==, 0x05210100);
    outb(PM + STS + 1, 0x01);
    g_assert_cmphex(pm_in(STS), ==, 0);
}

static void test_soft_off(void)
{
    set_up();
    pm_out(CNT, 1 << 10 | ACPI_PM1_SLP_EN);     /* another sleep state */
    g_assert_cmpuint(shutdowns, ==, 0);
    pm_out(CNT, 0 << 10);
    g_assert_cmpuint(shutdowns, ==, 0);
    pm_out(CNT, ACPI_PM1_SLP_EN);
    g_assert_cmpuint(shutdowns, ==, 1);
    g_assert_cmphex(pm_in(CNT) & ACPI_PM1_SLP_EN, ==, 0);
}

static void test_gpe(void)
{
    set_up();
    pm_out(CNT, ACPI_PM1_SCI_EN);
    outb(PM + GPE + 8 + 1, 0x02);
    acpi_pm_raise_gpe(&pm, 9);
    g_assert_cmpint(sci, ==, 1);
    g_assert_cmphex(port_in(PM + GPE, 4), ==, 0x0200);
    outb(PM + GPE + 1, 0xfd);
    g_assert_cmpint(sci, ==, 1);
    outb(PM + GPE + 1, 0x02);
    g_assert_cmpint(sci, ==, 0);
}

static void test_smi_is_taken(void)
{
    set_up();
    g_assert_cmphex(port_in(PM + SMI_EN, 4), ==, 0x20);
    port_out(PM + SMI_EN, 0x1, 4);
    g_assert_cmphex(port_in(PM + SMI_EN, 4), ==, 0x21);
    g_assert_cmphex(port_in(PM + 0x60, 4), ==, 0);      /* reserved */
}

static void test_sci_moves(void)
{
    qemu_irq *other = qemu_allocate_irqs(isa_line_changed, NULL, 16);
    qemu_irq mine = pm.sci;

    set_up();
    pm_out(CNT, ACPI_PM1_SCI_EN);
    pm_out(EN, ACPI_PM1_PWRBTN);
    acpi_pm_power_button(&pm);
    acpi_pm_set_sci(&pm, other[10]);
    g_assert_cmpint(sci, ==, 0);
    g_assert_cmpint(isa_line[10].level, ==, 1);
    acpi_pm_set_sci(&pm, mine);
    g_assert_cmpint(sci, ==, 1);
    g_assert_cmpint(isa_line[10].level, ==, 0);
    qemu_free_irqs(other, 16);
}

static void test_smbus_has_no_devices(void)
{
    pm_smbus_reset(&smb);
    outb(0x700 + 4, 0xa1);
    g_assert_cmphex(inb(0x704), ==, 0xa1);
    outb(0x700 + 2, 0x48);              /* start, byte data */
    g_assert_cmphex(inb(0x700) & 0x1f, ==, 0x04);
    g_assert_cmphex(inb(0x702), ==, 0x08);
    outb(0x700, 0xff);
    g_assert_cmphex(inb(0x700) & 0x1f, ==, 0);
}

static void test_port92(void)
{
    set_up();
    g_assert_cmphex(inb(0x92), ==, 0x02);
    outb(0x92, 0x00);
    g_assert_cmphex(inb(0x92), ==, 0x00);
    outb(0x92, 0x03);
    g_assert_cmpuint(resets, ==, 1);
    outb(0x92, 0x01);                   /* no new edge */
    g_assert_cmpuint(resets, ==, 1);
}

static void test_i8042_reset(void)
{
    set_up();
    outb(0x64, 0xff);
    g_assert_cmpuint(resets, ==, 0);
    outb(0x64, 0xfe);
    g_assert_cmpuint(resets, ==, 1);
    outb(0x64, 0xd1);
    outb(0x60, 0x02);                   /* output port, reset low */
    g_assert_cmpuint(resets, ==, 2);
}

static void test_i8042_answers(void)
{
    outb(0x64, 0xaa);
    g_assert_cmphex(inb(0x64) & 0x41, ==, 0x01);
    g_assert_cmphex(inb(0x60), ==, 0x55);
    g_assert_cmphex(inb(0x64) & 0x01, ==, 0);
    outb(0x64, 0x60);
    outb(0x60, 0x35);
    outb(0x64, 0x20);
    g_assert_cmpint(isa_line[1].level, ==, 1);
    g_assert_cmphex(inb(0x60), ==, 0x35);
    g_assert_cmpint(isa_line[1].level, ==, 0);
}

static void test_i8042_has_no_devices(void)
{
    outb(0x60, 0xff);                   /* reset, to the keyboard */
    g_assert_cmphex(inb(0x64) & 0x61, ==, 0x41);
    g_assert_cmphex(inb(0x60), ==, 0xfe);
    outb(0x64, 0xa9);                   /* test of the mouse's port */
    g_assert_cmphex(inb(0x60), !=, 0);
    outb(0x64, 0xd3);
    outb(0x60, 0x5a);
    g_assert_cmphex(inb(0x64) & 0x21, ==, 0x01);    /* no mouse's byte */
    g_assert_cmphex(inb(0x60), ==, 0x5a);
}

static void make_world(void)
{
    DeviceState *owner = DEVICE(isa_new(TYPE_PORT92));
    ISADevice *kbd = isa_new(TYPE_I8042);

    qdev_realize(owner, &isa_bus->parent_obj, &error_abort);
    isa_realize_and_unref(kbd, isa_bus, &error_abort);
    acpi_pm_init(&pm, owner, &acpi_pm_ich9,
                 qemu_allocate_irq(set_sci, NULL, 0));
    memory_region_add_subregion(get_system_io(), PM, &pm.io);
    memory_region_add_subregion(get_system_io(), ACPI_APM_PORT, &pm.apm);
    pm_smbus_init(&smb, owner, NULL);
    memory_region_add_subregion(get_system_io(), 0x700, &smb.io);
    bus_cold_reset(&isa_bus->parent_obj);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_world_init();
    make_world();
    g_test_add_func("/acpi-pm/timer-rate", test_timer_rate);
    g_test_add_func("/acpi-pm/timer-overflow", test_timer_overflow);
    g_test_add_func("/acpi-pm/timer-overflow-without-interrupt",
                    test_timer_overflow_without_interrupt);
    g_test_add_func("/acpi-pm/power-button", test_power_button);
    g_test_add_func("/acpi-pm/power-button-waits", test_power_button_waits);
    g_test_add_func("/acpi-pm/byte-accesses", test_byte_accesses);
    g_test_add_func("/acpi-pm/soft-off", test_soft_off);
    g_test_add_func("/acpi-pm/gpe", test_gpe);
    g_test_add_func("/acpi-pm/smi-is-taken", test_smi_is_taken);
    g_test_add_func("/acpi-pm/sci-moves-with-its-level", test_sci_moves);
    g_test_add_func("/smbus/has-no-devices", test_smbus_has_no_devices);
    g_test_add_func("/port92/fast-reset-on-edge", test_port92);
    g_test_add_func("/i8042/reset-pulse", test_i8042_reset);
    g_test_add_func("/i8042/answers", test_i8042_answers);
    g_test_add_func("/i8042/has-no-devices", test_i8042_has_no_devices);
    return g_test_run();
}
