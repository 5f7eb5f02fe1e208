#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest and the other processes see when one process goes away, and
when the guest starts over."""
import os
import re
import sys
import unittest

from mpqemu_test import linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Disk, Machine

MIB = 1 << 20
UP, LONG = 90, 150                  # seconds: to boot, to give up a device

# Disks are told apart by their controllers' serial numbers.
FIND = r'''
mark() { printf '\n@@ %s\n' "$*"; }
digest() { sha256sum | cut -d' ' -f1; }
disk() {
    for one in /sys/class/nvme/nvme*; do
        read -r serial < $one/serial
        [ $serial = $1 ] && echo /dev/${one##*/}n1
    done
}
wait_for() { until [ -b "$(disk $1)" ]; do usleep 50000; done; }
'''

DEVICE_DIES = FIND + r'''
wait_for disk0; wait_for disk1
bad=$(disk disk0); good=$(disk disk1)
mark up
read -r key
dd if=$bad of=/dev/null bs=64k 2> /dev/null && mark bad read || mark bad error
mark good $(digest < $good)
mark done
poweroff -f
'''

REBOOT = FIND + r'''
wait_for disk0
node=$(disk disk0)
mark digest $(digest < $node)
if dd if=$node bs=512 count=1 2> /dev/null | grep -q second; then
    mark second
    poweroff -f
fi
echo second | dd of=$node bs=512 conv=sync 2> /dev/null
sync
mark first
reboot -f
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('nvme')
    return image


class Case(unittest.TestCase):
    def setUp(self):
        scratch = suite.scratch()
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def disk(self, number):
        path = os.path.join(self.scratch, f'disk{number}')
        with open(path, 'wb') as file:
            file.write(os.urandom(2 * MIB))
        return Disk(path, f'disk{number}')

    def machine(self, script, remotes, **options):
        image = Initramfs()
        image.init(script)
        initrd = image.write(os.path.join(self.scratch, 'initrd'),
                             suite.image())
        return Machine(
            suite.Settings.main, suite.Settings.remote, remotes, memory=256,
            kernel=linux.kernel(), initrd=initrd,
            append='console=ttyS0 quiet panic=-1 nvme_core.io_timeout=3 '
                   'nvme_core.admin_timeout=3 nvme_core.shutdown_timeout=3',
            **options)

    def until(self, machine, pattern, limit):
        match = machine.expect(pattern, limit)
        if not match:
            self.fail(f'no {pattern}\n{machine.report()}')
        return match


class DeviceProcessDies(Case):
    def test_guest_loses_that_disk_only_and_main_process_says_so_once(self):
        disks = [self.disk(0), self.disk(1)]
        wanted = suite.digest(disks[1].path)
        with self.machine(DEVICE_DIES, [[disks[0]], [disks[1]]],
                          smp=2) as machine:
            self.until(machine, r'^@@ up', UP)
            machine.remotes[0].process.kill()
            machine.say('\n')
            bad = self.until(machine, r'^@@ bad (\w+)\r?\n', LONG)
            self.assertEqual(bad[1], 'error', machine.report())
            good = self.until(machine, r'^@@ good (\w+)\r?\n', LONG)
            self.assertEqual(good[1], wanted, machine.report())
            main, remotes = machine.wait(30)
            self.assertEqual((main, remotes[1]), (0, 0), machine.report())
            lines = machine.main.errors.splitlines()
            self.assertEqual(len(lines), 1, machine.report())
            self.assertIn('proxy0', lines[0])


class MainProcessDies(Case):
    def test_device_processes_end(self):
        disks = [self.disk(0), self.disk(1)]
        with self.machine(DEVICE_DIES, [[disks[0]], [disks[1]]]) as machine:
            self.until(machine, r'^@@ up', UP)
            machine.main.process.kill()
            _, remotes = machine.wait(5)
            self.assertEqual(remotes, [0, 0], machine.report())


class GuestReboots(Case):
    def test_remote_disk_is_there_again(self):
        disk = self.disk(0)
        before = suite.digest(disk.path)
        with self.machine(REBOOT, [[disk]], reboot=True) as machine:
            self.until(machine, r'^@@ first', UP)
            self.until(machine, r'^@@ second', UP)
            ended = machine.wait(30)
            self.assertEqual(ended, (0, [0]), machine.report())
            seen = re.findall(r'^@@ digest (\w+)\r?\n', machine.console, re.M)
            self.assertEqual(seen, [before, suite.digest(disk.path)],
                             machine.report())


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, [DeviceProcessDies, MainProcessDies,
                                  GuestReboots], prepare))
