# SPDX-License-Identifier: GPL-2.0-or-later
"""One request after the other, each with another fault, and a verdict on each.

A Bench is a site whose files hold profiles for everybody, for the user, for a group of
the user's, and some that are not for the user.  A Request is put to it as sshd does.
What comes back is judged by one rule:

    The answer is the whole right one, or a clean refusal.  A profile file that cannot
    be read is withheld as a whole, and the log says so.

Runs are independent of each other, so that two of them go at once, each at a bench of
its own.
"""

import collections
import concurrent.futures
import contextlib
import errno
import hashlib
import itertools
import os
import pathlib
import queue
import re
import signal
import struct
import subprocess
import tempfile
import time

import brokerlab
import farmlab
from brokerlab import GRANTED, framed, to_bytes, wrap

PATIENCE = 30           # seconds after which a broker hangs
AT_ONCE = 2
SHOWN = 12              # failures that are printed of each point
SECRET = 'b1946ac9-2492-4d23-47c6-235b4d2611184'
DENIED = framed(brokerlab.DENIED)
UNABLE = (b'This session broker cannot serve you at the moment.\n'
          b'Its log says why; please tell your administrator.\n')

# GROUP is one of the user's; so is the last of many, LAST.
FILES = {
    'profiles.conf': '''\
[DEFAULT]
command = XFCE

[desk]
name = Desk
host = desk.example

[denied]
name = By name
host = denied.example
acl-users-deny = USER
acl-users-allow = ALL
acl-users-order = deny-allow

[denied as a member]
name = By a group
host = group.example
acl-groups-deny = LAST
acl-groups-allow = ALL
acl-groups-order = deny-allow

[for members]
name = Members
host = members.example
acl-groups-allow = GROUP
''',
    'profiles.d/a.conf': '''\
[a desk]
name = Another
host = a.example
acl-users-allow = USER

[a denied as a member]
name = By a group again
host = a-group.example
acl-groups-deny = GROUP
acl-groups-allow = ALL
acl-groups-order = deny-allow
''',
    'profiles.d/b.conf': '''\
[b desk]
name = A third one
host = b.example

[b of another]
name = Not mine
host = b-other.example
acl-users-allow = root
''',
    'profiles.d/c.conf': '''\
[farm]
name = Two servers
host = HOSTS

[one]
name = One server
host = HOST
''',
}

# What is withheld when that cannot be read, and what the log then names.
PARTS = {
    'profiles.conf': ['desk', 'for members'],
    'profiles.d/a.conf': ['a desk'],
    'profiles.d/b.conf': ['b desk'],
    'profiles.d/c.conf': ['farm', 'one'],
    'profiles.d': ['a desk', 'b desk', 'farm', 'one'],
    'acl-groups': ['for members'],
}

Outcome = collections.namedtuple('Outcome', 'stdout stderr status log seconds')


# Requests

class Request:
    """command: what a client sends, in its envelope; settings: of [global], beside
    those of the site; before(bench): called before each run, its result goes to
    after(bench, outcome, before), which says what is wrong beside the answer."""

    refusal = DENIED

    def __init__(self, name, command, settings=(), mode='NONE'):
        self.name, self.command, self.mode = name, command, mode
        self.settings = {'default-agent-query-mode': mode, **dict(settings)}

    def line(self, _):
        return wrap(self.command)

    def before(self, bench):
        return None

    def play(self, bench):
        """What the agent of the first server, or the one here, says from now on."""

    def normal(self, stdout, bench):
        """The answer without what is new in each one."""
        return stdout

    def after(self, bench, outcome, before):
        return None


class LoginCheck(Request):
    """It comes as it is, and a person reads the answer."""

    refusal = UNABLE

    def __init__(self):
        super().__init__('login check', brokerlab.LOGIN_CHECK)

    def line(self, _):
        return to_bytes(self.command)


