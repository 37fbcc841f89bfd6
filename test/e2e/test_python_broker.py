#!/usr/bin/python3
"""Our listings against those of the Python X2Go Session Broker, same files.

    test_python_broker.py [--seed N] [--cases N] [--keep] BINARY

Random configuration and profile files are given to both brokers, several
users ask from several addresses, and what X2Go Client reads from our answer
must be what the Python broker prints: one such question is a case. Whatever
differs must be a row of DIFFERENCES, which says why. Files that the Python
broker can't serve, or serves by an accident of its code, are in
peer_faults.py, each with the answer that we owe.

Runs as root, prints TAP. Needs python3-x2gobroker and python3-pyqt5.
"""

import argparse
import collections
import functools
import importlib.util
import os
import random
import re
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True  # root's files don't belong into a checkout

import lab
import peer_accounts
import peer_faults
import peer_generate

SEED, CASES, CASES_A_FILE, SHOWN_MISMATCHES = 20, 1200, 8, 20
SHIPPED_CONFIG = '/etc/x2go/x2gobroker.conf'
SHIPPED_PROFILES = '/etc/x2go/broker/x2gobroker-sessionprofiles.conf'


class Missing:
    """Stands for a profile or a key that a listing doesn't have."""
    def __repr__(self):
        return 'nothing'


MISSING, LISTED = Missing(), 'the profile'

# Where two listings differ. key is None when a whole profile does. python is
# the text that the Python broker prints, raw the text that ours prints, ours
# what Qt makes of it (lists joined with a comma, as the Python broker does).
Difference = collections.namedtuple(
    'Difference', 'case profile key python raw ours')


def is_encoded(d):
    return d.raw != d.python and d.ours == d.python


def is_quoted(d):
    """One string in Qt's notation, which Qt must see in ours as well."""
    return (re.fullmatch(r'(?s)"([^"\\\n]|\\.)*"', str(d.python)) and
            d.ours == d.case.files.qt.read_value(d.python))


def is_first_host(d):
    return (d.key == 'host' and d.python is not MISSING and
            d.ours == d.python.split(',')[0])


def is_any_order(d):
    """Ours must then follow what acl-any-order says, checked with Python."""
    documented = d.case.documented_listing()
    return (d.key is None and
            d.case.configured(d.profile, 'acl-any-order') == 'allow-deny' and
            (d.profile in documented) == (d.python is MISSING))


def is_autologin_spelling(d):
    spelling = d.case.configured(d.profile, 'broker-session-autologin') or ''
    return (d.key in ('autologin', 'key') and d.python is MISSING and
            spelling.lower() in ('yes', 'on') and d.ours is not MISSING)


def is_boolean_spelling(d):
    yes, no = ('1', 'yes', 'true', 'on'), ('0', 'no', 'false', 'off')
    return (d.key in ('autologin', 'usebrokerpass') and
            str(d.python).lower() in (yes if d.ours == '1' else no))


DIFFERENCES = [
    ('text is encoded',
     'The client reads the listing with Qt, for which , ; \\ " and letters '
     'beyond ASCII have a meaning. Values are quoted and escaped so that the '
     'client shows what the file says. The Python broker prints them bare, so '
     'that the client cuts or misreads them; somebody may therefore have '
     'written name=B\\xfcro, which without quotes around it is now shown as '
     'it stands.',
     is_encoded),
    ('a text between quotes is in the client\'s notation already',
     'It goes out as the Python broker prints it, save that letters beyond '
     'ASCII, which the client would misread, are escaped.',
     is_quoted),
    ('host= has one host',
     'The first, as the Python broker does it for SHADOW. Which server it '
     'will be is said when a session is selected; a list would be no name of '
     'a host to the client.',
     is_first_host),
    ('acl-any-order has an effect',
     'It is the default of the three order keys, as it was always documented. '
     'The Python broker never looks at it: an order key that is not set means '
     'deny-allow there.',
     is_any_order),
    ('broker-session-autologin=yes and =on mean yes',
     'They mean no to the Python broker, which knows 1 and true only.',
     is_autologin_spelling),
    ('autologin= and usebrokerpass= are booleans',
     'They are passed on as text by the Python broker, and the client takes '
     'no and off for yes. Here every spelling means what it says.',
     is_boolean_spelling),
]


