#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The box around a device process, as /proc shows it.  No guest, no KVM."""
import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.qmp import Qmp  # noqa: E402
from wire import LIMIT, Link, Remote, until  # noqa: E402

PROGRAM = None


#: Runs a program for which system call N fails: ... N ERRNO PROGRAM ARGUMENT...
WITHOUT = """
import ctypes, os, struct, sys
number, error = int(sys.argv[1]), int(sys.argv[2])
rows = ((0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x50000 | error),
        (6, 0, 0, 0x7fff0000))                  # load, equal, errno, allow
code = ctypes.create_string_buffer(
    b''.join(struct.pack('<HBBI', *row) for row in rows))
program = ctypes.create_string_buffer(
    struct.pack('<H6xQ', len(rows), ctypes.addressof(code)))
prctl = ctypes.CDLL(None).prctl
assert prctl(38, 1, 0, 0, 0) == 0               # PR_SET_NO_NEW_PRIVS
assert prctl(22, 2, program, 0, 0) == 0         # PR_SET_SECCOMP, a filter
os.execv(sys.argv[3], sys.argv[3:])
"""


class Box(unittest.TestCase):
    def look(self, more=()):
        """(status by name, own root's names, network name space)"""
        remote = Remote(PROGRAM, ['edu'], more=more)
        self.assertEqual(remote.links[0].config_read(0), 0x11e81234)
        proc = f'/proc/{remote.process.pid}'
        with open(f'{proc}/status', encoding='ascii') as file:
            status = dict(line.split(':', 1) for line in file)
        root = os.listdir(f'{proc}/root')
        net = os.readlink(f'{proc}/ns/net')
        self.assertEqual(remote.end()[0], 0)
        return {k: v.strip() for k, v in status.items()}, root, net

    def lacks(self):
        """Is there a part of the box that this machine does not allow?"""
        remote = Remote(PROGRAM, ['edu'], more=['-sandbox', 'on'])
        return remote.end()[0] != 0

    def test_boxed_in_by_default(self):
        status, _, _ = self.look()
        if status['Seccomp'] == '0':
            self.skipTest('built with a sanitizer, or without libseccomp')
        self.assertEqual(status['Seccomp'], '2')
        self.assertEqual(status['NoNewPrivs'], '1')
        for kind in 'CapEff', 'CapPrm', 'CapInh', 'CapAmb':
            self.assertEqual(int(status[kind], 16), 0)

    def test_what_cannot_be_had_is_named_once_or_fatal(self):
        if self.look()[0]['Seccomp'] == '0':
            self.skipTest('built with a sanitizer, or without libseccomp')
        for number, error, words in (
                (272, errno.EPERM, 'mount name space (Operation not'),
                (444, errno.ENOSYS, 'Landlock (Function not implemented)')):
            wrap = [sys.executable, '-c', WITHOUT, str(number), str(error)]
            remote = Remote(PROGRAM, ['edu'], wrap=wrap)
            self.assertEqual(remote.links[0].config_read(0), 0x11e81234)
            remote.links[0].close()
            text = remote.process.communicate(timeout=LIMIT)[1]
            self.assertEqual(text.count('sandbox: going on without: '), 1)
            self.assertEqual(text.count(words), 1, text)
            remote = Remote(PROGRAM, ['edu'], more=['-sandbox', 'on'],
                            wrap=wrap)
            status, text = remote.end()
            self.assertEqual(status, 1)
            self.assertIn('-sandbox on: not to be had here: ', text)
            self.assertIn(words, text)

    def test_limits_and_name_spaces(self):
        if self.look()[0]['Seccomp'] == '0':
            self.skipTest('built with a sanitizer, or without libseccomp')
        if self.lacks():
            self.skipTest('this machine does not allow the whole box')
        remote = Remote(PROGRAM, ['edu'])
        self.assertEqual(remote.links[0].config_read(0), 0x11e81234)
        proc = f'/proc/{remote.process.pid}'
        with open(f'{proc}/limits', encoding='ascii') as file:
            limits = {line[:26].strip(): line[26:].split() for line in file}
        for kind in 'user', 'mnt', 'net', 'ipc', 'uts':
            self.assertNotEqual(os.readlink(f'{proc}/ns/{kind}'),
                                os.readlink(f'/proc/self/ns/{kind}'))
        self.assertEqual(remote.end(), (0, ''))
        most = {'Max core file size': 0, 'Max msgqueue size': 0,
                'Max open files': 1024, 'Max data size': 2 << 30}
        if [int(n) for n in os.uname().release.split('.')[:2]] >= [5, 14]:
            most['Max processes'] = 512         # counted by user name space
        for name, limit in most.items():
            self.assertLessEqual(int(limits[name][1]), limit, name)

    @unittest.skipUnless(os.geteuid() == 0, 'sees its root as root only')
    def test_root_is_empty_and_network_its_own(self):
        status, root, net = self.look()
        if status['Seccomp'] == '0':
            self.skipTest('built with a sanitizer, or without libseccomp')
        self.assertEqual(root, [])
        self.assertNotEqual(net, os.readlink('/proc/self/ns/net'))

    def test_serves_a_listening_socket_that_it_inherits(self):
        with tempfile.TemporaryDirectory(prefix='box-') as folder:
            path = os.path.join(folder, 'link')
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(1)
            remote = Remote(PROGRAM, [], pass_fds=[listener.fileno()], more=[
                '-device', 'edu,id=e', '-object',
                f'x-remote-object,id=o,devid=e,fd={listener.fileno()}'])
            listener.close()
            end = socket.socket(socket.AF_UNIX)
            end.connect(path)
            link = Link(end)
            self.assertEqual(link.config_read(0), 0x11e81234)
            link.close()
            self.assertEqual(remote.end(), (0, ''))
            self.assertTrue(os.path.exists(path))

    @unittest.skipUnless(os.geteuid() == 0, 'becomes another user as root')
    def test_runs_as_another_user(self):
        remote = Remote(PROGRAM, ['edu'],
                        more=['-run-with', 'user=65534:65533'])
        self.assertEqual(remote.links[0].config_read(0), 0x11e81234)
        with open(f'/proc/{remote.process.pid}/status',
                  encoding='ascii') as file:
            status = dict(line.split(':', 1) for line in file)
        self.assertEqual(status['Uid'].split(), ['65534'] * 4)
        self.assertEqual(status['Gid'].split(), ['65533'] * 4)
        self.assertEqual(status['Groups'].split(), ['65533'])
        self.assertEqual(remote.end(), (0, ''))

    @unittest.skipUnless(os.geteuid() == 0, 'becomes another user as root')
    def test_whole_box_as_another_user_and_with_another_root(self):
        if self.look()[0]['Seccomp'] == '0':
            self.skipTest('built with a sanitizer, or without libseccomp')
        if self.lacks():
            self.skipTest('this machine does not allow the whole box')
        with tempfile.TemporaryDirectory(prefix='box-') as folder:
            with open(os.path.join(folder, 'file'), 'wb'):
                pass
            for run_with in (f'chroot={folder}', 'user=65534:65533',
                             f'chroot={folder},user=65534:65533'):
                status, root, net = self.look(
                    ['-run-with', run_with, '-sandbox', 'on'])
                self.assertEqual(root, [], run_with)
                self.assertNotEqual(net, os.readlink('/proc/self/ns/net'))
                self.assertEqual(status['Seccomp'], '2')

    def test_what_cannot_widen_the_box_is_said(self):
        for rest, words in (
                ('on,spawn=allow', 'spawn=allow: without effect'),
                ('on,elevateprivileges=children,obsolete=allow',
                 'obsolete=allow,elevateprivileges=children: without effect'),
                ('off,spawn=deny', 'no effect when it is off'),
                ('off', '')):
            remote = Remote(PROGRAM, ['edu'], more=['-sandbox', rest])
            text = remote.end()[1]
            self.assertIn(words, text)
            self.assertEqual(bool(words), 'warning: -sandbox' in text)

    @unittest.skipUnless(os.geteuid() == 0, 'changes root as root')
    def test_runs_with_another_root(self):
        with tempfile.TemporaryDirectory(prefix='box-') as folder:
            remote = Remote(PROGRAM, ['edu'], more=[
                '-run-with', f'chroot={folder}', '-sandbox', 'off'])
            self.assertEqual(remote.links[0].config_read(0), 0x11e81234)
            self.assertEqual(
                os.readlink(f'/proc/{remote.process.pid}/root'), folder)
            self.assertEqual(remote.end(), (0, ''))

    @unittest.skipUnless(shutil.which('systemd-analyze'),
                         'there is no systemd-analyze')
    def test_unit_is_exposed_below_2(self):
        unit = os.path.join(here, '..', '..', 'contrib', 'systemd',
                            'mpqemu-device@.service')
        result = subprocess.run(
            ['systemd-analyze', 'security', '--offline=yes',
             '--threshold=19', unit], capture_output=True, text=True,
            check=False)
        self.assertEqual(result.returncode, 0, result.stdout[-300:] +
                         result.stderr)

    def test_off_goes_without(self):
        status, _, net = self.look(['-sandbox', 'off'])
        self.assertEqual(status['Seccomp'], '0')
        self.assertEqual(net, os.readlink('/proc/self/ns/net'))


