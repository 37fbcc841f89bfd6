#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every line that an X2Go client is known to send, and the answer to it, byte for
byte; who is asking; and what happens when something is wrong.  sshd is a real one,
the broker its forced command.

usage: test_protocol.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)
"""

import contextlib
import os
import pathlib
import re
import shlex
import subprocess
import sys

import brokerlab
import lab
from brokerlab import (DENIED, ENVELOPES, GRANTED, LIST, LISTING, LOGIN_CHECK, SERVER,
                       framed, wrap)


# What clients send

# Rows: what, the line as it stands inside of an envelope, the answer.
TASKS = [
    ('listsessions', 'x2gobroker --user USER --task listsessions', LISTING),
    ('listsessions with a token',
     'x2gobroker --user USER --authid 5f2a-77 --task listsessions', LISTING),
    ('selectsession', 'x2gobroker --user USER --task selectsession --sid "desk"',
     SERVER),
    ('selectsession with a token and a login',
     'x2gobroker --user USER --task selectsession --sid "desk" --authid 5f2a-77 '
     '--login USER', SERVER),
    ('clientevent',
     'x2gobroker --user USER --authid 5f2a-77 --task clientevent --sid '
     '"USER-50-1700000000_stDKDE_dp24" --event CONNECTED --server "desk.example" '
     '--client "10.0.0.1" --login "USER" --cmd "startkde" --display "50" '
     '--start "2026-01-02T03:04:05" --elapsed 30', GRANTED),
    ('clientevent of the newest client',
     'x2gobroker --user USER --task clientevent --sid "USER-50-1700000000_stDKDE_dp24" '
     '--event ALIVE --server "desk.example" --client "host, with; signs" '
     '--login "USER" --cmd "sh -c "a; b" & c" --display "50" '
     '--start "2026-01-02T03:04:05" --elapsed 3600 --version "4.1.2.3" --os linux',
     GRANTED),
    ('setpass',
     'x2gobroker --user USER --authid 5f2a-77 --task setpass --newpass S3cret', DENIED),
    # Granted, it would crash the client.
    ('testcon', 'x2gobroker --task testcon', DENIED),
    ('testcon with a token', 'x2gobroker --authid 5f2a-77 --task testcon', DENIED),
    ('an unknown task', 'x2gobroker --user USER --task dance', DENIED),
]

# The same tasks, said in other ways.
VARIANTS = [
    ('no path', ' --user USER --task listsessions', LISTING),
    ('no path and no blank', '--user USER --task listsessions', LISTING),
    ('an absolute path', '/usr/lib/x2go/x2gobroker --user USER --task listsessions',
     LISTING),
    ('blanks in the path', '/opt/x2go broker/my x2gobroker  --user USER --task '
     'listsessions', LISTING),
    ('umlauts in the path', '/opt/B\u00fcro/x2gobroker --task listsessions', LISTING),
    ('Latin-1 in the path', b'/opt/B\xfcro/x2gobroker --task listsessions', LISTING),
    ('blanks where none are needed',
     'x2gobroker   --user   USER   --task   listsessions ', LISTING),
    ('no user', 'x2gobroker --task listsessions', LISTING),
    ('an empty user', 'x2gobroker --user  --task listsessions', LISTING),
    ('an empty user and an empty token',
     'x2gobroker --user  --authid  --task listsessions', LISTING),
    ('an empty user at the end', 'x2gobroker --task listsessions --user ', LISTING),
    ('an empty login', 'x2gobroker --task selectsession --sid "desk" --login ', SERVER),
    ('an empty login in quotes',
     'x2gobroker --task selectsession --sid "desk" --login ""', SERVER),
    ('the task first',
     'x2gobroker --task listsessions --user USER --authid 5', LISTING),
    ('the profile first', 'x2gobroker --sid "desk" --task selectsession --user USER',
     SERVER),
    ('the login first', 'x2gobroker --login USER --authid 5 --sid "desk" --user USER '
     '--task selectsession', SERVER),
    ('--profile-id', 'x2gobroker --task selectsession --profile-id "desk"', SERVER),
    ('--auth-cookie', 'x2gobroker --auth-cookie 5f2a --task listsessions', LISTING),
    ('--next-authid', 'x2gobroker --next-authid 5f2a --task listsessions', LISTING),
    ('a profile without quotes', 'x2gobroker --task selectsession --sid desk', SERVER),
    ('an option with =', 'x2gobroker --task=selectsession --sid="desk"', SERVER),
    ('a user in quotes', 'x2gobroker --user "USER" --task listsessions', LISTING),
    ('umlauts in the user', 'x2gobroker --user J\u00f6rg --task listsessions', LISTING),
    ('Latin-1 in the user', b'x2gobroker --user J\xf6rg --task listsessions', LISTING),
    ('a domain before the user',
     'x2gobroker --user DOM\\joe --task listsessions', LISTING),
    ('Latin-1 in an event', b'x2gobroker --task clientevent --sid "s" --event ALIVE '
     b'--server "B\xfcro" --client "\xe4" --cmd "\xdf"', GRANTED),
    ('a quote in quotes',
     'x2gobroker --task clientevent --sid "s" --cmd "a" b" --event E', GRANTED),
    ('an option of a later client',
     'x2gobroker --user USER --colour "green" --task listsessions --shiny', LISTING),
    ('Latin-1 in a profile',
     b'x2gobroker --task selectsession --sid "B\xfcro"', DENIED),
    ('no such profile', 'x2gobroker --task selectsession --sid "attic"', DENIED),
    ('profiles are told apart by case', 'x2gobroker --task selectsession --sid "Desk"',
     DENIED),
    ('an empty profile', 'x2gobroker --task selectsession --sid ""', DENIED),
    ('no profile', 'x2gobroker --user USER --task selectsession', DENIED),
    ('something said twice',
     'x2gobroker --task listsessions --task listsessions', DENIED),
    ('something said twice, by two names',
     'x2gobroker --task selectsession --sid "desk" --profile-id "desk"', DENIED),
    ('no task', 'x2gobroker --user USER', DENIED),
]


def test_login_check(world):
    answer = world.client.ask(LOGIN_CHECK, tty=True)
    # The line ends as the terminal ends it.
    world.check(answer, b'LOGIN OK\r\n', 'login check, at a terminal')
    world.check(world.client.ask(LOGIN_CHECK), b'LOGIN OK\n',
                'login check, without one')
    world.tap.equal(answer.status, 0, 'login check: exit status')


def test_envelopes(world):
    """Every task in every wrapping."""
    for envelope in ENVELOPES:
        for name, line, expected in TASKS:
            answer = world.client.ask(wrap(world.named(line), envelope))
            world.check_task(answer, expected, '%s: %s' % (envelope, name))
    for name, line, expected in TASKS:
        answer = world.client.ask(world.named(line))
        world.check(answer, world.body(expected), 'bare: ' + name)


def test_variants(world):
    for name, line, expected in VARIANTS:
        answer = world.client.ask(wrap(world.named(line)))
        world.check_task(answer, expected, name)


def test_uuid(world):
    """The markers hold the uuid that came, each time."""
    for uuid in ('00000000-0000-0000-0000-000000000000',
                 'ffffffff-ffff-ffff-ffff-ffffffffffff'):
        answer = world.client.ask(wrap(LIST, uuid=uuid))
        world.check(answer, framed(world.listing, uuid), 'marker ' + uuid)


def test_whoami(world):
    """The Kerberos login: the client compares the answer with its SSH login, and
    minds the exit status."""
    for envelope in ENVELOPES:
        if 'Kerberos' in envelope:
            answer = world.client.ask(wrap('whoami', envelope))
            world.check_task(answer, world.shared.name.encode() + b'\n',
                             envelope + ': whoami')
            world.tap.equal(answer.status, 0, envelope + ': exit status of whoami')
    world.check(world.client.ask('whoami'), DENIED, 'bare whoami: no client sends it')


# A new password can hold anything: it is all that stands before the tail.
PASSWORDS = ['S3cret', 'two S3cret words', ' S3cret after a blank', 'S3cret with "',
             '"S3cret"', "S3cret'; echo 'x", 'S3cret --task listsessions',
             '$(touch S3cret)', 'S3cret; echo "X2GODATAEND:%s";\'' % brokerlab.UUID,
             'S3cret \\ % {}', b'S3cret \xe4\xf6\xfc', 'S3cret\tand a tab',
             b'S3cret\x1b', '--user S3cret']


def test_passwords(world):
    """Refused, as long as no password can be changed here, and never logged."""
    world.site.log()
    line = world.named('x2gobroker --user USER --authid 5 --task setpass --newpass ')
    for password in PASSWORDS:
        answer = world.client.ask(wrap(line + brokerlab.to_bytes(password)))
        world.check_task(answer, DENIED, 'setpass %a' % password)
    log = world.site.log()
    world.tap.ok(log.count(b'setpass') >= len(PASSWORDS) - 2 and b'S3cret' not in log,
                 'setpass: no password is logged', log)


# Who is asking

# Nothing in this column changes anything.
CLAIMS = ['--user root', '--user OTHER', '--user "OTHER"', '--user nobody-of-this-name',
          '--user -1', '--user 0', '--user USER,OTHER', '--user ../OTHER', '--user %s',
          '--user @USER', '--user ' + 'x' * 5000]

# Operator's options, where a client may write: they are read as a client's, and
# not known, or stand before the first of them, where nothing is read.
INTRUDERS = [
    'x2gobroker -C EVIL --task listsessions',
    'x2gobroker --config-file EVIL --task listsessions',
    'x2gobroker --config-file=EVIL --task listsessions',
    'x2gobroker --task listsessions --config-file EVIL',
    'x2gobroker -C EVIL --user OTHER --task listsessions',
    'x2gobroker --backend zeroconf --task listsessions',
    'x2gobroker --task listsessions --backend=zeroconf',
    'x2gobroker -d --task listsessions',
    'x2gobroker --debug --task listsessions',
    'x2gobroker --help --task listsessions',
    'x2gobroker --task listsessions --version',
]


def test_identity(world):
    tap, other = world.tap, world.connect(world.shared, *world.pin(world.other))
    for claim in CLAIMS:
        line = wrap(world.named('x2gobroker %s --task listsessions' % claim))
        world.check_task(world.client.ask(line), LISTING, 'a claim: ' + claim[:40])
    tap.ok(b'[desk of %b]' % world.user.name.encode() in world.listing and
           world.other.name.encode() not in world.listing,
           'the list is for the user whom the key is pinned to', world.listing)
    world.check(other.ask(LIST), swapped(world), "another key, another user's list")
    world.site.log()
    world.client.ask(world.named('x2gobroker --user OTHER --task listsessions'))
    tap.ok(b'claims=' + world.other.name.encode() in world.site.log(),
           'a claim that is wrong is logged')


def swapped(world):
    """The listing of the other user."""
    user, other = world.user.name.encode(), world.other.name.encode()
    return (world.listing.replace(user, other).replace(b'own.example', b'other.example')
            .replace(b'My own desk', b'Not my desk'))


def test_operator_options(world):
    """A client cannot speak as the operator."""
    evil = world.site.write('evil.conf', world.site.conf().replace(
        'profiles.conf', 'evil-profiles.conf'))
    world.site.write('evil-profiles.conf', '[evil]\nname=Evil\nhost=evil.example\n')
    for line in INTRUDERS:
        answer = world.client.ask(wrap(world.named(line.replace('EVIL', evil))))
        world.check_task(answer, LISTING, 'no operator: ' + line)


def test_own_account(world):
    """Users log in to accounts of their own; sshd_config has the forced command."""
    client = world.connect(world.user)
    world.check(client.ask(LOGIN_CHECK, tty=True), b'LOGIN OK\r\n',
                'own account: login check')
    for name, line, expected in TASKS:
        world.check_task(client.ask(wrap(world.named(line))), expected,
                         'own account: ' + name)
    whoami = wrap('whoami', 'x2goclient 4.1, Kerberos')
    world.check_task(client.ask(whoami), world.user.name.encode() + b'\n',
                     'own account: whoami')
    for claim in CLAIMS:
        answer = client.ask(world.named('x2gobroker %s --task listsessions' % claim))
        world.check(answer, world.listing, 'own account, a claim: ' + claim[:40])
    world.check(world.connect(world.other).ask(LIST), swapped(world),
                'own account: not even the operator can pin another user to it')


# Rows: what, the line, and the answer.
BY_SHELL = [
    ('listsessions', 'x2gobroker --user USER --task listsessions', True),
    ('an empty user', 'x2gobroker --user  --task listsessions', True),
    ("somebody else's name", 'x2gobroker --user OTHER --task listsessions', True),
    ('root', 'x2gobroker --user root --authid 5 --task listsessions', True),
    ('testcon', 'x2gobroker --task testcon', False),
    ('no such task', 'x2gobroker --user USER --task dance', False),
]


def test_login_shell(world):
    """No forced command at all: the user's own shell takes the envelope off and
    starts the broker, which has the rest as arguments."""
    with lab.Account() as account:
        client = world.connect(account)
        listing = world.site.plain('--task', 'listsessions', account=account).stdout
        world.tap.ok(b'user=%b\n' % account.name.encode() in listing,
                     'own shell: a listing')
        path = shlex.join(world.site.command())
        for name, line, granted in BY_SHELL:
            line = world.named(line).replace(b'x2gobroker', path.encode(), 1)
            world.check(client.ask(wrap(line)), framed(listing if granted else DENIED),
                        'own shell: ' + name)


# Rows: what, the key's operator options.
UNPINNED = [
    ('not pinned', []),
    ('pinned to nobody', ['--user=']),
    ('pinned to an account that does not exist', ['--user', 'x2gotest-nobody']),
]


def test_not_pinned(world):
    for name, options in UNPINNED:
        client = world.connect(world.shared, *options)
        world.site.log()
        check_refused(world, client, name)
        log = world.site.log()
        world.tap.ok(b'--user' in log, name + ': the log says why', log)
        if not options:
            world.tap.ok(b'--user NAME' in log and b'authorized_keys' in log,
                         name + ': the log says how to pin', log)
    for line in (LIST, LOGIN_CHECK):
        answer = world.site.forced(line, account=Root)
        world.tap.ok(GRANTED not in answer.stdout and b'OK' not in answer.stdout,
                     'root, not pinned: ' + line, answer)
    answer = world.site.plain('--task', 'listsessions', account=Root)
    world.check(answer, DENIED, 'root, not pinned, by hand')
    world.tap.ok(world.site.log().count(b'--user NAME') == 3,
                 'root, not pinned: the log says how to pin')


class Root:
    name, uid, gid = 'root', 0, 0


def check_refused(world, client, name):
    """A person gets to read something, and clients get what they understand."""
    told = client.ask(LOGIN_CHECK, tty=True)
    text = told.stdout.decode()
    good = len(text.split()) > 3 and 'LOGIN OK' not in text and 'Access' not in text
    world.tap.ok(good and not told.stderr,
                 name + ': the login check tells a person', told)
    for task in 'listsessions', 'selectsession --sid "desk"':
        answer = client.ask(wrap('x2gobroker --task ' + task))
        world.check_task(answer, DENIED, name + ': ' + task)


# When something is wrong

# Rows: what, what stands in x2gobroker.conf, its mode, the line that is to blame
# (0: none), a word of the reason.
BAD_CONFIGS = [
    ('no ]', '[global\n', 0o644, 1, 'section'),
    ('no =', '[global]\nlog-file\n', 0o644, 2, 'key=value'),
    ('no section', 'log-file = /x\n', 0o644, 1, 'section'),
    ('a relative path', '[global]\n\nlog-file = x\n', 0o644, 3, 'log-file'),
    ('not a boolean', '[broker_inifile]\nenable = perhaps\n', 0o644, 2, 'enable'),
    ('a key twice', '[global]\nlog-file = /x\nlog-file = /x\n', 0o644, 3, 'log-file'),
    ('a section twice', '[global]\n[global]\n', 0o644, 2, 'global'),
    ('what the Python broker would have asked for', '[global]\npre_auth_scripts = check\n',
     0o644, 2, 'pre_auth_scripts'),
    ('a NUL byte', '[global]\n# \0\n[\0x]\n', 0o644, 3, 'NUL'),
    ('not text', b'\x7fELF\x01\x02\n', 0o644, 1, 'a key before the first'),
    ('writable by its group', '', 0o664, 0, 'chmod'),
    ('writable by all', '', 0o646, 0, 'chmod'),
    ('not readable', '', 0o600, 0, 'Permission denied'),
]


def test_bad_config(world):
    """Closed, and not silent."""
    for i, (name, text, mode, line, why) in enumerate(BAD_CONFIGS):
        file = 'bad%d.conf' % i
        os.chmod(world.site.write(file, text), mode)
        check_bad_config(world, name, file, line, why)
    check_bad_config(world, 'no such file', 'missing.conf', 0, 'no such file')
    check_bad_config(world, 'a directory', 'profiles.d', 0, 'regular file')
    os.mkfifo(world.site.path('fifo'))
    check_bad_config(world, 'a named pipe', 'fifo', 0, 'regular file')
    os.mkdir(world.site.path('open'), 0o755)
    world.site.write('open/x2gobroker.conf', '')
    os.chmod(world.site.path('open'), 0o777)
    check_bad_config(world, 'in a directory that all may write to',
                     'open/x2gobroker.conf', 0, 'chmod')
    world.site.write('alien.conf', '')
    os.chown(world.site.path('alien.conf'), world.user.uid, 0)
    check_bad_config(world, "somebody else's file", 'alien.conf', 0, 'chown')


def check_bad_config(world, name, file, line, why):
    client = world.connect(world.shared, *world.pin(world.user), config=file)
    name = 'bad configuration: ' + name
    check_refused(world, client, name)
    log = world.site.forced(LIST, '--debug', *world.pin(world.user), config=file).stderr
    place = world.site.path(file) if 'open/' not in file else world.site.path('open')
    place += ':%d: ' % line if line else ': '
    good = any(place in text and why in text for text in log.decode().split('\n'))
    world.tap.ok(good, name + ': the log says where and why', place + why, log)


# Rows: what, the operator's options behind -C FILE.
BAD_OPTIONS = [
    ('no such option', ['--sesion']),
    ('-C twice', ['-C', '/x2gotest/none']),
    ('--user twice', ['--user', 'root']),
    ('no such backend', ['--backend', 'ldap']),
    ('a word too much', ['x']),
    ('no argument', ['--backend']),
]


def test_bad_options(world):
    """An administrator's slip in the forced command opens nothing either."""
    for name, options in BAD_OPTIONS:
        client = world.connect(world.shared, *world.pin(world.user), *options)
        check_refused(world, client, 'bad forced command: ' + name)


