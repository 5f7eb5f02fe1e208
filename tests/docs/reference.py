#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/ against the program: every option, machine, device, object, and each
of their properties has an entry, with its default; and nothing in the pages
is unknown to the program.  An entry is a row of a table whose first cell
names it in code."""
import argparse
import os
import re
import subprocess
import sys
import unittest

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.join(here, '..', '..')
sys.path.insert(0, os.path.join(here, '..', 'functional'))
from mpqemu_test import tap  # noqa: E402

PROGRAM = None
SYSTEM = os.path.join(top, 'docs', 'system')
CODE = re.compile(r'`([^`]+)`')
LINK = re.compile(r'\[[^]]*\]\(([^)\s]+)\)')
CELL = re.compile(r'(?<!\\)\|')


def said(*args):
    return subprocess.run([PROGRAM, *args], check=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE).stdout


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as page:
        return page.read()


def sections(text):
    """[(heading, text)]: the part before the first heading has none."""
    parts = re.split(r'^#+ (.*)$', text, flags=re.M)
    return list(zip([''] + parts[1::2], parts[0::2]))


def rows(text):
    """The cells of every row of every table."""
    return [[cell.strip() for cell in CELL.split(line)[1:-1]]
            for line in text.splitlines() if line.startswith('|')]


def entries(text):
    """{name: cells} by each code in a row's first cell, cut at '=' and ' '."""
    found = {}
    for cells in rows(text):
        for code in CODE.findall(cells[0]):
            found.setdefault(re.split('[= ]', code)[0], cells)
    return found


def all_entries():
    found = {}
    for name in sorted(os.listdir(SYSTEM)):
        for key, cells in entries(read(SYSTEM, name)).items():
            found.setdefault(key, cells)
    return found


def properties(text):
    """{name: default or None} of what "X,help" printed."""
    found = {}
    for line in text.splitlines():
        named = re.match(r'  ([\w.-]+)=<', line)
        if named:
            default = re.search(r'\(default: (.*)\)$', line)
            found[named[1]] = default and default[1]
    return found


def plain(default):
    """A default as a page writes it."""
    return {'true': 'on', 'false': 'off'}.get(default, default.strip('"'))


def page_of(cells, within):
    """The page, or section, to which the row of a driver or object links."""
    links = LINK.findall(cells[-1])
    path, _, anchor = links[0].partition('#') if links else ('', '', '')
    text = read(SYSTEM, path or within)
    return dict(sections(text))[anchor] if anchor else text


class Options(unittest.TestCase):
    def test_each_has_an_entry(self):
        known = entries(read(SYSTEM, 'invocation.md'))
        table = read(top, 'system', 'options.c')
        names = re.findall(r'^    \{ "([\w-]+)", (?:NULL|")', table, re.M)
        self.assertGreater(len(names), 50)
        missing = [name for name in names if '-' + name not in known]
        self.assertEqual(missing, [])
        unknown = [name for name in known
                   if name[0] == '-' and name[1:] not in names]
        self.assertEqual(unknown, [])

    def test_each_key_is_in_its_entry(self):
        known = entries(read(SYSTEM, 'invocation.md'))
        for line in said('-help').splitlines():
            option = re.match(r'  (-[\w-]+) +(\S*)', line)
            if option:
                entry = ' '.join(known[option[1]])
                for key in re.findall(r'([a-z][\w.-]*)=', option[2]):
                    self.assertIn(key, entry, option[1])

    def test_help_names_the_pages(self):
        self.assertIn('docs/system/', said('-help'))


class Machines(unittest.TestCase):
    def setUp(self):
        self.page = read(SYSTEM, 'machines.md')

    def test_each_has_an_entry(self):
        known = entries(self.page)
        listed = said('-machine', 'help').splitlines()[1:]
        self.assertEqual([line for line in listed
                          if line.split()[0] not in known], [])

    def test_each_option_has_an_entry(self):
        known = entries(self.page)
        for machine in 'q35', 'pc':
            names = properties(said('-machine', machine + ',help'))
            self.assertEqual(set(names) - set(known), set(), machine)

    def test_cpu_properties_are_known(self):
        table = dict(sections(self.page))['Processors']
        source = read(top, 'hw', 'i386', 'cpu-config.c')
        keys = source[source.index('} keys[] = {'):]
        names = re.findall(r'^    \{ "([\w-]+)",', keys, re.M)
        self.assertGreater(len(names), 10)
        known = entries(table)
        self.assertEqual([name for name in names if name not in known], [])


