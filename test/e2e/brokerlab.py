# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the broker's answers share: the forms in which X2Go clients wrap
a command, a site's files, and two ways to ask: as sshd does, or through an sshd.

Command lines and answers are bytes, as they are on the wire.
"""

import collections
import contextlib
import itertools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import lab

PACKAGES = {'ssh': 'openssh-client', 'sshd': 'openssh-server'}

UUID = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'

GRANTED, DENIED = b'Access granted\n', b'Access denied\n'
LOGIN_CHECK = 'echo "LOGIN OK"'
LIST = 'x2gobroker --task listsessions'         # the shortest that is granted
SELECT = 'x2gobroker --task selectsession --sid "%s"'

# What stands before and behind a command; @ is the uuid.
MODERN = 'x2goclient 4.1'
_PATH = 'export PATH="/usr/local/bin:/usr/bin:/bin";'
_TERM = 'export TERM="dumb"; '
_TAIL = '; echo "X2GODATAEND:@";\''
ENVELOPES = {
    MODERN:
        ('bash -l -c \'echo "X2GODATABEGIN:@"; ' + _PATH + _TERM, _TAIL),
    'x2goclient 4.1, Kerberos':
        ('bash -l -c \'echo "X2GODATABEGIN:@"; ' + _TERM, _TAIL),
    'x2goclient, no blank after the marker':
        ('bash -l -c \'echo "X2GODATABEGIN:@";' + _PATH + _TERM, _TAIL),
    'x2goclient, Kerberos, no blank after the marker':
        ('bash -l -c \'echo "X2GODATABEGIN:@";' + _TERM, _TAIL),
    'sh for bash':
        ('sh -c \'echo "X2GODATABEGIN:@"; ' + _PATH + _TERM, _TAIL),
    'sh for bash, Kerberos, no blank after the marker':
        ('sh -c \'echo "X2GODATABEGIN:@";' + _TERM, _TAIL),
    'old client':
        ('sh -c "echo X2GODATABEGIN:@; ', '; echo X2GODATAEND:@";'),
    'python-x2go':
        ('echo X2GODATABEGIN:@; PATH=/usr/local/bin:/usr/bin:/bin sh -c "',
         '"; echo X2GODATAEND:@'),
}


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def wrap(command, envelope=MODERN, uuid=UUID):
    """The command as a client sends it."""
    head, tail = (to_bytes(part.replace('@', uuid)) for part in ENVELOPES[envelope])
    return head + to_bytes(command) + tail


def framed(body, uuid=UUID):
    """The answer as a client wants it."""
    return b'X2GODATABEGIN:%b\n%bX2GODATAEND:%b\n' % (uuid.encode(), body,
                                                      uuid.encode())


Answer = collections.namedtuple('Answer', 'stdout stderr status seconds')


def answer_of(run, *args, **more):
    """Run something and note how long that took.  Status None: it did not end."""
    start = time.monotonic()
    try:
        done = run(*args, timeout=10, **more)
    except subprocess.TimeoutExpired as late:
        return Answer(late.stdout or b'', late.stderr or b'', None,
                      time.monotonic() - start)
    return Answer(done.stdout, done.stderr, done.returncode, time.monotonic() - start)


CONF = '''\
[global]
broker-account = {account}
profiles-dir = {dir}/profiles.d
account-check = never
log-file = {dir}/broker.log

[broker_inifile]
session-profiles = {dir}/profiles.conf
'''


class Site:
    """The files of a broker, in a directory that only root may write to, and the
    broker itself, asked as sshd asks it."""

    def __init__(self, program, account):
        self.program = program
        self.account = account          # the broker account, a lab.Account
        self.env = {}                   # more for the broker's environment

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-site.')
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path('profiles.d'))
        self.write('x2gobroker.conf', self.conf())
        self.write('profiles.conf', '')
        # All accounts that run a broker in these tests may write it.
        os.chmod(self.write('broker.log', ''), 0o666)
        self.log_seen = 0
        self.cwd = self.dir
        return self

    def conf(self):
        return CONF.format(account=self.account.name, dir=self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_bytes(to_bytes(text))
        return self.path(name)

    def log(self):
        """What came into the log file since the last call."""
        text = pathlib.Path(self.path('broker.log')).read_bytes()
        new, self.log_seen = text[self.log_seen:], len(text)
        return new

    def command(self, *more, config='x2gobroker.conf'):
        """The forced command, as words."""
        return [self.program, '-C', self.path(config), *more]

    def forced(self, line, *more, account=None, **config):
        """Do what sshd does for a command line: its bytes go into one variable."""
        return self.start(self.command(*more, **config), account or self.account,
                          {'SSH_ORIGINAL_COMMAND': to_bytes(line),
                           'SSH_CONNECTION': '127.0.0.1 50000 127.0.0.1 22'})

    def plain(self, *words, account=None, **config):
        """Without sshd: a person runs it, or a script."""
        return self.start(self.command(*words, **config), account or self.account, {})

    def start(self, command, account, env):
        return answer_of(
            subprocess.run, command, user=account.uid, group=account.gid,
            extra_groups=[], cwd=self.cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={'PATH': '/usr/bin:/bin', **self.env, **env})

    def __exit__(self, *_):
        shutil.rmtree(self.dir)


class Connection:
    """One SSH connection with a channel for each command, as X2Go Client has it."""

    def __init__(self, sshd, account, key):
        self.sshd, self.account, self.key = sshd, account, key
        self.options = ['ControlMaster=auto', 'ControlPersist=60',
                        'ControlPath=%s-%s' % (key, account.name)]

    def __enter__(self):
        return self

    def ask(self, line, tty=False):
        """No line at all (None) means a login without a command.  A terminal gets a
        connection of its own, as that of a shared one would be in raw mode."""
        return answer_of(self.sshd.ssh, self.account.name, self.key,
                         line if line is None else to_bytes(line), tty=tty,
                         options=[] if tty else self.options)

    def __exit__(self, *_):
        subprocess.run(['ssh', '-F', 'none', '-o', self.options[-1], '-O', 'exit',
                        '127.0.0.1'], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=10)


# Options of a key of the broker account.  "pty" is for the client's login check.
KEY_OPTIONS = 'restrict,pty,command="%s"'


def give_key(sshd, account, name, command=None):
    """A new key for the account; the path of its private half."""
    key = lab.keypair(sshd.dir, name=name)
    options = KEY_OPTIONS % ' '.join(command) if command else ''
    sshd.authorize(account.name, key + '.pub', options)
    return key


# What most tests share: two users, a site for them, and an sshd.

# Answers to commands there.
LISTING = 'the listing'         # of the profiles that the user may see
SERVER = GRANTED + b'SERVER:desk.example:22\n'

# USER and OTHER stand for the two users' names.
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
'''


class World:
    """The accounts, the sshd and the site that all tests here share.  user and other
    have a key each for the shared account, and their own accounts."""

    def __init__(self, tap, program, stack):
        self.tap, self.program, self.stack = tap, program, stack
        self.numbers = itertools.count()
        self.shared, self.user, self.other = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(3))
        self.site = stack.enter_context(Site(program, self.shared))
        self.site.write('profiles.conf', self.named(PROFILES))
        self.sshd = stack.enter_context(lab.Sshd(self._own_accounts()))
        self.client = self.connect(self.shared, *self.pin(self.user))
        self.listing = self.site.plain(*self.pin(self.user), '--task',
                                       'listsessions').stdout

    def _own_accounts(self):
        """Ordinary accounts, for which sshd_config has the forced command.  What the
        second one's says about the user is not for it to say."""
        block = 'Match User %s\n    ForceCommand %s\n'
        return ''.join(block % (account.name, shlex.join(self.site.command(*pin)))
                       for account, pin in ((self.user, []),
                                            (self.other, self.pin(self.user))))

    @staticmethod
    def pin(account):
        return ['--user', account.name]

    def named(self, text):
        """The text with the accounts' names in it."""
        text = to_bytes(text)
        for word, account in ((b'USER', self.user), (b'OTHER', self.other)):
            text = re.sub(rb'\b%b\b' % word, account.name.encode(), text)
        return text

    def connect(self, account, *more, **config):
        """A connection with a new key, which leads to the broker with these operator
        options where account is the shared one."""
        # not the number of files there: sockets of idle connections go again
        name = 'key%d' % next(self.numbers)
        command = self.site.command(*more, **config) \
            if account is self.shared else None
        key = give_key(self.sshd, account, name, command)
        return self.stack.enter_context(
            Connection(self.sshd, account, key))

    def body(self, expected):
        return self.listing if expected == LISTING else expected

    def check(self, answer, expected, name):
        """All of stdout, and not a byte on stderr, which a client shows in a box."""
        self.tap.equal((answer.stdout, answer.stderr), (expected, b''), name)

    def check_task(self, answer, expected, name):
        """The answer, between markers, to something sent in an envelope."""
        self.check(answer, framed(self.body(expected)), name)


def programs(tap, *names):
    """The programs to test, from the command line or else the environment: as many
    as there are of the variables called names; the first one must be there."""
    given = sys.argv[1:] + [os.environ.get(name, '')
                            for name in names[len(sys.argv) - 1:]]
    found = [os.path.abspath(path) for path in given if path]
    good = found and all(os.access(path, os.X_OK) for path in found)
    return found if tap.ok(good, 'the broker is there', 'please build it first and '
                           'name it: %s PATH' % os.path.basename(sys.argv[0])) else []


def run(tests, **packages):
    """A whole test program: tests are functions of a World."""
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**PACKAGES, **packages):
            return
        found = programs(tap, 'X2GOBROKER')
        if not found:
            return
        world = World(tap, found[0], stack)
        for test in tests:
            # What goes wrong in one says nothing about the others.
            with tap.case(test.__name__ + ': no step failed', world.sshd.log_tail):
                test(world)
