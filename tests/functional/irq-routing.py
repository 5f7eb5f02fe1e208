#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts follow the guest's routes, whoever raises them.

The payload tests/guest/irq.c runs on q35 and pc with the teaching device edu
in remote processes and in the main one.  It uses both interrupt controllers
for real, so it needs KVM; 32-bit code runs on any.
"""
import argparse
import os
import re
import sys
import unittest

from mpqemu_test import lab, tap
from mpqemu_test.pair import DISTRIBUTION, Edu, Machine

GOOD = 33                       # what isa-debug-exit makes of a good end


class Settings:
    """What the command line said."""
    main = remote = DISTRIBUTION
    payload = None
    share = 1                   # of the rounds, one of so many


class Routing:
    """One guest, and the verdicts it gives."""
    machine = 'q35'
    remotes = ()                # slots of the devices of each process
    local = ()
    rounds = dict(single=400, shared=200, moves=200)
    limit = 60

    def test_every_level_is_taken_once(self):
        append = ' '.join(f'{name}={count // Settings.share}'
                          for name, count in self.rounds.items())
        if not lab.own_kvm()[0]:
            append += ' strays=1'
        machine = Machine(
            Settings.main, Settings.remote,
            [[Edu(slot) for slot in slots] for slots in self.remotes],
            [Edu(slot) for slot in self.local], machine=self.machine,
            memory=64, kernel=Settings.payload, append=append,
            extra=['-device', 'isa-debug-exit'])
        with machine:
            machine.expect(r'^@@ (done|gave-up) .*\n', self.limit)
            main, remotes = machine.wait(5)
        report = '\n' + machine.report()
        self.assertEqual(main, GOOD, report)
        self.assertEqual(remotes, [0] * len(self.remotes), report)
        found = re.findall(r'^@@ (ok|bad) (\S+) (.*?)\r?$', machine.console,
                           re.M)
        for verdict, name, numbers in found:
            print(f'# {type(self).__name__}: {name}: {numbers}', flush=True)
            self.assertEqual(verdict, 'ok', report)
        self.assertGreaterEqual(len(found), 9, report)
        count = sum(map(len, self.remotes)) + len(self.local)
        self.assertIn(f'@@ devices {count}\r', machine.console)


class Pc:
    machine = 'pc'


# On q35 slots 4 and 8 share PIRQE, 5 and 9 PIRQF, and 25 can be put anywhere;
# on pc slots 4 and 8 share one, and so on.

class OneRemoteQ35(Routing, unittest.TestCase):
    remotes = ((4,),)


class OneRemotePc(Pc, Routing, unittest.TestCase):
    remotes = ((4,),)


class ManyOfAllKindsQ35(Routing, unittest.TestCase):
    remotes = ((4,), (8,), (5, 12), (25,))
    local = (9, 16)
    rounds = dict(single=210, shared=40, moves=105)


class ManyOfAllKindsPc(Pc, ManyOfAllKindsQ35):
    pass


class LocalQ35(Routing, unittest.TestCase):
    local = (4, 8, 25)


class LocalPc(Pc, Routing, unittest.TestCase):
    local = (4, 8, 25)


class HundredThousandRounds(Routing, unittest.TestCase):
    """Half of them at the one controller, half at the other."""
    remotes = ((4,),)
    rounds = dict(single=50000, shared=0, moves=0)
    limit = 400


class HundredThousandRoundsPc(Pc, HundredThousandRounds):
    pass


class ManyLevelsOnSharedLines(Pc, Routing, unittest.TestCase):
    remotes = ((4,), (8,))
    local = (12,)
    rounds = dict(single=0, shared=2000, moves=0)
    limit = 120


ALL = (OneRemoteQ35, OneRemotePc, ManyOfAllKindsQ35, ManyOfAllKindsPc,
       LocalQ35, LocalPc, HundredThousandRounds,
       HundredThousandRoundsPc, ManyLevelsOnSharedLines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--main', default=DISTRIBUTION, metavar='BINARY')
    parser.add_argument('--remote', default=DISTRIBUTION, metavar='BINARY')
    parser.add_argument('--payload', required=True, metavar='IMAGE')
    parser.add_argument('--share', type=int, default=1, metavar='N',
                        help='run one Nth of the rounds')
    parser.add_argument('--nested', action='store_true',
                        help='run in a nested guest')
    parser.add_argument('only', nargs='*', metavar='CLASS',
                        help=', '.join(one.__name__ for one in ALL))
    args = parser.parse_args()
    Settings.main = os.path.realpath(args.main)
    Settings.remote = os.path.realpath(args.remote)
    Settings.payload = os.path.realpath(args.payload)
    Settings.share = args.share
    if args.nested:
        return lab.run([sys.executable, os.path.realpath(__file__),
                        '--main', Settings.main, '--remote', Settings.remote,
                        '--payload', Settings.payload,
                        '--share', str(args.share), *args.only])
    if lab.no_kvm():
        return tap.skip_all(lab.no_kvm())
    loader = unittest.defaultTestLoader
    return tap.run(unittest.TestSuite(
        loader.loadTestsFromTestCase(one) for one in ALL
        if not args.only or one.__name__ in args.only))


if __name__ == '__main__':
    sys.exit(main())
