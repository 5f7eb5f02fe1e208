#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Count the test cases in the logs of "meson test".

    tally.py [--broken N] [--unhappy N] BASE.json...

A test that speaks the Test Anything Protocol counts by its lines, any other
as one.  A test that went wrong without a line that says so (it crashed, ran
too long, or ran fewer cases than planned) counts as one failure more.  So
do the broken steps, and there are no fewer failures than unhappy runs.  The
last line printed is "N passed, N failed, N skipped".
Each failure is followed by the comments below its line.
"""
import argparse
import itertools
import json
import re
import sys

CASE = re.compile(r'^(not )?ok\b(?: +\d+)?(?: *- *| +)?([^#]*?) *'
                  r'(?:# *(skip|todo)\S*\s*(.*))?$', re.I)


def cases(stdout):
    """(name, 'passed' | 'failed' | 'skipped', why) of each TAP line."""
    lines = stdout.splitlines()
    for number, line in enumerate(lines, 1):
        match = CASE.match(line)
        if match:
            bad, name, directive, why = match.groups()
            if directive and directive.lower() == 'skip':
                yield name, 'skipped', why
            elif bad:
                yield name, 'failed', '\n'.join(itertools.takewhile(
                    lambda line: line.startswith('#'), lines[number:]))
            else:
                yield name, 'passed', ''


def last_lines(test):
    said = test.get('stdout', '') + test.get('stderr', '')
    return [f'# {line}' for line in said.splitlines()[-20:]]


def tally(path):
    with open(path, encoding='utf-8') as log:
        for line in log:
            test = json.loads(line)
            found = list(cases(test.get('stdout', '')))
            yield from ((f'{test["name"]} {name}', verdict, why)
                        for name, verdict, why in found)
            result = test['result']
            if result in ('OK', 'EXPECTEDFAIL'):
                if not found:
                    yield test['name'], 'passed', ''
            elif result == 'SKIP':
                if not found:
                    yield test['name'], 'skipped', 'exit status 77'
            elif not any(verdict == 'failed' for _, verdict, _ in found):
                yield (test['name'], 'failed',
                       '\n'.join([result, *last_lines(test)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--broken', type=int, default=0)
    parser.add_argument('--unhappy', type=int, default=0)
    parser.add_argument('logs', nargs='*')
    args = parser.parse_args()
    count = {'passed': 0, 'failed': args.broken, 'skipped': 0}
    for path in args.logs:
        for name, verdict, why in tally(path):
            count[verdict] += 1
            if verdict == 'skipped':
                print(f'skipped: {name} ({why})')
            elif verdict == 'failed':
                print(f'failed: {name}', *why.splitlines()[:60], sep='\n')
    count['failed'] = max(count['failed'], args.unhappy)
    print(', '.join(f'{number} {what}' for what, number in count.items()))
    return 1 if count['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
