#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare the manual pages with the tables of the code.

    test_manual.py SOURCE_ROOT

Every key, option and task that stands in a table is an item of a page, with
the type and the default that it has there, and the other way round. Messages
that a page explains are in the code. All pages are clean to mandoc, have
examples, and name no path of somebody's machine.

Prints TAP. Needs mandoc.
"""

import collections
import functools
import os
import re
import shutil
import subprocess
import sys

ETC = '/etc/x2go'       # X2GO_ETC of an ordinary installation

Page = collections.namedtuple('Page', 'path text items')
# An .It line: its section, its .Cm or .Fl names, and what follows them.
Item = collections.namedtuple('Item', 'section subsection macro names rest')
Key = collections.namedtuple('Key', 'section name type default')


class Implausible(Exception):
    """A table or a page does not have the form that this test expects."""


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def check(complaints):
    """Print complaints as TAP comments.  Returns true if there are none."""
    for line in complaints:
        print('# ' + line)
    return not complaints


def compare(what, code, manual):
    """Complaints about differences between two collections of names."""
    twice = [name for name, n in collections.Counter(manual).items() if n > 1]
    return (['%s %s: not in the manual' % (what, name)
             for name in sorted(set(code) - set(manual))] +
            ['%s %s: in the manual, not in the code' % (what, name)
             for name in sorted(set(manual) - set(code))] +
            ['%s %s: twice in the manual' % (what, name) for name in twice])


# The tables of the code. A row contains no braces.

def table(root, path, name, row, at_least):
    """All matches of row in the C array of that name. Every row must match."""
    text = read(os.path.join(root, path))
    found = re.search(r'\b%s\[\w*\] = \{\n(.*?)\n\};' % name, text, re.S)
    if not found:
        raise Implausible('%s: no table %s[]' % (path, name))
    rows = list(re.finditer(row, found.group(1), re.S))
    braces = found.group(1).count('{')
    if len(rows) != braces or len(rows) < at_least:
        raise Implausible('%s: %s[] has %d rows, of which %d were understood; '
                          'at least %d are expected. Correct the test.' %
                          (path, name, braces, len(rows), at_least))
    return rows


def strings(path, text, pattern, at_least):
    found = sorted(set(re.findall('"(%s)"' % pattern, text)))
    if len(found) < at_least:
        raise Implausible('%s: %d strings like "%s", at least %d are expected.'
                          ' Correct the test.' %
                          (path, len(found), pattern, at_least))
    return found


def c_string(text):
    """The value of NULL, "text" or X2GO_ETC "text"."""
    if text is None or text == 'NULL':
        return None
    return text.replace('X2GO_ETC ', ETC).replace('"', '')


CONFIG_TYPES = {'BOOL': 'boolean', 'INT': 'number', 'TEXT': 'text', 'PATH': 'path',
                'IGNORED': None}


def config_type(row, source):
    kind, rest = row.group(3), row.group(5)
    if kind == 'MUST_BE':
        return c_string(row.group(4))
    if kind != 'WORD':
        return CONFIG_TYPES[kind]
    array = re.search(r'\.words = (\w+)', rest).group(1)
    words = re.search(r'%s\[\] = \{(.*?)\}' % array, source, re.S).group(1)
    return ' | '.join(sorted(filter(None, re.findall(r'"([^"]*)"', words))))


def config_keys(root):
    path = 'lib/config/config.c'
    source = read(os.path.join(root, path))
    row = (r'\{\s*"(\w+)",\s*"([\w-]+)",\s*([A-Z_]+)\b'
           r'(?:,\s*((?:X2GO_ETC )?"[^"]*"))?([^{}]*)\}')
    return [Key(r.group(1), r.group(2), config_type(r, source),
                c_string(r.group(4)))
            for r in table(root, path, 'rows', row, 40)]


PROFILE_TYPES = {'TEXT': 'text', 'BOOL': 'boolean', 'INT': 'number',
                 'FLAG': 'boolean | number', 'LIST': 'list',
                 'HOSTS': 'hosts', 'MODE': 'mode', 'POLICY': 'policy', 'KEY': 'key',
                 'NUMBERS': 'numbers'}


def profile_keys(root):
    row = (r'\{\s*"([\w-]+)",\s*(?:VALUE_)?([A-Z]+)\b'
           r'(?:,\s*(NULL|"[^"]*"))?([^{}]*)\}')
    keys = []
    for r in table(root, 'lib/config/profile.c', 'table', row, 40):
        if r.group(1).startswith('acl-'):
            continue
        is_port = re.search(r'\b1, 65535\b', r.group(4))
        keys.append(Key(None, r.group(1),
                        'port' if is_port else PROFILE_TYPES[r.group(2)],
                        c_string(r.group(3))))
    return keys


def acl_keys(root):
    path = 'lib/config/profile.c'
    return strings(path, read(os.path.join(root, path)),
                   'acl-[a-z]+-(?:allow|deny|order)', 10)


def python_keys(root):
    path = 'lib/config/config.c'
    return strings(path, read(os.path.join(root, path)), 'X2GOBROKER_[A-Z_]+',
                   4)


# The pages.

MACROS = {'Ar', 'Cm', 'Fl', 'No', 'Ns', 'Pq', 'Sy', 'Ta', 'Xo', 'Xc'}


def item_lines(lines):
    """Pairs of a request and its arguments, each .It Xo ... Xc as one .It."""
    joined = None
    for line in lines:
        request, _, rest = line[1:].partition(' ')
        if not line.startswith('.') or request.startswith('\\'):
            continue
        if joined is not None:
            if request == 'Xc':
                yield 'It', ' '.join(joined)
                joined = None
            else:
                joined += [request, rest]
        elif (request, rest) == ('It', 'Xo'):
            joined = []
        else:
            yield request, rest.strip()


def parse_item(section, subsection, rest):
    """The names of an item, which follow .Cm or each .Fl."""
    words = rest.split()
    macro, names = words[0], []
    i = 0
    if macro == 'Cm':
        i = 1
        while i < len(words) and words[i] not in MACROS:
            names += [words[i]] if words[i] != ',' else []
            i += 1
    elif macro == 'Fl':
        names = ['-' + word for before, word in zip(words, words[1:])
                 if before == 'Fl']
    return Item(section, subsection, macro, names, ' '.join(words[i:]))


@functools.lru_cache(maxsize=None)
def load_page(path):
    text, items, section, subsection = read(path), [], None, None
    for request, rest in item_lines(text.split('\n')):
        if request == 'Sh':
            section, subsection = rest, None
        elif request == 'Ss':
            subsection = rest.replace('\\&', '')
        elif request == 'It' and rest:
            items.append(parse_item(section, subsection, rest))
    return Page(path, text, items)


def pages(root):
    """The paths of all manual pages below cmd/ and lib/."""
    found = []
    for top in 'cmd', 'lib':
        for directory, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.join(directory, name) for name in names
                      if re.fullmatch(r'.+\.[1-8]', name)]
    if len(found) < 3:
        raise Implausible('only %d manual pages below cmd/ and lib/' %
                          len(found))
    return sorted(found)


def documented(page, wanted):
    """{(section of the file, key): item}, for items that wanted() takes."""
    keys = {}
    for item in page.items:
        if item.macro != 'Cm' or not wanted(item):
            continue
        found = re.fullmatch(r'\[(\w+)\]', item.subsection or '')
        for name in item.names:
            key = (found.group(1) if found else None, name)
            if key in keys:
                raise Implausible('%s: %s is there twice' % (page.path, name))
            keys[key] = item
    return keys


def described(rest):
    """Type and default of "No = Ar number Pq default: 5"."""
    found = re.fullmatch(r'(?:No =)?(.*?)(?:Pq default: (\S+))?', rest)
    if not found:
        return rest, None
    words = [word for word in found.group(1).split() if word not in MACROS]
    text = ' '.join(sorted(words, key=lambda w: (w == '|', w)))
    text = ' | '.join(text.replace('|', '').split())
    default = found.group(2)
    return text, '' if default == 'empty' else default


def full_name(section, name):
    return name if section is None else '[%s] %s' % (section, name)


def key_complaints(code, manual):
    """Complaints about keys: which there are, their types, their defaults."""
    by_name = {(key.section, key.name): key for key in code}
    complaints = compare('key', [full_name(*k) for k in by_name],
                         [full_name(*k) for k in manual])
    for name in by_name.keys() & manual.keys():
        key, (text, default) = by_name[name], described(manual[name].rest)
        if default != key.default:
            complaints.append('key %s: default %r in the manual, %r in the '
                              'code' %
                              (full_name(*name), default, key.default))
        if text != (key.type or ''):
            complaints.append('key %s: type %r in the manual, %r in the code' %
                              (full_name(*name), text, key.type))
    return complaints


# One function for each test point.

def test_config_keys(root):
    page = load_page(os.path.join(root, 'lib/x2gobroker.conf.5'))
    manual = documented(page, lambda i: i.section == 'SECTIONS AND KEYS')
    return key_complaints(config_keys(root), manual)


def test_python_defaults(root):
    page = load_page(os.path.join(root, 'lib/x2gobroker.conf.5'))
    manual = documented(page, lambda i: i.section != 'SECTIONS AND KEYS')
    return compare('key', python_keys(root), [name for _, name in manual])


def profile_page_keys(root, acl):
    page = load_page(os.path.join(root, 'lib/x2gobroker-sessionprofiles.5'))
    return documented(page,
                      lambda i: i.names[0].startswith('acl-') == acl)


def test_profile_keys(root):
    return key_complaints(profile_keys(root), profile_page_keys(root, False))


def test_acl_keys(root):
    return compare('key', acl_keys(root),
                   [name for _, name in profile_page_keys(root, True)])


def broker_page(root):
    return load_page(os.path.join(root, 'cmd/x2gobroker/x2gobroker.8'))


def test_options(root):
    row = r'\{\s*"([a-z-]+)",\s*(?:\'(.)\'|0),\s*(?:NULL|"\w+"),[^{}]*\}'
    code = []
    for r in table(root, 'cmd/x2gobroker/options.c', 'rows', row, 5):
        code.append('--' + r.group(1))
        if r.group(2):
            code.append('-' + r.group(2))
    return compare('option', code,
                   [name for item in broker_page(root).items
                    if item.macro == 'Fl' and item.section == 'DESCRIPTION'
                    for name in item.names])


def test_client_options(root):
    row = r'\{\s*"([a-z-]+)",\s*OPT_\w+\s*\}'
    return compare("client's option",
                   ['--' + r.group(1) for r in
                    table(root, 'lib/client/request.c', 'option_rows', row, 10)],
                   [name for item in broker_page(root).items
                    if item.macro == 'Fl' and item.section == 'CLIENT OPTIONS'
                    for name in item.names])


def test_tasks(root):
    path = os.path.join(root, 'lib/tasks')
    text = ''.join(read(os.path.join(path, name)) for name in os.listdir(path))
    # a form without a task is nothing that comes over SSH
    names = re.findall(r'^\t\.name = "([a-z]+)",\n(?!\t\.json_name = "")', text, re.M)
    if len(names) < 4:
        raise Implausible('lib/tasks: %d tasks were found' % len(names))
    return compare('task', names,
                   [name for item in broker_page(root).items
                    if item.macro == 'Cm' and item.section == 'TASKS'
                    for name in item.names])


def ctl_page(root):
    return load_page(os.path.join(root, 'cmd/x2gobrokerctl/x2gobrokerctl.8'))


def ctl_commands(root):
    """{command: its row in the code}"""
    row = r'\{\s*(?:"([a-z-]+)",\s*\w+_main,[^{}]*|\.name = NULL )\}'
    return {r.group(1): r.group(0) for r in
            table(root, 'cmd/x2gobrokerctl/main.c', 'commands', row, 10)
            if r.group(1)}


def items_of(page, macro, section):
    return [name for item in page.items
            if item.macro == macro and item.section == section
            for name in item.names]


def test_ctl_commands(root):
    page, code = ctl_page(root), ctl_commands(root)
    synopsis = re.search(r'(?ms)^\.Sh SYNOPSIS$(.*?)^\.Sh', page.text).group(1)
    return (compare('command', code, items_of(page, 'Cm', 'DESCRIPTION')) +
            compare('command in SYNOPSIS', code, re.findall(
                r'(?m)^\.Nm\n(?:\.Op Fl C Ar file\n)?\.Cm (\S+)', synopsis)) +
            compare('listing', [name for name in code if 'JSON' in code[name]],
                    items_of(page, 'Cm', 'JSON OUTPUT')))


def test_ctl_options(root):
    row = r'\{\s*"([a-z-]+)",\s*(?:\'(.)\'|0),\s*"([^"]*)",[^{}]*\}'
    code, valued = [], []
    for r in table(root, 'cmd/x2gobrokerctl/commands.c', 'command_options', row, 5):
        names = ['--' + r.group(1)] + (['-' + r.group(2)] if r.group(2) else [])
        code += names
        valued += names if r.group(3) else []
    items = [item for item in ctl_page(root).items
             if item.macro == 'Fl' and item.section == 'DESCRIPTION']
    return (compare('option', code, [name for item in items for name in item.names]) +
            compare('option with a value', valued, [
                name for item in items if 'Ar' in item.rest.split()
                for name in item.names]))


def agent_page(root):
    return load_page(os.path.join(root,
                                  'cmd/x2gobroker-agent/x2gobroker-agent.8'))


def test_agent_tasks(root):
    row = r'\{\s*(?:"([a-z_]+)"|AGENT_([A-Z_]+)),\s*"[^"]*"[^{}]*\}|\{ NULL \}'
    rows = table(root, 'cmd/x2gobroker-agent/task.c', 'tasks', row, 11)
    return compare('task',
                   [r.group(1) or r.group(2).lower() for r in rows[:-1]],
                   [name for item in agent_page(root).items
                    if item.macro == 'Cm' and item.section == 'TASKS'
                    for name in item.names])


def test_agent_options(root):
    path = 'cmd/x2gobroker-agent/main.c'
    return compare('option',
                   strings(path, read(os.path.join(root, path)), '--[a-z-]+=?',
                           2),
                   [name for item in agent_page(root).items
                    if item.macro == 'Fl' and item.section == 'OPTIONS'
                    for name in item.names])


def test_doctor_checks(root):
    row = r'\{\s*"([a-z-]+)",\s*check_\w+,[^{}]*\}'
    return compare('check', [r.group(1) for r in
                             table(root, 'cmd/x2gobrokerctl/doctor/doctor.c',
                                   'checks', row, 30)],
                   items_of(ctl_page(root), 'Cm', 'CHECKS OF DOCTOR'))


def source_text(root):
    """All C code, with string literals joined and quotes unescaped."""
    text = ''
    for directory in 'lib', 'cmd/common', 'cmd/x2gobroker':
        for here, _, names in sorted(os.walk(os.path.join(root, directory))):
            for name in sorted(names):
                if name.endswith('.c'):
                    text += read(os.path.join(here, name))
    return re.sub(r'"\s*\n\s*"', '', text).replace('\\"', '"')


def test_messages(root):
    """The fixed parts of the messages under DIAGNOSTICS are in the code."""
    found = re.search(r'(?ms)^\.Bl -diag$(.*?)^\.El$', broker_page(root).text)
    messages = re.findall(r'(?m)^\.It (.*)$', found.group(1) if found else '')
    if len(messages) < 20:
        raise Implausible('x2gobroker.8: %d messages, at least 20 are '
                          'expected' % len(messages))
    code, complaints = source_text(root), []
    for message in messages:
        parts = re.split(r'\b[A-Z]+\b|\.\.\.|; try --help',
                         message.replace('\\(dq', '"'))
        complaints += ['message "%s": "%s" is not in the code' %
                       (message, part) for part in
                       (part.strip(' :;') for part in parts)
                       if len(part) > 4 and part not in code]
    return complaints


def test_of(root, where, name):
    """Is name a function of that test: "e2e NAME", or FOLDER/NAME of the unit tests?"""
    folder, stem = where.split(' ') if ' ' in where else where.split('/')
    path = os.path.join(root, 'test/e2e/test_%s.py' % stem if folder == 'e2e' else
                        'test/unit/%s/test_%s.c' % (folder, stem))
    return os.path.exists(path) and re.search(r'(?m)^(def )?%s\(' % name, read(path))


def test_promises(root):
    """The tests that ATTACKS names exist."""
    tables = re.split(r'(?m)^\w+ +\| test$', read(os.path.join(root, 'test/e2e/ATTACKS')))
    rows = re.findall(r'(?m)^(.+?) +\| (.*)$', '\n'.join(tables[1:]))
    if len(tables) != 4 or len(rows) < 55:
        raise Implausible('ATTACKS: %d tables, %d rows' % (len(tables), len(rows)))
    return ['ATTACKS: "%s": no test %s' % (promise, name) for promise, names in rows
            for name in names.split('; ')
            if name != 'table 1' and not test_of(root, *name.split(': '))]


def test_lint(path):
    if shutil.which('mandoc') is None:
        return ['mandoc is not there; install it: apt-get install mandoc']
    done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8', check=False)
    # the index of manuals on this machine may be outdated
    complaints = [line for line in done.stdout.split('\n')
                  if line and 'outdated mandoc.db' not in line]
    if done.returncode != 0 and not complaints:
        complaints = ['mandoc ended with status %d' % done.returncode]
    return complaints


def test_sections(path):
    text = read(path)
    return ['no .Sh ' + name for name in ('EXAMPLES', 'SEE ALSO')
            if not re.search(r'(?m)^\.Sh %s$' % name, text)]


def test_references(root, path):
    """The pages of this project that a page refers to exist."""
    own = {os.path.basename(page) for page in pages(root)}
    return ['.Xr %s %s: there is no such page' % (name, section)
            for name, section in
            re.findall(r'(?m)^\.Xr (x2gobroker\S*) (\d)', read(path))
            if '%s.%s' % (name, section) not in own]


def test_machine_paths(root, path):
    text = read(path)
    found = re.findall(r'/(?:home|Users|root|work|tmp|mnt|media)/\w[^\s"]*',
                       text)
    if os.path.abspath(root) != '/' and os.path.abspath(root) in text:
        found.append(os.path.abspath(root))
    return ['%s: a path of somebody\'s machine' % name for name in found]


def points(root):
    yield 'keys of x2gobroker.conf', test_config_keys, (root,)
    yield 'keys of defaults.conf', test_python_defaults, (root,)
    yield 'keys of session profiles', test_profile_keys, (root,)
    yield 'keys of access lists', test_acl_keys, (root,)
    yield 'options of x2gobroker', test_options, (root,)
    yield "the client's options", test_client_options, (root,)
    yield 'tasks', test_tasks, (root,)
    yield 'messages of x2gobroker', test_messages, (root,)
    yield 'tests that ATTACKS names', test_promises, (root,)
    yield 'tasks of x2gobroker-agent', test_agent_tasks, (root,)
    yield 'options of x2gobroker-agent', test_agent_options, (root,)
    yield 'commands of x2gobrokerctl', test_ctl_commands, (root,)
    yield 'options of x2gobrokerctl', test_ctl_options, (root,)
    yield 'checks of x2gobrokerctl doctor', test_doctor_checks, (root,)
    for path in pages(root):
        name = os.path.relpath(path, root)
        yield name + ': mandoc has no complaints', test_lint, (path,)
        yield name + ': sections', test_sections, (path,)
        yield name + ': references', test_references, (root, path)
        yield name + ': machine-specific paths', test_machine_paths, (root,
                                                                      path)


def run(function, arguments):
    try:
        return check(function(*arguments))
    except (Implausible, OSError) as wrong:
        return check([str(wrong)])


def main():
    if len(sys.argv) != 2:
        print('Bail out! usage: test_manual.py SOURCE_ROOT')
        return 2
    number = failed = 0
    for name, function, arguments in points(sys.argv[1]):
        number += 1
        good = run(function, arguments)
        failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
    print('1..%d' % number)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
