#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a test on a copy of this machine that is its own, so that tests which make
accounts, start servers or read the log can run side by side.

    own_machine.py COMMAND [ARGUMENT ...]

The copy is copylab's, with a /dev of its own (syslog's socket is in there).  The
current directory, the build, is the machine's own, so that coverage is counted.  Where
this process may not make namespaces, the command runs on the machine as it is, one
command at a time.  Exits as the command does.
"""

import fcntl
import os
import pathlib
import subprocess
import sys

import copylab

NODES = 'null', 'zero', 'full', 'random', 'urandom', 'tty', 'fuse'


def can_enter():
    return subprocess.run(['unshare', '--mount', '--net', '--uts', '--ipc', '--pid',
                           '--fork', 'true'], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def make_dev(root):
    """Terminals, shared memory and the socket of syslog belong to this copy."""
    dev = root + '/dev'
    copylab.mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', dev)
    for name in NODES:
        if os.path.exists('/dev/' + name):
            pathlib.Path(dev, name).touch()
            copylab.mount('--bind', '/dev/' + name, dev + '/' + name)
    for name, options in ('pts', 'newinstance,ptmxmode=0666,mode=620,gid=5'), \
            ('shm', 'mode=1777'):
        os.mkdir(dev + '/' + name)
        copylab.mount('-t', 'devpts' if name == 'pts' else 'tmpfs', '-o', options,
                      name, dev + '/' + name)
    for name, target in ('ptmx', 'pts/ptmx'), ('fd', '/proc/self/fd'), \
            ('stdin', 'fd/0'), ('stdout', 'fd/1'), ('stderr', 'fd/2'):
        os.symlink(target, dev + '/' + name)


def let_others_reach(root, path):
    """A checkout may be below a home that only its owner may enter (/root), and tests
    have other accounts run the programs in it.  Only the copy is changed."""
    for parent in pathlib.Path(path).parents:
        if parent != pathlib.Path('/'):
            os.chmod(root + str(parent),
                     os.stat(root + str(parent)).st_mode & 0o7777 | 0o011)


def run(command, root='/'):
    """Run it as a child, and be the parent of what it leaves behind."""
    here = os.getcwd()

    def enter_root():
        os.chroot(root)
        os.chdir(here)

    child = subprocess.Popen(command, preexec_fn=enter_root)
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def main():
    command = sys.argv[1:]
    if not command:
        sys.exit('usage: own_machine.py COMMAND [ARGUMENT ...]')
    if not os.environ.get(copylab.INSIDE) and not can_enter():
        with open('/run/lock/x2gobroker-tests', 'a') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            sys.exit(run(command))
    copylab.enter()
    del os.environ[copylab.INSIDE]
    here = os.getcwd()
    checkout = str(pathlib.Path(__file__).resolve().parent.parent.parent)
    with copylab.Copy(dev=make_dev) as copy:
        copylab.mount('--rbind', '/sys', copy.path('/sys'))
        for path in checkout, here:
            os.makedirs(copy.path(path), exist_ok=True)
            copylab.mount('--bind', path, copy.path(path))
            let_others_reach(copy.root, path)
        sys.exit(run(command, copy.root))


main()
