#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real X2Go client asks the broker under test, and starts a real session.

usage: test_client.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)

The client runs on a virtual screen, as a throw-away user.  The broker answers
as the forced command of one private sshd; the sessions' server is this machine,
through a second one.  SCREENSHOTS=DIR keeps the pictures that are taken.
"""

import contextlib
import os
import pathlib
import sys
import tempfile

import clientlab
import farmlab
import lab
from clientlab import TITLE, Client, SessionUser, give_key, running, terminate_sessions


# The second profile is for somebody else, so nobody may see a button for it.
PROFILES = '''\
[DEFAULT]
host = 127.0.0.1
sshport = {port}
user = BROKER_USER
autologin = true
rootless = true
sound = false
print = false
fstunnel = false
acl-users-deny = ALL
acl-users-order = allow-deny

[laboratory]
name = Laboratory, first floor
command = xterm -T {title} -e sh
acl-users-allow = {user}

[attic]
name = Attic
command = xterm
acl-users-allow = root
'''


class Site(clientlab.Site):

    def offer(self, user, server):
        """Profiles of which this user may see one."""
        self.write('profiles.conf', PROFILES.format(
            port=server.port, user=user, title=TITLE))

    def line(self, *pin):
        """The forced command, as one line."""
        return ' '.join(self.command(*pin))


@contextlib.contextmanager
def client_at_door(tap, program, screen, name, own_account=False, configure=None):
    """A site with an sshd that leads to the broker (the door) and one that is the
    X2Go server, and a client which has just been started.  That is the test case
    called name, too; yields the client, its user, the site, and the door."""
    with lab.Account() as shared, SessionUser() as user, \
            Site(program, shared) as site:
        pinned = site.line('--user', user.name)
        force = 'Match User %s\n    ForceCommand %s' % (user.name, site.line())
        with lab.Sshd(force if own_account else '') as door, lab.Sshd() as server:
            site.offer(user.name, server)
            give_key(user, server, 'id_rsa', user.name, 'restrict,pty,port-forwarding')
            if configure:
                configure(site, server)
            if own_account:
                account, options = user.name, ''
            else:
                account, options = shared.name, 'restrict,pty,command="%s"' % pinned
            give_key(user, door, 'broker', account, options)
            client = Client(screen, user, account, door)
            with client, tap.case(name + ': no step failed', client.tell, site.tell,
                                  door.log_tail, server.log_tail):
                yield client, user, site, door


# What is tested

def run_session(tap, client, user, name):
    """From the list of profiles to a session that works, and back."""
    screen = client.screen
    client.wait_for(screen.buttons, 60, 'the session button')
    screen.shoot(name + '-1-profiles')
    tap.equal(len(screen.buttons()), 1, name + ': one profile is on offer')

    client.start_session()
    found = client.wait_for(lambda: running(user), 60, 'an X2Go session in state R')
    tap.equal(len(found), 1, name + ': the server runs one session')
    window = client.wait_for(lambda: screen.windows('^%s$' % TITLE), 60,
                             "the session's window")[0]
    tap.equal(clientlab.ask_shell(screen, window, user, 'id -un'), user.name + '\n',
              name + ': the session takes the keyboard')
    part = screen.colours(screen.shoot(name + '-3-window', window))
    whole = screen.colours(screen.shoot(name + '-2-session'))
    tap.ok(part > 1 and whole > 100, name + ': the pictures show something',
           'colours: window %d, screen %d' % (part, whole))

    terminate_sessions(user)
    client.wait_for(lambda: not running(user), 20, 'the session to end')
    client.wait_for(screen.buttons, 20, 'the session button again')
    tap.ok(True, name + ': after the session the client lists profiles again')


def test_shared_account(tap, program, screen):
    """All users' keys lead to one account; command= says whose they are."""
    name = 'shared account'
    with client_at_door(tap, program, screen, name) as (client, user, *_):
        run_session(tap, client, user, name)


def test_own_account(tap, program, screen):
    """The user logs in to the broker as himself, and ForceCommand is there."""
    name = 'own account'
    with client_at_door(tap, program, screen, name,
                        own_account=True) as (client, user, *_):
        run_session(tap, client, user, name)


def test_no_profiles(tap, program, screen):
    """An empty list is a box, and after it the client ends."""
    name = 'no profiles'
    with client_at_door(
            tap, program, screen, name,
            configure=lambda site, server: site.offer('root', server)) as (client, *_):
        box = client.wait_for(lambda: screen.windows('^Error$'), 60, 'a message box')[0]
        screen.shoot(name)
        # All its boxes have this title; its log knows which one it is.
        tap.ok('Reading 0 sessions' in client.tell(), name + ': the client says so',
               client.tell())

        def agree():
            screen.run('xdotool', 'windowactivate', '--sync', box, 'key', 'Return')
            return client.ended()
        lab.wait_for(agree, 10, 'the client to end', every=1)
        tap.ok(True, name + ': the client ends')


