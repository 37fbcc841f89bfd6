/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys for one login, put where they belong, and remembered where nobody else
 * takes them out.  Linked with --wrap for the functions of fake_connection.h.
 */
#include "autologin/autologin.h"
#include "fake_connection.h"
#include "state_rows.h"

static char state_dir[100];

static int
setup(void **state)
{
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir);
	test_config.state_dir = state_dir;
	return 0;
}

static int installed_version = OPENSSH_VERSION(9, 2);

static bool to_store;
static unsigned int lacks;	/* of the agent of ts01 */

/* Put a line on n of: ts01, and this host.  What is said about it is in *said. */
static int
place(const struct said *rows, size_t n, struct problems *said,
    struct x2gobroker_error *err)
{
	struct installation places[] = {
		{ .target = { .source = &source_ssh, .host = { .name = "ts01" },
		    .port = 22 }, .line = "line", .file = "file",
		    .expires = 1000 },
		{ .target = { .source = &source_local }, .line = "line",
		    .file = "file", .expires = 1000 },
	};
	struct reporter rep = { .fn = collect, .arg = said };
	struct x2gobroker_farm *farm;
	int result;

	play_servers(rows);
	link_played.openssh = installed_version;
	said->n = 0;
	if (to_store)
		places[0].file = NULL;
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts01", NULL), 0);
	farm->servers[0].lacks = lacks;
	result = install_keys(farm, places, n, &rep, err);
	x2gobroker_farm_free(farm);
	return result;
}

/* The lines that are to be taken out of ts01, by now. */
static size_t
count_leases(void)
{
	struct staterows taken;
	size_t n;

	if (stalekeys_take(state_dir, "ts01:22", 2000000000, &taken, NULL) == -1)
		return 0;
	n = taken.n;
	staterows_free(&taken);
	return n;
}

#define ADD(code, text)	{ NULL, "addauthkey", code, text }
#define TASKS(text)	{ NULL, "availabletasks", X2GOBROKER_OK, text }

static void
a_key_is_placed_and_remembered(void **state unused)
{
	static const struct said agent[] = { ADD(X2GOBROKER_OK, "OK\n"),
	    { NULL, "delauthkey", X2GOBROKER_OK, "OK\n" }, { 0 } };
	struct problems said;

	assert_int_equal(place(agent, 1, &said, NULL), 0);
	/* that one is taken out on the way, and a new one is there */
	assert_int_equal(place(agent, 1, &said, NULL), 0);
	assert_non_null(strstr(link_played.calls, "ts01 delauthkey line"));
	assert_int_equal(said.n, 0);
	assert_int_equal(count_leases(), 1);
}

/* The banner of each server says in which form it reads the end of a key. */
static void
a_key_without_an_end_is_not_installed(void **state unused)
{
	static const struct said agent[] = { ADD(X2GOBROKER_OK, "OK\n"),
	    { NULL, "addauthkey_local", X2GOBROKER_OK, "OK\n" }, { 0 } },
	debian[] = { ADD(X2GOBROKER_OK, "OK\n"),
	    { NULL, "addauthkey_local", X2GOBROKER_OK, "" }, { 0 } };
	static const struct {
		const char *label;
		int version;
		const struct said *rows;
		const char *calls;	/* or, in the case of a refusal, why */
		bool refused;
	} rows[] = {
		{ "9.1", OPENSSH_VERSION(9, 1), debian,
		    "ts01 addauthkey line file\n", false },
		{ "10.0", OPENSSH_VERSION(10, 0), agent,
		    "ts01 addauthkey line file\n", false },
		{ "9.0", OPENSSH_VERSION(9, 0), agent,
		    "ts01 addauthkey_local line file\n", false },
		{ "7.7", OPENSSH_VERSION(7, 7), agent,
		    "ts01 addauthkey_local line file\n", false },
		{ "8.4, Debian's agent", OPENSSH_VERSION(8, 4), debian,
		    "OpenSSH 8.4, which reads the end of a key in local time",
		    true },
		{ "7.6", OPENSSH_VERSION(7, 6), agent,
		    "not OpenSSH 7.7 or later", true },
		{ "another one", 0, agent, "not OpenSSH 7.7 or later", true },
	};
	struct x2gobroker_error err;
	struct problems said;
	int result;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		rows_forget("state/" STALEKEYS_DIR);
		installed_version = rows[i].version;
		result = place(rows[i].rows, 1, &said, &err);
		check(rows[i].label, result == (rows[i].refused ? -1 : 0));
		if (rows[i].refused)
			check(rows[i].label, strstr(err.text,
			    rows[i].calls) != NULL);
		else
			check(rows[i].label, strncmp(link_played.calls,
			    rows[i].calls, strlen(rows[i].calls)) == 0);
	}
	installed_version = OPENSSH_VERSION(9, 2);
	rows_forget("state/" STALEKEYS_DIR);
}

