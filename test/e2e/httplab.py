# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the broker over HTTP share: a site with people who have passwords, its
socket, the three web servers with the shipped snippets, and requests.
"""

import collections
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import lab

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SNIPPETS = SOURCE / 'contrib/webserver'
SOCKET = '/run/x2gobroker-http.sock'    # as the snippets have it
SERVICE = pathlib.Path('/etc/pam.d/x2gobroker')
PACKAGES = {'nginx': 'nginx', 'lighttpd': 'lighttpd', 'apache2': 'apache2',
            'curl': 'curl', 'openssl': 'openssl',
            'systemd-socket-activate': 'systemd'}

PASSWORD, WRONG = 'p w+ä&=%"x', 'not this one'
GRANTED, DENIED = b'Access granted\n', b'Access denied\n'

CONF = '''\
[global]
broker-account = {account}
profiles-dir = {dir}/profiles.d
pam-helper = {dir}/x2gobroker-pam
helper-dir = {helpers}
cookie-directory = {dir}/cookies
state-dir = {dir}/state
drain-file = {dir}/drained
maintenance-dir = {dir}/state
log-file = {dir}/broker.log
{more}
[broker_inifile]
session-profiles = {dir}/profiles.conf
[broker_zeroconf]
enable = true
'''

Response = collections.namedtuple('Response', 'status headers body seconds')


def quote(text):
    """As the X2Go client does."""
    return urllib.parse.quote(text, safe='-._~')


def form(task, user='', password=None, authid='', sid=None, **more):
    """The body of a task, in the client's order: sid, authid and event are raw."""
    fields = [('task', task)]
    if sid is not None and task == 'selectsession':
        fields.append(('sid', sid))
    if 'newpass' in more:
        fields.append(('newpass', quote(more.pop('newpass'))))
    fields += [('user', quote(user)), ('password', quote(password or ''))]
    if sid is not None and task == 'clientevent':
        fields.append(('sid', sid))
    fields += [(name, value if name == 'event' else quote(value))
               for name, value in more.items()]
    fields.append(('authid', authid))
    return '&'.join('%s=%s' % field for field in fields).encode()


def scgi(body, uri='/plain/', method='POST', address='192.0.2.17', length=None, **more):
    """A whole request.  A header of None is left out."""
    headers = {'CONTENT_LENGTH': str(len(body)) if length is None else length,
               'SCGI': '1', 'REQUEST_METHOD': method, 'REQUEST_URI': uri,
               'REMOTE_ADDR': address, 'HTTPS': 'on', **more}
    text = b''.join(b'%s\0%s\0' % (name.encode(), value.encode('utf-8', 'surrogateescape'))
                    for name, value in headers.items() if value is not None)
    return b'%d:%s,' % (len(text), text) + body


def parse(text, seconds):
    """What a CGI program answers."""
    head, _, body = text.partition(b'\r\n\r\n')
    headers = dict(re.findall(r'(?m)^([\w-]+): (.*?)\r?$', head.decode('latin-1')))
    return Response(int(headers.get('Status', '0').split()[0]), headers, body, seconds)


def bounding_set():
    """"+chown,...": what the unit leaves to x2gobroker-pam."""
    text = (SOURCE / 'contrib/systemd/x2gobroker-http@.service').read_text()
    lines = re.findall('(?m)^CapabilityBoundingSet=(.*)', text)
    return ','.join('+' + word[4:].lower() for word in ' '.join(lines).split())


class Person(lab.Account):
    """An account with a password."""

    password = PASSWORD

    def __enter__(self):
        super().__enter__()
        # a hash that costs next to nothing
        subprocess.run(['chpasswd', '-c', 'SHA512', '-s', '1000'], text=True, check=True,
                       input='%s:%s\n' % (self.name, self.password))
        return self


