/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of profiles that are almost known ones.  Other unknown keys are for the
 * client; a misspelt access list must not be one of them.
 *
 * Only letters and digits count, and their case does not.  A name resembles a
 * known key
 *  - if it becomes that key by at most one edit for each four characters of
 *    the key, where an edit inserts, drops or replaces a character, or swaps
 *    two neighbours; the "broker" at the start of a key may be missing;
 *  - if it is one of a few usual other words for the key, such as "cmd".
 * It looks like an access list if it resembles an acl- key, begins with "acl",
 * or has one of the words acl, user, group, client, host and address together
 * with allow, deny, denied, permit or forbid.
 */
#ifndef CONFIG_NEARMISS_H
#define CONFIG_NEARMISS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the len bytes at name resemble the key known, or are it. */
bool	nearmiss_resembles(const char *name, size_t len, const char *known);

bool	nearmiss_is_access_list(const char *name);

/* The known key, of the broker or of the client, that name resembles and is
 * not, or NULL.  only: a prefix, to which the search is confined. */
const char *nearmiss_find(const char *name, const char *only);

/* Whether X2Go Client reads the key, though the broker knows nothing of it. */
bool	nearmiss_is_client_key(const char *name);

#endif
