#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many proxied devices, and one process that serves two machines.

The guests are tests/guest/irq.c and tests/guest/probe.c, so any KVM runs
them.
"""
import argparse
import os
import socket
import subprocess
import sys
import unittest

from mpqemu_test import lab, tap
from mpqemu_test.pair import DISTRIBUTION, Edu, Machine, Program

GOOD = 33                       # what isa-debug-exit makes of a good end
SLOTS = [slot for slot in range(2, 31)][:24]


class Settings:
    """What the command line said."""
    main = remote = DISTRIBUTION
    irq = probe = None


class Many(unittest.TestCase):
    """Every device answers, and each level of each is taken."""

    def play(self, remotes, machine):
        append = 'single=48 shared=4 moves=0'
        if not lab.own_kvm()[0]:
            append += ' strays=1'
        count = sum(map(len, remotes))
        with Machine(Settings.main, Settings.remote, remotes,
                     machine=machine, memory=64, kernel=Settings.irq,
                     append=append,
                     extra=['-device', 'isa-debug-exit']) as vm:
            vm.expect(r'^@@ (done|gave-up) .*\n', 60)
            ended = vm.wait(5)
        report = '\n' + vm.report()
        self.assertEqual(ended, (GOOD, [0] * len(remotes)), report)
        self.assertIn(f'@@ devices {count}\r', vm.console, report)

    def in_one_process(self, count, machine):
        self.play([[Edu(slot) for slot in SLOTS[:count]]], machine)

    def in_as_many(self, count, machine):
        self.play([[Edu(slot)] for slot in SLOTS[:count]], machine)

    def test_1_on_q35(self):
        self.in_one_process(1, 'q35')

    def test_2_in_one_process_on_q35(self):
        self.in_one_process(2, 'q35')

    def test_2_in_two_processes_on_pc(self):
        self.in_as_many(2, 'pc')

    def test_8_in_one_process_on_pc(self):
        self.in_one_process(8, 'pc')

    def test_8_in_8_processes_on_q35(self):
        self.in_as_many(8, 'q35')

    def test_24_in_one_process_on_q35(self):
        self.in_one_process(24, 'q35')

    def test_24_in_24_processes_on_q35(self):
        self.in_as_many(24, 'q35')

    def test_24_in_one_process_on_pc(self):
        self.in_one_process(24, 'pc')

    def test_24_in_24_processes_on_pc(self):
        self.in_as_many(24, 'pc')


class Guest:
    """A machine that does what it is told, by tests/guest/probe.c."""

    def __init__(self, name, there, memory):
        self.program = Program(name, [
            Settings.main, '-machine', 'q35,memory-backend=ram', '-accel',
            'kvm', '-cpu', 'host', '-m', str(memory), '-object',
            f'memory-backend-memfd,id=ram,size={memory}M', '-nodefaults',
            '-display', 'none', '-no-reboot', '-serial', 'stdio',
            '-kernel', Settings.probe, '-device',
            f'x-pci-proxy-dev,fd={there.fileno()}', '-device',
            'isa-debug-exit'], [there.fileno()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.read_until(b'@@ devices 1')

    def read_until(self, start):
        for line in self.program.process.stdout:
            if line.startswith(b'@@ gave-up'):
                break
            if line.startswith(start):
                return line
        raise AssertionError(f'{self.program.name} says no more: '
                             + self.program.errors)

    def do(self, command, *numbers):
        words = [command, *(f'{number:x}' for number in numbers)]
        stdin = self.program.process.stdin
        stdin.write(' '.join(words).encode() + b'\n')
        stdin.flush()
        return int(self.read_until(b'=').split()[1], 16)

    def read(self, addr):
        return self.do('r', addr)

    def write(self, addr, value):
        self.do('w', addr, value)

    def end(self):
        stdin = self.program.process.stdin
        stdin.write(b'q\n')
        stdin.flush()
        return self.program.wait(10)


BAR, BUFFER = 0xe0000000, 0x40000
LIVENESS, RUN, TO_MEMORY = 0x04, 1, 2
MIB = 1 << 20


class TwoMachines(unittest.TestCase):
    """One process has a device of each of two machines."""

    def setUp(self):
        pairs = [socket.socketpair() for _ in range(2)]
        command = [Settings.remote, '-machine', 'x-remote', '-nodefaults',
                   '-display', 'none']
        for number, (_, there) in enumerate(pairs):
            command += ['-device', f'edu,id=edu{number}', '-object',
                        f'x-remote-object,id=robj{number},'
                        f'devid=edu{number},fd={there.fileno()}']
        self.remote = Program('device process', command,
                              [there.fileno() for _, there in pairs])
        self.addCleanup(self.remote.process.kill)
        # The second machine has memory where the first has none.
        self.guests = [Guest(f'machine {number}', pairs[number][0], memory)
                       for number, memory in enumerate((64, 128))]
        for guest in self.guests:
            self.addCleanup(guest.program.process.kill)
        for here, there in pairs:
            here.close()
            there.close()

    def copy(self, guest, source, to, length=4, bar=BAR):
        """By the device's DMA, through its buffer."""
        guest.do('d', bar, source, BUFFER, length, RUN)
        guest.do('d', bar, BUFFER, to, length, RUN | TO_MEMORY)

    def test_dma_at_one_address_reaches_own_memory(self):
        for number, guest in enumerate(self.guests):
            guest.write(32 * MIB, 0x1111 * (number + 1))
        for number, guest in enumerate(self.guests):
            self.copy(guest, 32 * MIB, 33 * MIB)
            self.assertEqual(guest.read(33 * MIB), 0x1111 * (number + 1))

    def test_dma_writes_leave_the_other_machine_alone(self):
        one, other = self.guests
        for guest in self.guests:
            guest.write(32 * MIB, 0x5afe)
            guest.write(34 * MIB, 0xbad)
        self.copy(one, 34 * MIB, 32 * MIB)
        self.assertEqual(one.read(32 * MIB), 0xbad)
        self.assertEqual(other.read(32 * MIB), 0x5afe)

    def test_memory_that_only_the_other_has_is_out_of_reach(self):
        one, other = self.guests
        other.write(96 * MIB, 0x5ec2e7)
        one.write(34 * MIB, 0xbad)
        one.do('d', BAR, 96 * MIB, BUFFER, 4, RUN)
        one.do('d', BAR, BUFFER, 33 * MIB, 4, RUN | TO_MEMORY)
        self.assertNotEqual(one.read(33 * MIB), 0x5ec2e7)
        self.copy(one, 34 * MIB, 96 * MIB)
        self.assertEqual(other.read(96 * MIB), 0x5ec2e7)

    def test_bars_at_one_address_are_two(self):
        for number, guest in enumerate(self.guests):
            guest.write(BAR + LIVENESS, number)
        for number, guest in enumerate(self.guests):
            self.assertEqual(guest.read(BAR + LIVENESS), ~number & 0xffffffff)

    def test_bar_of_the_other_is_out_of_reach_of_dma(self):
        one, other = self.guests
        for at in (0xe0000000, 0xe8000000):
            devfn = next(devfn for devfn in range(0, 256, 8)
                         if other.do('c', devfn, 0, 4) == 0x11e81234)
            other.do('C', devfn, 0x10, 4, at)
            other.write(at + LIVENESS, 7)
            one.write(34 * MIB, 0xbad)
            self.copy(one, 34 * MIB, at + LIVENESS)
            self.assertEqual(other.read(at + LIVENESS), 0xfffffff8)

    def test_one_ends_and_the_other_goes_on(self):
        one, other = self.guests
        other.write(32 * MIB, 0xfeed)
        self.assertEqual(one.end(), GOOD)
        for number in range(20):
            other.write(32 * MIB, number)
            self.copy(other, 32 * MIB, 33 * MIB)
            self.assertEqual(other.read(33 * MIB), number)
        self.assertEqual(other.end(), GOOD)
        self.assertEqual(self.remote.wait(10), 0)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', required=True, metavar='BINARY')
    parser.add_argument('--remote', required=True, metavar='BINARY')
    parser.add_argument('--payloads', required=True, metavar='DIR',
                        help='where irq.elf and probe.elf are')
    parser.add_argument('only', nargs='*', metavar='CLASS[.TEST]')
    args = parser.parse_args()
    Settings.main = os.path.realpath(args.main)
    Settings.remote = os.path.realpath(args.remote)
    Settings.irq = os.path.join(args.payloads, 'irq.elf')
    Settings.probe = os.path.join(args.payloads, 'probe.elf')
    if lab.no_kvm():
        return tap.skip_all(lab.no_kvm())
    return tap.run_own(args.only or ['Many', 'TwoMachines'])


if __name__ == '__main__':
    sys.exit(main())
