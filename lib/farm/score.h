/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scores of servers for a new session.
 */
#ifndef FARM_SCORE_H
#define FARM_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "base/error.h"

struct candidate {
	bool usable;		/* up, not drained, clients can connect */
	bool load_known;
	uint64_t load_factor;	/* more is better */
	long sessions;		/* -1: unknown, counted as 0 */
	long pending;		/* assigned a moment ago, not started yet */
	int weight;		/* 100 by default */
	double score;		/* result, if usable: less is better */
};

/* Fill in the score of each candidate:
 *	load:		(sessions + pending + 1) / load factor
 *	sessions:	(sessions + pending + 1) / weight
 * With load, a server with unknown load becomes unusable, unless the load of
 * all servers is unknown: then the scores are by sessions. */
void	score_of(struct candidate *list, size_t n,
	    enum load_balancing balancing);

/* The index of the best usable one, a random one among equals, or -1. */
int	score_choose(const struct candidate *list, size_t n);

#endif
