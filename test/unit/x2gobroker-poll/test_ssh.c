/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSH as libssh plays it here: what is refused, and that nothing of it is left
 * behind.  The real one is for test_farm.py.  Linked with --wrap for the functions
 * of fake_libssh.h and failing_malloc.h and asprintf.
 */
#include <sys/socket.h>

#include <fcntl.h>

#include "base/clock.h"
#include "failing_malloc.h"
#include "fake_libssh.h"

#define PATIENCE_MS	20000
#define OUTPUT_MAX	20000

/*
 * One connection
 */

static const struct host ts01 = { .name = "ts01" };

/* A connection whose other side says nothing more; with ms left. */
struct wire {
	struct ssh_setup setup;
	struct ssh_link link;
	int fds[2];
};

static int
open_wire(struct wire *wire, const struct host *host, int port, int ms,
    enum hostkey_policy policy, struct x2gobroker_error *err)
{
	memset(wire, 0, sizeof(*wire));
	assert_int_equal(ssh_setup_load(&order, true, &wire->setup, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    wire->fds), 0);
	return ssh_link_open(&wire->link, &wire->setup, wire->fds[0],
	    clock_ms() + ms, host, port, policy, err);
}

static void
close_wire(const char *label, struct wire *wire)
{
	ssh_link_close(&wire->link);
	ssh_setup_free(&wire->setup);
	check(label, fcntl(wire->fds[0], F_GETFD) == -1);
	close(wire->fds[1]);
	check_returned(label);
}

static void
the_name_of_the_known_key_is_found(void **state unused)
{
	static const struct {
		struct host host;
		const char *known, *as;
	} rows[] = {
		{ { .name = "ts01" }, "ts01", "ts01" },
		{ { .name = "ts01" }, NULL, "ts01" },
		{ { .name = "ts01", .address = "192.0.2.1" }, "ts01", "ts01" },
		{ { .name = "ts01", .address = "192.0.2.1" }, "192.0.2.1",
		    "192.0.2.1" },
		{ { .name = "ts01", .address = "192.0.2.1" }, NULL, "ts01" },
	};
	struct wire wire;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		play();
		played.known_name = rows[i].known;
		check(rows[i].as, open_wire(&wire, &rows[i].host, 22,
		    PATIENCE_MS, HOSTKEY_REJECT, NULL) == 0);
		check_text("name", wire.link.known_as, rows[i].as);
		check_text("fingerprint", wire.link.fingerprint,
		    "SHA256:finger");
		close_wire(rows[i].as, &wire);
	}
}

/* Each row: what fails, after how many that do not, and what is said then. */
static void
what_fails_on_the_way_is_said(void **state unused)
{
	static const struct {
		const char *fails;
		int after;
		const char *text;
	} rows[] = {
		{ "ssh_new", 0, "out of memory" },
		{ "ssh_options_set", 0, "cannot set up SSH: so it is" },
		{ "ssh_options_set", 5, "cannot set up SSH: so it is" },
		{ "ssh_options_set", 6, "cannot set up SSH: so it is" },
		{ "ssh_connect", 0, "no SSH connection: so it is" },
		{ "ssh_get_server_publickey", 0, "no host key: so it is" },
		{ "ssh_get_publickey_hash", 0, "no host key: so it is" },
		{ "ssh_get_fingerprint_hash", 0, "no host key: so it is" },
	};
	struct x2gobroker_error err;
	struct wire wire;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		play();
		played.fails = rows[i].fails;
		played.after = rows[i].after;
		check(rows[i].fails, open_wire(&wire, &ts01, 22, PATIENCE_MS,
		    HOSTKEY_ADD, &err) == -1);
		check_text(rows[i].fails, err.text, rows[i].text);
		close_wire(rows[i].fails, &wire);
	}
}

