#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobrokerctl metrics: what it prints is OpenMetrics, by the parser of the Prometheus
project, and what node_exporter's textfile collector reads; the numbers are right.

usage: test_metrics.py PATH-TO-X2GOBROKER PATH-TO-X2GOBROKERCTL PATH-TO-X2GOBROKER-HTTP
       (or X2GOBROKER=PATH, X2GOBROKERCTL=PATH, X2GOBROKER_HTTP=PATH)
"""

import concurrent.futures
import contextlib
import importlib.util
import os
import pathlib
import re
import shutil
import stat
import subprocess
import time

import brokerlab
import farmlab
import lab
from brokerlab import DENIED, GRANTED, LIST

SOURCE = pathlib.Path(__file__).resolve().parents[2]
UNITS = 'x2gobroker-metrics.timer', 'x2gobroker-metrics.service'


class Metrics:
    """One output: its families by name, and the value of a sample."""

    def __init__(self, text):
        # of python3-prometheus-client
        from prometheus_client import parser
        from prometheus_client.openmetrics import parser as openmetrics
        self.text = text
        self.families = {family.name: family for family in
                         openmetrics.text_string_to_metric_families(text)}
        # the format before OpenMetrics, which node_exporter reads
        self.old = {sample.name: sample for family in
                    parser.text_string_to_metric_families(text)
                    for sample in family.samples}
        self.samples = [sample for family in self.families.values()
                        for sample in family.samples]

    def get(self, name, **labels):
        """The value, or None."""
        found = [sample.value for sample in self.samples if
                 sample.name == 'x2gobroker_' + name and sample.labels == labels]
        return found[0] if len(found) == 1 else found or None

    def requests(self):
        """{(task, verdict): number} of those that are not 0."""
        return {(sample.labels['task'], sample.labels['verdict']): sample.value
                for sample in self.samples
                if sample.name == 'x2gobroker_requests_total' and sample.value}


class Ctl:
    def __init__(self, program, farm):
        self.program, self.farm = program, farm

    def run(self, *words):
        return subprocess.run(
            [self.program, '-C', self.farm.site.path('x2gobroker.conf'), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=60, cwd='/', env={'PATH': '/usr/bin:/bin'})

    def metrics(self, *words, complains=''):
        done = self.run('metrics', *words)
        if done.returncode != 0 or bool(done.stderr) != bool(complains) or \
                complains not in done.stderr:
            raise RuntimeError('metrics: %s' % done)
        return Metrics(done.stdout)


def server(farm, i):
    """The labels of a server."""
    one = farm.servers[i]
    return {'server': '%s:%d' % (one.name, one.port), 'address': one.address}


def test_format(tap, farm, ctl, _):
    farm.profiles(farm.profile('desk'), '[wrong]\nacl-users-alow=x\n')
    metrics = ctl.metrics('--poll', complains='acl-users-alow: unknown key')
    tap.ok(metrics.text.endswith('\n# EOF\n'), 'the last line is # EOF')
    tap.equal({family.type for family in metrics.families.values()},
              {'gauge', 'counter'}, 'types that node_exporter knows, too')
    tap.equal({name: family.unit for name, family in metrics.families.items()
               if family.unit}, {'x2gobroker_server_answer_seconds': 'seconds'}, 'units')
    tap.ok(all(family.documentation for family in metrics.families.values()),
           'each family has its HELP')
    tap.equal([sample for sample in metrics.samples if sample.timestamp], [],
              'no timestamp, which node_exporter refuses')
    tap.equal({sample.name for sample in metrics.samples}, set(metrics.old),
              'readers of the older text format find the same')
    page = re.sub(r'\\&', '', (SOURCE / 'cmd/x2gobrokerctl/x2gobrokerctl.8').read_text())
    names = set(re.findall(r'[a-z_]+', ' '.join(re.findall(r'(?m)^\.It Va (.*)', page))))
    tap.equal({name.removeprefix('x2gobroker_') for name in metrics.old} - names, set(),
              'the manual has each of them')
    tap.equal((metrics.get('profiles', state='served'),
               metrics.get('profiles', state='withheld')), (1, 1), 'profiles')
    done = subprocess.run([ctl.program, '--version'], stdout=subprocess.PIPE, text=True)
    tap.equal(metrics.get('build_info', version=done.stdout.split()[1]), 1, 'the version')


def test_poll(tap, farm, ctl, _):
    farm.profiles(farm.profile('desk'))
    for i, one in enumerate(farm.servers):
        one.play(count=i)
        one.calls()
    metrics = ctl.metrics()
    tap.equal([one.tasks() for one in farm.servers], [[]] * 3, 'no server is asked')
    tap.equal([metrics.get(name, **server(farm, 0)) for name in (
        'server_up', 'server_sessions', 'server_drained', 'server_hung')],
              [None, None, 0, 0], 'and nothing is said that only it could know')
    ctl.run('drain', 'ts01')
    with farm.servers[1].down():
        metrics = ctl.metrics('--poll')
    tap.equal([one.tasks() for one in farm.servers], [['status'], [], ['status']],
              '--poll asks each once')
    tap.equal([[metrics.get('server_' + name, **server(farm, i)) for name in (
        'up', 'sessions', 'load_factor', 'drained')] for i in range(3)],
              [[1, 0, 640000, 1], [0, None, None, 0], [1, 2, 640000, 0]], 'the numbers')
    tap.ok(0 < metrics.get('server_answer_seconds', **server(farm, 0)) < 10 and
           metrics.get('server_answer_seconds', **server(farm, 1)) is None, 'the time')


def test_remembered(tap, farm, ctl, _):
    """What requests have left in state-dir."""
    farm.profiles(farm.profile('desk', farm.servers[:1]), farm.profile('all'))
    one, now = farm.servers[0], time.time()
    farm.select('desk')
    tap.equal(ctl.metrics().get('server_pending_sessions', **server(farm, 0)), 0,
              'a single server is not chosen')
    for _ in range(2):
        farm.select('all', farm.user)
    total = sum(ctl.metrics().get('server_pending_sessions', **server(farm, i))
                for i in range(3))
    tap.equal(total, 1, 'a session that has not started is pending, once')
    farm.site.add_row('servers', 8, '%d %s:%d hung no answer' % (now, one.address, one.port))
    farm.site.add_row('servers', 9, '%d %s:%d failed no' % (now, one.address, one.port))
    metrics = ctl.metrics()
    tap.equal([[metrics.get('server_' + name, **server(farm, i)) for i in range(3)]
               for name in ('hung', 'login_refused')], [[1, 0, 0], [1, 0, 0]],
              'servers that hung, and that let nobody in')
    ctl.run('drain', 'ts02')
    ctl.run('block', 'ts03')
    metrics = ctl.metrics()
    tap.equal((metrics.get('drain_list', state='drained'),
               metrics.get('drain_list', state='blocked'),
               metrics.get('server_drained', **server(farm, 1)),
               metrics.get('server_drained', **server(farm, 2))), (1, 1, 1, None),
              'drained and blocked ones')


def test_maintenance(tap, farm, ctl, _):
    odd = 'a "b" \\n \\ \u00e9 {x="y"} #'
    farm.profiles(farm.profile('desk'))
    tap.equal(ctl.metrics().get('maintenance'), 0, 'no maintenance')
    ctl.run('maintenance', 'x', '--profile', odd)
    ctl.run('maintenance', 'x', '--server', 'ts01')
    metrics = ctl.metrics()
    tap.equal((metrics.get('maintenance'), metrics.get('maintenance', profile=odd),
               metrics.get('maintenance', server='ts01')), (0, 1, 1),
              'of a profile, whose id is escaped, and of a server')
    ctl.run('maintenance', 'x')
    tap.equal(ctl.metrics().get('maintenance'), 1, 'of all')
    # one that replaces another one is added first
    row = '0\tresume\tserver\tts01\t%s'
    farm.site.add_row('maintenance', 20, row % 'old')
    farm.site.add_row('maintenance', 21, row % 'new')
    tap.equal(ctl.metrics().get('maintenance', server='ts01'), 1, 'each of them once')


def test_clients(tap, farm, ctl, _):
    farm.profiles(farm.profile('desk'))
    tap.equal(ctl.metrics().get('clients_connected'), None, 'without client-events')
    with farm.site.configured(client_events='true'):
        tap.equal(ctl.metrics().get('clients_connected'), 0, 'nobody is connected')
        farm.site.forced('x2gobroker --task clientevent --sid "%s-50-1763930965_stDXFCE_'
                         'dp24" --event CONNECTED --server "ts01" --client "10.0.0.1" '
                         '--login "x" --cmd "XFCE" --display "50" --start "x" '
                         '--elapsed 1' % farm.user, '--user', farm.user)
        tap.equal(ctl.metrics().get('clients_connected'), 1, 'one is')


# requests by verdict

def test_requests(tap, farm, ctl, _):
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    tap.equal(ctl.metrics().requests(), {}, 'no request yet')
    farm.list()
    farm.list()
    farm.select('none')
    farm.site.forced(brokerlab.LOGIN_CHECK, '--user', farm.user)
    farm.site.forced('rm -rf /', '--user', farm.user)
    tap.equal(ctl.metrics().requests(), {
        ('listsessions', 'granted'): 2, ('selectsession', 'refused'): 1,
        ('login', 'granted'): 1, ('other', 'refused'): 1}, 'requests by task and verdict')
    counters = pathlib.Path(farm.site.path('state/counters'))
    tap.equal((stat.S_IMODE(counters.stat().st_mode), counters.stat().st_size < 4096),
              (0o600, True), 'the file is small, and the broker account\'s alone')
    jobs = 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: farm.site.forced(LIST, '--user', farm.user),
                                range(jobs)))
    tap.equal((sum(answer.stdout.startswith(GRANTED) for answer in answers),
               ctl.metrics().requests()['listsessions', 'granted']), (jobs, jobs + 2),
              'many at once: each of them counts')


def test_doors(tap, farm, ctl, http):
    """A setuid broker, and the one over HTTP."""
    site = farm.site
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    found = subprocess.run(['ldd', site.program], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    place = pathlib.Path('/usr/lib/x2gobroker-test')
    for library in re.findall(r'libx2gobroker\S* => (\S+)', found):
        shutil.copy(library, '/usr/lib/libx2gobroker.so.0')
    place.mkdir()
    program = shutil.copy(site.program, place / 'x2gobroker')
    os.chown(program, site.account.uid, site.account.gid)
    os.chmod(program, 0o4755)
    os.makedirs('/etc/x2go', exist_ok=True)
    shutil.copy(site.path('x2gobroker.conf'), '/etc/x2go/x2gobroker.conf')
    for command in LIST, 'x2gobroker --task selectsession --sid none':
        subprocess.run([program], user=farm.account.uid, group=farm.account.gid,
                       extra_groups=[], env={'SSH_ORIGINAL_COMMAND': command},
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    requests = ctl.metrics().requests()
    tap.equal(requests, {('listsessions', 'granted'): 1, ('selectsession', 'refused'): 1},
              'a setuid broker counts', site.log_text())
    body = b'task=testcon'
    done = subprocess.run(
        [http, '-C', site.path('x2gobroker.conf')], user=site.account.uid,
        group=site.account.gid, extra_groups=[], input=body, stdout=subprocess.PIPE,
        env={'REQUEST_METHOD': 'POST', 'REQUEST_URI': '/plain/', 'HTTPS': 'on',
             'REMOTE_ADDR': '192.0.2.1', 'CONTENT_LENGTH': str(len(body)),
             'GATEWAY_INTERFACE': 'CGI/1.1'})
    tap.equal(ctl.metrics().requests(), {**requests, ('testcon', 'granted'): 1},
              'x2gobroker-http counts', done, site.log_text())


def spoiled_directory(path):
    path.unlink()
    path.mkdir()


def spoiled_link(path):
    path.unlink()
    path.symlink_to('/etc/passwd')


def spoiled_pipe(path):
    path.unlink()
    os.mkfifo(path)


def spoiled_size(path):
    path.write_bytes(b'')
    path.chmod(0o400)


def test_spoiled(tap, farm, ctl, _):
    """No request fails because it cannot be counted."""
    farm.profiles(farm.profile('desk', farm.servers[:1]))
    before = pathlib.Path('/etc/passwd').read_bytes()
    for spoil in spoiled_directory, spoiled_link, spoiled_pipe, spoiled_size:
        farm.site.fresh_state()
        farm.list()
        spoil(pathlib.Path(farm.site.path('state/counters')))
        answer = farm.list()
        tap.ok(answer.states and answer.seconds < 5, spoil.__name__ + ': granted', answer)
    tap.equal(pathlib.Path('/etc/passwd').read_bytes(), before, 'a link is not followed')
    farm.site.fresh_state()
    farm.list()
    os.truncate(farm.site.path('state/counters'), 8)
    tap.ok(farm.list().states, 'a file that is too short: granted')
    tap.equal(ctl.metrics().requests(), {('listsessions', 'granted'): 1},
              'and it is made longer')
    shutil.rmtree(farm.site.path('state'))
    tap.ok(farm.list().states, 'no state-dir: granted')
    tap.ok(not os.path.exists(farm.site.path('state/counters')), 'none is made for it')


# the file

def test_output(tap, farm, ctl, _):
    farm.profiles(farm.profile('desk'))
    place = pathlib.Path(farm.site.path('textfiles'))
    place.mkdir(mode=0o755)     # of root
    path = place / 'x2gobroker.prom'
    done = ctl.run('metrics', '--output', str(path))
    tap.equal((done.returncode, done.stdout, done.stderr), (0, '', ''), '--output FILE')
    tap.equal(stat.S_IMODE(path.stat().st_mode), 0o644, 'all may read the file')
    tap.ok(Metrics(path.read_text()).families, 'and it is complete')
    before = path.stat().st_ino
    ctl.run('metrics', '--output', str(path))
    tap.ok(path.stat().st_ino != before, 'it is replaced, not written to')
    before = path.read_bytes()
    with farm.site.configured(agent_timeout='x'):
        done = ctl.run('metrics', '--output', str(path))
    tap.ok((done.returncode, path.read_bytes()) == (1, before) and
           'agent-timeout' in done.stderr, 'after an error the old one stays', done)
    farm.site.write('drained', 'a b c\n')
    done = ctl.run('metrics', '--output', str(path))
    tap.ok((done.returncode, path.read_bytes()) == (1, before) and
           'drained:1' in done.stderr, 'also if one part is not known', done)
    farm.site.write('drained', '')
    tap.equal(os.listdir(place), [path.name], 'nothing else is left there')
    done = ctl.run('metrics', '--output', str(place / 'none' / 'x.prom'))
    tap.ok(done.returncode == 1 and 'none/x.prom: No such file' in done.stderr,
           'no such directory', done)
    done = subprocess.run([ctl.program, '-C', farm.site.path('x2gobroker.conf'), 'metrics',
                           '--output', 'here.prom'], cwd=place, stderr=subprocess.PIPE)
    tap.ok(done.returncode == 0 and (place / 'here.prom').exists(), 'a path from here', done)


def test_units(tap, farm, ctl, _):
    """systemd reads the shipped units."""
    if not tap.need(**{'systemd-analyze': 'systemd'}):
        return
    if not os.path.exists('/usr/sbin/x2gobrokerctl'):
        shutil.copy(ctl.program, '/usr/sbin/x2gobrokerctl')
    if subprocess.run(['getent', 'passwd', 'x2gobroker'],
                      stdout=subprocess.DEVNULL).returncode != 0:
        subprocess.run(['useradd', '--system', 'x2gobroker'], check=True)
    for name in UNITS:
        shutil.copy(SOURCE / 'contrib/systemd' / name, '/etc/systemd/system')
    for name in UNITS:
        said = subprocess.run(['systemd-analyze', 'verify', '--man=no', name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wrong = [line for line in said.stdout.splitlines() if 'x2gobroker-metrics' in line]
        tap.ok(said.returncode == 0 and not wrong, 'systemd-analyze verify ' + name, said)


TESTS = [
    test_format, test_poll, test_remembered, test_maintenance, test_clients,
    test_requests, test_doors, test_spoiled, test_output, test_units,
]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**farmlab.PACKAGES) or not tap.ok(
                importlib.util.find_spec('prometheus_client'), 'prometheus_client is there',
                'please run: apt-get install python3-prometheus-client'):
            return
        found = brokerlab.programs(tap, 'X2GOBROKER', 'X2GOBROKERCTL', 'X2GOBROKER_HTTP')
        if not tap.equal(len(found), 3, 'all three programs are there'):
            return
        farm = farmlab.Farm(stack, found[0], 3)
        ctl = Ctl(found[1], farm)
        for test in TESTS:
            farm.reset()
            with tap.case(test.__name__ + ': no step failed'):
                test(tap, farm, ctl, found[2])


if __name__ == '__main__':
    main()
