#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian guest uses NVMe disks, remote and local, under KVM.

Every class is one boot of the Debian kernel with a busybox initramfs; the
guest runs one script and reports by lines that begin with @@.  All boots
share one nested guest where this machine's KVM runs no 64-bit kernel.
"""
import os
import re
import sys
import unittest

from mpqemu_test import evidence, linux, suite
from mpqemu_test.initramfs import Initramfs
from mpqemu_test.pair import DISTRIBUTION, Disk, Machine

MIB = 1 << 20
DISK_SIZE = 24 * MIB
WRITTEN_AT, WRITTEN = 8 * MIB, 4 * MIB

GUEST = r'''
mark() { printf '\n@@ %s\n' "$*"; }
digest() { sha256sum | cut -d' ' -f1; }
ip link set lo up
count=0
while set -- /dev/nvme*n1; [ $count -lt 200 ]; do
    [ -b "$1" ] && [ $# -ge DISKS ] && break
    count=$((count + 1)); usleep 50000
done
mark disks $#
names=
for node in /dev/nvme*n1; do
    disk=${node#/dev/}
    names="$names $disk"
    read -r serial < /sys/class/nvme/${disk%n1}/serial
    eval serial_$disk=\$serial
done

for disk in $names; do
    eval serial=\$serial_$disk
    mark digest $serial $(digest < /dev/$disk)
    dd if=/dev/urandom of=/tmp/data bs=1M count=4 2> /dev/null
    mark chosen $serial $(digest < /tmp/data)
    dd if=/tmp/data of=/dev/$disk bs=64k seek=128 conv=notrunc 2> /dev/null
    sync
    echo 3 > /proc/sys/vm/drop_caches
    mark reread $serial $(dd if=/dev/$disk bs=64k skip=128 count=64 \
        2> /dev/null | digest)
done

jobs() {
    for disk in $names; do
        echo "--name=$disk --filename=/dev/$disk $*"
    done
}
fio="fio --ioengine=libaio --direct=1 --iodepth=16 --offset=16m --size=4m \
    --verify=crc32c --verify_fatal=1 --randrepeat=0 --eta=never \
    --output=/tmp/fio"
$fio $(jobs --rw=randwrite --bssplit=512/10:4k/40:12k/10:64k/30:128k/10 \
    --do_verify=1)
status=$?
mark fio $status
[ $status = 0 ] || cat /tmp/fio

$fio $(jobs --rw=randwrite --bs=4k --time_based --runtime=5) &
load=$!
sleep 2
failed=0
for turn in 1 2 3; do
    for disk in $names; do
        echo 1 > /sys/class/nvme/${disk%n1}/reset_controller || failed=1
        read -r state < /sys/class/nvme/${disk%n1}/state
        [ "$state" = live ] || failed=1
    done
    usleep 300000
done
mark reset $failed
wait $load
status=$?
mark load $status
[ $status = 0 ] || cat /tmp/fio
sync

for disk in $names; do
    eval serial=\$serial_$disk
    echo 3 > /proc/sys/vm/drop_caches
    mark final $serial $(digest < /dev/$disk)
    grep " ${disk%n1}q" /proc/interrupts | while read -r line; do
        mark irq $serial "$line"
    done
done
dmesg | grep -i -e nvme -e 'irq.*nobody' | while read -r line; do
    mark dmesg "$line"
done
mark done
poweroff -f
'''


def prepare():
    image = Initramfs()
    image.busybox()
    image.modules('nvme', 'crc32c-intel')
    image.fio()
    return image


class Boot:
    """One guest from power-on to its end, and what it reported."""
    smp = 1
    remotes = ()                    # how many disks each device process has
    local = 0
    limit = 420

    @classmethod
    def setUpClass(cls):
        cls.broken = cls.text = None
        try:
            cls.play()
        except Exception as error:
            cls.broken = f'{type(error).__name__}: {error}'

    @classmethod
    def play(cls):
        with suite.scratch() as scratch:
            def disk(number):
                path = os.path.join(scratch, f'disk{number}')
                with open(path, 'wb') as file:
                    file.write(os.urandom(DISK_SIZE))
                # What is in memory is mapped, unless told not to.
                return Disk(path, f'disk{number}',
                            how=',aio=io_uring' if number else '')

            numbers = iter(range(sum(cls.remotes) + cls.local))
            remotes = [[disk(next(numbers)) for _ in range(count)]
                       for count in cls.remotes]
            local = [disk(next(numbers)) for _ in range(cls.local)]
            cls.disks = sum(remotes, []) + local
            cls.before = {d.serial: suite.digest(d.path) for d in cls.disks}
            image = Initramfs()
            image.init(GUEST.replace('DISKS', str(len(cls.disks))))
            initrd = image.write(os.path.join(scratch, 'initrd'),
                                 suite.image())
            machine = Machine(
                suite.Settings.main, suite.Settings.remote, remotes, local,
                smp=cls.smp, memory=768, kernel=linux.kernel(), initrd=initrd,
                append='console=ttyS0 quiet panic=-1')
            with machine, evidence.InterruptLines() as cls.lines:
                cls.ended = machine.wait(cls.limit)
                machine.expect(r'^@@ done', 5)
            cls.text = machine.console
            cls.machine_report = machine.report()
            cls.after = {d.serial: suite.digest(d.path) for d in cls.disks}
            cls.written = {d.serial: suite.digest(d.path, WRITTEN_AT, WRITTEN)
                           for d in cls.disks}

    def setUp(self):
        if self.broken:
            self.fail(self.broken)

    def report(self):
        """The whole story, for the first failure of this boot only."""
        text, type(self).machine_report = self.machine_report, ''
        return f'\n{text}'

    def all(self, key):
        """What the guest reported under key, in order."""
        return re.findall(rf'^@@ {key}\b ?(.*?)\r?$', self.text, re.M)

    def one(self, key):
        found = self.all(key)
        self.check(len(found) == 1, f'guest said {key}: {found}')
        return found[0]

    def by_serial(self, key):
        return dict(line.split(' ', 1) for line in self.all(key))

    def check(self, condition, text):
        if not condition:
            self.fail(text + self.report())

    def same(self, found, wanted):
        self.check(found == wanted, f'found {found}, wanted {wanted}')

    def test_guest_powers_off_and_every_process_ends_with_0(self):
        self.check(self.ended == (0, [0] * len(self.remotes)),
                   f'exit statuses {self.ended}')

    def test_digest_read_in_guest_is_that_of_the_disk(self):
        self.same(self.by_serial('digest'), self.before)

    def test_written_data_is_read_again_after_caches_are_dropped(self):
        chosen = self.by_serial('chosen')
        self.same(set(chosen), set(self.before))
        self.same(self.by_serial('reread'), chosen)

    def test_written_data_is_at_its_place_in_the_disk(self):
        self.same(self.written, self.by_serial('chosen'))

    def test_fio_verifies_crc32c_over_mixed_block_sizes(self):
        self.check(self.one('fio') == '0', 'fio failed')

    def test_controller_resets_under_load_leave_it_live(self):
        self.check(self.one('reset') == '0', 'a controller was not live')

    def test_load_across_controller_resets_verifies(self):
        self.check(self.one('load') == '0', 'fio failed')

    def test_disk_at_the_end_is_what_guest_saw_last(self):
        self.same(self.by_serial('final'), self.after)

    def test_no_command_waits_for_a_lost_interrupt(self):
        self.one('done')
        bad = [line for line in self.all('dmesg')
               if re.search(r'timeout|polled|nobody cared|I/O error', line)]
        self.check(not bad, '\n'.join(bad))

    def interrupts(self):
        """[(gsi or None, how often, line)] of the guest's NVMe lines."""
        found = []
        for line in self.all('irq'):
            line = line.split(' ', 1)[1]
            numbers = re.match(r'\d+: *([\d ]+?) +[^\d ]', line)
            gsi = re.search(r'IO-APIC +(\d+)-fasteoi', line)
            found.append((int(gsi[1]) if gsi else None,
                          sum(map(int, numbers[1].split())), line))
        self.check(found, 'no interrupt of nvme in /proc/interrupts')
        return found


