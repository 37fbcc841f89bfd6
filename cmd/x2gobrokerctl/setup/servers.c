/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service key, which lets the broker log in to X2Go servers, and the host
 * keys of the servers.  The broker account itself makes both files.
 */
#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "../servers.h"
#include "step.h"

#define KNOWN_HOSTS_OF_ALL	"/etc/ssh/ssh_known_hosts"

/* Record that the file is new, or, if before is not "", that it was appended
 * to. */
static int
record_file(struct setup *setup, const char *path, const char *before)
{
	char state[STATE_SIZE] = "";

	files_state(path, state);
	return manifest_add(setup->manifest, kind_file.name, path, before,
	    state, setup->account);
}

/*
 * The service key
 */

/* Does one of the keys in agent-identity-files exist? */
static bool
has_key(const struct setup *setup)
{
	char path[X2GOBROKER_FILE_SIZE];
	size_t i;

	for (i = 0; x2gobroker_service_key_path(setup->config, i, setup->home,
	    path); i++)
		if (access(path, F_OK) == 0)
			return true;
	return false;
}

static enum look
key_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	size_t len = strlen(setup->home);

	if (has_key(setup))
		return LOOK_DONE;
	if (strncmp(step->name, setup->home, len) == 0 &&
	    step->name[len] == '/')
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "agent-identity-files names no file below %s; "
	    "make a key with ssh-keygen that %s can read", setup->home,
	    setup->account);
	return LOOK_BLOCKED;
}

/* What ssh-keygen writes is only known afterwards, so it is recorded then. */
static int
key_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->account);

	if (pw == NULL || dirs_make_parent(setup, step->name) == -1 ||
	    step_call_as(pw, step_run, step->argv) != 0 ||
	    record_file(setup, step->name, "") == -1)
		return -1;
	return record_file(setup, step_text(setup, "%s.pub", step->name), "");
}

/* Its files are recorded as files. */
const struct kind kind_key = {
	.noun = "", .look = key_look, .apply = key_apply,
};

/*
 * Host keys of servers
 */

/* "ts01", "ts01:2222" or "[::1]:2222" as known_hosts writes it. */
static void
write_known_name(const char *host, char name[static WHY_SIZE])
{
	const char *colon = strchr(host, ':');
	int len = colon != NULL ? (int)(colon - host) : 0;

	if (host[0] != '[' && colon != NULL && len < SERVER_LABEL_SIZE &&
	    strchr(colon + 1, ':') == NULL)
		snprintf(name, WHY_SIZE, "[%.*s]%.*s", len, host,
		    SERVER_LABEL_SIZE, colon);
	else
		strlcpy(name, host, WHY_SIZE);
}

static bool
is_known(const char *host, const char *file, const struct passwd *pw)
{
	char name[WHY_SIZE];
	const char *const argv[] = { PROGRAM_SSH_KEYGEN, "-F", name, "-f", file,
	    NULL };

	write_known_name(host, name);
	return step_call_as(pw, step_run_quietly, argv) == 0;
}

static enum look
known_hosts_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE] __attribute__((unused)))
{
	const struct passwd *pw = getpwnam(setup->account);
	size_t i;

	for (i = 0; i < setup->nservers; i++)
		if (pw == NULL ||
		    (!is_known(setup->servers[i], step->name, pw) &&
		    !is_known(setup->servers[i], KNOWN_HOSTS_OF_ALL, pw)))
			return LOOK_TO_DO;
	return LOOK_DONE;
}

/* For step_call_as(): it becomes the broker account. */
static int
add_known_hosts(const void *ctl)
{
	return known_hosts_main(ctl);
}

static int
known_hosts_apply(struct setup *setup, const struct step *step)
{
	cleanup_free char **words = calloc(setup->nservers + 1,
	    sizeof(*words));
	char add[] = "add";
	struct ctl ctl = *setup->ctl;
	const char *path = step->name;
	struct stat old, new;
	bool existed = lstat(path, &old) == 0;
	int result;

	if (words == NULL || dirs_make_parent(setup, path) == -1)
		return -1;
	words[0] = add;
	memcpy(words + 1, setup->servers, setup->nservers * sizeof(*words));
	ctl.words = words;
	ctl.nwords = (int)setup->nservers + 1;
	ctl.all = false;
	result = step_call_as(NULL, add_known_hosts, &ctl);
	if (lstat(path, &new) == 0 &&
	    (!existed || new.st_size != old.st_size) &&
	    record_file(setup, path, !existed ? "" : step_text(setup,
	    "%jd bytes", (intmax_t)old.st_size)) == -1)
		return -1;
	return result == 0 ? 0 : -1;
}

const struct kind kind_known_hosts = {
	.noun = "", .look = known_hosts_look, .apply = known_hosts_apply,
};

void
servers_add_steps(struct setup *setup, const char *key, const char *known_hosts)
{
	struct step *step = step_add(setup, &kind_key, key, step_text(setup,
	    "make the service key as %s", setup->account));

	setup->key = key;
	step_add_args(step, PROGRAM_SSH_KEYGEN, "-q", "-t", "ed25519", "-N", "",
	    "-C", setup->account, "-f", key, (char *)NULL);
	step_add(setup, &kind_known_hosts, known_hosts, step_text(setup,
	    "add the host keys of %s%s", step_list_servers(setup),
	    setup->ctl->yes ? "" : " after you confirmed them"));
}
