#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of system calls of a boxed-in device process are measured.

Each class runs device processes under strace, makes them do all that their
devices and back ends can, and compares: no call is refused, and no row of a
table in use is without a call, but for those that say why.
"""
import array
import collections
import os
import re
import signal
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402
from mpqemu_test.qmp import Qmp  # noqa: E402
import wire  # noqa: E402
from lsi_driver import Lsi  # noqa: E402
from nvme_driver import BAR, Nvme, SIZE  # noqa: E402

PROGRAM = None
PAGE = os.path.join(here, '..', '..', 'docs', 'system', 'sandbox.md')

#: What no table may have.
FORBIDDEN = re.compile(
    r'open|creat$|connect|bind|^socket|listen|exec|fork|clone3|ptrace|process_'
    r'|(?<!tg)kill$|setuid|setgid|setre|setfs|setgroups|cap|mount|chroot|pivot|setns'
    r'|unshare|chmod|chown|link|rename|mkdir|mknod|truncate|memfd|bpf|keyctl'
    r'|seccomp|landlock|setrlimit|prlimit|_setup|module|perf|userfault')

#: What is tried, and does no harm when it is refused: to remove a PID file, to
#: look whether a socket is still its own, the name of who sent a signal.
IN_VAIN = re.compile(
    r'unlink\(|newfstatat\(AT_FDCWD[^,]*, "[^"]+", .*AT_SYMLINK_NOFOLLOW'
    r'|openat\(.*"/proc/\d+/comm"')


def read_tables():
    """{name: [(call, only, rare)]} as the program prints them."""
    text = subprocess.run([PROGRAM, '-sandbox', 'help'], check=True,
                          capture_output=True, text=True).stdout
    tables = {}
    for line in text.splitlines():
        row = re.match(r'    (\w+)(?:: (.*?))?(?: \[(.*)\])?$', line)
        head = re.match(r'(\w+): ', line)
        if row:
            rows.append(row.groups())
        elif head:
            rows = tables[head[1]] = []
    return tables


def fits(row, call, text):
    """Is this line of strace a call of the row?"""
    name, only, _ = row
    if call != name:
        return False
    if not only:
        return True
    if name == 'mmap':
        return ('MAP_PRIVATE' in text if 'private' in only
                else 'MAP_SHARED' in text)
    words = re.findall(r'[A-Z][A-Z0-9_]{3,}', only)
    return not words or any(word in text for word in words)


class Traced(wire.Remote):
    """A device process under strace."""

    def __init__(self, devices, more=(), **how):
        self.log = tempfile.NamedTemporaryFile(prefix='calls-')
        super().__init__(PROGRAM, devices, more=more,
                         wrap=['strace', '-D', '-f', '-q', '-y', '-e',
                               'signal=none', '-o', self.log.name], **how)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def calls(self):
        """[(name, the line)] since the filter was there, after the end."""
        limit = time.monotonic() + wire.LIMIT
        while True:
            with open(self.log.name, encoding='utf-8',
                      errors='replace') as file:
                lines = file.read().splitlines()
            ended = {line.split()[0] for line in lines if ' +++ ' in line}
            if ended and ended == {line.split()[0] for line in lines}:
                break
            if time.monotonic() > limit:
                raise AssertionError('strace does not end')
            time.sleep(0.01)
        return calls_in(lines, str(self.process.pid))


def calls_in(lines, parent=None):
    """[(name, the line)] since the filter was there, in a log of strace -f;
    what a daemon's parent does is its own."""
    start = max(number for number, line in enumerate(lines)
                if re.search(r'seccomp\(SECCOMP_SET_MODE_FILTER', line))
    found, begun = [], {}
    boxed_in = lines[start].split()[0]
    for line in lines[start + 1:]:
        thread, _, text = line.partition(' ')
        if thread == parent != boxed_in:
            continue
        text = text.strip()
        if text.endswith('<unfinished ...>'):
            begun[thread] = text.removesuffix('<unfinished ...>')
            continue
        if text.startswith('<...'):
            text = begun.pop(thread, '') + text
        call = re.match(r'(?:<\.\.\. )?(\w+)(?:\(| resumed)', text)
        if call:
            found.append((call[1], text))
    return found + [(re.match(r'\w+', text)[0], text)
                    for text in begun.values()]


