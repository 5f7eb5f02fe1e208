#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A domain of libvirt's whose emulator is ours, with a proxied disk.

Runs libvirtd and virtlogd in name spaces of their own (root is needed), with
empty directories where they keep their state, and drives them by virsh.  The
guest is SeaBIOS on this machine's KVM.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from mpqemu_test import tap
from mpqemu_test.pair import Program, end_with_parent

MAIN = None
REMOTE = None
PRIVATE = ['/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt',
           '/var/cache/libvirt', '/run']

QEMU_CONF = '''
security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
remember_owner = 0
'''

LIBVIRTD_CONF = '''
auth_unix_ro = "none"
auth_unix_rw = "none"
'''

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


def virsh(*command, fails=False):
    """What virsh prints."""
    done = subprocess.run(['virsh', '-q', '-c', 'qemu:///system', *command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    text = done.stdout.decode(errors='replace')
    if (done.returncode != 0) != fails:
        raise AssertionError(f'virsh {" ".join(command)}: {text}')
    return text.strip()


def within(limit, true):
    """Waits until true() is, for limit seconds."""
    end = time.monotonic() + limit
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Daemons:
    """libvirtd and virtlogd in the directories that are private to us."""

    def __init__(self):
        for path in PRIVATE:
            os.makedirs(path, exist_ok=True)
            subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', path], check=True)
        for name, text in (('qemu.conf', QEMU_CONF),
                           ('libvirtd.conf', LIBVIRTD_CONF)):
            with open(f'/etc/libvirt/{name}', 'w', encoding='ascii') as file:
                file.write(text)
        os.makedirs('/run/libvirt')
        self.log = Program('virtlogd', ['virtlogd'])
        self.start()

    def start(self):
        self.daemon = Program('libvirtd', ['libvirtd'])

        def answers():
            return subprocess.run(
                ['virsh', '-q', '-c', 'qemu:///system', 'version'],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                check=False).returncode == 0
        if not within(30, answers):
            raise AssertionError(f'libvirtd: {self.daemon.errors}')

    def stop(self):
        self.daemon.process.send_signal(signal.SIGTERM)
        self.daemon.process.wait(20)


class Capabilities(unittest.TestCase):
    def test_the_emulator_is_probed(self):
        xml = virsh('domcapabilities', '--emulatorbin', MAIN,
                    '--virttype', 'kvm', '--machine', 'q35')
        self.assertIn(f'<path>{MAIN}</path>', xml)
        self.assertIn('<domain>kvm</domain>', xml)
        self.assertRegex(xml, "mode name='host-passthrough' supported='yes'")
        self.assertRegex(xml, "mode name='host-model' supported='yes'")


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
        self.events = Program('virsh event', [
            'stdbuf', '-oL', 'virsh', '-c', 'qemu:///system', 'event',
            '--loop', '--event', 'lifecycle'], stdout=subprocess.PIPE)
        os.set_blocking(self.events.process.stdout.fileno(), False)
        self.seen = ''
        try:
            virsh('start', 'guest')
        except AssertionError as failed:
            with open('/var/log/libvirt/qemu/guest.log',
                      encoding='utf-8', errors='replace') as log:
                raise AssertionError(f'{failed}\n{log.read()}') from None

    def tearDown(self):
        if virsh('domstate', 'guest') != 'shut off':
            virsh('destroy', 'guest')
        virsh('undefine', 'guest')
        for program in (self.events, self.remote):
            program.process.kill()
            program.process.wait()
        self.dir.cleanup()

    def event(self, text):
        """Waits until libvirt has told of a change."""
        def there():
            self.seen += (self.events.process.stdout.read() or b'').decode()
            return text in self.seen
        self.assertTrue(within(10, there), f'no {text} in: {self.seen}')

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
        button = Program('virsh qemu-monitor-event', [
            'virsh', '-c', 'qemu:///system', 'qemu-monitor-event',
            '--event', 'POWERDOWN', '--timeout', '20'], stdout=subprocess.PIPE)
        self.assertTrue(within(5, lambda: 'qemu-monitor-event' in open(
            f'/proc/{button.pid}/cmdline', encoding='ascii').read()))
        time.sleep(0.5)
        virsh('shutdown', 'guest')
        self.assertIn(b'POWERDOWN', button.process.stdout.read())
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


daemons = None


def possible():
    """Why the test cannot run here, or None."""
    if os.geteuid() != 0:
        return 'needs root'
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'needs KVM'
    for name in ('libvirtd', 'virtlogd', 'virsh'):
        if not shutil.which(name):
            return f'needs {name}'
    if subprocess.run(['unshare', '-m', '-p', '--fork', '--mount-proc',
                       'true'], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        return 'needs name spaces'
    return None


def main():
    global MAIN, REMOTE, daemons
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--main', required=True, help='the emulator')
    parser.add_argument('--remote', help='of the device process')
    parser.add_argument('--inside', action='store_true',
                        help=argparse.SUPPRESS)
    args = parser.parse_args()
    MAIN = os.path.realpath(args.main)
    REMOTE = os.path.realpath(args.remote or args.main)
    if not args.inside:
        why = possible()
        if why:
            print(f'1..0 # SKIP {why}')
            return 0
        return subprocess.run(
            ['unshare', '-m', '-p', '--fork', '--kill-child', '--mount-proc',
             # The first process: takes leave of orphans, as init does.
             'sh', '-c', '"$@"; exit $?', 'sh',
             sys.executable, os.path.abspath(__file__), '--inside', '--main',
             MAIN, '--remote', REMOTE], check=False,
            preexec_fn=end_with_parent).returncode
    daemons = Daemons()
    return tap.run(unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules['__main__']))


if __name__ == '__main__':
    sys.exit(main())
