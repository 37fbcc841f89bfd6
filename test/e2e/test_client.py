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
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import lab

PACKAGES = {
    'ssh': 'openssh-client', 'sshd': 'openssh-server', 'x2goclient': 'x2goclient',
    'x2golistsessions_root': 'x2goserver', 'x2goagent': 'x2goserver-x2goagent',
    'xterm': 'xterm', 'Xvfb': 'xvfb', 'openbox': 'openbox', 'xdotool': 'xdotool',
    'import': 'imagemagick', 'xwininfo': 'x11-utils', 'xclip': 'xclip',
    'setpriv': 'util-linux',
}
DATABASE = '/var/lib/x2go/x2go_sessions'
TITLE = 'Laboratory'            # of the window that the session shows


class Screen:
    """A virtual screen with a window manager, without which nothing would ever
    get the keyboard."""

    def __init__(self, pictures, scratch):
        self.pictures, self.scratch = pictures, scratch

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            display = self._xvfb(stack)
            self.env = {'DISPLAY': display, 'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8',
                        'HOME': '/nonexistent'}
            manager = subprocess.Popen(
                ['openbox'], env=self.env, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(lab.end_family, manager)
            lab.wait_for(lambda: 'window id' in
                         self.run('xprop', '-root', '_NET_SUPPORTING_WM_CHECK'),
                         10, 'the window manager')
            self.stack = stack.pop_all()
        return self

    def _xvfb(self, stack):
        """Xvfb picks a free display itself and tells its number on a pipe."""
        reader, writer = os.pipe()
        server = subprocess.Popen(
            ['Xvfb', '-displayfd', str(writer), '-screen', '0', '1280x1024x24',
             '-nolisten', 'tcp', '-noreset'], pass_fds=[writer],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(lab.end_family, server)
        os.close(writer)
        with open(reader) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise RuntimeError('Xvfb does not start')
        return ':' + number

    def run(self, *command):
        return subprocess.run(command, env=self.env, timeout=20, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, errors='replace').stdout

    def windows(self, title):
        """Ids of the windows on show whose title is this regular expression."""
        found = self.run('xdotool', 'search', '--onlyvisible', '--name', title)
        return re.findall(r'^\d+$', found, re.M)

    def shoot(self, name, window='root'):
        path = os.path.join(self.pictures, name.replace(' ', '-') + '.png')
        self.run('import', '-silent', '-window', window, path)
        return path

    def colours(self, picture):
        return int(self.run('identify', '-format', '%k', picture) or 0)

    def buttons(self):
        """Centres of the client's session buttons: light and 340 x 120 pixels,
        the only things of this size.  They aren't windows of their own."""
        picture = os.path.join(self.scratch, 'now.png')
        self.run('import', '-silent', '-window', 'root', picture)
        areas = self.run('convert', picture, '-threshold', '80%',
                         '-define', 'connected-components:verbose=true',
                         '-define', 'connected-components:area-threshold=9000',
                         '-connected-components', '4', 'null:')
        centres = []
        for area in re.findall(r' (\d+)x(\d+)\+(\d+)\+(\d+) .*(?:255|white)', areas):
            width, height, x, y = map(int, area)
            if 320 <= width <= 345 and 100 <= height <= 125:
                centres.append((x + width // 2, y + height // 2))
        return centres

    def __exit__(self, *_):
        self.stack.close()


class Client:
    """x2goclient, run by user, with the URL of the broker behind account."""

    def __init__(self, screen, user, account, sshd):
        self.screen, self.user, self.account = screen, user, account
        url = 'ssh://%s@127.0.0.1:%d/usr/lib/x2go/x2gobroker' % (account, sshd.port)
        self.command = ['setpriv', '--reuid', user.name, '--regid', user.name,
                        '--init-groups', 'x2goclient', '--debug',
                        '--broker-url=' + url,
                        '--broker-ssh-key=%s/.ssh/broker' % user.home]

    def __enter__(self):
        env = {**self.screen.env, 'HOME': self.user.home, 'USER': self.user.name,
               'LOGNAME': self.user.name, 'SHELL': '/bin/bash'}
        self.output = tempfile.TemporaryFile()
        # A process group of its own: when the client ends, its helper kills all
        # that is in it.
        self.process = subprocess.Popen(
            self.command, env=env, cwd=self.user.home, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        return self

    def ended(self):
        return self.process.poll() is not None

    def wait_for(self, condition, timeout, what):
        """As lab.wait_for, but give up when the client has ended."""
        value = lab.wait_for(lambda: condition() or self.ended(), timeout, what)
        if self.ended():
            raise RuntimeError('x2goclient ended before %s' % what)
        return value

    def start_session(self):
        """Click on the session button until it goes away: a click is lost when
        the window gets the focus only now."""
        for _ in range(5):
            button, = self.wait_for(self.screen.buttons, 15, 'a session button')
            self.screen.run('xdotool', 'mousemove', *map(str, button), 'click', '1')
            with contextlib.suppress(TimeoutError):
                return self.wait_for(lambda: not self.screen.buttons(), 3,
                                     'the session button to go')
        raise TimeoutError('the session button does not react')

    def tell(self):
        self.output.seek(0)
        lines = self.output.read().decode(errors='replace').splitlines()
        return '\n'.join(['x2goclient said at last:'] + lines[-40:])

    def __exit__(self, *_):
        lab.end_family(self.process)
        self.output.close()


# The session, as its server sees it

def sessions(user):
    """{session id: state} of this user's sessions.  Ended ones stay listed, in
    state F, until a daemon of X2Go's forgets them, if it runs at all."""
    lines = subprocess.run(['x2golistsessions_root'], timeout=20, text=True,
                           check=True, stdout=subprocess.PIPE).stdout.splitlines()
    rows = [line.split('|') for line in lines]
    return {row[1]: row[4] for row in rows if row[11] == user.name}


def running(user):
    return [session for session, state in sessions(user).items() if state == 'R']


def terminate_sessions(user):
    for session in running(user):
        subprocess.run(['runuser', '-u', user.name, '--', 'x2goterminate-session',
                        session], timeout=30, check=True, stdout=subprocess.DEVNULL)


class SessionUser(lab.Account):
    """An account that leaves no trace in X2Go's database either, as it might after
    a failure."""

    def __exit__(self, *_):
        super().__exit__()
        with contextlib.closing(sqlite3.connect(DATABASE, timeout=10)) as database:
            with database:
                database.execute('DELETE FROM sessions WHERE uname = ?', [self.name])


# The site: configuration files, and keys for both sshds

CONF = '''\
[global]
broker-account = {account}
profiles-dir = {dir}/profiles.d
account-check = never
log-file = {dir}/broker.log

[broker_inifile]
session-profiles = {dir}/profiles.conf
'''

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


class Site:
    """A broker configuration, in a directory that only root may write to, as the
    broker insists."""

    def __init__(self, program, account):
        self.program, self.account = program, account

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-site.')
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path('profiles.d'))
        self.write('x2gobroker.conf', CONF.format(account=self.account, dir=self.dir))
        self.write('broker.log', '')
        os.chmod(self.path('broker.log'), 0o666)
        return self

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_text(text)

    def offer(self, user, server):
        """Profiles of which this user may see one."""
        self.write('profiles.conf', PROFILES.format(
            port=server.port, user=user, title=TITLE))

    def command(self, *pin):
        return ' '.join([self.program, '-C', self.path('x2gobroker.conf'), *pin])

    def tell(self):
        lines = pathlib.Path(self.path('broker.log')).read_text().splitlines()
        return '\n'.join(['the broker logged:'] + lines[-20:])

    def __exit__(self, *_):
        shutil.rmtree(self.dir)


def give_key(user, sshd, file, account, options):
    """A new key for the user, kept in ~/.ssh/file and authorized for account;
    and the host key of sshd, which the client asks about otherwise."""
    key = lab.keypair(sshd.dir, 'rsa', file)
    sshd.authorize(account, key + '.pub', options)
    user.put('.ssh/' + file, pathlib.Path(key).read_text())
    known = pathlib.Path(user.home, '.ssh/known_hosts')
    before = known.read_text() if known.exists() else ''
    user.put('.ssh/known_hosts',
             before + pathlib.Path(sshd.known_hosts).read_text())


@contextlib.contextmanager
def client_at_door(tap, program, screen, name, own_account=False, configure=None):
    """A site with an sshd that leads to the broker (the door) and one that is the
    X2Go server, and a client which has just been started.  That is the test case
    called name, too; yields the client, its user, the site, and the door."""
    with lab.Account() as shared, SessionUser() as user, \
            Site(program, shared.name) as site:
        pinned = site.command('--user', user.name)
        force = 'Match User %s\n    ForceCommand %s' % (user.name, site.command())
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
    client.wait_for(screen.buttons, 30, 'the session button')
    screen.shoot(name + '-1-profiles')
    tap.equal(len(screen.buttons()), 1, name + ': one profile is on offer')

    client.start_session()
    found = client.wait_for(lambda: running(user), 30, 'an X2Go session in state R')
    tap.equal(len(found), 1, name + ': the server runs one session')
    window = client.wait_for(lambda: screen.windows('^%s$' % TITLE), 30,
                             "the session's window")[0]
    tap.ok(type_in(screen, window, user), name + ': the session takes the keyboard')
    part = screen.colours(screen.shoot(name + '-3-window', window))
    whole = screen.colours(screen.shoot(name + '-2-session'))
    tap.ok(part > 1 and whole > 100, name + ': the pictures show something',
           'colours: window %d, screen %d' % (part, whole))

    terminate_sessions(user)
    client.wait_for(lambda: not running(user), 20, 'the session to end')
    client.wait_for(screen.buttons, 20, 'the session button again')
    tap.ok(True, name + ': after the session the client lists profiles again')


def type_in(screen, window, user):
    """Type a command into the session's terminal and see what it did.  Keys are
    lost when the window isn't active yet, so try again."""
    proof = pathlib.Path(user.home, 'proof')
    for _ in range(5):
        screen.run('xdotool', 'windowactivate', '--sync', window)
        screen.run('xdotool', 'type', '--delay', '20', 'id -un >~/proof\n')
        with contextlib.suppress(TimeoutError):
            lab.wait_for(lambda: proof.exists() and proof.read_text(), 3)
            return proof.read_text() == user.name + '\n'
    return False


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
        box = client.wait_for(lambda: screen.windows('^Error$'), 30, 'a message box')[0]
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
        text = client.wait_for(lambda: terminal_output(screen), 30, 'some text')
        screen.shoot(name)
        tap.equal(text.split(), answer.split(), name + ': the user can read why')
        # Two: ours above, and the client's only one.
        tap.equal(pathlib.Path(door.log).read_text().count('Starting session'), 2,
                  name + ': the client does not knock again and again')


def terminal_output(screen):
    """The text in the middle of the client's window, by way of the selection that
    select-all makes of it."""
    for window in screen.windows('^X2Go Client$'):
        screen.run('xdotool', 'windowactivate', '--sync', window,
                   'mousemove', '--window', window, '400', '300', 'click', '1',
                   'key', 'ctrl+a')
    text = screen.run('xclip', '-o', '-selection', 'primary')
    return '' if text.startswith('Error:') else text.strip()


def all_is_there(tap, program):
    nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
    return tap.need(**PACKAGES) and all([
        tap.ok(any(pathlib.Path('/usr/share/fonts').rglob('*.ttf')),
               'there is a font', 'please run: apt-get install fonts-dejavu-core'),
        tap.ok(os.path.exists(DATABASE), "X2Go's database is there",
               'please run: x2godbadmin --createdb'),
        tap.ok(subprocess.run([*nobody, program, '--version'],
                              stdout=subprocess.DEVNULL).returncode == 0,
               'all users can run the broker', 'usage: test_client.py PATH',
               'PATH: the built x2gobroker, below directories that all may enter')])


def main():
    program = os.path.abspath((sys.argv + [os.environ.get('X2GOBROKER', '')])[1])
    with lab.Tap() as tap, tempfile.TemporaryDirectory() as scratch:
        if not all_is_there(tap, program):
            return
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        with Screen(pictures, scratch) as screen:
            for test in (test_shared_account, test_own_account, test_no_profiles,
                         test_broken_configuration):
                test(tap, program, screen)


if __name__ == '__main__':
    main()
