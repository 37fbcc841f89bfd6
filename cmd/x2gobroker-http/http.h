/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HTTP request, as a web server hands it on: by SCGI on descriptor 0, or by
 * CGI in the environment and on descriptor 0.  No byte of it is trusted, except
 * what the web server itself says of the connection: address and TLS.
 */
#ifndef X2GOBROKER_HTTP_H
#define X2GOBROKER_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include <x2gobroker.h>

enum http_variable {
	VAR_METHOD, VAR_URI, VAR_ADDRESS, VAR_HTTPS, VAR_SCHEME, VAR_LENGTH,
	VAR_SCGI, NVARIABLES
};

struct http_request {
	const char *values[NVARIABLES];	/* borrowed; NULL: not sent */
	char *head;			/* where they are, if it was SCGI */
	char *body;			/* not terminated */
	size_t body_len;
};

/* A status line; the text is for the log as well. */
struct http_status {
	const char *line;	/* "404 Not Found" */
	const char *why;	/* a sentence */
};

/* Take the variables of a CGI program from the environment.  False: there are
 * none, so the request comes by SCGI. */
bool	http_take_variables(struct http_request *http);

/* Read what has not been read yet.  Returns NULL, or what is wrong with it. */
const struct http_status *http_read(struct http_request *http, bool is_cgi);

/* Parse the headers of SCGI, between ':' and ','.  They stay in text, which has
 * a NUL after its len bytes.  False: not SCGI. */
bool	http_parse_headers(struct http_request *http, const char *text,
	    size_t len);

/* Whether the request is one that can be answered: by TLS unless allow_plain,
 * to .../plain/ or .../json/.  Returns NULL, or what is wrong with it. */
const struct http_status *http_check(const struct http_request *http,
    bool allow_plain);

/* Read the rest of a request that was refused, as far as it comes at once: if
 * it were left, some web servers would not see the response. */
void	http_discard_rest(void);

/* Is the answer to be JSON: is the path .../json/? */
bool	http_wants_json(const struct http_request *http);

/* The name of a backend in the path, ".../plain/NAME/...", copied into name, or
 * "". */
void	http_backend(const struct http_request *http, char *name, size_t size);

#endif
