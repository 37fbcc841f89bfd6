#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobrokerctl setup, on a machine of its own: a private view of /etc, /usr,
/var and /run, with processes and a network that nobody else sees. Nothing that
is done there is seen outside.

usage: test_setup.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL

The build that they are from is installed there, so it must have prefix=/usr.
"""

import contextlib
import fcntl
import os
import pathlib
import pty
import pwd
import re
import select
import shutil
import socket
import stat
import subprocess
import tempfile
import time

import brokerlab
import copylab
import lab

TOPS = 'etc', 'usr', 'var', 'run'
CTL = '/usr/sbin/x2gobrokerctl'
BROKER = '/usr/lib/x2go/x2gobroker'
HELPER = '/usr/lib/x2go/x2gobroker-pam'
SNIPPET = '/etc/ssh/sshd_config.d/x2gobroker.conf'
MANIFEST = '/var/lib/x2gobroker-setup/manifest'
FIRST = '/etc/x2go/broker/profiles.d/first.conf'
HOME = '/var/lib/x2gobroker'
CONFIG = '/etc/x2go/x2gobroker.conf'
SHIPPED_DIRS = '/usr/lib/tmpfiles.d/x2gobroker.conf'
SHARED = ['setup', '--shared', '--host', 'ts01.example', '--yes']
GROUP = ['setup', '--group', 'x2gousers', '--host', 'ts01.example', '--yes']

# What programs that change accounts leave: backups, a lock, logs.
IGNORED = re.compile(r'/etc/(passwd|group|shadow|gshadow|subuid|subgid)-|'
                     r'/etc/\.pwd\.lock|/var/log/.*|/run/utmp|/run/motd\.dynamic')


def run(*words, check=True, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **more)
    if check and done.returncode != 0:
        raise RuntimeError('%s: %s' % (words, done.stdout))
    return done.stdout


def mount(*words):
    run('mount', *words)


def describe(path):
    """All that can differ in a file."""
    try:
        st = os.lstat(path)
    except FileNotFoundError:
        return None
    content = None
    if stat.S_ISREG(st.st_mode):
        content = pathlib.Path(path).read_bytes()
    elif stat.S_ISLNK(st.st_mode):
        content = os.readlink(path)
    return oct(st.st_mode), st.st_uid, st.st_gid, content


class Machine:
    """Layers over /etc, /usr, /var and /run. What prepare() does is below what a
    test does; fresh() takes the latter away."""

    def __init__(self, stack):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-setup.')
        stack.callback(os.rmdir, self.dir)
        mount('-t', 'tmpfs', 'tmpfs', self.dir)
        stack.callback(run, 'umount', '-l', self.dir)
        os.chmod(self.dir, 0o755)
        for top in TOPS:
            os.makedirs(self.path('original', top))
            mount('--bind', '/' + top, self.path('original', top))
        self.layer = 0
        self.cover('/', [])
        self.prepared = self.layer

    def path(self, *names):
        return os.path.join(self.dir, *map(str, names))

    def cover(self, root, lower):
        """Mount a new layer over the tops, above those of the numbers."""
        self.layer += 1
        for top in TOPS:
            upper, work = (self.path(self.layer, kind, top)
                           for kind in ('upper', 'work'))
            os.makedirs(upper)
            os.makedirs(work)
            shutil.copystat('/' + top, upper)
            below = [self.path(n, 'upper', top) for n in lower]
            mount('-t', 'overlay', 'overlay', '-o', 'lowerdir=%s,upperdir=%s,workdir=%s'
                  % (':'.join(below + [self.path('original', top)]), upper, work),
                  os.path.join(root, top))

    def uncover(self):
        for top in TOPS:
            run('umount', '-l', '/' + top)

    def seal(self):
        """What is there now is what all tests begin with."""
        self.uncover()
        for top in TOPS:
            os.makedirs(self.path('base', top))
            mount('-t', 'overlay', 'overlay', '-o', 'lowerdir=%s:%s' %
                  (self.path(self.prepared, 'upper', top), self.path('original', top)),
                  self.path('base', top))

    @contextlib.contextmanager
    def fresh(self):
        self.cover('/', [self.prepared])
        try:
            yield
        finally:
            self.uncover()

    def changes(self):
        """The paths that are not as they were, to the last byte."""
        changed = []
        for top in TOPS:
            upper = self.path(self.layer, 'upper', top)
            for directory, names, files in os.walk(upper):
                for name in names + files:
                    path = os.path.relpath(os.path.join(directory, name), upper)
                    path = os.path.join('/', top, path)
                    if not IGNORED.fullmatch(path) and \
                            describe(path) != describe(self.path('base') + path):
                        changed.append(path)
        return sorted(changed)


def prepare(build):
    """A machine without a broker, and with the programs of this build."""
    for kind, delete in (('passwd', 'userdel'), ('group', 'groupdel')):
        for name in ('x2gobroker', 'x2gousers'):
            if subprocess.run(['getent', kind, name],
                              stdout=subprocess.DEVNULL).returncode == 0:
                run(delete, name, check=False)
    for path in ('/etc/x2go', HOME, '/run/x2gobroker', '/etc/pam.d/x2gobroker', SNIPPET,
                 '/etc/tmpfiles.d/x2gobroker.conf', SHIPPED_DIRS,
                 os.path.dirname(MANIFEST), '/run/sshd'):
        run('rm', '-rf', path)
    with open('/etc/hosts', 'a') as file:
        file.write('127.0.0.1 ts01.test\n')
    run('meson', 'install', '--no-rebuild', '-C', build)
    os.makedirs('/etc/ssh/sshd_config.d', exist_ok=True)
    for name in ('alice', 'bob'):
        if name not in {entry.pw_name for entry in pwd.getpwall()}:
            run('useradd', '--create-home', '--home-dir', '/var/lib/' + name, '--shell',
                '/bin/bash', '--password', '*', name)
    run('ssh-keygen', '-A')
    pathlib.Path('/etc/ssh/sshd_config').write_text(
        'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nPidFile /run/sshd.pid\n')


def ctl(*words, input=None):
    stdin = {'input': input} if input is not None else {'stdin': subprocess.DEVNULL}
    return subprocess.run([CTL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60, cwd='/', env={'PATH': '/usr/bin:/bin'},
                          **stdin)


def done(tap, name, *words, status=0, says=()):
    """Run it, and test its exit status and some of its words."""
    result = ctl(*words)
    tap.ok(result.returncode == status and
           all(text in result.stdout + result.stderr for text in says), name, result)
    return result.stdout + result.stderr


def terminal(*words, answers=()):
    """(status, text) of a run at a terminal, where a person waits for a text and
    types an answer: answers are pairs of them."""
    master, slave = pty.openpty()
    process = subprocess.Popen([CTL, *words], stdin=slave, stdout=slave, stderr=slave,
                               cwd='/', env={'PATH': '/usr/bin:/bin', 'TERM': 'xterm'})
    os.close(slave)
    text, seen, answers, end = '', 0, list(answers), time.monotonic() + 60
    while True:
        if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
            process.kill()
            raise TimeoutError('the terminal shows: %r' % text)
        try:
            text += os.read(master, 65536).decode(errors='replace')
        except OSError:                         # all other ends are closed
            break
        if answers and answers[0][0] in text[seen:]:
            seen = len(text)
            os.write(master, answers.pop(0)[1].encode())
    os.close(master)
    return process.wait(10), text.replace('\r\n', '\n')


@contextlib.contextmanager
def sshd():
    """The machine's own, with the configuration that is there."""
    os.makedirs('/run/sshd', exist_ok=True)
    log = tempfile.mktemp(prefix='sshd.', dir='/run')
    process = subprocess.Popen(['/usr/sbin/sshd', '-D', '-E', log],
                               stdin=subprocess.DEVNULL)
    try:
        lab.wait_for(lambda: os.path.exists('/run/sshd.pid'), 10, 'sshd to listen')
        yield process
    finally:
        lab.end_family(process)
        for path in (log, '/run/sshd.pid'):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        os.rmdir('/run/sshd')


