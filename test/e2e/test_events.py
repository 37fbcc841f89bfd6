#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of 500 clients at once: none is lost, none is answered with an order for
somebody else, and no file is left over.

usage: test_events.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL [--minutes N]
       (or X2GOBROKER=PATH, X2GOBROKERCTL=PATH)

With --minutes, each client tells something every 15 seconds for so long, as the real
ones do, and the CPU time of an event is compared with that of a listing.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time

import brokerlab
import farmlab
import lab
from brokerlab import GRANTED, LIST

SESSIONS, AT_ONCE, ROUNDS = 500, 8, 2
INTERVAL = 15           # seconds, with --minutes
EVENT = ('x2gobroker --task clientevent --sid "%s" --event %s --server "ts01" '
         '--client "10.0.0.1" --login "x" --cmd "XFCE" --display "50" --start "x" '
         '--elapsed 15')
ORDERS = ('', 'SUSPEND', 'TERMINATE', '')


# A process of the broker account, which starts them faster than root can: jobs of a
# command, what the client sends, and when; so many at a time; their answers, and the
# CPU time of one.
DRIVER = '''
import concurrent.futures, json, resource, subprocess, sys, time

start = time.monotonic()

def run(job):
    time.sleep(max(0, start + job[2] - time.monotonic()))
    env = {'SSH_ORIGINAL_COMMAND': job[1], 'SSH_CONNECTION': '127.0.0.1 50000 ::1 22'}
    return subprocess.run(job[0], env=env, stdin=subprocess.DEVNULL, close_fds=False,
                          stdout=subprocess.PIPE).stdout.decode()

with concurrent.futures.ThreadPoolExecutor(%d) as pool:
    answers = list(pool.map(run, json.load(sys.stdin)))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump([answers, (used.ru_utime + used.ru_stime) / len(answers)], sys.stdout)
''' % AT_ONCE


class Crowd:
    def __init__(self, site, ctl):
        self.site, self.ctl = site, ctl
        names = farmlab.users(10)
        self.clients = [(names[i % len(names)], '%s-%d-17639309%02d_stDXFCE_dp24' % (
            names[i % len(names)], 50 + i, i % 100)) for i in range(SESSIONS)]

    def directory(self):
        return self.site.path('state/connected')

    def tell(self, event, among=None, seconds=0):
        """All tell it, within so many seconds: their answers."""
        return self.send([(user, EVENT % (session, event))
                          for user, session in among or self.clients], seconds)

    def send(self, commands, seconds=0):
        """What users send, (user, command); self.cost is the CPU time of one."""
        jobs = [(self.site.command('--user', user), command, i * seconds / len(commands))
                for i, (user, command) in enumerate(commands)]
        account = self.site.account
        done = subprocess.run(
            ['/usr/bin/python3', '-c', DRIVER], user=account.uid,
            group=account.gid, extra_groups=[], input=json.dumps(jobs), cwd='/',
            stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        answers, self.cost = json.loads(done.stdout)
        return [answer.encode() for answer in answers]

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

    def who(self, since=0):
        done = subprocess.run(
            [self.ctl, '-C', self.site.path('x2gobroker.conf'), 'who', '--json'],
            stdout=subprocess.PIPE, check=True, timeout=60)
        return sorted((row['user'], row['session'], row['event'])
                      for row in json.loads(done.stdout)['connected']
                      if row['seen'] >= int(since))


def wrong(answers, expected):
    return [pair for pair in zip(answers, expected) if pair[0] != pair[1]][:5]


def test_crowd(tap, crowd, rounds, seconds):
    granted, ordered, costs = [GRANTED] * SESSIONS, rounds // 2, []
    tap.equal(wrong(crowd.tell('CONNECTED'), granted), [], 'CONNECTED is granted to all')
    for number in range(rounds):
        if number == ordered:
            crowd.order()
        start = time.time()
        tap.equal(wrong(crowd.tell('ALIVE', seconds=seconds),
                        crowd.expected() if number >= ordered else granted),
                  [], 'round %d: everybody gets their own order, or none' % number)
        costs.append(crowd.cost)
        lost = {(*client, 'ALIVE') for client in crowd.clients} - set(crowd.who(start))
        tap.equal(sorted(lost)[:5], [], 'round %d: no event is lost' % number)
    for event, word in (('SUSPENDING', 'SUSPEND'), ('TERMINATING', 'TERMINATE')):
        obeys = [client for i, client in enumerate(crowd.clients) if ORDERS[i % 4] == word]
        tap.equal(set(crowd.tell(event, obeys)), {GRANTED}, event)
    tap.equal(wrong(crowd.tell('ALIVE'), granted), [], 'an order that was obeyed is over')
    tap.equal(set(crowd.tell('FINISHED')), {GRANTED}, 'FINISHED')
    tap.equal((crowd.who(), os.listdir(crowd.directory())), ([], []),
              'no file is left over')
    if seconds > 0:
        crowd.send([(user, LIST) for user, _ in crowd.clients], seconds)
        event, listing = 1000 * sum(costs) / len(costs), 1000 * crowd.cost
        tap.note('%d events: %.2f ms of CPU each, a listing without servers %.2f ms: '
                 '%.2f times' % (rounds * SESSIONS, event, listing, event / listing))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--minutes', type=int, default=0)
    options, sys.argv[1:] = parser.parse_known_args()
    with lab.Tap() as tap:
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL')
        if len(found) < 2 or not tap.need():
            return
        with lab.Account(shell='/bin/sh') as account, \
                farmlab.Site(found[0], account, 'nobody') as site, \
                tap.case('no step failed', site.log_text):
            # nobody is silent for three times as long here
            site.configure(client_events='true', liveevent=120)
            site.write('profiles.conf', '[desk]\nhost = desk\n'
                       'broker-agent-query-mode = NONE\n')
            test_crowd(tap, Crowd(site, found[1]), options.minutes * 60 // INTERVAL or
                       ROUNDS, INTERVAL if options.minutes else 0)


if __name__ == '__main__':
    main()
