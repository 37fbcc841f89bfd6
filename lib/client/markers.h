/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that the X2Go client looks for in an answer.  It looks everywhere,
 * even in names of profiles, so these must not contain such a word.
 */
#ifndef CLIENT_MARKERS_H
#define CLIENT_MARKERS_H

#include <stddef.h>

#define MARKER_LOGIN_OK		"LOGIN OK"
#define MARKER_AUTHID		"AUTHID:"
#define MARKER_GRANTED	"Access granted\n"
#define MARKER_DENIED		"Access denied\n"
#define MARKER_START_LIST	"START_USER_SESSIONS\n"
#define MARKER_END_LIST	"END_USER_SESSIONS\n"
#define MARKER_START_CONFIG	"START_CLIENT_CONFIG\n"
#define MARKER_END_CONFIG	"END_CLIENT_CONFIG\n"
#define MARKER_SERVER		"SERVER:"
#define MARKER_SESSION_INFO	"SESSION_INFO:"
#define MARKER_BEGIN		"X2GODATABEGIN:"
#define MARKER_END		"X2GODATAEND:"

/* Return the first such word in text, or NULL. */
const char *markers_find(const char *text, size_t text_len);

#endif
