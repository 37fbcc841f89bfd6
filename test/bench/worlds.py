# SPDX-License-Identifier: GPL-2.0-or-later
"""The environments of the benchmark: sites with many profiles, a farm of sshds to ask,
and an sshd with forced commands.  Each world knows the command of a row, the right
answer, and the account to run it as."""

import collections
import grp
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))

import brokerlab            # noqa: E402
import farmlab              # noqa: E402
import lab                  # noqa: E402
from figures import (       # noqa: E402
    BARE, BARE_GROUPS, DELAYS, EVENT, GROUPS, LIBSSH, LIST_WHOLE, PROFILES, PYTHON,
    REAL, SERVERS, SSHD)

PEER = '/usr/bin/x2gobroker'            # of Debian's package x2gobroker
VALGRIND = '/usr/bin/valgrind'
LOGGERS = '/etc/x2go/broker/x2gobroker-loggers.conf'
PROFILE = '''\
[p{number}]
name = Profile {number}, first floor
host = server1 (192.0.2.1), server2 (192.0.2.2), server3
command = XFCE
'''

CONNECTED = 500
CLIENT = ('x2gobroker --user {user} --task clientevent --sid "{user}-50-17639309{n:02}_stDX'
          'FCE_dp24" --event ALIVE --server "server1" --client "10.0.0.1" --login "{user}" '
          '--cmd "XFCE" --display "50" --start "2026-01-02T03:04:05" --elapsed 15')

# env: what is set for it beside its words, {name: value}
Command = collections.namedtuple('Command', 'words env', defaults=({},))
# What a row is to run(1) and to a check
Task = collections.namedtuple('Task', 'command good account')


class Failure(Exception):
    """A wrong answer."""


class Programs:
    """Copies that everybody may run, without debug information, as in a package."""

    def __init__(self, stack, build):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-bench.')
        stack.callback(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)
        self.run, self.bare, self.asking, self.broker, library = (
            self._copy(build, path) for path in (
                'test/bench/bench-run', 'test/bench/bench-bare',
                'test/bench/bench-asking', 'cmd/x2gobroker/x2gobroker',
                'lib/libx2gobroker.so.0'))
        self._register(library)

    def _register(self, library):
        """A program in a build looks for libraries in twenty folders of the build; of an
        installed one, the linker's cache says where they are, which costs a tenth of a
        listing less."""
        for path in self.broker, library:
            subprocess.run(['patchelf', '--remove-rpath', path], check=True)
        cache = os.path.join(self.dir, 'ld.so.cache')
        subprocess.run(['ldconfig', '-X', '-C', cache, os.path.dirname(library)],
                       check=True)
        lab.own_mounts()
        subprocess.run(['mount', '--bind', cache, '/etc/ld.so.cache'], check=True)

    def _copy(self, build, path):
        if not os.path.exists(os.path.join(build, path)):
            raise Failure(path + ': not built')
        copy = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy(os.path.join(build, path), copy)
        subprocess.run(['strip', copy], check=True)
        return copy


def under_sshd(line):
    """The environment that sshd sets for a forced command."""
    return {'SSH_ORIGINAL_COMMAND': line, 'SSH_CLIENT': '127.0.0.1 50000 22',
            'SSH_CONNECTION': '127.0.0.1 50000 127.0.0.1 22'}


def wrapped(line):
    """The command as the client sends it."""
    return brokerlab.wrap(line).decode()


def python_command(site, account, profiles, *words, **env):
    """The Python broker on the same files, with its log as Debian sets it up, but in
    a directory of its own.  Only its own account may name another user, who is taken
    from LOGNAME."""
    log = pathlib.Path(site.path('python-log'))
    if not log.exists():
        log.mkdir()
        os.chown(log, account.uid, account.gid)
        site.write('loggers.conf', pathlib.Path(LOGGERS).read_text().replace(
            '/var/log/x2gobroker', str(log)))
    return Command([PEER, *words], {
        'LOGNAME': 'x2gobroker', 'X2GOBROKER_SESSIONPROFILES': profiles,
        'X2GOBROKER_LOGCONFIG': site.path('loggers.conf'), **env})


def start(command, account, timeout):
    """Run it and return its CompletedProcess.  account None: as ourselves."""
    more = dict(user=account.uid, group=account.gid, extra_groups=[],
                cwd=account.home) if account else {}
    return subprocess.run(command.words, env={**environment(account), **command.env},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, **more)


def environment(account):
    home = account.home if account else '/root'
    return {'HOME': home, 'PATH': '/usr/bin:/bin'}


