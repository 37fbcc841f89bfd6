#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""x2gobroker-http: what the X2Go client sends, by SCGI, as CGI and through the three
web servers with the shipped snippets; logins, tokens, throttling, fail2ban; and what
nobody should send.

usage: test_http.py X2GOBROKER-HTTP X2GOBROKER-PAM X2GOBROKERCTL [TEST ...]
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import httplab
import lab
from httplab import DENIED, GRANTED, PASSWORD, WRONG, form, scgi, token_in

PROFILES = '''\
[desk]
host=desk.example
[a w+o&x=y]
host=odd.example
[hidden]
host=hidden.example
acl-users-allow=%s
'''


class World:
    def __init__(self, tap, stack):
        self.tap = tap
        self.site = httplab.Site(os.path.abspath(sys.argv[1]),
                                 os.path.abspath(sys.argv[2]), stack)
        self.user, self.other = (stack.enter_context(httplab.Person())
                                 for _ in range(2))
        self.site.profiles(PROFILES % self.other.name)
        self.stack = stack
        self.site.listen()
        self.tls = httplab.certificate(stack.enter_context(
            tempfile.TemporaryDirectory()))
        os.chmod(self.tls, 0o755)

    def granted(self, response, name):
        self.tap.ok(response.status == 200 and GRANTED in response.body, name, response,
                    self.site.log())

    def denied(self, response, name, reason=''):
        log = self.site.log()
        self.tap.ok((response.status, response.body) == (200, DENIED) and reason in log,
                    name, response, log)


def test_conversation(world):
    """As the real client has it."""
    tap, site, user = world.tap, world.site, world.user
    site.log()
    listing = site.ask('listsessions', user, PASSWORD)
    first = token_in(listing)
    tap.ok(listing.status == 200 and listing.body.startswith(
        b'AUTHID:%s\nAccess granted\nSTART_USER_SESSIONS\n' % first.encode()) and
        listing.body.endswith(b'END_USER_SESSIONS\n') and b'[desk]' in listing.body and
        b'[hidden]' not in listing.body, 'listsessions', listing)
    tap.equal(listing.headers, {
        'Status': '200 OK', 'Content-Type': 'text/plain; charset=utf-8',
        'Cache-Control': 'no-store', 'Content-Length': str(len(listing.body))},
        'its headers')
    log = site.log()
    tap.ok(re.search(r'granted task=listsessions user=%s by=password from=192\.0\.2\.17 '
                     r'profiles=2 ms=' % user.name, log), 'its line of the log', log)
    tap.ok(PASSWORD not in log and first not in log, 'no password, no token in it', log)
    select = site.ask('selectsession', user, PASSWORD, authid=first, sid='desk',
                      login=user.name)
    tap.ok(select.body == b'AUTHID:%s\nAccess granted\nSERVER:desk.example:22\n' %
           token_in(select).encode(), 'selectsession', select)
    tap.ok('by=token' in site.log(), 'a token is enough')
    second = token_in(select)
    odd = site.ask('selectsession', user, PASSWORD, authid=second, sid='a w+o&x=y')
    tap.ok(b'SERVER:odd.example:22\n' in odd.body, 'a profile id comes raw', odd)
    odd = site.ask('selectsession', user, PASSWORD, authid=second,
                   sid='a%20w%2Bo%26x%3Dy')
    tap.ok(b'SERVER:odd.example:22\n' in odd.body, 'or encoded', odd)
    for _ in range(3):
        event = site.ask('clientevent', user, '', authid=second, sid='x-50-1_stDKDE',
                         event='ALIVE', server='desk.example', client='10.0.0.1',
                         login=user.name, cmd='startkde', display='50',
                         start='2026-01-02T03:04:05', elapsed='30')
        tap.equal(event.body, GRANTED, 'clientevent keeps the token')
    world.denied(site.ask('selectsession', user, PASSWORD, sid='hidden'),
                 'a hidden profile', 'task=selectsession')
    world.denied(site.ask('setpass', user, PASSWORD, newpass='x'), 'setpass',
                 'allow-password-change')
    tap.equal(site.send(scgi(b'task=testcon')).body, GRANTED, 'testcon is anonymous')
    zeroconf = site.ask('listsessions', user, PASSWORD, uri='/x/plain/zeroconf/?a=b')
    tap.ok(b'[desk]' not in zeroconf.body and GRANTED in zeroconf.body,
           'a backend in the path', zeroconf)
    world.granted(site.ask('listsessions', user, PASSWORD, uri='/plain/inifile/any'),
                  'any path below /plain/')
    cgi = site.cgi(form('listsessions', user.name, PASSWORD))
    tap.ok(GRANTED in cgi.body and cgi.status == 200, 'the same by CGI', cgi)


@contextlib.contextmanager
def maintenance(site, *words):
    """x2gobrokerctl beside the broker, as the broker account."""
    def run(*words):
        subprocess.run([sys.argv[3], '-C', site.path('x2gobroker.conf'), 'maintenance',
                        *words], check=True, stdout=subprocess.DEVNULL)
    run(*words)
    try:
        yield
    finally:
        run('--off')


