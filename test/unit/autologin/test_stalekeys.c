/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/wait.h>

#include "base/cleanup.h"
#include "autologin/autologin.h"
#include "failing_malloc.h"
#include "state_rows.h"

#define NOW	1763930965
#define MANY	30	/* brokers at the same time */
#define FEW	5	/* that one of them takes */

/* A lease of alice's with that line, which is good until then. */
static struct staterow
lease_of(const char *server, int64_t expires, const char *line)
{
	static char user[] = "alice", file[] = "%h/.x2go/authorized_keys";
	static char servers[16][64], lines[16][64];
	static unsigned int next;
	unsigned int i = next++ % LENGTH(lines);

	snprintf(servers[i], sizeof(servers[i]), "%s", server);
	snprintf(lines[i], sizeof(lines[i]), "%s", line);
	return (struct staterow){ .seconds = expires, .fields = { servers[i],
	    user, file, lines[i] } };
}

static void
note(const char *server, int64_t expires, const char *line)
{
	const struct staterow lease = lease_of(server, expires, line);
	const struct staterows none = { 0 };

	assert_int_equal(stalekeys_update(state_dir, &none, &lease, NULL), 0);
}

/* The lines that are taken, with a blank behind each. */
static const char *
take(const char *server, int64_t now)
{
	static char text[1024];
	struct staterows taken;
	size_t i, len = 0;

	text[0] = '\0';
	assert_int_equal(stalekeys_take(state_dir, server, now, &taken, NULL), 0);
	for (i = 0; i < taken.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ",
		    taken.list[i].fields[STALE_LINE]);
	staterows_free(&taken);
	return text;
}

#define DIR		"state/" STALEKEYS_DIR
#define text_of_file()	rows_text(DIR)

