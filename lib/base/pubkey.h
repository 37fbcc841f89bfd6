/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_PUBKEY_H
#define BASE_PUBKEY_H

/* A line with a key. */
struct pubkey {
	const char *type, *base64;
	const char *comment;		/* may be "" */
	const char *name;		/* the owner of the file, or NULL */
	const char *file;
	unsigned int line;
};

/* Check the two fields of a public key.  type must be one that OpenSSH accepts
 * today, and base64 exactly one key of that type.  Returns NULL, or why the key
 * is refused.  Equal keys have equal text. */
const char *pubkey_check(const char *type, const char *base64);

/* Parse a line of a .pub file.  line is modified, and key points into it.
 * Returns NULL, or why the line is refused.  key->type is NULL if the line is
 * empty or a comment. */
const char *pubkey_parse_line(char *line, struct pubkey *key);

/* If line is the start of a private key or of a public key in another format,
 * return why it is refused, else NULL. */
const char *pubkey_refuse_format(const char *line);

#endif
