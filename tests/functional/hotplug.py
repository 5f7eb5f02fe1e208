#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that come and go while Linux runs, in the machine's own process and
in another: through a PCI Express root port on q35, through ACPI on pc.  The
machine's process is boxed in as libvirt asks for it."""
import os
import sys
import unittest

from mpqemu_test import linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Machine, Program
from mpqemu_test.qmp import Qmp

MIB = 1 << 20
UP, LONG = 240, 180     # seconds, at most: to boot, to plug or unplug

# Says which disks there are each time that this changes.
WATCH = r'''
mark() { printf '\n@@ %s\n' "$*"; }
mark up
last=
while :; do
    now=
    for one in /sys/class/nvme/nvme*; do
        [ -b /dev/${one##*/}n1 ] || continue
        read -r serial < $one/serial
        set -- $(sha256sum /dev/${one##*/}n1)
        now="$now$serial=$1;"
    done
    [ "$now" = "$last" ] || mark "disks $now"
    last=$now
    usleep 50000
done
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('nvme')
    return image


class Plugging:
    """Common to both machines."""
    machine = None
    place = {}
    extra = ('-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,'
             'resourcecontrol=deny')

    def setUp(self):
        scratch = suite.scratch()
        self.addCleanup(scratch.cleanup)
        self.dir = scratch.name
        self.disk = self.image('disk')
        image = Initramfs()
        image.init(WATCH)
        monitor = os.path.join(self.dir, 'qmp')
        self.guest = Machine(
            suite.Settings.main, suite.Settings.remote, [], memory=256,
            machine=self.machine, kernel=linux.kernel(),
            initrd=image.write(os.path.join(self.dir, 'initrd'),
                               suite.image()),
            append='console=ttyS0 quiet panic=-1',
            extra=['-qmp', f'unix:{monitor},server=on,wait=off', *self.extra])
        self.guest.__enter__()
        self.addCleanup(self.guest.__exit__)
        self.remote = None
        self.qmp = Qmp(monitor, UP)
        self.addCleanup(self.qmp.close)
        self.console('up', UP)

    def image(self, name):
        path = os.path.join(self.dir, name)
        with open(path, 'wb') as file:
            file.write(os.urandom(MIB))
        return path

    def tearDown(self):
        if self.remote and self.remote.process.poll() is None:
            self.remote.process.kill()
            self.remote.wait(5)

    def console(self, words, limit=LONG):
        """Waits for a line of the guest's and forgets all before it."""
        if not self.guest.expect(rf'^@@ {words}\r?\n', limit, forget=True):
            self.fail(f'no {words}\n{self.guest.report()}')

    def process(self, name):
        """A device process that has the disk and waits for its machine."""
        self.path = os.path.join(self.dir, name + '.sock')
        monitor = os.path.join(self.dir, name + '.qmp')
        self.remote = Program(name, [
            suite.Settings.remote, '-machine', 'x-remote', '-nodefaults',
            '-display', 'none', '-qmp', f'unix:{monitor},server=on,wait=off',
            '-drive', f'if=none,id=d,format=raw,file={self.disk}',
            '-device', f'nvme,id=n,drive=d,serial={name}',
            '-object', 'x-remote-object,id=o,devid=n,'
                       f'socket.type=unix,socket.path={self.path}'])
        return monitor

    def plug_proxy(self, name):
        self.qmp.execute('device_add', driver='x-pci-proxy-dev', id='card',
                         **{'reconnect-ms': 50, 'socket': {
                             'type': 'unix', 'path': self.path}}, **self.place)
        self.console(f'disks {name}={suite.digest(self.disk)};')

    def is_gone(self):
        self.console('disks ')
        event = self.qmp.event('DEVICE_DELETED', LONG,
                               lambda data: data.get('device') == 'card')
        self.assertEqual(event['data']['path'], '/machine/peripheral/card')

    def test_local_disk_comes_and_goes_twice(self):
        self.qmp.execute('blockdev-add', driver='raw', **{
            'node-name': 'd', 'file': {'driver': 'file',
                                       'filename': self.disk}})
        for serial in ('one', 'two'):
            self.qmp.execute('device_add', driver='nvme', id='card',
                             drive='d', serial=serial, **self.place)
            self.console(f'disks {serial}={suite.digest(self.disk)};')
            self.qmp.execute('device_del', id='card')
            self.is_gone()

    def test_remote_disk_comes_and_goes_twice(self):
        for name in ('one', 'two'):
            Qmp(self.process(name)).close()
            self.plug_proxy(name)
            self.qmp.execute('device_del', id='card')
            self.is_gone()
            self.assertEqual(self.remote.wait(LONG), 0, self.remote.errors)

    def test_disk_that_its_process_takes_away(self):
        far = Qmp(self.process('one'))
        self.plug_proxy('one')
        far.execute('device_del', id='n')
        self.is_gone()
        far.event('DEVICE_DELETED', LONG, lambda data: data['device'] == 'n')
        far.close()
        self.assertEqual(self.remote.wait(LONG), 0, self.remote.errors)


class OnPc(Plugging, unittest.TestCase):
    machine = 'pc'
    place = {'addr': '5'}


class OnQ35(Plugging, unittest.TestCase):
    machine = 'q35'
    extra = (*Plugging.extra,
             '-device', 'pcie-root-port,id=port,chassis=1,slot=1')
    place = {'bus': 'port'}


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, [OnPc, OnQ35], prepare))
