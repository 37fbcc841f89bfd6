#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that are down, hang, lie or shout: each is one server's failure, with its
own words in the log, and never the request's.

usage: test_farm_faults.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)
"""

import concurrent.futures
import contextlib
import functools
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import farmlab
import lab
from brokerlab import DENIED
from farmlab import Door, on, session

SERVERS = 8
TIMEOUT = 3         # agent-timeout
SLACK = 10          # for a busy machine; without a deadline it would be 30 s


# What can be at a server's address, or what its agent can do.  Each is a context
# manager of a farm and a server.

def door(talk=None, **more):
    def fault(_, server):
        return server.door(functools.partial(Door, talk=talk, **more))
    return fault


def says(text, close=True):
    def talk(one):
        one.sendall(text)
        if close:
            time.sleep(0.1)         # what comes is read, so that this is no reset
            one.close()
    return door(talk)


def says_for_ever(text, first=b''):
    def talk(one):
        one.sendall(first)
        while True:
            one.sendall(text)
    return door(talk)


def agent(**files):
    @contextlib.contextmanager
    def fault(_, server):
        server.play(**files)
        try:
            yield
        finally:
            server.agent.reset()
    return fault


@contextlib.contextmanager
def stopped(_, server):
    """The host is there, and its sshd does nothing any more."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def wrong_host_key(farm, server):
    key = lab.keypair(farm.dir, name='other-%d' % time.monotonic_ns())
    before = farm.known()
    farm.know([one.known_as(one.address, key if one is server else None)
               for one in farm.servers])
    try:
        yield
    finally:
        farm.know([before])


@contextlib.contextmanager
def unknown_host_key(farm, server):
    before = farm.known()
    farm.know([one.known_as(one.address) for one in farm.servers if one is not server])
    try:
        yield
    finally:
        farm.know([before])


@contextlib.contextmanager
def wrong_service_key(farm, server):
    server.allow(lab.keypair(farm.dir, name='foreign-%d' % time.monotonic_ns())
                 + '.pub')
    try:
        yield
    finally:
        server.allow()


def locked_out(farm, server):
    return server.restarted('DenyUsers ' + farm.agent.name)


def no_sessions(_, server):
    return server.restarted('MaxSessions 0')


