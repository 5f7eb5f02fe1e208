#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A device process that comes right after another one, with the same image:
that one ended, or was killed in the midst of I/O.  No guest, no KVM."""
import fcntl
import os
import struct
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
import wire  # noqa: E402
from nvme_driver import Nvme  # noqa: E402

PROGRAM = None
ROUNDS = 20
F_OFD_GETLK = 36
#: struct flock: type, whence, start, length, pid
LOCK = 'hhqqi4x'


def is_locked(path):
    with open(path, 'r+b') as file:
        asked = struct.pack(LOCK, fcntl.F_WRLCK, 0, 100, 200, 0)
        answer = fcntl.fcntl(file, F_OFD_GETLK, asked)
    return struct.unpack(LOCK, answer)[0] != fcntl.F_UNLCK


class Restart(unittest.TestCase):
    def setUp(self):
        file = tempfile.NamedTemporaryFile(prefix='restart-')
        file.truncate(64 << 20)
        self.addCleanup(file.close)
        self.image = file.name

    def start(self):
        remote = wire.Remote(PROGRAM, ['nvme,serial=1,drive=d'], more=[
            '-drive', f'if=none,id=d,format=raw,file={self.image},'
                      'aio=io_uring'])
        try:
            # Its first answer, or its last words.
            driver = Nvme(remote.links[0])
        except wire.Gone:
            _, text = remote.end()
            if 'does not allow io_uring' in text:
                self.skipTest(text)
            self.fail(text)
        self.assertEqual(driver.do(1, 2, dw12=7), 0)
        return remote, driver

    def test_20_times_after_a_kill_in_the_midst_of_io(self):
        for _ in range(ROUNDS):
            remote, driver = self.start()
            for page in range(64):
                os.pwrite(driver.fd, struct.pack('<Q', 0x100000 +
                                                 page * 0x1000),
                          0x30000 + 8 * page)
            for command in range(driver.ENTRIES - 1):
                driver.submit(1, 1, prp2=0x30000, dw10=512 * command,
                              dw12=511)
            remote.process.kill()
            remote.end()
            driver.close()
        remote, driver = self.start()
        driver.close()
        self.assertEqual(remote.end(), (0, ''))

    def test_20_times_after_an_end(self):
        for _ in range(ROUNDS):
            remote, driver = self.start()
            self.assertTrue(is_locked(self.image))
            driver.close()
            self.assertEqual(remote.end(), (0, ''))
            # Upstream's process does not wait for a lock.
            self.assertFalse(is_locked(self.image))


def main():
    global PROGRAM
    args = tap.parser(__doc__).parse_args()
    PROGRAM = os.path.realpath(args.program)
    return tap.run_own(args.only)


if __name__ == '__main__':
    sys.exit(main())
