#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion of x2gobrokerctl's command lines: what the program says, and what bash
and zsh make of it; by their functions, and by a person who presses the Tab key.

usage: test_completion.py PATH-TO-X2GOBROKERCTL
       (or X2GOBROKERCTL=PATH)
"""

import contextlib
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import tempfile
import time

import brokerlab
import lab

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / 'contrib/completion'

PROFILES = '''\
[desk]
name = Desk
host = ts01, ts02 (192.0.2.2:2222), ts03:2222

[desk of all, $(id)]
name = A name to be quoted
host = other.example
'''

BASH = '''\
. {script}
COMP_WORDS=({words})
COMP_CWORD={last}
_x2gobrokerctl x2gobrokerctl {current} {before}
printf '%s\\n' "${{COMPREPLY[@]}}"
'''
# What is zsh's own only says that it was called.
ZSH = '''\
fpath=({scripts} $fpath)
autoload -Uz _x2gobrokerctl
compadd() {{ print -r -- "${{@[-1]}}" }}
_files() {{ print -r -- "files"; return 0 }}
_users() {{ print -r -- "users"; return 0 }}
_groups() {{ print -r -- "groups"; return 0 }}
words=({words})
CURRENT={number}
PREFIX={current}
_x2gobrokerctl
'''


class Lab:
    def __init__(self, stack, tap, program):
        self.tap, self.program = tap, program
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-completion.')
        stack.callback(shutil.rmtree, self.dir)
        os.mkdir(self.path('profiles.d'))
        self.conf = self.write('x2gobroker.conf', '''\
[global]
profiles-dir = %s
drain-file = %s
[broker_inifile]
session-profiles = %s
''' % (self.path('profiles.d'), self.path('drained'), self.write('profiles', PROFILES)))
        self.write('drained', 'ts02\n')
        os.symlink(program, self.path('x2gobrokerctl'))
        self.env = {'PATH': self.dir + ':/usr/bin:/bin', 'TERM': 'dumb', 'HOME': self.dir,
                    'LC_ALL': 'C.UTF-8'}

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        pathlib.Path(self.path(name)).write_text(text)
        return self.path(name)

    def run(self, *words):
        return subprocess.run(words, text=True, env=self.env, timeout=30, cwd=self.dir,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

    def complete(self, *words, config=True):
        done = self.run(self.program, 'complete', '--',
                        *(['-C', self.conf] if config else []), *words)
        if done.returncode or done.stderr:
            raise RuntimeError(done)
        return done.stdout.splitlines()

    def bash(self, *words):
        done = self.run('bash', '--norc', '-c', BASH.format(
            script=shlex.quote(str(SCRIPTS / 'x2gobrokerctl')), last=len(words),
            words='x2gobrokerctl ' + shlex.join(words),
            current=shlex.quote('' if words[-1] == '=' else words[-1]),
            before=shlex.quote(['', *words][-2])))
        return done.stdout.split('\n')[:-1] if done.stdout != '\n' else []

    def zsh(self, *words):
        done = self.run('zsh', '-f', '-c', ZSH.format(
            scripts=shlex.quote(str(SCRIPTS)), number=len(words) + 1,
            words='x2gobrokerctl ' + shlex.join(words), current=shlex.quote(words[-1])))
        return done.stdout.splitlines()

    def type(self, command, start, text, until):
        """What a terminal shows after somebody has typed the text."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.execvpe(command[0], command, self.env)
        shown = ''
        try:
            os.write(fd, start.encode())
            shown = self._read(fd, 'READY>', '')
            os.write(fd, text.encode())
            shown = self._read(fd, until, '')
        finally:
            os.close(fd)
            os.waitpid(pid, 0)
        return shown

    @staticmethod
    def _read(fd, until, shown):
        end = time.monotonic() + 20
        while until not in shown and time.monotonic() < end:
            if select.select([fd], [], [], 0.2)[0]:
                shown += os.read(fd, 4096).decode(errors='replace')
        return shown


def synopses(l):
    """{command: (its words, its options)}, by --help."""
    found = {}
    for line in l.run(l.program, '--help').stdout.splitlines():
        row = re.match(r'  ([a-z][a-z-]+)((?: [^-]\S*)*?)((?: \[?--.*)?)$', line)
        if row:
            found[row[1]] = (row[2].split(), set(re.findall(r'--[a-z-]+', row[3])))
    return found


def test_tables(l):
    """All commands, all their options, and no kind of argument that is not known."""
    commands = synopses(l)
    l.tap.ok(len(commands) > 10, 'there are commands', commands)
    l.tap.equal(set(l.complete('')), set(commands), 'all commands, and nothing else')
    l.tap.equal(set(l.complete('help', '')), set(commands), 'the same behind help')
    everywhere = {'--config-file', '--version', '--help'}
    for command, (words, options) in commands.items():
        l.tap.equal(set(l.complete(command, '--')), options | everywhere,
                    command + ': its options')
        said = [line for n in range(len(words) + 1)
                for line in l.complete(command, *['x'] * n, '')]
        tokens = {word.strip('[]') for word in words}
        l.tap.ok(not tokens & {line for line in said if line.upper() == line},
                 command + ': its arguments', words, said)
        for option in options:
            said = l.complete(command, option, '')
            l.tap.ok(not any(re.fullmatch('[A-Z][A-Z,.|-]*', line) for line in said),
                     '%s %s: its value' % (command, option), said)


