# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP output for tests that start no other processes; test/e2e has lab.Tap."""


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, *notes):
        """Print the result of one test point, and notes if it failed."""
        self.count += 1
        self.failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.count, name))
        for note in notes if not good else ():
            for line in str(note).splitlines():
                print('# ' + line)
        return good

    def end(self):
        """Print the plan.  Returns the exit status."""
        print('1..%d' % self.count)
        return 1 if self.failed else 0
