/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of an SCGI request, and what they decide: each header is inside the
 * text, and nothing is answered that is not a POST, by TLS, to .../plain/.
 */
#include <unistd.h>

#include "common/service.h"
#include "fuzz.h"

/* of common/service.c, which this target does not need */
char *
service_take_variable(const char *name __attribute__((unused)))
{
	return NULL;
}

void
service_refuse(const char *why __attribute__((unused)))
{
	abort();
}

#include "../../cmd/x2gobroker-http/http.c"

static void
check_headers(const struct http_request *http, const char *text, size_t len)
{
	char backend[16];
	const char *uri = http->values[VAR_URI];
	size_t i;

	for (i = 0; i < NVARIABLES; i++)
		must(http->values[i] == NULL || (http->values[i] > text &&
		    http->values[i] + strlen(http->values[i]) < text + len));
	must(strcmp(http->values[VAR_SCGI], "1") == 0);
	if (http_check(http, true) == NULL)
		must(uri != NULL && (strstr(uri, "/plain/") != NULL ||
		    strstr(uri, "/json/") != NULL));
	else
		must(http_check(http, false) != NULL);
	if (http_check(http, false) == NULL)
		must(http->values[VAR_HTTPS] != NULL ||
		    http->values[VAR_SCHEME] != NULL);
	http_backend(http, backend, sizeof(backend));
	must(strlen(backend) < sizeof(backend));
	must(strpbrk(backend, "/?#") == NULL);
}

/* The same through a descriptor, with the length in front of it. */
static void
check_request(const uint8_t *data, size_t size)
{
	struct http_request http = { 0 };
	const struct http_status *status;
	int fds[2];

	must(pipe(fds) == 0 && write(fds[1], data, size) == (ssize_t)size);
	close(fds[1]);
	must(dup2(fds[0], STDIN_FILENO) == STDIN_FILENO);
	close(fds[0]);
	status = http_read(&http, false);
	must(status != NULL || (http.body != NULL && http.body_len <= size &&
	    http.body_len <= X2GOBROKER_FORM_MAX));
	free(http.body);
	free((char *)(uintptr_t)http.head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request http = { 0 };
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (http_parse_headers(&http, text, size))
		check_headers(&http, text, size);
	if (size < 32768)
		check_request(data, size);
	free(text);
	return 0;
}
