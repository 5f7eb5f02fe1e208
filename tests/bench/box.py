# SPDX-License-Identifier: GPL-2.0-or-later
"""Group box: what it costs that processes are boxed in (-sandbox).

The same jobs with and without, turn by turn, so that what the machine does
otherwise happens to both.  A difference below 2 % is to be seen only in many
short rounds.
"""
import json
import os
import subprocess

from common import BUILT, OURS, Device
from guest_times import once, tsc_ghz

CLIENT = os.path.join(BUILT, 'bench', 'bench-nvme')
JOBS = [('randread', 4096, 1), ('randread', 4096, 32)]
WAYS = {'boxed in': (), 'not': ('-sandbox', 'off')}
#: The main process's way in the MMIO row, whose default is to be without.
BOTH = {'boxed in': ('-sandbox', 'on'), 'not': ('-sandbox', 'off')}


def by_wire(image, more, seconds):
    """IOPS of each job."""
    with Device(OURS, [image], more=more) as device:
        device.first_answer()
        end = device.links[0].socket
        out = subprocess.run(
            [CLIENT, '--fd', str(end.fileno()), '--pid', str(device.pid),
             '--spin', '100000',
             *(f'{kind}:{size}:{depth}:{seconds}'
               for kind, size, depth in JOBS)],
            pass_fds=[end.fileno()], stdout=subprocess.PIPE, text=True,
            timeout=60, check=True).stdout
    return [json.loads(line)['iops'] for line in out.splitlines()]


def box(results, scratch, quick):
    image = scratch.image(64)
    ghz = tsc_ghz()
    for turn in range(2 if quick else 20):
        # Who goes first has an advantage or not: in turn.
        ways = list(WAYS)[::1 if turn % 2 else -1]
        for way in ways:
            seen = by_wire(image, WAYS[way], 0.1 if quick else 0.25)
            for (kind, size, depth), iops in zip(JOBS, seen):
                results.add('box', f'{kind} {size >> 10}k depth {depth}', way,
                            iops, 'IOPS')
    if not os.access('/dev/kvm', os.W_OK):
        results.note('box: there is no /dev/kvm')
        return
    for turn in range(2 if quick else 10):
        for way in list(WAYS)[::1 if turn % 2 else -1]:
            seen = once(OURS, OURS, image, 'access=2000', BOTH[way],
                        WAYS[way])
            if not seen:
                results.note('box: the guest came to no end')
                continue
            results.add('box', 'MMIO read', way,
                        seen['mmio-read'] / ghz / 1000, 'us')