/* Each row starts with one expired key on the list: what the agent says, and
 * how many keys are on the list afterwards. */
static void
what_stays_is_listed(void **state unused)
{
	static char server[] = "ts01:22", name[] = "alice", file[] = "f",
	    line[] = "old";
	static const struct staterow expired = { .seconds = 1,
	    .fields = { server, name, file, line } };
	static const struct said agent[] = { ADD(X2GOBROKER_OK, "OK\n"),
	    { NULL, "delauthkey", X2GOBROKER_OK, "OK\n" }, { 0 } },
	unknown[] = { ADD(X2GOBROKER_OK, "OK\n"),
	    { NULL, "delauthkey", X2GOBROKER_ERR_DENIED, "x" }, { 0 } },
	refused[] = { ADD(X2GOBROKER_ERR_DENIED, "no"), { 0 } },
	broken[] = { ADD(X2GOBROKER_ERR_SYSTEM, "off"), { 0 } },
	unreachable[] = { { NULL, "open", X2GOBROKER_ERR_SYSTEM, "no way" },
	    { 0 } };
	static const struct {
		const char *label;
		const struct said *rows;
		int result;
		size_t listed;
		const char *calls;
	} rows[] = {
		{ "agent", agent, 0, 1, "ts01 addauthkey line file\n" },
		{ "unknown", unknown, 0, 2, "ts01 addauthkey line file\n" },
		{ "refused", refused, -1, 1, "ts01 addauthkey line file\n" },
		{ "broken", broken, -1, 2, "ts01 addauthkey line file\n" },
		{ "unreachable", unreachable, -1, 1, "" },
	};
	const struct staterows none = { 0 };
	struct problems said;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		rows_forget("state/" STALEKEYS_DIR);
		assert_int_equal(stalekeys_update(state_dir, &none, &expired,
		    NULL), 0);
		check(rows[i].label, place(rows[i].rows, 1, &said, NULL) ==
		    rows[i].result);
		check(rows[i].label, count_leases() == rows[i].listed);
		check(rows[i].label, strncmp(link_played.calls, rows[i].calls,
		    strlen(rows[i].calls)) == 0);
	}
}

#define STORE(code, text) { NULL, "storekey", code, text }
#define TO_STORE	"ts01 storekey line\n"
#define NO_STORE	TO_STORE "ts01 availabletasks\n"
#define USUAL_FILE	"%h/.x2go/authorized_keys\n"

/* Only an agent that is not ours has no store.  If ours cannot use it, nothing
 * is written into the home directory in its place. */
