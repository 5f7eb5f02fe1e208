/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test's hands in a guest under KVM, whose interrupt chips only a CPU can
 * reach: does one access after the other as the mailbox in RAM says (hands.c),
 * and takes an interrupt when it is told to.
 *
 * A multiboot image.  Only what 32-bit code of an old CPU has, and no IRET: some
 * software KVMs interpret it.
 */
        .set    BOX, 0x2000000          /* zero at first, kept over resets */
        .set    ASKED, 0
        .set    ANSWERED, 4
        .set    WHAT, 8
        .set    ADDR, 12
        .set    VALUE, 16
        .set    IDT, BOX + 0x1000
        .set    STACK, BOX + 0x3000

        .code32
        .globl  _start
        .set    MAGIC, 0x1badb002
        .set    ADDRESSES, 0x10000
        .set    BASE, 0x100000

        .text
image:  .long   MAGIC, ADDRESSES, -(MAGIC + ADDRESSES)
        .long   BASE, BASE, 0, 0, _start

_start: cli
        cld
        movl    $STACK, %esp
        lgdt    gdt_pointer
        ljmp    $8, $1f
1:      movl    $16, %ecx
        movl    %ecx, %ds
        movl    %ecx, %es
        movl    %ecx, %ss
        movl    $vectors, %eax
        movl    $IDT, %edi
        movl    $256, %ecx
2:      movl    %eax, %edx
        andl    $0xffff, %edx
        orl     $8 << 16, %edx
        movl    %edx, (%edi)
        movl    %eax, %edx
        andl    $0xffff0000, %edx
        orl     $0x8e00, %edx           /* a gate that turns interrupts off */
        movl    %edx, 4(%edi)
        addl    $16, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     2b
        lidt    idt_pointer
        movl    $0x1ff, 0xfee000f0      /* on: only then LINT0 can be */
        movl    $0x700, 0xfee00350      /* the 8259s */

        movl    $BOX, %ebx
next:   movl    ASKED(%ebx), %esi
        cmpl    ANSWERED(%ebx), %esi
        jne     1f
        pause
        jmp     next
1:      movl    WHAT(%ebx), %ecx
        movl    ADDR(%ebx), %edx
        movl    VALUE(%ebx), %eax
        jmp     *actions(, %ecx, 4)
done:   movl    %eax, VALUE(%ebx)
        movl    %esi, ANSWERED(%ebx)
        jmp     next

actions:
        .long   in1, in2, in4, out1, out2, out4
        .long   read1, read2, read4, write1, write2, write4
        .long   take

in1:    xorl    %eax, %eax
        inb     %dx, %al
        jmp     done
in2:    xorl    %eax, %eax
        inw     %dx, %ax
        jmp     done
in4:    inl     %dx, %eax
        jmp     done
out1:   outb    %al, %dx
        jmp     done
out2:   outw    %ax, %dx
        jmp     done
out4:   outl    %eax, %dx
        jmp     done
read1:  xorl    %eax, %eax
        movb    (%edx), %al
        jmp     done
read2:  xorl    %eax, %eax
        movw    (%edx), %ax
        jmp     done
read4:  movl    (%edx), %eax
        jmp     done
write1: movb    %al, (%edx)
        jmp     done
write2: movw    %ax, (%edx)
        jmp     done
write4: movl    %eax, (%edx)
        jmp     done

/* What waits comes at the latest when KVM is back from a port of the main
 * process.  -1: nothing did. */
take:   sti
        nop
        inb     $0x80, %al
        nop
        nop
        cli
        movl    $-1, %eax
        jmp     done

        .align  16
vectors:
        .set    n, 0
        .rept   256
        .align  16
        pushl   $n
        jmp     taken
        .set    n, n + 1
        .endr

/* The handler does not end it, and goes back to where nothing is taken. */
taken:  movl    (%esp), %eax
        movl    $STACK, %esp
        jmp     done

        .align  8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      /* code, flat */
        .quad   0x00cf93000000ffff      /* data, flat */
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt
idt_pointer:
        .word   256 * 8 - 1
        .long   IDT

        .section .note.GNU-stack, "", @progbits
