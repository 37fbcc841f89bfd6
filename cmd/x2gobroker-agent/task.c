/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tasks that a broker can ask for.  A row has all that main() needs to know
 * about a task; x2gobroker-agent(8) has an entry for each.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "keyfile.h"
#include "keystore.h"
#include "load.h"
#include "agent/answer.h"
#include "task.h"
#include "x2gotool.h"

#define LISTSESSIONS	"x2golistsessions"
#define FIELD_COOKIE	6	/* of its lines, from 0 */
#define GETSERVERS	"x2gogetservers"

/* For a question of sshd that is about no user in particular. */
#define NOBODY		"nobody"

#define ID_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789._-@"

static int
run_ping(const struct job *job __attribute__((unused)),
    struct buf *out __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	return 0;
}

/* The broker's key alone shows the sessions of users whose names are known. */
static int
check_all_sessions(struct job *job, struct x2gobroker_error *err)
{
	if (!job->forced || job->all_sessions)
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "the forced "
	    "command does not allow to list the sessions of all users; to "
	    "allow it, add --all-sessions to the command in authorized_keys");
}

static int
run_availabletasks(const struct job *job, struct buf *out,
    struct x2gobroker_error *err __attribute__((unused)))
{
	const struct task *task;

	for (task = tasks; task->name != NULL; task++)
		if ((task->tool == NULL || x2gotool_exists(task->tool)) &&
		    (task->check != check_all_sessions || !job->forced ||
		    job->all_sessions))
			buf_printf(out, "%s\n", task->name);
	return 0;
}

static int
put_load(struct buf *out, struct x2gobroker_error *err)
{
	struct load load;

	if (load_read(&load, err) == -1)
		return -1;
	load_put(&load, out);
	return 0;
}

static int
run_checkload(const struct job *job __attribute__((unused)), struct buf *out,
    struct x2gobroker_error *err)
{
	if (put_load(out, err) == -1)
		return -1;
	buf_puts(out, AGENT_HAS_STATUS "\n");
	return 0;
}

static int
run_tool(const struct job *job, struct buf *out, struct x2gobroker_error *err)
{
	static const char *const none[] = { NULL };

	return x2gotool_run(job->task->tool, none, job->account, out, err);
}

static int
list_sessions(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	static const char *const args[] = { "--all-servers", NULL };

	return x2gotool_run(LISTSESSIONS, args, job->account, out, err);
}

/* Append each line without the cookie, with which anybody could connect to the
 * session. */
static void
put_without_cookies(struct buf *out, char *text)
{
	char *line, *field;
	int i;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		for (i = 0; (field = strsep(&line, "|")) != NULL; i++)
			buf_printf(out, "%s%s", i > 0 ? "|" : "",
			    i == FIELD_COOKIE ? "" : field);
		buf_putc(out, '\n');
	}
}

/* A broker on this host asks for all servers that share a database; through
 * sshd, each server speaks for itself. */
static int
list_all_sessions(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	static char name[] = "root", home[] = "/root", shell[] = "/bin/sh";
	static const struct account root = { .name = name, .home = home,
	    .shell = shell };
	const char *const args[] = { job->forced ? NULL : "--all-servers",
	    NULL };
	cleanup_buf struct buf sessions = { 0 };

	if (x2gotool_run(job->task->tool, args, &root, &sessions, err) == -1)
		return -1;
	put_without_cookies(out, sessions.data);
	return 0;
}

/* Append each line, with a prefix. */
static void
put_lines(struct buf *out, const char *prefix, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (text != NULL || *line != '\0')
			buf_printf(out, "%s%s\n", prefix, line);
}

/* END shows that the list is complete. */
static int
run_status(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf sessions = { 0 };
	char host[HOST_NAME_MAX + 1] = "";

	if ((job->account != NULL && list_sessions(job, &sessions,
	    err) == -1) || put_load(out, err) == -1)
		return -1;
	load_put_sessions(out);
	/* X2Go writes this name into its sessions */
	gethostname(host, sizeof(host) - 1);
	buf_printf(out, "agent:x2gobroker-agent %s\nhost:%s\ntime:%lld\n",
	    X2GOBROKER_VERSION, host, (long long)time(NULL));
	put_lines(out, "session:", sessions.data);
	buf_puts(out, "END\n");
	return 0;
}

static int
run_findbusyservers(const struct job *job, struct buf *out,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf servers = { 0 };

	if (run_tool(job, &servers, err) == -1)
		return -1;
	return load_put_servers(servers.data, out) == 0 ? 0 :
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
check_session(struct job *job, struct x2gobroker_error *err)
{
	const char *id = job->args[0];

	if (!session_is_id(id))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "not a session id: %.100s", id);
	if (!is_of_user(id, job->user))
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "not a session of %.64s: %.100s", job->user, id);
	return 0;
}

