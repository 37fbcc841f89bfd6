/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/request.h"

/*
 * In these forms '@' stands for the uuid, the same one each time, and ' ' for
 * any number of blanks, even none: nothing is executed, so "bash-lc" does no
 * harm.  The content is what is between head and tail.  As the tail ends the
 * command, the content can contain anything.
 */
#define BEGIN_QUOTED	"'echo \"X2GODATABEGIN:@\"; "
#define END_QUOTED	"; echo \"X2GODATAEND:@\";'"
#define SET_PATH	"export PATH=\"/usr/local/bin:/usr/bin:/bin\"; "
#define SET_TERM	"export TERM=\"dumb\"; "

static const struct form {
	const char *head, *tail;
} forms[] = {
	/* x2goclient 4.x, then its Kerberos login */
	{ "bash -l -c " BEGIN_QUOTED SET_PATH SET_TERM, END_QUOTED },
	{ "bash -l -c " BEGIN_QUOTED SET_TERM, END_QUOTED },
	/* patched clients */
	{ "sh -c " BEGIN_QUOTED SET_PATH SET_TERM, END_QUOTED },
	{ "sh -c " BEGIN_QUOTED SET_TERM, END_QUOTED },
	/* old clients */
	{ "sh -c \"echo X2GODATABEGIN:@; ", "; echo X2GODATAEND:@\";" },
	{ "sh -c \"echo X2GODATABEGIN:@; ", "; echo X2GODATAEND:@\"" },
	/* python-x2go */
	{ "echo X2GODATABEGIN:@; PATH=/usr/local/bin:/usr/bin:/bin sh -c \"",
	    "\"; echo X2GODATAEND:@" },
};

static bool
is_uuid(const char *text, size_t len)
{
	size_t i;

	if (len < UUID_LEN)
		return false;
	for (i = 0; i < UUID_LEN; i++) {
		char c = text[i];

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return false;
		} else if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return false;
	}
	return true;
}

/* Compare the start of text with form.  Returns the length of the match, or 0.
 * An empty uuid is filled in, another one is compared. */
static size_t
match_head(const char *form, const char *text, size_t len,
    char uuid[static UUID_LEN + 1])
{
	size_t i = 0;

	for (; *form != '\0'; form++) {
		if (*form == ' ') {
			while (i < len && text[i] == ' ')
				i++;
		} else if (*form == '@') {
			if (!is_uuid(text + i, len - i))
				return 0;
			if (uuid[0] == '\0')
				memcpy(uuid, text + i, UUID_LEN);
			else if (memcmp(uuid, text + i, UUID_LEN) != 0)
				return 0;
			i += UUID_LEN;
		} else if (i < len && text[i] == *form)
			i++;
		else
			return 0;
	}
	return i;
}

/* The same for the end of text.  Returns where the tail begins, or len. */
static size_t
match_tail(const char *form, const char *text, size_t len,
    const char uuid[static UUID_LEN + 1])
{
	const char *f = form + strlen(form);
	size_t i = len;

	while (f-- > form) {
		if (*f == ' ') {
			while (i > 0 && text[i - 1] == ' ')
				i--;
		} else if (*f == '@') {
			if (i < UUID_LEN || memcmp(text + i - UUID_LEN, uuid,
			    UUID_LEN) != 0)
				return len;
			i -= UUID_LEN;
		} else if (i > 0 && text[i - 1] == *f)
			i--;
		else
			return len;
	}
	return i;
}

static bool
match_form(const struct form *form, const char *text, size_t len,
    struct envelope *out)
{
	size_t head, tail;

	memset(out->uuid, 0, sizeof(out->uuid));
	head = match_head(form->head, text, len, out->uuid);
	if (head == 0)
		return false;
	tail = match_tail(form->tail, text, len, out->uuid);
	if (tail == len || tail < head)
		return false;
	out->text = text + head;
	out->len = tail - head;
	return true;
}

void
envelope_open(const char *command, struct envelope *out)
{
	size_t i, len = strlen(command);

	while (len > 0 && (command[len - 1] == ' ' || command[len - 1] == '\n'))
		len--;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (match_form(&forms[i], command, len, out))
			return;
	memset(out->uuid, 0, sizeof(out->uuid));
	out->text = command;
	out->len = len;
}
