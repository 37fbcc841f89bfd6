/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker: one process, one request, one answer.  main() is the request in
 * order; what a client gets to see when a step fails is the plain refusal that
 * the answer starts as.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <x2gobroker.h>

#include "common/priv.h"
#include "sandbox.h"
#include "common/pam_helper.h"
#include "common/audit.h"
#include "identity.h"
#include "common/log.h"
#include "options.h"
#include "process.h"

struct broker {
	struct process process;
	struct options options;
	struct x2gobroker_config *config;
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct x2gobroker_answer *refusal;	/* ready, for what goes wrong */
	const char *refusal_text;		/* its text */
	size_t refusal_len;
	char *identity;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	struct audit audit;
};

/* Make the refusal before anything else can go wrong.  A person who is refused
 * at the login check gets to read why there is no list. */
static int
prepare_refusal(struct broker *broker, struct x2gobroker_error *err)
{
	if (x2gobroker_answer_new(broker->request, &broker->refusal, err) ==
	    -1)
		return -1;
	if (x2gobroker_request_kind(broker->request) ==
	    X2GOBROKER_REQUEST_LOGIN_CHECK &&
	    x2gobroker_answer_login_check(broker->refusal,
	    "This session broker cannot serve you at the moment.\n"
	    "Its log says why; please tell your administrator.\n", err) == -1)
		return -1;
	if (x2gobroker_answer_text(broker->refusal, &broker->refusal_text,
	    &broker->refusal_len, err) == -1)
		return -1;
	process_set_refusal(broker->refusal_text, broker->refusal_len);
	return 0;
}

static int
settle_request(struct broker *broker, struct x2gobroker_error *err)
{
	int result;

	if (broker->process.command != NULL) {
		result = x2gobroker_request_parse(broker->process.command,
		    &broker->request, err);
		/* it can hold a new password; the request has its copy */
		explicit_bzero(broker->process.command,
		    strlen(broker->process.command));
		return result;
	}
	return x2gobroker_request_from_argv(broker->options.nclient,
	    broker->options.client, &broker->request, err);
}

static int
settle_config(struct broker *broker, struct x2gobroker_error *err)
{
	const struct options *options = &broker->options;

	if (broker->process.setuid && options->config_file != NULL) {
		memset(err, 0, sizeof(*err));
		snprintf(err->text, sizeof(err->text), "--config-file is not "
		    "for a caller over whom the broker has gained privilege");
		return -1;
	}
	if (x2gobroker_config_load(options->config_file, log_report, NULL,
	    &broker->config, err) == -1)
		return -1;
	log_to_file(x2gobroker_config_log_file(broker->config));
	process_set_request_timeout(x2gobroker_config_request_timeout(
	    broker->config));
	if (options->backend == NULL)
		return 0;
	return x2gobroker_config_set_backend(broker->config, options->backend,
	    err);
}

static int
settle_user(struct broker *broker, struct x2gobroker_error *err)
{
	const char *address = NULL;

	broker->identity = identity_settle(&broker->process,
	    x2gobroker_config_broker_account(broker->config),
	    broker->options.user, &broker->audit.pinned, err);
	if (broker->identity == NULL)
		return -1;
	/* sshd says UNKNOWN where its connection is no IP socket */
	if (x2gobroker_config_trust_environment(broker->config,
	    broker->process.setuid) && broker->process.address != NULL &&
	    strcmp(broker->process.address, "UNKNOWN") != 0)
		address = broker->process.address;
	broker->audit.user = broker->identity;
	broker->audit.address = address;
	broker->audit.key = audit_key_fingerprint(broker->process.auth_info);
	return x2gobroker_user_new(broker->identity, address, &broker->user,
	    err);
}

/* sshd has looked at the account that the users share, not at this user's.  A
 * new password is not asked for an account in order: the helper checks that
 * itself, and one that has expired is the reason for setting it. */
static int
check_account(struct broker *broker, struct x2gobroker_error *err)
{
	if (!x2gobroker_config_check_account(broker->config,
	    broker->audit.pinned) ||
	    strcmp(x2gobroker_request_task(broker->request), "setpass") == 0)
		return 0;
	return pam_helper_check(
	    x2gobroker_config_pam_helper(broker->config),
	    broker->identity, x2gobroker_user_address(broker->user), err);
}

/* Everything that has to be known before the request is carried out.  The
 * request comes first, as a refusal, too, has to carry its markers; what is
 * wrong with it is said last, as by then it is known whose it is and where the
 * log is. */
static int
settle(struct broker *broker, int argc, char **argv,
    struct x2gobroker_error *err)
{
	struct x2gobroker_error malformed = { 0 };
	bool options_ok, request_ok;

	options_ok = options_parse(argc, argv, broker->process.command != NULL,
	    &broker->options, err) == 0;
	/* a person who calls us by hand wants to read the reason; the caller
	 * of a setuid broker is not to read its files that way */
	log_open(!broker->process.setuid && (broker->options.debug ||
	    (!broker->process.under_sshd && isatty(STDERR_FILENO))));
	request_ok = settle_request(broker, &malformed) == 0;
	if (prepare_refusal(broker, err) == -1)
		return -1;
	if (!options_ok || settle_config(broker, err) == -1 ||
	    settle_user(broker, err) == -1 || check_account(broker, err) == -1)
		return -1;
	if (!request_ok)
		*err = malformed;
	return request_ok ? 0 : -1;
}

