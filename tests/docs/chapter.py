#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The code blocks of a page: "```LANGUAGE WORD" opens one, WORD says what it
is for.  As a program: writes the file that the C blocks of a name make up."""
import re
import sys

OPENS = re.compile(r'^```(\w+) ?(\S*)$')


def blocks(path):
    """(language, word, number of the first line, text) of each block."""
    with open(path, encoding='utf-8') as page:
        lines = page.read().splitlines()
    start = None
    for number, line in enumerate(lines):
        if start is None:
            opens = OPENS.match(line)
            if opens:
                start = number + 1
        elif line == '```':
            yield (opens[1], opens[2], start + 1,
                   ''.join(text + '\n' for text in lines[start:number]))
            start = None


def main(page, name, out):
    parts = [f'#line {first} "{page}"\n{text}'
             for _, word, first, text in blocks(page) if word == name]
    if not parts:
        sys.exit(f'{page}: no block of {name}')
    with open(out, 'w', encoding='utf-8') as file:
        file.write('\n'.join(parts))


if __name__ == '__main__':
    main(*sys.argv[1:])
