# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of tests whose guests share one place to run in.

Images are made on this machine; then the tests run here, if its KVM runs
64-bit kernels, or all of them in one nested guest.
"""
import argparse
import hashlib
import os
import sys
import tempfile
import unittest

from . import lab, tap
from .pair import DISTRIBUTION


class Settings:
    """What the command line said."""
    main = remote = DISTRIBUTION
    work = None


def image():
    """Where the archive is that all guests of a program share."""
    return os.path.join(Settings.work, 'shared.cpio')


def scratch():
    """A directory in memory, to be used by 'with'."""
    return tempfile.TemporaryDirectory(dir='/dev/shm')


def digest(path, start=0, length=None):
    """SHA-256 of a file or a part of it."""
    with open(path, 'rb') as file:
        file.seek(start)
        return hashlib.sha256(file.read(length)).hexdigest()


def _nested(program, only):
    log = os.path.join(Settings.work, 'console.log')
    status = lab.run(
        [sys.executable, program, '--inside', '--main', Settings.main,
         '--remote', Settings.remote, '--work', Settings.work, *only],
        Settings.work, log=log)
    if status == lab.NEVER_ENDED:
        print('# the nested guest never came to its end; its console:')
        with open(log, encoding='utf-8', errors='replace') as file:
            print(''.join(f'# {line}' for line in file.readlines()[-30:]))
    return status


def main(doc, classes, prepare, possible=lambda _: True):
    """Run the named classes, or all.

    prepare() returns the Initramfs that image() is made from; a class that
    is not possible(class) with the chosen programs is left out.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', default=DISTRIBUTION, metavar='PROGRAM',
                        help='the main process '
                        "(default: the distribution's QEMU)")
    parser.add_argument('--remote', default=DISTRIBUTION, metavar='PROGRAM',
                        help='the device process')
    parser.add_argument('--work', metavar='DIR',
                        help='where images are made')
    parser.add_argument('--inside', action='store_true',
                        help=argparse.SUPPRESS)
    parser.add_argument('only', nargs='*', metavar='CLASS',
                        help=', '.join(one.__name__ for one in classes))
    args = parser.parse_args()
    known = {one.__name__: one for one in classes}
    unknown = [name for name in args.only if name not in known]
    if unknown:
        parser.error(f'no {unknown[0]}: there are {", ".join(known)}')
    Settings.main = os.path.realpath(args.main)
    Settings.remote = os.path.realpath(args.remote)
    with tempfile.TemporaryDirectory(prefix='mpqemu-') as temporary:
        Settings.work = os.path.realpath(args.work or temporary)
        if not args.inside:
            prepare().write(image())
            here, why = lab.own_kvm()
            print(f'# {why}', flush=True)
            if not here:
                return _nested(os.path.realpath(sys.argv[0]), args.only)
        loader = unittest.defaultTestLoader
        return tap.run(unittest.TestSuite(
            loader.loadTestsFromTestCase(known[name])
            for name in args.only or known if possible(known[name])))