def bad_calls(calls, rows):
    """(those that were refused, those that are in no row)"""
    refused = [line for call, line in calls
               if 'EPERM' in line and not IN_VAIN.search(line)]
    strange = [line for call, line in calls
               if not any(row[0] == call for row in rows) and
               call != 'clone3' and not IN_VAIN.search(line)]
    return refused, strange


def judge(path):
    """Of an NVMe process that somebody else has traced: docs/devel/security.md
    says how.  Prints what it called, how often; true if all is in its rows."""
    with open(path, encoding='utf-8', errors='replace') as file:
        calls = calls_in(file.read().splitlines())
    tables = read_tables()
    rows = tables['base'] + tables['block']
    refused, strange = bad_calls(calls, rows)
    for name, times in collections.Counter(
            call for call, _ in calls).most_common():
        print(f'{times:9} {name}')
    for line in refused + strange:
        print(f'NOT LISTED: {line}')
    return not refused and not strange


def edu_everything(link):
    fd = wire.memfd(SIZE)
    irqfd, resamplefd = wire.eventfd(), wire.eventfd()
    link.set_memory([(0, SIZE, 0)], [fd])
    link.set_irqfd(irqfd, resamplefd)
    link.config_write(0x10, BAR)
    link.config_write(4, 6)
    link.write(BAR + 8, 5)
    for command in 1, 3:
        for at, value in ((0x80, 0x1000 if command == 1 else 0x40000),
                          (0x88, 0x40000 if command == 1 else 0x2000),
                          (0x90, 8), (0x98, command | 4)):
            link.write(BAR + at, value, 8)
        while link.read(BAR + 0x98, 8) & 1:
            pass
    mailbox = wire.Mailbox()
    link.send(wire.SET_MAILBOX, b'', [mailbox.fd])
    mailbox.close()
    link.write(BAR + 0x60, 1)
    os.eventfd_write(resamplefd, 1)
    link.write(BAR + 0x64, 0xffffffff)
    link.reset()
    link.config_read(0)
    for old in fd, irqfd, resamplefd:
        os.close(old)


