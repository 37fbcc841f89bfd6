/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the way in over HTTPS: x2gobroker-http(8), its socket, and with
 * --url the web server, by curl(1), as clients see it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/safefile.h"
#include "base/spawn.h"
#include "findings.h"

#define SOCKET		"/run/x2gobroker-http.sock"
#define CURL		"/usr/bin/curl"
#define CURL_BAD_CERTIFICATE	60
#define GRANTED		"Access granted\n"
#define ANSWER_MAX	65536
#define ANSWER_MS	20000
#define DAY		(24 * 60 * 60)
#define DAYS_LEFT	14	/* of a certificate */

/* Otherwise HTTP is not used here.  CGI has no socket. */
static bool
is_used(struct doctor *d)
{
	if (d->ctl->url != NULL || access(HTTP_SOCKET_ENABLED, F_OK) == 0 ||
	    access(SOCKET, F_OK) == 0)
		return true;
	doctor_ok(d, "", "not needed: " HTTP_SOCKET_UNIT " is not enabled");
	return false;
}

/* Has the service a line for passwords?  The file of a broker over SSH alone
 * refuses all. */
static bool
checks_passwords(void)
{
	cleanup_free char *text = NULL;
	cleanup_fd int fd = open(PAM_FILE, O_RDONLY | O_CLOEXEC);
	size_t len = ANSWER_MAX;
	char *rest, *line;

	if (fd == -1 || (text = safefile_read_text(fd, PAM_FILE, &len,
	    NULL)) == NULL)
		return false;
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;)
		if ((strncmp(line, "auth", 4) == 0 &&
		    strstr(line, "pam_deny") == NULL &&
		    strstr(line, "pam_nologin") == NULL) ||
		    strncmp(line, "@include common-auth", 20) == 0)
			return true;
	return false;
}

void
check_http(struct doctor *d)
{
	struct x2gobroker_error err;

	if (!is_used(d))
		return;
	if (x2gobroker_config_check_http(d->config, false, &err) == -1) {
		doctor_fail_error(d, "", &err);
		return;
	}
	if (!x2gobroker_config_http_authenticates(d->config)) {
		doctor_warn(d, "", "http-auth = none: nobody is asked for a "
		    "password, and everybody is who they say");
		doctor_remedy(d, "remove it, unless only trusted people reach "
		    "the web server; see x2gobroker-http(8), Without logins");
	} else if (!checks_passwords()) {
		doctor_fail(d, PAM_FILE, "no auth line lets anybody in, so "
		    "each password is refused");
		doctor_remedy(d, "cp " X2GOBROKER_DATA "/pam.d/x2gobroker "
		    PAM_FILE);
	}
	if (x2gobroker_config_http_allow_plain(d->config)) {
		doctor_warn(d, "", "http-allow-plain = true: passwords are "
		    "accepted that came in clear over the network");
		doctor_remedy(d, "remove it, unless TLS ends at another host "
		    "and clients can reach only that one");
	}
}

/* Who can write to it can claim any address, and TLS. */
void
check_http_socket(struct doctor *d)
{
	const struct group *group;
	struct stat st;

	if (!is_used(d))
		return;
	if (stat(SOCKET, &st) == -1) {
		doctor_fail(d, SOCKET, "%s, so the web server answers \"Bad "
		    "Gateway\"", strerror(errno));
		doctor_remedy(d, "systemctl enable --now " HTTP_SOCKET_UNIT
		    "; not needed for CGI");
		return;
	}
	group = getgrgid(st.st_gid);
	if ((st.st_mode & S_IWOTH) != 0) {
		doctor_fail(d, SOCKET, "every account on this host may write "
		    "to it, and so claim any address");
		doctor_remedy(d, "SocketMode=0660 in " HTTP_SOCKET_UNIT);
	} else if (group != NULL && group->gr_mem[0] != NULL) {
		doctor_warn(d, SOCKET, "members of the group %s may write to "
		    "it, and so claim any address: %s%s", group->gr_name,
		    group->gr_mem[0], group->gr_mem[1] != NULL ? ", ..." : "");
		doctor_remedy(d, "let only the web server be in this group");
	} else
		doctor_ok(d, SOCKET, "root and the group %s can write",
		    group != NULL ? group->gr_name : "?");
}

/* Send testcon as a web server does.  -1: with errno. */
static int
ask_socket(struct buf *answer)
{
	static const char headers[] = "CONTENT_LENGTH\0" "12\0" "SCGI\0" "1\0"
	    "REQUEST_METHOD\0" "POST\0" "REQUEST_URI\0" "/plain/\0"
	    "HTTPS\0" "on";
	const struct sockaddr_un address = { AF_UNIX, SOCKET };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t deadline = clock_ms() + ANSWER_MS;
	cleanup_buf struct buf request = { 0 };
	char text[1024];
	ssize_t n = 1;

	buf_printf(&request, "%zu:", sizeof(headers));
	buf_put(&request, headers, sizeof(headers));
	buf_puts(&request, ",task=testcon");
	if (fd == -1 || request.failed || connect(fd,
	    (const struct sockaddr *)&address, sizeof(address)) == -1 ||
	    !safefile_write(fd, request.data, request.len))
		return -1;
	while (n > 0 && answer->len < ANSWER_MAX) {
		if (clock_poll(fd, POLLIN, deadline) != 1) {
			errno = ETIMEDOUT;
			return -1;
		}
		if ((n = read(fd, text, sizeof(text))) > 0)
			buf_put(answer, text, (size_t)n);
	}
	return n == -1 ? -1 : 0;
}

