#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Login tokens (AUTHID), through a real sshd and with what X2Go clients send: chains of
requests, replays, many clients at once, and a token directory that is not in order.

usage: test_tokens.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)
"""

import concurrent.futures
import hashlib
import os
import pathlib
import re
import sys
import time

import brokerlab
import lab
from brokerlab import (DENIED, ENVELOPES, GRANTED, LOGIN_CHECK, UUID, framed, to_bytes,
                       wrap)

SECRET = 'b1946ac9-2492-4d23-47c6-235b4d2611184'
CHAINS, STEPS, SAME = 50, 4, 20

CONF = '''\
require-cookie = true
my-cookie = {secret}
my-cookie-file = {dir}/x2gobroker.authid
authids-dir = {dir}/authids.d
cookie-directory = {tokens}
'''

# As X2Go Client sends them; TOKEN is what it got last.
LISTING = 'x2gobroker --user USER --authid TOKEN --task listsessions'
SELECT = 'x2gobroker --user USER --task selectsession --sid "desk" --authid TOKEN'
EVENT = ('x2gobroker --user USER --authid TOKEN --task clientevent --sid '
         '"USER-50-1700000000_stDKDE_dp24" --event %s --server "desk.example" --client '
         '"10.0.0.1" --login "USER" --cmd "startkde" --display "50" --start '
         '"2026-01-02T03:04:05" --elapsed 30')

SERVER = b'SERVER:desk.example:22\n'


class Office:
    """A site with tokens, and a key of the shared account that leads to it."""

    def __init__(self, world, **keys):
        self.world = world
        number = len(os.listdir(world.site.dir))
        self.tokens = world.site.path('tokens%d' % number)
        os.mkdir(self.tokens, 0o700)
        os.chown(self.tokens, world.shared.uid, world.shared.gid)
        self.file = 'tokens%d.conf' % number
        text = CONF.format(secret=SECRET, dir=world.site.dir, tokens=self.tokens)
        text += ''.join('%s = %s\n' % (key.replace('_', '-'), value)
                        for key, value in keys.items())
        world.site.write(self.file, world.site.conf().replace('[global]\n',
                                                              '[global]\n' + text))
        self.client = self.connect(world.user)

    def connect(self, user):
        return self.world.connect(self.world.shared, *self.world.pin(user),
                                  config=self.file)

    def ask(self, line, token, client=None, envelope=brokerlab.MODERN):
        line = self.world.named(line.replace('TOKEN', token))
        return (client or self.client).ask(wrap(line, envelope))

    def log_in(self, client=None):
        """The token that the secret brings, or ''."""
        return token_in(self.ask(LISTING, SECRET, client))

    def files(self):
        return sorted(os.listdir(self.tokens))


def token_in(answer):
    """What a client takes for its token: the first AUTHID: anywhere, to the line's
    end."""
    found = re.search(rb'AUTHID:(.*)', answer.stdout)
    return found.group(1).decode() if found else ''


def granted(answer):
    return GRANTED in answer.stdout


def test_first(world):
    """The first line, and what is kept of it."""
    tap, office = world.tap, Office(world)
    answer = office.ask(LISTING, SECRET)
    token = token_in(answer)
    head = b'X2GODATABEGIN:%b\nAUTHID:%b\nAccess granted\n' % (UUID.encode(),
                                                              token.encode())
    tap.ok(answer.stdout.startswith(head) and answer.stdout.count(b'AUTHID:') == 1,
           'AUTHID is the first line, once', answer)
    tap.ok(re.fullmatch('[0-9a-f]{64}', token), 'a token is 64 hex digits', token)
    tap.equal(office.files(), [hashlib.sha256(token.encode()).hexdigest()],
              'its file is called by its SHA-256')
    path = pathlib.Path(office.tokens, office.files()[0])
    status = path.stat()
    tap.equal((status.st_mode & 0o777, status.st_uid), (0o600, world.shared.uid),
              'the file is for the broker account alone')
    tap.ok(token.encode() not in path.read_bytes(), 'the token is not in it')
    tap.ok(token.encode() not in world.site.log() and SECRET.encode() not in
           world.site.log(), 'nor is it in the log')
    answer = office.client.ask(LOGIN_CHECK, tty=True)
    tap.ok(b'LOGIN OK' in answer.stdout, 'the login check needs none', answer)
    whoami = office.client.ask(wrap('whoami', 'x2goclient 4.1, Kerberos'))
    world.check_task(whoami, to_bytes(world.shared.name) + b'\n', 'nor does whoami')


def test_refused(world):
    office = Office(world)
    for name, sent in (('none', ''), ('a wrong secret', SECRET[:-1]),
                       ('another wrong secret', SECRET + '0'),
                       ('a token that never was', '0' * 64), ('a path', '../../x'),
                       ('a format', '%s%n'), ('a long one', 'f' * 5000)):
        for line in LISTING, SELECT, EVENT % 'ALIVE':
            world.check_task(office.ask(line, sent), DENIED, 'no token: ' + name)
    world.check_task(office.client.ask(wrap('x2gobroker --task listsessions')), DENIED,
                     'no token: no option')
    world.tap.equal(office.files(), [], 'no token: nothing is kept')


def test_not_required(world):
    """Without require-cookie none is given, and what is sent does not matter."""
    for token in '', 'f' * 64, SECRET:
        answer = world.client.ask(wrap(world.named(LISTING.replace('TOKEN', token))))
        world.check_task(answer, brokerlab.LISTING, 'not required: %.9r' % token)


def test_session(world):
    """A whole session: list, select, events, each with the newest token."""
    office = Office(world)
    token = office.log_in()
    tokens = [token]
    lines = [LISTING, SELECT, EVENT % 'CONNECTING', EVENT % 'CONNECTED',
             EVENT % 'ALIVE', EVENT % 'SUSPENDING', EVENT % 'FINISHED', LISTING]
    for i, line in enumerate(lines):
        envelope = list(ENVELOPES)[i % len(ENVELOPES)]
        answer = office.ask(line, tokens[-1], envelope=envelope)
        new = token_in(answer)
        good = granted(answer) and len(new) == 64 and new not in tokens
        world.tap.ok(good and (line != SELECT or SERVER in answer.stdout),
                     'session: request %d, %s' % (i + 1, envelope), answer)
        tokens.append(new)
    for option in '--auth-cookie', '--next-authid':
        answer = office.ask(LISTING.replace('--authid', option), tokens[-1])
        world.tap.ok(granted(answer) and token_in(answer), 'session: ' + option, answer)
        tokens.append(token_in(answer))
    world.tap.ok(not [name for name in office.files() if name.startswith('new.')],
                 'session: no temporary file is left')


def test_grace(world):
    tap, office = world.tap, Office(world, token_grace=1)
    first = office.log_in()
    second = token_in(office.ask(LISTING, first))
    answer = office.ask(EVENT % 'ALIVE', first)
    tap.ok(granted(answer) and not token_in(answer),
           'grace: a replaced token is good for a moment, and brings no other', answer)
    time.sleep(2.2)
    world.site.log()
    world.check_task(office.ask(LISTING, first), DENIED, 'grace: then it is refused')
    log = world.site.log()
    tap.ok(b'refused' in log and b'authid' in log and first.encode() not in log,
           'grace: the log says why', log)
    tap.ok(granted(office.ask(LISTING, second)), 'grace: the newer one is good')


def test_timeout(world):
    tap, office = world.tap, Office(world, auth_timeout=2, token_grace=0)
    token = office.log_in()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        token = token_in(office.ask(LISTING, token)) or token
        time.sleep(0.2)
    time.sleep(2.2)
    world.check_task(office.ask(LISTING, token), DENIED,
                     'timeout: refused, counted from the first login')
    tap.ok(len(office.log_in()) == 64, 'timeout: with the secret it begins anew')
    tap.equal(len(office.files()), 1, 'timeout: and what is old is swept')


def test_static(world):
    tap, office = world.tap, Office(world, use_static_cookie='true')
    token = office.log_in()
    for i in range(3):
        answer = office.ask(LISTING, token)
        tap.ok(granted(answer) and not token_in(answer), 'static: request %d' % (i + 1),
               answer)


def test_refused_task(world):
    """A task that is refused does not use the token up, so the client can go on."""
    tap, office = world.tap, Office(world, token_grace=0)
    token = office.log_in()
    for line in ('x2gobroker --authid TOKEN --task selectsession --sid "attic"',
                 'x2gobroker --authid TOKEN --task selectsession --sid "desk of OTHER"',
                 'x2gobroker --authid TOKEN --task selectsession --sid "desk" '
                 '--login OTHER', 'x2gobroker --authid TOKEN --task testcon',
                 'x2gobroker --authid TOKEN --task setpass --newpass x',
                 'x2gobroker --authid TOKEN --task dance',
                 'x2gobroker --authid TOKEN --task listsessions --task listsessions'):
        world.check_task(office.ask(line, token), DENIED, 'refused: ' + line[27:])
    time.sleep(1.2)
    answer = office.ask(LISTING, token)
    tap.ok(granted(answer) and token_in(answer), 'refused: the token is as good as new',
           answer)


def test_others(world):
    tap, office = world.tap, Office(world)
    other = office.connect(world.other)
    token = office.log_in()
    world.site.log()
    world.check_task(office.ask(LISTING, token, other), DENIED, "somebody else's token")
    world.check_task(office.ask(SELECT, token, other), DENIED,
                     "somebody else's token, to select")
    tap.ok(b"somebody else's" in world.site.log(), "somebody else's token: the log")
    tap.ok(granted(office.ask(LISTING, token)), 'it is still good for its owner')


def test_address(world):
    """The token is good at the address that it was given to."""
    for verify in 'true', 'false':
        office = Office(world, verify_ip=verify)
        token = office.log_in()
        line = wrap(world.named(LISTING.replace('TOKEN', token)))
        answer = world.sshd.ssh(world.shared.name, office.client.key, line,
                                options=['BindAddress=127.0.0.2'])
        world.tap.equal(granted(answer), verify == 'false',
                        'another address, verify-ip = ' + verify, answer)


def test_own_secret(world):
    """A user with a file in authids.d has a secret of his own, and no other."""
    tap, office = world.tap, Office(world)
    other = office.connect(world.other)
    os.makedirs(world.site.path('authids.d'), exist_ok=True)
    own = world.site.write('authids.d/' + world.user.name, '# mine\nmy-own-secret\n')
    try:
        tap.ok(granted(office.ask(LISTING, 'my-own-secret')), 'own secret')
        world.check_task(office.ask(LISTING, SECRET), DENIED,
                         'own secret: not what all share')
        world.check_task(office.ask(LISTING, 'my-own-secret', other), DENIED,
                         'own secret: not for others')
        tap.ok(granted(office.ask(LISTING, SECRET, other)), 'own secret: others share')
        os.chmod(own, 0o646)
        world.check_task(office.ask(LISTING, 'my-own-secret'), DENIED,
                         'own secret: not if others may write it')
    finally:
        os.unlink(own)
    file = world.site.write('x2gobroker.authid', 'from-the-file\n')
    try:
        tap.ok(granted(office.ask(LISTING, 'from-the-file')), 'my-cookie-file')
        world.check_task(office.ask(LISTING, SECRET), DENIED,
                         'my-cookie-file goes before my-cookie')
    finally:
        os.unlink(file)


# Rows: what, what is done to the directory, a word of the reason.
def make_others(path, world):
    os.chown(path, world.user.uid, world.user.gid)


DIRECTORIES = [
    ('writable by all', lambda path, world: os.chmod(path, 0o777), b'chmod'),
    ('writable by its group', lambda path, world: os.chmod(path, 0o770), b'chmod'),
    ("somebody else's", make_others, b'uid'),
    ("root's", lambda path, world: os.chown(path, 0, 0), b'Permission denied'),
    ("root's, and open to read",
     lambda path, world: (os.chown(path, 0, 0), os.chmod(path, 0o755)), b'must belong'),
    ('not writable', lambda path, world: os.chmod(path, 0o500), b'Permission denied'),
    ('missing', lambda path, world: os.rename(path, path + '.away'), b'no such file'),
    ('a link to nowhere', lambda path, world: (
        os.rename(path, path + '.away'), os.symlink(path + '.none', path)),
     b'no such file'),
]


def test_directory(world):
    for name, spoil, why in DIRECTORIES:
        office = Office(world)
        token = office.log_in()
        world.tap.ok(token, 'token directory: in order')
        spoil(office.tokens, world)
        world.site.log()
        for sent in SECRET, token:
            answer = office.ask(LISTING, sent)
            world.check_task(answer, DENIED, 'token directory: ' + name)
            log = world.site.log()
            world.tap.ok(why in log and b'refused' in log and log.count(b'\n') == 1,
                         'token directory: %s: the log says it' % name, log)
        answer = office.client.ask(LOGIN_CHECK, tty=True)
        world.tap.ok(b'LOGIN OK' in answer.stdout,
                     'token directory: %s: the login check' % name, answer)


def at_once(n, fn):
    """What fn(0) to fn(n - 1) return, called all at once."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(fn, range(n)))


