"""Throw-away accounts and groups, made for one run and removed after it."""

import contextlib
import os
import subprocess


# Account number -> its primary group, the groups that name it as a member.
# Account 1 is named in its own primary group, which counts even where primary
# groups are ignored; account 3 is in nothing but its primary group.
MEMBERSHIPS = [(0, [1]), (1, [1, 2]), (2, [0, 3]), (3, [])]


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def names():
    """The names carry our process id, so that two runs don't meet."""
    stem = 'xb%d' % os.getpid()
    count = range(len(MEMBERSHIPS))
    return [stem + 'u%d' % i for i in count], [stem + 'g%d' % i for i in count]


def remove(command, made):
    for name in reversed(made):
        subprocess.run([command, name], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def accounts():
    """Give (user names, group names); they are gone when the block ends."""
    users, groups = names()
    made_users, made_groups = [], []
    try:
        for group in groups:
            run('groupadd', group)
            made_groups.append(group)
        for user, (primary, named) in zip(users, MEMBERSHIPS):
            run('useradd', '-M', '-N', '-d', '/nonexistent', '-s',
                '/usr/sbin/nologin', '-g', groups[primary], user)
            made_users.append(user)
            for number in named:
                run('gpasswd', '-a', user, groups[number])
        yield users, groups
    finally:
        remove('userdel', made_users)
        remove('groupdel', made_groups)
