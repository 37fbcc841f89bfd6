/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines for sshd.  A mistake there locks people out, so sshd -t checks the
 * configuration before and after; if it fails, the old file is restored.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "common/sshd_query.h"
#include "step.h"

#define SSHD_CONFIG	"/etc/ssh/sshd_config"
#define SSHD_RUN_DIR	"/run/sshd"
#define SNIPPET		SSHD_CONFIG ".d/x2gobroker.conf"
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

/* Put "\n" and the lines that are neither blank nor comments, without the
 * blanks around them.  text may be NULL. */
static void
put_lines(struct buf *buf, const char *text)
{
	const char *line;
	size_t len;

	buf_putc(buf, '\n');
	for (; text != NULL && *text != '\0'; text += strspn(text, "\r\n")) {
		line = text;
		len = strcspn(text, "\r\n");
		text += len;
		parse_trim(&line, &len);
		if (len > 0 && *line != '#') {
			buf_put(buf, line, len);
			buf_putc(buf, '\n');
		}
	}
}

/* Does the file contain the lines of block, in a row? */
static bool
has_block(const char *path, const char *block)
{
	cleanup_free char *text = files_read(path);
	cleanup_buf struct buf lines = { 0 }, wanted = { 0 };

	put_lines(&lines, text);
	put_lines(&wanted, block);
	return !lines.failed && !wanted.failed &&
	    strcasestr(lines.data, wanted.data) != NULL;
}

/* Does sshd_config include path for everybody, that is, before any Match? */
static bool
includes(const char *path)
{
	cleanup_free char *text = files_read(SSHD_CONFIG);
	cleanup_buf struct buf lines = { 0 };
	char *rest, *line, *word;

	put_lines(&lines, text);
	for (rest = lines.data; (line = strsep(&rest, "\n")) != NULL;) {
		if (strncasecmp(line, "Match", 5) == 0)
			return false;
		if (strncasecmp(line, "Include", 7) != 0)
			continue;
		for (line += 7; (word = strsep(&line, " \t\"=")) != NULL;)
			if (*word != '\0' &&
			    fnmatch(word, path, FNM_PATHNAME) == 0)
				return true;
	}
	return false;
}

/*
 * sshd itself
 */

static int
test_config(const char *when)
{
	static const char *const argv[] = { SSHD_PROGRAM, "-t", NULL };
	int result = step_run(argv);

	if (result != 0)
		ctl_complain("sshd -t fails %s", when);
	return result;
}

/* Does sshd use the new AuthorizedKeysCommand for the broker account?  Another
 * file may set it earlier, and sshd uses the first value. */
static bool
is_in_force(const struct setup *setup)
{
	char why[WHY_SIZE];
	bool is = false;
	struct sshd sshd;

	if (sshd_query_ask(&sshd, NULL, setup->account, why,
	    sizeof(why)) == 0) {
		is = sshd_query_is(&sshd, "authorizedkeyscommand",
		    setup->keys_command);
		sshd_query_free(&sshd);
		if (!is)
			ctl_complain("%s: has no effect: another file sets "
			    "AuthorizedKeysCommand earlier, for %s or for "
			    "everybody", SNIPPET, setup->account);
	} else
		ctl_complain("sshd -T: %s", why);
	return is;
}

/*
 * The step
 */

static enum look
sshd_look(const struct setup *setup __attribute__((unused)),
    const struct step *step, char why[static WHY_SIZE])
{
	if (access(SSHD_PROGRAM, X_OK) == -1) {
		snprintf(why, WHY_SIZE, "%s is missing; install the OpenSSH "
		    "server", SSHD_PROGRAM);
		return LOOK_BLOCKED;
	}
	if (has_block(SSHD_CONFIG, step->content))
		return LOOK_DONE;
	if (!includes(step->name)) {
		snprintf(why, WHY_SIZE, "sshd does not read it; add this line "
		    "at the top of %s: Include /etc/ssh/sshd_config.d/*.conf",
		    SSHD_CONFIG);
		return LOOK_BLOCKED;
	}
	return has_block(step->name, step->content) ? LOOK_DONE : LOOK_TO_DO;
}

static void
restore(struct manifest *manifest)
{
	const struct record *record = &manifest->records[manifest->n - 1];

	if (files_back(record) != BACK_DONE)
		return;
	ctl_complain("%s: restored", record->name);
	manifest_drop(manifest, manifest->n - 1);
}

static int
add_lines(struct setup *setup, const struct step *step)
{
	cleanup_free char *old = NULL;
	const char *before = "", *new;
	char state[STATE_SIZE];
	size_t len;

	if (test_config("before setup changes anything") != 0 ||
	    dirs_make_parent(setup, step->name) == -1)
		return -1;
	old = files_read(step->name);
	if (old == NULL && errno != ENOENT) {
		ctl_complain("%s: %s", step->name, strerror(errno));
		return -1;
	}
	len = old != NULL ? strlen(old) : 0;
	if (old != NULL)
		before = step_text(setup, "%zu bytes", len);
	new = step_text(setup, "%s%s%s%s", old != NULL ? old : HEAD,
	    len > 0 && old[len - 1] != '\n' ? "\n" : "", len > 0 ? "\n" : "",
	    step->content);
	files_checksum(new, state);
	if (manifest_add(setup->manifest, kind_sshd.name, step->name, before,
	    state, "") == -1 || files_write(step->name, new, true) == -1)
		return -1;
	if (test_config("with the new lines") == 0 &&
	    (strstr(step->content, setup->keys_command) == NULL ||
	    is_in_force(setup))) {
		setup->reload = true;
		return 0;
	}
	restore(setup->manifest);
	return -1;
}

/* sshd fails without its directory, which does not exist while sshd is not
 * running or is started for each connection. */
static int
sshd_apply(struct setup *setup, const struct step *step)
{
	bool made = mkdir(SSHD_RUN_DIR, 0755) == 0;
	int result = add_lines(setup, step);

	if (made)
		rmdir(SSHD_RUN_DIR);
	return result;
}

const struct kind kind_sshd = {
	"sshd", "", sshd_look, sshd_apply, files_state, files_back,
	"remove the file", "",
};

void
sshd_add_step(struct setup *setup, const char *lines)
{
	step_add(setup, &kind_sshd, SNIPPET, access(SNIPPET, F_OK) == 0 ?
	    "append to the file" : FILE_PLAN)->content = lines;
}
