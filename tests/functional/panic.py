#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux crashes, and pvpanic tells the operator."""
import os
import sys
import unittest

from mpqemu_test import linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Machine

CRASH = r'''
printf '\n@@ crashing\n'
echo c > /proc/sysrq-trigger
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('pvpanic-mmio', 'pvpanic-pci')
    return image


class Panic(unittest.TestCase):
    def crash(self, machine, *extra):
        """How a machine ends whose operator wants a panic to fail."""
        with suite.scratch() as scratch:
            image = Initramfs()
            image.init(CRASH)
            initrd = image.write(os.path.join(scratch, 'initrd'),
                                 suite.image())
            with Machine(
                    suite.Settings.main, machine=machine, memory=256,
                    kernel=linux.kernel(), initrd=initrd,
                    append='console=ttyS0 quiet panic=-1',
                    extra=['-action', 'panic=exit-failure', *extra]) as vm:
                self.assertTrue(vm.expect(r'^@@ crashing', 90), vm.report())
                return vm.wait(30)[0], vm.report()

    def test_without_pvpanic_it_is_a_reboot(self):
        status, report = self.crash('pc')
        self.assertEqual(status, 0, report)

    def test_by_a_port_that_acpi_names(self):
        status, report = self.crash('pc', '-device', 'pvpanic')
        self.assertEqual(status, 1, report)

    def test_by_a_pci_device(self):
        status, report = self.crash('q35', '-device', 'pvpanic-pci')
        self.assertEqual(status, 1, report)


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, [Panic], prepare))
