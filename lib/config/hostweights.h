/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of a profile's broker-host-weights key: NAME:WEIGHT, separated by
 * commas.  An IPv6 address is written "[ADDRESS]:WEIGHT".
 */
#ifndef CONFIG_HOSTWEIGHTS_H
#define CONFIG_HOSTWEIGHTS_H

#include "base/error.h"

typedef void hostweights_item(void *arg, const char *name, int weight);

/* Call fn (may be NULL) for each item of text.  Returns -1 at the first
 * invalid one; the text of err then quotes it. */
int	hostweights_parse(const char *text, hostweights_item *fn, void *arg,
	    struct x2gobroker_error *err);

#endif
