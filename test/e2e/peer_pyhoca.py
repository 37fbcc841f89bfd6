#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's python-x2go, of which PyHoca-GUI is made, as a client of the broker.

    peer_pyhoca.py URL USER PASSWORD [PROFILE]

Prints as JSON whether the broker has let the user in, what python-x2go makes of the
profiles, the server of PROFILE, and the name of the account there that its own key
opens (null: none).  REQUESTS_CA_BUNDLE names the authority of the certificate.
"""

import json
import sys

import paramiko
from x2go import log
from x2go.backends.profiles.httpbroker import X2GoSessionProfiles


def account_behind(server, port, user, key):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    try:
        client.connect(server, port, user, pkey=key, look_for_keys=False,
                       allow_agent=False, timeout=20)
        return client.exec_command('id -un')[1].read().decode().strip()
    except paramiko.AuthenticationException:
        return None
    finally:
        client.close()


def main():
    url, user, password, *profile = sys.argv[1:]
    profiles = X2GoSessionProfiles(
        broker_url=url, broker_username=user, broker_password=password,
        logger=log.X2GoLogger(loglevel=log.loglevel_ERROR))
    found = {'granted': profiles.broker_simpleauth(user, password)}
    found['profiles'] = {id: profiles.to_session_params(profile_id=id)
                         for id in profiles.profile_ids}
    for id in profile:
        found['server'] = profiles.get_server_hostname(id)
        found['port'] = profiles.get_server_port(id)
        key = profiles.get_pkey_object(id)
        found['account'] = key and account_behind(found['server'], found['port'], user,
                                                  key)
    print(json.dumps(found, default=str))


main()
