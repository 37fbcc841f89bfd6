#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobroker-pam, the broker's setuid helper: whom it refuses, whose password it
sets, who may start it, and that nobody who may can harm /etc/shadow with it or
learn a password from it; account.c, with which the broker calls it; and the broker.

usage: test_pam.py PATH-TO-X2GOBROKER-PAM [PATH-TO-X2GOBROKER]
       (or X2GOBROKER_PAM=PATH X2GOBROKER=PATH)

All of this happens in a copy of /etc that this process alone sees. Where the
kernel does not allow that, as in some containers, the accounts are made in the
real one, and its /etc/pam.d/x2gobroker is put back at the end.
"""

import contextlib
import ctypes
import ctypes.util
import itertools
import os
import pathlib
import queue
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import brokerlab
import lab

PACKAGES = {'cc': 'gcc', 'chage': 'passwd', 'setpriv': 'util-linux'}
SOURCE = pathlib.Path(__file__).resolve().parents[2]

SERVICE = pathlib.Path('/etc/pam.d/x2gobroker')
SHADOW = pathlib.Path('/etc/shadow')

OK, REFUSED, USAGE, SYSTEM = range(4)   # exit statuses
LONGEST = 511                           # bytes of a password
LIMIT = 20                              # seconds that the helper gives itself

HERE, ELSEWHERE = '192.0.2.17', '192.0.2.18'    # clients
OLD, NEW = 'the old one', 'Never-seen before!'   # passwords

# DIR and what else is in capitals are replaced by Bench.serve().
RULES = '''\
account required pam_nologin.so file=DIR/nologin
account required pam_access.so accessfile=DIR/access
account required pam_unix.so
'''
AUTH = 'auth required pam_unix.so nodelay\n'
PLAIN = AUTH + RULES + 'password required pam_unix.so sha512 rounds=1000\n'


# Surroundings

_libc = ctypes.CDLL(None, use_errno=True)
_libcrypt = ctypes.CDLL(ctypes.util.find_library('crypt') or 'libcrypt.so.1')
_libcrypt.crypt.restype = ctypes.c_char_p


def crypt(password, salt='$6$rounds=1000$x2gobroker'):
    """crypt(3), which Python itself is about to lose."""
    if isinstance(password, str):
        password = password.encode()
    return _libcrypt.crypt(password, salt.encode()).decode()


class Etc:
    """A private copy of /etc, if that can be had; the service file in any case."""

    def __enter__(self):
        self.before = SERVICE.read_bytes() if SERVICE.exists() else None
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-etc.')
        os.chmod(self.dir, 0o755)
        subprocess.run(['cp', '-a', '/etc/.', self.dir], check=True)
        self.private = _libc.unshare(0x20000) == 0 and all(  # CLONE_NEWNS
            subprocess.run(['mount', *words], stderr=subprocess.DEVNULL).returncode == 0
            for words in (['--make-rprivate', '/'], ['--bind', self.dir, '/etc']))
        if self.private:
            self._free_locks()
            self._move_uids()
        return self

    @staticmethod
    def _free_locks():
        """Those of somebody who is changing the real files just now."""
        for path in pathlib.Path('/etc').glob('*.lock'):
            path.unlink()

    @staticmethod
    def _move_uids():
        """Accounts made here must not have uids that others make outside: at their
        end everything that runs under them is ended."""
        path = pathlib.Path('/etc/login.defs')
        first = 200000 + os.getpid() % 10000 * 100
        text = path.read_text()
        for kind in 'UID', 'GID':
            for what, number in ('MIN', first), ('MAX', first + 99):
                name = '%s_%s' % (kind, what)
                text = re.sub(r'(?m)^%s\b.*\n' % name, '', text)
                text += '%s %d\n' % (name, number)
        path.write_text(text)

    def __exit__(self, *_):
        if self.private:
            subprocess.run(['umount', '-l', '/etc'], check=True)
        elif self.before is None:
            SERVICE.unlink(missing_ok=True)
        else:
            SERVICE.write_bytes(self.before)
        shutil.rmtree(self.dir)


class Syslog:
    """What is sent to /dev/log."""

    def __init__(self, directory, private):
        self.path = os.path.join(directory, 'log')
        self.private = private

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        there = os.path.realpath('/dev/log')
        self.made = None
        self.heard = self.private or not os.path.exists(there)
        if not os.path.exists(there):
            self.made = self.path = there
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        if self.heard and not self.made:
            subprocess.run(['mount', '--bind', self.path, there], check=True)

        # Somebody has to read all the time, or syslog(3) waits for a reader.
        self.messages = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _listen(self):
        while text := self.socket.recv(65536):
            self.messages.put(text.decode(errors='surrogateescape'))

    def read(self):
        """All since the last call. None: somebody else hears it."""
        time.sleep(0.1)
        lines = []
        with contextlib.suppress(queue.Empty):
            while True:
                lines.append(self.messages.get_nowait())
        return '\n'.join(lines) + '\n' if self.heard else None

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RD)
        self.socket.close()
        if self.made:
            os.unlink(self.made)


# A module of PAM that does what its arguments say, one after the other.
MODULE = r'''
#include <security/pam_modules.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
act(pam_handle_t *pam, int argc, const char **argv)
{
	char *answer = NULL, **e;
	int i, result = PAM_SUCCESS;

	for (i = 0; i < argc && result == PAM_SUCCESS; i++) {
		if (strncmp(argv[i], "say=", 4) == 0)
			result = pam_info(pam, "%s\n\033[2Jforged", argv[i] + 4);
		else if (strncmp(argv[i], "ask=", 4) == 0)
			result = pam_prompt(pam, PAM_PROMPT_ECHO_OFF, &answer,
			    "%s", argv[i] + 4);
		else if (strncmp(argv[i], "show=", 5) == 0)
			result = pam_prompt(pam, PAM_PROMPT_ECHO_ON, &answer,
			    "%s", argv[i] + 5);
		else if (strcmp(argv[i], "echo") == 0)
			result = pam_error(pam, "so it is %s", answer);
		else if (strcmp(argv[i], "environ") == 0)
			for (e = environ; *e != NULL; e++)
				pam_info(pam, "variable %s", *e);
		else if (strncmp(argv[i], "become=", 7) == 0)
			result = pam_set_item(pam, PAM_USER, argv[i] + 7);
		else if (strcmp(argv[i], "forever") == 0)
			i = -1;
		else if (strncmp(argv[i], "sleep=", 6) == 0)
			sleep((unsigned int)atoi(argv[i] + 6));
	}
	return result;
}

int
pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)flags;
	return act(pam, argc, argv);
}

int
pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)pam, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

int
pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	(void)flags;
	return act(pam, argc, argv);
}

int
pam_sm_chauthtok(pam_handle_t *pam, int flags, int argc, const char **argv)
{
	if ((flags & PAM_PRELIM_CHECK) != 0)
		return PAM_SUCCESS;
	return act(pam, argc, argv);
}
'''

# What LD_PRELOAD and its kind would bring in.
INTRUDER = r'''
#include <stdio.h>
__attribute__((constructor)) static void
intrude(void)
{
	FILE *fp = fopen("DIR/intruded", "w");

	if (fp != NULL)
		fclose(fp);
}
'''

# pam_helper.c as the broker calls it: HELPER check|login|checkpass|setpass NAME ADDRESS PASSWORD
DRIVER = r'''
#include <stdio.h>
#include <string.h>
#include <x2gobroker.h>
#include "common/pam_helper.h"

int
main(int argc, char **argv)
{
	struct x2gobroker_error err = { 0 };
	const char *address = argv[4][0] != '\0' ? argv[4] : NULL;
	int result;

	if (argc == 6 && strcmp(argv[2], "setpass") == 0)
		result = pam_helper_set_password(argv[1], argv[3], address,
		    argv[5], &err);
	else if (argc == 6)
		result = pam_helper_login(argv[1], argv[3], address, argv[5],
		    strcmp(argv[2], "checkpass") == 0, &err);
	else
		result = pam_helper_check(argv[1], argv[3], address, &err);
	printf("%s|%s|%s", result == 0 && err.code == X2GOBROKER_OK ? "granted" :
	    result == -1 && err.code == X2GOBROKER_ERR_DENIED ? "denied" :
	    result == -1 && err.code == X2GOBROKER_ERR_SYSTEM ? "broken" :
	    "nonsense", err.file, err.text);
	return 0;
}
'''


class Bench:
    """The helper as it is meant to be installed, a broker account that may start it,
    and a service file for it."""

    def __init__(self, tap, program, stack):
        self.tap, self.stack = tap, stack
        self.etc = stack.enter_context(Etc())
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-pam.', dir=suid_directory())
        stack.callback(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)
        self.program = program
        self.syslog = stack.enter_context(Syslog(self.dir, self.etc.private))
        self.broker, self.stranger = (stack.enter_context(lab.Account())
                                      for _ in range(2))
        self.helper = self.install('x2gobroker-pam')
        self.module = self.compile('module.so', MODULE, '-shared', '-fPIC', '-lpam')
        self.write('access', '')
        self.serve(PLAIN)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o644):
        path = pathlib.Path(self.path(name))
        path.write_text(text.replace('DIR', self.dir))
        path.chmod(mode)
        return str(path)

    def compile(self, name, text, *words):
        source = self.write(name + '.c', text)
        subprocess.run(['cc', '-D_GNU_SOURCE', '-o', self.path(name), source, *words],
                       check=True)
        return self.path(name)

    def install(self, name, mode=0o4750, uid=0, gid=None):
        """A copy of the helper."""
        path = self.path(name)
        shutil.copy(self.program, path)
        os.chown(path, uid, self.broker.gid if gid is None else gid)
        os.chmod(path, mode)                    # last: chown takes the bit away
        return path

    def serve(self, text):
        """A service file."""
        SERVICE.write_text(text.replace('DIR', self.dir).replace('MODULE', self.module))
        SERVICE.chmod(0o644)

    def person(self, password=OLD):
        """An account with a password."""
        account = self.stack.enter_context(lab.Account())
        subprocess.run(['usermod', '-p', crypt(password), account.name], check=True)
        return account

    def start(self, *words, by=None, helper=None, env=None, before=None, groups=(),
              **more):
        by = by or self.broker
        return subprocess.Popen(
            [helper or self.helper, *words], user=by.uid, group=by.gid,
            extra_groups=groups, env=env or {}, cwd='/', preexec_fn=before,
            restore_signals=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            **{'stdin': subprocess.PIPE, **more})

    def ask(self, *words, password=None, **more):
        """(status, stderr); what it says on stdout, where it has no business, too."""
        process = self.start(*words, **more)
        if isinstance(password, str):
            password = password.encode()
        out, why = process.communicate(password)
        return process.returncode, (out + why).decode(errors='replace')

    def check(self, account, *rhost, **more):
        return self.ask('check', account.name, *rhost, **more)

    def setpass(self, account, password=NEW, **more):
        return self.ask('setpass', account.name, HERE, password=password, **more)

    def refused(self, account, words):
        return REFUSED, '%s: %s\n' % (account.name, words)


def suid_directory():
    """Where a setuid bit counts."""
    for directory in tempfile.gettempdir(), '/var/tmp', '/run', '/var/lib':
        if not os.statvfs(directory).f_flag & os.ST_NOSUID:
            return directory
    raise RuntimeError('all file systems are mounted nosuid')


def shadow():
    """{name: fields}; an error where a line is not whole."""
    lines = SHADOW.read_text().splitlines()
    if not all(line.count(':') == 8 for line in lines):
        raise RuntimeError('/etc/shadow is damaged')
    return {line.split(':')[0]: line.split(':')[1:] for line in lines}


def changed(before, *accounts):
    """Whose lines are not as they were, or gone, but for these accounts'."""
    after, expected = shadow(), {account.name for account in accounts}
    return sorted(name for name in before.keys() - expected
                  if before[name] != after.get(name))


