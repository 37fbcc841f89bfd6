/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sweep that is started each minute removes expired lines.  A process that
 * waits for the expiry would have to be started for each login, and would not
 * survive a reboot.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/priv.h"
#include "keyfile.h"
#include "keyregistry.h"
#include "keysweep.h"

#define SECONDS_MAX	20	/* for a user, whose home may hang */

struct sweep {
	const struct process *process;
	unsigned int failed;
};

/*
 * The child, which becomes the user
 */

static int
sweep_file(const struct process *process, const char *user, const char *file,
    bool *left, struct x2gobroker_error *err)
{
	struct account account = { 0 };
	int result;

	if ((result = account_find(user, &account, err)) == 0 &&
	    (result = process_become(process, &account, err)) == 0)
		result = priv_no_new_privs() ? keyfile_expire(file, &account,
		    left, err) : error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "this kernel has no PR_SET_NO_NEW_PRIVS");
	account_free(&account);
	return result;
}

static enum swept
run_child(const struct process *process, const char *user, const char *file)
{
	struct x2gobroker_error err = { 0 };
	bool left = false;

	process_limit_time();
	if (sweep_file(process, user, file, &left, &err) == 0)
		return left ? SWEPT_SOME_LEFT : SWEPT_CLEAN;
	process_warn(user, &err);
	return SWEPT_FAILED;
}

/*
 * The parent
 */

/* The user could stop the child with a signal, or a file server could hang.
 * The child then keeps the lock that it has inherited, so that the next sweep
 * skips this user. */
static enum swept
wait_for(pid_t pid)
{
	const struct timespec limit = { .tv_sec = SECONDS_MAX };
	sigset_t child;
	pid_t ended;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0)
		if (sigtimedwait(&child, NULL, &limit) == -1 && errno == EAGAIN)
			return SWEPT_FAILED;
	return ended == pid && WIFEXITED(status) ?
	    (enum swept)WEXITSTATUS(status) : SWEPT_FAILED;
}

static enum swept
sweep_one(void *arg, const char *user, const char *file)
{
	struct sweep *sweep = arg;
	enum swept swept = SWEPT_FAILED;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit((int)run_child(sweep->process, user, file));
	if (pid != -1)
		swept = wait_for(pid);
	if (swept == SWEPT_FAILED)
		sweep->failed++;
	return swept;
}

bool
keysweep_all(const struct process *process)
{
	struct sweep sweep = { .process = process };
	struct x2gobroker_error err;
	sigset_t child;

	alarm(0);	/* each child has a limit of its own */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (keyregistry_sweep(sweep_one, &sweep, &err) == 0)
		return sweep.failed == 0;
	/* no key was added yet, or this host has no registry */
	if (err.code == X2GOBROKER_ERR_NOTFOUND)
		return true;
	process_warn("sweep", &err);
	return false;
}