static void
only_a_key_that_is_known_is_trusted(void **state unused)
{
	static const struct {
		int known;
		enum hostkey_policy policy;
		int port;
		const char *refused;	/* or NULL */
		bool new;
		const char *file;	/* known_hosts, or NULL */
	} rows[] = {
		{ SSH_KNOWN_HOSTS_OK, HOSTKEY_REJECT, 22, NULL, false },
		/* what libssh takes no notice of; the key is AAAA */
		{ SSH_KNOWN_HOSTS_OK, HOSTKEY_WARN, 22, "is marked @revoked",
		    false, "ts01 t AAAA\n@revoked ts01 t AAAA\n" },
		{ SSH_KNOWN_HOSTS_NOT_FOUND, HOSTKEY_ADD, 2022,
		    "is marked @revoked", false, "@revoked * t AAAA x\r\n" },
		{ SSH_KNOWN_HOSTS_OK, HOSTKEY_REJECT, 22, NULL, false,
		    "ts01 t AAAA\n@revoked ts02 t AAAA\n" },
		{ SSH_KNOWN_HOSTS_OK, HOSTKEY_REJECT, 22, "unknown host key",
		    true, "*,!ts01 t AAAA\n" },
		{ SSH_KNOWN_HOSTS_OK, HOSTKEY_REJECT, 22, NULL, false,
		    "*,!ts01 t AAAA\nts01 t AAAA\n" },
		{ SSH_KNOWN_HOSTS_CHANGED, HOSTKEY_WARN, 22, NULL, true,
		    "*,!ts01 t BBBB\n" },
		{ SSH_KNOWN_HOSTS_CHANGED, HOSTKEY_WARN, 22,
		    "is not the one in", false,
		    "*,!ts01 t BBBB\nts* t BBBB\n" },
		{ SSH_KNOWN_HOSTS_UNKNOWN, HOSTKEY_REJECT, 22,
		    "@cert-authority is not supported", true,
		    "# one\n@cert-authority ts* t CCCC\n" },
		{ SSH_KNOWN_HOSTS_UNKNOWN, HOSTKEY_REJECT, 22,
		    "unknown host key", true },
		{ SSH_KNOWN_HOSTS_NOT_FOUND, HOSTKEY_REJECT, 22,
		    "unknown host key", true },
		{ SSH_KNOWN_HOSTS_UNKNOWN, HOSTKEY_WARN, 22, NULL, true },
		{ SSH_KNOWN_HOSTS_NOT_FOUND, HOSTKEY_ADD, 22, NULL, true },
		{ SSH_KNOWN_HOSTS_CHANGED, HOSTKEY_REJECT, 22,
		    " -R 'ts01'", false },
		{ SSH_KNOWN_HOSTS_CHANGED, HOSTKEY_WARN, 2022,
		    " -R '[ts01]:2022'", false },
		{ SSH_KNOWN_HOSTS_OTHER, HOSTKEY_ADD, 22,
		    "is not the one in", false },
		{ SSH_KNOWN_HOSTS_ERROR, HOSTKEY_ADD, 22,
		    "cannot check the host key", false },
		{ 77, HOSTKEY_ADD, 22, "cannot check the host key", false },
	};
	struct x2gobroker_error err;
	struct wire wire;
	size_t i;
	int result;

	for (i = 0; i < LENGTH(rows); i++) {
		const char *label = rows[i].refused != NULL ?
		    rows[i].refused : "trusted";

		play();
		played.known = rows[i].known;
		write_file("known_hosts", rows[i].file != NULL ? rows[i].file :
		    "");
		result = open_wire(&wire, &ts01, rows[i].port, PATIENCE_MS,
		    rows[i].policy, &err);
		check(label, (result == -1) == (rows[i].refused != NULL));
		if (rows[i].refused != NULL)
			check(label, strstr(err.text, rows[i].refused) !=
			    NULL);
		check(label, (wire.link.new_key != NULL) == rows[i].new);
		close_wire(label, &wire);
	}
}

/* What could not be kept cannot be shown, so that it is not trusted either. */
static void
a_new_key_that_is_lost_is_refused(void **state unused)
{
	struct x2gobroker_error err;
	struct wire wire;

	played.known = SSH_KNOWN_HOSTS_UNKNOWN;
	played.fails = "ssh_session_export_known_hosts_entry";
	assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS, HOSTKEY_ADD,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	close_wire("lost", &wire);
}

/* Nobody is trusted because a list of revoked keys cannot be read. */
static void
a_list_that_cannot_be_read_is_refused(void **state unused)
{
	struct x2gobroker_error err;
	struct wire wire;
	size_t i;

	for (i = 0; i < 2; i++) {
		play();
		write_file("known_hosts", "");
		if (i == 1) {
			played.fails = "ssh_pki_export_pubkey_base64";
			check("key", open_wire(&wire, &ts01, 22, PATIENCE_MS,
			    HOSTKEY_ADD, &err) == -1);
			check_text("key", err.text, "no host key: so it is");
		} else {
			assert_int_equal(open_wire(&wire, &ts01, 22,
			    PATIENCE_MS, HOSTKEY_REJECT, NULL), 0);
			close_wire("readable", &wire);
			play();
			memset(&wire, 0, sizeof(wire));
			assert_int_equal(ssh_setup_load(&order, true,
			    &wire.setup, NULL), 0);
			chmod(test_path("known_hosts"), 0666);
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM |
			    SOCK_NONBLOCK, 0, wire.fds), 0);
			check("file", ssh_link_open(&wire.link, &wire.setup,
			    wire.fds[0], clock_ms() + PATIENCE_MS, &ts01, 22,
			    HOSTKEY_ADD, &err) == -1);
			check("file", err.code == X2GOBROKER_ERR_UNSAFE);
		}
		close_wire("refused", &wire);
	}
}

