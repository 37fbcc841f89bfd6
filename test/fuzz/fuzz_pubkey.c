/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of a file of public keys.  What is taken are words of the line, is of
 * a type that we know, and is read as the same key when it is written again.
 */
#include "base/base64.h"
#include "fuzz.h"
#include "base/pubkey.h"
#include "x2gobroker.h"

static void
check_again(const struct pubkey *key)
{
	struct pubkey again;
	char *line;

	must(asprintf(&line, "%s %s%s%s\r", key->type, key->base64,
	    *key->comment != '\0' ? " " : "", key->comment) > 0);
	must(pubkey_parse_line(line, &again) == NULL && again.type != NULL);
	must(strcmp(again.type, key->type) == 0);
	must(strcmp(again.base64, key->base64) == 0);
	must(strcmp(again.comment, key->comment) == 0);
	free(line);
}

/* The key says its type itself; so it is found in what is decoded. */
static void
check_key(const struct pubkey *key)
{
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	uint8_t bytes[16384];
	size_t len = strlen(key->type);
	ssize_t n;
	const char *p;

	must(strpbrk(key->type, " \t\"\\'") == NULL);
	must(strpbrk(key->base64, " \t\"\\'") == NULL);
	for (p = key->comment; *p != '\0'; p++)
		must(((unsigned char)*p >= 0x20 || *p == '\t') && *p != 0x7f);
	n = base64_decode(key->base64, strlen(key->base64), bytes,
	    sizeof(bytes));
	must(n > (ssize_t)len + 4 && memcmp(bytes + 4, key->type, len) == 0);
	must(strcmp(key->type, "ssh-ed25519") != 0 || n == 4 + 11 + 4 + 32);
	must(x2gobroker_key_fingerprint(key->base64, fingerprint) == 0);
	must(pubkey_check(key->type, key->base64) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = fuzz_string(data, size), *copy = strdup(line);
	struct pubkey key;

	must(copy != NULL);
	if (pubkey_parse_line(line, &key) != NULL)
		must(key.type == NULL && key.base64 == NULL);
	else if (key.type != NULL) {
		must(strstr(copy, key.type) != NULL);
		must(strstr(copy, key.base64) != NULL);
		must(pubkey_refuse_format(copy) == NULL);
		check_key(&key);
		check_again(&key);
	} else
		must(copy[strspn(copy, " \t\r")] == '\0' ||
		    copy[strspn(copy, " \t\r")] == '#');
	free(copy);
	free(line);
	return 0;
}
