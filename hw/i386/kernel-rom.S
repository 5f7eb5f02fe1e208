/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option ROM by which firmware starts -kernel.  It calls itself a boot
 * device (BIOS Boot Specification 1.01, 3.3 and A.1: PnP expansion header with
 * a bootstrap entry vector); entered there, it has fw_cfg's DMA put the parts
 * of the kernel to where fw_cfg says, and goes to Linux's 16-bit entry (Linux
 * Documentation/arch/x86/boot.rst, "Running the Kernel").
 *
 * Real mode, any segment, nothing of itself is written.  kernel-rom.c fills in
 * the length and the sums.
 */
#include "kernel-rom.h"

/* fw_cfg's DMA: port of the low half of the request's address, and what is
 * asked for; all of it big-endian. */
        .set    DMA_LOW, 0x518
        .set    DMA_HIGH, 0x514
        .set    SELECT_AND_READ, 0x0a
        .set    DMA_FAILED, 0x01000000

/* In the kernel's segment, over the stack. */
        .set    REQUEST, KERNEL_ROM_STACK
        .set    ANSWER, REQUEST + 16
        .set    REQUEST_FLAT, KERNEL_ROM_SETUP + REQUEST
        .set    ANSWER_FLAT, KERNEL_ROM_SETUP + ANSWER

        .section .rodata, "a", @progbits
        .code16
        .balign 16
        .globl  kernel_rom
kernel_rom:
        .word   0xaa55
        .byte   0                       /* length in 512 bytes */
        movw    $0x20, %ax              /* init: "something to boot from" */
        lret
        .skip   0x1a - (. - kernel_rom)
        .word   pnp - kernel_rom
        .balign 16
        .globl  kernel_rom_pnp
kernel_rom_pnp:
pnp:    .ascii  "$PnP"
        .byte   1, 2                    /* revision; length in 16 bytes */
        .word   0                       /* no other header */
        .byte   0, 0                    /* reserved; sum */
        .long   0                       /* device identifier */
        .word   maker - kernel_rom, product - kernel_rom
        .byte   0x02, 0x80, 0x80        /* class: storage, other */
        .byte   0x14                    /* read-only, boots the system */
        .word   0, 0                    /* no connection to INT 13h */
        .word   boot - kernel_rom
        .word   0, 0

maker:  .asciz  "mpqemu"
product: .asciz "-kernel"
failed: .asciz  "-kernel: cannot be loaded\r\n"

/* Each part: where to, how much, the data; in the order of loading. */
parts:  .word   0x16, 0x17, 0x18        /* real-mode part */
        .word   0x07, 0x08, 0x11        /* protected-mode part */
        .word   0x0a, 0x0b, 0x12        /* initrd */
        .word   0x13, 0x14, 0x15        /* command line */
        .word   0

boot:   cli
        cld
        movw    $KERNEL_ROM_SETUP / 16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    $KERNEL_ROM_STACK, %esp
        movw    $(parts - kernel_rom), %si
next:   cmpw    $0, %cs:(%si)
        je      enter
        call    number
        pushl   %eax
        call    number
        movl    %eax, %ecx
        popl    %edi
        call    fetch
        jmp     next
enter:  ljmp    $KERNEL_ROM_SETUP / 16 + 0x20, $0

/* %eax: what the item of the next word of the table says. */
number: movl    $4, %ecx
        movl    $ANSWER_FLAT, %edi
        call    fetch
        movl    ANSWER, %eax
        ret

/* %ecx bytes of the item of the next word of the table, to address %edi. */
fetch:  movw    %cs:(%si), %ax
        addw    $2, %si
        testl   %ecx, %ecx
        jz      2f
        shll    $16, %eax
        movw    $SELECT_AND_READ, %ax
        bswapl  %eax
        movl    %eax, REQUEST
        bswapl  %ecx
        movl    %ecx, REQUEST + 4
        movl    $0, REQUEST + 8
        bswapl  %edi
        movl    %edi, REQUEST + 12
        xorl    %eax, %eax
        movw    $DMA_HIGH, %dx
        outl    %eax, %dx
        movl    $REQUEST_FLAT, %eax
        bswapl  %eax
        movw    $DMA_LOW, %dx
        outl    %eax, %dx
1:      movl    REQUEST, %eax
        testl   $~DMA_FAILED, %eax
        jnz     1b
        testl   %eax, %eax
        jnz     give_up
2:      ret

/* The BIOS goes on with what it can boot next. */
give_up:
        movw    $(failed - kernel_rom), %si
1:      movb    %cs:(%si), %al
        incw    %si
        testb   %al, %al
        jz      2f
        movb    $0x0e, %ah
        movw    $7, %bx
        int     $0x10
        jmp     1b
2:      int     $0x18

        .globl  kernel_rom_end
kernel_rom_end:

        .section .note.GNU-stack, "", @progbits
