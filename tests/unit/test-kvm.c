/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM: accesses, memory slots, stopping and going on, errors. */
#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qapi/error.h"
#include "kvm-guest.h"

GUEST16(ports,
    SAY('a')
    "mov $0x502,%dx; inb %dx,%al; inc %al; mov $0x500,%dx; outb %al,%dx\n"
    "mov $0x64636261,%eax; outl %eax,%dx\n"
    "mov $0x502,%dx; inl %dx,%eax; mov $0x500,%dx; outw %ax,%dx\n"
    EXIT(7));

static void test_ports(void)
{
    PUT_ROM(ports);
    answer = 'k';
    g_assert_cmpint(run_guest(), ==, 7);
    g_assert_cmpstr(said->str, ==, "alabcdkk");
}

GUEST16(strings,
    "cld; mov %cs,%ax; mov %ax,%ds\n"
    "mov $9f-guest_strings,%si; mov $26,%cx; mov $0x500,%dx; rep outsb\n"
    "xor %ax,%ax; mov %ax,%es; mov $0x600,%di; mov $5,%cx\n"
    "mov $0x502,%dx; rep insb\n"
    "mov %es,%ax; mov %ax,%ds; mov $0x600,%si; mov $5,%cx\n"
    "mov $0x500,%dx; rep outsb\n"
    EXIT(0) "1: hlt; jmp 1b\n9: .ascii \"abcdefghijklmnopqrstuvwxyz\"");

static void test_strings(void)
{
    PUT_ROM(strings);
    answer = '!';
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(said->str, ==, "abcdefghijklmnopqrstuvwxyz!!!!!");
}

GUEST16(mmio,
    "mov $0xd000,%ax; mov %ax,%ds\n"
    "movb 0x0,%al; movw 0x2,%bx; movl 0x4,%ecx\n"
    "movb $0x12,0x10; movw $0x3456,0x12; movl $0x789abcde,0x14\n"
    "mov $0x500,%dx; outb %al,%dx; mov %bx,%ax; outw %ax,%dx\n"
    "mov %ecx,%eax; outl %eax,%dx\n"
    EXIT(0));

static void test_mmio(void)
{
    PUT_ROM(mmio);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(mmio_log->str, ==,
                    "r0.1 r2.2 r4.4 w10.1=12 w12.2=3456 w14.4=789abcde ");
    g_assert_cmpmem(said->str, said->len, "\x88\x66\x55\x44\x33\x22\x11", 7);
}

GUEST16(nothing,
    "mov $0x8000,%dx; inb %dx,%al; mov $0x500,%dx; outb %al,%dx\n"
    "mov $0xffff,%ax; mov %ax,%es\n"
    EXIT(0));

static void test_nothing_there(void)
{
    PUT_ROM(nothing);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpmem(said->str, said->len, "\xff", 1);
}

GUEST16(rom,
    "mov $0xf000,%ax; mov %ax,%ds; movb 0x8000,%bl\n"
    "movb $0x55,0x8000; movb 0x8000,%al\n"
    "mov $0x500,%dx; outb %al,%dx; mov %bl,%al; outb %al,%dx\n"
    EXIT(0));

static void test_rom(void)
{
    PUT_ROM(rom);
    ((uint8_t *)memory_region_get_ram_ptr(&rom))[0x8000] = 'R';
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(said->str, ==, "RR");
}

static void reset_now(uint8_t value)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
}

/* What runs after a request for a reset would be heard. */
GUEST16(reset,
    "xor %ax,%ax; mov %ax,%ds; incb 0x700; cmpb $100,0x700; jae 2f\n"
    "mov $0x1234,%ax; mov %ax,%fs; mov %ax,%sp\n"
    CALL_HOST(0) SAY('!')
    "2: mov %sp,%ax; mov $0x500,%dx; outw %ax,%dx\n" EXIT(0));

static void test_reset(void)
{
    PUT_ROM(reset);
    host_call = reset_now;
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpmem(said->str, said->len, "\0\0", 2);
}

