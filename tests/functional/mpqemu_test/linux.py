# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian kernel that guests run, and its modules.

Only packaged kernels of the plain flavour are taken: the cloud and the
real-time flavour have other sets of modules.
"""
import glob
import os
import re
import subprocess


class NotHere(Exception):
    """Something that this machine lacks; the text says what brings it."""


def _version_key(path):
    return [int(part) if part.isdigit() else part
            for part in re.split(r'(\d+)', path)]


def kernel():
    """Path of the newest linux-image-amd64 kernel."""
    found = [path for path in glob.glob('/boot/vmlinuz-*-amd64')
             if 'cloud' not in path and 'rt-amd64' not in path
             and os.path.isdir(f'/lib/modules/{_release(path)}')]
    if not found:
        raise NotHere('no Debian kernel in /boot: install linux-image-amd64')
    return max(found, key=_version_key)


def _release(path):
    return os.path.basename(path).removeprefix('vmlinuz-')


def release():
    """The release of kernel(), as uname -r says it in the guest."""
    return _release(kernel())


def modules(*names):
    """Files of the named modules and all they need, in loading order."""
    files = []
    for name in names:
        out = subprocess.run(
            ['/sbin/modprobe', '-S', release(), '--show-depends', name],
            check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            kind, _, rest = line.partition(' ')
            path = rest.split()[0] if rest else ''
            if kind == 'insmod' and path not in files:
                files.append(path)
    return files
