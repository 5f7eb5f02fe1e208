#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the inputs that fuzzing starts from: seeds.py FOLDER

FOLDER/TARGET/NAME: what a driver does, in the format that each target's first
comment describes.
"""
import os
import struct
import sys


def number(size, value):
    return (value & ((1 << (8 * size)) - 1)).to_bytes(size, 'little')


# -- remote.c ----------------------------------------------------------------

def op(code, upper=0, *fields):
    return bytes([code | upper << 4]) + b''.join(fields)


def config_write(addr, value, size=4):
    return op(0, {1: 0, 2: 1, 4: 2}[size], number(1, addr), number(4, value))


def config_read(addr, size=4):
    return op(1, {1: 0, 2: 1, 4: 2}[size], number(1, addr))


LOG = {1: 0, 2: 1, 4: 2, 8: 3}


def write(at, value, size=4, bar=0):
    if value < 0x10000:
        return op(2, LOG[size] | bar << 2, number(2, at), number(2, value))
    return op(12, LOG[size] | bar << 2, number(2, at), number(8, value))


def read(at, size=4, bar=0):
    return op(3, LOG[size] | bar << 2, number(2, at))


def memory(at, data):
    parts = [data[i:i + 248] for i in range(0, len(data), 248)]
    return b''.join(op(4, 0, number(2, (at + 248 * i) // 8),
                       bytes([len(part)]), part)
                    for i, part in enumerate(parts))


def fill(at, words, value):
    return op(5, 0, number(2, at // 8), bytes([words]), number(8, value))


def step(micros):
    return op(6, 0, number(2, micros))


RESET, RESAMPLE, SET_IRQFD = op(7, 0), op(7, 1), op(7, 3)


def table(*rows, kind=0):
    return op(8, kind + len(rows), *(
        number(2, gpa) + bytes([size, offset]) for gpa, size, offset in rows))


def message(cmd, payload=b''):
    return op(11, 0, bytes([cmd, len(payload)]), payload)


def any_device():
    """Whatever the device is: the bus, and the link."""
    yield 'empty', b''
    yield 'config', b'\0' + b''.join(config_read(a) for a in range(0, 256, 4))
    yield 'config-write', b'\0' + b''.join(
        config_write(a, 0xffffffff) + config_read(a, 2)
        for a in range(0, 64, 4))
    yield 'intx-off', b'\0' + config_write(4, 0x407, 2) + config_read(6, 2)
    yield 'read', b'\0' + b''.join(read(a, 4) for a in range(0, 256, 4))
    yield 'write-ones', b'\0' + b''.join(
        write(a, 0xffff) for a in range(0, 256, 4))
    yield 'sizes', b'\0' + b''.join(
        read(a, s) + write(a, 1, s) for a in (0, 1, 3, 8) for s in LOG)
    yield 'second-bar', b'\0' + b''.join(
        read(a, 4, 1) + write(a, 5, 4, 1) for a in range(0, 64, 8))
    yield 'reset', b'\0' + write(8, 5) + RESET + read(8)
    yield 'memory', b'\x08' + table((0, 16, 0), (32, 16, 16)) + \
        memory(0, bytes(range(64))) + table((64, 1, 0)) + table()
    yield 'irqfd', b'\x02' + SET_IRQFD + RESAMPLE + SET_IRQFD + op(9, 6)
    yield 'unplug', b'\0' + op(9, 15) + read(0) + op(9, 15)
    yield 'messages', b'\x0f' + message(7) + \
        message(3, struct.pack('<IIi', 0, 0, 4)) + \
        message(5, struct.pack('<QQIB3x', 0xe0000000, 0, 4, 1)) + \
        message(1, bytes(8))
    yield 'nothing-prepared', b'\x0f' + config_read(0) + read(0)
    yield 'power', b'\0' + b''.join(config_write(a, 3, 2)
                                    for a in range(0x40, 0x60, 4))


def edu():
    yield from any_device()
    yield 'factorial', b'\0' + write(0x20, 0x80) + write(8, 12) + step(100) + \
        read(0x20) + read(8) + read(0x24) + write(0x64, 1)
    yield 'interrupt', b'\0' + write(0x60, 0x55) + RESAMPLE + read(0x24) + \
        write(0x64, 0x55) + RESAMPLE
    dma = [write(0x80, 0x1000, 8), write(0x88, 0x40000, 8),
           write(0x90, 0x800, 8), write(0x98, 5, 8), step(60000),
           step(60000), read(0x98), read(0x24)]
    yield 'dma-in', b'\0' + fill(0x1000, 255, 0x1122334455667788) + \
        b''.join(dma)
    yield 'dma-out', b'\0' + b''.join(dma) + write(0x80, 0x40000, 8) + \
        write(0x88, 0x1f800, 8) + write(0x98, 7, 8) + step(60000) + \
        step(60000) + write(0x64, 0x100)


def pci_testdev():
    yield from any_device()
    for bar in (0, 1):
        for test in range(4):
            yield f'test-{bar}-{test}', b'\0' + write(0, test, 1, bar) + \
                b''.join(read(a, s, bar) for s in (1, 2, 4)
                         for a in (0, 4, 8, 12, 16, 20)) + \
                write(16, 0xfa, 1, bar) * 3 + read(12, 4, bar)


# -- nvme --------------------------------------------------------------------

def sqe(queue, opcode, nsid=0, prp1=0x3000, prp2=0x4000, dw10=0, dw11=0, dw12=0,
        dw13=0, cid=7, flags=0, reap=True):
    entry = struct.pack('<BBHIQQQQ6I', opcode, flags, cid, nsid, 0, 0, prp1,
                        prp2, dw10, dw11, dw12, dw13, 0, 0).rstrip(b'\0')
    return op(14 if reap else 13, queue, bytes([len(entry)]), entry)


def nvme_queues(count=3):
    return b''.join(
        sqe(0, 5, prp1=0x2000 * q + 0x1000, dw10=31 << 16 | q, dw11=3) +
        sqe(0, 1, prp1=0x2000 * q, dw10=31 << 16 | q, dw11=q << 16 | 1)
        for q in range(2, count + 1))


def nvme():
    yield from any_device()
    data = 0x10000
    for cns in (0, 1, 2, 3, 5, 6, 0x10, 0x11, 0x12, 0x13, 0x14, 0x1c):
        yield f'identify-{cns:x}', b'\0' + sqe(0, 6, 1, data, dw10=cns)
    for lid in (1, 2, 3, 4, 5, 6):
        yield f'log-{lid:x}', b'\0' + sqe(0, 2, 0xffffffff, data,
                                          dw10=127 << 16 | lid)
    for fid in range(1, 0x12):
        yield f'feature-{fid:x}', b'\0' + b''.join(
            sqe(0, 10, 1, data, dw10=fid | sel << 8) for sel in range(4)) + \
            sqe(0, 9, 0, data, dw10=fid, dw11=1) + \
            sqe(0, 9, 0, data, dw10=fid, dw11=0x10001) + \
            sqe(0, 10, 0, data, dw10=fid)
    yield 'queues', b'\0' + nvme_queues() + \
        b''.join(sqe(0, 0, dw10=q) + sqe(0, 4, dw10=q) for q in (3, 2, 1))
    yield 'no-queue-0', b'\0' + sqe(0, 5) + sqe(0, 1) + sqe(0, 0) + sqe(0, 4)
    for opcode in (0, 1, 2, 4, 5, 8, 9, 0xc):
        yield f'io-{opcode:x}', b'\0' + nvme_queues(1) + \
            sqe(1, opcode, 1, data, data + 0x1000, dw10=3, dw12=7)
        yield f'short-{opcode:x}', b'\0' + op(
            15, 1, bytes([opcode]), number(2, data >> 8), number(2, 0x110),
            number(2, 3), number(2, 0), number(2, 7), b'\0') * 3
    yield 'prp-list', b'\0' + nvme_queues(1) + b''.join(
        memory(0x8000 + 8 * i, number(8, data + 0x1000 * i))
        for i in range(8)) + \
        sqe(1, 2, 1, data, 0x8000, dw12=63) + sqe(1, 1, 1, data + 0x200, 0x8000,
                                                  dw12=63)
    yield 'trim', b'\0' + nvme_queues(1) + \
        memory(data, struct.pack('<IIQ', 0, 8, 16) * 4) + \
        sqe(1, 9, 1, data, dw10=3, dw11=4)
    yield 'abort', b'\0' + sqe(0, 0xc) * 5 + sqe(0, 8, cid=9, dw10=7 << 16)
    yield 'asynchronous', b'\0' + sqe(0, 9, dw10=0xb, dw11=0x1ff) + \
        sqe(0, 0xc) * 4 + write(0x1000, 99) + sqe(0, 2, 0xffffffff, data,
                                                  dw10=1)
    yield 'queue-full', b'\0' + nvme_queues(1) + \
        sqe(1, 0, 1, reap=False) * 40 + write(0x100c, 31)
    yield 'disable', b'\0' + nvme_queues(1) + write(0x14, 0) + read(0x1c) + \
        write(0x14, 0x460001) + sqe(0, 6, dw10=1)
    yield 'shutdown', b'\0' + write(0x14, 0x464001) + read(0x1c) + step(1000)
    yield 'mask', b'\0' + write(0xc, 1) + sqe(0, 6, dw10=1, reap=False) + \
        write(0x10, 1) + RESAMPLE + write(0x1004, 1)
    yield 'bad-doorbell', b'\0' + write(0x1000, 0xffff) + write(0x1010, 3) + \
        read(0x1c)
    yield 'bad-settings', b'\x08' + write(0x14, 0xf) + write(0x24, 0) + \
        write(0x28, 0xdeadbeef0, 8) + write(0x14, 0x460001) + read(0x1c)
    yield 'format', b'\0' + sqe(0, 0x80, 1)
    yield 'no-memory', b'\0' + nvme_queues(1) + table((64, 1, 0)) + \
        sqe(1, 2, 1, data, dw12=7) + read(0x1c)
    yield 'bus-master-off', b'\0' + config_write(4, 3, 2) + \
        sqe(0, 6, dw10=1) + read(0x1c)


# -- lsi53c895a --------------------------------------------------------------

def scsi(cdb, length=0, target=0, to_host=True, kind=13, tag=0):
    cdb = bytes(cdb)
    return op(kind, target | to_host << 1 | tag << 2, bytes([len(cdb)]), cdb,
              number(2, length))


CDBS = {
    'test-unit-ready': ([0] * 6, 0),
    'request-sense': ([3, 0, 0, 0, 18, 0], 18),
    'read6': ([8, 0, 0, 1, 2, 0], 1024),
    'inquiry': ([0x12, 0, 0, 0, 36, 0], 36),
    'inquiry-0': ([0x12, 1, 0, 0, 252, 0], 252),
    'inquiry-80': ([0x12, 1, 0x80, 0, 252, 0], 252),
    'inquiry-83': ([0x12, 1, 0x83, 0, 252, 0], 252),
    'inquiry-b1': ([0x12, 1, 0xb1, 0, 252, 0], 252),
    'inquiry-b2': ([0x12, 1, 0xb2, 0, 252, 0], 252),
    'inquiry-b0': ([0x12, 1, 0xb0, 0, 252, 0], 252),
    'mode-sense6': ([0x1a, 0, 0x3f, 0, 192, 0], 192),
    'mode-sense10': ([0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 192, 0], 192),
    'start-stop': ([0x1b, 0, 0, 0, 2, 0], 0),
    'prevent': ([0x1e, 0, 0, 0, 1, 0], 0),
    'capacity10': ([0x25] + [0] * 9, 8),
    'read10': ([0x28, 0, 0, 0, 0, 1, 0, 0, 4, 0], 2048),
    'synchronize': ([0x35] + [0] * 9, 0),
    'read-toc': ([0x43, 2, 0, 0, 0, 0, 0, 0, 20, 0], 20),
    'read-toc-full': ([0x43, 2, 2, 0, 0, 0, 0, 0, 60, 0], 60),
    'read-toc-1': ([0x43, 0, 1, 0, 0, 0, 0, 0, 20, 0], 20),
    'get-configuration': ([0x46, 0, 0, 0, 0, 0, 0, 1, 0, 0], 256),
    'event-status': ([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0], 8),
    'disc-information': ([0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0], 34),
    'read12': ([0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0], 1024),
    'read16': ([0x88] + [0] * 12 + [2, 0, 0], 1024),
    'capacity16': ([0x9e, 0x10] + [0] * 11 + [32, 0, 0], 32),
    'report-luns': ([0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], 64),
    'mechanism': ([0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0], 8),
    'reserve': ([0x16, 0, 0, 0, 0, 0], 0),
    'seek': ([0x2b] + [0] * 9, 0),
    'diagnostic': ([0x1d, 4, 0, 0, 0, 0], 0),
    'set-speed': ([0xbb] + [0] * 11, 0),
    'verify': ([0x2f, 0, 0, 0, 0, 1, 0, 0, 4, 0], 0),
}
WRITES = {
    'write6': ([0x0a, 0, 0, 1, 2, 0], 1024),
    'mode-select6': ([0x15, 0x10, 0, 0, 24, 0], 24),
    'mode-select10': ([0x55, 0x10, 0, 0, 0, 0, 0, 0, 28, 0], 28),
    'write10': ([0x2a, 0, 0, 0, 0, 1, 0, 0, 4, 0], 2048),
    'write-verify': ([0x2e, 0, 0, 0, 0, 1, 0, 0, 4, 0], 2048),
    'write16': ([0x8a] + [0] * 12 + [2, 0, 0], 1024),
    'verify-bytes': ([0x2f, 2, 0, 0, 0, 1, 0, 0, 1, 0], 512),
    'write-same16': ([0x93, 8] + [0] * 11 + [2, 0, 0], 512),
    'unmap': ([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], 24),
}
READY = scsi([0] * 6)       # takes the unit attention away


def script(*words):
    return memory(0x1000, struct.pack(f'<{len(words)}I', *words)) + \
        write(0x2c, 0x1000)


def lsi():
    yield from any_device()
    for name, (cdb, length) in CDBS.items():
        for target in (0, 1):
            yield f'{name}-{target}', b'\0' + scsi(
                [0] * 6, 0, target) * 2 + scsi(cdb, length, target) + \
                read(0x14) + read(0xc, 1)
        yield f'{name}-patient', b'\0' + READY + scsi(cdb, length, kind=15,
                                                      tag=1)
    for name, (cdb, length) in WRITES.items():
        yield name, b'\0' + READY * 2 + memory(0x10000, bytes([
            0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4])) + scsi(
            cdb, length, to_host=False) + scsi(CDBS['request-sense'][0], 18)
    yield 'attention', b'\0' + scsi(*CDBS['inquiry']) + scsi(
        *CDBS['read10']) + scsi(*CDBS['request-sense'])
    yield 'short', b'\0' + READY * 2 + scsi(CDBS['inquiry'][0], 20) + \
        write(0x2c, 0x1100)
    yield 'long', b'\0' + READY * 2 + scsi(CDBS['inquiry'][0], 255)
    yield 'arithmetic', b'\0' + script(
        0x78340500, 0, 0x7e340300, 0, 0x7a344000, 0, 0x74340f00, 0,
        0x6a350000, 0, 0x79340000, 0, 0x7d350000, 0, 0x98080000, 9)
    yield 'jumps', b'\0' + script(
        0x88080000, 0x1018, 0x98080000, 3, 0x80000000, 0, 0x90080000, 0)
    yield 'moves', b'\0' + script(
        0xc0000010, 0x10000, 0xe1000100, 0xc0000010, 0x10000, 0x10100,
        0xe1340004, 0x10104, 0xe0340004, 0x10200, 0x98080000, 1)
    yield 'table-indirect', b'\0' + write(0x10, 0x8000) + memory(
        0x8000, struct.pack('<4I', 0, 6, 0x8040, 0)) + script(
            0x43000000, 0, 0x1a000000, 4, 0x98080000, 1)
    yield 'timeout', b'\0' + script(0x41050000, 0, 0x9f030000, 1, 0x98080000, 2)
    yield 'endless', b'\0' + script(0x80080000, 0x1000) + step(3000)
    yield 'illegal', b'\0' + script(0xb8080000, 0)
    yield 'single-step', b'\0' + write(0x3b, 0x10, 1) + script(
        0x80000000, 0, 0x80000000, 0) + write(0x3b, 0x14, 1)
    yield 'bus-reset', b'\0' + READY + write(1, 8, 1) + write(1, 0, 1) + \
        read(0x42, 2)
    yield 'soft-reset', b'\0' + READY + write(0x14, 0x40, 1) + \
        write(0x14, 0, 1)
    yield 'abort', b'\0' + script(0x80080000, 0x1000) + \
        write(0x14, 0x80, 1) + read(0xc, 1)
    yield 'script-ram', b'\0' + write(0, 0x98080000, 4, 2) + \
        write(4, 5, 4, 2) + read(0, 4, 2) + write(0x2c, 0xe2000000)
    yield 'timers', b'\0' + write(0x48, 0xff, 1) + write(0x49, 0xf, 1) + \
        write(0x40, 0xff) + step(60000) * 4 + read(0x42, 2)
    yield 'reselect-select', b'\0' + READY + scsi(
        *CDBS['read10'], kind=15) + READY + scsi(*CDBS['read10'], kind=15,
                                                 tag=3)


# -- wire.c ------------------------------------------------------------------

def chunk(code, data):
    return bytes([code, len(data)]) + data


def wire_message(cmd, payload, fds=0):
    data = struct.pack('<iIQ', cmd, 0, len(payload)) + payload
    return chunk(fds, data)


def wire():
    receive = b'\x06'
    sizes = (192, 8, 12, 12, 24, 24, 0, 0, 0)
    for cmd, size in enumerate(sizes):
        fds = {0: 3, 6: 2, 8: 1}.get(cmd, 0)
        yield f'message-{cmd}', wire_message(cmd, bytes(size), fds) + receive
        yield f'message-{cmd}-pieces', b''.join(
            chunk(0, struct.pack('<iIQ', cmd, 0, size)[i:i + 4]) + receive
            for i in range(0, 16, 4)) + chunk(0, bytes(size))
    yield 'all', b''.join(wire_message(cmd, bytes(size))
                          for cmd, size in enumerate(sizes)) + receive
    yield 'access', wire_message(3, struct.pack('<IIi', 0, 0, 4)) + \
        wire_message(5, struct.pack('<QQIB3x', 0xe0000000, 0, 4, 1)) + receive
    yield 'too-long', b'\x04\x01\xff\xff' + receive
    yield 'descriptors-twice', wire_message(6, b'', 2) + \
        wire_message(6, b'', 2) + receive
    yield 'many-descriptors', b'\x05\x09' + bytes(9) + receive
    yield 'eight-descriptors', b'\x05\xd0' + \
        struct.pack('<iIQ', 0, 0, 192) + bytes(192) + receive
    yield 'header', b'\x07' + struct.pack('<iIQ', -1, 5, 1 << 63) + receive
    yield 'cut', chunk(0, bytes(7))


# -- proxy.c -----------------------------------------------------------------

def ret(value, times=1):
    if value in (0, (1 << 64) - 1):
        return b''.join(bytes([0x80 | (min(times - n, 16) - 1) << 3 |
                               (1 if value else 0)])
                        for n in range(0, times, 16))
    return b''.join(bytes([0x80 | (min(times - n, 4) - 1) << 3 | 3]) +
                    number(4, value) for n in range(0, times, 4))


def happens(kind, upper, at_size, at, value_size=0, value=0):
    return bytes([kind | upper << 4]) + number(at_size, at) + \
        number(value_size, value)


def probe(bars=(), rom=0, pin=1):
    """What a device answers while it is probed; for each BAR what it reads as
    after ones were written."""
    masks = list(bars) + [0] * (6 - len(bars))
    text = ret(0x11e81234) + ret(0xff000010) + ret(0x11001af4) + ret(0) + \
        ret(pin)
    for mask in masks + [rom]:
        text += ret(0) + ret(0) + ret(mask) + ret(0)
    return text


def proxy():
    yield 'nothing', b''
    yield 'nobody', ret((1 << 64) - 1, 60)
    yield 'zeroes', ret(0, 80)
    memory_bar = probe([0xfff00000])
    yield 'memory-bar', memory_bar
    yield 'io-bar', probe([0xfffff001, 0xfffff000])
    yield '64-bit-bar', probe([0xffffc004, 0xffffffff])
    yield 'rom', probe([0xfffff000], 0xffff0000)
    yield 'bad-bar', probe([0xfff01000])
    yield 'bad-pin', probe([], 0, 9)
    use = happens(0, 2, 1, 0x10, 4, 0xe0000000) + happens(0, 1, 1, 4, 4, 7) + \
        b''.join(happens(2, s, 4, 8, 4, 5) + happens(3, s, 4, 8)
                 for s in range(4)) + \
        happens(1, 2, 1, 0) + happens(7, 0, 0, 0) + happens(7, 1, 0, 0) + \
        happens(7, 2, 0, 0) + happens(6, 1, 1, 0x60, 1, 11) + \
        happens(6, 0, 1, 0x59, 1, 0x10) + happens(7, 3, 0, 0)
    yield 'use', memory_bar + ret(0, 4) + ret(5, 20) + b'\x85' + use
    yield 'dies-in-use', memory_bar + ret(0, 3) + use
    yield 'lies-in-use', memory_bar + ret(0, 3) + b'\x86\x10' + bytes(16) + use
    yield 'descriptors', memory_bar + b'\x97' + number(4, 7) + use
    yield 'unplug', b'\x8d' + memory_bar[1:] + ret(0, 4) + use + \
        happens(7, 4, 0, 0)
    back = memory_bar + ret(0, 4) + b'\x8e\0'
    yield 'comes-back', back + memory_bar + ret(0, 40) + use + \
        happens(7, 5, 0, 0) + use
    yield 'comes-back-otherwise', back + probe([0xfffff001]) + ret(0, 40) + \
        use + happens(7, 5, 0, 0) + use
    yield 'comes-back-and-dies', back + memory_bar + ret(0, 6) + use + \
        happens(7, 5, 0, 0) + use
    yield 'half', memory_bar + b'\x86\x05' + bytes(5) + use


# -- mailbox.c ---------------------------------------------------------------

DEVICE, PROXY = b'\0', b'\1'       # who is tested


def does(kind, wait, *fields):
    return bytes([0x80 | kind | wait << 3]) + b''.join(fields)


def asked(kind, upper=0, *fields):
    return bytes([kind | upper << 3]) + b''.join(fields)


def word(at, value, wait=0):
    return does(2, wait, bytes([at]), number(4, value))


def mailbox():
    line_read, line_write, reset, ident = (bytes([n]) for n in (0, 29, 2, 3))
    posts = b''.join(does(0, wait, what) for what in (
        line_read, line_write, line_read, reset, line_read, ident) * 2
        for wait in (0, 3))
    for looks in (0, 1, 5, 40):
        start = DEVICE + bytes([looks])
        turns = asked(7, 0, bytes([looks])) * 3 + asked(7, 8, bytes([looks]))
        yield f'device-{looks}', start + posts + turns * 6
        for wait in range(8):
            impatient = does(0, 0, line_write) + does(3, wait) + \
                does(0, 1, line_read)
            yield f'device-{looks}-impatient-{wait}', start + \
                impatient * 8 + turns * 4
    for wait in range(12):
        yield f'device-given-up-{wait}', DEVICE + bytes([187]) + \
            does(0, 2, line_read) * 2 + does(3, wait) + does(0, 4, line_read)
    start = DEVICE + b'\3'
    turns = asked(7, 8, b'\3') * 8
    yield 'device-between', start + b''.join(
        does(0, 2, line_read) + asked(0, 8, bytes([3])) + asked(2, 2, bytes(2))
        for _ in range(8))
    yield 'device-order', start + b''.join(
        asked(5, n) + asked(1, 1, bytes([4]), number(4, 6)) +
        does(0, 2, ident) + asked(4, 0) for n in range(4)) + turns
    for kind in range(6):
        yield f'device-mailbox-{kind}', start + posts[:12] + asked(6, kind) + \
            asked(6, kind | 8) + turns
    for state in range(6):
        for wait in range(6):
            yield f'device-state-{state}-{wait}', start + \
                does(0, 0, ident) + word(0, state, wait) + \
                does(0, 1, line_read) + turns
    for at, value in ((2, 77), (2, 1), (2, 9), (2, 0), (4, 8), (4, 1 << 31),
                      (5, 1), (8, 3), (8, 64), (16, 0), (6, 0xfffffffe)):
        yield f'device-word-{at}-{value}', start + does(0, 0, ident) + \
            word(at, value) + word(at, value, 2) + turns
    yield 'device-lie', start + does(0, 0, ident) + \
        does(4, 1, number(4, 1)) + turns

    asks = asked(0, 2, b'\0') + asked(1, 0, b'\x3c', number(4, 5)) + \
        asked(2, 2, number(2, 8)) + asked(3, 3, number(2, 8), number(4, 5)) + \
        asked(4)
    for looks in (0, 1, 5, 40):
        start = PROXY + bytes([looks])
        yield f'proxy-{looks}', start + asks * 6
        yield f'proxy-{looks}-posts', start + (
            asks + asked(5, 0) + asks + asked(5, 1) + asked(6)) * 2 + asks
        for wait in range(8):
            yield f'proxy-{looks}-sleeper-{wait}', start + \
                does(0, 0, b'\0') * 4 + \
                (does(3, wait) + does(0, 2, b'\0') * 2) * 6 + asks * 4
            yield f'proxy-{looks}-slow-{wait}', start + \
                does(0, wait, b'\0') * 20 + asks * 4
    start = PROXY + b'\5' + does(0, 0, b'\0') * 3
    for state in (*range(6), 0xffffffff):
        for wait in range(6):
            yield f'proxy-state-{state}-{wait}', start + \
                word(0, state, wait) + asks * 2
    yield 'proxy-answer', start + word(12, 5) + word(13, 5, 1) + \
        word(0, 3, 1) + asks
    yield 'proxy-lie', start + does(4, 2, number(4, 1)) * 3 + asks
    yield 'proxy-page', start + b''.join(
        does(5, 1, number(2, at), number(4, 0xffffffff))
        for at in range(0, 1024, 100)) + asks


# -- machine.c ---------------------------------------------------------------

def port_write(port, value, size=1):
    return op(0, {1: 0, 2: 1, 4: 2}[size], number(2, port), number(4, value))


def port_read(port, size=1):
    return op(1, {1: 0, 2: 1, 4: 2}[size], number(2, port))


def place_write(place, at, value, size=4):
    return op(2, LOG[size] | place % 4 << 2,
              number(2, at | place // 4 << 14), number(4, value))


def place_read(place, at, size=4):
    return op(3, LOG[size] | place % 4 << 2, number(2, at | place // 4 << 14))


def slot_config(devfn, addr, value, size=4):
    return op(4, {1: 0, 2: 1, 4: 2}[size], bytes([devfn, addr]),
              number(4, value)) + op(5, 2, bytes([devfn, addr]))


def slot_write(slot, at, value, size=4, bar=0):
    return op(8, LOG[size] | bar << 2, bytes([slot]), number(2, at),
              number(4, value)) + \
        op(9, LOG[size] | bar << 2, bytes([slot]), number(2, at))


def machine():
    yield 'empty', b''
    pic = b''.join(port_write(p, v) for base in (0x20, 0xa0) for p, v in (
        (base, 0x11), (base + 1, 0x20), (base + 1, 4), (base + 1, 1),
        (base + 1, 0)))
    yield 'pic', pic + port_write(0x20, 0xc) + port_read(0x20) + \
        port_write(0x20, 0x20) + port_write(0x4d0, 0xff) + port_read(0x4d1)
    yield 'ioapic', b''.join(
        place_write(1, 0, 0x10 + n) + place_write(1, 0x10, 0x8031 + n)
        for n in range(4)) + place_read(1, 0x10)
    yield 'apic', b''.join(place_write(0, a, v) for a, v in (
        (0xf0, 0x1ff), (0x320, 0x20031), (0x3e0, 11), (0x380, 1000),
        (0x300, 0x40031), (0xb0, 0))) + op(7, 0, number(2, 5000)) + \
        place_read(0, 0x390)
    yield 'rtc', b''.join(port_write(0x70, n) + port_read(0x71) +
                          port_write(0x71, 0x5a) for n in range(16)) + \
        op(7, 1, number(2, 2000)) + port_write(0x70, 12) + port_read(0x71)
    yield 'pit', port_write(0x43, 0x36) + port_write(0x40, 10) * 2 + \
        port_read(0x61) + op(7, 0, number(2, 999))
    yield 'serial', b''.join(port_write(0x3f8 + n, 0xff) + port_read(0x3f8 + n)
                             for n in range(8)) * 2
    yield 'keyboard', b''.join(port_write(0x64, c) + port_write(0x60, 0xed) +
                               port_read(0x60) + port_read(0x64)
                               for c in (0x20, 0x60, 0xd1, 0xaa, 0xfe))
    yield 'fw-cfg', b''.join(
        port_write(0x510, n, 2) + port_read(0x511) * 4
        for n in (0, 1, 5, 0x19, 0x20, 0xffff))
    yield 'fw-cfg-dma', op(6, 0, number(2, 0x100), bytes([16]),
                           bytes([0, 0x19, 0, 10, 0, 0, 0, 64]),
                           bytes([0, 0, 0, 0, 0, 0, 0x20, 0])) + \
        port_write(0x514, 0, 4) + port_write(0x518, 0x00100000, 4)
    yield 'pm', b''.join(port_write(b + n, 0xffff, 2) + port_read(b + n, 2)
                         for b in (0x600, 0x620, 0x630, 0xafe0)
                         for n in (0, 2, 4, 8)) + \
        port_write(0x604, 0x2001, 2) + op(7, 1, number(2, 5000)) + \
        port_read(0x608, 4)
    yield 'hot-plug', b''.join(port_read(0xae00 + n, 4) + port_write(
        0xae00 + n, 0xffffffff, 4) for n in (0, 4, 12, 16, 20))
    yield 'smbus', b''.join(port_write(0x700 + n, 0xff) + port_read(0x700 + n)
                            for n in range(16))
    yield 'smi', port_write(0xb2, 1) + port_write(0xb3, 2) + \
        port_read(0x92) + port_write(0x92, 3) + \
        port_write(0xcf9, 6) + op(12)
    yield 'config', b''.join(slot_config(f, a, 0xffffffff)
                             for f in (0, 8, 9, 0xf8)
                             for a in range(0, 256, 16))
    yield 'shadow', b''.join(slot_config(0, a, 0x33333333)
                             for a in (0x58, 0x5c, 0x90, 0x94)) + \
        place_write(5, 0x100, 7) + place_read(7, 0x100)
    yield 'routes', b''.join(slot_config(f, 0x60, 0x0b0a0905)
                             for f in (8, 0xf8)) + slot_write(2, 0x60, 1)
    yield 'ecam', b''.join(place_write(p, a, 0xffff) for p in (3, 10, 11, 15)
                           for a in (4, 0x10, 0x40, 0x60, 0x100))
    yield 'far', op(10, 3, number(8, 1 << 40), number(8, 5)) + \
        op(11, 2, number(8, (1 << 64) - 2))
    yield 'edu', slot_write(2, 8, 10) + slot_write(2, 0x60, 1) + \
        slot_write(2, 0x80, 0x1000, 8) + slot_write(2, 0x98, 1) + \
        op(7, 1, number(2, 200))
    yield 'testdev', slot_write(3, 0, 0, 1) + slot_write(3, 0, 1, 1)
    yield 'nvme', b''.join(slot_write(0, a, v) for a, v in (
        (0x24, 0x1f001f), (0x28, 0), (0x30, 0x1000), (0x14, 0x460001))) + \
        op(6, 0, number(2, 0), b'\x04\x06\0\1\0') + slot_write(0, 0x1000, 1) + \
        slot_write(0, 0x1004, 1)
    yield 'lsi', op(6, 0, number(2, 0x100), b'\x08',
                    struct.pack('<2I', 0x98080000, 8)) + \
        slot_write(1, 0x2c, 0x1000, 4, 1)
    yield 'bars-move', slot_config(0x30, 0x10, 0xb0000000) + \
        slot_config(0x30, 0x10, 0xfee00000) + slot_config(0x38, 0x10, 0) + \
        slot_config(0x38, 0x14, 0xcf8) + place_read(0, 0)


# -- options.c ---------------------------------------------------------------

TEXTS = {
    0: ['edu,id=e', 'edu,dma_mask=0xffff,addr=5.0', 'pci-testdev,membar=1M',
        'nvme,drive=b0,serial=x', 'scsi-hd,drive=b0,scsi-id=3,bus=lsi.0',
        'scsi-cd,drive=b1', 'nvme,drive=b0,serial=y,max_ioqpairs=3',
        '{"driver":"edu","id":"e","addr":"6"}', 'nosuch', 'edu,nosuch=1',
        'lsi53c895a,addr=0x1f.7,multifunction=on', 'edu,addr=99,romfile=x'],
    1: ['secret,id=s,data=abc', 'secret,id=s,data=YQ==,format=base64',
        '{"qom-type":"secret","id":"s","data":"x"}', 'nosuch,id=x'],
    2: ['driver=null-co,node-name=x,size=1M',
        'driver=raw,node-name=y,file.driver=null-co,file.size=512',
        '{"driver":"null-co","node-name":"z","read-zeroes":true}',
        'driver=null-co,node-name=w,discard=unmap,cache.direct=on'],
    3: ['a=b,c.d=e,s=x,,y', 'n=5,b=on,size=4k', 'nob,s,size=1.5G',
        '{"n":5,"b":true,"s":"a"}', 'a.b=1,a=2', 'help', '=,.=,a..b=1'],
    4: ['{"execute":"query-status"}', '{"execute":"query-pci","id":[1,{}]}',
        '{"execute":"qom-list","arguments":{"path":"machine"}}',
        '{"execute":"device_add","arguments":{"driver":"edu","id":"e"}}',
        '{"execute":"device_del","arguments":{"id":"e"}}',
        '{"execute":"object-add","arguments":{"qom-type":"secret","id":"a",'
        '"data":"b"}}', '{"execute":"device-list-properties","arguments":'
        '{"typename":"nvme"}}', '{"execute":"stop"}', '{"execute":"cont"}',
        '{"execute":"query-qmp-schema"}', '{"exec-oob":"query-name"}',
        ' {"execute":"qmp_capabilities","arguments":{"enable":[]}}',
        '{"execute":"human-monitor-command","arguments":{"command-line":'
        '"info status"}}', '[1,2]', '{"execute":5}',
        '{"execute":"query-cpu-model-expansion","arguments":{"type":"full",'
        '"model":{"name":"qemu64"}}}'],
    5: ['info pci', 'info qtree', 'info block', 'help', 'info status',
        'device_add edu,id=e', 'device_del e', 'system_reset', 'stop', 'info',
        'info mtree', 'object_add secret,id=s,data=x', 'nosuch'],
    6: ['1', '0x10', '-5', '1.5G', '4k', 'on', 'off', '99999999999999999999',
        '1e3', '0.0001T', ' 7'],
    7: ['{}', '[1,2.5,-3e9,"\\u00e9",null,true]', '{"a":{"b":[[]]}}', '"',
        '{"a":1,"a":2}', "{'a': 'b'}", '[3e-9,-0.0,1e400]', '"\\300\\u0000"',
        '"\\ud83d\\ude00\\udc00"', '/* " */ [[', '18446744073709551615'],
}


QUERIES = '''
    balloon commands cpu-definitions cpus-fast current-machine
    hotpluggable-cpus iothreads jobs kvm machines memdev memory-devices
    memory-size-summary migrate migrate-capabilities name rx-filter target
    tpm uuid version vnc command-line-options'''.split()
INFOS = '''
    version name uuid kvm network qom-tree mtree cpus registers'''.split()
TEXTS[4] += [f'{{"execute":"query-{name}"}}' for name in QUERIES]
TEXTS[4] += [
    '{"execute":"qom-get","arguments":{"path":"machine","property":"type"}}',
    '{"execute":"qom-list-types","arguments":{"implements":"device"}}',
    '{"execute":"qom-list-properties","arguments":{"typename":"edu"}}',
    '{"execute":"object-del","arguments":{"id":"a"}}',
    '{"execute":"system_reset"}', '{"execute":"balloon","arguments":'
    '{"value":1}}']
TEXTS[5] += [f'info {name}' for name in INFOS] + [
    'xp /4xw 0', 'x /2i 0xfff0', 'i /b 0x71', 'o /b 0x80 1', 'help info']


def options():
    for way, texts in TEXTS.items():
        for nr, text in enumerate(texts):
            yield f'{way}-{nr}', bytes([way]) + text.encode()


# -- lines.c -----------------------------------------------------------------

def sent(to, text):
    data = text if isinstance(text, bytes) else text.encode()
    return b''.join(bytes([to, len(data[i:i + 200])]) + data[i:i + 200]
                    for i in range(0, len(data), 200))


HELLO = '{"execute":"qmp_capabilities"}'


def lines():
    for nr, text in enumerate(TEXTS[4]):
        yield f'qmp-{nr}', sent(0, HELLO + text)
    cut = HELLO + '{"execute":"query-status","id":"\\"}{"}\n'
    yield 'qmp-cut', b''.join(sent(0, c) for c in cut)
    yield 'qmp-many', sent(0, (HELLO + '\r\n' + '{"execute":"stop"} ' +
                               '{"execute":"cont"}' * 5))
    yield 'qmp-nonsense', sent(0, '}]x\n[[[1]]]"\n\\"\n' + HELLO)
    yield 'qmp-deep', sent(0, '[' * 1200)
    yield 'qmp-hangs-up', sent(0, HELLO + '{"execute":') + b'\x03\0' + \
        sent(0, '"stop"}' + HELLO) + b'\4'
    yield 'qmp-descriptor', bytes([0, 255]) + (
        HELLO + ' ' * 225).encode() + sent(0, '{"execute":"query-name"}')
    for nr, text in enumerate(TEXTS[5]):
        yield f'human-{nr}', sent(1, text + '\r')
    yield 'human-keys', sent(1, 'info statxx\x7f\x7fus\x01\x06\x02\x04\x05'
                             '\x1b[D\x1b[C\x1b[3~\x1bOH\x1b[1;5A\x17\x0b\r'
                             'help\r\x10\x0e\x1b[A\x1b[B\x15\n')
    yield 'qtest-ports', sent(2, 'outb 0x70 0xa\ninb 0x71\noutl 0xcf8 '
                              '0x80000000\ninl 0xcfc\ninw 0xcfe\noutw 1 2\n')
    yield 'qtest-memory', sent(2, 'writeq 0x100 0x1122334455667788\nreadl '
                               '0x104\nread 0x100 8\nwrite 0x100 2 0x1234\n'
                               'b64read 0x100 5\nb64write 0x100 3 AQID\n'
                               'memset 0x100 16 0x5\nreadb 1\nreadw 2\n')
    yield 'qtest-time', sent(2, 'clock_step 5000\nclock_step\n'
                             'clock_set 60000\nendianness\n')
    yield 'qtest-lines', sent(2, 'set_irq_in nosuch unnamed-gpio-in 3 1\n'
                              'nosuch\n\n  \ninb\ninb x\ninb 1 2\n'
                              'write 0 3 0x1\nb64write 0 9 AQ==\n')
    yield 'qtest-hangs-up', sent(2, 'inb 0x7') + b'\3\1' + sent(2, '1\n')
    yield 'all', sent(0, HELLO) + sent(2, 'inb 1\n') + sent(1, 'stop\r') + \
        sent(0, '{"execute":"cont"}') + sent(2, 'outb 0x64 0xfe\n') + b'\4'


TARGETS = {
    'edu': edu, 'lines': lines, 'lsi': lsi, 'mailbox': mailbox,
    'nvme': nvme, 'options': options, 'pc': machine,
    'pci-testdev': pci_testdev, 'proxy': proxy, 'q35': machine, 'wire': wire,
}


def main():
    for target, seeds in TARGETS.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for name, data in seeds():
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(data)


if __name__ == '__main__':
    main()