def test_maintenance(world):
    """Clients show the text of the status, read as Latin-1, and end; those with a
    session never get one."""
    tap, site, user = world.tap, world.site, world.user
    site.forget()
    with maintenance(site, 'B\u00fcro: back at \u2462'):
        site.log()
        for task, more in (('listsessions', {}), ('selectsession', {'sid': 'desk'})):
            answer = site.ask(task, user, PASSWORD, **more)
            tap.ok(answer.status == 503 and answer.headers['Status'] ==
                   '503 B\u00fcro: back at ?' and answer.body == b'',
                   task + ': maintenance', answer)
            tap.ok(re.search(r'refused task=%s user=%s .*reason="maintenance: B' %
                             (task, user.name), site.log()), 'in the log')
        world.denied(site.ask('listsessions', user, WRONG),
                     'who has no password is not told')
        event = site.ask('clientevent', user, PASSWORD, sid='x-50-1_stDKDE',
                         event='ALIVE', server='desk.example')
        tap.ok(GRANTED in event.body and event.status == 200,
               'an event is granted', event)
    with maintenance(site, 'no desk', '--profile', 'desk'):
        world.granted(site.ask('listsessions', user, PASSWORD), 'the list is as ever')
        answer = site.ask('selectsession', user, PASSWORD, sid='desk')
        tap.equal((answer.status, answer.headers['Status']), (503, '503 no desk'),
                  'maintenance of a profile')
    world.granted(site.ask('selectsession', user, PASSWORD, sid='desk'), 'it is over')


def test_hooks(world):
    """A refusal is one that the client survives; it is asked for after the password."""
    tap, site, user = world.tap, world.site, world.user
    site.forget()
    path = site.write('hook', '#!/bin/sh\ncat >&2\n'
                      'if [ $1 = select ]; then echo refuse night; exit; fi\n'
                      'echo allow\n')
    os.chmod(path, 0o755)
    site.configure('login-hook = %s\nselect-hook = %s' % (path, path))
    world.denied(site.ask('selectsession', user, PASSWORD, sid='desk'), 'select-hook',
                 'select-hook refuses: night')
    world.granted(site.ask('listsessions', user, PASSWORD), 'login-hook')
    os.chmod(path, 0o757)
    world.denied(site.ask('listsessions', user, PASSWORD),
                 'a hook that others may write', 'may write it')
    world.denied(site.ask('listsessions', user, WRONG), 'and a wrong password',
                 'Authentication failure')
    event = site.ask('clientevent', user, PASSWORD, sid='x-50-1_stDKDE', event='ALIVE')
    tap.equal(GRANTED in event.body, True, 'an event needs no hook')
    site.configure()
    world.granted(site.ask('selectsession', user, PASSWORD, sid='desk'), 'no hook')


def test_refused_logins(world):
    tap, site, user, other = world.tap, world.site, world.user, world.other
    site.forget()
    for name, account, password in (
            ('a wrong password', user.name, WRONG), ('none', user.name, ''),
            ('nobody', '', PASSWORD), ('root', 'root', PASSWORD),
            ('who is not there', 'no-such-account', PASSWORD),
            ('another spelling', user.name.upper(), PASSWORD),
            ('a system account', 'daemon', '')):
        world.denied(site.ask('listsessions', account, password), name)
    site.forget()
    world.granted(site.ask('listsessions', user, PASSWORD), 'and then the right one')
    hers = token_in(site.ask('listsessions', user, PASSWORD))
    world.denied(site.ask('listsessions', other, '', authid=hers),
                 "somebody else's token")
    world.granted(site.ask('listsessions', other, PASSWORD, authid=hers),
                  'but the next person at a client can log in')
    world.denied(site.ask('listsessions', user, '', authid=hers, address='192.0.2.18'),
                 'a token at another address')
    subprocess.run(['chage', '-E', '2020-01-01', user.name], check=True)
    world.denied(site.ask('listsessions', user, '', authid=hers),
                 'a token of an account that has expired meanwhile', 'account check')
    subprocess.run(['chage', '-E', '-1', user.name], check=True)
    world.granted(site.ask('listsessions', user, '', authid=hers), 'and one of a valid one')


def test_setpass(world):
    tap, site, user = world.tap, world.site, world.user
    site.forget()
    site.configure('allow-password-change = true')
    pam = httplab.SERVICE.read_text()
    httplab.SERVICE.write_text(pam.replace('requisite  pam_deny.so', 'required pam_unix.so'))
    token = token_in(site.ask('listsessions', user, PASSWORD))
    world.denied(site.ask('setpass', user, '', authid=token, newpass='New-word 1'),
                 'setpass: a token is not enough')
    world.denied(site.ask('setpass', user, WRONG, newpass='New-word 1'),
                 'setpass: the wrong old password')
    subprocess.run(['chage', '-d', '0', user.name], check=True)
    world.denied(site.ask('listsessions', user, PASSWORD), 'setpass: an expired password')
    changed = site.ask('setpass', user, PASSWORD, newpass='New-word 1')
    tap.ok(changed.body.endswith(b'Access granted\nPASSWORD CHANGED: OK\n'),
           'setpass: gets a new one', changed, site.log())
    world.granted(site.ask('listsessions', user, 'New-word 1'), 'setpass: which is good')
    subprocess.run(['chpasswd'], input='%s:%s\n' % (user.name, PASSWORD), text=True,
                   check=True)
    httplab.SERVICE.write_text(pam)
    site.configure()


