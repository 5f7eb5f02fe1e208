#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Descriptors of strangers: memory that is taken away, eventfds that are
none, writes that would wait.  The one link suffers, the other does not."""
import array
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.pair import Program  # noqa: E402
from mpqemu_test.qmp import Qmp  # noqa: E402
import wire  # noqa: E402

PROGRAM = None
BAR = 0xe0000000
SIZE = 1 << 20
RAISE, DMA_SRC, DMA_DST, DMA_COUNT, DMA_CMD = 0x60, 0x80, 0x88, 0x90, 0x98
DMA_BUFFER = 0x40000


def enable(link):
    link.config_write(0x10, BAR)
    link.config_write(4, 6)


class Two(unittest.TestCase):
    """Two edu in one process; the first one's other side is a stranger."""
    device = 'edu'
    more = ()

    def setUp(self):
        self.remote = wire.Remote(PROGRAM, [self.device, 'edu'],
                                  more=self.more)
        self.link, self.other = self.remote.links
        for link in self.remote.links:
            enable(link)
        self.fds = []
        self.other_memory = self.keep(wire.memfd(SIZE))
        self.other.set_memory([(0, SIZE, 0)], [self.other_memory])

    def tearDown(self):
        for fd in self.fds:
            os.close(fd)
        # Not killed: it may be about to write down what it has run.
        self.remote.end()

    def keep(self, fd):
        self.fds.append(fd)
        return fd

    def other_works(self):
        os.pwrite(self.other_memory, b'stranger', 0x1000)
        self.dma(self.other, 0x1000, DMA_BUFFER, 1)
        self.dma(self.other, DMA_BUFFER, 0x2000, 3)
        self.assertEqual(os.pread(self.other_memory, 8, 0x2000), b'stranger')

    def dma(self, link, source, target, command):
        for at, value in ((DMA_SRC, source), (DMA_DST, target),
                          (DMA_COUNT, 8), (DMA_CMD, command)):
            link.write(BAR + at, value, 8)
        while link.read(BAR + DMA_CMD, 8) & 1:
            pass

    def lost(self, words):
        """The stranger's link is closed, with one line; nothing else is."""
        self.assertTrue(self.link.is_closed())
        self.other_works()
        status, text = self.remote.end()
        self.assertEqual(status, 0, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        self.assertRegex(text, words)


class Memory(Two):
    AWAY = 'guest memory was taken away'

    def shrunk(self, fd, source, target, command):
        self.link.set_memory([(0, SIZE, 0)], [fd])
        self.link.config_read(0)
        os.ftruncate(fd, 0)
        try:
            self.dma(self.link, source, target, command)
        except wire.Gone:
            pass
        self.lost(self.AWAY)

    def test_shrunk_memfd_that_is_read(self):
        self.shrunk(self.keep(wire.memfd(SIZE)), 0x1000, DMA_BUFFER, 1)

    def test_shrunk_memfd_that_is_written(self):
        self.shrunk(self.keep(wire.memfd(SIZE)), DMA_BUFFER, 0x1000, 3)

    def test_shrunk_file(self):
        with tempfile.TemporaryFile() as file:
            file.truncate(SIZE)
            self.shrunk(file.fileno(), 0x1000, DMA_BUFFER, 1)

    def test_shrunk_by_its_last_page(self):
        fd = self.keep(wire.memfd(SIZE))
        self.link.set_memory([(0, SIZE, 0)], [fd])
        self.link.config_read(0)
        os.ftruncate(fd, SIZE - 4096)
        self.dma(self.link, 0x1000, DMA_BUFFER, 1)
        self.link.write(BAR + DMA_SRC, SIZE - 8, 8)
        try:
            self.link.write(BAR + DMA_CMD, 1, 8)
            self.link.read(BAR + DMA_CMD, 8)
        except wire.Gone:
            pass
        self.lost(self.AWAY)

    def refused(self, fd, words, size=SIZE):
        self.link.set_memory([(0, size, 0)], [fd])
        self.lost(words)

    def test_too_small(self):
        self.refused(self.keep(wire.memfd(SIZE - 4096)), 'needs 100000 bytes')

    def test_read_only(self):
        fd = self.keep(wire.memfd(SIZE))
        self.refused(self.keep(os.open(f'/proc/self/fd/{fd}', os.O_RDONLY)),
                     'cannot map')

    def test_sealed_against_writing(self):
        fd = self.keep(os.memfd_create('sealed', os.MFD_ALLOW_SEALING))
        os.ftruncate(fd, SIZE)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        self.refused(fd, 'cannot map')

    def test_folder(self):
        self.refused(self.keep(os.open('/', os.O_RDONLY)), 'no memory')

    def test_device(self):
        self.refused(self.keep(os.open('/dev/zero', os.O_RDWR)), 'no memory')

    def test_socket(self):
        self.refused(self.link.socket.fileno(), 'no memory')

    def test_part_of_a_huge_page_that_is_not_there(self):
        huge = 2 << 20
        try:
            fd = self.keep(wire.memfd(2 * huge, os.MFD_HUGETLB |
                                      os.MFD_HUGE_2MB))
            for what in 'nr_hugepages', 'nr_overcommit_hugepages':
                with open('/sys/kernel/mm/hugepages/hugepages-2048kB/' + what,
                          encoding='ascii') as file:
                    if int(file.read()):
                        self.skipTest('this machine has huge pages')
        except OSError as error:
            self.skipTest(f'huge pages: {error}')
        self.link.set_memory([(0, huge + 4096, 0)], [fd])
        try:
            self.dma(self.link, DMA_BUFFER, huge, 3)
            self.link.read(BAR)
        except wire.Gone:
            pass
        self.lost('guest memory was taken away')

    def test_parts_of_huge_pages_are_given_back(self):
        huge, times = 2 << 20, 40
        try:
            fd = self.keep(wire.memfd(2 * huge, os.MFD_HUGETLB |
                                      os.MFD_HUGE_2MB))
        except OSError as error:
            self.skipTest(f'huge pages: {error}')
        for size in [4096, huge + 4096] * times:
            self.link.set_memory([(0, size, 0)], [fd])
        self.assertEqual(self.link.config_read(0), 0x11e81234)
        with open(f'/proc/{self.remote.process.pid}/maps',
                  encoding='utf-8') as maps:
            self.assertEqual(maps.read().count('/memfd:guest'), 2)

    def test_pipe(self):
        ends = os.pipe()
        self.fds += ends
        self.refused(ends[0], 'no memory')


class NvmeMemory(Two):
    """Queues in memory that goes away."""
    device = 'nvme,serial=1,drive=d'
    more = ('-drive', 'if=none,id=d,driver=null-co,size=1M')

    def test_shrunk_queue(self):
        fd = self.keep(wire.memfd(SIZE))
        self.link.set_memory([(0, SIZE, 0)], [fd])
        for at, value, size in ((0x24, 0x000f000f, 4), (0x28, 0x1000, 8),
                                (0x30, 0x2000, 8), (0x14, 0x460001, 4)):
            self.link.write(BAR + at, value, size)
        self.assertEqual(self.link.read(BAR + 0x1c) & 1, 1)
        os.ftruncate(fd, 0)
        try:
            self.link.write(BAR + 0x1000, 1)
            self.link.read(BAR)
        except wire.Gone:
            pass
        self.lost('guest memory was taken away')


class MuchMemory(Two):
    """Another table for each of many reads, while the disk takes its time."""
    device = 'nvme,serial=1,drive=d'
    more = ('-drive', 'if=none,id=d,driver=null-co,size=1M,'
            'latency-ns=2000000000')
    NEW = 0x1000000

    def command(self, queue, number, opcode, prps, *dwords):
        os.pwrite(self.ram, struct.pack(
            '<HHI16xQQ6I', opcode, number, opcode == 2, *prps, *dwords,
            *[0] * (6 - len(dwords))), queue + 64 * number)

    def new_table(self):
        new = [wire.memfd(4096) for _ in range(7)]
        self.link.set_memory(
            [(0, SIZE, 0)] + [(self.NEW + at * 4096, 4096, 0)
                              for at in range(7)], [self.ram, *new])
        for fd in new:
            os.close(fd)

    def read(self, number):
        self.command(0x4000, number, 2, (self.NEW, 0x6000), 0, 0, 55)
        self.link.write(BAR + 0x1008, number + 1)

    def test_that_is_kept_in_use(self):
        self.ram = self.keep(wire.memfd(SIZE))
        self.link.set_memory([(0, SIZE, 0)], [self.ram])
        for at, value, size in ((0x24, 0x000f000f, 4), (0x28, 0x1000, 8),
                                (0x30, 0x2000, 8), (0x14, 0x460001, 4)):
            self.link.write(BAR + at, value, size)
        self.command(0x1000, 0, 5, (0x3000, 0), 0x00ff0001, 1)
        self.command(0x1000, 1, 1, (0x4000, 0), 0x00ff0001, 0x00010001)
        self.link.write(BAR + 0x1000, 2)
        wire.until(lambda: os.pread(self.ram, 2, 0x201e) == b'\1\0', 'queues')
        os.pwrite(self.ram, struct.pack('<6Q', *(
            self.NEW + at * 4096 for at in range(1, 7))), 0x6000)
        most = 0
        with self.assertRaises(wire.Gone):
            for number in range(140):
                self.new_table()
                self.read(number)
                most = max(most, len(os.listdir(
                    f'/proc/{self.remote.process.pid}/fd')))
        # Those of what is still used, but not in the table, are closed.
        self.assertLess(most, 50)
        self.lost('more than 64 pieces of memory')


class Events(Two):
    def refused(self, irqfd, resamplefd):
        self.link.set_irqfd(irqfd, resamplefd)
        self.lost('no eventfd')

    def others(self):
        """Descriptors of every kind, which are no eventfds."""
        ends = os.pipe()
        epoll = select.epoll()
        self.addCleanup(epoll.close)
        return [self.keep(fd) for fd in (
            *ends, wire.memfd(4096), os.open('/dev/null', os.O_RDWR),
            os.open('/', os.O_RDONLY), os.dup(epoll.fileno()),
            os.dup(self.link.socket.fileno()))]

    def test_irqfd_that_is_none(self):
        for number in range(7):
            with self.subTest(number=number):
                self.refused(self.others()[number], self.keep(wire.eventfd()))
                self.tearDown()
                self.setUp()

    def test_resamplefd_that_is_none(self):
        for number in range(7):
            with self.subTest(number=number):
                self.refused(self.keep(wire.eventfd()), self.others()[number])
                self.tearDown()
                self.setUp()

    def test_full_irqfd_stops_nobody(self):
        irqfd = self.keep(wire.eventfd())
        self.link.set_irqfd(irqfd, self.keep(wire.eventfd()))
        self.link.config_read(0)
        os.eventfd_write(irqfd, (1 << 64) - 2)
        self.link.write(BAR + RAISE, 1)
        self.assertEqual(self.link.config_read(0), 0x11e81234)
        self.other_works()

    def test_irqfd_that_blocks_stops_only_its_link(self):
        irqfd = self.keep(wire.eventfd())
        self.link.set_irqfd(irqfd, self.keep(wire.eventfd()))
        self.link.config_read(0)
        os.eventfd_write(irqfd, (1 << 64) - 2)
        os.set_blocking(irqfd, True)
        self.link.send(wire.BAR_WRITE, wire.bar(BAR + RAISE, 4, 1))
        for _ in range(20):
            self.other_works()
        self.remote.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.remote.process.wait(10), 0)

    def test_unplugfd_that_blocks_stops_only_its_link(self):
        self.tearDown()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'qmp')
            self.more = ['-qmp', f'unix:{path},server=on,wait=off']
            self.setUp()
            unplugfd = self.keep(wire.eventfd())
            self.link.send(wire.SET_UNPLUGFD, b'', [unplugfd])
            self.link.config_read(0)
            os.eventfd_write(unplugfd, (1 << 64) - 2)
            os.set_blocking(unplugfd, True)
            qmp = Qmp(path)
            self.addCleanup(qmp.close)
            # The one that can only be heard by the link's thread.
            qmp.execute('device_del', id='dev0')
            qmp.execute('query-status')
            self.other_works()
            self.assertEqual(os.eventfd_read(unplugfd), (1 << 64) - 2)
            self.assertEqual(os.eventfd_read(unplugfd), 1)
            self.assertEqual(self.link.config_read(0), 0x11e81234)

    def test_resamplefd_that_blocks_stops_nobody(self):
        resamplefd = self.keep(wire.eventfd())
        self.link.set_irqfd(self.keep(wire.eventfd()), resamplefd)
        self.link.config_read(0)
        os.set_blocking(resamplefd, True)
        for _ in range(10):
            os.eventfd_write(resamplefd, 1)
            self.assertEqual(self.link.config_read(0), 0x11e81234)
        self.other_works()


