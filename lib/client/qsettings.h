/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLIENT_QSETTINGS_H
#define CLIENT_QSETTINGS_H

#include <stdbool.h>

#include "base/buf.h"

/* Write a line "key=value" from which the INI reader of the X2Go client (Qt's
 * QSettings) reads exactly value, which is UTF-8.  A value that the
 * administrator has put between two '"' is already in that reader's format and
 * left alone, as far as that does no harm. */
void	qsettings_put(struct buf *buf, const char *key, const char *value);

/* The same for a list "a, b": each item by itself, without empty ones. */
void	qsettings_put_list(struct buf *buf, const char *key,
	    const char *value);

#endif
