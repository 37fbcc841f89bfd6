/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ACCESS_ACL_H
#define ACCESS_ACL_H

#include "base/error.h"

/* What is wrong with the value of an acl- key, or that there is no such key;
 * NULL when all is well.  buf is for the text. */
const char *acl_check_value(const char *key, const char *value, char *buf,
	    size_t size);

/* Report what is allowed, and surely not meant or not as in the Python
 * broker: a deny list with ALL that always decides, an order that had no
 * effect there. */
void	acl_lint(const struct x2gobroker_profile *profile,
	    struct reporter *rep);

/* The acl- key in row i, or NULL past the end. */
const char *acl_key_name(size_t i);

#endif
