# SPDX-License-Identifier: GPL-2.0-or-later
"""A farm of X2Go servers on loopback: each has an address, an sshd and an agent of
its own, which farm_agent.c plays from files; and a broker whose profiles name them.

    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        farm = farmlab.Farm(stack, program, 8)
        farm.servers[3].play(sessions=[farmlab.session(farm.user, 'ts04')])
        farm.site.write('profiles.conf', farm.profile('desk'))
        farm.select('desk')         # a Selection: server 'ts04', and its sessions

Instead of an sshd, something else can be at a server's address: see Door.
"""

import collections
import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import brokerlab
import lab
from brokerlab import GRANTED, LIST, SELECT

HERE = pathlib.Path(__file__).parent
AGENT = '/usr/lib/x2go/x2gobroker-agent'    # what the broker asks for
PACKAGES = {**brokerlab.PACKAGES, 'gcc': 'gcc', 'ssh-keygen': 'openssh-client'}


# What servers say

def load(avg=10, mem=8000, cpus=4, mhz=2000):
    """What checkload says; its load factor is mem/1000 * cpus * mhz * 100 / avg."""
    return ('loadavgXX:%d\nmemAvail:%d\nmyMemAvail:%d\nnumCPU:%d\ntypeCPU:%d\n'
            % (avg, mem, mem, cpus, mhz))


_numbers = itertools.count(50)


def session(user, host, state='S', last='2026-11-23T20:49:25', fields=16,
            kind='DXFCE', **other):
    """A line of x2golistsessions.  other: id, display, client, cookie, ..."""
    number = next(_numbers)
    row = {
        'pid': 1000 + number,
        'id': '%s-%d-17000%05d_st%s_dp24' % (user, number, number, kind),
        'display': number, 'host': host, 'state': state,
        'created': '2026-11-23T08:00:00', 'cookie': '%032x' % (number * 7919),
        'client': '192.0.2.7', 'gports': 30001, 'sound': 30002, 'last': last,
        'user': user, 'age': 46165, 'files': 30003, 'tele': -1, 'data': -1}
    row.update(other)
    return '|'.join([str(value) for value in row.values()][:fields])


def id_of(line):
    return line.split('|')[1]


def on(line, host, state='S'):
    """The line as a client is to get it: where to go, and the state by now."""
    fields = line.split('|')
    return '|'.join(fields[:3] + [host, state] + fields[5:])


# Servers

def compile_agent(directory):
    path = os.path.join(directory, 'agent')
    subprocess.run(['gcc', '-O1', '-o', path, HERE / 'farm_agent.c'], check=True)
    return path


class Played:
    """A directory that an agent is played from, of the account that it runs as."""

    def __init__(self, agent, account, directory):
        self.account, self.files = account, pathlib.Path(directory)
        self.files.mkdir(exist_ok=True)
        os.chown(self.files, account.uid, account.gid)
        shutil.copy(agent, self.files / 'agent')
        self.program = str(self.files / 'agent')
        self.reset()

    def reset(self):
        """An agent of ours, with nothing to do."""
        for file in self.files.iterdir():
            if file.name != 'agent':
                file.unlink()
        self.play(kind='new', load=load(), count=0, sessions=[], started=[])

    def play(self, **files):
        """Write files (farm_agent.c): play(load=..., answer_status=..., exit=3);
        _ before a task stands for the dot, and None takes a file away."""
        for name, value in files.items():
            name = re.sub('^(delay|linger|answer|stderr|exit)_', r'\1.', name)
            path = self.files / name.replace('_', '-')
            if value is None:
                path.unlink(missing_ok=True)
                continue
            if isinstance(value, (list, tuple)):
                value = ''.join(line + '\n' for line in value)
            if not isinstance(value, bytes):
                value = str(value).encode()
            # in place of the old one, which may be read at this moment
            new = self.files / '.new'
            new.write_bytes(value)
            os.chown(new, self.account.uid, self.account.gid)
            new.rename(path)

    def calls(self):
        """The command lines that have come since the last call."""
        path = self.files / 'calls'
        if not path.exists():
            return []
        lines = path.read_text(errors='replace').splitlines()
        path.unlink()
        return lines

    def tasks(self):
        return [re.split(r'[ \t]', line)[2] for line in self.calls()]


