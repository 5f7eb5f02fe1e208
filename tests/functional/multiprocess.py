#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The case that upstream QEMU's own multi-process code is accepted by.

Machine pc, its RAM a NUMA node's, a disk adapter without disks behind the
proxy: Linux comes up and finds the adapter.
"""
import re
import sys
import unittest

from mpqemu_test import linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import DISTRIBUTION, Device, Machine

GUEST = r'''
for device in /sys/bus/pci/devices/*; do
    while read -r line; do
        printf '@@ %s %s\n' ${device##*/} "$line"
    done < $device/uevent
done
echo @@ done
poweroff -f
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.file('/modules/order', '')
    image.init(GUEST)
    return image


class Adapter(Device):
    model = 'lsi53c895a'

    def name(self, number):
        return f'lsi{number + 1}'


class Acceptance(unittest.TestCase):
    def play(self, main, remote):
        pair = Machine(main, remote, [[Adapter()]])
        pair.options = [
            '-display', 'none', '-vga', 'none', '-serial', 'stdio',
            '-machine', 'pc', '-accel', 'kvm', '-cpu', 'host', '-object',
            'memory-backend-memfd,id=sysmem-file,size=2G',
            '--numa', 'node,memdev=sysmem-file', '-m', '2048',
            '-kernel', linux.kernel(), '-initrd', suite.image(),
            '-append', 'printk.time=0 console=ttyS0 quiet panic=-1',
            '-no-reboot']
        with pair:
            pair.expect(r'^@@ done', 150)
            ended = pair.wait(20)
        self.assertEqual(ended, (0, [0]), pair.report())
        found = re.findall(r'^@@ (\S+) PCI_ID=1000:0012\r?$', pair.console,
                           re.M)
        self.assertEqual(len(found), 1, pair.report())

    def test_ours_ours(self):
        self.play(suite.Settings.main, suite.Settings.remote)

    def test_ours_dist(self):
        self.play(suite.Settings.main, DISTRIBUTION)

    def test_dist_ours(self):
        self.play(DISTRIBUTION, suite.Settings.remote)


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, (Acceptance,), prepare))
