"""Random configuration and profile files that the Python broker accepts.

Everything comes from the random.Random that the caller gives, so that a seed
names a run. Accounts are picked by number: their names don't change the files'
shape.
"""

ADDRESSES = ['10.1.2.3', '10.1.200.7', '192.168.7.20', '203.0.113.9',
             '127.0.0.1', '2001:db8::17', '2001:db8:1:2::3', 'fe80::1']
NETWORKS = ['10.1.2.3', '10.0.0.0/8', '10.1.2.0/24', '10.1.2.99/24',
            '10.1.0.0/255.255.0.0', '10.1.128.0/17', '10.1.0.0/17',
            '192.168.4.0/22', '192.168.0.0/22', '192.168.7.0/255.255.255.240',
            '203.0.113.10/31', '2001:db8:1:0::/63', '2001:db8:1:2::/63',
            '192.168.0.0/16', '203.0.113.9/32',
            '0.0.0.0/0', '::/0', '2001:db8::/32', '2001:DB8:1::/48',
            '2001:db8::17', '2001:0db8:0:0::17/128', 'fe80::/10', '127.0.0.1',
            'ALL', 'ALL', 'ALL']

TRUE, FALSE = ['1', 'yes', 'true', 'on'], ['0', 'no', 'false', 'off']
BOOLEAN_KEYS = ['kdrive', 'defsndport', 'useiconv', 'fullscreen', 'useexports',
                'print', 'xinerama', 'usekbd', 'fstunnel', 'multidisp',
                'sound', 'rootless', 'soundtunnel', 'directrdp']
INTEGER_KEYS = ['height', 'quality', 'width', 'speed', 'sndport', 'dpi',
                'sshport', 'sshproxyport', 'setdpi']
LARGEST = {'quality': 9, 'speed': 4, 'setdpi': 1}
STRING_KEYS = ['iconvfrom', 'export', 'layout', 'soundsystem', 'type',
               'variant', 'iconvto', 'pack', 'comment', 'icon', 'sshproxyhost',
               'x2go-Custom', 'my_key', 'Name', 'Sound', 'COMMAND', 'Host',
               'rdpserver', 'a.b']

WORDS = ['Büro', 'a, b', ',', 'x;y', 'x ;y', '; z', '"quoted"', '"half',
         "it's", 'C:\\dir\\new', 'C:\\', '\\', '\\xfc', '\\n', '100%', '%h',
         '%%', '%(name)s', '${x}', '€', '😀', 'ü1', 'éa', 'ßg', '#hash',
         'a # b', 'a=b', '=', 'key: val', ':', '[x]', 'two  blanks',
         'tab\there',
         '<b>', '&amp;', '$HOME', '`id`', '(x)', '日本語', 'null', 'Labor',
         '1. Stock', 'server-A']
WHOLE = ['@home', '@Invalid()', '@@x', '@String(a)', '"', '""', '"a, b"',
         '"a" and "b"', "'a, b'", '"C:\\\\dir"', '"B\\xfcro; x"', '#x', ';x',
         '/home/u#1;/mnt/x y#0;', '"/home/u:1;/mnt:0;"', ':icons/x.png',
         'xterm -e "a; b"', '', '-', '0', 'true', 'None']
COMMANDS = ['KDE', 'kde', 'Gnome', 'xfce', 'XFCE', 'cinnamon', 'MATE', 'lxde',
            'TRINITY', 'unity', 'IceWM', 'openbox', 'xdmcp', 'SHADOW',
            'shadow', 'TERMINAL', 'terminal', 'WWWBROWSER', 'RDP', 'startkde',
            '/usr/bin/xterm -T "a, b; c"', 'KDE ;x', 'xfce4-session', 'LXQT']
APPLICATIONS = ['TERMINAL', 'WWWBROWSER', 'MAILCLIENT', 'OFFICE', 'xterm']
HOST_NAMES = ['localhost', 'srv1', 'server-a.example.org', 'S-E1', '10.0.2.11',
              'a.b.c.example.com']
HOST_ADDRESSES = ['10.0.2.11', '10.0.2.11:2222', '10.0.2.11:22',
                  '[2001:db8::1]', '[2001:db8::1]:2222', '2001:db8::1',
                  'other.example.org', 'other.example.org:2200', 'localhost']
