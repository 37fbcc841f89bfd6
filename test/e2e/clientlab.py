# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests with the real X2Go client share: a virtual screen, the client on it,
a broker's site with keys for it, and what the X2Go server says of sessions.
"""

import contextlib
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import zlib

import brokerlab
import lab

PACKAGES = {
    'ssh': 'openssh-client', 'sshd': 'openssh-server', 'x2goclient': 'x2goclient',
    'x2golistsessions_root': 'x2goserver', 'x2goagent': 'x2goserver-x2goagent',
    'xterm': 'xterm', 'Xvfb': 'xvfb', 'openbox': 'openbox', 'xdotool': 'xdotool',
    'import': 'imagemagick', 'xwininfo': 'x11-utils', 'xclip': 'xclip',
    'setpriv': 'util-linux', 'ip': 'iproute2',
}
DATABASE = '/var/lib/x2go/x2go_sessions'
TITLE = 'Laboratory'            # of the window that a test's session shows


def own_machine():
    """From now on we and our children have mounts and a loopback network of our own.
    The client and the X2Go server want ports above 30000, and a session does not
    start when another connection of this machine happens to have one of them."""
    lab.own_mounts(lab.CLONE_NEWNET)
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    pathlib.Path('/proc/sys/net/ipv4/ip_local_port_range').write_text('10000 19999')


class Screen:
    """A virtual screen with a window manager, without which nothing would ever
    get the keyboard."""

    def __init__(self, pictures, scratch):
        self.pictures, self.scratch = pictures, scratch

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            display = self._xvfb(stack)
            self.env = {'DISPLAY': display, 'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8',
                        'HOME': self.scratch,      # openbox writes there
                        'MAGICK_THREAD_LIMIT': '1'}
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
        pixels = stack.enter_context(tempfile.TemporaryDirectory())
        self.pixels = pathlib.Path(pixels, 'Xvfb_screen0')
        self.seen = None, {}
        server = subprocess.Popen(
            ['Xvfb', '-displayfd', str(writer), '-screen', '0', '1280x1024x24',
             '-fbdir', pixels, '-nolisten', 'tcp', '-noreset'], pass_fds=[writer],
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

    def areas(self, threshold):
        """(width, height, x, y) of all that is at least so light.  Most of what the
        client shows is no window of its own.  To look takes a while, and while somebody
        waits nothing changes most times."""
        now = zlib.crc32(self.pixels.read_bytes())
        if now != self.seen[0]:
            self.seen = now, {}
        if threshold in self.seen[1]:
            return self.seen[1][threshold]
        found = self._look(threshold)
        if now == zlib.crc32(self.pixels.read_bytes()):
            self.seen[1][threshold] = found
        return found

    def _look(self, threshold):
        picture = os.path.join(self.scratch, 'now%s.ppm' % self.env['DISPLAY'][1:])
        self.run('import', '-silent', '-window', 'root', picture)
        areas = self.run('convert', picture, '-threshold', threshold,
                         '-define', 'connected-components:verbose=true',
                         '-define', 'connected-components:area-threshold=9000',
                         '-connected-components', '4', 'null:')
        return [tuple(map(int, area)) for area in
                re.findall(r' (\d+)x(\d+)\+(\d+)\+(\d+) .*(?:255|white)', areas)]

    def buttons(self):
        """Centres of the client's session buttons, the only things of this size."""
        return [(x + width // 2, y + height // 2)
                for width, height, x, y in self.areas('80%')
                if 320 <= width <= 345 and 100 <= height <= 125]

    def resume_buttons(self):
        """Centre of "Resume" below the list of the page "Select session", of which
        this is found: what is white in it below the first row, which is blue."""
        return [(x + 159, y + 106) for width, height, x, y in self.areas('97%')
                if 290 <= width <= 305 and 65 <= height <= 80]

    def __exit__(self, *_):
        self.stack.close()


class Client:
    """x2goclient, run by user, with the URL of the broker behind account.  It finds
    its keys in the user's home directory: see give_key()."""

    def __init__(self, screen, user, account, sshd):
        self.screen, self.user, self.account = screen, user, account
        url = 'ssh://%s@127.0.0.1:%d/usr/lib/x2go/x2gobroker' % (account, sshd.port)
        self.command = ['setpriv', '--reuid', user.name, '--regid', user.name,
                        '--init-groups', 'x2goclient', '--debug',
                        '--broker-url=' + url,
                        '--broker-ssh-key=%s/.ssh/broker' % user.home]
        self.output, self.last_words = None, ''

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
        # to look at the screen takes the time that the client needs
        value = lab.wait_for(lambda: condition() or self.ended(), timeout, what, 0.3)
        if self.ended():
            raise RuntimeError('x2goclient ended before %s' % what)
        return value

    def press(self, buttons, what):
        """Click on the one button that buttons() finds until it goes away: a click
        is lost when the window gets the focus only now."""
        button, = self.wait_for(buttons, 15, what)
        for _ in range(5):
            self.screen.run('xdotool', 'mousemove', *map(str, button), 'click', '1')
            with contextlib.suppress(TimeoutError):
                return self.wait_for(lambda: not buttons(), 6, what + ' to go')
        raise TimeoutError(what + ' does not react')

    def start_session(self):
        self.press(self.screen.buttons, 'the session button')

    def resume_session(self):
        """On the page "Select session", the first one, which must be suspended."""
        self.press(self.screen.resume_buttons, 'the list of sessions')

    def said(self):
        """All that it has printed, of which there is a lot with --debug."""
        if not self.output:
            return self.last_words
        self.output.seek(0)
        return self.output.read().decode(errors='replace')

    def tell(self):
        lines = self.said().splitlines()
        return '\n'.join(['x2goclient said at last:'] + lines[-40:])

    def __exit__(self, *_):
        lab.end_family(self.process)
        self.last_words = self.said()
        self.output = self.output.close()


# What a client shows

def list_profiles(client):
    """The status that the one profile has in the client's list: '', 'S' or 'R'."""
    client.wait_for(client.screen.buttons, 60, 'the session button')
    listing = re.findall('Inifile content: "(.*)"', client.said())[-1]
    return ''.join(re.findall(r'\\nstatus=(\w)\\n', listing))


def session_window(client):
    windows = lambda: client.screen.windows('^%s$' % TITLE)
    return client.wait_for(windows, 60, "the session's window")[0]


def show_sessions(client):
    """Click on the one profile, and wait for the list of its sessions."""
    client.start_session()
    client.wait_for(client.screen.resume_buttons, 60, 'the list of sessions')


def resume(client):
    """From the list of sessions to the session's window."""
    client.resume_session()
    return session_window(client)


def lose_session(client):
    windows = lambda: client.screen.windows('^%s$' % TITLE)
    client.wait_for(lambda: not windows(), 60, "the session's window to go")


# Sessions, as their server sees them

def sessions(user):
    """{session id: state} of this user's sessions.  Ended ones stay listed, in
    state F, until a daemon of X2Go's forgets them, if it runs at all."""
    lines = subprocess.run(['x2golistsessions_root'], timeout=20, text=True,
                           check=True, stdout=subprocess.PIPE).stdout.splitlines()
    rows = [line.split('|') for line in lines]
    return {row[1]: row[4] for row in rows if row[11] == user.name}


def living(user):
    return {session: state for session, state in sessions(user).items() if state != 'F'}


def running(user):
    return [session for session, state in sessions(user).items() if state == 'R']


def ask_shell(screen, window, user, command):
    """Type a command into the session's terminal; what it prints.  Keys are lost
    when the window isn't active yet, so try again."""
    proof = pathlib.Path(user.home, 'proof')
    proof.unlink(missing_ok=True)
    for _ in range(5):
        screen.run('xdotool', 'windowactivate', '--sync', window)
        screen.run('xdotool', 'type', '--delay', '20', command + ' >~/proof\n')
        with contextlib.suppress(TimeoutError):
            return lab.wait_for(lambda: proof.exists() and proof.read_text(), 3)
    return ''


def suspend(user, id):
    """On the server, as its own user: the client loses it.  Most times it goes back
    to its list; now and then a channel of its own fails, and it says so in a box."""
    subprocess.run(['runuser', '-u', user.name, '--', 'x2gosuspend-session', id],
                   timeout=30, check=True, stdout=subprocess.DEVNULL)


def terminate_sessions(user):
    for session in living(user):
        subprocess.run(['runuser', '-u', user.name, '--', 'x2goterminate-session',
                        session], timeout=30, check=True, stdout=subprocess.DEVNULL)


def attempt(tap, name, user, story):
    """Run story(), and once more where it has not come to its end: the real client
    loses a channel or a click now and then.  What is wrong with what it came to is
    wrong all the same.  No session of the user's is left."""
    try:
        story()
    except (TimeoutError, RuntimeError) as why:
        tap.note('%s: once more, as: %s' % (name, why))
        terminate_sessions(user)
        story()
    finally:
        terminate_sessions(user)


class SessionUser(lab.Account):
    """An account that leaves no trace in X2Go's database either, as it might after
    a failure."""

    def __exit__(self, *_):
        super().__exit__()
        with contextlib.closing(sqlite3.connect(DATABASE, timeout=10)) as database:
            with database:
                database.execute('DELETE FROM sessions WHERE uname = ?', [self.name])


class Site(brokerlab.Site):
    """A broker's site."""

    def tell(self):
        lines = pathlib.Path(self.path('broker.log')).read_text().splitlines()
        return '\n'.join(['the broker logged:'] + lines[-20:])


def give_key(user, sshd, file, account, options):
    """A new key for the user, kept in ~/.ssh/file and authorized for account;
    and the host key of sshd, which the client asks about otherwise."""
    key = lab.keypair(sshd.dir, 'rsa', '%s-%s' % (user.name, file))
    sshd.authorize(account, key + '.pub', options)
    user.put('.ssh/' + file, pathlib.Path(key).read_text())
    known = pathlib.Path(user.home, '.ssh/known_hosts')
    before = known.read_text() if known.exists() else ''
    user.put('.ssh/known_hosts',
             before + pathlib.Path(sshd.known_hosts).read_text())


def all_is_there(tap, program):
    nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
    return tap.need(**PACKAGES) and all([
        tap.ok(any(pathlib.Path('/usr/share/fonts').rglob('*.ttf')),
               'there is a font', 'please run: apt-get install fonts-dejavu-core'),
        tap.ok(os.path.exists(DATABASE), "X2Go's database is there",
               'please run: x2godbadmin --createdb'),
        tap.ok(subprocess.run([*nobody, program, '--version'],
                              stdout=subprocess.DEVNULL).returncode == 0,
               'all users can run the broker',
               'usage: %s PATH' % os.path.basename(sys.argv[0]),
               'PATH: the built x2gobroker, below directories that all may enter')])
