/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's interrupt chips: irqfds that are resampled, shared lines, messages. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/msi.h"
#include "kvm-guest.h"

/* -- Interrupts ----------------------------------------------------------- */

static EventNotifier irq, resample;
static int level, resamples;

static void device_set(int value)
{
    level = value;
    if (value) {
        event_notifier_set(&irq);
    }
}

/* As a device process does: still high after the EOI, so raise it again. */
static void on_resample(EventNotifier *e)
{
    if (event_notifier_test_and_clear(e)) {
        resamples++;
        if (level) {
            event_notifier_set(&irq);
        }
    }
}

static void irq_up(int gsi)
{
    event_notifier_init(&irq, false);
    event_notifier_init(&resample, false);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&irq, &resample, gsi),
                    ==, 0);
    aio_set_event_notifier(qemu_get_aio_context(), &resample, on_resample);
}

/* The 8259s as firmware sets them up, IRQ 5 level triggered, at vector 0xd. */
#define PIC_INIT                                                        \
    "xor %ax,%ax; mov %ax,%ds; mov %ax,%ss; mov $0x7c00,%sp\n"          \
    OUT(0x20, 0x11) OUT(0x21, 8) OUT(0x21, 4) OUT(0x21, 1)              \
    OUT(0xa0, 0x11) OUT(0xa1, 0x70) OUT(0xa1, 2) OUT(0xa1, 1)           \
    OUT(0x4d0, 0x20) OUT(0x21, 0xdf) OUT(0xa1, 0xff)

GUEST16(pic,
    PIC_INIT
    "movw $9f-guest_pic,0x34; movw $0xf000,0x36\n"
    "sti\n" CALL_HOST('g')
    "2: hlt; jmp 2b\n"
    "9: push %ax; push %dx\n" CALL_HOST('i') OUT(0x20, 0x20)
    "pop %dx; pop %ax; iret");

static void on_pic_call(uint8_t what)
{
    if (what == 'g') {
        device_set(1);
    } else if (++rounds == 20) {
        device_set(0);
    }
}

static void end_when_low(EventNotifier *e)
{
    on_resample(e);
    if (rounds >= 20) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void test_irqfd_pic(void)
{
    PUT_ROM(pic);
    irq_up(5);
    aio_set_event_notifier(qemu_get_aio_context(), &resample, end_when_low);
    host_call = on_pic_call;
    g_assert_cmpint(run_guest(), ==, 0);
    /* High through 19 EOIs, and no 21st interrupt after it was lowered. */
    g_assert_cmpint(rounds, ==, 20);
    g_assert_cmpint(resamples, ==, 20);
}

/* A local device and another process's on one line. */
static int local_rounds;

static void on_shared_call(uint8_t what)
{
    if (what == 'g') {
        device_set(1);
        accel->set_gsi(5, 1);
        return;
    }
    rounds++;
    if (rounds == 5) {
        device_set(0);                  /* the other is still high */
    } else if (rounds == 10) {
        accel->set_gsi(5, 0);
        local_rounds = rounds;
    }
}

static void end_shared(EventNotifier *e)
{
    on_resample(e);
    if (local_rounds) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void test_irq_shared(void)
{
    PUT_ROM(pic);
    irq_up(5);
    aio_set_event_notifier(qemu_get_aio_context(), &resample, end_shared);
    host_call = on_shared_call;
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpint(local_rounds, ==, 10);
}

/* Two processes' devices on one line, each with its own pair. */
static EventNotifier irq2, resample2;
static int level2, resamples2;

static void on_resample2(EventNotifier *e)
{
    if (event_notifier_test_and_clear(e)) {
        resamples2++;
        if (level2) {
            event_notifier_set(&irq2);
        }
    }
}

static void on_pair_call(uint8_t what)
{
    if (what == 'g') {
        device_set(1);
        level2 = 1;
        event_notifier_set(&irq2);
    } else if (++rounds == 5) {
        device_set(0);
    } else if (rounds == 10) {
        level2 = 0;
    }
}

static void end_pair(EventNotifier *e)
{
    on_resample(e);
    if (rounds >= 10) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void test_irqfds_shared(void)
{
    PUT_ROM(pic);
    irq_up(5);
    event_notifier_init(&irq2, false);
    event_notifier_init(&resample2, false);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&irq2, &resample2, 5),
                    ==, 0);
    aio_set_event_notifier(qemu_get_aio_context(), &resample, end_pair);
    aio_set_event_notifier(qemu_get_aio_context(), &resample2, on_resample2);
    host_call = on_pair_call;
    g_assert_cmpint(run_guest(), ==, 0);
    /* The line stays up for the second after the first is low, which hears of
     * EOIs still.  Those of two rounds may be one event: the other's raise
     * can bring the next round before the first has been looked at. */
    g_assert_cmpint(rounds, >=, 10);
    g_assert_cmpint(resamples, >, 0);
    g_assert_cmpint(resamples, <=, rounds);
    g_assert_cmpint(resamples2, >, 0);
    g_assert_cmpint(resamples2, <=, rounds);
}

static void test_irqfd_arguments(void)
{
    EventNotifier e;

    event_notifier_init(&e, false);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&e, NULL, -1), ==,
                    -EINVAL);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&e, NULL, 24), ==,
                    -EINVAL);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&e, NULL, 16), ==, 0);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&e, NULL, 17), ==,
                    -EBUSY);
    g_assert_cmpint(kvm_irqchip_remove_irqfd_notifier_gsi(&e, 16), ==, 0);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(&e, NULL, 17), ==, 0);
    event_notifier_cleanup(&e);
}

