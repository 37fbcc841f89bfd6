/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_OPTIONS_H
#define X2GOBROKER_OPTIONS_H

#include <stdbool.h>

#include <x2gobroker.h>

/* The operator's options on our own command line. */
struct options {
	const char *config_file;	/* NULL: the default one */
	const char *user;		/* the identity to pin, or NULL */
	const char *backend;		/* NULL: the configured one */
	bool debug;
	const char *listed_key;		/* the user's, as TYPE:BASE64 */
	bool help;
	bool version;
	char **client;			/* the client's words; owned */
	int nclient;
};

/* Parse argv.  Words that are not an operator's option are the client's; in a
 * forced command, where argv is the operator's alone, they are an error.  After
 * an error of another kind, argv is wiped. */
int	options_parse(int argc, char **argv, bool forced, struct options *out,
	    struct x2gobroker_error *err);

/* Wipe the client's words in argv, which all users can read, and which may
 * contain a new password or a token. */
void	options_wipe_client(const struct options *options);

void	options_print_help(void);

#endif
