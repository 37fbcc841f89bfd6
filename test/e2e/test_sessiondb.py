#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The session database: a real PostgreSQL with X2Go's own tables, and a farm whose
servers may say something else.

usage: test_sessiondb.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL
"""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import brokerlab
import dblab
import farmlab
import lab
from farmlab import Door, id_of, load, session

SERVERS = 6
TIMEOUT = 2     # session-database-timeout

PACKAGES = {**farmlab.PACKAGES, **dblab.PACKAGES}


class World:
    """A farm and the database that its servers share."""

    def __init__(self, stack, programs, **settings):
        self.farm = farmlab.Farm(stack, programs[0], SERVERS)
        self.site, self.user = self.farm.site, self.farm.user
        self.db = stack.enter_context(dblab.Database(**settings))
        self.other = stack.enter_context(lab.Account()).name
        for name in self.user, self.other:
            self.db.add_user(name)
        self.site.configure(
            helper_dir=dblab.helpers(self.site), session_database='farm', agent_timeout=6,
            session_database_file=self.site.path('pg_service.conf'),
            session_database_timeout=TIMEOUT)
        self.ctl_program = programs[1]
        self.displays = itertools.count(10000)
        self.service()
        self.grant()

    def service(self, mode=0o644, **keys):
        path = self.site.write('pg_service.conf', self.db.service(**keys))
        os.chmod(path, mode)
        return path

    def ctl(self, *words):
        return subprocess.run(
            [self.ctl_program, '-C', self.site.path('x2gobroker.conf'), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=60, cwd='/', env={'PATH': '/usr/bin:/bin'}, check=False)

    def grant(self):
        """As the administrator does."""
        self.db.sql(self.ctl('database', '--grants').stdout + dblab.PASSWORD)

    def doctor(self):
        """{check: its findings} of those about the database."""
        found = {}
        for one in json.loads(self.ctl('doctor', '--json').stdout)['findings']:
            if one['check'].startswith('database'):
                found.setdefault(one['check'], []).append(one)
        return found

    def reset(self):
        self.farm.reset()
        self.db.clear()
        self.service()
        self.farm.profiles(self.farm.profile('desk'))

    def session(self, host, state='S', **more):
        """A session that the database knows, and so all servers."""
        id = self.db.session(self.user, host, state, **more)
        for server in self.farm.servers:
            server.play(sessions=[session(self.user, host, state, id=id)])
        return id

    def sessions(self, number, *hosts):
        """Some of somebody else."""
        self.db.sql(''.join(
            "INSERT INTO sessions (display, server, uname, session_id) VALUES (%d, '%s', "
            "'%s', '%s-%s-%d');" % (next(self.displays), host, self.other, self.other,
                                    host, i) for host in hosts for i in range(number)),
            role='x2gouser_' + self.other)

    def server(self, name):
        return next(server for server in self.farm.servers if server.name == name)

    def asked(self):
        """Names of servers that were asked since the last time."""
        return [server.name for server in self.farm.servers if server.calls()]

    def errors(self):
        """What the log says about the database."""
        return [line for line in self.site.log_text().splitlines()
                if 'session database' in line]


# What it is asked for

def test_listing(tap, world):
    farm = world.farm
    world.session('ts02')
    world.session('ts04', 'R')
    farm.profiles(farm.profile('both', farm.servers[1:4]),
                  farm.profile('running', farm.servers[3:]),
                  farm.profile('none', farm.servers[:1]),
                  farm.profile('kiosk', farm.servers[:3], user='kiosk'))
    got = farm.list()
    tap.equal((got.states, world.asked()),
              ({'both': 'S', 'running': 'R', 'none': None, 'kiosk': None}, []),
              'listing: from the database, without asking a server', got.raw)
    log = farm.site.log_text()
    tap.equal(log.count('\n'), 1, 'listing: nothing to log', log)


def test_states(tap, world):
    for state in 'F', 'T':
        world.session('ts01', state)
        tap.equal(world.farm.list().states, {'desk': None},
                  'listing: no mark for a session in state ' + state)
        world.db.clear()
    world.session('ts01', kind='S1XSHAD')
    tap.equal(world.farm.list().states, {'desk': None}, 'listing: no mark for a shadow')


def test_resume(tap, world):
    for state in 'S', 'R':
        world.reset()
        id = world.session('ts03', state)
        got = world.farm.select()
        tap.equal((got.server, [id_of(line) for line in got.sessions], world.asked()),
                  ('ts03', [id], ['ts03']),
                  'state %s: only the server of the session is asked' % state, got.raw)


def test_new_session(tap, world):
    """The servers with the fewest sessions are asked, a few of all."""
    world.sessions(3, 'ts01', 'ts02', 'ts03', 'ts04')
    got = world.farm.select()
    tap.equal((got.server in ('ts05', 'ts06'), got.sessions, world.asked()),
              (True, [], ['ts05', 'ts06']), 'new: the two with the fewest sessions are '
              'asked', got.raw, world.site.log_text())
    # the load decides between the two
    world.reset()
    world.sessions(1, 'ts01', 'ts02', 'ts03', 'ts04')
    for server in world.farm.servers:
        server.play(load=load(avg=100))
    world.server('ts06').play(load=load(avg=1))
    tap.equal(world.farm.select().server, 'ts06', 'new: the better of the two is chosen')


def test_pending(tap, world):
    """Choices count until the session is in the database."""
    world.sessions(9, 'ts03', 'ts04', 'ts05', 'ts06')
    names = farmlab.users(4)
    chosen = [world.farm.select(user=name).server for name in names]
    tap.equal(sorted(chosen.count(name) for name in set(chosen)), [2, 2],
              'new: choices of a moment ago count', chosen)
    world.asked()


def test_drained(tap, world):
    world.site.write('drained', 'ts05\nts06\nts01 blocked\n')
    world.sessions(1, 'ts02')
    world.farm.select()
    tap.equal(world.asked(), ['ts03', 'ts04'], 'new: not on drained and blocked servers')


def test_weights(tap, world):
    world.farm.profiles(world.farm.profile('desk', broker_host_weights='ts02:900'))
    world.sessions(1, *(server.name for server in world.farm.servers))
    world.db.session(world.other, 'ts02')
    world.farm.select()
    tap.ok('ts02' in world.asked(), 'new: the weights of hosts count')


def test_servers_down(tap, world):
    """More servers are asked while none of the candidates can be used."""
    with contextlib.ExitStack() as stack:
        for server in world.farm.servers[:5]:
            stack.enter_context(server.down())
        got = world.farm.select()
        tap.equal(got.server, 'ts06', 'new: on the only server that is up', got.raw,
                  world.site.log_text())


# What is not believed

def test_forged(tap, world):
    """A row that another user has made in this user's name."""
    id = world.db.session(world.other, 'ts02', uname=world.user)
    tap.equal(world.db.sql("SELECT uname, creator_id FROM sessions"),
              '%s|x2gouser_%s' % (world.user, world.other), 'forged: there is such a row')
    tap.equal(world.farm.list().states, {'desk': None}, 'forged: no mark')
    world.server('ts02').play(load=load(avg=1000))
    got = world.farm.select()
    tap.ok(got.server and not got.sessions and id.encode() not in got.raw.stdout,
           'forged: not offered', got.raw)
    world.db.session(world.user, 'ts02', state='R')
    listing = world.farm.list()
    tap.equal(listing.states, {'desk': 'R'}, 'forged: not counted as a suspended one')


