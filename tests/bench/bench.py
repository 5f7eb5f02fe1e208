#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure device processes beside the distribution's QEMU, in the same run.

Groups: access (MMIO and config accesses of a guest), irq (interrupts), nvme
(disk I/O, beside fio), start (start and memory), boot (Debian and SeaBIOS),
idle, box (with and without -sandbox).  Without names all are measured, which
takes some minutes on an idle machine.  Values are medians; in brackets the
least and the greatest seen.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from common import DISTRIBUTION, OURS, Gone, Results, say
from mpqemu_test import lab
import boot
import box
import disks
import guest_times
import plot
import report
import start

GROUPS = {'access': guest_times.access, 'irq': guest_times.irq,
          'nvme': disks.nvme, 'start': start.start, 'boot': boot.boot_group,
          'idle': guest_times.idle, 'box': box.box}
NEEDS_KVM = ('access', 'irq', 'boot', 'idle')


class Scratch:
    """Where images are, on tmpfs and on the disk."""

    def __init__(self, fast, disk):
        self.fast = fast
        self.disk = disk

    def image(self, mib, name='image', directory=None):
        """Path of a disk image that is full of data, made once; one with a
        name of its own is empty."""
        path = os.path.join(directory or self.fast, f'{name}-{mib}.raw')
        if os.path.exists(path):
            return path
        with open(path, 'wb') as file:
            if name == 'image':
                for _ in range(mib):
                    file.write(os.urandom(1 << 20))
                os.fsync(file.fileno())
            else:
                file.truncate(mib << 20)
        return path


def write_json(path, results):
    if path:
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({
                'cpus': os.cpu_count(),
                'results': results.to_json(), 'notes': results.notes,
                'goals': [dict(zip(('what', 'measured', 'compare', 'limit',
                                    'reached'), row))
                          for row in report.goals(results)]},
                      file, indent=1)
            file.write('\n')


def write_plots(folder, results):
    os.makedirs(folder, exist_ok=True)
    drawn = plot.charts(results)
    for name, text in drawn.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
            file.write(text)
    return drawn


def where():
    """What the run was made on, as a sentence."""
    version = subprocess.run([DISTRIBUTION, '--version'], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    return (f'{os.cpu_count()} CPUs, kernel {os.uname().release}, '
            f'{"a" if lab.own_kvm()[0] else "a software"} KVM; the '
            "distribution's QEMU "
            f'{re.search(r"version ([0-9.]+)", version)[1]}; device processes '
            'boxed in, as they are by default.')


def main():
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--json', metavar='FILE', help='write all values')
    parser.add_argument('--add', metavar='FILE',
                        help='show what --json wrote before, too, but for the '
                        'groups measured now')
    parser.add_argument('--plots', metavar='DIR', help='write charts as SVG')
    parser.add_argument('--table', metavar='FILE',
                        help='write the tables also to a file')
    parser.add_argument('--page', metavar='FILE',
                        help='put the run into a page, with run.json and '
                        'plots in the folder named like it')
    parser.add_argument('--disk', metavar='DIR', default='/var/tmp',
                        help='a directory on a disk (default: %(default)s)')
    parser.add_argument('--quick', action='store_true',
                        help='one round of each, for a first look')
    parser.add_argument('groups', nargs='*', metavar='GROUP',
                        help=', '.join(GROUPS))
    args = parser.parse_args()
    for group in args.groups:
        if group not in GROUPS:
            parser.error(f'no {group}: there are {", ".join(GROUPS)}')
    for program in OURS, DISTRIBUTION:
        if not shutil.which(program):
            sys.exit(f'bench: there is no {program}')
    if args.page and not report.has_place(args.page):
        parser.error(f'{args.page} has no lines that the run goes between')
    results = Results()
    if args.add:
        with open(args.add, encoding='utf-8') as file:
            results.load(json.load(file), args.groups or GROUPS)
    with tempfile.TemporaryDirectory(dir='/dev/shm') as fast, \
            tempfile.TemporaryDirectory(dir=args.disk) as disk:
        for group in args.groups or GROUPS:
            if group in NEEDS_KVM and not os.access('/dev/kvm', os.W_OK):
                results.note(f'{group}: there is no /dev/kvm')
                continue
            begin = time.monotonic()
            say(f'== measuring {group}')
            try:
                GROUPS[group](results, Scratch(fast, disk), args.quick)
            except (OSError, Gone) as error:
                results.note(f'{group}: broken off: {error!r}')
            say(f'   {time.monotonic() - begin:.0f} s')
            write_json(args.json, results)
    out = report.text(results)
    print(out)
    if args.table:
        with open(args.table, 'w', encoding='utf-8') as file:
            file.write(out + '\n')
    if args.plots:
        write_plots(args.plots, results)
    if args.page:
        folder = os.path.splitext(args.page)[0]
        drawn = write_plots(folder, results)
        write_json(os.path.join(folder, 'run.json'), results)
        report.put_in_page(args.page, report.page(
            results, where(), os.path.basename(folder),
            [(name, group, title) for name, group, title, _ in plot.CHARTS
             if name in drawn]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
