# SPDX-License-Identifier: GPL-2.0-or-later
"""Disk images that firmware boots.

One partition with an ext4, GRUB in front of it and inside it: the sectors
that a file system leaves alone hold what starts GRUB, as it would be on a disk
that another operating system shares, and the modules are files.
"""
import os
import shutil
import struct
import subprocess
import tempfile

from . import linux

GRUB = '/usr/lib/grub/i386-pc'
SECTOR = 512
FIRST = 2048                            # sector of the partition
SIZE = 8 << 20

# The machine decompresses what is embedded, instruction by instruction where
# KVM is software: only what reads the rest is, the rest is files.
_EMBEDDED = ['biosdisk', 'part_msdos', 'ext2']
_FILES = ['serial', 'terminal', 'cat', 'halt']
_SCRIPT = '''\
insmod serial
serial --unit=0 --speed=115200
insmod terminal
terminal_output serial
insmod cat
cat (hd0,msdos1)/shown
insmod halt
halt
'''


def _run(*command):
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    if not shutil.which(command[0], path=path):
        raise linux.NotHere(f'no {command[0]}: install grub-common, '
                            'grub-pc-bin and e2fsprogs')
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                   env={**os.environ, 'PATH': path})


def _needed(*modules):
    """The modules and those that they need."""
    with open(f'{GRUB}/moddep.lst', encoding='ascii') as file:
        needs = dict(line.strip().split(':') for line in file)
    found = list(modules)
    for module in found:
        found += [name for name in needs[module].split() if name not in found]
    return found


def _read(path):
    with open(path, 'rb') as file:
        return file.read()


def make(path, boot_sector, said, shown):
    """Make the image: the boot sector (a file) finds the text said behind the
    partition's first sector and enters that; GRUB shows a file that has the
    text shown, then powers off."""
    if not os.path.exists(f'{GRUB}/boot.img'):
        raise linux.NotHere(f'no GRUB in {GRUB}: install grub-pc-bin')
    with tempfile.TemporaryDirectory() as scratch:
        tree = f'{scratch}/tree'
        modules = f'{tree}/boot/grub/i386-pc'
        os.makedirs(modules)
        for name in _needed(*_FILES):
            shutil.copy(f'{GRUB}/{name}.mod', modules)
        shutil.copy(f'{GRUB}/moddep.lst', modules)
        with open(f'{tree}/shown', 'w', encoding='ascii') as file:
            file.write(shown)
        with open(f'{scratch}/cfg', 'w', encoding='ascii') as file:
            file.write(_SCRIPT)
        _run('grub-mkimage', '-O', 'i386-pc', '-o', f'{scratch}/core',
             '-p', '(hd0,msdos1)/boot/grub', '-c', f'{scratch}/cfg',
             *_EMBEDDED)
        core = _read(f'{scratch}/core')
        if len(core) > (FIRST - 1) * SECTOR:
            raise ValueError('GRUB does not fit in front of the partition')
        with open(path, 'wb') as file:
            file.truncate(SIZE)
        _run('mke2fs', '-q', '-t', 'ext4', '-d', tree, '-E',
             f'offset={FIRST * SECTOR}', path,
             f'{(SIZE - FIRST * SECTOR) >> 10}k')
        entry = struct.pack('<B3sB3sII', 0x80, b'\xfe\xff\xff', 0x83,
                            b'\xfe\xff\xff', FIRST, SIZE // SECTOR - FIRST)
        first = _read(boot_sector)
        with open(path, 'r+b') as file:
            file.write(first[:446] + entry + first[446 + len(entry):])
            file.write(core)
            file.seek(FIRST * SECTOR)
            file.write(_read(f'{GRUB}/boot.img'))
            file.write(said.encode() + b'\0')