def test_log(world):
    """The log file has a line for each request, also for one that no client sends,
    and says whose key it was."""
    world.site.log()
    for line in wrap(LIST), LOGIN_CHECK, 'x2gobroker --task dance', 'rm -rf /':
        world.client.ask(line)
        log = world.site.log().decode()
        world.tap.ok(log.count('\n') == 1 and 'user=' + world.user.name in log and
                     'from=127.0.0.1' in log, 'log file: %.50a' % line,
                     log or 'nothing')


def test_log_is_whole(world):
    """Long values are cut, each by itself; so none hides what stands behind it."""
    world.site.log()
    long = '\\' * 1000
    world.client.ask('x2gobroker --user %s --task selectsession --sid "%s"' %
                     (long, long))
    log = world.site.log().decode()
    value = r'"(\\\\){250}\.\.\."'
    world.tap.ok(re.search('(?m) claims=%s profile=%s ms=[0-9.]+ reason="[^"]+"$' %
                           (value, value), log),
                 'log file: the reason is there, and whole, behind long values', log)


# Other ways to start it

def test_no_command(world):
    """Somebody has logged in by hand."""
    answer = world.client.ask(None, tty=True)
    lines = answer.stdout.decode().split('\r\n')
    world.tap.ok(len(lines) == 4 and all(len(line) > 20 for line in lines[:3]) and
                 lines[3] == '' and b'Access' not in answer.stdout,
                 'no command, at a terminal: three lines', answer)
    world.tap.equal(answer.status, 0, 'no command: exit status')
    world.tap.ok(world.client.ask(None).stdout == answer.stdout.replace(b'\r', b''),
                 'no command, without a terminal: the same')


