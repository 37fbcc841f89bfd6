#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of the real X2Go client: it tells when it is connected to a session, and does
what an administrator has told it, also while the agent of the server hangs.

usage: test_events_client.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL
                             PATH-TO-X2GOBROKER-AGENT

SCREENSHOTS=DIR keeps the pictures that are taken.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import brokerlab
import clientlab
import lab
import test_farm_client
from clientlab import (ask_shell, list_profiles, living, lose_session, resume, running,
                       session_window, show_sessions)

EVENTS_CONF = '''\
[global]
client-events = true
liveevent = 2
agent-timeout = 20
'''
PATIENCE = 60


class Site(test_farm_client.Site):
    def conf(self):
        return re.sub(r'(?m)^agent-timeout = 20\n', '', super().conf()).replace(
            '[global]\n', EVENTS_CONF)


class World(test_farm_client.World):
    site_type = Site
    ctl = ''

    def run(self, *words):
        return subprocess.run(
            [self.ctl, '-C', self.site.path('x2gobroker.conf'), *words], cwd='/',
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, check=False, timeout=120)

    def who(self):
        """[(user, session, last event)] of those who are connected."""
        done = self.run('who', '--json')
        if done.returncode != 0:
            raise RuntimeError('who: %s' % done.stderr)
        return [(row['user'], row['session'], row['event'])
                for row in json.loads(done.stdout)['connected']]


def agent_is(world, account, command):
    """The service key leads to this command from now on; returns the one of before."""
    path = pathlib.Path(world.server.path('keys/' + account.name))
    line = path.read_text()
    path.write_text(re.sub(r'command="[^"]*"', 'command="%s"' % command, line))
    return re.search(r'command="([^"]*)"', line)[1]


def test_events(tap, world, account):
    user, (client, _) = world.user, world.seats
    with client:
        list_profiles(client)
        tap.equal(world.who(), [], 'nobody is connected before')
        client.start_session()
        id, = client.wait_for(lambda: running(user), 60, 'an X2Go session in state R')
        window = session_window(client)
        tap.equal(ask_shell(client.screen, window, user, 'N=here; echo $N'), 'here\n',
                  'a session has started')
        client.wait_for(lambda: (user.name, id, 'ALIVE') in world.who(), PATIENCE,
                        'an event ALIVE')
        tap.equal(world.who(), [(user.name, id, 'ALIVE')], 'who has the user once')
        tap.ok(' s ago' in world.run('sessions', user.name).stdout,
               'sessions says when the client was last seen')
        client.screen.shoot('events-1-connected')
        agent = agent_is(world, account, '/bin/sleep 600')
        done = world.run('suspend', user.name, id)
        tap.equal((done.returncode, done.stdout.splitlines()[-1:]),
                  (0, [id + ': suspended by its client']),
                  'while the agent hangs, the client suspends its session', done.stderr)
        lab.wait_for(lambda: living(user) == {id: 'S'}, PATIENCE, 'the session to sleep')
        lose_session(client)
        client.screen.shoot('events-2-suspended')
        tap.ok(not client.ended(), 'the client has lost the session, and lives')
        client.wait_for(lambda: not world.who(), PATIENCE, 'the client to tell the end')
    agent_is(world, account, agent)
    with client:
        list_profiles(client)
        show_sessions(client)
        window = resume(client)
        tap.equal(ask_shell(client.screen, window, user, 'echo $N'), 'here\n',
                  'the session is resumed, and not suspended by the order of before')
        client.wait_for(lambda: (user.name, id, 'ALIVE') in world.who(), PATIENCE,
                        'an event ALIVE')
        done = world.run('terminate', user.name, id, '--yes')
        tap.equal((done.returncode, done.stdout), (0, id + ': terminated by its server\n'),
                  'terminate says which way took effect', done.stderr)
        client.wait_for(lambda: not world.who(), PATIENCE, 'the client to tell the end')
        tap.equal(os.listdir(world.site.account.home + '/state/connected'), [],
                  'no file is left')
        client.screen.shoot('events-3-terminated')


def main():
    with lab.Tap() as tap, tempfile.TemporaryDirectory() as scratch, \
            contextlib.ExitStack() as stack:
        programs = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL',
                                      'X2GOBROKER_AGENT')
        if len(programs) < 3 or not clientlab.all_is_there(tap, programs[0]) or \
                not tap.need(**test_farm_client.PACKAGES):
            return
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        clientlab.own_machine()
        world = World(programs[0], pictures, scratch, stack)
        world.ctl = programs[1]
        with test_farm_client.our_agent(world, programs[2]) as account, \
                tap.case('no step failed', world.tell):
            world.site.use(account)
            clientlab.attempt(tap, 'events', world.user,
                              lambda: test_events(tap, world, account))


if __name__ == '__main__':
    main()
