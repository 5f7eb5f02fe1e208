# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the machine protocol (QMP) over a UNIX socket."""
import json
import socket
import time


class Refused(Exception):
    """The other side's error, by its description."""


class Qmp:
    """Connects to path, waiting up to limit seconds until it is there."""

    def __init__(self, path, limit=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit)
        end = time.monotonic() + limit
        while True:
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.lines = self.socket.makefile('r', encoding='utf-8')
        self.greeting = json.loads(self.lines.readline())
        self.events = []
        self.execute('qmp_capabilities')

    def execute(self, command, /, fds=(), **arguments):
        """What the command returns; events that pass by are kept.

        Descriptors fds are sent with it.
        """
        message = {'execute': command}
        if arguments:
            message['arguments'] = arguments
        line = json.dumps(message).encode() + b'\n'
        sent = socket.send_fds(self.socket, [line], fds) if fds else 0
        self.socket.sendall(line[sent:])
        for line in self.lines:
            answer = json.loads(line)
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise Refused(answer['error']['desc'])
            self.events.append(answer)
        raise ConnectionError(f'connection closed during {command}')

    def event(self, name, limit, good=lambda data: True):
        """Waits for an event, and takes it and those before it away."""
        before = self.socket.gettimeout()
        self.socket.settimeout(limit)
        try:
            while True:
                while self.events:
                    event = self.events.pop(0)
                    if event['event'] == name and good(event.get('data', {})):
                        return event
                self.events.append(json.loads(self.lines.readline()))
        finally:
            self.socket.settimeout(before)

    def monitor(self, line):
        """What the human monitor prints for a line."""
        return self.execute('human-monitor-command',
                            **{'command-line': line})

    def close(self):
        self.lines.close()
        self.socket.close()