class Site:
    """A broker account, its files, its helper, and the socket."""

    def __init__(self, program, helper, stack):
        self.program, self.stack = program, stack
        self.account = stack.enter_context(lab.Account(shell='/bin/sh'))
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-http.', dir='/var/lib')
        stack.callback(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path('profiles.d'))
        for name in 'cookies', 'state':
            os.mkdir(self.path(name), 0o700)
            os.chown(self.path(name), self.account.uid, self.account.gid)
        shutil.copy(helper, self.path('x2gobroker-pam'))
        os.chown(self.path('x2gobroker-pam'), 0, self.account.gid)
        os.chmod(self.path('x2gobroker-pam'), 0o4750)
        self.write('broker.log', '')
        os.chown(self.path('broker.log'), self.account.uid, self.account.gid)
        self.log_seen = 0
        self.configure()
        self.profiles('[desk]\nhost=desk.example\n')
        shutil.copy(SOURCE / 'contrib/pam.d/x2gobroker', SERVICE)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        path = pathlib.Path(self.path(name))
        path.write_text(text)
        path.chmod(0o644)
        return str(path)

    def configure(self, more=''):
        return self.write('x2gobroker.conf', CONF.format(
            account=self.account.name, dir=self.dir, helpers=lab.helper_dir(),
            more=more))

    def profiles(self, text):
        self.write('profiles.conf', text)

    def forget(self):
        """All failures and tokens."""
        for name in 'cookies', 'state':
            for entry in os.scandir(self.path(name)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)

    def log(self):
        text = pathlib.Path(self.path('broker.log')).read_text(errors='replace')
        new, self.log_seen = text[self.log_seen:], len(text)
        return new

    def as_account(self, *command):
        """As the unit starts it: with no more capabilities for its children."""
        return ['setpriv', '--bounding-set', '-all,' + bounding_set(),
                '--reuid', str(self.account.uid), '--regid', str(self.account.gid),
                '--clear-groups', *command]

    def command(self, config=None):
        return self.as_account(self.program, '-C',
                               config or self.path('x2gobroker.conf'))

    def send(self, text, end=True, env=None, timeout=40):
        """Bytes to the program, as systemd hands over a connection: its answer."""
        ours, theirs = socket.socketpair()
        ours.settimeout(timeout)
        start = time.monotonic()
        process = subprocess.Popen(self.command(), stdin=theirs, stdout=theirs,
                                   stderr=subprocess.DEVNULL, env=env or {})
        theirs.close()
        got = b''
        with ours:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                ours.sendall(text)
                if end:
                    ours.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while part := ours.recv(65536):
                    got += part
        process.wait(timeout)
        return parse(got, time.monotonic() - start)

    def ask(self, task, user='', password=None, **more):
        """A task as the client sends it, by SCGI."""
        headers = {key: more.pop(key) for key in ('uri', 'address') if key in more}
        name = user if isinstance(user, str) else user.name
        return self.send(scgi(form(task, name, password, **more), **headers))

    def cgi(self, body, **env):
        """The same program as CGI."""
        start = time.monotonic()
        done = subprocess.run(
            self.command(), input=body, stdout=subprocess.PIPE, timeout=40, check=False,
            env={'REQUEST_METHOD': 'POST', 'REQUEST_URI': '/plain/', 'HTTPS': 'on',
                 'REMOTE_ADDR': '192.0.2.17', 'CONTENT_LENGTH': str(len(body)),
                 'GATEWAY_INTERFACE': 'CGI/1.1', 'LD_PRELOAD': '/nonexistent.so', **env})
        return parse(done.stdout, time.monotonic() - start)

    def activate(self, path, command):
        """Start the command for each connection to a socket."""
        process = subprocess.Popen(
            ['systemd-socket-activate', '--accept', '--inetd', '-l', path, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.stack.callback(lab.end_family, process)
        lab.wait_for(lambda: os.path.exists(path), 10, 'the socket')

    def listen(self):
        """What systemd does for the socket unit."""
        pathlib.Path(SOCKET).unlink(missing_ok=True)
        self.activate(SOCKET, self.command())
        shutil.chown(SOCKET, group='www-data')
        os.chmod(SOCKET, 0o660)


def token_in(response):
    found = re.search(rb'AUTHID:(.*)', response.body)
    return found.group(1).decode() if found else ''


# Web servers

def certificate(directory, days=30):
    """An authority of our own, and a certificate of localhost from it: their paths."""
    def openssl(*words):
        subprocess.run(['openssl', *words], check=True, cwd=directory,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pathlib.Path(directory, 'ext').write_text('subjectAltName=DNS:localhost\n')
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj',
            '/CN=X2Go test CA', '-keyout', 'ca.key', '-out', 'ca.pem')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout',
            'key.pem', '-out', 'request.pem')
    openssl('x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key',
            '-CAcreateserial', '-days', str(days), '-extfile', 'ext', '-out', 'cert.pem')
    both = pathlib.Path(directory, 'both.pem')
    both.write_text(pathlib.Path(directory, 'key.pem').read_text() +
                    pathlib.Path(directory, 'cert.pem').read_text())
    return directory


NGINX = '''\
user www-data;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ }}
http {{
	access_log off;
	server {{
		listen 127.0.0.1:{port} ssl;
		listen 127.0.0.1:{plain};
		ssl_certificate {tls}/cert.pem;
		ssl_certificate_key {tls}/key.pem;
		include {snippet};
	}}
}}
'''

LIGHTTPD = '''\
server.modules = ( "mod_openssl" )
server.document-root = "{dir}"
server.username = "www-data"
server.groupname = "www-data"
server.port = {plain}
server.bind = "127.0.0.1"
$SERVER["socket"] == "127.0.0.1:{port}" {{
	ssl.engine = "enable"
	ssl.pemfile = "{tls}/both.pem"
}}
include "{snippet}"
'''

APACHE = '''\
ServerRoot {dir}
ServerName localhost
User www-data
Group www-data
PidFile {dir}/apache.pid
ErrorLog {dir}/apache.log
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{plain}
Mutex file:{dir}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_scgi_module {modules}/mod_proxy_scgi.so
<VirtualHost 127.0.0.1:{port}>
	SSLEngine on
	SSLCertificateFile {tls}/cert.pem
	SSLCertificateKeyFile {tls}/key.pem
	Include {snippet}
</VirtualHost>
<VirtualHost 127.0.0.1:{plain}>
	Include {snippet}
</VirtualHost>
'''

SERVERS = {
    'nginx': (NGINX, ['nginx', '-e', '{dir}/nginx.log', '-c']),
    'lighttpd': (LIGHTTPD, ['lighttpd', '-D', '-f']),
    'apache2': (APACHE, ['apache2', '-D', 'FOREGROUND', '-f']),
}


class WebServer:
    """One of them, with TLS on one port and without on another."""

    def __init__(self, name, tls):
        self.name, self.tls = name, tls

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-web.')
        os.chmod(self.dir, 0o755)
        text, command = SERVERS[self.name]
        self.port, self.plain = lab_ports(2)
        config = pathlib.Path(self.dir, 'server.conf')
        config.write_text(text.format(
            dir=self.dir, tls=self.tls, port=self.port, plain=self.plain,
            snippet=SNIPPETS / (self.name + '.conf'), modules='/usr/lib/apache2/modules'))
        # nginx looks beside its configuration
        shutil.copy('/etc/nginx/scgi_params', self.dir)
        self.output = open(self.dir + '/output', 'wb')
        self.process = subprocess.Popen(
            [*(word.format(dir=self.dir) for word in command), str(config)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)
        lab.wait_for(lambda: listens(self.port) or self.process.poll() is not None, 10,
                     self.name)
        return self

    def said(self):
        return '\n'.join(path.read_text(errors='replace') for path in
                         pathlib.Path(self.dir).glob('*') if path.suffix == '.log' or
                         path.name == 'output')

    def url(self, path='/plain/', tls=True):
        return '%s://localhost:%d%s' % ('https' if tls else 'http',
                                        self.port if tls else self.plain, path)

    def post(self, body, path='/plain/', tls=True, method='POST', headers=()):
        """By curl: what a server makes of it."""
        start = time.monotonic()
        words = [word for header in headers for word in ('-H', header)]
        done = subprocess.run(
            ['curl', '-s', '-i', '--http1.1', '--path-as-is', '-X', method, '--cacert',
             self.tls + '/ca.pem', '-H', 'Expect:', *words, '--data-binary', '@-',
             self.url(path, tls)], input=body, stdout=subprocess.PIPE, check=False,
            timeout=60)
        head, _, text = done.stdout.partition(b'\r\n\r\n')
        status = re.match(rb'HTTP/[\d.]+ (\d+)', head)
        return Response(int(status.group(1)) if status else 0, head, text,
                        time.monotonic() - start)

    def __exit__(self, *_):
        lab.end_family(self.process)
        self.output.close()
        shutil.rmtree(self.dir)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def lab_ports(n):
    """Free ports below those that the kernel hands out."""
    ports = []
    with contextlib.ExitStack() as stack:
        for _ in range(n):
            probe = stack.enter_context(socket.socket())
            probe.bind(('127.0.0.1', 0))
            ports.append(probe.getsockname()[1])
    return ports
