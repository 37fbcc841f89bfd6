#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The farm when many select at once: they are spread over the servers as they should.

usage: test_farm_crowd.py PATH-TO-X2GOBROKER      (or X2GOBROKER=PATH)

They need the processors for themselves, so this is not a part of test_farm.py, which
runs beside others.
"""

import collections
import sys
import time

import farmlab

SERVERS = 6


def spread(tap, farm, count, at_once, expected, slack, name):
    """So many selections by users who have chosen nothing yet in their profile."""
    users = farmlab.users(15)
    wishes = [('desk%d' % (i // len(users)), users[i % len(users)])
              for i in range(count)]
    start = time.monotonic()
    got = farm.select_many(wishes, at_once)
    seconds = time.monotonic() - start
    found = collections.Counter(one.server for one in got)
    tap.ok(set(found) == set(expected) and
           all(abs(found[name] - n) <= slack for name, n in expected.items()),
           '%s: %d, %d at a time' % (name, count, at_once), dict(found),
           *[one.raw for one in got if one.server is None][:3],
           farm.site.log_text()[-3000:])
    tap.note('%s: %s in %.1f s' % (name, dict(sorted(found.items(), key=str)), seconds))


def test_many_here(tap, farm):
    """The agent is asked here, as the session database of all is."""
    here = farmlab.Played(farm.agent_program, farm.broker, farm.site.path('here'))
    weights = 'ts05:200, ts06:200'
    with farm.site.configured(default_agent_query_mode='LOCAL',
                              agent_command=here.program, load_balancing='sessions'):
        farm.profiles(*[farm.profile('desk%d' % i) for i in range(20)])
        spread(tap, farm, 150, 50, {server.name: 25 for server in farm.servers}, 3,
               'here, equal servers')
        farm.site.fresh_state()
        farm.profiles(*[farm.profile('desk%d' % i, broker_host_weights=weights)
                        for i in range(20)])
        spread(tap, farm, 150, 50, {server.name: 37.5 if server.name in weights else 18.75
                                    for server in farm.servers}, 3.75,
               'here, two of double weight')


def test_many(tap, farm):
    """50 at a time are 300 logins, which have to wait for a processor."""
    farm.site.patience = 150
    with farm.site.configured(agent_timeout=100, request_timeout=120):
        farm.profiles(*[farm.profile('desk%d' % i) for i in range(20)])
        spread(tap, farm, 150, 50, {server.name: 25 for server in farm.servers}, 3,
               'six equal servers')


if __name__ == '__main__':
    sys.exit(farmlab.run([test_many_here, test_many], SERVERS))
