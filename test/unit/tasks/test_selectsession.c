/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked with --wrap=gethostname,--wrap=getaddrinfo,--wrap=freeaddrinfo: the
 * broker's host is broker.example.org, and resolves if name_resolves.
 */
#include <netdb.h>

#include "tasks/answer.h"
#include "support.h"

int	__wrap_gethostname(char *name, size_t len);
int	__wrap_getaddrinfo(const char *name, const char *service,
	    const struct addrinfo *hints, struct addrinfo **out);
void	__wrap_freeaddrinfo(struct addrinfo *list);

static bool has_name, name_resolves;
static int lookups;
static struct addrinfo some_address;

int
__wrap_gethostname(char *name, size_t len)
{
	if (!has_name)
		return -1;
	snprintf(name, len, "broker.example.org");
	return 0;
}

int
__wrap_getaddrinfo(const char *name, const char *service unused,
    const struct addrinfo *hints unused, struct addrinfo **out)
{
	lookups++;
	if (strncmp(name, "client", 6) == 0)
		return EAI_NONAME;
	assert_string_equal(name, "broker.example.org");
	*out = &some_address;
	return name_resolves ? 0 : EAI_NONAME;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	assert_ptr_equal(list, &some_address);
}

static int
setup(void **state)
{
	has_name = name_resolves = true;
	return make_test_dir(state);
}

/* What user alice is told who asks for profile p of a file with this text. */
static char *
select_profile(const char *text, const char *options,
    struct x2gobroker_error *err)
{
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char command[200], *answer;

	profiles = load_text(text, &problems);
	snprintf(command, sizeof(command), "x --user eve --task selectsession "
	    "%s", options);
	answer = answer_to(command, profiles, user, err);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return answer;
}

static void
the_server_is_the_profiles(void **state unused)
{
	static const char *const rows[][2] = {
		{ "host=lab", "lab:22" },
		{ "host=lab.example.org:2222", "lab.example.org:2222" },
		{ "host=lab\nsshport=2022", "lab:2022" },
		{ "host=lab:23\nsshport=2022", "lab:23" },
		{ "host=lab\nsshport=not-set", "lab:22" },
		{ "host=lab (192.0.2.9)", "192.0.2.9:22" },
		{ "host=lab (192.0.2.9:23)", "192.0.2.9:23" },
		{ "host=lab (in.example.org:23)", "in.example.org:23" },
		{ "host=192.0.2.9", "192.0.2.9:22" },
		/* the client cannot be told an IPv6 address */
		{ "host=lab (2001:db8::1)", "lab:22" },
		{ "host=lab ([2001:db8::1]:23)", "lab:23" },
		{ "host=2001:db8::1,lab", "lab:22" },
		/* a shared desktop is always on the first one */
		{ "host=a,b,c,d,e,f,g,h\ncommand=SHADOW", "a:22" },
		{ "host=a,b,c,d,e,f,g,h\ncommand=Shadow", "a:22" },
		{ "host=2001:db8::1,b,c,d,e,f\ncommand=SHADOW", "b:22" },
	};
	struct x2gobroker_error err;
	char text[200], want[200], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\n%s\n", rows[i][0]);
		snprintf(want, sizeof(want), "Access granted\nSERVER:%s\n",
		    rows[i][1]);
		answer = select_profile(text, "--sid \"p\"", &err);
		check(rows[i][0], err.code == X2GOBROKER_OK);
		check_text(rows[i][0], answer, want);
		free(answer);
	}
}

/* Over HTTP, an id comes as the X2Go client has read it, or encoded. */
static void
a_profile_is_found_by_each_reading_of_its_id(void **state unused)
{
	static const struct {
		const char *sid, *server;	/* NULL: refused */
	} rows[] = {
		{ "a w+o&x=y", "SERVER:raw:22\n" },
		{ "a%20w%2Bo%26x%3Dy", "SERVER:raw:22\n" },
		{ "a+w%2Bo%26x%3Dy", "SERVER:raw:22\n" },
		{ "B\xc3\x83\xc2\xbcro", "SERVER:umlaut:22\n" },
		{ "B%C3%BCro", "SERVER:umlaut:22\n" },
		/* what is there as it is written is what was meant */
		{ "b+c", "SERVER:plus:22\n" },
		{ "b%20c", "SERVER:blank:22\n" },
		{ "hidden+one", NULL },
		{ "a w+o", NULL },
		{ "", NULL },
	};
	static const char text[] = "[a w+o&x=y]\nhost=raw\n"
	    "[B\xc3\xbcro]\nhost=umlaut\n[b c]\nhost=blank\n"
	    "[b+c]\nhost=plus\n[hidden+one]\nhost=x\n"
	    "acl-users-allow=bob\n";
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	const char *got;
	char form[200];
	size_t i, len;

	profiles = load_text(text, &problems);
	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(form, sizeof(form), "task=selectsession&sid=%s&"
		    "user=alice&password=", rows[i].sid);
		assert_int_equal(x2gobroker_request_from_form(form,
		    strlen(form), &request, NULL), 0);
		assert_int_equal(x2gobroker_answer_new(request, &answer,
		    NULL), 0);
		check(rows[i].sid, x2gobroker_answer_task(answer, profiles,
		    user, NULL) == (rows[i].server != NULL ? 0 : -1));
		x2gobroker_answer_text(answer, &got, &len, NULL);
		check(rows[i].sid, rows[i].server == NULL ||
		    strstr(got, rows[i].server) != NULL);
		x2gobroker_answer_free(answer);
		x2gobroker_request_free(request);
	}
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
}

