#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The farm: which profiles have a session, which one is resumed, and where a new
one goes; with an sshd for each server.

usage: test_farm.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)
"""

import collections
import contextlib
import os
import shutil
import sys

import farmlab
from brokerlab import DENIED
from farmlab import id_of, load, on, session

SERVERS = 6


def names(servers):
    return {server.name for server in servers}


def asked(farm):
    """The numbers of the servers that were asked since the last time."""
    return [i for i, server in enumerate(farm.servers) if server.calls()]


# The listing

def test_marks(tap, farm):
    a, b, c, d, e, f = farm.servers
    a.play(sessions=[session(farm.user, 'ts01')])
    b.play(sessions=[session(farm.user, 'ts02', 'R')])
    c.play(sessions=[session(farm.user, 'ts03', 'F')])
    hidden = [session(farm.user, 'ts05'), session(farm.user, 'ts05', 'R')]
    e.play(sessions=hidden)
    farm.profiles(
        farm.profile('suspended', [a]), farm.profile('running', [b]),
        farm.profile('finished', [c]), farm.profile('none', [d]),
        farm.profile('running, suspended', [b, a]),
        farm.profile('running elsewhere', [d, b, c]),
        farm.profile('shared desktop', [e], command='SHADOW'),
        farm.profile('shared account', [e], user='kiosk'),
        farm.profile('not asked', [e], broker_agent_query_mode='NONE'),
        farm.profile('not mine', [e], acl_users_deny=farm.user),
        farm.profile('no user=', [a], user=None),
        farm.profile('of this user', [a], user=farm.user))
    got = farm.list()
    tap.equal(got.states, {
        'suspended': 'S', 'running': 'R', 'finished': None, 'none': None,
        'running, suspended': 'S', 'running elsewhere': 'R', 'shared desktop': None,
        'shared account': None, 'not asked': None, 'no user=': 'S',
        'of this user': 'S'}, 'listing: the marks', got.raw.stdout)
    tap.equal([server.tasks() for server in farm.servers],
              [['listsessions']] * 4 + [[], []],
              'listing: each server is asked once; one is not, of which only '
              'profiles without marks are')
    tap.equal(farm.site.log_text().count('\n'), 1, 'listing: nothing else to log')


MODES = [   # [global], [broker_inifile], profile: whether servers are asked
    ('NONE', None, None, False), ('SSH', None, None, True),
    ('NONE', 'SSH', None, True), ('SSH', 'NONE', None, False),
    ('SSH', 'NONE', 'SSH', True), ('NONE', 'SSH', 'NONE', False),
    ('NONE', None, 'SSH', True), ('SSH', 'SSH', 'NONE', False),
    (None, None, None, False), ('ssh', None, None, True), ('NONE', '', 'ssh', True),
]


def test_modes(tap, farm):
    a = farm.servers[0]
    a.play(sessions=[session(farm.user, 'ts01')])
    for everywhere, backend, own, good in MODES:
        farm.profiles(farm.profile('desk', [a], broker_agent_query_mode=own))
        name = 'query mode: global %s, backend %s, profile %s' % (everywhere, backend,
                                                                  own)
        with farm.site.configured(
                backend={} if backend is None else {'agent-query-mode': backend},
                default_agent_query_mode=everywhere):
            mark, got = farm.list().states, farm.select()
        tap.equal((mark, got.server or got.raw, len(got.sessions), asked(farm)),
                  ({'desk': 'S' if good else None},
                   'ts01', 1 if good else 0, [0] if good else []), name)


# Sessions

def test_resume(tap, farm):
    a, b, *_ = farm.servers
    for fields in 16, 15, 14:
        line = session(farm.user, 'ts02', fields=fields)
        b.play(sessions=[line])
        for servers in [b], [a, b]:
            farm.profiles(farm.profile('desk', servers))
            got = farm.select()
            tap.equal((got.server, got.sessions), ('ts02', [on(line, b.address)]),
                      'resume: a line of %d fields, one of %d servers' %
                      (fields, len(servers)), got.raw)
    tap.ok(' session=%s ' % id_of(line) in farm.site.log_text(),
           'resume: the log says which session')
    b.play(sessions=[session(farm.user, 'ts02', 'F')])
    tap.equal(farm.select().sessions, [], 'resume: not what is finished')
    b.play(sessions=[session(farm.user, 'ts02', cookie='', client='', gports='',
                             sound='', files='', pid='')])
    tap.equal(len(farm.select().sessions), 1, 'resume: empty fields may be empty')


HOSTS = [   # in the profile, what the server calls itself, whether that is the same
    ('ts01', 'ts01', True), ('ts01', 'ts01.example.org', True),
    ('ts01.example.org', 'ts01', True), ('ts01', 'TS01', True),
    ('TS01.Example.org', 'ts01.example.ORG', True), ('ts01', 'ADDRESS', True),
    ('ts01.example.org', 'ts01.example.com', False), ('ts01', 'ts1', False),
    ('ts01', 'ts010', False), ('ts01', 'localhost', False), ('ts01', 'ts02', False),
    ('ts01', '192.0.2.77', False),
]


def test_host_names(tap, farm):
    a = farm.servers[0]
    for ours, theirs, same in HOSTS:
        theirs = theirs.replace('ADDRESS', a.address)
        a.play(sessions=[session(farm.user, theirs)])
        farm.profiles(farm.profile('desk', host='%s (%s:%d)' % (ours, a.address,
                                                                a.port)))
        farm.know([a.known_as(a.address)])
        got = farm.select()
        tap.equal((got.server, len(got.sessions)), ('ts01', int(same)),
                  'names: %s, which calls itself %s' % (ours, theirs), got.raw,
                  farm.site.log_text())


def test_best_first(tap, farm):
    a, b, c, d, *_ = farm.servers
    lines = [session(farm.user, server.name, state, '2026-11-%02dT10:00:00' % day)
             for server, state, day in
             ((b, 'S', 9), (a, 'S', 20), (a, 'R', 30), (c, 'S', 8), (c, 'R', 1))]
    best = [lines[i] for i in (1, 0, 3, 2, 4)]
    expected = [on(line, {'ts01': a, 'ts02': b, 'ts03': c}[line.split('|')[3]].address,
                   line.split('|')[4]) for line in best]
    farm.profiles(farm.profile('desk', [d, c, b, a]))
    for name, share in (('a database for each server', False),
                        ('one database for all', True)):
        for server in (a, b, c, d):
            server.play(sessions=[line for line in lines
                                  if share or line.split('|')[3] == server.name])
        got = farm.select()
        tap.equal((got.server, got.sessions), ('ts01', expected),
                  name + ': suspended ones, last used, come first')
    with b.down():
        got = farm.select()
        tap.equal((got.server, got.sessions),
                  ('ts01', [line for line in expected if b.address not in line]),
                  'sessions on a server that is down are not offered')
        tap.ok('ts02: cannot connect to port' in farm.site.log_text(),
               'and the log says so')
        with a.down(), c.down():
            got = farm.select()
            tap.equal((got.server, got.sessions), ('ts04', []),
                      'all are down: a new session on the one that is left')
    # what is not this profile's
    farm.profiles(farm.profile('desk', [b, d]))
    got = farm.select()
    tap.equal((got.server, got.sessions), ('ts02', expected[1:2]),
              "sessions on other profiles' servers are not offered")


def test_ports(tap, farm):
    """The client takes one port for all sessions of an answer."""
    a, b, c, *_ = farm.servers
    port = farmlab.find_port([a.address])
    lines = [session(farm.user, server.name, 'S', '2026-11-%02dT10:00:00' % day)
             for server, day in ((a, 20), (b, 25), (c, 10))]
    for server, line in zip((a, b, c), lines):
        server.play(sessions=[line])
    with a.restarted('ListenAddress %s:%d' % (a.address, port)):
        farm.know([server.known_as(server.address) for server in farm.servers] +
                  [a.known_as(a.address).replace(str(a.port), str(port))])
        farm.profiles(farm.profile('desk', host='ts01 (%s:%d), %s, %s' % (
            a.address, port, b.host(), c.host())))
        got = farm.select()
        tap.equal((got.server, got.sessions),
                  ('ts02', [on(lines[1], b.address), on(lines[2], c.address)]),
                  'ports: only sessions behind the port of the best one', got.raw)
        b.play(sessions=[])
        a.play(sessions=[session(farm.user, 'ts01', 'S', '2026-11-28T10:00:00')])
        got = farm.select()
        tap.equal((got.server, len(got.sessions)), ('%s:%d' % (a.address, port), 1),
                  'ports: the other one', got.raw)


def test_shadow_sessions(tap, farm):
    a = farm.servers[0]
    farm.profiles(farm.profile('desk', [a]))
    a.play(sessions=[session(farm.user, 'ts01', 'S', kind='S0XSHAD50XSHAD'),
                     session(farm.user, 'ts01', 'R', kind='S1XSHAD50XSHAD')])
    got = farm.select()
    tap.equal((got.server, got.sessions), ('ts01', []),
              'sessions that show a desktop are not resumed')
    tap.equal(farm.list().states, {'desk': None}, 'and not marked')


# What is wrong with a line, in words of session(), or the line itself.
BAD_LINES = {
    'too few fields': {'fields': 13},
    'an unknown state': {'state': 'X'}, 'no state': {'state': ''},
    'no host': {'host': ''}, 'no id': {'id': ''}, 'no user': {'user': ''},
    'an option for an id': {'id': '-x-50-1700000000_stDXFCE_dp24'},
    'a blank in the id': {'id': 'a b'}, 'a quote in the id': {'id': "a'b"},
    'two hosts': {'host': 'ts01 ts02'}, 'a host with a port': {'host': 'ts01:22'},
    "another user's": {'user': 'root'}, "another user's, nearly": {'user': 'USER2'},
    'a tab': {'client': 'a\tb'}, 'a carriage return': {'cookie': 'ab\r'},
    'the word SERVER:': {'cookie': 'SERVER:evil:22'},
    'the word SESSION_INFO:': {'client': 'SESSION_INFO:'},
    'the words Access granted': {'cookie': 'Access granted'},
    'the word AUTHID:': {'created': 'AUTHID:x'}, 'markup': {'client': '<br>'},
    'a private key': {'cookie': '-----BEGIN RSA PRIVATE KEY-----'},
    'letters for a port': {'gports': 'x'}, 'no display': {'display': ''},
    'a letter of Latin-1': {'client': 'b\xfcro'}, 'markers': {
        'cookie': 'X2GODATAEND:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'},
    'a line that is too long': {'cookie': 'a' * 4000},
    'no line of a session': 'hello', 'an empty line': '',
    'an escape': '\x1b[2J', 'only bars': '|' * 15,
    'SERVER: as a line': 'SERVER:192.0.2.66:22', 'AUTHID: as a line': 'AUTHID:forged',
    'Access granted as a line': 'Access granted',
}


def test_damaged_lines(tap, farm):
    a, b, *_ = farm.servers
    good = session(farm.user, 'ts01', 'S', '2020-01-01T00:00:00')
    farm.profiles(farm.profile('desk', [a]), farm.profile('two', [a, b]))
    for name, bad in BAD_LINES.items():
        if isinstance(bad, dict):
            row = {'user': farm.user, 'host': 'ts01', 'fields': 17, **bad}
            bad = session(**{**row, 'user': row['user'].replace('USER', farm.user)})
        a.play(sessions=[bad, good])
        farm.site.log()
        for id in 'desk', 'two':        # two ways to ask for it
            got = farm.select(id)
            tap.equal((got.server, got.sessions), ('ts01', [on(good, a.address)]),
                      'damaged: %s, %s' % (name, id), got.raw)
        log = farm.site.log_text()
        tap.ok(log.count('ts01: 1 invalid sessions ignored') == 2
               and not set('\t\r\x1b') & set(log),
               'damaged: %s: logged' % name, log)


# Running sessions

def test_take_over(tap, farm):
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    # agent, what makes it slow, least seconds, how often it was told to
    rows = [('new', None, 0, 1), ('new', 700, 0.7, 1), ('old', 'never', 0, 0)]
    for kind, after, least, times in rows:
        line = session(farm.user, 'ts02', 'R')
        b.play(kind=kind, sessions=[line], suspend_after=after)
        b.calls(), farm.site.log()
        got = farm.select()
        calls, log = b.calls(), farm.site.log_text()
        told = [call for call in calls if 'suspendsession' in call]
        name = 'take over: %s agent, after %s ms' % (kind, after)
        tap.equal((got.server, got.sessions), ('ts02', [on(line, b.address)]),
                  name + ': is handed out as suspended', log, *calls)
        tap.equal(told, times * ["%s %s suspendsession '%s'" % (
            farmlab.AGENT, farm.user, id_of(line))], name + ': is told so', *calls)
        tap.ok(least <= got.seconds, name + ': %.1f s' % got.seconds)
        tap.ok('session=%s taken-over=yes' % id_of(line) in log, name + ': the log')


def test_take_over_fails(tap, farm):
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    line = session(farm.user, 'ts01', 'R')
    a.play(sessions=[line], suspend_after='never')
    with farm.site.configured(request_timeout=4):
        got = farm.select()
    log = farm.site.log_text()
    # x2goresume-session suspends it then
    tap.equal((got.server, got.sessions), ('ts01', [on(line, a.address)]),
              'never suspended: it can be resumed all the same', log)
    tap.ok(got.seconds < 15 and id_of(line) + ' is not suspended yet: ' in log,
           'never suspended: in time, and the log says so', log)
    a.play(suspend_after=None, exit_suspendsession=3,
           stderr_suspendsession='no such session\n')
    got = farm.select()
    log = farm.site.log_text()
    tap.equal((got.server, got.sessions), ('ts01', [on(line, a.address)]),
              'the agent refuses: it can be resumed all the same', log)
    tap.ok('the agent there says: no such session' in log,
           "the agent refuses: its words are in the log", log)
    # ended while it was to be suspended
    other = session(farm.user, 'ts02', 'R')
    a.play(exit_suspendsession=None, stderr_suspendsession=None,
           answer_listsessions='OK\n', suspend_after='never')
    got = farm.select()
    tap.equal((got.server is not None, got.sessions), (True, []),
              'it has ended meanwhile: a new one', farm.site.log_text())
    b.play(sessions=[other])
    got = farm.select()
    tap.equal((got.server, got.sessions[:1]), ('ts02', [on(other, b.address)]),
              'it has ended meanwhile: the next best one', farm.site.log_text())


def test_suspended_before_running(tap, farm):
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    running = session(farm.user, 'ts01', 'R', '2026-11-23T00:00:00')
    suspended = session(farm.user, 'ts02', 'S', '2020-11-23T00:00:00')
    a.play(sessions=[running])
    b.play(sessions=[suspended])
    got = farm.select()
    tap.equal((got.server, got.sessions),
              ('ts02', [on(suspended, b.address), on(running, a.address, 'R')]),
              'a suspended one comes before a running one, which goes on')
    tap.ok(not any('suspendsession' in call for call in a.calls() + b.calls()),
           'nothing is suspended then')


def test_other_logins(tap, farm):
    """Who logs in as somebody else must not see what others left there."""
    a, b, *_ = farm.servers
    a.play(sessions=[session(farm.user, 'ts01')])
    farm.profiles(farm.profile('desk', [a, b], user='kiosk'),
                  farm.profile('shadow', [b, a], command='SHADOW'))
    got = [farm.select() for _ in range(2)]
    tap.equal([one.sessions for one in got], [[], []],
              'a fixed user=: no sessions are offered')
    calls = a.calls() + b.calls()
    tap.ok(calls and not any(farm.user in call for call in calls),
           'a fixed user=: the servers are asked for nobody', *calls)
    got = farm.select('shadow')
    tap.equal((got.server, got.sessions, asked(farm)), ('ts02', [], []),
              'a shared desktop: the first server, and nobody is asked')


# Choice

LOADS = [   # what, load-balancing, weights, (load, sessions) of each, who is best
    ('load average', 'load', None, [(load(avg=50), 0), (load(avg=20), 0),
                                    (load(avg=80), 0)], 'ts02'),
    ('memory', 'load', None, [(load(mem=2000), 0), (load(mem=4000), 0),
                              (load(mem=16000), 0)], 'ts03'),
    ('processors', 'load', None, [(load(cpus=8), 0), (load(cpus=4), 0),
                                  (load(cpus=2), 0)], 'ts01'),
    ('clock', 'load', None, [(load(mhz=2000), 0), (load(mhz=2400), 0),
                             (load(mhz=2200), 0)], 'ts02'),
    ('all together', 'load', None,
     [(load(300, 64000, 16, 2000), 0), (load(20, 8000, 4, 2000), 0),
      (load(100, 32000, 8, 3000), 0)], 'ts03'),
    ('sessions count, too', 'load', None, [(load(), 3), (load(avg=20), 2),
                                           (load(avg=20), 0)], 'ts03'),
    ('no load average', 'load', None, [(load(avg=0), 0), (load(avg=2), 0),
                                       (load(avg=3), 0)], 'ts01'),
    ('no memory known, but ours', 'load', None,
     [(load(mem=1000), 0), ('loadavgXX:10\nmemAvail:0\nmyMemAvail:9000\nnumCPU:4\n'
                            'typeCPU:2000\n', 0), (load(), 0)], 'ts02'),
    ('a server without load', 'load', None,
     [(load(avg=900), 5), ('', 0), (load(avg=900), 6)], 'ts01'),
    ('no server has one: sessions', 'load', None, [('', 5), ('', 3), ('', 4)], 'ts02'),
    ('fewest sessions', 'sessions', None,
     [(load(avg=1), 5), (load(avg=1), 4), (load(avg=900), 3)], 'ts03'),
    ('weights', 'sessions', 'ts01:50, ts02:100, ts03:200',
     [('', 2), ('', 4), ('', 7)], 'ts03'),
    ('weights, the other way', 'sessions', 'ts01:50, ts02:100, ts03:200',
     [('', 1), ('', 3), ('', 9)], None),
    ('a weight of one', 'sessions', 'ts02:300', [('', 10), ('', 30), ('', 10)],
     'ts02'),
    ('weights by full names', 'sessions', 'ts03.example.org:300',
     [('', 3), ('', 3), ('', 3)], 'ts03'),
]


def test_debians_agent(tap, farm):
    """What it cannot do is asked once in some minutes; that it has been replaced is
    noticed by the same request."""
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    farm.site.fresh_state()
    line = session(farm.user, 'own-name', 'S')
    needed = ['listsessions', 'checkload']
    for what, kind, version, expected in (
            ('first', 'old', None, ['status', *needed, 'getservers']),
            ('again', 'old', None, needed),
            ('replaced by ours', 'new', '2.0', [*needed, 'status']),
            ('ours', 'new', '2.0', ['status']),
            ('replaced by it', 'old', None, ['status', *needed])):
        a.play(kind=kind, sessions=[line], host='own-name', version=version)
        a.calls(), farm.site.log()
        got = farm.select()
        tap.equal(a.tasks(), expected, "Debian's agent, %s: what is asked" % what)
        # our agent tells its name, by which the session is known
        tap.equal((got.server, got.sessions), ('ts01', [on(line, a.address)])
                  if kind == 'new' else (got.server, []),
                  "Debian's agent, %s: the answer" % what, farm.site.log_text())


def test_choice(tap, farm):
    three = farm.servers[:3]
    for kind in 'new', 'old':
        for name, balancing, weights, rows, best in LOADS:
            if kind == 'old' and any(count for _, count in rows):
                continue        # it does not count them
            farm.profiles(farm.profile('desk', three, broker_host_weights=weights))
            for server, (text, count) in zip(three, rows):
                server.play(kind=kind, load=text, count=count)
            farm.site.fresh_state()
            with farm.site.configured(load_balancing=balancing):
                got = farm.select()
            if best is None:
                tap.ok(got.server in ('ts01', 'ts02'), 'choice: ' + name, got.raw)
            else:
                tap.equal(got.server, best, 'choice: %s (%s agent)' % (name, kind),
                          got.raw, farm.site.log_text())


def test_counts_of_database(tap, farm):
    """getservers of Debian's agent counts the sessions of all servers."""
    three = farm.servers[:3]
    farm.profiles(farm.profile('desk', three))
    for server in three:
        server.play(kind='old', servers='ts01.example.org 7\nts02 3\nTS03 5')
    with farm.site.configured(load_balancing='sessions'):
        got = farm.select()
    tap.equal(got.server, 'ts02', 'choice: what the session database counts', got.raw,
              farm.site.log_text())


