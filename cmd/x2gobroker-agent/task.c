/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tasks that a broker can ask for.  A row has all that main() needs to know
 * about a task; x2gobroker-agent(8) has an entry for each.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sessioncount.h"
#include "base/cleanup.h"
#include "keyfile.h"
#include "keyline.h"
#include "keypath.h"
#include "load.h"
#include "keyregistry.h"
#include "serverusage.h"
#include "agent/answer.h"
#include "task.h"
#include "x2gotool.h"

#define LISTSESSIONS	"x2golistsessions"
#define GETSERVERS	"x2gogetservers"
#define SUSPEND		"x2gosuspend-session"
#define TERMINATE	"x2goterminate-session"

#define ID_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789._-@"

static const char *const no_args[] = { NULL };
static const char *const all_servers[] = { "--all-servers", NULL };

static int
run_ping(const struct job *job __attribute__((unused)),
    struct buf *out __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	return 0;
}

static int
run_availabletasks(const struct job *job __attribute__((unused)),
    struct buf *out, struct x2gobroker_error *err __attribute__((unused)))
{
	const struct task *task;
	size_t i;

	for (i = 0; (task = task_get(i)) != NULL; i++)
		if (task->tool == NULL || x2gotool_exists(task->tool))
			buf_printf(out, "%s\n", task->name);
	return 0;
}

static int
run_checkload(const struct job *job __attribute__((unused)), struct buf *out,
    struct x2gobroker_error *err)
{
	struct load load;

	if (load_read(&load, err) == -1)
		return -1;
	load_put(&load, out);
	return 0;
}

static int
run_listsessions(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	return x2gotool_run(LISTSESSIONS, all_servers, job->account, out, err);
}

/* Append each line of text, with a prefix. */
static void
put_lines(struct buf *out, const char *prefix, const struct buf *text)
{
	const char *line = text->data, *end;

	for (; line != NULL && *line != '\0'; line = end + 1) {
		end = strchrnul(line, '\n');
		buf_printf(out, "%s%.*s\n", prefix, (int)(end - line), line);
		if (*end == '\0')
			break;
	}
}

/* END shows that the list is complete. */
static int
run_status(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf sessions = { 0 };
	struct load load;

	if ((job->account != NULL && x2gotool_run(LISTSESSIONS, all_servers,
	    job->account, &sessions, err) == -1) ||
	    load_read(&load, err) == -1)
		return -1;
	load_put(&load, out);
	sessioncount_put(out);
	buf_printf(out, "agent:x2gobroker-agent %s\ntime:%lld\n",
	    X2GOBROKER_VERSION, (long long)time(NULL));
	put_lines(out, "session:", &sessions);
	buf_puts(out, "END\n");
	return 0;
}

static int
run_getservers(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	return x2gotool_run(GETSERVERS, no_args, job->account, out, err);
}

static int
run_findbusyservers(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf servers = { 0 };

	if (x2gotool_run(GETSERVERS, no_args, job->account, &servers,
	    err) == -1)
		return -1;
	return serverusage_put(servers.data, out) == 0 ? 0 :
	    error_nomem(err);
}

/* X2Go begins a session id with the user's name, without the characters that
 * are not allowed in ids. */
static bool
is_of_user(const char *id, const char *user)
{
	for (; *user != '\0'; user++)
		if (strchr(ID_CHARS, *user) != NULL && *id++ != *user)
			return false;
	return *id == '-';
}

static int
check_session(const char *user, const char *const *args,
    struct x2gobroker_error *err)
{
	const char *id = args[0];

	if (!session_is_id(id))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "not a session id: %.100s", id);
	if (!is_of_user(id, user))
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "not a session of %.64s: %.100s", user, id);
	return 0;
}

/* Whether one of the lines has id as its second field. */
static bool
has_session(const struct buf *sessions, const char *id)
{
	const char *line = sessions->data, *field;
	size_t len = strlen(id);

	for (; line != NULL && *line != '\0'; line++) {
		field = line + strcspn(line, "|\n");
		if (*field == '|' && strncmp(field + 1, id, len) == 0 &&
		    field[1 + len] == '|')
			return true;
		if ((line = strchr(line, '\n')) == NULL)
			break;
	}
	return false;
}

/* The tools succeed even if the session does not exist, but after a suspension,
 * the broker offers the session to the client.  So check. */