static void
every_server_of_a_farm_gets_its_turn(void **state unused)
{
	static const char *const servers[] = { "SERVER:a:22\n",
	    "SERVER:b:23\n", "SERVER:192.0.2.9:22\n" };
	unsigned int turns[LENGTH(servers)] = { 0 }, found;
	char *answer;
	size_t i, j;

	for (i = 0; i < 120; i++) {
		answer = select_profile("[p]\nhost=a, b:23, 2001:db8::1, "
		    "c (192.0.2.9)\n", "--sid p", NULL);
		for (found = 0, j = 0; j < LENGTH(servers); j++) {
			if (strstr(answer, servers[j]) == NULL)
				continue;
			turns[j]++;
			found++;
		}
		check(answer, found == 1);
		free(answer);
	}
	/* by chance alone, a wrong alarm comes once in 10^20 */
	for (j = 0; j < LENGTH(servers); j++)
		check(servers[j], turns[j] > 0);
}

static void
localhost_is_the_brokers_host(void **state unused)
{
	static const struct {
		const char *line;
		bool has_name, resolves;
		const char *server;
	} rows[] = {
		{ "host=localhost", true, true, "broker.example.org:22" },
		{ "host=localhost:23", true, true, "broker.example.org:23" },
		{ "host=a (localhost)", true, true, "broker.example.org:22" },
		{ "host=localhost", true, false, "localhost:22" },
		{ "host=localhost", false, true, "localhost:22" },
		{ "host=localhost (192.0.2.9)", true, true, "192.0.2.9:22" },
		{ "name=X", true, true, "broker.example.org:22" },
	};
	char text[200], want[200], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		has_name = rows[i].has_name;
		name_resolves = rows[i].resolves;
		snprintf(text, sizeof(text), "[p]\n%s\n", rows[i].line);
		snprintf(want, sizeof(want), "Access granted\nSERVER:%s\n",
		    rows[i].server);
		answer = select_profile(text, "--sid p", NULL);
		check_text(rows[i].line, answer, want);
		free(answer);
	}
}

static void
logins_are_decided_by_table(void **state unused)
{
	static const struct {
		const char *line, *options;
		bool granted;
	} rows[] = {
		{ "", "", true },
		{ "", "--login", true },
		{ "", "--login \"\"", true },
		{ "", "--login alice", true },
		{ "user=alice", "--login alice", true },
		{ "user=bob", "--login bob", true },
		{ "user=bob", "--login alice", true },
		{ "user=BROKER_USER", "--login alice", true },
		{ "user=", "--login alice", true },

		{ "", "--login root", false },
		{ "", "--login eve", false },
		{ "", "--login Alice", false },
		{ "", "--login alice2", false },
		{ "user=bob", "--login root", false },
		{ "user=bob", "--login Bob", false },
		{ "user=bob", "--login BROKER_USER", false },
		{ "user=BROKER_USER", "--login BROKER_USER", false },
		{ "user=BROKER_USER", "--login bob", false },
		{ "user=", "--login bob", false },
		{ "user=not-set", "--login bob", false },
	};
	struct x2gobroker_error err;
	char text[200], options[200], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nhost=a\n%s\n",
		    rows[i].line);
		snprintf(options, sizeof(options), "--sid p %s",
		    rows[i].options);
		answer = select_profile(text, options, &err);
		if ((err.code == X2GOBROKER_OK) != rows[i].granted)
			fail_msg("[%s][%s] %s", rows[i].line, rows[i].options,
			    answer);
		check_text(options, answer, rows[i].granted ?
		    "Access granted\nSERVER:a:22\n" : "Access denied\n");
		if (!rows[i].granted)
			check_problem(options, &err, &(const struct problem){
			    X2GOBROKER_ERR_DENIED, rows[i].line[0] != '\0' ?
			    3 : 1, "is neither the user nor the profile's" });
		free(answer);
	}
}