def test_ties(tap, farm):
    two = farm.servers[:2]
    farm.profiles(farm.profile('desk', two))
    found = set()
    for i in range(60):         # it is chance: 2 in 10^18 to fail
        farm.site.fresh_state()
        found.add(farm.select().server)
        if len(found) == 2:
            break
    tap.equal(found, names(two), 'equal servers take turns by chance')


def test_drained(tap, farm):
    a, b, c, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b, c]))
    line = session(farm.user, 'ts01')
    for text in 'ts01\nts03\n', 'TS01.example.org\n# ts02\n\n ts03 \n', \
            '%s\n%s' % (a.address, c.address):
        farm.site.write('drained', text)
        farm.site.fresh_state()
        tap.equal({farm.select().server for _ in range(3)}, {'ts02'},
                  'drained: %r' % text, farm.site.log_text())
        a.play(sessions=[line])
        got = farm.select()
        tap.equal((got.server, got.sessions), ('ts01', [on(line, a.address)]),
                  'drained: %r: what is there is resumed' % text, got.raw,
                  farm.site.log_text(), a.calls())
        a.play(sessions=[])
    farm.site.write('drained', 'ts01\nts02\nts03\n')
    farm.site.log()
    got = farm.select()
    tap.equal(got.raw[:3], (DENIED, b'', 1), 'all drained: a plain refusal', got.raw)
    log = farm.site.log_text()
    tap.ok(log.count('\n') == 1 and 'ts01, ts02, ts03: drained' in log,
           'all drained: one line names each of them', log)
    farm.site.write('drained', 'ts02\n')
    with a.down(), c.down():
        got = farm.select()
    tap.equal(got.raw[:3], (DENIED, b'', 1), 'drained or down: a plain refusal')
    line = farm.site.log_text().strip().splitlines()[-1]
    tap.ok('refused' in line and 'ts02: drained' in line and
           'ts01, ts03: cannot connect to port' in line,
           'drained or down: each with its own reason', line)