static int pauses;

static void pause_again(void *opaque)
{
    vm_stop(RUN_STATE_PAUSED);
    vm_start();
    if (++pauses == 300) {
        answer = 'e';
    } else {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), pause_again, NULL);
    }
}

GUEST16(spin,
    "mov $0x502,%dx; 2: incl %ecx; testw $0xfff,%cx; jne 2b\n"
    "inb %dx,%al; cmpb $'e',%al; jne 2b\n" EXIT(0));

static void test_pause(void)
{
    PUT_ROM(spin);
    answer = 'w';
    aio_bh_schedule_oneshot(qemu_get_aio_context(), pause_again, NULL);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpint(pauses, ==, 300);
}

/* An access that goes on while the VM stops is finished once. */
static void stop_in_access(uint8_t value)
{
    if (value == 1) {
        vm_stop(RUN_STATE_PAUSED);
    }
}

static void go_on(void *opaque, RunStateEvent event, ShutdownCause cause)
{
    if (event == RUNSTATE_EVENT_STOP) {
        vm_start();
    }
}

GUEST16(once, CALL_HOST(1) SAY('x') CALL_HOST(1) SAY('y') EXIT(0));

static void test_stop_in_access(void)
{
    PUT_ROM(once);
    host_call = stop_in_access;
    runstate_add_event_handler(go_on, NULL);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(said->str, ==, "xy");
}

/* RAM that is no whole pages is no slot: it works by exits. */
GUEST16(pieces,
    "mov $0xe000,%ax; mov %ax,%ds\n"
    "movw $0x4142,0x7fe; movl $0x43444546,0x400; movb 0x7ff,%al\n"
    "mov $0x500,%dx; outb %al,%dx; mov 0x7fe,%al; outb %al,%dx\n"
    "movl 0x400,%eax; outl %eax,%dx\n" EXIT(0));

static void test_ram_in_pieces(void)
{
    MemoryRegion piece;

    PUT_ROM(pieces);
    memory_region_init_alias(&piece, NULL, "piece", &ram, 0x8123, 0x800);
    memory_region_add_subregion_overlap(get_system_memory(), 0xe0000, &piece,
                                        1);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(said->str, ==, "ABFEDC");
    g_assert_cmpmem((uint8_t *)memory_region_get_ram_ptr(&ram) + 0x8523, 4,
                    "FEDC", 4);
    memory_region_finalize(&piece);
}

/* -- Shadow RAM ----------------------------------------------------------- */

static MemoryRegion shadow;
static int flips;

static void flip(uint8_t value)
{
    memory_region_set_readonly(&shadow, flips & 1);
    flips++;
}

/* The boot vCPU has the host switch c0000 between RAM and ROM; the other one
 * runs there all the time. */
GUEST16(flipper,
    "mov $500,%cx; 2: " CALL_HOST(0) "loop 2b\n" EXIT(0));
GUEST16(runner, "2: incl %eax; jmp 2b");

static void start_other(CPUState *cpu, void *data)
{
    struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
    struct kvm_sregs sregs;
    struct kvm_regs regs = { .rip = 0, .rflags = 2 };

    g_assert_cmpint(kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &sregs), ==, 0);
    sregs.cs.base = 0xc0000;
    sregs.cs.selector = 0xc000;
    g_assert_cmpint(kvm_vcpu_ioctl(cpu, KVM_SET_SREGS, &sregs), ==, 0);
    g_assert_cmpint(kvm_vcpu_ioctl(cpu, KVM_SET_REGS, &regs), ==, 0);
    g_assert_cmpint(kvm_vcpu_ioctl(cpu, KVM_SET_MP_STATE, &runnable), ==, 0);
}

static void start_other_after_reset(void *opaque)
{
    start_other(qemu_get_cpu(1), NULL);
}

