#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure requests over HTTP, compared with the Python daemon of Debian's package
x2gobroker-daemon, in one run and taking turns: a listing of 3 profiles with a password
and with a token, a selection over 8 servers, and the right password of one user while
the wrong one of another is checked.

    test/bench/bench_http.py [--build DIR] [--rounds N]     as root, after test/bench/run

Each request has a connection of its own.  x2gobroker-http is behind nginx, by SCGI; the
daemon is reached at its own port.  Both check passwords by PAM, with the hash that new
passwords of this system get.  The daemon asks one of the servers; one row has ours do
the same.  "The least" is what a process for each request costs: a socket of the same
kind, and behind it a program that prints a line.  Prints milliseconds, minimum and
median, and the ratios.
"""

import argparse
import concurrent.futures
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test/e2e'))

import farmlab          # noqa: E402
import httplab          # noqa: E402
import lab              # noqa: E402

PACKAGES = {**httplab.PACKAGES, 'x2gobroker-daemon': 'x2gobroker-daemon',
            'x2gobroker-authservice': 'x2gobroker-authservice'}
LOGGERS = '/etc/x2go/broker/x2gobroker-loggers.conf'
SERVERS = 8
LEAST = 'the least of a process for each'
TOKEN = 'a listing of 3 profiles, token'
# row, our ratio to the daemon is at most this
TARGETS = {TOKEN: 0.75, 'a listing of 3 profiles, password': 1.1,
           'a selection over 8 servers': 0.5}


class Person(lab.Account):
    """With the system's own kind of hash."""

    password = 'right one'

    def __enter__(self):
        super().__enter__()
        subprocess.run(['chpasswd'], input='%s:%s\n' % (self.name, self.password),
                       text=True, check=True)
        return self


class Ours:
    name = 'x2gobroker-http'

    def __init__(self, stack, build, farm, profiles):
        self.site = site = httplab.Site(
            str(build / 'cmd/x2gobroker-http/x2gobroker-http'),
            str(build / 'cmd/x2gobroker-pam/x2gobroker-pam'), stack)
        home = pathlib.Path(farm.broker.home)
        for file in 'id_rsa', 'known_hosts':
            site.account.put('.ssh/' + file, (home / '.ssh' / file).read_text())
        self.more = ('http-allow-plain = true\nagent-user = %s\nagent-timeout = 60\n'
                     'request-timeout = 60\nhttp-failures = 100\n'
                     'drain-file = %s\n' % (farm.agent.name, site.path('drained')))
        self.configure()
        site.profiles(profiles)
        site.listen()
        self.least = site.path('least.sock')
        site.activate(self.least,
                      site.as_account(str(build / 'test/bench/bench-bare')))
        tls = httplab.certificate(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chmod(tls, 0o755)
        self.port = stack.enter_context(httplab.WebServer('nginx', tls)).plain
        self.tell = site.log

    def configure(self, more=''):
        site = self.site
        site.configure(self.more + more)
        conf = pathlib.Path(site.path('x2gobroker.conf'))
        conf.write_text(re.sub('(?m)^drain-file = .*/drained\n', '', conf.read_text(), 1))

    def ask_least(self):
        start = time.monotonic()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.least)
            text = b''
            while part := connection.recv(4096):
                text += part
        if text != b'Access granted\n':
            raise RuntimeError('%r' % text)
        return 1000 * (time.monotonic() - start)

    def token(self, body):
        return re.search(rb'AUTHID:(.*)', body)[1].decode()


class Daemon:
    name = 'Python daemon'

    def __init__(self, stack, farm, profiles):
        self.dir = tempfile.mkdtemp(prefix='x2gobroker-daemon.')
        stack.callback(shutil.rmtree, self.dir)
        account = farm.broker
        os.chown(self.dir, account.uid, account.gid)
        path = lambda name: os.path.join(self.dir, name)
        pathlib.Path(path('profiles.conf')).write_text(profiles)
        pathlib.Path(path('x2gobroker.conf')).write_text(
            '[global]\nrequire-password = true\nrequire-cookie = false\n'
            'auth-timeout = 36000\n[broker_inifile]\nenable = true\n'
            'use-load-checker = false\n')
        pathlib.Path(path('loggers.conf')).write_text(
            pathlib.Path(LOGGERS).read_text().replace('/var/log/x2gobroker', self.dir))
        for name in 'broker.log', 'access.log', 'error.log':
            pathlib.Path(path(name)).touch()
            os.chown(path(name), account.uid, account.gid)
        os.chmod(self.dir, 0o755)
        self.port, = httplab.lab_ports(1)
        env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': account.home,
               'LOGNAME': account.name, 'USER': account.name, 'LANG': 'C.UTF-8',
               'X2GOBROKER_DAEMON_USER': account.name,
               'X2GOBROKER_DAEMON_GROUP': account.name,
               'X2GOBROKER_CONFIG': path('x2gobroker.conf'),
               'X2GOBROKER_SESSIONPROFILES': path('profiles.conf'),
               'X2GOBROKER_LOGCONFIG': path('loggers.conf'),
               'X2GOBROKER_AGENT_USER': farm.agent.name,
               'X2GOBROKER_AUTHSERVICE_SOCKET': path('auth/socket')}
        self.log = open(path('output'), 'wb')
        self._start(stack, ['x2gobroker-authservice', '-s', path('auth/socket'), '-o',
                            'root', '-g', account.name, '-p', '0660'], env)
        lab.wait_for(lambda: os.path.exists(path('auth/socket')), 10, 'authservice')
        self._start(stack, ['setpriv', '--reuid', account.name, '--regid', account.name,
                            '--clear-groups', 'x2gobroker-daemon', '-b',
                            '127.0.0.1:%d' % self.port], env)
        try:
            lab.wait_for(lambda: httplab.listens(self.port), 30, 'the daemon')
        except TimeoutError:
            sys.exit(self.tell())

    def _start(self, stack, command, env):
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=self.log, cwd='/')
        stack.callback(lab.end_family, process)

    def token(self, body):
        return re.search(rb'AUTHID:(.*)', body)[1].decode()

    def configure(self, more=''):
        """It has no such key."""

    def tell(self):
        return '\n'.join(path.read_text(errors='replace')[-3000:] for path in
                         pathlib.Path(self.dir).glob('*') if path.is_file())


