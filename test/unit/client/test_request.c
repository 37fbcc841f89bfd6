/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients send.  Linked with --wrap=free, to see a password wiped.
 */
#include "client/request.h"
#include "support.h"

#define U	"f7e8c1a2-0b3d-4c5e-8f90-123456789abc"
#define HEAD	"bash -l -c 'echo \"X2GODATABEGIN:" U "\"; "		\
		"export PATH=\"/usr/local/bin:/usr/bin:/bin\";"		\
		"export TERM=\"dumb\"; "
#define TAIL	"; echo \"X2GODATAEND:" U "\";'"

void	__real_free(void *p);
void	__wrap_free(void *p);

static const char *watched;
static size_t watched_len;
static bool was_wiped;

void
__wrap_free(void *p)
{
	size_t i;

	if (p != NULL && p == watched)
		for (i = 0, was_wiped = true; i < watched_len; i++)
			was_wiped = was_wiped && watched[i] == '\0';
	__real_free(p);
}

static void
kinds_are_told_apart(void **state unused)
{
	static const struct {
		const char *command, *uuid;
		enum x2gobroker_request_kind kind;
	} rows[] = {
		{ "echo \"LOGIN OK\"", "", X2GOBROKER_REQUEST_LOGIN_CHECK },
		{ "bash -l -c 'echo \"X2GODATABEGIN:" U "\"; export "
		    "TERM=\"dumb\"; whoami" TAIL, U,
		    X2GOBROKER_REQUEST_WHOAMI },
		{ HEAD "whoami" TAIL, U, X2GOBROKER_REQUEST_WHOAMI },
		{ HEAD "x --task listsessions" TAIL, U,
		    X2GOBROKER_REQUEST_TASK },
		{ "x --task testcon", "", X2GOBROKER_REQUEST_TASK },
	};
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].command, x2gobroker_request_parse(
		    rows[i].command, &request, NULL) == 0);
		check(rows[i].command, x2gobroker_request_kind(request) ==
		    rows[i].kind);
		check_text(rows[i].command, request->uuid, rows[i].uuid);
		x2gobroker_request_free(request);
	}
}

static void
tasks_are_read_with_their_options(void **state unused)
{
	static const struct {
		const char *command, *task, *user, *login, *sid;
	} rows[] = {
		{ "/usr/lib/x2go/x2gobroker --user alice --task listsessions",
		    "listsessions", "alice", "", "" },
		{ "--task listsessions", "listsessions", "", "", "" },
		{ " --task listsessions", "listsessions", "", "", "" },
		{ "/my broker/-x 1 --task listsessions", "listsessions", "",
		    "", "" },
		{ "a--b --task listsessions", "listsessions", "", "", "" },
		{ "x --task listsessions --user alice", "listsessions",
		    "alice", "", "" },
		{ "x --user  --task listsessions", "listsessions", "", "",
		    "" },
		{ "x --task listsessions --user", "listsessions", "", "", "" },
		{ "x --user \"\" --task listsessions", "listsessions", "", "",
		    "" },
		{ "x --user=alice --task=testcon", "testcon", "alice", "",
		    "" },
		{ "x --user DOMAIN\\alice --task testcon", "testcon",
		    "DOMAIN\\alice", "", "" },
		{ "x --user alice --task selectsession --sid \"Lab 1\" "
		    "--authid 12 --login bob", "selectsession", "alice", "bob",
		    "Lab 1" },
		{ "x --task selectsession --sid lab --login \"bob\"",
		    "selectsession", "", "bob", "lab" },
		{ "x --task selectsession --profile-id lab", "selectsession",
		    "", "", "lab" },
		{ "x --task selectsession --sid \"\"", "selectsession", "", "",
		    "" },
		/* nothing is escaped: a quote counts before an option only */
		{ "x --task selectsession --sid \"say \"hi\" now\"",
		    "selectsession", "", "", "say \"hi\" now" },
		{ "x --task selectsession --sid \"a;b|c&d'$(e)`f\"",
		    "selectsession", "", "", "a;b|c&d'$(e)`f" },
		{ "x --sid \"a --login b\" --task selectsession",
		    "selectsession", "", "", "a --login b" },
		{ "x --sid \"a\"--login b\" --task selectsession",
		    "selectsession", "", "", "a\"--login b" },
		{ "x --sid \"B\xfcro\" --task selectsession", "selectsession",
		    "", "", "B\xfcro" },
		/* newer clients say more */
		{ "x --task listsessions --future 1 --flag --more \"a b\"",
		    "listsessions", "", "", "" },
		{ "x --task listsessions --future 1 --future 2",
		    "listsessions", "", "", "" },
		{ "x --user alice --task clientevent --sid \"a-50-1_stDKDE\" "
		    "--event ALIVE --server \"s\" --client \"c\" --login \"l\" "
		    "--cmd \"KDE\" --display \"50\" --start \"2024\" "
		    "--elapsed 60 --version \"4\" --os linux", "clientevent",
		    "alice", "l", "a-50-1_stDKDE" },
		{ "x --user alice --task setpass --newpass a b;c --task x",
		    "setpass", "alice", "", "" },
	};
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		const char *label = rows[i].command;

		check(label, x2gobroker_request_parse(label, &request, NULL) ==
		    0);
		check(label, x2gobroker_request_kind(request) ==
		    X2GOBROKER_REQUEST_TASK);
		check_text(label, x2gobroker_request_task(request),
		    rows[i].task);
		check_text(label, x2gobroker_request_user(request),
		    rows[i].user);
		check_text(label, x2gobroker_request_login(request),
		    rows[i].login);
		check_text(label, x2gobroker_request_profile_id(request),
		    rows[i].sid);
		x2gobroker_request_free(request);
	}
}

