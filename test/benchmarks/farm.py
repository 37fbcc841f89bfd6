#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What it costs to select a session on 1, 8 and 32 servers, each an sshd here.

usage: farm.py RUN ASKING X2GOBROKER [--rounds N] [--peer PATH]

RUN and ASKING are built from run.c and asking.c.  A request is a selectsession, from
the start of the process to its end: the broker asks all servers; the Python broker,
with agent-query-mode SSH, one of them; ASKING asks all of them and decides nothing.
This machine plays the servers, too: for a connection an sshd takes ten times the time
of who asks, so that the first table, with agents that answer at once, says what 32
sshds cost here.  In the second one agents take as long as x2golistsessions(8) does, 100
to 200 ms, in which the other servers' sshds can be played.  All take turns in one run,
because machines have moods.  The Python broker is /usr/bin/x2gobroker of Debian's
package x2gobroker, or PATH; it is left out where there is none.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'e2e'))

import farmlab      # noqa: E402

PEER = '/usr/bin/x2gobroker'
SIZES = 1, 8, 32
DELAYS = 0, 150     # milliseconds that agents take
LIMIT = 3           # times one server's time, for 32; with agents of the real kind


class Bench:
    def __init__(self, stack, args):
        self.args = args
        self.farm = farm = farmlab.Farm(stack, args.broker, max(SIZES), 'rsa')
        farm.know([server.known_as(server.address) for server in farm.servers])
        farm.site.configure(agent_timeout=60, request_timeout=60)
        farm.profiles(*[self.profile(n) for n in SIZES])
        self.peer_profiles = farm.site.write(
            'peer.conf', ''.join(self.profile(n) for n in SIZES))
        self.peer_log = self.make_peer_log()
        # programs in a directory that only root may enter run as another account
        self.run = shutil.copy(args.run, farm.dir)
        self.asking = shutil.copy(args.asking, farm.dir)

    def addresses(self, n):
        return [server.address for server in self.farm.servers[:n]]

    def profile(self, n):
        """Without names, as the Python broker would look for them."""
        return self.farm.profile('on%d' % n, host=', '.join(self.addresses(n)),
                                 sshport=self.farm.servers[0].port)

    def make_peer_log(self):
        """Its log as Debian sets it up, but in a directory of its own."""
        folder = self.farm.site.path('log')
        os.mkdir(folder)
        os.chown(folder, self.farm.broker.uid, self.farm.broker.gid)
        conf = pathlib.Path('/etc/x2go/broker/x2gobroker-loggers.conf')
        text = conf.read_text() if conf.exists() else ''
        return self.farm.site.write('loggers.conf', text.replace(
            '/var/log/x2gobroker', folder))

    def asking_command(self, n):
        farm = self.farm
        return [self.asking, farm.agent.name, farm.broker.home + '/.ssh/id_rsa',
                farm.broker.home + '/.ssh/known_hosts',
                '%s %s status' % (farmlab.AGENT, farm.user),
                str(farm.servers[0].port), *self.addresses(n)]

    def broker_command(self, n):
        return self.farm.site.command('--user', self.farm.user, '--task',
                                      'selectsession', '--sid', 'on%d' % n)

    def peer_command(self, n):
        # it lets only its own account name a user, by what LOGNAME says
        return ['/usr/bin/env', 'LOGNAME=x2gobroker',
                'X2GOBROKER_AGENT_USER=' + self.farm.agent.name,
                'X2GOBROKER_SESSIONPROFILES=' + self.peer_profiles,
                'X2GOBROKER_LOGCONFIG=' + self.peer_log,
                '/usr/bin/python3', self.args.peer,
                '-C', self.farm.site.path('x2gobroker.conf'), '--user', self.farm.user,
                '--task', 'selectsession', '--sid', 'on%d' % n]

    def start(self, command):
        account = self.farm.broker
        return subprocess.run(
            command, user=account.uid, group=account.gid, extra_groups=[],
            cwd=account.home, env={'HOME': account.home, 'PATH': '/usr/bin:/bin'},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=120)

    def measure(self, command):
        """Milliseconds."""
        done = self.start([self.run, '1', *command])
        if done.returncode:
            sys.exit('%s failed: %s' % (command, done.stderr))
        return int(done.stdout.split()[0]) / 1000

    def rows(self):
        rows = [('libssh alone', n, self.asking_command(n)) for n in SIZES]
        rows += [('x2gobroker', n, self.broker_command(n)) for n in SIZES]
        if os.path.exists(self.args.peer):
            rows += [('Python broker', n, self.peer_command(n)) for n in SIZES]
        return rows

    def check(self, rows):
        """That all of them do what they should."""
        port = self.farm.servers[0].port
        for server in self.farm.servers:
            server.calls()
        for name, n, command in rows:
            done = self.start(command)
            asked = [server.calls() for server in self.farm.servers]
            good = done.returncode == 0 and sum(map(bool, asked)) == (
                n if name != 'Python broker' else 1)
            if name != 'libssh alone':
                good &= b'SERVER:127.' in done.stdout and \
                    b':%d\n' % port in done.stdout
            if not good:
                sys.exit('%s, %d servers: status %d, asked %s\n%s%s\n%s' % (
                    name, n, done.returncode, asked, done.stdout.decode(),
                    done.stderr.decode(), self.farm.site.log_text()))


def show(delay, results):
    """The table, and whether it is as it should be: by the minimum, which is what
    there is when nothing else goes on."""
    print('\nAgents that answer %s' % ('after %d ms' % delay if delay else 'at once'))
    middle = {key: statistics.median(values) for key, values in results.items()}
    least = {key: min(values) for key, values in results.items()}
    print('%-16s %7s %9s %9s %18s %18s %18s' % (
        'milliseconds', 'servers', 'minimum', 'median', '/ one server',
        '/ libssh alone', '/ x2gobroker'))
    for name, n in results:
        row = [name, n, least[name, n], middle[name, n]]
        for other in (name, 1), ('libssh alone', n), ('x2gobroker', n):
            row += [least[name, n] / least[other], middle[name, n] / middle[other]]
        print('%-16s %7d %9.1f %9.1f %9.2f %8.2f %9.2f %8.2f %9.2f %8.2f' % tuple(row))
    largest = max(SIZES)
    ratio = least['x2gobroker', largest] / least['x2gobroker', 1]
    good = not delay or ratio <= LIMIT
    print('%d servers take %.2f times as long as one%s' % (
        largest, ratio, '; at most %d are wanted' % LIMIT if delay else ''))
    if ('Python broker', 1) in least:
        faster = [least['x2gobroker', n] < least['Python broker', 1] for n in SIZES]
        good &= all(faster)
        print('faster than the Python broker, which asks one server: ' + ', '.join(
            '%d servers: %s' % (n, 'yes' if yes else 'NO')
            for n, yes in zip(SIZES, faster)))
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('run')
    parser.add_argument('asking')
    parser.add_argument('broker')
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--peer', default=PEER, help='the Python broker')
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        bench = Bench(stack, args)
        rows = bench.rows()
        bench.check(rows)
        good = True
        for delay in DELAYS:
            for server in bench.farm.servers:
                server.play(delay=delay)
            results = {(name, n): [] for name, n, _ in rows}
            for _ in range(args.rounds):
                for name, n, command in rows:
                    results[name, n].append(bench.measure(command))
            good &= show(delay, results)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
