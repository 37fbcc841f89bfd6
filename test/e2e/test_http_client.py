#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real X2Go client over HTTPS: passwords, sessions that run, sleep and are taken
over, automatic logins, brokers without logins, secrets, the next person, events and
orders, and maintenance.

usage: test_http_client.py X2GOBROKER-HTTP X2GOBROKER-PAM X2GOBROKER-AGENT X2GOBROKERCTL

The web server has the shipped lines and a certificate of an authority that the client
is told of.  It is another one each day; WEBSERVERS=all, or some of nginx, lighttpd and
apache2, separated by blanks, says which.  The sessions' server is this machine, with
the real agent, and an sshd that takes a password or a key.  SCREENSHOTS=DIR keeps the
pictures.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import autologinlab
import clientlab
import httplab
import lab
from clientlab import TITLE, ask_shell, living, running, session_window

PROFILE = '''\
[laboratory]
name = Laboratory
host = {host} (127.0.0.1:{port})
user = {user}
command = xterm -T {title} -e sh
rootless = true
sound = false
print = false
fstunnel = false
'''

FARM = '''\
default-agent-query-mode = SSH
agent-user = %s
agent-timeout = 20
request-timeout = 40
'''

PYHOCA = pathlib.Path(__file__).with_name('peer_pyhoca.py')
ERROR = '^Error$'       # the title of all boxes
LOGOUT = 46, 108        # the button of that name, on the screen


class User(httplab.Person, clientlab.SessionUser):
    password = 'p w+&=%x'       # which xdotool can type


class Server(autologinlab.Server):
    """It takes a password, and keys that a broker has made."""

    def __init__(self):
        super().__init__('.ssh/authorized_keys', autologinlab.FILE)
        self.pam = True

    def _config(self):
        return super()._config().replace(
            'AuthenticationMethods publickey',
            'AuthenticationMethods any\nPasswordAuthentication yes')


class Client(clientlab.Client):
    """With the URL of the web server, and a name in it, or none."""

    def __init__(self, world, screen, user, *options, name=None):
        world.clients.append(self)
        self.world, self.screen, self.user = world, screen, user
        self.output, self.last_words = None, ''
        name = user.name if name is None else name
        url = world.server.url().replace('://', '://%s@' % name if name else '://')
        self.command = ['setpriv', '--reuid', user.name, '--regid', user.name,
                        '--init-groups', 'x2goclient', '--debug', '--broker-url=' + url,
                        '--broker-cacertfile=%s/ca.pem' % world.server.tls, *options]

    def type_password(self, password, name=None):
        """On the page "Authentication".  The password has the focus, as the URL has a
        name; another name goes into the field before it."""
        keys = lambda *keys: self.screen.run('xdotool', 'key', *keys)
        text = lambda text: self.screen.run('xdotool', 'type', '--delay', '30', text)
        window = self.wait_for(lambda: self.screen.windows('^X2Go Client'), 30,
                               'the window')[0]
        self.screen.run('xdotool', 'windowactivate', '--sync', window)
        if name:
            keys('shift+Tab', 'ctrl+a')
            text(name)
            keys('Tab')
        keys('ctrl+a')
        text(password)
        keys('Tab', 'space')    # the button "Ok"

    def attempt(self, password, what, name=None):
        """Until the broker has logged what; keys that are typed too early are lost."""
        for _ in range(5):
            self.type_password(password, name)
            with contextlib.suppress(TimeoutError):
                return self.wait_for(lambda: self.world.logged(what), 8, what)
        raise TimeoutError(what)

    def log_in(self, name=None):
        self.attempt(self.user.password, 'by=password', name)
        self.wait_for(self.screen.buttons, 60, 'the session button')

    def log_out(self):
        """By the button of --broker-logoutbt, left of the list; then the list is gone."""
        self.press(lambda: self.screen.buttons() and [LOGOUT], 'the button "Logout"')


