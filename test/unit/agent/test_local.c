/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "agent/connection.h"
#include "support.h"

#define PATIENCE_MS	20000

/* Run the words, the first of which is a file with this text. */
static int
run_script(const char *script, const char *arg, int ms, size_t max,
    struct buf *out, struct x2gobroker_error *err)
{
	const char *path = write_file("agent", script);
	const char *argv[] = { path, "user", "task", arg, NULL };

	assert_int_equal(chmod(path, 0755), 0);
	memset(err, 0, sizeof(*err));
	memset(out, 0, sizeof(*out));
	return local_run(argv, clock_ms() + ms, max, NULL, out, err);
}

static void
what_it_prints_is_read(void **state unused)
{
	static const struct {
		const char *script, *arg, *output;
	} rows[] = {
		{ "#!/bin/sh\necho OK\n", NULL, "OK\n" },
		{ "#!/bin/sh\necho \"$# $1 $2 $3\"\n", "a b  c",
		    "3 user task a b  c\n" },
		{ "#!/bin/sh\necho \"$3\"\n", "\"'$(id);`id`\\",
		    "\"'$(id);`id`\\\n" },
		{ "#!/bin/sh\necho \"$3\"\n", "a\nb", "a\nb\n" },
		{ "#!/bin/sh\nenv | grep -v '^PWD=\\|^_=\\|^SHLVL='\n", NULL,
		    "PATH=/usr/local/bin:/usr/bin:/bin\n" },
		{ "#!/bin/sh\ncat\nls /proc/self/fd | wc -l\n", NULL, "4\n" },
		{ "#!/bin/sh\nprintf half; exit 0\n", NULL, "half" },
		/* words on stderr with an answer are no failure */
		{ "#!/bin/sh\necho OK; echo hm >&2\n", NULL, "OK\n" },
	};
	struct x2gobroker_error err;
	struct buf out;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].script, run_script(rows[i].script, rows[i].arg,
		    PATIENCE_MS, 1000, &out, &err) == 0);
		check_text(rows[i].script, out.data, rows[i].output);
		buf_free(&out);
	}
}

static void
what_goes_wrong_has_words(void **state unused)
{
	static const struct {
		const char *script;
		enum x2gobroker_code code;
		const char *text;
	} rows[] = {
		{ "#!/bin/sh\nexit 3\n", X2GOBROKER_ERR_DENIED,
		    "the agent on this host exited with status 3" },
		{ "#!/bin/sh\necho OK; exit 1\n", X2GOBROKER_ERR_DENIED,
		    "the agent on this host exited with status 1" },
		{ "#!/bin/sh\necho no such user >&2; echo x >&2; exit 1\n",
		    X2GOBROKER_ERR_DENIED,
		    "the agent on this host says: no such user x" },
		/* Debian's agent ends with 0 at times */
		{ "#!/bin/sh\necho no such user >&2\n", X2GOBROKER_ERR_DENIED,
		    "the agent on this host says: no such user" },
		{ "#!/bin/sh\nkill -9 $$\n", X2GOBROKER_ERR_DENIED,
		    "the agent on this host was killed by signal 9" },
		{ "#!/bin/sh\nhead -c 2000 /dev/zero\n",
		    X2GOBROKER_ERR_SYNTAX,
		    "the agent on this host answered with more than 1000" },
		{ "#!/bin/sh\nyes\n", X2GOBROKER_ERR_SYNTAX,
		    "the agent on this host answered with more than 1000" },
		{ "#!/bin/sh\nyes >&2 & sleep 1000\n", X2GOBROKER_ERR_SYSTEM,
		    "the agent on this host did not end in time" },
		{ "#!/bin/sh\necho OK\nsleep 1000\n", X2GOBROKER_ERR_SYSTEM,
		    "the agent on this host did not end in time" },
		{ "#!/nonexistent/sh\n", X2GOBROKER_ERR_SYSTEM,
		    "cannot start the agent on this host: No such file" },
	};
	struct x2gobroker_error err;
	struct buf out;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].script, run_script(rows[i].script, NULL,
		    rows[i].code == X2GOBROKER_ERR_SYSTEM ? 300 : PATIENCE_MS,
		    1000, &out, &err) == -1);
		check(rows[i].script, err.code == rows[i].code);
		if (strstr(err.text, rows[i].text) == NULL)
			fail_msg("[%s] %s", rows[i].script, err.text);
		buf_free(&out);
	}
}

static void
at_the_deadline_its_children_go_too(void **state unused)
{
	struct x2gobroker_error err;
	struct buf out;
	char path[64];
	int64_t start = clock_ms();
	int i, pid;

	assert_int_equal(run_script("#!/bin/sh\nsleep 1000 & echo $!; wait\n",
	    NULL, 3000, 1000, &out, &err), -1);
	assert_int_in_range(clock_ms() - start, 3000, 60000);
	pid = atoi(out.data);
	assert_true(pid > 1);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	for (i = 0; i < 100 && access(path, F_OK) == 0; i++)
		poll(NULL, 0, 50);
	assert_int_not_equal(access(path, F_OK), 0);
	buf_free(&out);
}

static void
a_blocked_signal_is_not_inherited(void **state unused)
{
	struct x2gobroker_error err;
	sigset_t all, old;
	struct buf out;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	assert_int_equal(run_script("#!/bin/sh\ngrep SigBlk /proc/self/status\n",
	    NULL, PATIENCE_MS, 1000, &out, &err), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(out.data, "SigBlk:\t0000000000000000\n");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_prints_is_read),
		cmocka_unit_test(what_goes_wrong_has_words),
		cmocka_unit_test(at_the_deadline_its_children_go_too),
		cmocka_unit_test(a_blocked_signal_is_not_inherited),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
