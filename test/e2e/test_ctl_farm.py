#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobrokerctl and a farm of X2Go servers: poll, drain, known-hosts, sessions,
suspend, terminate, as people see it at a terminal, and programs as JSON.

usage: test_ctl_farm.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL PATH-TO-AGENT
       (or X2GOBROKER=PATH, X2GOBROKERCTL=PATH, X2GOBROKER_AGENT=PATH)
"""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import threading
import time

import brokerlab
import farmlab
import lab
from farmlab import id_of, session
from test_events import EVENT

SERVERS = 4
LOAD = 640000           # the load factor of farmlab.load()
FINGERPRINT = re.compile(r'SHA256:[A-Za-z0-9+/]{43}')


class Ctl:
    """x2gobrokerctl with the configuration of the farm's site, run by root."""

    def __init__(self, program, farm, agent):
        self.program, self.farm, self.agent = program, farm, agent

    def command(self, words):
        return [self.program, '-C', self.farm.site.path('x2gobroker.conf'), *words]

    def run(self, *words, account=None, input=None, env=()):
        """As root, or as an account."""
        ids = {'user': account.uid, 'group': account.gid, 'extra_groups': []} \
            if account else {}
        stdin = {'input': input} if input is not None else \
            {'stdin': subprocess.DEVNULL}
        return subprocess.run(
            self.command(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=60, cwd='/', env={'PATH': '/usr/bin:/bin', **dict(env)},
            **stdin, **ids)

    def rows(self, *words):
        """(status, rows of words): what a table says, its heading first."""
        done = self.run(*words)
        return done.returncode, [line.split() for line in done.stdout.splitlines()]

    def json(self, *words):
        """(status, value)"""
        done = self.run(*words, '--json')
        return done.returncode, json.loads(done.stdout)

    def terminal(self, *words, answers=(), thinks=0, columns=80, env=()):
        """(status, text) of a run at a terminal, where a person waits for a text,
        thinks for some seconds, and types an answer: answers are pairs of them."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('4H', 24, columns, 0, 0))
        process = subprocess.Popen(
            self.command(words), stdin=slave, stdout=slave, stderr=slave, cwd='/',
            env={'PATH': '/usr/bin:/bin', 'TERM': 'xterm', **dict(env)})
        os.close(slave)
        text, seen, end = '', 0, time.monotonic() + 60
        answers = answers if isinstance(answers, list) else list(answers)
        while True:
            if not select.select([master], [], [], end - time.monotonic())[0]:
                process.kill()
                raise TimeoutError('the terminal shows: %r' % text)
            try:
                text += os.read(master, 65536).decode(errors='replace')
            except OSError:                     # all other ends are closed
                break
            if answers and answers[0][0] in text[seen:]:
                seen = len(text)
                time.sleep(thinks)
                os.write(master, answers.pop(0)[1].encode())
        os.close(master)
        return process.wait(10), text.replace('\r\n', '\n')


def named(value, name):
    """The one of a list of objects that has the name."""
    return [one for one in value if one['name'] == name][0]


# poll

def test_all_servers(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:3]),
                  farm.profile('other', farm.servers[1:]))
    for i, server in enumerate(farm.servers):
        server.play(count=i)
        server.calls()
    done = ctl.run('poll')
    lines = done.stdout.splitlines()
    tap.equal(lines[0].split(), ['SERVER', 'MS', 'LOAD', 'SESSIONS', 'STATE'],
              'poll: the heading')
    tap.equal([re.sub(r' +\d+  640000 +', ' ', line) for line in lines[1:]],
              ['ts%02d:%d %d  ok' % (i + 1, server.port, i)
               for i, server in enumerate(farm.servers)], 'poll: the rows', done.stdout)
    tap.equal((done.returncode, done.stderr), (0, ''), 'poll: nothing to complain about')
    tap.equal([server.tasks() for server in farm.servers], [['status']] * 4,
              'poll: each server is asked once, though in two profiles')
    # Numbers are aligned to the right, texts to the left.
    ends = {line.index('640000') for line in lines[1:]}
    tap.equal(len(ends), 1, 'poll: columns are aligned')

    status, value = ctl.json('poll')
    first = value['servers'][0]
    tap.ok(0 <= first.pop('milliseconds') < 10000, 'poll --json: the time')
    tap.equal((status, list(value), first), (0, ['servers'], {
        'name': 'ts01', 'address': farm.servers[0].address,
        'port': farm.servers[0].port, 'answered': True, 'error': None,
        'warning': None, 'load': LOAD, 'sessions': 0, 'drained': False}),
              'poll --json: a server')
    tap.equal([(one['name'], one['sessions']) for one in value['servers']],
              [('ts%02d' % (i + 1), i) for i in range(4)], 'poll --json: all of them')


def test_failures(tap, farm, ctl):
    """A server that is down, one that lets nobody in, one that talks nonsense."""
    a, b, c, _ = farm.servers
    farm.profiles(farm.profile('desk'))
    b.play(answer='no such thing\n')
    c.allow(lab.keypair(c.dir, name='strange%d' % time.monotonic_ns()) + '.pub')
    with a.down():
        done = ctl.run('poll')
        status, value = ctl.json('poll')
    c.allow()
    rows = {line.split(':')[0]: line for line in done.stdout.splitlines()}
    for name, why in (('ts01', 'Connection refused'), ('ts02', ''),
                      ('ts03', 'authorized_keys')):
        tap.ok(re.search(r' +- +- +- +\S', rows[name]) and why in rows[name],
               'poll: why %s does not answer' % name, rows[name])
        one = named(value['servers'], name)
        tap.ok(not one['answered'] and why in one['error'] and one['load'] is
               one['sessions'] is one['milliseconds'] is None,
               'poll --json: why %s does not answer' % name, one)
    tap.ok(rows['ts04'].endswith('  ok'), 'poll: the others', done.stdout)
    tap.equal((done.returncode, done.stderr, status), (1, '', 1),
              'poll: status 1 where one has not answered')


def test_no_load(tap, farm, ctl):
    """Debian's agent does not count, and one may not know its load."""
    farm.profiles(farm.profile('desk', farm.servers[:2]))
    farm.servers[0].play(kind='old')
    farm.servers[1].play(load='', count=None)
    status, value = ctl.json('poll', 'desk')
    a, b = value['servers']
    tap.equal((status, a['load'], a['sessions'], a['chosen']), (0, LOAD, None, True),
              "Debian's agent: no number of sessions")
    tap.equal((b['answered'], b['load'], b['usable'], b['score']),
              (True, None, False, None), 'without a load, it is not chosen')
    tap.ok('its load is not known' in ctl.run('poll', 'desk').stdout,
           'without a load: the table says so')


def test_profile(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:2]),
                  farm.profile('other', farm.servers[2:]))
    farm.servers[0].play(count=3)
    farm.servers[1].play(count=1)
    farm.servers[2].play(count=5)
    status, rows = ctl.rows('poll', 'desk')
    tap.equal((status, rows[0]), (0, ['SERVER', 'MS', 'LOAD', 'SESSIONS', 'PENDING',
                                      'SCORE', 'STATE']), 'poll PROFILE: the heading')
    tap.equal([row[3:] for row in rows[1:]],
              [['3', '0', '6.25e-06', 'ok'], ['1', '0', '3.13e-06', 'chosen']],
              'poll PROFILE: scores, and who is chosen')
    tap.equal(farm.select('desk').server, 'ts02', 'and the broker chooses the same')
    status, value = ctl.json('poll', 'desk')
    tap.equal([(one['profile'], one['pending'], one['score'], one['usable'],
                one['chosen']) for one in value['servers']],
              [('desk', 0, 4 / LOAD, True, False), ('desk', 1, 3 / LOAD, True, True)],
              'poll PROFILE --json: one is pending then')
    before = [ctl.json('poll', 'desk')[1]['servers'][1]['pending'] for _ in range(3)]
    tap.equal(before, [1, 1, 1], 'poll PROFILE changes nothing')
    done = ctl.run('poll', 'other', 'desk')
    blocks = [[line.split()[0] for line in block.splitlines()]
              for block in done.stdout.split('\n\n')]
    tap.equal(blocks, [['[other]', 'SERVER', *['ts0%d:%d' % (i, farm.servers[0].port)
                                               for i in (3, 4)]],
                       ['[desk]', 'SERVER', *['ts0%d:%d' % (i, farm.servers[0].port)
                                              for i in (1, 2)]]],
              'poll PROFILE PROFILE: a table for each')
    status, value = ctl.json('poll', 'other', 'desk')
    tap.equal([(one['profile'], one['name'], one['chosen'])
               for one in value['servers']],
              [('other', 'ts03', False), ('other', 'ts04', True),
               ('desk', 'ts01', False), ('desk', 'ts02', True)],
              'poll PROFILE PROFILE --json')


