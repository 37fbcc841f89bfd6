#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The RPM packages: contrib/x2gobroker.spec is built with Debian's rpmbuild, which
refuses files that no package lists, and listed files that are not there.

usage: test_rpm.py SOURCE-ROOT

Fedora's macros that Debian's rpmbuild lacks are below.  Not checked: the names in
BuildRequires and Requires, and that the packages can be installed; Debian has nothing
to install them on.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import lab

PACKAGES = {'rpmbuild': 'rpm', 'meson': 'meson', 'gcc': 'gcc', 'tar': 'tar', 'git': 'git'}
MACROS = '''\
%_topdir {work}
%_libdir %{{_prefix}}/lib64
%_datadir %{{_prefix}}/share
%_mandir %{{_datadir}}/man
%_docdir %{{_datadir}}/doc
%_sysconfdir /etc
%_localstatedir /var
%_sysusersdir %{{_prefix}}/lib/sysusers.d
%_tmpfilesdir %{{_prefix}}/lib/tmpfiles.d
%_unitdir %{{_prefix}}/lib/systemd/system
%debug_package %{{nil}}
%__brp_compress true
%_directories --prefix=%{{_prefix}} --libdir=%{{_libdir}} --sysconfdir=%{{_sysconfdir}}
%meson meson setup %{{_directories}} -Dtests=false -Doptimization=1 -Ddebug=false b
%meson_build meson compile -C b
%meson_install DESTDIR=%{{buildroot}} meson install -C b --no-rebuild
%meson_test true
%tmpfiles_create() systemd-tmpfiles --create %{{1}}
%systemd_post() true %{{1}}
%systemd_preun() true %{{1}}
%systemd_postun() true %{{1}}
'''
X2GO = '/usr/lib/x2go/'
# a file, its package, mode, owner and group
FILES = [
    (X2GO + 'x2gobroker', 'x2gobroker-c', '-rwxr-xr-x root root'),
    (X2GO + 'x2gobroker-pam', 'x2gobroker-c', '-rwsr-x--- root x2gobroker'),
    (X2GO + 'x2gobroker-poll', 'x2gobroker-c', '-rwxr-xr-x root root'),
    ('/usr/lib/systemd/system/x2gobroker-metrics.timer', 'x2gobroker-c',
     '-rw-r--r-- root root'),
    ('/usr/sbin/x2gobrokerctl', 'x2gobroker-c', '-rwxr-xr-x root root'),
    ('/etc/pam.d/x2gobroker', 'x2gobroker-c', '-rw-r--r-- root root'),
    ('/etc/x2go/broker/profiles.d', 'x2gobroker-c', 'drwxr-xr-x root root'),
    ('/etc/x2go/broker/keys.d', 'x2gobroker-c', 'drwxr-xr-x root root'),
    (X2GO + 'x2gobroker-sessiondb', 'x2gobroker-sessiondb', '-rwxr-xr-x root root'),
    (X2GO + 'x2gobroker-agent', 'x2gobroker-agent-c', '-rwxr-x--- root x2gobroker'),
    ('/usr/lib64/libx2gobroker.so.0', 'libx2gobroker', 'lrwxrwxrwx root root'),
    ('/usr/include/x2gobroker.h', 'libx2gobroker-devel', '-rw-r--r-- root root'),
]


def run(*words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, errors='replace', **more)
    if done.returncode != 0:
        raise RuntimeError('%s: status %d: %s' % (words[0], done.returncode,
                                                  done.stdout[-4000:]))
    return done.stdout


def build(source, work):
    """{name: path} of the packages.  The archive is made as the spec file says, but with
    what is not committed yet."""
    spec = os.path.join(source, 'contrib/x2gobroker.spec')
    name = 'x2gobroker-c-' + re.search(r'(?m)^Version: +(\S+)$',
                                       pathlib.Path(spec).read_text())[1]
    os.mkdir(work + '/SOURCES')
    run('sh', '-euc', 'git -c safe.directory="*" ls-files -z | tar -czf "$0" --null -T - '
        '--transform="s,^,$1/,S"', '%s/SOURCES/%s.tar.gz' % (work, name), name, cwd=source)
    pathlib.Path(work, 'macros').write_text(MACROS.format(work=work))
    said = run('rpmbuild', '-bb', '--nodeps', '--nocheck', '--load', work + '/macros', spec,
               env={**os.environ, 'HOME': work, 'LC_ALL': 'C.UTF-8'})
    packages = re.findall(r'(?m)^Wrote: (\S+/([a-z0-9-]+?)-\d[^/]*\.rpm)$', said)
    return {name: path for path, name in packages}


def contents(path):
    """{file: 'MODE OWNER GROUP'}"""
    said = run('rpm', '-qp', '--noplugins', '--qf', '[%{FILEMODES:perms} %{FILEUSERNAME} '
               '%{FILEGROUPNAME} %{FILENAMES}\\n]', path)
    return {name: mode for mode, _, name in
            (line.rpartition(' ') for line in said.splitlines())}


def main():
    source = os.path.abspath(sys.argv[1])
    with lab.Tap() as tap, tempfile.TemporaryDirectory(prefix='x2gobroker-rpm.') as work:
        if not tap.need(**PACKAGES):
            return
        packages = build(source, work)
        tap.equal(sorted(packages), sorted({row[1] for row in FILES}),
                  'the spec file builds its packages, and each file is in one')
        files = {name: contents(path) for name, path in packages.items()}
        for file, package, mode in FILES:
            there = {name: modes[file] for name, modes in files.items() if file in modes}
            tap.equal(there, {package: mode}, file)
        said = run('rpm', '-qp', '--noplugins', '--qf', '[%{FILENAMES} %{FILECAPS}\\n]',
                   packages.get('x2gobroker-agent-c', 'none'))
        tap.ok(X2GO + 'x2gobroker-agent cap_setgid,cap_setuid=ep' in said,
               'the agent has its two capabilities', said)


main()
