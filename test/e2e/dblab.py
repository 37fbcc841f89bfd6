# SPDX-License-Identifier: GPL-2.0-or-later
"""X2Go's session database: a PostgreSQL of its own with a private socket and port,
whose tables and X2Go users the real x2godbadmin makes.

    with dblab.Database() as db:
        db.sql(...)                                 # of x2gobrokerctl database --grants
        db.add_user('alice')
        db.start(db.session('alice', 'ts01'))       # as the X2Go server would
        db.sql('SELECT count(*) FROM sessions')     # as the superuser
"""

import contextlib
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import lab

BIN = next(iter(sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin'),
                       key=lambda path: int(path.parent.name), reverse=True)),
           pathlib.Path('/nonexistent'))
PACKAGES = {str(BIN / 'postgres'): 'postgresql', 'pgbouncer': 'pgbouncer',
            'x2godbadmin': 'x2goserver', 'psql': 'postgresql-client',
            'openssl': 'openssl'}
X2GO_SQL = pathlib.Path('/etc/x2go/x2gosql')
NAME = 'x2go_sessions'
ROLE = 'x2gobroker'

HBA = '''\
local {db} {role} {method}
host {db} {role} 127.0.0.0/8 {method}
local all all trust
host all all 127.0.0.0/8 trust
'''

PASSWORD = "ALTER ROLE x2gobroker PASSWORD 'secret'"

_numbers = itertools.count(50)


def built(name):
    """The path of a program beside those that a test was given, or None."""
    folder = pathlib.Path(lab.helper_dir())
    for path in folder.parent / name / name, folder / name:
        if path.exists():
            return str(path)
    return None