def test_broken_configuration(tap, program, screen):
    """The user gets to read that something is wrong, and the client waits."""
    name = 'broken configuration'
    with client_at_door(
            tap, program, screen, name, configure=lambda site, _:
            site.write('x2gobroker.conf', '[global\n')) as (client, user, site, door):
        answer = door.ssh(client.account, user.home + '/.ssh/broker',
                          'echo "LOGIN OK"', tty=True).stdout.decode().strip()
        tap.ok(answer and 'LOGIN OK' not in answer, name + ': login is refused',
               repr(answer))
        text = client.wait_for(lambda: terminal_output(screen), 60, 'some text')
        screen.shoot(name)
        tap.equal(text.split(), answer.split(), name + ': the user can read why')
        # Two: ours above, and the client's only one.
        tap.equal(pathlib.Path(door.log).read_text().count('Starting session'), 2,
                  name + ': the client does not knock again and again')


def set_maintenance(site, text):
    """As x2gobrokerctl maintenance does."""
    os.makedirs(site.path('state/maintenance'), mode=0o700)
    for name in 'state', 'state/maintenance':
        os.chmod(site.path(name), 0o700)
        os.chown(site.path(name), site.account.uid, site.account.gid)
    os.symlink('0\tresume\tall\t\t' + text, site.path('state/maintenance/1'))
    site.write('x2gobroker.conf', site.conf().replace(
        '[global]\n', '[global]\nmaintenance-dir = %s\n' % site.path('state')))


def test_maintenance(tap, program, screen):
    """The user gets to read what the administrator says, and the client waits."""
    name, text = 'maintenance', 'The farm is down until two: new disks. Caf\u00e9 is open.'
    with client_at_door(tap, program, screen, name, configure=lambda site, _:
                        set_maintenance(site, text)) as (client, user, site, door):
        shown = client.wait_for(lambda: terminal_output(screen), 60, 'some text')
        screen.shoot(name)
        tap.equal(shown.split(), text.split(), name + ': the user can read it')
        tap.equal(pathlib.Path(door.log).read_text().count('Starting session'), 1,
                  name + ': the client does not knock again and again')
        os.unlink(site.path('state/maintenance/1'))
        lab.end_family(client.process)
        with Client(screen, user, client.account, door) as again:
            again.wait_for(screen.buttons, 60, 'the session button')
        tap.ok(True, name + ': and when it is over, there is the list')


def play_sessions(site, user, states):
    """The agent of this host says that the user has sessions in these states."""
    lines = [farmlab.session(user.name, '127.0.0.1', state) for state in states]
    agent = site.write('agent', '#!/bin/sh\ncat <<EOF\nOK\n%sEOF\n' % ''.join(
        line.rstrip('\n') + '\n' for line in lines))
    os.chmod(agent, 0o755)
    site.write('x2gobroker.conf', site.conf().replace(
        '[global]\n', '[global]\ndefault-agent-query-mode = LOCAL\n'
        'agent-command = %s\n' % agent))


def test_counters(tap, program, screen):
    """With several sessions, the button says how many there are."""
    name, pictures = 'counters', []
    with client_at_door(tap, program, screen, name) as (client, user, site, door):
        client.wait_for(screen.buttons, 60, 'the session button')
        pictures.append(screen.shoot(name + '-1-before'))
        lab.end_family(client.process)
        play_sessions(site, user, 'SSR')
        with Client(screen, user, client.account, door) as again:
            again.wait_for(screen.buttons, 60, 'the session button')
            pictures.append(screen.shoot(name + '-2-after'))
            read = again.said()
        tap.ok('suspended=2\\nrunning=1\\n' in read and 'status=S\\n' in read,
               name + ': the client has read them', site.tell())
    same = screen.run('compare', '-metric', 'AE', *pictures, 'null:')
    tap.ok(same.strip() != '0', name + ': the button is another one', same)


def terminal_output(screen):
    """The text in the middle of the client's window, by way of the selection that
    select-all makes of it."""
    for window in screen.windows('^X2Go Client$'):
        screen.run('xdotool', 'windowactivate', '--sync', window,
                   'mousemove', '--window', window, '400', '300', 'click', '1',
                   'key', 'ctrl+a')
    text = screen.run('xclip', '-o', '-selection', 'primary')
    return '' if text.startswith('Error:') else text.strip()


def main():
    program = os.path.abspath((sys.argv + [os.environ.get('X2GOBROKER', '')])[1])
    with lab.Tap() as tap, tempfile.TemporaryDirectory() as scratch:
        if not clientlab.all_is_there(tap, program):
            return
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        clientlab.own_machine()
        with clientlab.Screen(pictures, scratch) as screen:
            for test in (test_shared_account, test_own_account, test_no_profiles,
                         test_broken_configuration, test_maintenance, test_counters):
                test(tap, program, screen)


if __name__ == '__main__':
    main()
