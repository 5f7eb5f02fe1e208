#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP: framing, wrong commands and their answers, the schema, events."""
import argparse
import json
import os
import socket
import subprocess
import sys
import unittest

from mpqemu_test import tap
from mpqemu_test.pair import end_with_parent

MAIN = None
DOCS = os.path.join(os.path.dirname(__file__), '..', '..', 'docs')


class Session:
    """A program with QMP on an inherited socket."""

    def __init__(self, *options):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(20)
        self.process = subprocess.Popen(
            [MAIN, '-nodefaults', '-display', 'none', *options, '-chardev',
             f'socket,id=c,fd={theirs.fileno()}', '-mon',
             'chardev=c,mode=control'],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            preexec_fn=end_with_parent)
        theirs.close()
        self.lines = self.socket.makefile('r', encoding='utf-8')
        self.greeting = self.answer()
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.lines.close()
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data if isinstance(data, bytes)
                            else data.encode())

    def answer(self):
        """The next thing that is no event."""
        for line in self.lines:
            message = json.loads(line)
            if 'event' not in message:
                return message
            self.events.append(message)
        raise ConnectionError('closed')

    def ask(self, command, **arguments):
        message = {'execute': command}
        if arguments:
            message['arguments'] = {name.replace('_', '-'): value
                                    for name, value in arguments.items()}
        self.raw(json.dumps(message))
        return self.answer()

    def ready(self):
        assert self.ask('qmp_capabilities') == {'return': {}}
        return self

    def event(self, name):
        while True:
            for event in self.events:
                if event['event'] == name:
                    self.events.remove(event)
                    return event
            line = self.lines.readline()
            if not line:
                raise ConnectionError(f'closed before {name}')
            self.events.append(json.loads(line))


