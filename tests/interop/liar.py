#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A remote process whose peers lie, stall and read no answers: each costs its
own link.  No guest, no KVM."""
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.pair import listens  # noqa: E402
import remote  # noqa: E402
import wire  # noqa: E402
from remote import (  # noqa: E402
    BAR, EDU_BUFFER, EDU_CMD, EDU_COUNT, EDU_DST, EDU_ID,
    EDU_LIVENESS, EDU_SRC, PAGE)
from wire import ONES, Remote, until  # noqa: E402


class Liar(remote.Case):
    """Every lie closes its link with one line, and the other goes on."""
    devices = ['edu', 'edu']

    def refused(self, words, data, fds=()):
        self.link.send_raw(data, fds)
        self.assertTrue(self.link.is_closed())
        self.expect = [words]
        other = self.remote.links[1]
        self.enable(other)
        self.assertEqual(other.read(BAR + EDU_ID), 0x010000ed)


def lie(name, words, make):
    def test(self):
        data, fds = make(self)
        self.refused(words, data, fds)
    setattr(Liar, 'test_' + name, test)


def plain(cmd, payload):
    message = wire.header(cmd, len(payload)) + payload
    return lambda case: (message, ())


for bad in -1, 10, 11, 0x7fffffff, -0x80000000:
    lie(f'command_{bad}', 'unknown command', plain(bad, b''))
for cmd, right in ((0, 192), (2, 12), (3, 12), (4, 24), (5, 24)):
    for size in {0, 1, right - 1, right + 1, 192} - {right}:
        if size <= 192:
            lie(f'command_{cmd}_with_{size}_bytes', 'with a payload of',
                plain(cmd, b'\0' * size))
for cmd in 6, 7, 8:
    lie(f'command_{cmd}_with_a_payload', 'with a payload of',
        plain(cmd, b'\0' * 8))
for size in 193, 1 << 20, 1 << 63, ONES:
    lie(f'size_{size:#x}', 'no message',
        lambda case, size=size: (wire.header(3, size), ()))
lie('an_answer_as_request', 'RET is no request', plain(wire.RET, b'\0' * 8))
for length in 0, 3, 5, 8, -4, 0x7fffffff:
    lie(f'config_read_of_{length}', 'PCI_CFGREAD of',
        plain(wire.CFGREAD, wire.conf(0, length)))
    lie(f'config_write_of_{length}', 'PCI_CFGWRITE of',
        plain(wire.CFGWRITE, wire.conf(0, length)))
for size in 0, 3, 5, 16, 0xffffffff:
    lie(f'bar_read_of_{size}', 'BAR_READ of',
        plain(wire.BAR_READ, wire.bar(0, size)))
    lie(f'bar_write_of_{size}', 'BAR_WRITE of',
        plain(wire.BAR_WRITE, wire.bar(0, size)))
for space in 2, 255:
    lie(f'bar_in_space_{space}', 'neither 0 nor 1',
        plain(wire.BAR_READ, wire.bar(0, 4, memory=space)))


def some_fds(case, kinds):
    fds = []
    for kind in kinds:
        if kind == 'memory':
            fds.append(wire.memfd(4 * PAGE))
        elif kind == 'event':
            fds.append(wire.eventfd())
        elif kind == 'pipe':
            fds += os.pipe()[:1]
        elif kind == 'full':
            fds.append(os.open('/dev/full', os.O_RDWR))
        elif kind == 'epoll':
            with select.epoll() as epoll:
                fds.append(os.dup(epoll.fileno()))
        elif kind == 'socket':
            fds.append(socket.socket(socket.AF_UNIX).detach())
        elif kind == 'folder':
            fds.append(os.open('/', os.O_RDONLY))
        elif kind == 'readonly':
            with tempfile.TemporaryFile() as file:
                file.truncate(4 * PAGE)
                fds.append(os.open(f'/proc/self/fd/{file.fileno()}',
                                   os.O_RDONLY))
    case.fds += fds
    return fds


def with_fds(cmd, payload, *kinds):
    return lambda case: (wire.header(cmd, len(payload)) + payload,
                         some_fds(case, kinds))


one = wire.table([(0, PAGE, 0)])
lie('memory_without_descriptor', 'with 0 descriptors',
    plain(wire.SYNC_SYSMEM, one))
lie('memory_with_nine_descriptors', 'receiving failed',
    with_fds(wire.SYNC_SYSMEM, one, *['memory'] * 9))
for kind, words in (('event', 'no memory'), ('pipe', 'no memory'),
                    ('socket', 'no memory'), ('folder', 'no memory'),
                    ('full', 'no memory'), ('readonly', 'cannot map')):
    lie(f'memory_that_is_{kind}', words,
        with_fds(wire.SYNC_SYSMEM, one, kind))
for name, row, words in (
        ('too_large', (0, 5 * PAGE, 0), 'needs'),
        ('too_far', (0, PAGE, 4 * PAGE), 'needs'),
        ('empty', (0, 0, 0), 'whole pages'),
        ('odd_size', (0, PAGE + 1, 0), 'whole pages'),
        ('odd_address', (1, PAGE, 0), 'whole pages'),
        ('odd_offset', (0, PAGE, 512), 'whole pages'),
        ('wrapping_address', ((1 << 64) - PAGE, 2 * PAGE, 0), 'wraps'),
        ('wrapping_offset', (0, 2 * PAGE, (1 << 64) - PAGE), 'wraps'),
        ('huge', (0, (1 << 63) + PAGE, 0), 'needs')):
    lie(f'memory_{name}', words,
        with_fds(wire.SYNC_SYSMEM, wire.table([row]), 'memory'))
lie('memory_that_overlaps', 'overlap',
    with_fds(wire.SYNC_SYSMEM,
             wire.table([(0, 2 * PAGE, 0), (PAGE, PAGE, 0)]),
             'memory', 'memory'))
for count in 0, 1, 3:
    lie(f'irqfd_with_{count}_descriptors', f'with {count} descriptors',
        with_fds(wire.SET_IRQFD, b'', *['event'] * count))
for kind in 'memory', 'pipe', 'socket', 'full', 'epoll', 'folder':
    lie(f'irqfd_that_is_{kind}', 'no eventfd',
        with_fds(wire.SET_IRQFD, b'', 'event', kind))
for count in 0, 2:
    lie(f'unplugfd_with_{count}_descriptors', f'with {count} descriptors',
        with_fds(wire.SET_UNPLUGFD, b'', *['event'] * count))
for kind in 'memory', 'pipe', 'socket', 'full', 'epoll', 'folder':
    lie(f'unplugfd_that_is_{kind}', 'no eventfd',
        with_fds(wire.SET_UNPLUGFD, b'', kind))
for cmd, payload in ((wire.CFGREAD, wire.conf(0, 4)), (wire.RESET, b''),
                     (wire.BAR_READ, wire.bar(0, 4))):
    lie(f'command_{cmd}_with_a_descriptor', 'descriptors',
        with_fds(cmd, payload, 'event'))


class Stall(remote.Case):
    devices = ['edu', 'edu']

    def test_truncation_at_each_byte(self):
        message = wire.header(wire.BAR_READ, 24) + wire.bar(BAR, 4)
        self.link.close()
        for cut in range(1, len(message)):
            cut_off = Remote(remote.PROGRAM, ['edu'])
            cut_off.links[0].send_raw(message[:cut])
            cut_off.links[0].socket.shutdown(socket.SHUT_WR)
            self.assertTrue(cut_off.links[0].is_closed())
            status, text = cut_off.end()
            self.assertEqual(status, 0, text)
            self.assertIn('no message', text)

    def test_half_a_message_and_silence_stops_only_its_link(self):
        self.link.send_raw(wire.header(wire.BAR_READ, 24) + b'\0' * 5)
        other = self.remote.links[1]
        self.enable(other)
        for number in range(100):
            other.write(BAR + EDU_LIVENESS, number)
        self.expect = ['no message']

    def test_answers_that_nobody_reads_stop_only_their_link(self):
        message = wire.header(wire.CFGREAD, 12) + wire.conf(0, 4)
        self.link.socket.setblocking(False)
        try:
            while True:
                self.link.socket.send(message * 50)
        except BlockingIOError:
            pass
        other = self.remote.links[1]
        self.enable(other)
        for number in range(100):
            other.write(BAR + EDU_LIVENESS, number)
        self.assertEqual(other.read(BAR + EDU_LIVENESS), 0xffffff9c)
        # What was cut off in the flood is an error, or is not noticed when
        # the answers cannot be delivered first.
        self.link.close()
        other.close()
        _, text = self.remote.process.communicate(timeout=wire.LIMIT)
        self.assertLessEqual(len(text.splitlines()), 1, text)
        self.remote.end = lambda: (self.remote.process.returncode, '')

    def test_answers_that_nobody_reads_end_the_link(self):
        message = wire.header(wire.CFGREAD, 12) + wire.conf(0, 4)
        self.link.socket.setblocking(False)
        begin = time.monotonic()
        poll = select.poll()
        poll.register(self.link.socket, 0)      # its end alone
        while not poll.poll(10):
            try:
                self.link.socket.send(message * 50)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
            self.assertLess(time.monotonic() - begin, 6 * wire.LIMIT)
        # Ten seconds are given, and the other link was served meanwhile.
        self.assertGreater(time.monotonic() - begin, 9)
        self.expect = ['a reply could not be sent: Connection timed out']
        self.enable(self.remote.links[1])
        self.assertEqual(self.remote.links[1].read(BAR), 0x010000ed)

    def test_devices_of_two_links_are_apart(self):
        mine, = self.memory((0, PAGE))
        other = self.remote.links[1]
        self.enable()
        self.enable(other)
        self.link.write(BAR + EDU_LIVENESS, 1)
        other.write(BAR + EDU_LIVENESS, 2)
        self.assertEqual(self.link.read(BAR + EDU_LIVENESS), 0xfffffffe)
        os.pwrite(mine, b'mine', 0)
        # The other link has no memory: its device reads ones.
        for reg, val in (EDU_SRC, 0), (EDU_DST, EDU_BUFFER), (EDU_COUNT, 4):
            other.write(BAR + reg, val, 8)
        other.write(BAR + EDU_CMD, 1, 8)
        until(lambda: not other.read(BAR + EDU_CMD, 8) & 1, 'end of DMA')
        for reg, val in (EDU_SRC, EDU_BUFFER), (EDU_DST, 0):
            other.write(BAR + reg, val, 8)
        other.write(BAR + EDU_CMD, 3, 8)
        until(lambda: not other.read(BAR + EDU_CMD, 8) & 1, 'end of DMA')
        self.assertEqual(os.pread(mine, 4, 0), b'mine')


class Again(unittest.TestCase):
    """A liar who comes back is told of now and then, not each time."""

    def test_again_and_again(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'link')
            process = subprocess.Popen(
                [remote.PROGRAM, '-machine', 'x-remote', '-nodefaults',
                 '-device', 'edu,id=dev', '-object', 'x-remote-object,id=link,'
                 'devid=dev,auto-shutdown=off,socket.type=unix,'
                 f'socket.path={path}', *wire.sandbox()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.kill)
            until(lambda: listens(path), 'the path')
            begin = time.monotonic()
            for number in range(101):
                end = socket.socket(socket.AF_UNIX)
                end.connect(path)
                link = wire.Link(end)
                if number == 100:
                    self.assertEqual(link.config_read(0), 0x11e81234)
                else:
                    link.send(99)
                    self.assertTrue(link.is_closed())
                link.close()
            process.terminate()
            _, text = process.communicate(timeout=wire.LIMIT)
        lines = [line for line in text.splitlines()
                 if 'unknown command 99; the link is closed' in line]
        self.assertEqual(process.returncode, 0, text)
        self.assertGreaterEqual(len(lines), 16, text)
        # One more each ten seconds, on a machine that is that slow.
        self.assertLessEqual(len(lines), 17 + (time.monotonic() - begin) / 10,
                             text)


class SlowDisk(remote.Case):
    """A reset waits for what the disk is at."""

    def setUp(self):
        self.expect, self.fds = [], []
        self.remote = Remote(
            remote.PROGRAM, ['nvme,serial=1,drive=disk', 'edu'],
            more=['-drive', 'if=none,id=disk,driver=null-co,size=1M,'
                  'latency-ns=1000000000'])
        self.link = self.remote.links[0]
        self.enable()
        self.ram, = self.memory((0, 16 * PAGE))

    def command(self, queue, number, opcode, namespace, data, *dwords):
        os.pwrite(self.ram, struct.pack(
            '<HHI16xQ8x6I', opcode, number, namespace, data,
            *dwords, *[0] * (6 - len(dwords))), queue + 64 * number)

    def start_read(self):
        for at, value, size in ((0x24, 0x000f000f, 4), (0x28, PAGE, 8),
                                (0x30, 2 * PAGE, 8), (0x14, 0x460001, 4)):
            self.link.write(BAR + at, value, size)
        self.command(PAGE, 0, 5, 0, 3 * PAGE, 0x000f0001, 1)
        self.command(PAGE, 1, 1, 0, 4 * PAGE, 0x000f0001, 0x00010001)
        self.link.write(BAR + 0x1000, 2)
        until(lambda: os.pread(self.ram, 2, 2 * PAGE + 30) == b'\1\0',
              'queues')
        self.command(4 * PAGE, 0, 2, 1, 8 * PAGE, 0)
        self.link.write(BAR + 0x1008, 1)

    def test_flood_of_resets_stops_only_its_link(self):
        self.start_read()
        self.link.socket.setblocking(False)
        resets = wire.header(wire.RESET, 0) * 256
        poll = select.poll()
        poll.register(self.link.socket, select.POLLOUT)
        for _ in range(1000):
            if not poll.poll(200):
                break
            try:
                self.assertEqual(self.link.socket.send(resets), len(resets))
            except BlockingIOError:
                pass
        other = self.remote.links[1]
        self.enable(other)
        self.assertEqual(other.read(BAR + EDU_ID), 0x010000ed)

    def scribble_while_it_resets(self, mailbox):
        """False: on a busy machine, only after that."""
        self.enable()
        self.memory((0, 16 * PAGE))
        self.ram = self.fds[-1]
        self.start_read()
        mailbox.post(wire.RESET, b'')
        self.link.send(wire.CFGREAD, wire.conf(0, 4))   # it may sleep
        until(lambda: mailbox.state in (mailbox.TAKEN, mailbox.ANSWERED),
              'reset')
        mailbox.state = 7
        try:
            self.link.receive()
            self.link.config_read(0)
        except wire.Gone:
            return True
        mailbox.state = mailbox.EMPTY
        return False

    def test_mailbox_that_is_scribbled_on_while_it_resets(self):
        mailbox = wire.Mailbox()
        self.addCleanup(mailbox.close)
        self.link.send(wire.SET_MAILBOX, b'', [mailbox.fd])
        limit = time.monotonic() + 60
        while not self.scribble_while_it_resets(mailbox):
            self.assertLess(time.monotonic(), limit)
        self.expect = ['nonsense in the mailbox']


if __name__ == '__main__':
    args = tap.parser(__doc__, 'Liar.test_memory_huge').parse_args()
    remote.PROGRAM = args.program
    sys.exit(tap.run_own(args.only))