def test_stale(tap, world):
    """The database has a session that its server has not."""
    world.db.session(world.user, 'ts02')
    got = world.farm.select()
    tap.ok(got.server and not got.sessions, 'stale: a new session', got.raw)
    log = world.site.log_text()
    tap.ok('session database: reports session' in log and 'ignored' in log,
           'stale: the log has it', log)
    world.reset()
    world.db.session(world.user, 'ts02')
    with world.server('ts02').down():
        got = world.farm.select()
    tap.ok(got.server not in (None, 'ts02') and not got.sessions,
           'stale: a new session elsewhere if the server is down', got.raw)


def test_alias(tap, world):
    """A server whose name in the profile is not its own."""
    farm = world.farm
    a, b = farm.servers[:2]
    id = world.db.session(world.user, 'realname')
    world.db.session(world.other, 'ts01')
    b.play(host='realname', sessions=[session(world.user, 'realname', id=id)])
    farm.profiles(farm.profile('desk', [a, b]))
    got = farm.select()
    tap.equal((got.server, len(got.sessions)), ('ts02', 1),
              'alias: the session is found all the same', got.raw, world.site.log_text())


def test_hostile_values(tap, world):
    """A user's own rows can have anything in them."""
    id = world.session('ts03')
    for column, value in (
            ('server', "'a|b'"), ('server', "E'ts01\\nts02'"), ('server', "'../x'"),
            ('session_id', "E'x\\n|x|1|ts01|S'"), ('session_id', "'START_USER_SESSIONS'"),
            ('client', 'NULL'), ('server', "repeat('x', 100000)")):
        other = world.db.session(world.user, 'ts01')
        world.db.sql("UPDATE sessions SET %s = %s WHERE session_id = '%s'"
                     % (column, value, other), role='x2godbuser')
        got = world.farm.select()
        tap.equal((got.server, [id_of(line) for line in got.sessions]), ('ts03', [id]),
                  'hostile: %s = %s' % (column, value[:40]), got.raw,
                  world.site.log_text())
        world.db.sql("DELETE FROM sessions WHERE session_id <> '%s'" % id,
                     role='x2godbuser')


