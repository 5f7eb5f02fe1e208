#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A domain of libvirt's that runs Linux on a disk of another process.

The whole life of it by virsh: console, events, statistics, a restart of
libvirtd, controllers and disks that come and go, reset, the power button.
libvirtd is private to the test and runs where Linux does under KVM.
"""
import json
import os
import pty
import re
import subprocess
import sys
import termios
import threading
import unittest

from mpqemu_test import lab, linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Program, listens
from mpqemu_test.virsh import (ADAPTER, CONNECT, DISK, Daemons, Events,
                               again_in_private, impossible, lacking, start,
                               virsh, within)

SIZE = 256 << 10
LONG = 300                  # seconds, at most, for anything

# Reports what it has (an adapter, the digest of each disk) when this changes,
# answers each line, and goes when the power button is pressed.
GUEST = r'''
mark() { printf '\n@@ %s\n' "$*"; }
stty -echo
mark up
for one in /sys/class/input/event*; do
    read -r name < $one/device/name
    [ "$name" = "Power Button" ] && exec 3< /dev/input/${one##*/}
done
{
    head -c 24 <&3 > /tmp/button
    mark button
    poweroff -f
} &
{
    last=
    while :; do
        now=
        grep -q 0x1000 /sys/bus/pci/devices/*/vendor && now=adapter,
        for one in /dev/nvme*n1 /dev/sd[a-z]; do
            [ -b $one ] && sum=$(sha256sum $one 2> /dev/null) &&
                now="$now${sum%% *},"
        done
        [ "$now" = "$last" ] || mark "has ${now:-nothing}"
        last=$now
        usleep 50000
    done
} &
while read -r line; do
    case $line in
    scan) for one in /sys/class/scsi_host/*/scan; do echo - - - > $one; done ;;
    why) dmesg; cat /proc/interrupts; ls /dev/nvme* /dev/sd* \
        /sys/class/scsi_host /sys/bus/scsi/devices /sys/bus/pci/devices ;;
    esac
    mark "heard $line"
done
'''

DOMAIN = '''
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>guest</name>
  <memory unit='MiB'>256</memory>
  <vcpu>1</vcpu>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet loglevel=1 panic=-1</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' check='none'/>
  <devices>
    <emulator>{main}</emulator>
    <controller type='usb' model='none'/>
    {ports}
    <serial type='pty'><target port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='x-pci-proxy-dev,id=first,bus={bus},addr={addr},socket.type=unix,socket.path={socket}'/>
  </qemu:commandline>
</domain>
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('nvme', 'sym53c8xx', 'sd_mod', 'button', 'evdev')
    return image


class Console:
    """virsh console, on a terminal of its own."""

    def __init__(self):
        self.terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*CONNECT, 'console', 'guest', '--force'], stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.text = ''              # only _read() changes it
        self.seen = 0               # how much of it
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                return
            self.text += data.decode(errors='replace')

    def attached(self):
        """Whether what is typed, and what the guest says, gets through."""
        # virsh throws away what was typed before it made the terminal raw.
        if termios.tcgetattr(self.terminal)[3] & termios.ICANON:
            return False
        device = virsh('ttyconsole', 'guest')
        with os.scandir(f'/proc/{daemons.daemon.pid}/fd') as open_files:
            return any(os.path.realpath(one.path) == device
                       for one in open_files)

    def shows(self, *lines):
        """Whether the guest has marked these lines; they are seen then."""
        text = self.text[self.seen:]
        found = [re.search(rf'(?m)^@@ {words}\r*\n', text)
                 for words in lines]
        if None in found:
            return False
        self.seen += max(line.end() for line in found)
        return True

    def say(self, text):
        os.write(self.terminal, text.encode() + b'\r')

    def end(self):
        self.process.kill()
        self.process.wait()


class Domain:
    """Common to both machines."""
    machine = ports = None
    bus, addr = None, '0'           # of a proxy
    adapter = {}

    def setUp(self):
        scratch = suite.scratch()
        self.addCleanup(scratch.cleanup)
        self.dir = scratch.name
        self.remotes = []
        self.addCleanup(self.no_remotes)
        self.disk, socket, self.first = self.process('first')
        image = Initramfs()
        image.init(GUEST)
        virsh('define', self.file('guest.xml', DOMAIN.format(
            main=suite.Settings.main, machine=self.machine, socket=socket,
            kernel=linux.kernel(), ports=self.ports, bus=self.bus,
            addr=self.addr, initrd=image.write(os.path.join(
                self.dir, 'initrd'), suite.image()))))
        self.addCleanup(virsh, 'undefine', 'guest')
        self.events = Events('event', '--loop', '--all')
        self.addCleanup(self.events.end)
        self.events.listening('guest')
        start('guest', '--paused')
        self.addCleanup(self.destroy)
        self.attend()
        virsh('resume', 'guest')
        self.shows('up')

    @staticmethod
    def destroy():
        if virsh('domstate', 'guest') != 'shut off':
            virsh('destroy', 'guest')

    def no_remotes(self):
        for remote in self.remotes:
            if remote.process.poll() is None:
                remote.process.kill()
                remote.wait(5)

    def file(self, name, content):
        path = os.path.join(self.dir, name)
        with open(path, 'wb') as file:
            file.write(content.encode() if isinstance(content, str)
                       else content)
        return path

    def process(self, name):
        """A process that has a disk: its image's digest, socket, itself."""
        disk = self.file(name, os.urandom(SIZE))
        path = os.path.join(self.dir, name + '.sock')
        remote = Program(name, [
            suite.Settings.remote, '-machine', 'x-remote', '-nodefaults',
            '-display', 'none', '-drive',
            f'if=none,id=d,format=raw,file={disk}', '-device',
            f'nvme,id=n,drive=d,serial={name}', '-object',
            'x-remote-object,id=o,devid=n,socket.type=unix,'
            f'socket.path={path}'])
        self.remotes.append(remote)
        self.assertTrue(within(LONG, lambda: listens(path)),
                        remote.errors)
        return suite.digest(disk), path, remote

    def attend(self):
        self.console = Console()
        self.addCleanup(self.console.end)
        self.assertTrue(within(LONG, self.console.attached),
                        self.console.text)

    def shows(self, *lines):
        """Waits for lines of the guest's, in any order."""
        if not within(LONG, lambda: self.console.shows(*lines)):
            self.console.say('why')
            within(60, lambda: self.console.shows('heard why'))
            with open('/var/log/libvirt/qemu/guest.log', encoding='utf-8',
                      errors='replace') as log:
                self.fail(f'no {lines} on:\n{self.console.text}\n'
                          f'emulator:\n{log.read()}')

    def hears(self, words):
        self.console.say(words)
        self.shows(f'heard {words}')

    def told(self, text):
        """Waits for an event."""
        self.assertTrue(self.events.wait(text, LONG),
                        f'no {text} in: {self.events.seen}')

    def state(self, wanted):
        seen = []
        self.assertTrue(within(LONG, lambda: seen.append(virsh(
            'domstate', '--reason', 'guest')) or seen[-1] == wanted),
            f'not {wanted}: {seen}')

    @staticmethod
    def monitor(command, **arguments):
        answer = json.loads(virsh('qemu-monitor-command', 'guest', json.dumps(
            {'execute': command, 'arguments': arguments})))
        if 'error' in answer:
            raise AssertionError(f'{command}: {answer}')
        return answer['return']

    def devices_come_and_go(self):
        """Begins and ends with the disk of the first process."""
        # By XML: an adapter, and a disk on it.
        adapter = self.file('adapter.xml',
                            ADAPTER.format(index=0, **self.adapter))
        image = self.file('image', os.urandom(SIZE))
        disk = self.file('disk.xml', DISK.format(index=0, path=image))
        virsh('attach-device', 'guest', adapter, '--live')
        self.shows(f'has adapter,{self.disk},')
        virsh('attach-device', 'guest', disk, '--live')
        # The disk is there before Linux has looked for all others, or after
        # that, if it was found by the adapter's own first look.
        self.console.say('scan')
        self.shows(f'has adapter,{self.disk},{suite.digest(image)},',
                   'heard scan')
        about = virsh('domblkinfo guest sda; domblkstat guest sda; '
                      f'detach-device guest {disk} --live')
        self.assertRegex(about, rf'Capacity: +{SIZE}\b')
        self.assertGreaterEqual(
            int(re.search(r'rd_bytes (\d+)', about)[1]), SIZE)
        self.told("'device-removed' for domain 'guest': scsi0-0-0")
        virsh('detach-device', 'guest', adapter, '--live')
        self.shows(f'has {self.disk},')
        self.told("'device-removed' for domain 'guest': scsi0\n")
        self.assertNotIn("lsilogic", virsh('dumpxml', 'guest'))
        # By the monitor: another process in place of the first.
        self.monitor('device_del', id='first')
        self.shows('has nothing')
        self.assertEqual(self.first.wait(LONG), 0, self.first.errors)
        self.disk, path, self.first = self.process('second')
        self.monitor('device_add', driver='x-pci-proxy-dev', id='first',
                     bus=self.bus, addr=self.addr,
                     socket={'type': 'unix', 'path': path})
        self.shows(f'has {self.disk},')

    def button(self, command, *options):
        virsh(command, 'guest', *options)
        self.shows('button')


