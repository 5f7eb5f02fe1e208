#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""MAINTAINERS: every file of the tree has a section, every pattern a file."""
import fnmatch
import os
import re
import subprocess
import sys
import unittest

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.realpath(os.path.join(here, '..', '..'))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402


def tracked():
    done = subprocess.run(['git', '-C', top, '-c', f'safe.directory={top}',
                           'ls-files'], stdout=subprocess.PIPE, text=True)
    return done.stdout.split('\n')[:-1] if done.returncode == 0 else None


def patterns():
    with open(os.path.join(top, 'MAINTAINERS'), encoding='utf-8') as text:
        return re.findall(r'^[FT]: (\S+)$', text.read(), re.M)


def matches(pattern, path):
    """As upstream: a folder stands for what is in it."""
    return fnmatch.fnmatchcase(path, pattern + '*' if pattern.endswith('/')
                               else pattern)


class Maintainers(unittest.TestCase):
    def setUp(self):
        self.files = tracked()
        if self.files is None:
            self.skipTest('not a git checkout')

    def test_every_file_has_a_section(self):
        self.assertEqual([path for path in self.files if not
                          any(matches(p, path) for p in patterns())], [])

    def test_every_pattern_has_a_file(self):
        self.assertEqual([p for p in patterns() if not
                          any(matches(p, path) for path in self.files)], [])


if __name__ == '__main__':
    sys.exit(tap.run_own())
