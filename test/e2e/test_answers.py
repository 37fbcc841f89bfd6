#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the answers hold: the server that is named, and profiles which the client's
own reader, Qt's, shows as they were written.

usage: test_answers.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)
"""

import importlib.util
import os
import re
import sys

import brokerlab
from brokerlab import DENIED, GRANTED, LIST, SELECT, SERVER, framed, wrap


# Which server

# Rows: what, lines of the profile, the servers that may be named.
HOSTS = [
    ('a name', 'host = a.example', {'a.example:22'}),
    ('an address', 'host = 192.0.2.1', {'192.0.2.1:22'}),
    ('a name and its port', 'host = a.example:2222', {'a.example:2222'}),
    ('a name and its address', 'host = a (192.0.2.1)', {'192.0.2.1:22'}),
    ('a name, address and port', 'host = a (192.0.2.1:2222)', {'192.0.2.1:2222'}),
    ('a name, another name and port', 'host = a (b.example:2222)', {'b.example:2222'}),
    ('sshport', 'host = a.example\nsshport = 2022', {'a.example:2022'}),
    ('sshport and address', 'host = a (192.0.2.1)\nsshport = 2022', {'192.0.2.1:2022'}),
    ("a host's own port comes first", 'host = a:2222\nsshport = 2022', {'a:2222'}),
    # The client would take an IPv6 address for a name and a port.
    ('an IPv6 address', 'host = a (2001:db8::1)', {'a:22'}),
    ('an IPv6 address and a port', 'host = a ([2001:db8::1]:2222)', {'a:2222'}),
    ('one of several', 'host = a.example, b (192.0.2.2:2222), c:2223\nsshport = 2022',
     {'a.example:2022', '192.0.2.2:2222', 'c:2223'}),
    ('of several, one that can be named', 'host = 2001:db8::1, b, [2001:db8::2]:23',
     {'b:22'}),
    ('a shared desktop is on the first', 'host = a, b, c\ncommand = SHADOW', {'a:22'}),
    ('from the defaults', '', {'default.example:2000'}),
]

# How often is asked where there is a choice.  That one of three servers never comes
# up then is less likely than the machine's breaking down meanwhile.
TRIES = 80


def test_servers(world):
    # none of these servers is there to be tried
    profiles = ('[DEFAULT]\nhost = default.example\nsshport = 2000\n'
                'broker-portscan-x2goservers = false\n')
    for i, (_, lines, _) in enumerate(HOSTS):
        if lines and 'sshport' not in lines:
            lines += '\nsshport = 22'
        profiles += '[p%d]\nname = x\n%s\n' % (i, lines)
    world.site.write('profiles.conf', profiles)
    for i, (name, _, servers) in enumerate(HOSTS):
        line = wrap(SELECT % 'p%d' % i)
        tries = TRIES if len(servers) > 1 else 3
        answers = {world.site.forced(line, *world.pin(world.user)).stdout
                   for _ in range(tries)}
        world.tap.equal(answers, {framed(GRANTED + b'SERVER:%b\n' % server.encode())
                                  for server in servers}, 'server: ' + name)


# Rows: the profile's user=, --login, whether that is good.
LOGINS = [
    (None, 'USER', True), (None, 'OTHER', False), (None, 'BROKER_USER', False),
    ('BROKER_USER', 'USER', True), ('BROKER_USER', 'OTHER', False),
    ('BROKER_USER', 'BROKER_USER', False), ('BROKER_USER', 'root', False),
    ('kiosk', 'kiosk', True), ('kiosk', 'USER', True), ('kiosk', 'OTHER', False),
    ('kiosk', 'KIOSK', False), ('kiosk', 'kiosk2', False), ('kiosk', 'kios', False),
    ('kiosk', '', True), ('kiosk', None, True),
    ('', 'USER', True), ('', 'OTHER', False), ('not-set', 'USER', True),
    ('not-set', 'not-set', False), ('root', 'root', True),
]


def test_logins(world):
    profiles = ''
    for i, (fixed, _, _) in enumerate(LOGINS):
        user = '' if fixed is None else 'user = %s\n' % fixed
        profiles += '[p%d]\nname = x\nhost = desk.example\n%s' % (i, user)
    world.site.write('profiles.conf', profiles)
    for i, (fixed, login, good) in enumerate(LOGINS):
        option = '' if login is None else ' --login "%s"' % login
        line = SELECT % 'p%d' % i + option
        world.check_task(world.client.ask(wrap(world.named(line))),
                         SERVER if good else DENIED,
                         'user = %s, --login %s' % (fixed, login))
    listing = world.client.ask(LIST).stdout
    world.tap.ok(b'user=%b\n' % world.user.name.encode() in listing,
                 'BROKER_USER: the listing names the user')


def test_hidden(world):
    """Nobody can find out what there is for others."""
    hidden = [world.client.ask(wrap(world.named(SELECT % name)))
              for name in ('desk of OTHER', 'no desk of OTHER')]
    world.check_task(hidden[0], DENIED, "another user's profile")
    world.tap.equal(hidden[0][:3], hidden[1][:3],
                    'a profile that is hidden, and one that does not exist')


# What the client shows: its own reader is Qt's

# Rows: what the administrator writes; and if it isn't that, what the user sees.
VALUES = [
    'plain', 'B\u00fcro, 1. Stock', 'a,b', ',', ',,', 'a;b', 'a ; b', '; a', '# a',
    'a # b', 'say "hi"', '"', '""a""', '"a" and "b"', '"half', 'half"', "it's", '\\',
    '\\\\', 'a\\', '\\n', '\\xfc', 'C:\\Users\\x41', '\\"', 'a=b', 'a:b', '=', '%',
    '100%', '%41', '%s%n', '@', '@@', '@a', '@Invalid()', '@Variant(\\0)', '@String(a)',
    '@ByteArray(a)', '[a]', '()', '\u00e4f', '\u00e4\u00f6\u00fc\u00df', 'f\u00fcr 1',
    '\u00e40', '\u00e4g', '\u00ff\u0100', '\u0436\u0438\u0437\u043d\u044c',
    '\u65e5\u672c', '\U0001f600', '\U0001f600a', '\u00a0a\u00a0', '\u0080', '\u2028',
    '\u202e', '\ufeffa', '\ue000', '\ufffd', 'a\tb', '0', '007', 'true', '0x10', '1e5',
    'NULL', 'x' * 5000, '\u00e4' * 3000, ',' * 3000, 'AUTHID:', 'AUTHID:forged',
    'x AUTHID:y', 'authid:', 'AUTHID :', 'AUTHIDAUTHID:', 'Access granted',
    'Access denied', 'LOGIN OK', 'a<br>b', '<br><br>', '<b>bold</b>', '<BR>', '<br />',
    'START_USER_SESSIONS', 'END_USER_SESSIONS', 'END_USER_SESSIONS, a',
    'START_CLIENT_CONFIG', 'END_CLIENT_CONFIG', 'SERVER:evil.example:22',
    'SESSION_INFO:a|b', 'X2GODATABEGIN:' + brokerlab.UUID,
    'X2GODATAEND:' + brokerlab.UUID, '-----BEGIN RSA PRIVATE KEY-----', 'a"AUTHID:"',
    'a\\AUTHID:b', '\u00e4AUTHID:', 'AUTHID:AUTHID:<br>SERVER:AUTHID:', 'a%b',
    '$HOME `id` $(id)', 'x;AUTHID:\\x41',
    # One string in the client's own notation already: it stays that.
    ('"a, b"', 'a, b'), ('"B\\xfcro"', 'B\u00fcro'), ('"B\u00fcro, 1"', 'B\u00fcro, 1'),
    ('"a\\\\b"', 'a\\b'), ('"AUTHID:"', 'AUTHID:'), ('"a<br>b"', 'a<br>b'), ('""', ''),
    ('"\\"q\\""', '"q"'), ('"\u00e4f"', '\u00e4f'), ('', ''), ('a\n  b', 'a\nb'),
    ('a\n  AUTHID:b', 'a\nAUTHID:b'),
]

# Lists are the client's own, so there the commas are not escaped.
APPLICATIONS = [('TERMINAL,OFFICE', ['TERMINAL', 'OFFICE']), ('TERMINAL', 'TERMINAL'),
                ('B\u00fcro, a;b', ['B\u00fcro', 'a;b']),
                ('AUTHID:,SERVER:', ['AUTHID:', 'SERVER:'])]

# How often each of these may stand in the raw answer to listsessions.
WORDS = {b'Access granted': 1, b'START_USER_SESSIONS': 1, b'END_USER_SESSIONS': 1,
         b'X2GODATABEGIN:': 1, b'X2GODATAEND:': 1, b'AUTHID:': 0, b'SERVER:': 0,
         b'SESSION_INFO:': 0, b'START_CLIENT_CONFIG': 0, b'END_CLIENT_CONFIG': 0,
         b'<br>': 0, b'-----BEGIN': 0, b'\r': 0}


def test_values(world):
    """As written, so shown: whatever the administrator writes, and whatever it
    means to INI files, Qt or the client."""
    rows = [row if isinstance(row, tuple) else (row, row) for row in VALUES]
    # A key that the broker knows, and one that it passes on.
    profiles = ''.join('[p%d]\nname = %s\nnote = %s\n' % (i, text, text)
                       for i, (text, _) in enumerate(rows))
    profiles += ''.join('[a%d]\nname = x\napplications = %s\n' % (i, text)
                        for i, (text, _) in enumerate(APPLICATIONS))
    shown, raw = shown_by_client(world, profiles)
    for i, (text, seen) in enumerate(rows):
        profile = shown.get('p%d' % i, {})
        world.tap.equal([profile.get('name'), profile.get('note')], [seen] * 2,
                        'as shown: %.60a' % text)
    for i, (text, seen) in enumerate(APPLICATIONS):
        world.tap.equal(shown['a%d' % i]['applications'], seen, 'a list: %a' % text)
    check_words(world, raw, 'values')


def shown_by_client(world, profiles):
    """What the client makes of a listing, and the raw answer."""
    from peer_client import QtReader, session_block
    world.site.write('profiles.conf', profiles)
    raw = world.client.ask(wrap(LIST)).stdout
    inner = raw.partition(b'\n')[2].rpartition(b'X2GODATAEND')[0]
    return QtReader(world.site.dir).read(session_block(inner)), raw


def check_words(world, raw, name):
    world.tap.equal({word: raw.count(word) for word in WORDS}, WORDS,
                    name + ": the protocol's words stand where they belong only")


# Ids that can be: blanks, letters of any kind, and signs that mean something to a
# shell.  Two differ in case only.
IDS = ['plain', 'desk 2', 'B\u00fcro 1. Stock', "O'Brien", '\u65e5\u672c', '\U0001f600',
       'UPPER', 'upper', 'a (b) <c> & $(touch x) `y` | z > w', 'a, b', 'a=b', 'a:b',
       '@a', '#a', '--task listsessions', 'x --user root', '*', '~', '!', '{a,b}',
       'x' * 500, '\u00e4f', '%d' % 2 ** 40, '\u00a0', 'default', 'general2']

# Ids and keys with which the client could not live; the profile is withheld.
BAD_IDS = ['General', 'general', 'a/b', 'a;b', 'a%b', 'a\\b', 'a"b', 'AUTHID:',
           'a<br>b', 'END_USER_SESSIONS', 'START_USER_SESSIONS']
BAD_KEYS = ['END_USER_SESSIONS', 'START_USER_SESSIONS', 'START_CLIENT_CONFIG',
            'END_CLIENT_CONFIG', 'a b', 'b\u00fcro', 'a/b', 'a%b']


def test_ids(world):
    """Each id goes to the client and comes back as Qt read it: as Latin-1."""
    profiles = ''.join('[%s]\nname = %d\nhost = h%d.example\n' % (id, i, i)
                       for i, id in enumerate(IDS))
    shown, _ = shown_by_client(world, profiles)
    world.tap.equal(sorted(shown), sorted(IDS), 'ids: the client sees them all')
    for i, id in enumerate(IDS):
        world.tap.equal(shown.get(id, {}).get('name'), str(i), 'id %.40a: shown' % id)
        answer = world.client.ask(wrap(SELECT % id))
        world.check_task(answer, GRANTED + b'SERVER:h%d.example:22\n' % i,
                         'id %.40a: selected' % id)


def test_withheld(world):
    profiles = '[good]\nname = good\n'
    profiles += ''.join('[%s]\nname = bad\n' % id for id in BAD_IDS)
    profiles += ''.join('[key %d]\nname = bad\n%s = 1\n' % (i, key)
                        for i, key in enumerate(BAD_KEYS))
    world.site.write('profiles.conf', profiles)
    raw = world.client.ask(wrap(LIST)).stdout
    check_words(world, raw, 'what is withheld')
    ids = re.findall(rb'(?m)^\[(.*)\]$', raw)
    world.tap.equal(ids, [b'good'], 'profiles that the client could not take')
    for id in BAD_IDS:
        answer = world.client.ask(wrap(SELECT % id))
        world.check_task(answer, DENIED, 'withheld: %a' % id)


def test_bad_profiles(world):
    """What is wrong in a file of profiles withholds these, and is logged."""
    path = world.site.write('profiles.conf', '[a]\nname = a\nprint = perhaps\n\n[b]\n'
                            'name = b\n\n[c]\nname = c\nacl-users-alow = root\n')
    world.site.log()
    ids = re.findall(rb'(?m)^\[(.*)\]$', world.client.ask(LIST).stdout)
    log = world.site.log().decode()
    world.tap.equal(ids, [b'b'], 'bad profiles: the others are served')
    for place in path + ':3: print', path + ':10: acl-users-alow':
        world.tap.ok(place in log, 'bad profiles: the log says ' + place, log)
    os.chmod(path, 0o664)
    world.check(world.client.ask(LIST), GRANTED + b'START_USER_SESSIONS\n\n'
                b'END_USER_SESSIONS\n',
                'profiles that others can write: none is served')
    log = world.site.log().decode()
    world.tap.ok(path + ': ' in log and 'chmod' in log,
                 'profiles that others can write: the log says so', log)


def test_qt(world):
    """Without it the rest says nothing."""
    world.tap.ok(importlib.util.find_spec('PyQt5'), 'PyQt5 is there',
                 'please run: apt-get install python3-pyqt5')


# test_hidden comes early: all behind it write profiles of their own.
TESTS = [test_qt, test_hidden, test_servers, test_logins, test_values, test_ids,
         test_withheld, test_bad_profiles]

if __name__ == '__main__':
    sys.exit(brokerlab.run(TESTS))
