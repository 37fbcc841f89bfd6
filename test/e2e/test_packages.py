#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages: built, and then installed, used, upgraded, removed and
purged in a fresh Debian system, which is in a directory.

usage: test_packages.py SOURCE-ROOT
"""

import concurrent.futures
import contextlib
import glob
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import brokerlab
import clientlab
import lab
import rootlab

PACKAGES = {**rootlab.PACKAGES, **clientlab.PACKAGES,
            'dpkg-buildpackage': 'dpkg-dev', 'dh': 'debhelper', 'lintian': 'lintian',
            'readelf': 'binutils', 'gcc': 'gcc', 'pkg-config': 'pkgconf'}
NAMES = ('x2gobroker-c', 'x2gobroker-agent-c', 'x2gobroker-sessiondb', 'libx2gobroker0',
         'libx2gobroker-dev')
BROKER, AGENT = '/usr/lib/x2go/x2gobroker', '/usr/lib/x2go/x2gobroker-agent'
PAM = '/usr/lib/x2go/x2gobroker-pam'
POLL = '/usr/lib/x2go/x2gobroker-poll'
SESSIONDB = '/usr/lib/x2go/x2gobroker-sessiondb'
HTTP = '/usr/lib/x2go/x2gobroker-http'
FIRST = '/etc/x2go/broker/profiles.d/first.conf'
SSHD_SNIPPET = '/etc/ssh/sshd_config.d/x2gobroker.conf'
LISTING = b'name=Desktop on localhost\n'

# what, then mode, owner and group
MODES = {
    BROKER: '755 root root',
    HTTP: '755 root root',
    PAM: '4750 root x2gobroker',
    POLL: '755 root root',
    SESSIONDB: '755 root root',
    AGENT: '750 root x2gobroker',
    '/usr/sbin/x2gobrokerctl': '755 root root',
    '/etc/pam.d/x2gobroker': '644 root root',
    '/etc/x2go/broker/profiles.d': '755 root root',
    '/etc/x2go/broker/keys.d': '755 root root',
    '/run/x2gobroker': '700 x2gobroker x2gobroker',
    '/var/lib/x2gobroker': '755 x2gobroker x2gobroker',
    '/var/lib/x2gobroker/cookies': '700 x2gobroker x2gobroker',
    '/run/x2gobroker-agent': '755 root root',
    '/run/x2gobroker-agent/keys': '711 root root',
}


# Building

def build(source, out, umask=0o022, **more):
    env = {**os.environ, 'DEB_BUILD_OPTIONS': 'nocheck noautodbgsym', 'LC_ALL': 'C.UTF-8',
           **more}
    done = subprocess.run([os.path.join(source, 'contrib/build-deb'), out], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, umask=umask,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError('build-deb: ' + done.stdout[-4000:])


def build_elsewhere(source, out):
    """The same sources, by somebody else: in another folder, with modes, time zone and
    language of his own."""
    def ignore(directory, names):
        return [name for name in names if directory == source and
                (name == '.git' or name.startswith('build'))]

    with tempfile.TemporaryDirectory(prefix='x2gobroker-elsewhere.') as home:
        copy = shutil.copytree(source, home + '/a/longer path', ignore=ignore,
                               symlinks=True)
        for top, dirs, files in os.walk(copy):
            for name in dirs + files:
                path = os.path.join(top, name)
                os.utime(path, (0, 0))
                os.chmod(path, os.stat(path).st_mode & 0o700)
        build(copy, out, 0o077, TZ='Pacific/Kiritimati', LC_ALL='C', LANG='tr_TR.UTF-8',
              HOME=home, TMPDIR=home)


def next_version(directory, out):
    """The packages with another version, as an upgrade needs them."""
    for name, path in debs(directory).items():
        with tempfile.TemporaryDirectory(prefix='x2gobroker-next.') as work:
            tree = work + '/tree'
            subprocess.run(['dpkg-deb', '-R', path, tree], check=True)
            control = pathlib.Path(tree, 'DEBIAN/control')
            text = control.read_text()
            version = re.search(r'(?m)^Version: (.*)$', text)[1]
            control.write_text(text.replace(version, version + '.1'))
            os.makedirs(out, exist_ok=True)
            subprocess.run(['dpkg-deb', '-b', tree, out], check=True,
                           stdout=subprocess.DEVNULL)


def debs(directory):
    """{package: path}"""
    return {re.match(r'[a-z0-9-]+', os.path.basename(path))[0]: path
            for path in glob.glob(os.path.join(directory, '*.deb'))}


def unpack(directory, into):
    for path in debs(directory).values():
        subprocess.run(['dpkg-deb', '-x', path, into], check=True)


def hardening(path):
    """What a program or library lacks, by its headers."""
    said = subprocess.run(['readelf', '-hldW', path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    wanted = {'DYN': r'Type: +DYN', 'RELRO': 'GNU_RELRO', 'BIND_NOW': r'\bNOW\b',
              'a stack that cannot be executed': r'GNU_STACK.* RW +0x'}
    return [what for what, pattern in wanted.items() if not re.search(pattern, said)]


def test_files(tap, out, tree):
    done = subprocess.run(['lintian', '--fail-on', 'error,warning', '--tag-display-limit',
                           '0', *debs(out).values()], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.ok(done.returncode == 0, 'lintian has no error and no warning', done.stdout)
    tap.equal(sorted(debs(out)), sorted(NAMES), 'the packages')
    programs = [tree + name for name in (BROKER, HTTP, AGENT, PAM, '/usr/sbin/x2gobrokerctl')]
    lacking = {path: hardening(path)
               for path in programs + glob.glob(tree + '/usr/lib/*/libx2gobroker.so.0')}
    tap.ok(len(lacking) == 6 and not any(lacking.values()),
           'programs and library are hardened', lacking)


def test_reproducible(tap, out, elsewhere):
    """Anybody can see that a package was made of these sources."""
    hashes = [{name: hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
               for name, path in debs(directory).items()} for directory in (out, elsewhere)]
    tap.equal(hashes[1], hashes[0], 'a build in another folder, with another umask, time '
              'zone and language gives the same bytes')


def test_library(tap, tree):
    """A program is compiled with what the packages have, and runs."""
    libdir = os.path.dirname(glob.glob(tree + '/usr/lib/*/pkgconfig')[0])
    env = {**os.environ, 'PKG_CONFIG_SYSROOT_DIR': tree,
           'PKG_CONFIG_LIBDIR': libdir + '/pkgconfig', 'LD_LIBRARY_PATH': libdir}
    example = tree + '/usr/share/doc/x2gobroker/examples/whosees.c'
    with tap.case('a program can be compiled with libx2gobroker-dev'):
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'x2gobroker'], env=env,
                               check=True, text=True, stdout=subprocess.PIPE).stdout
        program = tree + '/whosees'
        subprocess.run(['gcc', example, '-o', program, *flags.split()], check=True)
        said = subprocess.run(['ldd', program], env=env, check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        assert libdir + '/libx2gobroker.so.0' in said, said


# In the fresh system

class Host:
    """It, with the packages of this directory in /debs, and a user alice."""

    def __init__(self, root, out, next_out):
        self.root = root
        for version, directory in ('1', out), ('2', next_out):
            for name, path in debs(directory).items():
                target = root.path('debs/%s/%s.deb' % (version, name))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(path, target)

    def prepare(self):
        """All that the packages depend on, so that they alone make a difference."""
        run = self.root.run
        run('useradd', '-m', '-s', '/bin/bash', '-p', '*', 'alice')
        run('groupadd', 'x2gousers')
        said = run('apt-get', '-s', 'install', '--no-install-recommends',
                   'openssh-server', *self.files('1'))
        needed = set(re.findall(r'^Inst (\S+)', said, re.M)) - set(NAMES)
        run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', *needed)
        os.makedirs(self.root.path('run/sshd'), exist_ok=True)
        return needed

    @staticmethod
    def files(version, names=NAMES):
        return ['/debs/%s/%s.deb' % (version, name) for name in names]

    def install(self, version, names=NAMES):
        return self.root.run('dpkg', '-i', *self.files(version, names))

    def password(self):
        return self.root.run('getent', 'shadow', 'x2gobroker').split(':')[1]

    def modes(self):
        return {name: self.root.stat(name) if self.root.exists(name) else None
                for name in MODES}

    def capabilities(self):
        return self.root.run('getcap', AGENT).strip()

    def check(self):
        return self.root.ask('x2gobrokerctl', 'check')

    @contextlib.contextmanager
    def sshd(self, *options):
        """Its own sshd with its own configuration, but for the port."""
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        words = ['Port=%d' % self.port, 'ListenAddress=127.0.0.1', 'PidFile=none',
                 *options]
        log = self.root.path('var/log/sshd-test.log')
        pathlib.Path(log).write_text('')
        process = self.root.popen(
            '/usr/sbin/sshd', '-D', '-E', '/var/log/sshd-test.log',
            *[part for word in words for part in ('-o', word)],
            stdin=subprocess.DEVNULL)
        try:
            lab.wait_for(lambda: 'Server listening' in pathlib.Path(log).read_text()
                         or process.poll() is not None, 10, 'sshd to listen')
            yield
        finally:
            lab.end_family(process)

    def log(self):
        return self.root.read('var/log/sshd-test.log')

    def known_host(self):
        return '[127.0.0.1]:%d %s' % (
            self.port, self.root.read('etc/ssh/ssh_host_ed25519_key.pub'))

    def ssh(self, account, key, command, tty=False):
        known = key + '.known'
        pathlib.Path(known).write_text(self.known_host())
        done = subprocess.run(
            ['ssh', '-F', 'none', '-tt' if tty else '-T', '-p', str(self.port),
             '-i', key, '-l', account, '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes',
             '-o', 'IdentityAgent=none', '-o', 'UserKnownHostsFile=' + known,
             '-o', 'LogLevel=ERROR', '--', '127.0.0.1', command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=30)
        return done.stdout

    def list(self, account, key):
        """What the client gets that asks for the list of profiles."""
        return self.ssh(account, key, brokerlab.wrap(
            BROKER + ' --user alice --task listsessions'))


def test_collisions(tap, host):
    """Files that the Python broker's packages have as well are declared."""
    if tap.absent("what collides with packages of the Python broker"):
        return
    run = host.root.run
    names = run('apt-cache', 'pkgnames', 'x2gobroker').split()
    others = sorted(set(names + ['python3-x2gobroker']) - set(NAMES))
    run('sh', '-c', 'mkdir /debs/others && cd /debs/others && '
        'apt-get download -qq "$@"', 'sh', *others)
    theirs = {name: deb_files(host.root.path('debs/others'), name) for name in others}
    wrong = []
    for name in NAMES:
        ours = deb_files(host.root.path('debs/1'), name)
        path = debs(host.root.path('debs/1'))[name]
        for field in 'Conflicts', 'Replaces':
            said = subprocess.run(['dpkg-deb', '-f', path, field], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
            collide = {other for other in others if ours & theirs[other]}
            if collide != set(re.findall(r'[\w.+-]+', said)):
                wrong.append('%s: %s should be %s' % (name, field, collide))
    tap.ok(len(others) > 5 and not wrong,
           'what collides with packages of the Python broker is declared, and no more',
           others, *wrong)


def deb_files(directory, name):
    """The paths in a package that are no directories."""
    said = subprocess.run(['dpkg-deb', '-c', debs(directory)[name]], check=True,
                          text=True, stdout=subprocess.PIPE).stdout
    return {line.split()[5] for line in said.splitlines() if line[0] != 'd'}


def test_install(tap, host, before):
    root = host.root
    with tap.case('the packages are installed'):
        host.install('1')
    tap.equal(root.run('dpkg', '--audit'), '', 'dpkg has nothing to complain about')
    tap.equal(host.modes(), MODES, 'owners, groups and modes')
    tap.equal(host.capabilities(), AGENT + ' cap_setgid,cap_setuid=ep',
              'the agent has its two capabilities')
    fields = root.run('getent', 'passwd', 'x2gobroker').strip().split(':')
    tap.equal([fields[0]] + fields[5:], ['x2gobroker', '/var/lib/x2gobroker', '/bin/sh'],
              'the account')
    tap.equal(host.password(), '*', 'it is not locked, and has no password')
    now = root.snapshot()
    changed = [path for path in before if path.startswith('/etc/ssh')
               and now.get(path) != before[path]]
    new = [path for path in now if path.startswith('/etc/ssh') and path not in before]
    tap.equal(changed + new, [], 'sshd is left alone')
    tap.equal(host.check(), (0, '0 profiles served, 0 profiles withheld; '
                             '0 errors, 0 warnings\n'),
              'check is content, and no example is served')
    shutil.rmtree(root.path('run/x2gobroker'))
    root.run('systemd-tmpfiles', '--create')
    tap.equal(host.modes(), MODES, 'what lies in /run comes back at the next boot')


def test_setup(tap, host, key):
    """What README.Debian says, but for "systemctl reload ssh"."""
    root = host.root
    status, said = root.ask('x2gobrokerctl', 'setup', '--shared', '--host', 'localhost',
                            '--yes')
    tap.ok(status == 0 and said.count(': done\n') == 2,
           'setup has nothing to do but a profile and lines for sshd', said)
    public = pathlib.Path(key + '.pub').read_text()
    status, said = root.ask('x2gobrokerctl', 'authorize', 'alice', '-', input=public)
    tap.ok(status == 0, 'a key is authorized', said)
    tap.equal(host.check()[0], 0, 'check is content with the first profile')
    status, said = root.ask('x2gobrokerctl', 'doctor', '--user', 'alice')
    tap.ok(status == 0 and ' 0 failed' in said, 'doctor finds nothing', said)
    with host.sshd():
        said = host.ssh('x2gobroker', key, brokerlab.LOGIN_CHECK, tty=True)
        tap.ok(b'LOGIN OK' in said, 'the client can log in', said, host.log())
        said = host.list('x2gobroker', key)
        tap.ok(brokerlab.GRANTED in said and LISTING in said,
               'the client is shown the profile', said, host.log())
        root.run('chage', '-E', '1', 'alice')
        said = host.list('x2gobroker', key)
        tap.ok(LISTING not in said and brokerlab.DENIED in said,
               'an account that has expired is refused', said)
        root.run('chage', '-E', '-1', 'alice')
        tap.ok(LISTING in host.list('x2gobroker', key), 'and let in again')
        test_client(tap, host, key)
    with tap.case('setup takes back what it has done'):
        root.run('x2gobrokerctl', 'setup', '--undo', '--yes')
        assert not root.exists(SSHD_SNIPPET) and not root.exists(FIRST)


def test_client(tap, host, key):
    """The real client, which sits outside, at the sshd in there."""
    with tempfile.TemporaryDirectory() as scratch, lab.Account() as person, \
            clientlab.Screen(os.environ.get('SCREENSHOTS', scratch), scratch) as screen:
        person.put('.ssh/broker', pathlib.Path(key).read_text())
        person.put('.ssh/known_hosts', host.known_host())
        client = clientlab.Client(screen, person, 'x2gobroker', host)
        with tap.case('the client: no step failed', client.tell, host.log), client:
            button = client.wait_for(screen.buttons, 30, 'the session button')
            screen.shoot('packages')
            tap.equal(len(button), 1, 'the real client shows the profile')


def test_snippets(tap, host, key):
    """The same by hand: lines for sshd, for each of the two ways."""
    root = host.root
    root.write(FIRST, '[first]\nname=Desktop on localhost\nhost=localhost\n')
    root.run('usermod', '-aG', 'x2gousers', 'alice')
    root.write('home/alice/.ssh/authorized_keys', pathlib.Path(key + '.pub').read_text())
    root.run('cp', '/usr/share/x2gobroker/sshd/own-accounts.conf', SSHD_SNIPPET)
    with host.sshd():
        said = host.list('alice', key)
        tap.ok(LISTING in said, 'users with accounts are shown the profile', said,
               host.log())
        said = host.ssh('alice', key, 'id')
        tap.ok(b'uid=' not in said, 'and can do nothing else', said)
    root.run('cp', '/usr/share/x2gobroker/sshd/one-account.conf', SSHD_SNIPPET)
    with host.sshd('UsePAM=no'):
        said = host.list('x2gobroker', key)
        tap.ok(LISTING in said, 'an sshd without PAM takes the account, too', said,
               host.log())
        root.run('usermod', '-p', '!*', 'x2gobroker')
        said = host.list('x2gobroker', key)
        root.run('usermod', '-p', '*', 'x2gobroker')
        tap.ok(LISTING not in said, 'as systemd-sysusers makes it, it would not', said)


def test_agent(tap, host, key):
    """The account acts for alice, by the capabilities, and nobody else does."""
    root, file = host.root, 'home/alice/.x2go/authorized_keys'
    expiry = time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + 600))
    words = pathlib.Path(key + '.pub').read_text().split()
    line = 'restrict,pty,expiry-time="%s" %s %s x2gobroker:alice' % (
        expiry, words[0], words[1])

    def ask(account, *words):
        # what setpriv(1) itself starts is started with root's capabilities
        return root.ask('setpriv', '--reuid', account, '--regid', account,
                        '--clear-groups', '--', 'sh', '-c', '"$@"', 'sh', AGENT, *words)

    root.run('useradd', '-r', '-U', 'somebody')
    status, said = ask('somebody', 'alice', 'ping')
    root.run('userdel', 'somebody')
    tap.ok(status != 0, 'others cannot start the agent', said)
    status, said = ask('x2gobroker', 'alice', 'addauthkey', line,
                       '%h/.x2go/authorized_keys')
    tap.ok(status == 0 and root.exists(file) and root.stat(file) == '600 alice alice',
           'the agent acts for a user', said)
    root.run('cp', '/usr/share/doc/x2gobroker/examples/sshd/x2go-server.conf',
             '/etc/ssh/sshd_config.d/x2go-server.conf')
    status, said = ask('x2gobroker', 'alice', 'storekey', line)
    name = 'run/x2gobroker-agent/keys/alice'
    tap.ok(status == 0 and root.exists(name) and root.stat(name) == '644 root root',
           'and keeps keys outside of home directories', said)
    root.run('rm', '/etc/ssh/sshd_config.d/x2go-server.conf')