static int
change_session(const char *tool, const struct job *job,
    struct x2gobroker_error *err)
{
	const char *const args[] = { job->args[0], NULL };
	cleanup_buf struct buf sessions = { 0 }, ignored = { 0 };

	if (x2gotool_run(LISTSESSIONS, all_servers, job->account, &sessions,
	    err) == -1)
		return -1;
	if (!has_session(&sessions, job->args[0]))
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "%.64s has no such session: %.100s", job->account->name,
		    job->args[0]);
	return x2gotool_run(tool, args, job->account, &ignored, err);
}

static int
run_suspendsession(const struct job *job,
    struct buf *out __attribute__((unused)), struct x2gobroker_error *err)
{
	return change_session(SUSPEND, job, err);
}

static int
run_terminatesession(const struct job *job,
    struct buf *out __attribute__((unused)), struct x2gobroker_error *err)
{
	return change_session(TERMINATE, job, err);
}

/* This needs neither the account nor the file. */
static int
check_key(const char *user __attribute__((unused)), const char *const *args,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf line = { 0 };

	return keyline_make(args[0], &line, err);
}

static int
change_key(const struct job *job, enum key_change change,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf line = { 0 };

	if (keyline_make(job->args[0], &line, err) == -1)
		return -1;
	return keyfile_change(job->args[1], job->account, change, line.data,
	    err);
}

/* Record the file of a temporary line, for the sweep.  A failure does not stop
 * the login: sshd refuses an expired line, and the user's next key removes it.
 * The descriptor stays open until this process ends. */
static int
note_key(const struct account *account, const char *const *args,
    struct x2gobroker_error *err)
{
	struct keyline line;
	struct keypath path;

	/* do not record what will be refused */
	if (keypath_make(args[1], account, &path, err) == -1)
		return 0;
	if (!keyline_split(args[0], strlen(args[0]), &line) ||
	    !keyline_is_temporary(&line) ||
	    keyregistry_note(account->name, args[1], err) != -1)
		return 0;
	return err->code == X2GOBROKER_ERR_NOTFOUND ? 0 : -1;
}

static int
run_addauthkey(const struct job *job,
    struct buf *out __attribute__((unused)), struct x2gobroker_error *err)
{
	return change_key(job, KEY_ADD, err);
}

static int
run_delauthkey(const struct job *job,
    struct buf *out __attribute__((unused)), struct x2gobroker_error *err)
{
	return change_key(job, KEY_REMOVE, err);
}

static const struct task tasks[] = {
	{ "ping", "", .run = run_ping },
	{ AGENT_AVAILABLETASKS, "", .run = run_availabletasks },
	{ AGENT_CHECKLOAD, "", .run = run_checkload },
	{ AGENT_LISTSESSIONS, "", .tool = LISTSESSIONS, .user = USER_NEEDED,
	    .run = run_listsessions },
	{ AGENT_STATUS, "", .tool = LISTSESSIONS, .user = USER_OR_NOBODY,
	    .run = run_status },
	{ AGENT_GETSERVERS, "", .tool = GETSERVERS, .user = USER_NEEDED,
	    .run = run_getservers },
	{ "findbusyservers", "", .tool = GETSERVERS, .user = USER_NEEDED,
	    .run = run_findbusyservers },
	{ "findbusyservers_by_sessionstats", "", .tool = GETSERVERS,
	    .user = USER_NEEDED, .run = run_findbusyservers },
	{ AGENT_SUSPENDSESSION, " SESSION-ID", 1, SUSPEND, USER_NEEDED,
	    .check = check_session, .run = run_suspendsession },
	{ AGENT_TERMINATESESSION, " SESSION-ID", 1, TERMINATE, USER_NEEDED,
	    .check = check_session, .run = run_terminatesession },
	{ AGENT_ADDAUTHKEY, " KEY-LINE FILE", 2, NULL, USER_NEEDED, true,
	    .check = check_key, .prepare = note_key, .run = run_addauthkey },
	{ AGENT_DELAUTHKEY, " KEY-LINE FILE", 2, NULL, USER_NEEDED, true,
	    .check = check_key, .run = run_delauthkey },
};

#define NTASKS		(sizeof(tasks) / sizeof(tasks[0]))

const struct task *
task_get(size_t i)
{
	return i < NTASKS ? &tasks[i] : NULL;
}

const struct task *
task_find(const char *name)
{
	size_t i;

	for (i = 0; i < NTASKS; i++)
		if (strcmp(tasks[i].name, name) == 0)
			return &tasks[i];
	return NULL;
}
