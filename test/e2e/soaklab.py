# SPDX-License-Identifier: GPL-2.0-or-later
"""A broker's world in which everything goes wrong at times, and what an answer may be
there: a farm (farmlab.py) behind a real sshd, servers that are killed, hung, turned
into something else and brought back at random, sessions that come and go, and an
oracle that knows what was true when.

What is true of a server at a time is yes, no, or open (None), for the moments in which
it is just being changed.  A request looks at the world at some moment between its start
and its end, so the oracle asks what a thing was in that time: what was yes all the
time, the broker must know; what was no all the time, it must not say.
"""

import bisect
import collections
import contextlib
import ctypes
import fcntl
import functools
import os
import pathlib
import random
import re
import signal
import subprocess
import threading
import time
import traceback

import brokerlab
import farmlab
import lab
from brokerlab import DENIED, GRANTED, framed

AGENT_TIMEOUT, REQUEST_TIMEOUT = 5, 20      # the defaults
GROUP = 4                   # servers of a group, of which two users have profiles
SETTLED = AGENT_TIMEOUT + 3     # seconds in which a server comes round after a hang
KNOCK_TIME = 8              # how long one may count (RECENT_KNOCK_SECONDS and its own time)


# What was true when

class History:
    def __init__(self, value):
        self.times, self.values = [0], [value]

    def set(self, value, later=0):
        self.times.append(time.monotonic() + later)
        self.values.append(value)

    def during(self, start, end):
        """Everything that it was then."""
        first = bisect.bisect_right(self.times, start) - 1
        return set(self.values[first:bisect.bisect_right(self.times, end)])

    def was(self, value, start, end):
        """All the time."""
        return self.during(start, end) == {value}

    def may_be(self, value, start, end):
        return bool(self.during(start, end) & {value, None})


class State:
    """Of a server: answers (its agent, as it should), listens (something does),
    drained, full."""

    def __init__(self):
        self.answers, self.listens = History(True), History(True)
        self.drained, self.full = History(False), History(False)
        self.free_at = 0        # when the next thing can be done to it


class Session:
    """Its line is of state S; it can be running, too, until a broker suspends it."""

    def __init__(self, line, user, server, running):
        self.line, self.user, self.server = line, user, server
        self.states = 'SR' if running else 'S'
        self.there = History(None)

    def lines(self):
        """What a client may be told of it."""
        return {farmlab.on(self.line, self.server.address, state)
                for state in self.states}


# Processes

def become_reaper():
    """Whoever loses a parent below us becomes our child: then none of them waits for a
    process 1 that may look after nobody."""
    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')


Process = collections.namedtuple('Process', 'name state parent')


def all_processes():
    """{pid: Process}"""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = pathlib.Path('/proc/%s/stat' % pid).read_text(errors='replace')
            name, _, rest = text.partition('(')[2].rpartition(')')
            state, parent = rest.split()[:2]
            found[int(pid)] = Process(name, state, int(parent))
    return found


def family(pid, found=None):
    """Everything below pid, without it."""
    below = collections.defaultdict(list)
    for child, process in (found or all_processes()).items():
        below[process.parent].append(child)
    members = [pid]
    for member in members:
        members += below[member]
    return members[1:]


