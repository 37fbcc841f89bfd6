#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Automatic logins of many at once: each gets a key that lets in, and nothing is left.

usage: test_autologin_crowd.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKER-AGENT

Nothing else may need the processors meanwhile, so this is not a part of
test_autologin.py, which runs beside others.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import threading
import time

import autologinlab
import lab
from autologinlab import FILE, STORE, mode, stored

OWN_LINES = (
    None, '\n', '# mine\n',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ '
    'me@home\n',
    'no end of line', 'restrict,pty\tgarbage \r\n\r\n', '\n\n# x2gobroker:me\n\n')


def prepare(account, text):
    if text is None:
        return
    account.put(FILE, text, 0o644)
    os.utime(os.path.join(account.home, FILE), (10 ** 9, 10 ** 9))


def look(account):
    """All there is to be seen of the file, but the time."""
    path = os.path.join(account.home, FILE)
    if not os.path.exists(path):
        return sorted(os.listdir(os.path.dirname(path))) \
            if os.path.exists(os.path.dirname(path)) else []
    return pathlib.Path(path).read_bytes(), mode(path), os.listdir(
        os.path.dirname(path))


def test_crowd(tap, world, n=50, times=20):
    """So many at once, and one of them so often at once."""
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(lab.Account(prefix='x2gocrowd')) for _ in range(n)]
        busy = stack.enter_context(lab.Account())
        for i, user in enumerate(users):
            prepare(user, OWN_LINES[i % len(OWN_LINES)])
        prepare(busy, OWN_LINES[3])
        before = [look(user) for user in [*users, busy]]
        tap.note('%d accounts: %.1f s' % (n + 1, time.monotonic() - start))
        # a machine that is busy with other things may take its time
        world.site.configure(autologin_key_lifetime=600, agent_timeout=100,
                             requests_per_user=40,
                             request_timeout=120)
        world.site.patience = 150
        crowd(tap, world, users)
        again_and_again(tap, world, busy, times)
        after = [look(user) for user in [*users, busy]]
        tap.equal([i for i, (a, b) in enumerate(zip(before, after)) if a != b], [],
                  'nothing was written into home directories',
                  *[(a, b) for a, b in zip(before, after) if a != b][:2])
        # ten minutes later
        for path in pathlib.Path(STORE, 'keys').iterdir():
            os.utime(path, (time.time(), path.stat().st_mtime - 600))
        time.sleep(1)
        world.select()
        tap.equal((list(stored()), sorted(os.listdir(STORE))),
                  ([world.user.name], ['.lock', 'keys', 'sshd']),
                  'when the next key is added, nothing else is left', stored())


def crowd(tap, world, users):
    doors = threading.Semaphore(4)

    def click(user):
        given = world.select('desk', user)
        with doors:
            return given, bool(given.key) and world.gets_in(given.key, user)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
        given, got_in = zip(*pool.map(click, users))
    tap.note('%d users at once: %.1f s with their logins, keys after %.1f to %.1f s' % (
        len(users), time.monotonic() - start, min(one.raw.seconds for one in given),
        max(one.raw.seconds for one in given)))
    tap.equal(len({one.key for one in given if one.key}), len(users),
              '%d users at once: each gets a key' % len(users), world.log())
    tap.equal(got_in.count(True), len(users), '%d users at once: each key lets in' %
              len(users), world.server.log_tail(10))


def again_and_again(tap, world, user, times):
    start = time.monotonic()
    with world.site.configured(autologin_key_type='ed25519'), \
            concurrent.futures.ThreadPoolExecutor(times) as pool:
        given = list(pool.map(lambda _: world.select('desk', user), range(times)))
    tap.note('one user %d times at once: %.1f s' % (times, time.monotonic() - start))
    tap.equal(len({one.key for one in given if one.key}), times,
              'one user %d times at once: a key each time' % times, world.log())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got_in = list(pool.map(lambda one: one.key and world.gets_in(one.key, user),
                               given))
    tap.equal(got_in.count(True), times, 'one user %d times at once: each key lets in' %
              times, world.server.log_tail(10))


if __name__ == '__main__':
    autologinlab.run([(test_crowd, None)])
