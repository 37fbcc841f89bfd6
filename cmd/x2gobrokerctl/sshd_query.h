/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sshd makes of its configuration for somebody who logs in, as sshd -T
 * tells it.
 */
#ifndef X2GOBROKERCTL_SSHD_QUERY_H
#define X2GOBROKERCTL_SSHD_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#define SSHD_PROGRAM	"/usr/sbin/sshd"

struct sshd {
	char *text;	/* owned: lines "keyword value", each ended by a NUL;
			 * NULL: sshd has not told */
	size_t len;
};

/* Ask sshd about the account user, with config_file (NULL: its own).  -1: it
 * does not tell, and why says what it said instead. */
int	sshd_query_ask(struct sshd *sshd, const char *config_file, const char *user,
	    char *why, size_t size);
void	sshd_query_free(struct sshd *sshd);

/* The value of the keyword, in small letters; the first one where there are
 * several, "" where there is none. */
const char *sshd_query_get(const struct sshd *sshd, const char *keyword);

/* The values of a keyword, from i = 0 on; NULL past the end. */
const char *sshd_query_get_one(const struct sshd *sshd, const char *keyword,
	    size_t i);

/* Whether it is there and "yes" or "no", as expected. */
bool	sshd_query_is(const struct sshd *sshd, const char *keyword,
	    const char *expected);

/* Whether text is what an sshd pattern with * and ? means. */
bool	sshd_query_match(const char *text, const char *pattern);

#endif
