/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of the agent's registry, under the name that its text has, or, where
 * the input begins with '!', under another one.  Nothing is swept but by what
 * the name says; and what is in no order does not stay.
 */
#include "fuzz_dir.h"

#undef AGENT_REGISTRY
#define AGENT_REGISTRY	fuzz_dir()

/* The child of a sweep is this process. */
#define fork()		0
#define _exit(status)	return (enum swept)(status)
#include "../../cmd/x2gobroker-agent/keyregistry.c"
#undef _exit

static struct {
	const char *text;	/* what is in the file */
	size_t len;
	unsigned int times;
	enum swept swept;
} noted;

int
account_find(const char *user,
    struct account *account __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	size_t len = strlen(user);

	must(len < noted.len && memcmp(noted.text, user, len) == 0);
	must(noted.text[len] == '\n' && strchr(user, '\n') == NULL);
	return 0;
}

int
process_become(const struct account *account __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	return 0;
}

int
process_no_new_privs(struct x2gobroker_error *err __attribute__((unused)))
{
	return 0;
}

void
process_limit_time(void)
{
}

void
process_warn(const char *about __attribute__((unused)),
    const struct x2gobroker_error *err __attribute__((unused)))
{
}

int
keyfile_change(const char *file,
    const struct account *account __attribute__((unused)),
    enum key_change change, const char *line, bool *left,
    struct x2gobroker_error *err __attribute__((unused)))
{
	size_t user_len = noted.len - strlen(file) - 2;

	must(change == KEY_EXPIRE && line == NULL);
	must(strlen(file) + 2 <= noted.len);
	must(noted.text[user_len] == '\n');
	must(memcmp(noted.text + user_len + 1, file, strlen(file)) == 0);
	noted.times++;
	*left = noted.swept == SWEPT_SOME_LEFT;
	return 0;
}

/* How often it was swept, of a registry that has this one file. */
static unsigned int
sweep_once(const void *data, size_t size, enum swept swept)
{
	noted.text = data;
	noted.len = size;
	noted.times = 0;
	noted.swept = swept;
	must(keyregistry_sweep());
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
