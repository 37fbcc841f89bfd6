#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever starts the broker, and however: it answers, with nothing but what it was
given to answer with.  And what a setuid copy keeps from those who start it.

usage: test_process.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)

What has a fixed place on a host, such as /etc/x2go and /dev/log, is replaced for this
test alone, in a mount namespace of its own.
"""

import contextlib
import ctypes
import fcntl
import itertools
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import brokerlab
import lab
from brokerlab import DENIED, LIST, framed, wrap

libc = ctypes.CDLL(None, use_errno=True)

PROFILES = '''\
[desk]
name = Desk
host = desk.example

[desk of USER]
name = My own desk
host = own.example
acl-users-allow = USER

[desk of OTHER]
name = Not my desk
host = other.example
acl-users-allow = OTHER

[not for a group]
name = For a lookup of groups
host = group.example
acl-groups-deny = root
acl-groups-order = allow-deny
acl-groups-allow = ALL

[near]
name = For some addresses
host = near.example
acl-clients-allow = 192.0.2.0/24
'''

CONF = '''\
[global]
broker-account = {account}
profiles-dir = {dir}/profiles.d
log-file = {log}
account-check = never
{more}
[broker_inifile]
session-profiles = {dir}/profiles.conf
'''

# What ld.so puts into a process that is not setuid: it looks at the process as it is
# when the log is opened, before any file is read.
OBSERVER = r'''
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

extern char **environ;

static void
print_signals(FILE *fp)
{
    struct sigaction action;
    sigset_t blocked;
    int sig;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (sig = 1; sig < NSIG; sig++) {
        if (sigismember(&blocked, sig) == 1)
            fprintf(fp, "blocked %d\n", sig);
        /* real-time ones mean nothing to us, and stay as they are */
        if (sig > 31 || sigaction(sig, NULL, &action) == -1)
            continue;
        if (action.sa_handler == SIG_IGN)
            fprintf(fp, "ignored %d\n", sig);
        else if (action.sa_handler != SIG_DFL)
            fprintf(fp, "handled %d\n", sig);
    }
}

static void
print_limits(FILE *fp)
{
    struct rlimit limit;
    struct itimerval timer;
    int i;

    for (i = 0; i < RLIM_NLIMITS; i++) {
        getrlimit(i, &limit);
        fprintf(fp, "limit%d %lld %lld\n", i, (long long)limit.rlim_cur,
            (long long)limit.rlim_max);
    }
    for (i = 0; i <= ITIMER_PROF; i++) {
        getitimer(i, &timer);
        fprintf(fp, "timer%d %ld %d\n", i, (long)timer.it_value.tv_sec +
            (timer.it_value.tv_usec > 0), timer.it_interval.tv_sec != 0);
    }
}

void
openlog(const char *name, int option, int facility)
{
    static int done;
    char fds[5000], cwd[1000], **p;
    FILE *fp;
    int i;

    if (done++)
        return;
    for (i = 0; i < 5000; i++)
        fds[i] = fcntl(i, F_GETFD) != -1;
    fp = fopen(OUT, "w");
    for (i = 0; i < 5000; i++)
        if (fds[i])
            fprintf(fp, "fd %d\n", i);
    for (p = environ; *p != NULL; p++)
        fprintf(fp, "environment %s\n", *p);
    fprintf(fp, "cwd %s\n", getcwd(cwd, sizeof(cwd)));
    fprintf(fp, "umask %o\n", umask(0));
    fprintf(fp, "dumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    print_signals(fp);
    print_limits(fp);
    fclose(fp);
}
'''

# A lookup that never ends, and an alarm(2) for which a second is a hundredth.
HANG = r'''
#include <sys/time.h>
#include <pwd.h>
#include <unistd.h>

struct passwd *
getpwnam(const char *name)
{
    for (;;)
        pause();
}

unsigned int
alarm(unsigned int seconds)
{
    const struct itimerval timer = {
        .it_value = { seconds / 100, seconds % 100 * 10000 },
    };

    setitimer(ITIMER_REAL, &timer, (void *)0);
    return 0;
}
'''

# A library that leaves a trace where it is loaded.
EVIL = r'''
#include <fcntl.h>

__attribute__((constructor)) static void
leave_trace(void)
{
    open(CANARY, O_WRONLY | O_CREAT, 0600);
}
'''


def run(*command):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def compile_library(path, source, **defines):
    subprocess.run(['gcc', '-shared', '-fPIC', '-x', 'c', '-o', path, '-',
                    *('-D%s="%s"' % pair for pair in defines.items())],
                   input=source, text=True, check=True)
    return path


# The host that the broker sees

class Host:
    """/etc/x2go, /dev/log and the libraries of a host of our own."""

    def __init__(self, program, stack):
        lab.own_mounts()
        # Of its own, as /tmp may be mounted nosuid.
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-host.')
        stack.callback(os.rmdir, self.dir)
        run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', self.dir)
        stack.callback(run, 'umount', '-l', self.dir)
        for name in 'bin', 'lib', 'etc', 'dev', 'profiles.d':
            os.mkdir(self.path(name))
        self._make_etc(program, stack)
        self._make_dev(stack)
        self._make_libraries(program)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, owner=None, mode=0o644):
        file = pathlib.Path(self.path(name))
        file.write_text(text)
        if owner:
            os.chown(file, owner.uid, owner.gid)
        file.chmod(mode)
        return str(file)

    def _make_etc(self, program, stack):
        """Where the program looks if nobody tells it another place."""
        etc = re.search(r'instead of (\S+)/x2gobroker\.conf',
                        run(program, '--help')).group(1)
        if not os.path.isdir(etc):
            os.makedirs(etc)
            stack.callback(os.rmdir, etc)
        run('mount', '--bind', self.path('etc'), etc)
        stack.callback(run, 'umount', '-l', etc)

    def _make_dev(self, stack):
        for name in 'null', 'zero', 'full', 'random', 'urandom', 'tty':
            pathlib.Path(self.path('dev/' + name)).touch()
            run('mount', '--bind', '/dev/' + name, self.path('dev/' + name))
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(self.path('dev/log'))
        os.chmod(self.path('dev/log'), 0o666)
        self.syslog.setblocking(False)
        # Nobody reads it any more then, and userdel(8) would wait for ever.
        stack.callback(self.syslog.close)
        run('mount', '--rbind', self.path('dev'), '/dev')

    def _make_libraries(self, program):
        """A setuid program listens neither to LD_LIBRARY_PATH nor to a RUNPATH with
        $ORIGIN in it, but to the system's cache."""
        for path in re.findall(r'libx2gobroker\S+ => (\S+)', run('ldd', program)):
            shutil.copy(path, self.path('lib'))
        conf = self.write('ld.so.conf', '%s\ninclude /etc/ld.so.conf\n' %
                          self.path('lib'))
        run('ldconfig', '-X', '-f', conf, '-C', self.path('cache'))
        run('mount', '--bind', self.path('cache'), '/etc/ld.so.cache')

    def copy(self, program, name, owner=None, mode=0o755):
        path = self.path('bin/' + name)
        shutil.copy(program, path)
        if owner:
            os.chown(path, owner.uid, 0)
        os.chmod(path, mode)                    # last: chown(2) drops setuid
        return path

    def logged(self):
        """What came to syslog since the last call."""
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(self.syslog.recv(65536))
        return b'\n'.join(lines)


