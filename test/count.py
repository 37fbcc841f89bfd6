#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Count the test cases in meson's logs: "N passed, N failed".

usage: count.py STATUS LOG.junit.xml ...

STATUS is how meson itself ended; a failure that shows up in no log counts as
one.  A skipped case has not passed.  Only what compares with the Python broker may say
"not in this release" (lab.Tap.absent), and is counted on a line of its own.  Exit
status 1 when anything failed.  What the test itself has to say of a failure is
printed, too: the log may be all one gets.
"""

import sys
import xml.etree.ElementTree

LINES = 60      # of what is said of one failure


def said_of(name, output):
    """The comments that follow "not ok NAME" in a test's output, which is TAP."""
    lines = output.splitlines()
    if 'not ok ' + name not in lines:
        return []
    said = []
    for line in lines[lines.index('not ok ' + name) + 1:]:
        if not line.startswith('#'):
            break
        said.append(line)
    return said if len(said) <= LINES else said[:LINES] + ['# ...']


def is_absent(name, output):
    """Whether that is why it was skipped."""
    return 'ok %s # SKIP not in this release' % name in output.splitlines()


def count(path):
    passed = failed = absent = 0
    for suite in xml.etree.ElementTree.parse(path).iter('testsuite'):
        cases = list(suite.iter('testcase'))
        output = suite.findtext('system-out') or ''
        if not cases:
            print('%s: no test case was run' % suite.get('name'))
            failed += 1
        for case in cases:
            bad = [child.tag for child in case
                   if child.tag in ('failure', 'error', 'skipped')]
            if bad == ['skipped'] and is_absent(case.get('name'), output):
                absent += 1
            elif bad:
                print('%s: %s: %s' % (suite.get('name'), bad[0], case.get('name')),
                      *said_of(case.get('name'), output), sep='\n')
                failed += 1
            else:
                passed += 1
    return passed, failed, absent


def main():
    totals = [count(path) for path in sys.argv[2:]]
    passed = sum(total[0] for total in totals)
    failed = sum(total[1] for total in totals)
    absent = sum(total[2] for total in totals)
    if sys.argv[1] != '0' and failed == 0:
        failed = 1
    if absent:
        print('%d compare with packages that are not in this release' % absent)
    print('%d passed, %d failed' % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


if __name__ == '__main__':
    main()
