#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What no X2Go client sends: refused at once and in the one way, whatever it is;
nothing is run, nothing is echoed, and the log stays readable.

usage: test_hostile.py PATH-TO-X2GOBROKER [PATH-TO-ONE-WITH-SANITIZERS]
       (or X2GOBROKER=PATH X2GOBROKER_ASAN=PATH)

What all lines have in common is in class Trap; the rest is lines.
"""

import ast
import collections
import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import random
import re
import subprocess
import sys
import unicodedata

import brokerlab
import lab
from brokerlab import (DENIED, ENVELOPES, GRANTED, LIST, LOGIN_CHECK, MODERN, UUID,
                       framed, to_bytes, wrap)


SECONDS = 10                    # within which a line must be answered

# The kernel hands no longer string to a program, with its end and the name.
LONGEST = 131072 - len('SSH_ORIGINAL_COMMAND=') - 1

PROFILES = '''\
[desk]
name = Desk
host = desk.example

[hidden]
name = Hidden
host = hidden.example
acl-users-allow = root

[broken]
name = Broken
host = broken.example
print = perhaps
'''

# A sanitizer's finding must not look like a refusal, which is exit status 1.  The
# broker leaves its memory to the kernel when it ends.
SANITIZERS = {'ASAN_OPTIONS': 'abort_on_error=1:detect_leaks=0',
              'UBSAN_OPTIONS': 'halt_on_error=1:abort_on_error=1:print_stacktrace=1'}

BARE, FRAMED = frozenset({DENIED}), frozenset({framed(DENIED)})
EITHER = BARE | FRAMED

# A line, and what the answer to it may be.  CANARY in it stands for a file that must
# not come to be, USER for the user whom the key is pinned to.
Row = collections.namedtuple('Row', 'line answers')


def refused(line, answers=BARE):
    return Row(to_bytes(line), answers)


# Lines

def written():
    """Those that somebody thought of.  None of them can hold a NUL: it would end
    the variable, as it ends the line in sshd; so what is before it is sent."""
    file = pathlib.Path(__file__).with_name('hostile.txt')
    for text in file.read_text().split('\n'):
        if text and not text.startswith('#'):
            text = text.replace('UUID', UUID).replace("'", "\\'")
            line = ast.literal_eval("b'%s'" % text)
            yield refused(line.partition(b'\0')[0], EITHER)


METAS = ['; touch CANARY', ' && touch CANARY', '| touch CANARY', '& touch CANARY &',
         '$(touch CANARY)', '`touch CANARY`', '>CANARY', ' >> CANARY', ' < /etc/passwd',
         '\ntouch CANARY\n', '\rtouch CANARY\r', "'; touch CANARY; '",
         '"; touch CANARY; "', "' ", '" ', "''", '\t', '\v', '${IFS}touch',
         '(touch CANARY)', '<(touch CANARY)', "$'\\n'", '\x7f', '\x1b[A']

SLOTS = ['{}x2gobroker --task', 'x2gobroker --user{} u --task listsessions',
         'x2gobroker --user u{} --task listsessions', 'x2gobroker --user u {} --task',
         'x2gobroker --user {} --task listsessions', 'x2gobroker --user u --task{}',
         'x2gobroker --user u --task {}listsessions',
         'x2gobroker --user u --task list{}',
         'x2gobroker --user u --task listsessions{}x',
         'x2gobroker --user u --task listsessions {}x',
         'x2gobroker --task selectsession --sid{} "desk"',
         'x2gobroker --task selectsession --sid "{}desk"',
         'x2gobroker --task selectsession --sid "desk{}"',
         'x2gobroker --task selectsession --sid "desk"{}x',
         'x2gobroker --task selectsession --sid desk{}x',
         'x2gobroker --task selectsession --sid "desk" --login "USER{}"',
         'x2gobroker --task selectsession --login USER{} --sid "desk"',
         'x2gobroker --event {} --task selectsession --sid "hidden"', 'whoami{}',
         '{}whoami', 'echo "LOGIN OK{}"', 'echo "LOGIN OK"{}x', '{}echo "LOGIN OK"']
# In the path, where a shell would act on it.  Other characters there mean nothing.
PATH_SLOTS = ['{}x2gobroker --task listsessions', 'x2gobroker{} --task listsessions',
              'x2gobroker {} --task listsessions']
PATH_METAS = [meta for meta in METAS if re.search(r'''[;&|$`<>()'"\n\r\t]''', meta)]


def metacharacters():
    """In every place of a line, which comes as it is and in one of the envelopes."""
    envelopes = itertools.cycle(ENVELOPES)
    for slots, metas in (SLOTS, METAS), (PATH_SLOTS, PATH_METAS):
        for slot, meta in itertools.product(slots, metas):
            line = slot.replace('{}', meta)
            yield refused(line)
            yield refused(wrap(line, next(envelopes)), FRAMED)


def parts(envelope):
    """Head and tail, each before and behind its uuid."""
    head, tail = ENVELOPES[envelope]
    return *head.split('@'), *tail.split('@')


# Uuids that are none.
UUIDS = [UUID.upper(), UUID[:-1], UUID + '0', '', UUID.replace('-', ''), '{%s}' % UUID,
         UUID.replace('-', '_'), UUID.replace('a', 'g'), UUID.replace('a', 'A', 1),
         ' ' + UUID, UUID + '\n', UUID[:8] + '\n' + UUID[9:],
         UUID.replace('0', '\u0660'), '%s' * 18, '$(touch CANARY)', 'Access granted',
         '../' * 12, UUID[:18] + '-' + UUID[18:-1]]


def uuids():
    """Envelopes with something for a uuid that is none."""
    for envelope, uuid in itertools.product(ENVELOPES, UUIDS):
        yield refused(wrap(LIST, envelope, uuid))
        head, behind, before, tail = parts(envelope)
        if tail or uuid != UUID + '\n':         # a last line end means nothing
            yield refused(head + UUID + behind + LIST + before + uuid + tail)
        yield refused(head + uuid + behind + LIST + before + UUID + tail)


def halves():
    """Every piece of an envelope that lacks something at its end or start."""
    for envelope in MODERN, 'x2goclient 4.1, Kerberos', 'python-x2go':
        line = wrap(LIST, envelope)
        yield from (refused(line[:n]) for n in range(1, len(line)))
        yield from (refused(line[n:]) for n in range(1, len(line)))


def envelopes():
    """Envelopes with something in them, around them, or in place of a part."""
    for envelope in ENVELOPES:
        line = wrap(LIST, envelope)
        head, tail = (to_bytes(part.replace('@', UUID)) for part in ENVELOPES[envelope])
        for inner in ENVELOPES:
            yield refused(wrap(line, inner), FRAMED)
            other = to_bytes(ENVELOPES[inner][1].replace('@', UUID))
            # Some have the same tail.
            if other.strip(b';"') not in tail and tail.strip(b';"') not in other:
                yield refused(head + to_bytes(LIST) + other)
        yield refused(line + b' ' + line, FRAMED)
        for more in b'; touch CANARY', b'\ntouch CANARY', b"'", b'"', b' x', b'|sh':
            yield refused(line + more)
        for more in b'touch CANARY; ', b'\n', b' x', b'TERM=x ', b'env ', b'exec ':
            yield refused(more + line)
        for inside in b'\n', b'\r', b'; touch CANARY; ', b'"', b"'", b'\x1b':
            yield refused(head + inside + b'--task' + tail, FRAMED)
            yield refused(head + to_bytes(LIST) + inside + b'x' + tail, FRAMED)
        yield refused(head + tail, FRAMED)
        for old, new in ((b'X2GODATA', b'x2godata'), (b'echo', b'echo -e'),
                         (b' -c', b' -x -c'), (b'; ', b';\n'), (b' ', b'\t')):
            yield refused(line.replace(old, new))


OPTIONS = ['user', 'login', 'sid', 'profile-id', 'authid', 'auth-cookie', 'next-authid',
           'event', 'server', 'client', 'cmd', 'display', 'start', 'elapsed', 'version',
           'os']
SAME = [['sid', 'profile-id'], ['authid', 'auth-cookie', 'next-authid']]


def options():
    """Said twice, or with a value that ends it too early."""
    pairs = [(name, name) for name in OPTIONS]
    pairs += [pair for names in SAME for pair in itertools.permutations(names, 2)]
    for first, second in pairs:
        for one, two in ('a', 'a'), ('a', 'b'), ('', ''), ('"a"', '"b"'):
            yield refused('x2gobroker --task listsessions --%s %s --%s %s' %
                          (first, one, second, two))
    for name in OPTIONS:
        for value in 'a b', 'a"', '"a', '"a" b', '"a"b', "'a'", 'a;b', 'a"b"', '$(id)':
            yield refused('x2gobroker --task listsessions --%s %s' % (name, value))
        yield refused(wrap('x2gobroker --%s a\n--task listsessions' % name), FRAMED)


def control_characters():
    """One in every kind of value; in those that are logged, other bytes as well."""
    for byte in (bytes([n]) for n in (*range(1, 32), 127)):
        for name in OPTIONS:
            yield refused(b'x2gobroker --task listsessions --%b "a%bb"' %
                          (name.encode(), byte))
        yield refused(b'x2gobroker --task list%bsessions' % byte)
    for byte in (bytes([n]) for n in range(128, 256)):
        yield refused(b'x2gobroker --task selectsession --sid "a%bb"' % byte)
        yield refused(b'x2gobroker --task list%bsessions' % byte)


def long_lines():
    most = LONGEST
    for unit in ('x', ' ', '-', '--', '"', "'", '\n', '\\', '$(', ' --', ' --a', '" ',
                 '" -', '\xff', '%n', 'sh -c "echo X2GODATABEGIN:'):
        text = unit.encode('latin-1')
        yield refused((text * most)[:most])
        for command in (b'x2gobroker --task ',
                        b'x2gobroker --task selectsession --sid "',
                        b'x2gobroker --task selectsession --sid "desk" --login "',
                        b'x2gobroker --task dance --user "'):
            line = command + text * most
            # Without the cut-off '"' it is refused even if nothing else is wrong.
            yield refused(line[:most - 1].rstrip(b'"') + b'x')
        head, tail = wrap('@').split(b'@')
        inner = (text * most)[:most - len(head + tail) - 1] + b'x'
        yield refused(head + inner + tail, FRAMED)
    sid = b'x2gobroker --task selectsession --sid "%b"'
    yield refused(sid % (b'a' * (most - len(sid) + 2)))
    yield refused(sid % (b'" ' * 60000))
    yield refused(sid % (b'" -' * 40000))


# Good lines, to be spoilt.
GOOD = [LIST, 'x2gobroker --task selectsession --sid "desk"', LOGIN_CHECK,
        'x2gobroker --user USER --task clientevent --sid "s" --event ALIVE --elapsed 3',
        wrap(LIST), wrap('whoami', 'x2goclient 4.1, Kerberos'),
        wrap(LIST, 'python-x2go'),
        wrap('x2gobroker --task selectsession --sid "desk" --login "USER"',
             'old client')]


def mutations(trap):
    """Good lines with some bytes changed: still good, some of them, and then there
    is only one answer to each.  Always the same lines, as the seed is."""
    bodies = {DENIED, GRANTED, trap.listing, GRANTED + b'SERVER:desk.example:22\n',
              trap.account.name.encode() + b'\n'}
    answers = frozenset(bodies | {b'LOGIN OK\n'} | {framed(body) for body in bodies})
    dice = random.Random(1)
    for _ in range(600):
        line = bytearray(to_bytes(dice.choice(GOOD)))
        for _ in range(dice.choice((1, 1, 2, 5))):
            at = dice.randrange(len(line) + 1)
            more = (b'', b'"', b"'", b' ', b'--', b';', b'\n',
                    bytes([dice.randrange(1, 256)]), line[:dice.randrange(20)])
            line[at:at + dice.choice((0, 1, 1, 4))] = dice.choice(more)
        yield Row(bytes(line), answers)


GROUPS = [written, metacharacters, uuids, halves, envelopes, options,
          control_characters, long_lines]


# What is asked of all of them

class Trap:
    """A site with one user, and a canary: a file that any of the lines would leave
    behind if something ran it."""

    def __init__(self, site, user):
        self.site, self.user, self.account = site, user, site.account
        site.write('profiles.conf', PROFILES)
        self.cage = site.path('canary')
        os.mkdir(self.cage)
        os.chmod(self.cage, 0o777)
        self.pin = ['--user', user.name]
        self.listing = site.forced(LIST, *self.pin).stdout

    def rows(self, group):
        for line, answers in group:
            line = line.replace(b'CANARY', self.cage.encode() + b'/x')
            yield Row(line.replace(b'USER', self.user.name.encode()), answers)

    def escaped(self):
        """What somebody has left behind; it is cleaned up, too."""
        found = [entry.path for entry in os.scandir(self.cage)]
        for path in found:
            os.unlink(path)
        return found

    def spring(self, row):
        """What is wrong with the answer to a line, as sshd hands it over.  A busy
        machine is slow now and then, a bad line is each time."""
        for _ in range(4):
            answer = self.site.forced(row.line, '--debug', *self.pin)
            if answer.seconds < SECONDS or answer.status is None:
                break
        return wrong_answer(row, answer) + wrong_log(answer.stderr, row)


def wrong_answer(row, answer):
    """The exit status of what a signal has ended is negative."""
    wrong = []
    if answer.stdout not in row.answers:
        wrong.append('stdout is %.300r' % answer.stdout)
    if answer.status not in (0, 1) or (answer.status == 0) == (DENIED in answer.stdout):
        wrong.append('exit status %s' % answer.status)
    if answer.seconds > SECONDS:
        wrong.append('it took %.1f s' % answer.seconds)
    return wrong


def wrong_log(log, row=None):
    """What is wrong with lines of the log; row says what they have to tell."""
    wrong = []
    for line in log.removesuffix(b'\n').split(b'\n') if log else []:
        text = line.decode(errors='surrogateescape')
        if not re.match(r'([-+:T\d]+ )?x2gobroker\[\d+\]: ', text):
            wrong.append('no line of the log: %.300r' % line)
        elif any(is_deceptive(c) for c in text):
            wrong.append('raw in the log: %.300r' % line)
        elif len(text) > 4200:
            wrong.append('a line of %d characters in the log' % len(text))
    if row and row.answers <= EITHER and log.count(b']: refused ') != 1:
        wrong.append('the log does not say that it was refused: %.300r' % log)
    return wrong


def is_deceptive(char):
    """Controls, what is no UTF-8, line separators, and what turns the direction of
    writing: with them a line looks like another, or like two."""
    return (unicodedata.category(char) in ('Cc', 'Cs', 'Zl', 'Zp') or
            unicodedata.bidirectional(char) in
            ('LRE', 'RLE', 'LRO', 'RLO', 'PDF', 'LRI', 'RLI', 'FSI', 'PDI'))


SHOWN = 12                      # of the lines that failed
MANY = 300                      # lines in a group, from which on a part will do
ASAN_STEP, SSHD_STEP = 12, 14   # for the slower ways


def tell(tap, name, rows, verdicts, escaped):
    """One line of the test for a group of lines."""
    bad = [(row.line, wrong) for row, wrong in zip(rows, verdicts) if wrong]
    notes = ['%.200r (%d bytes): %s' % (line, len(line), '; '.join(wrong))
             for line, wrong in bad[:SHOWN]]
    if escaped:
        notes.append('something was run: %s' % escaped)
    tap.ok(not bad and not escaped, '%s: %d lines' % (name, len(rows)),
           '%d lines fail' % len(bad), *notes)


def test_directly(tap, trap, name, step):
    """All lines, or of those that come by the hundred each so many."""
    groups = [(group, group()) for group in GROUPS] + [(mutations, mutations(trap))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for group, lines in groups:
            rows = list(dict.fromkeys(trap.rows(lines)))
            rows = rows[::step if len(rows) > MANY else 1]
            verdicts = list(pool.map(trap.spring, rows))
            tell(tap, '%s, %s' % (name, group.__name__.replace('_', ' ')), rows,
                 verdicts, trap.escaped())


def test_trap(tap, trap):
    """The trap works: a shell does leave something behind, and what is good is
    granted."""
    command, = trap.rows([refused('x2gobroker; touch CANARY')])
    subprocess.run(['sh', '-c', command.line], stderr=subprocess.DEVNULL,
                   user=trap.account.uid, group=trap.account.gid)
    tap.equal(len(trap.escaped()), 1, 'a shell would be found out')
    for good in trap.rows(refused(line) for line in GOOD):
        answer = trap.site.forced(good.line, *trap.pin)
        tap.ok(answer.status == 0 and DENIED not in answer.stdout,
               'good: %.60r' % good.line, answer)


# By hand, the words of the command line are as hostile; VALUE is each of these.
VALUES = [b'a\nb', b'\x1b[2J', '\u2028'.encode(), '\u202e'.encode(), b'\xff', b'%n%s',
          b' ', b'"', b'x' * 100000]
ARGUMENTS = [['VALUE'], ['VALUE', '--task'], ['--task', 'VALUE'], ['--task=VALUE'],
             ['--task', 'selectsession', '--sid', 'VALUE'],
             ['--task', 'selectsession', '--sid', 'desk', '--login', 'VALUE']]


def test_argv(tap, trap, name):
    rows = [[to_bytes(word).replace(b'VALUE', value) for word in words]
            for words in ARGUMENTS for value in VALUES]
    answers = [trap.site.plain('--debug', *trap.pin, *words) for words in rows]
    rows = [refused(b' '.join(words)) for words in rows]
    verdicts = [wrong_answer(row, answer) + wrong_log(answer.stderr, row)
                for row, answer in zip(rows, answers)]
    tell(tap, name + ', as arguments', rows, verdicts, trap.escaped())


def test_address(tap, trap, name):
    """Somebody who starts it by hand also chooses the client's address."""
    for address in ('', 'x', '1.2.3.4.5', '::1%x\x1b[2J', 'granted task=x\nuser=root',
                    '%n', 'x' * 100000, '\u202e', '127.0.0.1\x1b', '::ffff:127.0.0.1'):
        env = {'SSH_CONNECTION': address, 'SSH_ORIGINAL_COMMAND': LIST}
        answer = trap.site.start(trap.site.command('--debug', *trap.pin), trap.account,
                                 env)
        wrong = wrong_answer(refused(LIST, BARE | {trap.listing}), answer)
        tap.equal(wrong + wrong_log(answer.stderr), [],
                  '%s, the address %.30a' % (name, address))


