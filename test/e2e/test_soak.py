#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The soak: many clients at once through a real sshd, while X2Go servers are killed,
hung and brought back.  Every answer is complete and right, or a clean refusal that has
its reason; and nothing is left of it: no process, descriptor, file, lock or memory.

usage: test_soak.py X2GOBROKER X2GOBROKERCTL SOAK_CLIENT SOAK_WATCH [OPTION ...]
"""

import argparse
import collections
import contextlib
import datetime
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import farmlab
import lab
import soaklab
from brokerlab import wrap
from soaklab import Late, Oracle, Record, Sampler, Trouble, World, Wrong

PATIENCE = soaklab.REQUEST_TIMEOUT + 20     # for an answer: with sshd, when all is busy
RUN_LIMIT = soaklab.REQUEST_TIMEOUT + 15    # for a broker; its own last resort is + 10
LEFT = {'hangup', 'drop', 'stranger'}       # kinds whose clients do not wait
ASKED = {'listed', 'a new session', 'a session is resumed'}
LATE_SHARE = 0.1        # of the requests, on the busiest machine
STALE_KEYS = 100        # keys that are remembered: of some seconds, on some servers
SHOWN = 10              # faults in full
SERVERS = range(2 * soaklab.GROUP, 33, soaklab.GROUP)   # a fresh Debian has 18 users


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('programs', nargs=4, metavar='PROGRAM')
    parser.add_argument('--minutes', type=float, default=10)
    parser.add_argument('--clients', type=int, default=200)
    parser.add_argument('--servers', type=int, default=16)
    parser.add_argument('--seed', type=int, default=None)
    args = parser.parse_args()
    if args.servers not in SERVERS:
        parser.error('--servers: groups of %d, from %d to %d' % (
            SERVERS.step, SERVERS[0], SERVERS[-1]))
    if args.seed is None:
        args.seed = int(time.time())
    args.programs = [os.path.abspath(path) for path in args.programs]
    return args


class Soak:
    def __init__(self, tap, world, args):
        self.tap, self.world, self.args = tap, world, args
        self.oracle = Oracle(world)
        self.verdicts, self.kinds = collections.Counter(), collections.Counter()
        self.seconds = collections.defaultdict(list)    # by kind
        self.wrong, self.late, self.broken, self.slow = [], [], [], []
        self.peak = None
        self.asking = set()     # uuids of requests that have asked a group's servers

    # While it runs

    def run(self):
        trouble, sampler = Trouble(self.world, self.args.seed), Sampler(self.world)
        client = subprocess.Popen(
            [self.world.client, self.world.plan, str(60 * self.args.minutes),
             str(self.args.seed)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        start = time.monotonic()
        try:
            sampler.start()
            trouble.start()
            self.take_records(client.stdout, start)
            client.wait(PATIENCE)
        finally:
            if client.poll() is None:
                client.kill()
                client.wait()
            trouble.stop()
        self.end = time.monotonic()
        self.duration = self.end - start
        self.known = self.oracle.certain_count
        self.client_status = client.returncode
        # the servers that were hung come round
        time.sleep(soaklab.SETTLED + 1)
        self.final = self.ask_all()
        self.left = self.wait_for_the_last()
        sampler.stop()
        self.trouble, self.sampler = trouble, sampler

    def take_records(self, pipe, start):
        minute = 1
        for record in soaklab.read_records(pipe):
            if not isinstance(record, Record):
                self.peak = [int(word) for word in record[1:]]
                continue
            self.take(record)
            if record.end > start + 60 * minute:
                self.tap.note('minute %d: %d requests, %d wrong' % (
                    minute, sum(self.kinds.values()), len(self.wrong)))
                minute += 1

    def take(self, record):
        self.kinds[record.kind] += 1
        if record.kind in LEFT and record.outcome == 'left':
            return
        if record.outcome != 'done':
            self.broken.append(record)
            return
        seconds = record.end - record.start
        self.seconds[record.kind].append(seconds)
        if seconds > PATIENCE:
            self.slow.append(record)
        try:
            soaklab.check(record.stderr == b'', 'nothing on stderr')
            verdict = self.oracle.judge(record)
            self.verdicts[record.kind, verdict] += 1
            if verdict in ASKED and record.user != 0 and 'free' not in record.name:
                self.asking.add(record.uuid)
        except Wrong as why:
            self.wrong.append((record, str(why)))
        except Late as why:
            self.verdicts[record.kind, 'a busy server counted as down'] += 1
            self.late.append((record, why))

    # Afterwards

    def ask_all(self):
        """With OpenSSH's client, everything by everybody: [what is wrong]."""
        wrong = []
        for i, user in enumerate(self.world.users):
            wishes = [('list', '', 'listsessions')] + [
                ('select', profile.id, 'selectsession --sid "%s"' % profile.id)
                for profile in self.world.seen_by(user)]
            for kind, name, words in wishes:
                record = self.ask(i, kind, name, words)
                try:
                    verdict = self.oracle.judge(record)
                    if verdict.startswith('refused'):
                        wrong.append((record, verdict))
                except (Wrong, Late) as why:
                    wrong.append((record, str(why)))
        return wrong

    def ask(self, number, kind, name, words):
        uuid, start = '%08x-0000-4000-8000-%012x' % (number, number), time.monotonic()
        done = self.world.sshd.ssh(self.world.farm.broker.name,
                                   self.world.keys[number],
                                   wrap('x2gobroker --task ' + words, uuid=uuid),
                                   timeout=PATIENCE)
        return Record(0, number, kind, name, uuid, start, time.monotonic(),
                      done.returncode, 'done', done.stdout, done.stderr)

    def processes(self):
        """What should not be there when nobody asks any more."""
        farm, found = self.world.farm, soaklab.all_processes()
        pids = set(farm.broker.processes() + farm.agent.processes())
        for process in self.world.listeners():
            pids |= set(soaklab.family(process.pid, found))
        return ['%s (%s, %d)' % (found[pid].name, found[pid].state, pid)
                for pid in pids if pid in found]

    def wait_for_the_last(self):
        with contextlib.suppress(TimeoutError):
            lab.wait_for(lambda: not self.processes(), RUN_LIMIT, every=0.5)
        return self.processes()


