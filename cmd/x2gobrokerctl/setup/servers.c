/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key that X2Go servers let the broker in with, and theirs.  All of it is
 * in the home directory of the broker account, and done by that account.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../servers.h"
#include "child.h"
#include "setup.h"

/*
 * The service key
 */

/* Whether one of the keys that x2gobroker.conf names is there. */
static bool
has_key(const struct setup *setup)
{
	const char *list = x2gobroker_config_text(setup->config, "global",
	    "agent-identity-files");
	char *copy = strdup(list != NULL ? list : ""), *rest = copy, *word;
	char path[PATH_MAX];
	bool has = false;

	while (!has && (word = strsep(&rest, ", \t")) != NULL) {
		if (strncmp(word, "~/", 2) == 0)
			snprintf(path, sizeof(path), "%s%s",
			    setup->text[TEXT_HOME], word + 1);
		else
			snprintf(path, sizeof(path), "%s", word);
		has = *word != '\0' && access(path, F_OK) == 0;
	}
	free(copy);
	return has;
}

static enum look
key_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *home = setup->text[TEXT_HOME];
	size_t len = strlen(home);

	if (has_key(setup))
		return LOOK_DONE;
	if (strncmp(setup->text[step->name], home, len) == 0 &&
	    setup->text[step->name][len] == '/')
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "agent-identity-files names no file below %s; "
	    "make the key with ssh-keygen, for %s to read", home,
	    setup->text[TEXT_ACCOUNT]);
	return LOOK_BLOCKED;
}

/* path has PATH_MAX bytes, and argv goes on using it. */
static void
keygen_args(const struct setup *setup, const char *path,
    const char *argv[static 11])
{
	const char *const args[] = { PROGRAM_SSH_KEYGEN, "-q", "-t", "ed25519",
	    "-N", "", "-C", setup->text[TEXT_ACCOUNT], "-f", path };

	memcpy(argv, args, sizeof(args));
	argv[10] = NULL;
}

static void
key_show(const struct setup *setup, const struct step *step)
{
	const char *argv[11];

	printf("make the service key, as %s\n", setup->text[TEXT_ACCOUNT]);
	keygen_args(setup, setup->text[step->name], argv);
	child_show(argv);
}

/* Both halves, while they are made and for good. */
struct key_job {
	char new[PATH_MAX], new_pub[PATH_MAX], path[PATH_MAX], pub[PATH_MAX];
};

/* For child_call_as(): what one who was interrupted has left. */
static int
remove_key(void *arg)
{
	const struct key_job *job = arg;

	unlink(job->new);
	unlink(job->new_pub);
	return 0;
}

/* For child_call_as(). */
static int
rename_key(void *arg)
{
	const struct key_job *job = arg;

	if (rename(job->new_pub, job->pub) == 0 &&
	    rename(job->new, job->path) == 0)
		return 0;
	ctl_complain("%s: %s", job->path, strerror(errno));
	return 1;
}

static int
note_file(struct setup *setup, const char *made, const char *path)
{
	char digest[DIGEST_SIZE], *text;
	size_t len;

	if ((text = setup_read(made, &len)) == NULL) {
		ctl_complain("%s: %s", made, strerror(errno));
		return -1;
	}
	setup_digest(text, len, digest);
	explicit_bzero(text, len);
	free(text);
	return manifest_add(setup->manifest, "file", path, "", digest,
	    setup->text[TEXT_ACCOUNT]);
}

static int
key_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	const char *path = setup->text[step->name], *argv[11];
	struct key_job job;

	if (pw == NULL)
		return -1;
	snprintf(job.path, PATH_MAX, "%s", path);
	if (snprintf(job.pub, PATH_MAX, "%s.pub", path) >= PATH_MAX ||
	    snprintf(job.new, PATH_MAX, "%s.new", path) >= PATH_MAX ||
	    snprintf(job.new_pub, PATH_MAX, "%s.new.pub", path) >= PATH_MAX)
		return -1;
	child_call_as(pw, remove_key, &job);
	keygen_args(setup, job.new, argv);
	if (child_run(argv, pw, false) == -1 ||
	    note_file(setup, job.new, path) == -1 ||
	    note_file(setup, job.new_pub, job.pub) == -1)
		return -1;
	return child_call_as(pw, rename_key, &job) == 0 ? 0 : -1;
}

/* Its files are noted as files. */
const struct kind kind_key = {
	"key", "", key_look, key_show, key_apply, file_back,
};

/*
 * Host keys of servers
 */

/* "ts01", "ts01:2222" or "[::1]:2222" as known_hosts has it. */
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
		snprintf(name, WHY_SIZE, "%s", host);
}

static bool
is_known(const char *host, const char *file, const struct passwd *pw)
{
	char name[WHY_SIZE];
	const char *const argv[] = { PROGRAM_SSH_KEYGEN, "-F", name, "-f", file,
	    NULL };

	write_known_name(host, name);
	return child_run(argv, pw, true) == 0;
}

static enum look
known_hosts_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE] __attribute__((unused)))
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	const char *host;
	size_t i;

	for (i = 0; i < setup->nservers; i++) {
		host = setup->servers[i];
		if (pw == NULL || (!is_known(host, setup->text[step->name],
		    pw) && !is_known(host, "/etc/ssh/ssh_known_hosts", pw)))
			return LOOK_TO_DO;
	}
	return LOOK_DONE;
}

static void
known_hosts_show(const struct setup *setup,
    const struct step *step __attribute__((unused)))
{
	size_t i;

	printf("ask these servers for their host keys, and add them%s\n",
	    setup->ctl->yes ? "" : " when you have said that they are right");
	for (i = 0; i < setup->nservers; i++)
		printf("      %s\n", setup->servers[i]);
}

/* For child_call(): it becomes the broker account. */
static int
add_known_hosts(void *arg)
{
	return known_hosts_main(arg);
}

/* What is added is not known before; so it is noted when it is done. */
static int
note_growth(struct setup *setup, const char *path, bool was_there,
    size_t old_len)
{
	char before[32] = "", digest[DIGEST_SIZE], *text;
	size_t len;

	if ((text = setup_read(path, &len)) == NULL)
		return errno == ENOENT ? 0 : -1;
	setup_digest(text, len, digest);
	free(text);
	if (was_there && len == old_len)
		return 0;
	if (was_there)
		snprintf(before, sizeof(before), "%zu", old_len);
	return manifest_add(setup->manifest, "file", path, before, digest,
	    setup->text[TEXT_ACCOUNT]);
}

static int
known_hosts_apply(struct setup *setup, const struct step *step)
{
	const char *path = setup->text[step->name];
	char **words = calloc(setup->nservers + 1, sizeof(*words)), *old;
	char add[] = "add";
	struct ctl ctl = *setup->ctl;
	size_t old_len = 0;
	int result;

	if (words == NULL)
		return -1;
	words[0] = add;
	memcpy(words + 1, setup->servers, setup->nservers * sizeof(*words));
	ctl.words = words;
	ctl.nwords = (int)setup->nservers + 1;
	ctl.all = false;
	old = setup_read(path, &old_len);
	result = child_call(add_known_hosts, &ctl);
	if (note_growth(setup, path, old != NULL, old_len) == -1)
		result = -1;
	free(old);
	free(words);
	return result == 0 ? 0 : -1;
}

const struct kind kind_known_hosts = {
	"known-hosts", "", known_hosts_look, known_hosts_show,
	known_hosts_apply, file_back,
};