class OnQ35(Domain, unittest.TestCase):
    machine, bus = 'q35', 'pci.1'
    ports = ("<controller type='pci' index='0' model='pcie-root'/>"
             "<controller type='pci' index='1' model='pcie-root-port'/>"
             "<controller type='pci' index='2' model='pcie-root-port'/>")
    adapter = {'bus': 2, 'slot': 0}

    def test_is_kept_in_hand(self):
        self.shows(f'has {self.disk},')
        self.told('Started Booted')
        about = virsh('domstate --reason guest; dominfo guest; '
                      'vcpuinfo guest; domstats guest')
        self.assertRegex(about, r'^running \(unpaused\)\s')
        self.assertRegex(about, r'\nState: +running\n')
        self.assertRegex(about, r'\nCPU time: +[0-9.]+s\n')
        self.assertIn('vcpu.0.state=1', about)
        link, = self.monitor('x-query-remote')
        self.assertEqual(link['peer-pid'], self.first.pid)
        self.assertGreater(link['region-write']['count'], 0, link)

        self.assertEqual(virsh('suspend guest; domstate --reason guest')
                         .splitlines()[-1], 'paused (user)')
        self.console.say('asleep')
        self.told('Suspended Paused')
        virsh('resume', 'guest')
        self.told('Resumed Unpaused')
        self.shows('heard asleep')

        daemons.stop()
        daemons.start()
        self.state('running (unpaused)')
        self.attend()
        self.hears('still here')
        self.events.end()
        self.events = Events('event', '--loop', '--all')
        self.addCleanup(self.events.end)
        self.events.listening('guest')

        virsh('reset', 'guest')
        self.shows('up')
        self.shows(f'has {self.disk},')
        self.devices_come_and_go()

        self.button('reboot', '--mode', 'acpi')
        self.shows('up')
        self.shows(f'has {self.disk},')
        self.told("'reboot' for domain 'guest'")
        self.state('running (unpaused)')
        self.button('shutdown')
        self.state('shut off (shutdown)')
        self.told('Stopped Shutdown')
        self.assertEqual(self.first.wait(LONG), 0, self.first.errors)


class OnPc(Domain, unittest.TestCase):
    machine, bus, addr = 'pc', 'pci.0', '0x10'
    ports = "<controller type='pci' index='0' model='pci-root'/>"
    adapter = {'bus': 0, 'slot': 0x11}

    def test_devices_come_and_go(self):
        self.shows(f'has {self.disk},')
        self.devices_come_and_go()
        virsh('destroy', 'guest')
        self.state('shut off (destroyed)')
        self.told('Stopped Destroyed')
        self.assertEqual(self.first.wait(LONG), 0, self.first.errors)


daemons = None


def setUpModule():
    global daemons
    daemons = Daemons(suite.Settings.main)


def main():
    """Where Linux runs, in name spaces of its own; else in a guest."""
    here = lab.own_kvm()[0]
    if not os.environ.get('MPQEMU_PRIVATE'):
        why = impossible() if here else lacking()
        if why:
            print(f'1..0 # SKIP {why}')
            return 0
        if here:
            os.environ['MPQEMU_PRIVATE'] = 'yes'
            return again_in_private(sys.argv[1:])
    return suite.main(__doc__, [OnQ35, OnPc], prepare)


if __name__ == '__main__':
    sys.exit(main())
