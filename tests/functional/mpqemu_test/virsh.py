# SPDX-License-Identifier: GPL-2.0-or-later
"""Private daemons of libvirt's, and virsh.

They run in name spaces of their own (root is needed), with empty directories
where they keep their state.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from .pair import Program, end_with_parent

CONNECT = ['virsh', '-q', '-c', 'qemu:///system']
PRIVATE = ['/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt',
           '/var/cache/libvirt', '/run']

QEMU_CONF = '''
security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
remember_owner = 0
'''

LIBVIRTD_CONF = '''
auth_unix_ro = "none"
auth_unix_rw = "none"
'''

#: To be attached while a domain runs.
ADAPTER = '''
<controller type='scsi' index='{index}' model='lsilogic'>
  <address type='pci' bus='{bus}' slot='{slot}'/>
</controller>
'''
DISK = '''
<disk type='file' device='disk'>
  <driver name='qemu' type='raw'/>
  <source file='{path}'/>
  <target dev='sda' bus='scsi'/>
  <address type='drive' controller='{index}' bus='0' target='0' unit='0'/>
</disk>
'''


def virsh(*command, fails=False):
    """What virsh prints."""
    done = subprocess.run([*CONNECT, *command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, check=False)
    text = done.stdout.decode(errors='replace')
    if (done.returncode != 0) != fails:
        raise AssertionError(f'virsh {" ".join(command)}: {text}')
    return text.strip()


def start(name, *options):
    """virsh start; a failure shows the emulator's log."""
    try:
        virsh('start', name, *options)
    except AssertionError as failed:
        with open(f'/var/log/libvirt/qemu/{name}.log',
                  encoding='utf-8', errors='replace') as log:
            raise AssertionError(f'{failed}\n{log.read()}') from None


def within(limit, true):
    """Waits until true() is, for limit seconds."""
    end = time.monotonic() + limit
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Events:
    """What virsh reports of events, once it listens."""

    def __init__(self, *command):
        self.program = Program('virsh event', [
            'stdbuf', '-oL', *CONNECT, *command], stdout=subprocess.PIPE)
        os.set_blocking(self.program.process.stdout.fileno(), False)
        self.seen = ''

    def wait(self, text, limit=10):
        """Whether text has been reported."""
        def there():
            self.seen += (self.program.process.stdout.read() or b'').decode()
            return text in self.seen
        return within(limit, there)

    def listening(self, domain, limit=60):
        """Waits until it hears of a change of the domain's description."""
        def heard():
            virsh('desc', domain, '--config', 'is heard')
            return self.wait('metadata-change', 0.5)
        if not within(limit, heard):
            raise AssertionError(f'no event: {self.program.errors}')

    def end(self):
        self.program.process.kill()
        self.program.process.wait()


class Daemons:
    """libvirtd and virtlogd in the directories that are private to us.

    The emulator main is alone in libvirtd's path: it asks all that it finds
    there what they can, and others start slowly.
    """

    def __init__(self, main):
        self.path = os.path.dirname(main)
        for path in PRIVATE:
            os.makedirs(path, exist_ok=True)
            subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', path], check=True)
        for name, text in (('qemu.conf', QEMU_CONF),
                           ('libvirtd.conf', LIBVIRTD_CONF)):
            with open(f'/etc/libvirt/{name}', 'w', encoding='ascii') as file:
                file.write(text)
        for path in '/run/libvirt', '/run/lock':
            os.makedirs(path)
        # Without them the daemon does not start, also where all is root's.
        self.known('/etc/group', 'libvirt-qemu:x:64055:')
        self.known('/etc/passwd', 'libvirt-qemu:x:64055:64055::/:/bin/false')
        self.log = Program('virtlogd', [path_of('virtlogd')])
        self.start()

    @staticmethod
    def known(path, line):
        """Has line's name in the file at path, for those in here."""
        with open(path, encoding='utf-8') as file:
            text = file.read()
        if not re.search(f'(?m)^{line.partition(":")[0]}:', text):
            copy = f'/run/{os.path.basename(path)}'
            with open(copy, 'w', encoding='utf-8') as file:
                file.write(f'{text}{line}\n')
            subprocess.run(['mount', '--bind', copy, path], check=True)

    def start(self, limit=90):
        self.daemon = Program('libvirtd', [
            'env', f'PATH={self.path}', path_of('libvirtd')])

        def answers():
            return subprocess.run(
                [*CONNECT, 'version'], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=False).returncode == 0
        if not within(limit, answers):
            raise AssertionError(f'libvirtd: {self.daemon.errors}')

    def stop(self):
        self.daemon.process.send_signal(signal.SIGTERM)
        self.daemon.process.wait(60)


def path_of(name):
    """Where a program is, or None."""
    return shutil.which(name, path=os.environ.get('PATH', '')
                        + ':/usr/sbin:/sbin')


def lacking():
    """Which program is missing, or None."""
    for name in ('libvirtd', 'virtlogd', 'virsh'):
        if not path_of(name):
            return f'needs {name}'
    return None


def impossible():
    """Why it cannot run here, or None."""
    if os.geteuid() != 0:
        return 'needs root'
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'needs KVM'
    if lacking():
        return lacking()
    if subprocess.run(['unshare', '-m', '-p', '--fork', '--mount-proc',
                       'true'], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        return 'needs name spaces'
    return None


def again_in_private(arguments):
    """Runs this program once more, in name spaces of its own."""
    return subprocess.run(
        ['unshare', '-m', '-p', '--fork', '--kill-child', '--mount-proc',
         # The first process: takes leave of orphans, as init does.
         'sh', '-c', '"$@"; exit $?', 'sh', sys.executable,
         os.path.abspath(sys.argv[0]), *arguments], check=False,
        preexec_fn=end_with_parent).returncode