class Types(unittest.TestCase):
    """Devices and objects."""
    def check_properties(self, name, option, page, common):
        known = entries(page)
        for prop, default in properties(said(option,
                                             name + ',help')).items():
            cells = known.get(prop) or common.get(prop)
            self.assertIsNotNone(cells, f'{name}.{prop} has no entry')
            if default is not None and len(cells) == 3 and \
                    re.fullmatch(r'\d+|on|off|auto', cells[1]):
                self.assertEqual(cells[1], plain(default), f'{name}.{prop}')

    def test_devices(self):
        text = read(SYSTEM, 'devices.md')
        known = entries(text)
        common = entries(dict(sections(text))['Every PCI device'])
        names = re.findall(r'name "([\w-]+)"(?:.* alias "([\w-]+)")?',
                           said('-device', 'help'))
        self.assertGreater(len(names), 5)
        for name, alias in names:
            self.assertIn(name, list(known))
            self.assertIn(alias or name, list(known))
            self.check_properties(name, '-device',
                                  page_of(known[name], 'devices.md'), common)

    def test_objects(self):
        text = read(SYSTEM, 'objects.md')
        known = entries(text)
        for name in said('-object', 'help').split()[5:]:
            self.assertIn(name, list(known))
            self.check_properties(name, '-object',
                                  page_of(known[name], 'objects.md'), {})

    def test_chardevs(self):
        known = all_entries()
        listed = re.findall(r'^  (\w+) ', said('-chardev', 'help'), re.M)
        self.assertGreater(len(listed), 5)
        page = read(SYSTEM, 'chardevs.md')
        for name in listed:
            self.assertIn(f'`{name},id=ID', page)
        for key in re.findall(r'([a-z][\w-]*)=', said('-chardev', 'help')):
            self.assertIn(key + '=', page)
        self.assertIn('mon:BACKEND', known)


class Architecture(unittest.TestCase):
    def test_functions_are_where_it_says(self):
        walks = dict(sections(read(top, 'docs', 'devel',
                                   'architecture.md')))['Four walks']
        steps = [(CODE.findall(cells[1]), CODE.findall(cells[2]))
                 for cells in rows(walks) if len(cells) == 4]
        self.assertGreater(len(steps), 20)
        for functions, files in steps:
            for function in functions:
                self.assertRegex(read(top, files[0]),
                                 r'(?m)^\w[^;\n]*\b' + function + r'\(')


class Pages(unittest.TestCase):
    def pages(self):
        yield os.path.join(top, 'README.md')
        for folder, _, names in os.walk(os.path.join(top, 'docs')):
            for name in names:
                if name.endswith('.md'):
                    yield os.path.join(folder, name)

    def anchors(self, path):
        for heading, _ in sections(read(path)):
            yield re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-')

    def test_links_lead_somewhere(self):
        for page in self.pages():
            for link in LINK.findall(read(page)):
                if link.startswith('http'):
                    continue
                path, _, anchor = link.partition('#')
                to = os.path.join(os.path.dirname(page), path) if path \
                    else page
                self.assertTrue(os.path.exists(to), f'{page}: {link}')
                if anchor:
                    self.assertIn(anchor, self.anchors(to), f'{page}: {link}')

    def test_index_has_every_page(self):
        index = os.path.join(top, 'docs', 'README.md')
        listed = {os.path.realpath(os.path.join(top, 'docs', link))
                  for link in LINK.findall(read(index))}
        missing = [page for page in map(os.path.realpath, self.pages())
                   if page not in listed and not page.endswith('README.md')]
        self.assertEqual(missing, [])


def main():
    global PROGRAM
    args = argparse.ArgumentParser()
    args.add_argument('--program', required=True)
    PROGRAM = args.parse_args().program
    return tap.run_own()


if __name__ == '__main__':
    sys.exit(main())