def test_none_left(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    ctl.run('drain', 'ts01')
    done = ctl.run('poll', 'desk')
    tap.equal((done.returncode, done.stderr), (
        1, 'x2gobrokerctl: [desk]: no server is left for a new session\n'),
              'poll PROFILE: none is left')
    tap.equal(done.stdout.split()[-1], 'drained', 'and its row says why')
    tap.equal(ctl.run('poll').returncode, 0, 'poll: that it is drained is no failure')


def test_user(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:2]))
    farm.servers[0].play(sessions=[session(farm.user, 'ts01'),
                                   session(farm.user, 'ts01', 'R'),
                                   session(farm.user, 'ts01', 'F')])
    status, rows = ctl.rows('poll', '--user', farm.user)
    tap.equal((rows[0][4], [row[4] for row in rows[1:]]), (farm.user, ['2', '0']),
              'poll --user: sessions of the user, but finished ones', rows)
    status, value = ctl.json('poll', '--user', farm.user)
    tap.equal([one['user_sessions'] for one in value['servers']], [2, 0],
              'poll --user --json')


def test_not_asked(tap, farm, ctl):
    rows = [    # keys of the profile, words of the complaint
        ({'broker_agent_query_mode': 'NONE'}, 'default-agent-query-mode = SSH'),
        ({'command': 'SHADOW'}, 'desktop sharing'),
        ({'sshport': 'x'}, 'withheld'),
    ]
    for keys, why in rows:
        farm.profiles(farm.profile('desk', farm.servers[:1], **keys))
        done = ctl.run('poll', 'desk')
        tap.ok(done.returncode == 1 and done.stdout == '' and why in done.stderr and
               '[desk]' in done.stderr, 'poll of a profile with %s' % keys, done)
    farm.profiles(farm.profile('desk', farm.servers[:1],
                               broker_agent_query_mode='NONE'))
    for words in (['poll'], ['sessions', farm.user], ['known-hosts', 'add', '--all']):
        done = ctl.run(*words)
        tap.ok(done.returncode == 1 and 'default-agent-query-mode = SSH' in done.stderr,
               '%s: no server is asked' % ' '.join(words), done)
    done = ctl.run('poll', 'Desk')
    tap.ok(done.returncode == 1 and 'no such profile: [Desk]' in done.stderr,
           'poll of no profile', done)


def test_local(tap, farm, ctl):
    """An agent here, for all servers."""
    directory = os.path.join(farm.dir, 'local')
    here = farmlab.Played(farm.agent_program, farm.broker, directory)
    here.play(sessions=[session(farm.user, 'ts01')])
    farm.profiles(farm.profile('desk', broker_agent_query_mode='LOCAL'))
    with farm.site.configured(agent_command=here.program):
        status, value = ctl.json('poll')
        done = ctl.run('poll')
        _, sessions = ctl.json('sessions', farm.user)
        here.play(sessions=[session(farm.user, 'ts01'), session('bin', 'ts02')],
                  all_sessions='')
        listed = [ctl.json('sessions', '--all', *words)[1]['sessions']
                  for words in ([], ['--server', 'ts02'], ['--server', 'ts03'])]
        ended = ctl.run('terminate', '--all', '--server', 'ts02', '-y')
        left = ctl.json('sessions', '--all')[1]['sessions']
    tap.equal([sorted(one['host'] for one in row) for row in listed],
              [['ts01', 'ts02'], ['ts02'], []], 'sessions --all: those of all servers')
    tap.equal((ended.returncode, [one['host'] for one in left]), (0, ['ts01']),
              'terminate --all: by the agent here', ended)
    one = value['servers'][0]
    tap.equal((status, len(value['servers']), one['name'], one['port']),
              (0, 1, '', None), 'poll --json: this host', one)
    tap.ok('\nthis host  ' in done.stdout, 'poll: this host', done)
    tap.equal([one['host'] for one in sessions['sessions']], ['ts01'],
              'sessions: those of all servers', sessions)


def test_real_agent(tap, farm, ctl):
    """One server with x2gobroker-agent itself, and X2Go's own tools."""
    a, b = farm.servers[:2]
    agent = os.path.join(farm.dir, 'x2gobroker-agent')
    shutil.copy(ctl.agent, agent)
    os.chown(agent, 0, farm.agent.gid)
    os.chmod(agent, 0o750)
    subprocess.run(['setcap', 'cap_setuid,cap_setgid=ep', agent], check=True)
    farm.profiles(farm.profile('desk', [a, b]))
    keys = pathlib.Path(a.path('keys/' + farm.agent.name))
    before = keys.read_text()
    keys.write_text(before.replace(a.agent.program, agent))
    done = ctl.run('poll', '--user', farm.user, '--json')
    sessions = ctl.run('sessions', farm.user, '--json')
    keys.write_text(before)
    one = named(json.loads(done.stdout)['servers'], 'ts01')
    tap.ok((done.returncode, one['answered'], one['error'], one['user_sessions']) ==
           (0, True, None, 0) and one['load'] > 0 and one['sessions'] >= 0,
           'poll: the real agent', done)
    tap.equal((sessions.returncode, json.loads(sessions.stdout)),
              (0, {'user': farm.user, 'sessions': [], 'failed': []}),
              'sessions: the real agent', sessions)


# drain

def test_drain(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:2]))
    farm.servers[1].play(count=9)
    drained = ('ts01: drained: no new sessions; running and suspended ones can be '
               'resumed\n', '')
    rows = [    # words, stdout and stderr
        (['drain'], ('', '')),
        (['drain', 'ts01'], drained),
        (['drain', 'ts01'], ('ts01: already drained\n', '')),
        (['drain', 'TS01.'], ('TS01.: already drained\n', '')),
        (['drain'], ('ts01\n', '')),
        (['drain', '--list'], ('ts01\n', '')),
        (['undrain', 'ts01', 'ts02'], ('ts01: gets new sessions again\n'
                                       'ts02: not drained\n', '')),
        (['drain', '--list'], ('', '')),
        (['drain', farm.servers[0].address],
         (drained[0].replace('ts01', farm.servers[0].address), '')),
        (['undrain', farm.servers[0].address],
         (farm.servers[0].address + ': gets new sessions again\n', '')),
        (['drain', 'ts77'], (drained[0].replace('ts01', 'ts77'),
                             'x2gobrokerctl: warning: no profile has the server '
                             'ts77\n')),
        (['undrain', 'ts77'], ('ts77: gets new sessions again\n', '')),
        (['undrain', 'ts77'], ('ts77: not drained\n', '')),
    ]
    for words, said in rows:
        done = ctl.run(*words)
        tap.equal((done.returncode, done.stdout, done.stderr), (0, *said),
                  ' '.join(words))
    ctl.run('drain', 'ts01')
    tap.equal(ctl.json('drain'), (0, {'drained': ['ts01'], 'blocked': []}),
              'drain --json')
    tap.equal({farm.select().server for _ in range(3)}, {'ts02'},
              'the broker gives it no new session')
    farm.servers[0].play(sessions=[session(farm.user, 'ts01')])
    chosen = farm.select()
    tap.equal((chosen.server, len(chosen.sessions)), ('ts01', 1),
              'the broker resumes the one that is there')
    status, value = ctl.json('poll', 'desk')
    a, b = value['servers']
    tap.equal((a['drained'], a['usable'], a['chosen'], b['drained'], b['chosen']),
              (True, False, False, False, True), 'poll --json: drained')
    ctl.run('undrain', 'ts01')
    farm.servers[0].play(sessions=[])
    tap.equal(farm.select().server, 'ts01', 'and it gets new ones again')


