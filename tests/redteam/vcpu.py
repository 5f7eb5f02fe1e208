#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A red team in a vCPU's thread of a main process with -sandbox on.

x-redteam (redteam.c) is a device of the machine itself here, and the guest is
tests/guest/probe.c: its writes to the device make each attempt in the thread
of the vCPU.  What the operator plugs in meanwhile works.
"""
import errno
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
sys.path.insert(0, os.path.join(here, '..', 'interop'))
sys.path.insert(0, here)
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.pair import Program, listens  # noqa: E402
from mpqemu_test.qmp import Qmp  # noqa: E402
import redteam  # noqa: E402
import wire  # noqa: E402

BAR, PLUGGED = 0xe0000000, 0xe0100000
RED, HOT = 4 << 3, 6 << 3                       # devfn
LIMIT = 60                      # seconds, for what takes a moment

#: Calls that no emulator needs: -sandbox on ends the process.
DEADLY = ['trace the main process', 'mount', 'unmount', 'load BPF',
          "take the session's keys", 'load a module', "read the kernel's log",
          'open a file as a 32-bit program']


class Settings:
    """What the command line said."""
    program = payload = None
    names = ()


def attempt_names():
    remote = wire.Remote(Settings.program, ['x-redteam'])
    link = remote.links[0]
    link.config_write(0x10, BAR)
    link.config_write(4, 2)
    names = redteam.names_of(
        lambda at, value: link.write(BAR + at, value, 8),
        lambda at: link.read(BAR + at, 1))
    remote.end()
    return names


class Guest:
    """A pc that does what it is told; ends with end()."""

    def __init__(self, sandbox='on', memory='memory-backend-memfd'):
        self.dir = tempfile.TemporaryDirectory(prefix='vcpu-')
        monitor = self.path('qmp')
        self.program = Program('machine', [
            Settings.program, '-machine', 'pc,memory-backend=ram', '-accel',
            'kvm', '-cpu', 'host', '-object',
            f'{memory},id=ram,size=32M', '-m', '32', '-nodefaults', '-display',
            'none', '-no-reboot', '-serial', 'stdio', '-qmp',
            f'unix:{monitor},server=on,wait=off', '-kernel', Settings.payload,
            '-device', 'edu,addr=3', '-device', 'x-redteam,addr=4',
            '-device', 'isa-debug-exit', '-sandbox', sandbox],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.said = b''
        self.read_until(b'@@ devices 1')
        self.map(RED, BAR)
        self.qmp = Qmp(monitor)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def read_until(self, start):
        end = time.monotonic() + LIMIT
        out = self.program.process.stdout.fileno()
        while True:
            line, complete, rest = self.said.partition(b'\n')
            if complete:
                self.said = rest
                if line.startswith(start):
                    return line
                continue
            ready = select.select([out], [], [],
                                  max(end - time.monotonic(), 0))[0]
            data = os.read(out, 4096) if ready else b''
            if not data:
                raise AssertionError('the machine says no more: '
                                     + self.program.errors)
            self.said += data

    def tell(self, command, *numbers):
        words = [command, *(f'{number:x}' for number in numbers)]
        stdin = self.program.process.stdin
        stdin.write(' '.join(words).encode() + b'\n')
        stdin.flush()

    def do(self, *words):
        self.tell(*words)
        return int(self.read_until(b'=').split()[1], 16)

    def map(self, devfn, bar):
        self.do('C', devfn, 0x10, 4, bar)
        self.do('C', devfn, 4, 2, 6)

    def attempt(self, name, arg0=None):
        """What came of it: 0 or more, or minus an errno."""
        self.do('w', BAR + redteam.ARG0, os.getpid() if arg0 is None else arg0)
        self.do('w', BAR + redteam.COMMAND, Settings.names.index(name))
        result = self.do('r', BAR + redteam.RESULT)
        return result - (1 << 32) if result >> 31 else result

    def edu_answers(self, bar):
        self.do('w', bar + 4, 5)
        return self.do('r', bar + 4) == 0xfffffffa

    def filters(self):
        """{name of a thread: how many filters it has}"""
        folder = f'/proc/{self.program.pid}/task'
        found = {}
        for task in os.listdir(folder):
            with open(f'{folder}/{task}/status', encoding='ascii') as file:
                status = dict(line.split(':', 1) for line in file)
            found[status['Name'].strip()] = int(status['Seccomp_filters'])
        return found

    def end(self):
        self.qmp.close()
        self.program.process.stdin.close()
        self.program.process.kill()
        self.program.wait(LIMIT)
        self.program.process.stdout.close()
        self.dir.cleanup()


class Refused(unittest.TestCase):
    """Attempts that come to nothing; the machine goes on."""

    @classmethod
    def setUpClass(cls):
        cls.guest = Guest()

    @classmethod
    def tearDownClass(cls):
        cls.guest.end()


def add_refused():
    for name in redteam.REFUSED:
        if name in DEADLY or 'inherited' in name:
            continue

        def test(self, name=name):
            want = redteam.ENDS.get(name, -errno.EPERM)
            got = self.guest.attempt(name, 0 if 'link' in name else None)
            self.assertEqual(redteam.said(got), redteam.said(want))
            self.assertIsNone(self.guest.program.process.poll())
            print(f'# {name}: {redteam.said(got)}', flush=True)
        setattr(Refused, redteam.test_name(name), test)


class Deadly(unittest.TestCase):
    def test_what_no_emulator_does_ends_it(self):
        for name in DEADLY:
            guest = Guest()
            try:
                guest.tell('w', BAR + redteam.ARG0, os.getpid())
                guest.tell('w', BAR + redteam.COMMAND,
                           Settings.names.index(name))
                self.assertEqual(guest.program.wait(LIMIT), -signal.SIGSYS,
                                 name)
            finally:
                guest.end()


class WithoutIt(unittest.TestCase):
    def test_the_attempts_are_real(self):
        guest = Guest('off')
        try:
            for name in ('open a file', 'make an IP socket', 'make a memfd',
                         'fork', 'make memory executable', 'list processes',
                         'eat descriptors'):
                self.assertGreaterEqual(guest.attempt(name), 0, name)
        finally:
            guest.end()


class Shortened(unittest.TestCase):
    def test_guest_whose_memory_is_taken_away_stops(self):
        with tempfile.NamedTemporaryFile() as file:
            guest = Guest(memory='memory-backend-file,share=on,mem-path='
                                 + file.name)
            self.addCleanup(guest.end)
            # Away with the code that the vCPU runs.
            file.truncate(0)
            guest.qmp.event('STOP', LIMIT)
            self.assertEqual(guest.qmp.execute('query-status')['status'],
                             'internal-error')
            guest.qmp.execute('quit')
            self.assertEqual(guest.program.wait(LIMIT), 0)
            self.assertRegex(guest.program.errors, f"'ram', {file.name}, has "
                             'been shortened; the guest is stopped')


class Reach(unittest.TestCase):
    """What a device of the machine is told to do to itself or to others."""

    def setUp(self):
        self.guest = Guest()
        self.addCleanup(self.guest.end)
        self.do = self.guest.do

    def test_a_message_to_the_register_that_sends_it(self):
        devfn, bar, cap = 3 << 3, PLUGGED, 0x40
        self.guest.map(devfn, bar)
        self.assertEqual(self.do('c', devfn, cap, 1), 5)        # MSI
        for at, size, value in ((cap + 4, 4, bar + 0x60), (cap + 8, 4, 0),
                                (cap + 12, 2, 1), (cap + 2, 2, 0x81)):
            self.do('C', devfn, at, size, value)
        self.do('w', bar + 0x60, 1)
        self.assertTrue(self.guest.edu_answers(bar))

    def test_dma_to_a_proxy(self):
        remote = wire.Remote(Settings.program, ['edu'])
        self.addCleanup(remote.end)
        self.addCleanup(remote.process.kill)
        end = remote.links[0].socket
        self.guest.qmp.execute('getfd', fds=[end.fileno()], fdname='link')
        end.close()
        self.guest.qmp.execute('device_add', driver='x-pci-proxy-dev',
                               id='hot', addr='6', fd='link')
        # Below what edu's DMA can name.
        devfn, bar, proxy = 3 << 3, PLUGGED, 0x0e000000
        self.guest.map(devfn, bar)
        self.guest.map(HOT, proxy)
        self.assertTrue(self.guest.edu_answers(proxy))
        for at, value in ((0x80, 0x40000), (0x88, proxy + 4), (0x90, 4),
                          (0x98, 3)):
            self.do('w', bar + at, value)
        wire.until(lambda: not self.do('r', bar + 0x98) & 1, 'DMA ends')
        self.assertEqual(self.do('r', proxy + 4), 0xfffffffa)


class Plugging(unittest.TestCase):
    """What the operator adds, the main loop opens."""

    def setUp(self):
        self.guest = Guest('on,obsolete=deny,elevateprivileges=deny,'
                           'spawn=deny,resourcecontrol=deny')
        self.addCleanup(self.guest.end)
        self.qmp = self.guest.qmp
        self.remote = None

    def tearDown(self):
        if self.remote:
            self.remote.process.kill()
            self.remote.wait(LIMIT)

    def process(self, awaited=False):
        """A device process with an edu, at a path; awaited: somebody tries to
        connect all the time, whereupon it listens no more."""
        path = self.guest.path('edu.sock')
        self.remote = Program('device process', [
            Settings.program, '-machine', 'x-remote', '-nodefaults',
            '-display', 'none', '-device', 'edu,id=e', '-object',
            f'x-remote-object,id=o,devid=e,socket.type=unix,'
            f'socket.path={path}'])
        end = time.monotonic() + LIMIT
        while not awaited and not listens(path):
            self.assertLess(time.monotonic(), end, self.remote.errors)
            time.sleep(0.02)
        return path

    def test_only_threads_of_the_guest_have_the_second_filter(self):
        filters = self.guest.filters()
        self.assertEqual(filters.pop('CPU 0/KVM'), 2)
        # KVM's own threads in the process are the kernel's.
        ours = [n for name, n in filters.items() if name[:4] != 'kvm-']
        self.assertEqual(ours, [1], filters)

    def test_a_disk(self):
        with open(self.guest.path('disk'), 'wb') as file:
            file.truncate(1 << 20)
        self.qmp.execute('blockdev-add', **{
            'driver': 'raw', 'node-name': 'd', 'file': {
                'driver': 'file', 'filename': self.guest.path('disk')}})
        self.qmp.execute('device_add', driver='nvme', id='hot', drive='d',
                         serial='1', addr='6')
        self.guest.map(HOT, PLUGGED)
        # Enabled by the vCPU: the model makes queues and is ready.
        for at, value in ((0x24, 0x000f000f), (0x28, 0x100000), (0x2c, 0),
                          (0x30, 0x101000), (0x34, 0), (0x14, 0x460001)):
            self.guest.do('w', PLUGGED + at, value)
        self.assertEqual(self.guest.do('r', PLUGGED + 0x1c) & 1, 1)

    def test_a_character_device(self):
        path = self.guest.path('log')
        self.qmp.execute('chardev-add', id='c', backend={
            'type': 'file', 'data': {'out': path}})
        self.assertTrue(os.path.exists(path))

    def test_a_device_process_that_dies_and_returns(self):
        path = self.process()
        self.qmp.execute('device_add', driver='x-pci-proxy-dev', id='hot',
                         addr='6', socket={'type': 'unix', 'path': path},
                         **{'reconnect-ms': 20})
        self.guest.map(HOT, PLUGGED)
        self.assertTrue(self.guest.edu_answers(PLUGGED))
        self.remote.process.kill()
        self.remote.wait(LIMIT)
        self.qmp.event('X_PCI_PROXY_DEV_GONE', LIMIT)
        self.assertEqual(self.guest.do('r', PLUGGED + 4), 0xffffffff)
        os.unlink(path)
        self.process(awaited=True)
        self.qmp.event('X_PCI_PROXY_DEV_BACK', LIMIT)
        self.assertTrue(self.guest.edu_answers(PLUGGED))

    def test_memory_that_changes_is_told_to_a_device_process(self):
        path = self.process()
        self.qmp.execute('device_add', driver='x-pci-proxy-dev', id='hot',
                         addr='6', socket={'type': 'unix', 'path': path})
        self.guest.map(HOT, PLUGGED)
        tables = [self.qmp.execute('x-query-remote')[0]['memory-tables']]
        # As firmware does: ROM or RAM at 0xf0000 to 0xfffff.
        for value in 0x30, 0x10, 0x30:
            self.guest.do('C', 0, 0x59, 1, value)
            self.assertTrue(self.guest.edu_answers(PLUGGED))
        tables.append(self.qmp.execute('x-query-remote')[0]['memory-tables'])
        self.assertLess(tables[0], tables[1])

    def test_a_proxy_that_the_guest_ejects(self):
        path = self.process()
        self.qmp.execute('device_add', driver='x-pci-proxy-dev', id='hot',
                         addr='6', socket={'type': 'unix', 'path': path})
        self.guest.map(HOT, PLUGGED)
        self.qmp.execute('device_del', id='hot')
        # In the thread of the vCPU, by a write to the slots' register.
        self.guest.do('o', 0xae08, 1 << 6)
        self.qmp.event('DEVICE_DELETED', LIMIT)
        self.assertEqual(self.remote.wait(LIMIT), 0, self.remote.errors)


def prepare():
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return tap.skip_all('there is no /dev/kvm that this user may open')
    Settings.names = attempt_names()
    add_refused()
    return None


if __name__ == '__main__':
    sys.exit(redteam.run(__file__, __doc__,
                         {'program': 'emulator with x-redteam',
                          'payload': 'probe.elf'}, Settings, prepare))
