/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sshd has to know.  A mistake there locks people out, so sshd itself says
 * whether all is well, before and after; if it is not, the old file comes back.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../sshd_query.h"
#include "child.h"
#include "setup.h"

#define SSHD_CONFIG	"/etc/ssh/sshd_config"
#define SSHD_RUN_DIR	"/run/sshd"
#define HEAD		"# By x2gobrokerctl setup; see x2gobroker(8).\n"

const char *
setup_reload_command(void)
{
	/* Debian calls it ssh, others sshd */
	if (access("/run/systemd/system", F_OK) == 0)
		return access("/lib/systemd/system/ssh.service", F_OK) == 0 ?
		    "systemctl reload ssh" : "systemctl reload sshd";
	if (access("/run/sshd.pid", F_OK) == 0)
		return "kill -HUP $(cat /run/sshd.pid)";
	return "service ssh reload";
}

/*
 * Lines of sshd_config
 */

/* The next line of *text that says something, without the blanks around it, or
 * false. */
static bool
next_line(const char **text, const char **line, size_t *len)
{
	while (**text != '\0') {
		*line = *text + strspn(*text, " \t\r\n");
		*len = strcspn(*line, "\r\n");
		*text = *line + *len;
		while (*len > 0 && strchr(" \t", (*line)[*len - 1]) != NULL)
			(*len)--;
		if (*len > 0 && **line != '#')
			return true;
	}
	return false;
}

/* Whether the lines of block stand in text, one after the other. */
static bool
has_block(const char *text, const char *block)
{
	const char *line, *wanted, *rest, *from;
	size_t len, wanted_len;

	for (from = text; next_line(&from, &line, &len);) {
		const char *look = line;

		rest = block;
		for (;;) {
			if (!next_line(&rest, &wanted, &wanted_len))
				return true;
			if (!next_line(&look, &line, &len) ||
			    len != wanted_len ||
			    strncasecmp(line, wanted, len) != 0)
				break;
		}
	}
	return false;
}

/* Whether the file has the block. */
static bool
file_has_block(const char *path, const char *block)
{
	size_t len;
	char *text = setup_read(path, &len);
	bool has = text != NULL && has_block(text, block);

	free(text);
	return has;
}

/* Whether one of the words, up to end, is a pattern that path matches. */
static bool
has_pattern(const char *words, const char *end, const char *path)
{
	char *copy = strndup(words, (size_t)(end - words)), *rest = copy;
	const char *word;
	bool has = false;

	while (!has && (word = strsep(&rest, " \t\"=")) != NULL)
		has = *word != '\0' && fnmatch(word, path, FNM_PATHNAME) == 0;
	free(copy);
	return has;
}

/* Whether sshd_config includes path for everybody: not behind a Match. */
static bool
includes(const char *path)
{
	const char *rest, *line;
	bool found = false;
	size_t len;
	char *text;

	if ((text = setup_read(SSHD_CONFIG, &len)) == NULL)
		return false;
	for (rest = text; !found && next_line(&rest, &line, &len);) {
		if (strncasecmp(line, "Match", 5) == 0)
			break;
		if (strncasecmp(line, "Include", 7) == 0)
			found = has_pattern(line + 7, line + len, path);
	}
	free(text);
	return found;
}

/*
 * sshd itself
 */

/* sshd looks for a directory which is not there where it does not run, or is
 * started when somebody comes.  Whether we have made it. */
static bool
make_run_dir(void)
{
	return mkdir(SSHD_RUN_DIR, 0755) == 0;
}

static int
test_config(const char *when)
{
	static const char *const argv[] = { SSHD_PROGRAM, "-t", NULL };
	bool made = make_run_dir();
	int result = child_run(argv, NULL, false);

	if (made)
		rmdir(SSHD_RUN_DIR);
	if (result == -1)
		ctl_complain("sshd does not take its configuration, %s", when);
	return result;
}

/* Whether the command for keys is in force for the broker account: another file
 * may have set it before, and the first one counts. */