def test_by_hand(world):
    """Without sshd its own arguments are the client's too."""
    pin, plain = world.pin(world.user), world.site.plain
    for words, expected in (
            (['--task', 'listsessions'], LISTING), (['--task=listsessions'], LISTING),
            (['--task', 'selectsession', '--sid', 'desk'], SERVER),
            (['--task=selectsession', '--profile-id=desk'], SERVER),
            (['--task', 'selectsession', '--sid', 'attic'], DENIED),
            (['--task', 'testcon'], DENIED), (['--task', 'dance'], DENIED),
            (['--task'], DENIED), (['--task', ''], DENIED), (['listsessions'], DENIED),
            ([], DENIED)):
        world.check(plain(*pin, *words), world.body(expected),
                    'by hand: ' + (' '.join(words) or 'nothing'))
    own = plain('--task', 'listsessions', account=world.user)
    world.check(own, world.listing, 'by hand, as oneself')
    own = plain(*pin, '--task', 'listsessions', account=world.other)
    world.check(own, swapped(world), "by hand, by somebody else's name")
    for option in '--help', '--version':
        answer = plain(option)
        world.tap.ok(answer.stdout.strip() and answer.status == 0, 'by hand: ' + option,
                     answer)


@contextlib.contextmanager
def traced(process, file):
    """Note every program that is started below process."""
    strace = subprocess.Popen(
        ['strace', '-f', '-qq', '-s', '300', '-e', 'trace=execve,execveat',
         '-e', 'signal=none', '-o', file, '-p', str(process.pid)],
        stdin=subprocess.DEVNULL)
    status = pathlib.Path('/proc/%d/status' % process.pid)
    try:
        lab.wait_for(lambda: 'TracerPid:\t0\n' not in status.read_text(), 10, 'strace')
        yield
    finally:
        strace.terminate()
        strace.wait(10)


