#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator types: wrong command lines and their answers, help that
fits a screen, files of options, descriptors that are passed on, completion.

No guest is run.
"""
import argparse
import contextlib
import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from mpqemu_test import tap
from mpqemu_test.pair import DISTRIBUTION, Program, end_with_parent
from mpqemu_test.qmp import Qmp, Refused

MAIN = None
COMPLETION = None
TEST = '-accel qtest -display none '

#: A command line and what is said of it: the option at fault is named, and
#: what would be right.  Each ends with status 1 before anything has started.
WRONG = [
    ('-devise edu', '-devise: invalid option (did you mean -device?)'),
    ('--hlep', '--hlep: invalid option (did you mean -help?)'),
    ('disk.img', 'disk.img: not an option; a disk image is given with -drive'),
    ('-device', '-device: requires an argument: DRIVER[,PROP=VALUE...]'),
    ('-hda disk.img', '-hda: this option is not available: use -drive'),
    ('-netdev user,id=n', '-netdev: this option is not available: there are '
                          'no network devices'),
    ('-vnc :1', '-vnc: this option is not available: there is no display'),
    ('-help contrl', "neither a topic nor an option 'contrl' (did you mean "
                     "'control'?)"),
    ('-machine q36', "-machine q36: no such machine; did you mean 'q35'?"),
    ('-machine q35,kernl=x', "kernl' not found; did you mean 'kernel'?"),
    ('-machine q35,memory-backend=nowhere', "Memory backend 'nowhere' not "
                                            "found"),
    ('-accel kvn', "invalid accelerator 'kvn' (available: kvm, qtest)"),
    ('-accel tcg', "accelerator 'tcg' is not part of this program"),
    ('-cpu haswel', "unknown CPU model 'haswel'; -cpu help lists them"),
    ('-smp 0', '-smp: a guest needs at least one CPU'),
    ('-smp four', "-smp: Parameter 'cpus' expects a number"),
    ('-smp 2,cores=3', '2 CPUs are not sockets (1) * dies (1) * cores (3)'),
    ('-smp 2,sokets=2', "'sokets' for -smp; did you mean 'sockets'?"),
    ('-smp 2,maxcpus=4', '-smp: maxcpus=4: CPU hot plug is not available'),
    ('-m 0', '-m: a guest needs memory'),
    ('-m lots', "-m: Parameter 'size' expects a size below 2^64 such as 512M"),
    ('-m 64M,slots=2', '-m: memory hot plug'),
    ('-device edo', "'edo' is not a valid device model name; did you mean "
                    "'edu'?"),
    ('-device edu,dma_maks=1', "'edu.dma_maks' not found; did you mean "
                               "'dma_mask'?"),
    ('-device edu,dma_mask=many', "'dma_mask' expects a number from 0"),
    ('-device edu,id=1x', "'id' expects an identifier: a letter, then"),
    ('-device edu,addr=20', "'addr' expects slot or slot.function in hexa"),
    ('-device edu,addr=4 -device edu,addr=4',
     'slot 4 function 0 not available for edu, in use by edu'),
    ('-device edu,bus=pci.7', "Bus 'pci.7' not found; did you mean 'pci.0'?"),
    ('-device edu,id=a -device edu,id=a', "Duplicate device ID 'a'"),
    ('-device nvme,serial=x', "property 'drive' is missing"),
    ('-device nvme,drive=nodisk,serial=x',
     "no -drive with id 'nodisk' and no -blockdev"),
    ('-device i440FX', "'i440FX' is part of a machine"),
    ('-device {"driver":"edu",}', 'JSON parse error'),
    ('-device scsi-hd,drive=d -drive if=none,id=d,driver=null-co,size=1M',
     "No 'SCSI' bus found for device 'scsi-hd'"),
    ('-drive if=none,id=d,file=/nonexistent,format=raw',
     "Could not open '/nonexistent': No such file or directory"),
    ('-drive if=none,id=d,file=/dev/fdset/4,format=raw',
     "Could not open '/dev/fdset/4': No such file or directory"),
    ('-drive if=ide,file=/etc/passwd,format=raw', 'A drive needs if=none'),
    ('-drive if=none,id=d,file=/etc/passwd,format=raw,cahce=none',
     "'cahce' for -drive; did you mean 'cache'?"),
    ('-drive if=none,id=d,file=/etc/passwd,format=raw,cache=never',
     "'cache' does not accept value 'never'; it takes one of: writeback"),
    ('-blockdev driver=file,filename=/etc/passwd', "'node-name' must be"),
    ('-object memory-backend-memfd,size=1G', "Parameter 'id' is missing"),
    ('-object memory-backend-memfd,id=m', "property 'size' is missing"),
    ('-object memory-backend-memdf,id=m,size=64M',
     "did you mean 'memory-backend-memfd'?"),
    ('-machine x-remote -device edu,id=e -object x-remote-object,id=o,devid=e',
     "property 'fd' is missing: give the number of a connected UNIX stream"),
    ('-machine x-remote -device edu,id=e -object '
     'x-remote-object,id=o,devid=e,fd=77', 'file descriptor 77 is not open'),
    ('-machine x-remote -device edu,id=e -object x-remote-object,id=o,devid=e,'
     'socket.type=inet,socket.path=/x', "'socket.type' must be 'unix'"),
    ('-run-with user=12:4294967295', 'neither the name of a user nor UID:GID'),
    ('-run-with user=-1:-1', 'neither the name of a user nor UID:GID'),
    ('-run-with user=99999999999:12', 'neither the name of a user nor UID'),
    ('-device x-pci-proxy-dev,fd=2', 'descriptor 2 is for messages'),
    ('-device x-pci-proxy-dev', "property 'fd' is missing"),
    ('-device x-pci-proxy-dev,fd=0', 'not a UNIX stream socket'),
    ('-device x-pci-proxy-dev,socket.type=unix,socket.path=/nonexistent/s,'
     'connect-timeout=1', "Cannot connect to UNIX socket '/nonexistent/s'"),
    ('-chardev sokcet,id=c', "not a valid char driver; did you mean 'socket'?"),
    ('-chardev sokcet,help', "not a valid char driver; did you mean 'socket'?"),
    ('-chardev socket,id=c', "needs one of 'path', 'host' with 'port'"),
    ('-chardev null,id=c,path=/x', "Invalid parameter 'path' for chardev"),
    ('-serial chardev:nope', "Chardev 'nope' not found"),
    ('-mon nochardev', "no chardev has the id 'nochardev'"),
    ('-mon chardev=c,mode=telepathy -chardev null,id=c',
     "mode 'telepathy' is neither 'control' nor 'readline'"),
    ('-kernel /nonexistent', "kernel '/nonexistent': No such file"),
    ('-kernel /etc/passwd', 'is not a bzImage, a multiboot image or an ELF'),
    ('-append quiet', '-append needs -kernel'),
    ('-bios nosuch.bin -L /nonexistent -L /nonexistent/2',
     "firmware 'nosuch.bin': there is no such file here or in /nonexistent, "
     '/nonexistent/2, '),
    ('-uuid 1234', "-uuid 1234: '1234' is not a UUID, such as 550e8400"),
    ('-name guest=a,gust=b', "'gust' for -name; did you mean 'guest'?"),
    ('-rtc base=noon', 'expects utc, localtime or a date such as'),
    ('-global edo.x=1', "-global edo.x=1: 'edo' is not a device type"),
    ('-global edu', '-global edu: expects DRIVER.PROPERTY=VALUE'),
    ('-action rebot=reset', "'rebot' for -action; did you mean 'reboot'?"),
    ('-action reboot=never', "'reboot' is one of reset, shutdown, not"),
    ('-sandbox on,spwan=deny', "'spwan' for -sandbox; did you mean 'spawn'?"),
    ('-pidfile /nonexistent/pid', '-pidfile /nonexistent/pid: No such file'),
    ('-D /nonexistent/log', "Cannot open log file '/nonexistent/log'"),
    ('-d nonsense', "Unknown log item 'nonsense' (\"help\" lists them)"),
    ('-trace nvm_*', "No trace point matches 'nvm_*'"),
    ('-msg timestamp=perhaps', "'timestamp' expects 'on' or 'off'"),
    ('-daemonize -serial stdio', "a daemon has no standard input for 'stdio'"),
    ('-display gtk', "'gtk' is not available: there is no display"),
    ('-readconfig /nonexistent', 'Failed to open file'),
    ('-add-fd fd=1,set=1', 'fd=1 is a standard stream'),
    ('-add-fd fd=77,set=1', 'fd=77 is not open'),
    ('-add-fd set=1', "Parameter 'fd' is missing"),
]


def run(args, **more):
    return subprocess.run([MAIN, *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20,
                          check=False, preexec_fn=end_with_parent, **more)


class WrongLines(unittest.TestCase):
    def test_each_is_answered_in_one_clear_line(self):
        wrong = []
        for line, words in WRONG:
            args = line.split()
            if '-accel' not in args and 'x-remote' not in args:
                args = TEST.split() + args
            done = run(args)
            said = done.stderr.replace('“', '"')
            lines = said.splitlines()
            print('\n#     '.join([f'# {line}', *lines]))
            if (done.returncode != 1 or words not in said or len(lines) > 2
                    or not lines[0].startswith('qemu-system-x86_64: ')
                    or done.stdout):
                wrong.append((line, done.returncode, said, words))
        self.assertEqual(wrong, [])


#: What ends a process, and its exit status.  Each row is tried on the
#: distribution's QEMU, too, if that is there: it ends with the same status, or
#: with that of the last column, for the reason beside it.
ALIVE = 'lives'
ENDS = [
    ('-version', None, 0),
    ('-help', None, 0),
    ('-machine help', None, 0),
    ('-cpu help', None, 0),
    ('-accel help', None, 0),
    ('-device help', None, 0),
    ('-device nvme,help', None, 0),
    ('-object help', None, 0),
    ('-object memory-backend-memfd,help', None, 0),
    ('-chardev help', None, 0),
    ('-trace help', None, 0),
    ('-smp help', None, 0),
    ('-boot help', None, 0),
    ('-L help', None, 0),
    ('-drive format=help', None, 0),
    ('-d help', None, 0, 1),                # it was shown: that is no failure
    ('-sandbox help', None, 0, 1),          # there it is none
    ('-device nosuch,help', None, 1, 0),    # nothing was shown
    ('-nosuch', None, 1),
    ('-device', None, 1),
    ('stray.img', None, 1),
    ('-machine nosuch', None, 1),
    ('-accel nosuch', None, 1),
    ('-readconfig /nonexistent', None, 1),
    ('-cpu nosuch -S', None, 1),
    ('-device nosuch -S', None, 1),
    ('-device nvme -S', None, 1),
    ('-object nosuch,id=o -S', None, 1),
    ('-drive if=none,id=d,file=/nonexistent -S', None, 1),
    ('-kernel /nonexistent -S', None, 1),
    ('-bios /nonexistent -S', None, 1),
    ('-D /nonexistent/log -S', None, 1),
    ('-pidfile /nonexistent/pid -S', None, 1),
    ('-daemonize -serial stdio -S', None, 1),
    ('-L', None, 1),
    ('-L /nonexistent -S', b'{"execute": "quit"}\n', 0),
    ('-m 64M,nosuch=1 -S', None, 1),
    # What cannot be meant is refused; there: an old way to say 1, the default
    # size, a warning.
    ('-smp 0 -S', b'{"execute": "quit"}\n', 1, 0),
    ('-m 0 -S', b'{"execute": "quit"}\n', 1, 0),
    ('-trace nosuch -S', b'{"execute": "quit"}\n', 1, 0),
    ('-monitor stdio -S', b'quit\n', 0),
    ('-S', b'{"execute": "quit"}\n', 0),
    ('-S', signal.SIGTERM, 0),
    ('-S', signal.SIGINT, 0),
    ('-S', signal.SIGHUP, 0),
    ('-no-shutdown -S', signal.SIGTERM, 0),
    ('-S', signal.SIGKILL, -signal.SIGKILL),
    # The guest, by its registers: soft-off in PIIX4's and ICH9's power
    # management, reset, panic.
    ('-machine pc', ['outl 0xcf8 0x80000b40', 'outl 0xcfc 0x601',
                     'outl 0xcf8 0x80000b80', 'outb 0xcfc 1',
                     'outw 0x604 0x2000'], 0),
    ('-machine q35', ['outl 0xcf8 0x8000f840', 'outl 0xcfc 0x601',
                      'outl 0xcf8 0x8000f844', 'outb 0xcfc 0x80',
                      'outw 0x604 0x2000'], 0),
    ('-machine pc -no-reboot', ['outb 0x64 0xfe'], 0),
    ('-machine q35 -action reboot=shutdown', ['outb 0xcf9 6'], 0),
    ('-machine pc -device pvpanic', ['outb 0x505 1'], 0),
    ('-machine pc -device pvpanic -action panic=exit-failure',
     ['outb 0x505 1'], 1),
    ('-machine pc -device pvpanic -action panic=none', ['outb 0x505 1'],
     ALIVE),
    ('-machine q35 -device isa-debug-exit', ['outb 0x501 0x10'], 0x21),
]


class ExitStatus(unittest.TestCase):
    def ended(self, program, accel, line, how, want):
        args = line.split()
        if how is not None or '-S' in args:
            args += ['-display', 'none', '-nodefaults', '-accel', accel]
        if isinstance(how, list):
            args += ['-qtest', 'stdio', '-qtest-log', 'none', '-S']
        elif how is not None and '-monitor' not in args:
            args += ['-qmp', 'stdio']
        process = subprocess.Popen(
            [program, *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if how else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=end_with_parent)
        try:
            return self.talk(process, '-qmp' in args, how, want == ALIVE)
        except BrokenPipeError:         # it was gone before all was said
            return process.wait(30)
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.communicate()

    @staticmethod
    def talk(process, qmp, how, alive):
        def ask(line):
            process.stdin.write(line)
            process.stdin.flush()
            return process.stdout.readline()

        if qmp:
            process.stdout.readline()
            ask(b'{"execute": "qmp_capabilities"}\n')
        if isinstance(how, signal.Signals):
            # It has said something from its main loop: it is set up for it.
            process.send_signal(how)
        elif isinstance(how, bytes):
            process.stdin.write(how)
            process.stdin.flush()
        elif how:
            for line in how:
                ask(f'{line}\n'.encode())
        if alive:
            return ALIVE if ask(b'inb 0x64\n') else process.wait(30)
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            return ALIVE

    def test_it_is_the_distribution_s(self):
        programs = [(MAIN, 'qtest')]
        if os.access(DISTRIBUTION, os.X_OK):
            programs.append((DISTRIBUTION, 'tcg'))
        wrong = []
        for line, how, *wanted in ENDS:
            for number, (program, accel) in enumerate(programs):
                want = wanted[number % len(wanted)]
                status = self.ended(program, accel, line, how, want)
                if status != want:
                    wrong.append((program, line, how, status, want))
        self.assertEqual(wrong, [])


class Help(unittest.TestCase):
    def said(self, *args):
        done = run(args)
        self.assertEqual((done.returncode, done.stderr), (0, ''), args)
        return done.stdout

    def test_each_topic_fits_a_screen(self):
        topics = re.findall(r'\(-help (\w+)\):', self.said('-help'))
        self.assertEqual(topics, ['machine', 'kernel', 'devices', 'control',
                                  'process'])
        for topic in topics:
            lines = self.said('-help', topic).splitlines()
            self.assertLessEqual(len(lines), 24, topic)
            self.assertLessEqual(max(map(len, lines)), 80, topic)

    def test_an_option_is_shown_whole(self):
        self.assertIn('[,threads=N]\n', self.said('-help', 'smp'))

    def test_each_property_of_each_driver_is_described(self):
        for driver in re.findall('name "([^"]+)"', self.said('-device', 'help')):
            for line in self.said('-device', driver + ',help').splitlines()[1:]:
                self.assertRegex(line, r'^  [\w.-]+=<[^>]+> *- \w', driver)

    def test_back_ends(self):
        self.assertIn('reconnect', self.said('-chardev', 'socket,help'))
        for option in ('-chardev', '-object', '-machine', '-cpu', '-accel',
                       '-d', '-trace', '-device', '-qmp'):
            self.assertTrue(self.said(option, 'help'), option)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def path(self, name, content=''):
        path = os.path.join(self.dir, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(content)
        return path

    def monitor(self, args, commands, **more):
        """What the human monitor says to some lines."""
        done = subprocess.run(
            [MAIN, *TEST.split(), '-monitor', 'stdio', *args],
            input=''.join(f'{line}\n' for line in [*commands, 'quit']),
            capture_output=True, text=True, timeout=20, check=False, **more)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return done.stdout

    def test_options_from_a_file(self):
        config = self.path('config', '''
# everything that -readconfig knows
[machine]
  type = "q35"
[memory]
  size = "64M"
[device "card"]
  driver = "edu"
  addr = "1b"
[global]
  driver = "edu"
  property = "dma_mask"
  value = "0xff"
[chardev "line"]
  backend = "file"
  path = "''' + self.path('a,b') + '''"
''')
        said = self.monitor(['-readconfig', config],
                            ['info qtree', 'info chardev', 'info pci'])
        self.assertRegex(said, r'dev: edu, id "card"\r?\n +dma_mask = 255')
        self.assertIn('line: filename=file', said)
        self.assertIn('q35', said)

    def test_mistakes_in_a_file_are_told_with_their_line(self):
        for text, words in (
                ('[devise "x"]', ":1: there is no section [devise]; did you "
                                 "mean [device]?"),
                ('\n[device', ":2: '[device': a section begins with"),
                ('[device]\ndriver=edu', ":2: 'driver=edu': a member is NAME"),
                ('driver = "edu"', ":1: 'driver' is before any [SECTION]"),
                ('[global]\ndriver = "edu"', ':1: [global]: driver, property'),
                ('\n[device "a"]\ndrivr = "edu"', "'driver' is missing")):
            done = run([*TEST.split(), '-readconfig', self.path('c', text)])
            self.assertIn(words, done.stderr)
            self.assertEqual(done.returncode, 1)

    def test_descriptors_that_are_passed_on(self):
        image = self.path('image', 512 * 'x')
        both = os.open(image, os.O_RDWR)
        read = os.open(image, os.O_RDONLY)
        log = os.open(self.path('log'), os.O_WRONLY)
        for fd in both, read, log:
            self.addCleanup(os.close, fd)
        self.monitor([
            '-add-fd', f'fd={read},set=3,opaque=rd',
            '-add-fd', f'fd={both},set=3', '-add-fd', f'fd={log},set=7',
            '-drive', 'if=none,id=d,format=raw,file=/dev/fdset/3',
            '-device', 'nvme,drive=d,serial=s',
            '-chardev', 'file,id=c,path=/dev/fdset/7',
            '-device', 'isa-debugcon,chardev=c'], ['o/b 0xe9 0x41'],
            pass_fds=(both, read, log))
        with open(os.path.join(self.dir, 'log'), encoding='ascii') as file:
            self.assertEqual(file.read(), 'A')
        done = run([*TEST.split(), '-add-fd', f'fd={read},set=3', '-drive',
                    'if=none,id=d,format=raw,file=/dev/fdset/3'],
                   pass_fds=(read,))
        self.assertIn('Permission denied', done.stderr)

    def started(self, *args):
        """A machine without CPUs, and its monitor."""
        path = os.path.join(self.dir, 'qmp')
        program = Program('main', [MAIN, *TEST.split(), '-nodefaults', '-qmp',
                                   f'unix:{path},server=on,wait=off', *args])
        self.addCleanup(program.wait, 0)
        qmp = Qmp(path, 30)
        self.addCleanup(qmp.close)
        return program, qmp

    @staticmethod
    def accesses(program, opened):
        """With which access a process has a file open, by descriptor."""
        proc = f'/proc/{program.pid}'
        found = []
        for fd in os.listdir(f'{proc}/fd'):
            if os.path.samestat(os.stat(f'{proc}/fd/{fd}'), opened):
                with open(f'{proc}/fdinfo/{fd}', encoding='ascii') as file:
                    flags = re.search(r'flags:\s*(\d+)', file.read())[1]
                found.append(int(flags, 8) & os.O_ACCMODE)
        return sorted(found)

    def test_a_set_has_a_descriptor_for_each_access(self):
        program, qmp = self.started()
        image = self.path('image', mmap.PAGESIZE * 'x')
        opened = os.stat(image)
        read, both = os.open(image, os.O_RDONLY), os.open(image, os.O_RDWR)
        os.unlink(image)                # there is no other way to it

        def add(name, **more):
            qmp.execute('blockdev-add', driver='file', **{
                'node-name': name, 'filename': '/dev/fdset/5', **more})

        def node(name):
            return [one for one in qmp.execute('query-named-block-nodes')
                    if one['node-name'] == name][0]

        self.assertEqual(qmp.execute('add-fd', [read], **{'fdset-id': 5})
                         ['fdset-id'], 5)
        with self.assertRaisesRegex(Refused, 'Permission denied'):
            add('a')
        add('a', **{'read-only': True})
        add('b', **{'auto-read-only': True})
        self.assertTrue(node('b')['ro'])
        self.assertEqual(self.accesses(program, opened), 3 * [os.O_RDONLY])
        memory = {'size': mmap.PAGESIZE, 'mem-path': '/dev/fdset/5',
                  'share': True}
        with self.assertRaisesRegex(Refused, 'Permission denied'):
            qmp.execute('object-add', id='m', **memory,
                        **{'qom-type': 'memory-backend-file'})
        qmp.execute('add-fd', [both], **{'fdset-id': 5})
        add('c')
        self.assertFalse(node('c')['ro'])
        self.assertEqual(self.accesses(program, opened),
                         3 * [os.O_RDONLY] + 2 * [os.O_RDWR])
        qmp.execute('object-add', id='m', **memory,
                    **{'qom-type': 'memory-backend-file'})
        qmp.execute('object-del', id='m')
        # A node's is its own: the set may go.
        qmp.execute('remove-fd', **{'fdset-id': 5})
        self.assertEqual(qmp.execute('query-fdsets'), [])
        self.assertEqual(self.accesses(program, opened),
                         2 * [os.O_RDONLY] + [os.O_RDWR])
        with self.assertRaisesRegex(Refused, 'No such file'):
            add('d')
        qmp.execute('device_add', driver='nvme', drive='c', serial='s', id='n')
        for name in 'a', 'b':
            qmp.execute('blockdev-del', **{'node-name': name})
        self.assertEqual(self.accesses(program, opened), [os.O_RDWR])
        for fd in read, both:
            os.close(fd)

    def test_a_set_for_a_character_device(self):
        program, qmp = self.started()
        log = self.path('log')
        fd = os.open(log, os.O_WRONLY)
        opened = os.fstat(fd)
        number = qmp.execute('add-fd', [fd], opaque='log')['fdset-id']
        os.close(fd)
        qmp.execute('chardev-add', id='c', backend={
            'type': 'file', 'data': {'out': f'/dev/fdset/{number}'}})
        self.assertEqual(self.accesses(program, opened), 2 * [os.O_WRONLY])
        qmp.execute('chardev-remove', id='c')
        self.assertEqual(self.accesses(program, opened), [os.O_WRONLY])

    def test_a_named_descriptor_is_its_device_s(self):
        near, far = socket.socketpair()
        remote = Program('remote', [
            MAIN, '-machine', 'x-remote', '-nodefaults', '-display', 'none',
            '-device', 'edu,id=e', '-object',
            f'x-remote-object,id=o,devid=e,fd={far.fileno()}'],
            pass_fds=[far.fileno()])
        self.addCleanup(remote.wait, 0)
        far.close()
        program, qmp = self.started(
            '-machine', 'pc,memory-backend=ram', '-m', '64', '-object',
            'memory-backend-memfd,id=ram,size=64M')
        opened = os.fstat(near.fileno())
        proxy = {'driver': 'x-pci-proxy-dev', 'id': 'p', 'fd': 'wire'}

        with self.assertRaisesRegex(Refused, "'wire' not found"):
            qmp.execute('device_add', **proxy)
        other = socket.socket(socket.AF_UNIX)
        qmp.execute('getfd', [other.fileno()], fdname='wire')
        other.close()
        # Instead of the other.
        qmp.execute('getfd', [near.fileno()], fdname='wire')
        near.close()
        qmp.execute('device_add', **proxy)
        self.assertIn('p (proxy): connected', qmp.monitor('info remote'))
        self.assertEqual(self.accesses(program, opened), [os.O_RDWR])
        with self.assertRaisesRegex(Refused, "'wire' not found"):
            qmp.execute('closefd', fdname='wire')
        qmp.execute('getfd', [self.dir_fd()], fdname='wire')
        qmp.execute('closefd', fdname='wire')
        qmp.execute('quit')
        self.assertEqual((program.wait(10), remote.wait(10)), (0, 0))

    def dir_fd(self):
        fd = os.open(self.dir, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        return fd

    def test_messages_with_the_time(self):
        done = run([*TEST.split(), '-msg', 'timestamp=on', '-bios', '/x'])
        self.assertRegex(done.stderr, r'^qemu-system-x86_64: |^\d{4}-\d\d-\d\d'
                         r'T\d\d:\d\d:\d\d\.\d+Z qemu-system-x86_64: ')
        self.assertRegex(done.stderr, r'\d{4}-\d\d-\d\dT')

    def test_trace_and_log_go_to_a_file(self):
        log = os.path.join(self.dir, 'trace')
        # A serial port that wants to send raises its line.
        self.monitor(['-D', log, '-trace', 'qtest_*', '-d', 'guest_errors',
                      '-serial', 'null'], ['o/b 0x3fc 8', 'o/b 0x3f9 2'])
        with open(log, encoding='ascii') as file:
            self.assertIn('qtest_gsi', file.read())


@unittest.skipUnless(shutil.which('bash'), 'needs bash')
class Completion(unittest.TestCase):
    def complete(self, *words):
        script = f'. {COMPLETION}; COMP_WORDS=("$@"); ' \
            'COMP_CWORD=$(($# - 1)); _qemu_system_x86_64; ' \
            'printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(['bash', '-c', script, 'bash', MAIN, *words],
                              capture_output=True, text=True, check=False,
                              timeout=20)
        self.assertEqual(done.stderr, '')
        return done.stdout.split()

    def test_options(self):
        self.assertEqual(self.complete('-dev'), ['-device'])
        self.assertEqual(self.complete('-no-'), [
            '-no-hpet', '-no-reboot', '-no-shutdown', '-no-user-config'])

    def test_every_option_of_the_help(self):
        options = set(re.findall(r'^  (-\S+) ', run(['-help']).stdout, re.M))
        self.assertLessEqual(options, set(self.complete('-')))

    def test_arguments(self):
        self.assertEqual(self.complete('-device', 'ed'), ['edu'])
        self.assertEqual(self.complete('-device', 'edu,dma'), ['dma_mask='])
        self.assertEqual(self.complete('-device', 'edu,id=x,mult'),
                         ['multifunction='])
        self.assertIn('q35', self.complete('-machine', ''))
        self.assertIn('x-remote-object', self.complete('-object', 'x-'))
        self.assertIn('devid=', self.complete('-object', 'x-remote-object,'))
        self.assertEqual(self.complete('-accel', 'k'), ['kvm'])
        self.assertIn('socket', self.complete('-chardev', 's'))
        self.assertIn('path=', self.complete('-chardev', 'socket,'))
        self.assertIn('host', self.complete('-cpu', 'h'))
        self.assertEqual(self.complete('-help', 'dev'), ['devices'])


class Manual(unittest.TestCase):
    def made(self, name, section, *pages):
        top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
        return subprocess.run(
            [sys.executable, os.path.join(top, 'scripts/manpage.py'), name,
             section, 'summary', *(os.path.join(top, 'docs/system', page)
                                   for page in pages)],
            capture_output=True, text=True, check=True).stdout

    def test_pages_are_good_roff(self):
        if not shutil.which('groff'):
            self.skipTest('needs groff')
        for page in (self.made('qemu-system-x86_64', '1', 'invocation.md',
                               'devices.md', 'disks.md'),
                     self.made('mpqemu', '7', 'multi-process.md')):
            # b, w: lines that cannot be broken and such are not meant.
            done = subprocess.run(['groff', '-man', '-Tutf8', '-z', '-wall'],
                                  input=page, capture_output=True, text=True,
                                  check=False)
            warnings = [line for line in done.stderr.splitlines()
                        if "can't break line" not in line
                        and 'cannot break line' not in line]
            self.assertEqual((done.returncode, warnings), (0, []))

    def test_every_option_is_in_it(self):
        page = self.made('qemu-system-x86_64', '1', 'invocation.md')
        missing = [option for option in
                   re.findall(r'^  -(\S+) ', run(['-help']).stdout, re.M)
                   if '\\fB\\-' + option.replace('-', '\\-') not in page]
        self.assertEqual(missing, [])


def main():
    global MAIN, COMPLETION
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--main', required=True, help='the emulator')
    parser.add_argument('--completion', help="bash's, for it")
    parser.add_argument('only', nargs='*', metavar='CLASS[.TEST]')
    args = parser.parse_args()
    MAIN = os.path.realpath(args.main)
    COMPLETION = os.path.realpath(args.completion or os.path.join(
        os.path.dirname(__file__), '../../scripts/qemu-system-x86_64.bash'))
    return tap.run_own(args.only)


if __name__ == '__main__':
    sys.exit(main())
