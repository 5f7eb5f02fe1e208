#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy whose remote process lies to it, is silent, or goes away: the machine
goes on, the access is released, the operator is told once.  No guest, no KVM."""
import os
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
from mpqemu_test.qmp import Qmp  # noqa: E402
import wire  # noqa: E402

PROGRAM = None
BAR = 0xfe000000
SLOT = 0x80002000               # config address of 00:04.0


def ret(value=0, size=8, cmd=wire.RET):
    return wire.header(cmd, size) + struct.pack('<Q', value)[:size]


# What is answered instead of the truth: bytes and descriptors, or None for the
# end of the connection.  No bytes: silence.
LIES = {
    'a-request': (ret(cmd=wire.CFGREAD), 0),
    'a-whole-request': (wire.header(wire.CFGREAD, 12) + wire.conf(0, 4), 0),
    'unknown-command': (ret(cmd=99), 0),
    'negative-command': (ret(cmd=-1), 0),
    'short-value': (ret(size=4), 0),
    'no-value': (wire.header(wire.RET, 0), 0),
    'long-value': (wire.header(wire.RET, 16) + bytes(16), 0),
    'huge-size': (wire.header(wire.RET, 1 << 40), 0),
    'largest-size': (wire.header(wire.RET, wire.ONES), 0),
    'memory-table': (wire.header(wire.SYNC_SYSMEM, 192) + bytes(192), 0),
    'text': (b'HTTP/1.1 400 Bad Request\r\n\r\nno\r\n', 0),
    'half-a-header': (ret()[:8], 0),
    'half-a-value': (ret()[:20], 0),
    'one-descriptor': (ret(), 1),
    'eight-descriptors': (ret(), 8),
    'silence': (b'', 0),
    'end': (None, 0),
}
# Those that only time shows, and what the proxy allows for them: a probe may be
# refused early, but a machine must not lose its device to a busy host before
# the lie is told.
SLOW = {'silence', 'half-a-header', 'half-a-value', 'late'}
PROBE_MS, LATER_MS, ENOUGH_MS = 150, 1000, 10000
# RESET is answered without a value.
TRUE_OF_RESET = {'no-value'}


class FakeRemote(threading.Thread):
    """Plays a device with one memory BAR until its time to lie comes.

    lie: name in LIES; at: the number of the request, or its command;
    timeout: of the proxy, in ms
    """

    def __init__(self, end, timeout, lie=None, at=None):
        super().__init__(daemon=True)
        self.link = wire.Link(end)
        self.link.socket.settimeout(None)
        self.timeout, self.lie, self.at = timeout, lie, at
        self.armed = isinstance(at, int) and at < 0x1000
        self.requests = 0
        self.config = bytearray(256)
        struct.pack_into('<HH', self.config, 0, 0x1234, 0x11e8)
        struct.pack_into('<I', self.config, 8, 0x00ff0010)
        self.config[0x3d] = 1

    def run(self):
        try:
            while self.serve():
                pass
        except (wire.Gone, OSError):
            pass
        self.link.close()

    def serve(self):
        cmd, payload = self.link.receive()
        if cmd in (wire.SYNC_SYSMEM, wire.SET_IRQFD):
            return True
        number, self.requests = self.requests, self.requests + 1
        if self.armed and self.at in (number, cmd + 0x1000):
            self.armed = False
            return self.tell_lie(cmd, payload)
        self.link.send_raw(self.truth(cmd, payload))
        return True

    def tell_lie(self, cmd, payload):
        if self.lie == 'late':
            time.sleep(2 * self.timeout / 1000)
            self.link.send_raw(self.truth(cmd, payload))
            return True
        data, count = LIES[self.lie]
        if data is None:
            return False
        fds = [os.dup(2) for _ in range(count)]
        if data:
            self.link.send_raw(data, fds)
        for fd in fds:
            os.close(fd)
        return True

    def truth(self, cmd, payload):
        if cmd == wire.RESET:
            return wire.header(wire.RET, 0)
        value = 0
        if cmd in (wire.CFGREAD, wire.CFGWRITE):
            addr, val, length = struct.unpack('<IIi', payload)
            if cmd == wire.CFGWRITE and addr == 0x10 and length == 4:
                struct.pack_into('<I', self.config, addr, val & 0xfffff000)
            value = int.from_bytes(self.config[addr:addr + length], 'little')
        elif cmd == wire.BAR_READ:
            value = 0x5a
        return ret(value)


class Main:
    """A machine with the proxy, driven by qtest."""

    def __init__(self, lie=None, at=None, machine='q35', remote=FakeRemote,
                 device=None):
        """remote: who plays the device's process; device: the proxy's
        properties if it has none, or nothing: no proxy"""
        timeout = ENOUGH_MS
        if lie in SLOW:
            timeout = LATER_MS if at is None else PROBE_MS
        ours, theirs = socket.socketpair()
        fds, ends = [theirs.fileno()], []
        if device is None:
            ends = socket.socketpair()
            self.remote = remote(ends[0], timeout, lie, at)
            self.remote.start()
            fds.append(ends[1].fileno())
            device = f'fd={ends[1].fileno()},timeout={timeout}'
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, 'qmp')
        self.process = subprocess.Popen([
            PROGRAM, '-machine', f'{machine},memory-backend=ram', '-m', '32M',
            '-object', 'memory-backend-memfd,id=ram,size=32M',
            '-accel', 'qtest', '-display', 'none', '-nodefaults',
            '-chardev', f'socket,fd={theirs.fileno()},id=test',
            '-qtest', 'chardev:test', '-qtest-log', 'none',
            '-qmp', f'unix:{path},server=on,wait=off',
            *(['-device', f'x-pci-proxy-dev,id=dev,addr=4.0,{device}']
              if device else [])],
            pass_fds=fds, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)
        theirs.close()
        for end in ends[1:]:
            end.close()
        ours.settimeout(wire.LIMIT)
        self.test = ours
        self.lines = ours.makefile('r')
        self.path = path
        self.qmp = None

    def run(self):
        self.qmp = Qmp(self.path)
        return self

    def command(self, text):
        self.test.sendall(text.encode() + b'\n')
        answer = self.lines.readline().split()
        assert answer and answer[0] == 'OK', f'{text}: {answer}'
        return int(answer[1], 0) if len(answer) > 1 else None

    def config_read(self, offset):
        self.command(f'outl 0xcf8 {SLOT + offset:#x}')
        return self.command('inl 0xcfc')

    def config_write(self, offset, val):
        self.command(f'outl 0xcf8 {SLOT + offset:#x}')
        self.command(f'outl 0xcfc {val:#x}')

    def enable(self):
        self.config_write(0x10, BAR)
        self.config_write(4, 6)

    def end(self):
        """(exit status, lines of standard error)."""
        if self.qmp:
            self.qmp.execute('quit')
        try:
            _, text = self.process.communicate(timeout=wire.LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, text = self.process.communicate()
            text += 'TIMEOUT: the process did not end by itself\n'
        if self.qmp:
            self.qmp.close()
        self.lines.close()
        self.test.close()
        self.folder.cleanup()
        return self.process.returncode, text.splitlines()


def accesses(main):
    """What makes each request: its command and a function."""
    return {
        'config-read': (wire.CFGREAD, lambda: main.config_read(4)),
        'config-write': (wire.CFGWRITE, lambda: main.config_write(0x3c, 1)),
        'bar-read': (wire.BAR_READ, lambda: main.command(f'readl {BAR:#x}')),
        'bar-write': (wire.BAR_WRITE,
                      lambda: main.command(f'writel {BAR:#x} 1')),
        'reset': (wire.RESET, lambda: main.qmp.execute('system_reset')),
    }


class Probe(unittest.TestCase):
    """Lies while the proxy learns what the device is: it is refused."""

    def refused(self, lie, at):
        main = Main(lie, at)
        status, lines = main.end()
        self.assertEqual(status, 1, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn('x-pci-proxy-dev', lines[0])


def count_probe():
    main = Main().run()
    # The last is the first reset: the machine is already made.
    count = main.remote.requests - 1
    status, lines = main.end()
    assert (status, lines) == (0, []), lines
    return count


class Later(unittest.TestCase):
    """Lies to a machine that runs: it goes on without the device."""

    def lied_to(self, lie, access):
        main = Main(lie).run()
        main.enable()
        self.assertEqual(main.command(f'readl {BAR:#x}'), 0x5a)
        cmd, act = accesses(main)[access]
        main.remote.at = cmd + 0x1000
        main.remote.armed = True
        begin = time.monotonic()
        act()
        self.is_gone(main)
        self.assertLess(time.monotonic() - begin, wire.LIMIT / 2)

    def is_gone(self, main):
        self.wait_for_event(main)
        begin = time.monotonic()
        for _ in range(10):
            self.assertEqual(main.config_read(0), 0xffffffff)
            self.assertEqual(main.config_read(0x3c), 0xffffffff)
            main.command(f'writel {BAR:#x} 1')
            self.assertEqual(main.command(f'readl {BAR:#x}'), 0xffffffff)
        self.assertLess(time.monotonic() - begin, wire.LIMIT / 2)
        main.qmp.execute('system_reset')
        self.assertEqual(main.qmp.execute('query-status')['status'],
                         'running')
        time.sleep(0.01)
        main.qmp.execute('query-status')
        self.assertEqual(self.gone_events(main), ['dev'])
        # The other devices are there.
        main.command('outl 0xcf8 0x80000000')
        self.assertEqual(main.command('inl 0xcfc') & 0xffff, 0x8086)
        status, lines = main.end()
        self.assertEqual(status, 0, lines)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn('process is gone', lines[0])

    def gone_events(self, main):
        return [event['data'].get('device') for event in main.qmp.events
                if event['event'] == 'X_PCI_PROXY_DEV_GONE']

    def wait_for_event(self, main):
        end = time.monotonic() + wire.LIMIT
        while not self.gone_events(main):
            self.assertLess(time.monotonic(), end, 'no event')
            main.qmp.execute('query-status')

    def test_idle_end(self):
        main = Main().run()
        main.enable()
        main.remote.link.socket.shutdown(socket.SHUT_RDWR)
        self.is_gone(main)

    def test_honest_peer_is_kept(self):
        main = Main().run()
        main.enable()
        for cmd, act in accesses(main).values():
            act()
        main.qmp.execute('query-status')
        self.assertEqual(main.config_read(0), 0x11e81234)
        self.assertEqual(self.gone_events(main), [])
        self.assertEqual(main.end(), (0, []))


def add_tests():
    names = ('config-read', 'config-write', 'bar-read', 'bar-write', 'reset')
    for lie in list(LIES) + ['late']:
        for access in names:
            if access == 'reset' and lie in TRUE_OF_RESET:
                continue

            def later(self, lie=lie, access=access):
                self.lied_to(lie, access)
            setattr(Later, f'test_{lie}_to_{access}'.replace('-', '_'), later)

        def first(self, lie=lie):
            self.refused(lie, 0)
        setattr(Probe, f'test_first_answer_{lie}'.replace('-', '_'), first)
    for lie in 'end', 'silence', 'short-value':
        for at in range(1, count_probe()):
            def step(self, lie=lie, at=at):
                self.refused(lie, at)
            setattr(Probe, f'test_step_{at:02}_{lie}'.replace('-', '_'), step)


if __name__ == '__main__':
    args = tap.parser(__doc__, 'Later.test_idle_end').parse_args()
    PROGRAM = args.program
    add_tests()
    sys.exit(tap.run_own(args.only))
