#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Test the benchmark's arithmetic, tables and picture, with known samples.  Nothing
is timed here."""

import json
import pathlib
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'e2e')]

import figures      # noqa: E402
import lab          # noqa: E402
import plot         # noqa: E402
import report       # noqa: E402
from figures import (       # noqa: E402
    AT_ONCE, BARE, BARE_GROUPS, COUNTS, EVENT, GROUPS, LIBSSH, LIST_COUNT, LISTING, OURS,
    PYTHON, REAL, SELECTING)

ABOUT = {'machine': '2 x <CPU> & more', 'system': 'a system', 'run': 'today'}
SVG = '{http://www.w3.org/2000/svg}'


def samples(*milliseconds, memory=2000):
    return [figures.Sample(int(ms * 1e6), 100, 200, memory, 1, 1, 1)
            for ms in milliseconds]


def known():
    """Claims 1, 3 and 6 hold here, 2, 5 and 7 do not by one of their figures, and 4
    not at all."""
    results = figures.Results()
    results.samples = {
        (LISTING, '', 0, BARE): samples(1, 2, 9),
        (LISTING, '', 3, OURS): samples(2.9, 1.5, 3.1),
        (LISTING, '', 3, PYTHON): samples(225, 300),
        (LISTING, '', 3, EVENT): [
            figures.Sample(int(1e6), us, 0, 2000, 1, 1, 1) for us in (900, 901)],
        (LISTING, '', 0, BARE_GROUPS): samples(2, 3),
        (LISTING, '', 3, GROUPS): samples(3, 6),
        (LISTING, '', 1000, OURS): samples(4, 4.1),
        (LISTING, '', 10000, OURS): samples(41.6, 50, 60),
        (SELECTING, AT_ONCE, 32, LIBSSH): samples(100, 100),
        (SELECTING, AT_ONCE, 32, OURS): samples(106, 104.9, 140),
        (SELECTING, REAL, 32, LIBSSH): samples(100, 100),
        (SELECTING, REAL, 32, OURS): samples(105, 105),
    }
    results.stopped = {(LISTING, '', 10000, PYTHON): 60}
    results.counts = {(COUNTS, LIST_COUNT, 0, BARE): 1000,
                      (COUNTS, LIST_COUNT, 3, OURS): 2500}
    return results


def arithmetic(tap):
    tap.equal(figures.figure([3, 1, 2, 9]), (1, 2.5), 'minimum and median')
    tap.equal(figures.wall_ms(samples(4, 2, 3)), (2, 3), 'wall clock, in ms')
    tap.equal(figures.cpu_ms(samples(1)), (0.3, 0.3), 'CPU is user and system')
    tap.equal(figures.ratio((4, 9), (2, 3)), (2, 3),
              'a ratio is minimum over minimum and median over median')
    tap.equal(figures.difference((4, 9), (2, 3)), (2, 6), 'a difference, too')
    tap.equal(figures.ratio(None, (1, 1)), None, 'no ratio without samples')
    tap.equal(known().base(figures.Row(LISTING, '', 3, GROUPS, 1)), (2, 2.5),
              'look-ups of groups are compared with the same look-ups')
    text = '0 1500 1 2 3 4 5 6\n1 7 8 9 10 11 12 13\n0 2500 1 2 3 4 5 6\n'
    parsed = figures.parse(text)
    tap.equal([sample.wall_ns for sample in parsed[0]], [1500, 2500],
              "run.c's lines come to the command that they are of")
    tap.equal(parsed[1], [(7, 8, 9, 10, 11, 12, 13)], 'with all their fields')


def plan(tap):
    rows = list(figures.rows())
    keys = [figures.key_of(row) for row in rows]
    tap.equal(len(set(keys)), len(keys), 'no duplicate row')
    tap.equal(sum(map(len, figures.tables(rows))), len(rows), 'each is in a table')
    quarter = figures.Row(LISTING, '', 3, OURS, 0.25)
    tap.equal([figures.turns_in(quarter, number) for number in range(6)],
              [1, 0, 0, 0, 1, 0], 'a quarter of a turn is one in every fourth round')
    tap.equal([figures.turns_in(quarter._replace(turns=turns), 1)
               for turns in (20, 1, figures.ONCE)], [20, 1, 0],
              'others are in all rounds, and what is run once in none')


def verdicts(tap):
    found = figures.judge(known())
    tap.equal([(verdict.by_minimum, verdict.by_median) for verdict in found],
              [(True, True), (True, False), (True, True), (False, False),
               (True, False), (True, True), (True, False)],
              'claims are judged by both figures')
    tap.equal([verdict.holds for verdict in found],
              [True, False, True, False, False, True, False], 'and hold by both, or not')
    tap.equal({verdict.measured for verdict in figures.judge(figures.Results())},
              {None}, 'no verdict without samples')
    heavy = known()
    heavy.samples[LISTING, '', 3, OURS] = samples(1, memory=3907)
    tap.equal(figures.judge(heavy)[2].holds, False, '4 MB are 4,000,000 bytes')


def tables(tap):
    text = report.text(ABOUT, known())
    tap.equal(max(map(len, text.splitlines())) <= 80, True, 'it fits into 80 columns',
              text)
    line = [line.split() for line in text.splitlines()
            if line.startswith('  x2gobroker')][0]
    tap.equal(line[1:], ['1.50', '2.90', '0.300', '0.300', '2000', '1.50', '1.45',
                         '150', '90.5'], 'a line has the figures', text)
    tap.ok('> 60,000  stopped there\n' in text, 'what was stopped is not a figure',
           text)
    tap.ok('minimum   150 times measured: holds\n'
           'median    90.5 times measured: does NOT hold\n' in text,
           'claims are printed with their figures', text)
    tap.ok('2.50\n' in text, 'instructions are compared, too', text)
    small = report.readme(ABOUT, known())
    tap.equal(max(map(len, small.splitlines())) <= 88, True, 'it fits into test/bench/README', small)
    tap.ok('> 60,000' in small, 'it shows what was stopped', small)
    again = report.from_json(report.to_json(ABOUT, known()))
    tap.equal((again[0], vars(again[1])), (ABOUT, vars(known())),
              'JSON has every sample, and can be read again')
    data = json.loads(report.to_json(ABOUT, known()))
    tap.equal(data['rows'][1]['wall_ms'], {'minimum': 1.5, 'median': 2.9},
              'and the figures')


def picture(tap):
    root = xml.etree.ElementTree.fromstring(plot.picture(ABOUT, known()))
    tap.equal(root.tag, SVG + 'svg', 'the picture is well-formed')
    texts = [element.text for element in root.iter(SVG + 'text')]
    tap.ok(ABOUT['machine'] in texts, 'with all of a text', texts)
    tap.ok('1.50 ms / 2.90 ms' in texts, 'and the figures', texts)
    axis = plot.Axis([0.3, 20])
    tap.equal([axis.x(value) for value in (0.1, 100)], [plot.LEFT, plot.RIGHT],
              'an axis has whole decades')
    tap.equal(round(axis.x(1) - axis.x(0.1), 6), round(axis.x(100) - axis.x(10), 6),
              'of the same width')
    width, height = float(root.get('width')), float(root.get('height'))
    beyond = [element.attrib for element in root.iter()
              for x, y in (('x', 'y'), ('cx', 'cy'), ('x2', 'y2'))
              if not 0 <= float(element.get(x, 0)) <= width
              or not 0 <= float(element.get(y, 0)) <= height]
    tap.equal(beyond, [], 'nothing is beyond its edges')


def main():
    with lab.Tap() as tap:
        for test in arithmetic, plan, verdicts, tables, picture:
            with tap.case(test.__name__ + ': no step failed'):
                test(tap)


if __name__ == '__main__':
    main()
