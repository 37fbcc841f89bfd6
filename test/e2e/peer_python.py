"""The Python X2Go Session Broker as a peer: its verdict on the same files.

It runs inside this process. What its web frontend prints for a listing is
repeated here value by value, from web/plain.py.
"""

import grp
import os
import pwd
import socket


ORDER_KEYS = ('acl-users-order', 'acl-groups-order', 'acl-clients-order')


def prepare():
    """Import the broker, quiet, without the caller's settings or the DNS."""
    for name in list(os.environ):
        if name.startswith('X2GOBROKER_'):
            del os.environ[name]
    os.environ['X2GOBROKER_TESTSUITE'] = '1'
    os.environ['X2GOBROKER_LOGCONFIG'] = ''
    real, socket.gethostname = socket.gethostname, lambda: 'peer.example.org'
    try:
        import x2gobroker.brokers.inifile_broker as module
    finally:
        socket.gethostname = real
    return module


def know_only(users, groups):
    """Let the broker's snapshot of the name service be root and these.

    It reads all users and groups once and dies when one of them goes away
    later, which on a machine with other tests is a matter of time.
    """
    import x2gobroker.nameservices.libnss_nameservice as names
    names._pwd = [pwd.getpwnam(name) for name in ['root'] + users]
    names._grp = [grp.getgrnam(name) for name in ['root'] + groups]


def printed(value):
    """The text that web/plain.py prints after `key=`."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return ','.join(value)
    return str(int(value))


class PythonBroker:
    def __init__(self, module, config_file, profile_file):
        self.broker = module.X2GoBroker(config_file=config_file,
                                        profile_config_file=profile_file)
        self.profiles = self.broker.session_profiles

    def listing(self, user, address):
        """{profile id: {key: printed text}}; raises what the broker raises."""
        self.broker.set_client_address(address)
        # client/plain.py, which answers over SSH, fills in an empty user=
        return {profile_id: {key: printed(value or user if key == 'user' else value)
                             for key, value in profile.items()}
                for profile_id, profile
                in self.broker.list_profiles(user).items()}

    def type_of(self, key):
        return self.profiles.get_type('DEFAULT', key)

    def configured(self, profile_id, key):
        """What the file says, [DEFAULT] included, or None."""
        ini = self.profiles.iniConfig
        return ini.get(profile_id, key, fallback=None)

    def write_out_any_order(self):
        """Copy acl-any-order into the order keys that are not set.

        After this the listing is what this broker's own documentation
        promises: acl-any-order as the default of the three.
        """
        ini = self.profiles.iniConfig
        for profile_id in ini.sections():
            order = ini.get(profile_id, 'acl-any-order')
            for key in ORDER_KEYS:
                if not ini.get(profile_id, key):
                    ini.set(profile_id, key, order)