def test_infinite_times(tap, world):
    """A time that has no age, in a row of one user, does not hide those of others."""
    world.session('ts03')
    other = world.db.session(world.other, 'ts01')
    world.db.sql("UPDATE sessions SET init_time = 'infinity' WHERE session_id = '%s'"
                 % other, role='x2godbuser')
    world.farm.select()
    tap.equal((world.asked(), world.errors()), (['ts03'], []),
              'infinite: the database answers all the same')
    tap.equal(len(listed(world)), 1, 'infinite: the others are listed')


# All sessions, for administrators

def listed(world, *options):
    done = world.ctl('sessions', '--all', '--json', *options)
    return [(one['user'], one['id'], one['server'])
            for one in json.loads(done.stdout)['sessions']]


def test_all_sessions(tap, world):
    mine, theirs = (world.db.session(name, host, state, idle=idle) for name, host, state,
                    idle in ((world.user, 'ts01', 'R', 60),
                             (world.other, 'ts02', 'S', 90000)))
    gone = world.db.session(world.user, 'gone', 'R', idle=70)
    world.db.session(world.user, 'ts01', 'F')
    world.db.session(world.user, 'ts01', kind='S1XSHAD')
    all_of_them = [(world.other, theirs, 'ts02'), (world.user, mine, 'ts01'),
                   (world.user, gone, None)]
    for options, expected in (
            ([], all_of_them), (['--user', world.other], all_of_them[:1]),
            (['--server', 'ts01'], all_of_them[1:2]), (['--server', 'gone'],
                                                       all_of_them[2:]),
            (['--state', 'running'], all_of_them[1:]),
            (['--older-than', '1d'], all_of_them[:1]),
            (['--profile', 'desk'], all_of_them[:2])):
        tap.equal(listed(world, *options), expected, 'all: ' + ' '.join(options))
    tap.equal(world.asked(), [], 'all: no server is asked')
    done = world.ctl('sessions', '--all')
    tap.equal((done.returncode, done.stderr, done.stdout.count('\n')), (0, '', 4),
              'all: nothing to complain about')
    for server in world.farm.servers:
        server.play(all_sessions='')
    world.server('ts04').play(sessions=[session('bin', 'ts04')])
    with nothing_listens(world):
        done = world.ctl('sessions', '--all')
    tap.ok(done.returncode == 0 and '\nbin ' in done.stdout and
           'session database: ' in done.stderr and 'asked instead' in done.stderr,
           'all: without the database, the servers are asked', done)


def test_all_forged(tap, world):
    """Rows with other names do not end the sessions of others, nor hide any."""
    forged = world.db.session(world.other, 'ts02', uname=world.user)
    mine = world.db.session(world.user, 'ts01')
    tap.equal(listed(world), [(world.user, mine, 'ts01')], 'forged: it is not listed')
    done = world.ctl('sessions', '--all')
    tap.ok(done.returncode == 0 and forged not in done.stdout and
           '(by x2gouser_%s) %s' % (world.other, world.user) in done.stderr,
           'forged: a warning says whose it is', done)
    world.server('ts01').play(sessions=[session(world.user, 'ts01', id=mine)])
    for server in world.farm.servers:
        server.calls()
    done = world.ctl('terminate', '--all', '-y', '--user', world.user)
    tap.ok(done.returncode == 0 and done.stdout ==
           mine + ': terminated\n1 of 1 sessions terminated\n',
           'forged: only the true one is terminated', done)
    tap.equal(world.asked(), ['ts01'], 'forged: its server was not asked')


def test_end_all(tap, world):
    gone = world.db.session(world.user, 'gone')
    for host in 'ts01', 'ts02', 'ts03':
        id = world.db.session(world.other, host)
        world.server(host).play(sessions=[session(world.other, host, id=id)])
    with world.server('ts03').down():
        done = world.ctl('terminate', '--all', '--yes')
    tap.ok(done.returncode == 1 and '2 of 4 sessions terminated' in done.stdout and
           'on ts03: cannot connect' in done.stderr and
           '%s: on gone: no server' % gone in done.stderr,
           'end: a result for each', done)


