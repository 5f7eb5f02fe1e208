#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Group boot: a Debian kernel to the first line of its init, and SeaBIOS to
the first instruction of a disk.

The distribution's QEMU enters a -kernel by way of its firmware only: SeaBIOS,
or qboot, which does nothing else.  Ours does it directly, and with -bios by way
of SeaBIOS, too.  Run as a program it is the part for nested KVM: one JSON line
a boot.
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
    disk = [Disk(image, 'bench', 4)]
    guest = Machine(program, remote or program, [disk] if remote else (),
                    () if remote else disk, memory=64,
                    extra=['-cpu', 'qemu64'])
    begin = time.monotonic()
    with guest:
        seen = guest.expect('^@@ sector', 60)
        took = time.monotonic() - begin
    return took if seen else None


#: (name in the results, program, more options, what is measured)
ONE, TWO, HUGE = ('to init, -smp 1', 'to init, -smp 2',
                  'to init, -smp 1, huge pages')
BOOTS = [('ours', OURS, (), ONE), ('dist', DISTRIBUTION, (), ONE),
         ('ours, SeaBIOS', OURS, ('-bios', 'bios-256k.bin'), ONE),
         ('dist, qboot', DISTRIBUTION, ('-bios', 'qboot.rom'), ONE),
         ('ours', OURS, (), TWO), ('dist', DISTRIBUTION, (), TWO),
         ('ours', OURS, (), HUGE), ('dist', DISTRIBUTION, (), HUGE)]
#: Whether shared memory has huge pages; Debian's is never.
SETTING = '/sys/kernel/mm/transparent_hugepage/shmem_enabled'
ROUNDS = 3
#: Seconds; an idle machine needs 12 to 20 a boot, and there are 26 in all.
LIMIT, LIMIT_ALL = 60, 900


def boot(program, initrd, smp, extra=()):
    """Seconds from the start of the process to the first line of init."""
    guest = Machine(program, local=(), smp=smp, memory=256,
                    kernel=linux.kernel(), initrd=initrd,
                    append='console=ttyS0 quiet panic=-1', extra=extra)
    begin = time.monotonic()
    with guest:
        seen = guest.expect('^@@ init', LIMIT)
        took = time.monotonic() - begin
    return took if seen else None


def inside(initrd, rounds):
    # What is read the first time comes from the disk; it is in no round.
    boot(OURS, initrd, 1)
    boot(DISTRIBUTION, initrd, 1)
    for _ in range(rounds):
        for who, program, extra, what in BOOTS:
            # A guest of our own is changed, a machine of others is not.
            if os.environ.get('MPQEMU_LAB') == 'nested':
                with open(SETTING, 'w', encoding='ascii') as file:
                    file.write('advise' if what == HUGE else 'never')
            elif what == HUGE:
                continue
            smp = 2 if what == TWO else 1
            print(json.dumps([who, what, boot(program, initrd, smp, extra)]),
                  flush=True)


def firmware(results, scratch, quick):
    for _ in range(1 if quick else 2):
        for who, program, remote in (
                ('ours', OURS, OURS), ('dist', DISTRIBUTION, DISTRIBUTION),
                ('ours local', OURS, None), ('dist local', DISTRIBUTION,
                                             None)):
            took = to_sector(program, remote, scratch.image(64, who))
            if took is None:
                results.note(f'boot: {who}: SeaBIOS does not boot the disk')
            else:
                results.add('boot', 'SeaBIOS to a boot sector', who, took, 's')


def run_inside(command, work):
    """(lines of JSON, status, the end of the console) of the command where
    64-bit kernels run."""
    out, log = (os.path.join(work, name) for name in ('boot.out', 'boot.log'))
    with open(out, 'w', encoding='utf-8') as file:
        if lab.own_kvm()[0]:
            status = subprocess.run(command, stdout=file,
                                    check=False).returncode
        else:
            status = lab.run(command, work, limit=LIMIT_ALL, output=file,
                             log=log)
    with open(out, encoding='utf-8', errors='replace') as file:
        lines = [line for line in file
                 if line.startswith('[') and line.endswith(']\n')]
    console = ''
    if os.path.exists(log):
        with open(log, encoding='utf-8', errors='replace') as file:
            console = ' / '.join(file.read().split('\n')[-8:])
    return lines, status, console


def boot_group(results, scratch, quick):
    firmware(results, scratch, quick)
    image = Initramfs()
    image.busybox()
    image.file('/init', INIT, 0o755)
    initrd = image.write(os.path.join(scratch.disk, 'boot.cpio'))
    command = [sys.executable, os.path.realpath(__file__), initrd,
               '1' if quick else str(ROUNDS)]
    lines, status, console = run_inside(command, scratch.disk)
    if status == lab.NEVER_ENDED and not lines:
        lines, status, console = run_inside(command, scratch.disk)
    if status:
        results.note('boot: the nested guest came to no end; its console: '
                     + console if status == lab.NEVER_ENDED else
                     f'boot: status {status} of what boots kernels')
    for line in lines:
        who, what, took = json.loads(line)
        if took is None:
            results.note(f'boot: {who}, {what}: it did not come')
        else:
            results.add('boot', what, who, took, 's')


if __name__ == '__main__':
    inside(sys.argv[1], int(sys.argv[2]))
