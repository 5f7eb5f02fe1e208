# SPDX-License-Identifier: GPL-2.0-or-later
"""A test that writes files and starts an emulator with them."""
import os
import subprocess
import tempfile
import unittest


class Case(unittest.TestCase):
    """One with a directory in memory, self.scratch, while it runs."""
    program = None              # the emulator; for the program's main to say

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(dir='/dev/shm')
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def path(self, name, content):
        """Where a new file with this content is."""
        path = os.path.join(self.scratch, name)
        with open(path, 'wb') as file:
            file.write(content)
        return path

    def refused(self, wanted, *options):
        """The emulator ends with 1 and says wanted."""
        done = subprocess.run(
            [self.program, '-display', 'none', '-m', '64', *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=20, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn(wanted, done.stderr)
