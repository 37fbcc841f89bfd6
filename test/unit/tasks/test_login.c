/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Over HTTP: a password or a token, and what is given out when neither is asked
 * for.  Linked with --wrap=time.
 */
#include "tasks/answer.h"
#include "fake_time.h"
#include "support.h"

#define PASSWORD	"right"

static int asked, checked;	/* calls for a password, and without one */
static bool account_expired;
static enum x2gobroker_code failure;
static char directory[100], state[100], token[TOKEN_LEN + 1];
static struct x2gobroker_profiles *profiles;

static int
make_site(void **arg)
{
	struct problems problems;

	if (make_test_dir(arg) == -1)
		return -1;
	snprintf(directory, sizeof(directory), "%s", make_dir("cookies"));
	snprintf(state, sizeof(state), "%s", make_dir("state"));
	test_config.cookie_directory = directory;
	test_config.state_dir = test_config.maintenance_dir = state;
	test_config.my_cookie = "secret";
	test_config.my_cookie_file = test_config.authids_dir = "/nonexistent";
	test_config.auth_timeout = 1000;
	test_config.token_grace = 10;
	test_config.verify_ip = true;
	test_config.http_failures = 3;
	test_config.http_failures_window = 600;
	test_config.require_cookie = false;
	profiles = load_text("[lab]\nhost=lab\n", &problems);
	now = 1700000000;
	asked = checked = 0;
	account_expired = false;
	failure = X2GOBROKER_ERR_DENIED;
	token[0] = '\0';
	return 0;
}

static int
free_site(void **arg)
{
	x2gobroker_profiles_free(profiles);
	return remove_test_dir(arg);
}

static int
authenticate(void *arg, const struct x2gobroker_user *user,
    const char *password, struct x2gobroker_error *err)
{
	assert_string_equal(arg, "argument");
	assert_non_null(user);
	if (password == NULL)
		checked++;
	else if (asked++, strcmp(password, PASSWORD) != 0)
		return error_set(err, failure, NULL, 0, "wrong");
	return account_expired ? error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "expired") : 0;
}

static int
set_password(void *arg unused, const struct x2gobroker_user *user unused,
    const char *password unused, struct x2gobroker_error *err unused)
{
	return 0;
}

/* Whether a form that begins so is granted; token becomes the one in the
 * answer, if there is one. */