# The report

def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(tap, soak, runs):
    total = sum(soak.kinds.values())
    tap.note('', 'seed %d, %d clients, %d servers, %.0f s: %d requests, %.1f a second'
             % (soak.args.seed, soak.args.clients, soak.args.servers, soak.duration,
                total, total / soak.duration))
    if soak.peak:
        tap.note('at most %d connections held, %d requests and %d processes at a time'
                 % (*soak.peak, soak.sampler.most_processes))
    tap.note('', '%-10s %-55s %7s %6s' % ('request', 'answer', 'number', 'share'))
    for (kind, verdict), n in sorted(soak.verdicts.items()):
        share = 100 * n / len(soak.seconds[kind])
        tap.note('%-10s %-55s %7d %5.1f%%' % (kind, verdict, n, share))
    for kind in sorted(LEFT):
        tap.note('%-10s %-55s %7d' % (kind, 'not waited for', soak.kinds[kind]))
    tap.note('', '%-10s %8s %8s %8s %8s' % ('ms', '50%', '90%', '99%', '100%'))
    for kind, values in sorted(soak.seconds.items()):
        tap.note('%-10s %8.0f %8.0f %8.0f %8.0f' % (
            kind, *[1000 * percentile(values, share) for share in (0.5, 0.9, 0.99, 1)]))
    tap.note('', 'what was done to servers:')
    for name, n in soak.trouble.counts.most_common():
        tap.note('%7d  %s' % (n, name))
    tap.note('', '%d brokers, at most %d KiB; who asked a group, in each fifth:'
             % (len(runs), max(run.memory or 0 for run in runs)))
    for task, fifths in memory_by_task(soak, runs).items():
        tap.note('%-14s %s' % (task, '  '.join('%d (%d)' % (
            percentile(values, 0.5), max(values)) for values in fifths if values)))
    tap.note('%d keys for one login; at most %d rows in assignments, %d in stalekeys' % (
        len(soak.oracle.keys), soak.sampler.rows['assignments'],
        soak.sampler.rows['stalekeys']), '')


