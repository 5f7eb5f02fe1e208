#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a proxy makes of the device that it is shown: shapes that it takes and
refuses, a process that comes back in its own time, one that wants to go, and a
host that has no descriptors left.  No guest, no KVM."""
import array
import itertools
import os
import queue
import resource
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.qmp import Refused  # noqa: E402
import proxy  # noqa: E402
import wire  # noqa: E402
from proxy import BAR, Main, ret  # noqa: E402
from wire import until  # noqa: E402

KNOWS_UNPLUG = 0x4d500001       # in the padding of an answer
ROM = 0x30
GONE, BACK = 'X_PCI_PROXY_DEV_GONE', 'X_PCI_PROXY_DEV_BACK'


class Case(unittest.TestCase):
    def start(self, *args, **how):
        main = Main(*args, **how)
        self.addCleanup(main.process.kill)
        return main


class FdLink(wire.Link):
    """Keeps the descriptors that come."""

    def __init__(self, end):
        super().__init__(end)
        self.fds = []

    def _exactly(self, size):
        data = b''
        while len(data) < size:
            try:
                more, control, _, _ = self.socket.recvmsg(size - len(data),
                                                          512)
            except ConnectionResetError as error:
                raise wire.Gone from error
            if not more:
                raise wire.Gone
            for _, _, fds in control:
                self.fds += array.array('i', fds)
            data += more
        return data


class Device(proxy.FakeRemote):
    """A device whose registers are as the test wants them.

    bars: {offset in config space: (bits that can be written, bits that are 1)}
    hold_at: number of the request that is answered when gate is set
    """

    def __init__(self, end, timeout=0, lie=None, at=None):
        super().__init__(end, timeout, lie, at)
        self.link = FdLink(end)
        self.link.socket.settimeout(None)
        self.bars = {0x10: (0xfffff000, 0)}
        self.padding = 0
        self.unplug_fd = None
        self.irqfds = queue.SimpleQueue()   # [irqfd, resamplefd], as they come
        self.accesses = []          # (command, address, size, memory)
        self.writes = []            # (address, value) in config space
        self.hold_at = self.end_at_write = None
        self.held, self.gate = threading.Event(), threading.Event()

    def serve(self):
        cmd, payload = self.link.receive()
        fds, self.link.fds = self.link.fds, []
        if cmd == wire.SET_UNPLUGFD:
            self.unplug_fd = fds.pop()
        if cmd == wire.SET_IRQFD:
            self.irqfds.put(fds)
            fds = []
        for fd in fds:
            os.close(fd)
        if cmd in (wire.SYNC_SYSMEM, wire.SET_IRQFD, wire.SET_UNPLUGFD):
            return True
        if self.requests == self.hold_at:
            self.held.set()
            self.gate.wait(3 * wire.LIMIT)
        number, self.requests = self.requests, self.requests + 1
        if self.armed and self.at == number:
            return self.tell_lie(cmd, payload)
        answer = self.truth(cmd, payload)
        if answer is None:
            return False
        self.link.send_raw(answer)
        return True

    def truth(self, cmd, payload):
        value = 0
        if cmd == wire.RESET:
            return wire.header(wire.RET, 0, self.padding)
        if cmd in (wire.BAR_READ, wire.BAR_WRITE):
            addr, _, size, memory = struct.unpack('<QQIB', payload[:21])
            self.accesses.append((cmd, addr, size, memory))
            value = 0x5a
        else:
            addr, val, length = struct.unpack('<IIi', payload)
            if cmd == wire.CFGWRITE:
                if addr == self.end_at_write:
                    return None
                self.writes.append((addr, val))
                self.config_write(addr, val, length)
            value = int.from_bytes(self.config[addr:addr + length], 'little')
        return (wire.header(wire.RET, 8, self.padding) +
                struct.pack('<Q', value))

    def config_write(self, addr, val, length):
        if 0x10 <= addr < 0x28 or addr == ROM:
            writable, ones = self.bars.get(addr, (0, 0))
            val = val & writable | ones
        elif addr not in (4, 0xc, 0x3c):
            return
        self.config[addr:addr + length] = val.to_bytes(length, 'little')


def device_of(change):
    """What makes a Device that change has been at."""
    def make(*args):
        device = Device(*args)
        change(device)
        for addr, (_, ones) in device.bars.items():
            struct.pack_into('<I', device.config, addr, ones)
        return device
    return make


def poke(offset, data):
    def change(device):
        device.config[offset:offset + len(data)] = data
    return change


def bars(**registers):
    """bars(x10=(writable, ones))"""
    def change(device):
        device.bars = {int(name[1:], 16): bits
                       for name, bits in registers.items()}
    return change


def all_kinds(device):
    """4 KiB of memory, 32 ports, 1 MiB of memory anywhere, a ROM of 64 KiB."""
    bars(x10=(0xfffff000, 0), x14=(0xffffffe0, 1), x18=(0xfff00000, 0xc),
         x1c=(0xffffffff, 0), x30=(0xffff0001, 0))(device)


WRONG_SHAPES = {
    'no_device': (poke(0, b'\xff\xff'), 'has no device to show'),
    'bridge': (poke(0xe, b'\x01'), r'has a bridge \(header type 1\)'),
    'multifunction_bridge': (poke(0xe, b'\x82'),
                             r'has a bridge \(header type 2\)'),
    'pin_after_intd': (poke(0x3d, b'\x05'), 'the interrupt pin is 5'),
    'pin_of_ones': (poke(0x3d, b'\xff'), 'the interrupt pin is 255'),
    'bar_with_holes': (bars(x10=(0xff0ff000, 0)),
                       'region 0 has 0xf01000 bytes'),
    'bar_of_nothing': (bars(x14=(0, 8)), 'region 1 has 0x0 bytes'),
    'ports_with_holes': (bars(x18=(0xffffffa0, 1)),
                         'region 2 has 0x60 bytes'),
    'last_bar_of_64_bits': (bars(x24=(0xfffff000, 4)),
                            'the last BAR has 64 bits'),
    '64_bits_with_holes': (bars(x10=(0xfff00000, 4), x14=(0xffff00ff, 0)),
                           'region 0 has 0xff0000100000 bytes'),
    '64_bits_too_large': (bars(x10=(0, 4), x14=(0x80000000, 0)),
                          'region 0 has 0x8000000000000000 bytes'),
    'rom_too_large': (bars(x30=(0xfe000001, 0)),
                      'region 6 has 0x2000000 bytes'),
    'rom_with_holes': (bars(x30=(0xff0f0001, 0)),
                       'region 6 has 0xf10000 bytes'),
}


class Shapes(Case):
    def refused(self, words, *lie, change=all_kinds):
        main = self.start(*lie, remote=device_of(change))
        status, lines = main.end()
        self.assertEqual(status, 1, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], 'x-pci-proxy-dev.*' + words)

    def test_every_kind_of_region_is_where_the_guest_puts_it(self):
        main = self.start(remote=device_of(all_kinds)).run()
        for offset, value in ((0x10, BAR), (0x14, 0xc001), (0x18, 0xc),
                              (0x1c, 8), (ROM, 0xfd000001), (4, 7)):
            main.config_write(offset, value)
        main.remote.accesses.clear()
        for command in ('readl 0xfe000ffc', 'inw 0xc01e', 'outb 0xc000 1',
                        'readq 0x8000ffff8', 'writew 0x800000002 1',
                        'readl 0xfd00fffc'):
            main.command(command)
        read, write = wire.BAR_READ, wire.BAR_WRITE
        self.assertEqual(main.remote.accesses, [
            (read, 0xfe000ffc, 4, 1), (read, 0xc01e, 2, 0),
            (write, 0xc000, 1, 0), (read, 0x8000ffff8, 8, 1),
            (write, 0x800000002, 2, 1), (read, 0xfd00fffc, 4, 1)])
        # One more, and it is nobody's.
        for command, nothing in (('readl 0xfe001000', 0xffffffff),
                                 ('inw 0xc020', 0xffff),
                                 ('readl 0x800100000', 0xffffffff),
                                 ('readl 0xfd010000', 0xffffffff)):
            self.assertEqual(main.command(command), nothing)
        self.assertEqual(len(main.remote.accesses), 6)
        self.assertEqual(main.end(), (0, []))

    def test_each_answer_in_time_but_not_all(self):
        devices = []

        def slow(*args):
            devices.append(Device(*args))
            truth = devices[0].truth

            def later(*request):
                time.sleep(0.1)
                return truth(*request)
            devices[0].truth = later
            return devices[0]
        # 150 ms are given each; on a busy machine one may take longer.
        main = self.start('late', 999, remote=slow)
        status, lines = main.end()
        self.assertEqual(status, 1, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], 'takes too long to say what the device is'
                         '|did not answer within 150 ms')
        self.assertLess(devices[0].requests, 15)


def add_shapes():
    for name, (change, words) in WRONG_SHAPES.items():
        def shape(self, change=change, words=words):
            self.refused(words, change=change)
        setattr(Shapes, f'test_{name}', shape)
    # Five questions, then four each register: the fourth is of 64 bits.
    for at in range(13, 21):
        def step(self, at=at):
            self.refused('it closed the connection', 'end', at)
        setattr(Shapes, f'test_end_at_step_{at}_of_64_bits', step)


class Options(Case):
    """Who can have a proxy, and what cannot be changed later."""

    def refused(self, words, *args):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            done = subprocess.run(
                [proxy.PROGRAM, *args, '-nodefaults', '-device',
                 f'x-pci-proxy-dev,fd={theirs.fileno()}'],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=wire.LIMIT,
                check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_machine_without_a_guest(self):
        self.refused("machine 'x-remote' has no guest", '-machine', 'x-remote')

    def test_memory_that_cannot_be_shared(self):
        for backend in ('memory-backend-ram', 'memory-backend-memfd,share=off'):
            self.refused('guest RAM cannot be shared', '-accel', 'qtest',
                         '-display', 'none', '-m', '32M', '-object',
                         f'{backend},id=ram,size=32M', '-machine',
                         'q35,memory-backend=ram')

    def test_connection_cannot_be_changed_later(self):
        main = self.start().run()
        self.assertIsNone(main.qmp.execute('qom-get', path='dev',
                                           property='socket'))
        with self.assertRaisesRegex(Refused, "'socket' cannot be changed"):
            main.qmp.execute('qom-set', path='dev', property='socket',
                             value={'type': 'unix', 'path': '/tmp/x'})
        self.assertIsNone(main.qmp.execute('qom-get', path='dev',
                                           property='socket'))
        self.assertEqual(main.config_read(0), 0x11e81234)
        self.assertEqual(main.end(), (0, []))


class Path(Case):
    """Proxies that know their device's process by a path."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'device')
        self.socket = f'socket.type=unix,socket.path={self.path}'
        self.devices = []           # each serves one connection
        self.changes = []           # what is done to each before it serves
        self.listener = None
        self.listen()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, args=[self.listener],
                         daemon=True).start()
        self.addCleanup(self.stop_listening)

    def accept(self, listener):
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            device = Device(end)
            if len(self.devices) < len(self.changes):
                self.changes[len(self.devices)](device)
            self.devices.append(device)
            device.start()

    def stop_listening(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
            os.unlink(self.path)

    def lose(self, main, number=0):
        self.devices[number].link.socket.shutdown(socket.SHUT_RDWR)
        main.qmp.event(GONE, wire.LIMIT)

    def next_is_held(self, number):
        until(lambda: len(self.devices) > number, 'another connection')
        self.assertTrue(self.devices[number].held.wait(wire.LIMIT))
        return self.devices[number]


def hold_first(device):
    device.hold_at = 0


class Return(Path):
    def main(self, machine='q35'):
        main = self.start(machine=machine,
                          device=f'{self.socket},reconnect-ms=2').run()
        main.enable()
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        return main

    def ends(self, main, *words):
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), len(words), lines)
        for line, wanted in zip(lines, words):
            self.assertIn(wanted, line)

    def test_unplugged_while_the_next_is_asked(self):
        self.changes = [lambda device: None, hold_first]
        main = self.main('pc')
        self.lose(main)
        held = self.next_is_held(1)
        main.command('outl 0xae08 0x10')
        main.qmp.event('DEVICE_DELETED', wire.LIMIT)
        held.gate.set()
        held.join(wire.LIMIT)
        self.assertFalse(held.is_alive())
        self.assertEqual(main.config_read(0), 0xffffffff)
        self.assertEqual(len(self.devices), 2)
        self.ends(main, 'is gone')

    def test_guest_moves_the_bar_while_the_next_is_asked(self):
        new = 0xfd000000
        self.changes = [lambda device: None, hold_first]
        main = self.main()
        self.lose(main)
        held = self.next_is_held(1)
        main.config_write(0x10, new)
        held.gate.set()
        main.qmp.event(BACK, wire.LIMIT)
        # It was told the old, and at last the new.
        told = [val for addr, val in held.writes if addr == 0x10]
        self.assertIn(BAR, told)
        self.assertEqual((told.count(new), told[-1]), (1, new))
        self.assertEqual(main.command(f'readl {new:#x}'), 0x5a)
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0xffffffff)
        self.assertEqual(len(self.devices), 2)
        self.ends(main, 'is gone', 'is back')

    def test_next_that_dies_while_it_is_programmed(self):
        def dies(device):
            device.end_at_write = 0xc
        self.changes = [lambda device: None, dies, dies, dies]
        main = self.main()
        self.lose(main)
        main.qmp.event(BACK, wire.LIMIT)
        self.assertEqual(len(self.devices), 5)
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        # Three failures, told once.
        self.ends(main, 'is gone', 'did not take a write: it closed',
                  'is back')

    def test_next_of_another_shape(self):
        def larger(device):
            device.bars[0x10] = (0xfffe0000, 0)
        self.changes = [lambda device: None, larger, larger]
        main = self.main()
        self.lose(main)
        main.qmp.event(BACK, wire.LIMIT)
        self.assertEqual(len(self.devices), 4)
        self.ends(main, 'is gone', 'or has other regions', 'is back')

    def test_nobody_listens_for_a_while(self):
        main = self.main()
        self.stop_listening()
        self.lose(main)
        # The proxy looks now and then; nobody is told of it.
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            self.assertEqual(main.command(f'readl {BAR:#x}'), 0xffffffff)
        main.qmp.execute('query-status')
        self.assertEqual(main.qmp.events, [])
        self.listen()
        main.qmp.event(BACK, wire.LIMIT)
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        self.ends(main, 'is gone', 'is back')


