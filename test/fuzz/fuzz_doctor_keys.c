/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * authorized_keys of the broker account, as doctor checks it.  In a line without
 * a finding, the command is the broker, for a user.
 */
#include <stdarg.h>

#include "fuzz_dir.h"

#define X2GOBROKER_PROGRAM	"/usr/lib/x2go/x2gobroker"
#include "../../cmd/x2gobrokerctl/doctor/keys.c"

static unsigned int good;

static void say(const char *, va_list) __attribute__((format(printf, 1, 0)));

static void
say(const char *fmt, va_list ap)
{
	char *text;

	must(vasprintf(&text, fmt, ap) > 0);
	free(text);
}

void
findings_add(struct doctor *d, enum finding finding,
    const char *subject __attribute__((unused)), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	if (finding == FINDING_OK)
		good++;
	else
		d->out.bad++;
}

void
doctor_remedy(struct doctor *d __attribute__((unused)), const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
doctor_fail_error(struct doctor *d,
    const char *subject __attribute__((unused)),
    const struct x2gobroker_error *err __attribute__((unused)))
{
	d->out.bad++;
}

const char *
doctor_text(const struct doctor *d __attribute__((unused)),
    const char *key __attribute__((unused)))
{
	return "";
}

const char *
sshd_query_get(const struct sshd *sshd __attribute__((unused)),
    const char *keyword __attribute__((unused)))
{
	return "";
}

/* Check a file with this line alone. */
static void
check_one(struct doctor *d, const char *line, size_t len)
{
	char *copy = fuzz_string(line, len);

	d->out.bad = good = 0;
	fuzz_write(".ssh/authorized_keys", line, len);
	check_authorized_keys(d);
	must(d->key_lines <= 1 && d->user_lines <= d->key_lines);
	must(good == (d->out.bad == 0));
	if (d->key_lines == 1) {
		must(strcasestr(copy, "command=\"") != NULL);
		must(strstr(copy, "x2gobroker") != NULL);
		must(strstr(copy, " --user") != NULL);
	}
	check_key_types(d);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "broker";
	const struct ctl ctl = { .user = "alice" };
	struct doctor d = { .ctl = &ctl, .account = { .name = name } };
	const char *p = (const char *)data, *end = p + size, *eol;

	must(strlen(fuzz_dir()) > 0);
	d.account.home = fuzz_dir_path;
	must(mkdir(fuzz_path(".ssh"), 0700) == 0 || errno == EEXIST);
	for (; p < end; p = eol) {
		eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol != NULL ? eol + 1 : end;
		check_one(&d, p, (size_t)(eol - p));
	}
	return 0;
}
