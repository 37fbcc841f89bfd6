/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The acl- keys of a profile: for each kind of list an allow list, a deny list
 * and their order.  What they decide is access/acl.c's.
 */
#ifndef CONFIG_ACLSYNTAX_H
#define CONFIG_ACLSYNTAX_H

#include <stddef.h>

enum acl_kind { ACL_CLIENTS, ACL_USERS, ACL_GROUPS, ACL_NKINDS };
enum acl_part { ACL_ALLOW, ACL_DENY, ACL_ORDER, ACL_NPARTS };

#define ACL_KEY(kind, part)	((int)(kind) * ACL_NPARTS + (int)(part))

enum {
	ACL_ANY_ORDER = ACL_NKINDS * ACL_NPARTS, /* the default of all orders */
	ACL_UNKNOWN,		/* begins with acl-, but is not such a key */
	ACL_NKEYS
};

/* Check the value of a key.  Returns NULL if it is valid, or else the reason,
 * which may be in buf. */
const char *aclsyntax_check(int key, const char *value, char *buf,
	    size_t size);

#endif
