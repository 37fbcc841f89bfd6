/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that a broker sends through sshd, taken apart.  It looks like a
 * line for a shell, as the first agent gave it to one; here it is data.
 */
#ifndef X2GOBROKER_AGENT_COMMAND_H
#define X2GOBROKER_AGENT_COMMAND_H

#include <stddef.h>

#include "base/error.h"

#define COMMAND_MAX	(16 * 1024)	/* bytes; a key line has a thousand */
#define WORDS_MAX	8		/* more than any task has */

struct words {
	char *text;			/* owned; the words are in it */
	char *list[WORDS_MAX + 1];	/* ended by NULL */
	size_t n;
};

/* Take apart one of
 *	PATH/x2gobroker-agent WORD ...
 *	sh -c 'PATH/x2gobroker-agent WORD ...'
 *	sh -c PATH/x2gobroker-agent WORD ...
 * into the words behind the program's name, of which there may be none.  -1
 * with err filled in, and nothing to free, for everything else. */
int	command_parse(const char *command, struct words *words,
	    struct x2gobroker_error *err);
void	command_free(struct words *words);

#endif