def ssh(account, key, command, tty=False):
    return subprocess.run(
        ['ssh', '-F', 'none', '-tt' if tty else '-T', '-l', account, '-i', key,
         '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none',
         '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
         '-o', 'LogLevel=ERROR', '127.0.0.1', command], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)


# The shared account

def test_shared(tap, machine):
    plan = done(tap, 'shared, --dry-run', *SHARED[:-1], '--dry-run', says=[
        'systemd-sysusers /usr/lib/sysusers.d/x2gobroker.conf',
        'directories: make those that are missing', '--prefix=/run/x2gobroker ',
        SHIPPED_DIRS, HELPER + ': set owner and mode: root:x2gobroker, 4750',
        '+ \tAuthorizedKeysCommand %s authorized-keys %%u %%t %%k' % CTL])
    tap.equal(machine.changes(), [], '--dry-run changes nothing', plan)
    text = done(tap, 'shared', *SHARED, says=['account x2gobroker: done',
                                              SNIPPET + ': done', 'authorize NAME'])
    tap.equal(re.findall(r'(?m)^  ((?:account |group |password of )?\S+): ', plan),
              re.findall(r'(?m)^((?:account |group |password of )?\S+): done$', text),
              'what was shown is what was done, in that order')
    entry = pwd.getpwnam('x2gobroker')
    tap.equal((entry.pw_dir, entry.pw_shell, entry.pw_uid < 1000),
              (HOME, '/bin/sh', True), 'the account')
    tap.equal(run('getent', 'shadow', 'x2gobroker').split(':')[1], '*',
              'it is not locked')
    tap.ok(not os.path.exists('/etc/tmpfiles.d/x2gobroker.conf'),
           'the installed line makes the directories at each boot, too')
    for path, mode, owner in (
            ('/etc/x2go/broker/profiles.d', 0o40755, 0),
            ('/etc/x2go/broker/keys.d', 0o40755, 0),
            (HOME, 0o40755, entry.pw_uid), (HOME + '/cookies', 0o40700, entry.pw_uid),
            ('/run/x2gobroker', 0o40700, entry.pw_uid), (HELPER, 0o104750, 0),
            ('/etc/pam.d/x2gobroker', 0o100644, 0), (SNIPPET, 0o100644, 0),
            (FIRST, 0o100644, 0), (MANIFEST, 0o100600, 0),
            (os.path.dirname(MANIFEST), 0o40700, 0)):
        st = os.stat(path)
        tap.equal((oct(st.st_mode), st.st_uid), (oct(mode), owner), path)
    tap.equal(os.stat(HELPER).st_gid, entry.pw_gid, 'the helper is for that group')
    done(tap, 'check has nothing to complain about', 'check')
    before = machine.changes()
    done(tap, 'again: nothing to do', *SHARED, says=['Nothing to do.'])
    tap.equal(machine.changes(), before, 'and nothing is done')

    seen = done(tap, 'undo, --dry-run', 'setup', '--undo', '--dry-run',
                says=['account x2gobroker: remove the account'])
    tap.equal(machine.changes(), before, 'which changes nothing', seen)
    done(tap, 'undo without a terminal', 'setup', '--undo', status=1, says=['--yes'])
    tap.equal(machine.changes(), before, 'changes nothing either')
    text = done(tap, 'undo', 'setup', '--undo', '--yes',
                says=['account x2gobroker: done'])
    tap.equal(machine.changes(), [], 'after it, all is as it was', text)
    done(tap, 'undo again: nothing to do', 'setup', '--undo', '--yes',
         says=['Nothing to do.'])


