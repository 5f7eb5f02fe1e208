# SPDX-License-Identifier: GPL-2.0-or-later
"""Bar charts as SVG: a group of bars for each thing measured, whiskers from
the least to the greatest value seen."""
from html import escape

from report import columns, number

COLOURS = {'ours': '#1f6f8b', 'dist': '#d1694b', 'fio': '#8a8a8a'}
MORE = ['#6aa9b9', '#e0a890', '#9fc3a0', '#c7a3c9', '#b5b35c', '#7a7fb3']
ROW, GAP, LEFT, RIGHT, WIDTH = 16, 14, 250, 80, 860


def colours(names):
    more = iter(MORE * 2)
    return {name: COLOURS.get(name) or next(more) for name in names}


def chart(results, group, title, pick=lambda what: True):
    """The SVG text of a group's rows for which pick(what) is true."""
    rows = [(what, by_who) for (one, what), by_who in results.values.items()
            if one == group and pick(what)]
    names = [name for name in columns(results, group)
             if any(name in by_who for _, by_who in rows)]
    colour = colours(names)
    out = []
    at = 40
    for number_, name in enumerate(names):
        x = LEFT + number_ % 4 * 150
        y = at + number_ // 4 * 18
        out.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" '
                   f'fill="{colour[name]}"/>'
                   f'<text x="{x + 17}" y="{y}">{escape(name)}</text>')
    at += 18 * ((len(names) + 3) // 4) + 8
    for what, by_who in rows:
        unit = results.units[group, what]
        # Each thing has a scale of its own: ratios are to be seen.
        scale = (WIDTH - LEFT - RIGHT) / max(
            max(max(seen) for seen in by_who.values()), 1e-9)
        present = [name for name in names if name in by_who]
        label = what + (f' ({unit})' if unit else '')
        out.append(f'<text x="{LEFT - 8}" y="{at + ROW * len(present) / 2 + 4}"'
                   f' text-anchor="end">{escape(label)}</text>')
        for name in present:
            seen = by_who[name]
            median = results.median(group, what, name)
            middle = at + ROW / 2
            out.append(
                f'<rect x="{LEFT}" y="{at + 1}" width="{median * scale:.1f}" '
                f'height="{ROW - 3}" fill="{colour[name]}"/>'
                f'<path d="M{LEFT + min(seen) * scale:.1f} {middle}'
                f'H{LEFT + max(seen) * scale:.1f}" stroke="#222"/>'
                f'<text x="{LEFT + max(seen) * scale + 5:.1f}" '
                f'y="{middle + 4}">{number(median)}</text>')
            at += ROW
        at += GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
            f'height="{at}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n'
            f'<text x="10" y="20" font-size="15">{escape(title)}</text>\n'
            + '\n'.join(out) + '\n</svg>\n')


#: file name, group, title, which rows
CHARTS = [
    ('access.svg', 'access', 'One access of a guest', lambda what: True),
    ('irq.svg', 'irq', 'Interrupts', lambda what: True),
    ('nvme-tmpfs.svg', 'nvme', 'NVMe by the wire, image on tmpfs',
     lambda what: what.startswith('tmpfs')),
    ('nvme-disk.svg', 'nvme', 'NVMe by the wire, image on the disk',
     lambda what: what.startswith('disk')),
    ('nvme-cpu.svg', 'nvme CPU', 'CPU time of the device process',
     lambda what: what.startswith('tmpfs')),
    ('start.svg', 'start', 'Start and memory of device processes',
     lambda what: True),
    ('boot.svg', 'boot', 'Boot', lambda what: True),
]


def charts(results):
    """{file name: SVG} of what was measured."""
    drawn = {}
    for file, group, title, pick in CHARTS:
        if any(one == group and pick(what) for one, what in results.values):
            drawn[file] = chart(results, group, title, pick)
    return drawn
