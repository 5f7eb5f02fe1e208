#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Group boot: a Debian kernel to the first line of its init, and SeaBIOS to
the first instruction of a disk.

The distribution's QEMU enters a -kernel by way of SeaBIOS, ours directly.
Run as a program it is the part for nested KVM: one JSON line a boot.
"""
import json
import os
import subprocess
import sys
import time

from common import DISTRIBUTION, OURS
from mpqemu_test import lab, linux
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Disk, Machine

INIT = '#!/bin/busybox sh\n/bin/busybox echo "@@ init" > /dev/console\n' \
       '/bin/busybox poweroff -f\n'


#: Writes what follows it to the first serial port, and sleeps.
SECTOR = bytes.fromhex('be117cfcba'
                       'f803ac84c07403eeebf8faf4') + b'@@ sector\n\0'


def to_sector(program, remote, image):
    """Seconds from the start of the process to the disk's boot sector."""
    with open(image, 'r+b') as file:
        file.write(SECTOR.ljust(510, b'\0') + b'\x55\xaa')
    disk = [Disk(image, 'bench', 4, ',bootindex=0')]
    guest = Machine(program, remote or program, [disk] if remote else (),
                    () if remote else disk, memory=64,
                    extra=['-cpu', 'qemu64'])
    begin = time.monotonic()
    with guest:
        seen = guest.expect('^@@ sector', 60)
        took = time.monotonic() - begin
    return took if seen else None


def boot(program, initrd, smp):
    """Seconds from the start of the process to the first line of init."""
    guest = Machine(program, local=(), smp=smp, memory=256,
                    kernel=linux.kernel(), initrd=initrd,
                    append='console=ttyS0 quiet panic=-1')
    begin = time.monotonic()
    with guest:
        seen = guest.expect('^@@ init', 120)
        took = time.monotonic() - begin
    return took if seen else None


def inside(initrd, rounds):
    for _ in range(rounds):
        for smp in 1, 2:
            for who, program in ('ours', OURS), ('dist', DISTRIBUTION):
                print(json.dumps([who, smp, boot(program, initrd, smp)]),
                      flush=True)


def firmware(results, scratch, quick):
    for _ in range(1 if quick else 3):
        for who, program, remote in (
                ('ours', OURS, OURS), ('dist', DISTRIBUTION, DISTRIBUTION),
                ('ours local', OURS, None), ('dist local', DISTRIBUTION,
                                             None)):
            took = to_sector(program, remote, scratch.image(64, who))
            if took is None:
                results.note(f'boot: {who}: SeaBIOS does not boot the disk')
            else:
                results.add('boot', 'SeaBIOS to a boot sector', who, took, 's')


def boot_group(results, scratch, quick):
    firmware(results, scratch, quick)
    image = Initramfs()
    image.busybox()
    image.file('/init', INIT, 0o755)
    initrd = image.write(os.path.join(scratch.disk, 'boot.cpio'))
    command = [sys.executable, os.path.realpath(__file__), initrd,
               '1' if quick else '2']
    out = os.path.join(scratch.disk, 'boot.out')
    with open(out, 'w', encoding='utf-8') as file:
        if lab.own_kvm()[0]:
            subprocess.run(command, stdout=file, check=False)
        else:
            lab.run(command, scratch.disk, output=file)
    with open(out, encoding='utf-8', errors='replace') as file:
        for line in file:
            if not line.startswith('['):
                continue
            who, smp, took = json.loads(line)
            if took is None:
                results.note(f'boot: {who}, -smp {smp}: no init')
            else:
                results.add('boot', f'to init, -smp {smp}', who, took, 's')


if __name__ == '__main__':
    inside(sys.argv[1], int(sys.argv[2]))