class World:
    def __init__(self, tap, program, stack):
        self.tap = tap
        self.shared, self.user, self.other = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(3))
        self.host = Host(program, stack)
        self.plain = self.host.copy(program, 'plain')
        self.setuid = self.host.copy(program, 'setuid', self.shared, 0o4755)
        # Only the broker account may read the profiles, or write the log.
        self.named = re.sub(r'\bUSER\b', self.user.name,
                            re.sub(r'\bOTHER\b', self.other.name, PROFILES))
        self.host.write('profiles.conf', self.named, self.shared, 0o600)
        self.log_file = self.host.write('log', '', self.shared, 0o600)
        self.configure()
        # For what a broker without privilege, or a caller, writes.
        self.scratch = self.host.path('scratch')
        os.mkdir(self.scratch)
        os.chmod(self.scratch, 0o1777)
        self.canary = self.scratch + '/canary'
        self.evil = compile_library(self.host.path('evil.so'), EVIL,
                                    CANARY=self.canary)
        self.pin = ['--user', self.user.name]
        self.expected = self.ask(self.forced()).stdout

    def configure(self, more='', log=None):
        text = CONF.format(account=self.shared.name, dir=self.host.dir, more=more,
                           log=self.log_file if log is None else log)
        return self.host.write('etc/x2gobroker.conf', text, self.shared, 0o600)

    def log(self):
        """What came into the log file; it is empty then."""
        text = pathlib.Path(self.log_file).read_bytes()
        os.truncate(self.log_file, 0)
        return text

    def forced(self, *more):
        """The forced command of a key that is the user's."""
        return [self.plain, *self.pin, *more]

    def options(self, account=None, env=None, prepare=None, line=wrap(LIST), **more):
        """For subprocess, to start a broker as sshd does, or nearly so."""
        account = account or self.shared
        variables = {'SSH_ORIGINAL_COMMAND': line,
                     'SSH_CONNECTION': '192.0.2.7 50000 192.0.2.1 22'}
        return {'user': account.uid, 'group': account.gid, 'extra_groups': [],
                'cwd': self.scratch, 'preexec_fn': prepare,
                'env': {**(variables if line is not None else {}), **(env or {})},
                'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
                'stderr': subprocess.PIPE, **more}

    def ask(self, command, **more):
        return brokerlab.answer_of(subprocess.run, command, **self.options(**more))

    def check(self, answer, stdout, name, status=None):
        """A whole answer, nothing on stderr, and an exit status that fits."""
        if status is None:
            status = 1 if DENIED in stdout else 0
        self.tap.equal((answer.stdout, answer.stderr, answer.status),
                       (stdout, b'', status), name)

    def listing(self, program):
        """What the user is to see: without the profile for some addresses where a
        caller with less privilege says what the address is."""
        if program == self.plain:
            return self.expected
        return re.sub(rb'\[near\]\n(.+\n)+\n', b'', self.expected)

    def left(self):
        """Whether something of the caller's was loaded; no trace remains."""
        found = os.path.exists(self.canary)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.canary)
        return found