def has_password(account, password):
    field = shadow()[account.name][0]
    return field.startswith('$') and crypt(password, field) == field


def age(account, *words):
    subprocess.run(['chage', *words, account.name], check=True)


# Who is refused

ROOT = type('Root', (), {'name': 'root', 'uid': 0, 'gid': 0})
EXPIRED = 'User account has expired'
RENEW = 'Authentication token is no longer valid; new one required'


def test_check(bench):
    tap, user = bench.tap, bench.person()
    tap.equal(bench.check(user), (OK, ''), 'an account in use')
    tap.equal(bench.check(user, by=ROOT), (OK, ''), 'asked by root')
    age(user, '-E', '2020-01-01')
    tap.equal(bench.check(user), bench.refused(user, EXPIRED), 'an expired account')
    age(user, '-E', '2099-01-01')
    tap.equal(bench.check(user), (OK, ''), 'one that expires later')
    age(user, '-d', '0')
    tap.equal(bench.check(user), bench.refused(user, RENEW), 'an expired password')
    bench.serve(PLAIN.replace('account required pam_unix.so',
                              'account required pam_unix.so no_pass_expiry'))
    tap.equal(bench.check(user), (OK, ''),
              'an expired password, where passwords do not matter')
    bench.serve(PLAIN)
    tap.equal(bench.check(bench.stranger), (OK, ''), 'an account with no password')
    locked = bench.person()
    subprocess.run(['usermod', '-L', locked.name], check=True)
    tap.equal(bench.check(locked), (OK, ''), 'a locked password')
    tap.equal(bench.ask('check', 'no-such-account'),
              (REFUSED, 'no-such-account: no such account\n'),
              'an account that is not there')


