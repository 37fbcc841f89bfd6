/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "config/nearmiss.h"
#include "config/profile.h"

#define KEY_MAX		120	/* as inifile.c allows */
#define CHARS_PER_EDIT	4

/* What X2Go Client 4.1.2.2 reads besides the keys in the table of profile.c
 * (strings(1) shows them after a '/'), and python-x2go; sorted. */
static const char *const client_keys[] = {
	"clipboard", "directrdpsettings", "directxdmcp",
	"directxdmcpsettings", "display", "icon", "krbdelegation", "krblogin",
	"maxdim", "mimeboxaction", "mimeboxextensions", "published",
	"rdpclient", "rdpoptions", "rdpport", "rdpserver", "shadowdisplay",
	"shadowfullaccess", "shadowuser", "sshproxyautologin",
	"sshproxykeyfile", "sshproxykrblogin", "sshproxysamekey",
	"sshproxysamepass", "sshproxysameuser", "sshproxytype",
	"sshproxyuser", "startsoundsystem", "status", "usebrokerpassforproxy",
	"usebrokeruserforproxy", "usemimebox", "usesshproxy", "xdmcpclient",
	"xdmcpserver",
};

#define NCLIENT_KEYS	(sizeof(client_keys) / sizeof(client_keys[0]))

static const struct {
	const char *word, *key;
} other_words[] = {
	{ "cmd", "command" }, { "hostname", "host" }, { "login", "user" },
	{ "port", "sshport" }, { "server", "host" }, { "servers", "host" },
	{ "username", "user" },
};

/* Copy the letters and digits of name, in capitals.  Returns their number. */
static size_t
copy_plain(char plain[KEY_MAX + 1], const char *name, size_t len)
{
	size_t n = 0, i;
	char c;

	for (i = 0; i < len && n < KEY_MAX; i++) {
		c = parse_upper(name[i]);
		if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			plain[n++] = c;
	}
	plain[n] = '\0';
	return n;
}

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The number of edits that make b of a, of which no character is edited
 * twice. */
static size_t
count_edits(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][KEY_MAX + 1];
	size_t i, j, *row, *above, *top;

	for (j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (i = 1; i <= na; i++) {
		row = rows[i % 3];
		above = rows[(i + 2) % 3];
		top = rows[(i + 1) % 3];
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			row[j] = min(min(above[j], row[j - 1]) + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = min(row[j], top[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

static bool
is_near(const char *plain, size_t len, const char *key)
{
	char known[KEY_MAX + 1];
	size_t n = copy_plain(known, key, strlen(key));
	size_t most = n / CHARS_PER_EDIT;

	return len > 0 && len + most >= n && len <= n + most &&
	    count_edits(plain, len, known, n) <= most;
}

bool
nearmiss_resembles(const char *name, size_t len, const char *known)
{
	char plain[KEY_MAX + 1];
	size_t i, n = copy_plain(plain, name, len);

	if (is_near(plain, n, known) || (strncmp(known, "broker-", 7) == 0 &&
	    is_near(plain, n, known + 7)))
		return true;
	for (i = 0; i < sizeof(other_words) / sizeof(other_words[0]); i++)
		if (strcmp(other_words[i].key, known) == 0 &&
		    is_near(plain, n, other_words[i].word))
			return true;
	return false;
}

static int
compare_name(const void *name, const void *key)
{
	return strcmp(name, *(const char *const *)key);
}

bool
nearmiss_is_client_key(const char *name)
{
	return bsearch(name, client_keys, NCLIENT_KEYS,
	    sizeof(client_keys[0]), compare_name) != NULL;
}

const char *
nearmiss_find(const char *name, const char *only)
{
	const struct profile_key *row;
	size_t i, len = strlen(name);

	for (i = 0; (row = profile_key(i)) != NULL; i++)
		if (strncmp(row->name, only, strlen(only)) == 0 &&
		    nearmiss_resembles(name, len, row->name))
			return row->name;
	for (i = 0; *only == '\0' && i < NCLIENT_KEYS; i++)
		if (nearmiss_resembles(name, len, client_keys[i]))
			return client_keys[i];
	return NULL;
}

static bool
has_one_of(const char *plain, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strstr(plain, *words) != NULL)
			return true;
	return false;
}

bool
nearmiss_is_access_list(const char *name)
{
	static const char *const whose[] = { "ACL", "USER", "GROUP", "CLIENT",
	    "HOST", "ADDRESS", NULL };
	static const char *const what[] = { "ALLOW", "DENY", "DENIED",
	    "PERMIT", "FORBID", NULL };
	char plain[KEY_MAX + 1];

	copy_plain(plain, name, strlen(name));
	return strncmp(plain, "ACL", 3) == 0 ||
	    (has_one_of(plain, whose) && has_one_of(plain, what)) ||
	    nearmiss_find(name, "acl-") != NULL;
}
