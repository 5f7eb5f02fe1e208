#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A domain of libvirt's whose emulator is ours, with a proxied disk.

Runs libvirtd and virtlogd in name spaces of their own (root is needed), with
empty directories where they keep their state, and drives them by virsh.  The
guest is SeaBIOS on this machine's KVM.
"""
import argparse
import fnmatch
import json
import os
import re
import select
import socket
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

from mpqemu_test import tap
from mpqemu_test.pair import DISTRIBUTION, Program
from mpqemu_test.virsh import (ADAPTER, CONNECT, DISK, Daemons, Events,
                               again_in_private, impossible, start, virsh,
                               within)

MAIN = None
REMOTE = None
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
DOCUMENT = os.path.join(TOP, 'docs/system/libvirt.md')

DOMAIN = '''
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>guest</name>
  <memory unit='MiB'>128</memory>
  <vcpu>2</vcpu>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' check='none'/>
  <devices>
    <emulator>{main}</emulator>
    <controller type='usb' model='none'/>
    <serial type='pty'><target port='0'/></serial>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value='x-pci-proxy-dev,id=proxy0,addr=0x10,socket.type=unix,socket.path={socket}'/>
  </qemu:commandline>
</domain>
'''


class Walk(unittest.TestCase):
    """What the page shows, with the unit that is in the tree."""

    def test_the_unit_s_disk_is_the_domain_s(self):
        with open(DOCUMENT, encoding='utf-8') as file:
            conf, xml = re.findall(r'(?ms)^```\n(.*?)^```', file.read())[:2]
        with open(os.path.join(
                TOP, 'contrib/systemd/mpqemu-device@.service'),
                encoding='utf-8') as file:
            command = re.search(r'(?m)^ExecStart=(.*)', file.read())[1]
        scratch = tempfile.TemporaryDirectory(prefix='virt-')
        self.addCleanup(scratch.cleanup)
        image, path, description = (os.path.join(scratch.name, name)
                                    for name in ('image', 'sock', 'xml'))
        with open(image, 'wb') as file:
            file.truncate(1 << 20)
        device = conf.strip().removeprefix('DEVICE=').replace(
            '/var/lib/mpqemu/one/disk.img', image)
        with open(description, 'w', encoding='ascii') as file:
            file.write(xml.replace('/usr/local/bin/qemu-system-x86_64', MAIN)
                       .replace('/run/mpqemu/one.sock', path)
                       .replace('>1024<', '>128<'))
        # As systemd does it: who connects starts the process.
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen()
        virsh('define', description)
        self.addCleanup(virsh, 'undefine', 'guest')
        starting = Program('virsh', [*CONNECT, 'start', 'guest'])
        self.assertTrue(select.select([listener], [], [], 60)[0],
                        starting.errors)
        remote = Program('device process', [
            'sh', '-c', f'exec "$@" 3<&{listener.fileno()}', 'sh',
            REMOTE, *command.replace('$DEVICE', device).split()[1:]],
            pass_fds=[listener.fileno()])
        self.addCleanup(remote.wait, 10)
        self.assertEqual(starting.wait(60), 0,
                         starting.errors + remote.errors)
        link, = json.loads(virsh(
            'qemu-monitor-command', 'guest',
            '{"execute": "x-query-remote"}'))['return']
        virsh('destroy', 'guest')
        self.assertEqual((link['id'], link['state']), ('disk0', 'connected'))
        self.assertEqual(remote.wait(30), 0, remote.errors)


class Capabilities(unittest.TestCase):
    def test_the_emulator_is_probed(self):
        xml = virsh('domcapabilities', '--emulatorbin', MAIN,
                    '--virttype', 'kvm', '--machine', 'q35')
        self.assertIn(f'<path>{MAIN}</path>', xml)
        self.assertIn('<domain>kvm</domain>', xml)
        self.assertRegex(xml, "mode name='host-passthrough' supported='yes'")
        self.assertRegex(xml, "mode name='host-model' supported='yes'")

    def test_the_host_has_the_emulator(self):
        host = ET.fromstring(virsh('capabilities'))
        guest = host.find("guest/arch[@name='x86_64']")
        self.assertEqual(guest.find('emulator').text, MAIN)
        self.assertTrue({'q35', 'pc'} <= {
            one.text for one in guest.iter('machine')}, guest)
        self.assertIsNotNone(guest.find("domain[@type='kvm']"))


class Domain(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix='virt-')
        path = os.path.join(self.dir.name, 'disk.sock')
        self.remote = Program('device process', [
            REMOTE, '-machine', 'x-remote', '-nodefaults', '-display', 'none',
            '-drive', 'if=none,id=d,driver=null-co,size=16M',
            '-device', 'nvme,id=n,drive=d,serial=far', '-object',
            'x-remote-object,id=o,devid=n,socket.type=unix,'
            f'socket.path={path}'])
        xml = os.path.join(self.dir.name, 'guest.xml')
        with open(xml, 'w', encoding='ascii') as file:
            file.write(DOMAIN.format(main=MAIN, socket=path))
        virsh('define', xml)
        self.events = Events('event', '--loop', '--all')
        self.events.listening('guest')
        start('guest')

    def tearDown(self):
        if virsh('domstate', 'guest') != 'shut off':
            virsh('destroy', 'guest')
        virsh('undefine', 'guest')
        self.events.end()
        self.remote.process.kill()
        self.remote.process.wait()
        self.dir.cleanup()

    def event(self, text):
        self.assertTrue(self.events.wait(text),
                        f'no {text} in: {self.events.seen}')

    def test_runs_and_obeys(self):
        self.assertEqual(virsh('domstate', '--reason', 'guest'),
                         'running (booted)')
        virsh('suspend', 'guest')
        self.assertEqual(virsh('domstate', '--reason', 'guest'),
                         'paused (user)')
        self.event('Suspended')
        virsh('resume', 'guest')
        self.assertEqual(virsh('domstate', 'guest'), 'running')
        self.event('Resumed')
        virsh('reset', 'guest')
        self.assertEqual(virsh('domstate', 'guest'), 'running')
        # SeaBIOS does not listen to the button; that it was pressed is told.
        # It is pressed until virsh, which takes its time to listen, hears it.
        button = Events('qemu-monitor-event', '--event', 'POWERDOWN')
        self.assertTrue(within(20, lambda: not virsh('shutdown', 'guest')
                               .startswith('error')
                               and button.wait('POWERDOWN', 0.5)))
        button.end()
        self.assertEqual(virsh('domstate', 'guest'), 'running')
        virsh('destroy', 'guest')
        self.assertEqual(virsh('domstate', '--reason', 'guest'),
                         'shut off (destroyed)')
        self.event('Stopped Destroyed')
        self.assertEqual(self.remote.wait(10), 0)

    def test_tells_about_itself(self):
        info = virsh('dominfo', 'guest')
        self.assertRegex(info, r'State: +running')
        self.assertRegex(info, r'CPU\(s\): +2')
        self.assertIn('vcpu.1.state=1', virsh('domstats', 'guest'))
        self.assertEqual(
            len(re.findall('^VCPU:', virsh('vcpuinfo', 'guest'), re.M)), 2)
        self.assertIn(MAIN, virsh('dumpxml', 'guest'))
        self.assertEqual(virsh('qemu-monitor-command', '--hmp', 'guest',
                               'info status'), 'VM status: running')
        links = virsh('qemu-monitor-command', 'guest',
                      '{"execute": "x-query-remote"}')
        self.assertIn('"connected"', links)
        self.assertIn(f'"peer-pid":{self.remote.pid}', links.replace(' ', ''))

    def test_what_is_not_there_is_refused_in_words(self):
        self.assertIn('No balloon device', virsh(
            'qemu-monitor-command', 'guest', '{"execute": "query-balloon"}'))
        self.assertTrue(virsh('save', 'guest', os.path.join(
            self.dir.name, 'saved'), fails=True))
        self.assertEqual(virsh('domstate', 'guest'), 'running')

    def test_the_sandbox_is_obeyed(self):
        with open('/run/libvirt/qemu/guest.pid', encoding='ascii') as file:
            pid = int(file.read())
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            status = file.read()
        self.assertRegex(status, r'(?m)^Seccomp:\s+2$')
        self.assertRegex(status, r'(?m)^NoNewPrivs:\s+1$')

    def test_outlives_the_daemon(self):
        daemons.stop()
        daemons.start()
        self.assertEqual(virsh('domstate', 'guest'), 'running')
        virsh('suspend', 'guest')
        virsh('resume', 'guest')
        self.assertEqual(virsh('domstate', 'guest'), 'running')


ELEMENTS = '''
<domain type='kvm'>
  <name>guest</name>
  <memory unit='MiB'>128</memory>
  <vcpu>2</vcpu>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <sysinfo type='smbios'>
    <system><entry name='manufacturer'>Somebody</entry></system>
  </sysinfo>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <boot dev='hd'/><bootmenu enable='yes' timeout='100'/>
    <bios rebootTimeout='100'/><smbios mode='sysinfo'/>
  </os>
  <features>
    <acpi/><apic/><pae/><ioapic driver='kvm'/><smm state='off'/>
    <pmu state='off'/><kvm><hidden state='on'/></kvm>
  </features>
  <cpu mode='host-passthrough' check='none'>
    <topology sockets='1' dies='1' cores='2' threads='1'/>
  </cpu>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='pit' tickpolicy='delay'/>
    <timer name='hpet' present='no'/>
  </clock>
  <devices>
    <emulator>{main}</emulator>
    <controller type='usb' model='none'/>
    {more}
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none' io='{io}' discard='unmap'/>
      <source file='{image}'/><target dev='sda' bus='scsi'/>
      <serial>A1</serial>
    </disk>
    <disk type='file' device='cdrom'><target dev='sdb' bus='scsi'/></disk>
    <serial type='pty'><target port='0'/></serial>
    <serial type='unix'>
      <source mode='bind' path='{dir}/serial'/><log file='{dir}/log'/>
      <target port='1'/>
    </serial>
    <serial type='file'><source path='{dir}/file'/><target port='2'/></serial>
    <panic model='isa'/>
    <memballoon model='none'/>
  </devices>
</domain>
'''


class Elements(unittest.TestCase):
    """The documentation says what a description may have."""

    def domain(self, machine, more, io):
        with tempfile.TemporaryDirectory(prefix='virt-') as scratch:
            image, xml = (os.path.join(scratch, name)
                          for name in ('image', 'xml'))
            with open(image, 'wb') as file:
                file.truncate(1 << 20)
            with open(xml, 'w', encoding='ascii') as file:
                file.write(ELEMENTS.format(
                    main=MAIN, machine=machine, more=more, io=io, image=image,
                    dir=scratch))
            virsh('define', xml)
            try:
                start('guest')
                self.assertEqual(virsh('domstate', 'guest'), 'running')
                self.assertRegex(virsh('domblkinfo', 'guest', 'sda'),
                                 'Capacity: +1048576')
                virsh('destroy', 'guest')
            finally:
                virsh('undefine', 'guest')

    def test_pc(self):
        self.domain('pc', "<controller type='scsi' model='lsilogic'/>",
                    'threads')

    def test_q35(self):
        self.domain('q35', """
            <controller type='pci' index='0' model='pcie-root'/>
            <controller type='pci' index='1' model='pcie-root-port'/>
            <controller type='scsi' index='0' model='lsilogic'>
              <address type='pci' bus='1' slot='0'/>
            </controller>""", 'io_uring')


#: Asked of both emulators.
QUERIES = ['query-status', 'query-name', 'query-uuid', 'query-kvm',
           'query-target', 'query-pci', 'query-block', 'query-blockstats',
           'query-named-block-nodes', 'query-cpus-fast',
           'query-hotpluggable-cpus', 'query-iothreads', 'query-memdev',
           'query-memory-size-summary', 'query-memory-devices',
           'query-current-machine', 'query-balloon', 'query-rx-filter',
           'query-migrate', 'query-tpm-models', 'query-vnc', 'query-jobs']

#: What no two runs have in common.
PASSING = ('CPU', 'cpu.time', 'cpu.user', 'cpu.system', 'balloon.rss', '*.time',
           '*.delay', '*.wait', '*thread-id', '*qom-path', '*.id',
           '*.filename', 'CPU time', 'Id', 'id', '*_range.*', '*.address',
           '*.irq', '*.bus.number', '*.bus.secondary', '*.bus.subordinate',
           '*.bus_range.*')

SAME = '''
<domain type='kvm'>
  <name>same</name><uuid>5f6a2a1e-5d0e-4f5e-9b43-0d6a1b1e2c3d</uuid>
  <memory unit='MiB'>128</memory>
  <vcpu>2</vcpu>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' check='none'>
    <feature policy='disable' name='arch-capabilities'/>
  </cpu>
  <devices>
    <emulator>{main}</emulator>
    <controller type='usb' model='none'/>
    {more}
    <serial type='pty'><target port='0'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
'''


def of_json(value, path=''):
    """Each leaf as 'path: value'; a list's elements are a set."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from of_json(member, f'{path}.{name}' if path else name)
    elif isinstance(value, list):
        for element in value:
            yield from of_json(element, path)
    elif not any(fnmatch.fnmatch(path, one) for one in PASSING):
        yield f'{path}: {value}'