static void
a_password_is_all_the_rest(void **state unused)
{
	static const char *const rows[][2] = {
		{ HEAD "x --task setpass --newpass it's; \"a\" --user b" TAIL,
		    "it's; \"a\" --user b" },
		{ HEAD "x --task setpass --newpass  two blanks  " TAIL,
		    " two blanks  " },
		{ HEAD "x --task setpass --newpass p" TAIL TAIL, "p" TAIL },
		{ HEAD "x --task setpass --newpass " TAIL, "" },
		{ HEAD "x --task setpass --newpass" TAIL, "" },
		{ "x --task setpass --newpass a b", "a b" },
	};
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i][0], x2gobroker_request_parse(rows[i][0],
		    &request, NULL) == 0);
		watched = request->values[OPT_NEWPASS];
		watched_len = strlen(rows[i][1]);
		check_text(rows[i][0], watched, rows[i][1]);
		was_wiped = false;
		x2gobroker_request_free(request);
		check(rows[i][0], was_wiped);
	}
	watched = NULL;
}

static void
what_no_client_sends_is_refused(void **state unused)
{
	static const struct {
		const char *command, *why;
	} rows[] = {
		{ "", "not a command that" },
		{ " ", "not a command that" },
		{ "id", "not a command that" },
		{ "whoami", "not a command that" },
		{ "echo LOGIN OK", "not a command that" },
		{ "echo \"LOGIN OK\" ", "not a command that" },
		{ "echo \"LOGIN OK\"; id", "not a command that" },
		{ "scp -t /tmp", "not a command that" },
		{ "internal-sftp", "not a command that" },
		{ "x2gobroker", "not a command that" },
		{ "x; id --task listsessions", "not a command that" },
		{ "x $(id) --task listsessions", "not a command that" },
		{ "x\n--task listsessions", "not a command that" },
		{ "x--task listsessions", "not a command that" },
		{ "x -task listsessions", "not a command that" },
		{ "x --TASK listsessions", "not a command that" },
		{ HEAD "id" TAIL, "not a command that" },
		{ HEAD TAIL, "not a command that" },
		{ HEAD "whoami; id" TAIL, "not a command that" },
		{ "x --user alice", "--task is missing" },
		{ "x --future --user alice", "--task is missing" },
		{ "x --tasks listsessions", "--task is missing" },
		{ "x --task", "unknown task" },
		{ "x --task shutdown", "--task shutdown: unknown task" },
		{ "x --task Listsessions", "unknown task" },
		{ "x --task \"listsessions \"", "unknown task" },
		{ "x --task selectsession", "selectsession requires --sid" },
		{ "x --task listsessions --task testcon", "--task given more" },
		{ "x --user alice --user bob --task testcon", "given more than once" },
		{ "x --user  --user bob --task testcon", "given more than once" },
		{ "x --task selectsession --sid a --profile-id b",
		    "given more than once" },
		{ "x --task testcon --authid a --auth-cookie b",
		    "given more than once" },
		{ "x --task testcon --authid a --next-authid a",
		    "given more than once" },
		{ "x --task listsessions; id", "outside quotes" },
		{ "x --user a;id --task listsessions", "outside quotes" },
		{ "x --user $(id) --task listsessions", "outside quotes" },
		{ "x --user a|b --task listsessions", "outside quotes" },
		{ "x --user a'b --task listsessions", "outside quotes" },
		{ "x --user a\"b\" --task listsessions", "outside quotes" },
		{ "x --task listsessions\nid", "outside quotes" },
		{ "x --task\tlistsessions", "invalid option name" },
		{ "x --task;id", "invalid option name" },
		{ "x --task2 x", "invalid option name" },
		{ "x --task listsessions stray", "unexpected word outside any" },
		{ "x --task listsessions -- x", "unexpected word outside any" },
		{ "x --task listsessions -x", "unexpected word outside any" },
		{ "x --task listsessions ; id", "unexpected word outside any" },
		{ "x --sid \"a\" b --task selectsession", "unclosed" },
		{ "x --task selectsession --sid \"a", "unclosed" },
		{ "x --task selectsession --sid \"a\"b", "unclosed" },
		{ "x --task selectsession --sid \"a\nb\"", "control char" },
		{ "x --task selectsession --sid \"a\x1b[2J\"",
		    "control char" },
		{ "x --task selectsession --sid \"a\x7f\"", "control char" },
		{ "x --task setpass --newpass a\nb", "control char" },
		{ "x --task listsessions --user \"a;b\"", "in a user name" },
		{ "x --task listsessions --login \"a'b\"", "in a user name" },
		{ "x --task listsessions --login \"`id`\"", "in a user name" },
		{ "x --task listsessions --login \"a\"b\"", "in a user name" },
	};
	struct x2gobroker_request *request;
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].command, x2gobroker_request_parse(
		    rows[i].command, &request, &err) == -1);
		check_problem(rows[i].command, &err, &(const struct problem){
		    X2GOBROKER_ERR_SYNTAX, 0, rows[i].why });
		check(rows[i].command, request != NULL &&
		    x2gobroker_request_kind(request) ==
		    X2GOBROKER_REQUEST_NONE);
		x2gobroker_request_free(request);
	}
}