def test_newcomer(tap, machine):
    """From nothing to a listed profile, and nothing else is typed."""
    key = lab.keypair('/run', name='key')
    shutil.copy(key + '.pub', '/run/alice.pub')
    with sshd():
        commands = ['x2gobrokerctl setup --shared --host ts01.test --yes',
                    'kill -HUP $(cat /run/sshd.pid)',       # as setup has said
                    'x2gobrokerctl authorize alice /run/alice.pub',
                    'ssh']
        said = run('sh', '-c', commands[0])
        tap.ok(os.path.exists('/run/systemd/system') or commands[1] in said,
               'setup says how sshd is told', said)
        for command in commands[1:-1]:
            run('sh', '-c', command)
        listing = lab.wait_for(lambda: _listing('x2gobroker', key), 10, 'a listing')
        tap.ok(len(commands) < 5 and '[first]' in listing.stdout and
               'host=ts01.test' in listing.stdout,
               'under five commands to a listed profile', listing)
        check = ssh('x2gobroker', key, brokerlab.LOGIN_CHECK, tty=True)
        tap.equal(check.stdout.strip(), 'LOGIN OK', 'the client would log in', check)
        done(tap, 'doctor has nothing to complain about', 'doctor', '--user', 'alice',
             says=['0 warnings, 0 failed'])
        other = lab.keypair('/run', name='other')
        tap.equal(ssh('x2gobroker', other, brokerlab.LIST).returncode, 255,
                  'somebody else\'s key does not')
    local = run(BROKER, '--user', 'alice', '--task', 'listsessions')
    tap.ok('[first]' in local, 'by hand, too', local)

    text = done(tap, 'undo keeps keys of people', 'setup', '--undo', '--yes',
                says=['/etc/x2go/broker/keys.d: left as it is'])
    tap.ok(os.path.exists('/etc/x2go/broker/keys.d/alice.pub'), 'alice has her key', text)
    tap.ok(not os.path.exists(FIRST) and not os.path.exists(SNIPPET) and
           'x2gobroker' not in run('getent', 'passwd'), 'and all else is gone')
    os.unlink('/etc/x2go/broker/keys.d/alice.pub')
    done(tap, 'undo, when she has none', 'setup', '--undo', '--yes')
    for name in ('key', 'key.pub', 'alice.pub', 'other', 'other.pub'):
        os.unlink('/run/' + name)
    tap.equal(machine.changes(), [], 'takes the rest')


def _listing(account, key):
    listing = ssh(account, key, brokerlab.LIST)
    return listing if 'START_USER_SESSIONS' in listing.stdout else None


# A forced command for a group

def test_group(tap, machine):
    plan = done(tap, 'group, --dry-run', *GROUP[:-1], '--dry-run', says=[
        'group x2gousers: create it', '+ Match Group x2gousers',
        '+ \tForceCommand ' + BROKER])
    tap.equal(machine.changes(), [], '--dry-run changes nothing', plan)
    tap.ok('account' not in plan and HELPER not in plan,
           'no broker account, no helper: they are not needed')
    done(tap, 'group', *GROUP, says=['group x2gousers: done', 'gpasswd --add NAME'])
    done(tap, 'again: nothing to do', *GROUP, says=['Nothing to do.'])
    key = lab.keypair('/run', name='key')
    os.makedirs('/var/lib/bob/.ssh', 0o700)
    shutil.copy(key + '.pub', '/var/lib/bob/.ssh/authorized_keys')
    run('chown', '-R', 'bob:', '/var/lib/bob/.ssh')
    run('gpasswd', '--add', 'bob', 'x2gousers')
    with sshd():
        listing = ssh('bob', key, 'x2gobroker --task listsessions')
        tap.ok('[first]' in listing.stdout, 'a member gets the broker', listing)
        tap.ok('bob' not in ssh('bob', key, 'id -un').stdout, 'and nothing else')
    text = done(tap, 'undo keeps a group with members', 'setup', '--undo', '--yes',
                says=['group x2gousers: left as it is: it has members'])
    run('gpasswd', '--delete', 'bob', 'x2gousers')
    done(tap, 'undo, when it has none', 'setup', '--undo', '--yes')
    shutil.rmtree('/var/lib/bob/.ssh')
    for name in ('key', 'key.pub'):
        os.unlink('/run/' + name)
    tap.equal(machine.changes(), [], 'takes it, too', text)


def test_http(tap, machine):
    """Behind a web server: all that is enabled can be undone."""
    words = ['setup', '--http', '--host', 'ts01.example', '--yes']
    files = {'nginx': '/etc/nginx/snippets/x2gobroker.conf',
             'apache2': '/etc/apache2/conf-available/x2gobroker.conf',
             'lighttpd': '/etc/lighttpd/conf-available/90-x2gobroker.conf'}
    files = [path for name, path in files.items() if shutil.which(name)]
    link = '/etc/systemd/system/sockets.target.wants/x2gobroker-http.socket'
    plan = done(tap, 'http, --dry-run', *words[:-1], '--dry-run', says=[
        'account x2gobroker: create it', 'systemctl enable x2gobroker-http.socket',
        'x2gobroker-http.socket: enable it', *files])
    tap.equal(machine.changes(), [], '--dry-run changes nothing', plan)
    text = done(tap, 'http', *words, says=[
        'x2gobroker-http.socket: done', 'doctor --url https://', 'a2enconf x2gobroker'])
    tap.ok(os.path.exists(link) and all(os.path.exists(path) for path in files),
           'the socket is enabled, the lines are there', text)
    tap.ok(not os.path.exists(SNIPPET) and
           run('getent', 'shadow', 'x2gobroker').split(':')[1] != '*',
           'nothing is done for sshd', text)
    for path in files:
        tap.ok('/run/x2gobroker-http.sock' in pathlib.Path(path).read_text(), path)
    done(tap, 'again: nothing to do', *words, says=['Nothing to do.'])
    done(tap, '-C is not for a unit', '-C', CONFIG, *words, status=2, says=['--http'])
    done(tap, 'undo', 'setup', '--undo', '--yes', says=['x2gobroker-http.socket: done'])
    tap.equal(machine.changes(), [], 'all is as it was')


