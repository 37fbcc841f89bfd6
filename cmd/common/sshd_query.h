/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration that sshd uses when a certain user logs in, by sshd -T.
 */
#ifndef COMMON_SSHD_QUERY_H
#define COMMON_SSHD_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#define SSHD_PROGRAM	"/usr/sbin/sshd"

struct sshd {
	char *text;	/* owned: lines "keyword value", each ended by a NUL;
			 * NULL: not known */
	size_t len;
};

/* Ask sshd about the account user, with config_file (NULL: the default).  -1:
 * it failed, and why is its error message. */
int	sshd_query_ask(struct sshd *sshd, const char *config_file,
	    const char *user, char *why, size_t size);
void	sshd_query_free(struct sshd *sshd);

/* The first value of the keyword, in any case, or "". */
const char *sshd_query_get(const struct sshd *sshd, const char *keyword);

/* Value i of a keyword that has several, or NULL. */
const char *sshd_query_get_one(const struct sshd *sshd, const char *keyword,
	    size_t i);

/* Whether the value of the keyword is the expected one. */
bool	sshd_query_is(const struct sshd *sshd, const char *keyword,
	    const char *expected);

#endif