static void
a_refusal_keeps_the_markers(void **state unused)
{
	static const char *const rows[] = {
		HEAD "x --task shutdown" TAIL, HEAD "id" TAIL,
		HEAD "x --task selectsession" TAIL,
		HEAD "x --task testcon --task testcon" TAIL,
	};
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i], x2gobroker_request_parse(rows[i], &request,
		    NULL) == -1);
		check_text(rows[i], request->uuid, U);
		x2gobroker_request_free(request);
	}
}

static void
a_command_has_128_kib_at_most(void **state unused)
{
	static const char head[] = "x --task testcon --future ";
	char *command = malloc(128 * 1024 + 2);
	struct x2gobroker_request *request;
	struct x2gobroker_error err;

	assert_non_null(command);
	memset(command, 'a', 128 * 1024 + 1);
	memcpy(command, head, sizeof(head) - 1);
	command[128 * 1024 + 1] = '\0';
	assert_int_equal(x2gobroker_request_parse(command, &request, &err),
	    -1);
	assert_non_null(strstr(err.text, "command too long"));
	x2gobroker_request_free(request);
	command[128 * 1024] = '\0';
	assert_int_equal(x2gobroker_request_parse(command, &request, &err), 0);
	x2gobroker_request_free(request);
	free(command);
}

static char *good_words[][7] = {
	{ (char[]){ "--task" }, (char[]){ "testcon" } },
	{ (char[]){ "--task=testcon" } },
	{ (char[]){ "--user" }, (char[]){ "alice" },
	    (char[]){ "--task" }, (char[]){ "testcon" } },
	{ (char[]){ "--user" }, (char[]){ "--task=testcon" } },
	{ (char[]){ "--flag" }, (char[]){ "--task" }, (char[]){ "testcon" } },
	{ (char[]){ "--task" }, (char[]){ "testcon" }, (char[]){ "--user" } },
	{ (char[]){ "--task" }, (char[]){ "selectsession" },
	    (char[]){ "--sid" }, (char[]){ "Lab 1; \"x\"" } },
	{ (char[]){ "--task=selectsession" }, (char[]){ "--sid=a=b" } },
	{ (char[]){ "--task=setpass" }, (char[]){ "--newpass" },
	    (char[]){ "-x y" } },
};

