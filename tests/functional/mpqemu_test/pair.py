# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine as a main process and its device processes.

The processes are started as an orchestrator starts them: a socketpair a
device, one end inherited by each side.  Either side may be any program that
takes QEMU's options, so every pairing is run by the same code.
"""
import ctypes
import os
import re
import signal
import socket
import subprocess
import threading
import time

#: What Debian's package installs: the peer that nobody here wrote.
DISTRIBUTION = '/usr/bin/qemu-system-x86_64'


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def end_with_parent():
    """For preexec_fn: nothing that a test starts outlives the test."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def listens(path):
    """Whether a process listens at the UNIX socket; its name is there before."""
    with open('/proc/net/unix', encoding='ascii', errors='replace') as file:
        return any(line.split()[7:] == [path] and
                   int(line.split()[3], 16) & 0x10000 for line in file
                   if line[0] != 'N')


class Device:
    """A PCI device of a machine, as the options that make it.

    slot is where the guest finds it (None: the next that is free), also
    where a proxy stands for it; place has other such properties.
    """
    model = None

    def __init__(self, slot=None, place=''):
        self.place = (f',addr={slot:#x}' if slot is not None else '') + place

    def name(self, number):
        return f'{self.model}{number}'

    def options(self, number, place=''):
        """In the process that has the model."""
        return ['-device', f'{self.model},id={self.name(number)}{place}']


class Disk(Device):
    """A disk image to be, with more options of -drive; the guest sees its
    serial number."""
    model = 'nvme'

    def __init__(self, path, serial, slot=None, place='', how=''):
        super().__init__(slot, place)
        self.path = path
        self.serial = serial
        self.how = how

    def drive(self, number):
        return ['-drive', f'id=disk{number},if=none,format=raw,'
                          f'file={self.path}{self.how}']

    def options(self, number, place=''):
        return [*self.drive(number),
                '-device', f'nvme,id={self.name(number)},drive=disk{number},'
                           f'serial={self.serial}{place}']


class ScsiDisk(Disk):
    """A disk image to be on a SCSI adapter of its own."""
    model = 'lsi53c895a'

    def options(self, number, place=''):
        name = self.name(number)
        return [*self.drive(number), *Device.options(self, number, place),
                '-device', f'scsi-hd,drive=disk{number},bus={name}.0,'
                           f'scsi-id=0,serial={self.serial}']


class Edu(Device):
    """The device for learning."""
    model = 'edu'


