/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-agent: carries out the session broker's tasks on an X2Go server.
 * sshd starts it for the broker's service key, whose holder may ask for the
 * tasks of task.c and nothing else.  An answer is printed completely or not at
 * all.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/safefile.h"
#include "command.h"
#include "keypath.h"
#include "process.h"
#include "task.h"

#define KEY_FILE	"--key-file="
#define ALL_SESSIONS	"--all-sessions"
#define KEY_FILE_USUAL	"%h/.x2go/authorized_keys"

/* Log the request and its result, in one line. */
static void
log_job(const struct job *job, const char *outcome, int64_t since)
{
	process_log(LOG_NOTICE, "uid %u from %.45s: %.64s %.32s: %.300s "
	    "(%lld ms)", (unsigned int)process.uid,
	    process.address != NULL ? process.address : "-",
	    job->user != NULL ? job->user : "-",
	    job->task != NULL ? job->task->name : "-", outcome,
	    (long long)(clock_ms() - since));
}

static void
put_usage(FILE *fp)
{
	const struct task *task;

	fprintf(fp, "usage: x2gobroker-agent USER TASK [ARGUMENT ...]\n"
	    "       x2gobroker-agent [" KEY_FILE "FILE ...] [" ALL_SESSIONS
	    "]\n"
	    "       x2gobroker-agent --help | --version\n"
	    "The tasks are:\n");
	for (task = tasks; task->name != NULL; task++)
		fprintf(fp, "  %s%s\n", task->name, task->args);
}

/* The operator's options, which no client can give. */
static bool
answer_option(int argc, char **argv)
{
	if (argc != 2)
		return false;
	if (strcmp(argv[1], "--help") == 0)
		put_usage(stdout);
	else if (strcmp(argv[1], "--version") == 0)
		printf("x2gobroker-agent %s\n", X2GOBROKER_VERSION);
	else
		return false;
	return true;
}

/* "USER TASK [ARGUMENT ...]" in n words. */
static int
parse_job(struct job *job, char **words, size_t n,
    struct x2gobroker_error *err)
{
	if (n < 2)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "missing USER or TASK; see x2gobroker-agent(8)");
	job->user = words[0];
	if ((job->task = task_find(words[1])) == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "no such task: %.64s", words[1]);
	if (n - 2 != job->task->nargs)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "%s takes %zu arguments, not %zu", job->task->name,
		    job->task->nargs, n - 2);
	job->args = (const char *const *)words + 2;
	return job->task->check == NULL ? 0 : job->task->check(job, err);
}

/* The forced command restricts the service key.  With a line in the agent
 * account's own file, the holder of that key could escape it. */
static int
check_own_keys(const struct job *job, const struct account *account,
    struct x2gobroker_error *err)
{
	if (job->task->change == KEY_NONE || !job->forced ||
	    account->uid != process.uid)
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "%.64s: a "
	    "forced command cannot change the keys of its own account",
	    account->name);
}

/* The operator's argument of the forced command names the files that the holder
 * of the service key may change. */
static int
check_key_file(const struct job *job, const struct account *account,
    struct x2gobroker_error *err)
{
	static const char *const usual[] = { KEY_FILE KEY_FILE_USUAL };
	const char *const *allowed = job->nkey_files > 0 ? job->key_files :
	    usual;
	size_t i, n = job->nkey_files > 0 ? job->nkey_files : 1;
	struct keypath asked, path;

	if (job->task->change == KEY_NONE || job->task->change == KEY_STORE ||
	    !job->forced)
		return 0;
	if (keypath_make(job->args[1], account, &asked, err) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (keypath_make(allowed[i] + strlen(KEY_FILE), account,
		    &path, err) == 0 && strcmp(path.text, asked.text) == 0)
			return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, asked.text, 0, "the "
	    "forced command does not allow this key file; to allow it, add "
	    KEY_FILE "%.200s to it", job->args[1]);
}

static bool
is_for_user(const struct job *job)
{
	/* parse_job() has found a task
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return job->task->user == USER_NEEDED ||
	    (job->task->user == USER_OR_NOBODY &&
	    strcmp(job->user, "-") != 0);
}

/* Become the one who carries out a task for the user. */
static int
act_for_user(const struct job *job, struct account *account,
    struct x2gobroker_error *err)
{
	if (account_find(job->user, account, err) == -1 ||
	    check_own_keys(job, account, err) == -1 ||
	    check_key_file(job, account, err) == -1)
		return -1;
	return job->task->as_root ? process_become_root(err) :
	    process_become(account, err);
}

/* Drop all privileges that the task does not need, before it begins. */
static int
switch_identity(const struct job *job, struct account *account,
    struct x2gobroker_error *err)
{
	int result = 0;

	if (is_for_user(job))
		result = act_for_user(job, account, err);
	else if (job->task->as_root)
		result = process_become_root(err);
	else
		process_be_caller();
	if (result == -1)
		return -1;
	/* X2Go's tools use a setgid program for their database; as root, they
	 * become the users */
	return job->task->tool != NULL && (is_for_user(job) ||
	    job->task->as_root) ? 0 : process_no_new_privs(err);
}

static int
run_job(struct job *job, struct buf *answer, struct x2gobroker_error *err)
{
	static struct account account;

	if (is_for_user(job))
		job->account = &account;
	buf_puts(answer, "OK\n");
	if (switch_identity(job, &account, err) == -1 ||
	    job->task->run(job, answer, err) == -1)
		return -1;
	return answer->failed ? error_nomem(err) : 0;
}

/* Read the options of the operator.  Returns the number of words after them,
 * which begin at *words. */
static size_t
read_options(struct job *job, int argc, char **argv, char ***words)
{
	int i;

	job->key_files = (const char *const *)argv + 1;
	for (i = 1; i < argc; i++)
		if (strncmp(argv[i], KEY_FILE, strlen(KEY_FILE)) == 0)
			argv[++job->nkey_files] = argv[i];
		else if (strcmp(argv[i], ALL_SESSIONS) == 0)
			job->all_sessions = true;
		else
			break;
	*words = argv + i;
	return i < argc ? (size_t)(argc - i) : 0;
}

/* The request is on the command line, which is the operator's, or in the
 * command that sshd has received from the client. */
static int
answer_job(struct job *job, int argc, char **argv, struct words *words,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	char **given;
	size_t n = read_options(job, argc, argv, &given);
	int result;

	job->forced = process.command != NULL;
	if (n > 0 || !job->forced)
		result = parse_job(job, given, n, err);
	else if ((result = command_parse(process.command, words, err)) == 0)
		result = parse_job(job, words->list, words->n, err);
	if (result == -1 || run_job(job, &text, err) == -1)
		return -1;
	return safefile_write(STDOUT_FILENO, text.data, text.len) ? 0 :
	    error_errno(err, NULL, "cannot write the answer");
}

static void
print_error(struct x2gobroker_error *err)
{
	process_make_harmless(err->file);
	process_make_harmless(err->text);
	fprintf(stderr, "x2gobroker-agent: %s%s%s\n", err->file,
	    err->file[0] != '\0' ? ": " : "", err->text);
}

int
main(int argc, char **argv)
{
	struct x2gobroker_error err = { 0 };
	struct words words = { 0 };
	struct job job = { 0 };
	int64_t start = clock_ms();
	int result;

	process_init();
	if (answer_option(argc, argv))
		return 0;
	if ((result = answer_job(&job, argc, argv, &words, &err)) == -1)
		print_error(&err);
	log_job(&job, result == 0 ? "done" : err.text, start);
	return result == 0 ? 0 : 1;
}