# maintenance

def login_check(farm, user=None):
    return farm.site.forced(brokerlab.LOGIN_CHECK, '--user', user or farm.user).stdout


def test_maintenance(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:2]),
                  farm.profile('other', farm.servers[2:]))
    text, stranger = 'Büro zu, "100%"; back <at> two', farmlab.users(1)[0]
    shown = text.encode() + b'\n'
    tap.equal(ctl.run('maintenance').stderr, 'x2gobrokerctl: no maintenance is set\n',
              'maintenance: nothing is set')
    tap.equal(ctl.json('maintenance'), (0, {'maintenance': []}), 'maintenance --json')
    done = ctl.run('maintenance', text)
    tap.equal((done.returncode, done.stdout, done.stderr), (
        0, 'maintenance: no new sessions; running and suspended ones can be resumed\n',
        ''), 'maintenance TEXT')
    tap.equal(ctl.json('maintenance'), (0, {'maintenance': [
        {'profile': None, 'server': None, 'until': None, 'resume': True,
         'text': text}]}), 'maintenance shows it as JSON')
    status, rows = ctl.rows('maintenance')
    tap.equal((status, rows), (0, [['PROFILE', 'SERVER', 'UNTIL', 'RESUME', 'TEXT'],
                                   ['all', '-', '-', 'yes', *text.split()]]),
              'and as a table')
    farm.site.log()
    tap.equal(login_check(farm), shown, 'the login check says it')
    log = farm.site.log_text()
    tap.ok(re.search(r'refused task=login user=%s .*reason="maintenance: B.*two"' %
                     farm.user, log), 'and a line of the log', log)
    tap.equal(farm.select().server, None, 'nobody gets a new session')
    log = farm.site.log_text()
    tap.ok('refused task=selectsession' in log and 'maintenance: ' in log,
           'and a line of the log', log)
    tap.equal(ctl.json('list', '--as', farm.user)[1]['profiles'][0]['maintenance'], text,
              'list --json has it')
    tap.ok('[desk]: no new sessions: ' in ctl.run('list', '--as', farm.user).stderr,
           'list says it')
    doctor = [one for one in ctl.json('doctor')[1]['findings']
              if one['check'] == 'maintenance']
    tap.ok(len(doctor) == 1 and doctor[0]['status'] == 'warn' and
           'maintenance --off' in doctor[0]['remedy'], 'doctor warns of it', doctor)

    farm.servers[0].play(sessions=[session(farm.user, 'ts01')])
    tap.equal(login_check(farm), b'LOGIN OK\n', 'who has a session is let in')
    tap.equal((farm.select().server, len(farm.select().sessions)), ('ts01', 1),
              'and resumes it')
    tap.equal(login_check(farm, stranger), shown, 'nobody else is')
    ctl.run('maintenance', text, '--no-resume')
    tap.equal((login_check(farm), farm.select().server), (shown, None),
              '--no-resume: nobody is')
    tap.equal(farm.list().states, {'desk': 'S', 'other': None},
              'clients that are in still get their list')
    tap.equal(ctl.run('maintenance', '--off').stdout, 'maintenance is over\n', '--off')
    tap.equal(ctl.run('maintenance', '--off').stdout, 'no maintenance was set\n',
              '--off again')
    tap.equal(login_check(farm, stranger), b'LOGIN OK\n', 'and all are let in')

    farm.servers[0].play(sessions=[])
    ctl.run('maintenance', 'no desk', '--profile', 'desk')
    ctl.run('maintenance', 'a new disk', '--server', 'ts03')
    tap.equal((login_check(farm), farm.select().server, farm.select('other').server),
              (b'LOGIN OK\n', None, 'ts04'), '--profile and --server')
    ctl.run('maintenance', '--off', '--profile', 'desk')
    tap.equal(ctl.rows('maintenance')[1][1:],
              [['-', 'ts03', '-', 'yes', 'a', 'new', 'disk']], '--off --profile')
    ctl.run('drain', 'ts04')
    tap.equal(farm.select('other').server, None, 'no server is left')
    tap.ok('ts03: a new disk; ts04: drained' in farm.site.log_text(),
           'and the log says why')


def test_maintenance_outlasts(tap, farm, ctl):
    """A restart of the host, after which state-dir is empty."""
    farm.profiles(farm.profile('desk'))
    lasting = farm.site.path('lasting')
    os.mkdir(lasting)
    os.chown(lasting, farm.broker.uid, farm.broker.gid)
    with farm.site.configured(maintenance_dir=lasting):
        ctl.run('maintenance', 'down until Monday')
        farm.site.fresh_state()
        tap.equal(login_check(farm), b'down until Monday\n',
                  'maintenance outlasts a restart of the host')


def test_maintenance_times(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    now = time.time()
    later = time.strftime('%Y-%m-%d %H:%M', time.localtime(now + 7200))
    ctl.run('maintenance', 'soon over', '--until', later)
    until = ctl.json('maintenance')[1]['maintenance'][0]['until']
    tap.ok(now + 7100 < until <= now + 7200, '--until', until)
    tap.ok(later in ctl.run('maintenance').stdout, 'the table shows it')
    tap.equal(farm.select().server, None, 'it is not over yet')
    # the clock of the file is set back instead of ours
    ctl.run('maintenance', '--off')
    farm.site.add_row('maintenance', 7, '%d\tresume\tall\t\tover' % (now - 1))
    tap.equal((farm.select().server, login_check(farm)), ('ts01', b'LOGIN OK\n'),
              'it ends by itself')
    yesterday = time.strftime('%Y-%m-%d %H:%M', time.localtime(now - 86400))
    rows = [    # words, status, words of the complaint
        (['x', '--until', yesterday], 2, 'has passed'),
        (['x', '--until', '00:00'], 2, 'has passed; for another day'),
        (['x', '--until', '2199-02-30 12:00'], 2, 'not a time'),
        (['x', '--until', '25:00'], 2, 'not a time'),
        (['x', '--until', '12:00x'], 2, 'not a time'),
        (['x', '--until', 'tomorrow'], 2, 'not a time'),
        (['x', '--until', ''], 2, 'not a time'),
        (['--until', later], 2, 'need a TEXT'),
        (['--no-resume'], 2, 'need a TEXT'),
        (['--profile', 'desk'], 2, 'need a TEXT or --off'),
        (['x', '--off'], 2, '--off takes no TEXT'),
        (['x', '--json'], 2, 'without TEXT'),
        (['--off', '--json'], 2, 'without TEXT'),
        (['x', '--profile', 'desk', '--server', 'ts01'], 2, 'not both'),
        (['x', 'y'], 2, 'does not take the argument'),
        ([''], 1, 'the text is empty'),
        (['x' * 201], 1, 'too long'),
        (['a\nb'], 1, 'line break'),
        (['\x1b[2J'], 1, 'control character'),
        (['LOGIN OK'], 1, 'must not contain'),
        (['x', '--server', 'a b'], 1, 'neither a host'),
        (['x', '--profile', ''], 1, 'is empty'),
    ]
    for words, status, text in rows:
        done = ctl.run('maintenance', *words)
        tap.ok((done.returncode, done.stdout) == (status, '') and text in done.stderr,
               'maintenance %r: %s' % (words, text), done)
    tap.equal(ctl.json('maintenance'), (0, {'maintenance': []}), 'nothing was set')
    for words, text in ((['--profile', 'dusk'], 'no such profile: dusk'),
                        (['--server', 'ts77'], 'no profile has the server ts77')):
        done = ctl.run('maintenance', 'x', *words)
        tap.ok(done.returncode == 0 and text in done.stderr, text, done)
    os.chmod(farm.site.path('state/maintenance'), 0o777)
    tap.equal((farm.select().server, login_check(farm)), ('ts01', b'LOGIN OK\n'),
              'a directory that others may write says nothing')
    tap.ok('maintenance is not known' in farm.site.log_text(), 'which is logged')
    tap.ok('may write it' in ctl.run('maintenance').stderr, 'maintenance says why')


def test_drain_refusals(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:2]))
    rows = [    # words, status, words of the complaint
        (['drain', 'a b'], 1, 'neither a host'),
        (['drain', 'ts01:22'], 1, 'neither a host'),
        (['drain', ''], 1, 'neither a host'),
        (['drain', 'ts01', '--json'], 2, 'without HOST'),
        (['drain', 'ts01', '--list'], 2, 'without HOST'),
        (['undrain'], 2, 'undrain needs HOST'),
    ]
    for words, status, why in rows:
        done = ctl.run(*words)
        tap.ok((done.returncode, done.stdout) == (status, '') and why in done.stderr,
               'refused: %s' % words, done)
    done = ctl.run('drain', 'a b', 'ts02')
    tap.ok(done.returncode == 1 and ctl.run('drain').stdout == 'ts02\n',
           'the others of the same command are drained', done)
    done = ctl.run('drain', 'ts01', account=farm.account)
    tap.ok(done.returncode == 1 and 'Permission denied' in done.stderr and
           ctl.run('drain').stdout == 'ts02\n', 'somebody else cannot', done)