class Listings:
    """Sites of 3 to 10,000 profiles, a hundred a file, all for one user."""

    def __init__(self, stack, programs):
        self.programs = programs
        self.account, self.user = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(2))
        self.site = stack.enter_context(
            brokerlab.Site(programs.broker, self.account))
        for n in PROFILES:
            self._make(n)
        self._make(3, 'groups', 'acl-groups-allow = ' +
                   grp.getgrgid(self.user.gid).gr_name)

        self._connect()

    def _connect(self):
        """A site where so many clients are connected."""
        site, account = self.site, self.account
        for name in 'state', 'state/connected':
            os.mkdir(site.path(name), 0o700)
            os.chown(site.path(name), account.uid, account.gid)
        for number in range(CONNECTED):
            os.symlink('1\n1\nALIVE\nsomebody\nsomebody-%d\nserver1\n\n\n' % number,
                       site.path('state/connected/%064x' % number))
        conf = pathlib.Path(site.path('3.conf')).read_text()
        site.write('event.conf', conf.replace(
            '[global]', '[global]\nclient-events = true\nstate-dir = ' +
            site.path('state')))

    def _make(self, n, name=None, rule='acl-users-allow = {user}, alice, bob'):
        """The configuration, and all in one file for the Python broker."""
        name = name or '%d' % n
        folder = pathlib.Path(self.site.path(name + '.d'))
        folder.mkdir()
        default = '[DEFAULT]\nuser = BROKER_USER\n'
        texts = [(PROFILE + rule + '\n\n').format(number=number, user=self.user.name)
                 for number in range(n)]
        for first in range(0, n, 100):
            (folder / ('%06d.conf' % first)).write_text(
                default + ''.join(texts[first:first + 100]))
        self.site.write('python-%s.conf' % name, default + ''.join(texts))
        self.site.write(name + '.conf', self.site.conf().replace(
            self.site.path('profiles.d'), str(folder)).replace(
            '[global]', '[global]\nignore-primary-group-memberships = false'))

    def forced(self, row):
        """The forced command, without the client's part.  The Python broker gets both,
        because it ignores what the client sends."""
        if row.who == BARE:
            return Command([self.programs.bare])
        if row.who == BARE_GROUPS:
            return Command([self.programs.bare, self.user.name])
        user = ['--user', self.user.name]
        if row.who == PYTHON:
            return python_command(
                self.site, self.account, self.site.path('python-%d.conf' % row.n),
                '-C', self.site.path('%d.conf' % row.n), *user, '--task',
                'listsessions')
        config = {GROUPS: 'groups.conf', EVENT: 'event.conf'}.get(
            row.who, '%d.conf' % row.n)
        return Command(self.site.command(*user, config=config))

    def good(self, row, answer):
        """Whether the answer has all profiles, or the event was noted."""
        if row.who == EVENT:
            return answer.stdout == brokerlab.framed(brokerlab.GRANTED) and len(
                os.listdir(self.site.path('state/connected'))) == CONNECTED + 1
        return answer.returncode == 0 and b'Access granted\n' in answer.stdout and \
            answer.stdout.count(b'\n[p') == row.n and \
            (not row.n or b'\nEND_USER_SESSIONS\n' in answer.stdout)

    def task(self, row):
        command = self.forced(row)
        return Task(Command(command.words, {
            **under_sshd(wrapped(self.line(row))), **command.env}), self.good,
            self.account)

    def line(self, row):
        return CLIENT.format(user=self.user.name, n=0) if row.who == EVENT else \
            brokerlab.LIST

    def prepare(self, _):
        pass

    def finish(self, _):
        pass

    def explain(self):
        return self.site.log().decode(errors='backslashreplace')


