/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of keys-dir: alice's, and behind a form feed bob's.  A key is found for
 * whoever has it alone, whatever else stands in the files; it is added and
 * removed, and the other lines stay as they are.
 */
#include <pwd.h>

#include "x2gobroker_admin.h"
#include "config/config.h"
#include "fuzz_dir.h"

struct passwd *__wrap_getpwnam(const char *name);

static const char type[] = "ssh-ed25519", base64[] =
    "AAAAC3NzaC1lZDI1NTE5AAAAIF0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ";

static const struct x2gobroker_config config = { .keys_dir = fuzz_dir_path };

/* Each name is an account's. */
struct passwd *
__wrap_getpwnam(const char *name)
{
	static char copy[256];
	static struct passwd pw = { .pw_name = copy };

	snprintf(copy, sizeof(copy), "%s", name);
	return &pw;
}

static bool
mentions(const char *name)
{
	size_t size;
	char *text = fuzz_read(name, &size);
	bool does = text != NULL &&
	    memmem(text, size, base64, strlen(base64)) != NULL;

	free(text);
	return does;
}

/* Whose it is: 'a', 'b', or 0: nobody's. */
static char
find(void)
{
	struct x2gobroker_error err = { 0 };
	char *name, who = '\0';

	if (x2gobroker_keys_find(&config, type, base64, NULL, NULL, &name,
	    &err) == -1)
		must(name == NULL && err.text[0] != '\0');
	if (name != NULL) {
		who = name[0];
		must(strcmp(name, who == 'a' ? "alice" : "bob") == 0);
		must(mentions(who == 'a' ? "alice.pub" : "bob.pub"));
	}
	free(name);
	return who;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size, n;
	char *line, who;

	fuzz_dir();
	fuzz_write("alice.pub", data, len);
	fuzz_write("bob.pub", end != NULL ? end + 1 : data,
	    end != NULL ? size - len - 1 : 0);
	must(asprintf(&line, "%s %s new one\n", type, base64) > 0);
	who = find();
	if (x2gobroker_keys_add(&config, "alice", line, "x", NULL, NULL, &n,
	    NULL) == 0)
		must(find() == 'a' && (n == 0) == (who == 'a'));
	else
		must(who != 'a' && n == 0 && mentions("bob.pub"));
	if (x2gobroker_keys_remove(&config, "alice", line, "x", NULL, NULL, &n,
	    NULL) == 0)
		must(find() != 'a');
	x2gobroker_keys_check(&config, NULL, NULL);
	free(line);
	fuzz_dir_empty();
	return 0;
}
