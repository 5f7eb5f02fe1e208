/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small PC for tests with real guests under KVM: 16 MiB of RAM, a ROM at the
 * reset vector and at f0000, registers at d0000, and a port to speak through.
 *
 * A guest says something with a byte to port 0x500, asks for a byte at port
 * 0x502, has the host do something with port 0x503, and ends the test with
 * port 0x501.  Each test runs in a process of its own, and is skipped where
 * there is no /dev/kvm.
 */
#ifndef TESTS_KVM_GUEST_H
#define TESTS_KVM_GUEST_H

#include "qemu/main-loop.h"
#include "hw/boards.h"
#include "hw/i386/boot.h"
#include "hw/i386/cpu.h"
#include "system/kvm.h"
#include "system/memory.h"
#include "system/runstate.h"

#define RAM_SIZE (16 * MiB)
#define ROM_SIZE 0x10000

extern MachineState machine;
extern MemoryRegion ram, rom, mmio_mr;
extern GString *said;                   /* what came to port 0x500 */
extern GString *mmio_log;               /* "rADDR.SIZE ", "wADDR.SIZE=DATA " */
extern uint8_t answer;                  /* to a read of port 0x502 */
extern void (*host_call)(uint8_t value);        /* by port 0x503 */
extern bool may_fail;                   /* an internal error is no surprise */
extern int rounds;                      /* for tests that count */

/* Resets, starts, and returns the exit status. */
int run_guest(void);
void put_rom(const uint8_t *code, const uint8_t *end);
void load_kernel(const uint8_t *image, const uint8_t *end);

typedef struct KVMTest {
    const char *path;
    void (*fn)(void);
    unsigned cpus;                      /* 0: one */
} KVMTest;
void add_kvm_tests(const KVMTest *tests, int n);

/* -- Guests -------------------------------------------------------------- */

#define GUEST(name, bits, head, code)                                   \
    extern const uint8_t guest_##name[], guest_##name##_end[];          \
    asm(".pushsection .rodata\n.code" #bits "\n.balign 4\n"             \
        "guest_" #name ":\n" head code "\n1: hlt; jmp 1b\n"             \
        "guest_" #name "_end:\n.code64\n.popsection\n")

#define OUT(port, value) "mov $" #value ",%al; mov $" #port ",%dx;" \
    "outb %al,%dx\n"
#define SAY(c) OUT(0x500, c)
#define CALL_HOST(c) OUT(0x503, c)
#define EXIT(c) OUT(0x501, c)

/* Real mode: runs at f000:0000 after each reset. */
#define GUEST16(name, code) GUEST(name, 16, "", code)
#define PUT_ROM(name) put_rom(guest_##name, guest_##name##_end)

/* Protected mode: a multiboot image at 1 MiB whose header gives its
 * addresses. */
#define GUEST32(name, code)                                             \
    GUEST(name, 32, ".long 0x1badb002, 0x10003, -(0x1badb002 + 0x10003)\n" \
          ".long 0x100000, 0x100000, 0, 0x110000, 0x100020\n", code)
#define LOAD_KERNEL(name) load_kernel(guest_##name, guest_##name##_end)

#endif
