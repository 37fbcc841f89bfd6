/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all steps need: texts, records, other programs, and work that must be
 * done as another account.
 */
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "../terminal.h"
#include "step.h"

#define OUTPUT_MAX	4096	/* bytes; these programs print little */
#define NOT_CALLED	255

char *
step_text(struct setup *setup, const char *fmt, ...)
{
	char *text = NULL, *copy = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) != -1) {
		copy = arena_strndup(&setup->arena, text, strlen(text));
		free(text);
	}
	va_end(ap);
	if (copy == NULL)
		err(EXIT_NO, NULL);
	return copy;
}

const char *
step_list_servers(struct setup *setup)
{
	cleanup_buf struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < setup->nservers; i++)
		buf_printf(&buf, "%s%s", i > 0 ? ", " : "", setup->servers[i]);
	return buf.failed ? "" : step_text(setup, "%s", buf.data);
}

struct step *
step_add(struct setup *setup, const struct kind *kind, const char *name,
    const char *plan)
{
	struct step *step = &setup->steps[setup->nsteps];

	*step = (struct step){ .kind = kind, .name = name, .plan = plan };
	setup->nsteps += *name != '\0';
	return step;
}

void
step_add_args(struct step *step, ...)
{
	const char *arg;
	size_t n = 0;
	va_list ap;

	va_start(ap, step);
	while ((arg = va_arg(ap, const char *)) != NULL)
		step->argv[n++] = arg;
	va_end(ap);
}

int
step_call_as(const struct passwd *account, int (*fn)(const void *arg),
    const void *arg)
{
	pid_t pid;
	int status;

	fflush(NULL);	/* or the child would write it again */
	if ((pid = fork()) == 0) {
		status = account != NULL && ctl_become(account) == -1 ?
		    NOT_CALLED : fn(arg);
		fflush(NULL);
		_exit(status);
	}
	if (pid == -1) {
		ctl_complain("cannot start a process: %s", strerror(errno));
		return -1;
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
run(const char *const *argv, bool quiet)
{
	static const char *const env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL
	};
	const struct spawn_options options = {
		.argv = argv, .env = env, .merge = true,
		.output_max = OUTPUT_MAX, .cut_output = true,
		.deadline = SPAWN_NO_DEADLINE,
	};
	cleanup_spawn struct spawn child = { 0 };
	char end[SPAWN_TEXT_SIZE];
	const char *text;
	size_t len;

	if (spawn_run(&child, &options) == -1) {
		if (!quiet)
			ctl_complain("cannot start %s: %s", argv[0],
			    strerror(errno));
		return 1;
	}
	if (spawn_exit_status(&child) == 0)
		return 0;
	text = child.output.len > 0 ? child.output.data : "";
	len = child.output.len;
	parse_trim(&text, &len);
	if (!quiet)
		ctl_complain("%s %s%s%.*s", argv[0],
		    spawn_describe(&child, end), len > 0 ? ": " : "",
		    (int)len, text);
	return 1;
}

int
step_run(const void *argv)
{
	return run(argv, false);
}

int
step_run_quietly(const void *argv)
{
	return run(argv, true);
}

int
step_record(struct setup *setup, const struct step *step, const char *after)
{
	char before[STATE_SIZE] = "";

	step->kind->state(step->name, before);
	if (manifest_add(setup->manifest, step->kind->name, step->name,
	    before, after, "") == -1)
		return -1;
	return step->argv[0] == NULL || step_run(step->argv) == 0 ? 0 : -1;
}

bool
step_confirm(const struct ctl *ctl)
{
	bool can = ctl->yes || terminal_can_ask();

	fflush(stdout);
	if (ctl->yes || (can && terminal_ask("Proceed?")))
		return true;
	ctl_complain("nothing changed%s", can ? "" : ": not a terminal; use "
	    "--yes to skip the confirmation");
	return false;
}
