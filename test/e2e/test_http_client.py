#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real X2Go client over HTTPS: a wrong password, the right one, a session that works,
and the list again after it.

usage: test_http_client.py PATH-TO-X2GOBROKER-HTTP PATH-TO-X2GOBROKER-PAM

The web server is nginx, with the shipped lines and a certificate of an authority that
the client is told of.  The session's server is this machine, whose sshd asks for the
password, which the client has from the broker's page (usebrokerpass).
SCREENSHOTS=DIR keeps the pictures.
"""

import contextlib
import os
import pathlib
import sys
import tempfile

import clientlab
import httplab
import lab

TITLE = 'Laboratory'

PROFILES = '''\
[laboratory]
name = Laboratory
host = 127.0.0.1
sshport = {port}
user = BROKER_USER
command = xterm -T {title} -e sh
usebrokerpass = true
rootless = true
sound = false
print = false
fstunnel = false
'''

PASSWORD_ONLY = '''\
Match all
    AuthenticationMethods password
    PasswordAuthentication yes
'''


class User(httplab.Person, clientlab.SessionUser):
    password = 'p w+&=%x'       # which xdotool can type


class Client(clientlab.Client):
    """With the URL of the web server, and the name in it."""

    def __init__(self, screen, user, url, authority):
        self.screen, self.user, self.output, self.last_words = screen, user, None, ''
        self.command = ['setpriv', '--reuid', user.name, '--regid', user.name,
                        '--init-groups', 'x2goclient', '--debug',
                        '--broker-url=' + url.replace('://', '://%s@' % user.name),
                        '--broker-cacertfile=' + authority]

    def type_password(self, password):
        """On the page "Authentication", where the name is filled in; the field has the
        focus."""
        window = self.wait_for(lambda: self.screen.windows('^X2Go Client'), 30,
                               'the window')[0]
        self.screen.run('xdotool', 'windowactivate', '--sync', window, 'key', 'ctrl+a')
        self.screen.run('xdotool', 'type', '--delay', '30', password)
        self.screen.run('xdotool', 'key', 'Tab', 'space')    # the button "Ok"


def test_session(tap, site, server, screen, stack):
    user = stack.enter_context(User())
    sshd = stack.enter_context(lab.Sshd(PASSWORD_ONLY, pam=True))
    user.put('.ssh/known_hosts', pathlib.Path(sshd.known_hosts).read_text())
    site.profiles(PROFILES.format(port=sshd.port, title=TITLE))
    authority = os.path.join(server.tls, 'ca.pem')
    client = stack.enter_context(Client(screen, user, server.url(), authority))
    with tap.case('no step failed', client.tell, sshd.log_tail, site.log, server.said):
        client.wait_for(lambda: screen.windows('^X2Go Client'), 30, 'the window')
        screen.shoot('http-1-page')
        log = ''

        def asked(what):
            nonlocal log
            log += site.log()
            return what in log

        def attempt(password, what):
            for _ in range(5):
                client.type_password(password)
                with contextlib.suppress(TimeoutError):
                    return client.wait_for(lambda: asked(what), 8, what)
            raise TimeoutError(what)
        attempt('wrong', 'account login: ')
        box = client.wait_for(lambda: screen.windows('^Error$'), 30, 'a box')[0]
        screen.shoot('http-2-wrong-password')
        tap.ok(not client.ended(), 'after a wrong password the client goes on')
        screen.run('xdotool', 'windowactivate', '--sync', box, 'key', 'Return')
        client.wait_for(lambda: not screen.windows('^Error$'), 10, 'the box to go')
        attempt(user.password, 'by=password')
        client.wait_for(screen.buttons, 30, 'the session button')
        screen.shoot('http-3-profiles')
        tap.equal(len(screen.buttons()), 1, 'one profile is on offer')
        client.start_session()
        found = client.wait_for(lambda: clientlab.running(user), 30, 'an X2Go session')
        tap.equal(len(found), 1, 'the server runs one session')
        window = client.wait_for(lambda: screen.windows('^%s$' % TITLE), 30,
                                 "the session's window")[0]
        tap.equal(clientlab.ask_shell(screen, window, user, 'id -un'), user.name + '\n',
                  'the session takes the keyboard')
        screen.shoot('http-4-session')
        clientlab.terminate_sessions(user)
        client.wait_for(lambda: not clientlab.running(user), 20, 'the session to end')
        client.wait_for(screen.buttons, 20, 'the session button again')
        asked('')
        tap.ok('task=selectsession user=%s by=token' % user.name in log,
               'the click and what follows came with a token', log)


def main():
    with lab.Tap() as tap, contextlib.ExitStack() as stack:
        if not tap.need(**clientlab.PACKAGES, **httplab.PACKAGES):
            return
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        pictures = os.environ.get('SCREENSHOTS', scratch)
        os.makedirs(pictures, exist_ok=True)
        clientlab.own_machine()
        site = httplab.Site(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]),
                            stack)
        site.listen()
        tls = httplab.certificate(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chmod(tls, 0o755)
        server = stack.enter_context(httplab.WebServer('nginx', tls))
        screen = stack.enter_context(clientlab.Screen(pictures, scratch))
        with contextlib.ExitStack() as inner:
            test_session(tap, site, server, screen, inner)


main()
