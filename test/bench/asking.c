/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that it costs to ask X2Go servers over SSH: a thread for each, and
 * libssh.  What the broker is measured against.
 *
 * usage: asking ACCOUNT KEY KNOWN_HOSTS COMMAND PORT ADDRESS ...
 */
#include <libssh/libssh.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* -1: none, or not yet. */
static int
exit_status(ssh_channel channel)
{
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
	uint32_t status;

	return ssh_channel_get_exit_state(channel, &status, NULL, NULL) ==
	    SSH_OK ? (int)status : -1;
#else
	return ssh_channel_get_exit_status(channel);
#endif
}

static char **args;		/* ACCOUNT and what follows it */
static ssh_key key;

static bool
run_command(ssh_session session)
{
	ssh_channel channel = ssh_channel_new(session);
	char answer[65536];
	int n, total = 0;

	if (channel == NULL || ssh_channel_open_session(channel) != SSH_OK ||
	    ssh_channel_request_exec(channel, args[3]) != SSH_OK)
		return false;
	while ((n = ssh_channel_read(channel, answer, sizeof(answer), 0)) > 0)
		total += n;
	n = exit_status(channel);
	ssh_channel_free(channel);
	return total > 0 && n == 0;
}

static void *
ask(void *address)
{
	ssh_session session = ssh_new();
	unsigned int port = (unsigned int)atoi(args[4]);
	bool no = false, good;

	good = session != NULL &&
	    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_HOST, address) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_PORT, &port) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_USER, args[0]) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, args[2]) == 0 &&
	    ssh_connect(session) == SSH_OK &&
	    ssh_session_is_known_server(session) == SSH_KNOWN_HOSTS_OK &&
	    ssh_userauth_publickey(session, NULL, key) == SSH_AUTH_SUCCESS &&
	    run_command(session);
	if (!good)
		fprintf(stderr, "%s: %s\n", (char *)address, session == NULL ?
		    "no memory" : ssh_get_error(session));
	ssh_disconnect(session);
	ssh_free(session);
	return good ? address : NULL;
}

int
main(int argc, char **argv)
{
	int i, failed = 0, n = argc - 6;
	pthread_t *threads;
	void *result;

	if (n < 1) {
		fprintf(stderr, "usage: asking ACCOUNT KEY KNOWN_HOSTS COMMAND "
		    "PORT ADDRESS ...\n");
		return 2;
	}
	args = argv + 1;
	threads = calloc((size_t)n, sizeof(*threads));
	if (threads == NULL || ssh_pki_import_privkey_file(args[1], NULL, NULL,
	    NULL, &key) != SSH_OK) {
		fprintf(stderr, "%s: no key\n", args[1]);
		return 1;
	}
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, ask, argv[6 + i]) != 0)
			return 1;
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], &result);
		failed += result == NULL;
	}
	return failed > 0;
}
