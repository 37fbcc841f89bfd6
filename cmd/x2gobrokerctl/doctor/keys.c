/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the keys that lead to the broker: lines in authorized_keys of the
 * broker account, and files in keys-dir.  They run as the broker account, which
 * could have written anything there.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/textfile.h"
#include "findings.h"

#define BLANKS		" \t"
#define PATH_SIZE	X2GOBROKER_FILE_SIZE
#define WHERE_SIZE	(PATH_SIZE + 16)	/* FILE:LINE */
#define VALUE_SIZE	1024
#define SUFFIX		".pub"	/* of files in keys-dir */

#define IN_TOKEN	"the key is in a token, which the X2Go client can " \
			"use only through an SSH agent"

/* A type of key, and its signature algorithms in sshd_config(5). */
static const struct key_type {
	const char *name;
	const char *algorithms[3];
	const char *why;	/* what is wrong with it, or NULL */
	const char *remedy;
	bool useless;		/* no login is possible with it */
} types[] = {
	{ "ssh-ed25519", { "ssh-ed25519" } },
	{ "ssh-rsa", { "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa" } },
	{ "ecdsa-sha2-nistp256", { "ecdsa-sha2-nistp256" } },
	{ "ecdsa-sha2-nistp384", { "ecdsa-sha2-nistp384" } },
	{ "ecdsa-sha2-nistp521", { "ecdsa-sha2-nistp521" } },
	{ "sk-ssh-ed25519@openssh.com", { "sk-ssh-ed25519@openssh.com" },
	    IN_TOKEN, "add a key of another type" },
	{ "sk-ecdsa-sha2-nistp256@openssh.com",
	    { "sk-ecdsa-sha2-nistp256@openssh.com" },
	    IN_TOKEN, "add a key of another type" },
	{ "ssh-dss", { "ssh-dss" }, "OpenSSH no longer accepts DSA keys",
	    "make a new key: ssh-keygen -t ed25519", true },
};

/* The type that line begins with, or NULL. */
static const struct key_type *
find_type(const char *line)
{
	size_t i, len = strcspn(line, BLANKS);

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (parse_item_is(line, len, types[i].name))
			return &types[i];
	return NULL;
}

/*
 * Lines of a file
 */

/* Called for each line that is neither empty nor a comment. */
typedef void key_line(struct doctor *d, const char *where, const char *line);

/* Any owner may have written the file: these checks only describe it. */
static FILE *
open_plain(const char *path, struct x2gobroker_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK);
	struct stat st;
	FILE *fp = NULL;

	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (fp = fdopen(fd, "r")) != NULL)
		fd = -1;
	err->code = X2GOBROKER_ERR_NOTFOUND;
	return fp;
}

static void
each_line(struct doctor *d, const char *path, key_line *fn)
{
	cleanup_textfile struct textfile file;
	struct x2gobroker_error ignored;
	char where[WHERE_SIZE], *line;

	if (textfile_read(&file, path, open_plain, &ignored) == -1)
		return;
	while (textfile_next(&file)) {
		line = file.line + strspn(file.line, BLANKS);
		/* sshd ends a line at a NUL, which is \1 here */
		line[strcspn(line, "\r\1")] = '\0';
		snprintf(where, sizeof(where), "%s:%u", path, file.number);
		if (*line != '\0' && *line != '#')
			fn(d, where, line);
	}
}

/* Copy the value of the option at the start of text, without its quotes; "": it
 * has none.  Returns what follows the option: a comma, a blank or the end. */
static const char *
read_option(const char *text, char value[static VALUE_SIZE])
{
	unsigned int quotes = 0;
	size_t n = 0;

	for (; *text != '\0' && (quotes % 2 == 1 ||
	    strchr("," BLANKS, *text) == NULL); text++) {
		if (*text == '"') {
			quotes++;
			continue;
		}
		if (text[0] == '\\' && text[1] == '"')
			text++;
		if (quotes == 1 && n < VALUE_SIZE - 1)
			value[n++] = *text;
	}
	value[n] = '\0';
	return text;
}

/* Does the line begin with a certificate? */
static bool
is_certificate(const char *line)
{
	const char *found = strstr(line, "-cert-v01@");

	return found != NULL && found < line + strcspn(line, BLANKS "\"");
}

/* The line behind its options: the type of the key. */
static const char *
skip_options(const char *line)
{
	char ignored[VALUE_SIZE];

	if (find_type(line) != NULL || is_certificate(line))
		return line;
	while (*(line = read_option(line, ignored)) == ',')
		line++;
	return line + strspn(line, BLANKS);
}

