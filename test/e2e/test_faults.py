#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything around the broker fails, one thing at a time: each system call of a
request, each allocation in the whole process, writes and reads that are cut short, a
client that goes away, a disk that is full.

usage: test_faults.py PATH-TO-X2GOBROKER PATH-TO-FAULTS.SO PATH-TO-FAIL-CALL
"""

import contextlib
import fcntl
import functools
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import brokerlab
import farmlab
import faultlab
import lab
from brokerlab import LIST, SELECT

PACKAGES = {**farmlab.PACKAGES, 'strace': 'strace'}


def check(tap, name, faults, failed):
    tap.ok(faults and not failed, '%s: %d faults' % (name, len(faults)),
           *faultlab.describe(failed))


def kinds(faults):
    """{kind of call: its faults}; the rare ones are together."""
    groups = {}
    for fault in faults:
        groups.setdefault(fault.call.name, []).append(fault)
    rare = [call for call in groups if len(groups[call]) < 8]
    if rare:
        groups['others'] = [fault for call in rare for fault in groups.pop(call)]
    return groups


def fail_calls(tap, lab_, request, most=None, loader=False):
    tracer = faultlab.Tracer(lab_.fail_call, request,
                             lab_.benches.settle(request))
    calls = tracer.calls(lab_.benches.all[0])
    # what happens before main() is the same for all of them
    faults = tracer.faults([call for call in calls if loader or not call.loader], most)
    failed = lab_.benches.map(tracer.run, faults)
    for call, group in kinds(faults).items():
        of_kind = set(group)
        check(tap, '%s, %s' % (request.name, call), group,
              [row for row in failed if row[0] in of_kind])


def fail_allocations(tap, lab_, request, ends, most, ends_later=40, most_later=80):
    starver = faultlab.Starver(lab_.library, request, lab_.benches.settle(request))
    n, *first_lookup = starver.count(lab_.benches.all[0])
    starver.libcs = range(first_lookup[0] + 1, first_lookup[1] + 1)
    for words, later, sample in (
            ('one allocation', {}, (ends, most)),
            ('one allocation and all later ones', {'later': 1},
             (ends_later, most_later))):
        faults = [{'allocation': i, **later} for i in faultlab.numbers(n, *sample)]
        check(tap, '%s, %s of %d' % (request.name, words, n), faults,
              lab_.benches.map(starver.run, faults))


LOGIN_CHECK = faultlab.LoginCheck()
WHOAMI = faultlab.Request('whoami', 'whoami')
LISTING = faultlab.Request('listsessions', LIST)
SELECTION = faultlab.Request('selectsession, no server asked', SELECT % 'desk')
FIRST_TOKEN = faultlab.Tokens('listsessions with a secret', first=True)
TOKEN = faultlab.Tokens('listsessions with a token', first=False)
HERE = faultlab.Selecting('selectsession, agent here', SELECT % 'farm', mode='LOCAL')
RESUMED_HERE = faultlab.Resuming('selectsession, a session here', SELECT % 'one',
                                 mode='LOCAL')
SSH = faultlab.Selecting('selectsession over SSH', SELECT % 'farm', mode='SSH')
RESUMED = faultlab.Resuming('selectsession, a session over SSH', SELECT % 'one',
                            mode='SSH')
ALL = [LOGIN_CHECK, WHOAMI, LISTING, SELECTION, FIRST_TOKEN, TOKEN, HERE, RESUMED_HERE,
       SSH, RESUMED]


class Lab:
    def __init__(self, stack, program, library, fail_call):
        self.program, self.stack, self.fail_call = program, stack, fail_call
        # where all may load it
        self.farm = farmlab.Farm(stack, program, 2)
        self.library = shutil.copy(library, self.farm.dir)
        os.chmod(self.library, 0o755)
        self.groups = [stack.enter_context(lab.Group()).name for _ in range(5)]
        self.user = stack.enter_context(lab.Account(groups=self.groups))
        self.benches = faultlab.Benches(lambda: faultlab.Bench(
            stack, program, self.farm, self.user, self.groups))


def timed(tap, step, request, *args, **more):
    start = time.monotonic()
    step(request, *args, **more)
    tap.note('%s: %.1f s' % (request.name, time.monotonic() - start))


def test_calls(tap, lab_):
    """Each system call fails in turn.  Where what is done before has been seen to fail
    in all ways, one error must do."""
    def fail(request, **more):
        timed(tap, functools.partial(fail_calls, tap, lab_), request, **more)
    fail(LOGIN_CHECK, loader=True)
    fail(LISTING)
    for request in (WHOAMI, SELECTION, FIRST_TOKEN, TOKEN, HERE, RESUMED):
        fail(request, most=1)


def test_allocations(tap, lab_):
    def fail(request, *numbers):
        timed(tap, functools.partial(fail_allocations, tap, lab_), request, *numbers)
    fail(LISTING, 1000, 1000, 1000, 1000)
    # what these do before, the listing has done, too
    for request in (LOGIN_CHECK, WHOAMI, SELECTION, FIRST_TOKEN, TOKEN, HERE):
        fail(request, 60, 150)
    fail(RESUMED, 100, 250)


# Reads and writes

def test_short_counts(tap, lab_):
    """They are carried on with, until all is there."""
    for request in ALL:
        starver = faultlab.Starver(lab_.library, request, lab_.benches.settle(request))

        def run(bench, fault):
            wrong, outcome = starver.run(bench, fault)
            if not wrong and outcome.status != 0:
                wrong = 'refused'
            return wrong, outcome
        faults = [{'bytes': 1}, {'bytes': 7}, {'eintr': 1}, {'bytes': 1, 'eintr': 1}]
        check(tap, request.name + ', short and interrupted reads and writes', faults,
              lab_.benches.map(run, faults))
    # nor is a refusal that the process writes in need cut off
    starver = faultlab.Starver(lab_.library, LISTING, lab_.benches.settle(LISTING))
    faults = [{'allocation': n, 'later': 1, 'bytes': 1, 'eintr': 1}
              for n in range(1, 31)]
    check(tap, 'refusals without memory, short and interrupted writes', faults,
          lab_.benches.map(starver.run, faults))


@contextlib.contextmanager
def pipe(*flags):
    """A pipe with room for 100 bytes: (reading, writing end, what is in it)."""
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    filling = b'-' * (size - 100)
    os.write(writing, filling)
    for flag in flags:
        fcntl.fcntl(writing, fcntl.F_SETFL, flag)
    ends = [reading, writing]
    try:
        yield ends, filling
    finally:
        for end in ends:
            if end != -1:
                os.close(end)


def close(ends, i):
    os.close(ends[i])
    ends[i] = -1


def start_into(bench, request, stdout):
    return subprocess.Popen(
        bench.words_of(), env=bench.environment(request.line(None)), cwd='/',
        user=bench.site.account.uid, group=bench.site.account.gid, extra_groups=[],
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)


def test_stdout(tap, lab_):
    bench = lab_.benches.all[0]
    judge = lab_.benches.settle(LISTING)
    gone = 'the client is gone: '
    for words, *flags in ('it waits',), ('it does not block', os.O_NONBLOCK):
        with pipe(*flags) as (ends, filling):
            process = start_into(bench, LISTING, ends[1])
            close(ends, 1)
            time.sleep(0.3)
            with os.fdopen(os.dup(ends[0]), 'rb') as file:
                got = file.read()
            stderr = process.communicate(timeout=faultlab.PATIENCE)[1]
            tap.equal((got[len(filling):], process.returncode), (judge.right, 0),
                      'a slow reader of a full pipe, %s: all of it' % words, stderr)
    for request in LISTING, SELECTION, HERE:
        lab_.benches.settle(request)
        before = request.before(bench)
        with pipe() as (ends, _):
            close(ends, 0)
            process = start_into(bench, request, ends[1])
            close(ends, 1)
            stderr = process.communicate(timeout=faultlab.PATIENCE)[1].decode()
            tap.ok(process.returncode == 1 and gone + 'Broken pipe' in stderr,
                   request.name + ': a client that is gone is logged', stderr)
        if before:
            outcome = faultlab.Outcome(b'', b'', 1, b'', 0)
            tap.equal(request.after(bench, outcome, before), None,
                      request.name + ': the choice is written down as a whole')
    with pipe() as (ends, _):
        process = start_into(bench, LISTING, ends[1])
        close(ends, 1)
        time.sleep(0.3)
        os.read(ends[0], 50)
        close(ends, 0)
        stderr = process.communicate(timeout=faultlab.PATIENCE)[1].decode()
        tap.ok(process.returncode == 1 and gone + 'Broken pipe' in stderr,
               'a client that goes in the middle is logged', stderr)
    lab_.benches.settle(LISTING)
    with open('/dev/full', 'wb') as full:
        process = start_into(bench, LISTING, full)
        stderr = process.communicate(timeout=faultlab.PATIENCE)[1].decode()
    tap.ok(process.returncode == 1 and gone + 'No space left' in stderr,
           'stdout that is full is logged', stderr)


# Disks

@contextlib.contextmanager
def disk(path, account, full=False, read_only=False):
    """A small one there, with what is there already, and the account's."""
    kept = tempfile.TemporaryDirectory()
    subprocess.run(['cp', '-a', path + '/.', kept.name], check=True)
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=16k,nr_inodes=64,mode=755,uid=%d,gid=%d' %
             (account.uid, account.gid), 'tmpfs', path]
    # a test that cannot mount has failed, and says so
    subprocess.run(mount, check=True)
    try:
        subprocess.run(['cp', '-a', '--no-preserve=timestamps', kept.name + '/.', path],
                       check=True)
        os.chmod(path, 0o755)
        if full:
            with contextlib.suppress(OSError), \
                    open(os.path.join(path, '.filling'), 'wb', buffering=0) as file:
                while True:
                    file.write(bytes(1024))
            # directories and symbolic links need no blocks
            with contextlib.suppress(OSError):
                for n in range(64):
                    pathlib.Path(path, '.filling%d' % n).touch()
        if read_only:
            subprocess.run(['mount', '-o', 'remount,ro', path], check=True)
        yield
    finally:
        subprocess.run(['umount', path], check=True)
        kept.cleanup()


