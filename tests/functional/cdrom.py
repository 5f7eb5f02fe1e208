#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian guest uses a CD in a device process, and likes what firmware says.

One boot of a pc machine under KVM, nested where this machine's own runs no
64-bit kernel: the drivers sr and isofs on an LSI53C895A, the tray; and what
Linux makes of ACPI and SMBIOS.
"""
import os
import re
import struct
import sys
import unittest

from mpqemu_test import linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Machine, ScsiDisk

BLOCK = 2048
TEXT = b'A text on a disc.\n'
LARGE = os.urandom(3 << 20)

GUEST = r'''
mark() { printf '\n@@ %s\n' "$*"; }
mkdir /mnt
count=0
while [ ! -b /dev/sr0 ] && [ $count -lt 200 ]; do
    count=$((count + 1)); usleep 50000
done
take() {
    mount -t iso9660 -o ro /dev/sr0 /mnt && mark text $(cat /mnt/text)
    mark large $(sha256sum < /mnt/large | cut -d' ' -f1)
}
take
umount /mnt
dd if=/dev/zero of=/dev/sr0 bs=2048 count=1 2> /dev/null || mark read-only
eject /dev/sr0 && mark ejected
cat /dev/sr0 > /dev/null 2>&1 || mark no medium
eject -t /dev/sr0 && mark closed
take
umount /mnt
cd /sys/class/dmi/id
for name in sys_vendor product_name chassis_vendor; do
    mark dmi $name $(cat $name)
done
for device in PNP0A03 PNP0501 PNP0B00 PNP0C0F LNXPWRBN; do
    ls /sys/bus/acpi/devices | grep -q "^$device:" && mark acpi $device
done
dmesg | grep -E 'sym0|sr 0|scsi|isofs|ISO|ACPI|DMI' | while read -r line; do
    mark dmesg "$line"
done
mark done
poweroff -f
'''

COMPLAINTS = re.compile(r'ACPI.*(error|warning|exception|invalid|BIOS bug)'
                        r'|abort|timed? ?out|reset host|phase', re.I)


class Cd(ScsiDisk):
    def drive(self, number):
        return ['-drive', f'id=disk{number},if=none,format=raw,readonly=on,'
                          f'file={self.path}']

    def options(self, number, place=''):
        return [word.replace('scsi-hd', 'scsi-cd')
                for word in super().options(number, place)]


def both(number, size):
    """In either order of bytes (ISO 9660, 7.2.3 and 7.3.3)."""
    return number.to_bytes(size, 'little') + number.to_bytes(size, 'big')


def record(name, start, size, folder=False):
    """An entry of a directory (9.1)."""
    body = b'\0' + both(start, 4) + both(size, 4) + bytes([
        126, 11, 23, 0, 0, 0, 0, 2 if folder else 0, 0, 0]) + both(1, 2) + \
        bytes([len(name)]) + name
    body += bytes(1 - len(body) % 2)            # its length is even
    return bytes([len(body) + 1]) + body


def iso9660(files):
    """The image of a disc with these files (ECMA-119, 1987)."""
    data, entries, start = b'', b'', 19
    for name, content in files.items():
        entries += record(name.upper().encode() + b';1', start, len(content))
        data += content + bytes(-len(content) % BLOCK)
        start += -(-len(content) // BLOCK)
    root = record(b'\0', 18, BLOCK, True)
    entries = root + record(b'\1', 18, BLOCK, True) + entries
    volume = bytearray(BLOCK)
    for at, what in (
            (0, b'\1CD001\1'), (8, b' ' * 32), (40, b'DISC'.ljust(32)),
            (80, both(start, 4)), (120, both(1, 2)), (124, both(1, 2)),
            (128, both(BLOCK, 2)), (132, both(10, 4)),
            (140, struct.pack('<I', 17)), (148, struct.pack('>I', 17)),
            (156, root), (190, b' ' * 623), (881, b'\1')):
        volume[at:at + len(what)] = what
    return (bytes(16 * BLOCK) + bytes(volume)
            + (b'\xffCD001\1').ljust(BLOCK, b'\0')
            + entries.ljust(BLOCK, b'\0') + data)


def prepare():
    image = Initramfs()
    image.busybox()
    image.program('eject')
    image.modules('sym53c8xx', 'sr_mod', 'isofs')
    image.init(GUEST)
    return image


class RemoteCd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with suite.scratch() as scratch:
            path = os.path.join(scratch, 'disc')
            with open(path, 'wb') as file:
                file.write(iso9660({'text': TEXT, 'large': LARGE}))
            cls.before = suite.digest(path)
            with open(os.path.join(scratch, 'large'), 'wb') as file:
                file.write(LARGE)
            cls.large = suite.digest(file.name)
            machine = Machine(
                suite.Settings.main, suite.Settings.remote,
                [[Cd(path, 'cd0')]], machine='pc', kernel=linux.kernel(),
                initrd=suite.image(), append='console=ttyS0 quiet panic=-1')
            with machine:
                cls.ended = machine.wait(240)
                machine.expect(r'^@@ done', 5)
            cls.text, cls.report = machine.console, machine.report()
            cls.after = suite.digest(path)

    def all(self, key):
        return re.findall(rf'^@@ {key}\b ?(.*?)\r?$', self.text, re.M)

    def same(self, found, wanted):
        self.assertEqual(found, wanted, self.report)

    def test_guest_powers_off_and_every_process_ends_with_0(self):
        self.same(self.ended, (0, [0]))

    def test_files_are_read_before_and_after_the_tray_was_open(self):
        self.same(self.all('text'), [TEXT.decode().strip()] * 2)
        self.same(self.all('large'), [self.large] * 2)

    def test_tray_opens_and_closes(self):
        for key in 'ejected', 'no medium', 'closed':
            self.same(self.all(key), [''])

    def test_nothing_is_written(self):
        self.same(self.all('read-only'), [''])
        self.same(self.after, self.before)

    def test_acpi_devices(self):
        self.same(self.all('acpi'), ['PNP0A03', 'PNP0501', 'PNP0B00',
                                     'PNP0C0F', 'LNXPWRBN'])

    def test_smbios(self):
        found = dict(line.split(' ', 1) for line in self.all('dmi'))
        self.same(found['sys_vendor'], 'QEMU')
        self.assertRegex(found['product_name'], '^Standard PC')

    def test_linux_complains_of_nothing(self):
        self.same([line for line in self.all('dmesg')
                   if COMPLAINTS.search(line)], [])


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, [RemoteCd], prepare))
