/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the client wants: one task and its options, written by whoever holds
 * the key.  Nothing is escaped by the client, so this recognises a format, it
 * does not interpret shell: a value is what stands between two '"' of which
 * the second is followed by an option or the end, or else a bare word.
 */
#include <stdlib.h>
#include <string.h>

#include "client/request.h"

/* Linux hands at most 128 KiB to a program in one variable. */
#define COMMAND_MAX	(128 * 1024)

/* What nobody's name or path has, and a shell would act on. */
#define SHELL_CHARS	";&|<>$`()'\"\n\r\t"

static const struct option_row {
	const char *name;
	enum client_option option;
} option_rows[] = {
	{ "task", OPT_TASK },
	{ "user", OPT_USER },
	{ "login", OPT_LOGIN },
	{ "sid", OPT_SID },
	{ "profile-id", OPT_SID },
	{ "authid", OPT_AUTHID },
	{ "auth-cookie", OPT_AUTHID },
	{ "next-authid", OPT_AUTHID },
	{ "newpass", OPT_NEWPASS },
	{ "event", OPT_EVENT },
	{ "server", OPT_SERVER },
	{ "client", OPT_CLIENT },
	{ "cmd", OPT_CMD },
	{ "display", OPT_DISPLAY },
	{ "start", OPT_START },
	{ "elapsed", OPT_ELAPSED },
	{ "version", OPT_VERSION },
	{ "os", OPT_OS },
};

static const struct task_row {
	const char *name;
	enum task task;
} task_rows[] = {
	{ "listsessions", TASK_LISTSESSIONS },
	{ "selectsession", TASK_SELECTSESSION },
	{ "testcon", TASK_TESTCON },
	{ "setpass", TASK_SETPASS },
	{ "clientevent", TASK_CLIENTEVENT },
};

#define LENGTH(a)	(sizeof(a) / sizeof((a)[0]))

const char *
x2gobroker_task_name(size_t i)
{
	return i < LENGTH(task_rows) ? task_rows[i].name : NULL;
}

static const struct option_row *
find_option(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < LENGTH(option_rows); i++)
		if (strlen(option_rows[i].name) == len &&
		    memcmp(option_rows[i].name, name, len) == 0)
			return &option_rows[i];
	return NULL;
}

/* Keep a value.  An option that is not known is one of a newer client. */
static int
set_option(struct x2gobroker_request *request, const char *name,
    size_t name_len, const char *value, size_t len,
    struct x2gobroker_error *err)
{
	const struct option_row *row = find_option(name, name_len);

	if (row == NULL)
		return 0;
	if (request->values[row->option] != NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--%s is said twice", row->name);
	request->values[row->option] = strndup(value, len);
	if (request->values[row->option] == NULL)
		return error_nomem(err);
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ';
}

static bool
starts_option(const char *text, const char *end)
{
	return end - text > 2 && text[0] == '-' && text[1] == '-' &&
	    text[2] >= 'a' && text[2] <= 'z';
}

static const char *
skip_blanks(const char *text, const char *end)
{
	while (text < end && is_blank(*text))
		text++;
	return text;
}

/* The quote that closes a value: nothing or an option follows.  NULL: none. */
static const char *
closing_quote(const char *text, const char *end)
{
	const char *quote, *next;

	for (; (quote = memchr(text, '"', (size_t)(end - text))) != NULL;
	    text = quote + 1) {
		next = skip_blanks(quote + 1, end);
		if (next == end ||
		    (next > quote + 1 && starts_option(next, end)))
			return quote;
	}
	return NULL;
}

/* Read the value at *text, and move behind it. */
static int
take_value(const char **text, const char *end, const char **value, size_t *len,
    struct x2gobroker_error *err)
{
	const char *p = skip_blanks(*text, end), *quote;

	*value = p;
	*len = 0;
	if (p < end && *p == '"') {
		if ((quote = closing_quote(p + 1, end)) == NULL)
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "a '\"' is not closed");
		*value = p + 1;
		*len = (size_t)(quote - *value);
		*text = quote + 1;
		return 0;
	}
	/* "--user  --task X": the client had nothing to say here */
	if (p < end && starts_option(p, end)) {
		*text = p;
		return 0;
	}
	while (p < end && !is_blank(*p)) {
		if (strchr(SHELL_CHARS, *p) != NULL)
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "a character that no value has outside of quotes");
		p++;
	}
	*len = (size_t)(p - *value);
	*text = p;
	return 0;
}

/* Read all "--name value" from text on. */
static int
parse_options(struct x2gobroker_request *request, const char *text,
    const char *end, struct x2gobroker_error *err)
{
	const char *name, *value;
	size_t name_len, len;

	for (;;) {
		text = skip_blanks(text, end);
		if (text == end)
			return 0;
		if (!starts_option(text, end))
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "a word that belongs to no option");
		name = text += 2;
		while (text < end && ((*text >= 'a' && *text <= 'z') ||
		    *text == '-'))
			text++;
		name_len = (size_t)(text - name);
		if (text < end && !is_blank(*text) && *text != '=')
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "no option's name");
		if (text < end)
			text++;
		/* a password is all the rest, as it is */
		if (name_len == 7 && memcmp(name, "newpass", 7) == 0) {
			value = text;
			len = (size_t)(end - text);
			text = end;
		} else if (take_value(&text, end, &value, &len, err) == -1)
			return -1;
		if (set_option(request, name, name_len, value, len, err) == -1)
			return -1;
	}
}

/* The path of the broker as the URL has it, which can be empty and have
 * blanks, stands before the first option.  Nothing is done with it. */
