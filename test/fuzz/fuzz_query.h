/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_ASK_H
#define FUZZ_ASK_H

#include "fuzz.h"
#include "client/markers.h"
#include "x2gobroker.h"

static bool
is_word(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* Ask as a client does; the answer is a granted one, with these words of the
 * protocol and no other. */
static void
ask(const char *command, const struct x2gobroker_profiles *profiles,
    struct x2gobroker_user *user, const char *const *words)
{
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	const char *text;
	size_t len;

	must(x2gobroker_request_parse(command, &request, NULL) == 0);
	must(x2gobroker_answer_new(request, &answer, NULL) == 0);
	must(x2gobroker_answer_task(answer, profiles, user, NULL) == 0);
	must(x2gobroker_answer_text(answer, &text, &len, NULL) == 0);
	for (; *words != NULL; words++, text++) {
		text = markers_find(text, strlen(text));
		must(text != NULL && is_word(text, *words));
	}
	/* a host may be called X2GO-SERVER: the client takes the first one */
	text = markers_find(text, strlen(text));
	must(text == NULL || (is_word(words[-1], MARKER_SERVER) &&
	    is_word(text, MARKER_SERVER)));
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
}

#endif
