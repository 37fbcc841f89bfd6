#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Automatic logins: the key that a click gives, where it lets in and where it does
not, and that nothing is left of it.

usage: test_autologin.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKER-AGENT

The X2Go server and its SSH proxy are sshds of our own on loopback; the agents are
the real ones, ours and Debian's.
"""

import base64
import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import socket
import stat
import struct
import subprocess
import threading
import time

import autologinlab
import brokerlab
import farmlab
import lab
from brokerlab import SELECT
from autologinlab import FILE, PROXY_FILE, STORE, keys_of, stored, wait_until

EXPIRY = r'expiry-time="(\d{14})Z"'
LINE = (r'restrict,pty,port-forwarding,' + EXPIRY + r'(?:,from="(?P<source>[^"]*)")?'
        r' (?P<type>ssh-rsa|ssh-ed25519) [A-Za-z0-9+/=]+ x2gobroker:(?P<user>\S+)')
TYPES = {'rsa': '-----BEGIN RSA PRIVATE KEY-----\n',
         'ed25519': '-----BEGIN OPENSSH PRIVATE KEY-----\n'}


def line_of(lines):
    """The one line, taken apart; None: it is another."""
    return re.fullmatch(LINE, lines[0]) if lines and len(lines) == 1 else None


def mode(path):
    st = os.stat(path)
    return '%o' % stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid


def logins_of_broker(world):
    return world.server.log_tail(10000).count('Accepted publickey for ' +
                                              world.agent.name)


# What a key is for

def test_key(tap, world):
    for type, head in TYPES.items():
        world.reset()
        before = logins_of_broker(world)
        with world.site.configured(autologin_key_type=type):
            given = world.select()
        log = world.log()
        if not tap.ok(given.key and given.key.startswith(head), type + ': it is given',
                      given.raw, log):
            continue
        tap.equal(given.server, '127.0.0.1:%d' % world.server.port,
                  type + ': with the server that it is for')
        tap.equal(logins_of_broker(world) - before, 1,
                  type + ': it is placed over the connection that is open already')
        line = line_of(world.keys(world.user))
        tap.ok(line and line['type'] == 'ssh-' + type and not line['source'] and
               line['user'] == world.user.name, type + ': its line is as documented',
               world.keys(world.user))
        check_place(tap, world, type)
        tap.ok(world.gets_in(given.key, world.user), type + ': it lets in',
               world.server.log_tail())
        tap.equal(world.login(given.key, world.user, 'tty >/dev/null && echo yes',
                              tty=True).stdout.strip(), b'yes',
                  type + ': a terminal can be had, as X2Go needs one')
        tap.ok(not world.gets_in(given.key, world.other),
               type + ': another user cannot be had')
        tap.ok(not world.gets_in(given.key, world.agent), type + ': nor can the agent')
        tap.ok(' key=yes ' in log, type + ': the log says that one was given', log)


def check_place(tap, world, what):
    user = world.user
    if world.file is None:
        tap.equal([mode(os.path.join(STORE, path)) for path in ('', 'keys',
                                                                'keys/' + user.name)],
                  [('755', 0, 0), ('711', 0, 0), ('644', 0, 0)],
                  what + ': the file is root\'s, in a directory that nobody can list')
        tap.equal(keys_of(user), None, what + ': there is nothing in the home directory')
    else:
        tap.equal([mode(os.path.join(user.home, path)) for path in ('.x2go', FILE)],
                  [('700', user.uid, user.gid), ('600', user.uid, user.gid)],
                  what + ': the file is the user\'s, and nobody else\'s')
        tap.equal(stored(), {}, what + ': there is nothing in the store')


def test_lifetime(tap, world):
    """It is over when it is over, and is removed when somebody gets another."""
    with world.site.configured(autologin_key_lifetime=4):
        start = time.time()
        given = world.select()
    got_in = world.gets_in(given.key, world.user)
    now = time.strftime('%Y%m%d%H%M%S', time.gmtime(start + 4))
    line = line_of(world.keys(world.user))
    tap.ok(got_in, 'it lets in')
    tap.ok(line and 0 <= int(line[1]) - int(now) < 70, 'the line says when it ends',
           world.keys(world.user), now)
    lab.wait_for(lambda: time.strftime('%Y%m%d%H%M%S', time.gmtime()) > line[1], 30)
    tap.ok(not world.gets_in(given.key, world.user), 'it lets in no longer',
           world.server.log_tail(5))
    tap.ok('Refused by key options' in world.server.log_tail(3),
           'because of what is in its line', world.server.log_tail(3))
    tap.equal(len(world.keys(world.user)), 1, 'though its line is still there')
    time.sleep(1)
    world.select('desk', world.other)
    tap.equal(world.keys(world.user), None, 'which goes when somebody gets another')


def test_from(tap, world):
    with world.site.configured(autologin_key_from='true'):
        given = world.select()
    line = line_of(world.keys(world.user))
    tap.ok(line and line['source'] == '127.0.0.1', 'the line says where from',
           world.keys(world.user))
    tap.ok(world.gets_in(given.key, world.user), 'it lets in from there')
    tap.ok(not world.gets_in(given.key, world.user, source='127.0.0.2'),
           'it does not from another address', world.server.log_tail(5))
    world.reset()
    given = world.select()
    tap.ok(world.gets_in(given.key, world.user, source='127.0.0.2'),
           'without autologin-key-from it does')


# Who gets none

# What a client can say to be given another's key.  OTHER is that user's name.
TRICKS = (
    'x2gobroker --user OTHER --task selectsession --sid desk',
    'x2gobroker --task selectsession --sid desk --user OTHER',
    'x2gobroker --user OTHER --task selectsession --sid "desk" --login OTHER',
    'x2gobroker --task selectsession --sid "desk" --login OTHER',
    'x2gobroker --task selectsession --sid "desk" --login "OTHER"',
    'x2gobroker --task selectsession --sid desk --login root',
    'x2gobroker --task selectsession --sid desk --login "USER OTHER"',
    'x2gobroker --task selectsession --sid desk --login USER --login OTHER',
    'x2gobroker --task selectsession --sid desk --user USER --user OTHER',
    'x2gobroker --task selectsession --sid "desk" --sid "of OTHER"',
    'x2gobroker --task selectsession --sid "of OTHER"',
    'x2gobroker --task selectsession --sid "of OTHER" --user OTHER --login OTHER',
    'x2gobroker --task selectsession --profile-id "of OTHER"',
    'x2gobroker --task selectsession --sid "as OTHER"',
    'x2gobroker --task selectsession --sid "as OTHER" --login OTHER',
    'x2gobroker --task selectsession --sid "desk --user OTHER"',
    'x2gobroker --task selectsession --sid "desk\n[of OTHER]"',
    'x2gobroker --task selectsession --sid "desk;x2gobroker --user OTHER"',
    'x2gobroker --task selectsession --sid "$(x2gobroker --user OTHER)"',
    'x2gobroker --as OTHER --task selectsession --sid desk',
    'x2gobroker --account OTHER --task selectsession --sid desk',
    'x2gobroker -C /tmp/x2gobroker.conf --task selectsession --sid desk --user OTHER',
    'env USER=OTHER x2gobroker --task selectsession --sid desk',
    'sudo -u OTHER x2gobroker --task selectsession --sid desk',
    'x2gobroker-agent OTHER addauthkey KEY FILE',
)


def test_tricks(tap, world):
    world.site.configure(autologin_key_type='ed25519')      # it is made faster
    world.profiles(
        world.profile('desk'),
        world.profile('of ' + world.other.name,
                      acl_users_allow=world.other.name),
        world.profile('as ' + world.other.name, user=world.other.name))
    wrong, keys = [], 0
    for trick in TRICKS:
        line = re.sub('OTHER', world.other.name, re.sub('USER', world.user.name, trick))
        for command in line, brokerlab.wrap(line):
            given = given_in(world, command)
            keys += bool(given)
            if given and not (world.gets_in(given, world.user) and
                              not world.gets_in(given, world.other)):
                wrong.append(trick)
    tap.equal((wrong, keys > 0), ([], True), '%d things to say: a key is the own '
              "user's, or there is none" % len(TRICKS), world.log())
    tap.equal(world.keys(world.other), None, 'nothing was put into the other one\'s '
              'file')
    with lab.Account() as stranger:
        with contextlib.suppress(AssertionError):
            done = world.site.plain('--user', world.user.name, '--task',
                                    'selectsession', '--sid', 'desk', account=stranger)
            tap.ok(b'PRIVATE KEY' not in done.stdout,
                   'who runs the broker cannot pin another either', done)


def given_in(world, command):
    """The key in an answer of any form."""
    answer = world.site.forced(command, '--user', world.user.name)
    found = re.search(autologinlab.PEM, answer.stdout.decode(errors='replace'))
    return found[0] if found else None


def test_none(tap, world):
    other = world.other.name
    cases = {
        'a user= that is fixed': (dict(user=other), True,
                                  "not the user's own account"),
        'no broker-session-autologin': (dict(broker_session_autologin='false'), True,
                                        None),
        'nobody is asked': (dict(broker_agent_query_mode='NONE'), True, 'no agent'),
        'a shared desktop': (dict(command='SHADOW'), True, None),
        'a profile for others': (dict(acl_users_allow=other), False, 'refused'),
    }
    for name, (keys, granted, reason) in cases.items():
        world.profiles(world.profile('desk', **keys))
        given = world.select()
        log = world.log()
        tap.equal((given.key, given.server is not None), (None, granted),
                  name + ': no key', given.raw, log)
        if reason:
            tap.ok(reason in log, name + ': the log says why', log)
    tap.equal((stored(), keys_of(world.user), keys_of(world.other)), ({}, None, None),
              'nothing was put anywhere')


# All or nothing

def check_nothing(tap, world, name, reason, seconds=10):
    """A session, no key, and a reason in the log."""
    given = world.select()
    log = world.log()
    tap.equal((given.key, given.server), (None, '127.0.0.1:%d' % world.server.port),
              name + ': a session, and no key', given.raw, log)
    tap.ok(re.search('no key for an automatic login: .*' + reason, log),
           name + ': the log says why', log)
    tap.ok(given.raw.seconds < seconds, name + ': within %d s' % seconds,
           given.raw.seconds)


def test_all_or_nothing(tap, world):
    home = pathlib.Path(world.user.home)
    os.symlink('/tmp', home / '.x2go')
    check_nothing(tap, world, 'a symbolic link', 'symbolic link')
    os.unlink(home / '.x2go')
    (home / '.x2go').mkdir()
    os.chown(home / '.x2go', world.other.uid, world.user.gid)
    check_nothing(tap, world, "another user's directory", 'belongs to another user')
    os.chown(home / '.x2go', world.user.uid, world.user.gid)
    os.chmod(home / '.x2go', 0o777)
    check_nothing(tap, world, 'a directory that all may write to', 'others may write')
    os.rmdir(home / '.x2go')
    for file in ('%h/.bashrc', '%h/.x2go/keys', '%h/../authorized_keys', '%x/y',
                 '/etc/ssh/authorized_keys'):
        world.profiles(world.profile('desk', broker_authorized_keys=file))
        check_nothing(tap, world, file, '')
    world.reset()
    world.serve(autologinlab.put_script(
        world.path('refuses'), 'case $SSH_ORIGINAL_COMMAND in *addauthkey*) '
        'echo "not today" >&2; exit 1;; esac', 'exec %s' % world.program), files=())
    check_nothing(tap, world, 'an agent that refuses', 'not today')
    world.serve(world.program)
    tap.equal(keys_of(world.user), None, 'nothing was put anywhere')


def test_proxy_fails(tap, world):
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))
        port = nobody.getsockname()[1]
        world.profiles(world.profile('desk', usesshproxy='true',
                                     sshproxyhost='127.0.0.1:%d' % port))
        check_nothing(tap, world, 'a proxy that is down', '127.0.0.1:%d' % port)
    with farmlab.Door('127.0.0.1', port, lambda peer: None), \
            world.site.configured(agent_timeout=8):
        check_nothing(tap, world, 'a proxy that says nothing', '127.0.0.1:%d' % port, 25)
    world.profiles(world.profile('desk', sshproxyhost='127.0.0.1:%d' %
                                 world.proxy.port))
    with world.site.configured(default_sshproxy_authorized_keys='%h/.profile'):
        check_nothing(tap, world, 'a proxy that refuses the file', r'\.profile')


# The way through a proxy

def test_proxy(tap, world):
    proxy = dict(usesshproxy='true', sshproxyhost='127.0.0.1',
                 sshproxyport=world.proxy.port)
    world.profiles(world.profile('desk', **proxy, broker_sshproxy_authorized_keys=
                                 '%h/' + PROXY_FILE))
    with world.site.configured(autologin_key_from='true'):
        given = world.select()
    tap.ok(given.key, 'a key is given', given.raw, world.log())
    server, there = line_of(keys_of(world.user)), line_of(keys_of(world.user,
                                                                  PROXY_FILE))
    tap.ok(there and there['source'] == '127.0.0.1' and server and
           not server['source'], 'its line says where from on the proxy alone',
           keys_of(world.user), keys_of(world.user, PROXY_FILE))
    for name, sshd, source, expected in (
            ('the proxy lets in from there', world.proxy, '127.0.0.1', True),
            ('and not from elsewhere', world.proxy, '127.0.0.3', False),
            ('the server does from anywhere', world.server, '127.0.0.3', True)):
        tap.equal(world.gets_in(given.key, world.user, sshd=sshd, source=source),
                  expected, name, sshd.log_tail(5))
    tap.equal(len(world.site.rows('stalekeys')), 2, 'both files are remembered')
    world.reset()
    world.profiles(world.profile('desk', **proxy))
    with world.site.configured(default_sshproxy_authorized_keys='%h/' + PROXY_FILE):
        given = world.select()
    tap.ok(given.key and world.gets_in(given.key, world.user, sshd=world.proxy) and
           world.gets_in(given.key, world.user), 'the site can say which file it is')


# Which file

def test_files(tap, world):
    user = world.user
    world.site.configure(autologin_key_type='ed25519')
    names = {'.x2go/authorized_keys': '.x2go/authorized_keys',
             '%h/.x2go/authorized_keys': '.x2go/authorized_keys',
             '%h/.ssh/authorized_keys': '.ssh/authorized_keys',
             '%h/.x2go/authorized_keys.%u': '.x2go/authorized_keys.' + user.name,
             '%h/.x2go/authorized_keys.%U.%G':
                 '.x2go/authorized_keys.%d.%d' % (user.uid, user.gid),
             '%h/.x2go/authorized_keys.100%%': '.x2go/authorized_keys.100%',
             '%h/%u/%U/authorized_keys':
                 '%s/%d/authorized_keys' % (user.name, user.uid)}
    for template, name in names.items():
        world.reset()
        world.serve(world.program, files=[template])
        world.profiles(world.profile('desk', broker_authorized_keys=template))
        given = world.select()
        tap.ok(given.key and line_of(keys_of(user, name)), template, given.raw,
               world.log())
        os.unlink(os.path.join(user.home, name))
    shutil.rmtree(os.path.join(user.home, user.name))
    world.reset()
    world.serve(world.program, files=['%h/.x2go/authorized_keys.%u'])
    with world.site.configured(default_authorized_keys='%h/.x2go/authorized_keys.%u'):
        world.select()
    tap.ok(line_of(keys_of(user, '.x2go/authorized_keys.' + user.name)),
           'the site can say which file it is')
    own = world.path('keys')
    os.mkdir(own)
    shutil.copy(world.service_key + '.pub', os.path.join(own, user.name))
    world.serve(world.program, files=[own + '/%u'])
    with world.site.configured(default_authorized_keys=own + '/%u'):
        check_nothing(tap, world, "a file that is not the user's", '')
    world.serve(world.program, files=())
    world.profiles(world.profile('desk', broker_authorized_keys='.ssh/authorized_keys'))
    check_nothing(tap, world, 'a file that the forced command does not allow',
                  '--key-file=.ssh/authorized_keys')
    world.serve(world.program)


# Nothing is left

OWN_LINES = (
    None, '\n', '# mine\n',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ '
    'me@home\n',
    'no end of line', 'restrict,pty\tgarbage \r\n\r\n', '\n\n# x2gobroker:me\n\n')


def prepare(account, text):
    if text is None:
        return
    account.put(FILE, text, 0o644)
    os.utime(os.path.join(account.home, FILE), (10 ** 9, 10 ** 9))


def look(account):
    """All there is to be seen of the file, but the time."""
    path = os.path.join(account.home, FILE)
    if not os.path.exists(path):
        return sorted(os.listdir(os.path.dirname(path))) \
            if os.path.exists(os.path.dirname(path)) else []
    return pathlib.Path(path).read_bytes(), mode(path), os.listdir(
        os.path.dirname(path))


def test_crowd(tap, world, n=50, times=20):
    """So many at once, and one of them so often at once."""
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(lab.Account(prefix='x2gocrowd')) for _ in range(n)]
        busy = stack.enter_context(lab.Account())
        for i, user in enumerate(users):
            prepare(user, OWN_LINES[i % len(OWN_LINES)])
        prepare(busy, OWN_LINES[3])
        before = [look(user) for user in [*users, busy]]
        tap.note('%d accounts: %.1f s' % (n + 1, time.monotonic() - start))
        # a machine that is busy with other things may take its time
        world.site.configure(autologin_key_lifetime=600, agent_timeout=100,
                             requests_per_user=40,
                             request_timeout=120)
        world.site.patience = 150
        crowd(tap, world, users)
        again_and_again(tap, world, busy, times)
        after = [look(user) for user in [*users, busy]]
        tap.equal([i for i, (a, b) in enumerate(zip(before, after)) if a != b], [],
                  'nothing was written into home directories',
                  *[(a, b) for a, b in zip(before, after) if a != b][:2])
        # ten minutes later
        for path in pathlib.Path(STORE, 'keys').iterdir():
            os.utime(path, (time.time(), path.stat().st_mtime - 600))
        time.sleep(1)
        world.select()
        tap.equal((list(stored()), sorted(os.listdir(STORE))),
                  ([world.user.name], ['.lock', 'keys', 'sshd']),
                  'when the next key is added, nothing else is left', stored())


def crowd(tap, world, users):
    doors = threading.Semaphore(4)

    def click(user):
        given = world.select('desk', user)
        with doors:
            return given, bool(given.key) and world.gets_in(given.key, user)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        given, got_in = zip(*pool.map(click, users))
    tap.note('%d users at once: %.1f s with their logins, keys after %.1f to %.1f s' % (
        len(users), time.monotonic() - start, min(one.raw.seconds for one in given),
        max(one.raw.seconds for one in given)))
    tap.equal(len({one.key for one in given if one.key}), len(users),
              '%d users at once: each gets a key' % len(users), world.log())
    tap.equal(got_in.count(True), len(users), '%d users at once: each key lets in' %
              len(users), world.server.log_tail(10))


def again_and_again(tap, world, user, times):
    start = time.monotonic()
    with world.site.configured(autologin_key_type='ed25519'), \
            concurrent.futures.ThreadPoolExecutor(times) as pool:
        given = list(pool.map(lambda _: world.select('desk', user), range(times)))
    tap.note('one user %d times at once: %.1f s' % (times, time.monotonic() - start))
    tap.equal(len({one.key for one in given if one.key}), times,
              'one user %d times at once: a key each time' % times, world.log())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got_in = list(pool.map(lambda one: one.key and world.gets_in(one.key, user),
                               given))
    tap.equal(got_in.count(True), times, 'one user %d times at once: each key lets in' %
              times, world.server.log_tail(10))


# Debian's agent

def test_debian(tap, world):
    """It has no store, and takes nothing out by itself, so the broker remembers."""
    if tap.absent("Debian's agent"):
        return
    with lab.Account(groups=['x2gobroker']) as agent:
        world.serve(autologinlab.DEBIAN, agent)
        before = world.site.settings['agent-user']
        world.site.configure(agent_user=agent.name, autologin_key_lifetime=15)
        try:
            first = world.select()
            start = time.monotonic()
            tap.ok(first.key and world.gets_in(first.key, world.user), 'it lets in',
                   world.log(), keys_of(world.user))
            tap.equal(len(world.site.rows('stalekeys')), 1, 'it is remembered')
            wait_until(start + 17)
            tap.ok(not world.gets_in(first.key, world.user), 'and not for longer')
            world.site.configure(autologin_key_lifetime=60)
            second = world.select()
            lines = keys_of(world.user)
            tap.ok(second.key and world.gets_in(second.key, world.user),
                   'the next one lets in')
            tap.ok(line_of(lines), 'the first line has gone', lines, world.log())
            tap.equal(len(world.site.rows('stalekeys')), 1, 'and is forgotten')
            debian_class(tap, world)
        finally:
            world.site.configure(agent_user=before)


def debian_class(tap, world, n=8):
    """What many have left is cleared up bit by bit, so that nobody waits for it."""
    world.site.configure(autologin_key_lifetime=1)
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        given = list(pool.map(lambda _: world.select(), range(n)))
    tap.equal(len({one.key for one in given if one.key}), n,
              'one user %d times at once: a key each time' % n, world.log())
    time.sleep(2.5)
    world.site.configure(autologin_key_lifetime=60)
    seconds = [world.select().raw.seconds for _ in range(2)]
    tap.note('the next two: %.1f and %.1f s' % tuple(seconds))
    lines = keys_of(world.user)
    tap.equal((len(lines), len(world.site.rows('stalekeys'))), (3, 3),
              'after two more clicks all of them have gone', *lines)


# Secrets

class Watch:
    """All that can be read of all processes while somebody works."""

    def __enter__(self):
        self.seen, self.stop = set(), threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self):
        while not self.stop.is_set():
            for pid in os.listdir('/proc'):
                for name in ('environ', 'cmdline', 'comm') if pid.isdigit() else ():
                    with contextlib.suppress(OSError):
                        text = pathlib.Path('/proc', pid, name).read_bytes()
                        self.seen.add(text)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Syslog:
    """What comes to /dev/log, where nobody else listens there."""

    def __enter__(self):
        self.heard, self.socket = [], None
        if not os.path.lexists('/dev/log'):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.socket.bind('/dev/log')
            os.chmod('/dev/log', 0o666)
            # somebody has to read all the time, or syslog(3) waits for a reader
            self.thread = threading.Thread(target=self._listen)
            self.thread.start()
        return self

    def _listen(self):
        while text := self.socket.recv(65536):
            self.heard.append(text)

    def __exit__(self, *_):
        if self.socket:
            os.unlink('/dev/log')
            self.socket.shutdown(socket.SHUT_RD)
            self.thread.join()
            self.socket.close()


def pieces(key):
    """What is in no other text: lines of it, and bytes of what they stand for.  The
    public half is at the beginning of both formats."""
    lines = key.splitlines()[1:-1]
    raw = base64.b64decode(''.join(lines))
    secret = lines[len(lines) // 2:-1]
    return [*(line.encode() for line in secret),
            raw[len(raw) // 2:len(raw) // 2 + 24], raw[-60:-30]]


def files_below(*directories):
    for directory in directories:
        for path, _, names in os.walk(directory):
            for name in names:
                yield os.path.join(path, name)


def find_pieces(key, texts):
    return [name for name, text in texts if any(piece in text for piece in pieces(key))]


def read(path, since=0):
    """What is in it, unless it is older."""
    with contextlib.suppress(OSError):
        st = os.lstat(path)
        if stat.S_ISREG(st.st_mode) and st.st_mtime >= since:
            return pathlib.Path(path).read_bytes()
    return b''


STRACE = ['strace', '-f', '-qq', '-s', '1000000', '-x', '-e',
          'trace=%process,write,writev,pwrite64,sendto,sendmsg,open,openat,creat,'
          'memfd_create,mmap,prctl,setrlimit,prlimit64']


def traced(world, mode, output):
    """A selection under strace."""
    command = [*STRACE, '-o', output, '-u', world.broker.name,
               *world.site.command('--user', world.user.name)]
    done = subprocess.run(
        command, cwd=world.site.cwd, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=60, env={'PATH': '/usr/bin:/bin', 'SSH_ORIGINAL_COMMAND':
                         brokerlab.SELECT % 'desk', 'SSH_CONNECTION':
                         '127.0.0.1 50000 127.0.0.1 22'})
    return autologinlab.given_by(brokerlab.Answer(done.stdout, done.stderr,
                                                  done.returncode, 0))


def test_secret(tap, world):
    """The private key is in the answer, and nowhere else."""
    local = autologinlab.install_agent(world.program, world.path('local'),
                                       world.broker.gid)
    record = world.path('record')
    pathlib.Path(record).touch()
    os.chmod(record, 0o666)
    world.serve(autologinlab.put_script(
        world.path('recorder'), 'cat /proc/$$/environ /proc/$$/cmdline >>%s' % record,
        'exec ' + world.program))
    for mode, type, changes in (('SSH', 'rsa', {}), ('SSH', 'ed25519', {}),
                                ('LOCAL', 'rsa', {'agent_command': local})):
        name = '%s, %s' % (mode, type)
        trace = world.path('trace-' + mode)
        start = time.time() - 1
        with world.site.configured(default_agent_query_mode=mode,
                                   autologin_key_type=type, **changes), \
                Syslog() as syslog, Watch() as watch:
            given = world.select()
            by_trace = traced(world, mode, trace)
        if not tap.ok(given.key and by_trace.key, name + ': there is a key', given.raw,
                      by_trace, world.site.log_text()):
            continue
        for key in (given.key, by_trace.key):
            texts = [('/dev/log', b'\n'.join(syslog.heard)),
                     ('/proc', b'\n'.join(watch.seen)),
                     *((path, read(path, start)) for path in
                       files_below('/var/log', '/var/tmp', '/tmp', '/run', '/dev/shm',
                                   world.user.home, world.broker.home,
                                   world.agent.home) if not path.startswith(trace))]
            tap.equal(find_pieces(key, texts), [], name + ': it is in no file, no log, '
                      'and nothing that can be seen of a process')
        check_trace(tap, name, by_trace.key, pathlib.Path(trace).read_text())
        os.unlink(trace)
    world.serve(world.program)
    tap.ok('storekey' in pathlib.Path(record).read_text(errors='replace'),
           'the agent was looked at')


def unquoted(line):
    """The bytes of the strings in a line of strace."""
    texts = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    return b'\0'.join(text.encode('latin-1').decode('unicode_escape').encode('latin-1')
                      for text in texts)


def check_trace(tap, name, key, trace):
    calls = [line for line in trace.splitlines() if any(
        piece in unquoted(line) for piece in [b'PRIVATE KEY', *pieces(key)])]
    made, answer = ([line for line in calls if re.match(
        r'\d+ +write\(1, "' + begin, line)] for begin in ('reply ', 'Access granted'))
    tap.ok((len(made), len(answer), len(calls)) == (1, 1, 2), name +
           ': it is written once by x2gobroker-poll, and once by the broker, to stdout',
           *[line[:200] for line in calls])
    tap.ok('RLIMIT_CORE' in trace and 'PR_SET_DUMPABLE, SUID_DUMP_DISABLE' in trace,
           name + ': there will be no core of it')
    tap.ok('memfd_create(' not in trace, name + ': there is no file in memory')


# The user's own key

def with_agent(command, socket):
    """A command of lab.Sshd, whose private key an SSH agent holds."""
    command = ['IdentityAgent=' + socket if word == 'IdentityAgent=none' else word
               for word in command]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60)


def test_own(tap, world):
    """The key with which the user has come is admitted, and nothing is sent."""
    user = world.user
    world.profiles(world.profile('desk', broker_autologin_key='own'),
                   world.profile('other', user=world.other.name,
                                 broker_autologin_key='own'))
    given = world.select()
    tap.ok(given.server and not given.key and 'ExposeAuthInfo' in world.log(),
           'a key that sshd does not tell: none, and the log says why', given.raw)
    socket = world.path('agent')
    agent = subprocess.Popen(['ssh-agent', '-D', '-a', socket], stdout=subprocess.DEVNULL)
    try:
        lab.wait_for(lambda: os.path.exists(socket), 10)
        for type in 'ed25519', 'ecdsa', 'rsa':
            world.reset()
            world.profiles(world.profile('desk', broker_autologin_key='own'))
            key = lab.keypair(world.dir, type, 'own-' + type)
            subprocess.run(['ssh-add', '-q', key], check=True,
                           env={**os.environ, 'SSH_AUTH_SOCK': socket})
            os.unlink(key)
            own_key(tap, world, type, key + '.pub', socket, exposed=type != 'ecdsa')
    finally:
        agent.kill()
        agent.wait()
    tap.equal((keys_of(user), keys_of(world.other)), (None, None),
              'nothing was written to home directories')


def own_key(tap, world, type, pubkey, socket, exposed):
    """exposed: sshd tells the key; else it is in the forced command."""
    user, words = world.user, []
    if not exposed:
        keys = pathlib.Path(world.path('listed'))
        keys.mkdir()
        shutil.copyfile(pubkey, keys / (user.name + '.pub'))
        os.chmod(keys / (user.name + '.pub'), 0o644)
        world.site.configure(keys_dir=keys)
        words = ['--listed-key', ':'.join(pathlib.Path(pubkey).read_text().split()[:2])]

    def login(account):
        return with_agent(world.server.ssh_command(account.name, pubkey, 'id -un'), socket)

    with lab.Sshd('ExposeAuthInfo %s\n' % ('yes' if exposed else 'no')) as door:
        door.authorize(world.broker.name, pubkey, 'restrict,command="%s"' % ' '.join(
            world.site.command('--user', user.name, *words)))
        tap.ok(login(user).returncode != 0, type + ': before, it does not let in')
        listing = with_agent(door.ssh_command(world.broker.name, pubkey,
                                              brokerlab.LIST), socket)
        tap.ok(b'autologin=1\n' in listing.stdout, type + ': the listing says autologin',
               listing)
        done = with_agent(door.ssh_command(world.broker.name, pubkey, SELECT % 'desk'),
                          socket)
    log = world.log()
    tap.ok(b'SERVER:' in done.stdout and b'PRIVATE' not in done.stdout and
           ' key=own ' in log, type + ': no private key is sent', done, log)
    line = (stored().get(user.name) or [''])[0]
    tap.ok(' '.join(pathlib.Path(pubkey).read_text().split()[:2]) in line and
           line.startswith('restrict,pty,port-forwarding,expiry-time='),
           type + ': it is admitted, with an end', line)
    tap.equal(login(user).stdout, user.name.encode() + b'\n', type + ': it lets in',
              world.server.log_tail())
    tap.ok(login(world.other).returncode != 0, type + ': another user cannot be had')


# The store

class PrivateHome:
    """A home directory that not even root can look into, as one on a file server may be:
    of a file system in user space, which serves the requests of its user alone."""

    def __init__(self, user):
        self.user, self.asked = user, []
        self.fuse = os.open('/dev/fuse', os.O_RDWR)

    def __enter__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        options = 'fd=%d,rootmode=40700,user_id=%d,group_id=%d' % (
            self.fuse, self.user.uid, self.user.gid)
        if libc.mount(b'home', self.user.home.encode(), b'fuse', 0, options.encode()):
            raise OSError(ctypes.get_errno(), 'mount')
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        """INIT and GETATTR of an empty directory; whatever else there is fails."""
        with contextlib.suppress(OSError):
            while True:
                request = os.read(self.fuse, 1 << 20)
                opcode, number = struct.unpack_from('<IQ', request, 4)
                answer, error = b'', 0
                if opcode == 26:
                    answer = struct.pack('<IIIIHHI', 7, 23, 0, 0, 1, 1, 4096) + bytes(40)
                elif opcode == 3:
                    answer = struct.pack('<QIIQQQQQQIIIIIIIII', 1, 0, 0, 1, *[0] * 8,
                                         0o40700, 2, self.user.uid, self.user.gid, 0,
                                         512)
                    answer += bytes(104 - len(answer))
                elif opcode not in (2, 42):     # FORGET takes no answer
                    self.asked.append(opcode)
                    error = -2 if opcode == 1 else -38
                if opcode not in (2, 42):
                    os.write(self.fuse, struct.pack('<IiQ', 16 + len(answer), error,
                                                    number) + answer)

    def __exit__(self, *_):
        subprocess.run(['umount', '-l', self.user.home], check=True)
        os.close(self.fuse)


def test_homes(tap, world):
    """Nothing of it is opened, whatever it is."""
    user = world.user
    with PrivateHome(user):
        try:
            os.listdir(user.home)
            tap.ok(False, "a home directory that is the user's alone: root cannot read it")
        except PermissionError:
            tap.ok(True, "a home directory that is the user's alone: root cannot read it")
        given = world.select()
        tap.ok(given.key and world.gets_in(given.key, user), 'the key lets in', given.raw,
               world.tell())
    away = user.home + '.away'
    os.rename(user.home, away)
    try:
        given = world.select()
        tap.ok(given.key and world.gets_in(given.key, user), 'no home directory yet: the '
               'key lets in', given.raw, world.tell())
        tap.ok(not os.path.exists(user.home), 'and none is made')
    finally:
        os.rename(away, user.home)


def test_store_unread(tap, world):
    """Before a user meets it, the log says what is to be done."""
    autologinlab.let_sshd_read_it(False)
    pathlib.Path(STORE, 'sshd').unlink(missing_ok=True)
    try:
        check_nothing(tap, world, 'an sshd that does not read the store',
                      'AuthorizedKeysFile')
    finally:
        autologinlab.let_sshd_read_it(True)
    given = world.select()
    tap.ok(given.key and world.gets_in(given.key, world.user), 'then it does')


def test_store_people(tap, world):
    """A user can neither read the keys of others, nor change a file, nor be in the way."""
    given = world.select()
    name = world.user.name
    script = """
