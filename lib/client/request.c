/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses a client's command: one task and its options.  Anybody who holds a key
 * can send one, so nothing in it is trusted.  Clients do not escape anything,
 * so this is a format of its own, not shell: a value is a word, or text between
 * two '"' of which the second is followed by an option or the end.
 */
#include <stdlib.h>
#include <string.h>

#include "client/markers.h"
#include "client/request.h"

/* Linux limits an environment variable to 128 KiB. */
#define COMMAND_MAX	(128 * 1024)

/* Special to a shell, and in no user name or path. */
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

#define LENGTH(a)	(sizeof(a) / sizeof((a)[0]))

/* The first name of an option is the usual one. */
const char *
request_option_name(enum client_option option)
{
	size_t i = 0;

	while (option_rows[i].option != option)
		i++;
	return option_rows[i].name;
}

static int
syntax_error(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0, "%s", why);
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

/* Store a value.  Unknown options are those of newer clients, and ignored. */
int
request_set(struct x2gobroker_request *request, const char *name,
    size_t name_len, const char *value, size_t len,
    struct x2gobroker_error *err)
{
	const struct option_row *row = find_option(name, name_len);

	if (row == NULL)
		return 0;
	if (request->values[row->option] != NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--%s given more than once", row->name);
	request->values[row->option] = strndup(value, len);
	if (request->values[row->option] == NULL)
		return error_nomem(err);
	return 0;
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
	while (text < end && *text == ' ')
		text++;
	return text;
}

/* Find the quote that closes a value: the end or an option follows it. */
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

/* Read the value at *text, and move *text past it. */
static int
take_value(const char **text, const char *end, const char **value, size_t *len,
    struct x2gobroker_error *err)
{
	const char *p = skip_blanks(*text, end), *quote;

	*value = p;
	*len = 0;
	if (p < end && *p == '"') {
		if ((quote = closing_quote(p + 1, end)) == NULL)
			return syntax_error(err, "unclosed '\"'");
		*value = p + 1;
		*len = (size_t)(quote - *value);
		*text = quote + 1;
		return 0;
	}
	/* "--user  --task X": the client sent an empty value */
	if (p < end && starts_option(p, end)) {
		*text = p;
		return 0;
	}
	while (p < end && *p != ' ') {
		if (strchr(SHELL_CHARS, *p) != NULL)
			return syntax_error(err,
			    "invalid character outside quotes");
		p++;
	}
	*len = (size_t)(p - *value);
	*text = p;
	return 0;
}

/* Parse all "--name value" in text. */
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
			return syntax_error(err,
			    "unexpected word outside any option");
		name = text += 2;
		while (text < end && ((*text >= 'a' && *text <= 'z') ||
		    *text == '-'))
			text++;
		name_len = (size_t)(text - name);
		if (text < end && *text != ' ' && *text != '=')
			return syntax_error(err, "invalid option name");
		if (text < end)
			text++;
		/* a password is all the rest, whatever it contains */
		if (name_len == 7 && memcmp(name, "newpass", 7) == 0) {
			value = text;
			len = (size_t)(end - text);
			text = end;
		} else if (take_value(&text, end, &value, &len, err) == -1)
			return -1;
		if (request_set(request, name, name_len, value, len, err) == -1)
			return -1;
	}
}

/* Skip what precedes the first option: the path of the broker in the URL, which
 * can be empty or contain blanks.  It is not used. */
static const char *
skip_path(const char *text, const char *end, struct x2gobroker_error *err)
{
	const char *p = text;

	for (; p < end; p++) {
		if (starts_option(p, end) && (p == text || p[-1] == ' '))
			return p;
		if (strchr(SHELL_CHARS, *p) != NULL)
			break;
	}
	syntax_error(err, "not a command that an X2Go client sends");
	return NULL;
}

/* Refuse characters that must not get into logs and answers. */
int
request_check_values(const struct x2gobroker_request *request,
    struct x2gobroker_error *err)
{
	static const enum client_option names[] = { OPT_USER, OPT_LOGIN };
	const char *p;
	size_t i;

	for (i = 0; i < NOPTIONS; i++)
		for (p = request->values[i]; p != NULL && *p != '\0'; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return syntax_error(err,
				    "control character in a value");
	for (i = 0; i < LENGTH(names); i++) {
		p = request->values[names[i]];
		if (p != NULL && strpbrk(p, SHELL_CHARS) != NULL)
			return syntax_error(err,
			    "invalid character in a user name");
	}
	return 0;
}

static int
parse_command(struct x2gobroker_request *request, const char *command,
    struct x2gobroker_error *err)
{
	struct envelope envelope;
	const char *options, *end;

	if (strlen(command) > COMMAND_MAX)
		return syntax_error(err, "command too long");
	if (strcmp(command, "echo \"" MARKER_LOGIN_OK "\"") == 0) {
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
	    parse_options(request, options, end, err) == -1)
		return -1;
	return request_check_values(request, err);
}

int
request_parse(const char *command, struct x2gobroker_request **out,
    struct x2gobroker_error *err)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_nomem(err);
	return parse_command(*out, command, err);
}

/* Parse "--name=value", or "--name" and the next word if that is not an option.
 * Returns how many words were taken, or -1. */
static int
take_words(struct x2gobroker_request *request, int argc, char *const *argv,
    struct x2gobroker_error *err)
{
	const char *word = argv[0], *name, *equals, *value = "";
	size_t name_len;
	int taken = 1;

	if (!starts_option(word, word + strlen(word)))
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "%.100s: unexpected word outside any option; try --help",
		    word);
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
	if (request_set(request, name, name_len, value, strlen(value), err) ==
	    -1)
		return -1;
	return taken;
}

int
request_from_argv(int argc, char *const *argv, struct x2gobroker_request **out,
    struct x2gobroker_error *err)
{
	int i, taken;

	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_nomem(err);
	for (i = 0; i < argc; i += taken) {
		taken = take_words(*out, argc - i, argv + i, err);
		if (taken == -1)
			return -1;
	}
	return request_check_values(*out, err);
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
