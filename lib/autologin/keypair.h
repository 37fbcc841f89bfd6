/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A key pair for one login, which exists only in memory.
 */
#ifndef AUTOLOGIN_KEYPAIR_H
#define AUTOLOGIN_KEYPAIR_H

#include "base/buf.h"
#include "config/config.h"
#include "agent/libssh.h"

struct keypair {
	struct buf private;	/* PEM */
	char *public;		/* "TYPE BASE64" */
};

/* Generate an RSA key of 2048 bits as PKCS#1, which every X2Go client reads, or
 * an Ed25519 one in OpenSSH's own format, which newer clients read. */
int	keypair_make(const struct libssh *lib, enum autologin_key_type type,
	    struct keypair *keypair, struct x2gobroker_error *err);

/* Wipe the private key, and free both. */
void	keypair_free(struct keypair *keypair);

#endif
