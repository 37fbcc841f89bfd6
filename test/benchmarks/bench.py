#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a listing costs, beside a bare C program and the Python broker.

usage: bench.py RUN BARE X2GOBROKER [--rounds N]

RUN and BARE are built from run.c and bare.c; X2GOBROKER is best taken from an
installation, as in a build directory the dynamic linker has to search for the
library.  All programs take turns in one run, because machines have moods; the
ratios are those of the medians.  The Python broker is left out where Debian's
package x2gobroker is not installed.  A row without the sandbox is there because
the kernel takes a fixed time to install and remove a seccomp filter, of any size,
which can be more than half of what a bare program takes.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

PEER = '/usr/bin/x2gobroker'
CONF = '''\
[global]
profiles-dir = {dir}/{n}.d
account-check = never
[broker_inifile]
session-profiles = {dir}/none.conf
'''
PROFILE = '''\
[p{number}]
name = Profile {number}, first floor
host = server1 (192.0.2.1), server2 (192.0.2.2), server3
command = XFCE
acl-users-allow = root, alice, bob

'''


def make_profiles(directory, n):
    """n profiles, a hundred a file; returns the configuration file."""
    folder = pathlib.Path(directory, '%d.d' % n)
    folder.mkdir()
    for start in range(0, n, 100):
        text = '[DEFAULT]\nuser = BROKER_USER\n' + ''.join(
            PROFILE.format(number=number)
            for number in range(start, min(start + 100, n)))
        (folder / ('%06d.conf' % start)).write_text(text)
    conf = pathlib.Path(directory, '%d.conf' % n)
    conf.write_text(CONF.format(dir=directory, n=n))
    return str(conf)


def peer_command(directory, n):
    """The Python broker reads one file only."""
    profiles = pathlib.Path(directory, 'peer-%d.conf' % n)
    files = sorted(pathlib.Path(directory, '%d.d' % n).iterdir())
    profiles.write_text(files[0].read_text() + ''.join(
        file.read_text().split('\n', 2)[2] for file in files[1:]))
    return ['/usr/bin/env', '-i', 'LOGNAME=x2gobroker', 'PATH=/usr/bin:/bin',
            'X2GOBROKER_SESSIONPROFILES=%s' % profiles, PEER,
            '-C', str(pathlib.Path(directory, '%d.conf' % n)),
            '--user', 'root', '--task', 'listsessions']


def measure(run, command, count):
    lines = subprocess.run([run, str(count), *command], check=True, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=600).stdout.splitlines()
    return [tuple(map(int, line.split())) for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('run')
    parser.add_argument('bare')
    parser.add_argument('broker')
    parser.add_argument('--rounds', type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        pathlib.Path(directory, 'none.conf').write_text('')
        rows = [('bare C program', [args.bare], 10)]
        for n in (3, 100, 1000, 10000):
            conf = make_profiles(directory, n)
            rows.append(('x2gobroker, %d profiles' % n, [
                args.broker, '-C', conf, '--user', 'root', '--task',
                'listsessions'], 10 if n < 1000 else 1))
        bare_hands = pathlib.Path(directory, 'bare-hands.conf')
        bare_hands.write_text(pathlib.Path(directory, '3.conf').read_text().replace(
            '[global]', '[global]\nsandbox = false', 1))
        rows.insert(2, ('x2gobroker, 3, no sandbox', [
            args.broker, '-C', str(bare_hands), '--user', 'root', '--task',
            'listsessions'], 10))
        if os.path.exists(PEER):
            rows.append(('Python broker, 3 profiles', peer_command(directory, 3), 1))
        results = {name: [] for name, _, _ in rows}
        for _ in range(args.rounds):
            for name, command, count in rows:
                results[name] += measure(args.run, command, count)
    bare = statistics.median(run[0] for run in results['bare C program'])
    three = statistics.median(run[0] for run in results['x2gobroker, 3 profiles'])
    print('%-28s %10s %10s %10s %8s %8s %9s' % (
        'wall clock in microseconds', 'minimum', 'median', 'cpu', '/ bare', '/ three',
        'KiB'))
    for name, runs in results.items():
        median = statistics.median(run[0] for run in runs)
        print('%-28s %10d %10d %10d %8.2f %8.2f %9d' % (
            name, min(run[0] for run in runs), median,
            statistics.median(run[1] for run in runs), median / bare,
            median / three, max(run[2] for run in runs)))


if __name__ == '__main__':
    main()
