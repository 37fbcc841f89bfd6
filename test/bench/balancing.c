/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How evenly new sessions are spread, policy by policy: hours of logins at many
 * servers, simulated in steps of a second, where lib/farm/balance.c chooses.
 *
 * Each server has ten sessions on average, which last four hours.  60 % of the
 * logins come in rushes of ten seconds.  A session is visible 3 to 10 seconds
 * after the choice, and 3 % never are.  Brokers know nothing of each other.  At
 * a black hole, sessions end a second after they have begun.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farm/farm.h"

#define SERVERS_MAX	1000
#define BROKERS_MAX	4
#define SECONDS		(4 * 3600)
#define WARM_UP		3600
#define SESSION_SECONDS	(4 * 3600)
#define SESSIONS	10
#define RUSH_SECONDS	10
#define RUSH_EVERY	720
#define RUSH_SHARE	0.6

enum event { BEGIN, END, FORGET, NEVENTS };

struct visit {
	struct visit *next[NEVENTS];	/* in the same second */
	int server, broker;
	bool visible, forgotten;	/* by the broker that chose */
};

static const struct policy {
	const char *name;
	int asked;			/* 0: all */
	bool counts_pending;
} policies[] = {
	{ "random", 1, false },
	{ "all, choices do not count", 0, false },
	{ "all", 0, true },
	{ "servers-to-ask = 2", 2, true },
	{ "servers-to-ask = 3", 3, true },
	{ "servers-to-ask = 5", 5, true },
	{ "servers-to-ask = 8", 8, true },
};

static struct world {
	const struct policy *policy;
	int servers, brokers, black_hole;	/* -1: none */
	struct visit *due[NEVENTS][SECONDS];
	int visible[SERVERS_MAX], pending[BROKERS_MAX][SERVERS_MAX];
	long logins, swallowed;			/* after the warm-up */
	double imbalance;			/* sum of max / mean */
	int samples;
} world;

static double
chance(void)
{
	return arc4random() / 4294967296.0;
}

/* How long a session lasts. */
static int
duration(void)
{
	return (int)(-log(1 - chance()) * SESSION_SECONDS);
}

static void
do_at(enum event event, int second, struct visit *visit)
{
	if (second >= SECONDS)
		return;
	visit->next[event] = world.due[event][second];
	world.due[event][second] = visit;
}

static void
happen(enum event event, struct visit *visit)
{
	int *pending = &world.pending[visit->broker][visit->server];

	if (event == FORGET) {
		*pending -= !visit->visible;
		visit->forgotten = true;
		return;
	}
	visit->visible = event == BEGIN;
	world.visible[visit->server] += event == BEGIN ? 1 : -1;
	if (!visit->forgotten)
		*pending += event == BEGIN ? -1 : 1;
}

/* Ask a sample of the servers, each of which speaks for itself. */
static int
choose(int broker)
{
	static struct candidate list[SERVERS_MAX];
	int n = world.policy->asked, i, best, servers[SERVERS_MAX];

	if (n == 0 || n > world.servers)
		n = world.servers;
	for (i = 0; i < n; i++) {
		servers[i] = n == world.servers ? i : (int)arc4random_uniform(
		    (uint32_t)world.servers);
		list[i] = (struct candidate){
			.sessions = world.visible[servers[i]],
			.pending = world.policy->counts_pending ?
			    world.pending[broker][servers[i]] : 0,
			.weight = 100,
		};
	}
	balance_score(list, (size_t)n, BALANCE_SESSIONS);
	best = balance_best(list, (size_t)n);
	return servers[best];
}

static void
log_in(int now)
{
	struct visit *visit = calloc(1, sizeof(*visit));
	int begin = now + 3 + (int)arc4random_uniform(8);
	bool swallowed;

	if (visit == NULL)
		exit(1);
	visit->broker = (int)arc4random_uniform((uint32_t)world.brokers);
	visit->server = choose(visit->broker);
	swallowed = visit->server == world.black_hole;
	world.pending[visit->broker][visit->server]++;
	do_at(FORGET, now + ASSIGNMENT_SECONDS, visit);
	if (chance() >= 0.03) {
		do_at(BEGIN, begin, visit);
		do_at(END, begin + 1 + (swallowed ? 0 :
		    duration()), visit);
	}
	if (now >= WARM_UP) {
		world.logins++;
		world.swallowed += swallowed;
	}
}

/* The logins of this second. */
static void
log_all_in(int now)
{
	double rate = (double)SESSIONS * world.servers / SESSION_SECONDS;
	double mean = rate * (1 - RUSH_SHARE);

	if (now % RUSH_EVERY < RUSH_SECONDS)
		mean += rate * RUSH_SHARE * RUSH_EVERY / RUSH_SECONDS;
	for (; mean > 0; mean--)
		if (chance() < mean)
			log_in(now);
}

/* The black hole, which nobody is on, counts as a server. */
static void
sample(void)
{
	long sum = 0, max = 0;
	int i;

	for (i = 0; i < world.servers; i++) {
		sum += world.visible[i];
		max = world.visible[i] > max ? world.visible[i] : max;
	}
	world.imbalance += (double)max * world.servers / (double)sum;
	world.samples++;
}

static void
run(const struct policy *policy, int servers, int brokers, int black_hole)
{
	struct visit *visit;
	int now, i;

	memset(&world, 0, sizeof(world));
	world.policy = policy;
	world.servers = servers;
	world.brokers = brokers;
	world.black_hole = black_hole;
	/* the broker has forgotten those that are there at first */
	for (i = 0; i < servers * SESSIONS; i++) {
		if ((visit = calloc(1, sizeof(*visit))) == NULL)
			exit(1);
		visit->server = i % servers;
		visit->visible = visit->forgotten = true;
		if (visit->server == black_hole)
			continue;
		world.visible[visit->server]++;
		do_at(END, duration(), visit);
	}
	for (now = 0; now < SECONDS; now++) {
		for (i = 0; i < NEVENTS; i++)
			for (visit = world.due[i][now]; visit != NULL;
			    visit = visit->next[i])
				happen((enum event)i, visit);
		log_all_in(now);
		if (now >= WARM_UP && now % 60 == 0)
			sample();
	}
}

int
main(void)
{
	size_t i;

	printf("%-28s %10s %10s %13s %13s\n", "", "1 broker", "4 brokers",
	    "black hole of", "black hole of");
	printf("%-28s %10s %10s %13s %13s\n", "policy", "max/mean", "max/mean",
	    "1,000 servers", "100 servers");
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		printf("%-28s", policies[i].name);
		run(&policies[i], 1000, 1, -1);
		printf(" %10.2f", world.imbalance / world.samples);
		run(&policies[i], 1000, 4, -1);
		printf(" %10.2f", world.imbalance / world.samples);
		run(&policies[i], 1000, 1, 0);
		printf(" %11.1f %%", 100.0 * (double)world.swallowed /
		    (double)world.logins);
		run(&policies[i], 100, 1, 0);
		printf(" %11.1f %%\n", 100.0 * (double)world.swallowed /
		    (double)world.logins);
		fflush(stdout);
	}
	return 0;
}