class Tokens(Request):
    """A listing with a token.  A new one that was promised is on disk, whole; a
    client that was refused still has the one that it came with."""

    def __init__(self, name, first):
        super().__init__(name, None, {
            'require-cookie': 'true', 'my-cookie': SECRET,
            'my-cookie-file': '{dir}/none', 'authids-dir': '{dir}/none.d',
            'cookie-directory': '{dir}/tokens'})
        self.first = first

    def line(self, token):
        return wrap('x2gobroker --user x --authid %s --task listsessions' % token)

    def before(self, bench):
        bench.empty('tokens')
        if self.first:
            return SECRET
        return self.token(bench.ask_plainly(self, SECRET).stdout)

    @staticmethod
    def token(stdout):
        found = re.search(rb'AUTHID:([0-9a-f]{64})\n', stdout)
        return found.group(1).decode() if found else ''

    def normal(self, stdout, bench):
        return re.sub(rb'AUTHID:[0-9a-f]{64}\n', b'AUTHID:@\n', stdout)

    def record(self, bench, token):
        """What stands in the file of the token; None: there is none."""
        path = os.path.join(bench.site.path('tokens'),
                            hashlib.sha256(token.encode()).hexdigest())
        with contextlib.suppress(FileNotFoundError):
            return pathlib.Path(path).read_text()
        return None

    def after(self, bench, outcome, before):
        if GRANTED in outcome.stdout:
            token = self.token(outcome.stdout)
            text = self.record(bench, token)
            if not re.fullmatch(r'\d+ 0 127\.0\.0\.1 ' + bench.user, text or ''):
                return 'the token that was promised: %r' % text
        elif not self.first:
            again = bench.ask_plainly(self, before).stdout
            if GRANTED not in again:
                return 'the old token is of no use any more: %r' % again
        for name in os.listdir(bench.site.path('tokens')):
            text = pathlib.Path(bench.site.path('tokens'), name).read_text()
            if not name.startswith('new.') and \
                    not re.fullmatch(r'\d+ \d+ \S+ ' + bench.user, text):
                return 'half a token on disk: %r' % text
        return None


class Selecting(Request):
    """The assignments of others stay, and at most one is added."""

    def play(self, bench):
        bench.play([])

    def normal(self, stdout, bench):
        """They are as good as each other."""
        return re.sub('|'.join('SERVER:%s:%d' % (server.address, server.port)
                               for server in bench.servers).encode(), b'SERVER:@',
                      stdout)

    def before(self, bench):
        bench.site.fresh_state()
        row = b'%d elsewhere:22 nobody desk' % time.time()
        bench.site.add_row('assignments', 1, row)
        return row.decode()

    def after(self, bench, outcome, before):
        rows = bench.site.rows('assignments')
        if before not in rows or len(rows) > 2:
            return 'the assignments of others: %r, once %r' % (rows, before)
        return None


class Resuming(Request):
    """There is a session, and an answer without it is half of one."""

    def play(self, bench):
        bench.play([farmlab.session(bench.user, bench.servers[0].name)])

    def after(self, bench, outcome, before):
        if GRANTED in outcome.stdout and b'SESSION_INFO' not in outcome.stdout:
            return 'the session is not there'
        return None


# A place to put them

