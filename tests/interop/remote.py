#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A remote process as an honest proxy meets it: accesses, memory, interrupts,
its beginning and its end.  No guest, no KVM."""
import os
import resource
import select
import socket
import struct
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.qmp import Qmp, Refused  # noqa: E402
import wire  # noqa: E402
from wire import Link, ONES, Remote, until  # noqa: E402

PROGRAM = None
CONNECTIONS = 2000
BAR = 0xfe000000
PAGE = 4096
EDU_ID, EDU_LIVENESS, EDU_FACTORIAL, EDU_STATUS = 0, 4, 8, 0x20
EDU_IRQ_STATUS, EDU_IRQ_RAISE, EDU_IRQ_ACK = 0x24, 0x60, 0x64
EDU_SRC, EDU_DST, EDU_COUNT, EDU_CMD, EDU_BUFFER = \
    0x80, 0x88, 0x90, 0x98, 0x40000


def signalled(fd):
    ready, _, _ = select.select([fd], [], [], wire.LIMIT)
    return bool(ready) and wire.taken(fd)


class Case(unittest.TestCase):
    devices = ['edu']

    def setUp(self):
        self.remote = Remote(PROGRAM, self.devices)
        self.link = self.remote.links[0]
        self.expect = []            # what each line of standard error has
        self.fds = []

    def tearDown(self):
        status, text = self.remote.end()
        for fd in self.fds:
            os.close(fd)
        lines = text.splitlines()
        self.assertEqual(status, 0, text)
        self.assertEqual(len(lines), len(self.expect), text)
        for line, words in zip(lines, self.expect):
            self.assertIn(words, line)

    def enable(self, link=None, bits=6):
        link = link or self.link
        link.config_write(0x10, BAR)
        link.config_write(4, bits, 2)

    def memory(self, *regions):
        """Memfds for [(gpa, size)], known to the device."""
        fds = [wire.memfd(size) for _, size in regions]
        self.fds += fds
        self.link.set_memory([(gpa, size, 0) for gpa, size in regions], fds)
        return fds

    def irqfds(self):
        pair = [wire.eventfd(), wire.eventfd()]
        self.fds += pair
        self.link.set_irqfd(*pair)
        return pair

    def dma(self, src, dst, count, to_guest):
        for reg, val in (EDU_SRC, src), (EDU_DST, dst), (EDU_COUNT, count):
            self.link.write(BAR + reg, val, 8)
        self.link.write(BAR + EDU_CMD, 3 if to_guest else 1, 8)
        until(lambda: not self.link.read(BAR + EDU_CMD, 8) & 1, 'end of DMA')


class Access(Case):
    def test_ids_and_bar_size_are_found(self):
        self.assertEqual(self.link.config_read(0), 0x11e81234)
        self.link.config_write(0x10, 0xffffffff)
        self.assertEqual(self.link.config_read(0x10), 0xfff00000)

    def test_every_access_to_config_space_is_answered(self):
        for length in 1, 2, 4:
            mask = (1 << 8 * length) - 1
            for addr in range(0xf8, 0x108):
                value = self.link.config_read(addr, length)
                self.assertEqual(value & ~mask, 0)
                if addr >= 0x100:
                    self.assertEqual(value, mask, f'{addr:#x} {length}')
                self.link.config_write(addr, ONES & 0xffffffff, length)
        for addr in 0x1000, 0x7fffffff, 0xffffffff, 0xfffffffd:
            self.assertEqual(self.link.config_read(addr), 0xffffffff)
            self.link.config_write(addr, 0)
        self.assertEqual(self.link.config_read(0), 0x11e81234)

    def test_registers_answer_where_the_bar_is(self):
        self.enable()
        self.assertEqual(self.link.read(BAR + EDU_ID), 0x010000ed)
        self.link.write(BAR + EDU_LIVENESS, 0x12345678)
        self.assertEqual(self.link.read(BAR + EDU_LIVENESS), 0xedcba987)
        self.link.config_write(0x10, BAR + 0x100000)
        self.assertEqual(self.link.read(BAR + EDU_ID), ONES)
        self.assertEqual(self.link.read(BAR + 0x100000), 0x010000ed)

    def test_nothing_answers_outside_of_the_bar(self):
        self.enable()
        for addr in 0, BAR - 4, BAR + 0x100000, 0xfee00000, ONES - 7:
            for size in 1, 2, 4, 8:
                self.assertEqual(self.link.read(addr, size), ONES)
                self.link.write(addr, 0, size)
        for port in 0, 0xcf8, 0xffff, BAR:
            self.assertEqual(self.link.read(port, 4, memory=0), ONES)

    def test_decode_off_hides_the_bar(self):
        self.enable(bits=0)
        self.assertEqual(self.link.read(BAR + EDU_ID), ONES)

    def test_reset_clears_registers_and_unmaps(self):
        self.enable()
        self.link.write(BAR + EDU_LIVENESS, 1)
        self.assertIsNone(self.link.reset())
        self.assertEqual(self.link.config_read(4, 2), 0)
        self.assertEqual(self.link.read(BAR + EDU_ID), ONES)
        self.enable()
        self.assertEqual(self.link.read(BAR + EDU_LIVENESS), 0)

    def test_many_requests_at_once_are_answered_in_order(self):
        self.enable()
        for number in range(50):
            self.link.send(wire.BAR_WRITE,
                           wire.bar(BAR + EDU_LIVENESS, 4, number))
            self.link.send(wire.BAR_READ, wire.bar(BAR + EDU_LIVENESS, 4))
        for number in range(50):
            self.link.receive()
            _, value = self.link.receive()
            self.assertEqual(struct.unpack('<Q', value)[0],
                             ~number & 0xffffffff)


class Memory(Case):
    def test_dma_there_and_back(self):
        fd, = self.memory((0x100000, 4 * PAGE))
        self.enable()
        os.pwrite(fd, b'from the guest', PAGE)
        self.dma(0x100000 + PAGE, EDU_BUFFER, 14, False)
        self.dma(EDU_BUFFER, 0x100000 + 2 * PAGE, 14, True)
        self.assertEqual(os.pread(fd, 14, 2 * PAGE), b'from the guest')

    def test_no_dma_without_bus_mastering(self):
        fd, = self.memory((0, PAGE))
        self.enable(bits=2)
        self.dma(EDU_BUFFER, 0, 16, True)
        os.pwrite(fd, b'x' * 16, 0)
        self.dma(EDU_BUFFER, 0, 16, True)
        self.assertEqual(os.pread(fd, 16, 0), b'x' * 16)

    def test_dma_crosses_from_region_to_region(self):
        low, high = self.memory((0, PAGE), (PAGE, PAGE))
        self.enable()
        os.pwrite(low, b'ab', PAGE - 2)
        os.pwrite(high, b'cd', 0)
        self.dma(PAGE - 2, EDU_BUFFER, 4, False)
        self.dma(EDU_BUFFER, 0, 4, True)
        self.assertEqual(os.pread(low, 4, 0), b'abcd')

    def test_dma_into_a_hole_hurts_nothing(self):
        low, = self.memory((0, PAGE))
        self.enable()
        os.pwrite(low, b'zz', PAGE - 2)
        self.dma(PAGE - 2, EDU_BUFFER, 64, False)
        self.dma(EDU_BUFFER, PAGE - 2, 64, True)
        self.dma(EDU_BUFFER, 0, 4, True)
        self.assertEqual(os.pread(low, 4, 0), b'zz\xff\xff')
        self.assertEqual(self.link.read(BAR), 0x010000ed)

    def test_new_table_replaces_the_old(self):
        old, = self.memory((0, PAGE))
        new, = self.memory((0, PAGE))
        self.enable()
        os.pwrite(new, b'new', 0)
        self.dma(0, EDU_BUFFER, 3, False)
        self.dma(EDU_BUFFER, 16, 3, True)
        self.assertEqual(os.pread(new, 3, 16), b'new')
        self.assertEqual(os.pread(old, 3, 16), b'\0\0\0')

    def test_memory_of_old_tables_is_given_back(self):
        fd = wire.memfd(16 * PAGE)
        self.fds.append(fd)
        for turn in range(300):
            self.link.set_memory([(0, PAGE * (1 + turn % 8), 0),
                                  (1 << 32, PAGE, 8 * PAGE)], [fd, fd])
        self.link.config_read(0)
        maps = open(f'/proc/{self.remote.process.pid}/maps',
                    encoding='ascii').read()
        self.assertEqual(maps.count('memfd:guest'), 2, maps)
        opened = os.listdir(f'/proc/{self.remote.process.pid}/fd')
        self.assertLess(len(opened), 40)


class Interrupt(Case):
    def test_level_is_signalled_once_and_again_after_eoi(self):
        irqfd, resamplefd = self.irqfds()
        self.enable()
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        self.assertTrue(signalled(irqfd))
        self.link.write(BAR + EDU_IRQ_RAISE, 2)
        self.assertFalse(wire.taken(irqfd))
        os.eventfd_write(resamplefd, 1)
        self.assertTrue(signalled(irqfd))
        self.link.write(BAR + EDU_IRQ_ACK, 3)
        os.eventfd_write(resamplefd, 1)
        until(lambda: not wire.taken(resamplefd), 'resample is read')
        self.link.config_read(0)
        self.assertFalse(wire.taken(irqfd))

    def test_raise_before_descriptors_is_signalled_when_they_come(self):
        self.enable()
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        irqfd, _ = self.irqfds()
        self.assertTrue(signalled(irqfd))

    def test_second_descriptors_take_over_a_raised_line(self):
        first, _ = self.irqfds()
        self.enable()
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        self.assertTrue(signalled(first))
        second, resamplefd = self.irqfds()
        self.assertTrue(signalled(second))
        os.eventfd_write(resamplefd, 1)
        self.assertTrue(signalled(second))
        self.assertFalse(wire.taken(first))

    def test_descriptors_before_anything_else(self):
        irqfd, resamplefd = self.irqfds()
        self.assertEqual(self.link.config_read(4, 2), 0)
        os.eventfd_write(resamplefd, 1)
        self.enable()
        until(lambda: not wire.taken(resamplefd), 'resample is read')
        self.assertEqual(self.link.read(BAR + EDU_IRQ_STATUS), 0)
        self.assertFalse(wire.taken(irqfd))
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        self.assertTrue(signalled(irqfd))

    def test_dead_descriptors_hurt_nobody(self):
        self.link.set_irqfd(*self.irqfds())
        self.enable()
        # Its ends are the only ones now.
        while self.fds:
            os.close(self.fds.pop())
        for number in range(1, 4):
            self.link.write(BAR + EDU_IRQ_RAISE, number)
            self.link.write(BAR + EDU_IRQ_ACK, number)
        self.link.write(BAR + EDU_IRQ_RAISE, 4)
        self.assertEqual(self.link.read(BAR + EDU_IRQ_STATUS), 4)
        irqfd, resamplefd = self.irqfds()
        self.assertTrue(signalled(irqfd))
        os.eventfd_write(resamplefd, 1)
        self.assertTrue(signalled(irqfd))

    def test_descriptors_that_change_during_raises(self):
        self.enable()
        pairs = [(wire.eventfd(), wire.eventfd()) for _ in range(8)]
        self.fds += [fd for pair in pairs for fd in pair]
        for turn in range(100):
            for pair in pairs:
                # Nobody waits: one process raises what the other moves.
                for reg, val in (EDU_IRQ_RAISE, 1), (EDU_IRQ_ACK, 1):
                    self.link.send(wire.BAR_WRITE, wire.bar(BAR + reg, 4, val))
                self.link.set_irqfd(*pair)
                os.eventfd_write(pair[1], 1)
            for _ in range(2 * len(pairs)):
                self.link.receive()
        irqfd, resamplefd = pairs[-1]
        self.link.config_read(0)
        for fd, _ in pairs:
            wire.taken(fd)
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        self.assertTrue(signalled(irqfd))
        os.eventfd_write(resamplefd, 1)
        self.assertTrue(signalled(irqfd))
        for fd, _ in pairs[:-1]:
            self.assertFalse(wire.taken(fd))

    def test_interrupts_off_in_the_command_register(self):
        irqfd, _ = self.irqfds()
        self.enable(bits=0x406)
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        self.assertFalse(wire.taken(irqfd))
        self.assertEqual(self.link.config_read(6, 2) & 8, 8)
        self.link.config_write(4, 6, 2)
        self.assertTrue(signalled(irqfd))

    def test_factorial_raises(self):
        irqfd, _ = self.irqfds()
        self.enable()
        self.link.write(BAR + EDU_STATUS, 0x80)
        self.link.write(BAR + EDU_FACTORIAL, 10)
        self.assertTrue(signalled(irqfd))
        self.assertEqual(self.link.read(BAR + EDU_FACTORIAL), 3628800)
        self.assertEqual(self.link.read(BAR + EDU_IRQ_STATUS), 1)

    def test_reset_lowers_the_line(self):
        irqfd, resamplefd = self.irqfds()
        self.enable()
        self.link.write(BAR + EDU_IRQ_RAISE, 1)
        self.assertTrue(signalled(irqfd))
        self.link.reset()
        os.eventfd_write(resamplefd, 1)
        until(lambda: not wire.taken(resamplefd), 'resample is read')
        self.link.config_read(0)
        self.assertFalse(wire.taken(irqfd))


class Lines(unittest.TestCase):
    def test_each_of_256_devices_has_a_line_of_its_own(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most != resource.RLIM_INFINITY and most < 4096:
            self.skipTest(f'no more than {most} descriptors are allowed')
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, most))
        # So many threads are not for a process in its box.
        remote = Remote(PROGRAM, [f'edu,addr={slot:x}.{fn},multifunction=on'
                                  for slot in range(32) for fn in range(8)],
                        more=['-sandbox', 'off'])
        irqfds, resamplefds = [], []
        for link in remote.links:
            irqfds.append(wire.eventfd())
            resamplefds.append(wire.eventfd())
            link.set_irqfd(irqfds[-1], resamplefds[-1])
            link.config_write(0x10, BAR)
            link.config_write(4, 6, 2)
        for number, link in enumerate(remote.links):
            link.write(BAR + EDU_IRQ_RAISE, number + 1)
            self.assertTrue(signalled(irqfds[number]))
            self.assertEqual([fd for fd in irqfds if wire.taken(fd)], [])
        for number, link in enumerate(remote.links):
            self.assertEqual(link.read(BAR + EDU_IRQ_STATUS), number + 1)
            os.eventfd_write(resamplefds[number], 1)
            self.assertTrue(signalled(irqfds[number]))
            self.assertEqual([fd for fd in irqfds if wire.taken(fd)], [])
        self.assertEqual(remote.end(), (0, ''))
        for fd in irqfds + resamplefds:
            os.close(fd)


class Life(unittest.TestCase):
    def test_ends_with_its_last_link(self):
        remote = Remote(PROGRAM, ['edu', 'edu'])
        remote.links[0].config_read(0)
        remote.links[0].close()
        self.assertEqual(remote.links[1].config_read(0), 0x11e81234)
        self.assertIsNone(remote.process.poll())
        self.assertEqual(remote.end(), (0, ''))

    def test_many_connections_leave_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            self.connect_often(os.path.join(folder, 'qmp'))

    def connect_often(self, path):
        remote = Remote(PROGRAM, ['edu'], auto_shutdown=False,
                        more=['-qmp', f'unix:{path},server=on,wait=off'])
        qmp = Qmp(path)
        remote.links[0].close()
        delete_when_ended(qmp, 'link0')
        before = None
        for number in range(CONNECTIONS):
            self.connect_once(qmp)
            if number == CONNECTIONS // 4:
                before = self.held(remote)
        after = self.held(remote)
        qmp.execute('quit')
        self.assertEqual(remote.end(), (0, ''))
        self.assertEqual(before[0], after[0])
        self.assertLess(after[1] - before[1], 2048, 'KiB more than before')

    def test_refused_messages_leave_no_descriptors(self):
        remote = Remote(PROGRAM, ['edu'] * 8, auto_shutdown=False)
        self.addCleanup(remote.process.kill)
        fds = [wire.eventfd(), wire.eventfd()]
        held = []
        for link in remote.links:
            assert link.config_read(0) == 0x11e81234
        for half in remote.links[:4], remote.links[4:]:
            for link in half:
                link.send(wire.CFGREAD, wire.conf(0, 3),
                          [] if link in remote.links[:4] else fds)
                link.is_closed()
            held.append(self.held(remote)[0])
        # The process stays: it is asked to end.
        remote.process.terminate()
        status, text = remote.end()
        for fd in fds:
            os.close(fd)
        self.assertEqual(text.count('bad message'), 8, text)
        self.assertEqual(held[0] - held[1], 4, 'sockets, and nothing else')

    def test_the_next_finds_a_device_that_is_reset(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'qmp')
            remote = Remote(PROGRAM, ['edu'], auto_shutdown=False,
                            more=['-qmp', f'unix:{path},server=on,wait=off'])
            self.addCleanup(remote.process.kill)
            qmp = Qmp(path)
            remote.links[0].close()
            delete_when_ended(qmp, 'link0')
            maps = self.memfds(remote)
            for _ in range(2):
                link = self.new_link(qmp)
                self.assertEqual(link.config_read(0x10), 0)
                self.assertEqual(link.config_read(4, 2), 0)
                fd = wire.memfd(PAGE)
                link.set_memory([(0, PAGE, 0)], [fd])
                os.close(fd)
                link.config_write(0x10, BAR)
                link.config_write(4, 6, 2)
                self.assertEqual(link.read(BAR + EDU_LIVENESS), 0)
                link.write(BAR + EDU_LIVENESS, 5)
                self.assertEqual(self.memfds(remote), maps + 1)
                link.close()
                delete_when_ended(qmp, 'next')
                self.assertEqual(self.memfds(remote), maps)
            qmp.execute('quit')
            self.assertEqual(remote.end(), (0, ''))

    def listening(self, folder):
        """A process whose device waits at a path, and its QMP."""
        monitor = os.path.join(folder, 'qmp')
        path = os.path.join(folder, 'device')
        remote = Remote(PROGRAM, [], more=[
            '-qmp', f'unix:{monitor},server=on,wait=off', '-sandbox', 'off',
            '-device', 'edu,id=dev', '-object',
            'x-remote-object,id=o,devid=dev,auto-shutdown=off,'
            f'socket.type=unix,socket.path={path}'])
        self.addCleanup(remote.process.kill)
        return remote, Qmp(monitor), path

    def states(self, qmp):
        return {link['id']: link['state']
                for link in qmp.execute('x-query-remote')}

    def test_removed_before_anybody_came(self):
        with tempfile.TemporaryDirectory() as folder:
            remote, qmp, path = self.listening(folder)
            self.assertEqual(self.states(qmp), {'dev': 'listening'})
            qmp.execute('object-del', id='o')
            self.assertFalse(os.path.exists(path))
            self.assertEqual(self.states(qmp), {})
            # The device is free for another.
            qmp.execute('object-add', **{
                'qom-type': 'x-remote-object', 'id': 'next', 'devid': 'dev',
                'socket': {'type': 'unix', 'path': path}})
            end = socket.socket(socket.AF_UNIX)
            end.connect(path)
            link = Link(end)
            self.assertEqual(link.config_read(0), 0x11e81234)
            self.assertEqual(self.states(qmp), {'dev': 'connected'})
            # The first has asked for the process to stay, which holds.
            link.close()
            until(lambda: self.states(qmp) == {'dev': 'closed'}, 'closed')
            self.assertFalse(os.path.exists(path))
            qmp.execute('quit')
            self.assertEqual(remote.end(), (0, ''))

    def test_device_of_one_who_cannot_be_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'qmp')
            remote = Remote(PROGRAM, ['edu'], auto_shutdown=False,
                            more=['-qmp', f'unix:{path},server=on,wait=off'])
            self.addCleanup(remote.process.kill)
            link, qmp = remote.links[0], Qmp(path)
            link.config_read(0)
            with self.assertRaisesRegex(Refused, 'cannot be asked to release'):
                qmp.execute('device_del', id='dev0')
            self.assertEqual(link.config_read(0), 0x11e81234)
            self.assertEqual(self.states(qmp), {'dev0': 'connected'})
            fd = wire.eventfd()
            link.send(wire.SET_UNPLUGFD, b'', [fd])
            link.config_read(0)
            qmp.execute('device_del', id='dev0')
            self.assertTrue(signalled(fd))
            os.close(fd)
            # It lets go by leaving.
            link.close()
            qmp.event('DEVICE_DELETED', wire.LIMIT)
            self.assertEqual(self.states(qmp), {'dev0': 'closed'})
            qmp.execute('quit')
            self.assertEqual(remote.end(), (0, ''))

    def test_device_that_nobody_serves_goes_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'qmp')
            remote = Remote(PROGRAM, ['edu'], auto_shutdown=False,
                            more=['-qmp', f'unix:{path},server=on,wait=off'])
            self.addCleanup(remote.process.kill)
            qmp = Qmp(path)
            qmp.execute('device_add', driver='edu', id='late')
            qmp.execute('device_del', id='late')
            qmp.event('DEVICE_DELETED', wire.LIMIT)
            # So does one whose machine has left.
            remote.links[0].close()
            until(lambda: self.states(qmp) == {'dev0': 'closed'}, 'closed')
            qmp.execute('device_del', id='dev0')
            qmp.event('DEVICE_DELETED', wire.LIMIT)
            qmp.execute('quit')
            self.assertEqual(remote.end(), (0, ''))

    def test_no_descriptors_for_a_device(self):
        with tempfile.TemporaryDirectory() as folder:
            remote, qmp, _ = self.listening(folder)
            pid = remote.process.pid
            opened = {int(n) for n in os.listdir(f'/proc/{pid}/fd')}
            was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            # The first number that is free is not to be had.
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (
                next(n for n in range(4096) if n not in opened), was[1]))
            with self.assertRaisesRegex(Refused, 'Too many open files'):
                qmp.execute('device_add', driver='edu', id='late')
            resource.prlimit(pid, resource.RLIMIT_NOFILE, was)
            qmp.execute('device_add', driver='edu', id='late')
            link = self.new_link(qmp, 'late')
            self.assertEqual(link.config_read(0), 0x11e81234)
            link.close()
            qmp.execute('quit')
            self.assertEqual(remote.end(), (0, ''))

    def test_nothing_to_serve_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'qmp')
            remote = Remote(PROGRAM, [], more=[
                '-device', 'edu,id=dev',
                '-qmp', f'unix:{path},server=on,wait=off'])
            self.addCleanup(remote.process.kill)
            qmp = Qmp(path)
            self.assertEqual(self.states(qmp), {})
            link = self.new_link(qmp, 'dev')
            self.assertEqual(link.config_read(0), 0x11e81234)
            qmp.execute('quit')
            status, text = remote.end()
            self.assertEqual((status, len(text.splitlines())), (0, 1), text)
            self.assertIn('no x-remote-object', text)

    @staticmethod
    def memfds(remote):
        with open(f'/proc/{remote.process.pid}/maps', encoding='utf-8') as f:
            return sum('memfd:guest' in line for line in f)

    @staticmethod
    def new_link(qmp, device='dev0'):
        mine, there = socket.socketpair()
        socket.send_fds(qmp.socket, [b' '], [there.fileno()])
        qmp.execute('getfd', fdname='peer')
        there.close()
        qmp.execute('object-add', **{
            'qom-type': 'x-remote-object', 'id': 'next', 'devid': device,
            'fd': 'peer', 'auto-shutdown': False})
        return Link(mine)

    def connect_once(self, qmp):
        link = self.new_link(qmp)
        fds = [wire.memfd(PAGE), wire.eventfd(), wire.eventfd()]
        link.set_memory([(0, PAGE, 0)], fds[:1])
        link.set_irqfd(*fds[1:])
        assert link.config_read(0) == 0x11e81234
        link.close()
        for fd in fds:
            os.close(fd)
        delete_when_ended(qmp, 'next')

    @staticmethod
    def held(remote):
        proc = f'/proc/{remote.process.pid}'
        rss = int(open(f'{proc}/statm', encoding='ascii').read().split()[1])
        return len(os.listdir(f'{proc}/fd')), rss * 4


def delete_when_ended(qmp, name):
    """Removes a link's object, once its thread has ended."""
    end = time.monotonic() + wire.LIMIT
    while True:
        try:
            qmp.execute('object-del', id=name)
            return
        except Refused:
            if time.monotonic() > end:
                raise


if __name__ == '__main__':
    parser = tap.parser(__doc__, 'Memory')
    parser.add_argument('--connections', type=int, default=CONNECTIONS)
    args = parser.parse_args()
    PROGRAM = args.program
    # Memory that AddressSanitizer holds back would count as a leak.
    os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + \
        ':quarantine_size_mb=0:thread_local_quarantine_size_kb=0'
    CONNECTIONS = args.connections
    sys.exit(tap.run_own(args.only))
