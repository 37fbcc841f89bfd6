/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command that a broker sends through sshd.  It looks like a shell command,
 * because the first agent passed it to a shell; here it is data.
 */
#ifndef X2GOBROKER_AGENT_COMMAND_H
#define X2GOBROKER_AGENT_COMMAND_H

#include <stddef.h>

#include "base/error.h"

#define COMMAND_MAX	(16 * 1024)	/* bytes; a key line has about 1000 */
#define WORDS_MAX	8		/* more than any task has */

struct words {
	char *text;			/* owned; the words are in it */
	char *list[WORDS_MAX + 1];	/* ends with NULL */
	size_t n;
};

/* Split one of
 *	PATH/x2gobroker-agent WORD ...
 *	sh -c 'PATH/x2gobroker-agent WORD ...'
 *	sh -c PATH/x2gobroker-agent WORD ...
 * into the words after the program's name; there may be none.  Returns 0, or
 * -1 with err filled in and nothing to free for any other command. */
int	command_parse(const char *command, struct words *words,
	    struct x2gobroker_error *err);
void	command_free(struct words *words);

#endif