ID_WORDS = ['pool-A', 'localhost', 'kde', 'Büro', 'room 12', 'x_y', 'A.B',
            '(old)', 'a=b', 'a:b', '#1', "it's", '€', 'a, b', '@x', '日本',
            '😀', '&', '$x', '<i>', '*']
NOISE = ['', '', '   ', '# a comment', '; another', '#name=hidden',
         ';[hidden]',
         '    # indented, with = in it', '\t; x']
SEPARATORS = ['=', '=', '=', ' = ', ': ', ':', ' : ', '\t=\t', '= ', '   =']


def chance(rng, probability):
    return rng.random() < probability


def any_case(rng, word):
    how = rng.randrange(4)
    if how == 3:
        return ''.join(rng.choice([c.lower(), c.upper()]) for c in word)
    return [word.lower(), word.upper(), word.title()][how]


def boolean(rng):
    return any_case(rng, rng.choice(TRUE + FALSE))


def integer(rng, key):
    number = rng.randint(1 if key.endswith('port') else 0,
                         LARGEST.get(key, 9999))
    return rng.choice(['%d', '%d', '+%d', '0%d', '00%d', '  %d  ']) % number


def string(rng):
    if chance(rng, 0.25):
        return rng.choice(WHOLE)
    return ' '.join(rng.choice(WORDS) for _ in range(rng.randint(1, 4)))


def long_string(rng):
    text = 'long ' + rng.choice(WORDS)
    while len(text) < 5000:
        text += ' ' + rng.choice(WORDS)
    return text


def comma(rng):
    return rng.choice([',', ',', ', ', ' ,', ' , ', ',\t', ',,', ', ,'])


def joined(rng, items):
    text = items[0] if items else ''
    for item in items[1:]:
        text += comma(rng) + item
    return text + rng.choice(['', '', '', ','])


def subset(rng, items, most=4):
    return [rng.choice(items) for _ in range(rng.randint(1, most))]


def host_item(rng):
    name = rng.choice(HOST_NAMES)
    if chance(rng, 0.5):
        return name
    return '%s%s(%s)' % (name, rng.choice([' ', ' ', ' ', '  ']),
                         rng.choice(HOST_ADDRESSES))


def hosts(rng):
    most = 300 if chance(rng, 0.02) else 5
    count = most if most > 5 else rng.randint(1, most)
    return joined(rng, [host_item(rng) for _ in range(count)])


def order(rng):
    return rng.choice(['deny-allow', 'allow-deny', ''])


def acl(rng, users, groups):
    """The acl- keys of a profile: any of the lists, any of the orders."""
    kinds = {'users': users + ['root', 'nobody-here', 'ALL'],
             'groups': groups + ['root', 'no-such-group', 'ALL'],
             'clients': NETWORKS}
    keys = {}
    for kind in rng.sample(sorted(kinds), rng.choice([1, 1, 2, 2, 3])):
        for side in rng.choice([['allow'], ['deny'], ['allow', 'deny'],
                                ['allow', 'deny']]):
            keys['acl-%s-%s' % (kind, side)] = rng.choice(
                [', ', ',', ' , ']).join(subset(rng, kinds[kind]))
        if chance(rng, 0.5):
            keys['acl-%s-order' % kind] = order(rng)
    if chance(rng, 0.4):
        keys['acl-any-order'] = order(rng)
    return keys


def plain_keys(rng, most):
    """Keys whose value goes to the client as it is, of all types."""
    keys = {}
    for key in rng.sample(BOOLEAN_KEYS, rng.randint(0, most)):
        keys[key] = boolean(rng)
    for key in rng.sample(INTEGER_KEYS, rng.randint(0, most)):
        keys[key] = integer(rng, key)
        if key != 'sshport' and chance(rng, 0.1):
            keys[key] = 'not-set'
    for key in rng.sample(STRING_KEYS, rng.randint(0, most)):
        keys[key] = 'not-set' if chance(rng, 0.1) else string(rng)
    if chance(rng, 0.3):
        keys['applications'] = joined(rng, subset(rng, APPLICATIONS))
    if chance(rng, 0.1):
        keys['applications'] = ''
    if chance(rng, 0.3):
        keys['user'] = rng.choice(['', 'BROKER_USER', 'broker_user', 'guest',
                                   'not-set'])
    if chance(rng, 0.2):
        keys['usebrokerpass'] = rng.choice(['true', 'false', '1', '0'])
    return keys


