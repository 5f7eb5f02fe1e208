#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian guest uses a disk on an LSI53C895A in a device process.

One boot under KVM, nested where this machine's own runs no 64-bit kernel: the
driver sym53c8xx, with interrupts and tagged commands.
"""
import os
import re
import sys
import unittest

from mpqemu_test import linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import Machine, ScsiDisk

MIB = 1 << 20
DISK_SIZE = 32 * MIB

GUEST = r'''
mark() { printf '\n@@ %s\n' "$*"; }
digest() { sha256sum | cut -d' ' -f1; }
count=0
while [ ! -b /dev/sda ] && [ $count -lt 200 ]; do
    count=$((count + 1)); usleep 50000
done
mark digest $(digest < /dev/sda)
dd if=/dev/urandom of=/tmp/data bs=1M count=4 2> /dev/null
mark chosen $(digest < /tmp/data)
dd if=/tmp/data of=/dev/sda bs=64k seek=128 conv=notrunc 2> /dev/null
sync
echo 3 > /proc/sys/vm/drop_caches
mark reread $(dd if=/dev/sda bs=64k skip=128 count=64 2> /dev/null | digest)
fio="fio --ioengine=libaio --direct=1 --iodepth=16 --offset=16m --size=4m \
    --verify=crc32c --verify_fatal=1 --randrepeat=0 --eta=never \
    --output=/tmp/fio --name=sda --filename=/dev/sda --rw=randwrite"
$fio --bssplit=512/10:4k/40:12k/10:64k/30:128k/10 --do_verify=1
status=$?
mark fio $status
[ $status = 0 ] || cat /tmp/fio
mark final $(digest < /dev/sda)
grep sym53c8xx /proc/interrupts | while read -r line; do mark irq "$line"; done
dmesg | grep -E 'sym|sd |scsi' | while read -r line; do mark dmesg "$line"; done
mark done
poweroff -f
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('sym53c8xx', 'sd_mod', 'crc32c-intel')
    image.fio()
    return image


class RemoteDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with suite.scratch() as scratch:
            path = os.path.join(scratch, 'disk')
            with open(path, 'wb') as file:
                file.write(os.urandom(DISK_SIZE))
            cls.before = suite.digest(path)
            image = Initramfs()
            image.init(GUEST)
            initrd = image.write(os.path.join(scratch, 'initrd'),
                                 suite.image())
            machine = Machine(
                suite.Settings.main, suite.Settings.remote,
                [[ScsiDisk(path, 'scsi0')]], memory=768,
                kernel=linux.kernel(), initrd=initrd,
                append='console=ttyS0 quiet panic=-1')
            with machine:
                cls.ended = machine.wait(240)
                machine.expect(r'^@@ done', 5)
            cls.text = machine.console
            cls.machine_report = machine.report()
            cls.after = suite.digest(path)
            cls.written = suite.digest(path, 8 * MIB, 4 * MIB)

    def all(self, key):
        return re.findall(rf'^@@ {key}\b ?(.*?)\r?$', self.text, re.M)

    def one(self, key):
        found = self.all(key)
        self.assertEqual(len(found), 1, self.machine_report)
        return found[0]

    def test_guest_powers_off_and_every_process_ends_with_0(self):
        self.assertEqual(self.ended, (0, [0]), self.machine_report)

    def test_digest_read_in_guest_is_that_of_the_disk(self):
        self.assertEqual(self.one('digest'), self.before)

    def test_written_data_is_read_again_and_at_its_place(self):
        chosen = self.one('chosen')
        self.assertEqual(self.one('reread'), chosen)
        self.assertEqual(self.written, chosen)

    def test_fio_verifies_crc32c_over_mixed_block_sizes(self):
        self.assertEqual(self.one('fio'), '0', self.machine_report)

    def test_disk_at_the_end_is_what_guest_saw_last(self):
        self.assertEqual(self.one('final'), self.after)

    def test_interrupts_arrive_by_intx(self):
        line = self.one('irq')
        self.assertRegex(line, r'IO-APIC +\d+-fasteoi')
        self.assertGreater(int(re.match(r'\d+: *(\d+)', line)[1]), 100, line)

    def test_driver_complains_of_nothing(self):
        bad = [line for line in self.all('dmesg')
               if re.search(r'abort|timed? ?out|I/O error|phase|reset host',
                            line, re.I)]
        self.assertEqual(bad, [], self.machine_report)


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, [RemoteDisk], prepare))
