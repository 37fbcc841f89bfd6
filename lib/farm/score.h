/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which server gets a new session.
 */
#ifndef FARM_SCORE_H
#define FARM_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "base/error.h"

struct candidate {
	bool usable;		/* up, not drained, one for the client */
	bool load_known;
	uint64_t load_factor;	/* more is better */
	long sessions;		/* -1: not known, counted as none */
	long pending;		/* chosen a moment ago, not there yet */
	int weight;		/* 100 is usual */
	double score;		/* out: less is better; of usable ones */
};

/* Fill in the score of each candidate:
 *	load:		(sessions + pending + 1) / load factor
 *	sessions:	(sessions + pending + 1) / weight
 * With load, a server whose load is not known is not usable any more, unless it
 * is so of all of them: then sessions decide. */
void	score_of(struct candidate *list, size_t n,
	    enum load_balancing balancing);

/* The best of the usable ones, with the same chance for equal ones, or -1. */
int	score_choose(const struct candidate *list, size_t n);

#endif
