/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYFILE_H
#define X2GOBROKER_AGENT_KEYFILE_H

#include "account.h"
#include "base/error.h"
#include "keytext.h"

/* Add line to a file of keys, or remove it (keytext_change()); template is as
 * in keypath_make().  The process must have become the user already.  Readers
 * see the whole old file or the whole new one.  An empty file is removed. */
int	keyfile_change(const char *template, const struct account *account,
	    enum key_change change, const char *line,
	    struct x2gobroker_error *err);

/* Remove only lines that have expired.  *left tells whether there are temporary
 * lines that have not. */
int	keyfile_expire(const char *template, const struct account *account,
	    bool *left, struct x2gobroker_error *err);

#endif
