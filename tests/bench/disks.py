# SPDX-License-Identifier: GPL-2.0-or-later
"""Group nvme: disk I/O of a remote process, without a guest, beside fio."""
import json
import os
import shutil
import subprocess
import time

from common import BUILT, REMOTES, Device, Gone

CLIENT = os.path.join(BUILT, 'bench', 'bench-nvme')
#: (job of bench-nvme and fio, bytes, depth)
JOBS = [('randread', 4096, 1), ('randread', 4096, 32), ('randread', 4096, 256),
        ('randwrite', 4096, 1), ('randwrite', 4096, 32),
        ('randwrite', 4096, 256),
        ('read', 131072, 8), ('write', 131072, 8)]


def name(job):
    kind, size, depth = job
    return f'{kind} {size >> 10}k depth {depth}'


def by_wire(program, image, options, seconds, spin):
    with Device(program, [image], options) as device:
        # Upstream's remote resets its machine after it has begun to serve.
        device.first_answer()
        time.sleep(0.2)
        end = device.links[0].socket
        out = subprocess.run(
            [CLIENT, '--fd', str(end.fileno()), '--pid', str(device.pid),
             '--spin', str(spin),
             *(f'{kind}:{size}:{depth}:{seconds}'
               for kind, size, depth in JOBS)],
            pass_fds=[end.fileno()], stdout=subprocess.PIPE, text=True,
            timeout=60, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def by_fio(image, seconds, direct):
    """The same jobs, all in one process one after the other."""
    command = ['fio', '--output-format=json', '--ioengine=io_uring',
               '--registerfiles=1', f'--filename={image}',
               f'--direct={int(direct)}', '--time_based',
               f'--runtime={int(seconds * 1000)}ms']
    for kind, size, depth in JOBS:
        command += [f'--name={kind}', f'--rw={kind}', f'--bs={size}',
                    f'--iodepth={depth}', '--stonewall']
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                         timeout=120, check=True).stdout
    seen = []
    for job in json.loads(out[out.index('{'):])['jobs']:
        way = job['read'] if job['read']['total_ios'] else job['write']
        cpu = (job['usr_cpu'] + job['sys_cpu']) / 100 * job['job_runtime']
        seen.append({'iops': way['iops'], 'mbps': way['bw_bytes'] / 1e6,
                     'cpu_per_million':
                     cpu / 1000 * 1e6 / max(way['total_ios'], 1)})
    return seen


def one(results, place, image, options, seconds, direct):
    # The order changes nothing but what a busy machine does to whom.
    spins = {'': 100000}
    if not direct:
        spins[', client asleep'] = 0
    runs = [(who + suffix, lambda program=program, spin=spin:
             by_wire(program, image, options, seconds, spin))
            for suffix, spin in spins.items() for who, program in REMOTES]
    runs.append(('fio', lambda: by_fio(image, seconds, direct)))
    for who, run in runs:
        try:
            seen = run()
        except (subprocess.SubprocessError, OSError, ValueError,
                Gone) as error:
            results.note(f'nvme: {who} on {place}: {error}')
            continue
        for job, numbers in zip(JOBS, seen):
            what = f'{place}: {name(job)}'
            if job[1] > 4096:
                results.add('nvme', what, who, numbers['mbps'], 'MB/s')
            else:
                results.add('nvme', what, who, numbers['iops'], 'IOPS')
            results.add('nvme CPU', what, who, numbers['cpu_per_million'],
                        's/million')


def nvme(results, scratch, quick):
    if not shutil.which('fio'):
        results.note('nvme: there is no fio to compare with')
    seconds = 0.3 if quick else 0.6
    for _ in range(1 if quick else 3):
        one(results, 'tmpfs', scratch.image(256), '', seconds, False)
    on_disk = scratch.image(256, directory=scratch.disk)
    for _ in range(1 if quick else 3):
        one(results, 'disk', on_disk, ',cache=none', seconds, True)
