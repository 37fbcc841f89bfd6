/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What X2Go's tools print, and in the first line the id of a session.  The
 * broker can read what the agent makes of it, and no session is suspended that
 * is not the user's, or not there.
 */
#include "agent/answer.h"
#include "fuzz.h"
#include "load.h"
#include "task.h"
#include "x2gotool.h"

static const char *the_text;		/* that x2golistsessions prints */
static const char *suspended;

int	__wrap_x2gotool_run(const char *name, const char *const *args,
	    const struct account *account, struct buf *out,
	    struct x2gobroker_error *err);

int
__wrap_x2gotool_run(const char *name, const char *const *args,
    const struct account *account, struct buf *out,
    struct x2gobroker_error *err __attribute__((unused)))
{
	must(strcmp(account->name, strcmp(name, X2GOTOOL_OF_ROOT) == 0 ?
	    "root" : "alice") == 0);
	if (strcmp(name, "x2gosuspend-session") == 0)
		suspended = args[0];
	else
		buf_puts(out, the_text);
	return 0;
}

/* /proc has targets of its own. */
void	__wrap_load_put_sessions(struct buf *out);
int	__wrap_load_read(struct load *load, struct x2gobroker_error *err);

void
__wrap_load_put_sessions(struct buf *out)
{
	buf_puts(out, "sessions:2\nstarted:alice:3\n");
}

int
__wrap_load_read(struct load *load,
    struct x2gobroker_error *err __attribute__((unused)))
{
	*load = (struct load){ 101, 2000, 2000, 2, 2400 };
	return 0;
}

static void
run(const char *name, struct job *job, struct buf *out)
{
	const struct task *task = task_find(name);

	must(task != NULL);
	buf_puts(out, "OK\n");
	job->task = task;
	must(task->run(job, out, NULL) == 0);
}

/* Lines that are no session are left out, and do not hide END. */
static void
check_status(struct job *job)
{
	struct buf status = { 0 };
	struct agent_report report;

	run("status", job, &status);
	agent_report_init(&report);
	if (status.len <= AGENT_ANSWER_MAX)
		must(agent_parse_status(status.data, status.len, "alice",
		    &report, NULL) == 0 && report.load_known);
	agent_report_free(&report);
	buf_free(&status);
}

/* The seventh field of a line is empty, and no line is made of another. */
static void
check_all_sessions(struct job *job)
{
	struct buf list = { 0 };
	char *rest, *line;
	int i;

	run("listallsessions", job, &list);
	rest = list.data;
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		for (i = 0; i < 6 && line != NULL; i++)
			strsep(&line, "|");
		must(line == NULL || *line == '|' || *line == '\0');
	}
	must(list.len <= strlen(the_text) + strlen("OK\n") + 1);
	buf_free(&list);
}

static void
check_suspend(const char *id, const struct account *account)
{
	const char *const args[] = { id, NULL };
	const struct task *task = task_find("suspendsession");
	struct job job = { .task = task, .user = "alice", .args = args,
	    .account = account };
	struct buf out = { 0 };

	suspended = NULL;
	if (task->check(&job, NULL) == 0) {
		must(strncmp(id, "alice-", 6) == 0 && session_is_id(id));
		task->run(&job, &out, NULL);
	}
	must(suspended == NULL || (strcmp(suspended, id) == 0 &&
	    strstr(the_text, id) != NULL));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "alice";
	const struct account account = { .name = name };
	struct job job = { .user = "alice", .account = &account };
	char *text = fuzz_string(data, size), *rest = text;
	const char *id = strsep(&rest, "\n");

	the_text = rest != NULL ? rest : "";
	check_status(&job);
	check_all_sessions(&job);
	check_suspend(id, &account);
	free(text);
	return 0;
}