class World:
    """A broker, its agent, and the server of sessions; a web server comes later."""

    def __init__(self, tap, stack, pictures, scratch):
        enter = stack.enter_context
        programs = [os.path.abspath(path) for path in sys.argv[1:5]]
        self.ctl = programs[3]
        self.tap, self.pictures = tap, pictures
        self.site = httplab.Site(*programs[:2], stack)
        self.site.listen()
        self.agent = enter(lab.Account(shell='/bin/sh'))
        enter(autologinlab.store())
        self.sshd = enter(Server())
        self._install_agent(programs[2], stack)
        self.screens = [enter(clientlab.Screen(pictures, scratch)) for _ in range(2)]
        self.log = ''

    def _install_agent(self, program, stack):
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(directory, 0o755)
        path = autologinlab.install_agent(program, directory + '/x2gobroker-agent',
                                          self.agent.gid)
        key = pathlib.Path(lab.keypair(self.sshd.dir, name='service'))
        account = self.site.account
        account.put('.ssh/id_ed25519', key.read_text())
        account.put('.ssh/known_hosts', pathlib.Path(self.sshd.known_hosts).read_text())
        self.agent.put('.ssh/authorized_keys', 'restrict,command="%s" %s' % (
            path, pathlib.Path(str(key) + '.pub').read_text()))

    def run(self, *words):
        """x2gobrokerctl: its output."""
        return subprocess.run(
            [self.ctl, '-C', self.site.path('x2gobroker.conf'), *words], cwd='/',
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=120).stdout

    @contextlib.contextmanager
    def agent_stopped(self):
        """The service key leads to a program that says nothing."""
        path = pathlib.Path(self.agent.home, '.ssh/authorized_keys')
        line = path.read_text()
        path.write_text(re.sub('command="[^"]*"', 'command="/bin/false"', line))
        try:
            yield
        finally:
            path.write_text(line)

    def start(self, web, user, profile, conf='', login='BROKER_USER'):
        """What a story begins with."""
        self.server, self.clients = web, []
        self.site.forget()
        self.site.configure(FARM % self.agent.name + conf)
        self.site.profiles(PROFILE.format(host=socket.gethostname(), title=TITLE,
                                          port=self.sshd.port, user=login) + profile)
        user.put('.ssh/known_hosts', pathlib.Path(self.sshd.known_hosts).read_text())
        self.site.log()
        self.log = ''

    def logged(self, what):
        self.log += self.site.log()
        return what in self.log

    def shoot(self, client, what):
        client.screen.shoot('%s-%s' % (self.server.name, what))

    def tell(self):
        self.logged('')
        return '\n'.join([*[client.tell() for client in self.clients], self.log, self.server.said(), self.sshd.log_tail()])


def start_session(world, client, what):
    """From the button to a shell that answers: the session's id."""
    client.start_session()
    id, = client.wait_for(lambda: running(client.user), 60, 'an X2Go session')
    window = session_window(client)
    world.tap.equal(ask_shell(client.screen, window, client.user, 'id -un'),
                    client.user.name + '\n', what + ': a session runs')
    world.shoot(client, what.replace(' ', '-'))
    return id


def close_box(client):
    box = client.wait_for(lambda: client.screen.windows(ERROR), 60, 'a box')[0]
    client.screen.run('xdotool', 'windowactivate', '--sync', box, 'key', 'Return')
    client.wait_for(lambda: not client.screen.windows(ERROR), 10, 'the box to go')


# Stories: world, web server, user, their client's screens

def tell_password(world, web, user):
    """A wrong one, the right one, a session that gets it, its events, and the list
    again."""
    tap = world.tap
    world.start(web, user, 'usebrokerpass = true\n',
                'client-events = true\nliveevent = 5\n')
    with Client(world, world.screens[0], user) as client:
        client.wait_for(lambda: client.screen.windows('^X2Go Client'), 60, 'the window')
        world.shoot(client, 'page')
        client.attempt('wrong', 'account login: ')
        client.wait_for(lambda: client.screen.windows(ERROR), 60, 'a box')
        world.shoot(client, 'wrong-password')
        close_box(client)
        client.log_in()
        world.shoot(client, 'profiles')
        tap.equal(len(client.screen.buttons()), 1, 'password: one profile is on offer')
        id = start_session(world, client, 'usebrokerpass')
        client.wait_for(lambda: world.logged('event=ALIVE'), 60, 'an event')
        rows = json.loads(world.run('who', '--json'))['connected']
        tap.equal([(row['user'], row['session'], row['address']) for row in rows],
                  [(user.name, id, '127.0.0.1')], 'password: who shows the client')
        with world.agent_stopped():
            said = world.run('terminate', user.name, id, '--yes')
        tap.ok(id + ': terminated by its client\n' in said,
               'password: its agent is stopped, so the client ends the session', said)
        tap.equal(living(user), {}, 'password: and it has ended')
        client.wait_for(client.screen.buttons, 60, 'the session button again')
        tap.ok('refused task=clientevent' not in world.log, 'password: events', world.log)
        tap.ok(world.logged('granted task=selectsession user=%s by=token' % user.name),
               'password: the click came with a token', world.log)