def test_drain_file(tap, farm):
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    os.unlink(farm.site.path('drained'))
    tap.ok(farm.select().server, 'no drain-file: nothing is drained')
    path = farm.site.write('drained', 'ts01\n')
    os.chmod(path, 0o666)
    got = farm.select()
    log = farm.site.log_text()
    tap.ok(got.server in (None, 'ts01', 'ts02') and path in log,
           'a drain-file that others can write: the log says so', got.raw, log)
    os.chmod(path, 0o644)


def test_doors(tap, farm):
    """Who is not asked is at least knocked at."""
    a, b, c, *_ = farm.servers
    three = [a, b, c]
    with farm.site.configured(default_agent_query_mode='NONE'), a.down(), c.down():
        farm.profiles(
            farm.profile('desk', three), farm.profile('down', [a, c]),
            farm.profile('one', [a]),
            farm.profile('off', three, broker_portscan_x2goservers='false'))
        tap.equal({farm.select().server for _ in range(6)}, {'ts02'},
                  'not asked: the one that listens')
        got = farm.select('down')
        log = farm.site.log_text().strip().splitlines()[-1]
        tap.equal(got.raw.stdout, DENIED, 'not asked, none listens: a refusal')
        tap.ok('ts01, ts03: nothing listens on its port' in log,
               'not asked, none listens: the log says so', log)
        tap.equal(farm.select('one').server, 'ts01',
                  'not asked: there is only one, and the client will see')
        found = {farm.select('off').server for _ in range(80)}
        tap.equal(found, names(three), 'broker-portscan-x2goservers = false')
        with farm.site.configured(default_portscan_x2goservers='false'):
            found = {farm.select().server for _ in range(80)}
        tap.equal(found, names(three), 'default-portscan-x2goservers = false')


