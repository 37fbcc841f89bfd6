/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the keys that lead to the broker: lines in authorized_keys of the
 * broker account, and files in keys-dir.  They run as the broker account, which
 * could have written anything there.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "findings.h"

#define BLANKS		" \t"
#define PATH_SIZE	X2GOBROKER_FILE_SIZE
#define WHERE_SIZE	(PATH_SIZE + 16)	/* FILE:LINE */
#define VALUE_SIZE	1024

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
	    "the key is in a token, which the X2Go client can use only "
	    "through an SSH agent", "add a key of another type" },
	{ "sk-ecdsa-sha2-nistp256@openssh.com",
	    { "sk-ecdsa-sha2-nistp256@openssh.com" },
	    "the key is in a token, which the X2Go client can use only "
	    "through an SSH agent", "add a key of another type" },
	{ "ssh-dss", { "ssh-dss" }, "OpenSSH no longer accepts DSA keys",
	    "make a new key: ssh-keygen -t ed25519", true },
};

#define NTYPES	(sizeof(types) / sizeof(types[0]))

static const struct key_type *
find_type(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (strlen(types[i].name) == len &&
		    memcmp(types[i].name, word, len) == 0)
			return &types[i];
	return NULL;
}

/*
 * Lines of a file
 */

/* Called for each line that is neither empty nor a comment. */
typedef void key_line(struct doctor *d, const char *where, const char *line);

static FILE *
open_plain(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	FILE *fp;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (fp = fdopen(fd, "r")) == NULL) {
		close(fd);
		return NULL;
	}
	return fp;
}

static void
each_line(struct doctor *d, const char *path, key_line *fn)
{
	FILE *fp = open_plain(path);
	char where[WHERE_SIZE], *line = NULL;
	unsigned int number = 0;
	const char *begin;
	size_t size = 0;

	if (fp == NULL)
		return;
	while (getline(&line, &size, fp) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		snprintf(where, sizeof(where), "%s:%u", path, ++number);
		begin = line + strspn(line, BLANKS);
		if (*begin != '\0' && *begin != '#')
			fn(d, where, begin);
	}
	free(line);
	fclose(fp);
}

/* The end of the options at the start of line: the first blank outside of
 * quotes. */
static const char *
options_end(const char *line)
{
	bool quoted = false;

	for (; *line != '\0' && (quoted || strchr(BLANKS, *line) == NULL);
	    line++) {
		if (*line == '\\' && line[1] == '"')
			line++;
		else if (*line == '"')
			quoted = !quoted;
	}
	return line;
}

/* Does the line begin with a certificate? */
static bool
is_certificate(const char *line)
{
	const char *found = strstr(line, "-cert-v01@");

	return found != NULL && found < line + strcspn(line, BLANKS "\"");
}

/* The line behind its options, which have *len bytes: the type of the key. */
static const char *
skip_options(const char *line, size_t *len)
{
	const char *end;

	*len = 0;
	if (find_type(line, strcspn(line, BLANKS)) != NULL ||
	    is_certificate(line))
		return line;
	end = options_end(line);
	*len = (size_t)(end - line);
	return end + strspn(end, BLANKS);
}

/* The value in quotes at the start of text. */
static void
copy_quoted(const char *text, char value[static VALUE_SIZE])
{
	size_t i = 0;

	for (text++; *text != '\0' && *text != '"' && i < VALUE_SIZE - 1;
	    text++) {
		if (text[0] == '\\' && text[1] == '"')
			text++;
		value[i++] = *text;
	}
	value[i] = '\0';
}