#: What is sent as it is, and part of the description that comes back.
WRONG = [
    ('nonsense\n', 'JSON parse error'),
    ('}\n', 'JSON parse error'),
    ("don't\n", 'JSON parse error'),
    ('{"execute": "stop\n', 'JSON parse error'),
    ('[1, 2]', 'must be a JSON object'),
    ('7\n', 'must be a JSON object'),
    ('"stop"\n', 'must be a JSON object'),
    ('null\n', 'must be a JSON object'),
    ('{"execute": }', 'JSON parse error'),
    ('{"execute": "stop"]', 'JSON parse error'),
    ('{"execute" "stop"}', 'JSON parse error'),
    ('{}', "lacks member 'execute'"),
    ('{"id": 1}', "lacks member 'execute'"),
    ('{"execute": 1}', "'execute' must be a string"),
    ('{"execute": null}', "'execute' must be a string"),
    ('{"execute": ["stop"]}', "'execute' must be a string"),
    ('{"execute": ""}', 'has not been found'),
    ('{"execute": "STOP"}', 'has not been found'),
    ('{"execute": "query_status"}', 'has not been found'),
    ('{"execute": "stop", "arguments": 1}', "'arguments' must be an object"),
    ('{"execute": "stop", "arguments": []}', "'arguments' must be an object"),
    ('{"execute": "stop", "argument": {}}', "'argument' is unexpected"),
    ('{"execute": "stop", "control": {}}', "'control' is unexpected"),
    ('{"execute": "stop", "arguments": {"now": true}}', "'now' is unexpected"),
    ('{"execute": "qmp_capabilities"}', 'already complete'),
    ('device_add', {}, "'driver' is missing"),
    ('device_add', {'driver': 1}, "'driver', expected: string"),
    ('device_add', {'driver': 'nvmee'}, "'nvmee' is not a valid device"),
    ('device_add', {'driver': 'edu', 'bus': 'nobus'}, 'nobus'),
    ('device_del', {}, "'id' is missing"),
    ('device_del', {'id': 'ghost'}, "'ghost' not found"),
    ('device_del', {'id': 'x', 'force': True}, "'force' is unexpected"),
    ('object-add', {'qom-type': 'no-type', 'id': 'x'}, 'no-type'),
    ('object-add', {'id': 'x'}, "'qom-type' is missing"),
    ('object-add', {'qom-type': 'memory-backend-ram', 'id': '7'}, 'id'),
    ('object-del', {'id': 'ghost'}, 'ghost'),
    ('blockdev-add', {'node-name': 'n'}, "'driver' is missing"),
    ('blockdev-add', {'driver': 'qcow2', 'node-name': 'n'}, 'qcow2'),
    ('blockdev-add', {'driver': 'file', 'node-name': 'n',
                      'filename': '/nonexistent/x'}, '/nonexistent/x'),
    ('blockdev-del', {'node-name': 'ghost'}, 'ghost'),
    ('chardev-add', {'id': 'x', 'backend': {}}, "'backend.type' is missing"),
    ('chardev-add', {'id': 'x', 'backend': {'type': 'telepathy'}},
     'telepathy'),
    ('chardev-add', {'id': 'c', 'backend': {'type': 'null'}}, 'exists'),
    ('chardev-remove', {'id': 'ghost'}, 'ghost'),
    ('getfd', {'fdname': 'x'}, 'No file descriptor supplied'),
    ('closefd', {'fdname': 'x'}, "'x' not found"),
    ('qom-get', {'path': '/nowhere', 'property': 'x'}, "'/nowhere' not found"),
    ('qom-get', {'path': '/machine', 'property': 'x'}, "x' not found"),
    ('qom-set', {'path': '/machine', 'property': 'usb', 'value': 3}, 'usb'),
    ('qom-list-properties', {'typename': 'ghost'}, "'ghost' not found"),
    ('device-list-properties', {'typename': 'machine'}, 'non-abstract device'),
    ('query-cpu-model-expansion', {'type': 'some', 'model': {'name': 'max'}},
     "does not accept value 'some'"),
    ('query-cpu-model-expansion', {'type': 'full', 'model': {'name': 'Z80'}},
     "unknown CPU model 'Z80'"),
    ('query-cpu-model-expansion', {'type': 'full', 'model': {}},
     "'model.name' is missing"),
    ('query-command-line-options', {'option': 'nope'}, 'nope'),
    ('set_password', {'protocol': 'vnc', 'password': 'x'}, 'not in use'),
    ('set_password', {'protocol': 'rdp', 'password': 'x'}, "value 'rdp'"),
    ('balloon', {'value': 1}, 'balloon'),
    ('query-rx-filter', {'name': 'net0'}, 'net0'),
    ('human-monitor-command', {}, "'command-line' is missing"),
    ('add-fd', {}, 'No file descriptor supplied'),
    ('remove-fd', {'fdset-id': 77}, '77'),
]


class Framing(unittest.TestCase):
    def test_greeting_has_the_version(self):
        with Session('-machine', 'none') as s:
            version = s.greeting['QMP']['version']
            self.assertEqual(set(version['qemu']), {'major', 'minor', 'micro'})

    def test_only_capabilities_before_negotiation(self):
        with Session('-machine', 'none') as s:
            error = s.ask('query-status')['error']
            self.assertEqual(error['class'], 'CommandNotFound')
            self.assertIn('qmp_capabilities', error['desc'])
            s.ready()
            self.assertIn('return', s.ask('query-status'))

    def test_many_commands_on_one_line(self):
        with Session('-machine', 'none') as s:
            s.ready()
            s.raw(''.join(f'{{"execute":"query-name","id":{i}}}'
                          for i in range(500)))
            self.assertEqual([s.answer()['id'] for _ in range(500)],
                             list(range(500)))

    def test_one_command_in_many_pieces(self):
        with Session('-machine', 'none') as s:
            s.ready()
            s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            for byte in '\n\t {"execute":\r\n"query-name","id":"}{\\""} ':
                s.raw(byte)
            self.assertEqual(s.answer(), {'return': {}, 'id': '}{"'})

    def test_a_command_follows_garbage(self):
        with Session('-machine', 'none') as s:
            s.ready()
            s.raw(b'\xff\xfe\x00\x01 garbage\n{"execute":"query-name"}')
            self.assertIn('error', s.answer())
            self.assertEqual(s.answer(), {'return': {}})

    def test_deep_nesting_is_refused(self):
        with Session('-machine', 'none') as s:
            s.ready()
            s.raw('[' * 1025 + '\n')
            self.assertIn('too large', s.answer()['error']['desc'])

    def test_an_id_is_given_back_with_errors(self):
        with Session('-machine', 'none') as s:
            s.ready()
            s.raw('{"execute": "nope", "id": {"a": [1, null]}}')
            answer = s.answer()
            self.assertEqual(answer['id'], {'a': [1, None]})
            self.assertEqual(answer['error']['class'], 'CommandNotFound')


