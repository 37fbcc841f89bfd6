#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobrokerctl doctor: it reports no problem if there is none, and if one thing is
wrong, only the check of it reports that, with a remedy.

usage: test_doctor.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL PATH-TO-X2GOBROKER-PAM
       (or X2GOBROKER=PATH, X2GOBROKERCTL=PATH, X2GOBROKER_PAM=PATH)

/etc and /usr/lib/x2go are the test's own, in mounts that nobody else sees.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import brokerlab
import farmlab
import lab
import test_pam

X2GODIR = pathlib.Path('/usr/lib/x2go')
BROKER, CTL, HELPER = (str(X2GODIR / name) for name in
                       ('x2gobroker', 'x2gobrokerctl', 'x2gobroker-pam'))
ACCOUNT_KEYS = '.ssh/authorized_keys'
PERMIT = 'account required pam_permit.so\n'

SSHD_CONFIG = '''\
Port 22
HostKey {hostkey}
UsePAM no
MaxStartups {startups}
{global_lines}
Match User {broker}
{broker_lines}
    AuthorizedKeysCommand {ctl} -C {conf} authorized-keys %u %t %k
    AuthorizedKeysCommandUser {broker}
Match User {forced}
{forced_lines}
    ForceCommand {program}
    PermitTTY yes
'''

# A second profile, whose servers nobody asks.
OTHER = '''\
[other]
name = Other
host = {host}
broker-agent-query-mode = NONE
{more}
'''


class Lab:
    """All that a broker needs, in order."""

    def __init__(self, stack, tap, programs):
        self.tap, self.ctl = tap, programs[1]
        self.farm = farmlab.Farm(stack, programs[0], 2)
        self.site, self.broker = self.farm.site, self.farm.broker
        self.user = self.farm.account
        self.forced = stack.enter_context(lab.Account())
        self._install(stack, programs)
        self._configure()
        self.key = lab.keypair(self.farm.dir, name='userkey') + '.pub'
        self.pub = pathlib.Path(self.key).read_text()
        self.broker.put(ACCOUNT_KEYS, self.line())
        self.site.write('keys.d/%s.pub' % self.user.name, pathlib.Path(
            lab.keypair(self.farm.dir, name='otherkey') + '.pub').read_text())
        version = subprocess.run([self.ctl, '--version'], text=True, check=True,
                                 stdout=subprocess.PIPE).stdout.split()[1]
        for server in self.farm.servers:
            server.play(version='x2gobroker-agent %s\n' % version, clock=0)

    def _install(self, stack, programs):
        X2GODIR.mkdir(exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', X2GODIR],
                       check=True)
        stack.callback(subprocess.run, ['umount', '-l', X2GODIR])
        for source, path in zip(programs, (BROKER, CTL, HELPER)):
            shutil.copy(source, path)
        os.chown(HELPER, 0, self.broker.gid)
        os.chmod(HELPER, 0o4750)
        test_pam.SERVICE.write_text(PERMIT)

    def _configure(self):
        plain = self.site.conf
        self.site.conf = lambda: plain().replace('account-check = never\n', '')
        os.mkdir(self.site.path('keys.d'))
        self.site.configure(keys_dir=self.site.path('keys.d'), agent_timeout=5)
        self.site.write('drained', '')
        self.write_profiles()
        self.write_sshd()
        self.broker_etc = pathlib.Path('/etc/x2go/broker')
        self.broker_etc.mkdir(parents=True, exist_ok=True)

    def write_profiles(self, host='127.0.0.1', more='', **keys):
        self.farm.profiles(self.farm.profile('desk', **keys),
                           OTHER.format(host=host, more=more))

    def write_sshd(self, **lines):
        """lines: startups, global_lines, broker_lines, forced_lines."""
        given = {'startups': 100, 'global_lines': '', 'broker_lines': '',
                 'forced_lines': '', **lines}
        self.site.write('sshd_config', SSHD_CONFIG.format(
            hostkey=self.farm.servers[0].hostkey, broker=self.broker.name, ctl=CTL,
            conf=self.site.path('x2gobroker.conf'), program=BROKER,
            forced=self.forced.name, **given))

    def line(self, options=None, key=None):
        """A line of authorized_keys."""
        if options is None:
            options = 'restrict,pty,command="%s --user %s"' % (BROKER, self.user.name)
        return '%s %s\n' % (options, (key or self.pub).strip())

    def command(self, *words):
        return [self.ctl, '-C', self.site.path('x2gobroker.conf'), 'doctor',
                '--sshd-config', self.site.path('sshd_config'), *words]

    def run(self, *words, account=None):
        ids = {'user': account.uid, 'group': account.gid, 'extra_groups': []} \
            if account else {}
        return subprocess.run(
            self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=120, cwd='/',
            env={'PATH': '/usr/bin:/bin'}, **ids)

    def look(self, *words, account=None):
        """(exit status, {check: its findings})"""
        done = self.run(*words, '--json', account=account)
        if done.stderr:
            raise RuntimeError(done.stderr)
        found = {}
        for one in json.loads(done.stdout)['findings']:
            one['text'] = re.sub(r'\d+ ms', 'N ms', one['text'])
            found.setdefault(one['check'], []).append(one)
        return done.returncode, found