cd %s/keys
ls . && echo listed
cat ../.lock && echo the lock was read
for file in %s new x; do
    (echo x >$file) && echo $file was written
    (echo x >../$file) && echo ../$file was written
    rm -f $file && test ! -e $file && [ $file = %s ] && echo $file was removed
    ln -s /etc/passwd $file && echo $file was linked
    mkdir $file && echo $file was made
done
mv %s other && echo moved
flock -n . true && echo keys is locked
flock -n .. sleep 60 >/dev/null 2>&1 &
flock -n ../.lock true && echo locked
exit 0
""" % (STORE, name, name, name)
    done = subprocess.run(['sh', '-c', script], user=world.user.uid, group=world.user.gid,
                          extra_groups=[], capture_output=True, text=True, timeout=20)
    tap.equal(done.stdout, '', 'a user can do nothing there', done.stderr)
    again = world.select()
    tap.ok(given.key and again.key and world.gets_in(given.key, world.user) and
           world.gets_in(again.key, world.user), 'both keys let in', world.tell())
    lab.end(world.user.processes)


def test_store_killed(tap, world, rounds=60):
    """At any moment, what is in the store is whole."""
    line = 'restrict,pty,expiry-time="%s" %s x2gobroker:x'
    end = time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + 3000))
    key = ' '.join(pathlib.Path(world.service_key + '.pub').read_text().split()[:2])
    world.select()
    bad, killed, whole = [], 0, set()
    for number in range(rounds):
        text = line % (end, re.sub('.{4}$', '%04d' % number, key))
        child = subprocess.Popen([world.program, world.user.name, 'storekey', text],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(number / rounds * 0.03)
        child.kill()
        killed += child.wait() != 0
        lines = stored().get(world.user.name, [])
        bad += [line for line in lines if not re.fullmatch(
            r'restrict,pty(,port-forwarding)?,expiry-time="\d{14}Z" ssh-\S+ \S{60,} '
            r'x2gobroker:\S+', line)]
        tap.ok(whole <= set(lines), 'killed %d: no line is lost' % number) \
            if not whole <= set(lines) else None
        whole = set(lines)
    tap.equal(bad, [], 'no line is cut off, after %d of %d were killed' % (killed, rounds))
    given = world.select()
    tap.ok(given.key and world.gets_in(given.key, world.user), 'and the next key lets in',
           world.tell())
    tap.equal(sorted(os.listdir(STORE)), ['.lock', 'keys', 'sshd'],
              'what was left half done is gone')


FILE_TESTS = (test_key, test_lifetime, test_all_or_nothing, test_proxy, test_proxy_fails,
              test_files)
STORE_TESTS = (test_key, test_lifetime, test_from, test_tricks, test_none, test_own, test_homes,
               test_store_unread, test_store_people, test_store_killed, test_debian,
               test_secret, test_crowd)


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**autologinlab.PACKAGES):
            return
        programs = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKER_AGENT')
        if len(programs) < 2:
            return
        world = autologinlab.World(stack, *programs)
        for test, file in [*((test, '%h/' + FILE) for test in FILE_TESTS),
                           *((test, None) for test in STORE_TESTS)]:
            world.file = file
            world.reset()
            start = time.monotonic()
            with tap.case(test.__name__ + ': no step failed', world.tell):
                test(tap, world)
            tap.note('%s: %.1f s' % (test.__name__, time.monotonic() - start))


if __name__ == '__main__':
    main()
