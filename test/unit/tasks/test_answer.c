/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tasks/answer.h"
#include "support.h"

#define U	"f7e8c1a2-0b3d-4c5e-8f90-123456789abc"
#define BEGIN	"X2GODATABEGIN:" U "\n"
#define END	"X2GODATAEND:" U "\n"
#define WRAP(command) "bash -l -c 'echo \"X2GODATABEGIN:" U "\"; "	\
		"export PATH=\"/usr/local/bin:/usr/bin:/bin\";"		\
		"export TERM=\"dumb\"; " command			\
		"; echo \"X2GODATAEND:" U "\";'"

static struct x2gobroker_request *request;
static struct x2gobroker_answer *answer;
static struct x2gobroker_profiles *profiles;
static struct x2gobroker_user *user;

/* Parse command, which may be NULL: nothing was recognised. */
static int
start(const char *command)
{
	int result = 0;

	if (command != NULL)
		result = x2gobroker_request_parse(command, &request, NULL);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	return result;
}

static void
expect(const char *label, const char *want)
{
	const char *text;
	size_t len;

	assert_int_equal(x2gobroker_answer_text(answer, &text, &len, NULL), 0);
	check_text(label, text, want);
	check(label, strlen(want) == len);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	answer = NULL;
	request = NULL;
}

static int
make_profiles(void **state)
{
	struct problems problems;

	if (make_test_dir(state) == -1)
		return -1;
	profiles = load_text("[lab]\nhost=lab\n", &problems);
	user = make_user("alice", NULL);
	return 0;
}

static int
free_profiles(void **state)
{
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return remove_test_dir(state);
}

static void
an_answer_is_a_refusal_until_something_grants(void **state unused)
{
	static const char *const rows[][2] = {
		{ NULL, "Access denied\n" },
		{ "id", "Access denied\n" },
		{ "x --task listsessions", "Access denied\n" },
		{ "echo \"LOGIN OK\"", "Access denied\n" },
		{ WRAP("id"), BEGIN "Access denied\n" END },
		{ WRAP("x --task listsessions"), BEGIN "Access denied\n" END },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		start(rows[i][0]);
		assert_string_equal(x2gobroker_answer_summary(answer), "");
		expect("refusal", rows[i][1]);
	}
	x2gobroker_answer_free(NULL);
}

static void
tasks_are_answered_between_their_markers(void **state unused)
{
	static const struct {
		const char *command, *text, *summary;
		const char *refused;	/* NULL: granted */
	} rows[] = {
		{ "x --task clientevent --event ALIVE", "Access granted\n",
		    "event=ALIVE", NULL },
		{ "x --task clientevent", "Access granted\n", "event=unknown",
		    NULL },
		{ "x --task clientevent --event \"A profile=x\"",
		    "Access granted\n", "event=unknown", NULL },
		{ "x --task clientevent --event alive", "Access granted\n",
		    "event=unknown", NULL },
		{ WRAP("x --task clientevent --event FINISHED"),
		    BEGIN "Access granted\n" END, "event=FINISHED", NULL },
		{ WRAP("x --task clientevent --event "
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		    BEGIN "Access granted\n" END, "event=unknown", NULL },
		{ "x --task testcon", "Access denied\n", "", "testcon" },
		{ WRAP("x --task testcon"), BEGIN "Access denied\n" END, "",
		    "testcon: always refused" },
		{ WRAP("x --task setpass --newpass secret"),
		    BEGIN "Access denied\n" END, "", "does not change pass" },
		{ WRAP("x --task selectsession --sid none"),
		    BEGIN "Access denied\n" END, "", "no profile has this" },
		{ WRAP("x --task selectsession --sid lab --login root"),
		    BEGIN "Access denied\n" END, "", "--login root is neith" },
	};
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		const char *label = rows[i].command;

		check(label, start(label) == 0);
		err.text[0] = '\0';
		check(label, (x2gobroker_answer_task(answer, profiles, user,
		    &err) == 0) == (rows[i].refused == NULL));
		if (rows[i].refused != NULL)
			check(label, strstr(err.text, rows[i].refused) !=
			    NULL);
		check(label, strstr(err.text, "secret") == NULL);
		check_text(label, x2gobroker_answer_summary(answer),
		    rows[i].summary);
		expect(label, rows[i].text);
	}
}

static const char *new_password;

static int
set_password(void *arg, const struct x2gobroker_user *who,
    const char *password, struct x2gobroker_error *err)
{
	assert_ptr_equal(arg, &new_password);
	assert_string_equal(x2gobroker_user_name(who), "alice");
	if (strcmp(password, "too simple") == 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "PAM says no");
	new_password = "set";
	return 0;
}

