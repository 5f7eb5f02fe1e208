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
import tempfile

from . import linux

#: Every init script starts with it: loads the modules of the image.  From then
#: on the console is the script's: what the kernel says goes to dmesg only (but
#: for a panic), and never into the middle of a line that a test looks for.
PROLOGUE = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo 1 > /proc/sys/kernel/printk
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

    def program(self, name, used=''):
        """Take a program with the shared libraries that it loads.

        used is a pattern of the libraries that it will call; in place of the
        others, which may be many and large, it gets one that has no more
        than their symbols.
        """
        source = shutil.which(name, path=os.environ.get('PATH', '')
                              + ':/usr/sbin:/sbin')
        if not source:
            raise linux.NotHere(f'no {name} on this machine')
        self.copy(source, f'/bin/{os.path.basename(name)}')
        needed = set(re.findall(r'\(NEEDED\).*\[(.*)\]',
                                _output('readelf', '-d', source)))
        libraries = re.findall(r'(\S*/(\S+)) \(0x', _output('ldd', source))
        taken = [os.path.realpath(path) for path, base in libraries
                 if re.match(used, base)]
        stand_in = None
        for path, base in libraries:
            if os.path.realpath(path) in taken:
                self.copy(os.path.realpath(path), path)
            elif base in needed:
                stand_in = stand_in or _stand_in(source, taken)
                self.file(path, stand_in, 0o755)

    def fio(self):
        """Take fio, for local files; it has engines for much else."""
        self.program('fio', r'lib(c|m|z|aio|numa)\.|ld-linux')

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


def _output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def _stand_in(program, libraries):
    """A library with all symbols, by version, that these do not give it."""
    given = {symbol for library in libraries for symbol in re.findall(
        r' [A-Za-z] (\w+)', _output('nm', '-D', '--defined-only', library))}
    versions = {}
    for symbol, version in re.findall(
            r' U (\w+)@?([\w.]*)', _output('nm', '-D', program)):
        if symbol not in given:
            versions.setdefault(version, []).append(symbol)
    with tempfile.TemporaryDirectory() as scratch:
        code, script, library = (os.path.join(scratch, name)
                                 for name in ('code.c', 'versions', 'library'))
        with open(code, 'w', encoding='ascii') as out:
            for symbol in sum(versions.values(), []):
                out.write(f'void {symbol}(void) {{ __builtin_trap(); }}\n')
        with open(script, 'w', encoding='ascii') as out:
            for version in filter(None, versions):
                symbols = '; '.join(versions[version])
                out.write(f'{version} {{ {symbols}; }};\n')
        _output('cc', '-w', '-shared', '-fPIC', '-ffreestanding', '-nostdlib',
                f'-Wl,--version-script={script}', '-o', library, code)
        with open(library, 'rb') as file:
            return file.read()


def _entry(out, name, number, mode, data):
    name = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + name
    out.write(head + bytes(-len(head) % 4))
    out.write(data)
    out.write(bytes(-len(data) % 4))
