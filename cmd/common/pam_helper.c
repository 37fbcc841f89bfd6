/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/spawn.h"
#include "common/pam_helper.h"

#define DEADLINE_MS	22000	/* the helper kills itself after 20 s */
#define MESSAGE_MAX	1023	/* bytes of stderr */

/* Tell the administrator what to do about a helper that does not start. */
static int
explain_start(const char *helper, struct x2gobroker_error *err)
{
	if (errno == ENOENT)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, helper, 0,
		    "not found, so accounts cannot be checked; install it, or "
		    "see account-check in x2gobroker.conf(5)");
	if (errno == EACCES)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, helper, 0,
		    "the account that runs the broker may not start it; chgrp "
		    "it to that account's group, then chmod 4750");
	return error_errno(err, helper, "cannot start it");
}

/* Anything but exit status 0 is a refusal. */
static int
check_end(const struct spawn *child, struct x2gobroker_error *err)
{
	const char *helper = child->options.argv[0];
	const char *what = child->options.argv[1];
	const char *why = child->message.len > 0 ? child->message.data : "";
	int len = (int)strcspn(why, "\n"), status = spawn_exit_status(child);
	char text[SPAWN_TEXT_SIZE];

	if (status == HELPER_OK)
		return 0;
	if (status == HELPER_REFUSED)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "account %s: %.*s", what, len, why);
	if (status != -1)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, helper, 0,
		    "%s: %.*s", what, len, why);
	return error_set(err, X2GOBROKER_ERR_SYSTEM, helper, 0, "%s: %s%s",
	    what, spawn_describe(child, text), child->end == SPAWN_EXITED &&
	    WTERMSIG(child->status) == SIGKILL ? "; it kills itself after 20 "
	    "seconds: does a PAM module wait for a server?" : "");
}

static int
run_helper(const char *helper, const char *what, const char *name,
    const char *address, const char *password, struct x2gobroker_error *err)
{
	const char *const argv[] = { helper, what, name, address, NULL };
	const struct spawn_options options = {
		.argv = argv, .input = password,
		.input_len = password != NULL ? strlen(password) : 0,
		.cut_output = true, .message_max = MESSAGE_MAX,
		.deadline = clock_ms() + DEADLINE_MS,
	};
	cleanup_spawn struct spawn child = { 0 };

	/* If SIGCHLD is ignored, as it may be inherited, the exit status of a
	 * child is lost. */
	signal(SIGCHLD, SIG_DFL);
	if (spawn_run(&child, &options) == -1)
		return explain_start(helper, err);
	return check_end(&child, err);
}

int
pam_helper_check(const char *helper, const char *name, const char *address,
    struct x2gobroker_error *err)
{
	return run_helper(helper, "check", name, address, NULL, err);
}

int
pam_helper_login(const char *helper, const char *name, const char *address,
    const char *password, bool password_only, struct x2gobroker_error *err)
{
	if (*password == '\0' || strlen(password) > PASSWORD_MAX)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the password is empty or longer than %d bytes",
		    PASSWORD_MAX);
	return run_helper(helper, password_only ? "checkpass" : "login", name,
	    address, password, err);
}

int
pam_helper_set_password(const char *helper, const char *name,
    const char *address, const char *password, struct x2gobroker_error *err)
{
	const char *p;

	if (strlen(password) > PASSWORD_MAX)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "the "
		    "new password is longer than %d bytes", PASSWORD_MAX);
	/* The client sends Latin-1, with "?" for all other characters, so the
	 * user could not type this password again. */
	for (p = password; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7e || (unsigned char)*p < 0x20)
			return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
			    "the new password has a character that is not "
			    "printable ASCII");
	return run_helper(helper, "setpass", name, address, password, err);
}