def helpers(site):
    """A helper-dir with what was built of x2gobroker-poll and x2gobroker-sessiondb."""
    directory = pathlib.Path(site.path('helpers'))
    directory.mkdir(exist_ok=True)
    for name in 'x2gobroker-poll', 'x2gobroker-sessiondb':
        if built(name) and not (directory / name).exists():
            (directory / name).symlink_to(built(name))
    return directory


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Database:
    """method: how the broker's role logs in; settings: of postgresql.conf."""

    def __init__(self, method='trust', x2go=True, **settings):
        self.method, self.x2go, self.settings = method, x2go, settings
        self.owner = pwd.getpwnam('postgres')
        self.process = None

    def __enter__(self):
        with contextlib.ExitStack() as self.stack:
            self.begin()
            self.stack = self.stack.pop_all()
        return self

    def begin(self):
        # the name of a socket has 107 bytes at most
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-db.', dir='/tmp')
        self.stack.callback(shutil.rmtree, self.dir)
        self.stack.callback(self.stop)
        os.chown(self.dir, self.owner.pw_uid, self.owner.pw_gid)
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.as_owner(BIN / 'initdb', '-D', self.path('data'), '-U', 'postgres', '-A',
                      'trust', '-E', 'UTF8', '--no-locale', '--no-sync')
        self.allow(self.method)
        self.run()
        if self.x2go:
            self.make_tables()

    def __exit__(self, *_):
        self.stack.close()

    def path(self, name):
        return os.path.join(self.dir, name)

    def as_owner(self, *command):
        return subprocess.run(
            [str(word) for word in command], user=self.owner.pw_uid, extra_groups=[],
            group=self.owner.pw_gid, check=True, cwd='/', stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def allow(self, method):
        """How the broker's role logs in from now on."""
        path = pathlib.Path(self.path('data/pg_hba.conf'))
        path.write_text(HBA.format(db=NAME, role=ROLE, method=method))
        os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        if self.process:
            self.process.send_signal(signal.SIGHUP)
            lab.wait_for(lambda: self.sql(
                "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = '%s'"
                % method) != '0', 10, 'the server to read pg_hba.conf')

    def run(self):
        settings = {'unix_socket_directories': self.dir, 'listen_addresses': '127.0.0.1',
                    'port': self.port, 'fsync': 'off', 'log_min_messages': 'log',
                    **self.settings}
        with open(self.path('log'), 'ab') as log:
            self.process = subprocess.Popen(
                [BIN / 'postgres', '-D', self.path('data')] +
                [word for key, value in settings.items()
                 for word in ('-c', '%s=%s' % (key, value))],
                user=self.owner.pw_uid, group=self.owner.pw_gid, extra_groups=[],
                cwd='/', stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        lab.wait_for(self.is_ready, 60, 'PostgreSQL to start')

    def is_ready(self):
        return subprocess.run([BIN / 'pg_isready', '-q', '-h', self.dir, '-p',
                               str(self.port)], check=False).returncode == 0

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)     # without waiting for clients
            self.process.wait(60)
        self.process = None

    def use_tls(self):
        """Restart it with a certificate for 127.0.0.1; path('ca.pem') is its CA's."""
        for name, more in (('ca', []), ('other', []),
                           ('tls', ['-CA', self.path('ca.pem'), '-CAkey',
                                    self.path('ca.key'), '-addext',
                                    'subjectAltName=IP:127.0.0.1'])):
            self.as_owner('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                          'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                          '/CN=' + name, '-keyout', self.path(name + '.key'), '-out',
                          self.path(name + '.pem'), *more)
            # the broker reads them, as files of nobody but root and itself
            os.chown(self.path(name + '.pem'), 0, 0)
        self.settings.update(ssl='on', ssl_cert_file=self.path('tls.pem'),
                             ssl_key_file=self.path('tls.key'))
        with self.down():
            pass

    @contextlib.contextmanager
    def down(self):
        self.stop()
        try:
            yield
        finally:
            self.run()

    def sql(self, text, role='postgres', database=NAME):
        done = subprocess.run(
            ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', self.dir, '-p',
             str(self.port), '-U', role, '-d', database, '-f', '-'], input=text, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise RuntimeError('%s: %s' % (text[:200], done.stderr))
        return done.stdout.strip()

    def hide_configuration(self):
        """Mount a directory of our own over X2Go's configuration of its database, which
        only we and our children see; and those who were started before, if the test
        has mounts of its own already, which its parent does not have."""
        os.mkdir(self.path('x2gosql'), 0o755)
        if os.readlink('/proc/self/ns/mnt') == \
                os.readlink('/proc/%d/ns/mnt' % os.getppid()):
            lab.own_mounts()
        subprocess.run(['mount', '--bind', self.path('x2gosql'), X2GO_SQL], check=True)
        self.stack.callback(subprocess.run, ['umount', X2GO_SQL], check=True)

    def make_tables(self):
        """As an administrator does, with X2Go's own tool."""
        self.hide_configuration()
        (X2GO_SQL / 'sql').write_text(
            'backend=postgres\n[postgres]\nhost=%s\nport=%d\ndbadmin=postgres\n'
            'ssl=prefer\n' % (self.dir, self.port))
        (X2GO_SQL / 'passwords').mkdir(0o700)
        (X2GO_SQL / 'passwords/pgadmin').write_text('none\n')
        self.x2godbadmin('--createdb')

    @staticmethod
    def x2godbadmin(*words):
        done = subprocess.run(['x2godbadmin', *words], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError('x2godbadmin: ' + done.stdout)

    def add_user(self, name):
        """An account that there is becomes an X2Go user of the database."""
        self.x2godbadmin('--adduser', name)

    def session(self, user, host, state='S', age=3600, idle=60, uname=None, id=None,
                kind='DXFCE'):
        """Start a session as the user's own role; returns its id.  uname: the name that
        the user claims."""
        number = next(_numbers)
        id = id or '%s-%d-17000%05d_st%s_dp24' % (uname or user, number, number, kind)
        self.sql("INSERT INTO sessions (display, server, uname, session_id, status, "
                 "init_time, last_time, client, cookie, agent_pid) VALUES (%d, '%s', "
                 "'%s', '%s', '%s', localtimestamp - interval '%d s', localtimestamp - "
                 "interval '%d s', '192.0.2.7', '%032x', %d);"
                 % (number, host, uname or user, id, state, age, idle, number * 7919,
                    number), role='x2gouser_' + user)
        return id

    def clear(self):
        self.sql('SET ROLE x2godbuser; DELETE FROM sessions')

    def service(self, **keys):
        """Lines of a service file; None takes one away."""
        rows = {'host': self.dir, 'port': self.port, 'user': ROLE, **keys}
        return '[farm]\n' + ''.join('%s=%s\n' % row for row in rows.items()
                                    if row[1] is not None)


class Pool:
    """pgbouncer in front of a database, in transaction mode."""

    def __init__(self, db, size=10):
        self.db, self.size = db, size

    def __enter__(self):
        self.port = free_port()
        path = pathlib.Path(self.db.path('pgbouncer.ini'))
        path.write_text(
            '[databases]\n{0} = host={1} port={2}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n'
            'listen_port = {3}\nunix_socket_dir =\nauth_type = any\n'
            'pool_mode = transaction\ndefault_pool_size = {4}\nmax_client_conn = 1000\n'
            .format(NAME, self.db.dir, self.db.port, self.port, self.size)
            .replace('%s = host' % NAME, '%s = user=%s host' % (NAME, ROLE)))
        os.chown(path, self.db.owner.pw_uid, self.db.owner.pw_gid)
        self.process = subprocess.Popen(
            ['pgbouncer', '-q', path], user=self.db.owner.pw_uid,
            group=self.db.owner.pw_gid, extra_groups=[], cwd='/',
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        lab.wait_for(self._listens, 20, 'pgbouncer to listen')
        return self

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
