/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel in Linux's format (Documentation/arch/x86/boot.rst) that says on
 * the first serial port what its loader left, and ends the emulator with
 * status 33: 16-bit entry, then 32-bit code at 1 MiB.
 *
 * A flat binary, linked at 0.  Some software KVMs interpret it, so it has only
 * what old CPUs have.
 */
        .set    COM1, 0x3f8
        .set    EXIT_PORT, 0x501
        .set    EXIT_GOOD, 16
        .set    SECTORS, 1              /* of the real-mode part, but one */
        .set    CODE_AT, 0x100000
        .set    LAST, 0x7ea1c0de

        .text
        .code16
start:  .skip   0x1f1
        .byte   SECTORS
        .word   0
        .long   (end - code) / 16
        .word   0, 0xffff, 0, 0xaa55
        .byte   0xeb, entry - header    /* jmp entry */
header: .ascii  "HdrS"
        .word   0x20c                   /* version of the protocol */
        .long   0
        .word   0, 0
type_of_loader:
        .byte   0
        .byte   1                       /* loaded high */
        .word   0
        .long   CODE_AT
ramdisk_image:
        .long   0
ramdisk_size:
        .long   0
        .long   0
heap_end_ptr:
        .word   0, 0
cmd_line_ptr:
        .long   0
        .long   0x37ffffff              /* where an initrd may end */
        .long   0x1000
        .byte   0, 0
        .word   0
        .long   2047                    /* longest command line */
        .long   0
        .quad   0
        .long   0, 0
        .quad   0
        .quad   CODE_AT                 /* where it runs, and in how much */
        .long   0x100000
        .long   0

entry:  cli
        cld
        movw    %cs, %ax
        subw    $0x20, %ax
        movw    %ds, %bx
        movw    %es, %cx
        movw    %ss, %dx
        xorw    %ax, %bx
        xorw    %ax, %cx
        xorw    %ax, %dx
        orw     %cx, %bx
        orw     %dx, %bx                /* 0: all segments are as CS says */
        movzwl  %bx, %ebp
        movzwl  %ax, %eax
        shll    $4, %eax
        movl    %eax, %edi              /* where this part is */
        addl    %eax, gdt_pointer + 2
        lgdt    gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $CODE_AT

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      /* code, flat */
        .quad   0x00cf93000000ffff      /* data, flat */
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .skip   (SECTORS + 1) * 512 - (. - start)

        .code32
code:   movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        leal    0xf000(%edi), %esp

        movl    $'S', %ebx
        movl    %ebp, %eax
        call    report
        movl    $'T', %ebx
        movzbl  type_of_loader(%edi), %eax
        call    report
        movl    $'H', %ebx
        movzwl  heap_end_ptr(%edi), %eax
        call    report
        movl    $'E', %ebx
        movl    CODE_AT + last - code, %eax
        call    report
        movl    $'I', %ebx
        movl    ramdisk_size(%edi), %eax
        call    report
        /* Adler-32 of the initrd, without its modulus: a in %eax, b in %edx */
        movl    ramdisk_size(%edi), %ecx
        movl    ramdisk_image(%edi), %esi
        movl    $1, %eax
        xorl    %edx, %edx
        xorl    %ebx, %ebx
        testl   %ecx, %ecx
        jz      2f
1:      movb    (%esi), %bl
        addl    %ebx, %eax
        addl    %eax, %edx
        incl    %esi
        decl    %ecx
        jnz     1b
2:      pushl   %edx
        movl    $'A', %ebx
        call    report
        popl    %eax
        movl    $'B', %ebx
        call    report

        /* The command line, as it is. */
        movl    $'C', %eax
        call    put
        movl    $' ', %eax
        call    put
        movl    cmd_line_ptr(%edi), %esi
3:      movzbl  (%esi), %eax
        incl    %esi
        testl   %eax, %eax
        jz      4f
        call    put
        jmp     3b
4:      call    new_line
        movl    $EXIT_PORT, %edx
        movl    $EXIT_GOOD, %eax
        outb    %al, %dx
5:      hlt
        jmp     5b

/* A line: the letter %ebx, and %eax in hexadecimal. */
report: pushl   %eax
        movl    %ebx, %eax
        call    put
        movl    $' ', %eax
        call    put
        popl    %ebx
        movl    $8, %ecx
1:      roll    $4, %ebx
        movl    %ebx, %eax
        andl    $15, %eax
        addl    $'0', %eax
        cmpl    $'9', %eax
        jbe     2f
        addl    $'a' - '9' - 1, %eax
2:      call    put
        decl    %ecx
        jnz     1b
new_line:
        movl    $'\r', %eax
        call    put
        movl    $'\n', %eax

/* The character %al. */
put:    pushl   %eax
        movl    $COM1 + 5, %edx
1:      inb     %dx, %al
        testb   $0x20, %al
        jz      1b
        popl    %eax
        movl    $COM1, %edx
        outb    %al, %dx
        ret

        /* Long enough that a part of it would be missed. */
        .fill   30000, 4, 0x5a5a5a5a
last:   .long   LAST
end:

        .section .note.GNU-stack, "", @progbits
