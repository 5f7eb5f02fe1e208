# SPDX-License-Identifier: GPL-2.0-or-later
"""Results for people: tables, and what was to be reached beside what was."""

import re

#: What, value of, divided by value of, at most (<=) or at least (>=), limit.
#: A value is (group, what, who).
GOALS = [
    ('MMIO read, our pair / distribution\'s pair',
     ('access', 'mmio-read', 'ours'), ('access', 'mmio-read', 'dist'),
     '<=', 0.22),
    ('MMIO read, our pair / local device',
     ('access', 'mmio-read', 'ours'), ('access', 'mmio-read', 'ours local'),
     '<=', 1.9),
    ('MMIO read, our main + distribution\'s remote / distribution\'s pair',
     ('access', 'mmio-read', 'ours+dist'), ('access', 'mmio-read', 'dist'),
     '<=', 0.6),
    ('MMIO read, distribution\'s main + our remote / distribution\'s pair',
     ('access', 'mmio-read', 'dist+ours'), ('access', 'mmio-read', 'dist'),
     '<=', 0.6),
    ('end of interrupt to the next handler, our pair / local device',
     ('irq', 'eoi-reraise', 'ours'), ('irq', 'eoi-reraise', 'ours local'),
     '<=', 1.5),
    ('4 KiB random read on tmpfs, depth 32, ours / distribution\'s',
     ('nvme', 'tmpfs: randread 4k depth 32', 'ours'),
     ('nvme', 'tmpfs: randread 4k depth 32', 'dist'), '>=', 4.0),
    ('the same / fio\'s limit',
     ('nvme', 'tmpfs: randread 4k depth 32', 'ours'),
     ('nvme', 'tmpfs: randread 4k depth 32', 'fio'), '>=', 0.5),
    ('the same at depth 1, ours / distribution\'s',
     ('nvme', 'tmpfs: randread 4k depth 1', 'ours'),
     ('nvme', 'tmpfs: randread 4k depth 1', 'dist'), '>=', 2.5),
    ('128 KiB sequential read on tmpfs / fio\'s limit',
     ('nvme', 'tmpfs: read 128k depth 8', 'ours'),
     ('nvme', 'tmpfs: read 128k depth 8', 'fio'), '>=', 0.85),
    ('CPU per million 4 KiB reads at depth 32, ours / distribution\'s',
     ('nvme CPU', 'tmpfs: randread 4k depth 32', 'ours'),
     ('nvme CPU', 'tmpfs: randread 4k depth 32', 'dist'), '<=', 0.3),
    ('remote process: start, ours / distribution\'s',
     ('start', 'to the first answer', 'ours'),
     ('start', 'to the first answer', 'dist'), '<=', 0.3),
    ('remote process: resident memory, ours / distribution\'s',
     ('start', 'resident', 'ours'), ('start', 'resident', 'dist'),
     '<=', 0.2),
    ('64 device processes, private memory in all, MB',
     ('start', '64 processes, private in all', 'ours'), None, '<=', 100),
    ('boot to init, direct, ours / distribution\'s with SeaBIOS',
     ('boot', 'to init, -smp 1', 'ours'), ('boot', 'to init, -smp 1', 'dist'),
     '<=', 0.6),
    ('MMIO read, both processes boxed in / neither, time',
     ('box ratio', 'MMIO read, both processes', 'boxed in / not'), None,
     '<=', 1.02),
    ('4 KiB random read on tmpfs, depth 1, boxed in / not, time',
     ('box ratio', '4 KiB random read, depth 1', 'boxed in / not'), None,
     '<=', 1.02),
    ('the same at depth 32',
     ('box ratio', '4 KiB random read, depth 32', 'boxed in / not'), None,
     '<=', 1.02),
    ('4 KiB random write, depth 32, boxed in / not, time',
     ('box ratio', '4 KiB random write, depth 32', 'boxed in / not'), None,
     '<=', 1.02),
    ('remote process: start, boxed in / not, time',
     ('box ratio', 'start to the first answer', 'boxed in / not'), None,
     '<=', 1.02),
    ('idle CPU of a remote process, %',
     ('idle', 'remote, CPU', 'ours'), None, '<=', 0.05),
]


def number(value):
    if value is None:
        return '-'
    if abs(value) >= 1000:
        return f'{value:,.0f}'
    return f'{value:.3g}' if abs(value) < 100 else f'{value:.0f}'


