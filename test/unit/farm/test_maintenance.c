/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices of maintenance.  Linked with --wrap=time.
 */
#include <sys/wait.h>

#include "farm/farm.h"
#include "failing_malloc.h"
#include "fake_time.h"
#include "state_rows.h"
#include "x2gobroker_admin.h"

#define DIR_NAME	"state/maintenance"
#define X50		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static struct x2gobroker_config config;

static int
make_site(void **state)
{
	if (make_state_dir(state) == -1)
		return -1;
	config.maintenance_dir = state_dir;
	now = 2000000000;
	return 0;
}

static void
begin(const char *profile, const char *server, const char *text, int seconds,
    bool resume)
{
	const struct x2gobroker_notice notice = { text, profile, server,
	    seconds != 0 ? now + seconds : 0, resume };
	struct x2gobroker_error err = { 0 };

	x2gobroker_maintenance_begin(&config, &notice, &err);
	assert_string_equal(err.text, "");
}

/* "PROFILE SERVER SECONDS RESUME TEXT\n" of each. */
static const char *
list(void)
{
	static char text[2000];
	const struct x2gobroker_notice *notice;
	struct x2gobroker_maintenance *all;
	size_t i, len = 0;

	text[0] = '\0';
	assert_int_equal(x2gobroker_maintenance_load(&config, &all, NULL), 0);
	for (i = 0; (notice = x2gobroker_maintenance_get(all, i)) != NULL; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s %s %lld %d %s\n", notice->profile != NULL ?
		    notice->profile : "-", notice->server != NULL ?
		    notice->server : "-", (long long)(notice->until != 0 ?
		    notice->until - now : 0), notice->resume, notice->text);
	x2gobroker_maintenance_free(all);
	return text;
}

static bool
end(const char *profile, const char *server)
{
	const struct x2gobroker_notice scope = { .profile = profile,
	    .server = server };
	bool changed;

	assert_int_equal(x2gobroker_maintenance_end(&config,
	    profile == NULL && server == NULL ? NULL : &scope, &changed, NULL),
	    0);
	return changed;
}

static void
there_is_one_notice_for_each_scope(void **state unused)
{
	assert_string_equal(list(), "");
	/* to look for it makes no directory */
	assert_string_equal(rows_text(DIR_NAME), "(none)");
	assert_false(end(NULL, NULL));
	begin(NULL, NULL, "until two", 100, true);
	begin("a b", NULL, "no desk", 0, true);
	begin("c", NULL, "no c", 0, true);
	begin(NULL, "ts01", "a new disk", 50, false);
	assert_string_equal(list(), "- - 100 1 until two\n"
	    "a b - 0 1 no desk\nc - 0 1 no c\n- ts01 50 0 a new disk\n");
	begin("a b", NULL, "again", 7, false);
	assert_string_equal(list(), "- - 100 1 until two\nc - 0 1 no c\n"
	    "- ts01 50 0 a new disk\na b - 7 0 again\n");
	assert_true(end("c", NULL));
	assert_false(end("c", NULL));
	assert_true(end(NULL, "ts01"));
	assert_string_equal(list(), "- - 100 1 until two\na b - 7 0 again\n");
	/* the one that replaces another one is added first */
	row_write(DIR_NAME, 90, "0\tresume\tserver\tts01\told");
	row_write(DIR_NAME, 91, "0\tresume\tserver\tts01\tnew");
	assert_string_equal(list(), "- - 100 1 until two\na b - 7 0 again\n"
	    "- ts01 0 1 new\n");
	assert_true(end(NULL, NULL));
	assert_string_equal(list(), "");
	assert_string_equal(rows_text(DIR_NAME), "");
}

static void
a_notice_ends_by_itself(void **state unused)
{
	begin(NULL, NULL, "until two", 100, true);
	begin("p", NULL, "for ever", 0, true);
	now += 99;
	assert_string_equal(list(), "- - 1 1 until two\np - 0 1 for ever\n");
	now++;
	assert_string_equal(list(), "p - 0 1 for ever\n");
	/* and its file goes with the next change */
	assert_false(end("q", NULL));
	assert_null(strstr(rows_text(DIR_NAME), "until two"));
}

