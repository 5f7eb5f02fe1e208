# SPDX-License-Identifier: GPL-2.0-or-later
"""Root file systems for guests, as cpio archives.

An archive is the "newc" format of the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst.  Archives may be
put one after the other, so what many guests share is written once (base)
and each guest's own files follow it.
"""
import os
import re
import shutil
import stat
import subprocess

from . import linux

#: Loads the modules of the image; every init script starts with it.
PROLOGUE = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
[ ! -f /modules/order ] || while read -r module; do
    insmod /modules/$module
done < /modules/order
'''


class Initramfs:
    """Files to be, by name; write() makes an archive of them."""

    def __init__(self):
        self.entries = {}

    def directory(self, name):
        """Make a directory and those above it."""
        name = name.strip('/')
        if name and name not in self.entries:
            self.directory(os.path.dirname(name))
            self.entries[name] = (stat.S_IFDIR | 0o755, None)

    def file(self, name, content, mode=0o644):
        """Put bytes, or a text, into a file."""
        if isinstance(content, str):
            content = content.encode()
        name = name.strip('/')
        self.directory(os.path.dirname(name))
        self.entries[name] = (stat.S_IFREG | mode, content)

    def symlink(self, name, target):
        """Make a symbolic link."""
        name = name.strip('/')
        self.directory(os.path.dirname(name))
        self.entries[name] = (stat.S_IFLNK | 0o777, target.encode())

    def copy(self, source, name=None):
        """Take a file of this machine, by default to the same place."""
        with open(source, 'rb') as file:
            self.file(name or source, file.read(),
                      stat.S_IMODE(os.stat(source).st_mode))

    def program(self, name):
        """Take a program with the shared libraries that it loads."""
        source = shutil.which(name, path=os.environ.get('PATH', '')
                              + ':/usr/sbin:/sbin')
        if not source:
            raise linux.NotHere(f'no {name} on this machine')
        self.copy(source, f'/bin/{os.path.basename(name)}')
        listed = subprocess.run(['ldd', source], capture_output=True,
                                text=True, check=False).stdout
        for library in re.findall(r'(/\S+) \(0x', listed):
            self.copy(os.path.realpath(library), library)

    def busybox(self):
        """Take the static busybox and the directories that init mounts on."""
        self.copy(shutil.which('busybox') or '/bin/busybox', '/bin/busybox')
        for name in ('proc', 'sys', 'dev', 'tmp'):
            self.directory(name)

    def modules(self, *names):
        """Take kernel modules; PROLOGUE loads them in order."""
        order = []
        for path in linux.modules(*names):
            order.append(os.path.basename(path))
            self.copy(path, f'/modules/{order[-1]}')
        self.file('/modules/order', ''.join(f'{name}\n' for name in order))

    def init(self, script):
        """Set what the guest runs: a shell script after PROLOGUE."""
        self.file('/init', PROLOGUE + script, 0o755)

    def write(self, path, base=None):
        """Write the archive, after a copy of the archive base if given."""
        with open(path, 'wb') as out:
            if base:
                with open(base, 'rb') as shared:
                    shutil.copyfileobj(shared, out, 1 << 20)
            number = 0
            for number, (name, (mode, data)) in enumerate(
                    self.entries.items(), 1):
                _entry(out, name, number, mode, data or b'')
            _entry(out, 'TRAILER!!!', number + 1, 0, b'')
        return path


def _entry(out, name, number, mode, data):
    name = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + name
    out.write(head + bytes(-len(head) % 4))
    out.write(data)
    out.write(bytes(-len(data) % 4))