def memory_by_task(soak, runs):
    """{task: [peaks in each fifth]} of requests that have asked a group's servers; to
    ask more of them needs more, which the first user alone does.  A broker that starts
    no child, as all of its servers are away, needs less than half of the others."""
    table = {}
    for task in 'listsessions', 'selectsession':
        values = [run.memory for run in sorted(runs, key=lambda run: run.began)
                  if run.ended and run.task == task and run.uuid in soak.asking]
        most = max(values, default=0)
        values = [value for value in values if value > most / 2]
        table[task] = [values[len(values) * i // 5:len(values) * (i + 1) // 5]
                       for i in range(5)]
    return table


# The verdicts

def show(record, why):
    return '%s: %s\n%r' % (why, record.kind, record)


def check_answers(tap, soak):
    tap.ok(not soak.wrong, 'every answer is complete and right, or a clean refusal',
           '%d are not' % len(soak.wrong),
           *[show(*row) for row in soak.wrong[:SHOWN]])
    tap.ok(not soak.broken and soak.client_status == 0,
           'every client that waits gets an answer, and its end',
           'status %s, %d get none' % (soak.client_status, len(soak.broken)),
           *[show(row, row.outcome) for row in soak.broken[:SHOWN]])
    tap.ok(not soak.slow, 'none takes longer than request-timeout and some more',
           *[show(row, row.end - row.start) for row in soak.slow[:SHOWN]])
    missing = [kind for kind in ('list', 'select', 'event', 'login', 'cut', 'noise',
                                 *LEFT) if not soak.kinds[kind]]
    tap.ok(not missing, 'requests of each kind were made', missing)
    done = soak.trouble.counts
    tap.ok(not soak.trouble.error and done['killed'] and done['hung'],
           'servers were killed, hung and brought back', soak.trouble.error)
    tap.equal(soak.sampler.error, '', 'and all was watched')


def read_log(log):
    """{pid: [(seconds of time.monotonic(), text)]}; numbers of processes come again."""
    lines = collections.defaultdict(list)
    offset = time.time() - time.monotonic()
    for line in log.splitlines():
        if found := re.match(r'(\S+) x2gobroker\[(\d+)\]: (.*)', line):
            when = datetime.datetime.fromisoformat(found[1]).timestamp() - offset
            lines[int(found[2])].append((when, found[3]))
    return lines


def names_all(lines, servers):
    return all(any(re.search(r'\b%s\b' % server.name, line) for line in lines)
               for server in servers)


def check_known(tap, soak, runs, log):
    """The broker has to know what was certain, unless a server was so busy that it did
    not answer in time: then its log says so.  Another request may have noticed that
    a short time before."""
    excused, remembered, hard = 0, 0, []
    lines = read_log(log)
    pids = {run.uuid: run.pid for run in runs}
    for record, why in soak.late:
        said = [line for when, line in lines[pids.get(record.uuid)]
                if record.start - 2 < when < record.end + 2]
        slow = [line for line in said if re.search('in time|timed out|no SSH banner', line)]
        away = [line for line in slow if 'not asked, because' in line]
        if names_all(away, why.servers):
            remembered += 1
        elif names_all(slow, why.servers):
            excused += 1
        else:
            hard.append((record, '%s, with %s good all the time\n%s' % (
                why, ' '.join(server.name for server in why.servers),
                '\n'.join(said[-5:]))))
    tap.ok(not hard, 'what servers surely had to offer was given',
           '%d times not' % len(hard), *[show(*row) for row in hard[:SHOWN]])
    known = soak.known
    asked = len(soak.seconds['select']) + len(soak.seconds['list'])
    tap.note('%d of %d listings and selections had something that had to be known; '
             '%d times a server was too busy, and %d times it had been' %
             (known, asked, excused, remembered))
    tap.ok(excused <= LATE_SHARE * asked, 'few servers were too busy to answer in time',
           '%d of %d' % (excused, asked))
    tap.ok(known > asked / 5, 'and there was much that had to be known')


def check_runs(tap, soak, runs):
    open_ = [run for run in runs if run.ended is None]
    tap.ok(runs and not open_, 'every broker has ended', *open_[:SHOWN])
    done = [run for run in runs if run.ended is not None]
    killed = [run for run in done if os.WIFSIGNALED(run.status) and
              os.WTERMSIG(run.status) not in (signal.SIGHUP, signal.SIGPIPE)]
    odd = [run for run in done if os.WIFEXITED(run.status) and
           os.WEXITSTATUS(run.status) not in (0, 1)]
    tap.ok(not killed and not odd, 'none of them has crashed', *(killed + odd)[:SHOWN])
    long = [run for run in done if run.ended - run.began > RUN_LIMIT]
    tap.ok(not long, 'each has kept to request-timeout', *long[:SHOWN])
    for task in 'listsessions', 'selectsession':
        first, *_, last = memory_by_task(soak, runs)[task]
        # with threads, malloc(3) takes 2 MiB more at times
        good = first and last and \
            percentile(last, 0.5) <= 1.4 * percentile(first, 0.5) and \
            max(last) <= 1.5 * max(first)
        tap.ok(good, task + ': its memory does not grow with time',
               'KiB, sorted, in the first and in the last fifth:', sorted(first),
               sorted(last))


def check_rest(tap, soak, before):
    world, site = soak.world, soak.world.farm.site
    tap.ok(not soak.final, 'afterwards, everybody is given everything',
           *[show(*row) for row in soak.final[:SHOWN]])
    tap.equal(soak.left, [], 'no process is left')
    tap.ok(not soak.sampler.zombies, 'and there were no zombies', soak.sampler.zombies)
    now = [soaklab.descriptors(process.pid) for process in world.listeners()]
    tap.equal(now, [world.descriptors] * len(now),
              'each sshd has as many descriptors as it starts with')
    tap.equal(soak.sampler.strange, set(), 'no other file is in state-dir')
    tap.equal(files_of(world), before, 'no file is left anywhere else')
    # a broker adds its row before it removes the one that it replaces
    most = sum(len(world.seen_by(user)) for user in world.users) + soak.args.clients
    tap.ok(0 < soak.sampler.rows['assignments'] <= most,
           'of assignments, there is one for each user and profile at most',
           '%d, not %d' % (soak.sampler.rows['assignments'], most))
    keys, stale = len(soak.oracle.keys), soak.sampler.rows['stalekeys']
    tap.ok(keys and stale <= STALE_KEYS,
           'of keys for one login, those that have expired are forgotten',
           '%d keys, %d remembered' % (keys, stale))
    with tap.case('the places of all requests are free'):
        for place in pathlib.Path(site.path('state/requests')).iterdir():
            with place.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def files_of(world):
    """The broker's and the agent's files where they could leave some."""
    farm = world.farm
    uids = farm.broker.uid, farm.agent.uid
    found = set()
    for directory in '/tmp', '/var/tmp', '/dev/shm', '/run', farm.site.dir:
        for entry in os.scandir(directory):
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_uid in uids:
                    found.add(entry.path)
    for account in farm.broker, farm.agent:
        found |= {str(path) for path in pathlib.Path(account.home).rglob('*')}
    return found


def check_listings(tap, world):
    """What all listings are compared with."""
    for user in world.users:
        ids = re.findall(r'(?m)^\[(.*)\]$', world.listings[user].decode())
        expected = [profile.id for profile in world.seen_by(user)]
        if not tap.ok(sorted(ids) == sorted(expected) and
                      b'status=' not in world.listings[user],
                      user + ' has a listing', world.listings[user]):
            return False
    return True


def soak(tap, args):
    with contextlib.ExitStack() as stack:
        world = World(stack, args.programs, args.servers, args.clients)
        if not check_listings(tap, world):
            return
        before = files_of(world)
        world.farm.site.log()
        it = Soak(tap, world, args)
        it.run()
        log = world.farm.site.log_text()
        runs = soaklab.read_runs(world.watched)
        report(tap, it, runs)
        check_answers(tap, it)
        check_known(tap, it, runs, log)
        check_runs(tap, it, runs)
        check_rest(tap, it, before)


def main():
    args = arguments()
    with lab.Tap() as tap:
        if not tap.need(**farmlab.PACKAGES):
            return
        soaklab.become_reaper()
        soak(tap, args)


if __name__ == '__main__':
    sys.exit(main())
