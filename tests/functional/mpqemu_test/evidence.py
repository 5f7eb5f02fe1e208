# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel can tell from outside about who raised an interrupt.

KVM's trace point kvm_set_irq names the source of every level change of an
interrupt line.  Source 1 is an irqfd with a resample descriptor: some process
wrote an eventfd and KVM delivered it.  Source 0 is the VMM's own ioctl.
"""
import os

_EVENT = '/sys/kernel/tracing/events/kvm/kvm_set_irq'
_HISTOGRAM = 'hist:keys=gsi,level,irq_source_id:size=512'

IOCTL, IRQFD = 0, 1


class InterruptLines:
    """Counts while in 'with'; seen says whether this kernel lets us."""

    def __init__(self):
        self.counts = {}
        self.seen = os.access(f'{_EVENT}/trigger', os.W_OK)

    def __enter__(self):
        if self.seen:
            self._write('trigger', _HISTOGRAM)
        return self

    def __exit__(self, *_):
        if self.seen:
            self.counts = self.read()
            self._write('trigger', '!' + _HISTOGRAM)

    @staticmethod
    def _write(name, text):
        with open(f'{_EVENT}/{name}', 'w', encoding='ascii') as file:
            file.write(text)

    @staticmethod
    def read():
        """{(gsi, level, source): how often}"""
        counts = {}
        with open(f'{_EVENT}/hist', encoding='ascii') as file:
            for line in file:
                if not line.startswith('{ gsi:'):
                    continue
                words = line.replace('{', ' ').replace('}', ' ') \
                            .replace(',', ' ').replace(':', ' ').split()
                pairs = dict(zip(words[::2], words[1::2]))
                key = (int(pairs['gsi']), int(pairs['level']),
                       int(pairs['irq_source_id']))
                counts[key] = int(pairs['hitcount'])
        return counts

    def raised(self, gsi, source):
        """How often that source raised that line."""
        return self.counts.get((gsi, 1, source), 0)


def open_files(pid):
    """[(descriptor, what it is)], in order."""
    folder = f'/proc/{pid}/fd'
    found = []
    for name in sorted(map(int, os.listdir(folder))):
        try:
            found.append((name, os.readlink(f'{folder}/{name}')))
        except OSError:
            continue
    return found


def mappings(pid):
    """{what is mapped: bytes}, for files, memory files and devices."""
    sizes = {}
    with open(f'/proc/{pid}/maps', encoding='utf-8') as file:
        for line in file:
            fields = line.split(None, 5)
            if len(fields) == 6 and not fields[5].startswith('['):
                start, end = (int(x, 16) for x in fields[0].split('-'))
                name = fields[5].strip().removesuffix(' (deleted)')
                sizes[name] = sizes.get(name, 0) + end - start
    return sizes


def status(pid):
    """The fields of /proc/PID/status."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file
                    if ':\t' in line)