class Held:
    """A broker that cannot write its answer yet, as the pipe is full."""

    def __init__(self, world, command, expect=b'granted', **more):
        self.world, self.command, self.expect, self.more = (world, command, expect,
                                                            more)

    def __enter__(self):
        self.read, write = os.pipe()
        self.filled = fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.write(write, b'x' * self.filled)
        self.world.log()
        self.process = subprocess.Popen(
            self.command, **self.world.options(stdout=write, **self.more))
        os.close(write)
        self.pid = self.process.pid
        if self.expect:
            lab.wait_for(lambda: self.expect in
                         pathlib.Path(self.world.log_file).read_bytes(), 10,
                         'the broker to log its answer')
        return self

    def path(self, name):
        return '/proc/%d/%s' % (self.pid, name)

    def status(self):
        text = pathlib.Path(self.path('status')).read_text()
        return dict(re.findall(r'^(\w+):\s*(.*?)\s*$', text, re.M))

    def ids(self):
        """Real, effective and saved: of users, of groups."""
        status = self.status()
        return tuple([int(n) for n in status[key].split()[:3]]
                     for key in ('Uid', 'Gid'))

    def descriptors(self):
        return {int(name): os.readlink(self.path('fd/' + name))
                for name in os.listdir(self.path('fd'))}

    def waits(self):
        """It has opened its log, and sleeps."""
        try:
            return self.world.log_file in self.descriptors().values() and \
                self.status()['State'].startswith('S')
        except FileNotFoundError:           # a descriptor that is closed by now
            return False

    def core_limit(self):
        text = pathlib.Path(self.path('limits')).read_text()
        return re.search(r'^Max core file size +(\S+) +(\S+)', text, re.M).groups()

    def answer(self):
        """Let it write, and end."""
        with open(self.read, 'rb', closefd=False) as file:
            text = file.read()
        stderr = self.process.stderr.read()
        return brokerlab.Answer(text[self.filled:], stderr, self.process.wait(10), 0)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.read)


# Descriptors

def test_standard_descriptors(world):
    """A file that is opened as number 1 must not get the answer."""
    for program, account in (world.plain, world.shared), (world.setuid, world.user):
        for closed in itertools.chain.from_iterable(
                itertools.combinations(range(3), n) for n in range(4)):
            world.log()
            answer = world.ask([program, *world.pin], account=account,
                               prepare=lambda: [os.close(fd) for fd in closed])
            log = world.log()
            name = '%s: closed: %s' % (os.path.basename(program),
                                       ' '.join(map(str, closed)) or 'none')
            # What libc opens as number 1 for a setuid program is an error to write.
            failed = 1 in closed and program == world.setuid
            world.check(answer, b'' if 1 in closed else world.listing(program), name,
                        int(failed))
            world.tap.ok(log.count(b'\n') == 1 + failed and b' granted ' in log,
                         name + ': the log is the log', log)


def test_other_descriptors(world):
    secret = world.host.write('secret', 'secret\n', mode=0o600)
    for name, prepare in (('close_range', None),
                          ('no close_range', lambda: hide('close_range'))):
        with contextlib.ExitStack() as stack:
            first = os.open(secret, os.O_RDWR)
            stack.callback(os.close, first)
            # Python's own are somewhere below 100.
            fds = [fcntl.fcntl(first, fcntl.F_DUPFD, n) for n in (100, 1000, 4000)]
            for fd in fds:
                stack.callback(os.close, fd)
            held = stack.enter_context(Held(world, world.forced(), prepare=prepare,
                                            pass_fds=[first, *fds]))
            found = held.descriptors()
        world.tap.ok(len(found) >= 3 and not any(
            secret in target for target in found.values()),
            name + ': what was left open is closed', found)
        world.tap.ok(set(found.values()) - {'/dev/null'} >= {world.log_file} and
                     len(found) <= 5, name + ': and there is no other', found)


# Limits

MIB = 1024 * 1024
ALL = resource.RLIM_INFINITY

