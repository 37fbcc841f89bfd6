/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLIENT_QSETTINGS_H
#define CLIENT_QSETTINGS_H

#include <stdbool.h>

#include "base/buf.h"

/* Write "key=value" and a line end so that the INI reader of the X2Go client
 * (QSettings of Qt) gives back value as it stands here, in UTF-8.  A value
 * that the administrator has already put between two '"' is in that reader's
 * notation and left as it is, as far as that can do no harm. */
void	qsettings_put(struct buf *buf, const char *key, const char *value);

/* The same for a list "a, b": each item by itself, empty ones left out. */
void	qsettings_put_list(struct buf *buf, const char *key,
	    const char *value);

#endif