def test_same_at_once(world):
    """Events overlap: as many as there are with one token, all are granted, and one
    of them brings the next."""
    tap, office = world.tap, Office(world)
    token = office.log_in()
    answers = at_once(SAME, lambda i: office.ask(EVENT % 'ALIVE', token))
    tap.equal(sum(map(granted, answers)), SAME, 'one token at once: all are granted')
    new = [token_in(answer) for answer in answers if token_in(answer)]
    tap.equal(len(new), 1, 'one token at once: one brings the next')
    tap.equal(len(office.files()), 2, 'one token at once: no temporary file is left')
    tap.ok(granted(office.ask(LISTING, new[0])), 'one token at once: the next is good')


def test_chains_at_once(world):
    """Many clients, each with a chain of its own: none is lost, none crosses over."""
    tap, office = world.tap, Office(world)

    def chain(_):
        tokens = [SECRET]
        for _ in range(STEPS):
            answer = office.ask(LISTING, tokens[-1])
            if not granted(answer):
                return tokens, answer
            tokens.append(token_in(answer))
        return tokens, None

    start = time.monotonic()
    chains = at_once(CHAINS, chain)
    tap.note('%d chains of %d: %.1f s' % (CHAINS, STEPS, time.monotonic() - start))
    failed = [answer for _, answer in chains if answer]
    tap.equal(len(failed), 0, 'chains at once: none is lost', *failed[:3])
    tokens = [token for chain, _ in chains for token in chain[1:]]
    tap.ok(len(tokens) == len(set(tokens)) == CHAINS * STEPS and
           all(re.fullmatch('[0-9a-f]{64}', token) for token in tokens),
           'chains at once: no token came twice', len(tokens))
    tap.equal(office.files(), sorted(hashlib.sha256(token.encode()).hexdigest()
                                     for token in tokens),
              'chains at once: the files are theirs, and no other is left')


TESTS = [test_first, test_refused, test_not_required, test_session, test_grace,
         test_timeout, test_static, test_refused_task, test_others, test_address,
         test_own_secret, test_directory, test_same_at_once, test_chains_at_once]

if __name__ == '__main__':
    sys.exit(brokerlab.run(TESTS))