class Calls(unittest.TestCase):
    maxDiff = None
    made = {}
    refused = []
    tables = None

    def collect(self, remote, tables):
        """All calls of an ended process; those of tables are what it may."""
        calls = remote.calls()
        refused, strange = bad_calls(
            calls, [row for table in tables for row in self.tables[table]])
        for table in tables:
            for row in self.tables[table]:
                if any(fits(row, call, line) for call, line in calls):
                    Calls.made.setdefault(table, set()).add(row)
        self.assertEqual(refused, [])
        self.assertEqual(strange, [])

    @classmethod
    def setUpClass(cls):
        Calls.tables = read_tables()
        plain = wire.Remote(PROGRAM, ['edu'])
        plain.links[0].config_read(0)
        with open(f'/proc/{plain.process.pid}/status',
                  encoding='ascii') as file:
            boxed_in = not re.search(r'^Seccomp:\s*0$', file.read(), re.M)
        plain.end()
        if not boxed_in:
            raise unittest.SkipTest('device processes are not boxed in: built '
                                    'with a sanitizer or without libseccomp')

    def traced(self, *args, **how):
        remote = Traced(*args, **how)
        self.addCleanup(remote.kill)
        return remote

    def image(self, size=SIZE):
        file = tempfile.NamedTemporaryFile(prefix='calls-')
        file.truncate(size)
        self.addCleanup(file.close)
        return file.name

    def end(self, remote):
        status, text = remote.end()
        self.assertEqual((status, text), (0, ''))

    # The order of names is that of the tests: the last look at all.

    def test_1_edu(self):
        remote = self.traced(['edu'])
        edu_everything(remote.links[0])
        self.end(remote)
        self.collect(remote, ['base'])

    def test_1_reply_that_nobody_reads(self):
        remote = self.traced(['edu'])
        link = remote.links[0]
        link.config_read(0)
        request = wire.header(wire.CFGREAD, 12) + wire.conf(0, 4)
        link.socket.setblocking(False)
        sent = 0
        limit = time.monotonic() + 3
        try:
            while time.monotonic() < limit:
                try:
                    sent += link.socket.send(request * 20)
                except BlockingIOError:
                    time.sleep(0.05)
        finally:
            link.socket.settimeout(wire.LIMIT)
        self.end(remote)
        self.collect(remote, ['base'])

    def test_1_pci_testdev(self):
        remote = self.traced(['pci-testdev'])
        link = remote.links[0]
        link.config_write(0x10, BAR)
        link.config_write(4, 3)
        for test in range(3):
            link.write(BAR, test, 1)
            link.write(BAR + 64 + 4 * test, 0xfa, 1)
            link.read(BAR + 12)
        self.end(remote)
        self.collect(remote, ['base'])

    def test_1_sigterm(self):
        remote = self.traced(['edu'])
        remote.links[0].config_read(0)
        remote.process.send_signal(signal.SIGTERM)
        self.assertEqual(remote.process.wait(wire.LIMIT), 0)
        remote.end()
        self.collect(remote, ['base'])

    def nvme(self, drive, tables=('base', 'block')):
        remote = self.traced(['nvme,serial=1,drive=d'], more=['-drive', drive])
        driver = Nvme(remote.links[0])
        self.assertEqual(driver.everything(), [0] * 14)
        remote.links[0].reset()
        driver.close()
        return remote

    def test_1_nvme_io_uring(self):
        remote = self.nvme(f'if=none,id=d,format=raw,file={self.image()},'
                           'discard=unmap,aio=io_uring')
        self.end(remote)
        self.collect(remote, ['base', 'block'])

    def test_1_nvme_threads(self):
        remote = self.nvme(f'if=none,id=d,format=raw,file={self.image()},'
                           'discard=unmap,aio=threads')
        # A thread that waits with a limit goes on after a stop.
        remote.process.send_signal(signal.SIGSTOP)
        remote.process.send_signal(signal.SIGCONT)
        remote.links[0].config_read(0)
        self.end(remote)
        self.collect(remote, ['base', 'block'])

    def test_1_nvme_direct(self):
        for aio in 'io_uring', 'threads':
            with tempfile.NamedTemporaryFile(dir=here) as file:
                file.truncate(SIZE)
                remote = self.nvme(f'if=none,id=d,format=raw,cache=none,'
                                   f'file={file.name},aio={aio}')
                self.end(remote)
            self.collect(remote, ['base', 'block'])

    def test_1_lsi_with_a_disk_and_a_cd(self):
        for aio in 'io_uring', 'threads':
            remote = self.traced(['lsi53c895a'], more=[
                '-drive', 'if=none,id=hd,format=raw,discard=unmap,'
                f'file={self.image()},aio={aio}', '-drive',
                f'if=none,id=cd,format=raw,readonly=on,file={self.image()},'
                f'aio={aio}', '-device', 'scsi-hd,bus=dev0.0,scsi-id=0,'
                'serial=1,drive=hd', '-device', 'scsi-cd,bus=dev0.0,scsi-id=1,drive=cd'])
            driver = Lsi(remote.links[0])
            self.assertEqual(driver.disk(0), [])
            self.assertEqual(driver.cd(1), [])
            remote.links[0].reset()
            driver.close()
            self.end(remote)
            self.collect(remote, ['base', 'block'])

    def test_1_daemon(self):
        with tempfile.TemporaryDirectory(prefix='calls-') as folder:
            remote = self.traced(['edu'], more=[
                '-daemonize', '-pidfile', os.path.join(folder, 'pid')])
            self.assertEqual(remote.process.wait(wire.LIMIT), 0)
            edu_everything(remote.links[0])
            self.end(remote)
            self.collect(remote, ['base', 'daemon'])

    def test_1_monitor(self):
        with tempfile.TemporaryDirectory(prefix='calls-') as folder:
            path = os.path.join(folder, 'qmp')
            remote = self.traced(['edu'], more=[
                '-qmp', f'unix:{path},server=on,wait=off',
                '-device', 'edu,id=late'], auto_shutdown=False)
            remote.links[0].config_read(0)
            for _ in range(2):
                qmp = Qmp(path)
                qmp.execute('query-status')
                qmp.execute('x-query-remote')
                qmp.lines.close()
                qmp.socket.close()
            qmp = Qmp(path)
            here_end, there = socket.socketpair()
            qmp.socket.sendmsg(
                [b'{"execute": "getfd", "arguments": {"fdname": "s"}}\n'],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                  array.array('i', [there.fileno()]))])
            qmp.lines.readline()
            there.close()
            qmp.execute('object-add', **{'qom-type': 'x-remote-object',
                                         'id': 'o', 'devid': 'late',
                                         'fd': 's'})
            link = wire.Link(here_end)
            link.config_read(0)
            link.close()
            qmp.execute('device_add', driver='edu', id='hot')
            qmp.execute('quit')
            remote.process.wait(wire.LIMIT)
            remote.end()
        self.collect(remote, ['base', 'chardev'])

    def test_1_listening(self):
        with tempfile.TemporaryDirectory(prefix='calls-') as folder:
            path = os.path.join(folder, 'link')
            remote = self.traced([], more=[
                '-device', 'edu,id=e', '-object', 'x-remote-object,id=o,'
                f'devid=e,socket.type=unix,socket.path={path}'])
            end = socket.socket(socket.AF_UNIX)
            limit = time.monotonic() + wire.LIMIT
            while True:
                try:
                    end.connect(path)
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    self.assertLess(time.monotonic(), limit)
                    time.sleep(0.02)
            link = wire.Link(end)
            link.config_read(0)
            link.close()
            self.end(remote)
        self.collect(remote, ['base', 'listen'])

    def test_2_every_row_of_a_table_is_made(self):
        never = {table: [row[:2] for row in self.tables[table]
                         if row not in self.made.get(table, ()) and not row[2]]
                 for table in self.tables if table != 'guest'}
        self.assertEqual([table for table in never if never[table]], [],
                         never)

    def test_2_nvme_may_make_at_most_40(self):
        names = {row[0] for table in ('base', 'block')
                 for row in self.tables[table]}
        print(f'# an NVMe process may make {len(names)} calls', flush=True)
        self.assertLessEqual(len(names), 40)

    def test_2_what_is_called_all_the_time_has_no_conditions(self):
        """The kernel then does not run the filter, which would take time.
        But for sends: they could connect."""
        for name in ('recvmsg', 'write', 'ppoll', 'sched_yield', 'futex',
                     'preadv2', 'preadv', 'pwritev2', 'io_uring_enter',
                     'clock_gettime'):
            self.assertIn((name, None), [
                row[:2] for table in ('base', 'block')
                for row in self.tables[table]])

    def test_2_no_other_clock(self):
        """On a kernel without a page for the clocks each is a system call;
        only clock_gettime() is in a table."""
        with open(PROGRAM, 'rb') as file:
            program = file.read()
        self.assertIn(b'\0clock_gettime\0', program)
        for name in (b'gettimeofday', b'g_get_real_time',
                     b'g_date_time_new_now_utc', b'g_date_time_new_now_local'):
            self.assertNotIn(b'\0' + name + b'\0', program)

    def test_2_none_opens_connects_executes_or_changes_rights(self):
        bad = [row[0] for rows in self.tables.values() for row in rows
               if FORBIDDEN.search(row[0])]
        self.assertEqual(bad, [])
        self.assertEqual({row[1] for rows in self.tables.values()
                          for row in rows if row[0] == 'tgkill'},
                         {'SIGABRT to itself', 'to itself'})

    def test_2_page_is_the_table(self):
        text = subprocess.run([PROGRAM, '-sandbox', 'help'], check=True,
                              capture_output=True, text=True).stdout
        with open(PAGE, encoding='utf-8') as file:
            self.assertIn(f'```\n{text}```\n', file.read())


def main():
    global PROGRAM
    parser = tap.parser(__doc__)
    parser.add_argument('--log', help="what strace said of an NVMe process: "
                        'is all of it in the tables?')
    args = parser.parse_args()
    PROGRAM = os.path.realpath(args.program)
    if args.log:
        return 0 if judge(args.log) else 1
    if not shutil.which('strace'):
        return tap.skip_all('there is no strace')
    return tap.run_own(args.only)


if __name__ == '__main__':
    sys.exit(main())
