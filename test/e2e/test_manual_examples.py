#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All examples of the manual pages, done as they stand there, in a copy of this
machine that is thrown away: commands are run, configuration and profiles are
checked, lines of keys and of sshd_config let somebody in, log lines are compared
with the code.

usage: test_manual_examples.py SOURCE_ROOT BUILD_ROOT

The pages are about an installation with prefix=/usr, so the build must be for one.

An example is a literal block (.Bd -literal) or a line (.Dl).  Each has a row in
EXAMPLES, which says what is done with it; one without a row is a failure.  Rows are
done in their order, as one makes what the next one needs.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import copylab
import lab

GOOD, NO = (0,), (1,)
EITHER = (0, 1)         # an answer, whichever it is, but not "wrong usage"


@dataclasses.dataclass
class Row:
    page: str
    start: str                          # how its text begins
    how: str                            # a function do_... of Doer
    status: tuple = GOOD                # of each command
    edit: dict = dataclasses.field(default_factory=dict)    # {text: another one}
    says: str = ''                      # a regular expression of all output
    pieces: tuple = ()                  # of a message: they are in the code
    before: str = ''                    # a script that makes what it is about


CTL, AGENT, BROKER, PAM = ('x2gobrokerctl.8', 'x2gobroker-agent.8', 'x2gobroker.8',
                           'x2gobroker-pam.8')
HTTP, POLL, DATABASE = ('x2gobroker-http.8', 'x2gobroker-poll.8',
                        'x2gobroker-sessiondb.8')
CONF, PROFILES = 'x2gobroker.conf.5', 'x2gobroker-sessionprofiles.5'
STORY, MOVE = 'x2gobroker.7', 'x2gobroker-migration.7'

HELPER_MISSING = ('not found, so no ', ' can be asked; install it, or see helper-dir in '
                  'x2gobroker.conf(5)')

# profiles for some of the people, on the servers of the farm
XFCE_FOR_OFFICE = ('printf "[DEFAULT]\\nuser=BROKER_USER\\n\\n[xfce]\\nname=XFCE\\n'
                   'host=ts01, ts02\\nacl-groups-allow=office\\n" '
                   '>/etc/x2go/broker/x2gobroker-sessionprofiles.conf\n'
                   'printf "\\n[lab]\\nname=Lab\\nhost=ts01\\n" '
                   '>>/etc/x2go/broker/x2gobroker-sessionprofiles.conf\n'
                   'printf "[global]\\ndefault-agent-query-mode = SSH\\n" '
                   '>/etc/x2go/x2gobroker.conf')

