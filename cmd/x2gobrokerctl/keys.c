/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl authorize, revoke and authorized-keys: the administrator adds
 * and removes keys of users, and sshd asks whose key it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/pubkey.h"
#include "base/safefile.h"
#include "ctl.h"

#define TEXT_MAX	(1024 * 1024)	/* more than a thousand keys have */
#define LINE_SIZE	4096

/* The text of the file path, or of standard input for "-", TEXT_MAX + 1 bytes
 * for freezero(3): people name their private key by mistake.  NULL: an error
 * message was printed. */
static char *
read_text(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
	    open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(TEXT_MAX + 1);
	const char *why = NULL;
	ssize_t len = -1;

	if (fd == -1 || text == NULL ||
	    (len = safefile_read(fd, text, TEXT_MAX + 1)) == -1)
		why = strerror(errno);
	else if (len > TEXT_MAX)
		why = "too large for a file of public keys";
	else if (memchr(text, '\0', (size_t)len) != NULL) {
		if ((why = pubkey_refuse_format(text)) == NULL)
			why = "not a text file, so not a file of public keys";
	}
	else
		text[len] = '\0';
	if (fd > STDIN_FILENO)
		close(fd);
	if (why == NULL)
		return text;
	ctl_complain("%s: %s", path, why);
	freezero(text, TEXT_MAX + 1);
	return NULL;
}

/* Changes go to stdout, errors to stderr. */
static void
print_key(void *unused __attribute__((unused)),
    const struct x2gobroker_error *report)
{
	ctl_print_problem(report->code == X2GOBROKER_OK ? stdout : stderr,
	    report);
}

static int
add_keys(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file)
{
	size_t added;

	if (x2gobroker_keys_add(config, name, text, file, print_key, NULL,
	    &added, NULL) == 0)
		return EXIT_YES;
	ctl_complain("no key was added");
	return EXIT_NO;
}

static int
remove_keys(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file)
{
	size_t removed;

	if (x2gobroker_keys_remove(config, name, text, file, print_key, NULL,
	    &removed, NULL) == -1) {
		ctl_complain("no key was removed");
		return EXIT_NO;
	}
	printf("%zu key%s of %s removed\n", removed, removed == 1 ? "" : "s",
	    name);
	if (removed > 0)
		printf("Connections that are open are refused from now on.\n");
	return removed > 0 ? EXIT_YES : EXIT_NO;
}

/* Carry out change with the words NAME [KEYFILE]. */
static int
change_keys(const struct ctl *ctl,
    int (*change)(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file))
{
	const char *file = ctl->nwords > 1 ? ctl->words[1] : NULL;
	struct x2gobroker_config *config;
	char *text = NULL;
	int result;

	if (file != NULL && (text = read_text(file)) == NULL)
		return EXIT_NO;
	if (ctl_load_config(ctl, &config) == -1) {
		freezero(text, TEXT_MAX + 1);
		return EXIT_NO;
	}
	if (file != NULL && strcmp(file, "-") == 0)
		file = "standard input";
	result = change(config, ctl->words[0], text, file);
	x2gobroker_config_free(config);
	freezero(text, TEXT_MAX + 1);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}

int
authorize_main(const struct ctl *ctl)
{
	return change_keys(ctl, add_keys);
}

int
revoke_main(const struct ctl *ctl)
{
	return change_keys(ctl, remove_keys);
}

/* An x2gobroker_report for problems that were found when sshd asked. */
static void
log_problem(void *unused __attribute__((unused)),
    const struct x2gobroker_error *problem)
{
	char line[LINE_SIZE];

	/* x2gobrokerctl check prints warnings */
	if (problem->code != X2GOBROKER_WARNING)
		syslog(LOG_NOTICE, "asked by sshd: %s",
		    x2gobroker_error_format(problem, line, sizeof(line)));
}

/* Whether command="PATH" needs no quoting, neither for sshd nor for a shell. */
static bool
is_safe_in_command(const char *path)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789/._-+@:,=";

	return path[0] == '/' && strspn(path, safe) == strlen(path);
}

/* Begin a line for authorized_keys.  pty: without it, the X2Go client hangs
 * when it logs in. */
static void
print_forced(const struct ctl *ctl, const char *name)
{
	printf("restrict,pty,command=\"%s%s%s --user %s", X2GOBROKER_PROGRAM,
	    ctl->config_file != NULL ? " -C " : "",
	    ctl->config_file != NULL ? ctl->config_file : "", name);
}

/* Print a line for authorized_keys if the key is a user's. */
static int
print_line(const struct ctl *ctl, const struct x2gobroker_config *config)
{
	const char *type = ctl->words[1], *key = ctl->words[2];
	struct x2gobroker_error err;
	char *name;

	if (x2gobroker_keys_find(config, type, key, log_problem, NULL, &name,
	    &err) == -1) {
		log_problem(NULL, &err);
		return EXIT_NO;
	}
	if (name != NULL) {
		print_forced(ctl, name);
		printf(" --listed-key %s:%s\" %s %s\n", type, key, type, key);
	}
	free(name);
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}

/* Print the line for a certificate that has the name of a user as its ID, so
 * that sshd demands the same name among its principals. */
static int
print_principal(const struct ctl *ctl,
    const struct x2gobroker_config *config __attribute__((unused)))
{
	const char *name = ctl->words[1];
	struct x2gobroker_error err;

	if (x2gobroker_keys_check_owner(name, &err) == -1) {
		log_problem(NULL, &err);
		return EXIT_NO;
	}
	print_forced(ctl, name);
	printf("\" %s\n", name);
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}

/* sshd asks about a login at an account, which is the first word. */
static int
answer_sshd(const struct ctl *ctl, int (*print)(const struct ctl *ctl,
    const struct x2gobroker_config *config))
{
	struct x2gobroker_config *config;
	struct x2gobroker_error err;
	int result = EXIT_YES;

	/* sshd ignores our stderr; it is for a person who tries this */
	openlog("x2gobrokerctl", LOG_PID | LOG_PERROR, LOG_AUTHPRIV);
	if ((ctl->config_file != NULL &&
	    !is_safe_in_command(ctl->config_file)) ||
	    !is_safe_in_command(X2GOBROKER_PROGRAM)) {
		syslog(LOG_ERR, "the paths of the program and of the "
		    "configuration must begin with / and contain only "
		    "letters, digits and / . _ - + @ : , =");
		return EXIT_USAGE;
	}
	if (x2gobroker_config_load(ctl->config_file, log_problem, NULL,
	    &config, &err) == -1)
		return EXIT_NO;
	if (strcmp(ctl->words[0],
	    x2gobroker_config_broker_account(config)) == 0)
		result = print(ctl, config);
	x2gobroker_config_free(config);
	return result;
}

int
authorized_keys_main(const struct ctl *ctl)
{
	return answer_sshd(ctl, print_line);
}

int
authorized_principals_main(const struct ctl *ctl)
{
	return answer_sshd(ctl, print_principal);
}