class Bench:
    """A site of the farm's broker."""

    def __init__(self, stack, program, farm, user, groups):
        self.user, self.servers = user.name, farm.servers
        self.site = stack.enter_context(farmlab.Site(program, farm.broker,
                                                     farm.agent.name))
        self.here = farmlab.Played(farm.agent_program, farm.broker,
                                   self.site.path('here'))
        self.words = {'USER': user.name, 'GROUP': groups[0], 'LAST': groups[-1],
                      'HOST': farm.servers[0].host(),
                      'HOSTS': ', '.join(server.host() for server in farm.servers)}
        for name, text in FILES.items():
            self.site.write(name, self.named(text))
        self.empty('tokens')

    def named(self, text):
        return re.sub(r'\b[A-Z]+\b', lambda m: self.words.get(m.group(), m.group()),
                      text)

    def play(self, sessions):
        self.here.play(sessions=sessions)
        self.servers[0].play(sessions=sessions)

    def empty(self, name):
        """A directory of the broker's account with nothing in it."""
        path = self.site.path(name)
        if not os.path.isdir(path):
            os.mkdir(path, 0o700)
            os.chown(path, self.site.account.uid, self.site.account.gid)
        for entry in os.listdir(path):
            os.unlink(os.path.join(path, entry))
        return path

    def settle(self, request, **more):
        settings = {key: value.format(dir=self.site.dir)
                    for key, value in request.settings.items()}
        self.site.settings.pop('require-cookie', None)
        self.site.settings['agent-command'] = (
            self.here.program if request.mode == 'LOCAL' else farmlab.AGENT)
        self.site.settings.update(settings)
        self.site.configure(**more)

    def environment(self, line):
        return {'PATH': '/usr/bin:/bin', 'SSH_ORIGINAL_COMMAND': os.fsdecode(line),
                'SSH_CONNECTION': '127.0.0.1 50000 127.0.0.1 22'}

    def words_of(self):
        return self.site.command('--user', self.user, '--debug')

    def ask_plainly(self, request, secret=None):
        return self.start(self.words_of(), self.environment(request.line(secret)),
                          as_account=True)

    def start(self, words, env, as_account, **more):
        who = {'user': self.site.account.uid, 'group': self.site.account.gid,
               'extra_groups': []} if as_account else {}
        self.site.log()
        start = time.monotonic()
        process = subprocess.Popen(
            words, env=env, cwd='/', stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            **who, **more)
        try:
            stdout, stderr = process.communicate(timeout=PATIENCE)
            status = process.returncode
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            status = None
        return Outcome(stdout, stderr, status, self.site.log() + stderr,
                       time.monotonic() - start)


# Verdicts

class Judge:
    """Knows the right answer to a request, and what else will do."""

    def __init__(self, request, bench):
        self.request = request
        before = request.before(bench)
        outcome = bench.ask_plainly(request, before)
        self.right = request.normal(outcome.stdout, bench)
        if outcome.status != 0 or request.after(bench, outcome, before):
            raise RuntimeError('%s, without a fault: %r' % (request.name, outcome))
        blocks = re.findall(rb'(?ms)^\[.*?^\n', self.right)
        self.blocks = {block[1:block.index(b']')].decode(): block for block in blocks}
        if self.blocks and set(self.blocks) != set(itertools.chain(*PARTS.values())):
            raise RuntimeError('%s, without a fault: %r' % (request.name, outcome))

    def without(self, part):
        """The right answer without the profiles of that part."""
        text = self.right
        for id in PARTS[part]:
            text = text.replace(self.blocks.get(id, b''), b'')
        return text

    def parts_that_lack(self, stdout):
        return [part for part in PARTS if self.blocks and stdout == self.without(part)]

    def withheld(self, outcome, bench):
        """Which part of the answer is missing, and said so in the log."""
        for part in self.parts_that_lack(self.request.normal(outcome.stdout, bench)):
            if part == 'acl-groups':
                named = rb'cannot be looked up'
            else:
                named = rb'|'.join(re.escape(os.fsencode(path)) + rb'[:/ ]' for path in
                                   self.way_to(bench.site.path(part)))
            if re.search(named, outcome.log):
                return part
        return None

    @staticmethod
    def way_to(path):
        """Itself, and all directories above it."""
        while path != '/':
            yield path
            path = os.path.dirname(path)
        yield '/: cannot be looked up'

    def wrong(self, outcome, bench, early=False, mute=False):
        """What is wrong with the outcome, or None.  early: the request was not read
        yet, so that its markers are not known; mute: it may be that nothing can be
        written."""
        if outcome.status is None:
            return 'it hangs'
        if outcome.status < 0 or outcome.status >= 128:
            return 'it ends by signal %d' % -outcome.status
        stdout = self.request.normal(outcome.stdout, bench)
        if stdout == self.right and outcome.status == 0:
            return None
        if outcome.status == 1 and (stdout == self.request.refusal or
                                    (early and stdout == brokerlab.DENIED) or
                                    (mute and stdout == b'')):
            return None
        if outcome.status == 0 and self.withheld(outcome, bench):
            return None
        return 'neither the right answer nor a refusal'


def never_began(outcome):
    """The dynamic linker may end what it cannot load, with a message or, where there is
    no page of memory for itself, without one.  Nothing of ours has run by then; what is
    asked is that nothing was said to the client."""
    return outcome.status != 0 and outcome.status is not None and outcome.stdout == b''


