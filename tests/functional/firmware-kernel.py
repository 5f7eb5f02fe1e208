#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""-kernel with -bios: SeaBIOS loads the kernel by its option ROM.

With --payload a small kernel of our own that any KVM runs; else Debian's, in a
nested guest where this machine's KVM runs no 64-bit kernel.
"""
import argparse
import os
import re
import subprocess
import sys

from mpqemu_test import case, lab, linux, tap
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Machine

FIRMWARE = '/usr/share/seabios/bios-256k.bin'
APPEND = 'console=ttyS0 quiet panic=-1 word=\'two words\''
GOOD = 33                       # what isa-debug-exit makes of a good end

GUEST = r'''
mark() { printf '\n@@ %s\n' "$*"; }
mark append "$(cat /proc/cmdline)"
mark loader $(cat /proc/sys/kernel/bootloader_type)
mark bios $(cat /sys/class/dmi/id/bios_vendor)
mark digest $(sha256sum < /ballast | cut -d' ' -f1)
mark tables $(ls /sys/firmware/acpi/tables | grep -c -E 'FACP|DSDT|APIC')
mark serial $(cat /sys/class/dmi/id/product_serial)
mark done
poweroff -f
'''


class Settings:
    """What the command line said."""
    payload = None


class Boot(case.Case):
    def play(self, machine, limit, **options):
        """Exit status, console, report."""
        vm = Machine(self.program, machine=machine,
                     extra=[*options.pop('firmware', ['-bios', FIRMWARE]),
                            '-device', 'isa-debug-exit',
                            *options.pop('extra', [])], **options)
        with vm:
            status = vm.wait(limit)[0]
        return status, vm.console, '\n' + vm.report()


class Payload(Boot):
    """A kernel of our own finds everything where the protocol says."""

    def loaded(self, machine, initrd, append, **options):
        status, console, report = self.play(
            machine, 30, kernel=Settings.payload, append=append,
            initrd=self.path('initrd', initrd) if initrd else None, **options)
        self.assertEqual(status, GOOD, report)
        said = dict(re.findall(r'^([A-Z]) (.*?)\r$', console, re.M))
        a, b = 1, 0
        for byte in initrd:
            a += byte
            b += a
        wanted = {'S': 0, 'T': 0xb0, 'H': 0xfc00, 'E': 0x7ea1c0de,
                  'I': len(initrd), 'A': a, 'B': b & 0xffffffff}
        self.assertEqual(
            {key: int(said.get(key, '-1'), 16) for key in wanted}, wanted,
            report)
        self.assertEqual(said.get('C'), append, report)

    def test_with_initrd_on_q35(self):
        self.loaded('q35', os.urandom(300001), APPEND, memory=64)

    def test_with_initrd_on_pc(self):
        self.loaded('pc', os.urandom(300001), APPEND, memory=64)

    def test_with_nothing_on_q35(self):
        self.loaded('q35', b'', '', memory=64)

    def test_little_memory_on_pc(self):
        self.loaded('pc', os.urandom(100000), '', memory=4)

    def test_above_4_gib_on_q35(self):
        self.loaded('q35', os.urandom(65536), 'x' * 2047, memory=5000)

    def test_before_a_disk_with_a_bootindex(self):
        disk = self.path('disk', bytes(510) + b'\x55\xaa')
        self.loaded('q35', b'initrd', 'first', memory=64, extra=[
            '-drive', f'if=none,id=d,format=raw,file={disk}',
            '-device', 'nvme,serial=1,drive=d,bootindex=0'])


class Refused(case.Case):
    """What cannot be done is said before anything starts."""

    def test_firmware_that_is_not_there(self):
        self.refused("firmware 'nowhere.bin': there is no such file",
                     '-bios', 'nowhere.bin')
        self.refused("firmware '/nowhere/bios': No such file",
                     '-bios', '/nowhere/bios')

    def test_firmware_that_is_no_file(self):
        self.refused("firmware '/dev/zero': not a regular file",
                     '-bios', '/dev/zero')

    def test_firmware_of_a_wrong_size(self):
        self.refused('has 512 bytes: it must be a multiple of 64 KiB',
                     '-bios', self.path('bios', bytes(512)))

    def test_kernel_of_another_kind(self):
        elf = self.path('elf', b'\x7fELF' + bytes(1000))
        self.refused(f"kernel '{elf}': is not a bzImage",
                     '-bios', FIRMWARE, '-kernel', elf)

    def test_initrd_that_does_not_fit(self):
        self.refused('do not fit', '-bios', FIRMWARE,
                     '-kernel', Settings.payload, '-initrd',
                     self.path('initrd', bytes(64 << 20)))

    def test_command_line_that_is_too_long(self):
        self.refused('2048 characters are too many', '-bios', FIRMWARE,
                     '-kernel', Settings.payload, '-append', 'x' * 2048)


class Linux(Boot):
    """Debian's kernel comes up, through firmware."""

    def boots(self, machine, bios='SeaBIOS', loader='176', **options):
        ballast = os.urandom(1 << 20)
        image = Initramfs()
        image.busybox()
        image.file('/ballast', ballast)
        image.init(GUEST)
        initrd = image.write(os.path.join(self.scratch, 'initrd'))
        status, console, report = self.play(
            machine, 200, memory=512, kernel=linux.kernel(), initrd=initrd,
            append=APPEND,
            extra=['-smbios', 'type=1,serial=number one'], **options)
        self.assertEqual(status, 0, report)
        said = dict(re.findall(r'^@@ (\w+) ?(.*?)\r?$', console, re.M))
        self.assertEqual(said.get('append'), APPEND, report)
        self.assertEqual(said.get('loader'), loader, report)
        self.assertEqual(said.get('bios'), bios, report)
        self.assertEqual(said.get('serial'), 'number one', report)
        self.assertEqual(said.get('tables'), '3', report)
        self.assertEqual(
            said.get('digest'),
            subprocess.run(['sha256sum', self.path('ballast', ballast)],
                           capture_output=True, text=True,
                           check=True).stdout.split()[0], report)

    def test_on_q35(self):
        self.boots('q35')

    def test_on_pc(self):
        self.boots('pc')

    def test_smbios_without_firmware_on_q35(self):
        self.boots('q35', bios='', loader='255', firmware=[])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', required=True, metavar='BINARY')
    parser.add_argument('--payload', metavar='BZIMAGE')
    parser.add_argument('only', nargs='*', metavar='CLASS[.TEST]')
    args = parser.parse_args()
    case.Case.program = os.path.realpath(args.main)
    if args.payload:
        Settings.payload = os.path.realpath(args.payload)
        names = ['Refused', 'Payload']
        if lab.no_kvm():
            return tap.skip_all(lab.no_kvm())
    else:
        names = ['Linux']
        possible, why = lab.own_kvm()
        print(f'# {why}', flush=True)
        if not possible:
            return lab.run([sys.executable, os.path.realpath(__file__),
                            '--main', case.Case.program, *args.only])
    return tap.run_own(args.only or names)


if __name__ == '__main__':
    sys.exit(main())