static void test_shadow(void)
{
    PUT_ROM(flipper);
    memory_region_init_ram(&shadow, NULL, "shadow", 0x10000, &error_abort);
    memcpy(memory_region_get_ram_ptr(&shadow), guest_runner,
           guest_runner_end - guest_runner);
    memory_region_add_subregion_overlap(get_system_memory(), 0xc0000, &shadow,
                                        2);
    host_call = flip;
    qemu_register_reset(start_other_after_reset, NULL);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpint(flips, ==, 500);
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_SHUTDOWN);
}

static EventNotifier doorbell;

GUEST16(doorbell,
    "mov $0xd000,%ax; mov %ax,%ds; movl $5,0x20; movl $6,0x24\n"
    "movl $7,0x24\n" EXIT(0));

static void test_ioeventfd(void)
{
    PUT_ROM(doorbell);
    event_notifier_init(&doorbell, false);
    memory_region_add_eventfd(&mmio_mr, 0x24, 4, true, 6, &doorbell);
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(mmio_log->str, ==, "w20.4=5 w24.4=7 ");
    g_assert_true(event_notifier_test_and_clear(&doorbell));
    memory_region_del_eventfd(&mmio_mr, 0x24, 4, true, 6, &doorbell);
    g_string_truncate(mmio_log, 0);
}

/* -- What stops a guest --------------------------------------------------- */

static void test_emulation_failure(void)
{
    /* Code in registers: KVM has to emulate, and cannot fetch. */
    static const uint8_t jump[] = { 0xea, 0x00, 0x00, 0x00, 0xd0 };

    put_rom(jump, jump + sizeof(jump));
    may_fail = true;
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_true(runstate_needs_reset());
}

/* -- Refusals ------------------------------------------------------------- */

static void test_too_many(void)
{
    MachineState many = { .smp_cpus = 100000, .smp_sockets = 100000,
                          .cpu_type = machine.cpu_type };
    g_autoptr(Error) err = NULL;
    g_autofree char *limit = g_strdup_printf("at most %d",
                                             accel->max_vcpus());

    g_assert_false(x86_cpus_init(&many, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), limit));
    g_clear_pointer(&err, error_free);
    many.smp_cpus = 300;
    if (accel->max_vcpus() >= 300) {
        g_assert_false(x86_cpus_init(&many, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "APIC id"));
    }
}

static void test_properties(void)
{
    Object *cpu = OBJECT(qemu_get_cpu(0));
    g_autoptr(Error) err = NULL;
    g_autofree char *vendor = object_property_get_str(cpu, "vendor",
                                                      &error_abort);

    g_assert_cmpint(strlen(vendor), ==, 12);
    g_assert_true(object_property_get_bool(cpu, "sse2", &error_abort));
    g_assert_cmpint(object_property_get_int(cpu, "apic-id", &error_abort), ==,
                    0);
    g_assert_false(object_property_set_bool(cpu, "sse2", false, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "sse2"));
}

static void test_dump(void)
{
    g_autoptr(GString) text = g_string_new("");

    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    x86_cpu_dump_state(qemu_get_cpu(0), text);
    g_assert_nonnull(strstr(text->str, "RIP=000000000000fff0"));
    g_assert_nonnull(strstr(text->str, "CS =f000 00000000ffff0000"));
}

static const KVMTest tests[] = {
    { "ports-in-every-size", test_ports },
    { "strings-in-order", test_strings },
    { "mmio-in-every-size", test_mmio },
    { "nothing-there-is-all-ones", test_nothing_there },
    { "rom-stays", test_rom },
    { "ram-in-pieces-works-too", test_ram_in_pieces },
    { "nothing-runs-after-reset-request", test_reset },
    { "pause-and-go-on", test_pause },
    { "access-is-finished-once", test_stop_in_access },
    { "shadow-ram-switches-under-a-running-vcpu", test_shadow, 2 },
    { "ioeventfd-instead-of-exit", test_ioeventfd },
    { "emulation-failure-stops", test_emulation_failure },
    { "too-many-vcpus-refused", test_too_many },
    { "cpu-properties", test_properties },
    { "registers-after-reset", test_dump },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_kvm_tests(tests, ARRAY_SIZE(tests));
    return g_test_run();
}