static int
set_password(void *arg, const struct x2gobroker_user *user,
    const char *password, struct x2gobroker_error *err)
{
	const struct broker *broker = arg;

	return pam_helper_set_password(
	    x2gobroker_config_pam_helper(broker->config),
	    x2gobroker_user_name(user), x2gobroker_user_address(user),
	    password, err);
}

/* All is looked up and decided; what is left is to write it down, and for that
 * the process needs neither privilege nor files. */
static void
give_up_what_is_not_needed(const struct broker *broker)
{
	char text[SANDBOX_TEXT_SIZE];
	unsigned int parts;

	log_prepare();
	sandbox_prepare();
	priv_drop_for_good(process_refuse);
	if (!x2gobroker_config_sandbox(broker->config))
		return;
	parts = sandbox_enter();
	if (broker->options.debug)
		log_line(LOG_DEBUG, "sandbox: %s",
		    sandbox_describe(parts, text));
}

static int
serve_task(struct broker *broker, struct x2gobroker_error *err)
{
	if (x2gobroker_profiles_load(broker->config, log_report, NULL,
	    &broker->profiles, err) == -1)
		return -1;
	if (x2gobroker_config_allow_password_change(broker->config))
		x2gobroker_answer_allow_setpass(broker->answer, set_password,
		    broker);
	x2gobroker_answer_set_report(broker->answer, log_event, NULL);
	if (x2gobroker_answer_decide(broker->answer, broker->profiles,
	    broker->user, err) == -1)
		return -1;
	give_up_what_is_not_needed(broker);
	return x2gobroker_answer_write(broker->answer, err);
}

static int
serve_whoami(struct broker *broker, struct x2gobroker_error *err)
{
	/* the client compares this with its SSH login */
	char *account = identity_account(broker->process.uid);
	int result = -1;

	if (account != NULL)
		result = x2gobroker_answer_whoami(broker->answer, account,
		    err);
	free(account);
	return result;
}

/* Carry out the request for the user who is known by now. */
static int
serve(struct broker *broker, struct x2gobroker_error *err)
{
	if (x2gobroker_answer_new(broker->request, &broker->answer, err) == -1)
		return -1;
	switch (x2gobroker_request_kind(broker->request)) {
	case X2GOBROKER_REQUEST_LOGIN_CHECK:
		return x2gobroker_answer_login_check(broker->answer, NULL,
		    err);
	case X2GOBROKER_REQUEST_WHOAMI:
		return serve_whoami(broker, err);
	case X2GOBROKER_REQUEST_TASK:
		return serve_task(broker, err);
	case X2GOBROKER_REQUEST_NONE:
		break;
	}
	return -1;
}

/* Who shares our stdout may have made it non-blocking. */
static bool
wait_for_room(void)
{
	struct pollfd pollfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&pollfd, 1, -1) != -1 || errno == EINTR;
}

static int
write_all(const char *text, size_t len)
{
	ssize_t n;

	process_answer_begins();
	for (; len > 0; text += n, len -= (size_t)n) {
		n = write(STDOUT_FILENO, text, len);
		if (n == -1 && (errno == EINTR ||
		    (errno == EAGAIN && wait_for_room())))
			n = 0;
		else if (n == -1) {
			log_line(LOG_NOTICE, "the client is gone: %s",
			    strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* Somebody has logged in by hand, at a terminal, with no command. */
static void
greet(void)
{
	printf("This account serves X2Go sessions, it has no shell.\n"
	    "Start the X2Go client with --broker-url=ssh://... to use it.\n"
	    "Your administrator can tell you the address.\n");
}

/* --help and its kind: no request, an operator wants to know something. */
static bool
is_for_operator(const struct process *process, int argc, char **argv)
{
	struct options options;
	struct x2gobroker_error err;

	if (process->command != NULL ||
	    options_parse(argc, argv, false, &options, &err) == -1)
		return false;
	if (options.help)
		options_print_help();
	else if (options.version)
		printf("x2gobroker %s\n", x2gobroker_version());
	else if (options.nclient == 0 && process->under_sshd)
		greet();
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct broker broker = { 0 };
	struct x2gobroker_error err = { 0 };
	const char *text;
	bool granted;
	size_t len;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &broker.audit.started);
	process_settle(&broker.process);
	if (is_for_operator(&broker.process, argc, argv))
		return fflush(stdout) == 0 ? 0 : 1;

	granted = settle(&broker, argc, argv, &err) == 0 &&
	    serve(&broker, &err) == 0 &&
	    x2gobroker_answer_text(broker.answer, &text, &len, &err) == 0;
	broker.audit.request = broker.request;
	broker.audit.summary = granted ?
	    x2gobroker_answer_summary(broker.answer) : "";
	broker.audit.why = granted ? NULL : &err;
	audit_log(&broker.audit);
	if (granted) {
		status = write_all(text, len) == 0 ? 0 : 1;
		/* there may be a private key in it, which is wiped */
		x2gobroker_answer_free(broker.answer);
		return status;
	}
	if (broker.refusal_text == NULL)
		process_refuse("out of memory");
	write_all(broker.refusal_text, broker.refusal_len);
	return 1;
}
