#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of the folders, which is the architecture, is kept.

    test_layers.py SOURCE_ROOT BUILD_ROOT

A folder of lib/ includes only folders below it; agent/ and access/ do not know each
other; a program of cmd/ includes its own files, cmd/common, lib/base and the public
headers; no files of a program call each other in a circle, and no function of lib/
is called from below.  Lines have up to 80 columns and functions up to 60 lines.  Each
rule is first shown a file that breaks it.  Prints TAP.  Needs binutils.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from tap import Tap

# From the top to the ground; folders of one row do not know each other.
FLOORS = [['tasks'], ['autologin'], ['farm'], ['agent', 'access'], ['config'],
          ['client'], ['base']]
FLOOR = {name: len(FLOORS) - i for i, row in enumerate(FLOORS) for name in row}
PUBLIC = {'x2gobroker.h', 'x2gobroker_admin.h'}
# These are the other side of what agent/ speaks with.
WIRE = dict.fromkeys(['x2gobroker-agent', 'x2gobroker-poll', 'x2gobroker-sessiondb'],
                     'agent')


COLUMNS, LINES = 80, 60


def may_include(source, included):
    """Why the file source (below the source root) may not include that header, or
    None.  Both are paths such as lib/farm/poll.c and agent/ssh.h."""
    part = pathlib.PurePath(source).parts
    target = pathlib.PurePath(included).parts
    if included in PUBLIC:
        return None
    folder = target[0] if len(target) > 1 else None
    if part[0] == 'lib' and len(part) == 3:
        if folder is None:
            return 'an include of lib/ carries its folder'
        if folder not in FLOOR:
            return 'lib/ has no folder ' + folder
        if part[1] != folder and FLOOR[part[1]] <= FLOOR[folder]:
            return '%s/ is not below %s/' % (folder, part[1])
    if part[0] == 'cmd':
        if folder in FLOOR and folder not in ('base', WIRE.get(part[1])):
            return 'a program asks the library by its public headers'
        if folder is not None and folder.startswith('x2gobroker') and folder != part[1]:
            return 'that belongs to another program'
        if '..' in target and part[1] not in os.path.normpath(
                os.path.join(os.path.dirname(source), included)).split('/')[1:2]:
            return 'that belongs to another program'
    return None


def includes(root):
    """(file, line, header) of all that lib/ and cmd/ include of ours."""
    for top in 'lib', 'cmd':
        for path in sorted(pathlib.Path(root, top).rglob('*.[ch]')):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = re.match(r'#\s*include "([^"]+)"', line)
                if found:
                    yield str(path.relative_to(root)), number, found.group(1)


