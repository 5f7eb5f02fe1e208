#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Show a Debian guest whose NVMe disk lives in a process of its own.

The guest reads the whole disk, writes to it, reads again after dropping its
caches, and prints digests.  Meanwhile this program shows the two processes
from outside: what each has open and mapped, and who raised the interrupts.
"""
import argparse
import hashlib
import os
import re
import shlex
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..')
sys.path.insert(0, os.path.join(TOP, 'tests', 'functional'))
from mpqemu_test import evidence, lab, linux  # noqa: E402
from mpqemu_test.initramfs import Initramfs  # noqa: E402
from mpqemu_test.pair import Disk, Machine  # noqa: E402
from mpqemu_test.qmp import Qmp, Refused  # noqa: E402

DISK_MIB = 32
OURS = os.path.realpath(os.path.join(TOP, 'build', 'qemu-system-x86_64'))

GUEST = r'''
digest() { sha256sum | cut -d' ' -f1; }
echo "This is Linux $(uname -r) with $(nproc) CPUs."
until [ -b /dev/nvme0n1 ]; do usleep 50000; done
echo "Disk nvme0n1: $(cat /sys/class/nvme/nvme0/model | sed 's/ *$//')," \
    "serial $(cat /sys/class/nvme/nvme0/serial)," \
    "at $(cat /sys/class/nvme/nvme0/address)"
echo "Its first line: $(head -n 1 /dev/nvme0n1)"
echo "SHA-256 read: $(digest < /dev/nvme0n1)"
dd if=/dev/urandom of=/tmp/new bs=64k count=64 2> /dev/null
echo "SHA-256 of 4 MiB to write: $(digest < /tmp/new)"
dd if=/tmp/new of=/dev/nvme0n1 bs=64k seek=128 2> /dev/null
sync
echo 3 > /proc/sys/vm/drop_caches
echo "SHA-256 of them read back: $(dd if=/dev/nvme0n1 bs=64k skip=128 \
    count=64 2> /dev/null | digest)"
echo "SHA-256 of the whole disk: $(digest < /dev/nvme0n1)"
echo "Interrupts:$(grep nvme0q /proc/interrupts)"
echo "Waiting for a key."
read -r key
poweroff -f
'''


def title(text):
    print(f'\n== {text}', flush=True)


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def make_disk(path):
    with open(path, 'wb') as file:
        file.write(b'This disk is served by a process of its own.\n')
        file.write(os.urandom((DISK_MIB << 20) - file.tell()))


def show_guest(machine, seen, limit):
    """Print the console as it comes, up to where the guest waits."""
    for pattern in (r'^This is Linux.*\n', r'^Disk .*\n', r'^Its first.*\n',
                    r'^SHA-256 read: .*\n', r'^SHA-256 of 4 MiB.*\n',
                    r'^SHA-256 of them.*\n', r'^SHA-256 of the whole.*\n',
                    r'^Interrupts:.*\n', r'^Waiting'):
        match = machine.expect(pattern, limit)
        if not match:
            raise SystemExit('demo: the guest came no further\n'
                             + machine.report())
        line = re.sub(r'\s+', ' ', match[0]).strip()
        if not line.startswith('Waiting'):
            print(f'   guest | {line}', flush=True)
        key, _, value = line.partition(': ')
        seen[key] = value or line


def kinds(pid):
    """What a process has open, in a person's words."""
    words, counted = [], {}
    for _, target in evidence.open_files(pid):
        if target.startswith('socket:'):
            name = 'socket'
        elif target.startswith('anon_inode:'):
            name = target.removeprefix('anon_inode:').strip('[]')
        elif target.startswith('/memfd:'):
            name = f'memory file {target.split()[0][7:]}'
        elif target.startswith(('pipe:', '/dev/null')):
            continue
        else:
            words.append(target)
            continue
        counted[name] = counted.get(name, 0) + 1
    return words + [f'{count} x {name}' if count > 1 else name
                    for name, count in sorted(counted.items())]


def describe(program):
    fields = evidence.status(program.pid)
    own = sum(int(fields[name].split()[0]) for name in ('RssAnon', 'RssFile'))
    rows = [program.name.upper(),
            f'pid {program.pid}, {fields["Threads"]} threads',
            f'{own // 1024} MiB resident besides shared memory', '',
            'has open:']
    rows += [f'  {what}' for what in kinds(program.pid)]
    rows += ['', 'has mapped, apart from libraries:']
    for what, size in evidence.mappings(program.pid).items():
        if not re.search(r'\.so|/locale/|gconv|/usr/share', what):
            size = (f'{size >> 20} MiB' if size >> 20
                    else f'{size >> 10} KiB')
            rows.append(f'  {what.removeprefix("/memfd:")}  {size}')
    return rows


def side_by_side(left, right, width=58):
    def cut(text):
        return text if len(text) <= width else '...' + text[3 - width:]

    for number in range(max(len(left), len(right))):
        one = cut(left[number]) if number < len(left) else ''
        other = cut(right[number]) if number < len(right) else ''
        print(f'   {one:{width}} | {other}'.rstrip())


