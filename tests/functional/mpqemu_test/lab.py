# SPDX-License-Identifier: GPL-2.0-or-later
"""A place where a guest with a 64-bit kernel runs under KVM.

Where this machine's own KVM stands on VMX or SVM that is the machine itself.
Elsewhere it is a throw-away guest of the distribution's QEMU, which emulates
SVM under TCG: the Debian kernel in it loads kvm_amd and has a /dev/kvm like
that of real hardware.  Inside, every file of this machine is at its place;
what is written goes away with the guest, except below the work directory.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

from . import linux
from .initramfs import Initramfs
from .pair import end_with_parent

QEMU = '/usr/bin/qemu-system-x86_64'

#: run()'s answer when there is no exit status to give.
NEVER_ENDED = 125

#: What this TCG gets right.  With page tables of five levels under nested
#: paging about every other inner guest ends in a triple fault; with a second
#: CPU now and then one of the two sleeps for ever.  Inner guests may have more
#: than one CPU nevertheless.
_CPU = ['-machine', 'q35,hpet=off', '-accel', 'tcg', '-cpu', 'max,la57=off',
        '-smp', '1']

# An exit from an inner guest may wipe out the request for an interrupt that
# another thread of this TCG makes just then.  The next interrupt brings the
# lost one along, but if that was the timer's, none comes.  So the clock chip
# is made to interrupt 64 times a second, whatever Linux does: RS=10 into
# register A, PIE into register B.
_TICK = r'''
poke() { printf "\\x$2" | dd of=/dev/port bs=1 seek=$(($1)) 2> /dev/null; }
poke 0x70 0a; poke 0x71 2a
poke 0x70 0b; poke 0x71 42
'''

_INIT = r'''
mkdir -p /host /upper /root
opts=trans=virtio,version=9p2000.L,msize=524288
mount -t 9p -o $opts,cache=loose,ro host /host || poweroff -f
mount -t tmpfs -o mode=755 tmpfs /upper
mkdir /upper/data /upper/work
mount -t overlay -o lowerdir=/host,upperdir=/upper/data,workdir=/upper/work \
    overlay /root || poweroff -f
cd /root
mount -t devtmpfs dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tracefs tracefs sys/kernel/tracing
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p dev/shm dev/pts "./$WORK"
mount -t tmpfs tmpfs dev/shm
mount -t devpts devpts dev/pts
mount -t 9p -o $opts,cache=none work "./$WORK"
ip link set lo up
stty -F /dev/ttyS1 raw
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 MPQEMU_LAB=nested \
    chroot . /bin/sh "$WORK/.lab-command" < /dev/null > /dev/ttyS1 2>&1
echo $? > "./$WORK/.lab-status"
sync
poweroff -f
'''


def no_kvm():
    """Why no guest at all runs on this machine's KVM; '' if one does."""
    if os.access('/dev/kvm', os.R_OK | os.W_OK):
        return ''
    return 'there is no /dev/kvm that this user may open'


def own_kvm():
    """Whether this machine's KVM runs 64-bit kernels, and why (not)."""
    if os.environ.get('MPQEMU_LAB') == 'nested':
        return True, 'this is the nested guest'
    if no_kvm():
        return False, no_kvm()
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
        found = re.search(r'^flags\s*:.*\b(vmx|svm)\b', file.read(), re.M)
    if not found:
        return False, ('/proc/cpuinfo has neither vmx nor svm: '
                       'a software KVM that runs no 64-bit kernel')
    return True, f'/dev/kvm stands on {found[1]}'


def run(command, work=None, memory=3072, limit=900, output=None, log=None):
    """Run a command (a list) in the nested guest, in the directory work.

    Its output goes to output (a file, by default this program's) as it comes,
    the guest's console to the file log.  Gives the command's exit status, or
    NEVER_ENDED if the guest did not run it to its end within limit seconds.
    """
    with tempfile.TemporaryDirectory(prefix='lab-') as scratch:
        work = os.path.realpath(work or scratch)
        image = Initramfs()
        image.busybox()
        image.modules('virtio_pci', '9pnet_virtio', '9p', 'overlay',
                      'kvm-amd')
        image.init(f'WORK={shlex.quote(work)}\n' + _TICK + _INIT)
        initrd = image.write(os.path.join(scratch, 'initramfs'))
        script = os.path.join(work, '.lab-command')
        status = os.path.join(work, '.lab-status')
        with open(script, 'w', encoding='utf-8') as file:
            file.write(f'cd {shlex.quote(work)}\n{shlex.join(command)}\n')
        if os.path.exists(status):
            os.unlink(status)
        qemu = [
            QEMU, *_CPU, '-m', str(memory),
            '-nodefaults', '-display', 'none', '-no-reboot',
            '-serial', f'file:{log or os.devnull}', '-serial', 'stdio',
            '-kernel', linux.kernel(), '-initrd', initrd,
            '-append', 'console=ttyS0 quiet panic=-1',
            '-virtfs', 'local,path=/,mount_tag=host,security_model=none,'
                       'readonly=on,multidevs=remap',
            '-virtfs', f'local,path={work},mount_tag=work,'
                       'security_model=none,multidevs=remap']
        sys.stdout.flush()
        try:
            subprocess.run(qemu, stdin=subprocess.DEVNULL, stdout=output,
                           timeout=limit, check=False,
                           preexec_fn=end_with_parent)
            with open(status, encoding='ascii') as file:
                return int(file.read())
        except (subprocess.TimeoutExpired, FileNotFoundError, ValueError):
            return NEVER_ENDED
        finally:
            for path in (script, status):
                if os.path.exists(path):
                    os.unlink(path)
