# SPDX-License-Identifier: GPL-2.0-or-later
"""A picture of the results, in SVG: a panel for each table, a lane for each row, with
a dot for the minimum and a ring for the median on a logarithmic axis."""

import math
from xml.sax.saxutils import escape

import figures
from figures import (BARE, BARE_GROUPS, COUNTS, EVENT, GROUPS, LIBSSH, OURS,
                     PYTHON)

WIDTH, LEFT, RIGHT = 900, 250, 730     # of the axis: LEFT to RIGHT
LANE, GAP, MARGIN = 18, 7, 16
COLOURS = {BARE: '#7a7a7a', LIBSSH: '#7a7a7a', OURS: '#0b6bcb',
           BARE_GROUPS: '#a9a9a9', GROUPS: '#3f8f6f', EVENT: '#7a4fb0',
           PYTHON: '#d1660a'}
TITLES = {
    (figures.LISTING, ''): 'listsessions: a process',
    (figures.SELECTING, figures.AT_ONCE):
        'selectsession: a process, servers that answer at once',
    (figures.SELECTING, figures.REAL):
        'selectsession: a process, servers that take 150 ms',
    (figures.SSHD, figures.LIST_CHANNEL): 'listsessions: a channel through sshd',
    (figures.SSHD, figures.SELECT_CHANNEL):
        'selectsession: a channel through sshd, servers that take 150 ms',
    (figures.SSHD, figures.LIST_WHOLE): 'listsessions: a whole connection to sshd',
}
STYLE = ('text{font-family:"DejaVu Sans",Verdana,sans-serif;font-size:12px;fill:#222}'
         '.title{font-size:14px;font-weight:bold}.head{font-size:17px;font-weight:bold}'
         '.small{font-size:11px;fill:#555}')


class Drawing:
    """Elements, from top to bottom."""

    def __init__(self):
        self.parts, self.y = [], MARGIN

    def add(self, name, text=None, **attributes):
        words = ''.join(' %s="%s"' % (key.strip('_').replace('_', '-'),
                                      escape('%g' % value if isinstance(value, float)
                                             else str(value), {'"': '&quot;'}))
                        for key, value in attributes.items())
        self.parts.append('<%s%s/>' % (name, words) if text is None else
                          '<%s%s>%s</%s>' % (name, words, escape(text), name))

    def text(self, x, y, text, anchor='start', **more):
        self.add('text', text, x=x, y=y, text_anchor=anchor, **more)

    def line(self, x1, y1, x2, y2, colour, width=1):
        self.add('line', x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1),
                 y2=round(y2, 1), stroke=colour, stroke_width=width)

    def dot(self, x, y, colour):
        self.add('circle', cx=round(x, 1), cy=round(y, 1), r=4.5, fill=colour)

    def ring(self, x, y, colour):
        self.add('circle', cx=round(x, 1), cy=round(y, 1), r=4.5, fill='none',
                 stroke=colour, stroke_width=1.8)

    def svg(self):
        return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                'viewBox="0 0 %d %d">\n<style>%s</style>\n'
                '<rect width="100%%" height="100%%" fill="#fff"/>\n%s\n</svg>\n' % (
                    WIDTH, self.y, WIDTH, self.y, escape(STYLE), '\n'.join(self.parts)))


class Axis:
    """Whole decades around the values, in milliseconds."""

    def __init__(self, values):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)

    def x(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return LEFT + share * (RIGHT - LEFT)

    def ticks(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]

    def lesser(self):
        return [digit * 10.0 ** power for power in range(self.low, self.high)
                for digit in range(2, 10)]


def amount(ms):
    """With its unit: 0.25 ms, 1.5 s."""
    value, unit = (ms / 1000, 's') if ms >= 1000 else (ms, 'ms')
    return '%s %s' % ('%.2f' % value if value < 10 else '%.*f' % (value < 100, value),
                      unit)


def tick_label(ms):
    return '%g %s' % ((ms / 1000, 's') if ms >= 1000 else (ms, 'ms'))


def values_of(results, table):
    """{row: Figure in ms}; a single number if it was stopped."""
    found = {}
    for row in table:
        key = figures.key_of(row)
        wall = results.wall(*key)
        if wall:
            found[row] = wall
        elif key in results.stopped:
            found[row] = (1e3 * results.stopped[key],)
    return found


def lane(drawing, axis, row, value, named):
    y, colour = drawing.y + LANE / 2, COLOURS[row.who]
    if named:
        drawing.text(MARGIN, y + 4, figures.things(row), font_weight='bold')
    drawing.text(LEFT - 12, y + 4, row.who, 'end')
    x = axis.x(value[0])
    drawing.line(LEFT, y, x, y, colour, 1)
    if len(value) == 1:
        drawing.add('path', d='M%.1f %.1fl10 5l-10 5z' % (x - 5, y - 5), fill=colour)
        drawing.text(RIGHT + 12, y + 4, 'stopped after %s' % tick_label(value[0]))
    else:
        drawing.line(x, y, axis.x(value[1]), y, colour, 2.5)
        drawing.add('circle', cx=round(axis.x(value[1]), 1), cy=y, r=4.5, fill='#fff')
        drawing.ring(axis.x(value[1]), y, colour)
        drawing.dot(x, y, colour)
        drawing.text(RIGHT + 12, y + 4, '%s / %s' % tuple(map(amount, value)))
    drawing.y += LANE


def grid(drawing, axis, top, bottom):
    for value in axis.lesser():
        drawing.line(axis.x(value), top, axis.x(value), bottom, '#f0f0f0')
    for value in axis.ticks():
        drawing.line(axis.x(value), top, axis.x(value), bottom, '#cccccc')
        drawing.text(round(axis.x(value), 1), bottom + 14, tick_label(value), 'middle',
                     class_='small')


def panel(drawing, title, values):
    axis = Axis([number for value in values.values() for number in value])
    rows = list(values)
    gaps = sum(row.n != before.n for row, before in zip(rows[1:], rows))
    drawing.y += 26
    drawing.text(MARGIN, drawing.y, title, class_='title')
    drawing.y += 10
    grid(drawing, axis, drawing.y, drawing.y + LANE * len(rows) + GAP * gaps)
    last = None
    for row, value in values.items():
        if last is not None and row.n != last:
            drawing.y += GAP
        lane(drawing, axis, row, value, row.n != last)
        last = row.n
    drawing.y += 18


def legend(drawing, about, whos):
    drawing.y += 10
    drawing.text(MARGIN, drawing.y, 'What a request costs: wall clock time, '
                 'minimum / median', class_='head')
    for what in 'machine', 'system', 'run':
        drawing.y += 17
        drawing.text(MARGIN, drawing.y, about.get(what, ''), class_='small')
    drawing.y += 24
    x = MARGIN + 5
    for who in whos:
        drawing.dot(x, drawing.y - 4, COLOURS[who])
        drawing.text(x + 10, drawing.y, who)
        x += 34 + 6.6 * len(who)
    drawing.ring(x, drawing.y - 4, '#222')
    drawing.text(x + 10, drawing.y, 'median; the axes are logarithmic')
    drawing.y += 4


def picture(about, results):
    tables = [(TITLES[table[0].part, table[0].group], values_of(results, table))
              for table in figures.tables(figures.rows()) if table[0].part != COUNTS]
    tables = [(title, values) for title, values in tables if values]
    drawing = Drawing()
    met = {row.who for _, values in tables for row in values}
    legend(drawing, about, [who for who in COLOURS if who in met])
    for title, values in tables:
        panel(drawing, title, values)
    drawing.y += MARGIN - 8
    return drawing.svg()
