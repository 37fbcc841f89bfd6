/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "farm/score.h"

static bool
any_load_known(const struct candidate *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].usable && list[i].load_known)
			return true;
	return false;
}

/* The number of sessions including the new one. */
static double
sessions_then(const struct candidate *c)
{
	return (double)(c->sessions > 0 ? c->sessions : 0) +
	    (double)(c->pending > 0 ? c->pending : 0) + 1;
}

void
score_of(struct candidate *list, size_t n, enum load_balancing balancing)
{
	bool by_load = balancing == BALANCE_LOAD && any_load_known(list, n);
	struct candidate *c;

	for (c = list; c < list + n; c++) {
		if (by_load && !c->load_known)
			c->usable = false;
		if (by_load)
			c->score = sessions_then(c) / (double)
			    (c->load_factor > 0 ? c->load_factor : 1);
		else
			c->score = sessions_then(c) /
			    (c->weight > 0 ? c->weight : 1);
	}
}

/* The n-th of equal candidates replaces the one chosen before with probability
 * 1/n, which gives all of them the same chance. */
int
score_choose(const struct candidate *list, size_t n)
{
	unsigned int equals = 0;
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!list[i].usable ||
		    (best != -1 && list[i].score > list[best].score))
			continue;
		if (best == -1 || list[i].score < list[best].score)
			equals = 0;
		if (arc4random_uniform(++equals) == 0)
			best = (int)i;
	}
	return best;
}