def test_no_shell(world):
    """sshd hands the forced command, as it stands in authorized_keys, to the
    account's shell, which starts the broker: that is sshd's way and says nothing of
    the client's.  The broker starts nothing."""
    trace = world.sshd.path('trace')
    lines = [wrap(world.named(line), envelope) for envelope in list(ENVELOPES)[::3]
             for _, line, _ in TASKS[::2]]
    lines += [wrap('x2gobroker --task selectsession --sid "$(id)`id`"'), LOGIN_CHECK,
              '/bin/sh -c id', 'x; id', 'x2gobroker --task listsessions; id']
    # A connection that was there before would not be followed.
    client = world.connect(world.shared, *world.pin(world.user))
    with traced(world.sshd.process, trace):
        for line in lines:
            client.ask(line)
    started = re.findall(r'(?m)^\d+ +exec\w+\("([^"]*)"',
                         pathlib.Path(trace).read_text())
    count = {path: started.count(path) for path in set(started)}
    # sshd itself, of which OpenSSH 9.8 and later have a program for each phase
    count = {path: n for path, n in count.items()
             if not os.path.basename(path).startswith('sshd')}
    world.tap.equal(count, {world.shared.shell: len(lines), world.program: len(lines)},
                    'nothing runs but the broker, once a line')


TESTS = [test_login_check, test_envelopes, test_variants, test_uuid, test_whoami,
         test_passwords, test_identity, test_operator_options, test_own_account,
         test_login_shell, test_not_pinned, test_bad_config, test_bad_options, test_log,
         test_log_is_whole, test_no_command, test_by_hand, test_no_shell]

if __name__ == '__main__':
    sys.exit(brokerlab.run(TESTS, strace='strace'))
