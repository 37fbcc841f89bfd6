#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure what large farms and many users cost, in one run and taking turns: a
selection over 8, 128 and 1,000 servers, of which all or five are asked, over eight of
which one is dead, and over eight with a key for an automatic login; x2gobrokerctl
authorized-keys with 10 and 50,000 users; a rush of logins; and how many requests in a
second one host can serve by each way.

    test/bench/bench_farm.py [--build DIR] [--rounds N]     as root, after test/bench/run

The servers are eight sshds on this machine, which have many names each; their agents
take 150 ms.  Prints milliseconds, minimum and median, and the ratios.
"""

import argparse
import base64
import concurrent.futures
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test/e2e'))

import brokerlab        # noqa: E402
import farmlab          # noqa: E402
import lab              # noqa: E402

SSHDS, SAMPLE, RUSH = 8, 5, 300
CLIENTS, REQUESTS = 8, 80       # of each way
ALL = {'servers_to_ask': None, 'servers_share_database': None}
SAMPLED = {'servers_to_ask': SAMPLE, 'servers_share_database': 'true'}
# row: compared with the row, at most this
TARGETS = {'8 servers, one of them dead': ('8 servers', 1.1),
           '8 servers, with a key': ('8 servers', 1.15),
           '128 servers, 5 are asked': ('8 servers', 1.2),
           '1,000 servers, 5 are asked': ('8 servers', 1.2),
           'authorized-keys, 50,000 users': ('authorized-keys, 10 users', 2)}


def make_key():
    blob = b'\0\0\0\x0bssh-ed25519\0\0\0\x20' + os.urandom(32)
    return base64.b64encode(blob).decode()


class Selections:
    def __init__(self, stack, program):
        self.farm = farm = farmlab.Farm(stack, program, SSHDS)
        farm.know([server.known_as(server.address) for server in farm.servers])
        farm.patience = 700     # all servers are on this machine
        farm.site.configure(agent_timeout=600, request_timeout=600)
        for server in farm.servers:
            server.play(delay_status=150)       # what runs x2golistsessions
        farm.profiles(*(farm.profile('on%d' % n, host=self._hosts(n))
                        for n in (8, 128, 1000)),
                      farm.profile('key', host=self._hosts(8),
                                   broker_session_autologin='true'),
                      farm.profile('dead', host=self._hosts(7) + ', ' +
                                   self._dead(stack)))

    def _hosts(self, n):
        servers = [self.farm.servers[i % SSHDS] for i in range(n)]
        return ', '.join('n%d (%s:%d)' % (i, server.address, server.port)
                         for i, server in enumerate(servers))

    def _dead(self, stack):
        network = self.farm.servers[0].address.rpartition('.')[0]
        port = self.farm.servers[0].port
        stack.enter_context(farmlab.Door(network + '.200', port))
        return 'dead (%s.200:%d)' % (network, port)

    def measure(self, profile, settings):
        with self.farm.site.configured(**settings):
            got = self.farm.select(profile)
        if not got.server:
            sys.exit('%s: %s' % (profile, self.farm.site.log_text()[-500:]))
        return got.seconds * 1000

    def with_a_dead_one(self):
        """One request in ten seconds tries it; this is another one."""
        settings = {**ALL, 'agent_timeout': 5}
        self.measure('dead', settings)
        return self.measure('dead', settings)

    def rush(self):
        """So many users want a session at once; five of 1,000 servers are asked."""
        self.farm.site.configure(requests_per_user=0, **SAMPLED)
        start = time.monotonic()
        got = self.farm.select_many([('on1000', None)] * RUSH, 40)
        seconds = time.monotonic() - start
        for line in self.farm.site.log_text().splitlines():
            if ' refused ' in line:
                print(line, file=sys.stderr)
        return seconds, sum(1 for one in got if one.server)


class Keys:
    """Sites with so many users; the last one's key is looked for."""

    def __init__(self, farm, ctl):
        self.farm, self.ctl, self.key = farm, ctl, make_key()
        self.conf = {n: self._make(n) for n in (10, 50000)}
        time.sleep(4)           # an index is made of what was not just changed
        for n in self.conf:
            self.measure(n)

    def _make(self, n):
        site = self.farm.site
        keys = pathlib.Path(site.path('keys%d' % n))
        keys.mkdir()
        for i in range(n - 1):
            (keys / ('u%05d.pub' % i)).write_text('ssh-ed25519 %s\n' % make_key())
        (keys / (self.farm.user + '.pub')).write_text('ssh-ed25519 %s\n' % self.key)
        state = site.path('keystate%d' % n)
        os.mkdir(state, 0o755)
        os.chown(state, site.account.uid, site.account.gid)
        conf = '\n'.join(line for line in site.conf().splitlines() if
                         not line.startswith(('keys-dir', 'state-dir')))
        return site.write('keys%d.conf' % n, conf.replace(
            '[global]', '[global]\nkeys-dir = %s\nstate-dir = %s' % (keys, state), 1))

    def measure(self, n):
        account = self.farm.site.account
        start = time.monotonic()
        done = subprocess.run(
            [self.ctl, '-C', self.conf[n], 'authorized-keys', account.name,
             'ssh-ed25519', self.key], user=account.uid, group=account.gid,
            extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd='/',
            env={'PATH': '/usr/bin:/bin'})
        if self.farm.user not in done.stdout.decode():
            sys.exit('authorized-keys: %s' % done)
        return (time.monotonic() - start) * 1000