HUGE = b'OK\n' + (b'x' * 79 + b'\n') * (10 * 1024 * 1024 // 80)
KEX = b'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'
# SSH_MSG_IGNORE, before any keys are exchanged
IGNORE = (20).to_bytes(4, 'big') + bytes([6, 2]) + (9).to_bytes(4, 'big') + \
    b'hello' + bytes(9)

# what, how, what the log says of that server, whether it takes its time
FAULTS = [
    ('down', lambda _, server: server.down(), 'cannot connect to port', False),
    ('its queue is full', door(full=True), 'cannot connect to port', True),
    ('accepts, and says nothing', door(), 'received no SSH banner', True),
    ('its sshd is stopped', stopped, 'received no SSH banner', True),
    ('a greeting, and no more', says(KEX, close=False), 'timed out', True),
    ('a greeting, and closes', says(KEX), 'no SSH connection', False),
    ('half a greeting', says(b'SSH-2.0-Op', close=False), 'timed out',
     True),
    ('closes at once', says(b''), 'too busy|received no SSH banner', True),
    ('no SSH but HTTP', says(b'HTTP/1.1 400 Bad Request\r\n\r\n'), 'not an SSH server',
     False),
    ('an old SSH', says(b'SSH-1.5-1.2.27\r\n'), 'no SSH connection', False),
    ('noise', says(bytes(range(256)) * 300), 'not an SSH server', False),
    ('noise behind a greeting', says(KEX + bytes(range(255, -1, -1)) * 300),
     'no SSH connection', False),
    ('lines before a greeting for ever', says_for_ever(b'hello\r\n' * 100),
     'not an SSH server', False),
    ('zeros for ever', says_for_ever(bytes(10000)), 'not an SSH server', False),
    ('a greeting without an end', says_for_ever(b'SSH-' * 1000), 'no SSH connection',
     False),
    ('packets to be ignored for ever', says_for_ever(IGNORE * 1000, KEX),
     'sends more than 524288 bytes', False),
    ('a packet that is too long', says(KEX + b'\x7f' * 5000), 'no SSH connection',
     False),
    ('another host key', wrong_host_key, 'is not the one in .*known_hosts', False),
    ('an unknown host key', unknown_host_key, 'unknown host key.*known-hosts add', False),
    ('another service key', wrong_service_key, 'login as .* with .* denied', False),
    ('the account is locked out', locked_out, 'login as .* with .* denied', False),
    ('no sessions in a connection', no_sessions, 'cannot start the agent', False),
    ('its agent hangs', agent(delay=60000), 'timed out', True),
    ('its agent hangs after half an answer', agent(linger=''),
     'timed out', True),
    ('its agent says nothing', agent(answer=''), 'sent an empty answer', False),
    ('garbage from its agent', agent(answer=bytes(range(255, 0, -1)) * 100),
     'begins with ".*" instead of OK', False),
    ('no OK', agent(answer='FAILED\n'), 'begins with "FAILED" instead of OK', False),
    ('OK and more', agent(answer='OKAY\n'), 'begins with "OKAY" instead of OK', False),
    ('ten megabytes', agent(answer=HUGE), 'longer than 1048576 bytes', False),
    # which of the two it is depends on how fast libssh takes it
    ('it never stops complaining', agent(flood_stderr=''), 'timed out|it sends more than',
     False),
    ('it never stops', agent(flood=''), 'longer than 1048576 bytes', False),
    ('half a line', agent(answer='OK\nloadavgXX:10\nmemAv'), 'is cut off', False),
    ('half an answer', agent(answer_status='OK\nloadavgXX:10\nmemAvail:8000\n',
                             answer_listsessions='OK\n1|2|3'), 'is cut off', False),
    ('NUL bytes', agent(answer=b'OK\n\0\0\0\nEND\n'), 'NUL', False),
    ('a NUL byte first', agent(answer=b'\0OK\nEND\n'), 'NUL', False),
    ('status 1, and words', agent(answer='', exit=1, stderr='no\x1b[2J such\nthing\n'),
     r'the agent there says: no\\033\[2J such thing', False),
    ('status 1 alone', agent(answer='', exit=1), 'exited with status 1', False),
    ('status 1 behind an answer', agent(answer='OK\nEND\n', exit=1),
     'exited with status 1', False),
]

# What of that must never be in an answer, nor as it is in the log.
HOSTILE = re.compile(rb'hello|FAILED|evil|\x1b|\0|x{30}', re.S)


def at_once(*functions):
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        return [done.result() for done in [pool.submit(fn) for fn in functions]]


def reasons(log, server):
    """Lines of the log about that server."""
    return [line for line in log.splitlines() if ' %s: ' % server.name in line]


def test_faults(tap, farm):
    """One of three servers misbehaves; sessions on another one are listed and resumed,
    and new ones are given."""
    a, b, c = farm.servers[:3]
    farm.profiles(farm.profile('desk', [a, b, c]),
                  farm.profile('new', [a, b, c], user='kiosk'))
    for name, fault, words, slow in FAULTS:
        farm.reset()
        good = session(farm.user, 'ts03')
        c.play(sessions=[good])
        with fault(farm, a):
            listing, resumed, chosen = at_once(farm.list, farm.select,
                                               lambda: farm.select('new'))
        log = farm.site.log_text()
        got = [listing.states, resumed.server, resumed.sessions,
               chosen.server in ('ts02', 'ts03'), chosen.sessions]
        tap.equal(got, [{'desk': 'S', 'new': None}, 'ts03', [on(good, c.address)], True,
                        []], name + ': the others serve',
                  listing.raw, resumed.raw, chosen.raw, log)
        told = [line for line in reasons(log, a) if re.search(words, line)]
        tap.equal((len(told), len(reasons(log, b) + reasons(log, c))), (3, 0),
                  name + ': and the log says so of each request', log)
        raw = b''.join(one.raw.stdout + one.raw.stderr
                       for one in (listing, resumed, chosen))
        tap.ok(not HOSTILE.search(raw) and not set('\0\r\t\x1b') & set(log),
               name + ': its text goes nowhere', raw, log)
        for one in listing, resumed, chosen:
            least = TIMEOUT - 0.1 if slow else 0
            if not least <= one.seconds <= TIMEOUT + SLACK:
                tap.ok(False, name + ': the time it takes', one.seconds, log)
                break
        else:
            tap.ok(True, name + ': the time it takes')


def test_forged(tap, farm):
    """A hostile server says what it likes; the client gets none of it but a session
    line that is one of this user's."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a]), farm.profile('two', [a, b]))
    good = session(farm.user, 'ts01')
    forged = [
        'SERVER:evil.example:22', 'AUTHID:evil', 'Access granted',
        'SESSION_INFO:' + session(farm.user, 'evil'), 'X2GODATAEND:evil', '\r', '\x0b',
        session(farm.user, 'ts01', cookie='a\rSERVER:evil:22'),
        session(farm.user, 'ts01', cookie='a\x0bevil'),
        session(farm.user, 'ts01', cookie='a\x85evil'),
        session(farm.user, 'ts01', client='\u2028evil'),
        session(farm.user, 'ts01', client='evil\\nSERVER:evil:22'),
        session('root', 'ts01', client='evil'), session(farm.user, 'evil.example'),
        session(farm.user, 'ts01', fields=16, data='-1|SERVER:evil:22'),
        session(farm.user, 'ts01', id='evil;reboot'),
        session(farm.user, 'ts01', id='$(evil)'),
        session(farm.user, 'ts01', id='../evil'),
        'END', 'OK', '-----BEGIN RSA PRIVATE KEY-----', 'evil' * 1000]
    a.play(sessions=[*forged, good])
    for id in 'desk', 'two':
        got = farm.select(id)
        tap.equal((got.server, got.sessions), ('ts01', [on(good, a.address)]),
                  'forged lines: %s: only the good one is handed out' % id, got.raw,
                  farm.site.log_text())
    a.play(answer_status='OK\n' + ''.join(line + '\n' for line in forged) + 'END\n')
    got = farm.select('two')
    tap.equal((got.server, got.sessions), ('ts02', []),
              'forged lines where others belong: the answer is none', got.raw)
    tap.ok('ts01: ' in farm.site.log_text(), 'and the log says so')
    # a session on another one, which does not have it, and one of the future
    mine = session(farm.user, 'ts02')
    a.play(answer_status=None, sessions=[session(farm.user, 'ts02')])
    got = farm.select('two')
    log = farm.site.log_text()
    tap.equal((got.server, got.sessions, 'which does not have it' in log),
              (got.server, [], True), 'a server does not speak for another one', log)
    a.play(sessions=[session(farm.user, 'ts01', last='2099-01-01T00:00:00')])
    b.play(sessions=[mine])
    got = farm.select('two')
    tap.equal((got.server, got.sessions[:1]), ('ts02', [on(mine, b.address)]),
              'a session of the future does not come first', farm.site.log_text())
    with b.down():
        a.play(sessions=[mine])
        got = farm.select('two')
    log = farm.site.log_text()
    tap.equal((got.server, got.sessions, 'is not offered: its server has not' in log),
              ('ts01', [], True), 'nobody is sent to a server that is down', log)
    b.play(sessions=[])
    # names that the servers have for themselves
    a.play(host='node7', sessions=[session(farm.user, 'node7')])
    got = farm.select('two')
    tap.equal((got.server, len(got.sessions), farm.list().states['desk']),
              ('ts01', 1, 'S'), 'a server is known by what its agent calls itself',
              farm.site.log_text())
    a.play(host=None)
    got = farm.select('two')
    log = farm.site.log_text()
    tap.equal((got.sessions, 'host = node7 (%s:%d)' % (a.address, a.port) in log),
              ([], True), 'a session that is not offered: the log has the host line',
              log)
    # more than anybody has
    a.play(sessions=[session(farm.user, 'ts01', display=i) for i in range(1200)])
    got = farm.select('two')
    tap.equal((got.server, got.sessions), ('ts02', []),
              '1200 sessions of a user: the answer is none', got.raw.stdout[:300])
    tap.ok('too many sessions' in farm.site.log_text(), 'and the log says so')


def test_wishful_load(tap, farm):
    """A server can praise itself, but it breaks nothing."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b]))
    for text, best in (
            (farmlab.load(mem=10 ** 30, cpus=10 ** 30, mhz=10 ** 30), 'ts01'),
            ('loadavgXX:-5\nmemAvail:-1\nnumCPU:-1\ntypeCPU:-1\n', 'ts02'),
            ('loadavgXX:nan\nmemAvail:inf\nmyMemAvail:1\nnumCPU:1e9\ntypeCPU:1\n',
             'ts02'),
            ('loadavgXX:\nmemAvail:\nmyMemAvail:\nnumCPU:\ntypeCPU:\n', 'ts02'),
            (farmlab.load(mem=0, cpus=0, mhz=0), 'ts02')):
        farm.site.fresh_state()
        a.play(load=text)
        got = farm.select()
        tap.equal(got.server, best, 'load %.40r' % text, got.raw, farm.site.log_text())
    for count, best in ((-1, 'ts01'), (10 ** 30, 'ts02'), ('x', 'ts01'), ('', 'ts01')):
        farm.site.fresh_state()
        a.play(load=farmlab.load(avg=1), count=count)
        got = farm.select()
        tap.equal(got.server, best, 'sessions: %s' % count, got.raw,
                  farm.site.log_text())


# Deadlines

HANGS = [('its queue is full', door(full=True)), ('silence', door()),
         ('a greeting, and no more', says(KEX, close=False)),
         ('its agent hangs', agent(delay=60000))]


def test_one_of_eight_hangs(tap, farm):
    farm.profiles(farm.profile('desk'))
    for name, hang in HANGS:
        farm.site.fresh_state()
        with hang(farm, farm.servers[4]):
            got = farm.select()
        tap.ok(got.server not in (None, 'ts05'), 'one of eight, %s: served' % name,
               got.raw, farm.site.log_text())
        tap.ok(TIMEOUT - 0.1 <= got.seconds <= TIMEOUT + SLACK,
               'one of eight, %s: in %.1f s' % (name, got.seconds))


def test_a_hung_server_is_remembered(tap, farm):
    """It costs one request its time, and after that one in ten seconds."""
    farm.profiles(farm.profile('desk'))
    hung = farm.servers[4]
    with agent(delay=60000)(farm, hung):
        first = farm.select()
        hung.agent.calls()
        rest = [farm.select() for _ in range(3)]
        log = farm.site.log_text()
        tap.ok(first.server and first.seconds >= TIMEOUT - 0.1, 'the first one waits', first)
        tap.ok(all(got.server and got.server != hung.name and got.seconds < first.seconds
                   for got in rest), 'the next ones do not', rest, log)
        tap.equal(hung.agent.calls(), [], 'nor do they ask it')
        tap.ok('ts05: not asked, because ' in log, 'and the log says so', log)
    farm.profiles(farm.profile('desk', [hung]))
    tap.equal(farm.select().server, hung.name, 'whose only server it is, asks it')
    farm.profiles(farm.profile('desk', farm.servers[3:5]))
    hung.play(load=farmlab.load(avg=0, mem=64000, cpus=64))
    time.sleep(11)
    tap.equal([farm.select().server for _ in range(3)], [hung.name] * 3,
              'once it has answered, it is one of them again')


def test_100_of_128_hang(tap, farm):
    """In whatever number and order they stand, no healthy one waits for them."""
    known = farm.servers[1::2]          # by their addresses
    alive = [server.host() for server in farm.servers] + [
        'twin%d (%s:%d)' % (i, known[i % 4].address, known[i % 4].port) for i in range(20)]
    network = known[0].address.rpartition('.')[0]
    with contextlib.ExitStack() as stack:
        for i in range(100, 200):
            stack.enter_context(Door('%s.%d' % (network, i), known[0].port))
        hanging = ['silent%d (%s.%d:%d)' % (i, network, i, known[0].port)
                   for i in range(100, 200)]
        farm.profiles(farm.profile('desk', host=', '.join(hanging + alive)))
        got = farm.select()
    tap.ok(got.server in [server.name for server in farm.servers],
           '100 of 128 hang: a healthy one is chosen', got.raw, farm.site.log_text())
    tap.ok(got.seconds <= TIMEOUT + SLACK, '100 of 128 hang: in %.1f s' % got.seconds)
    healthy = re.findall('(?:ts0|twin)[0-9]+: ', farm.site.log_text())
    tap.ok(len(healthy) < 14, 'and most healthy ones have answered', healthy)


@contextlib.contextmanager
def asking(farm):
    """A request whose only server hangs, and the number of its x2gobroker-poll."""
    server = farm.servers[0]
    farm.profiles(farm.profile('desk', [server]))
    account = farm.broker
    with agent(delay=60000)(farm, server), subprocess.Popen(
            farm.site.command('--user', farm.user), user=account.uid, group=account.gid,
            extra_groups=[], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            env={'SSH_ORIGINAL_COMMAND': farmlab.SELECT % 'desk',
                 'SSH_CONNECTION': '127.0.0.1 50000 127.0.0.1 22',
                 'SECRET': 'secret'}) as broker:
        def find():
            return [pid for pid in lab.descendants(broker.pid)
                    if os.readlink('/proc/%d/exe' % pid).endswith('/x2gobroker-poll')]
        yield broker, lab.wait_for(find, 10, 'x2gobroker-poll')[0]
        with contextlib.suppress(subprocess.TimeoutExpired):
            broker.communicate(timeout=TIMEOUT + SLACK)


def test_powers_of_the_child(tap, farm):
    """It cannot gain privileges, and a setuid broker's user cannot reach it."""
    with asking(farm) as (_, pid):
        proc = pathlib.Path('/proc/%d' % pid)
        status = lab.wait_for(lambda: (lambda rows: rows if rows['Threads'] > '1' else None)(
            dict(re.findall(r'(\w+):\t(.*)', (proc / 'status').read_text()))), 10)
        limits = (proc / 'limits').read_text()
        tap.equal((proc / 'environ').read_bytes(), b'', 'the child has no environment')
        tap.equal(os.listdir(proc / 'fd')[:3], ['0', '1', '2'], 'nor descriptors')
        # of its own, of the connection and nothing else
        tap.ok(len(os.listdir(proc / 'fd')) <= 5, 'but for sockets',
               [os.readlink(path) for path in (proc / 'fd').iterdir()])
    tap.equal(len(set(status['Uid'].split())), 1, 'the child: all user ids are the same')
    tap.ok(re.search(r'Max core file size +0 +0 ', limits) and
           not re.search(r'Max data size +unlimited', limits), 'the child: limits', limits)
    tap.equal((status['NoNewPrivs'], status['Seccomp']), ('1', '2'),
              'the child: no new privileges, and a filter of calls')


def test_child_that_is_killed(tap, farm):
    """Or stopped: its servers have failed, in time, and no process is left."""
    for name, number, why in (('killed', signal.SIGKILL, 'was killed by signal 9'),
                              ('stopped', signal.SIGSTOP, 'did not end in time')):
        farm.site.log()
        start = time.monotonic()
        with asking(farm) as (broker, pid):
            os.kill(pid, number)
            out = broker.communicate(timeout=TIMEOUT + SLACK)[0]
        tap.equal((out, broker.returncode), (DENIED, 1), 'the child is %s: refused' % name)
        tap.ok(time.monotonic() - start < TIMEOUT + SLACK, 'the child is %s: in time' % name)
        tap.ok(why in farm.site.log_text(), 'the child is %s: the reason' % name,
               farm.site.log_text())
        tap.ok(pid not in lab.processes(), 'the child is %s: it is gone' % name)


def test_all_hang(tap, farm):
    farm.profiles(farm.profile('desk'))
    for name, hang in HANGS:
        with contextlib.ExitStack() as stack:
            for server in farm.servers:
                stack.enter_context(hang(farm, server))
            got, listing = at_once(farm.select, farm.list)
        log = farm.site.log_text()
        tap.equal((got.raw.stdout, listing.states), (DENIED, {'desk': None}),
                  'all, %s: a plain refusal, and a list' % name, got.raw, listing.raw)
        for one in got, listing:
            tap.ok(TIMEOUT - 0.1 <= one.seconds <= TIMEOUT + SLACK,
                   'all, %s: in %.1f s' % (name, one.seconds))
        refusal = [line for line in log.splitlines() if 'refused' in line]
        tap.ok(len(refusal) == 1 and all(
                   re.search(server.name + '[:,]', refusal[0])
                   for server in farm.servers),
               'all, %s: the log names each' % name, refusal, log)


def test_all_down(tap, farm):
    farm.profiles(farm.profile('desk'))
    with contextlib.ExitStack() as stack:
        stack.enter_context(farm.site.configured(agent_timeout=20))
        for server in farm.servers:
            stack.enter_context(server.down())
        got, listing = farm.select(), farm.list()
    tap.equal((got.raw.stdout, listing.states), (DENIED, {'desk': None}),
              'all down: a plain refusal, and a list', got.raw, listing.raw)
    tap.ok(got.seconds < SLACK and listing.seconds < SLACK,
           'all down: nobody waits for the deadline')


def test_slow_agents(tap, farm):
    """Three seconds are no failure where there is time, and eight of them take no
    longer than one."""
    farm.profiles(farm.profile('desk'))
    line = session(farm.user, 'ts06')
    for server in farm.servers:
        server.play(delay=3000)
    farm.servers[5].play(sessions=[line])
    with farm.site.configured(agent_timeout=20):
        got = farm.select()
    tap.equal((got.server, got.sessions), ('ts06', [on(line, farm.servers[5].address)]),
              'slow agents: their answers count', farm.site.log_text())
    tap.ok(2.9 <= got.seconds <= 3 + SLACK, 'slow agents: %.1f s' % got.seconds)
    for server in farm.servers:
        server.play(delay=0)


def test_request_timeout(tap, farm):
    """It is the shorter one that counts, and those that answer in time are enough."""
    farm.profiles(farm.profile('desk'))
    with farm.site.configured(agent_timeout=60, request_timeout=6), \
            door()(farm, farm.servers[0]):
        got = farm.select()
    tap.ok(got.server and got.seconds <= 6 + SLACK,
           'request-timeout: %.1f s' % got.seconds, got.raw, farm.site.log_text())


def test_max_startups(tap, farm):
    """sshd turns some away when many come at once; they come again.  From 9.8 on it
    does not say why, so they come for 3 s only."""
    a = farm.servers[0]
    n = 3 if lab.no_penalties() else 12
    farm.profiles(*[farm.profile('desk%d' % i, [a]) for i in range(12)])
    a.play(sessions=[session(farm.user, 'ts01')])
    with a.restarted('MaxStartups 1:100:1'):
        with socket.create_connection((a.address, a.port)) as other:
            # who has been let in, and does not say who that is
            other.recv(100)
            got = farm.select('desk0')
            tap.ok(not got.sessions and got.seconds < TIMEOUT + SLACK and
                   'ts01: sshd is too busy' in farm.site.log_text(),
                   'MaxStartups: reached all the time', got.raw)
            timer = threading.Timer(1, other.shutdown, [socket.SHUT_RDWR])
            timer.start()
            got = farm.select('desk0')
            timer.join()
        tap.ok(got.sessions and 0.8 < got.seconds < TIMEOUT + SLACK,
               'MaxStartups: reached for a second', got.raw, farm.site.log_text())
        with farm.site.configured(agent_timeout=15):
            got = farm.select_many([('desk%d' % i, farm.user) for i in range(n)], n)
        tap.equal({(one.server, len(one.sessions)) for one in got}, {('ts01', 1)},
                  'MaxStartups: %d at once get in, one after the other' % n,
                  farm.site.log_text())


def test_banned(tap, farm):
    """sshd 9.8 and later says "Not allowed at this time" if it is busy, and if it bans
    the address for what it has done: only the broker can tell why."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a]), farm.profile('two', [a, b]))
    with farm.site.configured(agent_timeout=20):
        with wrong_service_key(farm, a):
            farm.select()
        with says(b'Not allowed at this time\r\n')(farm, a):
            got = farm.select()
            tap.ok(got.raw.stdout == DENIED and 2 < got.seconds < 3 + SLACK,
                   'banned: refused before the time is over', got.raw, got.seconds)
            log = farm.site.log_text()
            tap.ok(re.search('ts01: login as .* denied.*PerSourcePenaltyExemptList', log),
                   'banned: the reason of the ban is told', log)
            tap.equal(farm.select('two').server, 'ts02', 'banned: another one serves')
        farm.site.fresh_state()
        with says(b'Not allowed at this time\r\n')(farm, a):
            farm.select()
        log = farm.site.log_text()
        tap.ok(re.search('ts01: sshd is too busy, or bans this host', log),
               'refused for no known reason: both possible ones are told', log)


def test_rush(tap, farm):
    """Sixty select at once a profile whose servers are not asked."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b], broker_agent_query_mode='NONE'))
    with door()(farm, a), says(KEX)(farm, b) as knocked:
        got = farm.select_many([('desk', None)] * 60, 60)
        tap.equal([one.raw for one in got if not one.server], [],
                  'a rush: everybody is sent to a server', farm.site.log_text())
        tap.ok(knocked.count <= 6, 'a rush: a server is knocked at a few times',
               knocked.count)


def test_penalties(tap, farm):
    """Where sshd bans addresses, by its defaults, it does not ban the broker's."""
    if not lab.no_penalties():
        tap.note('this sshd has no PerSourcePenalties')
        return
    two = farm.servers[:2]
    farm.profiles(farm.profile('none', two, broker_agent_query_mode='NONE'),
                  farm.profile('desk', two))
    with contextlib.ExitStack() as stack:
        for server in two:
            stack.enter_context(server.restarted('PerSourcePenalties yes\n'
                                                 'MaxStartups 10:30:100'))
        stack.enter_context(farm.site.configured(agent_timeout=20))
        got = farm.select_many([('none', None)] * 60, 60)
        got += farm.select_many([('desk', None)] * 25, 25)
        tap.equal([one.raw for one in got if not one.server], [],
                  'penalties: nobody is refused', farm.site.log_text())
        with wrong_service_key(farm, two[0]), wrong_service_key(farm, two[1]):
            for _ in range(8):
                farm.site.log()
                farm.select()
                log = farm.site.log_text()
                if not re.search('ts01: login as .* denied', log):
                    break
        tap.ok(re.search('ts01: login as .* denied', log) and
               'Not allowed at this time' in log,
               'penalties: the wrong service key is named during the ban', log)


# Host keys

def test_host_key_policies(tap, farm):
    a, b = farm.servers[:2]
    line = session(farm.user, 'ts01')
    a.play(sessions=[line])
    known = [b.known_as(b.address)]
    # policy, served, whether the key is added
    rows = [(None, False, False), ('RejectPolicy', False, False),
            ('WarningPolicy', True, False), ('AutoAddPolicy', True, True)]
    for level in 'global', 'backend', 'profile':
        for policy, served, added in rows:
            farm.know(known)
            farm.profiles(farm.profile(
                'desk', [a, b], broker_agent_hostkey_policy=policy
                if level == 'profile' else None))
            with farm.site.configured(
                    backend={'agent-hostkey-policy': policy}
                    if level == 'backend' and policy else {},
                    default_agent_hostkey_policy=policy if level == 'global' else
                    'AutoAddPolicy' if level == 'backend' and policy else None):
                got = farm.select()
            log, now = farm.site.log_text(), farm.known()
            tap.equal((bool(got.sessions), got.server is not None, now != known[0]),
                      (served, True, added), 'host key unknown, %s of the %s' %
                      (policy, level), got.raw, log, now)
            tap.ok(re.search(r'ts01: unknown host key SHA256:\S{43}[ ,;]', log),
                   'host key unknown, %s: logged' % policy, log)
            if added:
                with farm.site.configured():
                    again = farm.select()
                tap.ok(again.sessions and farm.known() == now and
                       'host key' not in farm.site.log_text(),
                       'a key that was added is known, and the only one', now)
    for policy in 'RejectPolicy', 'WarningPolicy', 'AutoAddPolicy':
        farm.profiles(farm.profile('desk', [a, b],
                                   broker_agent_hostkey_policy=policy))
        with wrong_host_key(farm, a):
            before = farm.known()
            got = farm.select()
            log = farm.site.log_text()
            tap.equal((got.server, got.sessions, farm.known()), ('ts02', [], before),
                      'another host key, %s: refused' % policy, log)
            tap.ok(re.search('ts01: the host key SHA256:.* is not the one in ', log),
                   'another host key, %s: logged' % policy, log)


def test_known_hosts(tap, farm):
    """Keys are found by the server's name and by its address, hashed as well."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a]))
    a.play(sessions=[session(farm.user, 'ts01')])
    other = lab.keypair(farm.dir, name='unrelated')
    rows = [('by its address', a.known_as(a.address), True),
            ('by its name', a.known_as('ts01'), True),
            ('by its address, with another key for its name',
             a.known_as('ts01', other) + a.known_as(a.address), False),
            ('by a pattern', a.known_as('ts0?'), True),
            ('one of two keys', a.known_as('ts01', other) + a.known_as('ts01'), True),
            ('among others', b.known_as(b.address) * 50 + '# x\n\n' +
             a.known_as('ts01'), True),
            ('behind a line that is none', 'x\n' + a.known_as('ts01'), True),
            ('at another port', a.known_as('ts01').replace(':%d' % a.port, ':1'),
             False),
            ('revoked', '@revoked ' + a.known_as('ts01'), False),
            ('revoked, beside a line that has it',
             a.known_as('ts01') + '@revoked ' + a.known_as('ts01'), False),
            ('revoked for all', a.known_as('ts01') + '@revoked ' + a.known_as('*')
             .replace('[*]:%d' % a.port, '*'), False),
            ('revoked for another one',
             a.known_as('ts01') + '@revoked ' + b.known_as('ts02'), True),
            ('not for this one', '*,!' + a.known_as('ts01'), False),
            ('an authority alone', '@cert-authority ' + a.known_as('ts01'), False),
            ('no lines', '', False)]
    for name, text, good in rows:
        farm.know([text])
        got = farm.select()
        tap.equal(len(got.sessions), int(good), 'known_hosts: ' + name, got.raw, text,
                  farm.site.log_text())
    for policy in 'WarningPolicy', 'AutoAddPolicy':
        farm.know(['@revoked ' + a.known_as(a.address)])
        farm.profiles(farm.profile('desk', [a, b], broker_agent_hostkey_policy=policy))
        before, got = farm.known(), farm.select()
        tap.equal((got.server, farm.known().startswith(before),
                   'marked @revoked' in farm.site.log_text()), ('ts02', True, True),
                  'known_hosts: a revoked key, ' + policy, got.raw)
    farm.profiles(farm.profile('desk', [a]))
    path = farm.know([a.known_as('ts01')])
    subprocess.run(['ssh-keygen', '-q', '-H', '-f', path], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.unlink(path + '.old')
    os.chown(path, farm.broker.uid, farm.broker.gid)
    tap.equal(len(farm.select().sessions), 1, 'known_hosts: hashed names',
              farm.known(), farm.site.log_text())
    os.chmod(path, 0o666)
    got = farm.select()
    log = farm.site.log_text()
    tap.ok(got.raw.stdout == DENIED and path in log,
           'known_hosts that others can write: not believed', got.raw, log)
    os.unlink(path)
    got = farm.select()
    tap.ok(got.raw.stdout == DENIED and 'unknown host key' in farm.site.log_text(),
           'no known_hosts: nobody is known', got.raw)


# Our own side

def test_service_keys(tap, farm):
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b]))
    line = session(farm.user, 'ts02')
    b.play(sessions=[line])
    path = os.path.join(farm.broker.home, '.ssh/id_ed25519')
    good = pathlib.Path(path).read_text()

    def missing():
        os.unlink(path)

    def readable_by_all_writable_by_all():
        os.chmod(path, 0o666)

    def garbage():
        farm.broker.put('.ssh/id_ed25519', 'garbage\n')

    def binary():
        pathlib.Path(path).write_bytes(bytes(range(256)))

    def with_a_passphrase():
        subprocess.run(['ssh-keygen', '-q', '-p', '-N', 'secret', '-f', path],
                       check=True, stdout=subprocess.DEVNULL)
        os.chown(path, farm.broker.uid, farm.broker.gid)

    def a_pem_with_a_passphrase():
        os.unlink(path)
        subprocess.run(['ssh-keygen', '-q', '-t', 'rsa', '-m', 'PEM', '-N', 'secret',
                        '-f', path], check=True)
        os.unlink(path + '.pub')
        os.chown(path, farm.broker.uid, farm.broker.gid)

    for spoil in (missing, readable_by_all_writable_by_all, garbage, binary,
                  with_a_passphrase, a_pem_with_a_passphrase):
        farm.broker.put('.ssh/id_ed25519', good)
        os.chmod(path, 0o600)
        spoil()
        farm.site.log()
        got, listing = farm.select(), farm.list()
        log = farm.site.log_text()
        name = spoil.__name__.replace('_', ' ')
        tap.equal((got.raw.stdout, listing.states), (DENIED, {'desk': None}),
                  'service key, %s: nobody can be asked' % name, got.raw, listing.raw)
        tap.ok('.ssh/id_ed25519' in log and 'no usable service key' in log and
               ('passphrase' in log or 'passphrase' not in name) and
               got.seconds < SLACK, 'service key, %s: the log says so' % name, log)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    # the second of two, of another kind
    rsa = lab.keypair(farm.dir, 'rsa')
    farm.broker.put('.ssh/id_rsa', pathlib.Path(rsa).read_text())
    for name, first in (('alone', None), ('behind one that is refused', good),
                        ('behind garbage', 'garbage\n')):
        if first:
            farm.broker.put('.ssh/id_ed25519', first)
        for server in a, b:
            server.allow(rsa + '.pub')
        got = farm.select()
        tap.equal((got.server, got.sessions), ('ts02', [on(line, b.address)]),
                  'service key, RSA %s' % name, got.raw, farm.site.log_text())
    farm.broker.put('.ssh/id_ed25519', good)
    os.unlink(os.path.join(farm.broker.home, '.ssh/id_rsa'))
    for server in a, b:
        server.allow()
    tap.equal(farm.select().server, 'ts02', 'service key: and back again')


@contextlib.contextmanager
def certified(farm, key, type, principals):
    """A certificate of a new authority for that key, beside it as for ssh(1)."""
    name = '.ssh/id_%s-cert.pub' % type
    authority = lab.keypair(farm.dir, name='ca-%d' % time.monotonic_ns())
    subprocess.run(['ssh-keygen', '-q', '-s', authority, '-I', 'broker', '-n', principals,
                    key + '.pub'], check=True, stderr=subprocess.DEVNULL)
    farm.broker.put(name, pathlib.Path(key + '-cert.pub').read_text())
    try:
        yield authority + '.pub'
    finally:
        os.unlink(key + '-cert.pub')
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(farm.broker.home, name))


def test_certified_service_keys(tap, farm):
    server = farm.servers[0]
    profile = farm.profile('certified', [server])
    farm.profiles(profile)
    home = pathlib.Path(farm.broker.home, '.ssh')
    good = (home / 'id_ed25519').read_text()
    keys = {'ed25519': farm.key, 'rsa': lab.keypair(farm.dir, 'rsa', name='certified')}
    for type, key in keys.items():
        (home / 'id_ed25519').unlink(missing_ok=True)
        farm.broker.put('.ssh/id_' + type, pathlib.Path(key).read_text())
        for principals in farm.agent.name, 'somebody-else':
            with certified(farm, key, type, principals) as authority, server.restarted(
                    'AuthorizedKeysFile none\nTrustedUserCAKeys %s\n'
                    'AuthorizedPrincipalsFile none\nForceCommand %s' %
                    (authority, server.agent.program)):
                got = farm.select('certified')
            tap.equal(got.server is not None, principals == farm.agent.name,
                      'service key, %s with a certificate for %s' % (
                          type, 'the agent' if principals == farm.agent.name else
                          'somebody else'),
                      got.raw, farm.site.log_text(), server.log_tail(10))
        server.allow(key + '.pub')
        with certified(farm, key, type, farm.agent.name):
            tap.ok(farm.select('certified').server, 'service key, %s: where the '
                   'authority is not trusted, the key alone lets in' % type,
                   farm.site.log_text())
        (home / ('id_' + type)).unlink()
    server.allow()
    farm.broker.put('.ssh/id_ed25519', good)
    farm.broker.put('.ssh/id_ed25519-cert.pub', 'garbage\n')
    farm.site.log()
    got = farm.select('certified')
    tap.ok(not got.server and 'id_ed25519-cert.pub: not a certificate' in
           farm.site.log_text(), 'service key: a bad certificate is named',
           got.raw, farm.site.log_text())
    (home / 'id_ed25519-cert.pub').unlink()
    farm.profiles(farm.profile('desk'))
    tap.ok(farm.select().server, 'service key, certificates: and back again')


def test_surroundings(tap, farm):
    """Nothing of the caller's: no ~/.ssh/config, no ssh-agent, no HOME."""
    a = farm.servers[0]
    farm.profiles(farm.profile('desk', [a]))
    line = session(farm.user, 'ts01')
    a.play(sessions=[line])
    trace = os.path.join(farm.broker.home, 'was-run')
    config = farm.broker.put('.ssh/config', 'Host *\n  ProxyCommand touch %s\n'
                             '  Port 1\n  User root\n' % trace)
    farm.site.env = {'HOME': farm.broker.home, 'SSH_AUTH_SOCK': '/dev/null',
                     'LOGNAME': 'root', 'USER': 'root'}
    try:
        got = farm.select()
    finally:
        farm.site.env = {}
        os.unlink(config)
    tap.equal((got.server, len(got.sessions), os.path.exists(trace)),
              ('ts01', 1, False), "the caller's ~/.ssh/config is not read",
              farm.site.log_text())


def test_odd_users(tap, farm):
    """A name that a shell would take apart is not sent to any; a new session is
    possible all the same."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b]))
    b.play(kind='old')
    for name in ("x2go'q%d" % os.getpid(), 'x2go$(id)%d' % os.getpid(),
                 'X2GO\\a%d' % os.getpid(), 'x2goj\xfcrgen%d' % os.getpid()):
        made = subprocess.run(['useradd', '--badname', '-M', '-p', '*', name],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode:
            # not every useradd can be talked into it
            tap.note('no account %s: %s' % (name, made.stdout))
            continue
        try:
            a.calls(), b.calls()
            got = farm.select(user=name)
            log = farm.site.log_text()
            told = [server.name for server in (a, b) if re.search(
                server.name + ': its agent cannot be given the user name', log)]
            tap.ok(got.server and got.sessions == [] and
                   told == (['ts02'] if name.startswith(('X', 'x2goj')) else
                            ['ts01', 'ts02']),
                   'user %s: a new session, and the log says why' % name[:9], got.raw,
                   log)
            calls = ''.join(a.calls() + b.calls())
            tap.equal("'%s'" % name in calls or "\t%s\t" % name in calls,
                      told == ['ts02'], 'user %s: in quotes, or not at all' % name[:9],
                      calls)
            here = farmlab.Played(farm.agent_program, farm.broker,
                                  farm.site.path('odd'))
            with farm.site.configured(default_agent_query_mode='LOCAL',
                                      agent_command=here.program):
                got = farm.select(user=name)
            calls = here.calls()
            tap.ok(got.server and any(call.split('\t')[1] == name for call in calls),
                   'user %s: here, as it is, without a shell' % name[:9], got.raw,
                   farm.site.log_text(), *calls)
        finally:
            subprocess.run(['userdel', name], check=True)


# Here

def test_local(tap, farm):
    a, b, *_ = farm.servers
    directory = farm.site.path('my agent; here')
    here = farmlab.Played(farm.agent_program, farm.broker, directory)
    farm.profiles(farm.profile('desk', [a, b]),
                  farm.profile('others', farm.servers[2:]))
    line, running = session(farm.user, 'ts02'), session(farm.user, 'ts01', 'R')
    with farm.site.configured(default_agent_query_mode='LOCAL',
                              agent_command=here.program):
        here.play(sessions=[line])
        tap.equal(farm.list().states, {'desk': 'S', 'others': None}, 'here: the marks',
                  farm.site.log_text())
        tap.equal(here.calls(), ['%s\t%s\tlistsessions' % (here.program, farm.user)],
                  'here: asked once, without a shell')
        got = farm.select()
        tap.equal((got.server, got.sessions), ('ts02', [on(line, b.address)]),
                  'here: resumed', farm.site.log_text())
        here.play(sessions=[running])
        here.calls()
        got = farm.select()
        tap.equal((got.server, got.sessions), ('ts01', [on(running, a.address)]),
                  'here: taken over', farm.site.log_text())
        tap.ok('\t'.join([here.program, farm.user, 'suspendsession',
                          farmlab.id_of(running)]) in here.calls(),
               'here: the arguments arrive as they are')
        here.play(sessions=[])
        tap.ok(farm.select().server in ('ts01', 'ts02'), 'here: a new one')
        for name, files, words in (
                ('hangs', {'delay': 60000}, 'did not end in time|timed out'),
                ('hangs with a child', {'linger': ''}, 'did not end in time|timed out'),
                ('shouts', {'flood': ''}, 'more than 1048576 bytes'),
                ('fails', {'answer': '', 'exit': 3, 'stderr': 'evil\x1b words\n'},
                 r'the agent on this host says: evil\\033 words'),
                ('says nothing', {'answer': ''}, 'sent an empty answer'),
                ('prints garbage', {'answer': bytes(range(255, 0, -1))},
                 'instead of OK')):
            here.reset()
            here.play(**files)
            farm.site.log()
            got = farm.select()
            log = farm.site.log_text()
            tap.equal((got.raw.stdout, bool(re.search(words, log))), (DENIED, True),
                      'here: the agent %s: refused, and logged' % name, got.raw, log)
            tap.ok(got.seconds <= TIMEOUT + SLACK,
                   'here: the agent %s: %.1f s' % (name, got.seconds))
            if 'linger' in files:
                pids = [int((here.files / file).read_text()) for file in
                        ('pid', 'child')]
                tap.ok(len(set(pids)) == 2 and not set(pids) & set(lab.processes()),
                       'here: the agent is killed with its child', pids)
        with farm.site.configured(agent_command='/nonexistent/agent'):
            got = farm.select()
        log = farm.site.log_text()
        tap.ok(got.raw.stdout == DENIED and '/nonexistent/agent' in log,
               'here: no such agent: refused, and logged', got.raw, log)


def test_nothing_is_left(tap, farm):
    """Of all those requests."""
    def alive():
        return farm.broker.processes()
    with contextlib.suppress(TimeoutError):
        lab.wait_for(lambda: not alive(), 5)
    left = ['%d %s' % (pid, pathlib.Path('/proc/%d/cmdline' % pid).read_text())
            for pid in alive()]
    tap.equal(left, [], "no process of the broker's is left")


TESTS = [test_faults, test_forged, test_wishful_load, test_one_of_eight_hangs,
         test_a_hung_server_is_remembered, test_100_of_128_hang, test_powers_of_the_child, test_child_that_is_killed,
         test_all_hang, test_all_down, test_slow_agents, test_request_timeout,
         test_max_startups, test_banned, test_rush, test_penalties,
         test_host_key_policies, test_known_hosts,
         test_service_keys, test_certified_service_keys, test_surroundings, test_odd_users, test_local,
         test_nothing_is_left]


def with_timeout(test):
    @functools.wraps(test)
    def run(tap, farm):
        with farm.site.configured(agent_timeout=TIMEOUT):
            test(tap, farm)
    return run


if __name__ == '__main__':
    sys.exit(farmlab.run([with_timeout(test) for test in TESTS], SERVERS))
