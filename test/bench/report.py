# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the results: as text, for test/bench/README, and as JSON."""

import json
import textwrap

import figures
from figures import (
    BARE, COUNTS, GROUPS, LIBSSH, LIST_CHANNEL, LIST_COUNT, LIST_WHOLE, LISTING,
    OURS, PYTHON, REAL, SELECT_CHANNEL, SELECTING, SSHD)

NOTES = {
    LISTING: '''\
Processes, from before the start to after the end, with fork, exec and linking;
the request comes as sshd hands it over, the answer goes to /dev/null.  CPU is
user and system time of the process.
''',
    SELECTING: '''\
The same.  The Python broker asks one of the servers, the others ask all.  This
machine plays the servers, too: their sshds take ten times the CPU of who asks.
''',
    SSHD: '''\
An OpenSSH client, from its start to its end, with a forced command behind it.  A
channel is one in a connection that is held open.  Agents take 150 ms.
''',
    COUNTS: '''\
In user space only, by valgrind's callgrind, one run each: what does not depend
on who else uses the machine, but a little on the length of /etc/passwd.
''',
}


def number(value):
    """Three significant digits; nothing for None."""
    if value is None:
        return ''
    if abs(value) < 1:
        return '%.3f' % value
    if abs(value) < 100:
        return '%.*f' % (2 if abs(value) < 10 else 1, value)
    return '{:,.0f}'.format(value)


def pair(figure):
    return [number(value) for value in figure or (None, None)]


def columns(widths, cells):
    """The first cell is left-aligned, the others right-aligned."""
    line = '%-*s' % (widths[0], cells[0])
    for width, cell in zip(widths[1:], cells[1:]):
        line += '%*s' % (width, ' ' + cell if cell else '')
    return line.rstrip() + '\n'


def with_headings(table, line_of):
    """A line for each row, with its number of profiles or servers above it."""
    text, last = '', 0
    for row in table:
        if row.n != last:
            text += figures.things(row) + '\n'
        last = row.n
        text += line_of(row, ('  ' if row.n else '') + row.who)
    return text


# Of each part

PROCESS_WIDTHS = 18, 7, 8, 7, 7, 7, 6, 7, 6, 7


def process_table(results, table):
    base = BARE if table[0].part == LISTING else LIBSSH
    text = columns((18, 15, 14, 7, 13, 13), [
        '', 'wall ms    ', 'cpu ms   ', 'peak', '/ %s   ' % base.split()[0],
        'Python /  '])
    text += columns(PROCESS_WIDTHS, ['', *['min', 'median'] * 2, 'KiB',
                                     *['min', 'median'] * 2])

    def line_of(row, name):
        key = figures.key_of(row)
        if key in results.stopped:
            return columns((18, 15, 15), [name, '> %s' % number(
                1e3 * results.stopped[key]), 'stopped there'])
        samples = results.samples[key]
        wall, memory = figures.wall_ms(samples), figures.memory_kib(samples)
        return columns(PROCESS_WIDTHS, [
            name, *pair(wall), *pair(figures.cpu_ms(samples)),
            '%d' % memory.median if memory else '',
            *pair(figures.ratio(wall, results.base(row))
                  if row.who in (OURS, GROUPS) else None),
            *pair(figures.ratio(results.python(row), wall)
                  if row.who == OURS else None)])

    return text + with_headings(table, line_of)


CHANNEL_WIDTHS = 18, 9, 9, 9, 9, 9, 9


def channel_table(results, table):
    text = columns((18, 18, 18, 18), [
        '', 'wall ms    ', 'ms more than ' + ('libssh' if table[0].asks else 'bare'),
        'Python /    '])
    text += columns(CHANNEL_WIDTHS, ['', *['min', 'median'] * 3])

    def line_of(row, name):
        wall = results.wall(*figures.key_of(row))
        return columns(CHANNEL_WIDTHS, [
            name, *pair(wall),
            *pair(figures.difference(wall, results.base(row))
                  if row.who not in (BARE, LIBSSH) else None),
            *pair(figures.ratio(results.python(row), wall)
                  if row.who == OURS else None)])

    return text + with_headings(table, line_of)


def count_table(results, table):
    text = columns((18, 16, 10), ['', 'instructions',
                                  '/ libssh' if table[0].asks else '/ bare'])

    def line_of(row, name):
        count = results.counts[figures.key_of(row)]
        least = results.counts.get((row.part, row.group, row.n, LIBSSH) if row.asks
                                   else (row.part, row.group, 0, BARE))
        return columns((18, 16, 10), [
            name, '{:,}'.format(count),
            number(count / least) if least and row.who == OURS else ''])

    return text + with_headings(table, line_of)


def measured(results, rows):
    return [row for row in rows if figures.key_of(row) in
            {**results.samples, **results.counts, **results.stopped}]


def verdict_text(verdict):
    text = 'claim     %s\n' % verdict.claim.text
    if not verdict.measured:
        return text + '          not measured\n'
    held = verdict.by_minimum, verdict.by_median
    for what, value, holds in zip(figures.Figure._fields, verdict.measured, held):
        text += '%-10s%s %s measured: %s\n' % (
            what, number(value), verdict.claim.unit,
            'holds' if holds else 'does NOT hold')
    return text


