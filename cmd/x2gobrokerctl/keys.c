/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl authorize, revoke and authorized-keys: the administrator says
 * whose key it is, and sshd asks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ctl.h"

#define TEXT_MAX	(1024 * 1024)	/* a thousand keys have less */
#define LINE_SIZE	4096

static int
fail(const char *path, const char *why)
{
	fprintf(stderr, "x2gobrokerctl: %s: %s\n", path, why);
	return -1;
}

/* Wipe text before it is freed: people name their private key by mistake. */
static void
free_text(char *text)
{
	if (text != NULL)
		explicit_bzero(text, TEXT_MAX + 1);
	free(text);
}

/* Read fp to its end into text, TEXT_MAX + 1 bytes. */
static int
read_all(FILE *fp, const char *path, char *text)
{
	size_t len;

	setvbuf(fp, NULL, _IONBF, 0);	/* no copy of it that is not wiped */
	len = fread(text, 1, TEXT_MAX + 1, fp);
	if (ferror(fp))
		return fail(path, strerror(errno));
	if (len > TEXT_MAX)
		return fail(path, "too large for a file of public keys");
	if (memchr(text, '\0', len) != NULL)
		return fail(path, "this is no text, so no file of public keys");
	text[len] = '\0';
	return 0;
}

/* The text of the file path, or of standard input for "-", for free_text().
 * NULL: that was said. */
static char *
read_text(const char *path)
{
	FILE *fp = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = malloc(TEXT_MAX + 1);
	int result = -1;

	if (fp == NULL || text == NULL)
		fail(path, strerror(errno));
	else
		result = read_all(fp, path, text);
	if (fp != NULL && fp != stdin)
		fclose(fp);
	if (result == 0)
		return text;
	free_text(text);
	return NULL;
}

/* What was done goes to stdout, what is wrong to stderr. */
static void
print_key(void *unused __attribute__((unused)),
    const struct x2gobroker_error *said)
{
	ctl_print_problem(said->code == X2GOBROKER_OK ? stdout : stderr, said);
}

static int
authorize(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file)
{
	size_t added;

	if (x2gobroker_keys_add(config, name, text, file, print_key, NULL,
	    &added, NULL) == 0)
		return EXIT_YES;
	fprintf(stderr, "x2gobrokerctl: no key was added\n");
	return EXIT_NO;
}

static int
revoke(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file)
{
	size_t removed;

	if (x2gobroker_keys_remove(config, name, text, file, print_key, NULL,
	    &removed, NULL) == -1) {
		fprintf(stderr, "x2gobrokerctl: no key was removed\n");
		return EXIT_NO;
	}
	printf("%zu key%s of %s removed\n", removed, removed == 1 ? "" : "s",
	    name);
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
		free_text(text);
		return EXIT_NO;
	}
	if (file != NULL && strcmp(file, "-") == 0)
		file = "standard input";
	result = change(config, ctl->words[0], text, file);
	x2gobroker_config_free(config);
	free_text(text);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}

int
authorize_main(const struct ctl *ctl)
{
	return change_keys(ctl, authorize);
}

int
revoke_main(const struct ctl *ctl)
{
	return change_keys(ctl, revoke);
}

/* An x2gobroker_report for what sshd's question has brought to light. */
static void
log_problem(void *unused __attribute__((unused)),
    const struct x2gobroker_error *problem)
{
	char line[LINE_SIZE];

	/* what is used all the same is the business of check */
	if (problem->code != X2GOBROKER_WARNING)
		syslog(LOG_NOTICE, "authorized-keys: %s",
		    x2gobroker_error_format(problem, line, sizeof(line)));
}

/* Whether path can stand in command="..." and in the shell's words there. */
static bool
is_safe_in_command(const char *path)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789/._-+@:,=";

	return path[0] == '/' && strspn(path, safe) == strlen(path);
}

/* Print the line that says whose key it is, if it is anybody's. */
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
	/* pty: without it, the X2Go client hangs when it logs in */
	if (name != NULL)
		printf("restrict,pty,command=\"%s%s%s --user %s\" %s %s\n",
		    X2GOBROKER_PROGRAM,
		    ctl->config_file != NULL ? " -C " : "",
		    ctl->config_file != NULL ? ctl->config_file : "",
		    name, type, key);
	free(name);
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}

int
authorized_keys_main(const struct ctl *ctl)
{
	struct x2gobroker_config *config;
	struct x2gobroker_error err;
	int result = EXIT_YES;

	/* sshd throws our stderr away; a person who tries it sees it */
	openlog("x2gobrokerctl", LOG_PID | LOG_PERROR, LOG_AUTHPRIV);
	if ((ctl->config_file != NULL &&
	    !is_safe_in_command(ctl->config_file)) ||
	    !is_safe_in_command(X2GOBROKER_PROGRAM)) {
		syslog(LOG_ERR, "authorized-keys: the paths of the program "
		    "and of the configuration must begin with / and have only "
		    "letters, digits and / . _ - + @ : , =");
		return EXIT_USAGE;
	}
	if (x2gobroker_config_load(ctl->config_file, log_problem, NULL,
	    &config, &err) == -1)
		return EXIT_NO;
	if (strcmp(ctl->words[0],
	    x2gobroker_config_broker_account(config)) == 0)
		result = print_line(ctl, config);
	x2gobroker_config_free(config);
	return result;
}