@contextlib.contextmanager
def not_ours(path):
    """A directory that the broker account may read only."""
    before = os.stat(path)
    os.chown(path, 0, 0)
    os.chmod(path, 0o755)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


def bad_disks(path, account):
    return [('a full disk', disk(path, account, full=True)),
            ('a read-only disk', disk(path, account, read_only=True)),
            ('a directory that is not ours', not_ours(path))]


def test_state_dir(tap, lab_):
    """A server is chosen without the memory of what others were given, and the log
    says so."""
    bench = lab_.benches.all[0]
    judge = lab_.benches.settle(HERE)
    words = rb'this assignment is not remembered|latest assignments are not known'
    path = bench.site.path('state/assignments')
    for name, bad in bad_disks(path, bench.site.account):
        before = HERE.before(bench)
        with bad:
            outcome = bench.ask_plainly(HERE)
        wrong = judge.wrong(outcome, bench) or HERE.after(bench, outcome, before)
        tap.equal((wrong, outcome.status), (None, 0),
                  'state-dir, %s: a server is chosen, the old choices stay' % name,
                  outcome)
        tap.ok(re.search(words, outcome.log), 'state-dir, %s: logged' % name, outcome)


def test_token_dir(tap, lab_):
    """No token, no answer; and the one before is still good."""
    bench = lab_.benches.all[0]
    judges = [(request, lab_.benches.settle(request)) for request in
              (FIRST_TOKEN, TOKEN)]
    path = bench.site.path('tokens')
    for request, judge in judges:
        for name, bad in bad_disks(path, bench.site.account):
            token = request.before(bench)
            with bad:
                outcome = bench.ask_plainly(request, token)
                files = [name for name in os.listdir(path) if name.startswith('new.')]
            tap.equal((outcome.stdout, outcome.status, files), (faultlab.DENIED, 1, []),
                      '%s, %s: refused, and nothing is left' % (request.name, name),
                      outcome)
            tap.equal(request.after(bench, outcome, token), None,
                      '%s, %s: nothing is lost' % (request.name, name))
            tap.ok(path.encode() in outcome.log,
                   '%s, %s: logged' % (request.name, name), outcome)


