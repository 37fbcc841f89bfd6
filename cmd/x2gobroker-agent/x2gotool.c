/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <sys/wait.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/spawn.h"
#include "x2gotool.h"

#define DEADLINE_MS	20000
#define MESSAGE_MAX	4096	/* bytes of stderr */
#define ARGS_MAX	4
#define VARIABLES_MAX	6
#define PATH_VALUE	"/usr/local/bin:/usr/bin:/bin"
#define FAILED		"ERROR:"	/* how its messages of failure begin */

static void
make_path(const char *name, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", strcmp(name, X2GOTOOL_OF_ROOT) == 0 ?
	    X2GO_SBIN : X2GO_BIN, name);
}

bool
x2gotool_exists(const char *name)
{
	char path[PATH_MAX];

	make_path(name, path);
	return access(path, X_OK) == 0;
}

/* As a login would have it, in text and, ended by NULL, in env. */
static void
make_environment(struct buf *text, const char *env[static VARIABLES_MAX + 1],
    const struct account *account)
{
	const char *p;

	buf_printf(text, "PATH=" PATH_VALUE "%cHOME=%s%cUSER=%s%cLOGNAME=%s%c"
	    "SHELL=%s%cLANG=C.UTF-8%c", 0, account->home, 0, account->name, 0,
	    account->name, 0, account->shell, 0, 0);
	for (p = text->data; !text->failed && p < text->data + text->len;
	    p += strlen(p) + 1)
		*env++ = p;
}

/* Lines of text: no other control characters, and an end to the last one. */
static void
put_text(struct buf *out, const struct buf *text)
{
	const unsigned char *p = (const unsigned char *)text->data;
	size_t i;

	for (i = 0; i < text->len; i++)
		buf_putc(out, (p[i] < 0x20 && p[i] != '\n') || p[i] == 0x7f ?
		    '?' : text->data[i]);
	if (text->len > 0 && text->data[text->len - 1] != '\n')
		buf_putc(out, '\n');
}

/* Some tools exit with 0 when they fail, but say so on stderr. */
static int
check_end(const struct spawn *child, const char *name,
    struct x2gobroker_error *err)
{
	const char *why = child->message.len > 0 ? child->message.data : "";
	const char *failed = strstr(why, FAILED);
	char text[SPAWN_TEXT_SIZE];

	if (spawn_exit_status(child) == 0 && failed == NULL)
		return 0;
	if (failed != NULL)
		why = failed;
	if (spawn_exit_status(child) == -1 || *why == '\0')
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s %s",
		    name, spawn_describe(child, text));
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
	    "%s failed with status %d: %.*s", name, spawn_exit_status(child),
	    (int)strcspn(why, "\n"), why);
}

int
x2gotool_run(const char *name, const char *const *args,
    const struct account *account, struct buf *out,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf variables = { 0 };
	char path[PATH_MAX];
	const char *argv[ARGS_MAX + 2] = { path };
	const char *env[VARIABLES_MAX + 1] = { NULL };
	const struct spawn_options options = {
		.argv = argv, .env = env, .output_max = X2GOTOOL_OUTPUT_MAX,
		.message_max = MESSAGE_MAX,
		.deadline = clock_ms() + DEADLINE_MS,
	};
	cleanup_spawn struct spawn child = { 0 };
	size_t i;

	make_path(name, path);
	make_environment(&variables, env, account);
	if (variables.failed)
		return error_nomem(err);
	for (i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		argv[i + 1] = args[i];
	/* others may read what it makes, as after a login */
	umask(022);
	if (spawn_run(&child, &options) == -1)
		return error_errno(err, NULL, "cannot start %s", path);
	if (check_end(&child, name, err) == -1)
		return -1;
	put_text(out, &child.output);
	return out->failed ? error_nomem(err) : 0;
}