def send(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def stop_family(process):
    """Stop a process that makes others, and all of them."""
    stopped = {process.pid}
    send(stopped, signal.SIGSTOP)
    while more := set(family(process.pid)) - stopped:
        send(more, signal.SIGSTOP)
        stopped |= more
    return stopped


def kill_family(process):
    send(stop_family(process), signal.SIGKILL)
    process.wait()


def descriptors(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


# What can become of a server.  Each is a context manager; what it sets is true as soon
# as it is set, and open from the moment on at which something is done.

def answering(state, value, later=0):
    state.answers.set(value, later)
    state.free_at = time.monotonic() + later


@contextlib.contextmanager
def killed(world, server, talk=None):
    """talk: something else listens there (farmlab.Door)."""
    state = world.state[server.name]
    answering(state, None)
    state.listens.set(None)
    kill_family(server.process)
    server.process = None
    with contextlib.ExitStack() as stack:
        if talk:
            stack.enter_context(farmlab.Door(server.address, server.port, talk))
        answering(state, False)
        state.listens.set(bool(talk))
        yield
        state.listens.set(None)
        answering(state, None)
    server.start()
    state.listens.set(True)
    answering(state, True)


@contextlib.contextmanager
def hung(world, server):
    """Its kernel still takes connections, until the queue is full."""
    state = world.state[server.name]
    answering(state, None)
    state.listens.set(None)
    stop_family(server.process)
    answering(state, False)
    yield
    answering(state, None)
    send([server.process.pid, *family(server.process.pid)], signal.SIGCONT)
    state.listens.set(True, SETTLED)
    answering(state, True, SETTLED)


def noise(one):
    one.sendall(b'SSH-2.0-OpenSSH_9.2p1\r\n' + bytes(range(255, -1, -1)) * 300)


@contextlib.contextmanager
def another_host_key(world, server):
    with killed(world, server):
        before, server.hostkey = server.hostkey, world.other_key
    try:
        state = world.state[server.name]
        answering(state, None)          # killed() has said that it is back
        answering(state, False)
        yield
    finally:
        with killed(world, server):
            server.hostkey = before


@contextlib.contextmanager
def locked_out(world, server):
    """It does not know the service key any more."""
    state = world.state[server.name]
    answering(state, None)
    server.allow(world.other_key + '.pub')
    answering(state, False)
    yield
    answering(state, None)
    server.allow()
    answering(state, True)


def agent(good=False, **files):
    """Its agent does something else."""
    @contextlib.contextmanager
    def change(world, server):
        state = world.state[server.name]
        if not good:
            answering(state, None)
        server.play(**files)
        if not good:
            answering(state, False)
        yield
        if not good:
            answering(state, None)
        server.play(**dict.fromkeys(files))
        if not good:
            answering(state, True)
    return change


@contextlib.contextmanager
def full(world, server):
    """So busy that it is the last choice, if it is one."""
    state = world.state[server.name]
    state.full.set(None)
    server.play(load=farmlab.load(avg=100000))
    state.full.set(True)
    yield
    state.full.set(None)
    server.play(load=farmlab.load())
    state.full.set(False)


@contextlib.contextmanager
def drained(world, server):
    state = world.state[server.name]
    state.drained.set(None)
    world.ctl('drain', server.name)
    state.drained.set(True)
    yield
    state.drained.set(None)
    world.ctl('undrain', server.name)
    state.drained.set(False)


FATES = {   # weight, and what it is
    'killed': (6, killed),
    'hung': (6, hung),
    'no SSH any more': (2, functools.partial(killed, talk=noise)),
    'another host key': (2, another_host_key),
    'service key not known': (2, locked_out),
    'agent: garbage': (2, agent(answer=bytes(range(255, 0, -1)) * 40)),
    'agent: nothing': (2, agent(answer='', exit=1)),
    'agent: breaks off': (2, agent(answer='OK\nloadavgXX:10\nmemAv')),
    'agent: too slow': (2, agent(delay=1000 * AGENT_TIMEOUT + 4000)),
    'agent: never stops': (1, agent(flood='')),
    'agent: slow': (4, agent(good=True, delay=500)),
    'full': (3, full),
    'drained': (3, drained),
}


class Worker(threading.Thread):
    """Something that goes on beside the clients, until it is told to stop."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world = world
        self.over = threading.Event()
        self.error = ''

    def run(self):
        try:
            self.work()
        except Exception:
            self.error = traceback.format_exc()

    def stop(self):
        self.over.set()
        self.join()


class Trouble(Worker):
    """Does things to servers, one after the other; in the end it brings all of them
    back."""

    def __init__(self, world, seed):
        super().__init__(world)
        self.dice = random.Random(seed)
        self.counts = collections.Counter()
        self.fates = {}             # server name: (context manager, until)

    def work(self):
        while not self.over.wait(self.dice.uniform(0.2, 0.8)):
            self.step()
        for name in list(self.fates):
            self.end(name)
        self.world.put_sessions(self.dice, fresh=False)

    def step(self):
        now = time.monotonic()
        for name, (_, until) in list(self.fates.items()):
            if until < now:
                self.end(name)
        ready = [server for server in self.world.farm.servers
                 if server.name not in self.fates and
                 self.world.state[server.name].free_at < now]
        if ready and self.dice.random() < 0.5:
            self.world.put_sessions(self.dice, ready)
            self.counts['a session comes or goes'] += 1
        # with more than half of them in trouble there is little to be seen
        if len(self.fates) < len(self.world.farm.servers) / 2 and ready:
            self.begin(ready)

    def begin(self, ready):
        name = self.dice.choices(list(FATES), [row[0] for row in FATES.values()])[0]
        for always in 'killed', 'hung':
            if not self.counts[always]:
                name = always
        server = self.dice.choice(ready)
        chosen = [server]
        if self.dice.random() < 0.08:       # the whole of its group
            number = self.world.group_of(server)
            chosen = [one for one in ready if self.world.group_of(one) == number]
        until = time.monotonic() + self.dice.uniform(3, 15)
        for server in chosen:
            fate = FATES[name][1](self.world, server)
            fate.__enter__()
            self.fates[server.name] = fate, until
            self.counts[name] += 1

    def end(self, name):
        self.fates.pop(name)[0].__exit__(None, None, None)


# The world

class Profile:
    """kind: own (sessions can be resumed), shared (by all who log in as one account),
    free (nobody is asked), elsewhere (a host that is none of the farm)."""

    def __init__(self, id, kind, servers, users, key=False):
        self.id, self.kind, self.servers, self.users = id, kind, servers, users
        self.key = key              # with a key for one login

    def text(self, farm):
        keys = {'acl_users_allow': ', '.join(self.users)}
        if self.key:
            keys['broker_session_autologin'] = 'true'
        if self.kind == 'shared':
            keys['user'] = 'kiosk'
        elif self.kind == 'free':
            keys['broker_agent_query_mode'] = 'NONE'
        elif self.kind == 'elsewhere':
            keys.update(host='elsewhere.example', broker_agent_query_mode='NONE')
        return farm.profile(self.id, self.servers, **keys)


class World:
    """All that there is: the farm, the users, their profiles, the broker's sshd."""

    def __init__(self, stack, programs, nservers, nclients):
        self.broker, self.ctl_program, self.client, self.watch = programs
        self.farm = farm = farmlab.Farm(stack, self.broker, nservers)
        # Debian's agent does not take keys out by itself, so that they are remembered
        for server in farm.servers[GROUP - 1::GROUP]:
            server.play(kind='old')
        self.state = {server.name: State() for server in farm.servers}
        self.users = farmlab.users(2 * -(-nservers // GROUP))
        self.profiles = self.make_profiles()
        farm.profiles(*[profile.text(farm) for profile in self.profiles.values()])
        # keys that live for a short time, so that their leases end meanwhile
        farm.site.configure(agent_timeout=AGENT_TIMEOUT, autologin_key_lifetime=10,
                            request_timeout=REQUEST_TIMEOUT,
                            autologin_key_type='ed25519',
                            # each user is many clients here
                            requests_per_user=nclients)
        self.other_key = lab.keypair(farm.dir, name='other')
        self.watched = farm.site.write('watched', '')
        os.chmod(self.watched, 0o666)
        self.sessions = {}              # by id
        self.listings = {user: farm.site.plain('--user', user, '--task',
                                               'listsessions').stdout
                         for user in self.users}
        self.sshd = stack.enter_context(lab.Sshd())
        self.keys = self.give_keys()
        self.plan = farm.site.write('plan', self.make_plan(nclients))
        # one that has had time to start; all of them are alike
        self.descriptors = descriptors(self.sshd.process.pid)

    def make_profiles(self):
        servers, users = self.farm.servers, self.users
        rows = [Profile('everything', 'own', servers, users[:1]),
                Profile('elsewhere', 'elsewhere', servers[:1], users)]
        for i in range(0, len(servers), GROUP):
            some, two = servers[i:i + GROUP], users[i // 2:i // 2 + 2]
            name = 'group %d: ' % (i // GROUP)
            rows += [Profile(name + 'all', 'own', some, two),
                     Profile(name + 'two', 'own', some[:2], two),
                     Profile(name + 'one', 'own', some[-1:], two),
                     Profile(name + 'shared', 'shared', some[1:], two),
                     Profile(name + 'free', 'free', some, two),
                     Profile(name + 'mine', 'own', some[::2], two[:1]),
                     Profile(name + 'key', 'own', some[1:], two, key=True)]
        return {row.id: row for row in rows}

    def group_of(self, server):
        return self.farm.servers.index(server) // GROUP

    def seen_by(self, user):
        return [row for row in self.profiles.values() if user in row.users]

    def give_keys(self):
        """Paths, one for each user; the key says who it is."""
        return [brokerlab.give_key(
            self.sshd, self.farm.broker, 'user%d' % i,
            [self.watch, self.watched, *self.farm.site.command('--user', user)])
            for i, user in enumerate(self.users)]

    def requests_of(self, user):
        """(weight, kind, name, command)"""
        def task(words):
            return 'x2gobroker --user %s --login %s --task %s' % (user, user, words)

        def select(weight, rows):
            return [(max(1, weight // len(rows)), 'select', row.id,
                     task('selectsession --sid "%s"' % row.id)) for row in rows]

        mine = self.seen_by(user)
        others = [row for row in self.profiles.values() if row not in mine]
        return [(150, 'list', '', task('listsessions')),
                (150, 'event', '', task('clientevent --event CONNECTING')),
                (100, 'login', '', None),
                (30, 'hangup', '', task('listsessions')),
                (30, 'hangup', mine[0].id,
                 task('selectsession --sid "%s"' % mine[0].id)),
                (30, 'drop', mine[-1].id,
                 task('selectsession --sid "%s"' % mine[-1].id)),
                (30, 'cut', '', task('selectsession --sid "%s"' % mine[-1].id)),
                (30, 'noise', '', None), (30, 'stranger', '', None),
                (10, 'select', 'no such profile',
                 task('selectsession --sid "no such profile"')),
                *select(300, mine), *select(80, others)]

    def make_plan(self, nclients):
        envelopes = list(brokerlab.ENVELOPES)
        lines = ['sshd\t127.0.0.1\t%d\t%s' % (self.sshd.port, self.farm.broker.name)]
        for i, user in enumerate(self.users):
            for j, (weight, kind, name, command) in enumerate(self.requests_of(user)):
                text = brokerlab.LOGIN_CHECK.encode() if command is None else \
                    brokerlab.wrap(command, envelopes[j % len(envelopes)], '@')
                lines.append('request\t%d\t%d\t%s\t%s\t%s' % (i, weight, kind, name,
                                                              text.decode()))
        # an eighth more connect for each request
        for i in range(nclients + nclients // 8):
            user = i % len(self.users)
            lines.append('client\t%d\t%s\t%s' % (user, self.keys[user], 'held'
                                                 if i < nclients else 'anew'))
        return ''.join(line + '\n' for line in lines)

    def ctl(self, *words):
        subprocess.run([self.ctl_program, '-C', self.farm.site.path('x2gobroker.conf'),
                        *words], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=60)

    # Sessions

    def put_sessions(self, dice, ready=(), fresh=True):
        """One more, or one less, on one of these servers.  fresh False: none at all."""
        for server in [dice.choice(ready)] if fresh else self.farm.servers:
            with open(server.agent.files / 'lock', 'a') as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.change_sessions(dice, server, fresh)

    def change_sessions(self, dice, server, fresh):
        here = [session for session in self.sessions.values()
                if session.server is server and session.there.values[-1]]
        lines = (server.agent.files / 'sessions').read_text().splitlines()
        going, coming = ([dice.choice(here)] if here else []), None
        if not fresh:
            going = here
        elif dice.random() < (0.8 if len(here) < 4 else 0.2):
            going, coming = [], self.make_session(dice, server)
            running = 'R' in coming.states
            lines.append(farmlab.on(coming.line, server.name, 'R' if running else 'S'))
            self.sessions[farmlab.id_of(coming.line)] = coming
        for session in going:
            session.there.set(None)
        gone = {farmlab.id_of(session.line) for session in going}
        server.play(sessions=[line for line in lines
                              if farmlab.id_of(line) not in gone])
        for session in going:
            session.there.set(False)
        if coming:
            coming.there.set(True)

    def make_session(self, dice, server):
        """Of a user who can come here, or of somebody else."""
        group = self.group_of(server)
        user = dice.choice(self.users[2 * group:2 * group + 2] + self.users[:1])
        return Session(farmlab.session(user, server.name), user, server,
                       running=dice.random() < 0.25)

    # Processes

    def listeners(self):
        return [self.sshd.process] + [server.process for server in self.farm.servers]


# The oracle

Record = collections.namedtuple(
    'Record', 'client user kind name uuid start end status outcome stdout stderr')


class Wrong(Exception):
    """An answer that must not be."""


class Late(Exception):
    """What a broker would have to know of servers that are all right; but one that
    is so busy that it needs more than agent-timeout is not known.  servers: that it
    may have had no answer of."""

    def __init__(self, text, servers):
        super().__init__(text)
        self.servers = servers


def check(good, text):
    if not good:
        raise Wrong(text)


class Oracle:
    def __init__(self, world):
        self.world = world
        self.certain_count = 0      # requests for which something had to be known
        self.keys = set()

    def judge(self, record):
        """In a word or two, what it is; Wrong, or Late."""
        self.certain_count += self.is_certain(record)
        return {'list': self.judge_list, 'select': self.judge_select,
                'event': self.judge_event, 'login': self.judge_login,
                'cut': self.judge_refusal, 'noise': self.judge_refusal,
                }[record.kind](record)

    def judge_event(self, record):
        check(record.stdout == framed(GRANTED, record.uuid) and record.status == 0,
              'an event is granted')
        return 'granted'

    def judge_login(self, record):
        check(record.stdout == b'LOGIN OK\r\n' and record.status == 0,
              'a login is granted')
        return 'granted'

    def judge_refusal(self, record):
        """The cut may have been behind the uuid."""
        check(record.stdout in (DENIED, framed(DENIED, record.uuid)) and
              record.status == 1, 'what is no request is refused')
        return 'refused'

    # Listings

    def judge_list(self, record):
        user, (start, end) = self.world.users[record.user], record[5:7]
        check(record.status == 0, 'a listing is granted')
        marks, counts, id = {}, collections.Counter(), None
        plain = []
        for line in record.stdout.splitlines(keepends=True):
            if line.startswith(b'['):
                id = line.strip(b'[]\n').decode()
            mark = re.fullmatch(rb'status=([RS])\n', line)
            check(not mark or id not in marks, 'one mark for a profile')
            count = re.fullmatch(rb'(?:suspended|running)=(\d+)\n', line)
            if mark:
                marks[id] = mark[1].decode()
            elif count and id in marks:
                counts[id] += int(count[1])
            else:
                plain.append(line)
        check(b''.join(plain) == framed(self.world.listings[user], record.uuid),
              'the listing is that of the user, byte for byte')
        for profile in self.world.seen_by(user):
            may, _ = self.sessions_of(profile, user, start, end)
            check(profile.id not in counts or 2 <= counts[profile.id] <= len(may),
                  'as many sessions are counted as there can be')
            self.judge_mark(profile, user, marks.pop(profile.id, None), start, end)
        check(not marks, 'marks are for profiles')
        return 'listed'

    def sessions_of(self, profile, user, start, end):
        """(those that a client may be told of, those that it must be)"""
        if profile.kind != 'own':
            return [], []
        state = self.world.state
        mine = [session for session in list(self.world.sessions.values())
                if session.user == user and session.server in profile.servers]
        may = [session for session in mine
               if session.there.may_be(True, start, end) and
               state[session.server.name].answers.may_be(True, start, end)]
        must = [session for session in mine
                if session.there.was(True, start, end) and
                state[session.server.name].answers.was(True, start, end)]
        return may, must

    def judge_mark(self, profile, user, mark, start, end):
        may, must = self.sessions_of(profile, user, start, end)
        if mark is None and must:
            raise Late('%s: no mark' % profile.id,
                       [session.server for session in must])
        check(mark is None or any(mark in session.states for session in may),
              '%s: the mark %s is true' % (profile.id, mark))

    # Selections

    def judge_select(self, record):
        user = self.world.users[record.user]
        profile = self.world.profiles.get(record.name)
        if record.stdout == framed(DENIED, record.uuid):
            check(record.status == 1, 'the status says the same')
            return self.judge_refused(record, user, profile)
        found = re.fullmatch(rb'Access granted\n'
                             rb'(-----BEGIN [A-Z ]+-----\n[\w+/=\n]+'
                             rb'-----END [A-Z ]+-----\n)?SERVER:([^\n]*)\n'
                             rb'(?:SESSION_INFO:(.+))?', self.unframe(record), re.S)
        check(found and record.status == 0, 'an answer of that form')
        check(profile and user in profile.users,
              'nobody is let into a profile that is not for them')
        if profile.kind == 'elsewhere':
            check(found[2] == b'elsewhere.example:22' and not found[1] and
                  not found[3], 'its host')
            return 'the host that is not in the farm'
        sessions = (found[3] or b'').decode('ascii', 'replace').splitlines()
        server = {'%s:%d' % (one.address, one.port): one
                  for one in profile.servers}.get(found[2].decode())
        check(server, 'a server of the profile')
        self.judge_key(record, profile, server, found[1])
        return self.judge_sessions(record, user, profile, server, sessions)

    def judge_key(self, record, profile, server, key):
        check(not key or profile.key, 'a key for those alone who are to have one')
        check(key not in self.keys, 'each key is given once')
        if key:
            self.keys.add(key)
        elif profile.key and self.world.state[server.name].answers.was(
                True, record.start, record.end):
            raise Late('%s: no key' % profile.id, [server])

    @staticmethod
    def unframe(record):
        head, tail = framed(b'\n', record.uuid).split(b'\n\n')
        text = record.stdout
        check(text.startswith(head + b'\n') and text.endswith(b'\n' + tail) and
              text.count(record.uuid.encode()) == 2, 'its own frame around it')
        return text[len(head) + 1:-len(tail)]

    def judge_sessions(self, record, user, profile, server, lines):
        start, end = record.start, record.end
        may, must = self.sessions_of(profile, user, start, end)
        left = list(may)
        for i, line in enumerate(lines):
            known = [one for one in left if line in one.lines()]
            check(known, 'a session of this user, and there: ' + line)
            check(i > 0 or (known[0].server is server and line.split('|')[4] == 'S'),
                  'the first session is suspended, and on the server')
            left.remove(known[0])
        if missing := [one for one in must if one in left]:
            raise Late('%s: no word of %s' % (profile.id, missing[0].line),
                       [one.server for one in missing])
        if lines:
            return 'a session is resumed'
        return self.judge_choice(profile, server, start, end)

    def is_certain(self, record):
        user, times = self.world.users[record.user], record[5:7]
        seen = self.world.seen_by(user)
        if record.kind == 'list':
            return any(self.sessions_of(profile, user, *times)[1] for profile in seen)
        return record.kind == 'select' and any(
            self.certain(profile, *times) for profile in seen
            if profile.id == record.name and profile.kind != 'elsewhere')

    def is_up(self, profile, server, start, end):
        """All of {True, False, None} that may count in this time.  The broker knocks at
        a server and believes for some seconds what it found."""
        state = self.world.state[server.name]
        return state.listens.during(start - KNOCK_TIME, end) if \
            profile.kind == 'free' else state.answers.during(start, end)

    def certain(self, profile, start, end):
        """The servers that a new session can surely go to."""
        state = self.world.state
        return [server for server in profile.servers
                if self.is_up(profile, server, start, end) == {True} and
                state[server.name].drained.was(False, start, end)]

    def judge_choice(self, profile, server, start, end):
        state = self.world.state[server.name]
        check(self.is_up(profile, server, start, end) & {True, None},
              'not a server that is down')
        check(state.drained.may_be(False, start, end), 'not one that is drained')
        if profile.kind != 'free' and state.full.was(True, start, end):
            better = [one for one in self.certain(profile, start, end)
                      if self.world.state[one.name].full.was(False, start, end)]
            if better:
                raise Late('%s: a full server' % profile.id, better)
        return 'a new session'

    def judge_refused(self, record, user, profile):
        if not profile or user not in profile.users:
            return 'refused: not for this user'
        start, end = record.start, record.end
        check(profile.kind != 'elsewhere', 'nothing is to be refused there')
        if certain := self.certain(profile, start, end):
            raise Late('%s: refused' % profile.id, certain)
        down = [server for server in profile.servers
                if self.is_up(profile, server, start, end) == {False} or
                self.world.state[server.name].drained.was(True, start, end)]
        return 'refused: all its servers are down or drained' if \
            len(down) == len(profile.servers) else \
            'refused: some are down, others go or come just then'


# Watching

class Sampler(Worker):
    """Looks at the processes and the state directory all the time."""

    STATE_DIRS = {'assignments', 'stalekeys', 'servers', 'requests'}

    def __init__(self, world):
        super().__init__(world)
        self.most_processes = 0
        self.rows = dict.fromkeys(self.STATE_DIRS, 0)        # at most
        self.zombies, self.strange = collections.Counter(), set()
        self.seen = {}              # zombies: since when

    def work(self):
        while not self.over.wait(1):
            self.look()

    def look(self):
        found = all_processes()
        mine = family(os.getpid(), found)
        self.most_processes = max(self.most_processes, len(mine))
        zombies = {pid for pid in mine if found[pid].state == 'Z'}
        self.seen = {pid: self.seen.get(pid, time.monotonic()) for pid in zombies}
        for pid, since in self.seen.items():
            if found[pid].parent == os.getpid():
                self.reap(pid, since)
            elif found[found[pid].parent].state != 'T' and \
                    time.monotonic() - since > 30:
                self.zombies[found[pid].name] += 1
        self.look_at_files()

    @staticmethod
    def reap(pid, since):
        """Those whose parents were killed; not those that a Popen of ours has just
        ended."""
        if time.monotonic() - since > 0.5:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def look_at_files(self):
        directory = pathlib.Path(self.world.farm.site.path('state'))
        self.strange |= set(os.listdir(directory)) - self.STATE_DIRS - {'counters'}
        for name in self.STATE_DIRS:
            with contextlib.suppress(FileNotFoundError):
                self.rows[name] = max(self.rows[name], len(os.listdir(directory / name)))


Run = collections.namedtuple('Run', 'pid uuid task began ended status memory')


def read_runs(path):
    """What became of the brokers (soak_watch.c): [Run]; those of which there is no end
    yet have None there."""
    runs = {}
    for line in pathlib.Path(path).read_text().splitlines():
        word, pid, uuid, task, when, *rest = line.split()
        if word == 'began':
            runs.setdefault((pid, uuid, task), []).append(
                [int(pid), uuid, task, int(when) / 1000, None, None, None])
        else:
            # numbers come again, but not before the other one has ended
            run = runs[pid, uuid, task][-1]
            run[4:] = [int(when) / 1000, *map(int, rest)]
    return [Run(*run) for same in runs.values() for run in same]


def read_records(pipe):
    """Records, as they come; and the last line's words."""
    while line := pipe.readline():
        fields = line.decode().rstrip('\n').split('\t')
        if fields[0] == 'peak':
            yield fields
            return
        client, user, kind, name, uuid, start, end, status, outcome, out, err = fields
        yield Record(int(client), int(user), kind, name, uuid, float(start),
                     float(end), int(status), outcome, pipe.read(int(out)),
                     pipe.read(int(err)))
