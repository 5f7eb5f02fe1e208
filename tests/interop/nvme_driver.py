# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver of an NVMe controller behind a link (wire.py)."""
import os
import struct
import time

import wire

BAR, SIZE = 0xe0000000, 4 << 20


class Nvme:
    """A driver of one admin and one I/O queue, by polling."""
    ENTRIES = 16

    def __init__(self, link):
        self.link = link
        self.fd = wire.memfd(SIZE)
        link.set_memory([(0, SIZE, 0)], [self.fd])
        self.irqfd, self.resamplefd = wire.eventfd(), wire.eventfd()
        link.set_irqfd(self.irqfd, self.resamplefd)
        link.config_write(0x10, BAR)
        link.config_write(4, 6)
        self.queues = {0: [0x1000, 0x2000, 0, 0, 1],
                       1: [0x3000, 0x4000, 0, 0, 1]}
        for at, value, size in ((0x24, 0x000f000f, 4), (0x28, 0x1000, 8),
                                (0x30, 0x2000, 8), (0x14, 0x460001, 4)):
            link.write(BAR + at, value, size)
        assert link.read(BAR + 0x1c) & 1
        assert self.do(0, 5, prp=0x4000, dw10=15 << 16 | 1, dw11=3) == 0
        assert self.do(0, 1, prp=0x3000, dw10=15 << 16 | 1,
                       dw11=1 << 16 | 1) == 0

    def submit(self, queue, opcode, prp=0x10000, prp2=0, dw10=0, dw11=0,
               dw12=0):
        sq, cq, tail, head, phase = self.queues[queue]
        os.pwrite(self.fd, struct.pack(
            '<BBHIQQQQIIIIII', opcode, 0, tail, 1, 0, 0, prp, prp2, dw10,
            dw11, dw12, 0, 0, 0), sq + 64 * tail)
        tail = (tail + 1) % self.ENTRIES
        self.queues[queue] = [sq, cq, tail, head, phase]
        self.link.write(BAR + 0x1000 + 8 * queue, tail)

    def do(self, queue, opcode, **fields):
        """A command's status."""
        self.submit(queue, opcode, **fields)
        sq, cq, tail, head, phase = self.queues[queue]
        limit = time.monotonic() + wire.LIMIT
        while True:
            status, = struct.unpack('<H', os.pread(self.fd, 2,
                                                   cq + 16 * head + 14))
            if status & 1 == phase:
                break
            if time.monotonic() > limit:
                raise AssertionError(f'opcode {opcode} does not end')
        head = (head + 1) % self.ENTRIES
        self.link.write(BAR + 0x1004 + 8 * queue, head)
        # The interrupt has been ended.
        wire.taken(self.irqfd)
        os.eventfd_write(self.resamplefd, 1)
        self.queues[queue] = [sq, cq, tail, head, phase ^ (head == 0)]
        return status >> 1

    def everything(self):
        """Each command that reaches the back end."""
        done = [self.do(0, 6, dw10=1),
                self.do(1, 1, dw10=0, dw12=7),
                self.do(1, 1, dw10=8, dw12=7 | 1 << 30),          # FUA
                self.do(1, 1, prp=0x10200, prp2=0x20000, dw10=3, dw12=7),
                self.do(1, 2, dw10=0, dw12=7),
                self.do(1, 2, prp=0x10200, prp2=0x20000, dw10=3, dw12=7),
                self.do(1, 2, prp=0x10004, dw10=3, dw12=0),
                # 0x285: they differ
                self.do(1, 5, dw10=8, dw12=7) & 0x57a,            # compare
                self.do(1, 0),
                self.do(1, 8, dw10=16, dw12=7),
                self.do(1, 8, dw10=24, dw12=7 | 1 << 25)]         # deallocate
        os.pwrite(self.fd, struct.pack('<IIQ', 0, 8, 32), 0x10000)
        done.append(self.do(1, 9, dw10=0, dw11=4))                # trim
        # Longer than an iovec has room for in one piece.
        for page in range(64):
            os.pwrite(self.fd, struct.pack('<Q', 0x100000 + page * 0x2000),
                      0x30000 + 8 * page)
        done += [self.do(1, op, prp=0x10000, prp2=0x30000, dw10=64, dw12=511)
                 for op in (1, 2)]
        return done

    def close(self):
        for fd in self.fd, self.irqfd, self.resamplefd:
            os.close(fd)
