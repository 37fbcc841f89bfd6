/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSH_ORIGINAL_COMMAND, and the same words as a command line.  What is in a
 * request cannot break a line of the log or of the answer.
 */
#include "fuzz.h"
#include "client/request.h"

#define WORDS_MAX	64

static void
check_request(struct x2gobroker_request *request, int result,
    const struct x2gobroker_error *err)
{
	struct x2gobroker_answer *answer;
	const char *text, *p;
	size_t i, len;

	must(request != NULL && (result == 0) == (request->kind !=
	    X2GOBROKER_REQUEST_NONE));
	must(result == 0 || err->text[0] != '\0');
	must((request->kind == X2GOBROKER_REQUEST_TASK) ==
	    (result == 0 && request->task != NULL));
	for (i = 0; result == 0 && i < NOPTIONS; i++)
		for (p = request->values[i]; p != NULL && *p != '\0'; p++)
			must((unsigned char)*p >= 0x20 && *p != 0x7f);
	must(strlen(request->uuid) == 0 || strlen(request->uuid) == UUID_LEN);

	/* until a task has granted, it is a refusal */
	must(x2gobroker_answer_new(request, &answer, NULL) == 0);
	must(x2gobroker_answer_text(answer, &text, &len, NULL) == 0);
	must(strstr(text, "granted") == NULL && strlen(text) == len);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *command = fuzz_string(data, size), *argv[WORDS_MAX], *save;
	struct x2gobroker_request *request;
	struct x2gobroker_error err = { 0 };
	struct envelope envelope;
	int argc = 0, result;

	envelope_open(command, &envelope);
	must(envelope.text >= command && envelope.text + envelope.len <=
	    command + strlen(command));
	result = x2gobroker_request_parse(command, &request, &err);
	check_request(request, result, &err);

	for (argv[0] = strtok_r(command, "\n", &save); argc < WORDS_MAX - 1 &&
	    argv[argc] != NULL; argv[argc] = strtok_r(NULL, "\n", &save))
		argc++;
	result = x2gobroker_request_from_argv(argc, argv, &request, &err);
	check_request(request, result, &err);
	free(command);
	return 0;
}
