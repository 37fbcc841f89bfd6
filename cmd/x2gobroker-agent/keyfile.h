/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYFILE_H
#define X2GOBROKER_AGENT_KEYFILE_H

#include <time.h>

#include "account.h"
#include "base/buf.h"
#include "base/error.h"

/* How a task changes keys: in a file of the user's, or in the store. */
enum key_change { KEY_NONE, KEY_ADD, KEY_REMOVE, KEY_STORE };

/* Change a file of keys as keyfile_edit() does; template is as in
 * keypath_make().  The process must have become the user already.  Readers see
 * the whole old file or the whole new one.  An empty file is removed. */
int	keyfile_change(const char *template, const struct account *account,
	    enum key_change change, const char *line,
	    struct x2gobroker_error *err);

/* Append to out the text of an authorized_keys file (len bytes, which may be
 * anything) after line, from temporarykey_make(), has been added or removed at
 * the time now.  Temporary lines that have expired are removed as well.  All
 * other lines keep their bytes and their order.  If the last line has no '\n',
 * neither has the new last line, so that removing what was added gives the old
 * text.
 *
 * KEY_REMOVE removes lines with the key that are temporary or identical to
 * line, as those of the Python broker, which have no expiry-time.  KEY_ADD
 * adds nothing if another line already has the key. */
void	keyfile_edit(const char *text, size_t len, enum key_change change,
	    const char *line, time_t now, struct buf *out);

#endif
