/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A key pair for one login, in memory alone.
 */
#ifndef AUTOLOGIN_KEYPAIR_H
#define AUTOLOGIN_KEYPAIR_H

#include "base/buf.h"
#include "config/config.h"
#include "agent/libssh.h"

struct keypair {
	struct buf private;	/* PEM, as X2Go clients read it */
	char *public;		/* "TYPE BASE64" */
};

/* Make one: RSA with 2048 bits as PKCS#1, which every X2Go client takes, or
 * Ed25519 in OpenSSH's own format, which newer ones do. */
int	keypair_make(const struct libssh *lib, enum autologin_key_type type,
	    struct keypair *keypair, struct x2gobroker_error *err);

/* The private key is wiped. */
void	keypair_free(struct keypair *keypair);

/* Take the wrapping off an RSA key: from PKCS#8 (RFC 5208), "BEGIN PRIVATE
 * KEY", which is all that libssh writes, to the PKCS#1 (RFC 8017) inside,
 * "BEGIN RSA PRIVATE KEY".  -1: pem is no such key. */
int	keypair_unwrap_rsa(const char *pem, struct buf *out,
	    struct x2gobroker_error *err);

#endif
