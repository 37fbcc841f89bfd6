# SPDX-License-Identifier: GPL-2.0-or-later
"""A small laboratory for end-to-end tests: a private sshd, throw-away local
accounts, keys, and TAP output.  All of it needs root, and cleans up after
itself, also when a test fails or is told to stop.

    with lab.Tap() as tap, lab.Account() as user, lab.Sshd() as sshd:
        key = lab.keypair(sshd.dir)
        sshd.authorize(user.name, key + '.pub', 'restrict,command="id -un"')
        tap.equal(sshd.ssh(user.name, key).stdout, user.name.encode() + b'\\n',
                  'the forced command runs as the account')
"""

import contextlib
import ctypes
import functools
import itertools
import os
import pathlib
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

SSHD = '/usr/sbin/sshd'             # it insists on an absolute path

# Whoever starts a test may have another idea of these two.
os.environ['PATH'] = '/usr/sbin:/usr/bin:/sbin:/bin'
os.umask(0o022)


def wait_for(condition, timeout, what='something', every=0.1):
    """Poll until condition() is true and return its value; else TimeoutError."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError('waited %g s for %s' % (timeout, what))
        time.sleep(every)


given = sys.argv[1:]            # the build, or programs, that this test is about


@functools.cache
def sshd_knows(option):
    """Whether the sshd of this machine has that option of sshd_config(5)."""
    said = subprocess.run([SSHD, '-T', '-f', '/dev/null', '-o', option],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False).stderr
    return 'Bad configuration option' not in said


@functools.cache
def helper_dir():
    """Where x2gobroker-poll was built: in the build, or beside the programs."""
    for arg in given:
        path = pathlib.Path(arg).resolve()
        for folder in path / 'cmd', path.parents[1] if len(path.parents) > 1 else path:
            if (folder / 'x2gobroker-poll/x2gobroker-poll').exists():
                return str(folder / 'x2gobroker-poll')
    return '/usr/lib/x2go'


def has_python_broker():
    """Whether this release has the Python broker's packages.  Debian 12 is the last."""
    return 'VERSION_CODENAME=bookworm\n' in pathlib.Path('/etc/os-release').read_text()


def no_penalties():
    """The line that keeps sshd from refusing an address that tests knock from all the
    time, as OpenSSH 9.8 and later do."""
    line = 'PerSourcePenalties no'
    return line + '\n' if sshd_knows(line) else ''


# Starting programs as another account

# Numbers of setresuid(2), setresgid(2) and setgroups(2).  libc's functions change the ids
# of all threads of a process, the system calls those of the caller.
ID_CALLS = {'x86_64': (117, 119, 116), 'aarch64': (147, 149, 159)}
_libc = ctypes.CDLL(None, use_errno=True)


def _set_ids(uid, gid, groups):
    """Of this thread.  Its saved ids stay root's; those of a program that it starts do
    not, as execve(2) overwrites them."""
    setresuid, setresgid, setgroups = ID_CALLS[platform.machine()]
    for call in ((setresuid, 0, 0, 0),
                 (setgroups, len(groups), (ctypes.c_uint * len(groups))(*groups)),
                 (setresgid, gid, gid, 0), (setresuid, uid, uid, 0)):
        if _libc.syscall(*call) == -1:
            raise OSError(ctypes.get_errno(), 'cannot become %d:%d' % (uid, gid))


class _Popen(subprocess.Popen):
    """Where it has to change ids, Python's Popen calls fork(2), which copies the test's
    page tables and takes more time than most programs that tests start.  This one
    changes the ids of its thread meanwhile, so that Popen calls vfork(2)."""

    def __init__(self, args, *, user=None, group=None, extra_groups=None, **more):
        ids = {'user': user, 'group': group, 'extra_groups': extra_groups}
        if None in ids.values() or more.get('preexec_fn') or os.geteuid() != 0 or \
                platform.machine() not in ID_CALLS:
            super().__init__(args, **ids, **more)
            return
        before = os.getgroups()
        try:
            _set_ids(user, group, extra_groups)
            super().__init__(args, **more)
        except PermissionError:             # cwd may be one that only root may enter
            _set_ids(0, 0, before)
            vars(self).clear()
            super().__init__(args, **ids, **more)
        finally:
            _set_ids(0, 0, before)


