/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSH_CONNECTION, or, after a NUL in its place, SSH_CLIENT, and what becomes of
 * the address in it.  It is the first word, or nobody's; and the variable is
 * left without it.
 */
#include "fuzz.h"
#include "access/user.h"

#include "../../cmd/common/startup.c"

static void
check_user(const char *address, const char *first, size_t len)
{
	struct x2gobroker_user *user;
	struct x2gobroker_error err = { 0 };

	must(strlen(address) == len && memcmp(address, first, len) == 0);
	must(strchr(address, ' ') == NULL);
	if (x2gobroker_user_new("alice", address, &user, &err) == -1) {
		must(user == NULL && err.text[0] != '\0');
		return;
	}
	must(strspn(address, "0123456789abcdefABCDEF.:") == len ||
	    strchr(address, '%') != NULL);
	must(strcmp(user->address_text, address) == 0);
	x2gobroker_user_free(user);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_client = size > 0 && data[0] == '\0';
	const char *name = is_client ? "SSH_CLIENT" : "SSH_CONNECTION";
	char *text = fuzz_string(data + is_client, size - is_client);
	char *address, *variable;
	const char *left;
	size_t i;

	unsetenv("SSH_CONNECTION");
	unsetenv("SSH_CLIENT");
	must(startup_take_address(&address) && address == NULL);
	/* setenv(3) would keep a copy for ever */
	must(asprintf(&variable, "%s=%s", name, text) > 0);
	must(putenv(variable) == 0);
	must(startup_take_address(&address) && address != NULL);
	must((left = getenv(name)) != NULL);
	for (i = 0; i < strlen(text); i++)
		must(left[i] == '\0');
	check_user(address, text, strcspn(text, " "));
	unsetenv(name);
	free(variable);
	free(address);
	free(text);
	return 0;
}
