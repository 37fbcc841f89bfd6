/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task testcon.  The X2Go client crashes if it is granted without a server,
 * so it is refused, which all clients can handle.
 */
#include "tasks/task.h"

static int
testcon_decide(struct x2gobroker_answer *answer __attribute__((unused)),
    void *state __attribute__((unused)), struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "testcon: always refused over SSH, because the X2Go client "
	    "crashes if it is granted");
}

const struct task task_testcon = {
	.name = "testcon",
	.help = "",
	.decide = testcon_decide,
};
