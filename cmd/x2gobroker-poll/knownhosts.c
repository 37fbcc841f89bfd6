/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of known hosts, as sshd(8) describes them.  libssh finds the keys of
 * hosts in them, but takes no notice of "@revoked" where another line has the
 * key, nor of "!host" in a list of patterns.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/textfile.h"
#include "ssh.h"

#define BLANKS	" \t\r"

enum match { NO_MATCH, MATCH, EXCLUDED, HASHED };

static enum match
match_hosts(const char *hosts, const char *name)
{
	enum match result = NO_MATCH;
	char pattern[TARGET_NAME_SIZE];
	size_t len;

	if (hosts[0] == '|')
		return HASHED;
	for (; *hosts != '\0'; hosts += len, hosts += *hosts == ',') {
		len = strcspn(hosts, ",");
		strlcpy(pattern, hosts, len < sizeof(pattern) ? len + 1 :
		    sizeof(pattern));
		if (pattern[0] == '!' &&
		    parse_matches_pattern(name, pattern + 1, true))
			return EXCLUDED;
		if (parse_matches_pattern(name, pattern, true))
			result = MATCH;
	}
	return result;
}

/* A revoked key is refused for each name of the host, at any port. */
static bool
is_revoked(const char *hosts, const struct hostkey *hostkey)
{
	const char *names[] = { hostkey->host->name, hostkey->host->address };
	char text[TARGET_NAME_SIZE];
	enum match match;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (names[i][0] == '\0')
			continue;
		knownhosts_name(names[i], hostkey->port, text);
		match = match_hosts(hosts, text);
		if (match == MATCH || match == HASHED ||
		    match_hosts(hosts, names[i]) == MATCH)
			return true;
	}
	return false;
}

/* The next word of a line, or NULL. */
static char *
next_word(char **rest)
{
	if (*rest == NULL)
		return NULL;
	*rest += strspn(*rest, BLANKS);
	return **rest != '\0' ? strsep(rest, BLANKS) : NULL;
}

static void
read_line(char *line, unsigned int number, const struct hostkey *hostkey,
    struct known_lines *found)
{
	char *marker, *hosts, *key, as[TARGET_NAME_SIZE];
	bool same;

	line += strspn(line, BLANKS);
	marker = *line == '@' ? next_word(&line) : NULL;
	hosts = next_word(&line);
	next_word(&line);	/* the type of the key */
	key = next_word(&line);
	if (hosts == NULL || *hosts == '#' || key == NULL)
		return;
	same = strcmp(key, hostkey->key) == 0;
	knownhosts_name(hostkey->known_as, hostkey->port, as);
	if (marker != NULL && strcmp(marker, "@revoked") == 0)
		found->revoked |= same && is_revoked(hosts, hostkey);
	else if (marker != NULL && strcmp(marker, "@cert-authority") == 0 &&
	    match_hosts(hosts, as) == MATCH && found->authority == 0)
		found->authority = number;
	if (marker != NULL)
		return;
	switch (match_hosts(hosts, as)) {
	case NO_MATCH:
		return;
	case EXCLUDED:
		found->excluded = true;
		return;
	case MATCH:
	case HASHED:	/* libssh knows whether it is this host */
		found->vouched |= same;
		found->others |= !same;
	}
}

char *
knownhosts_name(const char *name, int port, char text[static TARGET_NAME_SIZE])
{
	if (port == SSH_PORT)
		strlcpy(text, name, TARGET_NAME_SIZE);
	else
		snprintf(text, TARGET_NAME_SIZE, "[%s]:%d", name, port);
	return text;
}

static int
read_lines(const char *path, const struct hostkey *hostkey,
    struct known_lines *found, struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;

	if (textfile_read(&file, path, safefile_open, err) == -1)
		return -1;
	while (textfile_next(&file))
		read_line(file.line, file.number, hostkey, found);
	if (found->authority != 0 && found->path == NULL)
		found->path = path;
	return 0;
}

int
knownhosts_find(const char *path, const struct hostkey *hostkey,
    struct known_lines *found, struct x2gobroker_error *err)
{
	struct x2gobroker_error own;

	if (err == NULL)
		err = &own;
	*found = (struct known_lines){ 0 };
	if (read_lines(path, hostkey, found, err) == -1)
		return -1;
	return read_lines(KNOWN_HOSTS_OF_ALL, hostkey, found, err);
}