def test_both(tap, machine):
    """Side by side, one after the other, in one file."""
    done(tap, 'shared', *SHARED)
    one = pathlib.Path(SNIPPET).read_text()
    text = done(tap, 'and a group', *GROUP, says=[SNIPPET + ': append to the file'])
    two = pathlib.Path(SNIPPET).read_text()
    tap.ok(two.startswith(one) and 'Match Group' in two[len(one):],
           'what was there stays', text)
    for words in (SHARED, GROUP, [*GROUP, '--shared']):
        done(tap, 'again: %s' % words[1:], *words, says=['Nothing to do.'])
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), [], 'all is as it was')


# What others have done

def test_there_already(tap, machine):
    """What a package, or somebody by hand, has made before."""
    run('useradd', '--system', '--user-group', '--create-home', '--home-dir', HOME,
        '--shell', '/bin/sh', 'x2gobroker')
    shutil.copy(SHIPPED_DIRS, '/etc/tmpfiles.d/x2gobroker.conf')
    os.chmod(HOME, 0o750)
    lines = {'/etc/tmpfiles.d/x2gobroker.conf': pathlib.Path(SHIPPED_DIRS).read_text(),
             '/etc/pam.d/x2gobroker': 'account required pam_permit.so\n',
             '/etc/x2go/broker/profiles.d/10-mine.conf': '[mine]\nhost=mine.example\n',
             SNIPPET: 'Match User x2gobroker\n'
                      ' authorizedkeyscommand %s authorized-keys %%u %%t %%k\n\n'
                      ' # a comment\n AuthorizedKeysCommandUser x2gobroker\n'
                      ' AuthorizedKeysFile none' % CTL}
    for path, text in lines.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        pathlib.Path(path).write_text(text)
    before = machine.changes()
    text = done(tap, 'shared, on top of that', *SHARED, says=[
        'password of x2gobroker: done'])
    tap.equal(oct(os.stat(HOME).st_mode), '0o40750', 'a home keeps its mode')
    for path, content in lines.items():
        tap.ok(pathlib.Path(path).read_text() == content and path + ': done' not in text,
               path + ' is left alone')
    tap.ok(not os.path.exists(FIRST), 'there is no second first profile')
    tap.ok('account x2gobroker: done' not in text and
           run('getent', 'shadow', 'x2gobroker').split(':')[1] == '*',
           'the account can be used')
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), before, 'all is as it was before setup')
    tap.equal(run('getent', 'shadow', 'x2gobroker').split(':')[1], '!',
              'the account, too')
    run('usermod', '--shell', '/usr/sbin/nologin', 'x2gobroker')
    done(tap, 'a shell that runs nothing', *SHARED, status=1, says=[
        '/usr/sbin/nologin runs nothing', 'usermod --shell /bin/sh x2gobroker'])
    tap.equal(pwd.getpwnam('x2gobroker').pw_shell, '/usr/sbin/nologin',
              'is not changed')


def test_unfit_account(tap, machine):
    run('useradd', '--system', '--gid', 'users', '--home-dir', HOME, '--shell',
        '/bin/sh', '--password', '!$6$salt$hash', 'x2gobroker')
    text = done(tap, 'what somebody has decided is not undone', *SHARED, status=1, says=[
        'password of x2gobroker: an administrator locked it',
        'usermod --unlock x2gobroker', HELPER + ': only x2gobroker may run it, but the '
        'group of this account is users'])
    tap.ok(SNIPPET + ': done' in text, 'the rest is done', text)
    run('groupadd', '--system', 'x2gobroker')
    run('usermod', '--gid', 'x2gobroker', '--password', '!', 'x2gobroker')
    done(tap, 'when it is fixed as it says', *SHARED,
         says=['password of x2gobroker: done', HELPER + ': done'])
    done(tap, 'undo', 'setup', '--undo', '--yes')
    os.unlink('/etc/pam.d/common-account')
    done(tap, 'a system with another PAM', *SHARED[:-1], '--dry-run',
         says=['includes /etc/pam.d/common-account, which does not exist'])


def test_hostile_home(tap, machine):
    """The account has put links into its home, where root would write."""
    done(tap, 'shared', *SHARED)
    entry = pwd.getpwnam('x2gobroker')
    os.makedirs('/etc/target')
    os.symlink('/etc/target', HOME + '/link')
    os.lchown(HOME + '/link', entry.pw_uid, entry.pw_gid)
    pathlib.Path('/etc/x2go/x2gobroker.conf').write_text(
        '[global]\ncookie-directory = %s/link/cookies\n' % HOME)
    done(tap, 'a directory behind a link', *SHARED, status=1,
         says=['unsafe path transition', 'directories: not done'])
    tap.equal(os.listdir('/etc/target'), [], 'is not made by root')
    os.rmdir(HOME + '/cookies')
    os.symlink('/etc/target', HOME + '/cookies')
    os.unlink('/etc/x2go/x2gobroker.conf')
    done(tap, 'a link to a directory of root\'s', *SHARED, status=1,
         says=['cookie-directory = %s/cookies: the directory is a symbolic link' % HOME])
    pathlib.Path('/etc/target/file').write_text('mine')
    done(tap, 'undo', 'setup', '--undo', '--yes', status=1)
    tap.equal((os.listdir('/etc/target'), os.stat('/etc/target').st_uid), (['file'], 0),
              'what it leads to is not touched')


# Owner and mode of directories that setup did not make

def ownership(*paths):
    return {path: (oct(os.lstat(path).st_mode), os.lstat(path).st_uid,
                   os.lstat(path).st_gid) for path in paths}