def own_count(path):
    """What the device process itself counted, or None if it does not."""
    try:
        monitor = Qmp(path)
        text = monitor.monitor('info remote')
        monitor.close()
    except (OSError, Refused):
        return None
    found = re.search(r'raised\D{0,3}(\d+)', text)
    return int(found[1]) if found else None


def play(args):
    """The demonstration itself, where KVM runs 64-bit kernels."""
    seen = {}
    with tempfile.TemporaryDirectory(dir='/dev/shm') as scratch:
        path = os.path.join(scratch, 'disk.raw')
        make_disk(path)
        before = digest(path)
        control = os.path.join(scratch, 'remote.qmp')
        machine = Machine(
            args.main, args.remote, [[Disk(path, 'demo')]], smp=args.smp,
            memory=512, kernel=linux.kernel(), initrd=args.initrd,
            append='console=ttyS0 quiet panic=-1',
            remote_extra=['-qmp', f'unix:{control},server=on,wait=off'])
        title(f'A {DISK_MIB} MiB disk, its SHA-256 outside: {before}')
        title('Starting the device process, then the main process; '
              'the guest is up in about 20 s')
        with machine, evidence.InterruptLines() as lines:
            for program in [*machine.remotes, machine.main]:
                print(f'   $ {shlex.join(program.command)}')
            show_guest(machine, seen, 120)
            title('The two processes, from outside')
            side_by_side(describe(machine.main),
                         describe(machine.remotes[0]))
            counted = own_count(control)
            machine.say('\n')
            ended = machine.wait(30)
        after = digest(path)
    return verdict(seen, before, after, ended, counted, lines)


def verdict(seen, before, after, ended, counted, lines):
    """Put both views beside each other; exit status 0 if they agree."""
    line = seen['Interrupts']
    gsi = re.search(r'IO-APIC (\d+)-fasteoi', line)
    title('Interrupts')
    print(f"   in the guest's /proc/interrupts   {line}")
    if counted is not None:
        print('   raised by the device process      '
              f'{counted}, by its own count')
    through = None
    if lines.seen and gsi:
        raised = lines.raised(int(gsi[1]), evidence.IRQFD)
        through = lines.raised(int(gsi[1]), evidence.IOCTL)
        print('   seen by KVM, by its trace point    '
              f'{raised} from the eventfd of the device process,\n'
              f'   {"":34} {through} through the main process')
    title('Digests')
    equal = True
    for text, one, other in (
            ('the disk before, outside and in the guest', before,
             seen['SHA-256 read']),
            ('4 MiB written, chosen and read back',
             seen['SHA-256 of 4 MiB to write'],
             seen['SHA-256 of them read back']),
            ('the disk after, outside and in the guest', after,
             seen['SHA-256 of the whole disk'])):
        same = one == other
        equal = equal and same
        print(f'   {text}: {"equal" if same else "DIFFERENT"}\n'
              f'      {one}\n      {other}')
    good = equal and ended == (0, [0]) and not through
    if ended != (0, [0]):
        print(f'\nThe processes ended with {ended}, not with 0.')
    if not lines.seen:
        print('\nWho raised them is for root to see, by '
              '/sys/kernel/tracing: not shown here.')
    print(f'\nDigests {"equal" if equal else "DIFFERENT"}, '
          + (f'{through} through the main process.' if through is not None
             else 'interrupts not witnessed.'))
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(
        prog='scripts/demo', description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', default=OURS, metavar='BINARY',
                        help='the emulator that runs the guest')
    parser.add_argument('--remote', default=OURS, metavar='BINARY',
                        help='the emulator that serves the disk')
    parser.add_argument('--smp', type=int, default=2, metavar='CPUS')
    parser.add_argument('--inside', dest='initrd', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.initrd:
        return play(args)
    with tempfile.TemporaryDirectory(prefix='demo-') as work:
        image = Initramfs()
        image.busybox()
        image.modules('nvme')
        image.init(GUEST)
        args.initrd = image.write(os.path.join(work, 'initrd'))
        title('A Debian kernel and a busybox initramfs: '
              f'{linux.kernel()}, {os.path.getsize(args.initrd) >> 20} MiB')
        possible, why = lab.own_kvm()
        if possible:
            title(f"Running under this machine's KVM: {why}")
            return play(args)
        title(f'Running in nested KVM, because here {why}')
        print("   The distribution's QEMU emulates a machine with SVM, whose "
              'Debian kernel has a real KVM.\n   About 1 minute.',
              flush=True)
        return lab.run(
            [sys.executable, os.path.realpath(__file__), '--inside',
             args.initrd, '--main', os.path.realpath(args.main), '--remote',
             os.path.realpath(args.remote), '--smp', str(args.smp)], work)


if __name__ == '__main__':
    try:
        sys.exit(main())
    except linux.NotHere as missing:
        sys.exit(f'demo: {missing}')