static bool
send_form(const char *name, const char *address, const char *password,
    const char *authid, const char *task)
{
	static char argument[] = "argument";
	struct x2gobroker_user *user = make_user(name, address);
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct x2gobroker_error err;
	const char *text, *found;
	bool granted;
	char form[300];
	size_t len;

	snprintf(form, sizeof(form), "task=%s&user=%s&password=%s&authid=%s",
	    task, name, password, authid);
	assert_int_equal(x2gobroker_request_from_form(form, strlen(form),
	    &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	x2gobroker_answer_authenticate(answer, authenticate, argument);
	x2gobroker_answer_allow_setpass(answer, set_password, NULL);
	granted = x2gobroker_answer_task(answer, profiles, user, &err) == 0;
	assert_int_equal(x2gobroker_answer_text(answer, &text, &len, NULL), 0);
	if ((found = strstr(text, "AUTHID:")) != NULL)
		strlcpy(token, found + 7, sizeof(token));
	assert_int_equal(granted, strstr(text, "Access granted\n") != NULL);
	assert_true(granted || strcmp(text, "Access denied\n") == 0);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	x2gobroker_user_free(user);
	return granted;
}

static bool
list(const char *name, const char *password, const char *authid)
{
	return send_form(name, "192.0.2.1", password, authid, "listsessions");
}

static void
a_password_brings_a_token_and_that_replaces_it(void **arg unused)
{
	char first[TOKEN_LEN + 1];

	assert_true(list("alice", PASSWORD, ""));
	assert_int_equal(strlen(token), TOKEN_LEN);
	strcpy(first, token);
	assert_true(list("alice", "", token));
	assert_string_not_equal(first, token);
	assert_int_equal(asked, 1);
	assert_int_equal(checked, 1);
	assert_true(send_form("alice", "192.0.2.1", "", token,
	    "selectsession&sid=lab"));
	assert_int_equal(asked, 1);
	/* the account is checked all the same */
	account_expired = true;
	assert_false(list("alice", "", token));
}

static void
a_token_that_is_not_good_leaves_the_password(void **arg unused)
{
	char hers[TOKEN_LEN + 1];
	size_t i;
	static const char *const bad[] = { "", "0", "../../etc/passwd",
	    "%2e%2e%2f", "secret" };

	assert_true(list("alice", PASSWORD, ""));
	strcpy(hers, token);
	/* the next person at this client */
	assert_false(list("bob", "wrong", hers));
	assert_false(list("bob", "", hers));
	assert_true(list("bob", PASSWORD, hers));
	assert_true(list("alice", "", hers));
	/* from another address */
	assert_false(send_form("alice", "192.0.2.2", "", token,
	    "listsessions"));
	assert_true(send_form("alice", "192.0.2.2", PASSWORD, token,
	    "listsessions"));
	for (i = 0; i < LENGTH(bad); i++) {
		assert_false(list("carol", "", bad[i]));
		assert_true(list("carol", PASSWORD, bad[i]));
	}
	now += test_config.auth_timeout + 1;
	assert_false(list("alice", "", token));
	assert_true(list("alice", PASSWORD, token));
}

/* Events overlap, and the client drops answers. */
static void
an_event_keeps_the_token(void **arg unused)
{
	static const char event[] = "clientevent&sid=a&event=ALIVE";
	int i;

	assert_true(list("alice", PASSWORD, ""));
	for (i = 0; i < 5; i++, now += 60)
		assert_true(send_form("alice", "192.0.2.1", "", token, event));
	assert_int_equal(asked, 1);
	/* without one, it gets one */
	token[0] = '\0';
	assert_true(send_form("bob", "192.0.2.1", PASSWORD, "", event));
	assert_int_equal(strlen(token), TOKEN_LEN);
	assert_false(send_form("bob", "192.0.2.1", "", "", event));
}

static void
a_new_password_needs_the_old_one(void **arg unused)
{
	assert_true(list("alice", PASSWORD, ""));
	assert_false(send_form("alice", "192.0.2.1", "", token,
	    "setpass&newpass=x"));
	assert_false(send_form("alice", "192.0.2.1", "wrong", token,
	    "setpass&newpass=x"));
	assert_true(send_form("alice", "192.0.2.1", PASSWORD, token,
	    "setpass&newpass=x"));
}

static void
wrong_passwords_are_throttled(void **arg unused)
{
	assert_false(list("alice", "a", ""));
	assert_false(list("alice", "b", ""));
	/* PAM is broken: that is nobody's fault */
	failure = X2GOBROKER_ERR_SYSTEM;
	assert_false(list("alice", "c", ""));
	failure = X2GOBROKER_ERR_DENIED;
	assert_true(list("alice", PASSWORD, ""));
	assert_false(list("alice", "d", ""));
	assert_int_equal(asked, 5);
	assert_false(list("alice", PASSWORD, ""));
	assert_int_equal(asked, 5);
	/* who is logged in goes on */
	assert_true(list("alice", "", token));
	test_config.state_dir = "/nonexistent/state";
	assert_false(list("bob", PASSWORD, ""));
}

static void
a_required_secret_comes_first(void **arg unused)
{
	test_config.require_cookie = true;
	assert_false(list("alice", PASSWORD, ""));
	assert_false(list("alice", PASSWORD, "wrong"));
	assert_int_equal(asked, 0);
	assert_false(list("alice", "", "secret"));
	assert_false(list("alice", "wrong", "secret"));
	assert_true(list("alice", PASSWORD, "secret"));
	assert_true(list("alice", "", token));
	assert_false(list("bob", PASSWORD, token));
}

static void
without_a_directory_for_tokens_nobody_is_let_in(void **arg unused)
{
	test_config.cookie_directory = "/nonexistent";
	assert_false(list("alice", PASSWORD, ""));
	assert_int_equal(asked, 0);
}

static void
testcon_needs_nobody(void **arg unused)
{
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	const char *text;
	size_t len;

	assert_int_equal(x2gobroker_request_from_form("task=testcon", 12,
	    &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	assert_int_equal(x2gobroker_answer_testcon(answer, NULL), 0);
	assert_int_equal(x2gobroker_answer_text(answer, &text, &len, NULL), 0);
	assert_string_equal(text, "Access granted\n");
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
}

static void
who_trusts_nobody_shows_no_sessions(void **arg unused)
{
	struct x2gobroker_answer answer = { .profiles = profiles };

	assert_true(answer_shows_sessions(&answer));
	x2gobroker_answer_trust_nobody(&answer);
	assert_false(answer_shows_sessions(&answer));
	test_config.http_noauth_session_data = true;
	assert_true(answer_shows_sessions(&answer));
	test_config.http_noauth_session_data = false;
}

static void
maintenance_is_told_after_the_password(void **arg unused)
{
	const struct x2gobroker_notice notice = { "back at two", NULL, NULL, 0,
	    true };
	bool changed;

	assert_int_equal(x2gobroker_maintenance_begin(&test_config, &notice,
	    NULL), 0);
	assert_false(list("alice", PASSWORD, ""));
	assert_int_equal(asked, 1);
	assert_int_equal(x2gobroker_maintenance_end(&test_config, NULL,
	    &changed, NULL), 0);
	assert_true(list("alice", PASSWORD, ""));
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_site, free_site)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(a_password_brings_a_token_and_that_replaces_it),
		test(a_token_that_is_not_good_leaves_the_password),
		test(an_event_keeps_the_token),
		test(a_new_password_needs_the_old_one),
		test(wrong_passwords_are_throttled),
		test(a_required_secret_comes_first),
		test(without_a_directory_for_tokens_nobody_is_let_in),
		test(maintenance_is_told_after_the_password),
		test(testcon_needs_nobody),
		test(who_trusts_nobody_shows_no_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