class Wish(Case):
    """The device's process wants it to be unplugged."""

    def make(self, *args):
        device = Device(*args)
        device.padding = KNOWS_UNPLUG
        return device

    def wish(self, main):
        fd = main.remote.unplug_fd
        os.eventfd_write(fd, 1)
        until(lambda: not select.select([fd], [], [], 0)[0], 'it is heard')

    def test_where_it_can_be(self):
        main = self.start(machine='pc', remote=self.make).run()
        until(lambda: main.remote.unplug_fd, 'the descriptor')
        self.wish(main)
        # The guest is asked, and agrees.
        self.assertEqual(main.command('inl 0xae04'), 1 << 4)
        main.command('outl 0xae08 0x10')
        main.qmp.event('DEVICE_DELETED', wire.LIMIT)
        main.remote.join(wire.LIMIT)
        self.assertFalse(main.remote.is_alive())
        os.close(main.remote.unplug_fd)
        self.assertEqual(main.end(), (0, []))

    def test_where_it_cannot_be(self):
        main = self.start(remote=self.make).run()
        main.enable()
        until(lambda: main.remote.unplug_fd, 'the descriptor')
        self.wish(main)
        self.assertEqual(main.config_read(0), 0x11e81234)
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        os.close(main.remote.unplug_fd)
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn('process asks for it to be unplugged', lines[0])

    def test_without_end(self):
        """One that asks all the time is told of once, and takes no time."""
        main = self.start(remote=self.make).run()
        main.enable()
        until(lambda: main.remote.unplug_fd, 'the descriptor')
        self.wish(main)
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    os.eventfd_write(main.remote.unplug_fd, 1)
                except BlockingIOError:
                    pass
        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        # Long enough that it is heard a second time.
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        stop.set()
        asker.join()
        os.close(main.remote.unplug_fd)
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), 1, lines[:9])
        self.assertIn('process asks for it to be unplugged', lines[0])