def test_rules(bench):
    tap, user = bench.tap, bench.person()
    bench.write('access', '-:%s:ALL EXCEPT %s\n' % (user.name, HERE))
    denied = bench.refused(user, 'Permission denied')
    tap.equal(bench.check(user, HERE), (OK, ''), 'pam_access: from the right address')
    tap.equal(bench.check(user, ELSEWHERE), denied, 'pam_access: from another one')
    tap.equal(bench.check(user), denied, 'pam_access: from nowhere')
    bench.write('access', '-:%s:ssh\n' % user.name)
    tap.equal(bench.check(user), denied, 'pam_access: the terminal is ssh')
    bench.write('access', '')
    nologin = bench.write('nologin', 'Down for maintenance.\n')
    bench.syslog.read()
    tap.equal(bench.check(user), bench.refused(user, 'Authentication failure'),
              'pam_nologin: a user')
    tap.equal(bench.ask('check', 'root'), (OK, ''), 'pam_nologin: root')
    log = bench.syslog.read()
    tap.ok(log is None or 'PAM says: Down for maintenance.' in log,
           'what a module says is in the log', log)
    os.unlink(nologin)


def test_shipped_file(bench):
    """The service file that we ship, as it is, in Debian's surroundings."""
    tap, user = bench.tap, bench.person()
    bench.serve((SOURCE / 'contrib/pam.d/x2gobroker').read_text())
    tap.equal(bench.check(user, HERE), (OK, ''), 'shipped: an account in use')
    status, why = bench.setpass(user)
    tap.equal((status, has_password(user, OLD)), (REFUSED, True),
              'shipped: nobody gets a new password', why)
    age(user, '-d', '0')
    tap.equal(bench.check(user), bench.refused(user, RENEW),
              'shipped: an expired password')
    age(user, '-E', '0')
    # Debian's common-account goes on to pam_deny, which has no better words.
    tap.equal(bench.check(user), bench.refused(user, 'Authentication failure'),
              'shipped: an expired account')
    bench.serve(PLAIN)


# Logins

WRONG = 'Authentication failure'


def test_login(bench):
    """The password first, then the account; and nothing is told before."""
    tap, user = bench.tap, bench.person()

    def login(name=None, password=OLD, task='login', **more):
        return bench.ask(task, name or user.name, HERE, password=password, **more)

    tap.equal(login(), (OK, ''), 'login: the right password')
    tap.equal(login(task='checkpass'), (OK, ''), 'login: the same, without account')
    for name, password in (('a wrong password', NEW), ('one with a blank more', OLD + ' '),
                           ('half of it', OLD[:-1]), ('not UTF-8', b'\xff\xfe')):
        tap.equal(login(password=password), bench.refused(user, WRONG), 'login: ' + name)
    bench.syslog.read()
    for name, password in (('an empty one', ''), ('a line end', OLD + '\n'),
                           ('a NUL', OLD + '\0'), ('a long one', 'x' * 512)):
        status, why = login(password=password)
        tap.ok(status == REFUSED and why.startswith('the password '), 'login: ' + name,
               status, why)
    log = bench.syslog.read()
    tap.ok(log is None or OLD not in log, 'login: no password is in the log', log)
    gone = 'no-such-account'
    tap.equal(login(gone), (REFUSED, '%s: %s\n' % (gone, WRONG)),
              'login: who does not exist is refused in the same words')
    for name in bench.stranger.name, 'daemon':
        tap.equal(login(name), (REFUSED, '%s: %s\n' % (name, WRONG)),
                  'login: an account without a password')
    start = time.monotonic()
    bench.serve(PLAIN.replace(' nodelay', ''))
    login(password=NEW)
    tap.ok(time.monotonic() - start > 1, "login: PAM's delay after a wrong password")
    bench.serve(PLAIN)

    age(user, '-d', '0')
    tap.equal(login(), bench.refused(user, RENEW), 'login: an expired password')
    tap.equal(login(task='checkpass'), (OK, ''), 'checkpass: an expired password')
    tap.equal(login(task='checkpass', password=NEW), bench.refused(user, WRONG),
              'checkpass: a wrong one')
    age(user, '-d', '2026-01-01', '-E', '2020-01-01')
    tap.equal(login(), bench.refused(user, EXPIRED), 'login: an expired account')
    tap.equal(login(password=NEW), bench.refused(user, WRONG),
              'login: a wrong password does not tell that')
    age(user, '-E', '-1')
    bench.write('access', '-:%s:ALL EXCEPT %s\n' % (user.name, ELSEWHERE))
    tap.equal(login(), bench.refused(user, 'Permission denied'), 'login: pam_access')
    bench.write('access', '')
    bench.serve('auth required pam_permit.so\naccount required pam_permit.so\n')
    tap.equal(login(), (OK, ''), 'login: pam_permit')
    tap.equal(login('root'), (REFUSED, 'root: has uid 0, which may not log in to a '
                              'broker\n'), 'login: never root')
    tap.equal(login(gone), (REFUSED, gone + ': no such account\n'),
              'login: nor somebody that only PAM knows')
    for name, rule, expected in (
            ('a password', 'ask=Password: ', OK), ('of LDAP', 'ask=LDAP Password: ', OK),
            ('a code', 'ask=Verification code: ', SYSTEM),
            ('a name', 'show=Password: ', SYSTEM),
            ('a new one', 'ask=New password: ', SYSTEM),
            ('somebody else', 'become=root', REFUSED)):
        bench.serve('auth required MODULE [%s]\naccount required pam_permit.so\n' % rule)
        status, why = login()
        tap.ok(status == expected, 'login: a module that asks for ' + name, status, why)
    bench.serve((SOURCE / 'contrib/pam.d/x2gobroker').read_text())
    tap.equal(login(), (OK, ''), 'login, shipped: the right password')
    tap.equal(login(password=NEW), bench.refused(user, WRONG), 'login, shipped: a wrong one')
    bench.serve(PLAIN)


def test_broken_pam(bench):
    """What is not in order refuses."""
    tap, user = bench.tap, bench.person()
    for name, line in (
            ('a module that is not there', 'account required /nonexistent.so'),
            ('no module at all', 'account required'),
            ('a module that dies', 'account required pam_debug.so acct=abort'),
            ('a module without its server',
             'account required pam_debug.so acct=authinfo_unavail')):
        bench.serve(line + '\n')
        status, why = bench.check(user)
        tap.ok(status in (REFUSED, SYSTEM) and why.count('\n') == 1, name, status, why)
    for name, rule in (('a question', 'ask=New password: '), ('a login', 'show=New: '),
                       ('questions for ever', 'ask=New password: ] [forever')):
        bench.serve('account required MODULE [%s]\n' % rule)
        bench.syslog.read()
        status, why = bench.check(user)
        log = bench.syslog.read()
        tap.ok(status == SYSTEM, 'in a check, %s is not answered' % name, status, why)
        tap.ok(log is None or 'a question that cannot be answered' in log,
               'in a check, %s is logged' % name, log)
    bench.serve('account required MODULE [say=hello]\n')
    bench.syslog.read()
    tap.equal(bench.check(user), (OK, ''), 'what a module tells is not passed on')
    log = bench.syslog.read()
    tap.ok(log is None or 'PAM says: hello  [2Jforged\n' in log,
           'it is logged without control characters', log)
    bench.serve('account required MODULE environ\n')
    bench.check(user, env={'SECRET': 'x', 'PATH': '/x', 'PAM_USER': 'x', 'LANG': 'x'})
    log = bench.syslog.read()
    tap.ok(log is None or (log.count('variable ') == 1 and
                           'variable PATH=/usr/bin:/bin' in log),
           'modules see nothing of the environment', log)
    bench.serve(PLAIN)


