/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The body of a POST.  What is in a request cannot break a line of the log or of
 * the answer, and no field counts that was sent twice.
 */
#include "fuzz.h"
#include "client/request.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* of its exact size, for the sanitizers */
	char *body = malloc(size > 0 ? size : 1);
	struct x2gobroker_request *request;
	struct x2gobroker_error err = { 0 };
	const char *p;
	size_t i;
	int result;

	must(body != NULL);
	memcpy(body, data, size);
	result = x2gobroker_request_from_json_client(body, size, &request,
	    &err);
	must((result == 0) == (request->task != NULL));
	x2gobroker_request_free(request);
	result = x2gobroker_request_from_form(body, size, &request, &err);
	must(request != NULL);
	must((result == 0) == (request->task != NULL));
	must(result == 0 || err.text[0] != '\0');
	must(request->uuid[0] == '\0');
	for (i = 0; result == 0 && i < NOPTIONS; i++)
		for (p = request->values[i]; p != NULL && *p != '\0'; p++)
			must((unsigned char)*p >= 0x20 && *p != 0x7f);
	if (result == 0) {
		must(size <= X2GOBROKER_FORM_MAX);
		must(strlen(x2gobroker_request_user(request)) <= 255);
		must((request->values[OPT_SID] != NULL) ||
		    request->values[OPT_SID_RAW] == NULL);
	}
	x2gobroker_request_free(request);
	free(body);
	return 0;
}