EXAMPLES = [
    # Files, each with nothing else beside it.
    Row(CONF, '[global]\nservers-share-database', 'config'),
    Row(CONF, '[global]\nbroker-account', 'config',
        before='mkdir -p /srv/x2go/profiles; : >/srv/x2go/profiles.conf'),
    Row(CONF, '[broker_zeroconf]', 'config'),
    Row(CONF, '[ssh]\nX2GOBROKER_DEFAULT_BACKEND', 'defaults',
        says=r'1 profile served, 0 profiles withheld; 0 errors, 0 warnings'),
    Row(PROFILES, 'acl-clients-allow=', 'fragment'),
    Row(PROFILES, '[xfce]', 'profiles'),
    Row(PROFILES, '[DEFAULT]\ncommand=MATE', 'profiles'),
    Row(PROFILES, '[library]', 'profiles'),
    Row(PROFILES, '[help]', 'profiles'),
    Row(PROFILES, '[farm]', 'profiles'),

    # The accounts and their programs.
    Row(BROKER, '# useradd --system', 'commands'),
    Row(BROKER, 'Match User x2gobroker', 'sshd', says='authorizedkeyscommand /usr/sbin/'
        'x2gobrokerctl authorized-keys %u %t %k'),
    Row(BROKER, '# x2gobrokerctl authorize alice', 'commands',
        before='ssh-keygen -q -t ed25519 -N "" -f alice'),
    Row(AGENT, 'useradd --system', 'script', before='userdel -r x2gobroker 2>/dev/null'),
    Row(PAM, 'ad_gpo_map_remote', 'output'),            # for sssd, which is not here
    Row(PAM, '# chown root:x2gobroker', 'commands'),
    Row(PAM, '# chmod 4750', 'commands'),
    Row(PAM, '# /usr/lib/x2go/x2gobroker-pam check', 'commands', EITHER),
    Row(PAM, 'alice: Permission denied', 'output'),     # of some other PAM's
    Row(PAM, '# su -s /bin/sh', 'commands', EITHER, says='^$|alice: [A-Z]'),

    # HTTP
    Row(HTTP, '# cp /usr/share/x2gobroker/systemd', 'commands', edit={'systemctl': 'true systemctl'}),
    Row(HTTP, '$ curl -d', 'syntax'),
    Row(HTTP, '$ x2goclient', 'client'),
    Row(HTTP, '# printf task=testcon', 'same'),
    Row(HTTP, '# cp /usr/share/x2gobroker/fail2ban', 'commands',
        before='mkdir -p /etc/fail2ban/filter.d'),
    Row(HTTP, '[x2gobroker-http]', 'output'),

    # The farm: one host with many names.
    Row(CONF, '# sudo -u x2gobroker ssh-keygen', 'commands',
        edit={'sudo -u x2gobroker': 'setpriv --reuid x2gobroker --regid x2gobroker '
              '--clear-groups', 'add ts01 ts02': 'add --yes ts01 ts02'},
        before=XFCE_FOR_OFFICE, says='ts01: added to .*ts02: added to .*SERVER.*'
        'ts01 .* login as x2gobroker with', status=EITHER),
    Row(CONF, 'restrict,command="/usr/lib/x2go/x2gobroker-agent"', 'agent_key'),
    Row(AGENT, 'restrict,command="/usr/lib/x2go/x2gobroker-agent --key-file', 'agent_key'),
    Row(AGENT, 'restrict,command="/usr/lib/x2go/x2gobroker-agent --all', 'agent_key'),
    Row(AGENT, 'restrict,from="192.0.2.10"', 'agent_key',
        edit={'192.0.2.10': '127.0.0.0/8'}),
    Row(AGENT, '$ ssh x2gobroker@ts1', 'ask_agent'),
    Row(AGENT, 'OK', 'output'),         # compared there
    Row(AGENT, "/usr/lib/x2go/x2gobroker-agent USER TASK 'ARGUMENT'", 'agent_forms'),
    Row(AGENT, '# /usr/lib/x2go/x2gobroker-agent alice status', 'commands',
        says=r'OK\nloadavgXX:\d+\nmemAvail:\d+\nmyMemAvail:\d+\nnumCPU:\d+\n'
             r'typeCPU:\d+\n(sessions:\d+\n)?agent:x2gobroker-agent \S+\nhost:\S+\ntime:\d+\n'
             r'(session:.*\n)*END\n$',
        before='test -e /var/lib/x2go/x2go_sessions || x2godbadmin --createdb'),
    Row(AGENT, 'AuthorizedKeysFile .ssh/authorized_keys .x2go', 'sshd',
        says='authorizedkeysfile .ssh/authorized_keys .x2go/authorized_keys'),
    Row(AGENT, 'AuthorizedKeysFile .ssh/authorized_keys /run', 'sshd',
        says='authorizedkeysfile .ssh/authorized_keys /run/x2gobroker-agent/keys/%u'),
    Row(AGENT, '# /usr/lib/x2go/x2gobroker-agent - checkstore', 'commands', says='OK\n$',
        before='cp /usr/share/doc/x2gobroker/examples/sshd/x2go-server.conf '
               '/etc/ssh/sshd_config.d/'),
    Row(AGENT, 'restrict,pty,port-forwarding,expiry-time=', 'key_options'),

    # The administrator's questions.
    Row(CONF, '# x2gobrokerctl check', 'commands'),
    Row(CTL, '# x2gobrokerctl check', 'commands'),
    Row(CTL, '# x2gobrokerctl list --as anna', 'commands'),
    Row(CTL, '# x2gobrokerctl list --as new', 'commands'),
    Row(CTL, '# x2gobrokerctl explain staff', 'same', NO,
        before='rm -f /etc/x2go/broker/profiles.d/*; cp /usr/share/doc/x2gobroker/'
        'examples/profiles.d/20-farm.conf /etc/x2go/broker/profiles.d'),
    Row(CTL, '# x2gobrokerctl known-hosts add ts03 ts04', 'commands',
        edit={'add ts03': 'add --yes ts03'}, says='ts03: SHA256:.*\nts03: added to /var/'
        'lib/x2gobroker/.ssh/known_hosts\nts04: SHA256:.*\nts04: added to '),
    Row(CTL, '# x2gobrokerctl poll xfce', 'commands', says='SERVER +MS +LOAD +SESSIONS'
        ' +PENDING +SCORE +STATE\nts01 .*chosen',
        before='rm -f /etc/x2go/broker/profiles.d/*'),
    Row(CTL, '# x2gobrokerctl poll >poll.txt', 'commands'),     # nothing to be mailed
    Row(CTL, '# x2gobrokerctl poll --json', 'commands', edit={"jq -r '.servers[] | "
        "select(.answered | not).name'": "python3 -c 'import json, sys; print([row["
        "\"name\"] for row in json.load(sys.stdin)[\"servers\"] if not row["
        "\"answered\"]])'"}, says=r'^\[\]$'),
    Row(CTL, '# x2gobrokerctl drain ts02', 'commands', says='^ts02: drained: no new '
        'sessions; running and suspended ones can be resumed\nSERVER.*ts02 .*drained.*'
        'ts02: gets new sessions again\n$'),
    Row(CTL, '# systemctl enable --now x2gobroker-metrics', 'commands',
        edit={'systemctl': 'true systemctl'},
        before='mkdir -p /var/lib/prometheus/node-exporter'),
    Row(CTL, '# x2gobrokerctl maintenance', 'commands', edit={'--until 14:00': '--until 23:59'},
        before='install -d -o x2gobroker -m 700 /run/x2gobroker',
        says='^maintenance: no new sessions; .*\nmaintenance is over\n$'),
    Row(CTL, '# x2gobrokerctl sessions anna', 'commands', EITHER,
        edit={'terminate anna': 'terminate --yes anna'}, says='anna has no session anna-50-'),
    Row(CTL, '# x2gobrokerctl sessions --all', 'commands', EITHER,
        says='no session matches'),
    Row(CTL, '# x2gobrokerctl doctor', 'commands', EITHER, says='(?m)^FAIL  '),
    Row(CTL, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...', 'user_key'),
    Row(CTL, '# x2gobrokerctl authorize anna anna-laptop.pub', 'commands',
        before='ssh-keygen -q -t ed25519 -N "" -f anna-laptop'),
    Row(CTL, '# cat keys-of-anna/*.pub', 'commands',
        before='mkdir keys-of-anna; cp anna-laptop.pub keys-of-anna/laptop.pub'),
    Row(CTL, '# x2gobrokerctl authorized-keys', 'authorized_keys'),
    Row(CTL, 'Match User x2gobroker\n\tAuthorizedKeysCommand', 'sshd',
        says='authorizedkeyscommand /usr/sbin/x2gobrokerctl authorized-keys %u %t %k'),
    Row(CTL, 'Match User x2gobroker\n\tTrustedUserCAKeys', 'sshd',
        says='authorizedprincipalscommand /usr/sbin/x2gobrokerctl '
        'authorized-principals %u %i'),
    Row(CTL, '$ ssh-keygen -s users_ca', 'commands',
        before='for key in users_ca id_ed25519; do '
        'ssh-keygen -q -t ed25519 -N "" -f $key; done'),

    # The broker.
    Row(BROKER, 'restrict,pty,command="/usr/lib/x2go/x2gobroker --user alice" ssh-',
        'broker_key'),
    Row(BROKER, 'restrict,pty,command="/usr/lib/x2go/x2gobroker --user alice" \\',
        'broker_key'),
    Row(BROKER, '$ x2goclient --broker-ssh-key', 'client'),
    Row(BROKER, '$ x2goclient --broker-autologin', 'client'),
    Row(BROKER, 'Match Group x2gousers', 'sshd', says='forcecommand /usr/lib/x2go/'
        'x2gobroker\n'),
    Row(BROKER, "# su -s /bin/sh -c '/usr/lib/x2go/x2gobroker -d", 'commands', says='granted task=list'
        'sessions.*granted task=selectsession.*SERVER:ts0[12]:22'),
    Row(PROFILES, '# x2gobrokerctl check', 'commands', EITHER),
    Row(BROKER, 'granted task=listsessions user=alice', 'log'),
    Row(BROKER, '/etc/x2go/broker/profiles.d/kde.conf:3:', 'log',
        pieces=('neither true nor false',)),

    # The story.
    Row(STORY, " user's host ", 'picture'),
    Row(STORY, 'hook=select', 'log'),
    Row(STORY, 'allow', 'log', pieces=('in-order', 'server=')),
    Row(STORY, 'granted task=login', 'log'),
    Row(STORY, 'refused task=- ', 'log',
        pieces=('not a command that an X2Go client sends',)),
    Row(STORY, 'This session broker cannot serve you', 'log',
        pieces=('This session broker cannot serve you at the moment.',
                'Its log says why; please tell your administrator.')),
    Row(STORY, 'refused task=login', 'log',
        pieces=('no --user for this key; write command=',
                'before it in authorized_keys', 'there is no such account')),
    Row(STORY, '/etc/x2go/broker/x2gobroker-sessionprofiles.conf:6:', 'log',
        pieces=('neither true nor false',)),
    Row(STORY, '/etc/x2go/broker/x2gobroker-sessionprofiles.conf: ', 'log',
        pieces=('not used: ', 'its group or others may write it (chmod go-w)')),
    Row(STORY, '# x2gobrokerctl list --as bob', 'commands', EITHER,
        says='no: .*: acl-groups-allow: no group of the user is in either '
        'list, so access is denied', before=XFCE_FOR_OFFICE),
    Row(STORY, 'ts03: cannot connect to port 22', 'log',
        pieces=('cannot connect to port ', 'unknown host key ', '; if it is the right '
                'one, run: x2gobrokerctl known-hosts add', 'login as ', ' denied; '
                'is the public key in authorized_keys there, and is the account '
                'unlocked?')),
    Row(STORY, 'granted task=selectsession', 'log'),
    Row(STORY, 'refused task=selectsession', 'log',
        pieces=('no server is left for a new session: ', 'drained',
                'cannot connect to port ')),
    Row(STORY, 'no key for an automatic login', 'log',
        pieces=('no key for an automatic login: ', 'the agent there says: ',
                'the user has no access to the directory')),
    Row(STORY, 'authorized-keys: /etc', 'log',
        pieces=('the same key is in ', 'a key of two users is not accepted')),
    Row(STORY, '# chown x2gobroker:x2gousers', 'commands'),
    Row(BROKER, '# chown x2gobroker:x2gousers', 'commands'),
    Row(STORY, 'ts01: /var/lib/x2gobroker/.ssh:', 'log',
        pieces=('no usable service key: ', 'cannot be looked up: ',
                'see agent-identity-files in x2gobroker.conf(5)')),
    Row(POLL, 'ts01: /usr/lib/x2go/x2gobroker-poll:', 'log',
        pieces=HELPER_MISSING),
    Row(DATABASE, 'session database: /usr/lib/x2go/x2gobroker-sessiondb:', 'log',
        pieces=HELPER_MISSING),
    Row(DATABASE, '[farm]', 'output'),          # libpq's own form
    Row(DATABASE, '# x2gobrokerctl database --grants', 'commands'),
    Row(STORY, '# x2gobrokerctl check', 'commands'),
    Row(STORY, '# x2gobrokerctl list --as alice', 'commands'),
    Row(STORY, "# su -s /bin/sh -c '/usr/lib/x2go/x2gobroker -d", 'commands',
        says='granted task='),
    Row(STORY, '# journalctl', 'syntax'),

    # Setting up, on top of all that; the questions are test_setup.py's.
    Row(CTL, '# x2gobrokerctl setup --shared', 'commands',
        edit={'systemctl reload ssh': 'true'}),
    Row(CTL, '# x2gobrokerctl setup\nHow', 'output'),
    Row(CTL, '# x2gobrokerctl setup --undo', 'commands',
        edit={'setup --undo': 'setup --undo --yes'}),

    # From the Python broker.
    Row(MOVE, '# install -d', 'commands'),
    Row(MOVE, '# x2gobrokerctl check', 'commands'),
    Row(MOVE, 'profiles() {', 'function'),
    Row(MOVE, '# compare alice', 'output'),             # what it was once
    Row(MOVE, 'for user in', 'syntax'),
    Row(MOVE, '# x2gobrokerctl explain lab', 'commands'),
    Row(MOVE, '# x2gobrokerctl poll', 'commands', says='SERVER +MS +LOAD +SESSIONS +STATE'),
    Row(MOVE, 'ssh://alice@', 'urls'),
    Row(MOVE, '# chown x2gobroker:x2gobroker-users', 'commands',
        before='getent group x2gobroker-users || groupadd x2gobroker-users'),
    Row(MOVE, 'Match Group x2gobroker-users', 'sshd',
        before='usermod -aG x2gobroker-users alice',
        says='forcecommand /usr/lib/x2go/x2gobroker\n'),
    Row(MOVE, '# apt-get remove', 'syntax'),
]


# The pages

def plain(line):
    """Text of mdoc(7) without its escapes."""
    for escape, text in (('\\e', '\\'), ('\\(dq', '"'), ('\\(aq', "'"), ('\\(ga', '`'),
                         ('\\&', '')):
        line = line.replace(escape, text)
    return line


def examples(text):
    found, block = [], None
    for line in text.split('\n'):
        if block is not None:
            if line == '.Ed':
                found.append('\n'.join(block))
                block = None
            else:
                block.append(plain(line))
        elif line.startswith('.Bd -literal'):
            block = []
        elif line.startswith('.Dl '):
            found.append(plain(line[4:]))
    return found


def pages(source):
    found = [path for top in ('lib', 'cmd') for path in
             pathlib.Path(source, top).rglob('*.[1-8]')]
    return {path.name: examples(path.read_text()) for path in sorted(found)}


def joined(text):
    """With lines that were broken for the page in one again."""
    return re.sub(r' *\\\n *', ' ', text)


def commands(text):
    """(all command lines, all else) of an example with "# " or "$ " before them."""
    lines, said = [], []
    for line in re.sub(r'\\\n', r'\\ ', text).split('\n'):
        is_command = re.match('[#$] ', line)
        (lines if is_command else said).append(
            (line[2:] if is_command else line).replace('\\ ', ' '))
    return lines, said


def code(source):
    """All C text, as in test_manual.py: broken strings joined, quotes plain."""
    text = ''.join(path.read_text() for top in ('lib', 'cmd') for path in
                   sorted(pathlib.Path(source, top).rglob('*.c')))
    return re.sub(r'"\s*\n\s*"', '', text).replace('\\"', '"')


class Wrong(Exception):
    """What an example did not do."""


class Doer:
    """What can be done with an example: do_NAME(row, text).  Raises Wrong."""

    def __init__(self, copy, source):
        self.copy, self.source, self.code = copy, source, code(source)
        self.config_seen = self.service_key = ''    # by the last example with one
        self.sshd = None

    def shell(self, script, status=GOOD, says='', **more):
        done = self.copy.run(script, **more)
        told = '%s\n%s(status %d)' % (script, done.stdout, done.returncode)
        if done.returncode not in status:
            raise Wrong('status %s is expected of\n%s' % (status, told))
        if not re.search(says, done.stdout, re.S):
            raise Wrong('"%s" is expected of\n%s' % (says, told))
        return done.stdout

    # commands

    def do_commands(self, row, text):
        said = ''
        for line in commands(text)[0]:
            said += self.shell(line, row.status)
        if not re.search(row.says, said, re.S):
            raise Wrong('"%s" is expected of\n%s' % (row.says, said))

    def do_same(self, row, text):
        """And it says what the page says."""
        lines, said = commands(text)
        got = ''.join(self.shell(line, row.status) for line in lines)
        if got.split() != ' '.join(said).split():
            raise Wrong('the page has\n%s\nand it is\n%s' % ('\n'.join(said), got))

    def do_script(self, row, text):
        self.shell('set -e\n' + text, row.status, row.says)

    def do_syntax(self, _row, text):
        """Of programs that cannot be run here."""
        self.shell('bash -n -c %s' % shlex.quote(re.sub('(?m)^[#$] ', '', text)))

    def do_function(self, _row, text):
        """Our half of the comparison; the other broker may not be there."""
        self.copy.write('/usr/local/bin/sudo', '#!/bin/sh\nshift\nuser=$1\nshift\n'
                        'exec setpriv --reuid "$user" --regid "$user" --init-groups '
                        '"$@"\n', 0o755)
        self.shell(text + '\nprofiles alice 192.0.2.17 /usr/lib/x2go/x2gobroker\n'
                   'ln -sf /usr/lib/x2go/x2gobroker /usr/bin/x2gobroker-ssh\n'
                   'compare alice 192.0.2.17 && echo the same',
                   says=r'\[xfce\] host=ts01\n.*\[xfce\] name=XFCE\n.*the same\n$')

    def do_output(self, _row, _text):
        """What some command has printed on somebody's machine."""

    def do_client(self, _row, text):
        known = self.shell('QT_QPA_PLATFORM=offscreen HOME=/tmp timeout 10 '
                           'x2goclient --help', (0, 1, 124))
        for option in re.findall(r'--[a-z-]+', text):
            if option not in known:
                raise Wrong('x2goclient --help does not have ' + option)
        self.do_urls(None, text)
        self.do_syntax(None, text)

    def do_urls(self, _row, text):
        for url in re.findall(r'ssh://\S+', text):
            if not re.fullmatch(r'ssh://[a-z0-9]+@broker\.example\.org:22'
                                r'/usr/(bin/x2gobroker-ssh|lib/x2go/x2gobroker)', url):
                raise Wrong('no such broker: ' + url)

    # files

    def check(self, says):
        """Nothing to complain about."""
        self.shell('x2gobrokerctl check', says=says or 'withheld; 0 errors, 0 warnings')

    @contextlib.contextmanager
    def only(self, name, text):
        """One file of the configuration, and no other."""
        self.shell('rm -rf /etc/x2go/x2gobroker.conf /etc/x2go/broker; '
                   'mkdir -p -m 755 /etc/x2go/broker/profiles.d')
        self.copy.write(name, text)
        yield
        self.shell('rm ' + name)

    def do_config(self, row, text):
        with self.only('/etc/x2go/x2gobroker.conf', text):
            self.copy.write('/etc/x2go/broker/x2gobroker-sessionprofiles.conf', '')
            self.check(row.says)
        self.config_seen = text

    def do_defaults(self, row, text):
        """It belongs to the example that it follows."""
        with self.only('/etc/x2go/x2gobroker.conf', self.config_seen):
            self.copy.write('/etc/x2go/broker/defaults.conf', text)
            self.check(row.says)

    def do_profiles(self, row, text):
        with self.only('/etc/x2go/broker/profiles.d/example.conf', text):
            number = len(re.findall(r'(?m)^\[(?!DEFAULT)', text))
            self.check(row.says or '%d profiles? served, 0 profiles withheld; 0 errors, '
                       '0 warnings' % number)

    def do_fragment(self, row, text):
        host = '' if 'host=' in text else 'host=localhost\n'
        self.do_profiles(row, '[example]\nname=Example\n' + host + text + '\n')

    def do_cron(self, _row, text):
        words = text.split(None, 6)
        self.shell('setpriv --reuid %s --regid %s --clear-groups %s' % (
            words[5], words[5], text.partition(words[5])[2]))

    # sshd

    def restart_sshd(self, more=''):
        if self.sshd:
            lab.end_family(self.sshd)
        self.copy.write('/etc/ssh/example_config', 'Port 22\nHostKey /etc/ssh/example_key\n'
                        'PidFile none\nUsePAM no\nLogLevel VERBOSE\n' +
                        lab.no_penalties() + more)
        self.copy.write('/run/sshd.log', '')
        self.sshd = self.copy.start(lab.SSHD, '-D', '-f', '/etc/ssh/example_config', '-E',
                                    '/run/sshd.log')
        lab.wait_for(lambda: 'Server listening' in self.copy.read('/run/sshd.log'), 10,
                     'sshd to listen')

    def do_sshd(self, row, text):
        self.copy.write('/etc/ssh/example_test', 'HostKey /etc/ssh/example_key\n' + text +
                        '\n')
        self.shell('%s -t -f /etc/ssh/example_test' % lab.SSHD, says='^$')
        user = re.search(r'Match User (\S+)', text)
        self.shell('%s -T -f /etc/ssh/example_test -C user=%s,host=x,addr=192.0.2.17' % (
            lab.SSHD, user[1] if user else 'alice'), says=row.says)
        self.restart_sshd(text + '\n')      # it starts with it, too

    def with_key(self, text):
        """A line of a key, with a real one in place of the dots."""
        if not os.path.exists(self.copy.path('/root/example')):
            self.shell('ssh-keygen -q -t ed25519 -N "" -f /root/example')
        key = self.copy.read('/root/example.pub').split()[1]
        line, n = re.subn(r'(ssh-(?:ed25519|rsa)) +(?:AAAA\S*?)?\.\.\.', r'\1 ' + key,
                          ' '.join(joined(text).split()))
        if n != 1:
            raise Wrong('one key is expected in ' + text)
        return line.replace('ssh-rsa', 'ssh-ed25519')

    def ssh(self, command, key='/root/example'):
        return ('ssh -n -F none -T -i %s -o BatchMode=yes -o StrictHostKeyChecking=no '
                '-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR x2gobroker@127.0.0.1 %s'
                % (key, shlex.quote(command)))

    def authorized(self, line):
        self.shell('install -d -o x2gobroker -m 700 ~x2gobroker/.ssh')
        self.copy.write('/var/lib/x2gobroker/.ssh/authorized_keys',
                        line + '\n' + self.service_key)
        self.restart_sshd()

    def do_agent_key(self, _row, text):
        """It lets the broker ask, and do nothing else, with the service key, too."""
        own = self.copy.read('/var/lib/x2gobroker/.ssh/id_ed25519.pub').split()[1]
        line = self.with_key(text)
        key = re.search(r'AAAA\S+', line)[0]
        self.service_key = line.replace(key, own) + '\n'
        self.authorized(line)
        self.shell(self.ssh('/usr/lib/x2go/x2gobroker-agent - ping'), says='^OK\n$')
        self.shell(self.ssh('id'), NO, says='x2gobroker-agent: ')
        self.shell('x2gobrokerctl poll', says='ts01 .* ok\n')

    def do_ask_agent(self, _row, text):
        self.shell(self.ssh(text.partition('ts1.example.org ')[2]), says='^OK\n$')

    def do_agent_forms(self, _row, text):
        for form in text.split('\n'):
            form = form.replace('USER', 'alice').replace('TASK', 'checkload')
            form = re.sub(r''' ['"]?ARGUMENT['"]?''', '', form).replace(' ...', '')
            self.shell(self.ssh(form), says='^OK\nloadavgXX:')

    def do_broker_key(self, _row, text):
        self.authorized(self.with_key(text))
        self.shell(self.ssh('x2gobroker --task listsessions'),
                   says='^Access granted\n.*END_USER_SESSIONS')
        self.shell(self.ssh('id'), NO, says='^Access denied\n$')

    def do_user_key(self, _row, text):
        line = self.with_key(text)
        self.copy.write('/etc/x2go/broker/keys.d/alice.pub', line + '\n')
        self.check('')

    def do_authorized_keys(self, _row, text):
        lines, said = commands(text)
        key = self.copy.read('/root/anna-laptop.pub').split()[1]
        asked, expected = (re.sub(r'AAAA\S*\.\.\.', key, part) for part in
                           (lines[0], ' '.join(said)))
        got = self.shell(asked)
        if got.split() != expected.split():
            raise Wrong('the page has\n%s\nand it is\n%s' % (expected, got))

    def do_key_options(self, _row, text):
        """sshd understands them: this one has expired, and the same lets somebody in
        with a time that has not come."""
        line = self.with_key(text)
        for year, says, status in (('2025', 'denied', (255,)), ('2095', '^hello\n$', GOOD)):
            self.authorized(re.sub(r'(expiry-time=")\d{4}', r'\g<1>' + year, line))
            self.shell(self.ssh('echo hello'), status, says)

    # texts

    def do_log(self, row, text):
        text = ' '.join(joined(text).split())
        for piece in row.pieces:
            words = ' '.join(piece.split())
            if words not in text.replace('\\"', '"'):
                raise Wrong('not in the example: ' + piece)
            if piece not in self.code:
                raise Wrong('not in the code: ' + piece)
        for key in re.findall(r'(?:^| )([a-z-]+)=', text.partition(' reason=')[0]
                              if ' task=' in text else ''):
            if not re.search(r'"%s"|[" ]%s=' % (key, key), self.code):
                raise Wrong('the log has no %s=' % key)

    def do_picture(self, _row, text):
        """It fits a page, and its numbers are those of the text's steps."""
        steps = re.findall(r'(?m)^\.Ss (\d+)\.', pathlib.Path(
            self.source, 'lib', STORY).read_text())
        if max(map(len, text.split('\n'))) > 73:
            raise Wrong('a line is too long')
        if set(re.findall(r'(?<![:\w])\d\b', text)) != set(steps):
            raise Wrong('there are steps %s' % steps)


def check_rows(tap, found):
    """Each example has one row, and each row one example: the pairs."""
    pairs = []
    for row in EXAMPLES:
        texts = [text for text in found.get(row.page, ())
                 if text.startswith(row.start)]
        # the longest start wins, where one is the start of another
        texts = [text for text in texts if not any(
            other is not row and other.page == row.page and
            len(other.start) > len(row.start) and text.startswith(other.start)
            for other in EXAMPLES)]
        if tap.ok(len(texts) == 1, '%s: one example begins with %r' % (
                row.page, row.start[:40]), '%d do' % len(texts)):
            pairs.append((row, texts[0]))
    for page, texts in found.items():
        rows = {text for row, text in pairs if row.page == page}
        tap.equal([text for text in texts if text not in rows], [],
                  '%s: each of its %d examples has a row' % (page, len(texts)))
    return pairs


HOSTS = '127.0.0.1 localhost broker ts01 ts02 ts03 ts04 ts1.example.org\n'
PEOPLE = {'alice': 'office,x2gousers', 'bob': 'pupils', 'anna': 'pupils',
          'caretaker': 'office', 'mallory': 'interns'}


# what systemd-tmpfiles --create FILE does for the lines that we have
TMPFILES = '''\
#!/bin/sh
while read -r type path mode user group rest; do
    [ "$type" != d ] || install -d -m "$mode" -o "$user" -g "$group" "$path"
done <"/etc/tmpfiles.d/$2"
'''


def furnish(copy, build):
    """The broker as meson installs it, the people, the names of hosts."""
    subprocess.run([shutil.which('meson'), 'install', '--no-rebuild', '--quiet', '-C',
                    build, '--destdir', copy.root], check=True)
    copy.write('/etc/hosts', HOSTS)
    shutil.copy(copy.path('/usr/share/doc/x2gobroker/examples/pam.d/x2gobroker'),
                copy.path('/etc/pam.d/x2gobroker'))
    copy.write('/etc/x2go/broker/keys.d/.empty', '')
    # what is in the way of what the pages make
    copy.run('userdel -r x2gobroker; groupdel x2gobroker; rm -rf /var/lib/x2gobroker '
             '/etc/x2go/broker/keys.d /etc/ssh/sshd_config.d/x2gobroker.conf')
    script = ['ssh-keygen -A', 'ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/example_key',
              'mkdir -p -m 755 /run/sshd /etc/systemd/system /etc/tmpfiles.d '
              '/etc/x2go/broker/keys.d']
    groups = sorted(set(','.join(PEOPLE.values()).split(',')))
    script += ['getent group %s || groupadd %s' % (name, name) for name in groups]
    script += ['userdel -r %s; useradd -m -s /bin/bash -p "*" -G %s %s' % (
        name, PEOPLE[name], name) for name in PEOPLE]
    if not shutil.which('systemd-tmpfiles'):
        copy.write('/usr/local/bin/systemd-tmpfiles', TMPFILES, 0o755)
    done = copy.run(' ; '.join(script))
    if done.returncode != 0:
        raise RuntimeError(done.stdout)


def do(tap, doer, row, text):
    """One example, as a test point."""
    name = '%s: %s' % (row.page, text.strip().split('\n')[0][:60])
    try:
        for old, new in row.edit.items():
            if old not in text:
                raise Wrong('no longer in the example: ' + old)
            text = text.replace(old, new)
        if row.before:
            doer.shell(row.before, EITHER)
        getattr(doer, 'do_' + row.how)(row, text)
    except (Wrong, TimeoutError, subprocess.TimeoutExpired) as wrong:
        tap.ok(False, name, wrong)
    else:
        tap.ok(True, name)


def main():
    copylab.enter()
    with lab.Tap() as tap:
        if not tap.need(unshare='util-linux', meson='meson', sshd='openssh-server',
                        setcap='libcap2-bin', x2goclient='x2goclient',
                        x2golistsessions='x2goserver'):
            return
        source, build = sys.argv[1:]
        pairs = check_rows(tap, pages(source))
        with copylab.Copy() as copy:
            furnish(copy, build)
            doer = Doer(copy, source)
            doer.restart_sshd()
            for row, text in pairs:
                do(tap, doer, row, text)


if __name__ == '__main__':
    main()
