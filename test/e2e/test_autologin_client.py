#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An automatic login with the real X2Go client: one click, no question, a session.

usage: test_autologin_client.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKER-AGENT

Whoever sits at the client has a key for the broker and none for the X2Go server,
which is this machine.  SCREENSHOTS=DIR keeps the pictures that are taken.
"""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time

import autologinlab
import brokerlab
import clientlab
import lab
from autologinlab import keys_of
from clientlab import TITLE, Client, ask_shell, running

LIFETIME = 20


def seat(world, door, account, screen):
    """A client with a key for the broker, which knows the server's host key."""
    command = ' '.join(world.site.command('--user', world.user.name))
    clientlab.give_key(account, door, 'broker', world.broker.name,
                       brokerlab.KEY_OPTIONS % command)
    account.put('.ssh/known_hosts', ''.join(
        open(sshd.known_hosts).read() for sshd in (door, world.server)))
    return Client(screen, account, world.broker.name, door)


def key_types():
    """The types of key that this client reads.  Before 4.1.2.3 it takes an RSA key in
    PEM, and nothing in OpenSSH's own format."""
    version = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', 'x2goclient'],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    numbers = [int(n) for n in re.match(r'[\d.]+', version)[0].split('.')]
    return ['rsa', 'ed25519'] if numbers >= [4, 1, 2, 3] else ['rsa']


def test_click(tap, world, client, key_type):
    with client, world.site.configured(autologin_key_type=key_type):
        start = time.monotonic()
        client.start_session()
        clicked = time.monotonic()
        client.wait_for(lambda: running(world.user), 60, 'an X2Go session in state R')
        window = client.wait_for(lambda: client.screen.windows('^%s$' % TITLE), 60,
                                 "the session's window")[0]
        tap.note('the session runs %.1f s after the click' %
                 (time.monotonic() - clicked))
        tap.equal(ask_shell(client.screen, window, world.user, 'id -un'),
                  world.user.name + '\n', 'after one click a session runs, as the user, '
                  'with a key of type ' + key_type)
        client.screen.shoot('autologin-session-' + key_type)
        log = world.log()
        tap.ok('key=yes' in log, 'with a key of the broker\'s', log)
        log = world.server.log_tail(200)
        tap.ok('Accepted publickey for %s ' % world.user.name in log and
               'x2gobroker-agent/keys/' in log, 'which is what the server took', log)
        autologinlab.wait_until(start + LIFETIME + 10)
        tap.equal(keys_of(world.user), None, 'nothing was written to the home directory')
        tap.equal(ask_shell(client.screen, window, world.user, 'echo there'), 'there\n',
                  'and the session goes on')


def main():
    with lab.Tap() as tap, tempfile.TemporaryDirectory() as scratch, \
            contextlib.ExitStack() as stack:
        programs = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKER_AGENT')
        if len(programs) < 2 or not clientlab.all_is_there(tap, programs[0]) or \
                not tap.need(**autologinlab.PACKAGES):
            return
        clientlab.own_machine()
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        world = autologinlab.World(stack, *programs, person=clientlab.SessionUser)
        world.site.configure(autologin_key_lifetime=LIFETIME)
        world.profiles(world.profile(
            'desk', host='%s (127.0.0.1:%d)' % (socket.gethostname(),
                                                world.server.port),
            command='xterm -T %s -e sh' % TITLE, rootless='true', sound='false',
            print='false', fstunnel='false'))
        door = stack.enter_context(lab.Sshd())
        account = stack.enter_context(lab.Account())
        screen = stack.enter_context(clientlab.Screen(pictures, scratch))
        client = seat(world, door, account, screen)
        for key_type in key_types():
            with tap.case('the click, %s: no step failed' % key_type, client.tell,
                          world.tell, door.log_tail):
                clientlab.attempt(tap, 'the click', world.user,
                                  lambda: test_click(tap, world, client, key_type))


if __name__ == '__main__':
    main()
