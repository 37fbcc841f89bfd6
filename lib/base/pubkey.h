/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_PUBKEY_H
#define BASE_PUBKEY_H

/* A key, and where it stands. */
struct pubkey {
	const char *type, *base64;
	const char *comment;		/* may be "" */
	const char *name;		/* whose file it is in, or NULL */
	const char *file;
	unsigned int line;
};

/* What is wrong with a public key, as it stands in a .pub file, or NULL: type
 * must be one that OpenSSH knows and has not given up, and base64, decoded,
 * the whole key of that type and nothing else.  Equal keys have equal text. */
const char *pubkey_check(const char *type, const char *base64);

/* Take line apart, which is changed and holds the text of key from then on.
 * Returns what is wrong with it, or NULL; key->type is NULL where there is no
 * key in it. */
const char *pubkey_parse_line(char *line, struct pubkey *key);

/* What is wrong with a file of keys that begins with line: it is one of another
 * form.  NULL: it is none of those that are known. */
const char *pubkey_refuse_form(const char *line);

#endif
