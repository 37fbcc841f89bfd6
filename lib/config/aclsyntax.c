/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of the acl- keys.  A rule that matches nobody, because it holds
 * something that no directory has as a name, must not go unnoticed: it could
 * be the rule that was to keep somebody out.
 *
 * A name of a user or group is made of letters, digits and '_', of whatever
 * alphabet, joined by "." "-" "$", and between two letters by "@" "\" "+" "'"
 * or "&".  It may have single blanks, a part in parentheses, and a lone "-" or
 * "&" between blanks: "Domain Users", "EXAMPLE\bob", "Sales & Support (EU)".
 */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "config/profile.h"

/* Characters outside of ASCII that are not in names, though they may look so:
 * blanks, quotes, dashes, commas, full-width and combining forms. */
static const struct {
	uint32_t first, last;
} not_letters[] = {
	{ 0x80, 0xa9 }, { 0xab, 0xb4 }, { 0xb6, 0xb9 }, { 0xbb, 0xbf },
	{ 0xd7, 0xd7 }, { 0xf7, 0xf7 }, { 0x2b0, 0x36f }, { 0x37e, 0x37e },
	{ 0x387, 0x387 }, { 0x55a, 0x58a }, { 0x5be, 0x5be },
	{ 0x5c0, 0x5c0 }, { 0x5c3, 0x5c6 }, { 0x5f3, 0x5f4 },
	{ 0x600, 0x61f }, { 0x66a, 0x66d }, { 0x6d4, 0x6d4 },
	{ 0x1680, 0x1680 }, { 0x180b, 0x180f }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x2000, 0x2bff }, { 0x2e00, 0x2e7f },
	{ 0x3000, 0x3004 }, { 0x3008, 0x3020 }, { 0x3030, 0x303f },
	{ 0x30fb, 0x30fb }, { 0xe000, 0xf8ff }, { 0xfb00, 0xfb06 },
	{ 0xfe00, 0xfe6f }, { 0xfeff, 0xfeff }, { 0xff00, 0xffff },
	{ 0x1d400, 0x1d7ff }, { 0x1f000, 0x1faff }, { 0xe0000, 0x10ffff },
};

/* Letters of which some look as those of ASCII do. */
static bool
is_greek_or_cyrillic(uint32_t cp)
{
	return cp >= 0x370 && cp <= 0x52f;
}

static bool
is_ascii_letter(uint32_t cp)
{
	return cp < 0x80 && parse_upper((char)cp) >= 'A' &&
	    parse_upper((char)cp) <= 'Z';
}

static bool
is_letter(uint32_t cp)
{
	size_t i;

	if (cp < 0x80)
		return is_ascii_letter(cp) || (cp >= '0' && cp <= '9') ||
		    cp == '_';
	for (i = 0; i < sizeof(not_letters) / sizeof(not_letters[0]); i++)
		if (cp >= not_letters[i].first && cp <= not_letters[i].last)
			return false;
	return true;
}

/* Whether cp may be where it is: after prev and before next, of which 0 is the
 * end of the item. */
static bool
may_be_there(uint32_t cp, uint32_t prev, uint32_t next)
{
	bool after_word = is_letter(prev) || prev == '.' || prev == '-' ||
	    prev == '$' || prev == ')';
	bool in_word = is_letter(prev) && is_letter(next);
	bool alone = prev == ' ' && next == ' ';

	switch (cp) {
	case ' ':
		return next != ' ';
	case '.':
		return after_word && next != 0;
	case '-':
		return after_word || alone;
	case '&':
		return in_word || alone;
	case '$':
		return after_word;
	case '@':
	case '\\':
	case '+':
	case '\'':
		return after_word && is_letter(next);
	case '(':
		return prev != 0 && is_letter(next);
	case ')':
		return after_word;
	default:
		return is_letter(cp) &&
		    !(is_ascii_letter(prev) && is_greek_or_cyrillic(cp)) &&
		    !(is_greek_or_cyrillic(prev) && is_ascii_letter(cp));
	}
}

