/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-http: one process, one request of a web server, one answer.
 * main() lists the steps of a request in order.  The X2Go client ends when it
 * gets an HTTP error, so what it can have sent is refused with status 200;
 * python-x2go takes that for a grant, whatever the answer contains.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <x2gobroker.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/utf8.h"
#include "common/audit.h"
#include "common/log.h"
#include "common/pam_helper.h"
#include "common/service.h"
#include "http.h"

#define HEADERS(type)	"Content-Type: " type "; charset=utf-8\r\n"	\
			"Cache-Control: no-store\r\n"			\
			"Content-Length: "
#define PLAIN		HEADERS("text/plain")
#define JSON		HEADERS("text/json")

static const char refusal[] = "Status: 200 OK\r\n" PLAIN "14\r\n\r\n"
    "Access denied\n";
static const char json_refusal[] = "Status: 401 Unauthorized\r\n" JSON
    "0\r\n\r\n";

struct broker {
	const char *config_file;	/* NULL: the default one */
	bool debug;
	bool is_cgi;
	bool json;
	const char *refusal;	/* a whole response */
	struct http_request http;
	const struct http_status *status;	/* NULL: 200 */
	struct http_status maintenance;
	struct buf notice;	/* its text */
	struct x2gobroker_config *config;
	struct x2gobroker_request *request;
	struct x2gobroker_user *user;
	struct x2gobroker_answer *answer;
	struct audit audit;
};

/* Answer an operator's question, such as --help: its exit status, or -1. */
static int
read_options(int argc, char **argv, struct broker *broker)
{
	static const struct option options[] = {
		{ "config-file", required_argument, NULL, 'C' },
		{ "debug", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "C:dVh", options, NULL)) != -1)
		switch (c) {
		case 'C':
			broker->config_file = optarg;
			break;
		case 'd':
			broker->debug = true;
			break;
		case 'V':
			printf("x2gobroker-http %s\n", x2gobroker_version());
			return fflush(stdout) == 0 ? 0 : 1;
		default:
			fprintf(c == 'h' ? stdout : stderr,
			    "usage: x2gobroker-http [-C FILE] [--debug]\n"
			    "A web server starts it for each request; see "
			    "x2gobroker-http(8).\n");
			return c == 'h' ? 0 : 1;
		}
	return -1;
}

static void
set_refusal(struct broker *broker, const char *text)
{
	broker->refusal = text;
	service_set_refusal(text, strlen(text));
}

static void
init_process(struct broker *broker)
{
	set_refusal(broker, refusal);
	service_protect(false);
	broker->is_cgi = http_take_variables(&broker->http);
	service_sanitise();
	log_open(broker->debug);
}

static int
http_error(struct broker *broker, const struct http_status *status,
    struct x2gobroker_error *err)
{
	broker->status = status;
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0, "HTTP %s: %s",
	    status->line, status->why);
}

/* Read the request.  The address is for the log in any case. */
static int
read_http(struct broker *broker, struct x2gobroker_error *err)
{
	struct http_request *http = &broker->http;
	const struct http_status *status = http_read(http, broker->is_cgi);
	const char *address = http->values[VAR_ADDRESS];
	struct address ignored;

	if (address != NULL && address_parse(address, strlen(address),
	    &ignored))
		broker->audit.address = address;
	if (status == NULL)
		status = http_check(http, x2gobroker_config_http_allow_plain(
		    broker->config));
	if (status != NULL)
		return http_error(broker, status, err);
	broker->json = http_wants_json(http);
	if (broker->json)
		set_refusal(broker, json_refusal);
	return 0;
}

/* A path can name a backend, as with the Python broker; other names mean
 * nothing. */
static int
check_config(struct broker *broker, struct x2gobroker_error *err)
{
	char backend[16];

	http_backend(&broker->http, backend, sizeof(backend));
	x2gobroker_config_set_backend(broker->config, backend, NULL);
	return x2gobroker_config_check_http(broker->config, broker->json,
	    err);
}

static int
read_form(struct broker *broker, struct x2gobroker_error *err)
{
	struct http_request *http = &broker->http;
	int result = (broker->json ? x2gobroker_request_from_json_client :
	    x2gobroker_request_from_form)(http->body, http->body_len,
	    &broker->request, err);

	/* it contains a password; the request has a copy */
	explicit_bzero(http->body, http->body_len);
	return result;
}

