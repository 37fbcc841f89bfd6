/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/wait.h>

#include <limits.h>

#include "base/statedir.h"
#include "farm/farm.h"
#include "base/clock.h"
#include "failing_malloc.h"
#include "state_rows.h"

#define NOW	1763930965
#define MANY	50	/* a class that logs in at once */

static struct assignments *
open_at(time_t now)
{
	struct assignments *choices;

	assert_int_equal(assignments_open(state_dir, now, &choices, NULL), 0);
	assert_non_null(choices);
	return choices;
}

/* Add a choice, as a broker does it. */
static void
choose(time_t now, const char *server, const char *user, const char *profile)
{
	struct assignments *choices = open_at(now);

	assert_int_equal(assignments_add(choices, server, user, profile, NULL),
	    0);
	assignments_close(choices);
}

/* Of them, alice's in the profile lab. */
static long own;

static long
count(const struct assignments *choices, const char *server,
    const struct agent_report *report)
{
	own = 0;
	return assignments_pending(choices, server, report, "alice", "lab",
	    &own);
}

static long
pending(time_t now, const char *server)
{
	struct assignments *choices = open_at(now);
	long n = count(choices, server, NULL);

	assignments_close(choices);
	return n;
}

/* While the server reports a session of user. */
static long
pending_beside(time_t now, const char *server, const char *user, long age)
{
	char name[20];
	struct agent_tally start = { name, age };
	const struct agent_report report = { .starts = &start, .nstarts = 1 };
	struct assignments *choices = open_at(now);
	long n;

	strlcpy(name, user, sizeof(name));
	n = count(choices, server, &report);
	assignments_close(choices);
	return n;
}

#define DIR		"state/" ASSIGNMENTS_DIR
#define text_of_file()	rows_text(DIR)

/*
 * What is remembered
 */

static void
choices_are_counted_by_server(void **state unused)
{
	assert_int_equal(pending(NOW, "ts01:22"), 0);
	choose(NOW, "ts01:22", "alice", "lab");
	choose(NOW, "ts01:22", "bob", "lab");
	choose(NOW, "TS02.Example.org:22", "carol", "a lab, with blanks");
	assert_int_equal(pending(NOW, "ts01:22"), 2);
	assert_int_equal(pending(NOW, "TS01:22"), 2);
	assert_int_equal(pending(NOW, "ts02.example.org:22"), 1);
	assert_int_equal(pending(NOW, "ts01:2222"), 0);
	assert_int_equal(pending(NOW, "ts01"), 0);
	assert_int_equal(pending(NOW, ""), 0);
	assert_string_equal(text_of_file(),
	    "1763930965 ts01:22 alice lab\n"
	    "1763930965 ts01:22 bob lab\n"
	    "1763930965 TS02.Example.org:22 carol a lab, with blanks\n");
}

static void
who_chooses_anew_counts_once(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	choose(NOW + 1, "ts02:22", "alice", "lab");
	assert_int_equal(pending(NOW + 1, "ts01:22"), 0);
	assert_int_equal(pending(NOW + 1, "ts02:22"), 1);

	/* another profile is another session, and so is another user's */
	choose(NOW + 2, "ts02:22", "alice", "lab 2");
	choose(NOW + 2, "ts02:22", "Alice", "lab");
	assert_int_equal(pending(NOW + 2, "ts02:22"), 3);
}

static void
choices_are_forgotten_after_ten_minutes(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	choose(NOW + 1, "ts01:22", "bob", "lab");
	assert_int_equal(pending(NOW + ASSIGNMENT_SECONDS, "ts01:22"), 2);
	assert_int_equal(pending(NOW + ASSIGNMENT_SECONDS + 1, "ts01:22"), 1);
	assert_int_equal(pending(NOW + ASSIGNMENT_SECONDS + 2, "ts01:22"), 0);

	/* and their files are removed */
	assert_string_equal(text_of_file(), "");
}

static void
choices_of_the_future_do_not_count(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	assert_int_equal(pending(NOW - 5, "ts01:22"), 1);
	assert_int_equal(pending(NOW - 6, "ts01:22"), 0);
}

