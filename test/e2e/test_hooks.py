#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of the site that are asked before a login and before a server is chosen; and
the two examples of contrib/example.

usage: test_hooks.py PATH-TO-X2GOBROKER    (or X2GOBROKER=PATH)
"""

import contextlib
import os
import pathlib
import re
import socket
import threading
import time

import brokerlab
import farmlab

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / 'contrib/example'
MAC = '52:54:00:12:34:56'
MAGIC = b'\xff' * 6 + bytes.fromhex(MAC.replace(':', '')) * 16


def install(site, name, change=lambda text: text):
    """An example, as an administrator copies it."""
    path = site.write(name, change((EXAMPLES / name).read_text()))
    os.chmod(path, 0o755)
    return path


def hook(site, lines):
    path = site.write('hook', '#!/bin/sh\n%s\n' % lines)
    os.chmod(path, 0o755)
    return path


def test_office_hours(tap, farm):
    farm.profiles(farm.profile('desk'))
    closed = install(farm.site, 'office-hours',
                     lambda text: re.sub('OPEN=.*', 'OPEN=2400', text))
    with farm.site.configured(login_hook=closed):
        answer = farm.site.forced(brokerlab.LOGIN_CHECK, '--user', farm.user)
        tap.ok(b'LOGIN OK' not in answer.stdout and answer.stdout.endswith(b'\n'),
               'office-hours: closed, at the login check', answer)
        log = farm.site.log_text()
        tap.ok('refused task=login' in log and 'login-hook refuses: it is ' in log,
               'and the log says why', log)
        tap.equal((farm.list().states, farm.select().server), (None, None),
                  'nor is a task granted')
    opened = install(farm.site, 'office-hours', lambda text: re.sub(
        'DAYS=.*', 'DAYS=1234567', re.sub('CLOSE=.*', 'CLOSE=2400', re.sub(
            'OPEN=.*', 'OPEN=0000', text))))
    with farm.site.configured(login_hook=opened):
        tap.equal(farm.site.forced(brokerlab.LOGIN_CHECK, '--user', farm.user).stdout,
                  b'LOGIN OK\n', 'office-hours: open')
        tap.ok(farm.list().states and farm.select().server, 'and tasks are granted')


def test_wake_server(tap, farm):
    """The server is down until somebody has heard the magic packet."""
    server = farm.servers[0]
    farm.profiles(farm.profile('desk', [server]))
    path = install(farm.site, 'wake-server')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener, \
            farm.site.configured(select_hook=path, hook_timeout=30):
        listener.bind(('127.0.0.1', 0))
        listener.settimeout(20)
        farm.site.write('wake.conf', '# servers that sleep\n%s %s 127.0.0.1:%d\n' % (
            server.name, MAC, listener.getsockname()[1]))
        tap.equal(farm.select().server, server.name, 'a server that is awake')
        heard = []
        with contextlib.ExitStack() as stack:
            stack.enter_context(server.down())

            def sleeper():
                heard.append(listener.recv(1000))
                stack.close()

            thread = threading.Thread(target=sleeper)
            thread.start()
            chosen = farm.select()
            thread.join(30)
        tap.equal((chosen.server, heard), (server.name, [MAGIC]),
                  'a server that sleeps is woken, and used', farm.site.log_text())
    with farm.site.configured(select_hook=path, hook_timeout=2):
        farm.site.write('wake.conf', '%s %s 127.0.0.1:9\n' % (server.name, MAC))
        with server.down():
            start = time.monotonic()
            tap.equal(farm.select().server, None, 'a server that stays asleep')
            tap.ok(time.monotonic() - start < 15, 'is not waited for longer')
        tap.ok('select-hook did not end in time' in farm.site.log_text(),
               'and the log says why')


def test_choice(tap, farm):
    farm.profiles(farm.profile('desk', farm.servers))
    names = ['%s:%d' % (server.name, server.port) for server in farm.servers]
    farm.servers[1].play(sessions=[])
    say = hook(farm.site, "printf 'allow\\nin-order\\nserver=%s\\nserver=%s\\n'" % (
        names[1], names[0]))
    with farm.site.configured(select_hook=say):
        tap.equal([farm.select().server for _ in range(3)], ['ts02'] * 3,
                  'the order of the hook counts')
        farm.site.write('drained', 'ts02\n')
        tap.equal(farm.select().server, 'ts02', 'it can add a drained server')
        farm.site.write('drained', 'ts02 blocked\n')
        chosen = farm.select()
        tap.equal(chosen.server, None, 'but not a blocked one')
        tap.ok('not a server of the profile: ' + names[1] in farm.site.log_text(),
               'and the log says why')
        farm.site.write('drained', '')
        farm.servers[0].play(sessions=[farmlab.session(farm.user, 'ts01')])
        tap.equal(farm.select().server, 'ts01', 'a session is resumed where it is')
        farm.servers[0].play(sessions=[])


if __name__ == '__main__':
    farmlab.run([test_office_hours, test_wake_server, test_choice], 2)
