/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a broker sends to its agent, taken apart; and what is none of that. */
#include "support.h"
#include "command.h"

#define AGENT	"/usr/lib/x2go/x2gobroker-agent"

struct row {
	const char *command;
	const char *words[WORDS_MAX + 1];
};

static const struct row taken[] = {
	{ AGENT, { NULL } },
	{ "x2gobroker-agent foo ping", { "foo", "ping" } },
	{ AGENT " foo ping", { "foo", "ping" } },
	{ "  " AGENT "   foo   ping  ", { "foo", "ping" } },
	{ "'" AGENT "' \"foo\" 'ping'", { "foo", "ping" } },
	{ AGENT " - checkload", { "-", "checkload" } },
	{ AGENT " alice addauthkey 'restrict,from=\"*.a.example,!b\" ssh-rsa "
	    "AAAA+/== alice@[::1]' '%h/.x2go/authorized_keys'",
	    { "alice", "addauthkey", "restrict,from=\"*.a.example,!b\" "
	    "ssh-rsa AAAA+/== alice@[::1]", "%h/.x2go/authorized_keys" } },
	{ AGENT " m\xc3\xbcller ping", { "m\xc3\xbcller", "ping" } },
	{ AGENT " foo ''", { "foo", "" } },
	{ AGENT " foo \"\"", { "foo", "" } },
	{ AGENT " foo \"it's;fine|here\"", { "foo", "it's;fine|here" } },
	{ AGENT " foo '$(`\\;'", { "foo", "$(`\\;" } },
	/* the Python broker */
	{ "sh -c '" AGENT " foo ping'", { "foo", "ping" } },
	{ "sh -c '" AGENT " foo suspendsession \"foo-50-1_stDXFCE_dp24\"'",
	    { "foo", "suspendsession", "foo-50-1_stDXFCE_dp24" } },
	{ "sh -c '" AGENT " foo addauthkey \"no-pty ssh-rsa AAAA foo@::1\" "
	    "\"%h/.x2go/authorized_keys\"'", { "foo", "addauthkey",
	    "no-pty ssh-rsa AAAA foo@::1", "%h/.x2go/authorized_keys" } },
	{ "sh -c \"" AGENT " foo ping\"", { "foo", "ping" } },
	/* Debian's agent, of itself */
	{ "sh -c " AGENT " foo ping", { "foo", "ping" } },
	{ "sh -c " AGENT, { NULL } },
};

static void
test_taken(void **state unused)
{
	struct x2gobroker_error err;
	struct words words;
	size_t i, n;

	for (i = 0; i < LENGTH(taken); i++) {
		const struct row *row = &taken[i];

		check(row->command, command_parse(row->command, &words,
		    &err) == 0);
		for (n = 0; row->words[n] != NULL; n++)
			check_text(row->command, words.list[n],
			    row->words[n]);
		check(row->command, words.n == n && words.list[n] == NULL);
		command_free(&words);
	}
}