# Arguments

NAMES = ['', '-', '-x', '--help', '.', '..', '../x', '/etc/passwd', 'a:b', 'a\nb',
         'root:x:0:0', '\x1b[2J', 'a\x7f', 'a\tb', 'x' * 256, 'x' * 100000]
ADDRESSES = ['192.0.2.17', '::1', 'fe80::1%eth0', '::ffff:192.0.2.17', '2001:db8::1%2']
NO_ADDRESSES = ['', '-', 'localhost', '192.0.2', '192.0.2.17/24', '192.0.2.17 ', '::1%',
                '::1%a\nb', '::1%' + 'x' * 100, '192.0.2.17%eth0', '1.2.3.4\n', '%',
                'a%b', '::g', ':' * 1000, '0x7f.1', 'UNKNOWN']


def test_arguments(bench):
    tap, user = bench.tap, bench.person()
    for words in ([], ['check'], ['setpass'], [user.name], ['passwd', user.name],
                  ['check', user.name, HERE, 'x'], ['--help'], ['Check', user.name],
                  ['setpass', user.name, HERE, NEW], ['', user.name]):
        status, why = bench.ask(*words, password=NEW)
        tap.ok(status == USAGE and why.startswith('usage: '),
               'usage: %s' % ' '.join(words).replace(user.name, 'NAME'), status, why)
    for name in NAMES:
        tap.equal(bench.ask('check', name),
                  (USAGE, 'NAME: not a valid account name\n'), 'name %.20r' % name)
    for address in NO_ADDRESSES:
        tap.equal(bench.check(user, address), (USAGE, 'RHOST: not an IP address\n'),
                  'no address: %.20r' % address)
    for address in ADDRESSES:
        tap.equal(bench.check(user, address), (OK, ''), 'address ' + address)
    tap.ok(has_password(user, OLD), 'nothing of that has set a password')


# Who may start it

def test_caller(bench):
    tap, user = bench.tap, bench.person()
    with tap.case('a stranger cannot start it'):
        try:
            bench.check(user, by=bench.stranger)
            raise RuntimeError('it starts')
        except PermissionError:
            pass
    for name, mode, owner, group in (
            ('no setuid bit', 0o755, 0, None), ("somebody's, setuid to him", 0o4755,
             bench.stranger.uid, None)):
        other = bench.install('other', mode, owner, group)
        status, why = bench.setpass(user, helper=other)
        tap.ok(status == SYSTEM and 'has no privilege' in why, name, status, why)
    # a supplementary member of its group can start it, also after newgrp(1)
    for what, by in (('member', bench.stranger), ('real group', type('Member', (), {
            'uid': bench.stranger.uid, 'gid': bench.broker.gid}))):
        for task in 'check', 'setpass':
            status, why = bench.ask(task, bench.stranger.name, by=by, password=NEW,
                                    groups=[bench.broker.gid])
            tap.ok(status == SYSTEM and 'primary group' in why, '%s: %s' % (what, task),
                   status, why)
    for mode in 0o4755, 0o4751, 0o4754, 0o4770, 0o6771, 0o4752:
        other = bench.install('other', mode)
        status, why = bench.setpass(user, helper=other)
        tap.ok(status == SYSTEM and 'chmod 4750' in why, 'mode %o' % mode, status, why)
    with tap.case('one that strangers may run does nothing for them'):
        other = bench.install('other', 0o4755)
        status, why = bench.setpass(user, helper=other, by=bench.stranger)
        if status != SYSTEM or 'lets others misuse it' not in why:
            raise RuntimeError('%s %s' % (status, why))
    status, why = bench.ask('--no-new-privs', bench.helper, 'setpass', user.name,
                            helper=shutil.which('setpriv'), password=NEW)
    tap.ok(status == SYSTEM and 'has no privilege' in why, 'no_new_privs', status, why)
    tap.ok(has_password(user, OLD), 'nothing of that has set a password')


# Passwords

def test_setpass(bench):
    tap, user = bench.tap, bench.person()
    before, mode = shadow(), os.stat(SHADOW)
    bench.syslog.read()
    tap.equal(bench.setpass(user), (OK, ''), 'a new password')
    log = bench.syslog.read()
    tap.ok(has_password(user, NEW), 'it is set', shadow()[user.name])
    now = os.stat(SHADOW)
    tap.equal(changed(before, user), [], 'no other line of /etc/shadow has changed')
    tap.equal((now.st_mode, now.st_uid, now.st_gid),
              (mode.st_mode, mode.st_uid, mode.st_gid), 'nor have its owner and mode')
    if log is not None:
        tap.ok('%s: password set for a broker of uid %d, from %s' %
               (user.name, bench.broker.uid, HERE) in log, 'it is logged', log)
        tap.ok(NEW not in log, 'the password is not', log)
    tap.equal(bench.setpass(user, OLD, by=ROOT), (OK, ''), 'set by root')
    age(user, '-d', '0')
    tap.equal(bench.setpass(user), (OK, ''), 'an expired password is replaced')
    tap.equal(bench.check(user), (OK, ''), 'and the account may be used then')


PASSWORDS = ['x', 'a b', ' blanks ', '"$(id)`;\\\'', '%s%n', 'ä€', 'x' * LONGEST,
             '-n', '\t', '\x01']
NO_PASSWORDS = [('', 'is empty'), ('x' * (LONGEST + 1), 'is longer than'),
                ('x' * 1000000, 'is longer than')]
NO_PASSWORDS += [(text, 'contains a line end')
                 for text in ('a\n', '\n', 'a\nb', 'a\r\n', 'a\0b', 'a\0')]


def test_passwords(bench):
    tap, user = bench.tap, bench.person()
    for password in PASSWORDS:
        tap.equal((bench.setpass(user, password), has_password(user, password)),
                  ((OK, ''), True), 'password %.20r' % password)
    bench.setpass(user)
    for password, words in NO_PASSWORDS:
        status, why = bench.ask('setpass', user.name, password=password)
        tap.ok(status == REFUSED and words in why and has_password(user, NEW),
               'no password: %.20r (%d bytes)' % (password, len(password)), status, why)
    slow = bench.start('setpass', user.name)
    for byte in 'slow':
        slow.stdin.write(byte.encode())
        slow.stdin.flush()
        time.sleep(0.05)
    slow.communicate()
    tap.ok(has_password(user, 'slow'), 'a password that comes byte by byte')