/* The I/O APIC's redirection entry @n to @v on the boot vCPU. */
#define IOAPIC(n, v)                                                    \
    "movl $0x11 + 2*" #n ", 0xfec00000; movl $0, 0xfec00010\n"          \
    "movl $0x10 + 2*" #n ", 0xfec00000; movl $" #v ", 0xfec00010\n"
/* Local APIC on, 8259s masked; vector 0x40 goes to label 9, IDT at 0x3000. */
#define INTR_INIT(name)                                                 \
    "mov $0x9000,%esp; orl $0x100,0xfee000f0\n"                         \
    "movl $9f-guest_" #name "+0x100000,%eax; mov %ax,0x3200\n"          \
    "shrl $16,%eax; mov %ax,0x3206; movl $0x8e000010,%eax\n"            \
    "movw $0x10,0x3202; movw $0x8e00,0x3204\n"                          \
    "movw $0x7ff,0x2ff0; movl $0x3000,0x2ff2; lidt 0x2ff0\n"            \
    OUT(0x21, 0xff) OUT(0xa1, 0xff)
/* No iret: a KVM that interprets guests may not know it in this mode. */
#define ISR(code)                                                       \
    "1: hlt; jmp 1b; 9:\n" code                                         \
    "movl $0,0xfee000b0; movl $0x9000,%esp; sti\n"

GUEST32(ioapic,
    INTR_INIT(ioapic) IOAPIC(18, 0x8040)
    "sti\n" CALL_HOST('g') ISR(CALL_HOST('i')));

static void test_irqfd_ioapic(void)
{
    LOAD_KERNEL(ioapic);
    irq_up(18);
    aio_set_event_notifier(qemu_get_aio_context(), &resample, end_when_low);
    host_call = on_pic_call;
    g_assert_cmpint(run_guest(), ==, 0);
    /* A KVM that interprets guests ends an interrupt when it delivers it:
     * there the next one is on its way before the handler has run. */
    g_assert_cmpint(rounds, >=, 20);
    g_assert_cmpint(rounds, <=, 21);
    g_assert_cmpint(resamples, >=, 20);
    g_assert_cmpint(resamples, <=, 21);
}

GUEST32(pit,
    INTR_INIT(pit) IOAPIC(2, 0x40)
    OUT(0x43, 0x34) OUT(0x40, 0) OUT(0x40, 0x10) "sti\n" ISR(CALL_HOST('t')));

static void on_tick(uint8_t what)
{
    if (++rounds == 5) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void test_pit(void)
{
    LOAD_KERNEL(pit);
    host_call = on_tick;
    g_assert_cmpint(run_guest(), ==, 0);
    /* It ticks on until the main loop has stopped it. */
    g_assert_cmpint(rounds, >=, 5);
}

GUEST32(msi, INTR_INIT(msi) "sti\n" CALL_HOST('g') ISR(CALL_HOST('i')));

static void on_msi_call(uint8_t what)
{
    if (rounds == 3) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
        return;
    }
    rounds++;
    accel->send_msi((MSIMessage){ .address = 0xfee00000, .data = 0x40 });
}

static void test_msi(void)
{
    uint32_t value = 0;

    LOAD_KERNEL(msi);
    host_call = on_msi_call;
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpint(rounds, ==, 3);
    /* Pointed at RAM it is a write. */
    accel->send_msi((MSIMessage){ .address = 0x5000, .data = 0x12345678 });
    address_space_read(&address_space_memory, 0x5000, MEMTXATTRS_UNSPECIFIED,
                       &value, 4);
    g_assert_cmphex(value, ==, 0x12345678);
}

static const KVMTest tests[] = {
    { "irqfd-resampled-through-pic", test_irqfd_pic },
    { "irqfd-resampled-through-ioapic", test_irqfd_ioapic },
    { "line-shared-with-local-device", test_irq_shared },
    { "line-shared-by-two-irqfds", test_irqfds_shared },
    { "irqfd-bad-gsi-refused", test_irqfd_arguments },
    { "timer-is-ioapic-pin-2", test_pit },
    { "msi-reaches-the-vcpu", test_msi },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_kvm_tests(tests, ARRAY_SIZE(tests));
    return g_test_run();
}
