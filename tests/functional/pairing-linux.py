#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux uses a file system on a remote disk in every pairing of processes.

A row is one boot of the Debian kernel: {this emulator, the distribution's} as
main process and as device process, on q35 and pc, with an NVMe disk and with a
SCSI disk on an LSI53C895A.  --main and --remote name this emulator's two
halves; the distribution's take their places row by row.
"""
import os
import re
import subprocess
import sys
import unittest

from mpqemu_test import evidence, linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import DISTRIBUTION, Disk, Machine, ScsiDisk

DISK_SIZE = 48 << 20

# What is written must be on the disk to be read again: the file system is
# unmounted and the cache of the disk dropped in between.
GUEST = r'''
mark() { printf '\n@@ %s\n' "$*"; }
interrupts() {
    mark interrupts "$(grep -E 'nvme|sym53c8xx' /proc/interrupts)"
}
count=0
while disk=$(echo /dev/nvme*n1 /dev/sd[a-z]); [ $count -lt 400 ]; do
    disk=${disk#/dev/nvme\*n1 }; disk=${disk% /dev/sd\[a-z\]}
    [ -b "$disk" ] && break
    count=$((count + 1)); usleep 50000
done
mark disk $disk
interrupts
mkdir /mnt
mkfs.ext4 -q $disk && mount -t ext4 $disk /mnt && mark mounted
cd /mnt
mkdir folder
dd if=/dev/urandom of=large bs=64k count=64 2> /dev/null
text=$(head -c 1500 large | od -A n -t x1)
number=0
while [ $((number += 1)) -le 40 ]; do
    echo "$number $text" > folder/$number
done
find . -type f | xargs sha256sum > /tmp/sums
mark large $(sha256sum < large | cut -d' ' -f1)
sync
cd /
interrupts
umount /mnt && mark unmounted
echo 3 > /proc/sys/vm/drop_caches
mount -t ext4 $disk /mnt
cd /mnt
mark verified $(sha256sum -c /tmp/sums 2> /dev/null | grep -c ': OK$')
rm -r folder
echo kept > after
sync
cd /
interrupts
umount /mnt && mark unmounted
dmesg | grep -E 'nvme|sym0|sd |scsi|EXT4|nobody|I/O error' | while read -r line; do
    mark dmesg "$line"
done
mark done
poweroff -f
'''

COMPLAINTS = re.compile(r'time(d )?out|polled|nobody cared|I/O error|abort'
                        r'|EXT4-fs (error|warning)|reset host|phase', re.I)


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('nvme', 'sym53c8xx', 'sd_mod', 'crc32c_generic', 'ext4')
    image.program('mkfs.ext4')
    image.init(GUEST)
    return image


def tool(*command):
    """Exit status and output of a program of e2fsprogs."""
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, 'PATH': path})
    return done.returncode, done.stdout


def count(line):
    """(GSI, how often) of a line of /proc/interrupts, one CPU."""
    found = re.match(r' *\d+: *(\d+) +IO-APIC +(\d+)-fasteoi', line)
    return (int(found[2]), int(found[1])) if found else (None, 0)


class Rows(unittest.TestCase):
    """Four pairings of one machine and one device."""
    machine = device = disk = None

    def id(self):
        main, remote = self._testMethodName.split('_')[1:]
        return f'nested {self.machine} {self.device} ' \
               f'main={main} remote={remote}'

    def row(self, main, remote, tries=1):
        for left in reversed(range(tries)):
            try:
                return self.boot(main, remote)
            except self.failureException as error:
                if not left:
                    raise
                print(f'# once more after: {error}'.replace('\n', '\n# '),
                      flush=True)

    def boot(self, main, remote):
        with suite.scratch() as scratch:
            image = os.path.join(scratch, 'disk')
            with open(image, 'wb') as file:
                file.truncate(DISK_SIZE)
            pair = Machine(
                main, remote, [[self.disk(image, 'pairing')]],
                machine=self.machine, memory=512, kernel=linux.kernel(),
                initrd=suite.image(), append='console=ttyS0 quiet panic=-1')
            with pair, evidence.InterruptLines() as lines:
                ended = pair.wait(150)
                pair.expect(r'^@@ done', 5)
            self.text, self.story = pair.console, pair.report()
            self.same('exit statuses', ended, (0, [0]))
            self.said_by_guest()
            self.interrupted(lines)
            self.on_disk(image)

    def all(self, key):
        """What the guest said under key, in order."""
        return re.findall(rf'^@@ {key}\b ?(.*?)\r?$', self.text, re.M)

    def same(self, what, found, wanted):
        if found != wanted:
            self.fail(f'{what}: {found}, wanted {wanted}\n{self.story}')

    def said_by_guest(self):
        self.same('mounted', self.all('mounted'), [''])
        self.same('files as they were', self.all('verified'), ['41'])
        self.same('unmounted', len(self.all('unmounted')), 2)
        self.same('complaints', [line for line in self.all('dmesg')
                                 if COMPLAINTS.search(line)], [])

    def interrupted(self, lines):
        """The device interrupted, ever again, and KVM's irqfd did it."""
        seen = [count(line) for line in self.all('interrupts')]
        gsis = {gsi for gsi, _ in seen}
        counts = [number for _, number in seen]
        self.same('interrupts of the driver', len(seen), 3)
        self.same('lines', len(gsis - {None}), 1)
        self.same(f'interrupts grow {counts}',
                  0 < counts[0] < counts[1] < counts[2], True)
        print(f'# {counts[2]} interrupts on GSI {seen[2][0]}', flush=True)
        if lines.seen:
            gsi = gsis.pop()
            irqfd = lines.raised(gsi, evidence.IRQFD)
            self.same(f'{irqfd} raised by irqfd of {counts[2]}',
                      irqfd >= counts[2] // 2, True)
            self.same('raised by the main process',
                      lines.raised(gsi, evidence.IOCTL), 0)

    def on_disk(self, image):
        """The image is what the guest left, to a reader outside."""
        status, text = tool('e2fsck', '-fn', image)
        self.same(f'e2fsck: {text.decode()}', status, 0)
        large = os.path.join(os.path.dirname(image), 'large')
        tool('debugfs', '-R', f'dump large {large}', image)
        self.same('digest', [suite.digest(large)], self.all('large'))
        self.same('file', tool('debugfs', '-R', 'cat after', image)[1]
                  .splitlines()[-1:], [b'kept'])

    def test_ours_ours(self):
        self.row(suite.Settings.main, suite.Settings.remote)

    def test_ours_dist(self):
        self.row(suite.Settings.main, DISTRIBUTION)

    def test_dist_ours(self):
        self.row(DISTRIBUTION, suite.Settings.remote)

    def test_dist_dist(self):
        """What there is to compare with; it loses an interrupt at times."""
        self.row(DISTRIBUTION, DISTRIBUTION, tries=3)


class Q35Nvme(Rows):
    machine, device, disk = 'q35', 'nvme', Disk


class Q35Lsi(Rows):
    machine, device, disk = 'q35', 'lsi53c895a', ScsiDisk


class PcNvme(Rows):
    machine, device, disk = 'pc', 'nvme', Disk


class PcLsi(Rows):
    machine, device, disk = 'pc', 'lsi53c895a', ScsiDisk


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, (Q35Nvme, Q35Lsi, PcNvme, PcLsi), prepare))
