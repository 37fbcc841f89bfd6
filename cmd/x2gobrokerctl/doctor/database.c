/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of X2Go's session database and of the broker's role there.
 */
#include "findings.h"

#define LIMIT_MIN	10	/* connections, for many logins at once */
#define GRANTS		"x2gobrokerctl database --grants"

/* False: it cannot be asked, as check_database() has reported. */
static bool
is_connected(struct doctor *d)
{
	if (d->database != NULL && d->database->connected)
		return true;
	findings_add(d, FINDING_SKIPPED, "", "the database is not connected");
	return false;
}

static bool
is_readable(struct doctor *d)
{
	if (!is_connected(d))
		return false;
	if (d->database_error.code == X2GOBROKER_OK)
		return true;
	findings_add(d, FINDING_SKIPPED, "", "the sessions cannot be read");
	return false;
}

/* The first of them asks it. */
void
check_database(struct doctor *d)
{
	const char *service = doctor_text(d, "session-database");

	if (x2gobroker_farm_new(d->config, NULL, &d->database_farm,
	    &d->database_error) == 0)
		x2gobroker_farm_examine_database(d->database_farm,
		    &d->database, &d->database_error);
	if (d->database != NULL && d->database->connected) {
		doctor_ok(d, service, "answers within %d ms",
		    d->database->milliseconds);
		return;
	}
	doctor_fail_error(d, service, &d->database_error);
	doctor_remedy(d, GRANTS " prints the SQL for the role and the lines "
	    "for pg_hba.conf; see x2gobroker-sessiondb(8)");
}

void
check_database_read(struct doctor *d)
{
	if (!is_connected(d))
		return;
	if (d->database_error.code == X2GOBROKER_OK) {
		doctor_ok(d, "", "%ld sessions on %zu servers",
		    d->database->sessions, d->database->nhosts);
		return;
	}
	doctor_fail_error(d, "", &d->database_error);
	doctor_remedy(d, GRANTS " prints what the role needs; x2godbadmin "
	    "--createdb drops it");
}

void
check_database_write(struct doctor *d)
{
	if (!is_connected(d))
		return;
	if (d->database->can_write)
		doctor_fail(d, "", "the role can change sessions");
	else if (d->database->can_read_cookies)
		doctor_warn(d, "", "the role can read the cookies, with which "
		    "one can connect to sessions");
	else
		return;
	doctor_remedy(d, "give the broker a role of its own: " GRANTS);
}

void
check_database_zone(struct doctor *d)
{
	if (!is_connected(d))
		return;
	if (d->database->has_own_time_zone) {
		doctor_fail(d, "", "the role has a time zone of its own, so "
		    "the ages of sessions are wrong");
		doctor_remedy(d, "ALTER ROLE ... RESET timezone");
	} else if (d->database->in_future > 0) {
		doctor_warn(d, "", "%ld sessions have not begun yet: their "
		    "X2Go servers have another time zone in the database",
		    d->database->in_future);
		doctor_remedy(d, "set TimeZone in postgresql.conf, and for no "
		    "role");
	}
}

void
check_database_limit(struct doctor *d)
{
	long limit, all;

	if (!is_connected(d))
		return;
	limit = d->database->limit;
	all = d->database->max_connections;
	if (limit == -1 || limit >= all)
		doctor_warn(d, "", "the broker can take all %ld connections, "
		    "and then X2Go servers get none", all);
	else if (limit < LIMIT_MIN)
		doctor_warn(d, "", "%ld connections are too few for many "
		    "logins at once", limit);
	else {
		doctor_ok(d, "", "the broker can take %ld of %ld connections",
		    limit, all);
		return;
	}
	doctor_remedy(d, "ALTER ROLE ... CONNECTION LIMIT 50");
}

static bool
has_profile(const struct doctor *d, const char *host)
{
	const struct x2gobroker_profile *profile;
	size_t i;

	for (i = 0; (profile = x2gobroker_profiles_get(d->profiles, i)) !=
	    NULL; i++)
		if (x2gobroker_profile_has_server(profile, host))
			return true;
	return false;
}

/* The rows of a server that is gone stay; or it has another name there. */
void
check_database_hosts(struct doctor *d)
{
	const char *host;
	long sessions = 0;
	size_t i;

	if (!is_readable(d))
		return;
	for (i = 0; (host = x2gobroker_farm_database_host(d->database_farm, i,
	    &sessions)) != NULL; i++) {
		if (has_profile(d, host))
			continue;
		doctor_warn(d, host, "no profile has this server, of which the "
		    "database has %ld sessions", sessions);
		doctor_remedy(d, "write this name of the server into host= of "
		    "its profile; if it is gone, delete its rows");
	}
}
