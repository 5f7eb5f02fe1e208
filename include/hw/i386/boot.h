/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a kernel without firmware, and the e820 map that firmware and
 * kernels are shown.  BQL.
 *
 * Low memory while a kernel is entered directly (all inside the first 640 KiB,
 * the kernel's own from then on):
 *
 *     0x00500  GDT            0x06000  PVH or multiboot info, memory map
 *     0x07000  zero page      0x09000  page tables (64-bit entry)
 *     0x20000  command line, up to 64 KiB
 */
#ifndef HW_I386_BOOT_H
#define HW_I386_BOOT_H

#include "qapi/error.h"

/* e820 types (ACPI 6.4, 15.2). */
#define E820_RAM 1
#define E820_RESERVED 2
#define E820_ACPI 3
#define E820_NVS 4

/* Exactly one entry of fw_cfg's "etc/e820" and of the zero page. */
typedef struct E820Entry {
    uint64_t address;
    uint64_t length;
    uint32_t type;
} QEMU_PACKED E820Entry;

/* The machine's map; entries that are not RAM win where they overlap RAM.
 * False if it is full (128). */
bool e820_add_entry(uint64_t address, uint64_t length, uint32_t type);
unsigned e820_get_table(const E820Entry **table);
void e820_clear(void);                          /* for tests */

/**
 * x86_load_kernel - prepare a direct boot, without firmware.
 * @ms: its ram_size and smp_cpus are not looked at; may be NULL
 * @file: a bzImage (boot protocol 2.06 or later, 64-bit entry where it has
 *        one, else 32-bit), an ELF with a PVH entry note, or a multiboot 1
 *        image
 * @initrd: or NULL; for multiboot a list of modules "FILE ARGS,FILE ARGS"
 * @cmdline: or NULL
 * @below_4g: bytes of RAM at 0
 * @above_4g: bytes of RAM at 4 GiB
 * @rsdp_addr: guest address of the ACPI RSDP, or 0
 *
 * Reads RAM's layout from the e820 map if it has RAM entries, else makes it of
 * @below_4g and @above_4g; add the machine's reserved ranges (PCIEXBAR, ACPI
 * tables) before.  The files stay open: RAM is loaded from them at each system
 * reset, by a reset handler that this registers.  False with @errp naming
 * @file and what is wrong with it.
 */
bool x86_load_kernel(MachineState *ms, const char *file, const char *initrd,
                     const char *cmdline, uint64_t below_4g,
                     uint64_t above_4g, uint64_t rsdp_addr, Error **errp);
bool x86_kernel_loaded(void);

/* A part of a kernel that firmware is to put to @addr; @data is for g_free(). */
typedef struct X86KernelPart {
    uint32_t addr, size;
    void *data;
} X86KernelPart;

/* What Linux's 16-bit entry needs in RAM. */
typedef struct X86KernelParts {
    X86KernelPart setup, code, initrd, cmdline;
} X86KernelParts;

/**
 * x86_split_kernel - prepare a boot by firmware and the kernel's option ROM.
 * @file: a bzImage, boot protocol 2.06 or later
 * @parts: filled; x86_kernel_parts_clear() frees it.  No initrd: its size is 0
 *
 * The rest as x86_load_kernel().  RAM's last megabyte below 4 GiB stays free
 * for firmware's tables.
 */
bool x86_split_kernel(const char *file, const char *initrd,
                      const char *cmdline, uint64_t below_4g,
                      uint64_t above_4g, X86KernelParts *parts, Error **errp);
void x86_kernel_parts_clear(X86KernelParts *parts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(X86KernelParts, x86_kernel_parts_clear)

/* Sets the boot vCPU's registers for the loaded kernel; nothing without one.
 * The reset of the boot vCPU calls it. */
void x86_boot_reset(CPUState *bsp);

#endif