# Rows: what, resource, soft limit, hard limit (None: as it was), what is said of it to
# syslog where it is too low.  With less, ld.so does not start the program.
LIMITS = [
    *(('%d open files' % n, resource.RLIMIT_NOFILE, n, n, 'open files')
      for n in (4, 5, 6, 7, 8, 9, 10, 31)),
    *(('%d open files that can be more' % n, resource.RLIMIT_NOFILE, n, None, None)
      for n in (4, 5, 8, 31)),
    ('32 open files', resource.RLIMIT_NOFILE, 32, 32, None),
    ('8 MiB of memory', resource.RLIMIT_AS, 8 * MIB, 8 * MIB, 'memory'),
    ('63 MiB of memory', resource.RLIMIT_AS, 63 * MIB, 63 * MIB, 'memory'),
    ('64 MiB of memory', resource.RLIMIT_AS, 64 * MIB, 64 * MIB, None),
    ('8 MiB of memory that can be more', resource.RLIMIT_AS, 8 * MIB, None, None),
    ('4 MiB of data', resource.RLIMIT_DATA, 4 * MIB, 4 * MIB, 'data'),
    ('32 MiB of data', resource.RLIMIT_DATA, 32 * MIB, 32 * MIB, None),
    ('64 KiB of stack', resource.RLIMIT_STACK, MIB // 16, MIB // 16, 'stack'),
    ('511 KiB of stack', resource.RLIMIT_STACK, 511 * 1024, 511 * 1024, 'stack'),
    ('512 KiB of stack', resource.RLIMIT_STACK, MIB // 2, MIB // 2, None),
    ('64 KiB of stack that can be more', resource.RLIMIT_STACK, MIB // 16, None, None),
    ('files of 0 bytes that can be more', resource.RLIMIT_FSIZE, 0, None, None),
    ('1 second', resource.RLIMIT_CPU, 1, 1, None),
]

# The same for a setuid program alone: who else is limited may be meant to be.
SETUID_LIMITS = [('files of %d bytes' % n, resource.RLIMIT_FSIZE, n, n, 'size of files')
                 for n in (0, 100, 2**40)]


def test_limits(world):
    """A caller's limit either does not matter or is a refusal: it must not let
    something fail half way."""
    for program, account in (world.plain, world.shared), (world.setuid, world.user):
        rows = LIMITS + (SETUID_LIMITS if program == world.setuid else [])
        for name, what, soft, hard, word in rows:
            if hard is None:
                hard = resource.getrlimit(what)[1]
            world.host.logged()
            world.log()
            answer = world.ask([program, *world.pin], account=account,
                               prepare=lambda: resource.setrlimit(what, (soft, hard)))
            name = '%s: %s' % (os.path.basename(program), name)
            world.check(answer, DENIED if word else world.listing(program), name)
            log = world.host.logged() if word else world.log()
            world.tap.ok((word or 'granted').encode() in log, name + ': logged', log)


def test_full_log(world):
    """As good as a full disk: what the file does not take goes to syslog."""
    for size in 100, 110:
        world.log()
        pathlib.Path(world.log_file).write_bytes(b'.' * 100)
        world.host.logged()
        answer = world.ask(world.forced(), prepare=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (size, size)))
        syslog = world.host.logged()
        name = 'room for %d bytes in the log: ' % (size - 100)
        world.check(answer, world.expected, name + 'the answer')
        world.tap.ok(b' granted ' in syslog, name + 'syslog has the line', syslog,
                     world.log())


# What is as it was, and must not be

def ignore_all():
    for sig in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(sig, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def make_a_mess():
    ignore_all()
    os.umask(0)
    for which in signal.ITIMER_VIRTUAL, signal.ITIMER_PROF:
        signal.setitimer(which, 1000, 1000)
    signal.setitimer(signal.ITIMER_REAL, 1000, 1000)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    for what, low in ((resource.RLIMIT_NOFILE, 20), (resource.RLIMIT_FSIZE, 0),
                      (resource.RLIMIT_CPU, 1000)):
        resource.setrlimit(what, (low, resource.getrlimit(what)[1]))


def observe(world, prepare=None, **env):
    """What a process is like once it has settled: {key: [values]}."""
    out = world.scratch + '/observed'
    library = compile_library(world.host.path('observer.so'), OBSERVER, OUT=out)
    answer = world.ask(world.forced(), prepare=prepare,
                       env={'LD_PRELOAD': library, **env})
    text = pathlib.Path(out).read_text()
    os.unlink(out)
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition(' ')
        found.setdefault(key, []).append(value)
    return answer, found


def test_settled(world):
    answer, found = observe(world, make_a_mess, HOME=world.user.home, IFS='x',
                            TZ='UTC-5', LANG='de_DE.UTF-8', TMPDIR='/nonexistent')
    world.check(answer, world.expected, 'from a mess: the answer')

    def limit(what):
        return [int(n) for n in found['limit%d' % what][0].split()]

    rows = [
        ('descriptors', 'fd', ['0', '1', '2']),
        ('environment', 'environment', ['PATH=/usr/bin:/bin:/usr/sbin:/sbin']),
        ('directory', 'cwd', ['/']), ('umask', 'umask', ['77']),
        ('dumpable', 'dumpable', ['0']), ('blocked signals', 'blocked', None),
        ('ignored signals', 'ignored', [str(int(signal.SIGPIPE)),
                                        str(int(signal.SIGXFSZ))]),
        ('signals with a handler', 'handled', [str(int(signal.SIGALRM))]),
        ('time', 'timer0', ['30 0']), ('timers', 'timer1', ['0 0']),
        ('profiling', 'timer2', ['0 0']),
        ('core dumps', 'limit%d' % resource.RLIMIT_CORE, ['0 0']),
    ]
    for name, key, expected in rows:
        world.tap.equal(found.get(key), expected, 'settled: ' + name)
    for name, what in (('open files', resource.RLIMIT_NOFILE),
                       ('size of files', resource.RLIMIT_FSIZE),
                       ('CPU time', resource.RLIMIT_CPU)):
        soft, hard = limit(what)
        world.tap.ok(soft == hard or soft >= 2**20 or soft == -1,
                     'settled: the limit of %s is as high as it can be' % name,
                     (soft, hard))


def test_signals(world):
    for program, account in (world.plain, world.shared), (world.setuid, world.user):
        answer = world.ask([program, *world.pin], account=account,
                           prepare=ignore_all)
        world.check(answer, world.listing(program), '%s: all signals blocked and '
                    'ignored' % os.path.basename(program))


def exec_without_argv(program, env):
    """To be called instead of what subprocess would call next."""
    words = [b'%b=%b' % (os.fsencode(k), os.fsencode(v)) for k, v in env.items()]
    libc.execve(os.fsencode(program), (ctypes.c_char_p * 1)(None),
                (ctypes.c_char_p * (len(words) + 1))(*words, None))


def test_no_argv(world):
    """Newer kernels make one word of none."""
    env = {'SSH_ORIGINAL_COMMAND': wrap(LIST)}
    for program, account, expected in (
            (world.plain, world.shared, framed(DENIED)),    # nobody is pinned
            (world.setuid, world.user, world.listing(world.setuid))):
        answer = world.ask([program], account=account,
                           prepare=lambda: exec_without_argv(program, env))
        world.check(answer, expected, '%s: argc 0' % os.path.basename(program))
        answer = world.ask([program], account=account,
                           prepare=lambda: exec_without_argv(program, {}))
        world.tap.ok(answer.status in (0, 1) and answer.stdout != b'',
                     '%s: argc 0, no environment' % os.path.basename(program), answer)


# Time

def test_deadline(world):
    """What never ends is refused, between markers as soon as they are known."""
    library = compile_library(world.host.path('hang.so'), HANG)
    rows = [('markers', wrap(LIST), None, framed(DENIED)),
            ('no markers', LIST, None, DENIED),
            ('SIGALRM blocked and ignored', wrap(LIST), ignore_all, framed(DENIED))]
    for name, line, prepare, expected in rows:
        world.host.logged()
        answer = world.ask(world.forced(), prepare=prepare, line=line,
                           env={'LD_PRELOAD': library})
        log = world.host.logged()
        world.check(answer, expected, 'a lookup that hangs: ' + name)
        world.tap.ok(0.25 < answer.seconds < 5, 'a lookup that hangs: %s: not before '
                     'its time, and then at once' % name, answer.seconds)
        world.tap.ok(b'refused: no answer in time' in log,
                     'a lookup that hangs: %s: logged' % name, log)


def test_no_deadline_for_the_client(world):
    with Held(world, world.forced()) as held:
        for _ in range(3):
            os.kill(held.pid, signal.SIGALRM)
        world.check(held.answer(), world.expected, 'SIGALRM does not get into an '
                    'answer that has begun')


# Kernels

CALLS = {'close_range': 436}         # on every architecture


def hide(*names):
    """Be a kernel that does not have these calls.  For this process and those that
    it becomes, which can't gain privilege then."""
    code = [(0x20, 0, 0, 0)]                            # the number of the call
    for name in names:
        code += [(0x15, 0, 1, CALLS[name]), (0x06, 0, 0, 0x50000 | 38)]  # ENOSYS
    code += [(0x06, 0, 0, 0x7fff0000)]                  # all others are allowed
    text = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *word)
                                                for word in code))
    program = struct.pack('HxxxxxxQ', len(code), ctypes.addressof(text))
    if libc.prctl(38, 1, 0, 0, 0) == -1 or libc.prctl(22, 2, program) == -1:
        os._exit(3)