static void
what_the_client_must_not_see_is_refused(void **state unused)
{
	static const struct {
		const char *text, *profile, *server, *why;
		int seconds;
	} rows[] = {
		{ "", NULL, NULL, "the text is empty", 0 },
		{ X50 X50 X50 X50 "x", NULL, NULL, "201 bytes", 0 },
		{ "a\nb", NULL, NULL, "line break", 0 },
		{ "a\tb", NULL, NULL, "line break", 0 },
		{ "a\033[2J", NULL, NULL, "\\033[2J", 0 },
		{ "B\xfcro", NULL, NULL, "not UTF-8", 0 },
		{ "\xe2\x80\xae" "abc", NULL, NULL, "control character", 0 },
		{ "say LOGIN OK", NULL, NULL, "LOGIN OK", 0 },
		{ "x", "", NULL, "profile is empty", 0 },
		{ "x", "a\tb", NULL, "id of the profile", 0 },
		{ "x", NULL, "ts 01", "neither a host name", 0 },
		{ "x", NULL, "", "neither a host name", 0 },
		{ "x", NULL, NULL, "over already", -1 },
	};
	struct x2gobroker_notice notice;
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		notice = (struct x2gobroker_notice){ rows[i].text,
		    rows[i].profile, rows[i].server, rows[i].seconds != 0 ?
		    now + rows[i].seconds : 0, true };
		check(rows[i].why, x2gobroker_maintenance_begin(&config,
		    &notice, &err) == -1);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("[%s] %s", rows[i].why, err.text);
	}
	assert_string_equal(list(), "");
	begin(NULL, NULL, X50 X50 X50 X50, 0, true);
	begin("p", NULL, "B\xc3\xbcro <zu>, \"100%\"; 1 & 2", 0, true);
}

static void
what_is_no_notice_is_skipped(void **state unused)
{
	static const char *const texts[] = { "?", "0\tresume\tall\t",
	    "0\tresume\tnowhere\t\ttext", "0\tresume\tserver\t\ttext",
	    "0\tresume\tall\t\tLOGIN OK", "x\tresume\tall\t\ttext",
	    "0\tresume\tall\t\t\033", "5\tresume\tall\t\tover" };
	size_t i;

	begin(NULL, NULL, "here", 0, true);
	for (i = 0; i < LENGTH(texts); i++)
		row_write(DIR_NAME, (int)i + 2, texts[i]);
	assert_string_equal(list(), "- - 0 1 here\n");
}

static void
the_strictest_notice_counts(void **state unused)
{
	const struct host one = { .name = "ts01.example.org" };
	const struct host two = { .name = "ts02" };
	struct x2gobroker_maintenance *all;

	assert_null(x2gobroker_maintenance_find(NULL, NULL));
	assert_null(maintenance_of_server(NULL, &one));
	begin("p", NULL, "strict", 0, false);
	begin(NULL, NULL, "for all", 0, true);
	begin(NULL, "ts01", "short", 0, true);
	begin(NULL, "ts01.example.org", "long", 0, false);
	assert_int_equal(x2gobroker_maintenance_load(&config, &all, NULL), 0);
	assert_string_equal(x2gobroker_maintenance_find(all, "p")->text,
	    "strict");
	assert_string_equal(x2gobroker_maintenance_find(all, "q")->text,
	    "for all");
	assert_string_equal(x2gobroker_maintenance_find(all, NULL)->text,
	    "for all");
	assert_string_equal(maintenance_of_server(all, &one)->text, "long");
	assert_null(maintenance_of_server(all, &two));
	x2gobroker_maintenance_free(all);
}

static void
a_directory_of_somebody_else_is_refused(void **state unused)
{
	const struct x2gobroker_notice notice = { .text = "x" };
	struct x2gobroker_maintenance *all;
	struct x2gobroker_error err;
	bool changed;

	begin(NULL, NULL, "here", 0, true);
	assert_int_equal(chmod(test_path(DIR_NAME), 0777), 0);
	assert_int_equal(x2gobroker_maintenance_load(&config, &all, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_null(all);
	assert_int_equal(x2gobroker_maintenance_begin(&config, &notice, &err),
	    -1);
	assert_int_equal(x2gobroker_maintenance_end(&config, NULL, &changed,
	    &err), -1);
	assert_int_equal(chmod(test_path(DIR_NAME), 0700), 0);
}

static void
without_memory_nothing_is_lost(void **state unused)
{
	struct x2gobroker_maintenance *all;
	struct x2gobroker_error err;
	bool failed = true;
	int i, result;

	begin(NULL, NULL, "here", 0, true);
	begin("p", NULL, "there", 0, true);
	for (i = 1; failed; i++) {
		alloc_fail(i);
		result = x2gobroker_maintenance_load(&config, &all, &err);
		failed = alloc_failed();
		assert_int_equal(result, failed ? -1 : 0);
		x2gobroker_maintenance_free(all);
	}
	assert_string_equal(list(), "- - 0 1 here\np - 0 1 there\n");
}

#define test(f)	cmocka_unit_test_setup_teardown(f, make_site, remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(there_is_one_notice_for_each_scope),
		test(a_notice_ends_by_itself),
		test(what_the_client_must_not_see_is_refused),
		test(what_is_no_notice_is_skipped),
		test(the_strictest_notice_counts),
		test(a_directory_of_somebody_else_is_refused),
		test(without_memory_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
