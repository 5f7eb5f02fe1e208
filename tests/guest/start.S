/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way in from a multiboot 1 loader, and the way in of every interrupt.
 *
 * Only what 32-bit code of an old CPU has: some software KVMs interpret it.
 */
        .set    MAGIC, 0x1badb002
        .set    MEMORY_INFO, 2

        .section .multiboot, "a"
        .align  4
        .long   MAGIC, MEMORY_INFO, -(MAGIC + MEMORY_INFO)

        .text
        .globl  _start
_start: cli
        cld
        movl    $stack_top, %esp
        lgdt    gdt_pointer
        ljmp    $8, $1f
1:      movl    $16, %ecx
        movl    %ecx, %ds
        movl    %ecx, %es
        movl    %ecx, %ss
        pushl   %ebx                    /* what the loader tells */
        call    guest_start
2:      hlt
        jmp     2b

/* Each vector pushes its number; an error code that some exceptions push
 * below it is never returned over, as exceptions end the payload. */
        .globl  vectors
        .align  16
vectors:
        .set    n, 0
        .rept   256
        .align  16
        pushl   $n
        jmp     common
        .set    n, n + 1
        .endr

/* Back without IRET, which software KVMs do not have in protected mode: flags
 * and address change places, and the address goes where the flags were.
 * Interrupts were on; after STI they stay off for one instruction more. */
common: pushal
        cld
        movl    32(%esp), %eax          /* the vector */
        movl    36(%esp), %edx          /* EIP, or the error code */
        pushl   %edx
        pushl   %eax
        call    guest_interrupt
        addl    $8, %esp
        movl    36(%esp), %eax
        movl    44(%esp), %edx
        andl    $~0x200, %edx
        movl    %edx, 40(%esp)
        movl    %eax, 44(%esp)
        popal
        leal    8(%esp), %esp
        popfl
        sti
        ret

        .data
        .align  8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      /* code, flat */
        .quad   0x00cf93000000ffff      /* data, flat */
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .bss
        .align  16
        .skip   16384
stack_top:

        .section .note.GNU-stack, "", @progbits