def libc_gave_up(outcome):
    """The dynamic linker ends a process that it has no memory for where a function
    cannot say so: for variables of a thread, in a library that was loaded later on."""
    return outcome.status == 127 and outcome.stdout == b'' and \
        b'cannot allocate memory for thread-local data: ABORT' in outcome.stderr


# They do without much that may fail, but not without memory.
LIBRARIES = rb'libssh\.so.*|libcrypto\.so.*|libz\.so.*'


def died_in_a_library(outcome):
    """Whether it was the code of a library of others that went on without the memory
    that it did not get.  Functions of libc have been called by somebody."""
    found = re.search(rb'(?m)^dies in(.*)$', outcome.stderr)
    callers = [] if not found else [name for name in found.group(1).split()
                                    if not name.startswith((b'libc.so', b'faults'))]
    return bool(callers and re.fullmatch(LIBRARIES, callers[0])) and \
        outcome.status == -signal.SIGSEGV and outcome.stdout == b''


class Benches:
    """So many that each of those who run at once has one."""

    def __init__(self, make):
        self.all = [make() for _ in range(AT_ONCE)]
        self.free = queue.Queue()
        for bench in self.all:
            self.free.put(bench)

    def settle(self, request, **more):
        """All are ready for it; and a Judge."""
        request.play(self.all[0])
        for bench in self.all:
            bench.here.play(sessions=(self.all[0].here.files / 'sessions').read_bytes())
            bench.settle(request, **more)
        return Judge(request, self.all[0])

    @contextlib.contextmanager
    def one(self):
        bench = self.free.get()
        try:
            yield bench
        finally:
            self.free.put(bench)

    def map(self, run, faults):
        """[(fault, what is wrong, outcome)] of those that are not in order."""
        def at_a_bench(fault):
            with self.one() as bench:
                return (fault, *run(bench, fault))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return [row for row in pool.map(at_a_bench, faults) if row[1]]


def describe(failed):
    """The first failures in words."""
    for fault, wrong, outcome in failed[:SHOWN]:
        yield '%s: %s' % (fault, wrong)
        yield '    status %s after %.1f s' % (outcome.status, outcome.seconds)
        yield '    stdout %r' % outcome.stdout
        yield '    stderr %r' % outcome.stderr[-1500:]
    if len(failed) > SHOWN:
        yield 'and %d more: %s' % (len(failed) - SHOWN, ', '.join(
            str(fault) for fault, _, _ in failed[SHOWN:]))


# System calls