class Deaf(Case):
    """The device's process reads nothing for a while."""

    def make(self, *args):
        device = Device(*args)
        device.listens = threading.Event()
        device.listens.set()

        def serve():
            device.listens.wait(3 * wire.LIMIT)
            return Device.serve(device)
        device.serve = serve
        return device

    def test_machine_goes_on_without_it(self):
        main = self.start(remote=self.make).run()
        main.enable()
        main.remote.listens.clear()
        tables = main.qmp.execute('x-query-remote')[0]['memory-tables']
        main.command('outl 0xcf8 0x80000090')
        for number in range(1000):
            main.command(f'outb 0xcfd {0x33 * (number & 1):#x}')
        link, = main.qmp.execute('x-query-remote')
        self.assertEqual(link['state'], 'connected')
        self.assertLess(link['memory-tables'] - tables, 64)
        main.remote.listens.set()
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        self.assertEqual(main.end(), (0, []))


class Route(unittest.TestCase):
    """The guest has the interrupt delivered elsewhere."""

    def test_who_had_the_descriptors_before_is_neither_asked_nor_heard(self):
        main = Main(machine='pc', remote=Device).run()
        main.enable()
        irqfds = main.remote.irqfds
        pairs = [irqfds.get(timeout=wire.LIMIT)]
        for gsi in 10, 9, 10:
            # A write to it would never end.
            irqfd, resamplefd = pairs[-1]
            wire.taken(resamplefd)
            os.set_blocking(resamplefd, True)
            os.eventfd_write(resamplefd, (1 << 64) - 2)
            main.command('outl 0xcf8 0x80000860')
            main.command(f'outl 0xcfc {gsi * 0x01010101:#x}')
            pairs.append(irqfds.get(timeout=wire.LIMIT))
            link, = main.qmp.execute('x-query-remote')
            self.assertEqual((link['state'], link['gsi']), ('connected', gsi))
            # The new pair asks whether the level is high.
            self.assertEqual(os.eventfd_read(pairs[-1][1]), 1)
            os.eventfd_write(irqfd, 1)
            self.assertFalse(wire.taken(pairs[-1][0]))
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        for fd in itertools.chain(*pairs):
            os.close(fd)
        self.assertEqual(main.end(), (0, []))