static void
passwords_are_set_by_who_allowed_it(void **state unused)
{
	static const struct {
		const char *command, *text;
		const char *refused;	/* NULL: granted */
	} rows[] = {
		{ "x --task setpass --newpass a; b \"c\"",
		    "Access granted\nPASSWORD CHANGED: OK\n", NULL },
		{ WRAP("x --user bob --task setpass --newpass a"), BEGIN
		    "Access granted\nPASSWORD CHANGED: OK\n" END, NULL },
		{ WRAP("x --task setpass --newpass too simple"),
		    BEGIN "Access denied\n" END, "PAM says no" },
		{ "x --task setpass --newpass ", "Access denied\n",
		    "setpass without --newpass" },
		{ "x --task setpass", "Access denied\n",
		    "setpass without --newpass" },
	};
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		start(rows[i].command);
		new_password = NULL;
		err.text[0] = '\0';
		x2gobroker_answer_allow_setpass(answer, set_password,
		    &new_password);
		check(rows[i].command, (x2gobroker_answer_task(answer,
		    profiles, user, &err) == 0) == (rows[i].refused == NULL));
		check(rows[i].command, (new_password != NULL) ==
		    (rows[i].refused == NULL));
		check(rows[i].command, strstr(err.text, rows[i].refused != NULL
		    ? rows[i].refused : "") != NULL);
		expect(rows[i].command, rows[i].text);
	}
}

static void
nobody_need_hear_why(void **state unused)
{
	static const char *const rows[] = {
		"x --task testcon", "x --task setpass --newpass x",
		"x --task selectsession --sid none",
		"x --task selectsession --sid lab --login root",
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		start(rows[i]);
		check(rows[i], x2gobroker_answer_task(answer, profiles, user,
		    NULL) == -1);
		expect(rows[i], "Access denied\n");
	}
	start("x --task selectsession --sid lab");
	assert_int_equal(x2gobroker_answer_task(answer, profiles, user, NULL),
	    0);
	expect("lab", "Access granted\nSERVER:lab:22\n");
}

static void
what_is_no_task_is_refused(void **state unused)
{
	static const char *const rows[] = { NULL, "id", "echo \"LOGIN OK\"",
	    "x --task shutdown", "x --task selectsession",
	    "x --sid lab --task listsessions --task listsessions" };
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		start(rows[i]);
		check("no task", x2gobroker_answer_task(answer, profiles, user,
		    &err) == -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_DENIED);
		expect("no task", "Access denied\n");
	}
}

static void
a_login_check_is_granted_or_tells_why_not(void **state unused)
{
	start("echo \"LOGIN OK\"");
	assert_int_equal(x2gobroker_answer_login_check(answer, NULL, NULL), 0);
	expect("granted", "LOGIN OK\n");
	start("echo \"LOGIN OK\"");
	assert_int_equal(x2gobroker_answer_login_check(answer,
	    "Not today.\nCome back.\n", NULL), 0);
	expect("message", "Not today.\nCome back.\n");
	/* never nothing at all: the client would reconnect for ever */
	start("echo \"LOGIN OK\"");
	assert_int_equal(x2gobroker_answer_login_check(answer, "", NULL), 0);
	expect("no message", "Access denied\n");
}

static void
whoami_is_answered_with_the_account(void **state unused)
{
	start(WRAP("whoami"));
	assert_int_equal(x2gobroker_answer_whoami(answer, "x2gobroker", NULL),
	    0);
	expect("whoami", BEGIN "x2gobroker\n" END);
}

static void
the_last_verdict_counts(void **state unused)
{
	start(WRAP("x --task testcon"));
	assert_int_equal(x2gobroker_answer_login_check(answer, NULL, NULL), 0);
	assert_int_equal(x2gobroker_answer_task(answer, profiles, user, NULL),
	    -1);
	expect("refused in the end", BEGIN "Access denied\n" END);
	start(WRAP("x --task listsessions"));
	assert_int_equal(x2gobroker_answer_task(answer, profiles, user, NULL),
	    0);
	assert_int_equal(x2gobroker_answer_whoami(answer, "a", NULL), 0);
	expect("whoami in the end", BEGIN "a\n" END);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_a_refusal_until_something_grants),
		cmocka_unit_test(tasks_are_answered_between_their_markers),
		cmocka_unit_test(passwords_are_set_by_who_allowed_it),
		cmocka_unit_test(nobody_need_hear_why),
		cmocka_unit_test(what_is_no_task_is_refused),
		cmocka_unit_test(a_login_check_is_granted_or_tells_why_not),
		cmocka_unit_test(whoami_is_answered_with_the_account),
		cmocka_unit_test(the_last_verdict_counts),
	};

	return cmocka_run_group_tests(tests, make_profiles, free_profiles);
}