def claims(results):
    return 'Claims\n\n' + ''.join(map(verdict_text, figures.judge(results)))


def text(about, results):
    """The report."""
    lines = ''.join(textwrap.fill('%-14s%s' % item, 80, subsequent_indent=' ' * 14,
                                  break_on_hyphens=False) + '\n'
                    for item in about.items())
    part = None
    for table in figures.tables(measured(results, figures.rows())):
        row = table[0]
        lines += '\n' + ('%s\n%s\n%s' % (row.part, '=' * len(row.part),
                                         NOTES[row.part]) + '\n'
                         if row.part != part else '')
        lines += row.group + '\n' if row.group else ''
        part = row.part
        show = {SSHD: channel_table, COUNTS: count_table}.get(part, process_table)
        lines += show(results, table)
    return lines + '\n' + claims(results)


# For test/bench/README

README_WIDTHS = 36, 16, 16, 16
README_ROWS = [
    *[('listsessions, %s', LISTING, '', n) for n in figures.PROFILES],
    ('  3 profiles, through sshd', SSHD, LIST_CHANNEL, 3),
    ('  with a connection of its own', SSHD, LIST_WHOLE, 3),
    *[('selectsession, %s', SELECTING, REAL, n) for n in figures.SERVERS],
    ('  32 servers, through sshd', SSHD, SELECT_CHANNEL, 32),
]


def readme_line(results, label, part, group, n):
    row = figures.Row(part, group, n, OURS, 0)
    python = figures.key_of(row._replace(who=PYTHON))
    walls = results.base(row), results.wall(*figures.key_of(row)), results.wall(*python)
    cells = [' / '.join(pair(wall)) if wall else '-' for wall in walls]
    if python in results.stopped:
        cells[-1] = '> %s' % number(1e3 * results.stopped[python])
    return columns(README_WIDTHS, [
        label % figures.things(row) if '%' in label else label, *cells])


def readme_more(results):
    """Memory and instructions of a listing of 3 profiles."""
    keys = [(0, BARE), (3, OURS), (3, PYTHON)]
    memory = [results.memory(LISTING, '', *key) for key in keys]
    counts = [results.counts.get((COUNTS, LIST_COUNT, *key)) for key in keys]
    return columns(README_WIDTHS, [
        '3 profiles: memory, KiB', *('{:,.0f}'.format(figure.median) if figure else '-'
                                     for figure in memory)]) + \
        columns(README_WIDTHS, [
            '  instructions in user space', *('{:,}'.format(count) if count else '-'
                                              for count in counts)])


def readme(about, results):
    """The table of test/bench/README."""
    lines = columns(README_WIDTHS, ['milliseconds, minimum / median', 'the least',
                                    'x2gobroker', 'Python broker'])
    for row in README_ROWS:
        lines += readme_line(results, *row)
    lines += readme_more(results) + '\n'
    lines += ''.join(about[what] + '\n' for what in ('machine', 'system', 'run'))
    return ''.join(('    ' + line).rstrip() + '\n' for line in lines.splitlines())


# JSON

def of_figure(figure):
    return figure._asdict() if figure else None


def row_data(results, row):
    key = figures.key_of(row)
    data = dict(zip(('part', 'group', 'n', 'who'), key))
    samples = results.samples.get(key)
    if samples:
        data['runs'] = len(samples)
        data['wall_ms'] = of_figure(figures.wall_ms(samples))
        data['cpu_ms'] = of_figure(figures.cpu_ms(samples))
        data['memory_kib'] = of_figure(figures.memory_kib(samples))
        data['samples'] = [list(sample) for sample in samples]
    if key in results.counts:
        data['instructions'] = results.counts[key]
    if key in results.stopped:
        data['stopped_after_s'] = results.stopped[key]
    return data


def to_json(about, results):
    """Everything; fields has the names of the fields of a sample."""
    return json.dumps({
        'about': about,
        'fields': figures.Sample._fields,
        'rows': [row_data(results, row)
                 for row in measured(results, figures.rows())],
        'claims': [{'claim': verdict.claim.text, 'unit': verdict.claim.unit,
                    'limit': verdict.claim.limit,
                    'measured': of_figure(verdict.measured),
                    'holds_by_minimum': verdict.by_minimum,
                    'holds_by_median': verdict.by_median}
                   for verdict in figures.judge(results)],
    }, indent=None, separators=(',', ':')).replace('{"part"', '\n{"part"') + '\n'


def from_json(text):
    """Read the output of to_json(): (about, Results)."""
    data, results = json.loads(text), figures.Results()
    for row in data['rows']:
        key = row['part'], row['group'], row['n'], row['who']
        if 'samples' in row:
            results.samples[key] = [figures.Sample(*fields)
                                    for fields in row['samples']]
        if 'instructions' in row:
            results.counts[key] = row['instructions']
        if 'stopped_after_s' in row:
            results.stopped[key] = row['stopped_after_s']
    return data['about'], results