def test_upgrade(tap, host):
    root = host.root
    root.run('dpkg-statoverride', '--update', '--add', 'root', 'root', '0700', PAM)
    root.run('usermod', '-p', '!*', 'x2gobroker')
    root.run('sh', '-c', 'echo "# ours" >>/etc/pam.d/x2gobroker')
    with tap.case('the packages are upgraded'):
        host.install('2')
    tap.equal(host.modes(), {**MODES, PAM: '700 root root'},
              'all is as before, and what dpkg-statoverride says holds')
    tap.equal(host.capabilities(), AGENT + ' cap_setgid,cap_setuid=ep',
              'the agent has its capabilities again')
    tap.equal(host.password(), '!*', 'an account that was locked stays locked')
    tap.ok(root.read('etc/pam.d/x2gobroker').endswith('# ours\n'),
           'a pam.d file that was changed stays')
    tap.ok(root.exists(FIRST) and
           root.exists('etc/x2go/broker/keys.d/alice.pub'), 'profiles and keys stay')
    root.run('dpkg-statoverride', '--remove', PAM)


def test_removal(tap, host, before):
    root = host.root
    secrets = ['/var/lib/x2gobroker/.ssh/id_ed25519', '/var/lib/x2gobroker/cookies/token',
               '/run/x2gobroker/choices', '/var/lib/x2gobroker/drained',
               '/var/lib/x2gobroker-setup/manifest']
    for name in secrets:
        root.write(name, '')
    root.run('dpkg', '--remove', *NAMES)
    kept = ['/etc/pam.d/x2gobroker', '/etc/x2go/broker/keys.d/alice.pub', *secrets]
    tap.equal([name for name in kept if not root.exists(name)], [],
              'removed: conffiles, keys and state stay')
    tap.equal([name for name in MODES if name.startswith('/usr') and root.exists(name)], [],
              'removed: the programs are gone')
    wanted = {'/etc/x2go', '/etc/x2go/broker', '/etc/x2go/broker/profiles.d',
              FIRST, SSHD_SNIPPET}
    root.run('dpkg', '--purge', *NAMES)
    now = root.snapshot()
    tap.equal(set(now) - set(before), wanted,
              'purged: nothing is left but what the administrator has written')
    tap.equal([path for path in before if now.get(path) != before[path]
               and not path.startswith('/etc/group')
               and not path.startswith('/etc/gshadow')], [],
              'purged: all else is as it was')
    tap.ok(root.ask('getent', 'passwd', 'x2gobroker')[0] != 0 and
           root.ask('getent', 'group', 'x2gobroker')[0] != 0,
           'purged: account and group are gone')