class Files:
    """One x2gobroker.conf with its profile file, and Python's view of them."""

    def __init__(self, bench, config, profiles):
        self.config = bench.write('x2gobroker.conf', config)
        self.profiles = bench.write('profiles.conf', profiles)
        self.text, self.qt = profiles, bench.qt
        self.new_python = functools.partial(
            bench.peer.PythonBroker, bench.module, self.config, self.profiles)

    @functools.cached_property
    def python(self):
        return self.new_python()

    @functools.cached_property
    def documented(self):
        broker = self.new_python()
        broker.write_out_any_order()
        return broker

    def section(self, profile_id):
        """A profile's lines in the file, for a report."""
        header = re.escape('[%s]' % profile_id)
        found = re.search(r'(?ms)^%s$.*?(?=^\[|\Z)' % header,
                          self.text.replace('\r\n', '\n'))
        return found.group(0) if found else '(no such section)'


class Case:
    """One question: who asks about which files from where."""

    def __init__(self, files, user, address):
        self.files, self.user, self.address = files, user, address

    def listing(self):
        return self.files.python.listing(self.user, self.address)

    def documented_listing(self):
        return self.files.documented.listing(self.user, self.address)

    def configured(self, profile, key):
        return self.files.python.configured(profile, key)


class Bench:
    """What all test points share: the binary, the accounts, a directory."""

    def __init__(self, options, directory, users, groups):
        import peer_client
        import peer_python
        self.client, self.peer = peer_client, peer_python
        self.module = peer_python.prepare()
        peer_python.know_only(users, groups)
        self.binary, self.directory = options.binary, directory
        self.users, self.groups = users, groups
        self.qt = peer_client.QtReader(directory)
        self.used = collections.Counter()
        self.shown = set()
        os.mkdir(os.path.join(directory, 'profiles.d'), 0o755)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, 'wb') as out:
            out.write(text.encode('utf-8', 'surrogateescape'))
        return path

    def config(self, settings):
        """x2gobroker.conf that points to the test's own files."""
        paths = {'profiles-dir': 'profiles.d', 'state-dir': 'state',
                 'log-file': 'log'}
        lines = ['account-check = never']       # it knows no such thing
        lines += ['%s = %s' % item for item in settings.items()]
        lines += ['%s = %s' % (key, os.path.join(self.directory, name))
                  for key, name in paths.items()]
        return '[global]\n%s\n[broker_inifile]\nsession-profiles = %s\n' % (
            '\n'.join(lines), os.path.join(self.directory, 'profiles.conf'))

    def answer(self, files, user, address):
        """Our listing: {profile id: {key: text}}, raw and as Qt reads it."""
        block = self.client.session_block(self.client.ask(
            self.binary, files.config, user, address))
        raw, read = self.client.raw_values(block), self.qt.read(block)
        if raw.keys() != read.keys():
            raise self.client.BadAnswer('Qt finds other profile ids: %r, %r' %
                                        (sorted(raw), sorted(read)))
        return raw, read


def joined(value):
    return ','.join(value) if isinstance(value, list) else value


def differences(case, python, raw, read):
    """Every way in which our listing is not the Python broker's."""
    for profile in sorted(python.keys() | raw.keys()):
        if profile not in python or profile not in raw:
            yield Difference(case, profile, None,
                             LISTED if profile in python else MISSING, None,
                             LISTED if profile in raw else MISSING)
            continue
        for key in sorted(python[profile].keys() | raw[profile].keys()):
            d = Difference(case, profile, key,
                           python[profile].get(key, MISSING),
                           raw[profile].get(key, MISSING),
                           read[profile].get(key, MISSING))
            if case.files.python.type_of(key) is list:
                d = d._replace(ours=joined(d.ours))
            if not is_same(d):
                yield d


