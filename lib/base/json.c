/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define REPLACEMENT	"\\ufffd"

/*
 * Characters
 */

static void
put_string(struct buf *buf, const char *text, size_t len)
{
	const char *end = text + len;
	uint32_t code;
	size_t n;

	buf_putc(buf, '"');
	for (; text < end; text += n) {
		n = utf8_decode(text, (size_t)(end - text), &code);
		if (n == 0) {
			buf_puts(buf, REPLACEMENT);
			n = 1;
		} else if (code == '"' || code == '\\')
			buf_printf(buf, "\\%c", (int)code);
		else if (code == '\n')
			buf_puts(buf, "\\n");
		else if (code == '\t')
			buf_puts(buf, "\\t");
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			buf_printf(buf, "\\u%04x", (unsigned int)code);
		else
			buf_put(buf, text, n);
	}
	buf_putc(buf, '"');
}

/*
 * Levels
 */

/* Each value has a line, indented by its level. */
static void
begin_line(struct json *json)
{
	buf_printf(&json->text, "\n%*s", (int)(2 * json->depth), "");
}

/* Write a value's comma, line and key. */
static void
begin_value(struct json *json, const char *key)
{
	if (json->depth > 0) {
		if (!json->empty)
			buf_putc(&json->text, ',');
		begin_line(json);
	}
	json->empty = false;
	if (key != NULL) {
		put_string(&json->text, key, strlen(key));
		buf_puts(&json->text, ": ");
	}
}

static void
open_level(struct json *json, const char *key, const char *brackets)
{
	if (json->depth == JSON_DEPTH_MAX)
		abort();	/* no command has so many levels */
	begin_value(json, key);
	buf_putc(&json->text, brackets[0]);
	json->close[json->depth++] = brackets[1];
	json->empty = true;
}

void
json_begin(struct json *json)
{
	*json = (struct json){ 0 };
	json_object(json, NULL);
}

void
json_object(struct json *json, const char *key)
{
	open_level(json, key, "{}");
}

void
json_array(struct json *json, const char *key)
{
	open_level(json, key, "[]");
}

void
json_close(struct json *json)
{
	bool empty = json->empty;

	json->depth--;
	if (!empty)
		begin_line(json);
	buf_putc(&json->text, json->close[json->depth]);
	json->empty = false;
}

/*
 * Values
 */

void
json_string(struct json *json, const char *key, const char *value)
{
	if (value != NULL)
		json_bytes(json, key, value, strlen(value));
	else
		json_null(json, key);
}

void
json_bytes(struct json *json, const char *key, const char *value, size_t len)
{
	begin_value(json, key);
	put_string(&json->text, value, len);
}

void
json_text(struct json *json, const char *key, const char *value)
{
	json_string(json, key, value != NULL && *value != '\0' ? value : NULL);
}

void
json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	buf_puts(&json->text, value ? "true" : "false");
}

void
json_integer(struct json *json, const char *key, long long value)
{
	begin_value(json, key);
	buf_printf(&json->text, "%lld", value);
}

void
json_known(struct json *json, const char *key, bool known, long long value)
{
	if (known)
		json_integer(json, key, value);
	else
		json_null(json, key);
}

void
json_number(struct json *json, const char *key, double value)
{
	if (!isfinite(value)) {		/* JSON has no infinity and no NaN */
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	buf_printf(&json->text, "%.15g", value);
}

void
json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	buf_puts(&json->text, "null");
}

void
json_end(struct json *json)
{
	while (json->depth > 0)
		json_close(json);
	buf_putc(&json->text, '\n');
}

int
json_print(struct json *json)
{
	struct buf *text = &json->text;
	bool good;

	json_end(json);
	good = !text->failed &&
	    fwrite(text->data, 1, text->len, stdout) == text->len &&
	    fflush(stdout) == 0;
	buf_free(text);
	return good ? 0 : -1;
}
