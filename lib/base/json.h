/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON (RFC 8259) for other programs: begin, add values in order, print.  key
 * is NULL inside an array.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

#define JSON_DEPTH_MAX	8

struct json {
	struct buf text;	/* the caller frees it */
	char close[JSON_DEPTH_MAX];	/* what closes each open level */
	unsigned int depth;
	bool empty;		/* the open level has no value yet */
};

/* Begin with an object, which json_end() closes. */
void	json_begin(struct json *json);

void	json_object(struct json *json, const char *key);
void	json_array(struct json *json, const char *key);
void	json_close(struct json *json);

/* Bytes that are not UTF-8 become U+FFFD, and control characters are escaped,
 * as people print JSON to their terminal, too.  NULL becomes null. */
void	json_string(struct json *json, const char *key, const char *value);

void	json_bytes(struct json *json, const char *key, const char *value,
	    size_t len);

/* As json_string(), but "" becomes null, too: not known. */
void	json_text(struct json *json, const char *key, const char *value);

void	json_bool(struct json *json, const char *key, bool value);
void	json_integer(struct json *json, const char *key, long long value);
void	json_known(struct json *json, const char *key, bool known,
	    long long value);	/* null if not known */
void	json_number(struct json *json, const char *key, double value);
void	json_null(struct json *json, const char *key);

/* Close all levels.  Then the text is complete, unless text.failed. */
void	json_end(struct json *json);

/* json_end(), print to stdout and free the text.  Returns 0, or -1 if memory
 * was out or stdout failed. */
int	json_print(struct json *json);

#endif
