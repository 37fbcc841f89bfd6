#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure what a request costs that asks X2Go's session database, which has 10,000
sessions on 1,000 servers, compared with a C program that prints a line, taking turns in
one run: a listing, and a selection without the time that SSH takes.

    test/bench/bench_database.py [--build DIR] [--rounds N]   as root, after test/bench/run

The database is a PostgreSQL of our own that is reached by a socket.  Prints
milliseconds, minimum and median, and the ratios; and those of the CPU time, which vary
less on a busy machine and leave out what the database itself needs.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]

import worlds           # noqa: E402
import dblab            # noqa: E402
import farmlab          # noqa: E402
from figures import parse   # noqa: E402
import lab              # noqa: E402
from brokerlab import LIST, SELECT      # noqa: E402

SERVERS, SESSIONS = 1000, 10000
TURNS = 20              # in a round
BARE = 'a C program that prints a line'
LISTING, SELECTION = 'a listing', 'a selection without SSH'
MOST = {LISTING: 20, SELECTION: 30}     # times as long as the C program
FILL = '''\
SET ROLE x2godbuser;
INSERT INTO sessions (display, server, uname, session_id, status, init_time, client,
    creator_id)
SELECT n, 'n' || n %% %d, u, u || '-' || n || '-1700000000_stDXFCE_dp24', 'S',
    localtimestamp - interval '1 hour', '192.0.2.7', 'x2gouser_' || u
FROM (SELECT n, CASE n WHEN 500 THEN '%s' ELSE 'u' || n / 2 END AS u
    FROM generate_series(1, %d) AS n) AS rows;
ANALYZE sessions
'''


class World:
    def __init__(self, stack, build):
        self.programs = worlds.Programs(stack, build)
        self.broker, self.alice, self.bob = (
            stack.enter_context(lab.Account(shell='/bin/sh')) for _ in range(3))
        self.site = site = stack.enter_context(
            farmlab.Site(self.programs.broker, self.broker, 'nobody'))
        self.db = stack.enter_context(dblab.Database())
        self.db.sql(FILL % (SERVERS, self.alice.name, SESSIONS))
        helpers = pathlib.Path(site.path('helpers'))
        helpers.mkdir()
        for name, path in (
                ('poll', 'test/bench/bench-answering'),
                ('sessiondb', 'cmd/x2gobroker-sessiondb/x2gobroker-sessiondb')):
            (helpers / ('x2gobroker-' + name)).symlink_to(build / path)
        site.write('profiles.conf', '[desk]\nname = Desk\nuser = BROKER_USER\nhost = %s\n'
                   % ', '.join('n%d' % n for n in range(SERVERS)))
        site.configure(
            helper_dir=helpers, session_database='farm', requests_per_user=0,
            session_database_file=site.write('pg_service.conf', self.db.service()))
        ctl = build / 'cmd/x2gobrokerctl/x2gobrokerctl'
        self.db.sql(subprocess.run(
            [ctl, '-C', site.path('x2gobroker.conf'), 'database', '--grants'],
            stdout=subprocess.PIPE, text=True, check=True).stdout)

    def commands(self):
        """{row: command, and what its answer has}"""
        return {
            BARE: (worlds.Command([self.programs.bare]), b'Access granted'),
            LISTING: (self.command(self.alice, LIST), b'status=S'),
            SELECTION: (self.command(self.bob, SELECT % 'desk'), b'SERVER:n')}

    def command(self, user, line):
        return worlds.Command(self.site.command('--user', user.name),
                              worlds.under_sshd(worlds.wrapped(line)))

    def check(self, name, command, words):
        done = worlds.start(command, self.broker, 60)
        log = self.site.log_text()
        if words not in done.stdout or 'session database' in log:
            sys.exit('%s: %s\n%s' % (name, done, log))

    def measure(self, rounds):
        """{row: [(milliseconds, those of CPU time)]}"""
        rows = self.commands()
        words = []
        for name, (command, good) in rows.items():
            self.check(name, command, good)
            words += [*([';'] if words else []), str(TURNS),
                      *('%s=%s' % item for item in command.env.items()), *command.words]
        samples = {name: [] for name in rows}
        for _ in range(rounds):
            # what was chosen in the last ten minutes is read by each selection
            self.site.fresh_state()
            done = worlds.start(worlds.Command([self.programs.run, *words]), self.broker,
                                600)
            if done.returncode:
                sys.exit('%s\n%s' % (done.stderr, self.site.log_text()))
            for n, runs in parse(done.stdout.decode()).items():
                samples[list(rows)[n]] += [
                    (run.wall_ns / 1e6, (run.user_us + run.system_us) / 1e3)
                    for run in runs]
        return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('--build', type=lambda text: pathlib.Path(text).resolve(),
                        default=ROOT / 'build-bench')
    parser.add_argument('--rounds', type=int, default=10)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit('test/bench/bench_database.py: run it as root')
    with contextlib.ExitStack() as stack:
        samples = World(stack, options.build.resolve()).measure(options.rounds)
    failed = 0
    for kind, what in enumerate(('milliseconds', 'the same, of CPU time')):
        figures = {name: [fn(value[kind] for value in values)
                          for fn in (min, statistics.median)]
                   for name, values in samples.items()}
        print('%-34s %17s' % (what, 'minimum / median'))
        for name, figure in figures.items():
            print('%-34s %8.2f / %6.2f' % (name, *figure), end='')
            if name in MOST:
                ratios = [a / b for a, b in zip(figure, figures[BARE])]
                failed += kind == 0 and min(ratios) > MOST[name]
                print('   %5.1f / %5.1f times (%d at most)' % (*ratios, MOST[name]),
                      end='')
            print()
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())
