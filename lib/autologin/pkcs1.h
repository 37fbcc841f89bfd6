/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSA private keys as PKCS#1 (RFC 8017), "BEGIN RSA PRIVATE KEY", which every
 * X2Go client reads.
 */
#ifndef AUTOLOGIN_PKCS1_H
#define AUTOLOGIN_PKCS1_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

bool	pkcs1_is_pem(const char *pem);

/* Write the PKCS#1 key that a PKCS#8 one (RFC 5208, "BEGIN PRIVATE KEY", as
 * libssh writes it) contains.  -1: pem is no RSA key in PKCS#8. */
int	pkcs1_unwrap(const char *pem, struct buf *out,
	    struct x2gobroker_error *err);

#endif