def refused(tap, machine, config, *says, keep=()):
    """Setup refuses this configuration in one sentence, and changes nothing."""
    os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
    pathlib.Path(CONFIG).write_text('[global]\n%s\n' % config)
    before, changes = ownership(*keep), machine.changes()
    text = done(tap, config + ' is refused', *SHARED, status=1,
                says=['%s: %s: ' % (CONFIG, config), *says])
    tap.equal((ownership(*keep), machine.changes()), (before, changes),
              config + ': nothing is changed', text)
    tap.equal(len(text.splitlines()), 1, config + ': one sentence', text)


def test_system_directories_keep_their_owner(tap, machine):
    """Of an account that has a system directory for its home, and of one that others
    use as well."""
    refused(tap, machine, 'broker-account = daemon', 'the home directory /usr/sbin',
            'belongs to root, not to daemon', 'choose another account', 'usermod --home',
            keep=['/usr/sbin'])
    for name in ('/run', '/var/lib', '/etc'):
        refused(tap, machine, 'state-dir = ' + name, 'belongs to root, not to x2gobroker',
                keep=[name])
    refused(tap, machine, 'cookie-directory = /var/tmp', 'belongs to root',
            keep=['/var/tmp'])


def test_homes_of_people_keep_their_owner(tap, machine):
    refused(tap, machine, 'state-dir = /var/lib/alice', 'belongs to alice',
            keep=['/var/lib/alice'])
    run('useradd', '--system', '--user-group', '--home-dir', '/var/lib/bob', '--shell',
        '/bin/sh', '--password', '*', 'x2gobroker')
    refused(tap, machine, 'broker-account = x2gobroker', 'the home directory /var/lib/bob',
            'belongs to bob', keep=['/var/lib/bob'])


def test_target_of_a_link_keeps_its_owner(tap, machine):
    os.makedirs('/etc/x2go/target')
    os.symlink('/etc/x2go/target', '/var/lib/link')
    refused(tap, machine, 'state-dir = /var/lib/link', 'is a symbolic link',
            keep=['/etc/x2go/target', '/var/lib/link'])
    pathlib.Path('/var/lib/file').write_text('')
    refused(tap, machine, 'state-dir = /var/lib/file', 'is a file', keep=['/var/lib/file'])
    refused(tap, machine, 'state-dir = /var/lib/a b', 'is not an absolute path without')


def test_programs_of_others_do_not_become_setuid(tap, machine):
    os.makedirs('/etc/x2go')
    shutil.copy('/bin/sh', '/usr/lib/x2go/shell')
    pathlib.Path(CONFIG).write_text('[global]\npam-helper = /usr/lib/x2go/shell\n')
    done(tap, 'pam-helper = a shell', *SHARED, status=1,
         says=['it is not x2gobroker-pam, so setup does not make it setuid root'])
    tap.equal(os.stat('/usr/lib/x2go/shell').st_mode & 0o7777, 0o755, 'it is not setuid')


def test_owners_and_modes_are_left_to_the_administrator(tap, machine):
    done(tap, 'shared', *SHARED)
    before = machine.changes()
    uid = pwd.getpwnam('x2gobroker').pw_uid
    for key, path, mode, owner, says in (
            ('profiles-dir', '/etc/x2go/broker/profiles.d', 0o777, 0, 'chmod 755'),
            ('keys-dir', '/etc/x2go/broker/keys.d', 0o755, uid, 'chown root:root'),
            ('cookie-directory', HOME + '/cookies', 0o770, uid, 'chmod u+rwx,go-w'),
            ('state-dir', '/run/x2gobroker', 0o700, 0, 'belongs to root')):
        was = os.stat(path)
        os.chown(path, owner, owner)
        os.chmod(path, mode)
        now = ownership(path)
        done(tap, key + ': wrong owner or mode', *SHARED, status=1,
             says=['%s: %s = %s: ' % (CONFIG, key, path), says])
        tap.equal(ownership(path), now, key + ': is not changed')
        os.chown(path, was.st_uid, was.st_gid)
        os.chmod(path, was.st_mode & 0o7777)
    done(tap, 'when all are right again', *SHARED, says=['Nothing to do.'])
    tap.equal(machine.changes(), before, 'and nothing else is changed')
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), [], 'all is as it was')


def test_another_account(tap, machine):
    """And other directories, which the installed files do not know."""
    os.makedirs('/etc/x2go')
    pathlib.Path(CONFIG).write_text(
        '[global]\nbroker-account = other\nstate-dir = /run/deep/down/state\n')
    before = machine.changes()
    done(tap, 'another account', *SHARED[:-1], '--dry-run', says=[
        "systemd-sysusers --inline 'u other - ", '/etc/tmpfiles.d/x2gobroker.conf: make',
        '+ d /run/deep/down/state 0700 other other -'])
    done(tap, 'it is made', *SHARED, says=['account other: done', 'directories: done'])
    uid = pwd.getpwnam('other').pw_uid
    tap.equal([(oct(st.st_mode), st.st_uid) for st in map(os.stat, (
        '/run/deep', '/run/deep/down/state', HOME, HOME + '/cookies'))],
              [('0o40755', 0), ('0o40700', uid), ('0o40755', uid), ('0o40700', uid)],
              'with its directories')
    done(tap, 'again: nothing to do', *SHARED, says=['Nothing to do.'])
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), before, 'all is as it was')


def test_without_systemd(tap, machine):
    for program, package in (('systemd-sysusers', 'systemd-standalone-sysusers'),
                             ('systemd-tmpfiles', 'systemd-standalone-tmpfiles')):
        os.rename('/usr/bin/' + program, '/usr/bin/away')
        done(tap, 'without ' + program, *SHARED[:-1], '--dry-run', status=1, says=[
            '/usr/bin/%s is missing' % program, 'systemd or ' + package])
        done(tap, 'without %s, --yes' % program, *SHARED, status=1, says=[package])
        os.rename('/usr/bin/away', '/usr/bin/' + program)
        done(tap, 'undo', 'setup', '--undo', '--yes')
        tap.equal(machine.changes(), [], 'all is as it was')


