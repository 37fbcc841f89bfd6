#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys of users: x2gobrokerctl authorize and revoke, and a real sshd that asks
x2gobrokerctl authorized-keys whose key it is.

usage: test_keys.py [PATH-TO-X2GOBROKER]

The path, which all tests here are given, is not used: sshd starts only programs
that are root's, in directories that are root's up to the top. So this tree is
built once more and installed into such a directory.
"""

import base64
import contextlib
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

import brokerlab
import lab
from brokerlab import DENIED, GRANTED, LIST, LOGIN_CHECK

SOURCE = pathlib.Path(__file__).resolve().parents[2]

CONF = '''\
[global]
broker-account = {account}
account-check = never
'''

# USER and OTHER stand for the two users' names.
PROFILES = '''\
[desk of USER]
name = Desk
host = own.example
acl-users-allow = USER

[desk of OTHER]
name = Desk
host = other.example
acl-users-allow = OTHER
'''

MATCH = '''\
Match User {account}
    AuthorizedKeysCommand {command} authorized-keys %u %t %k
    AuthorizedKeysCommandUser {by}
'''


CERTIFICATES = '''\
Match User {account}
    TrustedUserCAKeys {ca}
    AuthorizedPrincipalsCommand {command} authorized-principals %u %i
    AuthorizedPrincipalsCommandUser {account}
'''


class Site:
    """The programs as they are installed, and their files, all below one directory
    that sshd trusts, which /tmp is not: anybody may write there."""

    def __init__(self, account):
        self.account = account

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-keys.', dir='/var/lib')
        try:
            os.chmod(self.dir, 0o755)
            self._install()
            self.write('etc/x2go/x2gobroker.conf',
                       CONF.format(account=self.account.name))
        except BaseException:
            self.__exit__()
            raise
        return self

    def _install(self):
        build = self.path('build')
        for words in (
                ['setup', build, str(SOURCE), '--prefix', self.dir, '--libdir', 'lib',
                 '--sysconfdir', self.path('etc'), '--localstatedir', self.path('var'),
                 '-Dtests=false', '-Dc_link_args=-Wl,-rpath,' + self.path('lib'),
                 # compiled in half the time
                 '-Doptimization=0', '-Ddebug=false'],
                ['install', '-C', build]):
            done = subprocess.run(['meson', *words], text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            if done.returncode != 0:
                raise RuntimeError('meson %s: %s' % (words[0], done.stdout))
        self.program = self.path('sbin/x2gobrokerctl')
        self.broker = self.path('lib/x2go/x2gobroker')

    def path(self, name):
        return os.path.join(self.dir, name)

    def key_file(self, name):
        return pathlib.Path(self.path('etc/x2go/broker/keys.d/%s.pub' % name))

    def write(self, name, text):
        file = pathlib.Path(self.path(name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(file)

    def ctl(self, *words, input=''):
        """Run x2gobrokerctl as root, with the environment that sshd gives it."""
        return subprocess.run([self.program, *words], input=input, text=True,
                              timeout=60, env={'PATH': '/usr/bin:/bin'}, cwd='/',
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def asked(self, pub, *options, account=None):
        """What sshd is told about a public key."""
        words = pathlib.Path(pub).read_text().split()[:2]
        return self.ctl(*options, 'authorized-keys', account or self.account.name,
                        *words)

    def __exit__(self, *_):
        shutil.rmtree(self.dir)


class World:
    """The accounts, the site and the sshd that all tests here share."""

    def __init__(self, tap, stack):
        self.tap, self.stack = tap, stack
        self.shared, self.user, self.other = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(3))
        self.site = stack.enter_context(Site(self.shared))
        self.site.write('etc/x2go/broker/profiles.d/test.conf', PROFILES.replace(
            'USER', self.user.name).replace('OTHER', self.other.name))
        self.sshd = self.start_sshd(self.site.program, self.shared.name)
        self.keys = 0

    def start_sshd(self, command, by, more=''):
        return self.stack.enter_context(lab.Sshd(MATCH.format(
            account=self.shared.name, command=command, by=by) + more))

    def new_key(self, type='ed25519'):
        """The path of the private half of a key that nobody has yet."""
        self.keys += 1
        return lab.keypair(self.sshd.dir, type, 'key%d' % self.keys)

    def clear(self):
        """Nobody has a key."""
        shutil.rmtree(self.site.key_file('x').parent, ignore_errors=True)

    def authorize(self, account, key):
        done = self.site.ctl('authorize', account.name, key + '.pub')
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def ask(self, key, line, tty=False, sshd=None):
        return (sshd or self.sshd).ssh(self.shared.name, key, line, tty=tty)

    def check_in(self, key, account, name, sshd=None):
        """The key leads to the broker, as this account."""
        self.tap.equal(self.ask(key, LOGIN_CHECK, True, sshd).stdout, b'LOGIN OK\r\n',
                       name + ': login check')
        answer = self.ask(key, LIST, False, sshd)
        self.tap.ok(GRANTED in answer.stdout and not answer.stderr
                    and answer.stdout.count(b'name=') == 1
                    and b'[desk of %b]' % account.name.encode() in answer.stdout,
                    name + ': the list is for the user whose key it is', answer)

    def check_out(self, key, name):
        answer = self.ask(key, LIST)
        self.tap.ok(answer.returncode == 255 and not answer.stdout
                    and b'Permission denied' in answer.stderr,
                    name + ': sshd refuses', answer, self.sshd.log_tail(5))

    def check_ctl(self, done, status, words, name):
        """Exit status, and words that stdout (0) or stderr has."""
        text = done.stderr if status else done.stdout
        self.tap.ok(done.returncode == status and all(word in text for word in words),
                    name, done)


def fingerprint(key):
    done = subprocess.run(['ssh-keygen', '-l', '-f', key + '.pub'], text=True,
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.split()[1]


def test_types(world):
    """Authorized and revoked, a key of each type that needs no token."""
    for type in 'ed25519', 'ecdsa', 'rsa':
        key = world.new_key(type)
        world.check_out(key, type + ', before')
        done = world.site.ctl('authorize', world.user.name, key + '.pub')
        world.check_ctl(done, 0, [key + '.pub:1: ', fingerprint(key), ': added'],
                        type + ': authorize says what it did')
        world.check_in(key, world.user, type)
        done = world.site.ctl('authorize', world.user.name, key + '.pub')
        world.check_ctl(done, 0, ['already present'], type + ': again')
        done = world.site.ctl('revoke', world.user.name, key + '.pub')
        world.check_ctl(done, 0, [fingerprint(key), ': removed', '1 key of'],
                        type + ': revoke says what it did')
        world.check_out(key, type + ', after')


def test_byte_order_marks(world):
    """As editors on Windows write them."""
    text = pathlib.Path(world.new_key() + '.pub').read_text()
    for encoding, words in (('utf-8-sig', 'byte order mark'), ('utf-16', 'UTF-16')):
        path = world.site.path(encoding)
        pathlib.Path(path).write_text(text, encoding=encoding)
        done = world.site.ctl('authorize', world.user.name, path)
        world.tap.ok(done.returncode == 1 and words in done.stderr,
                     encoding + ': says what is wrong', done)


def test_revoked_while_connected(world):
    """The key is looked up at each request, whether sshd tells it or not."""
    world.clear()
    key = world.new_key()
    world.authorize(world.user, key)
    for exposed in 'yes', 'no':
        sshd = world.start_sshd(world.site.program, world.shared.name,
                                '    ExposeAuthInfo %s\n' % exposed)
        path = os.path.join(sshd.dir, 'master')
        words = sshd.ssh_command(world.shared.name, key, options=[
            'ControlMaster=yes', 'ControlPath=' + path])
        master = subprocess.Popen(['ssh', '-N', *words[1:]], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        world.stack.callback(master.wait)
        world.stack.callback(master.kill)
        lab.wait_for(lambda: os.path.exists(path), 10)

        def ask():
            return sshd.ssh(world.shared.name, key, brokerlab.LIST,
                            options=['ControlPath=' + path]).stdout

        served = ask()
        world.tap.ok(served not in (b'', DENIED), exposed + ': a connection is open',
                     served)
        done = world.site.ctl('revoke', world.user.name, key + '.pub')
        world.tap.ok('are refused from now on' in done.stdout,
                     exposed + ': revoke says so', done.stdout)
        world.tap.equal(ask() == served, False,
                        exposed + ': the open connection after revoke')
        world.authorize(world.user, key)
        world.tap.equal(ask(), served, exposed + ': and after authorize')
    world.clear()


def test_two_users(world):
    keys = [world.new_key() for _ in range(4)]
    for key, account in zip(keys, [world.user, world.other] * 2):
        world.authorize(account, key)
    for key, account in zip(keys, [world.user, world.other] * 2):
        world.check_in(key, account, os.path.basename(key))
    done = world.site.ctl('authorize', world.other.name, keys[0] + '.pub')
    world.check_ctl(done, 1, ['%s has this key already' % world.user.name,
                              str(world.site.key_file(world.user.name)) + ':1'],
                    "another user's key is refused, and where it is")
    world.check_in(keys[0], world.user, 'who has it keeps it')
    world.tap.equal(world.site.ctl('check').returncode, 0, 'check has no complaint')

    world.check_ctl(world.site.ctl('revoke', world.user.name), 0,
                    ['2 keys of ' + world.user.name], 'all keys of a user')
    world.check_out(keys[0], 'all revoked')
    world.check_out(keys[2], 'all revoked, another one')
    world.check_in(keys[3], world.other, 'the other user')
    world.tap.ok(not world.site.key_file(world.user.name).exists(), 'the file is gone')
    done = world.site.ctl('revoke', world.user.name)
    world.tap.equal((done.returncode, done.stdout),
                    (1, '0 keys of %s removed\n' % world.user.name),
                    'there was none to revoke')


def test_standard_input(world):
    keys = [world.new_key() for _ in range(3)]
    text = ''.join(pathlib.Path(key + '.pub').read_text() for key in keys)
    done = world.site.ctl('authorize', world.user.name, '-', input='# hers\n' + text)
    world.check_ctl(done, 0, ['standard input:4: '], 'authorize reads standard input')
    world.check_in(keys[2], world.user, 'standard input')
    done = world.site.ctl('revoke', world.user.name, '-', input=text)
    world.check_ctl(done, 0, ['3 keys of'], 'revoke reads standard input')
    world.check_out(keys[2], 'standard input, revoked')


def test_nothing_else(world):
    """A key is for the broker, and a question about another account is not ours."""
    key = world.new_key()
    world.authorize(world.user, key)
    pub = key + '.pub'
    words = pathlib.Path(pub).read_text().split()
    world.tap.equal(world.site.asked(pub).stdout,
                    'restrict,pty,command="%s --user %s --listed-key %s:%s" %s %s\n' %
                    (world.site.broker, world.user.name, *words[:2], *words[:2]),
                    'the line for sshd')
    world.tap.equal(world.ask(key, 'id').stdout, DENIED, 'no other command')
    for account in 'root', world.user.name, world.other.name, '', 'none', '../x':
        done = world.site.asked(pub, account=account or 'no such account')
        world.tap.equal((done.returncode, done.stdout), (0, ''),
                        'not asked about %r' % account)
    done = world.sshd.ssh(world.user.name, key, LIST)
    world.tap.equal(done.returncode, 255, 'it is no key for her own account')
    # A way out of the host would need forwarding.
    done = world.sshd.ssh(world.shared.name, key, LOGIN_CHECK,
                          options=['ExitOnForwardFailure=yes',
                                   'RemoteForward=0 127.0.0.1:1'])
    world.tap.ok(done.returncode == 255, 'no forwarding', done)


# Rows: what, arguments behind authorized-keys.
NO_QUESTIONS = [
    ('no arguments', []),
    ('two', ['ACCOUNT', 'ssh-ed25519']),
    ('four', ['ACCOUNT', 'ssh-ed25519', 'KEY', 'x']),
    ('an option for an account', ['-C/etc/x', 'ssh-ed25519', 'KEY']),
    ('a type that is none', ['ACCOUNT', 'ssh-ed2551', 'KEY']),
    ('a certificate', ['ACCOUNT', 'ssh-ed25519-cert-v01@openssh.com', 'KEY']),
    ('a path for a key', ['ACCOUNT', 'ssh-ed25519', '../../../x']),
    ('half of a key', ['ACCOUNT', 'ssh-ed25519', 'HALF']),
    ('two lines', ['ACCOUNT', 'ssh-ed25519', 'KEY\nssh-ed25519 KEY']),
    ('nothing', ['ACCOUNT', '', '']),
]


def test_questions(world):
    key = world.new_key()
    world.authorize(world.user, key)
    text = pathlib.Path(key + '.pub').read_text().split()[1]
    for name, words in NO_QUESTIONS:
        words = [word.replace('ACCOUNT', world.shared.name).replace('KEY', text)
                 .replace('HALF', text[:32]) for word in words]
        done = world.site.ctl('authorized-keys', *words)
        world.tap.ok(done.returncode != 0 and done.stdout == '', 'no question: ' + name,
                     done)


def test_ambiguous(world):
    """Somebody has copied a key by hand."""
    key, second = world.new_key(), world.new_key()
    world.authorize(world.user, key)
    world.authorize(world.other, second)
    with open(world.site.key_file(world.other.name), 'a') as file:
        file.write('\n' + pathlib.Path(key + '.pub').read_text())
    world.check_out(key, 'in two files')
    world.check_in(second, world.other, 'another key of one of them')
    places = ['%s:%d' % (world.site.key_file(account.name), line)
              for account, line in ((world.user, 1), (world.other, 3))]
    world.check_ctl(world.site.asked(key + '.pub'), 1, places,
                    'in two files: both places are logged')
    done = world.site.ctl('check')
    world.tap.ok(done.returncode == 1 and all(p in done.stdout for p in places),
                 'in two files: check says so', done)
    world.site.ctl('revoke', world.other.name, key + '.pub')
    world.check_in(key, world.user, 'in one again')


# Rows: what, the name of the file (USER: of the key's user), what is done to it, a
# word of what is logged ('': nothing).
HOSTILE = [
    ('a name that begins with -', '-x.pub', None, 'must begin with'),
    ('an option', '--user=root.pub', None, 'must begin with'),
    ('a quote', 'a"b.pub', None, 'must consist of'),
    ('a way out of the quotes', 'root" x".pub', None, 'must consist of'),
    ('shell', '$(id).pub', None, 'must consist of'),
    ('blanks', 'root root.pub', None, 'must consist of'),
    ('a line break', 'root\nroot.pub', None, 'must consist of'),
    ('no account', 'x2gotest-nobody.pub', None, 'no such account'),
    ('no name', '.pub', None, ''),
    ('hidden', '.USER.pub', None, ''),
    ('a backup', 'USER.pub~', None, ''),
    ('another end', 'USER', None, ''),
    ('writable for all', 'USER.pub', lambda path: os.chmod(path, 0o666), 'chmod go-w'),
    ('writable for a group', 'USER.pub', lambda path: os.chmod(path, 0o664),
     'chmod go-w'),
    ("somebody else's", 'USER.pub', lambda path: os.chown(path, 65534, 65534),
     'chown root'),
    ('a link', 'USER.pub', 'link', 'symbolic link'),
    ('a FIFO', 'USER.pub', 'fifo', 'not a regular file'),
    ('options', 'USER.pub', 'options', 'options before a key'),
]


def spoil(path, what):
    if callable(what):
        what(path)
    elif what == 'link':
        os.rename(path, path + '.real')
        os.symlink(path + '.real', path)
    elif what == 'fifo':
        os.unlink(path)
        os.mkfifo(path, 0o644)
    elif what == 'options':
        text = pathlib.Path(path).read_text()
        pathlib.Path(path).write_text('restrict,pty,command="id" ' + text)


def test_hostile_files(world):
    key, good = world.new_key(), world.new_key()
    for name, entry, what, told in HOSTILE:
        world.clear()
        world.authorize(world.other, good)
        path = os.path.join(world.site.key_file('x').parent,
                            entry.replace('USER', world.user.name))
        shutil.copyfile(key + '.pub', path)
        spoil(path, what)
        world.check_out(key, name)
        done = world.site.asked(key + '.pub')
        world.tap.ok(not done.stdout and told in done.stderr, name + ': the log', done)
    world.check_in(good, world.other, 'all others')
    world.clear()
    world.authorize(world.user, key)
    directory = world.site.key_file('x').parent
    directory.chmod(0o777)
    world.check_out(key, 'a directory that all may write to')
    directory.chmod(0o755)
    world.check_in(key, world.user, 'a directory that is safe again')


# Rows: what, NAME (USER: an account), a word of the reason.
BAD_NAMES = [
    ('a path', '../x', 'must begin with'),
    ('a path within', 'USER/../x', 'must consist of'),
    ('a quote', 'a"b', 'must consist of'),
    ('an option', '-x', ''),
    ('nothing', '', 'account name is empty'),
    ('no account', 'x2gotest-nobody', 'no such account'),
    ('a number', '0', 'no such account'),
]


def test_bad_requests(world):
    key = world.new_key()
    for name, account, why in BAD_NAMES:
        account = account.replace('USER', world.user.name)
        done = world.site.ctl('authorize', account, key + '.pub')
        world.tap.ok(done.returncode != 0 and why in done.stderr, 'authorize: ' + name,
                     done)
    rows = [
        ('a private key', key, 'this is the private key; use the .pub file'),
        ('no file', key + '.none', 'No such file'),
        ('a directory', '/etc', 'directory'),
        ('no text', world.site.broker, 'not a text file'),
        ('no key', '/etc/passwd', 'TYPE BASE64 COMMENT'),
        ('no end', '/dev/zero', 'too large'),
        ('a certificate', certificate(world, key), 'certificate'),
    ]
    for name, path, why in rows:
        done = world.site.ctl('authorize', world.user.name, path)
        world.check_ctl(done, 1, [why], 'authorize: ' + name)
        world.tap.ok(all(line not in done.stdout + done.stderr for line in
                         pathlib.Path(key).read_text().splitlines()),
                     'authorize: %s: no secret is shown' % name)
    world.tap.ok(not world.site.key_file(world.user.name).exists(),
                 'none of this has made a file')
    for words in (['authorize'], ['authorize', world.user.name], ['revoke'],
                  ['revoke', world.user.name, 'a', 'b']):
        world.tap.equal(world.site.ctl(*words).returncode, 2,
                        'usage: ' + ' '.join(words))


def certificate(world, key):
    ca = world.new_key()
    subprocess.run(['ssh-keygen', '-q', '-s', ca, '-I', 'x', '-n', 'x', key + '.pub'],
                   check=True, stderr=subprocess.DEVNULL)
    return key + '-cert.pub'


def test_parallel(world):
    """Twenty administrators at the same time, and sshd asks meanwhile."""
    first, keys = world.new_key(), [world.new_key() for _ in range(20)]
    world.authorize(world.user, first)
    started = [subprocess.Popen([world.site.program, 'authorize', world.user.name,
                                 key + '.pub'], stdout=subprocess.PIPE,
                                # without LD_LIBRARY_PATH, which would bring
                                # another library, that looks in another place
                                env={'PATH': '/usr/bin:/bin'}) for key in keys]
    world.check_in(first, world.user, 'meanwhile')
    said = [process.communicate()[0].decode() for process in started]
    world.tap.ok(all(process.returncode == 0 for process in started),
                 'twenty at the same time')
    text = world.site.key_file(world.user.name).read_text()
    world.tap.ok(all(pathlib.Path(key + '.pub').read_text() in text
                     for key in [first, *keys]) and text.count('\n') == 21,
                 'none of the keys is lost', text, *said)
    world.tap.equal(sorted(os.listdir(world.site.key_file('x').parent)),
                    ['.lock', world.user.name + '.pub'], 'nothing else is left')
    mode = world.site.key_file(world.user.name).stat().st_mode & 0o7777
    world.tap.equal(mode, 0o644, 'its mode')


def test_thousand_users(world):
    key = world.new_key()
    world.authorize(world.user, key)
    for i in range(1000):
        data = struct.pack('>I11sI32s', 11, b'ssh-ed25519', 32, os.urandom(32))
        world.site.key_file('user%d' % i).write_text(
            'ssh-ed25519 %s user%d\n' % (base64.b64encode(data).decode(), i))
    best = 9.0
    for _ in range(5):
        start = time.monotonic()
        done = world.site.asked(key + '.pub')
        best = min(best, time.monotonic() - start)
    world.tap.ok(done.stdout.startswith('restrict') and best < 0.25,
                 'one of a thousand files: found in %.0f ms' % (best * 1000), done)
    world.check_in(key, world.user, 'one of a thousand files')


def test_other_configuration(world):
    """Another file, for another helper's account; -C goes on to the broker."""
    conf = world.site.write('other.conf', CONF.format(account=world.shared.name) +
                            'keys-dir = %s\n' % world.site.path('other.d'))
    key, default = world.new_key(), world.new_key()
    world.authorize(world.user, default)
    done = world.site.ctl('-C', conf, 'authorize', world.user.name, key + '.pub')
    world.tap.equal((done.returncode, sorted(os.listdir(world.site.path('other.d')))),
                    (0, ['.lock', world.user.name + '.pub']), 'keys-dir is made')
    world.check_out(key, 'not in the default directory')
    line = world.site.asked(key + '.pub', '-C', conf).stdout
    world.tap.ok('x2gobroker -C %s --user %s --listed-key ' % (conf, world.user.name) in line,
                 'the broker is given the file, too', line)
    sshd = world.start_sshd('%s -C %s' % (world.site.program, conf), 'nobody')
    world.check_in(key, world.user, 'nobody asks, with -C', sshd)
    for name in 'a b.conf', 'a"b.conf', "a'b.conf", 'a$b.conf', 'a\\b.conf', 'a;b.conf':
        shutil.copyfile(conf, world.site.path(name))
        done = world.site.asked(key + '.pub', '-C', world.site.path(name))
        world.check_ctl(done, 2, ['letters'], 'a path that needs quotes: ' + name)
    done = world.site.asked(key + '.pub', '-C', 'etc/x2go/x2gobroker.conf')
    world.check_ctl(done, 2, ['must begin with /'], 'a relative path')
    world.site.write('broken.conf', '[global\n')
    done = world.site.asked(key + '.pub', '-C', world.site.path('broken.conf'))
    world.check_ctl(done, 1, ['broken.conf:1'], 'a file that is not in order')