def test_drain_in_home(tap, farm, ctl):
    """/var/lib/x2gobroker is the broker account's home, where root does not write."""
    farm.profiles(farm.profile('desk', farm.servers[:2]))
    path = pathlib.Path(farm.broker.home, 'drained')
    os.chmod(farm.broker.home, 0o755)
    with farm.site.configured(drain_file=str(path)):
        said = [ctl.run(*words) for words in (['drain', 'ts01', 'ts02'], ['drain'],
                                              ['undrain', 'ts02'])]
        tap.equal([(done.returncode, done.stdout.count('\n'), done.stderr)
                   for done in said], [(0, 2, '')] * 2 + [(0, 1, '')],
                  'the list in the home of the broker account', *said)
        tap.equal((path.read_text(), path.stat().st_uid), ('ts01\n', farm.broker.uid),
                  'the list is its own, then')
        tap.equal(farm.select().server, 'ts02', 'and the broker reads it')


# known-hosts

ASKED = 'Is that the right key? [yes/no] '


def fingerprint(server):
    """What ssh-keygen prints over there; its first key, of several."""
    done = subprocess.run(['ssh-keygen', '-l', '-f', server.hostkey + '.pub'],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[1]


def test_unknown_key(tap, farm, ctl):
    a = farm.servers[0]
    label = 'ts01:%d' % a.port
    farm.profiles(farm.profile('desk', [a]))
    farm.know('')
    done = ctl.run('poll')
    tap.ok(done.returncode == 1 and fingerprint(a) in done.stdout and
           'x2gobrokerctl known-hosts add ts01' in done.stdout,
           'an unknown key: what to do', done)
    done = ctl.run('known-hosts', 'add', 'ts01')
    tap.ok(done.returncode == 1 and
           done.stdout == '%s: %s\n' % (label, fingerprint(a)) and
           '--yes' in done.stderr and farm.known() == '',
           'nobody there to be asked: not added', done)
    done = ctl.run('known-hosts', 'add', 'ts01', input='yes\n')
    tap.ok(done.returncode == 1 and farm.known() == '', 'a pipe is nobody', done)
    for answers in ['no\n'], ['y\n', 'yes please, do it\n', 'NO\n'], ['\x04']:
        asked = [(ASKED, answers[0])] + [('Please type yes or no: ', one)
                                         for one in answers[1:]]
        status, text = ctl.terminal('known-hosts', 'add', 'ts01', answers=asked)
        tap.ok(status == 1 and fingerprint(a) in text and
               label + ': not added' in text and farm.known() == '',
               'the answer %s: not added' % answers, text)
    status, text = ctl.terminal('known-hosts', 'add', 'ts01',
                                answers=[(ASKED, 'yes\n')])
    path = os.path.join(farm.broker.home, '.ssh/known_hosts')
    tap.ok(status == 0 and '%s: added to %s\n' % (label, path) in text,
           'the answer yes: added', text)
    tap.equal(farm.known(), a.known_as('ts01'), 'known_hosts has it')
    tap.equal(os.stat(path).st_uid, farm.broker.uid,
              'known_hosts is the broker account\'s')
    tap.equal(ctl.run('poll').returncode, 0, 'and then it is asked')
    done = ctl.run('known-hosts', 'add', 'ts01')
    tap.equal((done.returncode, done.stdout, done.stderr),
              (0, '%s: %s, already known\n' % (label, fingerprint(a)), ''),
              'already known')


def test_new_file(tap, farm, ctl):
    """There is no ~/.ssh/known_hosts yet."""
    a = farm.servers[0]
    farm.profiles(farm.profile('desk', [a]))
    os.unlink(farm.know(''))
    os.umask(0o077)
    done = ctl.run('known-hosts', 'add', '--yes', 'ts01')
    os.umask(0o022)
    tap.equal((done.returncode, farm.known()), (0, a.known_as('ts01')),
              'known_hosts is made', done)
    tap.equal(farm.select().server, 'ts01', 'and the broker can read it')


def test_names(tap, farm, ctl):
    """The ways to say which server is meant."""
    a, b, c, d = farm.servers
    farm.profiles(farm.profile('desk', [a, b]),
                  farm.profile('late', [c], host=c.host(),
                               broker_agent_hostkey_policy='AutoAddPolicy'))
    line = a.known_as('ts01')
    rows = [    # words, the lines that are added
        (['ts01'], [line]), (['TS01'], [line]), ([a.address], [line]),
        (['ts01:%d' % a.port], [line]), ([a.host()], [line]),
        (['ts01', 'ts01'], [line]), (['ts02', 'ts01'], [b.known_as('ts02'), line]),
        (['--all'], [line, b.known_as('ts02'), c.known_as('ts03')]),
        ([d.host()], [d.known_as('ts04')]),
        (['%s:%d' % (d.address, d.port)], [d.known_as(d.address)]),
    ]
    for words, lines in rows:
        farm.know('')
        done = ctl.run('known-hosts', 'add', '--yes', *words)
        tap.ok(done.returncode == 0 and farm.known() == ''.join(lines),
               'known-hosts add %s' % words, done, farm.known())
        tap.equal('no profile whose servers' in done.stderr, lines[0].split()[1:] ==
                  d.known_as('x').split()[1:],
                  'known-hosts add %s: a warning, or none' % words)
    farm.know('')
    status, text = ctl.terminal('known-hosts', 'add', '--all',
                                answers=[(ASKED, 'yes\n'), (ASKED, 'no\n'),
                                         (ASKED, 'no\n')])
    tap.ok(status == 1 and farm.known() == line,
           'AutoAddPolicy does not add what a person has not seen', text, farm.known())


def test_known_hosts_refusals(tap, farm, ctl):
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b]))
    rows = [    # words, status, words of the complaint
        ([], 2, 'known-hosts needs add'), (['add'], 2, '--all'), (['list'], 2, 'add --all'),
        (['add', '--all', 'ts01'], 2, '--all'), (['remove', 'ts01'], 2, 'add HOST'),
        (['add', 'a b'], 1, 'neither'), (['add', '127.0.0.1:99999'], 1, 'port'),
        (['add', 'ts01,ts02:x'], 1, ''),
    ]
    for words, status, why in rows:
        done = ctl.run('known-hosts', *words)
        tap.ok((done.returncode, done.stdout) == (status, '') and why in done.stderr,
               'refused: known-hosts %s' % words, done)
    farm.know('')
    with a.down():
        done = ctl.run('known-hosts', 'add', '--yes', '--all')
    tap.ok(done.returncode == 1 and 'ts01:%d: ' % a.port in done.stderr and
           'refused' in done.stderr and farm.known() == b.known_as('ts02'),
           'one that is down; the other one is added', done)