class Wrong(unittest.TestCase):
    def test_each_wrong_command_is_answered_clearly(self):
        with Session('-machine', 'none') as s:
            s.ready()
            unclear = []
            for case in WRONG:
                request = case[0] if len(case) == 2 else json.dumps(
                    {'execute': case[0], 'arguments': case[1]})
                s.raw(request)
                answer = s.answer()
                print(f'# {request.strip()}\n#     '
                      f'{answer.get("error", answer)}')
                if case[-1] not in answer.get('error', {}).get('desc', ''):
                    unclear.append((request, case[-1], answer))
            self.assertEqual(unclear, [])
            self.assertGreaterEqual(len(WRONG), 50)
            self.assertIn('return', s.ask('query-status'))


class Schema(unittest.TestCase):
    #: query-* that fail where there is nothing to tell.
    FAILING = {'query-balloon', 'query-cpu-model-expansion'}

    def load(self, s):
        entities = s.ask('query-qmp-schema')['return']
        self.schema = {}
        for e in entities:
            key = (e['meta-type'] in ('command', 'event'), e['name'])
            self.assertNotIn(key, self.schema, 'defined twice')
            self.schema[key] = e
        return entities

    def type(self, name):
        self.assertIn((False, name), self.schema, 'a type that is not there')
        return self.schema[False, name]

    def check(self, value, name, where):
        """Whether a value is of a type."""
        t = self.type(name)
        meta = t['meta-type']
        if meta == 'array':
            self.assertIsInstance(value, list, where)
            for n, element in enumerate(value):
                self.check(element, t['element-type'], f'{where}[{n}]')
        elif meta == 'enum':
            self.assertIn(value, t['values'], where)
        elif meta == 'object':
            self.assertIsInstance(value, dict, where)
            members = {m['name']: m for m in t['members']}
            self.assertEqual(set(value) - set(members), set(), where)
            for m in members.values():
                if m['name'] in value:
                    self.check(value[m['name']], m['type'],
                               f'{where}.{m["name"]}')
                else:
                    self.assertIn('default', m, f'{where}.{m["name"]}')
        else:
            python = {'string': str, 'int': int, 'boolean': bool,
                      'number': (int, float), 'value': object,
                      'null': type(None)}[t['json-type']]
            self.assertIsInstance(value, python, where)

    def test_every_type_is_there(self):
        with Session('-machine', 'none') as s:
            s.ready()
            for e in self.load(s):
                for key in ('arg-type', 'ret-type', 'element-type'):
                    if key in e:
                        self.type(e[key])
                for m in e.get('members', []) if e['meta-type'] == 'object' \
                        else []:
                    self.type(m['type'])

    def answers(self, *machine):
        with Session(*machine) as s:
            s.ready()
            asked = 0
            for e in self.load(s):
                if (e['meta-type'] != 'command'
                        or 'query-' not in e['name']):
                    continue
                answer = s.ask(e['name'])
                if 'return' in answer:
                    self.check(answer['return'], e['ret-type'], e['name'])
                    asked += 1
                elif machine[1] != 'none':
                    self.assertIn(e['name'], self.FAILING)
            self.assertGreater(asked, 30)

    def test_answers_are_of_their_types_without_a_machine(self):
        self.answers('-machine', 'none')

    @unittest.skipUnless(os.access('/dev/kvm', os.R_OK | os.W_OK),
                         'needs KVM')
    def test_answers_are_of_their_types(self):
        self.answers('-machine', 'q35', '-accel', 'kvm', '-smp', '2', '-S',
                     '-drive', 'if=none,id=d,driver=null-co,size=1M',
                     '-device', 'nvme,id=n,drive=d,serial=s')

    def test_the_reference_page_is_current(self):
        text = subprocess.run([MAIN, '-qmp', 'help'], check=True, timeout=20,
                              stdout=subprocess.PIPE).stdout.decode()
        path = os.path.join(DOCS, 'interop', 'qmp-reference.md')
        with open(path, encoding='utf-8') as file:
            self.assertEqual(text, file.read(),
                             'qemu-system-x86_64 -qmp help makes it anew')


