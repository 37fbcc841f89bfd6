/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that the X2Go client searches an answer for.  It searches all of
 * it, names of profiles included, so they must not come up by accident or by
 * somebody's wish.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stddef.h>

#define PROTOCOL_AUTHID		"AUTHID:"
#define PROTOCOL_GRANTED	"Access granted\n"
#define PROTOCOL_DENIED		"Access denied\n"
#define PROTOCOL_START_LIST	"START_USER_SESSIONS\n"
#define PROTOCOL_END_LIST	"END_USER_SESSIONS\n"
#define PROTOCOL_SERVER		"SERVER:"
#define PROTOCOL_SESSION_INFO	"SESSION_INFO:"
#define PROTOCOL_BEGIN		"X2GODATABEGIN:"
#define PROTOCOL_END		"X2GODATAEND:"

/* The first such word in text, or NULL. */
const char *protocol_find_word(const char *text, size_t text_len);

#endif
