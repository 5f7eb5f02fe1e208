#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The shell blocks of docs/ that are marked "run" say what the text block
after each of them shows."""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from chapter import blocks  # noqa: E402

DOCS = os.path.join(here, '..', '..', 'docs')
LIMIT = 60


def without_excuses(text):
    """Standard error but for what this host does not let a sandbox do."""
    return ''.join(line for line in text.splitlines(True)
                   if 'sandbox: going on without' not in line)


class Session(unittest.TestCase):
    def __init__(self, where, commands, shows, program):
        super().__init__('test')
        self.where, self.commands = where, commands
        self.shows, self.program = shows, program

    def id(self):
        return self.where

    def test(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, 'build'))
            os.symlink(self.program, os.path.join(folder, 'build',
                                                  'qemu-system-x86_64'))
            done = subprocess.run(
                ['bash', '-e', '-c', self.commands], cwd=folder, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=LIMIT)
        self.assertEqual(done.stdout, self.shows, done.stderr)
        self.assertEqual((done.returncode, without_excuses(done.stderr)),
                         (0, ''))


def main():
    args = argparse.ArgumentParser()
    args.add_argument('--program', required=True)
    args = args.parse_args()
    suite = unittest.TestSuite()
    for page in sorted(glob.glob(os.path.join(DOCS, '*', '*.md'))):
        found = list(blocks(page))
        for (language, word, line, text), after in zip(found, found[1:]):
            if (language, word) == ('sh', 'run'):
                where = f'{os.path.basename(page)}:{line}'
                assert after[0] == 'text', f'{where}: what does it show?'
                suite.addTest(Session(where, text, after[3],
                                      os.path.realpath(args.program)))
    return tap.run(suite)


if __name__ == '__main__':
    sys.exit(main())