/* Has the line an option of that name? */
static bool
find_option(const char *line, const char *name, char value[static VALUE_SIZE])
{
	const char *end;
	size_t n = strlen(name);

	for (;; line = end + 1) {
		end = read_option(line, value);
		if (strncasecmp(line, name, n) == 0 &&
		    strchr(",=" BLANKS, line[n]) != NULL) {
			if (strncmp(line + n, "=\"", 2) != 0)
				value[0] = '\0';
			return true;
		}
		if (*end != ',')
			return false;
	}
}

/*
 * authorized_keys
 */

/* A word of AuthorizedKeysFile with its %-letters expanded. */
static void
expand_path(const struct doctor_account *account, const char *word,
    size_t len, struct buf *path)
{
	const char *end = word + len;

	if (*word != '/' && strncmp(word, "%h", 2) != 0)
		buf_printf(path, "%s/", account->home);
	for (; word < end; word++) {
		if (*word != '%' || word + 1 == end)
			buf_putc(path, *word);
		else if (*++word == 'h')
			buf_puts(path, account->home);
		else if (*word == 'u')
			buf_puts(path, account->name);
		else if (*word == 'U')
			buf_printf(path, "%u", (unsigned int)account->uid);
		else
			buf_putc(path, *word);
	}
}

static void
each_authorized_key(struct doctor *d, key_line *fn)
{
	const char *files = d->sshd.text == NULL ? ".ssh/authorized_keys" :
	    sshd_query_get(&d->sshd, "AuthorizedKeysFile");
	cleanup_buf struct buf path = { 0 };
	size_t len;

	for (; *files != '\0'; files += len + strspn(files + len, BLANKS)) {
		len = strcspn(files, BLANKS);
		buf_truncate(&path, 0);
		if (!parse_item_is(files, len, "none"))
			expand_path(&d->account, files, len, &path);
		if (path.len > 0 && !path.failed)
			each_line(d, path.data, fn);
	}
}

/* The name after --user in command. */
static bool
find_pinned(const char *command, char name[static VALUE_SIZE])
{
	const char *p = strstr(command, " --user");

	return p != NULL && sscanf(p, " --user%*[ =]%1023[^ ]", name) == 1;
}

/* Does command="..." run the broker for a user? */
static bool
check_line_command(struct doctor *d, const char *where, const char *line)
{
	char command[VALUE_SIZE], name[VALUE_SIZE];

	if (!find_option(line, "command", command)) {
		doctor_fail(d, where, "there is no command=\"...\", so the "
		    "key gives a shell of the broker account");
		doctor_remedy(d, "put restrict,pty,command=\""
		    X2GOBROKER_PROGRAM " --user NAME\" before the key, or "
		    "remove it");
		return false;
	}
	if (strstr(command, "x2gobroker") == NULL) {
		doctor_warn(d, where, "command=\"%s\" is not the broker",
		    command);
		doctor_remedy(d, "remove the line if this is a mistake");
		return false;
	}
	if (!find_pinned(command, name)) {
		doctor_fail(d, where, "the command has no --user, so the "
		    "broker refuses the key");
		doctor_remedy(d, "command=\"" X2GOBROKER_PROGRAM
		    " --user NAME\"");
		return false;
	}
	d->user_lines += d->ctl->user != NULL &&
	    strcmp(name, d->ctl->user) == 0;
	return true;
}

static void
check_line_pty(struct doctor *d, const char *where, const char *line)
{
	char ignored[VALUE_SIZE];
	bool restricted = find_option(line, "restrict", ignored);

	if (find_option(line, "no-pty", ignored) || (restricted &&
	    !find_option(line, "pty", ignored))) {
		doctor_fail(d, where, "the key gets no terminal, without which "
		    "the X2Go client hangs at login");
		doctor_remedy(d, "restrict,pty,command=\"...\"");
	} else if (!restricted) {
		doctor_warn(d, where, "the key also allows forwarding of ports "
		    "and agents");
		doctor_remedy(d, "restrict,pty,command=\"...\"");
	}
}

static void
check_line(struct doctor *d, const char *where, const char *line)
{
	if (!check_line_command(d, where, line))
		return;
	d->key_lines++;
	check_line_pty(d, where, line);
}

/* sshd, with StrictModes, has the same rules as the broker for its files. */
static void
check_key_file(struct doctor *d)
{
	struct x2gobroker_error err;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/.ssh/authorized_keys",
	    d->account.home);
	if (x2gobroker_path_check(path, &err) == 0 ||
	    err.code != X2GOBROKER_ERR_UNSAFE)
		return;
	doctor_fail_error(d, path, &err);
	doctor_remedy(d, "chown %s, chmod go-w; sshd does not read it, either",
	    d->account.name);
}

void
check_authorized_keys(struct doctor *d)
{
	d->key_lines = d->user_lines = 0;
	check_key_file(d);
	each_authorized_key(d, check_line);
	if (d->out.bad == 0)
		doctor_ok(d, "", "%u line%s", d->key_lines,
		    d->key_lines == 1 ? "" : "s");
}

