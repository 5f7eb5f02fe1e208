#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the table of pairings from the log of a run of their tests.

    pairings.py BASE.json

The tests say what they paired by their names: WHERE MACHINE DEVICE main=MAIN
remote=REMOTE, then WHAT where there are several.  A cell without a test has
failed.  The exit status is 0 if no cell has.
"""
import itertools
import json
import re
import sys

from tally import cases

PAIRS = list(itertools.product(('ours', 'dist'), repeat=2))
WHATS = {'host': {'boot-sector': 'SeaBIOS, boot sector',
                  'grub': 'GRUB, ext4'},
         'nested': {None: 'Linux, ext4'}}
WORDS = {'passed': 'ok', 'failed': 'FAILED', 'skipped': 'skipped',
         None: 'FAILED'}
NAME = re.compile(r'(host|nested) (\S+) (\S+) main=(\S+) remote=(\S+)'
                  r'(?: (\S+))?$')


def read(path):
    """{(where, machine, device, main, remote, what): (verdict, why)}"""
    found = {}
    with open(path, encoding='utf-8') as log:
        for line in log:
            for name, verdict, why in cases(json.loads(line)['stdout']):
                match = NAME.match(name)
                if match:
                    found[match.groups()] = verdict, why
    return found


def rows():
    for where, whats in WHATS.items():
        for machine, device, what in itertools.product(
                ('q35', 'pc'), ('nvme', 'lsi53c895a'), whats):
            yield where, machine, device, what


def main():
    try:
        found = read(sys.argv[1])
    except FileNotFoundError:
        sys.exit(f'{sys.argv[1]}: no test ran')
    lines = [['KVM', 'machine', 'device', 'what runs',
              *(f'{main} / {remote}' for main, remote in PAIRS)]]
    lines.append(['---'] * len(lines[0]))
    bad, reasons = False, []
    for where, machine, device, what in rows():
        line = [where, machine, device, WHATS[where][what]]
        for main, remote in PAIRS:
            verdict, why = found.get(
                (where, machine, device, main, remote, what),
                (None, 'no result'))
            bad |= verdict in ('failed', None)
            line.append(WORDS[verdict])
            reasons += [f'{WORDS[verdict]}: {why}'] if why else []
        lines.append(line)
    widths = [max(map(len, column)) for column in zip(*lines)]
    print('Main process / device process:\n')
    for line in lines:
        print('| ' + ' | '.join(cell.ljust(width) for cell, width
                                in zip(line, widths)) + ' |')
    for reason in dict.fromkeys(reasons):
        print(f'\n{reason} ({reasons.count(reason)} times)')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