def test_changed_since(tap, machine):
    """What somebody has changed after setup is theirs."""
    done(tap, 'shared', *SHARED)
    with open(FIRST, 'a') as file:
        file.write('fullscreen=true\n')
    pathlib.Path(SNIPPET).write_text('# mine\n')
    os.chmod(HELPER, 0o4700)
    run('usermod', '--comment', 'ours', 'x2gobroker')
    text = done(tap, 'undo', 'setup', '--undo', '--yes', says=[
        FIRST + ': left as it is: it was changed since',
        SNIPPET + ': left as it is', HELPER + ': left as it is',
        'account x2gobroker: left as it is: it was changed since'])
    tap.ok(pathlib.Path(FIRST).read_text().endswith('fullscreen=true\n') and
           pathlib.Path(SNIPPET).read_text() == '# mine\n' and
           os.stat(HELPER).st_mode & 0o7777 == 0o4700, 'they are left', text)
    tap.ok(not os.path.exists('/etc/pam.d/x2gobroker'), 'others are not')
    again = done(tap, 'undo again', 'setup', '--undo', '--yes')
    tap.ok('left as it is' in again and ': done' not in again and
           os.path.exists(MANIFEST), 'says the same, and remembers', again)


# What can go wrong

def test_sshd_complains(tap, machine):
    """sshd takes its configuration until our lines are in it."""
    os.rename('/usr/sbin/sshd', '/usr/sbin/sshd.real')
    pathlib.Path('/usr/sbin/sshd').write_text(
        '#!/bin/sh\nif grep -qs Match %s; then\n\techo "%s: line 2: Bad thing"\n'
        '\texit 255\nfi\nexec /usr/sbin/sshd.real "$@"\n' % (SNIPPET, SNIPPET))
    os.chmod('/usr/sbin/sshd', 0o755)
    text = done(tap, 'sshd -t complains', *SHARED, status=1, says=[
        'Bad thing', SNIPPET + ': restored', SNIPPET + ': not done', 'run setup again'])
    tap.ok(not os.path.exists(SNIPPET), 'the snippet is gone again', text)
    tap.ok('sshd reload its configuration' not in text, 'sshd need not be told')
    pathlib.Path(SNIPPET).write_text('# mine')
    os.chmod(SNIPPET, 0o600)
    old = describe(SNIPPET)
    done(tap, 'the same with lines of somebody else', *SHARED, status=1,
         says=[SNIPPET + ': restored'])
    tap.equal(describe(SNIPPET), old, 'which come back to the last byte')
    os.rename('/usr/sbin/sshd.real', '/usr/sbin/sshd')
    text = done(tap, 'when that is fixed, it continues there', *SHARED,
                says=[SNIPPET + ': done'])
    tap.ok('account x2gobroker: done' not in text, 'with what was not done yet', text)
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(describe(SNIPPET), old, 'undo leaves what was there')
    os.unlink(SNIPPET)
    tap.equal(machine.changes(), [], 'all is as it was')


def test_sshd_before(tap, machine):
    pathlib.Path('/etc/ssh/sshd_config.d/broken.conf').write_text('Nonsense yes\n')
    done(tap, 'sshd is broken already', *SHARED, status=1, says=[
        'Nonsense', 'before setup changes anything', SNIPPET + ': not done'])
    tap.ok(not os.path.exists(SNIPPET), 'nothing is added then')
    os.unlink('/etc/ssh/sshd_config.d/broken.conf')
    done(tap, 'and when it is fixed', *SHARED)

    done(tap, 'undo', 'setup', '--undo', '--yes')
    pathlib.Path('/etc/ssh/sshd_config.d/a.conf').write_text(
        'Match User x2go*\nAuthorizedKeysCommand /usr/bin/mine\n')
    done(tap, 'another file has the command already', *SHARED, status=1, says=[
        SNIPPET + ': has no effect', SNIPPET + ': restored'])
    os.unlink('/etc/ssh/sshd_config.d/a.conf')
    for text in ('UsePAM yes\n', 'Match all\nInclude /etc/ssh/sshd_config.d/*.conf\n',
                 'Include /etc/ssh/other.d/*.conf\n'):
        pathlib.Path('/etc/ssh/sshd_config').write_text(text)
        done(tap, 'sshd does not read the directory: %r' % text, *SHARED, status=1,
             says=['add this line at the top of /etc/ssh/sshd_config: Include'])
        tap.ok(not os.path.exists(SNIPPET), 'nothing is added')
    pathlib.Path('/etc/ssh/sshd_config').write_text(
        'include "sshd_config.d/*.conf" /etc/ssh/sshd_config.d/*.conf\n')
    done(tap, 'and when it does', *SHARED)


def test_interrupted(tap, machine):
    """What was done before it ended is known."""
    shutil.move('/usr/share/x2gobroker/pam.d', '/run/pam.d')
    text = done(tap, 'the PAM service file is missing', *SHARED, status=1,
                says=['/etc/pam.d/x2gobroker: the file to copy is not installed'])
    tap.ok(SNIPPET + ': done' in text, 'all that does not need it is done', text)
    shutil.move('/run/pam.d', '/usr/share/x2gobroker/pam.d')
    text = done(tap, 'again', *SHARED, says=['/etc/pam.d/x2gobroker: done'])
    tap.equal(text.count(': done'), 1, 'does the rest', text)
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), [], 'takes back both')

    sysusers = '/usr/bin/systemd-sysusers'
    os.rename(sysusers, sysusers + '.away')
    pathlib.Path(sysusers).write_text('#!/bin/sh\nkill -KILL $PPID $$\n')
    os.chmod(sysusers, 0o755)
    tap.equal(ctl(*SHARED).returncode, -9, 'it is killed in the middle')
    os.rename(sysusers + '.away', sysusers)
    tap.ok('account\tx2gobroker' in pathlib.Path(MANIFEST).read_text(),
           'it was noted before')
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), [], 'takes back what was done')


