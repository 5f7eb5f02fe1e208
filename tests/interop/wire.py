# SPDX-License-Identifier: GPL-2.0-or-later
"""The mpqemu wire as a client speaks it (docs/interop/mpqemu.md), and a remote
process to speak it to."""
import array
import fcntl
import mmap
import os
import socket
import struct
import subprocess
import time

SYNC_SYSMEM, RET, CFGWRITE, CFGREAD, BAR_WRITE, BAR_READ, SET_IRQFD, RESET = \
    range(8)
SET_UNPLUGFD, SET_MAILBOX = 8, 9        # ours alone
ONES = (1 << 64) - 1
LIMIT = 10


class Gone(Exception):
    """The other side has closed the connection."""


def header(cmd, size, padding=0):
    return struct.pack('<iIQ', cmd, padding, size)


def conf(addr, length, val=0):
    return struct.pack('<IIi', addr & 0xffffffff, val, length)


def bar(addr, size, val=0, memory=1, padding=b'\0\0\0'):
    return struct.pack('<QQIB', addr, val, size, memory) + padding


def table(regions):
    """192 bytes for [(gpa, size, offset)], at most eight."""
    rows = list(regions) + [(0, 0, 0)] * (8 - len(regions))
    return b''.join(struct.pack('<8Q', *column) for column in zip(*rows))


class Link:
    """One end of a connection."""

    def __init__(self, end):
        self.socket = end
        self.socket.settimeout(LIMIT)

    def send_raw(self, data, fds=()):
        ancillary = []
        if fds:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                          array.array('i', fds))]
        try:
            return self.socket.sendmsg([data], ancillary)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def send(self, cmd, payload=b'', fds=()):
        self.send_raw(header(cmd, len(payload)) + payload, fds)

    def receive(self):
        """(cmd, payload) of the next message."""
        head = self._exactly(16)
        cmd, _, size = struct.unpack('<iIQ', head)
        return cmd, self._exactly(size)

    def _exactly(self, size):
        data = b''
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError as error:
                raise Gone from error
            if not more:
                raise Gone
            data += more
        return data

    def ask(self, cmd, payload=b''):
        self.send(cmd, payload)
        answer, value = self.receive()
        assert answer == RET, f'command {answer} instead of an answer'
        return struct.unpack('<Q', value)[0] if value else None

    def is_closed(self):
        """True if the other side closes within the limit."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    # What a proxy does.

    def config_read(self, addr, length=4):
        return self.ask(CFGREAD, conf(addr, length))

    def config_write(self, addr, val, length=4):
        return self.ask(CFGWRITE, conf(addr, length, val))

    def read(self, addr, size=4, memory=1):
        return self.ask(BAR_READ, bar(addr, size, memory=memory))

    def write(self, addr, val, size=4, memory=1):
        return self.ask(BAR_WRITE, bar(addr, size, val, memory))

    def set_memory(self, regions, fds):
        self.send(SYNC_SYSMEM, table(regions), fds)

    def set_irqfd(self, irqfd, resamplefd):
        self.send(SET_IRQFD, b'', [irqfd, resamplefd])

    def reset(self):
        return self.ask(RESET)

    def close(self):
        self.socket.close()


def sandbox():
    """A process in its box cannot write down what it has run."""
    return ['-sandbox', 'off'] if os.environ.get('TEST_SANDBOX') == 'off' \
        else []


class Remote:
    """A remote process with devices, one link each.

    devices: the text of each -device, without its id
    pass_fds: descriptors that it inherits besides
    wrap: the beginning of the command, a tracer for example
    """

    def __init__(self, program, devices, more=(), auto_shutdown=True,
                 pass_fds=(), wrap=()):
        ends = [socket.socketpair() for _ in devices]
        command = [*wrap, program, '-machine', 'x-remote', '-nodefaults',
                   *sandbox()]
        for number, device in enumerate(devices):
            command += ['-device', f'{device},id=dev{number}']
        for number, (_, there) in enumerate(ends):
            command += ['-object', f'x-remote-object,id=link{number},'
                        f'devid=dev{number},fd={there.fileno()},auto-shutdown='
                        + ('on' if auto_shutdown else 'off')]
        self.process = subprocess.Popen(
            command + list(more), stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
            pass_fds=[there.fileno() for _, there in ends] + list(pass_fds))
        self.link_fds = [there.fileno() for _, there in ends]
        for _, there in ends:
            there.close()
        self.links = [Link(here) for here, _ in ends]

    def end(self):
        """(exit status, standard error) when all links are closed."""
        for link in self.links:
            link.close()
        try:
            _, text = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, text = self.process.communicate()
            text += 'TIMEOUT: the process did not end by itself\n'
        return self.process.returncode, ''.join(
            line for line in text.splitlines(True)
            if 'sandbox: going on without' not in line)


def memfd(size, flags=os.MFD_CLOEXEC):
    fd = os.memfd_create('guest', flags)
    os.ftruncate(fd, size)
    return fd


class Mailbox:
    """A link's mailbox, as a proxy has it."""
    EMPTY, POSTED, TAKEN, ANSWERED, BY_SOCKET = range(5)
    SIZE = 4096
    SEALS = 7                           # no change of size, or of the seals

    def __init__(self, size=SIZE, seals=SEALS):
        self.fd = memfd(size, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fcntl.fcntl(self.fd, 1033, seals)       # F_ADD_SEALS
        self.page = mmap.mmap(self.fd, size)

    @property
    def state(self):
        return int.from_bytes(self.page[:4], 'little')

    @state.setter
    def state(self, value):
        self.page[:4] = value.to_bytes(4, 'little')

    def post(self, cmd, payload):
        message = (header(cmd, len(payload)) + payload)[:40]
        self.page[8:8 + len(message)] = message
        self.state = self.POSTED

    def answer(self):
        """What the device leaves there, within the limit."""
        until(lambda: self.state == self.ANSWERED, 'answer in the mailbox')
        value, = struct.unpack_from('<Q', self.page, 48)
        self.state = self.EMPTY
        return value

    def close(self):
        self.page.close()
        os.close(self.fd)


def eventfd():
    return os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)


def until(condition, what):
    """Wait for condition(); an error that names what after LIMIT."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'never happened: {what}')
        time.sleep(0.001)


def taken(fd):
    """True if the eventfd was signalled; it is not afterwards."""
    try:
        os.eventfd_read(fd)
        return True
    except BlockingIOError:
        return False