# The environment

def environment(world):
    """{what: variables} that somebody might get something with."""
    home = world.scratch + '/home'
    os.makedirs(home + '/.ssh', exist_ok=True)
    pathlib.Path(home, '.ssh/config').write_text('Host *\n ProxyCommand touch %s\n' %
                                                 world.canary)
    aliases = pathlib.Path(home, 'aliases')
    aliases.write_text('desk.example evil.example\n')
    evil_conf = pathlib.Path(home, 'evil.conf')
    evil_conf.write_text('[broker_zeroconf]\nenable = true\n')
    rows = {name: {name: value} for name, value in (
        ('HOME', home), ('LANG', 'tr_TR.UTF-8'), ('LC_ALL', '../../../../' + home),
        ('LANGUAGE', 'de'), ('TZ', ':' + str(aliases)), ('TZDIR', home),
        ('LOCPATH', home), ('NLSPATH', home + '/%N'), ('RES_OPTIONS', 'debug'),
        ('LOCALDOMAIN', 'evil.example'), ('HOSTALIASES', str(aliases)),
        ('RESOLV_HOST_CONF', str(aliases)), ('MALLOC_CHECK_', '3'),
        ('MALLOC_PERTURB_', '165'), ('MALLOC_TRACE', world.canary),
        ('GLIBC_TUNABLES', 'glibc.malloc.check=3:glibc.malloc.perturb=165'),
        ('GCONV_PATH', home), ('GETCONF_DIR', home), ('TMPDIR', home),
        ('PATH', home), ('IFS', 'x2gobroker'), ('ENV', home), ('BASH_ENV', home),
        ('PYTHONPATH', home), ('POSIXLY_CORRECT', '1'), ('COLUMNS', '1'),
        ('SSH_ASKPASS', home), ('SSH_TTY', '/dev/null'), ('KRB5_CONFIG', home),
        ('SSH_CLIENT', '203.0.113.1 1 22'), ('LOGNAME', world.other.name),
        ('X2GOBROKER_CONFIG', str(evil_conf)),
        ('X2GOBROKER_SESSIONPROFILES', str(evil_conf)),
        ('X2GOBROKER_DEFAULT_BACKEND', 'zeroconf'),
        ('X2GOBROKER_DAEMON_USER', world.user.name), ('X2GOBROKER_DEBUG', '1'))}
    rows['USER'] = {'USER': world.other.name, 'USERNAME': world.other.name}
    rows['a lot'] = {'X%d' % n: 'x' * 1000 for n in range(1000)}
    return rows


