#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobroker-agent on an X2Go server: its tasks with the real tools, as our broker
and as the Python broker ask for them, through a real sshd; whom it refuses; what
the holder of the broker's key cannot do with it; and what a tool is given.

usage: test_agent.py PATH-TO-X2GOBROKER-AGENT [PATH-TO-ONE-WITH-OTHER-TOOLS]
       (or X2GOBROKER_AGENT=PATH X2GOBROKER_AGENT_FAKED=PATH)

The second one is the same but for the directory of X2Go's tools, TOOLS below.
"""

import collections
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import autologinlab
import brokerlab
import lab
import test_pam

PACKAGES = {'ssh': 'openssh-client', 'sshd': 'openssh-server',
            'setcap': 'libcap2-bin', 'x2golistsessions': 'x2goserver'}
TOOLS = pathlib.Path('/run/x2gobroker-test-tools')      # as test/e2e/meson.build

PERL = '/usr/lib/x2go/x2gobroker-agent.pl'
INSTALLED = '/usr/lib/x2go/x2gobroker-agent'            # what brokers call it
DEFAULT_FILE = '%h/.x2go/authorized_keys'

OK = b'OK\n'
TASKS = ['ping', 'availabletasks', 'checkload', 'listsessions', 'status', 'getservers',
         'findbusyservers', 'findbusyservers_by_sessionstats', 'suspendsession',
         'terminatesession', 'addauthkey', 'addauthkey_local', 'delauthkey',
         'storekey', 'storekey_local', 'checkstore']
LOAD = ['loadavgXX', 'memAvail', 'myMemAvail', 'numCPU', 'typeCPU']
CAPS = 'cap_setuid,cap_setgid=ep'

Answer = collections.namedtuple('Answer', 'status stdout stderr')
User = collections.namedtuple('User', 'uid gid')
ROOT = User(0, 0)


def refused(answer, words=''):
    """It says why in one clean line, and nothing else."""
    why = answer.stderr.decode(errors='replace')
    return (answer.status == 1 and answer.stdout == b'' and words in why and
            re.fullmatch(r'x2gobroker-agent: [ -~]+\n', why) is not None)


def end_in(seconds):
    return time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + seconds))


class Bench:
    """The agent as it is meant to be installed, an agent account with the broker's
    key, and an sshd."""

    def __init__(self, tap, programs, stack):
        self.tap, self.stack = tap, stack
        self.program, self.faked = programs[0], (programs + [None])[1]
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-agent.',
                                    dir=test_pam.suid_directory())
        stack.callback(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)
        self.broker, self.user, self.other = (stack.enter_context(lab.Account())
                                              for _ in range(3))
        self.agent = self.install('x2gobroker-agent')
        self.sshd = stack.enter_context(lab.Sshd())
        self.key = lab.keypair(self.sshd.dir)
        self.sshd.authorize(self.broker.name, self.key + '.pub',
                            'restrict,command="%s"' % self.agent)
        pubkey = pathlib.Path(self.key + '.pub').read_text().split()
        self.pubkey = ' '.join(pubkey[:2])
        self.end = end_in(1800)

    def install(self, name, mode=0o750, caps=True, program=None, gid=None):
        """A copy, with the capabilities."""
        path = os.path.join(self.dir, name)
        shutil.copy(program or self.program, path)
        os.chown(path, 0, self.broker.gid if gid is None else gid)
        os.chmod(path, mode)
        if caps:
            subprocess.run(['setcap', CAPS, path], check=True)
        return path

    def run(self, words, by=None, program=None, env=None, groups=(), **more):
        by = by or self.broker
        done = subprocess.run([program or self.agent, *words], user=by.uid,
                              group=by.gid, extra_groups=groups, env=env or {},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False,
                              **{'cwd': '/', **more})
        return Answer(done.returncode, done.stdout, done.stderr)

    def local(self, *words, **more):
        """By hand."""
        return self.run(words, **more)

    def forced(self, command, **more):
        """As sshd does for its forced command, without one."""
        return self.run((), env={'SSH_ORIGINAL_COMMAND': command,
                                 'SSH_CONNECTION': '192.0.2.7 50000 192.0.2.1 22'},
                        **more)

    def ssh(self, command):
        done = self.sshd.ssh(self.broker.name, self.key, command, timeout=60)
        return Answer(done.returncode, done.stdout, done.stderr)

    # Three ways to write the same command

    def ours(self, *words):
        return ' '.join([INSTALLED, *words[:2], *("'%s'" % word for word in words[2:])])

    def pythons(self, *words):
        return "sh -c '%s'" % ' '.join([INSTALLED, *words[:2],
                                        *('"%s"' % word for word in words[2:])])

    def debians(self, *words):
        return ' '.join(['sh -c', INSTALLED, *words[:2],
                         *('"%s"' % word for word in words[2:])])

    # Keys

    def line(self, user=None, options='restrict,pty,port-forwarding', key=None):
        return '%s,expiry-time=%s %s x2gobroker:%s@192.0.2.7' % (
            options, self.end, key or self.pubkey, (user or self.user).name)

    def keys(self, task, user=None, file=DEFAULT_FILE, line=None, **more):
        user = user or self.user
        return self.local(user.name, task, self.line(user) if line is None else line,
                          file, **more)


def tree(directory):
    """{path: (mode, owner, what is in it)} of all that is in there."""
    found = {}
    for path in sorted(pathlib.Path(directory).rglob('*')):
        st = path.lstat()
        text = os.readlink(path) if path.is_symlink() else \
            path.read_bytes() if path.is_file() else None
        found[str(path)] = (st.st_mode, st.st_uid, text)
    return found


# Tasks

def check_load(tap, lines, what):
    pairs = [line.split(':') for line in lines]
    tap.ok([pair[0] for pair in pairs] == LOAD and
           all(re.fullmatch('[0-9]+', pair[1]) for pair in pairs) and
           int(dict(pairs)['numCPU']) > 0, what, lines)
    return {key: int(value) for key, value in pairs}


def test_tasks(bench):
    tap, name = bench.tap, bench.user.name
    for form in bench.ours, bench.pythons, bench.debians:
        what = form.__name__
        tap.equal(bench.ssh(form('foo', 'ping')), (0, OK, b''), what + ': ping')
        answer = bench.ssh(form('foo', 'availabletasks'))
        tap.equal(answer.stdout.decode().split('\n'), ['OK', *TASKS, ''],
                  what + ': availabletasks')
        answer = bench.ssh(form('foo', 'checkload'))
        lines = answer.stdout.decode().split('\n')
        tap.equal((lines[0], lines[6:]), ('OK', ['status:1', '']), what + ': checkload')
        check_load(tap, lines[1:6], what + ': checkload, the numbers')
        tap.equal(bench.ssh(form(name, 'listsessions')), (0, OK, b''),
                  what + ': listsessions')
        check_status(bench, bench.ssh(form(name, 'status')), what)
        for task in 'getservers', 'findbusyservers', 'findbusyservers_by_sessionstats':
            answer = bench.ssh(form(name, task))
            tap.ok(answer.status == 0 and answer.stderr == b'' and
                   re.fullmatch(rb'OK\n([!-~ ]+\n)*', answer.stdout),
                   '%s: %s' % (what, task), answer)
        for task in 'suspendsession', 'terminatesession':
            sid = name + '-50-1600000000_stDXFCE_dp24'
            tap.ok(refused(bench.ssh(form(name, task, sid)), 'has no such session'),
                   '%s: %s of an unknown session' % (what, task))


def check_status(bench, answer, what):
    lines = answer.stdout.decode().split('\n')
    bench.tap.ok(answer.status == 0 and answer.stderr == b'' and lines[0] == 'OK' and
                 lines[-2:] == ['END', ''], what + ': status', answer)
    check_load(bench.tap, lines[1:6], what + ': status, the load')
    bench.tap.ok(re.fullmatch('sessions:[0-9]+', lines[6]),
                 what + ': status, the number of sessions', lines)
    return lines


def test_like_debians(bench):
    """The numbers are those of the agent that it can stand in for."""
    if bench.tap.absent("Debian's agent: its numbers"):
        return
    done = subprocess.run(['perl', PERL, 'foo', 'checkload'], stdout=subprocess.PIPE,
                          check=True, stderr=subprocess.DEVNULL)
    theirs = check_load(bench.tap, done.stdout.decode().split('\n')[1:-1],
                        "Debian's agent: its numbers")
    lines = bench.local('foo', 'checkload').stdout.decode().split('\n')[1:-1]
    ours = dict((line.split(':')[0], int(line.split(':')[1])) for line in lines)
    for key, most in zip(LOAD, (60, 400, 400, 0, 200)):
        bench.tap.ok(abs(ours[key] - theirs[key]) <= most, "Debian's agent: " + key,
                     ours, theirs)


PYTHON = r'''
import json, os, sys
import x2gobroker.defaults as defaults
defaults.X2GOBROKER_AGENT_USER = sys.argv[2]
os.environ['HOME'] = os.getcwd()        # for its key
import x2gobroker.agent as agent
user, remote = sys.argv[1], json.loads(sys.argv[3])
line, file = sys.argv[4], '%h/.x2go/authorized_keys'
print(json.dumps({
    'ping': agent.ping(remote_agent=remote),
    'tasks': agent.tasks_available(user, remote_agent=remote),
    'sessions': agent.list_sessions(user, remote_agent=remote),
    'load': agent.check_load(remote_agent=remote),
    'servers': agent.get_servers(user, remote_agent=remote),
    'busy': agent.find_busy_servers(user, remote_agent=remote),
    'nobody': agent.list_sessions('root', remote_agent=remote),
    'unknown': agent.suspend_session(user, user + '-50-1', remote_agent=remote),
    'add': agent.add_authorized_key(user, line, file, remote_agent=remote),
    'added': open(sys.argv[5]).read(),
    'delete': agent.delete_authorized_key(user, line, file, remote_agent=remote),
}))
'''


def test_python_broker(bench):
    """Its own code calls the agent through sshd, as it calls Debian's."""
    tap, user = bench.tap, bench.user
    if tap.absent('Python broker: it calls the agent'):
        return
    home = os.path.join(bench.dir, 'python')
    os.makedirs(home + '/.ssh', mode=0o700)
    lab.keypair(home + '/.ssh', 'rsa')
    bench.sshd.authorize(bench.broker.name, home + '/.ssh/id_rsa.pub',
                         'restrict,command="%s"' % bench.agent)
    line = 'no-X11-forwarding,no-pty,no-user-rc %s %s@192.0.2.7' % (bench.pubkey,
                                                                   user.name)
    remote = {'hostname': '127.0.0.1', 'hostaddr': '127.0.0.1',
              'port': bench.sshd.port, 'host_key_policy': 'AutoAddPolicy'}
    file = pathlib.Path(user.home, '.x2go/authorized_keys')
    done = subprocess.run(
        ['/usr/bin/python3', '-c', PYTHON, user.name, bench.broker.name,
         json.dumps(remote), line, str(file)],
        env={'HOME': home, 'PATH': os.environ['PATH'], 'X2GOBROKER_LOGCONFIG': '',
             'X2GOBROKER_TESTSUITE': '1'},
        cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if not tap.ok(done.returncode == 0, 'Python broker: it runs', done.stderr):
        return
    said = json.loads(done.stdout.decode().strip().split('\n')[-1])
    tap.equal((said['ping'], said['tasks'], said['sessions']),
              (True, [True, TASKS], [True, []]), 'Python broker: it understands')
    tap.ok(isinstance(said['load'], int) and said['load'] > 0,
           'Python broker: it makes a load factor', said)
    tap.ok(said['servers'][0] is True, 'Python broker: it understands getservers', said)
    tap.equal((said['nobody'], said['unknown']), ([False, []], [False, []]),
              'Python broker: it sees a refusal')
    tap.equal((said['add'], said['delete'], file.exists()),
              ([True, []], [True, []], False), 'Python broker: a key comes and goes')
    tap.ok(re.fullmatch('no-X11-forwarding,no-pty,no-user-rc,expiry-time="[0-9]{14}" '
                        'ssh-[^ ]+ [^ ]+ x2gobroker [^ ]+\n', said['added']),
           'Python broker: its key has an end all the same', said['added'])


def test_sessions(bench):
    """Sessions as processes: by their names, and how long they live."""
    tap, user = bench.tap, bench.user
    fake = os.path.join(bench.dir, 'x2goagent')
    shutil.copy('/bin/sleep', fake)
    before = count(bench)
    process = subprocess.Popen([fake, '60'], user=user.uid, group=user.gid,
                               extra_groups=[])
    try:
        lab.wait_for(lambda: pathlib.Path('/proc/%d/comm' % process.pid).read_text()
                     == 'x2goagent\n', 5)
        lines = check_status(bench, bench.local(user.name, 'status'), 'a session')
        tap.ok(re.search(r'(?m)^started:%s:[0-9]$' % user.name, '\n'.join(lines)),
               'a session: it has just begun', lines)
        # other tests may have some, too
        tap.ok(count(bench) >= 1 and before >= 0, 'a session: it is counted')
        tap.equal(bench.local('-', 'status').status, 0, 'status for nobody')
    finally:
        process.kill()
        process.wait()


def count(bench):
    answer = bench.local(bench.user.name, 'status').stdout.decode()
    return int(re.search(r'(?m)^sessions:([0-9]+)$', answer)[1])


# Who may, and for whom

def test_callers(bench):
    tap, user, other = bench.tap, bench.user, bench.other

    def lists(what, good, answer, words=''):
        tap.ok(answer == (0, OK, b'') if good else refused(answer, words),
               'caller: ' + what, answer)

    def ask(**more):
        return bench.local(user.name, 'listsessions', **more)

    plain = bench.install('plain', 0o755, caps=False)
    opened = bench.install('open', 0o755)
    lists('the agent account', True, ask())
    lists('root', True, ask(by=ROOT))
    lists('root, without capabilities of the file', True, ask(by=ROOT, program=plain))
    lists('the user', True, ask(by=user, program=plain))
    lists('the user, in the group', True, ask(by=user, groups=[bench.broker.gid]))
    lists('the user, of a file for all', True, ask(by=user, program=opened))
    lists('another user', False, ask(by=other, program=plain), 'setcap cap_setuid')
    lists('another user, of a file for all', False, ask(by=other, program=opened),
          'chmod 0750')
    lists('the agent account, without capabilities', False, ask(program=plain),
          'chgrp')
    lists('the agent account, of a file that others can run', False,
          ask(program=opened), 'mode 0755')
    group = bench.install('group', 0o770)
    lists('the agent account, of a file that its group can write', False,
          ask(program=group), 'mode 0770')
    tap.equal(bench.local('foo', 'ping', by=other, program=opened), (0, OK, b''),
              'caller: what needs no right, by anybody')
    try:
        done = bench.local(user.name, 'listsessions', by=other)
    except PermissionError:
        done = None
    tap.equal(done, None, 'caller: another user cannot start it')
    # a supplementary member can start it, also after newgrp(1)
    for what, by in (('a member of its group', other),
                     ('one for whom it is the real group', User(
                         other.uid, bench.broker.gid))):
        lists(what, False, ask(by=by, groups=[bench.broker.gid]), 'primary group')
        answer = bench.local(user.name, 'addauthkey', bench.line(), DEFAULT_FILE, by=by,
                             groups=[bench.broker.gid])
        tap.ok(refused(answer, 'primary group'), 'caller: %s adds no key' % what, answer)
    setuid = bench.install('setuid', 0o4750, caps=False)
    lists('a setuid file', True, ask(program=setuid))
    tap.equal(bench.local('--version', by=user, groups=[bench.broker.gid]).stdout
              .split(b' ')[0], b'x2gobroker-agent', 'caller: --version')


def test_accounts(bench):
    tap, key = bench.tap, bench.line()
    with lab.Account(shell='/usr/sbin/nologin') as nologin, \
            lab.Account(shell='/bin/false') as false, lab.Account() as empty:
        subprocess.run(['usermod', '-s', '', empty.name], check=True)
        tap.equal(bench.local(empty.name, 'listsessions'), (0, OK, b''),
                  'account: no shell is /bin/sh')
        for name in ('root', 'daemon', 'nobody', 'x2gouser', 'sshd', nologin.name,
                     false.name, 'nosuchuser', '', '-', '--help', '0', '1000',
                     bench.user.name + ' ', bench.user.name.upper(),
                     './' + bench.user.name, bench.user.name + ':x', '../root',
                     bench.user.name + '\n', 'x' * 300, '\x1b[2J', '%h', '*'):
            for words in (('listsessions',), ('getservers',),
                          ('suspendsession', name + '-50-1'),
                          ('addauthkey', key, DEFAULT_FILE)):
                answer = bench.local(name, *words)
                if not refused(answer):
                    tap.ok(False, 'account: %r, %s' % (name, words[0]), answer)
            answer = bench.forced(bench.ours("'%s'" % name, 'listsessions'))
            tap.ok(refused(answer), 'account: %r is refused' % name[:40], answer)
    for name in 'root', 'nobody':
        tap.ok(refused(bench.local(name, 'status', by=ROOT), "a system account"),
               'account: %s, also by root' % name)


def test_own_account(bench):
    """Its own key file would take the forced command off the broker's key."""
    answer = bench.forced(bench.ours(bench.broker.name, 'addauthkey',
                                     bench.line(bench.broker), DEFAULT_FILE))
    bench.tap.ok(refused(answer, 'forced command'),
                 "own account: no keys for it by the broker's key", answer)
    answer = bench.keys('addauthkey', bench.broker)
    bench.tap.equal(answer, (0, OK, b''), 'own account: but by hand')
    bench.tap.equal(bench.keys('delauthkey', bench.broker), (0, OK, b''),
                    'own account: and away')


# Attacks of who holds the broker's key

COMMANDS = [
    '', 'id', '/bin/sh', 'sh', 'sh -c id', "sh -c 'id'", 'bash', 'scp -t /tmp',
    '/usr/lib/openssh/sftp-server', 'internal-sftp', 'cat /etc/passwd',
    'AGENT; touch MARK', 'AGENT USER ping; touch MARK', 'AGENT USER ping;touch MARK',
    'AGENT USER ping && touch MARK', 'AGENT USER ping | touch MARK',
    'AGENT USER ping || touch MARK', 'AGENT USER ping & touch MARK',
    'AGENT USER ping > MARK', 'AGENT USER ping >MARK', 'AGENT USER ping 2> MARK',
    'AGENT USER ping < /etc/passwd', 'AGENT USER ping\ntouch MARK',
    'AGENT USER ping\r\ntouch MARK', 'AGENT $(touch MARK) ping',
    'AGENT `touch MARK` ping', 'AGENT "$(touch MARK)" ping',
    'AGENT "`touch MARK`" ping', "AGENT USER 'ping'; touch MARK",
    "AGENT USER ping'; touch MARK; '", 'AGENT USER ping"; touch MARK; "',
    "AGENT USER 'ping\ntouch MARK'", "sh -c 'AGENT USER ping; touch MARK'",
    "sh -c 'AGENT USER ping'; touch MARK", "sh -c 'AGENT USER ping' ; touch MARK",
    "sh -c 'AGENT USER ping && touch MARK'", "sh -c 'touch MARK; AGENT USER ping'",
    "sh -c 'touch MARK' AGENT USER ping", 'sh -c "AGENT USER $(touch MARK)"',
    "sh -c 'sh -c \"touch MARK\"'", 'sh -c AGENT USER ping; touch MARK',
    'sh -c touch MARK', "bash -c 'AGENT USER ping'", 'sh -x -c AGENT USER ping',
    'env AGENT USER ping', 'X=y AGENT USER ping', '/tmp/AGENT/../../bin/id USER ping',
    'x2gobroker-agent.pl USER ping', 'AGENT/ USER ping', 'AGENT', 'AGENT USER',
    'AGENT USER nothing', 'AGENT USER Ping', 'AGENT USER ping more',
    'AGENT USER listsessions --all-servers', 'AGENT USER suspendsession',
    'AGENT USER listsessions ""', 'AGENT USER -- ping', 'AGENT -- USER ping',
    'AGENT --help', 'AGENT --version', 'AGENT --user USER ping',
    'AGENT -c id USER ping', "AGENT USER suspendsession '--help'",
    "AGENT USER suspendsession 'USER-50-1; touch MARK'",
    "AGENT USER suspendsession 'USER-50-1 $(touch MARK)'",
    "AGENT USER suspendsession '../../etc/passwd'",
    "AGENT USER suspendsession 'USER-/../x'", "AGENT USER suspendsession 'OTHER-50-1'",
    "AGENT USER suspendsession 'root-50-1'", "AGENT USER suspendsession '-50-1'",
    "AGENT USER terminatesession 'USER'", "AGENT USER terminatesession ''",
    'AGENT ~root ping', 'AGENT * ping', 'AGENT USER ping #', 'AGENT USER ping \\',
    "AGENT USER 'ping", 'AGENT USER "ping', "AGENT USER ping ''''", '\x1b]0;x\x07',
    'AGENT USER ping\t', 'AGENT USER p\x01ing', 'AGENT ' + 'x' * 20000,
    'AGENT ' + 'x ' * 5000, 'AGENT ' + '"' * 9999, "sh -c " + "'" * 9999,
]


def fill(bench, text, mark):
    return (text.replace('AGENT', INSTALLED).replace('USER', bench.user.name)
            .replace('OTHER', bench.other.name).replace('MARK', mark))


def test_commands(bench):
    tap = bench.tap
    mark = '/tmp/x2gobroker-agent-mark.%d' % os.getpid()
    before = tree(bench.user.home), tree(bench.broker.home)
    for number, text in enumerate(COMMANDS):
        command = fill(bench, text, mark)
        # sshd makes no command of an empty one
        ask = bench.ssh if number % 8 == 7 else bench.forced
        answer = ask(command)
        tap.ok(refused(answer), 'command: %.60r' % text, answer)
    tap.equal(os.path.exists(mark), False, 'command: none was run')
    tap.equal((tree(bench.user.home), tree(bench.broker.home)), before,
              'command: no file has changed')
    done = bench.sshd.ssh(bench.broker.name, bench.key, None)
    tap.ok(done.stdout == b'' and done.returncode == 1, 'command: none at all', done)
    huge = bench.ssh('x' * 100000)
    tap.ok(huge.status == 1 and huge.stdout == b'', 'command: 100,000 characters', huge)


def test_bytes(bench):
    """Whatever the command is, no stdout and no other words on stderr."""
    state, bad = 12345, []
    pieces = [INSTALLED, ' ', "'", '"', 'sh -c ', 'ping', bench.user.name, ';', '$(id)',
              '\n', '\\', '`', 'listsessions', '\x00'[:0], '\xff', '--']
    for _ in range(300):
        text = ''
        for _ in range(8):
            state = (state * 1103515245 + 12345) % 2 ** 31
            text += pieces[(state >> 16) % len(pieces)]
        answer = bench.forced(text)
        if answer.stdout not in (b'', OK) or (answer.status != 0) == (
                answer.stdout == OK) or (answer.status != 0 and not refused(answer)):
            bad.append((text, answer))
    bench.tap.equal(bad, [], 'command: 300 made by chance')


# Keys

def test_keys(bench):
    tap, user = bench.tap, bench.user
    file = pathlib.Path(user.home, '.x2go/authorized_keys')
    written = bench.line().replace(bench.end, '"%s"' % bench.end)
    tap.equal(bench.ssh(bench.ours(user.name, 'addauthkey', bench.line(),
                                   DEFAULT_FILE)), (0, OK, b''), 'keys: added')
    tap.equal(file.read_text(), written + '\n', 'keys: the line')
    tap.equal([(p.stat().st_mode & 0o7777, p.stat().st_uid, p.stat().st_gid)
               for p in (file, file.parent)],
              [(0o600, user.uid, user.gid), (0o700, user.uid, user.gid)],
              "keys: the file is the user's")
    test_login(bench, file)
    tap.equal(bench.ssh(bench.ours(user.name, 'delauthkey', bench.line(),
                                   DEFAULT_FILE)), (0, OK, b''), 'keys: removed')
    tap.ok(not file.exists(), 'keys: a file that was not there is gone')
    for text in '', '\n', bench.pubkey + ' mine', '# end\n\n', 'x\r\ny':
        user.put('.x2go/authorized_keys', text, 0o644)
        done = bench.keys('addauthkey'), bench.keys('delauthkey')
        after = file.read_bytes().decode() if file.exists() else ''
        tap.equal((done, after), (((0, OK, b''),) * 2, text),
                  'keys: %.20r is as it was' % text)
    user.put('.x2go/authorized_keys', bench.pubkey + ' mine\n')
    tap.equal(bench.keys('delauthkey').status, 0, "keys: the user's own line ...")
    tap.equal(bench.keys('delauthkey', line='restrict ' + bench.pubkey + ' mine').status,
              0, "keys: ... is not removed ...")
    tap.equal(file.read_text(), bench.pubkey + ' mine\n', 'keys: ... by its key')
    expired = 'restrict,expiry-time="20200101" %s x2gobroker:x\n' % bench.pubkey
    file.write_text(expired + '# mine\n')
    other = bench.line(key=' '.join(pathlib.Path(
        lab.keypair(bench.dir, 'ecdsa') + '.pub').read_text().split()[:2]))
    bench.keys('delauthkey', line=other)
    tap.equal(file.read_text(), '# mine\n', 'keys: what has expired goes with others')
    file.unlink()


def test_login(bench, file):
    """sshd takes what was written."""
    with lab.Sshd('AuthorizedKeysFile none\nMatch all\n'
                  'AuthorizedKeysFile %h/.x2go/authorized_keys\n'
                  'StrictModes yes') as sshd:
        done = sshd.ssh(bench.user.name, bench.key, 'id -un')
        bench.tap.equal(done.stdout, bench.user.name.encode() + b'\n',
                        'keys: sshd lets the user in', done.stderr, sshd.log_tail())
        text = file.read_text()
        file.write_text(re.sub('expiry-time="[0-9]{4}', 'expiry-time="2020', text))
        done = sshd.ssh(bench.user.name, bench.key, 'id -un')
        bench.tap.ok(done.returncode == 255, 'keys: and not when it has expired', done)
        file.write_text(text)


def test_key_ends(bench):
    """Whoever has the broker's key can give nobody a key for longer than an hour."""
    tap, user = bench.tap, bench.user
    file = pathlib.Path(user.home, '.x2go/authorized_keys')

    def line(end):
        return 'restrict,expiry-time="%s" %s' % (end, bench.pubkey)

    for task in 'addauthkey', 'addauthkey_local':
        for what, end, words in (('ever', '99991231', 'ahead by the clock'),
                                 ('two hours', end_in(7200), 'seconds ahead'),
                                 ('two days', end_in(2 * 86400)[:8] + 'Z', 'seconds ahead'),
                                 ('nothing', end_in(-5), 'the clocks differ'),
                                 ('long ago', '19990101', 'seconds ago')):
            answer = bench.ssh(bench.ours(user.name, task, line(end), DEFAULT_FILE))
            tap.ok(refused(answer, words), '%s: a key for %s' % (task, what), answer)
        tap.ok(not file.exists(), task + ': none of them is there')
        answer = bench.ssh(bench.ours(user.name, task, line(end_in(3600)),
                                      DEFAULT_FILE))
        tap.equal(answer, (0, OK, b''), task + ': a key for an hour')
        text = file.read_text()
        tap.ok(re.fullmatch('restrict,expiry-time="[0-9]{14}%s" .* x2gobroker\n' % (
            '' if 'local' in task else 'Z'), text), task + ': is marked', text)
        test_login(bench, file)
        bench.keys('delauthkey', line=line(end_in(-5)))
        tap.ok(not file.exists(), task + ': it can be removed when it is over')


def test_store(bench):
    """The holder of the broker's key cannot make a key that lasts, nor one for another
    kind of account, nor write anything else as root."""
    tap, user = bench.tap, bench.user
    store = pathlib.Path(autologinlab.STORE)

    def files():
        return sorted(str(path.relative_to(store)) for path in store.rglob('*'))

    with autologinlab.store(), lab.Account(shell='/usr/sbin/nologin') as nologin:
        tap.equal(bench.ssh(bench.ours(user.name, 'checkstore')), (0, OK, b''),
                  'store: sshd reads it')
        tap.equal(bench.ssh(bench.ours('-', 'checkstore')), (0, OK, b''),
                  'store: it does for all')
        for name in 'root', 'daemon', 'nobody', bench.broker.name, nologin.name, \
                '-', '.', '..', '../x', 'keys/x', '/etc/passwd', '.lock', 'new', '*', \
                user.name + '/', './' + user.name, 'no_such_user', '%u', '':
            answer = bench.ssh(bench.ours("'%s'" % name, 'storekey', bench.line()))
            tap.ok(refused(answer), 'store: no key for %r' % name, answer)
        for task in 'storekey', 'storekey_local':
            for what, line, words in (
                    ('for ever', bench.line().replace(bench.end, '99991231'), 'ahead'),
                    ('for two hours', bench.line().replace(bench.end, end_in(7200)),
                     'ahead'),
                    ('that is over', bench.line().replace(bench.end, end_in(-9)), 'ago'),
                    ('without options', bench.pubkey, 'must have options'),
                    ('with a command', bench.line(options='command=id'), 'not allowed'),
                    ('with a principal', bench.line(options='cert-authority'),
                     'not allowed'),
                    ('for a whole file', bench.line() + '\n' + bench.pubkey, 'control'),
                    ('of no type', 'restrict x y', 'no key')):
                answer = bench.ssh(bench.ours(user.name, task, line))
                tap.ok(refused(answer, words), '%s: no key %s' % (task, what), answer)
        tap.equal([name for name in files() if name not in ('.lock', 'keys', 'sshd')], [],
                  'store: nothing was written')
        answer = bench.ssh(bench.ours(user.name, 'storekey', bench.line(), '/etc/x'))
        tap.ok(refused(answer, 'arguments'), 'store: the broker names no file', answer)
        tap.equal(bench.ssh(bench.ours(user.name, 'storekey', bench.line())),
                  (0, OK, b''), 'store: a key for half an hour')
        test_flood(bench, store / 'keys' / user.name)
        test_store_callers(bench)
        test_store_clock(bench, store / 'keys')


def test_flood(bench, file):
    """No user's file grows without an end."""
    answers = [bench.forced(bench.ours(bench.user.name, 'storekey', bench.line(
        key=re.sub('.{4}$', '%04d' % number, bench.pubkey)) + 'x' * 7000))
        for number in range(20)]
    bench.tap.ok(answers[0].status == 0 and refused(answers[-1], 'too many keys') and
                 file.stat().st_size <= 65536, 'store: a flood of keys', answers[-1])
    file.unlink()


def test_store_callers(bench):
    """Nobody becomes root who may not become a user; not even for an own key."""
    tap, user = bench.tap, bench.user
    plain = bench.install('plain', 0o755, caps=False)
    opened = bench.install('open', 0o755)
    for what, by, program, more in (
            ('a user, without capabilities', user, plain, {}),
            ('a user, of a file for all', user, opened, {}),
            ('a member of its group', user, None, {'groups': [bench.broker.gid]})):
        for name, task in (user.name, 'storekey'), ('-', 'checkstore'):
            words = [name, task] + [bench.line()] * (task == 'storekey')
            answer = bench.local(*words, by=by, **more,
                                 **({'program': program} if program else {}))
            tap.ok(refused(answer), 'store: %s by %s' % (task, what), answer)


def test_store_clock(bench, keys):
    """What has expired goes, and what a clock that was set back has left."""
    now = time.time()
    for name, end in ('old', now - 1), ('ahead', now + 7200), ('good', now + 600):
        (keys / name).write_text('x')
        os.utime(keys / name, (now, end))
    bench.forced(bench.ours(bench.user.name, 'storekey', bench.line()))
    bench.tap.equal(sorted(os.listdir(keys)), sorted(['good', bench.user.name]),
                    'store: only what is good now stays')


def test_key_files(bench):
    """The operator says in the forced command which files its key may change."""
    tap, user = bench.tap, bench.user
    for what, files, path, good in (
            ('the usual one', (), DEFAULT_FILE, True),
            ('the usual one, written otherwise', (), '.x2go/authorized_keys', True),
            ("the user's own keys", (), '.ssh/authorized_keys', False),
            ('another one beside it', (), '%h/.x2go/authorized_keys2', False),
            ('one that is named', ('%h/.ssh/authorized_keys',), '.ssh/authorized_keys',
             True),
            ('the usual one, where another is named', ('%h/.ssh/authorized_keys',),
             DEFAULT_FILE, False),
            ('the second of two', ('%h/.ssh/authorized_keys', '%h/authorized_keys.%u'),
             '%h/authorized_keys.' + user.name, True),
            ('one in another home', ('%h/authorized_keys',),
             bench.other.home + '/authorized_keys', False)):
        words = ['--key-file=' + file for file in files]
        for task in 'addauthkey', 'delauthkey':
            answer = bench.run(words, env={'SSH_ORIGINAL_COMMAND': bench.ours(
                user.name, task, bench.line(), path)})
            tap.ok(answer == (0, OK, b'') if good else
                   refused(answer, 'does not allow this key file; to allow it, add'),
                   'key files: %s, %s' % (what, task), answer)
    answer = bench.forced(bench.ours('--key-file=x', user.name, 'ping'))
    tap.ok(refused(answer), 'key files: a client cannot name one', answer)
    shutil.rmtree(os.path.join(user.home, '.x2go'), ignore_errors=True)


LINES = ['', 'KEY', 'KEY x2gobroker', 'command="id" KEY', 'restrict,command="id" KEY',
         'environment="A=b" KEY', 'restrict KEY\nssh-rsa AAAA', 'restrict KEY $(id)',
         'restrict KEY ;id', 'restrict KEY "', 'restrict ssh-rsa AAAA',
         'permitopen="*:*" KEY', 'cert-authority KEY', 'restrict,,pty KEY',
         'restrict ' + 'KEY ' + 'x' * 9000, 'no-pty ssh-dss AAAA', 'from="a KEY']
PATHS = ['', '/', '%h', '%h/', '%h/.bashrc', '%h/.profile', '%h/.ssh/rc', '/etc/passwd',
         '/etc/cron.d/authorized_keys', '/root/.ssh/authorized_keys',
         '%h/../OTHER/.ssh/authorized_keys', '../OTHER/.ssh/authorized_keys',
         'OTHERHOME/.ssh/authorized_keys', 'OTHERHOME/authorized_keys',
         '%h/.x2go/../../OTHER/authorized_keys', '%h/./authorized_keys',
         '%h//authorized_keys', '/tmp/authorized_keys', '/tmp/x/authorized_keys',
         '/dev/shm/authorized_keys', '/authorized_keys', '/proc/self/cwd/authorized_keys',
         '/dev/stdout', '/proc/self/fd/1', '%h/authorized_keys/authorized_keys/x',
         '%x/authorized_keys', '%h/authorized_keys%', 'a/' * 3000 + 'authorized_keys',
         '%h/' + 'a' * 300, '%h/authorized_keys' + 'a' * 300, '%h/authorized_keys\n']


def test_key_attacks(bench):
    tap, user, other = bench.tap, bench.user, bench.other
    other.put('.ssh/authorized_keys', 'theirs\n')
    os.chmod(other.home, 0o777)
    before = [tree(account.home) for account in (user, other)]
    shadow = test_pam.shadow()
    for task in 'addauthkey', 'delauthkey':
        for text in LINES:
            line = text.replace('KEY', bench.pubkey)
            answer = bench.keys(task, line=line)
            tap.ok(refused(answer), '%s: line %.40r' % (task, text), answer)
    for text in PATHS:
        path = text.replace('OTHERHOME', other.home).replace('OTHER', other.name)
        answer = bench.keys('addauthkey', file=path)
        tap.ok(refused(answer), 'addauthkey: path %.40r' % text, answer)
    tap.equal([tree(account.home) for account in (user, other)], before,
              'keys: nothing has changed there')
    tap.equal(test_pam.shadow().keys(), shadow.keys(), 'keys: nor elsewhere')
    os.chmod(other.home, 0o755)


def test_links(bench):
    """What a user, or somebody in their name, has prepared."""
    tap, user, other = bench.tap, bench.user, bench.other
    theirs = other.put('.ssh/authorized_keys', 'theirs\n', 0o666)
    os.chmod(os.path.dirname(theirs), 0o777)
    mine = user.put('target', 'mine\n')
    x2go = os.path.join(user.home, '.x2go')
    file = os.path.join(x2go, 'authorized_keys')

    def prepared(what, words, make):
        shutil.rmtree(x2go, ignore_errors=True)
        make()
        before = tree(user.home), tree(other.home)
        for task in 'addauthkey', 'delauthkey':
            answer = bench.keys(task)
            tap.ok(refused(answer, words), 'links: %s, %s' % (what, task), answer)
        tap.equal((tree(user.home), tree(other.home)), before,
                  'links: %s, nothing has changed' % what)
        if os.path.islink(x2go) or os.path.isfile(x2go):
            os.unlink(x2go)

    def with_dir(make, mode=0o700):
        def run():
            os.mkdir(x2go, mode)
            os.chmod(x2go, mode)
            os.chown(x2go, user.uid, user.gid)
            make()
        return run

    def as_user(make):
        def run():
            make()
            os.lchown(file, user.uid, user.gid)
        return with_dir(run)

    for what, target in (('a file of another user', theirs), ('a file of root',
                         '/etc/passwd'), ('nothing', '/nonexistent'),
                         ('an own file', mine), ('/dev/zero', '/dev/zero')):
        prepared('a link to ' + what, 'symbolic link',
                 as_user(lambda: os.symlink(target, file)))
    prepared('a hard link', 'hard link', as_user(lambda: os.link(mine, file)))
    os.chown(mine, user.uid, user.gid)
    prepared('a FIFO', 'not a regular file', as_user(lambda: os.mkfifo(file)))
    prepared('a directory', 'not a regular file', as_user(lambda: os.mkdir(file)))
    prepared("root's file", 'another user', with_dir(
        lambda: pathlib.Path(file).write_text('x')))
    prepared('a link to the directory of another user', 'symbolic link',
             lambda: os.symlink(os.path.dirname(theirs), x2go))
    prepared('a link to /root', 'symbolic link', lambda: os.symlink('/root', x2go))
    prepared('a file for the directory', 'not a directory',
             lambda: pathlib.Path(x2go).write_text(''))
    prepared('a directory for all', 'may write', with_dir(lambda: None, 0o777))
    os.rmdir(x2go)
    os.unlink(mine)


def test_elsewhere(bench):
    """Sites that keep the files of all users in one place."""
    tap, user = bench.tap, bench.user
    # /tmp is for all to write
    place = tempfile.mkdtemp(prefix='x2gobroker-agent.', dir='/var/lib')
    bench.stack.callback(shutil.rmtree, place)
    os.chmod(place, 0o755)
    own = os.path.join(place, user.name)
    os.mkdir(own)
    tap.ok(refused(bench.keys('addauthkey', file=place + '/%u/authorized_keys'),
                   'Permission denied'), "elsewhere: a directory of root's")
    os.chown(own, user.uid, user.gid)
    for template in '/%u/authorized_keys', '/%u/%u':
        file = pathlib.Path(place + template.replace('%u', user.name))
        tap.equal(bench.keys('addauthkey', file=place + template), (0, OK, b''),
                  'elsewhere: added to ' + template)
        tap.ok(file.exists(), 'elsewhere: it is there')
        tap.equal(bench.keys('delauthkey', file=place + template), (0, OK, b''),
                  'elsewhere: removed from ' + template)
        tap.ok(not file.exists(), 'elsewhere: it is gone')
    tap.ok(refused(bench.keys('addauthkey', file=place + '/x/authorized_keys'),
                   'no such directory'), 'elsewhere: no directory is made')


def test_crowd(bench):
    """Many logins of one user at the same moment."""
    tap, user = bench.tap, bench.user
    text = bench.pubkey + ' mine\n# no end'
    file = user.put('.x2go/authorized_keys', text)
    lines = [bench.line(key=re.sub('.{4}$', '%04d' % n, bench.pubkey))
             for n in range(20)]
    failed = []

    def come_and_go(line):
        for task in 'addauthkey', 'delauthkey':
            answer = bench.keys(task, line=line)
            if answer != (0, OK, b''):
                failed.append(answer)

    threads = [threading.Thread(target=come_and_go, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal(failed, [], 'crowd: 20 at once are served')
    tap.equal(pathlib.Path(file).read_text(), text, 'crowd: the file is as before')
    tap.equal(os.listdir(os.path.dirname(file)), ['authorized_keys'],
              'crowd: nothing else is left')
    shutil.rmtree(os.path.dirname(file))


# What tools are given, and what becomes of what they say

class Tools:
    """Other tools than X2Go's, for an agent that was built for that."""

    def __init__(self, bench):
        self.bench = bench

    def __enter__(self):
        TOOLS.mkdir(mode=0o755)
        self.agent = self.bench.install('faked', program=self.bench.faked)
        return self

    def set(self, script, name='x2golistsessions'):
        path = TOOLS / name
        path.write_text('#!/bin/sh\n' + script)
        path.chmod(0o755)

    def ask(self, *words, script=None):
        if script is not None:
            self.set(script)
        return self.bench.local(self.bench.user.name, *(words or ('listsessions',)),
                                program=self.agent)

    def __exit__(self, *_):
        shutil.rmtree(TOOLS)


def test_surroundings(bench):
    tap, user = bench.tap, bench.user
    extra = test_groups(bench)
    with Tools(bench) as tools:
        # a tab is no text
        status = tools.ask(script='exec cat /proc/self/status').stdout.decode()
        status = status.replace('?', ' ')
        fields = {key: value.split() for key, _, value in
                  (line.partition(':') for line in status.split('\n'))}
        tap.equal([fields[key] for key in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')],
                  [['0' * 16]] * 4, 'tool: it has no capabilities')
        tap.equal((fields['Uid'], fields['Gid']),
                  ([str(user.uid)] * 4, [str(user.gid)] * 4), "tool: it is the user's")
        tap.equal(sorted(map(int, fields['Groups'])), sorted(extra),
                  "tool: in the user's groups and no others")
        # 32 and 33 are the C library's own, and real-time ones nobody's
        tap.equal([int(fields['SigBlk'][0], 16) & ~(3 << 31),
                   int(fields['SigIgn'][0], 16) & 0x7fffffff],
                  [0, 0], 'tool: all signals are as they should be')
        env = tools.ask(script='exec env').stdout.decode().split('\n')[1:-1]
        env = dict(line.split('=', 1) for line in env)
        env.pop('_', None)
        env.pop('PWD', None)
        tap.equal(env, {'PATH': '/usr/local/bin:/usr/bin:/bin', 'HOME': user.home,
                        'USER': user.name, 'LOGNAME': user.name, 'SHELL': '/bin/bash',
                        'LANG': 'C.UTF-8'}, 'tool: its environment')
        seen = tools.ask(script='ls /proc/$$/fd; readlink /proc/$$/fd/0 /proc/$$/cwd; '
                         'umask; echo "$@"').stdout.decode().split('\n')
        tap.equal([line for line in seen if not line.isdigit() or int(line) < 9 or
                   line == '0022'],
                  ['OK', '0', '1', '2', '/dev/null', '/', '0022', '--all-servers', ''],
                  'tool: descriptors, directory, umask, arguments')
        after = tools.ask('addauthkey', bench.line(), DEFAULT_FILE)
        tap.equal(after, (0, OK, b''), 'tool: keys need none')
        tools.ask('delauthkey', bench.line(), DEFAULT_FILE)


def test_groups(bench):
    """The groups that the user should have; one more than the own."""
    group = pwd.getpwnam('daemon').pw_gid
    subprocess.run(['usermod', '-aG', 'daemon', bench.user.name], check=True)
    return [bench.user.gid, group]


def test_tools(bench):
    tap = bench.tap
    with Tools(bench) as tools:
        tap.ok(refused(tools.ask(), 'cannot start'), 'tool: missing')
        tap.equal([line for line in tools.ask('availabletasks').stdout.decode().split()],
                  ['OK', 'ping', 'availabletasks', 'checkload', 'addauthkey',
                   'addauthkey_local', 'delauthkey', 'storekey', 'storekey_local',
                   'checkstore'], 'tool: missing ones make no tasks')
        for what, script, words in (
                ('fails', 'echo a line; exit 3', 'exited with status 3'),
                ('says why', 'echo no; printf "why\\033[2J\\nmore\\n" >&2; exit 1',
                 'with status 1: why?[2J'),
                ('killed', 'echo x; kill -SEGV $$', 'was killed by signal 11'),
                ('says ERROR and ends well', 'echo "ERROR: not so" >&2',
                 'ERROR: not so'),
                ('a flood', 'exec cat /dev/zero', 'printed too much'),
                ('two MiB', 'head -c 2000000 /dev/zero', 'printed too much')):
            answer = tools.ask(script=script)
            tap.ok(refused(answer, words), 'tool: ' + what, answer)
        for what, script, out in (
                ('nothing', '', b''), ('no end of line', 'printf a', b'a\n'),
                ('warnings', 'echo beware >&2; echo a', b'a\n'),
                ('a flood of warnings', 'head -c 3000000 /dev/zero >&2; echo a', b'a\n'),
                ('odd bytes', r'printf "a\000b\033c\rd\te\377\n"', b'a?b?c?d?e\xff\n'),
                ('a million bytes', "head -c 1000000 /dev/zero | tr '\\0' x; echo",
                 b'x' * 1000000 + b'\n'),
                ('a lasting child', 'sleep 15 & echo a', b'a\n')):
            start = time.monotonic()
            answer = tools.ask(script=script)
            tap.equal(answer, (0, OK + out, b''), 'tool: ' + what)
            tap.ok(time.monotonic() - start < 10, 'tool: %s, in time' % what)
        test_forgery(bench, tools)
        test_patience(bench, tools)


ALL_SESSIONS = '--all-sessions'


def test_all_sessions(bench):
    """Only the operator of the server lets a broker see the sessions of all users."""
    tap, user = bench.tap, bench.user
    words = bench.ours('-', 'listallsessions')
    with Tools(bench) as tools:
        tools.set('echo "$*" >%s/ran; id -u >>%s/ran; grep -h NoNewPrivs '
                  '/proc/self/status >>%s/ran; env >>%s/ran\n'
                  'echo "1|%s-50-1|50|vm|R|x|secret|y"; echo "2|root-51-1|51|vm|S|x|s"'
                  % (*(bench.dir,) * 4, user.name), 'x2golistsessions_root')
        ran = pathlib.Path(bench.dir, 'ran')

        def ask(*options, words=words, **more):
            ran.unlink(missing_ok=True)
            return bench.run(options, program=tools.agent, env={
                'SSH_ORIGINAL_COMMAND': words,
                'SSH_CONNECTION': '192.0.2.7 50000 192.0.2.1 22'}, **more)

        listed = OK + b'1|%s-50-1|50|vm|R|x||y\n2|root-51-1|51|vm|S|x|\n' % (
            user.name.encode())
        for options in (), ('--key-file=%h/.ssh/authorized_keys',):
            answer = ask(*options)
            tap.ok(refused(answer, 'add --all-sessions to the command') and
                   not ran.exists(), 'all sessions: not by the service key alone', answer)
        for text in (bench.ours(ALL_SESSIONS, '-', 'listallsessions'),
                     bench.ours('-', ALL_SESSIONS, 'listallsessions'),
                     bench.ours('-', 'listallsessions', ALL_SESSIONS),
                     'sh -c "%s %s - listallsessions"' % (INSTALLED, ALL_SESSIONS)):
            answer = ask(words=text)
            tap.ok(refused(answer) and not ran.exists(),
                   'all sessions: a client cannot give the option', answer)
        for options in ((ALL_SESSIONS,), ('--key-file=x', ALL_SESSIONS, '--key-file=y')):
            tap.equal(ask(*options), (0, listed, b''),
                      "all sessions: by the operator's option, and without the cookies")
        lines = ran.read_text().split('\n')
        tap.equal(lines[:3], ['', '0', 'NoNewPrivs:\t0'],
                  "all sessions: root's tool, of this server")
        tap.equal(sorted(line for line in lines[3:] if line and not
                         line.startswith(('_=', 'PWD='))),
                  ['HOME=/root', 'LANG=C.UTF-8', 'LOGNAME=root',
                   'PATH=/usr/local/bin:/usr/bin:/bin', 'SHELL=/bin/sh', 'USER=root'],
                  'all sessions: its environment')
        tap.ok('listallsessions' in ask(ALL_SESSIONS, words=bench.ours(
            '-', 'availabletasks')).stdout.decode() and 'listallsessions' not in ask(
                words=bench.ours('-', 'availabletasks')).stdout.decode(),
               'all sessions: availabletasks says whether it is allowed')
        tap.equal(bench.local('-', 'listallsessions', program=tools.agent),
                  (0, listed, b''), 'all sessions: on the command line')
        tap.ok(ran.read_text().startswith('--all-servers\n0\n'),
               'all sessions: of all servers then')
        for what, by, more in (('another user', bench.other, {}),
                               ('a member of the group', bench.other,
                                {'groups': [bench.broker.gid]})):
            plain = bench.install('plain-faked', 0o755, caps=False, program=bench.faked)
            for options in (), (ALL_SESSIONS,):
                answer = bench.run((*options, '-', 'listallsessions'), by=by,
                                   program=tools.agent if more else plain, **more)
                tap.ok(refused(answer), 'all sessions: not for ' + what, answer)
        tools.set('exec cat /dev/zero', 'x2golistsessions_root')
        tap.ok(refused(ask(ALL_SESSIONS), 'printed too much'), 'all sessions: a flood')
    done = bench.run((ALL_SESSIONS,), env={'SSH_ORIGINAL_COMMAND': words})
    tap.equal((done.status, done.stderr), (0, b''), "all sessions: X2Go's own tool")


def test_forgery(bench, tools):
    """What a user's own tools or database say can be no other line of an answer."""
    answer = tools.ask('status', script='echo END; echo sessions:99; echo; echo OK')
    lines = answer.stdout.decode().split('\n')
    bench.tap.equal((lines[-6:], 'sessions:99' in lines),
                    (['session:END', 'session:sessions:99', 'session:', 'session:OK',
                      'END', ''], False), 'tool: a forged answer')
    line = '1|%s-50-1|50|vm|R|x\n' % bench.user.name
    tools.set('echo "$0 $*" >>%s/ran; echo "%s"' % (bench.user.home, line))
    for name in 'x2gosuspend-session', 'x2goterminate-session':
        tools.set('echo "$0 $*" >>%s/ran' % bench.user.home, name)
    for task in 'suspendsession', 'terminatesession':
        bench.tap.equal(tools.ask(task, bench.user.name + '-50-1'), (0, OK, b''),
                        'tool: ' + task)
    ran = pathlib.Path(bench.user.home, 'ran')
    bench.tap.equal([os.path.basename(line) for line in
                     ran.read_text().split('\n')[1:-1:2]],
                    ['x2gosuspend-session %s-50-1' % bench.user.name,
                     'x2goterminate-session %s-50-1' % bench.user.name],
                    'tool: what was run')
    ran.unlink()
    tools.set('echo "ERROR: failed to suspend" >&2', 'x2gosuspend-session')
    bench.tap.ok(refused(tools.ask('suspendsession', bench.user.name + '-50-1'),
                         'failed to suspend'), 'tool: a suspension that fails')


def test_patience(bench, tools):
    """One that does not end is ended, with all that it has started."""
    start = time.monotonic()
    answer = tools.ask(script='echo a; sleep 4711 & sleep 4712')
    bench.tap.ok(refused(answer, 'did not end in time'), 'tool: it hangs', answer)
    bench.tap.ok(18 < time.monotonic() - start < 29, 'tool: it hangs for 20 seconds')
    lab.wait_for(lambda: not bench.user.processes(), 5, 'its children to end')
    bench.tap.ok(True, 'tool: nothing is left of it')


# What the log says

def test_log(bench):
    with test_pam.Syslog(bench.dir, False) as log:
        if not log.heard:
            bench.tap.note('somebody else has the log, so what is in it is not seen')
            return
        bench.forced(bench.ours(bench.user.name, 'listsessions'))
        bench.forced(bench.ours('root', 'listsessions'))
        bench.forced('evil\x1b[2J; id')
        bench.local(bench.user.name, 'nothing\nforged: line', by=ROOT)
        lines = [line for line in log.read().split('\n')     # other tests may log, too
                 if 'uid %d' % bench.broker.uid in line or bench.user.name in line]
    wanted = [r'uid %d from 192\.0\.2\.7: %s listsessions: done \(\d+ ms\)' %
              (bench.broker.uid, bench.user.name),
              r'from 192\.0\.2\.7: root listsessions: root: uid 0 is a system account',
              r'from 192\.0\.2\.7: - -: the command contains control characters',
              r'uid 0 from -: %s -: no such task: nothing\?forged: line' %
              bench.user.name]
    for line, pattern in zip(lines, wanted):
        bench.tap.ok(re.search(pattern, line) and 'x2gobroker-agent[' in line,
                     'log: %.50s' % pattern, line)
    bench.tap.equal(len(lines), len(wanted), 'log: a line for each')


# How it is started

def test_harm(bench):
    """Whoever may start it chooses its surroundings."""
    tap, name = bench.tap, bench.user.name
    intruder = os.path.join(bench.dir, 'intruder.so')
    source = intruder + '.c'
    pathlib.Path(source).write_text(test_pam.INTRUDER.replace('DIR', '/tmp'))
    subprocess.run(['cc', '-shared', '-fPIC', '-o', intruder, source], check=True)
    mark = pathlib.Path('/tmp/intruded')
    for what, env in (('LD_PRELOAD', {'LD_PRELOAD': intruder}),
                      ('PATH', {'PATH': '/tmp', 'HOME': '/tmp', 'USER': 'root'}),
                      ('PERL5LIB', {'PERL5LIB': '/tmp', 'PERL5OPT': '-Mx', 'ENV': '/x',
                                    'BASH_ENV': '/x', 'X2GO_SESSION': 'x'}),
                      ('much', {'X' * 1000: 'y' * 100000})):
        tap.equal(bench.local(name, 'listsessions', env=env), (0, OK, b''),
                  'harm: variable ' + what)
    tap.ok(not mark.exists(), 'harm: nothing of it was loaded')
    mark.unlink(missing_ok=True)
    tap.equal(bench.local(name, 'listsessions', restore_signals=False,
                          preexec_fn=test_pam.ignore_signals), (0, OK, b''),
              'harm: ignored signals')
    tap.equal(bench.local(name, 'listsessions', cwd='/root'), (0, OK, b''),
              'harm: a directory that it cannot read')
    done = subprocess.run([bench.agent, name, 'listsessions'], user=bench.broker.uid,
                          group=bench.broker.gid, extra_groups=[], check=False,
                          preexec_fn=lambda: os.closerange(0, 3))
    tap.equal(done.returncode, 1, 'harm: without descriptors, it fails')


TESTS = [test_tasks, test_like_debians, test_python_broker, test_sessions, test_callers,
         test_accounts, test_own_account, test_commands, test_bytes, test_keys,
         test_key_ends, test_store, test_key_files, test_key_attacks, test_links, test_elsewhere, test_crowd, test_log, test_harm]
FAKED_TESTS = [test_surroundings, test_all_sessions, test_tools]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**PACKAGES):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER_AGENT', 'X2GOBROKER_AGENT_FAKED')
        if not found:
            return
        os.chdir('/')
        bench = Bench(tap, found, stack)
        for test in TESTS + (FAKED_TESTS if bench.faked else []):
            with tap.case(test.__name__ + ': no step failed', bench.sshd.log_tail):
                test(bench)


if __name__ == '__main__':
    sys.exit(main())