static bool
is_in_force(const struct setup *setup)
{
	static const char keyword[] = "AuthorizedKeysCommand ";
	const char *wanted = strstr(setup->text[TEXT_SSHD_SHARED], keyword);
	char why[WHY_SIZE];
	bool made = make_run_dir(), is = false;
	struct sshd sshd;
	const char *value;
	size_t len;

	if (sshd_query_ask(&sshd, NULL, setup->text[TEXT_ACCOUNT], why,
	    sizeof(why)) == 0) {
		wanted += sizeof(keyword) - 1;
		len = strcspn(wanted, "\n");
		value = sshd_query_get(&sshd, "authorizedkeyscommand");
		is = strncmp(value, wanted, len) == 0 && value[len] == '\0';
		sshd_query_free(&sshd);
	} else
		ctl_complain("sshd -T: %s", why);
	if (made)
		rmdir(SSHD_RUN_DIR);
	return is;
}

/*
 * The step
 */

static enum look
sshd_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *path = setup->text[step->name];
	const char *block = setup->text[step->content];

	if (access(SSHD_PROGRAM, X_OK) == -1) {
		snprintf(why, WHY_SIZE, "there is no %s; install the OpenSSH "
		    "server", SSHD_PROGRAM);
		return LOOK_BLOCKED;
	}
	if (file_has_block(SSHD_CONFIG, block))
		return LOOK_DONE;
	if (!includes(path)) {
		snprintf(why, WHY_SIZE, "sshd does not read it; put this line "
		    "at the top of %s: Include /etc/ssh/sshd_config.d/*.conf",
		    SSHD_CONFIG);
		return LOOK_BLOCKED;
	}
	return file_has_block(path, block) ? LOOK_DONE : LOOK_TO_DO;
}

static void
sshd_show(const struct setup *setup, const struct step *step)
{
	printf("%s\n", access(setup->text[step->name], F_OK) == 0 ?
	    "add at the end" : "make the file, root:root, mode 0644");
	setup_show_lines(setup->text[step->content], false);
}

/* What the file will be: the old text, which may be NULL, and the block. */
static char *
join(const char *old, size_t old_len, const char *block)
{
	char *text;
	bool ended = old == NULL || old_len == 0 || old[old_len - 1] == '\n';

	if (asprintf(&text, "%s%s%s%s", old != NULL ? old : HEAD,
	    ended ? "" : "\n", old_len > 0 ? "\n" : "", block) == -1)
		return NULL;
	return text;
}

static void
take_back(struct setup *setup, const char *path, const char *old,
    size_t old_len, const struct stat *st)
{
	if ((old == NULL ? unlink(path) :
	    setup_write(path, old, old_len, 0, st)) == -1)
		ctl_complain("%s: cannot be taken back: %s", path,
		    strerror(errno));
	else {
		manifest_drop(setup->manifest,
		    manifest_count(setup->manifest) - 1);
		ctl_complain("%s: taken back", path);
	}
}

static int
write_and_test(struct setup *setup, const struct step *step, const char *old,
    size_t old_len, const char *new)
{
	const char *path = setup->text[step->name];
	char before[32] = "", digest[DIGEST_SIZE];
	struct stat st;

	if (old != NULL && lstat(path, &st) == -1)
		return -1;
	if (old != NULL)
		snprintf(before, sizeof(before), "%zu", old_len);
	setup_digest(new, strlen(new), digest);
	if (manifest_add(setup->manifest, "sshd", path, before, digest,
	    "") == -1)
		return -1;
	if (setup_write(path, new, strlen(new), step->mode,
	    old != NULL ? &st : NULL) == -1) {
		ctl_complain("%s: cannot be written: %s", path,
		    strerror(errno));
		return -1;
	}
	setup->reload = true;
	if (test_config("with the new lines") == 0) {
		if (step->content != TEXT_SSHD_SHARED || is_in_force(setup))
			return 0;
		ctl_complain("%s: has no effect: AuthorizedKeysCommand is set "
		    "before, for %s or for everybody", path,
		    setup->text[TEXT_ACCOUNT]);
	}
	take_back(setup, path, old, old_len, &st);
	setup->reload = false;
	return -1;
}

static int
sshd_apply(struct setup *setup, const struct step *step)
{
	const char *path = setup->text[step->name];
	size_t old_len = 0;
	char *old, *new;
	int result = -1;

	if (test_config("before any change of ours") == -1)
		return -1;
	old = setup_read(path, &old_len);
	if (old == NULL && errno != ENOENT) {
		ctl_complain("%s: %s", path, strerror(errno));
		return -1;
	}
	new = join(old, old_len, setup->text[step->content]);
	if (new != NULL)
		result = write_and_test(setup, step, old, old_len, new);
	free(new);
	free(old);
	return result;
}

const struct kind kind_sshd = {
	"sshd", "", sshd_look, sshd_show, sshd_apply, file_back,
};