/* Each row: a choice of alice's for ts01:22 at NOW, and what is reported. */
static void
a_session_that_has_started_fulfils_a_choice(void **state unused)
{
	static const struct {
		const char *label, *server, *user;
		time_t now;
		long age;
		long pending;
	} rows[] = {
		{ "at once", "ts01:22", "alice", NOW, 0, 0 },
		{ "ten seconds later", "ts01:22", "alice", NOW + 30, 20, 0 },
		{ "in the same second", "ts01:22", "alice", NOW + 30, 30, 0 },
		{ "a second of another clock", "ts01:22", "alice", NOW + 30,
		    31, 0 },
		{ "two", "ts01:22", "alice", NOW + 30, 32, 0 },
		{ "in any case", "TS01:22", "alice", NOW + 30, 20, 0 },
		{ "a clock set back", "ts01:22", "alice", NOW + 30, -99, 0 },
		{ "one that was there before", "ts01:22", "alice", NOW + 30,
		    33, 1 },
		{ "an old one", "ts01:22", "alice", NOW, 86400, 1 },
		{ "one of the beginning of time", "ts01:22", "alice", NOW,
		    INT32_MAX, 1 },
		{ "another server's", "ts02:22", "bob", NOW + 30, 20, 0 },
		{ "another port's", "ts01:2222", "bob", NOW + 30, 20, 0 },
		{ "another user's", "ts01:22", "bob", NOW + 30, 20, 1 },
		{ "another Alice's", "ts01:22", "Alice", NOW + 30, 20, 1 },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		choose(NOW, "ts01:22", "alice", "lab");
		check(rows[i].label, pending_beside(rows[i].now,
		    rows[i].server, rows[i].user, rows[i].age) ==
		    rows[i].pending);
		rows_forget(DIR);
	}
}

static void
one_start_fulfils_all_older_choices(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	choose(NOW, "ts02:22", "alice", "lab 2");
	choose(NOW, "ts01:22", "bob", "lab");
	choose(NOW + 5, "ts01:22", "alice", "lab 3");
	choose(NOW + 20, "ts01:22", "alice", "lab 4");
	assert_int_equal(pending(NOW + 30, "ts01:22"), 4);
	assert_int_equal(own, 1);
	assert_int_equal(pending_beside(NOW + 30, "ts01:22", "alice", 20), 2);
	assert_int_equal(own, 0);
	assert_int_equal(pending(NOW + 30, "ts02:22"), 1);
}

/* A server on which sessions die at once must not attract everybody. */
static void
a_session_that_dies_at_once_still_counts(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	assert_int_equal(pending_beside(NOW + 5, "ts01:22", "alice", 3), 0);
	assert_int_equal(pending(NOW + 6, "ts01:22"), 1);
	assert_int_equal(pending(NOW + 500, "ts01:22"), 1);
}

static void
ages_without_end_do_no_harm(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	assert_int_equal(pending_beside(NOW, "ts01:22", "alice",
	    LONG_MAX), 1);
}

static void
what_cannot_stand_in_a_line_is_refused(void **state unused)
{
	static const struct {
		const char *server, *user, *profile;
	} rows[] = {
		{ "", "alice", "lab" },
		{ "ts 01:22", "alice", "lab" },
		{ "ts01:22\n", "alice", "lab" },
		{ "ts01:22", "", "lab" },
		{ "ts01:22", "alice liddell", "lab" },
		{ "ts01:22", "ali\nce", "lab" },
		{ "ts01:22", "ali\tce", "lab" },
		{ "ts01:22", "alice\x7f", "lab" },
		{ "ts01:22", "alice", "" },
		{ "ts01:22", "alice", "lab\n1 a b c" },
		{ "ts01:22", "alice", "la\x01" "b" },
	};
	struct x2gobroker_error err;
	struct assignments *choices = open_at(NOW);
	char name[1000];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].user, assignments_add(choices, rows[i].server,
		    rows[i].user, rows[i].profile, &err) == -1);
		check_problem(rows[i].user, &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, "cannot be stored" });
	}
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(assignments_add(choices, name, "a", "b", NULL), -1);
	assert_int_equal(assignments_add(choices, "ts01:22", name, "b", NULL), -1);
	assert_int_equal(assignments_add(choices, "ts01:22", "a", name, NULL), -1);
	assert_string_equal(text_of_file(), "");
	assignments_close(choices);
}

