/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include "client/envelope.h"
#include "base/error.h"

/* Options of a client, in the order of the table in request.c. */
enum client_option {
	OPT_TASK, OPT_USER, OPT_LOGIN, OPT_SID, OPT_AUTHID, OPT_NEWPASS,
	OPT_EVENT, OPT_SERVER, OPT_CLIENT, OPT_CMD, OPT_DISPLAY, OPT_START,
	OPT_ELAPSED, OPT_VERSION, OPT_OS, NOPTIONS
};

enum task {
	TASK_NONE, TASK_LISTSESSIONS, TASK_SELECTSESSION, TASK_TESTCON,
	TASK_SETPASS, TASK_CLIENTEVENT
};

struct x2gobroker_request {
	enum x2gobroker_request_kind kind;
	char uuid[UUID_LEN + 1];	/* "": no markers around the answer */
	enum task task;
	char *values[NOPTIONS];		/* NULL: not sent; wiped when freed */
};

#endif