class Descriptors(Path):
    """The host has none left."""

    def limit(self, main, most=None):
        """Descriptors have numbers below most, or that of the first that is
        free; returns what was."""
        if most is None:
            opened = self.opened(main)
            most = next(n for n in range(4096) if n not in opened)
        pid = main.process.pid
        was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, was[1]))
        return was[0]

    def opened(self, main):
        return sorted(map(int, os.listdir(f'/proc/{main.process.pid}/fd')))

    def test_for_a_new_memory_table(self):
        main = self.start().run()
        main.enable()
        was = self.limit(main)
        main.command('outl 0xcf8 0x80000090')
        main.command('outb 0xcfd 0x33')         # RAM at 0xc0000
        event = main.qmp.event(GONE, wire.LIMIT)
        self.limit(main, was)
        words = 'no descriptors left for SYNC_SYSMEM'
        self.assertIn(words, event['data']['reason'])
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0xffffffff)
        main.command('writel 0xc0000 0x12345678')
        self.assertEqual(main.command('readl 0xc0000'), 0x12345678)
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(words, lines[0])

    def test_for_a_new_route(self):
        def route(line):
            main.command('outl 0xcf8 0x80000860')
            main.command(f'outl 0xcfc {line * 0x01010101:#x}')
            return main.qmp.execute('x-query-remote')[0]['gsi']

        main = self.start(machine='pc').run()
        main.enable()
        self.assertEqual(route(10), 10)
        self.assertEqual(route(9), 9)
        self.assertEqual(route(0x80), -1)
        was = self.limit(main)
        for _ in range(10):                     # told once
            self.assertEqual(route(11), -1)
            self.assertEqual(route(10), -1)
        self.limit(main, was)
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        self.assertEqual(route(5), 5)
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn('no interrupts: cannot have them delivered at GSI 11',
                      lines[0])

    def test_for_a_new_device(self):
        """From none to enough: refused cleanly, each time."""
        main = self.start(machine='pc', device='').run()
        before = self.opened(main)
        reasons = []
        # Fewer than it has would be none that poll() takes.
        for most in range(len(before), before[-1] + 20):
            was = self.limit(main, most)
            try:
                main.qmp.execute('device_add', driver='x-pci-proxy-dev',
                                 id='dev', addr='4', socket={
                                     'type': 'unix', 'path': self.path})
                break
            except Refused as error:
                reasons.append(str(error))
            finally:
                self.limit(main, was)
            until(lambda: self.opened(main) == before, 'all are closed')
        else:
            self.fail(reasons)
        self.assertEqual(main.config_read(0), 0x11e81234)
        for words in 'create a socket: Too many', 'no eventfd for the device':
            self.assertTrue(any(words in text for text in reasons), reasons)
        self.assertEqual(main.qmp.events, [])
        self.assertEqual(main.end(), (0, []))

    def test_for_one_that_comes_back(self):
        self.changes = [lambda device: None, hold_first]
        main = self.start(device=f'{self.socket},reconnect-ms=2').run()
        main.enable()
        self.lose(main)
        held = self.next_is_held(1)
        # The old connection's will be free: enough to watch the new one.
        was = self.limit(main)
        held.gate.set()
        main.qmp.event(BACK, wire.LIMIT)
        event = main.qmp.event(GONE, wire.LIMIT)
        self.assertIn('no descriptors left', event['data']['reason'])
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0xffffffff)
        self.limit(main, was)
        main.qmp.event(BACK, wire.LIMIT)
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), 5, lines)
        for line, words in zip(lines, (
                'is gone', 'no interrupts: cannot have them delivered',
                'is back', 'no descriptors left for ', 'is back')):
            self.assertIn(words, line)


if __name__ == '__main__':
    arguments = tap.parser(__doc__, 'Shapes.test_bridge').parse_args()
    proxy.PROGRAM = arguments.program
    add_shapes()
    sys.exit(tap.run_own(arguments.only))