static void
the_oldest_go_when_there_are_too_many(void **state unused)
{
	char text[64];
	int i;

	choose(NOW, "ts01:22", "alice", "lab");
	for (i = 2; i <= STATEDIR_ROWS + 3; i++) {
		snprintf(text, sizeof(text), "%d ts0%d:22 u%d lab", NOW,
		    i <= 4 ? 1 : 2, i);
		row_write(DIR, i, text);
	}
	assert_int_equal(pending(NOW, "ts01:22"), 1);
	assert_int_equal(pending(NOW, "ts02:22"), STATEDIR_ROWS - 1);
}

/*
 * The files
 */

static void
rows_that_are_none_are_left_out(void **state unused)
{
	static const char *const lines[] = {
		"", " ", "x", "1763930965", "1763930965 ts01:22",
		"1763930965 ts01:22 alice", "1763930965 ts01:22 alice ",
		"1763930965  alice lab", "1763930965 ts01:22  lab",
		" 1763930965 ts01:22 alice lab", "-1 ts01:22 alice lab",
		"+1763930965 ts01:22 alice lab",
		"1763930965.5 ts01:22 alice lab", " ts01:22 alice lab",
		"1763930965x ts01:22 alice lab",
		"99999999999999999999 ts01:22 alice lab",
		"1763930965\tts01:22\talice\tlab",
		"1763930965 ts01:22 alice lab\r",
		"1763930965 ts01:22 al\x7fice lab",
	};
	size_t i;

	choose(NOW, "ts01:22", "bob", "lab");
	for (i = 0; i < LENGTH(lines); i++)
		row_write(DIR, (int)i + 2, lines[i]);
	for (i = 0; i < 3; i++)
		check("rows", pending(NOW, "ts01:22") == 1);
}

/* Other files in the directory: they neither count nor stand in the way. */
static void
other_files_are_left_alone(void **state unused)
{
	choose(NOW, "ts01:22", "alice", "lab");
	write_file(DIR "/2", "1763930965 ts01:22 x y");
	assert_int_equal(mkfifo(test_path(DIR "/3"), 0600), 0);
	make_dir(DIR "/4");
	write_file(DIR "/.5", "");
	write_file(DIR "/x", "");
	write_file(DIR "/99999999999999999999", "");
	choose(NOW, "ts01:22", "bob", "lab");
	assert_int_equal(pending(NOW, "ts01:22"), 2);
	assert_int_equal(access(test_path(DIR "/2"), F_OK), 0);
	assert_int_not_equal(readlink(test_path(DIR "/5"), (char[9]){ 0 }, 9),
	    -1);
}

