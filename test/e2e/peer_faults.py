"""Profiles that are wrong, or on which the Python broker has an odd opinion.

Each stands in a file beside a good profile, which must be served whatever the
bad one says. A row gives the answer that we owe, and, so that the difference
stays known, what the Python broker does with the same file.
"""

import dataclasses


ADDRESS = '127.0.0.1'
GOOD = '[good]\nname=Good\nhost=srv1\ncommand=TERMINAL\n\n'

WITHHELD = 'withheld'        # the good profile only
NOTHING = 'nothing'          # no profile at all, the file is bad
REFUSED = 'refused'          # no listing at all
GONE = 'not in the listing'  # as a key's value


@dataclasses.dataclass
class Fault:
    name: str
    body: str                # the lines of [bad], or sections, or a whole file
    ours: object             # WITHHELD, NOTHING, or {key: value} to be served
    python: object           # the same, or the exception that ends it
    profile: str = 'bad'     # the id as the client has it
    settings: dict = dataclasses.field(default_factory=dict)

    def text(self):
        if '[good]' in self.body:
            return self.body
        if self.body.startswith('['):
            return GOOD + self.body
        return GOOD + '[bad]\n' + self.body

    def complaints(self, who, expected, listing):
        """What is not as expected in a listing (or in REFUSED, or how
        the Python broker ended)."""
        if listing == expected:
            return []
        if isinstance(listing, str):
            return ['%s: %s instead of %r' % (who, listing, expected)]
        wanted = set() if expected == NOTHING else {'good'}
        if isinstance(expected, dict):
            wanted.add(self.profile)
        if listing.keys() != wanted or expected == REFUSED:
            return ['%s: profiles %r instead of %r' % (
                who, sorted(listing), expected)]
        if not isinstance(expected, dict):
            return []
        found = listing[self.profile]
        return ['%s: %s is %r instead of %r' % (
                    who, key, found.get(key, GONE), value)
                for key, value in expected.items()
                if found.get(key, GONE) != value]


