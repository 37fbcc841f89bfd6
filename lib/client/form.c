/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses the body of a POST: fields "name=value" between '&', in the encoding
 * of HTML forms.  Most clients encode all values; the X2Go client sends "sid",
 * "authid" and "event" as they are, so a profile id can arrive as
 *
 *	sid=a+b & c&user=...
 *
 * Only an administrator writes profile ids, so the raw text is kept beside the
 * decoded one, and both are compared with the ids that exist.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "client/request.h"

#define USER_MAX	255	/* bytes of a name, as for x2gobroker-pam(8) */

static int
form_error(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0, "form: %s", why);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return (c & ~0x20) - 'A' + 10;
	return -1;
}

/* Decode %XX, and '+' as a blank.  A '%' without two digits stands for itself:
 * it can be in a raw profile id. */
static void
decode(struct buf *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] == '%' && len - i > 2 &&
		    hex_digit(text[i + 1]) != -1 &&
		    hex_digit(text[i + 2]) != -1) {
			buf_putc(out, (char)(hex_digit(text[i + 1]) * 16 +
			    hex_digit(text[i + 2])));
			i += 2;
		} else
			buf_putc(out, text[i] == '+' ? ' ' : text[i]);
}

/* The client reads the bytes of an id as Latin-1 and sends the result as UTF-8.
 * Undo that; false: this cannot have happened. */
static bool
undo_latin1(struct buf *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] < 0x80)
			buf_putc(out, text[i]);
		else if ((p[i] == 0xc2 || p[i] == 0xc3) && len - i > 1 &&
		    (p[i + 1] & 0xc0) == 0x80) {
			buf_putc(out, (char)(p[i] << 6 | (p[i + 1] & 0x3f)));
			i++;
		} else
			return false;
	return true;
}

/* Keep the raw text of "sid": to "&user=", which the X2Go client sends next. */
static int
set_raw_sid(struct x2gobroker_request *request, const char *text,
    const char *end, struct x2gobroker_error *err)
{
	static const char next[] = "&user=";
	const char *found = memmem(text, (size_t)(end - text), next,
	    strlen(next));
	cleanup_buf struct buf undone = { 0 };
	char **values = request->values;
	size_t len;

	if (found == NULL)
		found = memchr(text, '&', (size_t)(end - text));
	len = (size_t)((found != NULL ? found : end) - text);
	if ((values[OPT_SID_RAW] = strndup(text, len)) == NULL)
		return error_nomem(err);
	buf_puts(&undone, "");
	if (!undo_latin1(&undone, text, len))
		return 0;
	if (undone.failed ||
	    (values[OPT_SID_LATIN1] = strdup(undone.data)) == NULL)
		return error_nomem(err);
	return 0;
}

/* Fields that are no options of a command line. */
static const struct {
	const char *name;
	enum client_option option;
} form_fields[] = {
	{ "password", OPT_PASSWORD },
	{ "pubkey", OPT_PUBKEY },
};

/* Store the value of such a field: returns 1, 0 if it is an option, or -1. */
static int
set_form_field(struct x2gobroker_request *request, const char *name,
    size_t name_len, const char *value, struct x2gobroker_error *err)
{
	size_t i;
	char **to;

	for (i = 0; i < sizeof(form_fields) / sizeof(form_fields[0]); i++) {
		if (strlen(form_fields[i].name) != name_len ||
		    memcmp(form_fields[i].name, name, name_len) != 0)
			continue;
		to = &request->values[form_fields[i].option];
		if (*to != NULL)
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "form: %s given more than once",
			    form_fields[i].name);
		return (*to = strdup(value)) != NULL ? 1 : error_nomem(err);
	}
	return 0;
}

/* Store the field at text, whose value ends at field_end; the form at end. */
static int
set_field(struct x2gobroker_request *request, const char *text,
    const char *field_end, const char *end, struct x2gobroker_error *err)
{
	const char *equals = memchr(text, '=', (size_t)(field_end - text));
	const char *raw = equals != NULL ? equals + 1 : field_end;
	size_t name_len = (size_t)((equals != NULL ? equals : field_end) -
	    text);
	cleanup_buf struct buf value = { 0 };
	int result;

	buf_reserve(&value, (size_t)(field_end - raw) + 1);
	buf_puts(&value, "");
	decode(&value, raw, (size_t)(field_end - raw));
	if (value.failed)
		return error_nomem(err);
	if (memchr(value.data, '\0', value.len) != NULL)
		return form_error(err, "NUL in a value");
	result = set_form_field(request, text, name_len, value.data, err);
	if (result != 0)
		return result == 1 ? 0 : -1;
	if (request_set(request, text, name_len, value.data, value.len,
	    err) == -1)
		return -1;
	if (name_len == 3 && memcmp(text, "sid", name_len) == 0)
		return set_raw_sid(request, raw, end, err);
	return 0;
}

static int
parse_form(struct x2gobroker_request *request, const char *text, size_t len,
    struct x2gobroker_error *err)
{
	const char *end = text + len, *field_end;
	const char *user;

	if (len > X2GOBROKER_FORM_MAX)
		return form_error(err, "too long");
	if (memchr(text, '\0', len) != NULL)
		return form_error(err, "NUL");
	for (; text < end; text = field_end + 1) {
		field_end = memchr(text, '&', (size_t)(end - text));
		if (field_end == NULL)
			field_end = end;
		if (set_field(request, text, field_end, end, err) == -1)
			return -1;
	}
	user = request->values[OPT_USER];
	if (user != NULL && strlen(user) > USER_MAX)
		return form_error(err, "user name too long");
	return request_check_values(request, err);
}

int
request_from_form(const char *body, size_t len,
    struct x2gobroker_request **out, struct x2gobroker_error *err)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_nomem(err);
	return parse_form(*out, body, len, err);
}
