/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYTEXT_H
#define X2GOBROKER_AGENT_KEYTEXT_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

enum key_change { KEY_ADD, KEY_REMOVE, KEY_EXPIRE };

/* Append to out the text of an authorized_keys file (len bytes, which may be
 * anything) after line, from keyline_make(), has been added or removed at the
 * time now.  Temporary lines that have expired are removed as well.  All other
 * lines keep their bytes and their order.  If the last line has no '\n',
 * neither has the new last line, so that removing what was added gives the old
 * text.
 *
 * KEY_REMOVE removes lines with the key that are temporary or identical to
 * line, as those of the Python broker, which have no expiry-time.  KEY_ADD
 * adds nothing if another line already has the key.  KEY_EXPIRE removes only
 * expired lines; line is NULL. */
void	keytext_change(const char *text, size_t len, enum key_change change,
	    const char *line, time_t now, struct buf *out);

/* Whether the text has temporary lines. */
bool	keytext_has_temporary(const char *text, size_t len);

#endif