def test_shared_account(tap, host):
    """Broker and agent on one host: the account goes with the last of them."""
    root = host.root
    host.install('2')
    root.write('/var/lib/x2gobroker/.ssh/authorized_keys', '')
    root.run('dpkg', '--purge', 'x2gobroker-c')
    tap.ok(root.exists('/var/lib/x2gobroker/.ssh/authorized_keys') and
           not root.exists('/var/lib/x2gobroker/cookies') and
           root.ask('getent', 'passwd', 'x2gobroker')[0] == 0,
           'without the broker, the agent keeps the account and its home')
    root.run('dpkg', '--purge', *NAMES)
    tap.ok(not root.exists('/var/lib/x2gobroker') and
           root.ask('getent', 'passwd', 'x2gobroker')[0] != 0,
           'without both, they go')


def test_switch(tap, host):
    """From the Python broker, and back.  Of that, only these two matter here; what
    they need otherwise is not installed."""
    root = host.root
    if tap.absent('the packages take the place of the Python broker'):
        return
    old = ['/debs/others/' + os.path.basename(debs(root.path('debs/others'))[name])
           for name in ('x2gobroker-common', 'x2gobroker-agent')]
    root.run('dpkg', '--force-depends', '-i', *old)
    root.run('sh', '-c', 'echo "# ours" >>/etc/x2go/x2gobroker.conf')
    with tap.case('the packages take the place of the Python broker'):
        host.install('2')
    tap.ok('pam_deny' in root.read('etc/pam.d/x2gobroker'),
           'its pam.d file is exchanged without a question',
           root.read('etc/pam.d/x2gobroker'))
    tap.ok(root.read('etc/x2go/x2gobroker.conf').endswith('# ours\n'),
           'its configuration stays')
    tap.equal(host.check()[0], 0, 'and is one for this broker', host.check()[1])
    tap.equal([host.modes()[AGENT], host.capabilities()],
              [MODES[AGENT], AGENT + ' cap_setgid,cap_setuid=ep'],
              'the agent is not setuid root, as the other one is')
    tap.equal(host.password(), '*', 'its account is not locked any more')
    root.run('dpkg', '--remove', *NAMES)
    root.run('dpkg', '--force-depends', '-i', *old)
    root.run('dpkg', '--purge', *NAMES)
    tap.ok(root.ask('getent', 'passwd', 'x2gobroker')[0] == 0 and
           root.exists('/var/lib/x2gobroker') and root.exists('etc/pam.d/x2gobroker'),
           'and back: purging these packages leaves the account to the other ones')