# The errors that a call can give where hardware, limits, the network or a kernel of
# another kind are not as usual.  What is not there (ENOENT) is an answer and no fault,
# and so is not among them.
FILE = ['EIO', 'ENOMEM', 'EACCES']
ROOM = ['EIO', 'ENOSPC', 'EROFS', 'EACCES']
ERRORS = {
    'openat': ['EIO', 'EMFILE', 'ENOMEM', 'EACCES', 'EINTR'],
    'read': ['EIO', 'EINTR', 'ENOMEM'], 'pread64': ['EIO', 'EINTR'],
    'write': ['EIO', 'EINTR', 'ENOSPC', 'EPIPE'],
    'writev': ['EIO', 'EINTR', 'ENOSPC', 'EPIPE'],
    'close': ['EIO', 'EINTR'],
    'newfstatat': FILE, 'fstat': FILE, 'stat': FILE, 'lstat': FILE, 'statx': FILE,
    'readlink': FILE, 'access': FILE, 'faccessat2': FILE, 'getcwd': FILE,
    'chdir': FILE, 'lseek': ['EIO'], 'fcntl': ['EMFILE', 'ENOLCK'],
    'getdents64': ['EIO', 'ENOMEM', 'EINTR'],
    'mkdir': ROOM, 'unlinkat': ROOM, 'renameat': ROOM, 'fchmod': ROOM,
    'utimensat': ROOM, 'fsync': ROOM, 'flock': ['EINTR', 'ENOLCK', 'EIO'],
    'mmap': ['ENOMEM', 'EACCES'], 'mprotect': ['ENOMEM', 'EACCES'],
    'munmap': ['ENOMEM'], 'mremap': ['ENOMEM'], 'madvise': ['ENOMEM'],
    'socket': ['EMFILE', 'ENOBUFS', 'EACCES'],
    'connect': ['EINTR', 'ECONNREFUSED', 'ENETUNREACH', 'ETIMEDOUT'],
    'sendto': ['EPIPE', 'ENOBUFS', 'EAGAIN'], 'sendmsg': ['ENOBUFS'],
    'sendmmsg': ['ENOBUFS'], 'recvmsg': ['ENOMEM'],
    'recvfrom': ['ECONNRESET', 'EAGAIN'], 'bind': ['EADDRINUSE'],
    'setsockopt': ['ENOBUFS'], 'getsockopt': ['ENOBUFS'], 'getsockname': ['ENOBUFS'],
    'getpeername': ['ENOTCONN'], 'ioctl': ['EIO'],
    'poll': ['EINTR', 'ENOMEM'], 'ppoll': ['EINTR', 'ENOMEM'],
    'clock_nanosleep': ['EINTR'],
    'clone': ['EAGAIN', 'ENOMEM'], 'clone3': ['EAGAIN', 'ENOMEM', 'ENOSYS'],
    'vfork': ['EAGAIN', 'ENOMEM'], 'wait4': ['EINTR', 'ECHILD'], 'kill': ['EPERM'],
    'pipe2': ['EMFILE', 'ENFILE'], 'eventfd2': ['EMFILE'], 'dup2': ['EINTR'],
    'socketpair': ['EMFILE'],
    'getrandom': ['EINTR', 'ENOSYS'], 'close_range': ['ENOSYS', 'ENOMEM'],
    'prlimit64': ['EPERM', 'ENOSYS'], 'setrlimit': ['EPERM'], 'getrlimit': ['EPERM'],
    'prctl': ['EPERM', 'EINVAL'], 'seccomp': ['ENOSYS', 'EINVAL', 'ENOMEM'],
    'landlock_create_ruleset': ['ENOSYS', 'EOPNOTSUPP', 'E2BIG', 'EMFILE'],
    'landlock_restrict_self': ['EPERM', 'E2BIG'],
    'setitimer': ['EINVAL'],
    'setresuid': ['EPERM', 'EAGAIN'], 'setresgid': ['EPERM', 'EAGAIN'],
    'arch_prctl': ['EPERM'], 'set_tid_address': ['ENOSYS'],
    'set_robust_list': ['ENOSYS'], 'rseq': ['ENOSYS'], 'sysinfo': ['EPERM'],
    'sched_getaffinity': ['EPERM'], 'uname': ['EPERM'],
}
# They cannot fail with the arguments that libc and we have for them, or nothing of the
# process is left that could mind.  brk(2) does not say that it has failed.
CANNOT_FAIL = {
    'getuid', 'geteuid', 'getgid', 'getegid', 'getresuid', 'getresgid', 'getpid',
    'gettid', 'getppid', 'umask', 'alarm', 'exit', 'exit_group', 'execve',
    'restart_syscall', 'rt_sigreturn', 'rt_sigaction', 'rt_sigprocmask', 'brk',
    'sched_yield', 'clock_gettime',
    # to wake somebody cannot fail, and libc ends a process for which it does; and the
    # same number in another thread may be that
    'futex',
    'gettimeofday', 'time'}
OTHERS = ['EIO']                # of a call that nobody has thought of


class Call(collections.namedtuple('Call', 'name code number loader early line')):
    """A system call of a run without a fault; code: the kernel's number for its kind;
    number: among those of its kind and thread.  loader: before main(); early: before the
    request was read."""


class Fault(collections.namedtuple('Fault', 'call error')):
    def __str__(self):
        return '%s number %d: %s, which was %s' % (
            self.call.name, self.call.number, self.error, self.call.line)