def tell_key(world, web, user):
    """No password for the session, which sleeps, is resumed and taken over."""
    tap = world.tap
    world.start(web, user, 'broker-session-autologin = true\n')
    first, second = (Client(world, screen, user) for screen in world.screens)
    with first:
        first.log_in()
        tap.equal(clientlab.list_profiles(first), '', 'key: no session, no mark')
        id = start_session(world, first, 'automatic login')
        tap.ok(world.logged('key=yes'), 'automatic login: by a key', world.log)
        clientlab.suspend(user, id)
        clientlab.lose_session(first)
        lab.wait_for(lambda: living(user) == {id: 'S'}, 60, 'it to sleep')
    world.log = ''
    with first:
        first.log_in()
        tap.equal(clientlab.list_profiles(first), 'S', 'resume: it is marked')
        clientlab.show_sessions(first)
        world.shoot(first, 'sessions')
        clientlab.resume(first)
        tap.equal(living(user), {id: 'R'}, 'resume: the same session')
        world.logged('')
        world.log = ''
        with second:
            second.log_in()
            tap.equal(clientlab.list_profiles(second), 'R', 'running: it is marked')
            clientlab.show_sessions(second)
            window = clientlab.resume(second)
            tap.ok(world.logged('taken-over=yes'), 'running: it is taken over',
                   world.log)
            tap.equal(ask_shell(second.screen, window, user, 'id -un'),
                      user.name + '\n', 'running: and goes on')
            tap.equal(living(user), {id: 'R'}, 'running: it is the same')
            world.shoot(second, 'taken-over')


def tell_noauth(world, web, user):
    """No page for a password: the list at once, and the session by the user's key."""
    world.start(web, user, 'autologin = true\n', 'http-auth = none\n', user.name)
    key = user.home + '/key'
    if not os.path.exists(key):
        lab.keypair(user.home, 'rsa', 'key')
    user.put('.ssh/id_rsa', pathlib.Path(key).read_text())
    user.put('.ssh/authorized_keys', pathlib.Path(key + '.pub').read_text())
    with Client(world, world.screens[0], user, '--broker-noauth', name='') as client:
        start_session(world, client, 'noauth')
        world.tap.ok(world.logged('task=selectsession user=nobody by=claim'),
                     'noauth: nobody has logged in', world.log)
        world.tap.ok('key=yes' not in world.log, 'noauth: no key is given out',
                     world.log)


def tell_next_person(world, web, user):
    """A secret from a file lets the first one in; after the button "Logout", the next
    one logs in with the last one's token."""
    tap = world.tap
    world.start(web, user, 'usebrokerpass = true\n')
    with User() as other, Client(world, world.screens[0], user,
                                 '--broker-logoutbt') as client:
        client.log_in()
        world.shoot(client, 'logout')
        world.log = ''
        client.log_out()
        client.user = other
        client.log_in(other.name)
        tap.ok('granted task=listsessions user=%s by=password' % other.name in world.log,
               'next person: the password counts', world.log)


def tell_secret(world, web, user):
    """--auth-id names a file with the secret of require-cookie."""
    tap = world.tap
    world.start(web, user, '', 'require-cookie = true\nmy-cookie = open-sesame\n')
    secret = user.put('secret', 'open-sesame\n')
    with Client(world, world.screens[0], user) as client:
        client.attempt(user.password, 'refused task=listsessions')
        close_box(client)
        tap.ok(not client.ended(), 'secret: without it the client goes on')
    world.log = ''
    with Client(world, world.screens[0], user, '--auth-id=' + secret) as client:
        client.log_in()
        world.shoot(client, 'secret')
        tap.ok('granted task=listsessions' in world.log, 'secret: with it, a list',
               world.log)