static void
the_store_needs_no_home_and_no_list(void **state unused)
{
	static const struct said ours[] = { STORE(X2GOBROKER_OK, "OK\n"), { 0 } },
	local[] = { { NULL, "storekey_local", X2GOBROKER_OK, "OK\n" }, { 0 } },
	unread[] = { STORE(X2GOBROKER_ERR_DENIED, "sshd does not read it"),
	    TASKS("OK\nstatus\n"), ADD(X2GOBROKER_OK, "OK\n"), { 0 } },
	off[] = { STORE(X2GOBROKER_ERR_SYSTEM, "off"), { 0 } },
	debian[] = { STORE(X2GOBROKER_OK, ""), TASKS("OK\n"),
	    ADD(X2GOBROKER_OK, "OK\n"), { 0 } },
	other[] = { STORE(X2GOBROKER_ERR_DENIED, "?"), TASKS("OK\n"),
	    ADD(X2GOBROKER_OK, "OK\n"), { 0 } },
	replaced[] = { STORE(X2GOBROKER_OK, "OK\n"),
	    ADD(X2GOBROKER_ERR_DENIED, "not in a file"), { 0 } },
	lost[] = { ADD(X2GOBROKER_ERR_SYSTEM, "off"), { 0 } };
	static const struct {
		const char *label;
		const struct said *rows;
		int version, result;
		size_t listed;
		const char *calls;
		unsigned int lacks;	/* of its agent, as was found before */
	} rows[] = {
		{ "ours", ours, 902, 0, 0, TO_STORE },
		{ "ours, old sshd", local, 804, 0, 0,
		    "ts01 storekey_local line\n" },
		{ "older sshd", ours, 706, -1, 0, "" },
		{ "no sshd reads it", unread, 902, -1, 0, NO_STORE },
		{ "off", off, 902, -1, 0, TO_STORE },
		{ "debian", debian, 902, 0, 1,
		    NO_STORE "ts01 addauthkey line " USUAL_FILE },
		{ "another", other, 902, 0, 1,
		    NO_STORE "ts01 addauthkey line " USUAL_FILE },
		{ "debian, known", debian, 902, 0, 1,
		    "ts01 addauthkey line " USUAL_FILE, LACKS_STATUS },
		{ "replaced by ours", replaced, 902, 0, 0,
		    "ts01 addauthkey line " USUAL_FILE TO_STORE, LACKS_STATUS },
		{ "debian, lost", lost, 902, -1, 1,
		    "ts01 addauthkey line " USUAL_FILE, LACKS_STATUS },
	};
	struct problems said;
	size_t i;

	to_store = true;
	for (i = 0; i < LENGTH(rows); i++) {
		rows_forget("state/" STALEKEYS_DIR);
		lacks = rows[i].lacks;
		installed_version = OPENSSH_VERSION(rows[i].version / 100,
		    rows[i].version % 100);
		check(rows[i].label, place(rows[i].rows, 1, &said, NULL) ==
		    rows[i].result);
		check(rows[i].label, count_leases() == rows[i].listed);
		check(rows[i].label, strcmp(link_played.calls,
		    rows[i].calls) == 0);
	}
	installed_version = OPENSSH_VERSION(9, 2);
	to_store = false;
	lacks = 0;
}

static void
a_key_that_is_not_placed_is_not_used(void **state unused)
{
	static const struct said refused[] = {
		ADD(X2GOBROKER_ERR_DENIED, "no"), { 0 },
	}, here[] = {
		{ "ts01", "addauthkey", X2GOBROKER_OK, "OK\n" },
		{ "here", "addauthkey", X2GOBROKER_ERR_DENIED, "no" }, { 0 },
	};
	struct x2gobroker_error err;
	struct problems said;

	assert_int_equal(place(refused, 1, &said, &err), -1);
	assert_string_equal(err.text, "ts01:22: no");
	assert_int_equal(place(here, 2, &said, &err), -1);
	assert_string_equal(err.text, "localhost: no");
	assert_int_equal(said.n, 0);
}

static void
without_a_service_key_nothing_is_placed(void **state unused)
{
	static const struct installation places[] = {
		{ .target = { .source = &source_ssh, .host = { .name = "ts01" } },
		    .line = "line", .file = "file" },
	};
	struct reporter rep = { 0 };
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;

	play_servers(NULL);
	link_played.no_setup = true;
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(install_keys(farm, places, 1, &rep, &err), -1);
	assert_string_equal(err.text, "ts01:0: no service key");
	assert_string_equal(link_played.calls, "");
	x2gobroker_farm_free(farm);
}

/* It is there, then, and expired after a moment. */
static void
what_cannot_be_remembered_is_said(void **state unused)
{
	static const struct said agent[] = { ADD(X2GOBROKER_OK, "OK\n"),
	    { 0 } };
	struct problems said;

	make_dir("state");
	assert_int_equal(chmod(state_dir, 0777), 0);
	assert_int_equal(place(agent, 1, &said, NULL), 0);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.list[0].code, X2GOBROKER_WARNING);
	assert_non_null(strstr(said.list[0].text, "will not be removed from its server"));
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_placed_and_remembered),
		TEST(a_key_without_an_end_is_not_installed),
		TEST(what_stays_is_listed),
		TEST(the_store_needs_no_home_and_no_list),
		TEST(a_key_that_is_not_placed_is_not_used),
		TEST(without_a_service_key_nothing_is_placed),
		TEST(what_cannot_be_remembered_is_said),
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
