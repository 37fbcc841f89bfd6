/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYTEXT_H
#define X2GOBROKER_AGENT_KEYTEXT_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

enum key_change { KEY_ADD, KEY_REMOVE, KEY_EXPIRE };

/* What becomes of the text of an authorized_keys file (len bytes, which may be
 * anything) when line (as keyline_make() has it) is added or removed at the time
 * now.  Temporary lines that have expired go, too; all others keep their bytes
 * and their order, and a last line without its '\n' is the last one without it
 * afterwards, so that removing what was added gives the old text.
 *
 * A line with the key is removed if it is temporary, or the same as line: as the
 * Python broker's are, which have no expiry-time.  Nothing is added where the
 * key is in another line already.  For KEY_EXPIRE there is no line (NULL), and
 * nothing but what has expired goes. */
void	keytext_change(const char *text, size_t len, enum key_change change,
	    const char *line, time_t now, struct buf *out);

/* Whether there are temporary lines in it. */
bool	keytext_has_temporary(const char *text, size_t len);

#endif