/* Whether one of the lines has id as its second field. */
static bool
has_session(char *text, const char *id)
{
	const char *field;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		strsep(&line, "|");
		field = strsep(&line, "|");
		if (line != NULL && strcmp(field, id) == 0)
			return true;
	}
	return false;
}

/* The tools succeed even if the session does not exist, but after a suspension,
 * the broker offers the session to the client.  So check. */
static int
change_session(const struct job *job,
    struct buf *out __attribute__((unused)), struct x2gobroker_error *err)
{
	const char *const args[] = { job->args[0], NULL };
	cleanup_buf struct buf sessions = { 0 }, ignored = { 0 };

	if (list_sessions(job, &sessions, err) == -1)
		return -1;
	if (!has_session(sessions.data, job->args[0]))
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "%.64s has no such session: %.100s", job->account->name,
		    job->args[0]);
	return x2gotool_run(job->task->tool, args, job->account, &ignored,
	    err);
}

/* This needs neither the account nor the file. */
static int
check_key(struct job *job, struct x2gobroker_error *err)
{
	return temporarykey_make(job->args[0], job->task->end, time(NULL),
	    &job->key_line, err);
}

static int
change_key(const struct job *job, struct buf *out __attribute__((unused)),
    struct x2gobroker_error *err)
{
	return keyfile_change(job->args[1], job->account, job->task->change,
	    job->key_line.data, err);
}

static int
run_checkstore(const struct job *job, struct buf *out __attribute__((unused)),
    struct x2gobroker_error *err)
{
	return keystore_check_sshd(job->account != NULL ? job->account->name :
	    NOBODY, err);
}

static int
store_key(const struct job *job, struct buf *out __attribute__((unused)),
    struct x2gobroker_error *err)
{
	const char *user = job->account->name;

	if (keystore_check_sshd(user, err) == -1)
		return -1;
	return keystore_add(user, job->key_line.data, err);
}

const struct task tasks[] = {
	{ "ping", "", .run = run_ping },
	{ AGENT_AVAILABLETASKS, "", .run = run_availabletasks },
	{ AGENT_CHECKLOAD, "", .run = run_checkload },
	{ AGENT_LISTSESSIONS, "", 0, LISTSESSIONS, USER_NEEDED,
	    .run = list_sessions },
	{ AGENT_LISTALLSESSIONS, "", 0, X2GOTOOL_OF_ROOT, .as_root = true,
	    .check = check_all_sessions, .run = list_all_sessions },
	{ AGENT_STATUS, "", 0, LISTSESSIONS, USER_OR_NOBODY,
	    .run = run_status },
	{ AGENT_GETSERVERS, "", 0, GETSERVERS, USER_NEEDED,
	    .run = run_tool },
	{ "findbusyservers", "", 0, GETSERVERS, USER_NEEDED,
	    .run = run_findbusyservers },
	{ "findbusyservers_by_sessionstats", "", 0, GETSERVERS, USER_NEEDED,
	    .run = run_findbusyservers },
	{ AGENT_SUSPENDSESSION, " SESSION-ID", 1, "x2gosuspend-session",
	    USER_NEEDED, .check = check_session, .run = change_session },
	{ AGENT_TERMINATESESSION, " SESSION-ID", 1, "x2goterminate-session",
	    USER_NEEDED, .check = check_session, .run = change_session },
	{ AGENT_ADDAUTHKEY, " KEY-LINE FILE", 2, NULL, USER_NEEDED, KEY_ADD,
	    END_AS_SENT, .check = check_key, .run = change_key },
	{ AGENT_ADDAUTHKEY_LOCAL, " KEY-LINE FILE", 2, NULL, USER_NEEDED,
	    KEY_ADD, END_LOCAL, .check = check_key, .run = change_key },
	{ AGENT_DELAUTHKEY, " KEY-LINE FILE", 2, NULL, USER_NEEDED,
	    KEY_REMOVE, END_ANY, .check = check_key, .run = change_key },
	{ AGENT_STOREKEY, " KEY-LINE", 1, NULL, USER_NEEDED, KEY_STORE,
	    END_AS_SENT, true, .check = check_key, .run = store_key },
	{ AGENT_STOREKEY_LOCAL, " KEY-LINE", 1, NULL, USER_NEEDED, KEY_STORE,
	    END_LOCAL, true, .check = check_key, .run = store_key },
	{ AGENT_CHECKSTORE, "", 0, NULL, USER_OR_NOBODY, .as_root = true,
	    .run = run_checkstore },
	{ NULL },
};

const struct task *
task_find(const char *name)
{
	const struct task *task;

	for (task = tasks; task->name != NULL; task++)
		if (strcmp(task->name, name) == 0)
			return task;
	return NULL;
}