class Rates:
    """Requests in a second.  The clients, and the servers that are asked, run on this
    machine, too, and take most of its time."""

    def __init__(self, stack, farm):
        site = farm.site
        site.write('few-profiles.conf', ''.join(farm.profile(
            'few%d' % n, broker_agent_query_mode='NONE') for n in range(3)))
        site.configure(requests_per_user=0, **SAMPLED)
        site.write('few.conf', site.conf().replace('/profiles.conf', '/few-profiles.conf'))
        self.sshd = stack.enter_context(lab.Sshd('MaxStartups 100\nMaxSessions 100\n'))
        user = ['--user', farm.user]
        keys = {config: brokerlab.give_key(self.sshd, farm.broker, config,
                                           site.command(*user, config=config))
                for config in ('few.conf', 'x2gobroker.conf')}
        few = stack.enter_context(
            brokerlab.Connection(self.sshd, farm.broker, keys['few.conf']))
        few.ask(brokerlab.LIST)
        alone = site.command(*user, config='few.conf')
        self.ways = {
            'a listing, the program alone': lambda: site.start(
                alone, farm.broker, {'SSH_ORIGINAL_COMMAND': brokerlab.LIST,
                                     'SSH_CONNECTION': '127.0.0.1 50000 127.0.0.1 22'}
                ).stdout,
            'a listing on an open connection': lambda: few.ask(brokerlab.LIST).stdout,
            'an SSH login and a listing': lambda: self._login(
                farm, keys['few.conf'], brokerlab.LIST),
            'an SSH login and a selection, 5 servers asked': lambda: self._login(
                farm, keys['x2gobroker.conf'], brokerlab.SELECT % 'on8')}

    def _login(self, farm, key, line):
        return self.sshd.ssh(farm.broker.name, key, line, timeout=100).stdout

    def measure(self):
        """{way: (requests in a second, how many were granted)}"""
        found = {}
        for way, ask in self.ways.items():
            start = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                answers = list(pool.map(lambda _, ask=ask: ask(), range(REQUESTS)))
            found[way] = (REQUESTS / (time.monotonic() - start),
                          sum(b'Access granted' in answer for answer in answers))
        return found


def measure(options):
    samples = {}
    with contextlib.ExitStack() as stack:
        farms = Selections(stack, str(options.build / 'cmd/x2gobroker/x2gobroker'))
        keys = Keys(farms.farm, str(options.build / 'cmd/x2gobrokerctl/x2gobrokerctl'))
        rows = {'8 servers': lambda: farms.measure('on8', ALL),
                '8 servers, one of them dead': farms.with_a_dead_one,
                '8 servers, with a key': lambda: farms.measure('key', ALL),
                '128 servers, 5 are asked': lambda: farms.measure('on128', SAMPLED),
                '1,000 servers, 5 are asked': lambda: farms.measure('on1000', SAMPLED),
                'authorized-keys, 10 users': lambda: keys.measure(10),
                'authorized-keys, 50,000 users': lambda: keys.measure(50000)}
        for number in range(options.rounds):
            for name, run in rows.items():
                for _ in range(10 if 'keys' in name else 1):
                    samples.setdefault(name, []).append(run())
            if number == 0 and not options.quick:
                samples['128 servers, all'] = [farms.measure('on128', ALL)]
                samples['1,000 servers, all'] = [farms.measure('on1000', ALL)]
        rush = None if options.quick else farms.rush()
        rates = {} if options.quick else Rates(stack, farms.farm).measure()
    return samples, rush, rates


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('--build', type=lambda text: pathlib.Path(text).resolve(),
                        default=ROOT / 'build-bench')
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--quick', action='store_true',
                        help='without the rush and without asking all of many')
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit('test/bench/bench_farm.py: run it as root')
    lab.given.append(options.build)
    samples, rush, rates = measure(options)
    figures = {name: (min(values), statistics.median(values))
               for name, values in samples.items()}
    failed = 0
    print('%-32s %17s' % ('milliseconds', 'minimum / median'))
    for name, figure in figures.items():
        print('%-32s %8.1f / %8.1f' % (name, *figure), end='')
        if name in TARGETS:
            other, most = TARGETS[name]
            ratios = [a / b for a, b in zip(figure, figures[other])]
            failed += min(ratios) > most
            print('   %.2f / %.2f times "%s" (%.1f at most)' % (*ratios, other, most),
                  end='')
        print()
    if rush:
        print('a rush of %d logins, 40 at a time: %.1f s, %.1f logins per second, '
              '%d granted' % (RUSH, rush[0], RUSH / rush[0], rush[1]))
    for way, (rate, granted) in rates.items():
        print('%-46s %6.1f per second, %d of %d granted' % (way, rate, granted, REQUESTS))
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())