def is_same(d):
    """The same text, and Qt reads what stands in the file."""
    return d.raw == d.python and d.ours == d.python


def reason_for(d):
    for name, _, decide in DIFFERENCES:
        if decide(d):
            return name
    return None


def short(value):
    text = repr(value)
    return text if len(text) < 400 else text[:200] + ' ... ' + text[-100:]


def show(bench, case, d):
    """Tell a mismatch in TAP comments, once a key and the first few only."""
    where = case.files.text, d.profile, d.key
    if where in bench.shown:
        return
    bench.shown.add(where)
    if len(bench.shown) > SHOWN_MISMATCHES:
        return
    lines = ['user %s, address %s, profile %s, key %s' % (
        case.user, case.address, d.profile, d.key),
        'python: ' + short(d.python),
        'ours:   %s, printed as %s' % (short(d.ours), short(d.raw))]
    lines += ['| ' + line[:200] for name in ('DEFAULT', d.profile)
              for line in case.files.section(name).split('\n') if line.strip()]
    print('\n'.join('# ' + line for line in lines))


def check_case(bench, case):
    """Compare one question's two answers; the number of mismatches."""
    try:
        raw, read = bench.answer(case.files, case.user, case.address)
    except bench.client.BadAnswer as bad:
        print('# user %s, address %s: %s' % (case.user, case.address, bad))
        return 1
    mismatches = 0
    for d in differences(case, case.listing(), raw, read):
        reason = reason_for(d)
        if reason:
            bench.used[reason] += 1
        else:
            show(bench, case, d)
            mismatches += 1
    return mismatches


def check_files(bench, files, questions):
    return sum([check_case(bench, Case(files, user, address))
                for user, address in questions]) == 0


def all_questions(bench):
    return [(user, address) for user in bench.users
            for address in peer_generate.ADDRESSES]


