#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a manual page of a page of docs/: headings, paragraphs, tables of two
or three columns, indented examples, lists.

    manpage.py NAME SECTION SUMMARY PAGE... > NAME.SECTION
"""
import re
import sys


def plain(text):
    """A line's own marks as roff's fonts."""
    text = text.replace('\\|', '|').replace('\\', '\\e')
    text = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', text)
    text = re.sub(r'`([^`]*)`', r'\\fB\1\\fR', text)
    text = re.sub(r'\*\*([^*]*)\*\*', r'\\fB\1\\fR', text)
    text = re.sub(r'\*([^*]+)\*', r'\\fI\1\\fR', text)
    text = text.replace('-', '\\-').replace("'", "\\(aq")
    return '\\&' + text if text[:1] in '.' else text


def cells(line):
    """What is between the bars of a table's row."""
    return [cell.strip() for cell in
            re.split(r'(?<!\\)\|', line.strip().strip('|'))]


def table(lines, out):
    head = cells(lines[0])
    for line in lines[2:]:
        row = cells(line)
        out += ['.TP', plain(row[0])]
        rest = [f'{name}: {cell}' if name and cell and number else cell
                for number, (name, cell) in enumerate(zip(head[1:], row[1:]))]
        if len(row) > 2 and head[1] and row[1]:
            rest[0] = f'{head[1]}: {row[1]}'
        out.append(plain('; '.join(cell for cell in rest if cell)) or '\\&')


def block(lines, out):
    """A paragraph, an example, a table or a list."""
    if lines[0].startswith('|'):
        table(lines, out)
    elif lines[0].startswith('    ') or lines[0].startswith('```'):
        out += ['.PP', '.RS 4', '.nf']
        out += [(line[4:] if line.startswith('    ') else line)
                .replace('\\', '\\e').replace('-', '\\-')
                .replace("'", '\\(aq') or '\\&'
                for line in lines if not line.startswith('```')]
        out += ['.fi', '.RE']
    elif re.match(r'[-*] |\d+\. ', lines[0]):
        for line in lines:
            item = re.match(r'(?:[-*]|(\d+)\.) (.*)', line)
            if item:
                out.append(f'.IP {item[1] or "*"} 3')
            out.append(plain(item[2] if item else line.strip()))
    else:
        out.append('.PP')
        out += [plain(line) for line in lines]


def page(text, out):
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        heading = re.match(r'(#+) (.*)', lines[at])
        if heading:
            if len(heading[1]) == 1:
                out.append(f'.SH {plain(heading[2]).upper()}'
                           if '\\' not in plain(heading[2])
                           else f'.SH {plain(heading[2])}')
            else:
                out.append(f'.SS {plain(heading[2])}')
            at += 1
        elif not lines[at].strip():
            at += 1
        else:
            start = at
            fenced = lines[at].startswith('```')
            at += 1
            while at < len(lines) and (
                    not lines[at - 1].startswith('```') if fenced
                    and at > start + 1 else fenced
                    or (lines[at].strip() and lines[at][0] != '#')):
                at += 1
            block(lines[start:at], out)


def main():
    name, section, summary, *pages = sys.argv[1:]
    out = [f'.\\" Made from {" ".join(p.rpartition("/")[2] for p in pages)} '
           'by scripts/manpage.py.',
           f'.TH "{name.upper()}" "{section}" "" "mpqemu"', '.SH NAME',
           f'{plain(name)} \\- {plain(summary)}']
    for path in pages:
        with open(path, encoding='utf-8') as file:
            page(file.read(), out)
    out += ['.SH EXIT STATUS', '0 when the guest or the operator has ended it, '
            '1 when it could not start or go on; what the guest chose where it '
            'has isa\\-debug\\-exit.', '.SH SEE ALSO',
            '.BR qemu\\-system\\-x86_64 (1),', '.BR mpqemu (7)']
    print('\n'.join(out))


if __name__ == '__main__':
    main()
