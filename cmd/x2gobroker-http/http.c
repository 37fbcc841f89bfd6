/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/safefile.h"
#include "common/service.h"
#include "http.h"

#define HEADERS_MAX	65536	/* web servers accept less */
#define DIGITS_MAX	6
#define DISCARD_MAX	(4 * 1024 * 1024)
#define DISCARD_MS	2000
#define PLAIN		"/plain/"
#define JSON		"/json/"

static const char *const names[NVARIABLES] = {
	[VAR_METHOD] = "REQUEST_METHOD",
	[VAR_URI] = "REQUEST_URI",
	[VAR_ADDRESS] = "REMOTE_ADDR",
	[VAR_HTTPS] = "HTTPS",
	[VAR_SCHEME] = "REQUEST_SCHEME",
	[VAR_LENGTH] = "CONTENT_LENGTH",
	[VAR_SCGI] = "SCGI",
};

static const struct http_status
    bad_request = { "400 Bad Request", "not SCGI, or not all of it" },
    no_tls = { "403 Forbidden", "not HTTPS; see http-allow-plain in "
	"x2gobroker.conf(5)" },
    not_found = { "404 Not Found", "the path has neither "
	PLAIN " nor " JSON },
    no_post = { "405 Method Not Allowed", "not a POST" },
    too_large = { "413 Content Too Large", "the body is longer than 16 KiB, or "
	"its length is not known" };

bool
http_take_variables(struct http_request *http)
{
	size_t i;

	for (i = 0; i < NVARIABLES; i++)
		http->values[i] = service_take_variable(names[i]);
	return http->values[VAR_METHOD] != NULL;
}

/* Store the header, unless the broker does not use it.  False: it was sent
 * twice. */
static bool
set_header(struct http_request *http, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < NVARIABLES; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		if (http->values[i] != NULL)
			return false;
		http->values[i] = value;
	}
	return true;
}

bool
http_parse_headers(struct http_request *http, const char *text, size_t len)
{
	const char *end = text + len, *name, *value;

	memset(http->values, 0, sizeof(http->values));
	if (len == 0 || end[-1] != '\0')
		return false;
	while (text < end) {
		name = text;
		value = name + strlen(name) + 1;
		if (value >= end || !set_header(http, name, value))
			return false;
		text = value + strlen(value) + 1;
	}
	return http->values[VAR_SCGI] != NULL &&
	    strcmp(http->values[VAR_SCGI], "1") == 0;
}

/* The number before the ':' of a netstring, or -1. */
static int
read_number(void)
{
	char text[DIGITS_MAX + 1];
	size_t len;
	int n;

	for (len = 0; len < sizeof(text); len++) {
		if (safefile_read(STDIN_FILENO, &text[len], 1) != 1)
			return -1;
		if (text[len] == ':') {
			text[len] = '\0';
			return parse_digits(text, 1, HEADERS_MAX, &n) ? n : -1;
		}
	}
	return -1;
}

static bool
read_headers(struct http_request *http)
{
	int len = read_number();
	char *text;

	if (len == -1)
		return false;
	if ((text = malloc((size_t)len + 1)) == NULL)
		service_refuse("out of memory");
	http->head = text;
	if (safefile_read(STDIN_FILENO, text, (size_t)len + 1) != len + 1 ||
	    text[len] != ',')
		return false;
	text[len] = '\0';
	return http_parse_headers(http, text, (size_t)len);
}

/* The rest of a request that is refused is not read. */
static const struct http_status *
read_body(struct http_request *http)
{
	const char *length = http->values[VAR_LENGTH];
	int len;

	if (length == NULL ||
	    !parse_digits(length, 0, X2GOBROKER_FORM_MAX, &len))
		return &too_large;
	http->body_len = (size_t)len;
	if ((http->body = malloc(http->body_len + 1)) == NULL)
		service_refuse("out of memory");
	return safefile_read(STDIN_FILENO, http->body, http->body_len) == len ?
	    NULL : &bad_request;
}

const struct http_status *
http_read(struct http_request *http, bool is_cgi)
{
	const char *method;

	if (!is_cgi && !read_headers(http))
		return &bad_request;
	method = http->values[VAR_METHOD];
	if (method == NULL || strcmp(method, "POST") != 0)
		return &no_post;
	return read_body(http);
}

void
http_discard_rest(void)
{
	int64_t deadline = clock_ms() + DISCARD_MS;
	size_t left = DISCARD_MAX;
	char text[4096];
	ssize_t n = 1;

	shutdown(STDOUT_FILENO, SHUT_WR);	/* if it is a socket */
	while (n > 0 && left > sizeof(text) &&
	    clock_poll(STDIN_FILENO, POLLIN, deadline) == 1) {
		n = read(STDIN_FILENO, text, sizeof(text));
		left -= n > 0 ? (size_t)n : 0;
	}
}

/* Where the path continues after ".../plain/" or ".../json/", whichever comes
 * first, or NULL. */
static const char *
after_format(const struct http_request *http, bool *json)
{
	const char *p = http->values[VAR_URI], *query;

	if (p == NULL)
		return NULL;
	query = p + strcspn(p, "?#");
	for (; p < query; p++) {
		*json = strncmp(p, JSON, strlen(JSON)) == 0;
		if (*json)
			return p + strlen(JSON);
		if (strncmp(p, PLAIN, strlen(PLAIN)) == 0)
			return p + strlen(PLAIN);
	}
	return NULL;
}

bool
http_wants_json(const struct http_request *http)
{
	bool json;

	return after_format(http, &json) != NULL && json;
}

static bool
is_tls(const struct http_request *http)
{
	const char *https = http->values[VAR_HTTPS];
	const char *scheme = http->values[VAR_SCHEME];

	return (https != NULL && strcasecmp(https, "on") == 0) ||
	    (scheme != NULL && strcmp(scheme, "https") == 0);
}

const struct http_status *
http_check(const struct http_request *http, bool allow_plain)
{
	bool json;

	if (after_format(http, &json) == NULL)
		return &not_found;
	return allow_plain || is_tls(http) ? NULL : &no_tls;
}

void
http_backend(const struct http_request *http, char *name, size_t size)
{
	bool json;
	const char *rest = after_format(http, &json);
	size_t len = rest != NULL ? strcspn(rest, "/?#") : 0;

	*name = '\0';
	if (len < size) {
		memcpy(name, rest != NULL ? rest : "", len);
		name[len] = '\0';
	}
}