/* The first character of item that keeps it from being a name, or 0. */
static uint32_t
find_misplaced(const char *item, size_t len)
{
	uint32_t prev = 0, cp = 0, next = 0;
	const char *end = item + len;
	int depth = 0;
	size_t n;

	for (; item < end; prev = cp, cp = next, item += n) {
		if ((n = utf8_decode(item, (size_t)(end - item), &next)) == 0)
			return 0xfffd;
		if (cp != 0 && !may_be_there(cp, prev, next))
			return cp;
		if ((next == '(' && depth++ > 0) || (next == ')' &&
		    depth-- == 0))
			return next;
	}
	if (depth > 0)
		return '(';
	return cp != 0 && !may_be_there(cp, prev, 0) ? cp : 0;
}

static const char *
check_name(const char *item, size_t len, char *buf, size_t size)
{
	uint32_t cp = find_misplaced(item, len);
	char shown[16];

	if (cp == 0)
		return NULL;
	if (cp == '\n')
		return "a line break between two names; put a comma there";
	if (cp == '\t')
		return "a tab between two names; put a comma there";
	snprintf(shown, sizeof(shown), cp > ' ' && cp < 0x80 ? "'%c'" :
	    "U+%04X", (unsigned int)cp);
	/* short, as it follows the value in a message of limited size */
	snprintf(buf, size, "\"%.*s\" cannot be a name (%s); write names and "
	    "commas, no quotes, prefixes, patterns or comments",
	    (int)(len > 30 ? 30 : len), item, shown);
	return buf;
}

/* Whether the last of several labels could be a domain: what looks like a range
 * of addresses, 10.0.0.1-10.0.0.9, or like a pattern, 10.0.0.x, is none. */
static bool
is_client_name(const char *item, size_t len)
{
	const char *label, *end = item + len;

	if (!address_is_host_name(item, len))
		return false;
	if (end[-1] == '.')
		end--;
	for (label = end; label > item && label[-1] != '.'; label--)
		continue;
	return label == item || (end - label > 1 &&
	    is_ascii_letter((unsigned char)*label));
}

static const char *
check_client(const char *item, size_t len, char *buf, size_t size)
{
	struct network net;

	if (parse_item_is(item, len, "ALL") ||
	    network_parse(item, len, &net) || is_client_name(item, len))
		return NULL;
	snprintf(buf, size, "\"%.*s\" is neither ALL, an address, a "
	    "network (ADDRESS/BITS) nor a host name",
	    (int)(len > 100 ? 100 : len), item);
	return buf;
}

static const char *
check_list(const char *value, bool clients, char *buf, size_t size)
{
	const char *next = value, *item, *wrong = NULL;
	size_t len, items = 0;

	if (*value == '[')
		return "lists in Python notation are not supported; write "
		    "a,b,c";
	while (wrong == NULL && parse_next_item(&next, &item, &len)) {
		if (len == 0)
			continue;
		items++;
		wrong = clients ? check_client(item, len, buf, size) :
		    check_name(item, len, buf, size);
	}
	if (items == 0 && *value != '\0')
		return "only commas, no names";
	return wrong;
}

bool
profile_is_acl_list(int key)
{
	return key < ACL_ANY_ORDER && key % ACL_NPARTS != ACL_ORDER;
}

const char *
profile_check_acl(int key, const char *value, char *buf, size_t size)
{
	/* to the Python broker it is the name of a user, so that nobody gets
	 * in; without the rule, everybody would */
	if (parse_same_word(value, "not-set"))
		return "list the names that you mean, or remove the key";
	if (profile_is_acl_list(key))
		return check_list(value, key / ACL_NPARTS == ACL_CLIENTS, buf,
		    size);
	if (*value == '\0' || strcmp(value, "allow-deny") == 0 ||
	    strcmp(value, "deny-allow") == 0)
		return NULL;
	return "neither allow-deny nor deny-allow";
}