def test_many(tap, world):
    world.db.sql("INSERT INTO sessions (display, server, uname, session_id, creator_id) "
                 "SELECT 20000 + n, 'ts01', 'u' || n, 'u' || n || '-50-1700000000_stDXFCE',"
                 " 'x2gouser_u' || n FROM generate_series(1, 11845) n",
                 role='x2godbuser')
    tap.equal(len(listed(world)), 11845, 'many: as many as there can be are listed')
    world.db.sql("INSERT INTO sessions (display, server, uname, session_id, creator_id) "
                 "SELECT 40000 + n, 'ts01', 'v', 'v' || n, 'x2gouser_v' "
                 "FROM generate_series(1, 10000) n", role='x2godbuser')
    done = world.ctl('sessions', '--all')
    tap.ok(done.returncode == 1 and 'session database: ' in done.stderr,
           'many: more are not cut off silently', done)


# When it does not answer

@contextlib.contextmanager
def nothing_listens(world):
    with world.db.down():
        yield


@contextlib.contextmanager
def no_socket(world):
    world.service(host='/nonexistent')
    yield


@contextlib.contextmanager
def at_door(world, talk, full=False):
    with Door('127.0.0.1', dblab.free_port(), talk, full) as door:
        world.service(host='127.0.0.1', port=door.socket.getsockname()[1])
        yield


def drip(one):
    """A login that never ends."""
    one.recv(8)
    one.sendall(b'N')
    while True:
        one.sendall(b'N')
        time.sleep(0.1)


def syn_dropped(world):
    return at_door(world, None, True)


def silent(world):
    return at_door(world, lambda one: time.sleep(60))


def drips(world):
    return at_door(world, drip)


@contextlib.contextmanager
def stopped_postmaster(world):
    world.db.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        world.db.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def stopped_backend(world):
    """Every server process of the broker's role is stopped as soon as it is there."""
    with at_door(world, lambda one: stop_after_login(world, one)):
        yield


def stop_after_login(world, one):
    """Pass the login on to the real server, and then nothing."""
    with socket.create_connection(('127.0.0.1', world.db.port)) as real:
        real.settimeout(0.3)
        one.settimeout(0.3)
        for _ in range(3):
            for source, target in (one, real), (real, one):
                with contextlib.suppress(TimeoutError):
                    data = source.recv(65536)
                    if data[:1] == b'P':
                        time.sleep(60)
                    target.sendall(data)
        time.sleep(60)