/* and a piece of why */
static const char *const refused[][2] = {
	{ "", "not one for" },
	{ "   ", "not one for" },
	{ "id", "not one for" },
	{ "/bin/sh", "not one for" },
	{ "x2gobroker-agent.pl foo ping", "not one for" },
	{ "/usr/lib/x2go/x2gobroker-agent/ foo ping", "not one for" },
	{ "xx2gobroker-agent foo ping", "not one for" },
	{ "'" AGENT " foo ping'", "not one for" },
	{ "bash -c '" AGENT " foo ping'", "not one for" },
	{ "/bin/sh -c '" AGENT " foo ping'", "not one for" },
	{ "sh -c 'id'", "not one for" },
	{ "sh -c id", "not one for" },
	{ "sh -c", "not one for" },
	{ "sh", "not one for" },
	{ "sh -x " AGENT " foo ping", "not one for" },
	{ "sh -c 'sh -c \"" AGENT " foo ping\"'", "not one for" },
	{ "sh -c 'sh -c " AGENT " foo ping'", "not one for" },
	{ "sh -c '" AGENT " foo ping' id", "not one for" },
	{ "sh -c ''", "not one for" },
	{ "env " AGENT " foo ping", "not one for" },
	{ "A=b " AGENT " foo ping", "not one for" },
	/* what a shell would see something in */
	{ AGENT " foo ping; id", "contains ;" },
	{ AGENT " foo ping ; id", "contains ;" },
	{ AGENT " foo ping & id", "contains &" },
	{ AGENT " foo ping | id", "contains |" },
	{ AGENT " foo ping > /tmp/x", "contains >" },
	{ AGENT " foo ping < /etc/shadow", "contains <" },
	{ AGENT " $(id) ping", "contains $" },
	{ AGENT " $HOME ping", "contains $" },
	{ AGENT " `id` ping", "contains `" },
	{ AGENT " foo\\;id ping", "contains \\" },
	{ AGENT " (foo) ping", "contains (" },
	{ AGENT " foo) ping", "contains )" },
	{ AGENT " * ping", "contains *" },
	{ AGENT " fo? ping", "contains ?" },
	{ AGENT " [a] ping", "contains [" },
	{ AGENT " a] ping", "contains ]" },
	{ AGENT " {a,b} ping", "contains {" },
	{ AGENT " a} ping", "contains }" },
	{ AGENT " ~root ping", "contains ~" },
	{ AGENT " foo ping # x", "contains #" },
	{ AGENT " foo ping !", "contains !" },
	{ AGENT " foo ping ^", "contains ^" },
	{ AGENT " foo \"$(id)\"", "double quotes" },
	{ AGENT " foo \"`id`\"", "double quotes" },
	{ AGENT " foo \"a\\\"b\"", "double quotes" },
	{ "sh -c '" AGENT " foo ping; id'", "contains ;" },
	{ "sh -c '" AGENT " foo \"$(id)\"'", "double quotes" },
	{ "sh -c '" AGENT " foo ping'; id", "partly" },
	{ "sh -c '" AGENT " foo ping' ; id", "contains ;" },
	{ "sh -c " AGENT " foo ping; id", "contains ;" },
	/* quotes */
	{ AGENT " foo 'ping", "unclosed" },
	{ AGENT " foo \"ping", "unclosed" },
	{ AGENT " foo '", "unclosed" },
	{ AGENT " foo ping'", "contains '" },
	{ AGENT " foo pi'n'g", "contains '" },
	{ AGENT " foo pi\"n\"g", "contains \"" },
	{ AGENT " foo 'pi'ng", "partly" },
	{ AGENT " foo 'pi''ng'", "partly" },
	{ AGENT " foo 'pi'\"ng\"", "partly" },
	{ "sh -c '" AGENT " foo \"ping'", "unclosed" },
	{ "sh -c '" AGENT " foo 'ping''", "partly" },
	/* control characters, also in quotes */
	{ AGENT " foo ping\nid", "control" },
	{ AGENT " foo 'ping\nid'", "control" },
	{ AGENT " foo\tping", "control" },
	{ AGENT " foo ping\r", "control" },
	{ AGENT " foo \x1b[2J", "control" },
	{ AGENT " foo \x7f", "control" },
	{ AGENT " 1 2 3 4 5 6 7 8", "too many" },
};

static void
test_refused(void **state unused)
{
	struct x2gobroker_error err;
	struct words words;
	size_t i;

	for (i = 0; i < LENGTH(refused); i++) {
		const char *command = refused[i][0];

		check(command, command_parse(command, &words, &err) == -1);
		if (strstr(err.text, refused[i][1]) == NULL)
			fail_msg("[%s] \"%s\" does not say \"%s\"", command,
			    err.text, refused[i][1]);
		check(command, words.text == NULL);
	}
}

/* Each byte alone, outside of quotes: a letter, or refused. */
static void
test_bytes(void **state unused)
{
	static const char bare[] = "%+,-./:=@_ ";
	char command[] = "x2gobroker-agent x?x ping";
	struct x2gobroker_error err;
	struct words words;
	int c;

	for (c = 1; c < 256; c++) {
		bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || c >= 0x80 ||
		    strchr(bare, c) != NULL;

		command[18] = (char)c;
		check(command, (command_parse(command, &words, &err) == 0) ==
		    good);
		if (good)
			command_free(&words);
	}
}

static void
test_length(void **state unused)
{
	char *command = malloc(COMMAND_MAX + 2);
	struct x2gobroker_error err;
	struct words words;

	assert_non_null(command);
	memset(command, 'x', COMMAND_MAX + 1);
	memcpy(command, AGENT " ", sizeof(AGENT));
	command[COMMAND_MAX + 1] = '\0';
	assert_int_equal(command_parse(command, &words, &err), -1);
	assert_non_null(strstr(err.text, "longer"));
	command[COMMAND_MAX] = '\0';
	assert_int_equal(command_parse(command, &words, &err), 0);
	assert_int_equal(words.n, 1);
	command_free(&words);
	free(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
