# SPDX-License-Identifier: GPL-2.0-or-later
"""unittest that speaks the Test Anything Protocol, version 12."""
import argparse
import sys
import unittest


class _Result(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.number = 0

    def _say(self, verdict, test, more='', text=''):
        self.number += 1
        name = test.id().removeprefix('__main__.').replace('#', '')
        out = [f'{verdict} {self.number} - {name}{more}']
        out += [f'# {line}' for line in text.rstrip().splitlines()]
        self.stream.write('\n'.join(out) + '\n')
        self.stream.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say('ok', test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._say('not ok', test, text=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self._say('not ok', test, text=self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say('ok', test, more=f' # SKIP {reason}')

    def addExpectedFailure(self, test, err):
        self.addFailure(test, err)

    def addUnexpectedSuccess(self, test):
        self.addSuccess(test)


def run(suite, stream=None):
    """Run a suite; the exit status is 0 if nothing failed."""
    stream = stream or sys.stdout
    result = _Result(stream)
    suite.run(result)
    stream.write(f'1..{result.number}\n')
    stream.flush()
    return 0 if result.wasSuccessful() else 1


def skip_all(reason):
    """Instead of a run that is not possible; the exit status."""
    print(f'1..0 # SKIP {reason}')
    return 0


def parser(doc, example='Class.test_name'):
    """The command line of what tests a program: its path, and which tests."""
    made = argparse.ArgumentParser(description=doc)
    made.add_argument('--program', required=True)
    made.add_argument('only', nargs='*', help=f'e.g. {example}')
    return made


def run_own(names=()):
    """Run what the program itself defines: those named, or all."""
    loader = unittest.defaultTestLoader
    program = sys.modules['__main__']
    return run(loader.loadTestsFromNames(names, program) if names
               else loader.loadTestsFromModule(program))
