/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels of each format, entered for real; and what resets bring back. */
#include "qemu/osdep.h"
#include <asm/bootparam.h>
#include <elf.h>
#include "qapi/error.h"
#include "kvm-guest.h"

static void reset_now(uint8_t value)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
}

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
    g_assert_cmpint(run_guest(), ==, 5);
    /* Twice: what the first boot changed has been loaded anew. */
    g_assert_cmpstr(said->str, ==, "command line1command line1");
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
    g_assert_cmpint(run_guest(), ==, 0);
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
    load_kernel(image->data, image->data + image->len);
}

#define ENTRY(name, bits, code) GUEST(name, bits, "", code)

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
    g_assert_cmpint(run_guest(), ==, 3);
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
    load_kernel(image->data, image->data + image->len);
}

/* ESI is the zero page; the stack is usable. */
ENTRY(linux32, 32,
    "cmpl $0x53726448,0x202(%esi); jne 2f; movl 0x228(%esi),%esi; cld\n"
    "mov $0x500,%dx; 3: lodsb; testb %al,%al; je 4f; outb %al,%dx; jmp 3b\n"
    "4: call 5f; 5: popl %eax; outl %eax,%dx; 2:" EXIT(3));

static void test_linux32(void)
{
    load_bzimage(guest_linux32, guest_linux32_end, 0, 0);
    g_assert_cmpint(run_guest(), ==, 3);
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
    g_assert_cmpint(run_guest(), ==, 3);
    g_assert_true(g_str_has_prefix(said->str, "command line"));
    g_assert_cmphex((uint8_t)said->str[14], ==, 0x20);
    g_assert_cmphex((uint8_t)said->str[16], ==, 1);
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
    g_assert_cmpint(run_guest(), ==, 0);
    g_assert_cmpstr(said->str, ==, "+++");
}

static const KVMTest tests[] = {
    { "triple-fault-resets", test_triple_fault },
    { "multiboot-kernel-again-after-reset", test_multiboot },
    { "pvh-kernel-entry", test_pvh },
    { "linux-32-bit-entry", test_linux32 },
    { "linux-64-bit-entry", test_linux64 },
    { "other-vcpus-wait-for-sipi-after-each-reset", test_smp, 4 },
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_kvm_tests(tests, ARRAY_SIZE(tests));
    return g_test_run();
}
