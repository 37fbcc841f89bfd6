/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of the agent's registry, under the name that its text has, or, where
 * the input begins with '!', under another one.  Nothing is swept but by what
 * the name says; and what is in no order does not stay.
 */
#include "fuzz_dir.h"

#undef AGENT_REGISTRY
#define AGENT_REGISTRY	fuzz_dir()

#include "../../cmd/x2gobroker-agent/keyregistry.c"

struct noted {
	const char *text;	/* what is in the file */
	size_t len;
	unsigned int times;
	enum swept swept;
};

static enum swept
sweep(void *arg, const char *user, const char *file)
{
	struct noted *noted = arg;
	size_t len = strlen(user);

	must(len + strlen(file) + 2 == noted->len);
	must(memcmp(noted->text, user, len) == 0 && noted->text[len] == '\n');
	must(memcmp(noted->text + len + 1, file, strlen(file)) == 0);
	must(strchr(user, '\n') == NULL);
	noted->times++;
	return noted->swept;
}

/* How often it was swept, of a registry that has this one file. */
static unsigned int
sweep_once(const void *data, size_t size, enum swept swept)
{
	struct noted noted = { data, size, 0, swept };

	must(keyregistry_sweep(sweep, &noted, NULL) == 0);
	must(noted.times <= 1);
	return noted.times;
}

/* Noted by ourselves, it is the same file. */
static void
check_noted(const char *text, size_t size)
{
	char *copy = fuzz_string(text, size - 1), *file = copy;
	const char *user = strsep(&file, "\n");
	int fd;

	must((fd = keyregistry_note(user, file, NULL)) != -1);
	must(sweep_once(text, size, SWEPT_CLEAN) == 0);	/* in our hands */
	close(fd);
	must(sweep_once(text, size, SWEPT_CLEAN) == 1);
	must(sweep_once(text, size, SWEPT_CLEAN) == 0);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[NAME_LEN + 1];
	bool other = size > 0 && data[0] == '!';

	fuzz_dir();
	SHA256Data(data, size, name);
	if (other)
		name[0] = name[0] == '0' ? '1' : '0';
	fuzz_write(name, data, size);
	if (sweep_once(data, size, SWEPT_SOME_LEFT) == 1) {
		must(!other && access(fuzz_path(name), F_OK) == 0);
		must(sweep_once(data, size, SWEPT_CLEAN) == 1);
		must(access(fuzz_path(name), F_OK) == -1);
		check_noted((const char *)data, size);
	}
	must(access(fuzz_path(name), F_OK) == -1);
	return 0;
}