/*
 * Types
 */

/* Does sshd accept keys of that type? */
static bool
is_accepted(const struct sshd *sshd, const struct key_type *type)
{
	const char *list = sshd_query_get(sshd, "PubkeyAcceptedAlgorithms");
	const char *item;
	size_t i, len;

	if (*list == '\0')
		return true;
	while (parse_next_item(&list, &item, &len))
		for (i = 0; i < 3 && type->algorithms[i] != NULL; i++)
			if (parse_item_is(item, len, type->algorithms[i]))
				return true;
	return false;
}

static void
check_type(struct doctor *d, const char *where, const char *line)
{
	const char *word = skip_options(line);
	const struct key_type *type = find_type(word);

	if (is_certificate(word)) {
		doctor_fail(d, where, "this is a certificate, but sshd needs "
		    "the key itself");
		doctor_remedy(d, "use the .pub file without -cert in its name");
	} else if (type == NULL) {
		doctor_fail(d, where, "not a key, or a key of an unknown "
		    "type: %.*s", (int)strcspn(word, BLANKS), word);
		doctor_remedy(d, "remove the line, or replace it by a key that "
		    "ssh-keygen -t ed25519 made");
	} else if (type->why != NULL) {
		findings_add(d, type->useless ? FINDING_FAILED :
		    FINDING_WARNING, where, "%s", type->why);
		doctor_remedy(d, "%s", type->remedy);
	} else if (!is_accepted(&d->sshd, type)) {
		doctor_fail(d, where, "sshd does not accept %s keys "
		    "(PubkeyAcceptedAlgorithms)", type->name);
		doctor_remedy(d, "PubkeyAcceptedAlgorithms +%s in sshd_config, "
		    "or a key of another type", type->algorithms[0]);
	}
}

static int
is_key_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > strlen(SUFFIX) &&
	    strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static void
each_key_file(struct doctor *d, void (*fn)(struct doctor *d, const char *path,
    const char *name))
{
	const char *dir = doctor_text(d, "keys-dir");
	struct dirent **list = NULL;
	char path[PATH_SIZE];
	int i, n;

	n = *dir != '\0' ? scandir(dir, &list, is_key_file, alphasort) : 0;
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		fn(d, path, list[i]->d_name);
		free(list[i]);
	}
	free(list);
}

static void
check_file_types(struct doctor *d, const char *path,
    const char *name __attribute__((unused)))
{
	each_line(d, path, check_type);
}

void
check_key_types(struct doctor *d)
{
	each_authorized_key(d, check_type);
	each_key_file(d, check_file_types);
}

/*
 * Users with keys
 */

static void
count_key_file(struct doctor *d, const char *path __attribute__((unused)),
    const char *name)
{
	const char *user = d->ctl->user;

	d->key_files++;
	d->user_file |= user != NULL &&
	    parse_item_is(name, strlen(name) - strlen(SUFFIX), user);
}

void
doctor_count_key_files(struct doctor *d)
{
	each_key_file(d, count_key_file);
}

static void
check_user_way(struct doctor *d)
{
	const char *user = d->ctl->user;

	if (d->forced)
		doctor_ok(d, user, "ForceCommand");
	else if ((d->reads_key_files && d->user_file) || d->user_lines > 0)
		doctor_ok(d, user, "a key for the account %s",
		    d->account.name);
	else {
		doctor_warn(d, user, "has neither a key nor a ForceCommand "
		    "that leads to the broker");
		doctor_remedy(d, "x2gobrokerctl authorize %s KEYFILE", user);
	}
}

void
check_ways_in(struct doctor *d)
{
	unsigned int files = d->reads_key_files ? d->key_files : 0;

	if (d->ctl->user != NULL)
		check_user_way(d);
	else if (!d->reads_key_files && d->key_files > 0 &&
	    d->sshd.text != NULL) {
		doctor_fail(d, doctor_text(d, "keys-dir"), "%u users have "
		    "keys there, but sshd does not use them",
		    d->key_files);
		doctor_remedy(d, "see KEYS OF USERS in x2gobrokerctl(8) for "
		    "the lines in sshd_config");
	} else if (files + d->key_lines == 0) {
		doctor_warn(d, "", "no user has a key for the account %s",
		    d->account.name);
		doctor_remedy(d, "x2gobrokerctl authorize NAME KEYFILE; if "
		    "users have a ForceCommand, check one of them: "
		    "doctor --user NAME");
	} else
		doctor_ok(d, "", "%u file%s in keys-dir, %u line%s in "
		    "authorized_keys", files, files == 1 ? "" : "s",
		    d->key_lines, d->key_lines == 1 ? "" : "s");
}
