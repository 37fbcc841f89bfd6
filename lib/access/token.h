/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Login tokens, which the protocol calls AUTHID and the Python broker cookies.
 * They exist only with require-cookie: sshd has proved who the user is, and a
 * token proves on top of that that the client is one which the administrator
 * has handed a secret to, and still the one that logged in.
 *
 * A client begins with a secret that it was given.  The first granted answer
 * brings a token of its own, which each granted answer replaces by another
 * (unless use-static-cookie).  A token that was just replaced stays good for
 * token-grace seconds, as the client's events overlap.
 */
#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

#include <time.h>

#include "config/config.h"
#include "access/user.h"

#define TOKEN_LEN	64	/* hex digits: 256 bits from the kernel */

/* A token that was found in order, until it is closed. */
struct token {
	const struct x2gobroker_config *config;
	const struct x2gobroker_user *user;
	time_t now;
	int dir;		/* the token directory, or -1 */
	int file;		/* of the token that was sent, locked; -1: a
				 * secret was sent */
	char name[TOKEN_LEN + 1]; /* of that file */
	time_t born;		/* when the user began with a secret */
	bool replaced;		/* within its grace: there is a newer one */
};

/* Check sent, which came from user at the time now.  Returns 0 with *token to
 * be closed, or -1 (nothing to close) when it is unknown, somebody else's,
 * expired, used up, or from another address, or when the token directory is
 * not in order.  Nothing is changed yet. */
int	token_open(struct token *token, const struct x2gobroker_config *config,
	    const struct x2gobroker_user *user, const char *sent, time_t now,
	    struct x2gobroker_error *err);

/* The user has proved who they are by another way: the same without a token. */
int	token_new(struct token *token, const struct x2gobroker_config *config,
	    const struct x2gobroker_user *user, time_t now,
	    struct x2gobroker_error *err);

/* The answer will be granted: replace the token.  next is what the client gets,
 * "" where it shall keep what it has. */
int	token_advance(struct token *token, char next[static TOKEN_LEN + 1],
	    struct x2gobroker_error *err);
void	token_close(struct token *token);

#endif
