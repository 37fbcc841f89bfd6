"""Our broker's answer, read as X2Go Client reads it.

The client writes the text between START_USER_SESSIONS and END_USER_SESSIONS
into a file and opens that with Qt's QSettings. The same Qt reads it here.
"""

import itertools
import os
import subprocess

from PyQt5.QtCore import QSettings


TIMEOUT_S = 30
START, END = b'START_USER_SESSIONS', b'END_USER_SESSIONS'


class BadAnswer(Exception):
    """The client could not use this answer."""


class Refused(BadAnswer):
    """The answer grants nothing."""


def ask(binary, config_file, user, address):
    """Ask for a listing as sshd's forced command would; the bare answer."""
    environment = {
        'PATH': '/usr/bin:/bin',
        'SSH_CLIENT': '%s 40000 22' % address,
        'SSH_CONNECTION': '%s 40000 127.0.0.1 22' % address,
    }
    done = subprocess.run(
        [binary, '-C', config_file, '--user', user, '--task', 'listsessions'],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=TIMEOUT_S)
    if not done.stdout.startswith(b'Access granted\n'):
        raise Refused('exit %d, stdout %r, stderr %r' % (
            done.returncode, done.stdout[:300], done.stderr[:300]))
    return done.stdout


def session_block(answer):
    """The INI text in an answer; empty where it has none."""
    if answer == b'Access granted\n':
        return b''
    head, start, rest = answer.partition(START)
    block, end, tail = rest.partition(END)
    if head != b'Access granted\n' or not start or not end:
        raise BadAnswer('no session block in %r' % answer[:300])
    for word in START, END, b'AUTHID:', b'<br>', b'Access granted':
        if word in block or word in tail:
            raise BadAnswer('%r where the client would take it for its own' %
                            word)
    return block


def raw_values(block):
    """{profile id: {key: text}} as it stands there, nothing decoded."""
    profiles, current = {}, None
    for line in block.decode('utf-8').split('\n'):
        if line.startswith('['):
            current = profiles.setdefault(line[1:].partition(']')[0], {})
        elif line:
            key, equals, value = line.partition('=')
            if current is None or not equals or key in current:
                raise BadAnswer('unexpected line %r' % line[:200])
            current[key] = value
    return profiles


def from_latin1(text):
    """Qt shows the bytes of an id or a key as Latin-1; undo that."""
    return text.encode('latin-1').decode('utf-8')


class QtReader:
    def __init__(self, directory):
        # Qt keeps what it read from a path, so each block gets its own.
        self.paths = (os.path.join(directory, 'block%d.ini' % i)
                      for i in itertools.count())

    def read(self, block, codec=None):
        """{profile id: {key: str, or list where Qt sees a list}}"""
        path = next(self.paths)
        with open(path, 'wb') as out:
            out.write(block)
        try:
            return self.read_file(path, codec)
        finally:
            os.unlink(path)

    def read_value(self, text):
        """What Qt makes of one value, which may be UTF-8."""
        block = '[x]\nkey=%s\n' % text
        return self.read(block.encode(), 'UTF-8')['x']['key']

    @staticmethod
    def read_file(path, codec):
        settings = QSettings(path, QSettings.IniFormat)
        if codec:
            settings.setIniCodec(codec)
        profiles = {}
        for name in settings.allKeys():
            profile_id, _, key = name.partition('/')
            profile = profiles.setdefault(from_latin1(profile_id), {})
            profile[from_latin1(key)] = settings.value(name)
        if settings.status() != QSettings.NoError:
            raise BadAnswer('Qt finds the block malformed')
        return profiles
