# SPDX-License-Identifier: GPL-2.0-or-later
"""A fresh Debian system in a directory, from the mirror that apt uses here, to
install packages into.

Commands in it have namespaces of their own for mounts and processes.  So nothing
has to be unmounted, what a package starts ends with the command, and a mistake in
here does not reach the machine's /dev.  The network is the machine's: no package
may start a service.
"""

import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import lab

PACKAGES = {'mmdebstrap': 'mmdebstrap', 'unshare': 'util-linux'}
TARGETS = ['apt-get', 'indextargets', 'Created-By: Packages', 'Origin: Debian',
           '--format']
# The root is a mount point, as tests in there make it private.  A new instance of devpts,
# whose ptmx is for all: sshd's terminals are in there.
ENTER = ('mount --bind "$0" "$0" && cd / && '
         'mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" && '
         'if [ -e /dev/fuse ]; then >"$0/dev/fuse"; '
         'mount --bind /dev/fuse "$0/dev/fuse"; fi && '
         'mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 '
         'devpts "$0/dev/pts" && mount --bind "$0/dev/pts/ptmx" "$0/dev/ptmx" && '
         'exec chroot "$0" "$@"')
# What dpkg, apt and the log make of any package, what a login makes, backups of the
# list of accounts, and what belongs to people.
NOT_COMPARED = ('debs', 'dev', 'home', 'proc', 'root', 'run/motd.dynamic', 'sys', 'tmp', 'var/cache',
                'var/lib/apt', 'var/lib/dpkg', 'var/log', 'etc/.pwd.lock',
                'etc/group-', 'etc/gshadow-', 'etc/passwd-', 'etc/shadow-',
                'etc/subgid-', 'etc/subuid-', 'etc/ld.so.cache')


def this_release():
    for line in pathlib.Path('/etc/os-release').read_text().splitlines():
        if line.startswith('VERSION_CODENAME='):
            return line.partition('=')[2]
    raise RuntimeError('/etc/os-release has no VERSION_CODENAME')


def mirrors():
    """{release: lines of sources.list}, as this machine has them."""
    text = subprocess.run(TARGETS + ['$(CODENAME) deb $(SITE) $(RELEASE) $(COMPONENT)'],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {}
    for line in text.splitlines():
        codename, _, source = line.partition(' ')
        found.setdefault(codename, []).append(source)
    return found


class Root:
    """The system.  It is begun to be made at the start of the with block, and there
    after wait(): there is something else to do in the meantime."""

    def __init__(self, release=None):
        """release is the one of this machine, unless another one is named."""
        self.release = release or this_release()

    def __enter__(self):
        self.sources = mirrors()
        if self.release != this_release():
            site = self.sources[this_release()][0].split()[1]
            self.sources = {self.release: ['deb %s %s main' % (site, self.release)]}
        # /tmp may be too small, or not for devices and setuid files
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-root.', dir='/var/tmp')
        os.chmod(self.dir, 0o755)
        self.log = tempfile.TemporaryFile('w+')
        # proxies, and what the mirror needs
        dump = subprocess.run(['apt-config', 'dump'], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        options = ['--aptopt=' + line.rstrip(';') for line in dump.splitlines()
                   if line.startswith(('Acquire::http', 'Acquire::Check-'))]
        # Unlike debootstrap(8), it has dpkg unpack and configure all packages at once.
        self.bootstrap = subprocess.Popen(
            ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
             'mmdebstrap', '--mode=root', '--variant=minbase', '--format=directory',
             '--dpkgopt=force-unsafe-io', '--skip=cleanup/apt/lists', *options,
             self.release, self.dir,
             *[line for lines in self.sources.values() for line in lines]],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            env=self._env())
        return self

    def wait(self):
        if self.bootstrap.wait() != 0:
            self.log.seek(0)
            raise RuntimeError('mmdebstrap: ' + self.log.read()[-2000:])
        self.write('usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
        for name in 'etc/hosts', 'etc/resolv.conf':
            shutil.copy('/' + name, self.path(name))

    @staticmethod
    def _env():
        kept = {name: value for name, value in os.environ.items()
                if name.lower().endswith('_proxy')}
        return {**kept, 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8',
                'DEBIAN_FRONTEND': 'noninteractive', 'HOME': '/root'}

    def path(self, name):
        return os.path.join(self.dir, name.lstrip('/'))

    def write(self, name, text, mode=0o644):
        file = pathlib.Path(self.path(name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def read(self, name):
        return pathlib.Path(self.path(name)).read_text()

    def popen(self, *command, **more):
        return subprocess.Popen(
            ['unshare', '--mount', '--pid', '--fork', '--kill-child',
             'sh', '-c', ENTER, self.dir, *command], env=self._env(), cwd='/', **more)

    def ask(self, *command, input='', timeout=300):
        """Run a command in there: (exit status, what it said on both)."""
        process = self.popen(*command, stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, _ = process.communicate(input, timeout=timeout)
        except BaseException:
            process.kill()          # and all that it has started in there
            process.wait()
            raise
        return process.returncode, said

    def run(self, *command, **more):
        """The same, for commands that must not fail: what it said."""
        status, said = self.ask(*command, **more)
        if status != 0:
            raise RuntimeError('%s: status %d: %s' % (' '.join(command), status, said))
        return said

    def stat(self, name):
        """'MODE USER GROUP' of a file, as names in there."""
        return self.run('stat', '-c', '%a %U %G', '/' + name.lstrip('/')).strip()

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def snapshot(self):
        """{path: what it is} of everything that a package could leave behind."""
        found = {}
        for top, dirs, files in os.walk(self.dir):
            below = os.path.relpath(top, self.dir)
            names = {name: os.path.normpath(os.path.join(below, name))
                     for name in dirs + files}
            dirs[:] = [name for name in dirs if names[name] not in NOT_COMPARED]
            for name in dirs + files:
                if names[name] not in NOT_COMPARED:
                    found['/' + names[name]] = self._describe(names[name])
        return found

    def _describe(self, name):
        entry = os.lstat(self.path(name))
        what = (stat.filemode(entry.st_mode), entry.st_uid, entry.st_gid)
        if name.startswith('etc/') and stat.S_ISREG(entry.st_mode):
            content = pathlib.Path(self.path(name)).read_bytes()
            what += (hashlib.sha256(content).hexdigest(),)
        return what

    def __exit__(self, *_):
        if self.bootstrap.poll() is None:
            lab.end_family(self.bootstrap)
        self.log.close()
        if os.path.ismount(self.path('dev')) or os.path.ismount(self.path('proc')):
            raise RuntimeError(self.dir + ' has mounts, and stays')
        shutil.rmtree(self.dir)