class Tracer:
    """Has strace(1) write down what a request calls, and fail-call let one of it fail."""

    def __init__(self, program, request, judge):
        self.program, self.request, self.judge = program, request, judge

    def start(self, bench, before, *words):
        return bench.start([*words, *bench.words_of()],
                           bench.environment(os.fsdecode(self.request.line(before))),
                           as_account=False)

    def calls(self, bench):
        """In order."""
        # what is started here is no part of the broker
        with tempfile.NamedTemporaryFile(prefix='x2gobroker-trace.') as file:
            outcome = self.start(bench, self.request.before(bench), 'strace', '-qq', '-n',
                                 '-u', bench.site.account.name, '-s', '64',
                                 '-o', file.name)
            lines = pathlib.Path(file.name).read_text(errors='replace').splitlines()
        wrong = self.judge.wrong(outcome, bench)
        if wrong:
            raise RuntimeError('under strace, without a fault: %s: %r' %
                               (wrong, outcome))
        return list(numbered(lines))

    def faults(self, calls, most=None):
        """most: so many errors of each call, the nastiest ones first."""
        return [Fault(call, error) for call in calls if call.name not in CANNOT_FAIL
                for error in ERRORS.get(call.name, OTHERS)[:most]]

    def run(self, bench, fault):
        call, before = fault.call, self.request.before(bench)
        account = bench.site.account
        outcome = self.start(bench, before, self.program, str(account.uid),
                             str(account.gid), call.code, str(call.number),
                             str(getattr(errno, fault.error)))
        if call.loader and never_began(outcome):
            return None, outcome
        return self.judge.wrong(outcome, bench, call.early,
                                call.name.startswith('write')) or \
            self.request.after(bench, outcome, before), outcome


def numbered(lines):
    """Call after call."""
    seen, counts = set(), collections.Counter()
    loader = early = True
    for line in lines:
        found = re.match(r'(?:(\d+) +)?\[ *(\d+)\] (\w+)\((.*)', line)
        if not found:
            continue
        thread, code, name, rest = found.groups()
        counts[thread, name] += 1
        loader = loader and name != 'getuid'        # the first thing that we do
        if (name, counts[thread, name]) not in seen:
            seen.add((name, counts[thread, name]))
            yield Call(name, code, counts[thread, name], loader, early,
                       (name + '(' + rest)[:120])
        early = early and not (name == 'openat' and 'x2gobroker.conf' in rest)


# Memory

class Starver:
    """Runs a request with faults.c."""

    def __init__(self, library, request, judge):
        self.library, self.request, self.judge = library, request, judge
        # At the first look-up of a name libc reads nsswitch.conf, and without memory
        # for that it ends the process (glibc 2.36: nss_database.c).  So does any
        # program that asks for a name; ours has said nothing by then.
        self.libcs = ()

    def start(self, bench, before, **faults):
        env = bench.environment(self.request.line(before))
        env['LD_PRELOAD'] = self.library
        env.update(('FAULTS_' + key.upper(), str(value))
                   for key, value in faults.items())
        return bench.start(bench.words_of(), env, as_account=True)

    def count(self, bench):
        """How many allocations there are, and how many there were when the first name
        was looked up, and when that came back."""
        with tempfile.NamedTemporaryFile(prefix='x2gobroker-count.') as file:
            os.chmod(file.name, 0o666)
            file.write(bytes(24))
            file.flush()
            outcome = self.start(bench, self.request.before(bench), count=file.name)
            wrong = self.judge.wrong(outcome, bench)
            if wrong:
                raise RuntimeError('with the library, without a fault: %s: %r' %
                                   (wrong, outcome))
            return struct.unpack('=qqq', pathlib.Path(file.name).read_bytes())

    def run(self, bench, fault):
        before = self.request.before(bench)
        outcome = self.start(bench, before, **fault)
        if (fault.get('allocation') in self.libcs and never_began(outcome)) or \
                libc_gave_up(outcome) or died_in_a_library(outcome):
            return None, outcome
        return self.judge.wrong(outcome, bench, early=True) or \
            self.request.after(bench, outcome, before), outcome


def numbers(n, ends, most):
    """From 1 to n: all of the first and the last ones, and evenly between them as many
    as make most."""
    step = max(1, -(-(n - 2 * ends) // max(1, most - 2 * ends)))
    return sorted({*range(1, min(n, ends) + 1), *range(ends + 1, n + 1, step),
                   *range(max(1, n - ends + 1), n + 1)})
