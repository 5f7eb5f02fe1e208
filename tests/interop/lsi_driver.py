# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver of the LSI53C895A over the mpqemu wire: one SCSI command at a time,
each a script in guest memory, from selection to bus free."""
import os
import struct
import time

import wire

REGS, RAM, IO = 0xe0000000, 0xe0002000, 0xc000
SIZE = 4 << 20
SCRIPT, STATUS_SCRIPT = 0x10000, 0x10800
CDB, MSGOUT, STATUS, MSGIN, DATA = 0x20000, 0x20020, 0x20040, 0x20050, 0x30000
OUT, IN = 0, 1
ISTAT0, DSTAT, SIST0, DSP, DSPS = 0x14, 0x0c, 0x42, 0x2c, 0x30
LENGTHS = 6, 10, 10, 6, 16, 12, 6, 10


def move(phase, length, addr):
    return 0x08000000 | phase << 24 | length, addr


class Lsi:
    def __init__(self, link):
        self.link = link
        self.fd = wire.memfd(SIZE)
        link.set_memory([(0, SIZE, 0)], [self.fd])
        self.irqfd, self.resamplefd = wire.eventfd(), wire.eventfd()
        link.set_irqfd(self.irqfd, self.resamplefd)
        for at, value in (0x10, IO), (0x14, REGS), (0x18, RAM), (4, 7):
            link.config_write(at, value)
        for reg, value in ((0x39, 0x7d), (0x40, 0x8f), (0x41, 7), (2, 0x80),
                           (0x56, 0x80)):
            link.write(REGS + reg, value, 1)
        link.write(REGS + 0xc0, STATUS_SCRIPT)  # where a wrong phase leads
        self.load(STATUS_SCRIPT, *move(3, 1, STATUS), *move(7, 1, MSGIN),
                  0x60000040, 0, 0x48000000, 0, 0x98080000, 0xc0de)

    def load(self, addr, *words):
        os.pwrite(self.fd, struct.pack(f'<{len(words)}I', *words), addr)

    def do(self, target, cdb, direction=IN, length=0, data=b''):
        """A command's status."""
        cdb = bytes(cdb)
        os.pwrite(self.fd, cdb.ljust(16, b'\0'), CDB)
        os.pwrite(self.fd, b'\x80', MSGOUT)
        os.pwrite(self.fd, data, DATA)
        self.load(SCRIPT, 0x41000000 | target << 16, SCRIPT + 0x1000,
                  *move(6, 1, MSGOUT), *move(2, LENGTHS[cdb[0] >> 5], CDB),
                  *(move(direction, length, DATA) if length
                    else (0x80000000, 0)), 0x80080000, STATUS_SCRIPT)
        self.link.write(REGS + DSP, SCRIPT)
        limit = time.monotonic() + wire.LIMIT
        while not self.link.read(REGS + ISTAT0, 1) & 7:
            if time.monotonic() > limit:
                raise AssertionError(f'command {cdb.hex()} does not end')
        end = self.link.read(REGS + DSPS)
        self.link.read(REGS + SIST0, 2)
        self.link.read(REGS + DSTAT, 1)
        wire.taken(self.irqfd)
        os.eventfd_write(self.resamplefd, 1)
        assert end == 0xc0de, f'command {cdb.hex()} ends at {end:#x}'
        return os.pread(self.fd, 1, STATUS)[0]

    def disk(self, target):
        """[(CDB, status)] of those commands to a scsi-hd that fail."""
        block, list4 = bytes(512), [0] * 4
        unmap = struct.pack('>HHIQII', 22, 16, 0, 64, 8, 0)
        return self.failed(target, [
            ([0x00] + [0] * 5,),
            ([0x12, 0, 0, 0, 96, 0], IN, 96),
            *(([0x12, 1, page, 0, 96, 0], IN, 96)
              for page in (0, 0x80, 0x83, 0xb0, 0xb1, 0xb2)),
            ([0x03, 0, 0, 0, 18, 0], IN, 18),
            ([0x25] + [0] * 9, IN, 8),
            ([0x9e, 0x10] + [0] * 11 + [32, 0, 0], IN, 32),
            ([0x1a, 0, 0x3f, 0, 192, 0], IN, 192),
            ([0x5a, 0, 8, 0, 0, 0, 0, 0, 192, 0], IN, 192),
            ([0x15, 0x10, 0, 0, 24, 0], OUT, 24,
             bytes([0, 0, 0, 0, 8, 18, 0]) + bytes(17)),
            ([0xa0] + [0] * 8 + [16, 0, 0], IN, 16),
            ([0x0a, 0, 0, 0, 1, 0], OUT, 512, b'a' * 512),
            ([0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0], OUT, 512, b'b' * 512),
            ([0x2a, 8, 0, 0, 0, 1, 0, 0, 1, 0], OUT, 512, b'b' * 512),  # FUA
            ([0xaa, 0, *list4[:3], 2, *list4[:3], 1, 0, 0], OUT, 512, block),
            ([0x8a, 0] + [0] * 7 + [3, 0, 0, 0, 1, 0, 0], OUT, 512, block),
            ([0x2e, 0, 0, 0, 0, 4, 0, 0, 1, 0], OUT, 512, block),
            ([0x08, 0, 0, 0, 1, 0], IN, 512),
            ([0x28, 0, 0, 0, 0, 0, 0, 0, 128, 0], IN, 128 * 512),
            ([0xa8, 0, *list4, *list4[:3], 1, 0, 0], IN, 512),
            ([0x88, 0] + [0] * 8 + [0, 0, 0, 1, 0, 0], IN, 512),
            ([0x2f, 0, 0, 0, 0, 0, 0, 0, 8, 0],),
            ([0x35] + [0] * 9,),
            ([0x91] + [0] * 15,),
            ([0x42] + [0] * 6 + [0, 24, 0], OUT, 24, unmap),
            ([0x41, 8, 0, 0, 0, 64, 0, 0, 8, 0], OUT, 512, block),
            ([0x93, 0] + [0] * 7 + [64, 0, 0, 0, 8, 0, 0], OUT, 512, b'c' * 512),
            ([0x1e] + [0] * 5,),
            ([0x1b, 0, 0, 0, 0, 0],), ([0x1b, 0, 0, 0, 1, 0],)])

    def cd(self, target):
        """The same of a scsi-cd."""
        return self.failed(target, [
            ([0x00] + [0] * 5,),
            ([0x12, 0, 0, 0, 96, 0], IN, 96),
            ([0x25] + [0] * 9, IN, 8),
            ([0x28, 0, 0, 0, 0, 0, 0, 0, 16, 0], IN, 16 * 2048),
            ([0x43] + [0] * 6 + [0, 64, 0], IN, 64),
            ([0x46] + [0] * 6 + [0, 64, 0], IN, 64),
            ([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 64, 0], IN, 64),
            ([0x51] + [0] * 6 + [0, 64, 0], IN, 64),
            ([0xbd] + [0] * 7 + [0, 8, 0, 0], IN, 8),
            ([0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64, 0], IN, 64),
            ([0x1b, 0, 0, 0, 2, 0],), ([0x1b, 0, 0, 0, 3, 0],)])

    def failed(self, target, commands):
        """Past the unit's attention, those that do not end well."""
        self.do(target, [0] * 6)
        found = []
        for cdb, *rest in commands:
            status = self.do(target, cdb, *rest)
            if status:
                self.do(target, [3, 0, 0, 0, 18, 0], IN, 18)
                sense = os.pread(self.fd, 14, DATA)
                found.append((bytes(cdb).hex(), status, sense.hex()))
        return found

    def close(self):
        for fd in self.fd, self.irqfd, self.resamplefd:
            os.close(fd)
