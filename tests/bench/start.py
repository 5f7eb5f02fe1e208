# SPDX-License-Identifier: GPL-2.0-or-later
"""Group start: remote processes until they answer, and what they occupy."""
import contextlib
import time

from common import OURS, REMOTES, Device, memory, threads


def start(results, scratch, quick):
    image = scratch.image(64)
    for _ in range(5 if quick else 15):
        for who, program in REMOTES:
            with Device(program, [image], links=1) as device:
                results.add('start', 'to the first answer', who,
                            device.first_answer() * 1000, 'ms')
                time.sleep(0.02)
                resident, private = memory(device.pid)
                results.add('start', 'resident', who, resident / 1e6, 'MB')
                results.add('start', 'private', who, private / 1e6, 'MB')
                results.add('start', 'threads', who, threads(device.pid), '')
    for count in (8,) if quick else (8, 64):
        images = [scratch.image(64, number) for number in range(count)]
        for who, program in REMOTES:
            many(results, who, program, images)
        together(results, images)


def many(results, who, program, images):
    """A process for each image."""
    with contextlib.ExitStack() as stack:
        begin = time.monotonic()
        devices = [stack.enter_context(Device(program, [image], links=1))
                   for image in images]
        for device in devices:
            device.first_answer()
        took = time.monotonic() - begin
        private = sum(memory(device.pid)[1] for device in devices)
        what = f'{len(images)} processes'
        results.add('start', f'{what}, all answer', who, took * 1000, 'ms')
        results.add('start', f'{what}, private in all', who, private / 1e6,
                    'MB')


def together(results, images):
    """One process for all images: upstream has one device a process."""
    # A bus has 32 slots of 8 functions.
    with Device(OURS, images, links=1, functions=True) as device:
        what = f'{len(images)} devices in one'
        results.add('start', f'{what}, all answer', 'ours',
                    device.first_answer() * 1000, 'ms')
        results.add('start', f'{what}, private', 'ours',
                    memory(device.pid)[1] / 1e6, 'MB')
