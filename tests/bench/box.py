# SPDX-License-Identifier: GPL-2.0-or-later
"""Group box: what it costs that processes are boxed in (-sandbox).

A pair of processes or machines, one boxed in and one not, does the same job
turn by turn, a few milliseconds each, so that what the machine does otherwise
happens to both.  What a pair says is the median of the ratios of its turns.
Where its memory happens to lie makes a pair faster or slower by more than the
box does, so there are many pairs, and the result is the median of what they
say, with the interval that has the true one in 95 of 100 cases.

The box costs time at system calls only.  So the same is also counted: how many
a job takes of the boxed-in process, times what each takes more in a box.
"""
import contextlib
import ctypes
import json
import math
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys

from common import BUILT, OURS, TOP, Device
from guest_times import tsc_ghz
from mpqemu_test.pair import Disk, Machine
import wire

sys.path.insert(0, os.path.join(TOP, 'tests', 'redteam'))
import redteam  # noqa: E402  pylint: disable=wrong-import-position

CLIENT = os.path.join(BUILT, 'bench', 'bench-nvme')
RED = os.path.join(BUILT, 'redteam', 'qemu-system-x86_64-redteam')
IN, OUT = 'boxed in', 'not'
SANDBOX = {IN: ('-sandbox', 'on'), OUT: ('-sandbox', 'off')}
BAR = 0xfe000000
LIMIT = 30
#: Reads, so many that what the guest does to hear of them does not count.
MANY = 3000


def interval(values):
    """(median, from, to): of the order statistics those that have the median
    of all such values between them in 95 of 100 cases or more."""
    seen = sorted(values)
    n = len(seen)
    k, tail = 0, 2
    while k + 1 < n / 2 and 20 * (tail + 2 * math.comb(n, k + 1)) <= 2 ** n:
        k += 1
        tail += 2 * math.comb(n, k)
    return statistics.median(seen), seen[k], seen[n - 1 - k]


def turns(jobs, number):
    """{way: values} of number turns; who goes first alternates."""
    seen = {way: [] for way in jobs}
    for turn in range(number):
        for way in list(jobs)[::1 if turn % 2 else -1]:
            seen[way].append(jobs[way]())
    return seen


class Count(contextlib.AbstractContextManager):
    """The system calls of a process's threads, where the kernel and this
    user's rights allow that they are counted (perf_event_open(2))."""
    TRACEPOINT, SYS_PERF_EVENT_OPEN = 2, 298
    ID = '/sys/kernel/tracing/events/raw_syscalls/sys_enter/id'

    def __init__(self, pid):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fds = []
        if not os.access(self.ID, os.R_OK):
            return
        with open(self.ID, encoding='ascii') as file:
            attr = struct.pack('<IIQ48x', self.TRACEPOINT, 64,
                               int(file.read()))
        for task in os.listdir(f'/proc/{pid}/task'):
            fd = libc.syscall(self.SYS_PERF_EVENT_OPEN, attr, int(task), -1,
                              -1, 0)
            self.fds += [fd] if fd >= 0 else []

    def __exit__(self, *_):
        for fd in self.fds:
            os.close(fd)

    def read(self):
        return sum(struct.unpack('<Q', os.read(fd, 8))[0] for fd in self.fds)


class Pairs:
    """What all pairs say of one job."""

    def __init__(self, what, unit):
        self.what = what
        self.unit = unit
        self.ratios = []
        self.calls = []
        self.medians = {IN: [], OUT: []}

    def measure(self, jobs, number, count=None, pids=()):
        """count() does the boxed-in one's job, the processes pids', and says
        how often."""
        seen = turns(jobs, number)
        self.ratios.append(statistics.median(
            inside / outside for inside, outside in zip(seen[IN], seen[OUT])))
        for way, values in seen.items():
            self.medians[way].append(statistics.median(values))
        # Not before: calls that are counted take longer.
        with contextlib.ExitStack() as stack:
            counts = [stack.enter_context(Count(pid)) for pid in pids]
            if counts and all(seen.fds for seen in counts):
                times = count()
                self.calls.append(sum(seen.read() for seen in counts) / times)

    def add_to(self, results):
        for way, values in self.medians.items():
            for value in values:
                results.add('box', self.what, way, value, self.unit)
        for who, value in zip(('boxed in / not', 'from', 'to'),
                              interval(self.ratios)):
            results.add('box ratio', self.what, who, value, '')
        if self.calls and any(self.calls):
            calls = statistics.median(self.calls)
            more = calls * price(results)
            results.add('box ratio', self.what, 'system calls', calls, '')
            results.add('box ratio', self.what, 'at most of them', 1 + more / 1000
                        / statistics.median(self.medians[OUT]), '')


def price(results):
    """What a system call of a process that serves takes more, in ns."""
    return statistics.median(
        results.median('box calls', what, IN)
        - results.median('box calls', what, OUT)
        for group, what in results.values if group == 'box calls')


# -- The price of a system call ----------------------------------------------

class Red(contextlib.AbstractContextManager):
    """A process with x-redteam, which times its own system calls."""

    def __init__(self, way):
        self.remote = wire.Remote(RED, ['x-redteam'], more=[
            '-drive', 'if=none,id=d,driver=null-co,size=1M', '-device',
            'nvme,drive=d,serial=1', *SANDBOX[way]])
        self.link = self.remote.links[0]
        self.link.config_write(0x10, BAR)
        self.link.config_write(4, 2)
        self.names = redteam.names_of(
            lambda at, value: self.link.write(BAR + at, value, 8),
            lambda at: self.link.read(BAR + at, 1))

    def __exit__(self, *_):
        self.remote.end()

    def time(self, name, times=2000):
        """Nanoseconds of one call."""
        self.link.write(BAR + redteam.ARG0, times, 8)
        self.link.write(BAR + redteam.COMMAND, self.names.index(name), 8)
        return self.link.read(BAR + redteam.RESULT, 8) / times


