#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A red team in a device process: each row is an attempt and its end.

Device x-redteam (redteam.c) does what an attacker would.  The main process is
a machine without CPUs (-accel qtest) with three proxies: of x-redteam, of an
edu in the same process and of one in another.  After each attempt all three
processes run, and both edu answer.
"""
import argparse
import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
sys.path.insert(0, os.path.join(here, '..', 'interop'))
from mpqemu_test import lab, tap  # noqa: E402
import wire  # noqa: E402

COMMAND, RESULT, ARG0, ARG1, SELECT, NAME = 0, 8, 0x10, 0x18, 0x20, 0x40
BARS = 0xe0000000, 0xe0100000, 0xe0200000
TIMEOUT_MS = 5000


class Settings:
    """What the command line said."""
    program = main = None


def names_of(write, read_byte):
    """The names of all attempts, by accesses to the registers."""
    names = []
    while True:
        write(SELECT, len(names))
        name = b''
        while byte := read_byte(NAME + len(name)):
            name += bytes([byte])
        if not name:
            return names
        names.append(name.decode())


def test_name(attempt):
    return 'test_' + re.sub(r'\W+', '_', attempt).strip('_')


class World:
    """A main process, x-redteam and edu in one device process, edu in
    another; ends with the block it is used in."""

    def __init__(self, sandbox=()):
        self.disk = tempfile.NamedTemporaryFile(prefix='redteam-')
        self.disk.truncate(1 << 20)
        self.rom = tempfile.NamedTemporaryFile(prefix='redteam-')
        self.rom.write(b'firmware' * 8192)
        self.rom.flush()
        # An end that only the device process inherits, by mistake; the number
        # is one that no other descriptor gets.
        self.leak, low = socket.socketpair()
        theirs = socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD, 500))
        low.close()
        self.near = wire.Remote(
            Settings.program, ['x-redteam', 'edu'], pass_fds=[theirs.fileno()],
            more=['-drive', f'if=none,id=d,format=raw,file={self.disk.name}',
                  '-device', 'nvme,id=nvme,drive=d,serial=1', *sandbox])
        self.leaked = theirs.fileno()
        theirs.close()
        self.far = wire.Remote(Settings.program, ['edu'], more=sandbox)
        ends = [link.socket for link in self.near.links + self.far.links]
        self.test, theirs = socket.socketpair()
        command = [
            Settings.main, '-machine', 'q35,memory-backend=ram', '-object',
            'memory-backend-memfd,id=ram,size=32M', '-accel', 'qtest',
            '-display', 'none', '-nodefaults', '-chardev',
            f'socket,fd={theirs.fileno()},id=test', '-qtest', 'chardev:test',
            '-qtest-log', 'none', '-bios', self.rom.name]
        for number, end in enumerate(ends):
            command += ['-device', f'x-pci-proxy-dev,id=dev{number},'
                        f'addr={4 + number}.0,fd={end.fileno()},'
                        f'timeout={TIMEOUT_MS}']
        self.main = subprocess.Popen(
            command, pass_fds=[theirs.fileno()] + [e.fileno() for e in ends],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        theirs.close()
        for end in ends:
            end.close()
        self.test.settimeout(30)
        self.lines = self.test.makefile('r')
        for number, bar in enumerate(BARS):
            config = 0x80000000 | (4 + number) << 11
            for at, value in (0x10, bar), (4, 6):
                self.ask(f'outl 0xcf8 {config + at:#x}')
                self.ask(f'outl 0xcfc {value:#x}')
        self.names = names_of(
            self.write, lambda at: self.ask(f'readb {BARS[0] + at:#x}'))
        self.target = self.main.pid

    def ask(self, text):
        self.test.sendall(text.encode() + b'\n')
        answer = self.lines.readline().split()
        if not answer or answer[0] != 'OK':
            raise AssertionError(f'{text}: {answer}')
        return int(answer[1], 0) if len(answer) > 1 else None

    def read(self, at, bar=0):
        return self.ask(f'readq {BARS[bar] + at:#x}')

    def write(self, at, value, bar=0):
        self.ask(f'writeq {BARS[bar] + at:#x} {value:#x}')

    def attempt(self, name, arg0=None, arg1=0):
        """What came of it: 0 or more, or minus an errno."""
        self.write(ARG0, self.target if arg0 is None else arg0)
        self.write(ARG1, arg1)
        self.write(COMMAND, self.names.index(name))
        result = self.read(RESULT)
        return result - (1 << 64) if result >> 63 else result

    def edu_answers(self, bar):
        """True if the edu behind this BAR does."""
        self.ask(f'writel {BARS[bar] + 4:#x} 0x5')
        return self.ask(f'readl {BARS[bar] + 4:#x}') == 0xfffffffa

    def boxed_in(self):
        with open(f'/proc/{self.near.process.pid}/status',
                  encoding='ascii') as file:
            return not re.search(r'^Seccomp:\s*0$', file.read(), re.M)

    def close(self):
        for process in self.main, self.near.process, self.far.process:
            process.kill()
            process.communicate()
        self.test.close()
        self.leak.close()
        self.disk.close()
        self.rom.close()


def said(result):
    return errno.errorcode.get(-result, '?') if result < 0 else str(result)


class Team(unittest.TestCase):
    world = None
    sandbox = ()

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.sandbox)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def setUp(self):
        if not self.sandbox and not self.world.boxed_in():
            self.skipTest('built with a sanitizer: device processes are not '
                          'boxed in')

    def all_is_well(self, *bars):
        world = self.world
        for process in world.main, world.near.process, world.far.process:
            self.assertIsNone(process.poll(), process.args)
        for bar in bars or (1, 2):
            self.assertTrue(world.edu_answers(bar))

    def tell(self, text):
        print(f'# {text}', flush=True)


class Refused(Team):
    """Attempts that come to nothing."""


class RefusedMonitored(Team):
    """Nor do they in a process that may do what a monitor needs."""
    sandbox = ('-chardev', 'null,id=c')


#: How they end, unless it is EPERM.
ENDS = {
    'clone a process by clone3()': -errno.ENOSYS,
    'write to an inherited descriptor': -errno.EBADF,
    'DMA read of its own memory': -errno.EFAULT,
}
OTHERS = {'eat memory', 'eat descriptors', 'eat threads',
          'raise interrupts without end', 'hang', 'DMA read', 'DMA write',
          'send garbage to the proxy', 'send descriptors to the proxy',
          'crash', 'fail an assertion'}
REFUSED = [
    'open a file', 'open a file by open()', 'open a file by openat2()',
    'open a file as a 32-bit program', 'open its own memory', 'create a file',
    'open the parent of what is open', 'open a file by handle',
    'list processes', 'stat a file', 'read a symbolic link', 'remove a file',
    'rename a file', "change a file's mode", 'change folder',
    'truncate what is open', 'write to an inherited descriptor',
    'direct signals of a descriptor', 'type into the terminal',
    'make an IP socket', 'make a UNIX socket', 'make a netlink socket',
    'make a pair of sockets', 'connect the link elsewhere',
    'listen at the link', 'connect by sending', 'connect by a message',
    'attach a filter to the link', 'fork', 'clone a process',
    'clone a process by clone3()', 'clone into a user name space',
    'clone a thread with its own descriptors',
    'execute a program', 'execute a descriptor', 'make a memfd',
    'map executable memory', 'make memory executable', 'map a stack',
    'map a file as a stack', 'map a huge page', 'trace the main process',
    "read the main process's memory",
    "write the main process's memory", 'signal the main process',
    'signal a thread of the main process', 'signal all processes',
    'get a handle of the main process', "change the main process's priority",
    "read the main process's limits", 'mount', 'unmount', 'change root',
    'make a name space', 'enter a name space', 'become root',
    'take capabilities', 'raise its limits', 'become dumpable',
    'ask for another filter', 'make an io_uring', 'ask more of an io_uring',
    'load BPF', 'count events', 'handle page faults',
    "take the session's keys", 'load a module', "read the kernel's log",
    'make shared memory', 'DMA read of its own memory',
]


def add_refused():
    for name in REFUSED:
        def test(self, name=name):
            arg0 = (self.world.leaked if 'inherited' in name else
                    self.world.near.link_fds[0] if 'link' in name else None)
            result = self.world.attempt(name, arg0)
            self.assertEqual(said(result), said(ENDS.get(name, -errno.EPERM)))
            self.all_is_well()
            self.tell(f'{name}: {said(result)}')
        setattr(Refused, test_name(name), test)
        setattr(RefusedMonitored, test_name(name), test)


class Limited(Team):
    """Attempts that hurt only the device that makes them."""

    def test_every_attempt_has_a_row(self):
        names = {n for n in self.world.names if not n.startswith('time ')}
        self.assertEqual(names, set(REFUSED) | OTHERS)

    def test_eat_memory(self):
        got = self.world.attempt('eat memory')
        self.assertLessEqual(got, 1024)
        self.all_is_well()
        self.tell(f'eat memory: {got} MiB, then no more')

    def test_eat_descriptors(self):
        got = self.world.attempt('eat descriptors')
        self.assertEqual(got, 0)
        self.all_is_well()

    def test_eat_threads(self):
        got = self.world.attempt('eat threads')
        self.assertLessEqual(got, 1024)
        self.all_is_well()
        self.tell(f'eat threads: {got}, then no more')

    def test_raise_interrupts_without_end(self):
        got = self.world.attempt('raise interrupts without end', 300)
        self.all_is_well()
        self.tell(f'raise interrupts without end: {got} in 300 ms; the '
                  'others answer')

    def test_dma_without_bus_mastering(self):
        self.world.ask('outl 0xcf8 0x80002004')
        self.world.ask('outl 0xcfc 2')
        self.assertEqual(self.world.attempt('DMA read', 0x1000),
                         -errno.EFAULT)
        self.world.ask('outl 0xcfc 6')
        self.assertEqual(self.world.attempt('DMA read', 0x1000), 0)

    def test_dma_outside_ram(self):
        for name in 'DMA read', 'DMA write':
            for at in 64 << 20, 0xfffc0000, BARS[1], 1 << 40, (1 << 64) - 8:
                self.assertEqual(self.world.attempt(name, at), -errno.EFAULT,
                                 f'{name} {at:#x}')
        self.all_is_well()

    def test_dma_write_to_rom(self):
        for at in 0xfffffff0, 0xffff0:
            before = self.world.ask(f'readq {at:#x}')
            self.assertNotIn(before, (0, (1 << 64) - 1))
            self.world.attempt('DMA write', at)
            self.assertEqual(self.world.ask(f'readq {at:#x}'), before)


class Links(unittest.TestCase):
    """Two links of one process, without a main process."""

    def setUp(self):
        self.remote = wire.Remote(Settings.program, ['x-redteam', 'edu'])
        self.red, self.edu = self.remote.links
        for link, gpa, fill in (self.red, 0, 1), (self.edu, 1 << 24, 2):
            fd = wire.memfd(1 << 20)
            os.pwrite(fd, bytes([fill]) * 4096, 0)
            link.set_memory([(gpa, 1 << 20, 0)], [fd])
            link.config_write(0x10, BARS[0])
            link.config_write(4, 6)
            link.memory = fd

    def tearDown(self):
        os.close(self.red.memory)
        os.close(self.edu.memory)
        self.remote.process.kill()
        self.remote.end()

    def attempt(self, number, arg0):
        self.red.write(BARS[0] + ARG0, arg0, 8)
        self.red.send(wire.BAR_WRITE, wire.bar(BARS[0] + COMMAND, 8, number))

    def names(self):
        return names_of(
            lambda at, value: self.red.write(BARS[0] + at, value, 8),
            lambda at: self.red.read(BARS[0] + at, 1))

    def edu_time(self):
        start = time.monotonic()
        self.edu.write(BARS[0] + 4, 5)
        self.assertEqual(self.edu.read(BARS[0] + 4), 0xfffffffa)
        return time.monotonic() - start

    def result(self):
        self.red.receive()
        value = self.red.read(BARS[0] + RESULT, 8)
        return value - (1 << 64) if value >> 63 else value

    def test_memory_of_the_other_link_is_out_of_reach(self):
        names = self.names()
        for name in 'DMA read', 'DMA write':
            self.attempt(names.index(name), 1 << 24)
            self.assertEqual(self.result(), -errno.EFAULT)
        self.assertEqual(os.pread(self.edu.memory, 8, 0), b'\2' * 8)
        self.attempt(names.index('DMA write'), 0)
        self.assertEqual(self.result(), 0)
        self.assertEqual(os.pread(self.red.memory, 8, 0), b'redteam!')

    def test_hang_takes_no_time_of_the_other_link(self):
        self.attempt(self.names().index('hang'), 1000)
        self.assertLess(max(self.edu_time() for _ in range(20)), 0.9)
        self.assertEqual(self.result(), 0)

    def test_interrupts_take_no_time_of_the_other_link(self):
        names = self.names()
        irqfd, resamplefd = wire.eventfd(), wire.eventfd()
        self.red.set_irqfd(irqfd, resamplefd)
        self.attempt(names.index('raise interrupts without end'), 1000)
        self.assertLess(max(self.edu_time() for _ in range(20)), 0.9)
        self.assertGreater(self.result(), 1000)
        os.close(irqfd)
        os.close(resamplefd)


class Lost(unittest.TestCase):
    """Attempts that cost the device that makes them its link."""

    def setUp(self):
        self.world = World()

    def tearDown(self):
        self.world.close()

    def lost(self, name, arg0, bars, words):
        world = self.world
        world.write(ARG0, arg0)
        world.write(COMMAND, world.names.index(name))
        # An access that is answered by the mailbox leaves the socket alone;
        # one that finds the device asleep does not.
        wire.until(lambda: world.read(RESULT) == (1 << 64) - 1,
                   'the link is lost')
        self.assertIsNone(world.main.poll())
        for bar in bars:
            self.assertTrue(world.edu_answers(bar), bar)
        world.main.send_signal(signal.SIGTERM)
        _, text = world.main.communicate(timeout=10)
        self.assertEqual(world.main.returncode, 0)
        self.assertRegex(text, words)
        self.assertLess(len(text.splitlines()), 4, text)
        print(f'# {name}: {text.splitlines()[0]}', flush=True)

    def test_garbage(self):
        self.lost('send garbage to the proxy', self.world.near.link_fds[0],
                  (1, 2), 'dev0')

    def test_descriptors(self):
        self.lost('send descriptors to the proxy',
                  self.world.near.link_fds[0], (1, 2), 'dev0')

    def test_crash_of_its_process(self):
        self.lost('crash', 0, (2,), 'dev0')
        self.assertEqual(self.world.near.process.wait(10), -signal.SIGSEGV)

    def test_assertion_that_fails_is_sigabrt(self):
        self.lost('fail an assertion', 0, (2,), 'dev0')
        self.assertEqual(self.world.near.process.wait(10), -signal.SIGABRT)


class Unboxed(Team):
    """The attempts are real: without the box they succeed."""
    sandbox = ('-sandbox', 'off')

    def test_without_the_box_they_succeed(self):
        for name in ('open a file', 'open a file by openat2()',
                     'open its own memory', 'list processes', 'stat a file',
                     'read a symbolic link', 'change folder',
                     'make an IP socket', 'make a UNIX socket',
                     'make a netlink socket', 'make a pair of sockets',
                     'fork', 'clone a process', 'clone a process by clone3()',
                     'make a memfd', 'map executable memory',
                     'make memory executable', 'signal the main process',
                     'get a handle of the main process', 'become dumpable',
                     'make shared memory', 'eat descriptors'):
            result = self.world.attempt(name)
            self.assertGreaterEqual(result, 0, f'{name}: {said(result)}')
        result = self.world.attempt('write to an inherited descriptor',
                                    self.world.leaked)
        self.assertEqual(result, 7)
        self.assertGreater(self.world.attempt('eat memory'), 1024)


def run(script, doc, files, settings, prepare):
    """main() of a red team: files are options that name one, with their help;
    settings gets them.  What prepare() returns, unless None, is the end."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in files.items():
        parser.add_argument(f'--{name}', required=True, help=text,
                            type=os.path.realpath)
    parser.add_argument('--nested', action='store_true',
                        help='run in a nested guest')
    parser.add_argument('only', nargs='*', help='tests')
    args = parser.parse_args()
    for name in files:
        setattr(settings, name, getattr(args, name))
    if args.nested:
        again = [f'--{name}={getattr(args, name)}' for name in files]
        return lab.run([sys.executable, os.path.realpath(script), *again,
                        *args.only])
    end = prepare()
    return tap.run_own(args.only) if end is None else end


if __name__ == '__main__':
    sys.exit(run(__file__, __doc__,
                 {'program': 'device process with x-redteam',
                  'main': 'main process'}, Settings, add_refused))
