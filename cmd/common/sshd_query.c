/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/spawn.h"
#include "common/sshd_query.h"

#define TEXT_MAX	(1024 * 1024)	/* sshd -T prints some kilobytes */
#define DEADLINE_MS	20000
#define SPEC_SIZE	512

/* What Match blocks can ask for.  The addresses are reserved for documents, so
 * no client has them. */
#define CLIENT		"host=client.example,addr=192.0.2.1," \
			"laddr=192.0.2.2,lport=22"

/* Make a string of each line. */
static void
split_lines(struct sshd *sshd)
{
	size_t i;

	for (i = 0; i < sshd->len; i++)
		if (sshd->text[i] == '\n')
			sshd->text[i] = '\0';
}

int
sshd_query_ask(struct sshd *sshd, const char *config_file, const char *user,
    char *why, size_t size)
{
	char spec[SPEC_SIZE];
	const char *argv[] = { SSHD_PROGRAM, "-T", "-C", spec,
	    config_file != NULL ? "-f" : NULL, config_file, NULL };
	const struct spawn_options options = {
		.argv = argv, .merge = true, .output_max = TEXT_MAX,
		.deadline = clock_ms() + DEADLINE_MS,
	};
	cleanup_spawn struct spawn child = { 0 };
	char end[SPAWN_TEXT_SIZE];

	memset(sshd, 0, sizeof(*sshd));
	/* sshd -T -C separates its criteria by these */
	if (strpbrk(user, ",=") != NULL) {
		strlcpy(why, "sshd -T cannot be asked about this user name",
		    size);
		return -1;
	}
	snprintf(spec, sizeof(spec), "user=%s," CLIENT, user);
	if (spawn_run(&child, &options) == -1)
		strlcpy(why, strerror(errno), size);
	else if (spawn_exit_status(&child) == -1 || child.output.len == 0)
		strlcpy(why, spawn_describe(&child, end), size);
	else if (spawn_exit_status(&child) != 0) {
		child.output.data[strcspn(child.output.data, "\r\n")] = '\0';
		snprintf(why, size, "%.400s", child.output.data);
	} else {
		sshd->len = child.output.len;
		sshd->text = steal(&child.output.data);
		split_lines(sshd);
		return 0;
	}
	return -1;
}

void
sshd_query_free(struct sshd *sshd)
{
	free(sshd->text);
	memset(sshd, 0, sizeof(*sshd));
}

const char *
sshd_query_get_one(const struct sshd *sshd, const char *keyword, size_t i)
{
	const char *line = sshd->text, *end = line + sshd->len;
	size_t n = strlen(keyword);

	for (; line < end; line += strlen(line) + 1)
		if (strncasecmp(line, keyword, n) == 0 && line[n] == ' ' &&
		    i-- == 0)
			return line + n + 1;
	return NULL;
}

const char *
sshd_query_get(const struct sshd *sshd, const char *keyword)
{
	const char *value = sshd_query_get_one(sshd, keyword, 0);

	return value != NULL ? value : "";
}

bool
sshd_query_is(const struct sshd *sshd, const char *keyword,
    const char *expected)
{
	return strcmp(sshd_query_get(sshd, keyword), expected) == 0;
}
