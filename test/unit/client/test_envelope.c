/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/request.h"
#include "support.h"

#define U	"f7e8c1a2-0b3d-4c5e-8f90-123456789abc"
#define V	"f7e8c1a2-0b3d-4c5e-8f90-123456789abd"
#define BEGIN	"'echo \"X2GODATABEGIN:" U "\"; "
#define PATHS	"export PATH=\"/usr/local/bin:/usr/bin:/bin\";"
#define TERM	"export TERM=\"dumb\"; "
#define END	"; echo \"X2GODATAEND:" U "\";'"

static void
check_envelope(const char *command, const char *uuid, const char *text)
{
	struct envelope envelope;

	memset(&envelope, 'x', sizeof(envelope));
	envelope_open(command, &envelope);
	check_text(command, envelope.uuid, uuid);
	if (envelope.len != strlen(text) ||
	    memcmp(envelope.text, text, envelope.len) != 0)
		fail_msg("[%s] \"%.*s\" is not \"%s\"", command,
		    (int)envelope.len, envelope.text, text);
}

static void
the_forms_that_clients_send_are_opened(void **state unused)
{
	static const char *const rows[][2] = {
		{ "bash -l -c " BEGIN PATHS TERM "x --task y" END,
		    "x --task y" },
		{ "bash -l -c 'echo \"X2GODATABEGIN:" U "\";" PATHS
		    "export TERM=\"dumb\";x --task y" END, "x --task y" },
		{ "bash -l -c " BEGIN TERM "whoami" END, "whoami" },
		{ "sh -c " BEGIN PATHS TERM "x" END, "x" },
		{ "sh -c " BEGIN TERM "whoami" END, "whoami" },
		{ "sh -c \"echo X2GODATABEGIN:" U "; x --user a; "
		    "echo X2GODATAEND:" U "\";", "x --user a" },
		{ "sh -c \"echo X2GODATABEGIN:" U "; x --user a; "
		    "echo X2GODATAEND:" U "\"", "x --user a" },
		{ "echo X2GODATABEGIN:" U "; PATH=/usr/local/bin:/usr/bin:/bin "
		    "sh -c \"x --user a\"; echo X2GODATAEND:" U, "x --user a" },
		/* whatever is inside, quotes and the end's like included */
		{ "bash -l -c " BEGIN PATHS TERM "x '\"; rm" END, "x '\"; rm" },
		{ "bash -l -c " BEGIN PATHS TERM "p" END " q" END,
		    "p" END " q" },
		{ "bash -l -c " BEGIN PATHS TERM END, "" },
		/* blanks, and a line end behind it */
		{ "bash -l -c " BEGIN PATHS TERM "x" END " \n", "x" },
		{ "bash  -l  -c " BEGIN PATHS "  " TERM "x" END, "x" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check_envelope(rows[i][0], U, rows[i][1]);
}

static void
all_else_is_its_own_content(void **state unused)
{
	static const char *const rows[] = {
		"", "x --task y", "echo \"LOGIN OK\"", "whoami",
		/* not the same uuid at both ends */
		"sh -c \"echo X2GODATABEGIN:" U "; x; echo X2GODATAEND:" V
		    "\";",
		/* no uuid: upper case, too short, another form */
		"sh -c \"echo X2GODATABEGIN:F7E8C1A2-0B3D-4C5E-8F90-"
		    "123456789ABC; x; echo X2GODATAEND:F7E8C1A2-0B3D-4C5E-"
		    "8F90-123456789ABC\";",
		"sh -c \"echo X2GODATABEGIN:f7e8; x; echo X2GODATAEND:f7e8\"",
		"sh -c \"echo X2GODATABEGIN:f7e8c1a2+0b3d-4c5e-8f90-"
		    "123456789abc; x; echo X2GODATAEND:f7e8c1a2+0b3d-4c5e-"
		    "8f90-123456789abc\"",
		"sh -c \"echo X2GODATABEGIN:; x; echo X2GODATAEND:\"",
		/* no end, no head, only one of them */
		"bash -l -c " BEGIN PATHS TERM "x",
		"bash -l -c " BEGIN PATHS "export TERM=\"dumb\";",
		"x" END,
		"bash -l -c " BEGIN "x" END,
		"bash -c " BEGIN PATHS TERM "x" END,
		"zsh -c " BEGIN PATHS TERM "x" END,
		"bash -l -c " BEGIN "export PATH=\"/evil\";" TERM "x" END,
		"bash -l -c " BEGIN PATHS "export TERM=\"xterm\"; x" END,
		" bash -l -c " BEGIN PATHS TERM "x" END,
		"bash -l -c " BEGIN PATHS TERM "x" END "; reboot",
		/* head and tail overlap */
		"sh -c \"echo X2GODATABEGIN:" U "\";",
		("echo X2GODATABEGIN:" U "; PATH=/usr/local/bin:/usr/bin:/bin "
		    "sh -c \"; echo X2GODATAEND:" U),
		("X2GODATABEGIN:" U), "X2GODATABEGIN:",
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check_envelope(rows[i], "", rows[i]);
	check_envelope("x --task y \n", "", "x --task y");
	check_envelope(" \n", "", "");
}

static void
a_uuid_is_checked_at_every_place(void **state unused)
{
	static const char good[] = "sh -c \"echo X2GODATABEGIN:" U "; x; "
	    "echo X2GODATAEND:" U "\"";
	char command[sizeof(good)];
	struct envelope envelope;
	size_t i;

	for (i = 0; i < UUID_LEN; i++) {
		strcpy(command, good);
		memcpy(strstr(command, "BEGIN:") + 6 + i, "G", 1);
		memcpy(strstr(command, "END:") + 4 + i, "G", 1);
		envelope_open(command, &envelope);
		assert_string_equal(envelope.uuid, "");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_that_clients_send_are_opened),
		cmocka_unit_test(all_else_is_its_own_content),
		cmocka_unit_test(a_uuid_is_checked_at_every_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
