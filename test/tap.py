# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP of the tests that start nothing which would have to be stopped again; those of
test/e2e have lab.Tap."""


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, *notes):
        """One line of the test; notes are printed only for a failure."""
        self.count += 1
        self.failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.count, name))
        for note in notes if not good else ():
            for line in str(note).splitlines():
                print('# ' + line)
        return good

    def end(self):
        """Print the plan.  The exit status."""
        print('1..%d' % self.count)
        return 1 if self.failed else 0
