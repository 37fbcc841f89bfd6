#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the example program of the library as other projects would: with the headers,
the library and the pkg-config file that meson installs, and nothing else.

    test_example.py SOURCE_ROOT BUILD_ROOT

Prints TAP. Needs gcc, meson and pkg-config.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

USER = 'root'           # who exists everywhere, and whose group is root

PROFILES = '''\
[everyone]
name = For everyone

[house]
name = In the house
acl-clients-allow = 192.0.2.0/24

[others]
name = Not for this one
acl-users-allow = somebody

[user]
name = By name
acl-users-allow = USER

[wrong]
sound = maybe
'''

# profile: yes or no, and the rule, for a user from 192.0.2.17 ...
NEAR = {
    'everyone': ('yes', 'profiles.conf: no acl-users-* and no acl-groups-*'),
    'house': ('yes', 'profiles.conf: no acl-users-* and no acl-groups-*'),
    'others': ('no', 'profiles.conf:10: acl-users-allow: '),
    'user': ('yes', 'profiles.conf:14: acl-users-allow: '),
}
# ... and from another address
FAR = {**NEAR, 'house': ('no', 'profiles.conf:6: acl-clients-allow: ')}


class Commands(Tap):
    def run(self, command, name, status=0, **more):
        """Run a command and check its exit status.  Returns its output."""
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=120,
                                  check=False, **more)
        except OSError as wrong:
            self.ok(False, name, wrong)
            return None
        good = self.ok(done.returncode == status, name, ' '.join(command),
                       done.stdout, done.stderr)
        return done if good else None


def build(tap, source, build_root, directory):
    """(the program, the environment to run it in), or None."""
    dest = os.path.join(directory, 'dest')
    if not tap.run([shutil.which('meson') or 'meson', 'install', '--no-rebuild',
                    '--quiet', '--tags', 'devel,runtime', '--destdir', dest,
                    '-C', build_root], 'meson installs header and library'):
        return None
    found = list(pathlib.Path(dest).rglob('x2gobroker.pc'))
    if not tap.ok(len(found) == 1, 'one pkg-config file', found):
        return None
    env = {'PATH': os.environ['PATH'], 'PKG_CONFIG_SYSROOT_DIR': dest,
           'PKG_CONFIG_LIBDIR': str(found[0].parent)}
    flags = tap.run(['pkg-config', '--cflags', '--libs', 'x2gobroker'],
                    'pkg-config knows x2gobroker', env=env)
    if not flags:
        return None
    program = os.path.join(directory, 'whosees')
    if not tap.run(['gcc', '-Wall', '-Wextra', '-Werror', '-o', program,
                    os.path.join(source, 'contrib/example/whosees.c'),
                    *flags.stdout.split()], 'gcc builds the example',
                   env={'PATH': os.environ['PATH']}):
        return None
    libraries = found[0].parent.parent
    return program, {'LD_LIBRARY_PATH': str(libraries)}


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return path


def config(directory, profiles):
    path = write(directory, 'profiles.conf', profiles)
    return write(directory, 'x2gobroker.conf', '[global]\nprofiles-dir = %s\n'
                 '[broker_inifile]\nsession-profiles = %s\n' % (directory + '/none.d',
                                                               path))


def rows(output):
    """{profile: (yes or no, rule)}"""
    return {row[0]: (row[1], row[2]) for row in
            (line.split('\t') for line in output.splitlines())}


def same(found, expected):
    return found.keys() == expected.keys() and all(
        found[id][0] == verdict and rule in found[id][1]
        for id, (verdict, rule) in expected.items())


def check(tap, program, env, directory):
    os.mkdir(os.path.join(directory, 'none.d'))
    conf = config(directory, PROFILES.replace('USER', USER))
    for name, address, expected in (('192.0.2.17', '192.0.2.17', NEAR),
                                    ('elsewhere', '2001:db8::7', FAR)):
        done = tap.run([program, USER, address, conf], 'it runs', env=env)
        if done:
            tap.ok(same(rows(done.stdout), expected), 'what a user sees from ' + name,
                   done.stdout)
            tap.ok('profiles.conf:17: ' in done.stderr and 'sound' in done.stderr,
                   'a profile that is withheld is told of', done.stderr)
    tap.run([program], 'without a user: usage', 2, env=env)
    done = tap.run([program, USER, '192.0.2.17', directory + '/missing'],
                   'without its file: status 1', 1, env=env)
    if done:
        tap.ok('missing' in done.stderr and not done.stdout, 'and the file is named',
               done.stderr)
    done = tap.run([program, USER, 'no address', conf],
                   'with an address that is none: status 1', 1, env=env)
    if done:
        tap.ok('no address' in done.stderr and not done.stdout,
               'and the address is named', done.stderr)


def main():
    if len(sys.argv) != 3:
        print('Bail out! usage: test_example.py SOURCE_ROOT BUILD_ROOT')
        return 2
    os.umask(0o022)
    tap = Commands()
    with tempfile.TemporaryDirectory(prefix='x2gobroker-example.') as directory:
        built = build(tap, *sys.argv[1:], directory)
        if built:
            check(tap, *built, directory)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