class Selections:
    """A farm with as many servers as the largest row needs."""

    def __init__(self, stack, programs, most):
        self.programs = programs
        self.farm = farm = farmlab.Farm(stack, programs.broker, most, 'rsa')
        farm.know([server.known_as(server.address) for server in farm.servers])
        farm.site.configure(agent_timeout=60, request_timeout=60)
        profiles = [self._profile(n) for n in SERVERS if n <= most]
        farm.profiles(*profiles)
        self.python_profiles = farm.site.write('python.conf', ''.join(profiles))
        self.account = farm.broker

    def _addresses(self, n):
        return [server.address for server in self.farm.servers[:n]]

    def _profile(self, n):
        """Addresses without names, which the Python broker would look up."""
        return self.farm.profile('on%d' % n, host=', '.join(self._addresses(n)),
                                 sshport=self.farm.servers[0].port)

    def prepare(self, group):
        """Make the agents as fast as this table needs."""
        for server in self.farm.servers:
            server.play(delay=DELAYS.get(group, DELAYS[REAL]))
            server.calls()

    def forced(self, row):
        farm = self.farm
        user = ['--user', farm.user]
        if row.who == LIBSSH:
            home = farm.broker.home
            return Command([
                self.programs.asking, farm.agent.name, home + '/.ssh/id_rsa',
                home + '/.ssh/known_hosts', '%s %s status' % (farmlab.AGENT, farm.user),
                str(farm.servers[0].port), *self._addresses(row.n)])
        if row.who == PYTHON:
            return python_command(
                farm.site, farm.broker, self.python_profiles,
                '-C', farm.site.path('x2gobroker.conf'), *user, '--task',
                'selectsession', '--sid', 'on%d' % row.n,
                X2GOBROKER_AGENT_USER=farm.agent.name)
        return Command(farm.site.command(*user))

    def line(self, row):
        return wrapped(brokerlab.SELECT % ('on%d' % row.n))

    def good(self, row, answer):
        """Whether it has asked, and chosen one of them."""
        asked = [server.calls() for server in self.farm.servers]
        servers = sum(map(bool, asked))
        if answer.returncode or servers != (1 if row.who == PYTHON else row.n):
            return False
        if row.who == LIBSSH:
            return True
        found = re.search(rb'(?m)^SERVER:(.*):(\d+)$', answer.stdout)
        return bool(found) and b'Access granted\n' in answer.stdout and \
            found[1].decode() in self._addresses(row.n) and \
            int(found[2]) == self.farm.servers[0].port

    def task(self, row):
        command = self.forced(row)
        return Task(Command(command.words, {**under_sshd(self.line(row)),
                                            **command.env}), self.good, self.account)

    def least_calls(self, row):
        """The number of calls to all agents in one run, at least."""
        return 1 if row.who == PYTHON else row.n

    def finish(self, runs):
        """Check that all servers were asked each time.  runs: {row: number}."""
        calls = sum(len(server.calls()) for server in self.farm.servers)
        least = sum(self.least_calls(row) * n for row, n in runs.items())
        if calls < least:
            raise Failure('the agents were asked %d times instead of %d'
                          % (calls, least))

    def explain(self):
        return self.farm.site.log_text()


class Channels:
    """An sshd with a key for each forced command, and a connection held open for
    each key."""

    def __init__(self, stack, listings, selections):
        self.stack, self.listings, self.selections = stack, listings, selections
        self.sshd = stack.enter_context(lab.Sshd())
        self.connections = {}
        self.whole = 0          # connections that are to be made otherwise

    def _world(self, row):
        return self.selections if row.asks else self.listings

    def _forced(self, row):
        command = self._world(row).forced(row)
        return ' '.join(['%s=%s' % (name, shlex.quote(value))
                         for name, value in command.env.items()]
                        + [shlex.join(command.words)])

    def _connection(self, row):
        """One connection per key, opened at its first use."""
        world, forced = self._world(row), self._forced(row)
        if forced not in self.connections:
            key = brokerlab.give_key(self.sshd, world.account,
                                     'key%d' % len(self.connections), [forced])
            connection = brokerlab.Connection(self.sshd, world.account, key)
            # it is idle while the Python broker lists a thousand profiles
            connection.options[1] = 'ControlPersist=900'
            self.connections[forced] = self.stack.enter_context(connection)
        return self.connections[forced]

    def task(self, row):
        world, connection = self._world(row), self._connection(row)
        line = wrapped(brokerlab.LIST) if world is self.listings else world.line(row)
        options = [] if row.group == LIST_WHOLE else connection.options
        words = self.sshd.ssh_command(connection.account.name, connection.key, line,
                                      options=options)
        return Task(Command(['/usr/bin/ssh', *words[1:]]), world.good, None)

    def prepare(self, _):
        self.selections.prepare(REAL)

    def finish(self, runs):
        """Check that there was one connection per key and per whole connection, and
        that all servers were asked."""
        self.selections.finish({row: n for row, n in runs.items()
                                if self._world(row) is self.selections})
        self.whole += sum(n + 1 for row, n in runs.items() if row.group == LIST_WHOLE)
        made = self.sshd.log_tail(10 ** 9).count('Accepted publickey')
        most = self.whole + len(self.connections)
        if made > most:
            raise Failure('%d connections were made instead of %d'
                          % (made, most))

    def explain(self):
        return self.sshd.log_tail() + '\n' + self.listings.explain() + '\n' + \
            self.selections.explain()


class Worlds:
    """All worlds, each made when it is first needed."""

    def __init__(self, stack, programs, rows):
        self.stack, self.programs = stack, programs
        self.most = max([row.n for row in rows if row.asks], default=1)
        self.made = {}

    def _make(self, kind, *args):
        if kind not in self.made:
            self.made[kind] = kind(self.stack, *args)
        return self.made[kind]

    def listings(self):
        return self._make(Listings, self.programs)

    def selections(self):
        return self._make(Selections, self.programs, self.most)

    def of(self, row):
        if row.part == SSHD:
            return self._make(Channels, self.listings(), self.selections())
        if row.asks:
            return self.selections()
        return self.listings()
