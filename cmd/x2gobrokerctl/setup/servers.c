/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service key, which lets the broker log in to X2Go servers, and the host
 * keys of the servers.  The broker account itself makes both files.
 */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "../servers.h"
#include "child.h"
#include "step.h"
#include "wholefile.h"

/*
 * The service key
 */

/* Does one of the keys in agent-identity-files exist?  Without the account, "~"
 * and the paths are unknown. */
static bool
has_key(const struct setup *setup)
{
	char path[X2GOBROKER_FILE_SIZE];
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; x2gobroker_service_key(setup->config, i, path, fingerprint,
	    &err) && path[0] != '\0'; i++)
		if (access(path, F_OK) == 0)
			return true;
	return false;
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
	    "make a key with ssh-keygen that %s can read", home,
	    setup->text[TEXT_ACCOUNT]);
	return LOOK_BLOCKED;
}

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

	printf("make the service key as %s\n", setup->text[TEXT_ACCOUNT]);
	keygen_args(setup, setup->text[step->name], argv);
	child_show(argv);
}

/* Both halves: their first names, under which they are recorded, and their
 * final ones. */
struct key_job {
	char new[PATH_MAX], new_pub[PATH_MAX], path[PATH_MAX], pub[PATH_MAX];
};

/* For child_call_as(): remove what an interrupted setup left. */
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

/* Record that path is new, or, if before is not "", that it was appended to:
 * it has the text that the file made has now. */
static int
record_file(struct setup *setup, const char *made, const char *path,
    const char *before)
{
	char digest[DIGEST_SIZE], *text;
	size_t len;

	if ((text = wholefile_read(made, &len)) == NULL) {
		ctl_complain("%s: %s", made, strerror(errno));
		return -1;
	}
	wholefile_digest(text, len, digest);
	freezero(text, len);
	return manifest_add(setup->manifest, "file", path, before, digest,
	    setup->text[TEXT_ACCOUNT]);
}

static int
key_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	const char *path = setup->text[step->name], *argv[11];
	struct key_job job;

	if (pw == NULL || dirs_make_parent(setup, path) == -1)
		return -1;
	strlcpy(job.path, path, PATH_MAX);
	if (snprintf(job.pub, PATH_MAX, "%s.pub", path) >= PATH_MAX ||
	    snprintf(job.new, PATH_MAX, "%s.new", path) >= PATH_MAX ||
	    snprintf(job.new_pub, PATH_MAX, "%s.new.pub", path) >= PATH_MAX)
		return -1;
	child_call_as(pw, remove_key, &job);
	keygen_args(setup, job.new, argv);
	if (child_run(argv, pw, false) == -1 ||
	    record_file(setup, job.new, path, "") == -1 ||
	    record_file(setup, job.new_pub, job.pub, "") == -1)
		return -1;
	return child_call_as(pw, rename_key, &job) == 0 ? 0 : -1;
}

/* Its files are recorded as files. */
const struct kind kind_key = {
	"key", "", key_look, key_show, key_apply, file_back,
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

	printf("add the host keys of these servers%s\n",
	    setup->ctl->yes ? "" : " after you confirmed them");
	for (i = 0; i < setup->nservers; i++)
		printf("      %s\n", setup->servers[i]);
}

/* For child_call(): it becomes the broker account. */
static int
add_known_hosts(void *arg)
{
	return known_hosts_main(arg);
}

/* Which keys are added is only known afterwards, so they are recorded then. */
static int
record_growth(struct setup *setup, const char *path, const struct stat *old)
{
	char before[32] = "";
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (old->st_ino != 0 && st.st_size == old->st_size)
		return 0;
	if (old->st_ino != 0)
		snprintf(before, sizeof(before), "%jd",
		    (intmax_t)old->st_size);
	return record_file(setup, path, path, before);
}

static int
known_hosts_apply(struct setup *setup, const struct step *step)
{
	const char *path = setup->text[step->name];
	cleanup_free char **words = calloc(setup->nservers + 1,
	    sizeof(*words));
	char add[] = "add";
	struct ctl ctl = *setup->ctl;
	struct stat old = { 0 };
	int result;

	if (words == NULL || dirs_make_parent(setup, path) == -1)
		return -1;
	words[0] = add;
	memcpy(words + 1, setup->servers, setup->nservers * sizeof(*words));
	ctl.words = words;
	ctl.nwords = (int)setup->nservers + 1;
	ctl.all = false;
	if (lstat(path, &old) == -1)
		old.st_ino = 0;		/* a new file */
	result = child_call(add_known_hosts, &ctl);
	if (record_growth(setup, path, &old) == -1)
		result = -1;
	return result == 0 ? 0 : -1;
}

const struct kind kind_known_hosts = {
	"known-hosts", "", known_hosts_look, known_hosts_show,
	known_hosts_apply, file_back,
};