def calls(results, pairs, number):
    with Red(IN) as red:
        timed = [n for n in red.names if n.startswith('time ')
                 and n != 'time ioctl']         # which is none of its calls
    seen = {name: Pairs(name[5:] + '()', 'ns') for name in timed}
    for _ in range(pairs):
        with Red(IN) as inside, Red(OUT) as outside:
            for name in timed:
                seen[name].measure(
                    {IN: lambda name=name: inside.time(name),
                     OUT: lambda name=name: outside.time(name)}, number)
    for one in seen.values():
        for way, values in one.medians.items():
            for value in values:
                results.add('box calls', one.what, way, value, 'ns')


# -- Disk I/O, by the wire ---------------------------------------------------

class Client(contextlib.AbstractContextManager):
    """A device process and what drives it, a job at a time."""

    def __init__(self, image, way):
        self.device = Device(OURS, [image], more=SANDBOX[way])
        self.device.first_answer()
        end = self.device.links[0].socket
        self.client = subprocess.Popen(
            [CLIENT, '--fd', str(end.fileno()), '--spin', '100000', '--ask'],
            pass_fds=[end.fileno()], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def __exit__(self, *_):
        self.client.stdin.close()
        self.client.wait(LIMIT)
        self.client.stdout.close()
        self.device.__exit__()

    def time(self, job, seconds=0.02):
        """Microseconds an I/O."""
        self.client.stdin.write(f'{job}:{seconds}\n')
        self.client.stdin.flush()
        return 1e6 / json.loads(self.client.stdout.readline())['iops']


def disks(results, images, pairs, number):
    """Each image is now the one's, now the other's."""
    for what, job in (('read, depth 1', 'randread:4096:1'),
                      ('read, depth 32', 'randread:4096:32'),
                      ('write, depth 32', 'randwrite:4096:32')):
        seen = Pairs(f'4 KiB random {what}', 'us')
        for pair in range(pairs):
            with Client(images[pair % 2], IN) as inside, \
                    Client(images[1 - pair % 2], OUT) as outside:
                seen.measure({IN: lambda: inside.time(job),
                              OUT: lambda: outside.time(job)}, number,
                             lambda: 2e4 / inside.time(job),
                             [inside.device.pid])
        seen.add_to(results)


# -- Start -------------------------------------------------------------------

def answered(image, way):
    """Milliseconds from the start of a process to its first answer."""
    with Device(OURS, [image], links=1, more=SANDBOX[way]) as device:
        return device.first_answer() * 1000


def starts(results, image, pairs, number):
    seen = Pairs('start to the first answer', 'ms')
    for _ in range(pairs):
        seen.measure({IN: lambda: answered(image, IN),
                      OUT: lambda: answered(image, OUT)}, number)
    seen.add_to(results)


# -- Registers, by a guest ---------------------------------------------------

class Guest(contextlib.AbstractContextManager):
    """A machine that does what it is told (tests/guest/probe.c), stopped
    between: it would look for the next command all the time."""

    def __init__(self, image, way):
        self.ghz = tsc_ghz()
        self.machine = Machine(
            OURS, OURS, [[Disk(f'{image},readonly=on', 'bench', 4)]], memory=64,
            kernel=os.path.join(BUILT, 'guest', 'probe.elf'), cpu='qemu64',
            extra=['-device', 'isa-debug-exit', *SANDBOX[way]],
            remote_extra=SANDBOX[way])
        self.machine.__enter__()
        self.answer(r'^@@ devices.*\n')
        self.signal(signal.SIGSTOP)
        for command in (f'C 20 10 4 {BAR:x}', 'C 20 14 4 0', 'C 20 4 2 6'):
            self.tell(command)

    def __exit__(self, *_):
        self.machine.__exit__()

    def signal(self, number):
        os.kill(self.machine.main.pid, number)

    def answer(self, pattern):
        found = self.machine.expect(pattern, LIMIT)
        if not found:
            raise OSError('the guest does not answer: '
                          + self.machine.report())
        return found

    def tell(self, command):
        self.machine.console = ''
        self.signal(signal.SIGCONT)
        self.machine.say(command + '\n')
        said = self.answer(r'^= ([0-9a-f]+)\r?\n')[1]
        self.signal(signal.SIGSTOP)
        return int(said, 16)

    def time(self, times=300):
        """Microseconds a read."""
        return self.tell(f't {BAR + 8:x} {times:x}') / times / self.ghz / 1000


def registers(results, image, pairs, number):
    seen = Pairs('MMIO read, both processes', 'us')
    for _ in range(pairs):
        with Guest(image, IN) as inside, Guest(image, OUT) as outside:
            seen.measure({IN: inside.time, OUT: outside.time}, number,
                         lambda: inside.time(MANY) and MANY,
                         [inside.machine.main.pid,
                          inside.machine.remotes[0].pid])
    seen.add_to(results)


def box(results, scratch, quick):
    image = scratch.image(64)
    pairs, number = (3, 4) if quick else (80, 20)
    calls(results, *((2, 4) if quick else (6, 20)))
    starts(results, image, pairs, number // 4)
    disks(results, [image, shutil.copy(image, image + '.copy')], pairs, number)
    if os.access('/dev/kvm', os.W_OK):
        registers(results, image, pairs, number)
    else:
        results.note('box: there is no /dev/kvm')
