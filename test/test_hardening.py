#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the installed programs and the library: they have the flags that make bugs
harder to exploit, and call, export and load nothing that they should not.

    test_hardening.py BUILD_ROOT

Each check is first shown a small program that is built without what it looks for,
and has to catch it.  Prints TAP.  Needs gcc, binutils and meson.
"""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

# File, and what the loader has to find for it.  libssh, libpq, libcrypto and libpam
# are in no process that decides.
INSTALLED = {
    'lib/x2go/x2gobroker': {'libx2gobroker.so.0', 'libc.so.6'},
    'lib/x2go/x2gobroker-http': {'libx2gobroker.so.0', 'libc.so.6'},
    'lib/x2go/x2gobroker-agent': {'libc.so.6'},
    'lib/x2go/x2gobroker-pam': {'libpam.so.0', 'libc.so.6'},
    'lib/x2go/x2gobroker-poll': {'libssh.so.4', 'libc.so.6'},
    'lib/x2go/x2gobroker-sessiondb': {'libpq.so.5', 'libc.so.6'},
    'sbin/x2gobrokerctl': {'libx2gobroker.so.0', 'libsmartcols.so.1', 'libc.so.6'},
    'libx2gobroker.so.0': {'libc.so.6'},
}

# Functions that overflow buffers, run a shell, search PATH, or make names or numbers
# that can be guessed.  glibc's headers may turn some
# into __NAME_chk.
FORBIDDEN = re.compile(
    r'(__)?(gets|strcpy|stpcpy|strcat|v?sprintf|strtok|tmpnam|tmpnam_r|tempnam|mktemp'
    r'|system|popen|execlp|execvpe?|posix_spawnp|rand|rand_r|random|[dl]rand48'
    r'|alloca|wordexp|atoi|atol|atoll)(_chk)?')


class Binary:
    """The output of binutils for a file."""

    def __init__(self, path):
        self.path = str(path)
        self.library = '.so' in self.path

    def tell(self, *command):
        return subprocess.run([*command, self.path], stdout=subprocess.PIPE, text=True,
                              check=True).stdout

    @functools.cached_property
    def dynamic(self):
        """[(tag, value)]"""
        return re.findall(r'^ 0x\w+ \((\w+)\) +(.*)$',
                          self.tell('readelf', '-W', '-d'), re.M)

    @functools.cached_property
    def segments(self):
        """[(type, flags)], such as ('LOAD', 'RE')"""
        return [(kind, flags.replace(' ', '')) for kind, flags in re.findall(
            r'^  ([A-Z_]+) +(?:0x\w+ +){5}([RWE ]{3})',
            self.tell('readelf', '-W', '-l'), re.M)]

    @functools.cached_property
    def symbols(self):
        """[(kind, section, name)], the dynamic ones"""
        return re.findall(r'^ +\d+: \w+ +\w+ (\w+) +\w+ +\w+ +(\w+) ([^@\s]+)',
                          self.tell('readelf', '-W', '--dyn-syms'), re.M)

    @property
    def imports(self):
        return [name for _, section, name in self.symbols if section == 'UND']

    @property
    def exports(self):
        return [name for kind, section, name in self.symbols
                if section != 'UND' and kind == 'FUNC']

    def values(self, *tags):
        return [value for tag, value in self.dynamic if tag in tags]

    def has_flag(self, word):
        return any(word in value.split()
                   for value in self.values('FLAGS', 'FLAGS_1'))

    @functools.cached_property
    def unmarked(self):
        """Functions that do not begin with the mark for indirect branches.  Without
        symbols, only exported functions can be checked; in a program, main."""
        text = self.tell('objdump', '-d', '--no-show-raw-insn')
        begins = dict(re.findall(r'^\w+ <([\w.]+)>:\n +\w+:\t(\w+)', text, re.M))
        wanted = self.exports if self.library else ['main']
        return [name for name in wanted if begins.get(name) != 'endbr64']


# The checks: each returns a list of the faults of a file.

def no_pie(binary):
    kind = re.search(r'Type: +(\w+)', binary.tell('readelf', '-W', '-h')).group(1)
    return ([] if kind == 'DYN' else [kind]) + \
        ([] if binary.library or binary.has_flag('PIE') else ['no flag PIE'])


def no_relro(binary):
    return [] if any(kind == 'GNU_RELRO' for kind, _ in binary.segments) \
        else ['no segment GNU_RELRO']


def lazy(binary):
    return [] if binary.has_flag('NOW') or binary.has_flag('BIND_NOW') \
        else binary.dynamic


def executable_stack(binary):
    stacks = [flags for kind, flags in binary.segments if kind == 'GNU_STACK']
    return [] if stacks == ['RW'] else ['GNU_STACK: %s' % stacks]


def writable_code(binary):
    return [segment for segment in binary.segments
            if 'W' in segment[1] and 'E' in segment[1]]


def text_relocations(binary):
    return [tag for tag, _ in binary.dynamic if tag == 'TEXTREL'] + \
        ['flag TEXTREL'] * binary.has_flag('TEXTREL')


def no_stack_protector(binary):
    return [] if '__stack_chk_fail' in binary.imports else ['no __stack_chk_fail']


def not_fortified(binary):
    checked = [name for name in binary.imports if name.endswith('_chk')]
    plain = [name for name in binary.imports
             if name in ('snprintf', 'vsnprintf', 'asprintf', 'vasprintf', 'printf',
                         'fprintf', 'syslog') and '__%s_chk' % name not in checked]
    return ([] if checked else ['nothing ends in _chk']) + plain


def no_branch_marks(binary):
    return binary.unmarked if os.uname().machine == 'x86_64' else []


def library_path(binary):
    return binary.values('RPATH', 'RUNPATH')


def forbidden(binary):
    return [name for name in binary.imports if FORBIDDEN.fullmatch(name)]


def foreign_exports(binary):
    return [name for name in binary.exports
            if not (binary.library and name.startswith('x2gobroker_'))]


def loaded(binary):
    """The file names of the libraries that it needs."""
    return {value.split('[')[1].rstrip(']') for value in binary.values('NEEDED')}


# A check, its subject, and how to build a program or a library that it must catch.
CHECKS = [
    (no_pie, 'position-independent', 'program', '-fno-pie -no-pie'),
    (no_relro, 'relocations are read-only', 'program', '-Wl,-z,norelro'),
    (lazy, 'all is bound at the start', 'program', '-Wl,-z,lazy'),
    (executable_stack, 'the stack is not executable', 'program', '-Wl,-z,execstack'),
    (writable_code, 'no segment is writable and executable', 'program',
     '-DWRITABLE_CODE'),
    (text_relocations, 'no relocations in the text', 'library',
     '-fno-pic -mcmodel=large -Wl,-z,notext'),
    (no_stack_protector, 'the stack is protected', 'program', '-fno-stack-protector'),
    (not_fortified, 'calls of libc are fortified', 'program', '-U_FORTIFY_SOURCE'),
    (no_branch_marks, 'indirect branches have marked ends', 'program',
     '-fcf-protection=none'),
    (library_path, 'no library path of its own', 'program', '-Wl,-rpath,/tmp'),
    (forbidden, 'nothing forbidden is called', 'program', '-DWILD'),
    (foreign_exports, 'nothing is exported but the interface', 'library', '-DWILD'),
]

SOURCE = r'''
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
char *volatile text = "text";
int x2gobroker_here(const char *);
#ifdef WRITABLE_CODE
__asm__(".section .wild, \"awx\"\n.byte 0xc3\n.text");
#endif
#ifdef WILD
int elsewhere(const char *p) { return system(p); }
#endif
int x2gobroker_here(const char *p)
{
	char line[64];
	snprintf(line, sizeof(line), p, text);
	return puts(line);
}
#ifndef LIBRARY
int main(int argc, char **argv)
{
#ifdef WILD
	elsewhere(argv[0]);
#endif
	return x2gobroker_here(argv[argc - 1]);
}
#endif
'''
HARDENED = ('-O2 -fPIC -fstack-protector-strong -fcf-protection -D_FORTIFY_SOURCE=2 '
            '-Wl,-z,relro,-z,now,-z,noexecstack')
LINKED = {'program': ' -pie ', 'library': ' -shared -DLIBRARY '}


def compile_sample(directory, name, kind, flags):
    path = os.path.join(directory, name + ('.so' if kind == 'library' else ''))
    source = os.path.join(directory, 'sample.c')
    pathlib.Path(source).write_text(SOURCE)
    subprocess.run(['gcc', '-w', *(HARDENED + LINKED[kind] + flags).split(),
                    '-o', path, source], check=True)
    return Binary(path)


def check_samples(tap, directory):
    good = {kind: compile_sample(directory, 'good', kind, '') for kind in LINKED}
    for check, what, kind, flags in CHECKS:
        bad = compile_sample(directory, check.__name__, kind, flags)
        applies = check is not no_branch_marks or os.uname().machine == 'x86_64'
        tap.ok(bool(check(bad)) == applies, 'caught: %s, with %s' % (what, flags))
        tap.ok(not check(good[kind]), 'not caught without', check(good[kind]))
    tap.ok(loaded(good['program']) == {'libc.so.6'}, 'what is loaded is seen',
           loaded(good['program']))


def install(tap, build_root, directory):
    """{row in INSTALLED: file}"""
    dest = os.path.join(directory, 'dest')
    done = subprocess.run([shutil.which('meson') or 'meson', 'install', '--no-rebuild',
                           '--quiet', '--destdir', dest, '-C', build_root],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    tap.ok(done.returncode == 0, 'meson installs it', done.stdout)
    elves = [path for path in pathlib.Path(dest).rglob('*')
             if path.is_file() and not path.is_symlink()
             and path.open('rb').read(4) == b'\x7fELF']
    # the only one that a build may lack
    database = 'lib/x2go/x2gobroker-sessiondb'
    if not any(str(path).endswith(database) for path in elves):
        INSTALLED.pop(database, None)
    files = {name: path for name in INSTALLED
             for path in pathlib.Path(dest).rglob(os.path.basename(name))
             if str(path).endswith('/' + name) and not path.is_dir()}
    tap.ok(len(files) == len(INSTALLED) and
           {path.resolve() for path in files.values()} == set(elves),
           'the programs and the library, and no other', elves)
    return files


def check_installed(tap, files):
    for name, path in files.items():
        binary = Binary(path)
        for check, what, *_ in CHECKS:
            wrong = check(binary)
            tap.ok(not wrong, '%s: %s' % (name, what), wrong)
        tap.ok(loaded(binary) == INSTALLED[name], name + ': what it loads',
               loaded(binary))


def check_doors(tap, files):
    """Each broker has what its own way in needs."""
    http = Binary(files['lib/x2go/x2gobroker-http'])
    ssh = Binary(files['lib/x2go/x2gobroker'])
    of_http = re.compile(r'x2gobroker_(request_from_(form|json_client)|config_\w*http\w*'
                         r'|answer_(authenticate|testcon|trust_nobody))')
    found = [[name for name in binary.imports if of_http.match(name)]
             for binary in (ssh, http)]
    tap.ok(not found[0] and len(found[1]) >= 6,
           'the broker for SSH calls nothing that is for HTTP', found)
    words = [word for word in (b'SCGI', b'/plain/', b'REMOTE_ADDR')
             if word in pathlib.Path(ssh.path).read_bytes()]
    tap.ok(not words, 'and has nothing of it inside', words)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='x2gobroker-hardening.') as directory:
        check_samples(tap, directory)
        files = install(tap, sys.argv[1], directory)
        check_installed(tap, files)
        check_doors(tap, files)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