def test_changed_key(tap, farm, ctl):
    a = farm.servers[0]
    farm.profiles(farm.profile('desk', [a]))
    old = lab.keypair(a.dir, name='old%d' % time.monotonic_ns())
    for name in 'ts01', a.address:
        known = a.known_as(name, old)
        farm.know(known)
        done = ctl.run('known-hosts', 'add', '--yes', 'ts01')
        command = re.search(r"ssh-keygen -f \S+ -R '\S+'", done.stderr)
        tap.ok(done.returncode == 1 and done.stdout == '' and command and
               'THE HOST KEY OF ts01:%d HAS CHANGED' % a.port in done.stderr and
               fingerprint(a) in done.stderr and farm.known() == known,
               'a changed key is refused, also with --yes: known as %s' % name, done)
        tap.ok('is not the one in' in ctl.run('poll').stdout, 'poll says so, too')
        # What the message says, done as it says.
        subprocess.run(command[0], shell=True, check=True, user=farm.broker.uid,
                       group=farm.broker.gid, extra_groups=[],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        tap.equal(ctl.run('known-hosts', 'add', '--yes', 'ts01').returncode, 0,
                  'the command takes the old one out')
        tap.equal(ctl.run('poll').returncode, 0, 'and the server is asked')


# Sessions

def test_sessions(tap, farm, ctl):
    a, b, c = farm.servers[:3]
    farm.profiles(farm.profile('desk', [a, b]), farm.profile('other', [c]))
    first = session(farm.user, 'ts01', 'R')
    second = session(farm.user, 'ts02', last='2026-11-22T10:00:00')
    third = session(farm.user, 'ts03', client='2001:db8::7')
    a.play(sessions=[first])
    b.play(sessions=[second])
    c.play(sessions=[third])
    done = ctl.run('sessions', farm.user)
    tap.equal([re.split('  +', line) for line in done.stdout.splitlines()], [
        ['ID', 'STATE', 'HOST', 'SINCE', 'LAST', 'CLIENT'],
        [id_of(third), 'suspended', 'ts03', '2026-11-23 08:00', '2026-11-23 20:49',
         '2001:db8::7'],
        [id_of(second), 'suspended', 'ts02', '2026-11-23 08:00', '2026-11-22 10:00',
         '192.0.2.7'],
        [id_of(first), 'running', 'ts01', '2026-11-23 08:00', '2026-11-23 20:49',
         '192.0.2.7']], 'sessions: the table')
    tap.equal((done.returncode, done.stderr), (0, ''), 'sessions: all is well')
    status, value = ctl.json('sessions', farm.user, 'other')
    tap.equal((status, value), (0, {'user': farm.user, 'sessions': [
        {'id': id_of(third), 'state': 'suspended', 'host': 'ts03', 'server': 'ts03',
         'since': '2026-11-23T08:00:00', 'last': '2026-11-23T20:49:25',
         'client': '2001:db8::7'}], 'failed': []}), 'sessions PROFILE --json')
    done = ctl.run('sessions', 'root')
    tap.ok(done.returncode == 0 and 'root has no session' in done.stderr,
           'sessions: none', done)
    with b.down():
        done = ctl.run('sessions', farm.user)
        status, value = ctl.json('sessions', farm.user)
    tap.ok(done.returncode == 1 and id_of(first) in done.stdout and
           'ts02:%d: cannot connect' % b.port in done.stderr,
           'sessions: a server is down', done)
    tap.equal((status, [one['name'] for one in value['failed']],
               len(value['sessions'])), (1, ['ts02'], 2),
              'sessions --json: a server is down')
    tap.equal(ctl.run('sessions').returncode, 2, 'sessions of whom?')
    done = ctl.run('sessions', farm.user, 'desks')
    tap.ok(done.returncode == 1 and 'no such profile: [desks]' in done.stderr,
           'sessions of which profile?', done)


def states(farm, ctl):
    return {one['id']: one['state']
            for one in ctl.json('sessions', farm.user)[1]['sessions']}


def test_suspend(tap, farm, ctl):
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b]))
    one, two = session(farm.user, 'ts01', 'R'), session(farm.user, 'ts02', 'R')
    a.play(sessions=[one])
    b.play(sessions=[two], kind='old')
    for line in one, two:
        done = ctl.run('suspend', farm.user, id_of(line))
        tap.equal((done.returncode, done.stdout, done.stderr),
                  (0, id_of(line) + ': suspended\n', ''), 'suspend')
    tap.equal(set(states(farm, ctl).values()), {'suspended'}, 'they are')
    done = ctl.run('suspend', farm.user, id_of(one))
    tap.equal((done.returncode, done.stdout),
              (0, id_of(one) + ': already suspended\n'), 'suspend again')
    rows = [    # user, id, words of the complaint
        (farm.user, 'x2gotest-50-1700000000_stDXFCE_dp24', 'has no session'),
        (farm.user, "'; id; '", 'has no session'), ('root', id_of(one), ''),
        ("root'x", id_of(one), ''),
    ]
    for user, id, why in rows:
        done = ctl.run('suspend', user, id)
        tap.ok((done.returncode, done.stdout) == (1, '') and why in done.stderr,
               'suspend %s %s' % (user, id), done)


def test_terminate(tap, farm, ctl):
    a = farm.servers[0]
    farm.profiles(farm.profile('desk', [a]))
    one, two = session(farm.user, 'ts01', 'R'), session(farm.user, 'ts01')
    a.play(sessions=[one, two])
    done = ctl.run('terminate', farm.user, id_of(one), input='yes\n')
    tap.ok(done.returncode == 1 and '--yes' in done.stderr and
           len(states(farm, ctl)) == 2, 'terminate: nobody is asked, nothing is done',
           done)
    asked = 'Terminate it?  Unsaved work in it is lost. [yes/no] '
    status, text = ctl.terminal('terminate', farm.user, id_of(one),
                                answers=[(asked, 'no\n')])
    tap.ok(status == 1 and 'nothing was done' in text and len(states(farm, ctl)) == 2,
           'terminate: no', text)
    tap.ok('%s, of %s on ts01 since' % (id_of(one), farm.user) in text,
           'terminate: what the question is about', text)
    status, text = ctl.terminal('terminate', farm.user, id_of(one),
                                answers=[(asked, 'yes\n')])
    tap.ok(status == 0 and id_of(one) + ': terminated\n' in text,
           'terminate: yes', text)
    tap.equal(states(farm, ctl), {id_of(two): 'suspended'}, 'it is gone')
    done = ctl.run('terminate', '--yes', farm.user, id_of(two))
    tap.equal((done.returncode, done.stdout, states(farm, ctl)),
              (0, id_of(two) + ': terminated\n', {}), 'terminate --yes')


# All sessions

def play_all(farm):
    """Sessions of three users on three servers; returns their lines."""
    a, b, c = farm.servers[:3]
    farm.profiles(farm.profile('desk', [a, b]), farm.profile('other', [c]))
    lines = [session(farm.user, 'ts01', 'R'),
             session('daemon', 'ts01', last='2026-11-22T10:00:00'),
             session('daemon', 'ts02', 'R', last='2026-11-21T10:00:00'),
             session('bin', 'ts03', last='2026-11-20T10:00:00')]
    a.play(sessions=lines[:2] + [session('bin', 'ts01', 'F')], all_sessions='')
    b.play(sessions=lines[2:3], all_sessions='')
    c.play(sessions=lines[3:], all_sessions='')
    return lines