@unittest.skipUnless(os.access('/dev/kvm', os.R_OK | os.W_OK), 'needs KVM')
class Events(unittest.TestCase):
    def test_run_state(self):
        with Session('-machine', 'q35', '-accel', 'kvm') as s:
            s.ready()
            # What a command causes is told before it is over.
            s.ask('stop')
            self.assertEqual([e['event'] for e in s.events], ['STOP'])
            self.assertIn('timestamp', s.event('STOP'))
            s.ask('cont')
            self.assertEqual([e['event'] for e in s.events], ['RESUME'])
            s.event('RESUME')
            s.ask('system_reset')
            self.assertEqual(s.event('RESET')['data'],
                             {'guest': False,
                              'reason': 'host-qmp-system-reset'})
            s.ask('system_powerdown')
            s.event('POWERDOWN')
            s.ask('quit')
            self.assertEqual(s.event('SHUTDOWN')['data'],
                             {'guest': False, 'reason': 'host-qmp-quit'})
            self.assertEqual(s.process.wait(10), 0)


@unittest.skipUnless(os.access('/dev/kvm', os.R_OK | os.W_OK), 'needs KVM')
class HumanMonitor(unittest.TestCase):
    #: A line, and what is in its answer.
    LINES = [
        ('help', 'info registers'), ('info version', 'mpqemu'),
        ('info status', 'paused'), ('info name', 'somebody'),
        ('info uuid', '00000000-'), ('info kvm', 'enabled'),
        ('info network', 'no network'), ('info qtree', 'nvme'),
        ('info qom-tree', '/peripheral'), ('info qom-tree /objects', 'pc.ram'),
        ('info qom-tree /x', 'could not be resolved'),
        ('info mtree', 'pc.ram'), ('info mtree -f', 'pc.ram'),
        ('info mtree -x', 'takes -f'), ('info chardev', 'c: filename='),
        ('info block', 'Attached to: n'), ('info cpus', 'CPU #1'),
        ('info registers', 'CPU#0'), ('info registers -a', 'CPU#1'),
        ('info pci', 'nvme'), ('info remote', 'no links'),
        ('info irq', 'messages (MSI) of this process: 0'),
        ('xp/4xb 0xfffffff0', '00000000fffffff0: 0xea'),
        ('xp /1xb 0xfffffff0', '0xea'), ('x/1xb 0xfffffff0', '0xea'),
        ('xp/z 0', 'neither a format'), ('xp zero', 'not an address'),
        ('xp/0x 0', 'from 1 to'), ('i/b 0x64', 'portb[0x0064] = 0x'),
        ('i/g 0x64', 'a port is'), ('i 0x10000', 'a port is'),
        ('o/b 0x70 0xf', ''), ('o/b 0x70', 'takes a port and a value'),
        ('device_add nosuch', 'Error: '), ('device_add', 'Error: '),
        ('device_del ghost', "'ghost' not found"),
        ('stop now', 'takes no argument'), ('frobnicate', 'unknown command'),
    ]

    def test_each_line_is_answered(self):
        with Session('-machine', 'q35', '-accel', 'kvm', '-smp', '2', '-S',
                     '-name', 'somebody', '-drive',
                     'if=none,id=d,driver=null-co,size=1M',
                     '-device', 'nvme,id=n,drive=d,serial=s') as s:
            s.ready()
            wrong = []
            for line, part in self.LINES:
                text = s.ask('human-monitor-command',
                             command_line=line).get('return', '')
                if part not in text or (not part and text):
                    wrong.append((line, part, text))
            self.assertEqual(wrong, [])


def main():
    global MAIN
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--main', required=True, help='the emulator')
    MAIN = parser.parse_args().main
    return tap.run_own()


if __name__ == '__main__':
    sys.exit(main())