def defaults_section(rng, users, groups):
    keys = plain_keys(rng, 4)
    if chance(rng, 0.4):
        keys['command'] = rng.choice(COMMANDS)
    if chance(rng, 0.3):
        keys['host'] = hosts(rng)
    if chance(rng, 0.1):
        keys.update(acl(rng, users, groups))
    if chance(rng, 0.2):
        keys['broker-session-autologin'] = boolean(rng)
    return keys


def profile_section(rng, users, groups):
    keys = {}
    if chance(rng, 0.9):
        keys['name'] = long_string(rng) if chance(rng, 0.02) else string(rng)
    if chance(rng, 0.7):
        keys['command'] = rng.choice(COMMANDS)
    if chance(rng, 0.7):
        keys['host'] = hosts(rng)
    keys.update(plain_keys(rng, 3))
    if chance(rng, 0.6):
        keys.update(acl(rng, users, groups))
    if chance(rng, 0.2):
        keys['broker-session-autologin'] = boolean(rng)
    if chance(rng, 0.1):
        keys['broker-agent-query-mode'] = 'NONE'
    return keys


def continued(rng, key, value):
    """Break a value into lines where that keeps the file legal."""
    lists = key in ('host', 'applications') or key.endswith(
        ('-allow', '-deny'))
    if lists and ',' in value and chance(rng, 0.2):
        return value.replace(',', ',\n')
    if key in ('name', 'comment') and chance(rng, 0.1):
        more = rng.choice(['second line', 'note=x', '[no section]', 'a\n\nb'])
        return rng.choice([value, '']) + '\n' + more
    return value


def key_lines(rng, indent, key, value):
    first, *rest = continued(rng, key, value).split('\n')
    yield indent + key + rng.choice(SEPARATORS) + first
    for line in rest:
        if chance(rng, 0.1):
            yield indent + '  # a comment between continued lines'
        yield indent + rng.choice([' ', '    ', '\t']) + line if line else ''


def section_lines(rng, name, keys):
    indent = rng.choice(['', '', '', '  ', '\t'])
    items = list(keys.items())
    rng.shuffle(items)
    yield '[%s]' % name
    for key, value in items:
        if chance(rng, 0.1):
            yield rng.choice(NOISE)
        yield from key_lines(rng, indent, key, value)
    yield rng.choice(NOISE)


def profile_id(rng, taken):
    """A new id that the client can take, now and then a long one."""
    while True:
        count = 40 if chance(rng, 0.05) else rng.randint(1, 3)
        text = rng.choice([' ', '-']).join(
            rng.choice(ID_WORDS) for _ in range(count))[:120].strip()
        if text not in taken and text not in all_keys():
            taken.add(text)
            return text


def all_keys():
    """No id may be a key's name: see the fault `profile id is a key`."""
    return set(BOOLEAN_KEYS + INTEGER_KEYS + STRING_KEYS +
               ['name', 'command', 'host', 'user', 'applications',
                'usebrokerpass', 'default'])


def profile_file(rng, users, groups):
    """The text of one file with 5 to 10 profiles."""
    taken = {'DEFAULT', 'General'}
    sections = [(profile_id(rng, taken), profile_section(rng, users, groups))
                for _ in range(rng.randint(5, 10))]
    if chance(rng, 0.8):
        where = rng.choice([0, 0, 0, len(sections), 2])
        sections.insert(where,
                        ('DEFAULT', defaults_section(rng, users, groups)))
    lines = [rng.choice(NOISE)]
    for name, keys in sections:
        lines += section_lines(rng, name, keys)
    end = '\r\n' if chance(rng, 0.1) else '\n'
    return end.join(lines) + rng.choice([end, ''])


def settings(rng):
    """What x2gobroker.conf says in [global], beyond where things are."""
    keys = {}
    if chance(rng, 0.5):
        keys['ignore-primary-group-memberships'] = boolean(rng)
    if chance(rng, 0.3):
        keys['default-session-autologin'] = boolean(rng)
    return keys


def questions(rng, users, count):
    """Who asks, and from where: count different pairs."""
    pairs = [(user, address) for user in users for address in ADDRESSES]
    return rng.sample(pairs, count)
