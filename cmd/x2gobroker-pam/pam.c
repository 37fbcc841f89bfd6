/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of PAM, and our side of its conversation: the only questions that
 * can be answered are the one for the user's password, in a login, and the one
 * for a new password.
 */
#include <security/pam_appl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "helper.h"

#define SERVICE		"x2gobroker"	/* /etc/pam.d/x2gobroker */
#define ANSWERS_MAX	16		/* against endless questions */
#define TEXT_MAX	200		/* bytes of a module's text to log */

struct talk {
	const struct order *order;
	unsigned int answers;
};

/* Log a module's text as one line of printable characters, unless it contains
 * the password. */
static void
log_text(const struct order *order, const char *text)
{
	char line[TEXT_MAX + 1];
	size_t i;

	if (order->password != NULL && strstr(text, order->password) != NULL)
		text = "(a text with the password in it)";
	for (i = 0; i < TEXT_MAX && text[i] != '\0'; i++)
		line[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ?
		    ' ' : text[i];
	line[i] = '\0';
	syslog(LOG_NOTICE, "%s: PAM says: %s", order->name, line);
}

/* Modules use the same kind of prompt for the old and the new password.  Only
 * the words tell which: "New password: ", "Retype new password: ", "Current
 * password: ", "(current) LDAP Password: ".  They are English, as no locale is
 * set.  When in doubt, do not answer. */
static bool
asks_for_new_password(const struct pam_message *message)
{
	return message->msg_style == PAM_PROMPT_ECHO_OFF &&
	    strcasestr(message->msg, "new") != NULL &&
	    strcasestr(message->msg, "current") == NULL &&
	    strcasestr(message->msg, "old") == NULL;
}

/* "Password: ", "LDAP Password: " and the like, but no code of another kind. */
static bool
asks_for_password(const struct pam_message *message)
{
	return message->msg_style == PAM_PROMPT_ECHO_OFF &&
	    strcasestr(message->msg, "password") != NULL &&
	    strcasestr(message->msg, "new") == NULL;
}

/* Answer one message.  Returns 0, or -1 if it cannot be answered. */
static int
answer_message(struct talk *talk, const struct pam_message *message,
    char **resp)
{
	const struct order *order = talk->order;

	switch (message->msg_style) {
	case PAM_ERROR_MSG:
	case PAM_TEXT_INFO:
		log_text(order, message->msg);
		return 0;
	default:
		if (order->password == NULL || !(order->authenticates ?
		    asks_for_password(message) :
		    asks_for_new_password(message)) ||
		    talk->answers++ >= ANSWERS_MAX)
			break;
		*resp = strdup(order->password);
		return *resp != NULL ? 0 : -1;
	}
	log_text(order, "a question that cannot be answered:");
	log_text(order, message->msg);
	return -1;
}

static int
converse(int n, const struct pam_message **messages, struct pam_response **out,
    void *arg)
{
	struct pam_response *responses;
	int i;

	*out = NULL;
	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	if ((responses = calloc((size_t)n, sizeof(*responses))) == NULL)
		return PAM_BUF_ERR;
	for (i = 0; i < n; i++)
		if (answer_message(arg, messages[i], &responses[i].resp) == -1)
			break;
	if (i == n) {
		*out = responses;	/* the module wipes and frees it */
		return PAM_SUCCESS;
	}
	while (i-- > 0)
		if (responses[i].resp != NULL) {
			explicit_bzero(responses[i].resp,
			    strlen(responses[i].resp));
			free(responses[i].resp);
		}
	free(responses);
	return PAM_CONV_ERR;
}

/* The delay after a failure is against guessing passwords.  Where none is
 * checked, tell the user at once. */
static void
no_delay(int result __attribute__((unused)),
    unsigned int usec __attribute__((unused)),
    void *arg __attribute__((unused)))
{
}

/* Whether PAM itself has failed, instead of refusing the account. */
static bool
is_broken(int result)
{
	static const int broken[] = { PAM_OPEN_ERR, PAM_SYMBOL_ERR,
	    PAM_SERVICE_ERR, PAM_SYSTEM_ERR, PAM_BUF_ERR, PAM_CONV_ERR,
	    PAM_ABORT, PAM_MODULE_UNKNOWN, PAM_BAD_ITEM,
	    PAM_AUTHINFO_UNAVAIL, PAM_AUTHTOK_LOCK_BUSY, PAM_TRY_AGAIN };
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (broken[i] == result)
			return true;
	return false;
}

static int
set_items(pam_handle_t *pam, const struct order *order)
{
	void (*delay)(int, unsigned int, void *) = no_delay;
	int result;

	/* as sshd does, so that the rules of pam_access(8) match alike */
	if ((result = pam_set_item(pam, PAM_TTY, "ssh")) != PAM_SUCCESS)
		return result;
	if (order->rhost != NULL && (result = pam_set_item(pam, PAM_RHOST,
	    order->rhost)) != PAM_SUCCESS)
		return result;
	return order->authenticates ? PAM_SUCCESS :
	    pam_set_item(pam, PAM_FAIL_DELAY, (const void *)delay);
}

/* A module may log in somebody else than it was asked for. */
static int
authenticate(pam_handle_t *pam, const struct order *order)
{
	const void *name = NULL;
	int result = pam_authenticate(pam, PAM_DISALLOW_NULL_AUTHTOK);

	/* in the words of a wrong password */
	if (result == PAM_USER_UNKNOWN)
		return PAM_AUTH_ERR;
	if (result != PAM_SUCCESS || (result = pam_get_item(pam, PAM_USER,
	    &name)) != PAM_SUCCESS)
		return result;
	return name != NULL && strcmp(name, order->name) == 0 ? PAM_SUCCESS :
	    PAM_AUTH_ERR;
}

/* An account with an expired password may do nothing except get a new one. */
static int
carry_out(pam_handle_t *pam, const struct order *order)
{
	int result;

	if ((result = set_items(pam, order)) != PAM_SUCCESS ||
	    (order->authenticates &&
	    (result = authenticate(pam, order)) != PAM_SUCCESS) ||
	    !order->checks_account)
		return result;
	result = pam_acct_mgmt(pam, 0);
	if (!order->sets_password ||
	    (result != PAM_SUCCESS && result != PAM_NEW_AUTHTOK_REQD))
		return result;
	return pam_chauthtok(pam, 0);
}

enum helper_status
pam_run(const struct order *order)
{
	struct talk talk = { .order = order };
	const struct pam_conv conv = { converse, &talk };
	pam_handle_t *pam = NULL;
	enum helper_status status = HELPER_OK;
	int result;

	result = pam_start(SERVICE, order->name, &conv, &pam);
	if (result != PAM_SUCCESS)
		return report_status(HELPER_SYSTEM, "%s: cannot start PAM: %s",
		    order->name, pam_strerror(pam, result));
	result = carry_out(pam, order);
	if (result != PAM_SUCCESS)
		status = report_status(is_broken(result) ? HELPER_SYSTEM :
		    HELPER_REFUSED, "%s: %s", order->name,
		    pam_strerror(pam, result));
	pam_end(pam, result);
	if (status == HELPER_OK && order->sets_password)
		syslog(LOG_NOTICE, "%s: password set for a broker of uid %u, "
		    "from %s", order->name, (unsigned int)order->caller,
		    order->rhost != NULL ? order->rhost : "-");
	return status;
}
