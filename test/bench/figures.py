# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is to measure, what to make of the samples, and what is claimed.

A row is something that is timed; its results are a list of Samples, and there is a
Figure, that is a minimum and a median, for each of its quantities.  Nothing here
runs or prints anything.
"""

import collections
import statistics

# who
BARE, LIBSSH, OURS, PYTHON = (
    'bare C program', 'libssh alone', 'x2gobroker', 'Python broker')
# what acl-groups-* costs: the groups of the user are looked up
BARE_GROUPS, GROUPS = 'bare, groups', 'acl-groups'
# clientevent of a client that is connected, 500 others are
EVENT = 'clientevent'

# part
LISTING, SELECTING, SSHD, COUNTS = PARTS = (
    'listsessions', 'selectsession', 'sshd', 'instructions')

# group: parts have one or several tables
AT_ONCE, REAL = 'agents that answer at once', 'agents that take 150 ms'
LIST_CHANNEL, SELECT_CHANNEL, LIST_WHOLE = (
    'listsessions, a channel', 'selectsession, a channel',
    'listsessions, a whole connection')
LIST_COUNT, SELECT_COUNT = 'listsessions, counted', 'selectsession, counted'
DELAYS = {AT_ONCE: 0, REAL: 150}        # milliseconds that agents take

PROFILES = 3, 100, 1000, 10000
SERVERS = 1, 8, 32, 64

# n: profiles, servers; 0 where there are none.  turns: how often it is run in each
# round; ONCE: once in all, after the others, and stopped when that takes too long.
ONCE = 0


class Row(collections.namedtuple('Row', 'part group n who turns')):
    @property
    def asks(self):
        """Whether n is a number of servers."""
        return self.part == SELECTING or self.group in (SELECT_CHANNEL, SELECT_COUNT)


def rows():
    """Everything that is timed.  Rows of one table take turns, in this order."""
    yield Row(LISTING, '', 0, BARE, 20)
    yield Row(LISTING, '', 3, OURS, 20)
    yield Row(LISTING, '', 0, BARE_GROUPS, 20)
    yield Row(LISTING, '', 3, GROUPS, 20)
    yield Row(LISTING, '', 3, EVENT, 20)
    yield Row(LISTING, '', 3, PYTHON, 1)
    # the Python broker's time grows with the square of their number
    for n, ours, python in ((100, 20, 1), (1000, 5, 0.25), (10000, 3, ONCE)):
        yield Row(LISTING, '', n, OURS, ours)
        yield Row(LISTING, '', n, PYTHON, python)
    for group in DELAYS:
        for n in SERVERS:
            for who in LIBSSH, OURS, PYTHON:
                yield Row(SELECTING, group, n, who, 1)
    yield Row(SSHD, LIST_CHANNEL, 0, BARE, 5)
    for n, python in (3, 1), (1000, 0.25):
        yield Row(SSHD, LIST_CHANNEL, n, OURS, 5)
        yield Row(SSHD, LIST_CHANNEL, n, PYTHON, python)
    for n in 1, 32:
        for who in LIBSSH, OURS, PYTHON:
            yield Row(SSHD, SELECT_CHANNEL, n, who, 1)
    yield Row(SSHD, LIST_WHOLE, 0, BARE, 2)
    yield Row(SSHD, LIST_WHOLE, 3, OURS, 2)
    yield Row(SSHD, LIST_WHOLE, 3, PYTHON, 1)
    yield Row(COUNTS, LIST_COUNT, 0, BARE, 1)
    for n in PROFILES:
        yield Row(COUNTS, LIST_COUNT, n, OURS, 1)
    for who in LIBSSH, OURS:
        yield Row(COUNTS, SELECT_COUNT, 1, who, 1)


def tables(rows):
    """Lists of the rows that share a table."""
    grouped = collections.defaultdict(list)
    for row in rows:
        grouped[row.part, row.group].append(row)
    return list(grouped.values())


def key_of(row):
    return row[:4]


def turns_in(row, number):
    """How often a row runs in round number N, counted from 0."""
    return int(row.turns) if row.turns >= 1 else \
        int(row.turns > 0 and number % round(1 / row.turns) == 0)


def things(row):
    """'10,000 profiles', or '' for none."""
    if not row.n:
        return ''
    return '{:,} {}{}'.format(row.n, 'server' if row.asks else 'profile',
                              '' if row.n == 1 else 's')


# Samples, as run.c prints them

Sample = collections.namedtuple(
    'Sample', 'wall_ns user_us system_us memory_kib faults waits preempted')


def parse(text):
    """What run.c printed: {number of the command: [Sample]}."""
    samples = collections.defaultdict(list)
    for line in text.splitlines():
        number, *fields = map(int, line.split())
        samples[number].append(Sample(*fields))
    return samples


# Figures

Figure = collections.namedtuple('Figure', 'minimum median')


def figure(values):
    values = list(values)
    return Figure(min(values), statistics.median(values))


def wall_ms(samples):
    return figure(sample.wall_ns / 1e6 for sample in samples)


def cpu_ms(samples):
    """Processor time of the user and the system: only the sum is exact."""
    return figure((sample.user_us + sample.system_us) / 1e3 for sample in samples)


def memory_kib(samples):
    """None if it is unknown."""
    if samples[0].memory_kib is None:
        return None
    return figure(sample.memory_kib for sample in samples)


def over(one, other):
    """Minimum over minimum, and median over median."""
    return Figure(*(a / b for a, b in zip(one, other)))


def minus(one, other):
    return Figure(*(a - b for a, b in zip(one, other)))


class Results:
    """samples: {key: [Sample]}; stopped: {key: seconds after which it was stopped};
    counts: {key: instructions}."""

    def __init__(self):
        self.samples, self.stopped, self.counts = {}, {}, {}

    def wall(self, *of):
        """The figure of a row, or None if it was not measured."""
        samples = self.samples.get(of)
        return wall_ms(samples) if samples else None

    def cpu(self, *of):
        samples = self.samples.get(of)
        return cpu_ms(samples) if samples else None

    def memory(self, *of):
        samples = self.samples.get(of)
        return memory_kib(samples) if samples else None

    def base(self, row):
        """The row to compare with: the least that this request can cost."""
        who, n = (LIBSSH, row.n) if row.asks else \
            (BARE_GROUPS if row.who == GROUPS else BARE, 0)
        return self.wall(row.part, row.group, n, who)

    def python(self, row):
        return self.wall(row.part, row.group, row.n, PYTHON)


def ratio(one, other):
    return over(one, other) if one and other else None


def difference(one, other):
    return minus(one, other) if one and other else None


# Claims

MEGABYTES_4 = 4e6 / 1024                # in KiB
Claim = collections.namedtuple('Claim', 'part text unit measure holds limit')


def at_most(value, limit):
    return value <= limit


def at_least(value, limit):
    return value >= limit


def listing(n, who=OURS):
    return LISTING, '', n, who


def polling(group):
    return lambda results: ratio(results.wall(SELECTING, group, 32, OURS),
                                 results.wall(SELECTING, group, 32, LIBSSH))


CLAIMS = [
    Claim(LISTING, '3 profiles: at most 1.6 times the bare C program', 'times',
          lambda results: ratio(results.wall(*listing(3)),
                                results.wall(*listing(0, BARE))), at_most, 1.6),
    Claim(LISTING, '3 profiles: at least 100 times as fast as the Python broker',
          'times', lambda results: ratio(results.wall(*listing(3, PYTHON)),
                                         results.wall(*listing(3))), at_least, 100),
    Claim(LISTING, '3 profiles: at most 4 MB of memory', 'KiB',
          lambda results: results.memory(*listing(3)), at_most, MEGABYTES_4),
    Claim(LISTING, '10,000 profiles: at most 10 times as long as 1,000', 'times',
          lambda results: ratio(results.wall(*listing(10000)),
                                results.wall(*listing(1000))), at_most, 10),
    Claim(SELECTING, '32 servers that answer at once: at most 1.05 times libssh alone',
          'times', polling(AT_ONCE), at_most, 1.05),
    Claim(SELECTING, '32 servers that take 150 ms: at most 1.05 times libssh alone',
          'times', polling(REAL), at_most, 1.05),
    Claim(LISTING, 'clientevent: at most 3 times the CPU of a listing of 3 profiles',
          'times', lambda results: ratio(results.cpu(*listing(3, EVENT)),
                                         results.cpu(*listing(3))), at_most, 3),
]


class Verdict(collections.namedtuple('Verdict', 'claim measured by_minimum by_median')):
    @property
    def holds(self):
        return self.by_minimum and self.by_median



def judge(results):
    """A Verdict for each claim; measured None: its rows were not run."""
    verdicts = []
    for claim in CLAIMS:
        measured = claim.measure(results)
        held = [claim.holds(value, claim.limit) for value in measured] \
            if measured else [None, None]
        verdicts.append(Verdict(claim, measured, *held))
    return verdicts