def main():
    source = os.path.abspath(sys.argv[1])
    with contextlib.ExitStack() as stack:
        tap = stack.enter_context(lab.Tap())
        if not tap.need(**PACKAGES):
            return
        work = stack.enter_context(tempfile.TemporaryDirectory(prefix='x2gobroker-debs.'))
        root = stack.enter_context(rootlab.Root())
        out, elsewhere_out, next_out, tree = [
            os.path.join(work, name) for name in ('1', 'elsewhere', '2', 'tree')]
        with tap.case('the packages are built'), \
                concurrent.futures.ThreadPoolExecutor() as pool:
            # the second one has the other processor, beside the fresh system
            elsewhere = pool.submit(build_elsewhere, source, elsewhere_out)
            build(source, out)
            elsewhere.result()
            next_version(out, next_out)
            unpack(out, tree)
        if tap.failed:
            return
        test_reproducible(tap, out, elsewhere_out)
        test_files(tap, out, tree)
        test_library(tap, tree)
        root.wait()
        host = Host(root, out, next_out)
        host.prepare()
        key = lab.keypair(work, 'rsa')      # as every client can read it
        before = root.snapshot()
        test_collisions(tap, host)
        test_install(tap, host, before)
        test_setup(tap, host, key)
        test_snippets(tap, host, key)
        test_agent(tap, host, key)
        test_upgrade(tap, host)
        test_removal(tap, host, before)
        test_shared_account(tap, host)
        test_switch(tap, host)


if __name__ == '__main__':
    main()
