/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x2gobroker_keys_*() judge names and keys by.
 */
#ifndef KEYS_H
#define KEYS_H

/* What is wrong with name as the name of an account that has a key file, or
 * NULL.  A name that is in order can stand in a path and in a command of
 * authorized_keys as it is. */
const char *keys_check_name(const char *name);

/* What is wrong with a public key, as it stands in a .pub file, or NULL: type
 * must be one that OpenSSH knows and has not given up, and base64, decoded,
 * the whole key of that type and nothing else.  Equal keys have equal text. */
const char *keys_check_key(const char *type, const char *base64);

#endif
