/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task setpass: the user wants a new password.
 */
#include "client/markers.h"
#include "tasks/task.h"

static int
setpass_decide(struct x2gobroker_answer *answer,
    void *state __attribute__((unused)), struct x2gobroker_error *err)
{
	const char *password = answer->request->values[OPT_NEWPASS];

	if (answer->set_password == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "setpass: this broker does not change passwords; see "
		    "allow-password-change in x2gobroker.conf(5)");
	if (password == NULL || *password == '\0')
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "setpass without --newpass");
	return answer->set_password(answer->set_password_arg, answer->user,
	    password, err);
}

static int
setpass_write(struct x2gobroker_answer *answer,
    void *state __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	buf_puts(&answer->body, MARKER_GRANTED "PASSWORD CHANGED: OK\n");
	return 0;
}

const struct task task_setpass = {
	.name = "setpass",
	.help = "",
	.decide = setpass_decide,
	.write = setpass_write,
	.checks_account = true,
	.cannot_be_undone = true,
};
