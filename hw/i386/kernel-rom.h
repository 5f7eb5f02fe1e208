/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's option ROM and those who make its data agree on. */
#ifndef HW_I386_KERNEL_ROM_H
#define HW_I386_KERNEL_ROM_H

/* The real-mode part of a kernel: 64 KiB of its own, of which the upper end
 * is the ROM's and, until there, the part's own heap and stack. */
#define KERNEL_ROM_SETUP 0x10000
#define KERNEL_ROM_SETUP_SIZE 0x10000
#define KERNEL_ROM_SETUP_MAX 0x9000
#define KERNEL_ROM_STACK 0xfe00

#endif