def test_all_sessions(tap, farm, ctl):
    one, two, three, four = play_all(farm)
    done = ctl.run('sessions', '--all')
    tap.equal([re.split('  +', line) for line in done.stdout.splitlines()][:2], [
        ['USER', 'ID', 'STATE', 'HOST', 'SINCE', 'LAST', 'CLIENT'],
        ['daemon', id_of(two), 'suspended', 'ts01', '2026-11-23 08:00',
         '2026-11-22 10:00', '192.0.2.7']], 'sessions --all: the table', done)
    tap.equal((done.returncode, done.stderr, done.stdout.count('\n')), (0, '', 5),
              'sessions --all: all is well')
    rows = [    # options, sessions that are left
        ([], [two, four, one, three]), (['--server', 'ts01'], [two, one]),
        (['--server', farm.servers[1].address], [three]),
        (['--profile', 'other'], [four]), (['--user', 'daemon'], [two, three]),
        (['--state', 'running'], [one, three]), (['--state', 'S'], [two, four]),
        (['--older-than', '2026-11-22 00:00'], [four, three]),
        (['--older-than', '2026-11-22 00:00', '--state', 'R'], [three]),
        (['--user', 'daemon', '--profile', 'desk', '--server', 'ts02'], [three]),
        (['--user', 'nobody'], []), (['--profile', 'desk', '--user', 'bin'], []),
    ]
    for options, lines in rows:
        status, value = ctl.json('sessions', '--all', *options)
        tap.equal((status, [one['id'] for one in value['sessions']], value['failed']),
                  (0, [id_of(line) for line in lines], []),
                  'sessions --all %s' % ' '.join(options))
    status, value = ctl.json('sessions', '--all', '--server', 'ts03')
    tap.equal(value, {'user': None, 'sessions': [
        {'user': 'bin', 'id': id_of(four), 'state': 'suspended', 'host': 'ts03',
         'server': 'ts03', 'since': '2026-11-23T08:00:00', 'last': '2026-11-20T10:00:00',
         'client': '192.0.2.7'}], 'failed': []}, 'sessions --all --json')
    for server in farm.servers:
        server.calls()
    ctl.run('sessions', '--all', '--server', 'ts02')
    tap.equal([server.tasks() for server in farm.servers[:3]],
              [[], ['listallsessions'], []], 'sessions --all --server asks no other')
    ctl.run('block', 'ts01')
    ctl.run('maintenance', 'x', '--server', 'ts02', '--no-resume')
    tap.equal(len(ctl.json('sessions', '--all')[1]['sessions']), 4,
              'sessions --all: also of servers that are closed')
    rows = [    # words, status, words of the complaint
        (['sessions'], 2, 'needs USER or --all'),
        (['sessions', '--all', 'root'], 2, 'not both'),
        (['sessions', 'root', '--state', 'S'], 2, 'only with --all'),
        (['suspend', 'root', 'x', '--dry-run'], 2, 'only with --all'),
        (['terminate'], 2, 'needs USER or --all'),
        (['sessions', '--all', '--state', 'F'], 2, 'not one of'),
        (['terminate', '--all', '--older-than', 'x'], 2, 'not a time'),
        (['sessions', '--all', '--server', 'ts77'], 1, 'ts77 is no server of a profile'),
        (['sessions', '--all', '--server', 'ts01', '--profile', 'other'], 1,
         'ts01 is no server of profile other'),
        (['sessions', '--all', '--profile', 'x'], 1, 'no such profile: [x]'),
    ]
    for words, status, why in rows:
        done = ctl.run(*words)
        tap.ok((done.returncode, done.stdout) == (status, '') and why in done.stderr,
               '%s: %s' % (' '.join(words), why), done)


def test_all_sessions_not_allowed(tap, farm, ctl):
    """Without the operator's leave, nobody else's sessions are listed."""
    one, two, three, _ = play_all(farm)
    a, b, c = farm.servers[:3]
    a.play(all_sessions=None)
    b.play(kind='old')
    with c.down():
        done = ctl.run('sessions', '--all')
        status, value = ctl.json('sessions', '--all')
    tap.ok(done.returncode == 1 and 'no session matches' in done.stderr and
           'ts01:%d: ' % a.port in done.stderr and 'add --all-sessions' in done.stderr and
           'ts02:%d: its agent cannot list' % b.port in done.stderr and
           'ts03:%d: cannot connect' % c.port in done.stderr,
           'sessions --all: each server that lists nothing is told', done)
    tap.equal((status, value['sessions'], [one['name'] for one in value['failed']]),
              (1, [], ['ts01', 'ts02', 'ts03']), 'sessions --all --json: the same')
    status, value = ctl.json('sessions', '--all', '--user', 'daemon')
    tap.equal((status, [one['id'] for one in value['sessions']]),
              (0, [id_of(two), id_of(three)]), 'sessions --all --user needs no leave')
    # a server that claims those of another one
    a.play(all_sessions='', sessions=[one, session('bin', 'ts02'),
                                      session('bin', 'elsewhere')])
    b.play(kind='new')
    done = ctl.run('sessions', '--all')
    tap.ok(done.stdout.count('\nbin') == 1 and 'elsewhere' in done.stderr and
           'warning: ts01' in done.stderr, 'sessions --all: a server lists its own', done)


def all_ids(ctl):
    return [one['id'] for one in ctl.json('sessions', '--all')[1]['sessions']]


def test_end_all(tap, farm, ctl):
    one, two, three, four = play_all(farm)
    ids = [id_of(line) for line in (two, four, one, three)]
    done = ctl.run('terminate', '--all', input='yes\n')
    tap.ok((done.returncode, done.stdout) == (1, '') and '--yes' in done.stderr,
           'terminate --all: nobody is asked, nothing is done', done)
    done = ctl.run('terminate', '--all', '-n', '--user', 'daemon')
    tap.ok(done.returncode == 0 and id_of(two) in done.stdout and id_of(one) not in
           done.stdout and '\n2 sessions would be terminated\n' in done.stdout,
           'terminate --all --dry-run', done)
    asked = 'Suspend 2 sessions? [yes/no] '
    status, text = ctl.terminal('suspend', '--all', answers=[(asked, 'no\n')])
    tap.ok(status == 1 and 'nothing was done' in text and id_of(one) in text and
           id_of(two) not in text, 'suspend --all: no', text)
    tap.equal(all_ids(ctl), ids, 'all are as they were')
    status, text = ctl.terminal('suspend', '--all', '--server', 'ts01',
                                answers=[('Suspend 1 session? [yes/no] ', 'yes\n')])
    tap.ok(status == 0 and id_of(one) + ': suspended\n' in text and
           '1 of 1 sessions suspended' in text, 'suspend --all: yes', text)
    tap.equal({one['id']: one['state'] for one in ctl.json('sessions', '--all')[1]
               ['sessions']}[id_of(one)], 'suspended', 'it is')
    done = ctl.run('terminate', '--all', '--state', 'suspended', '--older-than',
                   '2026-11-23 00:00', '-y')
    tap.ok(done.returncode == 0 and sorted(done.stdout.splitlines()) == sorted(
        ['2 of 2 sessions terminated', id_of(two) + ': terminated',
         id_of(four) + ': terminated']), 'terminate --all of two servers', done)
    tap.equal(sorted(all_ids(ctl)), sorted([id_of(one), id_of(three)]),
              'the others are there')
    done = ctl.run('terminate', '--all', '-y', '--user', 'bin')
    tap.ok(done.returncode == 0 and 'no session matches' in done.stderr,
           'terminate --all: none matches', done)