static const char *
skip_path(const char *text, const char *end, struct x2gobroker_error *err)
{
	const char *p = text;

	for (; p < end; p++) {
		if (starts_option(p, end) && (p == text || is_blank(p[-1])))
			return p;
		if (strchr(SHELL_CHARS, *p) != NULL)
			break;
	}
	error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "none of the forms that an X2Go client sends");
	return NULL;
}

static int
settle_task(struct x2gobroker_request *request, struct x2gobroker_error *err)
{
	const char *name = request->values[OPT_TASK];
	size_t i;

	if (name == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "no --task");
	for (i = 0; i < LENGTH(task_rows); i++)
		if (strcmp(task_rows[i].name, name) == 0)
			request->task = task_rows[i].task;
	if (request->task == TASK_NONE)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--task %.100s: no such task", name);
	if (request->task == TASK_SELECTSESSION &&
	    request->values[OPT_SID] == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "selectsession without --sid");
	request->kind = X2GOBROKER_REQUEST_TASK;
	return 0;
}

/* What cannot be in a value at all: it would reach logs and answers. */
static int
check_values(const struct x2gobroker_request *request,
    struct x2gobroker_error *err)
{
	static const enum client_option names[] = { OPT_USER, OPT_LOGIN };
	const char *p;
	size_t i;

	for (i = 0; i < NOPTIONS; i++)
		for (p = request->values[i]; p != NULL && *p != '\0'; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return error_set(err, X2GOBROKER_ERR_SYNTAX,
				    NULL, 0, "a control character");
	for (i = 0; i < LENGTH(names); i++) {
		p = request->values[names[i]];
		if (p != NULL && strpbrk(p, SHELL_CHARS) != NULL)
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "a character that no account's name has");
	}
	return 0;
}

static int
parse(struct x2gobroker_request *request, const char *command,
    struct x2gobroker_error *err)
{
	struct envelope envelope;
	const char *options, *end;

	if (strlen(command) > COMMAND_MAX)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "longer than any client's command");
	if (strcmp(command, "echo \"LOGIN OK\"") == 0) {
		request->kind = X2GOBROKER_REQUEST_LOGIN_CHECK;
		return 0;
	}
	envelope_open(command, &envelope);
	memcpy(request->uuid, envelope.uuid, sizeof(request->uuid));
	if (request->uuid[0] != '\0' && envelope.len == 6 &&
	    memcmp(envelope.text, "whoami", 6) == 0) {
		request->kind = X2GOBROKER_REQUEST_WHOAMI;
		return 0;
	}
	end = envelope.text + envelope.len;
	if ((options = skip_path(envelope.text, end, err)) == NULL ||
	    parse_options(request, options, end, err) == -1 ||
	    check_values(request, err) == -1)
		return -1;
	return settle_task(request, err);
}

int
x2gobroker_request_parse(const char *command, struct x2gobroker_request **out,
    struct x2gobroker_error *err)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_nomem(err);
	return parse(*out, command, err);
}

/* One word of a command line: "--name=value", or "--name" and the next word
 * if that is no option.  Returns how many words were taken, or -1. */
static int
take_words(struct x2gobroker_request *request, int argc, char *const *argv,
    struct x2gobroker_error *err)
{
	const char *word = argv[0], *name, *equals, *value = "";
	size_t name_len;
	int taken = 1;

	if (!starts_option(word, word + strlen(word)))
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "%.100s: belongs to no option; try --help", word);
	name = word + 2;
	equals = strchr(name, '=');
	name_len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	if (equals != NULL)
		value = equals + 1;
	else if (argc > 1 && !starts_option(argv[1],
	    argv[1] + strlen(argv[1]))) {
		value = argv[1];
		taken = 2;
	}
	if (set_option(request, name, name_len, value, strlen(value), err) ==
	    -1)
		return -1;
	return taken;
}

int
x2gobroker_request_from_argv(int argc, char *const *argv,
    struct x2gobroker_request **out, struct x2gobroker_error *err)
{
	int i, taken;

	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_nomem(err);
	for (i = 0; i < argc; i += taken) {
		taken = take_words(*out, argc - i, argv + i, err);
		if (taken == -1)
			return -1;
	}
	if (check_values(*out, err) == -1)
		return -1;
	return settle_task(*out, err);
}

void
x2gobroker_request_free(struct x2gobroker_request *request)
{
	size_t i;

	if (request == NULL)
		return;
	for (i = 0; i < NOPTIONS; i++) {
		if (request->values[i] != NULL)
			explicit_bzero(request->values[i],
			    strlen(request->values[i]));
		free(request->values[i]);
	}
	free(request);
}

static const char *
value_of(const struct x2gobroker_request *request, enum client_option option)
{
	return request != NULL && request->values[option] != NULL ?
	    request->values[option] : "";
}

enum x2gobroker_request_kind
x2gobroker_request_kind(const struct x2gobroker_request *request)
{
	return request != NULL ? request->kind : X2GOBROKER_REQUEST_NONE;
}

const char *
x2gobroker_request_task(const struct x2gobroker_request *request)
{
	size_t i;

	if (request == NULL)
		return "";
	for (i = 0; i < LENGTH(task_rows); i++)
		if (task_rows[i].task == request->task)
			return task_rows[i].name;
	return "";
}

const char *
x2gobroker_request_user(const struct x2gobroker_request *request)
{
	return value_of(request, OPT_USER);
}

const char *
x2gobroker_request_login(const struct x2gobroker_request *request)
{
	return value_of(request, OPT_LOGIN);
}

const char *
x2gobroker_request_profile_id(const struct x2gobroker_request *request)
{
	return value_of(request, OPT_SID);
}