class MainMemory(unittest.TestCase):
    """What a main process gives away cannot be shortened."""

    def sealed(self, *memory):
        here, there = socket.socketpair()
        test, theirs = socket.socketpair()
        main = subprocess.Popen(
            [PROGRAM, '-machine', 'q35,memory-backend=ram', '-accel', 'qtest',
             '-display', 'none', '-nodefaults', *memory, '-chardev',
             f'socket,fd={theirs.fileno()},id=t', '-qtest', 'chardev:t',
             '-qtest-log', 'none', '-device',
             f'x-pci-proxy-dev,id=d,fd={there.fileno()}'],
            pass_fds=[there.fileno(), theirs.fileno()],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        there.close()
        theirs.close()
        here.settimeout(wire.LIMIT)
        fds = []
        try:
            while not fds:
                data, control, _, _ = here.recvmsg(512, 512)
                self.assertTrue(data)
                cmd, = struct.unpack('<i', data[:4])
                for level, kind, got in control:
                    if cmd == wire.SYNC_SYSMEM:
                        fds = array.array('i')
                        fds.frombytes(got)
                if not fds:
                    here.send(wire.header(wire.RET, 8) + bytes(8))
            for fd in fds:
                size = os.fstat(fd).st_size
                for length in 0, size - 4096, size + 4096:
                    with self.assertRaises(PermissionError):
                        os.ftruncate(fd, length)
        finally:
            main.kill()
            main.wait()
            here.close()
            test.close()
            for fd in fds:
                os.close(fd)

    def test_file_that_is_shortened_stops_the_guest(self):
        """The process, its monitor and its links go on, but for the link of
        a device that uses what is gone."""
        edus = [wire.Remote(PROGRAM, ['edu']) for _ in range(2)]
        test, theirs = socket.socketpair()
        with tempfile.TemporaryDirectory() as folder, test, \
                open(f'{folder}/ram', 'wb') as file:
            command = [
                PROGRAM, '-machine', 'q35,memory-backend=ram', '-accel',
                'qtest', '-display', 'none', '-nodefaults', '-object',
                f'memory-backend-file,id=ram,size=32M,share=on,mem-path='
                f'{folder}/ram', '-chardev', f'socket,fd={theirs.fileno()},'
                'id=t', '-qtest', 'chardev:t', '-qtest-log', 'none', '-qmp',
                f'unix:{folder}/qmp,server=on,wait=off']
            ends = [edu.links[0].socket for edu in edus]
            for number, end in enumerate(ends):
                command += ['-device', f'x-pci-proxy-dev,id=d{number},addr='
                                       f'{4 + number},fd={end.fileno()}']
            main = Program('main process', command,
                           [end.fileno() for end in (theirs, *ends)])
            theirs.close()
            for end in ends:
                end.close()
            try:
                qmp = Qmp(f'{folder}/qmp')
                self.shorten(file, qmp, test)
                qmp.execute('quit')
                self.assertEqual(main.wait(wire.LIMIT), 0)
                self.assertRegex(main.errors, f"'ram', {folder}/ram, has been "
                                 'shortened; the guest is stopped')
                self.assertEqual(edus[1].end(), (0, ''))
                qmp.close()
            finally:
                for program in main, *edus:
                    program.process.kill()
                    program.process.wait()
        self.assertRegex(edus[0].end()[1], 'guest memory was taken away')

    def shorten(self, file, qmp, test):
        lines = test.makefile('r')

        def ask(text):
            test.sendall(text.encode() + b'\n')
            answer = lines.readline().split()
            self.assertEqual(answer[:1], ['OK'], text)
            return int(answer[1], 0) if len(answer) > 1 else None

        for number in 0, 1:
            for at, value in (0x10, BAR + number * 0x100000), (4, 6):
                ask(f'outl 0xcf8 {0x80000000 | (4 + number) << 11 | at:#x}')
                ask(f'outl 0xcfc {value:#x}')
        ask('writeq 0x1000 0x1122334455667788')
        os.truncate(file.name, 0)
        self.assertEqual(ask('readq 0x1000'), 0)
        qmp.event('STOP', wire.LIMIT)
        self.assertEqual(qmp.execute('query-status')['status'],
                         'internal-error')
        ask('writeq 0x2000 5')          # what is there now is memory, too
        self.assertEqual(ask('readq 0x2000'), 5)
        for at, value in ((DMA_SRC, 0x1000), (DMA_DST, DMA_BUFFER),
                          (DMA_COUNT, 8), (DMA_CMD, 1)):
            ask(f'writeq {BAR + at:#x} {value:#x}')
        qmp.event('X_PCI_PROXY_DEV_GONE', wire.LIMIT)
        self.assertEqual(ask(f'readl {BAR:#x}'), 0xffffffff)
        self.assertEqual(ask(f'readl {BAR + 0x100000:#x}'), 0x010000ed)

    def test_memfd_is_sealed(self):
        self.sealed('-object', 'memory-backend-memfd,id=ram,size=32M')


def main():
    global PROGRAM
    args = tap.parser(__doc__).parse_args()
    PROGRAM = os.path.realpath(args.program)
    return tap.run_own(args.only)


if __name__ == '__main__':
    sys.exit(main())