class Syslog:
    """What comes to /dev/log, where this test puts a socket for itself."""

    def __init__(self, directory):
        self.path = os.path.join(directory, 'log')

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.there = os.path.realpath('/dev/log')
        self.mounted = os.path.exists(self.there)
        if not self.mounted:
            self.path = self.there
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.setblocking(False)
        if self.mounted:
            subprocess.run(['mount', '--bind', self.path, self.there], check=True)
        return self

    def read(self):
        """All since the last call."""
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(self.socket.recv(65536))
        return b'\n'.join(lines)

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(['umount', self.there], check=True)
        os.unlink(self.path)
        self.socket.close()


def test_log(tap, lab_):
    """What cannot be written to the log file is in syslog."""
    bench = lab_.benches.all[0]
    path = bench.empty('log')
    file = os.path.join(path, 'broker.log')
    judge = lab_.benches.settle(LISTING)
    bench.site.write('x2gobroker.conf', bench.site.conf().replace(
        bench.site.path('broker.log'), file))
    plain = [word for word in bench.words_of() if word != '--debug']
    with Syslog(bench.site.path('')) as syslog:
        rows = [(name, bad, plain) for name, bad in
                bad_disks(path, bench.site.account)]
        rows += [('no file may grow', contextlib.nullcontext(),
                  limited((resource.RLIMIT_FSIZE, 0), plain))]
        for name, bad, words in rows:
            bench.empty('log')
            with bad:
                outcome = bench.start(words, bench.environment(LISTING.line(None)),
                                      as_account=True)
            heard = syslog.read()
            tap.equal((judge.wrong(outcome, bench), outcome.status), (None, 0),
                      'log-file, %s: answered all the same' % name, outcome)
            tap.ok(b'granted task=listsessions' in heard and
                   re.search(rb'cannot be (written|opened)', heard),
                   'log-file, %s: the line is in syslog, and why' % name, heard)