def test_environment(world):
    agent = socket.socket(socket.AF_UNIX)
    path = world.scratch + '/agent'
    agent.bind(path)
    os.chmod(path, 0o666)
    agent.listen()
    agent.setblocking(False)
    rows = {**environment(world), 'SSH_AUTH_SOCK': {'SSH_AUTH_SOCK': path}}
    for program, account in (world.plain, world.shared), (world.setuid, world.user):
        for name, env in rows.items():
            answer = world.ask([program, *world.pin], account=account, env=env)
            name = '%s: %s' % (os.path.basename(program), name)
            world.check(answer, world.listing(program), name)
            if world.left():
                world.tap.ok(False, name + ' left something behind')
    with agent:
        try:
            agent.accept()
        except BlockingIOError:
            connected = False
        else:
            connected = True
    world.tap.ok(not connected, 'nobody has asked the ssh-agent')


def test_loader(world):
    """What ld.so obeys unless a program is setuid."""
    evil_dir = world.host.path('evil')
    os.mkdir(evil_dir)
    for name in 'libc.so.6', 'libx2gobroker.so.0', 'libnss_files.so.2':
        shutil.copy(world.evil, evil_dir + '/' + name)
    rows = [{'LD_PRELOAD': world.evil}, {'LD_LIBRARY_PATH': evil_dir},
            {'LD_AUDIT': world.evil}]
    for env in rows:
        name = ' '.join(env)
        answer = world.ask([world.plain], account=world.user, env=env)
        world.tap.ok(world.left() or answer.status == 127,
                     'not setuid: %s does something' % name, answer)
        answer = world.ask([world.setuid], account=world.user, env=env)
        world.check(answer, world.listing(world.setuid), 'setuid: %s: the answer' %
                    name)
        world.tap.ok(not world.left(), 'setuid: %s: nothing is loaded' % name)


# A setuid copy

def names(answer):
    """The profiles of a listing."""
    return re.findall(rb'^\[(.*)\]$', answer.stdout, re.M)


def own(world):
    """What the user sees who has no address."""
    return sorted([b'desk', b'desk of ' + world.user.name.encode(), b'not for a group'])


def test_identity(world):
    """Setuid: it is the caller, whatever anybody says."""
    rows = [
        ('nothing said', [], wrap(LIST)),
        ('--user', ['--user', world.other.name], wrap(LIST)),
        ('--user root', ['--user', 'root'], wrap(LIST)),
        ('--user of the client', [], wrap(LIST.replace(
            '--task', '--user %s --task' % world.other.name))),
        ('by hand', ['--task', 'listsessions'], None),
        ('--user by hand', ['--user', world.other.name, '--task', 'listsessions'],
         None),
    ]
    for name, words, line in rows:
        world.log()
        answer = world.ask([world.setuid, *words], account=world.user, line=line)
        log = world.log()
        world.tap.equal((sorted(names(answer)), answer.status), (own(world), 0),
                        'identity: ' + name, answer)
        world.tap.ok(b' user=%b ' % world.user.name.encode() in log,
                     'identity: %s: logged' % name, log)
    answer = world.ask([world.setuid], account=world.other)
    world.tap.ok(b'desk of ' + world.other.name.encode() in names(answer),
                 'identity: another caller is another', answer)
    answer = world.ask([world.setuid, *world.pin], account=world.shared)
    world.check(answer, world.expected, 'identity: the broker account may pin one')


def test_config_file(world):
    evil = world.scratch + '/x2gobroker.conf'
    pathlib.Path(evil).write_text('[broker_zeroconf]\nenable = true\n')
    for words in ['-C', evil], ['--config-file=' + evil], ['-C', '/dev/null']:
        world.log()
        answer = world.ask([world.setuid, *words, '--backend', 'zeroconf'],
                           account=world.user)
        world.check(answer, framed(DENIED), 'setuid: %s is refused' % words[0])
    answer = world.ask([world.plain], account=world.user)
    world.check(answer, framed(DENIED), 'the caller cannot read the configuration')
    world.check(world.ask([world.setuid], account=world.user),
                world.listing(world.setuid), 'the setuid broker can')


def test_debug(world):
    """The log tells of files that the caller may not read."""
    world.configure('no-such-key = secret')
    answers = [world.ask([program, '-d', *world.pin], account=account)
               for program, account in ((world.plain, world.shared),
                                        (world.setuid, world.user))]
    world.configure()
    world.tap.ok(b'no-such-key' in answers[0].stderr, '--debug tells what is wrong',
                 answers[0])
    world.check(answers[1], world.listing(world.setuid), 'but not to the caller of a '
                'setuid broker')


