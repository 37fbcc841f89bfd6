/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line of the log for a request: the command in the first line of the
 * input, then the address and the name.  It is made of the keys that we write,
 * each once and in their order, with whole values.  The rest is the file that
 * sshd makes with ExposeAuthInfo.
 */
#include <sys/mman.h>

#include "fuzz.h"

#include "../../cmd/common/audit.c"

static const char *const keys[] = { "task", "user", "by", "from", "key",
    "claims", "profile", "ms", "reason", NULL };

static char the_line[LOG_LINE_SIZE];

void
counters_add(const char *task, bool granted)
{
	(void)task;
	(void)granted;
}

void
log_text(int priority, const char *text)
{
	must(priority == LOG_INFO || priority == LOG_NOTICE);
	must(strlen(text) < sizeof(the_line));
	strlcpy(the_line, text, sizeof(the_line));
}

/* Behind a value: a bare word, or whatever it is in quotes. */
static const char *
skip_value(const char *p)
{
	if (*p != '"')
		return p + strcspn(p, " \"\\");
	for (p++; *p != '"'; p++) {
		must(*p != '\0');
		p += *p == '\\';
		must(*p != '\0');
	}
	return p + 1;
}

static void
check_line(const char *p)
{
	const char *const *key = keys;
	size_t len;

	must(strncmp(p, "refused", 7) == 0);
	for (p += 7; *p != '\0'; p = skip_value(p + len + 1)) {
		must(*p++ == ' ');
		len = strcspn(p, "=");
		must(p[len] == '=');
		while (*key != NULL && (strlen(*key) != len ||
		    strncmp(*key, p, len) != 0))
			key++;
		must(*key++ != NULL);
	}
}

static void
check_fingerprint(const char *data, size_t size)
{
	int fd = memfd_create("auth-info", MFD_CLOEXEC);
	char path[64], *text, *rest, *fingerprint;
	const char *type, *base64;

	must(fd != -1 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rest = text = audit_auth_info(path);
	while (text != NULL && audit_next_key(&rest, &type, &base64)) {
		must(memmem(data, size, "publickey ", 10) != NULL);
		if ((fingerprint = audit_key_fingerprint(base64)) != NULL) {
			must(strncmp(fingerprint, "SHA256:", 7) == 0);
			must(strlen(fingerprint) == 50 && is_bare(fingerprint));
		}
		free(fingerprint);
	}
	free(text);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text;
	char *command = strsep(&rest, "\n"), *address = strsep(&rest, "\n");
	struct x2gobroker_error why = { .code = X2GOBROKER_ERR_DENIED };
	struct audit audit = { .user = strsep(&rest, "\n"), .why = &why,
	    .address = address, .summary = "", .by = "operator" };
	struct x2gobroker_request *request;

	x2gobroker_request_parse(command, &request, NULL);
	audit.request = request;
	snprintf(why.text, sizeof(why.text), "%s", command);
	audit_log(&audit);
	check_line(the_line);
	if (rest != NULL)
		check_fingerprint(rest, strlen(rest));
	x2gobroker_request_free(request);
	free(text);
	return 0;
}