def sign(key, ca, id, principals):
    """The one of this key; an older one is replaced."""
    subprocess.run(['ssh-keygen', '-q', '-s', ca, '-I', id, '-n', principals, '-V', '+5m',
                    key + '.pub'], check=True, stderr=subprocess.DEVNULL)


def test_certificates(world):
    """Whose ID and principal are the same user, signed by the authority of the site."""
    tap, name, other = world.tap, world.user.name, world.other.name
    key, ca, wrong = (world.new_key() for _ in range(3))
    ca_file = world.site.write('ca.pub', pathlib.Path(ca + '.pub').read_text())
    sshd = world.stack.enter_context(lab.Sshd(
        CERTIFICATES.format(ca=ca_file, account=world.shared.name,
                            command=world.site.program)))
    for authority, id, principals, user in (
            (ca, name, name, world.user), (ca, other, other, world.other),
            (ca, name, name + ',wheel', world.user), (wrong, name, name, None),
            (ca, name, other, None), (ca, name, 'wheel', None),
            (ca, 'nobody else', name, None), (ca, '" ' + name, name, None),
            (ca, '-x', '-x', None), (ca, name + '\n', name, None),
            (ca, '../' + name, name, None), (ca, '', name, None)):
        sign(key, authority, id, principals)
        what = 'a certificate of %r for %r: ' % (id, principals)
        if user:
            world.check_in(key, user, what, sshd)
        else:
            tap.equal(world.ask(key, LIST, sshd=sshd).returncode, 255, what + 'no login')
    done = world.site.ctl('authorized-principals', world.shared.name, name)
    line = 'restrict,pty,command="%s --user %s" %s\n' % (world.site.broker, name, name)
    tap.equal((done.returncode, done.stdout), (0, line), 'the line for sshd')
    for account in 'root', name, '':
        done = world.site.ctl('authorized-principals', account, name)
        tap.equal((done.returncode, done.stdout), (0, ''), 'not asked about %r' % account)
    for id in 'no-such-user-here', '', '..', name + ' x', name + '"':
        done = world.site.ctl('authorized-principals', world.shared.name, id)
        tap.equal((done.returncode, done.stdout), (1, ''), 'no user: %r' % id)


TESTS = [test_types, test_byte_order_marks, test_revoked_while_connected,
         test_two_users, test_standard_input, test_nothing_else, test_questions,
         test_ambiguous, test_hostile_files, test_bad_requests, test_parallel,
         test_thousand_users, test_other_configuration, test_certificates]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**brokerlab.PACKAGES, meson='meson', ninja='ninja-build',
                        gcc='gcc'):
            return
        world = World(tap, stack)
        for test in TESTS:
            world.clear()
            # What goes wrong in one says nothing about the others.
            with tap.case(test.__name__ + ': no step failed', world.sshd.log_tail):
                test(world)


if __name__ == '__main__':
    main()