def circles(calls):
    """Groups of nodes that reach each other, of {node: set of nodes} (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in calls.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in list(calls):
        if node not in index:
            visit(node)
    return found


def calls_between(objects):
    """{object: {object it takes a function or a table from: name}}"""
    text = subprocess.run(['nm', '-A', '-P', '-g', *objects], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    rows = [re.match(r'(.*): (\S+) (\S)', line).groups() for line in text.splitlines()]
    home = {name: obj for obj, name, kind in rows if kind not in 'Uwv'}
    calls = {obj: {} for obj in objects}
    for obj, name, kind in rows:
        if kind in 'Uwv' and home.get(name, obj) != obj:
            calls[obj].setdefault(home[name], name)
    return calls


def objects_of(build):
    """{target of lib/ and cmd/: {object file: source below the source root}}, as meson
    knows them; files that an older build has left are none of them."""
    targets = json.loads(pathlib.Path(build, 'meson-info/intro-targets.json').read_text())
    found = {}
    for target in targets:
        defined = pathlib.Path(target['defined_in']).parent
        where = pathlib.Path(target['filename'][0])
        if where.relative_to(os.path.abspath(build)).parts[0] not in ('lib', 'cmd'):
            continue
        for group in target['target_sources']:
            for source in group.get('sources', ()):
                name = os.path.relpath(source, defined).replace('/', '_') + '.o'
                obj = where.parent / (where.name + '.p') / name
                if obj.exists():
                    found.setdefault(target['name'], {})[str(obj)] = str(
                        pathlib.Path(source).relative_to(os.path.commonpath(
                            [source, target['defined_in']])))
    return found


def test_rules_can_fail(tap):
    for source, header in (
            ('lib/base/buf.c', 'farm/poll.h'), ('lib/access/acl.c', 'agent/ssh.h'),
            ('lib/agent/ssh.c', 'access/acl.h'), ('lib/farm/poll.h', 'tasks/answer.h'),
            ('lib/config/profile.c', 'access/acl.h'), ('lib/farm/poll.c', 'poll.h'),
            ('lib/base/buf.c', 'newroom/thing.h'),
            ('cmd/x2gobroker/main.c', 'farm/poll.h'),
            ('cmd/x2gobroker/main.c', 'x2gobroker-pam/helper.h'),
            ('cmd/x2gobroker/main.c', '../x2gobroker-pam/helper.h'),
            ('cmd/x2gobroker-poll/main.c', 'farm/farm.h'),
            ('cmd/x2gobrokerctl/doctor/user.c', '../../x2gobroker/options.h')):
        tap.ok(may_include(source, header), '%s may not include %s' % (source, header))
    for source, header in (
            ('lib/farm/poll.c', 'farm/query.h'), ('lib/tasks/answer.c', 'base/buf.h'),
            ('lib/farm/poll.c', 'x2gobroker.h'), ('cmd/x2gobroker/main.c', 'identity.h'),
            ('cmd/x2gobroker/main.c', 'common/priv.h'),
            ('cmd/x2gobroker-poll/main.c', 'agent/record.h'),
            ('cmd/x2gobrokerctl/doctor/user.c', '../servers.h'),
            ('cmd/x2gobroker/log.c', 'base/spawn.h')):
        tap.ok(not may_include(source, header), '%s may include %s' % (source, header))
    tap.ok(circles({'a': {'b'}, 'b': {'c'}, 'c': {'a'}, 'd': {'a'}}) == [['a', 'b', 'c']],
           'a circle of three files is found')
    tap.ok(circles({'a': {'b', 'c'}, 'b': {'c'}, 'c': {}}) == [],
           'files that call downward are no circle')


def test_includes(tap, root):
    found = list(includes(root))
    tap.ok(len(found) > 300, 'the includes of lib/ and cmd/ are read', len(found))
    wrong = ['%s:%d: "%s": %s' % (*row, may_include(row[0], row[2])) for row in found
             if may_include(row[0], row[2])]
    tap.ok(not wrong, 'a folder includes only what is below it', *wrong)
    folders = {path.name for path in pathlib.Path(root, 'lib').iterdir() if path.is_dir()}
    tap.ok(folders == set(FLOOR), 'lib/ has these eight folders', sorted(folders))


def test_library_calls(tap, targets):
    objects = {**targets['x2gobroker-base'], **targets['x2gobroker-objects']}
    tap.ok(len(objects) > 40, 'the objects of the library are found', *objects)
    wrong = []
    for obj, others in calls_between(objects).items():
        for other, name in others.items():
            here, there = (objects[path].split('/')[0] for path in (obj, other))
            if here != there and FLOOR.get(here, 9) <= FLOOR.get(there, 0):
                wrong.append('%s takes %s from %s' % (objects[obj], name, objects[other]))
    tap.ok(not wrong, 'no function of lib/ is called from below it', *wrong)


def test_program_calls(tap, targets):
    programs = {name: objects for name, objects in targets.items()
                if any('main.c' in obj for obj in objects)}
    tap.ok(len(programs) >= 4, 'the objects of the programs are found', *programs)
    for program, objects in sorted(programs.items()):
        groups = circles(calls_between(objects))
        tap.ok(not groups, 'no files of %s call each other in a circle' % program,
               *(' '.join(map(os.path.basename, group)) for group in groups))


def too_long(text):
    """What is too long for a screen: (line number, what)."""
    begin = 0
    for number, line in enumerate(text.split('\n'), 1):
        if len(line.expandtabs(8)) > COLUMNS:
            yield number, 'a line of %d columns' % len(line.expandtabs(8))
        if line == '{':
            begin = number
        if line == '}' and begin and number - begin > LINES:
            yield begin, 'a function of %d lines' % (number - begin)
        begin = 0 if line == '}' else begin


def test_screens(tap, root):
    tap.ok([what for _, what in too_long('\t' * 10 + 'x\n{\n' + '\n' * 70 + '}\n')] ==
           ['a line of 81 columns', 'a function of 71 lines'],
           'a long line and a long function are found')
    wrong = ['%s:%d: %s' % (path.relative_to(root), *found)
             for folder in ('lib', 'cmd') for path in sorted(
                 pathlib.Path(root, folder).rglob('*.[ch]'))
             for found in too_long(path.read_text())]
    tap.ok(not wrong, 'lines and functions of lib/ and cmd/ fit a screen', *wrong)


def main():
    root, build = sys.argv[1:]
    tap = Tap()
    test_rules_can_fail(tap)
    test_screens(tap, root)
    test_includes(tap, root)
    targets = objects_of(build)
    test_library_calls(tap, targets)
    test_program_calls(tap, targets)
    return tap.end()


sys.exit(main())
