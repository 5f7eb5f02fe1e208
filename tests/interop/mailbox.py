#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The mailbox of a link: what a device's process makes of one that its proxy
fills well and badly, and that both our halves use it.  No guest, no KVM."""
import os
import random
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
from mpqemu_test.qmp import Qmp  # noqa: E402
import proxy  # noqa: E402
import remote  # noqa: E402
import wire  # noqa: E402
from liar import plain, with_fds  # noqa: E402
from remote import BAR, EDU_ID, EDU_LIVENESS  # noqa: E402
from wire import Gone, Mailbox  # noqa: E402

ID = 0x010000ed
SCRIBBLES = 3000
SLOW = 60                       # seconds, for what takes luck on a busy machine


class Case(remote.Case):
    devices = ['edu', 'edu']

    def setUp(self):
        super().setUp()
        self.enable()
        self.mailbox = self.give()

    def give(self, **how):
        mailbox = Mailbox(**how)
        self.addCleanup(mailbox.close)
        self.link.send(wire.SET_MAILBOX, b'', [mailbox.fd])
        return mailbox

    def wake(self):
        """A device that sleeps looks when the socket wakes it."""
        self.link.config_read(0)

    def by_mailbox(self, cmd, payload):
        self.mailbox.post(cmd, payload)
        self.wake()
        return self.mailbox.answer()


class Honest(Case):
    def test_accesses(self):
        self.assertEqual(
            self.by_mailbox(wire.BAR_READ, wire.bar(BAR + EDU_ID, 4)), ID)
        self.by_mailbox(wire.BAR_WRITE,
                        wire.bar(BAR + EDU_LIVENESS, 4, 0x12345678))
        self.assertEqual(self.link.read(BAR + EDU_LIVENESS), 0xedcba987)
        self.by_mailbox(wire.CFGWRITE, wire.conf(0x3c, 1, 7))
        self.assertEqual(
            self.by_mailbox(wire.CFGREAD, wire.conf(0x3c, 1)), 7)

    def test_reset(self):
        self.by_mailbox(wire.RESET, b'')
        self.assertEqual(self.link.config_read(0x10), 0)

    def test_another_takes_its_place(self):
        old, self.mailbox = self.mailbox, self.give()
        self.wake()
        old.post(wire.BAR_READ, wire.bar(BAR + EDU_ID, 4))
        self.assertEqual(
            self.by_mailbox(wire.BAR_READ, wire.bar(BAR + EDU_ID, 4)), ID)
        self.assertEqual(old.state, Mailbox.POSTED)

    def test_device_says_when_it_sleeps(self):
        self.wake()
        wire.until(lambda: not struct.unpack_from('<I', self.mailbox.page,
                                                  64)[0], 'sleep')


class Pair(unittest.TestCase):
    """Our main process and a process of ours that hardly ever sleeps."""

    def pair(self, poll_max_ns):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path, monitor = (os.path.join(folder.name, name)
                         for name in ('device', 'qmp'))
        process = subprocess.Popen([
            remote.PROGRAM, '-machine', 'x-remote', '-nodefaults',
            '-device', 'edu,id=edu', '-qmp',
            f'unix:{monitor},server=on,wait=off',
            '-object', 'x-remote-object,id=link,devid=edu,socket.type=unix,'
            f'socket.path={path},poll-max-ns=1000000000', *wire.sandbox()],
            stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        # After the machine's end, by itself: it may write down what it has run.
        self.addCleanup(self.ends, process)
        qmp = Qmp(monitor)
        self.addCleanup(qmp.close)
        main = proxy.Main(device=f'socket.type=unix,socket.path={path},'
                          f'poll-max-ns={poll_max_ns}').run()
        self.addCleanup(lambda: self.assertEqual(main.end(), (0, [])))
        main.enable()
        return main, qmp

    @staticmethod
    def ends(process):
        try:
            process.wait(SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def test_both_use_it(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest('this machine has one CPU: nobody waits awake')
        main, qmp = self.pair(1000000000)
        limit, ways = time.monotonic() + SLOW, [0, 0]
        while not all(ways):
            self.assertLess(time.monotonic(), limit)
            self.assertEqual(main.command(f'readl {BAR + EDU_ID:#x}'), ID)
            ways = [side.execute('x-query-remote')[0]['by-mailbox']
                    for side in (main.qmp, qmp)]

    def test_proxy_that_never_waits_awake_has_none(self):
        main, qmp = self.pair(0)
        for _ in range(100):
            self.assertEqual(main.command(f'readl {BAR + EDU_ID:#x}'), ID)
        for side in main.qmp, qmp:
            self.assertEqual(side.execute('x-query-remote')[0]['by-mailbox'],
                             0)


class Liar(Case):
    def closed(self, words):
        self.assertTrue(self.link.is_closed())
        self.assertEqual(self.remote.links[1].config_read(0), 0x11e81234)
        self.expect = [words]

    def test_scribbler_reaches_no_other_link(self):
        page, random_ = self.mailbox.page, random.Random(1)
        other = self.remote.links[1]
        self.enable(other)
        for _ in range(SCRIBBLES):
            at = random_.choice((0, 8, 16, 24, 32, 40, 48, 64))
            page[at:at + 4] = random_.randbytes(4) if random_.random() < 0.5 \
                else random_.randrange(6).to_bytes(4, 'little')
            try:
                if random_.random() < 0.1:
                    self.wake()
            except Gone:
                self.expect = ['bad message']
                break
            self.assertEqual(other.read(BAR), ID)


def lie(name, words, cmd, payload):
    def test(self):
        self.mailbox.post(cmd, payload)
        try:
            self.wake()
        except Gone:
            pass
        self.closed(words)
    setattr(Liar, f'test_{name}', test)


lie('unknown_command', 'unknown command 77', 77, b'')
lie('answer_as_request', 'RET is no request', wire.RET, b'\0' * 8)
lie('memory_without_descriptor', 'with 0 descriptors', wire.SYNC_SYSMEM,
    wire.table([(0, 4096, 0)]))
for number in wire.SET_IRQFD, wire.SET_UNPLUGFD, wire.SET_MAILBOX:
    lie(f'command_{number}_without_descriptor', 'with 0 descriptors', number,
        b'')
lie('short_payload', 'payload of 8 bytes', wire.BAR_READ, b'\0' * 8)
lie('bar_read_of_3', 'BAR_READ of 3', wire.BAR_READ, wire.bar(BAR, 3))
lie('bar_in_space_2', 'neither 0 nor 1', wire.BAR_READ,
    wire.bar(BAR, 4, memory=2))
lie('config_read_of_5', 'PCI_CFGREAD of 5', wire.CFGREAD, wire.conf(0, 5))


class Next(unittest.TestCase):
    def test_liar_leaves_nothing_to_the_next(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'device')
            served = wire.Remote(remote.PROGRAM, [], more=[
                '-device', 'edu,id=dev', '-object',
                'x-remote-object,id=link,devid=dev,auto-shutdown=off,'
                f'socket.type=unix,socket.path={path}'])
            self.addCleanup(served.process.communicate)
            self.addCleanup(served.process.kill)
            liar = self.connect(path)
            mailbox = Mailbox()
            self.addCleanup(mailbox.close)
            liar.send(wire.SET_MAILBOX, b'', [mailbox.fd])
            mailbox.post(77, b'')
            try:
                liar.config_read(0)
            except Gone:
                pass
            self.assertTrue(liar.is_closed())
            self.assertEqual(self.connect(path).config_read(0), 0x11e81234)

    def connect(self, path):
        link = wire.Link(socket.socket(socket.AF_UNIX))
        self.addCleanup(link.close)
        wire.until(lambda: link.socket.connect_ex(path) == 0, 'connection')
        return link


class NoMailbox(remote.Case):
    """What is given instead of one ends the link."""


def no_mailbox(name, words, make):
    def test(self):
        self.link.send_raw(*make(self))
        self.assertTrue(self.link.is_closed())
        self.expect = [words]
    setattr(NoMailbox, f'test_{name}', test)


def made(**how):
    def make(case):
        mailbox = Mailbox(**how)
        case.addCleanup(mailbox.page.close)
        case.fds.append(mailbox.fd)
        return wire.header(wire.SET_MAILBOX, 0), [mailbox.fd]
    return make


no_mailbox('without_descriptor', 'with 0 descriptors',
           plain(wire.SET_MAILBOX, b''))
no_mailbox('two_descriptors', 'with 2 descriptors',
           with_fds(wire.SET_MAILBOX, b'', 'event', 'event'))
for kind in 'memory', 'event', 'pipe', 'socket', 'full', 'epoll', 'folder':
    no_mailbox(kind, 'can be shortened',
               with_fds(wire.SET_MAILBOX, b'', kind))
no_mailbox('memory_that_can_shrink', 'can be shortened', made(seals=4))
no_mailbox('memory_of_two_pages', 'has not 4096 bytes', made(size=8192))


if __name__ == '__main__':
    args = tap.parser(__doc__, 'Honest.test_reset').parse_args()
    remote.PROGRAM = proxy.PROGRAM = args.program
    sys.exit(tap.run_own(args.only))
