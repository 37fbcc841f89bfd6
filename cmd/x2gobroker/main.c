/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker: one process, one request, one answer.  main() lists the steps of
 * a request in order.  If a step fails, the client gets the refusal that was
 * prepared first, and the log gets the reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <x2gobroker_admin.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "common/audit.h"
#include "common/log.h"
#include "common/pam_helper.h"
#include "common/service.h"
#include "common/startup.h"
#include "identity.h"
#include "options.h"
#include "process.h"

struct broker {
	struct process process;
	struct options options;
	struct x2gobroker_config *config;
	struct x2gobroker_request *request;
	struct x2gobroker_error malformed;	/* why request is not valid */
	struct x2gobroker_answer *answer;
	struct x2gobroker_answer *refusal;	/* prepared, for any failure */
	const char *refusal_text;		/* its text */
	size_t refusal_len;
	char *identity;
	bool pinned;			/* identity is the operator's --user */
	struct x2gobroker_user *user;
	char *key_text;				/* of the next two */
	const char *key_type, *key_base64;	/* the user's key, or NULL */
	struct audit audit;
};

/* Read what we need from the environment, and reset what was inherited. */
static void
init_process(struct process *process)
{
	process->uid = getuid();
	process->setuid = getuid() != geteuid() || getgid() != getegid();
	service_protect(process->setuid);
	process->command = service_take_variable("SSH_ORIGINAL_COMMAND");
	if (!startup_take_address(&process->address))
		service_refuse("out of memory at its start");
	process->under_sshd = process->command != NULL ||
	    process->address != NULL;
	/* if setuid, the caller could have us read any file */
	if (!process->setuid)
		process->auth_info = service_take_variable("SSH_USER_AUTH");
	service_sanitise();
}

/* Prepare the refusal before anything else can fail.  The client shows the text
 * of a refused login check to its user. */
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
	service_set_refusal(broker->refusal_text, broker->refusal_len);
	return 0;
}

/* Parse the request first, because a refusal must carry its markers too.
 * Report an invalid one last, when the user and the log file are known. */
static void
read_request(struct broker *broker)
{
	char *command = broker->process.command;

	if (command == NULL) {
		x2gobroker_request_from_argv(broker->options.nclient,
		    broker->options.client, &broker->request,
		    &broker->malformed);
		options_wipe_client(&broker->options);
		return;
	}
	x2gobroker_request_parse(command, &broker->request,
	    &broker->malformed);
	/* it may contain a new password; the request has a copy */
	explicit_bzero(command, strlen(command));
}

static int
load_config(struct broker *broker, struct x2gobroker_error *err)
{
	const struct options *options = &broker->options;

	if (broker->process.setuid && options->config_file != NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "--config-file is not allowed when the broker is setuid");
	if (service_load_config(options->config_file, &broker->config, err) ==
	    -1)
		return -1;
	if (options->backend == NULL)
		return 0;
	return x2gobroker_config_set_backend(broker->config, options->backend,
	    err);
}

static int
resolve_user(struct broker *broker, struct x2gobroker_error *err)
{
	const char *address = NULL;

	if (identity_resolve(&broker->process,
	    x2gobroker_config_broker_account(broker->config),
	    broker->options.user, &broker->pinned, &broker->identity,
	    err) == -1)
		return -1;
	/* sshd writes UNKNOWN if its connection is not an IP socket */
	if (x2gobroker_config_trust_environment(broker->config,
	    broker->process.setuid) && broker->process.address != NULL &&
	    strcmp(broker->process.address, "UNKNOWN") != 0)
		address = broker->process.address;
	broker->audit.user = broker->identity;
	broker->audit.by = broker->pinned ? "operator" : "account";
	broker->audit.address = address;
	return x2gobroker_user_new(broker->identity, address, &broker->user,
	    err);
}

/* The key for which sshd has been given this command, or else the first one
 * that it has accepted, if it tells. */
static int
note_key(struct broker *broker, struct x2gobroker_error *err)
{
	const char *listed = broker->options.listed_key;
	char *rest;

	if (listed != NULL) {
		if ((broker->key_text = rest = strdup(listed)) == NULL)
			return error_nomem(err);
		broker->key_type = strsep(&rest, ":");
		broker->key_base64 = rest != NULL ? rest : "";
	} else {
		broker->key_text = rest = audit_auth_info(
		    broker->process.auth_info);
		if (rest == NULL || !audit_next_key(&rest, &broker->key_type,
		    &broker->key_base64))
			return 0;
	}
	broker->audit.key = audit_key_fingerprint(broker->key_base64);
	return x2gobroker_user_set_key(broker->user, broker->key_type,
	    broker->key_base64, err);
}

/* The key may have been revoked since the connection was opened.  Who could
 * name another user is believed about the key, too. */
