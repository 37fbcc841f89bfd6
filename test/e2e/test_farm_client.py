#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions on the real X2Go server, resumed and taken over by the real X2Go client
through the broker, which asks the real x2gobroker-agents, ours and Debian's.

usage: test_farm_client.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKER-AGENT

Two clients, run by an account each, sit at a virtual screen each.  The broker is
the forced command of one private sshd.  The X2Go server is this machine, through a
second one, where an agent is the forced command of the broker's service key.
SCREENSHOTS=DIR keeps the pictures that are taken.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import brokerlab
import clientlab
import dblab
import lab
from clientlab import (TITLE, Client, ask_shell, give_key, list_profiles, living,
                       lose_session, resume, running, session_window, show_sessions)

PACKAGES = {'sudo': 'sudo', 'setcap': 'libcap2-bin', 'runuser': 'util-linux',
            'x2gocleansessions': 'x2goserver', 'pwgen': 'pwgen', **dblab.PACKAGES}
DEBIAN = '/usr/lib/x2go/x2gobroker-agent'

# Debian's agent takes a second for each of four questions, and more beside other tests
FARM_CONF = '''\
[global]
default-agent-query-mode = SSH
agent-timeout = 20
request-timeout = 40
agent-user = {agent}
state-dir = {account.home}/state
drain-file = {dir}/drained
helper-dir = {helpers}
'''

# Two servers, as the broker sees it: the second name is for the same one, which is
# what servers with one session database look like.
PROFILES = '''\
[desk]
name = Desk
host = twin (127.0.0.1:{port}), {host} (127.0.0.1:{port})
user = BROKER_USER
command = xterm -T {title} -e sh
autologin = true
rootless = true
sound = false
print = false
fstunnel = false
'''


class Site(clientlab.Site):
    agent = 'nobody'            # the agent's account
    more = ''                   # lines of the configuration

    def conf(self):
        return super().conf().replace('[global]\n', FARM_CONF.format(
            agent=self.agent, account=self.account, dir=self.dir,
            helpers=dblab.helpers(self)) + self.more)

    def use(self, agent):
        self.agent = agent.name
        self.write('x2gobroker.conf', self.conf())


class World:
    """What all tests share: a user and two computers to sit at, the broker behind
    its door, and the X2Go server."""

    site_type = Site

    def __init__(self, program, pictures, scratch, stack):
        enter = stack.enter_context
        self.shared, self.user = enter(lab.Account()), enter(clientlab.SessionUser())
        self.site = enter(self.site_type(program, self.shared))
        self.door, self.server = enter(lab.Sshd()), enter(lab.Sshd())
        self.site.write('profiles.conf', PROFILES.format(
            host=socket.gethostname(), port=self.server.port, title=TITLE))
        self.service_key = self._service_key()
        self.cleaner = None
        self.seats = [self._seat(enter(lab.Account()),
                                 enter(clientlab.Screen(pictures, scratch)))
                      for _ in range(2)]

    def _service_key(self):
        key = lab.keypair(self.server.dir, name='service')
        self.shared.put('.ssh/id_ed25519', pathlib.Path(key).read_text())
        self.shared.put('.ssh/known_hosts',
                        pathlib.Path(self.server.known_hosts).read_text())
        return key + '.pub'

    def _seat(self, account, screen):
        """A client that can be started, with keys of the user's."""
        give_key(account, self.server, 'id_rsa', self.user.name,
                 'restrict,pty,port-forwarding')
        command = ' '.join(self.site.command('--user', self.user.name))
        give_key(account, self.door, 'broker', self.shared.name,
                 brokerlab.KEY_OPTIONS % command)
        return Client(screen, account, self.shared.name, self.door)

    def logins(self):
        """How often the broker has logged in to the server."""
        return pathlib.Path(self.server.log).read_text().count(
            'Accepted publickey for %s ' % self.site.agent)

    def tell(self):
        return '\n'.join([
            *[seat.tell() for seat in self.seats], self.site.tell(),
            'door: ' + self.door.log_tail(),
            self.cleaner.tell() if self.cleaner else '',
            'server: ' + self.server.log_tail(), str(living(self.user)),
            *['%s: %s' % (path, path.read_text(errors='replace')[-2000:]) for path in
              pathlib.Path('/tmp/.x2go-' + self.user.name).glob('C-*/session.log')]])


class Cleaner:
    """The daemon of X2Go servers that acts on what Debian's agent has written into
    the session database.  Others do without: when it looks just while a session is
    being resumed that was suspended seconds ago, it suspends that again."""

    def __enter__(self):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ['x2gocleansessions', '--debug'], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        return self

    def tell(self):
        self.output.seek(0)
        return 'x2gocleansessions: ' + self.output.read().decode(errors='replace')

    def __exit__(self, *_):
        lab.end_family(self.process)        # its last words may still be of interest


# Session databases

def sqlite(world):
    """The one of this machine."""
    return contextlib.nullcontext()


@contextlib.contextmanager
def postgresql(world):
    """A server of our own, and X2Go's configuration that leads to it."""
    with dblab.Database() as db:
        db.add_user(world.user.name)
        yield db


@contextlib.contextmanager
def session_database(world):
    """The same, which the broker asks, too."""
    with postgresql(world) as db:
        world.site.write('pg_service.conf', db.service())
        world.site.more = ('session-database = farm\nsession-database-file = %s\n'
                           % world.site.path('pg_service.conf'))
        world.site.write('x2gobroker.conf', world.site.conf())
        grants = subprocess.run(
            [dblab.built('x2gobrokerctl'), '-C', world.site.path('x2gobroker.conf'),
             'database', '--grants'], stdout=subprocess.PIPE, text=True, check=True)
        db.sql(grants.stdout)
        yield db
        world.site.more = ''