# Limits

def limited(limit, words):
    """The command with a limit that is the broker's alone."""
    return [sys.executable, '-S', '-c', 'import os, resource, sys\n'
            'resource.setrlimit(%d, (%d, %d))\n'
            'os.execv(sys.argv[1], sys.argv[1:])\n' % (limit[0], limit[1], limit[1]),
            *words]


def test_limits(tap, lab_):
    bench = lab_.benches.all[0]
    rows = [('files of 0 bytes', (resource.RLIMIT_FSIZE, 0)),
            ('files of 40 bytes', (resource.RLIMIT_FSIZE, 40)),
            *[('%d descriptors' % n, (resource.RLIMIT_NOFILE, n))
              for n in (4, 16, 31, 32, 33, 36, 40)],
            ('no other process', (resource.RLIMIT_NPROC, 1)),
            ('two threads', (resource.RLIMIT_NPROC, 2)),
            ('64 MiB', (resource.RLIMIT_AS, 64 << 20)),
            ('96 MiB', (resource.RLIMIT_AS, 96 << 20))]
    for request in LISTING, TOKEN, HERE, RESUMED:
        judge = lab_.benches.settle(request)
        for name, limit in rows:
            before = request.before(bench)
            outcome = bench.start(limited(limit, bench.words_of()),
                                  bench.environment(request.line(before)),
                                  as_account=True)
            wrong = judge.wrong(outcome, bench, early=True) or \
                request.after(bench, outcome, before)
            tap.equal(wrong, None, '%s, %s: %s' % (
                request.name, name, 'granted' if outcome.status == 0 else 'refused'),
                outcome)


TESTS = [test_calls, test_allocations, test_short_counts, test_stdout, test_state_dir,
         test_token_dir, test_log, test_limits]


def run():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**PACKAGES):
            return
        sys.argv, tests = sys.argv[:4], sys.argv[4:]
        found = brokerlab.programs(tap, 'X2GOBROKER', 'FAULTS', 'FAIL_CALL')
        if len(found) < 3:
            return
        lab_ = Lab(stack, *found)
        for test in [globals()[name] for name in tests] or TESTS:
            start = time.monotonic()
            with tap.case(test.__name__ + ': no step failed'):
                test(tap, lab_)
            tap.note('%s: %.1f s' % (test.__name__, time.monotonic() - start))


if __name__ == '__main__':
    sys.exit(run())