/* libssh keeps all that a server sends, be it asked for or not. */
static void
who_sends_without_an_end_is_cut_off(void **state unused)
{
	struct x2gobroker_error err;
	struct buf out = { 0 };
	struct wire wire;

	played.again = 1000000;
	played.sends = 600000;
	assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS,
	    HOSTKEY_ADD, &err), -1);
	assert_string_equal(err.text, "no SSH connection: it sends more than "
	    "524288 bytes");
	close_wire("connecting", &wire);
	play();
	assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS,
	    HOSTKEY_ADD, &err), 0);
	played.again = 1000000;
	played.sends = 600000;
	assert_int_equal(ssh_link_run(&wire.link, "x", 1000, &out, &err), -1);
	assert_string_equal(err.text, "cannot start the agent: it sends more "
	    "than 525288 bytes");
	buf_free(&out);
	close_wire("running", &wire);
}

static void
logins_are_tried_with_each_key(void **state unused)
{
	static const struct {
		int logins[3], tried;
		const char *refused;	/* or NULL */
	} rows[] = {
		{ { SSH_AUTH_SUCCESS }, 1, NULL },
		{ { SSH_AUTH_DENIED, SSH_AUTH_SUCCESS }, 2, NULL },
		{ { SSH_AUTH_PARTIAL, SSH_AUTH_SUCCESS }, 2, NULL },
		{ { SSH_AUTH_DENIED, SSH_AUTH_DENIED }, 2,
		    "login as nobody with" },
		{ { SSH_AUTH_PARTIAL, SSH_AUTH_PARTIAL }, 2,
		    "login as nobody: sshd accepts the key, but wants more" },
		{ { SSH_AUTH_ERROR }, 1, "connection lost at the login: so it is" },
		{ { SSH_AUTH_INFO }, 1, "connection lost at the login: so it is" },
		{ { SSH_AUTH_DENIED, SSH_AUTH_ERROR }, 2, "connection lost" },
	};
	struct x2gobroker_error err;
	struct wire wire;
	size_t i;

	strlcpy(paths[1], write_file("other", "another"),
	    sizeof(paths[1]));
	order.nidentities = 2;
	for (i = 0; i < LENGTH(rows); i++) {
		const char *label = rows[i].refused != NULL ?
		    rows[i].refused : "let in";

		play();
		played.logins = rows[i].logins;
		assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS,
		    HOSTKEY_REJECT, NULL), 0);
		check(label, ssh_link_login(&wire.link, &err) ==
		    (rows[i].refused != NULL ? -1 : 0));
		check(label, played.logins_made == rows[i].tried);
		if (rows[i].refused != NULL)
			check(label, strstr(err.text, rows[i].refused) !=
			    NULL);
		close_wire(label, &wire);
	}
}

/* libssh wants to be called again when there is something to read: there is,
 * or there is nothing until the deadline. */
static void
steps_are_made_until_the_deadline(void **state unused)
{
	struct x2gobroker_error err;
	struct buf out = { 0 };
	struct wire wire;

	assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS,
	    HOSTKEY_REJECT, NULL), 0);
	assert_int_equal(write(wire.fds[1], "x", 1), 1);
	played.again = 3;
	assert_int_equal(ssh_link_login(&wire.link, NULL), 0);
	assert_int_equal(ssh_link_run(&wire.link, "x", 100, &out, NULL), 0);
	close_wire("in time", &wire);

	play();
	played.again = 1000;
	assert_int_equal(open_wire(&wire, &ts01, 22, 50, HOSTKEY_REJECT, &err),
	    -1);
	assert_string_equal(err.text, "timed out");
	close_wire("late", &wire);
	buf_free(&out);
}

/*
 * A command
 */