def test_end_all_failures(tap, farm, ctl):
    one, two, three, four = play_all(farm)
    a, b, c = farm.servers[:3]
    a.play(exit_terminatesession=1, stderr_terminatesession='no such session\n',
           answer_terminatesession='')
    with c.down():
        done = ctl.run('terminate', '--all', '--yes')
    tap.ok(done.returncode == 1 and id_of(three) + ': terminated\n' in done.stdout and
           '1 of 3 sessions terminated' in done.stdout and
           '%s: on ts01: ' % id_of(one) in done.stderr and 'no such session' in done.stderr
           and 'ts03:%d: cannot connect' % c.port in done.stderr,
           'terminate --all: a result for each, and who has not answered', done)
    a.play(exit_terminatesession=None, stderr_terminatesession=None,
           answer_terminatesession=None)
    many = [session(farm.user, 'ts01', 'R') for _ in range(12)]
    a.play(sessions=many)
    b.play(sessions=[])
    status, text = ctl.terminal('terminate', '--all', '-y', '--server', 'ts01', columns=200)
    tap.ok(status == 0 and '12 of 12 sessions terminated' in text and
           '\rterminating 11/12 ...' in text and all_ids(ctl) == [id_of(four)],
           'terminate --all: twelve on one server, with progress', text)


def test_end_all_clients(tap, farm, ctl):
    """The clients are told, too, and one does what its server does not."""
    a, b = farm.servers[:2]
    farm.profiles(farm.profile('desk', [a, b]))
    lines = session(farm.user, 'ts01', 'R'), session(farm.user, 'ts02', 'R')
    for server, line in zip((a, b), lines):
        server.play(sessions=[line], all_sessions='')
    a.play(exit_terminatesession=1, stderr_terminatesession='it hangs\n',
           answer_terminatesession='')
    one, two = map(id_of, lines)
    said = []

    def tell(event, id=one):
        return farm.site.forced(EVENT % (id, event), '--user', farm.user).stdout

    def obey():
        lab.wait_for(lambda: len(list(pathlib.Path(farm.site.path(
            'state/connected')).glob('*.order'))) == 2, 20, 'both orders')
        said.append(tell('ALIVE'))
        tell('TERMINATING')
        tell('FINISHED')
    with farm.site.configured(client_events='true'):
        tell('CONNECTED')
        tell('CONNECTED', two)
        client = threading.Thread(target=obey)
        client.start()
        done = ctl.run('terminate', '--all', '-y')
        client.join()
    tap.ok(b'TERMINATE ' + one.encode() in said[0], 'terminate --all: a client is told',
           said)
    tap.ok(done.returncode == 0 and 'it hangs' in done.stderr and
           one + ': terminated by its client\n' in done.stdout and
           two + ': terminated\n' in done.stdout and
           '2 of 2 sessions terminated' in done.stdout,
           'terminate --all: and does it in place of the server', done)


def test_end_all_changed_meanwhile(tap, farm, ctl):
    """Who resumes a session while the question is open keeps it."""
    _, two, _, four = play_all(farm)
    asked = 'Terminate 2 sessions?  Unsaved work is lost. [yes/no] '
    resumed = two.replace('|S|', '|R|')

    class Answers(list):
        def pop(self, i=0):
            farm.servers[0].play(sessions=[resumed])
            return super().pop(i)
    status, text = ctl.terminal('terminate', '--all', '--state', 'S',
                                answers=Answers([(asked, 'yes\n')]))
    tap.ok(status == 0 and '1 of 1 sessions terminated' in text and
           id_of(two) in all_ids(ctl) and id_of(four) not in all_ids(ctl),
           'terminate --all: one was resumed meanwhile', text)


def test_slow_answer(tap, farm, ctl):
    """A person may take longer than a request may."""
    a = farm.servers[0]
    farm.profiles(farm.profile('desk', [a]))
    one = session(farm.user, 'ts01', 'R')
    a.play(sessions=[one])
    with farm.site.configured(request_timeout=2, agent_timeout=2):
        status, text = ctl.terminal('terminate', farm.user, id_of(one), thinks=3,
                                    answers=[('[yes/no] ', 'yes\n')])
    tap.equal((status, states(farm, ctl)), (0, {}), 'yes, after request-timeout', text)


# Who runs it

def status_of(pid):
    text = pathlib.Path('/proc/%d/status' % pid).read_text()
    return dict(line.split(':', 1) for line in text.splitlines())