# Agents: accounts that the service key leads to

@contextlib.contextmanager
def debian_agent(world, program):
    with lab.Account(groups=['x2gobroker']) as account, Cleaner() as cleaner:
        world.cleaner = cleaner
        yield serve(world, account, DEBIAN)


@contextlib.contextmanager
def our_agent(world, program):
    """As its manual says how to install it."""
    with lab.Account() as account, tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = directory + '/x2gobroker-agent'
        shutil.copyfile(program, path)
        os.chown(path, 0, account.gid)
        os.chmod(path, 0o750)
        subprocess.run(['setcap', 'cap_setuid,cap_setgid=ep', path], check=True)
        yield serve(world, account, path)


def serve(world, account, path):
    world.server.authorize(account.name, world.service_key,
                           'restrict,command="%s"' % path)
    return account


# What is tested

def test_agent(tap, world, name, leave):
    """One session all the way; leave(world, client, id) suspends it."""
    user, (first, second) = world.user, world.seats
    shoot = lambda client, what: client.screen.shoot('%s-%s' % (name, what))
    with first:
        tap.equal(list_profiles(first), '', name + ': no session, no mark')
        first.start_session()
        id, = first.wait_for(lambda: running(user), 60, 'an X2Go session in state R')
        secret = 'secret of %s' % id
        window = session_window(first)
        tap.equal(ask_shell(first.screen, window, user, 'N="%s"; echo $N' % secret),
                  secret + '\n', name + ': a session has started')
        shoot(first, '1-started')
        leave(world, first, id)
        lab.wait_for(lambda: living(user) == {id: 'S'}, 60, 'the session to sleep')
    before = world.logins()
    with first:
        tap.equal(list_profiles(first), 'S', name + ': its profile is marked')
        tap.equal(world.logins() > before, not world.site.more,
                  name + ': the database is asked for that, or else the server')
        shoot(first, '2-suspended')
        show_sessions(first)
        shoot(first, '3-to-be-resumed')
        window = resume(first)
        tap.equal(ask_shell(first.screen, window, user, 'echo $N'), secret + '\n',
                  name + ': the same program goes on')
        tap.equal(living(user), {id: 'R'}, name + ': in the same session')
        shoot(first, '4-resumed')
        with second:
            take_over(tap, world, name, id, secret)


def take_over(tap, world, name, id, secret):
    user, (first, second) = world.user, world.seats
    tap.equal(list_profiles(second), 'R', name + ', second client: it is running')
    second.screen.shoot(name + '-5-running')
    show_sessions(second)
    second.screen.shoot(name + '-6-to-be-taken-over')
    tap.note('%s: handed over in %s ms' % (name, re.findall(
        rb'session=%b taken-over=yes ms=([0-9.]+)' % id.encode(), world.site.log())))
    window = resume(second)
    tap.equal(ask_shell(second.screen, window, user, 'echo $N'), secret + '\n',
              name + ', second client: the same program goes on')
    tap.equal(living(user), {id: 'R'}, name + ', second client: in the same session')
    second.screen.shoot(name + '-7-taken-over')
    lose_session(first)
    first.screen.shoot(name + '-8-lost')
    tap.ok(not first.ended(), name + ', first client: has lost the session, and lives')
    second.screen.run('xdotool', 'windowactivate', '--sync', window,
                      'type', '--delay', '20', 'exit\n')
    # the client lists as soon as it notices, when the server may not know yet
    second.wait_for(second.screen.buttons, 60, 'the list of profiles')
    # on a busy machine its row stays in state S until x2gocleansessions(8) makes a round
    with contextlib.suppress(TimeoutError):
        lab.wait_for(lambda: not running(user), 60, 'the end of the session')
    tap.equal(running(user), [], name + ': the session ends')


def suspend(world, client, id):
    clientlab.suspend(world.user, id)
    lose_session(client)


def unplug(world, client, id):
    """The client is gone without a word.  A helper of its own, which starts again
    and again, would keep the connection."""
    lab.end(client.user.processes, patience=1)


def main():
    with lab.Tap() as tap, tempfile.TemporaryDirectory() as scratch, \
            contextlib.ExitStack() as stack:
        programs = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKER_AGENT')
        if len(programs) < 2 or not clientlab.all_is_there(tap, programs[0]) or \
                not tap.need(**PACKAGES):
            return
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        clientlab.own_machine()
        world = World(programs[0], pictures, scratch, stack)
        for name, database, agent, leave in (
                ("Debian's agent", sqlite, debian_agent, suspend),
                ('our agent', sqlite, our_agent, unplug),
                ('our agent, PostgreSQL', postgresql, our_agent, suspend),
                ('our agent, session database', session_database, our_agent, unplug)):
            if agent is debian_agent and tap.absent(name):
                continue
            if database is session_database and not dblab.built('x2gobroker-sessiondb'):
                tap.note(name + ': the program is not built')
                continue
            with database(world), agent(world, programs[1]) as account, \
                    tap.case(name + ': no step failed', world.tell):
                world.site.use(account)
                clientlab.attempt(tap, name, world.user,
                                  lambda: test_agent(tap, world, name, leave))


if __name__ == '__main__':
    main()