def system_account(bench):
    """One that has a password and yet is no person's."""
    name = 'x2gotests%d' % os.getpid()
    subprocess.run(['useradd', '-r', '-K', 'SYS_UID_MAX=999', '-p', crypt(OLD), name],
                   check=True)
    bench.stack.callback(subprocess.run, ['userdel', name], check=True)
    return name


def test_whose(bench):
    """Whose password is not set."""
    tap, before = bench.tap, shadow()
    twin = bench.person()                       # another name of root
    edit('/etc/passwd', twin, 2, '0')
    for name in 'root', 'daemon', 'nobody', system_account(bench), twin.name:
        status, why = bench.ask('setpass', name, password=NEW)
        tap.ok(status == REFUSED and "is a system account" in why,
               'whose: ' + re.sub(r'\d+', 'N', name), status, why)
    edit('/etc/passwd', twin, 2, str(twin.uid))
    tap.equal(bench.ask('setpass', 'no-such-account', password=NEW),
              (REFUSED, 'no-such-account: no such account\n'),
              'whose: nobody is called that')
    for name, field in (('no password', '*'), ('never had one', '!'),
                        ('an empty one', ''), ('as from Red Hat', '!!'),
                        ('a locked one', '!' + crypt(OLD))):
        user = bench.person()
        edit(SHADOW, user, 1, field)
        status, why = bench.setpass(user)
        tap.ok(status == REFUSED and 'has no password' in why and
               shadow()[user.name][0] == field, 'whose: ' + name, status, why)
    user = bench.person()
    age(user, '-E', '0')
    tap.equal(bench.setpass(user), bench.refused(user, EXPIRED),
              'whose: an expired one')
    bench.write('access', '-:%s:ALL EXCEPT %s\n' % (user.name, ELSEWHERE))
    age(user, '-E', '-1')
    tap.equal(bench.setpass(user), bench.refused(user, 'Permission denied'),
              'whose: somebody who may not come from there')
    bench.write('access', '')
    tap.ok(has_password(user, OLD), 'whose: theirs stay')
    tap.equal(changed(before), [],
              'whose: no other line of /etc/shadow has changed')


def edit(path, account, index, value):
    """Change a field of the account's line; usermod refuses some of these."""
    path = pathlib.Path(path)
    lines = [line.split(':') for line in path.read_text().splitlines()]
    for fields in lines:
        if fields[0] == account.name:
            fields[index] = value
    path.write_text(''.join(':'.join(fields) + '\n' for fields in lines))


def test_modules(bench):
    """What modules say about a new password."""
    tap, user = bench.tap, bench.person()
    unix = 'password required pam_unix.so use_authtok sha512 rounds=1000\n'
    bench.serve(RULES + 'password requisite pam_pwhistory.so enforce_for_root\n' + unix)
    tap.equal([bench.setpass(user)[0], has_password(user, NEW)], [OK, True],
              'modules: a password that is new')
    status, why = bench.setpass(user, OLD)
    tap.ok(status == REFUSED and has_password(user, NEW),
           'modules: one that was used before', status, why)
    bench.serve(RULES + 'password requisite pam_succeed_if.so user ingroup %s\n' %
                bench.broker.name + PLAIN[len(RULES):])
    status, why = bench.setpass(user, OLD)
    tap.ok(status == REFUSED and has_password(user, NEW), 'modules: no member', status,
           why)
    subprocess.run(['usermod', '-aG', bench.broker.name, user.name], check=True)
    tap.equal([bench.setpass(user, OLD), has_password(user, OLD)], [(OK, ''), True],
              'modules: a member')
    for prompt in ('Current password: ', '(current) LDAP Password: ', 'Password: ',
                   'Old password, not the new one: ', 'Code: '):
        bench.serve(RULES + 'password required MODULE [ask=%s]\n' % prompt)
        tap.equal(bench.setpass(user), (SYSTEM, '%s: Conversation error\n' % user.name),
                  'modules: %s is not answered' % prompt)
    bench.syslog.read()
    bench.serve(RULES + 'password required MODULE [ask=New password: ] echo\n')
    status, why = bench.setpass(user)
    log = bench.syslog.read()
    tap.ok(status == OK and (log is None or (NEW not in log and 'PAM says: (a' in log)),
           'modules: the password is not logged, even if one tells it', status, log)
    bench.serve(RULES + 'password required MODULE [ask=New password: ] forever\n')
    tap.equal(bench.setpass(user)[0], SYSTEM, 'modules: it is not told for ever')
    bench.serve(PLAIN)


# Secrets, and an end

def proc(process, name):
    return pathlib.Path('/proc/%d/%s' % (process.pid, name)).read_bytes()


def hang(bench, user, password=NEW):
    """A helper that has set the password and waits for something else. Its caller
    wants cores, and that signals end it, or do not."""
    bench.serve(PLAIN + 'password required MODULE sleep=300\n')
    process = bench.start('setpass', user.name, env={'SECRET': 'of the caller'},
                          before=spoil)
    process.stdin.write(password.encode())
    process.stdin.close()
    lab.wait_for(lambda: has_password(user, password), 10, 'the new password')
    return process


def spoil():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    set_timers(0.3)
    ignore_signals()
    block_signals()