def test_account(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    subprocess.run(['usermod', '-a', '-G', 'games', farm.broker.name], check=True)
    farm.servers[0].play(delay=3000, sessions=[session(farm.user, 'ts01')])
    for words in (['poll'], ['sessions', farm.user]):
        process = subprocess.Popen(ctl.command(words), stdout=subprocess.DEVNULL)
        lab.wait_for(farm.servers[0].calls, 10, 'the agent to be asked')
        seen = status_of(process.pid)
        process.wait(20)
        tap.equal((seen['Uid'].split(), seen['Gid'].split()),
                  ([str(farm.broker.uid)] * 4, [str(farm.broker.gid)] * 4),
                  '%s by root: all ids are the broker account\'s' % words[0])
        tap.equal((sorted(seen['Groups'].split()), int(seen['CapEff'], 16),
                   int(seen['CapPrm'], 16)),
                  (sorted(['60', str(farm.broker.gid)]), 0, 0),
                  '%s by root: its groups, and no capability' % words[0])
    farm.servers[0].play(delay=None)
    done = ctl.run('poll', account=farm.broker)
    tap.equal(done.returncode, 0, 'the broker account needs no root', done)
    os.chmod(farm.broker.home, 0o755)
    done = ctl.run('poll', account=farm.account)
    tap.ok(done.returncode == 1 and '/.ssh: no usable service key' in done.stdout,
           'another account: that it cannot read the keys', done)


def test_no_account(tap, farm, ctl):
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    name = 'x2gotest-nobody'
    farm.site.write('x2gobroker.conf', farm.site.conf().replace(
        'broker-account = ' + farm.broker.name, 'broker-account = ' + name))
    for words in (['poll'], ['sessions', farm.user], ['known-hosts', 'add', 'ts01'],
                  ['suspend', farm.user, 'x'], ['terminate', farm.user, 'x', '--yes']):
        done = ctl.run(*words)
        tap.ok((done.returncode, done.stdout) == (1, '') and
               'broker-account %s' % name in done.stderr and
               'useradd --system' in done.stderr, words[0] + ': there is no broker '
               'account', done)
    tap.equal(ctl.run('drain', 'ts01').returncode, 0, 'drain does without it')
    farm.site.configure()


# At a terminal

def test_terminal(tap, farm, ctl):
    farm.profiles(farm.profile('desk'))
    with farm.servers[3].down():
        status, wide = ctl.terminal('poll', 'desk', columns=300)
        _, narrow = ctl.terminal('poll', 'desk', columns=70)
        _, told = ctl.terminal('poll', 'desk', columns=300, env={'COLUMNS': '70'})
        _, plain = ctl.terminal('poll', 'desk', env={'NO_COLOR': '1'})
        _, dumb = ctl.terminal('poll', 'desk', env={'TERM': 'dumb'})
        piped = ctl.run('poll', 'desk', env={'COLUMNS': '20', 'TERM': 'xterm'})
    tap.ok('\rasking 1/4 ...\rasking 2/4 ...' in wide, 'progress at a terminal', wide)
    tap.equal((status, piped.stderr), (1, ''), 'no progress without')

    def table(text):
        return re.sub('\033\\[[0-9]*m', '', text).split('\r')[-1].splitlines()
    tap.equal({line.split()[-1] for line in table(wide)[1:4]}, {'ok', 'chosen'},
              'progress is cleared before the table', wide)
    tap.ok(max(len(line) for line in table(wide)) > 70 and
           max(len(line) for line in table(narrow)) == 70 and
           table(wide)[4].startswith(table(narrow)[4]),
           'what does not fit is cut', narrow)
    tap.ok(max(len(line) for line in table(told)) == 70, 'COLUMNS is believed', told)
    tap.equal(piped.stdout.count('Connection refused'), 1, 'a pipe gets all')
    tap.ok('\033[32mok\033[0m' in wide and '\033[31mcannot' in wide,
           'colours at a terminal', wide)
    tap.ok('\033' not in plain + dumb + piped.stdout,
           'no colours with NO_COLOR, at a dumb terminal, or in a pipe')


def test_hostile(tap, farm, ctl):
    """What a server says is shown, and does not act."""
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    farm.servers[0].play(stderr='\033]0;owned\007\nsecond: "line"\xff\n'.encode('latin1'),
                         exit=1)
    done = ctl.run('poll')
    tap.ok('\033' not in done.stdout and 'owned' in done.stdout and
           done.stdout.count('\n') == 2, 'a table: escaped, on one line', done)
    text = ctl.run('poll', '--json').stdout
    tap.ok('\033' not in text and '\\u001b]0;owned' in text and '\\"line\\"' in text and
           'owned' in json.loads(text)['servers'][0]['error'], 'JSON: escaped', text)


# The command line, and the other listings

COMMANDS = ['setup', 'check', 'doctor', 'list', 'explain', 'poll', 'drain', 'undrain',
            'block', 'unblock', 'maintenance', 'database', 'known-hosts', 'sessions', 'who',
            'metrics', 'suspend', 'terminate', 'authorize', 'revoke', 'authorized-keys',
            'authorized-principals', 'complete', 'help']


def test_help(tap, farm, ctl):
    done = ctl.run('--help')
    tap.equal(re.findall(r'(?m)^  ([a-z][a-z-]*)', done.stdout), COMMANDS,
              '--help: all commands')
    for name in COMMANDS:
        both = ctl.run(name, '--help'), ctl.run('help', name)
        tap.ok(both[0].stdout == both[1].stdout and both[0].returncode == 0 and
               both[0].stdout.startswith('usage: x2gobrokerctl [-C FILE] %s' % name),
               'help on ' + name, *both)
    done = ctl.run('--version')
    tap.ok(done.returncode == 0 and re.fullmatch(r'x2gobrokerctl \d+\.\d+\.\d+\n',
                                                 done.stdout), '--version', done)
    rows = [    # words, words of the complaint
        ([], 'usage: x2gobrokerctl'), (['polls'], 'no such command: polls'),
        (['help', 'polls'], 'no such command: polls'),
        (['poll', '--yes'], 'poll does not take --yes'),
        (['check', '--as', 'x'], 'check does not take --as USER'),
        (['check', 'x'], 'check does not take the argument x'),
        (['suspend', 'x'], 'suspend needs SESSION'),
        (['list'], 'list needs --as USER'),
        (['explain', '--as', 'x'], 'explain needs PROFILE'),
        (['list', '--as'], '--as needs a value'),
        (['poll', '--jsom'], 'invalid option: --jsom'),
        (['poll', '-x'], 'invalid option: -x'), (['undrain'], 'undrain needs HOST'),
    ]
    for words, why in rows:
        done = ctl.run(*words)
        tap.ok((done.returncode, done.stdout) == (2, '') and why in done.stderr,
               'usage: %s' % words, done)


def test_listings(tap, farm, ctl):
    farm.profiles(
        farm.profile('desk', farm.servers[:1], name='K\u00fcche "1"'),
        farm.profile('wrong', farm.servers[:1], acl_users_alow='x'),
        farm.profile('secret', farm.servers[:1], acl_users_deny=farm.user))
    status, value = ctl.json('list', '--as', farm.user, '--from', '192.0.2.1')
    tap.equal((status, value), (0, {
        'user': farm.user, 'address': '192.0.2.1', 'profiles': [
            {'id': 'desk', 'name': 'K\u00fcche "1"', 'command': 'XFCE',
             'user': farm.user, 'host': farm.servers[0].host(), 'maintenance': None}]}),
              'list --json')
    status, value = ctl.json('check')
    tap.equal((status, value['served'], value['withheld'], value['errors'] > 0,
               value['warnings']), (1, 2, 1, True, len(
                   [one for one in value['problems'] if one['warning']])),
              'check --json: the numbers')
    found = [one for one in value['problems'] if 'acl-users-alow' in one['text']][0]
    tap.equal((found['warning'], found['file'], isinstance(found['line'], int)),
              (False, farm.site.path('profiles.conf'), True), 'check --json: a problem')
    for id, visible, line in (('desk', True, int), ('secret', False, int),
                              ('wrong', False, int), ('none', False, type(None))):
        status, value = ctl.json('explain', id, '--as', farm.user)
        tap.ok((status, value['visible'], value['profile']) ==
               (0 if visible else 1, visible, id) and value['reason'] and
               isinstance(value['line'], line), 'explain --json: ' + id, value)
    with farm.site.configured(agent_timeout='x'):
        status, value = ctl.json('check')
        tap.equal((status, value['served'], len(value['problems'])), (1, 0, 1),
                  'check --json: a configuration that is not in order', value)
        for words in (['poll'], ['drain'], ['drain', 'ts01'], ['sessions', 'x'],
                      ['known-hosts', 'add', 'ts01']):
            done = ctl.run(*words)
            tap.ok((done.returncode, done.stdout) == (1, '') and
                   'agent-timeout' in done.stderr,
                   '%s: a configuration that is not in order' % words, done)


def test_explain_name(tap, farm, ctl):
    """explain asks no server, and knows the host line that sessions need."""
    one, words = farm.servers[0], ('explain', 'desk', '--as', farm.user)
    line = 'host = node7 (%s:%d)' % (one.address, one.port)
    farm.profiles(farm.profile('desk', [one]))
    one.play(sessions=[session(farm.user, 'node7')])
    tap.equal(ctl.json(*words)[1]['warnings'], [], 'explain: no session was met yet')
    farm.list()
    one.calls()
    status, value = ctl.json(*words)
    tap.ok((status, [row['server'] for row in value['warnings']]) == (0, ['ts01']) and
           value['warnings'][0]['text'].endswith('write: ' + line),
           'explain --json: the host line to write', value)
    done = ctl.run(*words)
    tap.ok(done.returncode == 0 and done.stdout.startswith('yes: ') and
           'warning: ts01:%d: ' % one.port in done.stderr and
           done.stderr.endswith('write: %s\n' % line), 'explain says it', done)
    tap.equal(one.tasks(), [], 'and asks nobody')
    done = ctl.run(*words, account=farm.account)
    tap.equal((done.returncode, done.stderr), (0, ''), 'others cannot read it')
    farm.profiles(farm.profile('desk', [one], host=line.partition(' = ')[2]))
    tap.equal(ctl.json(*words)[1]['warnings'], [], 'with that line, all is well')


TESTS = [
    test_all_servers, test_failures, test_no_load, test_profile, test_none_left,
    test_user, test_not_asked, test_local, test_real_agent, test_drain,
    test_maintenance, test_maintenance_outlasts, test_maintenance_times, test_drain_refusals, test_drain_in_home, test_unknown_key, test_new_file,
    test_names, test_known_hosts_refusals, test_changed_key, test_sessions,
    test_suspend, test_terminate, test_all_sessions, test_all_sessions_not_allowed,
    test_end_all, test_end_all_failures, test_end_all_clients,
    test_end_all_changed_meanwhile, test_slow_answer, test_account, test_no_account,
    test_terminal, test_hostile, test_help, test_listings,
    test_explain_name,
]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**farmlab.PACKAGES, setcap='libcap2-bin',
                        x2golistsessions='x2goserver'):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL',
                                   'X2GOBROKER_AGENT')
        if not tap.equal(len(found), 3, 'all three programs are there'):
            return
        farm = farmlab.Farm(stack, found[0], SERVERS)
        ctl = Ctl(found[1], farm, found[2])
        for test in TESTS:
            farm.reset()
            with tap.case(test.__name__ + ': no step failed'):
                test(tap, farm, ctl)


if __name__ == '__main__':
    main()
