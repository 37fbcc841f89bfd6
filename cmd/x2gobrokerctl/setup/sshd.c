/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines for sshd.  A mistake there locks people out, so sshd -t checks the
 * configuration before and after; if it fails, the old file is restored.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "../sshd_query.h"
#include "child.h"
#include "step.h"
#include "wholefile.h"

#define SSHD_CONFIG	"/etc/ssh/sshd_config"
#define SSHD_RUN_DIR	"/run/sshd"
#define HEAD		"# By x2gobrokerctl setup; see x2gobroker(8).\n"

const char *
sshd_reload_command(void)
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

/* The next line of *text that is neither blank nor a comment, without the
 * blanks around it.  False: there is none. */
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

/* Does text contain the lines of block, in a row? */
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

static bool
file_has_block(const char *path, const char *block)
{
	size_t len;
	cleanup_free char *text = wholefile_read(path, &len);

	return text != NULL && has_block(text, block);
}

/* Does path match one of the patterns in words, up to end? */
static bool
has_pattern(const char *words, const char *end, const char *path)
{
	cleanup_free char *copy = strndup(words, (size_t)(end - words));
	char *rest = copy;
	const char *word;

	while ((word = strsep(&rest, " \t\"=")) != NULL)
		if (*word != '\0' && fnmatch(word, path, FNM_PATHNAME) == 0)
			return true;
	return false;
}

/* Does sshd_config include path for everybody, that is, before any Match? */
static bool
includes(const char *path)
{
	const char *rest, *line;
	size_t len;
	cleanup_free char *text = wholefile_read(SSHD_CONFIG, &len);

	for (rest = text; rest != NULL && next_line(&rest, &line, &len);) {
		if (strncasecmp(line, "Match", 5) == 0)
			return false;
		if (strncasecmp(line, "Include", 7) == 0 &&
		    has_pattern(line + 7, line + len, path))
			return true;
	}
	return false;
}

/*
 * sshd itself
 */

/* sshd fails without this directory, which does not exist while sshd is not
 * running or is started for each connection.  True: it was made here. */
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
		ctl_complain("sshd -t fails %s", when);
	return result;
}

/* Does sshd use the new AuthorizedKeysCommand for the broker account?  Another
 * file may set it earlier, and sshd uses the first value. */
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
		snprintf(why, WHY_SIZE, "%s is missing; install the OpenSSH "
		    "server", SSHD_PROGRAM);
		return LOOK_BLOCKED;
	}
	if (file_has_block(SSHD_CONFIG, block))
		return LOOK_DONE;
	if (!includes(path)) {
		snprintf(why, WHY_SIZE, "sshd does not read it; add this line "
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
	    "append to the file" : "make the file, root:root, mode 0644");
	wholefile_show(setup->text[step->content], false);
}

/* The new text of the file: the old one, which can be NULL, and the block. */
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
restore(struct setup *setup, const char *path, const char *old,
    size_t old_len, const struct stat *st)
{
	if ((old == NULL ? unlink(path) :
	    wholefile_write(path, old, old_len, st)) == -1)
		ctl_complain("%s: cannot restore it: %s", path,
		    strerror(errno));
	else {
		manifest_drop(setup->manifest,
		    manifest_count(setup->manifest) - 1);
		ctl_complain("%s: restored", path);
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
	wholefile_digest(new, strlen(new), digest);
	if (manifest_add(setup->manifest, "sshd", path, before, digest,
	    "") == -1)
		return -1;
	if (wholefile_write(path, new, strlen(new),
	    old != NULL ? &st : NULL) == -1) {
		ctl_complain("%s: cannot write it: %s", path,
		    strerror(errno));
		return -1;
	}
	setup->reload = true;
	if (test_config("with the new lines") == 0) {
		if (step->content != TEXT_SSHD_SHARED || is_in_force(setup))
			return 0;
		ctl_complain("%s: has no effect: another file sets "
		    "AuthorizedKeysCommand earlier, for %s or for everybody",
		    path,
		    setup->text[TEXT_ACCOUNT]);
	}
	restore(setup, path, old, old_len, &st);
	setup->reload = false;
	return -1;
}

static int
sshd_apply(struct setup *setup, const struct step *step)
{
	const char *path = setup->text[step->name];
	cleanup_free char *old = NULL, *new = NULL;
	size_t old_len = 0;

	if (test_config("before setup changes anything") == -1 ||
	    dirs_make_parent(setup, path) == -1)
		return -1;
	old = wholefile_read(path, &old_len);
	if (old == NULL && errno != ENOENT) {
		ctl_complain("%s: %s", path, strerror(errno));
		return -1;
	}
	new = join(old, old_len, setup->text[step->content]);
	return new != NULL ? write_and_test(setup, step, old, old_len, new) :
	    -1;
}

const struct kind kind_sshd = {
	"sshd", "", sshd_look, sshd_show, sshd_apply, file_back,
};
