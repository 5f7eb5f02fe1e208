/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine machine.c starts; defined by fuzz-NAME's file. */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

extern const char fuzz_machine[];

/* Everything that a guest can meet, without anything that outlives it. */
#define FUZZ_MACHINE(name, more)                                            \
    "-accel qtest -display none -nodefaults -m 8M -machine " name           \
    ",memory-backend=ram -object memory-backend-memfd,id=ram,size=8M "      \
    "-chardev null,id=c0 -serial chardev:c0 "                               \
    "-blockdev driver=null-co,node-name=n,size=1048576,read-zeroes=on "     \
    "-blockdev driver=null-co,node-name=s,size=1048576,read-zeroes=on "     \
    "-blockdev driver=null-co,node-name=r,size=1048576,read-zeroes=on,"     \
    "read-only=on -device nvme,drive=n,serial=fuzz,addr=4 "                 \
    "-device lsi53c895a,addr=5 -device scsi-hd,drive=s "                    \
    "-device scsi-cd,drive=r -device edu,addr=6 "                           \
    "-device pci-testdev,addr=7" more

#endif
