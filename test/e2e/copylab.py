# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of this machine that can be thrown away: its files are those of the machine
until somebody writes to them, it has a network of its own that leads nowhere, and
its processes end with the test.

    copylab.enter()                 # this process goes on in namespaces of its own
    with copylab.Copy() as copy:
        copy.run('useradd --system x2gobroker')

Needs root, unshare(1) and overlayfs.
"""

import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

INSIDE = 'X2GOBROKER_COPYLAB_INSIDE'
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


def enter():
    """Start this program once more, with mounts, network, name and processes of its
    own, and be that one."""
    if os.environ.get(INSIDE):
        return
    os.environ[INSIDE] = 'yes'
    os.execvp('unshare', ['unshare', '--mount', '--net', '--uts', '--ipc', '--pid', '--fork',
                          '--mount-proc', '--kill-child', '--propagation', 'private',
                          sys.executable, *sys.argv])


def loopback_up():
    """In the network of this process, which enter() has made."""
    with socket.socket() as any_socket:
        request = struct.pack('16sh14x', b'lo', 1)      # IFF_UP
        fcntl.ioctl(any_socket, 0x8914, request)        # SIOCSIFFLAGS


def mount(*words):
    subprocess.run(['mount', *words], check=True)


def _machines_dev(root):
    mount('--rbind', '/dev', root + '/dev')


class Copy:
    def __init__(self, dev=_machines_dev):
        """dev(root) makes /dev below root; the machine's own, if nothing is said."""
        self.make_dev = dev

    def __enter__(self):
        # All that is mounted goes away with the namespace, so the directory is empty
        # for those outside.
        self.top = tempfile.mkdtemp(prefix='x2gobroker-copy.')
        mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', self.top)
        upper, work, self.root = (os.path.join(self.top, name)
                                  for name in ('upper', 'work', 'root'))
        for path in upper, work, self.root:
            os.mkdir(path, 0o755)
        mount('-t', 'overlay', '-o', 'lowerdir=/,upperdir=%s,workdir=%s' %
               (upper, work), 'overlay', self.root)
        mount('-t', 'proc', 'proc', self.path('/proc'))
        self.make_dev(self.root)
        mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', self.path('/run'))
        mount('-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', self.path('/tmp'))
        loopback_up()
        return self

    def path(self, name):
        """Of a file of the copy, for this process."""
        return self.root + name

    def read(self, name):
        return pathlib.Path(self.path(name)).read_text(errors='replace')

    def write(self, name, text, mode=0o644):
        file = pathlib.Path(self.path(name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return name

    def run(self, script, timeout=60):
        """Have bash run it, in /root.  Standard output and error come together, as on a
        terminal."""
        return subprocess.run(
            ['chroot', self.root, 'bash', '-c', 'cd; ' + script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors='replace', timeout=timeout,
            env={'PATH': PATH, 'HOME': '/root', 'LC_ALL': 'C.UTF-8'})

    def start(self, *words):
        """Something that stays until the test ends."""
        return subprocess.Popen(['chroot', self.root, *words], env={'PATH': PATH},
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def __exit__(self, *_):
        # not the files below, which may still be in use: the mount is this
        # namespace's alone, and ends with it
        subprocess.run(['umount', '-R', '-l', self.top], check=False)
        os.rmdir(self.top)