static size_t
count_lines(void)
{
	const char *p = text_of_file();
	size_t n = 0;

	for (; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

static void
what_has_expired_is_taken(void **state unused)
{
	assert_string_equal(take("ts01:22", NOW), "");
	note("ts01:22", NOW - 1, "a");
	note("ts01:22", NOW, "b");
	note("ts02:22", NOW - 1, "c");
	note("ts01:2222", NOW - 1, "d");
	assert_string_equal(text_of_file(),
	    "1763930964\tts01:22\talice\t%h/.x2go/authorized_keys\ta\n"
	    "1763930965\tts01:22\talice\t%h/.x2go/authorized_keys\tb\n"
	    "1763930964\tts02:22\talice\t%h/.x2go/authorized_keys\tc\n"
	    "1763930964\tts01:2222\talice\t%h/.x2go/authorized_keys\td\n");
	assert_string_equal(take("TS01:22", NOW), "a ");
	assert_string_equal(take("ts03:22", NOW), "");
}

static void
what_is_taken_is_nobody_elses_for_a_minute(void **state unused)
{
	note("ts01:22", NOW - 1, "a");
	assert_string_equal(take("ts01:22", NOW), "a ");
	assert_string_equal(take("ts01:22", NOW), "");
	assert_string_equal(take("ts01:22", NOW + 60), "");
	/* whoever took it has not come back */
	assert_string_equal(take("ts01:22", NOW + 61), "a ");
}

static void
what_is_done_is_forgotten(void **state unused)
{
	const struct staterow rows[] = { lease_of("ts01:22", NOW, "a"),
	    lease_of("TS02:22", NOW + 500, "b"),
	    lease_of("ts09:22", NOW, "never there") };
	const struct staterow new = lease_of("ts01:22", NOW + 60, "new");
	struct staterows done = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		assert_int_equal(staterows_add(&done, &rows[i], NULL), 0);
	note("ts01:22", NOW, "a");
	note("ts01:22", NOW, "kept");
	note("ts02:22", NOW, "b");
	note("ts02:22", NOW, "a");
	assert_int_equal(stalekeys_update(state_dir, &done, &new, NULL), 0);
	assert_string_equal(text_of_file(),
	    "1763930965\tts01:22\talice\t%h/.x2go/authorized_keys\tkept\n"
	    "1763930965\tts02:22\talice\t%h/.x2go/authorized_keys\ta\n"
	    "1763931025\tts01:22\talice\t%h/.x2go/authorized_keys\tnew\n");
	staterows_free(&done);
}

/* Nobody waits until all is cleared up behind a class. */
static void
a_few_are_taken_at_a_time(void **state unused)
{
	size_t i;

	for (i = 0; i < 2 * FEW + 1; i++)
		note("ts01:22", NOW - 1, (const char[]){ (char)('a' + i),
		    '\0' });
	assert_string_equal(take("ts01:22", NOW), "a b c d e ");
	assert_string_equal(take("ts01:22", NOW), "f g h i j ");
	assert_string_equal(take("ts01:22", NOW), "k ");
	assert_int_equal(count_lines(), 2 * FEW + 1);
}

/* No request depends on what is in there. */
static void
what_is_no_lease_is_left_out(void **state unused)
{
	static const char *const texts[] = { "garbage",
	    "1\tts01:22\talice\tfile", "x\tts01:22\talice\tfile\tbad",
	    "-1\tts01:22\talice\tfile\tbad",
	    "\tts01:22\talice\tfile\tbad",
	    "99999999999999999999\tts01:22\talice\tfile\tbad",
	    "1\tts01:22\talice\tfile\tgood\twith a tab",
	    "1\tts01:22\talice\tfile\tgood too" };
	size_t i;

	assert_int_equal(mkdir(state_dir, 0700), 0);
	make_dir(DIR);
	for (i = 0; i < LENGTH(texts); i++)
		row_write(DIR, (int)i + 1, texts[i]);
	assert_string_equal(take("ts01:22", NOW),
	    "good\twith a tab good too ");
	assert_int_equal(count_lines(), LENGTH(texts));
}

/* What one takes, no other takes. */
static void
a_key_is_taken_by_one_broker(void **state unused)
{
	int i, status, taken = 0;

	note("ts01:22", NOW - 1, "line");
	for (i = 0; i < MANY; i++)
		if (fork() == 0)
			_exit(*take("ts01:22", NOW) != '\0');
	for (i = 0; i < MANY; i++) {
		assert_int_not_equal(wait(&status), -1);
		taken += status != 0;
	}
	assert_int_equal(taken, 1);
	assert_int_equal(count_lines(), 1);
}

static void
brokers_do_not_lose_each_others(void **state unused)
{
	char line[32];
	int i, status;

	for (i = 0; i < MANY; i++) {
		if (fork() != 0)
			continue;
		snprintf(line, sizeof(line), "line %d", i);
		note("ts01:22", NOW - 1, line);
		take("ts02:22", NOW);
		_exit(0);
	}
	for (i = 0; i < MANY; i++) {
		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_lines(), MANY);
}

static void
a_directory_that_others_can_write_to_is_not_used(void **state unused)
{
	const struct staterow lease = lease_of("ts01:22", NOW, "a");
	const struct staterows none = { 0 };
	struct x2gobroker_error err;
	struct staterows taken;

	assert_int_equal(mkdir(state_dir, 0700), 0);
	assert_int_equal(chmod(state_dir, 0770), 0);
	assert_int_equal(stalekeys_update(state_dir, &none, &lease, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(stalekeys_take(state_dir, "ts01:22", NOW, &taken, &err), -1);
	assert_int_equal(taken.n, 0);
	assert_int_equal(access(test_path(DIR), F_OK), -1);

	/* but there is nothing to be said of nothing */
	assert_int_equal(stalekeys_update(state_dir, &none, NULL, &err), 0);
}

static void
memory_may_be_out_at_any_time(void **state unused)
{
	const struct staterow lease = lease_of("ts01:22", NOW, "new");
	struct x2gobroker_error err;
	struct staterows taken;
	int i, result;

	note("ts01:22", NOW - 1, "a");
	note("ts01:22", NOW - 1, "b");
	for (i = 1;; i++) {
		alloc_fail(i);
		result = stalekeys_take(state_dir, "ts01:22", NOW + 100 * i, &taken,
		    &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		assert_int_equal(taken.n, 0);
	}
	assert_int_equal(result, 0);
	assert_int_equal(taken.n, 2);
	for (i = 1;; i++) {
		alloc_fail(i);
		result = stalekeys_update(state_dir, &taken, &lease, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_in_range(count_lines(), 0, 2);
	}
	assert_int_equal(result, 0);
	assert_int_equal(count_lines(), 1);
	staterows_free(&taken);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, make_state_dir, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_has_expired_is_taken),
		TEST(what_is_taken_is_nobody_elses_for_a_minute),
		TEST(what_is_done_is_forgotten),
		TEST(a_few_are_taken_at_a_time),
		TEST(what_is_no_lease_is_left_out),
		TEST(a_key_is_taken_by_one_broker),
		TEST(brokers_do_not_lose_each_others),
		TEST(a_directory_that_others_can_write_to_is_not_used),
		TEST(memory_may_be_out_at_any_time),
	};

	return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
