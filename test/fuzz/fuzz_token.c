/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a login token, and behind a form feed a file of secrets.  Nobody
 * gets in by a file that does not end in his name, nor by a secret that stands
 * nowhere; and what takes a token's place is as good as it was, for its user
 * alone.
 */
#include <sha2.h>

#include "fuzz_dir.h"
#include "fuzz_file.h"
#include "access/token.h"

#define NOW	1763930965

static const char sent[] = "a-token";
static time_t born;		/* of the last token that was taken */

static const struct x2gobroker_config config = { .auth_timeout = 36000,
    .token_grace = 60, .cookie_directory = fuzz_dir_path,
    .my_cookie = "", .my_cookie_file = "/secrets",
    .authids_dir = "/defaults.conf" };	/* does not exist: fuzz_file.h */

/* Whether who may begin, or go on, with what; the next one is put into text. */
static bool
login(const char *who, const char *with, time_t now,
    char next[static TOKEN_LEN + 1])
{
	struct x2gobroker_user user = { .name = (char *)(uintptr_t)who };
	struct x2gobroker_error err = { 0 };
	struct token token;

	next[0] = '\0';
	if (token_open(&token, &config, &user, with, now, &err) == -1) {
		must(token.dir == -1 && token.file == -1);
		must(err.text[0] != '\0');
		return false;
	}
	born = token.born;
	must(born <= now && born >= now - config.auth_timeout);
	must(token_advance(&token, next, NULL) == 0);
	token_close(&token);
	return true;
}

static void
check_next(const char *next)
{
	char after[TOKEN_LEN + 1], ignored[TOKEN_LEN + 1];

	must(strlen(next) == TOKEN_LEN);
	must(!login("bob", next, NOW, ignored));
	must(login("alice", next, NOW, after) && *after != '\0');
	must(login("alice", next, NOW + 60, ignored) && *ignored == '\0');
	must(!login("alice", next, NOW + 61, ignored));
	must(!login("alice", after, NOW + 36001, ignored));
}

static bool
ends_in_name(const void *data, size_t size)
{
	char *text = fuzz_string(data, size);
	size_t len = strlen(text);
	bool does = len >= 5 && strcmp(text + len - 5, "alice") == 0;

	free(text);
	return does;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size;
	char name[SHA256_DIGEST_STRING_LENGTH], next[TOKEN_LEN + 1];
	bool in_secrets;

	fuzz_dir();
	the_defaults = (struct fuzz_file){ NULL, 0 };
	the_file = (struct fuzz_file){ "", 0 };
	if (end != NULL)
		the_file = (struct fuzz_file){ end + 1, size - len - 1 };
	SHA256Data((const uint8_t *)sent, strlen(sent), name);
	fuzz_write(name, data, len);
	in_secrets = the_file.size > 0 && memmem(the_file.data, the_file.size,
	    sent, strlen(sent)) != NULL;
	if (login("alice", sent, NOW, next)) {
		must(in_secrets || ends_in_name(data, len));
		if (*next != '\0' && born > NOW - 30000)
			check_next(next);
	}
	must(file_was_opened);
	unlink(fuzz_path(name));
	must(in_secrets || !login("alice", sent, NOW, next));
	fuzz_dir_empty();
	return 0;
}
