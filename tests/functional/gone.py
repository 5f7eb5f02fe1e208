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
from mpqemu_test.pair import Disk, Machine, Program
from mpqemu_test.qmp import Qmp

MIB = 1 << 20
UP, LONG = 240, 240     # seconds, at most: to boot, to give up a device

# Disks are told apart by their controllers' serial numbers.  Linux waits 30 s
# until it suspects something, or as many ms as hasten() says.
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
hasten() { echo $2 > /sys/block/${1##*/}/queue/io_timeout; }
'''

DEVICE_DIES = FIND + r'''
wait_for disk0; wait_for disk1
bad=$(disk disk0); good=$(disk disk1)
mark up
read -r key
hasten $bad 2000
dd if=$bad of=/dev/null bs=64k 2> /dev/null && mark bad read || mark bad error
mark good $(digest < $good)
mark done
poweroff -f
'''

# Each time that a process has taken the place of another.  What a driver does
# that asks a controller which was reset behind its back: after two such
# timeouts it sets it up again.  Or it is told to, or starts from the beginning.
COMES_BACK = FIND + r'''
irqs() { set -- $(grep nvme /proc/interrupts); echo $2; }
wait_for disk0
node=$(disk disk0)
card=$(readlink -f /sys/class/nvme/nvme0/device)
mark up
for way in itself reset rescan; do
    read -r key
    case $way in
    itself)
        hasten $node 2000
        dd if=$node of=/dev/null bs=64k iflag=direct 2> /dev/null
        hasten $node 30000;;
    reset)
        echo 1 > /sys/class/nvme/nvme0/reset_controller;;
    rescan)
        echo 1 > $card/remove
        echo 1 > /sys/bus/pci/rescan
        wait_for disk0
        node=$(disk disk0);;
    esac
    before=$(irqs)
    echo $way | dd of=$node bs=512 oflag=direct conv=sync 2> /dev/null
    mark done $way $before \
        $(dd if=$node bs=64k iflag=direct 2> /dev/null | digest) $(irqs)
done
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
            append='console=ttyS0 quiet panic=-1', **options)

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
            main, remotes = machine.wait(LONG)
            self.assertEqual((main, remotes[1]), (0, 0), machine.report())
            lines = machine.main.errors.splitlines()
            self.assertEqual(len(lines), 1, machine.report())
            self.assertIn('proxy0', lines[0])


class DeviceProcessComesBack(Case):
    def process(self, disk):
        """A device process at self.path, ended with the test."""
        program = Program('device process', [
            suite.Settings.remote, '-machine', 'x-remote', '-nodefaults',
            '-display', 'none', *disk.options(0),
            '-object', f'x-remote-object,id=o,devid={disk.name(0)},'
                       f'socket.type=unix,socket.path={self.path}'])
        self.addCleanup(program.wait, 0)
        return program

    def test_guest_reads_and_writes_again(self):
        disk = self.disk(0)
        self.path = os.path.join(self.scratch, 'device')
        monitor = os.path.join(self.scratch, 'qmp')
        remote = self.process(disk)
        with self.machine(COMES_BACK, [], extra=[
                '-qmp', f'unix:{monitor},server=on,wait=off',
                '-device', 'x-pci-proxy-dev,id=card,reconnect-ms=50,'
                           'connect-timeout=60000,socket.type=unix,'
                           f'socket.path={self.path}']) as machine:
            qmp = Qmp(monitor, UP)
            self.addCleanup(qmp.close)
            self.until(machine, r'^@@ up', UP)
            for way in 'itself', 'reset', 'rescan':
                remote.process.kill()
                qmp.event('X_PCI_PROXY_DEV_GONE', LONG)
                remote = self.process(disk)
                qmp.event('X_PCI_PROXY_DEV_BACK', LONG)
                machine.say('\n')
                done = self.until(machine, rf'^@@ done {way} (\d+) (\w+) '
                                           r'(\d+)\r?\n', LONG)
                self.assertEqual(done[2], suite.digest(disk.path),
                                 machine.report())
                with open(disk.path, 'rb') as file:
                    self.assertEqual(file.readline(), f'{way}\n'.encode())
                self.assertGreater(int(done[3]), int(done[1]),
                                   machine.report())
            self.assertEqual(machine.wait(LONG)[0], 0, machine.report())
            self.assertEqual(remote.wait(LONG), 0, remote.errors)


class MainProcessDies(Case):
    def test_device_processes_end(self):
        disks = [self.disk(0), self.disk(1)]
        with self.machine(DEVICE_DIES, [[disks[0]], [disks[1]]]) as machine:
            self.until(machine, r'^@@ up', UP)
            machine.main.process.kill()
            _, remotes = machine.wait(LONG)
            self.assertEqual(remotes, [0, 0], machine.report())


class GuestReboots(Case):
    def test_remote_disk_is_there_again(self):
        disk = self.disk(0)
        before = suite.digest(disk.path)
        with self.machine(REBOOT, [[disk]], reboot=True) as machine:
            self.until(machine, r'^@@ first', UP)
            self.until(machine, r'^@@ second', UP)
            ended = machine.wait(LONG)
            self.assertEqual(ended, (0, [0]), machine.report())
            seen = re.findall(r'^@@ digest (\w+)\r?\n', machine.console, re.M)
            self.assertEqual(seen, [before, suite.digest(disk.path)],
                             machine.report())


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, [DeviceProcessDies, DeviceProcessComesBack,
                                  MainProcessDies, GuestReboots], prepare))