# What others were given a moment ago

def test_pending(tap, farm):
    four = farm.servers[:4]
    farm.profiles(farm.profile('desk', four), farm.profile('other', four))
    found = collections.Counter(farm.select('desk' if i % 2 else 'other', user).server
                                for i, user in enumerate(farmlab.users(20)))
    tap.equal(found, collections.Counter({server.name: 5 for server in four}),
              'pending: twenty in a row are five on each of four servers')


def test_pending_again(tap, farm):
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    root, other = farmlab.users(2)
    first, second, third = (farm.select(user=user).server
                            for user in (root, root, other))
    tap.equal([first, second, third], [first, second, first],
              'pending: who chooses again counts once')
    tap.ok(first != second, 'pending: and gets another server')


def test_started(tap, farm):
    """ts02 is worth two and a half sessions, so that it shows how many there are
    on ts01."""
    a, b, *_ = farm.servers
    farm.profiles(farm.profile('desk', [a, b]))
    root, other = farmlab.users(2)
    rows = [('not there yet', [], 'ts02'), ('there', [root + ':0'], 'ts01'),
            ('there for a second', [root + ':1'], 'ts01'),
            ("another's", [other + ':0'], 'ts02'),
            ('an old one', [root + ':3600'], 'ts02'),
            ('nonsense', ['x', ':', root, root + ':x', root + ':-1'], 'ts02')]
    for name, started, expected in rows:
        farm.site.fresh_state()
        a.play(count=0, started=[], load=load(avg=8))
        b.play(count=1, load=load(avg=10))
        first = farm.select(user=root).server
        a.play(count=1, started=started)
        got = farm.select(user=other)
        tap.equal((first, got.server), ('ts01', expected),
                  'pending, and then it is ' + name, farm.site.log_text())


