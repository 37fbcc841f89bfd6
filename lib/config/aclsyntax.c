/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/parse.h"
#include "config/aclsyntax.h"
#include "config/profile.h"

static bool
is_client_item(const char *item, size_t len)
{
	struct network net;

	return parse_item_is(item, len, "ALL") ||
	    network_parse(item, len, &net) ||
	    address_is_host_name(item, len);
}

static const char *
check_list(const char *value, bool clients, char *buf, size_t size)
{
	const char *next = value, *item;
	size_t len, items = 0;

	if (*value == '[')
		return "lists in Python notation are not supported; write "
		    "a,b,c";
	while (parse_next_item(&next, &item, &len)) {
		if (len == 0)
			continue;
		items++;
		if (!clients || is_client_item(item, len))
			continue;
		snprintf(buf, size, "\"%.*s\" is neither ALL, an address, a "
		    "network (ADDRESS/BITS) nor a host name",
		    (int)(len > 100 ? 100 : len), item);
		return buf;
	}
	if (items == 0 && *value != '\0')
		return "only commas, no names";
	return NULL;
}

const char *
aclsyntax_check(int key, const char *value, char *buf, size_t size)
{
	if (key == ACL_UNKNOWN)
		return "unknown key, so it is not known who may see this "
		    "profile; see x2gobroker-sessionprofiles(5)";
	/* to the Python broker it is the name of a user, so that nobody gets
	 * in; without the rule, everybody would */
	if (profile_is_not_set(value))
		return "list the names that you mean, or remove the key";
	if (key != ACL_ANY_ORDER && key % ACL_NPARTS != ACL_ORDER)
		return check_list(value, key / ACL_NPARTS == ACL_CLIENTS, buf,
		    size);
	if (*value == '\0' || strcmp(value, "allow-deny") == 0 ||
	    strcmp(value, "deny-allow") == 0)
		return NULL;
	return "neither allow-deny nor deny-allow";
}