static void
what_is_hidden_and_what_is_not_there_look_the_same(void **state unused)
{
	static const struct {
		const char *text, *options;
		enum x2gobroker_code code;
		const char *why;	/* for the log alone */
	} rows[] = {
		{ "", "--sid p", X2GOBROKER_ERR_NOTFOUND, "no profile has" },
		{ "[q]\nhost=a\n", "--sid p", X2GOBROKER_ERR_NOTFOUND, "no" },
		{ "[P]\nhost=a\n", "--sid p", X2GOBROKER_ERR_NOTFOUND, "no" },
		{ "[p]\nhost=a\n", "--sid \"p \"", X2GOBROKER_ERR_NOTFOUND,
		    "no profile has this id" },
		{ "[p]\nhost=a\n", "--sid", X2GOBROKER_ERR_NOTFOUND, "no" },
		{ "[p]\nhost=a\n", "--sid DEFAULT", X2GOBROKER_ERR_NOTFOUND,
		    "no profile has this id" },
		{ "[p]\nhost=a\nsound=maybe\n", "--sid p",
		    X2GOBROKER_ERR_NOTFOUND, "no profile has this id" },
		{ "[p]\nhost=a\n[p]\nhost=b\n", "--sid p",
		    X2GOBROKER_ERR_NOTFOUND, "no profile has this id" },
		{ "[p]\nhost=a\nacl-users-deny=alice\n", "--sid p",
		    X2GOBROKER_ERR_DENIED, "acl-users-deny: the user's name is in" },
		{ "[p]\nhost=a\nacl-users-allow=eve\n", "--sid p",
		    X2GOBROKER_ERR_DENIED, "the user's name is not in" },
		{ "[p]\nhost=a\nacl-clients-allow=10.0.0.0/8\n", "--sid p",
		    X2GOBROKER_ERR_DENIED, "client's address is not in" },
		{ "[p]\nhost=a\nacl-users-allow=eve\n", "--sid p --login eve",
		    X2GOBROKER_ERR_DENIED, "the user's name is not in" },
	};
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		answer = select_profile(rows[i].text, rows[i].options, &err);
		check_text(rows[i].text, answer, "Access denied\n");
		check_problem(rows[i].text, &err, &(const struct problem){
		    rows[i].code, err.line, rows[i].why });
		free(answer);
	}
}

/* A look-up can take seconds, and so tell them apart. */
static void
what_is_hidden_takes_no_more_lookups(void **state unused)
{
	static const char text[] = "[DEFAULT]\nhost=a\n"
	    "acl-clients-allow=client1.invalid, client2.invalid\n"
	    "[hidden]\n[other]\n[deny]\nacl-clients-allow=ALL\n"
	    "acl-clients-deny=client3.invalid\n";
	static const char *const ids[] = { "hidden", "other", "deny",
	    "missing" };
	struct x2gobroker_error err;
	char options[60], *answer;
	size_t i;

	for (i = 0; i < LENGTH(ids); i++) {
		lookups = 0;
		snprintf(options, sizeof(options), "--sid \"%s\"", ids[i]);
		answer = select_profile(text, options, &err);
		check_text(ids[i], answer, "Access denied\n");
		free(answer);
		if (lookups != 5)
			fail_msg("[%s] %d look-ups", ids[i], lookups);
	}
}

static void
the_summary_names_the_server(void **state unused)
{
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct x2gobroker_request *request;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_answer *answer;
	struct problems problems;

	profiles = load_text("[p]\nhost=lab:23\n", &problems);
	assert_int_equal(x2gobroker_request_parse("x --task selectsession "
	    "--sid p", &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	assert_int_equal(x2gobroker_answer_task(answer, profiles, user, NULL),
	    0);
	assert_non_null(strstr(x2gobroker_answer_summary(answer),
	    "server=lab:23"));
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(the_server_is_the_profiles),
		test(a_profile_is_found_by_each_reading_of_its_id),
		test(every_server_of_a_farm_gets_its_turn),
		test(localhost_is_the_brokers_host),
		test(logins_are_decided_by_table),
		test(what_is_hidden_and_what_is_not_there_look_the_same),
		test(what_is_hidden_takes_no_more_lookups),
		test(the_summary_names_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