def worst(findings):
    order = ['ok', 'skip', 'warn', 'FAIL']
    return max((one['status'] for one in findings), key=order.index)


# Faults: each is a context manager of the laboratory.

@contextlib.contextmanager
def sshd(lab_, **lines):
    lab_.write_sshd(**lines)
    try:
        yield
    finally:
        lab_.write_sshd()


@contextlib.contextmanager
def profiles(lab_, **keys):
    lab_.write_profiles(**keys)
    try:
        yield
    finally:
        lab_.write_profiles()


@contextlib.contextmanager
def mode(path, bits):
    before = os.stat(path).st_mode & 0o7777
    os.chmod(path, bits)
    try:
        yield
    finally:
        os.chmod(path, before)


@contextlib.contextmanager
def owner(path, uid, gid=-1):
    before = os.stat(path)
    os.chown(path, uid, gid)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


@contextlib.contextmanager
def member(group, name):
    """A supplementary one."""
    subprocess.run(['usermod', '-aG', group, name], check=True)
    try:
        yield
    finally:
        subprocess.run(['gpasswd', '-d', name, group], check=True,
                       stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def content(path, text):
    """Another content of a file, with its owner and mode; None: it is not there."""
    path = pathlib.Path(path)
    before = path.read_bytes() if path.is_file() else None
    aside = path.with_name('.aside')
    if text is None:
        path.rename(aside)
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        yield
    finally:
        if text is None:
            aside.rename(path)
        elif before is None:
            path.unlink()
        else:
            path.write_bytes(before)


@contextlib.contextmanager
def command(do, undo):
    """What they say on stdout would be taken for words of the test."""
    subprocess.run(do, check=True, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        subprocess.run(undo, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def played(server, **files):
    before = {name: (server.agent.files / name).read_bytes()
              for name in files if (server.agent.files / name).exists()}
    server.play(**files)
    try:
        yield
    finally:
        server.play(**{name: before.get(name) for name in files})


@contextlib.contextmanager
def both(one, other):
    with one, other:
        yield


@contextlib.contextmanager
def many_keys(lab_):
    paths = [pathlib.Path(lab_.site.path('keys.d/%s.pub' % name))
             for name in farmlab.users(11)]
    for path in paths:
        path.write_text('')
    try:
        yield
    finally:
        for path in paths:
            path.unlink()


def account_keys(lab_, text):
    return content(os.path.join(lab_.broker.home, ACCOUNT_KEYS), text)


def key_mode(lab_, bits):
    return mode(os.path.join(lab_.broker.home, '.ssh/id_ed25519'), bits)


@contextlib.contextmanager
def passphrase(lab_):
    path = os.path.join(lab_.broker.home, '.ssh/id_ed25519')
    change = ['ssh-keygen', '-q', '-p', '-f', path]
    with command([*change, '-P', '', '-N', 'secret'],
                 [*change, '-P', 'secret', '-N', '']), owner(path, 0):
        os.chown(path, lab_.broker.uid, lab_.broker.gid)
        yield
    os.chown(path, lab_.broker.uid, lab_.broker.gid)


@contextlib.contextmanager
def known(lab_, lines):
    lab_.farm.know(lines)
    try:
        yield
    finally:
        lab_.farm.know()


@contextlib.contextmanager
def nothing(lab_):
    """Neither a file nor a line with a key."""
    with account_keys(lab_, ''), content(
            lab_.site.path('keys.d/%s.pub' % lab_.user.name), None):
        yield


# check, status, the fault, words of the text and of the remedy, checks that cannot
# help but change as well
SERVER_CHECKS = {'servers', 'agents', 'clocks', 'stores'}


def faults(l):
    s, farm, broker = l.site, l.farm, l.broker.name
    ssh_dir = os.path.join(l.broker.home, '.ssh')
    a, b = farm.servers
    return [
        ('profiles', 'FAIL', profiles(l, sshport='x'), 'sshport',
         'x2gobrokerctl check', SERVER_CHECKS | {
             'known-hosts', 'state-dir', 'service-keys', 'host-names'}),
        ('profiles', 'FAIL', content(s.path('profiles.conf'), ''), 'there is no profile',
         'x2gobroker-sessionprofiles(5)', SERVER_CHECKS | {
             'known-hosts', 'state-dir', 'service-keys', 'host-names'}),
        ('visible', 'warn', profiles(l, more='acl-users-deny = ALL\n'
                                     'acl-users-allow = root\n'
                                     'acl-users-order = deny-allow'),
         'nobody has access', 'x2gobrokerctl check', set()),
        ('user-keys', 'FAIL', mode(s.path('keys.d/%s.pub' % l.user.name), 0o664),
         'may write it', 'x2gobrokerctl check', set()),
        ('owners', 'FAIL', mode(s.path('keys.d'), 0o777), 'may write it',
         'chmod go-w', {'user-keys', 'readable'}),
        ('account', 'FAIL', command(['usermod', '-s', '/usr/sbin/nologin', broker],
                                    ['usermod', '-s', '/bin/sh', broker]),
         '/usr/sbin/nologin', 'usermod --shell /bin/sh ' + broker, set()),
        ('home', 'FAIL', mode(l.broker.home, 0o775), 'may write to it',
         'chmod go-w ' + l.broker.home, SERVER_CHECKS | {
             'service-keys', 'known-hosts', 'authorized-keys'}),
        ('home', 'FAIL', owner(l.broker.home, l.user.uid), 'belongs to uid',
         'chown %s %s' % (broker, l.broker.home), SERVER_CHECKS | {
             'service-keys', 'known-hosts', 'authorized-keys', 'key-types',
             'ways-in'}),
        ('account-locked', 'FAIL', command(['usermod', '-L', broker],
                                           ['usermod', '-U', broker]),
         '"!"', "usermod --password '*' " + broker, set()),
        ('account-locked', 'FAIL', command(['chage', '-E', '1', broker],
                                           ['chage', '-E', '-1', broker]),
         'the account has expired', 'chage -E -1 ' + broker, set()),
        ('account-locked', 'FAIL', command(['chage', '-d', '0', broker],
                                           ['chage', '-d', '2020-01-01', broker]),
         'the password has expired', 'chage -d', set()),
        ('sshd-login', 'FAIL', sshd(l, broker_lines='PubkeyAuthentication no'),
         'PubkeyAuthentication', 'PubkeyAuthentication yes', set()),
        ('sshd-login', 'FAIL', sshd(l, broker_lines='AuthenticationMethods '
                                    'publickey,password'),
         'publickey,password', 'AuthenticationMethods publickey', set()),
        ('sshd-access', 'FAIL', sshd(l, global_lines='AllowUsers root other*'),
         'AllowUsers', 'add it to AllowUsers', set()),
        ('sshd-access', 'FAIL', sshd(l, global_lines='DenyUsers %s?' % broker[:-1]),
         'DenyUsers', 'remove it from DenyUsers', set()),
        ('sshd-access', 'FAIL', sshd(l, global_lines='AllowGroups root'),
         'AllowGroups', 'add it to AllowGroups', set()),
        ('sshd-access', 'FAIL', sshd(l, global_lines='DenyGroups ' + broker),
         'DenyGroups', 'remove it from DenyGroups', set()),
        ('sshd-command', 'FAIL', sshd(l, broker_lines='ForceCommand internal-sftp'),
         'internal-sftp', 'ForceCommand none', set()),
        ('sshd-command', 'FAIL', sshd(l, broker_lines='ChrootDirectory /srv'),
         '/srv', 'ChrootDirectory none', set()),
        ('sshd-pty', 'FAIL', sshd(l, broker_lines='PermitTTY no'),
         'hangs', 'PermitTTY yes', set()),
        ('sshd-keys', 'FAIL', sshd(l, broker_lines='AuthorizedKeysCommand /bin/false\n'
                                   'AuthorizedKeysCommandUser ' + broker),
         '/bin/false', 'authorized-keys %u %t %k', {'ways-in'}),
        ('sshd-keys', 'FAIL', sshd(l, broker_lines='AuthorizedKeysCommandUser nobody'),
         'nobody', 'AuthorizedKeysCommandUser ' + broker, set()),
        ('sshd-keys', 'FAIL', mode(CTL, 0o775), 'may write it', 'belong to root', set()),
        ('sshd-sessions', 'FAIL', sshd(l, broker_lines='MaxSessions 0'),
         'MaxSessions', 'MaxSessions 10', set()),
        ('sshd-sessions', 'warn', sshd(l, broker_lines='MaxSessions 1'),
         'MaxSessions', 'MaxSessions 10', set()),
        ('sshd-environment', 'warn', sshd(l, global_lines='AcceptEnv LANG LD_*'),
         'LD_PRELOAD', '"LD_*"', set()),
        ('sshd-environment', 'warn', sshd(l, global_lines='PermitUserEnvironment yes'),
         'PermitUserEnvironment', 'PermitUserEnvironment no', set()),
        ('readable', 'FAIL', mode(s.path('profiles.conf'), 0o600),
         'Permission denied', 'make it readable for %s' % broker, set()),
        ('program', 'FAIL', mode(BROKER, 0o644), 'cannot run it', 'chmod 755', set()),
        ('program', 'FAIL', content(BROKER, None), 'no such file', 'install it', set()),
        ('pam', 'FAIL', mode(HELPER, 0o755), 'not setuid root', 'chmod 4750', set()),
        ('pam', 'FAIL', owner(HELPER, 0, 0), 'setuid', 'chmod 4750', set()),
        ('pam', 'warn', mode(HELPER, 0o4755), 'everybody', 'chmod 4750', set()),
        ('pam', 'warn', member(l.broker.name, l.user.name), 'other members',
         'gpasswd -d ' + l.user.name, set()),
        ('pam', 'FAIL', content(HELPER, None), 'No such file', 'account-check', set()),
        ('pam', 'FAIL', content(test_pam.SERVICE, None), 'does not exist',
         'contrib/pam.d/x2gobroker', set()),
        ('authorized-keys', 'FAIL', account_keys(l, l.line('')), 'gives a shell',
         'restrict,pty,command=', {'ways-in'}),
        ('authorized-keys', 'FAIL', account_keys(l, l.line(
            'restrict,command="%s --user x"' % BROKER)), 'hangs', 'restrict,pty', set()),
        ('authorized-keys', 'FAIL', account_keys(l, l.line(
            'no-pty,restrict,pty,command="%s --user=x"' % BROKER)), 'hangs',
         'restrict,pty', set()),
        ('authorized-keys', 'FAIL', account_keys(l, l.line(
            'restrict,pty,command="%s"' % BROKER)), 'has no --user', '--user NAME',
         {'ways-in'}),
        ('authorized-keys', 'warn', account_keys(l, l.line(
            'command="%s --user x"' % BROKER)), 'forwarding of ports', 'restrict,pty', set()),
        ('authorized-keys', 'warn', account_keys(l, l.line(
            'restrict,pty,command="/bin/echo \\"restrict, pty\\" no"')),
         'not the broker', 'remove', {'ways-in'}),
        ('authorized-keys', 'FAIL', mode(os.path.join(ssh_dir, 'authorized_keys'),
                                         0o664), 'may write it', 'chmod go-w', set()),
        ('key-types', 'FAIL', account_keys(l, l.line(key='ssh-dss AAAAB3 old')),
         'DSA', 'ssh-keygen -t ed25519', set()),
        ('key-types', 'warn', account_keys(l, l.line(
            key='sk-ssh-ed25519@openssh.com AAAAG token')), 'token', 'another type',
         set()),
        ('key-types', 'FAIL', account_keys(l, l.line(
            key='ssh-ed25519-cert-v01@openssh.com AAAA cert')), 'certificate', '-cert',
         set()),
        ('key-types', 'FAIL', account_keys(l, l.line(key='AAAAB3 cut off')), 'not a key',
         'ssh-keygen', set()),
        ('key-types', 'FAIL', sshd(l, global_lines='PubkeyAcceptedAlgorithms '
                                   'rsa-sha2-512'), 'ssh-ed25519',
         'PubkeyAcceptedAlgorithms +ssh-ed25519', set()),
        ('ways-in', 'warn', nothing(l), 'no user has a key', 'authorize NAME KEYFILE',
         {'authorized-keys'}),
        ('sshd-startups', 'warn', both(many_keys(l), sshd(l, startups='10:30:100')),
         '12 users have keys', 'MaxStartups 100', {'ways-in'}),
        ('state-dir', 'FAIL', owner(s.path('state'), 0), 'belongs to uid 0', 'chown',
         set()),
        ('state-dir', 'FAIL', mode(s.path('state'), 0o777), 'may write to it', 'chmod 700',
         set()),
        ('state-dir', 'FAIL', content(s.path('state'), None), 'No such file',
         'install -d', set()),
        ('tokens', 'FAIL', s.configured(require_cookie='true', my_cookie='secret',
                                        cookie_directory=s.path('tokens')),
         'refuses everybody', 'install -d -o ' + broker, set()),
        ('tokens', 'FAIL', s.configured(require_cookie='true', cookie_directory=
                                        s.path('state'), my_cookie_file=s.path('none'),
                                        authids_dir=s.path('none.d')),
         'no secret', 'LOGIN TOKENS', set()),
        ('drain-file', 'FAIL', mode(s.path('drained'), 0o666), 'may write it',
         'fix the file', set()),
        ('log-file', 'FAIL', mode(s.path('broker.log'), 0o600), 'cannot open it',
         'install -o ' + broker, set()),
        ('service-keys', 'FAIL', key_mode(l, 0o644), 'users other than', 'chmod 600', set()),
        ('service-keys', 'FAIL', passphrase(l), 'passphrase', 'ssh-keygen -p',
         SERVER_CHECKS),
        ('service-keys', 'FAIL', content(os.path.join(ssh_dir, 'id_ed25519'), None),
         'none of these', 'ssh-keygen -t ed25519', SERVER_CHECKS),
        ('known-hosts', 'FAIL', known(l, [a.known_as(a.name)]), 'is unknown',
         'known-hosts add ts02', SERVER_CHECKS),
        ('known-hosts', 'warn', both(known(l, [a.known_as(a.name)]), s.configured(
            default_agent_hostkey_policy='WarningPolicy')), 'WarningPolicy accepts any',
         'known-hosts add ts02', SERVER_CHECKS),
        ('known-hosts', 'FAIL', known(l, [a.known_as(a.name), b.known_as(
            b.name, farm.servers[0].hostkey)]), 'man-in-the-middle', '',
         SERVER_CHECKS),
        ('servers', 'FAIL', b.down(), 'Connection refused', 'poll',
         SERVER_CHECKS | {'known-hosts'}),
        ('agents', 'warn', played(a, version='x2gobroker-agent 0.0.1\n'), '0.0.1',
         'same version', set()),
        ('clocks', 'warn', played(b, clock=31), 'seconds ahead', 'NTP', set()),
        ('clocks', 'FAIL', played(b, clock=-3600), 'seconds behind', 'NTP', set()),
        ('stores', 'FAIL', both(s.configured(default_session_autologin='true'), both(
            played(a, answer_checkstore='OK\n'), played(
                b, stderr_checkstore='sshd does not read it', exit_checkstore=1))),
         'sshd does not read it', 'x2gobroker-agent(8)', set()),
        ('host-names', 'FAIL', profiles(l, host='127.0.0.1, [2001:db8::1]'),
         'IPv6', 'NAME (', {'profiles'}),
        ('host-names', 'warn', profiles(l, host='no-such-host.invalid'),
         'does not resolve', '/etc/hosts', set()),
        ('host-names', 'warn', profiles(l, host='localhost'), "the client's own", 'the name',
         set()),
        ('host-names', 'warn', profiles(l, more='sshproxyhost = proxy.invalid'),
         'does not resolve', '/etc/hosts', set()),
    ]


def user_faults(l):
    """The same for doctor --user with a user who has a key."""
    name, a = l.user.name, l.farm.servers[0]
    return [
        ('user-pam', 'FAIL', content(test_pam.SERVICE,
                                     'account required pam_deny.so\n'),
         'refused', 'fix the account', set()),
        ('user-profiles', 'warn', profiles(l, acl_users_deny='ALL', more=
                                           'acl-users-deny = ALL'),
         'sees none of 2', 'x2gobrokerctl explain PROFILE --as ' + name,
         {'visible'}),
        ('user-sessions', 'FAIL', played(a, kind='old', answer_listsessions='broken\n'),
         'cannot list the sessions of ' + name, 'x2godbadmin', {'agents'}),
        ('ways-in', 'warn', nothing(l), 'neither a key nor a ForceCommand',
         'x2gobrokerctl authorize ' + name, {'authorized-keys'}),
    ]


def forced_faults(l):
    """The same for one whom ForceCommand sends to the broker."""
    return [
        ('user-command', 'FAIL', sshd(l, forced_lines='PermitTTY no'), 'hangs',
         'PermitTTY yes', set()),
        ('user-command', 'warn', sshd(l, forced_lines='ForceCommand /bin/true'),
         '/bin/true', 'ForceCommand ' + BROKER, {'user-files', 'ways-in'}),
        ('user-files', 'FAIL', mode(BROKER, 0o750), 'cannot run it', 'chmod 755',
         {'program'}),
        ('user-files', 'FAIL', both(owner(l.site.path('profiles.conf'), 0,
                                          l.broker.gid),
                                    mode(l.site.path('profiles.conf'), 0o640)),
         'Permission denied', 'mode 644', set()),
    ]


def lines_of(findings):
    return [(one['status'], one['subject'], one['text'], one['remedy'])
            for one in findings]


def check_fault(l, base, words, fault):
    check, status, broken, text, remedy, others = fault
    name = '%s: %s' % (check, text)
    with broken:
        code, found = l.look(*words)
    new = [one for one in found[check] if one not in base[check]]
    told = [one for one in new if one['status'] == status and
            text in '%s %s' % (one['subject'], one['text']) and
            remedy in (one['remedy'] or '')]
    l.tap.ok(told, name, 'wanted %s: %s - %s' % (status, text, remedy),
             *lines_of(found[check]))
    l.tap.equal(worst(found[check]), status, name + ': no worse than that', new)
    changed = {key for key in base if lines_of(base[key]) != lines_of(found[key])}
    l.tap.ok(changed - others <= {check}, name + ': all others are as before',
             *[(key, lines_of(found[key])) for key in changed - others - {check}])
    worst_of_all = max(map(worst, found.values()), key=['ok', 'skip', 'warn',
                                                         'FAIL'].index)
    l.tap.equal(code, 1 if worst_of_all == 'FAIL' else 0, name + ': exit status')


def test_all_well(l):
    code, base = l.look()
    bad = {check for check in base if worst(base[check]) not in ('ok', 'skip')}
    l.tap.equal((code, bad), (0, {'host-names'}),
                'all is well, but that servers on loopback are no use to others',
                *[one for check in bad for one in base[check]])
    skipped = {check for check in base if worst(base[check]) == 'skip'}
    l.tap.equal({check for check in skipped if not check.startswith('database')},
                {'https', 'user-command', 'user-files', 'user-pam', 'user-profiles',
                 'user-sessions'}, 'all but what is about a user')
    l.tap.equal({one['text'] for check in skipped if check.startswith('database')
                 for one in base[check]}, {'session-database is not set'},
                'and about a session database')
    keys = l.look()[1]['service-keys']
    own = subprocess.run(['ssh-keygen', '-l', '-f', l.farm.key + '.pub'], text=True,
                         stdout=subprocess.PIPE, check=True).stdout.split()[1]
    l.tap.equal([one['text'] for one in keys], [own],
                'the fingerprint of the service key')
    return base


def test_faults(l, base, words, faults_of):
    for fault in faults_of(l):
        with l.tap.case('%s: no step failed' % fault[0]):
            check_fault(l, base, words, fault)
    code, again = l.look(*words)
    l.tap.equal({check: lines_of(found) for check, found in again.items()},
                {check: lines_of(found) for check, found in base.items()},
                'in the end all is as it was')


def test_users(l):
    for account, way in (l.user, 'a key'), (l.forced, 'ForceCommand'):
        words = ['--user', account.name]
        code, base = l.look(*words)
        bad = {check for check in base if worst(base[check]) != 'ok' and
               not check.startswith('database')}
        l.tap.equal((code, bad - {'https'}), (0, {'host-names'}),
                    'all is well for who has ' + way,
                    *[one for check in bad for one in base[check]])
        l.tap.ok(way in base['ways-in'][0]['text'], 'and how the user gets in is told',
                 base['ways-in'])
        test_faults(l, base, words, user_faults if account is l.user else forced_faults)
    code, found = l.look('--user', 'nosuchuser')
    l.tap.ok(code == 1 and 'no such account' in found['user-profiles'][0]['text'],
             'a user who does not exist', found['user-profiles'])


def test_nothing_to_go_on_with(l):
    """What other checks cannot do without."""
    rows = [
        ('configuration', l.site.configured(agent_timeout='never'), 'agent-timeout',
         'x2gobrokerctl check', 'the configuration has errors'),
        ('owners', mode(l.broker_etc, 0o777), 'may write it', 'chmod go-w',
         'the configuration has errors'),
        ('account', content(l.site.path('x2gobroker.conf'), l.site.conf().replace(
            'broker-account = ' + l.broker.name, 'broker-account = nosuchaccount')),
         'no such account', 'setup --shared', 'there is no broker account'),
        ('sshd', sshd(l, global_lines='NoSuchKeyword yes'), 'NoSuchKeyword', 'sshd -t',
         'sshd -T fails'),
    ]
    for check, broken, text, remedy, why in rows:
        with broken:
            code, found = l.look()
            plain = l.run().stdout
        one = found[check][0]
        l.tap.ok(code == 1 and one['status'] == 'FAIL' and text in one['text'] and
                 remedy in one['remedy'], check + ' is told', one)
        l.tap.ok(why in {one['text'] for key in found for one in found[key]
                         if one['status'] == 'skip'}, check + ': others are skipped')
        l.tap.ok(re.search('(?m)^skip  .*: %s$' % why, plain),
                 check + ': in one line for people', plain)


def test_no_account(l):
    """Users come as themselves, and no server is asked."""
    path = l.site.path('x2gobroker.conf')
    with l.site.configured(default_agent_query_mode='NONE'), content(
            l.site.path('keys.d/%s.pub' % l.user.name), None), content(
                path, l.site.conf().replace('broker-account = ' + l.broker.name,
                                            'broker-account = nosuchaccount')):
        code, found = l.look('--user', l.forced.name)
    l.tap.ok(code == 0 and worst(found['account']) == 'warn' and
             'reach the broker' in found['account'][0]['text'],
             'no broker account is fine if nobody needs it', found['account'])
    l.tap.equal(worst(found['user-files']), 'ok', 'and what the user needs is there',
                *found['user-files'])


def test_lines(l):
    """What people see."""
    done = l.run()
    lines = done.stdout.splitlines()
    l.tap.equal((done.returncode, done.stderr), (0, ''), 'for people')
    l.tap.ok(all(re.match(r'(ok  |warn|skip|FAIL)  [a-z-]+(, [a-z-]+)*: \S', line)
                 for line in lines[:-1]), 'each line: status, check, text', *lines)
    l.tap.ok(re.fullmatch(r'\d+ ok, 3 warnings, 0 failed', lines[-1]), 'then a sum',
             lines[-1])
    with sshd(l, broker_lines='PermitTTY no'):
        done = l.run()
    l.tap.ok(done.returncode == 1 and
             'FAIL  sshd-pty: PermitTTY: is no, but without a terminal the X2Go client '
             'hangs at login - Match User %s: PermitTTY yes\n' % l.broker.name
             in done.stdout, 'a failure, and its remedy', done.stdout)
    for words in (['more'], ['--as', 'root'], ['--sshd-config']):
        l.tap.equal(l.run(*words).returncode, 2, 'doctor %s' % ' '.join(words))


def test_without_root(l):
    code, found = l.look(account=l.user)
    skipped = {check for check in found if worst(found[check]) == 'skip'}
    l.tap.ok(code == 0 and {'sshd', 'sshd-pty', 'readable', 'servers'} <= skipped and
             not {'profiles', 'account', 'host-names'} & skipped,
             'as somebody else: what only root can look at is skipped', found)
    code, found = l.look(account=l.broker)
    skipped = {check for check in found if worst(found[check]) == 'skip'}
    l.tap.ok(code == 0 and {'sshd', 'sshd-pty', 'account-locked'} <= skipped and
             not {'readable', 'servers', 'service-keys'} & skipped,
             'as the broker account: what it can do is looked at', found)


def test_unknown_sshd_file(l):
    done = subprocess.run([l.ctl, '-C', l.site.path('x2gobroker.conf'), 'doctor',
                           '--sshd-config', l.site.path('none')], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    l.tap.ok(done.returncode == 1 and 'FAIL  sshd: ' in done.stdout,
             'sshd_config that is not there', done)


def test_other_agent(l):
    """Debian's agent has no version and no clock, and that is fine."""
    with played(l.farm.servers[0], kind='old'):
        code, found = l.look()
    l.tap.ok(code == 0 and "Debian's agent" in found['agents'][0]['text'],
             "Debian's agent is told from ours", found['agents'])


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**farmlab.PACKAGES, chage='passwd', mount='mount'):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL',
                                   'X2GOBROKER_PAM')
        if not tap.equal(len(found), 3, 'all three programs are there'):
            return
        etc = stack.enter_context(test_pam.Etc())
        if not tap.ok(etc.private, 'mounts of our own can be made'):
            return
        l = Lab(stack, tap, found)
        base = test_all_well(l)
        with tap.case('faults: no step failed'):
            test_faults(l, base, [], faults)
        for test in (test_users, test_nothing_to_go_on_with, test_no_account,
                     test_lines, test_without_root, test_unknown_sshd_file,
                     test_other_agent):
            with tap.case(test.__name__ + ': no step failed'):
                test(l)


if __name__ == '__main__':
    main()