# words, what comes
ROWS = [
    (['dra'], ['drain']),
    (['nosuch', ''], []),
    (['poll', 'de'], ['desk', 'desk of all, $(id)']),
    (['poll', 'desk', 'desk o'], ['desk of all, $(id)']),
    (['poll', '--user', 'root', 'desk o'], ['desk of all, $(id)']),
    (['poll', '--us'], ['--user']),
    (['--js'], []),
    (['explain', 'desk', '--a'], ['--as']),
    (['explain', 'desk', '--as', ''], [':users']),
    (['explain', 'desk', '--as=r'], [':users']),
    (['explain', 'desk', '--as', '=', 'r'], [':users']),
    (['list', '--groups', ''], [':groups']),
    (['list', '--from', ''], []),
    (['drain', ''], ['ts01', 'ts02', 'ts03', 'other.example']),
    (['drain', 'ts01', 'o'], ['other.example']),
    (['undrain', ''], ['ts02']),
    (['known-hosts', ''], ['add']),
    (['known-hosts', 'add', 'ts0'], ['ts01', 'ts02', 'ts03']),
    (['authorize', ''], [':users']),
    (['authorize', 'root', ''], [':files']),
    (['suspend', 'root', ''], []),
    (['sessions', 'root', 'd'], ['desk', 'desk of all, $(id)']),
    (['sessions', '--all', '--state', ''], ['running', 'suspended']),
    (['terminate', '--all', '--server', 'o'], ['other.example']),
    (['doctor', '--sshd-config', ''], [':files']),
    (['-C', ''], [':files']),
    (['--config-file', ''], [':files']),
    (['help', 'pol'], ['poll']),
    (['help', 'poll', '--h'], ['--help']),
]


def test_words(l):
    for words, expected in ROWS:
        l.tap.equal(l.complete(*words), expected, 'complete %s' % shlex.join(words))
    l.tap.equal(l.complete('-C', l.path('none'), 'poll', '', config=False), [],
                'a configuration that is not there: nothing, and no word about it')
    l.write('broken.conf', '[global\n')
    l.tap.equal(l.complete('--config-file=' + l.path('broken.conf'), 'drain', '',
                           config=False), [], 'nor about one that is broken')


def check_shell(l, run, name, quote, files, users):
    conf = ['-C', l.conf]
    rows = [
        (['dra'], ['drain']),
        ([*conf, 'poll', 'desk\\ '], [quote('desk of all, $(id)')]),
        ([*conf, 'drain', ''], ['ts01', 'ts02', 'ts03', 'other.example']),
        ([*conf, 'undrain', 't'], ['ts02']),
        (['list', '--as', 'roo'], users),
        (['authorize', 'root', l.path('drai')], files),
        (['nosuch', ''], []),
        (['poll', '$(touch pwned)', '--us'], ['--user']),
        (['poll', '`touch pwned`'], []),
    ]
    for words, expected in rows:
        l.tap.equal(run(*words), expected, '%s: %s' % (name, ' '.join(words)))
    l.tap.ok(not os.path.exists(l.path('pwned')), name + ': nothing of a line is run')


def test_bash(l):
    check_shell(l, l.bash, 'bash', lambda text: re.sub(r'([ ,$()])', r'\\\1', text),
                [l.path('drained')], ['root'])
    l.tap.equal(l.bash('-C', l.conf, 'poll', '"desk o'), ['desk of all, $(id)'],
                'bash: in quotes that were opened already')
    l.tap.equal(l.bash('list', '--as', '=', 'roo'), ['root'], 'bash: --as=roo')


def test_zsh(l):
    check_shell(l, l.zsh, 'zsh', str, ['files'], ['users'])


def test_tab(l):
    """By hand."""
    bash = ['bash', '--norc', '--noprofile', '-i']
    start = "bind 'set bell-style none'; . %s; PS1='READY''>'\n" % (
        SCRIPTS / 'x2gobrokerctl')
    shown = l.type(bash, start, 'x2gobrokerctl -C %s undr\t\t' % l.conf, 'undrain ts02')
    l.tap.ok('undrain ts02' in shown, 'bash: Tab', shown)
    zsh = ['zsh', '-f', '-i']
    start = ("fpath=(%s $fpath); autoload -Uz compinit; compinit -u -d %s; "
             "PROMPT='READY''>'\n" % (SCRIPTS, l.path('zcompdump')))
    shown = l.type(zsh, start, 'x2gobrokerctl -C %s undr\t\t' % l.conf, 'ts02')
    l.tap.ok('ts02' in shown, 'zsh: Tab', shown)
    shown = l.type(zsh, start, 'x2gobrokerctl -C %s drain ts0\t\t' % l.conf, 'ts03')
    l.tap.ok('ts01' in shown and 'ts03' in shown, 'zsh: Tab shows all that could come',
             shown)


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(bash='bash', zsh='zsh'):
            return
        found = brokerlab.programs(tap, 'X2GOBROKERCTL')
        if not found:
            return
        l = Lab(stack, tap, found[0])
        for test in (test_tables, test_words, test_bash, test_zsh, test_tab):
            with tap.case(test.__name__ + ': no step failed'):
                test(l)


if __name__ == '__main__':
    main()
