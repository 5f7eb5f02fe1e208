/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM for real: small 16- and 32-bit guests, each in a process of its own.
 * Skipped where there is no /dev/kvm.
 *
 * A guest says something with a byte to port 0x500, asks for a byte at port
 * 0x502, has the host do something with port 0x503, and ends the test with
 * port 0x501.
 */
#include "qemu/osdep.h"
#include <asm/bootparam.h>
#include <elf.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "hw/boards.h"
#include "hw/i386/boot.h"
#include "hw/i386/cpu.h"
#include "hw/pci/msi.h"
#include "system/kvm.h"
#include "system/memory.h"
#include "system/runstate.h"

#define RAM_SIZE (16 * MiB)
#define ROM_SIZE 0x10000

static MachineState machine = {
    .smp_cpus = 1, .smp_max_cpus = 1, .cpu_type = (char *)"qemu64,check=off",
};
static MemoryRegion ram, rom, rom_low, port_mr, mmio_mr;
static GString *said;
static void (*host_call)(uint8_t value);
static uint8_t answer;
static GString *mmio_log;

/* -- The world ----------------------------------------------------------- */

static uint64_t port_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr == 2 ? answer * 0x01010101ull : UINT32_MAX;
}

static void port_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    switch (addr) {
    case 0:
        for (unsigned i = 0; i < size; i++) {
            g_string_append_c(said, data >> (i * 8));
        }
        break;
    case 1:
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                                               data);
        break;
    case 3:
        host_call(data);
        break;
    }
}

static const MemoryRegionOps port_ops = {
    .read = port_read, .write = port_write,
    .valid.unaligned = true, .impl.unaligned = true,
};

static uint64_t mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    g_string_append_printf(mmio_log, "r%x.%u ", (unsigned)addr, size);
    return 0x1122334455667788ull >> (addr * 8);
}

static void mmio_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    g_string_append_printf(mmio_log, "w%x.%u=%x ", (unsigned)addr, size,
                           (unsigned)data);
}

static const MemoryRegionOps mmio_ops = {
    .read = mmio_read, .write = mmio_write,
    .valid.max_access_size = 8, .impl.max_access_size = 8,
};

static void world_up(void)
{
    MemoryRegion *mem;

    qemu_init_main_loop();
    memory_init();
    mem = get_system_memory();
    said = g_string_new("");
    mmio_log = g_string_new("");
    memory_region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_init_rom(&rom, NULL, "rom", ROM_SIZE, &error_abort);
    memory_region_init_alias(&rom_low, NULL, "rom-low", &rom, 0, ROM_SIZE);
    memory_region_init_io(&port_mr, NULL, &port_ops, NULL, "port", 4);
    memory_region_init_io(&mmio_mr, NULL, &mmio_ops, NULL, "mmio", 0x1000);
    memory_region_add_subregion(mem, 0, &ram);
    memory_region_add_subregion(mem, 4 * GiB - ROM_SIZE, &rom);
    memory_region_add_subregion_overlap(mem, 0xf0000, &rom_low, 1);
    memory_region_add_subregion_overlap(mem, 0xd0000, &mmio_mr, 1);
    memory_region_add_subregion(get_system_io(), 0x500, &port_mr);
    if (!accel_configure(&machine, NULL, &error_abort) ||
        !accel->irqchip_create(&machine, &error_abort) ||
        !x86_cpus_init(&machine, &error_abort)) {
        g_assert_not_reached();
    }
}

static bool no_kvm(void)
{
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        g_test_skip("no /dev/kvm");
        return true;
    }
    return false;
}

static bool may_fail;

static void on_change(void *opaque, bool running, RunState state)
{
    if (state == RUN_STATE_INTERNAL_ERROR) {
        g_assert_true(may_fail);
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static int run(void)
{
    qemu_add_vm_change_state_handler(on_change, NULL);
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    vm_start();
    return qemu_main_loop();
}

/* -- Guests in real mode -------------------------------------------------- */

/* Code that runs at f000:0000 after each reset. */
#define GUEST16(name, code)                                             \
    extern const uint8_t guest_##name[], guest_##name##_end[];          \
    asm(".pushsection .rodata\n.code16\nguest_" #name ":\n"             \
        code "\n1: hlt; jmp 1b\n"                                       \
        "guest_" #name "_end:\n.code64\n.popsection\n")
#define OUT(port, value) "mov $" #value ",%al; mov $" #port ",%dx;" \
    "outb %al,%dx\n"
#define SAY(c) OUT(0x500, c)
#define CALL_HOST(c) OUT(0x503, c)
#define EXIT(c) OUT(0x501, c)

static void put_rom(const uint8_t *code, const uint8_t *end)
{
    /* jmp f000:0000, at the reset vector */
    static const uint8_t jump[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 };

    g_assert_cmpint(end - code, <, ROM_SIZE - 16);
    memcpy(memory_region_get_ram_ptr(&rom), code, end - code);
    memcpy((uint8_t *)memory_region_get_ram_ptr(&rom) + ROM_SIZE - 16, jump,
           sizeof(jump));
}
#define PUT_ROM(name) put_rom(guest_##name, guest_##name##_end)

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
    g_assert_cmpint(run(), ==, 7);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpstr(said->str, ==, "xy");
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpint(flips, ==, 500);
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_SHUTDOWN);
}

/* -- Interrupts ----------------------------------------------------------- */

static EventNotifier irq, resample;
static int level, rounds, resamples;

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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpint(local_rounds, ==, 10);
}