void
check_http_answer(struct doctor *d)
{
	cleanup_buf struct buf answer = { 0 };
	char quoted[200];

	if (!is_used(d))
		return;
	if (access(SOCKET, F_OK) == -1)
		doctor_ok(d, "", "not checked: there is no socket");
	else if (ask_socket(&answer) == -1) {
		doctor_fail(d, SOCKET, "no answer: %s", strerror(errno));
		doctor_remedy(d, "systemctl status " HTTP_SOCKET_UNIT);
	} else if (answer.failed || answer.len == 0 ||
	    strstr(answer.data, GRANTED) == NULL) {
		strlcpy(quoted, answer.len > 0 ? answer.data : "nothing",
		    sizeof(quoted));
		quoted[strcspn(quoted, "\r\n")] = '\0';
		doctor_fail(d, SOCKET, "x2gobroker-http answers: %s", quoted);
		doctor_remedy(d, "the log has the reason");
	} else
		doctor_ok(d, SOCKET, "x2gobroker-http answers");
}

/*
 * The web server
 */

/* Run curl; what it prints is the answer, a line with the status, and the
 * certificates.  Returns its exit status. */
static int
run_curl(struct spawn *child, const char *url, bool any_certificate)
{
	const char *const argv[] = { CURL, "-sS", any_certificate ? "-k" :
	    "-q", "--max-time", "15", "--noproxy", "*", "--data",
	    "task=testcon", "--write-out", "\nstatus %{http_code}\n%{certs}",
	    "--", url, NULL };
	const char *bundle = getenv("CURL_CA_BUNDLE");
	char variable[X2GOBROKER_FILE_SIZE + 16];
	const char *const env[] = { "PATH=/usr/bin:/bin",
	    bundle != NULL ? variable : NULL, NULL };
	const struct spawn_options options = {
		.argv = argv, .env = env, .output_max = ANSWER_MAX,
		.cut_output = true, .message_max = 500,
		.deadline = clock_ms() + ANSWER_MS,
	};

	snprintf(variable, sizeof(variable), "CURL_CA_BUNDLE=%s",
	    bundle != NULL ? bundle : "");
	if (spawn_run(child, &options) == -1)
		return -1;
	return spawn_exit_status(child);
}

static void
check_end(struct doctor *d, const char *url, const char *text)
{
	static const char word[] = "Expire date:";
	const char *found = strstr(text, word);
	struct tm tm = { 0 };
	int days;

	if (found == NULL || strptime(found + strlen(word),
	    "%b %d %H:%M:%S %Y", &tm) == NULL)
		return;
	days = (int)((timegm(&tm) - time(NULL)) / DAY);
	if (days >= DAYS_LEFT) {
		doctor_ok(d, url, "the certificate is valid for %d days", days);
		return;
	}
	doctor_warn(d, url, "the certificate ends in %d days", days);
	doctor_remedy(d, "renew it; clients then ask their users whether they "
	    "trust the old one");
}

void
check_https(struct doctor *d)
{
	cleanup_spawn struct spawn child = { 0 }, second = { 0 };
	const char *url = d->ctl->url, *text;
	struct spawn *last = &child;
	int status;

	status = run_curl(&child, url, false);
	if (status == CURL_BAD_CERTIFICATE) {
		doctor_warn(d, url, "%.*s", (int)strcspn(child.message.data,
		    "\n"), child.message.data);
		doctor_remedy(d, "use a certificate of an authority that the "
		    "clients know, or start them with --broker-cacertfile");
		last = &second;
		status = run_curl(last, url, true);
	}
	text = last->output.len > 0 ? last->output.data : "";
	if (status == -1) {
		doctor_fail(d, url, "cannot run " CURL);
		doctor_remedy(d, "install curl");
	} else if (status != 0) {
		doctor_fail(d, url, "%.*s", (int)strcspn(last->message.len > 0 ?
		    last->message.data : "", "\n"), last->message.len > 0 ?
		    last->message.data : "curl fails");
		doctor_remedy(d, "see that the web server runs and has this "
		    "name and port");
	} else if (strncmp(text, GRANTED, strlen(GRANTED)) != 0) {
		text = strstr(text, "\nstatus ");
		doctor_fail(d, url, "the answer is not the broker's; status "
		    "%.3s", text != NULL ? text + 8 : "?");
		doctor_remedy(d, "include the lines for the web server; see "
		    "x2gobroker-http(8)");
	} else {
		doctor_ok(d, url, "clients get an answer");
		check_end(d, url, text);
	}
}
