# SPDX-License-Identifier: GPL-2.0-or-later
"""Groups access, irq and idle: what a guest under this machine's KVM sees."""
import os
import re
import time

from common import (BUILT, DISTRIBUTION, OURS, PAIRS, activity, spent)
from mpqemu_test.pair import Disk, Machine

LOCAL = [('ours local', OURS, None), ('dist local', DISTRIBUTION, None)]


def tsc_ghz():
    """Cycles of the time stamp counter a nanosecond."""
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
        return float(re.search(r'^cpu MHz\s*: (\S+)', file.read(), re.M)[1]) \
            / 1000


def machine(main, remote, image, append, more=(), remote_more=()):
    disk = [Disk(image, 'bench', 4)]
    return Machine(
        main, remote or DISTRIBUTION, [disk] if remote else (),
        () if remote else disk, memory=64,
        kernel=os.path.join(BUILT, 'guest', 'time.elf'), append=append,
        # The distribution's QEMU fails with the host's model on a KVM that
        # is not hardware's, and needs many seconds for SeaBIOS there.
        extra=['-device', 'isa-debug-exit', '-cpu', 'qemu64',
               *(['-bios', 'qboot.rom'] if main == DISTRIBUTION else []),
               *more], remote_extra=remote_more)


def once(main, remote, image, append, more=(), remote_more=()):
    """{kind: cycles}, or None if the guest came to no end."""
    guest = machine(main, remote, image, append, more, remote_more)
    with guest:
        guest.expect(r'^@@ (done|gave-up).*\n', 30)
        guest.wait(3)
    found = re.findall(r'^@@ (\S+) median=(\d+)', guest.console, re.M)
    if '@@ done' not in guest.console:
        return None
    return {kind: int(cycles) for kind, cycles in found}


def measure(results, group, append, image, rounds):
    ghz = tsc_ghz()
    for _ in range(rounds):
        for who, main, remote in PAIRS + LOCAL:
            seen = once(main, remote, image, append)
            if not seen:
                results.note(f'{group}: the guest of "{who}" came to no end')
                continue
            for kind, cycles in seen.items():
                results.add(group, kind, who, cycles / ghz / 1000, 'us')
            # On a busy machine the one that polls may be kept off its CPU.
            if group == 'irq' and seen['io-asleep'] > seen['io-polled']:
                results.add(group, 'interrupt', who,
                            (seen['io-asleep'] - seen['io-polled'])
                            / ghz / 1000, 'us')


def access(results, scratch, quick):
    measure(results, 'access', f'access={500 if quick else 2000}',
            scratch.image(64), 1 if quick else 3)


def irq(results, scratch, quick):
    measure(results, 'irq', f'irq={100 if quick else 300}',
            scratch.image(64), 1 if quick else 3)


def idle(results, scratch, quick):
    """All at the same time: that nobody does anything is to be seen."""
    seconds = 2 if quick else 10
    guests = []
    try:
        for who, main, remote in PAIRS:
            guest = machine(main, remote, scratch.image(64, who),
                            'access=200 irq=50 idle=1')
            guests.append((who, guest))
            guest.__enter__()
            if not guest.expect(r'^@@ done.*\n', 30):
                results.note(f'idle: the guest of "{who}" did not get idle')
        time.sleep(1)
        before = [look(guest) for _, guest in guests]
        time.sleep(seconds)
        after = [look(guest) for _, guest in guests]
        for (who, _), was, now in zip(guests, before, after):
            for role in 'main', 'remote':
                cpu, woken = spent(was[role], now[role])
                results.add('idle', f'{role}, CPU', who,
                            100 * cpu / seconds, '%')
                results.add('idle', f'{role}, wake-ups', who,
                            woken / seconds, '/s')
    finally:
        for _, guest in guests:
            guest.__exit__()


def look(guest):
    return {'main': activity(guest.main.pid),
            'remote': activity(guest.remotes[0].pid)}