def ask(broker, body):
    """(milliseconds, status, body) of a request on a connection of its own."""
    start = time.monotonic()
    connection = http.client.HTTPConnection('127.0.0.1', broker.port, timeout=120)
    connection.request('POST', '/plain/inifile/', body,
                       {'Content-Type': 'application/x-www-form-urlencoded'})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return 1000 * (time.monotonic() - start), answer.status, text


def good(broker, body):
    ms, status, text = ask(broker, body)
    if status != 200 or b'Access granted' not in text:
        raise RuntimeError('%s: %d %r\n%s' % (broker.name, status, text, broker.tell()))
    return ms, text


def rows(broker, user, chooser, other):
    """{row: function that makes one request: milliseconds}"""
    form = httplab.form
    last = ''
    chosen = broker.token(good(broker, form('listsessions', chooser.name,
                                            chooser.password))[1])

    def listing(password):
        nonlocal last
        ms, text = good(broker, form('listsessions', user.name, password, last
                                     if not password else ''))
        last = broker.token(text)
        return ms

    def select():
        nonlocal chosen
        ms, text = good(broker, form('selectsession', chooser.name, '', chosen,
                                     sid='farm'))
        chosen = broker.token(text)
        return ms

    def select_from_one():
        broker.configure('servers-to-ask = 1\nservers-share-database = true\n')
        try:
            return select()
        finally:
            broker.configure()

    def beside():
        """A right password, 100 ms after a wrong one."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            wrong = pool.submit(ask, broker, form('listsessions', other.name, 'wrong'))
            time.sleep(0.1)
            ms = listing(user.password)
            wrong.result()
        return ms
    return {'a listing of 3 profiles, password': lambda: listing(user.password),
            TOKEN: lambda: listing(''),
            'a selection over 8 servers': select,
            'a selection, one server asked': select_from_one,
            'a right password beside a wrong one': beside}


def measure(brokers, people, rounds):
    """{row: {broker: [milliseconds]}}"""
    found = {}
    tasks = {broker.name: rows(broker, *people) for broker in brokers}
    for number in range(rounds):
        for name, row in tasks.items():
            for what, run in row.items():
                if what.startswith('a right') and number >= 3:
                    continue
                found.setdefault(what, {}).setdefault(name, []).append(run())
        found.setdefault(LEAST, {Daemon.name: found[TOKEN][Daemon.name]}).setdefault(
            Ours.name, []).append(brokers[0].ask_least())
    return found


def show(found):
    failed = False
    print('%-36s %16s %16s  %s' % ('milliseconds, minimum / median', Ours.name,
                                   Daemon.name, 'ratio'))
    for what, samples in found.items():
        mine, theirs = samples[Ours.name], samples[Daemon.name]
        ratio = statistics.median(mine) / statistics.median(theirs)
        target = TARGETS.get(what)
        failed = failed or (target is not None and ratio > target)
        print('%-36s %16s %16s  %.2f%s' % (what, *(
            '%.1f / %.1f' % (min(one), statistics.median(one)) for one in (mine, theirs)),
            ratio, ', at most %.2f' % target if target else ''))
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default=str(ROOT / 'build-bench'), metavar='DIR')
    parser.add_argument('--rounds', type=int, default=20, metavar='N')
    options = parser.parse_args()
    missing = [PACKAGES[name] for name in PACKAGES if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        sys.exit('run it as root, after: apt-get install ' + ' '.join(missing))
    build = pathlib.Path(options.build).resolve()
    lab.given.append(build)
    with contextlib.ExitStack() as stack:
        farm = farmlab.Farm(stack, str(build / 'cmd/x2gobroker/x2gobroker'), SERVERS, 'rsa')
        farm.know([server.known_as(server.address) for server in farm.servers])
        for server in farm.servers:
            server.play(delay=150)
        people = [stack.enter_context(Person()) for _ in range(3)]
        profiles = ''.join('[p%d]\nname = Profile %d\nhost = server%d\ncommand = XFCE\n'
                           'broker-agent-query-mode = NONE\n' % (n, n, n)
                           for n in range(3)) + farm.profile(
            'farm', host=', '.join(server.address for server in farm.servers),
            sshport=farm.servers[0].port, broker_agent_query_mode='SSH',
            acl_users_allow=people[1].name)
        brokers = [Ours(stack, build, farm, profiles), Daemon(stack, farm, profiles)]
        failed = show(measure(brokers, people, options.rounds))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
