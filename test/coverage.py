#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the coverage of the tests: enough of lib/, and every line of it that refuses
something.

    coverage.py SOURCE_ROOT BUILD_ROOT

BUILD_ROOT was built with -Db_coverage=true, and its tests have run.  Prints TAP, and
a table with it.  Needs gcovr.
"""

import json
import os
import re
import subprocess
import sys

from tap import Tap

LEAST = 95          # percent of the lines of lib/

# Lines that refuse something.  This includes a search that finds nothing and returns
# NULL or false.
REFUSAL = re.compile(
    r'\b(error_(set|errno|nomem)|report(_error)?|fail(_\w+)?|refuse)\('
    r'|\breturn (-1|false|NULL);'
    r'|\bresult = -1;|\b(failed|nomem) = true;')

# (file, function): why no test reaches these lines of the function.
UNREACHED = {
    ('lib/access/token.c', 'write_record'):
        'a name of so many bytes has been refused by then, as no file can have it',
    # No test makes these calls fail yet: unit/test_failing_calls.c and
    # unit/test_out_of_memory.c would be the places.
    ('lib/access/token.c', 'open_dir'): 'fstat(2) of a directory that was just opened',
    ('lib/agent/knownhosts.c', 'knownhosts_add'): 'pread(2) of the last byte',
    ('lib/autologin/autologin.c', 'format_line'): 'strftime(3) of the end of a key',
    ('lib/base/safefile.c', 'open_lock'): 'fchown(2) of a lock file that root makes',
    ('lib/base/textfile.c', 'textfile_read'): 'fstat(2) of a file that was just opened',
    ('lib/config/profiles.c', 'load_dir'): 'the growth of the list of files',
    ('lib/tasks/selectsession.c', 'selectsession_decide'): 'the growth of the answer',
}


def measure(source, build):
    """{file: {line: count}}, of all programs and tests together."""
    text = subprocess.run(
        ['gcovr', '--root', source, '--filter', re.escape(source) + '/lib/',
         '--filter', re.escape(source) + '/cmd/', '--json', '-', build],
        stdout=subprocess.PIPE, check=True).stdout
    return {file['file']: {line['line_number']: line['count']
                           for line in file['lines'] if not line['gcovr/noncode']}
            for file in json.loads(text)['files']}


def percent(counts):
    return 100 * sum(count > 0 for count in counts) / max(len(counts), 1)


def table(lines):
    """A line for each file that was not executed completely."""
    for name in sorted(lines):
        counts = lines[name].values()
        if 0 in counts:
            yield '%-36s %5d lines %6.1f %%' % (name, len(counts), percent(counts))


def whole_statement(text, number):
    """The statement that begins at that line.  The compiler counts its first line, but
    the refusal may be some lines below."""
    found = []
    for line in text[number - 1:number + 5]:
        found.append(line)
        if line.rstrip().endswith((';', '{', '}')):
            break
    return ' '.join(found)


def function_at(text, number):
    """The name of the function around a line.  Function names begin in column 1."""
    for line in reversed(text[:number]):
        found = re.match(r'(\w+)\(', line)
        if found:
            return found.group(1)
    return ''


def unseen_refusals(source, lines):
    """[(file, line, function, text)] of the lines that no test has executed."""
    found = []
    for name in sorted(lines):
        with open(os.path.join(source, name), encoding='utf-8') as file:
            text = file.read().split('\n')
        found += [(name, number, function_at(text, number), text[number - 1].strip())
                  for number, count in sorted(lines[name].items())
                  if count == 0 and REFUSAL.search(whole_statement(text, number))]
    return found


# What the search must find, and what it must not.
SAMPLES = [
    ('\tif (x)\n\t\treturn error_set(err, CODE,\n\t\t    "no");', 2, True),
    ('\tif (x)\n\t\treturn -1;', 2, True),
    ('\tif (x)\n\t\treturn NULL;', 2, True),
    ('\tif (x)\n\t\treport(rep, X, NULL, 0, "no");', 2, True),
    ('\tx = a != NULL ? 0 :\n\t    error_nomem(err);', 1, True),
    ('\treturn 0;\n}\nint\nf(void)\n{\n\treturn -1;', 1, False),
    ('\tclose(fd);\n\treturn -1;', 1, False),
    ('\treported(x);', 1, False),
]


def main():
    source, build = (os.path.realpath(path) for path in sys.argv[1:3])
    tap = Tap()
    for text, number, refuses in SAMPLES:
        found = bool(REFUSAL.search(whole_statement(text.split('\n'), number)))
        tap.ok(found == refuses, 'a refusal is known: %r' % text)
    lines = measure(source, build)
    lib = {name: lines[name] for name in lines if name.startswith('lib/')}
    cmd = {name: lines[name] for name in lines if name.startswith('cmd/')}
    shares = [percent([count for file in part.values() for count in file.values()])
              for part in (lib, cmd)]
    for line in table(lines):
        print('# ' + line)
    print('# lines executed: lib/ %.1f %%, cmd/ %.1f %%' % tuple(shares))
    tap.ok(shares[0] >= LEAST, '%.1f %% of the lines of lib/ are executed, of at '
           'least %d' % (shares[0], LEAST))
    unseen = unseen_refusals(source, lib)
    news = ['%s:%d: %s(): %s' % (name, number, function, text)
            for name, number, function, text in unseen
            if (name, function) not in UNREACHED]
    tap.ok(not news, 'all of lib/ that refuses was executed', *news)
    old = UNREACHED.keys() - {(name, function) for name, _, function, _ in unseen}
    tap.ok(not old, 'nothing is excused that was executed', *old)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
