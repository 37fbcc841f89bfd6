# SPDX-License-Identifier: GPL-2.0-or-later
"""Automatic logins on loopback: an X2Go server's sshd and the proxy's, which read
keys where a real one does, the real agent behind them, and a broker that asks it.

    with contextlib.ExitStack() as stack:
        world = autologinlab.World(stack, broker, agent)
        world.profiles(world.profile('desk'))
        given = world.select('desk')        # given.key: the private key, or None
        world.login(given.key, world.user)  # a CompletedProcess
"""

import collections
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import farmlab
import lab
from brokerlab import GRANTED, SELECT

PACKAGES = {**farmlab.PACKAGES, 'setcap': 'libcap2-bin', 'strace': 'strace',
            'x2golistsessions': 'x2goserver'}
DEBIAN = '/usr/lib/x2go/x2gobroker-agent'
STORE = '/run/x2gobroker-agent'
SNIPPET = '/etc/ssh/sshd_config.d/00-x2gobroker-test.conf'
FILE = '.x2go/authorized_keys'
PROXY_FILE = '.x2go/authorized_keys.proxy'

PEM = (r'-----BEGIN(?P<type>[A-Z ]*)-----\n(?:[A-Za-z0-9+/=]+\n)+'
       r'-----END(?P=type)-----\n')
ANSWER = (GRANTED.decode() + '(?P<key>' + PEM + ')?'
          r'SERVER:(?P<server>[^\n]*)\n(?:SESSION_INFO:.*)?')

Given = collections.namedtuple('Given', 'key server raw')


class Server(lab.Sshd):
    """An sshd that looks for keys in home directories and in the store, and looks at
    their modes."""

    def __init__(self, *files):
        super().__init__()
        self.files = ' '.join([*files, STORE + '/keys/%u'])

    def _config(self):
        lines = super()._config()
        for keyword, value in (('AuthorizedKeysFile', self.files),
                               ('StrictModes', 'yes')):
            lines = re.sub('(?m)^%s .*' % keyword, '%s %s' % (keyword, value), lines)
        return lines


@contextlib.contextmanager
def store():
    """An empty store, which the sshd of this host reads, as its agent is told.  One that
    the host has already is back afterwards."""
    aside = STORE + '.aside-for-a-test'
    if os.path.exists(STORE):
        os.rename(STORE, aside)
    os.makedirs('/run/sshd', exist_ok=True)
    let_sshd_read_it(True)
    try:
        yield
    finally:
        let_sshd_read_it(False)
        shutil.rmtree(STORE, ignore_errors=True)
        if os.path.exists(aside):
            os.rename(aside, STORE)


def let_sshd_read_it(yes):
    pathlib.Path(SNIPPET).unlink(missing_ok=True)
    if yes:
        pathlib.Path(SNIPPET).write_text(
            'AuthorizedKeysFile .ssh/authorized_keys %s/keys/%%u\n' % STORE)


def stored():
    """{user: lines} of what is in the store."""
    return {path.name: path.read_text().splitlines()
            for path in pathlib.Path(STORE, 'keys').glob('*')}


def install_agent(program, path, group):
    """As its manual says."""
    shutil.copyfile(program, path)
    os.chown(path, 0, group)
    os.chmod(path, 0o750)
    subprocess.run(['setcap', 'cap_setuid,cap_setgid=ep', path], check=True)
    return path


def put_script(path, *lines):
    pathlib.Path(path).write_text('\n'.join(['#!/bin/sh', *lines, '']))
    os.chmod(path, 0o755)
    return path