def goals(results):
    """(text, measured, comparison, limit, reached) of those measured."""
    rows = []
    for text, over, under, compare, limit in GOALS:
        value = results.median(*over)
        if under:
            base = results.median(*under)
            value = value / base if value is not None and base else None
        if value is not None:
            rows.append((text, value, compare, limit,
                         value <= limit if compare == '<=' else
                         value >= limit))
    return rows


def columns(results, group):
    seen = []
    for (one, _), by_who in results.values.items():
        if one == group:
            seen += [who for who in by_who if who not in seen]
    return seen


def table(results, group):
    """Markdown: a row for each thing measured, a column for each of whom."""
    who = columns(results, group)
    ratio = 'ours' in who and 'dist' in who
    head = ['', *who, *(['ours / dist'] if ratio else [])]
    lines = ['| ' + ' | '.join(head) + ' |', '| --- ' * len(head) + '|']
    for (one, what), by_who in results.values.items():
        if one != group:
            continue
        unit = results.units[group, what]
        cells = [what + (f', {unit}' if unit else '')]
        for name in who:
            seen = by_who.get(name)
            median = number(results.median(group, what, name))
            if seen and len(seen) > 1 and min(seen) != max(seen):
                median += f' ({number(min(seen))}–{number(max(seen))})'
            cells.append(median)
        if ratio:
            over = results.median(group, what, 'ours')
            under = results.median(group, what, 'dist')
            cells.append(f'{over / under:.2f}' if over is not None and under
                         else '-')
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def groups(results):
    return dict.fromkeys(group for group, _ in results.values)


def goal_table(results):
    lines = ['| what | goal | measured | |', '| --- | --- | --- | --- |']
    for what, value, compare, limit, reached in goals(results):
        lines.append(f'| {what} | {compare} {limit:g} | {value:.3g} | '
                     f'{"reached" if reached else "MISSED"} |')
    return '\n'.join(lines)


def text(results):
    parts = []
    for group in groups(results):
        parts.append(f'## {group}\n\n{table(results, group)}')
    if goals(results):
        parts.append(f'## goals\n\n{goal_table(results)}')
    if results.notes:
        parts.append('\n'.join(f'- {note}' for note in results.notes))
    return '\n\n'.join(parts)


#: What a page says before the table of a group.
BEFORE = {
    'nvme CPU': 'CPU time of the device process:',
    'start': 'Start and memory of device processes:',
    'boot': 'Seconds from the start of the process; the distribution\'s enters '
            'a kernel by way of SeaBIOS:',
    'box calls': 'What a system call that does nothing takes:',
    'box ratio': 'Time boxed in / not: the median of many pairs, and the '
                 'interval that has the true one in 95 of 100 cases. Beside '
                 'it how many system calls what is boxed in makes, those of '
                 'waiting too, and the ratio if each takes as much more as '
                 'above:',
    'idle': 'All four pairings at the same time, each with an idle guest:',
}
AFTER = {
    'irq': 'A guest that runs (`irq-running`) is interrupted late by this '
           'KVM, whoever raises.',
}
#: A page has the run between these lines.
BEGIN, END = '<!-- what the run said -->\n', '<!-- so far the run -->\n'


def page(results, where, folder, pictures):
    """Markdown for a page: tables with pictures, and the goals.

    pictures: [(file in folder, group, title)]
    """
    parts = [f'{where} All values: [run.json]({folder}/run.json).']
    for group in groups(results):
        parts += [BEFORE[group]] if group in BEFORE else []
        parts.append(table(results, group))
        parts += [f'![{title}]({folder}/{file})'
                  for file, one, title in pictures if one == group]
        parts += [AFTER[group]] if group in AFTER else []
    parts += ['## Goals', 'Of the run above.', goal_table(results)]
    parts += ['\n'.join(f'- {note}' for note in results.notes)] \
        if results.notes else []
    return '\n\n'.join(parts) + '\n'


def has_place(path):
    """Whether the page is there and has the lines that a run goes between."""
    with open(path, encoding='utf-8') as file:
        return re.search(f'{BEGIN}.*{END}', file.read(), re.S) is not None


def put_in_page(path, said):
    with open(path, encoding='utf-8') as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{before}{BEGIN}\n{said}\n{END}{after}')
