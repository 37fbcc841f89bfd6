/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON (RFC 8259) for other programs to read: begin, then values in
 * order, then print.  key is NULL inside an array.
 */
#ifndef X2GOBROKERCTL_JSON_H
#define X2GOBROKERCTL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define JSON_DEPTH_MAX	8

struct json {
	FILE *fp;		/* into text */
	char *text;		/* owned */
	size_t len;
	char close[JSON_DEPTH_MAX];	/* what closes each open level */
	unsigned int depth;
	bool empty;		/* nothing is in the open level yet */
};

/* Begin with an object, which json_print() closes. */
void	json_begin(struct json *json);

void	json_object(struct json *json, const char *key);
void	json_array(struct json *json, const char *key);
void	json_close(struct json *json);

/* UTF-8; bytes that are none become U+FFFD, and control characters are
 * escaped, so that the output can be looked at in a terminal.  NULL is null. */
void	json_string(struct json *json, const char *key, const char *value);

/* The same, but "" is null, too: what is not known. */
void	json_text(struct json *json, const char *key, const char *value);

void	json_bool(struct json *json, const char *key, bool value);
void	json_integer(struct json *json, const char *key, long long value);
void	json_number(struct json *json, const char *key, double value);
void	json_null(struct json *json, const char *key);

/* Close what is open and write all to stdout.  Returns 0, or -1 where memory
 * was out or stdout is gone.  Frees the text. */
int	json_print(struct json *json);

#endif
