#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""SeaBIOS boots from a remote disk in every pairing of processes.

A pairing is {this emulator, the distribution's} as main process and as device
process.  Each is one boot under this machine's own KVM: SeaBIOS starts a boot
sector of our own, which starts GRUB, which reads its modules and a file from
an ext4 and powers the machine off by ACPI.  Both say a text that was chosen
for this run.
"""
import argparse
import functools
import os
import re
import secrets
import sys
import tempfile
import unittest

from mpqemu_test import bootdisk, lab, tap
from mpqemu_test.pair import DISTRIBUTION, Disk, Machine, ScsiDisk

DEVICES = {'nvme': Disk, 'lsi53c895a': ScsiDisk}
LIMIT = 200                     # seconds; 6 to 16 on an idle machine

# How the firmware's serial console moves the cursor and chooses colours.
CONTROL = re.compile(r'\x1b\[[0-9;?]*[a-zA-Z]')


class Settings:
    """What the command line said."""
    boot_sector = None
    programs = {}


@functools.lru_cache(None)
def boot(machine, device, main, remote):
    """(texts to be said, what was, exit statuses, report) of one boot."""
    wanted = {what: f'{what}: {secrets.token_hex(32)}'
              for what in ('boot-sector', 'grub')}
    with tempfile.TemporaryDirectory(dir='/dev/shm') as scratch:
        path = os.path.join(scratch, 'disk')
        bootdisk.make(path, Settings.boot_sector,
                      wanted['boot-sector'] + '\r\n', wanted['grub'] + '\n')
        # qemu64, since the distribution's QEMU aborts with "host" where KVM
        # is software; graphics=off makes firmware speak on the serial port.
        with Machine(Settings.programs[main], Settings.programs[remote],
                     [[DEVICES[device](path, 'pairing')]],
                     machine=f'{machine},graphics=off', cpu='qemu64',
                     memory=256) as pair:
            ended = pair.wait(LIMIT)
            pair.expect(r'\Z(?!)', 1)   # until all of it is read
        return wanted, CONTROL.sub('', pair.console), ended, pair.report()


class Row(unittest.TestCase):
    def __init__(self, *pairing, what):
        super().__init__('check')
        self.pairing = pairing
        self.what = what

    def id(self):
        machine, device, main, remote = self.pairing
        return f'host {machine} {device} main={main} remote={remote} ' \
               f'{self.what}'

    def check(self):
        if lab.no_kvm():
            self.skipTest(lab.no_kvm())
        wanted, console, ended, report = boot(*self.pairing)
        self.assertIn(wanted[self.what], console, report)
        if self.what == 'grub':
            self.assertEqual(ended, (0, [0]), report)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', required=True, metavar='BINARY',
                        help='this emulator')
    parser.add_argument('--boot-sector', required=True, metavar='FILE',
                        help='tests/guest/bootsector.bin')
    parser.add_argument('--machine', choices=['q35', 'pc'])
    parser.add_argument('--device', choices=[*DEVICES])
    args = parser.parse_args()
    Settings.boot_sector = args.boot_sector
    Settings.programs = {'ours': os.path.realpath(args.main),
                         'dist': DISTRIBUTION}
    return tap.run(unittest.TestSuite(
        Row(machine, device, main, remote, what=what)
        for machine in ([args.machine] if args.machine else ['q35', 'pc'])
        for device in ([args.device] if args.device else DEVICES)
        for main in Settings.programs for remote in Settings.programs
        for what in ('boot-sector', 'grub')))


if __name__ == '__main__':
    sys.exit(main())