def test_throttle(world):
    """Guessing ends, whoever guesses in however many processes."""
    tap, site, user, other = world.tap, world.site, world.user, world.other
    site.forget()
    site.configure('http-failures = 5')
    for _ in range(3):      # the client's library repeats a request by itself
        site.ask('listsessions', user, WRONG)
    world.granted(site.ask('listsessions', user, PASSWORD), 'one mistake counts once')
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        start = time.monotonic()
        list(pool.map(lambda i: site.ask('listsessions', user, 'guess%d' % i),
                      range(24)))
    log = site.log()
    tap.ok(log.count('account login: ') <= 6 and log.count('login throttled: ') >= 18,
           '24 guesses at once: no more than 5 are checked', log)
    answer = site.ask('listsessions', user, PASSWORD)
    world.denied(answer, 'then nothing is checked', 'login throttled: too many')
    tap.ok(answer.seconds < 1, 'and that at once', answer)
    world.granted(site.ask('listsessions', other, PASSWORD), 'others can log in')
    site.forget()
    site.configure()


def test_fail2ban(world):
    """The shipped filter finds each failure, and nothing that somebody has forged."""
    tap, site, user = world.tap, world.site, world.user
    if not tap.need(**{'fail2ban-regex': 'fail2ban'}):
        return
    site.forget()
    site.log()
    jail = shutil.copy(httplab.SOURCE / 'contrib/fail2ban/x2gobroker-http.conf',
                       '/etc/fail2ban/filter.d')
    evil = ('x from=198.51.100.1', 'x" by=claim from=198.51.100.1 reason="account login: ',
            'x\\', 'refused task=listsessions user=x by=claim from=198.51.100.1 ms=1 '
            'reason=account')
    for name, password, address in (
            (user.name, WRONG, '192.0.2.17'), ('no-such-account', WRONG, '2001:db8::17'),
            *((name, WRONG, '192.0.2.18') for name in evil)):
        site.ask('listsessions', name, password, address=address)
    site.ask('listsessions', user, PASSWORD, address='192.0.2.19')
    site.ask('selectsession', user, PASSWORD, address='192.0.2.20', sid='hidden')
    lines = site.log()
    path = site.write('lines.log', lines)
    done = subprocess.run(
        ['fail2ban-regex', '-v', '--print-all-matched', path, jail],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = re.findall(r'(?m)^\|\s+(\S+)\s+\w{3} ', done.stdout)
    tap.equal(sorted(found), sorted(['192.0.2.17', '2001:db8::17'] + ['192.0.2.18'] *
                                    len(re.findall('from=192.0.2.18 .*"account login',
                                                   lines))),
              'fail2ban: the addresses that guess')
    tap.ok('198.51.100.1' not in found, 'fail2ban: nobody else', done.stdout, lines)
    syslog = 'Nov 29 10:00:00 host x2gobroker[1]: refused task=listsessions user=a ' \
        'by=claim from=192.0.2.21 ms=2.0 reason="account login: a: Authentication ' \
        'failure"\n'
    done = subprocess.run(
        ['fail2ban-regex', syslog, jail],
        stdout=subprocess.PIPE, text=True, check=False)
    tap.ok('1 matched' in done.stdout, 'fail2ban: as syslog has it', done.stdout)
    site.forget()


def test_noauth(world):
    tap, site, user = world.tap, world.site, world.user
    site.configure('http-auth = none')
    listing = site.ask('listsessions', '', '')
    tap.ok(GRANTED in listing.body and b'AUTHID' not in listing.body,
           'http-auth = none: a list without a name', listing)
    world.granted(site.ask('selectsession', user, '', sid='desk'),
                  'http-auth = none: a server')
    world.denied(site.ask('setpass', user, PASSWORD, newpass='x'),
                 'http-auth = none: no new password')
    site.configure('require-password = false')
    world.denied(site.ask('listsessions', user, ''), 'require-password = false is refused',
                 'http-auth = none')
    site.configure('http-auth = none\nrequire-cookie = true\nmy-cookie = sesame')
    world.denied(site.ask('listsessions', user, ''), 'a required secret')
    world.granted(site.ask('listsessions', user, '', authid='sesame'),
                  'a required secret that is sent')
    site.configure()


def test_status(world):
    """What no X2Go client sends gets a status of its own."""
    tap, site, user = world.tap, world.site, world.user
    body = form('listsessions', user.name, PASSWORD)
    for expected, request in (
            (404, scgi(body, uri='/')), (404, scgi(body, uri='/plain')),
            (404, scgi(body, uri='/json')), (404, scgi(body, uri='/x?/plain/')),
            (404, scgi(body, REQUEST_URI=None)),
            (405, scgi(b'', method='GET')), (405, scgi(b'', method='post')),
            (405, scgi(body, method='POST ')), (405, scgi(body, REQUEST_METHOD=None)),
            (403, scgi(body, HTTPS='off')), (403, scgi(body, HTTPS=None)),
            (403, scgi(body, HTTPS=None, HTTP_X_FORWARDED_PROTO='https')),
            (200, scgi(body, HTTPS=None, REQUEST_SCHEME='https')),
            (413, scgi(b'x' * 16385)), (413, scgi(body, length='')),
            (413, scgi(body, CONTENT_LENGTH=None)), (413, scgi(body, length='-1')),
            (413, scgi(body, length='+5')), (413, scgi(body, length='0x10')),
            (413, scgi(body, length='99999999999999999999')),
            (413, scgi(body, length='10 ')),
            (400, scgi(body, length='9999'))):
        answer = site.send(request)
        tap.ok(answer.status == expected and (expected == 200 or not answer.body),
               '%d for %.60r' % (expected, request), answer)
    tap.ok('Allow' in site.send(scgi(b'', method='GET')).headers, 'GET: Allow')
    site.configure('http-allow-plain = true')
    world.granted(site.send(scgi(body, HTTPS=None)), 'http-allow-plain')
    site.configure()


HEAD = b'SCGI\x001\x00REQUEST_METHOD\x00POST\x00'


def test_json(world):
    """As python-x2go has it: anything but 200 is a refusal."""
    tap, site, user = world.tap, world.site, world.user
    site.forget()

    def ask(body, uri='/json/', **more):
        answer = site.send(scgi(body, uri=uri, **more))
        content = json.loads(answer.body) if answer.body else None
        return answer.status, content, answer.headers.get('Content-Type')

    login = form('', user.name, PASSWORD).replace(b'task=&', b'')
    status, content, kind = ask(login)
    tap.equal((status, content['task'], content['auth-status'], kind),
              (200, '', 'Access granted', 'text/json; charset=utf-8'), 'json: a login')
    token = content['next-authid']
    status, content, _ = ask(form('listprofiles', user.name, '', token))
    tap.equal((status, content['task'], sorted(content['profiles'])),
              (200, 'listprofiles', ['a w+o&x=y', 'desk']), 'json: a list')
    status, content, _ = ask(form('selectsession', user.name, '', content['next-authid'],
                                  **{'profile-id': 'a w+o&x=y', 'pubkey': 'x'}),
                             '/x/json/inifile/y')
    tap.equal((status, content['selected_session']),
              (200, {'server': 'odd.example', 'port': '22'}), 'json: a server')
    for name, body, more in (
            ('a wrong password', form('', user.name, WRONG), {}),
            ('no password', form('listprofiles', user.name), {}),
            ("somebody else's token", form('listprofiles', world.other.name,
                                           authid=content['next-authid']), {}),
            ('a hidden profile', form('selectsession', user.name, PASSWORD,
                                      **{'profile-id': 'hidden'}), {}),
            ('a task of x2goclient', form('setpass', user.name, PASSWORD, newpass='x'),
             {}), ('testcon', b'task=testcon', {}), ('nothing', b'', {}),
            ('JSON', b'{"task": "listprofiles"}', {}),
            ('two keys', login + b'&pubkey=a&pubkey=b', {})):
        status, content, _ = ask(body, **more)
        tap.equal((status, content), (401, None), 'json, refused: ' + name)
    site.forget()
    site.configure('enable-json-output = false')
    tap.equal(ask(login)[0], 401, 'enable-json-output = false')
    world.granted(site.ask('listsessions', user, PASSWORD), 'which plain does without')
    site.configure('enable-plain-output = false')
    tap.equal(ask(login)[0], 200, 'enable-plain-output = false: JSON is served')
    world.denied(site.ask('listsessions', user, PASSWORD), 'enable-plain-output = false')
    site.configure()


def test_hostile(world):
    """Refused, and nothing of it is executed, given out or left behind."""
    tap, site, user = world.tap, world.site, world.user
    site.forget()
    body = form('listsessions', user.name, PASSWORD)
    whole = scgi(body)
    broken = [b'', b':', b'0:,', b'5:SCGI\0,', b'99999999:', b'-1:,', b'65537:x',
              b'GET / HTTP/1.0\r\n\r\n', b'\0' * 100, b'\xff' * 100,
              whole.replace(b',', b';', 1), b'1' + whole, b'0' + whole[1:],
              b'%d:%s,' % (len(HEAD) - 1, HEAD[:-1]), b'%d:%s\0,' % (len(HEAD) + 1, HEAD),
              scgi(body, SCGI='2'), scgi(body, SCGI=None),
              scgi(body).replace(b'HTTPS\0on\0', b'SCGI\x001\0', 1)]
    twice = b'CONTENT_LENGTH\x000\0SCGI\x001\0SCGI\x001\0'
    broken.append(b'%d:%s,' % (len(twice), twice))
    broken += [whole[:i] for i in range(1, len(whole), 37)]
    for request in broken:
        answer = site.send(request)
        tap.ok(answer.status in (400, 405, 413) and not answer.body,
               'broken: %.50r' % request, answer)
    bodies = [b'\0', b'task=listsessions\0', b'task=listsessions&user=%00',
              b'{"task":"listsessions"}', b'task=' + b'x' * 16000, b'&' * 16384,
              b'%' * 16384, b'=' * 16384, b'user=' + b'a' * 16000,
              body + b'&user=root', body + b'&task=testcon', body + b'&password=x',
              body.replace(b'listsessions', b'../../bin/id'),
              form('selectsession', user.name, PASSWORD, sid='../../../etc/passwd'),
              form('selectsession', user.name, PASSWORD, sid='x&user=root'),
              form('selectsession', user.name, PASSWORD, sid='desk', login='root'),
              form('listsessions', user.name + '\n', PASSWORD),
              form('listsessions', user.name + ' ', PASSWORD),
              form('listsessions', '../' + user.name, PASSWORD),
              form('listsessions', '-x', PASSWORD), form('listsessions', 'x' * 255, 'y'),
              form('listsessions', user.name + ':', PASSWORD),
              form('listsessions', '$(id)', PASSWORD), form('listsessions', '%s%n', 'x'),
              form('listsessions', user.name, 'x' * 600),
              form('listsessions', user.name, PASSWORD + '\n'),
              form('listsessions', user.name, WRONG, authid='../' * 100),
              form('listsessions', user.name, WRONG, authid='x' * 5000),
              form('setpass', user.name, PASSWORD, newpass='x\ny'),
              b'\xff\xfe' * 1000, body.replace(b'&', b';')]
    for number, text in enumerate(bodies):
        answer = site.send(scgi(text, address='192.0.2.%d' % (number + 20)))
        tap.ok((answer.status, answer.body) == (200, DENIED), 'refused: %.50r' % text,
               answer)
        if number % 8 == 7:
            site.forget()
    site.forget()
    # the Python broker compiled this as code
    answer = site.send(scgi(body, uri='/plain/x y%0A(/'))
    tap.ok(GRANTED in answer.body, 'a strange path is a path', answer)
    for name, more in (('REMOTE_USER', {'REMOTE_USER': user.name, 'AUTH_TYPE': 'Basic'}),
                       ('Authorization', {'HTTP_AUTHORIZATION': 'Basic eDp5'}),
                       ('Proxy', {'HTTP_PROXY': 'http://192.0.2.99/'}),
                       ('SSH', {'SSH_ORIGINAL_COMMAND': 'x --task listsessions'})):
        answer = site.send(scgi(form('listsessions', user.name, ''), **more))
        tap.equal((answer.status, answer.body), (200, DENIED), name + ' lets nobody in')
    answer = site.send(scgi(body, HTTP_X_FORWARDED_FOR='198.51.100.7'))
    tap.ok('from=192.0.2.17' in site.log(), 'X-Forwarded-For is not believed')
    for address in ('unix:', '', 'localhost', '192.0.2.17\n', '1.2.3'):
        log = site.log()
        answer = site.send(scgi(body, address=address))
        log = site.log()
        tap.ok('from=- ' in log and answer.status == 200,
               'an address that is none: %r' % address, answer, log)
    log = site.log()
    tap.ok(PASSWORD not in log, 'no password in the log')
    tap.equal(set(os.listdir(site.path('state'))) - {'passwords', 'servers',
              'assignments', 'requests', 'counters'}, set(), 'nothing is left behind')


def test_more_hostile(world):
    """What nobody has sent yet: forms, paths and headers that mean two things at once."""
    tap, site, user = world.tap, world.site, world.user
    site.forget()
    good = form('listsessions', user.name, PASSWORD)
    name, quoted = user.name.encode(), httplab.quote(PASSWORD).encode()
    denied = [
        # names of fields
        b'TASK=listsessions&user=%s&password=%s' % (name, quoted),
        b' task=listsessions&user=%s&password=%s' % (name, quoted),
        b'task%%3dlistsessions&user=%s&password=%s' % (name, quoted),
        b't%%61sk=listsessions&user=%s&password=%s' % (name, quoted),
        b'task[]=listsessions&user=%s&password=%s' % (name, quoted),
        b'task=listsessions&user[]=%s&password=%s' % (name, quoted),
        b'task=listsessions&user=%s&pass%%77ord=%s' % (name, quoted),
        b'task=listsessions;user=%s;password=%s' % (name, quoted),
        b'task=listsessions\r\nuser=%s\r\npassword=%s' % (name, quoted),
        good + b'&user=', good + b'&user', good + b'&password', good + b'&task=',
        good + b'&auth-cookie=1', good + b'&next-authid=1', b'user=root&' + good,
        # values
        b'task=listsessions%%20&user=%s&password=%s' % (name, quoted),
        b'task=+listsessions&user=%s&password=%s' % (name, quoted),
        b'task=listsessions&user=%%20%s&password=%s' % (name, quoted),
        b'task=listsessions&user=%s%%0d&password=%s' % (name, quoted),
        b'task=listsessions&user=%s%%E2%%80%%8B&password=%s' % (name, quoted),
        b'task=listsessions&user=%s%%C0%%80&password=%s' % (name, quoted),
        b'task=listsessions&user=%s%%2500&password=%s' % (name, quoted),
        b'task=listsessions&user=%s%%40localhost&password=%s' % (name, quoted),
        b'task=listsessions&user=%d&password=%s' % (user.uid, quoted),
        b'task=listsessions&user=+%s&password=%s' % (name, quoted),
        b'task=listsessions&user=%s&password=%s%%20' % (name, quoted),
        b'task=listsessions&user=%s&password=%s%%00' % (name, quoted),
        b'task=listsessions&user=%s&password=%s' % (name, quoted.replace(b'%', b'%25')),
        b'task=listsessions&user=%s&password=%%p%%w' % name,
        b'task=listsessions&user=%s&password=%s' % (name, quoted.lower().upper()),
        form('listsessions', user.name, '', authid='*'),
        form('listsessions', user.name, '', authid='.'),
        form('listsessions', user.name, '', authid='%2e%2e%2fstate'),
        form('listsessions', user.name, '', authid=user.name),
        form('listsessions', user.name, '', authid='0' * 64),
        form('listsessions', user.name, '', authid='0' * 15000),
        # tasks
        form('listprofiles', user.name, PASSWORD), form('login', user.name, PASSWORD),
        form('whoami', user.name, PASSWORD), form('', user.name, PASSWORD),
        form('testcon', user.name, PASSWORD) + b'&task=listsessions',
        form('selectsession', user.name, PASSWORD),
        form('selectsession', user.name, PASSWORD, sid=''),
        form('selectsession', user.name, PASSWORD, sid='DESK'),
        form('selectsession', user.name, PASSWORD, sid='desk%00'),
        form('selectsession', user.name, PASSWORD, sid='desk\n'),
        form('selectsession', user.name, PASSWORD, sid='DEFAULT'),
        form('selectsession', user.name, PASSWORD, sid='[desk]'),
        form('selectsession', user.name, PASSWORD, sid='desk&task=testcon'),
        form('selectsession', user.name, PASSWORD, sid='desk', login='-x'),
        form('selectsession', user.name, PASSWORD, sid='desk', login=world.other.name),
        form('setpass', user.name, PASSWORD, newpass=''),
    ]
    for number, body in enumerate(denied):
        answer = site.send(scgi(body, address='2001:db8:%x::1' % number))
        tap.ok((answer.status, answer.body) == (200, DENIED), 'denied: %.60r' % body,
               answer, site.log())
        if number % 4 == 3:
            site.forget()
    site.forget()
    for status, request in (
            (404, scgi(good, uri='/Plain/')), (404, scgi(good, uri='/plain%2f')),
            (404, scgi(good, uri='/%70lain/')), (404, scgi(good, uri='#/plain/')),
            (404, scgi(good, uri='/plain\\')), (404, scgi(good, uri='plain/')),
            (404, scgi(good, uri='')), (404, scgi(good, uri='/x?/json/')),
            (200, scgi(good, uri='/plain/' + '../' * 2000)),
            (200, scgi(good, uri='/plain/json/')), (200, scgi(good, uri='//plain//')),
            (200, scgi(good, uri='/plain/%00')),
            (403, scgi(good, HTTPS='1')), (403, scgi(good, HTTPS='onn')),
            (403, scgi(good, HTTPS='', REQUEST_SCHEME='HTTPS')),
            (403, scgi(good, HTTPS=None, https='on')),
            (403, scgi(good, HTTPS=None, HTTP_HTTPS='on')),
            (405, scgi(good, method='POST\n')), (405, scgi(good, method='')),
            (405, scgi(good, REQUEST_METHOD=None, HTTP_X_HTTP_METHOD_OVERRIDE='POST')),
            (413, scgi(good, length='1e2')), (413, scgi(good, length=' 20')),
            (413, scgi(good, length='20,20')), (413, scgi(good, length='\u0662\u0660')),
            (413, scgi(good, length='16385')), (400, scgi(good, length='16384'))):
        answer = site.send(request)
        tap.ok(answer.status == status and
               (GRANTED in answer.body) == (status == 200),
               '%d for %.90r' % (status, request), answer)
    odd = site.send(scgi(good + b'x' * 100, length=str(len(good))))
    tap.ok(GRANTED in odd.body, 'what follows a body is not read', odd)
    hidden = site.send(scgi(good.replace(b'task=', b'&&x&=y&task='), PATH='/nowhere',
                            LD_PRELOAD='/nowhere.so', SSH_CLIENT='192.0.2.9 1 2'))
    tap.ok(GRANTED in hidden.body and 'from=192.0.2.17' in site.log(),
           'headers are no environment', hidden)


def test_crowd(world):
    """200 clients at once, of whom a tenth guess: the others are served, the guesses
    are counted, and nothing of it stays."""
    tap, site = world.tap, world.site
    site.forget()
    site.configure('http-failures = 3')
    site.log()
    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(httplab.Person()) for _ in range(20)]
        victims = [stack.enter_context(httplab.Person()) for _ in range(2)]

        def ask(number):
            address = '192.0.%d.%d' % (number % 3, number)
            if number % 10 == 0:
                return site.ask('listsessions', victims[number // 10 % 2],
                                'guess %d' % number, address=address)
            return site.ask('listsessions', people[number % 19], PASSWORD, address=address)

        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(ask, range(200)))
    log = site.log()
    granted = [GRANTED in answer.body for answer in answers]
    tap.equal((sum(granted), [n for n in range(0, 200, 10) if granted[n]]), (180, []),
              'crowd: those who know their password are let in, and nobody else',
              *[line for line in log.splitlines() if 'refused' in line])
    guesses = log.count('reason="account login: ')
    tap.ok(guesses <= 6 and log.count('login throttled: ') == 20 - guesses,
           'crowd: no more than three guesses for each victim were checked', guesses)
    tap.equal(site.account.processes(), [], 'crowd: no process is left')
    rows = [name for name in os.listdir(site.path('state'))
            if name not in ('passwords', 'servers', 'assignments', 'requests',
                            'counters')]
    calls = [row.name for row in os.scandir(site.path('state/passwords'))
             if not row.name.startswith('.')]
    tap.ok(not rows and len(calls) <= guesses + 1, 'crowd: no file is left but failures',
           rows, calls)
    tap.equal(len(os.listdir(site.path('cookies'))), 180, 'crowd: a token for each')
    site.forget()
    site.configure()