def generated_points(bench, options):
    """A test point for every generated file."""
    count = -(-options.cases // CASES_A_FILE)
    for number in range(count):
        rng = random.Random('%s/%d' % (options.seed, number))
        files = Files(
            bench, bench.config(peer_generate.settings(rng)),
            peer_generate.profile_file(rng, bench.users, bench.groups))
        asked = peer_generate.questions(rng, bench.users, CASES_A_FILE)
        yield ('file %d, %d questions' % (number, len(asked)),
               functools.partial(check_files, bench, files, asked))


def our_answer(bench, files, user):
    try:
        return bench.answer(files, user, peer_faults.ADDRESS)[1]
    except bench.client.Refused:
        return peer_faults.REFUSED
    except bench.client.BadAnswer as bad:
        return str(bad)


def python_answer(files, user):
    try:
        return files.new_python().listing(user, peer_faults.ADDRESS)
    except Exception as died:
        return type(died).__name__


def check_fault(bench, fault):
    """One purposely wrong or odd profile beside a good one."""
    files = Files(bench, bench.config(fault.settings), fault.text())
    user = bench.users[0]
    wrong = fault.complaints('ours', fault.ours,
                             our_answer(bench, files, user))
    wrong += fault.complaints('python', fault.python,
                              python_answer(files, user))
    for line in wrong:
        print('# ' + line)
    return not wrong


def fault_points(bench):
    for fault in peer_faults.FAULTS:
        yield fault.name, functools.partial(check_fault, bench, fault)


def read_text(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def shipped_config(bench):
    """Debian's x2gobroker.conf, led to the test's own files."""
    text = read_text(SHIPPED_CONFIG)
    for section in re.split(r'(?m)^(?=\[)', bench.config({})):
        header, _, lines = section.partition('\n')
        text = text.replace('\n%s\n' % header, '\n%s\n%s' % (header, lines))
    return text


def written_out_config(bench):
    """The same with the comment signs taken off all settings."""
    text = shipped_config(bench)
    text = re.sub(r'(?m)^#session-profiles .*\n', '', text)
    return re.sub(r'(?m)^#(?=\[|[a-z_-]+ ?=)', '', text)


def shipped_examples(bench):
    """Debian's commented example profiles, for the test's own groups."""
    text = re.sub(r'(?m)^#(?=\[|[a-z-]+=)', '', read_text(SHIPPED_PROFILES))
    text = re.sub(r'admin-machine(\d)\.domain\.local', r'203.0.113.\1', text)
    names = ['gnome-users', 'kde-users', 'admins', 'students']
    for name, group in zip(names, bench.groups):
        text = re.sub(r'(?m)^(acl-groups.*)\b%s\b' % name, r'\1' + group, text)
    return text.replace('testuser-A', bench.users[0])


def shipped_points(bench, options):
    """The files that Debian installs, as they are and with their examples."""
    profiles = peer_generate.profile_file(random.Random(options.seed),
                                          bench.users, bench.groups)
    pairs = [
        ("Debian's x2gobroker.conf", shipped_config(bench), profiles),
        ("Debian's x2gobroker.conf with its comments as settings",
         written_out_config(bench), profiles),
        ("Debian's session profiles", bench.config({}),
         read_text(SHIPPED_PROFILES)),
        ("the examples in Debian's session profiles", bench.config({}),
         shipped_examples(bench)),
    ]
    for name, config, profiles in pairs:
        files = Files(bench, config, profiles)
        yield name, functools.partial(check_files, bench, files,
                                      all_questions(bench))


def check_all_used(bench):
    """A row that nothing needed is a row that nothing tests."""
    unused = [name for name, _, _ in DIFFERENCES if not bench.used[name]]
    for name in unused:
        print('# no case needed: ' + name)
    return not unused


def points(bench, options):
    yield from shipped_points(bench, options)
    yield from fault_points(bench)
    yield from generated_points(bench, options)
    if options.cases >= CASES:
        yield ('every difference was met',
               functools.partial(check_all_used, bench))


def run_points(bench, options):
    """Print TAP; true if all is well."""
    number, failed = 0, 0
    for name, check in points(bench, options):
        number += 1
        good = check()
        failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name),
              flush=True)
    print('1..%d' % number)
    for name, count in bench.used.most_common():
        print('# difference met %d times: %s' % (count, name))
    more = len(bench.shown) - SHOWN_MISMATCHES
    if more > 0:
        print('# %d more mismatches are not shown' % more)
    print('# seed %s, %d of %d points failed' % (options.seed, failed, number))
    return failed == 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seed', default=str(SEED))
    parser.add_argument('--cases', type=int, default=CASES)
    parser.add_argument('--keep', action='store_true',
                        help='leave the last files in place')
    parser.add_argument('binary', nargs='?',
                        default=os.environ.get('X2GOBROKER'))
    return parser.parse_args()


def skip_reason(options):
    if os.geteuid() != 0:
        return 'needs root, for the accounts'
    if not options.binary:
        return 'no x2gobroker binary named'
    for module in 'x2gobroker', 'PyQt5':
        if importlib.util.find_spec(module) is None:
            return 'needs the Python module ' + module
    return None


def main():
    options = arguments()
    if not lab.has_python_broker():
        print('ok 1 - the Python broker # SKIP not in this release\n1..1')
        return 0
    reason = skip_reason(options)
    if reason:
        print('1..0 # SKIP %s' % reason)
        return 0
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = tempfile.mkdtemp(prefix='x2gobroker-peer-')
    os.chmod(directory, 0o755)
    try:
        with peer_accounts.accounts() as (users, groups):
            bench = Bench(options, directory, users, groups)
            return 0 if run_points(bench, options) else 1
    finally:
        if options.keep:
            print('# files are in ' + directory)
        else:
            shutil.rmtree(directory)


if __name__ == '__main__':
    sys.exit(main())