def test_no_directories(tap, machine):
    for name in ('/etc/ssh/sshd_config.d', '/etc/tmpfiles.d'):
        if os.path.exists(name):        # the second one is rare on small systems
            shutil.rmtree(name)
    os.makedirs('/etc/x2go')
    pathlib.Path(CONFIG).write_text('[global]\nstate-dir = /run/other\n')
    before = machine.changes()
    done(tap, 'directories for files of setup are missing', *SHARED, says=[
        '/etc/tmpfiles.d/x2gobroker.conf: done', SNIPPET + ': done'])
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), before, 'which are gone again')


def test_manifest(tap, machine):
    done(tap, 'shared', *SHARED)
    with open(MANIFEST, 'a') as file:
        file.write('later\t/etc/x\t\t\t\n')
    done(tap, 'a later version has done something', 'setup', '--undo', '--yes', status=1,
         says=['another version of setup, in a way (later)'])
    with open(MANIFEST, 'w') as file:
        file.write('nonsense\n')
    done(tap, 'what setup did not write', 'setup', '--undo', '--yes', status=1,
         says=['a line that setup did not write'])
    os.chmod(os.path.dirname(MANIFEST), 0o777)
    done(tap, 'others could have written it', 'setup', '--undo', '--yes', status=1,
         says=['chmod go-w'])
    os.chmod(os.path.dirname(MANIFEST), 0o700)
    fd = os.open(os.path.dirname(MANIFEST) + '/.lock', os.O_RDWR)
    tap.equal(os.fstat(fd).st_mode & 0o777, 0o600, 'nobody else can lock it')
    fcntl.flock(fd, fcntl.LOCK_EX)
    done(tap, 'two at a time', 'setup', '--undo', '--yes', status=1,
         says=['another setup is running'])
    os.close(fd)


def test_usage(tap, machine):
    rows = [    # words, status, words of the complaint
        (['--yes'], 2, 'or --http is needed'), ([], 2, 'or --http is needed'),
        (['--dry-run'], 2, 'or --http is needed'),
        (['--shared'], 1, 'use --yes to skip the confirmation'),
        (['--group', 'a b', '--yes'], 2, '--group GROUP'),
        (['--group', '-x', '--yes'], 2, '--group GROUP'),
        (['--shared', '--host', 'a\nb', '--yes'], 2, '--host HOST'),
        (['--shared', '--servers', 'a,,b', '--yes'], 2, '--servers HOST'),
        (['--shared', '--servers', 'a', '--host', 'b', '--yes'], 2, 'exclude'),
        (['--group', 'x', '--servers', 'a', '--yes'], 1, '--servers needs --shared'),
        (['--undo', '--shared'], 2, '--undo undoes all'),
        (['now'], 2, 'setup does not take the argument now'),
    ]
    for words, status, why in rows:
        done(tap, 'usage: %s' % words, 'setup', *words, status=status, says=[why])
    for words in (SHARED, ['setup', '--undo', '--yes'], ['setup', '--shared',
                                                         '--dry-run']):
        result = subprocess.run([CTL, *words], stdout=subprocess.PIPE, user='bob',
                                stderr=subprocess.STDOUT, text=True, cwd='/')
        tap.ok(result.returncode == 1 and 'run it as root' in result.stdout,
               'not root: %s' % words[1], result)
    tap.equal(machine.changes(), [], 'nothing was changed')
    os.makedirs('/etc/x2go')
    pathlib.Path('/etc/x2go/x2gobroker.conf').write_text(
        '[global]\nbroker-account = two words\n')
    done(tap, 'an account that cannot be', *SHARED, status=1, says=['two words'])
    pathlib.Path('/etc/x2go/x2gobroker.conf').write_text(
        '[global]\nbroker-account = root\n')
    done(tap, 'root for all', *SHARED, status=1, says=['broker-account = root'])
    shutil.copy('/etc/x2go/x2gobroker.conf', '/etc/x2go/other file.conf')
    done(tap, 'a configuration that sshd cannot be told of', '-C',
         '/etc/x2go/other file.conf', *SHARED, status=1, says=['-C FILE'])
    pathlib.Path('/etc/x2go/x2gobroker.conf').write_text('[global]\nx=y\n[global]\n')
    done(tap, 'a configuration that is not in order', *SHARED, status=1,
         says=['x2gobroker.conf:3'])
    tap.ok(not os.path.exists(SNIPPET), 'sshd is not told of it')


# At a terminal

def test_terminal(tap, machine):
    which, sure = '1, 2 or 3? ', 'Proceed? [yes/no] '
    host = 'For which X2Go server is the first one? ['
    status, text = terminal('setup', answers=[(which, '4\n'), (which, '1\n'),
                                              (host, '\n'), (sure, 'no\n')])
    tap.ok(status == 1 and 'nothing changed' in text, 'way 1, no', text)
    tap.equal(machine.changes(), [], 'no: nothing is done')
    status, text = terminal('setup', answers=[(which, '\4')])
    tap.equal((status, machine.changes()), (1, []), 'nothing is answered', text)
    status, text = terminal('setup', '--dry-run', answers=[
        (which, '1\n'), (host, '\n')])
    tap.equal((status, machine.changes()), (0, []), '--dry-run asks only what to show')
    tap.ok(sure not in text and 'systemd-sysusers' in text, 'and shows it', text)
    status, text = terminal('setup', answers=[(which, '2\n'), (
        'Which group? [x2gousers] ', 'a b\n'), ('Which group? ', '\n'),
        (host, 'ts07.example\n'), (sure, 'yes\n')])
    tap.ok(status == 0 and 'group x2gousers: done' in text, 'way 2, yes', text)
    tap.ok('host=ts07.example\n' in pathlib.Path(FIRST).read_text(), 'with that host')
    run('gpasswd', '--add', 'bob', 'x2gousers')
    status, text = terminal('setup', '--undo', answers=[(sure, 'no\n')])
    tap.ok(status == 1 and os.path.exists(SNIPPET), 'undo, no', text)
    os.unlink(SNIPPET)
    status, text = terminal('setup', '--group', 'x2gousers', answers=[(sure, 'yes\n')])
    tap.ok(status == 0 and 'x2gousers get the broker over SSH, and no shell: bob' in text,
           'who is meant is said', text)
    status, text = terminal('setup', '--undo', answers=[(sure, 'yes\n')])
    tap.equal(status, 0, 'undo, yes', text)


