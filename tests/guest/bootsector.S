/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first sector of a disk that firmware boots.  Finds the active partition,
 * reads the two sectors it begins with by INT 13h function 42h (Enhanced Disk
 * Drive Specification), says the text in the second one on the first serial
 * port, and enters the first one as firmware would enter a disk's, DL being
 * the disk.  Halts with a complaint where that cannot be done.
 */
        .set    HERE, 0x600             /* where this code runs */
        .set    NEXT, 0x7c00            /* where a boot sector is entered */
        .set    COM1, 0x3f8
        .set    LSR, COM1 + 5
        .set    LSR_THRE, 0x20

        .code16
        .globl  _start
_start: cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $NEXT, %sp
        movw    $NEXT, %si              /* make room for the next sector */
        movw    $HERE, %di
        movw    $256, %cx
        rep movsw
        ljmp    $0, $moved
moved:  sti
        movw    $table, %bp
        movw    $4, %cx
1:      testb   $0x80, (%bp)
        jnz     active
        addw    $16, %bp
        loop    1b
        movw    $none, %si
        jmp     stop
active: movl    8(%bp), %eax
        movl    %eax, lba
        movw    $packet, %si
        movb    $0x42, %ah
        int     $0x13
        jc      failed
        cmpw    $0xaa55, NEXT + 510
        jne     failed
        movw    $NEXT + 512, %si
        call    say
        movw    %bp, %si
        ljmp    $0, $NEXT
failed: movw    $unread, %si
stop:   call    say
1:      hlt
        jmp     1b

say:    pushw   %dx
1:      lodsb
        movb    %al, %ah
        testb   %ah, %ah
        jz      3f
        movw    $LSR, %dx
2:      inb     %dx, %al
        testb   $LSR_THRE, %al
        jz      2b
        movw    $COM1, %dx
        movb    %ah, %al
        outb    %al, %dx
        jmp     1b
3:      popw    %dx
        ret

none:   .asciz  "boot sector: no active partition\r\n"
unread: .asciz  "boot sector: the partition does not start\r\n"
        .balign 4
packet: .byte   16, 0
        .word   2, NEXT, 0
lba:    .quad   0
        .org    446
table:  .org    510
        .word   0xaa55
        .section .note.GNU-stack, "", @progbits