def test_state_dir(tap, farm):
    farm.profiles(farm.profile('desk'))
    state = farm.site.path('state')

    def root_only():
        os.chown(state, 0, 0)

    def open_to_all():
        os.chmod(state, 0o777)

    def a_file():
        shutil.rmtree(state)
        farm.site.write('state', 'x')

    def nobody_can_make_it():
        shutil.rmtree(state)

    def assignments_are_a_file():
        farm.site.write('state/assignments', 'x')

    def a_loop():
        shutil.rmtree(state)
        os.symlink('state', state)

    for spoil in (root_only, open_to_all, a_file, nobody_can_make_it,
                  assignments_are_a_file, a_loop):
        farm.site.fresh_state()
        spoil()
        farm.site.log()
        got = farm.select()
        log = farm.site.log_text()
        tap.ok(got.server and got.seconds < 15, 'state-dir, %s: works' %
               spoil.__name__, got.raw, log)
        # one line for each thing that is not known, and one for the request
        tap.ok(state in log and log.count('\n') in (2, 3),
               'state-dir, %s: the log says so' % spoil.__name__, log)
        with contextlib.suppress(OSError):
            os.unlink(state)
    new = os.path.join(farm.broker.home, 'state')
    with farm.site.configured(state_dir=new):
        tap.ok(farm.select().server and os.path.exists(new + '/assignments') and
               os.stat(new).st_mode & 0o77 == 0, 'a state-dir that is missing is made',
               farm.site.log_text())
    for text in b'x', b'1 2 3 4', b'\xff' * 100, b'9' * 40 + b' a b c':
        farm.site.fresh_state()
        farm.site.add_row('assignments', 1, text)
        farm.site.write('state/assignments/2', text)
        found = collections.Counter(farm.select('desk', user).server
                                    for user in farmlab.users(SERVERS))
        tap.equal(set(found.values()), {1}, 'a damaged row is none: %r' % text[:8],
                  farm.site.log_text())