FAULTS = [
    # Values of the wrong type.
    Fault('boolean that is none', 'sound=maybe\n', WITHHELD, 'ValueError'),
    Fault('empty boolean', 'sound=\n', WITHHELD, 'ValueError'),
    Fault('integer with letters', 'dpi=96x\n', WITHHELD, 'ValueError'),
    Fault('integer with a fraction', 'dpi=96.0\n', WITHHELD, 'ValueError'),
    Fault('integer in hexadecimal', 'dpi=0x60\n', WITHHELD, 'ValueError'),
    Fault('integer with a blank', 'dpi=9 6\n', WITHHELD, 'ValueError'),
    Fault('integer with two signs', 'dpi=--1\n', WITHHELD, 'ValueError'),
    Fault('empty integer', 'dpi=\n', WITHHELD, 'ValueError'),
    Fault('integer out of range', 'dpi=99999999999\n', WITHHELD,
          {'dpi': '99999999999'}),
    Fault('port out of range', 'sshport=65536\n', WITHHELD,
          {'sshport': '65536'}),
    Fault('setdpi, a flag that the Python broker takes for a number',
          'setdpi=yes\n', {'setdpi': '1'}, 'ValueError'),
    Fault('setdpi as a number', 'setdpi=+1\n', {'setdpi': '1'},
          {'setdpi': '1'}),
    Fault('bad boolean in [DEFAULT]',
          '[DEFAULT]\nsound=maybe\n[good]\nname=A\n', NOTHING, 'ValueError'),
    Fault('bad boolean in [DEFAULT] that a profile overrides',
          '[DEFAULT]\nsound=maybe\n[good]\nsound=yes\n[bad]\nname=A\n',
          NOTHING, 'ValueError'),
    Fault('bad boolean of the broker', 'broker-session-autologin=perhaps\n',
          WITHHELD, {'autologin': GONE}),
    Fault('bad boolean in x2gobroker.conf', 'name=A\n', REFUSED, 'ValueError',
          settings={'default-session-autologin': 'perhaps'}),

    # Hosts.
    Fault('no host', 'host=\n', WITHHELD, {'host': ''}),
    Fault('no host but commas', 'host= , ,\n', WITHHELD, {'host': ''}),
    Fault('no host to share', 'host=\ncommand=SHADOW\n', WITHHELD,
          'IndexError'),
    Fault('host with a blank in its name', 'host=my srv\n', WITHHELD,
          {'host': 'my srv'}),
    Fault('host with a port that is none', 'host=srv (10.0.0.1:99999)\n',
          WITHHELD, {'host': 'srv'}),
    Fault('host with an address that is none', 'host=srv (10.0.0.1\n',
          WITHHELD, {'host': 'srv (10.0.0.1'}),
    Fault('host that is an IPv6 address, which no client can be told',
          'host=2001:db8::1\n', WITHHELD, {'host': '2001:db8::1'}),
    Fault('the same in brackets, which Python tries to run as a program',
          'host=[2001:db8::1]\n', WITHHELD, 'SyntaxError'),
    Fault('list in Python notation, which Python runs as a program',
          "applications=['A', 'B']\n", WITHHELD, {'applications': 'A,B'}),

    # not-set drops the key, whatever its type.
    Fault('boolean not-set', 'sound=not-set\n', {'sound': GONE}, 'ValueError'),
    Fault('list not-set', 'applications=not-set\n', {'applications': GONE},
          {'applications': 'not-set'}),
    Fault('command not-set', 'command=not-set\n', {'command': GONE},
          'KeyError'),
    Fault('sshport not-set', 'sshport=not-set\n', {'sshport': GONE},
          'ValueError'),
    Fault('host not-set', 'host=not-set\n', WITHHELD, {'host': 'not-set'}),
    Fault('broker-session-autologin not-set',
          'broker-session-autologin=not-set\n', {'autologin': '1'},
          {'autologin': GONE}, settings={'default-session-autologin': 'on'}),
    Fault('ACL not-set: a list with one name to the Python broker',
          'acl-users-allow=not-set\n', WITHHELD, WITHHELD),

    # Keys and ids that stand there twice, or that can't be.
    Fault('key twice', 'sound=yes\nsound=yes\n', WITHHELD,
          'DuplicateOptionError'),
    Fault('profile twice', '[bad]\nname=A\n[bad]\nname=B\n', WITHHELD,
          'DuplicateSectionError'),
    Fault('key twice in [DEFAULT]',
          '[DEFAULT]\ndpi=90\ndpi=90\n[good]\nname=A\n', NOTHING,
          'DuplicateOptionError'),
    Fault('[DEFAULT] twice', '[DEFAULT]\ndpi=90\n[bad]\nname=A\n[DEFAULT]\n'
          'sound=no\n', {'dpi': '90', 'sound': '0'},
          {'dpi': '90', 'sound': '0'}),
    Fault('key with a blank', 'my key=x\n', WITHHELD, {'my key': 'x'}),
    Fault('key with a slash', 'my/key=x\n', WITHHELD, {'my/key': 'x'}),
    Fault('id with a slash', '[a/b]\nname=A\n', WITHHELD, {}, 'a/b'),
    Fault('id with a semicolon', '[a;b]\nname=A\n', WITHHELD, {}, 'a;b'),
    Fault('id with a percent sign', '[a%b]\nname=A\n', WITHHELD, {}, 'a%b'),
    Fault('id with a bracket', '[a]b]\nname=A\n', WITHHELD, {}, 'a]b'),
    Fault('id with an opening bracket', '[a[b]\nname=A\n', WITHHELD, {},
          'a[b'),
    Fault('id with a quote', '[a"b]\nname=A\n', WITHHELD, {}, 'a"b'),
    Fault('id with a backslash', '[a\\b]\nname=A\n', WITHHELD, {}, 'a\\b'),
    Fault('id General', '[General]\nname=A\n', WITHHELD, {}, 'General'),
    Fault('id general', '[general]\nname=A\n', WITHHELD, {}, 'general'),
    Fault('id between blanks', '[ a ]\nname=A\n', WITHHELD, {}, ' a '),
    Fault('text after an id', '[bad] # bad\nname=A\n', {'name': 'A'},
          {'name': 'A'}),
    Fault('id that is the name of a key, which then has its default anywhere',
          '[bad]\nsound=no\n[sound]\nacl-users-deny=ALL\n',
          {'sound': '0'}, {'sound': '1'}),
    Fault('key named default', 'default=x\n', {'default': GONE},
          {'default': GONE}),

    # Access lists.
    Fault('misspelt ACL key', 'acl-users-alow=root\n', WITHHELD, {}),
    Fault('network that is none', 'acl-clients-allow=127.0.0.0/33\n', WITHHELD,
          WITHHELD),
    Fault('network that is none, denied',
          'acl-clients-allow=ALL\nacl-clients-deny=127.0.0.0/33\n', WITHHELD,
          {}),
    Fault('network in short', 'acl-clients-allow=127/8\n', WITHHELD, {}),
    Fault('network with a blank', 'acl-clients-allow=127.0.0.0 /8\n', WITHHELD,
          {}),
    Fault('network with an inverse mask',
          'acl-clients-allow=127.0.0.0/0.255.255.255\n', WITHHELD, {}),
    Fault('address with leading zeros', 'acl-clients-allow=127.000.000.001\n',
          WITHHELD, {}),
    Fault('IPv4 network in IPv6 notation',
          'acl-clients-allow=::ffff:127.0.0.0/104\n', WITHHELD, WITHHELD),
    Fault('host name as a client', 'acl-clients-allow=localhost\n', {},
          WITHHELD),
    Fault('empty item in a client list', 'acl-clients-allow=127.0.0.1,\n', {},
          WITHHELD),
    Fault('nothing but commas in a list', 'acl-users-allow=,\n', WITHHELD,
          WITHHELD),
    Fault('nothing but commas in a deny list', 'acl-users-deny=,\n', WITHHELD,
          WITHHELD),
    Fault('order that is none',
          'acl-users-allow=ALL\nacl-users-order=whatever\n', WITHHELD, {}),
    Fault('list in Python notation as an ACL', "acl-users-deny=['a', 'b']\n",
          WITHHELD, WITHHELD),

    # Files that can't be parsed.
    Fault('line without = in a section', 'sound=yes\nnonsense\n', NOTHING,
          'ParsingError'),
    Fault('key in front of all sections', 'sound=yes\n' + GOOD, NOTHING,
          'MissingSectionHeaderError'),
    Fault('id without an end', GOOD + '[bad\ncomment=A\n', NOTHING,
          'ParsingError'),
    Fault('id without an end, but with a =', GOOD + '[bad=x\n', NOTHING,
          WITHHELD),
    Fault('value without a key', '=yes\n', NOTHING, 'ParsingError'),
    Fault('not UTF-8', 'name=B\udcfcro\n', WITHHELD, 'UnicodeDecodeError'),
    Fault('not UTF-8, in a comment', '# B\udcfcro\nname=A\n', {},
          'UnicodeDecodeError'),
    Fault('byte order mark', '\ufeff' + GOOD, {}, 'MissingSectionHeaderError',
          'good'),
    Fault('carriage return within a line, which ends it for Python',
          'name=a\rcomment=b\n', WITHHELD, {'name': 'a', 'comment': 'b'}),
    Fault('control character', 'name=a\x01b\n', WITHHELD, {'name': 'a\x01b'}),

    # Text that would change the protocol reaches the client unharmed.
    Fault('name with a token', 'name=AUTHID:x\n', {'name': 'AUTHID:x'},
          {'name': 'AUTHID:x'}),
    Fault('name with the end of the list', 'name=END_USER_SESSIONS\n',
          {'name': 'END_USER_SESSIONS'}, {'name': 'END_USER_SESSIONS'}),
    Fault('name with a grant', 'name=x Access granted\n',
          {'name': 'x Access granted'}, {'name': 'x Access granted'}),
    Fault('name with a line break for the client', 'name=a<br>b\n',
          {'name': 'a<br>b'}, {'name': 'a<br>b'}),
    Fault('quoted name with a line break', 'name="a<br>b"\n',
          {'name': 'a<br>b'}, {'name': '"a<br>b"'}),
    Fault('id with a token', '[AUTHID:x]\nname=A\n', WITHHELD, {},
          'AUTHID:x'),

    # Spellings that only Python, or only the client, knows.
    Fault('integer with an underscore', 'dpi=9_6\n', WITHHELD, {'dpi': '96'}),
    Fault('integer in Arabic digits', 'dpi=٩٦\n', WITHHELD, {'dpi': '96'}),
    Fault('no-break space around a value', 'name=\u00a0A\u00a0\n',
          {'name': '\u00a0A\u00a0'}, {'name': 'A'}),
    Fault('usebrokerpass=no, which the client takes for yes',
          'usebrokerpass=no\n', {'usebrokerpass': '0'},
          {'usebrokerpass': 'no'}),
]
