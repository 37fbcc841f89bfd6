#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure what a request costs, compared with the least that it can cost and with the
Python broker.

In one run, as root: listsessions with 3 to 10,000 profiles, compared with a bare C
program that prints a line; selectsession with 1 to 64 servers, each an sshd on this
machine, compared with a minimal libssh program that only asks them; some of both
through a real sshd; and instructions, counted by valgrind.  The rows of a table take
turns (A B C A B C ...), because the speed of a machine varies; each has a minimum and
a median.  Before a row is timed, its answer is checked.
"""

import argparse
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # root's files do not belong into a checkout

import figures          # noqa: E402
import machine          # noqa: E402
import plot             # noqa: E402
import report           # noqa: E402
import worlds           # noqa: E402
from worlds import Failure      # noqa: E402

LONG = 900              # seconds; on a machine that does much else, all is slow
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EPILOG = '''\
parts: ''' + ', '.join(figures.PARTS) + '''

The default is 10 rounds, which take about ten minutes; --quick is 2 rounds.  The
exit status is 0, but 1 if something failed to run, or with --check if a claim does
not hold.
'''


class Bench:
    def __init__(self, stack, options, rows):
        self.options, self.rows = options, rows
        self.programs = worlds.Programs(stack, options.build)
        self.worlds = worlds.Worlds(stack, self.programs, rows)
        self.results = figures.Results()

    def say(self, text):
        """Show the progress, on a single line if it is a terminal."""
        form = '\r\033[K%s' if sys.stderr.isatty() else '%s\n'
        print(form % text, end='', file=sys.stderr, flush=True)

    def all(self):
        for table in figures.tables(self.rows):
            if table[0].part == figures.COUNTS:
                self.count(table)
            else:
                self.time(table)
        self.say('done')
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def name(self, row):
        return ', '.join(filter(None, [row.part, row.group, figures.things(row),
                                       row.who]))

    def check(self, row, task):
        """Check that a command gives the right answer."""
        answer = worlds.start(task.command, task.account, LONG)
        if not task.good(row, answer):
            raise Failure('%s: status %d\n%.2000s\n%s\n%s' % (
                self.name(row), answer.returncode,
                answer.stdout.decode(errors='replace'),
                answer.stderr.decode(errors='replace'),
                self.worlds.of(row).explain()))

    def time(self, table):
        world = self.worlds.of(table[0])
        tasks = {}
        for row in table:
            self.say('%s: check' % self.name(row))
            tasks[row] = world.task(row)
            if row.turns != figures.ONCE:
                self.check(row, tasks[row])
        world.prepare(table[0].group)
        runs = dict.fromkeys(table, 0)
        for number in range(self.options.rounds):
            self.say('%s, %s: round %d of %d' % (
                table[0].part, table[0].group or 'processes', number + 1,
                self.options.rounds))
            for row, samples in self.round(table, tasks, number).items():
                runs[row] += len(samples)
                self.results.samples.setdefault(figures.key_of(row), []).extend(samples)
        world.finish(runs)
        for row in table:
            if row.turns == figures.ONCE:
                self.say('%s: once, at most %d s' % (self.name(row),
                                                     self.options.patience))
                self.once(row, tasks[row])

    def round(self, table, tasks, number):
        """Run one round of the rows of a table, with run.c."""
        words, row_of, account = [self.programs.run], [], None
        for row in table:
            turns = figures.turns_in(row, number)
            if turns == 0:
                continue
            command, account = tasks[row].command, tasks[row].account
            words += [';'] if row_of else []
            words += [str(turns), *('%s=%s' % item for item in command.env.items()),
                      *command.words]
            row_of.append(row)
        done = worlds.start(worlds.Command(words), account, LONG)
        if done.returncode:
            raise Failure('%s: %s\n%s' % (
                self.name(table[0]), done.stderr.decode(errors='replace'),
                self.worlds.of(table[0]).explain()))
        return {row_of[n]: samples
                for n, samples in figures.parse(done.stdout.decode()).items()}

    def once(self, row, task):
        """Run once a command that takes minutes, and check its answer.  The time for
        reading the answer here is negligible."""
        before = os.times()
        start = time.monotonic()
        try:
            answer = worlds.start(task.command, task.account, self.options.patience)
        except subprocess.TimeoutExpired:
            self.results.stopped[figures.key_of(row)] = self.options.patience
            return
        wall, after = time.monotonic() - start, os.times()
        if not task.good(row, answer):
            raise Failure('%s: status %d' % (self.name(row), answer.returncode))
        self.results.samples[figures.key_of(row)] = [figures.Sample(
            int(wall * 1e9), int(1e6 * (after.children_user - before.children_user)),
            int(1e6 * (after.children_system - before.children_system)),
            None, None, None, None)]

    def count(self, table):
        """Count the instructions in user space, of the process and its threads."""
        for row in table:
            self.say('%s: counting' % self.name(row))
            world = self.worlds.of(row)
            world.prepare(figures.AT_ONCE)
            task = world.task(row)
            words = [worlds.VALGRIND, '--tool=callgrind',
                     '--callgrind-out-file=/dev/null', *task.command.words]
            answer = worlds.start(task.command._replace(words=words), task.account,
                                  LONG)
            found = re.search(rb'Collected : (\d+)', answer.stderr)
            if not found or not task.good(row, answer):
                raise Failure('%s: status %d\n%s' % (
                    self.name(row), answer.returncode,
                    answer.stderr.decode(errors='replace')))
            self.results.counts[figures.key_of(row)] = int(found[1])


def arguments():
    parser = argparse.ArgumentParser(
        prog='test/bench/run', description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', metavar='PART', action='append',
                        choices=figures.PARTS, help='may be given more than once')
    parser.add_argument('--rounds', type=int, default=None, metavar='N')
    parser.add_argument('--quick', action='store_true',
                        help='few rounds, without rows that take minutes')
    parser.add_argument('--patience', type=int, default=60, metavar='SECONDS',
                        help='when to stop the Python broker with 10,000 profiles (60); '
                        'it needs a quarter of an hour')
    parser.add_argument('--json', metavar='FILE', help='write all samples; - is stdout')
    parser.add_argument('--svg', metavar='FILE', help='draw a picture')
    parser.add_argument('--readme', action='store_true',
                        help='print only the table of test/bench/README')
    parser.add_argument('--check', action='store_true',
                        help='fail if a claim does not hold')
    parser.add_argument('--list', action='store_true', help='list what would be measured')
    parser.add_argument('--from', metavar='FILE', dest='saved',
                        help='measure nothing, show a file written by --json')
    parser.add_argument('--build', default=str(ROOT / 'build-bench'), metavar='DIR',
                        help='the build directory (build-bench)')
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = 2 if options.quick else 10
    if options.rounds < 1:
        parser.error('--rounds: at least 1')
    return options


def wanted(options):
    """The selected rows that can be run here."""
    missing = set()
    for row in figures.rows():
        needs = (worlds.PEER if row.who == figures.PYTHON else
                 worlds.VALGRIND if row.part == figures.COUNTS else None)
        if (options.only and row.part not in options.only) or \
                (options.quick and row.turns < 1):
            continue
        if needs and not os.path.exists(needs):
            missing.add(needs)
            continue
        yield row
    for path in sorted(missing):
        print('test/bench/run: there is no %s, so its rows are left out' % path,
              file=sys.stderr)


def show_list(rows):
    for row in rows:
        print('%-13s %-33s %-16s %s' % (row.part, row.group or '-',
                                        figures.things(row) or '-', row.who))


def measure(options, rows):
    """(description of the machine, Results)"""
    if os.geteuid() != 0:
        raise Failure('it creates accounts and starts sshds; run it as root')
    with contextlib.ExitStack() as stack:
        bench = Bench(stack, options, rows)
        about = machine.describe(options, bench.programs)
        bench.all()
        about['load after'] = machine.load()
    return about, bench.results


def write(path, text):
    if path == '-':
        sys.stdout.write(text)
    else:
        pathlib.Path(path).write_text(text)


def show(options, about, results):
    if options.json:
        write(options.json, report.to_json(about, results))
    if options.svg:
        write(options.svg, plot.picture(about, results))
    if options.readme:
        print(report.readme(about, results), end='')
    elif options.json != '-':
        print(report.text(about, results), end='')


def main():
    options = arguments()
    rows = [] if options.saved else list(wanted(options))
    if options.list:
        show_list(rows)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('stopped by a signal'))
    try:
        about, results = report.from_json(pathlib.Path(options.saved).read_text()) \
            if options.saved else measure(options, rows)
    except KeyboardInterrupt:
        return 130
    except (Failure, subprocess.TimeoutExpired) as failure:
        print('test/bench/run: %s' % failure, file=sys.stderr)
        return 1
    show(options, about, results)
    broken = [verdict for verdict in figures.judge(results)
              if verdict.measured and not verdict.holds]
    return 1 if options.check and broken else 0


if __name__ == '__main__':
    sys.exit(main())
