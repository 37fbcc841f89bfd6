/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How doctor prints what its checks find: as lines for people, or as JSON.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "findings.h"
#include "../terminal.h"

static const char *const words[] = { "ok", "skip", "warn", "FAIL" };

static void
put_finding(struct doctor_output *out)
{
	json_object(&out->json, NULL);
	json_string(&out->json, "check", out->check);
	json_text(&out->json, "subject", out->subject);
	json_string(&out->json, "status", words[out->finding]);
	json_string(&out->json, "text", out->text);
	json_text(&out->json, "remedy", out->remedy);
	json_close(&out->json);
}

void
findings_print_word(enum finding finding)
{
	static const char *const begin[] = {
		"\033[32m", "", "\033[33m", "\033[31m",
	};
	bool coloured = terminal_has_colour() && *begin[finding] != '\0';

	printf("%s%-4s%s  ", coloured ? begin[finding] : "", words[finding],
	    coloured ? "\033[m" : "");
}

/* Print text, unless it is empty, without control characters. */
static void
print_plain(const char *before, const char *text, const char *after)
{
	struct x2gobroker_error plain = { 0 };
	char line[4 * X2GOBROKER_TEXT_SIZE];

	if (*text == '\0')
		return;
	strlcpy(plain.text, text, sizeof(plain.text));
	printf("%s%s%s", before, x2gobroker_error_format(&plain, line,
	    sizeof(line)), after);
}

/* At once, because servers can take seconds to answer. */
static void
print_finding(const struct doctor_output *out)
{
	findings_print_word(out->finding);
	printf("%s: ", out->check);
	print_plain("", out->subject, ": ");
	print_plain("", out->text, "");
	print_plain(" - ", out->remedy, "");
	printf("\n");
	fflush(stdout);
}

static void
flush_finding(struct doctor *d)
{
	struct doctor_output *out = &d->out;

	if (!out->waiting)
		return;
	out->waiting = false;
	out->counts[out->finding]++;
	if (d->ctl->json)
		put_finding(out);
	else if (out->finding != FINDING_SKIPPED)
		print_finding(out);
}

void
findings_begin(struct doctor *d, const char *check)
{
	d->out.check = check;
	d->out.found = d->out.bad = 0;
}

void
findings_end(struct doctor *d, const char *otherwise)
{
	if (d->out.found == 0)
		doctor_ok(d, "", "%s", otherwise);
	flush_finding(d);
}

void
findings_add(struct doctor *d, enum finding finding, const char *subject,
    const char *fmt, ...)
{
	struct doctor_output *out = &d->out;
	va_list ap;
	char *p;

	flush_finding(d);
	out->waiting = true;
	out->found++;
	out->bad += finding != FINDING_OK;
	out->finding = finding;
	strlcpy(out->subject, subject, sizeof(out->subject));
	va_start(ap, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	/* a value can have several lines */
	for (p = out->text; (p = strchr(p, '\n')) != NULL;)
		*p = ' ';
	out->remedy[0] = '\0';
}

void
doctor_remedy(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->out.remedy, sizeof(d->out.remedy), fmt, ap);
	va_end(ap);
}

void
doctor_fail_error(struct doctor *d, const char *subject,
    const struct x2gobroker_error *err)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];

	if (err->file[0] != '\0' && strcmp(err->file, subject) == 0 &&
	    err->line == 0)
		doctor_fail(d, subject, "%s", err->text);
	else
		doctor_fail(d, subject, "%s", x2gobroker_error_format(err,
		    text, sizeof(text)));
}

int
findings_print_sum(struct doctor *d)
{
	const unsigned int *counts = d->out.counts;
	struct json *json = &d->out.json;

	if (!d->ctl->json) {
		printf("%u ok, %u warning%s, %u failed\n", counts[FINDING_OK],
		    counts[FINDING_WARNING],
		    counts[FINDING_WARNING] == 1 ? "" : "s",
		    counts[FINDING_FAILED]);
		return fflush(stdout) == 0 && counts[FINDING_FAILED] == 0 ?
		    EXIT_YES : EXIT_NO;
	}
	json_close(json);
	json_integer(json, "ok", counts[FINDING_OK]);
	json_integer(json, "warnings", counts[FINDING_WARNING]);
	json_integer(json, "failed", counts[FINDING_FAILED]);
	return json_print(json) == 0 && counts[FINDING_FAILED] == 0 ?
	    EXIT_YES : EXIT_NO;
}

const char *
doctor_text(const struct doctor *d, const char *key)
{
	const char *text = x2gobroker_config_text(d->config, "global", key);

	return text != NULL ? text : "";
}
