#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a libFuzzer target for $FUZZ_SECONDS (60): run.py PROGRAM FOLDER...

What it tries is by chance, or by $FUZZ_SEED if that is set.

The first folder is made if need be and takes what is new, beside it a folder
with "-found" takes what went wrong; inputs of the other folders are read.
"""
import base64
import glob
import os
import re
import subprocess
import sys

# One input may take so long, and all of them together so much memory.
SLOWEST, MEMORY_MB = 20, 2048


def main():
    program, work, *folders = sys.argv[1:]
    folders = filter(os.path.isdir, folders)
    name = os.path.basename(program)
    found = work + '-found'
    for folder in (work, found):
        os.makedirs(folder, exist_ok=True)
    env = dict(os.environ)
    env.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1:halt_on_error=1')
    before = set(glob.glob(found + '/*'))
    command = [program, f'-max_total_time={env.get("FUZZ_SECONDS", "60")}',
               f'-seed={env.get("FUZZ_SEED", "0")}',
               f'-timeout={SLOWEST}', f'-rss_limit_mb={MEMORY_MB}',
               '-max_len=2048', '-print_final_stats=1',
               f'-artifact_prefix={found}/', work, *folders]
    print('#', ' '.join(command), flush=True)
    result = subprocess.run(command, env=env, text=True, errors='replace',
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    runs = re.search(r'number_of_executed_units: *(\d+)', result.stdout)
    cover = re.findall(r'\bcov: (\d+)', result.stdout)
    numbers = f'{runs[1] if runs else "?"} runs, ' \
              f'{cover[-1] if cover else "?"} edges'
    new = sorted(set(glob.glob(found + '/*')) - before)
    slow = [path for path in new if '/slow-unit-' in path]
    bad = [path for path in new if path not in slow]
    if result.returncode == 0 and not bad:
        print(f'ok 1 - {name} ({numbers})\n1..1')
        return 0
    print(f'not ok 1 - {name} ({numbers})')
    lines = result.stdout.splitlines()
    why = re.compile(r'runtime error|^==\d+== ?ERROR')
    start = next((i for i, line in enumerate(lines) if why.search(line)),
                 len(lines))
    for line in lines[max(0, start - 5):start + 40]:
        print('#', line)
    for path in bad:
        with open(path, 'rb') as file:
            text = base64.b64encode(file.read()).decode()
        print(f'# again: {program} {path}, in base64 {text}')
        print(f'# {name}: again by: {program} {path}', file=sys.stderr)
    print('1..1')
    return 1


if __name__ == '__main__':
    sys.exit(main())
