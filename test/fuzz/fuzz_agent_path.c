/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an authorized_keys file is, as the broker says it.  What is taken is a
 * path from / on, which leads to where it says; it ends in a name that such
 * files have.
 */
#include "fuzz.h"
#include "keypath.h"

static void
check_path(const struct keypath *path, const struct account *account)
{
	const char *name = strrchr(path->text, '/') + 1, *p;

	must(path->text[0] == '/' && strlen(path->text) < KEYPATH_SIZE);
	must(path->below > path->text && *path->below != '/');
	must(strstr(path->below, "//") == NULL);
	must(strstr(path->text, "/../") == NULL);
	must(strstr(path->below, "/./") == NULL);
	must(*path->below != '.' || (path->below[1] != '/' &&
	    strncmp(path->below, "../", 3) != 0));
	must(strncmp(name, "authorized_keys", 15) == 0 ||
	    (!path->in_home && strcmp(name, account->name) == 0));
	for (p = path->text; *p != '\0'; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7f);
	must(path->in_home == (strncmp(path->text, "/home/alice/", 12) == 0));
}

static void
check_again(const struct keypath *path, const struct account *account)
{
	char *template, *to;
	const char *from;
	struct keypath again;

	must((template = malloc(2 * KEYPATH_SIZE)) != NULL);
	for (to = template, from = path->text; *from != '\0'; from++) {
		if (*from == '%')
			*to++ = '%';
		*to++ = *from;
	}
	*to = '\0';
	must(keypath_make(template, account, &again, NULL) == 0);
	must(strcmp(again.text, path->text) == 0);
	must(strcmp(again.below, path->below) == 0);
	must(again.in_home == path->in_home);
	free(template);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "alice", home[] = "/home/alice/", sh[] = "/bin/sh";
	const struct account account = { .name = name, .home = home,
	    .shell = sh, .uid = 1000, .gid = 1001 };
	char *template = fuzz_string(data, size);
	struct x2gobroker_error err = { 0 };
	struct keypath path;

	if (keypath_make(template, &account, &path, &err) == 0) {
		check_path(&path, &account);
		check_again(&path, &account);
	} else
		must(err.text[0] != '\0');
	free(template);
	return 0;
}