class Program:
    """A process of the machine; its standard error is kept."""

    def __init__(self, name, command, pass_fds=(), stdin=None, stdout=None):
        self.name = name
        self.command = command
        self.errors = ''
        self.process = subprocess.Popen(
            command, pass_fds=pass_fds,
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=end_with_parent)
        self._drain = threading.Thread(target=self._read_errors, daemon=True)
        self._drain.start()

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors += line.decode(errors='replace')

    @property
    def pid(self):
        return self.process.pid

    def wait(self, limit):
        """Exit status; a process that lives on is ended: then 'timeout'."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            status = 'timeout'
        self._drain.join(5)
        return status


class Machine:
    """Start with 'with'; nothing of it is left running afterwards.

    remotes is a list of device processes, each a list of Devices; local is a
    list of Devices of the main process.
    """

    def __init__(self, main=DISTRIBUTION, remote=DISTRIBUTION, remotes=(),
                 local=(), machine='q35', accel='kvm', smp=1, memory=512,
                 kernel=None, initrd=None, append='', extra=(),
                 remote_extra=(), reboot=False, cpu=None):
        self.main_binary = main
        self.remote_binary = os.path.realpath(remote)
        self.remote_extra = list(remote_extra)
        self.layout = [list(devices) for devices in remotes]
        self.options = [
            '-machine', f'{machine},memory-backend=ram', '-accel', accel,
            '-cpu', cpu or ('host' if accel == 'kvm' else 'max'),
            '-smp', str(smp), '-m', str(memory),
            '-object', f'memory-backend-memfd,id=ram,size={memory}M',
            '-nodefaults', '-display', 'none', '-vga', 'none',
            '-serial', 'stdio']
        if not reboot:
            self.options.append('-no-reboot')
        if kernel:
            self.options += ['-kernel', kernel]
        if initrd:
            self.options += ['-initrd', initrd]
        if append:
            self.options += ['-append', append]
        self.first_local = sum(len(devices) for devices in self.layout)
        for number, device in enumerate(local, self.first_local):
            self.options += device.options(number, device.place)
        self.options += extra
        self.remotes = []
        self.main = None
        self.console = ''
        self._news = threading.Condition()
        self._ended = False

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for program in [self.main, *self.remotes]:
            if program and program.process.poll() is None:
                program.process.kill()
                program.process.wait()

    def _start(self):
        inherited = []
        number = 0
        try:
            for devices in self.layout:
                command = [self.remote_binary, '-machine', 'x-remote',
                           '-nodefaults', '-display', 'none',
                           *self.remote_extra]
                theirs = []
                for device in devices:
                    here, there = socket.socketpair()
                    inherited.append(here)
                    theirs.append(there)
                    command += device.options(number)
                    command += [
                        '-object', f'x-remote-object,id=robj{number},'
                        f'devid={device.name(number)},fd={there.fileno()}']
                    self.options += [
                        '-device', f'x-pci-proxy-dev,id=proxy{number},'
                        f'fd={here.fileno()}{device.place}']
                    number += 1
                pipes = {}
                if self.remote_binary == os.path.realpath(DISTRIBUTION):
                    command += ['-qmp', 'stdio']
                    pipes = {'stdin': subprocess.PIPE,
                             'stdout': subprocess.PIPE}
                self.remotes.append(Program(
                    f'device process {len(self.remotes)}', command,
                    [there.fileno() for there in theirs], **pipes))
                for there in theirs:
                    there.close()
            self._wait_for_remotes()
            self.main = Program(
                'main process', [self.main_binary, *self.options],
                [here.fileno() for here in inherited],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        finally:
            for here in inherited:
                here.close()
        threading.Thread(target=self._read_console, daemon=True).start()

    def _wait_for_remotes(self, limit=30):
        # The distribution's remote may serve its link before its machine's
        # first reset, which then takes away what was programmed, and hang.
        # Its main loop, which answers QMP, runs after that reset only.
        for remote in self.remotes:
            if remote.process.stdin:
                remote.process.stdin.write(b'{"execute":"qmp_capabilities"}\n')
                remote.process.stdin.flush()
                timer = threading.Timer(limit, remote.process.kill)
                timer.start()
                for line in remote.process.stdout:
                    if line.startswith(b'{"return"'):
                        break
                timer.cancel()

    def _read_console(self):
        while True:
            data = self.main.process.stdout.read1(65536)
            with self._news:
                self.console += data.decode(errors='replace')
                self._ended = not data
                self._news.notify_all()
            if not data:
                return

    def say(self, text):
        """Type text on the guest's console."""
        self.main.process.stdin.write(text.encode())
        self.main.process.stdin.flush()

    def expect(self, pattern, limit, forget=False):
        """Wait until the console shows pattern; None if it never does.

        forget: the console begins after it from now on.
        """
        pattern = re.compile(pattern, re.M)
        end = time.monotonic() + limit
        with self._news:
            while True:
                match = pattern.search(self.console)
                left = end - time.monotonic()
                if match and forget:
                    self.console = self.console[match.end():]
                if match or self._ended or left <= 0:
                    return match
                self._news.wait(left)

    def wait(self, limit):
        """Exit statuses of the main process and of the device processes."""
        main = self.main.wait(limit)
        return main, [remote.wait(60) for remote in self.remotes]

    def report(self):
        """What a person wants to see when it went wrong."""
        parts = []
        for program in [self.main, *self.remotes]:
            if program:
                parts.append(f'{program.name}: exit status '
                             f'{program.process.poll()}\n'
                             f'  {" ".join(program.command)}\n'
                             f'{program.errors}')
        parts.append('console:\n' + self.console[-4000:])
        return '\n'.join(parts)
