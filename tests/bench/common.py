# SPDX-License-Identifier: GPL-2.0-or-later
"""What the groups of measurements share: who is measured, and results."""
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
sys.path.insert(0, os.path.join(TOP, 'tests', 'functional'))
sys.path.insert(0, os.path.join(TOP, 'tests', 'interop'))
# pylint: disable=wrong-import-position
from mpqemu_test.pair import DISTRIBUTION, end_with_parent  # noqa: E402
from wire import Gone, Link  # noqa: E402

OURS = os.path.join(TOP, 'build', 'qemu-system-x86_64')
BUILT = os.path.join(TOP, 'build', 'tests')

#: (name in the results, main process, device process)
PAIRS = [('ours', OURS, OURS), ('dist', DISTRIBUTION, DISTRIBUTION),
         ('ours+dist', OURS, DISTRIBUTION), ('dist+ours', DISTRIBUTION, OURS)]
REMOTES = [('ours', OURS), ('dist', DISTRIBUTION)]


class Results:
    """All values that were seen, by group, what was measured, and of whom."""

    def __init__(self):
        self.values = {}
        self.units = {}
        self.notes = []

    def add(self, group, what, who, value, unit):
        self.units[group, what] = unit
        self.values.setdefault((group, what), {}) \
            .setdefault(who, []).append(value)

    def median(self, group, what, who):
        seen = self.values.get((group, what), {}).get(who)
        return statistics.median(seen) if seen else None

    def note(self, text):
        """Something that went wrong and was left out."""
        self.notes.append(text)
        say(f'   {text}')

    def load(self, written, but):
        """What to_json() gave, without the groups named in but."""
        for row in written['results']:
            if row['group'].split()[0] not in but:
                for value in row['values']:
                    self.add(row['group'], row['what'], row['who'], value,
                             row['unit'])
        self.notes += [note for note in written['notes']
                       if note.split(':')[0] not in but]

    def to_json(self):
        rows = []
        for (group, what), by_who in self.values.items():
            for who, seen in by_who.items():
                rows.append({
                    'group': group, 'what': what, 'who': who,
                    'unit': self.units[group, what],
                    'median': statistics.median(seen), 'min': min(seen),
                    'max': max(seen), 'values': seen})
        return rows


def say(text):
    print(text, file=sys.stderr, flush=True)


class Device(contextlib.AbstractContextManager):
    """A remote process with NVMe disks, one connection each."""

    def __init__(self, program, images, options='', links=None,
                 functions=False, more=()):
        ends = [socket.socketpair() for _ in images]
        command = [program, '-machine', 'x-remote', '-nodefaults', '-display',
                   'none', *more]
        for number, image in enumerate(images):
            there = ends[number][1]
            command += [
                '-drive', f'id=d{number},if=none,format=raw,file={image}'
                          + options,
                '-device', f'nvme,id=n{number},drive=d{number},serial=bench'
                           + (f',addr={8 + number // 8:#x}.{number % 8},'
                              'multifunction=on' if functions else ''),
                '-object', f'x-remote-object,id=r{number},devid=n{number},'
                           f'fd={there.fileno()}']
        self.said = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=self.said,
            pass_fds=[there.fileno() for _, there in ends],
            preexec_fn=end_with_parent if links is None else None)
        for _, there in ends:
            there.close()
        self.links = [Link(here) for here, _ in ends]
        self.pid = self.process.pid

    def first_answer(self):
        """Seconds from the start until all its devices answer."""
        try:
            for link in self.links:
                link.config_read(0)
        except Gone:
            raise Gone(self.last_words()) from None
        return time.monotonic() - self.started

    def last_words(self):
        """How a process ended that has closed its connection, and why."""
        try:
            status = f'status {self.process.wait(5)}'
        except subprocess.TimeoutExpired:
            status = 'still running'
        self.said.seek(0)
        said = self.said.read().decode(errors='replace').strip()
        return f'{self.process.args[0]}, {status}: {said}'

    def __exit__(self, *_):
        for link in self.links:
            link.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.close()


def memory(pid):
    """(resident, private) bytes of a process."""
    seen = {}
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        for line in list(file)[1:]:
            name, value = line.split()[:2]
            seen[name] = int(value) << 10
    return (seen['Rss:'], seen['Private_Clean:'] + seen['Private_Dirty:'])


def threads(pid):
    return len(os.listdir(f'/proc/{pid}/task'))


def activity(pid):
    """{thread: (CPU seconds, times that it was put on a CPU)} so far."""
    seen = {}
    for task in os.listdir(f'/proc/{pid}/task'):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f'/proc/{pid}/task/{task}/schedstat',
                     encoding='ascii') as file:
            ran, _, times = file.read().split()
            seen[task] = int(ran) / 1e9, int(times)
    return seen


def spent(was, now):
    """(CPU seconds, wake-ups) between two activities: of a thread that has
    ended what it did last is not known, a new one has done all it did."""
    parts = [[b - a for a, b in zip(was.get(task, (0, 0)), seen)]
             for task, seen in now.items()]
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


__all__ = ['BUILT', 'DISTRIBUTION', 'Device', 'Gone', 'OURS', 'PAIRS',
           'REMOTES', 'Results', 'TOP', 'activity', 'memory', 'say', 'spent',
           'threads']