def example(start):
    """An example of the manual page, in one word after the other."""
    text = (pathlib.Path(__file__).resolve().parents[2] /
            'cmd/x2gobrokerctl/x2gobrokerctl.8').read_text()
    blocks = re.findall(r'(?ms)^\.Bd -literal.*?\n(.*?)^\.Ed$', text)
    return [block for block in blocks if block.startswith(start)][0].replace('\\e\n', '')


def test_page(tap, machine):
    """The session that the page shows is what happens."""
    host = socket.gethostname()
    _, text = terminal('setup', answers=[
        ('1, 2 or 3? ', '2\n'), ('Which group? [x2gousers] ', '\n'),
        ('which X2Go server', 'ts01.example.org\n'), ('[yes/no] ', 'yes\n')])
    for mine, theirs in (('[%s]' % host, '[desk]'), ('@%s:' % host, '@desk:'),
                         (re.search('configuration: (.*)', text)[1], 'systemctl reload ssh')):
        text = text.replace(mine, theirs)
    shown = example('# x2gobrokerctl setup\nHow').split()
    tap.equal(('# x2gobrokerctl setup ' + text).split(), shown, 'the example of the page')


# Servers

def test_servers(tap, machine):
    words = ['setup', '--shared', '--servers', 'ts01.test,ts02.invalid', '--yes']
    plan = done(tap, 'servers, --dry-run', *words[:-1], '--dry-run', says=[
        'ssh-keygen -q -t ed25519', 'host=ts01.test, ts02.invalid',
        'broker-agent-query-mode=SSH'])
    tap.equal(machine.changes(), [], 'changes nothing', plan)
    with sshd():
        text = done(tap, 'one of two servers cannot be asked', *words, status=1, says=[
            'ts01.test: added to', 'ts02.invalid: ', 'known_hosts: not done'])
        public = pathlib.Path(HOME + '/.ssh/id_ed25519.pub').read_text().strip()
        tap.ok('restrict,command="/usr/lib/x2go/x2gobroker-agent" ' + public in text,
               'the line for the servers', text)
        uid = pwd.getpwnam('x2gobroker').pw_uid
        tap.equal([(oct(st.st_mode), st.st_uid) for st in map(os.stat, (
            HOME + '/.ssh', HOME + '/.ssh/id_ed25519', HOME + '/.ssh/known_hosts'))],
                  [('0o40700', uid), ('0o100600', uid), ('0o100644', uid)],
                  'all of it is the account\'s')
        text = done(tap, 'again, without that one', 'setup', '--shared', '--servers',
                    'ts01.test', '--yes', says=['Nothing to do.'])
        status, text = terminal('setup', '--shared', answers=[
            ('Proceed? [yes/no] ', 'yes\n')])
        tap.ok(status == 1 and 'ts02.invalid' in text,
               'without --servers: those that profiles have', text)
    with open(HOME + '/.ssh/known_hosts', 'a') as file:
        file.write('# mine\n')
    done(tap, 'undo', 'setup', '--undo', '--yes', says=[
        'known_hosts: left as it is', HOME + ': left as it is',
        'account x2gobroker: left as it is: it still has files'])
    os.unlink(HOME + '/.ssh/known_hosts')
    done(tap, 'undo, when known_hosts is gone', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), [], 'all is as it was')


def test_server_asks(tap, machine):
    """At a terminal, a person looks at the fingerprint."""
    with sshd():
        status, text = terminal('setup', '--shared', '--servers', 'ts01.test', answers=[
            ('Proceed? [yes/no] ', 'yes\n'),
            ('Is that the right key? [yes/no] ', 'yes\n')])
        tap.ok(status == 0 and 'ts01.test: SHA256:' in text and
               'known_hosts: done' in text, 'a key that is looked at', text)
    done(tap, 'undo', 'setup', '--undo', '--yes')
    tap.equal(machine.changes(), [], 'all is as it was')


TESTS = [
    test_shared, test_newcomer, test_group, test_http, test_both, test_there_already,
    test_unfit_account, test_hostile_home, test_system_directories_keep_their_owner,
    test_homes_of_people_keep_their_owner, test_target_of_a_link_keeps_its_owner,
    test_programs_of_others_do_not_become_setuid,
    test_owners_and_modes_are_left_to_the_administrator, test_another_account,
    test_without_systemd, test_changed_since,
    test_sshd_complains, test_sshd_before, test_interrupted, test_no_directories,
    test_manifest, test_usage, test_terminal, test_page, test_servers, test_server_asks,
]


def main():
    if os.geteuid() == 0:
        copylab.enter()
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**brokerlab.PACKAGES, meson='meson'):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL')
        if len(found) != 2:
            return
        copylab.loopback_up()
        machine = Machine(stack)
        prepare(str(pathlib.Path(found[1]).parents[2]))
        machine.seal()
        for test in TESTS:
            with machine.fresh(), tap.case(test.__name__ + ': no step failed'):
                test(tap, machine)


if __name__ == '__main__':
    main()