/* Is there an option of that name?  value: its value, or "". */
static bool
find_option(const char *options, size_t len, const char *name,
    char value[static VALUE_SIZE])
{
	const char *p, *end = options + len;
	size_t n = strlen(name);
	bool quoted = false, begins = true;

	value[0] = '\0';
	for (p = options; p < end; p++) {
		if (begins && strncasecmp(p, name, n) == 0 &&
		    strchr(",=" BLANKS, p[n]) != NULL) {
			if (p[n] == '=' && p[n + 1] == '"')
				copy_quoted(p + n + 1, value);
			return true;
		}
		begins = !quoted && *p == ',';
		if (*p == '\\' && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return false;
}

/*
 * authorized_keys
 */

static void
append(char path[static PATH_SIZE], const char *text, size_t len)
{
	size_t n = strlen(path), room = PATH_SIZE - 1 - n;

	len = strnlen(text, len < room ? len : room);
	memcpy(path + n, text, len);
	path[n + len] = '\0';
}

/* A word of AuthorizedKeysFile with its %-letters expanded. */
static void
expand_path(const struct doctor_account *account, const char *word,
    size_t len, char path[static PATH_SIZE])
{
	const char *end = word + len;
	char uid[16];

	path[0] = '\0';
	snprintf(uid, sizeof(uid), "%u", (unsigned int)account->uid);
	if (*word != '/' && strncmp(word, "%h", 2) != 0) {
		append(path, account->home, PATH_SIZE);
		append(path, "/", 1);
	}
	for (; word < end; word++) {
		if (*word != '%' || word + 1 == end)
			append(path, word, 1);
		else if (*++word == 'h')
			append(path, account->home, PATH_SIZE);
		else if (*word == 'u')
			append(path, account->name, PATH_SIZE);
		else if (*word == 'U')
			append(path, uid, sizeof(uid));
		else
			append(path, word, 1);
	}
}

static void
each_authorized_key(struct doctor *d, key_line *fn)
{
	const char *files = d->sshd.text == NULL ? ".ssh/authorized_keys" :
	    sshd_query_get(&d->sshd, "authorizedkeysfile");
	char path[PATH_SIZE];
	size_t len;

	for (; *files != '\0'; files += strspn(files, BLANKS)) {
		len = strcspn(files, BLANKS);
		if (len != strlen("none") || strncmp(files, "none", len) != 0) {
			expand_path(&d->account, files, len, path);
			each_line(d, path, fn);
		}
		files += len;
	}
}

/* The name after --user in command. */
static bool
find_pinned(const char *command, char name[static VALUE_SIZE])
{
	const char *p = strstr(command, " --user");
	size_t len;

	name[0] = '\0';
	if (p == NULL || strchr(" =", p[7]) == NULL)
		return false;
	p += 7;
	p += strspn(p, " =");
	len = strcspn(p, " ");
	memcpy(name, p, len);
	name[len] = '\0';
	return len > 0;
}

/* Does command="..." run the broker for a user? */
static bool
check_line_command(struct doctor *d, const char *where, const char *options,
    size_t len)
{
	char command[VALUE_SIZE], name[VALUE_SIZE];

	if (!find_option(options, len, "command", command)) {
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
check_line_pty(struct doctor *d, const char *where, const char *options,
    size_t len)
{
	char ignored[VALUE_SIZE];
	bool restricted = find_option(options, len, "restrict", ignored);

	if (find_option(options, len, "no-pty", ignored) || (restricted &&
	    !find_option(options, len, "pty", ignored))) {
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
	size_t len;

	skip_options(line, &len);
	if (!check_line_command(d, where, line, len))
		return;
	d->key_lines++;
	check_line_pty(d, where, line, len);
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
	if (doctor_count_bad(d) == 0)
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
	const char *list = sshd_query_get(sshd, "pubkeyacceptedalgorithms");
	size_t i, len;

	if (sshd->text == NULL || *list == '\0')
		return true;
	for (; *list != '\0'; list += len + (list[len] != '\0')) {
		len = strcspn(list, ",");
		for (i = 0; i < 3 && type->algorithms[i] != NULL; i++)
			if (strlen(type->algorithms[i]) == len &&
			    strncmp(list, type->algorithms[i], len) == 0)
				return true;
	}
	return false;
}

static void
check_type(struct doctor *d, const char *where, const char *line)
{
	const struct key_type *type;
	const char *word;
	size_t len;

	word = skip_options(line, &len);
	len = strcspn(word, BLANKS);
	if (is_certificate(word)) {
		doctor_fail(d, where, "this is a certificate, but sshd needs "
		    "the key itself");
		doctor_remedy(d, "use the .pub file without -cert in its name");
		return;
	}
	if ((type = find_type(word, len)) == NULL) {
		doctor_fail(d, where, "not a key, or a key of an unknown "
		    "type: %.*s", (int)len, word);
		doctor_remedy(d, "remove the line, or replace it by a key that "
		    "ssh-keygen -t ed25519 made");
		return;
	}
	if (type->why != NULL) {
		if (type->useless)
			doctor_fail(d, where, "%s", type->why);
		else
			doctor_warn(d, where, "%s", type->why);
		doctor_remedy(d, "%s", type->remedy);
	} else if (!is_accepted(&d->sshd, type)) {
		doctor_fail(d, where, "sshd does not accept %s keys "
		    "(PubkeyAcceptedAlgorithms)", type->name);
		doctor_remedy(d, "PubkeyAcceptedAlgorithms +%s in sshd_config, "
		    "or a key of another type", type->algorithms[0]);
	}
}

static bool
is_key_file(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 4 &&
	    strcmp(name + len - 4, ".pub") == 0;
}

static void
check_dir_types(struct doctor *d, const char *dir)
{
	char path[PATH_SIZE];
	struct dirent **list;
	int i, n;

	if (*dir == '\0' || (n = scandir(dir, &list, NULL, alphasort)) == -1)
		return;
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (is_key_file(list[i]->d_name))
			each_line(d, path, check_type);
		free(list[i]);
	}
	free(list);
}

void
check_key_types(struct doctor *d)
{
	each_authorized_key(d, check_type);
	check_dir_types(d, doctor_text(d, "keys-dir"));
}

/*
 * Users with keys
 */

void
doctor_count_key_files(struct doctor *d)
{
	const char *user = d->ctl->user;
	const struct dirent *entry;
	DIR *dir = opendir(doctor_text(d, "keys-dir"));
	size_t n = user != NULL ? strlen(user) : 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!is_key_file(entry->d_name))
			continue;
		d->key_files++;
		d->user_file |= user != NULL && strlen(entry->d_name) == n +
		    4 && strncmp(entry->d_name, user, n) == 0;
	}
	if (dir != NULL)
		closedir(dir);
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