class World:
    """What all tests share.  user and other are people; the agents of the server and
    of the proxy are one program of one account, as they are one host here."""

    file = None             # default-authorized-keys: None is the store

    def __init__(self, stack, broker, agent, person=lab.Account):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-autologin.')
        stack.callback(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)
        self.stack = stack
        self.agent, self.broker = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(2))
        self.user, self.other = (stack.enter_context(person()) for _ in range(2))
        stack.enter_context(store())
        self.program = install_agent(agent, self.path('x2gobroker-agent'),
                                     self.agent.gid)
        self.site = stack.enter_context(
            farmlab.Site(broker, self.broker, self.agent.name))
        self.server = stack.enter_context(Server('.ssh/authorized_keys', FILE))
        self.proxy = stack.enter_context(Server('.ssh/authorized_keys', PROXY_FILE))
        self._service_key()
        self.serve(self.program)
        self.reset()

    def path(self, name):
        return os.path.join(self.dir, name)

    def _service_key(self):
        self.service_key = lab.keypair(self.dir, name='service')
        self.broker.put('.ssh/id_ed25519', pathlib.Path(self.service_key).read_text())
        self.broker.put('.ssh/known_hosts', ''.join(
            pathlib.Path(sshd.known_hosts).read_text()
            for sshd in (self.server, self.proxy)))

    def serve(self, program, agent=None, files=('%h/' + FILE, '%h/' + PROXY_FILE)):
        """The program is what the service key leads to, and those are the files that
        the operator lets it change."""
        pubkey = pathlib.Path(self.service_key + '.pub').read_text()
        command = ' '.join([program, *('--key-file=' + file for file in files)])
        (agent or self.agent).put('.ssh/authorized_keys', 'restrict,command="%s" %s'
                                  % (command, pubkey))

    def reset(self):
        """Nothing was given to anybody yet."""
        self.site.fresh_state()
        self.site.configure(default_session_autologin='true', agent_timeout=20,
                            request_timeout=40, autologin_key_lifetime=60,
                            autologin_key_type=None,
                            default_authorized_keys=self.file,
                            default_sshproxy_authorized_keys=self.file)
        self.profiles(self.profile('desk'))
        self.site.log()
        for account in (self.user, self.other):
            shutil.rmtree(os.path.join(account.home, '.x2go'), ignore_errors=True)
            pathlib.Path(account.home, '.ssh/authorized_keys').unlink(missing_ok=True)
        shutil.rmtree(STORE + '/keys', ignore_errors=True)

    # Profiles

    def profile(self, id, **keys):
        """Lines of a profile; _ stands for a dash, and None takes a key away."""
        rows = {'name': id, 'command': 'XFCE', 'user': 'BROKER_USER',
                'host': 'ts01 (127.0.0.1:%d)' % self.server.port}
        rows.update((key.replace('_', '-'), value) for key, value in keys.items())
        return '[%s]\n%s\n' % (id, ''.join('%s = %s\n' % row for row in rows.items()
                                           if row[1] is not None))

    def profiles(self, *texts):
        self.site.write('profiles.conf', ''.join(texts))

    def keys(self, user):
        """The lines that were added for a user, or None."""
        return stored().get(user.name) if self.file is None else keys_of(user)

    # What people do

    def ask(self, line, user=None):
        """A command line as it comes from the client."""
        return given_by(self.site.forced(line, '--user', (user or self.user).name))

    def select(self, id='desk', user=None):
        return self.ask(SELECT % id, user)

    def login(self, key, user, command='id -un', sshd=None, source='127.0.0.1', **more):
        with tempfile.NamedTemporaryFile('w', dir=self.dir) as file:
            file.write(key)
            file.flush()
            return (sshd or self.server).ssh(user.name, file.name, command,
                                             options=['BindAddress=' + source], **more)

    def gets_in(self, key, user, **more):
        """Logged in, and as that user."""
        return self.login(key, user, **more).stdout == user.name.encode() + b'\n'

    def log(self):
        return self.site.log().decode(errors='backslashreplace')

    def tell(self):
        return '\n'.join(['the broker: ' + self.site.log_text(), 'the server: ' +
                          self.server.log_tail(15)])


def given_by(answer):
    """server None: refused."""
    found = re.fullmatch(ANSWER, answer.stdout.decode(), re.S)
    if not found or answer.status != 0 or answer.stderr:
        return Given(None, None, answer)
    return Given(found['key'], found['server'], answer)


def keys_of(account, file=FILE):
    """The lines of a file of keys, or None where there is none."""
    try:
        return pathlib.Path(account.home, file).read_text().splitlines()
    except FileNotFoundError:
        return None


def wait_until(end):
    time.sleep(max(0, end - time.monotonic()))
