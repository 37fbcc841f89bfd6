#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of 500 clients at once: none is lost, none is answered with an order for
somebody else, and no file is left over.

usage: test_events.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL
       (or X2GOBROKER=PATH, X2GOBROKERCTL=PATH)
"""

import hashlib
import json
import os
import subprocess

import brokerlab
import farmlab
import lab
from brokerlab import GRANTED

SESSIONS, AT_ONCE, ROUNDS = 500, 8, 2
EVENT = ('x2gobroker --task clientevent --sid "%s" --event %s --server "ts01" '
         '--client "10.0.0.1" --login "x" --cmd "XFCE" --display "50" --start "x" '
         '--elapsed 15')
ORDERS = ('', 'SUSPEND', 'TERMINATE', '')


# A process of the broker account, which starts them faster than root can: jobs of a
# command and what the client sends, so many at a time, and their answers.
DRIVER = '''
import concurrent.futures, json, subprocess, sys

def run(job):
    env = {'SSH_ORIGINAL_COMMAND': job[1], 'SSH_CONNECTION': '127.0.0.1 50000 ::1 22'}
    return subprocess.run(job[0], env=env, stdin=subprocess.DEVNULL, close_fds=False,
                          stdout=subprocess.PIPE).stdout.decode()

with concurrent.futures.ThreadPoolExecutor(%d) as pool:
    json.dump(list(pool.map(run, json.load(sys.stdin))), sys.stdout)
''' % AT_ONCE


class Crowd:
    def __init__(self, site, ctl):
        self.site, self.ctl = site, ctl
        names = farmlab.users(10)
        self.clients = [(names[i % len(names)], '%s-%d-17639309%02d_stDXFCE_dp24' % (
            names[i % len(names)], 50 + i, i % 100)) for i in range(SESSIONS)]

    def directory(self):
        return self.site.path('state/connected')

    def tell(self, event, among=None):
        """All tell it, so many at a time: their answers."""
        jobs = [(self.site.command('--user', user), EVENT % (session, event))
                for user, session in among or self.clients]
        account = self.site.account
        done = subprocess.run(
            ['/usr/bin/python3', '-c', DRIVER], user=account.uid,
            group=account.gid, extra_groups=[], input=json.dumps(jobs), cwd='/',
            stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        return [answer.encode() for answer in json.loads(done.stdout)]

    def order(self):
        """An order waits for every other client, as x2gobrokerctl leaves it there."""
        for i, (user, session) in enumerate(self.clients):
            if ORDERS[i % 4]:
                name = hashlib.sha256(b'%s\0%s' % (user.encode(), session.encode()))
                os.symlink(ORDERS[i % 4], os.path.join(
                    self.directory(), name.hexdigest() + '.order'))

    def expected(self):
        return [GRANTED + (b'%s %s\n' % (ORDERS[i % 4].encode(), session.encode())
                           if ORDERS[i % 4] else b'')
                for i, (_, session) in enumerate(self.clients)]

    def who(self):
        done = subprocess.run(
            [self.ctl, '-C', self.site.path('x2gobroker.conf'), 'who', '--json'],
            stdout=subprocess.PIPE, check=True, timeout=60)
        return sorted((row['user'], row['session'], row['event'])
                      for row in json.loads(done.stdout)['connected'])


def wrong(answers, expected):
    return [pair for pair in zip(answers, expected) if pair[0] != pair[1]][:5]


def test_crowd(tap, crowd):
    granted = [GRANTED] * SESSIONS
    tap.equal(wrong(crowd.tell('CONNECTED'), granted), [], 'CONNECTED is granted to all')
    for number in range(ROUNDS):
        if number == 1:
            crowd.order()
        tap.equal(wrong(crowd.tell('ALIVE'), crowd.expected() if number > 0 else granted),
                  [], 'round %d: everybody gets their own order, or none' % number)
        tap.equal(crowd.who(), sorted((*client, 'ALIVE') for client in crowd.clients),
                  'round %d: no event is lost' % number)
    for event, word in (('SUSPENDING', 'SUSPEND'), ('TERMINATING', 'TERMINATE')):
        obeys = [client for i, client in enumerate(crowd.clients) if ORDERS[i % 4] == word]
        tap.equal(set(crowd.tell(event, obeys)), {GRANTED}, event)
    tap.equal(wrong(crowd.tell('ALIVE'), granted), [], 'an order that was obeyed is over')
    tap.equal(set(crowd.tell('FINISHED')), {GRANTED}, 'FINISHED')
    tap.equal((crowd.who(), os.listdir(crowd.directory())), ([], []),
              'no file is left over')


def main():
    with lab.Tap() as tap:
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL')
        if len(found) < 2 or not tap.need():
            return
        with lab.Account(shell='/bin/sh') as account, \
                farmlab.Site(found[0], account, 'nobody') as site, \
                tap.case('no step failed', site.log_text):
            # nobody is silent for three times as long here
            site.configure(client_events='true', liveevent=120)
            test_crowd(tap, Crowd(site, found[1]))


if __name__ == '__main__':
    main()
