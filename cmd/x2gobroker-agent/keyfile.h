/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYFILE_H
#define X2GOBROKER_AGENT_KEYFILE_H

#include "account.h"
#include "base/error.h"
#include "keytext.h"

/* Add line to the file of keys at path, a template, or remove it, as the user
 * whose the process is by now (keytext_change()).  Whoever reads the file
 * meanwhile reads all of the old one or all of the new one; it is not there any
 * more when nothing is left in it. */
int	keyfile_change(const char *template, const struct account *account,
	    enum key_change change, const char *line,
	    struct x2gobroker_error *err);

/* The same, but take out what has expired, and nothing else; *left: there are
 * temporary lines that have not. */
int	keyfile_expire(const char *template, const struct account *account,
	    bool *left, struct x2gobroker_error *err);

#endif
