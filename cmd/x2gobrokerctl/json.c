/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "json.h"

#define REPLACEMENT	"\\ufffd"
#define UTF8_MAX	4	/* bytes of a character */

/*
 * Characters
 */

static void
put_string(FILE *fp, const char *text)
{
	uint32_t code;
	size_t n;

	putc('"', fp);
	for (; *text != '\0'; text += n) {
		n = utf8_decode(text, strnlen(text, UTF8_MAX), &code);
		if (n == 0) {
			fputs(REPLACEMENT, fp);
			n = 1;
		} else if (code == '"' || code == '\\')
			fprintf(fp, "\\%c", (int)code);
		else if (code == '\n')
			fputs("\\n", fp);
		else if (code == '\t')
			fputs("\\t", fp);
		else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			fprintf(fp, "\\u%04x", (unsigned int)code);
		else
			fwrite(text, 1, n, fp);
	}
	putc('"', fp);
}

/*
 * Levels
 */

/* Each value has a line, indented by its level. */
static void
begin_line(struct json *json)
{
	fprintf(json->fp, "\n%*s", (int)(2 * json->depth), "");
}

/* Write a value's comma, line and key.  False: memory is out. */
static bool
begin_value(struct json *json, const char *key)
{
	if (json->fp == NULL)
		return false;
	if (json->depth > 0) {
		if (!json->empty)
			putc(',', json->fp);
		begin_line(json);
	}
	json->empty = false;
	if (key != NULL) {
		put_string(json->fp, key);
		fputs(": ", json->fp);
	}
	return true;
}

static void
open_level(struct json *json, const char *key, const char *brackets)
{
	if (json->depth == JSON_DEPTH_MAX)
		abort();	/* no command has so many levels */
	if (!begin_value(json, key))
		return;
	putc(brackets[0], json->fp);
	json->close[json->depth++] = brackets[1];
	json->empty = true;
}

void
json_begin(struct json *json)
{
	*json = (struct json){ 0 };
	json->fp = open_memstream(&json->text, &json->len);
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

	if (json->fp == NULL || json->depth == 0)
		return;
	json->depth--;
	if (!empty)
		begin_line(json);
	putc(json->close[json->depth], json->fp);
	json->empty = false;
}

/*
 * Values
 */

void
json_string(struct json *json, const char *key, const char *value)
{
	if (value == NULL)
		json_null(json, key);
	else if (begin_value(json, key))
		put_string(json->fp, value);
}

void
json_text(struct json *json, const char *key, const char *value)
{
	json_string(json, key, value != NULL && *value != '\0' ? value : NULL);
}

void
json_bool(struct json *json, const char *key, bool value)
{
	if (begin_value(json, key))
		fputs(value ? "true" : "false", json->fp);
}

void
json_integer(struct json *json, const char *key, long long value)
{
	if (begin_value(json, key))
		fprintf(json->fp, "%lld", value);
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
	if (!isfinite(value))	/* JSON has no infinity and no NaN */
		json_null(json, key);
	else if (begin_value(json, key))
		fprintf(json->fp, "%.15g", value);
}

void
json_null(struct json *json, const char *key)
{
	if (begin_value(json, key))
		fputs("null", json->fp);
}

int
json_print(struct json *json)
{
	bool good = json->fp != NULL;

	while (json->depth > 0 && good)
		json_close(json);
	if (json->fp != NULL) {
		putc('\n', json->fp);
		good = ferror(json->fp) == 0;
		good = fclose(json->fp) == 0 && good;
	}
	if (good)
		good = fwrite(json->text, 1, json->len, stdout) == json->len &&
		    fflush(stdout) == 0;
	free(json->text);
	*json = (struct json){ 0 };
	return good ? 0 : -1;
}