subprocess.Popen = _Popen               # subprocess.run() uses it, too


# Processes.  They are found in /proc and ended by their number, never by name:
# the machine may run an sshd or an X2Go session of its own.

def _status(pid):
    """(parent, real uid) of a living process, or None."""
    fields = {}
    try:
        for line in pathlib.Path('/proc/%d/status' % pid).read_text().split('\n'):
            key, _, value = line.partition(':')
            fields[key] = value.split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields['State'][0] == 'Z':
        return None
    return int(fields['PPid'][0]), int(fields['Uid'][0])


def _is_here(pid):
    """Whether its namespace of processes is ours."""
    with contextlib.suppress(OSError):
        return os.readlink('/proc/%d/ns/pid' % pid) == os.readlink('/proc/self/ns/pid')
    return False


CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000        # of unshare(2)


def own_mounts(more=0):
    """From now on, what we mount is there for us and our children only.  more: what else
    is to be our own."""
    if _libc.unshare(CLONE_NEWNS | more) == -1:
        raise OSError(ctypes.get_errno(), 'no mount namespace; it needs a root who has '
                      'all capabilities')
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)


def processes():
    """{pid: (parent, real uid)} of everything that lives."""
    found = {int(p): _status(int(p)) for p in os.listdir('/proc') if p.isdigit()}
    return {pid: status for pid, status in found.items() if status}


def descendants(pid):
    """pid and everything below it."""
    parents = {child: status[0] for child, status in processes().items()}
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def end(find, patience=5):
    """End the processes whose numbers find() returns, politely at first.  find
    is asked again and again, as those that end may have had children."""
    start = time.monotonic()
    while pids := find():
        late = time.monotonic() - start
        if late > patience + 60:            # a busy machine takes its time to kill
            raise TimeoutError('these processes do not end: %s' % pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late > patience else signal.SIGTERM)
        time.sleep(0.1)