def tell_pyhoca(world, web, user):
    """python-x2go lists, selects, and logs in with the key that it has sent."""
    tap = world.tap
    world.start(web, user, 'broker-session-autologin = true\n')

    def ask(password, *profile):
        done = subprocess.run(
            ['/usr/bin/python3', PYHOCA, web.url('/json/'), user.name, password, *profile],
            env={**os.environ, 'REQUESTS_CA_BUNDLE': web.tls + '/ca.pem'}, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    found = ask(user.password, 'laboratory')
    tap.ok(found['granted'], 'pyhoca: it is let in', found)
    profile = found['profiles'].get('laboratory', {})
    tap.equal([profile.get(key) for key in
               ('profile_name', 'username', 'cmd', 'session_type', 'snd_system')],
              ['Laboratory', user.name, 'xterm -T %s -e sh' % TITLE, 'application',
               'none'], 'pyhoca: the profile', found)
    tap.equal((found['server'], found['port'], found['account']),
              ('127.0.0.1', world.sshd.port, user.name),
              'pyhoca: its key opens the account at the server', found)
    tap.ok(world.logged('key=sent') and 'by=token' in world.log, 'pyhoca: the log',
           world.log)
    lines = autologinlab.stored().get(user.name, [])
    tap.ok(len(lines) == 1 and lines[0].startswith('restrict,pty,port-forwarding,expiry')
           and lines[0].endswith(' x2gobroker:' + user.name),
           'pyhoca: the key has our restrictions alone', lines)
    found = ask('wrong')
    tap.equal((found['granted'], found['profiles']), (False, {}),
              'pyhoca: a wrong password')


@contextlib.contextmanager
def two_asleep(user):
    """Two suspended sessions in X2Go's database."""
    rows = [('%s-%d-1763930965_stDXFCE_dp24' % (user.name, number), number, user.name,
             socket.gethostname(), '192.0.2.7', 'S', *['2026-11-23 20:49:25'] * 2,
             '%032x' % number, 1, 30001, 30002, 30003) for number in (90, 91)]
    with contextlib.closing(sqlite3.connect(clientlab.DATABASE, timeout=10,
                                            isolation_level=None)) as database:
        database.executemany(
            'INSERT INTO sessions (session_id, display, uname, server, client, status, '
            'init_time, last_time, cookie, agent_pid, gr_port, sound_port, fs_port) '
            'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', rows)
        try:
            yield
        finally:
            database.execute('DELETE FROM sessions WHERE uname = ?', [user.name])


def tell_maintenance(world, web, user):
    """Who has no session reads the text in a box; others get the list, whose button
    counts their sessions."""
    tap, text = world.tap, 'Down until two: new disks. Caf\u00e9 is open.'
    world.start(web, user, '')
    world.run('maintenance', text)
    with Client(world, world.screens[0], user) as client:
        client.attempt(user.password, 'reason="maintenance: ')
        client.wait_for(lambda: client.screen.windows(ERROR), 60, 'a box')
        world.shoot(client, 'maintenance')
        # lighttpd sends its own words for each status
        tap.ok((text if web.name != 'lighttpd' else 'Service Unavailable') in client.said(),
               'maintenance: the client has read it', client.said()[-1000:])
        with contextlib.suppress(RuntimeError):     # it ends
            close_box(client)
        lab.wait_for(client.ended, 10, 'the client to end')
    with two_asleep(user), Client(world, world.screens[0], user) as client:
        client.log_in()
        world.shoot(client, 'counters')
        tap.ok('suspended=2\\n' in client.said(), 'maintenance: who has sessions gets the '
               'list, and their number')


STORIES = [tell_password, tell_maintenance, tell_key, tell_noauth, tell_next_person, tell_secret,
           tell_pyhoca]


def web_servers():
    names = os.environ.get('WEBSERVERS')
    if names == 'all':
        return list(httplab.SERVERS)
    if names:
        return names.split()
    day = time.gmtime().tm_yday
    return [list(httplab.SERVERS)[day % len(httplab.SERVERS)]]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**{**clientlab.PACKAGES, **httplab.PACKAGES,
                           **autologinlab.PACKAGES}):
            return
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        clientlab.own_machine()
        world = World(tap, stack, pictures, scratch)
        tls = httplab.certificate(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chmod(tls, 0o755)
        for name in web_servers():
            tap.note('through ' + name)
            with httplab.WebServer(name, tls) as web:
                for story in STORIES:
                    if sys.argv[5:] and story.__name__ not in sys.argv[5:]:
                        continue
                    what = '%s, %s: no step failed' % (name, story.__name__)
                    with User() as user, tap.case(what, world.tell):
                        clientlab.attempt(tap, story.__name__, user,
                                          lambda: story(world, web, user))


main()