class Remote(Boot):
    """What holds when the disks live in device processes."""

    def test_interrupts_arrive_by_intx(self):
        for gsi, count, line in self.interrupts():
            self.check(gsi in range(16, 24) and count > 100, line)

    def test_interrupts_are_raised_by_irqfd_and_none_by_main_process(self):
        if not self.lines.seen:
            self.skipTest('this kernel has no trace point kvm_set_irq')
        for gsi in {gsi for gsi, _, _ in self.interrupts()}:
            raised = self.lines.raised(gsi, evidence.IRQFD)
            self.check(raised > 100, f'{raised} raised by irqfd: '
                       f'{self.lines.counts}')
            self.same(self.lines.raised(gsi, evidence.IOCTL), 0)


class Local(Boot):
    """What holds when the disks live in the main process."""

    def test_interrupts_arrive_by_msix(self):
        found = self.interrupts()
        self.check(all(gsi is None and 'MSI' in line
                       for gsi, _, line in found), str(found))
        self.check(sum(count for _, count, _ in found) > 100, str(found))


class RemoteDiskOneCpu(Remote, unittest.TestCase):
    remotes = (1,)


class RemoteDiskTwoCpus(Remote, unittest.TestCase):
    smp, remotes = 2, (1,)


class LocalDiskOneCpu(Local, unittest.TestCase):
    local = 1


class LocalDiskTwoCpus(Local, unittest.TestCase):
    smp, local = 2, 1


class TwoDisksInTwoProcesses(Remote, unittest.TestCase):
    smp, remotes = 2, (1, 1)


class TwoDisksInOneProcess(Remote, unittest.TestCase):
    smp, remotes = 2, (2,)


ALL = (RemoteDiskOneCpu, RemoteDiskTwoCpus, LocalDiskOneCpu,
       LocalDiskTwoCpus, TwoDisksInTwoProcesses, TwoDisksInOneProcess)


def within_peer(boot):
    """Whether the distribution's QEMU, where it takes part, can do that.

    Its device process takes one device, and with two CPUs the pin of an NVMe
    disk stays up: its model puts EventIdx at an old head, so that the driver
    need not ring the next; and a controller reset forgets the queues, but not
    that one of them keeps the pin up, when one CPU resets before another has
    rung the head of what it took.  Nothing of ours is needed for either:
    docs/system/multi-process.md has counts.

    Its main process drops the second of two accesses that two CPUs make to a
    proxy at the same time ("Blocked re-entrant IO"), so that doorbells are
    lost.
    """
    if suite.Settings.remote == DISTRIBUTION and boot.remotes and (
            max(boot.remotes) > 1 or boot.smp > 1):
        return False
    return not (suite.Settings.main == DISTRIBUTION and boot.remotes
                and boot.smp > 1)


if __name__ == '__main__':
    sys.exit(suite.main(__doc__, ALL, prepare, within_peer))