class Paths(unittest.TestCase):
    """Sockets and PID files of processes that end, in whatever way."""
    MORE = ['-display', 'none', '-nodefaults', '-qmp',
            'unix:qmp,server=on,wait=off']
    MAIN = ['-machine', 'none', *MORE]
    REMOTE = ['-machine', 'x-remote', '-device', 'edu,id=e', '-object',
              'x-remote-object,id=o,devid=e,socket.type=unix,socket.path=sock',
              *MORE]
    UNBOXED = [*REMOTE, '-sandbox', 'off']

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='box-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, command, *paths, pid='pid'):
        """A process whose main loop runs, for its monitor answers; paths: which
        it takes over from one that lives."""
        before = {path: self.number(path) for path in paths}
        process = subprocess.Popen([PROGRAM, *command, '-pidfile', pid],
                                   cwd=self.folder, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until(lambda: all(self.number(path) not in (None, number)
                          for path, number in before.items()), paths)
        self.addCleanup(Qmp(self.path('qmp')).close)
        with open(self.path(pid), encoding='ascii') as file:
            self.assertEqual(file.read(), f'{process.pid}\n')
        return process

    def number(self, name):
        """A file's, which no other has while this one is in use."""
        try:
            return os.lstat(self.path(name)).st_ino
        except FileNotFoundError:
            return None

    def serves(self):
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(self.path('sock'))
            self.assertEqual(Link(end).config_read(0), 0x11e81234)

    def left(self):
        return sorted(os.listdir(self.folder))

    def test_one_path_for_two_devices(self):
        more = ['-device', 'edu,id=f', '-object', 'x-remote-object,id=p,'
                'devid=f,socket.type=unix,socket.path=sock']
        done = subprocess.run([PROGRAM, *self.REMOTE, *more], cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("another listens at 'sock' already", done.stderr)
        self.assertEqual(self.left(), [])

    def test_who_ends_removes_them(self):
        for command in self.MAIN, self.UNBOXED:
            process = self.start(command)
            process.terminate()
            self.assertEqual(process.wait(LIMIT), 0)
            self.assertEqual(self.left(), [], command)

    def test_who_ends_leaves_those_of_the_next(self):
        for command, paths in ((self.MAIN, ['qmp']),
                               (self.UNBOXED, ['qmp', 'sock'])):
            first = self.start(command)
            second = self.start(command, *paths, pid='pid2')
            first.terminate()
            self.assertEqual(first.wait(LIMIT), 0)
            self.assertEqual(self.left(), ['pid2', *paths])
            if 'sock' in paths:
                self.serves()
            else:
                second.terminate()
            self.assertEqual(second.wait(LIMIT), 0)
            self.assertEqual(self.left(), [])

    def test_boxed_in_it_cannot_remove_them(self):
        for _ in range(2):
            process = self.start(self.REMOTE)
            with open(f'/proc/{process.pid}/status', encoding='ascii') as file:
                if 'Seccomp:\t0' in file.read():
                    self.skipTest('built with a sanitizer, or without '
                                  'libseccomp')
            self.serves()
            self.assertEqual(process.wait(LIMIT), 0)
            self.assertEqual(self.left(), ['pid', 'qmp', 'sock'])

    def test_what_a_killed_one_left_is_taken_over(self):
        for command, more in ((self.MAIN, []), (self.REMOTE, ['sock']),
                              (self.UNBOXED, ['sock'])):
            self.setUp()
            first = self.start(command)
            first.kill()
            first.wait()
            self.assertEqual(self.left(), ['pid', 'qmp', *more])
            self.start(command)
            if more:
                self.serves()

    def test_pid_file_of_one_that_runs_is_its_own(self):
        process = self.start(self.MAIN)
        done = subprocess.run(
            [PROGRAM, '-machine', 'none', '-display', 'none', '-pidfile',
             'pid'], cwd=self.folder, capture_output=True, text=True,
            timeout=LIMIT)
        self.assertEqual(done.returncode, 1)
        self.assertIn('pid: another process has it', done.stderr)
        with open(self.path('pid'), encoding='ascii') as file:
            self.assertEqual(file.read(), f'{process.pid}\n')


if __name__ == '__main__':
    args = tap.parser(__doc__).parse_args()
    PROGRAM = os.path.realpath(args.program)
    if os.environ.get('TEST_SANDBOX') == 'off':
        sys.exit(tap.skip_all('TEST_SANDBOX=off: no box to look at'))
    sys.exit(tap.run_own(args.only))
