/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What python-x2go sends, and gets in JSON. */
#include "tasks/answer.h"
#include "support.h"

static const char profiles_text[] =
    "[DEFAULT]\nspeed=4\nsound=false\n"
    "[desk]\nname=Desk \"x\"\nhost=desk (192.0.2.9:23), other\n"
    "command=xfce\nwidth=+07\nsetdpi=1\napplications=TERMINAL,, OFFICE\n"
    "user=BROKER_USER\nfoo=B\xc3\xbcro\nsshproxyhost=gw:222\n"
    "broker-agent-query-mode=NONE\n"
    "[hidden]\nhost=x\nacl-users-allow=bob\n";

/* The text of host= when the answer is written; NULL: as it was read. */
static const char *host;

static void
change_host(const struct x2gobroker_profile *profile)
{
	size_t i;

	assert_non_null(profile);
	for (i = 0; i < profile->own->nkeys; i++)
		if (strcmp(profile->own->keys[i].name, "host") == 0)
			profile->own->keys[i].value = host;
}

/* The answer to alice, or NULL: refused, and why says the reason. */
static char *
answer_form(const char *form, struct x2gobroker_error *why)
{
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct problems problems;
	const char *text;
	char *copy = NULL;
	size_t len;

	profiles = load_text(profiles_text, &problems);
	if (host != NULL)
		change_host(x2gobroker_profiles_find(profiles, "desk"));
	if (x2gobroker_request_from_json_client(form, strlen(form), &request,
	    why) == 0) {
		assert_int_equal(x2gobroker_answer_new(request, &answer, NULL),
		    0);
		if (x2gobroker_answer_task(answer, profiles, user, why) == 0 &&
		    x2gobroker_answer_text(answer, &text, &len, NULL) == 0)
			copy = strdup(text);
		x2gobroker_answer_free(answer);
	}
	x2gobroker_request_free(request);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return copy;
}

static void
a_form_without_a_task_is_a_login(void **state unused)
{
	static const char *const forms[] = { "user=alice&password=x", "task=",
	    "", "user=alice&authid=0" };
	char *text;
	size_t i;

	for (i = 0; i < LENGTH(forms); i++) {
		text = answer_form(forms[i], NULL);
		check_text(forms[i], text, "{\n  \"task\": \"\",\n"
		    "  \"auth-status\": \"Access granted\"\n}\n");
		free(text);
	}
}

static void
profiles_have_values_of_their_types(void **state unused)
{
	static const char *const forms[] = { "task=listprofiles&user=alice",
	    "task=listsessions&user=alice" };
	static const char *const parts[] = {
		"{\n  \"task\": \"listprofiles\",\n"
		    "  \"auth-status\": \"Access granted\",\n"
		    "  \"profiles\": {\n    \"desk\": {\n",
		"\"name\": \"Desk \\\"x\\\"\"", "\"width\": 7",
		"\"host\": [\n        \"desk\"\n      ]",
		"\"applications\": [\n        \"TERMINAL\",\n        "
		    "\"OFFICE\"\n      ]", "\"setdpi\": true",
		"\"speed\": 4", "\"sound\": false", "\"command\": \"XFCE\"",
		"\"rootless\": false", "\"user\": \"alice\"",
		"\"foo\": \"B\xc3\xbcro\"", "\"sshproxyhost\": \"gw\"",
		"\"sshproxyport\": 222", "\"sshport\": 22",
	};
	char *text;
	size_t i, j;

	for (i = 0; i < LENGTH(forms); i++) {
		text = answer_form(forms[i], NULL);
		assert_non_null(text);
		for (j = 0; j < LENGTH(parts); j++)
			check(parts[j], strstr(text, parts[j]) != NULL);
		assert_null(strstr(text, "hidden"));
		assert_null(strstr(text, "acl-"));
		assert_null(strstr(text, "broker-"));
		/* one of each: the profile's own */
		assert_null(strstr(strstr(text, "\"speed\"") + 1,
		    "\"speed\""));
		free(text);
	}
}

static void
a_server_is_selected(void **state unused)
{
	static const char *const forms[] = {
		"task=selectsession&profile-id=desk&user=alice&pubkey=x",
		"task=selectsession&sid=desk&user=alice",
	};
	char *text;
	size_t i;

	for (i = 0; i < LENGTH(forms); i++) {
		text = answer_form(forms[i], NULL);
		check(forms[i], text != NULL && strstr(text,
		    "  \"selected_session\": {\n") != NULL);
		check(forms[i], strstr(text, "\"port\": \"2") != NULL);
		assert_null(strstr(text, "key"));
		free(text);
	}
}

static void
other_tasks_are_refused(void **state unused)
{
	static const struct {
		const char *form, *why;
	} rows[] = {
		{ "task=setpass&newpass=x", "unknown task" },
		{ "task=clientevent", "unknown task" },
		{ "task=testcon", "unknown task" },
		{ "task=login", "unknown task" },
		{ "task=selectsession", "requires --sid" },
		{ "task=selectsession&profile-id=hidden", "not visible" },
		{ "task=selectsession&profile-id=a&sid=b", "more than once" },
		{ "pubkey=a&pubkey=b", "pubkey given more than once" },
		{ "pubkey=a%00b", "NUL" },
		{ "pubkey=a%0ab", "control character" },
	};
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].form, answer_form(rows[i].form, &err) == NULL);
		check(rows[i].form, err.code != X2GOBROKER_OK);
		if (i != 5)
			check(rows[i].form,
			    strstr(err.text, rows[i].why) != NULL);
	}
}

static void
half_a_list_is_refused(void **state unused)
{
	struct x2gobroker_error err;

	host = "a b c";
	assert_null(answer_form("task=listprofiles", &err));
	assert_int_not_equal(err.code, X2GOBROKER_OK);
	host = NULL;
}

/* The X2Go client does not get tasks that only JSON has. */
static void
the_other_format_stays_as_it_is(void **state unused)
{
	static const char *const forms[] = { "user=alice&password=x", "task=",
	    "task=listprofiles", "task=login" };
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(forms); i++) {
		check(forms[i], x2gobroker_request_from_form(forms[i],
		    strlen(forms[i]), &request, NULL) == -1);
		x2gobroker_request_free(request);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_without_a_task_is_a_login),
		cmocka_unit_test(profiles_have_values_of_their_types),
		cmocka_unit_test(a_server_is_selected),
		cmocka_unit_test(other_tasks_are_refused),
		cmocka_unit_test(half_a_list_is_refused),
		cmocka_unit_test(the_other_format_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