static void
words_of_a_command_line_are_read(void **state unused)
{
	struct x2gobroker_request *request;
	size_t i;
	int argc;

	for (i = 0; i < LENGTH(good_words); i++) {
		for (argc = 0; good_words[i][argc] != NULL;)
			argc++;
		check(good_words[i][0], x2gobroker_request_from_argv(argc,
		    good_words[i], &request, NULL) == 0);
		check(good_words[i][0], x2gobroker_request_kind(request) ==
		    X2GOBROKER_REQUEST_TASK);
		check_text(good_words[i][0], request->uuid, "");
		if (strcmp(x2gobroker_request_task(request),
		    "selectsession") == 0)
			check_text("sid", request->values[OPT_SID],
			    i == 6 ? "Lab 1; \"x\"" : "a=b");
		x2gobroker_request_free(request);
	}
}

static const struct {
	const char *why;
	char *words[6];
} bad_words[] = {
	{ "--task is missing", { NULL } },
	{ "--task is missing", { (char[]){ "--user" }, (char[]){ "alice" } } },
	{ "--task is missing", { (char[]){ "--taskx=testcon" } } },
	{ "stray: unexpected word outside any", { (char[]){ "stray" } } },
	{ "unexpected word outside any", { (char[]){ "--" } } },
	{ "unexpected word outside any", { (char[]){ "-t" } } },
	{ "unexpected word outside any", { (char[]){ "" } } },
	{ "unexpected word outside any", { (char[]){ "--Task=testcon" } } },
	{ "x: unexpected word outside any", { (char[]){ "--task" },
	    (char[]){ "testcon" }, (char[]){ "x" } } },
	{ "given more than once", { (char[]){ "--task=testcon" },
	    (char[]){ "--task=testcon" } } },
	{ "unknown task", { (char[]){ "--task=" } } },
	{ "unknown task", { (char[]){ "--task" }, (char[]){ "x" } } },
	{ "requires --sid", { (char[]){ "--task=selectsession" } } },
	{ "control char", { (char[]){ "--task=testcon" },
	    (char[]){ "--sid=a\nb" } } },
	{ "invalid character in a user", { (char[]){ "--task=testcon" },
	    (char[]){ "--user=a;b" } } },
};

static void
words_that_say_nothing_are_refused(void **state unused)
{
	struct x2gobroker_request *request;
	struct x2gobroker_error err;
	size_t i;
	int argc;

	for (i = 0; i < LENGTH(bad_words); i++) {
		for (argc = 0; bad_words[i].words[argc] != NULL;)
			argc++;
		check(bad_words[i].why, x2gobroker_request_from_argv(argc,
		    bad_words[i].words, &request, &err) == -1);
		check_problem(bad_words[i].why, &err, &(const struct problem){
		    X2GOBROKER_ERR_SYNTAX, 0, bad_words[i].why });
		x2gobroker_request_free(request);
	}
}

static void
nothing_can_be_asked_of_null(void **state unused)
{
	assert_int_equal(x2gobroker_request_kind(NULL),
	    X2GOBROKER_REQUEST_NONE);
	assert_string_equal(x2gobroker_request_task(NULL), "");
	assert_false(x2gobroker_request_checks_account(NULL));
	assert_string_equal(x2gobroker_request_user(NULL), "");
	assert_string_equal(x2gobroker_request_login(NULL), "");
	assert_string_equal(x2gobroker_request_profile_id(NULL), "");
	x2gobroker_request_free(NULL);
}

static void
tasks_have_names(void **state unused)
{
	struct x2gobroker_request *request;
	char command[100];
	size_t i;

	for (i = 0; x2gobroker_task_name(i) != NULL; i++) {
		snprintf(command, sizeof(command), "x --sid a --task %s",
		    x2gobroker_task_name(i));
		check(command, x2gobroker_request_parse(command, &request,
		    NULL) == 0);
		check_text(command, x2gobroker_request_task(request),
		    x2gobroker_task_name(i));
		check(command, x2gobroker_request_checks_account(request) ==
		    (strcmp(x2gobroker_task_name(i), "setpass") == 0));
		check(command, x2gobroker_task_help(i) != NULL);
		x2gobroker_request_free(request);
	}
	assert_int_equal(i, 5);
	assert_null(x2gobroker_task_help(i));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_apart),
		cmocka_unit_test(tasks_are_read_with_their_options),
		cmocka_unit_test(a_password_is_all_the_rest),
		cmocka_unit_test(what_no_client_sends_is_refused),
		cmocka_unit_test(a_refusal_keeps_the_markers),
		cmocka_unit_test(a_command_has_128_kib_at_most),
		cmocka_unit_test(words_of_a_command_line_are_read),
		cmocka_unit_test(words_that_say_nothing_are_refused),
		cmocka_unit_test(nothing_can_be_asked_of_null),
		cmocka_unit_test(tasks_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
