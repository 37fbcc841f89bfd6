/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fingerprint of a public key, as ssh-keygen(1) and sshd's log write it.
 */
#include <sha2.h>
#include <string.h>

#include "base/base64.h"
#include "x2gobroker.h"

#define PREFIX	"SHA256:"	/* and 43 characters, and a NUL */
#define KEY_MAX	16384	/* an RSA key of 16384 bits takes 2 KiB */

int
x2gobroker_key_fingerprint(const char *base64,
    char dst[X2GOBROKER_FINGERPRINT_SIZE])
{
	uint8_t blob[KEY_MAX], digest[SHA256_DIGEST_LENGTH];
	ssize_t len = base64_decode(base64, strlen(base64), blob,
	    sizeof(blob));
	SHA2_CTX ctx;

	if (len <= 0)
		return -1;
	SHA256Init(&ctx);
	SHA256Update(&ctx, blob, (size_t)len);
	SHA256Final(digest, &ctx);
	memcpy(dst, PREFIX, strlen(PREFIX));
	base64_encode(digest, sizeof(digest), dst + strlen(PREFIX));
	return 0;
}