@contextlib.contextmanager
def locked_table(world):
    lock = subprocess.Popen(
        ['psql', '-X', '-q', '-h', world.db.dir, '-p', str(world.db.port), '-U', 'postgres',
         '-d', dblab.NAME], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    lock.stdin.write('BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE;\n')
    lock.stdin.flush()
    lab.wait_for(lambda: world.db.sql("SELECT count(*) FROM pg_locks WHERE mode = "
                                      "'AccessExclusiveLock' AND granted") != '0', 10,
                 'the lock')
    try:
        yield
    finally:
        lock.stdin.close()
        lock.wait(10)


@contextlib.contextmanager
def too_many_clients(world):
    world.db.sql('ALTER ROLE x2gobroker CONNECTION LIMIT 0')
    try:
        yield
    finally:
        world.grant()


@contextlib.contextmanager
def wrong_password(world):
    world.db.allow('scram-sha-256')
    world.service(mode=0o600, password='wrong')
    os.chown(world.site.path('pg_service.conf'), world.site.account.uid, 0)
    try:
        yield
    finally:
        world.db.allow('trust')


@contextlib.contextmanager
def no_right(world):
    world.db.sql('REVOKE ALL ON sessions FROM x2gobroker')
    try:
        yield
    finally:
        world.grant()


DOWN = [    # what happens, what the log says of it
    (nothing_listens, 'No such file or directory'),
    (no_socket, 'No such file or directory'),
    (syn_dropped, 'has not answered in time'),
    (silent, 'has not answered in time'),
    (drips, 'session database: '),
    (stopped_postmaster, 'has not answered in time'),
    (stopped_backend, 'in time'),
    (locked_table, 'in time'),
    (too_many_clients, 'too many connections'),
    (wrong_password, 'password authentication failed'),
    (no_right, 'permission denied'),
]


def test_down(tap, world):
    """Whatever is wrong with it, agents are asked in time, and the suspended session is
    found."""
    for situation, words in DOWN:
        world.reset()
        id = world.session('ts03')
        world.site.log()
        name = 'down: ' + situation.__name__.replace('_', ' ')
        with situation(world):
            got = world.farm.select()
        log = world.site.log_text()
        tap.equal((got.server, [id_of(line) for line in got.sessions]), ('ts03', [id]),
                  name + ': the session is found', got.raw, log)
        tap.ok(got.seconds < TIMEOUT + 5, name + ': in time', got.seconds)
        tap.ok(words in log and 'session database: ' in log, name + ': the log says it',
               log)
        tap.equal(got.raw.stderr, b'', name + ': nothing on stderr')


def test_down_listing(tap, world):
    world.session('ts03')
    with nothing_listens(world):
        first, second = world.farm.list(), world.farm.list()
    tap.equal((first.states, second.states), ({'desk': 'S'}, {'desk': 'S'}),
              'down: a listing asks servers', first.raw)
    tap.ok('not asked, because' in world.site.log_text(),
           'down: the next request does not wait for it again',
           first.seconds, second.seconds)


def test_dead_host_first(tap, world):
    world.session('ts03')
    with Door('127.0.0.1', dblab.free_port(), lambda one: time.sleep(60)) as door:
        world.service(host='127.0.0.1,' + world.db.dir,
                      port='%d,%d' % (door.socket.getsockname()[1], world.db.port))
        got = world.farm.list()
    tap.equal((got.states, world.asked()), ({'desk': 'S'}, []),
              'hosts: a good one after one that hangs', got.raw, world.site.log_text())


# Its files

FILES = [   # mode of the service file, of the password file (0: none), more lines, why
    (0o644, 0o600, '', None),
    (0o666, 0o600, '', 'others may write it'),
    (0o644, 0o640, '', 'mode must be'),
    (0o644, 0o644, '', 'mode must be'),
    (0o644, 0, 'password=secret\n', 'others can read this file'),
    (0o600, 0, 'password=secret\n', None),
    (0o644, 0o600, 'options=-c TimeZone=UTC\n', 'pg_service.conf:6: options: not a key'),
    (0o644, 0o600, 'ldap://ldap.example.com/dc=x\n', 'not KEY=VALUE'),
    (0o644, 0o600, 'user=postgres\n', 'duplicate key'),
    (0o644, 0o600, '[farm]\n', 'duplicate service'),
]


def test_files(tap, world):
    world.session('ts03')
    world.db.allow('scram-sha-256')
    uid = world.site.account.uid
    for mode, pass_mode, lines, why in FILES:
        world.site.fresh_state()
        keys = {'passfile': world.site.path('pgpass')} if pass_mode else {}
        path = world.site.write('pg_service.conf', world.db.service(**keys) + lines)
        os.chmod(path, mode)
        os.chown(path, uid, 0)
        os.chown(world.site.write('pgpass', '*:*:*:*:secret\n'), uid, 0)
        os.chmod(world.site.path('pgpass'), pass_mode)
        got, log = world.farm.list(), world.site.log_text()
        tap.equal((got.states, bool(world.asked())), ({'desk': 'S'}, bool(why)),
                  'files: %o, %o, %r' % (mode, pass_mode, lines), got.raw, log)
        tap.ok((why or 'granted') in log, 'files: ... and why', log)
    world.db.allow('trust')


def test_no_service(tap, world):
    world.session('ts03')
    for settings, why in (({'session_database': 'other'}, 'there is no service [other]'),
                          ({'session_database_file': '/nonexistent'}, '/nonexistent'),
                          ({'helper_dir': lab.helper_dir()}, 'install it')):
        world.site.fresh_state()
        with world.site.configured(**settings):
            got, log = world.farm.list(), world.site.log_text()
        tap.ok(got.states == {'desk': 'S'} and why in log, 'no service: ' + why, log)


def test_environment(tap, world):
    """libpq would believe much of what a user can set."""
    world.session('ts03')
    world.site.env = {'PGHOST': '/nonexistent', 'PGPORT': '1', 'PGUSER': 'postgres',
                      'PGHOSTADDR': '192.0.2.1', 'PGSERVICEFILE': '/nonexistent',
                      'PGSERVICE': 'x', 'PGOPTIONS': '-c x=y', 'PGTZ': 'Asia/Tokyo',
                      'HOME': world.site.path('.'), 'PGREQUIREPEER': 'nobody'}
    got = world.farm.list()
    world.site.env = {}
    tap.equal((got.states, world.asked()), ({'desk': 'S'}, []),
              'environment: nothing of it counts', got.raw, world.site.log_text())


# The administrator

# service, lines of pg_hba.conf in the output
LOGINS = [
    ({}, ['local "x2go_sessions" "x2gobroker" peer map=x2gobroker']),
    ({'user': None}, ['local "x2go_sessions" "{account}" peer']),
    ({'host': 'db1'}, ['hostssl "x2go_sessions" "x2gobroker" 192.0.2.10/32 '
                       'scram-sha-256']),
    ({'host': 'db1', 'sslcert': '/etc/ssl/certs/none.pem'}, None),
    ({'dbname': 'my"db', 'user': "o'role"}, ['local "my""db" "o\'role" peer '
                                             'map=x2gobroker']),
]


def test_grants(tap, world):
    for keys, rules in LOGINS:
        world.service(**keys)
        done = world.ctl('database', '--grants')
        found = [line[7:] for line in done.stdout.splitlines()
                 if line.startswith('--     ') and '"' in line and line[7] in 'lh']
        if rules is None:       # the file does not exist, so both ways are shown
            tap.ok('none.pem' in done.stderr and len(found) == 2,
                   'grants: a service that cannot be read', done)
            continue
        account = world.site.account.name
        tap.equal((found, done.stderr, done.returncode),
                  ([rule.format(account=account) for rule in rules], '', 0),
                  'grants: how the role logs in: %s' % keys, done)
    world.db.sql(done.stdout.replace('"my""db"', dblab.NAME))
    world.db.sql(done.stdout.replace('"my""db"', dblab.NAME))
    tap.equal(world.db.sql('SELECT count(*) FROM sessions', role="o'role"), '0',
              'grants: a name with quotes; and once more')
    for sql in ('SELECT cookie FROM sessions', 'SELECT * FROM used_ports',
                'DELETE FROM sessions', "UPDATE sessions SET status = 'F'",
                'CREATE TABLE public.x (y int)'):
        try:
            world.db.sql('SET default_transaction_read_only = off; ' + sql,
                         role='x2gobroker')
            tap.ok(False, 'grants: the role cannot ' + sql)
        except RuntimeError as refused:
            tap.ok('permission denied' in str(refused), 'grants: the role cannot ' + sql,
                   refused)
    world.db.sql('DROP OWNED BY "o\'role"; DROP ROLE "o\'role"')
    with world.site.configured(session_database=None):
        done = world.ctl('database', '--grants')
    tap.ok(done.returncode == 0 and 'usual names' in done.stdout and not done.stderr,
           'grants: before the service is written', done)


def test_state(tap, world):
    world.sessions(2, 'ts01', 'ts02')
    done = world.ctl('database')
    tap.ok(done.returncode == 0 and done.stdout.startswith(
        '4 sessions on 2 servers, within '), 'state: what it has', done)
    done = world.ctl('database', '--json')
    value = json.loads(done.stdout)
    tap.ok(done.returncode == 0 and value.pop('milliseconds') >= 0 and value == {
        'answered': True, 'error': None, 'sessions': 4, 'servers': [
            {'name': 'ts01', 'sessions': 2}, {'name': 'ts02', 'sessions': 2}]},
        'state: the same as JSON', value)
    done = world.ctl('database', '--json', '--grants')
    tap.ok(done.returncode == 2 and not done.stdout and 'not JSON' in done.stderr,
           'state: SQL is no JSON', done)
    world.service(host='/nonexistent')
    done = world.ctl('database', '--json')
    value = json.loads(done.stdout)
    tap.ok(done.returncode == 1 and not done.stderr and
           'No such file or directory' in value.pop('error') and value == {
               'answered': False, 'milliseconds': None, 'sessions': None,
               'servers': []}, 'state: why not, as JSON', done)
    done = world.ctl('database')
    tap.ok(done.returncode == 1 and not done.stdout and
           'No such file or directory' in done.stderr, 'state: why not', done)
    with world.site.configured(session_database=None):
        done = world.ctl('database')
    tap.ok(done.returncode == 1 and 'session-database is not set' in done.stderr,
           'state: there is none', done)


ALL_CHECKS = {'database': 'ok', 'database-read': 'ok', 'database-write': 'ok',
              'database-zone': 'ok', 'database-limit': 'ok', 'database-hosts': 'ok'}
SKIPPED = dict.fromkeys(ALL_CHECKS, 'skip')
TABLE = "SET ROLE x2godbuser; "

# what is wrong: SQL, SQL that mends it (the grants are made again), findings that are
# not ok, words of text and remedy
DOCTOR = [
    ('does not let it in', 'ALTER ROLE x2gobroker NOLOGIN', '',
     {**SKIPPED, 'database': 'FAIL'}, 'not permitted to log in', 'pg_hba.conf'),
    ('has no role', 'ALTER ROLE x2gobroker RENAME TO other',
     'ALTER ROLE other RENAME TO x2gobroker',
     {**SKIPPED, 'database': 'FAIL'}, 'does not exist', '--grants'),
    ('may not read', 'REVOKE ALL ON sessions FROM x2gobroker', '',
     {'database-read': 'FAIL', 'database-hosts': 'skip'}, 'permission denied', '--grants'),
    ('may not read one column', 'REVOKE SELECT (last_time) ON sessions FROM x2gobroker', '',
     {'database-read': 'FAIL', 'database-hosts': 'skip'}, 'permission denied', '--grants'),
    ('may delete', 'GRANT DELETE ON sessions TO x2gobroker', '',
     {'database-write': 'FAIL'}, 'can change', 'role of its own'),
    ('may write one column', 'GRANT UPDATE (status) ON sessions TO x2gobroker', '',
     {'database-write': 'FAIL'}, 'can change', 'role of its own'),
    ('is a member of the owner', 'GRANT x2godbuser TO x2gobroker',
     'REVOKE x2godbuser FROM x2gobroker',
     {'database-write': 'FAIL'}, 'can change', 'role of its own'),
    ('may read cookies', 'GRANT SELECT (cookie) ON sessions TO x2gobroker', '',
     {'database-write': 'warn'}, 'cookies', 'role of its own'),
    ('has its own time zone', "ALTER ROLE x2gobroker SET timezone = 'Asia/Tokyo'",
     'ALTER ROLE x2gobroker RESET timezone',
     {'database-zone': 'FAIL'}, 'time zone', 'RESET timezone'),
    ('has sessions of tomorrow', TABLE + "UPDATE sessions SET init_time = localtimestamp "
     "+ interval '1 hour' WHERE server = 'ts01'", '',
     {'database-zone': 'warn'}, '1 sessions have not begun', 'TimeZone'),
    ('has no limit', 'ALTER ROLE x2gobroker CONNECTION LIMIT -1', '',
     {'database-limit': 'warn'}, 'all 100 connections', 'CONNECTION LIMIT 50'),
    ('has few connections', 'ALTER ROLE x2gobroker CONNECTION LIMIT 3', '',
     {'database-limit': 'warn'}, '3 connections are too few', 'CONNECTION LIMIT 50'),
    ('has a server that no profile has', TABLE + "UPDATE sessions SET server = 'gone' "
     "WHERE server = 'ts02'", '',
     {'database-hosts': 'warn'}, 'has 1 sessions', 'host='),
]


def test_doctor(tap, world):
    world.farm.profiles(world.farm.profile('desk', broker_agent_query_mode='NONE'))
    tap.equal({check: found[0]['status'] for check, found in world.doctor().items()},
              ALL_CHECKS, 'doctor: all is well')
    for what, sql, mend, expected, text, remedy in DOCTOR:
        world.db.clear()
        world.sessions(1, 'ts01', 'ts02')
        world.db.sql(sql)
        found = world.doctor()
        tap.equal({check: rows[0]['status'] for check, rows in found.items()},
                  {**ALL_CHECKS, **expected}, 'doctor: the broker or the database ' + what,
                  found)
        bad = next(one for rows in found.values() for one in rows
                   if one['status'] in ('FAIL', 'warn'))
        tap.ok(text in bad['text'] and remedy in bad['remedy'],
               'doctor: ... and how to mend it', bad)
        world.db.sql(mend)
        world.grant()
    with world.db.down():
        found = world.doctor()
    tap.equal(found['database'][0]['status'], 'FAIL', 'doctor: it is down', found)


# TLS

def test_tls(tap, world):
    world.session('ts03')
    world.db.use_tls()
    for name in 'ca', 'other':          # in a directory of root's
        shutil.copy(world.db.path(name + '.pem'), world.site.path(name + '.pem'))
    ca, other = (world.site.path(name + '.pem') for name in ('ca', 'other'))
    for words, root, host, address in (
            (None, ca, '127.0.0.1', None),
            ('certificate verify failed', other, '127.0.0.1', None),
            ('does not match host name', ca, 'db1', '127.0.0.1')):
        world.site.fresh_state()
        world.service(host=host, hostaddr=address, sslmode='verify-full',
                      sslrootcert=root)
        got, log = world.farm.list(), world.site.log_text()
        tap.equal((got.states, bool(world.asked())), ({'desk': 'S'}, bool(words)),
                  'TLS: ' + (words or 'a listing'), got.raw, log)
        tap.ok((words or 'granted') in log, 'TLS: ... and why', log)
    tap.ok(world.db.sql("SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting "
                        "= 'on'") == '1', 'TLS: the server has it')
    world.service(host='db1', sslcert=ca)
    done = world.ctl('database', '--grants')
    tap.ok('hostssl "x2go_sessions" "x2gobroker" 192.0.2.10/32 cert\n' in done.stdout,
           'TLS: the role logs in with a certificate', done)


# Many at once

def test_rush(tap, world):
    """200 people begin at the same time; the database takes 100 connections, of which
    the broker has a few."""
    names = (farmlab.users(20) * 20)[:200]
    world.db.sql('ALTER ROLE x2gobroker CONNECTION LIMIT 3')
    with world.site.configured(session_database_timeout=60, requests_per_user=0,
                               request_timeout=150):    # a busy machine has to start all
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            got = list(pool.map(world.farm.list, names))
    world.grant()
    log = world.site.log_text()
    bad = [one.raw for one in got if one.states is None]
    tap.ok(not bad, 'rush: none of 200 is refused', bad[:1], log[-2000:])
    tap.ok('session database' not in log and not world.asked(),
           'rush: the database has answered all of them', log[-2000:])
    tap.ok('too many connections' in pathlib.Path(world.db.path('log')).read_text(),
           'rush: it has turned some away for a moment')


# x2gobroker-poll, where all servers answer at once
POLL = r"""#!/bin/sh
read -r n
n=$(head -c "$n" | grep -ac '^query ')
i=0
while [ $i -lt $n ]; do
	printf 'reply %d %d\nms 1 1\nend 0 \n' ${#i} $i
	i=$((i + 1))
done
"""


def test_rush_of_selections(tap, world):
    """200 people begin a session at the same time.  It is the database that is tested,
    so their servers answer at once.  On a busy machine it may not answer all of them in
    time; then servers are asked."""
    names = (farmlab.users(20) * 20)[:200]
    quick = pathlib.Path(world.site.path('quick'))
    quick.mkdir()
    (quick / 'x2gobroker-sessiondb').symlink_to(dblab.built('x2gobroker-sessiondb'))
    (quick / 'x2gobroker-poll').write_text(POLL)
    (quick / 'x2gobroker-poll').chmod(0o755)
    with world.site.configured(session_database_timeout=10, requests_per_user=0,
                               agent_timeout=60, request_timeout=60, helper_dir=quick):
        got = world.farm.select_many([('desk', name) for name in names], 200)
    log = world.site.log_text()
    bad = [one.raw for one in got if not one.server]
    tap.ok(not bad, 'rush: none of 200 selections is refused', bad[:1], log[-2000:])
    tap.note('rush: the database has not answered %d' % log.count('session database: '))


def test_pool(tap, world):
    world.session('ts03')
    with dblab.Pool(world.db) as pool:
        world.service(host='127.0.0.1', port=pool.port)
        got = world.farm.list()
        tap.equal((got.states, world.asked()), ({'desk': 'S'}, []),
                  'pgbouncer: a listing', got.raw, world.site.log_text())
        got = world.farm.select()
        tap.equal((got.server, len(got.sessions)), ('ts03', 1), 'pgbouncer: a selection',
                  got.raw, world.site.log_text())


TESTS = [test_listing, test_states, test_resume, test_new_session, test_pending,
         test_drained, test_weights, test_servers_down, test_forged, test_stale,
         test_alias, test_hostile_values, test_infinite_times,
         test_all_sessions, test_all_forged, test_end_all, test_many, test_down,
         test_down_listing,
         test_dead_host_first, test_files, test_no_service, test_environment,
         test_grants, test_state, test_doctor, test_rush, test_rush_of_selections,
         test_pool, test_tls]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**PACKAGES):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL')
        if not found:
            return
        world = World(stack, found, max_connections=100)
        for test in TESTS:
            world.reset()
            start = time.monotonic()
            with tap.case(test.__name__ + ': no step failed', world.site.log_text):
                test(tap, world)
            tap.note('%s: %.1f s' % (test.__name__, time.monotonic() - start))


if __name__ == '__main__':
    main()
