#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command line that docs/system shows starts, and says nothing: those
indented blocks that begin with the program's name or an option.  A block
with a "[" shows a form, not a line."""
import argparse
import contextlib
import glob
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.join(here, '..', '..')
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from sessions import without_excuses  # noqa: E402

NAME = 'qemu-system-x86_64'
BLOCK = re.compile(r'^\n((?:    \S.*\n(?:    +.*\n)*)+)', re.M)
QUIT = b'{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n'
LIMIT = 30


def bzimage():
    """What looks like a Linux kernel; its CPUs never run it.  Fields of the
    boot protocol's header, 2.12."""
    image = bytearray(8192)
    for offset, form, value in (
            (0x1f1, '<B', 1), (0x1fe, '<H', 0xaa55),
            (0x200, '2s', b'\xeb\x66'), (0x202, '4s', b'HdrS'),
            (0x206, '<H', 0x20c), (0x211, '<B', 1), (0x214, '<I', 0x100000),
            (0x22c, '<I', 0x7fffffff), (0x230, '<I', 0x200000),
            (0x238, '<I', 2047), (0x258, '<Q', 0x1000000),
            (0x260, '<I', 0x100000)):
        struct.pack_into(form, image, offset, value)
    return bytes(image)


def examples(text):
    """(number of the line, words) of each command line of a page."""
    text = re.sub(r'^```.*?^```$', lambda m: re.sub('.+', '-', m[0]), text,
                  flags=re.M | re.S)
    for block in BLOCK.finditer(text):
        words = shlex.split(block[1].replace('\\\n', ' '))
        if words[0] == NAME:
            words = words[1:]
        elif words[0][0] != '-':
            continue
        elif '-machine' not in words:
            words = ['-machine', 'q35'] + words
        if '[' not in block[1]:
            yield text.count('\n', 0, block.start(1)) + 1, words


class Example(unittest.TestCase):
    def __init__(self, where, words, program):
        super().__init__('test')
        self.where, self.words, self.program = where, words, program

    def id(self):
        return self.where

    def files(self, folder):
        for name, text in ('disk.img', bytes(1 << 20)), ('initrd', b'-'), \
                ('key.b64', b'c2VjcmV0'), ('vmlinuz', bzimage()):
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(text)

    def start(self, folder, words, fds):
        return subprocess.Popen([self.program, *words], cwd=folder,
                                pass_fds=fds, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def peer(self, folder):
        """A remote process for a line that has only the main one."""
        return self.start(folder, [
            '-machine', 'x-remote', '-nodefaults', '-device', 'edu,id=e0',
            '-object', 'x-remote-object,id=l0,devid=e0,socket.type=unix,'
            'socket.path=nvme0.sock'], [])

    def end(self, process):
        try:
            _, text = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            _, text = process.communicate()
            self.fail('does not end: ' + text)
        self.assertEqual((process.returncode, without_excuses(text)), (0, ''))

    def test(self):
        remote = 'x-remote' in self.words
        monitor, its_end = socket.socketpair()
        link, other = socket.socketpair()
        fds = [its_end.fileno(), other.fileno()]
        words = [word.replace('fd=N', f'fd={other.fileno()}')
                 for word in self.words]
        words += ['-chardev', f'socket,id=of-test,fd={its_end.fileno()}',
                  '-mon', 'of-test,mode=control']
        words = ['-accel', 'qtest'] * (not remote) + words
        with tempfile.TemporaryDirectory() as folder, monitor, link:
            self.files(folder)
            peer = None
            if any(word.startswith('x-pci-proxy') for word in words):
                peer = self.peer(folder)
            process = self.start(folder, words, fds)
            its_end.close()
            other.close()
            monitor.settimeout(LIMIT)
            # It may leave before it has read everything; end() says how.
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                monitor.sendall(QUIT)
                while monitor.recv(4096):
                    pass
            self.end(process)
            if peer:
                self.end(peer)


def main():
    args = argparse.ArgumentParser()
    args.add_argument('--program', required=True)
    args = args.parse_args()
    suite = unittest.TestSuite()
    for page in sorted(glob.glob(os.path.join(top, 'docs/system/*.md'))):
        with open(page, encoding='utf-8') as file:
            for line, words in examples(file.read()):
                suite.addTest(Example(f'{os.path.basename(page)}:{line}',
                                      words, os.path.realpath(args.program)))
    assert suite.countTestCases() > 10
    return tap.run(suite)


if __name__ == '__main__':
    sys.exit(main())