static int
check_key(const struct broker *broker, struct x2gobroker_error *err)
{
	bool found;
	char *name;

	if (broker->options.listed_key == NULL)
		return 0;
	if (!broker->pinned)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "--listed-key needs --user");
	if (x2gobroker_keys_find(broker->config, broker->key_type,
	    broker->key_base64, log_report, NULL, &name, err) == -1)
		return -1;
	found = name != NULL && strcmp(name, broker->identity) == 0;
	free(name);
	return found ? 0 : error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "the key of this connection has been revoked: it is not in "
	    "keys-dir any more");
}

/* sshd has checked the account that users share, not this user's.  Skip
 * setpass: the helper checks the account itself, and an expired password is the
 * reason to set a new one. */
static int
check_account(struct broker *broker, struct x2gobroker_error *err)
{
	if (!x2gobroker_config_check_account(broker->config,
	    broker->pinned) ||
	    x2gobroker_request_checks_account(broker->request))
		return 0;
	return pam_helper_check(
	    x2gobroker_config_pam_helper(broker->config),
	    broker->identity, x2gobroker_user_address(broker->user), err);
}

/* Refuse.  Only the client's login check has room for a text. */
static void
write_refusal(const struct broker *broker)
{
	const char *notice = x2gobroker_answer_notice(broker->answer);
	cleanup_buf struct buf text = { 0 };

	if (notice != NULL && x2gobroker_request_kind(broker->request) ==
	    X2GOBROKER_REQUEST_LOGIN_CHECK)
		buf_printf(&text, "%s\n", notice);
	else if (broker->refusal_text != NULL)
		buf_put(&text, broker->refusal_text, broker->refusal_len);
	if (text.data == NULL || text.failed)
		service_refuse("out of memory");
	service_write_answer(text.data, text.len);
}

/* Carry out the request for the user. */
static int
serve(struct broker *broker, struct x2gobroker_error *err)
{
	cleanup_free char *account = NULL;

	if (broker->malformed.code != X2GOBROKER_OK) {
		*err = broker->malformed;
		return -1;
	}
	if (x2gobroker_answer_new(broker->request, &broker->answer, err) == -1)
		return -1;
	switch (x2gobroker_request_kind(broker->request)) {
	case X2GOBROKER_REQUEST_LOGIN_CHECK:
		return service_answer_login_check(broker->config,
		    broker->answer, broker->user, err);
	case X2GOBROKER_REQUEST_WHOAMI:
		/* the client compares this with its SSH login */
		account = identity_account(broker->process.uid);
		return account == NULL ? -1 : x2gobroker_answer_whoami(
		    broker->answer, account, err);
	case X2GOBROKER_REQUEST_TASK:
		return service_answer_task(broker->config, broker->answer,
		    broker->user, err);
	case X2GOBROKER_REQUEST_NONE:
		break;
	}
	return -1;
}

/* Answer an operator's question, such as --help.  False: it is a request. */
static bool
answer_operator(const struct broker *broker)
{
	const struct options *options = &broker->options;

	if (broker->process.command != NULL)
		return false;
	if (options->help)
		options_print_help();
	else if (options->version)
		printf("x2gobroker %s\n", x2gobroker_version());
	else if (options->nclient == 0 && broker->process.under_sshd)
		/* for a person who has logged in with ssh, without a command */
		printf("This account serves X2Go sessions, it has no shell.\n"
		    "Start the X2Go client with --broker-url=ssh://... to use "
		    "it.\nYour administrator can tell you the address.\n");
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
	bool options_ok, granted;
	size_t len;
	int status = 1;

	clock_gettime(CLOCK_MONOTONIC, &broker.audit.started);
	init_process(&broker.process);
	options_ok = options_parse(argc, argv, broker.process.command != NULL,
	    &broker.options, &err) == 0;
	if (options_ok && answer_operator(&broker))
		return fflush(stdout) == 0 ? 0 : 1;

	/* A person who runs the broker by hand wants to read the log.  The
	 * caller of a setuid broker must not: it quotes files that they may not
	 * read. */
	log_open(!broker.process.setuid && (broker.options.debug ||
	    (!broker.process.under_sshd && isatty(STDERR_FILENO))));
	read_request(&broker);
	granted = prepare_refusal(&broker, &err) == 0 && options_ok &&
	    load_config(&broker, &err) == 0 &&
	    resolve_user(&broker, &err) == 0 &&
	    note_key(&broker, &err) == 0 && check_key(&broker, &err) == 0 &&
	    check_account(&broker, &err) == 0 &&
	    serve(&broker, &err) == 0 &&
	    x2gobroker_answer_text(broker.answer, &text, &len, &err) == 0;
	broker.audit.request = broker.request;
	broker.audit.why = granted ? NULL : &err;
	broker.audit.summary = granted ?
	    x2gobroker_answer_summary(broker.answer) : "";
	audit_log(&broker.audit);
	if (granted) {
		status = service_write_answer(text, len) == 0 ? 0 : 1;
		/* wipes the private key that may be in it */
		x2gobroker_answer_free(broker.answer);
	} else
		write_refusal(&broker);
	free(broker.options.client);
	free(broker.key_text);
	return status;
}
