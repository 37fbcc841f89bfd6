/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include "base/error.h"

#define UUID_LEN	36	/* 8-4-4-4-12 lower-case hex digits */

/* X2Go clients wrap a command in a line of shell.  The line is compared with
 * the forms that known clients send; no shell ever sees it. */
struct envelope {
	char uuid[UUID_LEN + 1];	/* "": no markers */
	const char *text;		/* the content, borrowed */
	size_t len;
};

/* Find the content of command.  A command in another form is its own content,
 * without a uuid. */
void	envelope_open(const char *command, struct envelope *out);

/* Options of a client, in the order of the table in request.c. */
enum client_option {
	OPT_TASK, OPT_USER, OPT_LOGIN, OPT_SID, OPT_AUTHID, OPT_NEWPASS,
	OPT_EVENT, OPT_SERVER, OPT_CLIENT, OPT_CMD, OPT_DISPLAY, OPT_START,
	OPT_ELAPSED, OPT_VERSION, OPT_OS,
	/* of forms alone: form.c */
	OPT_PASSWORD, OPT_PUBKEY, OPT_SID_RAW, OPT_SID_LATIN1,
	NOPTIONS
};

struct x2gobroker_request {
	enum x2gobroker_request_kind kind;
	char uuid[UUID_LEN + 1];	/* "": no markers around the answer */
	bool wants_json;		/* else the X2Go client's format */
	const struct task *task;	/* of tasks/task.c; NULL: none */
	char *values[NOPTIONS];		/* NULL: not sent; wiped when freed */
};

/* Read a command or a command line, as x2gobroker.h says, but for the name of
 * the task: request->kind stays X2GOBROKER_REQUEST_NONE for a task. */
int	request_parse(const char *command, struct x2gobroker_request **out,
	    struct x2gobroker_error *err);
int	request_from_argv(int argc, char *const *argv,
	    struct x2gobroker_request **out, struct x2gobroker_error *err);

/* The body of an HTTP POST, as x2gobroker.h says; in the same way. */
int	request_from_form(const char *body, size_t len,
	    struct x2gobroker_request **out, struct x2gobroker_error *err);

/* For form.c: store the value of an option that was sent under that name; an
 * unknown name is ignored.  Then check all values. */
int	request_set(struct x2gobroker_request *request, const char *name,
	    size_t name_len, const char *value, size_t len,
	    struct x2gobroker_error *err);
int	request_check_values(const struct x2gobroker_request *request,
	    struct x2gobroker_error *err);

/* The name of an option, without "--". */
const char *request_option_name(enum client_option option);

#endif
