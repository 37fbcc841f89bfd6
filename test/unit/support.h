/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unit tests share, to be included by each of them: a check that
 * names the row it failed in, a collector of reports, INI text from memory,
 * and a directory for files.
 */
#ifndef TEST_SUPPORT_C
#define TEST_SUPPORT_C

#include <sys/stat.h>
#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "base/error.h"
#include "config/inifile.h"

#ifndef assert_int_in_range	/* cmocka 1 has one for all types */
#define assert_int_in_range	assert_in_range
#endif

/* cmocka 2 has one of its own */
#undef unused
#define unused		__attribute__((unused))
#define LENGTH(a)	(sizeof(a) / sizeof((a)[0]))
#define PROBLEMS_MAX	16

/* A condition, in the row of a table that label names. */
#define check(label, condition) do {					\
	if (!(condition))						\
		fail_msg("[%s] not so: %s", label, #condition);		\
} while (0)

#define check_text(label, got, want) do {				\
	const char *got_ = (got), *want_ = (want);			\
									\
	if (got_ == NULL || strcmp(got_, want_) != 0)			\
		fail_msg("[%s] \"%s\" is not \"%s\"", label,		\
		    got_ != NULL ? got_ : "NULL", want_);		\
} while (0)

/* What was reported, in order. */
struct problems {
	struct x2gobroker_error list[PROBLEMS_MAX];
	size_t n;
};

/* A problem as a row has it: text is a piece of its text. */
struct problem {
	enum x2gobroker_code code;
	unsigned int line;
	const char *text;
};

static unused void
collect(void *arg, const struct x2gobroker_error *problem)
{
	struct problems *problems = arg;

	assert_true(problems->n < PROBLEMS_MAX);
	problems->list[problems->n++] = *problem;
}

static unused void
collect_errors(void *arg, const struct x2gobroker_error *problem)
{
	if (problem->code != X2GOBROKER_WARNING)
		collect(arg, problem);
}

static unused void
check_problem(const char *label, const struct x2gobroker_error *got,
    const struct problem *want)
{
	if (got->code != want->code || got->line != want->line ||
	    strstr(got->text, want->text) == NULL)
		fail_msg("[%s] code %d, line %u, \"%s\" instead of code %d, "
		    "line %u, \"%s\"", label, got->code, got->line, got->text,
		    want->code, want->line, want->text);
}

/* Exactly these were reported; want ends with a row without text. */
static unused void
check_problems(const char *label, const struct problems *got,
    const struct problem *want)
{
	size_t i;

	for (i = 0; i < got->n && want[i].text != NULL; i++)
		check_problem(label, &got->list[i], &want[i]);
	if (i < got->n)
		fail_msg("[%s] unexpected: line %u: %s", label,
		    got->list[i].line, got->list[i].text);
	if (want[i].text != NULL)
		fail_msg("[%s] not reported: %s", label, want[i].text);
}

/* INI text of len bytes, or NULL where it has an error. */
static unused struct inifile *
read_ini(const char *text, size_t len, struct problems *problems)
{
	struct reporter rep = { .fn = collect, .arg = problems };
	char *copy = malloc(len + 1);
	struct inifile *ini;
	FILE *fp;
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	fp = fmemopen(copy, len > 0 ? len : 1, "r");
	assert_non_null(fp);
	if (len == 0)
		fgetc(fp);
	problems->n = 0;
	result = inifile_read(fp, "test.conf", &rep, &ini);
	assert_int_equal(result == 0, ini != NULL);
	assert_int_equal(result == 0, rep.errors == 0);
	fclose(fp);
	free(copy);
	return ini;
}

/* A directory of the test's own, with a name that nobody else can guess. */
static char test_dir[] = "/tmp/x2gobroker-test-XXXXXX";

static unused int
make_test_dir(void **state unused)
{
	strcpy(test_dir + sizeof(test_dir) - 7, "XXXXXX");
	return mkdtemp(test_dir) != NULL && chmod(test_dir, 0755) == 0 ? 0 : -1;
}

static unused int
remove_test_dir(void **state unused)
{
	char command[sizeof(test_dir) + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", test_dir);
	return system(command) == 0 ? 0 : -1;
}

/* The path of name in that directory; good for the next 15 calls. */
static unused const char *
test_path(const char *name)
{
	static char paths[16][256];
	static unsigned int next;
	char *path = paths[next++ % LENGTH(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_dir, name);
	return path;
}

static unused const char *
write_file(const char *name, const char *text)
{
	const char *path = test_path(name);
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, strlen(text), fp), strlen(text));
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(chmod(path, 0644), 0);
	return path;
}

static unused const char *
make_dir(const char *name)
{
	const char *path = test_path(name);

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

/* What profiles are loaded with; a test may change it. */
static struct x2gobroker_config test_config = {
	.agent_command = "/nonexistent/agent",
	.agent_user = "nobody",
	.agent_identity_files = "/nonexistent/key",
	.agent_known_hosts = "/nonexistent/known_hosts",
	.agent_timeout = 5,
	.request_timeout = 20,
	.state_dir = "/nonexistent/state",
	.drain_file = "",
	.maintenance_dir = "/nonexistent/state",
	.login_hook = "",
	.select_hook = "",
	.session_database = "",
	.session_database_file = "/nonexistent/pg_service.conf",
	.session_database_timeout = 3,
};

static unused struct x2gobroker_profiles *
load_profiles(struct problems *problems)
{
	struct x2gobroker_profiles *profiles;

	problems->n = 0;
	assert_int_equal(x2gobroker_profiles_load(&test_config, collect_errors,
	    problems, &profiles, NULL), 0);
	return profiles;
}

/* The profiles of a file with this text. */
static unused struct x2gobroker_profiles *
load_text(const char *text, struct problems *problems)
{
	static char path[100];

	test_config.backends[BACKEND_INIFILE].enable = true;
	test_config.ignore_primary_group_memberships = true;
	write_file("profiles.conf", text);
	snprintf(path, sizeof(path), "%s/profiles.conf", test_dir);
	test_config.session_profiles = path;
	test_config.profiles_dir = "/nonexistent";
	return load_profiles(problems);
}

static unused struct x2gobroker_user *
make_user(const char *name, const char *address)
{
	struct x2gobroker_user *user;

	assert_int_equal(x2gobroker_user_new(name, address, &user, NULL), 0);
	return user;
}

/* The answer to command, which the caller frees.  Where the task is refused,
 * err (may be NULL) is filled in; else its code is X2GOBROKER_OK. */
static unused char *
answer_to(const char *command, const struct x2gobroker_profiles *profiles,
    struct x2gobroker_user *user, struct x2gobroker_error *err)
{
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	const char *text;
	size_t len;
	char *copy;

	assert_int_equal(x2gobroker_request_parse(command, &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	if (x2gobroker_answer_task(answer, profiles, user, err) == 0 &&
	    err != NULL)
		err->code = X2GOBROKER_OK;
	assert_int_equal(x2gobroker_answer_text(answer, &text, &len, NULL), 0);
	assert_int_equal(strlen(text), len);
	copy = strdup(text);
	assert_non_null(copy);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	return copy;
}

#endif