def end_family(process, patience=5):
    """End a subprocess.Popen with everything that it started below itself."""
    family = descendants(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    end(lambda: [pid for pid in family if _status(pid)], patience)
    process.wait()


# Keys and accounts

def keypair(directory, type='ed25519', name=None):
    """Make a key pair and return the path of the private half; the public one
    ends in .pub.  RSA comes as PKCS#1, which every X2Go client can read."""
    path = os.path.join(directory, name or 'id_' + type)
    form = ['-b', '2048', '-m', 'PEM'] if type == 'rsa' else []
    subprocess.run(['ssh-keygen', '-q', '-t', type, *form, '-N', '', '-C', 'test',
                    '-f', path], check=True, stdin=subprocess.DEVNULL)
    return path


class Account:
    """A local account that lives as long as the with block."""

    count = itertools.count(1)

    def __init__(self, prefix='x2gotest', shell='/bin/bash', groups=()):
        self.name = '%s%dn%d' % (prefix, os.getpid(), next(self.count))
        self.shell = shell
        self.groups = groups

    def __enter__(self):
        # "*" is no password; "!", useradd's default, would be a locked account,
        # which sshd refuses without PAM.
        extra = ['-G', ','.join(self.groups)] if self.groups else []
        subprocess.run(['useradd', '-m', '-s', self.shell, '-p', '*', '-c', '',
                        *extra, self.name], check=True)
        entry = pwd.getpwnam(self.name)
        self.uid, self.gid, self.home = entry.pw_uid, entry.pw_gid, entry.pw_dir
        return self

    def processes(self):
        """Not those in other copies of this machine, where accounts of other tests have
        the same number."""
        return [pid for pid, status in processes().items()
                if status[1] == self.uid and _is_here(pid)]

    def put(self, path, text, mode=0o600):
        """Write a file below the home directory, as its owner's."""
        file = pathlib.Path(self.home, path)
        if not file.parent.exists():
            file.parent.mkdir(mode=0o700)
            os.chown(file.parent, self.uid, self.gid)
        file.touch(mode)
        file.write_text(text)
        os.chown(file, self.uid, self.gid)
        return str(file)

    def __exit__(self, *_):
        # It grumbles about a mail spool that never was; so its words are kept
        # for the case that it fails.
        done = wait_for(self._userdel, 10, self.name + ' to be deleted')
        if done.returncode not in (0, 12):      # 12: gone but for the home
            raise RuntimeError('userdel %s: %s' % (self.name, done.stdout))
        shutil.rmtree(self.home, ignore_errors=True)
        for directory in {'/tmp', tempfile.gettempdir()}:
            self._sweep(directory)

    def _userdel(self):
        """None: again.  A process that has ended and that nobody has asked for its
        status yet counts as one that uses the account."""
        # X2Go's helpers ignore the polite signal, so don't wait long for it.
        end(self.processes, patience=2)
        done = subprocess.run(['userdel', '-r', self.name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return None if done.returncode == 8 else done

    def _sweep(self, directory):
        """Nothing stays that a later account with this uid would inherit."""
        for entry in os.scandir(directory):
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_uid != self.uid:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


class Group:
    """A local group that lives as long as the with block."""

    count = itertools.count(1)

    def __init__(self, prefix='x2gotest'):
        self.name = '%s%dg%d' % (prefix, os.getpid(), next(self.count))

    def __enter__(self):
        subprocess.run(['groupadd', self.name], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(['groupdel', self.name], check=True)


# sshd

class Sshd:
    """A private sshd on a loopback port.  Its directory (attribute dir) holds
    its keys, its log (attribute log, a path) and whatever a test puts there."""

    def __init__(self, extra='', pam=False):
        self.extra = extra      # further lines, Match blocks for example
        self.pam = pam
        self.process = None

    def __enter__(self):
        # sshd looks for its privilege separation directory at this fixed place.
        os.makedirs('/run/sshd', mode=0o755, exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-sshd.')
        try:
            self._prepare()
            # Nobody can reserve a port for sshd: when another was faster, again.
            for _ in range(5):
                if self._start():
                    return self
            raise RuntimeError('no sshd: ' + self.log_tail())
        except BaseException:
            self.__exit__()
            raise

    def _prepare(self):
        os.chmod(self.dir, 0o755)               # accounts read their keys/%u
        os.mkdir(self.path('keys'))
        self.log = self.path('sshd.log')
        self.hostkey = keypair(self.dir, name='hostkey')

    def _start(self):
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.known_hosts = self.path('known_hosts')
        host = pathlib.Path(self.hostkey + '.pub').read_text()
        self.write('known_hosts', '[127.0.0.1]:%d %s' % (self.port, host))
        self.write('sshd_config', self._config())
        self.process = subprocess.Popen(
            [SSHD, '-D', '-f', self.path('sshd_config'), '-E', self.log],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(lambda: 'Server listening' in self.log_tail()
                 or self.process.poll() is not None, 10, 'sshd to listen')
        return self.process.poll() is None

    def _config(self):
        # StrictModes would object to /tmp above us, which all may write to.
        # MaxStartups: by default sshd drops connections at random from the tenth
        # on, and tests may open many at once.
        return '''\
Port %d
ListenAddress 127.0.0.1
HostKey %s
AuthorizedKeysFile %s/keys/%%u
AuthenticationMethods publickey
StrictModes no
UsePAM %s
PidFile none
PrintMotd no
PrintLastLog no
MaxStartups 500
MaxSessions 100
LogLevel VERBOSE
%s%s
''' % (self.port, self.hostkey, self.dir, 'yes' if self.pam else 'no', no_penalties(),
       self.extra)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        """A file in sshd's directory: root's, and read by all."""
        file = pathlib.Path(self.path(name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return str(file)

    def authorize(self, account, pubkey, options=''):
        """Append a key line; pubkey is the path of the public key."""
        line = ' '.join(filter(None, [options, pathlib.Path(pubkey).read_text()]))
        with open(self.path('keys/' + account), 'a') as file:
            file.write(line.rstrip('\n') + '\n')

    def ssh_command(self, account, identity, command=None, tty=False, options=()):
        """The words that start the OpenSSH client.  command reaches the server byte
        for byte."""
        args = ['ssh', '-F', 'none', '-tt' if tty else '-T', '-l', account,
                '-p', str(self.port), '-i', identity]
        # The key exchange of the clients' libssh; that of OpenSSH takes longer than
        # all the rest of a login.
        for option in ('BatchMode=yes', 'IdentitiesOnly=yes', 'IdentityAgent=none',
                       'KexAlgorithms=curve25519-sha256',
                       'StrictHostKeyChecking=yes', 'LogLevel=ERROR',
                       'UserKnownHostsFile=' + self.known_hosts, *options):
            args += ['-o', option]
        # With "--" before the host, ssh looks for no options in the command.
        return args + ['--', '127.0.0.1'] + ([] if command is None else [command])

    def ssh(self, account, identity, command=None, tty=False, timeout=20, input=None,
            options=()):
        """Run the OpenSSH client.  Returns a CompletedProcess with bytes;
        TimeoutExpired when it hangs."""
        args = self.ssh_command(account, identity, command, tty, options)
        stdin = {'stdin': subprocess.DEVNULL} if input is None else {'input': input}
        return subprocess.run(args, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **stdin)

    def log_tail(self, lines=40):
        try:
            text = pathlib.Path(self.log).read_text(errors='replace')
        except FileNotFoundError:
            return ''
        return '\n'.join(text.splitlines()[-lines:])

    def __exit__(self, *_):
        try:
            if self.process:
                end_family(self.process)        # connections are its children
        finally:
            shutil.rmtree(self.dir)


# TAP

class Tap:
    """TAP output.  At the end of the with block come the plan and the exit
    status; an exception in it counts as a failure."""

    def __init__(self):
        self.count = self.failed = 0

    def __enter__(self):
        # So that being told to stop runs the __exit__ of everything, too.
        signal.signal(signal.SIGTERM, self._stop)
        return self

    @staticmethod
    def _stop(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit('told to stop')

    def ok(self, passed, name, *diagnostics):
        """One line of the test; diagnostics are printed only for a failure."""
        self.count += 1
        print('%s %d - %s' % ('ok' if passed else 'not ok', self.count,
                              name.replace('#', '\\#')), flush=True)
        if not passed:
            self.failed += 1
            self.note(*diagnostics)
        return bool(passed)

    def equal(self, got, expected, name, *diagnostics):
        return self.ok(got == expected, name, 'got      %r' % (got,),
                       'expected %r' % (expected,), *diagnostics)

    def note(self, *texts):
        for text in texts:
            if isinstance(text, bytes):
                text = text.decode(errors='backslashreplace')
            for line in str(text).splitlines():
                print('# ' + line, flush=True)

    @contextlib.contextmanager
    def case(self, name, *more):
        """A block that passes when it raises nothing.  more: functions that are
        called for what they know when it fails."""
        try:
            yield
        except Exception:
            self.ok(False, name, traceback.format_exc(), *[tell() for tell in more])
        else:
            self.ok(True, name)

    def absent(self, name):
        """True on releases without the Python broker, for what compares with it.  It is
        counted on its own (test/count.py)."""
        if has_python_broker():
            return False
        self.count += 1
        print('ok %d - %s # SKIP not in this release' % (self.count, name), flush=True)
        return True

    def need(self, **packages):
        """Check that programs exist: need(xwininfo='x11-utils').  Nothing is
        skipped: what is missing is a failure that says what to install."""
        missing = {package for program, package in packages.items()
                   if not shutil.which(program)}
        root = self.ok(os.geteuid() == 0, 'root runs the test',
                       'it makes accounts, and starts sshd')
        return self.ok(not missing, 'all that it needs is installed',
                       'please run: apt-get install ' + ' '.join(sorted(missing))) \
            and root

    def __exit__(self, kind, value, trace):
        if kind and issubclass(kind, Exception):
            self.ok(False, 'the test runs to its end',
                    ''.join(traceback.format_exception(kind, value, trace)))
        elif kind:
            self.ok(False, 'the test runs to its end', repr(value))
        print('1..%d' % self.count, flush=True)
        sys.exit(1 if self.failed else 0)