# Through a real sshd

def sample(trap):
    for group in GROUPS:
        # ssh takes an empty command for none, and its own arguments have a limit.
        yield from (row for row in itertools.islice(
            trap.rows(group()), 0, None, 1 if group is written else SSHD_STEP)
            if 0 < len(row.line) < LONGEST)


def test_sshd(tap, trap, account):
    with lab.Sshd('Subsystem sftp internal-sftp') as sshd:
        key = brokerlab.give_key(sshd, account, 'key', trap.site.command(*trap.pin))
        home = sorted(os.listdir(account.home))
        trap.site.log()
        with brokerlab.Connection(sshd, account, key) as client:
            client.ask(LOGIN_CHECK)             # it takes longer to connect
            rows, verdicts = list(sample(trap)), []
            for row in rows:
                answer = client.ask(row.line)
                verdicts.append(wrong_answer(row, answer) + (
                    ['stderr is %.300r' % answer.stderr] if answer.stderr else []))
            tell(tap, 'through sshd', rows, verdicts, trap.escaped())
            log = trap.site.log()
            tap.equal(wrong_log(log), [], 'through sshd: the log file')
            tap.ok(log, 'through sshd: there is a log')
            tap.equal(sorted(os.listdir(account.home)), home,
                      "through sshd: nothing new in the account's home directory")
        answer = sshd.ssh(account.name, key, 'sftp', options=['SessionType=subsystem'])
        tap.equal(answer.stdout, DENIED, 'the subsystem sftp, which sshd knows')


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**brokerlab.PACKAGES):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKER_ASAN')
        if not found:
            return
        shared, user = (stack.enter_context(lab.Account(shell='/bin/sh'))
                        for _ in range(2))
        for program, name, step in zip(found, ('directly', 'with sanitizers'),
                                       (1, ASAN_STEP)):
            site = stack.enter_context(brokerlab.Site(program, shared))
            site.env, site.cwd = SANITIZERS, site.path('canary')
            trap = Trap(site, user)
            test_trap(tap, trap)
            test_directly(tap, trap, name, step)
            test_argv(tap, trap, name)
            test_address(tap, trap, name)
            if program == found[0]:
                test_sshd(tap, trap, shared)


if __name__ == '__main__':
    sys.exit(main())
