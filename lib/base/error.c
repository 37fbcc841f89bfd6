/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error texts are composed here, in the caller's memory, without allocating or
 * printing.  A report is an error after which reading goes on.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

#undef error_set
#undef error_errno
#undef error_nomem

static void fill(struct x2gobroker_error *, enum x2gobroker_code, const char *,
    unsigned int, const char *, va_list) __attribute__((format(printf, 5, 0)));

static void
fill(struct x2gobroker_error *err, enum x2gobroker_code code, const char *file,
    unsigned int line, const char *fmt, va_list ap)
{
	err->code = code;
	err->line = line;
	strlcpy(err->file, file != NULL ? file : "", sizeof(err->file));
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int
error_set(struct x2gobroker_error *err, enum x2gobroker_code code,
    const char *file, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		fill(err, code, file, line, fmt, ap);
		va_end(ap);
	}
	return -1;
}

int
error_errno(struct x2gobroker_error *err, const char *file, const char *fmt,
    ...)
{
	int save = errno;
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		fill(err, X2GOBROKER_ERR_SYSTEM, file, 0, fmt, ap);
		va_end(ap);
		strlcat(err->text, ": ", sizeof(err->text));
		strlcat(err->text, strerror(save), sizeof(err->text));
	}
	errno = save;
	return -1;
}

static const struct x2gobroker_error nomem = {
	.code = X2GOBROKER_ERR_NOMEM, .text = "out of memory",
};

int
error_nomem(struct x2gobroker_error *err)
{
	return error_set(err, nomem.code, NULL, 0, "%s", nomem.text);
}

const struct x2gobroker_error *
error_or_nomem(const struct x2gobroker_error *err)
{
	return err != NULL ? err : &nomem;
}

void
report_error(struct reporter *rep, const struct x2gobroker_error *err)
{
	if (err->code != X2GOBROKER_WARNING && rep->errors++ == 0 &&
	    rep->first != NULL)
		*rep->first = *err;
	if (err->code == X2GOBROKER_ERR_NOMEM)
		rep->nomem = true;
	if (rep->fn != NULL)
		rep->fn(rep->arg, err);
}

void
report(struct reporter *rep, enum x2gobroker_code code, const char *file,
    unsigned int line, const char *fmt, ...)
{
	struct x2gobroker_error err;
	va_list ap;

	va_start(ap, fmt);
	fill(&err, code, file, line, fmt, ap);
	va_end(ap);
	report_error(rep, &err);
}

const char *
x2gobroker_error_format(const struct x2gobroker_error *err, char *buf,
    size_t size)
{
	char line[16] = ": ";
	size_t len;

	if (size == 0)
		return buf;
	buf[0] = '\0';
	if (err->file[0] != '\0') {
		if (err->line != 0)
			snprintf(line, sizeof(line), ":%u: ", err->line);
		utf8_escape(buf, size, err->file);
		strlcat(buf, line, size);
	}
	len = strlen(buf);
	utf8_escape(buf + len, size - len, err->text);
	return buf;
}
