#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What SeaBIOS runs and in which order: option ROMs, -boot and bootindex.

Disks, a CD and ROMs are made here: each says one letter at the serial port.
A boot sector then ends the machine by isa-debug-exit.
"""
import argparse
import os
import struct
import sys

from mpqemu_test import case, lab, tap
from mpqemu_test.pair import Machine, ScsiDisk

LIMIT = 40                      # seconds; 2 on an idle machine
BLOCK = 2048


def say(letter):
    """mov dx, 0x3f8; mov al, letter; out dx, al"""
    return b'\xba\xf8\x03\xb0' + letter.encode() + b'\xee'


#: Writes the letter to port 0x501; 6 to port 0xcf9, which is a reset.
THE_END, AGAIN = b'\xba\x01\x05\xee', b'\xba\xf9\x0c\xb0\x06\xee'


def boot_sector(letter, then=THE_END):
    """Says its letter, does what is then to do, and halts."""
    code = say(letter) + then + b'\xf4\xeb\xfd'
    return code.ljust(510, b'\0') + b'\x55\xaa'


def iso(sector):
    """A CD that boots without emulation (El Torito 1.0, section 2)."""
    def descriptor(kind, *fields):
        block = bytearray(BLOCK)
        block[0:7] = bytes([kind]) + b'CD001\1'
        for at, what in fields:
            block[at:at + len(what)] = what
        return bytes(block)

    entry = struct.pack('<BBHBBHI', 0x88, 0, 0, 0, 0, 4, 20)
    check = bytearray(b'\1'.ljust(30, b'\0') + b'\x55\xaa')
    total = sum(struct.unpack('<16H', check))
    struct.pack_into('<H', check, 28, -total & 0xffff)
    return b''.join([
        bytes(16 * BLOCK),
        descriptor(1, (80, struct.pack('<I', 40) + struct.pack('>I', 40))),
        descriptor(0, (7, b'EL TORITO SPECIFICATION'),
                   (0x47, struct.pack('<I', 19))),
        descriptor(255),
        (bytes(check) + entry).ljust(BLOCK, b'\0'),
        sector.ljust(BLOCK, b'\0')]).ljust(40 * BLOCK, b'\0')


def option_rom(letter, vendor, device):
    """PCI Firmware Specification 3.0, 5.1: header, PCIR, code, sum 0."""
    rom = bytearray(1024)
    struct.pack_into('<HBBB', rom, 0, 0xaa55, 2, 0xeb, 0x3b)  # jmp to 0x40
    struct.pack_into('<H', rom, 0x18, 0x1c)
    struct.pack_into('<4sHHHHB', rom, 0x1c, b'PCIR', vendor, device, 0, 0x18,
                     0)
    struct.pack_into('<H', rom, 0x2c, 2)
    rom[0x31] = 0x80
    code = b'\x60' + say(letter) + b'\x61\xcb'              # pusha, popa, retf
    rom[0x40:0x40 + len(code)] = code
    rom[-1] = -sum(rom) & 0xff
    return bytes(rom)


EDU = (0x1234, 0x11e8)


class Boot(case.Case):
    def drive(self, name, content, more=''):
        return ['-drive', f'if=none,id={name},format=raw'
                          f',file={self.path(name, content)}{more}']

    def disks(self, cd=boot_sector('D')):
        """Drives a and b, and the CD d on the bus s.0."""
        return [*self.drive('a', boot_sector('A').ljust(1 << 20, b'\0')),
                *self.drive('b', boot_sector('B').ljust(1 << 20, b'\0')),
                *self.drive('d', iso(cd), ',readonly=on'),
                '-device', 'lsi,id=s']

    def runs(self, wanted, machine, *extra, remotes=(), reboot=False):
        """These letters are said, the last by a boot sector."""
        with Machine(self.program, self.program, remotes, machine=machine,
                     cpu='qemu64', memory=64, reboot=reboot,
                     extra=['-device', 'isa-debug-exit', *extra]) as vm:
            status = vm.wait(LIMIT)[0]
        report = '\n' + vm.report()
        self.assertEqual(status, (ord(wanted[-1]) << 1 | 1) & 255, report)
        self.assertEqual(''.join(c for c in vm.console if c.isupper()),
                         wanted, report)


class Order(Boot):
    def test_first_disk_without_being_told(self):
        self.runs('A', 'pc', *self.disks(), '-device', 'scsi-hd,drive=a',
                  '-device', 'scsi-cd,drive=d')

    def test_cd_by_boot_order(self):
        self.runs('D', 'q35', *self.disks(), '-boot', 'dc',
                  '-device', 'scsi-hd,drive=a', '-device', 'scsi-cd,drive=d')

    def test_once_is_until_the_first_reset(self):
        for machine in 'pc', 'q35':
            with self.subTest(machine):
                self.runs('DA', machine,
                          *self.disks(boot_sector('D', then=AGAIN)),
                          '-boot', 'c,once=d', '-device', 'scsi-hd,drive=a',
                          '-device', 'scsi-cd,drive=d', reboot=True)

    def test_menu(self):
        """Two disks; the one that is not the first is chosen."""
        with Machine(self.program, self.program, machine='q35',
                     cpu='qemu64', memory=64, extra=[
                         '-device', 'isa-debug-exit', '-nographic',
                         '-boot', 'menu=on,splash-time=60000', *self.disks(),
                         '-device', 'scsi-hd,drive=a,bootindex=1',
                         '-device', 'scsi-hd,drive=b,bootindex=2']) as vm:
            self.assertTrue(vm.expect('ESC', LIMIT), vm.report())
            vm.say('\x1b')
            self.assertTrue(vm.expect(r'^2\. ', LIMIT), vm.report())
            vm.say('2')
            status = vm.wait(LIMIT)[0]
        self.assertEqual(status, (ord('B') << 1 | 1) & 255, vm.report())

    def test_bootindex_before_boot_order(self):
        self.runs('A', 'pc', *self.disks(), '-boot', 'd', '-device',
                  'scsi-hd,drive=a,bootindex=2', '-device', 'scsi-cd,drive=d')

    def test_bootindex_across_adapters(self):
        self.runs('B', 'q35', *self.disks(),
                  '-device', 'scsi-hd,drive=a,bootindex=2',
                  '-device', 'scsi-cd,drive=d,bootindex=3',
                  '-device', 'nvme,drive=b,serial=1,bootindex=1')

    def test_bootindex_of_a_logical_unit(self):
        self.runs('B', 'pc', *self.disks(),
                  '-device', 'scsi-hd,drive=a,scsi-id=3,lun=0,bootindex=2',
                  '-device', 'scsi-hd,drive=b,scsi-id=3,lun=1,bootindex=1')

    def test_bootindex_of_a_remote_adapter(self):
        remote = self.path('remote', boot_sector('R').ljust(1 << 20, b'\0'))
        self.runs('R', 'q35', *self.disks(),
                  '-device', 'scsi-hd,drive=a,bootindex=2',
                  '-global', 'x-pci-proxy-dev.bootindex=1',
                  remotes=[[ScsiDisk(remote, 'remote')]])


class OptionRom(Boot):
    """It runs before the disk that is booted from."""

    def boots(self, wanted, machine, ids, more=''):
        rom = self.path('rom', option_rom('R', *ids))
        self.runs(wanted, machine, *self.disks(), '-device',
                  f'edu,romfile={rom}{more}', '-device', 'scsi-hd,drive=a')

    def test_of_a_bar(self):
        self.boots('RA', 'q35', EDU)

    def test_of_a_larger_bar(self):
        self.boots('RA', 'pc', EDU, ',romsize=65536')

    def test_of_another_device_is_left_alone(self):
        self.boots('A', 'q35', (0x1234, 0x11e9))

    def test_without_a_bar(self):
        self.boots('RA', 'pc', EDU, ',rombar=0')


class Refused(case.Case):
    """What cannot be done is said before anything starts."""

    def test_one_bootindex_of_two_devices(self):
        self.refused('bootindex 3 has another device already',
                     '-device', 'edu,bootindex=3', '-device', 'lsi',
                     '-device', 'scsi-cd,bootindex=3')

    def test_boot_order(self):
        self.refused('-boot once=x: expects up to three different letters',
                     '-boot', 'order=c,once=x')

    def test_bootindex_below_0(self):
        self.refused('bootindex -2 is no place',
                     '-device', 'edu,bootindex=-2')

    def test_address_of_a_disk(self):
        self.refused("'channel' is 1: on bus 's.0' it must be from 0 to 0",
                     '-device', 'lsi,id=s', '-device', 'scsi-cd,channel=1')

    def test_rom_without_its_file(self):
        self.refused('romfile "/nowhere" not found',
                     '-device', 'edu,romfile=/nowhere,rombar=0')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', required=True, metavar='BINARY')
    parser.add_argument('only', nargs='*', metavar='CLASS[.TEST]')
    args = parser.parse_args()
    case.Case.program = os.path.realpath(args.main)
    if lab.no_kvm():
        return tap.skip_all(lab.no_kvm())
    return tap.run_own(args.only or ['Refused', 'Order', 'OptionRom'])


if __name__ == '__main__':
    sys.exit(main())