/* Two processes' devices on one line, each with its own pair. */
static EventNotifier irq2, resample2;
static int level2;

static void on_resample2(EventNotifier *e)
{
    if (event_notifier_test_and_clear(e) && level2) {
        event_notifier_set(&irq2);
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
    g_assert_cmpint(run(), ==, 0);
    /* Both hear of each EOI; the line stays up for the second. */
    g_assert_cmpint(rounds, >=, 10);
    g_assert_cmpint(resamples, >=, 10);
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

static EventNotifier doorbell;

GUEST16(doorbell,
    "mov $0xd000,%ax; mov %ax,%ds; movl $5,0x20; movl $6,0x24\n"
    "movl $7,0x24\n" EXIT(0));

static void test_ioeventfd(void)
{
    PUT_ROM(doorbell);
    event_notifier_init(&doorbell, false);
    memory_region_add_eventfd(&mmio_mr, 0x24, 4, true, 6, &doorbell);
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_true(runstate_needs_reset());
}

/* -- 32-bit guests, loaded as kernels ------------------------------------- */

/* A multiboot image at 1 MiB whose header gives its addresses. */
#define GUEST32(name, code)                                             \
    extern const uint8_t guest_##name[], guest_##name##_end[];          \
    asm(".pushsection .rodata\n.code32\n.balign 4\nguest_" #name ":\n"  \
        ".long 0x1badb002, 0x10003, -(0x1badb002 + 0x10003)\n"          \
        ".long 0x100000, 0x100000, 0, 0x110000, 0x100020\n"             \
        code "\n1: hlt; jmp 1b\n"                                       \
        "guest_" #name "_end:\n.code64\n.popsection\n")

static void load_kernel(const uint8_t *image, const uint8_t *end,
                        const char *initrd)
{
    g_autofree char *dir = g_dir_make_tmp("test-kvm-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "kernel", NULL);

    g_assert_true(g_file_set_contents(path, (const char *)image, end - image,
                                      NULL));
    x86_load_kernel(&machine, path, initrd, "command line", RAM_SIZE, 0, 0,
                    &error_abort);
    unlink(path);
    rmdir(dir);
}
#define LOAD_KERNEL(name) \
    load_kernel(guest_##name, guest_##name##_end, NULL)

GUEST32(multiboot,
    "cmpl $0x2badb002,%eax; jne 2f; movl 16(%ebx),%esi\n"
    "mov $0x500,%dx; 3: lodsb; testb %al,%al; je 4f; cmpb $' ',%al; jne 3b\n"
    "5: lodsb; testb %al,%al; je 4f; outb %al,%dx; jmp 5b\n"
    "4: incl 9f-guest_multiboot+0x100000\n"
    "mov 9f-guest_multiboot+0x100000,%al; addb $'0',%al; outb %al,%dx\n"
    "cmpb $0,%al; cmpl $0,0x700; jne 2f; incl 0x700\n" CALL_HOST(0)
    "2:" EXIT(5) "1: hlt; jmp 1b; 9: .long 0");

static void test_multiboot(void)
{
    LOAD_KERNEL(multiboot);
    host_call = reset_now;
    g_assert_cmpint(run(), ==, 5);
    /* Twice: what the first boot changed has been loaded anew. */
    g_assert_cmpstr(said->str, ==, "command line1command line1");
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpstr(said->str, ==, "ABFEDC");
    g_assert_cmpmem((uint8_t *)memory_region_get_ram_ptr(&ram) + 0x8523, 4,
                    "FEDC", 4);
    memory_region_finalize(&piece);
}

/* The first boots count in RAM and fault three times over. */
GUEST32(triple,
    "incb 0x700; movb 0x700,%al; addb $'0',%al\n"
    "mov $0x500,%dx; outb %al,%dx; cmpb $'3',%al; je 2f\n"
    "movl $0,0x2ff0; movl $0,0x2ff4; lidt 0x2ff0; ud2\n" SAY('!')
    "2:" EXIT(0));

static void test_triple_fault(void)
{
    LOAD_KERNEL(triple);
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpstr(said->str, ==, "123");
}

/* The same code as a PVH kernel and as a bzImage. */
static void load_elf(const uint8_t *code, const uint8_t *end)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    struct QEMU_PACKED {
        Elf32_Ehdr e;
        Elf32_Phdr note, load;
        uint32_t n[3];
        char name[4];
        uint32_t entry;
    } k = {
        .e = {
            .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 },
            .e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1,
            .e_phoff = sizeof(Elf32_Ehdr), .e_phentsize = sizeof(Elf32_Phdr),
            .e_phnum = 2,
        },
        .note = { .p_type = PT_NOTE, .p_filesz = 20, .p_align = 4 },
        .load = { .p_type = PT_LOAD, .p_offset = sizeof(k),
                  .p_paddr = 0x100000, .p_filesz = end - code,
                  .p_memsz = end - code + 100 },
        .n = { 4, 4, 18 }, .name = "Xen", .entry = 0x100000,
    };

    k.note.p_offset = (uint8_t *)k.n - (uint8_t *)&k;
    g_byte_array_append(image, (uint8_t *)&k, sizeof(k));
    g_byte_array_append(image, code, end - code);
    load_kernel(image->data, image->data + image->len, NULL);
}

#define ENTRY(name, bits, code)                                       \
    extern const uint8_t guest_##name[], guest_##name##_end[];          \
    asm(".pushsection .rodata\n.code" #bits "\nguest_" #name ":\n"      \
        code "\n1: hlt; jmp 1b\n"                                       \
        "guest_" #name "_end:\n.code64\n.popsection\n")

/* EBX is the start info, whose command line it says. */
ENTRY(pvh, 32,
    "cmpl $0x336ec578,(%ebx); jne 2f; movl 24(%ebx),%esi; cld\n"
    "mov $0x500,%dx; 3: lodsb; testb %al,%al; je 4f; outb %al,%dx; jmp 3b\n"
    "4: mov %cs,%ax; outb %al,%dx; mov %ss,%ax; outb %al,%dx\n"
    "mov %cr0,%eax; outb %al,%dx; pushf; popl %eax; shrl $8,%eax\n"
    "outb %al,%dx; 2:" EXIT(3));

static void test_pvh(void)
{
    load_elf(guest_pvh, guest_pvh_end);
    g_assert_cmpint(run(), ==, 3);
    /* Flat segments, protection only, interrupts off. */
    g_assert_cmpmem(said->str, said->len, "command line\x10\x18\x11\0", 16);
}

static void load_bzimage(const uint8_t *code, const uint8_t *end,
                         unsigned offset, uint16_t xloadflags)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    struct setup_header h = {
        .setup_sects = 1, .boot_flag = 0xaa55,
        .jump = 0xeb | (sizeof(h) - 0x11) << 8, .header = 0x53726448,
        .version = 0x20c, .loadflags = LOADED_HIGH, .cmdline_size = 100,
        .relocatable_kernel = 1, .kernel_alignment = 4096,
        .xloadflags = xloadflags, .pref_address = 0x200000,
        .init_size = 0x10000,
    };

    g_byte_array_set_size(image, 1024 + offset);
    memset(image->data, 0, image->len);
    memcpy(image->data + 0x1f1, &h, sizeof(h));
    g_byte_array_append(image, code, end - code);
    load_kernel(image->data, image->data + image->len, NULL);
}

/* ESI is the zero page; the stack is usable. */
ENTRY(linux32, 32,
    "cmpl $0x53726448,0x202(%esi); jne 2f; movl 0x228(%esi),%esi; cld\n"
    "mov $0x500,%dx; 3: lodsb; testb %al,%al; je 4f; outb %al,%dx; jmp 3b\n"
    "4: call 5f; 5: popl %eax; outl %eax,%dx; 2:" EXIT(3));

static void test_linux32(void)
{
    load_bzimage(guest_linux32, guest_linux32_end, 0, 0);
    g_assert_cmpint(run(), ==, 3);
    g_assert_true(g_str_has_prefix(said->str, "command line"));
    g_assert_cmphex((uint8_t)said->str[14], ==, 0x20);  /* at 2 MiB */
}

ENTRY(linux64, 64,
    "cmpl $0x53726448,0x202(%rsi); jne 2f; movl 0x228(%rsi),%esi; cld\n"
    "mov $0x500,%dx; 3: lodsb; testb %al,%al; je 4f; outb %al,%dx; jmp 3b\n"
    "4: call 5f; 5: popq %rax; outl %eax,%dx\n"
    "movl $0x12345678,%eax; shlq $4,%rax; shrq $32,%rax; outb %al,%dx\n"
    "2:" EXIT(3));

static void test_linux64(void)
{
    g_autofree char *info = NULL;

    g_file_get_contents("/proc/cpuinfo", &info, NULL, NULL);
    if (!strstr(info, " vmx") && !strstr(info, " svm")) {
        return;         /* a KVM that interprets guests, and not of 64 bits */
    }
    load_bzimage(guest_linux64, guest_linux64_end, 0x200, XLF_KERNEL_64);
    g_assert_cmpint(run(), ==, 3);
    g_assert_true(g_str_has_prefix(said->str, "command line"));
    g_assert_cmphex((uint8_t)said->str[14], ==, 0x20);
    g_assert_cmphex((uint8_t)said->str[16], ==, 1);
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
    g_assert_cmpint(run(), ==, 0);
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpint(rounds, ==, 5);
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
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpint(rounds, ==, 3);
    /* Pointed at RAM it is a write. */
    accel->send_msi((MSIMessage){ .address = 0x5000, .data = 0x12345678 });
    address_space_read(&address_space_memory, 0x5000, MEMTXATTRS_UNSPECIFIED,
                       &value, 4);
    g_assert_cmphex(value, ==, 0x12345678);
}

/* Wakes all others at 8000:0, where they count themselves. */
GUEST32(smp,
    "movl $0,0x710; movl $9f-guest_smp+0x100000,%esi\n"
    "movl $0x8000,%edi; movl $32,%ecx; rep movsb\n"
    "orl $0x100,0xfee000f0; movl $0xc4500,0xfee00300\n"
    "movl $0xc4608,0xfee00300\n"
    "2: cmpl $3,0x710; jne 2b\n" SAY('+') CALL_HOST(0) "1: hlt; jmp 1b\n"
    "9: .code16\n xor %ax,%ax; mov %ax,%ds; lock incl 0x710\n"
    "1: hlt; jmp 1b; .code32");

static void reset_twice(uint8_t value)
{
    if (++rounds == 3) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    } else {
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static void test_smp(void)
{
    LOAD_KERNEL(smp);
    host_call = reset_twice;
    g_assert_cmpint(run(), ==, 0);
    g_assert_cmpstr(said->str, ==, "+++");
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

/* -- Running them --------------------------------------------------------- */

typedef struct Test {
    const char *path;
    void (*fn)(void);
    unsigned cpus;
} Test;

static const Test tests[] = {
    { "ports-in-every-size", test_ports },
    { "strings-in-order", test_strings },
    { "mmio-in-every-size", test_mmio },
    { "nothing-there-is-all-ones", test_nothing_there },
    { "rom-stays", test_rom },
    { "ram-in-pieces-works-too", test_ram_in_pieces },
    { "triple-fault-resets", test_triple_fault },
    { "nothing-runs-after-reset-request", test_reset },
    { "pause-and-go-on", test_pause },
    { "access-is-finished-once", test_stop_in_access },
    { "shadow-ram-switches-under-a-running-vcpu", test_shadow, 2 },
    { "irqfd-resampled-through-pic", test_irqfd_pic },
    { "irqfd-resampled-through-ioapic", test_irqfd_ioapic },
    { "line-shared-with-local-device", test_irq_shared },
    { "line-shared-by-two-irqfds", test_irqfds_shared },
    { "irqfd-bad-gsi-refused", test_irqfd_arguments },
    { "timer-is-ioapic-pin-2", test_pit },
    { "msi-reaches-the-vcpu", test_msi },
    { "ioeventfd-instead-of-exit", test_ioeventfd },
    { "emulation-failure-stops", test_emulation_failure },
    { "multiboot-kernel-again-after-reset", test_multiboot },
    { "pvh-kernel-entry", test_pvh },
    { "linux-32-bit-entry", test_linux32 },
    { "linux-64-bit-entry", test_linux64 },
    { "other-vcpus-wait-for-sipi-after-each-reset", test_smp, 4 },
    { "too-many-vcpus-refused", test_too_many },
    { "cpu-properties", test_properties },
    { "registers-after-reset", test_dump },
};

static void run_alone(gconstpointer data)
{
    const Test *t = data;

    if (no_kvm()) {
        return;
    }
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC,
                               G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    machine.smp_cpus = machine.smp_max_cpus = MAX(t->cpus, 1);
    world_up();
    t->fn();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strconcat("/kvm/", tests[i].path, NULL);

        g_test_add_data_func(path, &tests[i], run_alone);
    }
    return g_test_run();
}