def test_sample(tap, farm):
    """Servers that share a database: a few are asked, and those that are needed."""
    farm.profiles(farm.profile('desk'))
    line = session(farm.user, 'ts06')
    with farm.site.configured(servers_to_ask=2):
        tap.ok(farm.select().server is None,
               'sample: without a shared database it is refused')
    with farm.site.configured(servers_to_ask=2, servers_share_database='true'):
        asked(farm)
        got = farm.select()
        who = asked(farm)
        tap.ok(len(who) == 2 and int(got.server[2:]) - 1 in who,
               'sample: two are asked, and one of them is it', who, got.raw)
        farm.list()
        tap.equal(len(asked(farm)), 2, 'sample: two answer for a listing')
        for server in farm.servers:
            server.play(sessions=[line])
        got = farm.list()
        tap.equal(got.states, {'desk': 'S'}, 'sample: a session elsewhere is listed')
        tap.ok(5 in asked(farm), 'sample: its server was asked')
        got = farm.select()
        tap.equal((got.server, got.sessions),
                  ('ts06', [on(line, farm.servers[5].address)]),
                  'sample: a session elsewhere is resumed', farm.site.log_text())
        for server in farm.servers:
            server.play(sessions=[])
        for kind in 'drained', 'down':
            with contextlib.ExitStack() as stack:
                others = [server for server in farm.servers if server.name != 'ts05']
                if kind == 'down':
                    for server in others:
                        stack.enter_context(server.down())
                else:
                    farm.site.write('drained', ''.join(s.name + '\n' for s in others))
                got = farm.select()
                tap.equal(got.server, 'ts05', 'sample: all others %s: it is found'
                          % kind, farm.site.log_text())
            farm.site.write('drained', '')
            farm.site.fresh_state()
    with farm.site.configured(servers_share_database='true'):
        asked(farm)
        farm.select()
        tap.equal(asked(farm), list(range(SERVERS)), 'shared database: all are asked to choose')
        farm.list()
        tap.equal(len(asked(farm)), 3, 'shared database: three answer for a listing')


TESTS = [test_marks, test_modes, test_resume, test_host_names, test_best_first,
         test_ports, test_shadow_sessions, test_damaged_lines, test_take_over,
         test_take_over_fails, test_debians_agent, test_suspended_before_running,
         test_other_logins, test_choice, test_counts_of_database, test_ties,
         test_drained, test_drain_file, test_doors, test_pending, test_pending_again,
         test_started, test_state_dir, test_sample]

if __name__ == '__main__':
    sys.exit(farmlab.run(TESTS, SERVERS))