def as_account(account, function):
    """Call function in a child that has become the account; its OSError, or None."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setgroups([])
        os.setresgid(*[account.gid] * 3)
        os.setresuid(*[account.uid] * 3)
        try:
            function()
            os.write(writer, b'done')
        except OSError as error:
            os.write(writer, type(error).__name__.encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as text:
        os.wait()
        return text.read()


def test_secrets(bench):
    tap, user = bench.tap, bench.person()
    process = hang(bench, user)
    shown = b''.join(proc(process, name) for name in ('cmdline', 'environ', 'comm'))
    tap.ok(NEW.encode() not in shown, 'the password is in no argument or variable',
           shown)
    tap.equal(re.findall(rb'(?m)^[UG]id:\t0\t0\t0\t0$', proc(process, 'status')),
              [b'Uid:\t0\t0\t0\t0', b'Gid:\t0\t0\t0\t0'], 'it is root and nobody else')
    tap.ok(re.search(rb'(?m)^Groups:\s*$', proc(process, 'status')), 'without groups')
    tap.equal(os.readlink('/proc/%d/cwd' % process.pid), '/', 'its directory is /')
    for name, act in (
            ('kill it', lambda: os.kill(process.pid, signal.SIGKILL)),
            ('stop it', lambda: os.kill(process.pid, signal.SIGSTOP)),
            ('read its environment', lambda: proc(process, 'environ')),
            ('read its memory', lambda: proc(process, 'mem')),
            ('see its files', lambda: os.listdir('/proc/%d/fd' % process.pid)),
            ('limit it', lambda: resource.prlimit(process.pid, resource.RLIMIT_FSIZE,
                                                  (1, 1)))):
        tap.equal(as_account(bench.broker, act), 'PermissionError',
                  'its caller cannot ' + name)
    status = dict(re.findall(r'(?m)^(Sig\w+):\t(\w+)$',
                             proc(process, 'status').decode()))
    # the real-time signals, which follow, mean nothing to it
    ignored = [sig for sig in range(1, 32) if int(status['SigIgn'], 16) >> sig - 1 & 1]
    tap.equal((status['SigBlk'], status['SigPnd'], status['SigCgt'], ignored),
              ('0' * 16, '0' * 16, '0' * 16, sorted(
                  [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE,
                   signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGXFSZ])),
              'no signal is blocked, and just some are ignored')
    time.sleep(0.5)
    tap.equal(process.poll(), None, "its caller's timers do not end it")
    cores = set(core_files())
    for sig in signal.SIGINT, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE:
        process.send_signal(sig)
    time.sleep(0.2)
    tap.equal(process.poll(), None, 'what a terminal sends does not end it')
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    tap.equal((os.WTERMSIG(status), os.WCOREDUMP(status), set(core_files()) - cores),
              (signal.SIGABRT, False, set()), 'it leaves no core')
    process.returncode = 0
    bench.serve(PLAIN)


def core_files():
    for directory in '/', '/tmp', os.getcwd():
        yield from (os.path.join(directory, name) for name in os.listdir(directory)
                    if name.startswith('core'))


def test_end(bench):
    """A module that waits for ever, also when lckpwdf(3) has used the alarm; and
    a broker that waits for the helper. They take long, so at the same time."""
    tap, user = bench.tap, bench.person()
    driver = build_driver(bench)
    other = bench.write('hangs', '#!/bin/sh\nsleep 40 2>/dev/null\n', 0o755)
    start = time.monotonic()
    process = hang(bench, user)
    tap.equal(drive(bench, driver, bench.helper, 'check', user.name, ''),
              (GRANTED, '', ''), 'meanwhile, others are served')
    bench.serve(PLAIN + 'account required MODULE sleep=300\n')
    hung, deaf = (subprocess.Popen([driver, helper, 'check', user.name, ''],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                  for helper in (bench.helper, other))
    tap.equal(process.wait(), -signal.SIGKILL, 'it ends itself')
    took = time.monotonic() - start
    tap.ok(LIMIT - 1 < took < LIMIT + 5, 'after %d seconds' % LIMIT, took)
    answer = hung.communicate()[0].decode()
    tap.ok(answer.startswith('broken|%s|check: was killed by signal 9' % bench.helper),
           'pam_helper.c: a helper that has ended itself', answer)
    answer = deaf.communicate()[0].decode()
    took = time.monotonic() - start
    tap.ok(answer == 'broken|%s|check: did not end in time' % other and
           took < LIMIT + 8, 'pam_helper.c: one that does not end', answer, took)
    bench.serve(PLAIN)
    tap.equal((bench.setpass(user, OLD), has_password(user, OLD)), ((OK, ''), True),
              'nothing is locked afterwards')


# A caller who wants to do harm

def limit(what, *values):
    def before():
        resource.setrlimit(what, values if len(values) == 2 else values * 2)
    return before


def block_signals():
    """All blocked, and some waiting; children are not told of."""
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    for sig in signal.SIGHUP, signal.SIGINT, signal.SIGTSTP, signal.SIGXFSZ:
        os.kill(os.getpid(), sig)


def ignore_signals():
    for sig in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):
            signal.signal(sig, signal.SIG_IGN)


def set_timers(seconds=0.001):
    """Their signals wait for the helper."""
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    for timer in signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF:
        signal.setitimer(timer, seconds, seconds)


def close_outputs():
    os.closerange(1, 3)


def lose_directory():
    directory = tempfile.mkdtemp()
    os.chdir(directory)
    os.rmdir(directory)


HARM = [
    ('no file may have a byte', limit(resource.RLIMIT_FSIZE, 0)),
    ('files of 100 bytes', limit(resource.RLIMIT_FSIZE, 100)),
    ('files of 100 bytes for now', limit(resource.RLIMIT_FSIZE, 100,
                                         resource.RLIM_INFINITY)),
    ('five descriptors', limit(resource.RLIMIT_NOFILE, 5)),
    ('little memory', limit(resource.RLIMIT_AS, 12 << 20)),
    ('little data', limit(resource.RLIMIT_DATA, 1 << 20)),
    ('a small stack', limit(resource.RLIMIT_STACK, 256 << 10)),
    ('no processes', limit(resource.RLIMIT_NPROC, 1)),
    ('a second of CPU time', limit(resource.RLIMIT_CPU, 1)),
    ('no locked memory, no queues', limit(resource.RLIMIT_MEMLOCK, 0)),
    ('signals blocked', block_signals),
    ('signals ignored', ignore_signals),
    ('no stdout and stderr', close_outputs),
    ('no directory', lose_directory),
    ('umask 0', lambda: os.umask(0)),
    ('umask 777', lambda: os.umask(0o777)),
    ('the lowest priority', lambda: os.nice(19)),
]

VARIABLES = [
    {'LD_PRELOAD': 'LIB'}, {'LD_AUDIT': 'LIB'}, {'LD_LIBRARY_PATH': 'DIR/lib'},
    {'GCONV_PATH': 'DIR', 'LANG': 'xx_XX.X2GO', 'LC_ALL': 'xx_XX.X2GO'},
    {'LANGUAGE': 'DIR/../..', 'LANG': 'de_DE.UTF-8', 'NLSPATH': 'DIR/%N',
     'LOCPATH': 'DIR'},
    {'TZ': 'DIR/access', 'TZDIR': 'DIR', 'HOSTALIASES': 'DIR/access',
     'RES_OPTIONS': 'x'},
    {'PATH': 'DIR/lib', 'HOME': 'DIR', 'IFS': '/', 'SHELL': 'LIB', 'ENV': 'LIB'},
    {'PAM_USER': 'root', 'PAM_SERVICE': 'login', 'USER': 'root', 'LOGNAME': 'root'},
    {'MALLOC_TRACE': 'DIR/trace', 'MALLOC_CHECK_': '3',
     'GLIBC_TUNABLES': 'glibc.malloc.check=3'},
    {'X' * 1000: 'y' * 100000},
]


def may_raise_limits():
    """Root cannot everywhere, and then it does nothing where that is needed."""
    capabilities = re.search(r'(?m)^CapEff:\t(.*)$',
                             pathlib.Path('/proc/self/status').read_text())[1]
    return int(capabilities, 16) >> 24 & 1      # CAP_SYS_RESOURCE


def unharmed(bench, name, before, user, run):
    """Whatever surrounds it: it sets the one password and nothing else, or says that
    it does not."""
    tap, password = bench.tap, 'for ' + name
    status, why = run(password)
    if "cannot raise the caller's limit" in why and not may_raise_limits():
        tap.ok(status == SYSTEM and not has_password(user, password),
               'harm: %s: it does nothing' % name, status, why)
    else:
        tap.ok(status == OK and has_password(user, password),
               'harm: %s: it works' % name, status, why)
    tap.equal((changed(before, user), os.stat(SHADOW).st_mode & 0o7777,
               os.path.exists('/etc/nshadow'), os.path.exists(bench.path('intruded'))),
              ([], 0o640, False, False), 'harm: %s: nothing else has changed' % name)


def test_harm(bench):
    user, before = bench.person(), shadow()
    os.chmod(SHADOW, 0o640)
    os.chmod(bench.dir, 0o1777)                 # an intruder may leave its mark
    intruder = bench.compile('intruder.so', INTRUDER, '-shared', '-fPIC')
    os.mkdir(bench.path('lib'))
    for name in 'libpam.so.0', 'libc.so.6', 'unix_chkpwd':
        shutil.copy(intruder, bench.path('lib/' + name))
    subprocess.run(['/bin/true'], env={'LD_PRELOAD': intruder}, check=True)
    bench.tap.ok(os.path.exists(bench.path('intruded')), 'an intruder would be noticed')
    os.unlink(bench.path('intruded'))
    for name, before_exec in HARM:
        unharmed(bench, name, before, user, lambda password: bench.setpass(
            user, password, before=before_exec))
    for variables in VARIABLES:
        env = {name: value.replace('DIR', bench.dir).replace('LIB', intruder)
               for name, value in variables.items()}
        unharmed(bench, 'variable %.20s' % next(iter(env)), before, user,
                 lambda password: bench.setpass(user, password, env=env))
    status, _ = bench.check(user, before=lambda: os.closerange(0, 3))
    bench.tap.equal(status, OK, 'harm: no descriptors at all')
    os.chmod(bench.dir, 0o755)


def test_crowd(bench):
    """Many at the same time: each is served, or told that it was not."""
    tap, users = bench.tap, [bench.person() for _ in range(4)]
    before = shadow()
    crowd = [(user, bench.start('setpass', user.name)) for user in users * 3]
    for user, process in crowd:
        process.stdin.write(b'crowd of ' + user.name.encode())
        process.stdin.close()
    statuses = [process.wait() for _, process in crowd]
    tap.ok(set(statuses) <= {OK, SYSTEM} and OK in statuses, 'a crowd: it is served',
           statuses)
    for (user, _), status in zip(crowd, statuses):
        if status == OK and not has_password(user, 'crowd of ' + user.name):
            tap.ok(False, 'a crowd: what it says is true', user.name)
    tap.equal(changed(before, *users), [],
              'a crowd: no other line of /etc/shadow has changed')


# The broker's side

def build_driver(bench):
    bsd = subprocess.run(['pkg-config', '--cflags', '--libs', 'libbsd-overlay'],
                         stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    sources = ['cmd/common/pam_helper.c', *('lib/base/%s.c' % name for name in
                                            ('buf', 'error', 'spawn', 'utf8'))]
    return bench.compile('driver', DRIVER, *(str(SOURCE / name) for name in sources),
                         *('-I%s' % (SOURCE / name) for name in ('cmd', 'lib')), *bsd)


def drive(bench, driver, helper, *words, by=None, **more):
    """(what came of it, file, text) of the call, made by the broker account."""
    by = by or bench.broker
    done = subprocess.run([driver, helper, *words], user=by.uid, group=by.gid,
                          extra_groups=[], stdout=subprocess.PIPE, check=True,
                          stdin=subprocess.DEVNULL, **{'env': {}, **more})
    return tuple(done.stdout.decode().split('|', 2))


GRANTED, DENIED, BROKEN = 'granted', 'denied', 'broken'


def test_account(bench):
    tap, user, driver = bench.tap, bench.person(), build_driver(bench)

    def call(*words, helper=bench.helper, **more):
        return drive(bench, driver, helper, *words, **more)

    tap.equal(call('check', user.name, HERE), (GRANTED, '', ''), 'pam_helper.c: a check')
    tap.equal(call('check', user.name, ''), (GRANTED, '', ''), 'pam_helper.c: no address')
    tap.equal(call('setpass', user.name, HERE, NEW), (GRANTED, '', ''),
              'pam_helper.c: a new password')
    tap.ok(has_password(user, NEW), 'pam_helper.c: it is set')
    tap.equal(call('check', user.name, '', by=ROOT), (GRANTED, '', ''),
              'pam_helper.c: as root')
    age(user, '-E', '0')
    tap.equal(call('check', user.name, HERE),
              (DENIED, '', 'account check: %s: %s' % (user.name, EXPIRED)),
              'pam_helper.c: an expired account')
    for password in 'x' * (LONGEST + 1), 'ä', 'a\nb', '\x7f':
        result = call('setpass', user.name, HERE, password)
        tap.equal(result[:2], (DENIED, ''),
                  'pam_helper.c: password %.20r' % password, result[2])
    tap.equal(call('setpass', user.name, HERE, '')[:2], (DENIED, ''),
              'pam_helper.c: an empty password')
    for name, helper, by, words in (
            ('no helper', bench.path('nothing'), None, 'not found'),
            ('a stranger', bench.helper, bench.stranger, 'then chmod 4750'),
            ('not setuid', bench.install('other', 0o750), None, 'has no privilege'),
            ('a directory', bench.dir, None, 'chmod 4750'),
            ('no program', bench.write('text', 'no program', 0o755), None,
             'cannot start it')):
        result = call('check', user.name, HERE, helper=helper, by=by)
        tap.ok(result[:2] == (BROKEN, helper) and words in result[2],
               'pam_helper.c: ' + name, result)


def test_account_helpers(bench):
    """Programs that are not our helper show how it is started, and judged."""
    tap, driver = bench.tap, build_driver(bench)
    files = itertools.count()

    def call(script, *words, **more):
        helper = bench.write('fake%d' % next(files), '#!/bin/sh\n' + script, 0o755)
        return drive(bench, driver, helper, *words, **more), helper

    os.chmod(bench.dir, 0o1777)
    call('tr "\\0" "\\n" </proc/$$/environ >DIR/env; ls /proc/$$/fd >DIR/fds; '
         'cat >DIR/in; tr "\\0" "\\n" </proc/$$/cmdline >DIR/args',
         'setpass', 'alice', '', 'a secret', env={'LD_DEBUG_OUTPUT': '/x'},
         close_fds=False, preexec_fn=lambda: os.dup2(0, 5))
    text = {name: pathlib.Path(bench.path(name)).read_text()
            for name in ('env', 'fds', 'in', 'args')}
    os.chmod(bench.dir, 0o755)
    tap.equal(text['env'], '', 'pam_helper.c: there is no environment')
    # The shell has its own from 10 on.
    tap.equal([fd for fd in text['fds'].split() if int(fd) < 10], ['0', '1', '2'],
              'pam_helper.c: there are no other descriptors')
    tap.equal(text['in'], 'a secret', 'pam_helper.c: the password comes on stdin')
    tap.equal(text['args'].split('\n')[2:], ['setpass', 'alice', ''],
              'pam_helper.c: the arguments')
    for name, script, code, words in (
            ('refused', 'echo a reason >&2; exit 1', DENIED, 'account check: a reason'),
            ('without a reason', 'exit 1', DENIED, 'account check: '),
            ('usage', 'echo usage >&2; exit 2', BROKEN, 'check: usage'),
            ('another status', 'exit 77', BROKEN, 'check: '),
            ('a signal', 'kill -SEGV $$', BROKEN, 'check: was killed by signal 11'),
            ('two lines', 'echo one >&2; echo two >&2; exit 1', DENIED,
             'account check: one'),
            ('a flood', 'head -c 5000000 /dev/zero | tr "\\0" x >&2; exit 1', DENIED,
             'account check: xxx')):
        result, helper = call(script, 'check', 'alice', '')
        tap.ok(result[0] == code and result[2].startswith(words),
               'pam_helper.c: ' + name, result)
        tap.equal(result[1], '' if code == DENIED else helper,
                  'pam_helper.c: %s, who is to blame' % name)
    result, _ = call('exit 0', 'check', 'alice', '', preexec_fn=ignore_signals,
                     restore_signals=False)
    tap.equal(result[0], GRANTED, 'pam_helper.c: also where children are not told of')


# The broker

CONF = '''\
[global]
broker-account = {account}
profiles-dir = {dir}/profiles.d
log-file = {dir}/broker.log
{lines}

[broker_inifile]
session-profiles = {dir}/profiles.conf
'''

PROFILES = '[desk]\nname = Desk\nhost = desk.example\n'
SETPASS = 'x2gobroker --user x --task setpass --newpass %s'
CHANGED = brokerlab.GRANTED + b'PASSWORD CHANGED: OK\n'


class Site(brokerlab.Site):
    """A broker with this helper; lines are more of x2gobroker.conf."""

    def __init__(self, bench, program, *lines, helper=None):
        super().__init__(program, bench.broker)
        self.lines = ['pam-helper = ' + (helper or bench.helper), *lines]

    def conf(self):
        return CONF.format(account=self.account.name, dir=self.dir,
                           lines='\n'.join(self.lines))

    def __enter__(self):
        super().__enter__()
        self.write('profiles.conf', PROFILES)
        return self

    def answer(self, user, line, account=None):
        """Markers taken off; what the broker has logged."""
        pin = ['--user', user.name] if account is None else []
        answer = self.forced(brokerlab.wrap(line), *pin, account=account)
        lines = answer.stdout.splitlines(True)
        return b''.join(lines[1:-1]), self.log().decode()

    def is_served(self, user, account=None):
        return brokerlab.GRANTED in self.answer(user, brokerlab.LIST, account)[0]


def test_broker(bench, program):
    tap, user = bench.tap, bench.person()
    with Site(bench, program) as site:
        tap.ok(site.is_served(user), 'broker: an account in use')
        body, log = site.answer(user, SETPASS % NEW)
        tap.ok(body == brokerlab.DENIED and 'allow-password-change' in log and
               has_password(user, OLD), 'broker: no new passwords by default', body,
               log)
        bench.write('access', '-:%s:ALL EXCEPT 127.0.0.1\n' % user.name)
        tap.ok(site.is_served(user), "broker: PAM is told the client's address")
        bench.write('access', '')
        age(user, '-E', '0')
        body, log = site.answer(user, brokerlab.LIST)
        tap.ok(body == brokerlab.DENIED and EXPIRED in log and user.name in log,
               'broker: an expired account is refused, and why is logged', body, log)
        answer = site.forced(brokerlab.LOGIN_CHECK, '--user', user.name)
        tap.ok(answer.stdout and b'LOGIN OK' not in answer.stdout,
               'broker: its login check, too', answer)
        tap.ok(site.is_served(user, account=user),
               'broker: whom sshd has checked is not checked again')
    with Site(bench, program, 'account-check = never') as site:
        tap.ok(site.is_served(user), 'broker: account-check = never')
    with Site(bench, program, 'account-check = always') as site:
        tap.ok(not site.is_served(user, account=user), 'broker: account-check = always')
    missing = bench.path('nothing')
    with Site(bench, program, helper=missing) as site:
        body, log = site.answer(user, brokerlab.LIST)
        tap.ok(body == brokerlab.DENIED and missing + ': not found' in log,
               'broker: without the helper nobody is served', body, log)


def test_broker_setpass(bench, program):
    tap, user = bench.tap, bench.person()
    with Site(bench, program, 'allow-password-change = true') as site:
        body, log = site.answer(user, SETPASS % NEW)
        tap.ok(body == CHANGED and has_password(user, NEW), 'broker: a new password',
               body, log)
        seen = log + (bench.syslog.read() or '')
        tap.ok(NEW not in seen and NEW.split()[0] not in seen,
               'broker: it is in no log', seen)
        age(user, '-d', '0')
        tap.ok(not site.is_served(user),
               'broker: with an expired password, no sessions')
        body, log = site.answer(user, SETPASS % OLD)
        tap.ok(body == CHANGED and has_password(user, OLD) and site.is_served(user),
               'broker: but a new password, and then sessions', body, log)
        age(user, '-E', '0')
        body, log = site.answer(user, SETPASS % NEW)
        tap.ok(body == brokerlab.DENIED and EXPIRED in log and has_password(user, OLD),
               'broker: an expired account gets none', body, log)
        age(user, '-E', '-1')
        body, log = site.answer(user, SETPASS % NEW, account=user)
        tap.ok(body == brokerlab.DENIED and 'chmod 4750' in log,
               'broker: nor do users who may not start the helper', body, log)


TESTS = [test_check, test_rules, test_login, test_shipped_file, test_broken_pam,
         test_arguments, test_caller, test_setpass, test_passwords, test_whose, test_modules,
         test_secrets, test_harm, test_crowd, test_account, test_account_helpers,
         test_end]
BROKER_TESTS = [test_broker, test_broker_setpass]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**PACKAGES):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER_PAM', 'X2GOBROKER')
        if not found:
            return
        os.chdir('/')
        bench = Bench(tap, found[0], stack)
        if not bench.etc.private:
            tap.note('no namespace of mounts is to be had, so this is the real /etc')
        if not bench.syslog.heard:
            tap.note('somebody else has the log, so what is in it is not looked at')
        tests = [(test, []) for test in TESTS]
        tests += [(test, found[1:]) for test in BROKER_TESTS if found[1:]]
        for test, programs in tests:
            with tap.case(test.__name__ + ': no step failed'):
                test(bench, *programs)


if __name__ == '__main__':
    sys.exit(main())
