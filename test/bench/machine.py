# SPDX-License-Identifier: GPL-2.0-or-later
"""Describe programs and machine, for the heading of a report."""

import json
import os
import pathlib
import platform
import re
import subprocess
import time


def output(*command):
    """stdout of a program; empty if it does not exist."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()
    except FileNotFoundError:
        return ''


def load():
    return ' '.join('%.2f' % value for value in os.getloadavg())


def cpu():
    found = re.search(r'(?m)^model name\s*:\s*(.*)$',
                      pathlib.Path('/proc/cpuinfo').read_text())
    return found[1] if found else platform.machine()


def memory():
    found = re.search(r'MemTotal:\s*(\d+)', pathlib.Path('/proc/meminfo').read_text())
    return '%.1f GiB' % (int(found[1]) / 2 ** 20)


def package(name):
    return output('dpkg-query', '-W', '-f', '${Version}', name) or 'none'


def system():
    found = re.search(r'(?m)^PRETTY_NAME="?([^"\n]*)',
                      pathlib.Path('/etc/os-release').read_text())
    return '%s, Linux %s' % (found[1] if found else platform.system(),
                             re.match(r'[\d.]*', platform.release())[0])


def built(directory):
    """The compiler options of the build."""
    path = pathlib.Path(directory, 'meson-info/intro-buildoptions.json')
    options = {option['name']: option['value']
               for option in json.loads(path.read_text())}
    flags = [flag for flag in options['c_args'] if not flag.startswith('-ffile-prefix')]
    return ' '.join(['buildtype', options['buildtype'], *flags])


def program(path):
    """How the program is linked."""
    kind = re.search(r'Type:\s+(\w+)', output('readelf', '-h', path))
    needed = re.findall(r'\(NEEDED\).*\[(.*)\]', output('readelf', '-d', path))
    return '%s, needs %s' % ({'DYN': 'PIE', 'EXEC': 'no PIE'}[kind[1]],
                             ' '.join(needed) or 'no library')


def describe(options, programs):
    """{what: text}, in the order of a report."""
    return {
        'machine': '%d x %s, %s' % (os.cpu_count(), cpu(), memory()),
        'system': system(),
        'x2gobroker': '%s; %s' % (
            output(programs.broker, '--version').splitlines()[0].split()[-1],
            program(programs.broker)),
        'bare program': program(programs.bare),
        'built': built(options.build),
        'peers': 'Python broker %s, libssh %s, OpenSSH %s, valgrind %s' % tuple(
            map(package, ('x2gobroker', 'libssh-4', 'openssh-server', 'valgrind'))),
        'run': '%s, %d round%s, load average %.1f before it' % (
            time.strftime('%Y-%m-%d', time.gmtime()), options.rounds,
            's' * (options.rounds > 1), os.getloadavg()[0]),
        'load before': load(),
    }