def test_address(world):
    """The caller says where it comes from, so it is not believed."""
    world.tap.ok(b'near' in names(world.ask(world.forced())),
                 'sshd\'s word counts, and shows a profile')
    answer = world.ask(world.forced(), env={
        'SSH_CONNECTION': 'UNKNOWN 65535 UNKNOWN 65535'})
    world.check(answer, world.listing(world.setuid),
                'a client of sshd\'s without an address is served without that profile')
    for word in ('unknown', 'UNKNOWN.', 'localhost', '192.0.2'):
        world.check(world.ask(world.forced(), env={
            'SSH_CONNECTION': word + ' 50000 192.0.2.1 22'}), framed(DENIED),
            'refused: the address ' + word)
    for env in ({}, {'SSH_CONNECTION': '192.0.2.9 1 192.0.2.1 22'},
                {'SSH_CLIENT': '192.0.2.9 1 22'}):
        answer = world.ask([world.setuid], account=world.user, env=env)
        world.tap.equal(sorted(names(answer)), own(world), 'the word of a setuid '
                        'broker\'s caller does not: ' + (' '.join(env) or 'both'))
    world.configure('trust-ssh-environment = true')
    answer = world.ask([world.setuid], account=world.user)
    world.configure()
    world.tap.ok(b'near' in names(answer), 'unless the administrator says that it does')


SECRETS = ['environ', 'maps', 'mem', 'auxv', 'fd', 'cwd', 'exe', 'syscall', 'stack',
           'io']