def test_units(world):
    """systemd reads the shipped units."""
    tap, units = world.tap, pathlib.Path('/etc/systemd/system')
    if not tap.need(**{'systemd-analyze': 'systemd'}):
        return
    program = pathlib.Path('/usr/lib/x2go/x2gobroker-http')
    if not program.exists():
        program.parent.mkdir(exist_ok=True)
        shutil.copy(world.site.program, program)
    if subprocess.run(['getent', 'passwd', 'x2gobroker'],
                      stdout=subprocess.DEVNULL).returncode != 0:
        subprocess.run(['useradd', '--system', 'x2gobroker'], check=True)
    names = 'x2gobroker-http.socket', 'x2gobroker-http@.service'
    for name in names:
        shutil.copy(httplab.SOURCE / 'contrib/systemd' / name, units)
    for name in names[0], 'x2gobroker-http@1.service':
        said = subprocess.run(['systemd-analyze', 'verify', '--man=no', name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wrong = [line for line in said.stdout.splitlines() if 'x2gobroker-http' in line]
        tap.ok(said.returncode == 0 and not wrong, 'systemd-analyze verify ' + name, said)
    said = subprocess.run(['systemd-analyze', 'security', '--offline=true',
                           '--threshold=85', str(units / names[1])], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.ok(said.returncode == 0, 'systemd-analyze security', said.stdout[-3000:])


def test_slow(world):
    """Who sends nothing more is refused in the end, by an answer."""
    site, body = world.site, form('listsessions', world.user.name, PASSWORD)
    start = time.monotonic()
    answer = site.send(scgi(body)[:-5], end=False)
    world.tap.ok(answer.body == DENIED and 25 < time.monotonic() - start < 39,
                 'half a request: refused after half a minute', answer)


def test_servers(world):
    """The snippets, in the real web servers."""
    tap, site, user = world.tap, world.site, world.user
    site.forget()
    site.configure('http-failures = 100')
    for name in httplab.SERVERS:
        with httplab.WebServer(name, world.tls) as server:
            listing = server.post(form('listsessions', user.name, PASSWORD))
            log = site.log()
            tap.ok(listing.status == 200 and GRANTED in listing.body, name + ': a list',
                   listing, server.said(), log)
            tap.ok('from=127.0.0.1' in log, name + ': with the address', log)
            select = server.post(form('selectsession', user.name, '', sid='a w+o&x=y',
                                      authid=token_in(listing)), '/plain/inifile/')
            tap.ok(b'SERVER:odd.example:22\n' in select.body, name + ': a server',
                   select, site.log())
            wrong = server.post(form('listsessions', user.name, WRONG))
            tap.equal((wrong.status, wrong.body), (200, DENIED),
                      name + ': a wrong password')
            tap.equal(server.post(b'task=testcon').body, GRANTED, name + ': testcon')
            for status, more in ((403, {'tls': False}), (405, {'method': 'GET'}),
                                 (405, {'method': 'PUT'})):
                answer = server.post(form('listsessions', user.name, PASSWORD), **more)
                # lighttpd itself refuses a GET with a body
                tap.ok(answer.status in (status, 400) and GRANTED not in answer.body,
                       '%s: %s' % (name, more), answer)
            large = server.post(b'task=testcon&x=' + b'y' * 40000)
            tap.ok(large.status == 413, name + ': a large body', large, server.said())
            huge = server.post(b'task=testcon&x=' + b'y' * 4000000)
            tap.ok(huge.status in (0, 413), name + ': a huge one', huge)
            for path in ('/plain/../plain/', '/plain/%2e%2e/', '/plain/x%20y%0A(',
                         '/plain//', '/plain/' + 'x' * 4000):
                answer = server.post(form('listsessions', user.name, WRONG), path)
                tap.ok(GRANTED not in answer.body, '%s: path %.20s' % (name, path),
                       answer)
            for header in ('Authorization: Basic %s' % 'eDp5', 'Proxy: http://192.0.2.9',
                           'X-Forwarded-For: 198.51.100.7', 'REMOTE_USER: ' + user.name,
                           'Remote-User: ' + user.name, 'HTTPS: on', 'SCGI: 2',
                           'Content-Type: text/plain', 'X-Forwarded-Proto: https'):
                answer = server.post(form('listsessions', user.name, ''),
                                     headers=[header])
                tap.equal(answer.body, DENIED, '%s: %s' % (name, header))
                answer = server.post(form('listsessions', user.name, PASSWORD),
                                     tls=False, headers=[header])
                tap.ok(answer.status == 403, '%s, no TLS: %s' % (name, header), answer)
            chunked = server.post(form('listsessions', user.name, PASSWORD),
                                  headers=['Transfer-Encoding: chunked'])
            tap.ok(GRANTED in chunked.body or chunked.status in (411, 413),
                   name + ': a chunked body', chunked)
            code, found = doctor(world, server.url())
            tap.ok(all(found[check] == [('ok', '')] or check == 'https' and
                       [status for status, _ in found[check]] == ['ok', 'ok'] or
                       check == 'http-socket' for check in HTTP_CHECKS),
                   name + ': doctor', found)
            tap.ok(server.process.poll() is None, name + ': it still runs',
                   server.said())
            world.site.forget()
    site.configure()


HTTP_CHECKS = 'http', 'http-socket', 'http-answer', 'https'


def doctor(world, *url, bundle=None):
    """(exit status, {check: [(status, remedy)]})"""
    done = subprocess.run(
        [os.path.abspath(sys.argv[3]), '-C', world.site.path('x2gobroker.conf'), 'doctor',
         '--json', *(word for one in url for word in ('--url', one))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
        env={'PATH': '/usr/bin:/bin',
             'CURL_CA_BUNDLE': bundle or world.tls + '/ca.pem'})
    found = {}
    for one in json.loads(done.stdout)['findings']:
        found.setdefault(one['check'], []).append((one['status'], one['remedy'] or ''))
    return done.returncode, found


def test_doctor(world):
    """What is wrong with the way in is found, by the check of it."""
    tap, site = world.tap, world.site
    server = world.stack.enter_context(httplab.WebServer('nginx', world.tls))
    soon = httplab.certificate(world.stack.enter_context(tempfile.TemporaryDirectory()), 5)
    os.chmod(soon, 0o755)
    ending = world.stack.enter_context(httplab.WebServer('nginx', soon))
    pam = httplab.SERVICE.read_text()

    def write_pam(text):
        httplab.SERVICE.write_text(text)

    nothing = lambda: None
    url, closed = server.url(), 'https://localhost:1/plain/'
    for name, check, status, remedy, change, back, at, bundle in (
            ('http-auth = none', 'http', 'warn', 'remove it, unless only trusted',
             lambda: site.configure('http-auth = none'), site.configure, url, None),
            ('http-allow-plain', 'http', 'warn', 'remove it, unless TLS ends',
             lambda: site.configure('http-allow-plain = true'), site.configure, url, None),
            ('require-password = false', 'http', 'FAIL', '',
             lambda: site.configure('require-password = false'), site.configure, url,
             None),
            ('PAM refuses', 'http', 'FAIL', 'cp /usr/share/x2gobroker/pam.d/x2gobroker',
             lambda: write_pam('auth requisite pam_deny.so\n'
                               'account required pam_unix.so\n'),
             lambda: write_pam(pam), url, None),
            ('an open socket', 'http-socket', 'FAIL', 'SocketMode=0660',
             lambda: os.chmod(httplab.SOCKET, 0o666),
             lambda: os.chmod(httplab.SOCKET, 0o660), url, None),
            ('a socket of people', 'http-socket', 'warn', 'let only the web server',
             lambda: subprocess.run(['gpasswd', '-a', world.user.name, 'www-data'],
                                    check=True, stdout=subprocess.DEVNULL),
             lambda: subprocess.run(['gpasswd', '-d', world.user.name, 'www-data'],
                                    check=True, stdout=subprocess.DEVNULL), url, None),
            ('another path', 'https', 'FAIL', 'include the lines', nothing, nothing,
             server.url('/other/'), None),
            ('no server', 'https', 'FAIL', 'see that the web server runs', nothing,
             nothing, closed, None),
            ('an unknown authority', 'https', 'warn', '--broker-cacertfile', nothing,
             nothing, url, soon + '/ca.pem'),
            ('a certificate that ends', 'https', 'warn', 'renew it', nothing, nothing,
             ending.url(), soon + '/ca.pem')):
        change()
        _, found = doctor(world, at, bundle=bundle)
        back()
        tap.ok(any(one[0] == status and remedy in one[1] for one in found[check]) and
               not any(one[0] in ('warn', 'FAIL') for other in HTTP_CHECKS
                       if other != check and not (other == 'http-answer' and
                                                  check == 'http')
                       for one in found[other] if check != 'http'),
               'doctor: ' + name, found)


TESTS = [test_conversation, test_maintenance, test_hooks, test_refused_logins, test_setpass, test_throttle,
         test_fail2ban, test_noauth, test_status, test_json, test_hostile,
         test_more_hostile, test_crowd, test_units, test_slow, test_servers,
         test_doctor]


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**httplab.PACKAGES):
            return
        world = World(tap, stack)
        names = sys.argv[4:]
        for test in TESTS:
            if names and test.__name__ not in names:
                continue
            with tap.case(test.__name__ + ': no step failed'):
                test(world)


main()
