#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks, a row each, on the broker behind a real sshd, or, where sshd is not the way
in, by a user of the same host.  Beside it the Python X2Go Session Broker (Debian's
x2gobroker, x2gobroker-ssh), which has to stand the same attack, here and now.

usage: test_attacks.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)

The table that this prints is kept in the file ATTACKS.  What becomes of the Python
broker is for information; any row that ours falls to is a failure.
"""

import collections
import contextlib
import itertools
import os
import pathlib
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import brokerlab
import lab
from brokerlab import DENIED, GRANTED, LIST, framed, wrap

sys.dont_write_bytecode = True

PYTHON, PYTHON_SETUID = '/usr/bin/x2gobroker', '/usr/bin/x2gobroker-ssh'
PYTHON_USER, PYTHON_GROUP = 'x2gobroker', 'x2gobroker-users'

SECRET = 'the-secret-of-this-site'
EXAMPLE = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'

# USER, OTHER, PYTHON stand for accounts.  The last profile is what attackers write.
PROFILES = '''\
[desk]
name = Desk
host = desk.example
user = USER

[mine]
name = For the attackers
host = mine.example
user = USER
acl-users-allow = USER, PYTHON

[secret]
name = For somebody else
host = secret.example
user = OTHER
acl-users-allow = OTHER

[near]
name = For some addresses
host = near.example
user = USER
acl-clients-allow = 192.0.2.0/24
'''
EVIL = '[evil]\nname=Evil\nhost=evil.example\nuser=x\n'

# None of these may be in an answer to an attacker.
TREASURES = (b'secret.example', b'near.example', b'evil.example')

PYTHON_CONF = '''\
[global]
require-cookie = {cookie}
my-cookie-file = {dir}/python/authid
default-portscan-x2goservers = false
{more}
[broker_inifile]
enable = true
use-load-checker = false
'''

TOKEN_CONF = '''\
require-cookie = true
my-cookie = {secret}
cookie-directory = {dir}
token-grace = {grace}
auth-timeout = {timeout}
'''

PRELOAD = r'''
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void
act(void)
{
    close(open(CANARY, O_WRONLY | O_CREAT, 0666));
}
'''


def leaks(answer):
    return any(treasure in answer.stdout for treasure in TREASURES)


def token_in(answer):
    found = re.search(rb'(?m)^AUTHID:(.*)$', answer.stdout)
    return found.group(1).decode() if found else ''


class Arena(brokerlab.World):
    """The world of all tests, and more: an account with a shell of its own, and the
    Python broker with an account that uses it."""

    def __init__(self, tap, program, stack):
        self.canary_dir = tempfile.mkdtemp(prefix='x2gobroker-canary.')
        stack.callback(shutil.rmtree, self.canary_dir)
        os.chmod(self.canary_dir, 0o1777)
        self.local, self.snake = (stack.enter_context(lab.Account(groups=groups))
                                  for groups in ([], [PYTHON_GROUP] * lab.has_python_broker()))
        super().__init__(tap, program, stack)
        self.site.write('profiles.conf', self.named(PROFILES))
        self.own = self.connect(self.user)
        self.shell = self.connect(self.local)
        self.python = self.connect(self.snake)
        self.listing = self.client.ask(LIST).stdout
        self.setuid = self._setuid_copy()

    def _own_accounts(self):
        """Here the site gets its files, too: the accounts are there, and no sshd."""
        os.mkdir(self.site.path('python'), 0o755)
        self.python_profiles = self.site.path('python/profiles.conf')
        self.reset_python()
        forced = shlex.join(self.site.command())
        return f'''\
AcceptEnv *
Subsystem sftp internal-sftp
X11Forwarding yes
Match User {self.shared.name}
    LogLevel DEBUG1
Match User {self.user.name}
    ForceCommand {forced}
    PermitTTY yes
    DisableForwarding yes
    PermitUserRC no
    LogLevel DEBUG1
Match User {self.snake.name}
    SetEnv X2GOBROKER_CONFIG={self.site.path('python/x2gobroker.conf')} \
X2GOBROKER_SESSIONPROFILES={self.python_profiles} X2GOBROKER_LOGCONFIG={self.site.path('python/none')}
'''

    def _setuid_copy(self):
        """A copy that anybody may start, as the broker account's.  A setuid program
        does not look for a library at a place relative to its own."""
        place = tempfile.mkdtemp(prefix='x2g', dir='/tmp')      # as short as can be
        self.stack.callback(shutil.rmtree, place)
        os.chmod(place, 0o755)
        found = subprocess.run(['ldd', self.program], stdout=subprocess.PIPE,
                               check=True, text=True).stdout
        for library in re.findall(r'libx2gobroker\S* => (\S+)', found):
            shutil.copy(library, os.path.join(place, 'libx2gobroker.so.0'))
        relative = b'$ORIGIN/../../lib\0'
        text = pathlib.Path(self.program).read_bytes()
        text = text.replace(relative, place.encode().ljust(len(relative), b'\0'))
        copy = self.site.path('setuid-x2gobroker')
        pathlib.Path(copy).write_bytes(text)
        os.chown(copy, self.shared.uid, self.shared.gid)
        os.chmod(copy, 0o4755)
        return copy

    def named(self, text):
        text = super().named(text)
        return re.sub(rb'\bPYTHON\b', self.snake.name.encode(), text)

    # Asking

    def no_effect(self, *lines, targets=None, envelope=brokerlab.MODERN):
        """Whether one of the lines got any other answer than the user's listing."""
        return self._unlike(self.listing, lines, targets, envelope)

    def refused(self, *lines, targets=None, envelope=brokerlab.MODERN):
        """Whether one of the lines got any other answer than a refusal."""
        return self._unlike(DENIED, lines, targets, envelope)

    def _unlike(self, expected, lines, targets, envelope):
        fell = False
        for target in targets or (self.client, self.own):
            for line in lines:
                line = self.named(line)
                for text, body in ((line, expected),
                                   (wrap(line, envelope), framed(expected))):
                    answer = target.ask(text)
                    if answer.stdout != body or answer.stderr or self.canaries():
                        self.tap.note('to %.200r' % text, '%.600r' % (answer,))
                        fell = True
        return fell

    def shell_line(self, *words, prefix='', program=None):
        """What a user with a shell types."""
        command = [program] if program else self.site.command()
        return prefix + shlex.join([*command, *words])

    def ask_python(self, *words, prefix='', program=PYTHON, suffix=''):
        """The Python broker's answer to a user with a shell, its documented way; that
        shell is none of the broker's business, so it gets every word as it is."""
        words = [self.named(word).decode('latin-1') if isinstance(word, str) else word
                 for word in words]
        line = prefix + shlex.join([program, *words]) + suffix
        return self.python.ask(line.encode('latin-1'))

    def python_leaks(self, *words, **more):
        return leaks(self.ask_python(*words, **more))

    # Canaries: files that attackers have somebody make

    def canary(self):
        return os.path.join(self.canary_dir, 'canary%d' % time.monotonic_ns())

    def canaries(self):
        """Those that are there, which are then taken away, by their owners."""
        found = [os.stat(os.path.join(self.canary_dir, name)).st_uid
                 for name in os.listdir(self.canary_dir)]
        for name in os.listdir(self.canary_dir):
            os.unlink(os.path.join(self.canary_dir, name))
        return found

    def as_user(self, account, *command):
        """Something that a local user does; whether it works."""
        return subprocess.run(command, user=account.uid, group=account.gid,
                              extra_groups=[], cwd='/', timeout=10,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    # Configurations

    def reset_python(self, cookie='false', more=''):
        self.site.write('python/x2gobroker.conf', PYTHON_CONF.format(
            cookie=cookie, more=more, dir=self.site.dir))
        self.site.write('python/profiles.conf', self.named(PROFILES))
        self.site.write('python/authid', SECRET + '\n')
        cookies = os.path.join(self.snake.home, '.x2go')
        shutil.rmtree(cookies, ignore_errors=True)

    def token_site(self, grace=10, timeout=36000, secret=SECRET):
        """A configuration with tokens: its file and its directory."""
        number = len(os.listdir(self.site.dir))
        directory = self.site.path('cookies%d' % number)
        os.mkdir(directory, 0o700)
        os.chown(directory, self.shared.uid, self.shared.gid)
        file = 'token%d.conf' % number
        self.site.write(file, self.site.conf().replace('[global]\n', '[global]\n' +
                        TOKEN_CONF.format(secret=secret, dir=directory, grace=grace,
                                          timeout=timeout)))
        return file, directory

    def token_client(self, account=None, **more):
        file, directory = self.token_site(**more)
        client = self.connect(self.shared, *self.pin(account or self.user),
                              config=file)
        client.file, client.directory = file, directory
        return client


def with_token(client, token, **more):
    return client.ask('x2gobroker --authid "%s" --task listsessions' % token, **more)


# The attacks.  Each is a function of the arena that says whether ours falls, and
# another one for the Python broker, or a text that says why there is none.

Attack = collections.namedtuple('Attack', 'name ours python')
ATTACKS = []

SHELL = 'its users have a shell'
SSHD = "sshd's settings; " + SHELL


def attack(name, python):
    def note(ours):
        ATTACKS.append(Attack(name, ours, python))
        return ours
    return note


def python_words(*lines):
    """For the Python broker: lists of words; whether one of them is answered with a
    treasure, or has somebody else do something."""
    def fell(arena):
        answers = [arena.ask_python(*words) for words in lines]
        return bool([answer for answer in answers
                     if leaks(answer) or answer.status is None] or arena.canaries())
    return fell


LISTING = ('--task', 'listsessions')


def selecting(sid, *more):
    return ('--task', 'selectsession', '--sid', sid, *more)


# Who is asking

@attack('--user of somebody else', python_words(('--user', 'OTHER', *LISTING),
                                                 ('--user', 'root', *LISTING)))
def user(arena):
    return arena.no_effect('x2gobroker --user OTHER --task listsessions',
                           'x2gobroker --task listsessions --user "OTHER"',
                           'x2gobroker --user root --task listsessions')


@attack('--login of somebody else', lambda arena: b'SERVER:' in arena.ask_python(
    *selecting('desk', '--login', 'OTHER')).stdout)
def login(arena):
    lines = ['x2gobroker --task selectsession --sid "%s" --login OTHER' % sid
             for sid in ('mine', 'secret')]
    return arena.refused(*lines, 'x2gobroker --task selectsession --sid "desk" '
                         '--login root')


@attack('--login of somebody else, in the listing', lambda arena:
        b'user=' + arena.other.name.encode() in
        arena.ask_python('--login', 'OTHER', *LISTING).stdout)
def login_in_listing(arena):
    return arena.no_effect('x2gobroker --login OTHER --task listsessions')


@attack("a profile that the user may not see, selected",
        python_words(selecting('secret'), selecting('near')))
def hidden(arena):
    return arena.refused('x2gobroker --task selectsession --sid "secret"',
                         'x2gobroker --task selectsession --sid "secret" --user OTHER',
                         'x2gobroker --task selectsession --sid "near"')


def python_oracle(arena):
    hidden, missing = (arena.ask_python(*selecting(sid)).stdout
                       for sid in ('secret', 'nosuch'))
    return hidden != missing


@attack('does a profile exist that is not shown?', python_oracle)
def oracle(arena):
    lines = ['x2gobroker --task selectsession --sid "%s"' % sid
             for sid in ('secret', 'nosuch')]
    answers = [arena.client.ask(line) for line in lines]
    return answers[0][:3] != answers[1][:3]


@attack("a login with somebody else's account", 'sshd decides it')
def other_account(arena):
    answer = arena.sshd.ssh(arena.other.name, arena.client.key, LIST)
    return GRANTED in answer.stdout


# The operator's options

def python_config(arena):
    """With tokens required, can the user choose a file in which they are not?"""
    arena.reset_python(cookie='true')
    evil = arena.snake.put('evil.conf', '[global]\nrequire-password = false\n'
                           'require-cookie = false\n[broker_inifile]\nenable = true\n')
    if GRANTED in arena.ask_python(*LISTING).stdout:
        raise RuntimeError('the token is not required')
    return GRANTED in arena.ask_python('-C', evil, *LISTING).stdout


@attack('-C FILE from the client', python_config)
def config(arena):
    arena.site.write('evil.conf', arena.site.conf().replace('profiles.conf',
                                                            'evil-profiles.conf'))
    arena.site.write('evil-profiles.conf', EVIL)
    evil = arena.site.path('evil.conf')
    return arena.no_effect(f'x2gobroker -C {evil} --task listsessions',
                           f'x2gobroker --config-file={evil} --task listsessions',
                           f'x2gobroker --task listsessions --config-file {evil}') \
        or arena.refused(f'x2gobroker --task listsessions -C "{evil}"')


def python_config_setuid(arena):
    arena.reset_python(cookie='true')
    evil = arena.snake.put('evil.conf', '[global]\nrequire-password = false\n'
                           'require-cookie = false\n[broker_inifile]\nenable = true\n')
    os.chmod(arena.snake.home, 0o755)
    os.chmod(evil, 0o644)
    return GRANTED in arena.ask_python('-C', evil, *LISTING,
                                       program=PYTHON_SETUID).stdout


@attack('-C FILE from the caller of a setuid broker', python_config_setuid)
def config_setuid(arena):
    evil = arena.site.path('evil.conf')
    answers = [arena.shell.ask(shlex.join([arena.setuid, *words, *LISTING]))
               for words in (['-C', evil], ['--config-file', evil],
                             ['--config-file=' + evil],
                             ['-C', arena.site.path('x2gobroker.conf')])]
    return any(answer.stdout != DENIED for answer in answers)


@attack('--user from the caller of a setuid broker',
        lambda arena: arena.python_leaks('--user', 'OTHER', *LISTING,
                                         program=PYTHON_SETUID))
def user_setuid(arena):
    # It reads the host's own files, so it is the log that says for whom.
    answers = [arena.shell.ask(shlex.join([arena.setuid, '-d', *words, *LISTING]))
               for words in (['--user', arena.other.name], ['--user=root'])]
    return any(b'user=' + name in answer.stderr for answer in answers
               for name in (arena.other.name.encode(), b'root'))


@attack('--backend from the client',
        python_words(('--backend', 'zeroconf', *LISTING),
                     ('--backend', '../../tmp/x', *LISTING)))
def backend(arena):
    return arena.no_effect('x2gobroker --backend zeroconf --task listsessions',
                           'x2gobroker --task listsessions --backend=zeroconf')


def python_code(arena):
    """Does it run, and as whom?  Users of x2gobroker-ssh are not the account that it
    runs as."""
    code = 'inifile_broker\nopen("%s", "w")#' % arena.canary()
    arena.ask_python('--backend', code, *LISTING, program=PYTHON_SETUID)
    return pwd.getpwnam(PYTHON_USER).pw_uid in arena.canaries()


@attack('--backend with Python code in it', python_code)
def backend_code(arena):
    code = 'base_broker\nopen("%s", "w")' % arena.canary()
    for target in arena.client, arena.own:
        target.ask('x2gobroker --task listsessions --backend "%s"' % code)
        target.ask(wrap("x2gobroker --task listsessions --backend '%s'" % code))
    return bool(arena.canaries())


# The environment

def with_environment(arena, *settings):
    """Whether something that the client has sshd put into the environment changes the
    answer: sshd here takes all that it is sent."""
    fell = False
    for name, value in settings:
        for target in arena.client, arena.own:
            answer = arena.sshd.ssh(target.account.name, target.key, LIST,
                                    options=['SetEnv="%s=%s"' % (name, value)])
            if answer.stdout != arena.listing or answer.stderr or arena.canaries():
                arena.tap.note('%s=%s: %.600r' % (name, value, answer))
                fell = True
    return fell


def python_environment(prefix, program=PYTHON, *words):
    return lambda arena: arena.python_leaks(
        *words, *LISTING, program=program,
        prefix=arena.named(prefix).decode() + ' ')


@attack('LOGNAME and USER from the client',
        python_environment('LOGNAME=OTHER USER=OTHER'))
def logname(arena):
    return with_environment(arena, ('LOGNAME', arena.other.name),
                            ('USER', arena.other.name), ('LOGNAME', 'root'))


@attack('LOGNAME and USER of the caller', python_environment(
    'LOGNAME=OTHER USER=OTHER', PYTHON_SETUID))
def logname_local(arena):
    line = arena.shell_line('-d', *LISTING, prefix='LOGNAME=%s USER=%s ' % (
        arena.other.name, arena.other.name))
    answer = arena.shell.ask(line)
    return leaks(answer) or GRANTED not in answer.stdout


def python_daemon_user(arena):
    return arena.python_leaks('--user', 'OTHER', *LISTING,
                              prefix='X2GOBROKER_DAEMON_USER=$LOGNAME ')


@attack('X2GOBROKER_* in the environment', python_daemon_user)
def variables(arena):
    evil = arena.site.path('evil.conf')
    return with_environment(
        arena, ('X2GOBROKER_DAEMON_USER', arena.user.name),
        ('X2GOBROKER_CONFIG', evil),
        ('X2GOBROKER_SESSIONPROFILES', arena.site.path('evil-profiles.conf')),
        ('X2GOBROKER_DEFAULT_BACKEND', 'zeroconf'), ('X2GOBROKER_DEBUG', '1'))


def python_home(arena):
    """Its cookies are below ~, so another home is another set of them."""
    arena.reset_python(cookie='true')
    home = os.path.join(arena.canary_dir, 'home')
    cookies = os.path.join(home, '.x2go/broker-cookies')
    arena.as_user(arena.snake, 'mkdir', '-p', cookies)
    arena.as_user(arena.snake, 'sh', '-c', 'echo 127.0.0.1 %f >%s/%s_x' % (
        time.time(), cookies, arena.snake.name))
    answer = arena.ask_python('--authid', 'x', *LISTING, prefix='HOME=%s ' % home)
    shutil.rmtree(home)
    return GRANTED in answer.stdout


@attack('HOME from the client', python_home)
def home(arena):
    return with_environment(arena, ('HOME', arena.canary_dir), ('HOME', ''))


def python_path(arena):
    directory = os.path.join(arena.snake.home, 'bin')
    arena.snake.put('bin/python3', '#!/bin/sh -p\n: >%s\n' % arena.canary(), 0o755)
    for path in (arena.snake.home, directory, directory + '/python3'):
        os.chmod(path, 0o755)
    arena.ask_python(*LISTING, prefix='PATH=%s:$PATH ' % directory,
                     program=PYTHON_SETUID)
    return pwd.getpwnam(PYTHON_USER).pw_uid in arena.canaries()


def setuid_canary(arena, *settings):
    """Whether a setuid copy makes a file for its caller, by any of the settings."""
    for prefix in settings:
        arena.shell.ask(shlex.join(['env', prefix, arena.setuid, *LISTING]))
    return arena.shared.uid in arena.canaries()


@attack('PATH', python_path)
def path(arena):
    script = '#!/bin/sh -p\n: >%s\n' % arena.canary()
    for name in 'sh', 'id', 'getent', 'x2gobroker-pam', 'python3':
        file = arena.local.put('bin/' + name, script)
        for place in (arena.local.home, os.path.dirname(file), file):
            os.chmod(place, 0o755)
    return with_environment(arena, ('PATH', os.path.dirname(file))) or \
        setuid_canary(arena, 'PATH=' + os.path.dirname(file))


def python_module(arena):
    file = arena.snake.put('lib/sitecustomize.py',
                           'open("%s", "w")\n' % arena.canary())
    for place in (arena.snake.home, os.path.dirname(file), file):
        os.chmod(place, 0o755)
    arena.ask_python(*LISTING, prefix='PYTHONPATH=%s ' % os.path.dirname(file),
                     program=PYTHON_SETUID)
    return pwd.getpwnam(PYTHON_USER).pw_uid in arena.canaries()


@attack('PYTHONPATH', python_module)
def pythonpath(arena):
    return with_environment(arena, ('PYTHONPATH', '/tmp'), ('PYTHONHOME', '/tmp'),
                            ('PYTHONSTARTUP', '/tmp/x'))


def preload(arena, account, name, canary):
    """A library that makes a file, and is called name."""
    source = account.put('preload.c', PRELOAD)
    target = os.path.join(arena.canary_dir, name)
    subprocess.run(['cc', '-shared', '-fPIC', '-DCANARY="%s"' % canary, '-o',
                    target, source], check=True, timeout=60)
    os.chmod(target, 0o755)
    saved = arena.site.path(name)           # where it does not count as a canary
    shutil.move(target, saved)
    return saved


def python_preload(arena):
    library = preload(arena, arena.snake, 'python.so', arena.canary())
    arena.ask_python(*LISTING, prefix='LD_PRELOAD=%s ' % library, program=PYTHON_SETUID)
    return pwd.getpwnam(PYTHON_USER).pw_uid in arena.canaries()


@attack('LD_PRELOAD of the caller of a setuid broker', python_preload)
def ld_preload(arena):
    library = preload(arena, arena.local, 'ours.so', arena.canary())
    return setuid_canary(arena, 'LD_PRELOAD=' + library, 'LD_AUDIT=' + library)


def python_library_path(arena):
    library = preload(arena, arena.snake, 'libz.so.1', arena.canary())
    arena.ask_python(*LISTING, program=PYTHON_SETUID,
                     prefix='LD_LIBRARY_PATH=%s ' % os.path.dirname(library))
    return pwd.getpwnam(PYTHON_USER).pw_uid in arena.canaries()


@attack('LD_LIBRARY_PATH of the caller of a setuid broker', python_library_path)
def ld_library_path(arena):
    canary = arena.canary()
    for name in 'libinih.so.1', 'libmd.so.0', 'libc.so.6':
        library = preload(arena, arena.local, name, canary)
    fell = setuid_canary(arena, 'LD_LIBRARY_PATH=' + os.path.dirname(library))
    for name in 'libinih.so.1', 'libmd.so.0', 'libc.so.6', 'libz.so.1':
        with contextlib.suppress(FileNotFoundError):
            os.unlink(arena.site.path(name))
    return fell


@attack('locale, resolver and malloc variables', SHELL)
def other_variables(arena):
    return with_environment(
        arena, ('HOSTALIASES', '/etc/shadow'), ('RES_OPTIONS', 'debug'),
        ('LOCALDOMAIN', 'evil.example'), ('TZ', '/etc/shadow'), ('LANG', 'xx'),
        ('LOCPATH', '/tmp'), ('NLSPATH', '/tmp/%s%n'), ('TMPDIR', '/etc/passwd'),
        ('IFS', '/'), ('ENV', '/tmp/x'), ('MALLOC_CHECK_', '3'))


@attack('SSH_CLIENT and SSH_CONNECTION from the client', python_environment(
    "SSH_CLIENT='192.0.2.7 50000 22' SSH_CONNECTION='192.0.2.7 50000 192.0.2.1 22'"))
def address(arena):
    return with_environment(arena, ('SSH_CLIENT', '192.0.2.7 50000 22'),
                            ('SSH_CONNECTION', '192.0.2.7 50000 192.0.2.1 22'))


@attack('SSH_ORIGINAL_COMMAND from the client', 'it does not read it')
def original_command(arena):
    forged = 'x2gobroker --user %s --task listsessions' % arena.other.name
    return with_environment(arena, ('SSH_ORIGINAL_COMMAND', forged)) or any(
        leaks(arena.sshd.ssh(target.account.name, target.key,
                             options=['SetEnv="SSH_ORIGINAL_COMMAND=%s"' % forged]))
        for target in (arena.client, arena.own))


@attack('SSH_USER_AUTH from the client: a file, a pipe', 'it does not read it')
def user_auth(arena):
    pipe = os.path.join(arena.site.dir, 'pipe')
    os.mkfifo(pipe, 0o666)
    arena.site.log()
    fell = with_environment(arena, ('SSH_USER_AUTH', arena.site.path('profiles.conf')),
                            ('SSH_USER_AUTH', '/etc/passwd'), ('SSH_USER_AUTH', pipe),
                            ('SSH_USER_AUTH', '/dev/zero'))
    os.unlink(pipe)
    log = arena.site.log()
    return fell or b'root:' in log or b'secret.example' in log


# The process

def files_of(directory):
    return {path: path.read_bytes() for path in pathlib.Path(directory).rglob('*')
            if path.is_file()}


def python_closed(arena):
    before = files_of(arena.site.path('python'))
    for closed in ' <&-', ' >&-', ' 2>&-', ' <&- >&- 2>&-':
        if leaks(arena.ask_python(*LISTING, suffix=closed)):
            return True
    return files_of(arena.site.path('python')) != before


@attack('standard descriptors are closed', python_closed)
def closed_descriptors(arena):
    before = {name: text for name, text in files_of(arena.site.dir).items()
              if name.name != 'broker.log'}
    arena.site.log()
    for closed in ' <&-', ' >&-', ' 2>&-', ' <&- >&- 2>&-':
        line = arena.shell_line(*LISTING) + closed
        if leaks(arena.shell.ask(line)):
            return True
    after = {name: text for name, text in files_of(arena.site.dir).items()
             if name.name != 'broker.log'}
    # The answer must not land in the log, which would be opened as number 1.
    return after != before or GRANTED in arena.site.log()


LIMITS = ['-n 3', '-n 4', '-n 5', '-n 6', '-n 8', '-n 12', '-s 64', '-v 20000',
          '-d 1000', '-t 0', '-f 0']


@attack('tiny limits: open files, stack, memory, time, file size', lambda arena: any(
    arena.python_leaks(*LISTING, prefix='ulimit %s; ' % limit) for limit in LIMITS))
def tiny_limits(arena):
    for limit in LIMITS:
        answer = arena.shell.ask(arena.shell_line(*LISTING, prefix='ulimit %s; ' %
                                                  limit))
        if leaks(answer):
            return True
    return False


@attack('signals are blocked or ignored, timers run', lambda arena: arena.python_leaks(
    *LISTING, prefix="trap '' HUP INT QUIT PIPE ALRM TERM XFSZ; "))
def signals(arena):
    return leaks(arena.shell.ask(arena.shell_line(
        *LISTING, prefix="trap '' HUP INT QUIT PIPE ALRM TERM XFSZ; ")))


# Tokens

def python_tokens(steps):
    """With tokens required: steps is a function of the arena, with a token of the
    user's, that says whether it falls."""
    def fell(arena):
        arena.reset_python(cookie='true', more='auth-timeout = 2' if
                           steps.__name__ == 'python_late' else '')
        # It dies of an exception unless the secret has a file of its own.
        cookies = os.path.join(arena.snake.home, '.x2go/broker-cookies')
        arena.as_user(arena.snake, 'mkdir', '-p', cookies)
        arena.as_user(arena.snake, 'touch', '%s/%s_%s' % (cookies, arena.snake.name,
                                                          SECRET))
        token = token_in(arena.ask_python('--authid', SECRET, *LISTING))
        if not token:
            raise RuntimeError('the Python broker gives no token')
        return steps(arena, token)
    return fell


@attack('no token, where one is required', python_tokens(
    lambda arena, token: GRANTED in arena.ask_python(*LISTING).stdout))
def no_token(arena):
    client = arena.token_client()
    return arena.refused(LIST, 'x2gobroker --task selectsession --sid "desk"',
                         'x2gobroker --authid "" --task listsessions',
                         targets=[client])


def python_example(arena):
    arena.reset_python(cookie='true', more='my-cookie = ' + EXAMPLE)
    arena.site.write('python/authid', EXAMPLE + '\n')
    return GRANTED in arena.ask_python('--authid', EXAMPLE, *LISTING).stdout


@attack("the secret of the example file", python_example)
def example_secret(arena):
    client = arena.token_client(secret=EXAMPLE)
    return GRANTED in with_token(client, EXAMPLE).stdout


def python_replay(arena, token):
    first = arena.ask_python('--authid', token, *LISTING).stdout
    time.sleep(2.1)
    return GRANTED not in first or \
        GRANTED in arena.ask_python('--authid', token, *LISTING).stdout


@attack('a token, again after its grace', python_tokens(python_replay))
def replay(arena):
    client = arena.token_client(grace=1)
    first = token_in(with_token(client, SECRET))
    second = token_in(with_token(client, first))
    time.sleep(2.1)
    return not (first and second) or GRANTED in with_token(client, first).stdout or \
        GRANTED not in with_token(client, second).stdout


def python_late(arena, token):
    time.sleep(3.1)
    return GRANTED in arena.ask_python('--authid', token, *LISTING).stdout


@attack('a token after auth-timeout', python_tokens(python_late))
def late(arena):
    client = arena.token_client(timeout=2)
    token = token_in(with_token(client, SECRET))
    time.sleep(3.1)
    return not token or GRANTED in with_token(client, token).stdout


def python_others(arena, token):
    """Another user's cookie, as a file; for this one it is not even looked for."""
    return GRANTED in arena.ask_python('--user', 'OTHER', '--authid', token, *LISTING,
                                       prefix='LOGNAME=OTHER '.replace(
                                           'OTHER', arena.other.name)).stdout


@attack('a token of somebody else', python_tokens(python_others))
def others_token(arena):
    client = arena.token_client()
    thief = arena.connect(arena.shared, *arena.pin(arena.other), config=client.file)
    token = token_in(with_token(client, SECRET))
    return not token or GRANTED in with_token(thief, token).stdout or \
        GRANTED not in with_token(client, token).stdout


def from_elsewhere(arena, target, line):
    return arena.sshd.ssh(target.account.name, target.key, line,
                          options=['BindAddress=127.0.0.2'])


def python_line(*words):
    return shlex.join([PYTHON, *words])


def python_elsewhere(arena, token):
    return GRANTED in from_elsewhere(arena, arena.python, python_line(
        '--authid', token, *LISTING)).stdout


@attack('a token from another address', python_tokens(python_elsewhere))
def elsewhere(arena):
    client = arena.token_client()
    token = token_in(with_token(client, SECRET))
    line = 'x2gobroker --authid %s --task listsessions' % token
    return not token or GRANTED in from_elsewhere(arena, client, line).stdout


def python_used_up(arena, token):
    from_elsewhere(arena, arena.python, python_line('--authid', token, *LISTING))
    return GRANTED not in arena.ask_python('--authid', token, *LISTING).stdout


@attack("a thief's try uses up the token of its owner", python_tokens(python_used_up))
def used_up(arena):
    client = arena.token_client()
    token = token_in(with_token(client, SECRET))
    from_elsewhere(arena, client, 'x2gobroker --authid %s --task listsessions' % token)
    client.ask('x2gobroker --authid %s --task selectsession --sid "secret"' % token)
    return not token or GRANTED not in with_token(client, token).stdout


def python_forged(arena, token):
    cookies = os.path.join(arena.snake.home, '.x2go/broker-cookies')
    arena.as_user(arena.snake, 'sh', '-c', 'echo 127.0.0.1 %f >%s/%s_forged' % (
        time.time(), cookies, arena.snake.name))
    return GRANTED in arena.ask_python('--authid', 'forged', *LISTING).stdout


@attack("a token file made by the user", python_tokens(python_forged))
def forged(arena):
    """Where users run it themselves, the token directory is not theirs."""
    client = arena.token_client()
    made = arena.as_user(arena.user, 'sh', '-c', ': >%s/x' % client.directory) or \
        arena.as_user(arena.user, 'ls', client.directory)
    line = shlex.join([arena.program, '-C', arena.site.path(client.file), '--authid',
                       SECRET, *LISTING])
    # Not even a directory of their own will do, as the configuration names it.
    return made or GRANTED in arena.shell.ask(line).stdout


def python_symlink(arena, token):
    cookies = os.path.join(arena.snake.home, '.x2go/broker-cookies')
    file = arena.snake.put('forged', '127.0.0.1 %f' % time.time())
    arena.as_user(arena.snake, 'ln', '-s', file,
                  '%s/%s_linked' % (cookies, arena.snake.name))
    return GRANTED in arena.ask_python('--authid', 'linked', *LISTING).stdout


@attack('symbolic links in the token directory', python_tokens(python_symlink))
def token_symlink(arena):
    client = arena.token_client()
    token = token_in(with_token(client, SECRET))
    file, = os.listdir(client.directory)
    file = os.path.join(client.directory, file)
    moved = file + '.moved'
    os.rename(file, moved)
    os.symlink(moved, file)
    return not token or GRANTED in with_token(client, token).stdout


def python_token_directory(arena, token):
    """Made open to all by somebody's mistake."""
    cookies = os.path.join(arena.snake.home, '.x2go/broker-cookies')
    for place in (arena.snake.home, os.path.dirname(cookies)):
        os.chmod(place, 0o755)
    os.chmod(cookies, 0o777)
    arena.as_user(arena.local, 'sh', '-c', 'umask 0; echo 127.0.0.1 %f >%s/%s_planted' %
                  (time.time(), cookies, arena.snake.name))
    return GRANTED in arena.ask_python('--authid', 'planted', *LISTING).stdout


@attack('a token directory that others may write to',
        python_tokens(python_token_directory))
def token_directory(arena):
    client = arena.token_client()
    fell = False
    for mode in 0o777, 0o770, 0o1777:
        os.chmod(client.directory, mode)
        fell = fell or GRANTED in with_token(client, SECRET).stdout
    return fell


def python_traversal(arena, token):
    arena.snake.put('planted', '127.0.0.1 %f' % time.time())
    return any(GRANTED in arena.ask_python('--authid', text, *LISTING).stdout
               for text in ('../planted', '/../../../planted', 'x/../../../planted',
                            arena.snake.home + '/planted'))


@attack('a path in --authid', python_tokens(python_traversal))
def authid_path(arena):
    client = arena.token_client()
    token = token_in(with_token(client, SECRET))
    name, = os.listdir(client.directory)
    return not token or arena.refused(
        *['x2gobroker --authid "%s" --task listsessions' % text for text in (
            name, '../' + name, './' + name, os.path.join(client.directory, name),
            '../../../../etc/passwd', '/etc/passwd', '.', '..', '/', '*',
            '%2e%2e%2f' + name)], targets=[client])


# Files

@attack('a path in --sid', python_words(*[selecting(sid) for sid in (
    '../../etc/passwd', '/etc/passwd', '../secret', 'desk/../secret', 'secret ',
    'DEFAULT')]))
def sid_path(arena):
    return arena.refused(*['x2gobroker --task selectsession --sid "%s"' % sid for sid in (
        '../../etc/passwd', '/etc/passwd', '../secret', 'desk/../secret', 'secret ',
        ' secret', 'Secret', 'DEFAULT', '.', '*', 'profiles.conf')])


def written_by_others(arena, mode, directory_mode, file):
    """Ours with a site in which a mistake lets others write: the profile or the
    configuration file, or the directory that they are in."""
    place = arena.site.path('open%d' % len(os.listdir(arena.site.dir)))
    os.mkdir(place, 0o755)
    conf = arena.site.conf().replace(arena.site.path('profiles.conf'),
                                     place + '/profiles.conf')
    pathlib.Path(place, 'x2gobroker.conf').write_text(conf)
    pathlib.Path(place, 'profiles.conf').write_text('[desk]\nname=D\nhost=desk.example\n')
    pathlib.Path(place, 'evil').write_text(EVIL)
    attack_on(arena, place, file, mode, directory_mode)
    client = arena.connect(arena.shared, *arena.pin(arena.user),
                           config=os.path.relpath(place + '/x2gobroker.conf',
                                                  arena.site.dir))
    fell = leaks(client.ask(LIST)) or leaks(client.ask(
        'x2gobroker --task selectsession --sid "evil"'))
    # The same, had it been the administrator: then it is what he wants.
    for path, right in ((place, 0o755), (os.path.join(place, file), 0o644)):
        os.chmod(path, right)
        os.chown(path, 0, 0)
    if not leaks(client.ask(LIST)):
        raise RuntimeError('this attack would never succeed')
    return fell


def attack_on(arena, place, file, mode, directory_mode):
    """As a user of the host, put EVIL into the profiles by what the modes allow."""
    target = os.path.join(place, file)
    os.chmod(target, mode)
    os.chmod(place, directory_mode)
    text = pathlib.Path(target).read_text()
    if 'profiles' in file:
        text += EVIL
    else:
        text = text.replace(place + '/profiles.conf', place + '/evil')
    command = 'printf %s "$2" >$1.new; mv -f $1.new $1' if directory_mode & 0o002 \
        else 'printf %s "$2" >$1'
    if not arena.as_user(arena.local, 'sh', '-c', command, 'sh', target, text):
        raise RuntimeError('nobody could write to ' + target)


def python_open(mode, directory_mode):
    def fell(arena):
        place = arena.site.path('python')
        try:
            attack_on(arena, place, 'profiles.conf', mode, directory_mode)
            return arena.python_leaks(*LISTING)
        finally:
            os.chmod(place, 0o755)
    return fell


@attack('profiles that others may write', python_open(0o666, 0o755))
def open_profiles(arena):
    return written_by_others(arena, 0o666, 0o755, 'profiles.conf')


@attack('profiles in a directory that others may write', python_open(0o644, 0o777))
def open_directory(arena):
    return written_by_others(arena, 0o644, 0o777, 'profiles.conf')


def python_open_config(arena):
    """The attacker switches off what the administrator has required."""
    arena.reset_python(cookie='true')
    file = arena.site.path('python/x2gobroker.conf')
    os.chmod(file, 0o666)
    arena.as_user(arena.local, 'sh', '-c', 'printf %s "$2" >$1', 'sh', file,
                  '[global]\nrequire-password=false\n[broker_inifile]\nenable=true\n')
    return GRANTED in arena.ask_python(*LISTING).stdout


@attack('a configuration file that others may write', python_open_config)
def open_config(arena):
    return written_by_others(arena, 0o666, 0o755, 'x2gobroker.conf')


def python_owner(arena):
    file = arena.python_profiles
    os.chown(file, arena.local.uid, -1)
    arena.as_user(arena.local, 'sh', '-c', 'printf %s "$2" >>$1', 'sh', file, EVIL)
    try:
        return arena.python_leaks(*LISTING)
    finally:
        os.chown(file, 0, -1)


@attack("profiles that are somebody else's", python_owner)
def owner(arena):
    place = arena.site.path('profiles.d/evil.conf')
    pathlib.Path(place).write_text(EVIL)
    os.chown(place, arena.local.uid, 0)
    try:
        return leaks(arena.client.ask(LIST)) or leaks(arena.own.ask(LIST))
    finally:
        os.unlink(place)


def python_profile_link(arena):
    evil = arena.local.put('evil.conf', EVIL, 0o644)
    os.chmod(arena.local.home, 0o755)
    os.unlink(arena.python_profiles)
    os.symlink(evil, arena.python_profiles)
    try:
        return arena.python_leaks(*LISTING)
    finally:
        os.unlink(arena.python_profiles)


@attack("profiles that are a link into a user's home", python_profile_link)
def profile_link(arena):
    evil = arena.local.put('evil.conf', EVIL, 0o644)
    os.chmod(arena.local.home, 0o755)
    link = arena.site.path('profiles.d/evil.conf')
    os.symlink(evil, link)
    try:
        return leaks(arena.client.ask(LIST)) or leaks(arena.own.ask(LIST))
    finally:
        os.unlink(link)


# What the client says

METACHARACTERS = ['$(touch CANARY)', '`touch CANARY`', '; touch CANARY;', '| touch CANARY',
                  '&& touch CANARY', "'; touch CANARY; '", '"; touch CANARY; "',
                  '>CANARY', '${IFS}touch${IFS}CANARY', '\\"$(touch CANARY)\\"',
                  '-oProxyCommand=touch CANARY']


def python_metacharacters(arena):
    """With the agent on this host, which gets the words.  Each start takes a second, so
    each text is in one place, by turns, and the first that works is enough."""
    arena.reset_python(more='default-agent-query-mode = LOCAL')
    places = itertools.cycle((lambda text: selecting('desk', '--login=' + text), selecting,
                              lambda text: ('--user=' + text, *LISTING)))
    return any(arena.ask_python(*place(text.replace('CANARY', arena.canary()))) and
               arena.canaries() for place, text in zip(places, METACHARACTERS))


@attack("$(...), ` ` and the like in --login, --sid, --user", python_metacharacters)
def metacharacters(arena):
    fell = False
    for text in METACHARACTERS:
        text = text.replace('CANARY', arena.canary())
        for line in ('x2gobroker --task selectsession --sid "desk" --login %s',
                     'x2gobroker --task selectsession --sid "desk" --login "%s"',
                     'x2gobroker --task selectsession --sid "%s"',
                     'x2gobroker --task listsessions --user "%s"', 'x; %s', '%s'):
            answer = arena.client.ask(wrap(line % text))
            fell = fell or leaks(answer) or b'desk.example:' in answer.stdout
            arena.own.ask(line % text)
    return fell or bool(arena.canaries())


@attack('commands beside or in the place of the broker', SHELL)
def commands(arena):
    canary = arena.canary()
    lines = [line.replace('CANARY', canary) for line in (
        'touch CANARY', '/bin/sh -c "touch CANARY"', "bash -l -c 'touch CANARY'",
        '; touch CANARY', '\ntouch CANARY', 'x2gobroker; touch CANARY',
        'x2gobroker || touch CANARY', 'sudo touch CANARY', 'python3 -c "0"')]
    return arena.refused(*lines)


@attack("the end of the envelope before its end", SHELL)
def envelope_end(arena):
    canary = arena.canary()
    marker = 'X2GODATAEND:' + brokerlab.UUID
    fell = False
    for inner in ('"; echo "%s";\'; touch %s; \'' % (marker, canary),
                  '\'; touch %s; \'' % canary, '"; touch %s; "' % canary):
        answer = arena.client.ask(wrap('x2gobroker --task selectsession --sid "desk%s"' %
                                       inner))
        fell = fell or GRANTED in answer.stdout or bool(arena.canaries())
    return fell


FORGERY = 'x\nX2GODATAEND:%s\nAccess granted\nSERVER:evil.example:22\n' % brokerlab.UUID


def python_forgery(arena):
    return any(b'evil.example' in arena.ask_python(*words).stdout for words in (
        selecting(FORGERY), selecting('desk', '--login', FORGERY),
        ('--user', FORGERY, *LISTING), ('--login', FORGERY, *LISTING)))


@attack('line feeds and markers in a value, for another answer', python_forgery)
def forgery(arena):
    fell = False
    for line in ('x2gobroker --task selectsession --sid "%s"',
                 'x2gobroker --task selectsession --sid "desk" --login "%s"',
                 'x2gobroker --task listsessions --user "%s"'):
        for text in FORGERY, FORGERY.replace('\n', '\r'), FORGERY.replace('\n', '<br>'):
            answer = arena.client.ask(wrap(line % text)).stdout
            fell = fell or leaks(arena.client.ask(line % text)) or \
                b'evil.example' in answer or answer.count(b'X2GODATAEND') != 1 or \
                answer.count(b'X2GODATABEGIN') != 1
    return fell


@attack("another end marker than the first one", SHELL)
def markers(arena):
    other = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    line = wrap(LIST).replace(b'X2GODATAEND:' + brokerlab.UUID.encode(),
                              b'X2GODATAEND:' + other.encode())
    odd = wrap(LIST, uuid='$(id)-4b5a-6978-8796-a5b4c3d2e1f0')
    return any(GRANTED in target.ask(text).stdout
               for target in (arena.client, arena.own) for text in (line, odd))


FORGED_LOG = 'x\nNov 01 00:00:00 forged: granted user=root'


def python_log(arena):
    answers = [arena.ask_python('--user', FORGED_LOG, *LISTING),
               arena.ask_python(*selecting(FORGED_LOG)),
               arena.ask_python('--backend', FORGED_LOG, *LISTING)]
    return any(re.search(rb'(?m)^Nov 01 00:00:00 forged: granted', answer.stderr)
               for answer in answers)


@attack('line feeds in a value, for another line in the log', python_log)
def log_forgery(arena):
    arena.site.log()
    n = 0
    for line in ('x2gobroker --user "%s" --task listsessions',
                 'x2gobroker --task selectsession --sid "%s"',
                 'x2gobroker --task clientevent --sid "s" --event "%s"',
                 'x2gobroker --task "%s"'):
        for text in (FORGED_LOG, FORGED_LOG.replace('\n', '\r'),
                     FORGED_LOG.replace('\n', '\x1b[1A')):
            arena.client.ask(line % text)
            n += 1
    log = arena.site.log()
    return log.count(b'\n') != n or bool(re.search(rb'[\x00-\x09\x0b-\x1f\x7f]', log)) \
        or bool(re.search(rb'(?m)^Nov 01 00:00:00 forged', log))


FORMATS = ['%s%s%s%s%n%n%n%n', '%n', '%99999999d', '{0.__class__.__mro__}', '{}',
           '%(name)s', '${HOME}', '\\x00\\n']


def python_formats(arena):
    return any(re.search(rb'<class|Traceback', answer.stdout + answer.stderr)
               for i, text in enumerate(FORMATS) for answer in [arena.ask_python(
                   *(('--user', text, *LISTING), selecting(text),
                     ('--task', text))[i % 3])])


@attack('format strings', python_formats)
def formats(arena):
    fell = False
    for text in FORMATS:
        # Some of these hold what no account's name has.
        answer = arena.client.ask('x2gobroker --user "%s" --task listsessions' % text)
        fell = fell or answer.stdout not in (DENIED, arena.listing) or \
            bool(answer.stderr)
        fell = fell or arena.refused(
            'x2gobroker --task selectsession --sid "%s"' % text,
            'x2gobroker --task "%s"' % text, text, targets=[arena.client])
    return fell


def python_twice(arena):
    twice = [selecting('desk', '--sid', 'secret'), selecting('secret', '--sid', 'desk')]
    return any(arena.python_leaks(*words) for words in twice) and \
        not arena.python_leaks(*selecting('secret'))


@attack('an option twice, so that check and use differ', python_twice)
def twice(arena):
    return arena.refused('x2gobroker --task selectsession --sid "desk" --sid "secret"',
                         'x2gobroker --task selectsession --sid desk --profile-id mine',
                         'x2gobroker --task listsessions --task selectsession '
                         '--sid "desk"',
                         'x2gobroker --user USER --user OTHER --task listsessions')


def big(target, text):
    """Whether it takes long, gets a treasure, or no answer at all."""
    answer = target(text)
    return leaks(answer) or answer.status is None or answer.seconds > 5 or \
        (answer.status or 0) < 0 or answer.status > 128


@attack('128 KiB in one value', lambda arena: any(big(
    lambda text: arena.ask_python('--user', text, *LISTING), 'x' * n)
    for n in (1000, 100000, 130000)))
def large(arena):
    def ask(text):
        # Linux refuses a longer variable, and sshd then cannot start a shell.
        return arena.client.ask('x2gobroker --task listsessions --user ' + text)
    return any(big(ask, 'x' * n) for n in (1000, 65536, 100000, 131000)) or any(
        big(lambda text: arena.client.ask(wrap('x2gobroker ' + text)), '--user x ' * n)
        for n in (2, 1000, 13000))


@attack('bytes that are no text', lambda arena: bool([answer for answer in (
    arena.python.ask(b"%s --user '\xff\xfe\xc0\x80' --task listsessions" %
                     PYTHON.encode()),
    arena.python.ask(b"%s --task selectsession --sid '\xff\x1b\x07'" %
                     PYTHON.encode())) if b'Traceback' in answer.stderr or
    leaks(answer)]))
def no_text(arena):
    fell = False
    for line in (b'x2gobroker --user "\xff\xfe\xc0\x80" --task listsessions',
                 b'x2gobroker --task selectsession --sid "\xff\x1b\x07"',
                 b'\xff' * 1000, b'\x01\x02\x03', b'\x1b]0;x\x07'):
        answer = arena.client.ask(line)
        fell = fell or answer.stdout not in (DENIED, arena.listing) or \
            bool(answer.stderr)
    return fell


@attack('a new password for somebody else', lambda arena: b'OK' in arena.ask_python(
    '--user', 'OTHER', '--task', 'setpass').stdout)
def password(arena):
    before = pathlib.Path('/etc/shadow').read_bytes()
    fell = arena.refused('x2gobroker --user OTHER --task setpass --newpass x2go',
                         'x2gobroker --task setpass --newpass x2go')
    mine = [line for line in before.splitlines() if line.startswith(b'x2gotest%d' %
                                                                    os.getpid())]
    after = pathlib.Path('/etc/shadow').read_bytes().splitlines()
    return fell or not set(mine) <= set(after)


# What sshd keeps from them: the key line of the manual, and its ForceCommand

@attack('port forwarding to a place behind the broker', SSHD)
def local_forwarding(arena):
    reached = []
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(0.2)
        for target in arena.client, arena.own:
            command = ['ssh', '-F', 'none', '-l', target.account.name, '-p',
                       str(arena.sshd.port), '-i', target.key, '-o', 'BatchMode=yes',
                       '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none', '-o',
                       'UserKnownHostsFile=' + arena.sshd.known_hosts, '-W',
                       '127.0.0.1:%d' % server.getsockname()[1], '127.0.0.1']
            subprocess.run(command, timeout=15, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with contextlib.suppress(TimeoutError):
                server.accept()[0].close()
                reached.append(target.account.name)
    return bool(reached)


@attack('a port opened on the broker', SSHD)
def remote_forwarding(arena):
    fell = False
    for target in arena.client, arena.own:
        answer = arena.sshd.ssh(target.account.name, target.key, LIST, options=[
            'RemoteForward=0 127.0.0.1:1', 'ExitOnForwardFailure=yes'])
        fell = fell or answer.returncode != 255
    return fell


def forwarded(arena, target, *words):
    """What the client and sshd say when a forwarding is asked for."""
    seen = len(pathlib.Path(arena.sshd.log).read_text(errors='replace'))
    agent = arena.sshd.path('agent%d' % time.monotonic_ns())
    process = subprocess.Popen(['ssh-agent', '-D', '-a', agent],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lab.wait_for(lambda: os.path.exists(agent), 5, 'ssh-agent')
        done = subprocess.run(
            ['ssh', '-F', 'none', '-T', '-l', target.account.name, '-p',
             str(arena.sshd.port), '-i', target.key, '-o', 'BatchMode=yes', '-o',
             'IdentitiesOnly=yes', '-o', 'UserKnownHostsFile=' + arena.sshd.known_hosts,
             *[word.replace('AGENT', agent) for word in words], '127.0.0.1', LIST],
            env={**os.environ, 'DISPLAY': '127.0.0.1:99', 'SSH_AUTH_SOCK': agent},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=15)
    finally:
        lab.end_family(process)
    log = pathlib.Path(arena.sshd.log).read_text(errors='replace')[seen:]
    return done.stderr.decode(errors='replace') + log


@attack('X11 forwarding', SSHD)
def x11(arena):
    refusal = 'X11 forwarding request failed'
    if refusal in forwarded(arena, arena.shell, '-X'):
        raise RuntimeError('nobody gets it')
    return any(refusal not in forwarded(arena, target, '-X')
               for target in (arena.client, arena.own))


@attack('agent forwarding', SSHD)
def agent(arena):
    refusal = 'agent forwarding disabled'
    if refusal in forwarded(arena, arena.shell, '-A'):
        raise RuntimeError('nobody gets it')
    return any(refusal not in forwarded(arena, target, '-A')
               for target in (arena.client, arena.own))


def files(arena, *command):
    """scp or sftp with a file for each target; whether one arrives."""
    place = os.path.join(arena.canary_dir, 'copied')
    for target in arena.client, arena.own:
        base = ['-F', 'none', '-P', str(arena.sshd.port), '-i', target.key, '-o',
                'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none',
                '-o', 'UserKnownHostsFile=' + arena.sshd.known_hosts]
        host = '%s@127.0.0.1' % target.account.name
        words = [word.replace('HOST', host).replace('PLACE', place)
                 for word in command[1:]]
        subprocess.run([command[0], *base, *words], timeout=15,
                       input=b'put /etc/hostname %s\n' % place.encode(),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return bool(arena.canaries())


@attack('sftp', SSHD)
def sftp(arena):
    return files(arena, 'sftp', '-b', '-', 'HOST')


@attack('scp, both protocols', SSHD)
def scp(arena):
    return files(arena, 'scp', '/etc/hostname', 'HOST:PLACE') or \
        files(arena, 'scp', '-O', '/etc/hostname', 'HOST:PLACE') or \
        arena.refused('scp -t /tmp', 'scp -f /etc/passwd',
                      '/usr/lib/openssh/sftp-server')


@attack('a shell, with and without a terminal', SHELL)
def shell(arena):
    canary = arena.canary()
    for target in arena.client, arena.own:
        for tty in True, False:
            with contextlib.suppress(subprocess.TimeoutExpired):
                arena.sshd.ssh(target.account.name, target.key, None, tty=tty,
                               timeout=10, input=b'\ntouch %s\nexit\n' %
                               canary.encode())
    return bool(arena.canaries())


@attack('requests that never end, and their descriptors', 'each is a process of the '
        "user's own")
def endless(arena):
    """stdin is not waited for; ten that hang on do not keep others out."""
    hanging = [subprocess.Popen(
        ['ssh', '-F', 'none', '-T', '-l', arena.shared.name, '-p', str(arena.sshd.port),
         '-i', arena.client.key, '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o',
         'IdentityAgent=none', '-o', 'UserKnownHostsFile=' + arena.sshd.known_hosts,
         '127.0.0.1', LIST], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL) for _ in range(10)]
    try:
        return arena.client.ask(LIST).stdout != arena.listing or any(
            process.wait(10) != 0 for process in hanging)
    except subprocess.TimeoutExpired:
        return True
    finally:
        for process in hanging:
            process.kill()
            process.communicate()


@attack('many at once, each for its own list', lambda arena: crowd(
    arena, lambda: arena.ask_python(*LISTING), 4))
def many(arena):
    return crowd(arena, lambda: arena.client.ask(LIST), 40)


def crowd(arena, ask, n):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(answers) != n or any(leaks(answer) or GRANTED not in answer.stdout
                                    for answer in answers)


# The table

def verdict(fell):
    return 'FALLS' if fell else 'withstands'


def python_verdict(arena, row):
    if isinstance(row.python, str):
        return 'n/a: ' + row.python
    if arena.tap.absent('the Python broker, ' + row.name):
        return 'n/a: not in this release'
    arena.reset_python()
    try:
        return verdict(row.python(arena))
    except Exception as error:
        arena.tap.note('%s: %r' % (row.name, error))
        return 'n/a: could not be tried'
    finally:
        arena.canaries()


def controls(arena):
    """Without them every attack would fail for want of a broker."""
    tap = arena.tap
    for name, target in (('key line', arena.client), ('ForceCommand', arena.own)):
        answer = target.ask(LIST)
        tap.ok(b'mine.example' in answer.stdout and not leaks(answer),
               'control: the broker answers, %s' % name, answer)
    answer = arena.shell.ask(arena.shell_line(*LISTING))
    tap.ok(b'desk.example' in answer.stdout, 'control: from a shell', answer)
    other = arena.connect(arena.shared, *arena.pin(arena.other))
    tap.ok(b'secret.example' in other.ask(LIST).stdout,
           'control: there is something to get')
    client = arena.token_client()
    tap.ok(token_in(with_token(client, SECRET)), 'control: tokens')
    answer = arena.shell.ask(shlex.join([arena.setuid, '--version']))
    tap.ok(b'x2gobroker' in answer.stdout, 'control: the setuid copy runs', answer)
    for program in (PYTHON, PYTHON_SETUID) * lab.has_python_broker():
        answer = arena.ask_python(*LISTING, program=program)
        tap.ok(b'mine.example' in answer.stdout and not leaks(answer),
               'control: the Python broker answers, ' + program, answer)


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        python = {name: name for name in ('x2gobroker', 'x2gobroker-ssh')
                  if lab.has_python_broker()}
        if not tap.need(**brokerlab.PACKAGES, cc='gcc', **python):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER')
        if not found:
            return
        arena = Arena(tap, found[0], stack)
        controls(arena)
        table = []
        for row in ATTACKS:
            try:
                fell, why = row.ours(arena), ''
            except Exception as error:
                fell, why = True, repr(error)
            arena.canaries()
            tap.ok(not fell, row.name, why, arena.sshd.log_tail(5))
            table.append((row.name, verdict(fell), python_verdict(arena, row)))
        width = max(len(name) for name, _, _ in table)
        for name, ours, python in [('attack', 'x2gobroker', 'Python broker'), *table]:
            tap.note('%-*s | %-10s | %s' % (width, name, ours, python))


if __name__ == '__main__':
    sys.exit(main())