def of_xml(element, path=''):
    """The same of attributes and texts; an enum's name stands for its tag."""
    for child in element:
        below = f'{path}/{child.get("name") or child.tag}'.lstrip('/')
        for name, value in child.attrib.items():
            if name != 'name':
                yield f'{below}@{name}: {value}'
        if child.text and child.text.strip():
            yield f'{below}: {child.text.strip()}'
        yield from of_xml(child, below.removesuffix('/value'))


def of_lines(text, sign):
    """The same of 'name: value' or 'name=value' lines; a statistic's value is
    not compared."""
    for line in text.splitlines():
        name, _, value = line.strip().partition(sign)
        name = re.sub(r'\.\d+\.', '.N.', name)
        if not any(fnmatch.fnmatch(name, one) for one in PASSING):
            yield (f'{name}: {value.strip()}'
                   if not name.endswith('.sum') else name)


class Likeness(unittest.TestCase):
    """For the same XML virsh prints the same of our emulator as of the
    distribution's, but for what a table in the documentation says."""
    maxDiff = None

    @staticmethod
    def by_file(command, text, *options):
        """A command of virsh's that takes a file with a description."""
        with tempfile.NamedTemporaryFile('w', suffix='.xml') as file:
            file.write(text)
            file.flush()
            virsh(*command, file.name, *options)

    def told(self, emulator, machine, more, **free):
        """What each command says, as a set of lines."""
        self.by_file(['define'], SAME.format(main=emulator, machine=machine,
                                             more=more))
        try:
            start('same')
            attach = ['attach-device', 'same']
            self.by_file(attach, ADAPTER.format(**free), '--live')
            self.by_file(attach, DISK.format(
                path=self.image.name, **free), '--live')
            told = {'dumpxml': of_xml(ET.fromstring(virsh('dumpxml', 'same'))),
                    'domcapabilities': of_xml(ET.fromstring(virsh(
                        'domcapabilities', '--emulatorbin', emulator,
                        '--virttype', 'kvm', '--machine', machine))),
                    'domstats': of_lines(virsh('domstats', 'same'), '='),
                    'dominfo': of_lines(virsh('dominfo', 'same'), ':'),
                    'vcpuinfo': of_lines(virsh('vcpuinfo', 'same'), ':'),
                    'domblklist': virsh('domblklist', '--details',
                                        'same').splitlines(),
                    'domblkinfo': of_lines(virsh('domblkinfo', 'same', 'sda'),
                                           ':'),
                    'domblkstat': virsh('domblkstat', 'same',
                                        'sda').splitlines()}
            for query in QUERIES:
                answer = json.loads(virsh('qemu-monitor-command', 'same',
                                          json.dumps({'execute': query})))
                told[query] = of_json(answer.get('return', answer))
            return {name: {line.replace(emulator, 'EMULATOR')
                           for line in lines} for name, lines in told.items()}
        finally:
            if virsh('domstate', 'same') != 'shut off':
                virsh('destroy', 'same')
            virsh('undefine', 'same')

    @staticmethod
    def documented():
        """(command, pattern) of each row of the table."""
        with open(DOCUMENT, encoding='utf-8') as file:
            text = file.read().partition('## Where virsh shows')[2]
        return re.findall(r'^\| `([^`]+)` \| `([^`]+)` \| ', text, re.M)

    def test_differences_are_those_of_the_documentation(self):
        if not os.access(DISTRIBUTION, os.X_OK):
            self.skipTest(f'needs {DISTRIBUTION}')
        self.image = tempfile.NamedTemporaryFile(prefix='virt-')
        self.addCleanup(self.image.close)
        self.image.truncate(1 << 20)
        rows = self.documented()
        used, unknown = set(), []
        for machine, more, free in (
                ('q35', "<controller type='pci' index='0' model='pcie-root'/>"
                 "<controller type='pci' index='1' model='pcie-root-port'/>",
                 {'index': 0, 'bus': 1, 'slot': 0}),
                ('pc', "<controller type='scsi' model='lsilogic'/>",
                 {'index': 1, 'bus': 0, 'slot': 0x11})):
            theirs = self.told(DISTRIBUTION, machine, more, **free)
            ours = self.told(MAIN, machine, more, **free)
            for name, lines in ours.items():
                for line in sorted(lines ^ theirs[name]):
                    matched = [row for row in rows if row[0] == name
                               and fnmatch.fnmatchcase(line, row[1])]
                    used.update(matched)
                    if not matched:
                        unknown.append((machine, name,
                                        '+-'[line in theirs[name]], line))
        self.assertEqual(unknown, [])
        self.assertEqual(set(rows) - used, set(), 'rows that say too much')


daemons = None


def main():
    global MAIN, REMOTE, daemons
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--main', required=True, help='the emulator')
    parser.add_argument('--remote', help='of the device process')
    parser.add_argument('--inside', action='store_true',
                        help=argparse.SUPPRESS)
    parser.add_argument('only', nargs='*', metavar='CLASS[.TEST]')
    args = parser.parse_args()
    MAIN = os.path.realpath(args.main)
    REMOTE = os.path.realpath(args.remote or args.main)
    if not args.inside:
        why = impossible()
        if why:
            return tap.skip_all(why)
        return again_in_private(['--inside', '--main', MAIN,
                                 '--remote', REMOTE, *args.only])
    daemons = Daemons(MAIN)
    return tap.run_own(args.only)


if __name__ == '__main__':
    sys.exit(main())