class Server(lab.Sshd):
    """One X2Go server: an sshd at an address and port of its own."""

    def __init__(self, name, address, port, extra=''):
        super().__init__(extra)
        self.name, self.address, self.port = name, address, port
        self.line = ''          # other lines, in place of those with their keywords

    def host(self):
        """As a profile calls it."""
        return '%s (%s:%d)' % (self.name, self.address, self.port)

    def put_agent(self, agent, account, pubkey):
        self.account, self.pubkey = account, pubkey
        self.agent = Played(agent, account, self.path('agent.d'))
        self.play, self.calls, self.tasks = (
            self.agent.play, self.agent.calls, self.agent.tasks)
        self.allow()

    def allow(self, pubkey=None):
        """Let the broker's key in, or another one instead."""
        pathlib.Path(self.path('keys/' + self.account.name)).unlink(missing_ok=True)
        self.authorize(self.account.name, pubkey or self.pubkey,
                       'restrict,command="%s"' % self.agent.program)

    def known_as(self, name, hostkey=None):
        """A line of known_hosts."""
        key = pathlib.Path((hostkey or self.hostkey) + '.pub').read_text().strip()
        return '%s %s\n' % (name if self.port == 22 else '[%s]:%d' % (name, self.port),
                            ' '.join(key.split()[:2]))

    def _config(self):
        lines = super()._config().replace('ListenAddress 127.0.0.1',
                                          'ListenAddress ' + self.address)
        keywords = {line.partition(' ')[0] for line in self.line.splitlines()}
        return '\n'.join(line for line in lines.split('\n') if
                         line.partition(' ')[0] not in keywords - {'ListenAddress'}
                         ) + self.line + '\n'

    def _start(self):
        self.start()
        return True

    def start(self):
        self.write('sshd_config', self._config())
        pathlib.Path(self.log).unlink(missing_ok=True)
        # -r: it does not execute itself once more for each connection, which takes a
        # fifth of the time of a login.  Later releases ignore that.
        self.process = subprocess.Popen(
            [lab.SSHD, '-r', '-D', '-f', self.path('sshd_config'), '-E', self.log],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        lab.wait_for(lambda: 'Server listening' in self.log_tail()
                     or self.process.poll() is not None, 20, 'sshd to listen', 0.01)
        if self.process.poll() is not None:
            raise RuntimeError('no sshd: ' + self.log_tail())

    def stop(self):
        if self.process:
            lab.end_family(self.process)
        self.process = None

    @contextlib.contextmanager
    def down(self):
        """Nothing listens there meanwhile."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def door(self, open_door):
        """Something else listens there meanwhile: open_door(address, port)."""
        with self.down(), open_door(self.address, self.port) as door:
            yield door

    @contextlib.contextmanager
    def restarted(self, line):
        """With other lines in its configuration meanwhile."""
        self.line = line
        self.stop()
        self.start()
        try:
            yield
        finally:
            self.line = ''
            self.stop()
            self.start()


class Door:
    """What is no sshd: every connection gets what talk(socket) says, and stays open
    until the with block ends unless talk closes it.  talk None: nobody accepts
    them.  full: they do not even come that far."""

    def __init__(self, address, port, talk=None, full=False):
        self.talk, self.kept = talk, []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(0 if full else 100)
        self.count = 0
        if full:
            self._fill(address, port)
        if talk:
            threading.Thread(target=self._accept, daemon=True).start()

    def _fill(self, address, port):
        """Connect until the kernel drops what comes."""
        for _ in range(20):
            one = socket.socket()
            self.kept.append(one)
            one.settimeout(0.3)
            try:
                one.connect((address, port))
            except TimeoutError:
                return
        raise RuntimeError('its queue is never full')

    def _accept(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            self.kept.append(one)
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one):
        with contextlib.suppress(OSError):
            self.talk(one)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # accept() in the other thread only ends this way
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for one in self.kept:
            one.close()


# The broker

Selection = collections.namedtuple('Selection', 'server sessions seconds raw')
Listing = collections.namedtuple('Listing', 'states seconds raw')


class Site(brokerlab.Site):
    """A site that asks servers.  settings: for [global]; a value None takes a line
    away; backend: for [broker_inifile]."""

    def __init__(self, program, account, agent_user):
        super().__init__(program, account)
        self.agent_user = agent_user
        self.backend, self.patience = {}, 60

    def __enter__(self):
        self.dir = None
        self.settings = {
            'agent-user': self.agent_user, 'agent-command': AGENT,
            'helper-dir': lab.helper_dir(), 'agent-timeout': 10, 'default-agent-query-mode': 'SSH'}
        super().__enter__()
        self.settings.update({'state-dir': self.path('state'),
                              'drain-file': self.path('drained'),
                              'maintenance-dir': self.path('state')})
        self.fresh_state()
        self.configure()
        return self

    def fresh_state(self):
        """Nobody was given anything yet."""
        shutil.rmtree(self.path('state'), ignore_errors=True)
        os.mkdir(self.path('state'), 0o755)
        os.chown(self.path('state'), self.account.uid, self.account.gid)

    def add_row(self, name, number, text):
        """A row of state-dir is a symbolic link, whose target is its text."""
        directory = self.path('state/' + name)
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)
            os.chown(directory, self.account.uid, self.account.gid)
        os.symlink(text, os.path.join(os.fsencode(directory), b'%d' % number))

    def rows(self, name):
        """The rows in that directory of state-dir, in the order of their numbers."""
        directory = self.path('state/' + name)
        return [os.readlink(os.path.join(directory, number))
                for number in sorted(os.listdir(directory), key=int)]

    def conf(self):
        more = ''.join('%s = %s\n' % item for item in self.settings.items()
                       if item[1] is not None)
        own = ''.join('%s = %s\n' % item for item in self.backend.items())
        return super().conf().replace('\n[broker_inifile]\n',
                                      more + '\n[broker_inifile]\n' + own)

    def configure(self, **settings):
        """Underscores stand for the dashes of the keys' names."""
        self.settings.update({key.replace('_', '-'): value
                              for key, value in settings.items()})
        self.write('x2gobroker.conf', self.conf())

    @contextlib.contextmanager
    def configured(self, backend=None, **settings):
        before = dict(self.settings), self.backend
        self.backend = backend or {}
        self.configure(**settings)
        try:
            yield
        finally:
            self.settings, self.backend = before
            self.configure()

    def start(self, command, account, env):
        start = time.monotonic()
        try:
            done = subprocess.run(
                command, user=account.uid, group=account.gid, extra_groups=[],
                cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=self.patience,
                env={'PATH': '/usr/bin:/bin', **self.env, **env})
        except subprocess.TimeoutExpired as late:
            return brokerlab.Answer(late.stdout or b'', late.stderr or b'', None,
                                    time.monotonic() - start)
        return brokerlab.Answer(done.stdout, done.stderr, done.returncode,
                                time.monotonic() - start)

    def log_text(self):
        return self.log().decode(errors='backslashreplace')


class Farm:
    """n servers, the agent's account there, the broker's and its key."""

    def __init__(self, stack, program, n, key_type='ed25519', extra='',
                 names='ts%02d'):
        # a directory that the accounts may go through, and nobody else writes
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-farm.')
        stack.callback(shutil.rmtree, self.dir, ignore_errors=True)
        os.chmod(self.dir, 0o755)
        self.stack, self.extra, self.names = stack, extra, names
        self.agent_program = compile_agent(self.dir)
        self.agent, self.broker, self.account = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(3))
        self.user = self.account.name
        self.site = stack.enter_context(Site(program, self.broker, self.agent.name))
        self.key = self._service_key(key_type)
        self.servers = self._start_servers(n)
        self.know()

    def _service_key(self, key_type):
        key = lab.keypair(self.dir, key_type)
        self.broker.put('.ssh/id_' + key_type, pathlib.Path(key).read_text())
        return key

    def _start_servers(self, n):
        """All at one port, as in the world, each with its address."""
        network = '127.%d.%d.' % (1 + os.getpid() % 250, os.getpid() // 250 % 250)
        addresses = [network + str(i + 1) for i in range(n)]
        servers = [Server(self.names % (i + 1), address, 0, self.extra)
                   for i, address in enumerate(addresses)]
        port = find_port(addresses)
        for server in servers:
            server.port = port
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(self.stack.enter_context, servers))
        for server in servers:
            server.put_agent(self.agent_program, self.agent, self.key + '.pub')
        return servers

    def know(self, lines=None):
        """Write known_hosts: of each server the address or the name."""
        if lines is None:
            lines = [server.known_as(server.address if i % 2 else server.name)
                     for i, server in enumerate(self.servers)]
        return self.broker.put('.ssh/known_hosts', ''.join(lines))

    def known(self):
        return pathlib.Path(self.broker.home, '.ssh/known_hosts').read_text()

    def reset(self):
        """All servers idle, nothing drained or remembered or logged."""
        for server in self.servers:
            server.agent.reset()
        self.site.fresh_state()
        self.site.write('drained', '')
        self.site.log()
        self.know()

    def profile(self, id, servers=None, **keys):
        """Lines of a profile; _ stands for a dash in a key."""
        rows = {'name': id, 'user': 'BROKER_USER', 'command': 'XFCE',
                'host': ', '.join(server.host() for server in servers or self.servers)}
        rows.update((key.replace('_', '-'), value) for key, value in keys.items())
        return '[%s]\n%s\n' % (id, ''.join('%s = %s\n' % row for row in rows.items()
                                           if row[1] is not None))

    def profiles(self, *texts):
        self.site.write('profiles.conf', ''.join(texts))

    def server_at(self, text):
        """The name of the server at ADDRESS:PORT; the text, where there is none."""
        for server in self.servers:
            if text == '%s:%d' % (server.address, server.port):
                return server.name
        return text

    def select(self, id='desk', user=None):
        """server None: refused."""
        answer = self.site.forced(SELECT % id, '--user', user or self.user)
        found = re.fullmatch(rb'Access granted\n(?:-----BEGIN .*-----\n)?'
                             rb'SERVER:([^\n]*)\n'
                             rb'(?:SESSION_INFO:(.+))?', answer.stdout, re.S)
        if not found or answer.status != 0:
            return Selection(None, [], answer.seconds, answer)
        sessions = (found[2] or b'').decode('ascii', 'backslashreplace').splitlines()
        return Selection(self.server_at(found[1].decode()), sessions, answer.seconds,
                         answer)

    def select_many(self, wishes, at_once):
        """[(profile id, user)] to [Selection], so many at a time."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda wish: self.select(*wish), wishes))

    def list(self, user=None):
        """states None: refused."""
        answer = self.site.forced(LIST, '--user', user or self.user)
        if not answer.stdout.startswith(GRANTED + b'START_USER_SESSIONS\n'):
            return Listing(None, answer.seconds, answer)
        states = {}
        for block in re.findall(r'(?ms)^\[.*?(?=^$)', answer.stdout.decode()):
            id, *lines = block.splitlines()
            found = [line[7:] for line in lines if line.startswith('status=')]
            states[id[1:-1]] = found[0] if len(found) == 1 else found or None
        return Listing(states, answer.seconds, answer)


def find_port(addresses):
    """One that is free at all of them."""
    for _ in range(100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            port = 0
            for address in addresses:
                probe = stack.enter_context(socket.socket())
                probe.bind((address, port))
                port = probe.getsockname()[1]
            return port
    raise RuntimeError('no port is free')


def users(n):
    """n names of accounts that there are on any host."""
    names = [entry.pw_name for entry in pwd.getpwall()
             if re.fullmatch('[a-z][a-z0-9_-]*', entry.pw_name)
             and not entry.pw_name.startswith('x2gotest')]
    return names[:n]


def run(tests, n, **options):
    """A whole test program: tests are functions of a tap and a Farm."""
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**PACKAGES):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER')
        if not found:
            return
        farm = Farm(stack, found[0], n, **options)
        for test in tests:
            farm.reset()
            start = time.monotonic()
            with tap.case(test.__name__ + ': no step failed', farm.site.log_text):
                test(tap, farm)
            tap.note('%s: %.1f s' % (test.__name__, time.monotonic() - start))