/* The web server's own account of the connection, or nothing. */
static int
name_user(struct broker *broker, struct x2gobroker_error *err)
{
	const char *name = x2gobroker_request_user(broker->request);

	/* x2goclient --broker-noauth sends none */
	if (*name == '\0' &&
	    !x2gobroker_config_http_authenticates(broker->config))
		name = "nobody";
	broker->audit.user = *name != '\0' ? name : NULL;
	broker->audit.by = "claim";
	return x2gobroker_user_new(name, broker->audit.address, &broker->user,
	    err);
}

/* Only what has been proved becomes part of the audit line. */
static int
authenticate(void *arg, const struct x2gobroker_user *user,
    const char *password, struct x2gobroker_error *err)
{
	struct broker *broker = arg;
	const char *helper = x2gobroker_config_pam_helper(broker->config);
	const char *name = x2gobroker_user_name(user);
	const char *address = x2gobroker_user_address(user);
	int result;

	if (password != NULL)
		result = pam_helper_login(helper, name, address, password,
		    x2gobroker_request_checks_account(broker->request), err);
	else
		result = pam_helper_check(helper, name, address, err);
	if (result == 0)
		broker->audit.by = password != NULL ? "password" : "token";
	return result;
}

static int
serve(struct broker *broker, struct x2gobroker_error *err)
{
	if (x2gobroker_answer_new(broker->request, &broker->answer, err) == -1)
		return -1;
	/* the client asks this before anybody has logged in */
	if (strcmp(x2gobroker_request_task(broker->request), "testcon") == 0)
		return x2gobroker_answer_testcon(broker->answer, err);
	if (name_user(broker, err) == -1)
		return -1;
	if (x2gobroker_config_http_authenticates(broker->config))
		x2gobroker_answer_authenticate(broker->answer, authenticate,
		    broker);
	else
		x2gobroker_answer_trust_nobody(broker->answer);
	return service_answer_task(broker->config, broker->answer,
	    broker->user, err);
}

/* There is something to tell the person: the client shows the text of an HTTP
 * status in a box, as Latin-1, and ends, so it has no session yet. */
static void
show_notice(struct broker *broker)
{
	const char *p = x2gobroker_answer_notice(broker->answer);
	size_t len;
	uint32_t c;

	if (p == NULL)
		return;
	buf_puts(&broker->notice, "503 ");
	for (; (len = utf8_decode(p, strlen(p), &c)) > 0; p += len)
		buf_putc(&broker->notice, c < 0x100 ? (char)c : '?');
	if (broker->notice.failed)
		service_refuse("out of memory");
	broker->maintenance.line = broker->notice.data;
	broker->status = &broker->maintenance;
}

/* All that is sent, in one piece. */
static int
write_response(const struct broker *broker)
{
	const char *line = broker->status != NULL ? broker->status->line :
	    "200 OK";
	cleanup_buf struct buf response = { 0 };
	const char *text = "";
	size_t len = 0;

	if (broker->status == NULL && x2gobroker_answer_text(broker->answer,
	    &text, &len, NULL) == -1)
		service_refuse("out of memory");
	buf_printf(&response, "Status: %s\r\n%s%zu\r\n%s\r\n", line,
	    broker->json ? JSON : PLAIN, len, strncmp(line, "405", 3) == 0 ?
	    "Allow: POST\r\n" : "");
	buf_put(&response, text, len);
	if (response.failed)
		service_refuse("out of memory");
	return service_write_answer(response.data, response.len);
}

int
main(int argc, char **argv)
{
	struct broker broker = { 0 };
	struct x2gobroker_error err = { 0 };
	int status = read_options(argc, argv, &broker);
	bool granted;

	if (status != -1)
		return status;
	clock_gettime(CLOCK_MONOTONIC, &broker.audit.started);
	init_process(&broker);
	granted = service_load_config(broker.config_file, &broker.config,
	    &err) == 0 &&
	    read_http(&broker, &err) == 0 &&
	    check_config(&broker, &err) == 0 &&
	    read_form(&broker, &err) == 0 &&
	    serve(&broker, &err) == 0;
	broker.audit.request = broker.request;
	broker.audit.why = granted ? NULL : &err;
	broker.audit.summary = granted ?
	    x2gobroker_answer_summary(broker.answer) : "";
	audit_log(&broker.audit);
	if (!granted)
		show_notice(&broker);
	if (granted || broker.status != NULL)
		status = write_response(&broker);
	else
		status = service_write_answer(broker.refusal,
		    strlen(broker.refusal));
	if (broker.status != NULL)
		http_discard_rest();
	/* wipes the private key that may be in it */
	x2gobroker_answer_free(broker.answer);
	buf_free(&broker.notice);
	x2gobroker_request_free(broker.request);
	return status == 0 ? 0 : 1;
}