static void
what_it_answers_is_read(void **state unused)
{
	static char large[OUTPUT_MAX + 1];
	static const struct {
		const char *output;
		size_t len;
		const char *message;
		int message_len, status;
		bool closed;
		const char *fails, *refused;	/* or NULL */
	} rows[] = {
		{ "OK\n", 3, NULL, 0, 0, false, NULL, NULL },
		{ large, OUTPUT_MAX, NULL, 0, 0, false, NULL, NULL },
		{ "", 0, NULL, 0, 0, false, NULL, NULL },
		{ "OK\n", 3, "a word beside it\n", 0, 0, false, NULL, NULL },
		{ large, OUTPUT_MAX + 1, NULL, 0, 0, false, NULL,
		    "longer than 20000 bytes" },
		{ "", 0, "no such task\n\n", 0, 0, false, NULL,
		    "the agent there says: no such task" },
		{ "OK\n", 3, "two\nlines\0more\n", 15, 2, false, NULL,
		    "the agent there says: two lines more" },
		{ "OK\n", 3, NULL, 0, 3, false, NULL, "with status 3" },
		{ "OK\n", 3, NULL, 0, -1, true, NULL, "was killed" },
		{ "", 0, NULL, 0, 0, false, "ssh_channel_new",
		    "out of memory" },
		{ "", 0, NULL, 0, 0, false, "ssh_channel_open_session",
		    "cannot start the agent: so it is" },
		{ "", 0, NULL, 0, 0, false, "ssh_channel_request_exec",
		    "cannot start the agent: so it is" },
		{ "", 0, NULL, 0, 0, false, "ssh_channel_send_eof",
		    "connection lost: so it is" },
		{ "", 0, NULL, 0, 0, false, "ssh_channel_read_nonblocking",
		    "the answer is incomplete: so it is" },
	};
	struct x2gobroker_error err;
	struct buf out = { 0 };
	struct wire wire;
	size_t i;

	memset(large, 'x', sizeof(large));
	for (i = 0; i < LENGTH(rows); i++) {
		const char *label = rows[i].refused != NULL ?
		    rows[i].refused : "answer";

		play();
		played.output = rows[i].output;
		played.output_len = rows[i].len;
		played.message = rows[i].message;
		played.message_len = rows[i].message_len;
		played.status = rows[i].status;
		played.closed = rows[i].closed;
		assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS,
		    HOSTKEY_REJECT, NULL), 0);
		played.fails = rows[i].fails;
		check(label, ssh_link_run(&wire.link, "x", OUTPUT_MAX, &out,
		    &err) == (rows[i].refused != NULL ? -1 : 0));
		if (rows[i].refused != NULL)
			check(label, strstr(err.text, rows[i].refused) !=
			    NULL);
		else
			check(label, out.len == rows[i].len);
		close_wire(label, &wire);
		buf_free(&out);
	}
}

/* Output that does not end, and a status that does not come. */
static void
an_answer_has_to_end(void **state unused)
{
	static const char *const rows[] = { "ssh_channel_is_eof", NULL };
	struct x2gobroker_error err;
	struct buf out = { 0 };
	struct wire wire;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		play();
		played.status = -1;
		assert_int_equal(open_wire(&wire, &ts01, 22, 100,
		    HOSTKEY_REJECT, NULL), 0);
		played.fails = rows[i];
		assert_int_equal(ssh_link_run(&wire.link, "x", 100, &out,
		    &err), -1);
		assert_string_equal(err.text, "timed out");
		close_wire("end", &wire);
		buf_free(&out);
	}
}

static void
an_answer_takes_memory(void **state unused)
{
	struct x2gobroker_error err;
	struct buf out = { 0 };
	struct wire wire;

	played.output = "OK\n";
	played.output_len = 3;
	assert_int_equal(open_wire(&wire, &ts01, 22, PATIENCE_MS,
	    HOSTKEY_REJECT, NULL), 0);
	alloc_fail(1);
	assert_int_equal(ssh_link_run(&wire.link, "x", 100, &out, &err), -1);
	assert_true(alloc_failed());
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	close_wire("memory", &wire);
	buf_free(&out);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_name_of_the_known_key_is_found),
		TEST(what_fails_on_the_way_is_said),
		TEST(only_a_key_that_is_known_is_trusted),
		TEST(a_new_key_that_is_lost_is_refused),
		TEST(a_list_that_cannot_be_read_is_refused),
		TEST(who_sends_without_an_end_is_cut_off),
		TEST(logins_are_tried_with_each_key),
		TEST(steps_are_made_until_the_deadline),
		TEST(what_it_answers_is_read),
		TEST(an_answer_has_to_end),
		TEST(an_answer_takes_memory),
	};

	return cmocka_run_group_tests_name("ssh", tests, NULL, NULL);
}