static void
the_files_are_for_us_alone(void **state unused)
{
	struct stat st;

	choose(NOW, "ts01:22", "alice", "lab");
	assert_int_equal(stat(test_path("state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(test_path(DIR), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/*
 * The directory
 */

static void
check_refused(const char *label, enum x2gobroker_code code)
{
	struct x2gobroker_error err;
	struct assignments *choices = (void *)&err;

	check(label, assignments_open(state_dir, NOW, &choices, &err) == -1);
	check(label, choices == NULL);
	check(label, err.code == code);
}

static void
an_unsafe_directory_is_refused(void **state unused)
{
	const char *path = make_dir("state");

	assert_int_equal(chmod(path, 0775), 0);
	check_refused("group", X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(path, 0757), 0);
	check_refused("others", X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(path, 01777), 0);
	check_refused("sticky", X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(path, 0755), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1, 1), 0);
		check_refused("somebody's", X2GOBROKER_ERR_UNSAFE);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(chmod(test_dir, 0777), 0);
	check_refused("the one above", X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(test_dir, 0755), 0);
	assert_int_equal(rmdir(path), 0);
	write_file("state", "");
	check_refused("a file", X2GOBROKER_ERR_UNSAFE);
}

static void
without_a_parent_there_is_no_directory(void **state unused)
{
	snprintf(state_dir, sizeof(state_dir), "%s/a/b", test_dir);
	check_refused("no parent", X2GOBROKER_ERR_NOTFOUND);
	assert_int_equal(access(test_path("a"), F_OK), -1);
}

static void
what_is_in_the_place_of_the_directory_is_refused(void **state unused)
{
	make_dir("state");
	write_file("state/" ASSIGNMENTS_DIR, "");
	check_refused("a file", X2GOBROKER_ERR_UNSAFE);
	unlink(test_path(DIR));
	assert_int_equal(chmod(make_dir(DIR), 0777), 0);
	check_refused("everybody's", X2GOBROKER_ERR_UNSAFE);
}

/*
 * Many at once
 */

/* The caller of a setuid broker can stop it wherever it is. */
static void
a_stopped_broker_holds_up_no_other(void **state unused)
{
	struct assignments *stopped = open_at(NOW);
	int64_t begin = clock_ms();

	choose(NOW, "ts01:22", "alice", "lab");
	assert_int_equal(pending(NOW, "ts01:22"), 1);
	assert_int_in_range(clock_ms() - begin, 0, 1000);

	/* when it goes on, it notices what it has missed */
	assert_int_equal(assignments_add(stopped, "ts02:22", "bob", "lab",
	    NULL), 1);
	assert_int_equal(count(stopped, "ts01:22", NULL), 0);
	assert_int_equal(pending(NOW, "ts02:22"), 0);
	assert_int_equal(assignments_read_more(stopped, NULL), 0);
	assert_int_equal(count(stopped, "ts01:22", NULL), 1);
	assert_int_equal(assignments_add(stopped, "ts02:22", "bob", "lab",
	    NULL), 0);
	assignments_close(stopped);
	assert_int_equal(pending(NOW, "ts02:22"), 1);
}

static bool
choose_as(int number)
{
	struct assignments *choices;
	char user[20];
	int result;

	snprintf(user, sizeof(user), "u%d", number);
	if (assignments_open(state_dir, NOW, &choices, NULL) == -1)
		return false;
	while ((result = assignments_add(choices, number % 2 == 0 ?
	    "ts01:22" : "ts02:22", user, "lab", NULL)) == 1)
		if (assignments_read_more(choices, NULL) == -1)
			return false;
	assignments_close(choices);
	return result == 0;
}

/* All children begin when the pipe is closed. */
static pid_t
start_child(int number, int ends[2])
{
	pid_t pid = fork();
	char c;

	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	close(ends[1]);
	_exit(read(ends[0], &c, 1) == 0 && choose_as(number) ? 0 : 1);
}

static void
many_at_once_lose_nothing(void **state unused)
{
	pid_t pids[MANY];
	int ends[2], i, status;
	int64_t begin;

	assert_int_equal(pipe(ends), 0);
	for (i = 0; i < MANY; i++)
		pids[i] = start_child(i, ends);
	begin = clock_ms();
	close(ends[0]);
	close(ends[1]);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	print_message("# %d brokers: %d ms\n", MANY,
	    (int)(clock_ms() - begin));
	assert_int_in_range(clock_ms() - begin, 0, 60000);
	assert_int_equal(pending(NOW, "ts01:22"), MANY / 2);
	assert_int_equal(pending(NOW, "ts02:22"), MANY / 2);
}

/*
 * What fails
 */

static void
without_memory_the_files_stay_as_they_were(void **state unused)
{
	struct x2gobroker_error err;
	struct assignments *choices;
	int n, result;

	choose(NOW, "ts01:22", "alice", "lab");
	for (n = 1;; n++) {
		alloc_fail(n);
		result = assignments_open(state_dir, NOW, &choices, &err);
		if (result == 0) {
			result = assignments_add(choices, "ts01:22", "bob",
			    "lab", &err);
			assignments_close(choices);
		} else
			assert_null(choices);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		assert_int_equal(pending(NOW, "ts01:22"), 1);
	}
	assert_int_equal(result, 0);
	assert_true(n > 5);
	assert_int_equal(pending(NOW, "ts01:22"), 2);
}

#define test(f)	cmocka_unit_test_setup_teardown(f, make_state_dir, \
    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(choices_are_counted_by_server),
		test(who_chooses_anew_counts_once),
		test(choices_are_forgotten_after_ten_minutes),
		test(choices_of_the_future_do_not_count),
		test(a_session_that_has_started_fulfils_a_choice),
		test(one_start_fulfils_all_older_choices),
		test(a_session_that_dies_at_once_still_counts),
		test(ages_without_end_do_no_harm),
		test(what_cannot_stand_in_a_line_is_refused),
		test(the_oldest_go_when_there_are_too_many),
		test(rows_that_are_none_are_left_out),
		test(other_files_are_left_alone),
		test(the_files_are_for_us_alone),
		test(an_unsafe_directory_is_refused),
		test(without_a_parent_there_is_no_directory),
		test(what_is_in_the_place_of_the_directory_is_refused),
		test(a_stopped_broker_holds_up_no_other),
		test(many_at_once_lose_nothing),
		test(without_memory_the_files_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