def readable(path, account):
    """Whether the account can look at it."""
    return subprocess.run(['sh', '-c', 'head -c 1 "$1" || ls "$1"/* || readlink "$1"',
                           'sh', path], user=account.uid, group=account.gid,
                          extra_groups=[], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


def test_arguments_are_wiped(world):
    """All users can read the arguments of a process, and it may last."""
    secrets = ['--authid', 'sesame1', '--newpass', 'sesame2', '--unheard-of=sesame3']
    with Held(world, [world.plain, *world.pin, '--task', 'listsessions', *secrets],
              line=None) as held:
        words = pathlib.Path(held.path('cmdline')).read_bytes()
        world.tap.ok(b'sesame' not in words and words.startswith(world.plain.encode()),
                     'while it answers, no secret is among its arguments', words)
        answer = held.answer()
        world.tap.ok(b'END_USER_SESSIONS' in answer.stdout and
                     answer.stdout in world.listing(world.setuid),
                     'it has read them before', answer)
    line = wrap('x2gobroker --task listsessions ' + ' '.join(secrets[:2]))
    with Held(world, world.forced(), line=line) as held:
        words = pathlib.Path(held.path('environ')).read_bytes()
        world.tap.ok(b'sesame' not in words, 'nor in its environment', words)


def test_closed_to_the_caller(world):
    """All that was read is in the memory of a process that is the caller's."""
    with Held(world, [world.setuid], account=world.user) as held:
        ids = [world.user.uid] * 3, [world.user.gid] * 3
        world.tap.equal(held.ids(), ids, 'while it writes: all ids are the caller\'s')
        world.tap.equal(held.core_limit(), ('0', '0'), 'no core dumps')
        found = [name for name in SECRETS if readable(held.path(name), world.user)]
        world.tap.equal(found, [], 'nothing in /proc/PID is for the caller')
        world.tap.equal(os.stat(held.path('mem')).st_uid, 0, '/proc/PID is root\'s')
        attached = subprocess.run(
            ['/usr/bin/python3', '-c', 'import ctypes, sys; sys.exit(ctypes.CDLL(None)'
             '.ptrace(0x4206, int(sys.argv[1]), 0, 0) == 0)', str(held.pid)],
            user=world.user.uid, group=world.user.gid, extra_groups=[])
        world.tap.equal(attached.returncode, 0, 'and it cannot be traced')
        world.check(held.answer(), world.listing(world.setuid), 'it answers, then')
    with subprocess.Popen(['sleep', '100'], user=world.user.uid,
                          group=world.user.gid, extra_groups=[]) as sleep:
        lab.wait_for(lambda: pathlib.Path('/proc/%d/comm' % sleep.pid).read_text() ==
                     'sleep\n', 5)
        world.tap.ok(readable('/proc/%d/environ' % sleep.pid, world.user) and
                     readable('/proc/%d/fd' % sleep.pid, world.user),
                     'what is the caller\'s own can be looked at')
        sleep.kill()


def test_root_is_the_caller(world):
    """Whose ids would be more than the broker account's."""
    root = type('Root', (), {'uid': 0, 'gid': 0})
    with Held(world, [world.setuid, *world.pin], account=root) as held:
        world.tap.equal(held.ids()[0], [world.shared.uid] * 3,
                        'root\'s ids are not taken for the caller\'s')
        world.tap.equal(held.status()['CapPrm'], '0' * 16, 'nor its capabilities')
        world.check(held.answer(), world.listing(world.setuid),
                    'root may pin an identity')


@contextlib.contextmanager
def hanging_groups(world):
    """/etc/group is a pipe: who opens it waits."""
    fifo = world.host.path('group')
    os.mkfifo(fifo)
    os.chmod(fifo, 0o644)
    run('mount', '--bind', fifo, '/etc/group')
    try:
        yield
    finally:
        run('umount', '/etc/group')
        os.unlink(fifo)


def test_before_the_drop(world):
    """As long as something is looked up, the caller must not be able to make that
    fail: a list of denied groups would miss."""
    with hanging_groups(world), \
            Held(world, [world.setuid], account=world.user, expect=None) as held:
        lab.wait_for(held.waits, 10, 'the broker to ask for groups')
        uids = [world.user.uid, world.shared.uid, world.shared.uid]
        world.tap.equal(held.ids()[0], uids, 'while it looks up: the ids are not all '
                        'the caller\'s')
        tried = subprocess.run(['prlimit', '--pid', str(held.pid), '--nofile=0'],
                               user=world.user.uid, group=world.user.gid,
                               extra_groups=[], stderr=subprocess.DEVNULL)
        world.tap.ok(tried.returncode != 0, 'so that the caller can set no limit')
        found = [name for name in SECRETS if readable(held.path(name), world.user)]
        world.tap.equal(found, [], 'and see nothing')
        os.kill(held.pid, signal.SIGALRM)
        world.check(held.answer(), framed(DENIED), 'what hangs is refused in time')


ASKING = '''\
[slow]
name = A server that hangs
host = 127.0.0.1:%d
broker-agent-query-mode = SSH
'''


@contextlib.contextmanager
def hanging_server(world):
    """The only server accepts connections, and says nothing."""
    state = world.host.path('state')
    os.mkdir(state, 0o755)
    os.chown(state, world.shared.uid, world.shared.gid)
    key = lab.keypair(world.host.path('etc'))
    world.shared.put('.ssh/id_ed25519', pathlib.Path(key).read_text())
    world.shared.put('.ssh/known_hosts', 'x ' + pathlib.Path(key + '.pub').read_text())
    with socket.create_server(('127.0.0.1', 0)) as door:
        world.host.write('profiles.conf', ASKING % door.getsockname()[1],
                         world.shared, 0o600)
        world.configure('agent-timeout = 4\nstate-dir = %s\nhelper-dir = %s\n'
                        % (state, lab.helper_dir()))
        try:
            yield
        finally:
            world.host.write('profiles.conf', world.named, world.shared, 0o600)
            world.configure()


def signal_as(account, pid, name):
    """The status of kill(1)."""
    return subprocess.run(['kill', '-' + name, str(pid)], user=account.uid,
                          group=account.gid, extra_groups=[],
                          stderr=subprocess.DEVNULL).returncode


def test_asking_servers(world):
    """Who starts a setuid broker has no power over x2gobroker-poll, nor over the
    requests of others."""
    line = wrap(brokerlab.SELECT % 'slow')
    with hanging_server(world), subprocess.Popen([world.setuid], **world.options(
            account=world.user, line=line, env={'SECRET': 'secret'})) as broker:
        def poll():
            return [pid for pid in lab.descendants(broker.pid)
                    if os.readlink('/proc/%d/exe' % pid).endswith('/x2gobroker-poll')]
        pid = lab.wait_for(poll, 10, 'x2gobroker-poll')[0]
        def uids():
            status = pathlib.Path('/proc/%d/status' % pid).read_text()
            return set(re.search(r'(?m)^Uid:\t(.*)$', status)[1].split())
        with contextlib.suppress(TimeoutError):     # it may have begun just now
            lab.wait_for(lambda: len(uids()) == 1, 10, 'its user ids')
        world.tap.equal(uids(), {str(world.shared.uid)},
                        'x2gobroker-poll: all user ids are those of the broker account')
        world.tap.equal(pathlib.Path('/proc/%d/environ' % pid).read_bytes(), b'',
                        "it gets nothing of the caller's environment")
        found = [name for name in SECRETS
                 if readable('/proc/%d/%s' % (pid, name), world.user)]
        world.tap.equal(found, [], 'nothing in its /proc/PID is for the caller')
        for name in 'STOP', 'KILL', 'ALRM', 'TERM':
            world.tap.ok(signal_as(world.user, pid, name) != 0,
                         'the caller cannot send it SIG' + name)
        # his own request is another matter, but nobody has to wait for that
        signal_as(world.user, broker.pid, 'STOP')
        answer = world.ask([world.setuid], account=world.other, line=line)
        world.check(answer, framed(DENIED), 'a stopped request: another one is refused')
        world.tap.ok(answer.seconds < 10, 'in %.1f s' % answer.seconds)
        lab.wait_for(lambda: pid not in lab.processes() or pathlib.Path(
            '/proc/%d/stat' % pid).read_text().split(') ')[1][0] == 'Z', 20,
            'x2gobroker-poll to end by itself')
        os.kill(broker.pid, signal.SIGCONT)
        out = broker.communicate(timeout=20)[0]
        world.tap.equal(out, framed(DENIED), 'it goes on, and is refused')


TESTS = [test_standard_descriptors, test_other_descriptors, test_limits, test_full_log,
         test_settled, test_signals, test_no_argv, test_deadline,
         test_no_deadline_for_the_client,
         test_environment, test_loader, test_identity,
         test_config_file, test_debug, test_address, test_arguments_are_wiped,
         test_closed_to_the_caller,
         test_root_is_the_caller, test_before_the_drop, test_asking_servers]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(gcc='gcc', mount='mount', ldconfig='libc-bin',
                        prlimit='util-linux'):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER')
        if not found:
            return
        world = World(tap, found[0], stack)
        tap.ok(b'near' in names(brokerlab.Answer(world.expected, b'', 0, 0)),
               'the broker answers at all', world.expected, world.log())
        for test in TESTS:
            # What goes wrong in one says nothing about the others.
            with tap.case(test.__name__ + ': no step failed'):
                test(world)


if __name__ == '__main__':
    main()
